package cost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/internal/engine"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/feed"
	"trade-processing/internal/localrun"
	"trade-processing/internal/sample"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/local/states"
	"trade-processing/stack"
)

// Usage is what a run of the sample used, per trade. Durations aren't in it: without AWS's network, a call takes
// microseconds.
type Usage struct {
	Transitions float64
	EventBytes  float64
	LogBytes    float64
	Metrics     int // custom metrics, in all
	ItemBytes   float64
	TableUnits  float64 // write units of the table, in each region
	IndexUnits  float64 // write units of its indexes, in each region
	StoredBytes float64 // of the item and its index entries, in each region
	Rejected    float64 // reads that look for another version

	express bool   // the type of the workflow that ran
	other   *Usage // with the other type
}

// with returns what the run would have used with a type of workflow.
func (u Usage) with(express bool) Usage {
	if u.other == nil || u.express == express {
		return u
	}
	return *u.other
}

// longer is by how much the ARN of an EXPRESS execution is longer than another's: it has express in place of execution, and
// ends in a further UUID, which is all that the item has of the rest.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
const (
	longerName = len(":944ad597-60a9-431d-b706-719b189e5909")
	longerARN  = longerName + len("express") - len("execution")
)

// Sample is how many trades are measured, unless others are asked for: the means don't change beyond.
const Sample = 5_000

// Measure deploys a stack on a local cloud, sends a sample through it and returns its definition and what the run used.
func Measure(ctx context.Context, root, name string, trades int) (Definition, Usage, error) {
	logged := meter{mu: new(sync.Mutex), metrics: map[string]bool{}, chance: rand.NewPCG(1, 1)}
	now := &moment{Clock: clock.Real(), now: time.Now()}
	here := cloud.New(cloud.Options{
		Images: localrun.Images(), Logs: &logged, Observe: logged.visit, Clock: now, Random: logged.draw,
	})
	var wrong *stack.ConfigError
	program := stack.DeployFrom(root)
	opened, err := engine.Open(engine.Options{
		Root: root, Stack: name, Program: func(ctx *pulumi.Context) error {
			err := program(ctx)
			errors.As(err, &wrong) // the engine passes on only its text
			return err
		}, Providers: engine.InProcess(provider.Of(here)), StandIns: stack.StandIns(),
	})
	if err != nil {
		return Definition{}, Usage{}, exitcode.With(exitcode.Usage, err)
	}
	_, outputs, err := opened.Up(ctx)
	switch {
	case wrong != nil:
		return Definition{}, Usage{}, exitcode.With(exitcode.Usage, wrong)
	case err != nil:
		return Definition{}, Usage{}, err
	}
	text := func(output string) string { value, _ := outputs[output].Value.(string); return value }
	generator, err := sample.New(1, trades)
	if err != nil {
		return Definition{}, Usage{}, err
	}
	reader := generator.Reader()
	defer reader.Close() //nolint:errcheck // only read
	// One trade after the other, and only those that get to the end: of a failed execution, chance says how much of the
	// other branch is run. Such trades cost no less, but are few.
	passed := meter{metrics: logged.metrics}
	for entry, problem := range feed.FromReader("sample", reader).Entries(ctx) {
		if problem != nil {
			return Definition{}, Usage{}, fmt.Errorf("reading the sample: %s", problem.Reason)
		}
		before := logged.now()
		logged.seed()
		if !entry.Time.IsZero() {
			now.now = entry.Time.Add(time.Second)
		}
		receipt, err := here.PutEvent(ctx, text("region"), text("eventBusName"), cloud.Entry{
			Source: entry.Source, DetailType: entry.DetailType, Detail: entry.Detail, Time: entry.Time,
		})
		if err != nil {
			return Definition{}, Usage{}, fmt.Errorf("sending a trade of the sample: %w", err)
		}
		if len(receipt.Deliveries) == 1 && receipt.Deliveries[0].Failure == nil {
			passed.executions++
			after := logged.now()
			passed.bytes += after.bytes - before.bytes
			passed.lines += after.lines - before.lines
			passed.visits += after.visits - before.visits
		}
	}
	d := Define(name, here)
	usage, err := passed.usage(here, d, text("tradeTableName"), 0)
	if err != nil {
		return d, usage, err
	}
	sign := 1
	if d.Express {
		sign = -1
	}
	other, err := passed.usage(here, d, text("tradeTableName"), sign)
	usage.express, usage.other = d.Express, &other
	return d, usage, err
}

// moment is a clock that is set to shortly after each trade: its latency is then as long in a log line as that of a trade of
// today, and no calendar ends by the time the sample is run.
type moment struct {
	clock.Clock
	now time.Time
}

