package cost

import (
	"trade-processing/local/cloud"
)

// Definition is what a stack deploys, as far as AWS bills it.
type Definition struct {
	Stack    string
	Region   string   // of the table
	Replicas []string // regions
	Express  bool
	Traced   bool
	Sampled  float64 // the share of executions that is traced

	MemoryMB int // of the functions, on average
	Calls    int // how many functions a trade is passed to

	Indexes  []index
	Recovery bool // point in time
	Backups  int  // days that each daily backup is kept

	ArchiveDays, LogDays int // 0: forever

	Keys, Endpoints, Alarms, Composites, Dashboards int // endpoints by zone, alarms by metric
}

// index is a secondary index: its keys and what it copies.
type index struct {
	key        string // its partition key: items without it aren't in the index
	attributes map[string]bool
}

// Define reads a stack's definition from the cloud that it is deployed on.
func Define(stack string, here *cloud.Cloud) Definition {
	d := Definition{Stack: stack}
	memory := 0
	for _, r := range here.Resources() {
		in := r.Inputs
		switch r.Type {
		case "aws:sfn/stateMachine:StateMachine":
			d.Express = in["type"] == "EXPRESS"
			tracing, _ := in["tracingConfiguration"].(map[string]any)
			d.Traced = tracing["enabled"] == true
		case "aws:xray/samplingRule:SamplingRule":
			d.Sampled, _ = in["fixedRate"].(float64)
		case "aws:lambda/function:Function":
			size, _ := in["memorySize"].(float64)
			memory += int(size)
			d.Calls++
		case "aws:dynamodb/table:Table":
			d.Region = r.Region
			recovery, _ := in["pointInTimeRecovery"].(map[string]any)
			d.Recovery = recovery["enabled"] == true
			d.Indexes = indexes(in)
		case "aws:dynamodb/tableReplica:TableReplica":
			d.Replicas = append(d.Replicas, r.Region)
		case "aws:backup/plan:Plan":
			for _, rule := range list(in["rules"]) {
				lifecycle, _ := rule["lifecycle"].(map[string]any)
				d.Backups += days(lifecycle["deleteAfter"])
			}
		case "aws:cloudwatch/eventArchive:EventArchive":
			d.ArchiveDays = days(in["retentionDays"])
		case "aws:cloudwatch/logGroup:LogGroup":
			d.LogDays = max(d.LogDays, days(in["retentionInDays"]))
		case "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey":
			d.Keys++
		case "aws:ec2/vpcEndpoint:VpcEndpoint":
			if in["vpcEndpointType"] == "Interface" {
				zones, _ := in["subnetIds"].([]any)
				d.Endpoints += len(zones)
			}
		case "aws:cloudwatch/metricAlarm:MetricAlarm":
			d.Alarms += max(1, metrics(in))
		case "aws:cloudwatch/compositeAlarm:CompositeAlarm":
			d.Composites++
		case "aws:cloudwatch/dashboard:Dashboard":
			d.Dashboards++
		}
	}
	if d.Calls > 0 {
		d.MemoryMB = memory / d.Calls
	}
	return d
}

func indexes(table cloud.Properties) []index {
	var found []index
	for _, i := range list(table["globalSecondaryIndexes"]) {
		one := index{attributes: map[string]bool{}}
		one.key, _ = i["hashKey"].(string)
		for _, name := range []any{table["hashKey"], table["rangeKey"], i["hashKey"], i["rangeKey"]} {
			if text, ok := name.(string); ok {
				one.attributes[text] = true
			}
		}
		copied, _ := i["nonKeyAttributes"].([]any)
		for _, name := range copied {
			if text, ok := name.(string); ok {
				one.attributes[text] = true
			}
		}
		found = append(found, one)
	}
	return found
}

// metrics counts the metrics of an alarm on an expression.
func metrics(alarm cloud.Properties) int {
	n := 0
	for _, query := range list(alarm["metricQueries"]) {
		if query["metric"] != nil {
			n++
		}
	}
	return n
}

func list(value any) []map[string]any {
	values, _ := value.([]any)
	var found []map[string]any
	for _, v := range values {
		if object, ok := v.(map[string]any); ok {
			found = append(found, object)
		}
	}
	return found
}

func days(value any) int {
	n, _ := value.(float64)
	return int(n)
}
