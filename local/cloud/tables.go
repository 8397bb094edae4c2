package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/table"
)

// replicationLag is how long a write takes to reach another region's replica; AWS speaks of less than a second as a
// rule.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
const replicationLag = 500 * time.Millisecond

// tableKinds are DynamoDB tables and their replicas.
var tableKinds = map[string]kind{
	"aws:dynamodb/table:Table": living[tableInputs]{
		requires: "name hashKey attributes", replaces: "name hashKey rangeKey", computes: "arn streamArn streamLabel",
		validate: func(in tableInputs) error {
			if in.BillingMode != "" && in.BillingMode != "PAY_PER_REQUEST" {
				return fmt.Errorf("billingMode %s is not known here; only PAY_PER_REQUEST is", in.BillingMode)
			}
			return nil
		},
		identify: func(_ *Cloud, r *Resource, in tableInputs) error {
			r.ID = in.Name
			r.set("arn", r.arn("dynamodb", "table/%s", in.Name))
			if in.StreamEnabled {
				const label = "2020-01-01T00:00:00.000"
				r.set("streamArn", r.arn("dynamodb", "table/%s/stream/%s", in.Name, label)).set("streamLabel", label)
			}
			return nil
		},
		start:  startTable,
		update: updateTable,
		stop:   stopTable,
	}.kind(),
	"aws:dynamodb/tableReplica:TableReplica": living[tableReplicaInputs]{
		requires: "globalTableArn", replaces: "globalTableArn kmsKeyArn tableClassOverride", computes: "arn",
		identify: func(_ *Cloud, r *Resource, in tableReplicaInputs) error {
			name := afterLast(in.GlobalTableARN, "/")
			_, main, _ := strings.Cut(in.GlobalTableARN, "arn:aws:dynamodb:")
			main, _, _ = strings.Cut(main, ":")
			r.ID = name + ":" + main
			r.set("arn", r.arn("dynamodb", "table/%s", name))
			return nil
		},
		start:  startReplica,
		update: func(*Cloud, *Resource, tableReplicaInputs) error { return nil }, // nothing that lives here
		stop:   stopReplica,
	}.kind(),
}

type tableInputs struct {
	Name       string `property:"name"`
	HashKey    string `property:"hashKey"`
	RangeKey   string `property:"rangeKey"`
	Attributes []struct {
		Name string `property:"name"`
		Type string `property:"type"`
	} `property:"attributes"`
	GlobalSecondaryIndexes []struct {
		Name               string             `property:"name"`
		HashKey            string             `property:"hashKey"`
		RangeKey           string             `property:"rangeKey"`
		ProjectionType     string             `property:"projectionType"`
		NonKeyAttributes   []string           `property:"nonKeyAttributes"`
		OnDemandThroughput onDemandThroughput `property:"onDemandThroughput"`
	} `property:"globalSecondaryIndexes"`
	BillingMode               string `property:"billingMode"`
	StreamEnabled             bool   `property:"streamEnabled"`
	StreamViewType            string `property:"streamViewType"`
	DeletionProtectionEnabled bool   `property:"deletionProtectionEnabled"`

	// On record: nothing expires.
	TTL struct {
		AttributeName string `property:"attributeName"`
		Enabled       bool   `property:"enabled"`
	} `property:"ttl"`
	PointInTimeRecovery struct {
		Enabled              bool `property:"enabled"`
		RecoveryPeriodInDays int  `property:"recoveryPeriodInDays"`
	} `property:"pointInTimeRecovery"`
	ServerSideEncryption struct {
		Enabled   bool   `property:"enabled"`
		KMSKeyARN string `property:"kmsKeyArn"`
	} `property:"serverSideEncryption"`
	OnDemandThroughput onDemandThroughput `property:"onDemandThroughput"`
	TableClass         string             `property:"tableClass"`
	Tags               map[string]string  `property:"tags"`
}

// onDemandThroughput is on record: nothing is throttled but by a fault.
type onDemandThroughput struct {
	MaxReadRequestUnits  int `property:"maxReadRequestUnits"`
	MaxWriteRequestUnits int `property:"maxWriteRequestUnits"`
}

type tableReplicaInputs struct {
	GlobalTableARN string `property:"globalTableArn"`

	// On record.
	DeletionProtectionEnabled bool              `property:"deletionProtectionEnabled"`
	KMSKeyARN                 string            `property:"kmsKeyArn"`
	PointInTimeRecovery       bool              `property:"pointInTimeRecovery"`
	TableClassOverride        string            `property:"tableClassOverride"`
	Tags                      map[string]string `property:"tags"`
}

