package states_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/states"
)

// hastyClock advances by itself whenever somebody sleeps.
type hastyClock struct {
	slept func() // is told of every sleep; may be nil

	mu  sync.Mutex
	now time.Time
}

var _ clock.Clock = (*hastyClock)(nil)

func (c *hastyClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *hastyClock) Sleep(ctx context.Context, d time.Duration) error {
	if c.slept != nil {
		c.slept()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(d, 0))
	return context.Cause(ctx)
}

func (c *hastyClock) WithTimeout(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// obedient works until it is told to stop.
func obedient(ctx context.Context, _ states.Data) (states.Data, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// taking works for some time on the clock of a world, and stops when told to.
func taking(w **world, d time.Duration) func(context.Context, states.Data) (states.Data, error) {
	return func(ctx context.Context, _ states.Data) (states.Data, error) {
		if err := (*w).Sleep(ctx, d); err != nil {
			return nil, err
		}
		return "done", nil
	}
}

func TestTimeouts(t *testing.T) {
	var w *world
	deaf := func(context.Context, states.Data) (states.Data, error) { // does not look at its context
		_ = w.Sleep(context.Background(), time.Minute)
		return "too late", nil
	}
	cases := map[string]struct {
		definition string
		do         func(context.Context, states.Data) (states.Data, error)
		want       string
		took       time.Duration
	}{
		"a task within its time":                       {machine(`"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 10, "End": true}`), taking(&w, 9*time.Second), `"done"`, 9 * time.Second},
		"a task beyond its time":                       {machine(`"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 10, "End": true}`), obedient, `failed: States.Timeout: state A took longer than 10s`, 10 * time.Second},
		"what has no time of its own has years":        {machine(`"A": {"Type": "Task", "Resource": "slow", "End": true}`), obedient, `failed: States.Timeout: the execution took longer than 27777h46m39s`, 99999999 * time.Second},
		"an answer that comes too late does not count": {machine(`"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 10, "End": true}`), deaf, `failed: States.Timeout: state A took longer than 10s`, time.Minute},
		"a timeout is retried":                         {machine(`"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 10, "End": true, "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 2}]}`), obedient, `failed: States.Timeout: state A took longer than 10s`, (10 + 1 + 10 + 2 + 10) * time.Second},
		"a timeout is caught":                          {machine(`"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 10, "Next": "B", "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "B"}]}, "B": {"Type": "Task", "Resource": "echo", "OutputPath": "$.Cause", "End": true}`), obedient, `"state A took longer than 10s"`, 10 * time.Second},
		"a machine beyond its time":                    {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "slow", "End": true}}}`, obedient, `failed: States.Timeout: the execution took longer than 30s`, 30 * time.Second},
		"nothing in a machine catches its own timeout": {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "slow", "Next": "B", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}, "B": {"Type": "Task", "Resource": "echo", "End": true}}}`, obedient, `failed: States.Timeout: the execution took longer than 30s`, 30 * time.Second},
		"nor retries it":                               {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "slow", "End": true, "Retry": [{"ErrorEquals": ["States.ALL"]}]}}}`, obedient, `failed: States.Timeout: the execution took longer than 30s`, 30 * time.Second},
		"a machine's time runs out in a task":          {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 31}, "ResultPath": null, "End": true}}}`, nil, `failed: States.Timeout: the execution took longer than 30s`, 30 * time.Second},
		"a machine's time runs out before a retry":     {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "slow", "End": true, "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 60}]}}}`, failing("X"), `failed: States.Timeout: the execution took longer than 30s`, 30 * time.Second},
		"a machine's time runs out in branches":        {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Parallel", "Next": "D", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "slow", "End": true}}}, {"StartAt": "C", "States": {"C": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 60}, "ResultPath": null, "End": true}}}]}, "D": {"Type": "Task", "Resource": "echo", "End": true}}}`, obedient, `failed: States.Timeout: the execution took longer than 30s`, 30 * time.Second},
		"a task's time within the machine's":           {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 29, "End": true}}}`, obedient, `failed: States.Timeout: state A took longer than 29s`, 29 * time.Second},
		"a machine that ends in time":                  {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 29}, "ResultPath": null, "End": true}}}`, nil, `{}`, 29 * time.Second},
		"a machine's end that comes too late":          {`{"TimeoutSeconds": 30, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "slow", "End": true}}}`, deaf, `failed: States.Timeout: the execution took longer than 30s`, time.Minute},
		"a task's own deadline error within its time":  {machine(`"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 10, "End": true}`), func(context.Context, states.Data) (states.Data, error) { return nil, context.DeadlineExceeded }, `failed: States.TaskFailed: context deadline exceeded`, 0},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			m := compile(t, test.definition)
			synctest.Test(t, func(t *testing.T) {
				w = newWorld(tasks{"slow": test.do})
				got := w.run(t.Context(), m, map[string]any{})
				if got.text() != test.want || got.took != test.took {
					t.Errorf("%s after %s; want %s after %s", got.text(), got.took, test.want, test.took)
				}
				if w.AdvanceToNext() {
					t.Error("a timeout was left behind")
				}
			})
		})
	}
}

