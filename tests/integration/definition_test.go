package integration_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"trade-processing/local/cloud"
	"trade-processing/local/states"
)

// moto lacks the two calls by which AWS would judge a definition and a pattern. Its CreateStateMachine parses a
// definition and its buses match events, so the tests here use those. As soon as this test fails, there is a better
// judge: use it.
func TestWhatMotoCannotJudge(t *testing.T) {
	moto := clients(t, startInterpreter(t, newFront(t)))
	moto.RetryMaxAttempts = 1
	_, err := sfn.NewFromConfig(moto).ValidateStateMachineDefinition(t.Context(), &sfn.ValidateStateMachineDefinitionInput{
		Definition: aws.String(`{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}`),
	})
	if err == nil {
		t.Error("moto has ValidateStateMachineDefinition now")
	}
	answer, err := eventbridge.NewFromConfig(moto).TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{
		EventPattern: aws.String(`{"source": ["a"]}`),
		Event:        aws.String(`{"id": "1", "account": "1", "source": "a", "time": "2026-03-02T12:00:00Z", "region": "us-east-1", "resources": [], "detail-type": "a", "detail": {}}`),
	})
	if err == nil && answer.Result {
		t.Error("moto has TestEventPattern now")
	}
}

// Both parsers accept the program's definition, and refuse what it must not become.
func TestBothParsersAgreeOnDefinitions(t *testing.T) {
	here := deploy(t, cloud.Options{})
	client := sfn.NewFromConfig(clients(t, startInterpreter(t, newFront(t))))
	declared := text(one(t, here, cloud.MachineType, "").Inputs, "definition")
	for name, test := range map[string]struct {
		old, by string // what becomes of the program's own definition
		refused bool
	}{
		"as the program declares it":      {"", "", false},
		"no JSON":                         {`"StartAt"`, `StartAt`, true},
		"nowhere to start":                {`"StartAt":"BeforeRecordTrade",`, ``, true},
		"a state of an unknown type":      {`"Type":"Parallel"`, `"Type":"Serial"`, true},
		"a jitter that there is none of":  {`"JitterStrategy":"FULL"`, `"JitterStrategy":"SOME"`, true},
		"a state without a type":          {`"Type":"Parallel",`, ``, true},
		"a negative number of retries":    {`"MaxAttempts":3`, `"MaxAttempts":-3`, true},
		"a service that there is none of": {`lambda:invoke`, `lambada:invoke`, true},
	} {
		t.Run(name, func(t *testing.T) {
			if test.old != "" && !strings.Contains(declared, test.old) {
				t.Fatalf("the definition has no %s: %s", test.old, declared)
			}
			definition := strings.ReplaceAll(declared, test.old, test.by)
			if test.old == "" {
				definition = declared
			}
			_, ours := states.Compile([]byte(definition), cloud.Integrations())
			_, theirs := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
				Name: aws.String(strings.ReplaceAll(name, " ", "-")), RoleArn: aws.String("arn:aws:iam::" + cloud.Account + ":role/workflow"),
				Definition: aws.String(definition),
			})
			if refused := ours != nil; refused != test.refused {
				t.Errorf("the local cloud refuses it: %v (%v), want %v", refused, ours, test.refused)
			}
			answer, refused := errors.AsType[*smithyhttp.ResponseError](theirs) // moto doesn't name the error
			if refused != test.refused || refused && answer.HTTPStatusCode() != http.StatusBadRequest {
				t.Errorf("moto refuses it: %v (%v), want %v", refused, theirs, test.refused)
			}
		})
	}
}