func (in tableInputs) definition(region string) table.Definition {
	def := table.Definition{
		Name: in.Name, Region: region, HashKey: in.HashKey, RangeKey: in.RangeKey,
		Attributes: map[string]types.ScalarAttributeType{},
		Stream:     in.StreamEnabled, DeletionProtection: in.DeletionProtectionEnabled,
	}
	for _, attribute := range in.Attributes {
		def.Attributes[attribute.Name] = types.ScalarAttributeType(attribute.Type)
	}
	for _, index := range in.GlobalSecondaryIndexes {
		def.Indexes = append(def.Indexes, table.Index{
			Name: index.Name, HashKey: index.HashKey, RangeKey: index.RangeKey,
			Projection: types.ProjectionType(index.ProjectionType), NonKeyAttributes: index.NonKeyAttributes,
		})
	}
	return def
}

func startTable(c *Cloud, r *Resource, in tableInputs) error {
	made, err := table.New(in.definition(r.Region), table.Options{Clock: c.clock, Faults: c.faults, Metrics: c.in(r.Region).metrics})
	if err != nil {
		return err
	}
	c.live.tables.put(r.Outputs.text("arn"), made)
	return nil
}

func updateTable(c *Cloud, r *Resource, in tableInputs) error {
	living, err := c.live.tables.get(r.Outputs.text("arn"))
	if err != nil {
		return err
	}
	return living.Update(in.definition(r.Region))
}

func stopTable(c *Cloud, r *Resource) error {
	living, err := c.live.tables.get(r.Outputs.text("arn"))
	if err != nil {
		return err
	}
	if err := living.Delete(); err != nil {
		return err
	}
	c.live.tables.drop(r.Outputs.text("arn"))
	return nil
}

// A replica takes over the primary's definition and what it holds. Global tables are written to in every region, so
// they replicate both ways.
func startReplica(c *Cloud, r *Resource, in tableReplicaInputs) error {
	primary, err := c.live.tables.get(in.GlobalTableARN)
	if err != nil {
		return err
	}
	def := primary.Definition()
	if def.Region == r.Region {
		return fmt.Errorf("the replica is in %s, the table's own region; give it the provider of another", r.Region)
	}
	def.Region, def.DeletionProtection = r.Region, false
	replica, err := table.New(def, table.Options{Clock: c.clock, Faults: c.faults, Metrics: c.in(r.Region).metrics})
	if err != nil {
		return err
	}
	there, err := primary.Replicate(replica, replicationLag)
	if err != nil {
		return err
	}
	back, err := replica.Replicate(primary, replicationLag)
	if err != nil {
		there.Stop()
		return err
	}
	arn := r.Outputs.text("arn")
	c.live.tables.put(arn, replica)
	c.live.replications.put(arn, []*table.Replication{there, back})
	return nil
}

func stopReplica(c *Cloud, r *Resource) error {
	arn := r.Outputs.text("arn")
	replica, err := c.live.tables.get(arn)
	if err != nil {
		return err
	}
	c.live.replications.drop(arn)
	c.live.tables.drop(arn)
	return replica.Delete() // stops its replications too
}

// Table finds a table, or a replica of it, by name.
func (c *Cloud) Table(region, name string) (*table.Table, error) {
	return c.live.tables.get("arn:aws:dynamodb:" + region + ":" + Account + ":table/" + name)
}

// Replica is one copy of a table in another region.
type Replica struct {
	Region string
	Table  *table.Table
	Behind int // writes that have not arrived yet
}

// Replicas lists the copies of a table in other regions, in order of region.
func (c *Cloud) Replicas(name string) []Replica {
	var replicas []Replica
	for arn, ways := range c.live.replications.all() {
		copied, err := c.live.tables.get(arn)
		if err != nil || afterLast(arn, "/") != name {
			continue
		}
		replicas = append(replicas, Replica{Region: copied.Definition().Region, Table: copied, Behind: ways[0].Pending()})
	}
	slices.SortFunc(replicas, func(a, b Replica) int { return strings.Compare(a.Region, b.Region) })
	return replicas
}

// Drain waits until every write so far has reached every replica.
func (c *Cloud) Drain(ctx context.Context) error {
	for _, ways := range c.live.replications.all() {
		for _, way := range ways {
			if err := way.Drain(ctx); err != nil {
				return fmt.Errorf("waiting for replication: %w", err)
			}
		}
	}
	return nil
}

// tableClient is DynamoDB as a function in one region sees it.
type tableClient struct {
	cloud  *Cloud
	region string
}

// PutItem writes to the table that the input names.
func (t tableClient) PutItem(ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	name := ""
	if in.TableName != nil {
		name = afterLast(*in.TableName, "/")
	}
	target, err := t.cloud.Table(t.region, name)
	if err != nil {
		return nil, &types.ResourceNotFoundException{Message: ptr("Requested resource not found: Table: " + name + " not found")}
	}
	return target.PutItem(ctx, in, options...)
}

func ptr[T any](value T) *T { return &value }
