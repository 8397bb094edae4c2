package packaged

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
)

// MonitoredQueueArgs are the inputs of a packaged MonitoredQueue.
type MonitoredQueueArgs struct {
	QueueName            string             `pulumi:"queueName" doc:"The physical name: up to 80 letters, digits, - and _."`
	Holds                string             `pulumi:"holds" doc:"What a message in here means, for the alarms' texts."`
	KeyARN               pulumi.StringInput `pulumi:"keyArn" doc:"The customer-managed key. Its policy must let every service use it that sends."`
	AlarmTopicARN        pulumi.StringInput `pulumi:"alarmTopicArn" doc:"The SNS topic that the alarms notify."`
	Senders              []QueueSender      `pulumi:"senders,optional" doc:"The AWS services that may send, each for one resource."`
	OldestMessageSeconds int                `pulumi:"oldestMessageSeconds,optional" doc:"The age of the oldest message that raises the second alarm. Default: 3600."`
	DeletionProtection   bool               `pulumi:"deletionProtection,optional" doc:"Refuses a plan that would delete or replace the queue."`
}

// QueueSender is an AWS service that sends on behalf of one resource.
type QueueSender struct {
	Service     string             `pulumi:"service" doc:"Such as events.amazonaws.com."`
	ResourceARN pulumi.StringInput `pulumi:"resourceArn" doc:"Such as the ARN of a rule."`
}

// MonitoredQueue is the packaged component.
type MonitoredQueue struct {
	pulumi.ResourceState

	ARN pulumi.StringOutput `pulumi:"arn" doc:"The queue's ARN."`
	URL pulumi.StringOutput `pulumi:"url" doc:"The queue's URL."`
}

func (q *MonitoredQueue) build(ctx *pulumi.Context, name string, scope components.Scope, args *MonitoredQueueArgs) error {
	given := &components.MonitoredQueueArgs{
		Scope: scope, QueueName: args.QueueName, Holds: args.Holds, KeyARN: args.KeyARN, AlarmTopicARN: args.AlarmTopicARN,
		OldestMessageSeconds: args.OldestMessageSeconds, DeletionProtection: args.DeletionProtection,
	}
	for _, sender := range args.Senders {
		given.Senders = append(given.Senders, components.QueueSender(sender))
	}
	queue, err := components.NewMonitoredQueue(ctx, name, given, pulumi.Parent(q))
	if err != nil {
		return err
	}
	q.ARN, q.URL = queue.ARN, queue.URL
	return nil
}
