package cases

func networkCases() []Case {
	const (
		group, rule       = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule"
		ingress, egress   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
		inbound, outbound = "security-group-ingress-world", "security-group-egress-world"
		closed            = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
		vpc, endpoint     = "aws:ec2/vpc:Vpc", "aws:ec2/vpcEndpoint:VpcEndpoint"
		function          = "aws:lambda/function:Function"
	)
	world, office := texts("0.0.0.0/0"), texts("203.0.113.0/24")
	everyone := statement(in{"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"})
	own := statement(in{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", "Condition": in{"StringEquals": in{"aws:PrincipalAccount": Account}}})
	forAll := func(resources any, condition any) in {
		members := in{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": resources}
		if condition != nil {
			members["Condition"] = condition
		}
		return statement(members)
	}
	port := func(number float64, more in) in {
		all := in{"ipProtocol": "tcp", "fromPort": number, "toPort": number}
		for name, member := range more {
			all[name] = member
		}
		return all
	}
	return []Case{
		breaks(inbound, "an inline rule for all addresses", one(group, in{"ingress": list{in{"protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": office}, in{"protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrBlocks": world}}}), "ingress[1].cidrBlocks lets in the whole internet."),
		breaks(inbound, "an inline rule for all IPv6 addresses", one(group, in{"ingress": list{in{"protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "ipv6CidrBlocks": texts("::/0")}}}), "ingress[0].ipv6CidrBlocks lets in"),
		breaks(inbound, "a rule of its own for all addresses", one(rule, in{"type": "ingress", "protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrBlocks": world}), "cidrBlocks lets in"),
		breaks(inbound, "an ingress rule for all addresses", one(ingress, port(22, in{"cidrIpv4": "0.0.0.0/0"})), "cidrIpv4 lets in"),
		breaks(inbound, "an ingress rule for all IPv6 addresses", one(ingress, port(22, in{"cidrIpv6": "::/0"})), "cidrIpv6 lets in"),
		breaks(inbound, "the world in two halves", one(group, in{"ingress": list{in{"protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrBlocks": texts("128.0.0.0/1", "0.0.0.0/1")}}}), "ingress[0].cidrBlocks lets in"),
		breaks(inbound, "the world in the spelling of an office", one(ingress, port(22, in{"cidrIpv4": "203.0.113.7/0"})), "cidrIpv4 lets in"),
		breaks(inbound, "half of the world", one(ingress, port(22, in{"cidrIpv4": "128.0.0.0/1"})), "cidrIpv4 lets in"),
		breaks(inbound, "neighbours that are one range together", one(rule, in{"type": "ingress", "protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrBlocks": texts("16.0.0.0/9", "16.128.0.0/9", "17.0.0.0/8")}), "cidrBlocks lets in"),
		breaks(inbound, "all that IPv6 hands out", one(ingress, port(22, in{"cidrIpv6": "2000::/3"})), "cidrIpv6 lets in"),
		keeps(inbound, "the private ranges", one(rule, in{"type": "ingress", "protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrBlocks": texts("10.0.0.0/8", "172.16.0.0/12"), "ipv6CidrBlocks": texts("fc00::/8", "fd00::/8")})),
		keeps(inbound, "a firm's own IPv6", one(ingress, port(22, in{"cidrIpv6": "2001:db8::/32"}))),
		keeps(inbound, "what AWS refuses", one(ingress, port(22, in{"cidrIpv4": "0.0.0.0/33"}))),
		breaks(inbound, "a prefix list of the world", one("aws:ec2/managedPrefixList:ManagedPrefixList", in{"name": "all", "entries": list{in{"cidr": "0.0.0.0/1"}, in{"cidr": "128.0.0.0/1"}}}), "entries lets in"),
		breaks(inbound, "a prefix list's entry of the world", one("aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry", in{"prefixListId": "pl-1", "cidr": "::/0"}), "cidr lets in"),
		keeps(inbound, "a prefix list of offices", one("aws:ec2/managedPrefixList:ManagedPrefixList", in{"name": "offices", "entries": list{in{"cidr": "203.0.113.0/24"}}})),
		keeps(inbound, "an ingress rule for a prefix list", one(ingress, port(443, in{"prefixListId": "pl-1"}))),
		keeps(inbound, "an inline rule out to all addresses", one(group, in{"egress": list{in{"protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": world}}})),
		keeps(inbound, "a rule of its own out to all addresses", one(rule, in{"type": "egress", "protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrBlocks": world})),
		keeps(inbound, "an ingress rule for an office", one(ingress, port(22, in{"cidrIpv4": "203.0.113.0/24"}))),
		keeps(inbound, "an ingress rule for another group", one(ingress, port(22, in{"referencedSecurityGroupId": "sg-1"}))),
		keeps(inbound, "an allowed port", one(ingress, port(443, in{"cidrIpv4": "0.0.0.0/0"}))).with("allowedPorts", list{443.0}),
		breaks(inbound, "another port than the allowed one", one(ingress, port(444, in{"cidrIpv4": "0.0.0.0/0"})), "cidrIpv4").with("allowedPorts", list{443.0}),
		breaks(inbound, "a range that begins at an allowed port", one(ingress, in{"ipProtocol": "tcp", "fromPort": 443.0, "toPort": 500.0, "cidrIpv4": "0.0.0.0/0"}), "cidrIpv4").with("allowedPorts", list{443.0}),
		breaks(inbound, "every protocol", one(ingress, in{"ipProtocol": "-1", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "0.0.0.0/0"}), "cidrIpv4").with("allowedPorts", list{443.0}),
		breaks(inbound, "no ports, which is all of them", one(ingress, in{"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}), "cidrIpv4").with("allowedPorts", list{0.0}),

		breaks(outbound, "an inline rule to all addresses", one(group, in{"egress": list{in{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "cidrBlocks": world}}}), "egress[0].cidrBlocks lets out to the whole internet."),
		breaks(outbound, "a rule of its own to all addresses", one(rule, in{"type": "egress", "protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": world}), "cidrBlocks lets out"),
		breaks(outbound, "an egress rule to all IPv6 addresses", one(egress, port(443, in{"cidrIpv6": "::/0"})), "cidrIpv6 lets out"),
		keeps(outbound, "an inline rule in from all addresses", one(group, in{"ingress": list{in{"protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": world}}})),
		keeps(outbound, "a rule of its own in from all addresses", one(rule, in{"type": "ingress", "protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": world})),
		keeps(outbound, "an egress rule to a prefix list", one(egress, port(443, in{"prefixListId": "pl-1"}))),
		keeps(outbound, "an egress rule to an office", one(egress, port(443, in{"cidrIpv4": "203.0.113.0/24"}))),
		keeps(outbound, "an allowed port", one(egress, port(443, in{"cidrIpv4": "0.0.0.0/0"}))).with("allowedPorts", list{443.0}),
		breaks(outbound, "a range of ports", one(egress, in{"ipProtocol": "tcp", "fromPort": 443.0, "toPort": 444.0, "cidrIpv4": "0.0.0.0/0"}), "cidrIpv4").with("allowedPorts", list{443.0}),
		breaks(outbound, "another port than the allowed one", one(egress, port(444, in{"cidrIpv4": "0.0.0.0/0"})), "cidrIpv4").with("allowedPorts", list{443.0}),

		breaks("security-group-described", "a group with the default description", one(group, in{"description": "Managed by Pulumi"}), "description is the default one."),
		breaks("security-group-described", "a rule without a description", one(ingress, port(443, nil)), "description is missing."),
		breaks("security-group-described", "an inline rule without a description", one(group, in{"description": "Of the shop", "ingress": list{in{"protocol": "tcp", "description": "From the office"}, in{"protocol": "tcp"}}}), "ingress[1].description is missing."),
		breaks("security-group-described", "an inline rule out without a description", one(group, in{"description": "Of the shop", "egress": list{in{"protocol": "tcp"}}}), "egress[0].description is missing."),
		keeps("security-group-described", "a group and its rules with descriptions", one(group, in{"description": "Of the shop", "ingress": list{in{"protocol": "tcp", "description": "From the office"}}})),
		keeps("security-group-described", "a rule whose description reads like a group's default", one(rule, in{"type": "ingress", "description": "Managed by Pulumi"})),

		breaks("default-security-group-closed", "a default group with a rule", one(closed, in{"vpcId": "vpc-1", "egress": list{in{"protocol": "-1", "cidrBlocks": world}}}), "egress opens the default security group."),
		breaks("default-security-group-closed", "a default group that lets itself in", one(closed, in{"vpcId": "vpc-1", "ingress": list{in{"protocol": "-1", "self": true}}}), "ingress opens"),
		breaks("default-security-group-closed", "a default group that a rule of its own opens", []Resource{{Name: "it", Type: closed, Inputs: in{"vpcId": "vpc-1"}}, {Name: "ssh", Type: ingress, Inputs: port(22, in{"securityGroupId": Ref{"it", "id"}, "cidrIpv4": "203.0.113.0/24"})}}, "id is that of a default security group that "),
		keeps("default-security-group-closed", "a default group without rules", one(closed, in{"vpcId": "vpc-1", "ingress": list{}})),
		keeps("default-security-group-closed", "a rule of another group", []Resource{{Name: "it", Type: closed, Inputs: in{"vpcId": "vpc-1"}}, {Name: "https", Type: egress, Inputs: port(443, in{"securityGroupId": "sg-other", "prefixListId": "pl-1"})}}),
		keeps("default-security-group-closed", "a rule that doesn't say of which group", []Resource{{Name: "it", Type: closed, Inputs: in{"vpcId": "vpc-1"}}, {Name: "https", Type: rule, Inputs: in{"type": "egress"}}}),

		breaks("vpc-default-security-group", "a VPC whose default group is left as it is", one(vpc, in{"cidrBlock": "10.0.0.0/16"}), "id has a default security group that the program leaves open.").later(),
		breaks("vpc-default-security-group", "a group of another VPC", []Resource{{Name: "it", Type: vpc, Inputs: in{}}, {Name: "group", Type: closed, Inputs: in{"vpcId": "vpc-other"}}}, "id has").later(),
		breaks("vpc-default-security-group", "a default group that a rule opens by its id", []Resource{
			{Name: "it", Type: vpc, Inputs: in{"defaultSecurityGroupId": "sg-0d"}}, {Name: "group", Type: closed, Inputs: in{"vpcId": Ref{"it", "id"}}},
			{Name: "ssh", Type: rule, Inputs: in{"type": "ingress", "securityGroupId": "sg-0d"}},
		}, "defaultSecurityGroupId is that of a group that "),
		keeps("vpc-default-security-group", "a VPC with a closed default group", []Resource{{Name: "it", Type: vpc, Inputs: in{}}, {Name: "group", Type: closed, Inputs: in{"vpcId": Ref{"it", "id"}}}}),

		breaks("vpc-flow-logs", "a VPC without flow logs", one(vpc, in{"cidrBlock": "10.0.0.0/16"}), "id has no flow logs."),
		keeps("vpc-flow-logs", "a VPC with flow logs", []Resource{{Name: "it", Type: vpc, Inputs: in{}}, {Name: "logs", Type: "aws:ec2/flowLog:FlowLog", Inputs: in{"vpcId": Ref{"it", "id"}}}}),

		breaks("subnet-no-public-addresses", "a subnet that gives public addresses", one("aws:ec2/subnet:Subnet", in{"mapPublicIpOnLaunch": true}), "mapPublicIpOnLaunch is true."),
		keeps("subnet-no-public-addresses", "a subnet that gives none", one("aws:ec2/subnet:Subnet", in{"mapPublicIpOnLaunch": false})),
		keeps("subnet-no-public-addresses", "a subnet that doesn't say", one("aws:ec2/subnet:Subnet", in{"cidrBlock": "10.0.0.0/24"})),

		breaks("no-default-vpc", "the default VPC", one("aws:ec2/defaultVpc:DefaultVpc", in{}), "id is part of the account's default VPC."),
		breaks("no-default-vpc", "a default subnet", one("aws:ec2/defaultSubnet:DefaultSubnet", in{"availabilityZone": "us-east-1a"}), "id is part of"),
		keeps("no-default-vpc", "a VPC of one's own", one(vpc, in{"cidrBlock": "10.0.0.0/16"})),

		breaks("endpoint-policy", "an endpoint without a policy", one(endpoint, in{"vpcId": "v"}), "policy is missing, and so lets everything through."),
		breaks("endpoint-policy", "an endpoint for everyone", one(endpoint, in{"vpcEndpointType": "Interface", "policy": everyone}), "policy lets everyone in through statement All."),
		keeps("endpoint-policy", "an endpoint for the account", one(endpoint, in{"vpcEndpointType": "Gateway", "policy": own})),
		breaks("endpoint-policy", "an endpoint to anybody's bucket", one(endpoint, in{"policy": forAll(texts("arn:aws:s3:::shop-*/*", "arn:aws:s3:::shop-orders/*"), nil)}), "policy lets everyone in"),
		breaks("endpoint-policy", "an endpoint to anybody's tables", one(endpoint, in{"policy": forAll("arn:aws:dynamodb:us-east-1:*:table/orders", nil)}), "policy lets everyone in"),
		breaks("endpoint-policy", "an endpoint to whatever is called like an account", one(endpoint, in{"policy": forAll("*", in{"StringLike": in{"aws:ResourceAccount": "11112222*"}})}), "policy lets everyone in"),
		keeps("endpoint-policy", "an endpoint to one bucket", one(endpoint, in{"policy": forAll("arn:aws:s3:::shop-orders/*", nil)})),
		keeps("endpoint-policy", "an endpoint to the account's tables", one(endpoint, in{"policy": forAll("arn:aws:dynamodb:*:"+Account+":table/*", nil)})),
		keeps("endpoint-policy", "an endpoint to the organisation's resources", one(endpoint, in{"policy": forAll("*", in{"StringEquals": in{"aws:ResourceOrgID": "o-1"}})})),
		keeps("endpoint-policy", "an endpoint of a load balancer", one(endpoint, in{"vpcEndpointType": "GatewayLoadBalancer"})),

		breaks("function-in-vpc", "a function outside of a VPC", one(function, in{"handler": "h"}), "vpcConfig.subnetIds is missing."),
		keeps("function-in-vpc", "a function in a VPC", one(function, in{"vpcConfig": in{"subnetIds": texts("subnet-1")}})),

		breaks("function-two-zones", "a function in one subnet", one(function, in{"vpcConfig": in{"subnetIds": texts("subnet-1")}}), "vpcConfig.subnetIds names one subnet."),
		keeps("function-two-zones", "a function in two subnets", one(function, in{"vpcConfig": in{"subnetIds": texts("subnet-1", "subnet-2")}})),
		keeps("function-two-zones", "a function in no VPC is another rule's", one(function, in{"handler": "h"})),
	}
}
