package cloud

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

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
	ended   time.Time
	status  string
	output  []byte
	failure *states.Failure
	events  []states.Event // until it has ended
	saved   []byte         // from then on: see text
}

// Outcome is what became of an execution so far.
type Outcome struct {
	Status  string
	Ended   time.Time // the zero time while it runs
	Output  []byte    // JSON, if it succeeded
	Failure *states.Failure
}

// Input returns the execution's input.
func (e *Execution) Input() []byte { return e.input.JSON() }

// Outcome says what became of it so far.
func (e *Execution) Outcome() Outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Outcome{e.status, e.ended, e.output, e.failure}
}

// History returns its events so far.
func (e *Execution) History() []states.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.saved == nil {
		return slices.Clip(e.events)
	}
	_, events, _ := readExecution(e.saved) // which was written here, or read already
	return events
}

func (e *Execution) note(event states.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, event)
}

func (e *Execution) end(at time.Time, status string, output []byte, failure *states.Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended, e.status, e.output, e.failure = at, status, output, failure
	e.saved, e.events = e.text(), nil
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
	e.stop(&states.Failure{Name: name, Cause: cause, Stopped: true})
}

// remember begins to remember an execution, if any are.
func (c *Cloud) remember(ctx context.Context, m *machine, by start, name string, input *states.Document, at time.Time) (context.Context, *Execution) {
	if c.executions.keep == 0 || m.express {
		return ctx, nil
	}
	ctx, stop := context.WithCancelCause(ctx)
	e := &Execution{
		ARN: executionARN(m.arn, name), Name: name, Machine: m.arn, Trace: by.trace, Started: at, input: input, stop: stop, status: Running,
	}
	if r, found := c.Read(machineType, strings.Split(m.arn, ":")[3], m.arn); found {
		e.Version = r.Outputs.text("stateMachineVersionArn")
	}
	if qualifier := strings.TrimPrefix(by.called, m.arn+":"); qualifier != by.called && by.called != e.Version {
		e.Alias = by.called
	}
	c.executions.add(e)
	return ctx, e
}

func (e *Execution) key() string {
	return executionKeys + string(binary.BigEndian.AppendUint64(nil, e.number))
}

// saveExecutions writes down those that have ended, removes what is forgotten, and returns how many it wrote.
func (c *Cloud) saveExecutions() int {
	x := &c.executions
	x.mu.Lock()
	gone := x.gone
	x.gone = nil
	var ended []*Execution
	for _, e := range x.order {
		if !e.kept && e.Outcome().Status != Running {
			e.kept = true
			ended = append(ended, e)
		}
	}
	x.mu.Unlock()
	c.write(gone...)
	for _, e := range ended {
		c.write(disk.Change{Key: e.key(), Value: string(e.saved)})
	}
	return len(ended)
}

// restoreExecutions brings back those that the folder has.
func (c *Cloud) restoreExecutions() error {
	for key, value := range c.disk.Scan(executionKeys, after(executionKeys), false) {
		e, _, err := readExecution([]byte(value))
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
