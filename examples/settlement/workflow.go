package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sfn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
	"trade-processing/components/asl"
	policy "trade-processing/components/iam"
)

// newWorkflow makes a state machine of this pipeline's own: where no component fits, plain resources stand beside them.
// It calls the function with the event, and keeps an event that the function failed on in the function's dead letters.
func newWorkflow(ctx *pulumi.Context, scope components.Scope, key *components.EncryptionKey, confirmer *components.ContainerFunction, here pulumi.ResourceOption) (*sfn.StateMachine, error) {
	trust, err := policy.New(policy.Statement{
		Effect: policy.Allow, Principal: policy.Service("states.amazonaws.com"), Action: policy.Strings{"sts:AssumeRole"},
		Condition: policy.Conditions{policy.StringEquals: {"aws:SourceAccount": {scope.Account}}},
	}).JSON()
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(ctx, "workflow-role", &iam.RoleArgs{Name: pulumi.String(prefix + "-workflow"), AssumeRolePolicy: pulumi.String(trust)}, here)
	if err != nil {
		return nil, err
	}
	known := pulumi.All(confirmer.AliasARN, confirmer.DeadLetters.ARN, confirmer.DeadLetters.URL, key.ARN)
	rights, err := iam.NewRolePolicy(ctx, "workflow-rights", &iam.RolePolicyArgs{
		Name: pulumi.String("workflow"),
		Role: role.Name,
		Policy: known.ApplyT(func(known []any) (string, error) {
			function, queue, keyARN := known[0].(string), known[1].(string), known[3].(string)
			return policy.New(
				policy.Statement{Sid: "Confirm", Effect: policy.Allow, Action: policy.Strings{"lambda:InvokeFunction"}, Resource: policy.Strings{function}},
				policy.Statement{Sid: "Keep", Effect: policy.Allow, Action: policy.Strings{"sqs:SendMessage"}, Resource: policy.Strings{queue}},
				policy.Statement{Sid: "Key", Effect: policy.Allow, Action: policy.Strings{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: policy.Strings{keyARN}},
			).JSON()
		}).(pulumi.StringOutput),
	}, here)
	if err != nil {
		return nil, err
	}
	return sfn.NewStateMachine(ctx, "workflow", &sfn.StateMachineArgs{
		Name:    pulumi.String(prefix + "-workflow"),
		RoleArn: role.Arn,
		Definition: known.ApplyT(func(known []any) (string, error) {
			machine := definition(scope.Partition, known[0].(string), known[2].(string))
			if err := machine.Check(); err != nil {
				return "", err
			}
			return machine.JSON()
		}).(pulumi.StringOutput),
	}, here, pulumi.DependsOn([]pulumi.Resource{rights}))
}

func definition(partition, functionARN, queueURL string) asl.Machine {
	retry := asl.Retrier{
		ErrorEquals: []string{asl.AnyError}, IntervalSeconds: 1, BackoffRate: 2, MaxDelaySeconds: 8, MaxAttempts: 3, JitterStrategy: asl.FullJitter,
	}
	wrong := retry // with the confirmation itself: no retry mends it
	wrong.ErrorEquals, wrong.MaxAttempts = []string{"MalformedConfirmation"}, 0
	return asl.Machine{
		StartAt: "Confirm", TimeoutSeconds: 300,
		States: asl.States{
			"Confirm": asl.Task{
				Resource:       asl.LambdaInvoke(partition),
				Parameters:     asl.Object{"FunctionName": functionARN, "Payload": asl.ExecutionInput},
				OutputPath:     "$.Payload",
				TimeoutSeconds: 20,
				Retry:          []asl.Retrier{wrong, retry},
				Catch:          []asl.Catcher{{ErrorEquals: []string{asl.AnyError}, Next: "Keep"}},
				End:            true,
			},
			"Keep": asl.Task{
				Resource: asl.SendMessage(partition),
				Parameters: asl.Object{
					"QueueUrl": queueURL, "MessageBody": asl.Object{"event": asl.ExecutionInput, "error": asl.Path("$")},
				},
				ResultPath: asl.Discard, TimeoutSeconds: 5, Retry: []asl.Retrier{retry}, Next: "Failed",
			},
			"Failed": asl.Fail{ErrorPath: "$.Error", CausePath: "States.JsonToString($)"},
		},
	}
}
