// Settlement confirmations: an example of another pipeline made of this project's components.
//
// Settlement agents confirm on an event bus that a trade has settled. A small workflow hands each confirmation to a
// function, which records it once; what can't be recorded is kept in a dead-letter queue, with an alarm on it. Deploy
// it with `pulumi stack init dev` and `pulumi up` in this folder.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
)

const (
	prefix      = "settlement" // begins every physical name
	eventSource = "settlement.agents"
	ruleName    = prefix + "-confirmations"
	maxRetries  = 3 // of a function call after a transient error
)

func main() { pulumi.Run(deploy) }

func deploy(ctx *pulumi.Context) error {
	// One key encrypts everything. Each service that uses it is granted only what it needs.
	key, err := components.NewEncryptionKey(ctx, "encryption", &components.EncryptionKeyArgs{
		Alias: prefix,
		Grants: &components.KeyGrants{
			LogGroups:    []string{components.FunctionLogGroup(prefix + "-*"), components.WorkflowLogGroup(prefix + "-*")},
			WorkflowLogs: true,
			AlarmPrefix:  prefix + "-",
			Events:       true,
		},
	})
	if err != nil {
		return err
	}
	topic, err := components.NewAlarmTopic(ctx, "alarms", &components.AlarmTopicArgs{
		TopicName: pulumi.String(prefix + "-alarms"), AlarmNamePrefix: prefix + "-", KeyARN: key.ARN,
	})
	if err != nil {
		return err
	}

	// The table comes with encryption, point-in-time recovery and alarms. Replicas in other regions are a list away.
	table, err := components.NewGlobalTradeTable(ctx, "confirmations", &components.GlobalTradeTableArgs{
		TableName: prefix + "-confirmations", HashKey: &components.KeyAttribute{Name: "tradeId"}, KeyARN: key.ARN, AlarmTopicARN: topic.ARN,
	})
	if err != nil {
		return err
	}

	// The function comes with its image, repository, role, log group, dead-letter queue and alarms. Any further
	// permissions are listed here.
	confirmer, err := components.NewContainerFunction(ctx, "confirmer", &components.ContainerFunctionArgs{
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
		Permissions:    table.Writes,
	})
	if err != nil {
		return err
	}
	workflow, err := components.NewWorkflow(ctx, "workflow", &components.WorkflowArgs{
		WorkflowName:  prefix + "-workflow",
		Definition:    components.StagedDefinition([]components.WorkflowStage{{State: "Confirm"}}, maxRetries),
		Functions:     []*components.ContainerFunction{confirmer},
		KeyARN:        key.ARN,
		AlarmTopicARN: topic.ARN,
	})
	if err != nil {
		return err
	}

	// No event waits unseen: what the bus can't deliver for a day goes to a queue with alarms.
	bus, err := components.NewEventBus(ctx, "bus", &components.EventBusArgs{
		BusName: prefix, ArchiveName: pulumi.String(prefix + "-events"), DeadLetterQueueName: prefix + "-bus-dead-letters",
		EventSources: []string{eventSource}, ArchiveDays: 30, KeyARN: key.ARN, AlarmTopicARN: topic.ARN,
	})
	if err != nil {
		return err
	}
	_, err = components.NewSourceRoute(ctx, "confirmations-in", &components.SourceRouteArgs{
		RuleName: ruleName, EventSource: eventSource, Bus: bus,
		StateMachineARN: workflow.ARN, AliasARN: workflow.AliasARN, AliasName: workflow.AliasName,
		KeyARN: key.ARN, AlarmTopicARN: topic.ARN,
	})
	if err != nil {
		return err
	}

	ctx.Export("busName", bus.Name)
	ctx.Export("tableName", table.Name)
	ctx.Export("deadLetterQueueUrl", confirmer.DeadLetters.URL)
	return nil
}
