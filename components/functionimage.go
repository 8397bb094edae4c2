package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newImage creates the repository, and builds and pushes the image.
func (args *ContainerFunctionArgs) newImage(ctx *pulumi.Context, f *ContainerFunction, name string) (*ImageRepository, *docker.Image, error) {
	repository, err := NewImageRepository(ctx, name+"-images", &ImageRepositoryArgs{
		Scope:          args.Scope,
		RepositoryName: args.RepositoryName,
		FunctionName:   args.FunctionName,
		KeyARN:         args.KeyARN,
		ForceDelete:    !args.DeletionProtection,
	}, pulumi.Parent(f))
	if err != nil {
		return nil, nil, err
	}
	source := args.Image
	if source.Project == "" {
		source.Project = ctx.RootDirectory()
	}
	build, err := source.Build()
	if err != nil {
		return nil, nil, fmt.Errorf("naming the image of function %s: %w", name, err)
	}
	// In a preview too, because the provider hashes the build context.
	if err := build.WriteContext(); err != nil {
		return nil, nil, fmt.Errorf("preparing the image of function %s: %w", name, err)
	}
	login := ecr.GetAuthorizationTokenOutput(ctx, ecr.GetAuthorizationTokenOutputArgs{RegistryId: repository.RegistryID}, pulumi.Parent(f))
	image, err := docker.NewImage(ctx, name+"-image", &docker.ImageArgs{
		ImageName: pulumi.Sprintf("%s:%s", repository.URL, build.Tag),
		Build: &docker.DockerBuildArgs{
			Context:    pulumi.String(build.Context),
			Dockerfile: pulumi.String(build.Dockerfile),
			Platform:   pulumi.String(ImagePlatform),
			Args:       pulumi.ToStringMap(build.Args),
			// The provider's default, made explicit: the recipe needs cache mounts and skipped stages.
			BuilderVersion: docker.BuilderVersionBuilderBuildKit,
		},
		Registry: &docker.RegistryArgs{
			Server:   repository.URL,
			Username: login.UserName(),
			Password: pulumi.ToSecret(login.Password()).(pulumi.StringOutput),
		},
	}, pulumi.Parent(f), pulumi.DependsOn(args.ImageAfter))
	if err != nil {
		return nil, nil, fmt.Errorf("building the image of function %s: %w", name, err)
	}
	return repository, image, nil
}
