package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"github.com/tidwall/gjson"

	"trade-processing/local/access"
	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/pattern"
	"trade-processing/local/queue"
	"trade-processing/local/states"
)

// eventKinds are EventBridge's buses, archives, rules and targets.
var eventKinds = map[string]kind{
	ArchiveType: archiveKind,
	BusType: {
		// Nothing is encrypted here, so encryption can't fail.
		uses: "name", records: "deadLetterConfig.arn description kmsKeyIdentifier tags",
		requires: "name", replaces: "name", computes: "arn",
		identify: named("events", "event-bus/"),
		start:    func(c *Cloud, r *Resource) error { c.live.buses.ensure(r.itsARN(), &bus{}); return nil },
		stop:     func(c *Cloud, r *Resource) error { c.live.buses.drop(r.itsARN()); return nil },
	},
	RuleType: {
		puts: true,
		uses: "name eventBusName eventPattern state", records: "description tags",
		requires: "name eventPattern", replaces: "name eventBusName", computes: "arn",
		check: func(inputs Properties) error {
			text := inputs.text("eventPattern")
			if text == "" {
				return nil // unknown in a preview
			}
			_, err := pattern.Compile([]byte(text))
			return err
		},
		identify: func(_ *Cloud, r *Resource) error {
			r.ID = r.Inputs.text("name")
			if on := r.Inputs.text("eventBusName"); on != defaultBus && on != "" {
				r.ID = on + "/" + r.ID
			}
			r.set("arn", r.arn("events", "rule/%s", r.ID))
			return nil
		},
		start: onBus(func(c *Cloud, r *Resource, on *bus) error {
			name, text := r.Inputs.text("name"), r.Inputs.text("eventPattern")
			compiled, err := pattern.Compile([]byte(text))
			if err != nil {
				return err
			}
			on.putRule(rule{
				name: name, arn: r.itsARN(), disabled: r.Inputs.text("state") == "DISABLED", pattern: compiled, looksInside: gjson.Get(text, "detail").Exists(),
				measured: c.measure(r.Region, "AWS/Events", ruleDimensions(name, r.Inputs.text("eventBusName")), eventMetrics),
			})
			return nil
		}),
		stop: onBus(func(_ *Cloud, r *Resource, on *bus) error { on.dropRule(r.Inputs.text("name")); return nil }),
	},
	TargetType: {
		puts:     true,
		uses:     "rule eventBusName targetId arn deadLetterConfig.arn retryPolicy.maximumEventAgeInSeconds retryPolicy.maximumRetryAttempts",
		records:  "roleArn",
		requires: "rule arn", replaces: "rule eventBusName targetId",
		check: func(inputs Properties) error {
			// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
			policy, _ := inputs["retryPolicy"].(map[string]any)
			for name, limits := range map[string][2]float64{"maximumRetryAttempts": {0, 185}, "maximumEventAgeInSeconds": {60, 86400}} {
				if value, given := policy[name].(float64); given && (value < limits[0] || value > limits[1]) {
					return fmt.Errorf("retryPolicy.%s is %v, and must be from %v to %v", name, value, limits[0], limits[1])
				}
			}
			return nil
		},
		identify: func(_ *Cloud, r *Resource) error {
			r.ID = r.Inputs.text("eventBusName") + "-" + r.Inputs.text("rule") + "-" + r.Inputs.text("targetId")
			return nil
		},
		start: onBus(func(c *Cloud, r *Resource, on *bus) error {
			in, err := decode[targetInputs](r.Inputs)
			if err != nil {
				return err
			}
			// Its version or alias may be missing, as on AWS: then events can't be delivered.
			machine := in.ARN
			if strings.Count(machine, ":") > 6 {
				machine = machine[:strings.LastIndex(machine, ":")]
			}
			if _, err := c.live.machines.get(machine); err != nil {
				return fmt.Errorf("target %s: only state machines are known here as targets: %w", in.ARN, err)
			}
			return on.putTarget(r.Inputs.text("rule"), target{
				id: in.ID, machine: in.ARN, deadLetters: in.DeadLetterConfig.ARN,
				retries: in.RetryPolicy.attempts(), retriedFor: in.RetryPolicy.age(),
			})
		}),
		stop: onBus(func(_ *Cloud, r *Resource, on *bus) error {
			on.dropTarget(r.Inputs.text("rule"), r.Inputs.text("targetId"))
			return nil
		}),
	},
}

