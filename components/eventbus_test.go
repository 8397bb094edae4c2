package components

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

func declareBus(t *testing.T, change func(*EventBusArgs)) *declared.Stack {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		args := &EventBusArgs{
			Scope: here, BusName: "trades", ArchiveName: pulumi.String("trades-events"), DeadLetterQueueName: "trades-bus-dead-letters",
			EventSources: []string{"trading.fix", "trading.swift"}, ArchiveDays: 30, KeyARN: keyARN, AlarmTopicARN: topicARN,
		}
		if change != nil {
			change(args)
		}
		bus, err := NewEventBus(ctx, "bus", args)
		if err != nil {
			return err
		}
		queue, err := NewMonitoredQueue(ctx, "delivery", &MonitoredQueueArgs{
			Scope: here, QueueName: "delivery", Holds: "events", KeyARN: keyARN, AlarmTopicARN: topicARN,
		})
		if err != nil {
			return err
		}
		_, err = NewSourceRoute(ctx, "fix", &SourceRouteArgs{
			Scope: here, RuleName: "trades-from-fix", EventSource: "trading.fix", Bus: bus, DeadLetters: queue, AlarmTopicARN: topicARN,
			StateMachineARN: pulumi.String("arn:aws:states:us-east-1:111122223333:stateMachine:trades"), AliasName: "live",
			AliasARN: pulumi.String("arn:aws:states:us-east-1:111122223333:stateMachine:trades:live"), SilenceAlarmMinutes: 30,
		})
		return err
	})
}

func onDefaultBus(args *EventBusArgs) { args.BusName, args.DeadLetterQueueName = DefaultBus, "" }

func TestABusIsEncryptedAndHasAQueueForWhatItCanNotEncrypt(t *testing.T) {
	stack := declareBus(t, nil)
	bus := find(t, stack, "aws:cloudwatch/eventBus:EventBus", "bus")
	want := map[string]any{
		"name": "trades", "description": "Trades from their source systems", "kmsKeyIdentifier": string(keyARN),
		"deadLetterConfig": map[string]any{"arn": "arn:aws:sqs:us-east-1:111122223333:trades-bus-dead-letters"},
	}
	if diff := cmp.Diff(want, bus.Inputs); diff != "" {
		t.Error(diff)
	}
	queues := find(t, stack, "aws:sqs/queuePolicy:QueuePolicy", "bus-dead-letters-policy")
	decide(t, policy(t, queues, "policy"), iam.Request{
		Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:111122223333:trades-bus-dead-letters", Principal: "events.amazonaws.com",
		Context: map[string]string{"aws:SourceAccount": "111122223333", "aws:SourceArn": "arn:aws:events:us-east-1:111122223333:event-bus/trades"},
	}, iam.Allowed)
	if !slices.Contains(bus.DependsOn, queues.URN) {
		t.Error("the bus doesn't wait until it may send to its dead-letter queue")
	}
}

func TestEverythingOnABusOfItsOwnIsArchived(t *testing.T) {
	archive := find(t, declareBus(t, nil), "aws:cloudwatch/eventArchive:EventArchive", "archive")
	if archive.At("eventPattern") != nil || archive.At("retentionDays") != 30.0 || archive.Text("eventSourceArn") != "arn:aws:events:us-east-1:111122223333:event-bus/trades" {
		t.Errorf("inputs %v", archive.Inputs)
	}
}

