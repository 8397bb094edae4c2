package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const registryReplicationType = "trade-processing:components:RegistryReplication"

// RegistryReplicationArgs are the arguments of NewRegistryReplication.
type RegistryReplicationArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// RepositoryPrefix is the namespace whose repositories are copied: "trade-processing" for all whose names begin with
	// "trade-processing/". Up to 30 characters.
	RepositoryPrefix string `pulumi:"repositoryPrefix"`

	// FunctionPrefix begins the names of the Lambda functions that may pull the copies.
	FunctionPrefix string `pulumi:"functionPrefix"`

	// RoleName is the physical name of the role with which ECR creates the copies: up to 64 letters, digits, -, _ and .
	RoleName pulumi.StringInput `pulumi:"roleName"`

	// Destinations are the other regions.
	Destinations []RegistryDestination `pulumi:"destinations"`

	// Tags are the tags of the copied repositories, which no provider creates and so tags, and of the other resources.
	Tags map[string]string `pulumi:"tags,optional"`

	// PermissionsBoundary is the ARN of the role's permissions boundary. Default: none.
	PermissionsBoundary pulumi.StringInput `pulumi:"permissionsBoundary,optional"`
}

// RegistryDestination is a region that images are copied to.
type RegistryDestination struct {
	// Region is the other region.
	Region string `pulumi:"region"`

	// KeyARN is the customer-managed key in that region.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// Provider is the provider of that region. Default: a new one, with the environment's credentials.
	Provider *aws.Provider
}

// RegistryReplication copies the images of a namespace to other regions, into repositories that are encrypted,
// immutable and tagged like the originals.
//
// AWS keeps one replication configuration per registry and region. A second stack in the account with this component
// would overwrite the first one's, so only one stack may have it.
type RegistryReplication struct {
	pulumi.ResourceState

	// Configuration is what copies. An image pushed before it exists isn't copied. Depend on this, not on the component: a
	// component's children are known for sure only once all of them are registered.
	Configuration pulumi.Resource
}

// maxTemplatePrefix is the longest prefix of a repository creation template that the provider accepts.
const maxTemplatePrefix = 30

