"""Holds properties against AWS's own models of its APIs, which botocore carries.

Reads {"resources": [{"where", "type", "inputs"}], "operations": ["lambda.Invoke"]} from standard input. Writes the
findings ("id", "where" and "text"), the number of limits that were held, and the errors of each operation to standard
output.
"""
import functools
import json
import re
import sys

from botocore.loaders import Loader

# The operation that makes each type, and the properties, by their paths, that Pulumi names otherwise than its input: a
# path of members, or that of another operation.
TYPES = {
    "backup/plan": ("backup.CreateBackupPlan", {
        "name": "BackupPlan.BackupPlanName", "rules": "BackupPlan.Rules", "rules.targetVaultName": "TargetBackupVaultName",
        "rules.schedule": "ScheduleExpression", "rules.lifecycle.deleteAfter": "DeleteAfterDays",
    }),
    "backup/selection": ("backup.CreateBackupSelection", {
        "name": "BackupSelection.SelectionName", "iamRoleArn": "BackupSelection.IamRoleArn",
        "resources": "BackupSelection.Resources", "planId": "BackupPlanId",
    }),
    "backup/vault": ("backup.CreateBackupVault", {"name": "BackupVaultName", "kmsKeyArn": "EncryptionKeyArn"}),
    "cloudwatch/compositeAlarm": ("cloudwatch.PutCompositeAlarm", {}),
    "cloudwatch/dashboard": ("cloudwatch.PutDashboard", {}),
    "cloudwatch/eventArchive": ("events.CreateArchive", {"name": "ArchiveName"}),
    "cloudwatch/eventBus": ("events.CreateEventBus", {}),
    "cloudwatch/eventBusPolicy": ("events.PutPermission", {}),
    "cloudwatch/eventRule": ("events.PutRule", {}),
    "cloudwatch/eventTarget": ("events.PutTargets", {
        "targetId": "Targets.Id", "arn": "Targets.Arn", "roleArn": "Targets.RoleArn",
        "deadLetterConfig": "Targets.DeadLetterConfig", "retryPolicy": "Targets.RetryPolicy",
    }),
    "cloudwatch/logGroup": ("logs.CreateLogGroup", {
        "name": "logGroupName", "retentionInDays": "logs.PutRetentionPolicy:retentionInDays",
    }),
    "cloudwatch/metricAlarm": ("cloudwatch.PutMetricAlarm", {
        "name": "AlarmName", "metricQueries": "Metrics", "metricQueries.metric": "MetricStat",
        "metricQueries.metric.metricName": "Metric.MetricName", "metricQueries.metric.namespace": "Metric.Namespace",
        "metricQueries.metric.dimensions": "Metric.Dimensions",
    }),
    "dynamodb/table": ("dynamodb.CreateTable", {
        "name": "TableName", "attributes": "AttributeDefinitions", "hashKey": "dynamodb.CreateTable:KeySchema.AttributeName",
        "rangeKey": "dynamodb.CreateTable:KeySchema.AttributeName",
        "attributes.name": "AttributeName", "attributes.type": "AttributeType",
        "globalSecondaryIndexes.name": "IndexName", "globalSecondaryIndexes.hashKey": "KeySchema.AttributeName",
        "globalSecondaryIndexes.rangeKey": "KeySchema.AttributeName",
        "globalSecondaryIndexes.projectionType": "Projection.ProjectionType",
        "globalSecondaryIndexes.nonKeyAttributes": "Projection.NonKeyAttributes",
        "streamEnabled": "StreamSpecification.StreamEnabled", "streamViewType": "StreamSpecification.StreamViewType",
        "serverSideEncryption": "SSESpecification", "serverSideEncryption.kmsKeyArn": "KMSMasterKeyId",
        "pointInTimeRecovery": "dynamodb.UpdateContinuousBackups:PointInTimeRecoverySpecification",
        "pointInTimeRecovery.enabled": "PointInTimeRecoveryEnabled",
        "ttl": "dynamodb.UpdateTimeToLive:TimeToLiveSpecification",
    }),
    "dynamodb/tableReplica": ("dynamodb.UpdateTable", {
        "globalTableArn": "TableName", "kmsKeyArn": "ReplicaUpdates.Create.KMSMasterKeyId",
        "pointInTimeRecovery": "dynamodb.UpdateContinuousBackups:PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
    }),
    "ec2/flowLog": ("ec2.CreateFlowLogs", {"tags": "TagSpecifications.Tags", "iamRoleArn": "DeliverLogsPermissionArn", "vpcId": "ResourceIds.item"}),
    "ec2/routeTable": ("ec2.CreateRouteTable", {"tags": "TagSpecifications.Tags"}),
    "ec2/routeTableAssociation": ("ec2.AssociateRouteTable", {}),
    "ec2/securityGroup": ("ec2.CreateSecurityGroup", {"tags": "TagSpecifications.Tags", "name": "GroupName"}),
    "ec2/subnet": ("ec2.CreateSubnet", {"tags": "TagSpecifications.Tags", "mapPublicIpOnLaunch": "ec2.ModifySubnetAttribute:MapPublicIpOnLaunch.Value"}),
    "ec2/vpc": ("ec2.CreateVpc", {"tags": "TagSpecifications.Tags",
        "enableDnsHostnames": "ec2.ModifyVpcAttribute:EnableDnsHostnames.Value",
        "enableDnsSupport": "ec2.ModifyVpcAttribute:EnableDnsSupport.Value",
    }),
    "ec2/vpcEndpoint": ("ec2.CreateVpcEndpoint", {"tags": "TagSpecifications.Tags", "policy": "PolicyDocument"}),
    "ecr/lifecyclePolicy": ("ecr.PutLifecyclePolicy", {"policy": "lifecyclePolicyText", "repository": "repositoryName"}),
    "ecr/replicationConfiguration": ("ecr.PutReplicationConfiguration", {}),
    "ecr/repository": ("ecr.CreateRepository", {"name": "repositoryName", "encryptionConfigurations": "encryptionConfiguration"}),
    "ecr/repositoryCreationTemplate": ("ecr.CreateRepositoryCreationTemplate", {
        "appliedFors": "appliedFor", "encryptionConfigurations": "encryptionConfiguration",
    }),
    "ecr/repositoryPolicy": ("ecr.SetRepositoryPolicy", {"policy": "policyText", "repository": "repositoryName"}),
    "iam/role": ("iam.CreateRole", {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}),
    "iam/rolePolicy": ("iam.PutRolePolicy", {"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"}),
    "iam/rolePolicyAttachment": ("iam.AttachRolePolicy", {"role": "RoleName"}),
    "kms/alias": ("kms.CreateAlias", {"name": "AliasName"}),
    "kms/key": ("kms.CreateKey", {"deletionWindowInDays": "kms.ScheduleKeyDeletion:PendingWindowInDays"}),
    "kms/replicaKey": ("kms.ReplicateKey", {
        "primaryKeyArn": "KeyId", "deletionWindowInDays": "kms.ScheduleKeyDeletion:PendingWindowInDays",
    }),
    "lambda/alias": ("lambda.CreateAlias", {}),
    "lambda/function": ("lambda.CreateFunction", {
        "name": "FunctionName", "imageUri": "Code.ImageUri",
        "reservedConcurrentExecutions": "lambda.PutFunctionConcurrency:ReservedConcurrentExecutions",
    }),
    "sfn/alias": ("stepfunctions.CreateStateMachineAlias", {"routingConfigurations": "routingConfiguration"}),
    "sfn/stateMachine": ("stepfunctions.CreateStateMachine", {
        "loggingConfiguration.logDestination": "destinations.cloudWatchLogsLogGroup.logGroupArn",
    }),
    "sns/topic": ("sns.CreateTopic", {}),
    "sns/topicPolicy": ("sns.SetTopicAttributes", {"arn": "TopicArn", "policy": "AttributeValue"}),
    "sns/topicSubscription": ("sns.Subscribe", {"topic": "TopicArn"}),
    "sqs/queue": ("sqs.CreateQueue", {"name": "QueueName"}),
    "sqs/queuePolicy": ("sqs.SetQueueAttributes", {}),
    "sqs/redriveAllowPolicy": ("sqs.SetQueueAttributes", {}),
    "ssm/parameter": ("ssm.PutParameter", {}),
    "vpc/securityGroupEgressRule": ("ec2.AuthorizeSecurityGroupEgress", {
        "securityGroupId": "GroupId", "description": "IpPermissions.IpRanges.Description",
        "prefixListId": "IpPermissions.PrefixListIds.PrefixListId",
        "referencedSecurityGroupId": "IpPermissions.UserIdGroupPairs.GroupId",
    }),
    "vpc/securityGroupIngressRule": ("ec2.AuthorizeSecurityGroupIngress", {
        "securityGroupId": "GroupId", "description": "IpPermissions.IpRanges.Description",
        "referencedSecurityGroupId": "IpPermissions.UserIdGroupPairs.GroupId",
    }),
    "xray/samplingRule": ("xray.CreateSamplingRule:SamplingRule", {}),
}

