package packaged

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the schema anew")

// Other languages' SDKs are generated from the file. After a change that is meant, and with a new version:
//
//	go test ./internal/packaged -run Schema -update
func TestTheSchemaIsTheOneThatIsCheckedIn(t *testing.T) {
	const file = "../../cmd/pulumi-resource-trade-processing/schema.json"
	got := Schema()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("the file (-) and the Go types (+); write it anew with -update if that is meant:\n%s", diff)
	}
}
