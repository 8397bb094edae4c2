package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"pgregory.net/rapid"

	"trade-processing/policy/cases"
	"trade-processing/policy/rules"
)

// hidden is in every secret that the generators make: no message may contain it.
const hidden = "top-secret-7f3a"

// words are strings that rules look for, and some that they don't.
var words = []string{
	"", " ", "*", "arn:aws:sqs:us-east-1:111122223333:orders", "alias/aws/sqs", "KMS", "0.0.0.0/0", "true", "0", "-1", "SecureString", "String", "{", `{"Statement":[{"Effect":"Allow","Principal":"*"}]}`,
	"IMMUTABLE", "Active", "eu-west-1", "::/0", "NONE", "AKIAABCDEFGHIJKLMNOP", "6.1.0", "a:b:c:d:e", ":function:", "/",
}

// anything draws a value of any kind; hole says whether it may contain unknown ones.
func anything(hole bool) *rapid.Generator[property.Value] {
	plain := []*rapid.Generator[property.Value]{
		rapid.Just(property.New(property.Null)),
		rapid.Map(rapid.Bool(), func(b bool) property.Value { return property.New(b) }),
		rapid.Map(rapid.SampledFrom([]float64{-1, 0, 1, 3, 443, 1209600, 1e18}), func(n float64) property.Value { return property.New(n) }),
		rapid.Map(rapid.SampledFrom(words), func(s string) property.Value { return property.New(s) }),
		rapid.Just(property.New(hidden).WithSecret(true)),
	}
	if hole {
		plain = append(plain, rapid.Just(property.New(property.Computed)), rapid.Just(property.New(property.Computed).WithSecret(true)))
	}
	leaf := rapid.OneOf(plain...)
	return rapid.OneOf(leaf, leaf,
		rapid.Map(rapid.SliceOfN(leaf, 0, 3), func(all []property.Value) property.Value { return property.New(all) }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom(names), leaf, 0, 4), func(all map[string]property.Value) property.Value { return property.New(all) }),
	)
}

// names are the members of all cases' inputs, at any depth.
var names = func() []string {
	seen := map[string]bool{}
	var walk func(any)
	walk = func(given any) {
		switch given := given.(type) {
		case map[string]any:
			for name, member := range given {
				seen[name] = true
				walk(member)
			}
		case []any:
			for _, element := range given {
				walk(element)
			}
		}
	}
	for _, c := range cases.All() {
		for _, r := range c.Resources {
			walk(r.Inputs)
		}
	}
	all := make([]string, 0, len(seen))
	for name := range seen {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}()

// subject is a rule and the resources it judges.
type subject struct {
	rule      rules.Rule
	config    map[string]any
	resources []rules.Declared
}

// subjects draws the resources of a case with a few values replaced by anything.
func subjects(t *rapid.T, rule rules.Rule, hole bool) subject {
	var own []cases.Case
	for _, c := range cases.All() {
		if c.Rule == rule.Name {
			own = append(own, c)
		}
	}
	c := rapid.SampledFrom(own).Draw(t, "case")
	s := subject{rule: rule, config: c.Config, resources: c.Declare(rule.CheckStack != nil)}
	for i := range s.resources {
		s.resources[i].Properties = exchanged(t, property.New(s.resources[i].Properties), hole).AsMap()
		if rapid.IntRange(0, 9).Draw(t, "without dependencies") > 0 {
			s.resources[i].PropertyDependencies = nil
		}
		if rapid.IntRange(0, 4).Draw(t, "other provider") == 0 {
			s.resources[i].Provider = property.NewMap(map[string]property.Value{
				"region": anything(hole).Draw(t, "region"), "defaultTags": anything(hole).Draw(t, "default tags"),
			})
		}
	}
	return s
}

// exchanged walks a value and replaces some of what it finds; the value itself stays a map.
func exchanged(t *rapid.T, given property.Value, hole bool) property.Value {
	swap := func(inner property.Value) property.Value {
		switch rapid.IntRange(0, 5).Draw(t, "exchange") {
		case 0:
			return anything(hole).Draw(t, "exchanged for")
		case 1:
			return inner.WithSecret(true)
		default:
			return exchanged(t, inner, hole)
		}
	}
	switch {
	case given.IsMap():
		all := map[string]property.Value{}
		for name, member := range given.AsMap().AllStable {
			all[name] = swap(member)
		}
		if rapid.IntRange(0, 5).Draw(t, "another member") == 0 {
			all[rapid.SampledFrom(names).Draw(t, "member")] = anything(hole).Draw(t, "its value")
		}
		return property.WithGoValue(given, property.NewMap(all))
	case given.IsArray():
		var all []property.Value
		for _, element := range given.AsArray().All {
			all = append(all, swap(element))
		}
		return property.WithGoValue(given, property.NewArray(all))
	default:
		return given
	}
}

// configs draws options of any type: the engine checks them against their schemas, a test doesn't.
func configs(t *rapid.T, rule rules.Rule) map[string]any {
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any](1.5),
		rapid.Map(rapid.SampledFrom(words), func(text string) any { return text }))
	given := map[string]any{}
	for _, option := range rule.AllOptions() {
		given[option.Name] = rapid.OneOf(leaf,
			rapid.Map(rapid.SliceOfN(leaf, 0, 2), func(all []any) any { return all }),
			rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"urn", "until", "Owner", "aws"}), leaf, 0, 2), func(all map[string]any) any { return all }),
		).Draw(t, option.Name)
	}
	rule.CheckConfig(given)
	return given
}

