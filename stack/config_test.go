package stack

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"gopkg.in/yaml.v3"

	"trade-processing/components"
)

// valuesFrom returns the values of a config that no program runs with.
func valuesFrom(config map[string]string, written ...string) *values {
	return &values{
		project: project, stack: "dev",
		get:     func(key string) (string, bool) { value, set := config[key]; return value, set },
		secrets: func(string) bool { return false },
		written: written,
		asked:   map[string]bool{},
	}
}

// plainConfig returns the minimum that a stack's file must add to the defaults of Pulumi.yaml.
func plainConfig(t testing.TB) map[string]string {
	t.Helper()
	config := map[string]string{}
	for key, declaration := range readProject(t).Config {
		config[project+":"+key] = spelled(t, declaration.Default)
	}
	config["aws:region"] = "us-east-1"
	config["trade-processing:tags"] = `{"Project":"trade-processing","Environment":"dev","Owner":"us","CostCenter":"4711"}`
	return config
}

func TestEveryKeyIsDeclaredAndRead(t *testing.T) {
	v := valuesFrom(plainConfig(t))
	if _, err := read(v); err != nil {
		t.Fatal(err)
	}
	file := readProject(t)
	declared := []string{"aws:region"} // the AWS provider's own, which a project can't declare for it
	for key, declaration := range file.Config {
		if declaration.Description == "" || declaration.Default == nil {
			t.Errorf("%s has the description %q and the default %v", key, declaration.Description, declaration.Default)
		}
		declared = append(declared, v.full(key))
	}
	slices.Sort(declared)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(v.asked)), declared); diff != "" {
		t.Errorf("what the program reads (-) and what Pulumi.yaml declares (+): %s", diff)
	}
}

