package rules

import (
	"fmt"
	"slices"
	"strings"

	"trade-processing/policy/document"
)

const (
	eventBus        = "aws:cloudwatch/eventBus:EventBus"
	eventBusPolicy  = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
	eventPermission = "aws:cloudwatch/eventPermission:EventPermission"
)

// resourcePolicies are the properties that say who may use a resource, by type.
var resourcePolicies = map[string]string{
	"aws:acmpca/policy:Policy":                                                 "policy",
	"aws:backup/vaultPolicy:VaultPolicy":                                       "policy",
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy":                             "policy",
	"aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy":                 "accessPolicy",
	"aws:cloudwatch/logResourcePolicy:LogResourcePolicy":                       "policyDocument",
	"aws:codeartifact/domainPermissions:DomainPermissions":                     "policyDocument",
	"aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy": "policyDocument",
	"aws:dynamodb/resourcePolicy:ResourcePolicy":                               "policy",
	"aws:ecr/registryPolicy:RegistryPolicy":                                    "policy",
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate":            "repositoryPolicy",
	"aws:ecr/repositoryPolicy:RepositoryPolicy":                                "policy",
	"aws:efs/fileSystemPolicy:FileSystemPolicy":                                "policy",
	"aws:glacier/vault:Vault":                                                  "accessPolicy",
	"aws:glue/resourcePolicy:ResourcePolicy":                                   "policy",
	"aws:kinesis/resourcePolicy:ResourcePolicy":                                "policy",
	"aws:s3/accessPoint:AccessPoint":                                           "policy",
	"aws:s3/bucket:Bucket":                                                     "policy",
	"aws:s3/bucketPolicy:BucketPolicy":                                         "policy",
	"aws:s3/bucketV2:BucketV2":                                                 "policy",
	"aws:schemas/registryPolicy:RegistryPolicy":                                "policy",
	"aws:secretsmanager/secret:Secret":                                         "policy",
	"aws:secretsmanager/secretPolicy:SecretPolicy":                             "policy",
	"aws:ses/identityPolicy:IdentityPolicy":                                    "policy",
	"aws:sns/topic:Topic":                                                      "policy",
	"aws:sns/topicPolicy:TopicPolicy":                                          "policy",
	"aws:sqs/queue:Queue":                                                      "policy",
	"aws:sqs/queuePolicy:QueuePolicy":                                          "policy",
}

var accessRules = []Rule{
	{
		Name: "resource-policy-public", Family: identityFamily, Level: Mandatory,
		Controls: []string{"SQS.3", "SNS.4", "CKV_AWS_32", "CKV_AWS_168", "CKV_AWS_169", "CKV_AWS_387"}, Types: append(sortedKeys(resourcePolicies), eventPermission),
		Why: "If everyone may use it, a stranger will fill, read or delete it.",
		Check: func(r *Resource) {
			if r.Type != eventPermission {
				notOpen(r, resourcePolicies[r.Type])
				return
			}
			condition := r.At("condition")
			named := document.Condition{Operator: strings.ToLower(condition.Get("type").Text()), Key: strings.ToLower(condition.Get("key").Text()), Values: []string{condition.Get("value").Text()}}
			open := !document.Statement{Conditions: []document.Condition{named}}.NamesCaller()
			if r.At("principal").Is("*") && !condition.HoldsUnknown() && open {
				r.Breaks("principal", "is everyone", "Name the account, or add a condition on aws:PrincipalOrgID")
			}
		},
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
					if strings.ContainsAny(action, "*?") {
						r.Breaks(property, fmt.Sprintf("allows %s in %s", statement.Show(action), statement.Name()), "List the required actions")
					}
				}
				if len(statement.NotActions) > 0 {
					r.Breaks(property, "allows all but some actions in "+statement.Name(), "List the required actions in Action")
				}
			}
		},
	},
	{
		Name: "event-bus-policy", Family: identityFamily, Level: Mandatory, Controls: []string{"EventBridge.3"},
		Types: []string{eventBus, eventBusPolicy, eventPermission},
		Why:   "Without its own policy, any principal of the account with events:PutEvents on * may put events on the bus.",
		CheckStack: func(s *Stack) {
			for _, bus := range s.Of(eventBus) {
				partner := !bus.At("eventSourceName").Unset() // takes no policy
				if !partner && s.referred(bus, reference{eventBusPolicy, "eventBusName"}, reference{eventPermission, "eventBusName"}) == no {
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
			principal, source := r.At("principal"), r.At("sourceArn")
			narrowed := slices.ContainsFunc([]string{"sourceAccount", "principalOrgId", "eventSourceToken"}, func(property string) bool {
				return !r.At(property).Unset() && !strings.ContainsAny(r.At(property).Text(), "*?")
			})
			service := strings.Contains(principal.Text(), ".") && !strings.HasPrefix(principal.Text(), "arn:")
			if narrowed || !service && !principal.Is("*") {
				return
			}
			if source.Unset() {
				r.Breaks("sourceArn", fmt.Sprintf("is missing, but the principal is %s", shown(principal)), "Set sourceArn, and sourceAccount if the ARN has no account")
			} else if !source.IsUnknown() && !document.ParseARN(source.Text()).NamesOwner() {
				r.Breaks("sourceArn", fmt.Sprintf("names no account, but the principal is %s", shown(principal)), "Set sourceAccount")
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
}

// notOpen requires that a policy lets in only principals it names.
func notOpen(r *Resource, property string) {
	for _, statement := range document.Read(r.At(property)).Allowing() {
		if statement.Principals.Everyone && !statement.NamesCaller() {
			letsEveryoneIn(r, property, statement)
		}
	}
}

func letsEveryoneIn(r *Resource, property string, statement document.Statement) {
	r.Breaks(property, "lets everyone in through "+statement.Name(),
		"Name the principals, or require an aws:SourceArn, aws:SourceAccount or aws:PrincipalOrgID without wildcards in account or organisation")
}
