package states_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// As recorded from AWS: the first state follows from nothing, each branch from the Parallel's start, and what comes after
// the branches from the last of their events.
func TestHistoriesAreAsAWSWritesThem(t *testing.T) {
	const retried = `"Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 1}], "Catch": [{"ErrorEquals": ["X"], "Next": "Z"}]`
	waits := func(seconds int) string {
		return fmt.Sprintf(`"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": %d}, "TimeoutSeconds": 5`, seconds)
	}
	for name, test := range map[string]struct {
		definition string
		do         tasks
		want       []string // types, each with the id of the previous event
	}{
		"a task": {machine(`"A": {"Type": "Task", "Resource": "echo", "End": true}`), nil, []string{
			"ExecutionStarted 0", "TaskStateEntered 0", "TaskScheduled 2", "TaskStarted 3", "TaskSucceeded 4", "TaskStateExited 5", "ExecutionSucceeded 6",
		}},
		"a task that is tried again, and caught": {
			machine(`"A": {"Type": "Task", "Resource": "fail", "Next": "Z", ` + retried + `}, "Z": {"Type": "Fail", "ErrorPath": "$.Error"}`), tasks{"fail": failing("X", "X")}, []string{
				"ExecutionStarted 0", "TaskStateEntered 0", "TaskScheduled 2", "TaskStarted 3", "TaskFailed 4", "TaskScheduled 5", "TaskStarted 6",
				"TaskFailed 7", "TaskStateExited 8", "FailStateEntered 9", "ExecutionFailed 10",
			},
		},
		"a task that runs out of time": {machine(`"A": {` + waits(9) + `, "End": true}`), nil, []string{
			"ExecutionStarted 0", "TaskStateEntered 0", "TaskScheduled 2", "TaskStarted 3", "TaskTimedOut 4", "ExecutionFailed 5",
		}},
		"an execution that runs out of time": {`{"TimeoutSeconds": 1, ` + machine(`"A": {` + waits(3) + `, "End": true}`)[1:], nil, []string{
			"ExecutionStarted 0", "TaskStateEntered 0", "TaskScheduled 2", "TaskStarted 3", "ExecutionTimedOut 4",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, event := range run(t, test.definition, `{"x": 1}`, test.do).history {
				got = append(got, fmt.Sprintf("%s %d", event.Type, event.Previous))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("it has\n%q, want\n%q", got, test.want)
			}
		})
	}

	events := run(t, parallel(`, "Next": "Z"`, branch("B", waits(2)), branch("C", waits(1))), `{"x": 1}`, nil).history
	var got []string
	for i, event := range events {
		previous := ""
		if event.Previous > 0 {
			previous = events[event.Previous-1].Type
		}
		if event.ID != int64(i+1) {
			t.Errorf("event %d has the id %d", i+1, event.ID)
		}
		got = append(got, event.Type+" after "+previous)
	}
	tail := strings.Join(got[9:], ", ") // before that, the branches' events come in any order
	if want := "TaskSucceeded after TaskStarted, TaskStateExited after TaskSucceeded, TaskSucceeded after TaskStarted, TaskStateExited after TaskSucceeded, " +
		"ParallelStateSucceeded after TaskStateExited, ParallelStateExited after ParallelStateSucceeded, TaskStateEntered after ParallelStateExited"; !strings.HasPrefix(tail, want) {
		t.Errorf("branches end with\n%s, want\n%s", tail, want)
	}
	if events[12].State != "B" || events[13].Previous != 13 {
		t.Errorf("the branches are followed by %+v, whose previous isn't the last one's: %+v", events[13], events[12])
	}
	if entered := slices.Repeat([]string{"TaskStateEntered after ParallelStateStarted"}, 2); len(events) < 5 || got[2] != "ParallelStateStarted after ParallelStateEntered" ||
		!slices.Equal(slices.DeleteFunc(slices.Clone(got), func(one string) bool { return one != entered[0] }), entered) {
		t.Errorf("branches begin with %q", got)
	}
}
