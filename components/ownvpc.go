package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

// zonesWithoutLambda can't have functions' network interfaces. Zone ids are the same in every account; the letters
// after a region's name are not.
var zonesWithoutLambda = []string{"use1-az3"}

// FlowLogGroup returns the log group of a VPC's flow logs.
func FlowLogGroup(networkName string) string { return "/aws/vpc/" + networkName + "-flow-logs" }

// newVPC creates a small VPC: two private subnets in two zones, no internet gateway, no NAT, a closed default security
// group, and flow logs.
func (args *PrivateNetworkArgs) newVPC(ctx *pulumi.Context, n *PrivateNetwork, name string) (place, error) {
	network, err := ec2.NewVpc(ctx, name+"-vpc", &ec2.VpcArgs{
		CidrBlock:          pulumi.String(args.CIDR),
		EnableDnsSupport:   pulumi.Bool(true), // endpoints' private DNS names need both
		EnableDnsHostnames: pulumi.Bool(true),
		Tags:               nameTag(args.NetworkName),
	}, pulumi.Parent(n))
	if err != nil {
		return place{}, fmt.Errorf("creating VPC %s: %w", name, err)
	}
	// AWS creates a default group that is open to itself. Adopted without rules, it lets nothing in or out.
	closed, err := ec2.NewDefaultSecurityGroup(ctx, name+"-default", &ec2.DefaultSecurityGroupArgs{
		VpcId: network.ID(),
		Tags:  nameTag(args.NetworkName + "-default-closed"),
	}, pulumi.Parent(n))
	if err != nil {
		return place{}, fmt.Errorf("closing the default security group of VPC %s: %w", name, err)
	}

	// In whatever state they are: an incident must not shorten the list.
	suitable, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
		ExcludeZoneIds: zonesWithoutLambda,
		Filters: []aws.GetAvailabilityZonesFilter{
			{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}, // no local zones
		},
	}, pulumi.Parent(n))
	if err != nil {
		return place{}, fmt.Errorf("asking AWS for the availability zones of %s: %w", args.Scope.Region, err)
	}
	if len(suitable.Names) < zones {
		return place{}, &ArgumentError{Component: name, Argument: "Scope", Reason: fmt.Sprintf("%s has %d suitable zones, but %d are needed", args.Scope.Region, len(suitable.Names), zones)}
	}
	table, err := ec2.NewRouteTable(ctx, name+"-routes", &ec2.RouteTableArgs{
		VpcId: network.ID(),
		Tags:  nameTag(args.NetworkName + "-private"),
	}, pulumi.Parent(n))
	if err != nil {
		return place{}, fmt.Errorf("creating the route table of VPC %s: %w", name, err)
	}
	ranges, err := subnetRanges(args.CIDR)
	if err != nil {
		return place{}, err
	}
	var subnets pulumi.StringArray
	for i, addresses := range ranges {
		number := fmt.Sprintf("-%d", i+1)
		subnet, err := ec2.NewSubnet(ctx, name+"-private"+number, &ec2.SubnetArgs{
			VpcId:               network.ID(),
			CidrBlock:           pulumi.String(addresses.String()),
			AvailabilityZone:    pulumi.String(suitable.Names[i]),
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                nameTag(args.NetworkName + "-private" + number),
			// A subnet stays in the zone that it was created in, whatever AWS lists later, and in which order: another zone would
			// replace it, and its range is taken until it is gone.
		}, pulumi.Parent(n), pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: lingeringInterfaces}),
			pulumi.IgnoreChanges([]string{"availabilityZone"}))
		if err != nil {
			return place{}, fmt.Errorf("creating subnet %d of VPC %s: %w", i+1, name, err)
		}
		_, err = ec2.NewRouteTableAssociation(ctx, name+"-private"+number+"-routes", &ec2.RouteTableAssociationArgs{
			SubnetId:     subnet.ID(),
			RouteTableId: table.ID(),
		}, pulumi.Parent(n))
		if err != nil {
			return place{}, fmt.Errorf("routing subnet %d of VPC %s: %w", i+1, name, err)
		}
		subnets = append(subnets, subnet.ID())
	}
	err = args.newFlowLogs(ctx, n, name, network)
	return place{vpcID: network.ID(), defaultGroup: closed.ID(), subnetIDs: subnets, routeTableIDs: pulumi.StringArray{table.ID()}}, err
}

// newFlowLogs keeps a record of every connection, accepted and refused.
func (args *PrivateNetworkArgs) newFlowLogs(ctx *pulumi.Context, n *PrivateNetwork, name string, network *ec2.Vpc) error {
	_, streams := args.Scope.LogGroupARN(FlowLogGroup(args.NetworkName))
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-flow-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(FlowLogGroup(args.NetworkName)),
		RetentionInDays: pulumi.Int(args.LogRetentionDays),
		KmsKeyId:        args.KeyARN,
	}, pulumi.Parent(n))
	if err != nil {
		return fmt.Errorf("creating the flow log group of VPC %s: %w", name, err)
	}
	// AWS's own condition, for the flow log whose id isn't known yet
	// (https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html).
	trusted, err := trust(flowLogService, onBehalfOf(args.Scope.ARN("ec2", "vpc-flow-log/*")))
	if err != nil {
		return err
	}
	role, err := newRole(ctx, n, name+"-flow-logs-role", roleArgs{
		name: pulumi.String(args.NetworkName + "-flow-logs"), description: "Writes the flow logs of " + args.NetworkName, trust: trusted, boundary: args.PermissionsBoundary,
	})
	if err != nil {
		return err
	}
	// The least that AWS asks for (https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html).
	text, err := iam.New(
		iam.Statement{
			Sid: "WriteFlowLogs", Effect: iam.Allow,
			Action:   iam.Strings{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resource: iam.Strings{streams},
		},
		iam.Statement{Sid: "FindLogGroups", Effect: iam.Allow, Action: iam.Strings{"logs:DescribeLogGroups"}, Resource: anyResource}, // a list of all
	).JSON()
	if err != nil {
		return err
	}
	policy, err := awsiam.NewRolePolicy(ctx, name+"-flow-logs-role-policy", &awsiam.RolePolicyArgs{
		Name: pulumi.String("flow-logs"), Role: role.Name, Policy: pulumi.String(text),
	}, pulumi.Parent(n))
	if err != nil {
		return fmt.Errorf("creating the policy of the flow logs' role of VPC %s: %w", name, err)
	}
	_, err = ec2.NewFlowLog(ctx, name+"-flow-log", &ec2.FlowLogArgs{
		VpcId:                  network.ID(),
		TrafficType:            pulumi.String("ALL"),
		LogDestinationType:     pulumi.String("cloud-watch-logs"),
		LogDestination:         logs.Arn,
		IamRoleArn:             role.Arn,
		MaxAggregationInterval: pulumi.Int(600), // the cheaper of the two
		Tags:                   nameTag(args.NetworkName),
	}, pulumi.Parent(n), pulumi.DependsOn([]pulumi.Resource{policy}))
	if err != nil {
		return fmt.Errorf("creating the flow log of VPC %s: %w", name, err)
	}
	return nil
}
