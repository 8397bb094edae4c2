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

	// silenceBreaches is set if a missing metric means that something is wrong. Otherwise it means health: a pipeline
	// without trades has no metrics.
	silenceBreaches bool
}

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
			Namespace:          pulumi.String(line.namespace),
			MetricName:         pulumi.String(line.metric),
			Dimensions:         line.dimensions,
			Period:             pulumi.Int(int(line.period.Seconds())),
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
		if line.statistic[0] == percentiles {
			args.ExtendedStatistic = pulumi.String(line.statistic)
		} else {
			args.Statistic = pulumi.String(line.statistic)
		}
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