func TestTheAccountsOwnBusIsUsedAndNotMade(t *testing.T) {
	stack := declareBus(t, onDefaultBus)
	if made := stack.All("aws:cloudwatch/eventBus:EventBus"); len(made) > 0 {
		t.Errorf("a bus was made: %v", made[0].Inputs)
	}
	if made := stack.All("aws:cloudwatch/eventBusPolicy:EventBusPolicy"); len(made) > 0 {
		t.Errorf("the policy that others rely on would be overwritten with %s", made[0].Text("policy"))
	}
	archive := find(t, stack, "aws:cloudwatch/eventArchive:EventArchive", "archive")
	if got, want := archive.Text("eventPattern"), `{"source":["trading.fix","trading.swift"]}`; got != want {
		t.Errorf("of a bus that others use, %s is archived, want %s", got, want)
	}
	rule := find(t, stack, "aws:cloudwatch/eventRule:EventRule", "rule")
	if rule.Text("eventBusName") != "default" {
		t.Errorf("the rule is on %q", rule.Text("eventBusName"))
	}
	role := policy(t, find(t, stack, "aws:iam/role:Role", "fix-role"), "assumeRolePolicy")
	decide(t, role, iam.Request{Action: "sts:AssumeRole", Principal: "events.amazonaws.com", Context: map[string]string{
		"aws:SourceAccount": "111122223333", "aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/trades-from-fix",
	}}, iam.Allowed)
	for _, alarm := range stack.All("aws:cloudwatch/metricAlarm:MetricAlarm") {
		if alarm.Text("namespace") == "AWS/Events" && alarm.At("dimensions.EventBusName") != nil {
			t.Errorf("metrics of the default bus have no dimension for it: %v", alarm.At("dimensions"))
		}
	}
}

func TestOtherAccountsMaySendTheirSourcesOnly(t *testing.T) {
	stack := declareBus(t, func(args *EventBusArgs) {
		args.EventSources = []string{"trading.fix", "trading.swift", "trading.own"}
		args.ProducerAccounts = map[string][]string{
			"trading.fix": {"444455556666", "222233334444"}, "trading.swift": {"555566667777", "222233334444"}, "trading.own": nil,
		}
	})
	document := policy(t, find(t, stack, "aws:cloudwatch/eventBusPolicy:EventBusPolicy", "policy"), "policy")
	put := func(account, source string) iam.Request {
		return iam.Request{
			Action: "events:PutEvents", Resource: "arn:aws:events:us-east-1:111122223333:event-bus/trades",
			Principal: "arn:aws:iam::" + account + ":root", Context: map[string]string{"events:source": source},
		}
	}
	decide(t, document, put("444455556666", "trading.fix"), iam.Allowed)
	decide(t, document, put("444455556666", "trading.swift"), iam.DeniedImplicitly)
	decide(t, document, put("555566667777", "trading.swift"), iam.Allowed)
	decide(t, document, put("555566667777", "trading.fix"), iam.DeniedImplicitly)
	decide(t, document, put("222233334444", "trading.fix"), iam.Allowed)
	decide(t, document, put("222233334444", "trading.swift"), iam.Allowed)
	decide(t, document, put("222233334444", "trading.own"), iam.DeniedImplicitly)
	decide(t, document, put("111122223333", "trading.own"), iam.Allowed)
	decide(t, document, put("444455556666", "trading.other"), iam.DeniedImplicitly)
	decide(t, document, put("111122223333", "trading.fix"), iam.Allowed)
	decide(t, document, put("777788889999", "trading.fix"), iam.DeniedImplicitly)
}

func TestARouteTakesItsSourceAndTriesForADay(t *testing.T) {
	stack := declareBus(t, nil)
	rule := find(t, stack, "aws:cloudwatch/eventRule:EventRule", "rule")
	if got, want := rule.Text("eventPattern"), `{"account":["111122223333"],"source":["trading.fix"]}`; got != want {
		t.Errorf("pattern %s, want %s", got, want)
	}
	target := find(t, stack, "aws:cloudwatch/eventTarget:EventTarget", "target")
	want := map[string]any{
		"rule": "trades-from-fix", "eventBusName": "trades", "targetId": "workflow",
		"arn":              "arn:aws:states:us-east-1:111122223333:stateMachine:trades:live",
		"roleArn":          "arn:aws:iam::111122223333:role/trades-from-fix",
		"retryPolicy":      map[string]any{"maximumEventAgeInSeconds": 86400.0, "maximumRetryAttempts": 185.0},
		"deadLetterConfig": map[string]any{"arn": "arn:aws:sqs:us-east-1:111122223333:delivery"},
	}
	if diff := cmp.Diff(want, target.Inputs); diff != "" {
		t.Error(diff)
	}
	for _, needed := range []string{
		find(t, stack, "aws:iam/rolePolicy:RolePolicy", "fix-role-policy").URN, find(t, stack, "aws:sqs/queuePolicy:QueuePolicy", "delivery-policy").URN,
	} {
		if !slices.Contains(target.DependsOn, needed) {
			t.Errorf("the target doesn't wait for %s", needed)
		}
	}
}

