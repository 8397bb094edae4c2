package components

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const privateNetworkType = "trade-processing:components:PrivateNetwork"

// PrivateNetworkArgs are the arguments of NewPrivateNetwork.
type PrivateNetworkArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// NetworkName begins the names of everything in the network: up to 64 letters, digits, -, _ and . The flow logs' role
	// names the log group before it exists.
	NetworkName string `pulumi:"networkName"`

	// Adopted is an existing VPC. Default: a small one is created.
	Adopted *AdoptedNetwork `pulumi:"adopted,optional"`

	// CIDR is the range of a created VPC: /16 to /25. Default: 10.42.0.0/24.
	CIDR string `pulumi:"cidr,optional"`

	// Endpoints are the AWS services that get an interface endpoint, such as "ssm": only what the functions call from
	// inside the VPC, because each costs money per hour. DynamoDB and S3 have gateway endpoints, which are free.
	Endpoints []string `pulumi:"endpoints,optional"`

	// LogRetentionDays is how long the flow logs of a created VPC are kept: one of CloudWatch's retentions. Default: 365.
	LogRetentionDays int `pulumi:"logRetentionDays,optional"`

	// KeyARN is the customer-managed key of the flow logs.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// PermissionsBoundary is the ARN of the flow logs' role's permissions boundary. Default: none.
	PermissionsBoundary pulumi.StringInput `pulumi:"permissionsBoundary,optional"`
}

// AdoptedNetwork is a VPC that this stack uses but doesn't own.
type AdoptedNetwork struct {
	// VPCID is the VPC.
	VPCID pulumi.StringInput `pulumi:"vpcId"`

	// SubnetIDs are its private subnets, in two zones or more.
	SubnetIDs pulumi.StringArrayInput `pulumi:"subnetIds"`

	// RouteTableIDs are the tables of these subnets, for the stack's own gateway endpoints. Default: none, because the VPC
	// has gateway endpoints for DynamoDB and S3.
	RouteTableIDs pulumi.StringArrayInput `pulumi:"routeTableIds,optional"`

	// EndpointSecurityGroupIDs are the groups of interface endpoints that the VPC already has. The functions get access to
	// them.
	EndpointSecurityGroupIDs []pulumi.StringInput `pulumi:"endpointSecurityGroupIds,optional"`
}

// defaultCIDR has 256 addresses: Lambda shares a network interface among all functions with the same subnets and
// groups, so a handful are enough.
const defaultCIDR = "10.42.0.0/24"

// zones is how many availability zones a created VPC spans: a function in one zone goes down with it.
const zones = 2

const https = 443

// PrivateNetwork is where the functions live: private subnets without internet access, endpoints for the AWS services
// they call, and security groups that name each other instead of address ranges.
type PrivateNetwork struct {
	pulumi.ResourceState

	VPCID     pulumi.StringOutput      `pulumi:"vpcId"`
	SubnetIDs pulumi.StringArrayOutput `pulumi:"subnetIds"`

	// FunctionGroupID is the security group of functions: out to the endpoints, in from nowhere.
	FunctionGroupID pulumi.StringOutput `pulumi:"functionGroupId"`

	// DefaultGroupID is the VPC's default security group, which lasts as long as the VPC.
	DefaultGroupID pulumi.StringOutput `pulumi:"defaultGroupId"`

	// Reachable are the endpoints and the routes to them: what a function needs before its first call.
	Reachable []pulumi.Resource
}

// FunctionNetwork is where a pipeline's functions live: a PrivateNetwork's outputs, as inputs.
type FunctionNetwork struct {
	// VPCID is the VPC.
	VPCID pulumi.StringInput `pulumi:"vpcId"`

	// SubnetIDs are private subnets in two zones or more.
	SubnetIDs pulumi.StringArrayInput `pulumi:"subnetIds"`

	// FunctionGroupID is the security group of all functions.
	FunctionGroupID pulumi.StringInput `pulumi:"functionGroupId"`

	// DefaultGroupID is the security group that network interfaces are moved to when their function is destroyed.
	DefaultGroupID pulumi.StringInput `pulumi:"defaultGroupId"`

	// Reachable are the resources that a function needs before its first call.
	Reachable []pulumi.Resource
}

