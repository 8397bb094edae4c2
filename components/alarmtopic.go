package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const alarmTopicType = "trade-processing:components:AlarmTopic"

// AlarmTopicArgs are the arguments of NewAlarmTopic.
type AlarmTopicArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// TopicName is the physical name: up to 256 letters, digits, - and _.
	TopicName pulumi.StringInput `pulumi:"topicName"`

	// AlarmNamePrefix begins the names of the alarms that may publish here.
	AlarmNamePrefix string `pulumi:"alarmNamePrefix"`

	// KeyARN is the customer-managed key of the topic. Its policy must let CloudWatch use it: alias/aws/sns can't be
	// granted, and an alarm on such a topic never notifies anybody.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// Email is an address that gets every notification once its owner has confirmed the subscription. Default: nobody is
	// subscribed.
	Email pulumi.StringInput `pulumi:"email,optional"`
}

// AlarmTopic is the SNS topic that a stack's alarms notify. An on-call tool can subscribe to it too; a filter on the
// message's AlarmName limits it to the composite alarm.
type AlarmTopic struct {
	pulumi.ResourceState

	ARN pulumi.StringOutput `pulumi:"arn"`
}

// NewAlarmTopic creates an AlarmTopic.
func NewAlarmTopic(ctx *pulumi.Context, name string, given *AlarmTopicArgs, opts ...pulumi.ResourceOption) (*AlarmTopic, error) {
	args := *given
	t := &AlarmTopic{}
	if err := register(ctx, alarmTopicType, name, t, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	topic, err := sns.NewTopic(ctx, name+"-topic", &sns.TopicArgs{
		Name:             args.TopicName,
		KmsMasterKeyId:   args.KeyARN,
		SignatureVersion: pulumi.Int(2), // SHA-256; SNS signs with SHA-1 by default
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("creating topic %s: %w", name, err)
	}
	// Waiting for the ARN includes waiting for the policy, so no alarm goes off before it may notify.
	policy, err := sns.NewTopicPolicy(ctx, name+"-policy", &sns.TopicPolicyArgs{
		Arn:    topic.Arn,
		Policy: args.policy(topic.Arn),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("creating the policy of topic %s: %w", name, err)
	}
	t.ARN = policy.Arn

	if args.Email != nil {
		_, err = sns.NewTopicSubscription(ctx, name+"-email", &sns.TopicSubscriptionArgs{
			Topic:    topic.Arn,
			Protocol: pulumi.String("email"),
			Endpoint: args.Email,
		}, pulumi.Parent(t))
		if err != nil {
			return nil, fmt.Errorf("subscribing an address to topic %s: %w", name, err)
		}
	}
	return t, registerOutputs(ctx, name, t)
}

func (args *AlarmTopicArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.nameInput("TopicName", args.TopicName, topicName)
	a.text("AlarmNamePrefix", args.AlarmNamePrefix)
	a.given("KeyARN", args.KeyARN)
	return a.err()
}

func (args *AlarmTopicArgs) policy(topicARN pulumi.StringInput) pulumi.StringOutput {
	return policyOf(func(arn []string) []iam.Statement {
		topic := arn[0]
		return []iam.Statement{
			onlyTLS("sns:Publish", topic),
			{
				// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
				Sid:       "AlarmsPublish",
				Effect:    iam.Allow,
				Principal: iam.Service(alarmService),
				Action:    iam.Strings{"sns:Publish"},
				Resource:  iam.Strings{topic},
				Condition: onBehalfOf(args.Scope.ARN("cloudwatch", "alarm:"+args.AlarmNamePrefix+"*")),
			},
		}
	}, topicARN)
}
