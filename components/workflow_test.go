package components

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/asl"
	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

func declareWorkflow(t *testing.T, change func(*WorkflowArgs)) *declared.Stack {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		args, err := workflowArgs(ctx)
		if err != nil {
			return err
		}
		if change != nil {
			change(args)
		}
		_, err = NewWorkflow(ctx, "workflow", args)
		return err
	})
}

// workflowArgs returns the arguments of a workflow with three stages.
func workflowArgs(ctx *pulumi.Context) (*WorkflowArgs, error) {
	args := &WorkflowArgs{
		Scope: here, WorkflowName: "trades", KeyARN: keyARN, AlarmTopicARN: topicARN,
		Definition: StagedDefinition(workflowStages(someStages()), 2),
	}
	for _, name := range []string{"validator", "enricher", "recorder"} {
		made, err := newFunction(ctx, name, nil)
		if err != nil {
			return nil, err
		}
		args.Functions = append(args.Functions, made)
	}
	return args, nil
}

func TestAStateMachineIsLoggedTracedEncryptedAndPublished(t *testing.T) {
	stack := declareWorkflow(t, nil)
	machine := find(t, stack, "aws:sfn/stateMachine:StateMachine", "machine")
	delete(machine.Inputs, "definition")
	want := map[string]any{
		"name": "trades", "type": "STANDARD", "roleArn": "arn:aws:iam::111122223333:role/trades", "publish": true,
		"loggingConfiguration": map[string]any{
			"level": "ERROR", "includeExecutionData": false,
			"logDestination": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/vendedlogs/states/trades:*",
		},
		"tracingConfiguration":    map[string]any{"enabled": true},
		"encryptionConfiguration": map[string]any{"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": string(keyARN), "kmsDataKeyReusePeriodSeconds": 300.0},
	}
	if diff := cmp.Diff(want, machine.Inputs); diff != "" {
		t.Error(diff)
	}
	// Step Functions immediately checks whether the role may deliver logs.
	if policy := find(t, stack, "aws:iam/rolePolicy:RolePolicy", "workflow-role-policy").URN; !slices.Contains(machine.DependsOn, policy) {
		t.Error("the state machine doesn't wait for its role's policy")
	}
	alias := find(t, stack, "aws:sfn/alias:Alias", "workflow-alias")
	version := "arn:aws:states:us-east-1:111122223333:stateMachine:trades:1"
	if diff := cmp.Diff([]any{map[string]any{"stateMachineVersionArn": version, "weight": 100.0}}, alias.At("routingConfigurations")); diff != "" {
		t.Error(diff)
	}
}

// A changed type replaces the machine under its own name, and AWS deletes the alias along with it.
func TestAnAliasIsReplacedWithItsStateMachine(t *testing.T) {
	stack := declareWorkflow(t, nil)
	machine, alias := find(t, stack, "aws:sfn/stateMachine:StateMachine", "machine"), find(t, stack, "aws:sfn/alias:Alias", "workflow-alias")
	if !slices.Equal(alias.ReplaceWith, []string{machine.URN}) {
		t.Errorf("it is replaced with %v", alias.ReplaceWith)
	}
}

func TestAStateMachinesLogGroupNeedsNoResourcePolicyOfItsOwn(t *testing.T) {
	group := find(t, declareWorkflow(t, nil), "aws:cloudwatch/logGroup:LogGroup", "workflow-logs")
	if diff := cmp.Diff(map[string]any{"name": "/aws/vendedlogs/states/trades", "retentionInDays": 365.0, "kmsKeyId": string(keyARN)}, group.Inputs); diff != "" {
		t.Error(diff)
	}
}

func TestAWorkflowsRoleServesItsStateMachineOnly(t *testing.T) {
	stack := declareWorkflow(t, nil)
	trust := policy(t, find(t, stack, "aws:iam/role:Role", "workflow-role"), "assumeRolePolicy")
	assume := func(machine string) iam.Request {
		return iam.Request{Action: "sts:AssumeRole", Principal: "states.amazonaws.com", Context: map[string]string{
			"aws:SourceAccount": "111122223333", "aws:SourceArn": "arn:aws:states:us-east-1:111122223333:stateMachine:" + machine,
		}}
	}
	decide(t, trust, assume("trades"), iam.Allowed)
	decide(t, trust, assume("others"), iam.DeniedImplicitly)
}

