package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/tidwall/gjson"

	"trade-processing/internal/localrun"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/states"
	"trade-processing/local/table"
)

// world is a run in progress.
type world struct {
	*Deployment
	options Options
	clock   *clock.Scheduler
	random  func() uint64
	cloud   *cloud.Cloud
	events  []*event // by number
	faults  []Fault

	mu       sync.Mutex // a function may read its parameters in a goroutine of its own
	trace    io.Writer
	over     bool           // no more faults
	own      bool           // the call is this package's
	calls    map[string]int // that are alike
	injected int
	hit      map[string]bool // kinds of faults that hit a call
	running  int             // calls of the recorder
	peak     int
	failed   map[string]int  // calls of functions that ended in errors
	slow     map[string]bool // functions with a call near their timeout

	seen       map[string]item // items by key, as they were when last seen
	replaced   map[string]bool // keys of items that the other region wrote, too
	violations []string
}

// Run runs a seed. The error is never caused by what the pipeline does.
func (d *Deployment) Run(ctx context.Context, options Options) (*Result, error) {
	chance := rand.New(rand.NewPCG(options.Seed, 3))
	w := &world{
		Deployment: d, options: options, clock: clock.NewScheduler(begin, chance.IntN),
		calls: map[string]int{}, hit: map[string]bool{}, failed: map[string]int{}, slow: map[string]bool{},
		seen: map[string]item{}, replaced: map[string]bool{}, trace: options.Trace, over: true,
	}
	if w.trace == nil {
		w.trace = io.Discard
	}
	w.random = chance.Uint64
	w.cloud = w.empty()
	defer w.cloud.Close() //nolint:errcheck // it is in memory
	w.events = trades(options.Seed, options.Trades)
	for _, f := range plan(options.Seed) {
		if options.Faults == nil || slices.Contains(options.Faults, f.Number) {
			w.faults = append(w.faults, f)
		}
	}
	var problem error
	stuck := w.clock.Run(func() {
		if problem = w.cloud.Load(bytes.NewReader(d.saved), int64(len(d.saved))); problem == nil {
			w.live(ctx)
		}
	})
	result := &Result{
		Violations: w.violations, Faults: w.faults, Injected: w.injected,
	}
	for _, e := range w.events {
		if e.sent {
			result.Events++
		}
	}
	if problem == nil && ctx.Err() != nil {
		problem = context.Cause(ctx)
	}
	return result, errors.Join(problem, stuck)
}

// empty returns a cloud without anything in it.
func (w *world) empty() *cloud.Cloud {
	images := map[string]cloud.Image{}
	for name, image := range localrun.Images() {
		images[name] = w.image(name, image)
	}
	return cloud.New(cloud.Options{
		Clock: w.clock, Random: w.random, Faults: w.fault, Images: images, Logs: w.trace, Observe: w.observe, Archive: true,
	})
}

// live is the run: events and faults, the checks, the redrive, and the checks again.
func (w *world) live(ctx context.Context) {
	sabotage := w.options.Sabotage
	if sabotage.Deployed != nil {
		sabotage.Deployed(w.cloud)
	}
	w.over = false
	var ended []chan struct{}
	for _, e := range w.events {
		if w.options.Events != nil && !slices.Contains(w.options.Events, e.number) {
			continue
		}
		ended = append(ended, w.task(func() {
			_ = w.clock.Sleep(ctx, e.at)
			w.send(ctx, e)
		}))
	}
	watching, stop := context.WithCancel(ctx)
	watched := w.task(func() { w.watch(watching) })
	for _, each := range ended {
		w.clock.Wait(each)
	}
	for _, f := range w.faults { // let each end, and alarms see it
		_ = w.clock.Sleep(ctx, begin.Add(f.From+f.For).Sub(w.clock.Now()))
	}
	w.over = true
	_ = w.clock.Sleep(ctx, 2*time.Minute)
	stop()
	w.clock.Wait(watched)
	if sabotage.Late != nil {
		sabotage.Late(w.cloud)
	}
	w.look()
	w.checkPlaces(ctx)
	w.checkAlarms()
	w.redrive(ctx)
	w.look()
	w.checkReplicas(ctx)
	w.checkSaved(ctx)
}

// task starts a task and returns what is closed at its end.
func (w *world) task(f func()) chan struct{} {
	ended := make(chan struct{})
	w.clock.Go(func() {
		defer close(ended)
		f()
	})
	return ended
}

// mark is the beginning of the resource by which an event is known again.
const mark = "chaos/"

func (w *world) send(ctx context.Context, e *event) {
	receipt, err := w.cloud.PutEvent(ctx, w.region, w.bus, cloud.Entry{
		Source: "trading." + e.source, DetailType: "Trade Event", Detail: json.RawMessage(e.detail), Resources: []string{mark + strconv.Itoa(e.number)},
	})
	if err != nil {
		w.violate(places, "the bus refused event %d: %v", e.number, err)
		return
	}
	e.sent, e.id = true, receipt.EventID
	for _, delivery := range receipt.Deliveries {
		e.ended(delivery)
	}
	w.say("event %d (%s): %+v", e.number, e.id, e.outcomes)
}

func (e *event) ended(delivery cloud.Delivery) {
	o := outcome{execution: delivery.Execution != "", answer: string(delivery.Output), kept: len(delivery.DeadLetters)}
	if delivery.Failure != nil {
		o.failure, o.stopped = delivery.Failure.Name, delivery.Failure.Stopped
	}
	e.outcomes = append(e.outcomes, o)
}

