package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// The Pulumi types that more than one file is about.
const (
	BusType                = "aws:cloudwatch/eventBus:EventBus"
	RuleType               = "aws:cloudwatch/eventRule:EventRule"
	TargetType             = "aws:cloudwatch/eventTarget:EventTarget"
	ArchiveType            = "aws:cloudwatch/eventArchive:EventArchive"
	MetricAlarmType        = "aws:cloudwatch/metricAlarm:MetricAlarm"
	CompositeAlarmType     = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
	LogGroupType           = "aws:cloudwatch/logGroup:LogGroup"
	FunctionType           = "aws:lambda/function:Function"
	FunctionAliasType      = "aws:lambda/alias:Alias"
	MachineType            = "aws:sfn/stateMachine:StateMachine"
	MachineAliasType       = "aws:sfn/alias:Alias"
	TableType              = "aws:dynamodb/table:Table"
	ReplicaType            = "aws:dynamodb/tableReplica:TableReplica"
	QueueType              = "aws:sqs/queue:Queue"
	QueuePolicyType        = "aws:sqs/queuePolicy:QueuePolicy"
	RedriveAllowPolicyType = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
	ParameterType          = "aws:ssm/parameter:Parameter"
	KeyType                = "aws:kms/key:Key"
	ReplicaKeyType         = "aws:kms/replicaKey:ReplicaKey"
	KeyAliasType           = "aws:kms/alias:Alias"
	RoleType               = "aws:iam/role:Role"
	AttachmentType         = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	IdentityProviderType   = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
	TopicType              = "aws:sns/topic:Topic"
	SubscriptionType       = "aws:sns/topicSubscription:TopicSubscription"
	RepositoryType         = "aws:ecr/repository:Repository"
	ImageType              = "docker:index/image:Image"
	VaultType              = "aws:backup/vault:Vault"
)

// kinds are the resource types that the local cloud knows, by Pulumi token. Live ones are declared next to the code
// that runs them; the others are only on record.
var kinds = func() map[string]kind {
	all := map[string]kind{}
	for _, family := range []map[string]kind{
		queueKinds, eventKinds, workflowKinds, functionKinds, tableKinds, parameterKinds, alarmKinds, samplingKinds, records,
	} {
		maps.Copy(all, family)
	}
	return all
}()

