package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// timeout is how long the tests of a mutant may take. One that turned a condition into an endless loop is noticed by
// it.
const timeout = 30 * time.Second

// tests are those that each mutant is judged by: every case of every rule, exemptions and configuration. The property
// tests on random values are left out, as what they find differs from run to run.
const tests = "^(TestCases|TestExemptions|TestAnExemptResourceIsNotMended|TestAConfigurationIsCheckedBeyondItsSchema|TestARuleSaysNothingOfOtherTypes|TestMatches)$"

// mutant is one condition, turned around for one rule; for all rules where rule is "".
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

// measure builds the instrumented package and runs its tests once for each mutant.
func measure(ctx context.Context, folder string) (*score, error) {
	all, err := instrument()
	if err != nil {
		return nil, fmt.Errorf("instrumenting: %w", err)
	}
	work, err := os.MkdirTemp("", "mutation-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work) //nolint:errcheck // a temporary folder
	binary, err := all.build(ctx, folder, work)
	if err != nil {
		return nil, err
	}
	mutants, err := all.mutants(ctx, binary, folder, filepath.Join(work, "pairs"))
	if err != nil {
		return nil, err
	}
	var group sync.WaitGroup
	next := make(chan *mutant)
	failures := make(chan error, len(mutants))
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for m := range next {
				passed, output, err := run(ctx, binary, folder, "MUTANT="+m.name())
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
		return &score{mutants}, ctx.Err()
	}
}

// build compiles the tests against the instrumented sources.
func (all *instrumented) build(ctx context.Context, folder, work string) (string, error) {
	replace := map[string]string{}
	for path, text := range all.files {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		replace[absolute] = filepath.Join(work, strings.ReplaceAll(path, string(filepath.Separator), "-"))
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
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlayFile, "-o", binary, "./"+folder)
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the instrumented tests: %w\n%s", err, output)
	}
	return binary, nil
}

// mutants runs the tests as they are, and makes a mutant of each condition that each rule asks.
func (all *instrumented) mutants(ctx context.Context, binary, folder, record string) ([]mutant, error) {
	passed, output, err := run(ctx, binary, folder, "MUTANT_RECORD="+record)
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
	for _, c := range all.conditions { // one that no test reaches survives, and counts
		if !slices.ContainsFunc(mutants, func(m mutant) bool { return m.id == c.id }) {
			mutants = append(mutants, mutant{condition: c})
		}
	}
	slices.SortFunc(mutants, func(a, b mutant) int { return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.id, b.id)) })
	return mutants, nil
}

// run runs the tests and tells whether they passed.
func run(ctx context.Context, binary, folder, variable string) (passed bool, output string, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tests := exec.CommandContext(ctx, binary, "-test.run", tests, "-test.failfast", "-test.count=1")
	tests.Dir = folder
	tests.Env = append(os.Environ(), variable)
	text, err := tests.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return false, string(text), nil // a failure, a panic, or the timeout
	}
	return err == nil, string(text), err
}

// score is what became of the mutants.
type score struct{ mutants []mutant }

func (s *score) survivors() []mutant {
	var all []mutant
	for _, m := range s.mutants {
		if !m.killed {
			all = append(all, m)
		}
	}
	return all
}

// machinery is what the conditions belong to that no rule has for itself.
const machinery = "(shared by all rules)"

// write prints the score of each rule, and those mutants that nobody noticed.
func (s *score) write(to io.Writer, verbose bool) {
	noticed, made := map[string]int{}, map[string]int{}
	for _, m := range s.mutants {
		name := cmp.Or(m.rule, machinery)
		made[name]++
		if m.killed {
			noticed[name]++
		}
	}
	rules := 0
	for _, name := range slices.Sorted(maps.Keys(made)) {
		fmt.Fprintf(to, "%-40s %3d of %3d  %3d %%\n", name, noticed[name], made[name], 100*noticed[name]/made[name])
		if name != machinery {
			rules++
		}
	}
	for _, m := range s.mutants {
		fate := "SURVIVED"
		if m.killed {
			fate = "noticed"
		}
		if verbose || !m.killed {
			fmt.Fprintf(to, "%s: %s: if not (%s)\n    %s\n", fate, m.place, strings.Join(strings.Fields(m.source), " "), cmp.Or(m.rule, machinery))
		}
	}
	all, survived := len(s.mutants), len(s.survivors())
	fmt.Fprintf(to, "%d mutants of %d rules, %d noticed: score %.1f %%\n", all, rules, all-survived, 100*float64(all-survived)/float64(all))
}
