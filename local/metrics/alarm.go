package metrics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A State is what an alarm says of its metric.
type State string

// The states of an alarm; each starts with too little data.
const (
	OK               State = "OK"
	Alarming         State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// An Alarm is the definition of a metric alarm, as CloudWatch's MetricAlarm. It
// watches either one metric (Namespace to Period) or the one of its Queries
// that returns data.
type Alarm struct {
	Name, Description string

	Namespace, Metric string
	Dimensions        map[string]string
	// Statistic is as ParseStatistic reads it: CloudWatch's statistic or
	// extendedStatistic.
	Statistic string
	Period    time.Duration // a multiple of a minute

	Queries []Query

	EvaluationPeriods int
	// DatapointsToAlarm is how many of the periods must breach; 0 means all.
	DatapointsToAlarm int
	Threshold         float64
	// Comparison is GreaterThanThreshold, GreaterThanOrEqualToThreshold,
	// LessThanThreshold or LessThanOrEqualToThreshold.
	Comparison string
	// TreatMissingData is missing, ignore, breaching or notBreaching. Empty is
	// missing, but ignore for metrics of AWS/DynamoDB.
	TreatMissingData string

	Actions Actions
}

// A Query is one of an alarm's metricQueries: a metric's statistic, or an
// expression over others.
type Query struct {
	ID, Label  string
	Expression string
	Metric     *MetricStat
	ReturnData bool
}

// A MetricStat is a statistic of a metric, as a Query takes it.
type MetricStat struct {
	Namespace, Metric string
	Dimensions        map[string]string
	Statistic         string
	Period            time.Duration
}

// Actions are the ARNs that an alarm notifies on entering a state.
type Actions struct {
	Alarm, OK, InsufficientData []string
}

func (a Actions) of(state State) []string {
	switch state {
	case Alarming:
		return a.Alarm
	case OK:
		return a.OK
	default:
		return a.InsufficientData
	}
}

// A CompositeAlarm is in ALARM when its rule over other alarms holds, and OK
// otherwise.
type CompositeAlarm struct {
	Name, Description string
	Rule              string
	Actions           Actions
}

// dynamoDB is the namespace whose alarms ignore missing data unless told.
const dynamoDB = "AWS/DynamoDB"

// An evaluation is a checked Alarm, ready to be evaluated.
type evaluation struct {
	alarm      Alarm
	period     time.Duration
	statistics map[string]stat // by query id
	formulas   []formula       // in an order in which each finds its operands
	result     string          // the id that is compared with the threshold
	datapoints int
	missing    string
	breaches   func(value float64) bool
	wording    string
}

type stat struct {
	metric    MetricStat
	statistic Statistic
}

type formula struct {
	id   string
	term term
}

// evaluation checks an alarm and reports everything that CloudWatch or this
// package refuses.
func (a Alarm) evaluation() (*evaluation, error) {
	e := &evaluation{alarm: a, statistics: map[string]stat{}, datapoints: a.DatapointsToAlarm, missing: a.TreatMissingData}
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("alarm %q: "+format, append([]any{a.Name}, args...)...))
	}
	if a.Name == "" {
		report("it has no name")
	}
	if e.datapoints == 0 {
		e.datapoints = a.EvaluationPeriods
	}
	if a.EvaluationPeriods < 1 {
		report("%d evaluation periods; at least 1 is needed", a.EvaluationPeriods)
	} else if e.datapoints < 1 || e.datapoints > a.EvaluationPeriods {
		report("%d datapoints to alarm of %d evaluation periods", a.DatapointsToAlarm, a.EvaluationPeriods)
	}
	var known bool
	if e.breaches, e.wording, known = comparison(a.Comparison, a.Threshold); !known {
		report("comparison operator %q is not supported", a.Comparison)
	}
	queries := a.Queries
	switch {
	case len(queries) > 0 && a.Metric != "":
		report("it has a metric and metric queries; one of them is enough")
	case len(queries) == 0:
		queries = []Query{{ID: "m1", ReturnData: true, Metric: &MetricStat{
			Namespace: a.Namespace, Metric: a.Metric, Dimensions: a.Dimensions, Statistic: a.Statistic, Period: a.Period,
		}}}
	}
	if err := e.compile(queries); err != nil {
		report("%w", err)
	}
	switch e.missing {
	case "":
		e.missing = "missing"
		if a.Namespace == dynamoDB {
			e.missing = "ignore"
		}
	case "missing", "ignore", "breaching", "notBreaching":
	default:
		report("treatment of missing data %q is none of missing, ignore, breaching and notBreaching", a.TreatMissingData)
	}
	if reach := time.Duration(a.EvaluationPeriods+extraPeriods) * e.period; reach > Retention {
		report("it looks back %v, further than the %v that are kept", reach, Retention)
	}
	return e, errors.Join(problems...)
}

