package integration_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

// This test's program is tradectl if it is called so: the blocks of the pages call bin/tradectl.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "tradectl" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	tradectl := &cobra.Command{Use: "tradectl", SilenceUsage: true, SilenceErrors: true}
	commands.Add(tradectl, terminal.System(ctx))
	err := tradectl.ExecuteContext(ctx)
	code, silent := exitcode.Of(err)
	if err != nil && !silent {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(int(code))
}

// runPages are the pages whose blocks are run as they are at `tradectl local up`, with the real AWS CLI.
var runPages = []string{"docs/runbook.md", "docs/deploy.md", "docs/verify.md"}

// notRun are the blocks that aren't run, by page and number, and why.
var notRun = map[string]string{"docs/runbook.md Retire a source 1": "it calls Pulumi alone"}

// What blocks print, as patterns.
var prints = map[string]string{
	"docs/runbook.md Before you start 1":                       `^000000000000$`,
	"docs/runbook.md Alarms 1":                                 `trade-processing-local-`,
	"docs/runbook.md Find a trade 1":                           `Trade system1-1-20251031-1 `,
	"docs/runbook.md Find a trade 2":                           `● SUCCEEDED`,
	"docs/runbook.md Roll back a function 1":                   `(?ms)^1\n.*^1\t`,
	"docs/runbook.md Roll back a function 2":                   `MalformedTrade`,
	"docs/runbook.md Roll back the state machine 1":            `(?s)"weight": 100.*stateMachine:trade-processing-local-workflow:1\t`,
	"docs/runbook.md Roll back the state machine 2":            `"StartAt"`,
	"docs/runbook.md Dead letters 1":                           `error +TradeConflict`,
	"docs/runbook.md Redrive 1":                                `TradeConflict`,
	"docs/runbook.md Replay from the archive 1":                `system1.*planned`,
	"docs/runbook.md Pause and resume a source 1":              `Z$`,
	"docs/runbook.md Change a parameter at run time 1":         `processing-threshold +2500000`,
	"docs/runbook.md Change reserved concurrency 1":            `300`,
	"docs/runbook.md A stalled replica 1":                      `(?s)eu-west-1.*"Enabled"`,
	"docs/runbook.md Keys 1":                                   `ON_DEMAND`,
	"docs/runbook.md Items were damaged or deleted 1":          `"CREATING"`,
	"docs/runbook.md Items were damaged or deleted 3":          `"RestoreJobId"`,
	"docs/runbook.md The table itself is gone 1":               `"us-east-1",\s+"ACTIVE"`,
	"docs/runbook.md Failed backups 1":                         `:table/trade-processing-local-trades/backup/`,
	"docs/deploy.md 3. Send a trade 1":                         `"FailedEntryCount": 0`,
	"docs/deploy.md 4. Look it up 1":                           `readme-1`,
	"docs/deploy.md 5. Change a parameter without deploying 1": `processing-threshold`,
}

// beforehand is what happens before a block.
var beforehand = map[string]string{
	"docs/runbook.md Redrive 1":                       conflicting,
	"docs/runbook.md TradeConflict 1":                 conflicting,
	"docs/runbook.md Items were damaged or deleted 3": backedUp,
	"docs/runbook.md Destroy a stack 2":               recoverable,
	"docs/deploy.md 3. Send a trade 1":                `aws events enable-rule --name trade-processing-local-from-system1 --event-bus-name trade-processing-local`,
	"docs/deploy.md 4. Look it up 1":                  `bin/tradectl get --stack dev readme-1`,
}

// conflicting leaves a letter of another trade X.
const conflicting = `echo '{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":"X","sourceSystem":"system1","amount":"2.50","currency":"USD","executedAt":"2025-10-31T12:49:04.831Z"}}' |
	bin/tradectl send --stack dev && bin/tradectl dlq peek recorder --stack dev --error TradeConflict | grep TradeConflict`

// recoverable is what a deployment does for a table that was added to its replica.
const recoverable = `aws dynamodb update-continuous-backups --table-name trade-processing-local-trades --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`

// backedUp makes a recovery point.
const backedUp = `table=trade-processing-local-trades && role=$(aws iam get-role --role-name trade-processing-local-backup --query Role.Arn --output text) &&
	aws backup start-backup-job --backup-vault-name "$table" --resource-arn "arn:aws:dynamodb:us-east-1:000000000000:table/$table" --iam-role-arn "$role"`

// notRestored removes a restored table, if there is one.
const notRestored = `aws dynamodb delete-table --table-name trade-processing-local-trades-restored || true`

// given is what the page asks to set before a block.
var given = map[string]string{
	"docs/runbook.md Items were damaged or deleted 1": "before=$(date -u +%FT%TZ)\n",
	"docs/runbook.md Items were damaged or deleted 3": "before=2100-01-01T00:00:00Z\n",
}

