package components

import "trade-processing/iam"

// GrantLogs lets CloudWatch Logs encrypt these log groups. A group's ARN is the encryption context of each of its calls,
// which holds the account as well.
func GrantLogs(scope Scope, groupNames ...string) KeyGrant {
	var groups iam.Strings
	for _, name := range groupNames {
		group, _ := scope.LogGroupARN(name)
		groups = append(groups, group)
	}
	return KeyGrant{
		sid:     "LogGroups",
		service: "logs." + scope.Region + ".amazonaws.com",
		actions: []string{
			"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
			"kms:ReEncryptFrom", "kms:ReEncryptTo",
		},
		condition: iam.Conditions{iam.ArnLike: {"kms:EncryptionContext:aws:logs:arn": groups}},
	}
}

// GrantLogDelivery lets the delivery service behind Step Functions' logging read what a state machine with a
// customer-managed key logs (https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html). The encryption
// context, which holds the account, is the text "arn:…:logs:<region>:<account>:*", star included.
func GrantLogDelivery(scope Scope) KeyGrant {
	return KeyGrant{
		sid:       "WorkflowLogDelivery",
		service:   logDeliveryService,
		actions:   []string{"kms:Decrypt"},
		condition: iam.Conditions{iam.StringLike: {"kms:EncryptionContext:SourceArn": {scope.ARN("logs", "*")}}},
	}
}

// GrantAlarms lets alarms whose names begin with a prefix publish to an encrypted topic
// (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns).
func GrantAlarms(scope Scope, namePrefix string) KeyGrant {
	return KeyGrant{
		sid:       "AlarmsPublish",
		service:   alarmService,
		actions:   []string{"kms:Decrypt", "kms:GenerateDataKey"},
		condition: onBehalfOf(scope.Account, scope.ARN("cloudwatch", "alarm:"+namePrefix+"*")),
	}
}

// GrantEventDelivery lets EventBridge put what these rules could not deliver into encrypted dead-letter queues. Without
// it the queues stay empty and the events are gone, with one metric as the only trace.
func GrantEventDelivery(scope Scope, rulePatterns ...string) KeyGrant {
	var rules iam.Strings
	for _, pattern := range rulePatterns {
		rules = append(rules, scope.ARN("events", "rule/"+pattern))
	}
	return KeyGrant{
		sid:       "EventDeadLetters",
		service:   eventService,
		actions:   []string{"kms:Decrypt", "kms:GenerateDataKey"},
		condition: onBehalfOf(scope.Account, rules...),
	}
}

// GrantEventBus lets EventBridge encrypt the events on a bus, and put what it could not encrypt into the bus's own
// encrypted dead-letter queue (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html).
func GrantEventBus(scope Scope, busName string) KeyGrant {
	return KeyGrant{
		sid:       "EventBus",
		service:   eventService,
		actions:   []string{"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
		condition: onBehalfOf(scope.Account, scope.ARN("events", "event-bus/"+busName)),
	}
}
