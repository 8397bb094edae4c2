package components

import (
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const globalTradeTableType = "trade-processing:components:GlobalTradeTable"

// The table's keys, indexes and the attributes that its readers rely on. The names are a contract with the recorder and
// with whoever queries.
const (
	TradeIDAttribute      = "tradeId"      // S, partition key
	TimestampAttribute    = "timestamp"    // N, sort key: epoch milliseconds of the execution
	SourceSystemAttribute = "sourceSystem" // S
	StatusAttribute       = "status"       // S: RECORDED or REJECTED
	ExpiresAtAttribute    = "expiresAt"    // N, epoch seconds: when the retention ends

	BySourceIndex = "bySource" // this source, this time window
	ByStatusIndex = "byStatus" // this status, this time window
)

// windowAttributes are what a query of a time window answers with beside the keys. Whoever needs the whole trade gets it
// by its key: projecting everything would store and write each trade three times over.
var windowAttributes = []string{"amount", "currency", "digest", "recordedAt", "symbol", "venue"}

// TableReplica is the table in another region.
type TableReplica struct {
	// Region is the other region.
	Region string `pulumi:"region"`

	// KeyARN is the customer-managed key in that region. It can't be changed once the replica exists.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// Provider is the provider of that region. Default: one is made, with the environment's credentials.
	Provider *aws.Provider

	// Tags are the default tags of a provider that is made.
	Tags map[string]string `pulumi:"tags,optional"`
}

// GlobalTradeTableArgs are the arguments of NewGlobalTradeTable.
type GlobalTradeTableArgs struct {
	Scope Scope `pulumi:"scope,optional"`

	// TableName is the physical name, the same in every region: 3 to 255 letters, digits, -, _ and . The alarms name the
	// table before it exists.
	TableName string `pulumi:"tableName"`

	// KeyARN is the customer-managed key of the table in its own region.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// Replicas are the other regions. Adding one leaves everything else as it is.
	Replicas []TableReplica `pulumi:"replicas,optional"`

	// DeletionProtection keeps table and replicas from being deleted, by anybody, until it is taken off.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`

	// Expires switches on time to live on the attribute expiresAt. The recorder writes it where a retention is set.
	Expires bool `pulumi:"expires,optional"`

	// MaxWriteUnits bounds what the on-demand table may write a second, and so what it may cost: up to 1000000.
	// Default: unbounded.
	MaxWriteUnits int `pulumi:"maxWriteUnits,optional"`

	// MaxReadUnits bounds what it may read a second: up to 1000000. Default: unbounded.
	MaxReadUnits int `pulumi:"maxReadUnits,optional"`

	// ReplicationLatencySeconds is the delay of a replica that raises an alarm: up to 86400. Default: 60.
	ReplicationLatencySeconds int `pulumi:"replicationLatencySeconds,optional"`
}

const defaultReplicationLatencySeconds = 60

// GlobalTradeTable is the DynamoDB table of the trades with its replicas: on-demand, point-in-time recovery, streams, a
// customer-managed key in each region, two indexes for time windows, and alarms.
type GlobalTradeTable struct {
	pulumi.ResourceState

	Name        pulumi.StringOutput            `pulumi:"name"`
	ARN         pulumi.StringOutput            `pulumi:"arn"`
	StreamARN   pulumi.StringOutput            `pulumi:"streamArn"`
	ReplicaARNs map[string]pulumi.StringOutput // by region
	Alarms      Alarms
}

// NewGlobalTradeTable makes a GlobalTradeTable.
func NewGlobalTradeTable(ctx *pulumi.Context, name string, given *GlobalTradeTableArgs, opts ...pulumi.ResourceOption) (*GlobalTradeTable, error) {
	args := given.withDefaults()
	t := &GlobalTradeTable{ReplicaARNs: map[string]pulumi.StringOutput{}}
	if err := register(ctx, globalTradeTableType, name, t, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	// The replicas are resources of their own: an inline replica has no field for deletion protection, so that the copy in
	// the other region would be the one that anybody can delete. The table must then ignore them, or each update would
	// take them for drift and remove them. Protect goes with DeletionProtection, so that a plan that would replace the
	// table fails before it begins.
	table, err := dynamodb.NewTable(ctx, name+"-table", args.table(), pulumi.Parent(t),
		pulumi.IgnoreChanges([]string{"replicas"}), pulumi.Protect(args.DeletionProtection))
	if err != nil {
		return nil, fmt.Errorf("making table %s: %w", name, err)
	}
	t.Name, t.ARN, t.StreamARN = table.Name, table.Arn, table.StreamArn

	// One after the other: a table takes one change of its replicas at a time.
	before := pulumi.Resource(table)
	for _, replica := range args.inOrder() {
		provider, err := regional(ctx, t, name, replica.Region, replica.Provider, replica.Tags)
		if err != nil {
			return nil, err
		}
		made, err := dynamodb.NewTableReplica(ctx, name+"-"+replica.Region, &dynamodb.TableReplicaArgs{
			GlobalTableArn:            table.Arn,
			KmsKeyArn:                 replica.KeyARN,
			PointInTimeRecovery:       pulumi.Bool(true), // said, as it is off by default and isn't inherited
			DeletionProtectionEnabled: pulumi.Bool(args.DeletionProtection),
		}, pulumi.Parent(t), pulumi.Provider(provider), pulumi.DependsOn([]pulumi.Resource{before}), pulumi.Protect(args.DeletionProtection))
		if err != nil {
			return nil, fmt.Errorf("making the replica of table %s in %s: %w", name, replica.Region, err)
		}
		t.ReplicaARNs[replica.Region] = made.Arn
		before = made
	}

	t.Alarms, err = newAlarms(ctx, t, name, args.TableName, args.AlarmTopicARN, args.alarms())
	if err != nil {
		return nil, err
	}
	return t, registerOutputs(ctx, name, t)
}

func (args GlobalTradeTableArgs) withDefaults() *GlobalTradeTableArgs {
	if args.ReplicationLatencySeconds == 0 {
		args.ReplicationLatencySeconds = defaultReplicationLatencySeconds
	}
	return &args
}

func (args *GlobalTradeTableArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("TableName", args.TableName, tableName)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	a.units("MaxWriteUnits", args.MaxWriteUnits)
	a.units("MaxReadUnits", args.MaxReadUnits)
	a.between("ReplicationLatencySeconds", args.ReplicationLatencySeconds, 1, 86400)
	seen := map[string]bool{args.Scope.Region: true}
	for i, replica := range args.Replicas {
		field := fmt.Sprintf("Replicas[%d]", i)
		a.text(field+".Region", replica.Region)
		if seen[replica.Region] {
			a.problem(field+".Region", "the table is in %q already", replica.Region)
		}
		seen[replica.Region] = true
		a.given(field+".KeyARN", replica.KeyARN)
	}
	return a.err()
}

// inOrder sorts the replicas by region, so that their order in the config changes nothing.
func (args *GlobalTradeTableArgs) inOrder() []TableReplica {
	return slices.SortedFunc(slices.Values(args.Replicas), func(a, b TableReplica) int {
		if a.Region < b.Region {
			return -1
		}
		return 1
	})
}

func (args *GlobalTradeTableArgs) table() *dynamodb.TableArgs {
	attribute := func(name, kind string) dynamodb.TableAttributeInput {
		return &dynamodb.TableAttributeArgs{Name: pulumi.String(name), Type: pulumi.String(kind)}
	}
	index := func(name, hashKey string) dynamodb.TableGlobalSecondaryIndexInput {
		index := &dynamodb.TableGlobalSecondaryIndexArgs{
			Name: pulumi.String(name), HashKey: pulumi.String(hashKey), RangeKey: pulumi.String(TimestampAttribute),
			ProjectionType: pulumi.String("INCLUDE"), NonKeyAttributes: pulumi.ToStringArray(windowAttributes),
		}
		if throughput := args.throughput(); throughput != nil {
			index.OnDemandThroughput = &dynamodb.TableGlobalSecondaryIndexOnDemandThroughputArgs{
				MaxReadRequestUnits: throughput.MaxReadRequestUnits, MaxWriteRequestUnits: throughput.MaxWriteRequestUnits,
			}
		}
		return index
	}
	table := &dynamodb.TableArgs{
		Name:        pulumi.String(args.TableName),
		BillingMode: pulumi.String("PAY_PER_REQUEST"),
		HashKey:     pulumi.String(TradeIDAttribute),
		RangeKey:    pulumi.String(TimestampAttribute),
		Attributes: dynamodb.TableAttributeArray{
			attribute(TradeIDAttribute, "S"), attribute(TimestampAttribute, "N"),
			attribute(SourceSystemAttribute, "S"), attribute(StatusAttribute, "S"),
		},
		GlobalSecondaryIndexes: dynamodb.TableGlobalSecondaryIndexArray{
			index(BySourceIndex, SourceSystemAttribute), index(ByStatusIndex, StatusAttribute),
		},
		StreamEnabled:             pulumi.Bool(true), // replication works on the stream
		StreamViewType:            pulumi.String("NEW_AND_OLD_IMAGES"),
		PointInTimeRecovery:       &dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)},
		ServerSideEncryption:      &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true), KmsKeyArn: args.KeyARN},
		DeletionProtectionEnabled: pulumi.Bool(args.DeletionProtection),
	}
	if args.Expires { // left out otherwise: AWS forgets the attribute of a time to live that is off, which shows as drift
		table.Ttl = &dynamodb.TableTtlArgs{Enabled: pulumi.Bool(true), AttributeName: pulumi.String(ExpiresAtAttribute)}
	}
	if throughput := args.throughput(); throughput != nil {
		table.OnDemandThroughput = throughput
	}
	return table
}

