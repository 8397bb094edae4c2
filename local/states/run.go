package states

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"trade-processing/local/clock"
)

// maxData is how many bytes a state's input or output may have.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxData = 256 << 10

// Tasks does the work of Task states.
type Tasks interface {
	// Invoke calls an integration, such as arn:aws:states:::lambda:invoke,
	// with the state's parameters. An error that is a *Failure keeps its name;
	// any other is States.TaskFailed.
	Invoke(ctx context.Context, resource string, parameters Data) (Data, error)
}

// Environment is what machines run in.
type Environment struct {
	Clock  clock.Clock
	Random func() float64 // in [0, 1), for jitter and UUIDs; safe for concurrent use
	Tasks  Tasks
	// Observe is told of every state that was left. Nil: nobody is.
	Observe func(Visit)
}

// Visit is one state that an execution passed.
type Visit struct {
	State   string
	Type    string
	Entered time.Time
	Left    time.Time
	Retries int
	Failure *Failure // why it failed, also when a Catch took over
}

// Execution is one run of a machine.
type Execution struct {
	ID          string // ARN
	Name        string
	MachineID   string // ARN
	MachineName string
	RoleARN     string
	Input       Data

	started time.Time
}

// Run executes the machine to its end and returns its output. The error is a
// *Failure, or the reason why ctx ended.
func (m *Machine) Run(ctx context.Context, env Environment, execution Execution) (Data, error) {
	execution.started = env.Clock.Now()
	r := &run{env: env, execution: &execution}
	if m.timeout == 0 {
		return r.graph(ctx, m.graph, execution.Input)
	}
	limited, cancel := env.Clock.WithTimeout(ctx, m.timeout)
	defer cancel()
	output, err := r.graph(limited, m.graph, execution.Input)
	if err != nil && timedOutWithin(ctx, limited) {
		return nil, fail(TimedOut, "the execution took longer than %s", m.timeout)
	}
	return output, err
}

// timedOutWithin tells whether the inner context ended by its own timeout.
func timedOutWithin(outer, inner context.Context) bool {
	return outer.Err() == nil && errors.Is(inner.Err(), context.DeadlineExceeded)
}

type run struct {
	env       Environment
	execution *Execution
}

// graph runs states from the start to an end.
func (r *run) graph(ctx context.Context, g graph, input Data) (Data, error) {
	data := input
	for s := g.start; ; {
		if stopped(ctx) {
			return nil, context.Cause(ctx)
		}
		output, next, err := r.state(ctx, s, data)
		if err != nil {
			return nil, err
		}
		if next == "" {
			return output, nil
		}
		s, data = g.states[next], output
	}
}

