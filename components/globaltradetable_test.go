package components

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
)

func declareTable(t *testing.T, regions []string, change func(*GlobalTradeTableArgs)) *declared.Stack {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		args := &GlobalTradeTableArgs{Scope: here, TableName: "trades", KeyARN: keyARN, AlarmTopicARN: topicARN}
		for _, region := range regions {
			provider, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{Region: pulumi.String(region)})
			if err != nil {
				return err
			}
			args.Replicas = append(args.Replicas, TableReplica{
				Region: region, Provider: provider, KeyARN: pulumi.String("arn:aws:kms:" + region + ":111122223333:key/mrk-1"),
			})
		}
		if change != nil {
			change(args)
		}
		_, err := NewGlobalTradeTable(ctx, "trades", args)
		return err
	})
}

func TestATableHasItsKeysItsIndexesAndItsProtection(t *testing.T) {
	table := find(t, declareTable(t, nil, func(args *GlobalTradeTableArgs) {
		args.DeletionProtection, args.ExpiresAttribute = true, ExpiresAtAttribute
	}), "aws:dynamodb/table:Table", "table")
	index := func(name, hashKey string) map[string]any {
		return map[string]any{
			"name": name, "hashKey": hashKey, "rangeKey": "timestamp", "projectionType": "INCLUDE",
			"nonKeyAttributes": []any{"action", "amount", "currency", "digest", "recordedAt", "sourceSystem", "status", "symbol", "venue"},
		}
	}
	want := map[string]any{
		"name": "trades", "billingMode": "PAY_PER_REQUEST", "hashKey": "tradeId", "rangeKey": "version",
		"attributes": []any{
			map[string]any{"name": "tradeId", "type": "S"}, map[string]any{"name": "version", "type": "S"},
			map[string]any{"name": "sourceShard", "type": "S"}, map[string]any{"name": "timestamp", "type": "N"},
			map[string]any{"name": "statusShard", "type": "S"},
		},
		"globalSecondaryIndexes": []any{index("bySource", "sourceShard"), index("byStatus", "statusShard")},
		"streamEnabled":          true, "streamViewType": "NEW_AND_OLD_IMAGES",
		"pointInTimeRecovery":       map[string]any{"enabled": true},
		"serverSideEncryption":      map[string]any{"enabled": true, "kmsKeyArn": string(keyARN)},
		"deletionProtectionEnabled": true,
		"ttl":                       map[string]any{"enabled": true, "attributeName": "expiresAt"},
	}
	if diff := cmp.Diff(want, table.Inputs); diff != "" {
		t.Error(diff)
	}
	if !table.Protect || !slices.Equal(table.IgnoreChanges, []string{"replicas"}) {
		t.Errorf("protect %v, ignores %v: replicas that are resources of their own look like drift to the table", table.Protect, table.IgnoreChanges)
	}
}

