package document

import (
	"regexp"
	"slices"
	"strings"
)

// tenants are the claims that tell the customers of a public identity provider apart; every customer's token has its
// issuer, and often its audience
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif).
var tenants = map[string][]string{
	"accounts.google.com":            {"aud", "oaud", "sub"},
	"agent.buildkite.com":            {"sub"},
	"api.pulumi.com/oidc":            {"aud"},
	"app.terraform.io":               {"sub"},
	"cognito-identity.amazonaws.com": {"aud"},
	"gitlab.com":                     {"sub"},
	"graph.facebook.com":             {"app_id", "id"},
	"oidc-configuration.audit-log.githubusercontent.com": {"sub"},
	"oidc.codefresh.io":                     {"sub"},
	"oidc.vercel.com":                       {"aud"},
	"proidc.upbound.io":                     {"sub"},
	"sandboxes.cloud":                       {"aud"},
	"scalr.io":                              {"sub"},
	"studio.datachain.ai/api":               {"sub"},
	"token.actions.githubusercontent.com":   {"sub", "job_workflow_ref", "repository", "repository_id", "repository_owner", "repository_owner_id"},
	"tokens.cloud.shisho.dev":               {"sub"},
	"vstoken.actions.githubusercontent.com": {"sub"},
	"www.amazon.com":                        {"app_id", "user_id"},
}

// NamesIdentity reports whether a condition says which identities of a federated provider a statement is about. A SAML
// provider is the account's own, and so are all its identities.
func (s Statement) NamesIdentity(provider string) bool {
	if strings.Contains(provider, ":saml-provider/") {
		return true
	}
	issuer := strings.ToLower(provider)
	if _, after, isARN := strings.Cut(issuer, ":oidc-provider/"); isARN {
		issuer = after
	}
	claims, public := tenants[issuer]
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		claim, own := strings.CutPrefix(c.Key, issuer+":")
		if !own || public && !slices.Contains(claims, claim) {
			return false
		}
		return s.requires(c, func(pattern, fixed string) bool {
			switch claim {
			case "aud":
				return pattern == fixed && pattern != "sts.amazonaws.com" // the audience of every token for AWS
			case "sub":
				return !anybodys.MatchString(pattern) && (pattern == fixed || namesTenant(fixed))
			default:
				return first(pattern, fixed)
			}
		})
	})
}

// namesTenant reports whether a subject names a customer, or a cluster's namespace, before its first wildcard.
func namesTenant(fixed string) bool {
	name, ofCluster := strings.CutPrefix(fixed, "system:serviceaccount:")
	if !ofCluster {
		_, name, _ = strings.Cut(fixed, ":") // repo:, project_path:, organization:
	}
	return strings.IndexAny(name, "/:") > 0
}

// anybodys are subjects that begin with a claim which is the same in other customers' repositories.
var anybodys = regexp.MustCompile(`^(base_ref|context|environment|head_ref|ref|workflow):`)
