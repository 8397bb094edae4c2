package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"trade-processing/components"
	"trade-processing/internal/operate"
)

// aws asks the account. Without credentials, or without an answer for them, nothing else is asked.
func (e *examination) aws(ctx context.Context) error {
	client := awshttp.NewBuildableClient().WithTimeout(patience).WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = patience })
	config, err := config.LoadDefaultConfig(ctx, config.WithRegion(e.region), config.WithHTTPClient(client), config.WithRetryMaxAttempts(2),
		config.WithLogger(logging.Nop{})) // or it warns of each place without credentials
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if err := e.identity(ctx, config); err != nil {
		return err
	}
	for _, check := range []struct {
		name, action string
		run          func(context.Context, aws.Config, string) error
	}{
		{"Lambda concurrency", "lambda:GetAccountSettings and lambda:GetFunctionConcurrency", e.concurrency},
		{"VPC endpoints", "servicequotas:GetServiceQuota and servicequotas:GetAWSDefaultServiceQuota", e.endpoints},
		{"registry replication", "ecr:DescribeRegistry", e.replication},
		{"Lambda Insights' log group", "logs:DescribeLogGroups and logs:ListTagsForResource", e.logGroup},
		{"log resource policies", "logs:DescribeResourcePolicies", e.logPolicies},
	} {
		if e.account == "" {
			e.add(check.name, NotChecked, "", "AWS can't be asked: see credentials")
			continue
		}
		if err := check.run(ctx, config, check.name); err != nil {
			fix := ""
			if said := (smithy.APIError)(nil); errors.As(err, &said) && strings.Contains(said.ErrorCode(), "AccessDenied") {
				fix = "allow " + check.action + " to these credentials"
			}
			e.add(check.name, NotChecked, fix, "%s", reason(err))
		}
	}
	return nil
}

// reason returns what AWS said, or why it could say nothing.
func reason(err error) string {
	var unreachable net.Error
	if errors.As(err, &unreachable) {
		return "AWS can't be reached: " + operate.Reason(err)
	}
	return operate.Reason(err)
}

// identity finds out whose account it is, in all of the stack's regions.
func (e *examination) identity(ctx context.Context, config aws.Config) error {
	const check = "credentials"
	if _, err := config.Credentials.Retrieve(ctx); err != nil {
		e.add(check, Problem, "aws configure sso", "there are none: %s", strings.ReplaceAll(err.Error(), "\n", " "))
		return nil
	}
	var regions, refused []string
	if err := e.read(key("replicaRegions"), &regions); err != nil {
		return err
	}
	var arn string
	var last error
	for _, region := range append([]string{e.region}, regions...) {
		answer, err := sts.NewFromConfig(config, func(o *sts.Options) { o.Region = region }).GetCallerIdentity(ctx, nil)
		if err != nil {
			refused, last = append(refused, region), err
			continue
		}
		e.account, arn = aws.ToString(answer.Account), aws.ToString(answer.Arn)
	}
	var said smithy.APIError
	switch {
	case e.account == "" && errors.As(last, &said):
		e.add(check, Problem, "aws sts get-caller-identity", "AWS refuses them: %s", reason(last))
		return nil
	case e.account == "":
		e.add(check, NotChecked, "", "%s", reason(last))
		return nil
	}
	if err := e.isNamed(check, arn); err != nil {
		return err
	}
	// A region that isn't enabled refuses credentials that others take, as do all but the default ones for a session of STS's
	// global endpoint: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
	switch {
	case len(refused) > 0 && errors.As(last, &said):
		e.add("regions", Problem, "aws account enable-region --region-name "+refused[0], "%s: %s", strings.Join(refused, ", "), reason(last))
	case len(refused) > 0:
		e.add("regions", NotChecked, "", "%s: %s", strings.Join(refused, ", "), reason(last))
	default:
		e.add("regions", OK, "", "%s", strings.Join(append([]string{e.region}, regions...), ", "))
	}
	return nil
}

// isNamed compares the account with those that the config names, if it does.
func (e *examination) isNamed(check, arn string) error {
	var named []string
	if e.config["aws:allowedAccountIds"] != "" {
		if err := e.read("aws:allowedAccountIds", &named); err != nil {
			return err
		}
	}
	if parts := strings.Split(e.config[key("permissionsBoundary")], ":"); len(parts) > 4 && parts[4] != "aws" {
		named = append(named, parts[4])
	}
	if other := slices.IndexFunc(named, func(id string) bool { return id != e.account }); other >= 0 && !slices.Contains(named, e.account) {
		e.add(check, Problem, "export AWS_PROFILE=PROFILE", "%s is of account %s, and the config names %s", arn, e.account, named[other])
		return nil
	}
	e.add(check, OK, "", "%s of account %s", arn, e.account)
	return nil
}

