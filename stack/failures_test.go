package stack

import (
	"slices"
	"strings"
	"testing"
)

// failures are the metrics of AWS that report failures, by resource type. A metric has an alarm, or the reason why it
// needs none. A type that reports nothing has its reason under "".
var failures = map[string]struct {
	source  string // AWS's page of the metrics; empty if there are none
	metrics map[string]string
}{
	"aws:backup/plan:Plan": {"https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html", map[string]string{
		"AWS/Backup NumberOfBackupJobsFailed": "", "AWS/Backup NumberOfBackupJobsCompleted": "",
		"AWS/Backup NumberOfBackupJobsExpired": "a job that doesn't end isn't among the completed ones", "AWS/Backup NumberOfBackupJobsAborted": "neither is an aborted one",
	}},
	"aws:cloudwatch/eventRule:EventRule": {"https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html", map[string]string{
		"AWS/Events FailedInvocations": "", "AWS/Events InvocationsFailedToBeSentToDlq": "",
		"AWS/Events InvocationsSentToDlq":    "the queue's depth tells the same, until somebody has dealt with it",
		"AWS/Events RetryInvocationAttempts": "a delivery that is retried in vain for 24 hours is a failed invocation",
		"AWS/Events ThrottledRules":          "EventBridge delivers later",
	}},
	"aws:cloudwatch/eventBus:EventBus": {"https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html", map[string]string{
		"AWS/Events PutEventsFailedEntriesCount": "counted for the account, and the producer has the answer of each entry",
	}},
	"aws:dynamodb/table:Table": {"https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html", map[string]string{
		"AWS/DynamoDB WriteThrottleEvents": "", "AWS/DynamoDB ReadThrottleEvents": "", "AWS/DynamoDB SystemErrors": "",
		"AWS/DynamoDB ThrottledRequests":                          "the two metrics of throttling say it by direction",
		"AWS/DynamoDB UserErrors":                                 "counted for the account; the functions' errors have the reason",
		"AWS/DynamoDB ConditionalCheckFailedRequests":             "a duplicate is one, and expected",
		"AWS/DynamoDB TransactionConflict":                        "nothing uses transactions",
		"AWS/DynamoDB FailedToReplicateRecordCount":               "of a Kinesis stream, which the table has none of",
		"AWS/DynamoDB MaxProvisionedTableReadCapacityUtilization": "the table is on demand",
	}},
	"aws:dynamodb/tableReplica:TableReplica": {"https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_monitor.html", map[string]string{
		"AWS/DynamoDB ReplicationLatency": "",
	}},
	"aws:lambda/function:Function": {"https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html", map[string]string{
		"AWS/Lambda Errors": "", "AWS/Lambda Throttles": "", "AWS/Lambda Duration": "",
		"AWS/Lambda DeadLetterErrors":            "of asynchronous calls, and nothing calls so",
		"AWS/Lambda DestinationDeliveryFailures": "of asynchronous calls, and nothing calls so",
		"AWS/Lambda AsyncEventsDropped":          "of asynchronous calls, and nothing calls so",
		"AWS/Lambda RecursiveInvocationsDropped": "no function calls one",
		"AWS/Lambda ConcurrentExecutions":        "at its limit calls are throttled",
		"AWS/Lambda ClaimedAccountConcurrency":   "at its limit calls are throttled",
	}},
	"aws:sfn/stateMachine:StateMachine": {"https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html", map[string]string{
		"AWS/States ExecutionsFailed": "", "AWS/States ExecutionsTimedOut": "", "AWS/States ExecutionsAborted": "", "AWS/States ExecutionThrottled": "",
		"AWS/States LambdaFunctionsFailed":       "a call that fails for good fails its execution",
		"AWS/States LambdaFunctionsTimedOut":     "a call that fails for good fails its execution",
		"AWS/States ServiceIntegrationsFailed":   "a call that fails for good fails its execution",
		"AWS/States ServiceIntegrationsTimedOut": "a call that fails for good fails its execution",
		"AWS/States ThrottledEvents":             "ExecutionThrottled tells it of this machine",
	}},
	"aws:sqs/queue:Queue": {"https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html", map[string]string{
		"AWS/SQS ApproximateNumberOfMessagesVisible": "", "AWS/SQS ApproximateAgeOfOldestMessage": "",
	}},
	"aws:sns/topic:Topic": {"https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html", map[string]string{
		"AWS/SNS NumberOfNotificationsFailed": "it would be told through the topic that fails",
	}},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {"https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-cloudwatch-metrics.html", map[string]string{
		"AWS/PrivateLinkEndpoints PacketsDropped": "a function that doesn't get through has errors", "AWS/PrivateLinkEndpoints RstPacketsReceived": "a function that doesn't get through has errors",
	}},
	"aws:cloudwatch/logGroup:LogGroup": {"https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html", map[string]string{
		"AWS/Logs EMFParsingErrors": "a test parses every line of metrics", "AWS/Logs EMFValidationErrors": "a test parses every line of metrics",
		"AWS/Logs DeliveryErrors": "of subscription filters, which no group has",
	}},
	"aws:kms/key:Key":                          {"https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-cloudwatch.html", map[string]string{"AWS/KMS SecondsUntilKeyMaterialExpiration": "of imported material"}},
	"aws:cloudwatch/eventArchive:EventArchive": {"", map[string]string{"": "AWS tells nothing of an archive; the runbook replays from it"}},
	"aws:ssm/parameter:Parameter":              {"", map[string]string{"": "a function that can't read it counts ParameterRefreshFailures"}},
	"aws:ecr/repository:Repository":            {"", map[string]string{"": "an image that can't be pulled is an error of its function"}},
	"docker:index/image:Image":                 {"", map[string]string{"": "it is in its repository"}},
}

