package cloud

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"trade-processing/local/access"
	"trade-processing/local/function"
	"trade-processing/local/metrics"
	"trade-processing/local/parameters"
)

// alarmKinds are CloudWatch's metric and composite alarms. Nobody is notified.
var alarmKinds = map[string]kind{
	MetricAlarmType: {
		uses: "name comparisonOperator dimensions.* evaluationPeriods extendedStatistic metricName namespace period statistic " +
			"threshold treatMissingData metricQueries.expression metricQueries.id metricQueries.returnData metricQueries.metric.dimensions.* " +
			"metricQueries.metric.metricName metricQueries.metric.namespace metricQueries.metric.period metricQueries.metric.stat",
		records:  "alarmActions alarmDescription metricQueries.label okActions tags",
		requires: "name comparisonOperator evaluationPeriods", replaces: "name", computes: "arn",
		identify: named("cloudwatch", "alarm:"),
		start: with(func(c *Cloud, r *Resource, in metricAlarmInputs) error {
			alarm, err := in.alarm()
			if err != nil {
				return err
			}
			return c.in(r.Region).alarms.Put(alarm)
		}),
		stop: deleteAlarm,
	},
	CompositeAlarmType: {
		uses: "alarmName alarmRule", records: "alarmActions alarmDescription okActions tags",
		requires: "alarmName alarmRule", replaces: "alarmName", computes: "arn",
		identify: then(joined("", "alarmName"), func(_ *Cloud, r *Resource) {
			r.set("arn", r.arn("cloudwatch", "alarm:%s", r.ID))
		}),
		start: func(c *Cloud, r *Resource) error {
			return c.in(r.Region).alarms.PutComposite(metrics.CompositeAlarm{Name: r.ID, Rule: r.Inputs.text("alarmRule")})
		},
		stop: deleteAlarm,
	},
}

func deleteAlarm(c *Cloud, r *Resource) error { return c.in(r.Region).alarms.Delete(r.ID) }

type metricAlarmInputs struct {
	Name               string            `property:"name"`
	ComparisonOperator string            `property:"comparisonOperator"`
	Dimensions         map[string]string `property:"dimensions"`
	EvaluationPeriods  int               `property:"evaluationPeriods"`
	ExtendedStatistic  string            `property:"extendedStatistic"`
	MetricName         string            `property:"metricName"`
	Namespace          string            `property:"namespace"`
	Period             int               `property:"period"`
	Statistic          string            `property:"statistic"`
	Threshold          float64           `property:"threshold"`
	TreatMissingData   string            `property:"treatMissingData"`
	MetricQueries      []metricQuery     `property:"metricQueries"`
}

type metricQuery struct {
	ID         string `property:"id"`
	Expression string `property:"expression"`
	ReturnData bool   `property:"returnData"`
	Metric     struct {
		Dimensions map[string]string `property:"dimensions"`
		MetricName string            `property:"metricName"`
		Namespace  string            `property:"namespace"`
		Period     int               `property:"period"`
		Stat       string            `property:"stat"`
	} `property:"metric"`
}

func (in metricAlarmInputs) alarm() (metrics.Alarm, error) {
	alarm := metrics.Alarm{
		Name: in.Name, Namespace: in.Namespace, Metric: in.MetricName, Dimensions: in.Dimensions,
		Statistic: cmp.Or(in.ExtendedStatistic, in.Statistic), Period: seconds(in.Period), EvaluationPeriods: in.EvaluationPeriods,
		Threshold: in.Threshold, Comparison: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
	}
	if len(in.MetricQueries) == 0 {
		return alarm, nil
	}
	return alarm, in.withoutAnother(&alarm)
}

// alone is the one expression of metric math that is known here: it is 1 in periods in which the first metric is above
// zero and the second has no data, and otherwise 0
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
var alone = regexp.MustCompile(`^IF\(FILL\((\w+), 0\) > 0 AND FILL\((\w+), -1\) < 0, 1, 0\)$`)

