// Package policy_test runs the policy pack on the real Pulumi engine: every case of every rule, and this program's own
// stacks.
package policy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/internal/engine"
	"trade-processing/policy/pack"
)

// desk is a stack on the engine with the pack on.
type desk struct {
	t     testing.TB
	stack *engine.Deployment
}

// program is what to run on the engine, and how the pack judges it.
type program struct {
	run    pulumi.RunFunc
	stack  string
	config map[string]any // of the pack
}

func open(t testing.TB, p program) *desk {
	t.Helper()
	folder := t.TempDir()
	text, err := json.Marshal(p.config)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"Pulumi.yaml": "name: cases\nruntime: go\n", "Pulumi." + p.stack + ".yaml": "", "pack.json": string(text)}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	policies, err := pack.Server(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := engine.Open(engine.Options{
		Root: folder, Stack: p.stack, Program: p.run, Providers: echoes(), Policies: policies, PolicyConfig: filepath.Join(folder, "pack.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t, opened}
}

// verdict is what the engine said about the policies.
type verdict struct {
	engine.Verdict
	err error
}

func (d *desk) preview() verdict {
	plan, err := d.stack.Preview(d.t.Context())
	return verdict{plan.Policies, err}
}

func (d *desk) up() verdict {
	plan, _, err := d.stack.Up(d.t.Context())
	return verdict{plan.Policies, err}
}

// messages returns what a rule said about a resource, without the reason that the engine shows first.
func (v *verdict) messages(rule, urn string) []string {
	var all []string
	for _, violation := range v.Violations {
		if violation.Policy == rule && violation.URN == urn {
			_, message, _ := strings.Cut(violation.Message, "\n")
			all = append(all, message)
		}
	}
	return all
}

func (v *verdict) passed(rule string) bool { return slices.Contains(v.Passed, rule) }
