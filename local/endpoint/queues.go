package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/queue"
)

var queueOperations = map[string]operation{
	"ReceiveMessage": serve((*Endpoint).receiveMessage), "DeleteMessage": serve((*Endpoint).deleteMessage),
	"DeleteMessageBatch": serve((*Endpoint).deleteMessageBatch), "ChangeMessageVisibility": serve((*Endpoint).changeMessageVisibility),
	"ChangeMessageVisibilityBatch": serve((*Endpoint).changeMessageVisibilityBatch),
	"StartMessageMoveTask":         serve((*Endpoint).startMessageMoveTask),
	"SendMessage":                  serve((*Endpoint).sendMessage), "SendMessageBatch": serve((*Endpoint).sendMessageBatch), "PurgeQueue": serve((*Endpoint).purgeQueue),
	"GetQueueAttributes": serve((*Endpoint).getQueueAttributes), "GetQueueUrl": serve((*Endpoint).getQueueURL), "ListQueues": serve((*Endpoint).listQueues),
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

	AttributeNames, MessageSystemAttributeNames []string // the second is the first one's new name
	MessageAttributeNames                       []string
}

// receiveMessage serves https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
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
	answers := make([]any, len(messages))
	for i, message := range messages {
		answer := object{"MessageId": message.ID, "ReceiptHandle": message.Receipt, "Body": message.Body, "MD5OfBody": message.BodyMD5}
		if system := systemAttributes(message, append(in.AttributeNames, in.MessageSystemAttributeNames...)); len(system) > 0 {
			answer["Attributes"] = system
		}
		asked := map[string]string{}
		for name, value := range message.Attributes {
			if slices.ContainsFunc(in.MessageAttributeNames, func(want string) bool {
				prefix, wild := strings.CutSuffix(want, ".*")
				return want == "All" || want == name || wild && strings.HasPrefix(name, prefix)
			}) {
				asked[name] = value
			}
		}
		if len(asked) > 0 {
			answer["MessageAttributes"], answer["MD5OfMessageAttributes"] = attributeValues(asked), queue.AttributesMD5(asked)
		}
		answers[i] = answer
	}
	return object{"Messages": answers}, nil
}

func attributeValues(attributes map[string]string) object {
	values := object{}
	for name, value := range attributes {
		values[name] = object{"StringValue": value, "DataType": "String"}
	}
	return values
}

// systemAttributes are those of a message that were asked for.
func systemAttributes(message queue.Message, names []string) map[string]string {
	all := map[string]string{
		"SentTimestamp": millis(message.Sent), "ApproximateFirstReceiveTimestamp": millis(message.First),
		"ApproximateReceiveCount": strconv.Itoa(message.Receives), "SenderId": cloud.Account,
	}
	if message.TraceHeader != "" {
		all["AWSTraceHeader"] = message.TraceHeader
	}
	asked := map[string]string{}
	for name, value := range all {
		if slices.Contains(names, name) || slices.Contains(names, "All") {
			asked[name] = value
		}
	}
	return asked
}

func millis(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

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

// draft is a message to send.
type draft struct {
	ID                string `json:"Id"` // in a batch
	MessageBody       string
	DelaySeconds      int
	MessageAttributes map[string]struct{ DataType, StringValue string }

	MessageSystemAttributes struct {
		AWSTraceHeader struct{ DataType, StringValue string }
	}
}

// send answers with the members of SendMessage's answer.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (d draft) send(ctx context.Context, to *queue.Queue) (object, error) {
	if d.DelaySeconds != 0 {
		return nil, &awsapi.Unsupported{Operation: "SendMessage", Feature: "DelaySeconds"}
	}
	made := queue.Draft{Body: d.MessageBody, TraceHeader: d.MessageSystemAttributes.AWSTraceHeader.StringValue, Attributes: map[string]string{}}
	for name, value := range d.MessageAttributes {
		if value.DataType != "String" {
			return nil, &awsapi.Unsupported{Operation: "SendMessage", Feature: "the DataType " + value.DataType + " of the attribute " + name}
		}
		made.Attributes[name] = value.StringValue
	}
	sent, err := to.Send(ctx, made)
	if err != nil {
		return nil, err
	}
	answer := object{"MessageId": sent.ID, "MD5OfMessageBody": sent.BodyMD5}
	if sum := queue.AttributesMD5(sent.Attributes); sum != "" {
		answer["MD5OfMessageAttributes"] = sum
	}
	return answer, nil
}

func (e *Endpoint) sendMessage(ctx context.Context, region string, in struct {
	draft
	QueueURL string `json:"QueueUrl"`
}) (any, error) {
	to, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return in.send(ctx, to)
}

func (e *Endpoint) sendMessageBatch(ctx context.Context, region string, in struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []draft
}) (any, error) {
	to, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, entry := range in.Entries {
		size += len(entry.MessageBody)
	}
	if size > mostInBatch {
		return nil, awsapi.Error("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", mostInBatch, size)
	}
	return batch(in.Entries, func(entry draft) string { return entry.ID }, func(entry draft) (object, error) { return entry.send(ctx, to) })
}

// mostInBatch is the most bytes of a batch: what one message may have.
const mostInBatch = 256 << 10

func (e *Endpoint) deleteMessageBatch(ctx context.Context, region string, in struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []receipt
}) (any, error) {
	from, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return batch(in.Entries, func(entry receipt) string { return entry.ID }, func(entry receipt) (object, error) {
		return object{}, from.Acknowledge(ctx, entry.ReceiptHandle)
	})
}

