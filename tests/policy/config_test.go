package policy_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"trade-processing/policy/rules"
)

var example = regexp.MustCompile("(?s)<!-- policy config -->\n```json\n(.*?)```")

// exampleConfig returns the configuration that docs/policy-pack.md shows.
func exampleConfig(t *testing.T) map[string]any {
	t.Helper()
	page, err := os.ReadFile("../../docs/policy-pack.md")
	if err != nil {
		t.Fatal(err)
	}
	found := example.FindSubmatch(page)
	if found == nil {
		t.Fatal("docs/policy-pack.md shows no configuration")
	}
	var config map[string]any
	if err := json.Unmarshal(found[1], &config); err != nil {
		t.Fatal(err)
	}
	return config
}

func TestTheConfigurationOfThePageNamesRulesAndOptions(t *testing.T) {
	known := map[string]rules.Rule{}
	for _, rule := range rules.All() {
		known[rule.Name] = rule
	}
	for name, given := range exampleConfig(t) {
		rule, exists := known[name]
		if !exists {
			t.Errorf("there is no rule %s", name)
		}
		if options, ok := given.(map[string]any); ok {
			delete(options, "enforcementLevel") // the engine's own
			for _, problem := range rule.CheckConfig(options) {
				t.Error(problem)
			}
		}
	}
}

// The engine checks it against the schemas of the options.
func TestTheEngineTakesTheConfigurationOfThePage(t *testing.T) {
	d := open(t, program{run: queueWithoutKey, stack: "dev", config: exampleConfig(t)})
	v := d.preview()
	if said := v.messages("regions-allowed", "urn:pulumi:dev::cases::pulumi:providers:aws::aws"); len(said) != 1 {
		t.Errorf("us-east-1 is allowed: %v, %v", said, v.err)
	}
	if said := v.messages("tags-mandatory", ordersURN); len(said) != 1 { // DataClass
		t.Errorf("tags: %q", said)
	}
}
