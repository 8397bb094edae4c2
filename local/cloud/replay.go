package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/disk"
)

// The states of replays. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Replay.html
const (
	ReplayStarting   = "STARTING"
	ReplayRunning    = "RUNNING"
	ReplayCancelling = "CANCELLING"
	ReplayCancelled  = "CANCELLED"
	ReplayCompleted  = "COMPLETED"
)

// mostReplays is how many replays are under way in a region.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
const mostReplays = 10

// Replay sends the events of an archive to its bus again whose times are from one time to another, excluding it.
type Replay struct {
	Region, Name, Description string
	Archive, Bus              string   // ARNs
	Rules                     []string // ARNs of those that get the events; none: all
	From, To                  time.Time

	State string
	Began time.Time
	Ended time.Time // the zero time while it is under way
	Last  time.Time // in the last event that was sent; the zero time if none was
}

// ended reports whether nothing more will come.
func (r Replay) ended() bool { return !r.Ended.IsZero() }

// replays are those that were started, by region and name.
type replays struct {
	mu     sync.Mutex
	all    map[string]*Replay
	cancel map[string]context.CancelFunc // of those under way
}

const replayKeys = "replay/"

func (r Replay) key() string { return replayKeys + r.Region + "/" + r.Name }

// change makes a change of a replay that a folder keeps too.
func (c *Cloud) change(r *Replay, change func()) Replay {
	c.replays.mu.Lock()
	defer c.replays.mu.Unlock()
	change()
	text, _ := json.Marshal(r) // plain values
	c.write(disk.Change{Key: r.key(), Value: string(text)})
	return *r
}

// restoreReplays brings back those that the folder has.
func (c *Cloud) restoreReplays() error {
	c.replays.all = map[string]*Replay{}
	for key, value := range c.disk.Scan(replayKeys, after(replayKeys), false) {
		var r Replay
		if err := json.Unmarshal([]byte(value), &r); err != nil {
			return fmt.Errorf("reading %q: %w", key, err)
		}
		c.replays.all[r.key()] = &r
	}
	return nil
}

