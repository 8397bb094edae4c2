package peers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"trade-processing/components/declared"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/recorder"
)

// resource is what models.py holds against AWS's models.
type resource struct {
	Where  string         `json:"where"`
	Type   string         `json:"type"` // without provider and name, such as sqs/queue
	Inputs map[string]any `json:"inputs"`
}

// modelled is what AWS's models say.
type modelled struct {
	Findings []finding           `json:"findings"`
	Limits   int                 `json:"limits"` // how many were held
	Errors   map[string][]string `json:"errors"` // by operation
}

// ask asks AWS's models, which come with botocore. That is installed with the AWS CLI of the emulators, because Checkov
// brings an old one.
func ask(t *testing.T, resources []resource, operations ...string) modelled {
	t.Helper()
	given, err := json.Marshal(map[string]any{"resources": resources, "operations": operations})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join(os.Getenv("EMULATORS"), "python/bin/python"), "models.py")
	command.Stdin = bytes.NewReader(given)
	var answer modelled
	if err := json.Unmarshal(run(t, command), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// Every value that the program sets is one that AWS's models allow: enums, lengths, ranges and patterns.
func TestPropertiesAreWithinAWSsModels(t *testing.T) {
	installed(t, "")
	var resources []resource
	for _, name := range []string{"dev", "prod"} {
		for _, r := range declare(t, name, nil) {
			if kind, ours := strings.CutPrefix(r.Type, "aws:"); ours {
				kind, _, _ = strings.Cut(kind, ":")
				resources = append(resources, resource{name + " " + r.Name, kind, r.Inputs})
			}
		}
	}
	answer := ask(t, resources)
	if answer.Limits < 2000 {
		t.Errorf("only %d limits were held", answer.Limits)
	}
	t.Logf("%d limits were held", answer.Limits)
	judged(t, "models", answer.Findings)
}

func TestAWSsModelsSeeFaults(t *testing.T) {
	installed(t, "")
	for name, test := range map[string]struct {
		kind     string
		property string
		value    any
		rule     string
	}{
		"a value of no enum":          {"lambda/function", "packageType", "Container", "enum"},
		"a number below the range":    {"lambda/function", "memorySize", 64, "range"},
		"a name with a space":         {"lambda/function", "name", "the validator", "pattern"},
		"a name that is too long":     {"sfn/stateMachine", "name", strings.Repeat("a", 81), "range"},
		"a value in a part of a list": {"dynamodb/table", "attributes", []any{map[string]any{"name": "status", "type": "X"}}, "enum"},
		"a retry policy of two days":  {"cloudwatch/eventTarget", "retryPolicy", map[string]any{"maximumEventAgeInSeconds": 172800}, "range"},
		"a statistic without a name":  {"cloudwatch/metricAlarm", "statistic", "", "enum"},
		"a property of no operation":  {"lambda/function", "colour", "red", "no-member"},
		"a type that nobody knows":    {"s3/bucket", "bucket", "trades", "no-operation"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := ask(t, []resource{{"planted", test.kind, map[string]any{test.property: test.value}}}).Findings
			if !slices.ContainsFunc(findings, func(f finding) bool { return f.ID == test.rule }) {
				t.Errorf("it doesn't see it: %v", findings)
			}
		})
	}
}

// names are the errors that a retrier or a catcher is for.
type names struct{ ErrorEquals []string }

// task is a state of a declared state machine, as far as its errors go.
type task struct {
	Resource string
	Retry    []names
	Catch    []names
	States   map[string]task
	Branches []task
}

// tasks returns the tasks of a machine that call one service, by their states.
func (s task) tasks(resource string) map[string]task {
	found := map[string]task{}
	for name, state := range s.States {
		if strings.HasSuffix(state.Resource, resource) {
			found[name] = state
		}
		for _, branch := range state.Branches {
			maps.Copy(found, branch.tasks(resource))
		}
	}
	return found
}

func (s task) retries(name string) bool {
	for _, retrier := range s.Retry {
		if slices.Contains(retrier.ErrorEquals, name) || slices.Contains(retrier.ErrorEquals, "States.ALL") {
			return true
		}
	}
	return false
}

