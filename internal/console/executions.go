package console

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

const executionsPerPage = 50

// executionRow is an execution in a list.
type executionRow struct {
	ARN, Name, Status string
	Started           time.Time
	Took              time.Duration
}

type executionList struct {
	Status   string
	Statuses []types.ExecutionStatus
	Rows     []executionRow
	Next     string
	Express  bool // AWS keeps no list of them
}

func (c *Console) executions(r *http.Request) (any, error) {
	list := executionList{Status: r.FormValue("status"), Statuses: types.ExecutionStatus("").Values()}
	in := &sfn.ListExecutionsInput{StateMachineArn: &c.stack.Outputs.StateMachineARN, MaxResults: executionsPerPage, StatusFilter: types.ExecutionStatus(list.Status)}
	if token := r.FormValue("after"); token != "" {
		in.NextToken = &token
	}
	answer, err := c.stack.SFN().ListExecutions(r.Context(), in)
	if hasCode(err, "StateMachineTypeNotSupported") {
		list.Express = true
		return list, nil
	}
	if err != nil {
		return list, fmt.Errorf("listing executions: %w", err)
	}
	for _, e := range answer.Executions {
		row := executionRow{deref(e.ExecutionArn), deref(e.Name), string(e.Status), deref(e.StartDate), -1}
		if e.StopDate != nil {
			row.Took = e.StopDate.Sub(row.Started)
		}
		list.Rows = append(list.Rows, row)
	}
	if answer.NextToken != nil {
		list.Next = "/executions?" + url.Values{"status": {list.Status}, "after": {*answer.NextToken}}.Encode()
	}
	return list, nil
}

// executionView is an execution as a timeline.
type executionView struct {
	executionRow
	Error, Cause  string
	Input, Output string
	Bars          []bar
	Total         time.Duration
	Cut           bool // its history is longer than what is shown
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

// mostEvents bounds the history that is read: an execution of this workflow has at most a few hundred events.
const mostEvents = 2000

func (c *Console) execution(r *http.Request) (any, error) {
	arn := r.FormValue("arn")
	client := c.stack.SFN()
	found, err := client.DescribeExecution(r.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return executionView{executionRow: executionRow{ARN: arn}}, fmt.Errorf("reading execution %s: %w", arn, err)
	}
	view := executionView{
		executionRow: executionRow{arn, deref(found.Name), string(found.Status), deref(found.StartDate), -1},
		Error:        deref(found.Error), Cause: deref(found.Cause), Input: indented(deref(found.Input)), Output: indented(deref(found.Output)),
	}
	if found.StopDate != nil {
		view.Took = found.StopDate.Sub(view.Started)
	}
	pages := sfn.NewGetExecutionHistoryPaginator(client, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, IncludeExecutionData: aws.Bool(false), MaxResults: 1000})
	var events []types.HistoryEvent
	for pages.HasMorePages() && len(events) < mostEvents {
		page, err := pages.NextPage(r.Context())
		if err != nil {
			return view, fmt.Errorf("reading the history of execution %s: %w", arn, err)
		}
		events = append(events, page.Events...)
	}
	view.Cut = pages.HasMorePages()
	view.draw(events)
	return view, nil
}

// draw makes the bars. Each event names the one before it in its branch, so what ends a state or a call is found by going
// back from the end.
func (v *executionView) draw(events []types.HistoryEvent) {
	byID := map[int64]types.HistoryEvent{}
	open := map[int64]int{} // index of the bar that an event began
	depth := map[int64]int{}
	for i, e := range events {
		byID[e.Id] = e
		at := deref(e.Timestamp).Sub(v.Started)
		v.Total = max(v.Total, at)
		inside := depth[e.PreviousEventId]
		began := func(name, class string) {
			open[e.Id] = len(v.Bars)
			v.Bars = append(v.Bars, bar{Name: name, Class: class, Depth: inside, Start: at, Pending: true, first: i, last: len(events)})
			depth[e.Id] = inside + 1
		}
		// ended closes the bar that the nearest such event before began.
		ended := func(class, said string, begins ...types.HistoryEventType) {
			for id := e.PreviousEventId; id != 0; id = byID[id].PreviousEventId {
				place, is := open[id]
				if !is || !v.Bars[place].Pending || !isOneOf(byID[id].Type, begins) {
					continue
				}
				b := &v.Bars[place]
				b.Took, b.Pending, b.last = at-b.Start, false, i
				if said != "" {
					b.Class, b.Said = class, said
				}
				depth[e.Id] = b.Depth
				return
			}
			depth[e.Id] = inside
		}
		switch {
		case e.StateEnteredEventDetails != nil:
			class := "step"
			if e.Type == types.HistoryEventTypeFailStateEntered {
				class = "step bad"
			}
			began(deref(e.StateEnteredEventDetails.Name), class)
		case e.StateExitedEventDetails != nil:
			ended("", "", enteredTypes...)
		case e.Type == types.HistoryEventTypeTaskScheduled:
			began("call", "call")
		case e.Type == types.HistoryEventTypeTaskSucceeded:
			ended("", "", types.HistoryEventTypeTaskScheduled)
		case e.TaskFailedEventDetails != nil:
			ended("bad", failed(e.TaskFailedEventDetails.Error, e.TaskFailedEventDetails.Cause), types.HistoryEventTypeTaskScheduled)
		case e.TaskTimedOutEventDetails != nil:
			ended("bad", failed(e.TaskTimedOutEventDetails.Error, e.TaskTimedOutEventDetails.Cause), types.HistoryEventTypeTaskScheduled)
		case e.TaskSubmitFailedEventDetails != nil:
			ended("bad", failed(e.TaskSubmitFailedEventDetails.Error, e.TaskSubmitFailedEventDetails.Cause), types.HistoryEventTypeTaskScheduled)
		default:
			depth[e.Id] = inside
		}
	}
	if v.Took > 0 {
		v.Total = max(v.Total, v.Took)
	}
	for i := range v.Bars {
		b := &v.Bars[i]
		if b.Pending { // a state that failed has no exit of its own
			b.Took = v.Total - b.Start
		}
		start, took, total := float64(b.Start), float64(b.Took), float64(v.Total)
		if total == 0 { // within a millisecond there is only an order
			start, took, total = float64(b.first), float64(b.last-b.first), float64(len(events))
		}
		b.W = max(0.4, 100*took/total)
		b.X = min(100*start/total, 100-b.W)
	}
}

var enteredTypes = []types.HistoryEventType{
	types.HistoryEventTypeTaskStateEntered, types.HistoryEventTypeParallelStateEntered, types.HistoryEventTypePassStateEntered,
	types.HistoryEventTypeChoiceStateEntered, types.HistoryEventTypeWaitStateEntered, types.HistoryEventTypeMapStateEntered,
}

func isOneOf(typ types.HistoryEventType, of []types.HistoryEventType) bool {
	for _, one := range of {
		if typ == one {
			return true
		}
	}
	return false
}

func failed(name, why *string) string { return deref(name) + ": " + cause(deref(why)) }