// throughput is nil where nothing is bounded.
func (args *GlobalTradeTableArgs) throughput() *dynamodb.TableOnDemandThroughputArgs {
	if args.MaxReadUnits == 0 && args.MaxWriteUnits == 0 {
		return nil
	}
	throughput := &dynamodb.TableOnDemandThroughputArgs{}
	if args.MaxReadUnits > 0 {
		throughput.MaxReadRequestUnits = pulumi.Int(args.MaxReadUnits)
	}
	if args.MaxWriteUnits > 0 {
		throughput.MaxWriteRequestUnits = pulumi.Int(args.MaxWriteUnits)
	}
	return throughput
}

func (args *GlobalTradeTableArgs) alarms() []alarm {
	table := pulumi.String(args.TableName)
	whole := pulumi.StringMap{"TableName": table}
	puts := pulumi.StringMap{"TableName": table, "Operation": pulumi.String("PutItem")}
	alarms := []alarm{
		{
			name:        "write-throttles",
			description: fmt.Sprintf("Writes to table %s are throttled: a hot key, or the table's maximum throughput is used up.", args.TableName),
			namespace:   "AWS/DynamoDB", metric: "WriteThrottleEvents", dimensions: whole,
			statistic: "Sum", period: time.Minute, periods: 3, threshold: 1, comparison: atLeast,
		},
		{
			name:        "read-throttles",
			description: fmt.Sprintf("Reads of table %s are throttled: a hot key, or the table's maximum throughput is used up.", args.TableName),
			namespace:   "AWS/DynamoDB", metric: "ReadThrottleEvents", dimensions: whole,
			statistic: "Sum", period: time.Minute, periods: 3, threshold: 1, comparison: atLeast,
		},
		{
			name: "system-errors", pages: true,
			description: fmt.Sprintf("DynamoDB fails to write to table %s. See the runbook: loss of the primary region.", args.TableName),
			namespace:   "AWS/DynamoDB", metric: "SystemErrors", dimensions: puts,
			statistic: "Sum", period: time.Minute, periods: 3, threshold: 1, comparison: atLeast,
		},
	}
	for _, replica := range args.inOrder() {
		alarms = append(alarms, alarm{
			name:        "replication-" + replica.Region,
			description: fmt.Sprintf("The replica of table %s in %s is more than %v behind.", args.TableName, replica.Region, seconds(args.ReplicationLatencySeconds)),
			namespace:   "AWS/DynamoDB", metric: "ReplicationLatency",
			dimensions: pulumi.StringMap{"TableName": table, "ReceivingRegion": pulumi.String(replica.Region)},
			statistic:  "Average", period: time.Minute, periods: 5, threshold: 1000 * float64(args.ReplicationLatencySeconds), comparison: above,
		})
	}
	return alarms
}