// unreserved is how much of the quota must be left for functions that reserve nothing:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const unreserved = 100

func (e *examination) concurrency(ctx context.Context, config aws.Config, check string) error {
	reserved, functions := 0, []string{}
	for name := range e.config {
		if function, is := strings.CutSuffix(strings.TrimPrefix(name, key("")), "ReservedConcurrency"); is {
			own := 0
			if err := e.read(name, &own); err != nil {
				return err
			}
			reserved, functions = reserved+own, append(functions, function)
		}
	}
	client := lambda.NewFromConfig(config)
	// Service Quotas knows the quota, but not what other functions have reserved of it:
	// https://docs.aws.amazon.com/lambda/latest/api/API_AccountLimit.html
	answer, err := client.GetAccountSettings(ctx, nil)
	if err != nil {
		return err
	}
	if answer.AccountLimit == nil || answer.AccountLimit.UnreservedConcurrentExecutions == nil {
		return errors.New("the answer has no limit")
	}
	all, free := int(answer.AccountLimit.ConcurrentExecutions), int(*answer.AccountLimit.UnreservedConcurrentExecutions)
	lacking := reserved + unreserved - free
	if lacking > 0 { // unless the stack is deployed, and has reserved it already
		held, err := e.held(ctx, client, functions)
		if err != nil {
			return err
		}
		free, lacking = free+held, lacking-held
	}
	// The code of Lambda's quota: https://docs.aws.amazon.com/general/latest/gr/lambda-service.html
	more := fmt.Sprintf("aws service-quotas request-service-quota-increase --region %s --service-code lambda --quota-code L-B99A9384 --desired-value %d", e.region, all+lacking)
	switch {
	case lacking > 0 && reserved > 0:
		e.add(check, Problem, more, "%d of %d are unreserved, and the stack reserves %d, of which %d must be left", free, all, reserved, unreserved)
	case lacking > 0:
		e.add(check, Warning, more, "only %d of %d are unreserved: calls above that are throttled", free, all)
	default:
		e.add(check, OK, "", "%d of %d are unreserved, and the stack reserves %d", free, all, reserved)
	}
	return nil
}

// held is how much the stack's functions reserve already.
func (e *examination) held(ctx context.Context, client *lambda.Client, functions []string) (sum int, err error) {
	for _, function := range functions {
		answer, err := client.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: aws.String(project + "-" + e.environment() + "-" + function)})
		if missing := (*lambdatypes.ResourceNotFoundException)(nil); errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += int(aws.ToInt32(answer.ReservedConcurrentExecutions))
	}
	return sum, nil
}

// project is what the names and tags of all stacks begin with.
const project = "trade-processing"

// environment is what the stack's names and tags have behind that.
func (e *examination) environment() string { return cmp.Or(e.config[key("environment")], e.stack) }

// endpoints compares the interface endpoints with how many a VPC may have. The quota's code, and what Service Quotas answers:
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
// https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
func (e *examination) endpoints(ctx context.Context, config aws.Config, check string) error {
	code, service := aws.String("L-29B6F2EB"), aws.String("vpc")
	var wanted []string
	if err := e.read(key("vpcEndpoints"), &wanted); err != nil {
		return err
	}
	client := servicequotas.NewFromConfig(config)
	var quota *quotatypes.ServiceQuota
	own, err := client.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: service, QuotaCode: code})
	if none := (*quotatypes.NoSuchResourceException)(nil); errors.As(err, &none) { // the account has the default
		given, err := client.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{ServiceCode: service, QuotaCode: code})
		if err != nil {
			return err
		}
		quota = given.Quota
	} else if err != nil {
		return err
	} else {
		quota = own.Quota
	}
	if quota == nil || quota.Value == nil {
		return errors.New("the answer has no value")
	}
	limit := int(*quota.Value)
	switch adopted := e.config[key("vpcId")]; {
	case len(wanted) > limit:
		e.add(check, Problem, fmt.Sprintf("aws service-quotas request-service-quota-increase --region %s --service-code vpc --quota-code %s --desired-value %d", e.region, *code, len(wanted)),
			"the stack has %d interface endpoints, and a VPC may have %d", len(wanted), limit)
	case adopted != "":
		e.add(check, NotChecked, fmt.Sprintf("aws ec2 describe-vpc-endpoints --region %s --filters Name=vpc-id,Values=%s --query 'length(VpcEndpoints)'", e.region, adopted),
			"a VPC may have %d: only EC2 knows how many %s has besides the stack's %d", limit, adopted, len(wanted))
	default:
		e.add(check, OK, "", "the stack has %d, and its VPC may have %d", len(wanted), limit)
	}
	return nil
}

