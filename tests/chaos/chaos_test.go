// Package chaos_test runs seeds of the simulation, and shows that each of its invariants can fail.
package chaos_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/chaos"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/queue"
)

const trades = 200

var deployment = sync.OnceValues(func() (*chaos.Deployment, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	return chaos.Deploy(context.Background(), root)
})

func run(t *testing.T, options chaos.Options) *chaos.Result {
	t.Helper()
	d, err := deployment()
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Run(t.Context(), options)
	if err != nil {
		t.Fatalf("%s: %v", options.Command(), err)
	}
	return r
}

func TestSeeds(t *testing.T) {
	for seed := range uint64(24) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			options := chaos.Options{Seed: seed, Trades: trades}
			if r := run(t, options); len(r.Violations) > 0 {
				t.Errorf("%s\n%s", options.Command(), strings.Join(r.Violations, "\n"))
			}
		})
	}
}

// A run on a busy machine, beside others, does what it does alone.
func TestASeedIsATrace(t *testing.T) {
	for seed := range uint64(4) {
		traces := make([]bytes.Buffer, 3)
		var running sync.WaitGroup
		for i := range traces {
			running.Go(func() { run(t, chaos.Options{Seed: seed, Trades: trades, Trace: &traces[i]}) })
		}
		running.Wait()
		for i := range traces {
			if traces[i].Len() < 100_000 || !bytes.Equal(traces[i].Bytes(), traces[0].Bytes()) {
				t.Errorf("seed %d: traces of %d and %d bytes differ", seed, traces[0].Len(), traces[i].Len())
			}
		}
	}
}

// A seed that fails is shrunk to the fault and the event that it takes, and the command that is printed fails, too.
func TestAFailingSeedIsShrunk(t *testing.T) {
	d, err := deployment()
	if err != nil {
		t.Fatal(err)
	}
	failing := chaos.Options{Seed: 5, Trades: 20, Sabotage: chaos.Sabotage{Function: instead(recorder.Name, forgetful)}}
	shrunk, err := d.Shrink(t.Context(), failing, "places")
	if err != nil {
		t.Fatal(err)
	}
	if len(shrunk.Events) != 1 || len(shrunk.Faults) != 0 || !strings.HasPrefix(shrunk.Command(), "tradectl chaos --seed 5 --trades 20 --events ") {
		t.Errorf("got %s", shrunk.Command())
	}
	if r := run(t, shrunk); len(r.Violations) == 0 || r.Events != 1 {
		t.Errorf("%s: %v", shrunk.Command(), r.Violations)
	}
}

