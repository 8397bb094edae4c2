package readme

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/components/declared"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/lambdas/trade"
	"trade-processing/stack"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eachFound calls do with what an expression's groups find in the code of all pages, and fails if it finds nothing.
func eachFound(t *testing.T, expression string, do func(p page, found string)) {
	t.Helper()
	pattern, any := regexp.MustCompile(expression), false
	for _, p := range pages(t) {
		for _, code := range p.code() {
			for _, found := range pattern.FindAllStringSubmatch(code, -1) {
				any = true
				do(p, strings.Join(found[1:], "")) // of alternatives, all but one are empty
			}
		}
	}
	if !any {
		t.Fatalf("no page has %s: this test looks at nothing", expression)
	}
}

func TestEveryMakeTargetExists(t *testing.T) {
	makefile := read(t, "Makefile")
	eachFound(t, `^make ([a-z-]+)`, func(p page, target string) {
		if !strings.Contains(makefile, "\n"+target+": ") {
			t.Errorf("%s names make %s, which is not a target", p.name, target)
		}
	})
}

func TestEveryConfigKeyExists(t *testing.T) {
	var project struct {
		Name   string
		Config map[string]any
	}
	if err := yaml.Unmarshal([]byte(read(t, "Pulumi.yaml")), &project); err != nil {
		t.Fatal(err)
	}
	eachFound(t, project.Name+`:([a-z]\w+)`, func(p page, key string) {
		if _, known := project.Config[key]; !known {
			t.Errorf("%s names the config key %s, which Pulumi.yaml doesn't declare", p.name, key)
		}
	})
}

func TestEveryStackOutputExists(t *testing.T) {
	made, err := declared.Declare(declared.Program{Run: stack.DeployFrom(root), Stack: "dev", Folder: root, Config: configOf(t, "dev")})
	if err != nil {
		t.Fatal(err)
	}
	exists := func(p page, output string) {
		if _, known := made.Outputs[output]; !known {
			t.Errorf("%s names the stack output %s, which stack/outputs.go doesn't export", p.name, output)
		}
	}
	eachFound(t, `stack output (\w+)`, exists)
	// The runbook's shell has the outputs as variables. Nothing else that it sets has a capital in its name.
	eachFound(t, `\$\{?([a-z]+[A-Z]\w*)`, exists)
	for _, p := range pages(t) {
		for _, found := range regexp.MustCompile("output\\s+`(\\w+)`").FindAllStringSubmatch(p.text, -1) {
			exists(p, found[1])
		}
	}
}

// configOf returns a stack's config as Pulumi passes it to the program.
func configOf(t *testing.T, name string) map[string]string {
	t.Helper()
	config, err := stackconfig.Read(root, name)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// configIn returns what the text of a stack's file sets.
func configIn(t *testing.T, text string) map[string]string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{stackconfig.ProjectFile: "name: trade-processing\nruntime: go\n", stackconfig.FileOf("example"): text} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config, err := stackconfig.Read(folder, "example")
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return config
}

func TestTheExamplesOfConfigAreValid(t *testing.T) {
	examples := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "yaml" {
				continue
			}
			examples++
			config := configOf(t, "dev")
			text := b.text
			if !strings.HasPrefix(text, "config:\n") {
				text = "config:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
			}
			for key, value := range configIn(t, text) {
				config[key] = value
			}
			if _, err := declared.Declare(declared.Program{Run: stack.DeployFrom(root), Stack: "dev", Folder: root, Config: config}); err != nil {
				t.Errorf("%v: %v", b, err)
			}
		}
	}
	if examples == 0 {
		t.Error("no page has an example of config")
	}
}

func TestTheOptionsOfTradectlExist(t *testing.T) {
	known := map[string]bool{"help": true}
	var visit func(*cobra.Command)
	visit = func(command *cobra.Command) {
		command.Flags().VisitAll(func(flag *pflag.Flag) { known[flag.Name] = true })
		for _, child := range command.Commands() {
			visit(child)
		}
	}
	tradectl := &cobra.Command{Use: "tradectl"}
	commands.Add(tradectl, &terminal.Terminal{})
	visit(tradectl)
	for _, option := range optionsOf(pageNamed(t, "docs/tradectl.md")) {
		if !known[option] {
			t.Errorf("docs/tradectl.md names --%s, which no command has", option)
		}
	}
}

// optionsOf returns the options that a page explains: code that begins with one.
func optionsOf(p page) []string {
	var options []string
	for _, span := range p.spans {
		for word := range strings.FieldsSeq(span) {
			if option, found := strings.CutPrefix(word, "--"); found && strings.HasPrefix(span, "--") {
				options = append(options, option)
			}
		}
	}
	return options
}

