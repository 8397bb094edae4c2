package cloud_test

import (
	"errors"
	"strings"
	"testing"

	"trade-processing/local/cloud"
)

// Nothing unknown to the local cloud is silently accepted; the answer names it.
func TestTheUnknownIsRefusedByName(t *testing.T) {
	const aMachine = `{"StartAt": "A", "States": {"A": `
	for _, tc := range []struct {
		name   string
		typ    string
		inputs cloud.Properties
		want   []string // parts of the message
	}{
		{
			"a resource type", "aws:s3/bucket:Bucket", cloud.Properties{"bucket": "b"},
			[]string{`aws:s3/bucket:Bucket "x"`, "does not know this resource type"},
		}, {
			"a property of a living resource", cloud.QueueType, cloud.Properties{"name": "q", "redriveColour": "red"},
			[]string{cloud.QueueType, "does not know the property redriveColour"},
		}, {
			"two properties at once", cloud.QueueType, cloud.Properties{"name": "q", "zeal": 1.0, "colour": "red"},
			[]string{"does not know the properties colour, zeal"},
		}, {
			"a FIFO queue", cloud.QueueType, cloud.Properties{"name": "q.fifo", "fifoQueue": true},
			[]string{cloud.QueueType, "does not know the property fifoQueue"},
		}, {
			"a property of a resource on record", cloud.KeyType, cloud.Properties{"colour": "red"},
			[]string{cloud.KeyType, "does not know the property colour"},
		}, {
			"a property inside an object", cloud.FunctionType,
			cloud.Properties{"name": "f", "role": "r", "environment": object{"variables": object{}, "secrets": object{}}},
			[]string{cloud.FunctionType, "environment", "secrets"},
		}, {
			"a property inside an object that is on record", cloud.FunctionType,
			cloud.Properties{"name": "f", "role": "r", "vpcConfig": object{"subnetIds": []any{}, "subnetIDs": []any{}}},
			[]string{cloud.FunctionType, "vpcConfig", "subnetIDs"},
		}, {
			"a property inside a list of objects", cloud.TableType,
			cloud.Properties{"name": "t", "hashKey": "id", "attributes": []any{object{"name": "id", "type": "S", "kind": "hash"}}},
			[]string{cloud.TableType, "attributes", "kind"},
		}, {
			"a property inside an object of a resource on record", "aws:ecr/repository:Repository",
			cloud.Properties{"name": "r", "imageScanningConfiguration": object{"scanOnPull": true}},
			[]string{"does not know the property imageScanningConfiguration.scanOnPull"},
		}, {
			"a property deep inside a resource on record", "aws:backup/plan:Plan",
			cloud.Properties{"name": "p", "rules": []any{object{"ruleName": "r", "lifecycle": object{"deleteAfter": 1.0, "forgetAfter": 1.0}}}},
			[]string{"does not know the property rules.lifecycle.forgetAfter"},
		}, {
			"an operator of an event pattern", cloud.RuleType, ruleInputs(`{"source": [{"sounds-like": "shop"}]}`),
			[]string{cloud.RuleType, "sounds-like"},
		}, {
			"a field of a state", cloud.MachineType, machineInputs(aMachine + `{"Type": "Fail", "Mood": "good"}}}`),
			[]string{cloud.MachineType, `state "A"`, "Mood"},
		}, {
			"a type of state", cloud.MachineType, machineInputs(aMachine + `{"Type": "Map", "End": true}}}`),
			[]string{cloud.MachineType, `state "A"`, "Map"},
		}, {
			"an integration of a task", cloud.MachineType,
			machineInputs(aMachine + `{"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true}}}`),
			[]string{cloud.MachineType, `state "A"`, "arn:aws:states:::sns:publish"},
		}, {
			"a parameter of an integration", cloud.MachineType,
			machineInputs(aMachine + `{"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage",
				"Parameters": {"QueueUrl": "u", "MessageBody": "b", "DelaySeconds": 3}, "End": true}}}`),
			[]string{cloud.MachineType, `state "A"`, "DelaySeconds of arn:aws:states:::sqs:sendMessage"},
		}, {
			"a weighted pair of versions", cloud.MachineAliasType,
			cloud.Properties{"name": "live", "routingConfigurations": []any{
				object{"stateMachineVersionArn": "m:1", "weight": 90.0}, object{"stateMachineVersionArn": "m:2", "weight": 10.0},
			}},
			[]string{cloud.MachineAliasType, "routingConfigurations", "weighted"},
		}, {
			"no version at all", cloud.MachineAliasType, cloud.Properties{"name": "live", "routingConfigurations": []any{}},
			[]string{cloud.MachineAliasType, "routingConfigurations"},
		}, {
			"provisioned capacity", cloud.TableType,
			cloud.Properties{"name": "t", "hashKey": "id", "attributes": []any{}, "billingMode": "PROVISIONED"},
			[]string{cloud.TableType, "billingMode PROVISIONED is not supported here"},
		}, {
			"a policy that is no JSON", "aws:sqs/queuePolicy:QueuePolicy", cloud.Properties{"queueUrl": "u", "policy": "{"},
			[]string{"policy is not JSON"},
		}, {
			"a missing property", cloud.RuleType, cloud.Properties{"name": "r"},
			[]string{"missing required property eventPattern"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := cloud.Check(tc.typ, "x", tc.inputs, nil, nil)
			refusal, named := errors.AsType[*cloud.ResourceError](err)
			if !named || refusal.Type != tc.typ || refusal.Name != "x" {
				t.Fatalf("got %#v, want a ResourceError of %s", err, tc.typ)
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than a line", err)
			}
		})
	}
}

