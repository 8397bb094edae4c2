package metrics

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A State is what an alarm says about its metric.
type State string

// The states of an alarm; each starts with insufficient data.
const (
	OK               State = "OK"
	Alarming         State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// An Alarm is the definition of an alarm on one metric, or on one without another, like CloudWatch's MetricAlarm. All
// of its evaluation periods must breach.
type Alarm struct {
	Name              string
	Namespace, Metric string
	Dimensions        map[string]string
	Statistic         string        // as ParseStatistic reads it: CloudWatch's statistic or extendedStatistic
	Period            time.Duration // a multiple of a minute
	EvaluationPeriods int
	Threshold         float64
	Comparison        string // one of comparisons
	TreatMissingData  string // breaching or notBreaching

	// Without is another metric, if the alarm's value is not its metric's: it is 1 in a period in which that has a statistic
	// above zero and this one has none, and otherwise 0.
	Without *Metric
}

// A Metric is a metric's name and dimensions.
type Metric struct {
	Namespace, Name string
	Dimensions      map[string]string
}

// extraPeriods is how many periods CloudWatch looks at beyond the evaluation periods, to find data if some is missing.
const extraPeriods = 2

// A comparison says when a value breaches a threshold.
type comparison struct {
	wording  string
	breaches func(value, threshold float64) bool
}

var comparisons = map[string]comparison{
	"GreaterThanThreshold":          {"greater than", func(v, t float64) bool { return v > t }},
	"GreaterThanOrEqualToThreshold": {"greater than or equal to", func(v, t float64) bool { return v >= t }},
	"LessThanThreshold":             {"less than", func(v, t float64) bool { return v < t }},
	"LessThanOrEqualToThreshold":    {"less than or equal to", func(v, t float64) bool { return v <= t }},
}

// An evaluation is a checked Alarm, ready to be evaluated.
type evaluation struct {
	Alarm
	comparison
	statistic Statistic
}

// evaluation checks an alarm and reports everything that CloudWatch or this package refuses.
func (a Alarm) evaluation() (*evaluation, error) {
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("alarm %q: "+format, append([]any{a.Name}, args...)...))
	}
	e := &evaluation{Alarm: a}
	var known bool
	if e.comparison, known = comparisons[a.Comparison]; !known {
		report("comparison operator %q is not supported", a.Comparison)
	}
	var err error
	if e.statistic, err = ParseStatistic(a.Statistic); err != nil {
		report("%w", err)
	}
	if a.Name == "" {
		report("it has no name")
	}
	if a.Namespace == "" || a.Metric == "" {
		report("it names no metric")
	}
	if a.EvaluationPeriods < 1 {
		report("%d evaluation periods; at least 1 is needed", a.EvaluationPeriods)
	}
	if a.Period < time.Minute || a.Period%time.Minute != 0 {
		report("a period of %v is not supported, only multiples of a minute", a.Period)
	}
	if reach := time.Duration(a.EvaluationPeriods+extraPeriods) * a.Period; reach > Retention {
		report("it looks back %v, further than the %v that are kept", reach, Retention)
	}
	if a.TreatMissingData != "breaching" && a.TreatMissingData != "notBreaching" {
		report("treatment of missing data %q is not supported, only breaching and notBreaching", a.TreatMissingData)
	}
	return e, errors.Join(problems...)
}

// A point is the value of one period.
type point struct {
	start time.Time
	value float64
}

// points reads the evaluation range that ends with the current minute, which isn't over yet: a local run of some
// seconds must show the alarms that CloudWatch would raise at the end of the minute. Of the periods with a value, it
// returns the last ones, as many as are evaluated.
func (e *evaluation) points(store *Store, now time.Time) []point {
	series := store.lookup(e.Namespace, e.Metric, e.Dimensions)
	value := func(start, end time.Time) (float64, bool) { return series.Value(e.statistic, start, end) }
	if e.Without != nil {
		others := store.lookup(e.Without.Namespace, e.Without.Name, e.Without.Dimensions)
		value = func(start, end time.Time) (float64, bool) {
			these, _ := series.Value(e.statistic, start, end)
			if _, any := others.Value(e.statistic, start, end); any || these <= 0 {
				return 0, true
			}
			return 1, true
		}
	}
	var found []point
	start := time.Unix((floorMinute(now)+1)*60, 0)
	for range e.EvaluationPeriods + extraPeriods {
		end := start
		start = end.Add(-e.Period)
		if v, ok := value(start, end); ok && len(found) < e.EvaluationPeriods {
			found = append(found, point{start, v}) // the newest first
		}
	}
	return found
}

// decide applies CloudWatch's rules to the points, and gives the reason in CloudWatch's words.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (e *evaluation) decide(points []point, current State) (State, string) {
	missing, breaching := e.EvaluationPeriods-len(points), 0
	values := make([]string, len(points))
	for i, p := range points {
		values[i] = fmt.Sprintf("%s (%s)", decimal(p.value), p.start.UTC().Format("02/01/06 15:04:05"))
		if e.breaches(p.value, e.Threshold) {
			breaching++
		}
	}
	state, count, not := OK, len(points)-breaching, "not "
	if breaching == len(points) && (missing == 0 || e.TreatMissingData == "breaching") {
		state, count, not = Alarming, breaching, ""
	}

	var clauses []string
	if len(points) > 0 {
		clauses = append(clauses, fmt.Sprintf("%d out of the last %d datapoints [%s] %s %s%s the threshold (%s)",
			count, len(points), strings.Join(values, ", "), plural(count, "was", "were"), not, e.wording, decimal(e.Threshold)))
	}
	if missing > 0 {
		treated := map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}[e.TreatMissingData]
		clauses = append(clauses, fmt.Sprintf("no datapoints were received for %d %s, treated as [%s]",
			missing, plural(missing, "period", "periods"), treated))
	}
	reason := "Threshold Crossed: " + strings.Join(clauses, " and ")
	if state == Alarming && current != Alarming {
		reason += fmt.Sprintf(" (minimum %d %s for %s -> %s transition)",
			e.EvaluationPeriods, plural(e.EvaluationPeriods, "datapoint", "datapoints"), current, state)
	}
	return state, reason + "."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// decimal writes 1 as 1.0, as CloudWatch does.
func decimal(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
