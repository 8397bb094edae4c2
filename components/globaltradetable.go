package components

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const globalTradeTableType = "trade-processing:components:GlobalTradeTable"

// The trades' keys, indexes and the attributes that readers rely on. The names are a contract with the recorder and all
// readers.
const (
	TradeIDAttribute      = "tradeId"      // S, partition key
	VersionAttribute      = "version"      // S, sort key: source, # and the version's time; a rejected trade's goes on
	TimestampAttribute    = "timestamp"    // N, epoch milliseconds of the version's time
	SourceSystemAttribute = "sourceSystem" // S
	StatusAttribute       = "status"       // S: RECORDED or REJECTED
	SourceShardAttribute  = "sourceShard"  // S: source system, #, and the number of a shard
	StatusShardAttribute  = "statusShard"  // S: status, #, and the number of a shard; only rejected trades have one
	ExpiresAtAttribute    = "expiresAt"    // N, epoch seconds: when the retention ends

	BySourceIndex = "bySource" // this source, this time window: the query of every shard
	ByStatusIndex = "byStatus" // rejected, this time window: the query of every shard
)

// windowAttributes are what a query of a time window returns besides the keys. To read the whole trade, get it by its
// key: projecting everything would store and write each trade three times over.
var windowAttributes = []string{"action", "amount", "currency", "digest", "recordedAt", SourceSystemAttribute, StatusAttribute, "symbol", "venue"}

// The types of key attributes.
const (
	TextKey   = "S"
	NumberKey = "N"
	BinaryKey = "B"
)

// KeyAttribute is an attribute that is a key of a table or of an index.
type KeyAttribute struct {
	// Name is the attribute's name: up to 255 bytes.
	Name string `pulumi:"name"`

	// Type is S for text, N for a number, or B for bytes. Default: S.
	Type string `pulumi:"type,optional"`
}

// TableIndex is a global secondary index.
type TableIndex struct {
	// Name is the index's name: 3 to 255 letters, digits, -, _ and .
	Name string `pulumi:"name"`

	// HashKey is the index's partition key.
	HashKey KeyAttribute `pulumi:"hashKey"`

	// RangeKey is the index's sort key. Default: none.
	RangeKey *KeyAttribute `pulumi:"rangeKey,optional"`

	// Attributes are what the index has besides the keys of index and table: up to 20. Default: everything.
	Attributes []string `pulumi:"attributes,optional"`
}

// tradeIndexes returns the indexes of a table of trades.
func tradeIndexes() []TableIndex {
	index := func(name, hashKey string) TableIndex {
		return TableIndex{
			Name: name, HashKey: KeyAttribute{hashKey, TextKey}, RangeKey: &KeyAttribute{TimestampAttribute, NumberKey}, Attributes: windowAttributes,
		}
	}
	return []TableIndex{index(BySourceIndex, SourceShardAttribute), index(ByStatusIndex, StatusShardAttribute)}
}

// TableReplica is the table in another region.
type TableReplica struct {
	// Region is the other region.
	Region string `pulumi:"region"`

	// KeyARN is the customer-managed key in that region. It can't be changed once the replica exists.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// Provider is the provider of that region. Default: a new one, with the environment's credentials.
	Provider *aws.Provider

	// Tags are the default tags of a new provider.
	Tags map[string]string `pulumi:"tags,optional"`
}

// GlobalTradeTableArgs are the arguments of NewGlobalTradeTable.
type GlobalTradeTableArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// TableName is the physical name, the same in every region: 3 to 255 letters, digits, -, _ and . The alarms name
	// the table before it exists.
	TableName string `pulumi:"tableName"`

	// KeyARN is the customer-managed key of the table in its own region.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// Replicas are the other regions. Adding one leaves everything else unchanged.
	Replicas []TableReplica `pulumi:"replicas,optional"`

	// DeletionProtection keeps table and replicas from being deleted by anybody, until it is turned off.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`

	// HashKey is the partition key. Default: a table of trades, with partition key tradeId, sort key version (both
	// strings) and, unless Indexes are given, the indexes bySource and byStatus.
	HashKey *KeyAttribute `pulumi:"hashKey,optional"`

	// RangeKey is the sort key of a table with a HashKey. Default: none.
	RangeKey *KeyAttribute `pulumi:"rangeKey,optional"`

	// Indexes are the global secondary indexes: up to 20. Default with a HashKey: none.
	Indexes []TableIndex `pulumi:"indexes,optional"`

	// ExpiresAttribute is the attribute with the time, in epoch seconds, after which DynamoDB deletes an item. DynamoDB
	// takes one change of it in half an hour. Default: items are kept, those with an expiresAt too.
	ExpiresAttribute string `pulumi:"expiresAttribute,optional"`

	// MaxWriteUnits limits what the on-demand table may write per second, and so what it can cost: up to 1000000. A
	// limit can't be removed again, but raised to the table's quota. DynamoDB takes no change of DeletionProtection in
	// the same update. Default: unlimited.
	MaxWriteUnits int `pulumi:"maxWriteUnits,optional"`

	// MaxReadUnits limits what the table, and each index, may be read per second, in the same way. Default: unlimited.
	MaxReadUnits int `pulumi:"maxReadUnits,optional"`

	// ReplicationLatencySeconds is the delay of a replica that raises an alarm: up to 86400. Default: 60.
	ReplicationLatencySeconds int `pulumi:"replicationLatencySeconds,optional"`
}

