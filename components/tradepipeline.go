package components

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const tradePipelineType = "trade-processing:components:TradePipeline"

// TradePipelineArgs are the arguments of NewTradePipeline.
type TradePipelineArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// Prefix begins the physical names of everything: up to 41 characters, so that the longest name fits into the 64
	// that AWS allows a role.
	Prefix string `pulumi:"prefix"`

	// Environment is the stack's name in the functions' logs and metrics.
	Environment string `pulumi:"environment"`

	// RepositoryPrefix is the namespace of the image repositories, such as trade-processing/dev.
	RepositoryPrefix string `pulumi:"repositoryPrefix"`

	// Sources are the source systems: up to 25, each of up to 16 letters, digits, - and _.
	Sources []string `pulumi:"sources"`

	// EventSourcePrefix precedes a source system in the "source" of its events, such as "trading.".
	EventSourcePrefix string `pulumi:"eventSourcePrefix"`

	// Stages is the table of the workflow's stages.
	Stages []Stage `pulumi:"stages"`

	// EventBusName is the bus to create, or "default" for the account's default bus. Default: Prefix.
	EventBusName string `pulumi:"eventBusName,optional"`

	// ProducerAccounts are the other accounts that may send, 12 digits each, by the source system that they may send
	// as. The pipeline's own account may send as any.
	ProducerAccounts map[string][]string `pulumi:"producerAccounts,optional"`

	// ArchiveDays is how long events are kept for replay: up to 36500. Default: forever.
	ArchiveDays int `pulumi:"archiveDays,optional"`

	// WorkflowType is how Step Functions runs the workflow: STANDARD or EXPRESS. Default: STANDARD.
	WorkflowType WorkflowType `pulumi:"workflowType,optional"`

	// WorkflowLogLevel is how much of its executions the workflow logs: ERROR or ALL. Default: ERROR.
	WorkflowLogLevel LogLevel `pulumi:"workflowLogLevel,optional"`

	// TracePercent is how many percent of the trades X-Ray traces, 1 to 100, besides those whose sender asks for it.
	// Default: 1.
	TracePercent int `pulumi:"tracePercent,optional"`

	// MaxRetries is how often a function call is retried after a transient error, as far as the workflow's type has
	// time for it. Default: never.
	MaxRetries int `pulumi:"maxRetries,optional"`

	// LambdaSources is the folder of the functions' Go module, relative to the project.
	LambdaSources string `pulumi:"lambdaSources"`

	// Project is the folder that LambdaSources is relative to. Default: the Pulumi project's folder.
	Project string `pulumi:"project,optional"`

	// ImageArguments are build arguments of the functions' Dockerfile.
	ImageArguments map[string]string `pulumi:"imageArguments,optional"`

	// ImageAfter is what must exist before the first push; see ContainerFunctionArgs.
	ImageAfter []pulumi.Resource

	// FunctionLogLevel is DEBUG, INFO, WARN or ERROR. Default: INFO.
	FunctionLogLevel string `pulumi:"functionLogLevel,optional"`

	// MetricsNamespace is the CloudWatch namespace of the functions' own metrics.
	MetricsNamespace string `pulumi:"metricsNamespace"`

	// Network is where the functions live. Default: outside a VPC.
	Network *FunctionNetwork `pulumi:"network,optional"`

	// Parameters are the SSM parameters that the functions read while they run.
	Parameters []Parameter `pulumi:"parameters,optional"`

	// ParameterPrefix is the SSM path of the parameters, with a slash at both ends.
	ParameterPrefix string `pulumi:"parameterPrefix"`

	// APIEndpointCIDRs are the IPv4 ranges that stages calling the API may reach from inside the network.
	APIEndpointCIDRs []string `pulumi:"apiEndpointCidrs,optional"`

	// APIEndpointPort is the API's port. Default: 443.
	APIEndpointPort int `pulumi:"apiEndpointPort,optional"`

	// Replicas are the table in other regions.
	Replicas []TableReplica `pulumi:"replicas,optional"`

	// Expires makes DynamoDB delete items at the time in their attribute expiresAt.
	Expires bool `pulumi:"expires,optional"`

	// MaxWriteUnits limits what the table may write per second: up to 1000000. Default: unlimited.
	MaxWriteUnits int `pulumi:"maxWriteUnits,optional"`

	// MaxReadUnits limits what the table, and each index, may be read per second: up to 1000000. Default: unlimited.
	MaxReadUnits int `pulumi:"maxReadUnits,optional"`

	// SilenceAlarmMinutes is how long each source may send nothing before an alarm goes off: up to 1440. Default:
	// forever.
	SilenceAlarmMinutes int `pulumi:"silenceAlarmMinutes,optional"`

	// KeyARN is the customer-managed key of everything. Its policy must let the services use it.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// LogRetentionDays is how long logs are kept: one of CloudWatch's retentions. Default: 365.
	LogRetentionDays int `pulumi:"logRetentionDays,optional"`

	// PermissionsBoundary is the ARN of the roles' permissions boundary. Default: none.
	PermissionsBoundary pulumi.StringInput `pulumi:"permissionsBoundary,optional"`

	// DeletionProtection keeps what holds trades, and repositories with images, from being deleted: the table and its
	// replicas by anybody; queues, bus and archive by a plan.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`
}

