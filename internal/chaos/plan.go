package chaos

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	ssm "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/function"
	"trade-processing/local/states"
)

// Fault is one line of a seed's plan: what goes wrong, when, for how long, with which share of the calls.
type Fault struct {
	Number    int
	Kind      string
	From, For time.Duration
	Share     float64
	Source    string // only calls about its events; empty: all
	Function  string // whose clock is off
	Off       time.Duration

	kind kind
}

func (f Fault) String() string {
	text := fmt.Sprintf("%d: %s from %s for %s, %.0f %% of the calls", f.Number, f.Kind, f.From, f.For, 100*f.Share)
	if f.Source != "" {
		text += " about trades of " + f.Source
	}
	if f.Function != "" {
		text += fmt.Sprintf(", %s by %s", f.Function, f.Off)
	}
	return text
}

// kind is a kind of fault: the calls that it hits, by service and operation, and what becomes of them.
type kind struct {
	name    string
	hits    map[string]fault.Fault
	longest time.Duration
	whole   bool // it can't be limited to a source's trades
	random  bool // its delay is the longest; it is random
}

// kinds are all kinds of faults. The errors are those that the services document for the calls.
func kinds() []kind {
	call := func(typ, message string) error { return &function.Error{Type: typ, Message: message} }
	throttled := &dynamodb.ProvisionedThroughputExceededException{Message: aws.String("slow down")}
	broken := &dynamodb.InternalServerError{Message: aws.String("try again")}
	one := func(name, operation string, f fault.Fault) kind {
		return kind{name: name, hits: map[string]fault.Fault{operation: f}, longest: time.Hour}
	}
	reset := errors.New("connection reset by peer")
	start := func(code string, applied bool) fault.Fault {
		return fault.Fault{Err: awsapi.Error(code, "try again"), Applied: applied}
	}
	all := []kind{
		one("table throttled", "dynamodb PutItem", fault.Fault{Err: throttled}),
		one("table broken", "dynamodb PutItem", fault.Fault{Err: broken}),
		one("table's answer lost", "dynamodb PutItem", fault.Fault{Err: broken, Applied: true}),
		one("reads broken", "dynamodb GetItem", fault.Fault{Err: broken}),
		one("function throttled", "lambda Invoke", fault.Fault{Err: call("Lambda.TooManyRequestsException", "Rate Exceeded.")}),
		one("function broken", "lambda Invoke", fault.Fault{Err: call("Lambda.ServiceException", "try again")}),
		one("function's answer lost", "lambda Invoke", fault.Fault{Err: call("Sandbox.Timedout", "Task timed out"), Applied: true}),
		one("function fails for good", "lambda Invoke", fault.Fault{Err: call("InternalError", "as the plan wished")}),
		one("queue refuses", "sqs SendMessage", fault.Fault{Err: reset}),
		one("queue's answer lost", "sqs SendMessage", fault.Fault{Err: reset, Applied: true}),
		one("start throttled", "states StartExecution", start("ThrottlingException", false)),
		one("start's answer lost", "states StartExecution", start("InternalFailure", true)),
		one("bus can't use its key", "kms GenerateDataKey", start("KMSInvalidStateException", false)),
		{name: "table slow", hits: map[string]fault.Fault{"dynamodb PutItem": {Delay: 15 * time.Second}}, longest: time.Hour, random: true},
		{name: "function slow", hits: map[string]fault.Fault{"lambda Invoke": {Delay: 30 * time.Second}}, longest: time.Hour, random: true},
		{name: "queue slow", hits: map[string]fault.Fault{"sqs SendMessage": {Delay: 8 * time.Second}}, longest: time.Hour, random: true},
		{name: "executions aborted", hits: map[string]fault.Fault{
			"states StopExecution": {Delay: 3 * time.Second, Err: &states.Failure{Name: cloud.Aborted, Stopped: true}},
		}, longest: time.Hour, random: true},
		{name: "executions timed out", hits: map[string]fault.Fault{
			"states StopExecution": {Delay: 3 * time.Second, Err: &states.Failure{Name: states.TimedOut, Stopped: true}},
		}, longest: time.Hour, random: true},
		// DynamoDB goes on for five minutes with the keys it has in its cache (local/cloud's Opened), and then nobody calls it. SSM's
		// values are cached.
		{name: "key disabled", hits: map[string]fault.Fault{
			"lambda Invoke":         {Err: call("Lambda.KMSDisabledException", "the key is disabled")},
			"sqs SendMessage":       {Err: awsapi.Error("KMS.DisabledException", "the key is disabled")},
			"states StartExecution": start("KmsInvalidStateException", false),
		}, longest: time.Hour},
		{name: "functions inactive", hits: map[string]fault.Fault{
			"lambda Invoke": {Err: call("Lambda.ResourceNotReadyException", "The function is inactive.")},
		}, longest: 2 * time.Minute, whole: true},
		{name: "parameters unreadable", hits: map[string]fault.Fault{
			"ssm GetParametersByPath": {Err: &ssm.InternalServerError{Message: aws.String("try again")}},
		}, longest: time.Hour, whole: true},
		{name: cutOff, hits: map[string]fault.Fault{"dynamodb Replicate": {}}, longest: 6 * time.Hour, whole: true},
		{name: replicaWrites, hits: map[string]fault.Fault{"dynamodb Replicate": {}}, longest: 6 * time.Hour, whole: true},
		{name: skewed, longest: time.Hour, whole: true},
	}
	for i := range all {
		if _, starts := all[i].hits["states StartExecution"]; starts {
			all[i].longest = 30 * time.Hour
		}
	}
	return all
}

