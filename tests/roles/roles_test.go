package roles

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"trade-processing/components/iam"
	"trade-processing/tests/page"
)

// needs are the actions that a resource type needs: those that read it first.
//
// They are the requests of the Terraform AWS provider 5.100, which pulumi-aws 6.83 contains, as logged while it
// created, refreshed and deleted the types of stack prod on 2026-11-26 (TF_LOG_PROVIDER=DEBUG), and beside them the
// actions for tags and updates, and the dependent actions of
// https://docs.aws.amazon.com/service-authorization/latest/reference/. The types with a * were not made in that run:
// theirs are from that reference and the provider's source.
var needs = map[string]string{
	"backup/plan:Plan":                                          "backup:GetBackupPlan backup:ListTags backup:CreateBackupPlan backup:DeleteBackupPlan backup:UpdateBackupPlan backup:TagResource backup:UntagResource",
	"backup/selection:Selection":                                "backup:GetBackupSelection backup:CreateBackupSelection backup:DeleteBackupSelection iam:PassRole",                                                                                                            // *
	"backup/vault:Vault":                                        "backup:DescribeBackupVault backup:ListTags backup:CreateBackupVault backup:DeleteBackupVault backup:TagResource backup-storage:MountCapsule kms:CreateGrant kms:GenerateDataKey kms:Decrypt kms:DescribeKey", // *
	"cloudwatch/compositeAlarm:CompositeAlarm":                  "cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource cloudwatch:PutCompositeAlarm cloudwatch:DeleteAlarms cloudwatch:TagResource cloudwatch:UntagResource",                                               // *
	"cloudwatch/dashboard:Dashboard":                            "cloudwatch:GetDashboard cloudwatch:PutDashboard cloudwatch:DeleteDashboards",
	"cloudwatch/eventArchive:EventArchive":                      "events:DescribeArchive events:CreateArchive events:DeleteArchive events:UpdateArchive",
	"cloudwatch/eventBus:EventBus":                              "events:DescribeEventBus events:ListTagsForResource events:CreateEventBus events:DeleteEventBus events:UpdateEventBus events:TagResource events:UntagResource kms:DescribeKey kms:GenerateDataKey kms:Decrypt",
	"cloudwatch/eventBusPolicy:EventBusPolicy":                  "events:DescribeEventBus events:PutPermission events:RemovePermission",
	"cloudwatch/eventRule:EventRule":                            "events:DescribeRule events:ListTagsForResource events:PutRule events:DeleteRule events:TagResource events:UntagResource",
	"cloudwatch/eventTarget:EventTarget":                        "events:ListTargetsByRule events:PutTargets events:RemoveTargets iam:PassRole",
	"cloudwatch/logGroup:LogGroup":                              "logs:DescribeLogGroups logs:ListTagsForResource logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy logs:AssociateKmsKey logs:TagResource logs:UntagResource",
	"cloudwatch/metricAlarm:MetricAlarm":                        "cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource cloudwatch:PutMetricAlarm cloudwatch:DeleteAlarms cloudwatch:TagResource cloudwatch:UntagResource",
	"dynamodb/table:Table":                                      "dynamodb:DescribeTable dynamodb:DescribeContinuousBackups dynamodb:DescribeTimeToLive dynamodb:ListTagsOfResource kms:DescribeKey dynamodb:CreateTable dynamodb:DeleteTable dynamodb:UpdateTable dynamodb:UpdateContinuousBackups dynamodb:UpdateTimeToLive dynamodb:TagResource dynamodb:UntagResource kms:CreateGrant kms:Decrypt kms:Encrypt kms:GenerateDataKey kms:ReEncryptFrom",
	"dynamodb/tableReplica:TableReplica":                        "dynamodb:DescribeTable dynamodb:DescribeContinuousBackups dynamodb:ListTagsOfResource kms:DescribeKey dynamodb:UpdateTable dynamodb:CreateTable dynamodb:CreateTableReplica dynamodb:DeleteTable dynamodb:DeleteTableReplica dynamodb:UpdateContinuousBackups dynamodb:TagResource dynamodb:UntagResource dynamodb:Scan dynamodb:Query dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem dynamodb:BatchWriteItem kms:CreateGrant iam:CreateServiceLinkedRole", // *
	"ec2/defaultSecurityGroup:DefaultSecurityGroup":             "ec2:DescribeSecurityGroups ec2:DescribeSecurityGroupRules ec2:CreateTags ec2:DeleteTags ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress",
	"ec2/flowLog:FlowLog":                                       "ec2:DescribeFlowLogs ec2:CreateFlowLogs ec2:DeleteFlowLogs ec2:CreateTags iam:PassRole",
	"ec2/routeTable:RouteTable":                                 "ec2:DescribeRouteTables ec2:CreateRouteTable ec2:DeleteRouteTable ec2:CreateTags",
	"ec2/routeTableAssociation:RouteTableAssociation":           "ec2:DescribeRouteTables ec2:AssociateRouteTable ec2:DisassociateRouteTable",
	"ec2/securityGroup:SecurityGroup":                           "ec2:DescribeSecurityGroups ec2:CreateSecurityGroup ec2:DeleteSecurityGroup ec2:DescribeNetworkInterfaces ec2:RevokeSecurityGroupEgress ec2:CreateTags",
	"ec2/subnet:Subnet":                                         "ec2:DescribeSubnets ec2:CreateSubnet ec2:DeleteSubnet ec2:DescribeNetworkInterfaces ec2:CreateTags",
	"ec2/vpc:Vpc":                                               "ec2:DescribeVpcs ec2:DescribeVpcAttribute ec2:DescribeNetworkAcls ec2:DescribeRouteTables ec2:DescribeSecurityGroups ec2:CreateVpc ec2:DeleteVpc ec2:ModifyVpcAttribute ec2:CreateTags",
	"ec2/vpcEndpoint:VpcEndpoint":                               "ec2:DescribeVpcEndpoints ec2:DescribePrefixLists ec2:DescribeNetworkInterfaces ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint ec2:DeleteVpcEndpoints ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs route53:AssociateVPCWithHostedZone ec2:CreateTags",
	"vpc/securityGroupEgressRule:SecurityGroupEgressRule":       "ec2:DescribeSecurityGroupRules ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress ec2:ModifySecurityGroupRules ec2:CreateTags",
	"vpc/securityGroupIngressRule:SecurityGroupIngressRule":     "ec2:DescribeSecurityGroupRules ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress ec2:ModifySecurityGroupRules ec2:CreateTags",
	"ecr/lifecyclePolicy:LifecyclePolicy":                       "ecr:GetLifecyclePolicy ecr:PutLifecyclePolicy ecr:DeleteLifecyclePolicy",
	"ecr/replicationConfiguration:ReplicationConfiguration":     "ecr:DescribeRegistry ecr:PutReplicationConfiguration iam:CreateServiceLinkedRole",
	"ecr/repository:Repository":                                 "ecr:DescribeRepositories ecr:ListTagsForResource ecr:CreateRepository ecr:DeleteRepository ecr:PutImageTagMutability ecr:PutImageScanningConfiguration ecr:TagResource ecr:UntagResource kms:CreateGrant kms:DescribeKey",
	"ecr/repositoryCreationTemplate:RepositoryCreationTemplate": "ecr:DescribeRepositoryCreationTemplates ecr:CreateRepositoryCreationTemplate ecr:UpdateRepositoryCreationTemplate ecr:DeleteRepositoryCreationTemplate", // *
	"ecr/repositoryPolicy:RepositoryPolicy":                     "ecr:GetRepositoryPolicy ecr:SetRepositoryPolicy ecr:DeleteRepositoryPolicy",
	"iam/role:Role":                                             "iam:GetRole iam:GetRolePolicy iam:ListRolePolicies iam:ListAttachedRolePolicies iam:CreateRole iam:DeleteRole iam:UpdateRole iam:UpdateAssumeRolePolicy iam:ListInstanceProfilesForRole iam:PutRolePermissionsBoundary iam:TagRole iam:UntagRole",
	"iam/rolePolicy:RolePolicy":                                 "iam:GetRolePolicy iam:PutRolePolicy iam:DeleteRolePolicy",
	"iam/rolePolicyAttachment:RolePolicyAttachment":             "iam:ListAttachedRolePolicies iam:AttachRolePolicy iam:DetachRolePolicy",
	"kms/alias:Alias":                                           "kms:ListAliases kms:CreateAlias kms:DeleteAlias kms:UpdateAlias", // *
	"kms/key:Key":                                               "kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags kms:CreateKey kms:PutKeyPolicy kms:EnableKeyRotation kms:ScheduleKeyDeletion kms:TagResource kms:UntagResource kms:UpdateKeyDescription iam:CreateServiceLinkedRole",
	"kms/replicaKey:ReplicaKey":                                 "kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags kms:ReplicateKey kms:CreateKey kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:TagResource iam:CreateServiceLinkedRole", // *
	"lambda/alias:Alias":                                        "lambda:GetAlias lambda:CreateAlias lambda:DeleteAlias lambda:UpdateAlias",
	"lambda/function:Function":                                  "lambda:GetFunction lambda:ListVersionsByFunction lambda:CreateFunction lambda:DeleteFunction lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:PublishVersion lambda:PutFunctionConcurrency lambda:DeleteFunctionConcurrency lambda:TagResource lambda:UntagResource iam:PassRole ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs kms:CreateGrant kms:Encrypt kms:Decrypt",
	"sfn/alias:Alias":                                           "states:DescribeStateMachineAlias states:CreateStateMachineAlias states:DeleteStateMachineAlias states:UpdateStateMachineAlias", // *
	"sfn/stateMachine:StateMachine":                             "states:DescribeStateMachine states:ListStateMachineVersions states:ListTagsForResource states:ValidateStateMachineDefinition states:CreateStateMachine states:DeleteStateMachine states:UpdateStateMachine states:PublishStateMachineVersion states:TagResource states:UntagResource iam:PassRole kms:DescribeKey kms:GenerateDataKey kms:Decrypt",
	"sns/topic:Topic":                                           "sns:GetTopicAttributes sns:ListTagsForResource sns:CreateTopic sns:DeleteTopic sns:SetTopicAttributes sns:TagResource sns:UntagResource",
	"sns/topicPolicy:TopicPolicy":                               "sns:GetTopicAttributes sns:SetTopicAttributes",
	"sns/topicSubscription:TopicSubscription":                   "sns:GetSubscriptionAttributes sns:Subscribe sns:Unsubscribe",
	"sqs/queue:Queue":                                           "sqs:GetQueueAttributes sqs:ListQueueTags sqs:CreateQueue sqs:DeleteQueue sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue",
	"sqs/queuePolicy:QueuePolicy":                               "sqs:GetQueueAttributes sqs:SetQueueAttributes",
	"sqs/redriveAllowPolicy:RedriveAllowPolicy":                 "sqs:GetQueueAttributes sqs:SetQueueAttributes", // *
	"ssm/parameter:Parameter":                                   "ssm:GetParameter ssm:DescribeParameters ssm:ListTagsForResource ssm:PutParameter ssm:DeleteParameter ssm:AddTagsToResource ssm:RemoveTagsFromResource kms:Encrypt kms:Decrypt",
	"xray/samplingRule:SamplingRule":                            "xray:GetSamplingRules xray:ListTagsForResource xray:CreateSamplingRule xray:UpdateSamplingRule xray:DeleteSamplingRule xray:TagResource xray:UntagResource", // *
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
	"docker:index/image:Image": "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:InitiateLayerUpload ecr:UploadLayerPart ecr:CompleteLayerUpload ecr:PutImage ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
}