const (
	// maxPrefix leaves 22 characters of the 64 of a role's name: "-from-" and a source of 16.
	maxPrefix = 41

	// MaxSourceName is the longest name of a source system.
	MaxSourceName = 16

	// MaxSources is how many source systems fit into the rule of the one pager alarm, which names two alarms of each:
	// CloudWatch accepts 10,240 characters
	// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html).
	MaxSources = 25

	defaultFunctionLogLevel = "INFO"
)

// TradePipeline takes trades from the bus to the table: bus and archive, one route per source, the workflow and the
// functions of its stages, the table, the parameters, alarms and a dashboard.
type TradePipeline struct {
	pulumi.ResourceState

	Bus       *EventBus
	Routes    map[string]*SourceRoute    // by source system
	Delivery  map[string]*MonitoredQueue // what couldn't be delivered, by source system
	Workflow  *Workflow
	Functions []*ContainerFunction // of the stages, in their order
	Table     *GlobalTradeTable
	Dashboard *Dashboard
	Alarms    Alarms

	EventBusName         pulumi.StringOutput    `pulumi:"eventBusName"`
	TableName            pulumi.StringOutput    `pulumi:"tableName"`
	StateMachineARN      pulumi.StringOutput    `pulumi:"stateMachineArn"`
	StateMachineAliasARN pulumi.StringOutput    `pulumi:"stateMachineAliasArn"` // what the rules start
	DeadLetterQueueURLs  pulumi.StringMapOutput `pulumi:"deadLetterQueueUrls"`  // of what the functions failed on, by function
}

// NewTradePipeline creates a TradePipeline.
func NewTradePipeline(ctx *pulumi.Context, name string, given *TradePipelineArgs, opts ...pulumi.ResourceOption) (*TradePipeline, error) {
	args := given.withDefaults()
	p := &TradePipeline{Routes: map[string]*SourceRoute{}, Delivery: map[string]*MonitoredQueue{}}
	if err := register(ctx, tradePipelineType, name, p, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}
	for _, build := range []func(*pulumi.Context, *TradePipeline, string) error{
		args.newTable, args.newParameters, args.newFunctions, args.newWorkflow, args.newBus, args.newRoutes, args.newAlarms, args.newDashboard,
	} {
		if err := build(ctx, p, name); err != nil {
			return nil, err
		}
	}
	letters := pulumi.StringMap{}
	for i, function := range p.Functions {
		letters[args.Stages[i].Function] = function.DeadLetters.URL
	}
	p.EventBusName, p.TableName, p.DeadLetterQueueURLs = p.Bus.Name, p.Table.Name, letters.ToStringMapOutput()
	p.StateMachineARN, p.StateMachineAliasARN = p.Workflow.ARN, p.Workflow.AliasARN
	return p, registerOutputs(ctx, name, p)
}

