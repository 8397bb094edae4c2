package stackconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"

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
runtime: go
config:
  limit: {type: integer, default: 5}
  sources: {type: array, items: {type: string}, default: [a, b]}
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
	const project = "name: orders\nruntime: go"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no project", nil, "reading the project file: open"},
		{"a project that is no YAML", map[string]string{"Pulumi.yaml": "name: ["}, "'Pulumi.yaml': invalid YAML"},
		{"no such stack", map[string]string{"Pulumi.yaml": project}, `stack "test" has no config: Pulumi.test.yaml does not exist in `},
		{"a key that must be set", map[string]string{"Pulumi.yaml": project + "\nconfig: {email: {type: string}}", "Pulumi.test.yaml": ""}, "is missing configuration value 'email'"},
		{"a stack that is no YAML", map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": "config: ["}, "Pulumi.test.yaml: invalid YAML"},
		{"a config that is a list", map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": "config: [1]"}, "Pulumi.test.yaml: invalid YAML"},
		{"a number that is none", map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": "config: {orders:x: .nan}"}, "Pulumi.test.yaml: invalid YAML"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := stackconfig.Read(folderOf(t, tc.files), "test"); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestSecretsAreMaskedAndNothingElse(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"Pulumi.yaml": "name: orders\nruntime: go\n",
		"Pulumi.test.yaml": `secretsprovider: awskms://alias/orders
encryptedkey: AQIC
encryptionsalt: v1:abc
environment: [base]
config:
  aws:region: us-east-1
  orders:token:
    secure: AAABbbb
  orders:limits:
    soft: 5
  orders:list:
    - plain
    - secure: AAABccc
  orders:nested:
    inner:
      secure: AAABddd
`})
	got, err := stackconfig.Read(folder, "test")
	if err != nil {
		t.Fatal(err)
	}
	const masked = `"` + stackconfig.Placeholder + `"`
	want := map[string]string{
		"aws:region": "us-east-1", "orders:token": stackconfig.Placeholder, "orders:limits": `{"soft":5}`,
		"orders:list": `["plain",` + masked + `]`, "orders:nested": `{"inner":` + masked + `}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAStackWithoutAnyConfigHasTheProjectsDefaults(t *testing.T) {
	for name, text := range map[string]string{"an empty file": "", "no config": "secretsprovider: default", "an empty config": "config:"} {
		folder := folderOf(t, map[string]string{"Pulumi.yaml": "name: orders\nruntime: go\nconfig: {limit: {default: 5}}", "Pulumi.test.yaml": text})
		if got, err := stackconfig.Read(folder, "test"); err != nil || !cmp.Equal(got, map[string]string{"orders:limit": "5"}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestSettingsStandOverTheStacksFile(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"Pulumi.yaml": "name: orders\nruntime: go\nconfig: {limit: {default: 5}, name: {default: a}}", "Pulumi.test.yaml": "config: {orders:limit: 6}",
	})
	_, values, err := stackconfig.Load(t.Context(), folder, "test", map[string]string{"limit": "7"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := values.Decrypt(stackconfig.Masked)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[config.Key]string{config.MustMakeKey("orders", "limit"): "7", config.MustMakeKey("orders", "name"): "a"}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
