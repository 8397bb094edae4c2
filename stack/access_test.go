package stack

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

// callsOf returns the AWS calls that a function's code makes: for every service client it imports, the operations whose
// input it builds, such as dynamodb.PutItemInput.
func callsOf(t *testing.T, function string) []string {
	t.Helper()
	const module = "trade-processing/lambdas/"
	const sdk = "github.com/aws/aws-sdk-go-v2/service/"
	calls := map[string]bool{}
	visited := map[string]bool{}
	var visit func(folder string)
	visit = func(folder string) {
		if visited[folder] {
			return
		}
		visited[folder] = true
		files, err := filepath.Glob(filepath.Join("..", "lambdas", folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in lambdas/%s (%v)", folder, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			services := map[string]bool{}
			for _, spec := range file.Imports {
				path := strings.Trim(spec.Path.Value, `"`)
				if inner, own := strings.CutPrefix(path, module); own {
					visit(inner)
				}
				if service, ok := strings.CutPrefix(path, sdk); ok && !strings.Contains(service, "/") {
					services[service] = true
				}
			}
			ast.Inspect(file, func(node ast.Node) bool {
				literal, ok := node.(*ast.CompositeLit)
				if !ok {
					return true
				}
				selector, ok := literal.Type.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				service, ok := selector.X.(*ast.Ident)
				if operation, isInput := strings.CutSuffix(selector.Sel.Name, "Input"); ok && isInput && services[service.Name] {
					calls[service.Name+":"+operation] = true
				}
				return true
			})
		}
	}
	visit(function + "/bootstrap")
	return slices.Sorted(maps.Keys(calls))
}

// platform is what every function in a VPC needs besides its own calls: logs, traces, its dead-letter queue with the
// key, and network interfaces.
var platform = []string{
	"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
	"ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses", "kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream",
	"logs:PutLogEvents", "sqs:SendMessage", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}

func rolePolicy(t testing.TB, stack *declared.Stack, role string) iam.Document {
	t.Helper()
	for _, r := range stack.All("aws:iam/rolePolicy:RolePolicy") {
		if r.Text("role") == role {
			return documentOf(t, r)
		}
	}
	t.Fatalf("role %s has no policy", role)
	return iam.Document{}
}

// Every policy spells out its actions, so their list is everything a role can do.
func TestAFunctionCanDoWhatItsCodeDoesAndNothingElse(t *testing.T) {
	stack := declare(t, "prod", nil)
	for _, function := range []string{"validator", "enricher", "recorder"} {
		t.Run(function, func(t *testing.T) {
			calls := callsOf(t, function)
			if len(calls) == 0 {
				t.Fatal("its code makes no call at all: the search finds nothing")
			}
			var allowed []string
			for _, s := range rolePolicy(t, stack, "trade-processing-prod-"+function).Statement {
				if s.Effect == iam.Allow {
					allowed = append(allowed, s.Action...)
				}
			}
			slices.Sort(allowed)
			want := slices.Sorted(slices.Values(slices.Concat(calls, platform)))
			if diff := cmp.Diff(slices.Compact(want), slices.Compact(allowed)); diff != "" {
				t.Errorf("what the code calls (-) and what the role allows (+): %s", diff)
			}
		})
	}
}

func TestAFunctionReachesItsOwnResourcesOnly(t *testing.T) {
	stack := declare(t, "prod", nil)
	key := arnOfKey(t, stack)
	via := func(service string) map[string]string {
		return map[string]string{"kms:ViaService": service + ".us-east-1.amazonaws.com"}
	}
	const (
		parameters = "arn:aws:ssm:us-east-1:111122223333:parameter/trade-processing/prod"
		table      = "arn:aws:dynamodb:us-east-1:111122223333:table/trade-processing-prod-trades"
		queue      = "arn:aws:sqs:us-east-1:111122223333:trade-processing-prod-"
		group      = "arn:aws:logs:us-east-1:111122223333:log-group:"
	)
	cases := map[string]struct {
		function string
		request  iam.Request
		want     iam.Decision
	}{
		"the validator reads the stack's parameters":  {"validator", iam.Request{Action: "ssm:GetParametersByPath", Resource: parameters + "/"}, iam.Allowed},
		"and none of another environment":             {"validator", iam.Request{Action: "ssm:GetParametersByPath", Resource: strings.Replace(parameters, "prod", "dev", 1)}, iam.DeniedImplicitly},
		"and none whose name only begins like it":     {"validator", iam.Request{Action: "ssm:GetParametersByPath", Resource: parameters + "uction"}, iam.DeniedImplicitly},
		"the enricher reads the stack's parameters":   {"enricher", iam.Request{Action: "ssm:GetParametersByPath", Resource: parameters}, iam.Allowed},
		"the enricher can't write trades":             {"enricher", iam.Request{Action: "dynamodb:PutItem", Resource: table}, iam.DeniedImplicitly},
		"the recorder writes trades":                  {"recorder", iam.Request{Action: "dynamodb:PutItem", Resource: table}, iam.Allowed},
		"and looks at the ones it meets":              {"recorder", iam.Request{Action: "dynamodb:GetItem", Resource: table}, iam.Allowed},
		"but doesn't search the table":                {"recorder", iam.Request{Action: "dynamodb:Query", Resource: table}, iam.DeniedImplicitly},
		"and doesn't write into another table":        {"recorder", iam.Request{Action: "dynamodb:PutItem", Resource: table + "-2"}, iam.DeniedImplicitly},
		"and not into the replica":                    {"recorder", iam.Request{Action: "dynamodb:PutItem", Resource: strings.Replace(table, "us-east-1", "eu-west-1", 1)}, iam.DeniedImplicitly},
		"the recorder can't delete trades":            {"recorder", iam.Request{Action: "dynamodb:DeleteItem", Resource: table}, iam.DeniedImplicitly},
		"the recorder can't change trades":            {"recorder", iam.Request{Action: "dynamodb:UpdateItem", Resource: table}, iam.DeniedImplicitly},
		"the recorder uses the key for the table":     {"recorder", iam.Request{Action: "kms:Decrypt", Resource: key, Context: via("dynamodb")}, iam.Allowed},
		"and not on its own":                          {"recorder", iam.Request{Action: "kms:Decrypt", Resource: key}, iam.DeniedImplicitly},
		"the validator can't use the key for a table": {"validator", iam.Request{Action: "kms:Decrypt", Resource: key, Context: via("dynamodb")}, iam.DeniedImplicitly},
		"a function fills its own dead-letter queue":  {"recorder", iam.Request{Action: "sqs:SendMessage", Resource: queue + "recorder-dead-letters"}, iam.Allowed},
		"with the key":                                {"recorder", iam.Request{Action: "kms:GenerateDataKey", Resource: key, Context: via("sqs")}, iam.Allowed},
		"and no other's":                              {"recorder", iam.Request{Action: "sqs:SendMessage", Resource: queue + "validator-dead-letters"}, iam.DeniedImplicitly},
		"a function writes its own logs":              {"recorder", iam.Request{Action: "logs:PutLogEvents", Resource: group + "/aws/lambda/trade-processing-prod-recorder:log-stream:x"}, iam.Allowed},
		"and those of Lambda Insights":                {"recorder", iam.Request{Action: "logs:PutLogEvents", Resource: group + "/aws/lambda-insights:log-stream:x"}, iam.Allowed},
		"and no other's logs":                         {"recorder", iam.Request{Action: "logs:PutLogEvents", Resource: group + "/aws/lambda/trade-processing-prod-enricher:log-stream:x"}, iam.DeniedImplicitly},
		"a function can't bring its log group back":   {"recorder", iam.Request{Action: "logs:CreateLogGroup", Resource: group + "/aws/lambda/trade-processing-prod-recorder"}, iam.DeniedImplicitly},
		"Lambda makes a network interface":            {"recorder", iam.Request{Action: "ec2:CreateNetworkInterface", Resource: "arn:aws:ec2:us-east-1:111122223333:network-interface/*"}, iam.Allowed},
		"the function's own code doesn't": {"recorder", iam.Request{
			Action: "ec2:CreateNetworkInterface", Resource: "arn:aws:ec2:us-east-1:111122223333:network-interface/*",
			Context: map[string]string{"lambda:SourceFunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:trade-processing-prod-recorder"},
		}, iam.DeniedExplicitly},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := rolePolicy(t, stack, "trade-processing-prod-"+test.function).Decide(test.request)
			if err != nil || got != test.want {
				t.Errorf("%s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func arnOfKey(t testing.TB, stack *declared.Stack) string {
	t.Helper()
	key, err := stack.Find("aws:kms/replicaKey:ReplicaKey", "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	return key.Text("primaryKeyArn")
}

func TestASecretEndpointIsEncryptedAndReadable(t *testing.T) {
	config := configOf(t, "prod")
	config["trade-processing:apiEndpoint"] = "https://user:token@api.example.com"
	config["trade-processing:apiEndpointCidrs"] = `["203.0.113.0/24"]`
	stack, err := declared.Declare(declared.Program{
		Run: Deploy, Stack: "prod", Folder: folder, Config: config, Secrets: []string{"trade-processing:apiEndpoint"},
	})
	if err != nil {
		t.Fatal(err)
	}
	parameter, err := stack.Find("aws:ssm/parameter:Parameter", "api-endpoint")
	if err != nil {
		t.Fatal(err)
	}
	if parameter.Text("type") != "SecureString" || parameter.Text("keyId") == "" || !slices.Contains(parameter.Secrets, "value") {
		t.Errorf("type %s, key %q, secrets %v", parameter.Text("type"), parameter.Text("keyId"), parameter.Secrets)
	}
	got, err := rolePolicy(t, stack, "trade-processing-prod-enricher").Decide(iam.Request{
		Action: "kms:Decrypt", Resource: arnOfKey(t, stack), Context: map[string]string{"kms:ViaService": "ssm.us-east-1.amazonaws.com"},
	})
	if err != nil || got != iam.Allowed {
		t.Errorf("the enricher can't decrypt it: %s, %v", got, err)
	}
}