func TestAnExecutionStoppedFromOutsideTellsTheCause(t *testing.T) {
	why := errors.New("interrupted by hand")
	handled := `"Retry": [{"ErrorEquals": ["States.ALL"]}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]`
	cases := map[string]string{
		"in a task":          machine(`"A": {"Type": "Task", "Resource": "slow", "End": true, ` + handled + `}, "Z": {"Type": "Task", "Resource": "echo", "End": true}`),
		"in a long task":     machine(`"A": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 3600}, "ResultPath": null, "End": true}`),
		"between retries":    machine(`"A": {"Type": "Task", "Resource": "fail", "End": true, "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 3600}]}`),
		"in branches":        machine(`"A": {"Type": "Parallel", "Next": "Z", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "slow", "Next": "Y", ` + strings.ReplaceAll(handled, `"Z"`, `"Y"`) + `}, "Y": ` + end + `}}, {"StartAt": "C", "States": {"C": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 3600}, "ResultPath": null, "End": true}}}]}, "Z": {"Type": "Task", "Resource": "echo", "End": true}`),
		"in a nested branch": machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "C", "States": {"C": {"Type": "Task", "Resource": "slow", "End": true}}}]}}}]}`),
		"under its timeout":  `{"TimeoutSeconds": 3600, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 60, "End": true}}}`,
	}
	for name, definition := range cases {
		t.Run(name, func(t *testing.T) {
			m := compile(t, definition)
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancelCause(t.Context())
				w := newWorld(tasks{"slow": obedient, "fail": failing("X", "X")})
				go func() {
					_ = w.Sleep(t.Context(), time.Second)
					stop(why)
				}()
				got := w.run(ctx, m, nil)
				if !errors.Is(got.err, why) {
					t.Errorf("it ended with %v", got.err)
				}
				if failure, ok := errors.AsType[*states.Failure](got.err); ok {
					t.Errorf("the stop reads as a failure of the machine: %v", failure)
				}
				if got.took != time.Second {
					t.Errorf("it ended after %s", got.took)
				}
			})
		})
	}
}

func TestAnExecutionThatWasStoppedBeforeDoesNothing(t *testing.T) {
	m := compile(t, machine(`"A": {"Type": "Task", "Resource": "fail", "End": true}`))
	ctx, stop := context.WithCancelCause(t.Context())
	why := errors.New("stopped before")
	stop(why)
	env := states.Environment{Clock: clock.NewVirtual(noon), Tasks: tasks{"fail": func(context.Context, states.Data) (states.Data, error) {
		t.Error("a task was called")
		return nil, nil
	}}}
	if _, err := m.Run(ctx, env, states.Execution{}); !errors.Is(err, why) {
		t.Errorf("it ended with %v", err)
	}
}
