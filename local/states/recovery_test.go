package states_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"trade-processing/local/states"
)

// failing fails with these errors, one per call, and then answers.
func failing(names ...string) func(context.Context, states.Data) (states.Data, error) {
	return func(context.Context, states.Data) (states.Data, error) {
		if len(names) == 0 {
			return "done", nil
		}
		name := names[0]
		names = names[1:]
		return nil, &states.Failure{Name: name, Cause: "because"}
	}
}

func TestRetry(t *testing.T) {
	repeat := func(name string, n int) []string { return slices.Repeat([]string{name}, n) }
	cases := map[string]struct {
		retry  string // the list
		fails  []string
		random float64
		want   string
		took   time.Duration
		tries  int
	}{
		"without Retry the first failure is the last": {``, []string{"X"}, 0, "failed: X: because", 0, 0},
		"by default thrice, after 1, 2 and 4 s":       {`{"ErrorEquals": ["X"]}`, repeat("X", 3), 0, `"done"`, 7 * time.Second, 3},
		"then it fails":                               {`{"ErrorEquals": ["X"]}`, repeat("X", 4), 0, "failed: X: because", 7 * time.Second, 3},
		"the delay grows by the rate":                 {`{"ErrorEquals": ["X"], "IntervalSeconds": 2, "BackoffRate": 1.5, "MaxAttempts": 3}`, repeat("X", 3), 0, `"done"`, 9500 * time.Millisecond, 3},
		"a rate of one leaves it":                     {`{"ErrorEquals": ["X"], "IntervalSeconds": 5, "BackoffRate": 1, "MaxAttempts": 4}`, repeat("X", 4), 0, `"done"`, 20 * time.Second, 4},
		"MaxDelaySeconds caps it":                     {`{"ErrorEquals": ["X"], "IntervalSeconds": 1, "MaxDelaySeconds": 3, "MaxAttempts": 5}`, repeat("X", 5), 0, `"done"`, (1 + 2 + 3 + 3 + 3) * time.Second, 5},
		"no attempts are no retry":                    {`{"ErrorEquals": ["X"], "MaxAttempts": 0}`, []string{"X"}, 0, "failed: X: because", 0, 0},
		"full jitter may wait no time at all":         {`{"ErrorEquals": ["X"], "IntervalSeconds": 8, "JitterStrategy": "FULL"}`, repeat("X", 3), 0, `"done"`, 0, 3},
		"full jitter may wait half the time":          {`{"ErrorEquals": ["X"], "IntervalSeconds": 8, "JitterStrategy": "FULL"}`, repeat("X", 3), 0.5, `"done"`, 28 * time.Second, 3},
		"full jitter is of the capped delay":          {`{"ErrorEquals": ["X"], "IntervalSeconds": 8, "MaxDelaySeconds": 10, "JitterStrategy": "FULL"}`, repeat("X", 3), 0.5, `"done"`, 14 * time.Second, 3},
		"no jitter waits the whole time":              {`{"ErrorEquals": ["X"], "IntervalSeconds": 8, "JitterStrategy": "NONE", "MaxAttempts": 1}`, repeat("X", 1), 0.5, `"done"`, 8 * time.Second, 1},
		"another error is not retried":                {`{"ErrorEquals": ["X", "Y"]}`, []string{"Z"}, 0, "failed: Z: because", 0, 0},
		"names are compared with case":                {`{"ErrorEquals": ["x"]}`, []string{"X"}, 0, "failed: X: because", 0, 0},
		// The example from AWS's guide: A and B share a retrier of two attempts.
		"each retrier counts for itself":                {`{"ErrorEquals": ["A", "B"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 2}, {"ErrorEquals": ["C"], "IntervalSeconds": 5}`, []string{"A", "B", "C", "B"}, 0, "failed: B: because", (1 + 2 + 5) * time.Second, 3},
		"the first retrier that covers an error has it": {`{"ErrorEquals": ["X"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60}`, repeat("X", 2), 0, "failed: X: because", time.Second, 1},
		"States.ALL covers a function's errors":         {`{"ErrorEquals": ["States.ALL"]}`, []string{"X"}, 0, `"done"`, time.Second, 1},
		"States.ALL covers a timeout":                   {`{"ErrorEquals": ["States.ALL"]}`, []string{"States.Timeout"}, 0, `"done"`, time.Second, 1},
		"States.ALL covers no States.Runtime":           {`{"ErrorEquals": ["States.ALL"]}`, []string{"States.Runtime"}, 0, "failed: States.Runtime: because", 0, 0},
		"nor States.DataLimitExceeded":                  {`{"ErrorEquals": ["States.ALL"]}`, []string{"States.DataLimitExceeded"}, 0, "failed: States.DataLimitExceeded: because", 0, 0},
		"which its own name does":                       {`{"ErrorEquals": ["States.DataLimitExceeded"]}`, []string{"States.DataLimitExceeded"}, 0, `"done"`, time.Second, 1},
		"States.Runtime not even its own name covers":   {`{"ErrorEquals": ["States.Runtime"]}`, []string{"States.Runtime"}, 0, "failed: States.Runtime: because", 0, 0},
		"States.TaskFailed covers a function's errors":  {`{"ErrorEquals": ["States.TaskFailed"]}`, []string{"X"}, 0, `"done"`, time.Second, 1},
		"States.TaskFailed covers no timeout":           {`{"ErrorEquals": ["States.TaskFailed"]}`, []string{"States.Timeout"}, 0, "failed: States.Timeout: because", 0, 0},
		"States.TaskFailed covers no data limit":        {`{"ErrorEquals": ["States.TaskFailed"]}`, []string{"States.DataLimitExceeded"}, 0, "failed: States.DataLimitExceeded: because", 0, 0},
		"delays beyond all bounds end at AWS's longest": {`{"ErrorEquals": ["X"], "IntervalSeconds": 99999999, "BackoffRate": 1e308, "MaxAttempts": 2, "JitterStrategy": "FULL"}`, repeat("X", 2), 0.25, `"done"`, 2 * 99999999 * time.Second / 4, 2},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			m := compile(t, machine(`"A": {"Type": "Task", "Resource": "fail", "End": true, "Retry": [`+test.retry+`]}`))
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(tasks{"fail": failing(test.fails...)})
				w.random = func() float64 { return test.random }
				got := w.run(t.Context(), m, nil)
				if got.text() != test.want || got.took != test.took || got.visits[0].Retries != test.tries {
					t.Errorf("%s after %s and %d retries; want %s after %s and %d",
						got.text(), got.took, got.visits[0].Retries, test.want, test.took, test.tries)
				}
			})
		})
	}
}

func TestFullJitterStaysWithinTheDelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.IntRange(1, 1000).Draw(t, "interval")
		rate := rapid.Float64Range(1, 10).Draw(t, "rate")
		longest := interval + rapid.IntRange(1, 1000).Draw(t, "longest")
		attempts := rapid.IntRange(1, 8).Draw(t, "attempts")
		random := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "random")
		m, err := states.Compile([]byte(machine(fmt.Sprintf(`"A": {"Type": "Task", "Resource": "fail", "End": true, "Retry": [{"ErrorEquals": ["X"],
			"IntervalSeconds": %d, "BackoffRate": %v, "MaxDelaySeconds": %d, "MaxAttempts": %d, "JitterStrategy": "FULL"}]}`,
			interval, rate, longest, attempts))), resources)
		if err != nil {
			t.Fatal(err)
		}
		var calls []time.Duration
		hasty := &hastyClock{now: noon}
		env := states.Environment{Clock: hasty, Random: func() float64 { return random }, Tasks: tasks{
			"fail": func(context.Context, states.Data) (states.Data, error) {
				calls = append(calls, hasty.Now().Sub(noon))
				return nil, &states.Failure{Name: "X"}
			},
		}}
		if _, err := m.Run(context.Background(), env, states.Execution{}); err == nil || err.Error() != "X" {
			t.Fatalf("it ended with %v", err)
		}
		if len(calls) != attempts+1 {
			t.Fatalf("%d calls for %d attempts", len(calls), attempts)
		}
		for n := range attempts {
			bound := min(float64(interval)*math.Pow(rate, float64(n)), float64(longest))
			delay := (calls[n+1] - calls[n]).Seconds()
			if delay < 0 || delay > bound || math.Abs(delay-bound*random) > 1e-6 {
				t.Errorf("retry %d after %v s; the bound is %v, the dice say %v", n, delay, bound, random)
			}
		}
	})
}

