package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
)

const (
	// tradesPerPage is how many trades a page of the list shows, unless more have the same time.
	tradesPerPage = 50
	// mostPerPage bounds a page whose trades all have the same time.
	mostPerPage = 1000
)

// tradeList is a page of the trades that match, newest first.
type tradeList struct {
	ID, Source, Status, Since, Until string // as given
	Sources, Statuses                []string
	Rows                             []operate.Listed
	Next                             string // the address of the next page; empty on the last
	First                            string // of the first page, if this isn't it
	Cut                              bool   // more trades have the last one's time than a page shows
}

// The form of times in addresses and forms.
const minutes = "2006-01-02T15:04"

func (c *Console) trades(r *http.Request) (any, error) {
	list := tradeList{
		ID: r.FormValue("id"), Source: r.FormValue("source"), Status: r.FormValue("status"), Since: r.FormValue("since"), Until: r.FormValue("until"),
		Sources: c.stack.Outputs.Sources(), Statuses: []string{operate.Recorded, operate.Rejected},
	}
	filter := operate.Filter{Source: list.Source, Status: list.Status, Limit: mostPerPage + 1}
	var err error
	if filter.Since, err = given(list.Since); err != nil {
		return list, err
	}
	if filter.Until, err = given(list.Until); err != nil {
		return list, err
	}
	query := r.URL.Query()
	if before := query.Get("before"); before != "" {
		at, err := strconv.ParseInt(before, 10, 64)
		if err != nil {
			return list, exitcode.Usagef("before=%s is not a time in milliseconds", before)
		}
		filter.Until = time.UnixMilli(at)
		query.Del("before")
		list.First = "/trades?" + query.Encode()
	}
	for row, err := range c.stack.List(r.Context(), filter) {
		if err != nil {
			return list, err
		}
		count := len(list.Rows)
		if count >= tradesPerPage && row.Timestamp != list.Rows[count-1].Timestamp || count == mostPerPage {
			list.Cut = row.Timestamp == list.Rows[count-1].Timestamp
			query.Set("before", strconv.FormatInt(list.Rows[count-1].Timestamp-1, 10))
			list.Next = "/trades?" + query.Encode()
			break
		}
		list.Rows = append(list.Rows, row)
	}
	return list, nil
}

// given reads a time of a form, which is in UTC as all times on the page are.
func given(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(minutes, text)
	if err != nil {
		return at, exitcode.Usagef("%s is not a time such as 2026-03-09T14:30, in UTC", text)
	}
	return at, nil
}

// tradeView is everything under a trade's id.
type tradeView struct {
	*operate.Trade
	ID string
}

func (c *Console) trade(r *http.Request) (any, error) {
	id := strings.TrimSpace(r.FormValue("id"))
	found, err := c.stack.Trade(r.Context(), operate.TradeQuery{TradeID: id})
	return tradeView{found, id}, err
}

// indented is JSON for people. What isn't JSON stays as it is.
func indented(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}
