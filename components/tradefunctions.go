package components

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The functions of the pipeline. The names end their physical names, and are what each function calls itself in logs and
// metrics.
const (
	validatorName = "validator"
	enricherName  = "enricher"
	recorderName  = "recorder"
)

// Timeouts. The functions end their own calls a little before.
const (
	validatorTimeout = 5 * time.Second
	enricherTimeout  = 10 * time.Second // it may wait for the HTTP API, with retries
	recorderTimeout  = 10 * time.Second
)

// LongestRetries is how many retries the trade workflow has time for.
func LongestRetries(kind WorkflowType) int {
	return MaxRetries(kind, validatorTimeout, enricherTimeout, recorderTimeout)
}

// MetricsNamespace is the CloudWatch namespace of the functions' own metrics.
const MetricsNamespace = "TradeProcessing"

// The functions' own metrics that alarms and dashboard show.
const (
	validatedMetric  = "TradesValidated"
	rejectedMetric   = "TradesRejected"
	reviewMetric     = "ReviewRequired"
	partialMetric    = "PartialContext"
	apiFailureMetric = "MarketDataFailures"
	recordedMetric   = "TradesRecorded"
	duplicateMetric  = "DuplicateTrades"
	conflictMetric   = "TradeConflicts"
	latencyMetric    = "EndToEndLatency"

	staleParametersMetric = "ParameterRefreshFailures"
)

// functionMetrics are the dimensions of a function's own metrics.
func (args *TradePipelineArgs) functionMetrics(function string) pulumi.StringMap {
	return pulumi.StringMap{"Environment": pulumi.String(args.Environment), "Function": pulumi.String(function)}
}

func (args *TradePipelineArgs) newFunctions(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	if p.Validator, err = args.newFunction(ctx, p, name, tradeFunction{
		name: validatorName, description: "Says what is wrong with a trade", size: args.Validator, timeout: validatorTimeout,
		environment: args.rules(), permissions: args.readParameters(),
	}); err != nil {
		return err
	}

	outside, err := args.newAPIGroup(ctx, p, name)
	if err != nil {
		return err
	}
	if p.Enricher, err = args.newFunction(ctx, p, name, tradeFunction{
		name: enricherName, description: "Adds market context to a trade", size: args.Enricher, timeout: enricherTimeout,
		environment: args.parameters(), permissions: args.readParameters(), groups: outside,
	}); err != nil {
		return err
	}

	environment := pulumi.StringMap{"TABLE_NAME": p.Table.Name}
	if args.RetentionYears > 0 {
		environment["RETENTION_YEARS"] = pulumi.String(strconv.Itoa(args.RetentionYears))
	}
	p.Recorder, err = args.newFunction(ctx, p, name, tradeFunction{
		name: recorderName, description: "Writes a trade once", size: args.Recorder, timeout: recorderTimeout,
		environment: environment,
		permissions: []Permission{
			{Sid: "WriteTrades", Actions: []string{"dynamodb:PutItem"}, Resources: []pulumi.StringInput{p.Table.ARN}},
			args.useKey("TableKey", "dynamodb"),
		},
	})
	return err
}

// tradeFunction is what the three functions differ in.
type tradeFunction struct {
	name, description string
	size              FunctionSize
	timeout           time.Duration
	environment       pulumi.StringMap // beside what all of them have
	permissions       []Permission
	groups            pulumi.StringArray // security groups beside that of all functions
}

func (args *TradePipelineArgs) newFunction(ctx *pulumi.Context, p *TradePipeline, name string, f tradeFunction) (*ContainerFunction, error) {
	environment := args.environment()
	maps.Copy(environment, f.environment)
	function := &ContainerFunctionArgs{
		Scope:               args.Scope,
		FunctionName:        args.Prefix + "-" + f.name,
		RepositoryName:      pulumi.String(args.RepositoryPrefix + "/" + f.name),
		Description:         f.description,
		Image:               TradeImage(args.Project, args.LambdaSources, f.name, args.ImageArguments),
		KeyARN:              args.KeyARN,
		AlarmTopicARN:       args.AlarmTopicARN,
		MemoryMB:            f.size.MemoryMB,
		TimeoutSeconds:      int(f.timeout.Seconds()),
		ReservedConcurrency: f.size.ReservedConcurrency,
		Environment:         environment,
		Permissions:         f.permissions,
		LogRetentionDays:    args.LogRetentionDays,
		PermissionsBoundary: args.PermissionsBoundary,
		DeletionProtection:  args.DeletionProtection,
		ImageAfter:          args.ImageAfter,
	}
	if args.Network != nil {
		function.SubnetIDs = args.Network.SubnetIDs
		function.SecurityGroupIDs = append(pulumi.StringArray{args.Network.FunctionGroupID}, f.groups...)
		function.LastingGroupIDs = pulumi.StringArray{args.Network.DefaultGroupID}
		function.After = args.Network.Reachable
	}
	return NewContainerFunction(ctx, name+"-"+f.name, function, pulumi.Parent(p))
}

