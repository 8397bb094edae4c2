package engine

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Pulumi's own words make a mistake in the config look like a crash.
func TestAProgramsErrorIsToldInItsOwnWords(t *testing.T) {
	files := map[string]string{"Pulumi.yaml": "name: orders\nruntime: go", "Pulumi.test.yaml": ""}
	for name, test := range map[string]struct {
		program pulumi.RunFunc
		want    string
	}{
		"an error": {func(*pulumi.Context) error { return errors.New("two problems:\n  one\n  two") }, "previewing: two problems:\n  one\n  two"},
		"a panic":  {func(*pulumi.Context) error { panic("no such queue") }, "previewing: the program panicked: no such queue"},
	} {
		deployment, err := Open(Options{Root: folderOf(t, files), Stack: "test", Program: test.program})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := deployment.Preview(t.Context()); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}