// ForFunctions returns the network in the form a pipeline takes.
func (n *PrivateNetwork) ForFunctions() *FunctionNetwork {
	return &FunctionNetwork{
		VPCID: n.VPCID, SubnetIDs: n.SubnetIDs, FunctionGroupID: n.FunctionGroupID, DefaultGroupID: n.DefaultGroupID, Reachable: n.Reachable,
	}
}

// place is where the network's parts are created: in a new VPC or an existing one.
type place struct {
	vpcID         pulumi.StringInput
	defaultGroup  pulumi.StringInput
	subnetIDs     pulumi.StringArrayInput
	routeTableIDs pulumi.StringArrayInput // nil: the VPC has its own gateway endpoints
}

// NewPrivateNetwork creates a PrivateNetwork.
func NewPrivateNetwork(ctx *pulumi.Context, name string, given *PrivateNetworkArgs, opts ...pulumi.ResourceOption) (*PrivateNetwork, error) {
	args := given.withDefaults()
	n := &PrivateNetwork{}
	if err := register(ctx, privateNetworkType, name, n, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	where, err := args.place(ctx, n, name)
	if err != nil {
		return nil, err
	}
	n.VPCID, n.SubnetIDs = where.vpcID.ToStringOutput(), where.subnetIDs.ToStringArrayOutput()
	n.DefaultGroupID = where.defaultGroup.ToStringOutput()

	group, err := newSecurityGroup(ctx, n, name+"-functions", where.vpcID, args.NetworkName+"-functions", "Functions: out to AWS endpoints, in from nowhere")
	if err != nil {
		return nil, err
	}
	n.FunctionGroupID = group.ID().ToStringOutput()

	if err := args.newInterfaceEndpoints(ctx, n, name, where); err != nil {
		return nil, err
	}
	if err := args.newGatewayEndpoints(ctx, n, name, where); err != nil {
		return nil, err
	}
	return n, registerOutputs(ctx, name, n)
}

func (args PrivateNetworkArgs) withDefaults() *PrivateNetworkArgs {
	if args.CIDR == "" {
		args.CIDR = defaultCIDR
	}
	if args.LogRetentionDays == 0 {
		args.LogRetentionDays = defaultLogRetentionDays
	}
	args.Endpoints = slices.Sorted(slices.Values(args.Endpoints)) // the order in the config doesn't matter
	return &args
}

func (args *PrivateNetworkArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("NetworkName", args.NetworkName, roleName)
	a.retention("LogRetentionDays", args.LogRetentionDays)
	a.given("KeyARN", args.KeyARN)
	if adopted := args.Adopted; adopted != nil {
		a.given("Adopted.VPCID", adopted.VPCID)
		a.given("Adopted.SubnetIDs", adopted.SubnetIDs)
		if listed, ok := adopted.SubnetIDs.(pulumi.StringArray); ok && len(listed) < zones {
			a.problem("Adopted.SubnetIDs", "names %d subnets, but %d in different zones are needed", len(listed), zones)
		}
	}
	if _, err := subnetRanges(args.CIDR); err != nil {
		a.problem("CIDR", "%v", err)
	}
	for i, service := range args.Endpoints {
		if !slices.Contains(InterfaceEndpoints(), service) {
			a.problem("Endpoints", "%q is not one of %s", service, strings.Join(InterfaceEndpoints(), ", "))
		}
		if i > 0 && service == args.Endpoints[i-1] {
			a.problem("Endpoints", "%q is listed twice", service)
		}
	}
	return a.err()
}

// subnetRanges halves an address range, one half per zone.
func subnetRanges(cidr string) ([zones]netip.Prefix, error) {
	whole, err := netip.ParsePrefix(cidr)
	if err != nil || !whole.Addr().Is4() || whole.Bits() < 16 || whole.Bits() > 25 || whole != whole.Masked() {
		return [zones]netip.Prefix{}, fmt.Errorf("%q is not an IPv4 range from /16 to /25, such as %s", cidr, defaultCIDR)
	}
	first := netip.PrefixFrom(whole.Addr(), whole.Bits()+1)
	address := whole.Addr().As4()
	bit := whole.Bits() // counted from the left: the first bit that distinguishes the halves
	address[bit/8] |= 1 << (7 - bit%8)
	return [zones]netip.Prefix{first, netip.PrefixFrom(netip.AddrFrom4(address), whole.Bits()+1)}, nil
}

func (args *PrivateNetworkArgs) place(ctx *pulumi.Context, n *PrivateNetwork, name string) (place, error) {
	if adopted := args.Adopted; adopted != nil {
		group := ec2.LookupSecurityGroupOutput(ctx, ec2.LookupSecurityGroupOutputArgs{
			VpcId: adopted.VPCID.ToStringOutput().ToStringPtrOutput(), Name: pulumi.String("default"),
		}, pulumi.Parent(n))
		return place{
			vpcID: adopted.VPCID, defaultGroup: group.Id(), subnetIDs: adopted.SubnetIDs, routeTableIDs: adopted.RouteTableIDs,
		}, nil
	}
	return args.newVPC(ctx, n, name)
}

// newSecurityGroup creates a security group without rules. Rules are separate resources: mixed with inline ones, each
// update undoes the other's.
//
// Only another VPC replaces it, where its name is free: the new group is there before the functions leave the old one.
// By default, a resource with a given name is deleted first, which EC2 refuses as long as they use it. A description
// can't be changed either, and a replacement in the same VPC would find its name taken.
func newSecurityGroup(ctx *pulumi.Context, parent pulumi.Resource, name string, vpcID pulumi.StringInput, physical, description string) (*ec2.SecurityGroup, error) {
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		Name:        pulumi.String(physical),
		Description: pulumi.String(description),
		VpcId:       vpcID,
		Tags:        nameTag(physical),
	}, pulumi.Parent(parent), pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: lingeringInterfaces}),
		pulumi.DeleteBeforeReplace(false), pulumi.IgnoreChanges([]string{"description"}))
	if err != nil {
		return nil, fmt.Errorf("creating security group %s: %w", name, err)
	}
	return group, nil
}

