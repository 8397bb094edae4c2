package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"trade-processing/lambdas/recorder"
)

// event is one event that a producer sends.
type event struct {
	number int
	source string // without its prefix
	detail string
	at     time.Duration // when it is sent

	trade  string // id; empty if it can't be read
	key    string // what makes it the trade that it is: events with one key and different details conflict
	status string // with which it is recorded; empty: it has no rule, or can't be identified
	dead   bool   // it can't be identified

	sent     bool
	id       string // that the bus gave it
	document string // as the bus passed it on
	touched  bool   // a fault hit a call that is about it
	outcomes []outcome
}

// outcome is how one execution for an event ended, or how its delivery failed.
type outcome struct {
	execution bool   // one was started
	failure   string // empty: it succeeded
	stopped   bool   // from outside, or out of time
	kept      int    // dead letters
	answer    string // JSON
}

// sources are those of stack local, and one that no rule matches.
var sources = []string{"system1", "system2", "system3"}

const unmatched = "legacy"

// span is the time in which all events are sent.
const span = 10 * time.Minute

// trades generates the events of a seed: valid and rejected trades, corrections and cancels, copies of all of them,
// other trades under the same key, the same id from another source, and events that can't be identified or match no
// rule. What becomes of each is known.
func trades(seed uint64, count int) []*event {
	chance := rand.New(rand.NewPCG(seed, 1))
	var events []*event
	for number := range count {
		source := sources[chance.IntN(len(sources))]
		id := fmt.Sprintf("%s-%d", source, number)
		executed := begin.Add(-time.Hour - time.Duration(chance.IntN(86_400_000))*time.Millisecond).Format("2006-01-02T15:04:05.000Z")
		acted := begin.Add(-time.Duration(chance.IntN(2_000_000)+900_000) * time.Millisecond).Format("2006-01-02T15:04:05.000Z")
		amount, currency := fmt.Sprintf("%d.%02d", 1+chance.IntN(1_000_000), chance.IntN(100)), "USD"
		made := func(source, id, executed, amount, currency string, more ...string) *event {
			e := &event{source: source, trade: id, key: source + " " + id + " " + executed, status: recorder.Recorded}
			if currency == "DEM" { // ended with 2001
				e.status, e.key = recorder.Rejected, e.key+" "+amount
			}
			fields := append(more, fmt.Sprintf(`"tradeId":%q`, id), fmt.Sprintf(`"executedAt":%q`, executed), fmt.Sprintf(`"amount":%q`, amount),
				fmt.Sprintf(`"currency":%q`, currency), fmt.Sprintf(`"sourceSystem":%q`, source))
			chance.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
			e.detail = "{" + strings.Join(fields, ",") + "}"
			return e
		}
		var e *event
		earlier := slices.DeleteFunc(slices.Clone(events), func(e *event) bool { return e.status == "" })
		kind := chance.IntN(100)
		if len(earlier) == 0 {
			kind = 0
		}
		switch {
		case kind < 60:
			e = made(source, id, executed, amount, currency)
		case kind < 68: // a correction or a cancel, sent in any order
			of := earlier[chance.IntN(len(earlier))]
			action := []string{"CORRECT", "CANCEL"}[chance.IntN(2)]
			e = made(of.source, of.trade, field(of.detail, "executedAt"), amount, currency, fmt.Sprintf(`"action":%q`, action), fmt.Sprintf(`"actionTime":%q`, acted))
			e.key = of.source + " " + of.trade + " " + acted
		case kind < 76:
			e = made(source, id, executed, amount, "DEM")
		case kind < 86: // a copy
			of := *earlier[chance.IntN(len(earlier))]
			e = &of
		case kind < 90: // another trade under the same key
			of := earlier[chance.IntN(len(earlier))]
			e = made(of.source, of.trade, field(of.detail, "executedAt"), amount, currency)
		case kind < 94: // another source's trade with the same id and time
			of := earlier[chance.IntN(len(earlier))]
			other := sources[(slices.Index(sources, of.source)+1)%len(sources)]
			e = made(other, of.trade, field(of.detail, "executedAt"), amount, currency)
		case kind < 97:
			e = &event{source: source, dead: true, detail: fmt.Sprintf(`{"amount":%q,"number":%d}`, amount, number)}
		default:
			e = &event{source: unmatched, detail: fmt.Sprintf(`{"tradeId":%q,"amount":%q}`, id, amount)}
		}
		e.number, e.at = number, time.Duration(chance.Int64N(int64(span)))
		events = append(events, e)
	}
	return events
}
