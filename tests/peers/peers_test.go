// Package peers_test lets tools that others wrote judge what the stacks declare: Checkov, parliament, policy_sentry,
// asl-validator, event-ruler, zizmor and AWS's own models of its APIs. Nobody here wrote them, so they don't share our
// misunderstandings of AWS.
//
// Each finding is mended or stands in findings.yaml with the reason. A new one fails, and so does an entry that nothing
// finds any more. Every tool is also shown a fault, so that one that sees nothing fails.
//
// It is off by default. `make test-peers` installs the tools and runs it.
package peers_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"trade-processing/components/declared"
	"trade-processing/internal/stackconfig"
	"trade-processing/stack"
)

const root = "../.."

// finding is what a tool objects to.
type finding struct {
	ID    string `json:"id"`    // the tool's name for the rule
	Where string `json:"where"` // what breaks it
	Text  string `json:"text"`
}

// entry is a finding that stays, or several.
type entry struct {
	Tool   string `yaml:"tool"`
	ID     string `yaml:"id"`
	Where  string `yaml:"where"` // a regular expression for the whole of it
	Reason string `yaml:"reason"`
}

func entries(t *testing.T) []entry {
	t.Helper()
	text, err := os.ReadFile("findings.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []entry
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		t.Fatalf("findings.yaml: %v", err)
	}
	return all
}

// judged fails for each finding of a tool that isn't in the list, and for each of its entries that nothing finds.
func judged(t *testing.T, tool string, findings []finding) {
	t.Helper()
	for _, problem := range unexplained(tool, findings, entries(t)) {
		t.Error(problem)
	}
	t.Logf("%s: %d findings", tool, len(findings))
}

func unexplained(tool string, findings []finding, list []entry) []string {
	var problems []string
	used := map[entry]bool{}
	for _, f := range findings {
		known := false
		for _, e := range list {
			if e.Tool == tool && e.ID == f.ID && regexp.MustCompile("^(?:"+e.Where+")$").MatchString(f.Where) {
				used[e], known = true, true
			}
		}
		if problem := fmt.Sprintf("%s %s: %s: %s", tool, f.ID, f.Where, f.Text); !known && !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	for _, e := range list {
		if e.Tool == tool && !used[e] {
			problems = append(problems, fmt.Sprintf("findings.yaml: %s finds no %s at %s any more", tool, e.ID, e.Where))
		}
	}
	return problems
}

// found fails unless a tool that was shown a fault named it.
func found(t *testing.T, fault finding, findings []finding) {
	t.Helper()
	if !slices.ContainsFunc(findings, func(f finding) bool { return f.ID == fault.ID && f.Where == fault.Where }) {
		t.Errorf("it doesn't see the fault %s: %v", fault.ID, findings)
	}
}

func TestAFindingIsInTheListOrFails(t *testing.T) {
	list := []entry{{"checkov", "CKV_1", "dev a.*", "so"}, {"zizmor", "unused", "a", "so"}}
	for name, test := range map[string]struct {
		findings []finding
		want     []string
	}{
		"one of the list stays":             {[]finding{{"CKV_1", "dev abc", ""}}, nil},
		"one of another rule fails":         {[]finding{{"CKV_1", "dev a", ""}, {"CKV_2", "dev a", "bad"}}, []string{"checkov CKV_2: dev a: bad"}},
		"one elsewhere fails":               {[]finding{{"CKV_1", "dev a", ""}, {"CKV_1", "prod dev a", "bad"}}, []string{"checkov CKV_1: prod dev a: bad"}},
		"an entry that nothing finds fails": {nil, []string{"findings.yaml: checkov finds no CKV_1 at dev a.* any more"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := unexplained("checkov", test.findings, list); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestEveryEntryHasAReasonAndIsThereOnce(t *testing.T) {
	tools := []string{"asl-validator", "checkov", "errors", "event-ruler", "models", "parliament", "policy_sentry", "zizmor"}
	seen := map[[3]string]bool{}
	for _, e := range entries(t) {
		if !slices.Contains(tools, e.Tool) || e.ID == "" || e.Where == "" || e.Reason == "" {
			t.Errorf("incomplete, or of an unknown tool: %+v", e)
		}
		if key := [3]string{e.Tool, e.ID, e.Where}; seen[key] {
			t.Errorf("twice: %v", key)
		} else {
			seen[key] = true
		}
	}
}

// installed returns the path of a file in the tools' installation, for a test that was requested.
func installed(t *testing.T, path string) string {
	t.Helper()
	installation := os.Getenv("PEERS")
	if installation == "" {
		t.Skip("PEERS is not set: `make test-peers` installs the tools and sets it to their folder")
	}
	return filepath.Join(installation, path)
}

// run starts a tool and returns what it wrote to standard output. A tool that found something exits with one of the
// codes; any other is an error.
func run(t *testing.T, command *exec.Cmd, codes ...int) []byte {
	t.Helper()
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || !slices.Contains(codes, exit.ExitCode())) {
		t.Fatalf("%v: %v\n%s%s", command.Args, err, output.Bytes(), problems.Bytes())
	}
	return output.Bytes()
}

// shapes are the stacks under judgment: those that are deployed to AWS, and what their config can make of the workflow.
var shapes = map[string]struct {
	stack    string
	settings map[string]string
}{
	"dev":             {"dev", nil},
	"prod":            {"prod", nil},
	"dev as STANDARD": {"dev", map[string]string{"trade-processing:workflowType": "STANDARD"}},
	"dev as EXPRESS":  {"dev", map[string]string{"trade-processing:workflowType": "EXPRESS"}},
}

func declare(t *testing.T, shape string, computed func(*declared.Resource) map[string]any) []*declared.Resource {
	t.Helper()
	config, err := stackconfig.Read(root, shapes[shape].stack)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(config, shapes[shape].settings)
	stack, err := declared.Declare(declared.Program{Run: stack.DeployFrom(root), Stack: shapes[shape].stack, Folder: root, Config: config, Computed: computed})
	if err != nil {
		t.Fatal(err)
	}
	return stack.Resources
}