// Some things are known only once other resources exist.
func TestWhatCreationRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		typ    string
		inputs func(*world) cloud.Properties
		want   string
	}{
		{"a second queue of the same name", cloud.QueueType, func(*world) cloud.Properties {
			return cloud.Properties{"name": "failures"}
		}, "https://sqs.us-east-1.amazonaws.com/000000000000/failures exists already in us-east-1"},
		{"a retention beyond SQS's", cloud.QueueType, func(*world) cloud.Properties {
			return cloud.Properties{"name": "q", "messageRetentionSeconds": 1209601.0}
		}, "retention"},
		{"a rule on a bus that is not there", cloud.RuleType, func(*world) cloud.Properties {
			return cloud.Properties{"name": "r", "eventBusName": "nobody", "eventPattern": `{"source": ["a"]}`}
		}, "event-bus/nobody does not exist"},
		{"a target of another kind", cloud.TargetType, func(w *world) cloud.Properties {
			return cloud.Properties{"rule": "orders", "eventBusName": "orders", "targetId": "2", "arn": w.arn(cloud.QueueType, "failures")}
		}, "only state machines are known here as targets"},
		{"a target of a rule that is not there", cloud.TargetType, func(w *world) cloud.Properties {
			return cloud.Properties{"rule": "nobody", "eventBusName": "orders", "targetId": "2", "arn": w.arn(cloud.MachineType, "orders")}
		}, "rule nobody does not exist"},
		{"a function whose image was never pushed", cloud.FunctionType, func(*world) cloud.Properties {
			return cloud.Properties{"name": "f", "role": keeperRole, "imageUri": "registry.example/f@sha256:0"}
		}, "image registry.example/f@sha256:0 was never pushed"},
		{"a function whose code is not here", cloud.FunctionType, func(w *world) cloud.Properties {
			image := w.create(cloud.ImageType, "other", cloud.Properties{"imageName": "r/other:1", "build": object{"args": object{"FUNCTION": "other"}}})
			return cloud.Properties{"name": "f", "role": keeperRole, "imageUri": image.Outputs["repoDigest"]}
		}, "no code is known here for an image built with FUNCTION=other"},
		{"a function whose image does not name its code", cloud.FunctionType, func(w *world) cloud.Properties {
			image := w.create(cloud.ImageType, "nameless", cloud.Properties{"imageName": "r/nameless:1", "build": object{}})
			return cloud.Properties{"name": "f", "role": keeperRole, "imageUri": image.Outputs["repoDigest"]}
		}, "was built without FUNCTION"},
		{"a function whose container does not start", cloud.FunctionType, func(w *world) cloud.Properties {
			inputs := functionInputs(w.resource(cloud.ImageType, "keeper"), "")
			inputs["name"] = "f"
			return inputs
		}, "starting the container: GREETING is not set"},
		{"an alias of a version that is not there", cloud.FunctionAliasType, func(*world) cloud.Properties {
			return cloud.Properties{"functionName": "keeper", "functionVersion": "9", "name": "next"}
		}, `no version "9"`},
		{"a replica beside its table", cloud.ReplicaType, func(w *world) cloud.Properties {
			return cloud.Properties{"globalTableArn": w.arn(cloud.TableType, "orders")}
		}, "give it the provider of another"},
		{"an alarm on a metric that nobody sends", cloud.MetricAlarmType, func(*world) cloud.Properties {
			return alarmInputs("NumberOfMessagesLost")
		}, "NumberOfMessagesLost"},
		{"an alarm on other metric math", cloud.MetricAlarmType, func(*world) cloud.Properties {
			inputs := alarmInputs("NumberOfMessagesSent")
			for _, own := range []string{"metricName", "namespace", "dimensions", "period", "statistic"} {
				delete(inputs, own)
			}
			inputs["metricQueries"] = []any{object{"id": "e1", "expression": "m1 / m2", "returnData": true}}
			return inputs
		}, "the only metric math known here"},
		{"a parameter with an empty value", cloud.ParameterType, func(*world) cloud.Properties {
			return cloud.Properties{"name": "/a", "type": "String", "value": ""}
		}, "/a"},
		{"a replica key of what is no key", "aws:kms/replicaKey:ReplicaKey", func(*world) cloud.Properties {
			return cloud.Properties{"primaryKeyArn": "nonsense"}
		}, "is not a key's ARN"},
		{"an empty name", "aws:sns/topic:Topic", func(*world) cloud.Properties {
			return cloud.Properties{"name": ""}
		}, "the name is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			inputs := tc.inputs(w)
			before := len(w.Resources())
			_, err := checkAndCreate(w.Cloud, here, tc.typ, "x", inputs)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), `"x"`) {
				t.Errorf("got %v, want x refused with %q", err, tc.want)
			}
			if after := len(w.Resources()); after != before {
				t.Errorf("%d resources were on record, and %d are after the refusal", before, after)
			}
			if got := w.put(`{"id": "1"}`); got != "hello kept" {
				t.Errorf("what was there works no longer: %s", got)
			}
		})
	}
}

