// Package localrun sends trades through a deployed stack on the local cloud and accounts for every one of them.
package localrun

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"trade-processing/internal/feed"
	"trade-processing/internal/report"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/trade"
	"trade-processing/local/cloud"
)

// DefaultConcurrency is how many events are in flight at once. It is larger than the number of cores, because a waiting
// retry occupies a place, but not much larger, because the others would only wait for a core.
const DefaultConcurrency = 16

// Grace is how long trades in flight may still take when a run is interrupted.
const Grace = time.Second

// Pipeline is a deployed stack to send trades to.
type Pipeline struct {
	Cloud       *cloud.Cloud
	Region      string // the primary region
	Bus         string // name of the event bus
	Table       string // name of the trade table
	Concurrency int    // default DefaultConcurrency
}

// Process sends every entry of the feed and counts what becomes of it. When ctx ends it stops sending, waits up to
// Grace for those in flight, and returns the reason; the collector still accounts for everything that was sent.
func (p Pipeline) Process(ctx context.Context, f *feed.Feed, collector *report.Collector) error {
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(Grace, func() { stop(context.Cause(ctx)) })
	})()

	go p.Cloud.WatchAlarms(running)

	workers := p.Concurrency
	if workers <= 0 {
		workers = DefaultConcurrency
	}
	// Batches keep the handover cheap: at ten thousand trades a second, a channel operation for each would cost a tenth
	// of the time.
	batches := make(chan []feed.Entry, workers)
	failures := make(chan error, workers)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for batch := range batches {
				for _, entry := range batch {
					if running.Err() != nil {
						break
					}
					if err := p.send(running, entry, collector); err != nil {
						select {
						case failures <- err:
						default: // one is enough to end the run
						}
						stop(err)
					}
				}
			}
		})
	}

	const size = 16
	batch := make([]feed.Entry, 0, size)
	for entry, problem := range f.Entries(ctx) {
		if running.Err() != nil {
			break
		}
		if problem != nil {
			collector.Problem(problem)
			continue
		}
		if batch = append(batch, entry); len(batch) == size {
			batches <- batch
			batch = make([]feed.Entry, 0, size)
		}
	}
	batches <- batch
	close(batches)
	working.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return context.Cause(ctx)
	}
}

// send puts one event on the bus and counts its outcome. The error is never caused by a trade.
func (p Pipeline) send(ctx context.Context, entry feed.Entry, collector *report.Collector) error {
	begun := time.Now()
	receipt, err := p.Cloud.PutEvent(ctx, p.Region, p.Bus, cloud.Entry{
		Source: entry.Source, DetailType: entry.DetailType, Detail: entry.Detail,
		Time: entry.Time, Resources: entry.Resources, TraceHeader: entry.TraceHeader,
	})
	if refusal, ok := errors.AsType[*cloud.Refusal](err); ok {
		collector.Problem(&feed.Problem{Kind: feed.Refused, File: entry.File, Line: entry.Line, Reason: refusal.Error()})
		return nil
	}
	if ctx.Err() != nil && err != nil {
		collector.Received() // nobody knows what became of it: it is unfinished
	}
	if err != nil {
		return fmt.Errorf("%s:%d: %w", entry.File, entry.Line, err)
	}
	if cause, archived := onlyArchived(receipt); archived {
		collector.Problem(&feed.Problem{Kind: feed.Refused, File: entry.File, Line: entry.Line, Reason: cause +
			", and so does a queue: only the archive has the event; see docs/trades.md#sizes"})
		return nil
	}
	collector.Received()
	collector.Stage(report.EndToEnd, time.Since(begun))
	return p.count(receipt, entry.Detail, collector)
}

// onlyArchived says why an event is only in the bus's archive: it is too large for an execution, and for the queue of
// what can't be delivered.
func onlyArchived(receipt cloud.Receipt) (cause string, archived bool) {
	for _, delivery := range receipt.Deliveries {
		if delivery.Failure == nil || delivery.Failure.Name != cloud.InvalidExecutionInput || len(delivery.DeadLetters) > 0 {
			return "", false
		}
		cause = delivery.Failure.Cause
	}
	return cause, cause != ""
}

// count records what became of an event. An event that several rules match, or several branches fail on, is still one
// trade: its most significant delivery counts, dead letters first; of several, the one in the first queue by name, as
// in an Inventory. An unknown answer counts as no outcome, so the run doesn't reconcile.
func (p Pipeline) count(receipt cloud.Receipt, detail []byte, collector *report.Collector) error {
	if len(receipt.Deliveries) == 0 {
		collector.NotMatched()
		return nil
	}
	var letters []cloud.DeadLetter
	var answers []recorder.Response
	for _, delivery := range receipt.Deliveries {
		letters = append(letters, delivery.DeadLetters...)
		if delivery.Failure != nil {
			continue
		}
		var read recorder.Response
		if json.Unmarshal(delivery.Output, &read) == nil {
			answers = append(answers, read)
		}
	}
	if len(letters) > 0 {
		first := slices.MinFunc(letters, func(a, b cloud.DeadLetter) int { return cmp.Compare(a.Queue, b.Queue) })
		collector.DeadLettered(first.Queue, first.Error)
		return nil
	}
	for _, outcome := range []string{recorder.OutcomeRecorded, recorder.OutcomeDuplicate, recorder.OutcomeDuplicateRejected} {
		if at := slices.IndexFunc(answers, func(a recorder.Response) bool { return a.Outcome == outcome }); at >= 0 {
			return p.answered(answers[at], receipt.EventID, detail, collector)
		}
	}
	return nil
}

// answered counts an outcome, and looks up whether the table confirms it: the item that the answer names holds this
// very trade and, if it was written now, this event.
func (p Pipeline) answered(answer recorder.Response, event string, detail []byte, collector *report.Collector) error {
	table, err := p.Cloud.Table(p.Region, p.Table)
	if err != nil {
		return err
	}
	status, mine := recorder.Recorded, false
	switch answer.Outcome {
	case recorder.OutcomeDuplicate:
		collector.Duplicate()
	case recorder.OutcomeDuplicateRejected:
		collector.DuplicateRejection()
		status = recorder.Rejected
	default:
		mine = true
		status = answer.Status
		written(answer, collector)
	}
	item, found := table.Entry(answer.TradeID, answer.Version)
	sent, err := trade.Parse(detail)
	if !found || err != nil {
		return nil //nolint:nilerr // what is no trade has no place in the table
	}
	canonical := sent.Canonical()
	its := item.Texts("trade", "digest", "status", "eventId", "execution")
	if its[0] != string(canonical) || its[1] != trade.DigestOf(canonical) || its[2] != status {
		return nil
	}
	switch {
	case !mine:
		collector.BorneOut(0)
	case recorder.EventID(its[3], its[4]) == event:
		collector.BorneOut(item.Sum())
	}
	return nil
}

// written counts a trade that the recorder wrote.
func written(answer recorder.Response, collector *report.Collector) {
	switch {
	case answer.Status == recorder.Rejected:
		collector.Rejected(answer.Violations)
	case answer.Action == string(trade.Correct):
		collector.Correction()
	case answer.Action == string(trade.Cancel):
		collector.Cancel()
	default:
		collector.Recorded()
	}
}
