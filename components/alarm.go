package components

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// alarm is one line of a component's table of alarms.
type alarm struct {
	name        string // what it watches, in kebab case; the end of its logical and physical names
	description string // what happened and where to look, for the person it wakes
	namespace   string // AWS/SQS, AWS/Lambda, …
	metric      string
	dimensions  pulumi.StringMap
	statistic   string // Sum, Maximum, Average, or a percentile such as p99
	period      time.Duration
	periods     int // evaluation periods; all of them must breach
	threshold   float64
	comparison  comparison
	pages       bool // whether it wakes somebody: part of the composite alarm

	// without is another metric, if the alarm goes off in periods in which the first has values above zero and this one has
	// none at all.
	without *other

	// silenceBreaches is set if a missing metric means that something is wrong. Otherwise it means health: a pipeline
	// without trades has no metrics.
	silenceBreaches bool
}

// other is another metric of an alarm's namespace.
type other struct {
	metric     string
	dimensions pulumi.StringMap
}

// alone is 1 while there are values of the one metric and none of the other, and otherwise 0. FILL gives missing periods
// a value (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
const alone = "IF(FILL(these, 0) > 0 AND FILL(others, -1) < 0, 1, 0)"

// comparison is how an alarm's metric must compare with its threshold to breach.
type comparison string

const (
	atLeast comparison = "GreaterThanOrEqualToThreshold"
	above   comparison = "GreaterThanThreshold"
	below   comparison = "LessThanThreshold"
)

// Alarms are the alarms of a component.
type Alarms struct {
	Paging pulumi.StringArray // the ARNs of those that wake somebody
}

func (a *Alarms) add(others ...Alarms) {
	for _, other := range others {
		a.Paging = append(a.Paging, other.Paging...)
	}
}

// percentiles is the first letter of an extended statistic.
const percentiles = 'p'

// newAlarms creates a component's alarms. Each alarm's name is appended to logical and physical. All of them notify the
// topic when they go off and when they recover.
func newAlarms(ctx *pulumi.Context, parent pulumi.Resource, logical, physical string, topicARN pulumi.StringInput, table []alarm) (Alarms, error) {
	var made Alarms
	for _, line := range table {
		args := &cloudwatch.MetricAlarmArgs{
			Name:               pulumi.String(physical + "-" + line.name),
			AlarmDescription:   pulumi.String(line.description),
			EvaluationPeriods:  pulumi.Int(line.periods),
			Threshold:          pulumi.Float64(line.threshold),
			ComparisonOperator: pulumi.String(string(line.comparison)),
			TreatMissingData:   pulumi.String("notBreaching"),
			AlarmActions:       pulumi.Array{topicARN},
			OkActions:          pulumi.Array{topicARN},
		}
		if line.silenceBreaches {
			args.TreatMissingData = pulumi.String("breaching")
		}
		line.watch(args)
		// Only another name replaces an alarm. CloudWatch doesn't delete it while a composite alarm depends on it.
		metricAlarm, err := cloudwatch.NewMetricAlarm(ctx, logical+"-"+line.name, args, pulumi.Parent(parent), pulumi.DeleteBeforeReplace(false))
		if err != nil {
			return Alarms{}, fmt.Errorf("creating alarm %s-%s: %w", logical, line.name, err)
		}
		if line.pages {
			made.Paging = append(made.Paging, metricAlarm.Arn)
		}
	}
	return made, nil
}

// watch sets what the alarm's value is.
func (line alarm) watch(args *cloudwatch.MetricAlarmArgs) {
	period := pulumi.Int(int(line.period.Seconds()))
	if line.without != nil {
		query := func(id, metric string, dimensions pulumi.StringMap) *cloudwatch.MetricAlarmMetricQueryArgs {
			return &cloudwatch.MetricAlarmMetricQueryArgs{Id: pulumi.String(id), Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace: pulumi.String(line.namespace), MetricName: pulumi.String(metric), Dimensions: dimensions,
				Period: period, Stat: pulumi.String(line.statistic),
			}}
		}
		args.MetricQueries = cloudwatch.MetricAlarmMetricQueryArray{
			&cloudwatch.MetricAlarmMetricQueryArgs{
				Id: pulumi.String("alone"), Expression: pulumi.String(alone), Label: pulumi.String(line.name), ReturnData: pulumi.Bool(true),
			},
			query("these", line.metric, line.dimensions), query("others", line.without.metric, line.without.dimensions),
		}
		return
	}
	args.Namespace, args.MetricName, args.Dimensions, args.Period = pulumi.String(line.namespace), pulumi.String(line.metric), line.dimensions, period
	if line.statistic[0] == percentiles {
		args.ExtendedStatistic = pulumi.String(line.statistic)
	} else {
		args.Statistic = pulumi.String(line.statistic)
	}
}
