package metrics

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"trade-processing/local/clock"
)

// Alarms evaluates the alarms of one account and region. It is safe for use by
// many goroutines.
type Alarms struct {
	store *Store
	clock clock.Clock

	mu         sync.Mutex
	metric     map[string]*evaluation
	composite  map[string]*composite
	status     map[string]Status
	history    []Change
	subscribed []func(Change)
}

type composite struct {
	definition CompositeAlarm
	rule       rule
	needs      []string
}

// Status is an alarm's state, since when and why.
type Status struct {
	Alarm  string
	State  State
	Since  time.Time
	Reason string
}

// Change is an alarm's way from one state to another.
type Change struct {
	Alarm    string
	From, To State
	At       time.Time
	Reason   string
	// Actions are the ARNs that the alarm notifies of it.
	Actions []string
}

// maxHistory bounds the changes that are kept, for a simulation of many days;
// the oldest go first.
const maxHistory = 10_000

// NewAlarms makes an empty set of alarms over a store.
func NewAlarms(store *Store, c clock.Clock) *Alarms {
	return &Alarms{
		store: store, clock: c,
		metric: map[string]*evaluation{}, composite: map[string]*composite{}, status: map[string]Status{},
	}
}

// Put creates or replaces a metric alarm. A new one has too little data; one
// that is replaced keeps its state until it is evaluated.
func (a *Alarms) Put(alarm Alarm) error {
	e, err := alarm.evaluation()
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(e.statistics)) {
		if err := a.store.check(e.statistics[id].metric.Namespace, e.statistics[id].metric.Metric); err != nil {
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

// PutComposite creates or replaces a composite alarm, whose rule may only name
// alarms that exist.
func (a *Alarms) PutComposite(alarm CompositeAlarm) error {
	if alarm.Name == "" {
		return fmt.Errorf("composite alarm %q: it has no name", alarm.Name)
	}
	if len(alarm.Rule) > maxRule {
		return fmt.Errorf("composite alarm %q: its rule has %d bytes, more than %d", alarm.Name, len(alarm.Rule), maxRule)
	}
	r, needs, err := parseRule(alarm.Rule)
	if err != nil {
		return fmt.Errorf("composite alarm %q: %w", alarm.Name, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, taken := a.metric[alarm.Name]; taken {
		return fmt.Errorf("composite alarm %q: a metric alarm has that name", alarm.Name)
	}
	for _, name := range needs {
		if _, exists := a.status[name]; !exists {
			return fmt.Errorf("composite alarm %q: its rule names the alarm %q, which does not exist", alarm.Name, name)
		}
		if a.dependsOn(name, alarm.Name) {
			return fmt.Errorf("composite alarm %q: its rule names %q, which depends on it", alarm.Name, name)
		}
	}
	a.composite[alarm.Name] = &composite{definition: alarm, rule: r, needs: needs}
	a.begin(alarm.Name)
	return nil
}

func (a *Alarms) dependsOn(name, on string) bool {
	if name == on {
		return true
	}
	c, is := a.composite[name]
	return is && slices.ContainsFunc(c.needs, func(need string) bool { return a.dependsOn(need, on) })
}

func (a *Alarms) begin(name string) {
	if _, exists := a.status[name]; !exists {
		a.status[name] = Status{Alarm: name, State: InsufficientData, Since: a.clock.Now(), Reason: "Unchecked: Initial alarm creation"}
	}
}

// Delete removes an alarm of either kind, unless a composite alarm depends on
// it. An alarm that isn't there is no error.
func (a *Alarms) Delete(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, other := range slices.Sorted(maps.Keys(a.composite)) {
		if other != name && slices.Contains(a.composite[other].needs, name) {
			return fmt.Errorf("alarm %q can't be deleted: the composite alarm %q depends on it", name, other)
		}
	}
	delete(a.metric, name)
	delete(a.composite, name)
	delete(a.status, name)
	return nil
}

// Subscribe has notify called for every later change, by whoever evaluates.
// It must not call the alarms.
func (a *Alarms) Subscribe(notify func(Change)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.subscribed = append(a.subscribed, notify)
}

// Evaluate samples the gauges, evaluates every alarm at the present time and
// returns the changes.
func (a *Alarms) Evaluate() []Change {
	now := a.clock.Now()
	a.store.Sample(now)
	a.mu.Lock()
	defer a.mu.Unlock()
	before := len(a.history)
	for _, name := range slices.Sorted(maps.Keys(a.metric)) {
		e := a.metric[name]
		data, start := e.points(a.store, now)
		a.settle(name, e.decide(data, start, a.status[name].State), now, e.alarm.Actions)
	}
	evaluated := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(a.composite)) {
		a.evaluateComposite(name, now, evaluated)
	}
	changes := slices.Clone(a.history[before:])
	if surplus := len(a.history) - maxHistory; surplus > 0 {
		a.history = slices.Delete(a.history, 0, surplus)
	}
	for _, change := range changes {
		for _, notify := range a.subscribed {
			notify(change)
		}
	}
	return changes
}

// evaluateComposite evaluates what a composite alarm depends on before itself.
func (a *Alarms) evaluateComposite(name string, now time.Time, evaluated map[string]bool) {
	c, is := a.composite[name]
	if !is || evaluated[name] {
		return
	}
	evaluated[name] = true
	for _, need := range c.needs {
		a.evaluateComposite(need, now, evaluated)
	}
	d := decision{state: OK}
	if c.rule(func(alarm string) State { return a.status[alarm].State }) {
		d.state = Alarming
	}
	d.reason = "none of the alarms in its rule is in ALARM"
	alarming := slices.DeleteFunc(slices.Clone(c.needs), func(need string) bool { return a.status[need].State != Alarming })
	if len(alarming) > 0 {
		d.reason = "in ALARM: " + strings.Join(alarming, ", ")
	}
	a.settle(name, d, now, c.definition.Actions)
}

func (a *Alarms) settle(name string, d decision, now time.Time, actions Actions) {
	old := a.status[name]
	if d.state == old.State {
		return
	}
	a.status[name] = Status{Alarm: name, State: d.state, Since: now, Reason: d.reason}
	a.history = append(a.history, Change{
		Alarm: name, From: old.State, To: d.state, At: now, Reason: d.reason, Actions: actions.of(d.state),
	})
}

// Run evaluates again and again, each after an interval on the clock, until
// the context ends, whose error it returns. CloudWatch evaluates every minute.
func (a *Alarms) Run(ctx context.Context, interval time.Duration) error {
	for {
		if err := a.clock.Sleep(ctx, interval); err != nil {
			return err
		}
		a.Evaluate()
	}
}

// Status returns the alarms' states by name.
func (a *Alarms) Status() []Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]Status, 0, len(a.status))
	for _, name := range slices.Sorted(maps.Keys(a.status)) {
		all = append(all, a.status[name])
	}
	return all
}

// History returns the changes so far, the oldest first.
func (a *Alarms) History() []Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.history)
}

// WentOff returns the changes into ALARM so far, the oldest first.
func (a *Alarms) WentOff() []Change {
	return slices.DeleteFunc(a.History(), func(c Change) bool { return c.To != Alarming })
}
