package functions_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/lambdas/function/functiontest"
)

// Instance is a function running somewhere. It must end with the test.
type Instance interface {
	// Invoke calls the function once. The error says why there is no answer, such as functiontest.ErrTimedOut; a
	// function's own error is part of the answer.
	Invoke(t *testing.T, invocation functiontest.Invocation) (functiontest.Answer, error)
}

// Start starts a function with an account's variables.
type Start func(t *testing.T, account *Account, function string) Instance

// check runs every case, each with its own instance. Functions must answer the same wherever they run.
func check(t *testing.T, start Start) {
	for _, function := range Functions() {
		t.Run(function, func(t *testing.T) {
			for _, c := range Cases() {
				if c.Function == function {
					t.Run(c.Name, func(t *testing.T) { c.run(t, start) })
				}
			}
		})
	}
}

func (c Case) run(t *testing.T, start Start) {
	account := open(t)
	instance := start(t, account, c.Function)
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultCaseTimeout
	}
	for _, payload := range c.Earlier {
		if _, err := instance.Invoke(t, invocation(payload, timeout)); err != nil {
			t.Fatal(err)
		}
	}
	account.Suffer(c.Trouble)
	answer, err := instance.Invoke(t, invocation(c.Payload, timeout))
	if err != nil {
		t.Fatal(err)
	}
	c.check(t, answer)
	if c.Function == Recorder && c.Answer != "" && len(c.Earlier) == 0 {
		account.checkItem(t)
	}
}

func invocation(payload string, timeout time.Duration) functiontest.Invocation {
	return functiontest.Invocation{Payload: []byte(payload), Timeout: timeout, TraceHeader: traceHeader}
}

func (c Case) check(t *testing.T, answer functiontest.Answer) {
	t.Helper()
	if c.Error != "" {
		switch got := answer.Error; {
		case got == nil:
			t.Errorf("it answered %s, and should report %s", answer.Payload, c.Error)
		case got.Type != c.Error || !strings.Contains(got.Message, c.Says):
			t.Errorf("it reported %v, and should report %s with %q", got, c.Error, c.Says)
		}
		return
	}
	if answer.Error != nil {
		t.Errorf("it reported %v", answer.Error)
		return
	}
	if got := timeless(t, answer.Payload); got != c.Answer {
		t.Errorf("it answered\n%s, and should answer\n%s", got, c.Answer)
	}
}

// timeless returns an answer without recordedAt, after checking its form.
func timeless(t *testing.T, answer []byte) string {
	t.Helper()
	var members struct{ RecordedAt string }
	if err := json.Unmarshal(answer, &members); err != nil {
		t.Errorf("the answer is not a JSON object: %v", err)
	}
	if members.RecordedAt == "" {
		return string(answer)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", members.RecordedAt); err != nil {
		t.Error(err)
	}
	return strings.Replace(string(answer), `,"recordedAt":"`+members.RecordedAt+`"`, "", 1)
}

// checkItem checks the table's one item: it must contain what Lambda told the function about the invocation.
func (a *Account) checkItem(t *testing.T) {
	t.Helper()
	table, err := a.cloud.Table(region, a.variables[Recorder]["TABLE_NAME"])
	if err != nil {
		t.Fatal(err)
	}
	items := 0
	for item := range table.Items() {
		items++
		for name, want := range map[string]string{"traceId": traceID, "execution": executionName} {
			if got, ok := item[name].(*dynamodbtypes.AttributeValueMemberS); !ok || got.Value != want {
				t.Errorf("%s of the item is %v, want %s", name, item[name], want)
			}
		}
	}
	if items != 1 {
		t.Errorf("%d items in the table", items)
	}
}
