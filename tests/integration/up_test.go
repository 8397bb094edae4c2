package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
	"trade-processing/local/endpoint"
)

// localUp starts `tradectl local up` with stack local as it is but for backups, and returns the variables that it prints and the
// file with the stack's outputs.
func localUp(t *testing.T) (variables []string, outputs string) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	xdg.Reload()
	project := t.TempDir()
	err := os.CopyFS(filepath.Join(project, "lambdas"), os.DirFS(filepath.Join(root, "lambdas")))
	for file, more := range map[string]string{"Pulumi.yaml": "", "Pulumi.local.yaml": "  trade-processing:backup: true\n"} {
		text, wrong := os.ReadFile(filepath.Join(root, file))
		err = errors.Join(err, wrong, os.WriteFile(filepath.Join(project, file), append(text, more...), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	var printed, noted bytes.Buffer
	term := &terminal.Terminal{In: strings.NewReader(""), Out: &printed, Err: &noted, Columns: 80, Getenv: func(string) string { return "" }}
	tradectl := &cobra.Command{Use: "tradectl", SilenceUsage: true, SilenceErrors: true}
	commands.Add(tradectl, term)
	tradectl.SetArgs([]string{"local", "up", "--port", "0", "--project", project})
	ctx, interrupt := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tradectl.ExecuteContext(ctx) }()
	t.Cleanup(func() {
		interrupt()
		<-ended //nolint:errcheck // how it ends is another test's
	})
	for {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("it ends with %v: %s", err, &noted)
		case <-time.After(20 * time.Millisecond):
		}
		served, err := operate.ReadLocal(project)
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(printed.String()) {
			if word != "export" {
				variables = append(variables, word)
			}
		}
		outputs = filepath.Join(t.TempDir(), "outputs.json")
		if err := os.WriteFile(outputs, served.Outputs, 0o600); err != nil {
			t.Fatal(err)
		}
		return variables, outputs
	}
}

// Whatever the local cloud serves, boto3 can call and read.
func TestEveryServedOperationIsCalledByBoto3(t *testing.T) {
	python := tool(t, "python/bin/python")
	variables, outputs := localUp(t)
	script := exec.CommandContext(t.Context(), python, "served.py", outputs)
	script.Env = append(os.Environ(), append(variables, "AWS_CONFIG_FILE="+os.DevNull, "AWS_MAX_ATTEMPTS=1")...)
	var said bytes.Buffer
	script.Stderr = &said
	out, err := script.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	var called []string
	if err := json.Unmarshal(out, &called); err != nil {
		t.Fatal(err)
	}
	if served := endpoint.Operations(); !slices.Equal(called, served) {
		for _, one := range served {
			if !slices.Contains(called, one) {
				t.Errorf("nothing calls %s", one)
			}
		}
	}
}

