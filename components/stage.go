package components

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Stage is one row of a pipeline's table of stages: a function, its state in the workflow, what the function may do,
// and what it hands on. The pipeline derives state, role, queue, alarms and dashboard lines from it.
//
// All stages but the last run in parallel on the event. The last one also gets their answers.
type Stage struct {
	// Function is the function's name: up to 22 letters, digits, - and _. It ends the physical names, and is the folder
	// of the function's source.
	Function string `pulumi:"function"`

	// State is the name of the stage's state in the workflow, such as ValidateTrade.
	State string `pulumi:"state"`

	// Description says what the function does.
	Description string `pulumi:"description"`

	// Result is the member of the last stage's payload with this stage's answer, such as "validation". The last stage
	// has none.
	Result string `pulumi:"result,optional"`

	// TimeoutSeconds is the longest that one call may take: up to 900. Default: 10.
	TimeoutSeconds int `pulumi:"timeoutSeconds,optional"`

	// MemoryMB is the memory in MiB: 128 to 10240. Default: 256.
	MemoryMB int `pulumi:"memoryMB,optional"`

	// ReservedConcurrency is how many concurrent calls are reserved. Default: none.
	ReservedConcurrency int `pulumi:"reservedConcurrency,optional"`

	// Environment adds variables to those that every function gets: ENVIRONMENT, LOG_LEVEL and METRICS_NAMESPACE.
	Environment map[string]pulumi.StringInput `pulumi:"environment,optional"`

	// ReadsParameters lets the function read the pipeline's SSM parameters, whose path it gets as PARAMETER_PREFIX.
	ReadsParameters bool `pulumi:"readsParameters,optional"`

	// WritesTable lets the function put items into the table, and get the ones it meets. It gets its name as
	// TABLE_NAME.
	WritesTable bool `pulumi:"writesTable,optional"`

	// CallsAPI lets the function reach the pipeline's APIEndpointCIDRs from inside the network.
	CallsAPI bool `pulumi:"callsApi,optional"`

	// Metrics are the function's own metrics that the dashboard shows.
	Metrics []StageMetric `pulumi:"metrics,optional"`

	// Alarms watch the function's own metrics.
	Alarms []StageAlarm `pulumi:"alarms,optional"`
}

// StageMetric is one of a function's own metrics as a line on the dashboard. Its dimensions are Environment and
// Function.
type StageMetric struct {
	// Name is the metric's name.
	Name string `pulumi:"name"`

	// Label names the line.
	Label string `pulumi:"label"`

	// Graph is the dashboard's graph that shows it: outcomes, latency, errors or volume.
	Graph string `pulumi:"graph"`

	// Statistic is one of CloudWatch's, such as p99. Default: Sum.
	Statistic string `pulumi:"statistic,optional"`
}

// The graphs that show the functions' own metrics.
const (
	OutcomesGraph = "outcomes" // what becomes of trades
	LatencyGraph  = "latency"  // how late they are
	ErrorsGraph   = "errors"   // what fails
	VolumeGraph   = "volume"   // what is billed
)

// StageAlarm goes off when one of a function's own metrics breaches its threshold for a number of periods.
type StageAlarm struct {
	// Name ends the alarm's physical name, after the pipeline's prefix.
	Name string `pulumi:"name"`

	// Description says what happened and where to look.
	Description string `pulumi:"description"`

	// Metric is the metric's name.
	Metric string `pulumi:"metric"`

	// Statistic is Sum, Average, … or a percentile such as p99.
	Statistic string `pulumi:"statistic"`

	// PeriodSeconds is how long a period is.
	PeriodSeconds int `pulumi:"periodSeconds"`

	// Periods is how many periods in a row must breach the threshold.
	Periods int `pulumi:"periods"`

	// Threshold is what the metric is compared with.
	Threshold float64 `pulumi:"threshold"`

	// Comparison is CloudWatch's comparison operator, such as GreaterThanThreshold.
	Comparison string `pulumi:"comparison"`

	// Pages makes the alarm part of the composite alarm that wakes somebody.
	Pages bool `pulumi:"pages,optional"`
}

