package sample

import (
	"fmt"
	"maps"
	"slices"

	"trade-processing/internal/report"
)

// Expectation is what a run of a sample into an empty table must report, to the trade. A second run of the same sample
// reports the recorded and duplicate trades as duplicates, the rejected ones as duplicates of rejected ones, and
// everything else as before.
type Expectation struct {
	Seed  uint64 `json:"seed"`
	Count int    `json:"count"`

	Received int64 `json:"received"` // by the bus: all entries
	Recorded int64 `json:"recorded"` // valid
	// Corrections and Cancels are among the recorded.
	Corrections int64 `json:"corrections"`
	Cancels     int64 `json:"cancels"`
	Rejected    int64 `json:"rejected"`   // recorded with violations
	Duplicates  int64 `json:"duplicates"` // recorded before
	// DuplicateRejections were rejected before.
	DuplicateRejections int64 `json:"duplicateRejections"`
	// Conflicts have the key of a previously recorded trade, but different content: TradeConflict.
	Conflicts  int64 `json:"conflicts"`
	Malformed  int64 `json:"malformed"`  // MalformedTrade
	NotMatched int64 `json:"notMatched"` // by any rule of the bus

	// RejectedByCode counts violations. A rejected trade has one or more.
	RejectedByCode map[string]int64 `json:"rejectedByCode"`
}

// Expect returns what a run must report. It takes no time: the numbers are planned, not counted.
func (g *Generator) Expect() Expectation {
	e := Expectation{Seed: g.seed, Count: g.count, Received: int64(g.count), RejectedByCode: make(map[string]int64)}
	kinds := kinds()
	for i, n := range plan(kinds, g.count) {
		switch kinds[i].outcome {
		case recorded:
			e.Recorded += n
		case corrected:
			e.Recorded, e.Corrections = e.Recorded+n, e.Corrections+n
		case cancelled:
			e.Recorded, e.Cancels = e.Recorded+n, e.Cancels+n
		case rejected:
			e.Rejected += n
		case duplicate:
			e.Duplicates += n
		case conflict:
			e.Conflicts += n
		case malformed:
			e.Malformed += n
		case notMatched:
			e.NotMatched += n
		}
		for _, code := range kinds[i].codes {
			if n > 0 {
				e.RejectedByCode[string(code)] += n
			}
		}
	}
	return e
}

// Again returns what the second run over the same sample must report.
func (e Expectation) Again() Expectation {
	e.Duplicates += e.Recorded
	e.DuplicateRejections += e.Rejected
	e.Recorded, e.Corrections, e.Cancels, e.Rejected, e.RejectedByCode = 0, 0, 0, 0, map[string]int64{}
	return e
}

// Compare returns a line for each number in a run's report that differs from the expectation.
func (e Expectation) Compare(r *report.Report) []string {
	var differences []string
	compare := func(what string, want, got int64) {
		if want != got {
			differences = append(differences, fmt.Sprintf("%s: want %d, got %d", what, want, got))
		}
	}
	letters := make(map[string]int64)
	for _, l := range r.DeadLetters {
		letters[l.Error] += l.Trades
	}
	compare("received", e.Received, r.Received)
	compare("recorded", e.Recorded, r.Recorded)
	compare("corrections", e.Corrections, r.Corrections)
	compare("cancels", e.Cancels, r.Cancels)
	compare("rejected", e.Rejected, r.Rejected)
	compare("duplicates", e.Duplicates, r.Duplicates)
	compare("duplicates of rejected", e.DuplicateRejections, r.DuplicateRejections)
	compare("dead-lettered", e.Conflicts+e.Malformed, r.DeadLettered)
	compare("dead-lettered by TradeConflict", e.Conflicts, letters["TradeConflict"])
	compare("dead-lettered by MalformedTrade", e.Malformed, letters["MalformedTrade"])
	compare("not matched", e.NotMatched, r.NotMatched)
	codes := maps.Clone(e.RejectedByCode)
	maps.Copy(codes, r.RejectedByCode)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		compare("rejected by "+code, e.RejectedByCode[code], r.RejectedByCode[code])
	}
	return differences
}
