package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"trade-processing/local/clock"
)

// Alarms evaluates the alarms of one account and region. It is safe for concurrent use.
type Alarms struct {
	store *Store
	clock clock.Clock

	mu        sync.Mutex
	metric    map[string]*evaluation
	composite map[string][]string // the metric alarms that each depends on
	status    map[string]Status
	wentOff   []Change
}

// Status is an alarm's state and why.
type Status struct {
	Alarm  string
	State  State
	Reason string
	Since  time.Time // when it changed into this state; the zero time if it never did
}

// Change is an alarm's change into ALARM.
type Change struct {
	Alarm  string
	At     time.Time
	Reason string
}

// maxHistory limits the number of changes kept, for a simulation of many days; the oldest go first.
const maxHistory = 10_000

// NewAlarms returns an empty set of alarms over a store.
func NewAlarms(store *Store, c clock.Clock) *Alarms {
	return &Alarms{
		store: store, clock: c,
		metric: map[string]*evaluation{}, composite: map[string][]string{}, status: map[string]Status{},
	}
}

// Put creates or replaces a metric alarm. A new one has insufficient data; a replaced one keeps its state until it is
// evaluated.
func (a *Alarms) Put(alarm Alarm) error {
	e, err := alarm.evaluation()
	if err != nil {
		return err
	}
	if err := a.store.check(alarm.Namespace, alarm.Metric); err != nil {
		return fmt.Errorf("alarm %q: %w", alarm.Name, err)
	}
	if other := alarm.Without; other != nil {
		if err := a.store.check(other.Namespace, other.Name); err != nil {
			return fmt.Errorf("alarm %q: %w", alarm.Name, err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, taken := a.composite[alarm.Name]; taken {
		return fmt.Errorf("alarm %q: a composite alarm has that name", alarm.Name)
	}
	a.metric[alarm.Name] = e
	a.begin(alarm.Name)
	return nil
}

// PutComposite creates or replaces a composite alarm, whose rule may only name metric alarms that exist.
func (a *Alarms) PutComposite(alarm CompositeAlarm) error {
	needs, err := alarm.alarms()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, taken := a.metric[alarm.Name]; taken {
		return fmt.Errorf("composite alarm %q: a metric alarm has that name", alarm.Name)
	}
	for _, name := range needs {
		if _, exists := a.metric[name]; !exists {
			return fmt.Errorf("composite alarm %q: its rule names %q, but there is no such metric alarm", alarm.Name, name)
		}
	}
	a.composite[alarm.Name] = needs
	a.begin(alarm.Name)
	return nil
}

func (a *Alarms) begin(name string) {
	if _, exists := a.status[name]; !exists {
		a.status[name] = Status{Alarm: name, State: InsufficientData, Reason: "Unchecked: Initial alarm creation"}
	}
}

// Delete removes an alarm of either kind, unless a composite alarm depends on it. It is not an error if the alarm
// doesn't exist.
func (a *Alarms) Delete(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, other := range slices.Sorted(maps.Keys(a.composite)) {
		if slices.Contains(a.composite[other], name) {
			return fmt.Errorf("alarm %q can't be deleted: the composite alarm %q depends on it", name, other)
		}
	}
	delete(a.metric, name)
	delete(a.composite, name)
	delete(a.status, name)
	return nil
}

// Evaluate samples the gauges and evaluates every alarm now.
func (a *Alarms) Evaluate() {
	now := a.clock.Now()
	a.store.Sample(now)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(a.metric)) {
		e := a.metric[name]
		state, reason := e.decide(e.points(a.store, now), a.status[name].State)
		a.settle(name, state, reason, now)
	}
	for _, name := range slices.Sorted(maps.Keys(a.composite)) {
		state, reason := OK, "none of the alarms in its rule is in ALARM"
		quiet := func(need string) bool { return a.status[need].State != Alarming }
		if off := slices.DeleteFunc(slices.Clone(a.composite[name]), quiet); len(off) > 0 {
			state, reason = Alarming, "in ALARM: "+strings.Join(off, ", ")
		}
		a.settle(name, state, reason, now)
	}
	if surplus := len(a.wentOff) - maxHistory; surplus > 0 {
		a.wentOff = slices.Delete(a.wentOff, 0, surplus)
	}
}

func (a *Alarms) settle(name string, state State, reason string, now time.Time) {
	if state == a.status[name].State {
		return
	}
	a.status[name] = Status{Alarm: name, State: state, Reason: reason, Since: now}
	if state == Alarming {
		a.wentOff = append(a.wentOff, Change{Alarm: name, At: now, Reason: reason})
	}
}

// Set gives an alarm a state until it is evaluated to another, and says whether there is such an alarm.
func (a *Alarms) Set(name string, state State, reason string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, there := a.status[name]
	if there {
		a.settle(name, state, reason, a.clock.Now())
	}
	return there
}

// Status returns the alarms' states by name.
func (a *Alarms) Status() []Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.SortedFunc(maps.Values(a.status), func(x, y Status) int { return strings.Compare(x.Alarm, y.Alarm) })
}

// WentOff returns the changes into ALARM so far, the oldest first.
func (a *Alarms) WentOff() []Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.wentOff)
}
