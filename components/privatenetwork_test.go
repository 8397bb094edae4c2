package components

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"pgregory.net/rapid"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

func declareNetwork(t *testing.T, change func(*PrivateNetworkArgs)) *declared.Stack {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		args := &PrivateNetworkArgs{Scope: here, NetworkName: "orders", Endpoints: []string{"ssm", "logs"}, KeyARN: keyARN}
		if change != nil {
			change(args)
		}
		_, err := NewPrivateNetwork(ctx, "network", args)
		return err
	})
}

func adopting(args *PrivateNetworkArgs) {
	args.Adopted = &AdoptedNetwork{VPCID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}), RouteTableIDs: pulumi.ToStringArray([]string{"rtb-1"})}
}

func TestAVPCOfOurOwnHasNoWayToTheInternet(t *testing.T) {
	stack := declareNetwork(t, nil)
	for _, r := range stack.Resources {
		switch r.Type {
		case "aws:ec2/internetGateway:InternetGateway", "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip", "aws:ec2/route:Route":
			t.Errorf("%s leads out", r.URN)
		}
	}
	if routes := find(t, stack, "aws:ec2/routeTable:RouteTable", "routes").At("routes"); routes != nil {
		t.Errorf("routes %v", routes)
	}
	network := find(t, stack, "aws:ec2/vpc:Vpc", "vpc")
	if network.Text("cidrBlock") != "10.42.0.0/24" || network.At("enableDnsSupport") != true || network.At("enableDnsHostnames") != true {
		t.Errorf("the VPC is %v; private names of endpoints need DNS support and host names", network.Inputs)
	}
	zones := map[string]bool{}
	for _, subnet := range stack.All("aws:ec2/subnet:Subnet") {
		zones[subnet.Text("availabilityZone")] = true
		if subnet.At("mapPublicIpOnLaunch") != false {
			t.Errorf("%s gives public addresses", subnet.Name)
		}
	}
	if len(zones) != 2 {
		t.Errorf("the subnets are in the zones %v", zones)
	}
	if flow := find(t, stack, "aws:ec2/flowLog:FlowLog", "flow-log"); flow.Text("trafficType") != "ALL" {
		t.Errorf("flow log of %s", flow.Text("trafficType"))
	}
	if closed := find(t, stack, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default"); closed.At("ingress") != nil || closed.At("egress") != nil {
		t.Errorf("the default security group is open: %v", closed.Inputs)
	}
}

func TestSecurityGroupsNameEachOtherAndOpenNothingElse(t *testing.T) {
	for name, change := range map[string]func(*PrivateNetworkArgs){"a VPC of our own": nil, "an adopted one": adopting} {
		t.Run(name, func(t *testing.T) {
			stack := declareNetwork(t, change)
			for _, typ := range []string{"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"} {
				for _, rule := range stack.All(typ) {
					if rule.At("cidrIpv4") != nil || rule.At("cidrIpv6") != nil {
						t.Errorf("%s names a range: %v", rule.Name, rule.Inputs)
					}
					if rule.At("fromPort") != 443.0 || rule.At("toPort") != 443.0 || rule.Text("ipProtocol") != "tcp" || rule.Text("description") == "" {
						t.Errorf("%s: %v", rule.Name, rule.Inputs)
					}
				}
			}
			in := find(t, stack, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "in")
			out := find(t, stack, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "endpoints-out")
			if in.Text("securityGroupId") != out.Text("referencedSecurityGroupId") || in.Text("referencedSecurityGroupId") != out.Text("securityGroupId") {
				t.Errorf("in %v, out %v", in.Inputs, out.Inputs)
			}
			for _, group := range stack.All("aws:ec2/securityGroup:SecurityGroup") {
				if group.At("ingress") != nil || group.At("egress") != nil || group.Text("description") == "" || group.DeleteTimeout == "" {
					t.Errorf("%s: %v, delete timeout %q", group.Name, group.Inputs, group.DeleteTimeout)
				}
			}
		})
	}
}

