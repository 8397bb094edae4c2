package cloud_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"trade-processing/local/cloud"
)

// statement is a policy of one statement, as JSON without its braces.
func policyOf(statement string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` + statement + `}]}`
}

const order = `{"id": "1"}`

func TestADenialHasItsServicesOwnConsequences(t *testing.T) {
	allow := func(role, statement string) func(*world) {
		return func(w *world) { w.update(rolePolicyType, role, cloud.Properties{"policy": policyOf(statement)}) }
	}
	encrypted := func(queue, keyPolicy string) func(*world) {
		return func(w *world) {
			key := w.create(cloud.KeyType, "key", cloud.Properties{"policy": keyPolicy})
			w.update(cloud.QueueType, queue, cloud.Properties{"kmsMasterKeyId": key.Outputs["arn"]})
		}
	}
	const (
		machine  = `arn:aws:states:us-east-1:000000000000:stateMachine:orders`
		undo     = "failed: AccessDeniedException, kept in undelivered as AccessDeniedException"
		lost     = "failed: AccessDeniedException"
		fallback = `"Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*", "Resource": "*"`
		eventKey = `"Principal": {"Service": "events.amazonaws.com"}, "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"`
	)
	forget := allow("router", `"Action": "states:StopExecution", "Resource": "*"`) // so that events can't be delivered
	both := func(first, second func(*world)) func(*world) { return func(w *world) { first(w); second(w) } }
	for name, tc := range map[string]struct {
		change func(*world)
		want   string
	}{
		"nothing is denied": {func(*world) {}, "hello kept"},
		"a start through an alias is authorised with the state machine's own ARN": {
			allow("router", `"Action": "states:StartExecution", "Resource": "`+machine+`"`), "hello kept"},
		"and not with the alias's":             {allow("router", `"Action": "states:StartExecution", "Resource": "`+machine+`:live"`), undo},
		"the alias is a condition key":         {allow("router", `"Action": "states:StartExecution", "Resource": "`+machine+`", "Condition": {"ForAnyValue:StringEquals": {"states:StateMachineQualifier": "live"}}`), "hello kept"},
		"of another alias it is another value": {allow("router", `"Action": "states:StartExecution", "Resource": "`+machine+`", "Condition": {"ForAnyValue:StringEquals": {"states:StateMachineQualifier": "next"}}`), undo},
		"a rule whose role trusts somebody else": {func(w *world) {
			w.update(cloud.RoleType, "router", cloud.Properties{"assumeRolePolicy": document("scheduler.amazonaws.com", "sts:AssumeRole")})
		}, undo},
		"a rule whose role is gone": {func(w *world) { w.delete(rolePolicyType, "router"); w.delete(cloud.RoleType, "router") }, undo},
		"a rule whose target has no role": {func(w *world) {
			w.update(cloud.TargetType, "orders", cloud.Properties{"roleArn": nil})
		}, undo},
		"a state machine that may call only the function itself, through its alias": {
			allow("orders", `"Action": ["lambda:InvokeFunction", "sqs:SendMessage"], "Resource": ["arn:aws:lambda:us-east-1:000000000000:function:keeper", "arn:aws:sqs:*:000000000000:*"]`),
			"failed: Lambda.AWSLambdaException, kept in failures as Lambda.AWSLambdaException"},
		"a state machine that may not keep failures either": {
			allow("orders", `"Action": "states:StopExecution", "Resource": "*"`), "failed: SQS.AmazonSQSException"},
		"a function that may not write": {
			allow("keeper", `"Action": "dynamodb:UpdateItem", "Resource": "*"`),
			"failed: OperationError, kept in failures as OperationError"},
		"a function whose boundary forbids it": {func(w *world) {
			boundary := w.create("aws:iam/policy:Policy", "boundary", cloud.Properties{"name": "boundary", "policy": policyOf(`"Action": "logs:*", "Resource": "*"`)})
			w.update(cloud.RoleType, "keeper", cloud.Properties{"permissionsBoundary": boundary.Outputs["arn"]})
		}, "failed: OperationError, kept in failures as OperationError"},
		"a function whose boundary isn't known here": {func(w *world) {
			w.update(cloud.RoleType, "keeper", cloud.Properties{"permissionsBoundary": "arn:aws:iam::000000000000:policy/elsewhere"})
		}, "failed: OperationError, kept in failures as OperationError"},
		"a queue that lets EventBridge in with a key that it doesn't send": {both(forget, func(w *world) {
			w.update(cloud.QueuePolicyType, "undelivered", cloud.Properties{"policy": policyOf(`"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceOrgID": "o-1"}}`)})
		}), lost},
		"a queue for another rule": {both(forget, func(w *world) {
			w.update(cloud.QueuePolicyType, "undelivered", cloud.Properties{"policy": policyOf(`"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/orders/other"}}`)})
		}), lost},
		"a queue's key that EventBridge may use":      {both(forget, encrypted("undelivered", policyOf(eventKey))), undo},
		"a queue's key that only the account may use": {both(forget, encrypted("undelivered", policyOf(fallback))), lost},
		// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
		"a queue's key that waits for its deletion": {both(forget, both(encrypted("undelivered", policyOf(eventKey)), func(w *world) { w.delete(cloud.KeyType, "key") })), lost},
		"a queue's key that EventBridge may use for a rule": {both(forget,
			encrypted("undelivered", policyOf(eventKey+`, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/orders/*"}}`))), lost},
		"a queue's key that the state machine may not use": {both(allow("keeper", `"Action": "logs:PutLogEvents", "Resource": "*"`), encrypted("failures", policyOf(fallback))), "failed: SQS.AmazonSQSException"},
		"a state machine's key that its role may not use": {func(w *world) {
			key := w.create(cloud.KeyType, "key", cloud.Properties{"policy": policyOf(fallback)})
			w.update(rolePolicyType, "orders", cloud.Properties{"policy": policyOf(`"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"`)})
			w.update(cloud.MachineType, "orders", cloud.Properties{"encryptionConfiguration": object{"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key.Outputs["arn"]}})
			w.update(rolePolicyType, "orders", cloud.Properties{"policy": policyOf(`"Action": "lambda:InvokeFunction", "Resource": "*"`)})
		}, "failed: KmsAccessDeniedException, kept in undelivered as KmsAccessDeniedException"},
		"a bus whose key EventBridge loses, without a queue of its own": {func(w *world) {
			key := w.create(cloud.KeyType, "key", cloud.Properties{"policy": policyOf(`"Principal": {"Service": "events.amazonaws.com"}, "Action": "kms:*", "Resource": "*"`)})
			w.update(cloud.BusType, "orders", cloud.Properties{"kmsKeyIdentifier": key.Outputs["arn"]})
			w.update(cloud.KeyType, "key", cloud.Properties{"policy": policyOf(fallback)})
		}, "failed: KmsAccessDeniedException"},
		"a bus that refuses its own account": {func(w *world) {
			w.create("aws:cloudwatch/eventBusPolicy:EventBusPolicy", "orders", cloud.Properties{
				"eventBusName": "orders", "policy": `{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}}`,
			})
		}, "refused: api error AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tc.change(w)
			if got := w.put(order); !strings.HasPrefix(got, tc.want) || strings.Contains(tc.want, "kept") != strings.Contains(got, "kept") {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// DynamoDB has no code for a disabled key, and no policy denies the call: the function gets a ValidationException.
func TestADisabledKeyOfATableIsNoDenial(t *testing.T) {
	w := newWorld(t)
	key := w.create(cloud.KeyType, "key", cloud.Properties{})
	w.update(cloud.TableType, "orders", cloud.Properties{"serverSideEncryption": object{"enabled": true, "kmsKeyArn": key.Outputs["arn"]}})
	w.update(cloud.KeyType, "key", cloud.Properties{"isEnabled": false})
	receipt, err := w.PutEvent(t.Context(), here, "orders", cloud.Entry{Source: "shop", DetailType: "Order", Detail: json.RawMessage(order)})
	if err != nil {
		t.Fatal(err)
	}
	if failure := receipt.Deliveries[0].Failure; failure == nil || !strings.Contains(failure.Cause, "ValidationException: KMS key disabled error") || len(w.Denials()) > 0 {
		t.Errorf("%v, denied %v", failure, w.Denials())
	}
}

func TestWhatAWSChecksWhenAResourceIsMadeIsCheckedHere(t *testing.T) {
	for name, tc := range map[string]struct {
		typ    string
		inputs func(*world) cloud.Properties
		want   string
	}{
		"a function whose role doesn't trust Lambda": {cloud.FunctionType, func(w *world) cloud.Properties {
			inputs := functionInputs(w.resource(cloud.ImageType, "keeper"), "hello")
			inputs["name"], inputs["role"] = "f", w.arn(cloud.RoleType, "orders")
			return inputs
		}, "lambda.amazonaws.com is not authorized to perform: sts:AssumeRole"},
		"a function in a VPC whose role may not touch its network interfaces": {cloud.FunctionType, func(w *world) cloud.Properties {
			inputs := functionInputs(w.resource(cloud.ImageType, "keeper"), "hello")
			inputs["name"], inputs["vpcConfig"] = "f", object{"subnetIds": []any{"subnet-1"}, "securityGroupIds": []any{}}
			return inputs
		}, "ec2:AssignPrivateIpAddresses"},
		"a function whose role may not send to its dead-letter queue": {cloud.FunctionType, func(w *world) cloud.Properties {
			inputs := functionInputs(w.resource(cloud.ImageType, "keeper"), "hello")
			inputs["name"], inputs["deadLetterConfig"] = "f", object{"targetArn": "arn:aws:sqs:us-east-1:000000000000:another"}
			return inputs
		}, "is not authorized to perform: sqs:SendMessage"},
		"a state machine whose role can't deliver its logs": {cloud.MachineType, func(w *world) cloud.Properties {
			inputs := machineInputs(definition(w.url("failures")))
			inputs["name"], inputs["loggingConfiguration"] = "m", object{"level": "ALL", "logDestination": "arn:aws:logs:us-east-1:000000000000:log-group:m:*"}
			return inputs
		}, "logs:CreateLogDelivery"},
		"a log group whose key CloudWatch Logs may not use": {"aws:cloudwatch/logGroup:LogGroup", func(w *world) cloud.Properties {
			key := w.create(cloud.KeyType, "key", cloud.Properties{"policy": policyOf(`"Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*", "Resource": "*"`)})
			return cloud.Properties{"name": "g", "kmsKeyId": key.Outputs["arn"]}
		}, "logs.us-east-1.amazonaws.com is not authorized to perform: kms:Decrypt"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if _, err := checkAndCreate(w.Cloud, here, tc.typ, "x", tc.inputs(w)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestAFunctionThatMayNotWriteItsLogsHasNone(t *testing.T) {
	var logs strings.Builder
	w := newWorldWith(t, cloud.Options{Logs: &logs})
	w.put(`{"say": "first"}`)
	w.update(rolePolicyType, "keeper", cloud.Properties{"policy": policyOf(`"Action": "dynamodb:PutItem", "Resource": "*"`)})
	before := logs.String()
	w.put(`{"say": "second"}`)
	if before == "" || logs.String() != before {
		t.Errorf("logs %q, then %q", before, logs.String())
	}
}

func TestAnAlarmThatMayNotPublishSaysSo(t *testing.T) {
	for name, tc := range map[string]struct{ statement, want string }{
		"a topic that lets it":         {`"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:*"}}`, ""},
		"a topic that lets another in": {`"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:other"}}`, "cloudwatch.amazonaws.com is not authorized to perform: sns:Publish"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			topic := w.create("aws:sns/topic:Topic", "page", cloud.Properties{"name": "page"})
			w.create("aws:sns/topicPolicy:TopicPolicy", "page", cloud.Properties{"arn": topic.Outputs["arn"], "policy": policyOf(tc.statement)})
			inputs := alarmInputs("ApproximateNumberOfMessagesVisible")
			inputs["alarmActions"] = []any{topic.Outputs["arn"]}
			w.create(cloud.MetricAlarmType, "x", inputs)
			w.put(`{"id": "1", "fail": "Broken"}`)
			w.clock.Advance(2 * time.Minute)
			changes := w.EvaluateAlarms()
			if len(changes) != 1 || (tc.want == "") == strings.Contains(changes[0].Reason, "failed to execute action") || !strings.Contains(changes[0].Reason, tc.want) {
				t.Errorf("%+v", changes)
			}
		})
	}
}
