package cloud

import "encoding/base64"

// Invoke answers a function of a provider, such as aws:index/getRegion.
func (c *Cloud) Invoke(token, region string, args Properties) (Properties, error) {
	answer, known := invokes[token]
	if !known {
		return nil, refuse(token, "", "the local cloud does not know this function; teach it in local/cloud")
	}
	return answer(c, region, args)
}

// operator is who deploys and operates: an administrator of the account.
const operator = "arn:aws:iam::" + Account + ":user/local"

var invokes = map[string]func(*Cloud, string, Properties) (Properties, error){
	"aws:index/getCallerIdentity:getCallerIdentity": func(_ *Cloud, _ string, _ Properties) (Properties, error) {
		return Properties{
			"id": Account, "accountId": Account, "userId": "AIDALOCAL", "arn": operator,
		}, nil
	},
	"aws:index/getPartition:getPartition": func(_ *Cloud, _ string, _ Properties) (Properties, error) {
		return Properties{
			"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
		}, nil
	},
	"aws:index/getRegion:getRegion": func(_ *Cloud, region string, _ Properties) (Properties, error) {
		return Properties{"id": region, "name": region, "description": region, "endpoint": "ec2." + region + ".amazonaws.com"}, nil
	},
	"aws:index/getAvailabilityZones:getAvailabilityZones": func(_ *Cloud, region string, _ Properties) (Properties, error) {
		var names, ids []any
		for _, zone := range []string{"a", "b", "c"} {
			names = append(names, region+zone)
			ids = append(ids, region+"-az"+zone)
		}
		return Properties{"id": region, "names": names, "zoneIds": ids, "groupNames": []any{region}}, nil
	},
	"aws:ec2/getManagedPrefixList:getManagedPrefixList": func(c *Cloud, region string, args Properties) (Properties, error) {
		name := args.text("name")
		if name == "" {
			return nil, refuse("aws:ec2/getManagedPrefixList:getManagedPrefixList", "", "name is empty; only a look-up by name is known")
		}
		id := "pl-" + hash(region+name, 8)
		return Properties{
			"id": id, "name": name, "arn": "arn:aws:ec2:" + region + ":aws:prefix-list/" + id,
			"addressFamily": "IPv4", "maxEntries": 0, "ownerId": "AWS", "version": 0, "entries": []any{}, "tags": map[string]any{},
		}, nil
	},
	// A VPC's default group, which AWS creates with the VPC.
	"aws:ec2/getSecurityGroup:getSecurityGroup": func(_ *Cloud, region string, args Properties) (Properties, error) {
		name, vpc := args.text("name"), args.text("vpcId")
		if name != "default" || vpc == "" {
			return nil, refuse("aws:ec2/getSecurityGroup:getSecurityGroup", "", "only a look-up of a VPC's default group is known")
		}
		id := "sg-" + hash(region+vpc, 17)
		return Properties{
			"id": id, "name": name, "vpcId": vpc, "arn": "arn:aws:ec2:" + region + ":" + Account + ":security-group/" + id,
			"description": "default VPC security group", "tags": map[string]any{},
		}, nil
	},
	"aws:ecr/getAuthorizationToken:getAuthorizationToken": func(_ *Cloud, region string, _ Properties) (Properties, error) {
		return Properties{
			"id": region, "userName": "AWS", "password": "local",
			"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:local")),
			"proxyEndpoint":      "https://" + Account + ".dkr.ecr." + region + ".amazonaws.com",
			"expiresAt":          "2099-01-01T00:00:00Z",
		}, nil
	},
}
