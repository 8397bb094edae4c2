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

// branch returns a branch of one state.
func branch(name, state string) string {
	return `{"StartAt": "` + name + `", "States": {"` + name + `": {` + state + `, "End": true}}}`
}

func parallel(fields string, branches ...string) string {
	return machine(`"A": {"Type": "Parallel"` + fields + `, "Branches": [` + strings.Join(branches, ",") + `]}, "Z": {"Type": "Task", "Resource": "echo", "End": true}`)
}

func TestParallel(t *testing.T) {
	const wait, task = `"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": %d}, "ResultPath": null, "OutputPath": "$.%s"`, `"Type": "Task", "Resource": "%s"`
	slow := func(seconds int, output string) string { return fmt.Sprintf(wait, seconds, output) }
	cases := map[string]struct {
		definition, want string
		took             time.Duration
	}{
		"outputs come in the order of the branches, not of time": {parallel(`, "Next": "Z"`, branch("B", slow(3, "x")), branch("C", slow(1, "y")), branch("D", slow(2, "x"))), `[1,2,1]`, 3 * time.Second},
		"a single branch gives a list of one":                    {parallel(`, "Next": "Z"`, branch("B", slow(0, "x"))), `[1]`, 0},
		"every branch gets the same input":                       {parallel(`, "Next": "Z"`, branch("B", `"Type": "Task", "Resource": "echo", "OutputPath": "$.y"`), branch("C", `"Type": "Task", "Resource": "echo", "OutputPath": "$.y"`)), `[2,2]`, 0},
		"ResultSelector picks from the list":                     {parallel(`, "ResultSelector": {"second.$": "$[1]"}, "Next": "Z"`, branch("B", slow(0, "x")), branch("C", slow(0, "y"))), `{"second":2}`, 0},
		"ResultPath adds the list to the input":                  {parallel(`, "ResultPath": "$.both", "Next": "Z"`, branch("B", slow(0, "x"))), `{"both":[1],"x":1,"y":2}`, 0},
		"a Fail in a branch fails the whole":                     {parallel(`, "Next": "Z"`, branch("B", slow(60, "x")), `{"StartAt": "C", "States": {"C": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 2}, "ResultPath": null, "Next": "D"}, "D": {"Type": "Fail", "ErrorPath": "$$.State.Name"}}}`), `failed: D`, 2 * time.Second},
		"the first failure stops the other branches":             {parallel(`, "Next": "Z"`, branch("B", fmt.Sprintf(task, "slow")), branch("C", fmt.Sprintf(task, "fail"))), `failed: X: because`, 0},
		"a failure that the branch caught fails nothing":         {parallel(`, "Next": "Z"`, `{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "fail", "Next": "C", "Catch": [{"ErrorEquals": ["X"], "Next": "C"}]}, "C": {"Type": "Task", "Resource": "echo", "OutputPath": "$.Error", "End": true}}}`), `["X"]`, 0},
		"an end in a branch ends only the branch":                {parallel(`, "Next": "Z"`, `{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "echo", "End": true}}}`, branch("C", slow(1, "x"))), `[{"x": 1, "y": 2},1]`, time.Second},
		"a path to nothing in a branch fails the whole":          {parallel(`, "Next": "Z"`, branch("B", slow(0, "nobody"))), `failed: States.Runtime: the path $.nobody leads to nothing`, 0},
		"branches in branches":                                   {parallel(`, "Next": "Z"`, branch("B", `"Type": "Parallel", "Branches": [`+branch("C", slow(1, "x"))+`,`+branch("D", slow(2, "y"))+`]`), branch("E", slow(0, "x"))), `[[1,2],1]`, 2 * time.Second},
		"a failure deep inside stops all":                        {parallel(`, "Next": "Z"`, branch("B", `"Type": "Parallel", "Branches": [`+branch("C", fmt.Sprintf(task, "fail"))+`,`+branch("D", slow(60, "x"))+`]`), branch("E", slow(60, "y"))), `failed: X: because`, 0},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			do := tasks{"slow": obedient, "fail": failing("X")}
			got := run(t, test.definition, `{"x": 1, "y": 2}`, do)
			if got.text() != test.want || got.took != test.took {
				t.Errorf("%s after %s; want %s after %s", got.text(), got.took, test.want, test.took)
			}
		})
	}
}

// A stopped task answers with some error of its own; the state must still fail with its sibling's.
func TestASiblingsLastWordsDoNotCount(t *testing.T) {
	m := compile(t, parallel(`, "Next": "Z"`,
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
			branches = append(branches, fmt.Sprintf(`{"StartAt": "%s", "States": {"%s": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": %d}, "ResultPath": null, "OutputPath": "$$.State.Name", "End": true}}}`, name, name, s))
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
	m := compile(t, parallel(`, "Next": "Z"`, branch("B", `"Type": "Task", "Resource": "echo", "OutputPath": "$$.Execution.Input.n"`),
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
