// Package pipeline_test sends trades through stack local, deployed in this process: the whole program, all its
// functions and the embedded local cloud.
package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/feed"
	"trade-processing/internal/localrun"
	"trade-processing/internal/report"
	"trade-processing/internal/sample"
	"trade-processing/local/cloud"
	"trade-processing/local/table"
	"trade-processing/tests/deployed"
)

// root is the project's folder.
const root = "../.."

const region = "us-east-1"

// Names of stack local's resources.
const (
	busName   = "trade-processing-local"
	tableName = "trade-processing-local-trades"

	validatorQueue = "trade-processing-local-validator-dead-letters"
	enricherQueue  = "trade-processing-local-enricher-dead-letters"
	recorderQueue  = "trade-processing-local-recorder-dead-letters"
)

// system is stack local, live on its own cloud.
type system struct {
	t        testing.TB
	cloud    *cloud.Cloud
	pipeline localrun.Pipeline
}

const haste = 100 // of the clock

// deploy brings the stack up.
func deploy(t testing.TB, options cloud.Options) *system { return deployWith(t, options, nil) }

// deployWith brings the stack up with other values for keys of its config.
func deployWith(t testing.TB, options cloud.Options, settings map[string]string) *system {
	t.Helper()
	if options.Images == nil {
		options.Images = localrun.Images()
	}
	if options.Clock == nil {
		options.Clock = deployed.Hasty(haste)
	}
	return deployOn(t, cloud.New(options), settings)
}

// deployOn brings the stack up on a cloud.
func deployOn(t testing.TB, here *cloud.Cloud, settings map[string]string) *system {
	t.Helper()
	deployed.On(t, here, root, "local", settings)
	return &system{t: t, cloud: here, pipeline: localrun.Pipeline{Cloud: here, Region: region, Bus: busName, Table: tableName}}
}

// process sends a feed through the system and reports.
func (s *system) process(ctx context.Context, f *feed.Feed) (*report.Report, error) {
	s.t.Helper()
	collector := localrun.NewCollector()
	before, err := s.pipeline.Take()
	if err != nil {
		s.t.Fatal(err)
	}
	processed := s.pipeline.Process(ctx, f, collector)
	r, err := s.pipeline.Report(context.WithoutCancel(ctx), collector, before, report.Run{Lines: f.Lines(), Interrupted: ctx.Err() != nil})
	if err != nil {
		s.t.Fatal(err)
	}
	return r, processed
}

// run sends lines through the system, and expects all of them to be accounted for.
func (s *system) run(lines ...string) *report.Report {
	s.t.Helper()
	return s.reconciled(feedOf(lines...))
}

func feedOf(lines ...string) *feed.Feed {
	return feed.FromReader("lines", strings.NewReader(strings.Join(lines, "\n")))
}

func (s *system) reconciled(f *feed.Feed) *report.Report {
	s.t.Helper()
	r, err := s.process(s.t.Context(), f)
	if err != nil {
		s.t.Fatal(err)
	}
	if !r.Reconciles {
		s.t.Errorf("it does not reconcile: %s", summary(r))
	}
	if outcomes := r.Recorded + r.Rejected + r.Duplicates + r.DuplicateRejections + r.DeadLettered + r.NotMatched; outcomes != r.Received {
		s.t.Errorf("%d came in and %d came out: %s", r.Received, outcomes, summary(r))
	}
	if r.Received+r.Input.Refused != r.Input.Lines {
		s.t.Errorf("of %d lines %d were received and %d refused", r.Input.Lines, r.Received, r.Input.Refused)
	}
	return r
}

// summary returns a report's outcomes in one line.
func summary(r *report.Report) string {
	var failed []report.Check
	for _, check := range r.Checks {
		if !check.Holds() {
			failed = append(failed, check)
		}
	}
	return fmt.Sprintf("received %d, recorded %d, rejected %d %v, duplicates %d and %d of rejected, dead letters %d %v, not matched %d; refused %d; failed checks %v",
		r.Received, r.Recorded, r.Rejected, r.RejectedByCode, r.Duplicates, r.DuplicateRejections, r.DeadLettered, r.DeadLetters, r.NotMatched, r.Input.Refused, failed)
}

func (s *system) table() *table.Table {
	s.t.Helper()
	found, err := s.cloud.Table(region, tableName)
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// perRun are the attributes that say which run and event wrote an item, and what had come before it; all others follow
// from the trade.
var perRun = []string{"replacedMissing", "recordedAt", "eventId", "eventTime", "execution", "traceId"}

// digest returns the same for the same trades.
func (s *system) digest() string { return s.table().Digest(perRun...) }

// trades returns the canonical texts in the table by key.
func (s *system) trades() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for item := range s.table().Items() {
		key := item["tradeId"].(*types.AttributeValueMemberS).Value + " " + item["version"].(*types.AttributeValueMemberS).Value
		all[key] = item["trade"].(*types.AttributeValueMemberS).Value
	}
	return all
}

// letters returns the bodies in a queue, in the order of their arrival.
func (s *system) letters(queue string) []string {
	s.t.Helper()
	found, err := s.cloud.Queue(region, queue)
	if err != nil {
		s.t.Fatal(err)
	}
	var bodies []string
	for message := range found.Messages() {
		bodies = append(bodies, message.Body)
	}
	return bodies
}

// linesOf returns a sample's entries.
func linesOf(t testing.TB, seed uint64, count int) (lines []string, expected sample.Expectation) {
	t.Helper()
	generator, err := sample.New(seed, count)
	if err != nil {
		t.Fatal(err)
	}
	for line := range generator.Lines() {
		lines = append(lines, strings.TrimSuffix(string(line), "\n"))
	}
	return lines, generator.Expect()
}

// aTrade returns an entry with a detail, of system1.
func aTrade(detail string) string {
	return `{"Source": "trading.system1", "DetailType": "Trade Event", "Detail": ` + detail + `}`
}

// wants compares a report with what it should be.
func wants(t testing.TB, expected sample.Expectation, r *report.Report) {
	t.Helper()
	if differences := expected.Compare(r); len(differences) > 0 {
		slices.Sort(differences)
		t.Errorf("seed %d:\n%s", expected.Seed, strings.Join(differences, "\n"))
	}
}