// changeMessageVisibilityBatch serves
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
func (e *Endpoint) changeMessageVisibilityBatch(ctx context.Context, region string, in struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []visibility
}) (any, error) {
	on, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return batch(in.Entries, func(entry visibility) string { return entry.ID }, func(entry visibility) (object, error) {
		return object{}, on.ChangeVisibility(ctx, entry.ReceiptHandle, time.Duration(entry.VisibilityTimeout)*time.Second)
	})
}

type visibility struct {
	receipt
	VisibilityTimeout int32
}

type receipt struct {
	ID            string `json:"Id"`
	ReceiptHandle string
}

var batchID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

// batch serves each entry of a batch by itself.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
func batch[Entry any](entries []Entry, id func(Entry) string, serve func(Entry) (object, error)) (any, error) {
	seen := map[string]bool{}
	for _, entry := range entries {
		switch name := id(entry); {
		case seen[name]:
			return nil, awsapi.Error("BatchEntryIdsNotDistinct", "Id %s repeated.", name)
		case !batchID.MatchString(name):
			return nil, awsapi.Error("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		default:
			seen[name] = true
		}
	}
	switch {
	case len(entries) == 0:
		return nil, awsapi.Error("EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(entries) > 10:
		return nil, awsapi.Error("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(entries))
	}
	done, failed := []any{}, []any{}
	for _, entry := range entries {
		answer, err := serve(entry)
		refusal, named := errors.AsType[smithy.APIError](err)
		switch {
		case named:
			failed = append(failed, object{"Id": id(entry), "SenderFault": true, "Code": refusal.ErrorCode(), "Message": refusal.ErrorMessage()})
		case err != nil:
			return nil, err
		default:
			answer["Id"] = id(entry)
			done = append(done, answer)
		}
	}
	return object{"Successful": done, "Failed": failed}, nil
}

// startMessageMoveTask refuses every queue: none is the dead-letter queue of another one, which is what can be moved back.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
func (e *Endpoint) startMessageMoveTask(_ context.Context, region string, in struct {
	SourceArn, DestinationArn    string
	MaxNumberOfMessagesPerSecond int
}) (any, error) {
	if _, err := e.cloud.Queue(region, in.SourceArn[strings.LastIndex(in.SourceArn, ":")+1:]); err != nil {
		return nil, awsapi.Error("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	return nil, awsapi.Error("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
}

func (e *Endpoint) purgeQueue(ctx context.Context, region string, in struct {
	QueueURL string `json:"QueueUrl"`
}) (any, error) {
	on, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return struct{}{}, on.Purge(ctx)
}

// getQueueAttributes serves https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func (e *Endpoint) getQueueAttributes(_ context.Context, region string, in struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}) (any, error) {
	of, err := e.queue(region, in.QueueURL)
	if err != nil {
		return nil, err
	}
	definition, state := of.Definition(), of.State()
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	all := map[string]string{
		"ApproximateNumberOfMessages": strconv.Itoa(state.Visible), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(state.InFlight),
		"ApproximateNumberOfMessagesDelayed": "0", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0",
		"VisibilityTimeout": seconds(definition.Visibility), "MessageRetentionPeriod": seconds(definition.Retention),
		"MaximumMessageSize": strconv.Itoa(mostInBatch), "QueueArn": definition.ARN,
		"CreatedTimestamp": strconv.FormatInt(e.began.Unix(), 10), "LastModifiedTimestamp": strconv.FormatInt(e.began.Unix(), 10),
	}
	for attribute, from := range map[string][2]string{ // resource type and property
		"KmsMasterKeyId": {cloud.QueueType, "kmsMasterKeyId"}, "KmsDataKeyReusePeriodSeconds": {cloud.QueueType, "kmsDataKeyReusePeriodSeconds"},
		"Policy": {cloud.QueuePolicyType, "policy"}, "RedriveAllowPolicy": {cloud.RedriveAllowPolicyType, "redriveAllowPolicy"},
	} {
		if declared, found := e.cloud.Read(from[0], region, definition.URL); found && declared.Inputs[from[1]] != nil {
			all[attribute] = fmt.Sprint(declared.Inputs[from[1]])
		}
	}
	known := append([]string{"All", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"}, keys(all)...)
	asked := map[string]string{}
	for _, name := range in.AttributeNames {
		if !slices.Contains(known, name) {
			return nil, awsapi.Error("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		if value, there := all[name]; there {
			asked[name] = value
		}
	}
	if slices.Contains(in.AttributeNames, "All") {
		asked = all
	}
	if len(asked) == 0 {
		return struct{}{}, nil
	}
	return object{"Attributes": asked}, nil
}

func keys[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}

func (e *Endpoint) getQueueURL(_ context.Context, region string, in struct {
	QueueName              string
	QueueOwnerAWSAccountID json.RawMessage `json:"QueueOwnerAWSAccountId"` // there is one account
}) (any, error) {
	found, err := e.queue(region, in.QueueName)
	if err != nil {
		return nil, err
	}
	return object{"QueueUrl": found.Definition().URL}, nil
}

// Without MaxResults, ListQueues gives up to 1,000 queues and no token.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
func (e *Endpoint) listQueues(_ context.Context, region string, in struct {
	QueueNamePrefix string
	MaxResults      int
	NextToken       string
}) (any, error) {
	named := slices.DeleteFunc(e.declared(cloud.QueueType, region), func(r *cloud.Resource) bool {
		return !strings.HasPrefix(r.ID[strings.LastIndex(r.ID, "/")+1:], in.QueueNamePrefix)
	})
	found, next, err := page(named, id, in.NextToken, in.MaxResults, 1000, 1000)
	if err != nil || len(found) == 0 {
		return struct{}{}, err
	}
	var urls []any
	for _, r := range found {
		urls = append(urls, r.ID)
	}
	return paged("QueueUrls", urls, "NextToken", next), nil
}
