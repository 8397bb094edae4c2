package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const encryptionKeyType = "trade-processing:components:EncryptionKey"

// defaultDeletionWindow is KMS's longest. What the key encrypted is lost with it.
const defaultDeletionWindow = 30

// EncryptionKeyArgs are the arguments of NewEncryptionKey.
type EncryptionKeyArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// Alias names the key in every region, without the prefix "alias/": up to 250 letters, digits, -, _, . and /.
	Alias string `pulumi:"alias"`

	// Grants are what AWS services may use the key for. The account's own policies decide for its users and roles.
	Grants *KeyGrants `pulumi:"grants,optional"`

	// Replicas are the other regions that need the key: a customer-managed key is regional, and a table's replica is
	// refused without one in its own region.
	Replicas []KeyReplica `pulumi:"replicas,optional"`

	// DeletionWindowDays is how long KMS keeps a deleted key before it is gone: 7 to 30. Default: 30.
	DeletionWindowDays int `pulumi:"deletionWindowDays,optional"`
}

// KeyReplica is the key in another region.
type KeyReplica struct {
	// Region is the other region.
	Region string `pulumi:"region"`

	// Grants are what AWS services may use the key for there.
	Grants *KeyGrants `pulumi:"grants,optional"`

	// Provider is the provider of that region. Default: a new one, with the environment's credentials.
	Provider *aws.Provider

	// Tags are the default tags of a new provider.
	Tags map[string]string `pulumi:"tags,optional"`
}

// EncryptionKey is one multi-region customer-managed key: it rotates every year, names each service that uses it in its
// policy, and has a replica with the same key material in every region that needs one.
type EncryptionKey struct {
	pulumi.ResourceState

	ARN         pulumi.StringOutput            `pulumi:"arn"`
	ReplicaARNs map[string]pulumi.StringOutput // by region
}

// NewEncryptionKey creates an EncryptionKey.
func NewEncryptionKey(ctx *pulumi.Context, name string, given *EncryptionKeyArgs, opts ...pulumi.ResourceOption) (*EncryptionKey, error) {
	args := given.withDefaults()
	k := &EncryptionKey{ReplicaARNs: map[string]pulumi.StringOutput{}}
	if err := register(ctx, encryptionKeyType, name, k, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}
	policy, err := keyPolicy(args.Scope, args.Grants)
	if err != nil {
		return nil, err
	}
	key, err := kms.NewKey(ctx, name+"-key", &kms.KeyArgs{
		Description:          pulumi.String("Encrypts everything of " + args.Alias),
		EnableKeyRotation:    pulumi.Bool(true),
		MultiRegion:          pulumi.Bool(true), // can't be changed later: a key for one region would have to be replaced
		DeletionWindowInDays: pulumi.Int(args.DeletionWindowDays),
		Policy:               policy,
	}, pulumi.Parent(k))
	if err != nil {
		return nil, fmt.Errorf("creating key %s: %w", name, err)
	}
	_, err = kms.NewAlias(ctx, name+"-alias", &kms.AliasArgs{
		Name:        pulumi.String("alias/" + args.Alias),
		TargetKeyId: key.KeyId,
	}, pulumi.Parent(k))
	if err != nil {
		return nil, fmt.Errorf("naming key %s: %w", name, err)
	}
	k.ARN = key.Arn

	for _, replica := range args.Replicas {
		arn, err := args.newReplica(ctx, k, name, replica, key)
		if err != nil {
			return nil, err
		}
		k.ReplicaARNs[replica.Region] = arn
	}
	return k, registerOutputs(ctx, name, k)
}

func (args *EncryptionKeyArgs) newReplica(ctx *pulumi.Context, parent pulumi.Resource, name string, r KeyReplica, primary *kms.Key) (pulumi.StringOutput, error) {
	provider, err := regional(ctx, parent, name, r.Region, r.Provider, r.Tags)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	// Rotation isn't set here: a replica rotates with its primary.
	policy, err := keyPolicy(args.Scope.In(r.Region), r.Grants)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	replica, err := kms.NewReplicaKey(ctx, name+"-"+r.Region, &kms.ReplicaKeyArgs{
		Description:          pulumi.String("Encrypts everything of " + args.Alias + " in " + r.Region),
		PrimaryKeyArn:        primary.Arn,
		DeletionWindowInDays: pulumi.Int(args.DeletionWindowDays),
		Policy:               policy,
	}, pulumi.Parent(parent), pulumi.Provider(provider))
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("creating key %s in %s: %w", name, r.Region, err)
	}
	_, err = kms.NewAlias(ctx, name+"-alias-"+r.Region, &kms.AliasArgs{
		Name:        pulumi.String("alias/" + args.Alias),
		TargetKeyId: replica.KeyId,
	}, pulumi.Parent(parent), pulumi.Provider(provider))
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("naming key %s in %s: %w", name, r.Region, err)
	}
	return replica.Arn, nil
}

func (args EncryptionKeyArgs) withDefaults() *EncryptionKeyArgs {
	if args.DeletionWindowDays == 0 {
		args.DeletionWindowDays = defaultDeletionWindow
	}
	return &args
}

func (args *EncryptionKeyArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("Alias", args.Alias, keyAlias)
	a.between("DeletionWindowDays", args.DeletionWindowDays, 7, 30)
	seen := map[string]bool{args.Scope.Region: true}
	for i, replica := range args.Replicas {
		field := fmt.Sprintf("Replicas[%d].Region", i)
		a.text(field, replica.Region)
		if seen[replica.Region] {
			a.problem(field, "the key is already in %q", replica.Region)
		}
		seen[replica.Region] = true
	}
	return a.err()
}

// keyPolicy says who may do what with the key in one region. The account's own IAM policies decide for its users and
// roles, each limited to one service and one resource there; AWS services are named one by one. The actions are spelled
// out: a wildcard would grow with every action KMS adds.
func keyPolicy(scope Scope, grants *KeyGrants) (pulumi.String, error) {
	account := iam.AWS(scope.Global("iam", "root"))
	statements := []iam.Statement{
		{
			Sid: "AccountManages", Effect: iam.Allow, Principal: account, Resource: thisKey,
			Action: iam.Strings{
				"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
				"kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy",
				"kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations",
				"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:RetireGrant",
				"kms:RevokeGrant", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource",
				"kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription", "kms:UpdatePrimaryRegion",
			},
		},
		{
			Sid: "AccountUsesThroughIAM", Effect: iam.Allow, Principal: account, Resource: thisKey,
			Action: iam.Strings{
				"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
				"kms:ReEncryptFrom", "kms:ReEncryptTo",
			},
		},
		{
			// DynamoDB, ECR, Lambda and AWS Backup get access through KMS grants, which they create along with a resource for a
			// user of this account.
			Sid: "AccountLetsServicesMakeGrants", Effect: iam.Allow, Principal: account, Resource: thisKey,
			Action:    iam.Strings{"kms:CreateGrant"},
			Condition: iam.Conditions{iam.Bool: {"kms:GrantIsForAWSResource": {"true"}}},
		},
	}
	if grants != nil {
		statements = append(statements, grants.statements(scope)...)
	}
	text, err := iam.New(statements...).JSON()
	return pulumi.String(text), err
}
