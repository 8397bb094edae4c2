package provider_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/local/cloud"
	"trade-processing/local/provider"
)

// custom is any custom resource, with the outputs that the tests read.
type custom struct {
	pulumi.CustomResourceState

	ARN pulumi.StringOutput `pulumi:"arn"`
}

// region is an explicit AWS provider.
type region struct{ pulumi.ProviderResourceState }

type component struct{ pulumi.ResourceState }

func queue(ctx *pulumi.Context, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) (*custom, error) {
	made := &custom{}
	return made, ctx.RegisterResource(queueType, name, inputs, made, opts...)
}

// run runs a program on a monitor over a new cloud.
func run(program pulumi.RunFunc) (*cloud.Cloud, *provider.Monitor, error) {
	c := cloud.New(cloud.Options{})
	m := provider.NewMonitor(c)
	return c, m, pulumi.RunErr(program, pulumi.WithMocks("orders", "test", m))
}

func TestAProgramIsDeployedWithoutTheEngine(t *testing.T) {
	c, m, err := run(func(ctx *pulumi.Context) error {
		ireland := &region{}
		if err := ctx.RegisterResource("pulumi:providers:aws", "ireland", pulumi.Map{
			"region":      pulumi.String("eu-west-1"),
			"defaultTags": pulumi.Map{"tags": pulumi.StringMap{"Owner": pulumi.String("team")}},
		}, ireland); err != nil {
			return err
		}
		parent := &component{}
		if err := ctx.RegisterComponentResource("orders:Queues", "queues", parent, pulumi.Providers(ireland)); err != nil {
			return err
		}
		dead, err := queue(ctx, "dead", pulumi.Map{"name": pulumi.String("dead"), "tags": pulumi.StringMap{"Stage": pulumi.String("1")}}, pulumi.Parent(parent))
		if err != nil {
			return err
		}
		live, err := queue(ctx, "live", pulumi.Map{"name": pulumi.String("live")}, pulumi.Parent(parent), pulumi.Protect(true))
		if err != nil {
			return err
		}
		policy := &custom{}
		return ctx.RegisterResource("aws:sqs/redrivePolicy:RedrivePolicy", "redrive", pulumi.Map{
			"queueUrl":      live.ID(),
			"redrivePolicy": pulumi.Sprintf(`{"deadLetterTargetArn": %q, "maxReceiveCount": 3}`, dead.ARN),
		}, policy, pulumi.Parent(parent))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dead", "live"} {
		if _, err := c.Queue("eu-west-1", name); err != nil {
			t.Error(err)
		}
	}
	for _, r := range c.Resources() {
		if r.Name == "dead" && !mapsEqual(r.Inputs["tags"], map[string]any{"Owner": "team", "Stage": "1"}) {
			t.Errorf("its tags are %v", r.Inputs["tags"])
		}
	}
	found := map[string]provider.Registration{}
	for _, r := range m.Registrations() {
		found[r.Name] = r
	}
	switch r := found["live"]; {
	case r.Region != "eu-west-1" || !r.Custom || !r.Protect || !strings.HasSuffix(r.Parent, "orders:Queues::queues"):
		t.Errorf("queue live is registered as %+v", r)
	case !r.Inputs["name"].DeepEquals(resource.NewProperty("live")):
		t.Errorf("its inputs are %v", r.Inputs)
	}
	if r := found["queues"]; r.Custom || r.Provider != "" {
		t.Errorf("the component is registered as %+v", r)
	}
}

func TestWhatTheMonitorRefuses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		program pulumi.RunFunc
		want    string
	}{
		{"an unknown type", func(ctx *pulumi.Context) error {
			return ctx.RegisterResource(bucketType, "b", pulumi.Map{}, &custom{})
		}, `aws:s3/bucket:Bucket "b": the local cloud does not know this resource type`},
		{"an unknown property", func(ctx *pulumi.Context) error {
			_, err := queue(ctx, "q", pulumi.Map{"name": pulumi.String("q"), "colour": pulumi.String("red")})
			return err
		}, "the property colour"},
		{"the same resource twice", func(ctx *pulumi.Context) error {
			_, first := queue(ctx, "q", pulumi.Map{"name": pulumi.String("q")})
			_, second := queue(ctx, "q", pulumi.Map{"name": pulumi.String("r")})
			return errors.Join(first, second)
		}, `aws:sqs/queue:Queue "q" is registered twice`},
		{"the same name in AWS twice", func(ctx *pulumi.Context) error {
			_, first := queue(ctx, "q", pulumi.Map{"name": pulumi.String("q")})
			_, second := queue(ctx, "r", pulumi.Map{"name": pulumi.String("q")})
			return errors.Join(first, second)
		}, "exists already"},
		{"an unknown function", func(ctx *pulumi.Context) error {
			return ctx.Invoke("aws:ec2/getAmi:getAmi", &struct{}{}, &struct{}{})
		}, "does not know this function"},
		{"default tags that are none", func(ctx *pulumi.Context) error {
			return ctx.RegisterResource("pulumi:providers:aws", "p", pulumi.Map{"defaultTags": pulumi.String("[")}, &region{})
		}, "provider p: defaultTags"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, _, err := run(tc.program); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
