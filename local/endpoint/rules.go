package endpoint

import (
	"context"
	"slices"
	"strings"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// namedRule names a rule in a request.
type namedRule struct{ Name, EventBusName string }

func (e *Endpoint) rule(region string, in namedRule) (*cloud.Resource, error) {
	found, there := e.cloud.Read(cloud.RuleType, region, onRule{in.Name, in.EventBusName}.id())
	if !there {
		return nil, awsapi.Error("ResourceNotFoundException", "Rule %s does not exist.", in.Name)
	}
	return found, nil
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Rule.html
func ruleOf(r *cloud.Resource) object {
	state := text(r.Inputs, "state")
	if state == "" {
		state = "ENABLED"
	}
	bus := text(r.Inputs, "eventBusName")
	if bus = bus[strings.LastIndex(bus, "/")+1:]; bus == "" {
		bus = defaultBus
	}
	return object{
		"Name": r.Inputs["name"], "Arn": r.Outputs["arn"], "EventPattern": r.Inputs["eventPattern"], "State": state, "EventBusName": bus, "Description": r.Inputs["description"],
	}
}

func (e *Endpoint) describeRule(_ context.Context, region string, in namedRule) (any, error) {
	found, err := e.rule(region, in)
	if err != nil {
		return nil, err
	}
	return ruleOf(found), nil
}

func (e *Endpoint) listRules(_ context.Context, region string, in struct {
	NamePrefix, EventBusName string
	Limit                    int
	NextToken                string
}) (any, error) {
	bus := in.EventBusName[strings.LastIndex(in.EventBusName, "/")+1:]
	if bus == "" {
		bus = defaultBus
	}
	rules := slices.DeleteFunc(e.declared(cloud.RuleType, region), func(r *cloud.Resource) bool {
		return ruleOf(r)["EventBusName"] != bus || !strings.HasPrefix(text(r.Inputs, "name"), in.NamePrefix)
	})
	found, next, err := page(rules, id, in.NextToken, in.Limit, 100, 100)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, r := range found {
		listed = append(listed, ruleOf(r))
	}
	return paged("Rules", listed, "NextToken", next), nil
}

func (e *Endpoint) setRule(region string, in namedRule, state string) (any, error) {
	found, err := e.rule(region, in)
	if err != nil {
		return nil, err
	}
	return object{}, e.change(found, object{"state": state})
}

func (e *Endpoint) enableRule(_ context.Context, region string, in namedRule) (any, error) {
	return e.setRule(region, in, "ENABLED")
}

func (e *Endpoint) disableRule(_ context.Context, region string, in namedRule) (any, error) {
	return e.setRule(region, in, "DISABLED")
}

func (e *Endpoint) listEventBuses(_ context.Context, region string, in struct {
	NamePrefix string
	Limit      int
	NextToken  string
}) (any, error) {
	buses := "arn:aws:events:" + region + ":" + cloud.Account + ":event-bus/"
	listed := []any{}
	for _, name := range append([]string{defaultBus}, ids(e.declared(cloud.BusType, region))...) {
		if strings.HasPrefix(name, in.NamePrefix) {
			listed = append(listed, object{"Name": name, "Arn": buses + name})
		}
	}
	return paged("EventBuses", listed, "NextToken", ""), nil
}

func ids(resources []*cloud.Resource) []string {
	var names []string
	for _, r := range resources {
		names = append(names, r.ID)
	}
	return names
}
