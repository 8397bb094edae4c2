package cloud_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/metrics"
	"trade-processing/local/table"
)

// A backup has what the table had then, after a restart too, and the vault keeps it from being lost unawares.
func TestABackupIsRestoredAfterARestart(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.furnish()
	w.createRole("backup", "backup.amazonaws.com", "dynamodb:CreateBackup")
	w.create(cloud.VaultType, "orders", cloud.Properties{"name": "orders"})
	for _, id := range []string{"1", "2", "3"} {
		w.put(`{"id": "` + id + `"}`)
	}
	living, err := w.Table(here, "orders")
	if err != nil {
		t.Fatal(err)
	}
	before := living.Digest()
	asked := cloud.Backup{Region: here, Vault: "orders", Table: w.arn(cloud.TableType, "orders"), Role: w.arn(cloud.RoleType, "backup")}
	made, err := w.BackUp(asked, w.resource(cloud.TableType, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := metrics.ParseStatistic("Sum")
	if err != nil {
		t.Fatal(err)
	}
	completed := w.Metric(here, metrics.Metric{Namespace: "AWS/Backup", Name: "NumberOfBackupJobsCompleted", Dimensions: map[string]string{"BackupVaultName": "orders"}})
	if n, _ := completed.Value(sum, made.Began.Add(-time.Hour), made.Ended.Add(time.Hour)); n != 1 {
		t.Errorf("%v jobs are counted, which the alarm waits for", n)
	}
	w.put(`{"id": "4"}`)
	var refusal smithy.APIError
	asked.Role = w.arn(cloud.RoleType, "keeper")
	if _, err := w.BackUp(asked, w.resource(cloud.TableType, "orders")); !errors.As(err, &refusal) || refusal.ErrorCode() != "InvalidParameterValueException" {
		t.Errorf("with Lambda's role, it ends with %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	w = livingIn(t, folder)
	defer w.Close() //nolint:errcheck // the test is over
	if all := w.Backups(here); len(all) != 1 || all[0].Point != made.Point || len(w.Backups(there)) != 0 {
		t.Fatalf("the backups are %+v", all)
	}
	if err := w.Restore(w.Backups(here)[0], "restored", nil); err != nil {
		t.Fatal(err)
	}
	restored, err := w.Table(here, "restored")
	if err != nil {
		t.Fatal(err)
	}
	if restored.Digest() != before || restored.Count() != 3 {
		t.Errorf("%d items were restored", restored.Count())
	}
	if err := w.Delete(cloud.VaultType, here, "orders"); err == nil || !strings.Contains(err.Error(), "InvalidRequestException") {
		t.Errorf("a vault with a recovery point is deleted: %v", err)
	}
	if _, err := w.Update(cloud.VaultType, here, "orders", cloud.Properties{"name": "orders", "forceDestroy": true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(cloud.VaultType, here, "orders"); err != nil || len(w.Backups(here)) != 0 {
		t.Errorf("%v, and backups are left: %v", err, w.Backups(here))
	}
}

// What is put, and overwritten, after the time isn't in the table that is restored to it, after a restart too.
func TestATableIsRestoredAsItWas(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.furnish()
	for _, id := range []string{"1", "2"} {
		w.put(`{"id": "` + id + `"}`)
	}
	living := func(name string) *table.Table {
		found, err := w.Table(here, name)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before, at := living("orders").Digest(), time.Now()
	w.put(`{"id": "3"}`)
	for _, text := range []string{"damaged", "again"} {
		for item := range living("orders").Items() {
			item["text"] = &types.AttributeValueMemberS{Value: text}
			if _, err := living("orders").PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: item}); err != nil {
				t.Fatal(err)
			}
		}
	}
	after := living("orders").Digest()
	if err := w.RestoreAsOf(at, w.resource(cloud.TableType, "orders"), here, "as-it-was", nil); err != nil {
		t.Fatal(err)
	}
	source := w.resource(cloud.TableType, "orders")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	w = livingIn(t, folder)
	defer w.Close() //nolint:errcheck // the test is over
	for name, at := range map[string]time.Time{"again": at, "now": time.Now(), "before": time.Unix(0, 0)} {
		if err := w.RestoreAsOf(at, source, here, name+"-restored", nil); err != nil {
			t.Fatal(err)
		}
	}
	if living("as-it-was").Digest() != before || living("again-restored").Digest() != before || living("orders").Digest() != after ||
		living("now-restored").Digest() != after || living("before-restored").Count() != 0 {
		t.Errorf("the tables have %d, %d, %d, %d and %d items", living("as-it-was").Count(), living("again-restored").Count(), living("orders").Count(),
			living("now-restored").Count(), living("before-restored").Count())
	}
}

func TestACloudInMemoryKeepsNoBackups(t *testing.T) {
	w := newWorld(t)
	if _, err := w.BackUp(cloud.Backup{Region: here}, nil); !isUnsupported(err) || w.Backups(here) != nil {
		t.Errorf("it ends with %v", err)
	}
	if err := w.RestoreAsOf(time.Now(), nil, here, "restored", nil); !isUnsupported(err) {
		t.Errorf("a restore to a point in time ends with %v", err)
	}
}

func isUnsupported(err error) bool {
	_, is := errors.AsType[*awsapi.Unsupported](err)
	return is
}
