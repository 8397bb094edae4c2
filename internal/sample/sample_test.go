package sample_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trade-processing/internal/feed"
	"trade-processing/internal/report"
	"trade-processing/internal/sample"
	"trade-processing/lambdas/trade"
)

// tester is what *testing.T, *testing.B and *rapid.T have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Context() context.Context
}

func generate(t tester, seed uint64, count int) *sample.Generator {
	t.Helper()
	g, err := sample.New(seed, count)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// process does to entries what the pipeline does, in the simplest way: the domain's own rules, and a map for a table.
func process(t tester, table map[string]string, entries *feed.Feed) *report.Report {
	t.Helper()
	rules := trade.Rules{Sources: []string{"system1", "system2", "system3"}, MaxClockSkew: 5 * time.Minute}
	c := report.NewCollector()
	for entry, problem := range entries.Entries(t.Context()) {
		if problem != nil {
			t.Fatal(problem)
		}
		c.Received()
		system, _ := strings.CutPrefix(entry.Source, trade.SourcePrefix)
		if !slices.Contains(rules.Sources, system) {
			c.NotMatched()
			continue
		}
		parsed, err := trade.Parse(entry.Detail)
		var malformed *trade.MalformedError
		if errors.As(err, &malformed) {
			c.DeadLettered("validator", malformed.ErrorType())
			continue
		}
		version := trade.VersionKey(entry.Source, parsed.VersionTime(entry.Time))
		verdict := rules.Check(parsed, trade.Arrival{Source: entry.Source, Time: entry.Time, Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)})
		if !verdict.Valid {
			version = trade.RejectedKey(version, parsed.Digest())
		}
		key := parsed.ID + " " + version
		switch held, found := table[key]; {
		case found && held != parsed.Digest():
			c.DeadLettered("recorder", "TradeConflict")
			continue
		case found && !verdict.Valid:
			c.DuplicateRejection()
			continue
		case found:
			c.Duplicate()
			continue
		}
		table[key] = parsed.Digest()
		switch action := parsed.Action(); {
		case verdict.Valid && action == trade.Correct:
			c.Correction()
			continue
		case verdict.Valid && action == trade.Cancel:
			c.Cancel()
			continue
		case verdict.Valid:
			c.Recorded()
			continue
		}
		codes := make([]string, len(verdict.Violations))
		for i, v := range verdict.Violations {
			codes[i] = string(v.Code)
		}
		c.Rejected(codes)
	}
	return c.Report(report.Run{})
}

func expect(t tester, want sample.Expectation, got *report.Report) {
	t.Helper()
	for _, difference := range want.Compare(got) {
		t.Errorf("seed %d, count %d: %s", want.Seed, want.Count, difference)
	}
	if !got.Reconciles {
		t.Errorf("the report doesn't reconcile")
	}
}

func TestASampleIsWhatItSaysItIs(t *testing.T) {
	for _, count := range []int{1, 2, 10, 66, 67, 100, sample.Everything - 1, sample.Everything, 20_000} {
		for seed := range uint64(3) {
			g := generate(t, seed, count)
			table := make(map[string]string)
			expect(t, g.Expect(), process(t, table, feed.FromReader("sample", g.Reader())))
			held := len(table)
			expect(t, g.Expect().Again(), process(t, table, feed.FromReader("sample", g.Reader())))
			if len(table) != held {
				t.Errorf("the second run added %d items", len(table)-held)
			}
		}
	}
}

func TestAnySeedAndCount(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g := generate(r, rapid.Uint64().Draw(r, "seed"), rapid.IntRange(1, 2*sample.Everything).Draw(r, "count"))
		expect(r, g.Expect(), process(r, make(map[string]string), feed.FromReader("sample", g.Reader())))
	})
}

func TestEveryCodeOfTheDomainIsInASample(t *testing.T) {
	e := generate(t, 1, sample.Everything).Expect()
	for _, code := range trade.Codes() {
		if e.RejectedByCode[string(code.Code)] == 0 {
			t.Errorf("no trade of the sample has the violation %s: add a fault", code.Code)
		}
	}
	if e.Duplicates < 2 || e.Conflicts == 0 || e.Malformed == 0 || e.NotMatched == 0 {
		t.Errorf("something is missing: %+v", e)
	}
}

