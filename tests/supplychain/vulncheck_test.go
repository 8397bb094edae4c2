package supplychain_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// database writes a vulnerability database with one entry: some functions of a package that all our functions use.
// https://go.dev/security/vuln/database#api
func database(t *testing.T, symbol string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"index/db.json":      `{"modified":"2026-01-01T00:00:00Z"}`,
		"index/modules.json": `[{"path":"github.com/aws/aws-lambda-go","vulns":[{"id":"GO-2026-0000","modified":"2026-01-01T00:00:00Z"}]}]`,
		"index/vulns.json":   `[{"id":"GO-2026-0000","modified":"2026-01-01T00:00:00Z"}]`,
		"ID/GO-2026-0000.json": fmt.Sprintf(`{"schema_version":"1.3.1","id":"GO-2026-0000","modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z",
			"summary":"made up","details":"made up","affected":[{"package":{"name":"github.com/aws/aws-lambda-go","ecosystem":"Go"},
			"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
			"ecosystem_specific":{"imports":[{"path":"github.com/aws/aws-lambda-go/lambda","symbols":[%q]}]}}],"database_specific":{"url":"https://pkg.go.dev/vuln/GO-2026-0000"}}`, symbol),
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + folder
}

func TestVulnerabilitiesCountWhereTheyAreReached(t *testing.T) {
	if os.Getenv("SUPPLYCHAIN") == "" {
		t.Skip("SUPPLYCHAIN is not set: `make test-supplychain` runs govulncheck")
	}
	for name, tc := range map[string]struct {
		database string
		code     int
		says     string
	}{
		"one that every function reaches":  {database(t, "StartWithOptions"), 1, "Vulnerability #1: GO-2026-0000"},
		"one in code that nobody calls":    {database(t, "NobodyCallsThis"), 0, "Your code is affected by 0 vulnerabilities."},
		"a database that can't be reached": {"http://127.0.0.1:1", 77, "so that nothing was checked"},
		"a database that isn't there":      {"file:///nowhere", 77, "so that nothing was checked"},
	} {
		t.Run(name, func(t *testing.T) {
			script := exec.Command("../../tools/supplychain/vulncheck")
			script.Env = append(os.Environ(), "GOVULNDB="+tc.database)
			said, _ := script.CombinedOutput()
			if code := script.ProcessState.ExitCode(); code != tc.code || !strings.Contains(string(said), tc.says) {
				t.Errorf("exit code %d, want %d; it said\n%s", code, tc.code, said)
			}
			for _, function := range []string{"validator", "enricher", "recorder"} {
				if tc.code != 77 && !strings.Contains(string(said), "== "+function+"\n") {
					t.Errorf("it didn't look at the %s", function)
				}
			}
		})
	}
}