loader = Loader()
load = functools.cache(lambda service: loader.load_service_model(service, "service-2"))


class Judge:
    def __init__(self):
        self.findings, self.limits, self.used = [], 0, set()

    def judge(self, where, kind, inputs):
        if kind not in TYPES:
            return self.find("no-operation", kind, "the table of types doesn't have it")
        operation, names = TYPES[kind]
        service, shape = member(operation)
        self.structure(where, kind, service, shape, inputs, "")

    def structure(self, where, kind, service, shape, values, above):
        names = TYPES[kind][1]
        for name, value in values.items():
            path = above + name
            if path in names:
                self.used.add((kind, path))
            to = names.get(path, name)
            model, found = member(to) if ":" in to else (service, follow(service, shape, to))
            if found is None:
                self.find("no-member", f"{kind} {path}", f"{shape} has no member for it")
            else:
                self.value(where, kind, model, found, value, path)

    def value(self, where, kind, service, name, value, path):
        shapes = load(service)["shapes"]
        shape = shapes[name]
        if shape["type"] == "structure":
            if isinstance(value, list):
                (value,) = value  # a part that Pulumi has in a list
            return self.structure(where, kind, service, name, value, path + ".")
        if shape["type"] == "list":
            of = shape["member"]["shape"]
            if isinstance(value, dict) and set(shapes[of].get("members", {})) in ({"Name", "Value"}, {"Key", "Value"}):
                value = [dict(zip(sorted(shapes[of]["members"]), pair)) for pair in value.items()]
            elif not isinstance(value, list):
                value = [value]  # a part that Pulumi has once
            for one in value:
                self.value(where, kind, service, of, one, path)
        if shape["type"] == "map":
            for key, one in value.items():
                self.value(where, kind, service, shape["key"]["shape"], key, path)
                self.value(where, kind, service, shape["value"]["shape"], one, path)
        self.bounds(f"{where} {path}", shape, value)

    def bounds(self, where, shape, value):
        size = value if shape["type"] in ("integer", "long", "float", "double") else len(value) if hasattr(value, "__len__") else None
        if "enum" in shape:
            self.limit(value in shape["enum"], "enum", where, f"{value!r} is none of {shape['enum']}")
        if size is not None and ("min" in shape or "max" in shape):
            low, high = shape.get("min", float("-inf")), shape.get("max", float("inf"))
            self.limit(low <= size <= high, "range", where, f"{size} is not from {low} to {high}: {value!r:.80}")
        if "pattern" in shape and isinstance(value, str):
            try:
                self.limit(re.fullmatch(shape["pattern"], value, re.DOTALL), "pattern", where, f"{value!r:.80} doesn't match {shape['pattern']}")
            except re.error:
                self.find("unreadable-pattern", where, shape["pattern"])

    def limit(self, held, rule, where, text):
        self.limits += 1
        if not held:
            self.find(rule, where, text)

    def find(self, rule, where, text):
        if (one := {"id": rule, "where": where, "text": text}) not in self.findings:
            self.findings.append(one)


