package integration_test

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/localrun"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/queue"
	"trade-processing/tests/deployed"
)

// procedure is how a block of the runbook is run: with bash and the real AWS CLI, against stack dev on the local cloud
// behind a front, which answers what the endpoint doesn't serve.
type procedure struct {
	notHere string // why it isn't run

	before string            // what the reader has set by then
	fill   map[string]string // the page's examples, and what stands for them here
	calls  string            // of AWS, in their order
	says   string            // a pattern of what it prints
	ends   int               // its exit code if nothing fails

	// prepare brings the world into the state in which the block applies, before each run; check looks at it after the last.
	prepare func(*operator)
	check   func(o *operator, said string)

	// The operations after whose failure it goes on, and why. It fails in the end, or ignores the failure.
	goesOn, ignores map[string]string
}

const (
	onlyVersion2 = "it needs --cli-binary-format, which version 1 of the AWS CLI, the one on pip, doesn't have"
	noAccount    = "it changes an account with Pulumi"
)

// procedures are all blocks of shell in the runbook, by the heading they stand under.
var procedures = map[string]procedure{
	"Before you start 1": {calls: "GetCallerIdentity", says: `^000000000000$`},
	"Alarms 1": {
		calls: "DescribeAlarms", says: `(?m)^trade-processing-dev-recorder-dead-letters-depth\t`,
		prepare: func(o *operator) { o.letters(letter(exact, "InternalServerError")) },
	},
	"Find a trade 1": {
		fill: map[string]string{"system1-1-20251031-1": "t0"}, calls: "Query", says: `"tradeId": \{\s+"S": "t0"`,
		prepare: (*operator).record,
	},
	"Find a trade 2": {
		fill:  map[string]string{"2026-11-20T09:00Z": "2026-03-02T00:00Z", "2026-11-20T10:00Z": "2026-03-03T00:00Z", "REJECTED": "RECORDED"},
		calls: strings.Repeat("Query ", 6), says: `(?s)^\[.*"t0".*\]\n[1-9]\d*$`, prepare: (*operator).record,
	},
	"Find a trade 3":                {calls: "StartQuery GetQueryResults", says: `"status": "Complete"`},
	"First deployment 1":            {notHere: noAccount},
	"First deployment 2":            {notHere: noAccount},
	"First deployment 3":            {calls: "ListSubscriptionsByTopic SetAlarmState SetAlarmState", says: `"Subscriptions"`},
	"First deployment 4":            {notHere: "the page on verification has the command, whose test runs it"},
	"Promote dev to prod 1":         {says: `^replace urn:table\nend of the list$`},
	"Promote dev to prod 2":         {notHere: noAccount},
	"Promote dev to prod 3":         {notHere: "the page on verification has the command, whose test runs it"},
	"Promote dev to prod 4":         {calls: imagesOf("dev") + imagesOf("prod"), says: `(?m)^prod recorder abc$`},
	"Roll back a function 1":        {calls: "lambda:GET:live lambda:GET:versions", says: `^7\n5\tm\tc$`},
	"Roll back a function 2":        {before: "f=recorder", calls: "lambda:GET:configuration", says: `"Active"`},
	"Roll back a function 3":        {notHere: onlyVersion2},
	"Roll back a function 4":        {before: "f=recorder version=6 USER=me", calls: "lambda:PUT:live", says: `"FunctionVersion": "6"`},
	"A tag that exists already 1":   {notHere: noAccount},
	"Roll back the state machine 1": {calls: "DescribeStateMachineAlias ListStateMachineVersions", says: `"weight": 100`},
	"Roll back the state machine 2": {calls: "DescribeStateMachine DescribeStateMachine", says: `(?m)^< .*:3"$`, ends: 1}, // diff's, for a difference
	"Roll back the state machine 3": {calls: "UpdateStateMachineAlias", before: "old=$(out .stateMachineArn):3"},
	"Roll back the state machine 4": {calls: "ListExecutions DescribeExecution", says: `"SUCCEEDED"`},
	"Dead letters 1": {
		calls: "GetQueueAttributes ReceiveMessage", says: `(?m)^2026-03-02T14:00:07Z\ttrading.system2\texact\t.+\tTradeConflict\t`,
		prepare: func(o *operator) { o.letters(letter(exact, "TradeConflict")) },
	},
	"Redrive 1": {},
	"Redrive 2": {
		before: setQueue, prepare: func(o *operator) {
			o.letters(letter(exact, "States.Timeout"), letter(trade(`{"tradeId":"other"}`), "MalformedTrade"))
		},
		calls: "ReceiveMessage PutEvents DeleteMessage ReceiveMessage GetQueueAttributes", says: `(?m)^1 sent again, 1 left$`,
	},
	"Redrive 3": {
		before: setQueue, prepare: func(o *operator) { o.letters(letter(exact, "States.Timeout")) },
		calls: "ReceiveMessage PutEvents DeleteMessage ReceiveMessage GetQueueAttributes", says: `(?m)^1 sent again, 0 left$`,
		check: func(o *operator, _ string) { o.has(o.live(), "exact") },
	},
	"Discard a message 1": {
		before: setQueue, calls: "ReceiveMessage", says: `\tTradeConflict\texact$`,
		prepare: func(o *operator) { o.letters(letter(exact, "TradeConflict")) },
	},
	"Discard a message 2": {
		before: setQueue + `; aws sqs receive-message --queue-url "$queue" --visibility-timeout 900 > messages.json || exit; id=$(jq -r '.Messages[].MessageId' messages.json)`,
		fill:   map[string]string{`"…"`: `"'"$id"'"`}, calls: "ReceiveMessage DeleteMessage",
		prepare: func(o *operator) { o.letters(letter(exact, "TradeConflict")) },
		check: func(o *operator, _ string) {
			if depth := o.queue().State().Depth(); depth != 0 {
				o.t.Errorf("the queue holds %d messages", depth)
			}
		},
	},
	"TradeConflict 1": {
		before: `jq -n --arg b '{"event":{"detail":{"tradeId":"other"}},"error":{"Cause":"{\"errorMessage\":\"why\"}"}}' '{Messages:[{MessageId:"1",Body:$b}]}' > messages.json`,
		fill:   map[string]string{`"…"`: `"1"`, `{"S":"X"}`: `{"S":"t0"}`, "1761914944831": "1772460000000"},
		calls:  "GetItem", ends: 1, says: `(?s)^why\n` + digestOf + `.*> .*other`, prepare: (*operator).record, // diff's
	},
	"Executions without a dead letter 1": {
		calls: "ListExecutions GetExecutionHistory ListExecutions ListExecutions GetExecutionHistory GetExecutionHistory GetExecutionHistory RedriveExecution RedriveExecution",
		check: func(o *operator, _ string) {
			if slices.Sort(o.resumed); !slices.Equal(o.resumed, []string{execution("failed-2"), execution("late-1")}) {
				o.t.Errorf("it resumed %v", o.resumed)
			}
		},
		goesOn: map[string]string{"RedriveExecution": "one that ended too long ago can never be resumed, and must not stand in the way of the others"},
	},
	"Replay from the archive 1": {
		calls: "DescribeArchive DescribeRule StartReplay",
		check: func(o *operator, _ string) {
			if started := o.front.calls("StartReplay"); !strings.Contains(started[len(started)-1].Body, `"FilterArns": ["arn:rule"]`) {
				o.t.Errorf("it started %s", started[len(started)-1].Body)
			}
		},
	},
	"Replay from the archive 2":        {before: "replay=r", calls: "DescribeReplay", says: `"COMPLETED"`},
	"Pause and resume a source 1":      {calls: "DisableRule", says: `Z$`},
	"Pause and resume a source 2":      {before: "source=system1", calls: "EnableRule", says: `Z$`},
	"Retire a source 1":                {notHere: noAccount},
	"Change a parameter at run time 1": {calls: "GetParameter PutParameter", says: `^1000000\t3\n`},
	"Change a parameter at run time 2": {calls: "FilterLogEvents", says: `\[\]`},
	"Change reserved concurrency 1":    {calls: "lambda:GET:account-settings lambda:PUT:concurrency", says: `(?s)1000.*300`},
	"Verify a trade by hand 1": {
		fill: map[string]string{"system1-1-20251031-1": "t0", "1761914944831": "1772460000000"}, calls: "GetItem", prepare: (*operator).record,
		says: `^` + digestOf + `  -\n` + digestOf + `$`,
		check: func(o *operator, said string) {
			if lines := strings.Split(said, "\n"); strings.TrimSuffix(lines[0], "  -") != lines[1] {
				o.t.Errorf("the digests are different:\n%s", said)
			}
		},
	},
	"Items were damaged or deleted 1": {calls: "DescribeContinuousBackups RestoreTableToPointInTime"},
	"Items were damaged or deleted 2": {
		prepare: func(o *operator) { o.restored(region, o.live()+"-restored") }, calls: "DescribeTable DescribeTable",
	},
	"Items were damaged or deleted 3": {calls: "backup:GET:recovery-points", says: `COMPLETED\tarn:point`},
	"Items were damaged or deleted 4": {
		before: "point=arn:point role=arn:aws:iam::000000000000:role/restorer", calls: "backup:GET:restore-metadata backup:PUT:restore-jobs",
		check: func(o *operator, _ string) {
			if body := o.front.calls("backup:PUT:restore-jobs")[0].Body; !strings.Contains(body, `"targetTableName": "trade-processing-dev-trades-restored"`) {
				o.t.Errorf("it starts %s", body)
			}
		},
	},
	"Items were damaged or deleted 5": {
		before: `restored=$(out .tradeTableName)-restored from=1772400000000 to=1772500000000`,
		calls:  "Query Query Query " + strings.Repeat("GetItem PutEvents ", restoredTrades), says: fmt.Sprintf(`^%d sent$`, restoredTrades),
		prepare: func(o *operator) { o.restored(region, o.live()+"-restored") },
		check:   func(o *operator, _ string) { o.has(o.live(), o.sent...) },
	},
	"Failed backups 1":              {calls: "backup:GET:backup-jobs", says: `FAILED\twhy`},
	"Failed backups 2":              {calls: "GetRole backup:PUT:backup-jobs", says: `"BackupJobId"`},
	"A replica that stands still 1": {calls: "DescribeTable DescribeKey", says: "PendingReplicaDeletion"},
	"The table itself is gone 1":    {calls: "UpdateTable DescribeTable"},
	"When it happens 1": {
		calls: strings.Repeat("Query ", 9), prepare: func(o *operator) { o.restored(replica, "trade-processing-prod-trades") },
		says: `^system1\t\d+\t.+Z\tt\d+\n\t\t\t\n\t\t\t$`,
	},
	"When it happens 2": {notHere: onlyVersion2},
	"Keys 1":            {calls: "GetKeyRotationStatus ListKeyRotations", says: `YEARLY`},
	"Keys 2":            {calls: "RotateKeyOnDemand"},
	"Keys 3": {
		calls:   "DescribeKey CancelKeyDeletion EnableKey DescribeKey CancelKeyDeletion EnableKey",
		ignores: map[string]string{"CancelKeyDeletion": "it fails where there is nothing to cancel"},
	},
	"dev 1": {notHere: noAccount},
	"prod 1": {calls: "ListExecutions" + strings.Repeat(" GetQueueAttributes", 7), says: `(?m)^0\ntrade-processing-dev-\w+-dead-letters: 0\t1$`, prepare: func(o *operator) {
		for _, function := range []string{"validator", "enricher", "recorder"} {
			o.lettersOf(function, letter(exact, "MalformedTrade"))
			o.hide(function)
		}
	}},
	"prod 2":                          {calls: "ExportTableToPointInTime"},
	"prod 3":                          {calls: "DescribeRepositories DeleteRepository DeleteRepository DescribeKey", says: "PendingReplicaDeletion"},
	"prod 4":                          {notHere: noAccount},
	"Security groups that won't go 1": {calls: "DescribeNetworkInterfaces", says: `^eni-1\tin-use\t`},
	"Security groups that won't go 2": {calls: "lambda:GET:versions", says: `^5\t`},
	"Security groups that won't go 3": {calls: "lambda:DELETE:trade-processing-dev-enricher"},
}

