package metrics_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/metrics"
)

var epoch = time.Date(2026, 1, 2, 9, 30, 15, 0, time.UTC)

// watched returns an alarm on the sum of metric N/M, of every minute.
func watched() metrics.Alarm {
	return metrics.Alarm{
		Name: "watched", Namespace: "N", Metric: "M", Statistic: "Sum", Period: time.Minute,
		EvaluationPeriods: 1, Threshold: 1, Comparison: "GreaterThanOrEqualToThreshold", TreatMissingData: "notBreaching",
	}
}

type cloud struct {
	clock  *clock.Virtual
	store  *metrics.Store
	alarms *metrics.Alarms
}

func newCloud() cloud {
	c := cloud{clock: clock.NewVirtual(epoch), store: metrics.NewStore()}
	c.alarms = metrics.NewAlarms(c.store, c.clock)
	return c
}

func (c cloud) add(value float64) {
	c.store.Series("N", "M", nil).Add(c.clock.Now(), value)
}

func (c cloud) state(t testing.TB, name string) metrics.State {
	t.Helper()
	for _, s := range c.alarms.Status() {
		if s.Alarm == name {
			return s.State
		}
	}
	t.Fatalf("there is no alarm %s", name)
	return ""
}

// total returns the sum, or another statistic, of everything that was added since epoch and is kept.
func (c cloud) total(t testing.TB, statistic string, dimensions map[string]string) float64 {
	t.Helper()
	parsed, err := metrics.ParseStatistic(statistic)
	if err != nil {
		t.Fatal(err)
	}
	value, _ := c.store.Series("N", "M", dimensions).Value(parsed, epoch, epoch.AddDate(1, 0, 0))
	return value
}

// The rows of the table for three of three datapoints in "Configuring how CloudWatch alarms treat missing data", whose
// evaluation range of five periods ends on the right: X breaches, 0 doesn't, - is missing.
func TestMissingDataIsTreatedAsCloudWatchDocumentsIt(t *testing.T) {
	const (
		alarm = metrics.Alarming
		ok    = metrics.OK
	)
	for _, tc := range []struct {
		name, data             string
		breaching, notBreaches metrics.State
	}{
		{"enough data although some is missing", "0-X-X", ok, ok},
		{"one good point is left", "----0", ok, ok},
		{"nothing at all", "-----", alarm, ok},
		{"the latest three breach", "0XX-X", alarm, alarm},
		{"one old breach and silence", "--X--", alarm, ok},
		{"one fresh breach may be followed by good data", "----X", alarm, ok},
		{"a fresh breach may be followed by good data", "---X-", alarm, ok},
	} {
		for treatment, want := range map[string]metrics.State{"breaching": tc.breaching, "notBreaching": tc.notBreaches} {
			t.Run(tc.name+", "+treatment, func(t *testing.T) {
				c := newCloud()
				a := watched()
				a.EvaluationPeriods, a.TreatMissingData = 3, treatment
				if err := c.alarms.Put(a); err != nil {
					t.Fatal(err)
				}
				for i, mark := range tc.data {
					if i > 0 {
						c.clock.Advance(time.Minute)
					}
					switch mark {
					case 'X':
						c.add(1)
					case '0':
						c.add(0)
					}
				}
				c.alarms.Evaluate()
				if got := c.state(t, "watched"); got != want {
					t.Errorf("%s is %s, want %s", tc.data, got, want)
				}
			})
		}
	}
}

