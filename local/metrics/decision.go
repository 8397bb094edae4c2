package metrics

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// extraPeriods is how many periods CloudWatch looks at beyond the evaluation
// periods, to find data where some is missing.
const extraPeriods = 2

// A decision is the state that an evaluation calls for, and why.
type decision struct {
	state  State
	reason string
}

// points reads the evaluation range that ends with the present minute, which
// is not over yet: a local run of some seconds shall show the alarms that
// CloudWatch would raise at the end of the minute.
func (e *evaluation) points(store *Store, now time.Time) (points, time.Time) {
	length := e.alarm.EvaluationPeriods + extraPeriods
	end := time.Unix((floorMinute(now)+1)*60, 0)
	start := end.Add(-time.Duration(length) * e.period)
	series := make(map[string]points, len(e.statistics)+len(e.formulas))
	for id, s := range e.statistics {
		data := store.lookup(s.metric.Namespace, s.metric.Metric, s.metric.Dimensions)
		read := make(points, length)
		for i := range read {
			from := start.Add(time.Duration(i) * e.period)
			read[i].value, read[i].ok = data.Value(s.statistic, from, from.Add(e.period))
		}
		series[id] = read
	}
	for _, f := range e.formulas {
		series[f.id] = f.term(series, length)
	}
	return series[e.result], start
}

// decide applies CloudWatch's rules to the evaluation range.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (e *evaluation) decide(within points, start time.Time, current State) decision {
	periods := e.alarm.EvaluationPeriods
	var real []int
	for i, p := range within {
		if p.ok {
			real = append(real, i)
		}
	}
	missing := max(0, periods-len(real))
	evaluated := real[max(0, len(real)-periods):]
	breaching := 0
	for _, i := range evaluated {
		if e.breaches(within[i].value) {
			breaching++
		}
	}
	filled := 0
	if e.missing == "breaching" {
		filled = missing
	}
	describe := func(count int, not string) string {
		return e.describe(within, start, evaluated, count, not, missing, current)
	}
	switch {
	case breaching+filled >= e.datapoints:
		return decision{Alarming, describe(breaching, "")}
	case missing > 0 && e.missing == "ignore" && (len(real) == 0 || e.lasting(within, evaluated)):
		return decision{state: current}
	case missing > 0 && e.missing == "missing" && len(real) == 0:
		return decision{InsufficientData, fmt.Sprintf("Insufficient Data: %d datapoint%s%s unknown.", periods, plural(periods), wasWere(periods))}
	case missing > 0 && e.missing == "missing" && e.lasting(within, evaluated):
		return decision{Alarming, describe(breaching, "")}
	default:
		return decision{OK, describe(len(evaluated)-breaching, "not ")}
	}
}

// lasting is CloudWatch's rule for intermittent data: it alarms when the oldest
// breaching datapoint of the evaluation periods is at least as old as the
// datapoints to alarm, and everything since was breaching or missing, however
// few datapoints there are.
func (e *evaluation) lasting(within points, evaluated []int) bool {
	for _, i := range evaluated {
		if !e.breaches(within[i].value) {
			return false
		}
	}
	recent := within[len(within)-e.alarm.EvaluationPeriods:]
	oldest := slices.IndexFunc(recent, func(p point) bool { return p.ok })
	return oldest >= 0 && len(recent)-oldest >= e.datapoints
}

// describe words the reason as CloudWatch does.
func (e *evaluation) describe(within points, start time.Time, evaluated []int, count int, not string, missing int, current State) string {
	var b strings.Builder
	b.WriteString("Threshold Crossed: ")
	if len(evaluated) > 0 {
		texts := make([]string, len(evaluated))
		for i, at := range evaluated {
			// The newest first, each with the beginning of its period.
			when := start.Add(time.Duration(at) * e.period).UTC().Format("02/01/06 15:04:05")
			texts[len(evaluated)-1-i] = fmt.Sprintf("%s (%s)", decimal(within[at].value), when)
		}
		fmt.Fprintf(&b, "%d out of the last %d datapoints [%s]", count, len(evaluated), strings.Join(texts, ", "))
		fmt.Fprintf(&b, "%s %s%s the threshold (%s)", wasWere(count), not, e.wording, decimal(e.alarm.Threshold))
	}
	if treated, fills := map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}[e.missing]; fills && missing > 0 {
		if len(evaluated) > 0 {
			b.WriteString(" and ")
		}
		fmt.Fprintf(&b, "no datapoints were received for %d period%s, treated as [%s]", missing, plural(missing), treated)
	}
	if to := Alarming; not == "" && current != to {
		fmt.Fprintf(&b, " (minimum %d datapoint%s for %s -> %s transition)", e.datapoints, plural(e.datapoints), current, to)
	}
	b.WriteString(".")
	return b.String()
}

func wasWere(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// decimal writes 1 as 1.0, as CloudWatch does.
func decimal(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
