package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"trade-processing/components/declared"
	"trade-processing/internal/engine"
	"trade-processing/internal/localrun"
	"trade-processing/internal/stackconfig"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/policy/pack"
	"trade-processing/policy/rules"
	"trade-processing/stack"
)

const root = "../.."

// stacks are this program's stacks for AWS.
var stacks = []string{"dev", "prod"}

// Without an engine: what the program declares under mocks, judged by the rules alone.
func TestTheProgramKeepsEveryRule(t *testing.T) {
	for _, name := range stacks {
		t.Run(name, func(t *testing.T) {
			all := declaredBy(t, name)
			judging := 0
			for _, rule := range rules.All() {
				if rule.Level == rules.Off {
					continue
				}
				found := rule.JudgeStack(all, nil, time.Now())
				concerned := false
				for _, r := range all {
					found = append(found, rule.Judge(r, nil, time.Now())...)
					concerned = concerned || rule.Concerns(r.Type)
				}
				for _, violation := range found {
					t.Errorf("%s: %s: %s", rule.Name, violation.URN, violation.Message)
				}
				if concerned {
					judging++
				}
			}
			if judging < 60 {
				t.Errorf("%d rules of %d found something to judge", judging, len(rules.All()))
			}
		})
	}
}

// declaredBy returns what one of this program's stacks declares under mocks.
func declaredBy(t testing.TB, name string) []rules.Declared {
	t.Helper()
	config, err := stackconfig.Read(root, name)
	if err != nil {
		t.Fatal(err)
	}
	program, err := declared.Declare(declared.Program{Run: stack.DeployFrom(root), Stack: name, Folder: root, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	return judged(t, program)
}

// judged returns the resources of a program as the engine would show them to the pack.
func judged(t testing.TB, program *declared.Stack) []rules.Declared {
	t.Helper()
	providers := map[string]property.Map{}
	for _, r := range program.All("pulumi:providers:aws") {
		inputs := map[string]property.Value{}
		for name, input := range r.Inputs {
			inputs[name] = property.New(asText(t, input))
		}
		providers[r.Name] = property.NewMap(inputs)
	}
	var all []rules.Declared
	for _, r := range program.Resources {
		d := rules.Declared{
			URN: r.URN, Type: r.Type, Name: r.Name, Protect: r.Protect, Provider: providers[r.Provider],
			Properties: resource.FromResourcePropertyMap(resource.NewPropertyMapFromMap(r.Inputs)),
		}
		// The recorder doesn't keep what a property was made from, and nothing else is known about a VPC.
		for _, source := range r.DependsOn {
			if resource.URN(source).Type() == "aws:ec2/vpc:Vpc" {
				d.PropertyDependencies = map[string][]string{"vpcId": {source}}
			}
		}
		all = append(all, d)
	}
	return all
}

// asText returns an input of a provider as the engine keeps it: nested ones as JSON text.
func asText(t testing.TB, input any) string {
	t.Helper()
	if text, ok := input.(string); ok {
		return text
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// openProgram opens one of this program's stacks on the engine, with the pack or without.
func openProgram(t testing.TB, name string, judged bool) *engine.Deployment {
	t.Helper()
	here := cloud.New(cloud.Options{Images: localrun.Images()})
	options := engine.Options{Root: root, Stack: name, Program: stack.DeployFrom(root), Providers: engine.InProcess(provider.Of(here))}
	if judged {
		policies, err := pack.Server(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		options.Policies = policies
	}
	opened, err := engine.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func TestTheProgramKeepsEveryRuleOnTheEngine(t *testing.T) {
	for _, name := range stacks {
		t.Run(name, func(t *testing.T) {
			deployment := openProgram(t, name, true)
			preview, err := deployment.Preview(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			update, _, err := deployment.Up(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for when, plan := range map[string]*engine.Plan{"preview": preview, "update": update} {
				for _, violation := range plan.Policies.Violations {
					t.Errorf("%s: %s: %s: %s", when, violation.Policy, violation.URN, violation.Message)
				}
				if len(plan.Policies.Passed) < 60 {
					t.Errorf("%s: %s", when, plan.Policies.Summary())
				}
			}
			t.Logf("policies: %s", update.Policies.Summary())
		})
	}
}

// most is how much longer an update of prod may take with the pack than without it.
const most = 2 * time.Second

// The pack's cost is what it adds to the quickest of a few updates: other load on the machine adds to both.
func TestThePackAddsLessThanTwoSecondsToAnUpdateOfProd(t *testing.T) {
	quickest := map[bool]time.Duration{}
	for range 3 {
		for _, judged := range []bool{false, true} {
			deployment := openProgram(t, "prod", judged)
			start := time.Now()
			if _, _, err := deployment.Up(t.Context()); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			if before, measured := quickest[judged]; !measured || took < before {
				quickest[judged] = took
			}
		}
	}
	added := quickest[true] - quickest[false]
	t.Logf("an update of prod takes %.2f s with the pack and %.2f s without: %.2f s more",
		quickest[true].Seconds(), quickest[false].Seconds(), added.Seconds())
	if added > most {
		t.Errorf("the pack adds %s", added)
	}
}