type targetInputs struct {
	ID               string `property:"targetId"`
	ARN              string `property:"arn"`
	DeadLetterConfig struct {
		ARN string `property:"arn"`
	} `property:"deadLetterConfig"`
	RetryPolicy retryPolicy `property:"retryPolicy"`
}

type retryPolicy struct {
	Attempts *int `property:"maximumRetryAttempts"`
	Age      *int `property:"maximumEventAgeInSeconds"`
}

// attempts and age have EventBridge's defaults.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
func (p retryPolicy) attempts() int {
	if p.Attempts == nil {
		return 185
	}
	return *p.Attempts
}

func (p retryPolicy) age() time.Duration {
	if p.Age == nil {
		return 24 * time.Hour
	}
	return seconds(*p.Age)
}

// onBus finds the bus that a rule or a target belongs to.
func onBus(act func(*Cloud, *Resource, *bus) error) func(*Cloud, *Resource) error {
	return func(c *Cloud, r *Resource) error {
		on, err := c.bus(r.Region, r.Inputs.text("eventBusName"))
		if err != nil {
			return err
		}
		return act(c, r, on)
	}
}

const defaultBus = "default"

// The metrics of rules. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
const (
	matchedEvents     = "MatchedEvents"
	invocations       = "Invocations"
	failedInvocations = "FailedInvocations"
	sentToDLQ         = "InvocationsSentToDlq"
	failedToDLQ       = "InvocationsFailedToBeSentToDlq"
)

// ruleDimensions are those of a rule's metrics: on a custom bus, also the bus.
func ruleDimensions(rule, bus string) map[string]string {
	dimensions := map[string]string{"RuleName": rule}
	if bus = afterLast(bus, "/"); bus != "" && bus != defaultBus {
		dimensions["EventBusName"] = bus
	}
	return dimensions
}

var eventMetrics = []string{
	matchedEvents, invocations, failedInvocations, sentToDLQ, failedToDLQ,
	// Never sent here, because nothing is throttled on the way to a target.
	"ThrottledRules", "TriggeredRules",
}

// bus is an event bus with its rules.
type bus struct {
	mu    sync.RWMutex
	rules []*rule // in order of name; a rule itself never changes, because deliveries in progress use it

	archives []archive // a list never changes either
}

type rule struct {
	name, arn   string
	disabled    bool
	pattern     *pattern.Pattern
	looksInside bool // the pattern needs something in the detail, which then has to be parsed; most don't
	targets     []target
	measured    measured
}

type target struct {
	id          string
	machine     string // ARN of a state machine or its alias
	deadLetters string // ARN of a queue; empty: none
	retries     int    // of a start that fails for a while
	retriedFor  time.Duration
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
		b.rules[at] = &r
		return
	}
	b.rules = slices.Insert(b.rules, at, &r)
}

func (b *bus) dropRule(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, found := b.find(name); found {
		b.rules = slices.Delete(b.rules, at, at+1)
	}
}

// putTarget adds a target to a rule, replacing one with the same id.
func (b *bus) putTarget(ruleName string, t target) error {
	if !b.dropTarget(ruleName, t.id, t) {
		return fmt.Errorf("rule %s does not exist", ruleName)
	}
	return nil
}

// dropTarget removes a target from a rule, adds others instead, and reports whether there is such a rule.
func (b *bus) dropTarget(ruleName, id string, instead ...target) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, found := b.find(ruleName)
	if found {
		changed := *b.rules[at]
		others := slices.DeleteFunc(slices.Clone(changed.targets), func(t target) bool { return t.id == id })
		changed.targets = append(others, instead...)
		b.rules[at] = &changed
	}
	return found
}

// matching lists the rules that an event matches.
func (b *bus) matching(e *event) []*rule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var found []*rule
	for _, r := range b.rules {
		if !r.disabled && r.pattern.Match(e.data(r.looksInside)) {
			found = append(found, r)
		}
	}
	return found
}

// bus finds a bus by name or ARN. The default bus always exists.
func (c *Cloud) bus(region, name string) (*bus, error) {
	arn := eventBusARN(region, name)
	if strings.HasPrefix(name, "arn:") && arn != name {
		return nil, &awsapi.Unsupported{Operation: "PutEvents", Feature: "a bus of another region or account: " + name}
	}
	if strings.HasSuffix(arn, "/"+defaultBus) {
		return c.live.buses.ensure(arn, &bus{}), nil
	}
	return c.live.buses.get(arn)
}

