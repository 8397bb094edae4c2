package cloud_test

import (
	"strings"
	"testing"

	"trade-processing/local/cloud"
)

// AWS doesn't let go of what others still use.
func TestWhatIsInUseIsNotDeleted(t *testing.T) {
	for name, test := range map[string]struct {
		typ    string
		inputs cloud.Properties
		by     string // the type of what uses it
		using  func(id string) cloud.Properties
		code   string
	}{
		"a function's security group": {
			"aws:ec2/securityGroup:SecurityGroup", cloud.Properties{"name": "g", "vpcId": "vpc-1"}, "aws:lambda/function:Function",
			func(id string) cloud.Properties {
				return cloud.Properties{
					"name": "f", "role": keeperRole, "packageType": "Image",
					"vpcConfig": object{"securityGroupIds": []any{"sg-1", id}, "subnetIds": []any{"subnet-1"}},
				}
			}, "DependencyViolation",
		},
		"an endpoint's subnet": {
			"aws:ec2/subnet:Subnet", cloud.Properties{"vpcId": "vpc-1"}, "aws:ec2/vpcEndpoint:VpcEndpoint",
			func(id string) cloud.Properties {
				return cloud.Properties{"vpcId": "vpc-1", "serviceName": "s", "subnetIds": []any{id}}
			}, "DependencyViolation",
		},
		"a VPC with a subnet": {
			"aws:ec2/vpc:Vpc", cloud.Properties{"cidrBlock": "10.0.0.0/16"}, "aws:ec2/subnet:Subnet",
			func(id string) cloud.Properties { return cloud.Properties{"vpcId": id} }, "DependencyViolation",
		},
		"a route table of a subnet": {
			"aws:ec2/routeTable:RouteTable", cloud.Properties{"vpcId": "vpc-1"}, "aws:ec2/routeTableAssociation:RouteTableAssociation",
			func(id string) cloud.Properties { return cloud.Properties{"routeTableId": id, "subnetId": "subnet-1"} }, "DependencyViolation",
		},
		"a group that a rule refers to": {
			"aws:ec2/securityGroup:SecurityGroup", cloud.Properties{"name": "g", "vpcId": "vpc-1"}, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
			func(id string) cloud.Properties {
				return cloud.Properties{"securityGroupId": "sg-1", "ipProtocol": "tcp", "referencedSecurityGroupId": id}
			}, "DependencyViolation",
		},
		"a role with a policy": {
			"aws:iam/role:Role", cloud.Properties{"name": "r", "assumeRolePolicy": "{}"}, "aws:iam/rolePolicy:RolePolicy",
			func(id string) cloud.Properties { return cloud.Properties{"role": id, "name": "p", "policy": "{}"} }, "DeleteConflict",
		},
		"a bus with a rule": {
			cloud.BusType, cloud.Properties{"name": "b"}, cloud.RuleType,
			func(id string) cloud.Properties {
				return cloud.Properties{"name": "r", "eventBusName": id, "eventPattern": `{"source": ["a"]}`}
			}, "ValidationException",
		},
		"a backup plan with a selection": {
			"aws:backup/plan:Plan", cloud.Properties{"name": "p", "rules": []any{}}, "aws:backup/selection:Selection",
			func(id string) cloud.Properties {
				return cloud.Properties{"planId": id, "name": "s", "iamRoleArn": "a"}
			}, "InvalidRequestException",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			used := w.create(test.typ, "used", test.inputs)
			inputs := test.using(used.ID)
			if test.by == cloud.FunctionType { // which needs an image
				inputs["imageUri"] = w.resource(cloud.ImageType, "keeper").Outputs["repoDigest"]
				inputs["environment"] = object{"variables": object{"GREETING": "hello"}}
				w.update(rolePolicyType, "keeper", cloud.Properties{"policy": document("", "ec2:*")})
			}
			user := w.create(test.by, "user", inputs)
			if err := w.Delete(test.typ, here, used.ID); err == nil || !strings.Contains(err.Error(), test.code) || !strings.Contains(err.Error(), user.ID) {
				t.Errorf("got %v, want %s and %s", err, test.code, user.ID)
			}
			if _, there := w.Read(test.typ, here, used.ID); !there {
				t.Error("it is gone all the same")
			}
			w.delete(test.by, "user")
			w.delete(test.typ, "used")
		})
	}
}

