package declared

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// Account is the account of every made-up ARN.
	Account = "111122223333"

	defaultRegion = "us-east-1"
)

// digest makes up hexadecimal digits, the same in every run.
func digest(text string, digits int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:digits]
}

// compute makes up a resource's id and what AWS would add to its inputs.
func (r *recorder) compute(made *Resource, region string) (id string, outputs map[string]any) {
	arn := func(service, format string, args ...any) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, Account, fmt.Sprintf(format, args...))
	}
	name := made.Text("name")
	unique := digest(made.URN, 17)
	switch made.Type {
	case "aws:backup/plan:Plan":
		return unique, nil
	case "aws:backup/vault:Vault":
		return name, map[string]any{"arn": arn("backup", "backup-vault:%s", name)}
	case "aws:cloudwatch/eventBus:EventBus":
		return name, map[string]any{"arn": arn("events", "event-bus/%s", name)}
	case "aws:cloudwatch/eventRule:EventRule":
		rule := name
		if bus := made.Text("eventBusName"); bus != "default" {
			rule = bus + "/" + name
		}
		return rule, map[string]any{"arn": arn("events", "rule/%s", rule)}
	case "aws:cloudwatch/logGroup:LogGroup":
		return name, map[string]any{"arn": arn("logs", "log-group:%s", name)}
	case "aws:cloudwatch/metricAlarm:MetricAlarm":
		return name, map[string]any{"arn": arn("cloudwatch", "alarm:%s", name)}
	case "aws:dynamodb/table:Table":
		return name, map[string]any{
			"arn": arn("dynamodb", "table/%s", name), "streamArn": arn("dynamodb", "table/%s/stream/2026-01-01T00:00:00.000", name),
		}
	case "aws:dynamodb/tableReplica:TableReplica":
		_, table, _ := strings.Cut(made.Text("globalTableArn"), "/")
		return table + ":" + defaultRegion, map[string]any{"arn": arn("dynamodb", "table/%s", table)}
	case "aws:ec2/vpcEndpoint:VpcEndpoint":
		return "vpce-" + unique, map[string]any{"prefixListId": "pl-" + digest(made.URN, 8)}
	case "aws:ec2/vpc:Vpc":
		return "vpc-" + unique, nil
	case "aws:ec2/subnet:Subnet":
		return "subnet-" + unique, nil
	case "aws:ec2/securityGroup:SecurityGroup":
		return "sg-" + unique, nil
	case "aws:ec2/routeTable:RouteTable":
		return "rtb-" + unique, nil
	case "aws:ecr/repository:Repository":
		return name, map[string]any{
			"registryId": Account, "repositoryUrl": fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s", Account, region, name),
		}
	case "aws:iam/role:Role":
		return name, map[string]any{"arn": fmt.Sprintf("arn:aws:iam::%s:role/%s", Account, name)}
	case "aws:kms/key:Key":
		key := "mrk-" + digest(made.URN, 32)
		return key, map[string]any{"keyId": key, "arn": arn("kms", "key/%s", key)}
	case "aws:kms/replicaKey:ReplicaKey":
		_, key, _ := strings.Cut(made.Text("primaryKeyArn"), "/")
		return key, map[string]any{"keyId": key, "arn": arn("kms", "key/%s", key)}
	case "aws:lambda/alias:Alias":
		return name, map[string]any{"arn": arn("lambda", "function:%s:%s", made.Text("functionName"), name)}
	case "aws:lambda/function:Function":
		return name, map[string]any{"arn": arn("lambda", "function:%s", name), "version": "1"}
	case "aws:sfn/alias:Alias":
		machine := strings.TrimSuffix(made.Text("routingConfigurations.0.stateMachineVersionArn"), ":1")
		return machine + ":" + name, map[string]any{"arn": machine + ":" + name}
	case "aws:sfn/stateMachine:StateMachine":
		machine := arn("states", "stateMachine:%s", name)
		return machine, map[string]any{"arn": machine, "stateMachineVersionArn": machine + ":1"}
	case "aws:sns/topic:Topic":
		return arn("sns", "%s", name), map[string]any{"arn": arn("sns", "%s", name)}
	case "aws:sqs/queue:Queue":
		url := fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", region, Account, name)
		return url, map[string]any{"arn": arn("sqs", "%s", name), "url": url}
	case "docker:index/image:Image":
		image, _, _ := strings.Cut(made.Text("imageName"), ":")
		return made.Text("imageName"), map[string]any{"repoDigest": image + "@sha256:" + digest(made.URN, 64)}
	default:
		return unique, nil
	}
}

// Call answers a program's function calls to AWS.
func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	region := r.region(r.provider(args.Provider))
	r.mu.Unlock()
	answers := map[string]map[string]any{
		"aws:index/getCallerIdentity:getCallerIdentity": {"accountId": Account},
		"aws:index/getPartition:getPartition":           {"partition": "aws", "dnsSuffix": "amazonaws.com"},
		"aws:index/getRegion:getRegion":                 {"name": region},
		"aws:index/getAvailabilityZones:getAvailabilityZones": {
			"names": []any{region + "a", region + "b", region + "c"},
		},
		"aws:ecr/getAuthorizationToken:getAuthorizationToken": {"userName": "AWS", "password": "a token"},
		"aws:ec2/getManagedPrefixList:getManagedPrefixList":   {"id": "pl-" + digest("prefixes", 8)},
		"aws:ec2/getSecurityGroup:getSecurityGroup":           {"id": "sg-" + digest("default", 17)},
	}
	maps.Copy(answers, r.program.Answers)
	answer, known := answers[args.Token]
	if !known {
		return nil, fmt.Errorf("%s: no answer is known: add it to Program.Answers", args.Token)
	}
	return resource.NewPropertyMapFromMap(answer), nil
}
