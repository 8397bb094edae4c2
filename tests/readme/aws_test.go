package readme

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trade-processing/internal/feed"
	"trade-processing/local/cloud"
	"trade-processing/tests/deployed"
)

// Commands that need an account are run with stand-ins: this test's own binary under the names of the two programs.
// What they are told to do is then done on the local cloud, with the stack deployed on it.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "pulumi":
		os.Exit(pulumiStandIn(os.Args[1:]))
	case "aws":
		os.Exit(awsStandIn(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// The files that the stand-ins read and write, by the names of environment variables.
const (
	outputsVariable = "STAND_IN_OUTPUTS" // the stack's outputs as a JSON object
	callsVariable   = "STAND_IN_CALLS"   // one JSON object of flags per call of aws
)

// pulumiCommands are the commands that a page may use, and how many words may follow.
// https://www.pulumi.com/docs/iac/cli/commands/
var pulumiCommands = map[string]int{
	"preview": 0, "up": 0, "destroy": 0, "stack init": 1, "stack rm --preserve-config": 1, "stack output": 1,
	"stack output --json": 0, // which tradectl asks for
}

func pulumiStandIn(args []string) int {
	var words []string
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-s", "--stack", "--policy-pack":
			i++ // the stack, or the pack's folder
		case "--non-interactive":
		default:
			words = append(words, args[i])
		}
	}
	for command, more := range pulumiCommands {
		before := len(strings.Fields(command))
		if len(words) != before+more || strings.Join(words[:before], " ") != command || more == 1 && strings.HasPrefix(words[before], "--") {
			continue
		}
		if !strings.HasPrefix(command, "stack output") {
			return 0
		}
		var outputs map[string]any
		if text, err := os.ReadFile(os.Getenv(outputsVariable)); err != nil || json.Unmarshal(text, &outputs) != nil {
			return refuse("no outputs: %v", err)
		}
		if more == 0 {
			return encode(os.Stdout, outputs)
		}
		value, known := outputs[words[2]]
		if !known {
			return refuse("current stack does not have output property '%s'", words[2])
		}
		if text, ok := value.(string); ok {
			fmt.Println(text)
			return 0
		}
		return encode(os.Stdout, value)
	}
	return refuse("pulumi %s is not supported here", strings.Join(words, " "))
}

// awsOptions are the options of the operations that a page may use. https://docs.aws.amazon.com/cli/latest/reference/
var awsOptions = map[string][]string{
	"events put-events": {"--region", "--entries"},
}

// call is a call of the AWS CLI: its operation, and the value of each option.
type call struct {
	Operation string
	Options   map[string]string
}

func awsStandIn(args []string) int {
	if len(args) < 2 {
		return refuse("aws: too few arguments")
	}
	made := call{Operation: args[0] + " " + args[1], Options: map[string]string{}}
	for i := 2; i < len(args); i++ {
		option := args[i]
		if !slices.Contains(awsOptions[made.Operation], option) {
			return refuse("aws %s: %s is not supported here", made.Operation, option)
		}
		if i++; i == len(args) || args[i] == "" {
			return refuse("aws %s: %s has no value", made.Operation, option)
		}
		value := args[i]
		if name, isFile := strings.CutPrefix(value, "file://"); isFile {
			text, err := os.ReadFile(name)
			if err != nil {
				return refuse("aws %s: %v", made.Operation, err)
			}
			value = string(text)
		}
		made.Options[option] = value
	}
	calls, err := os.OpenFile(os.Getenv(callsVariable), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return refuse("aws: %v", err)
	}
	defer calls.Close() //nolint:errcheck // encode has told what matters
	return encode(calls, made)
}

func encode(to *os.File, value any) int {
	if err := json.NewEncoder(to).Encode(value); err != nil {
		return refuse("%v", err)
	}
	return 0
}

func refuse(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	return 1
}

func TestTheCommandsForAWSDoWhatThePageSays(t *testing.T) {
	account := deploy(t)
	for _, made := range callsOf(t, account.Outputs) {
		t.Run(made.Operation, func(t *testing.T) {
			if made.Options["--region"] != account.Stack.Outputs.Region {
				t.Errorf("region %q is not the stack's", made.Options["--region"])
			}
			account.putEvents(t, made.Options)
		})
	}
}

