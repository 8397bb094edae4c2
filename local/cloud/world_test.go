package cloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/components/iam"
	lambdas "trade-processing/lambdas/function"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/queue"
)

const (
	here  = "us-east-1"
	there = "eu-west-1"
)

const keeperRole = "arn:aws:iam::000000000000:role/keeper"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const rolePolicyType = "aws:iam/rolePolicy:RolePolicy"

// object is a JSON object in a test.
type object = map[string]any

// world is a small pipeline on a cloud of its own:
//
//	bus orders → rule orders → state machine orders (alias live) → function keeper (alias live) → table orders
//
// An event's detail decides what becomes of it: {"id": "1"} is kept, a second time it is a duplicate, {"id": "1",
// "fail": "Broken"} fails with that error and goes to queue failures. Events that can't start the target go to queue
// undelivered. The table has a replica in eu-west-1.
type world struct {
	*cloud.Cloud
	t     *testing.T
	clock *clock.Virtual
	made  map[string]*cloud.Resource // by type and name
}

// emptyWorld returns a world without resources, with its clock at noon. Its only image is keeper.
func emptyWorld(t *testing.T, options cloud.Options) *world {
	w := &world{t: t, clock: clock.NewVirtual(noon), made: map[string]*cloud.Resource{}}
	if options.Clock == nil {
		options.Clock = w.clock
	}
	options.Images = map[string]cloud.Image{"keeper": newKeeper}
	w.Cloud = cloud.New(options)
	return w
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, cloud.Options{})
}

// newWorldWith returns a world whose cloud has other options.
func newWorldWith(t *testing.T, options cloud.Options) *world {
	t.Helper()
	w := emptyWorld(t, options)
	w.furnish()
	return w
}

// furnish creates the world's resources.
func (w *world) furnish() {
	w.t.Helper()
	w.create(cloud.QueueType, "failures", cloud.Properties{"name": "failures"})
	w.create(cloud.QueueType, "undelivered", cloud.Properties{"name": "undelivered", "messageRetentionSeconds": 3600.0})
	w.create(cloud.QueuePolicyType, "undelivered", cloud.Properties{
		"queueUrl": w.url("undelivered"), "policy": document("events.amazonaws.com", "sqs:SendMessage"),
	})
	w.createRole("keeper", "lambda.amazonaws.com", "dynamodb:PutItem", "logs:CreateLogStream", "logs:PutLogEvents")
	w.createRole("orders", "states.amazonaws.com", "lambda:InvokeFunction", "sqs:SendMessage")
	w.createRole("router", "events.amazonaws.com", "states:StartExecution")
	w.create(cloud.TableType, "orders", tableInputs())
	w.createIn(there, cloud.ReplicaType, "orders", cloud.Properties{"globalTableArn": w.arn(cloud.TableType, "orders")})
	image := w.create(cloud.ImageType, "keeper", imageInputs("1"))
	w.create(cloud.FunctionType, "keeper", functionInputs(image, "hello"))
	w.create(cloud.FunctionAliasType, "keeper", cloud.Properties{"functionName": "keeper", "functionVersion": "1", "name": "live"})
	machine := w.create(cloud.MachineType, "orders", machineInputs(definition(w.url("failures"))))
	w.create(cloud.MachineAliasType, "orders", cloud.Properties{
		"name": "live", "routingConfigurations": []any{object{"stateMachineVersionArn": machine.Outputs["stateMachineVersionArn"], "weight": 100.0}},
	})
	w.create(cloud.BusType, "orders", cloud.Properties{"name": "orders"})
	w.create(cloud.RuleType, "orders", ruleInputs(`{"source": ["shop"]}`))
	w.create(cloud.TargetType, "orders", w.targetInputs())
}

// createRole makes a role that a service assumes, with what it may do.
func (w *world) createRole(name, service string, actions ...string) {
	w.t.Helper()
	w.create(cloud.RoleType, name, cloud.Properties{"name": name, "assumeRolePolicy": document(service, "sts:AssumeRole")})
	w.create(rolePolicyType, name, cloud.Properties{"role": name, "name": "all", "policy": document("", actions...)})
}

