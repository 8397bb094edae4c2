package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// recoveryDays is how far back point-in-time recovery goes.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PointInTimeRecoveryDescription.html
const recoveryDays = 35

// recovery returns the times between which a table can be recovered: from its creation to now, where AWS is some minutes
// behind. If it has no point-in-time recovery, there are none.
func (e *Endpoint) recovery(region, name string) (earliest, latest time.Time, on bool) {
	declared, replica := e.declaredTable(region, name)
	of := replica
	if replica != nil {
		on = replica.Inputs["pointInTimeRecovery"] == true
	} else if of = declared; declared != nil {
		recovery, _ := declared.Inputs["pointInTimeRecovery"].(map[string]any)
		on = recovery["enabled"] == true
	}
	if !on {
		return time.Time{}, time.Time{}, false
	}
	latest = time.Now()
	if earliest = latest.AddDate(0, 0, -recoveryDays); earliest.Before(of.Created) {
		earliest = of.Created
	}
	return earliest, latest, true
}

// recovered finds a table whose recovery is asked for. That has an error of its own for one that isn't there: finding DDB-TABLE-217
// of the project ack-api-quirks, services/dynamodb, of 2026-10-09, as are the others here.
func (e *Endpoint) recovered(region string, name *string) error {
	_, err := e.table(region, name)
	if refusal, is := errors.AsType[smithy.APIError](err); is && refusal.ErrorCode() == "ResourceNotFoundException" {
		return awsapi.Error("TableNotFoundException", "Table not found: %s", *name)
	}
	return err
}

func (e *Endpoint) describeContinuousBackups(_ context.Context, region string, in dynamodb.DescribeContinuousBackupsInput) (any, error) {
	if err := e.recovered(region, in.TableName); err != nil {
		return nil, err
	}
	told := object{"PointInTimeRecoveryStatus": "DISABLED"}
	if earliest, latest, on := e.recovery(region, *in.TableName); on {
		told = object{
			"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": recoveryDays,
			"EarliestRestorableDateTime": moment(earliest), "LatestRestorableDateTime": moment(latest),
		}
	}
	return object{"ContinuousBackupsDescription": object{"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": told}}, nil
}

// updateContinuousBackups serves https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
func (e *Endpoint) updateContinuousBackups(ctx context.Context, region string, in struct {
	TableName                        *string
	PointInTimeRecoverySpecification struct{ PointInTimeRecoveryEnabled bool }
}) (any, error) {
	if err := e.recovered(region, in.TableName); err != nil {
		return nil, err
	}
	on := in.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled
	of, replica := e.declaredTable(region, *in.TableName)
	change := object{"pointInTimeRecovery": map[string]any{"enabled": on}}
	if replica != nil {
		of, change = replica, object{"pointInTimeRecovery": on}
	}
	if err := e.change(of, change); err != nil {
		return nil, err
	}
	return e.describeContinuousBackups(ctx, region, dynamodb.DescribeContinuousBackupsInput{TableName: in.TableName})
}

// recoverable refuses what needs another time of a table than those that it can be recovered to, with the error of this name.
// The zero time is the latest.
func (e *Endpoint) recoverable(region, name string, at time.Time, refusal string) (time.Time, error) {
	if _, err := e.cloud.Table(region, name); err != nil {
		return at, awsapi.Error("TableNotFoundException", "Table not found: %s", name)
	}
	earliest, latest, on := e.recovery(region, name)
	switch {
	case !on:
		return at, awsapi.Error("PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table '%s'", name)
	case at.IsZero():
		return latest, nil
	case at.Before(earliest) || at.After(latest):
		return at, awsapi.Error(refusal, "The time is not from %s to %s", earliest.UTC().Format(time.RFC3339), latest.UTC().Format(time.RFC3339))
	}
	return at, nil
}

