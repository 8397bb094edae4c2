package endpoint_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/cloud"
)

// A replica is added to a table, and its table to a replica that has outlived it. Anything else is refused as AWS does.
func TestReplicasAreAdded(t *testing.T) {
	c, _, config := served(t)
	made := func(typ, region string, inputs cloud.Properties) *cloud.Resource {
		t.Helper()
		r, err := c.Create(typ, "made", region, inputs)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	key := made(cloud.KeyType, region, cloud.Properties{"multiRegion": true})
	keyARN, _ := key.Outputs["arn"].(string)
	made(cloud.ReplicaKeyType, "us-east-1", cloud.Properties{"primaryKeyArn": keyARN})
	replicaKey := strings.Replace(keyARN, region, "us-east-1", 1)
	made(cloud.TableType, region, cloud.Properties{
		"name": "global", "hashKey": "tradeId", "billingMode": "PAY_PER_REQUEST", "streamEnabled": true, "streamViewType": "NEW_AND_OLD_IMAGES",
		"attributes": []any{map[string]any{"name": "tradeId", "type": "S"}}, "serverSideEncryption": map[string]any{"enabled": true, "kmsKeyArn": keyARN},
	})
	clients := map[string]*dynamodb.Client{}
	for _, in := range []string{region, "us-east-1"} {
		there := config.Copy()
		there.Region = in
		clients[in] = dynamodb.NewFromConfig(there)
	}
	update := func(in string, replicas ...types.ReplicationGroupUpdate) error {
		_, err := clients[in].UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("global"), ReplicaUpdates: replicas})
		return err
	}
	create := func(region, key string) types.ReplicationGroupUpdate {
		of := &types.CreateReplicationGroupMemberAction{RegionName: aws.String(region)}
		if key != "" {
			of.KMSMasterKeyId = aws.String(key)
		}
		return types.ReplicationGroupUpdate{Create: of}
	}
	refused := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it ends with %v, want %s", err, want)
		}
	}
	refused(update(region, types.ReplicationGroupUpdate{}), "There are no actions specified")
	refused(update(region, create(region, keyARN)), "Cannot add or delete the local region")
	refused(update(region, create("us-east-1", "")), "KMSMasterKeyId must be specified for each replica")
	refused(update(region, create("us-east-1", keyARN)), "Invalid arn "+region)
	refused(update(region, create("us-east-1", "mrk-0")), "NotFoundException")
	refused(update(region, create("us-east-1", replicaKey), create("us-west-2", "")), "more than one create or delete replica actions not allowed")
	refused(update(region, types.ReplicationGroupUpdate{Delete: &types.DeleteReplicationGroupMemberAction{RegionName: aws.String("us-east-1")}}), "UnsupportedOperation")
	if err := update(region, create("us-east-1", key.ID)); err != nil {
		t.Fatal(err)
	}
	refused(update(region, create("us-east-1", replicaKey)), "one or more replicas already existed as tables")
	described := func(in string) (keyARN string, replicas []string) {
		t.Helper()
		got, err := clients[in].DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("global")})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Table.Replicas {
			replicas = append(replicas, *r.RegionName)
			if want := strings.Replace(replicaKey, "us-east-1", *r.RegionName, 1); aws.ToString(r.KMSMasterKeyId) != want {
				t.Errorf("the replica in %s has the key %s, want %s", *r.RegionName, aws.ToString(r.KMSMasterKeyId), want)
			}
		}
		return aws.ToString(got.Table.SSEDescription.KMSMasterKeyArn), replicas
	}
	if key, replicas := described("us-east-1"); key != replicaKey || len(replicas) != 1 || replicas[0] != region {
		t.Errorf("the replica has the key %s, and %v", key, replicas)
	}
	if _, err := clients[region].DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("global")}); err != nil {
		t.Fatal(err)
	}
	if key, replicas := described("us-east-1"); key != replicaKey || replicas != nil {
		t.Errorf("alone, the replica has the key %s, and %v", key, replicas)
	}
	if err := update("us-east-1", create(region, keyARN)); err != nil {
		t.Fatal(err)
	}
	if key, replicas := described(region); key != keyARN || len(replicas) != 1 || replicas[0] != "us-east-1" {
		t.Errorf("the table has the key %s, and %v", key, replicas)
	}
	_, err := clients[region].UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("none"), ReplicaUpdates: []types.ReplicationGroupUpdate{create("us-east-1", keyARN)}})
	if _, is := errors.AsType[*types.ResourceNotFoundException](err); !is {
		t.Errorf("no table's update ends with %v", err)
	}
}

// Nobody gets at the items of a table whose key is disabled, but it is described as before.
func TestADisabledKeyLocksATable(t *testing.T) {
	c, _, config := served(t)
	key, err := c.Create(cloud.KeyType, "made", region, cloud.Properties{"multiRegion": true})
	if err != nil {
		t.Fatal(err)
	}
	keyARN, _ := key.Outputs["arn"].(string)
	if _, err := c.Create(cloud.TableType, "made", region, cloud.Properties{
		"name": "locked", "hashKey": "tradeId", "billingMode": "PAY_PER_REQUEST", "attributes": []any{map[string]any{"name": "tradeId", "type": "S"}},
		"serverSideEncryption": map[string]any{"enabled": true, "kmsKeyArn": keyARN},
	}); err != nil {
		t.Fatal(err)
	}
	tables := dynamodb.NewFromConfig(config)
	name, item := aws.String("locked"), map[string]types.AttributeValue{"tradeId": &types.AttributeValueMemberS{Value: "1"}}
	calls := map[string]func() error{
		"PutItem": func() error {
			_, err := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: item})
			return err
		},
		"GetItem": func() error {
			_, err := tables.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: name, Key: item})
			return err
		},
		"Query": func() error {
			_, err := tables.Query(t.Context(), &dynamodb.QueryInput{
				TableName: name, KeyConditionExpression: aws.String("tradeId = :id"), ExpressionAttributeValues: map[string]types.AttributeValue{":id": item["tradeId"]},
			})
			return err
		},
		"Scan": func() error {
			_, err := tables.Scan(t.Context(), &dynamodb.ScanInput{TableName: name})
			return err
		},
		"BatchGetItem": func() error {
			_, err := tables.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				"locked": {Keys: []map[string]types.AttributeValue{item}},
			}})
			return err
		},
	}
	for _, disabled := range []bool{false, true, false} {
		if _, err := c.Update(key.Type, region, key.ID, cloud.Properties{"multiRegion": true, "isEnabled": !disabled}); err != nil {
			t.Fatal(err)
		}
		for operation, call := range calls {
			switch err := call(); {
			case !disabled && err != nil:
				t.Errorf("%s ends with %v", operation, err)
			case disabled && (err == nil || !strings.Contains(err.Error(), "ValidationException: KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: "+keyARN)):
				t.Errorf("with the key disabled, %s ends with %v", operation, err)
			}
		}
		if _, err := tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name}); err != nil {
			t.Error(err)
		}
	}
}
