package readme

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trade-processing/internal/sample"
	"trade-processing/internal/terminal"
)

// The comment before a block of commands says how it is tested:
//
//	<!-- test -->                     it is run in the project's folder
//	<!-- test: aws -->                it is run with stand-ins for pulumi and aws
//	<!-- test: up -->                 tests/integration runs it at the local cloud that stays up
//	<!-- test: verify -->             it is run in the project's folder against a deployment on the local cloud
//	<!-- test…, writes FILE -->       the file that it leaves is removed
//	<!-- test: go -->                 it is a Go program, and compiled
//	<!-- no test: REASON -->          it isn't run
//
// The operators' commands are checked for bash syntax, and for the names they use.
type how struct {
	where  where
	writes string
}

// where is the environment of the commands.
type where int

const (
	inTheProject where = iota
	withStandIns       // for pulumi and aws
	verifying          // a stack behind AWS's protocols, and a stand-in for pulumi
)

func (b block) how(t *testing.T) (how, bool) {
	t.Helper()
	kind, writes, _ := strings.Cut(b.marker, ", writes ")
	switch {
	case kind == "test":
		return how{writes: writes}, true
	case kind == "test: aws":
		return how{where: withStandIns, writes: writes}, true
	case kind == "test: verify":
		return how{where: verifying, writes: writes}, true
	case kind == "test: up", strings.HasPrefix(kind, "no test: "), slices.Contains(forOperators, b.page):
		return how{}, false
	}
	t.Errorf("%v: nothing says whether and how these commands are tested", b)
	return how{}, false
}

// forOperators are pages whose commands need an account in which something has happened, or more tools and time than a
// test has.
var forOperators = []string{"docs/cost.md", "docs/runbook.md"}

func TestTheCommandsForOperatorsAreShell(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if !slices.Contains(forOperators, b.page) || b.language != "sh" {
				continue
			}
			check := exec.Command("bash", "-n")
			check.Stdin = strings.NewReader(b.text)
			if output, err := check.CombinedOutput(); errors.Is(err, exec.ErrNotFound) {
				t.Skip("there is no bash")
			} else if err != nil {
				t.Errorf("%v: %v\n%s", b, err, output)
			}
		}
	}
}

// tested returns the blocks of commands to run in a certain way.
func tested(t *testing.T, within where) map[block]how {
	t.Helper()
	found := map[block]how{}
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "sh" {
				continue
			}
			if h, run := b.how(t); run && h.where == within {
				found[b] = h
			}
		}
	}
	if len(found) == 0 {
		t.Fatal("no block of commands is tested")
	}
	return found
}

// An overlay makes Go check a page's program as docs/main.go.
func TestTheProgramsOfThePagesCompile(t *testing.T) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "go" {
				continue
			}
			programs++
			if b.marker != "test: go" {
				t.Errorf("%v: no <!-- test: go --> before it", b)
			}
			folder := t.TempDir()
			source, overlay := filepath.Join(folder, "main.go"), filepath.Join(folder, "overlay.json")
			replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(absolute, "docs", "main.go"): source}})
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string][]byte{source: []byte(b.text), overlay: replaced} {
				if err := os.WriteFile(name, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			vet := exec.CommandContext(t.Context(), "go", "vet", "-overlay", overlay, "./docs")
			vet.Dir = absolute
			if output, err := vet.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", b, err, output)
			}
		}
	}
	if programs == 0 {
		t.Error("no page has a program: this test looks at nothing")
	}
}

// sampleCount is what `make demo` generates here: the same commands with fewer trades.
const sampleCount = "600"

func TestTheCommandsOfThePagesWork(t *testing.T) {
	expected := outputs(t)
	for b, h := range tested(t, inTheProject) {
		t.Run(b.String(), func(t *testing.T) {
			output := run(t, root, h, b.text, "COUNT="+sampleCount)
			for _, want := range expected[strings.TrimSpace(b.text)] {
				if !strings.Contains(shape(output), shape(want)) {
					t.Errorf("the page says that it prints %q, and it prints\n%s", want, output)
				}
			}
		})
	}
}

// run runs commands like a person who stops at the first failure.
func run(t *testing.T, folder string, h how, commands string, variables ...string) string {
	t.Helper()
	if h.writes != "" {
		left := filepath.Join(folder, h.writes)
		if _, err := os.Stat(left); err == nil {
			t.Fatalf("%s is in the way", h.writes)
		}
		defer func() {
			if err := os.Remove(left); err != nil {
				t.Errorf("the commands write no %s: %v", h.writes, err)
			}
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-eu", "-c", commands)
	shell.Dir, shell.Env, shell.WaitDelay = folder, append(os.Environ(), variables...), time.Second
	output, err := shell.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, commands, output)
	}
	return string(output)
}

// outputs returns the lines that a page says its commands print, by the commands. They follow the commands in a block
// under <!-- output -->; a line of … stands for omissions.
func outputs(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, p := range pages(t) {
		commands := ""
		for _, b := range p.blocks {
			switch {
			case b.language == "sh":
				commands = strings.TrimSpace(b.text)
			case b.marker == "output":
				for line := range strings.Lines(wrapped.ReplaceAllString(b.text, " + ")) {
					if line = strings.TrimSpace(line); line != "" && line != "…" {
						found[commands] = append(found[commands], line)
					}
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatal("no page says what its commands print")
	}
	return found
}

var (
	duration = regexp.MustCompile(`\([0-9.]+ [a-zµ]+\)`)
	trades   = regexp.MustCompile(`[0-9][0-9,.]*( %)?`)
	blanks   = regexp.MustCompile(` +`)
	wrapped  = regexp.MustCompile(`\n +\+ `) // where depends on the numbers
)

// shape returns a text without what differs from run to run and, except for the number of resources, without its
// numbers.
func shape(text string) string {
	var shaped strings.Builder
	for line := range strings.Lines(wrapped.ReplaceAllString(text, " + ")) {
		line = duration.ReplaceAllString(blanks.ReplaceAllString(strings.TrimSpace(line), " "), "")
		if !strings.Contains(line, "create") && !strings.Contains(line, ":") {
			line = trades.ReplaceAllString(line, "#")
		}
		shaped.WriteString(strings.TrimSpace(line) + "\n")
	}
	return shaped.String()
}

func TestTheNumbersOfTheDemoAreThoseOfItsSample(t *testing.T) {
	generator, err := sample.New(1, 20_000)
	if err != nil {
		t.Fatal(err)
	}
	e := generator.Expect()
	text := pageNamed(t, "README.md").text
	for name, n := range map[string]int64{
		"received": e.Received, "recorded": e.Recorded, "rejected": e.Rejected, "duplicates": e.Duplicates,
		"dead-lettered": e.Malformed + e.Conflicts, "not matched": e.NotMatched,
	} {
		sum := regexp.MustCompile(`(?m)^(✓ |  +\+ ).*\b` + regexp.QuoteMeta(terminal.Count(n)) + ` ` + name)
		row := regexp.MustCompile(`(?m)^  ` + name + `[a-z ]* ` + regexp.QuoteMeta(terminal.Count(n)) + ` `)
		if !sum.MatchString(text) || !row.MatchString(text) {
			t.Errorf("the README doesn't say that the demo has %d %s", n, name)
		}
	}
}
