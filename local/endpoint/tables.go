package endpoint

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/table"
)

var tableOperations = map[string]operation{
	"DescribeTable": serve((*Endpoint).describeTable), "GetItem": serve((*Endpoint).getItem), "Query": serve((*Endpoint).query),
	"PutItem": serve((*Endpoint).putItem), "Scan": serve((*Endpoint).scan), "BatchGetItem": serve((*Endpoint).batchGetItem),
	"ListTables": serve((*Endpoint).listTables), "DescribeContinuousBackups": serve((*Endpoint).describeContinuousBackups),
	"UpdateContinuousBackups": serve((*Endpoint).updateContinuousBackups),
	"UpdateTable":             serve((*Endpoint).updateTable), "DeleteTable": serve((*Endpoint).deleteTable), "ListBackups": serve((*Endpoint).listBackups),
	"RestoreTableFromBackup": serve((*Endpoint).restoreTable), "RestoreTableToPointInTime": serve((*Endpoint).restoreToPointInTime),
	"ExportTableToPointInTime": serve((*Endpoint).exportTable), "DescribeExport": serve((*Endpoint).describeExport),
}

// item is an item as the protocol writes it: {"tradeId": {"S": "…"}}.
type item map[string]types.AttributeValue

func (i item) MarshalJSON() ([]byte, error) { return attributevalue.MarshalMapJSON(i) }

func (i *item) UnmarshalJSON(text []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("reading an item: %w", err)
	}
	for _, value := range values {
		if err := checkTypes(value); err != nil {
			return err
		}
	}
	read, err := attributevalue.UnmarshalMapJSON(text)
	if err != nil {
		return fmt.Errorf("reading an item: %w", err)
	}
	*i = read
	return nil
}