func TestReasonsTellOfMissingData(t *testing.T) {
	for treatment, want := range map[string]string{
		"breaching": "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (02/01/26 09:30:00)] was greater than or equal to the threshold (1.0)" +
			" and no datapoints were received for 2 periods, treated as [Breaching]" +
			" (minimum 3 datapoints for INSUFFICIENT_DATA -> ALARM transition).",
		"notBreaching": "Threshold Crossed: 0 out of the last 1 datapoints [3.0 (02/01/26 09:30:00)] were not greater than or equal to the threshold (1.0)" +
			" and no datapoints were received for 2 periods, treated as [NonBreaching].",
	} {
		c := newCloud()
		a := watched()
		a.EvaluationPeriods, a.TreatMissingData = 3, treatment
		if err := c.alarms.Put(a); err != nil {
			t.Fatal(err)
		}
		c.add(3)
		c.alarms.Evaluate()
		if got := c.alarms.Status()[0].Reason; got != want {
			t.Errorf("%s: the reason is\n%s\nwant\n%s", treatment, got, want)
		}
	}
}

func TestAnAlarmThatGoesOffTellsItsReason(t *testing.T) {
	c := newCloud()
	if err := c.alarms.Put(watched()); err != nil {
		t.Fatal(err)
	}
	c.add(2.5)
	c.alarms.Evaluate()
	const reason = "Threshold Crossed: 1 out of the last 1 datapoints [2.5 (02/01/26 09:30:00)] was greater than or equal to the threshold (1.0) " +
		"(minimum 1 datapoint for INSUFFICIENT_DATA -> ALARM transition)."
	want := []metrics.Change{{Alarm: "watched", At: epoch, Reason: reason}}
	if got := c.alarms.WentOff(); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	c.alarms.Evaluate()
	if again := c.alarms.WentOff(); len(again) != 1 {
		t.Errorf("the same data changed the state again: %+v", again)
	}
}

func TestStatisticsAndComparisons(t *testing.T) {
	for _, tc := range []struct {
		name, statistic, comparison string
		threshold                   float64
		want                        metrics.State
	}{
		{"the sum is above", "Sum", "GreaterThanThreshold", 5049, metrics.Alarming},
		{"the sum is not above itself", "Sum", "GreaterThanThreshold", 5050, metrics.OK},
		{"the average is at the threshold", "Average", "GreaterThanOrEqualToThreshold", 50.5, metrics.Alarming},
		{"the minimum is below", "Minimum", "LessThanThreshold", 1.5, metrics.Alarming},
		{"the maximum is at the threshold", "Maximum", "LessThanOrEqualToThreshold", 100, metrics.Alarming},
		{"the count is not below itself", "SampleCount", "LessThanThreshold", 100, metrics.OK},
		{"the 99th percentile is about 99", "p99", "GreaterThanThreshold", 97.9, metrics.Alarming},
		{"the 99th percentile is no more than about 99", "p99", "GreaterThanThreshold", 100, metrics.OK},
		{"the median is about 50", "p50", "LessThanThreshold", 51.2, metrics.Alarming},
		{"a percentile with a fraction is read", "p99.9", "GreaterThanThreshold", 97.9, metrics.Alarming},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCloud()
			a := watched()
			a.Statistic, a.Comparison, a.Threshold = tc.statistic, tc.comparison, tc.threshold
			if err := c.alarms.Put(a); err != nil {
				t.Fatal(err)
			}
			for v := 1; v <= 100; v++ {
				c.add(float64(v))
			}
			c.alarms.Evaluate()
			if got := c.state(t, "watched"); got != tc.want {
				t.Errorf("it is %s, want %s", got, tc.want)
			}
		})
	}
}

