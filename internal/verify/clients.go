package verify

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"

	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// clients are the AWS services in the stack's regions.
type clients struct {
	identity *sts.Client
	events   *eventbridge.Client
	table    *dynamodb.Client
	replicas map[string]*dynamodb.Client // by region
	queues   *sqs.Client
	alarms   *cloudwatch.Client
	machines *sfn.Client
	logs     *cloudwatchlogs.Client
	traces   *xray.Client
}

func newClients(config aws.Config, outputs operate.Outputs) *clients {
	here := config.Copy()
	here.Region = outputs.Region
	c := &clients{
		identity: sts.NewFromConfig(here), events: eventbridge.NewFromConfig(here), table: dynamodb.NewFromConfig(here),
		queues: sqs.NewFromConfig(here), alarms: cloudwatch.NewFromConfig(here), machines: sfn.NewFromConfig(here),
		logs: cloudwatchlogs.NewFromConfig(here), traces: xray.NewFromConfig(here), replicas: map[string]*dynamodb.Client{},
	}
	for _, region := range outputs.ReplicaRegions {
		there := config.Copy()
		there.Region = region
		c.replicas[region] = dynamodb.NewFromConfig(there)
	}
	return c
}

// findDeployment makes sure that credentials, account, region and outputs belong together before anything is sent.
func (v *verification) findDeployment(ctx context.Context, result *Result) error {
	if err := operate.FindCredentials(ctx, v.Config); err != nil {
		return err
	}
	who, err := v.clients.identity.GetCallerIdentity(ctx, nil)
	if err != nil {
		return fmt.Errorf("asking whose credentials these are: %w", err)
	}
	if is, want := aws.ToString(who.Account), v.Outputs.Account(); is != want {
		result.problem("these are credentials for account %s, but the stack is in account %s: choose others, for instance with AWS_PROFILE", is, want)
		return nil
	}
	if _, err := v.clients.events.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(v.Outputs.EventBusName)}); err != nil {
		return fmt.Errorf("looking for the bus %s: %w", v.Outputs.EventBusName, err)
	}
	if _, err := v.clients.table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(v.Outputs.TradeTableName)}); err != nil {
		return fmt.Errorf("looking for the table %s: %w", v.Outputs.TradeTableName, err)
	}
	if v.alarms, err = v.ringing(ctx, result); err != nil {
		return err
	}
	result.found("bus %s, table %s and %s", v.Outputs.EventBusName, v.Outputs.TradeTableName, terminal.Plural(len(v.Outputs.Queues()), "dead-letter queue"))
	return nil
}
