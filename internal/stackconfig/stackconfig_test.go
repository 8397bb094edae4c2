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
	_, values, err := stackconfig.Load(t.Context(), folder, "test", map[string]string{"limit": "7"}, nil)
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

// What isn't known offline gets a value of its kind: the given stand-in, the project's default, or the Placeholder.
func TestASettingThatIsNoKeyIsRefused(t *testing.T) {
	_, _, err := stackconfig.Load(t.Context(), "../..", "local", map[string]string{"maxRetrys": "1"}, nil)
	if err == nil || err.Error() != "maxRetrys is not a config key of Pulumi.yaml" {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotKnownHasAStandIn(t *testing.T) {
	const project = "name: orders\nruntime: go\nconfig: {limit: {default: 5}, kinds: {default: [a, b]}, email: {default: ''}, tags: {default: {}}, token: {default: ''}}\n"
	unknown := stackconfig.StandIns{"email": "somebody@example.com", "tags": `{"Owner":"them","Cost":"7"}`, "aws:region": "us-east-1", "subnets": `["s-1","s-2"]`, "accounts": `{"*":["1"]}`}
	for name, test := range map[string]struct {
		stack string
		want  map[string]string // besides what all have
	}{
		"a secret of each kind": {
			"config: {aws:region: eu-west-1, orders:limit: {secure: A}, orders:kinds: {secure: A}, orders:email: {secure: A}, orders:tags: {secure: A}, orders:token: {secure: A}, orders:accounts: {secure: A}}",
			map[string]string{"accounts": "{}", "aws:region": "eu-west-1", "email": "somebody@example.com", "tags": `{"Owner":"them","Cost":"7"}`, "token": stackconfig.Placeholder},
		},
		"secrets inside": {
			"config: {aws:region: eu-west-1, orders:kinds: [x, {secure: A}], orders:subnets: [{secure: A}, {secure: B}], orders:tags: {Owner: {secure: A}, Team: {secure: A}}, orders:accounts: {a: [{secure: A}]}}",
			map[string]string{"accounts": `{"a":["1"]}`, "aws:region": "eu-west-1", "kinds": `["x","b"]`, "subnets": `["s-1","s-2"]`, "tags": `{"Owner":"them","Team":"` + stackconfig.Placeholder + `"}`},
		},
		"environments": {
			"environment: [acme/prod]\nconfig: {orders:tags: {Owner: me}, orders:limit: 6}",
			map[string]string{"aws:region": "us-east-1", "tags": `{"Cost":"7","Owner":"me"}`, "limit": "6", "accounts": "{}", "subnets": `["s-1","s-2"]`},
		},
		"an environment that is defined here": {
			"environment: {imports: [base], values: {x: 1, pulumiConfig: {aws:region: ap-south-1, limit: 8, 'orders:email': '${x}', tags: {Owner: {'fn::secret': s}}}}}",
			map[string]string{"aws:region": "ap-south-1", "limit": "8", "email": "somebody@example.com", "tags": `{"Cost":"7","Owner":"them"}`, "accounts": "{}", "subnets": `["s-1","s-2"]`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := folderOf(t, map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": test.stack})
			_, values, err := stackconfig.Load(t.Context(), folder, "acme/orders/test", nil, unknown)
			if err != nil {
				t.Fatal(err)
			}
			got, err := values.Decrypt(stackconfig.Masked)
			if err != nil {
				t.Fatal(err)
			}
			want := map[config.Key]string{}
			for key, value := range map[string]string{"limit": "5", "kinds": `["a","b"]`, "email": "", "tags": "{}", "token": ""} {
				want[config.MustMakeKey("orders", key)] = value
			}
			for key, value := range test.want {
				namespace, key, found := strings.Cut(key, ":")
				if !found {
					namespace, key = "orders", namespace
				}
				want[config.MustMakeKey(namespace, key)] = value
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheNamesOfAStack(t *testing.T) {
	folder := folderOf(t, map[string]string{"Pulumi.yaml": "name: orders\nruntime: go", "Pulumi.test.yaml": "config: {orders:x: y}"})
	for name, want := range map[string]string{
		"test": "", "acme/test": "", "acme/orders/test": "",
		"acme/others/test": "stack acme/others/test is of project others, and this is orders", "a/b/c/test": "is not a stack's name",
	} {
		if _, err := stackconfig.Read(folder, name); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
