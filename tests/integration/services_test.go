package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/validator"
	"trade-processing/local/cloud"
)

// createQueues creates the program's queues as the program declares them. Their URLs are by name.
func createQueues(t testing.TB, here *cloud.Cloud, client *sqs.Client) map[string]string {
	t.Helper()
	attributes := map[string]sqstypes.QueueAttributeName{
		"messageRetentionSeconds":      sqstypes.QueueAttributeNameMessageRetentionPeriod,
		"visibilityTimeoutSeconds":     sqstypes.QueueAttributeNameVisibilityTimeout,
		"kmsMasterKeyId":               sqstypes.QueueAttributeNameKmsMasterKeyId,
		"kmsDataKeyReusePeriodSeconds": sqstypes.QueueAttributeNameKmsDataKeyReusePeriodSeconds,
	}
	urls := map[string]string{}
	for _, declared := range all(t, here, cloud.QueueType) {
		create := &sqs.CreateQueueInput{Attributes: map[string]string{}}
		for name, value := range declared.Inputs {
			switch attribute, known := attributes[name]; {
			case known:
				create.Attributes[string(attribute)] = plain(value)
			case name == "name":
				create.QueueName = aws.String(value.(string))
			case name != "tags" && name != "tagsAll": // irrelevant to a message
				t.Fatalf("the queue's input %s is new: say here what becomes of it", name)
			}
		}
		created, err := client.CreateQueue(t.Context(), create)
		if err != nil {
			t.Fatalf("moto refuses queue %s: %v", declared.Name, err)
		}
		urls[*create.QueueName] = *created.QueueUrl
	}
	return urls
}

// plain writes a string or a whole number as SQS expects it.
func plain(value any) string {
	if number, ok := value.(float64); ok {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	return value.(string)
}

// drain takes the bodies of all messages out of a queue.
func drain(t testing.TB, client *sqs.Client, queueURL string) []string {
	t.Helper()
	var bodies []string
	for {
		batch, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(queueURL), MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Messages) == 0 {
			return bodies
		}
		for _, message := range batch.Messages {
			bodies = append(bodies, *message.Body)
			_, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(queueURL), ReceiptHandle: message.ReceiptHandle})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// lambdaService is Lambda's Invoke with this project's functions behind it, each configured with the variables from the
// program. moto would need a container for each.
type lambdaService struct {
	t        testing.TB
	handlers map[string]lambda.Handler // by the ARN of the alias
}

func newLambdaService(t testing.TB, here *cloud.Cloud, parameters *ssm.Client, table *dynamodb.Client) *lambdaService {
	t.Helper()
	s := &lambdaService{t, map[string]lambda.Handler{}}
	for name, build := range map[string]func(end string) (lambda.Handler, error){
		"validator": func(end string) (lambda.Handler, error) {
			return validator.New(environmentOf(t, here, end), parameters)
		},
		"enricher": func(end string) (lambda.Handler, error) {
			return enricher.New(environmentOf(t, here, end), parameters, http.DefaultClient)
		},
		"recorder": func(end string) (lambda.Handler, error) { return recorder.New(environmentOf(t, here, end), table) },
	} {
		handler, err := build(name + "-function")
		if err != nil {
			t.Fatal(err)
		}
		s.handlers[text(one(t, here, "aws:lambda/alias:Alias", name+"-alias").Outputs, "arn")] = handler
	}
	return s
}

// ServeHTTP serves https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
func (s *lambdaService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arn, err := url.PathUnescape(strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), "/2015-03-31/functions/"), "/invocations"))
	if qualifier := r.URL.Query().Get("Qualifier"); qualifier != "" {
		arn += ":" + qualifier
	}
	handler, known := s.handlers[arn]
	if err != nil || !known {
		w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"Message": "Function not found: %s"}`, arn)
		return
	}
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	answer, err := handler.Invoke(ctx, payload)
	if failed, ok := err.(messages.InvokeResponse_Error); ok { //nolint:errorlint // the runtime, too, asks for this very type
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		if answer, err = json.Marshal(failed); err != nil {
			s.t.Error(err)
		}
	} else if err != nil {
		s.t.Errorf("the handler of %s answered an error without a type: %v", arn, err)
	}
	w.Header().Set("X-Amz-Executed-Version", "1")
	_, _ = w.Write(answer)
}
