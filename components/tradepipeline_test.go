package components

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/validator"
)

// lambdas is the folder of the functions' module.
const lambdas = "../lambdas"

func declarePipeline(t *testing.T, change func(*pulumi.Context, *TradePipelineArgs)) *declared.Stack {
	t.Helper()
	stack, err := declared.Declare(declared.Program{Folder: "..", Run: func(ctx *pulumi.Context) error {
		args := &TradePipelineArgs{
			Scope: here, Prefix: "trades", Environment: "test", RepositoryPrefix: "trades", ParameterPrefix: "/trades/test/",
			Sources: []string{"fix", "swift"}, LambdaSources: "lambdas", ProcessingThreshold: "1000", MaxRetries: 3,
			KeyARN: keyARN, AlarmTopicARN: topicARN,
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

func TestTheNamesAreThoseOfTheFunctions(t *testing.T) {
	for ours, theirs := range map[string]string{
		validatorName: validator.Name, enricherName: enricher.Name, recorderName: recorder.Name,
		validatedMetric: validator.Validated, rejectedMetric: validator.Rejected, reviewMetric: validator.ReviewRequired,
		partialMetric: enricher.PartialContext, apiFailureMetric: enricher.APIFailures,
		recordedMetric: recorder.TradesRecorded, duplicateMetric: recorder.DuplicateTrades, conflictMetric: recorder.TradeConflicts,
		latencyMetric: recorder.EndToEndLatency, staleParametersMetric: parameters.RefreshFailures, unsetParameter: parameters.Unset,
	} {
		if ours != theirs {
			t.Errorf("%q is %q in the functions", ours, theirs)
		}
	}
	names := []string{parameters.EndpointName, parameters.ThresholdName, parameters.MaxRetriesName}
	var made []string
	for _, parameter := range declarePipeline(t, nil).All("aws:ssm/parameter:Parameter") {
		made = append(made, strings.TrimPrefix(parameter.Text("name"), "/trades/test/"))
	}
	slices.Sort(names)
	slices.Sort(made)
	if diff := cmp.Diff(names, made); diff != "" {
		t.Errorf("what the functions read (-) and what is made (+): %s", diff)
	}
}

func TestParametersHoldTheConfig(t *testing.T) {
	stack := declarePipeline(t, func(_ *pulumi.Context, args *TradePipelineArgs) { args.APIEndpoint = "https://api.example.com" })
	for name, want := range map[string]string{"api-endpoint": "https://api.example.com", "processing-threshold": "1000", "max-retries": "3"} {
		if got := find(t, stack, "aws:ssm/parameter:Parameter", name).Text("value"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if unset := find(t, declarePipeline(t, nil), "aws:ssm/parameter:Parameter", "api-endpoint").Text("value"); unset != "none" {
		t.Errorf("without an API it is %q; SSM refuses an empty value", unset)
	}
}

// shelf is an SSM that holds these values by name.
type shelf map[string]string

func (s shelf) GetParametersByPath(_ context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	out := &ssm.GetParametersByPathOutput{}
	for name, value := range s {
		out.Parameters = append(out.Parameters, types.Parameter{Name: aws.String(*in.Path + "/" + name), Value: aws.String(value)})
	}
	return out, nil
}

// nobody takes reports.
type nobody struct{}

func (nobody) Log() *slog.Logger { return slog.New(slog.DiscardHandler) }
func (nobody) Count(string, int) {}

// A function that starts with a value it refuses fails every trade, so SSM must refuse it first.
func TestSSMRefusesTheValuesThatTheFunctionsRefuse(t *testing.T) {
	good := shelf{"api-endpoint": "none", "processing-threshold": "1000", "max-retries": "3"}
	stack := declarePipeline(t, nil)
	for name, values := range map[string]struct{ taken, refused []string }{
		"api-endpoint": {
			[]string{"none", "http://10.0.0.1", "https://api.example.com:8443/v1?a=b", "https://api.example.com/"},
			[]string{"", "None", "api.example.com", "https://", "https:///v1", "ftp://api.example.com", "https://api example.com", " none"},
		},
		"processing-threshold": {[]string{"0", "1000000", "0.5", "12345678901234567890123456789012345678"}, []string{"", "-1", "1,000", "1.", ".5", "1 000", "many", "1000\n"}},
		"max-retries":          {[]string{"0", "9", "10"}, []string{"", "-1", "11", "3.0", "three", "100"}},
	} {
		allowed := regexp.MustCompile(find(t, stack, "aws:ssm/parameter:Parameter", name).Text("allowedPattern"))
		for _, value := range append(slices.Clone(values.taken), values.refused...) {
			changed := maps.Clone(good)
			changed[name] = value
			_, err := parameters.New(changed, "/trades/test/", time.Now).Values(t.Context(), nobody{})
			if taken := slices.Contains(values.taken, value); allowed.MatchString(value) != taken || taken && err != nil {
				t.Errorf("%s %q: SSM takes it is %v, and the functions say %v", name, value, allowed.MatchString(value), err)
			}
		}
	}
}

func TestFunctionsGetTheirEnvironment(t *testing.T) {
	stack := declarePipeline(t, func(_ *pulumi.Context, args *TradePipelineArgs) {
		args.AllowedCurrencies, args.RetentionYears = []string{"USDC", "USDT"}, 7
	})
	all := map[string]any{"ENVIRONMENT": "test", "LOG_LEVEL": "INFO", "METRICS_NAMESPACE": "TradeProcessing"}
	for name, more := range map[string]map[string]any{
		"validator": {"MAX_CLOCK_SKEW": "5m0s", "PARAMETER_PREFIX": "/trades/test/", "SOURCES": "fix,swift", "ALLOWED_CURRENCIES": "USDC,USDT"},
		"enricher":  {"PARAMETER_PREFIX": "/trades/test/"},
		"recorder":  {"TABLE_NAME": "trades-trades", "RETENTION_YEARS": "7"},
	} {
		want := maps.Clone(all)
		maps.Copy(want, more)
		function := find(t, stack, "aws:lambda/function:Function", name+"-function")
		if diff := cmp.Diff(want, function.At("environment.variables")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A variable that the stack sets and no function reads would be a setting without effect; one that a function reads and the
// stack never sets, another.
func TestFunctionsReadWhatTheyGet(t *testing.T) {
	stack := declarePipeline(t, func(_ *pulumi.Context, args *TradePipelineArgs) {
		args.AllowedCurrencies, args.RetentionYears = []string{"USDC", "USDT"}, 7
	})
	for name, start := range map[string]func(function.Environment) error{
		validatorName: func(e function.Environment) error { _, err := validator.New(e, nil); return err },
		enricherName:  func(e function.Environment) error { _, err := enricher.New(e, nil, http.DefaultClient); return err },
		recorderName:  func(e function.Environment) error { _, err := recorder.New(e, nil); return err },
	} {
		set, _ := find(t, stack, "aws:lambda/function:Function", name+"-function").At("environment.variables").(map[string]any)
		read := map[string]bool{}
		if err := start(function.Environment{Output: io.Discard, Now: time.Now, Getenv: func(variable string) string {
			read[variable] = true
			value, _ := set[variable].(string)
			return value
		}}); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(set)), slices.Sorted(maps.Keys(read))); diff != "" {
			t.Errorf("the %s gets (-) and reads (+): %s", name, diff)
		}
	}
}

func TestOnlyTheEnricherReachesTheAPI(t *testing.T) {
	stack := declarePipeline(t, func(ctx *pulumi.Context, args *TradePipelineArgs) {
		args.Network, _ = NewPrivateNetwork(ctx, "network", &PrivateNetworkArgs{Scope: here, NetworkName: "trades", Endpoints: []string{"ssm"}, KeyARN: keyARN})
		args.APIEndpoint, args.APIPort, args.APIRanges = "https://api.example.com:8443", 8443, []string{"203.0.113.0/24"}
	})
	rule := find(t, stack, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "api-out-1")
	if rule.Text("cidrIpv4") != "203.0.113.0/24" || rule.At("fromPort") != 8443.0 || rule.At("toPort") != 8443.0 {
		t.Errorf("the way out is %v", rule.Inputs)
	}
	for name, groups := range map[string]int{"validator": 1, "enricher": 2, "recorder": 1} {
		function := find(t, stack, "aws:lambda/function:Function", name+"-function")
		given, _ := function.At("vpcConfig.securityGroupIds").([]any)
		if len(given) != groups || slices.Contains(given, any(rule.Text("securityGroupId"))) != (groups == 2) {
			t.Errorf("%s is in the groups %v", name, given)
		}
	}
}

// The first event may come as soon as a route exists, and the functions can reach nothing without their endpoints.
func TestFunctionsComeAfterTheWaysOutOfTheirNetwork(t *testing.T) {
	stack := declarePipeline(t, func(ctx *pulumi.Context, args *TradePipelineArgs) {
		args.Network, _ = NewPrivateNetwork(ctx, "network", &PrivateNetworkArgs{Scope: here, NetworkName: "trades", Endpoints: []string{"ssm"}, KeyARN: keyARN})
	})
	for _, function := range stack.All("aws:lambda/function:Function") {
		for _, typ := range []string{
			"aws:ec2/vpcEndpoint:VpcEndpoint", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
		} {
			for _, way := range stack.All(typ) {
				if !slices.Contains(function.DependsOn, way.URN) {
					t.Errorf("%s doesn't wait for %s", function.Name, way.Name)
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
		"trades-workflow-failed", "trades-workflow-timed-out", "trades-workflow-aborted", "trades-from-fix-lost", "trades-from-swift-lost", "trades-trades-system-errors",
	} {
		if !strings.Contains(rule, `ALARM("arn:aws:cloudwatch:us-east-1:111122223333:alarm:`+alarm+`")`) {
			t.Errorf("nobody is paged by %s", alarm)
		}
	}
	if children := strings.Count(rule, "ALARM("); children > 100 || len(rule) > 10240 {
		t.Errorf("%d alarms in %d characters; CloudWatch takes 100 and 10240", children, len(rule))
	}
}

func TestTheShareOfRejectedTradesRaisesAnAlarm(t *testing.T) {
	alarm := find(t, declarePipeline(t, nil), "aws:cloudwatch/metricAlarm:MetricAlarm", "rejections")
	want := map[string]any{"Environment": "test", "Function": "validator"}
	if diff := cmp.Diff(want, alarm.At("dimensions")); diff != "" || alarm.At("threshold") != 0.05 || alarm.Text("statistic") != "Average" {
		t.Errorf("inputs %v", alarm.Inputs)
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
					checkExpressions(t, w.Properties.Title, w.Properties.Metrics)
				}
			}
			want := []string{"Are trades flowing?", "How late are they?", "What fails?", "What waits in which queue?", "What does it cost?"}
			if diff := cmp.Diff(want, questions); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// checkExpressions looks that every expression of a graph speaks of metrics that the graph has.
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

// The build context decides when an image is built again: it holds all that the function is made of, or a change wouldn't be
// deployed; and nothing else, or every function would be deployed with every change. Go says what it is made of.
func TestTheContextOfAnImageIsWhatItsFunctionIsMadeOf(t *testing.T) {
	for _, function := range []string{validatorName, enricherName, recorderName} {
		t.Run(function, func(t *testing.T) {
			list := exec.Command("go", "list", "-deps", "-tags=lambda.norpc", "-f",
				`{{with .Module}}{{if .Main}}{{range $.GoFiles}}{{$.ImportPath}}/{{.}} {{end}}{{range $.EmbedFiles}}{{$.ImportPath}}/{{.}} {{end}}{{end}}{{end}}`,
				"./"+function+"/bootstrap")
			list.Dir, list.Env = lambdas, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOWORK=off")
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			want := append(strings.Fields(strings.ReplaceAll(string(out), "trade-processing/lambdas/", "")), "Dockerfile", "go.mod", "go.sum")
			build, err := TradeImage("..", "lambdas", function, nil).Build()
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(build.files))); diff != "" {
				t.Errorf("what it is made of (-) and what is in the context (+): %s", diff)
			}
		})
	}
}

func TestEachFunctionIsBuiltFromItsOwnContext(t *testing.T) {
	stack := declarePipeline(t, func(_ *pulumi.Context, args *TradePipelineArgs) {
		args.ImageArguments = map[string]string{"INSIGHTS": "without"}
	})
	tags := map[string]bool{}
	for _, function := range []string{validatorName, enricherName, recorderName} {
		image := find(t, stack, "docker:index/image:Image", function+"-image")
		_, tag, _ := strings.Cut(image.Text("imageName"), ":")
		context := "dist/image-contexts/" + function + "-bootstrap-" + tag
		for path, want := range map[string]string{
			"context": context, "dockerfile": context + "/Dockerfile", "args.FUNCTION": function, "args.INSIGHTS": "without",
		} {
			if got := image.Text("build." + path); got != want {
				t.Errorf("%s: %s is %q, want %q", function, path, got, want)
			}
		}
		tags[tag] = true
	}
	if len(tags) != 3 {
		t.Errorf("the images are called %v", tags)
	}
}

// Each image is built again, pushed and published when its tag moves, so that a change must move the tags of the images that
// hold it and of no other.
func TestAChangeBuildsTheImagesThatHoldItAndNoOther(t *testing.T) {
	project := t.TempDir()
	if err := os.CopyFS(filepath.Join(project, "lambdas"), os.DirFS(lambdas)); err != nil {
		t.Fatal(err)
	}
	tags := func() map[string]string {
		t.Helper()
		all := map[string]string{}
		for _, function := range TradeFunctions() {
			build, err := TradeImage(project, "lambdas", function, nil).Build()
			if err != nil {
				t.Fatal(err)
			}
			all[function] = build.Tag
		}
		return all
	}
	for _, tc := range []struct {
		file   string
		builds []string
	}{
		{"lambdas/recorder/item.go", []string{recorderName}},
		{"lambdas/recorder/bootstrap/main.go", []string{recorderName}},
		{"lambdas/validator/validator.go", []string{validatorName}},
		{"lambdas/market/data/venues.csv", []string{enricherName}},
		{"lambdas/parameters/store.go", []string{validatorName, enricherName}},
		{"lambdas/trade/rules.go", TradeFunctions()},
		{"lambdas/go.sum", TradeFunctions()},
		{"lambdas/Dockerfile", TradeFunctions()},
		{"lambdas/recorder/recorder_test.go", nil},
		{"lambdas/recorder/testdata/valid.json", nil},
		{"lambdas/function/functiontest/functiontest.go", nil},
		{"components/containerfunction.go", nil},
		{"stack/deploy.go", nil},
		{"docs/architecture.md", nil},
		{"README.md", nil},
	} {
		before := tags()
		path := filepath.Join(project, tc.file)
		content, err := os.ReadFile(filepath.Join("..", tc.file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(content)+"\n")
		var built []string
		after := tags()
		for _, function := range TradeFunctions() {
			if after[function] != before[function] {
				built = append(built, function)
			}
		}
		if !slices.Equal(built, tc.builds) {
			t.Errorf("a change of %s builds %v, and should build %v", tc.file, built, tc.builds)
		}
	}
}

func TestArgumentsOfImagesAreThoseOfTheDockerfile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(lambdas, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^ARG ([A-Z0-9_]+)`).FindAllStringSubmatch(string(text), -1) {
		declared[match[1]] = true
	}
	for _, own := range []string{"FUNCTION", "VERSION", "REVISION"} { // those that Build sets
		delete(declared, own)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(declared)), slices.Sorted(slices.Values(ImageArguments()))); diff != "" {
		t.Error(diff)
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