// The kinds that are more than the answer of a call: nothing arrives in a replica, the other region writes the same
// records meanwhile, and a function's clock is off.
const (
	cutOff        = "replica cut off"
	replicaWrites = "replica written to"
	skewed        = "clock off"
)

// plan draws a seed's faults. In every fourth, they hit the trades of one source only.
func plan(seed uint64) []Fault {
	chance := rand.New(rand.NewPCG(seed, 2))
	kinds := kinds()
	source := ""
	if seed%4 == 0 {
		source = sources[chance.IntN(len(sources))]
	}
	var faults []Fault
	for number := range 1 + chance.IntN(8) {
		k := kinds[chance.IntN(len(kinds))]
		if source != "" && k.whole {
			continue
		}
		f := Fault{Number: number, Kind: k.name, Source: source, kind: k, Share: 1}
		f.From = time.Duration(chance.Int64N(int64(span))).Round(time.Second)
		// Short ones are as likely as long ones.
		f.For = time.Duration(float64(time.Second) * math.Pow(k.longest.Seconds(), chance.Float64())).Round(time.Second)
		if !k.whole {
			f.Share = []float64{0.02, 0.2, 0.6, 1}[chance.IntN(4)]
		}
		if k.name == skewed {
			f.Function = []string{"validator", "enricher", "recorder"}[chance.IntN(3)]
			f.Off = time.Duration(chance.Int64N(int64(20*time.Minute)) - int64(10*time.Minute)).Round(time.Second)
		}
		faults = append(faults, f)
	}
	return faults
}

// active reports whether a fault is on so long after the beginning.
func (f Fault) active(since time.Duration) bool { return since >= f.From && since < f.From+f.For }

// roll returns a number in [0, 1) that follows from a seed and what it is for, so that leaving out a fault or a trade
// changes nothing for the others.
func roll(seed uint64, what ...any) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, seed, what) // a hash takes everything
	sum := h.Sum64()
	return float64(rand.New(rand.NewPCG(sum, sum)).Uint64()>>11) / (1 << 53)
}

// decide says what becomes of a call about a source's events; n counts the calls that are alike.
func (w *world) decide(call fault.Call, source, about string, n int) (fault.Fault, string) {
	since := w.clock.Now().Sub(begin)
	operation := call.Service + " " + call.Operation
	for _, f := range w.faults {
		hit, ok := f.kind.hits[operation]
		if !ok || !f.active(since) || f.Source != "" && f.Source != source {
			continue
		}
		chance := roll(w.options.Seed, f.Number, operation, call.Resource, about, n)
		if chance >= f.Share {
			continue
		}
		if f.kind.random {
			hit.Delay = time.Duration(roll(w.options.Seed, "delay", f.Number, about, n) * float64(hit.Delay))
		}
		if f.Kind == cutOff || f.Kind == replicaWrites {
			hit.Delay = f.From + f.For - since
		}
		return hit, f.Kind
	}
	switch {
	case call.Service == "ssm", call.Service == "kms", strings.HasPrefix(call.Operation, "Stop"), call.Operation == "Replicate":
		return fault.Fault{}, ""
	}
	return fault.Fault{Delay: time.Duration(1+roll(w.options.Seed, operation, call.Resource, about, n)*40) * time.Millisecond}, ""
}