// `up` would stop at the first image otherwise, after more than a hundred resources, and a preview builds none.
func TestInsightsIsPinnedBeforeAnythingIsCreated(t *testing.T) {
	const unpinned, pinned = "ARG INSIGHTS_SHA256=\n", "ARG INSIGHTS_SHA256=0123\n"
	for name, test := range map[string]struct {
		recipe, arguments string
		refused           bool
	}{
		"left out by the recipe":                    {"ARG INSIGHTS=without\n" + unpinned, "{}", false},
		"left out by the stack":                     {"ARG INSIGHTS=with\n" + unpinned, `{"INSIGHTS":"without"}`, false},
		"in the recipe, which has its checksum":     {"ARG INSIGHTS=with\n" + pinned, "{}", false},
		"in the recipe, and the stack has it":       {"ARG INSIGHTS=with\n" + unpinned, `{"INSIGHTS_SHA256":"` + strings.Repeat("0", 64) + `"}`, false},
		"in the recipe, which has no checksum":      {"ARG INSIGHTS=with\n" + unpinned, "{}", true},
		"asked for by the stack, with no checksum":  {"ARG INSIGHTS=without\n" + unpinned, `{"INSIGHTS":"with"}`, true},
		"asked for by the stack, with its checksum": {"ARG INSIGHTS=without\n" + pinned, `{"INSIGHTS":"with"}`, false},
	} {
		folder := t.TempDir()
		if err := errors.Join(os.Mkdir(filepath.Join(folder, lambdaSources), 0o755),
			os.WriteFile(filepath.Join(folder, lambdaSources, "Dockerfile"), []byte("FROM scratch\n"+test.recipe), 0o600)); err != nil {
			t.Fatal(err)
		}
		config := plainConfig(t)
		config["trade-processing:imageArguments"] = test.arguments
		v := valuesFrom(config)
		var err error
		if v.recipe, err = RecipeArguments(folder); err != nil {
			t.Fatal(err)
		}
		_, err = read(v)
		if refused := err != nil && strings.Contains(err.Error(), "trade-processing:imageArguments: {INSIGHTS: without}"); refused != test.refused {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAConfigIsRead(t *testing.T) {
	config := plainConfig(t)
	for key, value := range map[string]string{
		"environment": "uat", "replicaRegions": `["eu-west-1"]`, "sources": `["fix","swift"]`, "allowedCurrencies": `["USDC"]`,
		"maxClockSkew": "90s", "retentionYears": "7", "eventBusName": "trades", "producerAccounts": `{"fix":["444455556666"]}`,
		"archiveDays": "30", "workflowType": "EXPRESS", "workflowLogLevel": "ALL", "tracePercent": "20", "functionLogLevel": "WARN",
		"validatorMemory": "512", "validatorReservedConcurrency": "20", "maxRetries": "2",
		"apiEndpoint": "https://api.example.com:8443/v1", "apiEndpointCidrs": `["203.0.113.0/24"]`, "processingThreshold": "0.5",
		"vpcId": "vpc-0a0a0a0a", "privateSubnetIds": `["subnet-0a0a0a0a","subnet-0b0b0b0b"]`, "privateRouteTableIds": `["rtb-0a0a0a0a"]`,
		"vpcEndpoints": `["ssm"]`, "endpointSecurityGroupIds": `["sg-0a0a0a0a"]`, "maxWriteUnits": "100", "maxReadUnits": "200",
		"deletionProtection": "false", "backup": "true", "backupRetentionDays": "10", "logRetentionDays": "30",
		"alarmEmail": "on-call@example.com", "rejectionAlarmPercent": "10", "silenceAlarmMinutes": "30", "manageRegistryReplication": "true",
		"imageArguments":      `{"INSIGHTS":"without","GO_IMAGE":"mirror.example.com/golang@sha256:` + strings.Repeat("0", 64) + `"}`,
		"permissionsBoundary": "arn:aws:iam::111122223333:policy/team/boundary", "vpcCidr": "10.1.0.0/20",
	} {
		config["trade-processing:"+key] = value
	}
	got, err := read(valuesFrom(config))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Environment: "uat", Region: "us-east-1", ReplicaRegions: []string{"eu-west-1"},
		Tags:              map[string]string{"Project": "trade-processing", "Environment": "dev", "Owner": "us", "CostCenter": "4711"},
		AllowedCurrencies: []string{"USDC"}, MaxClockSkew: 90e9, RetentionYears: 7, RejectionAlarmPercent: 10,
		APIEndpoint: "https://api.example.com:8443/v1", ProcessingThreshold: "0.5",
		Pipeline: components.TradePipelineArgs{
			Prefix: "trade-processing-uat", Environment: "uat", RepositoryPrefix: "trade-processing/uat", ParameterPrefix: "/trade-processing/uat/",
			EventSourcePrefix: "trading.", MetricsNamespace: "TradeProcessing", LambdaSources: "lambdas", Expires: true,
			Sources:      []string{"fix", "swift"},
			EventBusName: "trades", ProducerAccounts: map[string][]string{"fix": {"444455556666"}}, ArchiveDays: 30,
			WorkflowType: components.Express, WorkflowLogLevel: components.LogAll, TracePercent: 20, MaxRetries: 2, FunctionLogLevel: "WARN",
			APIEndpointCIDRs: []string{"203.0.113.0/24"}, APIEndpointPort: 8443,
			MaxWriteUnits: 100, MaxReadUnits: 200, LogRetentionDays: 30, SilenceAlarmMinutes: 30,
			PermissionsBoundary: pulumi.String("arn:aws:iam::111122223333:policy/team/boundary"),
			ImageArguments:      map[string]string{"INSIGHTS": "without", "GO_IMAGE": "mirror.example.com/golang@sha256:" + strings.Repeat("0", 64)},
		},
		AdoptedNetwork: &components.AdoptedNetwork{
			VPCID: pulumi.String("vpc-0a0a0a0a"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-0a0a0a0a", "subnet-0b0b0b0b"}),
			RouteTableIDs: pulumi.ToStringArray([]string{"rtb-0a0a0a0a"}), EndpointSecurityGroupIDs: []pulumi.StringInput{pulumi.String("sg-0a0a0a0a")},
		},
		VPCCIDR: "10.1.0.0/20", VPCEndpoints: []string{"ssm"}, Backup: true, BackupRetentionDays: 10,
		AlarmEmail: "on-call@example.com", ManageRegistryReplication: true,
	}
	sizes := map[string][2]int{}
	for _, stage := range got.Pipeline.Stages {
		sizes[stage.Function] = [2]int{stage.MemoryMB, stage.ReservedConcurrency}
	}
	if diff := cmp.Diff(map[string][2]int{"validator": {512, 20}, "enricher": {256, 0}, "recorder": {256, 0}}, sizes); diff != "" {
		t.Error(diff)
	}
	got.Pipeline.Stages, got.Pipeline.Parameters, got.sizes = nil, nil, nil // TestFunctionsGetTheirEnvironment and its like look at them
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Config{}, components.Scope{})); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutANameTheEnvironmentIsTheStack(t *testing.T) {
	got, err := read(valuesFrom(plainConfig(t)))
	if err != nil || got.Environment != "dev" {
		t.Errorf("environment %q, %v", got.Environment, err)
	}
}

func TestEveryMistakeIsExplained(t *testing.T) {
	cases := map[string]struct {
		key, value string
		problem    string // the key that is blamed, if it is a different one
		want       string
	}{
		"an environment in upper case":              {"environment", "Dev", "", "is not a valid environment name"},
		"an environment of 24 characters":           {"environment", "a-very-long-environment1", "", "1 to 23"},
		"no region":                                 {"aws:region", "", "", "is not set"},
		"an unknown region":                         {"aws:region", "us-east-9", "", `"us-east-9" is not an AWS region`},
		"a replica in the stack's own region":       {"replicaRegions", `["us-east-1"]`, "", "own region"},
		"a replica in an unknown region":            {"replicaRegions", `["mars-1"]`, "", `"mars-1" is not an AWS region`},
		"a replica region twice":                    {"replicaRegions", `["eu-west-1","eu-west-1"]`, "", "is listed twice"},
		"no tags":                                   {"tags", "{}", "", "Project is missing"},
		"a mandatory tag without a value":           {"tags", `{"Project":"p","Environment":"e","Owner":" ","CostCenter":"c"}`, "", "Owner is missing"},
		"a tag that AWS keeps for itself":           {"tags", `{"Project":"p","Environment":"e","Owner":"o","CostCenter":"c","aws:x":"y"}`, "", "aws:"},
		"tags that are a list":                      {"tags", `["Project"]`, "", "is not a map"},
		"no sources":                                {"sources", "[]", "", "is empty"},
		"a source twice":                            {"sources", `["a","b","a"]`, "", `"a" is listed twice`},
		"a source with a blank":                     {"sources", `["a b"]`, "", "is not a valid source system"},
		"a source of 17 characters":                 {"sources", `["seventeen-letters"]`, "", "has 17 characters, but AWS allows only 16"},
		"sources that are a text":                   {"sources", "system1", "", "is not a list"},
		"a currency in lower case":                  {"allowedCurrencies", `["usdc"]`, "", "is not a currency code"},
		"a clock skew without a unit":               {"maxClockSkew", "5", "", "is not a duration"},
		"a bus with a blank":                        {"eventBusName", "my bus", "", `"my bus" may have`},
		"an account of 11 digits":                   {"producerAccounts", `{"system1":["11112222333"]}`, "", "has 12 digits"},
		"an account twice":                          {"producerAccounts", `{"system1":["444455556666","444455556666"]}`, "", "is listed twice"},
		"accounts for every source":                 {"producerAccounts", `["444455556666"]`, "", "is not a map of lists of strings"},
		"an account for a source that isn't one":    {"producerAccounts", `{"system9":["444455556666"]}`, "", "is not one of the sources"},
		"a workflow of another type":                {"workflowType", "FAST", "", `"FAST", but must be one of STANDARD, EXPRESS`},
		"a log level that isn't one":                {"functionLogLevel", "TRACE", "", "must be one of"},
		"a number that isn't one":                   {"validatorMemory", "lots", "", "is not a whole number"},
		"too little memory":                         {"recorderMemory", "64", "", "is 64, but must be from 128 to 10240"},
		"a negative concurrency":                    {"enricherReservedConcurrency", "-1", "", "is -1, but must be from 0"},
		"a concurrency beyond all reason":           {"enricherReservedConcurrency", "1000000", "", "is 1000000, but must be from 0"},
		"more retries than there is time for":       {"maxRetries", "11", "", "is 11, but must be from 0 to 10"},
		"a threshold that is not an amount":         {"processingThreshold", "a million", "", "is not an amount"},
		"a negative threshold":                      {"processingThreshold", "-1", "", "is not an amount"},
		"a threshold of 39 digits":                  {"processingThreshold", strings.Repeat("9", 39), "", "up to 38 digits"},
		"an endpoint without a scheme":              {"apiEndpoint", "api.example.com", "", "is not an absolute http or https URL"},
		"an endpoint without a way there":           {"apiEndpoint", "https://api.example.com", "apiEndpointCidrs", "couldn't reach apiEndpoint"},
		"a way without an endpoint":                 {"apiEndpointCidrs", `["203.0.113.0/24"]`, "apiEndpoint", "is not set"},
		"a range that isn't one":                    {"apiEndpointCidrs", `["203.0.113.0"]`, "", "is not an IPv4 range"},
		"subnets without a VPC":                     {"privateSubnetIds", `["subnet-0a0a0a0a","subnet-0b0b0b0b"]`, "vpcId", "privateSubnetIds names parts of a VPC"},
		"a route table without a VPC":               {"privateRouteTableIds", `["rtb-0a0a0a0a"]`, "vpcId", "privateRouteTableIds names parts of a VPC"},
		"a VPC without subnets":                     {"vpcId", "vpc-0a0a0a0a", "privateSubnetIds", "has 0 of the two subnets"},
		"a VPC that isn't one":                      {"vpcId", "main", "", "is not the id of a VPC"},
		"a VPC whose id is too short":               {"vpcId", "vpc-123", "", "is not the id of a VPC"},
		"a route table whose id is too short":       {"privateRouteTableIds", `["rtb-1"]`, "", "\"rtb-1\" is not an id"},
		"one subnet twice":                          {"privateSubnetIds", `["subnet-1","subnet-1"]`, "", "\"subnet-1\" is not an id"},
		"a range that is too small":                 {"vpcCidr", "10.0.0.0/28", "", "is not an IPv4 range from /16 to /25"},
		"a range with bits beyond its length":       {"vpcCidr", "10.0.0.5/24", "", "has host bits; write 10.0.0.0/24"},
		"an endpoint service that isn't one":        {"vpcEndpoints", `["logs","ssm","s3"]`, "", `"s3" is not one of`},
		"an endpoint that the functions need":       {"vpcEndpoints", `["ssm"]`, "", "lacks logs"},
		"a retention that CloudWatch doesn't know":  {"logRetentionDays", "31", "", "is 31 days; CloudWatch Logs keeps logs for"},
		"an e-mail address that isn't one":          {"alarmEmail", "on call", "", "is not an e-mail address"},
		"an e-mail address with a name":             {"alarmEmail", "On Call <on-call@example.com>", "", "is not an e-mail address"},
		"a switch that is neither on nor off":       {"deletionProtection", "yes", "", `"yes" is neither true nor false`},
		"a boundary that is no ARN":                 {"permissionsBoundary", "boundary", "", "is not the ARN of a policy"},
		"a boundary of another partition":           {"permissionsBoundary", "arn:aws-cn:iam::111122223333:policy/boundary", "", "is in partition aws-cn, but us-east-1 is in aws"},
		"a replication to nowhere":                  {"manageRegistryReplication", "true", "", "names no region"},
		"an argument that the images don't have":    {"imageArguments", `{"BASE":"x"}`, "", "BASE is not one of BASE_IMAGE"},
		"a base image by its tag":                   {"imageArguments", `{"BASE_IMAGE":"mirror.example.com/provided:al2023"}`, "", "has no digest"},
		"Insights in part":                          {"imageArguments", `{"INSIGHTS":"some"}`, "", "must be with or without"},
		"a checksum that is none":                   {"imageArguments", `{"INSIGHTS_SHA256":"12"}`, "", "64 hexadecimal digits"},
		"years that are negative":                   {"retentionYears", "-1", "", "-1 is not from 0"},
		"more sources than one pager's alarm holds": {"sources", `["` + strings.Join(append(mostSources(), "b"), `","`) + `"]`, "", "are 26, but one pager alarm covers at most 25"},
		"a silence of more than a day":              {"silenceAlarmMinutes", "1441", "", "is 1441, but must be from 0 to 1440"},
		"a share of more than everything":           {"rejectionAlarmPercent", "101", "", "101 is not from 1 to 100"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			v := valuesFrom(nil)
			config := plainConfig(t)
			config[v.full(test.key)] = test.value
			blamed := test.problem
			if blamed == "" {
				blamed = test.key
			}
			_, err := read(valuesFrom(config))
			problems, ok := errors.AsType[*ConfigError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			found := slices.ContainsFunc(problems.Problems, func(p Problem) bool {
				return p.Key == v.full(blamed) && strings.Contains(p.Reason, test.want) && strings.HasPrefix(p.Fix, p.Key+": ")
			})
			if !found {
				t.Errorf("got\n%v\nwant %s blamed for %q, and a line that mends it", err, v.full(blamed), test.want)
			}
			for _, p := range problems.Problems {
				heldBy(t, config, p)
			}
		})
	}
}

// heldBy expects that the line which is to mend a problem does.
func heldBy(t *testing.T, config map[string]string, p Problem) {
	t.Helper()
	mended := maps.Clone(config)
	var line map[string]any
	if err := yaml.Unmarshal([]byte(p.Fix), &line); err != nil {
		t.Fatal(err)
	}
	for key, value := range line {
		mended[key] = spelled(t, value)
	}
	_, err := read(valuesFrom(mended))
	if left, _ := errors.AsType[*ConfigError](err); left != nil && slices.ContainsFunc(left.Problems, func(q Problem) bool { return q.Key == p.Key }) {
		t.Errorf("the line %s is refused too: %v", p.Fix, err)
	}
}

// Whatever value a key has, it is taken, or each problem names a key and a line that mends it.
func FuzzConfig(f *testing.F) {
	for i, value := range []string{
		"", " dev ", "[]", `["a","a"]`, "{}", `{"Project":1}`, "null", "-1", "9223372036854775808", "1e3", "true", "5m", "-0s", "https://[::1", "http://h:99999", "é\x00",
		`["203.0.113.0/33"]`, `["aws.x"]`, "EXPRESS", `{"INSIGHTS":"with"}`, "a@b", "arn:aws:iam::aws:policy/x", "us-gov-west-1",
	} {
		f.Add(uint8(i), value)
	}
	keys := slices.Sorted(maps.Keys(plainConfig(f)))
	f.Fuzz(func(t *testing.T, place uint8, value string) {
		config := plainConfig(t)
		config[keys[int(place)%len(keys)]] = value
		_, err := read(valuesFrom(config))
		if err == nil {
			return
		}
		problems, ok := errors.AsType[*ConfigError](err)
		if !ok || len(problems.Problems) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		for _, p := range problems.Problems {
			if !slices.Contains(keys, p.Key) || p.Reason == "" || !strings.HasPrefix(p.Fix, p.Key+": ") {
				t.Errorf("%s = %q: the problem %+v", keys[int(place)%len(keys)], value, p)
			}
			heldBy(t, config, p)
		}
	})
}

func TestAnExpressWorkflowHasTimeForFewerRetries(t *testing.T) {
	config := plainConfig(t)
	config["trade-processing:workflowType"] = "EXPRESS"
	config["trade-processing:maxRetries"] = "5"
	if _, err := read(valuesFrom(config)); err == nil || !strings.Contains(err.Error(), "is 5, but must be from 0 to 3: workflows of type EXPRESS have no time for more") {
		t.Errorf("got %v", err)
	}
}

func TestABoundaryIsInTheRegionsPartition(t *testing.T) {
	for region, partition := range map[string]string{
		"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b",
		"eu-isoe-west-1": "aws-iso-e",
	} {
		config := plainConfig(t)
		config["aws:region"], config["trade-processing:permissionsBoundary"] = region, "arn:"+partition+":iam::111122223333:policy/boundary"
		if _, err := read(valuesFrom(config)); err != nil {
			t.Errorf("%s: %v", region, err)
		}
	}
}

func TestOneSubnetTwiceIsTooFew(t *testing.T) {
	config := plainConfig(t)
	config["trade-processing:vpcId"], config["trade-processing:privateSubnetIds"] = "vpc-0a0a0a0a", `["subnet-0a0a0a0a","subnet-0a0a0a0a"]`
	_, err := read(valuesFrom(config))
	problems, ok := errors.AsType[*ConfigError](err)
	if !ok || len(problems.Problems) != 1 || !strings.Contains(err.Error(), "has 1 of the two subnets") {
		t.Errorf("got %v", err)
	}
}

func TestAllMistakesAreReportedTogether(t *testing.T) {
	config := plainConfig(t)
	maps.Copy(config, map[string]string{
		"aws:region":                        "nowhere",
		"trade-processing:tags":             `{"Project":"p"}`,
		"trade-processing:sources":          `["a","a"]`,
		"trade-processing:logRetentionDays": "many",
		"trade-processing:privateSubnetIds": `["subnet-0a0a0a0a"]`,
	})
	_, err := read(valuesFrom(config, "trade-processing:logRetentiondays", "trade-processing:colour", "aws:region", "other:key"))
	problems, ok := errors.AsType[*ConfigError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var blamed []string
	for _, p := range problems.Problems {
		blamed = append(blamed, p.Key)
	}
	slices.Sort(blamed)
	want := []string{
		"aws:region", "trade-processing:colour", "trade-processing:logRetentionDays", "trade-processing:logRetentiondays",
		"trade-processing:sources", "trade-processing:tags", "trade-processing:tags", "trade-processing:tags", "trade-processing:vpcId",
	}
	if diff := cmp.Diff(want, blamed); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{
		"the config of stack dev has", "did you mean trade-processing:logRetentionDays?", "trade-processing:colour: is not a key of this project",
		"in Pulumi.dev.yaml: trade-processing:sources: [system1, system2]",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "other:key") {
		t.Errorf("another project's key is none of ours:\n%v", err)
	}
}

func TestASecretIsNotPrinted(t *testing.T) {
	config := plainConfig(t)
	config["trade-processing:apiEndpoint"] = "ftp://user:hunter2@api.example.com"
	_, err := read(valuesFrom(config))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestAMistypedKeyInTheStacksFileStopsTheProgram(t *testing.T) {
	const outside = "is outside config, where Pulumi ignores it"
	for name, test := range map[string]struct{ file, want string }{
		"a key with a letter missing":         {"config:\n  trade-processing:source: [a]\n", "did you mean trade-processing:sources?"},
		"a key without its namespace":         {"config:\n  source: [a]\n", "did you mean trade-processing:sources?"},
		"a namespace with a letter missing":   {"config:\n  trade-procesing:sources: [a]\n", "did you mean trade-processing:sources?"},
		"a key that isn't indented":           {"config:\n  aws:region: us-east-1\ntrade-processing:sources: [a]\n", "trade-processing:sources: " + outside},
		"a setting that Pulumi doesn't know":  {"secretprovider: passphrase\n", "secretprovider: " + outside},
		"nothing, with all that Pulumi knows": {"secretsprovider: p\nencryptedkey: k\nencryptionsalt: s\nenvironment: [e]\nconfig:\n  sources: [a]\n  other:key: 1\n", ""},
	} {
		_, err := tryDeclareIn(t, t.TempDir(), test.file)
		if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAStacksFileThatIsNoYAMLIsAnError(t *testing.T) {
	_, err := tryDeclareIn(t, t.TempDir(), "config: [\n")
	if err == nil || !strings.Contains(err.Error(), "Pulumi.test.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestNearKeys(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"sources", "source", true}, {"source", "sources", true}, {"sources", "sourcez", true}, {"sources", "sxurces", true},
		{"sources", "sources", false}, {"sources", "scores", false}, {"a", "abc", false}, {"", "a", true},
	} {
		if got := isOneEditAway(test.a, test.b); got != test.want {
			t.Errorf("%q and %q: %v", test.a, test.b, got)
		}
	}
}
