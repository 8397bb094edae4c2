package stack

import (
	"slices"
	"strings"
	"testing"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

// documents are the properties that hold policy documents, by resource type.
var documents = map[string]string{
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy":                  "policy",
	"aws:ec2/vpcEndpoint:VpcEndpoint":                               "policy",
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": "repositoryPolicy",
	"aws:ecr/repositoryPolicy:RepositoryPolicy":                     "policy",
	"aws:iam/role:Role":                                             "assumeRolePolicy",
	"aws:iam/rolePolicy:RolePolicy":                                 "policy",
	"aws:kms/key:Key":                                               "policy",
	"aws:kms/replicaKey:ReplicaKey":                                 "policy",
	"aws:sns/topicPolicy:TopicPolicy":                               "policy",
	"aws:sqs/queuePolicy:QueuePolicy":                               "policy",
}

func documentOf(t testing.TB, r *declared.Resource) iam.Document {
	t.Helper()
	document, err := iam.Parse(r.Text(documents[r.Type]))
	if err != nil {
		t.Fatalf("%s: %v", describe(r), err)
	}
	return document
}

// eachStatement runs a test on every statement of every policy document of every shape.
func eachStatement(t *testing.T, test func(*testing.T, *declared.Resource, iam.Statement)) {
	t.Helper()
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		seen := 0
		for _, r := range stack.Resources {
			if documents[r.Type] == "" {
				continue
			}
			for _, statement := range documentOf(t, r).Statement {
				seen++
				test(t, r, statement)
			}
		}
		if seen < 50 {
			t.Errorf("only %d statements were found", seen)
		}
	})
}

func TestNoStatementAllowsAnActionByWildcard(t *testing.T) {
	eachStatement(t, func(t *testing.T, r *declared.Resource, s iam.Statement) {
		for _, action := range s.Action {
			if s.Effect == iam.Allow && strings.ContainsAny(action, "*?") || action == "*" {
				t.Errorf("%s, statement %s: action %s", describe(r), s.Sid, action)
			}
		}
	})
}

// withoutResource are the actions for which AWS supports no resource narrower than "*", with AWS's own reason.
var withoutResource = map[string]string{
	"cloudwatch:PutMetricData":      "metrics have no ARNs; the condition names the namespace",
	"xray:GetSamplingRules":         "X-Ray knows no resources for it",
	"xray:GetSamplingTargets":       "X-Ray knows no resources for it",
	"xray:PutTelemetryRecords":      "X-Ray knows no resources for it",
	"xray:PutTraceSegments":         "X-Ray knows no resources for it",
	"ec2:DescribeNetworkInterfaces": "EC2's Describe actions know no resources",
	"ec2:DescribeSubnets":           "EC2's Describe actions know no resources",
	"logs:CreateLogDelivery":        "log deliveries have no ARNs",
	"logs:DeleteLogDelivery":        "log deliveries have no ARNs",
	"logs:DescribeLogGroups":        "asked of the whole account, to find the destination",
	"logs:DescribeResourcePolicies": "resource policies of CloudWatch Logs have no ARNs",
	"logs:GetLogDelivery":           "log deliveries have no ARNs",
	"logs:ListLogDeliveries":        "log deliveries have no ARNs",
	"logs:PutResourcePolicy":        "resource policies of CloudWatch Logs have no ARNs",
	"logs:UpdateLogDelivery":        "log deliveries have no ARNs",
}

// boundToTheirResource are the documents that are part of a resource: "*" means the key in a key's policy, and whatever
// passes through it in an endpoint's.
func boundToTheirResource(r *declared.Resource) bool {
	return strings.HasPrefix(r.Type, "aws:kms/") || r.Type == "aws:ec2/vpcEndpoint:VpcEndpoint"
}

