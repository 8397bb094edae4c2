package packaged

import (
	"cmp"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/trade"
	"trade-processing/stack"
)

// TradePipelineArgs are the inputs of a packaged TradePipeline.
type TradePipelineArgs struct {
	Prefix              string             `pulumi:"prefix" doc:"Begins the physical names of everything: up to 41 characters."`
	Environment         string             `pulumi:"environment" doc:"What the functions call their stack in logs and metrics."`
	RepositoryPrefix    string             `pulumi:"repositoryPrefix" doc:"The namespace of the image repositories, such as trade-processing/dev."`
	ParameterPrefix     string             `pulumi:"parameterPrefix" doc:"The SSM path of the parameters, with a slash at both ends."`
	Sources             []string           `pulumi:"sources" doc:"The source systems. The source of their events is trading.<source system>."`
	Project             string             `pulumi:"project,optional" doc:"The folder that lambdaSources is relative to. Default: where the engine starts the package."`
	LambdaSources       string             `pulumi:"lambdaSources" doc:"The folder of the functions' Go module."`
	ProcessingThreshold string             `pulumi:"processingThreshold" doc:"The amount above which a trade is flagged for review."`
	KeyARN              pulumi.StringInput `pulumi:"keyArn" doc:"The customer-managed key of everything. Its policy must let the services use it."`
	AlarmTopicARN       pulumi.StringInput `pulumi:"alarmTopicArn" doc:"The SNS topic that the alarms notify."`
	EventBusName        string             `pulumi:"eventBusName,optional" doc:"The bus to make, or default for the account's own. Default: prefix."`
	ProducerAccounts    []string           `pulumi:"producerAccounts,optional" doc:"The other accounts that may send."`
	ArchiveDays         int                `pulumi:"archiveDays,optional" doc:"How long events are kept for replay. Default: for ever."`
	WorkflowType        string             `pulumi:"workflowType,optional" doc:"STANDARD or EXPRESS. Default: STANDARD."`
	WorkflowLogging     string             `pulumi:"workflowLogging,optional" doc:"ERROR or ALL. Default: ERROR."`
	MaxRetries          int                `pulumi:"maxRetries,optional" doc:"How often a call of a function is repeated after an error that can pass. Default: never."`
	Validator           FunctionSize       `pulumi:"validator,optional" doc:"The size of the validator."`
	Enricher            FunctionSize       `pulumi:"enricher,optional" doc:"The size of the enricher."`
	Recorder            FunctionSize       `pulumi:"recorder,optional" doc:"The size of the recorder."`
	AllowedCurrencies   []string           `pulumi:"allowedCurrencies,optional" doc:"Currencies beyond ISO 4217."`
	MaxClockSkewSeconds int                `pulumi:"maxClockSkewSeconds,optional" doc:"How far in the future an execution may be. Default: 300."`
	FunctionLogLevel    string             `pulumi:"functionLogLevel,optional" doc:"DEBUG, INFO, WARN or ERROR. Default: INFO."`
	ImageArguments      map[string]string  `pulumi:"imageArguments,optional" doc:"Arguments of the images' builds, such as INSIGHTS=without."`
	Network             *Network           `pulumi:"network,optional" doc:"Where the functions live. Default: outside of a VPC."`
	APIEndpoint         string             `pulumi:"apiEndpoint,optional" doc:"The URL of the HTTP API for market context."`
	APIRanges           []string           `pulumi:"apiRanges,optional" doc:"The address ranges behind apiEndpoint, which the enricher may reach from within the network."`
	APIPort             int                `pulumi:"apiPort,optional" doc:"The port of apiEndpoint. Default: 443."`
	Replicas            []TableReplica     `pulumi:"replicas,optional" doc:"The table in other regions."`
	RetentionYears      int                `pulumi:"retentionYears,optional" doc:"How long trades are kept. Default: for ever."`
	MaxWriteUnits       int                `pulumi:"maxWriteUnits,optional" doc:"What the table may write a second. Default: unbounded."`
	MaxReadUnits        int                `pulumi:"maxReadUnits,optional" doc:"What the table may read a second. Default: unbounded."`
	SilenceMinutes      int                `pulumi:"silenceMinutes,optional" doc:"How long each source may send nothing before an alarm goes off. Default: for ever."`
	RejectionPercent    int                `pulumi:"rejectionPercent,optional" doc:"The share of rejected trades that raises an alarm. Default: 5."`
	LogRetentionDays    int                `pulumi:"logRetentionDays,optional" doc:"One of CloudWatch's retentions. Default: 365."`
	PermissionsBoundary string             `pulumi:"permissionsBoundary,optional" doc:"The ARN of a policy that bounds the roles."`
	DeletionProtection  bool               `pulumi:"deletionProtection,optional" doc:"Keeps what holds trades from being deleted."`
}

// FunctionSize is what the functions of a pipeline differ in.
type FunctionSize struct {
	MemoryMB            int `pulumi:"memoryMB,optional" doc:"The memory in MiB: 128 to 10240. Default: 256."`
	ReservedConcurrency int `pulumi:"reservedConcurrency,optional" doc:"How many calls may run at a time. Default: unreserved."`
}

