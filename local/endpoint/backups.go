package endpoint

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

var backupOperations = map[string]operation{
	"StartBackupJob": serve((*Endpoint).startBackupJob), "ListBackupJobs": serve((*Endpoint).listBackupJobs),
	"ListRecoveryPointsByBackupVault": serve((*Endpoint).listRecoveryPoints), "GetRecoveryPointRestoreMetadata": serve((*Endpoint).restoreMetadata),
	"StartRestoreJob": serve((*Endpoint).startRestoreJob), "DescribeRestoreJob": serve((*Endpoint).describeRestoreJob),
}

// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations.html
var backupRoutes = []route{
	on(http.MethodPut, "/backup-jobs", "StartBackupJob"), on(http.MethodGet, "/backup-jobs", "ListBackupJobs"),
	on(http.MethodGet, "/backup-vaults/(?P<BackupVaultName>[^/]+)/recovery-points", "ListRecoveryPointsByBackupVault"),
	on(http.MethodGet, "/backup-vaults/(?P<BackupVaultName>[^/]+)/recovery-points/(?P<RecoveryPointArn>.+)/restore-metadata", "GetRecoveryPointRestoreMetadata"),
	on(http.MethodPut, "/restore-jobs", "StartRestoreJob"), on(http.MethodGet, "/restore-jobs/(?P<RestoreJobId>[^/]+)", "DescribeRestoreJob"),
}

func (e *Endpoint) vault(region, name string) (*cloud.Resource, error) {
	found, there := e.cloud.Read(cloud.VaultType, region, name)
	if !there {
		return nil, awsapi.Error("ResourceNotFoundException", "Backup vault %s does not exist.", name)
	}
	return found, nil
}

