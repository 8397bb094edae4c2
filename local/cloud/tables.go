package cloud

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/aws/smithy-go"

	"trade-processing/local/access"
	"trade-processing/local/awsapi"
	"trade-processing/local/table"
)

// tableKinds are DynamoDB tables and their replicas.
var tableKinds = map[string]kind{
	TableType: {
		uses: "name hashKey rangeKey attributes.name attributes.type billingMode streamEnabled deletionProtectionEnabled " +
			"globalSecondaryIndexes.name globalSecondaryIndexes.hashKey globalSecondaryIndexes.rangeKey " +
			"globalSecondaryIndexes.projectionType globalSecondaryIndexes.nonKeyAttributes",
		// Nothing expires, and only faults throttle.
		records: "globalSecondaryIndexes.onDemandThroughput.maxReadRequestUnits " +
			"globalSecondaryIndexes.onDemandThroughput.maxWriteRequestUnits onDemandThroughput.maxReadRequestUnits " +
			"onDemandThroughput.maxWriteRequestUnits pointInTimeRecovery.enabled serverSideEncryption.enabled " +
			"serverSideEncryption.kmsKeyArn streamViewType tags ttl.attributeName ttl.enabled",
		requires: "name hashKey attributes", replaces: "name hashKey rangeKey", computes: "arn streamArn",
		check: func(inputs Properties) error {
			if mode := inputs.text("billingMode"); mode != "" && mode != "PAY_PER_REQUEST" {
				return fmt.Errorf("billingMode %s is not supported here; only PAY_PER_REQUEST is", mode)
			}
			return nil
		},
		identify: then(named("dynamodb", "table/"), func(_ *Cloud, r *Resource) {
			if r.Inputs["streamEnabled"] == true {
				r.set("streamArn", r.itsARN()+"/stream/2020-01-01T00:00:00.000")
			}
		}),
		start: with(func(c *Cloud, r *Resource, in tableInputs) error {
			made, err := c.newTable(r, in.definition(r.Region))
			if err != nil {
				return err
			}
			c.live.tables.put(r.itsARN(), made)
			return c.rejoin(r, made)
		}),
		update: with(func(c *Cloud, r *Resource, in tableInputs) error {
			living, err := c.live.tables.get(r.itsARN())
			if err != nil {
				return err
			}
			if before, there := c.Read(r.Type, r.Region, r.ID); there {
				if err := oneChange(before.Inputs, r.Inputs); err != nil {
					return err
				}
			}
			return living.Update(in.definition(r.Region))
		}),
		stop: func(c *Cloud, r *Resource) error {
			if err := stopTable(c, r); err != nil {
				return err
			}
			c.leave(r)
			return nil
		},
	},
	ReplicaType: {
		uses:     "globalTableArn",
		records:  "deletionProtectionEnabled kmsKeyArn pointInTimeRecovery tags",
		requires: "globalTableArn", replaces: "globalTableArn kmsKeyArn", computes: "arn",
		identify: func(_ *Cloud, r *Resource) error {
			of, err := arn.Parse(r.Inputs.text("globalTableArn"))
			if err != nil {
				return fmt.Errorf("globalTableArn: %w", err)
			}
			r.ID = strings.TrimPrefix(of.Resource, "table/") + ":" + of.Region
			r.set("arn", r.arn("dynamodb", "%s", of.Resource))
			return nil
		},
		start:  startReplica,
		update: func(*Cloud, *Resource) error { return nil }, // nothing that lives here
		stop: func(c *Cloud, r *Resource) error {
			c.live.replications.drop(r.itsARN())
			return stopTable(c, r) // stops its replications too
		},
	},
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
		Name             string   `property:"name"`
		HashKey          string   `property:"hashKey"`
		RangeKey         string   `property:"rangeKey"`
		ProjectionType   string   `property:"projectionType"`
		NonKeyAttributes []string `property:"nonKeyAttributes"`
	} `property:"globalSecondaryIndexes"`
	StreamEnabled             bool `property:"streamEnabled"`
	DeletionProtectionEnabled bool `property:"deletionProtectionEnabled"`
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

