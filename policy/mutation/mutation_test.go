package mutation

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `package rules

func judge(a, b int) bool {
	if a > 1 {
		return false
	}
	switch {
	case a == 0, b == 0:
		return a == b
	}
	switch a {
	case 3:
	}
	less := func(x int) bool { return x < a }
	count := func(x int) int { return x }
	return less(b) && count(a) > 0
}
`

func TestEveryConditionIsFoundOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules", "sample.go")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	all := &instrumented{files: map[string][]byte{}}
	if err := all.file(path); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, c := range all.conditions {
		found = append(found, c.source)
		if c.shared {
			t.Errorf("%s is of the machinery", c.source)
		}
	}
	// In the order in which the tree is walked: a function's results before what is within it.
	want := []string{"a == b", "less(b) && count(a) > 0", "a > 1", "a == 0", "b == 0", "x < a"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	text := string(all.files[path])
	if _, err := parser.ParseFile(token.NewFileSet(), path, text, 0); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	if probes := strings.Count(text, "mutationProbe("); probes != len(want) {
		t.Errorf("%d probes\n%s", probes, text)
	}
}

func TestTheRulesBeginTheirJudgementAtTheProbe(t *testing.T) {
	all := &instrumented{files: map[string][]byte{}}
	path := filepath.Join("..", "rules", "judge.go")
	if err := all.file(path); err != nil {
		t.Fatal(err)
	}
	if text := string(all.files[path]); strings.Count(text, "mutationJudging(r.Name)") != 1 {
		t.Errorf("no mutant would be of a rule:\n%s", text)
	}
}

func TestMachineryIsShared(t *testing.T) {
	for path, want := range map[string]bool{
		"rules/tags.go": false, "rules/settings.go": true, "rules/resource.go": true, "value/value.go": true, "document/document.go": true,
	} {
		if isShared(filepath.FromSlash(path)) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
