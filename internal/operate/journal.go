package operate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/gofrs/flock"

	"trade-processing/internal/files"
)

// Journal remembers what of one input was sent to one bus, so that a later run can go on where this one ended, however
// it ended. It is a file of JSON lines.
//
// A batch is noted once the bus has answered for all its entries. At a kill, the bus may have accepted batches that
// aren't noted. They are sent again, and each of their events with the time that it had, so it has the key and the
// digest that it had: the recorder finds it in the table, and writes nothing.
type Journal struct {
	lock *flock.Flock
	file *os.File

	mu      sync.Mutex
	batches map[int]noted // that earlier runs sent, by number
	refused []Refused     // in these
	times   []reservation
	known   int // the batches from here on have no time from an earlier run
	unsaved bool
	failed  error

	quit  chan struct{}
	ended sync.WaitGroup
}

// journalForm begins every journal. Another form needs another name.
const journalForm = "tradectl send 1"

// line is a line of a journal, with one of its members.
type line struct {
	Journal string       `json:"journal,omitempty"` // journalForm
	To      string       `json:"to,omitempty"`      // beside it: the bus's ARN, and when it was made
	Times   *reservation `json:"times,omitempty"`
	Batch   *noted       `json:"batch,omitempty"`
}

// reservation gives the entries without a time in the batches From to To, without it, a time. It is on disk before one
// of them is sent. A later reservation that begins within it takes over from there.
type reservation struct {
	From int       `json:"from"`
	To   int       `json:"to"`
	Time time.Time `json:"time"`
}

// noted is a batch that the bus has answered for.
type noted struct {
	Number  int       `json:"number"` // from 0
	Digest  uint64    `json:"digest,string"`
	Entries int       `json:"entries"`
	Refused []Refused `json:"refused,omitempty"`
}

const (
	// reservedBatches and reservedFor bound how far a trade's time may be from when it was sent: to what is sent within
	// a second, and after a kill to these batches.
	reservedBatches = 64
	reservedFor     = time.Second

	// savedEvery is how long an answer may be only in the system's memory, where it outlives this process but no power
	// failure.
	savedEvery = 200 * time.Millisecond
)

// Bus tells the stack's bus from all others, also from one that had its name before it was made anew.
func (s *Stack) Bus(ctx context.Context) (string, error) {
	bus, err := s.EventBridge().DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: &s.Outputs.EventBusName})
	if err != nil {
		return "", fmt.Errorf("looking for the bus %s: %w", s.Outputs.EventBusName, err)
	}
	if bus.CreationTime == nil { // the account's default bus was never made
		return s.BusARN(), nil
	}
	return s.BusARN() + " of " + bus.CreationTime.UTC().Format(time.RFC3339Nano), nil
}

// OpenJournal opens the journal of an input that is sent to a bus, or begins one. Close it at the end.
func OpenJournal(path, bus string) (*Journal, error) {
	j, err := openJournal(path, bus)
	if err != nil {
		return nil, fmt.Errorf("opening the journal %s: %w", path, err)
	}
	return j, nil
}

func openJournal(path, bus string) (_ *Journal, err error) {
	if there, err := os.Stat(path); err == nil && !there.Mode().IsRegular() && !there.IsDir() {
		return nil, errors.New("it is not a regular file, whose end can be read again")
	}
	j := &Journal{lock: flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600)), batches: map[int]noted{}, quit: make(chan struct{})}
	mine, err := j.lock.TryLock()
	if err != nil {
		return nil, files.Reason(err)
	}
	if !mine {
		return nil, errors.New("another tradectl is sending this input; wait for it, or end it")
	}
	defer func() {
		if err != nil {
			_ = j.lock.Close()
		}
	}()
	if j.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, files.Reason(err)
	}
	defer func() {
		if err != nil {
			_ = j.file.Close()
		}
	}()
	whole, err := j.read(bus)
	if err != nil {
		return nil, err
	}
	// A kill may have cut the last line.
	if err := j.file.Truncate(whole); err != nil {
		return nil, err
	}
	if _, err := j.file.Seek(whole, io.SeekStart); err != nil {
		return nil, err
	}
	if whole == 0 {
		if err := j.begin(path, bus); err != nil {
			return nil, err
		}
	}
	j.ended.Go(j.saveNowAndThen)
	return j, nil
}

