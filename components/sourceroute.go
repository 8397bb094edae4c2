package components

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const sourceRouteType = "trade-processing:components:SourceRoute"

const (
	// deliveryAge and deliveryAttempts are EventBridge's maximum. An event with a dead-letter queue to go to loses
	// nothing by being retried for a day first.
	deliveryAge      = 24 * time.Hour
	deliveryAttempts = 185

	// deadLettersSuffix ends the name of a route's own dead-letter queue.
	deadLettersSuffix = "-dead-letters"

	// workflowTargetID names the one target of each rule.
	workflowTargetID = "workflow"
)

// SourceRouteArgs are the arguments of NewSourceRoute.
type SourceRouteArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// RuleName is the physical name of rule and role: up to 64 letters, digits, -, _ and . The role's trust names the
	// rule before it exists.
	RuleName string `pulumi:"ruleName"`

	// EventSource is the value of an event's "source" that the route matches.
	EventSource string `pulumi:"eventSource"`

	// Accounts are the accounts whose events the route takes, 12 digits each. Default: the account that the route is
	// in.
	Accounts []string `pulumi:"accounts,optional"`

	// Bus is where the events arrive.
	Bus *EventBus

	// StateMachineARN is the state machine that each event starts.
	StateMachineARN pulumi.StringInput `pulumi:"stateMachineArn"`

	// AliasARN and AliasName are those of the alias that executions start through. Default: the state machine itself.
	AliasARN  pulumi.StringInput `pulumi:"aliasArn,optional"`
	AliasName string             `pulumi:"aliasName,optional"`

	// DeadLetters receives the events that couldn't be delivered; the rule must be one of its senders, see RuleARN.
	// Default: the route's own queue.
	DeadLetters *MonitoredQueue

	// KeyARN is the customer-managed key of the route's own dead-letter queue. Its policy must let the rule use it.
	KeyARN pulumi.StringInput `pulumi:"keyArn,optional"`

	// SilenceAlarmMinutes is how long the source may send nothing before an alarm goes off: up to MaxSilenceMinutes.
	// Default: forever, for a source whose market closes.
	SilenceAlarmMinutes int `pulumi:"silenceAlarmMinutes,optional"`

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// PermissionsBoundary is the ARN of the role's permissions boundary. Default: none.
	PermissionsBoundary pulumi.StringInput `pulumi:"permissionsBoundary,optional"`

	// DeletionProtection refuses a plan that would delete or replace the route's own dead-letter queue.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`
}

// MaxSilenceMinutes is the longest period that CloudWatch evaluates: a day.
const MaxSilenceMinutes = 24 * 60

// SourceRoute routes the events of one source to the workflow: a rule, its target with retries and a dead-letter queue,
// the role that starts the workflow, and alarms for failed deliveries.
type SourceRoute struct {
	pulumi.ResourceState

	RuleName pulumi.StringOutput `pulumi:"ruleName"`
	RuleARN  pulumi.StringOutput `pulumi:"ruleArn"`

	// DeadLetters keeps the events that couldn't be delivered.
	DeadLetters *MonitoredQueue
	Alarms      Alarms // including those of the route's own dead-letter queue
}

// RuleARN returns the ARN of a rule on a bus.
func RuleARN(scope Scope, busName, ruleName string) string {
	if busName == DefaultBus {
		return scope.ARN("events", "rule/"+ruleName)
	}
	return scope.ARN("events", "rule/"+busName+"/"+ruleName)
}

