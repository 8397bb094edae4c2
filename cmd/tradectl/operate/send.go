package operate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/feed"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

const (
	// sentAtOnce is how many requests are in flight unless somebody says otherwise.
	sentAtOnce = 16
	// mostAtOnce is more than any machine gains by.
	mostAtOnce = 1000
	// listed is how many problems of an input are in its report. All are told as they are found.
	listed = 1000
)

type sendOptions struct {
	rate    float64
	atOnce  int
	journal string
}

// sent is what became of one input.
type sent struct {
	Input   string  `json:"input"`
	Sent    int64   `json:"sent"`
	Before  int64   `json:"sentBefore"` // by an earlier run
	Refused int64   `json:"refused"`    // entries and lines, in this run and before
	Seconds float64 `json:"seconds"`
	Whole   bool    `json:"whole"` // everything in it was sent or refused
	// Problems are the first of the refused.
	Problems []operate.Refused `json:"problems"`
}

// sentInput is an input while it is sent.
type sentInput struct {
	sent

	mu        sync.Mutex
	unread    bool
	journal   string
	remembers bool
}

// NewSend returns `tradectl send`.
func NewSend(t *terminal.Terminal) *cobra.Command {
	var o sendOptions
	command := &cobra.Command{
		Use:   "send [file ...]",
		Short: "Send trades to a deployed stack",
		Long: "Sends every entry of the files to the stack's event bus, whatever bus the entries name. Without files, or\n" +
			"for -, it reads standard input. A file holds PutEvents entries as JSON, in lines, arrays or requests: Source,\n" +
			"DetailType and Detail (an object, or a string containing one), and optionally Time, Resources and TraceHeader.\n" +
			"It may be compressed with gzip. Malformed entries, and those that the bus refuses, are reported by line.\n\n" +
			"However it ends, run the same command again: it resumes where it stopped. What the bus has accepted of FILE is\n" +
			"in the journal .FILE.sent-to-ENVIRONMENT beside it; if the file has changed since, it is refused. What was in\n" +
			"flight is sent again, at most 10 entries per request, each with the time it had, and counts as a duplicate.\n" +
			"Only a malformed trade leaves a second dead letter. To send a whole file again, remove its journal.\n\n" +
			"Standard input has no journal unless you name one with --journal, and resumes only if it is the same again.\n" +
			"An entry without a Time gets the time it is sent at: without a journal, a second run records trades again\n" +
			"that have no time of their own.",
		Example: "  tradectl send --local trades.ndjson more.ndjson.gz\n" +
			"  zcat trades.gz | tradectl send --stack dev --rate 500 --journal trades.journal\n" +
			"  tradectl sample --count 100000 | tradectl send --local",
		Args: cobra.ArbitraryArgs,
	}
	flags := command.Flags()
	flags.Float64Var(&o.rate, "rate", 0, "at most this many entries per second (default: no limit)")
	flags.IntVar(&o.atOnce, "concurrency", sentAtOnce, "how many requests to have in flight, of up to 10 entries each")
	flags.StringVar(&o.journal, "journal", "", "the journal `FILE`, instead of the one beside the input")
	check := func() error {
		if o.atOnce < 1 || o.atOnce > mostAtOnce {
			return fmt.Errorf("--concurrency %d: use 1 to %d", o.atOnce, mostAtOnce)
		}
		if flags.Changed("rate") {
			return above0("rate", o.rate)
		}
		return nil
	}
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error {
		return send(ctx, t, stack, form, args, o)
	}, exitcode.RefusedInput)
}

func send(ctx context.Context, t *terminal.Terminal, stack *operate.Stack, form output.Form, names []string, o sendOptions) error {
	if len(names) == 0 {
		names = []string{feed.StandardInput}
	}
	if o.journal != "" && len(names) > 1 {
		return exitcode.Usagef("--journal is for one input, not %d; leave it out, and each file has its own beside it", len(names))
	}
	feeds, total, err := openFeeds(names, t)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	inputs := make([]*sentInput, len(names))
	for i, name := range names {
		inputs[i] = &sentInput{sent: sent{Input: name, Problems: []operate.Refused{}}, journal: journalOf(name, o.journal, stack)}
	}
	progress := t.Progress("sending", total, func() terminal.Reading {
		var now terminal.Reading
		for i, in := range inputs {
			in.mu.Lock()
			now.Count += in.Sent + in.Before
			in.mu.Unlock()
			now.Done += feeds[i].Read()
		}
		return now
	})
	defer progress.Stop()
	for i, in := range inputs {
		if err = sendOne(ctx, stack, feeds[i], in, o, progress); err != nil {
			break
		}
	}
	progress.Stop()
	return concludeSend(t, form, inputs, err)
}

