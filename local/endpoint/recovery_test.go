package endpoint_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/cloud"
)

// Exports and recovery are refused, and told, as DynamoDB was measured to.
func TestExportsAreToldAsDynamoDBDoes(t *testing.T) {
	c, _, config := served(t)
	if _, err := c.Create(cloud.TableType, "made", region, cloud.Properties{
		"name": "kept", "hashKey": "tradeId", "billingMode": "PAY_PER_REQUEST", "attributes": []any{map[string]any{"name": "tradeId", "type": "S"}},
		"pointInTimeRecovery": map[string]any{"enabled": true},
	}); err != nil {
		t.Fatal(err)
	}
	tables, arn := dynamodb.NewFromConfig(config), cloud.TableARN(region, "kept")
	export := func(change func(*dynamodb.ExportTableToPointInTimeInput)) (*types.ExportDescription, error) {
		in := &dynamodb.ExportTableToPointInTimeInput{TableArn: &arn, S3Bucket: aws.String("none"), ClientToken: aws.String("once"), ExportType: types.ExportTypeFullExport}
		if change != nil {
			change(in)
		}
		out, err := tables.ExportTableToPointInTime(t.Context(), in)
		if err != nil {
			return nil, err
		}
		return out.ExportDescription, nil
	}
	first, err := export(nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.ExportType != "" || first.S3SseAlgorithm != types.S3SseAlgorithmAes256 || first.ExportFormat != types.ExportFormatDynamodbJson {
		t.Errorf("it is told as %+v", first)
	}
	if again, err := export(nil); err != nil || *again.ExportArn != *first.ExportArn {
		t.Errorf("asked for again, it is %v, %v", again, err)
	}
	describe := func(export string) error {
		_, err := tables.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: &export})
		return err
	}
	for name, tc := range map[string]struct {
		call func() error
		want string
	}{
		"another export with the same token": {func() error {
			_, err := export(func(in *dynamodb.ExportTableToPointInTimeInput) { in.S3Prefix = aws.String("other") })
			return err
		}, "ExportConflictException"},
		"a table by its name": {func() error {
			_, err := export(func(in *dynamodb.ExportTableToPointInTimeInput) { in.TableArn = aws.String("kept") })
			return err
		}, "ValidationException"},
		"a key without its algorithm": {func() error {
			_, err := export(func(in *dynamodb.ExportTableToPointInTimeInput) {
				in.ClientToken, in.S3SseKmsKeyId = nil, aws.String("alias/aws/s3")
			})
			return err
		}, "ValidationException"},
		"an export that isn't there":    {func() error { return describe(arn + "/export/01") }, "ExportNotFoundException"},
		"an export by a table's ARN":    {func() error { return describe(arn + "-and-a-longer-name-of-it") }, "ValidationException"},
		"the recovery of no such table": {func() error { return recovery(t, tables, "none") }, "TableNotFoundException"},
		"the recovery of a table":       {func() error { return recovery(t, tables, "kept") }, ""},
	} {
		err, code := tc.call(), ""
		if refusal, is := errors.AsType[smithy.APIError](err); is {
			code = refusal.ErrorCode()
		}
		if code != tc.want || (err == nil) != (tc.want == "") {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func recovery(t *testing.T, tables *dynamodb.Client, name string) error {
	t.Helper()
	_, err := tables.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	return err
}
