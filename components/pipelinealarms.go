package components

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newAlarms adds what concerns the pipeline as a whole, and one alarm over all for whoever is on call.
func (args *TradePipelineArgs) newAlarms(ctx *pulumi.Context, p *TradePipeline, name string) error {
	// Each trade counts 0 or 1, so that the average is the share.
	table := []alarm{{
		name:        "rejections",
		description: fmt.Sprintf("More than %d %% of the trades of the last quarter of an hour were rejected: a source sends nonsense, or a rule is wrong.", args.RejectionPercent),
		namespace:   MetricsNamespace, metric: rejectedMetric, dimensions: args.functionMetrics(validatorName),
		statistic: "Average", period: 5 * time.Minute, periods: 3, threshold: float64(args.RejectionPercent) / 100, comparison: above,
	}}
	for _, function := range []string{validatorName, enricherName} {
		table = append(table, alarm{
			name:        function + "-stale-parameters",
			description: fmt.Sprintf("The %s can't read its parameters and goes on with old ones. One that starts now has none, and fails.", function),
			namespace:   MetricsNamespace, metric: staleParametersMetric, dimensions: args.functionMetrics(function),
			statistic: "Sum", period: time.Minute, periods: 3, threshold: 1, comparison: atLeast,
		})
	}
	own, err := newAlarms(ctx, p, name, args.Prefix, args.AlarmTopicARN, table)
	if err != nil {
		return err
	}
	p.Alarms.add(own, p.Bus.Alarms, p.Workflow.Alarms, p.Validator.Alarms, p.Enricher.Alarms, p.Recorder.Alarms, p.Table.Alarms)
	for _, source := range args.Sources {
		p.Alarms.add(p.Delivery[source].Alarms, p.Routes[source].Alarms)
	}
	anyOf := p.Alarms.Paging.ToStringArrayOutput().ApplyT(func(arns []string) string {
		terms := make([]string, len(arns))
		for i, arn := range arns {
			terms[i] = fmt.Sprintf("ALARM(%q)", arn)
		}
		return strings.Join(terms, " OR ")
	}).(pulumi.StringOutput)
	_, err = cloudwatch.NewCompositeAlarm(ctx, name+"-page", &cloudwatch.CompositeAlarmArgs{
		AlarmName:        pulumi.String(args.Prefix + "-page"),
		AlarmDescription: pulumi.String("Trades of " + args.Prefix + " fail or are lost: somebody has to look now. See the dashboard and the runbook."),
		AlarmRule:        anyOf,
		AlarmActions:     pulumi.StringArray{args.AlarmTopicARN},
		OkActions:        pulumi.StringArray{args.AlarmTopicARN},
	}, pulumi.Parent(p))
	if err != nil {
		return fmt.Errorf("making the composite alarm of pipeline %s: %w", name, err)
	}
	return nil
}
