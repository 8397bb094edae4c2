package components

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const containerFunctionType = "trade-processing:components:ContainerFunction"

const (
	// functionArchitecture must match ImagePlatform: otherwise the function ends in "exec format error".
	functionArchitecture = "arm64"

	// aliasName is the published alias of functions and state machines. Callers use nothing else, so a rollback is one
	// change of one alias.
	aliasName = "live"

	// durationShare is the share of the timeout that the 99th percentile of the duration may use.
	durationShare = 0.8
)

// ContainerFunctionArgs are the arguments of NewContainerFunction.
type ContainerFunctionArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// FunctionName is the physical name of function and role: up to 64 letters, digits, - and _. Policies, the log group
	// and the alarms name the function before it exists.
	FunctionName string `pulumi:"functionName"`

	// RepositoryName is the physical name of the ECR repository of its images: up to 256 lower-case letters and digits,
	// with single . _ / - between them.
	RepositoryName pulumi.StringInput `pulumi:"repositoryName"`

	// Description says in one line what the function does.
	Description string `pulumi:"description"`

	// Image is what the function's container image is built from.
	Image ImageSource `pulumi:"image"`

	// KeyARN is the customer-managed key of environment, images, logs and dead letters.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`

	// AlarmTopicARN is the SNS topic that the alarms notify.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`

	// MemoryMB is the memory in MiB, and with it the share of a CPU: 128 to 10240. Default: 256.
	MemoryMB int `pulumi:"memoryMB,optional"`

	// TimeoutSeconds is the longest that one call may take: up to 900. Default: 10.
	TimeoutSeconds int `pulumi:"timeoutSeconds,optional"`

	// ReservedConcurrency is how many concurrent calls are reserved. Default: none, because an account must keep 100
	// unreserved, and a new account has 10 in all.
	ReservedConcurrency int `pulumi:"reservedConcurrency,optional"`

	// Environment has the function's environment variables.
	Environment pulumi.StringMapInput `pulumi:"environment,optional"`

	// Permissions are what the function's own code may do. Permissions for the platform around it (logs, traces, network,
	// dead letters) are added.
	Permissions []Permission `pulumi:"permissions,optional"`

	// LogRetentionDays is how long the function's logs are kept: one of CloudWatch's retentions. Default: 365.
	LogRetentionDays int `pulumi:"logRetentionDays,optional"`

	// SubnetIDs, with SecurityGroupIDs, put the function into a VPC.
	SubnetIDs pulumi.StringArrayInput `pulumi:"subnetIds,optional"`

	// SecurityGroupIDs, with SubnetIDs, put the function into a VPC.
	SecurityGroupIDs pulumi.StringArrayInput `pulumi:"securityGroupIds,optional"`

	// LastingGroupIDs are the security groups that Lambda's network interfaces are moved to when the function is
	// destroyed: the interfaces stay for up to 45 minutes and hold on to their groups. Default: the VPC's default group.
	LastingGroupIDs pulumi.StringArrayInput `pulumi:"lastingGroupIds,optional"`

	// PermissionsBoundary is the ARN of the role's permissions boundary. Default: none.
	PermissionsBoundary pulumi.StringInput `pulumi:"permissionsBoundary,optional"`

	// DeletionProtection keeps a repository with images from being destroyed, and refuses a plan that would delete or
	// replace the dead-letter queue.
	DeletionProtection bool `pulumi:"deletionProtection,optional"`

	// ImageAfter is what must exist before the first push, such as the registry's replication, which copies only what is
	// pushed after it exists.
	ImageAfter []pulumi.Resource

	// After is what must exist before the first call and as long as the function does, such as its VPC's endpoints.
	After []pulumi.Resource
}

const (
	defaultMemoryMB         = 256
	defaultTimeoutSeconds   = 10
	defaultLogRetentionDays = 365
)

// ContainerFunction is a Lambda function from its source to its alias: an arm64 image, built, pushed and referred to by
// digest; its own role; a log group, created first; a dead-letter queue; X-Ray, Lambda Insights, VPC; a published
// version behind an alias; and alarms.
type ContainerFunction struct {
	pulumi.ResourceState

	Name          string
	ARN           pulumi.StringOutput `pulumi:"arn"`       // of the function, without a version
	AliasARN      pulumi.StringOutput `pulumi:"aliasArn"`  // what callers call
	AliasName     pulumi.StringOutput `pulumi:"aliasName"` // the alias without the function
	RoleARN       pulumi.StringOutput `pulumi:"roleArn"`
	RepositoryURL pulumi.StringOutput `pulumi:"repositoryUrl"`
	Timeout       time.Duration

	// DeadLetters keeps the events that the function failed on.
	DeadLetters        *MonitoredQueue
	DeadLetterQueueURL pulumi.StringOutput `pulumi:"deadLetterQueueUrl"` // of DeadLetters
	Alarms             Alarms              // including those of the dead-letter queue
}

