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

// settings are what a configuration says of one rule.
type settings struct {
	rule  Rule
	given map[string]any
	today time.Time // by which exemptions end
}

// Option is something of a rule that firms see differently.
type Option struct {
	Name    string
	About   string         // a sentence
	Schema  map[string]any // JSON schema, without default and description
	Default any            // decoded JSON
	// Check says what is wrong with a setting that its schema can't say; nil where the schema says all.
	Check func(value.Value) []string
}

// texts is the schema of a list of texts.
func texts() map[string]any {
	return map[string]any{"type": "array", "items": map[string]any{"type": "string", "minLength": 1}}
}

// number is the schema of a number that is at least the least.
func number(least float64) map[string]any {
	return map[string]any{"type": "number", "minimum": least}
}

// list makes a default of texts.
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

// production is the option of rules that ask more of production.
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

// AllOptions are a rule's own options and the one that every rule has.
func (r Rule) AllOptions() []Option { return append(slices.Clone(r.Options), exemptions) }

// Schema is what the engine checks a configuration of the rule against.
func (r Rule) Schema() *policyx.ConfigSchema {
	schema := &policyx.ConfigSchema{Properties: map[string]map[string]any{}}
	for _, option := range r.AllOptions() {
		described := maps.Clone(option.Schema)
		described["description"], described["default"] = option.About, option.Default
		schema.Properties[option.Name] = described
	}
	return schema
}

// option is what the configuration says, or the default.
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

// exempt tells whether a resource may break the rule today, and what to add to the message where it no longer may.
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

// CheckConfig says what is wrong with a configuration of the rule that its schema can't say: options that it doesn't
// have, settings that mean nothing, and days that no calendar has.
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
		until := exemption.Get("until").Text()
		if _, err := time.Parse(time.DateOnly, until); err != nil {
			problems = append(problems, fmt.Sprintf("%s: the exemption of %s ends on %q, which is not a date; write it like 2027-01-31",
				r.Name, exemption.Get("urn").Text(), until))
		}
	}
	return problems
}

// matches compares with a pattern in which * stands for any text.
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
		// The first place is as good as any later one: what follows may still begin anywhere after it.
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text, rest = after, more
	}
}