func (s StageAlarm) alarm(dimensions pulumi.StringMap, namespace string) alarm {
	return alarm{
		name: s.Name, description: s.Description, namespace: namespace, metric: s.Metric, dimensions: dimensions,
		statistic: s.Statistic, period: time.Duration(s.PeriodSeconds) * time.Second, periods: s.Periods,
		threshold: s.Threshold, comparison: comparison(s.Comparison), pages: s.Pages,
	}
}

// maxFunctionSuffix leaves room in a role's 64-character name for the longest prefix, a dash and the function's name.
const maxFunctionSuffix = 64 - maxPrefix - 1

func (args *TradePipelineArgs) checkStages(a *arguments) {
	if len(args.Stages) == 0 {
		a.problem("Stages", "is empty: nothing would record a trade")
	}
	functions, states, results := map[string]bool{}, map[string]bool{}, map[string]bool{"event": true, "executionArn": true}
	for i, stage := range args.Stages {
		field := fmt.Sprintf("Stages[%d]", i)
		a.name(field+".Function", stage.Function, nameRule{maxFunctionSuffix, words, wordCharacters})
		a.text(field+".State", stage.State)
		a.text(field+".Description", stage.Description)
		a.unique(field+".Function", stage.Function, functions)
		a.unique(field+".State", stage.State, states)
		switch last := i == len(args.Stages)-1; {
		case last && stage.Result != "":
			a.problem(field+".Result", "is %q, but the last stage has nobody to hand it to", stage.Result)
		case !last && stage.Result == "":
			a.problem(field+".Result", "is missing: the last stage would not get the answer of %s", stage.State)
		case !last:
			a.unique(field+".Result", stage.Result, results)
		}
		for j, metric := range stage.Metrics {
			if !slices.Contains([]string{OutcomesGraph, LatencyGraph, ErrorsGraph, VolumeGraph}, metric.Graph) {
				a.problem(fmt.Sprintf("%s.Metrics[%d].Graph", field, j), "%q is not a graph on the dashboard", metric.Graph)
			}
		}
		checkSize(a, field+".", stage.MemoryMB, stage.ReservedConcurrency)
	}
	if most := MaxRetries(args.WorkflowType, args.Stages); args.MaxRetries < 0 || args.MaxRetries > most {
		a.problem("MaxRetries", "is %d, but must be from 0 to %d: workflows of type %s have no time for more", args.MaxRetries, most, args.WorkflowType)
	}
}

// newFunctions creates the function of each stage.
func (args *TradePipelineArgs) newFunctions(ctx *pulumi.Context, p *TradePipeline, name string) error {
	outside, ways, err := args.newAPIGroup(ctx, p, name)
	if err != nil {
		return err
	}
	for _, stage := range args.Stages {
		function := &ContainerFunctionArgs{
			Scope:               args.Scope,
			FunctionName:        args.Prefix + "-" + stage.Function,
			RepositoryName:      pulumi.String(args.RepositoryPrefix + "/" + stage.Function),
			Description:         stage.Description,
			Image:               StageImage(args.Project, args.LambdaSources, stage.Function, args.ImageArguments),
			KeyARN:              args.KeyARN,
			AlarmTopicARN:       args.AlarmTopicARN,
			MemoryMB:            stage.MemoryMB,
			TimeoutSeconds:      stage.TimeoutSeconds,
			ReservedConcurrency: stage.ReservedConcurrency,
			Environment:         args.environment(stage, p),
			Permissions:         args.permissions(stage, p),
			LogRetentionDays:    args.LogRetentionDays,
			PermissionsBoundary: args.PermissionsBoundary,
			DeletionProtection:  args.DeletionProtection,
			ImageAfter:          args.ImageAfter,
		}
		if args.Network != nil {
			groups, after := pulumi.StringArray{args.Network.FunctionGroupID}, slices.Clone(args.Network.Reachable)
			if stage.CallsAPI {
				groups, after = append(groups, outside), append(after, ways...)
			}
			function.SubnetIDs = args.Network.SubnetIDs
			function.SecurityGroupIDs = groups
			function.LastingGroupIDs = pulumi.StringArray{args.Network.DefaultGroupID}
			function.After = after
		}
		made, err := NewContainerFunction(ctx, name+"-"+stage.Function, function, pulumi.Parent(p))
		if err != nil {
			return err
		}
		p.Functions = append(p.Functions, made)
	}
	return nil
}

