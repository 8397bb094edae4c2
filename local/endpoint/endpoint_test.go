package endpoint_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/smithy-go"

	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/queue"
)

const region = "eu-west-1"

// served returns a cloud with one of each thing, behind an endpoint, and the configuration of its clients.
func served(t testing.TB) (*cloud.Cloud, *endpoint.Logs, aws.Config) {
	t.Helper()
	logs := &endpoint.Logs{}
	c := cloud.New(cloud.Options{Logs: logs})
	for _, r := range []struct {
		typ        string
		properties cloud.Properties
	}{
		{cloud.BusType, cloud.Properties{"name": "trades"}},
		{cloud.TableType, cloud.Properties{
			"name": "trades", "hashKey": "tradeId", "billingMode": "PAY_PER_REQUEST",
			"attributes": []any{map[string]any{"name": "tradeId", "type": "S"}},
		}},
		{cloud.QueueType, cloud.Properties{"name": "letters"}},
		{cloud.LogGroupType, cloud.Properties{"name": "/aws/lambda/trade-processing-dev-recorder"}},
		{cloud.MetricAlarmType, cloud.Properties{
			"name": "letters-depth", "comparisonOperator": "GreaterThanOrEqualToThreshold", "evaluationPeriods": 1.0, "threshold": 1.0,
			"namespace": "AWS/SQS", "metricName": "ApproximateNumberOfMessagesVisible", "dimensions": map[string]any{"QueueName": "letters"},
			"statistic": "Maximum", "period": 60.0, "treatMissingData": "notBreaching",
		}},
		{cloud.CompositeAlarmType, cloud.Properties{
			"alarmName": "letters-page", "alarmRule": `ALARM("letters-depth")`,
		}},
	} {
		if _, err := c.Create(r.typ, "made", region, r.properties); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(endpoint.New(c, logs))
	t.Cleanup(server.Close)
	return c, logs, aws.Config{
		Region: region, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// What doesn't exist is refused in each protocol as AWS refuses it, so the SDKs' clients can read code and message.
func TestWhatIsNotThereIsRefusedByCode(t *testing.T) {
	_, _, config := served(t)
	ctx := t.Context()
	key := map[string]types.AttributeValue{"tradeId": &types.AttributeValueMemberS{Value: "1"}}
	for name, test := range map[string]struct {
		call func() error
		code string
	}{
		"a bus": {func() error {
			_, err := eventbridge.NewFromConfig(config).DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String("other")})
			return err
		}, "ResourceNotFoundException"},
		"no entries": {func() error { return putEvents(ctx, config) }, "ValidationException"},
		"eleven entries": {func() error {
			return putEvents(ctx, config, slices.Repeat([]eventtypes.PutEventsRequestEntry{entry("trades", "{}")}, 11)...)
		}, "ValidationException"},
		"entries of more than a megabyte together": {func() error {
			half := entry("trades", `{"x": "`+strings.Repeat("x", 600<<10)+`"}`)
			return putEvents(ctx, config, half, half)
		}, "ValidationException"},
		"a bus's name with a space":  {func() error { return putEvents(ctx, config, entry("my trades", "{}")) }, "ValidationException"},
		"a bus's name that is empty": {func() error { return putEvents(ctx, config, entry("", "{}")) }, "ValidationException"},
		"a bus of another region": {func() error {
			return putEvents(ctx, config, entry("arn:aws:events:us-east-1:"+cloud.Account+":event-bus/trades", "{}"))
		}, "UnsupportedOperationException"},
		"a table": {func() error {
			_, err := dynamodb.NewFromConfig(config).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("other"), Key: key})
			return err
		}, "ResourceNotFoundException"},
		"a table of another region": {func() error {
			there := config.Copy()
			there.Region = "us-east-1"
			_, err := dynamodb.NewFromConfig(there).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("trades")})
			return err
		}, "ResourceNotFoundException"},
		"a queue": {func() error {
			_, err := sqs.NewFromConfig(config).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String("https://sqs.eu-west-1.amazonaws.com/000000000000/other")})
			return err
		}, "AWS.SimpleQueueService.NonExistentQueue"}, // the code from before SQS spoke JSON, which clients go by
		"a receive of 11 messages": {func() error {
			url := aws.String("https://sqs.eu-west-1.amazonaws.com/000000000000/letters")
			_, err := sqs.NewFromConfig(config).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 11})
			return err
		}, "InvalidParameterValue"},
		"a table by its ARN": {func() error {
			arn := aws.String("arn:aws:dynamodb:eu-west-1:" + cloud.Account + ":table/trades")
			_, err := dynamodb.NewFromConfig(config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: arn})
			return err
		}, "UnsupportedOperationException"},
		"a table without a name's form": {func() error {
			_, err := dynamodb.NewFromConfig(config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("my trades")})
			return err
		}, "ValidationException"},
		"a state machine": {func() error {
			_, err := sfn.NewFromConfig(config).DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: aws.String("arn:aws:states:eu-west-1:000000000000:stateMachine:other")})
			return err
		}, "StateMachineDoesNotExist"},
		"a log group": {func() error {
			_, err := cloudwatchlogs.NewFromConfig(config).FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("other")})
			return err
		}, "ResourceNotFoundException"},
		"more traces than AWS gives at once": {func() error {
			_, err := xray.NewFromConfig(config).BatchGetTraces(ctx, &xray.BatchGetTracesInput{TraceIds: []string{"1", "2", "3", "4", "5", "6"}})
			return err
		}, "InvalidRequestException"},
		"an operation in XML": {func() error {
			_, err := sts.NewFromConfig(config).GetSessionToken(ctx, nil)
			return err
		}, "UnknownOperationException"},
		"an operation in CBOR": {func() error {
			_, err := cloudwatch.NewFromConfig(config).ListDashboards(ctx, nil)
			return err
		}, "UnknownOperationException"},
		"an operation in JSON": {func() error {
			_, err := dynamodb.NewFromConfig(config).ListGlobalTables(ctx, nil)
			return err
		}, "UnknownOperationException"},
		"a member of a request": {func() error {
			_, err := dynamodb.NewFromConfig(config).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("trades"), Key: key, ProjectionExpression: aws.String("a")})
			return err
		}, "UnsupportedOperationException"},
		"a member of a request in CBOR": {func() error {
			_, err := cloudwatch.NewFromConfig(config).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{ActionPrefix: aws.String("a")})
			return err
		}, "UnsupportedOperationException"},
		"a pattern of logs": {func() error {
			_, err := cloudwatchlogs.NewFromConfig(config).FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{
				LogGroupName: aws.String("/aws/lambda/trade-processing-dev-recorder"), FilterPattern: aws.String("ERROR"),
			})
			return err
		}, "InvalidParameterException"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.call()
			refusal, ok := errors.AsType[smithy.APIError](err)
			if !ok || refusal.ErrorCode() != test.code || refusal.ErrorMessage() == "" {
				t.Errorf("it says %v, want a message with the code %s", err, test.code)
			}
		})
	}
}

