// Package verify proves a deployment: it sends synthetic trades through a deployed stack, whatever endpoint serves it,
// and checks what becomes of them against what the system promises.
//
// It sees the stack as a producer and an auditor do, only through AWS's APIs, and knows nothing about the program but
// its outputs. The expected record is built here, not by the code that writes records: a verification that shared that
// code would share its mistakes.
package verify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
)

// Options are the settings of a verification.
type Options struct {
	Outputs operate.Outputs

	// Config has credentials and endpoints. Its region is replaced by the stack's.
	Config aws.Config

	// Timeout is how long each step waits. Default: 2 minutes.
	Timeout time.Duration

	// Watch is how long the alarms are watched, from the first trade on. CloudWatch evaluates most metrics once a
	// minute and gets them a little later. Default: 2 minutes; negative: look once.
	Watch time.Duration

	// Poll is the polling interval. Default: half a second.
	Poll time.Duration

	// Grace is how long the clean-up waits for messages on their way into a queue. Default: 45 seconds.
	Grace time.Duration

	// Delivery says whether to have a delivery fail, which needs a second target of a rule for a while.
	Delivery bool

	// Begin and End are called for each step, if not nil.
	Begin func(Step)
	End   func(Result)
}

const (
	defaultTimeout = 2 * time.Minute
	defaultWatch   = 2 * time.Minute
	defaultPoll    = 500 * time.Millisecond
	defaultGrace   = 45 * time.Second
)

// Step is one thing that is verified.
type Step struct {
	Name  string
	About string        // what it does, in the present participle
	Code  exitcode.Code // of a verification that first fails in this step
}

// The steps, in order.
var (
	Deployment = Step{"deployment", "looking for the stack's resources", exitcode.Usage}
	Send       = Step{"send", "sending a trade from each source", exitcode.NotSent}
	Recorded   = Step{"recorded", "waiting for the trades to be recorded", exitcode.NotRecorded}
	Fields     = Step{"fields", "comparing the records with the trades", exitcode.WrongRecord}
	Rejected   = Step{"rejected", "waiting for the invalid trade to be recorded as rejected", exitcode.NotRejected}
	Replicas   = Step{"replicas", "waiting for the replicas", exitcode.NotReplicated}
	Duplicate  = Step{"duplicate", "sending a trade again", exitcode.Doubled}
	Versions   = Step{"versions", "correcting a trade and cancelling it", exitcode.NotVersioned}
	Watching   = Step{"alarms", "watching the alarms", exitcode.AlarmRaised}
	DeadLetter = Step{"dead-letter", "sending a malformed trade", exitcode.NotDeadLettered}
	Delivery   = Step{"delivery", "having a delivery fail", exitcode.NotKept}
	Logs       = Step{"logs", "reading the state machine's logs", exitcode.NotLogged}
	Traces     = Step{"traces", "looking for the traces", exitcode.NotTraced}
	CleanUp    = Step{"clean-up", "removing what is left in the queues", exitcode.LeftBehind}
)

// Steps returns all steps in order.
func Steps() []Step {
	return []Step{Deployment, Send, Recorded, Fields, Rejected, Replicas, Duplicate, Versions, Watching, DeadLetter, Delivery, Logs, Traces, CleanUp}
}

// verification is one run.
type verification struct {
	Options
	run     string // marks the trades of this run: 16 hexadecimal digits
	clients *clients
	report  *Report

	began     time.Time
	alarms    map[string]bool // in ALARM before anything was sent
	trades    []*sent         // valid, one per source
	invalid   *sent
	again     *sent   // the first valid one, sent again
	versions  []*sent // of one trade: as executed, its correction and its cancel
	malformed *sent

	undelivered []*sent // the first valid one again, for a delivery that fails
	failing     string  // the rule that may have this run's target; empty: none

	found sync.Mutex // guards the letters of all trades while queues are searched
}

