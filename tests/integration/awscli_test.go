package integration_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trade-processing/tests/shell"
)

// onlyInVersion2 are options of the AWS CLI v2, for which the pages are written; v1 is installed here.
var onlyInVersion2 = []string{"cli-binary-format", "no-cli-pager"}

// command is a command on a page.
type command struct {
	where   string
	name    string // service, operation, and for wait what for
	options []string
	whole   bool // it is in a block of commands, not in a sentence
}

// The AWS CLI commands in the documentation exist, have the options they are given, and are given the options they
// require.
func TestTheCommandsOfTheAWSCLIExist(t *testing.T) {
	python := tool(t, "python/bin/python")
	commands := onThePages(t)
	if len(commands) < 45 {
		t.Fatalf("the pages have %d commands of the AWS CLI: this test overlooks most", len(commands))
	}
	known := ask(t, python, commands)
	for _, c := range commands {
		arguments := known[c.name]
		if arguments == nil {
			t.Errorf("%s: aws %s is not a command", c.where, c.name)
			continue
		}
		for _, option := range c.options {
			_, takes := arguments[option]
			_, global := known[""][option]
			if !takes && !global && !slices.Contains(onlyInVersion2, option) {
				t.Errorf("%s: aws %s has no --%s", c.where, c.name, option)
			}
		}
		for argument, required := range arguments {
			positional := argument == "outfile"
			if required && c.whole && !positional && !slices.Contains(c.options, argument) {
				t.Errorf("%s: aws %s needs --%s", c.where, c.name, argument)
			}
		}
	}
}

// ask gets the AWS CLI's own help.
func ask(t *testing.T, python string, commands []command) map[string]map[string]bool {
	t.Helper()
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	slices.Sort(names)
	script := exec.CommandContext(t.Context(), python, "arguments.py")
	script.Stdin = strings.NewReader(strings.Join(slices.Compact(names), "\n") + "\n")
	var said bytes.Buffer
	script.Stderr = &said
	out, err := script.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	var known map[string]map[string]bool
	if err := json.Unmarshal(out, &known); err != nil {
		t.Fatal(err)
	}
	return known
}

var span = regexp.MustCompile("`(aws [^`]+)`")

// onThePages returns the commands of all pages, and of the workflows' steps.
func onThePages(t *testing.T) []command {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".md") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := shell.InWorkflows(root)
	if err != nil {
		t.Fatal(err)
	}
	var all []command
	for file, texts := range scripts {
		for _, text := range texts {
			all = append(all, in(t, file, text, true)...)
		}
	}
	for _, name := range append(names, "README.md", "SECURITY.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range regexp.MustCompile("(?m)^ *```").Split(string(text), -1) {
			switch block, isShell := strings.CutPrefix(part, "sh\n"); {
			case i%2 == 1 && isShell:
				all = append(all, in(t, name, block, true)...)
			case i%2 == 0:
				for _, found := range span.FindAllStringSubmatch(part, -1) {
					all = append(all, in(t, name, found[1], false)...)
				}
			}
		}
	}
	return all
}

// in finds the commands in a text of shell.
func in(t *testing.T, name, text string, whole bool) []command {
	t.Helper()
	found, err := shell.Commands(text)
	if err != nil {
		t.Fatalf("%s: %v in\n%s", name, err, text)
	}
	var all []command
	for _, c := range found {
		if c.Words[0] != "aws" || len(c.Words) < 3 {
			continue
		}
		one := command{where: name + ": " + c.String(), name: c.Words[1] + " " + c.Words[2], options: c.Options(), whole: whole}
		if c.Words[2] == "wait" && len(c.Words) > 3 {
			one.name += " " + c.Words[3]
		}
		all = append(all, one)
	}
	return all
}