// For instance, a table is written to, and nothing arrives at its replica.
func TestAnAlarmOnOneMetricWithoutAnother(t *testing.T) {
	for name, test := range map[string]struct {
		these, others []float64 // by minute; below 0 is none
		want          metrics.State
	}{
		"only the one, all the time":             {[]float64{1, 1, 1}, []float64{-1, -1, -1}, metrics.Alarming},
		"both":                                   {[]float64{1, 1, 1}, []float64{0, 0, 0}, metrics.OK},
		"neither":                                {[]float64{-1, -1, -1}, []float64{-1, -1, -1}, metrics.OK},
		"only the other":                         {[]float64{-1, -1, -1}, []float64{1, 1, 1}, metrics.OK},
		"the one is zero":                        {[]float64{0, 0, 0}, []float64{-1, -1, -1}, metrics.OK},
		"the other came once":                    {[]float64{1, 1, 1}, []float64{-1, 5, -1}, metrics.OK},
		"the one stopped for one of the periods": {[]float64{1, -1, 1}, []float64{-1, -1, -1}, metrics.OK},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			a := watched()
			a.EvaluationPeriods, a.Without = 3, &metrics.Metric{Namespace: "N", Name: "O"}
			if err := c.alarms.Put(a); err != nil {
				t.Fatal(err)
			}
			for i := range test.these {
				if i > 0 {
					c.clock.Advance(time.Minute)
				}
				if v := test.these[i]; v >= 0 {
					c.add(v)
				}
				if v := test.others[i]; v >= 0 {
					c.store.Series("N", "O", nil).Add(c.clock.Now(), v)
				}
			}
			c.alarms.Evaluate()
			if got := c.state(t, "watched"); got != test.want {
				t.Errorf("it is %s, want %s", got, test.want)
			}
		})
	}
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(*metrics.Alarm)
		problem string
	}{
		{"no name", func(a *metrics.Alarm) { a.Name = "" }, "no name"},
		{"a statistic that is not known", func(a *metrics.Alarm) { a.Statistic = "tm90" }, `statistic "tm90" is not supported`},
		{"a percentile above 100", func(a *metrics.Alarm) { a.Statistic = "p101" }, `statistic "p101" is not supported`},
		{"a period of ten seconds", func(a *metrics.Alarm) { a.Period = 10 * time.Second }, "a period of 10s is not supported"},
		{"a comparison with a band", func(a *metrics.Alarm) { a.Comparison = "GreaterThanUpperThreshold" }, `"GreaterThanUpperThreshold" is not supported`},
		{"no treatment of missing data", func(a *metrics.Alarm) { a.TreatMissingData = "" }, `missing data "" is not supported`},
		{"a treatment that no component declares", func(a *metrics.Alarm) { a.TreatMissingData = "ignore" }, `"ignore"`},
		{"no evaluation period", func(a *metrics.Alarm) { a.EvaluationPeriods = 0 }, "0 evaluation periods"},
		{"a look back further than metrics are kept", func(a *metrics.Alarm) { a.Period = 25 * time.Hour }, "looks back 75h0m0s"},
		{"no metric", func(a *metrics.Alarm) { a.Metric = "" }, "names no metric"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := watched()
			tc.change(&a)
			err := newCloud().alarms.Put(a)
			if err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("got %v, want it to say %q", err, tc.problem)
			}
		})
	}
}

func TestAnAlarmOnAMetricThatIsNeverSentIsRefused(t *testing.T) {
	c := newCloud()
	c.store.Declare("N", "M", "L")
	if err := c.alarms.Put(watched()); err != nil {
		t.Error(err)
	}
	a := watched()
	a.Metric = "Misspelt"
	if err := c.alarms.Put(a); err == nil || !strings.Contains(err.Error(), "sends no metric N Misspelt; of N it sends L, M") {
		t.Errorf("got %v", err)
	}
	a.Namespace = "Own"
	if err := c.alarms.Put(a); err != nil {
		t.Errorf("of a namespace that has said nothing: %v", err)
	}
}

