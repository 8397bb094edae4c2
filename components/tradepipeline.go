package components

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const tradePipelineType = "trade-processing:components:TradePipeline"

// eventSourcePrefix stands before the source system in an event's "source".
const eventSourcePrefix = "trading."

// TradePipelineArgs are the arguments of NewTradePipeline.
type TradePipelineArgs struct {
	Scope Scope

	// Prefix begins the physical names of everything: up to 41 characters, so that the longest name fits into the 64 that
	// AWS allows a role.
	Prefix string

	// Environment is what the functions call their stack in logs and metrics.
	Environment string

	// RepositoryPrefix is the namespace of the image repositories, such as trade-processing/dev.
	RepositoryPrefix string

	// ParameterPrefix is the SSM path of the parameters, with a slash at both ends.
	ParameterPrefix string

	// Sources are the source systems. The source of their events is "trading.<source system>".
	Sources []string

	// Bus. EventBusName may be DefaultBus; default: Prefix. ArchiveDays 0 keeps events for ever.
	EventBusName     string
	ProducerAccounts []string
	ArchiveDays      int

	// Workflow. Defaults: those of NewWorkflow.
	WorkflowType    WorkflowType
	WorkflowLogging LogLevel
	MaxRetries      int

	// Functions.
	LambdaSources                 string            // the folder of the functions' module, relative to the project
	Project                       string            // see ImageSource
	ImageArguments                map[string]string // some of ImageArguments
	Validator, Enricher, Recorder FunctionSize
	AllowedCurrencies             []string      // beyond ISO 4217
	MaxClockSkew                  time.Duration // of an executedAt in the future; default: 5 minutes
	FunctionLogLevel              string        // DEBUG, INFO, WARN or ERROR; default: INFO
	Network                       *PrivateNetwork
	ImageAfter                    []pulumi.Resource // see ContainerFunctionArgs

	// What an operator can change without a deployment. APIEndpoint is a URL, or empty; APISecret keeps it encrypted.
	// APIRanges are the address ranges behind it, which the enricher may reach.
	APIEndpoint         string
	APISecret           bool
	APIRanges           []string
	APIPort             int // default: 443
	ProcessingThreshold string

	// Table.
	Replicas       []TableReplica
	RetentionYears int // 0: trades are kept for ever
	MaxWriteUnits  int
	MaxReadUnits   int

	// SilenceAlarmMinutes is how long each source may send nothing before an alarm goes off; see SourceRouteArgs.
	SilenceAlarmMinutes int

	// RejectionPercent is the share of rejected trades that raises an alarm. Default: 5.
	RejectionPercent int

	KeyARN              pulumi.StringInput
	AlarmTopicARN       pulumi.StringInput
	LogRetentionDays    int
	PermissionsBoundary pulumi.StringInput

	// DeletionProtection keeps what holds trades, and repositories with images in them, from being deleted: the table and
	// its replicas by anybody, queues, bus and archive by a plan.
	DeletionProtection bool
}

// FunctionSize is what the functions of a pipeline differ in.
type FunctionSize struct {
	MemoryMB            int // default: that of NewContainerFunction
	ReservedConcurrency int // 0: unreserved
}

const (
	// maxPrefix leaves 22 characters of the 64 of a role's name: "-from-" and a source of 16.
	maxPrefix = 41

	// MaxSourceName is the longest name of a source system.
	MaxSourceName = 16

	// MaxSources is how many source systems fit into the rule of the one alarm for the pager, which names two alarms of
	// each: CloudWatch takes 10,240 characters
	// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html).
	MaxSources = 25

	defaultMaxClockSkew     = 5 * time.Minute
	defaultFunctionLogLevel = "INFO"
	defaultRejectionPercent = 5
)

// TradePipeline takes trades from the bus to the table: bus and archive, one route a source, the workflow, its three
// functions, the table, the parameters, alarms and a dashboard.
type TradePipeline struct {
	pulumi.ResourceState

	Bus       *EventBus
	Routes    map[string]*SourceRoute    // by source system
	Delivery  map[string]*MonitoredQueue // what could not be delivered, by source system
	Workflow  *Workflow
	Validator *ContainerFunction
	Enricher  *ContainerFunction
	Recorder  *ContainerFunction
	Table     *GlobalTradeTable
	Dashboard *Dashboard
	Alarms    Alarms
}

