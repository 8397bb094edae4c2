package cloud

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/disk"
	"trade-processing/local/states"
)

// The statuses of executions. https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
const (
	Running   = "RUNNING"
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
	TimedOut  = "TIMED_OUT"
	Stopped   = "ABORTED"
)

// Execution is one that the cloud remembers.
type Execution struct {
	ARN, Name string
	Machine   string // ARN
	Version   string // ARN of the version that ran; empty if the machine publishes none
	Alias     string // ARN of the alias that was started; empty if it was none
	Trace     string // its X-Ray header
	Started   time.Time

	input *states.Document
	stop  context.CancelCauseFunc

	number uint64 // in the folder

	mu      sync.Mutex
	kept    bool // in the folder
	changed bool // since it was kept
	ended   time.Time
	status  string
	output  []byte
	failure *states.Failure
	writing *writer // of its history, until it has ended
	saved   string  // from then on: see finish

	redrives int
	redriven time.Time // the last time
}

// Outcome is what became of an execution so far.
type Outcome struct {
	Status  string
	Ended   time.Time // the zero time while it runs
	Output  []byte    // JSON, if it succeeded
	Failure *states.Failure

	Redrives int
	Redriven time.Time // the last time; the zero time if it never was
}

// Input returns the execution's input.
func (e *Execution) Input() []byte { return e.input.JSON() }

// Outcome says what became of it so far.
func (e *Execution) Outcome() Outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Outcome{e.status, e.ended, e.output, e.failure, e.redrives, e.redriven}
}

// History returns its events so far.
func (e *Execution) History() []states.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.saved == "" {
		r := reader{rest: bytes.Clone(e.writing.b)}
		return r.events()
	}
	_, events, _ := readExecution(e.saved) // which was written here, or read already
	return events
}

func (e *Execution) note(event states.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writing.event(event)
}

func (e *Execution) end(at time.Time, status string, output []byte, failure *states.Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended, e.status, e.output, e.failure = at, status, output, failure
	e.saved, e.writing = e.finish(e.writing), nil
}

// executions are the remembered ones: those that run, and the last that ended.
type executions struct {
	keep int // how many

	mu    sync.RWMutex
	byARN map[string]*Execution
	order []*Execution // by their start
	last  uint64       // number
	gone  []disk.Change
}

func (x *executions) add(e *Execution) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byARN == nil {
		x.byARN = map[string]*Execution{}
	}
	x.last++
	e.number = x.last
	x.byARN[e.ARN] = e
	x.order = append(x.order, e)
	if len(x.order) < x.keep+x.keep/8 {
		return
	}
	forget := len(x.order) - x.keep // many at a time, which is cheaper
	x.order = slices.DeleteFunc(x.order, func(old *Execution) bool {
		if forget == 0 || old.Outcome().Status == Running {
			return false
		}
		forget--
		delete(x.byARN, old.ARN)
		if old.kept {
			x.gone = append(x.gone, disk.Change{Key: old.key(), Delete: true})
		}
		return true
	})
}

// Executions lists the remembered executions of a state machine, the newest first.
func (c *Cloud) Executions(machineARN string) []*Execution {
	c.executions.mu.RLock()
	defer c.executions.mu.RUnlock()
	var found []*Execution
	for _, e := range slices.Backward(c.executions.order) {
		if e.Machine == machineARN {
			found = append(found, e)
		}
	}
	return found
}

// Execution finds a remembered execution.
func (c *Cloud) Execution(arn string) (*Execution, bool) {
	c.executions.mu.RLock()
	defer c.executions.mu.RUnlock()
	e, found := c.executions.byARN[arn]
	return e, found
}

// Stop ends an execution that runs, as StopExecution does.
func (e *Execution) Stop(name, cause string) {
	e.mu.Lock()
	stop := e.stop
	e.mu.Unlock()
	stop(&states.Failure{Name: name, Cause: cause, Stopped: true})
}

