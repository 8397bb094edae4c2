package peers_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// audit returns what zizmor finds in the workflows of a project.
func audit(t *testing.T, project string) []finding {
	t.Helper()
	var report []struct {
		ID        string `json:"ident"`
		Text      string `json:"desc"`
		Locations []struct {
			Symbolic struct {
				Key map[string]struct {
					Path string `json:"verbatim_path"`
				} `json:"key"`
			} `json:"symbolic"`
		} `json:"locations"`
	}
	command := exec.Command(installed(t, "python/bin/zizmor"), "--offline", "--no-config", "--no-exit-codes", "--format", "json", filepath.Join(project, ".github"))
	if err := json.Unmarshal(run(t, command), &report); err != nil {
		t.Fatal(err)
	}
	var findings []finding
	for _, one := range report {
		_, file, _ := strings.Cut(one.Locations[0].Symbolic.Key["Local"].Path, ".github/")
		findings = append(findings, finding{one.ID, file, one.Text})
	}
	return findings
}

func TestZizmor(t *testing.T) { judged(t, "zizmor", audit(t, root)) }

func TestZizmorSeesFaults(t *testing.T) {
	project := t.TempDir()
	workflows := filepath.Join(project, ".github", "workflows")
	if err := os.MkdirAll(workflows, 0o755); err != nil {
		t.Fatal(err)
	}
	// A fork's title runs with the secrets of this repository.
	const fault = "on: pull_request_target\njobs:\n  greet:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n"
	if err := os.WriteFile(filepath.Join(workflows, "greet.yml"), []byte(fault), 0o644); err != nil {
		t.Fatal(err)
	}
	findings := audit(t, project)
	found(t, finding{ID: "template-injection", Where: "workflows/greet.yml"}, findings)
	found(t, finding{ID: "dangerous-triggers", Where: "workflows/greet.yml"}, findings)
}