def member(path):
    """Finds the shape of lambda.CreateFunction:Code.ImageUri, or of an operation's input."""
    operation, _, rest = path.partition(":")
    service, name = operation.split(".")
    shape = load(service)["operations"][name]["input"]["shape"]
    return service, follow(service, shape, rest)


def follow(service, shape, path):
    """Follows members from a shape, through lists. It is None if there is no such member."""
    shapes = load(service)["shapes"]
    for step in filter(None, path.split(".")):
        while shapes[shape]["type"] == "list":
            shape = shapes[shape]["member"]["shape"]
        members = {name.lower(): one["shape"] for name, one in shapes[shape].get("members", {}).items()}
        shape = shape if step == "item" else members.get(step.lower())
        if shape is None:
            return None
    return shape


def errors(operation):
    """Returns what an operation answers, under the names that clients see."""
    service, name = operation.split(".")
    model = load(service)
    return sorted(e["shape"] for e in model["operations"][name].get("errors", []))


given, judge = json.load(sys.stdin), Judge()
resources, operations = given["resources"] or [], given["operations"] or []
for resource in resources:
    judge.judge(resource["where"], resource["type"], resource["inputs"])
for kind, (_, names) in TYPES.items():
    for name in names:
        if resources and (kind, name) not in judge.used:
            judge.find("unused-name", f"{kind} {name}", "no stack has this property")
json.dump({
    "findings": judge.findings, "limits": judge.limits, "errors": {operation: errors(operation) for operation in operations},
}, sys.stdout)
