package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"trade-processing/local/metrics"
	"trade-processing/local/pattern"
	"trade-processing/local/queue"
	"trade-processing/local/states"
)

// eventKinds are EventBridge's buses, rules, targets and archives.
var eventKinds = map[string]kind{
	"aws:cloudwatch/eventBus:EventBus": living[busInputs]{
		requires: "name", replaces: "name", computes: "arn",
		identify: func(_ *Cloud, r *Resource, in busInputs) error {
			r.ID = in.Name
			r.set("arn", r.arn("events", "event-bus/%s", in.Name))
			return nil
		},
		start: func(c *Cloud, r *Resource, _ busInputs) error {
			if _, err := c.live.buses.get(r.Outputs.text("arn")); err != nil {
				c.live.buses.put(r.Outputs.text("arn"), &bus{})
			}
			return nil
		},
		stop: func(c *Cloud, r *Resource) error { c.live.buses.drop(r.Outputs.text("arn")); return nil },
	}.kind(),
	"aws:cloudwatch/eventRule:EventRule": living[ruleInputs]{
		requires: "name eventPattern", replaces: "name eventBusName", computes: "arn",
		validate: func(in ruleInputs) error {
			if in.EventPattern == "" {
				return nil // unknown in a preview
			}
			_, err := pattern.Compile([]byte(in.EventPattern))
			return err
		},
		identify: func(_ *Cloud, r *Resource, in ruleInputs) error {
			r.ID = in.EventBusName + "/" + in.Name
			r.set("arn", r.arn("events", "rule/%s", r.ID))
			if in.EventBusName == defaultBus || in.EventBusName == "" {
				r.ID = in.Name
				r.set("arn", r.arn("events", "rule/%s", in.Name))
			}
			return nil
		},
		start: func(c *Cloud, r *Resource, in ruleInputs) error {
			compiled, err := pattern.Compile([]byte(in.EventPattern))
			if err != nil {
				return err
			}
			on, err := c.bus(r.Region, in.EventBusName)
			if err != nil {
				return err
			}
			on.putRule(rule{
				name: in.Name, pattern: compiled, looksInside: looksInside(in.EventPattern), enabled: in.State != "DISABLED",
				measured: c.measuredRule(r.Region, in.Name),
			})
			return nil
		},
		stop: func(c *Cloud, r *Resource) error {
			on, err := c.bus(r.Region, r.Inputs.text("eventBusName"))
			if err != nil {
				return err
			}
			on.dropRule(r.Inputs.text("name"))
			return nil
		},
	}.kind(),
	"aws:cloudwatch/eventTarget:EventTarget": living[targetInputs]{
		requires: "rule arn", replaces: "rule eventBusName targetId",
		identify: func(_ *Cloud, r *Resource, in targetInputs) error {
			r.ID = in.EventBusName + "-" + in.Rule + "-" + in.TargetID
			return nil
		},
		start: func(c *Cloud, r *Resource, in targetInputs) error {
			if _, err := c.live.machines.get(in.ARN); err != nil {
				return fmt.Errorf("target %s: only state machines are known here as targets: %w", in.ARN, err)
			}
			on, err := c.bus(r.Region, in.EventBusName)
			if err != nil {
				return err
			}
			return on.putTarget(in.Rule, target{id: in.TargetID, machine: in.ARN, deadLetters: in.DeadLetterConfig.ARN})
		},
		stop: func(c *Cloud, r *Resource) error {
			on, err := c.bus(r.Region, r.Inputs.text("eventBusName"))
			if err != nil {
				return err
			}
			on.dropTarget(r.Inputs.text("rule"), r.Inputs.text("targetId"))
			return nil
		},
	}.kind(),
	"aws:cloudwatch/eventArchive:EventArchive": record{
		accepts: "description eventPattern eventSourceArn name retentionDays", replaces: "eventSourceArn name",
		requires: "eventSourceArn name", computes: "arn", identify: named("events", "archive/"),
	}.kind(),
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy": record{
		accepts: "eventBusName policy", replaces: "eventBusName", requires: "policy",
		identify: joined("", "eventBusName"),
	}.kind(),
}

const defaultBus = "default"