// restoreToPointInTime answers when the table has its items, as restoreTable does.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
func (e *Endpoint) restoreToPointInTime(ctx context.Context, region string, in struct {
	SourceTableName, TargetTableName string
	RestoreDateTime                  moment
	UseLatestRestorableTime          bool
	SSESpecificationOverride         *encryption
}) (any, error) {
	at := time.Time(in.RestoreDateTime)
	if at.IsZero() != in.UseLatestRestorableTime {
		return nil, awsapi.Validation("One of RestoreDateTime and UseLatestRestorableTime must be given, and not both")
	}
	at, err := e.recoverable(region, in.SourceTableName, at, "InvalidRestoreTimeException")
	if err != nil {
		return nil, err
	}
	declared, _ := e.declaredTable(region, in.SourceTableName)
	summary := object{"SourceTableArn": cloud.TableARN(region, in.SourceTableName), "RestoreDateTime": moment(at), "RestoreInProgress": true}
	return e.restored(ctx, region, in.TargetTableName, summary, func() error {
		return e.cloud.RestoreAsOf(at, declared, region, in.TargetTableName, in.SSESpecificationOverride.property())
	})
}

const exportNote = "export/" // of an export, by its ARN and by its token

// exportTable takes any order, as AWS does, whose exports fail later if there is no such bucket: there is none here.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
func (e *Endpoint) exportTable(_ context.Context, region string, in struct {
	TableArn, S3Bucket, S3BucketOwner, S3Prefix, S3SseAlgorithm, S3SseKmsKeyID, ExportFormat, ExportType, ClientToken string
	ExportTime                                                                                                        moment
}) (any, error) {
	if in.S3Bucket == "" {
		return nil, absent("s3Bucket")
	}
	name, is := strings.CutPrefix(in.TableArn, cloud.TableARN(region, ""))
	if !is {
		return nil, awsapi.Validation("One or more parameter values were invalid: tableArn is not a valid ARN") // DDB-EXPORT-001
	}
	at, err := e.recoverable(region, name, time.Time(in.ExportTime), "InvalidExportTimeException")
	if err != nil {
		return nil, err
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	var told object
	given := map[string]string{"TableArn": in.TableArn, "S3Bucket": in.S3Bucket, "S3Prefix": in.S3Prefix, "S3SseKmsKeyId": in.S3SseKmsKeyID}
	if in.ClientToken != "" && e.cloud.Note(exportNote+in.ClientToken, &told) {
		for name, value := range given {
			if text(told, name) != value { // DDB-EXPORT-009
				return nil, awsapi.Error("ExportConflictException", "Export conflict: Duplicate request detected with conflicting parameters")
			}
		}
		return object{"ExportDescription": told}, nil
	}
	if in.S3SseKmsKeyID != "" && in.S3SseAlgorithm != "KMS" { // DDB-EXPORT-005
		return nil, awsapi.Validation("Invalid Request: KMS Key Id is not supported for this encryption type")
	}
	now := time.Now()
	told = object{ // the type isn't told: DDB-EXPORT-017
		"ExportArn":    fmt.Sprintf("%s/export/%014d-%08x", in.TableArn, now.UnixMilli(), rand.Uint32()),
		"ExportFormat": cmp.Or(in.ExportFormat, "DYNAMODB_JSON"), "ExportTime": moment(at), "StartTime": moment(now), "ExportStatus": "IN_PROGRESS",
		"S3SseAlgorithm": cmp.Or(in.S3SseAlgorithm, "AES256"),
	}
	given["ClientToken"], given["S3BucketOwner"] = in.ClientToken, in.S3BucketOwner
	for name, value := range given {
		if value != "" {
			told[name] = value
		}
	}
	e.cloud.SetNote(exportNote+in.ClientToken, told)
	e.cloud.SetNote(exportNote+text(told, "ExportArn"), told)
	return object{"ExportDescription": told}, nil
}

// describeExport serves https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeExport.html. The failure is as
// AWS's own, against which test_export_nonexistent_bucket of https://github.com/scylladb/scylladb, test/alternator/test_export.py, runs.
func (e *Endpoint) describeExport(_ context.Context, _ string, in struct{ ExportArn string }) (any, error) {
	var told object
	if !strings.Contains(in.ExportArn, "/export/") { // DDB-EXPORT-006
		return nil, awsapi.Validation("Invalid Export ARN")
	}
	if !e.cloud.Note(exportNote+in.ExportArn, &told) {
		return nil, awsapi.Error("ExportNotFoundException", "Export not found: %s", in.ExportArn)
	}
	told["ExportStatus"], told["EndTime"] = "FAILED", told["StartTime"]
	told["FailureCode"], told["FailureMessage"] = "S3NoSuchBucket", "The specified bucket does not exist"
	return object{"ExportDescription": told}, nil
}