func TestCatch(t *testing.T) {
	const input = `{"id": "T-1"}`
	cases := map[string]struct{ catch, fails, want string }{
		"the failure is the next state's input":            {`{"ErrorEquals": ["X"], "Next": "B"}`, "X", `{"Cause":"because","Error":"X"}`},
		"ResultPath keeps the input beside it":             {`{"ErrorEquals": ["X"], "ResultPath": "$.error", "Next": "B"}`, "X", `{"error":{"Cause":"because","Error":"X"},"id":"T-1"}`},
		"ResultPath of null keeps the input alone":         {`{"ErrorEquals": ["X"], "ResultPath": null, "Next": "B"}`, "X", input},
		"ResultPath that can't be set fails":               {`{"ErrorEquals": ["X"], "ResultPath": "$.id.error", "Next": "B"}`, "X", `failed: States.ResultPathMatchFailure: ResultPath $.id.error leads through something that is not an object`},
		"the first that covers the failure has it":         {`{"ErrorEquals": ["Y"], "Next": "C"}, {"ErrorEquals": ["X"], "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "C"}`, "X", `{"Cause":"because","Error":"X"}`},
		"what none covers fails the execution":             {`{"ErrorEquals": ["Y"], "Next": "B"}`, "X", `failed: X: because`},
		"States.ALL covers the rest":                       {`{"ErrorEquals": ["Y"], "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "C"}`, "X", `"C"`},
		"States.ALL covers no States.Runtime":              {`{"ErrorEquals": ["States.ALL"], "Next": "B"}`, "States.Runtime", `failed: States.Runtime: because`},
		"States.ALL covers no States.DataLimitExceeded":    {`{"ErrorEquals": ["States.ALL"], "Next": "B"}`, "States.DataLimitExceeded", `failed: States.DataLimitExceeded: because`},
		"States.TaskFailed covers a function's error":      {`{"ErrorEquals": ["States.TaskFailed"], "Next": "C"}`, "X", `"C"`},
		"States.TaskFailed covers no States.Timeout":       {`{"ErrorEquals": ["States.TaskFailed"], "Next": "C"}`, "States.Timeout", `failed: States.Timeout: because`},
		"an error in other letters is another error":       {`{"ErrorEquals": ["x"], "Next": "B"}`, "X", `failed: X: because`},
		"an error that Step Functions never raises here":   {`{"ErrorEquals": ["States.HeartbeatTimeout", "States.Permissions"], "Next": "B"}`, "X", `failed: X: because`},
		"a list of errors covers each":                     {`{"ErrorEquals": ["W", "X"], "Next": "C"}`, "X", `"C"`},
		"the names of other errors may begin with a State": {`{"ErrorEquals": ["StatesGone"], "Next": "C"}`, "StatesGone", `"C"`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got := run(t, machine(`"A": {"Type": "Task", "Resource": "fail", "Next": "D", "OutputPath": "$.never", "Catch": [{"ErrorEquals": ["never"], "Next": "C"}, {"ErrorEquals": ["neither"], "Next": "B"}, `+test.catch+`]},
				"B": {"Type": "Task", "Resource": "echo", "End": true}, "C": {"Type": "Task", "Resource": "echo", "OutputPath": "$$.State.Name", "End": true}, "D": {"Type": "Task", "Resource": "echo", "End": true}`),
				input, tasks{"fail": failing(test.fails)})
			if got.text() != test.want {
				t.Errorf("\n got %s\nwant %s", got.text(), test.want)
			}
		})
	}
}

