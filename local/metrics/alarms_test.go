package metrics_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/metrics"
)

var epoch = time.Date(2026, 1, 2, 9, 30, 15, 0, time.UTC)

// watched is an alarm on the sum of metric N/M, of every minute.
func watched() metrics.Alarm {
	return metrics.Alarm{
		Name: "watched", Namespace: "N", Metric: "M", Statistic: "Sum", Period: time.Minute,
		EvaluationPeriods: 1, Threshold: 1, Comparison: "GreaterThanOrEqualToThreshold",
		Actions: metrics.Actions{Alarm: []string{"arn:topic"}},
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

// The rows of the two tables in "Configuring how CloudWatch alarms treat
// missing data", whose evaluation range of five periods ends at the right: X
// breaches, 0 does not, - is missing.
func TestMissingDataIsTreatedAsCloudWatchDocumentsIt(t *testing.T) {
	const (
		alarm = metrics.Alarming
		ok    = metrics.OK
		no    = metrics.InsufficientData
		same  = metrics.State("")
	)
	for _, tc := range []struct {
		name, data                            string
		datapoints                            int
		missing, ignore, breaching, notBreach metrics.State
	}{
		{"three of three, enough data although some is missing", "0-X-X", 3, ok, ok, ok, ok},
		{"three of three, one good point is left", "----0", 3, ok, ok, ok, ok},
		{"three of three, nothing at all", "-----", 3, no, same, alarm, ok},
		{"three of three, the latest three breach", "0XX-X", 3, alarm, alarm, alarm, alarm},
		{"three of three, one old breach and silence", "--X--", 3, alarm, same, alarm, ok},
		{"three of three, one fresh breach may be followed by good data", "----X", 3, ok, ok, alarm, ok},
		{"three of three, a fresh breach may be followed by good data", "---X-", 3, ok, ok, alarm, ok},
		{"two of three, enough data although some is missing", "0-X-X", 2, alarm, alarm, alarm, alarm},
		{"two of three, two breach", "00X0X", 2, alarm, alarm, alarm, alarm},
		{"two of three, one breach after good data", "0-X--", 2, ok, ok, alarm, ok},
		{"two of three, one good point is left", "----0", 2, ok, ok, alarm, ok},
		{"two of three, one breach and silence", "---X-", 2, alarm, same, alarm, ok},
	} {
		for treatment, want := range map[string]metrics.State{
			"missing": tc.missing, "ignore": tc.ignore, "breaching": tc.breaching, "notBreaching": tc.notBreach,
		} {
			t.Run(tc.name+", "+treatment, func(t *testing.T) {
				c := newCloud()
				a := watched()
				a.EvaluationPeriods, a.DatapointsToAlarm, a.TreatMissingData = 3, tc.datapoints, treatment
				if err := c.alarms.Put(a); err != nil {
					t.Fatal(err)
				}
				before := c.state(t, "watched")
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
				if want == same {
					want = before
				}
				if got := c.state(t, "watched"); got != want {
					t.Errorf("%s is %s, want %s", tc.data, got, want)
				}
			})
		}
	}
}

func TestAnAlarmOnDynamoDBIgnoresMissingDataUnlessTold(t *testing.T) {
	c := newCloud()
	a := watched()
	a.Namespace = "AWS/DynamoDB"
	if err := c.alarms.Put(a); err != nil {
		t.Fatal(err)
	}
	c.store.Series("AWS/DynamoDB", "M", nil).Add(epoch, 3)
	c.alarms.Evaluate()
	c.clock.Advance(time.Hour)
	c.alarms.Evaluate()
	if got := c.state(t, "watched"); got != metrics.Alarming {
		t.Errorf("after an hour of silence it is %s, want it to stay in ALARM", got)
	}
}

func TestAChangeTellsItsReasonAndWhomItNotifies(t *testing.T) {
	c := newCloud()
	if err := c.alarms.Put(watched()); err != nil {
		t.Fatal(err)
	}
	var heard []metrics.Change
	c.alarms.Subscribe(func(change metrics.Change) { heard = append(heard, change) })
	c.add(2.5)
	changes := c.alarms.Evaluate()
	if len(changes) != 1 || len(heard) != 1 || len(c.alarms.WentOff()) != 1 {
		t.Fatalf("%d changes, %d heard, %d went off; want one each", len(changes), len(heard), len(c.alarms.WentOff()))
	}
	got := heard[0]
	const reason = "Threshold Crossed: 1 out of the last 1 datapoints [2.5 (02/01/26 09:30:00)] was greater than or equal to the threshold (1.0) " +
		"(minimum 1 datapoint for INSUFFICIENT_DATA -> ALARM transition)."
	if got.Reason != reason {
		t.Errorf("the reason is\n%s\nwant\n%s", got.Reason, reason)
	}
	if got.From != metrics.InsufficientData || got.To != metrics.Alarming || !got.At.Equal(epoch) || len(got.Actions) != 1 {
		t.Errorf("the change is %+v", got)
	}
	if again := c.alarms.Evaluate(); len(again) != 0 {
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

func TestMetricMath(t *testing.T) {
	metric := func(id, name string) metrics.Query {
		return metrics.Query{ID: id, Metric: &metrics.MetricStat{Namespace: "N", Metric: name, Statistic: "Sum", Period: time.Minute}}
	}
	for _, tc := range []struct {
		name, expression string
		want             string // the value, or "-" for a missing one
	}{
		{"a ratio in percent", "(m1/m2)*100", "50"},
		{"multiplication binds before addition", "m1+m2*2", "100"},
		{"a power binds first", "2*m1^2", "800"},
		{"a sign", "-m1+m2", "20"},
		{"a missing operand makes a missing value", "m1+m3", "-"},
		{"a division by zero makes a missing value", "m1/(m1-20)", "-"},
		{"missing data is filled with a number", "m1+FILL(m3,0)", "20"},
		{"missing data is filled with a term", "FILL(m3,m2/4)", "10"},
		{"missing data with nothing before it stays missing", "FILL(m3,REPEAT)", "-"},
		{"a choice takes the first", "IF(m1<m2,1,2)", "1"},
		{"a choice takes the second", "IF(m1>m2 OR m1==m2,1,2)", "2"},
		{"a choice without a second is missing", "IF(m1>m2,1)", "-"},
		{"a choice over missing data is missing", "IF(m3>0,1,2)", "-"},
		{"and, or and not", "m1==20 AND NOT m2!=40", "1"},
		{"operators of another spelling", "m1==20 && (m2==1 || m2==40)", "1"},
		{"a sum passes over missing data", "SUM([m1,m2,m3])", "60"},
		{"a mean passes over missing data", "AVG([m1,m2,m3])", "30"},
		{"the least and the most", "MAX([m1,m2])-MIN([m1,m2])", "20"},
		{"rounding", "CEIL(m1/3)+FLOOR(m1/3)+ABS(0-1)", "14"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, probe := range []struct {
				comparison string
				want       metrics.State
			}{{"GreaterThanOrEqualToThreshold", metrics.Alarming}, {"LessThanOrEqualToThreshold", metrics.Alarming}} {
				c := newCloud()
				a := watched()
				a.Namespace, a.Metric, a.Statistic, a.Period = "", "", "", 0
				a.Comparison = probe.comparison
				if tc.want != "-" {
					if err := json.Unmarshal([]byte(tc.want), &a.Threshold); err != nil {
						t.Fatal(err)
					}
				} else {
					probe.want = metrics.InsufficientData
				}
				a.Queries = []metrics.Query{
					{ID: "e1", Expression: tc.expression, ReturnData: true}, metric("m1", "A"), metric("m2", "B"), metric("m3", "C"),
				}
				if err := c.alarms.Put(a); err != nil {
					t.Fatal(err)
				}
				c.store.Series("N", "A", nil).Add(epoch, 20)
				c.store.Series("N", "B", nil).Add(epoch, 40)
				c.alarms.Evaluate()
				if got := c.state(t, "watched"); got != probe.want {
					t.Errorf("%s %s %v is %s, want %s", tc.expression, probe.comparison, a.Threshold, got, probe.want)
				}
			}
		})
	}
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	query := func(id, expression string) metrics.Query {
		return metrics.Query{ID: id, Expression: expression, ReturnData: id == "e1"}
	}
	m1 := metrics.Query{ID: "m1", Metric: &metrics.MetricStat{Namespace: "N", Metric: "M", Statistic: "Sum", Period: time.Minute}}
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
		{"a treatment that is not known", func(a *metrics.Alarm) { a.TreatMissingData = "skip" }, `"skip"`},
		{"no evaluation period", func(a *metrics.Alarm) { a.EvaluationPeriods = 0 }, "0 evaluation periods"},
		{"more datapoints than periods", func(a *metrics.Alarm) { a.DatapointsToAlarm = 2 }, "2 datapoints to alarm of 1"},
		{"a look back further than metrics are kept", func(a *metrics.Alarm) { a.Period = 24 * time.Hour }, "looks back 72h0m0s"},
		{"no metric", func(a *metrics.Alarm) { a.Metric = "" }, "query m1 names no metric"},
		{"a metric and queries", func(a *metrics.Alarm) { a.Queries = []metrics.Query{m1} }, "one of them is enough"},
		{"an expression over nothing", func(a *metrics.Alarm) { a.Metric = ""; a.Queries = []metrics.Query{query("e1", "1+1")} }, "no query has a metric"},
		{"an expression over an unknown id", func(a *metrics.Alarm) { a.Metric = ""; a.Queries = []metrics.Query{query("e1", "m1+m9"), m1} }, "m9, which is no query"},
		{"expressions that refer to each other", func(a *metrics.Alarm) {
			a.Metric = ""
			a.Queries = []metrics.Query{query("e1", "e2+m1"), query("e2", "e1+m1"), m1}
		}, "refers back"},
		{"a function of CloudWatch that is not supported", func(a *metrics.Alarm) {
			a.Metric = ""
			a.Queries = []metrics.Query{query("e1", "ANOMALY_DETECTION_BAND(m1,2)"), m1}
		}, "the function ANOMALY_DETECTION_BAND is not supported"},
		{"a search", func(a *metrics.Alarm) {
			a.Metric = ""
			a.Queries = []metrics.Query{query("e1", "SUM(SEARCH('x', 'Sum', 60))"), m1}
		}, `"'" is not supported`},
		{"an expression that ends too soon", func(a *metrics.Alarm) { a.Metric = ""; a.Queries = []metrics.Query{query("e1", "(m1+"), m1} }, "ends too soon"},
		{"two ids alike", func(a *metrics.Alarm) { a.Metric = ""; a.Queries = []metrics.Query{query("e1", "m1"), m1, m1} }, "m1 is used twice"},
		{"an id that starts with a capital", func(a *metrics.Alarm) { a.Metric = ""; a.Queries = []metrics.Query{query("E1", "m1"), m1} }, `"E1" must start`},
		{"nothing that returns data", func(a *metrics.Alarm) { a.Metric = ""; a.Queries = []metrics.Query{query("e2", "m1"), m1} }, "no query returns data"},
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
		{"one alarm by its quoted name", `ALARM("watched")`, metrics.Alarming},
		{"one alarm by its bare name", `ALARM(watched)`, metrics.Alarming},
		{"one alarm by its ARN", `ALARM("arn:aws:cloudwatch:us-east-1:000000000000:alarm:watched")`, metrics.Alarming},
		{"an alarm that is not OK", `OK(watched)`, metrics.OK},
		{"an alarm without data", `INSUFFICIENT_DATA(quiet)`, metrics.Alarming},
		{"AND binds before OR", `TRUE OR ALARM(quiet) AND FALSE`, metrics.Alarming},
		{"parentheses come first", `(TRUE OR ALARM(quiet)) AND FALSE`, metrics.OK},
		{"NOT turns it round", `NOT ALARM(quiet) AND NOT NOT ALARM(watched)`, metrics.Alarming},
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
		{"an empty rule", "", "ends too soon"},
		{"an unknown state", "BROKEN(watched)", `"BROKEN(watched)" is out of place`},
		{"an alarm that is not there", "ALARM(nobody)", `"nobody", which does not exist`},
		{"an open parenthesis", "(ALARM(watched)", "ends too soon"},
		{"an open quote", `ALARM("watched`, "a quote is not closed"},
		{"a missing operator", "ALARM(watched) ALARM(watched)", "is out of place"},
		{"a keyword glued to another", "TRUEORFALSE", "is out of place"},
		{"itself", "ALARM(both)", `"both", which depends on it`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCloud()
			if err := c.alarms.Put(watched()); err != nil {
				t.Fatal(err)
			}
			if err := c.alarms.PutComposite(metrics.CompositeAlarm{Name: "both", Rule: "TRUE"}); err != nil {
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
	if err := errors.Join(c.alarms.Put(watched()), c.alarms.PutComposite(metrics.CompositeAlarm{Name: "both", Rule: "ALARM(watched)"})); err != nil {
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
	maximum, err := metrics.ParseStatistic("Maximum")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := c.store.Series("N", "M", nil).Total(maximum); got != 1 {
		t.Errorf("a gauge that was removed was read: %v", got)
	}
}

func TestRunEvaluatesOnTheClockUntilItsContextEnds(t *testing.T) {
	c := newCloud()
	if err := c.alarms.Put(watched()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	heard := make(chan metrics.Change, 10)
	c.alarms.Subscribe(func(change metrics.Change) { heard <- change })
	go func() { done <- c.alarms.Run(ctx, time.Minute) }()
	c.add(1)
	c.clock.BlockUntil(1)
	c.clock.Advance(time.Minute)
	// The value fell into the minute before: the point of this minute is missing.
	if got := <-heard; got.To != metrics.Alarming {
		t.Errorf("heard of %s, want ALARM", got.To)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}

func TestWhatIsOlderThanTheRetentionIsForgotten(t *testing.T) {
	c := newCloud()
	count, err := metrics.ParseStatistic("SampleCount")
	if err != nil {
		t.Fatal(err)
	}
	for range 10 * int(metrics.Retention/time.Minute) {
		c.add(1)
		c.clock.Advance(time.Minute)
	}
	series := c.store.Series("N", "M", nil)
	if got, _ := series.Total(count); got != metrics.Retention.Minutes() {
		t.Errorf("%v values are kept, want those of %v", got, metrics.Retention)
	}
	series.Add(epoch, 1)
	if got, _ := series.Total(count); got != metrics.Retention.Minutes() {
		t.Errorf("a value of long ago was taken: %v", got)
	}
}
