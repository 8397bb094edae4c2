package components

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

// The AWS service principals that this package grants something to.
const (
	alarmService       = "cloudwatch.amazonaws.com"
	backupService      = "backup.amazonaws.com"
	eventService       = "events.amazonaws.com"
	flowLogService     = "vpc-flow-logs.amazonaws.com"
	functionService    = "lambda.amazonaws.com"
	logDeliveryService = "delivery.logs.amazonaws.com"
	registryService    = "ecr.amazonaws.com"
	workflowService    = "states.amazonaws.com"
)

// Condition keys that keep a service from acting for anyone else (the confused deputy:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
const (
	sourceAccount = "aws:SourceAccount"
	sourceARN     = "aws:SourceArn"
)

// onBehalfOf returns the condition that a service acts for these resources. Their ARNs include the account, so
// aws:SourceAccount would add nothing but one more key that a service may not send.
func onBehalfOf(resources ...string) iam.Conditions {
	return iam.Conditions{iam.ArnLike: {sourceARN: resources}}
}

// onBehalfOfAccount returns the condition that a service acts for this account.
func onBehalfOfAccount(account string) iam.Conditions {
	return iam.Conditions{iam.StringEquals: {sourceAccount: {account}}}
}

// qualified returns a resource's ARN and the pattern of its versions and aliases.
func qualified(arn string) iam.Strings { return iam.Strings{arn, arn + ":*"} }

// trust returns the policy of a role that one service assumes.
func trust(service string, conditions iam.Conditions) (pulumi.String, error) {
	text, err := iam.New(iam.Statement{
		Effect:    iam.Allow,
		Principal: iam.Service(service),
		Action:    iam.Strings{"sts:AssumeRole"},
		Condition: conditions,
	}).JSON()
	return pulumi.String(text), err
}

// policyOf renders the statements that build derives from the inputs' values, once they are known.
func policyOf(build func(value []string) []iam.Statement, inputs ...pulumi.StringInput) pulumi.StringOutput {
	return pulumi.StringArray(inputs).ToStringArrayOutput().ApplyT(func(values []string) (string, error) {
		return iam.New(build(values)...).JSON()
	}).(pulumi.StringOutput)
}

// onlyTLS denies everything on a resource to callers that don't encrypt their connection.
func onlyTLS(actions, resource string) iam.Statement {
	return iam.Statement{
		Sid:       "DenyWithoutTLS",
		Effect:    iam.Deny,
		Principal: iam.Everyone(),
		Action:    iam.Strings{actions},
		Resource:  iam.Strings{resource},
		Condition: iam.Conditions{iam.Bool: {"aws:SecureTransport": {"false"}}},
	}
}

// anyResource is the resource of statements for which AWS supports no narrower one. Each use names its reason; a test
// has the list of actions that may use it.
var anyResource = iam.Strings{"*"}

// thisKey is the resource of a key policy's statement: the key that has the policy, which no ARN can name before it
// exists.
var thisKey = iam.Strings{"*"}