// What was pushed stays in the registry, whatever the stack forgets.
func TestARepositoryWithImagesIsOnlyDeletedByForce(t *testing.T) {
	for force, refused := range map[any]bool{nil: true, false: true, true: false} {
		w := newWorld(t)
		const typ = "aws:ecr/repository:Repository"
		repository := w.create(typ, "r", cloud.Properties{"name": "r", "forceDelete": force})
		image := imageInputs("1")
		image["imageName"] = repository.Outputs["repositoryUrl"].(string) + ":1"
		w.create(cloud.ImageType, "pushed", image)
		w.delete(cloud.ImageType, "pushed")
		err := w.Delete(typ, here, repository.ID)
		if refused != (err != nil && strings.Contains(err.Error(), "RepositoryNotEmptyException")) {
			t.Errorf("with forceDelete %v: %v", force, err)
		}
	}
}

// AWS takes along what can't be without what is deleted. A state machine that is made again under its name is without
// its aliases.
func TestWhatGoesAlong(t *testing.T) {
	w := newWorld(t)
	topic := w.create("aws:sns/topic:Topic", "t", cloud.Properties{"name": "t"})
	w.create("aws:sns/topicPolicy:TopicPolicy", "t", cloud.Properties{"arn": topic.ID, "policy": "{}"})
	w.create(cloud.QueuePolicyType, "failures", cloud.Properties{"queueUrl": w.url("failures"), "policy": "{}"})
	repository := w.create("aws:ecr/repository:Repository", "r", cloud.Properties{"name": "r"})
	w.create("aws:ecr/repositoryPolicy:RepositoryPolicy", "r", cloud.Properties{"repository": repository.ID, "policy": "{}"})
	group := w.create("aws:ec2/securityGroup:SecurityGroup", "g", cloud.Properties{"name": "g", "vpcId": "vpc-1"})
	w.create("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "g", cloud.Properties{"securityGroupId": group.ID, "ipProtocol": "tcp"})
	for _, pair := range [][3]string{
		{"aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy", "t"},
		{"aws:ecr/repository:Repository", "aws:ecr/repositoryPolicy:RepositoryPolicy", "r"},
		{"aws:ec2/securityGroup:SecurityGroup", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "g"},
		{cloud.QueueType, cloud.QueuePolicyType, "failures"},
		{cloud.MachineType, cloud.MachineAliasType, "orders"},
		{cloud.FunctionType, cloud.FunctionAliasType, "keeper"},
	} {
		along := w.resource(pair[1], pair[2])
		w.delete(pair[0], pair[2])
		if _, there := w.Read(along.Type, here, along.ID); there {
			t.Errorf("%s outlives %s", pair[1], pair[0])
		}
		w.delete(pair[1], pair[2]) // as the engine does, which doesn't know
	}
	w.create(cloud.MachineType, "orders", machineInputs(calling("x", "$.Payload")))
	if got := w.put(`{"id": "1"}`); !strings.HasPrefix(got, "failed: StateMachineDoesNotExist") {
		t.Errorf("an event for the alias: %s", got)
	}
}

// What AWS creates with a Put operation overwrites what is there. Deleting it afterwards deletes what was put.
func TestWhatIsPutTwice(t *testing.T) {
	w := newWorld(t)
	const typ = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	w.create(typ, "first", cloud.Properties{"repository": "r", "policy": "{}"})
	w.create(typ, "second", cloud.Properties{"repository": "r", "policy": `{"rules": []}`})
	if r, _ := w.Read(typ, here, "r"); r.Inputs["policy"] != `{"rules": []}` {
		t.Errorf("there is %v", r.Inputs)
	}
	if _, err := w.Create(cloud.TargetType, "orders", here, cloud.Properties{"rule": "orders", "eventBusName": "orders", "targetId": "workflow", "arn": "arn:none"}); err == nil {
		t.Error("a target that isn't there is put")
	}
	w.expect(`{"id": "1"}`, "hello kept") // by the target from before
	if _, there := w.Read(cloud.TargetType, here, w.resource(cloud.TargetType, "orders").ID); !there {
		t.Error("the target from before isn't on record")
	}
	w.delete(typ, "first")
	if _, there := w.Read(typ, here, "r"); there {
		t.Error("the second is still there")
	}
}
