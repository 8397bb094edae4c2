package console

import (
	"net/http"
	"slices"

	"trade-processing/internal/operate"
)

// lettersShown bounds how many letters a page shows: to look at one hides it from others for a moment.
const lettersShown = 50

type letterView struct {
	Queues []operate.QueueState
	Queue  string // whose letters are shown; empty: none are
	Error  string
	Rows   []operate.Letter
	More   bool
	Total  int64
}

func (c *Console) letters(r *http.Request) (any, error) {
	view := letterView{Queue: r.FormValue("queue"), Error: r.FormValue("error")}
	var err error
	if view.Queues, err = c.stack.LetterStates(r.Context()); err != nil {
		return view, err
	}
	for _, q := range view.Queues {
		view.Total += q.Waiting + q.Hidden
	}
	if view.Queue == "" {
		return view, nil
	}
	queues, err := c.stack.Outputs.FindQueues(view.Queue)
	if err != nil {
		return view, err
	}
	filter := operate.LetterFilter{Queues: queues}
	if view.Error != "" {
		filter.Errors = []string{view.Error}
	}
	view.Rows, view.More, err = c.stack.Letters(r.Context(), filter, lettersShown)
	return view, err
}

// redriveView asks for a confirmation, or says what was done.
type redriveView struct {
	Queue, MessageID string
	Letters          []operate.Letter // that are meant
	More             bool
	Done             bool
	Redriven, Left   int64
	Problems         []string
}

// Sure says whether all that would be redriven can succeed.
func (v redriveView) Sure() bool {
	return !slices.ContainsFunc(v.Letters, func(l operate.Letter) bool { return !l.Helps })
}

func (c *Console) meant(r *http.Request) (redriveView, operate.LetterFilter, error) {
	view := redriveView{Queue: r.FormValue("queue"), MessageID: r.FormValue("message")}
	queues, err := c.stack.Outputs.FindQueues(view.Queue)
	return view, operate.LetterFilter{Queues: queues, MessageID: view.MessageID}, err
}

func (c *Console) askRedrive(w http.ResponseWriter, r *http.Request) {
	view, filter, err := c.meant(r)
	if err == nil {
		view.Letters, view.More, err = c.stack.Letters(r.Context(), filter, lettersShown)
	}
	c.dialog(w, r, "redrive", view, err)
}

func (c *Console) dialog(w http.ResponseWriter, r *http.Request, template string, data any, err error) {
	p := c.page(view{Name: "Confirm", Template: template}, data, err)
	name := "page"
	if r.Header.Get("HX-Request") != "" {
		name = template
	}
	c.write(w, http.StatusOK, name, p)
}

// redrive does what was confirmed.
func (c *Console) redrive(w http.ResponseWriter, r *http.Request) {
	view, filter, err := c.meant(r)
	if err == nil {
		var result operate.RedriveResult
		result, err = c.stack.Redrive(r.Context(), filter, operate.Redriving{Told: func(l operate.Letter, outcome operate.Outcome, reason string) {
			if reason != "" && outcome != operate.Redriven && len(view.Problems) < lettersShown {
				view.Problems = append(view.Problems, l.TradeID+": "+reason)
			}
		}})
		view.Done, view.Redriven, view.Left = err == nil, result.Sent+result.Copies, result.Left+result.Refused
	}
	c.dialog(w, r, "redrive", view, err)
}