// onAnything reports whether the action can only be allowed on *, or on ids that nobody knows beforehand.
func onAnything(action string) bool {
	service, name, _ := strings.Cut(action, ":")
	switch service {
	case "ec2", "route53", "backup-storage":
		return true
	case "sns":
		return strings.Contains(name, "ubscri") && name != "Subscribe"
	}
	return slices.Contains([]string{
		"events:PutPermission", "events:RemovePermission", "states:ValidateStateMachineDefinition", "ssm:DescribeParameters",
		"kms:CreateKey", "kms:ListAliases", "ecr:GetAuthorizationToken", "ecr:DescribeRegistry", "ecr:PutReplicationConfiguration",
		"ecr:CreateRepositoryCreationTemplate", "ecr:DescribeRepositoryCreationTemplates", "ecr:UpdateRepositoryCreationTemplate",
		"ecr:DeleteRepositoryCreationTemplate", "logs:DescribeLogGroups", "cloudwatch:DescribeAlarms", "xray:GetSamplingRules",
	}, action)
}

// node is a resource of a golden graph.
type node struct {
	URN      string
	Provider string
	Inputs   map[string]any
}

func (n node) kind() string {
	name := n.URN[:strings.LastIndex(n.URN, "::")]
	return strings.TrimPrefix(name[strings.LastIndex(name, "$")+1:], "aws:")
}

