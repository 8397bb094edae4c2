package cloud

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/states"
)

// What a cloud has in its folder, beside the tables' items and the queues' messages.
const (
	resourceKeys  = "resource/"
	eventKeys     = "event/"
	executionKeys = "ended/"
	stateKey      = "state"
	formatKey     = "format"
)

// format is how all of that is written. Another one is for whoever changes it.
const format = "3"

// after follows all keys that begin with one of these.
func after(keys string) string { return keys + "\xff" }

// How many events Later delivers at once: those whose executions wait before a retry, and those that work. More would
// only make each slower, until its timeout.
const (
	MostAtOnce  = 4096
	mostWorking = 64
)

// The executions that have ended are written down every keepExecutions, but not so many that there is a keepOne for each.
// When thousands end in a second, of which only the last are remembered, most never are.
const (
	keepExecutions = time.Second
	keepOne        = time.Millisecond
)

// durable is what a cloud in a folder has besides. A cloud in memory has none of it.
type durable struct {
	disk      *disk.Store
	restoring bool
	abandoned map[key]bool // what a killed deployment has created; with the resources' lock

	mu     sync.Mutex
	number uint64               // of the last event
	events map[uint64]*Accepted // by number: what an earlier process left
	over   []disk.Change        // forget events that were delivered

	running context.Context // ends with the cloud
	stop    context.CancelFunc
	working sync.WaitGroup
	slots   chan struct{} // taken by what Later delivers
	waiting chan job      // of that, what hasn't begun
	desks   chan struct{} // taken by what works
}

// job is an event that Later delivers.
type job struct {
	event *Accepted
	done  func(Receipt)
}

// atDesk marks the context of an event that takes a desk.
type atDesk struct{}

// restful is a clock on which who sleeps leaves his desk to others.
type restful struct {
	clock.Clock
	cloud *Cloud
}

func (r restful) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Value(atDesk{}) == nil || d <= 0 {
		return r.Clock.Sleep(ctx, d)
	}
	r.cloud.forgetDelivered()
	select {
	case <-r.cloud.desks:
		r.cloud.hire()
		defer func() { r.cloud.desks <- struct{}{} }()
	default: // another branch of its execution has left it already
	}
	return r.Clock.Sleep(ctx, d)
}

// Open returns the cloud in a folder, which is empty at first and remembers everything: its resources, the engine's
// state (State), the items of its tables in all regions, its queues' messages, parameters, the accepted events that haven't been
// delivered, its archives' events and replays, what calls noted, and the last executions (Options.Executions). Metrics, alarms' histories and
// logs aren't kept, and nor are the executions that ended in the last second before a kill, or in the last ten while
// thousands end in each.
//
// What was done is durable after Sync: Create, Update, Delete, SetState and PutEvent call it before they return. Whoever
// answers somebody else's call calls it before the answer; calls at the same time share one fsync.
//
// An event is accepted by Accept, and durable after Keep and Sync; Later delivers it while the caller goes on. If the process
// ends in between, by whatever means, Unfinished has it after the next Open, and Later delivers it again: at least
// once, as EventBridge does.
func Open(folder string, options Options) (*Cloud, error) {
	on, err := disk.Open(folder, options.Fatal)
	if err != nil {
		return nil, err
	}
	options.Archive = false // in memory
	c := New(options)
	c.disk, c.archived, c.events = on, on, map[uint64]*Accepted{}
	c.slots, c.waiting, c.desks = make(chan struct{}, MostAtOnce), make(chan job, MostAtOnce), make(chan struct{}, mostWorking)
	c.running, c.stop = context.WithCancel(context.Background())
	err = c.readFormat()
	if err == nil {
		err = c.restore()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the cloud in %s: %w", folder, err), on.Close())
	}
	c.working.Go(func() {
		for pause := keepExecutions; c.clock.Sleep(c.running, pause) == nil; {
			pause = max(keepExecutions, time.Duration(c.saveExecutions())*keepOne)
		}
	})
	return c, nil
}

// Close stops what Later delivers, which goes on after the next Open, and closes the folder; or it removes a temporary
// one. Nobody may use the cloud any more.
func (c *Cloud) Close() error {
	if c.disk == nil {
		var problems []error
		for _, on := range []*disk.Store{c.archived, c.spilt.Load()} {
			if on != nil {
				problems = append(problems, on.Close())
			}
		}
		return errors.Join(problems...)
	}
	c.stop()
	c.working.Wait()
	c.forgetDelivered()
	c.saveExecutions()
	c.disk.Sync()
	return c.disk.Close()
}

// Sync returns when everything done so far is durable; at once for a cloud in memory.
func (c *Cloud) Sync() {
	if c.disk != nil {
		c.disk.Sync()
	}
}

