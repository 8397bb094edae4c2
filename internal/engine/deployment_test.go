package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestWhatCanNotBeOpenedSaysWhyAndLeavesNothing(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no project", nil, "reading the project file: open"},
		{"a stack without config", map[string]string{"Pulumi.yaml": "name: orders\nruntime: go"}, `stack "test" has no config: Pulumi.test.yaml does not exist in `},
		{"a config that is no YAML", map[string]string{"Pulumi.yaml": "name: orders\nruntime: go", "Pulumi.test.yaml": "config: ["}, "Pulumi.test.yaml: invalid YAML file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root, temporary := folderOf(t, tc.files), t.TempDir()
			t.Setenv("TMPDIR", temporary)
			_, err := Open(Options{Root: root, Stack: "test"})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
				t.Errorf("left: %v (%v)", left, err)
			}
		})
	}
}

func TestFailuresSayWhatTheEngineReported(t *testing.T) {
	ended, cancel := context.WithCancelCause(context.Background())
	why := errors.New("somebody pressed Ctrl-C")
	cancel(why)
	exit := errors.New("exit status 255")
	for _, tc := range []struct {
		name string
		ctx  context.Context
		plan Plan
		err  error
		want string
	}{
		{"nothing", context.Background(), Plan{Errors: []string{"told, and then all went well"}}, nil, ""},
		{"what it reported", context.Background(), Plan{Errors: []string{"no such type", "no such property"}}, exit, "deploying: no such type\nno such property"},
		{
			"which policies are broken", context.Background(), Plan{Policies: Verdict{Violations: []Violation{
				{Policy: "named", Level: "advisory", URN: queueURN, Message: "a long name"},
				{Policy: "tagged", Level: "mandatory", URN: queueURN, Message: "tags lack Owner."},
			}}}, exit,
			"deploying: refused by the policies\npolicy tagged is broken (mandatory)\n  aws:sqs/queue:Queue \"failures\"\n    tags lack Owner.",
		},
		{"its exit where it reported nothing", context.Background(), Plan{}, exit, "deploying: exit status 255"},
		{"the interrupt, whatever it reported", ended, Plan{Errors: []string{"update canceled"}}, exit, "deploying: somebody pressed Ctrl-C"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := ""
			if err := failure(tc.ctx, "deploying", &tc.plan, tc.err); err != nil {
				text = err.Error()
			}
			if text != tc.want {
				t.Errorf("got %q, want %q", text, tc.want)
			}
		})
	}
	if err := failure(ended, "deploying", &Plan{}, exit); !errors.Is(err, why) {
		t.Errorf("%v is not the cause", err)
	}
}
