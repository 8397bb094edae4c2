package endpoint_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"trade-processing/lambdas/function/functiontest"
	"trade-processing/local/endpoint"
)

// Whatever is asked, there is an answer in the caller's protocol: what was asked for, or what is wrong with the
// request. It is never the endpoint's own fault.
func FuzzRequest(f *testing.F) {
	const queue = `"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/000000000000/letters"`
	for _, seed := range [][4]string{
		{"dynamodb", "DynamoDB_20120810.PutItem", "/", `{"TableName": "trades", "Item": {"tradeId": {"S": "1"}, "a": {"M": {"b": {"L": [{"N": "1"}, {"NULL": true}]}}}}}`},
		{"dynamodb", "DynamoDB_20120810.PutItem", "/", `{"TableName": "trades", "Item": {"tradeId": {"S": "1"}}, "ConditionExpression": "attribute_not_exists (#0)", "ExpressionAttributeNames": {"#0": "tradeId"}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}`},
		{"dynamodb", "DynamoDB_20120810.GetItem", "/", `{"TableName": "trades", "Key": {"tradeId": {"S": "1"}}}`},
		{"dynamodb", "DynamoDB_20120810.Query", "/", `{"TableName": "trades", "KeyConditionExpression": "tradeId = :id", "ExpressionAttributeValues": {":id": {"S": "1"}}, "Limit": 1, "ExclusiveStartKey": {"tradeId": {"S": "1"}}}`},
		{"dynamodb", "DynamoDB_20120810.Query", "/", `{"TableName": "trades", "ExclusiveStartKey": null, "Key": null}`},
		{"events", "AWSEvents.PutEvents", "/", `{"Entries": [{"EventBusName": "trades", "Source": "s", "DetailType": "d", "Detail": "{\"a\": 1}", "Time": 1e300, "TraceHeader": "Root=1;Sampled=1"}]}`},
		{"events", "AWSEvents.DescribeEventBus", "/", `{"Name": "trades"}`},
		{"events", "AWSEvents.PutTargets", "/", `{"Rule": "trades", "Targets": [{"Id": "1", "Arn": "a"}]}`},
		{"events", "AWSEvents.RemoveTargets", "/", `{"Rule": "trades", "Ids": [""]}`},
		{"events", "AWSEvents.ListTargetsByRule", "/", `{"Rule": "trades"}`},
		{"sqs", "AmazonSQS.ReceiveMessage", "/", `{` + queue + `, "MaxNumberOfMessages": 1, "VisibilityTimeout": 18446744074}`},
		{"sqs", "AmazonSQS.DeleteMessage", "/", `{` + queue + `, "ReceiptHandle": "MSAxIDA="}`},
		{"sqs", "AmazonSQS.ChangeMessageVisibility", "/", `{` + queue + `, "ReceiptHandle": "x", "VisibilityTimeout": -1}`},
		{"ssm", "AmazonSSM.GetParametersByPath", "/", `{"Path": "/a", "MaxResults": 1, "NextToken": "x"}`},
		{"states", "AWSStepFunctions.DescribeStateMachine", "/", `{"stateMachineArn": "x"}`},
		{"logs", "Logs_20140328.FilterLogEvents", "/", `{"logGroupName": "/aws/lambda/trade-processing-dev-recorder", "filterPattern": "{ $.a = \"b\" && $.c = * }"}`},
		{"xray", "", "/Traces", `{"TraceIds": ["1"]}`},
		{"sts", "", "/", `Action=GetCallerIdentity`},
		{"iam", "", "/", `Action=CreateOpenIDConnectProvider&Url=https%3A%2F%2Fexample.com&ClientIDList.member.2=b&ClientIDList.member.1=a&Tags.member.1.Key=k`},
		{"monitoring", "", "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "\xa1\x6aAlarmTypes\x81\x6bMetricAlarm"},
		{"monitoring", "", "/service/", "\x9f\x9f\x9f\xff"}, {"", "x.", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], []byte(seed[3]))
	}
	c, logs, _ := served(f)
	e := endpoint.New(c, logs)
	f.Fuzz(func(t *testing.T, service, target, path string, body []byte) {
		request := (&http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: path}, Body: io.NopCloser(strings.NewReader(string(body))),
			Header: http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=test/20260302/" + region + "/" + service + "/aws4_request"}},
		}).WithContext(context.Background())
		request.Header.Set("X-Amz-Target", target)
		begun := time.Now()
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, request)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		text := answer.Body.Bytes()
		if answer.Code != http.StatusOK && answer.Code != http.StatusBadRequest || answer.Code == http.StatusBadRequest && len(text) == 0 {
			t.Fatalf("%d %s", answer.Code, text)
		}
		switch answer.Header().Get("Content-Type") {
		case "application/cbor":
			if _, err := cbor.Decode(text); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		case "text/xml":
			for decoder := xml.NewDecoder(strings.NewReader(string(text))); ; {
				if _, err := decoder.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%q: %v", text, err)
				}
			}
		default:
			if !json.Valid(text) {
				t.Errorf("%q isn't JSON", text)
			}
		}
	})
}

// What an answer repeats of a request stays where it is, in each protocol.
func TestHostileTextsStayInTheirAnswers(t *testing.T) {
	c, logs, _ := served(t)
	e := endpoint.New(c, logs)
	for _, text := range functiontest.Hostile() {
		ask := func(service, target, path, body string) []byte {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
			request.URL.Path = path
			request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260302/"+region+"/"+service+"/aws4_request")
			request.Header.Set("X-Amz-Target", target)
			answer := httptest.NewRecorder()
			e.ServeHTTP(answer, request)
			if answer.Code != http.StatusBadRequest {
				t.Fatalf("%q: %d %s", text, answer.Code, answer.Body)
			}
			return answer.Body.Bytes()
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var asJSON struct{ Message string }
		if err := json.Unmarshal(ask("events", "AWSEvents.DescribeEventBus", "/", `{"Name": `+string(quoted)+`}`), &asJSON); err != nil || asJSON.Message != "Event bus "+text+" does not exist." {
			t.Errorf("%q is told as %s, %v", text, asJSON.Message, err)
		}
		var asXML struct {
			Message string `xml:"Error>Message"`
		}
		if err := xml.Unmarshal(ask("sts", "", "/", url.Values{"Action": {text}}.Encode()), &asXML); err != nil || !strings.HasSuffix(asXML.Message, " of sts is not served here") {
			t.Errorf("%q is told as %q, %v", text, asXML.Message, err)
		}
		operation := text[strings.LastIndex(text, "/")+1:] // of a path
		if told, err := cbor.Decode(ask("monitoring", "", "/service/x/operation/"+text, "")); err != nil || told.(cbor.Map)["message"] != cbor.String(operation+" of monitoring is not served here") {
			t.Errorf("%q is told as %v, %v", text, told, err)
		}
	}
}