func TestEveryResourceIsAllowedOnlyWhereAWSOffersNoNarrowerOne(t *testing.T) {
	used := map[string]bool{}
	eachStatement(t, func(t *testing.T, r *declared.Resource, s iam.Statement) {
		if s.Effect != iam.Allow || !slices.Contains(s.Resource, "*") || boundToTheirResource(r) {
			return
		}
		for _, action := range s.Action {
			if withoutResource[action] == "" {
				t.Errorf("%s, statement %s: %s on every resource", describe(r), s.Sid, action)
			}
			used[action] = true
		}
	})
	for action := range withoutResource {
		if !used[action] {
			t.Errorf("%s is on the list and in no policy", action)
		}
	}
}

func TestEveryoneIsDeniedAndNeverAllowed(t *testing.T) {
	eachStatement(t, func(t *testing.T, r *declared.Resource, s iam.Statement) {
		if s.Principal == nil || !s.Principal.Everyone || s.Effect == iam.Deny {
			return
		}
		// The principals of an endpoint's policy are all who come through it; the condition restricts them to this
		// account.
		accounts := s.Condition[iam.StringEquals]
		if r.Type != "aws:ec2/vpcEndpoint:VpcEndpoint" || len(accounts["aws:PrincipalAccount"]) != 1 || len(accounts["aws:ResourceAccount"]) != 1 {
			t.Errorf("%s, statement %s allows everyone", describe(r), s.Sid)
		}
	})
}

func TestEveryServiceActsForThisAccountOnly(t *testing.T) {
	eachStatement(t, func(t *testing.T, r *declared.Resource, s iam.Statement) {
		if s.Principal == nil || len(s.Principal.Service) == 0 || s.Effect == iam.Deny {
			return
		}
		if unconditioned[s.Principal.Service[0]+" "+s.Action[0]] != "" {
			return
		}
		if slices.Equal(s.Condition[iam.StringEquals]["aws:SourceAccount"], []string{declared.Account}) {
			return
		}
		// Some services say whom they act for only with an ARN, which contains the account.
		for _, keys := range s.Condition {
			for key, arns := range keys {
				says := key == "aws:SourceArn" || strings.HasPrefix(key, "kms:EncryptionContext:")
				if says && !slices.ContainsFunc(arns, func(arn string) bool { return !strings.Contains(arn, ":"+declared.Account+":") }) {
					return
				}
			}
		}
		t.Errorf("%s, statement %s: %v may act for any account", describe(r), s.Sid, s.Principal.Service)
	})
}

// unconditioned is what a service may do for anybody, with AWS's own reason.
var unconditioned = map[string]string{
	"ecr.amazonaws.com sts:AssumeRole":    "AWS documents no condition that ECR meets when it makes copied repositories",
	"backup.amazonaws.com sts:AssumeRole": "AWS documents no condition that AWS Backup meets",
	"events.amazonaws.com kms:Decrypt":    "AWS says that EventBridge meets no condition on whom it acts for when it sends to what is encrypted",
}

func TestEveryQueueAndTopicAsksForTLS(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		for _, r := range slices.Concat(stack.All("aws:sqs/queuePolicy:QueuePolicy"), stack.All("aws:sns/topicPolicy:TopicPolicy")) {
			action := map[bool]string{true: "sqs:SendMessage", false: "sns:Publish"}[strings.HasPrefix(r.Type, "aws:sqs")]
			document := documentOf(t, r)
			resource := document.Statement[0].Resource[0]
			decision, err := document.Decide(iam.Request{Action: action, Resource: resource, Context: map[string]string{"aws:SecureTransport": "false"}})
			if err != nil || decision != iam.DeniedExplicitly {
				t.Errorf("%s without TLS: %s, %v", describe(r), decision, err)
			}
		}
	})
}

func TestEveryRoleHasTheBoundaryOfTheConfig(t *testing.T) {
	const boundary = "arn:aws:iam::111122223333:policy/boundary"
	for _, role := range declare(t, "prod", set{"permissionsBoundary": boundary}).All("aws:iam/role:Role") {
		if role.Text("permissionsBoundary") != boundary {
			t.Errorf("%s has the boundary %q", describe(role), role.Text("permissionsBoundary"))
		}
	}
}