const defaultReplicationLatencySeconds = 60

// GlobalTradeTable is a DynamoDB table with its replicas: on-demand, point-in-time recovery, streams, a
// customer-managed key in each region, indexes, and alarms. By default, it is the table of the trades.
type GlobalTradeTable struct {
	pulumi.ResourceState

	Name        pulumi.StringOutput            `pulumi:"name"`
	ARN         pulumi.StringOutput            `pulumi:"arn"`
	StreamARN   pulumi.StringOutput            `pulumi:"streamArn"`
	ReplicaARNs map[string]pulumi.StringOutput // by region
	Alarms      Alarms

	// Writes let a function put items into the table, and use the table's key to do so. Reads, besides them, let it get
	// an item by its key.
	Writes, Reads []Permission
}

// NewGlobalTradeTable creates a GlobalTradeTable.
func NewGlobalTradeTable(ctx *pulumi.Context, name string, given *GlobalTradeTableArgs, opts ...pulumi.ResourceOption) (*GlobalTradeTable, error) {
	args := given.withDefaults()
	t := &GlobalTradeTable{ReplicaARNs: map[string]pulumi.StringOutput{}}
	if err := register(ctx, globalTradeTableType, name, t, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	// The replicas are separate resources: an inline replica has no field for deletion protection, so the copy in the
	// other region would be the one that anybody can delete. The table must then ignore them, or each update would see
	// them as drift and remove them. Protect goes with DeletionProtection, so a plan that would replace the table fails
	// before it begins.
	table, err := dynamodb.NewTable(ctx, name+"-table", args.table(), pulumi.Parent(t),
		pulumi.IgnoreChanges([]string{"replicas"}), pulumi.Protect(args.DeletionProtection))
	if err != nil {
		return nil, fmt.Errorf("creating table %s: %w", name, err)
	}
	t.Name, t.ARN, t.StreamARN = table.Name, table.Arn, table.StreamArn
	t.Writes = []Permission{
		{Sid: "WriteTrades", Actions: []string{"dynamodb:PutItem"}, Resources: []pulumi.StringInput{t.ARN}},
		unlock("TableKey", "dynamodb", args.Scope, args.KeyARN),
	}
	t.Reads = []Permission{{Sid: "ReadTrades", Actions: []string{"dynamodb:GetItem"}, Resources: []pulumi.StringInput{t.ARN}}}

	// One after the other: a table accepts one replica change at a time.
	before := pulumi.Resource(table)
	for _, replica := range args.inOrder() {
		provider, err := regional(ctx, t, name, replica.Region, replica.Provider, replica.Tags)
		if err != nil {
			return nil, err
		}
		made, err := dynamodb.NewTableReplica(ctx, name+"-"+replica.Region, &dynamodb.TableReplicaArgs{
			GlobalTableArn:            table.Arn,
			KmsKeyArn:                 replica.KeyARN,
			PointInTimeRecovery:       pulumi.Bool(true), // explicit, because it is off by default and isn't inherited
			DeletionProtectionEnabled: pulumi.Bool(args.DeletionProtection),
		}, pulumi.Parent(t), pulumi.Provider(provider), pulumi.DependsOn([]pulumi.Resource{before}), pulumi.Protect(args.DeletionProtection))
		if err != nil {
			return nil, fmt.Errorf("creating the replica of table %s in %s: %w", name, replica.Region, err)
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
	if args.HashKey == nil && args.RangeKey == nil {
		args.HashKey, args.RangeKey = &KeyAttribute{TradeIDAttribute, TextKey}, &KeyAttribute{VersionAttribute, TextKey}
		if args.Indexes == nil {
			args.Indexes = tradeIndexes()
		}
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
	args.checkKeys(a)
	seen := map[string]bool{args.Scope.Region: true}
	for i, replica := range args.Replicas {
		field := fmt.Sprintf("Replicas[%d]", i)
		a.text(field+".Region", replica.Region)
		if seen[replica.Region] {
			a.problem(field+".Region", "the table is already in %q", replica.Region)
		}
		seen[replica.Region] = true
		a.given(field+".KeyARN", replica.KeyARN)
	}
	return a.err()
}

// checkKeys requires keys that DynamoDB accepts
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
func (args *GlobalTradeTableArgs) checkKeys(a *arguments) {
	types := map[string]string{} // by attribute
	key := func(field string, key *KeyAttribute) {
		if key == nil {
			return
		}
		if key.Name == "" || len(key.Name) > 255 {
			a.problem(field+".Name", "%q must have 1 to 255 bytes", key.Name)
		}
		a.choice(field+".Type", key.typ(), TextKey, NumberKey, BinaryKey)
		if other, used := types[key.Name]; used && other != key.typ() {
			a.problem(field+".Type", "is %s; elsewhere %s is a key of type %s", key.typ(), key.Name, other)
		}
		types[key.Name] = key.typ()
	}
	keys := func(field string, hash, sort *KeyAttribute) {
		key(field+"HashKey", hash)
		key(field+"RangeKey", sort)
		if sort != nil && hash != nil && sort.Name == hash.Name {
			a.problem(field+"RangeKey.Name", "%q is the partition key", sort.Name)
		}
	}
	if args.HashKey == nil {
		a.problem("HashKey", "is missing, but there is a RangeKey")
	}
	keys("", args.HashKey, args.RangeKey)
	if len(args.Indexes) > 20 {
		a.problem("Indexes", "are %d, but DynamoDB allows 20", len(args.Indexes))
	}
	seen := map[string]bool{}
	for i, index := range args.Indexes {
		field := fmt.Sprintf("Indexes[%d].", i)
		a.name(field+"Name", index.Name, tableName)
		a.unique(field+"Name", index.Name, seen)
		keys(field, &index.HashKey, index.RangeKey)
		if len(index.Attributes) > 20 {
			a.problem(field+"Attributes", "are %d, but DynamoDB allows 20", len(index.Attributes))
		}
	}
}

func (k *KeyAttribute) typ() string { return cmp.Or(k.Type, TextKey) }

// inOrder sorts the replicas by region, so their order in the config doesn't matter.
func (args *GlobalTradeTableArgs) inOrder() []TableReplica {
	return slices.SortedFunc(slices.Values(args.Replicas), func(a, b TableReplica) int {
		if a.Region < b.Region {
			return -1
		}
		return 1
	})
}

func (args *GlobalTradeTableArgs) table() *dynamodb.TableArgs {
	table := &dynamodb.TableArgs{
		Name:                      pulumi.String(args.TableName),
		BillingMode:               pulumi.String("PAY_PER_REQUEST"),
		HashKey:                   pulumi.String(args.HashKey.Name),
		Attributes:                args.keyAttributes(),
		GlobalSecondaryIndexes:    args.indexes(),
		StreamEnabled:             pulumi.Bool(true), // replication works on the stream
		StreamViewType:            pulumi.String("NEW_AND_OLD_IMAGES"),
		PointInTimeRecovery:       &dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)},
		ServerSideEncryption:      &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true), KmsKeyArn: args.KeyARN},
		DeletionProtectionEnabled: pulumi.Bool(args.DeletionProtection),
		// The AWS provider (5.100) leaves one on that is no longer declared, so it is declared to be off. It is turned off by
		// its attribute, which DynamoDB forgets, and the provider then doesn't compare. Each change begins half an hour in
		// which DynamoDB refuses the next (finding DDB-TABLE-143).
		Ttl: &dynamodb.TableTtlArgs{
			Enabled: pulumi.Bool(args.ExpiresAttribute != ""), AttributeName: pulumi.String(cmp.Or(args.ExpiresAttribute, ExpiresAtAttribute)),
		},
	}
	if args.RangeKey != nil {
		table.RangeKey = pulumi.String(args.RangeKey.Name)
	}
	if throughput := args.throughput(); throughput != nil {
		table.OnDemandThroughput = throughput
	}
	return table
}