func TestATableOfOtherThingsHasTheirKeys(t *testing.T) {
	table := find(t, declareTable(t, nil, func(args *GlobalTradeTableArgs) {
		args.HashKey = &KeyAttribute{Name: "orderId"}
		args.Indexes = []TableIndex{{Name: "byCustomer", HashKey: KeyAttribute{Name: "customer"}, RangeKey: &KeyAttribute{Name: "orderId"}}}
		args.MaxReadUnits = 100
	}), "aws:dynamodb/table:Table", "table")
	for path, want := range map[string]any{
		"hashKey": "orderId", "rangeKey": nil, "ttl.enabled": false,
		"attributes": []any{map[string]any{"name": "orderId", "type": "S"}, map[string]any{"name": "customer", "type": "S"}},
		"globalSecondaryIndexes": []any{map[string]any{
			"name": "byCustomer", "hashKey": "customer", "rangeKey": "orderId", "projectionType": "ALL",
			"onDemandThroughput": map[string]any{"maxReadRequestUnits": 100.0},
		}},
	} {
		if diff := cmp.Diff(want, table.At(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestATableOfTradesMayHaveOtherIndexes(t *testing.T) {
	table := find(t, declareTable(t, nil, func(args *GlobalTradeTableArgs) { args.Indexes = []TableIndex{} }), "aws:dynamodb/table:Table", "table")
	if table.Text("hashKey") != "tradeId" || table.Text("rangeKey") != "version" || table.At("globalSecondaryIndexes") != nil {
		t.Errorf("inputs %v", table.Inputs)
	}
}

// A time to live that isn't declared stays on, if it was.
func TestTradesAreKeptForEverUnlessARetentionIsSet(t *testing.T) {
	ttl := find(t, declareTable(t, nil, nil), "aws:dynamodb/table:Table", "table").At("ttl")
	if diff := cmp.Diff(map[string]any{"enabled": false, "attributeName": "expiresAt"}, ttl); diff != "" {
		t.Error(diff)
	}
}

func TestAReplicaIsMadeInItsRegionUnderItsOwnKey(t *testing.T) {
	stack := declareTable(t, []string{"eu-west-1"}, func(args *GlobalTradeTableArgs) { args.DeletionProtection = true })
	replica := find(t, stack, "aws:dynamodb/tableReplica:TableReplica", "eu-west-1")
	want := map[string]any{
		"globalTableArn": "arn:aws:dynamodb:us-east-1:111122223333:table/trades", "kmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/mrk-1",
		"pointInTimeRecovery": true, "deletionProtectionEnabled": true,
	}
	if diff := cmp.Diff(want, replica.Inputs); diff != "" {
		t.Error(diff)
	}
	if replica.Provider != "eu-west-1" || !replica.Protect {
		t.Errorf("provider %s, protect %v", replica.Provider, replica.Protect)
	}
}

// DynamoDB refuses a second change to a table's replicas while the first is in progress.
func TestReplicasAreMadeOneAfterTheOther(t *testing.T) {
	stack := declareTable(t, []string{"eu-west-1", "ap-southeast-2", "eu-central-1"}, nil)
	first := find(t, stack, "aws:dynamodb/tableReplica:TableReplica", "ap-southeast-2")
	second := find(t, stack, "aws:dynamodb/tableReplica:TableReplica", "eu-central-1")
	third := find(t, stack, "aws:dynamodb/tableReplica:TableReplica", "eu-west-1")
	if !slices.Contains(second.DependsOn, first.URN) || !slices.Contains(third.DependsOn, second.URN) {
		t.Errorf("the second depends on %v, the third on %v", second.DependsOn, third.DependsOn)
	}
}

func TestEachReplicaHasAnAlarmOnItsDelay(t *testing.T) {
	stack := declareTable(t, []string{"eu-west-1"}, func(args *GlobalTradeTableArgs) { args.ReplicationLatencySeconds = 5 })
	alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", "replication-eu-west-1")
	if alarm.At("threshold") != 5000.0 || alarm.Text("dimensions.ReceivingRegion") != "eu-west-1" || alarm.Text("metricName") != "ReplicationLatency" {
		t.Errorf("inputs %v", alarm.Inputs)
	}
}

// A replica that is cut off has no latency, which the alarm on its delay takes for a quiet time.
func TestAReplicaThatStandsStillRaisesAnAlarm(t *testing.T) {
	stack := declareTable(t, []string{"eu-west-1"}, nil)
	alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", "replication-stalled-eu-west-1")
	metric := func(id, name string, dimensions map[string]any) map[string]any {
		return map[string]any{"id": id, "metric": map[string]any{
			"namespace": "AWS/DynamoDB", "metricName": name, "dimensions": dimensions, "period": 300.0, "stat": "SampleCount",
		}}
	}
	want := []any{
		map[string]any{"id": "alone", "expression": "IF(FILL(these, 0) > 0 AND FILL(others, -1) < 0, 1, 0)", "label": "replication-stalled-eu-west-1", "returnData": true},
		metric("these", "SuccessfulRequestLatency", map[string]any{"TableName": "trades", "Operation": "PutItem"}),
		metric("others", "ReplicationLatency", map[string]any{"TableName": "trades", "ReceivingRegion": "eu-west-1"}),
	}
	if diff := cmp.Diff(want, alarm.At("metricQueries")); diff != "" || alarm.At("metricName") != nil || alarm.At("period") != nil {
		t.Errorf("%s: %v", diff, alarm.Inputs)
	}
}

// The metrics of a table leave those of its indexes out.
func TestTheTableAndEachIndexHaveAlarmsOnThrottles(t *testing.T) {
	stack := declareTable(t, nil, nil)
	for name, index := range map[string]string{"trades": "", "trades-bySource": "bySource", "trades-byStatus": "byStatus"} {
		want := map[string]any{"TableName": "trades"}
		if index != "" {
			want["GlobalSecondaryIndexName"] = index
		}
		for kind, metric := range map[string]string{"write": "WriteThrottleEvents", "read": "ReadThrottleEvents"} {
			alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", name+"-"+kind+"-throttles")
			if diff := cmp.Diff(want, alarm.At("dimensions")); diff != "" || alarm.Text("metricName") != metric {
				t.Errorf("%s watches %s: %s", alarm.Name, alarm.Text("metricName"), diff)
			}
		}
	}
}

func TestThroughputIsBoundedOnlyWhereAsked(t *testing.T) {
	unbounded := find(t, declareTable(t, nil, nil), "aws:dynamodb/table:Table", "table")
	if unbounded.At("onDemandThroughput") != nil || unbounded.At("globalSecondaryIndexes.0.onDemandThroughput") != nil {
		t.Errorf("inputs %v", unbounded.Inputs)
	}
	bounded := find(t, declareTable(t, nil, func(args *GlobalTradeTableArgs) { args.MaxWriteUnits, args.MaxReadUnits = 100, 200 }), "aws:dynamodb/table:Table", "table")
	// An index slower than its table throttles the table.
	read := map[string]any{"maxReadRequestUnits": 200.0}
	for path, want := range map[string]any{
		"onDemandThroughput":                          map[string]any{"maxWriteRequestUnits": 100.0, "maxReadRequestUnits": 200.0},
		"globalSecondaryIndexes.0.onDemandThroughput": read, "globalSecondaryIndexes.1.onDemandThroughput": read,
	} {
		if diff := cmp.Diff(want, bounded.At(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestABackupPlanKeepsDailyBackupsInAVaultOfItsOwn(t *testing.T) {
	stack := run(t, func(ctx *pulumi.Context) error {
		_, err := NewBackupPlan(ctx, "backup", &BackupPlanArgs{
			Scope: here, PlanName: "trades", RoleName: pulumi.String("trades-backup"), KeyARN: keyARN, AlarmTopicARN: topicARN,
			ResourceARN: pulumi.String("arn:aws:dynamodb:us-east-1:111122223333:table/trades"), DeletionProtection: true,
		})
		return err
	})
	plan := find(t, stack, "aws:backup/plan:Plan", "plan")
	want := []any{map[string]any{
		"ruleName": "daily", "targetVaultName": "trades", "schedule": "cron(0 3 * * ? *)", "lifecycle": map[string]any{"deleteAfter": 35.0},
	}}
	if diff := cmp.Diff(want, plan.At("rules")); diff != "" {
		t.Error(diff)
	}
	selection := find(t, stack, "aws:backup/selection:Selection", "selection")
	if diff := cmp.Diff([]any{"arn:aws:dynamodb:us-east-1:111122223333:table/trades"}, selection.At("resources")); diff != "" {
		t.Error(diff)
	}
	if vault := find(t, stack, "aws:backup/vault:Vault", "vault"); vault.Text("kmsKeyArn") != string(keyARN) || vault.At("forceDestroy") != false || !vault.Protect {
		t.Errorf("inputs %v", vault.Inputs)
	}
	if attached := find(t, stack, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policy"); !slices.Contains(selection.DependsOn, attached.URN) {
		t.Error("the selection doesn't wait for the role's policy")
	}
}

// A job that fails is one thing; one that never starts sends no metric at all.
func TestABackupThatFailsOrIsMissingRaisesAnAlarm(t *testing.T) {
	stack := run(t, func(ctx *pulumi.Context) error {
		_, err := NewBackupPlan(ctx, "backup", &BackupPlanArgs{
			Scope: here, PlanName: "trades", RoleName: pulumi.String("trades-backup"), KeyARN: keyARN, AlarmTopicARN: topicARN, ResourceARN: keyARN,
		})
		return err
	})
	for name, want := range map[string]map[string]any{
		"backup-failed":  {"metricName": "NumberOfBackupJobsFailed", "comparisonOperator": "GreaterThanOrEqualToThreshold", "treatMissingData": "notBreaching"},
		"backup-missing": {"metricName": "NumberOfBackupJobsCompleted", "comparisonOperator": "LessThanThreshold", "treatMissingData": "breaching"},
	} {
		alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", name)
		for path, value := range want {
			if alarm.At(path) != value {
				t.Errorf("%s has the %s %v, want %v", name, path, alarm.At(path), value)
			}
		}
		if alarm.Text("namespace") != "AWS/Backup" || alarm.Text("dimensions.BackupVaultName") != "trades" || alarm.At("threshold") != 1.0 {
			t.Errorf("%s: %v", name, alarm.Inputs)
		}
		if name == "backup-missing" && alarm.At("period").(float64)*alarm.At("evaluationPeriods").(float64) != 26*60*60 {
			t.Errorf("it waits %v periods of %v s", alarm.At("evaluationPeriods"), alarm.At("period"))
		}
	}
}