// document is a policy that allows actions, for a service or for whoever has it.
func document(service string, actions ...string) string {
	statement := iam.Statement{Effect: iam.Allow, Action: actions}
	if service != "" {
		statement.Principal = iam.Service(service)
	}
	if service == "" || actions[0] != "sts:AssumeRole" {
		statement.Resource = iam.Strings{"*"}
	}
	text, _ := iam.New(statement).JSON() // which never fails
	return text
}

func tableInputs() cloud.Properties {
	return cloud.Properties{
		"name": "orders", "hashKey": "id", "billingMode": "PAY_PER_REQUEST", "streamEnabled": true,
		"streamViewType": "NEW_AND_OLD_IMAGES", "attributes": []any{object{"name": "id", "type": "S"}},
	}
}

func imageInputs(tag string) cloud.Properties {
	return cloud.Properties{
		"imageName": "registry.example/keeper:" + tag,
		"build":     object{"args": object{"FUNCTION": "keeper"}, "context": ".", "platform": "linux/arm64"},
	}
}

func functionInputs(image *cloud.Resource, greeting string) cloud.Properties {
	return cloud.Properties{
		"name": "keeper", "role": keeperRole, "packageType": "Image", "publish": true,
		"imageUri": image.Outputs["repoDigest"], "timeout": 3.0,
		"environment": object{"variables": object{"GREETING": greeting, "TABLE_NAME": "orders"}},
	}
}

func machineInputs(definition string) cloud.Properties {
	return cloud.Properties{
		"name": "orders", "roleArn": "arn:aws:iam::000000000000:role/orders", "type": "STANDARD", "publish": true,
		"definition": definition,
	}
}

// definition calls the function, and keeps what fails.
func definition(failures string) string {
	return `{"StartAt": "Keep", "States": {
		"Keep": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
			"Parameters": {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:keeper:live", "Payload.$": "$$.Execution.Input"},
			"OutputPath": "$.Payload", "TimeoutSeconds": 5,
			"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Save"}], "End": true},
		"Save": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage",
			"Parameters": {"QueueUrl": "` + failures + `", "MessageBody": {"event.$": "$$.Execution.Input", "error.$": "$"}},
			"ResultPath": null, "Next": "Failed"},
		"Failed": {"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"}}}`
}

// calling returns a definition with one state that calls the function, which answers a text, and ends with the value at
// the path.
func calling(text, outputPath string) string {
	return `{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
		"Parameters": {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:keeper:live", "Payload": {"detail": {"say": "` + text + `"}}},
		"OutputPath": "` + outputPath + `", "End": true}}}`
}

func ruleInputs(pattern string) cloud.Properties {
	return cloud.Properties{"name": "orders", "eventBusName": "orders", "eventPattern": pattern}
}

func (w *world) targetInputs() cloud.Properties {
	return cloud.Properties{
		"rule": "orders", "eventBusName": "orders", "targetId": "workflow", "arn": w.arn(cloud.MachineAliasType, "orders"), "roleArn": w.arn(cloud.RoleType, "router"),
		"deadLetterConfig": object{"arn": w.arn(cloud.QueueType, "undelivered")},
	}
}

// create checks and creates a resource in us-east-1, as the engine does.
func (w *world) create(typ, name string, inputs cloud.Properties) *cloud.Resource {
	w.t.Helper()
	return w.createIn(here, typ, name, inputs)
}

func (w *world) createIn(region, typ, name string, inputs cloud.Properties) *cloud.Resource {
	w.t.Helper()
	made, err := checkAndCreate(w.Cloud, region, typ, name, inputs)
	if err != nil {
		w.t.Fatal(err)
	}
	w.made[typ+" "+name] = made
	return made
}

func checkAndCreate(c *cloud.Cloud, region, typ, name string, inputs cloud.Properties) (*cloud.Resource, error) {
	checked, err := cloud.Check(typ, name, inputs, nil, nil)
	if err != nil {
		return nil, err
	}
	return c.Create(typ, name, region, checked)
}

