// Package page holds generated pages against what generates them.
package page

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the pages that are generated")

// Check compares a file with what it must be, and with -update writes it. The command is how somebody does that.
func Check(t *testing.T, file, want, command string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale; rewrite it with: %s", file, command)
	}
}
