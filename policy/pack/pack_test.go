package pack

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"trade-processing/policy/analyzer"
	"trade-processing/policy/rules"
)

func TestThePackHoldsEveryRuleAsItIs(t *testing.T) {
	made, err := New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	info, err := analyzer.New(made).GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	if len(info.GetPolicies()) != len(rules.All()) {
		t.Errorf("%d policies of %d rules", len(info.GetPolicies()), len(rules.All()))
	}
	for i, rule := range rules.All() {
		policy := info.GetPolicies()[i]
		if policy.GetName() != rule.Name || policy.GetDescription() != rule.Why || policy.GetEnforcementLevel() != pulumirpc.EnforcementLevel(rule.Level) {
			t.Errorf("%s: %v", rule.Name, policy)
		}
		options := policy.GetConfigSchema().GetProperties().AsMap()
		for _, option := range rule.AllOptions() {
			schema, ok := options[option.Name].(map[string]any)
			if !ok || schema["default"] == nil || schema["description"] != option.About || schema["type"] != option.Schema["type"] {
				t.Errorf("%s: option %s: %v", rule.Name, option.Name, options[option.Name])
			}
		}
		onStack := policy.GetPolicyType() == pulumirpc.PolicyType_POLICY_TYPE_STACK
		if onStack != (rule.CheckStack != nil) {
			t.Errorf("%s judges a stack: %v", rule.Name, onStack)
		}
	}
}

func TestAProgramIsThePackByItsName(t *testing.T) {
	for name, want := range map[string]bool{
		"/somewhere/pulumi-analyzer-policy-go": true, "pulumi-analyzer-policy-embedded": true,
		"/usr/bin/tradectl": false, "/pulumi-analyzer-policy-go/tradectl": false,
	} {
		if Called([]string{name, "127.0.0.1:1"}) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if Called(nil) {
		t.Error("without any name")
	}
}

func TestEmbedMakesAFolderForTheEngine(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a right there")
	}
	folder := filepath.Join(t.TempDir(), "new", "pack")
	for range 2 { // the second time it is there already
		embedded, err := Embed(folder)
		if err != nil {
			t.Fatal(err)
		}
		if path := embedded.Path("/usr/bin"); path != folder+string(os.PathListSeparator)+"/usr/bin" {
			t.Errorf("PATH is %s", path)
		}
		file, err := os.ReadFile(filepath.Join(embedded.Folder, "PulumiPolicy.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile(`(?m)^runtime: (.+)$`).FindStringSubmatch(string(file))
		if named == nil || named[1] == "go" || !strings.Contains(string(file), "version: "+Version+"\n") {
			t.Fatalf("%s", file)
		}
		program, err := filepath.EvalSymlinks(filepath.Join(folder, "pulumi-analyzer-policy-"+named[1]))
		if err != nil {
			t.Fatal(err)
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		if self, err = filepath.EvalSymlinks(self); err != nil || program != self {
			t.Errorf("%s instead of %s: %v", program, self, err)
		}
	}
}

func TestAFolderThatCantBeMadeIsAnErrorThatNamesIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Embed(filepath.Join(file, "pack")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
}

func TestMainServesUntilItIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var output, problems bytes.Buffer
	if code := Main(ctx, []string{"pulumi-analyzer-policy-go"}, &output, &problems); code != 0 || problems.Len() > 0 {
		t.Errorf("exit code %d: %s", code, problems.String())
	}
	if !regexp.MustCompile(`^\d+\n$`).MatchString(output.String()) {
		t.Errorf("it printed %q, and not just its port", output.String())
	}
}

func TestThePacksFileSaysTheSame(t *testing.T) {
	text, err := os.ReadFile("../PulumiPolicy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nversion: "+Version+"\n") || !strings.Contains(string(text), "\nruntime: go\n") {
		t.Errorf("%s", text)
	}
}