// Run verifies a deployment. Problems are in the report, including why a deployment couldn't be verified at all; if the
// context ends, the report is incomplete.
func Run(ctx context.Context, options Options) *Report {
	v := &verification{Options: options.withDefaults(), run: newRun(), began: time.Now()}
	v.clients = newClients(v.Config, v.Outputs)
	v.report = &Report{
		Run: v.run, Environment: v.Outputs.Environment, Region: v.Outputs.Region, Started: v.began.UTC().Truncate(time.Millisecond),
	}
	defer func() { v.report.Elapsed = Milliseconds(time.Since(v.began)) }()

	if v.step(ctx, Deployment, v.findDeployment) && v.step(ctx, Send, v.sendTrades) {
		recorded := v.step(ctx, Recorded, v.awaitRecords)
		v.stepIf(ctx, recorded, Fields, v.compareFields)
		rejected := v.step(ctx, Rejected, v.awaitRejection)
		v.stepIf(ctx, recorded && rejected, Replicas, v.awaitReplicas)
		v.stepIf(ctx, recorded, Duplicate, v.sendAgain)
		v.stepIf(ctx, recorded, Versions, v.sendVersions)
		v.step(ctx, Watching, v.watchAlarms)
		v.step(ctx, DeadLetter, v.sendMalformed)
		v.stepIf(ctx, recorded, Delivery, v.failDelivery)
		v.step(ctx, Logs, v.readLogs)
		v.stepIf(ctx, recorded, Traces, v.findTraces)
	}
	if ctx.Err() != nil {
		v.report.Interrupted = true
	}
	// Interrupting a verification should end it, but not leave messages that page somebody.
	v.step(context.WithoutCancel(ctx), CleanUp, v.cleanUp)
	v.skipRest()
	return v.report
}

func (o Options) withDefaults() Options {
	for _, setting := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&o.Timeout, defaultTimeout}, {&o.Watch, defaultWatch}, {&o.Poll, defaultPoll}, {&o.Grace, defaultGrace}} {
		if *setting.value == 0 {
			*setting.value = setting.fallback
		}
	}
	return o
}

// newRun returns a new run's mark.
func newRun() string {
	var random [8]byte
	rand.Read(random[:]) // it never fails, according to its documentation
	return hex.EncodeToString(random[:])
}

// step runs a step, records its outcome, and reports whether it passed.
func (v *verification) step(ctx context.Context, s Step, do func(context.Context, *Result) error) bool {
	if ctx.Err() != nil {
		return false
	}
	if v.Begin != nil {
		v.Begin(s)
	}
	result := Result{Step: s.Name, Outcome: Passed, code: s.Code}
	begun := time.Now()
	err := do(ctx, &result)
	result.Elapsed = Milliseconds(time.Since(begun))
	switch {
	case ctx.Err() != nil:
		result.Outcome, result.Problems = Skipped, nil
		result.Found = append(result.Found, "interrupted")
	case err != nil:
		result.problem("%v", operate.Explain(err, v.Outputs, "docs/verify.md lists everything a verification needs"))
	}
	v.end(result)
	return result.Outcome == Passed
}

// stepIf runs a step only if the earlier ones it depends on have passed.
func (v *verification) stepIf(ctx context.Context, sensible bool, s Step, do func(context.Context, *Result) error) {
	if sensible {
		v.step(ctx, s, do)
	}
}

func (v *verification) end(result Result) {
	v.report.Steps = append(v.report.Steps, result)
	if v.End != nil {
		v.End(result)
	}
}

// skipRest records the steps that weren't run, and puts all of them in order.
func (v *verification) skipRest() {
	order := map[string]int{}
	for i, s := range Steps() {
		order[s.Name] = i
		if !slices.ContainsFunc(v.report.Steps, func(r Result) bool { return r.Step == s.Name }) {
			v.report.Steps = append(v.report.Steps, Result{
				Step: s.Name, Outcome: Skipped, Found: []string{"an earlier step failed, or the verification was interrupted"}, code: s.Code,
			})
		}
	}
	slices.SortStableFunc(v.report.Steps, func(a, b Result) int { return order[a.Step] - order[b.Step] })
}

// errTimeout means that a wait was in vain.
var errTimeout = errors.New("timed out")

// await polls until something is there or the timeout passes. In that case it returns errTimeout.
func (v *verification) await(ctx context.Context, timeout time.Duration, look func(context.Context) (bool, error)) error {
	deadline := time.Now().Add(timeout)
	for {
		found, err := look(ctx)
		if err != nil || found {
			return err
		}
		if time.Until(deadline) <= 0 {
			return errTimeout
		}
		if err := pause(ctx, min(v.Poll, time.Until(deadline))); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// latency records how long something took.
func (v *verification) latency(what string, d time.Duration) {
	v.report.Latencies = append(v.report.Latencies, Latency{what, Milliseconds(d)})
}

func list(items []string) string { return strings.Join(items, ", ") }
