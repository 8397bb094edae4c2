package deployed

import (
	"context"
	"time"

	"trade-processing/local/clock"
)

// hasty is a clock that runs faster.
type hasty struct {
	clock.Clock
	begun time.Time
	times time.Duration
}

// Hasty returns a clock that runs so many times faster, so that retries, replication and alarm evaluation take hardly any
// time. Timeouts go by the wall clock: a busy machine must not cause any.
func Hasty(times int) clock.Clock { return hasty{clock.Real(), time.Now(), time.Duration(times)} }

func (h hasty) Now() time.Time { return h.begun.Add(h.times * time.Since(h.begun)) }

func (h hasty) Sleep(ctx context.Context, d time.Duration) error {
	return h.Clock.Sleep(ctx, d/h.times)
}
