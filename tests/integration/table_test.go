package integration_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/cloud"
)

// createTable creates the program's table as declared, and returns its name. Inputs that aren't part of the request are
// listed here, so none is overlooked.
func createTable(t testing.TB, here *cloud.Cloud, client *dynamodb.Client) string {
	t.Helper()
	inputs := one(t, here, cloud.TableType, "").Inputs
	create := &dynamodb.CreateTableInput{}
	var key []types.KeySchemaElement
	for name, value := range inputs {
		switch name {
		case "name":
			create.TableName = aws.String(value.(string))
		case "billingMode":
			create.BillingMode = types.BillingMode(value.(string))
		case "attributes":
			for _, attribute := range objects(value) {
				create.AttributeDefinitions = append(create.AttributeDefinitions, types.AttributeDefinition{
					AttributeName: aws.String(text(attribute, "name")), AttributeType: types.ScalarAttributeType(text(attribute, "type")),
				})
			}
		case "hashKey", "rangeKey":
			key = keySchema(inputs)
		case "globalSecondaryIndexes":
			for _, index := range objects(value) {
				create.GlobalSecondaryIndexes = append(create.GlobalSecondaryIndexes, secondaryIndex(t, index))
			}
		case "streamEnabled":
			create.StreamSpecification = &types.StreamSpecification{
				StreamEnabled: aws.Bool(value.(bool)), StreamViewType: types.StreamViewType(text(inputs, "streamViewType")),
			}
		case "streamViewType": // with streamEnabled
		case "deletionProtectionEnabled":
			create.DeletionProtectionEnabled = aws.Bool(value.(bool))
		case "pointInTimeRecovery", "serverSideEncryption", "tags", "tagsAll", "ttl":
			// Separate calls, or beyond DynamoDB Local, and irrelevant to a write or a query.
		default:
			t.Fatalf("the table's input %s is new: say here what becomes of it", name)
		}
	}
	create.KeySchema = key
	if _, err := client.CreateTable(t.Context(), create); err != nil {
		t.Fatalf("DynamoDB Local refuses the table: %v", err)
	}
	ready := dynamodb.NewTableExistsWaiter(client)
	if err := ready.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: create.TableName}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return *create.TableName
}

func keySchema(of cloud.Properties) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(text(of, "hashKey")), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(text(of, "rangeKey")), KeyType: types.KeyTypeRange},
	}
}

func secondaryIndex(t testing.TB, declared cloud.Properties) types.GlobalSecondaryIndex {
	t.Helper()
	index := types.GlobalSecondaryIndex{KeySchema: keySchema(declared), Projection: &types.Projection{}}
	for name, value := range declared {
		switch name {
		case "name":
			index.IndexName = aws.String(value.(string))
		case "projectionType":
			index.Projection.ProjectionType = types.ProjectionType(value.(string))
		case "nonKeyAttributes":
			for _, attribute := range value.([]any) {
				index.Projection.NonKeyAttributes = append(index.Projection.NonKeyAttributes, attribute.(string))
			}
		case "hashKey", "rangeKey": // in the key schema
		default:
			t.Fatalf("the input %s of an index is new: say here what becomes of it", name)
		}
	}
	return index
}

// objects returns the elements of a list of objects.
func objects(list any) []cloud.Properties {
	var all []cloud.Properties
	for _, element := range list.([]any) {
		all = append(all, element.(map[string]any))
	}
	return all
}