// StageImage returns what the image of a stage's function is built from. sources is the folder of the functions'
// module, relative to the project; arguments are build arguments of its Dockerfile besides FUNCTION.
func StageImage(project, sources, function string, arguments map[string]string) ImageSource {
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

// environment returns what a stage's function reads when it starts. Each gets only what it reads, so a change publishes
// no other function.
func (args *TradePipelineArgs) environment(stage Stage, p *TradePipeline) pulumi.StringMap {
	environment := pulumi.StringMap{
		"ENVIRONMENT":       pulumi.String(args.Environment),
		"LOG_LEVEL":         pulumi.String(args.FunctionLogLevel),
		"METRICS_NAMESPACE": pulumi.String(args.MetricsNamespace),
	}
	if stage.ReadsParameters {
		environment["PARAMETER_PREFIX"] = pulumi.String(args.ParameterPrefix)
	}
	if stage.WritesTable {
		environment["TABLE_NAME"] = p.Table.Name
	}
	maps.Copy(environment, stage.Environment)
	return environment
}

// permissions returns what a stage's function may do beyond what every ContainerFunction may.
func (args *TradePipelineArgs) permissions(stage Stage, p *TradePipeline) []Permission {
	var permissions []Permission
	if stage.ReadsParameters {
		path := strings.Trim(args.ParameterPrefix, "/")
		permissions = append(permissions, Permission{
			Sid: "ReadParameters", Actions: []string{"ssm:GetParametersByPath"}, // all of them in one call
			Resources: []pulumi.StringInput{
				pulumi.String(args.Scope.ARN("ssm", "parameter/"+path)), pulumi.String(args.Scope.ARN("ssm", "parameter/"+path+"/*")),
			},
		})
		if args.hasSecrets() {
			permissions = append(permissions, unlock("ParameterKey", "ssm", args.Scope, args.KeyARN))
		}
	}
	if stage.WritesTable {
		permissions = append(append(permissions, p.Table.Writes...), p.Table.Reads...)
	}
	return permissions
}

// newAPIGroup creates the security group for the HTTP API, and its rules, if a stage calls one from inside a network.
func (args *TradePipelineArgs) newAPIGroup(ctx *pulumi.Context, p *TradePipeline, name string) (group pulumi.StringInput, ways []pulumi.Resource, err error) {
	var callers []string
	for _, stage := range args.Stages {
		if stage.CallsAPI {
			callers = append(callers, stage.Function)
		}
	}
	if len(callers) == 0 || args.Network == nil {
		return nil, nil, nil
	}
	description := strings.ToUpper(callers[0][:1]) + strings.Join(callers, ", ")[1:] + ": out to the API for market context, in from nowhere"
	made, err := newSecurityGroup(ctx, p, name+"-api", args.Network.VPCID, args.Prefix+"-api", description)
	if err != nil {
		return nil, nil, err
	}
	for i, cidr := range args.APIEndpointCIDRs {
		way, err := newEgress(ctx, p, fmt.Sprintf("%s-api-out-%d", name, i+1), allow{
			from: made.ID(), toRange: cidr, port: args.APIEndpointPort, description: "To the API for market context",
		})
		if err != nil {
			return nil, nil, err
		}
		ways = append(ways, way)
	}
	return made.ID(), ways, nil
}