// request returns the call of an action that making, reading, changing or deleting the resource takes.
func (n node) request(action, environment string) iam.Request {
	text := func(input string) string { s, _ := n.Inputs[input].(string); return s }
	in := func(service, resource string) string {
		return "arn:aws:" + service + ":" + n.Provider + ":111122223333:" + resource
	}
	first := func(inputs ...string) string {
		for _, input := range inputs {
			if s := text(input); s != "" {
				return s[strings.LastIndex(s, ":")+1:]
			}
		}
		return ""
	}
	r := iam.Request{Action: action, Principal: "arn:aws:iam::111122223333:role/deploy", Context: map[string]string{
		"aws:ResourceTag/Project": "trade-processing", "aws:ResourceTag/Environment": environment,
	}}
	service, _, _ := strings.Cut(action, ":")
	switch {
	case onAnything(action):
		r.Resource = "*"
	case action == "iam:PassRole":
		r.Resource = first("iamRoleArn", "roleArn", "role")
		r.Resource = "arn:aws:iam::111122223333:" + r.Resource
		r.Context["iam:PassedToService"] = map[string]string{
			"backup/selection:Selection": "backup", "cloudwatch/eventTarget:EventTarget": "events", "ec2/flowLog:FlowLog": "vpc-flow-logs",
			"lambda/function:Function": "lambda", "sfn/stateMachine:StateMachine": "states",
		}[n.kind()] + ".amazonaws.com"
	case action == "iam:CreateServiceLinkedRole":
		linked := map[string]string{"kms": "mrk.kms", "dynamodb": "replication.dynamodb", "ecr": "replication.ecr"}[strings.Split(n.kind(), "/")[0]] + ".amazonaws.com"
		r.Resource = "arn:aws:iam::111122223333:role/aws-service-role/" + linked + "/x"
		r.Context["iam:AWSServiceName"] = linked
	case service == "iam":
		r.Resource = "arn:aws:iam::111122223333:role/" + first("role", "name")
	case strings.HasSuffix(action, "Alias") && service == "kms":
		r.Resource = in("kms", text("name"))
	case service == "kms":
		r.Resource = in("kms", "key/mrk-1")
	case service == "sqs":
		r.Resource = in("sqs", path.Base(first("name", "queueUrl")))
	case service == "sns":
		r.Resource = in("sns", first("name", "arn", "topic"))
	case service == "lambda":
		r.Resource = in("lambda", "function:"+first("functionName", "name"))
	case service == "states":
		r.Resource = in("states", "stateMachine:trade-processing-"+environment+"-workflow")
	case service == "xray":
		r.Resource = in("xray", "sampling-rule/"+text("ruleName"))
	case service == "dynamodb":
		r.Resource = in("dynamodb", "table/"+path.Base(first("name", "globalTableArn")))
	case service == "ssm":
		r.Resource = in("ssm", "parameter"+text("name"))
	case service == "logs":
		r.Resource = in("logs", "log-group:"+text("name"))
	case service == "backup" && n.kind() == "backup/vault:Vault":
		r.Resource = in("backup", "backup-vault:"+text("name"))
	case service == "backup":
		r.Resource = in("backup", "backup-plan:1")
	case n.kind() == "docker:index/image:Image":
		_, image, _ := strings.Cut(text("imageName"), "/")
		repository, _, _ := strings.Cut(image, ":")
		r.Resource = in("ecr", "repository/"+repository)
	case service == "ecr":
		r.Resource = in("ecr", "repository/"+first("name", "repository"))
	case strings.HasSuffix(n.kind(), ":Dashboard"):
		r.Resource = "arn:aws:cloudwatch::111122223333:dashboard/" + text("dashboardName")
	case service == "cloudwatch":
		r.Resource = in("cloudwatch", "alarm:"+first("name", "alarmName"))
	case strings.HasSuffix(n.kind(), ":EventArchive"):
		r.Resource = in("events", "archive/"+text("name"))
	case strings.HasSuffix(n.kind(), ":EventRule"), strings.HasSuffix(n.kind(), ":EventTarget"):
		r.Resource = in("events", "rule/"+text("eventBusName")+"/"+first("rule", "name"))
	case service == "events":
		r.Resource = in("events", "event-bus/"+first("eventBusName", "name"))
	}
	return r
}