// begin writes the first line, and makes sure that the file is found after a power failure.
func (j *Journal) begin(path, bus string) error {
	if err := j.append(line{Journal: journalForm, To: bus}); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	return syncFolder(path)
}

// read reads the journal, and returns how many bytes of it are whole lines.
func (j *Journal) read(bus string) (whole int64, err error) {
	first, err := json.Marshal(line{Journal: journalForm, To: bus})
	if err != nil {
		return 0, err
	}
	from := bufio.NewReader(j.file)
	for number := 1; ; number++ {
		text, err := from.ReadBytes('\n')
		if errors.Is(err, io.EOF) && (number > 1 || bytes.HasPrefix(first, text)) {
			return whole, nil // the rest was cut off by a kill
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil || number == 1 && l.Journal != journalForm {
			return 0, fmt.Errorf("line %d is not a journal's: is it another file? Name the journal's with --journal", number)
		}
		if number == 1 && l.To != bus {
			return 0, fmt.Errorf("it is of what was sent to %s, and this would go to %s: name another with --journal", l.To, bus)
		}
		j.take(l)
		whole += int64(len(text))
	}
}

func (j *Journal) take(l line) {
	if l.Times != nil {
		j.times = append(j.times, *l.Times)
		j.known = max(j.known, l.Times.To)
	}
	if l.Batch != nil {
		j.batches[l.Batch.Number] = *l.Batch
		j.refused = append(j.refused, l.Batch.Refused...)
	}
}

// sent returns a batch as an earlier run sent it, if it did.
func (j *Journal) sent(number int) (was noted, sent bool) {
	was, sent = j.batches[number]
	return was, sent
}

// least returns how many batches the input has at least: earlier runs sent the last of them.
func (j *Journal) least() int {
	most := 0
	for number := range j.batches {
		most = max(most, number+1)
	}
	return most
}

// timeFor returns the time for the entries of a batch that have none: the one that it was given, by whatever run, or
// now. Batches come in order.
func (j *Journal) timeFor(number int, now time.Time) (time.Time, error) {
	for i := len(j.times) - 1; i >= 0; i-- {
		given := j.times[i]
		if number < given.From || number >= given.To {
			continue
		}
		if number < j.known || now.Sub(given.Time) < reservedFor {
			return given.Time, nil
		}
		break
	}
	// An event's time has whole seconds.
	given := reservation{From: number, To: number + reservedBatches, Time: now.UTC().Truncate(time.Second)}
	if j.file != nil {
		if err := j.append(line{Times: &given}); err != nil {
			return time.Time{}, err
		}
		if err := j.file.Sync(); err != nil {
			return time.Time{}, fmt.Errorf("writing the journal: %w", err)
		}
	}
	j.times = append(j.times, given)
	return given.Time, nil
}

// note writes down that the bus has answered for a batch.
func (j *Journal) note(batch noted) error {
	if j.file == nil {
		return nil
	}
	return j.append(line{Batch: &batch})
}

func (j *Journal) append(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	if _, err := j.file.Write(append(text, '\n')); err != nil {
		j.failed = fmt.Errorf("writing the journal: %w", err) // it may end in half a line now
		return j.failed
	}
	j.unsaved = true
	return nil
}

func (j *Journal) saveNowAndThen() {
	ticker := time.NewTicker(savedEvery)
	defer ticker.Stop()
	for {
		select {
		case <-j.quit:
			return
		case <-ticker.C:
			_ = j.save() // the next line, or Close, tells
		}
	}
}

func (j *Journal) save() error {
	j.mu.Lock()
	unsaved := j.unsaved
	j.unsaved = false
	j.mu.Unlock()
	if !unsaved {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.failed = fmt.Errorf("writing the journal: %w", err)
		return j.failed
	}
	return nil
}

// Close saves and closes the journal.
func (j *Journal) Close() error {
	close(j.quit)
	j.ended.Wait()
	return errors.Join(j.save(), j.failed, j.file.Close(), j.lock.Close())
}

// syncFolder makes sure that a new file is found after a power failure.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return files.Reason(err)
	}
	defer folder.Close() //nolint:errcheck // only read
	return folder.Sync()
}
