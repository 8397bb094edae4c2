package components

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sfn"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/xray"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const workflowComponentType = "trade-processing:components:Workflow"

// LogLevel is how much of its executions a state machine logs.
type LogLevel string

const (
	LogErrors LogLevel = "ERROR" // what failed
	LogAll    LogLevel = "ALL"   // every step, never with the data of the trade
)

// WorkflowArgs are the arguments of NewWorkflow.
type WorkflowArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// WorkflowName is the physical name of state machine and role: up to 64 letters, digits, - and _.
	WorkflowName string

	// Type is STANDARD or EXPRESS. Default: STANDARD.
	Type WorkflowType

	// Definition builds the state machine of this Type. StagedDefinition builds one from stages.
	Definition Definition

	// Functions are what the definition calls: the workflow may invoke them and send to their dead-letter queues.
	Functions []*ContainerFunction

	// Logging is how much is logged. Default: ERROR.
	Logging LogLevel

	// LogRetentionDays is one of LogRetentionDays. Default: 365.
	LogRetentionDays int

	// TracePercent is how many percent of the executions X-Ray traces, 1 to 100. An event whose sender has decided is traced,
	// or not, as he did. Default: 1.
	TracePercent int

	// KeyARN is the customer-managed key of definition, executions and logs.
	KeyARN pulumi.StringInput

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput

	// PermissionsBoundary is the ARN of the role's permissions boundary. Default: none.
	PermissionsBoundary pulumi.StringInput
}

// Workflow is a Step Functions state machine: its role, its log group, a published version behind an alias, alarms.
type Workflow struct {
	pulumi.ResourceState

	Name      string
	ARN       pulumi.StringOutput `pulumi:"arn"`
	AliasARN  pulumi.StringOutput `pulumi:"aliasArn"` // what rules start
	AliasName string              // the alias without the workflow
	Alarms    Alarms
}

// WorkflowLogGroup returns the log group of a state machine. Log groups with this prefix share the resource policy that
// lets the delivery service write, which would otherwise grow too large with one entry per group.
func WorkflowLogGroup(workflowName string) string { return "/aws/vendedlogs/states/" + workflowName }

// NewWorkflow creates a Workflow.
func NewWorkflow(ctx *pulumi.Context, name string, given *WorkflowArgs, opts ...pulumi.ResourceOption) (*Workflow, error) {
	args := given.withDefaults()
	w := &Workflow{Name: args.WorkflowName, AliasName: aliasName}
	if err := register(ctx, workflowComponentType, name, w, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	logs, err := cloudwatch.NewLogGroup(ctx, name+"-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(WorkflowLogGroup(args.WorkflowName)),
		RetentionInDays: pulumi.Int(args.LogRetentionDays),
		KmsKeyId:        args.KeyARN,
	}, pulumi.Parent(w))
	if err != nil {
		return nil, fmt.Errorf("creating the log group of workflow %s: %w", name, err)
	}
	role, policy, err := args.newRole(ctx, w, name)
	if err != nil {
		return nil, err
	}

	machine, err := sfn.NewStateMachine(ctx, name+"-machine", &sfn.StateMachineArgs{
		Name:       pulumi.String(args.WorkflowName),
		Type:       pulumi.String(string(args.Type)),
		RoleArn:    role.Arn,
		Definition: args.definition(),
		Publish:    pulumi.Bool(true),
		LoggingConfiguration: &sfn.StateMachineLoggingConfigurationArgs{
			Level:                pulumi.String(string(args.Logging)),
			IncludeExecutionData: pulumi.Bool(false),               // trades don't belong in logs
			LogDestination:       pulumi.Sprintf("%s:*", logs.Arn), // Step Functions refuses the ARN without this suffix
		},
		TracingConfiguration: &sfn.StateMachineTracingConfigurationArgs{Enabled: pulumi.Bool(true)},
		EncryptionConfiguration: &sfn.StateMachineEncryptionConfigurationArgs{
			Type:                         pulumi.String("CUSTOMER_MANAGED_KMS_KEY"),
			KmsKeyId:                     args.KeyARN,
			KmsDataKeyReusePeriodSeconds: pulumi.Int(int(dataKeyReuse.Seconds())),
		},
	}, pulumi.Parent(w), pulumi.DependsOn([]pulumi.Resource{policy})) // Step Functions checks the role's permissions at once
	if err != nil {
		return nil, fmt.Errorf("creating state machine %s: %w", name, err)
	}
	if err := args.newSamplingRule(ctx, w, name); err != nil {
		return nil, err
	}
	alias, err := sfn.NewAlias(ctx, name+"-alias", &sfn.AliasArgs{
		Name:        pulumi.String(aliasName),
		Description: pulumi.String("The version that new executions get"),
		RoutingConfigurations: sfn.AliasRoutingConfigurationArray{
			&sfn.AliasRoutingConfigurationArgs{StateMachineVersionArn: machine.StateMachineVersionArn, Weight: pulumi.Int(100)},
		},
		// A machine of another type replaces this one under the same name. AWS deletes the alias along with the old
		// one, and the new one's first version has the same ARN again, so that nothing else would show that the alias
		// is gone.
	}, pulumi.Parent(w), pulumi.ReplaceWith([]pulumi.Resource{machine}))
	if err != nil {
		return nil, fmt.Errorf("creating the alias of state machine %s: %w", name, err)
	}
	// By name, which survives a replacement: otherwise a preview would say that every rule's target changes.
	known := pulumi.String(args.Scope.ARN("states", "stateMachine:"+args.WorkflowName+":"+aliasName)).ToStringOutput()
	w.ARN, w.AliasARN = machine.Arn, pulumi.OutputWithDependencies(ctx.Context(), known, alias).(pulumi.StringOutput)

	w.Alarms, err = newAlarms(ctx, w, name, args.WorkflowName, args.AlarmTopicARN, args.alarms())
	if err != nil {
		return nil, err
	}
	return w, registerOutputs(ctx, name, w)
}