// A rule's targets are changed as strictly as programs declare them.
func TestTheTargetsOfARule(t *testing.T) {
	c, _, config := served(t)
	if _, err := c.Create(cloud.RuleType, "made", region, cloud.Properties{
		"name": "trades", "eventBusName": "trades", "eventPattern": `{"source": ["trading"]}`,
	}); err != nil {
		t.Fatal(err)
	}
	client, bus := eventbridge.NewFromConfig(config), aws.String("trades")
	put := func(rule string, targets ...eventtypes.Target) error {
		_, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(rule), EventBusName: bus, Targets: targets})
		return err
	}
	target := func(id string, change func(*eventtypes.Target)) eventtypes.Target {
		made := eventtypes.Target{Id: aws.String(id), Arn: aws.String("arn:aws:sqs:eu-west-1:" + cloud.Account + ":letters")}
		change(&made)
		return made
	}
	same := func(*eventtypes.Target) {}
	for name, test := range map[string]struct {
		err   error
		tells string
	}{
		"a rule that isn't there": {put("other", target("1", same)), "ResourceNotFoundException"},
		"a sixth target": {
			put("trades", target("1", same), target("2", same), target("3", same), target("4", same), target("5", same), target("6", same)), "LimitExceededException"},
		"a target that isn't a state machine": {put("trades", target("1", same)), "only state machines are known here as targets"},
		"a field that isn't known": {
			put("trades", target("1", func(t *eventtypes.Target) { t.Input = aws.String("{}") })), "does not know the property input"},
		"too many attempts": {put("trades", target("1", func(t *eventtypes.Target) {
			t.RetryPolicy = &eventtypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(186)}
		})), "retryPolicy.maximumRetryAttempts is 186, and must be from 0 to 185"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.tells) {
			t.Errorf("%s: it says %v, want %q", name, test.err, test.tells)
		}
	}
	listed, err := client.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: bus, EventBusName: bus})
	if err != nil || len(listed.Targets) != 0 {
		t.Errorf("the rule has %v, %v", listed, err)
	}
	removed, err := client.RemoveTargets(t.Context(), &eventbridge.RemoveTargetsInput{Rule: bus, EventBusName: bus, Ids: []string{"1"}})
	if err != nil || removed.FailedEntryCount != 1 || aws.ToString(removed.FailedEntries[0].ErrorCode) != "ResourceNotFoundException" {
		t.Errorf("removing a target that isn't there: %v, %v", removed, err)
	}
}

