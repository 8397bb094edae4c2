package packaged

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
)

// GlobalTradeTableArgs are the inputs of a packaged GlobalTradeTable.
type GlobalTradeTableArgs struct {
	TableName                 string             `pulumi:"tableName" doc:"The physical name, the same in every region."`
	KeyARN                    pulumi.StringInput `pulumi:"keyArn" doc:"The customer-managed key of the table in its own region."`
	AlarmTopicARN             pulumi.StringInput `pulumi:"alarmTopicArn" doc:"The SNS topic that the alarms notify."`
	Replicas                  []TableReplica     `pulumi:"replicas,optional" doc:"The table in other regions."`
	DeletionProtection        bool               `pulumi:"deletionProtection,optional" doc:"Keeps table and replicas from being deleted, by anybody."`
	Expires                   bool               `pulumi:"expires,optional" doc:"Switches on time to live on the attribute expiresAt."`
	MaxWriteUnits             int                `pulumi:"maxWriteUnits,optional" doc:"What the table may write a second. Default: unbounded."`
	MaxReadUnits              int                `pulumi:"maxReadUnits,optional" doc:"What the table may read a second. Default: unbounded."`
	ReplicationLatencySeconds int                `pulumi:"replicationLatencySeconds,optional" doc:"The delay of a replica that raises an alarm. Default: 60."`
}

// TableReplica is the table in another region.
type TableReplica struct {
	Region string             `pulumi:"region" doc:"The other region."`
	KeyARN pulumi.StringInput `pulumi:"keyArn" doc:"The customer-managed key in that region, which can't be changed once the replica exists."`
	Tags   map[string]string  `pulumi:"tags,optional" doc:"The tags of what is made in that region, whose provider is the component's own."`
}

// GlobalTradeTable is the packaged component.
type GlobalTradeTable struct {
	pulumi.ResourceState

	Name      pulumi.StringOutput `pulumi:"name" doc:"The table's name."`
	ARN       pulumi.StringOutput `pulumi:"arn" doc:"The table's ARN."`
	StreamARN pulumi.StringOutput `pulumi:"streamArn" doc:"The ARN of the table's stream."`
}

func (t *GlobalTradeTable) build(ctx *pulumi.Context, name string, scope components.Scope, args *GlobalTradeTableArgs) error {
	replicas, err := replicasOf(ctx, t, name, args.Replicas)
	if err != nil {
		return err
	}
	given := &components.GlobalTradeTableArgs{
		Scope: scope, TableName: args.TableName, KeyARN: args.KeyARN, AlarmTopicARN: args.AlarmTopicARN, Replicas: replicas,
		DeletionProtection: args.DeletionProtection,
		MaxWriteUnits:      args.MaxWriteUnits, MaxReadUnits: args.MaxReadUnits,
		ReplicationLatencySeconds: args.ReplicationLatencySeconds,
	}
	if args.Expires {
		given.ExpiresAttribute = components.ExpiresAtAttribute
	}
	table, err := components.NewGlobalTradeTable(ctx, name, given, pulumi.Parent(t))
	if err != nil {
		return err
	}
	t.Name, t.ARN, t.StreamARN = table.Name, table.ARN, table.StreamARN
	return nil
}

// replicasOf makes a provider for each region: a provider is no value that every language can hand over among others.
func replicasOf(ctx *pulumi.Context, parent pulumi.Resource, name string, given []TableReplica) ([]components.TableReplica, error) {
	var replicas []components.TableReplica
	for _, replica := range given {
		made, err := aws.NewProvider(ctx, name+"-"+replica.Region+"-provider", &aws.ProviderArgs{
			Region:      pulumi.String(replica.Region),
			DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(replica.Tags)},
		}, pulumi.Parent(parent))
		if err != nil {
			return nil, fmt.Errorf("creating the provider for %s: %w", replica.Region, err)
		}
		replicas = append(replicas, components.TableReplica{Region: replica.Region, Provider: made, KeyARN: replica.KeyARN})
	}
	return replicas, nil
}