func (args WorkflowArgs) withDefaults() *WorkflowArgs {
	if args.Type == "" {
		args.Type = Standard
	}
	if args.Logging == "" {
		args.Logging = LogErrors
	}
	if args.LogRetentionDays == 0 {
		args.LogRetentionDays = defaultLogRetentionDays
	}
	if args.TracePercent == 0 {
		args.TracePercent = defaultTracePercent
	}
	return &args
}

const (
	defaultTracePercent = 1
	maxSamplingRuleName = 32 // https://docs.aws.amazon.com/xray/latest/api/API_SamplingRule.html
)

// newSamplingRule says which executions are traced. The account's default rule would take the first in each second and 5 % of
// the others, and whoever else uses the account may change it. Step Functions asks X-Ray for rules, and what comes after it
// follows its decision: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
func (args *WorkflowArgs) newSamplingRule(ctx *pulumi.Context, w *Workflow, name string) error {
	every := pulumi.String("*")
	_, err := xray.NewSamplingRule(ctx, name+"-traces", &xray.SamplingRuleArgs{
		// The end of a long name says more than its beginning.
		RuleName:      pulumi.String(args.WorkflowName[max(0, len(args.WorkflowName)-maxSamplingRuleName):]),
		ServiceName:   pulumi.String(args.WorkflowName),
		FixedRate:     pulumi.Float64(float64(args.TracePercent) / 100),
		ReservoirSize: pulumi.Int(0), // at a trade a second, one in each second would be all
		Priority:      pulumi.Int(1000),
		Version:       pulumi.Int(1),
		ServiceType:   every, Host: every, HttpMethod: every, ResourceArn: every, UrlPath: every,
	}, pulumi.Parent(w))
	if err != nil {
		return fmt.Errorf("creating the sampling rule of workflow %s: %w", name, err)
	}
	return nil
}

func (args *WorkflowArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("WorkflowName", args.WorkflowName, machineName)
	a.name("WorkflowName", args.WorkflowName, roleName)
	if args.Type != Standard && args.Type != Express {
		a.problem("Type", "is %q; it must be %s or %s", args.Type, Standard, Express)
	}
	if args.Logging != LogErrors && args.Logging != LogAll {
		a.problem("Logging", "is %q; it must be %s or %s", args.Logging, LogErrors, LogAll)
	}
	a.retention("LogRetentionDays", args.LogRetentionDays)
	a.between("TracePercent", args.TracePercent, 1, 100)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	if args.Definition == nil {
		a.problem("Definition", "is missing")
	}
	if len(args.Functions) == 0 {
		a.problem("Functions", "is empty: the workflow could call nothing")
	}
	for i, function := range args.Functions {
		if function == nil {
			a.problem(fmt.Sprintf("Functions[%d]", i), "is missing")
		}
	}
	return a.err()
}

// definition renders the workflow once the ARNs and URLs in it are known, and refuses an invalid one.
func (args *WorkflowArgs) definition() pulumi.StringOutput {
	var inputs pulumi.StringArray
	for _, f := range args.Functions {
		inputs = append(inputs, f.AliasARN, f.DeadLetters.URL)
	}
	return inputs.ToStringArrayOutput().ApplyT(func(known []string) (string, error) {
		functions := make([]CalledFunction, len(args.Functions))
		for i, f := range args.Functions {
			functions[i] = CalledFunction{AliasARN: known[2*i], Timeout: f.Timeout, DeadLettersURL: known[2*i+1]}
		}
		machine, err := args.Definition(args.Scope.Partition, args.Type, functions)
		if err != nil {
			return "", fmt.Errorf("defining workflow %s: %w", args.WorkflowName, err)
		}
		if err := machine.Check(); err != nil {
			return "", err
		}
		if args.Type == Express && !fitsExpress(machine) {
			return "", fmt.Errorf("workflow %s takes up to %d s, but an express one may take %d: lower its retries or timeouts", args.WorkflowName, machine.TimeoutSeconds, expressLimit)
		}
		return machine.JSON()
	}).(pulumi.StringOutput)
}

