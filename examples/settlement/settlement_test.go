package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"trade-processing/components/declared"
	"trade-processing/examples/settlement/confirmer"
	"trade-processing/internal/engine"
	"trade-processing/internal/stackconfig"
	"trade-processing/lambdas/function"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
)

const (
	stackName = "dev"
	region    = "eu-west-1"
)

func settings(t *testing.T) map[string]string {
	t.Helper()
	read, err := stackconfig.Read(".", stackName)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// newCloud returns a local cloud that has the example's function.
func newCloud() *cloud.Cloud {
	return cloud.New(cloud.Options{Images: map[string]cloud.Image{
		"confirmer": func(environment function.Environment, services cloud.Services) (lambda.Handler, error) {
			return confirmer.New(services.DynamoDB, environment.Getenv("TABLE_NAME"))
		},
	}})
}

func TestTheExampleDeclaresWhatItSays(t *testing.T) {
	stack, err := declared.Declare(declared.Program{Run: deploy, Project: "settlement", Stack: stackName, Folder: ".", Config: settings(t)})
	if err != nil {
		t.Fatal(err)
	}
	find := func(typ, end string) *declared.Resource {
		t.Helper()
		found, err := stack.Find(typ, end)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	context := find("docker:index/image:Image", "").Text("build.context")
	got := map[string]string{
		"the table's name":     find("aws:dynamodb/table:Table", "").Text("name"),
		"what the function":    find("aws:lambda/function:Function", "").Text("environment.variables.TABLE_NAME"),
		"the rule's pattern":   find("aws:cloudwatch/eventRule:EventRule", "").Text("eventPattern"),
		"what the rule starts": find("aws:cloudwatch/eventTarget:EventTarget", "").Text("arn"),
		"where to keep":        find("aws:cloudwatch/eventTarget:EventTarget", "").Text("deadLetterConfig.arn"),
		"what builds":          context[:strings.LastIndex(context, "-")], // the tag changes with the sources
	}
	arn := func(service, name string) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, declared.Account, name)
	}
	want := map[string]string{
		"the table's name":     "settlement-confirmations",
		"what the function":    "settlement-confirmations",
		"the rule's pattern":   `{"account":["` + declared.Account + `"],"source":["settlement.agents"]}`,
		"what the rule starts": arn("states", "stateMachine:settlement-workflow:live"),
		"where to keep":        arn("sqs", "settlement-confirmations-dead-letters"),
		"what builds":          "dist/image-contexts/confirmer",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Every queue is watched, whoever created it.
	queues, watched := map[string]bool{}, map[string]bool{}
	for _, queue := range stack.All("aws:sqs/queue:Queue") {
		queues[queue.Text("name")] = true
	}
	for _, alarm := range stack.All("aws:cloudwatch/metricAlarm:MetricAlarm") {
		if alarm.Text("metricName") == "ApproximateNumberOfMessagesVisible" && strings.HasSuffix(alarm.Text("alarmActions.0"), ":settlement-alarms") {
			watched[alarm.Text("dimensions.QueueName")] = true
		}
	}
	if diff := cmp.Diff(queues, watched); diff != "" || len(queues) != 3 {
		t.Errorf("of %d queues (-), watched (+): %s", len(queues), diff)
	}
	for _, policy := range stack.All("aws:iam/rolePolicy:RolePolicy") {
		if strings.Contains(policy.Text("policy"), `"dynamodb:`) && !strings.Contains(policy.Name, "confirmer") {
			t.Errorf("%s, too, reaches the table", policy.Name)
		}
	}
}

// run deploys the example on a local cloud and sends it confirmations.
func run(t *testing.T, here *cloud.Cloud, name string) {
	t.Helper()
	send := func(detail string) cloud.Delivery {
		t.Helper()
		receipt, err := here.PutEvent(t.Context(), region, "settlement", cloud.Entry{Source: eventSource, DetailType: "Confirmation", Detail: json.RawMessage(detail)})
		if err != nil || len(receipt.Deliveries) != 1 {
			t.Fatalf("got %+v, %v", receipt, err)
		}
		return receipt.Deliveries[0]
	}
	confirmation := fmt.Sprintf(`{"tradeId": %q, "settledAt": "2026-03-04T16:00:00Z", "agent": "DTCC"}`, name)
	for i, want := range []string{`{"recorded":true}`, `{"recorded":false}`} {
		if got := string(send(confirmation).Output); got != want {
			t.Errorf("confirmation %d: %s, want %s", i, got, want)
		}
	}
	lost := send(`{"tradeId": "` + name + `"}`)
	want := []cloud.DeadLetter{{Queue: "settlement-confirmer-dead-letters", Error: "MalformedConfirmation"}}
	if lost.Failure == nil || lost.Failure.Name != "MalformedConfirmation" || !slices.Equal(lost.DeadLetters, want) {
		t.Errorf("a confirmation without a time ended as %+v", lost)
	}
	table, err := here.Table(region, "settlement-confirmations")
	if err != nil {
		t.Fatal(err)
	}
	for item := range table.Items() {
		if status, _ := item["status"].(*types.AttributeValueMemberS); status == nil || status.Value != "SETTLED" {
			t.Errorf("the table holds %v", item)
		}
	}
	if table.Count() != 1 {
		t.Errorf("the table holds %d items", table.Count())
	}
}

func TestTheExampleOnTheEngine(t *testing.T) {
	here := newCloud()
	stack, err := engine.Open(engine.Options{Root: ".", Stack: stackName, Program: deploy, Providers: engine.InProcess(provider.Of(here))})
	if err != nil {
		t.Fatal(err)
	}
	plan, outputs, err := stack.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if outputs["tableName"].Value != "settlement-confirmations" || plan.Counts["create"] < 40 {
		t.Errorf("it did %v, with outputs %v", plan.Counts, slices.Collect(maps.Keys(outputs)))
	}
	run(t, here, "t1")
	if again, _, err := stack.Up(t.Context()); err != nil || len(again.Changed()) > 0 {
		t.Errorf("a second deployment changes %v (%v)", again, err)
	}
	if _, err := stack.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := here.Resources(); len(left) > 0 {
		t.Errorf("%d resources are left, the first %s %s", len(left), left[0].Type, left[0].Name)
	}
}
