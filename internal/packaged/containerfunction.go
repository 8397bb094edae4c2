package packaged

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
	"trade-processing/components/iam"
)

// ContainerFunctionArgs are the inputs of a packaged ContainerFunction.
type ContainerFunctionArgs struct {
	FunctionName        string                        `pulumi:"functionName" doc:"The physical name of function and role: up to 64 letters, digits, - and _."`
	RepositoryName      string                        `pulumi:"repositoryName" doc:"The ECR repository of its images."`
	Description         string                        `pulumi:"description" doc:"What the function does."`
	Image               ImageSource                   `pulumi:"image" doc:"What the image is built from."`
	KeyARN              pulumi.StringInput            `pulumi:"keyArn" doc:"The customer-managed key of environment, images, logs and dead letters."`
	AlarmTopicARN       pulumi.StringInput            `pulumi:"alarmTopicArn" doc:"The SNS topic that the alarms notify."`
	MemoryMB            int                           `pulumi:"memoryMB,optional" doc:"The memory in MiB: 128 to 10240. Default: 256."`
	TimeoutSeconds      int                           `pulumi:"timeoutSeconds,optional" doc:"The longest that one call may take: up to 900. Default: 10."`
	ReservedConcurrency int                           `pulumi:"reservedConcurrency,optional" doc:"How many calls may run at a time. Default: unreserved."`
	Environment         map[string]pulumi.StringInput `pulumi:"environment,optional" doc:"The function's environment variables."`
	Permissions         []Permission                  `pulumi:"permissions,optional" doc:"What the function's own code may do."`
	LogRetentionDays    int                           `pulumi:"logRetentionDays,optional" doc:"One of CloudWatch's retentions. Default: 365."`
	SubnetIDs           pulumi.StringArrayInput       `pulumi:"subnetIds,optional" doc:"With securityGroupIds: puts the function into a VPC."`
	SecurityGroupIDs    pulumi.StringArrayInput       `pulumi:"securityGroupIds,optional" doc:"With subnetIds: puts the function into a VPC."`
	PermissionsBoundary string                        `pulumi:"permissionsBoundary,optional" doc:"The ARN of a policy that bounds the role."`
	DeletionProtection  bool                          `pulumi:"deletionProtection,optional" doc:"Keeps a repository with images, and the dead-letter queue, from being destroyed."`
}

// ImageSource is what a container image is built from.
type ImageSource struct {
	Project    string            `pulumi:"project,optional" doc:"The folder that context and dockerfile are relative to. Default: where the engine starts the package."`
	Context    string            `pulumi:"context" doc:"The folder that is sent to the builder."`
	Dockerfile string            `pulumi:"dockerfile" doc:"The build's Dockerfile."`
	Program    string            `pulumi:"program,optional" doc:"The folder of a Go program, relative to context, which is the folder of its module. The build context is then what this program is made of. Default: all of context but for what Docker's ignore file leaves out."`
	Args       map[string]string `pulumi:"args,optional" doc:"The build's arguments."`
}

// Permission lets the function do something with named resources.
type Permission struct {
	Sid        string                         `pulumi:"sid" doc:"Letters and digits."`
	Actions    []string                       `pulumi:"actions" doc:"Such as dynamodb:PutItem."`
	Resources  []pulumi.StringInput           `pulumi:"resources" doc:"ARNs."`
	Conditions map[string]map[string][]string `pulumi:"conditions,optional" doc:"IAM conditions: by operator, the values of each key."`
}

func (p Permission) permission() components.Permission {
	made := components.Permission{Sid: p.Sid, Actions: p.Actions, Resources: p.Resources}
	for operator, keys := range p.Conditions {
		if made.Conditions == nil {
			made.Conditions = iam.Conditions{}
		}
		made.Conditions[iam.Operator(operator)] = map[string]iam.Strings{}
		for key, values := range keys {
			made.Conditions[iam.Operator(operator)][key] = values
		}
	}
	return made
}

// optional is an input that may be left out.
func optional(text string) pulumi.StringInput {
	if text == "" {
		return nil
	}
	return pulumi.String(text)
}

// ContainerFunction is the packaged component.
type ContainerFunction struct {
	pulumi.ResourceState

	ARN                pulumi.StringOutput `pulumi:"arn" doc:"The function's ARN, without a version."`
	AliasARN           pulumi.StringOutput `pulumi:"aliasArn" doc:"What callers call."`
	RoleARN            pulumi.StringOutput `pulumi:"roleArn" doc:"The ARN of the function's role."`
	RepositoryURL      pulumi.StringOutput `pulumi:"repositoryUrl" doc:"Where its images are."`
	DeadLetterQueueURL pulumi.StringOutput `pulumi:"deadLetterQueueUrl" doc:"The queue of what the function failed on."`
}

func (f *ContainerFunction) build(ctx *pulumi.Context, name string, scope components.Scope, args *ContainerFunctionArgs) error {
	given := &components.ContainerFunctionArgs{
		Scope: scope, FunctionName: args.FunctionName, RepositoryName: pulumi.String(args.RepositoryName), Description: args.Description,
		Image:  components.ImageSource(args.Image),
		KeyARN: args.KeyARN, AlarmTopicARN: args.AlarmTopicARN, MemoryMB: args.MemoryMB,
		TimeoutSeconds: args.TimeoutSeconds, ReservedConcurrency: args.ReservedConcurrency, Environment: pulumi.StringMap(args.Environment),
		LogRetentionDays: args.LogRetentionDays, SubnetIDs: args.SubnetIDs, SecurityGroupIDs: args.SecurityGroupIDs,
		PermissionsBoundary: optional(args.PermissionsBoundary), DeletionProtection: args.DeletionProtection,
	}
	for _, p := range args.Permissions {
		given.Permissions = append(given.Permissions, p.permission())
	}
	function, err := components.NewContainerFunction(ctx, name, given, pulumi.Parent(f))
	if err != nil {
		return err
	}
	f.ARN, f.AliasARN, f.RoleARN = function.ARN, function.AliasARN, function.RoleARN
	f.RepositoryURL, f.DeadLetterQueueURL = function.RepositoryURL, function.DeadLetters.URL
	return nil
}
