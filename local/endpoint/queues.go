package endpoint

import (
	"context"
	"strings"
	"time"

	"trade-processing/local/queue"
)

// queue finds a queue by its URL, which names it at its end.
func (e *Endpoint) queue(region, url string) (*queue.Queue, error) {
	found, err := e.cloud.Queue(region, url[strings.LastIndex(url, "/")+1:])
	if err != nil {
		return nil, refuse("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return found, nil
}

type receiveMessageInput struct {
	QueueURL            string `json:"QueueUrl"`
	MaxNumberOfMessages *int
	VisibilityTimeout   *int
	WaitTimeSeconds     *int // read and not used: what was sent is there at once
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
	answers := make([]map[string]string, len(messages))
	for i, message := range messages {
		answers[i] = map[string]string{
			"MessageId": message.ID, "ReceiptHandle": message.Receipt, "Body": message.Body, "MD5OfBody": message.BodyMD5,
		}
	}
	return map[string]any{"Messages": answers}, nil
}

type deleteMessageInput struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}

func (e *Endpoint) deleteMessage(ctx context.Context, region string, in deleteMessageInput) (any, error) {
	from, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return struct{}{}, from.Acknowledge(ctx, in.ReceiptHandle)
}

type changeMessageVisibilityInput struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout int
}

func (e *Endpoint) changeMessageVisibility(ctx context.Context, region string, in changeMessageVisibilityInput) (any, error) {
	on, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return struct{}{}, on.ChangeVisibility(ctx, in.ReceiptHandle, time.Duration(in.VisibilityTimeout)*time.Second)
}
