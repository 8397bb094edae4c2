package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tradectl": main})
}

// The scripts type what a person would.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitCode},
	})
}

// exitCode runs a program and compares its exit code: exitcode 2 tradectl sample --count 0
func exitCode(script *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		script.Fatalf("usage: exitcode CODE PROGRAM [ARGUMENT…]")
	}
	got := "0"
	if err := script.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		script.Fatalf("exit code %s, want %s", got, args[0])
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	var visit func(*cobra.Command)
	visit = func(command *cobra.Command) {
		if command.Short == "" || strings.HasSuffix(command.Short, ".") {
			t.Errorf("%s: Short is %q; a short sentence without a full stop", command.CommandPath(), command.Short)
		}
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			// What stands between back quotes is taken for the name of the flag's value.
			if name, _ := pflag.UnquoteUsage(flag); strings.Contains(name, " ") || flag.Value.Type() == "bool" && name != "" {
				t.Errorf("%s: --%s seems to take %q", command.CommandPath(), flag.Name, name)
			}
		})
		for _, child := range command.Commands() {
			visit(child)
		}
	}
	visit(newRoot(&terminal.Terminal{}))
}

// Every command has examples, and takes what they show.
func TestEveryExampleIsOne(t *testing.T) {
	for typed, command := range everyCommand() {
		if command.Hidden || command.HasSubCommands() && command.Args == nil || strings.HasPrefix(typed, "tradectl completion") || command == command.Root() {
			continue
		}
		found := false
		for _, part := range strings.FieldsFunc(command.Example, func(r rune) bool { return r == '\n' || r == '|' }) {
			part, _, _ = strings.Cut(part, " #")
			part, _, _ = strings.Cut(part, " >")
			words := strings.Fields(strings.ReplaceAll(part, "'", ""))
			if len(words) == 0 || words[0] != "tradectl" {
				continue
			}
			root := newRoot(&terminal.Terminal{})
			shown, args, err := root.Find(words[1:])
			if err == nil {
				err = shown.ParseFlags(args)
			}
			if err == nil {
				err = errors.Join(shown.ValidateArgs(shown.Flags().Args()), shown.ValidateRequiredFlags(), shown.ValidateFlagGroups())
			}
			if err != nil {
				t.Errorf("%s: %s: %v", typed, part, err)
			}
			found = found || err == nil && shown.CommandPath() == typed
		}
		if !found {
			t.Errorf("%s has no example", typed)
		}
	}
}

// A shell offers what a flag takes, whatever the project's folder is called.
func TestValuesAreCompleted(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a folder [1]")
	files := fstest.MapFS{"Pulumi.yaml": {}, "Pulumi.dev.yaml": {}, "Pulumi.local.yaml": {}, "Pulumi.prod.yaml": {}}
	if err := os.CopyFS(folder, files); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	for typed, command := range everyCommand() {
		for flag, want := range map[string]string{"output": "table\njson\ncsv\n:4\n", "stack": "dev\nlocal\nprod\n:4\n"} {
			if command.Flags().Lookup(flag) == nil {
				continue
			}
			var out bytes.Buffer
			args := append([]string{"__complete"}, append(strings.Fields(typed)[1:], "--"+flag, "")...)
			execute(t.Context(), &terminal.Terminal{Out: &out, Err: io.Discard, Getenv: func(string) string { return "" }}, args)
			if out.String() != want {
				t.Errorf("%s --%s: the shell offers %q, want %q", typed, flag, out.String(), want)
			}
		}
	}
}

func TestAnInterruptedCommandSaysSo(t *testing.T) {
	var out, errs bytes.Buffer
	term := &terminal.Terminal{Out: &out, Err: &errs, Getenv: func(string) string { return "" }}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	directory := t.TempDir()
	code := execute(ctx, term, []string{"sample", "--out", directory + "/sample.ndjson"})
	if code != exitcode.Interrupted || !strings.HasSuffix(errs.String(), "✗ interrupted\n") {
		t.Errorf("exit code %d:\n%s", code, &errs)
	}
	if files, err := os.ReadDir(directory); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v (%v)", files, err)
	}
}

// Whatever is typed, or names a file, comes back without what a terminal acts on.
func TestAnErrorDoesNothingToATerminal(t *testing.T) {
	for _, args := range [][]string{
		{"local", "run", "--project", "../..", "no\x1b]0;title\asuch\u009bfile\u202e"}, {"no\x1b[31msuch"}, {"local", "run", "--project", "/no\x1bsuch"},
		{"sample", "--count", "\x1b[2J"}, {"local", "run", "--\x1b[2J"},
	} {
		var said bytes.Buffer
		code := execute(t.Context(), &terminal.Terminal{Out: io.Discard, Err: &said, Getenv: func(string) string { return "" }}, args)
		if code == exitcode.OK || said.Len() == 0 || strings.ContainsFunc(said.String(), func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }) {
			t.Errorf("%q: exit code %d, %q", args, code, said.String())
		}
	}
}

func TestAPanicIsExplained(t *testing.T) {
	var errs bytes.Buffer
	term := &terminal.Terminal{Out: panicking{}, Err: &errs, Getenv: func(string) string { return "" }}
	code := execute(t.Context(), term, []string{"version"})
	if code != exitcode.Failure || !strings.HasPrefix(errs.String(), "✗ internal error: a bug\nThis is a bug in tradectl") {
		t.Errorf("exit code %d:\n%s", code, &errs)
	}
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic(errors.New("a bug")) }
