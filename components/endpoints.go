package components

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

// endpointActions are the services that can have an endpoint, and what may pass through it: only what functions call
// from inside a VPC. Function logs, traces and pulled images don't pass here: Lambda carries them itself.
var endpointActions = map[string]iam.Strings{
	"dynamodb":       {"dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"},
	"events":         {"events:PutEvents"},
	"kms":            {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
	"logs":           {"logs:CreateLogStream", "logs:PutLogEvents"}, // Lambda Insights writes from inside the function
	"s3":             {"s3:GetObject"},
	"secretsmanager": {"secretsmanager:GetSecretValue"},
	"sqs":            {"sqs:SendMessage"},
	"ssm":            {"ssm:GetParametersByPath"},
	"sts":            {"sts:AssumeRole", "sts:GetCallerIdentity"},
	"xray":           {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
}

// InterfaceEndpoints returns the services that can have an interface endpoint, in alphabetical order.
func InterfaceEndpoints() []string {
	services := slices.Sorted(maps.Keys(endpointActions))
	return slices.DeleteFunc(services, func(service string) bool { return slices.Contains(gatewayServices, service) })
}

// newInterfaceEndpoints creates the interface endpoints, and lets the functions reach them and those of an existing
// VPC.
func (args *PrivateNetworkArgs) newInterfaceEndpoints(ctx *pulumi.Context, n *PrivateNetwork, name string, where place) error {
	if len(args.Endpoints) > 0 {
		group, err := newSecurityGroup(ctx, n, name+"-endpoints", where.vpcID, args.NetworkName+"-endpoints", "Interface endpoints: in from the functions, out to nowhere")
		if err != nil {
			return err
		}
		if err := n.connect(ctx, name+"-endpoints", group.ID()); err != nil {
			return err
		}
		for _, service := range args.Endpoints {
			policy, err := args.endpointPolicy(service)
			if err != nil {
				return err
			}
			endpoint, err := ec2.NewVpcEndpoint(ctx, name+"-"+service, &ec2.VpcEndpointArgs{
				VpcId:             where.vpcID,
				VpcEndpointType:   pulumi.String("Interface"),
				ServiceName:       pulumi.String(args.serviceName(service)),
				SubnetIds:         where.subnetIDs,
				SecurityGroupIds:  pulumi.StringArray{group.ID()},
				PrivateDnsEnabled: pulumi.Bool(true),
				Policy:            policy,
				Tags:              nameTag(args.NetworkName + "-" + service),
			}, pulumi.Parent(n))
			if err != nil {
				return fmt.Errorf("creating the endpoint for %s of network %s: %w", service, name, err)
			}
			n.Reachable = append(n.Reachable, endpoint)
		}
	}
	if args.Adopted == nil {
		return nil
	}
	for i, group := range args.Adopted.EndpointSecurityGroupIDs {
		if err := n.connect(ctx, fmt.Sprintf("%s-adopted-endpoints-%d", name, i+1), group); err != nil {
			return err
		}
	}
	return nil
}

// connect lets the functions reach the endpoints of a security group.
func (n *PrivateNetwork) connect(ctx *pulumi.Context, name string, group pulumi.StringInput) error {
	out, err := newEgress(ctx, n, name+"-out", allow{from: n.FunctionGroupID, to: group, port: https, description: "To the interface endpoints"})
	if err != nil {
		return err
	}
	in, err := newIngress(ctx, n, name+"-in", group, n.FunctionGroupID, "From the functions")
	if err != nil {
		return err
	}
	n.Reachable = append(n.Reachable, out, in)
	return nil
}

// gatewayServices have endpoints that are routes, and free. The functions call DynamoDB. S3's is there so that nothing
// put into these subnets later needs internet access for it; none of our security groups allows it.
var gatewayServices = []string{"dynamodb", "s3"}

// newGatewayEndpoints creates the gateway endpoints, or relies on those of an existing VPC, and lets the functions
// reach DynamoDB through its prefix list.
func (args *PrivateNetworkArgs) newGatewayEndpoints(ctx *pulumi.Context, n *PrivateNetwork, name string, where place) error {
	var prefixes pulumi.StringInput
	if where.routeTableIDs == nil {
		list, err := ec2.LookupManagedPrefixList(ctx, &ec2.LookupManagedPrefixListArgs{
			Name: pulumi.StringRef(args.serviceName("dynamodb")),
		}, pulumi.Parent(n))
		if err != nil {
			return fmt.Errorf("asking AWS for the prefix list of DynamoDB in %s: %w", args.Scope.Region, err)
		}
		prefixes = pulumi.String(list.Id)
	} else {
		for _, service := range gatewayServices {
			policy, err := args.endpointPolicy(service)
			if err != nil {
				return err
			}
			endpoint, err := ec2.NewVpcEndpoint(ctx, name+"-"+service, &ec2.VpcEndpointArgs{
				VpcId:           where.vpcID,
				VpcEndpointType: pulumi.String("Gateway"),
				ServiceName:     pulumi.String(args.serviceName(service)),
				RouteTableIds:   where.routeTableIDs,
				Policy:          policy,
				Tags:            nameTag(args.NetworkName + "-" + service),
			}, pulumi.Parent(n))
			if err != nil {
				return fmt.Errorf("creating the endpoint for %s of network %s: %w", service, name, err)
			}
			n.Reachable = append(n.Reachable, endpoint)
			if service == "dynamodb" {
				prefixes = endpoint.PrefixListId
			}
		}
	}
	out, err := newEgress(ctx, n, name+"-dynamodb-out", allow{from: n.FunctionGroupID, toPrefixes: prefixes, port: https, description: "To DynamoDB"})
	if err != nil {
		return err
	}
	n.Reachable = append(n.Reachable, out)
	return nil
}

func (args *PrivateNetworkArgs) serviceName(service string) string {
	return "com.amazonaws." + args.Scope.Region + "." + service
}

// endpointPolicy lets this account's principals through to this account's resources: a credential from elsewhere can't
// carry data out through the endpoint, and ours can't carry it elsewhere.
func (args *PrivateNetworkArgs) endpointPolicy(service string) (pulumi.String, error) {
	text, err := iam.New(iam.Statement{
		Sid: "OwnAccountOnly", Effect: iam.Allow, Principal: iam.Everyone(),
		Action: endpointActions[service],
		// An endpoint's policy limits what passes through; a caller's own policy decides what it may do.
		Resource: anyResource,
		Condition: iam.Conditions{iam.StringEquals: {
			"aws:PrincipalAccount": {args.Scope.Account},
			"aws:ResourceAccount":  {args.Scope.Account},
		}},
	}).JSON()
	return pulumi.String(text), err
}
