package access

import "slices"

// fact is a row of the table: what AWS authorises when a call is made, and with what.
//
// In its fields, {by} and {on} are the ARNs of the two resources, {by.role} and {on.key} what they name, {on.base} an
// ARN without its version or alias and {on.qualifier} that version or alias, {region} that of {by}'s ARN, {with} the
// call's own detail. A row is left out if what it needs isn't there: a queue without a customer-managed key needs no
// permission on one.
//
// A condition key is in a row only if AWS's documentation says that it is sent for this very use. A policy that asks
// for another one denies, as it may on AWS.
type fact struct {
	call    Call
	caller  string // a service principal, or {by.role} and the like
	actions []string
	on      string // the resource's ARN as AWS authorises it; empty for the trust policy of a role
	assumes string // the role that is assumed
	sends   keys
	through string // the service whose VPC endpoint the call passes through, if the function is in a VPC
	needs   string // leave the row out unless this is there
	source  string // what says so
}

type keys map[string]string

// Keys that AWS services send to say for whom they act.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
const (
	sourceARN     = "aws:SourceArn"
	sourceAccount = "aws:SourceAccount"
	viaService    = "kms:ViaService"
	context       = "kms:EncryptionContext:"
)

// The condition key that Lambda adds to a function's own requests, and to its logs and traces.
// https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
var fromFunction = keys{"lambda:SourceFunctionArn": "{by}"}

const (
	eventBridgeGuide   = "https://docs.aws.amazon.com/eventbridge/latest/userguide/"
	stepFunctionsGuide = "https://docs.aws.amazon.com/step-functions/latest/dg/"
	lambdaGuide        = "https://docs.aws.amazon.com/lambda/latest/dg/"
	sqsGuide           = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
	dynamoDBGuide      = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
	kmsGuide           = "https://docs.aws.amazon.com/kms/latest/developerguide/"
	logsGuide          = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/"
	snsGuide           = "https://docs.aws.amazon.com/sns/latest/dg/"
	vpcGuide           = "https://docs.aws.amazon.com/vpc/latest/userguide/"
	ecrGuide           = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"
)

// facts is the one table of what AWS authorises with.
var facts = slices.Concat(eventFacts, workflowFacts, functionFacts, otherFacts)

var eventFacts = []fact{
	{
		call: PutEvents, caller: "{by}", actions: []string{"events:PutEvents"}, on: "{on}", sends: keys{"events:source": "{with}"},
		source: eventBridgeGuide + "eb-use-conditions.html",
	},
	{
		// The encryption context is the same in all of EventBridge's calls for a bus.
		call: KeepEvent, caller: "events.amazonaws.com", actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, on: "{on.key}",
		sends:  keys{sourceARN: "{on}", context + "aws:events:event-bus:arn": "{on}"},
		source: eventBridgeGuide + "eb-encryption-event-bus-cmkey.html",
	},
	{
		// Checked before there is a bus to act for.
		call: CreateBus, caller: "events.amazonaws.com", actions: []string{"kms:DescribeKey"}, on: "{on.key}",
		source: eventBridgeGuide + "eb-encryption-event-bus-cmkey.html",
	},
	{
		call: StartExecution, caller: "events.amazonaws.com", actions: assumeRole, assumes: "{by.role}",
		sends:  keys{sourceARN: "{by}", sourceAccount: "{account}"},
		source: eventBridgeGuide + "cross-service-confused-deputy-prevention.html",
	},
	{
		// Through an alias or a version, with the state machine's own ARN.
		call: StartExecution, caller: "{by.role}", actions: []string{"states:StartExecution"}, on: "{on.base}",
		sends:  keys{"states:StateMachineQualifier": "{on.qualifier}"},
		source: stepFunctionsGuide + "auth-version-alias.html",
	},
	{
		// A rule's ARN for its target's queue, a bus's for its own.
		call: KeepUndelivered, caller: "events.amazonaws.com", actions: []string{"sqs:SendMessage"}, on: "{on}",
		sends:  keys{sourceARN: "{by}"},
		source: eventBridgeGuide + "eb-rule-dlq.html",
	},
	{
		// AWS's statement for this use has no condition; for EventBridge and an encrypted topic it says that
		// aws:SourceArn and aws:SourceAccount aren't supported (sns-key-management.html). The queue's own page lists
		// them for "CloudWatch Events" without saying with which value, so nothing is sent here.
		call: KeepUndelivered, caller: "events.amazonaws.com", actions: useKey, on: "{on.key}",
		source: eventBridgeGuide + "eb-targets.html#targets-permissions",
	},
}

