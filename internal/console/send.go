package console

import (
	"context"
	"net/http"
	"strings"

	"trade-processing/internal/feed"
	"trade-processing/internal/operate"
)

// sendView asks for events, then for a confirmation, and says what became of them.
type sendView struct {
	Text    string
	Entries int
	Asking  bool // for a confirmation
	Done    bool
	Sent    int
	Refused []operate.Refused
}

// read counts the entries of the text.
func (v *sendView) read(ctx context.Context) error {
	from := feed.FromReader("the text", strings.NewReader(v.Text))
	for _, problem := range from.Entries(ctx) {
		if problem != nil {
			return problem
		}
		v.Entries++
	}
	return nil
}

func (c *Console) askSend(w http.ResponseWriter, r *http.Request) {
	view := sendView{Text: r.FormValue("text")}
	c.dialog(w, r, "send", view, nil)
}

// send confirms first: what it shows it has read, and counted.
func (c *Console) send(w http.ResponseWriter, r *http.Request) {
	view := sendView{Text: r.PostFormValue("text"), Asking: r.PostFormValue("sure") == ""}
	err := view.read(r.Context())
	if err == nil && !view.Asking {
		view.Done = true
		err = c.stack.Send(r.Context(), feed.FromReader("the text", strings.NewReader(view.Text)), operate.Sending{
			AtOnce:  1,
			Sent:    func(entries int) { view.Sent += entries },
			Refused: func(refused operate.Refused) { view.Refused = append(view.Refused, refused) },
		})
	}
	c.dialog(w, r, "send", view, err)
}

// Count and SentCount are the numbers for texts.
func (v sendView) Count() int64     { return int64(v.Entries) }
func (v sendView) SentCount() int64 { return int64(v.Sent) }
