package stack

import (
	"encoding/json"
	"strings"
	"testing"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

// Everything AWS does for the stack passes two policies: that of the topic or queue, and that of the key that encrypts
// it. If either lacks a line, the notification or the event is silently lost, so these tests read both.

// permits fails the test unless a document allows a request.
func permits(t *testing.T, document iam.Document, request iam.Request) {
	t.Helper()
	decision, err := document.Decide(request)
	if err != nil || decision != iam.Allowed {
		t.Errorf("%s may not %s on %q with %v: %s, %v", request.Principal, request.Action, request.Resource, request.Context, decision, err)
	}
}

func keyPolicyOf(t *testing.T, stack *declared.Stack) iam.Document {
	t.Helper()
	return documentOf(t, stack.All("aws:kms/key:Key")[0])
}

func sourced(arn string) map[string]string {
	return map[string]string{"aws:SourceAccount": declared.Account, "aws:SourceArn": arn, "aws:SecureTransport": "true"}
}

func TestEveryAlarmReachesTheTopic(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		topic := stack.All("aws:sns/topicPolicy:TopicPolicy")[0]
		names := map[string]bool{}
		for _, alarm := range stack.All("aws:cloudwatch/metricAlarm:MetricAlarm") {
			names[alarm.Text("name")] = true
		}
		for _, alarm := range stack.All("aws:cloudwatch/compositeAlarm:CompositeAlarm") {
			names[alarm.Text("alarmName")] = true
		}
		if len(names) < 30 {
			t.Errorf("only %d alarms", len(names))
		}
		for name := range names {
			context := sourced("arn:aws:cloudwatch:us-east-1:" + declared.Account + ":alarm:" + name)
			permits(t, documentOf(t, topic), iam.Request{Action: "sns:Publish", Resource: topic.Text("arn"), Principal: "cloudwatch.amazonaws.com", Context: context})
			for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
				permits(t, keyPolicyOf(t, stack), iam.Request{Action: action, Principal: "cloudwatch.amazonaws.com", Context: context})
			}
		}
	})
}

// queuePolicies returns the policy documents of the stack's queues, by the queue ARN that each names.
func queuePolicies(t *testing.T, stack *declared.Stack) map[string]iam.Document {
	t.Helper()
	policies := map[string]iam.Document{}
	for _, r := range stack.All("aws:sqs/queuePolicy:QueuePolicy") {
		document := documentOf(t, r)
		policies[document.Statement[0].Resource[0]] = document
	}
	return policies
}

func TestEveryEventThatCanNotBeDeliveredReachesItsQueue(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		queues := queuePolicies(t, stack)
		deliver := func(queue, source string) {
			t.Helper()
			permits(t, queues[queue], iam.Request{Action: "sqs:SendMessage", Resource: queue, Principal: "events.amazonaws.com", Context: sourced(source)})
			for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
				permits(t, keyPolicyOf(t, stack), iam.Request{Action: action, Principal: "events.amazonaws.com", Context: sourced(source)})
			}
		}
		used := map[string]bool{}
		for _, target := range stack.All("aws:cloudwatch/eventTarget:EventTarget") {
			rule := target.Text("rule")
			if bus := target.Text("eventBusName"); bus != "default" {
				rule = bus + "/" + rule
			}
			queue := target.Text("deadLetterConfig.arn")
			deliver(queue, "arn:aws:events:us-east-1:"+declared.Account+":rule/"+rule)
			if used[queue] {
				t.Errorf("%s shares its dead-letter queue", target.Name)
			}
			used[queue] = true
			if target.At("retryPolicy.maximumRetryAttempts") == nil {
				t.Errorf("%s has no retry policy", target.Name)
			}
		}
		for _, bus := range stack.All("aws:cloudwatch/eventBus:EventBus") {
			deliver(bus.Text("deadLetterConfig.arn"), "arn:aws:events:us-east-1:"+declared.Account+":event-bus/"+bus.Text("name"))
		}
	})
}

func TestEveryLogGroupCanBeEncrypted(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		for _, group := range stack.All("aws:cloudwatch/logGroup:LogGroup") {
			if group.Text("kmsKeyId") == "" || group.At("retentionInDays") == nil {
				t.Errorf("%s has the key %q and keeps logs for %v days", describe(group), group.Text("kmsKeyId"), group.At("retentionInDays"))
			}
			permits(t, keyPolicyOf(t, stack), iam.Request{Action: "kms:GenerateDataKey", Principal: "logs.us-east-1.amazonaws.com", Context: map[string]string{
				"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:" + declared.Account + ":log-group:" + group.Text("name"),
			}})
		}
	})
}

func TestTheLogsOfTheWorkflowCanBeDelivered(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		permits(t, keyPolicyOf(t, stack), iam.Request{Action: "kms:Decrypt", Principal: "delivery.logs.amazonaws.com", Context: map[string]string{
			"kms:EncryptionContext:SourceArn": "arn:aws:logs:us-east-1:" + declared.Account + ":*",
		}})
	})
}

