package trade_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/lambdas/trade"
)

func TestTheTimeOfAVersion(t *testing.T) {
	eventTime := time.Date(2024, 5, 28, 13, 30, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		executedAt string
		want       string
	}{
		"without a time of execution the event's counts": {`null`, "2024-05-28T13:30:00.000Z"},
		"a time that can't be read doesn't count":        {`"yesterday"`, "2024-05-28T13:30:00.000Z"},
		"a time of another type doesn't count":           {`1381219217034`, "2024-05-28T13:30:00.000Z"},
		"milliseconds in New York":                       {`"2013-10-08T04:00:17.034-04:00"`, "2013-10-08T08:00:17.034Z"},
		"microseconds are cut off":                       {`"2023-09-05T16:00:01.281999Z"`, "2023-09-05T16:00:01.281Z"},
		"before 1970 they are cut off towards the past":  {`"1969-12-31T23:59:59.9995Z"`, "1969-12-31T23:59:59.999Z"},
		"a time in the future is a time all the same":    {`"2999-12-31T00:00:00Z"`, "2999-12-31T00:00:00.000Z"},
	} {
		t.Run(name, func(t *testing.T) {
			parsed := mustParse(t, `{"tradeId":"t-1","executedAt":`+test.executedAt+`}`)
			if got := trade.VersionKey("trading.system1", parsed.VersionTime(eventTime)); got != "system1#"+test.want {
				t.Errorf("version %s, want system1#%s", got, test.want)
			}
		})
	}
}

// A query of a trade's id gives each source's versions in the order of their times.
func TestVersionsOfASourceSortByTheirTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		milliseconds := rapid.SliceOfDistinct(rapid.Int64Range(-2e12, 2e14), func(at int64) int64 { return at }).Draw(t, "times")
		slices.Sort(milliseconds)
		var keys []string
		for _, at := range milliseconds {
			version := trade.VersionKey("trading.system1", time.UnixMilli(at))
			keys = append(keys, version, trade.RejectedKey(version, strings.Repeat("0f", 32)))
		}
		if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
			t.Fatalf("%v", keys)
		}
	})
}
