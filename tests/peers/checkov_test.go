package peers_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trade-processing/components/declared"
)

// outputs are what a resource gets from AWS that others refer to. Checkov follows the references: a security group that
// nothing refers to is a finding.
func outputs(r *declared.Resource) map[string]any {
	if !strings.HasPrefix(r.Type, "aws:") {
		return nil
	}
	computed := map[string]any{}
	for _, name := range []string{"id", "arn", "url", "keyId", "registryId", "repositoryUrl", "stateMachineVersionArn", "streamArn", "prefixListId"} {
		if r.Inputs[name] == nil {
			computed[name] = reference(r, name)
		}
	}
	return computed
}

func TestCheckov(t *testing.T) {
	checkov := installed(t, "python/bin/checkov")
	folder := t.TempDir()
	write := func(name string, resources []*declared.Resource) {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name, "main.tf"), terraform(resources), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown := 1
	for _, name := range []string{"dev", "prod"} {
		resources := declare(t, name, outputs)
		for _, r := range resources {
			if strings.HasPrefix(r.Type, "aws:") {
				shown++
			}
		}
		write(name, resources)
	}
	write("planted", []*declared.Resource{{Type: "aws:sqs/queue:Queue", Name: "open", Provider: "us-east-1", Inputs: map[string]any{"name": "open"}}})

	command := exec.Command(checkov, "--directory", folder, "--framework", "terraform", "--skip-download", "--quiet", "--output", "json")
	command.Env = append(os.Environ(), "LOG_LEVEL=ERROR")
	var report struct {
		Results struct {
			FailedChecks []struct {
				ID       string `json:"check_id"`
				Name     string `json:"check_name"`
				File     string `json:"file_path"`
				Resource string `json:"resource"`
			} `json:"failed_checks"`
			ParsingErrors []string `json:"parsing_errors"`
		} `json:"results"`
		Summary struct {
			Passed    int `json:"passed"`
			Resources int `json:"resource_count"`
		} `json:"summary"`
	}
	if err := json.Unmarshal(run(t, command, 1), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Results.ParsingErrors) > 0 || report.Summary.Resources != shown {
		t.Errorf("Checkov read %d resources of %d, and can't read %v", report.Summary.Resources, shown, report.Results.ParsingErrors)
	}
	t.Logf("%d checks passed on %d resources", report.Summary.Passed, report.Summary.Resources)
	var declared, planted []finding
	for _, failed := range report.Results.FailedChecks {
		stack := strings.Split(failed.File, "/")[1]
		f := finding{ID: failed.ID, Where: stack + " " + failed.Resource, Text: failed.Name}
		if stack == "planted" {
			planted = append(planted, f)
		} else {
			declared = append(declared, f)
		}
	}
	found(t, finding{ID: "CKV_AWS_27", Where: "planted aws_sqs_queue.open"}, planted)
	judged(t, "checkov", declared)
}
