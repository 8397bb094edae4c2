package market

import "fmt"

// clock is a time on a trading day, in seconds since midnight on the market's wall clock. Negative values are the
// evening before: a session that opens at 18:00 and counts for the next day opens at -6 hours. Values above 24 hours
// are the morning after.
type clock int32

const (
	secondsPerDay = int64(24 * 60 * 60)
	dayLength     = clock(secondsPerDay)
)

// parseClock reads 09:30, 16:40:30, -06:00 for 18:00 on the evening before, or 26:00 for 02:00 on the morning after.
func parseClock(text string) (clock, error) {
	digits, sign := text, clock(1)
	if len(text) > 0 && text[0] == '-' {
		digits, sign = text[1:], -1
	}
	var c clock
	valid := len(digits) == len("15:04") || len(digits) == len("15:04:05")
	for i := 0; valid && i < len(digits); i++ {
		digit := clock(digits[i]) - '0'
		switch i % 3 {
		case 0:
			valid = digit >= 0 && digit <= 9 && (i == 0 || digit < 6)
			c = c*60 + 10*digit
		case 1:
			valid = digit >= 0 && digit <= 9
			c += digit
		default:
			valid = digits[i] == ':'
		}
	}
	if len(digits) == len("15:04") {
		c *= 60
	}
	if c *= sign; !valid || c <= -dayLength || c > 2*dayLength {
		return 0, fmt.Errorf("%q is not a time of day like 09:30, or from -23:59 on the evening before to 48:00 on the morning after", text)
	}
	return c, nil
}