// NewContainerFunction creates a ContainerFunction.
func NewContainerFunction(ctx *pulumi.Context, name string, given *ContainerFunctionArgs, opts ...pulumi.ResourceOption) (*ContainerFunction, error) {
	args := given.withDefaults()
	f := &ContainerFunction{Name: args.FunctionName, Timeout: seconds(args.TimeoutSeconds)}
	if err := register(ctx, containerFunctionType, name, f, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}

	repository, image, err := args.newImage(ctx, f, name)
	if err != nil {
		return nil, err
	}
	f.RepositoryURL = repository.URL

	f.DeadLetters, err = NewMonitoredQueue(ctx, name+"-dead-letters", &MonitoredQueueArgs{
		Scope:         args.Scope,
		QueueName:     args.FunctionName + "-dead-letters",
		Holds:         "events that " + args.FunctionName + " failed on",
		KeyARN:        args.KeyARN,
		AlarmTopicARN: args.AlarmTopicARN,

		DeletionProtection: args.DeletionProtection,
	}, pulumi.Parent(f))
	if err != nil {
		return nil, err
	}

	// Lambda would create the group itself, without key and retention, and recreate it after it is destroyed.
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(FunctionLogGroup(args.FunctionName)),
		RetentionInDays: pulumi.Int(args.LogRetentionDays),
		KmsKeyId:        args.KeyARN,
	}, pulumi.Parent(f))
	if err != nil {
		return nil, fmt.Errorf("creating the log group of function %s: %w", name, err)
	}
	role, policy, err := args.newRole(ctx, f, name)
	if err != nil {
		return nil, err
	}
	f.RoleARN = role.Arn

	// Lambda checks the role when the function is created: without its policy it "does not have permissions to call
	// CreateNetworkInterface".
	function, err := lambda.NewFunction(ctx, name+"-function", args.function(image, role, logs, f.DeadLetters), pulumi.Parent(f),
		pulumi.DependsOn(append([]pulumi.Resource{policy, repository.Policy}, args.After...)))
	if err != nil {
		return nil, fmt.Errorf("creating function %s: %w", name, err)
	}
	alias, err := lambda.NewAlias(ctx, name+"-alias", &lambda.AliasArgs{
		Name:            pulumi.String(aliasName),
		Description:     pulumi.String("The version that callers get"),
		FunctionName:    function.Name,
		FunctionVersion: function.Version,
	}, pulumi.Parent(f))
	if err != nil {
		return nil, fmt.Errorf("creating the alias of function %s: %w", name, err)
	}
	f.ARN, f.AliasARN, f.AliasName = function.Arn, alias.Arn, alias.Name

	f.Alarms, err = newAlarms(ctx, f, name, args.FunctionName, args.AlarmTopicARN, args.alarms())
	if err != nil {
		return nil, err
	}
	f.Alarms.add(f.DeadLetters.Alarms)
	f.DeadLetterQueueURL = f.DeadLetters.URL
	return f, registerOutputs(ctx, name, f)
}

// FunctionLogGroup returns the log group of a function.
func FunctionLogGroup(functionName string) string { return "/aws/lambda/" + functionName }

func (args ContainerFunctionArgs) withDefaults() *ContainerFunctionArgs {
	if args.MemoryMB == 0 {
		args.MemoryMB = defaultMemoryMB
	}
	if args.TimeoutSeconds == 0 {
		args.TimeoutSeconds = defaultTimeoutSeconds
	}
	if args.LogRetentionDays == 0 {
		args.LogRetentionDays = defaultLogRetentionDays
	}
	return &args
}

func (args *ContainerFunctionArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("FunctionName", args.FunctionName, functionName)
	a.nameInput("RepositoryName", args.RepositoryName, repositoryName)
	a.text("Description", args.Description)
	a.text("Image.Context", args.Image.Context)
	a.text("Image.Dockerfile", args.Image.Dockerfile)
	a.given("KeyARN", args.KeyARN)
	a.given("AlarmTopicARN", args.AlarmTopicARN)
	checkSize(a, "", args.MemoryMB, args.ReservedConcurrency)
	a.between("TimeoutSeconds", args.TimeoutSeconds, 1, 900)
	a.retention("LogRetentionDays", args.LogRetentionDays)
	if (args.SubnetIDs == nil) != (args.SecurityGroupIDs == nil) {
		a.problem("SubnetIDs", "and SecurityGroupIDs go together: a function in a VPC needs both")
	}
	checkPermissions(a, args.Permissions)
	return a.err()
}

