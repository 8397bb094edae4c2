package components

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

func declareKey(t *testing.T) *declared.Stack {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		_, err := NewEncryptionKey(ctx, "key", &EncryptionKeyArgs{
			Scope: here, Alias: "orders",
			Grants: &KeyGrants{
				LogGroups: []string{"/aws/lambda/orders-*"}, WorkflowLogs: true, AlarmPrefix: "orders-", Events: true,
			},
			Replicas: []KeyReplica{{Region: "eu-west-1", Provider: ireland(ctx), Grants: &KeyGrants{LogGroups: []string{"/aws/lambda/orders-*"}}}},
		})
		return err
	})
}

func TestAKeyRotatesAndIsTheSameInEachRegion(t *testing.T) {
	stack := declareKey(t)
	key := find(t, stack, "aws:kms/key:Key", "key")
	if key.At("multiRegion") != true || key.At("enableKeyRotation") != true || key.At("deletionWindowInDays") != 30.0 {
		t.Errorf("inputs %v", key.Inputs)
	}
	replica := find(t, stack, "aws:kms/replicaKey:ReplicaKey", "eu-west-1")
	if replica.Provider != "eu-west-1" || !strings.Contains(replica.Text("primaryKeyArn"), ":us-east-1:") {
		t.Errorf("the replica is made by provider %q of %s", replica.Provider, replica.Text("primaryKeyArn"))
	}
	for _, alias := range stack.All("aws:kms/alias:Alias") {
		if alias.Text("name") != "alias/orders" {
			t.Errorf("%s is called %s", alias.Name, alias.Text("name"))
		}
	}
}

// Each line is something that breaks silently if the key's policy lacks it, or opens a door if it allows too much.
func TestTheKeysPolicyStatementByStatement(t *testing.T) {
	stack := declareKey(t)
	primary := policy(t, find(t, stack, "aws:kms/key:Key", "key"), "policy")
	replica := policy(t, find(t, stack, "aws:kms/replicaKey:ReplicaKey", "eu-west-1"), "policy")
	const (
		account = "111122223333"
		root    = "arn:aws:iam::111122223333:root"
		alarm   = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:orders-depth"
		bus     = "arn:aws:events:us-east-1:111122223333:event-bus/orders"
		group   = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/orders-validator"
	)
	of := func(arn string) map[string]string { return map[string]string{"aws:SourceArn": arn} }
	logs := func(arn string) map[string]string {
		return map[string]string{"kms:EncryptionContext:aws:logs:arn": arn}
	}
	cases := map[string]struct {
		document iam.Document
		request  iam.Request
		want     iam.Decision
	}{
		"an alarm publishes to the encrypted topic":   {primary, iam.Request{Action: "kms:GenerateDataKey", Principal: "cloudwatch.amazonaws.com", Context: of(alarm)}, iam.Allowed},
		"and decrypts its data key":                   {primary, iam.Request{Action: "kms:Decrypt", Principal: "cloudwatch.amazonaws.com", Context: of(alarm)}, iam.Allowed},
		"an alarm of another name doesn't":            {primary, iam.Request{Action: "kms:Decrypt", Principal: "cloudwatch.amazonaws.com", Context: of(strings.Replace(alarm, "orders", "billing", 1))}, iam.DeniedImplicitly},
		"an alarm of another account doesn't":         {primary, iam.Request{Action: "kms:Decrypt", Principal: "cloudwatch.amazonaws.com", Context: of(strings.Replace(alarm, account, "444455556666", 1))}, iam.DeniedImplicitly},
		"EventBridge fills a dead-letter queue":       {primary, iam.Request{Action: "kms:GenerateDataKey", Principal: "events.amazonaws.com"}, iam.Allowed},
		"EventBridge encrypts the bus":                {primary, iam.Request{Action: "kms:GenerateDataKey", Principal: "events.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:aws:events:event-bus:arn": bus}}, iam.Allowed},
		"and looks at the key before there is a bus":  {primary, iam.Request{Action: "kms:DescribeKey", Principal: "events.amazonaws.com"}, iam.Allowed},
		"CloudWatch Logs encrypts the group":          {primary, iam.Request{Action: "kms:Encrypt", Principal: "logs.us-east-1.amazonaws.com", Context: logs(group)}, iam.Allowed},
		"and no other group":                          {primary, iam.Request{Action: "kms:Encrypt", Principal: "logs.us-east-1.amazonaws.com", Context: logs(strings.Replace(group, "orders", "billing", 1))}, iam.DeniedImplicitly},
		"and not from another region":                 {primary, iam.Request{Action: "kms:Encrypt", Principal: "logs.eu-west-1.amazonaws.com", Context: logs(group)}, iam.DeniedImplicitly},
		"the replica serves its own region":           {replica, iam.Request{Action: "kms:Encrypt", Principal: "logs.eu-west-1.amazonaws.com", Context: logs(strings.Replace(group, "us-east-1", "eu-west-1", 1))}, iam.Allowed},
		"and not the primary's":                       {replica, iam.Request{Action: "kms:Encrypt", Principal: "logs.us-east-1.amazonaws.com", Context: logs(group)}, iam.DeniedImplicitly},
		"a workflow's logs are delivered":             {primary, iam.Request{Action: "kms:Decrypt", Principal: "delivery.logs.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:SourceArn": "arn:aws:logs:us-east-1:111122223333:*"}}, iam.Allowed},
		"and nobody else's":                           {primary, iam.Request{Action: "kms:Decrypt", Principal: "delivery.logs.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:SourceArn": "arn:aws:logs:us-east-1:444455556666:*"}}, iam.DeniedImplicitly},
		"the account's policies decide for its roles": {primary, iam.Request{Action: "kms:Decrypt", Principal: root}, iam.Allowed},
		"the account makes grants for services":       {primary, iam.Request{Action: "kms:CreateGrant", Principal: root, Context: map[string]string{"kms:GrantIsForAWSResource": "true"}}, iam.Allowed},
		"and for nobody else":                         {primary, iam.Request{Action: "kms:CreateGrant", Principal: root, Context: map[string]string{"kms:GrantIsForAWSResource": "false"}}, iam.DeniedImplicitly},
		"the account can change the policy":           {primary, iam.Request{Action: "kms:PutKeyPolicy", Principal: root}, iam.Allowed}, // or nobody could, ever
		"another account can do nothing":              {primary, iam.Request{Action: "kms:Decrypt", Principal: "arn:aws:iam::444455556666:root"}, iam.DeniedImplicitly},
		"a service that isn't named can do nothing":   {primary, iam.Request{Action: "kms:Decrypt", Principal: "s3.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:aws:events:event-bus:arn": bus}}, iam.DeniedImplicitly},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) { decide(t, test.document, test.request, test.want) })
	}
	var sids []string
	for _, s := range primary.Statement {
		sids = append(sids, s.Sid)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(sids)))) != len(sids) {
		t.Errorf("the statements are called %v", sids)
	}
}