// Replays lists the replays of a region, by name.
func (c *Cloud) Replays(region string) []Replay {
	c.replays.mu.Lock()
	defer c.replays.mu.Unlock()
	var found []Replay
	for _, r := range c.replays.all {
		if r.Region == region {
			found = append(found, *r)
		}
	}
	slices.SortFunc(found, func(a, b Replay) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// StartReplay starts a replay, whose state and times it sets. It gives each event to deliver while the caller goes on.
// Its errors are EventBridge's, recorded in LocalStack's test_archive_and_replay.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
func (c *Cloud) StartReplay(r Replay, deliver func(context.Context, *Accepted) error) (Replay, error) {
	if !r.From.Before(r.To) {
		return r, awsapi.Validation("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
	}
	if _, err := c.live.buses.get(r.Bus); err != nil {
		return r, awsapi.Error("ResourceNotFoundException", "Event bus %s does not exist.", afterLast(r.Bus, "/"))
	}
	from, err := c.archive(r.Region, r.Archive)
	if err != nil {
		return r, awsapi.Validation("Parameter EventSourceArn is not valid. Reason: Archive %s does not exist.", afterLast(r.Archive, "/"))
	}
	if eventBusARN(r.Region, from.Inputs.text("eventSourceArn")) != r.Bus {
		return r, awsapi.Validation("Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
	}
	r.State, r.Began = ReplayStarting, c.clock.Now()
	c.replays.mu.Lock()
	underWay, taken := 0, c.replays.all[r.key()] != nil
	for _, other := range c.replays.all {
		if other.Region == r.Region && !other.ended() {
			underWay++
		}
	}
	if taken || underWay >= mostReplays {
		c.replays.mu.Unlock()
		if taken {
			return r, awsapi.Error("ResourceAlreadyExistsException", "Replay %s already exists.", r.Name)
		}
		return r, awsapi.Error("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	}
	kept := r
	if c.replays.all == nil {
		c.replays.all = map[string]*Replay{}
	}
	c.replays.all[r.key()] = &kept
	c.replays.mu.Unlock()
	c.run(&kept, deliver)
	return r, nil
}

// ResumeReplays goes on with the replays that an earlier process hadn't ended, from the last second that it told of.
func (c *Cloud) ResumeReplays(deliver func(context.Context, *Accepted) error) {
	c.replays.mu.Lock()
	var left []*Replay
	for _, r := range c.replays.all {
		if !r.ended() {
			left = append(left, r)
		}
	}
	c.replays.mu.Unlock()
	for _, r := range left {
		c.run(r, deliver)
	}
}

// CancelReplay ends a replay that is under way.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CancelReplay.html
func (c *Cloud) CancelReplay(region, name string) (Replay, error) {
	c.replays.mu.Lock()
	r := c.replays.all[Replay{Region: region, Name: name}.key()]
	c.replays.mu.Unlock()
	if r == nil {
		return Replay{}, awsapi.Error("ResourceNotFoundException", "Replay %s does not exist.", name)
	}
	var err error
	now := c.change(r, func() {
		if r.State != ReplayStarting && r.State != ReplayRunning {
			err = awsapi.Error("IllegalStatusException", "Replay %s is not in a valid state for this operation.", name)
			return
		}
		r.State = ReplayCancelling
		if cancel := c.replays.cancel[r.key()]; cancel != nil { // else it hasn't begun: see run
			cancel()
		}
	})
	return now, err
}

// run sends a replay's events while the caller goes on.
func (c *Cloud) run(r *Replay, deliver func(context.Context, *Accepted) error) {
	until := context.Background()
	if c.running != nil {
		until = c.running
	}
	ctx, cancel := context.WithCancel(until)
	c.change(r, func() {
		if c.replays.cancel == nil {
			c.replays.cancel = map[string]context.CancelFunc{}
		}
		c.replays.cancel[r.key()] = cancel
		if r.State == ReplayCancelling {
			cancel()
		}
	})
	c.working.Add(1)
	clock.Go(c.clock, func() {
		defer c.working.Done()
		defer cancel()
		err := c.send(ctx, r, deliver)
		if until.Err() != nil {
			return // the next process goes on
		}
		c.change(r, func() {
			r.State, r.Ended = ReplayCompleted, c.clock.Now()
			if err != nil {
				r.State = ReplayCancelled
			}
		})
	})
}

func (c *Cloud) send(ctx context.Context, r *Replay, deliver func(context.Context, *Accepted) error) error {
	c.change(r, func() {
		if r.State == ReplayStarting {
			r.State = ReplayRunning
		}
	})
	from := r.From
	if !r.Last.IsZero() {
		from = r.Last
	}
	for at, document := range c.inArchive(r.Archive, second(from), second(r.To)) {
		if ctx.Err() != nil {
			break
		}
		again, err := r.again(document)
		if err != nil {
			c.archived.Damaged(fmt.Errorf("reading an event of %s at %s: %w", r.Archive, at, err))
		}
		again.trace = c.traceHeader()
		c.Keep(again)
		if err := deliver(ctx, again); err != nil {
			return err
		}
		if last, err := time.Parse(time.RFC3339, at); err == nil && !last.Equal(r.Last) {
			c.change(r, func() { r.Last = last })
		}
	}
	return context.Cause(ctx)
}

// second writes a time for a comparison with those in events, which have whole seconds.
func second(at time.Time) string {
	if whole := at.Truncate(time.Second); whole.Before(at) {
		at = whole.Add(time.Second)
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}

// again returns an archived event as a replay sends it: with its name, where AWS was recorded to write it.
func (r *Replay) again(document string) (*Accepted, error) {
	before, behind, found := strings.Cut(document, `,"resources":`) // no text in an event has this unescaped
	if !found {
		return nil, errors.New("it has no resources")
	}
	name, _ := json.Marshal(r.Name) // a string
	sent, err := readEvent([]byte(before + `,"replay-name":` + string(name) + `,"resources":` + behind))
	if err != nil {
		return nil, err
	}
	return &Accepted{ID: sent.id, region: r.Region, bus: r.Bus, event: sent, replay: r.Name, rules: r.Rules}, nil
}
