package cases

func resilienceCases() []Case {
	const (
		queue, redrive     = "aws:sqs/queue:Queue", "aws:sqs/redrivePolicy:RedrivePolicy"
		table, replica     = "aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica"
		function, target   = "aws:lambda/function:Function", "aws:cloudwatch/eventTarget:EventTarget"
		bus, alarm         = "aws:cloudwatch/eventBus:EventBus", "aws:cloudwatch/metricAlarm:MetricAlarm"
		logGroup           = "aws:cloudwatch/logGroup:LogGroup"
		selection, scaling = "aws:backup/selection:Selection", "aws:appautoscaling/target:Target"
		retention, watched = "dead-letter-queue-retention", "dead-letter-queue-alarm"
		redriven           = "queue-dead-letter-queue"
		pitr, protection   = "dynamodb-point-in-time-recovery", "dynamodb-deletion-protection"
		regions            = "dynamodb-replica-regions"
		lost, failing      = "event-rule-dead-letter-alarm", "state-machine-failure-alarm"
		machine            = "aws:sfn/stateMachine:StateMachine"
	)
	europe := map[string]string{"region": "eu-west-1"}
	// dead is a queue that receives a function's failures, by the queue's ARN.
	dead := func(inputs in, more ...Resource) []Resource {
		return append([]Resource{
			{Name: "it", Type: queue, Inputs: inputs},
			{Name: "function", Type: function, Inputs: in{"deadLetterConfig": in{"targetArn": Ref{"it", "arn"}}}},
		}, more...)
	}
	alarmOn := func(metric string, name any) Resource {
		return Resource{Name: "alarm", Type: alarm, Inputs: in{"metricName": metric, "dimensions": in{"QueueName": name}}}
	}
	// reporting is a function, and a destination for the failures of one.
	reporting := func(name, of, destination string) []Resource {
		return []Resource{
			{Name: "it", Type: function, Inputs: in{"name": name}},
			{Name: "config", Type: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", Inputs: in{"functionName": of, "destinationConfig": in{"onFailure": in{"destination": destination}}}},
		}
	}
	// routed is a rule with a target.
	routed := func(name string, more ...Resource) []Resource {
		return append([]Resource{
			{Name: "it", Type: "aws:cloudwatch/eventRule:EventRule", Inputs: in{"name": name}},
			{Name: "target", Type: target, Inputs: in{"rule": Ref{"it", "name"}}},
		}, more...)
	}
	ruleAlarm := func(metric, name string) Resource {
		return Resource{Name: "alarm", Type: alarm, Inputs: in{"metricName": metric, "dimensions": in{"RuleName": name, "EventBusName": "bus"}}}
	}
	machineAlarm := func(arn any) Resource {
		return Resource{Name: "alarm", Type: alarm, Inputs: in{"metricName": "ExecutionsFailed", "dimensions": in{"StateMachineArn": arn}}}
	}
	const depth = "ApproximateNumberOfMessagesVisible"
	return []Case{
		breaks("function-dead-letter-queue", "a function without one", one(function, in{"name": "f-alone"}), "deadLetterConfig.targetArn is missing."),
		breaks("function-dead-letter-queue", "a destination of another function's failures", reporting("f-other", "f-elsewhere", ownARN), "deadLetterConfig.targetArn is missing."),
		breaks("function-dead-letter-queue", "a configuration without a destination", reporting("f-nowhere", "f-nowhere", ""), "deadLetterConfig.targetArn is missing."),
		keeps("function-dead-letter-queue", "a destination of its alias's failures", reporting("f-alias", "arn:aws:lambda:us-east-1:111122223333:function:f-alias:live", ownARN)),
		keeps("function-dead-letter-queue", "a destination of its failures", reporting("f-sends", "f-sends", ownARN)),
		keeps("function-dead-letter-queue", "a function with one", one(function, in{"deadLetterConfig": in{"targetArn": ownARN}})),

		breaks("event-target-dead-letter-queue", "a target without one", one(target, in{"rule": "r"}), "deadLetterConfig.arn is missing."),
		keeps("event-target-dead-letter-queue", "a target with one", one(target, in{"deadLetterConfig": in{"arn": ownARN}})),

		breaks("event-target-retry", "a target that doesn't say", one(target, in{"rule": "r"}), "retryPolicy.maximumEventAgeInSeconds is missing.", "retryPolicy.maximumRetryAttempts is missing."),
		breaks("event-target-retry", "a target that says half of it", one(target, in{"retryPolicy": in{"maximumEventAgeInSeconds": 60.0}}), "retryPolicy.maximumRetryAttempts is missing."),
		keeps("event-target-retry", "a target that says how long and how often", one(target, in{"retryPolicy": in{"maximumEventAgeInSeconds": 60.0, "maximumRetryAttempts": 0.0}})),

		breaks("event-bus-dead-letter-queue", "a bus with a key and without a queue", one(bus, in{"kmsKeyIdentifier": key}), "deadLetterConfig.arn is missing."),
		keeps("event-bus-dead-letter-queue", "a bus with both", one(bus, in{"kmsKeyIdentifier": key, "deadLetterConfig": in{"arn": ownARN}})),
		keeps("event-bus-dead-letter-queue", "a bus without a key", one(bus, in{"name": "b"})),

		breaks(redriven, "a queue without one", one(queue, in{"name": "alone"}), "redrivePolicy is missing."),
		keeps(redriven, "a queue with one", one(queue, in{"name": "redriven", "redrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:elsewhere","maxReceiveCount":3}`})),
		keeps(redriven, "a queue whose policy is a resource of its own", []Resource{
			{Name: "it", Type: queue, Inputs: in{"name": "redriven-apart"}},
			{Name: "policy", Type: redrive, Inputs: in{"queueUrl": Ref{"it", "url"}, "redrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:elsewhere","maxReceiveCount":3}`}},
		}),
		keeps(redriven, "a dead-letter queue needs none", []Resource{
			{Name: "it", Type: queue, Inputs: in{"name": "named-dead"}},
			{Name: "target", Type: target, Inputs: in{"deadLetterConfig": in{"arn": "arn:aws:sqs:us-east-1:111122223333:named-dead"}}},
		}),
		breaks(redriven, "a queue that another queue's name ends with", []Resource{
			{Name: "it", Type: queue, Inputs: in{"name": "suffix-dead"}},
			{Name: "target", Type: target, Inputs: in{"deadLetterConfig": in{"arn": "arn:aws:sqs:us-east-1:111122223333:other-suffix-dead"}}},
		}, "redrivePolicy is missing."),

		breaks(retention, "a dead-letter queue of four days", dead(in{"name": "dead-4", "messageRetentionSeconds": 345600.0}), "messageRetentionSeconds of a dead-letter queue is less than 1209600."),
		breaks(retention, "a dead-letter queue of SQS's default", []Resource{
			{Name: "it", Type: queue, Inputs: in{"name": "dead-default"}},
			{Name: "source", Type: queue, Inputs: in{"name": "dead-default-source", "redrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead-default"}`}},
		}, "messageRetentionSeconds of a dead-letter queue"),
		keeps(retention, "a dead-letter queue of two weeks", dead(in{"name": "dead-14", "messageRetentionSeconds": 1209600.0})),
		keeps(retention, "a queue that is no dead-letter queue", one(queue, in{"name": "no-dead", "messageRetentionSeconds": 60.0})),
		keeps(retention, "the firm asks for four days", dead(in{"name": "dead-4-allowed", "messageRetentionSeconds": 345600.0})).with("seconds", 345600.0),

		breaks(watched, "a dead-letter queue without an alarm", dead(in{"name": "unwatched"}), "name is that of a dead-letter queue without an alarm."),
		breaks(watched, "an alarm on another metric", dead(in{"name": "aged"}, alarmOn("ApproximateAgeOfOldestMessage", "aged")), "name is that"),
		breaks(watched, "an alarm on another queue", dead(in{"name": "wrongly-watched"}, alarmOn(depth, "other")), "name is that"),
		breaks(watched, "a formula with another metric", dead(in{"name": "formula-aged"}, Resource{Name: "alarm", Type: alarm, Inputs: in{"metricQueries": list{
			in{"id": "a", "metric": in{"metricName": "ApproximateAgeOfOldestMessage", "dimensions": in{"QueueName": "formula-aged"}}}, in{"id": "b", "expression": "a*2"},
		}}}), "name is that"),
		keeps(watched, "an alarm on how many messages are there", dead(in{"name": "watched"}, alarmOn(depth, "watched"))),
		keeps(watched, "an alarm on the queue itself", dead(in{"name": "watched-ref"}, alarmOn(depth, Ref{"it", "name"}))),
		keeps(watched, "an alarm by a formula", dead(in{"name": "formula"}, Resource{Name: "alarm", Type: alarm, Inputs: in{"metricQueries": list{
			in{"id": "a", "metric": in{"metricName": depth, "dimensions": in{"QueueName": "formula"}}}, in{"id": "b", "expression": "a*2"},
		}}})),
		keeps(watched, "a queue that is no dead-letter queue", one(queue, in{"name": "plain"})),

		breaks(lost, "a rule without an alarm", routed("unwatched-rule"), "name is that of a rule whose lost events nobody notices."),
		breaks(lost, "an alarm on another metric", routed("wrongly-watched-rule", ruleAlarm("FailedInvocations", "wrongly-watched-rule")), "name is that of a rule"),
		keeps(lost, "an alarm on what can't be kept", routed("watched-rule", ruleAlarm("InvocationsFailedToBeSentToDlq", "watched-rule"))),
		keeps(lost, "a rule without a target loses nothing", one("aws:cloudwatch/eventRule:EventRule", in{"name": "untargeted"})),

		breaks(failing, "a state machine without an alarm", one(machine, in{"name": "unwatched-machine"}), "arn is that of a state machine without an alarm."),
		breaks(failing, "an alarm on another state machine", []Resource{
			{Name: "it", Type: machine, Inputs: in{"name": "wrongly-watched-machine"}}, machineAlarm("arn:aws:states:us-east-1:111122223333:stateMachine:other"),
		}, "arn is that of a state machine"),
		keeps(failing, "an alarm on failed executions", []Resource{{Name: "it", Type: machine, Inputs: in{"name": "watched-machine"}}, machineAlarm(Ref{"it", "arn"})}),

		breaks("alarm-actions", "an alarm that tells nobody", one(alarm, in{"metricName": "m"}), "alarmActions is missing."),
		breaks("alarm-actions", "an alarm whose actions are off", one("aws:cloudwatch/compositeAlarm:CompositeAlarm", in{"alarmActions": texts("arn:aws:sns:us-east-1:111122223333:t"), "actionsEnabled": false}), "actionsEnabled is false."),
		keeps("alarm-actions", "an alarm that tells a topic", one(alarm, in{"alarmActions": texts("arn:aws:sns:us-east-1:111122223333:t"), "actionsEnabled": true})),

		breaks(pitr, "a table without it", one(table, in{"name": "t"}), "pointInTimeRecovery.enabled is not true."),
		breaks(pitr, "a replica without it", one(replica, in{"pointInTimeRecovery": false}), "pointInTimeRecovery is not true."),
		breaks(pitr, "an inline replica without it", one(table, in{"pointInTimeRecovery": in{"enabled": true}, "replicas": list{in{"regionName": "eu-west-1", "pointInTimeRecovery": true}, in{"regionName": "eu-west-2"}}}), "replicas[1].pointInTimeRecovery is not true."),
		keeps(pitr, "a table and its replica with it", one(table, in{"pointInTimeRecovery": in{"enabled": true}, "replicas": list{in{"regionName": "eu-west-1", "pointInTimeRecovery": true}}})),
		keeps(pitr, "a replica with it", one(replica, in{"pointInTimeRecovery": true})),

		breaks(protection, "a table of production without it", one(table, in{"name": "t"}), "deletionProtectionEnabled is not true.").inStack("prod"),
		breaks(protection, "a replica of production without it", one(replica, in{"deletionProtectionEnabled": false}), "deletionProtectionEnabled is not true.").inStack("prod"),
		keeps(protection, "a table of production with it", one(table, in{"deletionProtectionEnabled": true})).inStack("prod"),
		keeps(protection, "a table of development", one(table, in{"name": "t"})),
		breaks(protection, "a stack that the firm calls production", one(table, in{"name": "t"}), "deletionProtectionEnabled").with("productionStacks", texts("d*")),

		breaks("production-protected", "a queue of production that Pulumi may delete", one(queue, in{"name": "q"}), "the resource option protect is missing.").inStack("prod"),
		keeps("production-protected", "a queue of production that is protected", protected(queue, in{"name": "q"})).inStack("prod"),
		keeps("production-protected", "a queue of development", one(queue, in{"name": "q"})),

		breaks("dynamodb-scaling", "a table of fixed capacity", one(table, in{"name": "fixed", "billingMode": "PROVISIONED"}), "billingMode is not PAY_PER_REQUEST, and nothing scales the table."),
		breaks("dynamodb-scaling", "a table that doesn't say", one(table, in{"name": "fixed-by-default"}), "billingMode is not"),
		keeps("dynamodb-scaling", "a table on demand", one(table, in{"name": "on-demand", "billingMode": "PAY_PER_REQUEST"})),
		keeps("dynamodb-scaling", "a table that is scaled", []Resource{{Name: "it", Type: table, Inputs: in{"name": "scaled"}}, {Name: "scaling", Type: scaling, Inputs: in{"resourceId": "table/scaled"}}}),

		breaks("dynamodb-backup-plan", "a table of production in no plan", one(table, in{"name": "unsaved"}), "arn is in no backup plan.").inStack("prod"),
		keeps("dynamodb-backup-plan", "a table of production in a plan", []Resource{{Name: "it", Type: table, Inputs: in{"name": "saved"}}, {Name: "selection", Type: selection, Inputs: in{"resources": list{Ref{"it", "arn"}}}}}).inStack("prod"),
		keeps("dynamodb-backup-plan", "a table of development", one(table, in{"name": "unsaved"})),
		keeps("dynamodb-backup-plan", "tables that are chosen by their tags", []Resource{{Name: "it", Type: table, Inputs: in{"name": "tagged"}}, {Name: "selection", Type: selection, Inputs: in{"selectionTags": list{in{"key": "k", "value": "v"}}}}}).inStack("production"),
		keeps("dynamodb-backup-plan", "tables that are chosen by conditions", []Resource{{Name: "it", Type: table, Inputs: in{"name": "tagged"}}, {Name: "selection", Type: selection, Inputs: in{"conditions": list{in{"stringEquals": list{}}}}}}).inStack("prod-eu"),

		breaks(regions, "a table without a replica", one(table, in{"name": "lonely"}), "replicas has none in eu-west-1.").with("regions", texts("eu-west-1")),
		breaks(regions, "a replica in another region", []Resource{{Name: "it", Type: table, Inputs: in{"name": "elsewhere"}}, {Name: "replica", Type: replica, Inputs: in{"globalTableArn": Ref{"it", "arn"}}}}, "replicas has none in eu-west-1.").with("regions", texts("eu-west-1")),
		breaks(regions, "a replica of another table", []Resource{{Name: "it", Type: table, Inputs: in{"name": "jealous"}}, {Name: "replica", Type: replica, Inputs: in{"globalTableArn": "arn:aws:dynamodb:us-east-1:111122223333:table/other"}, Provider: europe}}, "replicas has none in eu-west-1.").with("regions", texts("eu-west-1")),
		keeps(regions, "a replica in the region", []Resource{{Name: "it", Type: table, Inputs: in{"name": "paired"}}, {Name: "replica", Type: replica, Inputs: in{"globalTableArn": Ref{"it", "arn"}}, Provider: europe}}).with("regions", texts("eu-west-1")),
		keeps(regions, "an inline replica in the region", one(table, in{"name": "inline", "replicas": list{in{"regionName": "eu-west-2"}, in{"regionName": "eu-west-1"}}})).with("regions", texts("eu-west-1")),
		keeps(regions, "without a configuration no replica has to be", one(table, in{"name": "free"})),

		breaks("function-reserved-concurrency", "a function of production without a share", one(function, in{"handler": "h"}), "reservedConcurrentExecutions is missing.").inStack("prod"),
		breaks("function-reserved-concurrency", "a function of production that gave its share up", one(function, in{"reservedConcurrentExecutions": -1.0}), "reservedConcurrentExecutions is missing.").inStack("prod"),
		keeps("function-reserved-concurrency", "a function of production with a share", one(function, in{"reservedConcurrentExecutions": 100.0})).inStack("prod"),
		keeps("function-reserved-concurrency", "a function of production that is stopped", one(function, in{"reservedConcurrentExecutions": 0.0})).inStack("prod"),
		keeps("function-reserved-concurrency", "a function of development", one(function, in{"handler": "h"})),

		breaks("log-group-retention", "a group that keeps logs for ever", one(logGroup, in{"name": "l"}), "retentionInDays is missing."),
		breaks("log-group-retention", "a group that keeps logs for ever, said so", one(logGroup, in{"retentionInDays": 0.0}), "retentionInDays is missing."),
		keeps("log-group-retention", "a group that only passes Lambda's logs on", one(logGroup, in{"logGroupClass": "DELIVERY"})),
		keeps("log-group-retention", "a group of a day", one(logGroup, in{"retentionInDays": 1.0})),

		breaks("log-group-retention-year", "a group of production of a month", one(logGroup, in{"retentionInDays": 30.0}), "retentionInDays is less than 365.").inStack("prod"),
		keeps("log-group-retention-year", "a group of production that only passes Lambda's logs on", one(logGroup, in{"retentionInDays": 1.0, "logGroupClass": "DELIVERY"})).inStack("prod"),
		keeps("log-group-retention-year", "a group of production of a year", one(logGroup, in{"retentionInDays": 365.0})).inStack("prod"),
		keeps("log-group-retention-year", "a group of production for ever", one(logGroup, in{"retentionInDays": 0.0})).inStack("prod"),
		keeps("log-group-retention-year", "a group of production that doesn't say", one(logGroup, in{"name": "l"})).inStack("prod"),
		keeps("log-group-retention-year", "a group of development", one(logGroup, in{"retentionInDays": 14.0})),
	}
}