var workflowFacts = []fact{
	{
		call: BeginExecution, caller: "states.amazonaws.com", actions: assumeRole, assumes: "{by.role}",
		sends:  keys{sourceARN: "{by}", sourceAccount: "{account}"},
		source: stepFunctionsGuide + "procedure-create-iam-role.html#prevent-cross-service-confused-deputy",
	},
	{
		// AWS's example ends in stateMachine:*, so the value for an execution of an alias may have a qualifier.
		call: BeginExecution, caller: "states.amazonaws.com", actions: assumeRole, assumes: "{by.role}",
		sends:  keys{sourceARN: "{by}:live", sourceAccount: "{account}"},
		source: stepFunctionsGuide + "procedure-create-iam-role.html#prevent-cross-service-confused-deputy",
	},
	{
		// The execution role calls KMS itself: kms:ViaService isn't sent.
		call: BeginExecution, caller: "{by.role}", actions: useKey, on: "{by.key}",
		sends:  keys{context + "aws:states:stateMachineArn": "{by}"},
		source: stepFunctionsGuide + "encryption-at-rest.html",
	},
	{
		// With the ARN that the call names: that of an alias includes the alias.
		call: InvokeFunction, caller: "{by.role}", actions: []string{"lambda:InvokeFunction"}, on: "{on}",
		source: lambdaGuide + "lambda-api-permissions-ref.html, " + stepFunctionsGuide + "connect-lambda.html#lambda-iam",
	},
	{
		call: SendMessage, caller: "{by.role}", actions: []string{"sqs:SendMessage"}, on: "{on}",
		source: stepFunctionsGuide + "connect-sqs.html#sqs-iam",
	},
	{
		call: SendMessage, caller: "{by.role}", actions: useKey, on: "{on.key}", sends: keys{viaService: "sqs.{region}.amazonaws.com"},
		source: sqsGuide + "sqs-key-management.html#sqs-what-permissions-for-sse, " + kmsGuide + "conditions-kms.html#conditions-kms-via-service",
	},
	{
		call: PutMetricData, caller: "{by.role}", actions: []string{"cloudwatch:PutMetricData"}, on: "*", sends: keys{"cloudwatch:namespace": "{with}"},
		source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html",
	},
	{
		call: CreateMachine, caller: "{by.role}", on: "*", needs: "{by.logs}",
		actions: []string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
			"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		},
		source: stepFunctionsGuide + "cw-logs.html#cloudwatch-iam-policy",
	},
	{
		call: TraceMachine, caller: "{by.role}", on: "*",
		actions: []string{"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"},
		source:  stepFunctionsGuide + "concepts-xray-tracing.html#xray-iam",
	},
	{
		call: WriteExecutionLogs, caller: "{by.role}", actions: []string{"kms:GenerateDataKey"}, on: "{by.key}", needs: "{by.logs}",
		sends:  keys{context + "SourceArn": "arn:aws:logs:{region}:{account}:*"}, // the star is literal
		source: stepFunctionsGuide + "encryption-at-rest.html#step-3-add-key-policy-to-encrypt-cloudwatch-logs",
	},
	{
		// KMS decrypts only with the context that it encrypted with.
		call: WriteExecutionLogs, caller: "delivery.logs.amazonaws.com", actions: []string{"kms:Decrypt"}, on: "{by.key}", needs: "{by.logs}",
		sends:  keys{context + "SourceArn": "arn:aws:logs:{region}:{account}:*"},
		source: stepFunctionsGuide + "encryption-at-rest.html, " + kmsGuide + "encrypt_context.html",
	},
}

