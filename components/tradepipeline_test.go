package components

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
)

// someStages returns stages of every kind.
func someStages() []Stage {
	return []Stage{
		{
			Function: "validator", State: "ValidateTrade", Result: "validation", Description: "Validates", ReadsParameters: true,
			Metrics: []StageMetric{{Name: "TradesRejected", Label: "rejected", Graph: OutcomesGraph}},
			Alarms: []StageAlarm{{
				Name: "rejections", Description: "More than 5 % of the trades are rejected.", Metric: "TradesRejected",
				Statistic: "Average", PeriodSeconds: 300, Periods: 3, Threshold: 0.05, Comparison: "GreaterThanThreshold", Pages: true,
			}},
		},
		{Function: "enricher", State: "EnrichTrade", Result: "market", Description: "Enriches", TimeoutSeconds: 10, CallsAPI: true},
		{
			Function: "recorder", State: "RecordTrade", Description: "Records", WritesTable: true, Environment: pulumi.StringMap{"MODE": pulumi.String("once")},
			Metrics: []StageMetric{{Name: "EndToEndLatency", Label: "p99", Graph: LatencyGraph, Statistic: "p99"}},
		},
	}
}

func declarePipeline(t *testing.T, change func(*pulumi.Context, *TradePipelineArgs)) *declared.Stack {
	t.Helper()
	project := t.TempDir()
	write(t, filepath.Join(project, "lambdas", "Dockerfile"), "FROM scratch\n")
	write(t, filepath.Join(project, "lambdas", "go.mod"), "module lambdas\n")
	for _, function := range []string{"validator", "enricher", "recorder", "scorer"} {
		write(t, filepath.Join(project, "lambdas", function, "bootstrap", "main.go"), "package main\n")
	}
	stack, err := declared.Declare(declared.Program{Folder: project, Run: func(ctx *pulumi.Context) error {
		args := &TradePipelineArgs{
			Scope: here, Prefix: "trades", Environment: "test", RepositoryPrefix: "trades", ParameterPrefix: "/trades/test/",
			Sources: []string{"fix", "swift"}, EventSourcePrefix: "trading.", LambdaSources: "lambdas", MaxRetries: 3,
			MetricsNamespace: "Trades", Stages: someStages(), APIEndpointCIDRs: []string{"203.0.113.0/24"},
			Parameters: []Parameter{{Name: "limit", Description: "A limit", AllowedPattern: "^[0-9]+$", Value: pulumi.String("7")}},
			KeyARN:     keyARN, AlarmTopicARN: topicARN,
		}
		if change != nil {
			change(ctx, args)
		}
		_, err := NewTradePipeline(ctx, "pipeline", args)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

func TestAStageIsARowOfTheTable(t *testing.T) {
	stack := declarePipeline(t, func(_ *pulumi.Context, args *TradePipelineArgs) {
		scorer := Stage{
			Function: "scorer", State: "ScoreTrade", Result: "score", Description: "Scores", TimeoutSeconds: 7, MemoryMB: 512,
			Environment: pulumi.StringMap{"MODEL": pulumi.String("v1")}, ReadsParameters: true,
			Metrics: []StageMetric{{Name: "TradesScored", Label: "scored", Graph: OutcomesGraph}},
		}
		args.Stages = slices.Insert(args.Stages, 2, scorer)
	})
	function := find(t, stack, "aws:lambda/function:Function", "scorer-function")
	want := map[string]any{
		"ENVIRONMENT": "test", "LOG_LEVEL": "INFO", "METRICS_NAMESPACE": "Trades", "MODEL": "v1", "PARAMETER_PREFIX": "/trades/test/",
	}
	if diff := cmp.Diff(want, function.At("environment.variables")); diff != "" || function.At("timeout") != 7.0 || function.At("memorySize") != 512.0 {
		t.Errorf("timeout %v, memory %v, environment %s", function.At("timeout"), function.At("memorySize"), diff)
	}
	find(t, stack, "aws:iam/role:Role", "scorer-role")
	find(t, stack, "aws:sqs/queue:Queue", "scorer-dead-letters-queue")
	if rule := find(t, stack, "aws:cloudwatch/compositeAlarm:CompositeAlarm", "page").Text("alarmRule"); !strings.Contains(rule, "trades-scorer-dead-letters-depth") {
		t.Error("nobody is paged by the queue of the scorer")
	}
	body := find(t, stack, "aws:cloudwatch/dashboard:Dashboard", "dashboard").Text("dashboardBody")
	for _, shown := range []string{`"TradesScored","Environment","test","Function","scorer"`, `"QueueName","trades-scorer-dead-letters"`, `"FunctionName","trades-scorer"`} {
		if !strings.Contains(body, shown) {
			t.Errorf("the dashboard lacks %s", shown)
		}
	}
	var machine struct {
		States map[string]struct {
			Branches       []struct{ StartAt string }
			ResultSelector map[string]string
			Parameters     struct{ Payload map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(find(t, stack, "aws:sfn/stateMachine:StateMachine", "machine").Text("definition")), &machine); err != nil {
		t.Fatal(err)
	}
	together := machine.States["BeforeRecordTrade"]
	if len(together.Branches) != 3 || together.Branches[2].StartAt != "ScoreTrade" || together.ResultSelector["score.$"] != "$[2]" {
		t.Errorf("side by side run %+v", together)
	}
	if handed := machine.States["RecordTrade"].Parameters.Payload["score.$"]; handed != "$.score" {
		t.Errorf("the last stage gets the score as %v", handed)
	}
}

func TestTheTableOfStagesIsChecked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(stages []Stage) []Stage
		want   string
	}{
		"no stages":                        {func([]Stage) []Stage { return nil }, "Stages: is empty"},
		"a function twice":                 {func(s []Stage) []Stage { s[1].Function = "validator"; return s }, `Stages[1].Function: "validator" is listed twice`},
		"a state twice":                    {func(s []Stage) []Stage { s[1].State = "ValidateTrade"; return s }, `Stages[1].State: "ValidateTrade" is listed twice`},
		"an answer that nobody gets":       {func(s []Stage) []Stage { s[0].Result = ""; return s }, "Stages[0].Result: is missing"},
		"an answer of the last":            {func(s []Stage) []Stage { s[2].Result = "record"; return s }, "Stages[2].Result: is \"record\""},
		"an answer in place of the event":  {func(s []Stage) []Stage { s[0].Result = "event"; return s }, `Stages[0].Result: "event" is listed twice`},
		"a graph that isn't there":         {func(s []Stage) []Stage { s[0].Metrics[0].Graph = "cost"; return s }, `Stages[0].Metrics[0].Graph: "cost" is not a graph`},
		"a name that is too long for AWS":  {func(s []Stage) []Stage { s[0].Function = strings.Repeat("x", 23); return s }, "has 23 characters, but AWS allows only 22"},
		"memory that Lambda doesn't offer": {func(s []Stage) []Stage { s[0].MemoryMB = 64; return s }, "Stages[0].MemoryMB: is 64, but must be from 128 to 10240"},
	} {
		t.Run(name, func(t *testing.T) {
			err := TradePipelineArgs{Prefix: "trades", Stages: test.change(someStages())}.Check()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAParameterIsKeptAsItIsGiven(t *testing.T) {
	for name, test := range map[string]struct {
		value pulumi.StringInput
		typ   string
	}{
		"a plain value": {pulumi.String("7"), "String"},
		"a secret":      {pulumi.ToSecret(pulumi.String("7")).(pulumi.StringOutput), "SecureString"},
	} {
		t.Run(name, func(t *testing.T) {
			stack := declarePipeline(t, func(_ *pulumi.Context, args *TradePipelineArgs) { args.Parameters[0].Value = test.value })
			parameter := find(t, stack, "aws:ssm/parameter:Parameter", "limit")
			secret := test.typ == "SecureString"
			if parameter.Text("type") != test.typ || parameter.Text("value") != "7" || (parameter.Text("keyId") != "") != secret {
				t.Errorf("inputs %v", parameter.Inputs)
			}
			policy := find(t, stack, "aws:iam/rolePolicy:RolePolicy", "validator-role-policy").Text("policy")
			if strings.Contains(policy, "ParameterKey") != secret {
				t.Errorf("the policy of a function that reads it is %s", policy)
			}
		})
	}
}

// The first event may come as soon as a route exists, and the functions can reach nothing without their endpoints.
func TestFunctionsComeAfterTheWaysOutOfTheirNetwork(t *testing.T) {
	stack := declarePipeline(t, func(ctx *pulumi.Context, args *TradePipelineArgs) {
		network, err := NewPrivateNetwork(ctx, "network", &PrivateNetworkArgs{Scope: here, NetworkName: "trades", Endpoints: []string{"ssm"}, KeyARN: keyARN})
		if err == nil {
			args.Network = network.ForFunctions()
		}
	})
	for _, function := range stack.All("aws:lambda/function:Function") {
		for _, typ := range []string{
			"aws:ec2/vpcEndpoint:VpcEndpoint", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
		} {
			for _, way := range stack.All(typ) {
				isAPI := strings.Contains(way.Name, "-api-")
				if waits := !isAPI || function.Name == "pipeline-enricher-function"; slices.Contains(function.DependsOn, way.URN) != waits {
					t.Errorf("%s waits for %s: %v", function.Name, way.Name, !waits)
				}
			}
		}
	}
}

func TestTheCompositeAlarmCoversWhatPages(t *testing.T) {
	stack := declarePipeline(t, nil)
	page := find(t, stack, "aws:cloudwatch/compositeAlarm:CompositeAlarm", "page")
	rule := page.Text("alarmRule")
	for _, alarm := range []string{
		"trades-validator-dead-letters-depth", "trades-enricher-dead-letters-depth", "trades-recorder-dead-letters-depth",
		"trades-delivery-1-dead-letters-depth", "trades-delivery-2-dead-letters-depth", "trades-bus-dead-letters-depth",
		"trades-rejections", "trades-workflow-failed", "trades-workflow-timed-out", "trades-workflow-aborted", "trades-from-fix-lost", "trades-from-swift-lost", "trades-trades-system-errors",
	} {
		if !strings.Contains(rule, `ALARM("arn:aws:cloudwatch:us-east-1:111122223333:alarm:`+alarm+`")`) {
			t.Errorf("nobody is paged by %s", alarm)
		}
	}
	if children := strings.Count(rule, "ALARM("); children > 100 || len(rule) > 10240 {
		t.Errorf("%d alarms in %d characters; CloudWatch takes 100 and 10240", children, len(rule))
	}
}

func TestEveryAlarmSaysWhatHappenedAndTellsTheTopic(t *testing.T) {
	for _, alarm := range declarePipeline(t, nil).All("aws:cloudwatch/metricAlarm:MetricAlarm") {
		if len(alarm.Text("alarmDescription")) < 20 || alarm.Text("alarmActions.0") != string(topicARN) || alarm.Text("okActions.0") != string(topicARN) {
			t.Errorf("%s: %v", alarm.Name, alarm.Inputs)
		}
	}
}

func TestTheDashboardAnswersItsQuestions(t *testing.T) {
	for name, kind := range map[string]WorkflowType{"standard": Standard, "express": Express} {
		t.Run(name, func(t *testing.T) {
			stack := declarePipeline(t, func(_ *pulumi.Context, args *TradePipelineArgs) { args.WorkflowType = kind })
			var body struct {
				Widgets []struct {
					Type                string
					X, Y, Width, Height int
					Properties          struct {
						Markdown, Title, Region string
						Stat                    *string
						Metrics                 [][]any
					}
				}
			}
			if err := json.Unmarshal([]byte(find(t, stack, "aws:cloudwatch/dashboard:Dashboard", "dashboard").Text("dashboardBody")), &body); err != nil {
				t.Fatal(err)
			}
			var questions []string
			for _, w := range body.Widgets {
				if w.X+w.Width > 24 || w.Width < 1 || w.Height < 1 {
					t.Errorf("%q lies beside the grid", w.Properties.Title)
				}
				switch w.Type {
				case "text":
					questions = append(questions, strings.TrimPrefix(w.Properties.Markdown, "## "))
				case "metric":
					if len(w.Properties.Metrics) == 0 || w.Properties.Region != "us-east-1" {
						t.Errorf("%q shows nothing", w.Properties.Title)
					}
					// A statistic is valid or absent:
					// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
					if w.Properties.Stat != nil && *w.Properties.Stat == "" {
						t.Errorf("%q has an empty statistic", w.Properties.Title)
					}
					checkExpressions(t, w.Properties.Title, w.Properties.Metrics)
				}
			}
			want := []string{"Are trades flowing?", "How late are they?", "What fails?", "What is waiting in which queue?", "What does it cost?"}
			if diff := cmp.Diff(want, questions); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// checkExpressions checks that every expression of a graph uses metrics in that graph.
func checkExpressions(t *testing.T, title string, metrics [][]any) {
	t.Helper()
	ids := map[string]bool{}
	for _, line := range metrics {
		show, _ := line[len(line)-1].(map[string]any)
		if id, _ := show["id"].(string); id != "" {
			ids[id] = true
		}
	}
	for _, line := range metrics {
		show, _ := line[len(line)-1].(map[string]any)
		expression, _ := show["expression"].(string)
		for _, word := range strings.FieldsFunc(expression, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.') }) {
			if word[0] >= 'a' && !ids[word] {
				t.Errorf("%s: %s speaks of %s, which isn't there", title, expression, word)
			}
		}
	}
}

func TestImagesAreCopiedToOtherRegionsAsTheyAre(t *testing.T) {
	stack := run(t, func(ctx *pulumi.Context) error {
		_, err := NewRegistryReplication(ctx, "registry", &RegistryReplicationArgs{
			Scope: here, RepositoryPrefix: "trades", FunctionPrefix: "trades-", RoleName: pulumi.String("copies"), Tags: map[string]string{"Owner": "us"},
			Destinations: []RegistryDestination{{Region: "eu-west-1", Provider: ireland(ctx), KeyARN: pulumi.String("arn:aws:kms:eu-west-1:111122223333:key/mrk-1")}},
		})
		return err
	})
	template := find(t, stack, "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", "eu-west-1")
	for path, want := range map[string]any{
		"prefix": "trades", "appliedFors": []any{"REPLICATION"}, "imageTagMutability": "IMMUTABLE", "resourceTags": map[string]any{"Owner": "us"},
		"customRoleArn":            "arn:aws:iam::111122223333:role/copies",
		"encryptionConfigurations": []any{map[string]any{"encryptionType": "KMS", "kmsKey": "arn:aws:kms:eu-west-1:111122223333:key/mrk-1"}},
	} {
		if diff := cmp.Diff(want, template.At(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	configuration := find(t, stack, "aws:ecr/replicationConfiguration:ReplicationConfiguration", "configuration")
	want := map[string]any{"rules": []any{map[string]any{
		"destinations":      []any{map[string]any{"region": "eu-west-1", "registryId": "111122223333"}},
		"repositoryFilters": []any{map[string]any{"filter": "trades/", "filterType": "PREFIX_MATCH"}},
	}}}
	if diff := cmp.Diff(want, configuration.At("replicationConfiguration")); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(configuration.DependsOn, template.URN) {
		t.Error("images would be copied before the template says how")
	}
}
