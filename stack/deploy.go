package stack

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
)

// project begins the names of everything this program creates in an account, and is the namespace of its image
// repositories and parameters.
const project = "trade-processing"

// lambdaSources is the folder of the functions' Go module.
const lambdaSources = "lambdas"

// Deploy declares the stack. It is what `pulumi up` runs.
func Deploy(ctx *pulumi.Context) error { return DeployFrom("")(ctx) }

// DeployFrom declares the stack with the functions' sources in a different folder from the one the engine runs in.
func DeployFrom(folder string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		given, err := valuesOf(ctx)
		if err != nil {
			return err
		}
		if given.recipe, err = RecipeArguments(cmp.Or(folder, ctx.RootDirectory())); err != nil {
			return err
		}
		config, err := read(given)
		if err != nil {
			return err
		}
		d := &deployment{Config: config, folder: folder}
		for _, step := range []func(*pulumi.Context) error{
			d.makeProviders, d.lookAround, d.makeKey, d.makeTopic, d.makeAccountWide, d.makeNetwork, d.makePipeline, d.makeBackup, d.export,
		} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// deployment is a stack being declared: each step adds what the next ones need.
type deployment struct {
	Config
	folder string

	primary  *aws.Provider
	others   map[string]*aws.Provider // by replica region
	scope    components.Scope
	key      *components.EncryptionKey
	topic    *components.AlarmTopic
	registry *components.RegistryReplication // nil if another stack owns it
	network  *components.PrivateNetwork
	pipeline *components.TradePipeline
}

// prefix begins the physical names of the stack's resources.
func (c *Config) prefix() string { return project + "-" + c.Environment }

// makeProviders creates one AWS provider per region. All of them carry the stack's tags, so everything they create is
// tagged, in every region.
func (d *deployment) makeProviders(ctx *pulumi.Context) error {
	d.others = map[string]*aws.Provider{}
	for _, region := range append([]string{d.Region}, slices.Sorted(slices.Values(d.ReplicaRegions))...) {
		provider, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{
			Region:      pulumi.String(region),
			DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(d.Tags)},
		})
		if err != nil {
			return fmt.Errorf("creating the provider for %s: %w", region, err)
		}
		if d.primary == nil {
			d.primary = provider
		} else {
			d.others[region] = provider
		}
	}
	return nil
}

func (d *deployment) lookAround(ctx *pulumi.Context) (err error) {
	d.scope, err = components.LookupScope(ctx, pulumi.Provider(d.primary))
	return err
}

// replicas returns the replica regions in order.
func (d *deployment) replicas() []string { return slices.Sorted(maps.Keys(d.others)) }

func (d *deployment) makeKey(ctx *pulumi.Context) (err error) {
	logGroups := []string{
		components.FunctionLogGroup(d.prefix() + "-*"),
		components.WorkflowLogGroup(d.prefix() + "-*"),
		components.FlowLogGroup(d.prefix()),
	}
	if d.ManageInsightsLogGroup {
		logGroups = append(logGroups, components.InsightsLogGroup)
	}
	args := &components.EncryptionKeyArgs{
		Alias: d.prefix(),
		Grants: &components.KeyGrants{
			LogGroups: logGroups, WorkflowLogs: true, AlarmPrefix: d.prefix() + "-", Events: true,
		},
	}
	if !d.Pipeline.DeletionProtection {
		args.DeletionWindowDays = 7 // KMS's shortest
	}
	for _, region := range d.replicas() {
		args.Replicas = append(args.Replicas, components.KeyReplica{Region: region, Provider: d.others[region]})
	}
	d.key, err = components.NewEncryptionKey(ctx, "encryption", args, pulumi.Providers(d.primary), pulumi.Protect(d.Pipeline.DeletionProtection))
	return err
}

