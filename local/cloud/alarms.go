package cloud

import (
	"cmp"
	"context"
	"slices"
	"time"

	"trade-processing/local/function"
	"trade-processing/local/metrics"
	"trade-processing/local/parameters"
)

// alarmKinds are CloudWatch's metric and composite alarms.
var alarmKinds = map[string]kind{
	"aws:cloudwatch/metricAlarm:MetricAlarm": living[metricAlarmInputs]{
		requires: "name comparisonOperator evaluationPeriods", replaces: "name", computes: "arn",
		identify: func(_ *Cloud, r *Resource, in metricAlarmInputs) error {
			r.ID = in.Name
			r.set("arn", r.arn("cloudwatch", "alarm:%s", in.Name))
			return nil
		},
		start: func(c *Cloud, r *Resource, in metricAlarmInputs) error { return c.in(r.Region).alarms.Put(in.alarm()) },
		stop:  func(c *Cloud, r *Resource) error { return c.in(r.Region).alarms.Delete(r.ID) },
	}.kind(),
	"aws:cloudwatch/compositeAlarm:CompositeAlarm": living[compositeAlarmInputs]{
		requires: "alarmName alarmRule", replaces: "alarmName", computes: "arn",
		identify: func(_ *Cloud, r *Resource, in compositeAlarmInputs) error {
			r.ID = in.AlarmName
			r.set("arn", r.arn("cloudwatch", "alarm:%s", in.AlarmName))
			return nil
		},
		start: func(c *Cloud, r *Resource, in compositeAlarmInputs) error {
			return c.in(r.Region).alarms.PutComposite(metrics.CompositeAlarm{Name: in.AlarmName, Rule: in.AlarmRule})
		},
		stop: func(c *Cloud, r *Resource) error { return c.in(r.Region).alarms.Delete(r.ID) },
	}.kind(),
}

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

	// On record: nobody is notified.
	AlarmDescription string            `property:"alarmDescription"`
	AlarmActions     []string          `property:"alarmActions"`
	OKActions        []string          `property:"okActions"`
	Tags             map[string]string `property:"tags"`
}

type compositeAlarmInputs struct {
	AlarmName string `property:"alarmName"`
	AlarmRule string `property:"alarmRule"`

	// On record.
	AlarmDescription string            `property:"alarmDescription"`
	AlarmActions     []string          `property:"alarmActions"`
	OKActions        []string          `property:"okActions"`
	Tags             map[string]string `property:"tags"`
}

func (in metricAlarmInputs) alarm() metrics.Alarm {
	return metrics.Alarm{
		Name: in.Name, Namespace: in.Namespace, Metric: in.MetricName, Dimensions: in.Dimensions,
		Statistic: cmp.Or(in.ExtendedStatistic, in.Statistic), Period: seconds(in.Period), EvaluationPeriods: in.EvaluationPeriods,
		Threshold: in.Threshold, Comparison: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// EvaluateAlarms has every alarm look at its metric as it is now, and returns the changes into ALARM since the cloud
// began, the oldest first.
func (c *Cloud) EvaluateAlarms() []metrics.Change {
	var all []metrics.Change
	for _, region := range c.regions() {
		region.alarms.Evaluate()
		all = append(all, region.alarms.WentOff()...)
	}
	slices.SortStableFunc(all, func(a, b metrics.Change) int { return a.At.Compare(b.At) })
	return all
}

// AlarmStatus is the state of a region's alarms when they were last evaluated.
func (c *Cloud) AlarmStatus(region string) []metrics.Status { return c.in(region).alarms.Status() }

// WatchAlarms evaluates the alarms every minute until ctx ends, as CloudWatch does, so that one that goes off and
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

// in finds or makes the part of a region.
func (c *Cloud) in(name string) *region {
	c.regional.mu.Lock()
	defer c.regional.mu.Unlock()
	if found, ok := c.regional.items[name]; ok {
		return found
	}
	store := metrics.NewStore()
	store.Declare("AWS/Events", eventMetrics...)
	store.Declare("AWS/States", executionMetrics...)
	made := &region{
		metrics: store, alarms: metrics.NewAlarms(store, c.clock),
		parameters: parameters.New(c.clock, c.faults), pool: function.NewPool(),
	}
	if c.regional.items == nil {
		c.regional.items = map[string]*region{}
	}
	c.regional.items[name] = made
	return made
}

func (c *Cloud) regions() []*region {
	var all []*region
	for _, one := range c.regional.all() {
		all = append(all, one)
	}
	return all
}