// replication looks at the registry's one replication configuration, which the stack would replace.
func (e *examination) replication(ctx context.Context, config aws.Config, check string) error {
	if e.config[key("manageRegistryReplication")] != "true" {
		e.add(check, OK, "", "left to another stack of the account")
		return nil
	}
	answer, err := ecr.NewFromConfig(config).DescribeRegistry(ctx, nil)
	if err != nil {
		return err
	}
	if answer.ReplicationConfiguration == nil || len(answer.ReplicationConfiguration.Rules) == 0 {
		e.add(check, OK, "", "the registry has none yet, and the stack will own it")
		return nil
	}
	theirs, own := []string{}, true
	for _, rule := range answer.ReplicationConfiguration.Rules {
		for _, filter := range rule.RepositoryFilters {
			theirs = append(theirs, aws.ToString(filter.Filter)+"*")
			own = own && aws.ToString(filter.Filter) == project+"/"+e.environment()+"/"
		}
		own = own && len(rule.RepositoryFilters) > 0
		for _, destination := range rule.Destinations {
			theirs = append(theirs, "to "+aws.ToString(destination.Region)+" of "+aws.ToString(destination.RegistryId))
		}
	}
	if own {
		e.add(check, OK, "", "the registry has the stack's own: %s", strings.Join(theirs, ", "))
		return nil
	}
	e.add(check, Problem, key("manageRegistryReplication: false"), "the registry has one, and the stack would replace it: %s", strings.Join(theirs, ", "))
	return nil
}

// logGroup looks for the group that one stack of the account and region owns, and says which, by its tags.
func (e *examination) logGroup(ctx context.Context, config aws.Config, check string) error {
	group, manages := aws.String(components.InsightsLogGroup), e.config[key("manageInsightsLogGroup")] == "true"
	client := cloudwatchlogs.NewFromConfig(config)
	answer, err := client.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: group})
	if err != nil {
		return err
	}
	for _, found := range answer.LogGroups {
		if aws.ToString(found.LogGroupName) != *group {
			continue
		}
		tags, err := client.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: found.LogGroupArn})
		if err != nil {
			return err
		}
		owner := "nobody's, by its tags"
		if environment := tags.Tags["Environment"]; environment != "" {
			owner = fmt.Sprintf("of environment %s of %s", environment, tags.Tags["Project"])
		}
		if manages && tags.Tags["Environment"] == e.environment() && tags.Tags["Project"] == project {
			e.add(check, OK, "", "it exists, and is the stack's own")
		} else if manages {
			e.add(check, Problem, key("manageInsightsLogGroup: false"), "it exists already, so the stack can't create it: it is %s", owner)
		} else {
			e.add(check, OK, "", "it exists, and is %s", owner)
		}
		return nil
	}
	if manages {
		e.add(check, OK, "", "there is none yet, and the stack will own it")
	} else {
		e.add(check, Warning, key("manageInsightsLogGroup: true"), "there is none, and the stack won't create it: Lambda Insights has nowhere to write")
	}
	return nil
}

// mostPolicies is how many resource policies CloudWatch Logs has in an account and region, which can't be raised. Step
// Functions adds one, or extends the one of all state machines, when a state machine logs:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
// https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
const mostPolicies = 10

func (e *examination) logPolicies(ctx context.Context, config aws.Config, check string) error {
	answer, err := cloudwatchlogs.NewFromConfig(config).DescribeResourcePolicies(ctx, &cloudwatchlogs.DescribeResourcePoliciesInput{})
	if err != nil {
		return err
	}
	count, shared := len(answer.ResourcePolicies), false
	for _, policy := range answer.ResourcePolicies {
		shared = shared || strings.Contains(aws.ToString(policy.PolicyDocument), "/aws/vendedlogs/")
	}
	if count >= mostPolicies && !shared {
		e.add(check, Problem, "aws logs delete-resource-policy --region "+e.region+" --policy-name NAME", "there are %d of %d, and none lets state machines log: delete one that nothing needs", count, mostPolicies)
	} else {
		e.add(check, OK, "", "there are %d of %d", count, mostPolicies)
	}
	return nil
}