func (d *deployment) makeTopic(ctx *pulumi.Context) (err error) {
	args := &components.AlarmTopicArgs{
		TopicName:       pulumi.String(d.prefix() + "-alarms"),
		AlarmNamePrefix: d.prefix() + "-",
		KeyARN:          d.key.ARN,
	}
	if d.AlarmEmail != "" {
		args.Email = pulumi.String(d.AlarmEmail)
	}
	d.topic, err = components.NewAlarmTopic(ctx, "alarms", args, pulumi.Providers(d.primary))
	return err
}

// makeAccountWide creates what an account has only once per region, if this stack owns it.
func (d *deployment) makeAccountWide(ctx *pulumi.Context) (err error) {
	if d.ManageRegistryReplication {
		args := &components.RegistryReplicationArgs{
			RepositoryPrefix:    project,
			FunctionPrefix:      project + "-",
			RoleName:            pulumi.String(d.prefix() + "-image-copies"),
			Tags:                d.Tags,
			PermissionsBoundary: d.Pipeline.PermissionsBoundary,
		}
		for _, region := range d.replicas() {
			args.Destinations = append(args.Destinations, components.RegistryDestination{
				Region: region, Provider: d.others[region], KeyARN: d.key.ReplicaARNs[region],
			})
		}
		d.registry, err = components.NewRegistryReplication(ctx, "registry", args, pulumi.Providers(d.primary))
		if err != nil {
			return err
		}
	}
	if d.ManageInsightsLogGroup {
		_, err = cloudwatch.NewLogGroup(ctx, "insights", &cloudwatch.LogGroupArgs{
			Name:            pulumi.String(components.InsightsLogGroup),
			RetentionInDays: pulumi.Int(d.Pipeline.LogRetentionDays),
			KmsKeyId:        d.key.ARN,
		}, pulumi.Provider(d.primary))
		if err != nil {
			return fmt.Errorf("creating the log group of Lambda Insights: %w", err)
		}
	}
	return nil
}

func (d *deployment) makeNetwork(ctx *pulumi.Context) (err error) {
	d.network, err = components.NewPrivateNetwork(ctx, "network", &components.PrivateNetworkArgs{
		NetworkName:         d.prefix(),
		Adopted:             d.AdoptedNetwork,
		CIDR:                d.VPCCIDR,
		Endpoints:           d.VPCEndpoints,
		LogRetentionDays:    d.Pipeline.LogRetentionDays,
		KeyARN:              d.key.ARN,
		PermissionsBoundary: d.Pipeline.PermissionsBoundary,
	}, pulumi.Providers(d.primary))
	return err
}

func (d *deployment) makePipeline(ctx *pulumi.Context) (err error) {
	args := &d.Pipeline
	args.Project, args.Network = d.folder, d.network.ForFunctions()
	args.KeyARN, args.AlarmTopicARN = d.key.ARN, d.topic.ARN
	for _, region := range d.replicas() {
		args.Replicas = append(args.Replicas, components.TableReplica{
			Region: region, Provider: d.others[region], KeyARN: d.key.ReplicaARNs[region],
		})
	}
	if d.registry != nil {
		args.ImageAfter = []pulumi.Resource{d.registry.Configuration}
	}
	d.pipeline, err = components.NewTradePipeline(ctx, "pipeline", args, pulumi.Providers(d.primary))
	return err
}

func (d *deployment) makeBackup(ctx *pulumi.Context) error {
	if !d.Backup {
		return nil
	}
	_, err := components.NewBackupPlan(ctx, "backup", &components.BackupPlanArgs{
		PlanName:            d.prefix() + "-trades",
		RoleName:            pulumi.String(d.prefix() + "-backup"),
		KeyARN:              d.key.ARN,
		AlarmTopicARN:       d.topic.ARN,
		ResourceARN:         d.pipeline.Table.ARN,
		RetentionDays:       d.BackupRetentionDays,
		PermissionsBoundary: d.Pipeline.PermissionsBoundary,
		DeletionProtection:  d.Pipeline.DeletionProtection,
	}, pulumi.Providers(d.primary))
	return err
}