const (
	setQueue       = "queue=$(out .deadLetterQueueUrls.recorder)"
	digestOf       = "[0-9a-f]{64}"
	replica        = "eu-west-1"
	restoredTrades = 5
)

// shellBlock is a block of shell on the page.
type shellBlock struct{ name, text string }

// shellBlocks returns the blocks of the runbook in their order, named by heading and number.
func shellBlocks(t *testing.T) []shellBlock {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []shellBlock
	heading, number, indent, inside := "", 0, "", false
	for line := range strings.Lines(string(page)) {
		trimmed := strings.TrimSpace(line)
		switch {
		case inside && trimmed == "```":
			inside = false
		case inside && number >= 0:
			blocks[len(blocks)-1].text += strings.TrimPrefix(line, indent)
		case strings.HasPrefix(trimmed, "```sh"):
			number, inside = number+1, true
			indent, _, _ = strings.Cut(line, "`")
			blocks = append(blocks, shellBlock{name: fmt.Sprintf("%s %d", heading, number)})
		case strings.HasPrefix(line, "#"):
			heading, number = strings.TrimSpace(strings.TrimLeft(line, "#")), 0
		}
	}
	return blocks
}

func blockNamed(t *testing.T, name string) string {
	t.Helper()
	for _, b := range shellBlocks(t) {
		if b.name == name {
			return b.text
		}
	}
	t.Fatalf("the runbook has no block %s", name)
	return ""
}

