// Package workflows checks what the GitHub Actions workflows may do, and the names they use. actionlint checks their
// syntax (`make lint-workflows`).
package workflows

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/components/declared"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/stack"
	"trade-processing/tests/shell"
)

const root = "../.."

// workflow is the part of a workflow that is checked here.
type workflow struct {
	file string
	text string

	On          yaml.Node
	Permissions map[string]string
	Concurrency *struct {
		Group  string
		Cancel bool `yaml:"cancel-in-progress"`
	}
	Jobs map[string]job
}

type job struct {
	If          string
	Uses        string
	Permissions map[string]string
	Timeout     int `yaml:"timeout-minutes"`
	Env         map[string]string
	Environment string
	Steps       []step
}

type step struct {
	Name, If, Uses, Run string

	With map[string]string
	Env  map[string]string
}

// workflows returns all workflows, and composite actions of the project as workflows of one job.
func workflows(t *testing.T) []workflow {
	t.Helper()
	var all []workflow
	for _, pattern := range []string{".github/workflows/*.yml", ".github/actions/*/action.yml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no file is %s (%v)", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := workflow{file: strings.TrimPrefix(file, root+"/"), text: string(text)}
			if err := yaml.Unmarshal(text, &w); err != nil {
				t.Fatalf("%s: %v", w.file, err)
			}
			if strings.HasPrefix(pattern, ".github/actions") {
				var action struct{ Runs struct{ Steps []step } }
				if err := yaml.Unmarshal(text, &action); err != nil {
					t.Fatalf("%s: %v", w.file, err)
				}
				w.Jobs = map[string]job{"action": {Steps: action.Runs.Steps, Timeout: 1}}
			}
			all = append(all, w)
		}
	}
	return all
}

func (w workflow) isAction() bool { return filepath.Base(w.file) == "action.yml" }

// called says whether other workflows call it; those then have the concurrency.
func (w workflow) called() bool { return strings.Contains(w.text, "\n  workflow_call:") }

// eachStep calls do with every step.
func eachStep(t *testing.T, do func(where string, w workflow, j job, s step)) {
	t.Helper()
	for _, w := range workflows(t) {
		for name, j := range w.Jobs {
			for i, s := range j.Steps {
				do(fmt.Sprintf("%s, job %s, step %d", w.file, name, i+1), w, j, s)
			}
		}
	}
}

var pin = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)

// An action's owner, or an intruder, can move a tag to other code; a commit can't be moved.
func TestEveryActionIsPinnedByCommit(t *testing.T) {
	pinned := 0
	versions := map[string]string{}
	eachStep(t, func(where string, w workflow, _ job, s step) {
		if s.Uses == "" {
			return
		}
		if local, isLocal := strings.CutPrefix(s.Uses, "./"); isLocal {
			if _, err := os.Stat(filepath.Join(root, local, "action.yml")); err != nil {
				t.Errorf("%s uses %s: %v", where, s.Uses, err)
			}
			return
		}
		pinned++
		if !pin.MatchString(s.Uses) {
			t.Errorf("%s: %s is not pinned by a commit of 40 digits", where, s.Uses)
		}
		said := regexp.MustCompile(regexp.QuoteMeta(s.Uses) + ` # (v\d+\.\d+\.\d+)\n`).FindStringSubmatch(w.text)
		if said == nil {
			t.Errorf("%s: behind %s no comment says which version it is", where, s.Uses)
			return
		}
		action, commit, _ := strings.Cut(s.Uses, "@")
		if before, known := versions[action]; known && before != commit+" "+said[1] {
			t.Errorf("%s: %s is pinned to %s %s here, and to %s elsewhere", where, action, commit, said[1], before)
		}
		versions[action] = commit + " " + said[1]
	})
	if pinned == 0 {
		t.Error("no step uses an action: this test looks at nothing")
	}
}

