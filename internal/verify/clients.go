package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/smithy-go"

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
	if v.Config.Credentials == nil {
		return errNoCredentials
	}
	if _, err := v.Config.Credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("%w: %w", errNoCredentials, err)
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

var errNoCredentials = errors.New("no AWS credentials: get some with `aws sso login` or `aws configure`, choose with AWS_PROFILE")

// explain adds to an AWS error how to fix it.
func explain(err error, outputs operate.Outputs) error {
	if errors.Is(err, errTimeout) || errors.Is(err, errNoCredentials) {
		return err
	}
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		var unreachable net.Error
		if errors.As(err, &unreachable) {
			return fmt.Errorf("%w\nAWS can't be reached: is the network up, and is AWS_ENDPOINT_URL right, if set?", err)
		}
		return err
	}
	code := refusal.ErrorCode()
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(code, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("Expired"):
		return fmt.Errorf("%w\nThe credentials have expired: renew them with `aws sso login`, or wherever they came from", err)
	case has("UnrecognizedClient", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature"):
		return fmt.Errorf("%w\nAWS doesn't know these credentials: choose others with AWS_PROFILE", err)
	case has("AccessDenied", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"):
		return fmt.Errorf("%w\nThe caller's role lacks this permission: docs/verify.md lists everything a verification needs", err)
	case has("NotFound", "DoesNotExist", "NonExistentQueue"):
		return fmt.Errorf("%w\nIt isn't in account %s, region %s: are these the outputs of a stack that was destroyed, or deployed elsewhere?",
			err, outputs.Account(), outputs.Region)
	}
	return err
}
