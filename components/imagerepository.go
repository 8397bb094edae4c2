package components

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/iam"
)

const imageRepositoryType = "trade-processing:components:ImageRepository"

const (
	// defaultKeptImages bounds the storage and leaves enough to roll back to.
	defaultKeptImages = 50

	// untaggedDays is how long an image without a tag stays. None is pushed without one, but an interrupted push leaves
	// some.
	untaggedDays = 1
)

// ImageRepositoryArgs are the arguments of NewImageRepository.
type ImageRepositoryArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// RepositoryName is the physical name: up to 256 lower-case letters and digits, with single . _ / - between them.
	RepositoryName pulumi.StringInput `pulumi:"repositoryName"`

	// FunctionName is the Lambda function that may pull from here. The repository's policy names it before it exists.
	FunctionName string `pulumi:"functionName"`

	// KeyARN is the customer-managed key of the images.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// KeptImages is how many images are kept, 2 to 1000; the oldest go first. Default: 50.
	KeptImages int `pulumi:"keptImages,optional"`

	// ForceDelete allows destroying the repository with images in it.
	ForceDelete bool `pulumi:"forceDelete,optional"`
}

// ImageRepository is the private ECR repository of one function: immutable tags, a scan on each push, a
// customer-managed key, a lifecycle, and that function's permission to pull.
type ImageRepository struct {
	pulumi.ResourceState

	Name pulumi.StringOutput `pulumi:"name"`
	URL  pulumi.StringOutput `pulumi:"url"`
	// RegistryID is the account that a login token is for.
	RegistryID pulumi.StringOutput `pulumi:"registryId"`
	// Policy lets the function pull; the function must be created after it.
	Policy pulumi.Resource
}

// NewImageRepository creates an ImageRepository.
func NewImageRepository(ctx *pulumi.Context, name string, given *ImageRepositoryArgs, opts ...pulumi.ResourceOption) (*ImageRepository, error) {
	args := given.withDefaults()
	r := &ImageRepository{}
	if err := register(ctx, imageRepositoryType, name, r, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	repository, err := ecr.NewRepository(ctx, name+"-repository", &ecr.RepositoryArgs{
		Name:               args.RepositoryName,
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
			ScanOnPush: pulumi.Bool(true),
		},
		EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{
			&ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS"), KmsKey: args.KeyARN},
		},
		ForceDelete: pulumi.Bool(args.ForceDelete),
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("creating repository %s: %w", name, err)
	}
	r.Name, r.URL, r.RegistryID = repository.Name, repository.RepositoryUrl, repository.RegistryId

	lifecycle, err := imageLifecycle(args.KeptImages)
	if err != nil {
		return nil, err
	}
	_, err = ecr.NewLifecyclePolicy(ctx, name+"-lifecycle", &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy:     lifecycle,
		// Another policy replaces it, under the repository's name: deleting the former one last would delete the new one.
	}, pulumi.Parent(r), pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return nil, fmt.Errorf("creating the lifecycle of repository %s: %w", name, err)
	}

	policy, err := pullPolicy(qualified(args.Scope.ARN("lambda", "function:"+args.FunctionName)))
	if err != nil {
		return nil, err
	}
	r.Policy, err = ecr.NewRepositoryPolicy(ctx, name+"-policy", &ecr.RepositoryPolicyArgs{
		Repository: repository.Name,
		Policy:     policy,
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("creating the policy of repository %s: %w", name, err)
	}
	return r, registerOutputs(ctx, name, r)
}

func (args ImageRepositoryArgs) withDefaults() *ImageRepositoryArgs {
	if args.KeptImages == 0 {
		args.KeptImages = defaultKeptImages
	}
	return &args
}

func (args *ImageRepositoryArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.nameInput("RepositoryName", args.RepositoryName, repositoryName)
	a.name("FunctionName", args.FunctionName, functionName)
	a.given("KeyARN", args.KeyARN)
	a.between("KeptImages", args.KeptImages, 2, 1000) // at least the one in use and the one before
	return a.err()
}

// pullPolicy lets Lambda pull for these functions. It is the statement that Lambda would add itself if none allowed the
// pull, which would show as drift. AWS's example ends in function:*, which leaves open whether the ARN of a version is
// passed (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions).
func pullPolicy(functions iam.Strings) (pulumi.String, error) {
	text, err := iam.New(iam.Statement{
		Sid:       "LambdaECRImageRetrievalPolicy",
		Effect:    iam.Allow,
		Principal: iam.Service(functionService),
		Action:    iam.Strings{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		Condition: onBehalfOf(functions...),
	}).JSON()
	return pulumi.String(text), err
}

// lifecycleRule is a rule of an ECR lifecycle policy
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html).
type lifecycleRule struct {
	RulePriority int                `json:"rulePriority"`
	Description  string             `json:"description"`
	Selection    lifecycleSelection `json:"selection"`
	Action       lifecycleAction    `json:"action"`
}

type lifecycleSelection struct {
	TagStatus   string `json:"tagStatus"`
	CountType   string `json:"countType"`
	CountUnit   string `json:"countUnit,omitempty"`
	CountNumber int    `json:"countNumber"`
}

type lifecycleAction struct {
	Type string `json:"type"`
}

func imageLifecycle(kept int) (pulumi.String, error) {
	expire := lifecycleAction{Type: "expire"}
	text, err := json.Marshal(map[string][]lifecycleRule{"rules": {
		{
			RulePriority: 1, Description: "Images without a tag", Action: expire,
			Selection: lifecycleSelection{TagStatus: "untagged", CountType: "sinceImagePushed", CountUnit: "days", CountNumber: untaggedDays},
		},
		{
			RulePriority: 2, Description: fmt.Sprintf("All but the last %d images", kept), Action: expire,
			Selection: lifecycleSelection{TagStatus: "any", CountType: "imageCountMoreThan", CountNumber: kept},
		},
	}})
	return pulumi.String(text), err
}