func (m *moment) Now() time.Time { return m.now }

// meter counts what happens while a run goes on.
type meter struct {
	mu      *sync.Mutex
	metrics map[string]bool
	chance  *rand.PCG // the same for each run, as some trades are traced by chance
	seeds   uint64
	counts
}

type counts struct{ bytes, lines, visits, executions int64 }

// now returns what has been counted so far.
func (m *meter) now() counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts
}

// seed begins a trade's chance. How much the one before it drew depends on time, if it failed.
func (m *meter) seed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seeds++
	m.chance.Seed(1, m.seeds)
}

// draw is the cloud's source of chance.
func (m *meter) draw() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.chance.Uint64()
}

// Write takes one log line.
func (m *meter) Write(line []byte) (int, error) {
	var read struct {
		Function string
		AWS      struct {
			CloudWatchMetrics []struct{ Metrics []struct{ Name string } }
		} `json:"_aws"`
	}
	if err := json.Unmarshal(line, &read); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += int64(len(line))
	m.lines++
	for _, directive := range read.AWS.CloudWatchMetrics {
		for _, metric := range directive.Metrics {
			m.metrics[read.Function+" "+metric.Name] = true
		}
	}
	return len(line), nil
}

func (m *meter) visit(v states.Visit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.visits += 1 + int64(v.Retries)
}

// usage sums up a run. What happens on the way is per execution, and what is written per record. The execution's ARN is longer
// so many times.
func (m *meter) usage(here *cloud.Cloud, d Definition, name string, longer int) (Usage, error) {
	table, err := here.Table(d.Region, name)
	if err != nil {
		return Usage{}, err
	}
	u := Usage{Metrics: len(m.metrics)}
	items := 0.0
	for item := range table.Items() {
		size := bytesOf(item, nil) + float64(longer*longerName)
		u.ItemBytes += size
		u.TableUnits += unitsOf(size)
		u.StoredBytes += size + storedBesides
		if status, ok := item["status"].(*types.AttributeValueMemberS); ok && status.Value == recorder.Rejected {
			u.Rejected++
		}
		for _, i := range d.Indexes {
			if _, in := item[i.key]; !in {
				continue
			}
			entry := bytesOf(item, i.attributes)
			u.IndexUnits += unitsOf(entry)
			u.StoredBytes += entry + storedBesides
		}
		if trade, ok := item["trade"].(*types.AttributeValueMemberS); ok {
			u.EventBytes += float64(len(trade.Value) + envelope)
		}
		items++
	}
	if items == 0 {
		return u, fmt.Errorf("no trade of stack %s was recorded", d.Stack)
	}
	for _, sum := range []*float64{&u.ItemBytes, &u.TableUnits, &u.IndexUnits, &u.StoredBytes, &u.EventBytes, &u.Rejected} {
		*sum /= items
	}
	started := float64(m.executions)
	u.Transitions = 1 + float64(m.visits)/started // the start counts too
	u.LogBytes = float64(m.bytes+m.lines*int64(longer*longerARN)) / started
	return u, nil
}

// envelope is as long as what EventBridge puts around a trade.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
const envelope = len(`{"version":"0","id":"944ad597-60a9-431d-b706-719b189e5909","detail-type":"Trade Event","source":"trading.system1",` +
	`"account":"123456789012","time":"2026-11-20T09:00:00Z","region":"us-east-1","resources":[],"detail":}`)

// storedBesides is what DynamoDB adds to an item and to an index entry where it bills what is stored, and to an item of a
// global table 48 more, which count for little.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
const storedBesides = 100

// bytesOf returns an item's size by DynamoDB's rules: of all its attributes, or of some.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func bytesOf(item map[string]types.AttributeValue, of map[string]bool) float64 {
	n := 0
	for name, value := range item {
		if of == nil || of[name] {
			n += len(name) + valueBytes(value)
		}
	}
	return float64(n)
}

func valueBytes(value types.AttributeValue) int {
	const element, container = 1, 3
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		digits := 0
		for _, c := range v.Value {
			if c >= '0' && c <= '9' {
				digits++
			}
		}
		return (digits+1)/2 + 1
	case *types.AttributeValueMemberL:
		n := container
		for _, one := range v.Value {
			n += element + valueBytes(one)
		}
		return n
	case *types.AttributeValueMemberM:
		n := container
		for name, one := range v.Value {
			n += element + len(name) + valueBytes(one)
		}
		return n
	}
	return 1 // true, false and null
}

// unitsOf returns the write units of so many bytes: one for each KiB or part of one.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html
func unitsOf(size float64) float64 { return float64((int(size) + 1023) / 1024) }
