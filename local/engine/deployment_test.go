package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestWhatCanNotBeOpenedSaysWhyAndLeavesNothing(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no project", nil, "reading the project file: open"},
		{"a stack without config", map[string]string{"Pulumi.yaml": "name: orders"}, `stack "test" has no config: Pulumi.test.yaml does not exist in `},
		{"a config that is no YAML", map[string]string{"Pulumi.yaml": "name: orders", "Pulumi.test.yaml": "config: ["}, "Pulumi.test.yaml: reading YAML"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root, temporary := t.TempDir(), t.TempDir()
			t.Setenv("TMPDIR", temporary)
			for name, content := range tc.files {
				if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Open(t.Context(), Options{Root: root, Stack: "test"})
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

func TestSecretsAreMaskedAndNothingElse(t *testing.T) {
	const config = `secretsprovider: awskms://alias/orders
encryptedkey: AQIC
encryptionsalt: v1:abc
environment: [base]
config:
  aws:region: us-east-1
  orders:token:
    secure: AAABbbb
  orders:limits:
    secure: not a secret beside another key
    soft: 5
  orders:list:
    - plain
    - secure: AAABccc
  orders:nested:
    inner:
      secure: AAABddd
`
	masked, err := withoutSecrets([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	const want = `config:
    aws:region: us-east-1
    orders:limits:
        secure: not a secret beside another key
        soft: 5
    orders:list:
        - plain
        - secret-not-available-offline
    orders:nested:
        inner: secret-not-available-offline
    orders:token: secret-not-available-offline
environment:
    - base
`
	if string(masked) != want {
		t.Errorf("got\n%s\nwant\n%s", masked, want)
	}
	for name, text := range map[string]string{"an empty file": "", "no config": "secretsprovider: default", "an empty config": "config:"} {
		masked, err := withoutSecrets([]byte(text))
		var file map[string]any
		if err != nil || yaml.Unmarshal(masked, &file) != nil || file["secretsprovider"] != nil {
			t.Errorf("%s: %q, %v", name, masked, err)
		}
	}
	if _, err := withoutSecrets([]byte("- a list")); err == nil {
		t.Error("a list was taken for a config file")
	}
}