// checkTypes refuses a value with more than one type, of which the SDK would take one. What isn't of a type's form is
// left to the SDK.
func checkTypes(text []byte) error {
	var value struct {
		S, N, B, BOOL, NULL, SS, NS, BS json.RawMessage
		L                               []json.RawMessage
		M                               map[string]json.RawMessage
	}
	if json.Unmarshal(text, &value) != nil {
		return nil //nolint:nilerr // the SDK says it
	}
	types := 0
	for _, given := range []bool{
		value.S != nil, value.N != nil, value.B != nil, value.BOOL != nil, value.NULL != nil, value.SS != nil, value.NS != nil,
		value.BS != nil, value.L != nil, value.M != nil,
	} {
		if given {
			types++
		}
	}
	switch types {
	case 0:
		return awsapi.Validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case 1:
	default:
		return awsapi.Validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	for _, element := range slices.AppendSeq(value.L, maps.Values(value.M)) {
		if err := checkTypes(element); err != nil {
			return err
		}
	}
	return nil
}

var (
	_ json.Marshaler   = item(nil)
	_ json.Unmarshaler = (*item)(nil)
)

// absent refuses a request without a member that it must have.
func absent(member string) error {
	return awsapi.Validation("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

func (e *Endpoint) table(region string, name *string) (*table.Table, error) {
	switch {
	case name == nil:
		return nil, absent("tableName")
	case strings.HasPrefix(*name, "arn:"):
		return nil, &awsapi.Unsupported{Operation: "DynamoDB", Feature: "a table by its ARN"}
	case !table.IsName(*name):
		return nil, awsapi.Validation("Invalid table/index name.  Table/index names must be between 3 and 255 characters long, " +
			"and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
	}
	found, err := e.cloud.Table(region, *name)
	if err != nil {
		return nil, awsapi.Error("ResourceNotFoundException", "Requested resource not found: Table: %s not found", aws.ToString(name))
	}
	return found, nil
}

// opened finds a table whose items are asked for.
func (e *Endpoint) opened(region string, name *string) (*table.Table, error) {
	found, err := e.table(region, name)
	if err != nil {
		return nil, err
	}
	return found, e.cloud.Opened(cloud.TableARN(region, *name))
}

// declaredTable finds what a deployment declared about a table: the table, if only before it was deleted, and this region's
// replica of it, if that is where it is.
func (e *Endpoint) declaredTable(region, name string) (declared, replica *cloud.Resource) {
	for _, r := range e.cloud.Resources() {
		switch {
		case r.Type == cloud.TableType && r.ID == name && (declared == nil || r.Region == region):
			declared = r
		case r.Type == cloud.ReplicaType && r.Region == region && strings.HasPrefix(r.ID, name+":"):
			replica = r
		}
	}
	if replica != nil {
		declared = cmp.Or(replica.Outlived(), declared)
	}
	return declared, replica
}

// describeTable serves https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html but for
// sizes in bytes.
func (e *Endpoint) describeTable(_ context.Context, region string, in dynamodb.DescribeTableInput) (any, error) {
	living, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	definition, name := living.Definition(), *in.TableName
	declared, replica := e.declaredTable(region, name)
	arn := cloud.TableARN(region, name)
	told := object{
		"TableName": name, "TableArn": arn, "TableStatus": "ACTIVE", "CreationDateTime": moment(e.began), "ItemCount": living.Count(),
		"KeySchema": keySchema(definition.HashKey, definition.RangeKey), "BillingModeSummary": object{"BillingMode": "PAY_PER_REQUEST"},
		"DeletionProtectionEnabled": definition.DeletionProtection, "ProvisionedThroughput": object{"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
	}
	var attributes, indexes, replicas []any
	for _, attribute := range slices.Sorted(maps.Keys(definition.Attributes)) {
		attributes = append(attributes, object{"AttributeName": attribute, "AttributeType": definition.Attributes[attribute]})
	}
	told["AttributeDefinitions"] = attributes
	for _, index := range definition.Indexes {
		projection := object{"ProjectionType": index.Projection}
		if len(index.NonKeyAttributes) > 0 {
			projection["NonKeyAttributes"] = index.NonKeyAttributes
		}
		indexes = append(indexes, object{
			"IndexName": index.Name, "IndexArn": arn + "/index/" + index.Name, "IndexStatus": "ACTIVE",
			"KeySchema": keySchema(index.HashKey, index.RangeKey), "Projection": projection,
		})
	}
	if indexes != nil {
		told["GlobalSecondaryIndexes"] = indexes
	}
	if definition.Stream {
		told["StreamSpecification"] = object{"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}
		told["LatestStreamArn"] = arn + "/stream/2020-01-01T00:00:00.000"
	}
	if replica != nil {
		told["DeletionProtectionEnabled"] = replica.Inputs["deletionProtectionEnabled"] == true
	}
	for _, other := range e.regionsOf(name, declared) {
		if other != region {
			one := object{"RegionName": other, "ReplicaStatus": "ACTIVE"}
			if key := keyOfTable(e.declaredTable(other, name)); key != "" {
				one["KMSMasterKeyId"] = key // by its ARN: finding DDB-TABLE-309
			}
			replicas = append(replicas, one)
		}
	}
	if replicas != nil {
		told["Replicas"], told["GlobalTableVersion"] = replicas, "2019.11.21"
	}
	if key := keyOfTable(declared, replica); key != "" {
		told["SSEDescription"] = object{"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}
	}
	return object{"Table": told}, nil
}

// keyOfTable returns the ARN of a table's own key, in a replica's region the replica's, or "" if AWS's is used.
func keyOfTable(declared, replica *cloud.Resource) string {
	if declared == nil {
		return ""
	}
	encryption, _ := declared.Inputs["serverSideEncryption"].(map[string]any)
	switch {
	case encryption["enabled"] != true:
		return ""
	case replica != nil:
		return text(replica.Inputs, "kmsKeyArn")
	}
	return text(encryption, "kmsKeyArn")
}

// regionsOf lists the regions that have a table or a replica of it.
func (e *Endpoint) regionsOf(name string, declared *cloud.Resource) []string {
	var regions []string
	if declared != nil {
		regions = append(regions, declared.Region)
	}
	for _, replica := range e.cloud.Replicas(name) {
		regions = append(regions, replica.Region)
	}
	return regions
}

func keySchema(hash, sort string) []any {
	schema := []any{object{"AttributeName": hash, "KeyType": "HASH"}}
	if sort != "" {
		schema = append(schema, object{"AttributeName": sort, "KeyType": "RANGE"})
	}
	return schema
}

func (e *Endpoint) listTables(_ context.Context, region string, in struct {
	ExclusiveStartTableName string
	Limit                   int
}) (any, error) {
	const most = 100 // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html
	if in.Limit < 0 || in.Limit > most {
		return nil, awsapi.Validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must be between 1 and %d", in.Limit, most)
	}
	var names []string
	for _, r := range e.cloud.Resources() {
		if name, _, _ := strings.Cut(r.ID, ":"); (r.Type == cloud.TableType || r.Type == cloud.ReplicaType) && r.Region == region && name > in.ExclusiveStartTableName {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	answer := object{"TableNames": append([]string{}, names...)}
	if limit := cmp.Or(in.Limit, most); len(names) > limit {
		answer = object{"TableNames": names[:limit], "LastEvaluatedTableName": names[limit-1]}
	}
	return answer, nil
}

// changedTable describes a table that changes from now on, and returns its resource: the table, or this region's replica.
func (e *Endpoint) changedTable(ctx context.Context, region string, name *string, status string) (*cloud.Resource, object, error) {
	described, err := e.describeTable(ctx, region, dynamodb.DescribeTableInput{TableName: name})
	if err != nil {
		return nil, nil, err
	}
	told := described.(object)["Table"].(object)
	told["TableStatus"] = status
	declared, replica := e.declaredTable(region, *name)
	return cmp.Or(replica, declared), object{"TableDescription": told}, nil
}

// updateTable serves two changes: of the protection against deletion, which each replica has of its own, and another replica.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
func (e *Endpoint) updateTable(ctx context.Context, region string, in struct {
	TableName                 *string
	DeletionProtectionEnabled *bool
	ReplicaUpdates            []replicaUpdate
}) (any, error) {
	of, told, err := e.changedTable(ctx, region, in.TableName, "UPDATING")
	switch {
	case err != nil:
		return nil, err
	case in.DeletionProtectionEnabled == nil && in.ReplicaUpdates == nil:
		return nil, cloud.ErrUnchanged
	case in.ReplicaUpdates == nil:
		return told, e.change(of, object{"deletionProtectionEnabled": *in.DeletionProtectionEnabled})
	case in.DeletionProtectionEnabled != nil: // finding DDB-TABLE-224, and next DDB-TABLE-265, of the same project as addReplica's
		return nil, awsapi.Validation("One or more parameter values were invalid: Replica modification must be the only operation in the request")
	case len(in.ReplicaUpdates) != 1:
		return nil, awsapi.Validation("Update table operation with more than one create or delete replica actions not allowed")
	}
	return told, e.addReplica(region, *in.TableName, of, in.ReplicaUpdates[0])
}

// replicaUpdate is https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ReplicationGroupUpdate.html
type replicaUpdate struct {
	Create *struct {
		RegionName     string
		KMSMasterKeyID string `json:"KMSMasterKeyId"`
	}
}

// addReplica refuses what AWS refuses, in the words that were measured there: findings DDB-TABLE-203, 309 and 313 of the project
// ack-api-quirks, services/dynamodb, of 2026-10-09.
func (e *Endpoint) addReplica(region, name string, of *cloud.Resource, update replicaUpdate) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	added := update.Create
	if added == nil || added.RegionName == "" {
		return awsapi.Validation("There are no actions specified in the Replica Update Action of the request.")
	}
	if added.RegionName == region {
		return awsapi.Validation("Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.")
	}
	if _, err := e.cloud.Table(added.RegionName, name); err == nil {
		return awsapi.Validation("Failed to create a the new replica of table with name: '%s' because one or more replicas already existed as tables.", name)
	}
	key := added.KMSMasterKeyID
	if (key == "") != (keyOfTable(e.declaredTable(region, name)) == "") {
		return awsapi.Validation("One or more parameter values were invalid: KMSMasterKeyId must be specified for each replica.")
	}
	if key != "" {
		found, err := e.key(added.RegionName, key)
		if err != nil {
			return awsapi.Validation("KMS validation error for region %s: %v", added.RegionName, err)
		}
		if itsARN := text(found.Outputs, "arn"); !strings.HasPrefix(key, "arn:") || key == itsARN {
			key = itsARN
		} else {
			return awsapi.Validation("KMS validation error for region %s: Invalid arn %s", added.RegionName, region)
		}
	}
	return e.cloud.AddReplica(of, added.RegionName, key)
}

// deleteTable serves https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html
func (e *Endpoint) deleteTable(ctx context.Context, region string, in struct{ TableName *string }) (any, error) {
	of, told, err := e.changedTable(ctx, region, in.TableName, "DELETING")
	if err != nil {
		return nil, err
	}
	if of.Inputs["deletionProtectionEnabled"] == true {
		return nil, awsapi.Validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	return told, e.cloud.Delete(of.Type, region, of.ID)
}

// The SDK's inputs, whose items JSON can't be read into.
type (
	getItemInput struct {
		dynamodb.GetItemInput
		Key item
	}
	putItemInput struct {
		dynamodb.PutItemInput
		Item, ExpressionAttributeValues item
	}
	queryInput struct {
		dynamodb.QueryInput
		ExpressionAttributeValues, ExclusiveStartKey item
	}
	scanInput struct {
		dynamodb.ScanInput
		ExpressionAttributeValues, ExclusiveStartKey item
	}
)

func (e *Endpoint) getItem(ctx context.Context, region string, in getItemInput) (any, error) {
	from, err := e.opened(region, in.TableName)
	if err != nil {
		return nil, err
	}
	if in.Key == nil {
		return nil, absent("key")
	}
	in.GetItemInput.Key = in.Key
	got, err := from.GetItem(ctx, &in.GetItemInput)
	if err != nil {
		return nil, err
	}
	if got.Item == nil {
		return map[string]any{}, nil
	}
	return map[string]any{"Item": item(got.Item)}, nil
}

func (e *Endpoint) putItem(ctx context.Context, region string, in putItemInput) (any, error) {
	into, err := e.opened(region, in.TableName)
	if err != nil {
		return nil, err
	}
	if in.Item == nil {
		return nil, absent("item")
	}
	in.PutItemInput.Item, in.PutItemInput.ExpressionAttributeValues = in.Item, in.ExpressionAttributeValues
	_, err = into.PutItem(ctx, &in.PutItemInput)
	return map[string]any{}, err
}

func (e *Endpoint) query(ctx context.Context, region string, in queryInput) (any, error) {
	from, err := e.opened(region, in.TableName)
	if err != nil {
		return nil, err
	}
	in.QueryInput.ExpressionAttributeValues, in.QueryInput.ExclusiveStartKey = in.ExpressionAttributeValues, in.ExclusiveStartKey
	got, err := from.Query(ctx, &in.QueryInput)
	if err != nil {
		return nil, err
	}
	return itemsPage(got.Items, got.Count, got.ScannedCount, got.LastEvaluatedKey), nil
}

func (e *Endpoint) scan(ctx context.Context, region string, in scanInput) (any, error) {
	from, err := e.opened(region, in.TableName)
	if err != nil {
		return nil, err
	}
	in.ScanInput.ExpressionAttributeValues, in.ScanInput.ExclusiveStartKey = in.ExpressionAttributeValues, in.ExclusiveStartKey
	got, err := from.Scan(ctx, &in.ScanInput)
	if err != nil {
		return nil, err
	}
	return itemsPage(got.Items, got.Count, got.ScannedCount, got.LastEvaluatedKey), nil
}

// itemsPage is a page of a query or a scan.
func itemsPage(found []map[string]types.AttributeValue, count, scanned int32, last map[string]types.AttributeValue) object {
	items := make([]item, len(found))
	for i, one := range found {
		items[i] = one
	}
	answer := object{"Items": items, "Count": count, "ScannedCount": scanned}
	if last != nil {
		answer["LastEvaluatedKey"] = item(last)
	}
	return answer
}

// mostKeys is how many items one BatchGetItem reads.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const mostKeys = 100

func (e *Endpoint) batchGetItem(ctx context.Context, region string, in struct {
	RequestItems map[string]struct {
		Keys           []item
		ConsistentRead *bool
	}
}) (any, error) {
	asked := 0
	for _, request := range in.RequestItems {
		asked += len(request.Keys)
	}
	if asked < 1 || asked > mostKeys {
		return nil, awsapi.Validation("Too many items requested for the BatchGetItem call, or none: %d, and it takes from 1 to %d", asked, mostKeys)
	}
	responses := object{}
	for name, request := range in.RequestItems {
		from, err := e.opened(region, &name)
		if err != nil {
			return nil, err
		}
		found, seen := []item{}, map[string]bool{}
		for _, key := range request.Keys {
			text, err := json.Marshal(key)
			if err != nil {
				return nil, err
			}
			if seen[string(text)] {
				return nil, awsapi.Validation("Provided list of item keys contains duplicates")
			}
			seen[string(text)] = true
			got, err := from.GetItem(ctx, &dynamodb.GetItemInput{TableName: &name, Key: key, ConsistentRead: request.ConsistentRead})
			if err != nil {
				return nil, err
			}
			if got.Item != nil {
				found = append(found, got.Item)
			}
		}
		responses[name] = found
	}
	return object{"Responses": responses, "UnprocessedKeys": object{}}, nil
}
