package stack

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
)

// readNetwork reads which existing VPC to use, or how to create one.
func (c *Config) readNetwork(v *values) {
	vpcID, subnets := v.text("vpcId"), v.list("privateSubnetIds")
	routeTables, endpointGroups := v.list("privateRouteTableIds"), v.list("endpointSecurityGroupIds")
	const aVPC = "vpc-0123456789abcdef0"
	if vpcID != "" {
		c.AdoptedNetwork = &components.AdoptedNetwork{
			VPCID: pulumi.String(vpcID), SubnetIDs: pulumi.ToStringArray(subnets), EndpointSecurityGroupIDs: pulumi.ToStringArray(endpointGroups),
		}
		if len(routeTables) > 0 {
			c.AdoptedNetwork.RouteTableIDs = pulumi.ToStringArray(routeTables)
		}
		if !vpcPattern.MatchString(vpcID) {
			v.problem("vpcId", aVPC, "%q is not the id of a VPC", vpcID)
		}
		if len(subnets) < 2 {
			v.problem("privateSubnetIds", "[subnet-0123456789abcdef0, subnet-0fedcba9876543210]", "has %d subnets; the functions need two in different zones", len(subnets))
		}
	}
	for _, ids := range []struct {
		key     string
		given   []string
		pattern *regexp.Regexp
		example string
	}{
		{"privateSubnetIds", subnets, subnetPattern, "[subnet-0123456789abcdef0]"},
		{"privateRouteTableIds", routeTables, routeTablePattern, "[rtb-0123456789abcdef0]"},
		{"endpointSecurityGroupIds", endpointGroups, groupPattern, "[sg-0123456789abcdef0]"},
	} {
		if len(ids.given) > 0 && vpcID == "" {
			v.problem("vpcId", aVPC, "is not set, but %s names parts of a VPC", ids.key)
		}
		for _, id := range ids.given {
			if !ids.pattern.MatchString(id) {
				v.problem(ids.key, ids.example, "%q is not such an id", id)
			}
		}
		v.unique(ids.key, ids.given)
	}

	if prefix, err := netip.ParsePrefix(c.VPCCIDR); err != nil || !prefix.Addr().Is4() || prefix.Bits() < 16 || prefix.Bits() > 25 || prefix != prefix.Masked() {
		v.problem("vpcCidr", "10.42.0.0/24", "%q is not an IPv4 range from /16 to /25", c.VPCCIDR)
	}
	known := components.InterfaceEndpoints()
	for _, service := range c.VPCEndpoints {
		if !slices.Contains(known, service) {
			v.problem("vpcEndpoints", "[logs, ssm]", "%q is not one of %s", service, strings.Join(known, ", "))
		}
	}
	v.unique("vpcEndpoints", c.VPCEndpoints)
	for _, service := range calledEndpoints {
		if !slices.Contains(c.VPCEndpoints, service) && len(endpointGroups) == 0 {
			v.problem("vpcEndpoints", "[logs, ssm]", "lacks %s, which the functions call; if the VPC already has that endpoint, list its security group in endpointSecurityGroupIds", service)
		}
	}
}
