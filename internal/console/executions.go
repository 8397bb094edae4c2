package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"trade-processing/internal/operate"
)

const (
	executionsPerPage = 50
	// loggedSince is how far back the log of an EXPRESS workflow is read.
	loggedSince = 24 * time.Hour
)

type executionList struct {
	Status   string
	Statuses []string
	Rows     []operate.Execution
	Next     string
	Logged   bool // what the workflow, which is EXPRESS, logged in the last 24 hours
}

func (c *Console) executions(r *http.Request) (any, error) {
	most, _ := strconv.Atoi(r.FormValue("most"))
	list := executionList{Status: r.FormValue("status"), Statuses: operate.ExecutionStatuses}
	most = max(most, executionsPerPage)
	machine, err := c.stack.Machine(r.Context())
	if err != nil {
		return list, err
	}
	filter := operate.ExecutionFilter{Status: list.Status}
	if list.Logged = machine.Express; list.Logged {
		filter.Since = c.now().Add(-loggedSince)
	}
	for execution, err := range c.stack.Executions(r.Context(), machine, filter) {
		if err != nil {
			return list, err
		}
		if len(list.Rows) == most {
			list.Next = "/executions?" + url.Values{"status": {list.Status}, "most": {strconv.Itoa(most + executionsPerPage)}}.Encode()
			break
		}
		list.Rows = append(list.Rows, execution)
	}
	return list, nil
}

// executionView is an execution as a timeline.
type executionView struct {
	operate.Timeline
	Bars  []bar
	Total time.Duration
}

// bar is what a state took, or one call of it.
type bar struct {
	Name    string
	Class   string
	Said    string // what went wrong
	Depth   int
	Start   time.Duration // since the execution's start
	Took    time.Duration
	X, W    float64 // of a hundred
	Pending bool    // it hasn't ended

	first, last int // of the events, those that begin and end it
}

func (c *Console) execution(r *http.Request) (any, error) {
	arn := r.FormValue("arn")
	found, err := c.stack.Timeline(r.Context(), arn)
	if err != nil {
		return executionView{Timeline: operate.Timeline{Execution: operate.Execution{Name: arn}}}, err
	}
	view := executionView{Timeline: *found}
	view.draw()
	return view, nil
}

// draw makes the bars. Each event names the one before it in its branch, so what ends a state or a call is found by going
// back from the end.
func (v *executionView) draw() {
	byID := map[int64]operate.Step{}
	open := map[int64]int{} // index of the bar that an event began
	depth := map[int64]int{}
	began := v.Started
	if began.IsZero() && len(v.Steps) > 0 { // a log that has only failures
		began = v.Steps[0].Time
	}
	for i, e := range v.Steps {
		byID[e.ID] = e
		at := e.Time.Sub(began)
		v.Total = max(v.Total, at)
		inside := depth[e.Previous]
		begin := func(name, class string) {
			open[e.ID] = len(v.Bars)
			v.Bars = append(v.Bars, bar{Name: name, Class: class, Depth: inside, Start: at, Pending: true, first: i, last: len(v.Steps)})
			depth[e.ID] = inside + 1
		}
		// end closes the bar that the nearest such event before began.
		end := func(begins func(string) bool) {
			for id := e.Previous; id != 0; id = byID[id].Previous {
				place, is := open[id]
				if !is || !v.Bars[place].Pending || !begins(byID[id].Type) {
					continue
				}
				b := &v.Bars[place]
				b.Took, b.Pending, b.last = at-b.Start, false, i
				if e.Error != "" {
					b.Class, b.Said = "bad", e.Error+": "+cause(e.Cause)
				}
				depth[e.ID] = b.Depth
				return
			}
			depth[e.ID] = inside
		}
		switch {
		case e.Type == "FailStateEntered":
			begin(e.State, "step bad")
		case isEntered(e.Type):
			begin(e.State, "step")
		case strings.HasSuffix(e.Type, "StateExited"):
			end(isEntered)
		case e.Type == "TaskScheduled":
			begin("call", "call")
		case slices.Contains(callEnds, e.Type):
			end(func(t string) bool { return t == "TaskScheduled" })
		default:
			depth[e.ID] = inside
		}
	}
	v.Total = max(v.Total, v.Took())
	for i := range v.Bars {
		b := &v.Bars[i]
		if b.Pending { // a state that failed has no exit of its own
			b.Took = v.Total - b.Start
		}
		start, took, total := float64(b.Start), float64(b.Took), float64(v.Total)
		if total == 0 { // within a millisecond there is only an order
			start, took, total = float64(b.first), float64(b.last-b.first), float64(len(v.Steps))
		}
		b.W = max(0.4, 100*took/total)
		b.X = min(100*start/total, 100-b.W)
	}
}

var callEnds = []string{"TaskSucceeded", "TaskFailed", "TaskTimedOut", "TaskSubmitFailed"}

func isEntered(event string) bool { return strings.HasSuffix(event, "StateEntered") }
