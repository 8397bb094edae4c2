package components

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const eventBusType = "trade-processing:components:EventBus"

// DefaultBus is the name of the event bus that every account has in every region.
const DefaultBus = "default"

// EventBusArgs are the arguments of NewEventBus.
type EventBusArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// BusName is the physical name of the bus: up to 256 letters, digits, -, _, . and /. "default" uses the account's
	// default bus, whose key and dead-letter queue are up to the account. The bus's policy names the bus before it
	// exists.
	BusName string `pulumi:"busName"`

	// ArchiveName is the physical name of the archive: up to 48 letters, digits, -, _ and .
	ArchiveName pulumi.StringInput `pulumi:"archiveName"`

	// DeadLetterQueueName is the physical name of the bus's own dead-letter queue. Unused with the account's default
	// bus.
	DeadLetterQueueName string `pulumi:"deadLetterQueueName,optional"`

	// EventSources are the accepted values of an event's "source". Other accounts can send only these, and on the
	// account's default bus only these are archived.
	EventSources []string `pulumi:"eventSources"`

	// ProducerAccounts are the other accounts that may send, 12 digits each, by the event source that they may send.
	ProducerAccounts map[string][]string `pulumi:"producerAccounts,optional"`

	// ArchiveDays is how long events are kept for replay: up to 36500. Default: forever.
	ArchiveDays int `pulumi:"archiveDays,optional"`

	// KeyARN is the customer-managed key of bus and dead-letter queue. Its policy must let EventBridge use it.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// DeletionProtection refuses a plan that would delete or replace bus, archive or queue, and with them the events
	// that can be replayed or redriven.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`
}

// EventBus is the bus that trades arrive on, with its archive for replays, its resource policy, and a dead-letter queue
// for what it couldn't encrypt.
type EventBus struct {
	pulumi.ResourceState

	PhysicalName string
	Name         pulumi.StringOutput `pulumi:"name"` // the same, once the bus exists
	ARN          pulumi.StringOutput `pulumi:"arn"`
	ArchiveName  pulumi.StringOutput `pulumi:"archiveName"`
	DeadLetters  *MonitoredQueue     // nil with DefaultBus
	Alarms       Alarms
}

// NewEventBus creates an EventBus.
func NewEventBus(ctx *pulumi.Context, name string, given *EventBusArgs, opts ...pulumi.ResourceOption) (*EventBus, error) {
	args := *given
	b := &EventBus{PhysicalName: args.BusName}
	if err := register(ctx, eventBusType, name, b, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}
	if args.BusName == DefaultBus {
		b.Name, b.ARN = pulumi.String(args.BusName).ToStringOutput(), pulumi.String(args.arn()).ToStringOutput()
	} else if err := b.newBus(ctx, name, &args); err != nil {
		return nil, err
	}

	policy, err := args.policy()
	if err != nil {
		return nil, err
	}
	if policy != "" {
		_, err = cloudwatch.NewEventBusPolicy(ctx, name+"-policy", &cloudwatch.EventBusPolicyArgs{
			EventBusName: b.Name,
			Policy:       policy,
		}, pulumi.Parent(b))
		if err != nil {
			return nil, fmt.Errorf("creating the policy of event bus %s: %w", name, err)
		}
	}

	// This version of the provider can't give an archive a customer-managed key: EventBridge encrypts it with its own.
	archive := &cloudwatch.EventArchiveArgs{
		Name:           args.ArchiveName,
		Description:    pulumi.String("Every event of " + args.BusName + " that may have to be replayed"),
		EventSourceArn: b.ARN,
		RetentionDays:  pulumi.Int(args.ArchiveDays),
	}
	if args.BusName == DefaultBus {
		pattern, err := json.Marshal(map[string][]string{"source": args.EventSources})
		if err != nil {
			return nil, fmt.Errorf("rendering the pattern of archive %s: %w", name, err)
		}
		archive.EventPattern = pulumi.String(pattern)
	}
	made, err := cloudwatch.NewEventArchive(ctx, name+"-archive", archive, pulumi.Parent(b), pulumi.Protect(args.DeletionProtection))
	if err != nil {
		return nil, fmt.Errorf("creating the archive of event bus %s: %w", name, err)
	}
	b.ArchiveName = made.Name

	return b, registerOutputs(ctx, name, b)
}

