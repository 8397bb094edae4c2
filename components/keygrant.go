package components

import "trade-processing/components/iam"

// serviceStatement lets a service do something with the key that carries the policy.
func serviceStatement(sid, service string, conditions iam.Conditions, actions ...string) iam.Statement {
	return iam.Statement{
		Sid: sid, Effect: iam.Allow, Principal: iam.Service(service), Action: actions, Resource: thisKey, Condition: conditions,
	}
}

// GrantLogs lets CloudWatch Logs encrypt these log groups. A group's ARN, which holds the account, is the encryption
// context of each of its calls.
func GrantLogs(scope Scope, groupNames ...string) KeyGrant {
	var groups iam.Strings
	for _, name := range groupNames {
		group, _ := scope.LogGroupARN(name)
		groups = append(groups, group)
	}
	return KeyGrant{[]iam.Statement{serviceStatement("LogGroups", "logs."+scope.Region+".amazonaws.com",
		iam.Conditions{iam.ArnLike: {"kms:EncryptionContext:aws:logs:arn": groups}},
		"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
		"kms:ReEncryptFrom", "kms:ReEncryptTo")}}
}

// GrantLogDelivery lets the delivery service behind Step Functions' logging read what a state machine with a
// customer-managed key logs (https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html). The encryption
// context, which holds the account, is the text "arn:…:logs:<region>:<account>:*", star included.
func GrantLogDelivery(scope Scope) KeyGrant {
	return KeyGrant{[]iam.Statement{serviceStatement("WorkflowLogDelivery", logDeliveryService,
		iam.Conditions{iam.StringLike: {"kms:EncryptionContext:SourceArn": {scope.ARN("logs", "*")}}}, "kms:Decrypt")}}
}

// GrantAlarms lets alarms whose names begin with a prefix publish to an encrypted topic
// (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns).
func GrantAlarms(scope Scope, namePrefix string) KeyGrant {
	return KeyGrant{[]iam.Statement{serviceStatement("AlarmsPublish", alarmService,
		onBehalfOf(scope.Account, scope.ARN("cloudwatch", "alarm:"+namePrefix+"*")), "kms:Decrypt", "kms:GenerateDataKey")}}
}

// GrantEventDelivery lets EventBridge put what these rules could not deliver into encrypted dead-letter queues. Without
// it the queues stay empty and the events are gone, with one metric as the only trace.
func GrantEventDelivery(scope Scope, rulePatterns ...string) KeyGrant {
	var rules iam.Strings
	for _, pattern := range rulePatterns {
		rules = append(rules, scope.ARN("events", "rule/"+pattern))
	}
	return KeyGrant{[]iam.Statement{serviceStatement("EventDeadLetters", eventService,
		onBehalfOf(scope.Account, rules...), "kms:Decrypt", "kms:GenerateDataKey")}}
}

// GrantEventBus lets EventBridge encrypt the events on a bus, decrypt them for its rules and its archive (a managed rule),
// and put what it could not encrypt into the bus's own encrypted dead-letter queue
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html).
func GrantEventBus(scope Scope, busName string) KeyGrant {
	bus, rules := scope.ARN("events", "event-bus/"+busName), scope.ARN("events", "rule/"+busName+"/*")
	return KeyGrant{[]iam.Statement{
		serviceStatement("EventBus", eventService, onBehalfOf(scope.Account, bus, rules), "kms:Decrypt", "kms:GenerateDataKey"),
		// Before there is a bus to speak for, EventBridge looks whether the key suits. AWS's own policy has no condition
		// here, and nothing but the key's description is given away.
		serviceStatement("EventBusKeyCheck", eventService, nil, "kms:DescribeKey"),
	}}
}