// Functions are the pipeline's functions by what they do.
func (p *TradePipeline) Functions() map[string]*ContainerFunction {
	return map[string]*ContainerFunction{validatorName: p.Validator, enricherName: p.Enricher, recorderName: p.Recorder}
}

// NewTradePipeline makes a TradePipeline.
func NewTradePipeline(ctx *pulumi.Context, name string, given *TradePipelineArgs, opts ...pulumi.ResourceOption) (*TradePipeline, error) {
	args := given.withDefaults()
	if err := args.check(name); err != nil {
		return nil, err
	}
	p := &TradePipeline{Routes: map[string]*SourceRoute{}, Delivery: map[string]*MonitoredQueue{}}
	if err := ctx.RegisterComponentResource(tradePipelineType, name, p, opts...); err != nil {
		return nil, fmt.Errorf("registering pipeline %s: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, *TradePipeline, string) error{
		args.newTable, args.newParameters, args.newFunctions, args.newWorkflow, args.newBus, args.newRoutes, args.newAlarms, args.newDashboard,
	} {
		if err := build(ctx, p, name); err != nil {
			return nil, err
		}
	}
	if err := ctx.RegisterResourceOutputs(p, pulumi.Map{"tableName": p.Table.Name, "workflowArn": p.Workflow.ARN}); err != nil {
		return nil, fmt.Errorf("registering the outputs of pipeline %s: %w", name, err)
	}
	return p, nil
}

func (args TradePipelineArgs) withDefaults() *TradePipelineArgs {
	if args.EventBusName == "" {
		args.EventBusName = args.Prefix
	}
	if args.MaxClockSkew == 0 {
		args.MaxClockSkew = defaultMaxClockSkew
	}
	if args.FunctionLogLevel == "" {
		args.FunctionLogLevel = defaultFunctionLogLevel
	}
	if args.RejectionPercent == 0 {
		args.RejectionPercent = defaultRejectionPercent
	}
	if args.APIPort == 0 {
		args.APIPort = https
	}
	return &args
}

// check is for what the pipeline itself asks; its parts check what it hands on to them.
func (args *TradePipelineArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("Prefix", args.Prefix, nameRule{maxPrefix, words, wordCharacters})
	a.text("Environment", args.Environment)
	a.text("LambdaSources", args.LambdaSources)
	a.text("ProcessingThreshold", args.ProcessingThreshold)
	if !strings.HasPrefix(args.ParameterPrefix, "/") || !strings.HasSuffix(args.ParameterPrefix, "/") {
		a.problem("ParameterPrefix", "%q needs a slash at both ends", args.ParameterPrefix)
	}
	if len(args.Sources) == 0 {
		a.problem("Sources", "is empty: no trade would have a way in")
	}
	if len(args.Sources) > MaxSources {
		a.problem("Sources", "are %d, and one alarm for the pager covers up to %d", len(args.Sources), MaxSources)
	}
	seen := map[string]bool{}
	for i, source := range args.Sources {
		field := fmt.Sprintf("Sources[%d]", i)
		a.name(field, source, nameRule{MaxSourceName, words, wordCharacters})
		if seen[source] {
			a.problem(field, "%q stands twice", source)
		}
		seen[source] = true
	}
	if args.APIEndpoint != "" && args.Network != nil && len(args.APIRanges) == 0 {
		a.problem("APIRanges", "is empty: the enricher could not reach %s", args.APIEndpoint)
	}
	for i, cidr := range args.APIRanges {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			a.problem(fmt.Sprintf("APIRanges[%d]", i), "%q is no address range", cidr)
		}
	}
	a.between("APIPort", args.APIPort, 1, 65535)
	a.between("RetentionYears", args.RetentionYears, 0, 100)
	a.between("RejectionPercent", args.RejectionPercent, 1, 100)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	return a.err()
}

