package cloud

import (
	"maps"
	"strings"
)

// kinds are the resource types that the local cloud knows, by Pulumi token. Those that live are declared beside the
// code that runs them; the others are on record only.
var kinds = func() map[string]kind {
	all := map[string]kind{}
	for _, family := range []map[string]kind{
		queueKinds, eventKinds, workflowKinds, functionKinds, tableKinds, parameterKinds, alarmKinds,
	} {
		maps.Copy(all, family)
	}
	for typ, r := range records {
		all[typ] = r.kind()
	}
	return all
}()

// records are the types that are kept on record only. Their behaviour, such as encryption, access control and routing,
// has no local counterpart; their definitions are proven by the components' own tests.
var records = map[string]record{
	// Encryption
	"aws:kms/key:Key": {
		accepts: "customerMasterKeySpec deletionWindowInDays description enableKeyRotation isEnabled keyUsage " +
			"multiRegion policy rotationPeriodInDays tags",
		replaces: "multiRegion customerMasterKeySpec keyUsage",
		computes: "arn keyId",
		identify: keyIdentity,
	},
	"aws:kms/replicaKey:ReplicaKey": {
		accepts:  "deletionWindowInDays description enabled policy primaryKeyArn tags",
		replaces: "primaryKeyArn", requires: "primaryKeyArn",
		computes: "arn keyId keyRotationEnabled keySpec keyUsage",
		identify: replicaKeyIdentity,
	},
	"aws:kms/alias:Alias": {
		accepts: "name targetKeyId", replaces: "name", requires: "name targetKeyId",
		computes: "arn targetKeyArn",
		identify: named("kms", ""),
	},

	// Access
	"aws:iam/role:Role": {
		accepts:  "assumeRolePolicy description forceDetachPolicies maxSessionDuration name path permissionsBoundary tags",
		replaces: "name path", requires: "assumeRolePolicy name",
		computes: "arn uniqueId createDate",
		identify: then(global("iam", "role/"), func(c *Cloud, r *Resource) error {
			r.set("uniqueId", "AROA"+c.hex(17))
			return nil
		}),
	},
	"aws:iam/rolePolicy:RolePolicy": {
		accepts: "name policy role", replaces: "name role", requires: "policy role",
		identify: joined(":", "role", "name"),
	},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
		accepts: "policyArn role", replaces: "policyArn role", requires: "policyArn role",
		identify: joined("/", "role", "policyArn"),
	},
	"aws:iam/policy:Policy": {
		accepts: "description name path policy tags", replaces: "description name path", requires: "name policy",
		computes: "arn policyId",
		identify: then(global("iam", "policy/"), func(_ *Cloud, r *Resource) error {
			r.ID, _ = r.Outputs["arn"].(string)
			return nil
		}),
	},

	// Network
	"aws:ec2/vpc:Vpc": {
		accepts:  "cidrBlock enableDnsHostnames enableDnsSupport instanceTenancy tags",
		replaces: "cidrBlock instanceTenancy",
		computes: "arn defaultNetworkAclId defaultRouteTableId defaultSecurityGroupId mainRouteTableId",
		identify: then(numbered("vpc-", "ec2", "vpc/"), func(c *Cloud, r *Resource) error {
			r.set("defaultSecurityGroupId", "sg-"+c.hex(17)).set("defaultRouteTableId", "rtb-"+c.hex(17)).
				set("mainRouteTableId", "rtb-"+c.hex(17)).set("defaultNetworkAclId", "acl-"+c.hex(17))
			return nil
		}),
	},
	"aws:ec2/subnet:Subnet": {
		accepts:  "assignIpv6AddressOnCreation availabilityZone cidrBlock mapPublicIpOnLaunch tags vpcId",
		replaces: "availabilityZone cidrBlock vpcId", requires: "vpcId",
		computes: "arn",
		identify: numbered("subnet-", "ec2", "subnet/"),
	},
	"aws:ec2/routeTable:RouteTable": {
		accepts: "routes.cidrBlock routes.gatewayId routes.natGatewayId tags vpcId", replaces: "vpcId", requires: "vpcId", computes: "arn",
		identify: numbered("rtb-", "ec2", "route-table/"),
	},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {
		accepts: "routeTableId subnetId", replaces: "subnetId", requires: "routeTableId subnetId",
		identify: numbered("rtbassoc-", "", ""),
	},
	"aws:ec2/securityGroup:SecurityGroup": {
		accepts:  "description name revokeRulesOnDelete tags vpcId",
		replaces: "description name vpcId", requires: "vpcId",
		computes: "arn ownerId",
		identify: numbered("sg-", "ec2", "security-group/"),
	},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
		accepts: "egress ingress tags vpcId", replaces: "vpcId", computes: "arn ownerId name description",
		identify: numbered("sg-", "ec2", "security-group/"),
	},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
		accepts: "cidrIpv4 cidrIpv6 description fromPort ipProtocol prefixListId referencedSecurityGroupId " +
			"securityGroupId tags toPort",
		replaces: "securityGroupId", requires: "ipProtocol securityGroupId",
		computes: "arn securityGroupRuleId",
		identify: numbered("sgr-", "ec2", "security-group-rule/"),
	},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
		accepts: "cidrIpv4 cidrIpv6 description fromPort ipProtocol prefixListId referencedSecurityGroupId " +
			"securityGroupId tags toPort",
		replaces: "securityGroupId", requires: "ipProtocol securityGroupId",
		computes: "arn securityGroupRuleId",
		identify: numbered("sgr-", "ec2", "security-group-rule/"),
	},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {
		accepts: "dnsOptions.dnsRecordIpType dnsOptions.privateDnsOnlyForInboundResolverEndpoint ipAddressType policy privateDnsEnabled routeTableIds securityGroupIds serviceName " +
			"subnetIds tags vpcEndpointType vpcId",
		replaces: "serviceName vpcEndpointType vpcId", requires: "serviceName vpcId",
		computes: "arn dnsEntries networkInterfaceIds prefixListId state",
		identify: then(numbered("vpce-", "ec2", "vpc-endpoint/"), func(c *Cloud, r *Resource) error {
			r.set("prefixListId", "pl-"+c.hex(8)).set("state", "available")
			return nil
		}),
	},
	"aws:ec2/flowLog:FlowLog": {
		accepts: "deliverCrossAccountRole destinationOptions.fileFormat destinationOptions.hiveCompatiblePartitions " +
			"destinationOptions.perHourPartition iamRoleArn logDestination logDestinationType logFormat " +
			"maxAggregationInterval subnetId tags trafficType vpcId",
		replaces: "iamRoleArn logDestination logDestinationType logFormat maxAggregationInterval subnetId trafficType vpcId",
		computes: "arn",
		identify: numbered("fl-", "ec2", "vpc-flow-log/"),
	},

	// Logs and notifications
	"aws:cloudwatch/logGroup:LogGroup": {
		accepts: "kmsKeyId logGroupClass name retentionInDays skipDestroy tags", replaces: "logGroupClass name",
		requires: "name", computes: "arn",
		identify: named("logs", "log-group:"),
	},
	"aws:cloudwatch/logResourcePolicy:LogResourcePolicy": {
		accepts: "policyDocument policyName", replaces: "policyName", requires: "policyDocument policyName",
		identify: joined("", "policyName"),
	},
	"aws:cloudwatch/dashboard:Dashboard": {
		accepts: "dashboardBody dashboardName", replaces: "dashboardName", requires: "dashboardBody dashboardName",
		computes: "dashboardArn",
		identify: then(joined("", "dashboardName"), func(_ *Cloud, r *Resource) error {
			r.set("dashboardArn", "arn:aws:cloudwatch::"+Account+":dashboard/"+r.ID)
			return nil
		}),
	},
	"aws:sns/topic:Topic": {
		accepts: "displayName kmsMasterKeyId name policy signatureVersion tags tracingConfig", replaces: "name",
		requires: "name", computes: "arn owner",
		identify: then(named("sns", ""), func(_ *Cloud, r *Resource) error {
			r.ID, _ = r.Outputs["arn"].(string)
			return nil
		}),
	},
	"aws:sns/topicPolicy:TopicPolicy": {
		accepts: "arn policy", replaces: "arn", requires: "arn policy", computes: "owner",
		identify: joined("", "arn"),
	},
	"aws:sns/topicSubscription:TopicSubscription": {
		accepts: "endpoint protocol topic", replaces: "endpoint protocol topic", requires: "endpoint protocol topic",
		computes: "arn confirmationWasAuthenticated ownerId pendingConfirmation",
		identify: func(c *Cloud, r *Resource) error {
			r.ID = r.Inputs.text("topic") + ":" + c.hex(32)
			r.set("arn", r.ID)
			return nil
		},
	},

	// Images
	"aws:ecr/repository:Repository": {
		accepts: "encryptionConfigurations.encryptionType encryptionConfigurations.kmsKey forceDelete " +
			"imageScanningConfiguration.scanOnPush imageTagMutability name tags",
		replaces: "encryptionConfigurations name", requires: "name",
		computes: "arn registryId repositoryUrl",
		identify: then(named("ecr", "repository/"), func(_ *Cloud, r *Resource) error {
			r.set("registryId", Account).
				set("repositoryUrl", Account+".dkr.ecr."+r.Region+".amazonaws.com/"+r.ID)
			return nil
		}),
	},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy": {
		accepts: "policy repository", replaces: "repository policy", requires: "policy repository",
		computes: "registryId", identify: joined("", "repository"),
	},
	"aws:ecr/repositoryPolicy:RepositoryPolicy": {
		accepts: "policy repository", replaces: "repository", requires: "policy repository",
		computes: "registryId", identify: joined("", "repository"),
	},
	"aws:ecr/replicationConfiguration:ReplicationConfiguration": {
		accepts: "replicationConfiguration.rules.destinations.region replicationConfiguration.rules.destinations.registryId " +
			"replicationConfiguration.rules.repositoryFilters.filter replicationConfiguration.rules.repositoryFilters.filterType",
		requires: "replicationConfiguration", computes: "registryId",
		identify: account,
	},
	"aws:ecr/registryPolicy:RegistryPolicy": {
		accepts: "policy", requires: "policy", computes: "registryId", identify: account,
	},
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": {
		accepts: "appliedFors customRoleArn description encryptionConfigurations.encryptionType " +
			"encryptionConfigurations.kmsKey imageTagMutability lifecyclePolicy prefix repositoryPolicy resourceTags.*",
		replaces: "prefix", requires: "appliedFors prefix", computes: "registryId",
		identify: joined("", "prefix"),
	},

	// Backup
	"aws:backup/vault:Vault": {
		accepts: "forceDestroy kmsKeyArn name tags", replaces: "kmsKeyArn name", requires: "name",
		computes: "arn recoveryPoints",
		identify: named("backup", "backup-vault:"),
	},
	"aws:backup/plan:Plan": {
		accepts: "name rules.ruleName rules.targetVaultName rules.schedule rules.scheduleExpressionTimezone rules.startWindow " +
			"rules.completionWindow rules.enableContinuousBackup rules.lifecycle.coldStorageAfter rules.lifecycle.deleteAfter " +
			"rules.recoveryPointTags.* tags",
		requires: "name rules", computes: "arn version",
		identify: func(c *Cloud, r *Resource) error {
			r.ID = c.hex(32)
			r.set("arn", r.arn("backup", "backup-plan:%s", r.ID))
			return nil
		},
	},
	"aws:backup/selection:Selection": {
		accepts:  "iamRoleArn name notResources planId resources",
		replaces: "iamRoleArn name notResources planId resources", requires: "iamRoleArn name planId",
		identify: joined("|", "planId", "name"),
	},
}

func account(_ *Cloud, r *Resource) error {
	r.ID = Account
	r.set("registryId", Account)
	return nil
}

func keyIdentity(c *Cloud, r *Resource) error {
	r.ID = c.hex(32)
	if multi, _ := r.Inputs["multiRegion"].(bool); multi {
		r.ID = "mrk-" + r.ID
	}
	r.set("keyId", r.ID).set("arn", r.arn("kms", "key/%s", r.ID))
	return nil
}

// replicaKeyIdentity keeps the primary's id: a multi-Region key has one id in all its regions.
func replicaKeyIdentity(_ *Cloud, r *Resource) error {
	_, id, found := strings.Cut(r.Inputs.text("primaryKeyArn"), "/")
	if !found {
		return refuse(r.Type, r.Name, "primaryKeyArn %q is no key's ARN", r.Inputs.text("primaryKeyArn"))
	}
	r.ID = id
	r.set("keyId", id).set("arn", r.arn("kms", "key/%s", id))
	return nil
}