func TestTheSharesAreThoseOfARealStream(t *testing.T) {
	e := generate(t, 1, 100_000).Expect()
	want := sample.Expectation{
		Seed: 1, Count: 100_000, Received: 100_000, RejectedByCode: e.RejectedByCode,
		Recorded: 93_803, Corrections: 300, Cancels: 200, Rejected: 2_997, Duplicates: 1_500, Conflicts: 300, Malformed: 400, NotMatched: 1_000,
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
}

// The hash is the sample's identity: it changes only if the sample is changed on purpose, and then any expectations
// people have written down change too.
func TestTheSameSeedAndCountGiveTheSameBytes(t *testing.T) {
	hash := sha256.New()
	if _, err := generate(t, 1, 10_000).WriteTo(hash); err != nil {
		t.Fatal(err)
	}
	const want = "c054ebf3fe4a0589189dc2de7efaab7395d9a99fc2fd03f2104353b951e6490b"
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var one, other bytes.Buffer
	for seed, to := range []*bytes.Buffer{&one, &other} {
		if _, err := generate(t, uint64(seed), 10).WriteTo(to); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(one.Bytes(), other.Bytes()) {
		t.Error("two seeds, one sample")
	}
}

func TestReaderAndWriteToAgree(t *testing.T) {
	g := generate(t, 7, 3_000)
	var written bytes.Buffer
	n, err := g.WriteTo(&written)
	if err != nil || n != int64(written.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, written.Len(), err)
	}
	read, err := io.ReadAll(g.Reader())
	if err != nil || !bytes.Equal(read, written.Bytes()) {
		t.Errorf("read %d bytes, wrote %d: %v", len(read), written.Len(), err)
	}
	r := g.Reader()
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 100)); n != 0 || err == nil {
		t.Errorf("after Close: %d bytes, %v", n, err)
	}
}

func TestAWriterThatFailsEndsTheSample(t *testing.T) {
	broken := errors.New("no space left on device")
	if _, err := generate(t, 1, 100).WriteTo(&failing{after: 3, err: broken}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct {
	after int
	err   error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, f.err
	}
	return len(p), nil
}

func TestWhatASampleCannotHave(t *testing.T) {
	for _, count := range []int{0, -1, sample.MaxCount + 1} {
		if _, err := sample.New(1, count); err == nil {
			t.Errorf("count %d: want an error", count)
		}
	}
}

// The shape of a stream: sources by share, times in order within the calendar, both forms of details.
func TestAStreamLooksReal(t *testing.T) {
	const count = 20_000
	var last time.Time
	sources, hours, currencies := make(map[string]int), make(map[int]int), make(map[string]int)
	smallest, largest := math.Inf(1), 0.0
	numbers, digits := 0, 0
	for entry := range feed.FromReader("sample", generate(t, 1, count).Reader()).Entries(t.Context()) {
		sources[entry.Source]++
		parsed, err := trade.Parse(entry.Detail)
		if err != nil {
			continue
		}
		if entry.Time.After(last) {
			last = entry.Time
		}
		if entry.Source == "trading.system1" {
			hours[entry.Time.Add(-4*time.Hour).Hour()]++ // New York's in summer
		}
		currency, _ := parsed.Text("currency")
		currencies[currency]++
		literal, amount, readable := parsed.Amount("amount")
		if !readable || amount.Sign() <= 0 {
			continue
		}
		if _, isText := parsed.Text("amount"); isText {
			digits = max(digits, len(strings.Trim(strings.ReplaceAll(literal, ".", ""), "0")))
		} else {
			numbers++
		}
		value, err := strconv.ParseFloat(literal, 64)
		if err != nil {
			t.Fatal(err)
		}
		smallest, largest = min(smallest, value), max(largest, value)
	}
	t.Logf("%v %v %v, amounts %g to %g, up to %d digits, last %v", sources, hours, currencies, smallest, largest, digits, last)
	for _, currency := range []string{"USD", "EUR", "GBP", "JPY", "KRW"} {
		if currencies[currency] < count/200 {
			t.Errorf("%d trades in %s", currencies[currency], currency)
		}
	}
	if sources["trading.system1"] < count/2 || sources["trading.system2"] < count/4 || sources["trading.system3"] < count/8 {
		t.Errorf("sources: %v", sources)
	}
	if hours[14] > hours[11]*3/4 || hours[14] > hours[16]*3/4 {
		t.Errorf("no U over the day: %v", hours)
	}
	if smallest > 0.01 || largest < 1e6 || numbers < count/10 || digits < 15 {
		t.Errorf("amounts %g to %g, %d as numbers, up to %d digits", smallest, largest, numbers, digits)
	}
	if want := time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC); last.Before(want) || last.After(want.Add(24*time.Hour)) {
		t.Errorf("the last trade is of %v", last)
	}
}

func BenchmarkWriteTo(b *testing.B) {
	const count = 10_000
	g := generate(b, 1, count)
	b.ReportAllocs()
	for b.Loop() {
		n, err := g.WriteTo(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
	}
	b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "entries/s")
}
