package rules

import (
	"fmt"
	"slices"

	"trade-processing/policy/value"
)

const resilienceFamily = "Resilience"

const (
	queue         = "aws:sqs/queue:Queue"
	table         = "aws:dynamodb/table:Table"
	tableReplica  = "aws:dynamodb/tableReplica:TableReplica"
	function      = "aws:lambda/function:Function"
	invokeConfig  = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
	logGroup      = "aws:cloudwatch/logGroup:LogGroup"
	metricAlarm   = "aws:cloudwatch/metricAlarm:MetricAlarm"
	eventRule     = "aws:cloudwatch/eventRule:EventRule"
	eventTarget   = "aws:cloudwatch/eventTarget:EventTarget"
	redrivePolicy = "aws:sqs/redrivePolicy:RedrivePolicy"
)

// deadLetters are the properties that name a dead-letter queue. Which type has which is in the AWS provider's schema.
var deadLetters = []reference{
	{eventBus, "deadLetterConfig.arn"},
	{eventTarget, "deadLetterConfig.arn"},
	{function, "deadLetterConfig.targetArn"},
	{"aws:lambda/eventSourceMapping:EventSourceMapping", "destinationConfig.onFailure.destinationArn"},
	{invokeConfig, "destinationConfig.onFailure.destination"},
	{"aws:scheduler/schedule:Schedule", "target.deadLetterConfig.arn"},
	{"aws:sns/topicSubscription:TopicSubscription", "redrivePolicy.deadLetterTargetArn"},
	{queue, "redrivePolicy.deadLetterTargetArn"},
	{redrivePolicy, "redrivePolicy.deadLetterTargetArn"},
}

