package rules

import (
	"strings"

	"trade-processing/policy/document"
	"trade-processing/policy/value"
)

// allowedActions is the option of the rule on action wildcards.
var allowedActions = Option{
	Name: "allowedActions", About: "Actions with a wildcard that are allowed; * matches anything, so \"s3:Get*\" is the action itself.",
	Schema: texts(), Default: []any{},
}

// wideActions is the option of the rule on resource wildcards. The default is actions that have a resource type in AWS's
// service authorization reference and are needed on all of them all the same.
var wideActions = Option{
	Name: "allowedActions", About: "Actions that may be allowed on every resource, besides those that AWS ties to none; * matches anything.",
	Schema: texts(),
	Default: list(
		// Optional resource types: a call without one is authorised on *.
		"ce:Get*", "cloudformation:DescribeStacks", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "cloudwatch:PutMetricData",
		"comprehend:DetectEntities", "dynamodb:ListExports", "dynamodb:ListImports", "polly:StartSpeechSynthesisStream", "polly:SynthesizeSpeech",
		"rekognition:DetectModerationLabels", "servicequotas:GetServiceQuota", "sns:Unsubscribe", "translate:TranslateDocument", "translate:TranslateText",
		// Composite alarms are described on * alone
		// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).
		"cloudwatch:DescribeAlarms",
		// Lambda checks a role for these before it creates a function in a VPC, and accepts the deletion of one id or all
		// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions).
		"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses",
		// Nearly all of EC2's descriptions have no resource.
		"ec2:Describe*",
	),
}

// listsAction reports whether one of an option's patterns matches an action or a pattern of actions. AWS doesn't compare
// their case.
func listsAction(patterns value.Value, action string) bool {
	for _, pattern := range patterns.Each() {
		if document.Like(strings.ToLower(pattern.Text()), strings.ToLower(action)) {
			return true
		}
	}
	return false
}
