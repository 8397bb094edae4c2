package endpoint

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

const machineType = "aws:sfn/stateMachine:StateMachine"

// describeStateMachine answers with what a deployment declared about a state machine.
func (e *Endpoint) describeStateMachine(_ context.Context, region string, in sfn.DescribeStateMachineInput) (any, error) {
	machine, found := e.cloud.Read(machineType, region, aws.ToString(in.StateMachineArn))
	if !found {
		return nil, awsapi.Error("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", aws.ToString(in.StateMachineArn))
	}
	level, group := logging(machine)
	var destinations []any
	if group != "" {
		destinations = []any{map[string]any{"cloudWatchLogsLogGroup": map[string]string{"logGroupArn": group}}}
	}
	tracing, _ := machine.Inputs["tracingConfiguration"].(map[string]any)
	traced, _ := tracing["enabled"].(bool)
	definition := machine.Inputs["definition"]
	if in.IncludedData == types.IncludedDataMetadataOnly {
		definition = nil
	}
	return map[string]any{
		"stateMachineArn": machine.ID, "name": machine.Inputs["name"], "definition": definition,
		"roleArn": machine.Inputs["roleArn"], "type": machine.Inputs["type"], "status": "ACTIVE", "creationDate": 0,
		"loggingConfiguration": map[string]any{"level": level, "destinations": destinations},
		"tracingConfiguration": map[string]bool{"enabled": traced},
	}, nil
}

// logging returns the level at which a state machine logs, and its log group's ARN, which ends in :*.
func logging(machine *cloud.Resource) (level, group string) {
	configuration, _ := machine.Inputs["loggingConfiguration"].(map[string]any)
	level, _ = configuration["level"].(string)
	if level == "" {
		level = "OFF"
	}
	group, _ = configuration["logDestination"].(string)
	return level, group
}