// What no client of the SDK would send.
func TestRequestsByHand(t *testing.T) {
	_, _, config := served(t)
	for name, test := range map[string]struct {
		service, target, contentType, path, body string
		status                                   int
		want                                     string
	}{
		"no key":                          {"dynamodb", "DynamoDB_20120810.GetItem", "", "/", `{"TableName": "trades"}`, 400, `"message":"1 validation error detected: Value null at 'key' failed`},
		"no item":                         {"dynamodb", "DynamoDB_20120810.PutItem", "", "/", `{"TableName": "trades"}`, 400, `"message":"1 validation error detected: Value null at 'item' failed`},
		"an item of null":                 {"dynamodb", "DynamoDB_20120810.PutItem", "", "/", `{"TableName": "trades", "Item": null}`, 400, "ValidationException"},
		"no table":                        {"dynamodb", "DynamoDB_20120810.Query", "", "/", `{}`, 400, `Value null at 'tableName' failed`},
		"a value of two":                  {"dynamodb", "DynamoDB_20120810.PutItem", "", "/", `{"TableName": "trades", "Item": {"tradeId": {"S": "1"}, "a": {"L": [{"M": {"b": {"S": "x", "N": "1"}}}]}}}`, 400, "more than one datatypes set"},
		"a value of none":                 {"dynamodb", "DynamoDB_20120810.GetItem", "", "/", `{"TableName": "trades", "Key": {"tradeId": {"X": "1"}}}`, 400, "Supplied AttributeValue is empty"},
		"a value that isn't":              {"dynamodb", "DynamoDB_20120810.GetItem", "", "/", `{"TableName": "trades", "Key": {"tradeId": "1"}}`, 400, "SerializationException"},
		"a null that isn't":               {"dynamodb", "DynamoDB_20120810.PutItem", "", "/", `{"TableName": "trades", "Item": {"tradeId": {"S": "1"}, "a": {"NULL": false}}}`, 400, "Null attribute value types must have the value of true"},
		"CloudWatch in JSON":              {"monitoring", "GraniteServiceVersion20100801.DescribeAlarms", "application/x-amz-json-1.0", "/", `{}`, 200, `"AlarmName":"letters-depth"`},
		"CloudWatch in forms":             {"monitoring", "", "application/x-www-form-urlencoded", "/", `Action=DescribeAlarms&Version=2010-08-01`, 400, `<Code>UnsupportedOperationException</Code><Message>DescribeAlarms: the local cloud does not support the protocol query of monitoring, only rpc-v2-cbor or JSON;`},
		"SQS in forms":                    {"sqs", "", "application/x-www-form-urlencoded", "/", `Action=ReceiveMessage&Version=2012-11-05`, 400, "the protocol query of sqs, only JSON"},
		"a list that is a text too":       {"iam", "", "application/x-www-form-urlencoded", "/", `Action=CreateOpenIDConnectProvider&Url=https%3A%2F%2Fexample.com&ClientIDList=a&ClientIDList.member.1=b`, 400, `<Code>SerializationException</Code>`},
		"a list in the wrong place":       {"iam", "", "application/x-www-form-urlencoded", "/", `Action=CreateOpenIDConnectProvider&Url.member.1=https%3A%2F%2Fexample.com`, 400, `<Code>SerializationException</Code>`},
		"an operation of S3":              {"s3", "", "", "/bucket/key", "", 400, "<Error><Code>UnknownOperationException</Code><Message>POST /bucket/key of s3 is not served here</Message></Error>"},
		"DynamoDB in CBOR":                {"dynamodb", "", "application/cbor", "/service/DynamoDB_20120810/operation/GetItem", "", 400, "the protocol rpc-v2-cbor of dynamodb, only JSON"},
		"a time beyond all":               {"events", "AWSEvents.PutEvents", "", "/", `{"Entries": [{"EventBusName": "trades", "Source": "s", "DetailType": "d", "Detail": "{}", "Time": 1e300}]}`, 400, "entries.1.member.time"},
		"a timeout so long that it wraps": {"sqs", "AmazonSQS.ReceiveMessage", "", "/", `{"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/000000000000/letters", "VisibilityTimeout": 18446744074}`, 400, "SerializationException"},
		"an empty queue":                  {"sqs", "AmazonSQS.ReceiveMessage", "", "/", `{"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/000000000000/letters"}`, 200, "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *config.BaseEndpoint+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260302/eu-west-1/"+test.service+"/aws4_request")
			request.Header.Set("Content-Type", test.contentType)
			if test.target != "" {
				request.Header.Set("X-Amz-Target", test.target)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close() //nolint:errcheck // it was read
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != test.status || !strings.Contains(string(text), test.want) {
				t.Errorf("it answers %d %s (%v)", answer.StatusCode, text, err)
			}
		})
	}
}

