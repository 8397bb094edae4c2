// Package roles has the policies of the roles that deploy and preview a stack, as docs/roles.md shows them.
package roles

import (
	"trade-processing/components/iam"
)

// What stands for a stack's own values, in the documents and on the page.
const (
	account = "ACCOUNT"
	replica = "REPLICA"                      // the replica's region
	prefix  = "trade-processing-ENVIRONMENT" // begins every name
	folder  = "trade-processing/ENVIRONMENT" // begins the names of parameters and repositories
)

func arn(service, resource string) string {
	return "arn:aws:" + service + ":*:" + account + ":" + resource
}

func allow(sid string, resources iam.Strings, actions ...string) iam.Statement {
	return iam.Statement{Sid: sid, Effect: iam.Allow, Action: actions, Resource: resources}
}

// bounded is the statement that may be allowed on condition of a boundary: AWS has the key iam:PermissionsBoundary for these
// actions alone, so that the condition never holds for others.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
const bounded = "RolesWithinBoundary"

// stackRoles are all roles of a stack.
var stackRoles = iam.Strings{"arn:aws:iam::" + account + ":role/" + prefix + "-*"}

// ofTheStack holds for keys with the stack's tags. A key has no name before it is made.
var ofTheStack = iam.Conditions{iam.StringEquals: {
	"aws:ResourceTag/Project": {"trade-processing"}, "aws:ResourceTag/Environment": {"ENVIRONMENT"},
}}

