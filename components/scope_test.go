package components

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// queueIn creates a queue with a provider for eu-west-1.
func queueIn(scope Scope) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := NewMonitoredQueue(ctx, "q", &MonitoredQueueArgs{
			Scope: scope, QueueName: "orders", Holds: "orders", KeyARN: keyARN, AlarmTopicARN: topicARN,
			Senders: []QueueSender{{Service: "events.amazonaws.com", ResourceARN: keyARN}},
		}, pulumi.Providers(ireland(ctx)))
		return err
	}
}

func TestAComponentAsksItsOwnProviderForItsScope(t *testing.T) {
	stack := run(t, queueIn(Scope{}))
	policy := find(t, stack, "aws:sqs/queuePolicy:QueuePolicy", "policy").Text("policy")
	if !strings.Contains(policy, `"arn:aws:sqs:eu-west-1:111122223333:orders"`) {
		t.Errorf("the policy is %s", policy)
	}
}

func TestAScopeThatIsNotTheProvidersIsRefused(t *testing.T) {
	const want = "component q: Scope: is us-east-1 of account 111122223333 in partition aws, " +
		"but the provider's is eu-west-1 of account 111122223333 in partition aws"
	if text := refusal(t, queueIn(here)); !strings.Contains(text, want) {
		t.Errorf("got %s", text)
	}
}

func TestWhatDependsOnTheScopeIsCheckedOnceItIsKnown(t *testing.T) {
	text := refusal(t, func(ctx *pulumi.Context) error {
		_, err := NewGlobalTradeTable(ctx, "t", &GlobalTradeTableArgs{
			TableName: "orders", KeyARN: keyARN, AlarmTopicARN: topicARN, Replicas: []TableReplica{{Region: "us-east-1", KeyARN: keyARN}},
		})
		return err
	})
	if !strings.Contains(text, `Replicas[0].Region: the table is already in "us-east-1"`) {
		t.Errorf("got %s", text)
	}
}

func TestAReplicaWithoutAProviderGetsOneOfItsRegion(t *testing.T) {
	stack := run(t, func(ctx *pulumi.Context) error {
		_, err := NewGlobalTradeTable(ctx, "t", &GlobalTradeTableArgs{
			TableName: "orders", KeyARN: keyARN, AlarmTopicARN: topicARN,
			Replicas: []TableReplica{{Region: "eu-west-1", KeyARN: keyARN, Tags: map[string]string{"Owner": "us"}}},
		})
		return err
	})
	replica := find(t, stack, "aws:dynamodb/tableReplica:TableReplica", "eu-west-1")
	provider := find(t, stack, "pulumi:providers:aws", replica.Provider)
	if provider.Text("region") != "eu-west-1" || provider.Text("defaultTags.tags.Owner") != "us" {
		t.Errorf("the replica is made by %s with %v", provider.Name, provider.Inputs)
	}
}