var functionFacts = []fact{
	{
		call: CreateFunction, caller: "lambda.amazonaws.com", actions: assumeRole, assumes: "{by.role}",
		sends:  keys{sourceAccount: "{account}"},
		source: "https://github.com/aws/agent-toolkit-for-aws, the trust policy of its skill for a function behind an API",
	},
	{
		call: AttachFunction, caller: "{by.role}", on: "arn:aws:ec2:{region}:{account}:network-interface/*", needs: "{by.vpc}",
		actions: []string{"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:UnassignPrivateIpAddresses"},
		source:  lambdaGuide + "configuration-vpc.html#configuration-vpc-permissions",
	},
	{
		call: AttachFunction, caller: "{by.role}", on: "arn:aws:ec2:{region}:{account}:subnet/subnet-0", needs: "{by.vpc}",
		actions: []string{"ec2:CreateNetworkInterface"},
		source:  "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html",
	},
	{
		call: AttachFunction, caller: "{by.role}", on: "arn:aws:ec2:{region}:{account}:security-group/sg-0", needs: "{by.vpc}",
		actions: []string{"ec2:CreateNetworkInterface"},
		source:  "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html",
	},
	{
		// Checked for all network interfaces, or one: a pattern of one resource type is refused.
		call: AttachFunction, caller: "{by.role}", on: "arn:aws:ec2:{region}:{account}:*/*", needs: "{by.vpc}",
		actions: []string{"ec2:DeleteNetworkInterface"},
		source:  lambdaGuide + "configuration-vpc.html#configuration-vpc-permissions, hashicorp/terraform-provider-aws#20698",
	},
	{
		call: AttachFunction, caller: "{by.role}", on: "*", needs: "{by.vpc}",
		actions: []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"},
		source:  lambdaGuide + "configuration-vpc.html#configuration-vpc-permissions",
	},
	{
		// The statement that Lambda itself adds to a repository names the function's ARN.
		call: PullImage, caller: "lambda.amazonaws.com", actions: []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, on: "{on}",
		sends:  keys{sourceARN: "{by}"},
		source: lambdaGuide + "images-create.html#configuration-images-permissions",
	},
	{
		// That statement ends in function:*, so the ARN may have a version.
		call: PullImage, caller: "lambda.amazonaws.com", actions: []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, on: "{on}",
		sends:  keys{sourceARN: "{by}:1"},
		source: lambdaGuide + "images-create.html#configuration-images-xaccount-permissions",
	},
	{
		call: WriteLogs, caller: "{by.role}", actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, on: "{on}:log-stream:one",
		sends:  fromFunction,
		source: lambdaGuide + "monitoring-cloudwatchlogs.html, " + logsGuide + "iam-access-control-overview-cwl.html#CWL_ARN_Format",
	},
	{
		call: WriteInsights, caller: "{by.role}", actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, on: "{on}:log-stream:one",
		sends: fromFunction, through: "logs",
		source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-Getting-Started-docker.html",
	},
	{
		call: TraceFunction, caller: "{by.role}", actions: []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, on: "*",
		sends:  fromFunction,
		source: lambdaGuide + "services-xray.html",
	},
	{
		call: KeepFailedCall, caller: "{by.role}", actions: []string{"sqs:SendMessage"}, on: "{on}",
		source: lambdaGuide + "invocation-async-retain-records.html#invocation-dlq",
	},
	{
		call: KeepFailedCall, caller: "{by.role}", actions: useKey, on: "{on.key}", sends: keys{viaService: "sqs.{region}.amazonaws.com"},
		source: sqsGuide + "sqs-key-management.html#sqs-what-permissions-for-sse",
	},
	{
		call: PutItem, caller: "{by.role}", actions: []string{"dynamodb:PutItem"}, on: "{on}", sends: fromFunction, through: "dynamodb",
		source: dynamoDBGuide + "using-identity-based-policies.html",
	},
	{
		// The principal that accesses the table decrypts the table key; DynamoDB itself made it, with a grant.
		call: PutItem, caller: "{by.role}", actions: []string{"kms:Decrypt"}, on: "{on.key}",
		sends: keys{
			viaService: "dynamodb.{region}.amazonaws.com", context + "aws:dynamodb:tableName": "{on.name}",
			context + "aws:dynamodb:subscriberId": "{account}",
		},
		source: dynamoDBGuide + "encryption.usagenotes.html, " + kmsGuide + "services-dynamodb.html#dynamodb-cmk-trail",
	},
	{
		call: GetItem, caller: "{by.role}", actions: []string{"dynamodb:GetItem"}, on: "{on}", sends: fromFunction, through: "dynamodb",
		source: dynamoDBGuide + "using-identity-based-policies.html",
	},
	{
		call: GetItem, caller: "{by.role}", actions: []string{"kms:Decrypt"}, on: "{on.key}",
		sends: keys{
			viaService: "dynamodb.{region}.amazonaws.com", context + "aws:dynamodb:tableName": "{on.name}",
			context + "aws:dynamodb:subscriberId": "{account}",
		},
		source: dynamoDBGuide + "encryption.usagenotes.html, " + kmsGuide + "services-dynamodb.html#dynamodb-cmk-trail",
	},
	{
		// With the path itself.
		call: GetParameters, caller: "{by.role}", actions: []string{"ssm:GetParametersByPath"}, on: "{on}", sends: fromFunction, through: "ssm",
		source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html",
	},
	{
		call: GetParameters, caller: "{by.role}", actions: []string{"kms:Decrypt"}, on: "{on.key}",
		sends:  keys{viaService: "ssm.{region}.amazonaws.com"},
		source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html",
	},
}