func (args TradePipelineArgs) withDefaults() *TradePipelineArgs {
	if args.EventBusName == "" {
		args.EventBusName = args.Prefix
	}
	if args.FunctionLogLevel == "" {
		args.FunctionLogLevel = defaultFunctionLogLevel
	}
	if args.WorkflowType == "" {
		args.WorkflowType = Standard
	}
	if args.WorkflowLogLevel == "" {
		args.WorkflowLogLevel = LogErrors
	}
	if args.TracePercent == 0 {
		args.TracePercent = defaultTracePercent
	}
	if args.LogRetentionDays == 0 {
		args.LogRetentionDays = defaultLogRetentionDays
	}
	if args.APIEndpointPort == 0 {
		args.APIEndpointPort = https
	}
	return &args
}

// Check lists every problem with the arguments, as joined *ArgumentError values. Only a program that reads them from
// config needs it: NewTradePipeline checks them too.
func (args TradePipelineArgs) Check() error { return args.withDefaults().check("") }

func (args *TradePipelineArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("Prefix", args.Prefix, nameRule{maxPrefix, words, wordCharacters})
	a.text("Environment", args.Environment)
	a.text("LambdaSources", args.LambdaSources)
	a.text("EventSourcePrefix", args.EventSourcePrefix)
	a.text("MetricsNamespace", args.MetricsNamespace)
	if !strings.HasPrefix(args.ParameterPrefix, "/") || !strings.HasSuffix(args.ParameterPrefix, "/") {
		a.problem("ParameterPrefix", "%q needs a slash at both ends", args.ParameterPrefix)
	}
	if len(args.Sources) == 0 {
		a.problem("Sources", "is empty: no trade could get in")
	}
	if len(args.Sources) > MaxSources {
		a.problem("Sources", "are %d, but one pager alarm covers at most %d", len(args.Sources), MaxSources)
	}
	seen := map[string]bool{}
	for i, source := range args.Sources {
		field := fmt.Sprintf("Sources[%d]", i)
		a.name(field, source, nameRule{MaxSourceName, words, wordCharacters})
		a.unique(field, source, seen)
	}
	for _, source := range slices.Sorted(maps.Keys(args.ProducerAccounts)) {
		field := "ProducerAccounts[" + source + "]"
		if !slices.Contains(args.Sources, source) {
			a.problem(field, "%q is not one of the sources", source)
		}
		a.accounts(field, args.ProducerAccounts[source])
		if slices.Contains(args.ProducerAccounts[source], args.Scope.Account) {
			a.problem(field, "%q is the pipeline's own account, which may send as any source", args.Scope.Account)
		}
	}
	for i, cidr := range args.APIEndpointCIDRs {
		if prefix, err := netip.ParsePrefix(cidr); err != nil || !prefix.Addr().Is4() {
			a.problem(fmt.Sprintf("APIEndpointCIDRs[%d]", i), "%q is not an IPv4 range", cidr)
		}
	}
	for i, stage := range args.Stages {
		if stage.CallsAPI && args.Network != nil && len(args.APIEndpointCIDRs) == 0 {
			a.problem("APIEndpointCIDRs", "is empty: Stages[%d] could reach no API from inside the network", i)
		}
	}
	args.checkStages(a)
	args.checkParameters(a)
	a.choice("FunctionLogLevel", args.FunctionLogLevel, "DEBUG", "INFO", "WARN", "ERROR")
	a.choice("WorkflowType", string(args.WorkflowType), string(Standard), string(Express))
	a.choice("WorkflowLogLevel", string(args.WorkflowLogLevel), string(LogErrors), string(LogAll))
	a.between("TracePercent", args.TracePercent, 1, 100)
	a.name("EventBusName", args.EventBusName, eventBusName)
	a.archive("ArchiveDays", args.ArchiveDays)
	a.retention("LogRetentionDays", args.LogRetentionDays)
	a.units("MaxWriteUnits", args.MaxWriteUnits)
	a.units("MaxReadUnits", args.MaxReadUnits)
	a.between("SilenceAlarmMinutes", args.SilenceAlarmMinutes, 0, MaxSilenceMinutes)
	a.between("APIEndpointPort", args.APIEndpointPort, 1, 65535)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	return a.err()
}