// A query goes on where its last page ended.
func TestAQueryIsReadPageByPage(t *testing.T) {
	c, _, config := served(t)
	if _, err := c.Create(cloud.TableType, "made", region, cloud.Properties{
		"name": "pages", "hashKey": "id", "rangeKey": "n", "billingMode": "PAY_PER_REQUEST",
		"attributes": []any{map[string]any{"name": "id", "type": "S"}, map[string]any{"name": "n", "type": "N"}},
	}); err != nil {
		t.Fatal(err)
	}
	client, id := dynamodb.NewFromConfig(config), &types.AttributeValueMemberS{Value: "1"}
	for _, n := range []string{"1", "2", "3"} {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("pages"), Item: map[string]types.AttributeValue{"id": id, "n": &types.AttributeValueMemberN{Value: n}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName: aws.String("pages"), Limit: aws.Int32(1), KeyConditionExpression: aws.String("id = :id"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":id": id},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			got = append(got, item["n"].(*types.AttributeValueMemberN).Value)
		}
	}
	if !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("it reads %v", got)
	}
}

func TestARequestWithoutASignatureIsRefused(t *testing.T) {
	_, _, config := served(t)
	answer, err := http.Post(*config.BaseEndpoint, "application/x-amz-json-1.0", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "MissingAuthenticationToken") {
		t.Errorf("it answers %d %s (%v)", answer.StatusCode, text, err)
	}
}

func entry(bus, detail string) eventtypes.PutEventsRequestEntry {
	return eventtypes.PutEventsRequestEntry{
		EventBusName: aws.String(bus), Source: aws.String("s"), DetailType: aws.String("d"), Detail: aws.String(detail),
	}
}

func putEvents(ctx context.Context, config aws.Config, entries ...eventtypes.PutEventsRequestEntry) error {
	_, err := eventbridge.NewFromConfig(config).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: append([]eventtypes.PutEventsRequestEntry{}, entries...)})
	return err
}

// Refused events are reported one by one, as PutEvents does.
func TestTheBusRefusesEntriesOneByOne(t *testing.T) {
	_, _, config := served(t)
	entries := []eventtypes.PutEventsRequestEntry{
		entry("trades", "{}"), entry("trades", "no object"), entry("nobody", "{}"), entry("trades", "{}"),
		entry("arn:aws:events:"+region+":"+cloud.Account+":event-bus/trades", "{}"),
	}
	entries[3].Source = aws.String("aws.s3")
	answer, err := eventbridge.NewFromConfig(config).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, one := range answer.Entries {
		codes = append(codes, aws.ToString(one.ErrorCode))
		if (one.EventId == nil) != (one.ErrorCode != nil) {
			t.Errorf("an entry has id %v and error %v", one.EventId, one.ErrorCode)
		}
	}
	if want := []string{"", "MalformedDetail", "", "NotAuthorizedForSourceException", ""}; !slices.Equal(codes, want) || answer.FailedEntryCount != 2 {
		t.Errorf("codes %v, want %v; %d failed", codes, want, answer.FailedEntryCount)
	}
}