// Commands of the AWS CLI at `tradectl local up`, but for those in blocks that are run as they are: what pages name in sentences, and
// what else is served.
var commandsServed = map[string]string{
	"backup list-backup-jobs":              `--by-backup-vault-name trade-processing-local-trades`,
	"backup describe-restore-job":          `--restore-job-id none 2>&1 | grep ResourceNotFoundException`,
	"cloudwatch describe-alarms":           `--alarm-name-prefix trade --alarm-types MetricAlarm CompositeAlarm --state-value ALARM --query '[MetricAlarms, CompositeAlarms][].[AlarmName, StateUpdatedTimestamp, StateReason]' --output text`,
	"cloudwatch list-metrics":              `--namespace AWS/States`,
	"cloudwatch set-alarm-state":           `--alarm-name trade-processing-local-rejections --state-value ALARM --state-reason "Testing the e-mail subscription"`,
	"dynamodb delete-table":                `--table-name "$(out .tradeTableName)-restored" 2>&1 | grep ResourceNotFoundException`,
	"dynamodb describe-continuous-backups": `--table-name "$(out .tradeTableName)"`,
	"dynamodb list-backups":                `--backup-type SYSTEM`,
	"dynamodb put-item":                    `--table-name "$(out .tradeTableName)" --item '{"tradeId":{"S":"cli"},"version":{"S":"system1#1"}}'`,
	"dynamodb update-continuous-backups":   `--table-name "$(out .tradeTableName)" --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`,
	"dynamodb wait table-exists":           `--table-name "$(out .tradeTableName)"`,
	"ecr delete-repository":                `--repository-name trade-processing/local/validator 2>&1 | grep RepositoryNotEmptyException`,
	"ecr describe-images":                  `--repository-name trade-processing/local/recorder --image-ids imageDigest="$(aws lambda get-function --function-name "$(out .functionNames.recorder):live" --query Code.ImageUri --output text | cut -d@ -f2)" --query 'imageDetails[0].imageTags' --output text`,
	"ecr describe-repositories":            `--query 'repositories[].repositoryName' --output text`,
	"events cancel-replay":                 `--replay-name "$(replay)" 2>&1 | grep 'CANCELLING\|IllegalStatusException' # it may have ended`,
	"events describe-rule":                 `--name trade-processing-local-from-system1 --event-bus-name "$(out .eventBusName)"`,
	"events enable-rule":                   `--name trade-processing-local-from-system1 --event-bus-name "$(out .eventBusName)"`,
	"events remove-targets":                `--rule trade-processing-local-from-system1 --event-bus-name "$(out .eventBusName)" --ids verify-1`,
	"iam create-open-id-connect-provider":  `--url https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com --query OpenIDConnectProviderArn --output text`,
	"kms disable-key":                      `--key-id "$(out .keyArn)" && aws kms enable-key --key-id "$(out .keyArn)"`,
	"kms get-key-rotation-status":          `--key-id "$(out .keyArn)"`,
	"kms schedule-key-deletion":            `--key-id "$(out .keyArn)" && aws kms cancel-key-deletion --key-id "$(out .keyArn)" && aws kms enable-key --key-id "$(out .keyArn)"`,
	"kms update-primary-region":            `--key-id "$(out .keyArn)" --primary-region eu-west-1`,
	"lambda delete-function-concurrency":   `--function-name "$(out .functionNames.recorder)"`,
	"lambda delete-function":               `--function-name "$(out .functionNames.enricher)" --qualifier 5`,
	"lambda get-function":                  `--function-name "$(out .functionNames.recorder):live" --query Code.ImageUri --output text`,
	"lambda get-function-concurrency":      `--function-name "$(out .functionNames.recorder)"`,
	"lambda get-function-configuration":    `--function-name "$(out .functionNames.recorder)" --qualifier 1 --query '[State, StateReasonCode]'`,
	"logs filter-log-events":               `--log-group-name "/aws/lambda/$(out .functionNames.recorder)" --filter-pattern '{ $.tradeId = "cli" }'`,
	"sns list-subscriptions-by-topic":      `--topic-arn "$(out .alarmTopicArn)"`,
	"sqs get-queue-attributes":             `--queue-url "$queue" --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible`,
	"sqs start-message-move-task":          `--source-arn "$(aws sqs get-queue-attributes --queue-url "$queue" --attribute-names QueueArn --query Attributes.QueueArn --output text)" 2>&1 | grep 'configured as a Dead Letter Queue' # which none is`,
	"ssm get-parameter-history":            `--name "$(out .parameterPrefix)processing-threshold"`,
	"stepfunctions describe-execution":     `--execution-arn "$(execution)" --query '[status, redriveCount, stateMachineVersionArn]'`,
	"stepfunctions get-execution-history":  `--execution-arn "$(execution)" --query "events[?type=='FailStateEntered'].id" --output text`,
	"stepfunctions redrive-execution":      `--execution-arn "$(execution)"`,
	"stepfunctions list-executions":        `--state-machine-arn "$(out .stateMachineArn)" --status-filter RUNNING --query 'length(executions)'`,
	"stepfunctions stop-execution":         `--execution-arn "$(execution)"`,
}

// Each operation that a page calls with the AWS CLI is served to the real one.
func TestThePagesCommandsRunAtLocalUp(t *testing.T) {
	socket := startCLI(t)
	variables, outputs := localUp(t)
	folder, python := t.TempDir(), tool(t, "python/bin/python")
	client, err := filepath.Abs("aws.py")
	if err != nil {
		t.Fatal(err)
	}
	// Version 1 of the AWS CLI, the one on pip, ignores AWS_ENDPOINT_URL for SQS.
	aws := "#!/bin/sh\nexec '" + python + "' -I -S '" + client + "' call '" + socket + "' --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, "aws"), []byte(aws), 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(command string) (string, error) {
		script := "out() { jq -er \"$1\" '" + outputs + "'; }\nqueue=$(out .deadLetterQueueUrls.recorder)\n" +
			"replay() { aws events start-replay --replay-name r --event-source-arn \"$(aws events describe-archive --archive-name \"$(out .eventArchiveName)\" --query ArchiveArn --output text)\" " +
			"--event-start-time 1 --event-end-time 2 --destination Arn=\"$(aws events describe-event-bus --name \"$(out .eventBusName)\" --query Arn --output text)\" > /dev/null; echo r; }\n" +
			"execution() { aws stepfunctions list-executions --state-machine-arn \"$(out .stateMachineArn)\" --max-items 1 --query 'executions[0].executionArn' --output text | head -n 1; }\n"
		shell := exec.CommandContext(t.Context(), "bash", "-c", script+command)
		shell.Env = append(os.Environ(), append(variables, "AWS_CONFIG_FILE="+os.DevNull, "AWS_MAX_ATTEMPTS=1", "PATH="+folder+string(os.PathListSeparator)+os.Getenv("PATH"))...)
		text, err := shell.CombinedOutput()
		return string(text), err
	}
	if said, err := run(`aws stepfunctions start-execution --state-machine-arn "$(out .stateMachineAliasArn)" --input '{"detail":{}}'`); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	ran := ranAsTheyAre(t)
	for _, c := range onThePages(t) {
		if _, serves := commandsServed[c.name]; serves == ran[c.name] {
			t.Errorf("%s: say how aws %s runs at the local cloud; what a block runs as it is needs no row", c.where, c.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(commandsServed)) { // one may need what another did
		if said, err := run("aws " + name + " " + commandsServed[name]); err != nil {
			t.Errorf("aws %s ends with %v: %s", name, err, said)
		}
	}
}
