package integration_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
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
	within, _, _ := strings.Cut(blockNamed(o.t, "Find a trade 3"), "\n\n")
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
		o.send(fiveTrade(id))
	}
}

// reject sends them, and one in their shards that is rejected for its currency.
func (o *operator) reject() {
	o.record()
	for i := 0; ; i++ {
		detail := strings.Replace(fiveTrade(fmt.Sprintf("t%d", i)), "USD", "ZZZ", 1)
		if shard := sha256.Sum256([]byte(detail))[0] % recorder.Shards; slices.Contains(strings.Fields(o.shards), fmt.Sprint(shard)) {
			o.send(detail)
			return
		}
	}
}

func (o *operator) send(detail string) {
	o.t.Helper()
	e := trade(detail)
	receipt, err := o.cloud.PutEvent(o.t.Context(), region, o.outputs["eventBusName"].(string), cloud.Entry{Source: e.Source, DetailType: e.DetailType, Time: e.Time, Detail: e.Detail})
	if err != nil || len(receipt.Deliveries) != 1 || receipt.Deliveries[0].Failure != nil {
		o.t.Fatalf("%+v, %v", receipt, err)
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