type busInputs struct {
	Name string `property:"name"`

	// On record: nothing is encrypted here, so nothing can fail to be.
	Description      string `property:"description"`
	KMSKeyIdentifier string `property:"kmsKeyIdentifier"`
	DeadLetterConfig struct {
		ARN string `property:"arn"`
	} `property:"deadLetterConfig"`
	Tags map[string]string `property:"tags"`
}

type ruleInputs struct {
	Name         string            `property:"name"`
	EventBusName string            `property:"eventBusName"`
	EventPattern string            `property:"eventPattern"`
	State        string            `property:"state"`
	Description  string            `property:"description"` // on record
	Tags         map[string]string `property:"tags"`        // on record
}

type targetInputs struct {
	Rule             string `property:"rule"`
	EventBusName     string `property:"eventBusName"`
	TargetID         string `property:"targetId"`
	ARN              string `property:"arn"`
	DeadLetterConfig struct {
		ARN string `property:"arn"`
	} `property:"deadLetterConfig"`

	// On record: a start that fails here would fail for a day.
	RetryPolicy struct {
		MaximumEventAgeInSeconds int `property:"maximumEventAgeInSeconds"`
		MaximumRetryAttempts     int `property:"maximumRetryAttempts"`
	} `property:"retryPolicy"`
	RoleARN string `property:"roleArn"`
}

// The metrics of rules.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
const (
	matchedEvents     = "MatchedEvents"
	invocations       = "Invocations"
	failedInvocations = "FailedInvocations"
	sentToDLQ         = "InvocationsSentToDlq"
	failedToDLQ       = "InvocationsFailedToBeSentToDlq"
)

var eventMetrics = []string{
	matchedEvents, invocations, failedInvocations, sentToDLQ, failedToDLQ,
	// Never sent here, since nothing is throttled on the way to a target.
	"ThrottledRules", "TriggeredRules",
}

// measured are the metrics of one rule, found once.
type measured map[string]*metrics.Series

func (c *Cloud) measuredRule(region, name string) measured {
	m := measured{}
	for _, metric := range eventMetrics {
		m[metric] = c.in(region).metrics.Series("AWS/Events", metric, map[string]string{"RuleName": name})
	}
	return m
}

// bus is an event bus with its rules.
type bus struct {
	mu    sync.RWMutex
	rules []*rule // in order of name
}

type rule struct {
	name        string
	pattern     *pattern.Pattern
	looksInside bool // the pattern may ask for something in the detail
	enabled     bool
	targets     []target
	measured    measured
}

// looksInside tells whether a pattern may ask for something in the detail. Most route by the envelope alone, and then
// no detail has to be read.
func looksInside(eventPattern string) bool {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(eventPattern), &fields); err != nil {
		return true
	}
	_, detail := fields["detail"]
	_, alternatives := fields["$or"]
	return detail || alternatives
}

type target struct {
	id          string
	machine     string // ARN of a state machine or its alias
	deadLetters string // ARN of a queue; empty: none
}

func (b *bus) find(name string) (int, bool) {
	return slices.BinarySearchFunc(b.rules, name, func(r *rule, name string) int { return strings.Compare(r.name, name) })
}

// putRule creates a rule, or replaces one and keeps its targets.
func (b *bus) putRule(r rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, found := b.find(r.name)
	if found {
		r.targets = b.rules[at].targets
		b.rules[at] = &r // readers may hold the old one
		return
	}
	b.rules = slices.Insert(slices.Clone(b.rules), at, &r)
}

func (b *bus) dropRule(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, found := b.find(name); found {
		b.rules = slices.Delete(slices.Clone(b.rules), at, at+1)
	}
}

func (b *bus) putTarget(ruleName string, t target) error {
	b.dropTarget(ruleName, t.id)
	b.mu.Lock()
	defer b.mu.Unlock()
	at, found := b.find(ruleName)
	if !found {
		return fmt.Errorf("rule %s does not exist", ruleName)
	}
	changed := *b.rules[at]
	changed.targets = append(slices.Clone(changed.targets), t)
	b.rules[at] = &changed
	return nil
}

func (b *bus) dropTarget(ruleName, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, found := b.find(ruleName); found {
		changed := *b.rules[at]
		changed.targets = slices.DeleteFunc(slices.Clone(changed.targets), func(t target) bool { return t.id == id })
		b.rules[at] = &changed
	}
}