// undone is undone before each run of a block, which would be refused a second time.
var undone = map[string]string{
	"docs/runbook.md Items were damaged or deleted 1": notRestored,
	"docs/runbook.md Items were damaged or deleted 3": notRestored,
	"docs/runbook.md The table itself is gone 1": `aws dynamodb update-table --table-name trade-processing-local-trades --no-deletion-protection-enabled &&
	aws dynamodb delete-table --table-name trade-processing-local-trades || true`,
	"docs/runbook.md Keys 2": `aws kms schedule-key-deletion --key-id alias/trade-processing-local || true`,
}

// once are blocks that run once, and how they are refused later.
var once = map[string]string{"docs/runbook.md Items were damaged or deleted 2": "EntityAlreadyExists"}

// shellBlock is a block of shell on a page, named by page, heading and number.
type shellBlock struct{ name, text string }

// shellBlocks returns the blocks of a page in their order.
func shellBlocks(t *testing.T, name string) []shellBlock {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []shellBlock
	heading, number, indent, inside, skipped := "", 0, "", false, false
	for line := range strings.Lines(string(page)) {
		trimmed := strings.TrimSpace(line)
		switch {
		case inside && trimmed == "```":
			inside = false
		case inside:
			blocks[len(blocks)-1].text += strings.TrimPrefix(line, indent)
		case strings.HasPrefix(trimmed, "```sh"):
			number++
			if inside = !skipped; inside {
				indent, _, _ = strings.Cut(line, "`")
				blocks = append(blocks, shellBlock{name: fmt.Sprintf("%s %s %d", name, heading, number)})
			}
		case strings.HasPrefix(line, "#"):
			heading, number = strings.TrimSpace(strings.TrimLeft(line, "#")), 0
		}
		if trimmed != "" {
			// The page says so itself: tests/readme reads it too. A verification has a test of its own there.
			skipped = strings.HasPrefix(trimmed, "<!-- no test: ") || trimmed == "<!-- test: verify -->"
		}
	}
	return blocks
}

// ranAsTheyAre returns the operations of the AWS CLI in the blocks that are run.
func ranAsTheyAre(t *testing.T) map[string]bool {
	t.Helper()
	ran := map[string]bool{}
	for _, page := range runPages {
		for _, block := range shellBlocks(t, page) {
			if notRun[block.name] == "" {
				for _, c := range in(t, page, block.text, true) {
					ran[c.name] = true
				}
			}
		}
	}
	return ran
}

// startCLI starts the real AWS CLI and returns the socket at which it listens.
func startCLI(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the pages' commands need %s, which is not on PATH", program)
		}
	}
	folder, err := os.MkdirTemp("", "aws") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "socket")
	server := exec.Command(tool(t, "python/bin/python"), "aws.py", "serve", socket)
	server.Env = append(os.Environ(), "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"AWS_DEFAULT_REGION="+region, "AWS_ACCESS_KEY_ID=AKIAINTEGRATION", "AWS_SECRET_ACCESS_KEY=secret", "AWS_MAX_ATTEMPTS=1")
	var problem bytes.Buffer
	server.Stderr = &problem
	said, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill() // the error is that it has ended already
		_ = server.Wait()
		_ = os.RemoveAll(folder) // of the machine's temporary files
	})
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the AWS CLI says %q (%v): %s", line, err, &problem)
	}
	return socket
}