// checkSize checks Lambda's limits for memory, and a limit for concurrency that catches typos: AWS has its own, per
// account. Zero is the default of both.
func checkSize(a *arguments, field string, memoryMB, reservedConcurrency int) {
	if memoryMB != 0 {
		a.between(field+"MemoryMB", memoryMB, 128, 10240)
	}
	a.between(field+"ReservedConcurrency", reservedConcurrency, 0, 10_000)
}

func (args *ContainerFunctionArgs) function(image *docker.Image, role *iam.Role, logs *cloudwatch.LogGroup, deadLetters *MonitoredQueue) *lambda.FunctionArgs {
	function := &lambda.FunctionArgs{
		Name:          pulumi.String(args.FunctionName),
		Description:   pulumi.String(args.Description),
		PackageType:   pulumi.String("Image"),
		ImageUri:      image.RepoDigest, // the digest: a tag wouldn't tell Lambda that there is something new
		Architectures: pulumi.ToStringArray([]string{functionArchitecture}),
		Role:          role.Arn,
		MemorySize:    pulumi.Int(args.MemoryMB),
		Timeout:       pulumi.Int(args.TimeoutSeconds),
		Publish:       pulumi.Bool(true),
		KmsKeyArn:     args.KeyARN,
		// Lambda itself uses this queue only for asynchronous calls. The state machine calls synchronously and sends failures
		// to the same queue.
		DeadLetterConfig: &lambda.FunctionDeadLetterConfigArgs{TargetArn: deadLetters.ARN},
		TracingConfig:    &lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")},
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{
			LogGroup:  logs.Name,
			LogFormat: pulumi.String("JSON"),
			// The function's LOG_LEVEL decides, not a second filter after it.
			ApplicationLogLevel: pulumi.String("DEBUG"),
			// WARN leaves out a start and a report of every call, which are longer than the function's own lines. Lambda's
			// metrics and X-Ray have the same, and Lambda Insights gets it from an API of its own.
			// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
			SystemLogLevel: pulumi.String("WARN"),
		},
	}
	if args.Environment != nil {
		function.Environment = &lambda.FunctionEnvironmentArgs{Variables: args.Environment}
	}
	if args.ReservedConcurrency > 0 {
		function.ReservedConcurrentExecutions = pulumi.Int(args.ReservedConcurrency)
	}
	if args.SubnetIDs != nil {
		function.VpcConfig = &lambda.FunctionVpcConfigArgs{SubnetIds: args.SubnetIDs, SecurityGroupIds: args.SecurityGroupIDs}
		function.ReplaceSecurityGroupsOnDestroy = pulumi.Bool(true)
		function.ReplacementSecurityGroupIds = args.LastingGroupIDs
	}
	return function
}

func (args *ContainerFunctionArgs) alarms() []alarm {
	dimensions := pulumi.StringMap{"FunctionName": pulumi.String(args.FunctionName)}
	return []alarm{
		{
			name:        "errors",
			description: fmt.Sprintf("Calls of %s end in errors. The state machine retries and dead-letters them; see the logs in %s.", args.FunctionName, FunctionLogGroup(args.FunctionName)),
			namespace:   "AWS/Lambda", metric: "Errors", dimensions: dimensions,
			statistic: "Sum", period: time.Minute, periods: 1, threshold: 1, comparison: atLeast,
		},
		{
			name:        "throttles",
			description: fmt.Sprintf("Calls of %s are throttled: its reserved concurrency or the account's is used up.", args.FunctionName),
			namespace:   "AWS/Lambda", metric: "Throttles", dimensions: dimensions,
			statistic: "Sum", period: time.Minute, periods: 3, threshold: 1, comparison: atLeast,
		},
		{
			name:        "p99",
			description: fmt.Sprintf("One call of %s in a hundred takes more than %.0f %% of its timeout of %v.", args.FunctionName, durationShare*100, seconds(args.TimeoutSeconds)),
			namespace:   "AWS/Lambda", metric: "Duration", dimensions: dimensions,
			statistic: "p99", period: time.Minute, periods: 5, threshold: durationShare * 1000 * float64(args.TimeoutSeconds), comparison: atLeast,
		},
	}
}