func TestRetriesComeBeforeCatches(t *testing.T) {
	got := run(t, machine(`"A": {"Type": "Task", "Resource": "fail", "Next": "B",
			"Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 2}], "Catch": [{"ErrorEquals": ["X"], "Next": "B"}]},
		"B": {"Type": "Task", "Resource": "echo", "OutputPath": "$.Error", "End": true}`), `{}`, tasks{"fail": failing("X", "X", "X")})
	if got.text() != `"X"` || got.took != 3*time.Second {
		t.Errorf("%s after %s", got.text(), got.took)
	}
	a := got.visits[0]
	if a.State != "A" || a.Type != "Task" || a.Retries != 2 || a.Failure == nil || a.Failure.Name != "X" || !a.Entered.Equal(noon) || a.Left.Sub(noon) != 3*time.Second {
		t.Errorf("the visit is %+v", a)
	}
	if b := got.visits[1]; b.State != "B" || b.Failure != nil || !b.Entered.Equal(a.Left) {
		t.Errorf("the next visit is %+v", b)
	}
}

func TestFailuresInDataFlowMayBeCaught(t *testing.T) {
	got := run(t, machine(`"A": {"Type": "Task", "Resource": "echo", "Next": "B", "ResultPath": "$.id.x",
			"Catch": [{"ErrorEquals": ["States.ResultPathMatchFailure"], "Next": "B"}]},
		"B": {"Type": "Task", "Resource": "echo", "OutputPath": "$.Error", "End": true}`), `{"id": 1}`, tasks{"echo": echo})
	if got.text() != `"States.ResultPathMatchFailure"` {
		t.Errorf("got %s", got.text())
	}
}

func TestAnErrorWithoutNameIsTaskFailed(t *testing.T) {
	broken := func(context.Context, states.Data) (states.Data, error) { return nil, errors.New("the wire is cut") }
	wrapped := func(context.Context, states.Data) (states.Data, error) {
		return nil, fmt.Errorf("calling: %w", &states.Failure{Name: "X", Cause: "because"})
	}
	for want, do := range map[string]func(context.Context, states.Data) (states.Data, error){
		"failed: States.TaskFailed: the wire is cut": broken,
		"failed: X: because":                         wrapped,
	} {
		if got := run(t, machine(`"A": {"Type": "Task", "Resource": "fail", "End": true}`), `{}`, tasks{"fail": do}); got.text() != want {
			t.Errorf("got %s, want %s", got.text(), want)
		}
	}
}

func TestFail(t *testing.T) {
	const input = `{"Error": "TradeConflict", "Cause": "{\"errorMessage\":\"x\"}", "n": 1}`
	cases := map[string]struct{ fields, want string }{
		"nothing at all":                  {``, `failed: `},
		"both from the input":             {`, "ErrorPath": "$.Error", "CausePath": "$.Cause"`, `failed: TradeConflict: {"errorMessage":"x"}`},
		"a cause from the context":        {`, "ErrorPath": "$.Error", "CausePath": "$$.State.Name"`, `failed: TradeConflict: A`},
		"a cause made by a function":      {`, "ErrorPath": "$.Error", "CausePath": "States.JsonToString($)"`, `failed: TradeConflict: {"Error":"TradeConflict","Cause":"{\"errorMessage\":\"x\"}","n":1}`},
		"an error that is not there":      {`, "ErrorPath": "$.nobody"`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"an error that is a number":       {`, "ErrorPath": "$.n"`, `failed: States.Runtime: state A: its error or cause is not a text`},
		"a cause that is the whole input": {`, "CausePath": "$"`, `failed: States.Runtime: state A: its error or cause is not a text`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := run(t, machine(`"A": {"Type": "Fail"`+test.fields+`}`), input, nil); got.text() != test.want {
				t.Errorf("\n got %s\nwant %s", got.text(), test.want)
			}
		})
	}
}
