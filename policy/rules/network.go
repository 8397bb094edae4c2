package rules

import (
	"fmt"
	"slices"
	"strings"

	"trade-processing/policy/cidr"
	"trade-processing/policy/document"
	"trade-processing/policy/value"
)

const networkFamily = "Network"

const (
	prefixList      = "aws:ec2/managedPrefixList:ManagedPrefixList"
	prefixListEntry = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
	securityGroup   = "aws:ec2/securityGroup:SecurityGroup"
	groupRule       = "aws:ec2/securityGroupRule:SecurityGroupRule"
	ingressRule     = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	defaultGroup    = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	egressRule      = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

// openPorts returns the option of the rules on what the world may reach.
func openPorts(about string) Option {
	return Option{
		Name: "allowedPorts", About: about, Default: []any{},
		Schema: map[string]any{"type": "array", "items": map[string]any{"type": "number", "minimum": 0.0, "maximum": 65535.0}},
	}
}

var networkRules = []Rule{
	{
		Name: "security-group-ingress-world", Family: networkFamily, Level: Mandatory,
		Controls: []string{"EC2.18", "EC2.53", "EC2.54", "CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260"},
		Types:    []string{securityGroup, groupRule, ingressRule, prefixList, prefixListEntry},
		Why:      "Anything the whole internet can reach is attacked within minutes.",
		Options:  []Option{openPorts("Ports that the world may reach, such as 443 for a public load balancer.")},
		Check: func(r *Resource) {
			for _, passage := range passages(r, "ingress") {
				if passage.toWorld() && !passage.only(r.Setting("allowedPorts")) {
					r.Breaks(passage.property, "lets in the whole internet", "Name the addresses, prefix list or security group that needs access")
				}
			}
		},
	},
	{
		Name: "security-group-egress-world", Family: networkFamily, Level: Mandatory, Controls: []string{"CKV_AWS_382"},
		Types:   []string{securityGroup, groupRule, egressRule},
		Why:     "Compromised code sends whatever it finds wherever it may.",
		Options: []Option{openPorts("Internet ports that may be reached, such as 443 if an API has no fixed addresses.")},
		Check: func(r *Resource) {
			for _, passage := range passages(r, "egress") {
				if passage.toWorld() && !passage.only(r.Setting("allowedPorts")) {
					r.Breaks(passage.property, "lets out to the whole internet", "Name the addresses, prefix list or security group to reach")
				}
			}
		},
	},
	{
		Name: "security-group-described", Family: networkFamily, Level: Mandatory, Controls: []string{"CKV_AWS_23"},
		Types: []string{securityGroup, groupRule, ingressRule, egressRule},
		Why:   "Nobody dares to close a port if nobody knows why it is open.",
		Check: func(r *Resource) {
			if r.Type == securityGroup && r.At("description").Is("Managed by Pulumi", "Managed by Terraform") {
				r.Breaks("description", "is the default one", "Say what the group is for")
				return
			}
			if r.At("description").Unset() {
				r.Breaks("description", "is missing", "Say who needs access to what, and why")
			}
			for _, direction := range []string{"ingress", "egress"} {
				for i, inline := range r.At(direction).Each() {
					if inline.Get("description").Unset() {
						r.Breaks(fmt.Sprintf("%s[%d].description", direction, i), "is missing", "Say who needs access to what, and why")
					}
				}
			}
		},
	},
	{
		Name: "default-security-group-closed", Family: networkFamily, Level: Mandatory, Controls: []string{"EC2.2", "CKV2_AWS_12"},
		Types: []string{defaultGroup, groupRule, ingressRule, egressRule},
		Why:   "Anything created without a security group gets the default one.",
		CheckStack: func(s *Stack) {
			for _, group := range s.Of(defaultGroup) {
				for _, direction := range []string{"ingress", "egress"} {
					if group.At(direction).IsSet() {
						group.Breaks(direction, "opens the default security group", "Leave it out, and create a group for what needs one")
					}
				}
				if opening := s.opening(group, "id"); opening != nil {
					group.Breaks("id", "is that of a default security group that "+opening.Name+" opens", "Create a group for what needs one")
				}
			}
		},
	},
	{
		Name: "vpc-default-security-group", Family: networkFamily, Level: Mandatory, Controls: []string{"EC2.2", "CKV2_AWS_12"},
		Types: []string{"aws:ec2/vpc:Vpc", defaultGroup, groupRule, ingressRule, egressRule},
		Why:   "AWS opens the default group of a new VPC: out to everywhere, and in from its own members.",
		CheckStack: func(s *Stack) {
			for _, vpc := range s.Of("aws:ec2/vpc:Vpc") {
				if s.referred(vpc, reference{defaultGroup, "vpcId"}) == no {
					vpc.Breaks("id", "has a default security group that the program leaves open", "Add a DefaultSecurityGroup of this VPC without any rules")
				}
				if opening := s.opening(vpc, "defaultSecurityGroupId"); opening != nil {
					vpc.Breaks("defaultSecurityGroupId", "is that of a group that "+opening.Name+" opens", "Create a group for what needs one")
				}
			}
		},
	},
	{
		Name: "vpc-flow-logs", Family: networkFamily, Level: Mandatory, Controls: []string{"EC2.6", "CKV2_AWS_11"},
		Types: []string{"aws:ec2/vpc:Vpc", "aws:ec2/flowLog:FlowLog"},
		Why:   "After a break-in, only flow logs show what was reached.",
		CheckStack: func(s *Stack) {
			for _, vpc := range s.Of("aws:ec2/vpc:Vpc") {
				if s.referred(vpc, reference{"aws:ec2/flowLog:FlowLog", "vpcId"}) == no {
					vpc.Breaks("id", "has no flow logs", "Add a FlowLog of this VPC with traffic type ALL or REJECT")
				}
			}
		},
	},
	{
		Name: "subnet-no-public-addresses", Family: networkFamily, Level: Mandatory, Controls: []string{"EC2.15", "CKV_AWS_130"},
		Types: []string{"aws:ec2/subnet:Subnet"},
		Why:   "An automatic public address is one that nobody decided on.",
		Check: func(r *Resource) {
			if r.At("mapPublicIpOnLaunch").IsTrue() {
				r.Breaks("mapPublicIpOnLaunch", "is true", "Leave it out, and give an address only to what needs one")
			}
		},
	},
	{
		Name: "no-default-vpc", Family: networkFamily, Level: Mandatory, Controls: []string{"CKV_AWS_148"},
		Types: []string{"aws:ec2/defaultVpc:DefaultVpc", "aws:ec2/defaultSubnet:DefaultSubnet", "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"},
		Why:   "Every subnet of the default VPC is public.",
		Check: func(r *Resource) {
			if strings.HasPrefix(r.Type, "aws:ec2/default") {
				r.Breaks("id", "is part of the account's default VPC", "Create a VPC with private subnets")
			}
		},
	},
	{
		Name: "endpoint-policy", Family: networkFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:ec2/vpcEndpoint:VpcEndpoint"},
		Why:   "An endpoint without its own policy also reaches the buckets and tables of any other account, past every firewall.",
		Check: func(r *Resource) {
			kind := r.At("vpcEndpointType")
			if !kind.Unset() && !kind.Is("Gateway", "Interface") {
				return // an endpoint for a load balancer or a lattice takes no policy
			}
			if r.At("policy").Unset() {
				r.Breaks("policy", "is missing, and so lets everything through", "Allow what is required, to principals of your own account or organisation")
			}
			for _, statement := range document.Read(r.At("policy")).Allowing() {
				if statement.Principals.Everyone && !statement.NamesCaller() && !statement.NamesTarget() {
					letsEveryoneIn(r, "policy", statement)
				}
			}
		},
	},
	{
		Name: "function-in-vpc", Family: networkFamily, Level: Mandatory, Controls: []string{"Lambda.3", "CKV_AWS_117"},
		Types: []string{"aws:lambda/function:Function"},
		Why:   "Outside a VPC a function reaches the whole internet, and no security group or endpoint policy stops it.",
		Check: func(r *Resource) {
			if r.At("vpcConfig.subnetIds").Unset() {
				r.Breaks("vpcConfig.subnetIds", "is missing", "Put the function in private subnets")
			}
		},
	},
	{
		Name: "function-two-zones", Family: networkFamily, Level: Mandatory, Controls: []string{"Lambda.5"},
		Types: []string{"aws:lambda/function:Function"},
		Why:   "A function in one subnet fails with its zone.",
		Check: func(r *Resource) {
			if subnets := r.At("vpcConfig.subnetIds"); !subnets.IsUnknown() && len(subnets.Each()) == 1 {
				r.Breaks("vpcConfig.subnetIds", "names one subnet", "Name subnets of two availability zones or more")
			}
		},
	},
}

// opening returns a rule of its own that opens a security group, whose id is in one of the resource's properties.
func (s *Stack) opening(owner *Resource, id string) *Resource {
	for _, r := range s.Of(groupRule, ingressRule, egressRule) {
		group := r.At("securityGroupId")
		made := slices.Contains(r.PropertyDependencies["securityGroupId"], owner.URN)
		if made || group.IsSet() && group.Text() == owner.At(id).Text() {
			return r
		}
	}
	return nil
}

// passage is what one rule of a security group lets through.
type passage struct {
	property  string
	addresses []value.Value
	protocol  value.Value
	from, to  value.Value
}

// passages returns what a resource lets through in a direction, in any of the ways to write it.
func passages(r *Resource, direction string) []passage {
	switch r.Type {
	case securityGroup:
		var all []passage
		for i, inline := range r.At(direction).Each() {
			all = append(all, blocks(fmt.Sprintf("%s[%d]", direction, i), inline)...)
		}
		return all
	case groupRule:
		if !r.At("type").Is(direction) {
			return nil
		}
		return blocks("", value.OfMap(r.Properties))
	case prefixList:
		return []passage{{property: "entries", addresses: each(r.At("entries").Each(), "cidr")}}
	case prefixListEntry:
		return []passage{{property: "cidr", addresses: r.At("cidr").Each()}}
	default: // a rule of one direction
		var all []passage
		for _, property := range []string{"cidrIpv4", "cidrIpv6"} {
			all = append(all, passage{
				property: property, addresses: r.At(property).Each(), protocol: r.At("ipProtocol"), from: r.At("fromPort"), to: r.At("toPort"),
			})
		}
		return all
	}
}

// blocks returns the passages of a rule with lists of address blocks.
func blocks(prefix string, rule value.Value) []passage {
	var all []passage
	for _, property := range []string{"cidrBlocks", "ipv6CidrBlocks"} {
		all = append(all, passage{
			property: strings.TrimPrefix(prefix+"."+property, "."), addresses: rule.Get(property).Each(),
			protocol: rule.Get("protocol"), from: rule.Get("fromPort"), to: rule.Get("toPort"),
		})
	}
	return all
}

// toWorld reports whether the known ones of the addresses make up the internet, or much of it.
func (p passage) toWorld() bool {
	var known []string
	for _, address := range p.addresses {
		known = append(known, address.Text())
	}
	return cidr.Public(known)
}

// only reports whether only allowed ports are open, or may turn out to be.
func (p passage) only(allowed value.Value) bool {
	if p.from.IsUnknown() || p.to.IsUnknown() || p.protocol.IsUnknown() {
		return true
	}
	from, known := p.from.Number()
	to, alsoKnown := p.to.Number()
	if !known || !alsoKnown || from != to || p.protocol.Is("-1", "all") {
		return false
	}
	for _, port := range allowed.Each() {
		if number, _ := port.Number(); number == from {
			return true
		}
	}
	return false
}