// state runs one state with its retries and catches, and tells where to go.
func (r *run) state(ctx context.Context, s *state, input Data) (output Data, next string, err error) {
	visit := Visit{State: s.name, Type: s.kind, Entered: r.env.Clock.Now()}
	var tried []int // attempts of each retrier
	for {
		output, next, err = r.attempt(ctx, s, input, visit)
		if err == nil {
			r.left(visit, nil)
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
		if again {
			if err := r.env.Clock.Sleep(ctx, delay); err != nil {
				return nil, "", context.Cause(ctx)
			}
			visit.Retries++
			continue
		}
		r.left(visit, failure)
		for _, c := range s.catchers {
			if matches(c.errors, failure) {
				output, err := place(c.resultPath, input, failure.data())
				return output, c.next, err
			}
		}
		return nil, "", failure
	}
}

func (r *run) left(visit Visit, failure *Failure) {
	if r.env.Observe == nil {
		return
	}
	visit.Left, visit.Failure = r.env.Clock.Now(), failure
	r.env.Observe(visit)
}

// retry tells whether a retrier covers the failure and has attempts left, and
// how long to wait.
func (r *run) retry(s *state, tried []int, failure *Failure) (time.Duration, bool) {
	for i, retrier := range s.retriers {
		if !matches(retrier.errors, failure) {
			continue
		}
		if tried[i] >= retrier.attempts {
			return 0, false
		}
		delay := float64(retrier.interval) * math.Pow(retrier.rate, float64(tried[i]))
		if retrier.cap > 0 {
			delay = min(delay, float64(retrier.cap))
		}
		if retrier.jitter {
			delay *= r.env.Random()
		}
		tried[i]++
		return time.Duration(min(delay, float64(math.MaxInt64/2))), true
	}
	return 0, false
}

// attempt runs a state once: input shaped by InputPath and Parameters, the
// result by ResultSelector and ResultPath, the output by OutputPath.
func (r *run) attempt(ctx context.Context, s *state, raw Data, visit Visit) (Data, string, error) {
	in := scope{input: raw, random: r.env.Random, context: func() Data { return r.context(visit) }}
	input, err := pick(s.inputPath, in)
	if err != nil {
		return nil, "", err
	}
	in.input = input
	if s.parameters != nil {
		if input, err = s.parameters.fill(in); err != nil {
			return nil, "", err
		}
	}
	result, next, err := r.work(ctx, s, input, in)
	if err != nil {
		return nil, "", err
	}
	if s.selector != nil {
		if result, err = s.selector.fill(scope{input: result, random: in.random, context: in.context}); err != nil {
			return nil, "", err
		}
	}
	output := result
	if s.shapesResult() {
		if output, err = place(s.resultPath, raw, result); err != nil {
			return nil, "", err
		}
	}
	in.input = output
	if output, err = pick(s.outputPath, in); err != nil {
		return nil, "", err
	}
	if n := size(output); n > maxData {
		return nil, "", fail(DataLimitExceeded, "the output of state %s has about %d bytes; the limit is %d", s.name, n, maxData)
	}
	return output, next, nil
}

func (s *state) shapesResult() bool {
	return s.kind == "Task" || s.kind == "Parallel" || s.kind == "Pass"
}

// pick follows a path from the scope; a null path gives an empty object.
func pick(p *path, s scope) (Data, error) {
	switch {
	case p == nil:
		return map[string]any{}, nil
	case len(p.steps) == 0 && !p.context:
		return s.input, nil
	}
	value, found := p.get(s.root(*p))
	if !found {
		return nil, fail(RuntimeError, "the path %s is not there", p.text)
	}
	return value, nil
}

// place puts a result into the state's input; a null path drops it.
func place(p *path, input, result Data) (Data, error) {
	if p == nil {
		return input, nil
	}
	return p.set(input, result)
}

// work does what the state is for.
func (r *run) work(ctx context.Context, s *state, input Data, in scope) (Data, string, error) {
	switch s.kind {
	case "Task":
		result, err := r.task(ctx, s, input)
		return result, s.next, err
	case "Parallel":
		result, err := r.parallel(ctx, s, input)
		return result, s.next, err
	case "Pass":
		if s.hasResult {
			return s.result, s.next, nil
		}
		return input, s.next, nil
	case "Choice":
		next, err := choose(s, in)
		return input, next, err
	case "Wait":
		return input, s.next, r.wait(ctx, s, in)
	case "Fail":
		return nil, "", s.failure(in)
	default: // Succeed
		return input, "", nil
	}
}

func (r *run) task(ctx context.Context, s *state, input Data) (Data, error) {
	if n := size(input); n > maxData {
		return nil, fail(DataLimitExceeded, "the input of state %s has about %d bytes; the limit is %d", s.name, n, maxData)
	}
	limited, cancel := r.env.Clock.WithTimeout(ctx, s.timeout)
	defer cancel()
	result, err := r.env.Tasks.Invoke(limited, s.resource, input)
	if err != nil && timedOutWithin(ctx, limited) {
		return nil, fail(TimedOut, "state %s took longer than %s", s.name, s.timeout)
	}
	return result, err
}

// parallel runs the branches at once. The first that fails stops the others
// and fails the state with its own error.
func (r *run) parallel(ctx context.Context, s *state, input Data) (Data, error) {
	branching, stop := context.WithCancel(ctx)
	defer stop()
	results := make([]any, len(s.branches))
	var once sync.Once
	var first error
	one := func(i int) {
		result, err := r.graph(branching, s.branches[i], input)
		if err != nil {
			once.Do(func() { first = err })
			stop()
		}
		results[i] = result
	}
	var running sync.WaitGroup
	for i := range s.branches[1:] {
		running.Go(func() { one(i + 1) })
	}
	one(0) // on this goroutine: a branch less to start
	running.Wait()
	if first != nil {
		return nil, first
	}
	return results, nil
}

func choose(s *state, in scope) (string, error) {
	for _, c := range s.choices {
		holds, err := c.test(in)
		if err != nil {
			return "", &Failure{Name: RuntimeError, Cause: err.Error()}
		}
		if holds {
			return c.next, nil
		}
	}
	if s.defaultChoice == "" {
		return "", fail(NoChoiceMatched, "no rule of state %s matched, and it has no Default", s.name)
	}
	return s.defaultChoice, nil
}

func (r *run) wait(ctx context.Context, s *state, in scope) error {
	delay := s.wait.seconds
	until := s.wait.until
	switch {
	case s.wait.secondsPath != nil:
		value, err := s.wait.secondsPath.fill(in)
		if err != nil {
			return err
		}
		n, ok := number(value)
		if !ok || n < 0 || n > defaultTaskTimeout.Seconds() {
			return fail(RuntimeError, "state %s can't wait for %s seconds", s.name, AppendJSON(nil, value))
		}
		delay = time.Duration(n * float64(time.Second))
	case s.wait.timestampPath != nil:
		value, err := s.wait.timestampPath.fill(in)
		if err != nil {
			return err
		}
		at, ok := timestamp(open(value))
		if !ok {
			return fail(RuntimeError, "state %s can't wait until %s", s.name, AppendJSON(nil, value))
		}
		until = at
	}
	if !until.IsZero() {
		delay = until.Sub(r.env.Clock.Now())
	}
	return r.env.Clock.Sleep(ctx, delay)
}

func (s *state) failure(in scope) error {
	failure := &Failure{Name: s.fail.name, Cause: s.fail.cause}
	for _, dynamic := range []struct {
		from template
		into *string
	}{{s.fail.namePath, &failure.Name}, {s.fail.causePath, &failure.Cause}} {
		if dynamic.from == nil {
			continue
		}
		value, err := dynamic.from.fill(in)
		if err != nil {
			return err
		}
		text, ok := open(value).(string)
		if !ok {
			return fail(RuntimeError, "state %s: the error or cause is no text", s.name)
		}
		*dynamic.into = text
	}
	return failure
}

// context is the context object as a state sees it.
func (r *run) context(visit Visit) Data {
	const layout = "2006-01-02T15:04:05.000Z"
	e := r.execution
	return map[string]any{
		"Execution": map[string]any{
			"Id": e.ID, "Name": e.Name, "Input": e.Input, "RoleArn": e.RoleARN,
			"StartTime": e.started.UTC().Format(layout),
		},
		"State": map[string]any{
			"Name": visit.State, "EnteredTime": visit.Entered.UTC().Format(layout), "RetryCount": json.Number(strconv.Itoa(visit.Retries)),
		},
		"StateMachine": map[string]any{"Id": e.MachineID, "Name": e.MachineName},
	}
}