// Each workflow asks for the minimum: it reads, and a job that needs more says so itself.
func TestPermissionsAreTheLeast(t *testing.T) {
	may := map[string][]string{"contents": {"read"}, "id-token": {"write"}, "pull-requests": {"write"}}
	for _, w := range workflows(t) {
		if w.isAction() {
			continue
		}
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: permissions of the workflow are %v, want contents: read", w.file, w.Permissions)
		}
		for name, j := range w.Jobs {
			releases := w.file == ".github/workflows/release.yml" && name == "release"
			for permission, level := range j.Permissions {
				if !slices.Contains(may[permission], level) && !(releases && permission == "contents") {
					t.Errorf("%s, job %s may %s %s", w.file, name, level, permission)
				}
			}
			asks := slices.ContainsFunc(j.Steps, func(s step) bool { return strings.HasPrefix(s.Uses, "aws-actions/configure-aws-credentials@") }) ||
				j.Uses != ""
			if _, can := j.Permissions["id-token"]; can != asks {
				t.Errorf("%s, job %s: id-token is for the jobs that ask AWS for a role, and for no other", w.file, name)
			}
		}
	}
}

// Unreviewed code never runs with credentials: neither a fork's, nor under a trigger that brings secrets.
func TestForksGetNoCredentials(t *testing.T) {
	guarded := 0
	for _, w := range workflows(t) {
		var on map[string]yaml.Node
		if !w.isAction() && w.On.Decode(&on) != nil {
			t.Errorf("%s: its triggers can't be read", w.file)
		}
		for trigger := range on {
			if trigger == "pull_request_target" || trigger == "workflow_run" || trigger == "issue_comment" {
				t.Errorf("%s: %s runs with secrets for whoever wants it to", w.file, trigger)
			}
		}
		if _, forPullRequests := on["pull_request"]; !forPullRequests {
			continue
		}
		for name, j := range w.Jobs {
			text, err := yaml.Marshal(j)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "secrets.") && j.Permissions["id-token"] == "" {
				continue
			}
			guarded++
			if !strings.Contains(j.If, "github.event.pull_request.head.repo.full_name == github.repository") {
				t.Errorf("%s, job %s has credentials, and runs for forks", w.file, name)
			}
		}
	}
	if guarded == 0 {
		t.Error("no job of a pull request has credentials: this test looks at nothing")
	}
}

// Roles, not keys: GitHub keeps nothing that outlives a job, except what Pulumi's state needs.
func TestNoKeysAreKept(t *testing.T) {
	known := []string{"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"}
	for _, w := range workflows(t) {
		for _, secret := range regexp.MustCompile(`secrets\.(\w+)`).FindAllStringSubmatch(w.text, -1) {
			if !slices.Contains(known, secret[1]) {
				t.Errorf("%s uses the secret %s", w.file, secret[1])
			}
		}
	}
	eachStep(t, func(where string, _ workflow, _ job, s step) {
		for input := range s.With {
			if strings.Contains(input, "access-key") {
				t.Errorf("%s is given a key: %s", where, input)
			}
		}
		if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
			t.Errorf("%s leaves the token of the checkout to the steps behind it", where)
		}
	})
}

// Two runs never deploy at once, and none hangs for the six hours that GitHub allows.
func TestRunsDontMeetAndEnd(t *testing.T) {
	for _, w := range workflows(t) {
		if w.isAction() {
			continue
		}
		if !w.called() && (w.Concurrency == nil || w.Concurrency.Group == "") {
			t.Errorf("%s has no concurrency group", w.file)
		}
		deploys := strings.Contains(w.text, "pulumi up") || strings.Contains(w.text, "deploy-stack.yml")
		if w.Concurrency != nil && w.Concurrency.Cancel && deploys {
			t.Errorf("%s may be cancelled in the middle of a deployment", w.file)
		}
		for name, j := range w.Jobs {
			if j.Uses == "" && j.Timeout == 0 {
				t.Errorf("%s, job %s has no timeout", w.file, name)
			}
			if called, isLocal := strings.CutPrefix(j.Uses, "./"); isLocal {
				if _, err := os.Stat(filepath.Join(root, called)); err != nil {
					t.Errorf("%s, job %s: %v", w.file, name, err)
				}
			}
		}
	}
}

