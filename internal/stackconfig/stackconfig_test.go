package stackconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"trade-processing/internal/stackconfig"
)

func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestAStacksFileStandsOverTheProjectsDefaults(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"Pulumi.yaml": `name: orders
config:
  limit: {type: integer, default: 5}
  sources: {type: array, items: {type: string}, default: [a, b]}
  email: {type: string, description: none by default}
  region: {type: string, default: us-east-1}
`,
		"Pulumi.test.yaml": `secretsprovider: default
config:
  aws:region: eu-west-1
  orders:limit: 7
  orders:flag: true
  orders:tags: {Owner: me, "1": one}
  orders:number: "0010"
  orders:token: {secure: AAAB}
`,
	})
	got, err := stackconfig.Read(folder, "test")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"orders:limit": "7", "orders:sources": `["a","b"]`, "orders:region": "us-east-1", "aws:region": "eu-west-1",
		"orders:flag": "true", "orders:tags": `{"1":"one","Owner":"me"}`, "orders:number": "0010", "orders:token": stackconfig.Placeholder,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCanNotBeRead(t *testing.T) {
	const project = "name: orders"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no project", nil, "reading the project file: open"},
		{"a project that is no YAML", map[string]string{"Pulumi.yaml": "name: ["}, "Pulumi.yaml: reading YAML"},
		{"no such stack", map[string]string{"Pulumi.yaml": project}, `stack "test" has no config: Pulumi.test.yaml does not exist in `},
		{"a stack that is no YAML", map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": "config: ["}, "Pulumi.test.yaml: reading YAML"},
		{"a config that is a list", map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": "config: [1]"}, "Pulumi.test.yaml: reading YAML"},
		{"a key that JSON has no form for", map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": "config: {orders:x: {1: one}}"}, "Pulumi.test.yaml: orders:x: "},
		{"a number that is none", map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": "config: {orders:x: .nan}"}, "Pulumi.test.yaml: orders:x: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := stackconfig.Read(folderOf(t, tc.files), "test"); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, %v, want %q", got, err, tc.want)
			}
		})
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
	masked, err := stackconfig.WithoutSecrets([]byte(config))
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
        - https://secret-not-available-offline.invalid
    orders:nested:
        inner: https://secret-not-available-offline.invalid
    orders:token: https://secret-not-available-offline.invalid
environment:
    - base
`
	if string(masked) != want {
		t.Errorf("got\n%s\nwant\n%s", masked, want)
	}
	for name, text := range map[string]string{"an empty file": "", "no config": "secretsprovider: default", "an empty config": "config:"} {
		masked, err := stackconfig.WithoutSecrets([]byte(text))
		var file map[string]any
		if err != nil || yaml.Unmarshal(masked, &file) != nil || file["secretsprovider"] != nil {
			t.Errorf("%s: %q, %v", name, masked, err)
		}
	}
	if _, err := stackconfig.WithoutSecrets([]byte("- a list")); err == nil {
		t.Error("a list was taken for a config file")
	}
}