// operator is somebody with the runbook, a shell, and stack dev on a local cloud of their own.
type operator struct {
	t       *testing.T
	cloud   *cloud.Cloud
	front   *front
	folder  string
	outputs map[string]any
	shards  string   // those in which the trades are
	sent    []string // ids of the trades

	began    int      // the calls before the current run
	receipts []string // of the messages that were received
	mu       sync.Mutex
	resumed  []string // executions
}

// newOperator deploys. socket is where the AWS CLI listens.
func newOperator(t *testing.T, socket string) *operator {
	t.Helper()
	logs := &endpoint.Logs{}
	o := &operator{t: t, cloud: cloud.New(cloud.Options{Images: localrun.Images(), Logs: logs}), folder: t.TempDir(), shards: "0"}
	var err error
	if o.outputs, err = deployed.On(t.Context(), o.cloud, root, stackName, nil); err != nil {
		t.Fatal(err)
	}
	behind := httptest.NewServer(endpoint.New(o.cloud, logs))
	t.Cleanup(behind.Close)
	o.front = newFront(t).before(t, behind.URL)
	o.answerTheRest()
	outputs, err := json.Marshal(o.outputs)
	if err != nil {
		t.Fatal(err)
	}
	client, err := filepath.Abs("aws.py")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"outputs.json": string(outputs),
		"redrive.py":   runbookFile(t, "redrive.py"),
		"aws": fmt.Sprintf("#!/bin/sh\nexec '%s' -I -S '%s' call '%s' --endpoint-url '%s' --cli-read-timeout 2 \"$@\"\n",
			tool(t, "python/bin/python"), client, socket, o.front.Endpoint),
		"pulumi": `#!/bin/sh
case "$*" in
"$PULUMI_FAILS"*) echo '{"diagnostics": []}'; exit 255 ;;
"stack output"*) cat outputs.json ;;
*--json*) echo '{"steps": [{"op": "same", "urn": "urn:key"}, {"op": "replace", "urn": "urn:table"}]}' ;;
esac
`,
		"python3": fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\"\n", tool(t, "python/bin/python")),
		"git":     "#!/bin/sh\n", "sleep": "#!/bin/sh\n",
	} {
		if err := os.WriteFile(filepath.Join(o.folder, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// startCLI starts the real AWS CLI and returns the socket at which it listens.
func startCLI(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the runbook's commands need %s, which is not on PATH", program)
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

// run runs commands in a shell that was started as the runbook says, and returns what they print and the exit code.
func (o *operator) run(commands string, variables ...string) (said, complained string, code int) {
	o.t.Helper()
	within, _, _ := strings.Cut(blockNamed(o.t, "Find a trade 2"), "\n\n")
	script := "seq() { [ \"$*\" = '0 " + fmt.Sprint(recorder.Shards-1) + "' ] && printf '%s\\n' $SHARDS; }\n" + within + "\n" + commands
	shell := exec.CommandContext(o.t.Context(), "bash", "-c", script)
	shell.Dir = o.folder
	shell.Env = append(os.Environ(), "PATH="+o.folder+string(os.PathListSeparator)+os.Getenv("PATH"), "SHARDS="+o.shards, "PULUMI_FAILS=nothing",
		"AWS_ACCESS_KEY_ID=AKIAINTEGRATION", "AWS_SECRET_ACCESS_KEY=secret", "AWS_MAX_ATTEMPTS=1", "AWS_REGION="+region,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "TZ=UTC")
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

// started returns commands in a shell in which 'Before you start' was run, without its call.
func (o *operator) started(commands string) string {
	return "aws() { :; }\n{\n" + blockNamed(o.t, "Before you start 1") + "} > /dev/null || exit 99\nunset -f aws\n" + commands
}

// made returns the calls of the last run.
func (o *operator) made() []string { return o.front.since(o.began) }

// failingNth makes one call of a run fail, counted by operation from 1.
func (o *operator) failingNth(operation string, n int, wrong fault) {
	o.front.failing(func(r request) fault {
		if r.Operation == operation {
			if n--; n == 0 {
				return wrong
			}
		}
		return fault{}
	})
}

// reveal lets time pass: hidden messages are visible again.
func (o *operator) reveal() {
	for _, receipt := range o.receipts {
		_ = o.queue().ChangeVisibility(o.t.Context(), receipt, 0) // the error is that the message is gone, or visible
	}
}

// operations are the calls that are given in a row, with the number of each.
func operations(calls string) map[string]int {
	counted := map[string]int{}
	for operation := range strings.FieldsSeq(calls) {
		counted[operation]++
	}
	return counted
}

// Each call of a block fails in turn, the first and the last of its kind.
func TestTheBlocksOfTheRunbookStopAtTheFirstFailureAndFinishWhenTheyAreRunAgain(t *testing.T) {
	socket := startCLI(t)
	listed := map[string]bool{}
	for _, block := range shellBlocks(t) {
		listed[block.name] = true
		p, known := procedures[block.name]
		if !known {
			t.Errorf("%s: nothing says how this block is run, or why not", block.name)
		}
		if !known || p.notHere != "" {
			continue
		}
		t.Run(block.name, func(t *testing.T) {
			t.Parallel() // it waits most of the time
			o := newOperator(t, socket)
			text := block.text
			for example, here := range p.fill {
				if !strings.Contains(text, example) {
					t.Errorf("it has no %s", example)
				}
				text = strings.ReplaceAll(text, example, here)
			}
			again := func() { // what an earlier run hid, sent or resumed is as before
				o.reveal()
				o.resumed = nil
				if p.prepare != nil {
					p.prepare(o)
				}
			}
			script := o.started(p.before + "\n" + text)
			if block.name == "Before you start 1" {
				script = text
			}
			for operation, times := range operations(p.calls) {
				for _, n := range slices.Compact([]int{1, times}) {
					again()
					o.failingNth(operation, n, broken)
					said, complained, code := o.run(script)
					made := o.made()
					_, ignores := p.ignores[operation]
					_, goesOn := p.goesOn[operation]
					after := made[min(len(made), nth(made, operation, n)):]
					switch {
					case !strings.Contains(complained, failedByTheTest):
						t.Errorf("nothing says that call %d of %s failed:\n%s\n%s", n, operation, said, complained)
					case code == 0 && !ignores:
						t.Errorf("call %d of %s failed, and it ends with 0:\n%s\n%s", n, operation, said, complained)
					case len(after) > 0 && !goesOn && !ignores:
						t.Errorf("call %d of %s failed, and it goes on with %v:\n%s", n, operation, after, complained)
					}
				}
			}
			o.front.failing(nil)
			again()
			said, complained, code := o.run(script)
			made := o.made()
			if want := strings.Fields(p.calls); !slices.Equal(made, want) {
				t.Errorf("it calls %v, want %v", made, want)
			}
			if code != p.ends || !regexp.MustCompile(p.says).MatchString(said+"\n"+complained) && !regexp.MustCompile(p.says).MatchString(said) {
				t.Errorf("it ends with %d, and prints\n%s\n%s\nwant %s", code, said, complained, p.says)
			}
			if p.check != nil {
				p.check(o, said)
			}
		})
	}
	for name := range procedures {
		if !listed[name] {
			t.Errorf("the runbook has no block %s", name)
		}
	}
}

// The loops meet what AWS answers when it did only a part, and answers that come late or never. None takes that for
// success. Run again, it finishes the work and records nothing twice.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func TestNoLoopOfTheRunbookTakesAPartForTheWhole(t *testing.T) {
	socket := startCLI(t)
	const (
		refused  = `{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}]}`
		window   = "from=1772400000000 to=1772500000000 restored=$(out .tradeTableName)-restored\n"
		notSent  = `stopped: \{"tradeId".+\} was not sent`
		examples = `resend "$restored" "$AWS_REGION" system1`
	)
	lost := fault{Applied: true, Broken: true}
	late := fault{Applied: true, Broken: true, Slow: 2500 * time.Millisecond} // the CLI waits for 2 seconds
	resend := blockNamed(t, "Items were damaged or deleted 5")
	merge := strings.ReplaceAll(resend, examples, "resend trade-processing-prod-eu-trades "+replica+" system1")
	if merge == resend {
		t.Fatalf("the runbook has no %s", examples)
	}
	type failure struct {
		operation string
		n         int
		wrong     fault
		complains string
	}
	restored := func(where, name string) (func(*operator), func(*operator)) {
		return func(o *operator) { o.restored(where, name) }, func(o *operator) { o.has(o.live(), o.sent...) }
	}
	restore, isRestored := restored(region, "trade-processing-dev-trades-restored")
	merging, isMerged := restored(replica, "trade-processing-prod-eu-trades")
	letters := func(o *operator) { o.letters(letter(exact, "States.Timeout")) }
	for name, test := range map[string]struct {
		prepare  func(*operator)
		commands string
		failures []failure
		done     string // what it prints only then
		check    func(*operator)
	}{
		"find": {
			(*operator).record, window + `within "$(out .tradeTableName)" bySource sourceShard system1 "$from" "$to" --page-size 1 | jq length`,
			[]failure{{"Query", 2, throttled, "ProvisionedThroughputExceeded"}, {"Query", 3, lost, "closed"}, {"Query", 1, late, "timeout"}},
			"^5$", func(*operator) {},
		},
		"restore": {restore, window + resend, []failure{
			{"PutEvents", 2, fault{Status: http.StatusOK, Answer: refused}, notSent}, {"PutEvents", 3, lost, notSent}, {"PutEvents", 1, late, notSent},
			{"GetItem", 2, fault{Status: http.StatusOK, Answer: "{}"}, notSent},
		}, "^5 sent$", isRestored},
		"merge": {merging, window + merge, []failure{{"PutEvents", 5, fault{Status: http.StatusOK, Answer: refused}, notSent}}, "^5 sent$", isMerged},
		"redrive": {letters, setQueue + "\n" + blockNamed(t, "Redrive 3"), []failure{
			{"PutEvents", 1, fault{Status: http.StatusOK, Answer: refused}, "the bus refused message .+, which stays in the queue"},
			{"", 0, fault{}, "the queue holds about 1 more"}, // the failure before has hidden it
			{"ReceiveMessage", 1, fault{Status: http.StatusOK, Answer: "{}"}, "the queue holds about 1 more"},
			{"DeleteMessage", 1, lost, "closed"},
		}, "", func(o *operator) { o.has(o.live(), "exact") }},
		"resume": {func(*operator) {}, blockNamed(t, "Executions without a dead letter 1"), []failure{
			{"GetExecutionHistory", 3, throttled, "ProvisionedThroughputExceeded"}, {"RedriveExecution", 1, throttled, "not resumed: " + execution("late-1")},
		}, "", func(o *operator) {
			if want := []string{execution("failed-2"), execution("late-1")}; !slices.Equal(o.resumed, want) { // one a run
				o.t.Errorf("it resumed %v, want %v", o.resumed, want)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits most of the time
			o := newOperator(t, socket)
			test.prepare(o)
			done := regexp.MustCompile(test.done)
			for _, f := range test.failures {
				if f.operation != "" {
					o.reveal()
					o.failingNth(f.operation, f.n, f.wrong)
				} else {
					o.front.failing(nil)
				}
				said, complained, code := o.run(o.started(test.commands))
				if code == 0 || !regexp.MustCompile(f.complains).MatchString(complained) || test.done != "" && done.MatchString(said) {
					t.Errorf("%+v: it ends with %d, and says\n%s\n%s", f, code, said, complained)
				}
			}
			o.reveal()
			o.front.failing(nil)
			if said, complained, code := o.run(o.started(test.commands)); code != 0 || !done.MatchString(said) {
				t.Errorf("when nothing fails, it ends with %d, and says\n%s\n%s", code, said, complained)
			}
			test.check(o)
			o.front.failing(func(request) fault { return fault{Slow: 100 * time.Millisecond} })
			if _, complained, code := o.run(o.started(test.commands)); code != 0 {
				t.Errorf("slow answers end it with %d: %s", code, complained)
			}
		})
	}
}

// Nothing is done, or said to be well, with the outputs or the plan of a pulumi that failed.
func TestNoBlockOfTheRunbookBelievesAPulumiThatFailed(t *testing.T) {
	socket := startCLI(t)
	for name, fails := range map[string]string{"Before you start 1": "stack output", "Promote dev to prod 1": "preview --stack prod --json"} {
		o := newOperator(t, socket)
		said, _, code := o.run(blockNamed(t, name), "PULUMI_FAILS="+fails)
		if made := o.made(); code == 0 || said != "" || len(made) > 0 {
			t.Errorf("%s: it ends with %d, calls %v and prints\n%s", name, code, made, said)
		}
	}
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

func (o *operator) live() string { return o.outputs["tradeTableName"].(string) }

func (o *operator) queueOf(name string) *queue.Queue {
	found, err := o.cloud.Queue(region, name)
	if err != nil {
		o.t.Fatal(err)
	}
	return found
}

func (o *operator) queue() *queue.Queue { return o.queueOf(recorderLetters) }

func (o *operator) letters(bodies ...string) {
	for _, body := range bodies {
		o.lettersOf("recorder", body)
	}
}

// lettersOf puts a dead letter into a function's queue, unless it is there.
func (o *operator) lettersOf(function, body string) {
	for m := range o.queueOf("trade-processing-dev-" + function + "-dead-letters").Messages() {
		if m.Body == body {
			return
		}
	}
	if _, err := o.queueOf("trade-processing-dev-"+function+"-dead-letters").Send(o.t.Context(), queue.Draft{Body: body}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *operator) hide(function string) {
	if _, err := o.queueOf("trade-processing-dev-"+function+"-dead-letters").Receive(o.t.Context(), 10, nil); err != nil {
		o.t.Fatal(err)
	}
}

// five are trades in three shards of the indexes.
var five = sync.OnceValues(func() (ids []string, shards []string) {
	shardOf := func(id string) byte { return sha256.Sum256([]byte(fiveTrade(id)))[0] % recorder.Shards }
	byShard := map[byte][]string{}
	for i := range 200 {
		id := fmt.Sprintf("t%d", i)
		byShard[shardOf(id)] = append(byShard[shardOf(id)], id)
	}
	first := shardOf("t0")
	ids, shards = []string{"t0"}, []string{fmt.Sprint(first)}
	for shard := range byte(recorder.Shards) {
		if found := byShard[shard]; shard != first && len(found) > 1 && len(ids) < restoredTrades {
			ids, shards = append(ids, found[:2]...), append(shards, fmt.Sprint(shard))
		}
	}
	return ids, shards
})

// fiveTrade is a trade in its canonical form.
func fiveTrade(id string) string {
	return fmt.Sprintf(`{"amount":"1.50","currency":"USD","sourceSystem":"system1","tradeId":%q}`, id)
}

// record sends the trades.
func (o *operator) record() {
	ids, shards := five()
	o.sent, o.shards = ids, strings.Join(shards, " ")
	for _, id := range ids {
		e := trade(fiveTrade(id))
		receipt, err := o.cloud.PutEvent(o.t.Context(), region, o.outputs["eventBusName"].(string), cloud.Entry{Source: e.Source, DetailType: e.DetailType, Time: e.Time, Detail: e.Detail})
		if err != nil || len(receipt.Deliveries) != 1 || receipt.Deliveries[0].Failure != nil {
			o.t.Fatalf("%+v, %v", receipt, err)
		}
	}
}

// restored makes a table with the trades, which the live one lacks.
func (o *operator) restored(where, name string) {
	o.t.Helper()
	elsewhere := cloud.New(cloud.Options{Images: localrun.Images()})
	outputs, err := deployed.On(o.t.Context(), elsewhere, root, stackName, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	there := &operator{t: o.t, cloud: elsewhere, outputs: outputs}
	there.record()
	o.sent, o.shards = there.sent, there.shards
	if _, err := o.cloud.Table(where, name); err == nil {
		return // it was made for an earlier run
	}
	from, err := elsewhere.Table(region, o.live())
	if err != nil {
		o.t.Fatal(err)
	}
	inputs := cloud.Properties{}
	for key, value := range one(o.t, o.cloud, "aws:dynamodb/table:Table", "").Inputs {
		inputs[key] = value
	}
	inputs["name"] = name
	if _, err := o.cloud.Create("aws:dynamodb/table:Table", "restored", where, inputs); err != nil {
		o.t.Fatal(err)
	}
	to, err := o.cloud.Table(where, name)
	if err != nil {
		o.t.Fatal(err)
	}
	for item := range from.Items() {
		if _, err := to.PutItem(o.t.Context(), &dynamodb.PutItemInput{TableName: aws.String(name), Item: item}); err != nil {
			o.t.Fatal(err)
		}
	}
}

// has checks that a table holds these trades, each once, and no others.
func (o *operator) has(table string, ids ...string) {
	o.t.Helper()
	found, err := o.cloud.Table(region, table)
	if err != nil {
		o.t.Fatal(err)
	}
	var got []string
	for item := range found.Items() {
		got = append(got, item["tradeId"].(*types.AttributeValueMemberS).Value)
	}
	slices.Sort(got)
	if want := slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) {
		o.t.Errorf("the table has %v, want %v", got, want)
	}
}

func execution(name string) string {
	return "arn:aws:states:us-east-1:" + cloud.Account + ":execution:trade-processing-dev-workflow:" + name
}

// imagesOf are the calls that find the images of a stack's functions.
func imagesOf(stack string) string {
	var calls strings.Builder
	for _, function := range []string{"validator", "enricher", "recorder"} {
		fmt.Fprintf(&calls, "lambda:GET:trade-processing-%s-%s:live DescribeImages ", stack, function)
	}
	return calls.String()
}

// answerTheRest lets the front answer what the endpoint doesn't serve.
func (o *operator) answerTheRest() {
	machine := o.outputs["stateMachineArn"].(string)
	for operation, answer := range map[string]string{
		"StartQuery": `{"queryId": "q"}`, "GetQueryResults": `{"status": "Complete", "results": []}`, "SetAlarmState": `{}`,
		"DescribeStateMachineAlias": `{"routingConfiguration": [{"stateMachineVersionArn": "` + machine + `:4", "weight": 100}]}`,
		"ListStateMachineVersions":  `{"stateMachineVersions": [{"stateMachineVersionArn": "` + machine + `:4", "creationDate": 1}]}`,
		"UpdateStateMachineAlias":   `{"updateDate": 1}`, "DescribeExecution": `{"status": "SUCCEEDED", "stateMachineVersionArn": "` + machine + `:4"}`,
		"DescribeArchive": `{"ArchiveArn": "arn:aws:events:us-east-1:000000000000:archive/a"}`, "DescribeRule": `{"Arn": "arn:rule"}`, "StartReplay": `{"State": "STARTING"}`,
		"DescribeReplay": `{"State": "COMPLETED"}`, "DisableRule": `{}`, "EnableRule": `{}`,
		"GetParameter": `{"Parameter": {"Value": "1000000", "Version": 3}}`, "PutParameter": `{"Version": 4}`,
		"DescribeContinuousBackups": `{"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED"}}`,
		"RestoreTableToPointInTime": `{"TableDescription": {"TableStatus": "CREATING"}}`, "UpdateTable": `{}`,
		"GetKeyRotationStatus": `{"KeyRotationEnabled": true, "KeyId": "YEARLY"}`, "ListKeyRotations": `{"Rotations": []}`, "RotateKeyOnDemand": `{"KeyId": "k"}`,
		"DescribeKey": `{"KeyMetadata": {"KeyId": "k", "KeyState": "PendingReplicaDeletion"}}`, "CancelKeyDeletion": `{"KeyId": "k"}`, "EnableKey": `{}`,
		"ExportTableToPointInTime": `{"ExportDescription": {}}`, "DeleteRepository": `{}`,
		"DescribeRepositories": `{"repositories": [{"repositoryName": "trade-processing/dev/validator"}, {"repositoryName": "trade-processing/dev/enricher"}, {"repositoryName": "other"}]}`,
	} {
		o.front.serve[operation] = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }
	}
	for operation := range operations(imagesOf("dev") + imagesOf("prod") + `lambda:GET:live lambda:GET:versions lambda:GET:configuration lambda:GET:account-settings
		lambda:PUT:live lambda:PUT:concurrency lambda:DELETE:trade-processing-dev-enricher backup:GET:recovery-points backup:GET:restore-metadata
		backup:PUT:restore-jobs backup:GET:backup-jobs backup:PUT:backup-jobs`) {
		o.front.serve[operation] = func(w http.ResponseWriter, r *http.Request) {
			answer := map[string]string{
				"lambda:PUT:live": `{"FunctionVersion": "6"}`, "lambda:GET:live": `{"FunctionVersion": "7"}`, "DescribeImages": `{"imageDetails": [{"imageTags": ["abc"]}]}`,
				"lambda:GET:versions":         `{"Versions": [{"Version": "5", "LastModified": "m", "CodeSha256": "c", "VpcConfig": {"SecurityGroupIds": ["sg-1"]}}]}`,
				"lambda:GET:configuration":    `{"State": "Active"}`,
				"lambda:GET:account-settings": `{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}}`,
				"lambda:PUT:concurrency":      `{"ReservedConcurrentExecutions": 300}`,
				"backup:GET:recovery-points":  `{"RecoveryPoints": [{"CreationDate": 1, "Status": "COMPLETED", "RecoveryPointArn": "arn:point"}]}`,
				"backup:GET:restore-metadata": `{"RestoreMetadata": {"encryptionType": "Default"}}`,
				"backup:GET:backup-jobs":      `{"BackupJobs": [{"CreationDate": 1, "State": "FAILED", "StatusMessage": "why", "BackupJobId": "j"}]}`,
				"backup:PUT:backup-jobs":      `{"BackupJobId": "j"}`, "backup:PUT:restore-jobs": `{"RestoreJobId": "j"}`,
			}[operation]
			fmt.Fprint(w, cmp.Or(answer, `{"Code": {"ImageUri": "repository@sha256:0"}}`))
		}
	}
	o.front.serve["GetRole"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::000000000000:role/backup</Arn></Role></GetRoleResult></GetRoleResponse>`)
	}
	o.front.serve["DescribeNetworkInterfaces"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><status>in-use</status><description>d</description><groupSet/></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>`)
	}
	o.front.serve["ListSubscriptionsByTopic"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions/></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`)
	}
	for operation, do := range map[string]func(asked map[string]any) any{
		"DescribeAlarms": o.describeAlarms, "ReceiveMessage": o.receiveMessage, "GetQueueAttributes": o.getQueueAttributes,
		"ListExecutions": o.listExecutions, "GetExecutionHistory": getExecutionHistory,
		"RedriveExecution": func(asked map[string]any) any {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.resumed = append(o.resumed, asked["executionArn"].(string))
			return map[string]int{"redriveDate": 1}
		},
		"DescribeStateMachine": func(asked map[string]any) any {
			return map[string]any{"definition": fmt.Sprintf(`{"Comment":%q}`, asked["stateMachineArn"])}
		},
	} {
		o.front.serve[operation] = func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // the front has read it already
			var asked map[string]any
			if err := json.Unmarshal(body, &asked); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			_ = json.NewEncoder(w).Encode(do(asked)) // the error is that the caller is gone
		}
	}
	o.front.serve["DescribeTable"] = func(w http.ResponseWriter, r *http.Request) {
		restoring := strings.HasSuffix(o.front.calls("DescribeTable")[0].Body, `-restored"}`)
		if asked := operations(strings.Join(o.made(), " "))["DescribeTable"]; restoring && asked == 1 {
			fmt.Fprint(w, `{"Table": {"TableStatus": "CREATING"}}`)
			return
		}
		o.front.to.ServeHTTP(w, r)
	}
}

func (o *operator) describeAlarms(asked map[string]any) any {
	o.cloud.EvaluateAlarms()
	alarms := []map[string]any{}
	for _, status := range o.cloud.AlarmStatus(region) {
		if string(status.State) == asked["StateValue"] && strings.HasPrefix(status.Alarm, asked["AlarmNamePrefix"].(string)) {
			alarms = append(alarms, map[string]any{"AlarmName": status.Alarm, "StateUpdatedTimestamp": 1, "StateReason": status.Reason})
		}
	}
	return map[string]any{"MetricAlarms": alarms, "CompositeAlarms": []any{}}
}

func (o *operator) receiveMessage(asked map[string]any) any {
	url, limit := asked["QueueUrl"].(string), 1
	if given, is := asked["MaxNumberOfMessages"].(float64); is {
		limit = int(given)
	}
	var hidden *time.Duration
	if given, is := asked["VisibilityTimeout"].(float64); is {
		seconds := time.Duration(given) * time.Second
		hidden = &seconds
	}
	received, err := o.queueOf(url[strings.LastIndex(url, "/")+1:]).Receive(o.t.Context(), limit, hidden)
	if err != nil || len(received) == 0 {
		return struct{}{}
	}
	var messages []any
	for _, m := range received {
		o.mu.Lock()
		o.receipts = append(o.receipts, m.Receipt)
		o.mu.Unlock()
		messages = append(messages, map[string]any{
			"MessageId": m.ID, "ReceiptHandle": m.Receipt, "Body": m.Body, "MD5OfBody": m.BodyMD5, "Attributes": map[string]string{"SentTimestamp": "1"},
		})
	}
	return map[string]any{"Messages": messages}
}

func (o *operator) getQueueAttributes(asked map[string]any) any {
	url := asked["QueueUrl"].(string)
	state := o.queueOf(url[strings.LastIndex(url, "/")+1:]).State()
	return map[string]any{"Attributes": map[string]string{
		"ApproximateNumberOfMessages": fmt.Sprint(state.Visible), "ApproximateNumberOfMessagesNotVisible": fmt.Sprint(state.InFlight),
	}}
}

func (o *operator) listExecutions(asked map[string]any) any {
	names := map[any][]string{"TIMED_OUT": {"late-1"}, "FAILED": {"failed-1", "failed-2"}, nil: {"last"}}[asked["statusFilter"]]
	executions := []map[string]any{}
	for _, name := range names {
		if !slices.Contains(o.resumed, execution(name)) {
			executions = append(executions, map[string]any{"executionArn": execution(name)})
		}
	}
	return map[string]any{"executions": executions}
}

// getExecutionHistory answers with pages, of which the last one of failed-1 shows that it sent a dead letter.
func getExecutionHistory(asked map[string]any) any {
	if asked["executionArn"] != execution("failed-1") {
		return map[string]any{"events": []any{map[string]any{"id": 2, "type": "ExecutionFailed"}}}
	}
	if asked["nextToken"] == nil {
		return map[string]any{"events": []any{map[string]any{"id": 1, "type": "ExecutionStarted"}}, "nextToken": "more"}
	}
	return map[string]any{"events": []any{map[string]any{"id": 2, "type": "FailStateEntered"}}}
}
