// Settlement confirmations: an example of another pipeline that is made of this project's components.
//
// Settlement agents confirm on an event bus that a trade has settled. A small workflow hands each confirmation to a
// function, which records it once; what can't be recorded is kept in a dead-letter queue, with an alarm on it. Deploy it
// with `pulumi stack init dev`, `pulumi config set aws:region eu-west-1` and `pulumi up` in this folder.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"trade-processing/components"
)

const (
	prefix      = "settlement" // begins every physical name
	eventSource = "settlement.agents"
	ruleName    = prefix + "-confirmations"
)

func main() { pulumi.Run(deploy) }

func deploy(ctx *pulumi.Context) error {
	region := config.New(ctx, "aws").Require("region")
	provider, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{
		Region:      pulumi.String(region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{"Project": pulumi.String(prefix)}},
	})
	if err != nil {
		return err
	}
	here := pulumi.Providers(provider)

	// With the account and the region known, policies name resources that don't exist yet.
	scope, err := components.LookupScope(ctx, pulumi.Provider(provider))
	if err != nil {
		return err
	}

	// One key encrypts everything. Each service that uses it is granted what it needs, and nothing else.
	key, err := components.NewEncryptionKey(ctx, "encryption", &components.EncryptionKeyArgs{
		Scope: scope,
		Alias: prefix,
		Grants: &components.KeyGrants{
			LogGroups:   []string{components.FunctionLogGroup(prefix + "-*")},
			AlarmPrefix: prefix + "-",
			Rules:       []string{prefix + "/" + ruleName},
			EventBus:    prefix,
		},
	}, here)
	if err != nil {
		return err
	}
	topic, err := components.NewAlarmTopic(ctx, "alarms", &components.AlarmTopicArgs{
		Scope: scope, TopicName: pulumi.String(prefix + "-alarms"), AlarmNamePrefix: prefix + "-", KeyARN: key.ARN,
	}, here)
	if err != nil {
		return err
	}

	// The table has its indexes, backups and alarms by itself. Replicas in other regions are a list away.
	table, err := components.NewGlobalTradeTable(ctx, "confirmations", &components.GlobalTradeTableArgs{
		Scope: scope, TableName: prefix + "-confirmations", KeyARN: key.ARN, AlarmTopicARN: topic.ARN,
	}, here)
	if err != nil {
		return err
	}

	// The function comes with its image, repository, role, log group, dead-letter queue and alarms. What it may do beyond
	// that is said here.
	confirmer, err := components.NewContainerFunction(ctx, "confirmer", &components.ContainerFunctionArgs{
		Scope:          scope,
		FunctionName:   prefix + "-confirmer",
		RepositoryName: pulumi.String(prefix + "/confirmer"),
		Description:    "Records that a trade has settled",
		Image: components.ImageSource{
			Context: "confirmer", Dockerfile: "confirmer/Dockerfile", Args: map[string]string{"FUNCTION": "confirmer"},
		},
		KeyARN:         key.ARN,
		AlarmTopicARN:  topic.ARN,
		TimeoutSeconds: 5,
		Environment:    pulumi.StringMap{"TABLE_NAME": table.Name},
		Permissions: []components.Permission{{
			Sid: "RecordConfirmations", Actions: []string{"dynamodb:PutItem"}, Resources: []pulumi.StringInput{table.ARN},
		}},
	}, here)
	if err != nil {
		return err
	}
	workflow, err := newWorkflow(ctx, scope, key, confirmer, pulumi.Provider(provider))
	if err != nil {
		return err
	}

	// Events wait nowhere unseen: what the bus can't deliver for a day goes to a queue that nobody can forget.
	bus, err := components.NewEventBus(ctx, "bus", &components.EventBusArgs{
		Scope: scope, BusName: prefix, ArchiveName: pulumi.String(prefix + "-events"), DeadLetterQueueName: prefix + "-bus-dead-letters",
		EventSources: []string{eventSource}, ArchiveDays: 30, KeyARN: key.ARN, AlarmTopicARN: topic.ARN,
	}, here)
	if err != nil {
		return err
	}
	undelivered, err := components.NewMonitoredQueue(ctx, "undelivered", &components.MonitoredQueueArgs{
		Scope: scope, QueueName: prefix + "-undelivered", Holds: "confirmations that EventBridge could not deliver",
		KeyARN: key.ARN, AlarmTopicARN: topic.ARN,
		Senders: []components.QueueSender{{
			Service: "events.amazonaws.com", ResourceARN: pulumi.String(components.RuleARN(scope, prefix, ruleName)),
		}},
	}, here)
	if err != nil {
		return err
	}
	_, err = components.NewSourceRoute(ctx, "confirmations-in", &components.SourceRouteArgs{
		Scope: scope, RuleName: ruleName, EventSource: eventSource, Bus: bus, StateMachineARN: workflow.Arn,
		DeadLetters: undelivered, AlarmTopicARN: topic.ARN,
	}, here)
	if err != nil {
		return err
	}

	ctx.Export("busName", bus.Name)
	ctx.Export("tableName", table.Name)
	ctx.Export("deadLetterQueueUrl", confirmer.DeadLetters.URL)
	return nil
}