func TestEndpointsServeThisAccountAndItsCallsOnly(t *testing.T) {
	stack := declareNetwork(t, nil)
	own := map[string]string{"aws:PrincipalAccount": "111122223333", "aws:ResourceAccount": "111122223333"}
	foreign := map[string]string{"aws:PrincipalAccount": "444455556666", "aws:ResourceAccount": "111122223333"}
	elsewhere := map[string]string{"aws:PrincipalAccount": "111122223333", "aws:ResourceAccount": "444455556666"}
	for service, action := range map[string]string{
		"ssm": "ssm:GetParametersByPath", "logs": "logs:PutLogEvents", "dynamodb": "dynamodb:PutItem", "s3": "s3:GetObject",
	} {
		endpoint := find(t, stack, "aws:ec2/vpcEndpoint:VpcEndpoint", "-"+service)
		document := policy(t, endpoint, "policy")
		decide(t, document, iam.Request{Action: action, Context: own}, iam.Allowed)
		decide(t, document, iam.Request{Action: action, Context: foreign}, iam.DeniedImplicitly)
		decide(t, document, iam.Request{Action: action, Context: elsewhere}, iam.DeniedImplicitly)
		decide(t, document, iam.Request{Action: service + ":DeleteEverything", Context: own}, iam.DeniedImplicitly)
		if got, want := endpoint.Text("serviceName"), "com.amazonaws.us-east-1."+service; got != want {
			t.Errorf("service %s, want %s", got, want)
		}
	}
	if names := find(t, stack, "aws:ec2/vpcEndpoint:VpcEndpoint", "-ssm").At("privateDnsEnabled"); names != true {
		t.Error("without private DNS names the SDK finds the public address, which leads nowhere")
	}
}

func TestAnAdoptedVPCIsUsedAsItIs(t *testing.T) {
	stack := declareNetwork(t, adopting)
	for _, typ := range []string{"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/flowLog:FlowLog"} {
		if made := stack.All(typ); len(made) > 0 {
			t.Errorf("%s was made in somebody else's VPC", made[0].URN)
		}
	}
	gateway := find(t, stack, "aws:ec2/vpcEndpoint:VpcEndpoint", "dynamodb")
	if diff := cmp.Diff([]any{"rtb-1"}, gateway.At("routeTableIds")); diff != "" || gateway.Text("vpcId") != "vpc-1" {
		t.Errorf("gateway %v", gateway.Inputs)
	}
}

func TestEndpointsThatAVPCHasAreUsed(t *testing.T) {
	stack := declareNetwork(t, func(args *PrivateNetworkArgs) {
		args.Endpoints = nil
		args.Adopted = &AdoptedNetwork{VPCID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}), EndpointSecurityGroupIDs: []pulumi.StringInput{pulumi.String("sg-theirs")}}
	})
	if made := stack.All("aws:ec2/vpcEndpoint:VpcEndpoint"); len(made) > 0 {
		t.Errorf("a second endpoint would take the first one's name: %s", made[0].URN)
	}
	in := find(t, stack, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "in")
	if in.Text("securityGroupId") != "sg-theirs" {
		t.Errorf("the functions have no way in: %v", in.Inputs)
	}
	out := find(t, stack, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "dynamodb-out")
	if out.Text("prefixListId") == "" {
		t.Errorf("the functions have no way to DynamoDB: %v", out.Inputs)
	}
}

func TestARangeIsHalvedBetweenTheZones(t *testing.T) {
	for cidr, want := range map[string][2]string{
		"10.42.0.0/24": {"10.42.0.0/25", "10.42.0.128/25"}, "10.0.0.0/16": {"10.0.0.0/17", "10.0.128.0/17"}, "10.9.8.128/25": {"10.9.8.128/26", "10.9.8.192/26"},
	} {
		got, err := subnetRanges(cidr)
		if err != nil || got[0].String() != want[0] || got[1].String() != want[1] {
			t.Errorf("%s: %v, %v", cidr, got, err)
		}
	}
}

func TestHalvesOfARangeAreApartAndWithinIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(16, 25).Draw(t, "bits")
		bytes := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")
		whole := netip.PrefixFrom(netip.AddrFrom4([4]byte(bytes)), bits).Masked()
		halves, err := subnetRanges(whole.String())
		if err != nil {
			t.Fatalf("%s: %v", whole, err)
		}
		if halves[0].Overlaps(halves[1]) || halves[0].Bits() != bits+1 || halves[1].Bits() != bits+1 {
			t.Fatalf("%s: %v", whole, halves)
		}
		for _, half := range halves {
			if half != half.Masked() || !whole.Contains(half.Addr()) {
				t.Fatalf("%s: %v", whole, half)
			}
		}
	})
}
