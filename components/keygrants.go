package components

import "trade-processing/components/iam"

// KeyGrants are what AWS services may use a key for. Each is limited to named resources of the key's own account and
// region; a * in a name matches anything.
type KeyGrants struct {
	// LogGroups are the names of log groups that CloudWatch Logs encrypts.
	LogGroups []string `pulumi:"logGroups,optional"`

	// WorkflowLogs lets the logs of Workflows with this key be delivered.
	WorkflowLogs bool `pulumi:"workflowLogs,optional"`

	// AlarmPrefix begins the names of the alarms that publish to an encrypted topic.
	AlarmPrefix string `pulumi:"alarmPrefix,optional"`

	// Rules are the EventBridge rules whose undelivered events go to encrypted dead-letter queues: "<bus>/<rule>", or just
	// "<rule>" on the account's default bus.
	Rules []string `pulumi:"rules,optional"`

	// EventBus is the name of an encrypted bus with its own encrypted dead-letter queue.
	EventBus string `pulumi:"eventBus,optional"`
}

// statements renders the grants for the key in one region.
func (g KeyGrants) statements(scope Scope) []iam.Statement {
	var made []iam.Statement
	if len(g.LogGroups) > 0 {
		made = append(made, logGroups(scope, g.LogGroups))
	}
	if g.WorkflowLogs {
		made = append(made, workflowLogs(scope))
	}
	if g.AlarmPrefix != "" {
		made = append(made, alarmsPublish(scope, g.AlarmPrefix))
	}
	if len(g.Rules) > 0 {
		made = append(made, eventDeadLetters(scope, g.Rules))
	}
	if g.EventBus != "" {
		made = append(made, eventBus(scope, g.EventBus)...)
	}
	return made
}

// serviceStatement lets a service do something with the key that has the policy.
func serviceStatement(sid, service string, conditions iam.Conditions, actions ...string) iam.Statement {
	return iam.Statement{
		Sid: sid, Effect: iam.Allow, Principal: iam.Service(service), Action: actions, Resource: thisKey, Condition: conditions,
	}
}

// logGroups lets CloudWatch Logs encrypt these log groups. A group's ARN, which includes the account, is the encryption
// context of each of its calls.
func logGroups(scope Scope, names []string) iam.Statement {
	var groups iam.Strings
	for _, name := range names {
		group, _ := scope.LogGroupARN(name)
		groups = append(groups, group)
	}
	return serviceStatement("LogGroups", "logs."+scope.Region+".amazonaws.com",
		iam.Conditions{iam.ArnLike: {"kms:EncryptionContext:aws:logs:arn": groups}},
		"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
		"kms:ReEncryptFrom", "kms:ReEncryptTo")
}

// workflowLogs lets the delivery service behind Step Functions' logging read what a state machine with a
// customer-managed key logs (https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html). The
// encryption context, which includes the account, is the literal "arn:…:logs:<region>:<account>:*", star included.
func workflowLogs(scope Scope) iam.Statement {
	return serviceStatement("WorkflowLogDelivery", logDeliveryService,
		iam.Conditions{iam.StringLike: {"kms:EncryptionContext:SourceArn": {scope.ARN("logs", "*")}}}, "kms:Decrypt")
}

// alarmsPublish lets alarms whose names begin with a prefix publish to an encrypted topic
// (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns).
func alarmsPublish(scope Scope, namePrefix string) iam.Statement {
	return serviceStatement("AlarmsPublish", alarmService,
		onBehalfOf(scope.Account, scope.ARN("cloudwatch", "alarm:"+namePrefix+"*")), "kms:Decrypt", "kms:GenerateDataKey")
}

// eventDeadLetters lets EventBridge put what these rules couldn't deliver into encrypted dead-letter queues. Without it
// the queues stay empty and the events are lost, with one metric as the only trace.
func eventDeadLetters(scope Scope, rules []string) iam.Statement {
	var arns iam.Strings
	for _, rule := range rules {
		arns = append(arns, scope.ARN("events", "rule/"+rule))
	}
	return serviceStatement("EventDeadLetters", eventService, onBehalfOf(scope.Account, arns...), "kms:Decrypt", "kms:GenerateDataKey")
}

// eventBus lets EventBridge encrypt the events on a bus, decrypt them for its rules and its archive (a managed rule),
// and put what it couldn't encrypt into the bus's own encrypted dead-letter queue
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html).
func eventBus(scope Scope, name string) []iam.Statement {
	bus, rules := scope.ARN("events", "event-bus/"+name), scope.ARN("events", "rule/"+name+"/*")
	return []iam.Statement{
		serviceStatement("EventBus", eventService, onBehalfOf(scope.Account, bus, rules), "kms:Decrypt", "kms:GenerateDataKey"),
		// Before there is a bus to act for, EventBridge checks the key. AWS's own policy has no condition here, and only the
		// key's description is revealed.
		serviceStatement("EventBusKeyCheck", eventService, nil, "kms:DescribeKey"),
	}
}