// Durable reports whether the cloud is in a folder.
func (c *Cloud) Durable() bool { return c.disk != nil }

// State returns what SetState kept, if anything: the engine's state of what is deployed here.
func (c *Cloud) State() ([]byte, bool) {
	state, there := c.disk.Get(stateKey)
	return []byte(state), there
}

// SetState keeps the engine's state in the cloud's folder, of a deployment that was completed or wasn't.
func (c *Cloud) SetState(state []byte, completed bool) {
	c.write(disk.Change{Key: stateKey, Value: string(state)})
	if completed {
		c.SetNote(deployingNote, nil)
		c.mu.Lock()
		c.abandoned = nil
		c.mu.Unlock()
	}
	c.Sync()
}

const deployingNote = "deploying since"

// Deploying begins a deployment, while which nobody else uses the cloud. If one before it was killed, no state has what that
// created last, and this one's creations take it over.
func (c *Cloud) Deploying() {
	var since time.Time
	if !c.Note(deployingNote, &since) {
		c.SetNote(deployingNote, c.clock.Now())
		c.Sync()
		return
	}
	all := c.Resources()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abandoned = map[key]bool{}
	for _, r := range all {
		c.abandoned[r.key()] = !r.Created.Before(since)
	}
}

// takeOver returns an abandoned resource with the id of a new one, as the new one, if there is any that can be changed into it.
func (c *Cloud) takeOver(k kind, r *Resource) (*Resource, error) {
	c.mu.Lock()
	abandoned := c.abandoned[r.key()]
	delete(c.abandoned, r.key())
	c.mu.Unlock()
	old, found := c.Read(r.Type, r.Region, r.ID)
	if !abandoned || !found {
		return nil, nil
	}
	for _, property := range strings.Fields(k.replaces) {
		if !reflect.DeepEqual(old.Inputs[property], r.Inputs[property]) {
			return nil, c.Delete(r.Type, r.Region, r.ID)
		}
	}
	return c.Update(r.Type, r.Region, r.ID, r.Inputs)
}

func (c *Cloud) write(changes ...disk.Change) {
	if c.disk != nil && len(changes) > 0 {
		c.disk.Write(changes...)
	}
}

func (k key) text() string { return resourceKeys + k.typ + "\x00" + k.region + "\x00" + k.id }

// record writes down a resource. The caller holds the lock.
func (c *Cloud) record(r *Resource) {
	c.resources[r.key()] = r
	c.access.Store(nil)
	if c.disk != nil {
		text, _ := json.Marshal(r.saved()) // plain values
		c.write(disk.Change{Key: r.key().text(), Value: string(text)})
	}
}

// forget removes a resource from the record. The caller holds the lock.
func (c *Cloud) forget(k key) {
	delete(c.resources, k)
	c.access.Store(nil)
	c.write(disk.Change{Key: k.text(), Delete: true})
}

// readFormat refuses a folder that was written in another format.
func (c *Cloud) readFormat() error {
	was, there := c.disk.Get(formatKey)
	if there && was == format {
		return nil
	}
	for range c.disk.Scan("\x00", "\xff", false) { // Pebble takes no empty bound when it checks itself
		return errors.New("it was written by another version of tradectl, and can't be read by this one; `tradectl local down --wipe` removes it")
	}
	c.write(disk.Change{Key: formatKey, Value: format})
	return nil
}

// restore brings back what the folder has.
func (c *Cloud) restore() error {
	var saved []savedResource
	for key, value := range c.disk.Scan(resourceKeys, after(resourceKeys), false) {
		var s savedResource
		if err := json.Unmarshal([]byte(value), &s); err != nil {
			return fmt.Errorf("reading %q: %w", key, err)
		}
		saved = append(saved, s)
	}
	slices.SortFunc(saved, func(a, b savedResource) int { return a.Order - b.Order })
	c.restoring = true
	if err := errors.Join(c.restoreNotes(), c.revive(saved)); err != nil {
		return err
	}
	c.restoring = false
	for key, value := range c.disk.Scan(eventKeys, after(eventKeys), false) {
		a, err := readAccepted(value)
		if err != nil {
			return fmt.Errorf("reading event %q: %w", key, err)
		}
		a.number = binary.BigEndian.Uint64([]byte(key[len(eventKeys):]))
		c.number, c.events[a.number] = a.number, a
	}
	return errors.Join(c.restoreReplays(), c.restoreExecutions())
}

// Accepted is an event that a bus has taken.
type Accepted struct {
	ID     string
	region string
	bus    string // ARN
	trace  string
	event  *event   // nil if nobody is there to get it
	number uint64   // in the folder, and in archives
	filed  bool     // in the archives of its bus
	replay string   // name of the replay that sends it again
	rules  []string // ARNs of those that a replay is for; none: all
}