// of returns what the documents allow, with the values of a stack in place of the page's words.
func of(t *testing.T, environment string, documents ...iam.Document) iam.Access {
	t.Helper()
	var access iam.Access
	for _, document := range documents {
		text, err := document.JSON()
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := iam.Parse(strings.NewReplacer(account, "111122223333", replica, "eu-west-1", "ENVIRONMENT", environment).Replace(text))
		if err != nil {
			t.Fatal(err)
		}
		access.Identity = append(access.Identity, parsed)
	}
	return access
}

func goldens(t *testing.T, environment string) []node {
	t.Helper()
	text, err := os.ReadFile("../../stack/testdata/" + environment + ".graph.json")
	if err != nil {
		t.Fatal(err)
	}
	var nodes []node
	if err := json.Unmarshal(text, &nodes); err != nil {
		t.Fatal(err)
	}
	for i := range nodes {
		nodes[i].Provider = cmp.Or(nodes[i].Provider, "us-east-1") // Docker pushes the images, without a provider of AWS's
	}
	return slices.DeleteFunc(nodes, func(n node) bool { // components and providers
		kind := n.kind()
		return strings.HasPrefix(kind, "pulumi:") || !strings.Contains(kind, ":")
	})
}

func TestTheDeployingRoleMayMakeEveryResource(t *testing.T) {
	for _, environment := range []string{"dev", "prod"} {
		access := of(t, environment, Services(), Platform())
		for _, n := range goldens(t, environment) {
			actions, known := needs[n.kind()]
			if !known {
				t.Errorf("nobody says which actions %s needs", n.kind())
			}
			for _, action := range strings.Fields(actions) {
				if err := access.Decide(n.request(action, environment)); err != nil {
					t.Errorf("%s: %s: %v", environment, n.URN, err)
				}
			}
		}
	}
}