// startBackupJob answers when the job is completed.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartBackupJob.html
func (e *Endpoint) startBackupJob(_ context.Context, region string, in struct {
	BackupVaultName, ResourceArn, IamRoleArn, IdempotencyToken string
	StartWindowMinutes, CompleteWindowMinutes                  int
	Lifecycle                                                  struct{ DeleteAfterDays int }
}) (any, error) {
	if _, err := e.vault(region, in.BackupVaultName); err != nil {
		return nil, err
	}
	name, is := strings.CutPrefix(in.ResourceArn, cloud.TableARN(region, ""))
	if !is {
		return nil, &awsapi.Unsupported{Feature: "a backup of " + in.ResourceArn + ", only of a table in this region"}
	}
	if _, err := e.table(region, &name); err != nil {
		return nil, err
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	all := e.cloud.Backups(region)
	at := slices.IndexFunc(all, func(b cloud.Backup) bool { return b.Token != "" && b.Token == in.IdempotencyToken })
	if at < 0 {
		declared, _ := e.declaredTable(region, name)
		made, err := e.cloud.BackUp(cloud.Backup{
			Token: in.IdempotencyToken, Region: region, Vault: in.BackupVaultName, Table: in.ResourceArn, Role: in.IamRoleArn, Days: in.Lifecycle.DeleteAfterDays,
		}, declared)
		if err != nil {
			return nil, err
		}
		at, all = 0, []cloud.Backup{made}
	}
	return object{"BackupJobId": all[at].ID, "RecoveryPointArn": all[at].Point, "CreationDate": moment(all[at].Began), "IsParent": false}, nil
}

// backupOf is what a job and its recovery point have in common.
func backupOf(b cloud.Backup) object {
	return object{
		"BackupVaultName": b.Vault, "BackupVaultArn": "arn:aws:backup:" + b.Region + ":" + cloud.Account + ":backup-vault:" + b.Vault,
		"RecoveryPointArn": b.Point, "ResourceArn": b.Table, "ResourceName": tableOf(b), "ResourceType": "DynamoDB", "IamRoleArn": b.Role,
		"CreationDate": moment(b.Began), "CompletionDate": moment(b.Ended), "BackupSizeInBytes": b.Bytes, "IsParent": false,
	}
}

func tableOf(b cloud.Backup) string { return b.Table[strings.LastIndex(b.Table, "/")+1:] }

// listBackupJobs lists the newest first.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupJobs.html
func (e *Endpoint) listBackupJobs(_ context.Context, region string, in struct {
	AccountID                                         string `json:"accountId"`
	BackupVaultName, ResourceArn, ResourceType, State string
	MaxResults, NextToken                             string
}) (any, error) {
	listed := []any{}
	for _, b := range slices.Backward(e.cloud.Backups(region)) {
		if (in.BackupVaultName == "" || in.BackupVaultName == b.Vault) && (in.ResourceArn == "" || in.ResourceArn == b.Table) &&
			(in.ResourceType == "" || in.ResourceType == "DynamoDB") && (in.State == "" || in.State == "COMPLETED") && (in.AccountID == "" || in.AccountID == cloud.Account) {
			told := backupOf(b)
			told["AccountId"], told["BackupJobId"], told["State"], told["PercentDone"] = cloud.Account, b.ID, "COMPLETED", "100.0"
			listed = append(listed, told)
		}
	}
	return object{"BackupJobs": listed}, nil
}

// listRecoveryPoints lists the newest first.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html
func (e *Endpoint) listRecoveryPoints(_ context.Context, region string, in struct {
	BackupVaultName, ResourceArn, ResourceType string
	CreatedBefore                              time.Time
	MaxResults, NextToken                      string
}) (any, error) {
	vault, err := e.vault(region, in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	listed := []any{}
	for _, b := range slices.Backward(e.cloud.Backups(region)) {
		if b.Vault == vault.ID && (in.CreatedBefore.IsZero() || b.Began.Before(in.CreatedBefore)) && (in.ResourceArn == "" || in.ResourceArn == b.Table) && (in.ResourceType == "" || in.ResourceType == "DynamoDB") {
			told := backupOf(b)
			told["Status"], told["IsEncrypted"] = "COMPLETED", true
			if b.Days > 0 {
				told["Lifecycle"] = object{"DeleteAfterDays": b.Days}
				told["CalculatedLifecycle"] = object{"DeleteAt": moment(b.Began.AddDate(0, 0, b.Days))}
			}
			listed = append(listed, told)
		}
	}
	return object{"RecoveryPoints": listed}, nil
}

// listBackups lists the backups of AWS Backup: a table has no others here.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListBackups.html
func (e *Endpoint) listBackups(_ context.Context, region string, in struct {
	TableName, BackupType, ExclusiveStartBackupArn string
	Limit                                          int
	TimeRangeLowerBound, TimeRangeUpperBound       moment
}) (any, error) {
	listed := []any{}
	upper := time.Time(in.TimeRangeUpperBound)
	for _, b := range e.cloud.Backups(region) {
		if (in.BackupType == "ALL" || in.BackupType == "AWS_BACKUP") && (in.TableName == "" || in.TableName == tableOf(b)) &&
			!b.Began.Before(time.Time(in.TimeRangeLowerBound)) && (upper.IsZero() || b.Began.Before(upper)) {
			listed = append(listed, object{
				"TableName": tableOf(b), "TableArn": b.Table, "BackupArn": b.Point, "BackupName": b.ID, "BackupType": "AWS_BACKUP",
				"BackupStatus": "AVAILABLE", "BackupCreationDateTime": moment(b.Began), "BackupSizeBytes": b.Bytes,
			})
		}
	}
	return object{"BackupSummaries": listed}, nil
}

// restoreTable answers when the table has its items. An end of the process before that may leave some of them.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableFromBackup.html
func (e *Endpoint) restoreTable(ctx context.Context, region string, in struct {
	BackupArn, TargetTableName string
	SSESpecificationOverride   *encryption
}) (any, error) {
	from, there := e.backup(region, in.BackupArn)
	if !there {
		return nil, awsapi.Error("BackupNotFoundException", "Backup not found: %s", in.BackupArn)
	}
	summary := object{"SourceBackupArn": from.Point, "SourceTableArn": from.Table, "RestoreDateTime": moment(from.Began), "RestoreInProgress": true}
	return e.restored(ctx, region, in.TargetTableName, summary, func() error {
		return e.cloud.Restore(from, in.TargetTableName, in.SSESpecificationOverride.property())
	})
}

func (e *Endpoint) backup(region, point string) (cloud.Backup, bool) {
	all := e.cloud.Backups(region)
	at := slices.IndexFunc(all, func(b cloud.Backup) bool { return b.Point == point })
	if at < 0 {
		return cloud.Backup{}, false
	}
	return all[at], true
}

// encryption is that of a restored table, if it isn't that of the one before.
type encryption struct {
	Enabled                 bool
	SSEType, KMSMasterKeyID string
}

func (e *encryption) property() any {
	if e == nil {
		return nil
	}
	return object{"enabled": e.Enabled, "kmsKeyArn": e.KMSMasterKeyID}
}

// restored makes a table that isn't there yet, and describes it.
func (e *Endpoint) restored(ctx context.Context, region, name string, summary object, restore func() error) (any, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if _, err := e.cloud.Table(region, name); err == nil {
		return nil, awsapi.Error("TableAlreadyExistsException", "Table already exists: %s", name)
	}
	if err := restore(); err != nil {
		return nil, awsapi.Validation("%v", err)
	}
	_, told, err := e.changedTable(ctx, region, &name, "CREATING")
	if err != nil {
		return nil, err
	}
	told["TableDescription"].(object)["RestoreSummary"] = summary
	return told, nil
}

// restoreMetadata serves https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetRecoveryPointRestoreMetadata.html
func (e *Endpoint) restoreMetadata(_ context.Context, region string, in struct{ BackupVaultName, RecoveryPointArn string }) (any, error) {
	if _, err := e.vault(region, in.BackupVaultName); err != nil {
		return nil, err
	}
	from, there := e.backup(region, in.RecoveryPointArn)
	if !there || from.Vault != in.BackupVaultName {
		return nil, awsapi.Error("ResourceNotFoundException", "Cannot find recovery point.")
	}
	of := backupOf(from)
	return object{
		"BackupVaultArn": of["BackupVaultArn"], "RecoveryPointArn": from.Point, "ResourceType": of["ResourceType"],
		"RestoreMetadata": object{"encryptionType": "Default"},
	}, nil
}

const restoreNote = "restore/" // of a restore job, by its ID and by its token

// startRestoreJob answers when the job has ended, and describeRestoreJob says how. The names of metadata are in any case.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartRestoreJob.html
// https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html
func (e *Endpoint) startRestoreJob(ctx context.Context, region string, in struct {
	RecoveryPointArn, IamRoleArn, IdempotencyToken, ResourceType string
	Metadata                                                     map[string]string
}) (any, error) {
	var id string
	if in.IdempotencyToken != "" && e.cloud.Note(restoreNote+"token/"+in.IdempotencyToken, &id) {
		return object{"RestoreJobId": id}, nil
	}
	from, there := e.backup(region, in.RecoveryPointArn)
	if !there {
		return nil, awsapi.Error("ResourceNotFoundException", "Cannot find recovery point.")
	}
	var name, kind string
	for key, value := range in.Metadata {
		switch strings.ToLower(key) {
		case "targettablename":
			name = value
		case "encryptiontype":
			kind = value
		default:
			return nil, &awsapi.Unsupported{Feature: "the metadata " + key}
		}
	}
	switch {
	case name == "":
		return nil, awsapi.Error("MissingParameterValueException", "Metadata has no targetTableName")
	case kind != "Default":
		return nil, &awsapi.Unsupported{Feature: "the encryption type " + kind + ", only Default"}
	case in.ResourceType != "" && in.ResourceType != "DynamoDB":
		return nil, awsapi.Error("InvalidParameterValueException", "The recovery point is not of the type %s", in.ResourceType)
	}
	if err := e.cloud.BackupAssumes(region, in.IamRoleArn); err != nil {
		return nil, err
	}
	began, id := time.Now(), uuid.NewString()
	_, err := e.restored(ctx, region, name, nil, func() error {
		role := in.IamRoleArn[strings.LastIndex(in.IamRoleArn, "/")+1:]
		if e.ofIAM(cloud.AttachmentType, role+"/"+restorePolicy) == nil {
			return fmt.Errorf("User: %s is not authorized to perform: dynamodb:RestoreTableFromBackup on resource: %s", in.IamRoleArn, from.Point)
		}
		return e.cloud.Restore(from, name, object{"enabled": false})
	})
	job := backupOf(from)
	job["SourceResourceArn"] = job["ResourceArn"]
	for _, other := range []string{"BackupVaultName", "ResourceArn", "ResourceName"} {
		delete(job, other)
	}
	maps.Copy(job, object{
		"RestoreJobId": id, "AccountId": cloud.Account, "IamRoleArn": in.IamRoleArn, "CreationDate": moment(began), "CompletionDate": moment(time.Now()),
		"RecoveryPointCreationDate": moment(from.Began), "Status": "COMPLETED", "PercentDone": "100.00%", "CreatedResourceArn": cloud.TableARN(region, name),
	})
	if err != nil {
		_, _, message := status(err)
		job["Status"], job["StatusMessage"], job["PercentDone"] = "FAILED", message, "0.00%"
		delete(job, "CreatedResourceArn")
	}
	e.cloud.SetNote(restoreNote+id, job)
	e.cloud.SetNote(restoreNote+"token/"+in.IdempotencyToken, id)
	return object{"RestoreJobId": id}, nil
}

// describeRestoreJob serves https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRestoreJob.html
func (e *Endpoint) describeRestoreJob(_ context.Context, _ string, in struct {
	RestoreJobID string `json:"RestoreJobId"`
}) (any, error) {
	var job object
	if !e.cloud.Note(restoreNote+in.RestoreJobID, &job) {
		return nil, awsapi.Error("ResourceNotFoundException", "Restore job %s does not exist.", in.RestoreJobID)
	}
	return job, nil
}
