package stack

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"

	"trade-processing/components"
	"trade-processing/components/declared"
	"trade-processing/internal/stackconfig"
)

// folder is the project's folder, relative to this package.
const folder = ".."

// projectFile is the part of Pulumi.yaml that tests look at.
type projectFile struct {
	Name   string `yaml:"name"`
	Config map[string]struct {
		Default     any    `yaml:"default"`
		Description string `yaml:"description"`
	} `yaml:"config"`
}

func readProject(t testing.TB) projectFile {
	t.Helper()
	var file projectFile
	readYAML(t, "Pulumi.yaml", &file)
	return file
}

func readYAML(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func configOf(t testing.TB, name string) map[string]string {
	t.Helper()
	config, err := stackconfig.Read(folder, name)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func spelled(t testing.TB, value any) string {
	t.Helper()
	text, err := stackconfig.Spell(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// set is a change of a stack's config, by key without the project's namespace.
type set map[string]any

// declare runs the program as a stack, with changes to its config.
func declare(t testing.TB, name string, changes set) *declared.Stack {
	t.Helper()
	stack, err := tryDeclare(t, name, changes)
	if err != nil {
		t.Fatalf("declaring stack %s with %v: %v", name, changes, err)
	}
	return stack
}

func tryDeclare(t testing.TB, name string, changes set) (*declared.Stack, error) {
	t.Helper()
	config := configOf(t, name)
	for key, value := range changes {
		config["trade-processing:"+key] = spelled(t, value)
	}
	return declared.Declare(declared.Program{Run: Deploy, Stack: name, Folder: folder, Config: config})
}

// tryDeclareIn runs the program in its own folder, with that file for the stack "test".
func tryDeclareIn(t testing.TB, folder, file string) (*declared.Stack, error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, "Pulumi.test.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return declared.Declare(declared.Program{Run: DeployFrom(".."), Folder: folder, Config: plainConfig(t)})
}

// shapes are the configs under test: the stacks as they are, and the variations that the stacks' files mention.
var shapes = map[string]struct {
	stack   string
	changes set
}{
	"local": {"local", nil},
	"dev":   {"dev", nil},
	"prod":  {"prod", nil},
	"prod in an adopted VPC": {"prod", set{
		"vpcId": "vpc-0123456789abcdef0", "privateSubnetIds": []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
		"privateRouteTableIds": []string{"rtb-0123456789abcdef0"},
	}},
	"prod in an adopted VPC with endpoints": {"prod", set{
		"vpcId": "vpc-0123456789abcdef0", "privateSubnetIds": []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
		"vpcEndpoints": []string{}, "endpointSecurityGroupIds": []string{"sg-0123456789abcdef0"},
	}},
	"dev on the account's default bus": {"dev", set{"eventBusName": "default", "producerAccounts": map[string][]string{"system1": {"444455556666"}}}},
	"dev as an express workflow":       {"dev", set{"workflowType": "EXPRESS"}},
	"prod with everything else": {"prod", set{
		"apiEndpoint": "https://api.example.com:8443/v1", "apiEndpointCidrs": []string{"203.0.113.0/24"},
		"producerAccounts": map[string][]string{"system2": {"444455556666", "555566667777"}}, "retentionYears": 7, "maxWriteUnits": 4000, "maxReadUnits": 2000,
		"replicaRegions": []string{"eu-west-1", "ap-southeast-2"}, "allowedCurrencies": []string{"USDC"},
		"permissionsBoundary": "arn:aws:iam::111122223333:policy/boundary",
		"vpcEndpoints":        []string{"logs", "ssm", "sqs"},
	}},
	"dev with the longest names": {"dev", set{
		"environment": "a-very-long-environment", "sources": mostSources(),
	}},
}

// mostSources returns as many source systems as a stack can have, with the longest names.
func mostSources() []string {
	var sources []string
	for i := range components.MaxSources {
		sources = append(sources, fmt.Sprintf("a-source-of-16-%c", 'a'+i))
	}
	return sources
}

// eachShape runs a test on every shape.
func eachShape(t *testing.T, test func(*testing.T, *declared.Stack)) {
	t.Helper()
	for name, shape := range maps.All(shapes) {
		t.Run(name, func(t *testing.T) { test(t, declare(t, shape.stack, shape.changes)) })
	}
}

func describe(r *declared.Resource) string { return fmt.Sprintf("%s %s", r.Type, r.Name) }
