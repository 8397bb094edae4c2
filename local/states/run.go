package states

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"trade-processing/local/clock"
)

// maxData is how many bytes the input or the result of a task and the output of a state may have.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxData = 256 << 10

// Tasks does the work of Task states. Many executions, and several branches of each, call it at once.
type Tasks interface {
	// Invoke calls an integration, such as arn:aws:states:::lambda:invoke, with the state's parameters. An error that
	// is a *Failure keeps its name; any other is States.TaskFailed. Its answer after ctx has ended is ignored.
	Invoke(ctx context.Context, resource string, parameters Data) (Data, error)
}

// Environment is what machines run in.
type Environment struct {
	Clock  clock.Clock
	Random func() float64 // in [0, 1), for jitter; safe for concurrent use
	Tasks  Tasks
	// Observe, if not nil, is called for every state that was left, by several branches at once, but not for one that
	// was stopped midway.
	Observe func(Visit)
	// History, if not nil, receives the execution's events in order, one at a time.
	History func(Event)
}

// Visit is one state that an execution passed.
type Visit struct {
	State   string
	Type    string
	Entered time.Time
	Left    time.Time
	Retries int
	Failure *Failure // why it failed, even if a Catch took over
}

// Execution is one run of a machine.
type Execution struct {
	ID          string // ARN
	Name        string
	MachineID   string // ARN
	MachineName string
	RoleARN     string
	Input       Data
	History     []Event // of an earlier attempt that didn't succeed, after which it goes on; see redrive
}

// Run executes the machine to its end and returns its output. The error is a *Failure, or the reason why ctx ended.
func (m *Machine) Run(ctx context.Context, env Environment, execution Execution) (Data, error) {
	r := &run{env: env, execution: &execution, started: env.Clock.Now()}
	limited, cancel := env.Clock.WithTimeout(ctx, m.timeout)
	defer cancel()
	s := &strand{}
	if len(execution.History) > 0 {
		s = r.redrive(execution.History)
	} else {
		r.note(&strand{}, Event{Type: "ExecutionStarted", Data: execution.Input}) // which the first state doesn't name as its previous one
	}
	output, err := r.graph(limited, m.graph, execution.Input, s)
	if timedOutWithin(ctx, limited) {
		failure := fail(TimedOut, "the execution took longer than %s", m.timeout)
		failure.Stopped = true
		output, err = nil, failure
	}
	r.noteEnd(ctx, s, output, err)
	return output, err
}

// timedOutWithin reports whether the inner context ended by its own timeout.
func timedOutWithin(outer, inner context.Context) bool {
	return outer.Err() == nil && errors.Is(inner.Err(), context.DeadlineExceeded)
}

// run is an execution in progress.
type run struct {
	env       Environment
	execution *Execution
	started   time.Time

	mu    sync.Mutex // branches note events at once
	noted int64      // events so far

	passed map[string][]passage // of an earlier attempt, by state
}

// graph runs states from the start to an end.
func (r *run) graph(ctx context.Context, g graph, input Data, events *strand) (Data, error) {
	data := input
	for s := g.start; ; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		output, next, err := r.state(ctx, s, data, events)
		if err != nil {
			return nil, err
		}
		if next == "" {
			return output, nil
		}
		s, data = g.states[next], output
	}
}

// state runs one state with its retries and catches, and returns where to go.
func (r *run) state(ctx context.Context, s *state, input Data, events *strand) (output Data, next string, err error) {
	if r.passed != nil {
		if output, next, passed := r.pass(s); passed {
			return output, next, nil
		}
	}
	visit := &Visit{State: s.name, Type: s.kind, Entered: r.env.Clock.Now()}
	r.note(events, Event{Type: s.entered, State: s.name, Data: input})
	var tried []int // retries by each retrier
	for {
		output, next, err = r.attempt(ctx, s, input, visit, events)
		if err == nil {
			r.left(visit, nil)
			r.note(events, Event{Type: s.exited, State: s.name, Data: output})
			return output, next, nil
		}
		failure, ok := failureOf(ctx, err)
		if !ok {
			return nil, "", context.Cause(ctx)
		}
		if tried == nil {
			tried = make([]int, len(s.retriers))
		}
		delay, again := r.retry(s, tried, failure)
		if !again {
			r.left(visit, failure)
			output, next, err = r.caught(s, input, failure)
			if err == nil {
				r.note(events, Event{Type: s.exited, State: s.name, Data: output})
			}
			return output, next, err
		}
		if err := r.env.Clock.Sleep(ctx, delay); err != nil {
			return nil, "", context.Cause(ctx)
		}
		visit.Retries++
	}
}

func (r *run) left(visit *Visit, failure *Failure) {
	if r.env.Observe == nil {
		return
	}
	visit.Left, visit.Failure = r.env.Clock.Now(), failure
	r.env.Observe(*visit)
}

// retry reports whether the first retrier that covers the failure has attempts left, and how long to wait.
func (r *run) retry(s *state, tried []int, failure *Failure) (time.Duration, bool) {
	for i, retrier := range s.retriers {
		if !matches(retrier.errors, failure) {
			continue
		}
		if tried[i] >= retrier.attempts {
			return 0, false
		}
		tried[i]++
		return retrier.delay(tried[i]-1, r.env.Random), true
	}
	return 0, false
}