// Every error that AWS's models list for the calls on a trade's way is retried, or the list says why that is no use.
// What isn't retried, or fails to the end, is caught and kept.
func TestEveryErrorOfTheWayIsRetriedOrExplained(t *testing.T) {
	installed(t, "")
	const invoke, send, put, get, read, start, events = "lambda.Invoke", "sqs.SendMessage", "dynamodb.PutItem", "dynamodb.GetItem", "ssm.GetParametersByPath", "stepfunctions.StartExecution", "events.PutEvents"
	listed := ask(t, nil, invoke, send, put, get, read, start, events).Errors
	// seen are the errors by the names that the state machine sees.
	seen := map[string]string{}
	for _, code := range listed[invoke] {
		seen[invoke+" "+code] = "Lambda." + code
	}
	for _, code := range listed[read] {
		seen[read+" "+code] = readParameters(t, code)
	}
	var findings []finding
	for shape := range shapes {
		resources := declare(t, shape, nil)
		for _, code := range listed[put] {
			seen[put+" "+code] = record(t, resources, code, "valid")
		}
		for _, code := range listed[get] {
			seen[get+" "+code] = record(t, resources, code, "rejected")
		}
		for _, r := range resources {
			switch r.Type {
			case "aws:sfn/stateMachine:StateMachine":
				findings = append(findings, unretried(t, r.Inputs["definition"].(string), seen)...)
			case "aws:cloudwatch/eventTarget:EventTarget":
				// EventBridge keeps what StartExecution refuses, whatever the error.
				if r.Text("deadLetterConfig.arn") == "" || r.At("retryPolicy.maximumRetryAttempts") == nil {
					findings = append(findings, finding{"not-kept", start + " " + r.Name, "its target has no retry policy or dead-letter queue"})
				}
			}
		}
	}
	for _, code := range listed[events] {
		findings = append(findings, finding{"not-retried", events + " " + code, "the producer sees it"})
	}
	for operation, codes := range listed {
		if len(codes) == 0 {
			t.Errorf("the models list no error of %s", operation)
		}
	}
	judged(t, "errors", findings)
}

// unretried returns the errors that the tasks of a machine don't retry, those they don't catch, and the names that they
// retry but nothing answers.
func unretried(t *testing.T, definition string, seen map[string]string) []finding {
	t.Helper()
	var machine task
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		t.Fatal(err)
	}
	var findings []finding
	calls, sends := machine.tasks(":lambda:invoke"), machine.tasks(":sqs:sendMessage")
	if len(calls) < 3 || len(sends) < len(calls) {
		t.Errorf("%d tasks call functions, and %d keep what failed", len(calls), len(sends))
	}
	answered := slices.Collect(maps.Values(seen))
	for state, call := range calls {
		for from, name := range seen {
			if !call.retries(name) {
				findings = append(findings, finding{"not-retried", from, "a trade fails with " + name})
			}
		}
		for _, name := range []string{"States.ALL", "States.DataLimitExceeded"} {
			if !slices.ContainsFunc(call.Catch, func(c names) bool { return slices.Contains(c.ErrorEquals, name) }) {
				findings = append(findings, finding{"not-caught", state, name})
			}
		}
		for _, retrier := range call.Retry {
			for _, name := range retrier.ErrorEquals {
				if !slices.Contains(answered, name) {
					findings = append(findings, finding{"never-answered", name, "it is retried, and no model lists it"})
				}
			}
		}
	}
	for state, send := range sends {
		if !send.retries("SQS.AmazonSQSException") {
			findings = append(findings, finding{"not-retried", "sqs.SendMessage of " + state, "what isn't sent fails at once"})
		}
	}
	return findings
}

// refuse returns the configuration of a client whose service answers one error to everything.
func refuse(t *testing.T, code string) aws.Config {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"`+code+`","message":"no"}`)
	}))
	t.Cleanup(service.Close)
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(service.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAPEERS", "secret", ""),
	}
}

// record returns the name under which the declared recorder fails if DynamoDB answers an error.
func record(t *testing.T, resources []*declared.Resource, code, payloadFile string) string {
	t.Helper()
	variables := map[string]any{}
	for _, r := range resources {
		if r.Type == "aws:lambda/function:Function" && strings.Contains(r.Name, "recorder") {
			variables = r.At("environment.variables").(map[string]any)
		}
	}
	environment := function.Environment{
		Getenv: func(name string) string { text, _ := variables[name].(string); return text },
		Output: io.Discard, Now: time.Now,
	}
	handler, err := recorder.New(environment, dynamodb.NewFromConfig(refuse(t, code)))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := os.ReadFile(filepath.Join(root, "lambdas/recorder/testdata", payloadFile+".json"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = handler.Invoke(t.Context(), payload)
	answer, ok := errors.AsType[messages.InvokeResponse_Error](err)
	if !ok {
		t.Fatalf("%s: the recorder answers %v", code, err)
	}
	return answer.Type
}

// reports is a reporter that nobody reads.
type reports struct{}

func (reports) Log() *slog.Logger { return slog.New(slog.DiscardHandler) }
func (reports) Count(string, int) {}

// readParameters returns the name under which a function fails that has never read its parameters.
func readParameters(t *testing.T, code string) string {
	t.Helper()
	_, err := parameters.New(ssm.NewFromConfig(refuse(t, code)), "/trade-processing/dev", time.Now, parameters.ThresholdName).Values(context.Background(), reports{})
	if err == nil {
		t.Fatalf("%s is no error", code)
	}
	return function.ErrorType(err)
}
