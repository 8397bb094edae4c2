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

	// Events lets EventBridge encrypt the events on a bus, and put what it can't deliver into encrypted dead-letter queues.
	// AWS documents no condition that it meets there.
	Events bool `pulumi:"events,optional"`
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
	if g.Events {
		made = append(made, events())
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
// context of each of its calls. AWS's example also lists kms:DescribeKey, which has no encryption context, and so isn't
// allowed by it (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html#cmk-permissions).
func logGroups(scope Scope, names []string) iam.Statement {
	var groups iam.Strings
	for _, name := range names {
		group, _ := scope.LogGroupARN(name)
		groups = append(groups, group)
	}
	return serviceStatement("LogGroups", "logs."+scope.Region+".amazonaws.com",
		iam.Conditions{iam.ArnLike: {"kms:EncryptionContext:aws:logs:arn": groups}},
		"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
		"kms:ReEncryptFrom", "kms:ReEncryptTo")
}

// workflowLogs lets the delivery service behind Step Functions' logging read what a state machine with a
// customer-managed key logs (https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html). The
// encryption context, which includes the account, is the literal "arn:…:logs:<region>:<account>:*", star included: the
// page says so of the key's other use, and KMS decrypts only with the context that it encrypted with.
func workflowLogs(scope Scope) iam.Statement {
	return serviceStatement("WorkflowLogDelivery", logDeliveryService,
		iam.Conditions{iam.StringLike: {"kms:EncryptionContext:SourceArn": {scope.ARN("logs", "*")}}}, "kms:Decrypt")
}

// alarmsPublish lets alarms whose names begin with a prefix publish to an encrypted topic
// (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns). SNS documents aws:SourceArn for the services that
// publish, but for EventBridge
// (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services).
func alarmsPublish(scope Scope, namePrefix string) iam.Statement {
	return serviceStatement("AlarmsPublish", alarmService,
		onBehalfOf(scope.ARN("cloudwatch", "alarm:"+namePrefix+"*")), "kms:Decrypt", "kms:GenerateDataKey")
}

// events lets EventBridge use the key. For a queue's key AWS's statement has no condition
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html#targets-permissions), and for an encrypted
// topic it says that EventBridge's calls meet none on aws:SourceArn or aws:SourceAccount: with one, dead letters would be
// lost, and one metric would be the only trace. The same statement serves the bus, whose key EventBridge also checks
// before there is a bus to act for
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html). Whoever gives a bus of
// their own this key needs permission to use it.
func events() iam.Statement {
	return serviceStatement("Events", eventService, nil, "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
}