func TestAnUnknownFunctionOfAProviderIsRefusedByName(t *testing.T) {
	c := cloud.New(cloud.Options{})
	_, err := c.Invoke("aws:ec2/getAmi:getAmi", here, nil)
	if err == nil || !strings.Contains(err.Error(), "aws:ec2/getAmi:getAmi: the local cloud does not know this function") {
		t.Errorf("got %v", err)
	}
}

func TestValuesOfAPreviewMayBeUnknown(t *testing.T) {
	for _, tc := range []struct {
		name    string
		typ     string
		inputs  cloud.Properties
		unknown []string
		want    string // in the refusal; empty if there is none
	}{
		{"a pattern", cloud.RuleType, cloud.Properties{"name": "r"}, []string{"eventPattern"}, ""},
		{"a definition", cloud.MachineType, cloud.Properties{"name": "m"}, []string{"definition", "roleArn"}, ""},
		{"a routing", cloud.MachineAliasType, cloud.Properties{"name": "live"}, []string{"routingConfigurations"}, ""},
		{"an unknown property of unknown value", cloud.QueueType, cloud.Properties{"name": "q"}, []string{"colour"}, "colour"},
		{"one that is missing all the same", cloud.RuleType, cloud.Properties{"name": "r"}, []string{"description"}, "eventPattern"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := cloud.Check(tc.typ, "x", tc.inputs, tc.unknown, nil)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
