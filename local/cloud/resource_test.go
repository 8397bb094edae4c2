package cloud_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"trade-processing/local/cloud"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func TestResourcesAreListedInTheOrderOfTheirCreation(t *testing.T) {
	c := cloud.New(cloud.Options{})
	names := []string{"b", "a", "c"}
	for _, name := range names {
		if _, err := checkAndCreate(c, here, cloud.QueueType, name, cloud.Properties{"name": name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Update(cloud.QueueType, here, "https://sqs.us-east-1.amazonaws.com/000000000000/b", cloud.Properties{"name": "b", "visibilityTimeoutSeconds": 1.0}); err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, r := range c.Resources() {
		listed = append(listed, r.Name)
	}
	if !slices.Equal(listed, names) {
		t.Errorf("got %v, want %v", listed, names)
	}
}

func TestDefaultTagsAreMergedAsTheProviderDoes(t *testing.T) {
	defaults := map[string]string{"Owner": "team", "Project": "orders"}
	for _, tc := range []struct {
		name    string
		typ     string
		inputs  cloud.Properties
		unknown []string
		want    any
	}{
		{"a resource without tags gets them", cloud.QueueType, cloud.Properties{"name": "q"}, nil, object{"Owner": "team", "Project": "orders"}},
		{"its own tags win", cloud.QueueType, cloud.Properties{"name": "q", "tags": object{"Owner": "me"}}, nil, object{"Owner": "me", "Project": "orders"}},
		{"what can't be tagged is left alone", untaggedType, cloud.Properties{"name": "d", "targetKeyId": "k"}, nil, nil},
		{"unknown tags are left to the update", cloud.QueueType, cloud.Properties{"name": "q"}, []string{"tags"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := maps.Clone(tc.inputs)
			checked, err := cloud.Check(tc.typ, "x", tc.inputs, tc.unknown, defaults)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(checked["tags"], tc.want) {
				t.Errorf("got %v, want %v", checked["tags"], tc.want)
			}
			if !reflect.DeepEqual(tc.inputs, before) {
				t.Errorf("the caller's inputs became %v", tc.inputs)
			}
		})
	}
}

// untaggedType is a type that takes no tags.
const untaggedType = "aws:kms/alias:Alias"

func TestAResourceIsReadWhereItIsAndNowhereElse(t *testing.T) {
	w := newWorld(t)
	table := w.resource(cloud.TableType, "orders")
	if r, found := w.Read(cloud.TableType, here, table.ID); !found || r != table {
		t.Errorf("got %v, %v", r, found)
	}
	for _, elsewhere := range []struct{ typ, region, id string }{
		{cloud.TableType, there, table.ID}, {cloud.TableType, here, "nobody"}, {cloud.QueueType, here, table.ID},
	} {
		if r, found := w.Read(elsewhere.typ, elsewhere.region, elsewhere.id); found {
			t.Errorf("%v is %v", elsewhere, r)
		}
	}
}

func TestDeletingWhatIsGoneIsNoError(t *testing.T) {
	w := newWorld(t)
	w.delete(cloud.RuleType, "orders")
	w.delete(cloud.RuleType, "orders")
	w.expect(`{"id": "1"}`, "not matched")
}

// The engine destroys in reverse order of creation; nothing is left afterwards.
func TestEverythingCanBeDestroyed(t *testing.T) {
	w := newWorld(t)
	w.expect(`{"id": "1"}`, "hello kept")
	all := w.Resources()
	slices.Reverse(all)
	for _, r := range all {
		if err := w.Delete(r.Type, r.Region, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	if left := w.Resources(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := w.Table(here, "orders"); err == nil {
		t.Error("the table lives on")
	}
	if _, err := w.Queue(here, "failures"); err == nil {
		t.Error("the queue lives on")
	}
	if depths := w.QueueDepths(here); len(depths) > 0 {
		t.Errorf("queues live on: %v", depths)
	}
	if got := w.putEntry(cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"id": "1"}`)}); got != "not matched" {
		t.Errorf("the bus lives on: %s", got)
	}
}

// A name is free again once its resource is gone, and starts afresh.
func TestAResourceThatIsReplacedBeginsAnew(t *testing.T) {
	w := newWorld(t)
	w.expect(`{"id": "1"}`, "hello kept")
	w.delete(cloud.ReplicaType, "orders")
	w.delete(cloud.TableType, "orders")
	w.expect(`{"id": "1"}`, "failed: ResourceNotFoundException, kept in failures as ResourceNotFoundException")
	w.create(cloud.TableType, "orders", tableInputs())
	w.expect(`{"id": "1"}`, "hello kept")
	if replicas := w.Replicas("orders"); len(replicas) > 0 {
		t.Errorf("the replica lives on: %v", replicas)
	}
}

// Every known kind answers what the engine asks.
func TestEveryKindIsComplete(t *testing.T) {
	types := cloud.Types
	if len(types) < 40 {
		t.Fatalf("%d types: %v", len(types), types)
	}
	for _, typ := range types {
		computed, err := cloud.Computed(typ)
		if err != nil {
			t.Error(err)
		}
		replaces, err := cloud.Replaces(typ)
		if err != nil {
			t.Error(err)
		}
		for _, name := range replaces {
			if slices.Contains(computed, name) {
				t.Errorf("%s: %s is an input that replaces and an output", typ, name)
			}
			// A property that the type doesn't have would be refused together with the unknown one.
			_, err := cloud.Check(typ, "x", cloud.Properties{name: "value", "noSuchProperty": 1.0}, nil, nil)
			if refusal, ok := errors.AsType[*cloud.ResourceError](err); !ok || !strings.HasSuffix(refusal.Reason, "the property noSuchProperty") {
				t.Errorf("%s: %s, whose change replaces it, is no property of it: %v", typ, name, err)
			}
		}
	}
	for _, ask := range []func(string) ([]string, error){cloud.Computed, cloud.Replaces} {
		if _, err := ask("aws:s3/bucket:Bucket"); err == nil {
			t.Error("a type that nobody knows was answered for")
		}
	}
}

func TestWhatAProgramAsksOfAWS(t *testing.T) {
	c := cloud.New(cloud.Options{})
	for _, tc := range []struct {
		token string
		args  cloud.Properties
		key   string
		want  any
	}{
		{"aws:index/getCallerIdentity:getCallerIdentity", nil, "accountId", cloud.Account},
		{"aws:index/getPartition:getPartition", nil, "partition", "aws"},
		{"aws:index/getRegion:getRegion", nil, "name", there},
		{"aws:index/getAvailabilityZones:getAvailabilityZones", nil, "names", []any{"eu-west-1a", "eu-west-1b", "eu-west-1c"}},
		{"aws:ecr/getAuthorizationToken:getAuthorizationToken", nil, "userName", "AWS"},
		{"aws:ec2/getSecurityGroup:getSecurityGroup", cloud.Properties{"name": "default", "vpcId": "vpc-1"}, "vpcId", "vpc-1"},
		{"aws:ec2/getManagedPrefixList:getManagedPrefixList", cloud.Properties{"name": "com.amazonaws.eu-west-1.dynamodb"}, "name", "com.amazonaws.eu-west-1.dynamodb"},
	} {
		answer, err := c.Invoke(tc.token, there, tc.args)
		if err != nil || !reflect.DeepEqual(answer[tc.key], tc.want) {
			t.Errorf("%s: %s is %v (%v), want %v", tc.token, tc.key, answer[tc.key], err, tc.want)
		}
	}
	if _, err := c.Invoke("aws:ec2/getManagedPrefixList:getManagedPrefixList", there, nil); err == nil || !contains(err.Error(), "name is empty") {
		t.Errorf("a prefix list without a name: %v", err)
	}
}