// oneChange refuses what the AWS provider (5.100) changes by one UpdateTable that DynamoDB doesn't take: the protection together
// with limits, and limits that are gone, of which the request says nothing. Findings DDB-TABLE-433 and 015 of the project
// ack-api-quirks, services/dynamodb, of 2026-10-09.
func oneChange(before, after Properties) error {
	const protection, limits = "deletionProtectionEnabled", "onDemandThroughput"
	switch limited := !reflect.DeepEqual(before[limits], after[limits]); {
	case limited && (before[protection] == true) != (after[protection] == true):
		return awsapi.Validation("One or more parameter values were invalid: DeletionProtection modification must be the only operation in the request")
	case limited && after[limits] == nil:
		return ErrUnchanged
	}
	return nil
}

// ErrUnchanged is how DynamoDB answers an UpdateTable that changes nothing: finding DDB-TABLE-015, as above.
var ErrUnchanged = awsapi.Validation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, " +
	"ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or " +
	"TableClass is required")

func (c *Cloud) newTable(r *Resource, def table.Definition) (*table.Table, error) {
	return table.New(def, table.Options{Clock: c.clock, Faults: c.faults, Metrics: c.in(r.Region).metrics, Disk: c.disk, Spill: c.spill, Most: c.memory})
}

func stopTable(c *Cloud, r *Resource) error {
	living, err := c.live.tables.get(r.itsARN())
	if err != nil {
		return err
	}
	if err := living.Delete(); err != nil {
		return err
	}
	c.live.tables.drop(r.itsARN())
	return nil
}

// Table finds a table, or a replica of it, by name.
func (c *Cloud) Table(region, name string) (*table.Table, error) {
	return c.live.tables.get(TableARN(region, name))
}

// Opened refuses calls for the items of a table, by its ARN, whose key is disabled, whoever makes them. DynamoDB has the error from
// KMS, and no code for it: findings DDB-TABLE-311 and 333 of the project ack-api-quirks, services/dynamodb, of 2026-10-09. There,
// calls succeeded for another five minutes (DDB-TABLE-331).
func (c *Cloud) Opened(itsARN string) error {
	if key := c.deployment().DisabledKey(itsARN); key != "" {
		return awsapi.Validation("KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: %s is disabled. "+
			"(Service: AWSKMS; Status Code: 400; Error Code: DisabledException)", key)
	}
	return nil
}

// TableARN returns the ARN of a table, or without a name what begins those of all.
func TableARN(region, name string) string {
	return "arn:aws:dynamodb:" + region + ":" + Account + ":table/" + name
}

// tableClient is DynamoDB as a function in one region sees it.
type tableClient struct {
	cloud    *Cloud
	region   string
	function string // ARN; empty for an administrator
}

// PutItem writes to the table that the input names.
func (t tableClient) PutItem(ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	target, err := t.reach(access.PutItem, "PutItem", in.TableName)
	if err != nil {
		return nil, err
	}
	return target.PutItem(ctx, in, options...)
}

// GetItem reads from the table that the input names.
func (t tableClient) GetItem(ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	target, err := t.reach(access.GetItem, "GetItem", in.TableName)
	if err != nil {
		return nil, err
	}
	return target.GetItem(ctx, in, options...)
}

// reach finds a table that the function may make this call on.
func (t tableClient) reach(call access.Call, operation string, tableName *string) (*table.Table, error) {
	name := afterLast(aws.ToString(tableName), "/")
	itsARN := TableARN(t.region, name)
	err := t.cloud.Opened(itsARN)
	if err == nil {
		err = t.cloud.allowedTo(t.function, call, itsARN)
	}
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: "DynamoDB", OperationName: operation, Err: err}
	}
	target, err := t.cloud.live.tables.get(itsARN)
	if err != nil {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Requested resource not found: Table: " + name + " not found")}
	}
	return target, nil
}
