package components

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

const (
	someQueue = "arn:aws:sqs:us-east-1:111122223333:orders-dead-letters"
	someRule  = "arn:aws:events:us-east-1:111122223333:rule/orders"
)

func declareQueue(t *testing.T, change func(*MonitoredQueueArgs)) *declared.Stack {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		args := &MonitoredQueueArgs{
			Scope: here, QueueName: "orders-dead-letters", Holds: "orders that failed", KeyARN: keyARN, AlarmTopicARN: topicARN,
			Senders: []QueueSender{{Service: "events.amazonaws.com", ResourceARN: pulumi.String(someRule)}},
		}
		if change != nil {
			change(args)
		}
		_, err := NewMonitoredQueue(ctx, "orders", args)
		return err
	})
}

func TestAQueueKeepsItsMessagesForTwoWeeksUnderItsKey(t *testing.T) {
	queue := find(t, declareQueue(t, nil), "aws:sqs/queue:Queue", "orders-queue")
	want := map[string]any{
		"name": "orders-dead-letters", "kmsMasterKeyId": string(keyARN), "kmsDataKeyReusePeriodSeconds": 300.0,
		"messageRetentionSeconds": 1209600.0, "visibilityTimeoutSeconds": 120.0,
	}
	if diff := cmp.Diff(want, queue.Inputs); diff != "" {
		t.Error(diff)
	}
}

func TestAQueueTakesMessagesOfItsSendersOnly(t *testing.T) {
	document := policy(t, find(t, declareQueue(t, nil), "aws:sqs/queuePolicy:QueuePolicy", "policy"), "policy")
	from := func(service, rule string) iam.Request {
		return iam.Request{Action: "sqs:SendMessage", Resource: someQueue, Principal: service, Context: map[string]string{
			"aws:SourceArn": rule, "aws:SecureTransport": "true",
		}}
	}
	decide(t, document, from("events.amazonaws.com", someRule), iam.Allowed)
	decide(t, document, from("events.amazonaws.com", someRule+"-2"), iam.DeniedImplicitly)
	decide(t, document, from("events.amazonaws.com", strings.Replace(someRule, "111122223333", "444455556666", 1)), iam.DeniedImplicitly)
	decide(t, document, from("sns.amazonaws.com", someRule), iam.DeniedImplicitly)

	plain := from("events.amazonaws.com", someRule)
	plain.Context["aws:SecureTransport"] = "false"
	decide(t, document, plain, iam.DeniedExplicitly)
	receive := from("events.amazonaws.com", someRule)
	receive.Action = "sqs:ReceiveMessage"
	decide(t, document, receive, iam.DeniedImplicitly)
}

// Anybody can make a bucket of a name that somebody else gave up.
func TestABucketSendsForItsAccountOnly(t *testing.T) {
	stack := declareQueue(t, func(args *MonitoredQueueArgs) {
		args.Senders = []QueueSender{{Service: "s3.amazonaws.com", ResourceARN: pulumi.String("arn:aws:s3:::orders")}}
	})
	document := policy(t, find(t, stack, "aws:sqs/queuePolicy:QueuePolicy", "policy"), "policy")
	for account, want := range map[string]iam.Decision{"111122223333": iam.Allowed, "444455556666": iam.DeniedImplicitly} {
		decide(t, document, iam.Request{Action: "sqs:SendMessage", Resource: someQueue, Principal: "s3.amazonaws.com", Context: map[string]string{
			"aws:SourceAccount": account, "aws:SourceArn": "arn:aws:s3:::orders", "aws:SecureTransport": "true",
		}}, want)
	}
}

func TestAQueueIsNoOtherQueuesDeadLetterQueue(t *testing.T) {
	allow := find(t, declareQueue(t, nil), "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "redrive-allow")
	if got := allow.Text("redriveAllowPolicy"); got != `{"redrivePermission":"denyAll"}` {
		t.Error(got)
	}
}

func TestTheFirstMessageRaisesAnAlarmAndAnOldOneAnother(t *testing.T) {
	stack := declareQueue(t, func(args *MonitoredQueueArgs) { args.OldestMessageSeconds = 7200 })
	for end, want := range map[string]map[string]any{
		"depth": {"metricName": "ApproximateNumberOfMessagesVisible", "threshold": 1.0},
		"age":   {"metricName": "ApproximateAgeOfOldestMessage", "threshold": 7200.0},
	} {
		alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", end)
		if !strings.Contains(alarm.Text("alarmDescription"), "orders that failed") {
			t.Errorf("%s doesn't say what is in the queue: %s", end, alarm.Text("alarmDescription"))
		}
		delete(alarm.Inputs, "alarmDescription")
		rest := map[string]any{
			"name": "orders-dead-letters-" + end, "namespace": "AWS/SQS", "dimensions": map[string]any{"QueueName": "orders-dead-letters"},
			"statistic": "Maximum", "period": 60.0, "evaluationPeriods": 1.0, "comparisonOperator": "GreaterThanOrEqualToThreshold",
			"treatMissingData": "notBreaching", "alarmActions": []any{string(topicARN)}, "okActions": []any{string(topicARN)},
		}
		for name, value := range rest {
			want[name] = value
		}
		if diff := cmp.Diff(want, alarm.Inputs); diff != "" {
			t.Errorf("%s: %s", end, diff)
		}
	}
}

func TestWithoutASayTheOldestMessageIsAnHour(t *testing.T) {
	alarm := find(t, declareQueue(t, nil), "aws:cloudwatch/metricAlarm:MetricAlarm", "age")
	if alarm.At("threshold") != 3600.0 {
		t.Errorf("%v seconds", alarm.At("threshold"))
	}
}
