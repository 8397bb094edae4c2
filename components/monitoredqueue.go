package components

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const monitoredQueueType = "trade-processing:components:MonitoredQueue"

const (
	// queueRetention is SQS's longest. A dead letter is evidence, and a long weekend must not destroy it.
	queueRetention = 14 * 24 * time.Hour

	// defaultOldestMessageSeconds is the age at which a neglected message raises the second alarm.
	defaultOldestMessageSeconds = 3600

	// redriveTime is how long a received message stays hidden from others: long enough for a redrive to send a batch on
	// and delete it.
	redriveTime = 2 * time.Minute

	// dataKeyReuse is how long SQS uses one data key before it asks KMS again, so a flood of dead letters doesn't hit
	// KMS's request quota.
	dataKeyReuse = 5 * time.Minute
)

// MonitoredQueueArgs are the arguments of NewMonitoredQueue.
type MonitoredQueueArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// QueueName is the physical name: up to 80 letters, digits, - and _. The alarms are named after it.
	QueueName string `pulumi:"queueName"`

	// Holds says in an alarm's text what a message in the queue is, such as "trades that the recorder could not write".
	Holds string `pulumi:"holds"`

	// KeyARN is the customer-managed key that encrypts the messages. Its policy must let every service that sends use it:
	// the AWS-managed key can't be granted, and the messages would vanish.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// AlarmTopicARN is the SNS topic that both alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// Senders are the AWS services that may send, each for one resource. Roles in this account aren't listed: their own
	// policies suffice.
	Senders []QueueSender `pulumi:"senders,optional"`

	// OldestMessageSeconds is the age of the oldest message that raises the second alarm: less than 14 days. Default:
	// 3600.
	OldestMessageSeconds int `pulumi:"oldestMessageSeconds,optional"`

	// DeletionProtection refuses a plan that would delete or replace the queue, and with it the waiting messages.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`
}

// QueueSender is an AWS service that sends to a queue on behalf of one resource of this account.
type QueueSender struct {
	// Service is the service's principal, such as events.amazonaws.com.
	Service string `pulumi:"service"`

	// ResourceARN is what the service sends on behalf of, such as the ARN of a rule.
	ResourceARN pulumi.StringInput `pulumi:"resourceArn"`
}

// MonitoredQueue is an SQS queue with alarms on its first message and on that message's age. It is encrypted with a
// customer-managed key, keeps messages for 14 days, accepts only TLS, and can't be another queue's dead-letter queue.
type MonitoredQueue struct {
	pulumi.ResourceState

	ARN    pulumi.StringOutput `pulumi:"arn"`
	URL    pulumi.StringOutput `pulumi:"url"`
	Name   string
	Alarms Alarms

	// Policy lets the senders send; create senders after it.
	Policy pulumi.Resource
}

