package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"trade-processing/policy/value"
)

// settings are the configuration of one rule.
type settings struct {
	rule  Rule
	given map[string]any
	today time.Time // by which exemptions end
}

// Option is an aspect of a rule on which firms differ.
type Option struct {
	Name    string
	About   string         // a sentence
	Schema  map[string]any // JSON schema, without default and description
	Default any            // decoded JSON
	// Check finds problems that a setting's schema can't express; nil if the schema suffices.
	Check func(value.Value) []string
}

// texts returns the schema of a list of strings.
func texts() map[string]any {
	return map[string]any{"type": "array", "items": map[string]any{"type": "string", "minLength": 1}}
}

// number returns the schema of a number of at least least.
func number(least float64) map[string]any {
	return map[string]any{"type": "number", "minimum": least}
}

// list turns strings into a default.
func list(elements ...string) []any {
	all := make([]any, len(elements))
	for i, element := range elements {
		all[i] = element
	}
	return all
}

const (
	productionStacks = "productionStacks"
	exempt           = "exempt"
)

// production is the option of rules that are stricter in production.
var production = Option{
	Name: productionStacks, About: "Names of the production stacks; * matches anything.",
	Schema: texts(), Default: list("prod", "production", "prod-*", "*-prod", "*-production"),
}

// exemptions is the option that every rule has.
var exemptions = Option{
	Name: exempt, About: "Resources that may break the rule: a URN (* matches anything), the reason, and the last day (UTC) on which they may.",
	Schema: map[string]any{"type": "array", "items": map[string]any{
		"type": "object", "additionalProperties": false, "required": list("urn", "reason", "until"),
		"properties": map[string]any{
			"urn":    map[string]any{"type": "string", "minLength": 1},
			"reason": map[string]any{"type": "string", "minLength": 10},
			"until":  map[string]any{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`},
		},
	}},
	Default: []any{},
}

// AllOptions returns a rule's own options and the one that every rule has.
func (r Rule) AllOptions() []Option { return append(slices.Clone(r.Options), exemptions) }

// Schema returns what the engine checks the rule's configuration against.
func (r Rule) Schema() *policyx.ConfigSchema {
	schema := &policyx.ConfigSchema{Properties: map[string]map[string]any{}}
	for _, option := range r.AllOptions() {
		described := maps.Clone(option.Schema)
		described["description"], described["default"] = option.About, option.Default
		schema.Properties[option.Name] = described
	}
	return schema
}

// option returns the configured value, or the default.
func (s settings) option(name string) value.Value {
	if given, configured := s.given[name]; configured {
		return value.Any(given)
	}
	for _, option := range s.rule.AllOptions() {
		if option.Name == name {
			return value.Any(option.Default)
		}
	}
	return value.Value{}
}

// exempt reports whether a resource may break the rule today, and what to add to the message if it no longer may.
func (s settings) exempt(urn string) (exempted bool, note string) {
	today := s.today.UTC().Format(time.DateOnly)
	for _, exemption := range s.option(exempt).Each() {
		if !matches(exemption.Get("urn").Text(), urn) {
			continue
		}
		until := exemption.Get("until").Text()
		if today <= until {
			return true, ""
		}
		note = fmt.Sprintf(" Its exemption (%s) ended on %s.", exemption.Get("reason").Text(), until)
	}
	return false, note
}

// CheckConfig finds the problems in a rule's configuration that its schema can't express: unknown options, meaningless
// settings, and impossible dates.
func (r Rule) CheckConfig(given map[string]any) []string {
	var problems []string
	known := map[string]bool{}
	for _, option := range r.AllOptions() {
		known[option.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !known[name] {
			problems = append(problems, fmt.Sprintf("%s: there is no option %q; it has %s", r.Name, name,
				strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		}
	}
	for _, option := range r.Options {
		if setting, configured := given[option.Name]; configured && option.Check != nil {
			for _, problem := range option.Check(value.Any(setting)) {
				problems = append(problems, fmt.Sprintf("%s: option %s: %s", r.Name, option.Name, problem))
			}
		}
	}
	for _, exemption := range value.Any(given[exempt]).Each() {
		if until := exemption.Get("until").Text(); !isDay(until) {
			problems = append(problems, fmt.Sprintf("%s: the exemption of %s ends on %q, which is not a date; write it like 2027-01-31",
				r.Name, exemption.Get("urn").Text(), until))
		}
	}
	return problems
}

// areDays reports the members of a setting that aren't dates.
func areDays(days value.Value) []string {
	var problems []string
	for _, name := range days.Keys() {
		if given := days.Get(name).Text(); !isDay(given) {
			problems = append(problems, fmt.Sprintf("%q, of %s, is not a date; write it like 2027-01-31", given, name))
		}
	}
	return problems
}

func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// matches compares with a pattern in which * matches anything.
func matches(pattern, text string) bool {
	before, rest, open := strings.Cut(pattern, "*")
	if !open {
		return pattern == text
	}
	text, found := strings.CutPrefix(text, before)
	if !found {
		return false
	}
	for {
		part, more, open := strings.Cut(rest, "*")
		if !open {
			return strings.HasSuffix(text, part)
		}
		// The first match is as good as any later one: what follows may still begin anywhere after it.
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text, rest = after, more
	}
}