// Services is the first half of the deploying role's policy: what has a name that the stack gives it.
func Services() iam.Document {
	return iam.New(
		allow("Queues", iam.Strings{arn("sqs", prefix+"-*")},
			"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes", "sqs:ListQueueTags",
			"sqs:TagQueue", "sqs:UntagQueue"),
		allow("Topic", iam.Strings{arn("sns", prefix+"-*")},
			"sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:ListTagsForResource",
			"sns:TagResource", "sns:UntagResource", "sns:Subscribe"),
		allow("Subscriptions", iam.Strings{"*"}, // they have no resource level
			"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"),
		allow("Bus", iam.Strings{arn("events", "event-bus/"+prefix), arn("events", "archive/"+prefix+"-events"), arn("events", "rule/"+prefix+"*")},
			"events:CreateEventBus", "events:DeleteEventBus", "events:DescribeEventBus", "events:UpdateEventBus",
			"events:CreateArchive", "events:DeleteArchive", "events:DescribeArchive", "events:UpdateArchive",
			"events:PutRule", "events:DeleteRule", "events:DescribeRule", "events:PutTargets", "events:RemoveTargets", "events:ListTargetsByRule",
			"events:ListTagsForResource", "events:TagResource", "events:UntagResource"),
		allow("BusPolicy", iam.Strings{"*"}, "events:PutPermission", "events:RemovePermission"), // no resource level
		allow("Workflow", iam.Strings{arn("states", "stateMachine:"+prefix+"-workflow"), arn("states", "stateMachine:"+prefix+"-workflow:*")},
			"states:CreateStateMachine", "states:DeleteStateMachine", "states:DescribeStateMachine", "states:UpdateStateMachine",
			"states:PublishStateMachineVersion", "states:DeleteStateMachineVersion", "states:ListStateMachineVersions",
			"states:CreateStateMachineAlias", "states:DeleteStateMachineAlias", "states:DescribeStateMachineAlias",
			"states:UpdateStateMachineAlias", "states:ListStateMachineAliases", "states:ListTagsForResource", "states:TagResource", "states:UntagResource"),
		// X-Ray takes no more of the workflow's name than its end.
		allow("TraceRule", iam.Strings{arn("xray", "sampling-rule/*ENVIRONMENT-workflow")},
			"xray:CreateSamplingRule", "xray:UpdateSamplingRule", "xray:DeleteSamplingRule", "xray:ListTagsForResource", "xray:TagResource", "xray:UntagResource"),
		allow("TraceRules", iam.Strings{"*"}, "xray:GetSamplingRules"),                 // no resource level
		allow("Definition", iam.Strings{"*"}, "states:ValidateStateMachineDefinition"), // no resource level
		allow("Functions", iam.Strings{arn("lambda", "function:"+prefix+"-*")},
			"lambda:CreateFunction", "lambda:DeleteFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency",
			"lambda:GetFunctionCodeSigningConfig", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion",
			"lambda:ListVersionsByFunction", "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency", "lambda:CreateAlias",
			"lambda:DeleteAlias", "lambda:GetAlias", "lambda:UpdateAlias", "lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"),
		allow("Table", iam.Strings{arn("dynamodb", "table/"+prefix+"-trades")},
			"dynamodb:CreateTable", "dynamodb:CreateTableReplica", "dynamodb:DeleteTable", "dynamodb:DeleteTableReplica", "dynamodb:DescribeTable", "dynamodb:UpdateTable",
			"dynamodb:DescribeContinuousBackups", "dynamodb:UpdateContinuousBackups", "dynamodb:DescribeTimeToLive",
			"dynamodb:UpdateTimeToLive", "dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource"),
		// To make a replica, AWS asks for these in its region.
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2gt_IAM.html
		allow("Replica", iam.Strings{"arn:aws:dynamodb:" + replica + ":" + account + ":table/" + prefix + "-trades"},
			"dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
		allow("Parameters", iam.Strings{arn("ssm", "parameter/"+folder+"/*")},
			"ssm:PutParameter", "ssm:GetParameter", "ssm:DeleteParameter", "ssm:AddTagsToResource", "ssm:RemoveTagsFromResource", "ssm:ListTagsForResource"),
		allow("ListParameters", iam.Strings{"*"}, "ssm:DescribeParameters"), // no resource level
	)
}

// Platform is the second half: keys, roles, network, images, logs, alarms and backup.
func Platform() iam.Document {
	key := allow("Key", iam.Strings{arn("kms", "key/*")},
		"kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:GetKeyRotationStatus",
		"kms:ListResourceTags", "kms:UntagResource", "kms:UpdateKeyDescription", "kms:ScheduleKeyDeletion", "kms:ReplicateKey",
		"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias",
		// The services use the key on the deployer's behalf when a resource is made.
		"kms:CreateGrant", "kms:RetireGrant", "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*")
	key.Condition = ofTheStack
	pass := allow("PassRoles", stackRoles, "iam:PassRole")
	pass.Condition = iam.Conditions{iam.StringEquals: {"iam:PassedToService": {
		"backup.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com", "vpc-flow-logs.amazonaws.com",
	}}}
	linked := allow("ServiceLinkedRoles", iam.Strings{"arn:aws:iam::" + account + ":role/aws-service-role/*"}, "iam:CreateServiceLinkedRole")
	linked.Condition = iam.Conditions{iam.StringEquals: {"iam:AWSServiceName": {
		"mrk.kms.amazonaws.com",              // https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-auth-slr.html
		"replication.dynamodb.amazonaws.com", // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html
		"replication.ecr.amazonaws.com",      // https://docs.aws.amazon.com/AmazonECR/latest/userguide/slr-rep.html
	}}}
	return iam.New(
		allow("NewKey", iam.Strings{"*"}, "kms:CreateKey", "kms:TagResource", "kms:ListAliases"),
		key,
		allow("KeyAlias", iam.Strings{arn("kms", "alias/"+prefix)}, "kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"),
		allow(bounded, stackRoles,
			"iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary"),
		allow("Roles", stackRoles,
			"iam:DeleteRole", "iam:GetRole", "iam:UpdateRole", "iam:UpdateAssumeRolePolicy", "iam:TagRole", "iam:UntagRole",
			"iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole"),
		pass,
		linked,
		allow("Network", iam.Strings{"*"}, // ids are unknown before they are made
			"ec2:CreateVpc", "ec2:DeleteVpc", "ec2:ModifyVpcAttribute", "ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:CreateRouteTable", "ec2:DeleteRouteTable",
			"ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup",
			"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
			"ec2:ModifySecurityGroupRules", "ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:CreateFlowLogs", "ec2:DeleteFlowLogs",
			"ec2:CreateTags", "ec2:DeleteTags", "ec2:Describe*", "route53:AssociateVPCWithHostedZone"),
		allow("Images", iam.Strings{arn("ecr", "repository/"+folder+"/*")},
			"ecr:CreateRepository", "ecr:DeleteRepository", "ecr:DescribeRepositories", "ecr:ListTagsForResource", "ecr:TagResource", "ecr:UntagResource",
			"ecr:PutImageTagMutability", "ecr:PutImageScanningConfiguration", "ecr:PutLifecyclePolicy", "ecr:GetLifecyclePolicy", "ecr:DeleteLifecyclePolicy",
			"ecr:SetRepositoryPolicy", "ecr:GetRepositoryPolicy", "ecr:DeleteRepositoryPolicy",
			"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage",
			"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchDeleteImage"),
		allow("Registry", iam.Strings{"*"},
			"ecr:GetAuthorizationToken", "ecr:DescribeRegistry", "ecr:PutReplicationConfiguration", "ecr:CreateRepositoryCreationTemplate",
			"ecr:DescribeRepositoryCreationTemplates", "ecr:UpdateRepositoryCreationTemplate", "ecr:DeleteRepositoryCreationTemplate"),
		allow("LogGroups", iam.Strings{
			arn("logs", "log-group:/aws/lambda/"+prefix+"-*"), arn("logs", "log-group:/aws/vendedlogs/states/"+prefix+"-*"),
			arn("logs", "log-group:/aws/vpc/"+prefix+"-*"), arn("logs", "log-group:/aws/lambda-insights*"),
		},
			"logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy", "logs:AssociateKmsKey",
			"logs:DisassociateKmsKey", "logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"),
		allow("ListLogGroups", iam.Strings{"*"}, "logs:DescribeLogGroups"),
		allow("Alarms", iam.Strings{arn("cloudwatch", "alarm:"+prefix+"-*"), "arn:aws:cloudwatch::" + account + ":dashboard/" + prefix},
			"cloudwatch:PutMetricAlarm", "cloudwatch:PutCompositeAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:PutDashboard",
			"cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards", "cloudwatch:ListTagsForResource", "cloudwatch:TagResource", "cloudwatch:UntagResource"),
		allow("ListAlarms", iam.Strings{"*"}, "cloudwatch:DescribeAlarms"),
		allow("Backup", iam.Strings{arn("backup", "backup-vault:"+prefix+"-trades"), arn("backup", "backup-plan:*")},
			"backup:CreateBackupVault", "backup:DeleteBackupVault", "backup:DescribeBackupVault", "backup:CreateBackupPlan", "backup:DeleteBackupPlan",
			"backup:GetBackupPlan", "backup:UpdateBackupPlan", "backup:CreateBackupSelection", "backup:DeleteBackupSelection", "backup:GetBackupSelection",
			"backup:ListTags", "backup:TagResource", "backup:UntagResource"),
		// https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html
		allow("BackupStorage", iam.Strings{"*"}, "backup-storage:MountCapsule"),
	)
}

// Preview is what the previewing role needs besides AWS's ReadOnlyAccess: to read secret parameters, and a state that is
// encrypted by a key of its own.
func Preview() iam.Document {
	parameters := allow("SecretParameters", iam.Strings{arn("kms", "key/*")}, "kms:Decrypt")
	parameters.Condition = iam.Conditions{
		iam.StringEquals: ofTheStack[iam.StringEquals], iam.StringLike: {"kms:ViaService": {"ssm.*.amazonaws.com"}},
	}
	return iam.New(
		parameters,
		allow("State", iam.Strings{"STATE-KEY-ARN"}, "kms:Decrypt"),
	)
}

const introduction = `<!-- Written by: go test ./tests/roles -run Page -update -->

# The roles that deploy and preview

Replace ` + "`ACCOUNT`, `ENVIRONMENT` (as in `trade-processing:tags`), `REPLICA`" + ` (the replica's region; one resource line per replica
region) and ` + "`STATE-KEY-ARN`" + ` (the key of Pulumi's state). [From a pull request to production](delivery.md) says who assumes them. A
test checks the policies against every resource of stacks dev and prod, using the actions the AWS provider was observed to call.

## Deploy

Two managed policies, because IAM limits one to 6,144 characters. They can't touch another environment's stack, except one whose name
continues this one's after a hyphen (dev's role reaches dev-eu), X-Ray's rule of one whose name ends in this one's, and resources that have no name before they exist: the network,
subscriptions, backup plans, and the settings of the image registry.

%s
` + "`Replica`" + ` lets the role read and write items in the replica's region: AWS asks for that of whoever adds a replica, once. Remove it
when the replica is there.

%s
Whoever may create roles can give them any permission. If that is more than a deployment should be able to do, set
` + "`trade-processing:permissionsBoundary`, and add the condition `iam:PermissionsBoundary`" + ` with its ARN to the statement
` + "`" + bounded + "`" + `: AWS has that key for these actions alone, so on another statement the condition never holds.

For a state in a bucket add ` + "`s3:ListBucket`, `s3:GetObject`, `s3:PutObject` and `s3:DeleteObject`" + ` on it, and
` + "`kms:Decrypt` and `kms:GenerateDataKey`" + ` on its key. For ` + "`make verify`" + ` add [what it needs](verify.md#what-the-caller-must-be-allowed-to-do).

## Preview

AWS's managed policy ` + "`ReadOnlyAccess`" + `, and:

%s`