// eventBusARN returns the ARN of a bus that is named by its name, or by its ARN; none is the default bus.
func eventBusARN(region, name string) string {
	buses := "arn:aws:events:" + region + ":" + Account + ":event-bus/"
	if strings.HasPrefix(name, buses) {
		return name
	}
	return buses + cmp.Or(name, defaultBus)
}

// Receipt says what became of an event.
type Receipt struct {
	EventID    string
	Deliveries []Delivery // one per matching rule's target; none if no rule matched
}

// Delivery is what became of an event at one target.
type Delivery struct {
	Rule        string
	Execution   string          // ARN; empty if none could be started
	Output      []byte          // JSON, if the execution succeeded
	Failure     *states.Failure // if it failed or couldn't be started
	DeadLetters []DeadLetter    // what was sent to queues along the way
}

// DeadLetter is a message that went to a dead-letter queue.
type DeadLetter struct {
	Queue string // name
	Error string // error name
}

// InvalidExecutionInput is the failure of a delivery whose event is larger than an execution's input may be.
const InvalidExecutionInput = "InvalidExecutionInput"

// maxInput is the most bytes of input that Step Functions starts an execution with.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxInput = 256 << 10

// PutEvent puts an entry on a bus and waits until every execution that the event started has ended. The errors are
// Accept's, or the reason why ctx ended.
func (c *Cloud) PutEvent(ctx context.Context, regionName, busName string, entry Entry) (Receipt, error) {
	accepted, err := c.Accept(regionName, busName, entry)
	if err != nil {
		return Receipt{}, err
	}
	c.Keep(accepted)
	receipt, err := c.Deliver(ctx, accepted)
	c.Sync()
	return receipt, err
}

// Accept puts an entry on a bus, from where Deliver or Later takes it; Keep makes it outlive the process. An event for a bus that doesn't exist is accepted
// and dropped, as AWS does, which documents no error for it. The error is a *Refusal if the entry isn't accepted, or an
// awsapi.Unsupported.
func (c *Cloud) Accept(regionName, busName string, entry Entry) (*Accepted, error) {
	_, absent := c.bus(regionName, busName)
	if unsupported, ok := errors.AsType[*awsapi.Unsupported](absent); ok {
		return nil, unsupported
	}
	made, err := c.newEvent(regionName, entry)
	if err != nil {
		return nil, err
	}
	accepted := &Accepted{ID: made.id, region: regionName, bus: eventBusARN(regionName, busName), trace: entry.TraceHeader}
	if absent != nil {
		return accepted, nil //nolint:nilerr // nobody is told
	}
	if accepted.trace == "" {
		accepted.trace = c.traceHeader()
	}
	if err := c.allowed(access.PutEvents, operator, accepted.bus, entry.Source); err != nil {
		return nil, awsapi.Error("AccessDeniedException", "%v", err)
	}
	accepted.event = &made
	return accepted, nil
}

// Deliver brings an accepted event to the targets of the rules that match it, and waits until every execution that it
// started has ended. The error is the reason why ctx ended; then the event isn't delivered.
func (c *Cloud) Deliver(ctx context.Context, a *Accepted) (Receipt, error) {
	receipt := Receipt{EventID: a.ID}
	on, absent := c.live.buses.get(a.bus)
	if a.event == nil || absent != nil {
		c.delivered(a)
		return receipt, nil //nolint:nilerr // nobody is told
	}
	document := a.event.document
	if !a.filed {
		if err := c.keepable(a); err != nil {
			receipt.Deliveries = append(receipt.Deliveries, c.unkept(ctx, a.region, a.bus, document, a.trace, err))
			c.delivered(a)
			return receipt, nil
		}
		if changes := c.file(on, a); len(changes) > 0 {
			c.archived.Write(changes...)
		}
	}
	for _, matched := range on.matching(a.event) {
		if len(a.rules) > 0 && !slices.Contains(a.rules, matched.arn) {
			continue
		}
		matched.measured[matchedEvents].Add(c.clock.Now(), 1)
		for _, t := range matched.targets {
			deliveries, err := c.deliver(ctx, matched, t, document, a)
			receipt.Deliveries = append(receipt.Deliveries, deliveries...)
			if err != nil {
				return receipt, err
			}
		}
	}
	c.delivered(a)
	return receipt, nil
}

// keepable says why a bus can't keep an event.
func (c *Cloud) keepable(a *Accepted) error {
	if err := c.allowed(access.KeepEvent, a.bus, a.bus, ""); err != nil || c.faults == nil {
		return err
	}
	return c.faults(fault.Call{Service: "kms", Operation: "GenerateDataKey", Resource: afterLast(a.bus, "/"), Key: string(a.event.document.JSON())}).Err
}

