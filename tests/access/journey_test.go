// Package access_test holds what the stacks' policies allow against what AWS authorises: for every call of a trade's
// journey, and for what else AWS does with the resources.
package access_test

import (
	"encoding/json"
	"iter"
	"strings"
	"testing"

	"trade-processing/components"
	"trade-processing/internal/localrun"
	"trade-processing/local/access"
	"trade-processing/local/cloud"
	"trade-processing/tests/deployed"
)

// root is the project's folder.
const root = "../.."

const (
	account  = cloud.Account
	operator = "arn:aws:iam::" + account + ":user/local"
	stranger = "999999999999"
	producer = "444455556666"
)

// shapes are the stacks whose policies are judged, with what neither dev nor prod has set.
var shapes = map[string]struct {
	stack    string
	settings map[string]string
}{
	"dev": {"dev", nil},
	"prod, with another account that sends": {"prod", map[string]string{
		"producerAccounts": `{"system1": ["` + producer + `"], "system2": ["` + producer + `"]}`,
	}},
}

// call is one call of the journey.
type call struct {
	access.Call
	by, on, with string
}

// stack is a deployed stack.
type stack struct {
	resources []access.Resource
	calls     []call
}

func deploy(t *testing.T, name string, settings map[string]string) *stack {
	t.Helper()
	here := cloud.New(cloud.Options{Images: localrun.Images()})
	deployed.On(t, here, root, name, settings)
	s := &stack{}
	for _, r := range here.Resources() {
		s.resources = append(s.resources, access.Resource{Type: r.Type, Region: r.Region, ID: r.ID, Properties: r.Outputs})
	}
	for _, r := range here.Resources() {
		if calls, known := callsOf[r.Type]; known {
			calls(s, r)
		}
	}
	return s
}

func (s *stack) add(c access.Call, by, on string) { s.calls = append(s.calls, call{c, by, on, ""}) }

// all returns the ARNs of a type in a region.
func (s *stack) all(typ, region string) []string {
	var arns []string
	for _, r := range s.resources {
		if r.Type == typ && r.Region == region {
			arns = append(arns, text(r.Properties, "arn"))
		}
	}
	return arns
}

func text(properties map[string]any, path string) string {
	var at any = properties
	for step := range strings.SplitSeq(path, ".") {
		object, _ := at.(map[string]any)
		at = object[step]
	}
	s, _ := at.(string)
	return s
}