func (args *WorkflowArgs) newRole(ctx *pulumi.Context, w *Workflow, name string) (*awsiam.Role, *awsiam.RolePolicy, error) {
	machine := args.Scope.ARN("states", "stateMachine:"+args.WorkflowName)
	// AWS's own example ends in stateMachine:*, which leaves open whether the ARN of an alias is passed
	// (https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html).
	trusted, err := trust(workflowService, onBehalfOf(qualified(machine)...))
	if err != nil {
		return nil, nil, err
	}
	role, err := newRole(ctx, w, name+"-role", roleArgs{
		name: pulumi.String(args.WorkflowName), description: "What the workflow may do", trust: trusted, boundary: args.PermissionsBoundary,
	})
	if err != nil {
		return nil, nil, err
	}
	inputs := []pulumi.StringInput{args.KeyARN}
	for _, f := range args.Functions {
		inputs = append(inputs, f.AliasARN)
	}
	for _, f := range args.Functions {
		inputs = append(inputs, f.DeadLetters.ARN)
	}
	policy, err := awsiam.NewRolePolicy(ctx, name+"-role-policy", &awsiam.RolePolicyArgs{
		Name: pulumi.String("workflow"),
		Role: role.Name,
		Policy: policyOf(func(arn []string) []iam.Statement {
			key, aliases, queues := arn[0], arn[1:1+len(args.Functions)], arn[1+len(args.Functions):]
			return args.statements(machine, key, aliases, queues)
		}, inputs...),
	}, pulumi.Parent(w))
	if err != nil {
		return nil, nil, fmt.Errorf("creating the policy of role %s: %w", name, err)
	}
	return role, policy, nil
}

func (args *WorkflowArgs) statements(machine, key string, aliases, queues []string) []iam.Statement {
	throughSQS := useKeyThrough("sqs", args.Scope, key)
	throughSQS.Sid = "DeadLettersKey"
	return []iam.Statement{
		{Sid: "CallFunctions", Effect: iam.Allow, Action: iam.Strings{"lambda:InvokeFunction"}, Resource: aliases},
		{Sid: "KeepFailures", Effect: iam.Allow, Action: iam.Strings{"sqs:SendMessage"}, Resource: queues},
		throughSQS,
		{
			// Metrics have no ARNs.
			Sid: "ReportUnkept", Effect: iam.Allow, Action: iam.Strings{"cloudwatch:PutMetricData"}, Resource: anyResource,
			Condition: iam.Conditions{iam.StringEquals: {"cloudwatch:namespace": {unkeptNamespace}}},
		},
		{
			Sid: "OwnDataKey", Effect: iam.Allow, Action: iam.Strings{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: iam.Strings{key},
			Condition: iam.Conditions{iam.StringEquals: {"kms:EncryptionContext:aws:states:stateMachineArn": {machine}}},
		},
		{
			Sid: "OwnLogsKey", Effect: iam.Allow, Action: iam.Strings{"kms:GenerateDataKey"}, Resource: iam.Strings{key},
			Condition: iam.Conditions{iam.StringEquals: {"kms:EncryptionContext:SourceArn": {args.Scope.ARN("logs", "*")}}},
		},
		{
			// X-Ray has no resource-level permissions.
			Sid: "Traces", Effect: iam.Allow, Resource: anyResource,
			Action: iam.Strings{"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"},
		},
		{
			// Log deliveries have no ARNs (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html).
			Sid: "LogDelivery", Effect: iam.Allow, Resource: anyResource,
			Action: iam.Strings{
				"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
				"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
			},
		},
	}
}

func (args *WorkflowArgs) alarms() []alarm {
	dimensions := pulumi.StringMap{"StateMachineArn": pulumi.String(args.Scope.ARN("states", "stateMachine:"+args.WorkflowName))}
	executions := func(name, metric, what string, pages bool) alarm {
		return alarm{
			name: name, pages: pages, description: "Executions of " + args.WorkflowName + " " + what,
			namespace: "AWS/States", metric: metric, dimensions: dimensions,
			statistic: "Sum", period: time.Minute, periods: 1, threshold: 1, comparison: atLeast,
		}
	}
	return []alarm{
		{
			name: "unkept", pages: true,
			description: "Executions of " + args.WorkflowName + " failed, and the dead-letter queue of the function took no letter. See the runbook: executions without a dead letter.",
			namespace:   unkeptNamespace, metric: unkeptMetric, dimensions: pulumi.StringMap{unkeptDimension: pulumi.String(args.WorkflowName)},
			statistic: "Sum", period: time.Minute, periods: 1, threshold: 1, comparison: atLeast,
		},
		executions("failed", "ExecutionsFailed", "failed; their events are in the dead-letter queue of the function that failed, unless the alarm unkept is on too.", true),
		executions("timed-out", "ExecutionsTimedOut", "ran out of time, which nothing catches: redrive them from their history, or replay the archive.", true),
		executions("aborted", "ExecutionsAborted", "were stopped by somebody, and their events are in no queue: redrive them from their history, or replay the archive.", true),
		executions("throttled", "ExecutionThrottled", "are throttled: the account's quota of state transitions is used up.", false),
	}
}
