package stack

import "encoding/json"

// StandIns are valid values, by key as in Pulumi.yaml and spelled as JSON, for the keys of a stack's config that may
// not be known where it is previewed, because they are secret or come from Pulumi ESC. For the other keys the default
// is one.
func StandIns() map[string]string {
	tags := map[string]string{}
	for _, tag := range mandatoryTags {
		tags[tag] = "not-available-offline"
	}
	spelled, err := json.Marshal(tags)
	if err != nil {
		panic(err) // texts always have a JSON form
	}
	return map[string]string{
		"aws:region":               "us-east-1",
		"tags":                     string(spelled),
		"environment":              "", // the stack's name
		"eventBusName":             "", // one of its own
		"replicaRegions":           "[]",
		"allowedCurrencies":        "[]",
		"imageArguments":           "{}",
		"producerAccounts":         `{"*":["111122223333"]}`, // of whatever source
		"apiEndpointCidrs":         `["203.0.113.0/24"]`,
		"vpcId":                    "vpc-0123456789abcdef0",
		"privateSubnetIds":         `["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]`,
		"privateRouteTableIds":     `["rtb-0123456789abcdef0"]`,
		"endpointSecurityGroupIds": `["sg-0123456789abcdef0"]`,
		"alarmEmail":               "not-available-offline@example.com",
		"permissionsBoundary":      "arn:aws:iam::000000000000:policy/not-available-offline",
	}
}
