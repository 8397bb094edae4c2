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
	// Provider has the inputs of the resource's provider, such as its region and default tags. Empty for components and
	// for providers themselves.
	Provider property.Map
	Protect  bool
	// PropertyDependencies are the URNs that a property was made from, by the property's name. Only stack rules get them.
	PropertyDependencies map[string][]string
}

// Resource is a resource as one rule sees it.
type Resource struct {
	Declared
	settings settings
	report   func(message, urn string)
}

// At reads a property by its path, such as "serverSideEncryption.kmsKeyArn".
func (r *Resource) At(path string) value.Value { return value.OfMap(r.Properties).At(path) }

// AtProvider reads an input of the resource's provider. The engine keeps nested ones as JSON text: use Document for
// those.
func (r *Resource) AtProvider(name string) value.Value { return value.OfMap(r.Provider).Get(name) }

// Setting reads one of the rule's options.
func (r *Resource) Setting(name string) value.Value { return r.settings.option(name) }

// Breaks reports that the resource breaks the rule: which property, what is wrong with it, and how to fix it.
func (r *Resource) Breaks(property, problem, fix string) {
	exempt, note := r.settings.exempt(r.URN)
	if !exempt {
		r.report(r.settings.rule.violation(property, problem, fix+"."+note), r.URN)
	}
}

// InProduction reports whether the stack's name is among the option productionStacks.
func (r *Resource) InProduction() bool {
	return slices.ContainsFunc(r.Setting(productionStacks).Each(), func(pattern value.Value) bool {
		return matches(pattern.Text(), r.stack())
	})
}

// region returns where the resource is created: from its own property, which version 7 of the AWS provider has, or its
// provider's.
func (r *Resource) region() value.Value {
	if own := r.At("region"); !own.Unset() {
		return own
	}
	return r.AtProvider("region")
}

func (r *Resource) stack() string { return string(urn.URN(r.URN).Stack()) }

// answer is what is known about a question on two resources.
type answer int

const (
	no answer = iota
	maybe
	yes
)

// refers reports whether a property names another resource: by its ARN, URL, name or id, or because the program made it
// from that resource's outputs, which even a preview knows.
func (r *Resource) refers(path string, to *Resource) answer {
	property, given := r.follow(path)
	return r.refersBy(property, given, to)
}

// follow returns what is at a path, and the property that it is in.
func (r *Resource) follow(path string) (property string, given value.Value) {
	property, rest, nested := strings.Cut(path, ".")
	given = r.At(property)
	if nested {
		given = given.Document().At(rest)
	}
	return property, given
}

// refersBy is refers for a value somewhere inside a property.
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

// named reports whether a string is the resource's name in one of AWS's forms.
func (r *Resource) named(given value.Value) answer {
	text := given.Text()
	switch {
	case given.IsUnknown():
		return maybe
	case text == "":
		return no
	}
	arn, name := r.At("arn"), r.At("name")
	for _, own := range r.names() {
		if own.Is(text) {
			return yes
		}
	}
	if strings.HasPrefix(text, "arn:") && arn.Text() != "" {
		return no // two ARNs that differ
	}
	for _, separator := range []string{":", "/"} {
		// An id isn't a property; the ARN ends with it. Other strings end with the name, such as table/trades.
		if strings.HasSuffix(arn.Text(), separator+text) || name.Text() != "" && strings.HasSuffix(text, separator+name.Text()) {
			return yes
		}
	}
	if r.unnamed() {
		return maybe
	}
	return no
}

// names are the properties that name a resource. What names it otherwise ends as one of them does.
func (r *Resource) names() []value.Value {
	return []value.Value{r.At("arn"), r.At("name"), r.At("url"), r.At("id")}
}

// unnamed reports whether it isn't known yet what names a resource.
func (r *Resource) unnamed() bool {
	name := r.At("name")
	return name.IsUnknown() || name.Unset() && r.At("arn").IsUnknown()
}