// settings are types that can't fail on their own: the resource they belong to does.
var settings = []string{
	"aws:backup/selection:Selection", "aws:backup/vault:Vault", "aws:cloudwatch/compositeAlarm:CompositeAlarm", "aws:cloudwatch/dashboard:Dashboard",
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy", "aws:cloudwatch/eventTarget:EventTarget", "aws:cloudwatch/metricAlarm:MetricAlarm",
	"aws:ec2/", "aws:vpc/", "aws:ecr/", "aws:iam/", "aws:kms/alias:Alias", "aws:kms/replicaKey:ReplicaKey", "aws:lambda/alias:Alias", "aws:sfn/alias:Alias",
	"aws:sns/", "aws:sqs/", "aws:xray/", "pulumi:providers:aws",
}

func TestEveryFailureThatAWSTellsHasAnAlarmOrAReason(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		stack := declare(t, name, nil)
		alarms := map[string]bool{}
		for _, alarm := range stack.All("aws:cloudwatch/metricAlarm:MetricAlarm") {
			namespace, _ := alarm.Inputs["namespace"].(string)
			metric, _ := alarm.Inputs["metricName"].(string)
			alarms[namespace+" "+metric] = true
			queries, _ := alarm.Inputs["metricQueries"].([]any)
			for _, query := range queries {
				if of, ok := query.(map[string]any)["metric"].(map[string]any); ok {
					alarms[of["namespace"].(string)+" "+of["metricName"].(string)] = true
				}
			}
		}
		declared := map[string]bool{}
		for _, r := range stack.Resources {
			if r.Custom {
				declared[r.Type] = true
			}
		}
		for kind := range declared {
			failure, known := failures[kind]
			if !known && !slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(kind, s) }) {
				t.Errorf("%s: nobody says how a %s fails", name, kind)
			}
			for metric, reason := range failure.metrics {
				switch {
				case reason == "" && !alarms[metric]:
					t.Errorf("%s: no alarm on %s of %s (%s)", name, metric, kind, failure.source)
				case reason != "" && alarms[metric]:
					t.Errorf("%s: %s has an alarm, and needs no reason", name, metric)
				}
			}
		}
	}
}
