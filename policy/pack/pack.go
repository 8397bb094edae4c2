// Package pack turns the rules into a policyx pack, and lets a program serve it to the engine.
package pack

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"trade-processing/policy/analyzer"
	"trade-processing/policy/rules"
)

const (
	// Name is the pack's name, which an organisation's configuration refers to.
	Name = "aws-guardrails"
	// Version is the pack's version, which PulumiPolicy.yaml repeats.
	Version = "1.0.0"
)

// New returns the pack. now is the clock by which exemptions end.
func New(now func() time.Time) (policyx.PolicyPack, error) {
	version, err := semver.Parse(Version)
	if err != nil {
		return nil, fmt.Errorf("version of policy pack %s: %w", Name, err)
	}
	var policies []policyx.Policy
	for _, rule := range rules.All() {
		policies = append(policies, policyOf(rule, now))
	}
	return policyx.NewPolicyPack(Name, version, policyx.EnforcementLevelMandatory, policies)
}

// Server answers an engine's questions about the pack: that of another process, which Main serves, or one that is
// linked into this one.
func Server(now func() time.Time) (*analyzer.Server, error) {
	made, err := New(now)
	if err != nil {
		return nil, err
	}
	return analyzer.New(made), nil
}

// Main serves the pack to the engine that started this program, and returns the program's exit code.
func Main(ctx context.Context, arguments []string, output, problems io.Writer) int {
	made, err := New(time.Now)
	if err == nil {
		err = analyzer.Main(ctx, made, arguments[1:], output)
	}
	if err != nil {
		fmt.Fprintln(problems, err) //nolint:errcheck // there is nowhere else to tell it
		return 1
	}
	return 0
}

// policyOf turns a rule into a policyx policy.
func policyOf(rule rules.Rule, now func() time.Time) policyx.Policy {
	plain := policyx.NewResourceValidationPolicy(rule.Name, policyx.ResourceValidationPolicyArgs{
		Description: rule.Why, EnforcementLevel: rule.Level, ConfigSchema: rule.Schema(),
	})
	common := policy{Policy: plain, rule: rule, now: now}
	switch {
	case rule.CheckStack != nil:
		return stackPolicy{common}
	case rule.Remediate != nil:
		return remediationPolicy{common}
	default:
		return resourcePolicy{common}
	}
}

// policy is what all three kinds of policy share. The embedded policyx policy provides name, description, level and
// schema.
type policy struct {
	policyx.Policy
	rule rules.Rule
	now  func() time.Time
}

// Concerns implements analyzer.Selective.
func (p policy) Concerns(resourceType string) bool { return p.rule.Concerns(resourceType) }

// CheckConfig implements analyzer.Configured.
func (p policy) CheckConfig(given map[string]any) []string { return p.rule.CheckConfig(given) }

type resourcePolicy struct{ policy }

var _ policyx.ResourceValidationPolicy = resourcePolicy{}

func (p resourcePolicy) Validate(_ context.Context, args policyx.ResourceValidationArgs) error {
	report(args.Manager, p.rule.Judge(declared(args.Resource), args.Config, p.now()))
	return nil
}

type stackPolicy struct{ policy }

var _ analyzer.StackPolicy = stackPolicy{}

func (p stackPolicy) ValidateStack(_ context.Context, args analyzer.StackArgs) error {
	all := make([]rules.Declared, len(args.Resources))
	for i, resource := range args.Resources {
		all[i] = declared(resource)
	}
	report(args.Manager, p.rule.JudgeStack(all, args.Config, p.now()))
	return nil
}

type remediationPolicy struct{ policy }

var _ policyx.ResourceRemediationPolicy = remediationPolicy{}

func (p remediationPolicy) Remediate(_ context.Context, args policyx.ResourceRemediationArgs) (*property.Map, error) {
	mended, changed := p.rule.Mend(declared(args.Resource), args.Config, p.now())
	if !changed {
		return nil, nil
	}
	return &mended, nil
}

func report(manager policyx.PolicyManager, found []rules.Violation) {
	for _, violation := range found {
		manager.ReportViolation(violation.Message, violation.URN)
	}
}

func declared(resource policyx.AnalyzerResource) rules.Declared {
	return rules.Declared{
		URN: resource.URN, Type: resource.Type, Name: resource.Name, Properties: resource.Properties,
		Provider: resource.Provider.Properties, Protect: resource.Options.Protect,
		PropertyDependencies: resource.PropertyDependencies,
	}
}
