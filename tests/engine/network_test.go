package engine_test

import (
	"context"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"trade-processing/internal/engine"
	"trade-processing/local/provider"
)

// What functions, endpoints and rules use must go last: EC2 refuses to delete it, and Lambda's network interfaces hold
// on to it for up to 45 minutes.
func TestAnotherNetworkIsThereBeforeTheFormerOneGoes(t *testing.T) {
	d := newDesk(t, "dev")
	d.up()
	for _, step := range []struct {
		name   string
		config map[string]any
		done   map[string]int // at least this
	}{
		{
			"another address range", map[string]any{"vpcCidr": "10.43.0.0/24"},
			map[string]int{
				"replace aws:ec2/vpc:Vpc": 1, "replace aws:ec2/subnet:Subnet": 2, "replace aws:ec2/securityGroup:SecurityGroup": 2,
				"replace aws:ec2/vpcEndpoint:VpcEndpoint": 4, "update aws:lambda/function:Function": 3,
			},
		}, {
			"an API", map[string]any{"apiEndpoint": "https://api.example.com", "apiEndpointCidrs": []string{"203.0.113.0/24"}},
			map[string]int{"create aws:ec2/securityGroup:SecurityGroup": 1},
		}, {
			"a VPC that is there", map[string]any{"vpcId": "vpc-0123456789abcdef0", "privateSubnetIds": []string{"subnet-00000001", "subnet-00000002"}},
			map[string]int{
				"delete aws:ec2/vpc:Vpc": 1, "delete aws:ec2/subnet:Subnet": 2, "replace aws:ec2/securityGroup:SecurityGroup": 3,
				"update aws:lambda/function:Function": 3,
			},
		}, {
			"another VPC that is there", map[string]any{"vpcId": "vpc-0123456789abcdef1", "privateSubnetIds": []string{"subnet-00000003", "subnet-00000004"}},
			map[string]int{"replace aws:ec2/securityGroup:SecurityGroup": 3, "update aws:lambda/function:Function": 3},
		}, {
			"a VPC of its own again", map[string]any{"vpcId": "", "privateSubnetIds": []string{}},
			map[string]int{"create aws:ec2/vpc:Vpc": 1, "create aws:ec2/subnet:Subnet": 2, "replace aws:ec2/securityGroup:SecurityGroup": 3, "update aws:lambda/function:Function": 3},
		},
	} {
		t.Run(step.name, func(t *testing.T) {
			d.t = t
			d.reopen()
			d.set(step.config)
			d.reopen()
			done := d.up()
			keeps(t, done)
			got := changes(done)
			for change, count := range step.done {
				if got[change] != count {
					t.Errorf("%s: %d times, want %d", change, got[change], count)
				}
			}
			d.trades(step.name, "system1")
			if again := d.up(); len(again.Changed()) > 0 {
				t.Errorf("a second update did %s", again.Summary())
			}
		})
	}
	if _, err := d.stack.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
}

// Which zones AWS lists, and in which order, is up to AWS. Another zone would replace a subnet, whose range is taken.
func TestSubnetsStayInTheirZones(t *testing.T) {
	d := newDesk(t, "dev")
	zones := []string{"us-east-1a", "us-east-1b", "us-east-1c"}
	instance := provider.Of(d.cloud)["aws"]
	d.options.Providers = engine.InProcess(map[string]func() pulumirpc.ResourceProviderServer{
		"aws":    func() pulumirpc.ResourceProviderServer { return &zoned{instance(), &zones} },
		"docker": provider.Of(d.cloud)["docker"],
	})
	d.reopen()
	d.up()
	for _, listed := range [][]string{{"us-east-1c", "us-east-1b", "us-east-1a"}, {"us-east-1b", "us-east-1c"}} {
		zones = listed
		d.reopen()
		if done := d.up(); len(done.Changed()) > 0 {
			t.Errorf("with the zones %v it did %v", listed, resources(done))
		}
	}
}

// zoned is a provider that lists other availability zones.
type zoned struct {
	pulumirpc.ResourceProviderServer
	names *[]string
}

func (z *zoned) Invoke(ctx context.Context, request *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	answer, err := z.ResourceProviderServer.Invoke(ctx, request)
	if err == nil && request.GetTok() == "aws:index/getAvailabilityZones:getAvailabilityZones" {
		var names []any
		for _, name := range *z.names {
			names = append(names, name)
		}
		answer.Return.Fields["names"], err = structpb.NewValue(names)
	}
	return answer, err
}