// lingeringInterfaces is how long it may take to delete what Lambda's network interfaces hold on to: they stay for up
// to 45 minutes after their function.
const lingeringInterfaces = "50m"

func nameTag(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }

// allow lets one security group reach another, a prefix list or a range on one TCP port.
type allow struct {
	from        pulumi.StringInput // the group whose egress it is
	to          pulumi.StringInput // a group; nil with a prefix list or a range
	toPrefixes  pulumi.StringInput // a prefix list
	toRange     string             // a CIDR range
	port        int
	description string
}

func newEgress(ctx *pulumi.Context, parent pulumi.Resource, name string, rule allow) (pulumi.Resource, error) {
	args := &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: rule.from,
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(rule.port),
		ToPort:          pulumi.Int(rule.port),
		Description:     pulumi.String(rule.description),
	}
	switch {
	case rule.to != nil:
		args.ReferencedSecurityGroupId = rule.to.ToStringOutput().ToStringPtrOutput()
	case rule.toPrefixes != nil:
		args.PrefixListId = rule.toPrefixes.ToStringOutput().ToStringPtrOutput()
	default:
		args.CidrIpv4 = pulumi.String(rule.toRange)
	}
	made, err := vpc.NewSecurityGroupEgressRule(ctx, name, args, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating egress rule %s: %w", name, err)
	}
	return made, nil
}

func newIngress(ctx *pulumi.Context, parent pulumi.Resource, name string, group, from pulumi.StringInput, description string) (pulumi.Resource, error) {
	made, err := vpc.NewSecurityGroupIngressRule(ctx, name, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           group,
		ReferencedSecurityGroupId: from.ToStringOutput().ToStringPtrOutput(),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(https),
		ToPort:                    pulumi.Int(https),
		Description:               pulumi.String(description),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating ingress rule %s: %w", name, err)
	}
	return made, nil
}