// update checks and updates a resource in us-east-1 with some inputs changed; nil removes an input.
func (w *world) update(typ, name string, changes cloud.Properties) *cloud.Resource {
	w.t.Helper()
	made, err := w.tryUpdate(typ, name, changes)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

func (w *world) tryUpdate(typ, name string, changes cloud.Properties) (*cloud.Resource, error) {
	w.t.Helper()
	old := w.resource(typ, name)
	inputs := maps.Clone(old.Inputs)
	maps.Copy(inputs, changes)
	maps.DeleteFunc(inputs, func(_ string, value any) bool { return value == nil })
	checked, err := cloud.Check(typ, name, inputs, nil, nil)
	if err != nil {
		return nil, err
	}
	made, err := w.Update(typ, here, old.ID, checked)
	if err == nil {
		w.made[typ+" "+name] = made
	}
	return made, err
}

func (w *world) delete(typ, name string) {
	w.t.Helper()
	gone := w.resource(typ, name)
	if err := w.Delete(typ, gone.Region, gone.ID); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) resource(typ, name string) *cloud.Resource {
	w.t.Helper()
	r, made := w.made[typ+" "+name]
	if !made {
		w.t.Fatalf("the world has no %s %q", typ, name)
	}
	return r
}

func (w *world) arn(typ, name string) string {
	w.t.Helper()
	arn, _ := w.resource(typ, name).Outputs["arn"].(string)
	return arn
}

func (w *world) url(name string) string {
	w.t.Helper()
	return w.resource(cloud.QueueType, name).ID
}

func (w *world) queue(name string) *queue.Queue {
	w.t.Helper()
	q, err := w.Queue(here, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return q
}

// put puts an event on the bus and says in a few words what became of it.
func (w *world) put(detail string) string {
	w.t.Helper()
	return w.putEntry(cloud.Entry{Source: "shop", DetailType: "Order", Detail: json.RawMessage(detail)})
}

func (w *world) putEntry(entry cloud.Entry) string {
	w.t.Helper()
	receipt, err := w.PutEvent(w.t.Context(), here, "orders", entry)
	if err != nil {
		return "refused: " + err.Error()
	}
	var outcomes []string
	for _, d := range receipt.Deliveries {
		outcome := strings.Trim(string(d.Output), `"`)
		if d.Failure != nil {
			outcome = "failed: " + d.Failure.Name
		}
		for _, letter := range d.DeadLetters {
			outcome += ", kept in " + letter.Queue + " as " + letter.Error
		}
		outcomes = append(outcomes, outcome)
	}
	if len(outcomes) == 0 {
		return "not matched"
	}
	return strings.Join(outcomes, "; ")
}

// keeper is the function of the world.
type keeper struct {
	environment lambdas.Environment
	services    cloud.Services
}

func newKeeper(environment lambdas.Environment, services cloud.Services) (lambda.Handler, error) {
	if environment.Getenv("GREETING") == "" {
		return nil, errors.New("GREETING is not set")
	}
	return &keeper{environment, services}, nil
}

// Invoke keeps an order and answers "<greeting> kept" or "<greeting> duplicate", or says what it is told to.
func (k *keeper) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event struct {
		Detail struct{ ID, Fail, Say string }
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	if string(payload) == "{}" {
		return json.Marshal("nothing to keep")
	}
	if event.Detail.Say != "" {
		if _, err := fmt.Fprintln(k.environment.Output, `{"message":"says it"}`); err != nil {
			return nil, err
		}
		return json.Marshal(event.Detail.Say)
	}
	if event.Detail.Fail != "" {
		return nil, messages.InvokeResponse_Error{Type: event.Detail.Fail, Message: "as the order wished"}
	}
	_, err := k.services.DynamoDB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String(k.environment.Getenv("TABLE_NAME")),
		Item:                map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: event.Detail.ID}},
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	})
	outcome := "kept"
	if _, taken := errors.AsType[*types.ConditionalCheckFailedException](err); taken {
		outcome, err = "duplicate", nil
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(k.environment.Getenv("GREETING") + " " + outcome)
}