// Each named tradectl command must exist, whatever options follow it.
func TestTheCommandsOfTradectlExist(t *testing.T) {
	tradectl := &cobra.Command{Use: "tradectl"}
	commands.Add(tradectl, &terminal.Terminal{})
	eachFound(t, `tradectl ([a-z]+(?: [a-z]+)?)`, func(p page, name string) {
		command, rest, err := tradectl.Find(strings.Fields(name))
		if err != nil || command == tradectl || command.HasSubCommands() && len(rest) > 0 {
			t.Errorf("%s names tradectl %s, which is not a command", p.name, name)
		}
	})
	// And so must the options that follow it, word for word.
	eachFound(t, `tradectl ((?:local )?[a-z]+ --[a-z][^|>#)`+"`"+`]*)`, func(p page, line string) {
		words := strings.Fields(line)
		command, _, err := tradectl.Find(words)
		if err != nil {
			t.Errorf("%s names tradectl %s: %v", p.name, line, err)
			return
		}
		for _, word := range words {
			option, isOption := strings.CutPrefix(word, "--")
			option, _, _ = strings.Cut(option, "=")
			if isOption && option != "help" && command.Flags().Lookup(option) == nil {
				t.Errorf("%s names %s --%s, which doesn't exist", p.name, command.CommandPath(), option)
			}
		}
	})
}

func TestTheDiagramsShowTheWorkflow(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "mermaid" || !strings.Contains(b.text, "Step Functions") {
				continue
			}
			for _, stage := range stack.Stages() {
				if !strings.Contains(b.text, "["+stage.State+"]") {
					t.Errorf("%v doesn't show the stage %s", b, stage.State)
				}
			}
			return
		}
	}
	t.Error("no page shows the workflow")
}