// caught goes to the first catcher that covers the failure.
func (r *run) caught(s *state, input Data, failure *Failure) (Data, string, error) {
	for _, c := range s.catchers {
		if !matches(c.errors, failure) {
			continue
		}
		output, err := place(c.resultPath, input, failure.data())
		if err == nil {
			err = s.limit(output, "output")
		}
		return output, c.next, err
	}
	return nil, "", failure
}

// attempt runs a state once: its parameters from the input, its result through ResultSelector, ResultPath and
// OutputPath.
func (r *run) attempt(ctx context.Context, s *state, input Data, visit *Visit, events *strand) (Data, string, error) {
	in := scope{input: input, run: r, visit: visit}
	result, err := r.work(ctx, s, in, events)
	if err != nil {
		return nil, "", err
	}
	if s.selector != nil {
		in.input = result
		if result, err = s.selector.fill(in); err != nil {
			return nil, "", err
		}
	}
	if in.input, err = place(s.resultPath, input, result); err != nil {
		return nil, "", err
	}
	output, err := s.outputPath.fill(in)
	if err != nil {
		return nil, "", err
	}
	return output, s.next, s.limit(output, "output")
}

// place puts a result into the state's input; a null path drops it.
func place(p *path, input, result Data) (Data, error) {
	if p == nil {
		return input, nil
	}
	return p.set(input, result)
}

// limit fails an input, output or result with more bytes than Step Functions allows.
func (s *state) limit(data Data, what string) error {
	const escaped = 6 // bytes that a text's byte takes at most
	if estimate(data, escaped) <= maxData {
		return nil // without writing it
	}
	if n := len(Text(data)); n > maxData {
		return fail(DataLimitExceeded, "the %s of state %s has %d bytes; the limit is %d", what, s.name, n, maxData)
	}
	return nil
}

// work does the state's own work.
func (r *run) work(ctx context.Context, s *state, in scope, events *strand) (Data, error) {
	switch s.kind {
	case "Task":
		return r.task(ctx, s, in, events)
	case "Parallel":
		return r.parallel(ctx, s, in.input, events)
	default: // Fail
		return nil, s.failure(in)
	}
}

func (r *run) task(ctx context.Context, s *state, in scope, events *strand) (Data, error) {
	parameters := in.input
	if s.parameters != nil {
		var err error
		if parameters, err = s.parameters.fill(in); err != nil {
			return nil, err
		}
	}
	if err := s.limit(parameters, "input"); err != nil {
		return nil, err
	}
	r.note(events, Event{Type: "TaskScheduled", Resource: s.resource, Data: parameters})
	r.note(events, Event{Type: "TaskStarted", Resource: s.resource})
	limited, cancel := r.env.Clock.WithTimeout(ctx, s.timeout)
	defer cancel()
	result, err := r.env.Tasks.Invoke(limited, s.resource, parameters)
	late := timedOutWithin(ctx, limited)
	if late { // an answer that comes too late doesn't count
		err = fail(TimedOut, "state %s took longer than %s", s.name, s.timeout)
	}
	if err == nil {
		err = s.limit(result, "result")
	}
	if err == nil {
		r.note(events, Event{Type: "TaskSucceeded", Resource: s.resource, Data: result})
		return result, nil
	}
	if failure, ok := failureOf(ctx, err); ok {
		failed := Event{Type: "TaskFailed", Resource: s.resource, Failure: failure}
		if late {
			failed.Type = "TaskTimedOut"
		}
		r.note(events, failed)
	}
	return nil, err
}

// parallel runs the branches at once. The first failure stops the others and fails the state with its own error.
func (r *run) parallel(ctx context.Context, s *state, input Data, events *strand) (Data, error) {
	r.note(events, Event{Type: "ParallelStateStarted"})
	branching, stop := context.WithCancel(ctx)
	defer stop()
	results := make([]any, len(s.branches))
	strands := slices.Repeat([]strand{*events}, len(s.branches))
	var once sync.Once
	var first error
	one := func(i int) {
		result, err := r.graph(branching, s.branches[i], input, &strands[i])
		if err != nil {
			once.Do(func() { first = err })
			stop()
		}
		results[i] = result
	}
	ended := make([]chan struct{}, len(s.branches)-1)
	for i := range ended {
		ended[i] = make(chan struct{})
		clock.Go(r.env.Clock, func() {
			defer close(ended[i])
			one(i + 1)
		})
	}
	one(0) // on this goroutine: one less to start
	for _, branch := range ended {
		clock.Wait(r.env.Clock, branch)
	}
	for _, branch := range strands { // what follows follows from the last
		events.last = max(events.last, branch.last)
	}
	if first != nil {
		if failure, ok := failureOf(ctx, first); ok {
			r.note(events, Event{Type: "ParallelStateFailed", Failure: failure})
		}
		return nil, first
	}
	r.note(events, Event{Type: "ParallelStateSucceeded"})
	return results, nil
}

// failure is what a Fail state fails with.
func (s *state) failure(in scope) error {
	name, err := s.text(s.errorName, in)
	if err != nil {
		return err
	}
	cause, err := s.text(s.errorCause, in)
	if err != nil {
		return err
	}
	return &Failure{Name: name, Cause: cause}
}

func (s *state) text(from template, in scope) (string, error) {
	if from == nil {
		return "", nil
	}
	value, err := from.fill(in)
	if err != nil {
		return "", err
	}
	text, ok := open(value).(string)
	if !ok {
		return "", fail(RuntimeError, "state %s: its error or cause is not a text", s.name)
	}
	return text, nil
}
