package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// line is what the recorder writes for a trade.
const line = `{"_aws":{"Timestamp":1764000000000,"CloudWatchMetrics":[{"Namespace":"TradeProcessing",` +
	`"Dimensions":[["Environment","Function"]],"Metrics":[{"Name":"TradesRecorded","Unit":"Count"},{"Name":"RecordLatency","Unit":"Milliseconds"}]}]},` +
	`"Environment":"local","Function":"recorder","TradesRecorded":1,"RecordLatency":12.5,` +
	`"level":"INFO","msg":"trade recorded","tradeId":"T-2024-000000123","eventId":"0f5a1d3e-2f7d-4a3a-9a39-0f2f1b1f0a55",` +
	`"executionArn":"arn:aws:states:us-east-1:000000000000:execution:trades:0f5a1d3e-2f7d-4a3a-9a39-0f2f1b1f0a55","traceId":"1-5759e988-bd862e3fe1be46a994272793"}`

func at() time.Time { return time.UnixMilli(1764000000000) }

func TestALineInTheEmbeddedMetricFormatBecomesMetrics(t *testing.T) {
	s := NewStore()
	for range 3 {
		if err := s.Ingest([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	dimensions := map[string]string{"Environment": "local", "Function": "recorder"}
	for metric, want := range map[string]float64{"TradesRecorded": 3, "RecordLatency": 37.5} {
		got, ok := s.lookup("TradeProcessing", metric, dimensions).Value(Statistic{name: "Sum"}, at(), at().Add(time.Minute))
		if !ok || got != want {
			t.Errorf("%s has the sum %v (%v), want %v", metric, got, ok, want)
		}
	}
}

func TestLinesOfOtherFormsAreReadOrRefused(t *testing.T) {
	wrap := func(directive, members string) string {
		return `{"_aws":{"Timestamp":1764000000000,"CloudWatchMetrics":[` + directive + `]},` + members + `}`
	}
	good := `{"Namespace":"N","Dimensions":[["D"]],"Metrics":[{"Name":"M"}]}`
	for _, tc := range []struct {
		name, line string
		problem    string
		sum        float64
	}{
		{"a plain log line is no metric", `{"msg":"hello"}`, "", 0},
		{"a line that only speaks of _aws in a text is no metric", `{"msg":"the \"_aws\" object"}`, "", 0},
		{"an _aws that is deeper is no metric", `{"a":{"_aws":{}}}`, "", 0},
		{"broken JSON that mentions _aws", `{"_aws":{`, "not JSON", 0},
		{"the members may come before _aws", `{"D":"x","M":2,"_aws":{"CloudWatchMetrics":[` + good + `],"Timestamp":1764000000000}}`, "", 2},
		{"a list of values", wrap(good, `"D":"x","M":[1,2,3]`), "metric M is [1,2,3], not a number", 0},
		{"an escaped dimension is read as its text", wrap(good, `"D":"\u0078","M":4`), "", 4},
		{"two sets of dimensions make two series", wrap(`{"Namespace":"N","Dimensions":[["D"],[]],"Metrics":[{"Name":"M"}]}`, `"D":"x","M":5`), "", 5},
		{"the last of two members with one name counts", wrap(good, `"D":"x","M":1,"M":7`), "", 7},
		{"no time stamp", `{"_aws":{"CloudWatchMetrics":[` + good + `]},"D":"x","M":1}`, "_aws.Timestamp is missing", 0},
		{"a time stamp that is a text", `{"_aws":{"Timestamp":"now","CloudWatchMetrics":[` + good + `]},"D":"x","M":1}`, `_aws.Timestamp is "now"`, 0},
		{"no directives", `{"_aws":{"Timestamp":1}}`, "CloudWatchMetrics: it is missing", 0},
		{"no namespace", wrap(`{"Dimensions":[[]],"Metrics":[]}`, `"D":"x"`), `a directive has namespace ""`, 0},
		{"dimensions that are no list of lists", wrap(`{"Namespace":"N","Dimensions":["D"],"Metrics":[]}`, `"D":"x"`), "cannot unmarshal string into Go struct field .Dimensions", 0},
		{"a dimension that the line lacks", wrap(good, `"M":1`), "dimension D is missing", 0},
		{"a dimension that is a number", wrap(good, `"D":1,"M":1`), "dimension D is 1", 0},
		{"a metric that the line lacks", wrap(good, `"D":"x"`), "metric M is missing", 0},
		{"a metric that is a text", wrap(good, `"D":"x","M":"1"`), `metric M is "1"`, 0},
		{"a resolution of a second", wrap(`{"Namespace":"N","Dimensions":[[]],"Metrics":[{"Name":"M","StorageResolution":1}]}`, `"M":1`), "no StorageResolution but 60 is supported", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := NewStore()
			err := s.Ingest([]byte(tc.line))
			if (err == nil) != (tc.problem == "") || err != nil && !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("error %v, want %q", err, tc.problem)
			}
			sum, _ := s.lookup("N", "M", map[string]string{"D": "x"}).Value(Statistic{name: "Sum"}, at(), at().Add(time.Minute))
			if sum != tc.sum {
				t.Errorf("the sum is %v, want %v", sum, tc.sum)
			}
		})
	}
}

func TestADimensionWithAValueForEveryTradeIsRefusedInTheEnd(t *testing.T) {
	s := NewStore()
	var last error
	for i := range maxSeries + 1 {
		l := fmt.Sprintf(`{"_aws":{"Timestamp":1764000000000,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["id"]],"Metrics":[{"Name":"M"}]}]},"id":"%d","M":1}`, i)
		last = s.Ingest([]byte(l))
	}
	if last == nil || !strings.Contains(last.Error(), ErrTooManySeries.Error()) {
		t.Errorf("got %v, want %v", last, ErrTooManySeries)
	}
	if n := len(s.series); n != maxSeries {
		t.Errorf("%d series are kept, want %d", n, maxSeries)
	}
}

func FuzzIngestNeverPanicsAndNeverHalves(f *testing.F) {
	f.Add([]byte(line))
	f.Add([]byte(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[[]],"Metrics":[{"Name":"M"}]}]},"M":[1,2]}`))
	f.Add([]byte(`{"_aws":[],"_aws":{"Timestamp":1e300}}`))
	f.Add([]byte("{\"_aws\":{\"Timestamp\":-1,\"CloudWatchMetrics\":[{\"Namespace\":\"\xff\"}]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := NewStore()
		if err := s.Ingest(data); err != nil && len(s.series) > 0 {
			t.Fatalf("a refused line made a series: %v", err)
		}
	})
}

func BenchmarkIngest(b *testing.B) {
	s := NewStore()
	data := []byte(line)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := s.Ingest(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeriesAdd(b *testing.B) {
	series := NewStore().Series("N", "M", nil)
	i := 0
	for b.Loop() {
		series.Add(at(), float64(i%1000)+0.5)
		i++
	}
}

func BenchmarkSeriesFound(b *testing.B) {
	s := NewStore()
	b.ReportAllocs()
	for b.Loop() {
		s.Series("AWS/Events", "MatchedEvents", map[string]string{"RuleName": "trade-processing-local-system1"})
	}
}