// newBus creates the bus, and before it the queue for what it can't encrypt or decrypt: without one, AWS drops such
// events.
func (b *EventBus) newBus(ctx *pulumi.Context, name string, args *EventBusArgs) error {
	var err error
	b.DeadLetters, err = NewMonitoredQueue(ctx, name+"-dead-letters", &MonitoredQueueArgs{
		Scope:         args.Scope,
		QueueName:     args.DeadLetterQueueName,
		Holds:         "events that bus " + args.BusName + " could not encrypt",
		KeyARN:        args.KeyARN,
		AlarmTopicARN: args.AlarmTopicARN,
		Senders:       []QueueSender{{Service: eventService, ResourceARN: pulumi.String(args.arn())}},

		DeletionProtection: args.DeletionProtection,
	}, pulumi.Parent(b))
	if err != nil {
		return err
	}
	b.Alarms.add(b.DeadLetters.Alarms)
	bus, err := cloudwatch.NewEventBus(ctx, name+"-bus", &cloudwatch.EventBusArgs{
		Name:             pulumi.String(args.BusName),
		Description:      pulumi.String("Trades from their source systems"),
		KmsKeyIdentifier: args.KeyARN,
		DeadLetterConfig: &cloudwatch.EventBusDeadLetterConfigArgs{Arn: b.DeadLetters.ARN},
	}, pulumi.Parent(b), pulumi.DependsOn([]pulumi.Resource{b.DeadLetters.Policy}), pulumi.Protect(args.DeletionProtection))
	if err != nil {
		return fmt.Errorf("creating event bus %s: %w", name, err)
	}
	b.Name, b.ARN = bus.Name, bus.Arn
	return nil
}

func (args *EventBusArgs) arn() string { return args.Scope.ARN("events", "event-bus/"+args.BusName) }

func (args *EventBusArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("BusName", args.BusName, eventBusName)
	a.nameInput("ArchiveName", args.ArchiveName, archiveName)
	if args.BusName != DefaultBus {
		a.name("DeadLetterQueueName", args.DeadLetterQueueName, queueName)
	}
	if len(args.EventSources) == 0 {
		a.problem("EventSources", "is empty: nobody could send anything")
	}
	for _, source := range slices.Sorted(maps.Keys(args.ProducerAccounts)) {
		field := "ProducerAccounts[" + source + "]"
		if !slices.Contains(args.EventSources, source) {
			a.problem(field, "is not one of EventSources")
		}
		a.accounts(field, args.ProducerAccounts[source])
	}
	a.archive("ArchiveDays", args.ArchiveDays)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	return a.err()
}

// policy says which accounts may send what. A bus without a policy is open to its own account's roles; a custom bus
// states that, so a reviewer sees that nobody else may send. The default bus serves others too, so its policy is
// touched only to let producers in. The text is empty if there is nothing to say.
func (args *EventBusArgs) policy() (pulumi.String, error) {
	var made []iam.Statement
	bus := iam.Strings{args.arn()}
	put := iam.Strings{"events:PutEvents"}
	if args.BusName != DefaultBus {
		made = append(made, iam.Statement{
			Sid: "OwnAccount", Effect: iam.Allow, Principal: iam.AWS(args.Scope.Global("iam", "root")), Action: put, Resource: bus,
		})
	}
	for i, producers := range args.producers() {
		made = append(made, iam.Statement{
			Sid: fmt.Sprintf("Producers%d", i+1), Effect: iam.Allow, Principal: iam.AWS(producers.accounts...), Action: put, Resource: bus,
			Condition: iam.Conditions{iam.StringEquals: {"events:source": producers.sources}},
		})
	}
	if len(made) == 0 {
		return "", nil
	}
	text, err := iam.New(made...).JSON()
	return pulumi.String(text), err
}

// producers are accounts that may send the same sources.
type producers struct{ accounts, sources []string }

// producers returns the other accounts as principals, in order. Those with the same sources share a statement, because
// a bus's policy is limited in size.
func (args *EventBusArgs) producers() []*producers {
	sources := map[string][]string{} // by account
	for _, source := range args.EventSources {
		for _, account := range args.ProducerAccounts[source] {
			sources[account] = append(sources[account], source)
		}
	}
	var all []*producers
	for _, account := range slices.Sorted(maps.Keys(sources)) {
		other := args.Scope
		other.Account = account
		at := slices.IndexFunc(all, func(p *producers) bool { return slices.Equal(p.sources, sources[account]) })
		if at < 0 {
			at, all = len(all), append(all, &producers{sources: sources[account]})
		}
		all[at].accounts = append(all[at].accounts, other.Global("iam", "root"))
	}
	return all
}