func (args *TradePipelineArgs) newTable(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	p.Table, err = NewGlobalTradeTable(ctx, name+"-trades", &GlobalTradeTableArgs{
		Scope:              args.Scope,
		TableName:          args.Prefix + "-trades",
		KeyARN:             args.KeyARN,
		AlarmTopicARN:      args.AlarmTopicARN,
		Replicas:           args.Replicas,
		DeletionProtection: args.DeletionProtection,
		Expires:            args.RetentionYears > 0,
		MaxWriteUnits:      args.MaxWriteUnits,
		MaxReadUnits:       args.MaxReadUnits,
	}, pulumi.Parent(p))
	return err
}

func (args *TradePipelineArgs) newWorkflow(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	p.Workflow, err = NewWorkflow(ctx, name+"-workflow", &WorkflowArgs{
		Scope:               args.Scope,
		WorkflowName:        args.Prefix + "-workflow",
		Type:                args.WorkflowType,
		Validator:           p.Validator,
		Enricher:            p.Enricher,
		Recorder:            p.Recorder,
		MaxRetries:          args.MaxRetries,
		Logging:             args.WorkflowLogging,
		LogRetentionDays:    args.LogRetentionDays,
		KeyARN:              args.KeyARN,
		AlarmTopicARN:       args.AlarmTopicARN,
		PermissionsBoundary: args.PermissionsBoundary,
	}, pulumi.Parent(p))
	return err
}

func (args *TradePipelineArgs) newBus(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	var eventSources []string
	for _, source := range args.Sources {
		eventSources = append(eventSources, eventSourcePrefix+source)
	}
	p.Bus, err = NewEventBus(ctx, name+"-bus", &EventBusArgs{
		Scope:               args.Scope,
		BusName:             args.EventBusName,
		ArchiveName:         pulumi.String(args.Prefix + "-events"),
		DeadLetterQueueName: args.Prefix + "-bus-dead-letters",
		EventSources:        eventSources,
		ProducerAccounts:    args.ProducerAccounts,
		ArchiveDays:         args.ArchiveDays,
		KeyARN:              args.KeyARN,
		AlarmTopicARN:       args.AlarmTopicARN,
		DeletionProtection:  args.DeletionProtection,
	}, pulumi.Parent(p))
	return err
}

// newRoutes makes one route a source, each with a dead-letter queue of its own. The queues are numbered by the source's
// place in the list and not named after it: renaming a source then replaces its rule, which holds nothing, and leaves the
// queue, which may hold trades.
func (args *TradePipelineArgs) newRoutes(ctx *pulumi.Context, p *TradePipeline, name string) error {
	for i, source := range args.Sources {
		number := fmt.Sprintf("%d", i+1)
		ruleName := args.Prefix + "-from-" + source
		queue, err := NewMonitoredQueue(ctx, name+"-delivery-"+number, &MonitoredQueueArgs{
			Scope:         args.Scope,
			QueueName:     args.Prefix + "-delivery-" + number + "-dead-letters",
			Holds:         "events that EventBridge could not deliver to the workflow",
			KeyARN:        args.KeyARN,
			AlarmTopicARN: args.AlarmTopicARN,
			Senders: []QueueSender{{
				Service: eventService, ResourceARN: pulumi.String(RuleARN(args.Scope, args.EventBusName, ruleName)),
			}},

			DeletionProtection: args.DeletionProtection,
		}, pulumi.Parent(p))
		if err != nil {
			return err
		}
		p.Delivery[source] = queue
		p.Routes[source], err = NewSourceRoute(ctx, name+"-from-"+source, &SourceRouteArgs{
			Scope:               args.Scope,
			RuleName:            ruleName,
			EventSource:         eventSourcePrefix + source,
			Bus:                 p.Bus,
			WorkflowARN:         p.Workflow.AliasARN,
			DeadLetters:         queue,
			SilenceAlarmMinutes: args.SilenceAlarmMinutes,
			AlarmTopicARN:       args.AlarmTopicARN,
			PermissionsBoundary: args.PermissionsBoundary,
		}, pulumi.Parent(p))
		if err != nil {
			return err
		}
	}
	return nil
}