// matching lists the enabled rules that an event matches.
func (b *bus) matching(e *event) []*rule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var found []*rule
	for _, r := range b.rules {
		if r.enabled && r.pattern.Match(e.data(r.looksInside)) {
			found = append(found, r)
		}
	}
	return found
}

// bus finds a bus by name or ARN. The default bus is always there.
func (c *Cloud) bus(region, name string) (*bus, error) {
	if name == "" {
		name = defaultBus
	}
	if strings.HasPrefix(name, "arn:") {
		name = afterLast(name, "/")
	}
	arn := "arn:aws:events:" + region + ":" + Account + ":event-bus/" + name
	found, err := c.live.buses.get(arn)
	if err != nil && name == defaultBus {
		found, err = &bus{}, nil
		c.live.buses.put(arn, found)
	}
	return found, err
}

// Receipt says what became of an event.
type Receipt struct {
	EventID    string
	Deliveries []Delivery // one a matching rule's target; none when no rule matched
}

// Delivery is what became of an event at one target.
type Delivery struct {
	Rule        string
	Execution   string          // ARN; empty when none could be started
	Output      []byte          // JSON, when the execution succeeded
	Failure     *states.Failure // when it failed or could not be started
	DeadLetters []DeadLetter    // what was sent to queues on the way
}

// DeadLetter is a message that went to a dead-letter queue.
type DeadLetter struct {
	Queue string // name
	Error string // error name
}

// maxInput is how many bytes of input Step Functions starts an execution with.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxInput = 256 << 10

// PutEvent puts an entry on a bus and sees it through: it returns when every execution that the event started has
// ended. The error is a *Refusal when the bus does not take the entry, or the reason why ctx ended.
func (c *Cloud) PutEvent(ctx context.Context, regionName, busName string, entry Entry) (Receipt, error) {
	on, err := c.bus(regionName, busName)
	if err != nil {
		return Receipt{}, err
	}
	made, err := c.newEvent(regionName, entry)
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{EventID: made.id}
	trace := entry.TraceHeader
	if trace == "" {
		trace = c.traceHeader()
	}
	for _, matched := range on.matching(&made) {
		for _, t := range matched.targets {
			delivery, err := c.deliver(ctx, matched, t, made.document, trace)
			if err != nil {
				return receipt, err
			}
			receipt.Deliveries = append(receipt.Deliveries, delivery)
		}
	}
	return receipt, nil
}

// deliver starts the target with the event, and sends an event that it can't be started with to the target's
// dead-letter queue.
func (c *Cloud) deliver(ctx context.Context, matched *rule, t target, document *states.Document, trace string) (Delivery, error) {
	delivery := Delivery{Rule: matched.name}
	now := c.clock.Now()
	matched.measured[matchedEvents].Add(now, 1)
	matched.measured[invocations].Add(now, 1)

	living, err := c.live.machines.get(t.machine)
	if size := len(document.JSON()); err == nil && size > maxInput {
		err = &states.Failure{Name: "InvalidExecutionInput", Cause: strconv.Itoa(size) + " bytes; an execution takes " + strconv.Itoa(maxInput)}
	}
	if err == nil {
		err = c.execute(ctx, living, document, trace, &delivery)
		if failure, ok := errors.AsType[*states.Failure](err); ok {
			delivery.Failure = failure
			return delivery, nil
		}
		return delivery, err
	}

	failure, named := errors.AsType[*states.Failure](err)
	if !named {
		failure = &states.Failure{Name: "StateMachineDoesNotExist", Cause: err.Error()}
	}
	delivery.Failure = failure
	matched.measured[failedInvocations].Add(now, 1)
	if t.deadLetters == "" {
		return delivery, nil
	}
	queued, err := c.live.queues.get(t.deadLetters)
	if err == nil {
		_, err = queued.Send(ctx, queue.Draft{Body: string(document.JSON()), TraceHeader: trace})
	}
	if err != nil {
		matched.measured[failedToDLQ].Add(now, 1)
		return delivery, nil //nolint:nilerr // as on AWS: the metric is all that tells
	}
	matched.measured[sentToDLQ].Add(now, 1)
	delivery.DeadLetters = append(delivery.DeadLetters, DeadLetter{Queue: afterLast(t.deadLetters, ":"), Error: failure.Name})
	return delivery, nil
}