func TestARoutesRoleServesItsRuleAndItsWorkflow(t *testing.T) {
	stack := declareBus(t, nil)
	trust := policy(t, find(t, stack, "aws:iam/role:Role", "fix-role"), "assumeRolePolicy")
	assume := func(rule string) iam.Request {
		return iam.Request{Action: "sts:AssumeRole", Principal: "events.amazonaws.com", Context: map[string]string{
			"aws:SourceAccount": "111122223333", "aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/trades/" + rule,
		}}
	}
	decide(t, trust, assume("trades-from-fix"), iam.Allowed)
	decide(t, trust, assume("trades-from-swift"), iam.DeniedImplicitly)

	start := policy(t, find(t, stack, "aws:iam/rolePolicy:RolePolicy", "fix-role-policy"), "policy")
	// Step Functions authorises with the state machine's own ARN, whatever the alias, which it passes as a condition
	// key: https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
	through := func(qualifier string) iam.Request {
		request := iam.Request{Action: "states:StartExecution", Resource: "arn:aws:states:us-east-1:111122223333:stateMachine:trades"}
		if qualifier != "" {
			request.Context = map[string]string{"states:StateMachineQualifier": qualifier}
		}
		return request
	}
	decide(t, start, through("live"), iam.Allowed)
	decide(t, start, through(""), iam.DeniedImplicitly)
	decide(t, start, through("7"), iam.DeniedImplicitly)
}

// An event that reaches neither its target nor the dead-letter queue leaves only one metric.
func TestASilentSourceRaisesAnAlarmWhereThatIsAskedFor(t *testing.T) {
	silence := find(t, declareBus(t, nil), "aws:cloudwatch/metricAlarm:MetricAlarm", "fix-silence")
	for property, want := range map[string]any{
		"metricName": "TriggeredRules", "statistic": "Sum", "period": 1800.0, "evaluationPeriods": 1.0, "threshold": 1.0,
		"comparisonOperator": "LessThanThreshold", "treatMissingData": "breaching",
		"dimensions": map[string]any{"EventBusName": "trades", "RuleName": "trades-from-fix"},
	} {
		if diff := cmp.Diff(want, silence.At(property)); diff != "" {
			t.Errorf("%s: %s", property, diff)
		}
	}
	for _, alarm := range declarePipeline(t, nil).All("aws:cloudwatch/metricAlarm:MetricAlarm") {
		if alarm.Text("treatMissingData") != "notBreaching" {
			t.Errorf("%s takes silence for a failure, which nobody asked for", alarm.Name)
		}
	}
}

func TestALostEventPagesSomebody(t *testing.T) {
	alarm := find(t, declareBus(t, nil), "aws:cloudwatch/metricAlarm:MetricAlarm", "fix-lost")
	want := map[string]any{"EventBusName": "trades", "RuleName": "trades-from-fix"}
	if diff := cmp.Diff(want, alarm.At("dimensions")); diff != "" || alarm.Text("metricName") != "InvocationsFailedToBeSentToDlq" {
		t.Errorf("metric %s of %v", alarm.Text("metricName"), alarm.At("dimensions"))
	}
}
