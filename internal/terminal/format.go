package terminal

import (
	"fmt"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Count writes a number with thousands separators: 1,234,567.
func Count(n int64) string {
	return message.NewPrinter(language.English).Sprintf("%d", n)
}

// Plural writes a number of things: 1 trade, 3,000 trades.
func Plural[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(int64(n)) + " " + thing + "s"
}

// Percent writes a part of a whole with one decimal, or "-" if there is no whole. It shows 0.0 % and 100.0 % only for
// none and all.
func Percent(part, whole int64) string {
	if whole == 0 {
		return "-"
	}
	tenths := (part*1000 + whole/2) / whole
	switch {
	case tenths == 0 && part > 0:
		return "< 0.1 %"
	case tenths == 1000 && part < whole:
		return "> 99.9 %"
	}
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

// Duration writes a time with three significant digits: 845 µs, 12.3 ms, 1.20 s, 2m5s.
func Duration(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d >= time.Minute:
		return d.Round(time.Second).String()
	}
	unit, name := time.Microsecond, "µs"
	if d >= time.Millisecond {
		unit, name = time.Millisecond, "ms"
	}
	if d >= time.Second {
		unit, name = time.Second, "s"
	}
	decimals := 2
	for value := d; value >= 10*unit && decimals > 0; value /= 10 {
		decimals--
	}
	return fmt.Sprintf("%.*f %s", decimals, float64(d)/float64(unit), name)
}