func (s subject) judge() []rules.Violation {
	if s.rule.CheckStack != nil {
		return s.rule.JudgeStack(s.resources, s.config, today)
	}
	var all []rules.Violation
	for _, r := range s.resources {
		all = append(all, s.rule.Judge(r, s.config, today)...)
		s.rule.Mend(r, s.config, today)
	}
	return all
}

// blamed returns the resources that a rule reported.
func blamed(found []rules.Violation) map[string]bool {
	urns := map[string]bool{}
	for _, violation := range found {
		urns[violation.URN] = true
	}
	return urns
}

func eachRule(t *testing.T, check func(*rapid.T, rules.Rule)) {
	t.Helper()
	for _, rule := range rules.All() {
		t.Run(rule.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { check(t, rule) })
		})
	}
}

func TestNoRulePanicsAndNoMessageHoldsASecret(t *testing.T) {
	eachRule(t, func(t *rapid.T, rule rules.Rule) {
		s := subjects(t, rule, true)
		if rapid.IntRange(0, 4).Draw(t, "another configuration") == 0 {
			s.config = configs(t, rule)
		}
		for _, violation := range s.judge() {
			if strings.Contains(violation.Message, hidden) {
				t.Errorf("a secret: %s", violation.Message)
			}
			if !strings.HasSuffix(violation.Message, "]") || !strings.Contains(violation.Message, ". ") {
				t.Errorf("the message isn't property problem. mend. [control]: %s", violation.Message)
			}
		}
	})
}

// A rule's finding about a resource with unknown values must hold whatever they turn out to be. A rule that reports an
// unknown value, or treats it as missing, is caught by the value that keeps the rule.
func TestNoRuleReportsWhatMayTurnOutToBeRight(t *testing.T) {
	eachRule(t, func(t *rapid.T, rule rules.Rule) {
		s := subjects(t, rule, true)
		found := blamed(s.judge())
		if len(found) == 0 {
			return
		}
		known := s
		known.resources = slices.Clone(s.resources)
		for i := range known.resources {
			known.resources[i].Properties = computed(known.resources[i], filled(t, property.New(known.resources[i].Properties)).AsMap())
			known.resources[i].Provider = filled(t, property.New(known.resources[i].Provider)).AsMap()
		}
		still := blamed(known.judge())
		for urn := range found {
			if !still[urn] {
				t.Errorf("%s is blamed before it is known, and isn't when it is:\n%#v\n%#v", urn, s.resources, known.resources)
			}
		}
	})
}

// computed fills in the unknown values that AWS computes: an ARN ends with the name.
func computed(r rules.Declared, filled property.Map) property.Map {
	inputs := map[string]any{}
	if name := filled.Get("name"); name.IsString() {
		inputs["name"] = name.AsString()
	}
	for name, given := range cases.Computed(r.Type, r.Name, inputs) {
		if text, ok := given.(string); ok && r.Properties.Get(name).IsComputed() {
			filled = filled.Set(name, property.New(text))
		}
	}
	return filled
}

// filled replaces every unknown value with a known one.
func filled(t *rapid.T, given property.Value) property.Value {
	switch {
	case given.IsComputed():
		return anything(false).Draw(t, "turned out to be")
	case given.IsMap():
		all := map[string]property.Value{}
		for name, member := range given.AsMap().AllStable {
			all[name] = filled(t, member)
		}
		return property.WithGoValue(given, property.NewMap(all))
	case given.IsArray():
		var all []property.Value
		for _, element := range given.AsArray().All {
			all = append(all, filled(t, element))
		}
		return property.WithGoValue(given, property.NewArray(all))
	default:
		return given
	}
}

// alwaysKnown are the rules that look only at what is always known: a resource's type and options, and whether another
// resource exists at all.
var alwaysKnown = []string{
	"dynamodb-backup-plan", "ecr-lifecycle", "event-bus-policy", "no-default-vpc", "production-protected", "providers-allowed", "state-machine-failure-alarm", "vpc-default-security-group", "vpc-flow-logs",
}

func TestNoRuleReportsWhereNothingIsKnown(t *testing.T) {
	for _, rule := range rules.All() {
		if slices.Contains(alwaysKnown, rule.Name) {
			continue
		}
		t.Run(rule.Name, func(t *testing.T) {
			unknown := map[string]property.Value{}
			for _, c := range cases.All() {
				for _, r := range c.Resources {
					for name := range r.Inputs {
						unknown[name] = property.New(property.Computed)
					}
				}
			}
			for _, c := range cases.All() {
				if c.Rule != rule.Name {
					continue
				}
				s := subject{rule: rule, config: c.Config, resources: c.Declare(rule.CheckStack != nil)}
				for i := range s.resources {
					s.resources[i].Properties = property.NewMap(unknown)
					s.resources[i].PropertyDependencies = nil
				}
				if found := s.judge(); len(found) > 0 {
					t.Errorf("%s: %v", c.Says, found)
				}
			}
		})
	}
}
