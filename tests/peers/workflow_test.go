package peers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// validate returns what asl-validator, the validator of the Serverless Framework's plugin, says against a definition.
func validate(t *testing.T, where, definition string) []finding {
	t.Helper()
	file := filepath.Join(t.TempDir(), "definition.json")
	if err := os.WriteFile(file, []byte(definition), 0o644); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(installed(t, "node_modules/.bin/asl-validator"), "--json-path", file).CombinedOutput()
	var findings []finding
	for _, problem := range regexp.MustCompile(`(?m)^\s*([A-Z_]{5,}): (.*)$`).FindAllStringSubmatch(string(said), -1) {
		findings = append(findings, finding{problem[1], where, problem[2]})
	}
	if valid := err == nil; valid != (len(findings) == 0) {
		t.Fatalf("its answer can't be read: %v: %s", err, said)
	}
	return findings
}

func TestASLValidator(t *testing.T) {
	installed(t, "")
	var findings []finding
	var definition string
	for shape := range shapes {
		machines := 0
		for _, r := range declare(t, shape, nil) {
			if r.Type == "aws:sfn/stateMachine:StateMachine" {
				definition = r.Inputs["definition"].(string)
				findings = append(findings, validate(t, shape+" "+address(r), definition)...)
				machines++
			}
		}
		if machines != 1 {
			t.Errorf("%s has %d state machines", shape, machines)
		}
	}
	judged(t, "asl-validator", findings)

	found(t, finding{ID: "SCHEMA_VALIDATION_FAILED", Where: "planted"}, validate(t, "planted", strings.Replace(definition, `"Type":"Parallel"`, `"Type":"Serial"`, 1)))
	found(t, finding{ID: "MISSING_TRANSITION_TARGET", Where: "planted"}, validate(t, "planted", strings.Replace(definition, `"StartAt":"`, `"StartAt":"No`, 1)))
}