// keyAttributes returns the attributes of all keys, each once.
func (args *GlobalTradeTableArgs) keyAttributes() dynamodb.TableAttributeArray {
	var attributes dynamodb.TableAttributeArray
	seen := map[string]bool{}
	add := func(keys ...*KeyAttribute) {
		for _, key := range keys {
			if key != nil && !seen[key.Name] {
				seen[key.Name] = true
				attributes = append(attributes, &dynamodb.TableAttributeArgs{Name: pulumi.String(key.Name), Type: pulumi.String(key.typ())})
			}
		}
	}
	add(args.HashKey, args.RangeKey)
	for _, index := range args.Indexes {
		add(&index.HashKey, index.RangeKey)
	}
	return attributes
}

func (args *GlobalTradeTableArgs) indexes() dynamodb.TableGlobalSecondaryIndexArray {
	var indexes dynamodb.TableGlobalSecondaryIndexArray
	for _, index := range args.Indexes {
		made := &dynamodb.TableGlobalSecondaryIndexArgs{
			Name: pulumi.String(index.Name), HashKey: pulumi.String(index.HashKey.Name), ProjectionType: pulumi.String("ALL"),
		}
		if index.RangeKey != nil {
			made.RangeKey = pulumi.String(index.RangeKey.Name)
		}
		if len(index.Attributes) > 0 {
			made.ProjectionType, made.NonKeyAttributes = pulumi.String("INCLUDE"), pulumi.ToStringArray(index.Attributes)
		}
		// An index is written to as its table is, whose limit holds for both. With one of its own, each change would be two
		// changes of one request: the AWS provider sends them together, and DynamoDB says of the table's that they can only
		// be combined with BillingMode (finding DDB-TABLE-433 of the project ack-api-quirks, services/dynamodb, of 2026-10-09).
		if args.MaxReadUnits > 0 {
			made.OnDemandThroughput = &dynamodb.TableGlobalSecondaryIndexOnDemandThroughputArgs{MaxReadRequestUnits: pulumi.Int(args.MaxReadUnits)}
		}
		indexes = append(indexes, made)
	}
	return indexes
}

