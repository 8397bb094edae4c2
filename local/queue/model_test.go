package queue_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/local/clock"
	"trade-processing/local/queue"
)

// A modelled message is all that matters of one: where it is and until when.
type modelled struct {
	body          string
	sent, visible time.Time
	receives      int
	receipt       string
	dead          bool
}

// Whatever is sent, received, deleted and waited for: the queue and its dead-letter queue hold what a plain list of
// messages says they hold.
func TestTheQueueBehavesAsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const (
			visibility  = 30 * time.Second
			retention   = 5 * time.Minute
			maxReceives = 2
		)
		c := clock.NewVirtual(epoch)
		def := named("q")
		def.Visibility, def.Retention = visibility, retention
		q, err := queue.New(def, queue.Options{Clock: c})
		if err != nil {
			t.Fatal(err)
		}
		deadDef := named("dead")
		dead, err := queue.New(deadDef, queue.Options{Clock: c})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.SetRedrive(&queue.Redrive{DeadLetter: dead, MaxReceives: maxReceives}); err != nil {
			t.Fatal(err)
		}
		var list []*modelled
		serial := 0

		drop := func(gone func(*modelled) bool) {
			kept := list[:0:0]
			for _, m := range list {
				if !gone(m) {
					kept = append(kept, m)
				}
			}
			list = kept
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				serial++
				m := &modelled{body: fmt.Sprint(serial), sent: c.Now()}
				delay := time.Duration(rapid.IntRange(0, 2).Draw(t, "delay")) * 10 * time.Second
				m.visible = c.Now().Add(delay)
				if _, err := q.Send(t.Context(), queue.Draft{Body: m.body, Delay: &delay}); err != nil {
					t.Fatal(err)
				}
				list = append(list, m)
			},
			"receive": func(t *rapid.T) {
				limit := rapid.IntRange(1, 3).Draw(t, "limit")
				var want []*modelled
				for _, m := range list {
					if m.dead || m.visible.After(c.Now()) || len(want) == limit {
						continue
					}
					if m.receives == maxReceives {
						m.dead = true
						continue
					}
					want = append(want, m)
				}
				got, err := q.Receive(t.Context(), limit, nil)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(want) {
					t.Fatalf("received %d messages, want %d", len(got), len(want))
				}
				for i, m := range want {
					m.receives++
					m.receipt = got[i].Receipt
					m.visible = c.Now().Add(visibility)
					if got[i].Body != m.body || got[i].Receives != m.receives {
						t.Fatalf("received %s for the %d. time, want %s for the %d.", got[i].Body, got[i].Receives, m.body, m.receives)
					}
				}
			},
			"delete": func(t *rapid.T) {
				if len(list) == 0 {
					t.Skip("nothing to delete")
				}
				m := rapid.SampledFrom(list).Draw(t, "message")
				if m.receipt == "" {
					t.Skip("it was not received")
				}
				if err := q.Acknowledge(t.Context(), m.receipt); err != nil {
					t.Fatal(err)
				}
				drop(func(other *modelled) bool { return other == m && !m.dead })
			},
			"time passes": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
				drop(func(m *modelled) bool { return !m.dead && !m.sent.Add(retention).After(c.Now()) })
			},
			"": func(t *rapid.T) {
				var want queue.State
				buried := 0
				for _, m := range list {
					switch {
					case m.dead:
						buried++
					case !m.visible.After(c.Now()):
						want.Visible++
					case m.receives > 0:
						want.InFlight++
					default:
						want.Delayed++
					}
				}
				got := q.State()
				got.Oldest, got.Expired = 0, 0
				if got != want || dead.State().Depth() != buried {
					t.Fatalf("the queue has %+v and %d dead, want %+v and %d", got, dead.State().Depth(), want, buried)
				}
			},
		})
	})
}