func TestTheExitCodesAreThoseOfTheProgram(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| (.+) \|$`).FindAllStringSubmatch(pageNamed(t, "docs/tradectl.md").text, -1)
	table := "Exit codes:"
	for _, row := range rows {
		table += fmt.Sprintf("\n  %3s  %s", row[1], row[2])
	}
	if table != exitcode.Help() {
		t.Errorf("docs/tradectl.md has\n%s\nand the program\n%s", table, exitcode.Help())
	}
}

func TestEveryFieldOfATradeIsDescribed(t *testing.T) {
	spans := pageNamed(t, "docs/trades.md").spans
	for _, d := range trade.Codes() {
		if !slices.Contains(spans, d.Field) {
			t.Errorf("docs/trades.md doesn't describe the field %s", d.Field)
		}
	}
}

func TestTheVersionsAreThoseInUse(t *testing.T) {
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	for _, name := range []string{"README.md", "docs/deploy.md"} {
		text := pageNamed(t, name).text
		for program, asked := range map[string]struct {
			pattern, want string
		}{
			"Pulumi": {`\b(\d+\.\d+\.\d+) or later`, sdk.Version.String()},
			"Go":     {`Go (\d+\.\d+)`, goVersion},
		} {
			found := regexp.MustCompile(asked.pattern).FindAllStringSubmatch(text, -1)
			if len(found) == 0 {
				t.Errorf("%s asks for no version of %s", name, program)
			}
			for _, version := range found {
				if version[1] != asked.want {
					t.Errorf("%s asks for %s %s, and %s is in use", name, program, version[1], asked.want)
				}
			}
		}
	}
}

// example is the stage that the README adds, which doesn't exist.
const example = "lambdas/scorer"

func TestEveryPathExists(t *testing.T) {
	eachFound(t, `^((?:asl|cmd|components|docs|iam|internal|lambdas|local|stack|tests|tools)/[\w./*-]*)$`, func(p page, name string) {
		if strings.HasPrefix(name, example) {
			return
		}
		if found, err := filepath.Glob(filepath.Join(root, name)); err != nil || len(found) == 0 {
			t.Errorf("%s names %s, which doesn't exist", p.name, name)
		}
	})
}

// The pages on AWS and on threats name the tests and the rules that show what they say.
func TestWhatShowsAClaimExists(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			code.WriteString(read(t, strings.TrimPrefix(path, root+"/")))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rules := pageNamed(t, "docs/policies.md").text
	for _, name := range []string{"docs/aws.md", "docs/threat-model.md"} {
		for _, named := range regexp.MustCompile("`((?:Test|Fuzz)\\w+)`|`([a-z0-9]+(?:-[a-z0-9]+)+)`").FindAllStringSubmatch(pageNamed(t, name).text, -1) {
			if test := named[1]; test != "" && !strings.Contains(code.String(), "func "+test+"(") {
				t.Errorf("%s: there is no test %s", name, test)
			}
			if rule := named[2]; name == "docs/threat-model.md" && rule != "" && !strings.Contains(rules, "| `"+rule+"` |") {
				t.Errorf("%s: there is no rule %s", name, rule)
			}
		}
	}
}

// Each type of resource that the stacks declare is in a part of the threat model, and in one alone.
func TestTheThreatModelCoversTheGraph(t *testing.T) {
	_, parts, _ := strings.Cut(pageNamed(t, "docs/threat-model.md").text, "## The graph, by part")
	listed := map[string]int{}
	for _, found := range regexp.MustCompile("`([a-z]+:[\\w/]+:\\w+)`").FindAllStringSubmatch(parts, -1) {
		listed[found[1]]++
	}
	declared := map[string]bool{}
	for _, stack := range []string{"dev", "prod"} {
		var graph []struct{ URN string }
		if err := json.Unmarshal([]byte(read(t, "stack/testdata/"+stack+".graph.json")), &graph); err != nil {
			t.Fatal(err)
		}
		for _, resource := range graph {
			kind, _, _ := strings.Cut(resource.URN[strings.LastIndex(resource.URN, "$")+1:], "::")
			if strings.Contains(kind, ":") && !strings.HasPrefix(kind, "pulumi:") {
				declared[kind] = true
			}
		}
	}
	for kind := range declared {
		if listed[kind] != 1 {
			t.Errorf("%s is in %d parts of the threat model, want 1", kind, listed[kind])
		}
	}
	for kind := range listed {
		if !declared[kind] {
			t.Errorf("the threat model lists %s, which no stack declares", kind)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for _, p := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(p.text, -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			if target == "" {
				target = p.name
			} else {
				target = path.Join(path.Dir(p.name), target)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which doesn't exist", p.name, found[1])
			} else if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", p.name, found[1])
			}
		}
	}
}

// An alarm's description names the runbook's heading, or how it begins.
func TestEveryAlarmLeadsIntoTheRunbook(t *testing.T) {
	headings := anchors(read(t, "docs/runbook.md"))
	checked := 0
	for _, stack := range []string{"dev", "prod"} {
		for _, found := range regexp.MustCompile(`See the runbook: ([^."]+)`).FindAllStringSubmatch(read(t, "stack/testdata/"+stack+".graph.json"), -1) {
			checked++
			named := strings.ReplaceAll(strings.ToLower(found[1]), " ", "-")
			if !slices.ContainsFunc(headings, func(heading string) bool { return strings.HasPrefix(heading, named) }) {
				t.Errorf("an alarm of %s names %q, and the runbook has no such heading", stack, found[1])
			}
		}
	}
	if checked < 20 {
		t.Errorf("%d alarms name a heading: this test overlooks most", checked)
	}
}

// anchors returns the names that GitHub gives a page's headings.
func anchors(text string) []string {
	var found []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		found = append(found, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, heading[1]))
	}
	return found
}

// decision is how a page begins: Status: accepted. Look again: when ….; or: Status: replaced by [70](…).
var decision = regexp.MustCompile(`^# (\d+)\. (.+)\n\nStatus: (?s:(?:(accepted)\. Look again: (.+?)\.)|(?:(replaced by) \[(\d+)\]\(\S+\)\.))\n\n`)

func TestTheIndexHoldsEveryDecision(t *testing.T) {
	const folder = "docs/decisions/"
	index := read(t, folder+"README.md")
	files, err := filepath.Glob(filepath.Join(root, folder, "[0-9]*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	taken := map[int]string{}
	for _, file := range files {
		name := filepath.Base(file)
		digits, _, _ := strings.Cut(name, "-")
		number, err := strconv.Atoi(digits)
		if err != nil || len(digits) != 4 {
			t.Errorf("%s should begin with its number in four digits", name)
		}
		if before := taken[number]; before != "" {
			t.Errorf("%s and %s have the same number", before, name)
		}
		taken[number] = name
		parts := decision.FindStringSubmatch(read(t, folder+name))
		if parts == nil || parts[1] != strconv.Itoa(number) {
			t.Errorf("%s should begin with its number, title, status and when to look at it again", name)
			continue
		}
		status, again := parts[3], strings.ReplaceAll(parts[4], "\n", " ")
		if parts[5] != "" {
			status = parts[5] + " " + parts[6]
		}
		want := strings.ReplaceAll(fmt.Sprintf("| %d | [%s](%s) | %s | %s |", number, parts[2], name, status, again), "|  |", "| |")
		if !strings.Contains(index, want) {
			t.Errorf("the index lacks %q", want)
		}
	}
}
