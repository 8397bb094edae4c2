package engine_test

import (
	"testing"
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
			"a VPC that is there", map[string]any{"vpcId": "vpc-0123456789abcdef0", "privateSubnetIds": []string{"subnet-1", "subnet-2"}},
			map[string]int{
				"delete aws:ec2/vpc:Vpc": 1, "delete aws:ec2/subnet:Subnet": 2, "replace aws:ec2/securityGroup:SecurityGroup": 3,
				"update aws:lambda/function:Function": 3,
			},
		}, {
			"another VPC that is there", map[string]any{"vpcId": "vpc-0123456789abcdef1", "privateSubnetIds": []string{"subnet-3", "subnet-4"}},
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