// withBoundary are the actions on roles for which AWS has the key iam:PermissionsBoundary.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var withBoundary = []string{
	"iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
	"iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
}

// Whoever adds the condition that the page names can still deploy, with the boundary and with no other.
func TestTheDeployingRoleMayBeHeldToABoundary(t *testing.T) {
	const ours, key = "arn:aws:iam::111122223333:policy/ours", "iam:PermissionsBoundary"
	platform := Platform()
	for i := range platform.Statement {
		if s := &platform.Statement[i]; s.Sid == bounded {
			s.Condition = iam.Conditions{iam.StringEquals: {key: {ours}}}
		}
	}
	access := of(t, "prod", Services(), platform)
	for _, n := range goldens(t, "prod") {
		for _, action := range strings.Fields(needs[n.kind()]) {
			r := n.request(action, "prod")
			if !slices.Contains(withBoundary, action) {
				if err := access.Decide(r); err != nil {
					t.Errorf("%s: %v", n.URN, err)
				}
				continue
			}
			if err := access.Decide(r); err == nil {
				t.Errorf("%s: %s is allowed without a boundary", n.URN, action)
			}
			r.Context[key] = ours
			if err := access.Decide(r); err != nil {
				t.Errorf("%s: %v", n.URN, err)
			}
			r.Context[key] = "arn:aws:iam::111122223333:policy/theirs"
			if err := access.Decide(r); err == nil {
				t.Errorf("%s: %s is allowed with another boundary", n.URN, action)
			}
		}
	}
	if err := access.Decide(iam.Request{
		Action: "iam:DeleteRolePermissionsBoundary", Resource: "arn:aws:iam::111122223333:role/trade-processing-prod-workflow",
		Principal: "arn:aws:iam::111122223333:role/deploy", Context: map[string]string{key: ours},
	}); err == nil {
		t.Error("a boundary may be taken off")
	}
}

