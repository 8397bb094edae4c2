package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/components"
	"trade-processing/internal/report"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/states"
)

// Observe returns what tells a collector how long each stage took.
func Observe(collector *report.Collector) func(states.Visit) {
	stages := map[string]report.StageName{
		components.ValidateTrade: report.Validate,
		components.EnrichTrade:   report.Enrich,
		components.RecordTrade:   report.Record,
	}
	return func(visit states.Visit) {
		if stage, timed := stages[visit.State]; timed {
			collector.Stage(stage, visit.Left.Sub(visit.Entered))
		}
	}
}

// Inventory is what tables and queues hold at one moment.
type Inventory struct {
	items  map[string]int64 // by status
	queued map[string]int64 // by queue
}

// Take counts what the stack's table and queues hold now.
func (p Pipeline) Take() (Inventory, error) {
	inventory := Inventory{items: map[string]int64{}, queued: map[string]int64{}}
	table, err := p.Cloud.Table(p.Region, p.Table)
	if err != nil {
		return inventory, err
	}
	for item := range table.Items() {
		if status, ok := item["status"].(*types.AttributeValueMemberS); ok {
			inventory.items[status.Value]++
		}
	}
	inventory.queued = p.Cloud.QueueDepths(p.Region)
	return inventory, nil
}

// Report sums up a run. What the functions answered is one account of it, and
// what tables and queues hold is another: the report checks the two against
// one another, so that a trade which was answered for and not kept shows.
func (p Pipeline) Report(ctx context.Context, collector *report.Collector, before Inventory, run report.Run) (*report.Report, error) {
	if err := p.settle(ctx, run.Interrupted); err != nil {
		return nil, err
	}
	for _, change := range p.Cloud.EvaluateAlarms() {
		collector.Alarm(change.Alarm, change.At, change.Reason)
	}
	after, err := p.Take()
	if err != nil {
		return nil, err
	}
	told := collector.Report(run)
	run.Checks = []report.Check{
		{Claim: "items added to the table as RECORDED", Want: told.Recorded, Got: after.items[recorder.Recorded] - before.items[recorder.Recorded]},
		{Claim: "items added to the table as REJECTED", Want: told.Rejected, Got: after.items[recorder.Rejected] - before.items[recorder.Rejected]},
	}
	want := map[string]int64{}
	for _, letters := range told.DeadLetters {
		want[letters.Queue] += letters.Trades
	}
	for _, queue := range slices.Sorted(maps.Keys(after.queued)) {
		if got := after.queued[queue] - before.queued[queue]; got != 0 || want[queue] != 0 {
			run.Checks = append(run.Checks, report.Check{Claim: "messages added to " + queue, Want: want[queue], Got: got})
		}
	}
	total := after.items[recorder.Recorded] + after.items[recorder.Rejected]
	for _, replica := range p.Cloud.Replicas(p.Table) {
		held := int64(replica.Table.Count())
		run.Replicas = append(run.Replicas, report.Replica{Region: replica.Region, Items: held, Behind: int64(replica.Behind)})
		if !run.Interrupted {
			run.Checks = append(run.Checks, report.Check{Claim: "items in the replica of " + replica.Region, Want: total, Got: held})
		}
	}
	if run.Example, err = p.example(); err != nil {
		return nil, err
	}
	return collector.Report(run), nil
}

// settle waits for the replicas, but not when somebody waits for the prompt.
func (p Pipeline) settle(ctx context.Context, interrupted bool) error {
	if interrupted {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return p.Cloud.Drain(ctx)
}

// example is the first recorded item, as JSON; nil when there is none.
func (p Pipeline) example() (json.RawMessage, error) {
	table, err := p.Cloud.Table(p.Region, p.Table)
	if err != nil {
		return nil, err
	}
	for item := range table.Items() {
		if status, ok := item["status"].(*types.AttributeValueMemberS); ok && status.Value == recorder.Recorded {
			return ItemJSON(item)
		}
	}
	return nil, nil
}

// ItemJSON writes an item as plain JSON: numbers as they are stored, binary
// values not at all, since no item of this system has any.
func ItemJSON(item map[string]types.AttributeValue) ([]byte, error) {
	plain, err := plainItem(&types.AttributeValueMemberM{Value: item})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("writing an item as JSON: %w", err)
	}
	return text, nil
}

func plainItem(value types.AttributeValue) (any, error) {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return value.Value, nil
	case *types.AttributeValueMemberN:
		return json.Number(value.Value), nil
	case *types.AttributeValueMemberBOOL:
		return value.Value, nil
	case *types.AttributeValueMemberNULL:
		return nil, nil
	case *types.AttributeValueMemberL:
		list := make([]any, len(value.Value))
		for i, element := range value.Value {
			plain, err := plainItem(element)
			if err != nil {
				return nil, err
			}
			list[i] = plain
		}
		return list, nil
	case *types.AttributeValueMemberM:
		object := make(map[string]any, len(value.Value))
		for name, element := range value.Value {
			plain, err := plainItem(element)
			if err != nil {
				return nil, err
			}
			object[name] = plain
		}
		return object, nil
	default:
		return nil, fmt.Errorf("an attribute of type %T has no plain JSON form", value)
	}
}
