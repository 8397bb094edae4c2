package cloud

import (
	"fmt"
	"slices"
	"strings"
)

// reference is a property of a type, by path, that names another resource by its id, name or ARN, or by an ARN below it.
type reference struct{ typ, property string }

const (
	vpcEndpointType   = "aws:ec2/vpcEndpoint:VpcEndpoint"
	securityGroupType = "aws:ec2/securityGroup:SecurityGroup"
	subnetType        = "aws:ec2/subnet:Subnet"
	routeTableType    = "aws:ec2/routeTable:RouteTable"
	ingressRuleType   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRuleType    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

// held are the types that AWS doesn't delete while others refer to them, with its error. A function's network interfaces
// have its groups and subnets; AWS needs up to 40 minutes more than here to remove them.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-cleanup
// https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupPlan.html
var held = map[string]struct {
	refusal string
	by      []reference
}{
	securityGroupType: {"DependencyViolation", []reference{
		{FunctionType, "vpcConfig.securityGroupIds"}, {vpcEndpointType, "securityGroupIds"},
		{ingressRuleType, "referencedSecurityGroupId"}, {egressRuleType, "referencedSecurityGroupId"},
	}},
	subnetType:     {"DependencyViolation", []reference{{FunctionType, "vpcConfig.subnetIds"}, {vpcEndpointType, "subnetIds"}}},
	routeTableType: {"DependencyViolation", []reference{{"aws:ec2/routeTableAssociation:RouteTableAssociation", "routeTableId"}}},
	"aws:ec2/vpc:Vpc": {"DependencyViolation", []reference{
		{subnetType, "vpcId"}, {securityGroupType, "vpcId"}, {routeTableType, "vpcId"}, {vpcEndpointType, "vpcId"},
	}},
	RoleType: {"DeleteConflict", []reference{
		{"aws:iam/rolePolicy:RolePolicy", "role"}, {AttachmentType, "role"},
	}},
	BusType:                {"ValidationException", []reference{{RuleType, "eventBusName"}}},
	"aws:backup/plan:Plan": {"InvalidRequestException", []reference{{"aws:backup/selection:Selection", "planId"}}},
}

// taken are the types whose deletion takes others along.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
// https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html
var taken = map[string][]reference{
	MachineType:  {{MachineAliasType, "routingConfigurations.stateMachineVersionArn"}},
	FunctionType: {{FunctionAliasType, "functionName"}},
	TopicType: {
		{"aws:sns/topicPolicy:TopicPolicy", "arn"}, {SubscriptionType, "topic"},
	},
	QueueType: {
		{QueuePolicyType, "queueUrl"}, {RedriveAllowPolicyType, "queueUrl"},
	},
	BusType: {{"aws:cloudwatch/eventBusPolicy:EventBusPolicy", "eventBusName"}},
	RepositoryType: {
		{"aws:ecr/lifecyclePolicy:LifecyclePolicy", "repository"}, {"aws:ecr/repositoryPolicy:RepositoryPolicy", "repository"},
	},
	securityGroupType: {{ingressRuleType, "securityGroupId"}, {egressRuleType, "securityGroupId"}},
}

// release refuses the deletion of a resource that AWS would refuse because of others.
func (c *Cloud) release(r *Resource) error {
	holding := held[r.Type]
	if by := c.referring(r, holding.by); len(by) > 0 {
		return fmt.Errorf("%s: %s is used by %s", holding.refusal, r.ID, by[0].ID)
	}
	return nil
}

// referring lists the resources that refer to one.
func (c *Cloud) referring(r *Resource, references []reference) []*Resource {
	if len(references) == 0 {
		return nil
	}
	var found []*Resource
	for _, other := range c.Resources() {
		if other.Region == r.Region && slices.ContainsFunc(references, func(by reference) bool {
			return by.typ == other.Type && names(map[string]any(other.Inputs), strings.Split(by.property, "."), r)
		}) {
			found = append(found, other)
		}
	}
	return found
}

// names reports whether the value at a path names a resource.
func names(value any, path []string, r *Resource) bool {
	switch value := value.(type) {
	case map[string]any:
		return len(path) > 0 && names(value[path[0]], path[1:], r)
	case []any:
		return slices.ContainsFunc(value, func(element any) bool { return names(element, path, r) })
	case string:
		arn := r.itsARN()
		return len(path) == 0 && (value == r.ID || arn != "" && (value == arn || strings.HasPrefix(value, arn+":")))
	}
	return false
}
