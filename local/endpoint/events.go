package endpoint

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

const busType = "aws:cloudwatch/eventBus:EventBus"

// defaultBus is the bus that every region has.
const defaultBus = "default"

func (e *Endpoint) describeEventBus(_ context.Context, region string, in eventbridge.DescribeEventBusInput) (any, error) {
	name := cmp.Or(aws.ToString(in.Name), defaultBus)
	if err := e.findBus(region, name); err != nil {
		return nil, err
	}
	return map[string]string{"Name": name, "Arn": "arn:aws:events:" + region + ":" + cloud.Account + ":event-bus/" + name}, nil
}

func (e *Endpoint) findBus(region, name string) error {
	if _, found := e.cloud.Read(busType, region, name); !found && name != defaultBus {
		return awsapi.Error("ResourceNotFoundException", "Event bus %s does not exist.", name)
	}
	return nil
}

type putEventsInput struct{ Entries []putEventsEntry }

type putEventsEntry struct {
	EventBusName, Source, DetailType, Detail, TraceHeader string

	Resources []string
	Time      *float64 // seconds since 1970
}

// putEvents puts entries on their buses, and answers when all executions they start have ended: nothing runs behind the
// caller's back.
func (e *Endpoint) putEvents(ctx context.Context, region string, in putEventsInput) (any, error) {
	answers, refused := make([]map[string]string, len(in.Entries)), 0
	for i, entry := range in.Entries {
		bus := cmp.Or(entry.EventBusName, defaultBus)
		if err := e.findBus(region, bus); err != nil {
			return nil, err
		}
		given := cloud.Entry{
			Source: entry.Source, DetailType: entry.DetailType, Detail: json.RawMessage(entry.Detail), Resources: entry.Resources,
			TraceHeader: entry.TraceHeader,
		}
		if entry.Time != nil {
			given.Time = time.UnixMilli(int64(*entry.Time * 1000))
		}
		receipt, err := e.cloud.PutEvent(ctx, region, bus, given)
		if refusal, ok := errors.AsType[*cloud.Refusal](err); ok {
			answers[i], refused = map[string]string{"ErrorCode": refusal.Code, "ErrorMessage": refusal.Message}, refused+1
			continue
		}
		if err != nil {
			return nil, err
		}
		answers[i] = map[string]string{"EventId": receipt.EventID}
		for _, delivery := range receipt.Deliveries {
			e.logExecution(region, delivery)
			e.traces.add(entry.TraceHeader, delivery)
		}
	}
	return map[string]any{"Entries": answers, "FailedEntryCount": refused}, nil
}