// remember begins to remember an execution, if any are.
func (c *Cloud) remember(ctx context.Context, m *machine, by start, name string, input *states.Document, at time.Time) (context.Context, *Execution) {
	if c.executions.keep == 0 || m.express {
		return ctx, nil
	}
	ctx, stop := context.WithCancelCause(ctx)
	if by.again != nil {
		by.again.mu.Lock()
		defer by.again.mu.Unlock()
		by.again.stop = stop
		return ctx, by.again
	}
	e := &Execution{
		ARN: executionARN(m.arn, name), Name: name, Machine: m.arn, Trace: by.trace, Started: at, input: input, stop: stop, status: Running, writing: newWriter(),
	}
	if r, found := c.Read(MachineType, strings.Split(m.arn, ":")[3], m.arn); found {
		e.Version = r.Outputs.text("stateMachineVersionArn")
	}
	if qualifier := strings.TrimPrefix(by.called, m.arn+":"); qualifier != by.called && by.called != e.Version {
		e.Alias = by.called
	}
	c.executions.add(e)
	return ctx, e
}

// redrivable is how long after its end an execution can be redriven.
const redrivable = 14 * 24 * time.Hour

// Redrivable says why an execution can't be redriven; empty if it can.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
func (c *Cloud) Redrivable(e *Execution) string {
	switch now := e.Outcome(); {
	case now.Status == Running || now.Status == Succeeded:
		return "Execution is " + now.Status + " and cannot be redriven."
	case c.clock.Now().Sub(now.Ended) > redrivable:
		return "Execution redrivable period exceeded."
	}
	return ""
}

// Redrive goes on with an execution that didn't succeed, from where it stopped, and waits for its end. The error is
// ExecutionNotRedrivable, an Unsupported, or the reason why ctx ended.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
func (c *Cloud) Redrive(ctx context.Context, e *Execution) (Delivery, error) {
	on, err := c.live.machines.get(e.Machine)
	if err != nil {
		return Delivery{}, err
	}
	if r, found := c.Read(MachineType, strings.Split(e.Machine, ":")[3], e.Machine); !found || r.Outputs.text("stateMachineVersionArn") != e.Version {
		return Delivery{}, &awsapi.Unsupported{Operation: "RedriveExecution", Feature: "an execution of an earlier version of its state machine, which isn't kept here"}
	}
	c.executions.mu.Lock()
	if why := c.Redrivable(e); why != "" {
		c.executions.mu.Unlock()
		return Delivery{}, awsapi.Error("ExecutionNotRedrivable", "%s", why)
	}
	e.reopen(e.History(), c.clock.Now())
	c.executions.mu.Unlock()
	called := e.Machine
	if e.Alias != "" {
		called = e.Alias
	}
	var delivery Delivery
	err = c.conclude(ctx, on, start{called: called, name: e.Name, trace: e.Trace, again: e}, e.input, &delivery)
	return delivery, err
}

// reopen has an execution run again.
func (e *Execution) reopen(history []states.Event, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status, e.ended, e.output, e.failure = Running, time.Time{}, nil, nil
	e.writing, e.saved, e.changed = newWriter(), "", true
	for _, event := range history {
		e.writing.event(event)
	}
	e.redrives, e.redriven = e.redrives+1, at
}

func (e *Execution) key() string {
	return executionKeys + string(binary.BigEndian.AppendUint64(nil, e.number))
}

// unkept returns what the folder doesn't have yet of an execution that has ended; empty if it has all.
func (e *Execution) unkept() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.status == Running || e.kept && !e.changed {
		return ""
	}
	e.kept, e.changed = true, false
	return e.saved
}

// saveExecutions writes down those that have ended, removes what is forgotten, and returns how many it wrote.
func (c *Cloud) saveExecutions() (saved int) {
	x := &c.executions
	x.mu.Lock()
	changes := x.gone
	x.gone = nil
	for _, e := range x.order {
		if text := e.unkept(); text != "" {
			changes, saved = append(changes, disk.Change{Key: e.key(), Value: text}), saved+1
		}
	}
	x.mu.Unlock()
	for some := range slices.Chunk(changes, 64) {
		c.write(some...)
	}
	return saved
}

// restoreExecutions brings back those that the folder has.
func (c *Cloud) restoreExecutions() error {
	for key, value := range c.disk.Scan(executionKeys, after(executionKeys), false) {
		e, _, err := readExecution(value)
		if err != nil {
			return fmt.Errorf("reading execution %q: %w", key, err)
		}
		c.executions.last = binary.BigEndian.Uint64([]byte(key[len(executionKeys):])) - 1
		c.executions.add(e)
	}
	return nil
}

func executionARN(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}
