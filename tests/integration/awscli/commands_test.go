// Package awscli_test holds the commands of the AWS CLI that the documentation tells people to type to the CLI itself: each
// is one, has the options that stand behind it, and is given those that it can't do without.
package awscli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trade-processing/tests/integration/emulators"
)

const root = "../../.."

// onlyInVersion2 are options of the AWS CLI v2, which the pages are written for; what is installed here is v1.
var onlyInVersion2 = []string{"cli-binary-format", "no-cli-pager"}

// command is a command on a page.
type command struct {
	where   string
	name    string // service, operation, and for wait what for
	options []string
	whole   bool // it stands in a block of commands, and not in a sentence
}

func TestTheCommandsOfTheAWSCLIExist(t *testing.T) {
	if os.Getenv("INTEGRATION") == "" {
		t.Skip("INTEGRATION is not set: `make test-integration` runs the tests against what it installs")
	}
	installation := emulators.Wanted()
	if !installation.Complete() {
		t.Fatalf("the AWS CLI is not in %s: `go run ./tests/integration/emulators/install` installs it", installation.Folder())
	}
	commands := onThePages(t)
	if len(commands) < 100 {
		t.Fatalf("the pages have %d commands of the AWS CLI: this test overlooks most", len(commands))
	}
	known := ask(t, installation, commands)
	for _, c := range commands {
		arguments := known[c.name]
		if arguments == nil {
			t.Errorf("%s: aws %s is no command", c.where, c.name)
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

// ask has the AWS CLI say what it takes.
func ask(t *testing.T, installation emulators.Installation, commands []command) map[string]map[string]bool {
	t.Helper()
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	slices.Sort(names)
	script := exec.CommandContext(t.Context(), installation.Tool("python"), "arguments.py")
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

var (
	start = regexp.MustCompile(`\baws ([a-z][a-z0-9-]+) ([a-z][a-z0-9-]+)`)
	span  = regexp.MustCompile("`(aws [^`]+)`")
)

// onThePages are the commands of all pages and workflows.
func onThePages(t *testing.T) []command {
	t.Helper()
	var names []string
	for _, folder := range []string{"docs", ".github"} {
		err := fs.WalkDir(os.DirFS(filepath.Join(root, folder)), ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && (strings.HasSuffix(path, ".md") || strings.HasSuffix(path, ".yml")) {
				names = append(names, filepath.Join(folder, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var all []command
	for _, name := range append(names, "README.md", "SECURITY.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		isBlock := strings.HasSuffix(name, ".yml")
		for i, part := range regexp.MustCompile("(?m)^ *```").Split(string(text), -1) {
			switch {
			case isBlock || i%2 == 1 && strings.HasPrefix(part, "sh\n"):
				all = append(all, in(name, part, true)...)
			case i%2 == 0:
				for _, found := range span.FindAllStringSubmatch(part, -1) {
					all = append(all, in(name, found[1], false)...)
				}
			}
		}
	}
	return all
}

// in finds the commands in a text of shell. One ends where the shell sees its end: at an operator, or at the end of a line
// that isn't continued, outside of quotes.
func in(name, text string, whole bool) []command {
	var all []command
	for _, at := range start.FindAllStringSubmatchIndex(text, -1) {
		line := text[strings.LastIndex(text[:at[0]], "\n")+1 : at[0]]
		if strings.Contains(" "+line, " #") {
			continue // a remark
		}
		words := wordsOf(text[at[0]:])
		c := command{where: fmt.Sprintf("%s: %s", name, strings.Join(words[:min(len(words), 6)], " ")), name: words[1] + " " + words[2], whole: whole}
		if words[2] == "wait" && len(words) > 3 {
			c.name += " " + words[3]
		}
		for _, word := range words {
			if option, is := strings.CutPrefix(word, "--"); is {
				option, _, _ = strings.Cut(option, "=")
				c.options = append(c.options, option)
			}
		}
		all = append(all, c)
	}
	return all
}

// wordsOf are the words of the first command of a text. What is quoted or substituted is a dot: it is no option.
func wordsOf(text string) []string {
	var words []string
	var word strings.Builder
	quote, depth := byte(0), 0 // depth: of $( within the command's own words
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		next := byte('\n')
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch {
		case depth > 0: // quotes within don't matter here: no page nests a bracket in them
			if c == '(' {
				depth++
			} else if c == ')' {
				depth--
			}
		case c == '$' && next == '(' && quote != '\'':
			depth = 1
			i++
			word.WriteByte('.')
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
			word.WriteByte('.')
		case c == '\\' && next == '\n':
			i++
			end()
		case c == ' ' || c == '\t':
			end()
		case strings.IndexByte("|;&)\n<>`", c) >= 0, c == '#' && word.Len() == 0:
			end()
			return words
		default:
			word.WriteByte(c)
		}
	}
	end()
	return words
}

func TestACommandEndsWhereTheShellEndsIt(t *testing.T) {
	for text, want := range map[string]string{
		"aws a b --c d":                            "aws a b --c d",
		"aws a b --c d | jq --raw":                 "aws a b --c d",
		"aws a b \\\n  --c d\naws e f --g":         "aws a b --c d",
		"aws a b --query 'x | [--y]' --c":          "aws a b --query . --c",
		`aws a b --c "$(out --d ".e")" --f`:        `aws a b --c .. --f`,
		"aws a b --c d)\" --not":                   "aws a b --c d",
		"aws a b --c d   # --a remark":             "aws a b --c d",
		"aws a b --c $(aws e f --g) --h > file":    "aws a b --c . --h",
		"aws a b --c '{\"x\": [1, 2]}' && aws e f": "aws a b --c .",
		`aws a b --c="--d" e#f`:                    "aws a b --c=. e#f",
	} {
		if got := strings.Join(wordsOf(text), " "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
