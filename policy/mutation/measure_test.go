// Package mutation negates the rules' conditions, one at a time, and checks whether a test notices.
//
// Every condition in the sources of rules, document and value is instrumented once, at source level: an if, a case of a
// switch, or the result of a function that answers a question. The instrumented packages and the tests of rules are
// built once with `go test -overlay`, which leaves the sources as they are. A first run of the tests records which rule
// evaluates which condition. Each of these pairs is a mutant: the tests run again with that condition negated while
// that rule judges, and a test has to fail. A condition of the machinery that all rules share, such as exemptions, is a
// single mutant.
package mutation

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// timeout is how long a mutant's tests may take. It catches a mutant that turned a condition into an endless loop.
const timeout = 30 * time.Second

// tests are the tests that judge each mutant: every case of every rule, exemptions and configuration. The property
// tests on random values are left out, because what they find differs from run to run.
const tests = "^(TestCases|TestExemptions|TestAnExemptResourceIsNotMended|TestAConfigurationIsCheckedBeyondItsSchema|TestARuleSaysNothingOfOtherTypes|TestMatches|TestMentionsAreFoundAsByLookingAtAll)$"

// mutant is one condition, negated for one rule; for all rules if rule is "".
type mutant struct {
	condition
	rule   string
	killed bool
}

func (m mutant) name() string {
	if m.rule == "" {
		return strconv.Itoa(m.id)
	}
	return fmt.Sprintf("%d@%s", m.id, m.rule)
}

// measure builds the instrumented package and runs its tests once per mutant.
func measure(ctx context.Context, work string) ([]mutant, error) {
	all, err := instrument()
	if err != nil {
		return nil, fmt.Errorf("instrumenting: %w", err)
	}
	binary, err := all.build(ctx, work)
	if err != nil {
		return nil, err
	}
	mutants, err := all.mutants(ctx, binary, filepath.Join(work, "pairs"))
	if err != nil {
		return nil, err
	}
	var group sync.WaitGroup
	next := make(chan *mutant)
	failures := make(chan error, len(mutants))
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for m := range next {
				passed, output, err := run(ctx, binary, "MUTANT="+m.name())
				if err != nil {
					failures <- fmt.Errorf("mutant %s at %s: %w\n%s", m.name(), m.place, err, output)
				}
				m.killed = !passed
			}
		})
	}
	for i := range mutants {
		next <- &mutants[i]
	}
	close(next)
	group.Wait()
	select {
	case err := <-failures:
		return nil, err
	default:
		return mutants, ctx.Err()
	}
}

// build compiles the tests against the instrumented sources.
func (all *instrumented) build(ctx context.Context, work string) (string, error) {
	replace := map[string]string{}
	for path, text := range all.files {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		replace[absolute] = filepath.Join(work, filepath.Base(filepath.Dir(path))+"-"+filepath.Base(path))
		if err := os.WriteFile(replace[absolute], text, 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlayFile, binary := filepath.Join(work, "overlay.json"), filepath.Join(work, "tests")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlayFile, "-o", binary, "../rules")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the instrumented tests: %w\n%s", err, output)
	}
	return binary, nil
}

// mutants runs the tests unchanged, and makes a mutant of each condition that each rule evaluates.
func (all *instrumented) mutants(ctx context.Context, binary, record string) ([]mutant, error) {
	passed, output, err := run(ctx, binary, "MUTANT_RECORD="+record)
	if err != nil || !passed {
		return nil, fmt.Errorf("the tests fail without any mutant: %w\n%s", err, output)
	}
	text, err := os.ReadFile(record)
	if err != nil {
		return nil, err
	}
	asked := map[string]mutant{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		number, rule, _ := strings.Cut(lines.Text(), "@")
		id, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("the tests recorded %q", lines.Text())
		}
		m := mutant{condition: all.conditions[id], rule: rule}
		if m.shared {
			m.rule = ""
		}
		asked[m.name()] = m
	}
	mutants := slices.Collect(maps.Values(asked))
	for _, c := range all.conditions { // a condition that no test reaches survives, and counts
		if !slices.ContainsFunc(mutants, func(m mutant) bool { return m.id == c.id }) {
			mutants = append(mutants, mutant{condition: c})
		}
	}
	slices.SortFunc(mutants, func(a, b mutant) int { return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.id, b.id)) })
	return mutants, nil
}

// run runs the tests and reports whether they passed.
func run(ctx context.Context, binary, variable string) (passed bool, output string, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tests := exec.CommandContext(ctx, binary, "-test.run", tests, "-test.failfast", "-test.count=1")
	tests.Dir = "../rules"
	tests.Env = append(os.Environ(), variable)
	text, err := tests.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return false, string(text), nil // a failure, a panic, or the timeout
	}
	return err == nil, string(text), err
}

// machinery owns the conditions that belong to no single rule.
const machinery = "shared by all rules"

func TestEveryMutantIsNoticed(t *testing.T) {
	if os.Getenv("MUTATION") == "" {
		t.Skip("MUTATION is not set: `make policy` turns the conditions around")
	}
	mutants, err := measure(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if !m.killed {
			t.Errorf("nobody notices %s: if not (%s), %s", m.place, strings.Join(strings.Fields(m.source), " "), cmp.Or(m.rule, machinery))
		}
	}
	t.Logf("%d mutants", len(mutants))
}