func TestATopicTakesAlarmsOnly(t *testing.T) {
	stack := run(t, func(ctx *pulumi.Context) error {
		_, err := NewAlarmTopic(ctx, "alarms", &AlarmTopicArgs{Scope: here, TopicName: pulumi.String("orders"), AlarmNamePrefix: "orders-", KeyARN: keyARN, Email: pulumi.String("on-call@example.com")})
		return err
	})
	if key := find(t, stack, "aws:sns/topic:Topic", "topic").Text("kmsMasterKeyId"); key != string(keyARN) {
		t.Errorf("the topic's key is %q", key)
	}
	subscription := find(t, stack, "aws:sns/topicSubscription:TopicSubscription", "email")
	if subscription.Text("protocol") != "email" || subscription.Text("endpoint") != "on-call@example.com" {
		t.Errorf("subscribed %v", subscription.Inputs)
	}
	document := policy(t, find(t, stack, "aws:sns/topicPolicy:TopicPolicy", "policy"), "policy")
	publish := func(account, alarm string) iam.Request {
		return iam.Request{
			Action: "sns:Publish", Resource: "arn:aws:sns:us-east-1:111122223333:orders", Principal: "cloudwatch.amazonaws.com",
			Context: map[string]string{"aws:SourceAccount": account, "aws:SourceArn": "arn:aws:cloudwatch:us-east-1:" + account + ":alarm:" + alarm},
		}
	}
	decide(t, document, publish("111122223333", "orders-depth"), iam.Allowed)
	decide(t, document, publish("111122223333", "billing-depth"), iam.DeniedImplicitly)
	decide(t, document, publish("444455556666", "orders-depth"), iam.DeniedImplicitly)
}

func TestWithoutAnAddressNobodyIsSubscribed(t *testing.T) {
	stack := run(t, func(ctx *pulumi.Context) error {
		_, err := NewAlarmTopic(ctx, "alarms", &AlarmTopicArgs{Scope: here, TopicName: pulumi.String("orders"), AlarmNamePrefix: "orders-", KeyARN: keyARN})
		return err
	})
	if found := stack.All("aws:sns/topicSubscription:TopicSubscription"); len(found) > 0 {
		t.Errorf("subscribed %v", found[0].Inputs)
	}
}