// openFeeds opens all inputs before anything is sent. The total is in bytes; -1: unknown.
func openFeeds(names []string, t *terminal.Terminal) (feeds []*feed.Feed, total int64, err error) {
	if _, err := feed.Open(names, t.In); err != nil { // all together, so that it tells everything that is wrong
		return nil, 0, err
	}
	for _, name := range names {
		one, err := feed.Open([]string{name}, t.In)
		if err != nil {
			return nil, 0, err
		}
		feeds = append(feeds, one)
		if size, known := one.Size(); known && total >= 0 {
			total += size
		} else {
			total = -1
		}
	}
	return feeds, total, nil
}

// journalOf returns the path of an input's journal; empty: it has none.
func journalOf(name, named string, stack *operate.Stack) string {
	if named != "" || name == feed.StandardInput {
		return named
	}
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return "" // a pipe, which is another one the next time
	}
	folder, file := filepath.Split(name)
	return folder + "." + file + ".sent-to-" + stack.Outputs.Environment
}

func sendOne(ctx context.Context, stack *operate.Stack, from *feed.Feed, in *sentInput, o sendOptions, progress *terminal.Progress) (err error) {
	how := operate.Sending{Rate: o.rate, AtOnce: o.atOnce}
	if in.journal != "" {
		if same(in.journal, in.Input) {
			return exitcode.Usagef("--journal %s: this is the input, which would be lost; name another file", in.journal)
		}
		slow := time.AfterFunc(operate.Silence, func() { progress.Println("the bus hasn't answered yet; waiting for it") })
		var bus string
		bus, err = stack.Bus(ctx)
		slow.Stop()
		if err != nil {
			return err
		}
		if how.Journal, err = operate.OpenJournal(in.journal, bus); err != nil {
			return exitcode.With(exitcode.Usage, err)
		}
		defer func() { err = errors.Join(err, how.Journal.Close()) }()
	}
	problem := func(what operate.Refused) {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.Refused++
		if len(in.Problems) < listed {
			in.Problems = append(in.Problems, what)
		}
		progress.Println(where(what) + ": " + what.Reason)
	}
	count := func(of *int64) func(int) {
		return func(n int) {
			in.mu.Lock()
			*of += int64(n)
			in.mu.Unlock()
		}
	}
	how.Sent, how.Before, how.Refused = count(&in.Sent), count(&in.Before), problem
	how.Problem = func(p *feed.Problem) {
		switch p.Kind {
		case feed.Refused:
		case feed.Unreadable:
			in.unread = true
		default: // nothing is lost
			progress.Println(p.Error())
			return
		}
		problem(operate.Refused{File: p.File, Line: p.Line, Reason: p.Reason})
	}
	how.Quiet = progress.Println
	// What is alive is small, and would be looked for again and again: a seventh of the CPU.
	defer debug.SetGCPercent(debug.SetGCPercent(500))
	begun := time.Now()
	err = stack.Send(ctx, from, how)
	in.Seconds = time.Since(begun).Seconds()
	in.Whole, in.remembers = err == nil && !in.unread, how.Journal != nil
	return err
}

func where(p operate.Refused) string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// same reports whether two names lead to one file.
func same(one, other string) bool {
	a, errA := os.Stat(one)
	b, errB := os.Stat(other)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// concludeSend prints what became of each input.
func concludeSend(t *terminal.Terminal, form output.Form, inputs []*sentInput, failed error) error {
	count := func(n int64) string {
		if form == output.Table {
			return terminal.Count(n)
		}
		return strconv.FormatInt(n, 10)
	}
	rows := output.NewRows(t, form, func(in sent) []output.Cell {
		return []output.Cell{
			{Name: "input", Text: in.Input, Whole: true},
			{Name: "sent", Text: count(in.Sent)}, {Name: "sentBefore", Text: count(in.Before)}, {Name: "refused", Text: count(in.Refused)},
			{Name: "seconds", Text: strconv.FormatFloat(in.Seconds, 'f', 1, 64)}, {Name: "whole", Text: strconv.FormatBool(in.Whole)},
		}
	})
	refused, anySent := false, false
	for _, in := range inputs {
		refused, anySent = refused || in.Refused > 0, anySent || in.Sent > 0
		if err := rows.Add(in.sent); err != nil {
			return err
		}
		if failed == nil && in.Sent == 0 && in.Before > 0 {
			t.Note("according to %[2]s, all of %[1]s was sent before; remove the journal to send it again", in.Input, in.journal)
		}
		if failed != nil && !errors.Is(failed, operate.ErrOtherInput) && in.Sent+in.Before > 0 && !in.Whole && in.remembers {
			t.Note("run the same command again: it resumes where this one stopped in %s", in.Input)
		}
	}
	if err := rows.End("no input"); err != nil {
		return err
	}
	switch {
	case errors.Is(failed, operate.ErrOtherInput) && !anySent:
		return exitcode.With(exitcode.Usage, failed)
	case failed != nil:
		return failed
	case refused:
		return exitcode.Silent(exitcode.RefusedInput)
	}
	return nil
}