// callsOf returns the calls of the AWS CLI that the pages make, in their order.
func callsOf(t *testing.T, outputs string) []call {
	t.Helper()
	calls, variables := standIns(t, outputs)
	blocks := tested(t, withStandIns)
	inOrder := slices.SortedFunc(maps.Keys(blocks), func(a, b block) int {
		return strings.Compare(a.page, b.page)*100_000 + a.line - b.line
	})
	for _, b := range inOrder {
		run(t, t.TempDir(), blocks[b], b.text, variables...)
	}
	text, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	var made []call
	for line := range strings.Lines(string(text)) {
		var c call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		made = append(made, c)
	}
	if len(made) == 0 {
		t.Fatal("no page calls the AWS CLI")
	}
	return made
}

// standIns puts the stand-ins into their own folder. It returns the file with their calls, and the variables for a
// process to find them.
func standIns(t *testing.T, outputs string) (calls string, variables []string) {
	t.Helper()
	folder := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"aws", "pulumi"} {
		if err := os.Symlink(self, filepath.Join(folder, program)); err != nil {
			t.Fatal(err)
		}
	}
	calls = filepath.Join(folder, "calls.ndjson")
	if err := os.WriteFile(calls, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return calls, []string{
		"PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH"), outputsVariable + "=" + outputs, callsVariable + "=" + calls,
	}
}

// The verification of a deployment is run as the pages say, against the stack on the local cloud behind AWS's
// protocols.
func TestTheVerificationOfThePagesWorks(t *testing.T) {
	account := deploy(t)
	_, variables := standIns(t, account.Outputs)
	variables = append(variables, "AWS_ENDPOINT_URL="+account.Server.URL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"WATCH=0s") // don't wait for CloudWatch here
	expected := outputs(t)
	for b, h := range tested(t, verifying) {
		t.Run(b.String(), func(t *testing.T) {
			output := verdict(run(t, root, h, b.text, variables...))
			for _, want := range append(expected[strings.TrimSpace(b.text)], "✓ stack dev in us-east-1, run # is verified: 13 steps in #") {
				if !strings.Contains(output, verdict(want)) {
					t.Errorf("the page says that it prints %q, and it prints\n%s", want, output)
				}
			}
		})
	}
}

// verdict returns a text without the run's id and duration.
func verdict(text string) string {
	text = regexp.MustCompile(`\brun [0-9a-f]{16}\b`).ReplaceAllString(text, "run #")
	return regexp.MustCompile(`(?m) in [0-9][0-9.]* ?[a-zµ0-9]+$`).ReplaceAllString(text, " in #")
}

// account is stack dev on the local cloud.
type account struct{ *deployed.Served }

func deploy(t *testing.T) account {
	return account{deployed.Serve(t, cloud.Options{}, root, "dev", nil)}
}

// putEvents sends the entries twice: the page says that a trade is recorded once, however often it is sent.
func (a account) putEvents(t *testing.T, options map[string]string) {
	t.Helper()
	var entries []json.RawMessage
	if err := json.Unmarshal([]byte(options["--entries"]), &entries); err != nil {
		t.Fatalf("%v in %s", err, options["--entries"])
	}
	var lines strings.Builder
	for range 2 {
		for _, entry := range entries {
			lines.WriteString(strings.ReplaceAll(string(entry), "\n", " ") + "\n")
		}
	}
	var outcomes []string
	for entry, problem := range feed.FromReader("entries", strings.NewReader(lines.String())).Entries(t.Context()) {
		if problem != nil {
			t.Fatal(problem.Reason)
		}
		receipt, err := a.Cloud.PutEvent(t.Context(), options["--region"], entry.EventBusName, cloud.Entry{
			Source: entry.Source, DetailType: entry.DetailType, Detail: entry.Detail, Time: entry.Time,
		})
		if err != nil || len(receipt.Deliveries) != 1 || receipt.Deliveries[0].Failure != nil {
			t.Fatalf("%+v, %v", receipt, err)
		}
		var answer struct{ Outcome, Status string }
		if err := json.Unmarshal(receipt.Deliveries[0].Output, &answer); err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, answer.Outcome+" "+answer.Status)
	}
	if want := []string{"RECORDED RECORDED", "DUPLICATE RECORDED"}; !slices.Equal(outcomes, want) {
		t.Errorf("sending the trade twice gives %v, want %v", outcomes, want)
	}
}