// callsOf lists what AWS does with each kind of resource.
var callsOf = map[string]func(*stack, *cloud.Resource){
	"aws:cloudwatch/eventBus:EventBus": func(s *stack, r *cloud.Resource) {
		bus := text(r.Outputs, "arn")
		s.add(access.CreateBus, bus, bus)
		s.add(access.KeepEvent, bus, bus)
		s.add(access.KeepUndelivered, bus, text(r.Outputs, "deadLetterConfig.arn"))
		s.calls = append(s.calls, call{access.PutEvents, operator, bus, "trading.system1"})
	},
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy": func(s *stack, r *cloud.Resource) {
		if strings.Contains(text(r.Outputs, "policy"), producer) {
			bus := s.all("aws:cloudwatch/eventBus:EventBus", r.Region)[0]
			for _, source := range []string{"trading.system1", "trading.system2"} {
				s.calls = append(s.calls, call{access.PutEvents, "arn:aws:iam::" + producer + ":role/desk", bus, source})
			}
		}
	},
	"aws:cloudwatch/eventTarget:EventTarget": func(s *stack, r *cloud.Resource) {
		rule := "arn:aws:events:" + r.Region + ":" + account + ":rule/" + text(r.Outputs, "eventBusName") + "/" + text(r.Outputs, "rule")
		s.add(access.StartExecution, rule, text(r.Outputs, "arn"))
		s.add(access.KeepUndelivered, rule, text(r.Outputs, "deadLetterConfig.arn"))
	},
	"aws:sfn/stateMachine:StateMachine": func(s *stack, r *cloud.Resource) {
		machine := text(r.Outputs, "arn")
		for _, c := range []access.Call{access.BeginExecution, access.CreateMachine, access.TraceMachine, access.WriteExecutionLogs} {
			s.add(c, machine, machine)
		}
		var definition any
		if json.Unmarshal([]byte(text(r.Outputs, "definition")), &definition) != nil {
			panic("the definition is not JSON")
		}
		for name, value := range leaves(definition) {
			switch name {
			case "FunctionName":
				s.add(access.InvokeFunction, machine, value)
			case "Namespace":
				s.calls = append(s.calls, call{access.PutMetricData, machine, "", value})
			case "QueueUrl":
				s.add(access.SendMessage, machine, "arn:aws:sqs:"+r.Region+":"+cloud.Account+":"+value[strings.LastIndex(value, "/")+1:])
			}
		}
	},
	"aws:lambda/function:Function": func(s *stack, r *cloud.Resource) {
		function := text(r.Outputs, "arn")
		for _, c := range []access.Call{access.CreateFunction, access.AttachFunction, access.TraceFunction} {
			s.add(c, function, function)
		}
		group := func(name string) string {
			return "arn:aws:logs:" + r.Region + ":" + account + ":log-group:" + name
		}
		s.add(access.WriteLogs, function, group(text(r.Outputs, "loggingConfig.logGroup")))
		s.add(access.WriteInsights, function, group(components.InsightsLogGroup))
		s.add(access.KeepFailedCall, function, text(r.Outputs, "deadLetterConfig.targetArn"))
		repository, _, _ := strings.Cut(text(r.Outputs, "imageUri"), "@")
		_, name, _ := strings.Cut(repository, "/")
		s.add(access.PullImage, function, "arn:aws:ecr:"+r.Region+":"+cloud.Account+":repository/"+name)
		if table := text(r.Outputs, "environment.variables.TABLE_NAME"); table != "" {
			for _, c := range []access.Call{access.PutItem, access.GetItem} {
				s.add(c, function, "arn:aws:dynamodb:"+r.Region+":"+cloud.Account+":table/"+table)
			}
		}
		if path := text(r.Outputs, "environment.variables.PARAMETER_PREFIX"); path != "" {
			s.add(access.GetParameters, function, "arn:aws:ssm:"+r.Region+":"+cloud.Account+":parameter"+strings.TrimSuffix(path, "/"))
		}
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm":       notifies,
	"aws:cloudwatch/compositeAlarm:CompositeAlarm": notifies,
	"aws:cloudwatch/logGroup:LogGroup": func(s *stack, r *cloud.Resource) {
		s.add(access.EncryptLogs, text(r.Outputs, "arn"), text(r.Outputs, "arn"))
	},
	"aws:ec2/flowLog:FlowLog": func(s *stack, r *cloud.Resource) {
		s.add(access.WriteFlowLogs, text(r.Outputs, "arn"), text(r.Outputs, "logDestination"))
	},
	"aws:backup/selection:Selection": func(s *stack, r *cloud.Resource) {
		selection := access.Selection(r.Region, account, r.ID)
		s.add(access.BackUp, selection, selection)
	},
	// A standby's functions pull the copies, and there will be one per stage.
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": func(s *stack, r *cloud.Resource) {
		copies := access.Copies(r.Region, account, text(r.Outputs, "prefix"))
		s.add(access.CopyImages, copies, copies)
		s.add(access.PullImage, "arn:aws:lambda:"+r.Region+":"+cloud.Account+":function:"+text(r.Outputs, "prefix")+"-prod-validator", copies)
	},
	"aws:kms/key:Key":               lends,
	"aws:kms/replicaKey:ReplicaKey": lends,
}

func notifies(s *stack, r *cloud.Resource) {
	topics, _ := r.Outputs["alarmActions"].([]any)
	for _, topic := range topics {
		s.add(access.Notify, text(r.Outputs, "arn"), topic.(string))
	}
}

func lends(s *stack, r *cloud.Resource) {
	for _, c := range []access.Call{access.ManageKey, access.LendKey, access.UseKey} {
		s.add(c, operator, text(r.Outputs, "arn"))
	}
}

// leaves yields the texts in a JSON document with their names.
func leaves(document any) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { visit("", document, yield) }
}

func visit(name string, value any, yield func(string, string) bool) bool {
	switch value := value.(type) {
	case string:
		return yield(name, value)
	case map[string]any:
		for member, inner := range value {
			if !visit(member, inner, yield) {
				return false
			}
		}
	case []any:
		for _, inner := range value {
			if !visit(name, inner, yield) {
				return false
			}
		}
	}
	return true
}

func TestEveryCallIsAllowedAndNoStrangers(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			s := deploy(t, shape.stack, shape.settings)
			d := access.New(account, s.resources)
			decisions, refusals := 0, 0
			for _, c := range s.calls {
				needed, err := d.Authorizations(c.Call, c.by, c.on, c.with)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range needed {
					if denied(a) {
						t.Errorf("%v\n  %s", a.Decide(), a.Source)
					}
				}
				strangers := forbidden(needed)
				for _, a := range strangers {
					if isAllowed(a) {
						t.Errorf("%s may %s on %s with %v", a.Principal, a.Action, a.Request.Resource, a.Context)
					}
				}
				decisions, refusals = decisions+len(needed), refusals+len(strangers)
			}
			t.Logf("%d calls, %d decisions, %d refusals", len(s.calls), decisions, refusals)
		})
	}
}