// watch evaluates the alarms every minute, checks now and then, and writes in the other region if the plan says so.
func (w *world) watch(ctx context.Context) {
	for minute := 1; w.clock.Sleep(ctx, time.Minute) == nil; minute++ {
		w.cloud.EvaluateAlarms()
		if minute == 2 || minute == 5 || minute%60 == 0 {
			w.look()
		}
		if minute == 2 && w.options.Sabotage.Early != nil {
			w.options.Sabotage.Early(w.cloud)
		}
		w.writeElsewhere(ctx)
	}
}

// writeElsewhere lets the recorder of the other region write trades that haven't arrived there: with their contents,
// and what is its own.
func (w *world) writeElsewhere(ctx context.Context) {
	if !slices.ContainsFunc(w.faults, func(f Fault) bool { return f.Kind == replicaWrites && f.active(w.clock.Now().Sub(begin)) }) {
		return
	}
	trades, err := w.cloud.Table(w.region, w.table)
	if err != nil {
		return
	}
	for _, replica := range w.cloud.Replicas(w.table) {
		there := w.items(replica.Table)
		for attributes := range trades.Items() {
			key := table.Text(attributes, "tradeId") + " " + table.Text(attributes, "version")
			arrived := slices.ContainsFunc(there, func(i item) bool { return i.key == key })
			if arrived || roll(w.options.Seed, "elsewhere", key) > 0.3 {
				continue
			}
			attributes["recordedAt"] = &types.AttributeValueMemberS{Value: w.clock.Now().UTC().Format(time.RFC3339)}
			w.own = true
			_, err := replica.Table.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(w.table), Item: attributes})
			w.own = false
			if err != nil {
				w.violate(replicas, "the other region can't write: %v", err)
			}
			w.replaced[key] = true
		}
	}
}

// image returns a function whose clock may be off, and whose calls are counted.
func (w *world) image(name string, image cloud.Image) cloud.Image {
	return func(environment function.Environment, services cloud.Services) (lambda.Handler, error) {
		now := environment.Now
		environment.Now = func() time.Time {
			at := now()
			for _, f := range w.faults {
				if f.Function == name && f.active(at.Sub(begin)) && !w.over {
					w.hit[skewed] = true
					return at.Add(f.Off)
				}
			}
			return at
		}
		handler, err := image(environment, services)
		if err != nil {
			return nil, err
		}
		if sabotage := w.options.Sabotage.Function; sabotage != nil {
			handler = sabotage(name, handler)
		}
		return counted{w, name, handler}, nil
	}
}

type counted struct {
	*world
	name    string
	handler lambda.Handler
}

// Invoke calls the function.
func (c counted) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	begun := c.clock.Now()
	if c.name == recorder.Name {
		c.running++
		c.peak = max(c.peak, c.running)
		defer func() { c.running-- }()
	}
	answer, err := c.handler.Invoke(ctx, payload)
	if err != nil || ctx.Err() != nil {
		c.failed[c.name]++
	}
	if c.clock.Now().Sub(begun) > 2*time.Second {
		c.slow[c.name] = true
	}
	return answer, err
}

// about finds the event that a call is about, and what tells it from other calls.
func (w *world) about(call fault.Call) (*event, string) {
	if call.Service == "dynamodb" || call.Service == "ssm" {
		for _, e := range w.events {
			if e.trade == call.Key && e.trade != "" {
				return e, call.Key
			}
		}
		return nil, call.Key
	}
	envelope := gjson.Parse(call.Key)
	execution := envelope.Get("executionArn").String()
	if inner := envelope.Get("event"); inner.Exists() {
		envelope = inner
	}
	number, err := strconv.Atoi(strings.TrimPrefix(envelope.Get("resources.0").String(), mark))
	if err != nil { // a letter that only names its event
		for _, e := range w.events {
			if e.document != "" && gjson.Get(e.document, "id").String() == envelope.Get("id").String() {
				return e, fmt.Sprint(e.number, " ", execution)
			}
		}
		return nil, execution
	}
	e := w.events[number]
	if call.Service == "kms" && e.document == "" {
		e.document = envelope.Raw
	}
	return e, fmt.Sprint(number, " ", execution)
}

// fault is the hook of the local cloud.
func (w *world) fault(call fault.Call) fault.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.own {
		return fault.Fault{}
	}
	e, about := w.about(call)
	alike := fmt.Sprint(call.Service, " ", call.Operation, " ", call.Resource, " ", about)
	w.calls[alike]++
	if w.over {
		return fault.Fault{}
	}
	source, shared := "", false
	if e != nil {
		source = e.source
		// A table's calls name the trade's id alone, which may be several sources'.
		shared = call.Service == "dynamodb" && slices.ContainsFunc(w.events, func(o *event) bool { return o.trade == e.trade && o.source != source })
	}
	if shared {
		source = "several"
	}
	f, kind := w.decide(call, source, about, w.calls[alike])
	if sabotage := w.options.Sabotage.Fault; sabotage != nil && kind == "" {
		if own := sabotage(call); own != (fault.Fault{}) {
			return own
		}
	}
	if kind != "" {
		w.injected++
		w.hit[kind] = true
		for _, o := range w.events {
			if o == e || e == nil || call.Service == "dynamodb" && o.trade == e.trade {
				o.touched = o.touched || call.Operation != "Replicate"
			}
		}
	}
	w.say("%s #%d: %s %s %v applied %v", alike, w.calls[alike], kind, f.Delay, f.Err, f.Applied)
	return f
}

func (w *world) observe(v states.Visit) {
	w.say("state %s left after %d retries: %v", v.State, v.Retries, v.Failure)
}

// say writes a line of the trace.
func (w *world) say(format string, args ...any) {
	if w.trace != io.Discard {
		fmt.Fprintf(w.trace, w.clock.Now().Format("02 15:04:05.000 ")+format+"\n", args...)
	}
}

func field(text, name string) string { return gjson.Get(text, name).String() }
