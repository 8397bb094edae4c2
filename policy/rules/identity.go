package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"trade-processing/policy/actions"
	"trade-processing/policy/document"
	"trade-processing/policy/value"
)

const identityFamily = "IAM"

// identityPolicies are the types that grant permissions to a role, user or group.
var identityPolicies = []string{
	"aws:iam/groupPolicy:GroupPolicy", "aws:iam/policy:Policy", "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy",
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

// silent are the services whose roles AWS's own pages give a trust policy without a condition, and that no page says send
// aws:SourceArn or aws:SourceAccount: a condition on either would lock them out.
var silent = []string{
	"apigateway.amazonaws.com",         // https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
	"backup.amazonaws.com",             // https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html
	"batchoperations.s3.amazonaws.com", // https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
	"cloudtrail.amazonaws.com",         // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
	"ec2.amazonaws.com",                // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html
	"ecr.amazonaws.com",                // https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-iam.html
	"ecs.amazonaws.com",                // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/infrastructure_IAM_role.html
	"edgelambda.amazonaws.com",         // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-permissions.html
	"pods.eks.amazonaws.com",           // https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
	"spotfleet.amazonaws.com",          // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-fleet-prerequisites.html
}

var identityRules = []Rule{
	{
		Name: "iam-action-wildcard", Family: identityFamily, Level: Mandatory, Controls: []string{"IAM.21"},
		Types: identityPolicies, Options: []Option{allowedActions},
		Why: "A wildcard also allows whatever AWS adds to the service next year.",
		Check: func(r *Resource) {
			for _, given := range granted(r) {
				for _, action := range given.Actions {
					if strings.ContainsAny(action, "*?") && !listsAction(r.Setting("allowedActions"), action) {
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
				if given.NamesResource() || !given.On(func(pattern string) bool { return document.ParseARN(pattern).Every() }) {
					continue
				}
				if len(given.NotActions) > 0 {
					r.Breaks(given.property, "allows all but some actions on every resource in "+given.Name(), "Name the actions, and the resources by their ARNs")
				}
				for _, action := range given.Actions {
					if !listsAction(r.Setting("allowedActions"), action) && !actions.Unscoped(action) {
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
				everything := given.On(func(pattern string) bool {
					arn := document.ParseARN(pattern)
					return arn.AnyName() && document.Like(arn.Service, "iam")
				})
				if everything && given.Does("iam:~") { // no action has the name, so all of IAM's are allowed
					r.Breaks(given.property, "allows everything, or granting it, on everything in "+given.Name(), "List the required actions and resources")
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
				everyKey := given.On(func(pattern string) bool {
					arn := document.ParseARN(pattern)
					return document.Like(arn.Service, "kms") && slices.ContainsFunc(strangeKeys, func(key string) bool { return document.Like(arn.Resource, key) })
				})
				if everyKey && (given.Does("kms:Decrypt") || given.Does("kms:ReEncryptFrom")) {
					r.Breaks(given.property, "allows decryption with every key in "+given.Name(), "Name the keys by their ARNs")
				}
			}
		},
	},
	{
		Name: "iam-trust-everyone", Family: identityFamily, Level: Mandatory, Controls: []string{"CKV_AWS_60", "CKV_AWS_61"},
		Types: []string{"aws:iam/role:Role"}, Options: []Option{{
			Name: "accounts", About: "Ids of accounts that roles may trust as a whole, such as the firm's own; * matches anything.", Schema: texts(), Default: []any{},
		}},
		Why: "A role that trusts everyone can be assumed from any AWS account, and one that trusts an account by anyone whom that account's administrators choose.",
		Check: func(r *Resource) {
			notOpen(r, "assumeRolePolicy")
			for _, statement := range document.Read(r.At("assumeRolePolicy")).Allowing() {
				for _, principal := range statement.Principals.AWS {
					account := wholeAccount.FindStringSubmatch(principal)
					if account != nil && !statement.NamesMember() && !anyMatches(r.Setting("accounts"), account[1]) {
						r.Breaks("assumeRolePolicy", "trusts all of account "+statement.Show(account[1]),
							"Name the roles or users that may assume it, or require an aws:PrincipalArn or an external id")
					}
				}
			}
		},
	},
	{
		Name: "iam-confused-deputy", Family: identityFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:iam/role:Role"}, Options: []Option{{
			Name: "exceptServices", About: "Services that assume a role without saying for whom; * matches anything.", Schema: texts(),
			Default: list(silent...),
		}},
		Why: "A service that assumes a role without saying for whom can be tricked into assuming it for a stranger's resource.",
		Check: func(r *Resource) {
			for _, statement := range document.Read(r.At("assumeRolePolicy")).Allowing() {
				for _, service := range statement.Principals.Services {
					name := strings.TrimSuffix(service, ".cn") // China's partition
					if !statement.NamesCaller() && !anyMatches(r.Setting("exceptServices"), name) {
						r.Breaks("assumeRolePolicy", fmt.Sprintf("trusts %s for any caller", statement.Show(service)), "Add a condition on aws:SourceAccount, or on aws:SourceArn")
					}
				}
			}
		},
	},
	{
		Name: "iam-federated-trust", Family: identityFamily, Level: Mandatory, Controls: []string{"CKV_AWS_358"},
		Types: []string{"aws:iam/role:Role"},
		Why:   "A role that trusts a public identity provider, such as GitHub's or Cognito, without a condition on the caller is open to anybody with an account there.",
		Check: func(r *Resource) {
			for _, statement := range document.Read(r.At("assumeRolePolicy")).Allowing() {
				for _, provider := range statement.Principals.Federated {
					if provider != "*" && !statement.NamesIdentity(provider) {
						r.Breaks("assumeRolePolicy", fmt.Sprintf("trusts every identity of %s", statement.Show(lastPart(provider))),
							"Require the provider's sub claim to name the repository or the service account, or its aud claim the identity pool or application")
					}
				}
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

// wholeAccount matches the principals that mean everyone of an account, as Checkov's CKV_AWS_61 does.
var wholeAccount = regexp.MustCompile(`^(?:arn:[a-z-]+:iam::)?(\d{12})(?::root)?$`)

// strangeKeys are keys and an alias that nobody means: a pattern that matches one of them matches every key, every
// multi-Region key, or every alias.
var strangeKeys = []string{"key/00000000-0000-4000-8000-000000000000", "key/mrk-00000000000040008000000000000000", "alias/~"}

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
