package cli_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"trade-processing/stack"
	"trade-processing/tests/cli"
)

const root = "../.."

// serve starts `tradectl local up --empty` and returns the variable for pulumi that it prints. It must end cleanly when interrupted.
func serve(t *testing.T) (name, value string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tradectl")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "trade-processing/cmd/tradectl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	served := exec.Command(program, "local", "up", "--empty", "--port", "0", "--project", root)
	served.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	served.Stderr = t.Output()
	printed, err := served.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := served.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := served.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		if err := served.Wait(); err == nil || served.ProcessState.ExitCode() != 130 {
			t.Errorf("interrupted it ends with %v", err)
		}
	})
	for lines := bufio.NewScanner(printed); lines.Scan(); {
		if export := regexp.MustCompile(`^export (PULUMI_\w+)=(\S+)$`).FindStringSubmatch(lines.Text()); export != nil {
			return export[1], export[2]
		}
	}
	t.Fatal("it prints no variable for pulumi")
	return "", ""
}

// If you have pulumi, you can bring the program up on the local cloud with it.
func TestACLIDeploysOntoTheLocalCloud(t *testing.T) {
	pulumi := cli.OnPath(t)
	pulumi.Set(serve(t))
	pulumi.Set("PULUMI_BACKEND_URL", "file://"+filepath.ToSlash(t.TempDir()))
	pulumi.Set("PULUMI_CONFIG_PASSPHRASE", "test")

	work := t.TempDir()
	for _, file := range []string{"Pulumi.yaml", "Pulumi.local.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(work, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	workspace, err := auto.NewLocalWorkspace(ctx, auto.WorkDir(work), auto.Program(stack.DeployFrom(folder)), auto.SecretsProvider("passphrase"),
		auto.EnvVars(pulumi.Environment()))
	if err != nil {
		t.Fatal(err)
	}
	deployed, err := auto.UpsertStack(ctx, "local", workspace)
	if err != nil {
		t.Fatal(err)
	}
	done, err := deployed.Up(ctx, optup.ErrorProgressStreams(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	if table, _ := done.Outputs["tradeTableName"].Value.(string); table != "trade-processing-local-trades" {
		t.Errorf("the outputs are %v", done.Outputs)
	}
	again, err := deployed.Preview(ctx, optpreview.ErrorProgressStreams(t.Output()))
	if err != nil || len(again.ChangeSummary) != 1 || again.ChangeSummary[apitype.OpSame] == 0 {
		t.Errorf("a second deployment would do %v (%v)", again.ChangeSummary, err)
	}
	outputs, err := pulumi.Run(ctx, work, "stack", "output", "--json", "--stack", "local", "--non-interactive")
	if err != nil || !strings.Contains(outputs, `"tradeTableName"`) {
		t.Errorf("asked as tradectl verify asks, it says %s (%v)", outputs, err)
	}
	if _, err := deployed.Destroy(ctx, optdestroy.ErrorProgressStreams(t.Output())); err != nil {
		t.Error(err)
	}
}