// Input from outside, such as a branch's name, goes into the environment, never into a script's text.
func TestNoScriptIsPutTogetherFromExpressions(t *testing.T) {
	eachStep(t, func(where string, _ workflow, _ job, s step) {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s has an expression in its script: give it in env", where)
		}
	})
}

// prod is deployed after dev has been verified, and in an environment, which is what requires approval.
func TestProdComesAfterDevIsProven(t *testing.T) {
	var deploy, called workflow
	for _, w := range workflows(t) {
		switch w.file {
		case ".github/workflows/deploy.yml":
			deploy = w
		case ".github/workflows/deploy-stack.yml":
			called = w
		}
	}
	needs := regexp.MustCompile(`(?s)\n  prod:\n.*?\n    needs: (\w+)\n`).FindStringSubmatch(deploy.text)
	plan := regexp.MustCompile(`(?s)\n  plan:\n.*?\n    needs: dev\n`)
	if needs == nil || needs[1] != "plan" || !plan.MatchString(deploy.text) {
		t.Errorf("prod isn't deployed after its plan, and that after dev: %v", needs)
	}
	if got := called.Jobs["deploy"].Environment; got != "${{ inputs.stack }}" {
		t.Errorf("the environment of a deployment is %q", got)
	}
	var order []string
	for _, s := range called.Jobs["deploy"].Steps {
		if strings.HasPrefix(s.Run, "pulumi up ") || strings.Contains(s.Run, "make verify ") {
			order = append(order, s.Name)
		}
	}
	if want := []string{"Deploy", "Verify"}; !slices.Equal(order, want) {
		t.Errorf("a deployment takes the steps %v, want %v", order, want)
	}
}

// scripted returns the commands of all steps, by location.
func scripted(t *testing.T) map[string][]shell.Command {
	t.Helper()
	all := map[string][]shell.Command{}
	eachStep(t, func(where string, _ workflow, _ job, s step) {
		found, err := shell.Commands(s.Run)
		if err != nil {
			t.Errorf("%s: %v", where, err)
		}
		all[where] = found
	})
	return all
}

// eachCommand calls do with the commands of a program.
func eachCommand(t *testing.T, program string, do func(where string, c shell.Command)) {
	t.Helper()
	found := false
	for where, all := range scripted(t) {
		for _, c := range all {
			for len(c.Words) > 1 && (c.Words[0] == "sudo" || c.Words[0] == "env" || strings.Contains(c.Words[0], "=")) {
				c.Words = c.Words[1:] // what it is run with
			}
			if c.Words[0] == program {
				found = true
				do(where, c)
			}
		}
	}
	if !found {
		t.Errorf("no workflow runs %s: this test looks at nothing", program)
	}
}

func TestEveryMakeTargetExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	makefile := string(text)
	eachCommand(t, "make", func(where string, c shell.Command) {
		for _, word := range c.Words[1:] {
			variable, _, isSetting := strings.Cut(word, "=")
			switch {
			case isSetting && !strings.Contains(makefile, "$("+variable+")"):
				t.Errorf("%s sets %s, which the Makefile doesn't use", where, variable)
			case !isSetting && !strings.Contains(makefile, "\n"+word+": "):
				t.Errorf("%s names make %s, which is not a target", where, word)
			}
		}
	})
}

func TestEveryCommandOfTradectlExists(t *testing.T) {
	tradectl := &cobra.Command{Use: "tradectl"}
	commands.Add(tradectl, &terminal.Terminal{})
	eachCommand(t, "bin/tradectl", func(where string, c shell.Command) {
		command, _, err := tradectl.Find(c.Words[1:])
		if err != nil || command == tradectl || command.HasSubCommands() {
			t.Errorf("%s: %v is not a command (%v)", where, c, err)
			return
		}
		for _, option := range c.Options() {
			if command.Flags().Lookup(option) == nil {
				t.Errorf("%s: %s has no --%s", where, command.CommandPath(), option)
			}
		}
	})
}

