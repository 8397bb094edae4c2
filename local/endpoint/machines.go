package endpoint

import (
	"context"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

var machineOperations = map[string]operation{
	"DescribeStateMachine": serve((*Endpoint).describeStateMachine), "DescribeStateMachineAlias": serve((*Endpoint).describeStateMachineAlias),
	"ListStateMachines": serve((*Endpoint).listStateMachines), "ListStateMachineAliases": serve((*Endpoint).listStateMachineAliases),
	"ListStateMachineVersions": serve((*Endpoint).listStateMachineVersions),
	"ListExecutions":           serve((*Endpoint).listExecutions), "DescribeExecution": serve((*Endpoint).describeExecution),
	"GetExecutionHistory": serve((*Endpoint).getExecutionHistory), "StartExecution": serve((*Endpoint).startExecution),
	"StopExecution": serve((*Endpoint).stopExecution), "UpdateStateMachineAlias": serve((*Endpoint).updateStateMachineAlias),
	"RedriveExecution": serve((*Endpoint).redriveExecution),
}

// machine finds a state machine by its ARN, or by that of its latest version or of an alias, which are qualified.
func (e *Endpoint) machine(region, arn string) (machine *cloud.Resource, qualified bool, err error) {
	if !strings.HasPrefix(arn, "arn:aws:states:") || !strings.Contains(arn, ":stateMachine:") {
		return nil, false, awsapi.Error("InvalidArn", "Invalid Arn: '%s'", arn)
	}
	if machine, found := e.cloud.Read(cloud.MachineType, region, arn); found {
		return machine, false, nil
	}
	_, isAlias := e.cloud.Read(cloud.MachineAliasType, region, arn)
	machine, found := e.cloud.Read(cloud.MachineType, region, arn[:strings.LastIndex(arn, ":")])
	if found && (isAlias || machine.Outputs["stateMachineVersionArn"] == arn) {
		return machine, true, nil
	}
	return nil, false, awsapi.Error("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
}

// describeStateMachine answers with what a deployment declared about a state machine.
func (e *Endpoint) describeStateMachine(_ context.Context, region string, in struct {
	StateMachineArn string `json:"stateMachineArn"`
	IncludedData    string `json:"includedData"`
}) (any, error) {
	machine, qualified, err := e.machine(region, in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	level, group := logging(machine)
	destinations := []any{}
	if group != "" {
		destinations = []any{object{"cloudWatchLogsLogGroup": object{"logGroupArn": group}}}
	}
	tracing, _ := machine.Inputs["tracingConfiguration"].(map[string]any)
	traced, _ := tracing["enabled"].(bool)
	told := object{
		"stateMachineArn": machine.ID, "name": machine.Inputs["name"], "roleArn": machine.Inputs["roleArn"], "type": machine.Inputs["type"],
		"status": "ACTIVE", "creationDate": moment(e.began),
		"loggingConfiguration": object{"level": level, "destinations": destinations}, "tracingConfiguration": object{"enabled": traced},
	}
	if qualified {
		told["stateMachineArn"] = in.StateMachineArn
	}
	if in.IncludedData != "METADATA_ONLY" {
		told["definition"] = machine.Inputs["definition"]
	}
	return told, nil
}

func (e *Endpoint) listStateMachines(_ context.Context, region string, in struct {
	MaxResults int    `json:"maxResults"`
	NextToken  string `json:"nextToken"`
}) (any, error) {
	found, next, err := page(e.declared(cloud.MachineType, region), id, in.NextToken, in.MaxResults, executionsPerPage, mostPerPage)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, r := range found {
		listed = append(listed, object{
			"stateMachineArn": r.ID, "name": r.Inputs["name"], "type": r.Inputs["type"], "creationDate": moment(e.began),
		})
	}
	return paged("stateMachines", listed, "nextToken", next), nil
}

// ofMachine asks for a page of what belongs to a state machine.
type ofMachine struct {
	StateMachineArn string `json:"stateMachineArn"`
	MaxResults      int    `json:"maxResults"`
	NextToken       string `json:"nextToken"`
}

// listStateMachineVersions lists the one version that there is: earlier ones aren't kept here.
func (e *Endpoint) listStateMachineVersions(_ context.Context, region string, in ofMachine) (any, error) {
	machine, _, err := e.machine(region, in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	var listed []any
	if version := machine.Outputs["stateMachineVersionArn"]; version != nil {
		listed = []any{object{"stateMachineVersionArn": version, "creationDate": moment(e.began)}}
	}
	return paged("stateMachineVersions", listed, "nextToken", ""), nil
}

func (e *Endpoint) listStateMachineAliases(_ context.Context, region string, in ofMachine) (any, error) {
	machine, _, err := e.machine(region, in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, r := range e.declared(cloud.MachineAliasType, region) {
		if strings.HasPrefix(r.ID, machine.ID+":") {
			listed = append(listed, object{"stateMachineAliasArn": r.ID, "creationDate": moment(e.began)})
		}
	}
	return paged("stateMachineAliases", listed, "nextToken", ""), nil
}

func (e *Endpoint) describeStateMachineAlias(_ context.Context, region string, in struct {
	StateMachineAliasArn string `json:"stateMachineAliasArn"`
}) (any, error) {
	alias, found := e.cloud.Read(cloud.MachineAliasType, region, in.StateMachineAliasArn)
	if !found {
		return nil, awsapi.Error("ResourceNotFound", "Request references a resource that does not exist: '%s'", in.StateMachineAliasArn)
	}
	routes, _ := alias.Inputs["routingConfigurations"].([]any)
	return object{
		"stateMachineAliasArn": alias.ID, "name": alias.Inputs["name"], "description": alias.Inputs["description"],
		"routingConfiguration": routes, "creationDate": moment(e.began), "updateDate": moment(e.began),
	}, nil
}

// updateStateMachineAlias leads an alias to the version that is kept here.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachineAlias.html
func (e *Endpoint) updateStateMachineAlias(_ context.Context, region string, in struct {
	StateMachineAliasArn string  `json:"stateMachineAliasArn"`
	Description          *string `json:"description"`
	RoutingConfiguration []struct {
		StateMachineVersionArn string  `json:"stateMachineVersionArn"`
		Weight                 float64 `json:"weight"`
	} `json:"routingConfiguration"`
}) (any, error) {
	alias, found := e.cloud.Read(cloud.MachineAliasType, region, in.StateMachineAliasArn)
	if !found {
		return nil, awsapi.Error("ResourceNotFound", "Request references a resource that does not exist: '%s'", in.StateMachineAliasArn)
	}
	changed := object{}
	if in.Description != nil {
		changed["description"] = *in.Description
	}
	var routes []any
	for _, route := range in.RoutingConfiguration {
		if _, qualified, err := e.machine(region, route.StateMachineVersionArn); err != nil || !qualified || route.Weight != 100 && len(in.RoutingConfiguration) == 1 {
			return nil, awsapi.Validation("'%s' with weight %v is not a route to a version of the state machine", route.StateMachineVersionArn, route.Weight)
		}
		routes = append(routes, object{"stateMachineVersionArn": route.StateMachineVersionArn, "weight": route.Weight})
	}
	if routes != nil {
		changed["routingConfigurations"] = routes
	}
	return object{"updateDate": moment(time.Now())}, e.change(alias, changed)
}

// declared lists the resources of a type in a region, in order of creation.
func (e *Endpoint) declared(typ, region string) []*cloud.Resource {
	var found []*cloud.Resource
	for _, r := range e.cloud.Resources() {
		if r.Type == typ && r.Region == region {
			found = append(found, r)
		}
	}
	return found
}

func id(r *cloud.Resource) string { return r.ID }

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