// Network is where the functions live: a VPC that is made for them, or one that is there already.
type Network struct {
	Endpoints                []string `pulumi:"endpoints" doc:"The AWS services that get an interface endpoint, such as logs and ssm."`
	CIDR                     string   `pulumi:"cidr,optional" doc:"The range of a VPC that is made. Default: 10.42.0.0/24."`
	VPCID                    string   `pulumi:"vpcId,optional" doc:"A VPC that is there already. Default: one is made."`
	SubnetIDs                []string `pulumi:"subnetIds,optional" doc:"Its private subnets, in two zones or more."`
	RouteTableIDs            []string `pulumi:"routeTableIds,optional" doc:"The route tables of these subnets, unless it has gateway endpoints for DynamoDB and S3."`
	EndpointSecurityGroupIDs []string `pulumi:"endpointSecurityGroupIds,optional" doc:"The groups of interface endpoints that it has already."`
}

// TradePipeline is the packaged component.
type TradePipeline struct {
	pulumi.ResourceState

	EventBusName         pulumi.StringOutput    `pulumi:"eventBusName" doc:"The bus that takes the events."`
	TableName            pulumi.StringOutput    `pulumi:"tableName" doc:"The table of the trades."`
	StateMachineARN      pulumi.StringOutput    `pulumi:"stateMachineArn" doc:"The workflow."`
	StateMachineAliasARN pulumi.StringOutput    `pulumi:"stateMachineAliasArn" doc:"What the rules start."`
	DeadLetterQueueURLs  pulumi.StringMapOutput `pulumi:"deadLetterQueueUrls" doc:"The queues of what the functions failed on, by function."`
}

func (p *TradePipeline) build(ctx *pulumi.Context, name string, scope components.Scope, args *TradePipelineArgs) error {
	replicas, err := replicasOf(ctx, p, name, args.Replicas)
	if err != nil {
		return err
	}
	network, err := args.network(ctx, p, name, scope)
	if err != nil {
		return err
	}
	config := stack.Config{
		AllowedCurrencies: args.AllowedCurrencies, MaxClockSkew: time.Duration(cmp.Or(args.MaxClockSkewSeconds, 300)) * time.Second,
		RetentionYears: args.RetentionYears, RejectionAlarmPercent: cmp.Or(args.RejectionPercent, 5),
		APIEndpoint: args.APIEndpoint, ProcessingThreshold: args.ProcessingThreshold,
		Pipeline: components.TradePipelineArgs{
			Scope: scope, Prefix: args.Prefix, Environment: args.Environment, EventSourcePrefix: trade.SourcePrefix,
			MetricsNamespace: function.MetricsNamespace, Expires: args.RetentionYears > 0,
			RepositoryPrefix: args.RepositoryPrefix, ParameterPrefix: args.ParameterPrefix, Sources: args.Sources,
			EventBusName: args.EventBusName, ProducerAccounts: args.ProducerAccounts, ArchiveDays: args.ArchiveDays,
			WorkflowType: components.WorkflowType(args.WorkflowType), WorkflowLogLevel: components.LogLevel(args.WorkflowLogging),
			MaxRetries: args.MaxRetries, LambdaSources: args.LambdaSources, Project: args.Project,
			FunctionLogLevel: args.FunctionLogLevel, ImageArguments: args.ImageArguments, Network: network,
			APIEndpointCIDRs: args.APIRanges, APIEndpointPort: args.APIPort, Replicas: replicas,
			MaxWriteUnits: args.MaxWriteUnits, MaxReadUnits: args.MaxReadUnits, SilenceAlarmMinutes: args.SilenceMinutes,
			KeyARN: args.KeyARN, AlarmTopicARN: args.AlarmTopicARN, LogRetentionDays: args.LogRetentionDays,
			PermissionsBoundary: optional(args.PermissionsBoundary), DeletionProtection: args.DeletionProtection,
		},
	}
	config.Pipeline.Stages, config.Pipeline.Parameters = config.Stages(), config.Parameters()
	pipeline, err := components.NewTradePipeline(ctx, name, &config.Pipeline, pulumi.Parent(p))
	if err != nil {
		return err
	}
	p.EventBusName, p.TableName = pipeline.Bus.Name, pipeline.Table.Name
	p.StateMachineARN, p.StateMachineAliasARN = pipeline.Workflow.ARN, pipeline.Workflow.AliasARN
	urls := pulumi.StringMap{}
	for i, made := range pipeline.Functions {
		urls[config.Pipeline.Stages[i].Function] = made.DeadLetters.URL
	}
	p.DeadLetterQueueURLs = urls.ToStringMapOutput()
	return nil
}

// network makes the network, where there is to be one.
func (args *TradePipelineArgs) network(ctx *pulumi.Context, parent pulumi.Resource, name string, scope components.Scope) (*components.FunctionNetwork, error) {
	if args.Network == nil {
		return nil, nil // functions outside of a VPC
	}
	given := &components.PrivateNetworkArgs{
		Scope: scope, NetworkName: args.Prefix, CIDR: args.Network.CIDR, Endpoints: args.Network.Endpoints,
		LogRetentionDays: args.LogRetentionDays, KeyARN: args.KeyARN, PermissionsBoundary: optional(args.PermissionsBoundary),
	}
	if args.Network.VPCID != "" {
		given.Adopted = &components.AdoptedNetwork{
			VPCID: pulumi.String(args.Network.VPCID), SubnetIDs: pulumi.ToStringArray(args.Network.SubnetIDs),
			EndpointSecurityGroupIDs: pulumi.ToStringArray(args.Network.EndpointSecurityGroupIDs),
		}
	}
	if tables := args.Network.RouteTableIDs; given.Adopted != nil && len(tables) > 0 {
		given.Adopted.RouteTableIDs = pulumi.ToStringArray(tables)
	}
	made, err := components.NewPrivateNetwork(ctx, name+"-network", given, pulumi.Parent(parent))
	if err != nil {
		return nil, err
	}
	return made.ForFunctions(), nil
}