// records are the types that are only kept on record: they have an id, an ARN and outputs like the real ones, but their
// behaviour, such as encryption, access control and routing, has no local counterpart. The components' own tests prove
// their definitions.
var records = map[string]kind{
	// Encryption
	KeyType: {
		records:  "deletionWindowInDays description enableKeyRotation isEnabled multiRegion policy tags",
		replaces: "multiRegion", computes: "arn keyId",
		identify: func(c *Cloud, r *Resource) error {
			id := c.hex(32)
			if multi, _ := r.Inputs["multiRegion"].(bool); multi {
				id = "mrk-" + id
			}
			return r.isKey(id)
		},
	},
	ReplicaKeyType: {
		records: "deletionWindowInDays description enabled policy primaryKeyArn tags", requires: "primaryKeyArn",
		replaces: "primaryKeyArn", computes: "arn keyId",
		// A multi-Region key has one id in all its regions.
		identify: func(_ *Cloud, r *Resource) error {
			primary := r.Inputs.text("primaryKeyArn")
			_, id, found := strings.Cut(primary, "/")
			if !found {
				return fmt.Errorf("primaryKeyArn %q is not a key's ARN", primary)
			}
			return r.isKey(id)
		},
	},
	KeyAliasType: {
		records: "name targetKeyId", requires: "name targetKeyId", replaces: "name", computes: "arn",
		identify: named("kms", ""),
	},

	// Access
	RoleType: {
		records:  "assumeRolePolicy description name permissionsBoundary tags",
		requires: "assumeRolePolicy name", replaces: "name", computes: "arn",
		identify: named("iam", "role/"),
	},
	"aws:iam/rolePolicy:RolePolicy": {
		puts:    true,
		records: "name policy role", requires: "policy role", replaces: "name role",
		identify: joined(":", "role", "name"),
	},
	"aws:iam/policy:Policy": {
		records: "description name policy tags", requires: "name policy", replaces: "description name", computes: "arn",
		identify: byARN("iam", "policy/"),
	},
	AttachmentType: {
		puts: true, deletesFirst: true, // https://github.com/pulumi/pulumi-aws/blob/v6.83.2/provider/resources.go
		records: "policyArn role", requires: "policyArn role", replaces: "policyArn role",
		identify: joined("/", "role", "policyArn"),
	},

	IdentityProviderType: {
		records: "clientIdLists tags thumbprintLists url", requires: "url", replaces: "url", computes: "arn",
		identify: func(_ *Cloud, r *Resource) error {
			r.ID = "arn:aws:iam::" + Account + ":oidc-provider/" + strings.TrimPrefix(r.Inputs.text("url"), "https://")
			r.set("arn", r.ID)
			return nil
		},
	},

	// Network
	"aws:ec2/vpc:Vpc": {
		records:  "cidrBlock enableDnsHostnames enableDnsSupport tags",
		replaces: "cidrBlock", computes: "arn",
		identify: numbered("vpc-", "ec2", "vpc/"),
	},
	"aws:ec2/subnet:Subnet": {
		records:  "availabilityZone cidrBlock mapPublicIpOnLaunch tags vpcId",
		requires: "vpcId", replaces: "availabilityZone cidrBlock vpcId", computes: "arn",
		identify: numbered("subnet-", "ec2", "subnet/"),
	},
	"aws:ec2/routeTable:RouteTable": {
		records:  "tags vpcId",
		requires: "vpcId", replaces: "vpcId", computes: "arn",
		identify: numbered("rtb-", "ec2", "route-table/"),
	},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {
		records: "routeTableId subnetId", requires: "routeTableId subnetId", replaces: "subnetId",
		identify: joined("/", "subnetId", "routeTableId"),
	},
	"aws:ec2/securityGroup:SecurityGroup": {
		records:  "description name tags vpcId",
		requires: "vpcId", replaces: "description name vpcId", computes: "arn",
		identify: numbered("sg-", "ec2", "security-group/"),
	},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
		records: "tags vpcId", replaces: "vpcId", computes: "arn",
		identify: numbered("sg-", "ec2", "security-group/"),
	},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   securityGroupRule,
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": securityGroupRule,
	"aws:ec2/vpcEndpoint:VpcEndpoint": {
		records:  "policy privateDnsEnabled routeTableIds securityGroupIds serviceName subnetIds tags vpcEndpointType vpcId",
		requires: "serviceName vpcId", replaces: "serviceName vpcEndpointType vpcId", computes: "arn prefixListId",
		identify: then(numbered("vpce-", "ec2", "vpc-endpoint/"), func(c *Cloud, r *Resource) {
			r.set("prefixListId", "pl-"+c.hex(8))
		}),
	},
	"aws:ec2/flowLog:FlowLog": {
		records:  "iamRoleArn logDestination logDestinationType maxAggregationInterval tags trafficType vpcId",
		replaces: "iamRoleArn logDestination logDestinationType maxAggregationInterval trafficType vpcId",
		computes: "arn",
		identify: numbered("fl-", "ec2", "vpc-flow-log/"),
	},

	// Logs and notifications
	LogGroupType: {
		records:  "kmsKeyId name retentionInDays tags",
		requires: "name", replaces: "name", computes: "arn",
		identify: named("logs", "log-group:"),
	},
	"aws:cloudwatch/dashboard:Dashboard": {
		puts:    true,
		records: "dashboardBody dashboardName", requires: "dashboardBody dashboardName", replaces: "dashboardName",
		identify: joined("", "dashboardName"),
	},
	TopicType: {
		records:  "kmsMasterKeyId name signatureVersion tags",
		requires: "name", replaces: "name", computes: "arn",
		identify: byARN("sns", ""),
	},
	"aws:sns/topicPolicy:TopicPolicy": {
		puts:    true,
		records: "arn policy", requires: "arn policy", replaces: "arn",
		identify: joined("", "arn"),
	},
	SubscriptionType: {
		records: "endpoint protocol topic", requires: "endpoint protocol topic", replaces: "endpoint protocol topic",
		computes: "arn",
		identify: func(c *Cloud, r *Resource) error {
			r.ID = r.Inputs.text("topic") + ":" + c.hex(32)
			r.set("arn", r.ID)
			return nil
		},
	},
	QueuePolicyType: {
		puts:    true,
		records: "queueUrl policy", requires: "queueUrl policy", replaces: "queueUrl",
		check:    wellFormed("policy"),
		identify: joined("", "queueUrl"),
	},
	RedriveAllowPolicyType: {
		puts:    true,
		records: "queueUrl redriveAllowPolicy", requires: "queueUrl redriveAllowPolicy", replaces: "queueUrl",
		check:    wellFormed("redriveAllowPolicy"),
		identify: joined("", "queueUrl"),
	},
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy": {
		puts:    true,
		records: "eventBusName policy", requires: "policy", replaces: "eventBusName",
		identify: joined("", "eventBusName"),
	},

	// Images
	RepositoryType: {
		records: "encryptionConfigurations.encryptionType encryptionConfigurations.kmsKey forceDelete " +
			"imageScanningConfiguration.scanOnPush imageTagMutability name tags",
		requires: "name", replaces: "encryptionConfigurations name", computes: "arn registryId repositoryUrl",
		identify: then(named("ecr", "repository/"), func(_ *Cloud, r *Resource) {
			r.set("registryId", Account).
				set("repositoryUrl", Account+".dkr.ecr."+r.Region+".amazonaws.com/"+r.ID)
		}),
		// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html
		stop: func(c *Cloud, r *Resource) error {
			url := r.Outputs.text("repositoryUrl")
			if pushed, _ := c.live.pushed.get(url); pushed && r.Inputs["forceDelete"] != true {
				return fmt.Errorf("RepositoryNotEmptyException: %s has images", r.ID)
			}
			c.live.pushed.drop(url)
			return nil
		},
	},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy": {
		puts:    true,
		records: "policy repository", requires: "policy repository", replaces: "repository policy",
		identify: joined("", "repository"),
	},
	"aws:ecr/repositoryPolicy:RepositoryPolicy": {
		puts:    true,
		records: "policy repository", requires: "policy repository", replaces: "repository",
		identify: joined("", "repository"),
	},
	"aws:ecr/replicationConfiguration:ReplicationConfiguration": {
		records: "replicationConfiguration.rules.destinations.region replicationConfiguration.rules.destinations.registryId " +
			"replicationConfiguration.rules.repositoryFilters.filter replicationConfiguration.rules.repositoryFilters.filterType",
		requires: "replicationConfiguration",
		identify: func(_ *Cloud, r *Resource) error {
			r.ID = Account // which has one
			return nil
		},
	},
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": {
		records: "appliedFors customRoleArn description encryptionConfigurations.encryptionType " +
			"encryptionConfigurations.kmsKey imageTagMutability lifecyclePolicy prefix repositoryPolicy resourceTags.*",
		requires: "appliedFors prefix", replaces: "prefix",
		identify: joined("", "prefix"),
	},

	// Backup
	VaultType: {
		records:  "forceDestroy kmsKeyArn name tags",
		requires: "name", replaces: "kmsKeyArn name", computes: "arn",
		identify: named("backup", "backup-vault:"),
		stop:     emptyVault,
	},
	"aws:backup/plan:Plan": {
		records:  "name rules.lifecycle.deleteAfter rules.ruleName rules.schedule rules.targetVaultName tags",
		requires: "name rules", computes: "arn",
		identify: numbered("", "backup", "backup-plan:"),
	},
	"aws:backup/selection:Selection": {
		records:  "iamRoleArn name planId resources",
		requires: "iamRoleArn name planId", replaces: "iamRoleArn name planId resources",
		identify: joined("|", "planId", "name"),
	},
}

var securityGroupRule = kind{
	records:  "cidrIpv4 description fromPort ipProtocol prefixListId referencedSecurityGroupId securityGroupId tags toPort",
	requires: "ipProtocol securityGroupId", replaces: "securityGroupId", computes: "arn",
	identify: numbered("sgr-", "ec2", "security-group-rule/"),
}

func (r *Resource) isKey(id string) error {
	r.ID = id
	r.set("keyId", id).set("arn", r.arn("kms", "key/%s", id))
	return nil
}

// wellFormed refuses an input that should be a JSON document but isn't.
func wellFormed(property string) func(Properties) error {
	return func(inputs Properties) error {
		if document := inputs.text(property); document != "" && !json.Valid([]byte(document)) {
			return fmt.Errorf("%s is not JSON", property)
		}
		return nil
	}
}
