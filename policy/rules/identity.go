package rules

import (
	"fmt"
	"slices"
	"strings"

	"trade-processing/policy/document"
	"trade-processing/policy/value"
)

const identityFamily = "IAM"

const (
	eventBus       = "aws:cloudwatch/eventBus:EventBus"
	eventBusPolicy = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
)

// identityPolicies are the types that grant permissions to a role, user or group.
var identityPolicies = []string{
	"aws:iam/groupPolicy:GroupPolicy", "aws:iam/policy:Policy", "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy",
}

// resourcePolicies are the properties that say who may use a resource, by type.
var resourcePolicies = map[string]string{
	"aws:backup/vaultPolicy:VaultPolicy":                            "policy",
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy":                  "policy",
	"aws:dynamodb/resourcePolicy:ResourcePolicy":                    "policy",
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": "repositoryPolicy",
	"aws:ecr/repositoryPolicy:RepositoryPolicy":                     "policy",
	"aws:secretsmanager/secretPolicy:SecretPolicy":                  "policy",
	"aws:sns/topic:Topic":                                           "policy",
	"aws:sns/topicPolicy:TopicPolicy":                               "policy",
	"aws:sqs/queue:Queue":                                           "policy",
	"aws:sqs/queuePolicy:QueuePolicy":                               "policy",
}

// attachments are the properties that attach managed policies, by type.
var attachments = map[string]string{
	"aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "policyArn",
	"aws:iam/policyAttachment:PolicyAttachment":           "policyArn",
	"aws:iam/role:Role": "managedPolicyArns",
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":                     "policyArn",
	"aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": "policyArns",
	"aws:iam/userPolicyAttachment:UserPolicyAttachment":                     "policyArn",
}

// allowedActions is the option of the rule on action wildcards.
var allowedActions = Option{
	Name: "allowedActions", About: "Actions with a wildcard that are allowed; * matches anything, so \"s3:Get*\" is the action itself.",
	Schema: texts(), Default: []any{},
}

// wideActions is the option of the rule on resource wildcards. The default is the actions that AWS ties to no resource,
// or whose resource can't be known beforehand (https://docs.aws.amazon.com/service-authorization/latest/reference/).
var wideActions = Option{
	Name: "allowedActions", About: "Actions that may be allowed on every resource, because AWS supports no narrower one; * matches anything.",
	Schema: texts(),
	Default: list(
		// Lambda checks a role's ec2:DeleteNetworkInterface before it creates a function in a VPC, and accepts one id or all
		// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions).
		"cloudwatch:PutMetricData", "ec2:DeleteNetworkInterface", "ec2:Describe*", "ecr:GetAuthorizationToken", "kms:GenerateRandom", "kms:ListAliases", "kms:ListKeys",
		"lambda:GetAccountSettings", "lambda:ListFunctions", "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
		"logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		"s3:ListAllMyBuckets", "sns:ListTopics", "sqs:ListQueues", "ssm:DescribeParameters", "sts:GetCallerIdentity", "tag:GetResources",
		"xray:GetSamplingRules", "xray:GetSamplingStatisticSummaries", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
	),
}

