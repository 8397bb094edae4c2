package endpoint

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"trade-processing/local/awsapi"
	"trade-processing/local/queue"
)

var queueOperations = map[string]operation{
	"ReceiveMessage": serve((*Endpoint).receiveMessage), "DeleteMessage": serve((*Endpoint).deleteMessage),
	"ChangeMessageVisibility": serve((*Endpoint).changeMessageVisibility),
}

// queue finds a queue by its URL, which ends in its name.
func (e *Endpoint) queue(region, url string) (*queue.Queue, error) {
	found, err := e.cloud.Queue(region, url[strings.LastIndex(url, "/")+1:])
	if err != nil {
		return nil, awsapi.Error("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return found, nil
}

type receiveMessageInput struct {
	QueueURL            string `json:"QueueUrl"`
	MaxNumberOfMessages *int
	VisibilityTimeout   *int32
	WaitTimeSeconds     *int // read but not used: messages are available at once
}

func (e *Endpoint) receiveMessage(ctx context.Context, region string, in receiveMessageInput) (any, error) {
	from, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	limit := 1
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	var visibility *time.Duration
	if in.VisibilityTimeout != nil {
		given := time.Duration(*in.VisibilityTimeout) * time.Second
		visibility = &given
	}
	messages, err := from.Receive(ctx, limit, visibility)
	if err != nil {
		return nil, err
	}
	if len(messages) == 0 {
		return struct{}{}, nil // SQS leaves Messages out
	}
	answers := make([]map[string]string, len(messages))
	for i, message := range messages {
		answers[i] = map[string]string{
			"MessageId": message.ID, "ReceiptHandle": message.Receipt, "Body": message.Body, "MD5OfBody": message.BodyMD5,
		}
	}
	return map[string]any{"Messages": answers}, nil
}

func (e *Endpoint) deleteMessage(ctx context.Context, region string, in sqs.DeleteMessageInput) (any, error) {
	from, err := e.queue(region, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	return struct{}{}, from.Acknowledge(ctx, aws.ToString(in.ReceiptHandle))
}

func (e *Endpoint) changeMessageVisibility(ctx context.Context, region string, in sqs.ChangeMessageVisibilityInput) (any, error) {
	on, err := e.queue(region, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	return struct{}{}, on.ChangeVisibility(ctx, aws.ToString(in.ReceiptHandle), time.Duration(in.VisibilityTimeout)*time.Second)
}
