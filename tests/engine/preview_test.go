package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trade-processing/internal/engine"
)

// golden returns the URNs of a stack's golden resource graph, shortened as there.
func golden(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "stack", "testdata", name+".graph.json"))
	if err != nil {
		t.Fatal(err)
	}
	var nodes []struct{ URN string }
	if err := json.Unmarshal(text, &nodes); err != nil {
		t.Fatal(err)
	}
	var urns []string
	for _, n := range nodes {
		urns = append(urns, n.URN)
	}
	return urns
}

// program returns the URNs of what the program itself declares, in golden's form: without the stack, which the engine
// adds.
func program(plan *engine.Plan) []string {
	var urns []string
	for _, step := range plan.Steps {
		if strings.HasPrefix(step.Type, "pulumi:pulumi:") {
			continue
		}
		urn := step.URN[strings.LastIndex(step.URN[:strings.LastIndex(step.URN, "::")], "::")+2:]
		urns = append(urns, strings.ReplaceAll(urn, "trade-processing:components:", ""))
	}
	return urns
}

func TestAPreviewIsTheSameEveryTime(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, name)
			once, again := d.preview(), d.preview()
			if diff := cmp.Diff(once, again); diff != "" {
				t.Error(diff)
			}
			if got := operations(once); len(once.Steps) < 100 || !slices.Equal(got, []string{"create"}) {
				t.Errorf("%d resources: %v", len(once.Steps), got)
			}
			if diff := cmp.Diff(golden(t, name), program(once), cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("the golden resource graph (-) and the preview (+): %s", diff)
			}
			if made := d.cloud.Resources(); len(made) > 0 {
				t.Errorf("it made %d resources", len(made))
			}
		})
	}
}