var identityRules = []Rule{
	{
		Name: "iam-action-wildcard", Family: identityFamily, Level: Mandatory, Controls: []string{"IAM.21"},
		Types: identityPolicies, Options: []Option{allowedActions},
		Why: "A wildcard also allows whatever AWS adds to the service next year.",
		Check: func(r *Resource) {
			for _, given := range granted(r) {
				for _, action := range given.Actions {
					if strings.Contains(action, "*") && !anyMatches(r.Setting("allowedActions"), action) {
						r.Breaks(given.property, fmt.Sprintf("allows %s in %s", given.Show(action), given.Name()), "List the required actions")
					}
				}
				if len(given.NotActions) > 0 {
					r.Breaks(given.property, "allows all but some actions in "+given.Name(), "List the required actions in Action")
				}
			}
		},
	},
	{
		Name: "iam-resource-wildcard", Family: identityFamily, Level: Mandatory, Controls: []string{"CKV_AWS_355", "CKV_AWS_290"},
		Types: identityPolicies, Options: []Option{wideActions},
		Why: "Anything allowed on every resource is allowed on other teams' resources.",
		Check: func(r *Resource) {
			for _, given := range granted(r) {
				if !slices.Contains(given.Resources, "*") && len(given.NotResources) == 0 {
					continue
				}
				for _, action := range given.Actions {
					if !anyMatches(r.Setting("allowedActions"), action) {
						r.Breaks(given.property, fmt.Sprintf("allows %s on every resource in %s", given.Show(action), given.Name()),
							"Name the resources by their ARNs")
					}
				}
			}
		},
	},
	{
		Name: "iam-no-administrator", Family: identityFamily, Level: Mandatory, Controls: []string{"IAM.1", "CKV_AWS_62", "CKV_AWS_63"},
		Types: identityPolicies,
		Why:   "Anyone who may do everything may also grant everything to others.",
		Check: func(r *Resource) {
			for _, given := range granted(r) {
				if slices.Contains(given.Actions, "*") && slices.Contains(given.Resources, "*") {
					r.Breaks(given.property, "allows everything on everything in "+given.Name(), "List the required actions and resources")
				}
			}
		},
	},
	{
		Name: "iam-no-administrator-attached", Family: identityFamily, Level: Mandatory, Controls: []string{"IAM.1", "CKV_AWS_274"},
		Types: sortedKeys(attachments), Options: []Option{{
			Name: "policies", About: "Names of managed policies that may not be attached; * matches anything.", Schema: texts(),
			Default: list("AdministratorAccess", "IAMFullAccess", "PowerUserAccess"),
		}},
		Why: "Anyone who may do everything may also grant everything to others.",
		Check: func(r *Resource) {
			for _, arn := range r.At(attachments[r.Type]).Each() {
				if name := lastPart(arn.Text()); anyMatches(r.Setting("policies"), name) {
					r.Breaks(attachments[r.Type], "attaches "+shownText(arn, name), "Write a policy with what is required")
				}
			}
		},
	},
	{
		Name: "iam-decrypt-all-keys", Family: identityFamily, Level: Mandatory, Controls: []string{"KMS.1", "KMS.2"},
		Types: identityPolicies,
		Why:   "Anyone who may decrypt with every key of the account can read everything that anybody encrypted.",
		Check: func(r *Resource) {
			for _, given := range granted(r) {
				decrypts := slices.ContainsFunc(given.Actions, func(pattern string) bool {
					return matches(pattern, "kms:Decrypt") || matches(pattern, "kms:ReEncryptFrom")
				})
				everyKey := slices.ContainsFunc(given.Resources, func(resource string) bool {
					return resource == "*" || strings.HasPrefix(resource, "arn:") && strings.HasSuffix(resource, ":key/*")
				})
				if decrypts && everyKey {
					r.Breaks(given.property, "allows decryption with every key in "+given.Name(), "Name the keys by their ARNs")
				}
			}
		},
	},
	{
		Name: "iam-trust-everyone", Family: identityFamily, Level: Mandatory, Controls: []string{"CKV_AWS_60", "CKV_AWS_61"},
		Types: []string{"aws:iam/role:Role"},
		Why:   "A role that trusts everyone can be assumed from any AWS account.",
		Check: func(r *Resource) { notOpen(r, "assumeRolePolicy") },
	},
	{
		Name: "iam-confused-deputy", Family: identityFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:iam/role:Role"}, Options: []Option{{
			Name: "exceptServices", About: "Services that assume a role without saying for whom; * matches anything.", Schema: texts(),
			Default: list("ec2.amazonaws.com", "ecr.amazonaws.com", "ecs.amazonaws.com", "edgelambda.amazonaws.com", "eks.amazonaws.com", "spotfleet.amazonaws.com"),
		}},
		Why: "A service that assumes a role without saying for whom can be tricked into assuming it for a stranger's resource.",
		Check: func(r *Resource) {
			for _, statement := range document.Read(r.At("assumeRolePolicy")).Allowing() {
				for _, service := range statement.Principals.Services {
					if !statement.NamesCaller() && !anyMatches(r.Setting("exceptServices"), service) {
						r.Breaks("assumeRolePolicy", fmt.Sprintf("trusts %s for any caller", statement.Show(service)), "Add a condition on aws:SourceAccount, or on aws:SourceArn")
					}
				}
			}
		},
	},
	{
		Name: "iam-federated-trust", Family: identityFamily, Level: Mandatory, Controls: []string{"CKV_AWS_358"},
		Types: []string{"aws:iam/role:Role"},
		Why:   "A role that trusts a public identity provider, such as GitHub's, without a condition on the caller is open to anybody with an account there.",
		Check: func(r *Resource) {
			for _, statement := range document.Read(r.At("assumeRolePolicy")).Allowing() {
				for _, provider := range statement.Principals.Federated {
					if strings.Contains(provider, ":oidc-provider/") && !statement.NamesSubject() {
						r.Breaks("assumeRolePolicy", fmt.Sprintf("trusts every identity of %s", statement.Show(lastPart(provider))),
							"Add a condition on the provider's sub claim that names the repository or the service account")
					}
				}
			}
		},
	},
	{
		Name: "resource-policy-public", Family: identityFamily, Level: Mandatory,
		Controls: []string{"SQS.3", "SNS.4", "CKV_AWS_32", "CKV_AWS_168", "CKV_AWS_169", "CKV_AWS_387"}, Types: sortedKeys(resourcePolicies),
		Why:   "If everyone may use it, a stranger will fill, read or delete it.",
		Check: func(r *Resource) { notOpen(r, resourcePolicies[r.Type]) },
	},
	{
		Name: "resource-policy-confused-deputy", Family: identityFamily, Level: Mandatory, Controls: []string{Ours},
		Types: sortedKeys(resourcePolicies),
		Why:   "A service that may use a resource for any caller can be tricked into using it for a stranger.",
		Check: func(r *Resource) {
			property := resourcePolicies[r.Type]
			for _, statement := range document.Read(r.At(property)).Allowing() {
				for _, service := range statement.Principals.Services {
					if !statement.NamesCaller() {
						r.Breaks(property, fmt.Sprintf("lets %s in for any caller through %s", statement.Show(service), statement.Name()),
							"Add a condition on aws:SourceArn or aws:SourceAccount")
					}
				}
			}
		},
	},
	{
		Name: "resource-policy-action-wildcard", Family: identityFamily, Level: Mandatory, Controls: []string{"CKV_AWS_72"},
		Types: sortedKeys(resourcePolicies),
		Why:   "A wildcard also allows deleting the resource, changing its policy, and whatever AWS adds next year.",
		Check: func(r *Resource) {
			property := resourcePolicies[r.Type]
			for _, statement := range document.Read(r.At(property)).Allowing() {
				for _, action := range statement.Actions {
					if strings.Contains(action, "*") {
						r.Breaks(property, fmt.Sprintf("allows %s in %s", statement.Show(action), statement.Name()), "List the required actions")
					}
				}
			}
		},
	},
	{
		Name: "event-bus-policy", Family: identityFamily, Level: Mandatory, Controls: []string{"EventBridge.3"},
		Types: []string{eventBus, eventBusPolicy},
		Why:   "Without its own policy, any principal of the account with events:PutEvents on * may put events on the bus.",
		CheckStack: func(s *Stack) {
			for _, bus := range s.Of(eventBus) {
				partner := !bus.At("eventSourceName").Unset() // takes no policy
				if !partner && s.referred(bus, reference{eventBusPolicy, "eventBusName"}) == no {
					bus.Breaks("name", "is that of a bus without a policy", "Add an EventBusPolicy that names who may put events")
				}
			}
		},
	},
	{
		Name: "function-permission-scoped", Family: identityFamily, Level: Mandatory, Controls: []string{"Lambda.1", "CKV_AWS_301", "CKV_AWS_364"},
		Types: []string{"aws:lambda/permission:Permission"},
		Why:   "A function that everyone may call, or that a service may call for everyone, works for strangers.",
		Check: func(r *Resource) {
			principal := r.At("principal")
			narrowed := !r.At("sourceArn").Unset() || !r.At("sourceAccount").Unset() || !r.At("principalOrgId").Unset()
			wide := principal.Is("*") || strings.HasSuffix(principal.Text(), ".amazonaws.com")
			if wide && !narrowed {
				r.Breaks("sourceArn", fmt.Sprintf("is missing, but the principal is %s", shown(principal)), "Set sourceArn, and sourceAccount if the ARN has no account")
			}
		},
	},
	{
		Name: "function-url-authorized", Family: identityFamily, Level: Mandatory, Controls: []string{"Lambda.1", "CKV_AWS_258"},
		Types: []string{"aws:lambda/functionUrl:FunctionUrl"},
		Why:   "A function URL without authorization is open to the internet, and you pay for every call.",
		Check: func(r *Resource) {
			if r.At("authorizationType").Is("NONE") {
				r.Breaks("authorizationType", "is NONE", "Set AWS_IAM")
			}
		},
	},
	{
		Name: "iam-no-access-keys", Family: identityFamily, Level: Mandatory, Controls: []string{"IAM.3", "CKV_AWS_273"},
		Types: []string{"aws:iam/accessKey:AccessKey"},
		Why:   "An access key never expires, and ends up in shells, files and logs, and in Pulumi's state.",
		Check: func(r *Resource) {
			if r.At("status").LacksText("Inactive") {
				r.Breaks("status", "is active", "Let people sign in through IAM Identity Center, and programs through roles")
			}
		},
	},
	{
		Name: "iam-permissions-boundary", Family: identityFamily, Level: Off, Controls: []string{Ours},
		Types: []string{"aws:iam/role:Role"}, Options: []Option{{
			Name: "boundaries", About: "ARNs of the boundaries that roles may have; * matches anything.", Schema: texts(), Default: list("arn:*:iam::*:policy/*"),
		}},
		Why: "Anyone who may create roles can give them more permissions than they have themselves, unless each role must have a boundary.",
		Check: func(r *Resource) {
			boundary := r.At("permissionsBoundary")
			switch {
			case boundary.Unset():
				r.Breaks("permissionsBoundary", "is missing", "Set the ARN of the boundary that your organisation requires")
			case !boundary.IsUnknown() && !anyMatches(r.Setting("boundaries"), boundary.Text()):
				r.Breaks("permissionsBoundary", "is "+shown(boundary), "Allowed: "+listed(r.Setting("boundaries")))
			}
		},
	},
}

// grant is a statement that grants permissions, and where it is.
type grant struct {
	document.Statement
	property string
}

// granted returns the permissions that a resource grants to a role, user or group.
func granted(r *Resource) []grant {
	documents := map[string]value.Value{"policy": r.At("policy")}
	if r.Type == "aws:iam/role:Role" {
		documents = map[string]value.Value{}
		for i, inline := range r.At("inlinePolicies").Each() {
			documents[fmt.Sprintf("inlinePolicies[%d].policy", i)] = inline.Get("policy")
		}
	}
	var all []grant
	for _, property := range sortedKeys(documents) {
		for _, statement := range document.Read(documents[property]).Allowing() {
			all = append(all, grant{statement, property})
		}
	}
	return all
}