func TestThePulumiOfTheWorkflowsIsTheOneInUse(t *testing.T) {
	eachStep(t, func(where string, _ workflow, _ job, s step) {
		if strings.HasPrefix(s.Uses, "pulumi/actions@") && s.With["pulumi-version"] != sdk.Version.String() {
			t.Errorf("%s installs Pulumi %s, and the program is written against %s", where, s.With["pulumi-version"], sdk.Version)
		}
	})
}

// Outputs that a script selects with jq are outputs of the stack, and stacks have files.
func TestEveryOutputAndStackExists(t *testing.T) {
	config, err := stackconfig.Read(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	made, err := declared.Declare(declared.Program{Run: stack.DeployFrom(folder), Stack: "dev", Folder: folder, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	outputs, stacks := 0, 0
	for where, all := range scripted(t) {
		for _, c := range all {
			if c.Words[0] == "jq" && len(c.Words) > 2 {
				for _, output := range regexp.MustCompile(`\.([a-z]\w+)`).FindAllStringSubmatch(c.Words[2], -1) {
					outputs++
					if _, known := made.Outputs[output[1]]; !known {
						t.Errorf("%s names the output %s, which the stack doesn't have", where, output[1])
					}
				}
			}
			at := slices.Index(c.Words, "--stack")
			if at < 0 || at+1 == len(c.Words) || c.Words[at+1] == shell.Unknown {
				continue
			}
			stacks++
			if _, err := os.Stat(filepath.Join(root, stackconfig.FileOf(c.Words[at+1]))); err != nil {
				t.Errorf("%s: %v", where, err)
			}
		}
	}
	if outputs == 0 || stacks == 0 {
		t.Error("no script names an output, or none a stack: this test looks at nothing")
	}
}

// Every Go module and every action gets proposals for newer versions.
func TestEverythingPinnedIsLookedAfter(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github/dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directories []string
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	proposed := map[string][]string{}
	for _, update := range file.Updates {
		proposed[update.Ecosystem] = update.Directories
	}
	var modules []string
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && slices.Contains([]string{"testdata", ".git", "dist"}, entry.Name()) {
			return fs.SkipDir
		}
		if err == nil && entry.Name() == "go.mod" {
			modules = append(modules, strings.TrimSuffix("/"+strings.TrimSuffix(path, "go.mod"), "/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	actions := []string{"/"} // the workflows
	for _, w := range workflows(t) {
		if w.isAction() {
			actions = append(actions, "/"+filepath.Dir(w.file))
		}
	}
	modules[slices.Index(modules, "")] = "/"
	for ecosystem, want := range map[string][]string{"gomod": modules, "github-actions": actions} {
		got := slices.Sorted(slices.Values(proposed[ecosystem]))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("dependabot.yml looks after %v for %s, want %v", got, ecosystem, want)
		}
	}
}

// The owner of a path that doesn't exist reviews nothing.
func TestTheOwnersOwnWhatExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github/CODEOWNERS"))
	if err != nil {
		t.Fatal(err)
	}
	owned := regexp.MustCompile(`(?m)^/(\S+)\s+@`).FindAllStringSubmatch(string(text), -1)
	if len(owned) == 0 {
		t.Fatal("nobody owns a path: this test looks at nothing")
	}
	for _, path := range owned {
		if _, err := os.Stat(filepath.Join(root, path[1])); err != nil {
			t.Errorf("CODEOWNERS: %v", err)
		}
	}
}

// The hints' links lead to headings in the runbook.
func TestTheHintsLeadSomewhere(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join(root, "docs/runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(runbook), -1) {
		anchors[strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-")] = true
	}
	links := 0
	for _, w := range workflows(t) {
		for _, link := range regexp.MustCompile(`\(\$RUNBOOK#([^)]+)\)`).FindAllStringSubmatch(w.text, -1) {
			links++
			if !anchors[link[1]] {
				t.Errorf("%s leads to #%s, which the runbook doesn't have", w.file, link[1])
			}
		}
	}
	if links == 0 {
		t.Error("no workflow leads to the runbook: this test looks at nothing")
	}
}