// deliver starts the target with the event, or sends the event to the target's dead-letter queue if that fails. There
// is more than one delivery if the answer of a start was lost.
func (c *Cloud) deliver(ctx context.Context, matched *rule, t target, document *states.Document, a *Accepted) ([]Delivery, error) {
	matched.measured[invocations].Add(c.clock.Now(), 1)
	living, err := c.live.machines.get(t.machine)
	if err == nil {
		err = c.startable(matched.arn, t.machine, living.arn)
	}
	if size := len(document.JSON()); err == nil && size > maxInput {
		err = &states.Failure{Name: InvalidExecutionInput, Cause: fmt.Sprintf("%d bytes with the envelope; an execution takes %d", size, maxInput)}
	}
	if err != nil {
		return []Delivery{c.undelivered(ctx, matched, t, document, a.trace, err)}, nil
	}
	if c.faults == nil { // nothing has to be retried, so nothing runs beside it
		delivery := Delivery{Rule: matched.name}
		err := c.conclude(ctx, living, c.startOf(t, a), document, &delivery)
		return []Delivery{delivery}, err
	}
	return c.start(ctx, matched, t, living, document, a)
}

// startOf is how an event starts a target's machine. AWS doesn't say how EventBridge names executions; those who met a name
// say by the event's id and another UUID: https://github.com/wellcomecollection/catalogue-pipeline/pull/3227
func (c *Cloud) startOf(t target, a *Accepted) start {
	return start{called: t.machine, name: a.ID + "_" + c.uuid(), trace: a.trace}
}

// The pauses between the attempts to start a target. EventBridge doesn't say how long its own are, only that they grow
// and are random; with these, 185 attempts take about a day.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
const (
	firstPause   = time.Second
	longestPause = 15 * time.Minute
)

// start calls StartExecution until it answers, or the target's retry policy gives up, and waits for all executions.
func (c *Cloud) start(ctx context.Context, matched *rule, t target, on *machine, document *states.Document, a *Accepted) ([]Delivery, error) {
	type execution struct {
		delivery Delivery
		err      error
		ended    chan struct{}
	}
	var running []*execution
	begin := func() (struct{}, error) {
		e := &execution{delivery: Delivery{Rule: matched.name}, ended: make(chan struct{})}
		running = append(running, e)
		clock.Go(c.clock, func() {
			defer close(e.ended)
			e.err = c.conclude(ctx, on, c.startOf(t, a), document, &e.delivery)
		})
		return struct{}{}, nil
	}
	call := fault.Call{Service: "states", Operation: "StartExecution", Resource: on.name}
	key := func() string { return string(document.JSON()) }
	first := c.clock.Now()
	var failed error
	for retries := 0; ; retries++ {
		if _, failed = fault.Serve(ctx, c.clock, c.faults, call, key, begin); failed == nil || ctx.Err() != nil {
			break
		}
		pause := time.Duration(c.chance() * float64(min(firstPause<<min(retries, 20), longestPause)))
		if retries == t.retries || c.clock.Now().Add(pause).Sub(first) > t.retriedFor || c.clock.Sleep(ctx, pause) != nil {
			break
		}
	}
	var deliveries []Delivery
	for _, e := range running {
		clock.Wait(c.clock, e.ended)
		deliveries = append(deliveries, e.delivery)
		if e.err != nil {
			return deliveries, e.err
		}
	}
	if failed != nil {
		deliveries = append(deliveries, c.undelivered(ctx, matched, t, document, a.trace, failed))
	}
	return deliveries, context.Cause(ctx)
}

// StartExecution starts a state machine, or an alias of one, with an input and waits for the execution's end. Without a
// name, it gets one. The error is the reason why ctx ended, or says that there is no such machine.
func (c *Cloud) StartExecution(ctx context.Context, machineARN, name string, input []byte) (Delivery, error) {
	on, err := c.live.machines.get(machineARN)
	if err != nil {
		return Delivery{}, err
	}
	document, err := states.NewDocument(input)
	if err != nil {
		return Delivery{}, fmt.Errorf("starting %s: the input is %w", machineARN, err)
	}
	var delivery Delivery
	err = c.conclude(ctx, on, start{called: machineARN, name: name, trace: c.traceHeader()}, document, &delivery)
	return delivery, err
}