// Nothing is allowed that no resource needs.
func TestTheDeployingRoleMayDoNothingElse(t *testing.T) {
	needed := map[string]bool{}
	for _, actions := range needs {
		for _, action := range strings.Fields(actions) {
			needed[action] = true
		}
	}
	// What the provider calls now and then, or what an AWS service does in the deployer's name.
	for _, action := range []string{
		"sns:SetSubscriptionAttributes", "lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency", "lambda:GetFunctionCodeSigningConfig", "lambda:ListTags",
		"states:DeleteStateMachineVersion", "states:ListStateMachineAliases", "logs:DeleteRetentionPolicy", "logs:DisassociateKmsKey",
		"kms:RetireGrant", "kms:ReEncrypt*", "kms:GenerateDataKey*", "ec2:Describe*",
		"ecr:BatchDeleteImage", // of a repository that may be deleted with its images
	} {
		needed[action] = true
	}
	for _, document := range []iam.Document{Services(), Platform()} {
		for _, s := range document.Statement {
			for _, action := range s.Action {
				if !needed[action] {
					t.Errorf("%s allows %s, which nothing needs", s.Sid, action)
				}
			}
		}
	}
}

func TestARoleOfAnotherStackIsOutOfReach(t *testing.T) {
	access := of(t, "dev", Services(), Platform())
	for _, n := range goldens(t, "prod") {
		for _, action := range strings.Fields(needs[n.kind()]) {
			r := n.request(action, "prod")
			shared := onAnything(action) || action == "iam:CreateServiceLinkedRole" || action == "kms:TagResource" ||
				strings.HasPrefix(r.Resource, "arn:aws:backup:us-east-1:111122223333:backup-plan:") || strings.Contains(r.Resource, "/aws/lambda-insights")
			if err := access.Decide(r); (err == nil) != shared {
				t.Errorf("dev's role and %s of %s: %v", action, r.Resource, err)
			}
		}
	}
}

// maxPolicy is how many characters a managed policy may have, white space aside.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxPolicy = 6144

func TestThePageOfTheRolesIsUpToDate(t *testing.T) {
	const file = "../../docs/roles.md"
	want := pageOf(t)
	page.Check(t, file, want, "go test ./tests/roles -run Page -update")
}

func pageOf(t *testing.T) string {
	t.Helper()
	shown := func(document iam.Document) string {
		text, err := document.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > maxPolicy {
			t.Errorf("a policy of %d characters: AWS takes %d", len(text), maxPolicy)
		}
		return "```json\n" + wrapped(text) + "\n```\n"
	}
	return fmt.Sprintf(introduction, shown(Services()), shown(Platform()), shown(Preview()))
}

// wrapped breaks a document into lines: a statement begins its own, and goes on in indented ones.
func wrapped(text string) string {
	const width = 116
	var lines []string
	for _, statement := range strings.Split(strings.NewReplacer(`[{"Sid"`, "[\n{\"Sid\"", `},{"Sid"`, "},\n{\"Sid\"", `}]}`, "}\n]}").Replace(text), "\n") {
		line := ""
		for _, part := range strings.SplitAfter(statement, ",") {
			if line != "" && len(line)+len(part) > width {
				lines, line = append(lines, line), "  "
			}
			line += part
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
