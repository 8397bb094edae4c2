package market

import (
	"fmt"
	"time"
)

// clock is a time on a trading day, in seconds since midnight on the market's wall clock. Negative values are the
// evening before: a session that opens at 18:00 and counts for the next day opens at -6 hours.
type clock int32

const secondsPerDay = int64(24 * time.Hour / time.Second)

// parseClock reads 09:30, 16:40:30, or -06:00 for 18:00 on the evening before.
func parseClock(text string) (clock, error) {
	digits, negative := text, false
	if len(text) > 0 && text[0] == '-' {
		digits, negative = text[1:], true
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, digits); err == nil {
			c := clock(t.Hour()*3600 + t.Minute()*60 + t.Second())
			if negative {
				return -c, nil
			}
			return c, nil
		}
	}
	if digits == "24:00" && !negative {
		return clock(secondsPerDay), nil
	}
	return 0, fmt.Errorf("%q is neither a time of day like 09:30 nor one on the evening before like -06:00", text)
}

func at(hour, minute int) clock { return clock(hour*3600 + minute*60) }
