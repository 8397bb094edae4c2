package pack

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"trade-processing/policy/rules"
)

func TestThePackHoldsEveryRuleAsItIs(t *testing.T) {
	server, err := Server(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	info, err := server.GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
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
