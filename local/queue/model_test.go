package queue_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/queue"
)

// A modelled message is what matters about one: where it is and until when.
type modelled struct {
	body          string
	sent, visible time.Time
	receives      int
	receipt       string
}

// Whatever is sent, received, deleted and waited for, the queue and its dead-letter queue have what a plain list of
// messages says: in memory, on disk, even if it is opened again, and with bodies on disk.
func TestTheQueueBehavesAsAList(t *testing.T) {
	for name, options := range map[string]func(*disk.Store) queue.Options{
		"in memory": func(*disk.Store) queue.Options { return queue.Options{} },
		"on disk":   func(on *disk.Store) queue.Options { return queue.Options{Disk: on} },
		"spilling": func(on *disk.Store) queue.Options {
			return queue.Options{Spill: func() (*disk.Store, error) { return on, nil }, Most: 2}
		},
	} {
		t.Run(name, func(t *testing.T) { behavesAsAList(t, options) })
	}
}

func behavesAsAList(t *testing.T, options func(*disk.Store) queue.Options) {
	rapid.Check(t, func(t *rapid.T) {
		const (
			visibility = 30 * time.Second
			retention  = 5 * time.Minute
		)
		c := clock.NewVirtual(epoch)
		def := named("q")
		def.Visibility, def.Retention = visibility, retention
		on := disk.Memory()
		defer on.Close() //nolint:errcheck // in memory
		options := options(on)
		options.Clock, options.Random = c, rand.Reader
		q, err := queue.New(def, options)
		if err != nil {
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
				m := &modelled{body: fmt.Sprint(serial), sent: c.Now(), visible: c.Now()}
				if _, err := q.Send(t.Context(), queue.Draft{Body: m.body}); err != nil {
					t.Fatal(err)
				}
				list = append(list, m)
			},
			"receive": func(t *rapid.T) {
				limit := rapid.IntRange(1, 3).Draw(t, "limit")
				var want []*modelled
				for _, m := range list {
					if m.visible.After(c.Now()) || len(want) == limit {
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
					if got[i].Body != m.body {
						t.Fatalf("received %s, want %s", got[i].Body, m.body)
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
				drop(func(other *modelled) bool { return other == m })
			},
			"opened again": func(t *rapid.T) {
				if options.Disk == nil {
					t.Skip("nothing is left of it")
				}
				if q, err = queue.New(def, options); err != nil {
					t.Fatal(err)
				}
			},
			"time passes": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
				drop(func(m *modelled) bool { return !m.sent.Add(retention).After(c.Now()) })
			},
			"": func(t *rapid.T) {
				var want queue.State
				for _, m := range list {
					if m.visible.After(c.Now()) {
						want.InFlight++
					} else {
						want.Visible++
					}
				}
				got := q.State()
				if got.Oldest = 0; got != want {
					t.Fatalf("the queue has %+v, want %+v", got, want)
				}
			},
		})
	})
}