func (args *TradePipelineArgs) newTable(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	table := &GlobalTradeTableArgs{
		Scope:              args.Scope,
		TableName:          args.Prefix + "-trades",
		KeyARN:             args.KeyARN,
		AlarmTopicARN:      args.AlarmTopicARN,
		Replicas:           args.Replicas,
		DeletionProtection: args.DeletionProtection,
		MaxWriteUnits:      args.MaxWriteUnits,
		MaxReadUnits:       args.MaxReadUnits,
	}
	if args.Expires {
		table.ExpiresAttribute = ExpiresAtAttribute
	}
	p.Table, err = NewGlobalTradeTable(ctx, name+"-trades", table, pulumi.Parent(p))
	return err
}

func (args *TradePipelineArgs) newWorkflow(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	p.Workflow, err = NewWorkflow(ctx, name+"-workflow", &WorkflowArgs{
		Scope:               args.Scope,
		WorkflowName:        args.Prefix + "-workflow",
		Type:                args.WorkflowType,
		Definition:          StagedDefinition(workflowStages(args.Stages), args.MaxRetries),
		Functions:           p.Functions,
		Logging:             args.WorkflowLogLevel,
		TracePercent:        args.TracePercent,
		LogRetentionDays:    args.LogRetentionDays,
		KeyARN:              args.KeyARN,
		AlarmTopicARN:       args.AlarmTopicARN,
		PermissionsBoundary: args.PermissionsBoundary,
	}, pulumi.Parent(p))
	return err
}

func (args *TradePipelineArgs) newBus(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	var eventSources []string
	producers := map[string][]string{}
	for _, source := range args.Sources {
		eventSources = append(eventSources, args.EventSourcePrefix+source)
		producers[args.EventSourcePrefix+source] = args.ProducerAccounts[source]
	}
	p.Bus, err = NewEventBus(ctx, name+"-bus", &EventBusArgs{
		Scope:               args.Scope,
		BusName:             args.EventBusName,
		ArchiveName:         pulumi.String(args.Prefix + "-events"),
		DeadLetterQueueName: args.Prefix + "-bus-dead-letters",
		EventSources:        eventSources,
		ProducerAccounts:    producers,
		ArchiveDays:         args.ArchiveDays,
		KeyARN:              args.KeyARN,
		AlarmTopicARN:       args.AlarmTopicARN,
		DeletionProtection:  args.DeletionProtection,
	}, pulumi.Parent(p))
	return err
}

// newRoutes creates one route per source, each with its own dead-letter queue. The queues are numbered by the source's
// position in the list, not named after it: renaming a source then replaces its rule, which holds nothing, and leaves
// the queue, which may hold trades.
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
			Scope:       args.Scope,
			RuleName:    ruleName,
			EventSource: args.EventSourcePrefix + source,
			Accounts:    append([]string{args.Scope.Account}, args.ProducerAccounts[source]...),
			Bus:         p.Bus,
			// By name, which survives a replacement: a preview wouldn't know the ARN of the new machine.
			StateMachineARN:     pulumi.String(args.Scope.ARN("states", "stateMachine:"+p.Workflow.Name)),
			AliasARN:            p.Workflow.AliasARN,
			AliasName:           p.Workflow.AliasName,
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
