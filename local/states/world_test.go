package states_test

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/states"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// tasks are a test's integrations, by resource.
type tasks map[string]func(ctx context.Context, parameters states.Data) (states.Data, error)

func (t tasks) Invoke(ctx context.Context, resource string, parameters states.Data) (states.Data, error) {
	if do, given := t[resource]; given {
		return do(ctx, parameters)
	}
	return echo(ctx, parameters)
}

// echo answers with its parameters. It is the default for a test's resources.
func echo(_ context.Context, parameters states.Data) (states.Data, error) { return parameters, nil }

// lambda answers as Lambda's Invoke does.
func lambda(context.Context, states.Data) (states.Data, error) {
	payload := states.Written([]byte(`{"ok": true, "amount": 12.50}`))
	return map[string]any{"ExecutedVersion": "7", "Payload": payload, "StatusCode": json.Number("200")}, nil
}

// result is how an execution ended.
type result struct {
	output  string // JSON
	err     error
	took    time.Duration
	visits  []states.Visit
	history []states.Event
}

// text returns the output, or the error after a mark.
func (r result) text() string {
	if r.err != nil {
		return "failed: " + r.err.Error()
	}
	return r.output
}

// world is the environment of a test's execution.
type world struct {
	*clock.Virtual
	tasks  tasks
	random func() float64
	before []states.Event // of an earlier attempt

	mu     sync.Mutex
	visits []states.Visit
}

func newWorld(do tasks) *world {
	w := &world{Virtual: clock.NewVirtual(noon), tasks: tasks{}, random: func() float64 { return 0.5 }}
	w.tasks["wait"] = w.wait
	maps.Copy(w.tasks, do)
	return w
}

// wait answers after the seconds in its parameters.
func (w *world) wait(ctx context.Context, parameters states.Data) (states.Data, error) {
	object, _ := states.ObjectOf(parameters)
	given, _ := object.Get("Seconds")
	seconds, err := given.(json.Number).Int64()
	if err != nil {
		return nil, err
	}
	return nil, w.Sleep(ctx, time.Duration(seconds)*time.Second)
}

// run executes a machine, and moves the clock whenever everybody is waiting for it. Call it in a synctest bubble.
func (w *world) run(ctx context.Context, m *states.Machine, input states.Data) result {
	var r result
	done := make(chan struct{})
	go func() {
		defer close(done)
		env := states.Environment{Clock: w, Random: w.random, Tasks: w.tasks, Observe: w.observe, History: func(e states.Event) { r.history = append(r.history, e) }}
		output, err := m.Run(ctx, env, states.Execution{
			ID: "arn:aws:states:us-east-1:123456789012:execution:trades:e-1", Name: "e-1",
			MachineID: "arn:aws:states:us-east-1:123456789012:stateMachine:trades", MachineName: "trades",
			RoleARN: "arn:aws:iam::123456789012:role/trades", Input: input, History: w.before,
		})
		r.err, r.took = err, w.Now().Sub(noon)
		if err == nil {
			r.output = string(states.AppendJSON(nil, output))
		}
	}()
	for synctest.Wait(); ; synctest.Wait() {
		select {
		case <-done:
			r.visits = w.visits
			return r
		default:
			if !w.AdvanceToNext() {
				panic("everybody waits, and nobody for the clock")
			}
		}
	}
}

func (w *world) observe(v states.Visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.visits = append(w.visits, v)
}

// run executes a definition in its own world.
func run(t *testing.T, definition, input string, do tasks) (r result) {
	t.Helper()
	m := compile(t, definition)
	document, err := states.NewDocument([]byte(input))
	if err != nil {
		t.Fatalf("the input %s: %v", input, err)
	}
	synctest.Test(t, func(t *testing.T) { r = newWorld(do).run(t.Context(), m, document) })
	return r
}