// throughput returns nil if nothing is limited. Where a limit was, that fails: without it, the AWS provider's request changes
// nothing, which DynamoDB refuses (finding DDB-TABLE-015). With -1, which removes it (DDB-TABLE-182), each refresh would find a
// difference: DynamoDB then describes no limits at all.
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
	puts := pulumi.StringMap{"TableName": table, "Operation": pulumi.String("PutItem")}
	alarms := []alarm{{
		name: "system-errors", pages: true,
		description: fmt.Sprintf("DynamoDB fails to write to table %s. See the runbook: loss of the primary region.", args.TableName),
		namespace:   "AWS/DynamoDB", metric: "SystemErrors", dimensions: puts,
		statistic: "Sum", period: time.Minute, periods: 3, threshold: 1, comparison: atLeast,
	}}
	throttles := func(prefix, of string, dimensions pulumi.StringMap) {
		for _, kind := range []string{"Write", "Read"} {
			alarms = append(alarms, alarm{
				name:        prefix + strings.ToLower(kind) + "-throttles",
				description: fmt.Sprintf("%ss of %s are throttled: a hot key, or the maximum throughput is used up.", kind, of),
				namespace:   "AWS/DynamoDB", metric: kind + "ThrottleEvents", dimensions: dimensions,
				statistic: "Sum", period: time.Minute, periods: 3, threshold: 1, comparison: atLeast,
			})
		}
	}
	throttles("", "table "+args.TableName, pulumi.StringMap{"TableName": table})
	// The table's own count leaves the indexes' out, though an index whose writes are throttled throttles those of the
	// table (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html,
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/gsi-throttling.html).
	for _, index := range args.Indexes {
		throttles(index.Name+"-", "index "+index.Name+" of table "+args.TableName,
			pulumi.StringMap{"TableName": table, "GlobalSecondaryIndexName": pulumi.String(index.Name)})
	}
	for _, replica := range args.inOrder() {
		alarms = append(alarms, alarm{
			name:        "replication-" + replica.Region,
			description: fmt.Sprintf("The replica of table %s in %s is more than %v behind.", args.TableName, replica.Region, seconds(args.ReplicationLatencySeconds)),
			namespace:   "AWS/DynamoDB", metric: "ReplicationLatency",
			dimensions: pulumi.StringMap{"TableName": table, "ReceivingRegion": pulumi.String(replica.Region)},
			statistic:  "Average", period: time.Minute, periods: 5, threshold: 1000 * float64(args.ReplicationLatencySeconds), comparison: above,
		}, alarm{
			// A replica that is cut off has no latency at all. Writes are counted by their answers, because a put whose
			// condition fails writes nothing, and a replay has many of those
			// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html).
			name: "replication-stalled-" + replica.Region, pages: true,
			description: fmt.Sprintf("Table %s is written to, and nothing arrives in %s. See the runbook: a stalled replica.", args.TableName, replica.Region),
			namespace:   "AWS/DynamoDB", metric: "SuccessfulRequestLatency", dimensions: puts,
			without:   &other{"ReplicationLatency", pulumi.StringMap{"TableName": table, "ReceivingRegion": pulumi.String(replica.Region)}},
			statistic: "SampleCount", period: 5 * time.Minute, periods: 3, threshold: 1, comparison: atLeast,
		})
	}
	return alarms
}