// NewRegistryReplication creates a RegistryReplication.
func NewRegistryReplication(ctx *pulumi.Context, name string, given *RegistryReplicationArgs, opts ...pulumi.ResourceOption) (*RegistryReplication, error) {
	args := *given
	r := &RegistryReplication{}
	if err := register(ctx, registryReplicationType, name, r, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	role, policy, err := args.newRole(ctx, r, name)
	if err != nil {
		return nil, err
	}
	lifecycle, err := imageLifecycle(defaultKeptImages)
	if err != nil {
		return nil, err
	}
	// The templates come first: without one, ECR creates the copy's repository mutable, untagged and under its own key.
	var templates []pulumi.Resource
	var destinations ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArray
	for _, destination := range args.Destinations {
		pull, err := pullPolicy(iam.Strings{args.Scope.In(destination.Region).ARN("lambda", "function:"+args.FunctionPrefix+"*")})
		if err != nil {
			return nil, err
		}
		provider, err := regional(ctx, r, name, destination.Region, destination.Provider, args.Tags)
		if err != nil {
			return nil, err
		}
		template, err := ecr.NewRepositoryCreationTemplate(ctx, name+"-template-"+destination.Region, &ecr.RepositoryCreationTemplateArgs{
			Prefix:             pulumi.String(args.RepositoryPrefix),
			Description:        pulumi.String("Copies of the images of " + args.Scope.Region),
			AppliedFors:        pulumi.ToStringArray([]string{"REPLICATION"}),
			ImageTagMutability: pulumi.String("IMMUTABLE"),
			EncryptionConfigurations: ecr.RepositoryCreationTemplateEncryptionConfigurationArray{
				&ecr.RepositoryCreationTemplateEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS"), KmsKey: destination.KeyARN},
			},
			LifecyclePolicy:  lifecycle,
			RepositoryPolicy: pull,
			ResourceTags:     pulumi.ToStringMap(args.Tags),
			CustomRoleArn:    role.Arn, // needed for key and tags
		}, pulumi.Parent(r), pulumi.Provider(provider), pulumi.DependsOn([]pulumi.Resource{policy}))
		if err != nil {
			return nil, fmt.Errorf("creating the template of replication %s in %s: %w", name, destination.Region, err)
		}
		templates = append(templates, template)
		destinations = append(destinations, &ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArgs{
			Region: pulumi.String(destination.Region), RegistryId: pulumi.String(args.Scope.Account),
		})
	}
	r.Configuration, err = ecr.NewReplicationConfiguration(ctx, name+"-configuration", &ecr.ReplicationConfigurationArgs{
		ReplicationConfiguration: &ecr.ReplicationConfigurationReplicationConfigurationArgs{
			Rules: ecr.ReplicationConfigurationReplicationConfigurationRuleArray{
				&ecr.ReplicationConfigurationReplicationConfigurationRuleArgs{
					Destinations: destinations,
					RepositoryFilters: ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArray{
						&ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArgs{
							Filter: pulumi.String(args.RepositoryPrefix + "/"), FilterType: pulumi.String("PREFIX_MATCH"),
						},
					},
				},
			},
		},
	}, pulumi.Parent(r), pulumi.DependsOn(templates))
	if err != nil {
		return nil, fmt.Errorf("configuring replication %s: %w", name, err)
	}
	return r, registerOutputs(ctx, name, r)
}

func (args *RegistryReplicationArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("RepositoryPrefix", args.RepositoryPrefix, nameRule{maxTemplatePrefix, lowerPaths, repositoryName.allowed})
	a.text("FunctionPrefix", args.FunctionPrefix)
	a.nameInput("RoleName", args.RoleName, roleName)
	if len(args.Destinations) == 0 {
		a.problem("Destinations", "is empty: there is nowhere to copy to")
	}
	for i, destination := range args.Destinations {
		field := fmt.Sprintf("Destinations[%d]", i)
		a.text(field+".Region", destination.Region)
		if destination.Region == args.Scope.Region {
			a.problem(field+".Region", "is the images' own region %s", destination.Region)
		}
		a.given(field+".KeyARN", destination.KeyARN)
	}
	return a.err()
}

// newRole creates the role with which ECR creates encrypted and tagged repositories
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-create-iam.html). Its trust has
// no condition, because AWS documents none that ECR would meet; the role can only act on this namespace and these keys.
func (args *RegistryReplicationArgs) newRole(ctx *pulumi.Context, r *RegistryReplication, name string) (*awsiam.Role, *awsiam.RolePolicy, error) {
	trusted, err := trust(registryService, nil)
	if err != nil {
		return nil, nil, err
	}
	role, err := newRole(ctx, r, name+"-role", roleArgs{
		name: args.RoleName, description: "Makes the repositories that images are copied to", trust: trusted, boundary: args.PermissionsBoundary,
	})
	if err != nil {
		return nil, nil, err
	}
	var keys []pulumi.StringInput
	var repositories iam.Strings
	for _, destination := range args.Destinations {
		keys = append(keys, destination.KeyARN)
		repositories = append(repositories, args.Scope.In(destination.Region).ARN("ecr", "repository/"+args.RepositoryPrefix+"/*"))
	}
	policy, err := awsiam.NewRolePolicy(ctx, name+"-role-policy", &awsiam.RolePolicyArgs{
		Name: pulumi.String("copies"),
		Role: role.Name,
		Policy: policyOf(func(keys []string) []iam.Statement {
			return []iam.Statement{
				{
					Sid: "MakeRepositories", Effect: iam.Allow,
					Action:   iam.Strings{"ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"},
					Resource: repositories,
				},
				{
					Sid: "EncryptRepositories", Effect: iam.Allow,
					Action:   iam.Strings{"kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"},
					Resource: keys,
				},
			}
		}, keys...),
	}, pulumi.Parent(r))
	if err != nil {
		return nil, nil, fmt.Errorf("creating the policy of role %s: %w", name, err)
	}
	return role, policy, nil
}