// A message is received, returned and deleted, and the alarm on its queue goes off, along with the composite one.
func TestQueuesAndAlarmsAreServed(t *testing.T) {
	c, _, config := served(t)
	ctx, messages, alarms := t.Context(), sqs.NewFromConfig(config), cloudwatch.NewFromConfig(config)
	state := func(kinds ...alarmtypes.AlarmType) []string {
		t.Helper()
		answer, err := alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("letters-"), AlarmTypes: kinds})
		if err != nil {
			t.Fatal(err)
		}
		var states []string
		for _, alarm := range answer.MetricAlarms {
			states = append(states, *alarm.AlarmName+" "+string(alarm.StateValue))
		}
		for _, alarm := range answer.CompositeAlarms {
			states = append(states, *alarm.AlarmName+" "+string(alarm.StateValue))
		}
		return states
	}
	if got := state(); !slices.Equal(got, []string{"letters-depth OK"}) {
		t.Errorf("without types it lists %v", got)
	}
	on, err := c.Queue(region, "letters")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := on.Send(ctx, queue.Draft{Body: "a letter"}); err != nil {
		t.Fatal(err)
	}
	if got, want := state("MetricAlarm", "CompositeAlarm"), []string{"letters-depth ALARM", "letters-page ALARM"}; !slices.Equal(got, want) {
		t.Errorf("it lists %v, want %v", got, want)
	}

	url := aws.String("https://sqs.eu-west-1.amazonaws.com/000000000000/letters")
	receive := func(hidden int32) (handles []*string) {
		t.Helper()
		answer, err := messages.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, VisibilityTimeout: hidden, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range answer.Messages {
			if *message.Body != "a letter" {
				t.Errorf("the body is %q", *message.Body)
			}
			handles = append(handles, message.ReceiptHandle)
		}
		return handles
	}
	first := receive(600)
	if len(first) != 1 || len(receive(600)) != 0 {
		t.Fatalf("%d messages, and then others", len(first))
	}
	if _, err := messages.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: first[0], VisibilityTimeout: 0}); err != nil {
		t.Fatal(err)
	}
	again := receive(600)
	if len(again) != 1 {
		t.Fatal("a message that was given back isn't there")
	}
	if _, err := messages.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: again[0]}); err != nil {
		t.Fatal(err)
	}
	if depth := on.State().Depth(); depth != 0 {
		t.Errorf("%d messages are left", depth)
	}
}

// A filter pattern finds the lines whose fields match it.
func TestLogsAreFiltered(t *testing.T) {
	_, logs, config := served(t)
	for _, line := range []string{
		`{"Environment": "dev", "Function": "recorder", "eventId": "1", "DuplicateTrades": 1}`,
		`{"Environment": "dev", "Function": "recorder", "eventId": "1"}`,
		`{"Environment": "dev", "Function": "recorder", "eventId": "2", "DuplicateTrades": 0}`,
		`{"Environment": "dev", "Function": "validator", "eventId": "1", "DuplicateTrades": 1}`,
	} {
		if _, err := logs.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]int{
		`{ $.eventId = "1" }`:                            2,
		`{ $.eventId = "1" && $.DuplicateTrades = * }`:   1,
		`{ $.DuplicateTrades = * }`:                      2,
		`{ $.eventId = "3" }`:                            0,
		`{ $.Function = "recorder" && $.eventId = "2" }`: 1,
	} {
		answer, err := cloudwatchlogs.NewFromConfig(config).FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: aws.String("/aws/lambda/trade-processing-dev-recorder"), FilterPattern: aws.String(pattern),
		})
		if err != nil || len(answer.Events) != want {
			t.Errorf("%s finds %d lines, want %d (%v)", pattern, len(answer.Events), want, err)
		}
	}
	if _, err := logs.Write([]byte("no JSON")); err == nil {
		t.Error("a line that is no JSON is nobody's, and was taken")
	}
}

func TestTheCallerIsTheAccount(t *testing.T) {
	_, _, config := served(t)
	answer, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil)
	if err != nil || aws.ToString(answer.Account) != cloud.Account {
		t.Errorf("the account is %q (%v)", aws.ToString(answer.Account), err)
	}
}
