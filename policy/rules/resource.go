package rules

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"trade-processing/policy/value"
)

// Declared is a resource as the engine shows it.
type Declared struct {
	URN, Type, Name string
	Properties      property.Map
	// Provider are the inputs of the resource's provider, such as its region and default tags. Empty for components and
	// for providers themselves.
	Provider property.Map
	Protect  bool
	// PropertyDependencies are the URNs that a property was made from, by the property's name. Only stack rules get
	// them.
	PropertyDependencies map[string][]string
}

// Resource is a resource in the hands of one rule.
type Resource struct {
	Declared
	settings settings
	report   func(message, urn string)
}

// At reads a property by its path, such as "serverSideEncryption.kmsKeyArn".
func (r *Resource) At(path string) value.Value { return value.OfMap(r.Properties).At(path) }

// AtProvider reads an input of the resource's provider. The engine holds nested ones as JSON text: Document reads
// those.
func (r *Resource) AtProvider(name string) value.Value { return value.OfMap(r.Provider).Get(name) }

// Setting reads an option of the rule.
func (r *Resource) Setting(name string) value.Value { return r.settings.option(name) }

// Breaks reports that the resource breaks the rule: which property, what is wrong with it, and what mends it.
func (r *Resource) Breaks(property, problem, mend string) {
	exempt, note := r.settings.exempt(r.URN)
	if !exempt {
		r.report(r.settings.rule.violation(property, problem, mend+"."+note), r.URN)
	}
}

// InProduction tells whether the stack's name is one of those that the option productionStacks names.
func (r *Resource) InProduction() bool {
	return slices.ContainsFunc(r.Setting(productionStacks).Each(), func(pattern value.Value) bool {
		return matches(pattern.Text(), r.stack())
	})
}

// region is where the resource is made: by its own property, which version 7 of the AWS provider has, or its
// provider's.
func (r *Resource) region() value.Value {
	if own := r.At("region"); !own.Unset() {
		return own
	}
	return r.AtProvider("region")
}

func (r *Resource) stack() string { return string(urn.URN(r.URN).Stack()) }

// answer is what is known of a question about two resources.
type answer int

const (
	no answer = iota
	maybe
	yes
)

// refers tells whether a property names another resource: by its ARN, URL, name or id, or because the program made it
// from that resource's outputs, which a preview knows as well.
func (r *Resource) refers(path string, to *Resource) answer {
	top, rest, nested := strings.Cut(path, ".")
	given := r.At(top)
	if nested {
		given = given.Document().At(rest)
	}
	return r.refersBy(top, given, to)
}

// refersBy is refers for a value that stands somewhere in a property.
func (r *Resource) refersBy(property string, given value.Value, to *Resource) answer {
	sources := r.PropertyDependencies[property]
	if slices.Contains(sources, to.URN) {
		return yes
	}
	answers := no
	for _, element := range given.Each() {
		answers = max(answers, to.named(element))
	}
	if answers == maybe && len(sources) > 0 {
		return no // it is made from other resources
	}
	return answers
}

// named tells whether a text is the name of the resource in one of the spellings of AWS.
func (r *Resource) named(given value.Value) answer {
	text := given.Text()
	switch {
	case given.IsUnknown():
		return maybe
	case text == "":
		return no
	}
	arn, name := r.At("arn"), r.At("name")
	for _, own := range []value.Value{arn, name, r.At("url"), r.At("id")} {
		if own.Is(text) {
			return yes
		}
	}
	if strings.HasPrefix(text, "arn:") && arn.Text() != "" {
		return no // two ARNs that differ
	}
	for _, separator := range []string{":", "/"} {
		// An id is no property of its own; the ARN ends with it. Other texts end with the name, such as table/trades.
		if strings.HasSuffix(arn.Text(), separator+text) || name.Text() != "" && strings.HasSuffix(text, separator+name.Text()) {
			return yes
		}
	}
	if name.IsUnknown() || name.Unset() && arn.IsUnknown() {
		return maybe
	}
	return no
}