// withoutAnother reads the queries of an alarm on one metric without another.
func (in metricAlarmInputs) withoutAnother(alarm *metrics.Alarm) error {
	queries, expression := map[string]metricQuery{}, ""
	for _, query := range in.MetricQueries {
		queries[query.ID] = query
		if query.ReturnData {
			expression = query.Expression
		}
	}
	operands := alone.FindStringSubmatch(expression)
	if operands == nil || len(queries) != 3 || alarm.Metric != "" {
		return fmt.Errorf("the only metric math known here is IF(FILL(a, 0) > 0 AND FILL(b, -1) < 0, 1, 0) over two metrics, and this is %q", expression)
	}
	these, others := queries[operands[1]].Metric, queries[operands[2]].Metric
	if these.Stat != others.Stat || these.Period != others.Period {
		return fmt.Errorf("metrics with different statistics or periods are not known here: %s and %s", operands[1], operands[2])
	}
	alarm.Namespace, alarm.Metric, alarm.Dimensions = these.Namespace, these.MetricName, these.Dimensions
	alarm.Statistic, alarm.Period = these.Stat, seconds(these.Period)
	alarm.Without = &metrics.Metric{Namespace: others.Namespace, Name: others.MetricName, Dimensions: others.Dimensions}
	return nil
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// EvaluateAlarms evaluates every alarm now, and returns the changes into ALARM since the cloud began, oldest first.
func (c *Cloud) EvaluateAlarms() []metrics.Change {
	var all []metrics.Change
	for name, region := range c.regional.all() {
		region.alarms.Evaluate()
		for _, change := range region.alarms.WentOff() {
			change.Reason += c.unnotified(name, change.Alarm)
			all = append(all, change)
		}
	}
	slices.SortStableFunc(all, func(a, b metrics.Change) int { return a.At.Compare(b.At) })
	return all
}

// unnotified says which topics an alarm can't publish to. On AWS only the alarm's history tells.
func (c *Cloud) unnotified(region, alarm string) string {
	var failed strings.Builder
	for typ := range alarmKinds {
		r, found := c.Read(typ, region, alarm)
		if !found {
			continue
		}
		topics, _ := r.Inputs["alarmActions"].([]any)
		for _, topic := range topics {
			arn, _ := topic.(string)
			if err := c.allowed(access.Notify, r.itsARN(), arn, ""); err != nil {
				fmt.Fprintf(&failed, "; failed to execute action %s: %v", arn, err)
			}
		}
	}
	return failed.String()
}

// AlarmStatus returns the state of a region's alarms when they were last evaluated.
func (c *Cloud) AlarmStatus(region string) []metrics.Status { return c.in(region).alarms.Status() }

// Metric returns what a metric of a region was; nil, which has no data, if there is none.
func (c *Cloud) Metric(region string, metric metrics.Metric) *metrics.Series {
	return c.in(region).metrics.Lookup(metric)
}

// AlarmChanges lists the changes of a region's alarms into ALARM, the oldest first.
func (c *Cloud) AlarmChanges(region string) []metrics.Change { return c.in(region).alarms.WentOff() }

// SetAlarm gives an alarm a state until it is next evaluated to another, and says whether there is such an alarm.
func (c *Cloud) SetAlarm(region, name string, state metrics.State, reason string) bool {
	return c.in(region).alarms.Set(name, state, reason)
}

// Metrics returns a region's metrics, with the gauges as of now.
func (c *Cloud) Metrics(region string) *metrics.Store {
	found := c.in(region).metrics
	found.Sample(c.clock.Now())
	return found
}

// WatchAlarms evaluates the alarms every minute until ctx ends, as CloudWatch does, so an alarm that goes off and
// recovers during a long run is seen.
func (c *Cloud) WatchAlarms(ctx context.Context) {
	for c.clock.Sleep(ctx, time.Minute) == nil {
		c.EvaluateAlarms()
	}
}

// region is what CloudWatch, SSM and Lambda keep for one region.
type region struct {
	metrics    *metrics.Store
	alarms     *metrics.Alarms
	parameters *parameters.Store
	pool       *function.Pool
}

// in finds or creates a region's part.
func (c *Cloud) in(name string) *region {
	if found, err := c.regional.get(name); err == nil {
		return found
	}
	store := metrics.NewStore()
	store.Declare("AWS/Events", eventMetrics...)
	store.Declare("AWS/States", executionMetrics...)
	kept := parameters.New(c.clock, c.faults)
	if c.disk != nil {
		kept.Keep(c.disk, "parameter/"+name+"/")
	}
	return c.regional.ensure(name, &region{
		metrics: store, alarms: metrics.NewAlarms(store, c.clock), parameters: kept, pool: function.NewPool(),
	})
}

// measured are one resource's metrics, looked up once.
type measured map[string]*metrics.Series

func (c *Cloud) measure(region, namespace string, dimensions map[string]string, names []string) measured {
	m := measured{}
	for _, name := range names {
		m[name] = c.in(region).metrics.Series(namespace, name, dimensions)
	}
	return m
}
