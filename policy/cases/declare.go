package cases

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"trade-processing/policy/rules"
)

// ProviderInputs returns the inputs of the resource's provider.
func (r Resource) ProviderInputs() map[string]string {
	if r.Provider == nil {
		return map[string]string{"region": "us-east-1"}
	}
	return r.Provider
}

// URN returns the URN of one of the case's resources when the case is declared alone.
func (c Case) URN(r Resource) string {
	return fmt.Sprintf("urn:pulumi:%s::cases::%s::%s", c.StackName(), r.Type, r.Name)
}

// Declare returns the case's resources as the engine would show them to the rule: with outputs as at the end of an
// update, for stack rules, and without as the program sends them.
func (c Case) Declare(outputs bool) []rules.Declared {
	var all []rules.Declared
	for _, r := range c.Resources {
		dependencies := map[string][]string{}
		members := map[string]property.Value{}
		if outputs {
			for name, computed := range Computed(r.Type, r.Name, r.Inputs) {
				members[name] = c.value(computed, nil)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(r.Inputs)) {
			members[name] = c.value(r.Inputs[name], func(urn string) { dependencies[name] = append(dependencies[name], urn) })
		}
		provider := map[string]property.Value{}
		for name, input := range r.ProviderInputs() {
			provider[name] = property.New(input)
		}
		all = append(all, rules.Declared{
			URN: c.URN(r), Type: r.Type, Name: r.Name, Properties: property.NewMap(members), Provider: property.NewMap(provider),
			Protect: r.Protect, PropertyDependencies: dependencies,
		})
	}
	return all
}

// value turns an input into a property, and tells depend what it was made from.
func (c Case) value(input any, depend func(urn string)) property.Value {
	switch input := input.(type) {
	case nil:
		return property.New(property.Null)
	case bool:
		return property.New(input)
	case float64:
		return property.New(input)
	case string:
		return property.New(input)
	case Secret:
		return c.value(input.Value, depend).WithSecret(true)
	case Ref:
		for _, r := range c.Resources {
			if r.Name != input.Resource {
				continue
			}
			depend(c.URN(r))
			if given, ok := r.Inputs[input.Property]; ok {
				return c.value(given, depend)
			}
			return c.value(Computed(r.Type, r.Name, r.Inputs)[input.Property], depend)
		}
		panic(fmt.Sprintf("case %q of %s refers to %s, which it doesn't declare", c.Says, c.Rule, input.Resource))
	case []any:
		elements := make([]property.Value, len(input))
		for i, element := range input {
			elements[i] = c.value(element, depend)
		}
		return property.New(elements)
	case map[string]any:
		members := make(map[string]property.Value, len(input))
		for name, member := range input {
			members[name] = c.value(member, depend)
		}
		return property.New(members)
	default:
		panic(fmt.Sprintf("case %q of %s has a %T as input", c.Says, c.Rule, input))
	}
}
