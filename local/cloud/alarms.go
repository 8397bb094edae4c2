package cloud

import (
	"cmp"
	"context"
	"fmt"
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
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		uses: "name comparisonOperator dimensions.* evaluationPeriods extendedStatistic metricName namespace period statistic " +
			"threshold treatMissingData",
		records:  "alarmActions alarmDescription okActions tags",
		requires: "name comparisonOperator evaluationPeriods", replaces: "name", computes: "arn",
		identify: named("cloudwatch", "alarm:"),
		start: with(func(c *Cloud, r *Resource, in metricAlarmInputs) error {
			return c.in(r.Region).alarms.Put(in.alarm())
		}),
		stop: deleteAlarm,
	},
	"aws:cloudwatch/compositeAlarm:CompositeAlarm": {
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
}

func (in metricAlarmInputs) alarm() metrics.Alarm {
	return metrics.Alarm{
		Name: in.Name, Namespace: in.Namespace, Metric: in.MetricName, Dimensions: in.Dimensions,
		Statistic: cmp.Or(in.ExtendedStatistic, in.Statistic), Period: seconds(in.Period), EvaluationPeriods: in.EvaluationPeriods,
		Threshold: in.Threshold, Comparison: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
	}
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
	return c.regional.ensure(name, &region{
		metrics: store, alarms: metrics.NewAlarms(store, c.clock),
		parameters: parameters.New(c.clock, c.faults), pool: function.NewPool(),
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