// NewMonitoredQueue creates a MonitoredQueue.
func NewMonitoredQueue(ctx *pulumi.Context, name string, given *MonitoredQueueArgs, opts ...pulumi.ResourceOption) (*MonitoredQueue, error) {
	args := given.withDefaults()
	q := &MonitoredQueue{Name: args.QueueName}
	if err := register(ctx, monitoredQueueType, name, q, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	queue, err := sqs.NewQueue(ctx, name+"-queue", &sqs.QueueArgs{
		Name:                         pulumi.String(args.QueueName),
		KmsMasterKeyId:               args.KeyARN,
		KmsDataKeyReusePeriodSeconds: pulumi.Int(int(dataKeyReuse.Seconds())),
		MessageRetentionSeconds:      pulumi.Int(int(queueRetention.Seconds())),
		VisibilityTimeoutSeconds:     pulumi.Int(int(redriveTime.Seconds())),
	}, pulumi.Parent(q), pulumi.Protect(args.DeletionProtection))
	if err != nil {
		return nil, fmt.Errorf("creating queue %s: %w", name, err)
	}
	q.ARN, q.URL = queue.Arn, queue.Url

	// Policies are separate resources: inline, they are both optional and computed, and drift unnoticed.
	q.Policy, err = sqs.NewQueuePolicy(ctx, name+"-policy", &sqs.QueuePolicyArgs{
		QueueUrl: queue.Url,
		Policy:   args.policy(queue.Arn),
	}, pulumi.Parent(q))
	if err != nil {
		return nil, fmt.Errorf("creating the policy of queue %s: %w", name, err)
	}
	_, err = sqs.NewRedriveAllowPolicy(ctx, name+"-redrive-allow", &sqs.RedriveAllowPolicyArgs{
		QueueUrl:           queue.Url,
		RedriveAllowPolicy: pulumi.String(`{"redrivePermission":"denyAll"}`),
	}, pulumi.Parent(q))
	if err != nil {
		return nil, fmt.Errorf("closing queue %s to other queues: %w", name, err)
	}

	q.Alarms, err = newAlarms(ctx, q, name, args.QueueName, args.AlarmTopicARN, args.alarms())
	if err != nil {
		return nil, err
	}
	return q, registerOutputs(ctx, name, q)
}

func (args MonitoredQueueArgs) withDefaults() *MonitoredQueueArgs {
	if args.OldestMessageSeconds == 0 {
		args.OldestMessageSeconds = defaultOldestMessageSeconds
	}
	return &args
}

func (args *MonitoredQueueArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("QueueName", args.QueueName, queueName)
	a.text("Holds", args.Holds)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	for i, sender := range args.Senders {
		a.text(fmt.Sprintf("Senders[%d].Service", i), sender.Service)
		a.given(fmt.Sprintf("Senders[%d].ResourceARN", i), sender.ResourceARN)
	}
	if age := args.OldestMessageSeconds; age < 1 || age >= int(queueRetention.Seconds()) {
		a.problem("OldestMessageSeconds", "is %d; it must be shorter than the retention of %v, after which there is nothing left to warn about", age, queueRetention)
	}
	return a.err()
}

func (args *MonitoredQueueArgs) policy(queueARN pulumi.StringInput) pulumi.StringOutput {
	inputs := []pulumi.StringInput{queueARN}
	for _, sender := range args.Senders {
		inputs = append(inputs, sender.ResourceARN)
	}
	return policyOf(func(arn []string) []iam.Statement {
		queue, resources := arn[0], arn[1:]
		statements := []iam.Statement{onlyTLS("sqs:*", queue)}
		for i, sender := range args.Senders {
			statements = append(statements, iam.Statement{
				Sid:       fmt.Sprintf("Sender%d", i),
				Effect:    iam.Allow,
				Principal: iam.Service(sender.Service),
				Action:    iam.Strings{"sqs:SendMessage"},
				Resource:  iam.Strings{queue},
				Condition: sentFor(args.Scope.Account, resources[i]),
			})
		}
		return statements
	}, inputs...)
}

// sentFor returns the conditions that a service sends for one resource. EventBridge passes a rule's ARN, or a bus's for
// the bus's own queue (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html). A bucket's ARN has no
// account in it, so the account is required beside it
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention).
func sentFor(account, resource string) iam.Conditions {
	conditions := onBehalfOf(resource)
	if parts := strings.SplitN(resource, ":", 6); len(parts) < 6 || parts[4] == "" {
		maps.Copy(conditions, onBehalfOfAccount(account))
	}
	return conditions
}

func (args *MonitoredQueueArgs) alarms() []alarm {
	dimensions := pulumi.StringMap{"QueueName": pulumi.String(args.QueueName)}
	return []alarm{
		{
			name: "depth", pages: true,
			description: fmt.Sprintf("Queue %s holds %s. See the runbook: redrive.", args.QueueName, args.Holds),
			namespace:   "AWS/SQS", metric: "ApproximateNumberOfMessagesVisible", dimensions: dimensions,
			statistic: "Maximum", period: time.Minute, periods: 1, threshold: 1, comparison: atLeast,
		},
		{
			name:        "age",
			description: fmt.Sprintf("Queue %s has held %s for more than %v; SQS deletes them after %v.", args.QueueName, args.Holds, seconds(args.OldestMessageSeconds), queueRetention),
			namespace:   "AWS/SQS", metric: "ApproximateAgeOfOldestMessage", dimensions: dimensions,
			statistic: "Maximum", period: time.Minute, periods: 1, threshold: float64(args.OldestMessageSeconds), comparison: atLeast,
		},
	}
}