type handler func(context.Context, []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

// instead replaces a function by another that may call it.
func instead(function string, with func(lambda.Handler) handler) func(string, lambda.Handler) lambda.Handler {
	return func(name string, own lambda.Handler) lambda.Handler {
		if name != function {
			return own
		}
		return with(own)
	}
}

// forgetful is a recorder that writes nothing and says it did.
func forgetful(lambda.Handler) handler {
	return func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"outcome":"RECORDED","status":"RECORDED","digest":"00"}`), nil
	}
}

// changing is a recorder that gets another text than was sent.
func changing(old, instead string) func(lambda.Handler) handler {
	return func(own lambda.Handler) handler {
		return func(ctx context.Context, payload []byte) ([]byte, error) {
			return own.Invoke(ctx, bytes.Replace(payload, []byte(old), []byte(instead), 1))
		}
	}
}

const (
	region = "us-east-1"
	prefix = "trade-processing-local-"
	table  = prefix + "trades"
)

// rewrite changes the first record in the table.
func rewrite(change func(map[string]types.AttributeValue)) func(*cloud.Cloud) {
	return func(here *cloud.Cloud) {
		trades, err := here.Table(region, table)
		if err != nil {
			panic(err)
		}
		for item := range trades.Items() {
			change(item)
			if _, err := here.Services(region).DynamoDB.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}); err != nil {
				panic(err)
			}
			return
		}
	}
}

// letters takes every letter out of the queues and lets something else be sent instead.
func letters(instead func(body string) string) func(*cloud.Cloud) {
	return func(here *cloud.Cloud) {
		ctx := context.Background()
		for name := range here.QueueDepths(region) {
			from, err := here.Queue(region, name)
			if err != nil {
				panic(err)
			}
			messages, _ := from.Receive(ctx, 10, nil)
			for _, message := range messages {
				_ = from.Acknowledge(ctx, message.Receipt)
				if body := instead(message.Body); body != "" {
					_, _ = from.Send(ctx, queue.Draft{Body: body})
				}
			}
		}
	}
}

// property changes a property of the resources whose names end like this.
func property(typ, end, name string, value func(any) any) func(*cloud.Cloud) {
	return func(here *cloud.Cloud) {
		changed := false
		defer func() {
			if !changed {
				panic(typ + " " + end + " changes nothing")
			}
		}()
		for _, r := range here.Resources() {
			if r.Type != typ || !strings.HasSuffix(r.Name, end) || r.Region != region {
				continue
			}
			inputs := cloud.Properties{}
			text, _ := json.Marshal(r.Inputs)
			_ = json.Unmarshal(text, &inputs)
			if inputs[name] = value(inputs[name]); inputs[name] == nil {
				delete(inputs, name)
			}
			if _, err := here.Update(r.Type, r.Region, r.ID, inputs); err != nil {
				panic(err)
			}
			changed = true
		}
	}
}

const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm"

func number(n float64) func(any) any { return func(any) any { return n } }

// Each invariant notices what it is there for: one thing that is lost, doubled, altered or misrouted.
func TestEachInvariantCanFail(t *testing.T) {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	times := 0
	for name, tc := range map[string]struct {
		invariant string
		sabotage  chaos.Sabotage
		trades    int
		seed      uint64
	}{
		"a recorder writes nothing":         {invariant: "places", sabotage: chaos.Sabotage{Function: instead(recorder.Name, forgetful)}},
		"the archive gets no events":        {invariant: "archive", sabotage: chaos.Sabotage{Deployed: property("aws:cloudwatch/eventArchive:EventArchive", "", "eventPattern", func(any) any { return `{"source": ["none"]}` })}},
		"letters are lost":                  {invariant: "places", sabotage: chaos.Sabotage{Late: letters(func(string) string { return "" })}},
		"a letter is nobody's":              {invariant: "places", sabotage: chaos.Sabotage{Late: letters(func(string) string { return `{"event":{"id":"x"}}` })}},
		"a recorder writes another amount":  {invariant: "contents", sabotage: chaos.Sabotage{Function: instead(recorder.Name, changing(`"amount":"`, `"amount":"1`))}},
		"a recorder takes another source's": {invariant: "contents", sabotage: chaos.Sabotage{Function: instead(recorder.Name, changing(`"source":"trading.system1"`, `"source":"trading.system2"`))}},
		"a record is doubled":               {invariant: "contents", sabotage: chaos.Sabotage{Late: rewrite(func(item map[string]types.AttributeValue) { item["tradeId"] = text("another") })}},
		"a record changes":                  {invariant: "records", sabotage: chaos.Sabotage{Early: rewrite(func(item map[string]types.AttributeValue) { item["recordedAt"] = text("2026-01-01T00:00:00Z") })}},
		"a digest stands for something else": {invariant: "digests", sabotage: chaos.Sabotage{Late: rewrite(func(item map[string]types.AttributeValue) {
			item["tradeId"], item["trade"] = text("another"), text(`{"tradeId":"another"}`)
		})}},
		"a record isn't found as it was sent": {invariant: "found", sabotage: chaos.Sabotage{Late: rewrite(func(item map[string]types.AttributeValue) { item["digest"] = text("00") })}},
		"letters are altered":                 {invariant: "letters", sabotage: chaos.Sabotage{Late: letters(func(body string) string { return strings.Replace(body, `"amount":"`, `"amount":"1`, 1) })}},
		"a redrive writes nothing": {seed: 19, invariant: "letters", sabotage: chaos.Sabotage{Late: property("aws:sfn/stateMachine:StateMachine", "", "definition", func(definition any) any {
			return strings.ReplaceAll(definition.(string), "recorder:live", "enricher:live")
		})}},
		"an alarm keeps silent":    {invariant: "alarms", sabotage: chaos.Sabotage{Deployed: property(alarmType, "errors", "threshold", number(1e9))}},
		"an alarm cries wolf":      {invariant: "alarms", sabotage: chaos.Sabotage{Deployed: property(alarmType, "throttles", "threshold", number(-1))}},
		"a replica gets no writes": {invariant: "replicas", sabotage: chaos.Sabotage{Fault: delayed("dynamodb", "Replicate", 1000*time.Hour)}},
		"a state is retried too often": {invariant: "bounds", sabotage: chaos.Sabotage{
			Deployed: property("aws:sfn/stateMachine:StateMachine", "", "definition", func(definition any) any {
				return strings.ReplaceAll(definition.(string), `"MaxAttempts":3`, `"MaxAttempts":30`)
			}),
			Fault: func(call fault.Call) fault.Fault {
				if call.Service == "dynamodb" && call.Operation == "PutItem" {
					return fault.Fault{Err: &types.InternalServerError{Message: aws.String("try again")}}
				}
				return fault.Fault{}
			},
		}},
		"more calls run at once than are reserved": {trades: 800, invariant: "bounds", sabotage: chaos.Sabotage{
			Deployed: property("aws:lambda/function:Function", "recorder-function", "reservedConcurrentExecutions", func(any) any { return nil }),
			Fault:    delayed("dynamodb", "PutItem", 15*time.Second),
		}},
		"saved bytes flip": {seed: 8, invariant: "saved", sabotage: chaos.Sabotage{Saved: func(written []byte) {
			for at := len(written) / 10; at < len(written); at += len(written) / 10 {
				written[at] ^= 1
			}
		}}},
		"a fault of one source hits another's trade": {invariant: "isolated", sabotage: chaos.Sabotage{Fault: func(call fault.Call) fault.Fault {
			if call.Service != "lambda" || !strings.Contains(call.Key, "trading.system2") {
				return fault.Fault{}
			}
			times++
			if times%10 != 0 {
				return fault.Fault{}
			}
			return fault.Fault{Err: errors.New("meant for system1")}
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, chaos.Options{Seed: cmp.Or(tc.seed, 1), Trades: cmp.Or(tc.trades, trades), Sabotage: tc.sabotage})
			for _, violation := range r.Violations {
				if strings.HasPrefix(violation, tc.invariant+":") {
					return
				}
			}
			t.Errorf("nobody noticed; %d other violations %.300v", len(r.Violations), r.Violations)
		})
	}
}

// delayed makes calls of an operation slow.
func delayed(service, operation string, d time.Duration) func(fault.Call) fault.Fault {
	return func(call fault.Call) fault.Fault {
		if call.Service == service && call.Operation == operation {
			return fault.Fault{Delay: d}
		}
		return fault.Fault{}
	}
}