func TestCompositeAlarms(t *testing.T) {
	for _, tc := range []struct {
		name, rule string
		want       metrics.State
	}{
		{"one alarm by its name", `ALARM("watched")`, metrics.Alarming},
		{"one alarm by its ARN", `ALARM("arn:aws:cloudwatch:us-east-1:000000000000:alarm:watched")`, metrics.Alarming},
		{"an alarm that is not off", `ALARM("quiet")`, metrics.OK},
		{"one of several", `ALARM("quiet") OR ALARM("watched")`, metrics.Alarming},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCloud()
			quiet := watched()
			quiet.Name, quiet.Metric = "quiet", "Q"
			for _, a := range []metrics.Alarm{watched(), quiet} {
				if err := c.alarms.Put(a); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.alarms.PutComposite(metrics.CompositeAlarm{Name: "both", Rule: tc.rule}); err != nil {
				t.Fatal(err)
			}
			c.add(1)
			c.alarms.Evaluate()
			if got := c.state(t, "both"); got != tc.want {
				t.Errorf("%s is %s, want %s", tc.rule, got, tc.want)
			}
		})
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	for _, tc := range []struct{ name, rule, problem string }{
		{"an empty rule", "", `the term "" of its rule is not supported`},
		{"a state that no component asks for", `OK("watched")`, "is not supported here"},
		{"an operator that no component has", `ALARM("watched") AND ALARM("watched")`, "is not supported here"},
		{"an open quote", `ALARM("watched)`, "is not supported here"},
		{"an alarm that is not there", `ALARM("nobody")`, `"nobody", but there is no such metric alarm`},
		{"a composite alarm", `ALARM("watched") OR ALARM("both")`, `"both", but there is no such metric alarm`},
		{"an overlong rule", strings.Repeat(`ALARM("watched") OR `, 600) + `ALARM("watched")`, "more than 10240"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCloud()
			if err := c.alarms.Put(watched()); err != nil {
				t.Fatal(err)
			}
			if err := c.alarms.PutComposite(metrics.CompositeAlarm{Name: "both", Rule: `ALARM("watched")`}); err != nil {
				t.Fatal(err)
			}
			err := c.alarms.PutComposite(metrics.CompositeAlarm{Name: "both", Rule: tc.rule})
			if err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("got %v, want it to say %q", err, tc.problem)
			}
		})
	}
}

func TestAnAlarmThatACompositeNeedsCanNotBeDeleted(t *testing.T) {
	c := newCloud()
	if err := errors.Join(c.alarms.Put(watched()), c.alarms.PutComposite(metrics.CompositeAlarm{Name: "both", Rule: `ALARM("watched")`})); err != nil {
		t.Fatal(err)
	}
	if err := c.alarms.Delete("watched"); err == nil || !strings.Contains(err.Error(), `"both" depends on it`) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(c.alarms.Delete("both"), c.alarms.Delete("watched")); err != nil {
		t.Errorf("in the right order: %v", err)
	}
}

func TestGaugesAreSampledWhenAlarmsAreEvaluated(t *testing.T) {
	c := newCloud()
	depth := 0.0
	remove := c.store.Gauge("N", "M", nil, func(time.Time) float64 { return depth })
	a := watched()
	a.Statistic = "Maximum"
	if err := c.alarms.Put(a); err != nil {
		t.Fatal(err)
	}
	c.alarms.Evaluate()
	if got := c.state(t, "watched"); got != metrics.OK {
		t.Errorf("an empty queue is %s, want OK", got)
	}
	depth = 1
	c.alarms.Evaluate()
	if got := c.state(t, "watched"); got != metrics.Alarming {
		t.Errorf("a message makes it %s, want ALARM", got)
	}
	remove()
	depth = 7
	c.alarms.Evaluate()
	if got := c.total(t, "Maximum", nil); got != 1 {
		t.Errorf("a gauge that was removed was read: %v", got)
	}
}

func TestWhatIsOlderThanTheRetentionIsForgotten(t *testing.T) {
	c := newCloud()
	for range 10 * int(metrics.Retention/time.Minute) {
		c.add(1)
		c.clock.Advance(time.Minute)
	}
	if got := c.total(t, "SampleCount", nil); got != metrics.Retention.Minutes() {
		t.Errorf("%v values are kept, want those of %v", got, metrics.Retention)
	}
	c.store.Series("N", "M", nil).Add(epoch, 1)
	if got := c.total(t, "SampleCount", nil); got != metrics.Retention.Minutes() {
		t.Errorf("a value of long ago was taken: %v", got)
	}
}
