package states_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"trade-processing/local/states"
)

// branch is a branch of one state.
func branch(name, state string) string {
	return `{"StartAt": "` + name + `", "States": {"` + name + `": {` + state + `, "End": true}}}`
}

func parallel(fields string, branches ...string) string {
	return machine(`"A": {"Type": "Parallel"` + fields + `, "Branches": [` + strings.Join(branches, ",") + `]}, "Z": {"Type": "Pass", "End": true}`)
}

func TestParallel(t *testing.T) {
	const wait, task = `"Type": "Wait", "Seconds": %d, "OutputPath": "$.%s"`, `"Type": "Task", "Resource": "%s"`
	slow := func(seconds int, output string) string { return fmt.Sprintf(wait, seconds, output) }
	cases := map[string]struct {
		definition, want string
		took             time.Duration
	}{
		"outputs come in the order of the branches, not of time": {parallel(`, "Next": "Z"`, branch("B", slow(3, "x")), branch("C", slow(1, "y")), branch("D", slow(2, "x"))), `[1,2,1]`, 3 * time.Second},
		"a single branch gives a list of one":                    {parallel(`, "Next": "Z"`, branch("B", slow(0, "x"))), `[1]`, 0},
		"every branch gets the same input":                       {parallel(`, "InputPath": "$.y", "Next": "Z"`, branch("B", `"Type": "Pass"`), branch("C", `"Type": "Pass"`)), `[2,2]`, 0},
		"Parameters make the input of the branches":              {parallel(`, "Parameters": {"sum.$": "$.x"}, "Next": "Z"`, branch("B", `"Type": "Pass"`)), `[{"sum":1}]`, 0},
		"ResultSelector picks from the list":                     {parallel(`, "ResultSelector": {"second.$": "$[1]"}, "Next": "Z"`, branch("B", slow(0, "x")), branch("C", slow(0, "y"))), `{"second":2}`, 0},
		"ResultPath adds the list to the input":                  {parallel(`, "ResultPath": "$.both", "Next": "Z"`, branch("B", slow(0, "x"))), `{"both":[1],"x":1,"y":2}`, 0},
		"a Fail in a branch fails the whole":                     {parallel(`, "Next": "Z"`, branch("B", slow(60, "x")), `{"StartAt": "C", "States": {"C": {"Type": "Wait", "Seconds": 2, "Next": "D"}, "D": {"Type": "Fail", "Error": "X", "Cause": "because"}}}`), `failed: X: because`, 2 * time.Second},
		"the first failure stops the other branches":             {parallel(`, "Next": "Z"`, branch("B", fmt.Sprintf(task, "slow")), branch("C", fmt.Sprintf(task, "fail"))), `failed: X: because`, 0},
		"a failure without branch is caught with its own name":   {parallel(`, "Next": "Z", "Catch": [{"ErrorEquals": ["X"], "ResultPath": "$.error", "Next": "Z"}]`, branch("B", fmt.Sprintf(task, "slow")), branch("C", fmt.Sprintf(task, "fail"))), `{"error":{"Cause":"because","Error":"X"},"x":1,"y":2}`, 0},
		"a failure that the branch caught fails nothing":         {parallel(`, "Next": "Z"`, `{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "fail", "Next": "C", "Catch": [{"ErrorEquals": ["X"], "Next": "C"}]}, "C": {"Type": "Pass", "OutputPath": "$.Error", "End": true}}}`), `["X"]`, 0},
		"a Succeed in a branch ends only the branch":             {parallel(`, "Next": "Z"`, `{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}`, branch("C", slow(1, "x"))), `[{"x": 1, "y": 2},1]`, time.Second},
		"all branches are tried again":                           {parallel(`, "Next": "Z", "Retry": [{"ErrorEquals": ["X"]}]`, branch("B", slow(1, "x")), branch("C", fmt.Sprintf(task, "once"))), `[1,"done"]`, 2 * time.Second},
		"no wildcard covers States.Runtime of a branch":          {parallel(`, "Next": "Z", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]`, branch("B", slow(0, "nobody"))), `failed: States.Runtime: the path $.nobody leads to nothing`, 0},
		"branches in branches":                                   {parallel(`, "Next": "Z"`, branch("B", `"Type": "Parallel", "Branches": [`+branch("C", slow(1, "x"))+`,`+branch("D", slow(2, "y"))+`]`), branch("E", slow(0, "x"))), `[[1,2],1]`, 2 * time.Second},
		"a failure deep inside stops all":                        {parallel(`, "Next": "Z"`, branch("B", `"Type": "Parallel", "Branches": [`+branch("C", fmt.Sprintf(task, "fail"))+`,`+branch("D", slow(60, "x"))+`]`), branch("E", slow(60, "y"))), `failed: X: because`, 0},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			do := tasks{"slow": obedient, "fail": failing("X", "X", "X"), "once": failing("X")}
			got := run(t, test.definition, `{"x": 1, "y": 2}`, do)
			if got.text() != test.want || got.took != test.took {
				t.Errorf("%s after %s; want %s after %s", got.text(), got.took, test.want, test.took)
			}
		})
	}
}

