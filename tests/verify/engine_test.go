package verify_test

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/localrun"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/engine"
	"trade-processing/local/engine/enginetest"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

// What the real engine has deployed is verified by its name alone: pulumi is asked for the outputs.
func TestAStackOfTheEngineIsVerified(t *testing.T) {
	cli := enginetest.CLI(t)
	logs := &endpoint.Logs{}
	w := &world{t: t, cloud: cloud.New(cloud.Options{Images: localrun.Images(), Logs: logs})}
	w.server = httptest.NewServer(endpoint.New(w.cloud, logs))
	t.Cleanup(w.server.Close)
	servers, err := provider.Serve(w.cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Close)
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	deployment, err := engine.Open(t.Context(), engine.Options{
		CLI: cli, Root: folder, Stack: "local", Program: stack.DeployFrom(folder), Attach: servers.Attach(), State: state, WriteOnce: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := deployment.Up(t.Context()); err != nil {
		t.Fatal(err)
	}

	t.Setenv("PULUMI_BACKEND_URL", "file://"+filepath.ToSlash(filepath.Join(state, "backend")))
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "local")
	t.Setenv("PULUMI_HOME", filepath.Join(state, "home"))
	work := filepath.Join(state, "work")
	out, _, err := w.tradectl(t.Context(), "", "--stack", "local", "--project", work, "--watch", "0", "--timeout", "10s")
	if code, _ := exitcode.Of(err); code != exitcode.OK || !strings.Contains(out, "✓ stack local in us-east-1") {
		t.Errorf("exit code %d: %v\n%s", code, err, out)
	}

	_, _, err = w.tradectl(t.Context(), "", "--stack", "other", "--project", work)
	if code, _ := exitcode.Of(err); code != exitcode.Usage || !strings.Contains(err.Error(), "asking pulumi for the outputs of stack other: ") {
		t.Errorf("exit code %d for a stack that isn't there: %v", code, err)
	}
}