// TradeFunctions are the functions of a pipeline, by the names of their folders.
func TradeFunctions() []string { return []string{validatorName, enricherName, recorderName} }

// ImageArguments are the build arguments that a stack may set for the images of TradeFunctions; lambdas/Dockerfile says what
// each is.
func ImageArguments() []string {
	return []string{
		"BASE_IMAGE", "GOPROXY", "GO_IMAGE", "INSIGHTS", "INSIGHTS_PACKAGE", "INSIGHTS_SHA256", "INSIGHTS_VERSION", "RELEASE", "SOURCE",
	}
}

// TradeImage is what the image of one of TradeFunctions is built from. Sources is the folder of the functions' module,
// relative to the project; arguments are build arguments of its Dockerfile beside FUNCTION.
func TradeImage(project, sources, function string, arguments map[string]string) ImageSource {
	source := ImageSource{
		Project:    project,
		Context:    sources,
		Dockerfile: sources + "/Dockerfile",
		Program:    function + "/bootstrap",
		Args:       map[string]string{"FUNCTION": function},
	}
	maps.Copy(source.Args, arguments)
	return source
}

// environment is what every function reads when it starts. What only one of them reads, it alone gets, so that a change of
// it publishes no other.
func (args *TradePipelineArgs) environment() pulumi.StringMap {
	return pulumi.StringMap{
		"ENVIRONMENT":       pulumi.String(args.Environment),
		"LOG_LEVEL":         pulumi.String(args.FunctionLogLevel),
		"METRICS_NAMESPACE": pulumi.String(MetricsNamespace),
	}
}

// parameters tells a function where the stack's parameters are.
func (args *TradePipelineArgs) parameters() pulumi.StringMap {
	return pulumi.StringMap{"PARAMETER_PREFIX": pulumi.String(args.ParameterPrefix)}
}

// rules is what the validator goes by.
func (args *TradePipelineArgs) rules() pulumi.StringMap {
	environment := args.parameters()
	environment["MAX_CLOCK_SKEW"] = pulumi.String(args.MaxClockSkew.String())
	environment["SOURCES"] = pulumi.String(strings.Join(args.Sources, ","))
	if len(args.AllowedCurrencies) > 0 {
		environment["ALLOWED_CURRENCIES"] = pulumi.String(strings.Join(args.AllowedCurrencies, ","))
	}
	return environment
}

// readParameters lets a function read all of the stack's parameters in one call.
func (args *TradePipelineArgs) readParameters() []Permission {
	path := strings.Trim(args.ParameterPrefix, "/")
	permissions := []Permission{{
		Sid: "ReadParameters", Actions: []string{"ssm:GetParametersByPath"},
		Resources: []pulumi.StringInput{
			pulumi.String(args.Scope.ARN("ssm", "parameter/"+path)), pulumi.String(args.Scope.ARN("ssm", "parameter/"+path+"/*")),
		},
	}}
	if args.APISecret {
		permissions = append(permissions, args.useKey("ParameterKey", "ssm"))
	}
	return permissions
}

// useKey lets a function read and write what a service keeps under the stack's key.
func (args *TradePipelineArgs) useKey(sid, service string) Permission {
	through := useKeyThrough(service, args.Scope, "")
	return Permission{Sid: sid, Actions: through.Action, Resources: []pulumi.StringInput{args.KeyARN}, Conditions: through.Condition}
}

// newAPIGroup makes the security group that leads to the HTTP API, where there is one. Only the enricher is in it.
func (args *TradePipelineArgs) newAPIGroup(ctx *pulumi.Context, p *TradePipeline, name string) (pulumi.StringArray, error) {
	if args.APIEndpoint == "" || args.Network == nil {
		return nil, nil
	}
	group, err := newSecurityGroup(ctx, p, name+"-api", args.Network.VPCID, args.Prefix+"-api", "Enricher: out to the API for market context, in from nowhere")
	if err != nil {
		return nil, err
	}
	for i, cidr := range args.APIRanges {
		_, err := newEgress(ctx, p, fmt.Sprintf("%s-api-out-%d", name, i+1), allow{
			from: group.ID(), toRange: cidr, port: args.APIPort, description: "To the API for market context",
		})
		if err != nil {
			return nil, err
		}
	}
	return pulumi.StringArray{group.ID()}, nil
}