func TestAWorkflowIsOfTheTypeThatItIsAskedFor(t *testing.T) {
	stack := declareWorkflow(t, func(args *WorkflowArgs) { args.Type, args.Logging = Express, LogAll })
	machine := find(t, stack, "aws:sfn/stateMachine:StateMachine", "machine")
	if machine.Text("type") != "EXPRESS" || machine.Text("loggingConfiguration.level") != "ALL" || machine.At("loggingConfiguration.includeExecutionData") != false {
		t.Errorf("inputs %v", machine.Inputs)
	}
}

func TestExecutionsThatDoNotSucceedRaiseAlarms(t *testing.T) {
	stack := declareWorkflow(t, nil)
	for end, metric := range map[string]string{
		"workflow-failed": "ExecutionsFailed", "workflow-timed-out": "ExecutionsTimedOut", "workflow-aborted": "ExecutionsAborted", "workflow-throttled": "ExecutionThrottled",
	} {
		alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", end)
		if alarm.Text("metricName") != metric || alarm.Text("dimensions.StateMachineArn") != "arn:aws:states:us-east-1:111122223333:stateMachine:trades" {
			t.Errorf("%s watches %s of %v", end, alarm.Text("metricName"), alarm.At("dimensions"))
		}
	}
}

// The metric that the workflow sends is the one that the alarm watches, and the only one that the role may send.
func TestAnEventThatNoQueueTookRaisesAnAlarmOfItsOwn(t *testing.T) {
	stack := declareWorkflow(t, nil)
	alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", "workflow-unkept")
	var definition struct {
		States map[string]struct {
			Parameters struct {
				Namespace  string
				MetricData []struct {
					MetricName string
					Value      float64
					Dimensions []map[string]string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(find(t, stack, "aws:sfn/stateMachine:StateMachine", "machine").Text("definition")), &definition); err != nil {
		t.Fatal(err)
	}
	sent := definition.States["PageRecordTradeFailure"].Parameters
	if len(sent.MetricData) != 1 || sent.MetricData[0].Value < alarm.At("threshold").(float64) {
		t.Fatalf("it sends %+v", sent)
	}
	for _, dimension := range sent.MetricData[0].Dimensions {
		if alarm.Text("dimensions."+dimension["Name"]) != "trades" || dimension["Value.$"] != "$$.StateMachine.Name" {
			t.Errorf("it sends %v, and the alarm watches %v", dimension, alarm.At("dimensions"))
		}
	}
	if sent.Namespace != alarm.Text("namespace") || sent.MetricData[0].MetricName != alarm.Text("metricName") {
		t.Errorf("it sends %+v, and the alarm watches %v", sent, alarm.Inputs)
	}
	role := policy(t, find(t, stack, "aws:iam/rolePolicy:RolePolicy", "workflow-role-policy"), "policy")
	for namespace, want := range map[string]iam.Decision{sent.Namespace: iam.Allowed, "AWS/States": iam.DeniedImplicitly} {
		decide(t, role, iam.Request{Action: "cloudwatch:PutMetricData", Resource: "*", Context: map[string]string{"cloudwatch:namespace": namespace}}, want)
	}
}

func TestADefinitionThatDoesNotFitIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*WorkflowArgs)
		want   string
	}{
		"more time than an express workflow has": {
			func(args *WorkflowArgs) {
				args.Type, args.Definition = Express, StagedDefinition(workflowStages(someStages()), 10)
			},
			"an express one may take 300",
		},
		"a stage without a function": {func(args *WorkflowArgs) { args.Functions = args.Functions[:2] }, "a workflow of 3 stages has 2 functions"},
		"a machine that leads nowhere": {
			func(args *WorkflowArgs) {
				args.Definition = func(string, WorkflowType, []CalledFunction) (asl.Machine, error) {
					return asl.Machine{StartAt: "Nowhere", TimeoutSeconds: 1}, nil
				}
			}, `starts at "Nowhere"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The definition is built once ARNs are known, when the functions are declared.
			_, err := declared.Declare(declared.Program{Folder: sources(t), Run: func(ctx *pulumi.Context) error {
				args, err := workflowArgs(ctx)
				if err != nil {
					return err
				}
				test.change(args)
				_, err = NewWorkflow(ctx, "workflow", args)
				return err
			}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