// withDeadLetters returns the types that a rule on dead-letter queues looks at, besides some of its own.
func withDeadLetters(more ...string) []string {
	types := more
	for _, reference := range deadLetters {
		types = append(types, reference.Type)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// kept are the types that hold data stored nowhere else.
var kept = []string{
	"aws:backup/vault:Vault", "aws:cloudwatch/eventArchive:EventArchive", "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", queue, table, tableReplica,
}

var resilienceRules = []Rule{
	{
		Name: "function-dead-letter-queue", Family: resilienceFamily, Level: Mandatory, Controls: []string{"CKV_AWS_116"},
		Types: []string{function, invokeConfig},
		Why:   "An event that a function has failed on three times is lost, unless it has somewhere to go.",
		CheckStack: func(s *Stack) {
			for _, f := range s.Of(function) {
				sent := slices.ContainsFunc(s.Of(invokeConfig), func(config *Resource) bool {
					return !config.At("destinationConfig.onFailure.destination").Unset() && config.callsByName("functionName", f) != no
				})
				if f.At("deadLetterConfig.targetArn").Unset() && !sent {
					f.Breaks("deadLetterConfig.targetArn", "is missing", "Set it to the ARN of a queue, or add a FunctionEventInvokeConfig with a destination on failure")
				}
			}
		},
	},
	{
		Name: "event-target-dead-letter-queue", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{eventTarget},
		Why:   "EventBridge silently drops what it can't deliver to a target without a dead-letter queue.",
		Check: func(r *Resource) {
			if r.At("deadLetterConfig.arn").Unset() {
				r.Breaks("deadLetterConfig.arn", "is missing", "Set it to the ARN of a queue that events.amazonaws.com may send to")
			}
		},
	},
	{
		Name: "event-target-retry", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{eventTarget},
		Why:   "How long EventBridge retries is a decision about the data; the default of a day is right for some and wrong for others.",
		Check: func(r *Resource) {
			for _, property := range []string{"retryPolicy.maximumEventAgeInSeconds", "retryPolicy.maximumRetryAttempts"} {
				if r.At(property).Unset() {
					r.Breaks(property, "is missing", "Set it")
				}
			}
		},
	},
	{
		Name: "event-bus-dead-letter-queue", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{eventBus},
		Why:   "A bus under a customer key drops the events it can't encrypt.",
		Check: func(r *Resource) {
			if r.At("kmsKeyIdentifier").IsSet() && r.At("deadLetterConfig.arn").Unset() {
				r.Breaks("deadLetterConfig.arn", "is missing", "Set it to the ARN of a queue that events.amazonaws.com may send to")
			}
		},
	},
	{
		Name: "queue-dead-letter-queue", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: withDeadLetters(),
		Why:   "A message that can't be processed comes back until it expires, and nobody notices.",
		CheckStack: func(s *Stack) {
			for _, q := range s.Of(queue) {
				redriven := !q.At("redrivePolicy").Unset() || s.referred(q, reference{redrivePolicy, "queueUrl"}) != no
				if !redriven && s.referred(q, deadLetters...) == no {
					q.Breaks("redrivePolicy", "is missing", "Add a RedrivePolicy with a dead-letter queue")
				}
			}
		},
	},
	{
		Name: "dead-letter-queue-retention", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: withDeadLetters(), Options: []Option{{
			Name: "seconds", About: "How long dead-letter queues must keep messages, in seconds; 1209600 is SQS's maximum.", Schema: number(60), Default: 1209600.0,
		}},
		Why: "A message keeps its age when it moves to a dead-letter queue: after a long weekend it would be gone.",
		CheckStack: func(s *Stack) {
			least, _ := s.Setting("seconds").Number()
			for _, q := range s.Of(queue) {
				if s.referred(q, deadLetters...) == yes && q.At("messageRetentionSeconds").LacksNumber(least) {
					q.Breaks("messageRetentionSeconds", fmt.Sprintf("of a dead-letter queue is less than %.0f", least), fmt.Sprintf("Set %.0f", least))
				}
			}
		},
	},
	{
		Name: "dead-letter-queue-alarm", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: withDeadLetters(metricAlarm),
		Why:   "A dead-letter queue that nobody watches is a slower way to lose messages.",
		CheckStack: func(s *Stack) {
			for _, q := range s.Of(queue) {
				if s.referred(q, deadLetters...) == yes && s.watched(q, "ApproximateNumberOfMessagesVisible", "QueueName") == no {
					q.Breaks("name", "is that of a dead-letter queue without an alarm",
						"Add a MetricAlarm on ApproximateNumberOfMessagesVisible of AWS/SQS with this queue's name as dimension")
				}
			}
		},
	},
	{
		Name: "event-rule-dead-letter-alarm", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{eventRule, eventTarget, metricAlarm},
		Why:   "If EventBridge can't send to a target's dead-letter queue, the event is lost, and only this metric shows it.",
		CheckStack: func(s *Stack) {
			for _, rule := range s.Of(eventRule) {
				targeted := s.referred(rule, reference{eventTarget, "rule"})
				if targeted == yes && s.watched(rule, "InvocationsFailedToBeSentToDlq", "RuleName") == no {
					rule.Breaks("name", "is that of a rule whose lost events nobody notices",
						"Add a MetricAlarm on InvocationsFailedToBeSentToDlq of AWS/Events with this rule's name as dimension")
				}
			}
		},
	},
	{
		Name: "state-machine-failure-alarm", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{stateMachine, metricAlarm},
		Why:   "A failed execution stays failed until somebody looks.",
		CheckStack: func(s *Stack) {
			for _, machine := range s.Of(stateMachine) {
				if s.watched(machine, "ExecutionsFailed", "StateMachineArn") == no {
					machine.Breaks("arn", "is that of a state machine without an alarm",
						"Add a MetricAlarm on ExecutionsFailed of AWS/States with this ARN as dimension StateMachineArn")
				}
			}
		},
	},
	{
		Name: "alarm-actions", Family: resilienceFamily, Level: Mandatory, Controls: []string{"CloudWatch.15", "CloudWatch.17"},
		Types: []string{metricAlarm, "aws:cloudwatch/compositeAlarm:CompositeAlarm"},
		Why:   "An alarm that notifies nobody is a line on a page that nobody opens.",
		Check: func(r *Resource) {
			if r.At("alarmActions").Unset() {
				r.Breaks("alarmActions", "is missing", "Name a topic that somebody reads")
			}
			if r.At("actionsEnabled").Is("false") {
				r.Breaks("actionsEnabled", "is false", "Leave it out")
			}
		},
	},
	{
		Name: "dynamodb-point-in-time-recovery", Family: resilienceFamily, Level: Mandatory, Controls: []string{"DynamoDB.2", "CKV_AWS_28", "CKV_AWS_165"},
		Types: []string{table, tableReplica},
		Why:   "Without it, whatever a faulty program overwrites stays overwritten; each replica needs its own setting.",
		Check: func(r *Resource) {
			if r.Type == tableReplica {
				needsTruth(r, "pointInTimeRecovery", r.At("pointInTimeRecovery"))
				return
			}
			needsTruth(r, "pointInTimeRecovery.enabled", r.At("pointInTimeRecovery.enabled"))
			for i, replica := range r.At("replicas").Each() {
				needsTruth(r, fmt.Sprintf("replicas[%d].pointInTimeRecovery", i), replica.Get("pointInTimeRecovery"))
			}
		},
	},
	{
		Name: "dynamodb-deletion-protection", Family: resilienceFamily, Level: Mandatory, Controls: []string{"DynamoDB.6"},
		Types: []string{table, tableReplica}, Options: []Option{production},
		Why: "One wrong click deletes a production table, and a replica doesn't inherit its table's protection.",
		Check: func(r *Resource) {
			if r.InProduction() {
				needsTruth(r, "deletionProtectionEnabled", r.At("deletionProtectionEnabled"))
			}
		},
	},
	{
		Name: "production-protected", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: kept, Options: []Option{production},
		Why: "A renamed resource, or the wrong branch, deletes what only this resource holds; Pulumi refuses if it is protected.",
		Check: func(r *Resource) {
			if r.InProduction() && !r.Protect {
				r.Breaks("the resource option protect", "is missing", "Add pulumi.Protect(true)")
			}
		},
	},
	{
		Name: "dynamodb-scaling", Family: resilienceFamily, Level: Mandatory, Controls: []string{"DynamoDB.1"},
		Types: []string{table, "aws:appautoscaling/target:Target"},
		Why:   "A table with fixed capacity refuses everything above it.",
		CheckStack: func(s *Stack) {
			for _, t := range s.Of(table) {
				if t.At("billingMode").LacksText("PAY_PER_REQUEST") && s.referred(t, reference{"aws:appautoscaling/target:Target", "resourceId"}) == no {
					t.Breaks("billingMode", "is not PAY_PER_REQUEST, and nothing scales the table", "Set PAY_PER_REQUEST, or add an autoscaling target")
				}
			}
		},
	},
	{
		Name: "dynamodb-backup-plan", Family: resilienceFamily, Level: Mandatory, Controls: []string{"DynamoDB.4"},
		Types: []string{table, "aws:backup/selection:Selection"}, Options: []Option{production},
		Why: "Point-in-time recovery ends with the table, and after 35 days.",
		CheckStack: func(s *Stack) {
			byTag := slices.ContainsFunc(s.Of("aws:backup/selection:Selection"), func(selection *Resource) bool {
				return !selection.At("selectionTags").Unset() || !selection.At("conditions").Unset()
			})
			for _, t := range s.Of(table) {
				if t.InProduction() && !byTag && s.referred(t, reference{"aws:backup/selection:Selection", "resources"}) == no {
					t.Breaks("arn", "is in no backup plan", "Add it to the resources of a backup Selection")
				}
			}
		},
	},
	{
		Name: "dynamodb-replica-regions", Family: resilienceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{table, tableReplica}, Options: []Option{{
			Name: "regions", About: "Regions in which every table must have a replica, besides its own.", Schema: texts(), Default: []any{},
		}},
		Why: "A region that fails takes with it what is stored only there.",
		CheckStack: func(s *Stack) {
			for _, t := range s.Of(table) {
				for _, region := range s.Setting("regions").Each() {
					if s.replicated(t, region.Text()) == no {
						t.Breaks("replicas", "has none in "+region.Text(), "Add a TableReplica there")
					}
				}
			}
		},
	},
	{
		Name: "function-reserved-concurrency", Family: resilienceFamily, Level: Mandatory, Controls: []string{"CKV_AWS_115"},
		Types: []string{function}, Options: []Option{production},
		Why: "A function without reserved concurrency takes, or is refused, what the account has left. Non-production accounts are often too small to reserve any: 100 must stay unreserved.",
		Check: func(r *Resource) {
			if r.InProduction() && r.At("reservedConcurrentExecutions").LacksNumber(0) {
				r.Breaks("reservedConcurrentExecutions", "is missing", "Set how many calls may run at once")
			}
		},
	},
	{
		Name: "log-group-retention", Family: resilienceFamily, Level: Mandatory, Controls: []string{"CKV_AWS_66"},
		Types: []string{logGroup},
		Why:   "Logs without retention cost money forever, and keep personal data forever.",
		Check: func(r *Resource) {
			if !keptForADay(r) && r.At("retentionInDays").LacksNumber(1) {
				r.Breaks("retentionInDays", "is missing", "Set how many days to keep the logs")
			}
		},
	},
	{
		Name: "log-group-retention-year", Family: resilienceFamily, Level: Mandatory, Controls: []string{"CloudWatch.16", "CKV_AWS_338"},
		Types: []string{logGroup}, Options: []Option{production, {
			Name: "days", About: "Minimum number of days to keep production logs.", Schema: number(1), Default: 365.0,
		}},
		Why: "Most break-ins are found after months, and an audit asks about a year.",
		Check: func(r *Resource) {
			least, _ := r.Setting("days").Number()
			retention := r.At("retentionInDays")
			kept := retention.Unset() || retention.Is("0") // for ever
			if r.InProduction() && !keptForADay(r) && !kept && retention.LacksNumber(least) {
				r.Breaks("retentionInDays", fmt.Sprintf("is less than %.0f", least), fmt.Sprintf("Set %.0f or more", least))
			}
		},
	},
}

// keptForADay reports whether a log group only passes Lambda's logs on, or may be of that class: it keeps them for a day, and
// takes no retention (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html).
func keptForADay(r *Resource) bool {
	class := r.At("logGroupClass")
	return class.IsUnknown() || class.Is("DELIVERY")
}

// needsTruth requires a property to be true.
func needsTruth(r *Resource, property string, given value.Value) {
	if given.LacksTruth() {
		r.Breaks(property, "is not true", "Set it")
	}
}

// watched reports whether an alarm looks at a resource's metric, directly or in a formula.
func (s *Stack) watched(r *Resource, metric, dimension string) answer {
	return s.mentioned(r, [2]string{metric, dimension}, func(all []mention) []mention {
		for _, alarm := range s.Of(metricAlarm) {
			if alarm.At("metricName").Is(metric) {
				all = append(all, mention{alarm, "dimensions", alarm.At("dimensions").Get(dimension)})
			}
			for _, query := range alarm.At("metricQueries").Each() {
				if query.At("metric.metricName").Is(metric) {
					all = append(all, mention{alarm, "metricQueries", query.At("metric.dimensions").Get(dimension)})
				}
			}
		}
		return all
	})
}

// replicated reports whether a table has a replica in a region, in either of the two ways to declare it.
func (s *Stack) replicated(t *Resource, region string) answer {
	answers := no
	for _, inline := range t.At("replicas").Each() {
		answers = max(answers, isText(inline.Get("regionName"), region))
	}
	for _, replica := range s.Of(tableReplica) {
		if isText(replica.region(), region) != no {
			answers = max(answers, min(isText(replica.region(), region), replica.refers("globalTableArn", t)))
		}
	}
	return answers
}

// isText compares a value that may be unknown.
func isText(v value.Value, text string) answer {
	switch {
	case v.IsUnknown():
		return maybe
	case v.Is(text):
		return yes
	default:
		return no
	}
}