// savedEvent is before a line end and the document.
type savedEvent struct {
	ID, Region, Bus, Trace string
	Replay                 string   `json:",omitempty"`
	Rules                  []string `json:",omitempty"`
}

func eventKey(number uint64) string {
	return eventKeys + string(binary.BigEndian.AppendUint64(nil, number))
}

// Keep writes down accepted events, all or none, until they are delivered.
func (c *Cloud) Keep(accepted ...*Accepted) {
	if c.disk == nil && c.archived == nil {
		return
	}
	changes := make([]disk.Change, 0, len(accepted))
	for _, a := range accepted {
		if a.event == nil {
			continue
		}
		c.durable.mu.Lock()
		c.number++
		a.number = c.number
		c.durable.mu.Unlock()
		line, _ := json.Marshal(savedEvent{a.ID, a.region, a.bus, a.trace, a.replay, a.rules}) // strings
		changes = append(changes, disk.Change{Key: eventKey(a.number), Value: string(line) + "\n" + string(a.event.document.JSON())})
		if on, absent := c.live.buses.get(a.bus); absent == nil && c.disk != nil && c.faults == nil && c.keepable(a) == nil {
			changes, a.filed = append(changes, c.file(on, a)...), true
		}
	}
	c.write(changes...)
}

// delivered forgets an event, together with others if more wait. The change is durable no sooner than what its executions did.
func (c *Cloud) delivered(a *Accepted) {
	if a.number == 0 || c.disk == nil {
		return
	}
	c.durable.mu.Lock()
	c.over = append(c.over, disk.Change{Key: eventKey(a.number), Delete: true})
	more := len(c.over) < 32 && len(c.waiting) > 0
	c.durable.mu.Unlock()
	if !more {
		c.forgetDelivered()
	}
}

func (c *Cloud) forgetDelivered() {
	c.durable.mu.Lock()
	over := c.over
	c.over = nil
	c.durable.mu.Unlock()
	c.write(over...)
}

func readAccepted(text string) (*Accepted, error) {
	line, document, _ := bytes.Cut([]byte(text), []byte("\n"))
	var s savedEvent
	if err := json.Unmarshal(line, &s); err != nil {
		return nil, err
	}
	read, err := readEvent(document)
	if err != nil {
		return nil, err
	}
	return &Accepted{ID: s.ID, region: s.Region, bus: s.Bus, trace: s.Trace, replay: s.Replay, rules: s.Rules, event: read}, nil
}

// readEvent reads an event that was kept.
func readEvent(document []byte) (*event, error) {
	read, err := states.NewDocument(document)
	if err != nil {
		return nil, err
	}
	envelope, _ := read.Data().(map[string]any) // an envelope always is an object
	id, _ := envelope["id"].(string)
	return &event{id: id, document: read, envelope: envelope}, nil
}

// Unfinished lists the accepted events whose delivery an earlier process hadn't ended, in order of their acceptance, and
// forgets the list.
func (c *Cloud) Unfinished() []*Accepted {
	c.durable.mu.Lock()
	defer c.durable.mu.Unlock()
	var left []*Accepted
	for _, a := range c.events {
		left = append(left, a)
	}
	clear(c.events)
	slices.SortFunc(left, func(a, b *Accepted) int { return int(int64(a.number - b.number)) })
	return left
}

// Later delivers an event of a cloud in a folder while the caller goes on, and then calls done, if it was delivered. It
// waits while MostAtOnce others are on their way.
func (c *Cloud) Later(a *Accepted, done func(Receipt)) {
	select {
	case c.slots <- struct{}{}:
	case <-c.running.Done():
		return // the next process delivers it
	}
	c.working.Add(1)
	c.waiting <- job{a, done}
	c.hire()
}

// hire has what waits done at a free desk. If there is none, those at the desks see to it.
func (c *Cloud) hire() {
	if len(c.waiting) == 0 {
		return
	}
	select {
	case c.desks <- struct{}{}:
		clock.Go(c.clock, c.work)
	default:
	}
}

// work delivers what waits, until nothing does. After each, who comes back from a rest has the desk first.
func (c *Cloud) work() {
	for {
		select {
		case next := <-c.waiting:
			c.do(next)
		default:
		}
		<-c.desks
		if len(c.waiting) == 0 {
			return
		}
		select {
		case c.desks <- struct{}{}:
		default:
			return
		}
	}
}

func (c *Cloud) do(what job) {
	defer c.working.Done()
	defer func() { <-c.slots }()
	if c.running.Err() != nil {
		return // the next process delivers it
	}
	if receipt, err := c.Deliver(context.WithValue(c.running, atDesk{}, true), what.event); err == nil && what.done != nil {
		what.done(receipt)
	}
}
