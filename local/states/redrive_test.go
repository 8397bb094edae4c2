package states_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"trade-processing/local/states"
)

// Stopped anywhere, an execution goes on to the end that it would have had, and runs no state again that it had left: also
// in branches, and where a Catch led it on or back.
func TestAnExecutionThatStoppedAnywhereGoesOn(t *testing.T) {
	task := func(next string) string { return `"Type": "Task", "Resource": "echo", ` + next }
	caught := `"Catch": [{"ErrorEquals": ["Y"], "Next": "Never"}, {"ErrorEquals": ["X"], "Next": "C", "ResultPath": "$.error"}]`
	for name, definition := range map[string]string{
		"in a row":        machine(`"A": {` + task(`"Next": "B"`) + `}, "B": {"Type": "Task", "Resource": "echo", "ResultPath": "$.n", "End": true}`),
		"with branches":   parallel(`, "Next": "Z"`, branch("B", `"Type": "Task", "Resource": "echo"`), branch("C", `"Type": "Task", "Resource": "echo"`)),
		"after a failure": machine(`"A": {"Type": "Task", "Resource": "fail", "Next": "Never", ` + caught + `}, "Never": {` + task(`"End": true`) + `}, "C": {` + task(`"End": true`) + `}`),
		"back and on": machine(`"A": {` + task(`"Next": "B"`) + `}, "B": {"Type": "Task", "Resource": "fail", "ResultPath": "$.b", "Next": "C", "Catch": [{"ErrorEquals": ["X"], "Next": "A", "ResultPath": "$.error"}]},
			"C": {` + task(`"End": true`) + `}`),
		"to a failure": machine(`"A": {"Type": "Task", "Resource": "fail", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}], "End": true}, "Z": {"Type": "Fail", "ErrorPath": "$.Error"}`),
	} {
		t.Run(name, func(t *testing.T) {
			m := compile(t, definition)
			attempt := func(before []states.Event) (r result) {
				do := tasks{"fail": failing("X")}
				if slices.ContainsFunc(before, func(e states.Event) bool { return e.Type == "TaskStateExited" && e.State == "B" }) {
					do["fail"] = failing() // it has failed already
				}
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(do)
					w.before = before
					r = w.run(t.Context(), m, states.Written([]byte(`{"x": 1.50}`)))
				})
				return r
			}
			whole := attempt(nil)
			if len(whole.history) < 6 {
				t.Fatalf("it ends as %s", whole.text())
			}
			for n := 1; n < len(whole.history); n++ {
				before := whole.history[:n]
				again := attempt(before)
				if again.text() != whole.text() {
					t.Errorf("after %d events it ends as %s, want %s", n, again.text(), whole.text())
				}
				if first := again.history[0]; first.Type != "ExecutionRedriven" || first.ID != int64(n+1) || first.Previous != int64(n) {
					t.Errorf("after %d events there is %+v", n, first)
				}
				count := func(events []states.Event, typ string) (states []string) {
					for _, e := range events {
						if e.Type == typ {
							states = append(states, e.State)
						}
					}
					slices.Sort(states)
					return states
				}
				if left := append(count(before, "TaskStateExited"), count(again.history, "TaskStateExited")...); len(left) != len(count(whole.history, "TaskStateExited")) {
					t.Errorf("after %d events, all in all it leaves %q", n, left)
				}
			}
		})
	}
}
