package components

import (
	"fmt"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

// InsightsLogGroup is where every function with Lambda Insights in an account and region writes. The extension offers
// no other name.
const InsightsLogGroup = "/aws/lambda-insights"

// Permission lets a role do something with named resources.
type Permission struct {
	// Sid names the permission: letters and digits.
	Sid string `pulumi:"sid"`

	// Actions are IAM actions, such as dynamodb:PutItem.
	Actions []string `pulumi:"actions"`

	// Resources are the ARNs that the actions are allowed on.
	Resources []pulumi.StringInput `pulumi:"resources"`

	// Conditions are IAM conditions: by operator, such as StringEquals, the values of each key.
	Conditions iam.Conditions `pulumi:"conditions,optional"`
}

func checkPermissions(a *arguments, permissions []Permission) {
	for i, p := range permissions {
		field := fmt.Sprintf("Permissions[%d]", i)
		a.text(field+".Sid", p.Sid)
		if len(p.Actions) == 0 {
			a.problem(field+".Actions", "is empty")
		}
		if len(p.Resources) == 0 {
			a.problem(field+".Resources", "is empty")
		}
		for j, resource := range p.Resources {
			a.given(fmt.Sprintf("%s.Resources[%d]", field, j), resource)
		}
	}
}

// statements renders permissions once their resources are known. resources has those of all permissions, one after the
// other.
func statements(permissions []Permission, resources []string) []iam.Statement {
	var made []iam.Statement
	for _, p := range permissions {
		made = append(made, iam.Statement{
			Sid: p.Sid, Effect: iam.Allow, Action: p.Actions, Resource: resources[:len(p.Resources)], Condition: p.Conditions,
		})
		resources = resources[len(p.Resources):]
	}
	return made
}

// newRole creates the function's own role and its one policy.
func (args *ContainerFunctionArgs) newRole(ctx *pulumi.Context, f *ContainerFunction, name string) (*awsiam.Role, *awsiam.RolePolicy, error) {
	// When it assumes a role, Lambda passes the account, but not always the function
	// (https://github.com/aws/agent-toolkit-for-aws has this very condition).
	trusted, err := trust(functionService, onBehalfOfAccount(args.Scope.Account))
	if err != nil {
		return nil, nil, err
	}
	role, err := newRole(ctx, f, name+"-role", roleArgs{
		name: pulumi.String(args.FunctionName), description: "What " + args.FunctionName + " may do", trust: trusted, boundary: args.PermissionsBoundary,
	})
	if err != nil {
		return nil, nil, err
	}
	policy, err := awsiam.NewRolePolicy(ctx, name+"-role-policy", &awsiam.RolePolicyArgs{
		Name:   pulumi.String("function"),
		Role:   role.Name,
		Policy: args.policy(f.DeadLetters.ARN),
	}, pulumi.Parent(f))
	if err != nil {
		return nil, nil, fmt.Errorf("creating the policy of role %s: %w", name, err)
	}
	return role, policy, nil
}

func (args *ContainerFunctionArgs) policy(deadLettersARN pulumi.StringInput) pulumi.StringOutput {
	inputs := []pulumi.StringInput{deadLettersARN, args.KeyARN}
	for _, p := range args.Permissions {
		inputs = append(inputs, p.Resources...)
	}
	return policyOf(func(arn []string) []iam.Statement {
		deadLetters, key, resources := arn[0], arn[1], arn[2:]
		made := statements(args.Permissions, resources)
		made = append(made, args.observability()...)
		made = append(made, iam.Statement{
			Sid: "DeadLetters", Effect: iam.Allow, Action: iam.Strings{"sqs:SendMessage"}, Resource: iam.Strings{deadLetters},
		}, useKeyThrough("sqs", args.Scope, key))
		if args.SubnetIDs != nil {
			made = append(made, args.network()...)
		}
		return made
	}, inputs...)
}

// observability returns what logs, traces and Lambda Insights need. logs:CreateLogGroup is deliberately left out: with
// it, Lambda would recreate a destroyed log group.
func (args *ContainerFunctionArgs) observability() []iam.Statement {
	_, own := args.Scope.LogGroupARN(FunctionLogGroup(args.FunctionName))
	_, insights := args.Scope.LogGroupARN(InsightsLogGroup)
	return []iam.Statement{
		{
			Sid: "Logs", Effect: iam.Allow,
			Action:   iam.Strings{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resource: iam.Strings{own, insights},
		},
		{
			// X-Ray has no resource-level permissions.
			Sid: "Traces", Effect: iam.Allow,
			Action:   iam.Strings{"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
			Resource: anyResource,
		},
	}
}

// network returns what Lambda needs to attach the function to its subnets, and what is denied to the function's own
// code (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions).
func (args *ContainerFunctionArgs) network() []iam.Statement {
	return []iam.Statement{
		{
			Sid: "NetworkInterfaces", Effect: iam.Allow,
			Action: iam.Strings{
				"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses",
			},
			// Lambda checks ec2:DeleteNetworkInterface before it creates the function, and accepts one id or all of them:
			// resource types, such as network-interface/*, are refused (the same page, and hashicorp/terraform-provider-aws
			// #20698).
			Resource: iam.Strings{args.Scope.ARN("ec2", "*/*")},
		},
		{
			// EC2's Describe actions have no resource-level permissions.
			Sid: "FindNetworkInterfaces", Effect: iam.Allow,
			Action:   iam.Strings{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"},
			Resource: anyResource,
		},
		{
			Sid: "NetworkInterfacesAreNotForTheCode", Effect: iam.Deny,
			Action: iam.Strings{
				"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
				"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
			},
			Resource: anyResource,
			Condition: iam.Conditions{
				iam.ArnEquals: {"lambda:SourceFunctionArn": {args.Scope.ARN("lambda", "function:"+args.FunctionName)}},
			},
		},
	}
}

// unlock lets a function have a service decrypt what it keeps under a key: the value of a parameter
// (https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html), or a
// table's own key, which is all that reading and writing items needs
// (https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html#dynamodb-cmk-trail).
func unlock(sid, service string, scope Scope, keyARN pulumi.StringInput) Permission {
	return Permission{
		Sid: sid, Actions: []string{"kms:Decrypt"}, Resources: []pulumi.StringInput{keyARN}, Conditions: useKeyThrough(service, scope, "").Condition,
	}
}

// useKeyThrough lets a role send to what one service of the region keeps under the key
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html).
func useKeyThrough(service string, scope Scope, keyARN string) iam.Statement {
	return iam.Statement{
		Sid: "Key", Effect: iam.Allow,
		Action:    iam.Strings{"kms:Decrypt", "kms:GenerateDataKey"},
		Resource:  iam.Strings{keyARN},
		Condition: iam.Conditions{iam.StringEquals: {"kms:ViaService": {service + "." + scope.Region + ".amazonaws.com"}}},
	}
}
