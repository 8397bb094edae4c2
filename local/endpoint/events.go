package endpoint

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// defaultBus is the bus that every region has.
const defaultBus = "default"

var eventOperations = map[string]operation{
	"DescribeEventBus": serve((*Endpoint).describeEventBus), "PutEvents": serve((*Endpoint).putEvents),
	"ListTargetsByRule": serve((*Endpoint).listTargetsByRule), "PutTargets": serve((*Endpoint).putTargets), "RemoveTargets": serve((*Endpoint).removeTargets),
	"ListRules": serve((*Endpoint).listRules), "DescribeRule": serve((*Endpoint).describeRule), "EnableRule": serve((*Endpoint).enableRule),
	"DisableRule": serve((*Endpoint).disableRule), "ListEventBuses": serve((*Endpoint).listEventBuses),
	"DescribeArchive": serve((*Endpoint).describeArchive), "ListArchives": serve((*Endpoint).listArchives),
	"StartReplay": serve((*Endpoint).startReplay), "DescribeReplay": serve((*Endpoint).describeReplay), "ListReplays": serve((*Endpoint).listReplays),
	"CancelReplay": serve((*Endpoint).cancelReplay),
}

func (e *Endpoint) describeEventBus(_ context.Context, region string, in eventbridge.DescribeEventBusInput) (any, error) {
	buses := "arn:aws:events:" + region + ":" + cloud.Account + ":event-bus/"
	name := strings.TrimPrefix(cmp.Or(aws.ToString(in.Name), defaultBus), buses)
	answer := map[string]any{"Name": name, "Arn": buses + name}
	found, there := e.cloud.Read(cloud.BusType, region, name)
	switch {
	case there:
		answer["CreationTime"] = float64(found.Created.UnixMilli()) / 1000
	case name != defaultBus:
		return nil, awsapi.Error("ResourceNotFoundException", "Event bus %s does not exist.", name)
	}
	return answer, nil
}

type putEventsInput struct{ Entries []putEventsEntry }

type putEventsEntry struct {
	EventBusName                            *string // name or ARN
	Source, DetailType, Detail, TraceHeader string

	Resources []string
	Time      *float64 // seconds since 1970
}

// What a PutEvents request as a whole must keep to.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const (
	maxEntries = 10
	year10000  = 253402300800 // seconds since 1970: RFC 3339 has years of four digits
)

var busName = regexp.MustCompile(`^(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus/)?[/.\-_A-Za-z0-9]+$`)

// putEvents puts entries on their buses. A cloud in memory answers when all executions they start have ended: nothing
// runs behind the caller's back. One in a folder answers when it can't lose them, as AWS does.
func (e *Endpoint) putEvents(ctx context.Context, region string, in putEventsInput) (any, error) {
	if len(in.Entries) < 1 || len(in.Entries) > maxEntries {
		return nil, awsapi.Validation("1 validation error detected: Value at 'entries' failed to satisfy constraint: "+
			"Member must have length from 1 to %d, not %d", maxEntries, len(in.Entries))
	}
	entries, size := make([]cloud.Entry, len(in.Entries)), 0
	for i, entry := range in.Entries {
		if entry.EventBusName != nil && !busName.MatchString(*entry.EventBusName) {
			return nil, awsapi.Validation("1 validation error detected: Value '%s' at 'entries.%d.member.eventBusName' "+
				"failed to satisfy constraint: Member must satisfy regular expression pattern: %s", *entry.EventBusName, i+1, busName)
		}
		entries[i] = cloud.Entry{
			Source: entry.Source, DetailType: entry.DetailType, Detail: json.RawMessage(entry.Detail), Resources: entry.Resources,
			TraceHeader: entry.TraceHeader,
		}
		if entry.Time != nil {
			if *entry.Time < 0 || *entry.Time >= year10000 {
				return nil, awsapi.Error("SerializationException", "entries.%d.member.time is %g, which is no time from 1970 to 9999", i+1, *entry.Time)
			}
			entries[i].Time = time.UnixMilli(int64(*entry.Time * 1000))
		}
		size += entries[i].Size()
	}
	if size > cloud.MaxEntries {
		return nil, awsapi.Error(cloud.TooLarge.Code, "%s", cloud.TooLarge.Message)
	}
	answers, refused := make([]map[string]string, len(in.Entries)), 0
	var accepted []*cloud.Accepted
	var traces []string // of these, as they came
	for i, entry := range in.Entries {
		event, err := e.cloud.Accept(region, aws.ToString(entry.EventBusName), entries[i])
		if refusal, ok := errors.AsType[*cloud.Refusal](err); ok {
			answers[i], refused = map[string]string{"ErrorCode": refusal.Code, "ErrorMessage": refusal.Message}, refused+1
			continue
		}
		if err != nil {
			return nil, err
		}
		answers[i] = map[string]string{"EventId": event.ID}
		accepted, traces = append(accepted, event), append(traces, entry.TraceHeader)
	}
	e.cloud.Keep(accepted...) // which is durable when the answer is written, and before what comes of it
	for i, event := range accepted {
		if err := e.deliver(ctx, event, traces[i]); err != nil {
			return nil, err
		}
	}
	return map[string]any{"Entries": answers, "FailedEntryCount": refused}, nil
}

// deliver delivers an accepted event: at once, or later.
func (e *Endpoint) deliver(ctx context.Context, event *cloud.Accepted, trace string) error {
	done := func(receipt cloud.Receipt) {
		for _, delivery := range receipt.Deliveries {
			e.logExecution(delivery)
			e.traces.add(trace, delivery)
		}
	}
	if e.cloud.Durable() {
		e.cloud.Later(event, done)
		return nil
	}
	receipt, err := e.cloud.Deliver(ctx, event)
	done(receipt)
	return err
}

// Resume delivers the events that a process before this one has accepted and not delivered, and goes on with its replays.
// Call it once, before serving.
func (e *Endpoint) Resume() {
	for _, event := range e.cloud.Unfinished() {
		_ = e.deliver(context.Background(), event, "") // later, which can't fail
	}
	e.cloud.ResumeReplays(e.redeliver)
}