// conclude runs an execution to its end. The error is the reason why ctx ended.
func (c *Cloud) conclude(ctx context.Context, on *machine, by start, document *states.Document, delivery *Delivery) error {
	err := c.execute(ctx, on, by, document, delivery)
	if failure, ok := errors.AsType[*states.Failure](err); ok {
		delivery.Failure = failure
		return nil
	}
	return err
}

// undelivered is what becomes of an event that EventBridge gave up on.
func (c *Cloud) undelivered(ctx context.Context, matched *rule, t target, document *states.Document, trace string, err error) Delivery {
	delivery := Delivery{Rule: matched.name}
	now := c.clock.Now()
	failure, named := errors.AsType[*states.Failure](err)
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		failure = &states.Failure{Name: refusal.ErrorCode(), Cause: refusal.ErrorMessage()}
	} else if !named {
		failure = &states.Failure{Name: "StateMachineDoesNotExist", Cause: err.Error()}
	}
	delivery.Failure = failure
	matched.measured[failedInvocations].Add(now, 1)
	if t.deadLetters == "" {
		return delivery
	}
	if err := c.keepUndelivered(ctx, matched.arn, t.deadLetters, document, trace, t.whyUndelivered(matched.arn, failure)); err != nil {
		matched.measured[failedToDLQ].Add(now, 1) // as on AWS, the metric is all that tells
		return delivery
	}
	matched.measured[sentToDLQ].Add(now, 1)
	delivery.DeadLetters = append(delivery.DeadLetters, DeadLetter{Queue: afterLast(t.deadLetters, ":"), Error: failure.Name})
	return delivery
}

// errorCodes are EventBridge's codes for a target's errors. Others are ERROR_FROM_TARGET.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
var errorCodes = map[string]string{
	"AccessDeniedException": "NO_PERMISSIONS", "KmsAccessDeniedException": "NO_PERMISSIONS", "StateMachineDoesNotExist": "NO_RESOURCE",
	InvalidExecutionInput: "INVALID_PARAMETER", "ThrottlingException": "THROTTLING",
}

// whyUndelivered is what EventBridge writes into a letter's attributes.
func (t target) whyUndelivered(ruleARN string, failure *states.Failure) map[string]string {
	return map[string]string{
		"RULE_ARN": ruleARN, "TARGET_ARN": t.machine, "ERROR_CODE": cmp.Or(errorCodes[failure.Name], "ERROR_FROM_TARGET"),
		"ERROR_MESSAGE": cmp.Or(failure.Cause, failure.Name),
	}
}

// startable says why a rule can't start a state machine, with the error of StartExecution, which EventBridge doesn't
// retry.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_Errors
func (c *Cloud) startable(ruleARN, target, machineARN string) error {
	err := c.allowed(access.StartExecution, ruleARN, target, "")
	if err == nil {
		err = c.allowed(access.BeginExecution, machineARN, machineARN, "")
	}
	switch {
	case err == nil:
		return nil
	case keyDenied(err):
		return &states.Failure{Name: "KmsAccessDeniedException", Cause: err.Error()}
	}
	return &states.Failure{Name: "AccessDeniedException", Cause: err.Error()}
}

// keepUndelivered sends an event to the dead-letter queue of a rule's target, or of a bus.
func (c *Cloud) keepUndelivered(ctx context.Context, by, queueARN string, document *states.Document, trace string, why map[string]string) error {
	queued, err := c.live.queues.get(queueARN)
	if err == nil {
		err = c.allowed(access.KeepUndelivered, by, queueARN, "")
	}
	if err == nil {
		_, err = queued.Send(ctx, queue.Draft{Body: string(document.JSON()), TraceHeader: trace, Attributes: why})
	}
	return err
}

// unkept is what becomes of an event that the bus can't encrypt: it goes to the bus's own dead-letter queue, if that is
// possible. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq.html
func (c *Cloud) unkept(ctx context.Context, region, busARN string, document *states.Document, trace string, reason error) Delivery {
	delivery := Delivery{Failure: &states.Failure{Name: "KmsAccessDeniedException", Cause: reason.Error()}}
	r, _ := c.Read(BusType, region, afterLast(busARN, "/"))
	in, err := decode[targetInputs](r.Inputs)
	if err == nil {
		err = c.keepUndelivered(ctx, busARN, in.DeadLetterConfig.ARN, document, trace, map[string]string{"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": reason.Error()})
	}
	if err == nil {
		delivery.DeadLetters = []DeadLetter{{Queue: afterLast(in.DeadLetterConfig.ARN, ":"), Error: delivery.Failure.Name}}
	}
	return delivery
}