func TestEverythingThatRestsIsEncryptedWithTheStacksKey(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		seen := 0
		for typ, property := range map[string]string{
			"aws:backup/vault:Vault":                                        "kmsKeyArn",
			"aws:cloudwatch/eventBus:EventBus":                              "kmsKeyIdentifier",
			"aws:cloudwatch/logGroup:LogGroup":                              "kmsKeyId",
			"aws:dynamodb/table:Table":                                      "serverSideEncryption.kmsKeyArn",
			"aws:dynamodb/tableReplica:TableReplica":                        "kmsKeyArn",
			"aws:ecr/repository:Repository":                                 "encryptionConfigurations.0.kmsKey",
			"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": "encryptionConfigurations.0.kmsKey",
			"aws:lambda/function:Function":                                  "kmsKeyArn",
			"aws:sfn/stateMachine:StateMachine":                             "encryptionConfiguration.kmsKeyId",
			"aws:sns/topic:Topic":                                           "kmsMasterKeyId",
			"aws:sqs/queue:Queue":                                           "kmsMasterKeyId",
		} {
			for _, r := range stack.All(typ) {
				seen++
				region := r.Provider // providers are called by their regions
				if key := r.Text(property); !strings.HasPrefix(key, "arn:aws:kms:"+region+":"+declared.Account+":key/mrk-") {
					t.Errorf("%s in %s is encrypted with %q", describe(r), region, key)
				}
			}
		}
		if seen < 20 {
			t.Errorf("only %d resources were looked at", seen)
		}
	})
}

// call is what a task of the workflow calls.
type call struct {
	action, resource string
	sends            map[string]string
}

func TestTheWorkflowMayDoWhatItsDefinitionDoes(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		machine := stack.All("aws:sfn/stateMachine:StateMachine")[0]
		role := strings.TrimPrefix(machine.Text("roleArn"), "arn:aws:iam::"+declared.Account+":role/")
		document := rolePolicy(t, stack, role)
		var definition any
		if err := json.Unmarshal([]byte(machine.Text("definition")), &definition); err != nil {
			t.Fatal(err)
		}
		calls := callsIn(definition)
		if len(calls) != 15 { // three functions, three letters to each one's queue, and a metric for each
			t.Errorf("the definition makes %d calls: %v", len(calls), calls)
		}
		for _, c := range calls {
			permits(t, document, iam.Request{Action: c.action, Resource: c.resource, Context: c.sends})
			unpublished, isAlias := strings.CutSuffix(c.resource, ":live")
			if decision, err := document.Decide(iam.Request{Action: c.action, Resource: unpublished}); isAlias && (err != nil || decision != iam.DeniedImplicitly) {
				t.Errorf("it may call a version that isn't published: %s, %v", decision, err)
			}
		}
		key := arnOf(t, stack, "aws:sqs/queue:Queue", "kmsMasterKeyId")
		arn := "arn:aws:states:us-east-1:" + declared.Account + ":stateMachine:" + machine.Text("name")
		for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
			permits(t, document, iam.Request{Action: action, Resource: key, Context: map[string]string{"kms:EncryptionContext:aws:states:stateMachineArn": arn}})
			permits(t, document, iam.Request{Action: action, Resource: key, Context: map[string]string{"kms:ViaService": "sqs.us-east-1.amazonaws.com"}})
		}
		for _, route := range stack.All("aws:cloudwatch/eventTarget:EventTarget") {
			role := strings.TrimPrefix(route.Text("roleArn"), "arn:aws:iam::"+declared.Account+":role/")
			permits(t, rolePolicy(t, stack, role), iam.Request{
				Action: "states:StartExecution", Resource: arn, Context: map[string]string{"states:StateMachineQualifier": "live"},
			})
		}
	})
}

// callsIn finds the calls in a definition: the functions that its tasks invoke, the queues and metrics they send to.
func callsIn(node any) []call {
	var calls []call
	switch v := node.(type) {
	case []any:
		for _, inner := range v {
			calls = append(calls, callsIn(inner)...)
		}
	case map[string]any:
		parameters, _ := v["Parameters"].(map[string]any)
		switch v["Resource"] {
		case "arn:aws:states:::lambda:invoke":
			function, _ := parameters["FunctionName"].(string)
			return []call{{"lambda:InvokeFunction", function, nil}}
		case "arn:aws:states:::sqs:sendMessage":
			url, _ := parameters["QueueUrl"].(string)
			return []call{{"sqs:SendMessage", "arn:aws:sqs:us-east-1:" + declared.Account + ":" + url[strings.LastIndex(url, "/")+1:], nil}}
		case "arn:aws:states:::aws-sdk:cloudwatch:putMetricData":
			namespace, _ := parameters["Namespace"].(string)
			return []call{{"cloudwatch:PutMetricData", "*", map[string]string{"cloudwatch:namespace": namespace}}}
		}
		for _, inner := range v {
			calls = append(calls, callsIn(inner)...)
		}
	}
	return calls
}

func arnOf(t *testing.T, stack *declared.Stack, typ, property string) string {
	t.Helper()
	all := stack.All(typ)
	if len(all) == 0 {
		t.Fatalf("no %s", typ)
	}
	return all[0].Text(property)
}