// NewSourceRoute creates a SourceRoute.
func NewSourceRoute(ctx *pulumi.Context, name string, given *SourceRouteArgs, opts ...pulumi.ResourceOption) (*SourceRoute, error) {
	args := *given
	r := &SourceRoute{}
	if err := register(ctx, sourceRouteType, name, r, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	if err := args.newDeadLetters(ctx, r, name); err != nil {
		return nil, err
	}
	// EventBridge, not the sender, sets an event's account: PutEvents has no member for it
	// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html), and a rule with
	// accounts matches nothing from others
	// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html).
	accounts := args.Accounts
	if len(accounts) == 0 {
		accounts = []string{args.Scope.Account}
	}
	pattern, err := json.Marshal(map[string][]string{"account": accounts, "source": {args.EventSource}})
	if err != nil {
		return nil, fmt.Errorf("rendering the pattern of rule %s: %w", name, err)
	}
	rule, err := cloudwatch.NewEventRule(ctx, name+"-rule", &cloudwatch.EventRuleArgs{
		Name:         pulumi.String(args.RuleName),
		Description:  pulumi.String("Trades of " + args.EventSource),
		EventBusName: args.Bus.Name,
		EventPattern: pulumi.String(pattern),
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("creating rule %s: %w", name, err)
	}
	r.RuleName, r.RuleARN = rule.Name, rule.Arn

	role, policy, err := args.newRole(ctx, r, name)
	if err != nil {
		return nil, err
	}
	_, err = cloudwatch.NewEventTarget(ctx, name+"-target", &cloudwatch.EventTargetArgs{
		Rule:         rule.Name,
		EventBusName: args.Bus.Name,
		TargetId:     pulumi.String(workflowTargetID),
		Arn:          args.target(),
		RoleArn:      role.Arn,
		RetryPolicy: &cloudwatch.EventTargetRetryPolicyArgs{
			MaximumEventAgeInSeconds: pulumi.Int(int(deliveryAge.Seconds())),
			MaximumRetryAttempts:     pulumi.Int(deliveryAttempts),
		},
		DeadLetterConfig: &cloudwatch.EventTargetDeadLetterConfigArgs{Arn: r.DeadLetters.ARN},
	}, pulumi.Parent(r), pulumi.DependsOn([]pulumi.Resource{policy, r.DeadLetters.Policy}))
	if err != nil {
		return nil, fmt.Errorf("creating the target of rule %s: %w", name, err)
	}

	own, err := newAlarms(ctx, r, name, args.RuleName, args.AlarmTopicARN, args.alarms(r.DeadLetters.Name))
	if err != nil {
		return nil, err
	}
	r.Alarms.add(own)
	return r, registerOutputs(ctx, name, r)
}

func (args *SourceRouteArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("RuleName", args.RuleName, ruleName)
	a.text("EventSource", args.EventSource)
	a.accounts("Accounts", args.Accounts)
	if args.Bus == nil {
		a.problem("Bus", "is missing")
	}
	a.given("StateMachineARN", args.StateMachineARN)
	if (args.AliasARN == nil) != (args.AliasName == "") {
		a.problem("AliasARN", "and AliasName go together")
	}
	if args.DeadLetters == nil {
		a.name("RuleName", args.RuleName+deadLettersSuffix, queueName)
		a.given("KeyARN", args.KeyARN)
	}
	a.between("SilenceAlarmMinutes", args.SilenceAlarmMinutes, 0, MaxSilenceMinutes)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	return a.err()
}

// newDeadLetters creates the queue for what can't be delivered, unless one is given.
func (args *SourceRouteArgs) newDeadLetters(ctx *pulumi.Context, r *SourceRoute, name string) (err error) {
	if r.DeadLetters = args.DeadLetters; r.DeadLetters != nil {
		return nil
	}
	r.DeadLetters, err = NewMonitoredQueue(ctx, name+deadLettersSuffix, &MonitoredQueueArgs{
		Scope:         args.Scope,
		QueueName:     args.RuleName + deadLettersSuffix,
		Holds:         "events that EventBridge could not deliver to the workflow",
		KeyARN:        args.KeyARN,
		AlarmTopicARN: args.AlarmTopicARN,
		Senders:       []QueueSender{{Service: eventService, ResourceARN: pulumi.String(RuleARN(args.Scope, args.Bus.PhysicalName, args.RuleName))}},

		DeletionProtection: args.DeletionProtection,
	}, pulumi.Parent(r))
	if err == nil {
		r.Alarms.add(r.DeadLetters.Alarms)
	}
	return err
}

// newRole creates the role that starts the workflow for this rule and no other.
func (args *SourceRouteArgs) newRole(ctx *pulumi.Context, r *SourceRoute, name string) (*awsiam.Role, *awsiam.RolePolicy, error) {
	rule := RuleARN(args.Scope, args.Bus.PhysicalName, args.RuleName)
	// EventBridge assumes a target's role for the rule
	// (https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html).
	trusted, err := trust(eventService, onBehalfOf(rule))
	if err != nil {
		return nil, nil, err
	}
	role, err := newRole(ctx, r, name+"-role", roleArgs{
		name: pulumi.String(args.RuleName), description: "Starts the workflow for " + args.EventSource, trust: trusted, boundary: args.PermissionsBoundary,
	})
	if err != nil {
		return nil, nil, err
	}
	policy, err := awsiam.NewRolePolicy(ctx, name+"-role-policy", &awsiam.RolePolicyArgs{
		Name:   pulumi.String("start-workflow"),
		Role:   role.Name,
		Policy: policyOf(func(arn []string) []iam.Statement { return []iam.Statement{startWorkflow(arn[0], args.AliasName)} }, args.StateMachineARN),
	}, pulumi.Parent(r))
	if err != nil {
		return nil, nil, fmt.Errorf("creating the policy of role %s: %w", name, err)
	}
	return role, policy, nil
}

// target returns what the rule starts.
func (args *SourceRouteArgs) target() pulumi.StringInput {
	if args.AliasARN == nil {
		return args.StateMachineARN
	}
	return args.AliasARN
}

// startWorkflow lets a role start a state machine, or only an alias of it. Step Functions authorises a start through an
// alias with the state machine's own ARN, and passes the alias as a condition key
// (https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html).
func startWorkflow(stateMachineARN, alias string) iam.Statement {
	statement := iam.Statement{
		Sid: "StartWorkflow", Effect: iam.Allow, Action: iam.Strings{"states:StartExecution"}, Resource: iam.Strings{stateMachineARN},
	}
	if alias != "" {
		statement.Condition = iam.Conditions{iam.AnyStringEquals: {"states:StateMachineQualifier": {alias}}}
	}
	return statement
}

func (args *SourceRouteArgs) alarms(deadLetters string) []alarm {
	dimensions := pulumi.StringMap{"RuleName": pulumi.String(args.RuleName)}
	if args.Bus.PhysicalName != DefaultBus {
		dimensions["EventBusName"] = pulumi.String(args.Bus.PhysicalName)
	}
	alarms := []alarm{
		{
			name:        "failed-invocations",
			description: fmt.Sprintf("EventBridge gave up on delivering events from %s; they are in queue %s.", args.EventSource, deadLetters),
			namespace:   "AWS/Events", metric: "FailedInvocations", dimensions: dimensions,
			statistic: "Sum", period: time.Minute, periods: 1, threshold: 1, comparison: atLeast,
		},
		{
			name: "lost", pages: true,
			description: fmt.Sprintf("Events from %s reached neither the workflow nor queue %s: they are lost unless replayed. See the runbook: replay.", args.EventSource, deadLetters),
			namespace:   "AWS/Events", metric: "InvocationsFailedToBeSentToDlq", dimensions: dimensions,
			statistic: "Sum", period: time.Minute, periods: 1, threshold: 1, comparison: atLeast,
		},
	}
	if args.SilenceAlarmMinutes > 0 {
		silence := time.Duration(args.SilenceAlarmMinutes) * time.Minute
		alarms = append(alarms, alarm{
			name:        "silence",
			description: fmt.Sprintf("No event from %s has arrived for %v: the source is down, or sends under another name or elsewhere.", args.EventSource, silence),
			namespace:   "AWS/Events", metric: "TriggeredRules", dimensions: dimensions,
			statistic: "Sum", period: silence, periods: 1, threshold: 1, comparison: below, silenceBreaches: true,
		})
	}
	return alarms
}
