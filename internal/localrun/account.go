package localrun

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/report"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/states"
	"trade-processing/local/table"
	"trade-processing/stack"
)

// NewCollector returns a collector that times the stages of the workflow.
func NewCollector() *report.Collector {
	var states []string
	for _, stage := range stack.Stages() {
		states = append(states, stage.State)
	}
	return report.NewCollector(states...)
}

// Observe returns what reports to a collector how long each stage took.
func Observe(collector *report.Collector) func(states.Visit) {
	return func(visit states.Visit) { collector.Stage(visit.State, visit.Left.Sub(visit.Entered)) }
}

// Inventory is where trades are at one moment. Each event is in one place: if it is in a queue and also in the table,
// because the write's answer was lost, it counts in the queue; if it is in several queues, or several times in one, it
// counts once, in the first by name.
type Inventory struct {
	all    int64            // items in the table
	items  map[string]int64 // of these, by status, those in no queue
	sum    uint64           // of these, whatever their order
	queued map[string]int64 // events by queue
	denied map[string]int64 // calls, by what the denial says
}

// Empty reports whether there is no trade anywhere.
func (i Inventory) Empty() bool { return i.all == 0 && len(i.queued) == 0 }

// Take counts what the stack's table and queues hold now.
func (p Pipeline) Take() (Inventory, error) {
	inventory := Inventory{items: map[string]int64{}, queued: map[string]int64{}, denied: p.Cloud.Denials()}
	table, err := p.Cloud.Table(p.Region, p.Table)
	if err != nil {
		return inventory, err
	}
	queues, err := p.queued()
	if err != nil {
		return inventory, err
	}
	for _, queue := range queues {
		inventory.queued[queue]++
	}
	for item := range table.Entries() {
		inventory.all++
		its := item.Texts("eventId", "execution", "status")
		if _, kept := queues[recorder.EventID(its[0], its[1])]; !kept {
			inventory.items[its[2]]++
			inventory.sum += item.Sum()
		}
	}
	return inventory, nil
}

// queued finds the queue of each event that is in one, by the event's id.
func (p Pipeline) queued() (map[string]string, error) {
	queues := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(p.Cloud.QueueDepths(p.Region))) {
		queue, err := p.Cloud.Queue(p.Region, name)
		if err != nil {
			return nil, err
		}
		for message := range queue.Messages() {
			// The workflow keeps {event, error, executionArn}, and EventBridge the event itself.
			var letter struct {
				ID    string
				Event struct{ ID string }
			}
			if err := json.Unmarshal([]byte(message.Body), &letter); err != nil {
				return nil, fmt.Errorf("reading message %s of %s: %w", message.ID, name, err)
			}
			id := cmp.Or(letter.Event.ID, letter.ID, message.ID)
			if _, counted := queues[id]; !counted {
				queues[id] = name
			}
		}
	}
	return queues, nil
}

// Report sums up a run. The functions' answers are one account of it, and the contents of tables and queues another:
// the report checks the two against each other, so a trade that was acknowledged but not kept shows up.
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
	table, err := p.Cloud.Table(p.Region, p.Table)
	if err != nil {
		return nil, err
	}
	for _, replica := range p.Cloud.Replicas(p.Table) {
		run.Replicas = append(run.Replicas, report.Replica{
			Region: replica.Region, Items: int64(replica.Table.Count()), Behind: int64(replica.Behind), Differs: int64(table.Differs(replica.Table)),
		})
	}
	for says, times := range p.Cloud.Denials() {
		if times -= before.denied[says]; times > 0 {
			run.Denied = append(run.Denied, report.Denial{Says: says, Times: times})
		}
	}
	run.Checks = checks(collector, run, before, after)
	if run.Example, err = p.example(); err != nil {
		return nil, err
	}
	return collector.Report(run), nil
}

// checks compares the reported outcomes with what tables and queues hold.
func checks(collector *report.Collector, run report.Run, before, after Inventory) []report.Check {
	told := collector.Report(run)
	if told.Unfinished > 0 {
		return nil // trades in flight may or may not have been written
	}
	added := func(status string) int64 { return after.items[status] - before.items[status] }
	checks := []report.Check{
		{Claim: "items added to the table as RECORDED", Want: told.Recorded, Got: added(recorder.Recorded)},
		{Claim: "items added to the table as REJECTED", Want: told.Rejected, Got: added(recorder.Rejected)},
	}
	answers := told.Recorded + told.Rejected + told.Duplicates + told.DuplicateRejections
	borneOut, written := collector.Contents()
	checks = append(checks, report.Check{Claim: "answers confirmed by the table", Want: answers, Got: borneOut})
	// By content: nothing was changed after the answer, and nothing else was written. An unconfirmed answer would only
	// be reported twice.
	if borneOut == answers {
		changed := report.Check{Claim: "differences between the table and what was written"}
		if after.sum != before.sum+written {
			changed.Got = 1
		}
		checks = append(checks, changed)
	}
	want := map[string]int64{}
	for _, letters := range told.DeadLetters {
		want[letters.Queue] += letters.Trades
	}
	queues := maps.Clone(want)
	maps.Copy(queues, after.queued)
	for _, queue := range slices.Sorted(maps.Keys(queues)) {
		if got := after.queued[queue] - before.queued[queue]; got != 0 || want[queue] != 0 {
			checks = append(checks, report.Check{Claim: "trades added to " + queue, Want: want[queue], Got: got})
		}
	}
	if told.Interrupted {
		return checks // and nobody waits for the replicas
	}
	for _, replica := range told.Replicas {
		checks = append(checks,
			report.Check{Claim: "items in the replica of " + replica.Region, Want: after.all, Got: replica.Items},
			report.Check{Claim: "items that differ in the replica of " + replica.Region, Got: replica.Differs})
	}
	return checks
}

// settle waits for the replicas, but not if somebody is waiting for the prompt.
func (p Pipeline) settle(ctx context.Context, interrupted bool) error {
	if interrupted {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return p.Cloud.Drain(ctx)
}

// example returns the first recorded item, as JSON; nil if there is none.
func (p Pipeline) example() (json.RawMessage, error) {
	trades, err := p.Cloud.Table(p.Region, p.Table)
	if err != nil {
		return nil, err
	}
	for item := range trades.Items() {
		if table.Text(item, "status") == recorder.Recorded {
			return ItemJSON(item)
		}
	}
	return nil, nil
}

// ItemJSON writes an item as plain JSON: numbers as stored, and no binary values, because no item of this system has
// any.
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