// A task that is stopped answers some error of its own; the state must still fail with what its sibling failed with.
func TestASiblingsLastWordsDoNotCount(t *testing.T) {
	m := compile(t, parallel(`, "Next": "Z", "Retry": [{"ErrorEquals": ["Late"], "MaxAttempts": 9}], "Catch": [{"ErrorEquals": ["Late"], "Next": "Z"}]`,
		branch("B", `"Type": "Task", "Resource": "slow", "Retry": [{"ErrorEquals": ["States.ALL"]}]`), branch("C", `"Type": "Task", "Resource": "fail"`)))
	for range 100 {
		var stopped atomic.Int32
		synctest.Test(t, func(t *testing.T) {
			var w *world
			w = newWorld(tasks{
				"slow": func(ctx context.Context, _ states.Data) (states.Data, error) {
					<-ctx.Done()
					stopped.Add(1)
					return nil, &states.Failure{Name: "Late"}
				},
				"fail": func(ctx context.Context, _ states.Data) (states.Data, error) {
					_ = w.Sleep(ctx, time.Second)
					return nil, &states.Failure{Name: "First"}
				},
			})
			got := w.run(t.Context(), m, nil)
			if got.text() != "failed: First" || stopped.Load() != 1 {
				t.Fatalf("%s; %d tasks were stopped", got.text(), stopped.Load())
			}
			for _, v := range got.visits {
				if v.State == "B" {
					t.Error("a state that was stopped in its midst reads as left")
				}
			}
		})
	}
}

func TestABranchThatIsStoppedCallsNoMoreTasks(t *testing.T) {
	m := compile(t, parallel(`, "Next": "Z"`,
		`{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "slow", "Next": "C"}, "C": {"Type": "Task", "Resource": "echo", "End": true}}}`,
		branch("D", `"Type": "Task", "Resource": "fail"`)))
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(tasks{
			"slow": func(ctx context.Context, _ states.Data) (states.Data, error) { <-ctx.Done(); return nil, nil }, // as if nothing was
			"fail": failing("X"),
			"echo": func(context.Context, states.Data) (states.Data, error) {
				t.Error("a task was called in a branch that was stopped")
				return nil, nil
			},
		})
		if got := w.run(t.Context(), m, nil); got.text() != "failed: X: because" {
			t.Error(got.text())
		}
	})
}

func TestBranchesKeepTheirPlaceWhateverTheyTake(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seconds := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 8).Draw(rt, "seconds")
		var branches, want []string
		for i, s := range seconds {
			name := fmt.Sprintf("B%d", i)
			branches = append(branches, fmt.Sprintf(`{"StartAt": "%s", "States": {"%s": {"Type": "Wait", "Seconds": %d, "OutputPath": "$$.State.Name", "End": true}}}`, name, name, s))
			want = append(want, `"`+name+`"`)
		}
		m := compile(t, parallel(`, "Next": "Z"`, branches...))
		var got result
		synctest.Test(t, func(t *testing.T) { got = newWorld(nil).run(t.Context(), m, nil) })
		if got.text() != "["+strings.Join(want, ",")+"]" || got.took != time.Duration(slices.Max(seconds))*time.Second {
			rt.Errorf("%s after %s", got.text(), got.took)
		}
	})
}

func TestManyExecutionsShareAMachine(t *testing.T) {
	m := compile(t, parallel(`, "Next": "Z"`, branch("B", `"Type": "Pass", "InputPath": "$$.Execution.Input.n"`),
		branch("C", `"Type": "Task", "Resource": "echo", "Parameters": {"n.$": "$.n", "by.$": "$$.Execution.Name"}`)))
	env := states.Environment{Clock: &hastyClock{now: noon}, Tasks: tasks{"echo": echo}}
	errs := make(chan error)
	for i := range 50 {
		go func() {
			var err error
			for range 20 {
				input := states.Written(fmt.Appendf(nil, `{"n": %d}`, i))
				output, failed := m.Run(t.Context(), env, states.Execution{Name: fmt.Sprint(i), Input: input})
				want := fmt.Sprintf(`[%d,{"by":"%d","n":%d}]`, i, i, i)
				if got := string(states.AppendJSON(nil, output)); failed != nil || got != want {
					err = errors.Join(err, fmt.Errorf("execution %d: %s, %w", i, got, failed))
				}
			}
			errs <- err
		}()
	}
	for range 50 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
