package endpoint

import (
	"cmp"
	"context"
	"maps"
	"strings"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// targetsPerRule is the most targets that a rule has.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
const targetsPerRule = 5

// onRule names a rule in a request.
type onRule struct{ Rule, EventBusName string } // the bus by name or ARN; empty: the default one

// id returns the id of the rule's resource.
func (r onRule) id() string {
	if bus := r.EventBusName[strings.LastIndex(r.EventBusName, "/")+1:]; cmp.Or(bus, defaultBus) != defaultBus {
		return bus + "/" + r.Rule
	}
	return r.Rule
}

// targets returns the targets of a rule, by id.
func (e *Endpoint) targets(region string, on onRule) (map[string]*cloud.Resource, error) {
	if _, found := e.cloud.Read(cloud.RuleType, region, on.id()); !found {
		return nil, awsapi.Error("ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", on.Rule, cmp.Or(on.EventBusName, defaultBus))
	}
	found := map[string]*cloud.Resource{}
	for _, r := range e.cloud.Resources() {
		text := func(property string) string { value, _ := r.Inputs[property].(string); return value }
		if r.Type == cloud.TargetType && r.Region == region && (onRule{text("rule"), text("eventBusName")}).id() == on.id() {
			found[text("targetId")] = r
		}
	}
	return found, nil
}

func (e *Endpoint) listTargetsByRule(_ context.Context, region string, in onRule) (any, error) {
	found, err := e.targets(region, in)
	if err != nil {
		return nil, err
	}
	listed := []any{}
	for id, r := range found {
		target := maps.Clone(r.Inputs)
		maps.DeleteFunc(target, func(name string, _ any) bool { return name == "rule" || name == "eventBusName" || name == "targetId" })
		target["id"] = id
		listed = append(listed, renamed(target, strings.ToUpper))
	}
	return map[string]any{"Targets": listed}, nil
}

// putTargets adds targets to a rule, or replaces those with the same id. They take effect at once; on AWS, after a while.
func (e *Endpoint) putTargets(_ context.Context, region string, in struct {
	onRule
	Targets []map[string]any
}) (any, error) {
	there, err := e.targets(region, in.onRule)
	if err != nil {
		return nil, err
	}
	for _, target := range in.Targets {
		id, _ := target["Id"].(string)
		there[id] = nil
	}
	if len(there) > targetsPerRule {
		return nil, awsapi.Error("LimitExceededException", "A rule has up to %d targets.", targetsPerRule)
	}
	for _, target := range in.Targets {
		made := cloud.Properties(renamed(target, strings.ToLower))
		id, _ := made["id"].(string)
		delete(made, "id")
		made["rule"], made["eventBusName"], made["targetId"] = in.Rule, cmp.Or(in.EventBusName, defaultBus), id
		if made, err = cloud.Check(cloud.TargetType, id, made, nil, nil); err != nil {
			return nil, awsapi.Validation("%v", err)
		}
		if _, err := e.cloud.Create(cloud.TargetType, id, region, made); err != nil {
			return nil, awsapi.Validation("%v", err)
		}
	}
	return map[string]int{"FailedEntryCount": 0}, nil
}

func (e *Endpoint) removeTargets(_ context.Context, region string, in struct {
	onRule
	Ids []string
}) (any, error) {
	there, err := e.targets(region, in.onRule)
	if err != nil {
		return nil, err
	}
	failed := []any{}
	for _, id := range in.Ids {
		target, found := there[id]
		if !found {
			failed = append(failed, map[string]string{"TargetId": id, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": "There is no such target."})
			continue
		}
		if err := e.cloud.Delete(cloud.TargetType, region, target.ID); err != nil {
			return nil, err
		}
	}
	return map[string]any{"FailedEntryCount": len(failed), "FailedEntries": failed}, nil
}

// renamed changes the first letter of all names: small in a program, capital in requests and answers.
func renamed(object map[string]any, letter func(string) string) map[string]any {
	changed := map[string]any{}
	for name, value := range object {
		if inner, nested := value.(map[string]any); nested {
			value = renamed(inner, letter)
		}
		changed[letter(name[:1])+name[1:]] = value
	}
	return changed
}
