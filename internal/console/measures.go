package console

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"trade-processing/internal/operate"
	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
)

// The metrics that the page shows. Each of AWS's is named as its service's documentation does.

// ofSource counts the events of a source that its rule passed on.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
func (c *Console) ofSource(source string) operate.Metric {
	dimensions := map[string]string{"RuleName": c.stack.Outputs.Prefix() + "from-" + source}
	if bus := c.stack.Outputs.EventBusName; bus != "default" {
		dimensions["EventBusName"] = bus
	}
	return operate.Metric{Namespace: "AWS/Events", Name: "Invocations", Dimensions: dimensions, Statistic: "Sum"}
}

// own is a metric that a function writes into its log.
func (c *Console) own(of, name, statistic string) operate.Metric {
	return operate.Metric{
		Namespace: function.MetricsNamespace, Name: name, Statistic: statistic,
		Dimensions: map[string]string{"Environment": c.stack.Outputs.Environment, "Function": of},
	}
}

// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (c *Console) ofFunction(name, metric, statistic string) operate.Metric {
	return operate.Metric{Namespace: "AWS/Lambda", Name: metric, Dimensions: map[string]string{"FunctionName": name}, Statistic: statistic}
}

// https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
func (c *Console) ofMachine(metric, statistic string) operate.Metric {
	return operate.Metric{
		Namespace: "AWS/States", Name: metric, Dimensions: map[string]string{"StateMachineArn": c.stack.Outputs.StateMachineARN}, Statistic: statistic,
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func ofQueue(url, metric, statistic string) operate.Metric {
	return operate.Metric{Namespace: "AWS/SQS", Name: metric, Dimensions: map[string]string{"QueueName": afterLast(url, "/")}, Statistic: statistic}
}

// outcome is what can become of a trade.
type outcome struct {
	Name   string
	Class  string // its colour
	metric func(*Console) []operate.Metric
}

var outcomes = []outcome{
	{"recorded", "good", func(c *Console) []operate.Metric {
		return []operate.Metric{c.own(recorder.Name, recorder.EndToEndLatency, "SampleCount")}
	}},
	{"rejected", "warn", func(c *Console) []operate.Metric {
		return []operate.Metric{c.own(recorder.Name, recorder.TradesRejected, "Sum")}
	}},
	{"duplicates", "idle", func(c *Console) []operate.Metric {
		return []operate.Metric{c.own(recorder.Name, recorder.DuplicateTrades, "Sum"), c.own(recorder.Name, recorder.DuplicateRejections, "Sum")}
	}},
	{"dead-lettered", "bad", func(c *Console) []operate.Metric {
		var all []operate.Metric
		for _, url := range c.stack.Outputs.Queues() {
			all = append(all, ofQueue(url, "NumberOfMessagesSent", "Sum"))
		}
		return all
	}},
	{"without full context", "info", func(c *Console) []operate.Metric {
		return []operate.Metric{c.own(enricher.Name, enricher.PartialContext, "Sum")}
	}},
}

// line is one line of a chart.
type line struct {
	Name   string     `json:"name"`
	Class  string     `json:"class"`
	Values []*float64 `json:"values"` // null where there is none
	Total  float64    `json:"-"`
}

// chart is drawn by uPlot from its JSON; for those who can't see it, its lines' totals are a list.
type chart struct {
	Title string  `json:"-"`
	Unit  string  `json:"unit"`
	Times []int64 `json:"times"` // seconds since 1970
	Lines []line  `json:"lines"`
	Sums  bool    `json:"-"` // the lines' totals are shown
}

// request collects metrics, so that one call asks for all.
type request struct {
	metrics []operate.Metric
	fill    []func([]operate.Series)
}

// want asks for metrics; their series are given to then.
func (r *request) want(then func([]operate.Series), metrics ...operate.Metric) {
	first := len(r.metrics)
	r.metrics = append(r.metrics, metrics...)
	r.fill = append(r.fill, func(all []operate.Series) { then(all[first : first+len(metrics)]) })
}

func (r *request) read(ctx context.Context, stack *operate.Stack, window operate.Window) error {
	all, err := stack.Measure(ctx, window, r.metrics)
	if err != nil {
		return err
	}
	for _, fill := range r.fill {
		fill(all)
	}
	return nil
}

// Empty says that no line has a value but zero.
func (c *chart) Empty() bool {
	return !slices.ContainsFunc(c.Lines, func(l line) bool { return l.Total > 0 })
}

// newChart returns a chart without lines.
func newChart(title, unit string, window operate.Window) *chart {
	c := &chart{Title: title, Unit: unit}
	for at := window.From; at.Before(window.To); at = at.Add(window.Period) {
		c.Times = append(c.Times, at.Unix())
	}
	return c
}

// add adds a line, the sum of several series if they are counts. Where nothing happened, a count is zero, and anything
// else unknown.
func (c *chart) add(name, class string, count bool, series []operate.Series) {
	values := make([]*float64, len(c.Times))
	total := 0.0
	if count {
		for i := range values {
			values[i] = new(float64)
		}
	}
	for _, one := range series {
		for i, at := range one.Times {
			place, within := c.place(at)
			if !within || math.IsNaN(one.Values[i]) {
				continue
			}
			if values[place] == nil {
				values[place] = new(float64)
			}
			*values[place] += one.Values[i]
			total += one.Values[i]
		}
	}
	c.Lines = append(c.Lines, line{name, class, values, total})
}

func (c *chart) place(at time.Time) (int, bool) {
	if len(c.Times) < 2 {
		return 0, len(c.Times) == 1
	}
	place := int((at.Unix() - c.Times[0]) / (c.Times[1] - c.Times[0]))
	return place, at.Unix() >= c.Times[0] && place < len(c.Times)
}

// last returns the latest value of a series; NaN if it has none.
func last(s operate.Series) float64 {
	if len(s.Values) == 0 {
		return math.NaN()
	}
	return s.Values[len(s.Values)-1]
}

func afterLast(text, separator string) string { return text[strings.LastIndex(text, separator)+1:] }
