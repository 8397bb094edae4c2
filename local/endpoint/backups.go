package endpoint

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

const vaultType = "aws:backup/vault:Vault"

var backupOperations = map[string]operation{
	"StartBackupJob": serve((*Endpoint).startBackupJob), "ListBackupJobs": serve((*Endpoint).listBackupJobs),
	"ListRecoveryPointsByBackupVault": serve((*Endpoint).listRecoveryPoints),
}

// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations.html
var backupRoutes = []route{
	on(http.MethodPut, "/backup-jobs", "StartBackupJob"), on(http.MethodGet, "/backup-jobs", "ListBackupJobs"),
	on(http.MethodGet, "/backup-vaults/(?P<BackupVaultName>[^/]+)/recovery-points", "ListRecoveryPointsByBackupVault"),
}

func (e *Endpoint) vault(region, name string) (*cloud.Resource, error) {
	found, there := e.cloud.Read(vaultType, region, name)
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
	name, is := strings.CutPrefix(in.ResourceArn, "arn:aws:dynamodb:"+region+":"+cloud.Account+":table/")
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
	MaxResults, NextToken                      string
}) (any, error) {
	vault, err := e.vault(region, in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	listed := []any{}
	for _, b := range slices.Backward(e.cloud.Backups(region)) {
		if b.Vault == vault.ID && (in.ResourceArn == "" || in.ResourceArn == b.Table) && (in.ResourceType == "" || in.ResourceType == "DynamoDB") {
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
	SSESpecificationOverride   *struct {
		Enabled                 bool
		SSEType, KMSMasterKeyID string
	}
}) (any, error) {
	all := e.cloud.Backups(region)
	at := slices.IndexFunc(all, func(b cloud.Backup) bool { return b.Point == in.BackupArn })
	if at < 0 {
		return nil, awsapi.Error("BackupNotFoundException", "Backup not found: %s", in.BackupArn)
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	if _, err := e.cloud.Table(region, in.TargetTableName); err == nil {
		return nil, awsapi.Error("TableAlreadyExistsException", "Table already exists: %s", in.TargetTableName)
	}
	var encryption any
	if override := in.SSESpecificationOverride; override != nil {
		encryption = object{"enabled": override.Enabled, "kmsKeyArn": override.KMSMasterKeyID}
	}
	if _, err := e.cloud.Restore(all[at], in.TargetTableName, encryption); err != nil {
		return nil, awsapi.Validation("%v", err)
	}
	described, err := e.describeTable(ctx, region, dynamodb.DescribeTableInput{TableName: &in.TargetTableName})
	if err != nil {
		return nil, err
	}
	told := described.(object)["Table"].(object)
	told["TableStatus"] = "CREATING"
	told["RestoreSummary"] = object{"SourceBackupArn": all[at].Point, "SourceTableArn": all[at].Table, "RestoreDateTime": moment(all[at].Began), "RestoreInProgress": true}
	return object{"TableDescription": told}, nil
}