func (e *evaluation) compile(queries []Query) error {
	type pending struct {
		formula
		needs []string
	}
	var formulas []pending
	var problems []error
	known := map[string]bool{}
	for _, q := range queries {
		switch {
		case q.ID == "" || q.ID[0] < 'a' || q.ID[0] > 'z':
			problems = append(problems, fmt.Errorf("query id %q must start with a lower-case letter", q.ID))
			continue
		case known[q.ID]:
			problems = append(problems, fmt.Errorf("query id %s is used twice", q.ID))
			continue
		case (q.Metric == nil) == (q.Expression == ""):
			problems = append(problems, fmt.Errorf("query %s needs either a metric or an expression", q.ID))
			continue
		}
		known[q.ID] = true
		if q.ReturnData {
			if e.result != "" {
				problems = append(problems, fmt.Errorf("queries %s and %s both return data; an alarm watches one", e.result, q.ID))
			}
			e.result = q.ID
		}
		if q.Expression != "" {
			t, needs, err := parseExpression(q.Expression)
			if err != nil {
				problems = append(problems, fmt.Errorf("query %s: %w", q.ID, err))
			}
			formulas = append(formulas, pending{formula{q.ID, t}, needs})
			continue
		}
		if err := e.metric(q); err != nil {
			problems = append(problems, err)
		}
	}
	if e.result == "" {
		problems = append(problems, errors.New("no query returns data"))
	}
	if len(e.statistics) == 0 {
		problems = append(problems, errors.New("no query has a metric"))
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	// Each round takes the formulas whose operands are there.
	ready := map[string]bool{}
	for id := range e.statistics {
		ready[id] = true
	}
	for len(formulas) > 0 {
		left := formulas[:0:0]
		for _, f := range formulas {
			if slices.ContainsFunc(f.needs, func(id string) bool { return !ready[id] }) {
				left = append(left, f)
				continue
			}
			ready[f.id] = true
			e.formulas = append(e.formulas, f.formula)
		}
		if len(left) == len(formulas) {
			return fmt.Errorf("query %s refers to %s, which is no query or refers back to it", left[0].id, strings.Join(left[0].needs, ", "))
		}
		formulas = left
	}
	return nil
}

func (e *evaluation) metric(q Query) error {
	m := *q.Metric
	var problems []error
	if m.Namespace == "" || m.Metric == "" {
		problems = append(problems, fmt.Errorf("query %s names no metric", q.ID))
	}
	statistic, err := ParseStatistic(m.Statistic)
	if err != nil {
		problems = append(problems, fmt.Errorf("query %s: %w", q.ID, err))
	}
	if m.Period < time.Minute || m.Period%time.Minute != 0 {
		problems = append(problems, fmt.Errorf("query %s: a period of %v is not supported, only multiples of a minute", q.ID, m.Period))
	}
	if e.period != 0 && e.period != m.Period {
		problems = append(problems, fmt.Errorf("query %s: a period of %v beside one of %v is not supported", q.ID, m.Period, e.period))
	}
	e.period = m.Period
	e.statistics[q.ID] = stat{m, statistic}
	return errors.Join(problems...)
}

func comparison(operator string, threshold float64) (breaches func(float64) bool, wording string, known bool) {
	switch operator {
	case "GreaterThanThreshold":
		return func(v float64) bool { return v > threshold }, "greater than", true
	case "GreaterThanOrEqualToThreshold":
		return func(v float64) bool { return v >= threshold }, "greater than or equal to", true
	case "LessThanThreshold":
		return func(v float64) bool { return v < threshold }, "less than", true
	case "LessThanOrEqualToThreshold":
		return func(v float64) bool { return v <= threshold }, "less than or equal to", true
	}
	return nil, "", false
}