var otherFacts = []fact{
	{
		call: Notify, caller: "cloudwatch.amazonaws.com", actions: []string{"sns:Publish"}, on: "{on}",
		sends:  keys{sourceARN: "{by}"},
		source: snsGuide + "sns-access-policy-use-cases.html#sns-allow-cloudwatch-alarm-to-publish-to-topic-in-another-account",
	},
	{
		call: Notify, caller: "cloudwatch.amazonaws.com", actions: useKey, on: "{on.key}",
		sends:  keys{sourceARN: "{by}"},
		source: snsGuide + "sns-key-management.html#compatibility-with-aws-services, and grantCloudWatchAlarmsTopicAccess of https://github.com/aws/modern-data-architecture-accelerator",
	},
	{
		// Which of the actions in AWS's statement CloudWatch Logs calls isn't documented. kms:DescribeKey isn't among
		// them: it has no encryption context, so AWS's own statement, whose condition names one, doesn't allow it
		// either.
		call: EncryptLogs, caller: "logs.{region}.amazonaws.com", on: "{on.key}",
		actions: []string{
			"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
		},
		sends:  keys{context + "aws:logs:arn": "{on}"},
		source: logsGuide + "encrypt-log-data-kms.html#cmk-permissions",
	},
	{
		call: WriteFlowLogs, caller: "vpc-flow-logs.amazonaws.com", actions: assumeRole, assumes: "{by.role}",
		sends:  keys{sourceARN: "{by}", sourceAccount: "{account}"},
		source: vpcGuide + "flow-logs-iam-role.html",
	},
	{
		call: WriteFlowLogs, caller: "{by.role}", on: "{on}:log-stream:one",
		actions: []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
		source:  vpcGuide + "flow-logs-iam-role.html",
	},
	{
		call: WriteFlowLogs, caller: "{by.role}", on: "*", actions: []string{"logs:DescribeLogGroups"},
		source: vpcGuide + "flow-logs-iam-role.html",
	},
	{
		// Its documentation shows no condition for the role's trust.
		call: BackUp, caller: "backup.amazonaws.com", actions: assumeRole, assumes: "{by.role}",
		source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html",
	},
	{
		call: CopyImages, caller: "ecr.amazonaws.com", actions: assumeRole, assumes: "{by.role}",
		source: ecrGuide + "repository-creation-templates-create-iam.html",
	},
	{
		call: CopyImages, caller: "{by.role}", on: "{on}",
		actions: []string{"ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"},
		source:  ecrGuide + "repository-creation-templates-create-iam.html",
	},
	{
		call: CopyImages, caller: "{by.role}", on: "{by.key}", actions: []string{"kms:DescribeKey", "kms:RetireGrant"},
		source: ecrGuide + "repository-creation-templates-create-iam.html",
	},
	{
		// ECR makes the grant for the role that makes the repository.
		call: CopyImages, caller: "{by.role}", on: "{by.key}", actions: []string{"kms:CreateGrant"}, sends: keys{"kms:GrantIsForAWSResource": "true"},
		source: ecrGuide + "encryption-at-rest.html, " + kmsGuide + "conditions-kms.html#conditions-kms-grant-is-for-aws-resource",
	},
	{
		// What the account's administrators can do with any key, and what creating and destroying a stack needs of it.
		call: ManageKey, caller: "{by}", on: "{on}",
		actions: []string{
			"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation",
			"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
			"kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:RetireGrant", "kms:RevokeGrant",
			"kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
			"kms:UpdateKeyDescription", "kms:UpdatePrimaryRegion",
		},
		source: kmsGuide + "key-policy-default.html#key-policy-default-allow-administrators",
	},
	{
		// DynamoDB, ECR, Lambda and AWS Backup: for the principal that makes the encrypted resource.
		call: LendKey, caller: "{by}", on: "{on}", actions: []string{"kms:CreateGrant"}, sends: keys{"kms:GrantIsForAWSResource": "true"},
		source: kmsGuide + "key-policy-default.html#key-policy-service-integration",
	},
	{
		// The cryptographic actions that services ask for on behalf of a principal of the account: a bus's
		// (eb-encryption-event-bus-cmkey.html) and a table's (services-dynamodb.html) need all of them between them.
		call: UseKey, caller: "{by}", on: "{on}",
		actions: []string{
			"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
		},
		source: kmsGuide + "key-policy-default.html#key-policy-users-crypto",
	},
}

var (
	assumeRole = []string{"sts:AssumeRole"}

	// useKey is what a producer to an encrypted queue or topic calls.
	useKey = []string{"kms:Decrypt", "kms:GenerateDataKey"}
)
