package policy_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/policy/cases"
	"trade-processing/policy/rules"
)

// placed is a case in a program with many; its number makes its resource names unique.
type placed struct {
	cases.Case
	number int
}

func (p placed) name(r cases.Resource) string { return fmt.Sprintf("%03d-%s", p.number, r.Name) }

func (p placed) urnIn(r cases.Resource) string {
	return fmt.Sprintf("urn:pulumi:%s::cases::%s::%s", p.StackName(), r.Type, p.name(r))
}

// run is a program of compatible cases: one stack, and one configuration per rule.
type run struct {
	stack  string
	config map[string]map[string]any // by rule
	cases  []placed
}

// arrange puts every case of a validating rule into as few programs as possible.
func arrange() []*run {
	var runs []*run
	mending := map[string]bool{}
	for _, rule := range rules.All() {
		mending[rule.Name] = rule.Remediate != nil
	}
	for number, c := range cases.All() {
		if mending[c.Rule] {
			continue
		}
		config := c.Config
		if config == nil {
			config = map[string]any{}
		}
		place := slices.IndexFunc(runs, func(r *run) bool {
			given, configured := r.config[c.Rule]
			return r.stack == c.StackName() && (!configured || reflect.DeepEqual(given, config))
		})
		if place < 0 {
			runs = append(runs, &run{stack: c.StackName(), config: map[string]map[string]any{}})
			place = len(runs) - 1
		}
		runs[place].config[c.Rule] = config
		runs[place].cases = append(runs[place].cases, placed{c, number})
	}
	return runs
}

// policyConfig returns the pack's configuration for a run. All rules are advisory, so that one program shows all
// violations: the engine stops at the first mandatory one.
func (r *run) policyConfig() map[string]any {
	config := map[string]any{"all": "advisory"}
	for rule, options := range r.config {
		if len(options) > 0 {
			config[rule] = options
		}
	}
	return config
}

// made is a resource of any type.
type made struct {
	pulumi.CustomResourceState
	ARN      pulumi.StringOutput `pulumi:"arn"`
	URL      pulumi.StringOutput `pulumi:"url"`
	Physical pulumi.StringOutput `pulumi:"name"`
}

// provided is a provider of any package.
type provided struct{ pulumi.ProviderResourceState }

// deploy declares the resources of all cases.
func (r *run) deploy(ctx *pulumi.Context) error {
	shared := map[string]pulumi.ProviderResource{}
	for _, c := range r.cases {
		siblings := map[string]*made{}
		for _, declared := range c.Resources {
			inputs, err := c.inputs(declared.Inputs, siblings)
			if err != nil {
				return err
			}
			if strings.HasPrefix(declared.Type, "pulumi:providers:") {
				if err := declareProvider(ctx, declared.Type, c.name(declared), inputs, &provided{}); err != nil {
					return err
				}
				continue
			}
			provider, err := providerOf(ctx, shared, declared)
			if err != nil {
				return err
			}
			siblings[declared.Name] = &made{}
			err = ctx.RegisterResource(declared.Type, c.name(declared), inputs, siblings[declared.Name],
				pulumi.Provider(provider), pulumi.Protect(declared.Protect))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// providerOf returns the provider with a resource's provider inputs, created on first use.
func providerOf(ctx *pulumi.Context, shared map[string]pulumi.ProviderResource, r cases.Resource) (pulumi.ProviderResource, error) {
	given := r.ProviderInputs()
	key := fmt.Sprint(given)
	if shared[key] == nil {
		provider, inputs := &provided{}, pulumi.Map{}
		for name, input := range given {
			inputs[name] = pulumi.String(input)
		}
		if err := declareProvider(ctx, "pulumi:providers:aws", fmt.Sprintf("shared-%d", len(shared)), inputs, provider); err != nil {
			return nil, err
		}
		shared[key] = provider
	}
	return shared[key], nil
}

// declareProvider declares a provider, whose version and address the SDK takes as resource options.
func declareProvider(ctx *pulumi.Context, resourceType, name string, inputs pulumi.Map, into *provided) error {
	var options []pulumi.ResourceOption
	rest := maps.Clone(inputs)
	for property, option := range map[string]func(string) pulumi.ResourceOption{
		"version":           func(given string) pulumi.ResourceOption { return pulumi.Version(given) },
		"pluginDownloadURL": func(given string) pulumi.ResourceOption { return pulumi.PluginDownloadURL(given) },
	} {
		if given, ok := inputs[property].(pulumi.String); ok {
			options = append(options, option(string(given)))
			delete(rest, property)
		}
	}
	return ctx.RegisterResource(resourceType, name, rest, into, options...)
}

// inputs turns a case's inputs into the SDK's.
func (p placed) inputs(given map[string]any, siblings map[string]*made) (pulumi.Map, error) {
	inputs := pulumi.Map{}
	for name, value := range given {
		input, err := p.input(value, siblings)
		if err != nil {
			return nil, fmt.Errorf("case %q of %s: %s: %w", p.Says, p.Rule, name, err)
		}
		inputs[name] = input
	}
	return inputs, nil
}

func (p placed) input(given any, siblings map[string]*made) (pulumi.Input, error) {
	switch given := given.(type) {
	case cases.Ref:
		to := siblings[given.Resource]
		output, known := map[string]pulumi.Input{"arn": to.ARN, "id": to.ID(), "name": to.Physical, "url": to.URL}[given.Property]
		if !known {
			return nil, fmt.Errorf("no output %s is known here", given.Property)
		}
		return output, nil
	case cases.Secret:
		inner, err := p.input(given.Value, siblings)
		if err != nil {
			return nil, err
		}
		return pulumi.ToSecret(inner), nil
	case []any:
		all := pulumi.Array{}
		for _, element := range given {
			input, err := p.input(element, siblings)
			if err != nil {
				return nil, err
			}
			all = append(all, input)
		}
		return all, nil
	case map[string]any:
		return p.inputs(given, siblings)
	default:
		return pulumi.ToOutput(given), nil
	}
}

func TestEveryRuleOnTheEngine(t *testing.T) {
	for number, r := range arrange() {
		t.Run(fmt.Sprintf("program %d of stack %s", number, r.stack), func(t *testing.T) {
			d := open(t, program{run: r.deploy, stack: r.stack, config: r.policyConfig()})
			preview := d.preview()
			if preview.err != nil {
				t.Fatal(preview.err)
			}
			up := d.up()
			if up.err != nil {
				t.Fatal(up.err)
			}
			for _, c := range r.cases {
				want := c.Breaks
				c.check(t, "update", up, want)
				if c.Later {
					want = nil
				}
				c.check(t, "preview", preview, want)
			}
		})
	}
}

// check compares what a case's rule said about its resources with what the case expects.
func (p placed) check(t *testing.T, when string, v verdict, want []string) {
	t.Helper()
	var said []string
	for _, r := range p.Resources {
		said = append(said, v.messages(p.Rule, p.urnIn(r))...)
	}
	slices.Sort(said) // the engine reports them in any order
	want = slices.Sorted(slices.Values(want))
	matching := slices.EqualFunc(said, want, strings.HasPrefix)
	if !matching {
		t.Errorf("%s: %s (%s): the engine says %q instead of %q", p.Rule, p.Says, when, said, want)
	}
}
