package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newAlarms adds the alarms on the pipeline as a whole, and one composite alarm for the person on call.
func (args *TradePipelineArgs) newAlarms(ctx *pulumi.Context, p *TradePipeline, name string) error {
	p.Alarms.add(p.Bus.Alarms, p.Workflow.Alarms)
	for i, stage := range args.Stages {
		var table []alarm
		for _, watched := range stage.Alarms {
			dimensions := pulumi.StringMap{"Environment": pulumi.String(args.Environment), "Function": pulumi.String(stage.Function)}
			table = append(table, watched.alarm(dimensions, args.MetricsNamespace))
		}
		own, err := newAlarms(ctx, p, name, args.Prefix, args.AlarmTopicARN, table)
		if err != nil {
			return err
		}
		p.Alarms.add(own, p.Functions[i].Alarms)
	}
	p.Alarms.add(p.Table.Alarms)
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
	_, err := cloudwatch.NewCompositeAlarm(ctx, name+"-page", &cloudwatch.CompositeAlarmArgs{
		AlarmName:        pulumi.String(args.Prefix + "-page"),
		AlarmDescription: pulumi.String("Trades of " + args.Prefix + " fail or are lost: look into it now. See the dashboard and the runbook."),
		AlarmRule:        anyOf,
		AlarmActions:     pulumi.StringArray{args.AlarmTopicARN},
		OkActions:        pulumi.StringArray{args.AlarmTopicARN},
	}, pulumi.Parent(p))
	if err != nil {
		return fmt.Errorf("creating the composite alarm of pipeline %s: %w", name, err)
	}
	return nil
}
