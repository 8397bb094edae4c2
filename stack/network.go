package stack

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
)

// idPattern is the form of EC2's ids; those of 8 digits were given until 2018.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
var idPattern = regexp.MustCompile(`^([a-z]+)-([0-9a-f]{8}|[0-9a-f]{17})$`)

// isID reports whether a text has the form of the id of such a resource.
func isID(kind, text string) bool {
	match := idPattern.FindStringSubmatch(text)
	return match != nil && match[1] == kind
}

// readNetwork reads which existing VPC to use, or how to create one.
func (c *Config) readNetwork(v *values) {
	vpcID, subnets := v.text("vpcId"), v.list("privateSubnetIds")
	routeTables, endpointGroups := v.list("privateRouteTableIds"), v.list("endpointSecurityGroupIds")
	const aVPC, twoSubnets = "vpc-0123456789abcdef0", "[subnet-0123456789abcdef0, subnet-0fedcba9876543210]"
	if vpcID != "" {
		c.AdoptedNetwork = &components.AdoptedNetwork{
			VPCID: pulumi.String(vpcID), SubnetIDs: pulumi.ToStringArray(subnets), EndpointSecurityGroupIDs: pulumi.ToStringArray(endpointGroups),
		}
		if len(routeTables) > 0 {
			c.AdoptedNetwork.RouteTableIDs = pulumi.ToStringArray(routeTables)
		}
		if !isID("vpc", vpcID) {
			v.problem("vpcId", aVPC, "%q is not the id of a VPC", vpcID)
		}
		if different := slices.Compact(slices.Sorted(slices.Values(subnets))); len(different) < 2 {
			v.problem("privateSubnetIds", twoSubnets, "has %d of the two subnets that the functions need, in different zones", len(different))
			subnets = different // to drop one that is listed twice would leave too few
		}
	}
	for _, ids := range []struct {
		key     string
		given   []string
		kind    string
		example string
	}{
		{"privateSubnetIds", subnets, "subnet", twoSubnets},
		{"privateRouteTableIds", routeTables, "rtb", "[rtb-0123456789abcdef0]"},
		{"endpointSecurityGroupIds", endpointGroups, "sg", "[sg-0123456789abcdef0]"},
	} {
		if len(ids.given) > 0 && vpcID == "" {
			v.problem("vpcId", aVPC, "is not set, but %s names parts of a VPC", ids.key)
		}
		wrong := slices.DeleteFunc(slices.Clone(ids.given), func(id string) bool { return isID(ids.kind, id) })
		for _, id := range wrong {
			v.problem(ids.key, ids.example, "%q is not an id: that is %s- with 8 or 17 hexadecimal digits", id, ids.kind)
		}
		v.unique(ids.key, ids.given)
	}

	if prefix, err := netip.ParsePrefix(c.VPCCIDR); err != nil || !prefix.Addr().Is4() || prefix.Bits() < 16 || prefix.Bits() > 25 {
		v.problem("vpcCidr", "10.42.0.0/24", "%q is not an IPv4 range from /16 to /25", c.VPCCIDR)
	} else if whole := prefix.Masked(); prefix != whole {
		v.problem("vpcCidr", whole.String(), "%q has host bits; write %s", c.VPCCIDR, whole)
	}
	known := components.InterfaceEndpoints()
	for _, service := range c.VPCEndpoints {
		if !slices.Contains(known, service) {
			v.problem("vpcEndpoints", "[logs, ssm]", "%q is not one of %s", service, strings.Join(known, ", "))
		}
	}
	for _, service := range calledEndpoints {
		if !slices.Contains(c.VPCEndpoints, service) && len(endpointGroups) == 0 {
			v.problem("vpcEndpoints", "[logs, ssm]", "lacks %s, which the functions call; if the VPC already has that endpoint, list its security group in endpointSecurityGroupIds", service)
		}
	}
	v.unique("vpcEndpoints", c.VPCEndpoints)
}