// operator is somebody with the pages, a shell, and the stack that `tradectl local up` serves behind a front.
type operator struct {
	t         *testing.T
	front     *front
	folder    string
	variables []string
	began     int // the calls before the current run
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	socket := startCLI(t)
	variables, outputsFile := localUp(t)
	o := &operator{t: t, folder: t.TempDir(), front: newFront(t)}
	for _, variable := range variables {
		if endpoint, is := strings.CutPrefix(variable, "AWS_ENDPOINT_URL="); is {
			o.front.before(t, strings.Trim(endpoint, "'\""))
			variable = "AWS_ENDPOINT_URL=" + o.front.Endpoint
		}
		o.variables = append(o.variables, variable)
	}
	text, err := os.ReadFile(outputsFile)
	if err != nil {
		t.Fatal(err)
	}
	var outputs map[string]any
	if err := json.Unmarshal(text, &outputs); err != nil {
		t.Fatal(err)
	}
	// As pulumi stack output --shell prints them: strings as they are, and the rest as JSON, quoted for a shell.
	// https://github.com/pulumi/pulumi, pkg/cmd/pulumi/stack/stack_output.go
	var assigned, each strings.Builder
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		value, is := outputs[name].(string)
		if !is {
			encoded, err := json.Marshal(outputs[name])
			if err != nil {
				t.Fatal(err)
			}
			value = string(encoded)
		}
		fmt.Fprintf(&assigned, "%s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
		fmt.Fprintf(&each, "%q) echo '%s' ;;\n", "stack output "+name+" -s dev", strings.ReplaceAll(value, "'", `'\''`))
	}
	self, err := os.Executable()
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Join(o.folder, "bin"), 0o700), os.Symlink(self, filepath.Join(o.folder, "bin", "tradectl")))
	}
	client, wrong := filepath.Abs("aws.py")
	if err = errors.Join(err, wrong); err != nil {
		t.Fatal(err)
	}
	// Version 1 of the AWS CLI, the one on pip, ignores AWS_ENDPOINT_URL for SQS, and has raw payloads without an option.
	for name, content := range map[string]string{
		"outputs.json": string(text), "outputs.sh": assigned.String(), "Pulumi.yaml": "name: trade-processing\nruntime: go\n",
		"aws": fmt.Sprintf(`#!/bin/bash
for word; do case "$word" in --cli-binary-format|raw-in-base64-out) ;; *) words+=("$word") ;; esac; done
exec '%s' -I -S '%s' call '%s' --endpoint-url "$AWS_ENDPOINT_URL" --cli-read-timeout 20 "${words[@]}"
`, tool(t, "python/bin/python"), client, socket),
		"pulumi": `#!/bin/sh
[ -z "$PULUMI_FAILS" ] || { echo '{"diagnostics": []}'; exit 255; }
case "$*" in
"stack output --shell --stack dev") cat outputs.sh ;;
"stack output --json --stack dev"*) cat outputs.json ;;
` + each.String() + `preview*|up*|destroy*|"stack init"*|"stack rm"*) ;;
*) echo "pulumi $* is not for here" >&2; exit 1 ;;
esac
`,
	} {
		if err := os.WriteFile(filepath.Join(o.folder, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// run runs commands in a shell that ends at the first line that fails, and returns what they print and the exit code.
func (o *operator) run(commands string, variables ...string) (said, complained string, code int) {
	o.t.Helper()
	shell := exec.CommandContext(o.t.Context(), "bash", "-eu", "-c", commands)
	shell.Dir = o.folder
	shell.Env = append(os.Environ(), o.variables...)
	shell.Env = append(shell.Env, "PATH="+o.folder+string(os.PathListSeparator)+os.Getenv("PATH"), "AWS_MAX_ATTEMPTS=1", "PULUMI_FAILS=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "TZ=UTC", "USER=me")
	shell.Env = append(shell.Env, variables...)
	var out, problems bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &problems
	o.began = len(o.front.since(0))
	err := shell.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		o.t.Fatal(err)
	}
	return strings.TrimRight(out.String(), "\n"), problems.String(), shell.ProcessState.ExitCode()
}

// made returns the calls of the last run.
func (o *operator) made() []string { return o.front.since(o.began) }

// must runs commands until they succeed: what was sent is a moment on its way.
func (o *operator) must(commands string) {
	o.t.Helper()
	for range 100 {
		if _, _, code := o.run(commands); code == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	said, complained, code := o.run(commands)
	o.t.Fatalf("%s: exit code %d\n%s%s", commands, code, said, complained)
}

// settle sends the trades, letters and executions that the pages' examples name.
func (o *operator) settle(started string) {
	o.t.Helper()
	trade := func(id, amount, executed string) string {
		return fmt.Sprintf(`{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":%q,"sourceSystem":"system1","amount":%q,"currency":"USD","executedAt":%q}}`, id, amount, executed)
	}
	entries := strings.Join([]string{
		trade("system1-1-20251031-1", "1.50", "2025-10-31T12:49:04.831Z"), trade("X", "1.50", "2025-10-31T12:49:04.831Z"),
		trade("rejected", "-1.50", "2025-10-31T12:49:04.831Z"), trade("other", "1.50", "2025-10-31T12:49:04.831Z"),
	}, "\n")
	o.must("echo '" + entries + "' | bin/tradectl send --stack dev")
	o.must("bin/tradectl get --stack dev X && bin/tradectl get --stack dev system1-1-20251031-1")
	o.must(conflicting)
	o.must(started + `
		execution=$(aws stepfunctions list-executions --state-machine-arn "$stateMachineArn" --status-filter SUCCEEDED --query 'executions[0].executionArn' --output text | head -n 1)
		aws stepfunctions start-execution --state-machine-arn "$stateMachineAliasArn" --name 0a1b2c3d-4e5f-6789-abcd-ef0123456789 \
			--input "$(aws stepfunctions describe-execution --execution-arn "$execution" --query input --output text)"`)
	o.must("bin/tradectl execution --stack dev 0a1b2c3d-4e5f-6789-abcd-ef0123456789 | grep SUCCEEDED")
}

// Every block of the pages is run as it is. Then each call of the block fails in turn, the first and the last of its kind: the
// block fails, and calls nothing more. Run again, it finishes.
func TestTheBlocksOfThePagesRunAsTheyAre(t *testing.T) {
	o := newOperator(t)
	begin := shellBlocks(t, "docs/runbook.md")[0]
	started := "{\n" + begin.text + "} > /dev/null\n"
	o.settle(started)
	listed, before, section := map[string]bool{}, "", ""
	for _, page := range runPages {
		for _, block := range shellBlocks(t, page) {
			listed[block.name] = true
			if heading := strings.TrimRight(block.name, " 0123456789"); heading != section {
				section, before = heading, ""
			}
			if notRun[block.name] != "" {
				continue
			}
			script := started + given[block.name] + before + block.text
			if block == begin {
				script = block.text
			}
			if page != "docs/runbook.md" {
				script = block.text
			}
			t.Run(block.name, func(t *testing.T) {
				o := *o
				o.t = t
				if before := beforehand[block.name]; before != "" {
					o.must(before)
				}
				undo := func() {
					if commands := undone[block.name]; commands != "" {
						o.must(commands)
					}
				}
				undo()
				said, complained, code := o.run(script)
				made := o.made()
				if block != begin && page == "docs/runbook.md" {
					made = made[1:] // that of the beginning
				}
				if code != 0 {
					t.Fatalf("it ends with %d, and prints\n%s\n%s", code, said, complained)
				}
				if want := prints[block.name]; want != "" && !regexp.MustCompile(want).MatchString(said) {
					t.Errorf("it prints\n%s\nwant %s", said, want)
				}
				for operation, times := range counted(made) {
					for _, n := range slices.Compact([]int{1, times}) {
						skip := n
						if block != begin && page == "docs/runbook.md" && operation == "GetCallerIdentity" {
							skip++
						}
						undo()
						o.failingNth(operation, skip)
						said, complained, code := o.run(script)
						o.front.failing(nil)
						if counted(o.made())[operation] < skip {
							continue // how often a queue is asked depends on how it answers
						}
						if code == 0 {
							t.Errorf("call %d of %s failed, and it ends with 0:\n%s\n%s", n, operation, said, complained)
						}
						if after := o.made()[nth(o.made(), operation, skip):]; len(after) > 0 && !strings.Contains(block.text, "tradectl") { // which calls several at once
							t.Errorf("call %d of %s failed, and it goes on with %v:\n%s", n, operation, after, complained)
						}
					}
				}
				undo()
				if said, complained, code := o.run(script); code != 0 && (once[block.name] == "" || !strings.Contains(complained, once[block.name])) {
					t.Errorf("run again, it ends with %d:\n%s\n%s", code, said, complained)
				}
			})
			// What a block sets, the next ones of its section use.
			before += variablesOf(block.text)
		}
	}
	for name := range notRun {
		if !listed[name] {
			t.Errorf("there is no block %s", name)
		}
	}
	for name := range prints {
		if !listed[name] {
			t.Errorf("there is no block %s", name)
		}
	}
}

// variablesOf returns the lines of a block that set a variable and do nothing else.
func variablesOf(text string) string {
	return strings.Join(regexp.MustCompile(`(?m)^\w+=\S+( +#.*)?$`).FindAllString(text, -1), "\n") + "\n"
}

func counted(made []string) map[string]int {
	times := map[string]int{}
	for _, operation := range made {
		times[operation]++
	}
	return times
}

// nth returns how many calls there are up to the n-th one of an operation, included.
func nth(made []string, operation string, n int) int {
	for i, one := range made {
		if one == operation {
			if n--; n == 0 {
				return i + 1
			}
		}
	}
	return len(made)
}

// failingNth makes one call of a run fail, counted by operation from 1.
func (o *operator) failingNth(operation string, n int) {
	o.front.failing(func(r request) fault {
		if r.Operation == operation {
			if n--; n == 0 {
				return broken
			}
		}
		return fault{}
	})
}

// Nothing is done with the outputs of a pulumi that failed.
func TestTheRunbookDoesNotBelieveAPulumiThatFailed(t *testing.T) {
	o := newOperator(t)
	said, _, code := o.run(shellBlocks(t, "docs/runbook.md")[0].text, "PULUMI_FAILS=1")
	if made := o.made(); code == 0 || said != "" || len(made) > 0 {
		t.Errorf("it ends with %d, calls %v and prints\n%s", code, made, said)
	}
}
