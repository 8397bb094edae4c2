package provider_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"trade-processing/local/cloud"
	"trade-processing/local/provider"
)

const (
	queueType  = "aws:sqs/queue:Queue"
	imageType  = "docker:index/image:Image"
	aliasType  = "aws:kms/alias:Alias"
	bucketType = "aws:s3/bucket:Bucket"
)

// instance is one provider instance as the engine sees it: its own connection, configured once.
type instance struct {
	pulumirpc.ResourceProviderClient
	t *testing.T
}

// serve starts the providers of a cloud.
func serve(t *testing.T, c *cloud.Cloud) *provider.Servers {
	t.Helper()
	servers, err := provider.Serve(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Close)
	return servers
}

// connect dials the provider of a package, as the engine does for each instance.
func connect(t *testing.T, servers *provider.Servers, pkg string, config resource.PropertyMap) instance {
	t.Helper()
	port := ""
	for _, attach := range strings.Split(servers.Attach(), ",") {
		if name, at, _ := strings.Cut(attach, ":"); name == pkg {
			port = at
		}
	}
	connection, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := connection.Close(); err != nil {
			t.Error(err)
		}
	})
	i := instance{pulumirpc.NewResourceProviderClient(connection), t}
	if _, err := i.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: i.marshal(config), AcceptSecrets: true}); err != nil {
		t.Fatal(err)
	}
	return i
}

func aws(t *testing.T, servers *provider.Servers, region string) instance {
	t.Helper()
	return connect(t, servers, "aws", resource.PropertyMap{
		"region":      resource.NewProperty(region),
		"defaultTags": resource.NewProperty(`{"tags": {"Owner": "team"}}`), // nested settings come as text
	})
}

var keep = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true}

func (i instance) marshal(properties resource.PropertyMap) *structpb.Struct {
	i.t.Helper()
	marshalled, err := plugin.MarshalProperties(properties, keep)
	if err != nil {
		i.t.Fatal(err)
	}
	return marshalled
}

func (i instance) read(properties *structpb.Struct) resource.PropertyMap {
	i.t.Helper()
	read, err := plugin.UnmarshalProperties(properties, keep)
	if err != nil {
		i.t.Fatal(err)
	}
	return read
}

func urn(typ, name string) string { return "urn:pulumi:test::orders::" + typ + "::" + name }

func (i instance) check(typ string, inputs resource.PropertyMap) (resource.PropertyMap, []string) {
	i.t.Helper()
	answer, err := i.Check(i.t.Context(), &pulumirpc.CheckRequest{Urn: urn(typ, "x"), Type: typ, Name: "x", News: i.marshal(inputs)})
	if err != nil {
		i.t.Fatal(err)
	}
	var failures []string
	for _, failure := range answer.Failures {
		failures = append(failures, failure.Reason)
	}
	return i.read(answer.Inputs), failures
}

func (i instance) create(typ string, inputs resource.PropertyMap, preview bool) (string, resource.PropertyMap) {
	i.t.Helper()
	answer, err := i.Create(i.t.Context(), &pulumirpc.CreateRequest{Urn: urn(typ, "x"), Type: typ, Name: "x", Properties: i.marshal(inputs), Preview: preview})
	if err != nil {
		i.t.Fatal(err)
	}
	return answer.Id, i.read(answer.Properties)
}

func (i instance) update(typ, id string, old, outputs, now resource.PropertyMap, preview bool) resource.PropertyMap {
	i.t.Helper()
	answer, err := i.Update(i.t.Context(), &pulumirpc.UpdateRequest{
		Id: id, Urn: urn(typ, "x"), Type: typ, Name: "x", OldInputs: i.marshal(old), Olds: i.marshal(outputs), News: i.marshal(now), Preview: preview,
	})
	if err != nil {
		i.t.Fatal(err)
	}
	return i.read(answer.Properties)
}

// object returns a property map of plain values.
func object(values map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMap(values)
}

// Two instances of a package serve two regions, and neither sees what the other created.
func TestEachInstanceHasItsRegion(t *testing.T) {
	c := cloud.New(cloud.Options{})
	servers := serve(t, c)
	virginia, ireland := aws(t, servers, "us-east-1"), aws(t, servers, "eu-west-1")
	inputs := object(map[string]any{"name": "orders"})
	id, outputs := virginia.create(queueType, inputs, false)
	if id != "https://sqs.us-east-1.amazonaws.com/000000000000/orders" || outputs["arn"].StringValue() != "arn:aws:sqs:us-east-1:000000000000:orders" {
		t.Errorf("%s: %v", id, outputs)
	}
	if id, _ := ireland.create(queueType, inputs, false); id != "https://sqs.eu-west-1.amazonaws.com/000000000000/orders" {
		t.Errorf("in Ireland it is %s", id)
	}
	for region, i := range map[string]instance{"us-east-1": virginia, "eu-west-1": ireland} {
		read, err := i.Read(t.Context(), &pulumirpc.ReadRequest{Id: id, Urn: urn(queueType, "x"), Type: queueType, Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if found := read.Id != ""; found != (region == "us-east-1") {
			t.Errorf("%s reads %v", region, read)
		}
	}
	answer, err := ireland.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getRegion:getRegion"})
	if err != nil || ireland.read(answer.Return)["name"].StringValue() != "eu-west-1" {
		t.Errorf("got %v, %v", answer, err)
	}
}

func TestCheckRefusesByNameAndTags(t *testing.T) {
	i := aws(t, serve(t, cloud.New(cloud.Options{})), "us-east-1")
	for _, tc := range []struct {
		name   string
		typ    string
		inputs map[string]any
		want   string
	}{
		{"an unknown type", bucketType, map[string]any{"bucket": "b"}, `aws:s3/bucket:Bucket "x": the local cloud does not know this resource type`},
		{"an unknown property", queueType, map[string]any{"name": "q", "colour": "red"}, `aws:sqs/queue:Queue "x": the local cloud does not know the property colour`},
		{"an unknown property of unknown value", queueType, map[string]any{"name": "q", "colour": resource.Computed{Element: resource.NewProperty("")}}, "the property colour"},
		{"an unknown property that is secret", queueType, map[string]any{"name": "q", "colour": resource.MakeSecret(resource.NewProperty("red"))}, "the property colour"},
		{"a missing one", queueType, map[string]any{}, "missing required property name"},
		{"a null is as good as missing", queueType, map[string]any{"name": nil}, "missing required property name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, failures := i.check(tc.typ, object(tc.inputs)); len(failures) != 1 || !strings.Contains(failures[0], tc.want) {
				t.Errorf("got %q, want %q", failures, tc.want)
			}
		})
	}
	checked, failures := i.check(queueType, object(map[string]any{"name": "q", "tags": map[string]any{"Stage": "1"}}))
	tags := checked["tags"].Mappable()
	if len(failures) > 0 || !mapsEqual(tags, map[string]any{"Owner": "team", "Stage": "1"}) {
		t.Errorf("got %v and the tags %v", failures, tags)
	}
	if checked, _ := i.check(aliasType, object(map[string]any{"name": "alias/a", "targetKeyId": "k"})); checked.HasValue("tags") {
		t.Errorf("what takes no tags got %v", checked["tags"])
	}
}

func mapsEqual(got, want any) bool {
	return resource.NewPropertyValue(got).DeepEquals(resource.NewPropertyValue(want))
}

func TestDiffTellsUpdateFromReplacement(t *testing.T) {
	i := aws(t, serve(t, cloud.New(cloud.Options{})), "us-east-1")
	old := map[string]any{"name": "orders", "delaySeconds": 1.0, "tags": map[string]any{"Owner": "team"}}
	for _, tc := range []struct {
		name     string
		now      map[string]any
		changes  []string
		replaces []string
	}{
		{"nothing", map[string]any{"name": "orders", "delaySeconds": 1.0, "tags": map[string]any{"Owner": "team"}}, nil, nil},
		{"an attribute", map[string]any{"name": "orders", "delaySeconds": 2.0, "tags": map[string]any{"Owner": "team"}}, []string{"delaySeconds"}, nil},
		{"an attribute that goes", map[string]any{"name": "orders", "tags": map[string]any{"Owner": "team"}}, []string{"delaySeconds"}, nil},
		{"a tag", map[string]any{"name": "orders", "delaySeconds": 1.0, "tags": map[string]any{"Owner": "me"}}, []string{"tags.Owner"}, nil},
		{"the name", map[string]any{"name": "trades", "delaySeconds": 1.0, "tags": map[string]any{"Owner": "team"}}, []string{"name"}, []string{"name"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inputs := i.marshal(object(old))
			diff, err := i.Diff(t.Context(), &pulumirpc.DiffRequest{
				Id: "x", Urn: urn(queueType, "x"), Type: queueType, Name: "x", OldInputs: inputs, Olds: inputs, News: i.marshal(object(tc.now)),
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(diff.Diffs, tc.changes) || !slices.Equal(diff.Replaces, tc.replaces) {
				t.Errorf("changes %v and replaces %v, want %v and %v", diff.Diffs, diff.Replaces, tc.changes, tc.replaces)
			}
			if some := diff.Changes == pulumirpc.DiffResponse_DIFF_SOME; some != (len(tc.changes) > 0) {
				t.Errorf("changes are %v", diff.Changes)
			}
		})
	}
}

// What the program names is deleted before it is replaced, whether or not the name changes; the rest is created first.
func TestDiffTellsTheOrderOfAReplacement(t *testing.T) {
	i := aws(t, serve(t, cloud.New(cloud.Options{})), "us-east-1")
	for _, tc := range []struct {
		name, typ string
		old, now  map[string]any
		first     bool
	}{
		{"another name", queueType, map[string]any{"name": "orders"}, map[string]any{"name": "trades"}, true},
		{"a name that stays", "aws:sfn/stateMachine:StateMachine", map[string]any{"name": "orders", "type": "STANDARD"}, map[string]any{"name": "orders", "type": "EXPRESS"}, true},
		{"a name that isn't known yet", queueType, map[string]any{"name": "orders"}, map[string]any{"name": resource.Computed{Element: resource.NewProperty("")}}, true},
		{"no name", "aws:ec2/subnet:Subnet", map[string]any{"vpcId": "vpc-1"}, map[string]any{"vpcId": "vpc-2"}, false},
		{"a policy's attachment", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", map[string]any{"role": "a", "policyArn": "p"}, map[string]any{"role": "b", "policyArn": "p"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inputs := i.marshal(object(tc.old))
			diff, err := i.Diff(t.Context(), &pulumirpc.DiffRequest{
				Id: "x", Urn: urn(tc.typ, "x"), Type: tc.typ, Name: "x", OldInputs: inputs, Olds: inputs, News: i.marshal(object(tc.now)),
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(diff.Replaces) == 0 || diff.DeleteBeforeReplace != tc.first {
				t.Errorf("it replaces %v, deleting first: %t", diff.Replaces, diff.DeleteBeforeReplace)
			}
		})
	}
}

// A preview changes nothing and says what it can't know.
func TestAPreviewOfACreation(t *testing.T) {
	c := cloud.New(cloud.Options{})
	i := aws(t, serve(t, c), "us-east-1")
	id, outputs := i.create(queueType, object(map[string]any{"name": "orders"}), true)
	if id != "" || outputs["name"].StringValue() != "orders" || !outputs["arn"].IsComputed() || !outputs["url"].IsComputed() {
		t.Errorf("%q: %v", id, outputs)
	}
	if made := c.Resources(); len(made) > 0 {
		t.Errorf("it made %v", made)
	}
}

// What an update renews is unknown in its preview; what stays is known.
func TestAPreviewOfAnUpdate(t *testing.T) {
	c := cloud.New(cloud.Options{})
	servers := serve(t, c)
	docker := connect(t, servers, "docker", resource.PropertyMap{})
	old := object(map[string]any{"imageName": "r/keeper:1", "build": map[string]any{"args": map[string]any{"FUNCTION": "keeper"}}})
	id, outputs := docker.create(imageType, old, false)

	pushed := docker.update(imageType, id, old, outputs, object(map[string]any{"imageName": "r/keeper:2", "build": map[string]any{}}), true)
	if !pushed["repoDigest"].IsComputed() || pushed["imageName"].StringValue() != "r/keeper:2" {
		t.Errorf("pushing anew: %v", pushed)
	}
	same := old.Copy()
	same["skipPush"] = resource.NewProperty(false)
	if kept := docker.update(imageType, id, old, outputs, same, true); !kept["repoDigest"].DeepEquals(outputs["repoDigest"]) {
		t.Errorf("pushing the same: %v", kept)
	}

	i := aws(t, servers, "us-east-1")
	queue := object(map[string]any{"name": "orders", "delaySeconds": 1.0})
	id, outputs = i.create(queueType, queue, false)
	changed := i.update(queueType, id, queue, outputs, object(map[string]any{"name": "orders"}), true)
	if !changed["arn"].DeepEquals(outputs["arn"]) || changed.HasValue("delaySeconds") {
		t.Errorf("a queue's attribute that goes: %v", changed)
	}
	if r, _ := c.Read(queueType, "us-east-1", id); r.Inputs["delaySeconds"] != 1.0 {
		t.Errorf("the preview changed the queue: %v", r.Inputs)
	}
}

func TestUpdatesAndDeletionsReachTheCloud(t *testing.T) {
	c := cloud.New(cloud.Options{})
	i := aws(t, serve(t, c), "us-east-1")
	old := object(map[string]any{"name": "orders"})
	id, outputs := i.create(queueType, old, false)
	now := object(map[string]any{"name": "orders", "messageRetentionSeconds": 600.0, "visibilityTimeoutSeconds": nil})
	if changed := i.update(queueType, id, old, outputs, now, false); changed["messageRetentionSeconds"].NumberValue() != 600 || !changed["arn"].DeepEquals(outputs["arn"]) {
		t.Errorf("got %v", changed)
	}
	living, err := c.Queue("us-east-1", "orders")
	if err != nil || living.Definition().Retention.Seconds() != 600 {
		t.Errorf("the queue is %+v, %v", living.Definition(), err)
	}
	for range 2 { // the second time it is gone
		if _, err := i.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: id, Urn: urn(queueType, "x"), Type: queueType, Name: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if left := c.Resources(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWhatTheCloudRefusesIsTheProvidersAnswer(t *testing.T) {
	i := aws(t, serve(t, cloud.New(cloud.Options{})), "us-east-1")
	create := func(typ string, inputs map[string]any) error {
		_, err := i.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(typ, "x"), Type: typ, Name: "x", Properties: i.marshal(object(inputs))})
		return err
	}
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"a creation", create(queueType, map[string]any{"name": "q", "messageRetentionSeconds": 1.0}), "retention"},
		{"an unknown type", create(bucketType, nil), "does not know this resource type"},
		{"an unknown function", func() error {
			_, err := i.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ec2/getAmi:getAmi"})
			return err
		}(), "does not know this function"},
		{"an update of what is gone", func() error {
			_, err := i.Update(context.Background(), &pulumirpc.UpdateRequest{Id: "gone", Urn: urn(queueType, "x"), Type: queueType, Name: "x", News: i.marshal(object(map[string]any{"name": "q"}))})
			return err
		}(), "refresh the stack"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, tc.err, tc.want)
		}
	}
}

func TestDefaultTagsThatAreNoTags(t *testing.T) {
	servers := serve(t, cloud.New(cloud.Options{}))
	i := aws(t, servers, "us-east-1")
	_, err := i.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: i.marshal(resource.PropertyMap{"defaultTags": resource.NewProperty("[")})})
	if err == nil || !strings.Contains(err.Error(), "configuring provider aws: defaultTags") {
		t.Errorf("got %v", err)
	}
}

// A changed region is a different provider, which replaces what it created.
func TestTheRegionOfAnInstanceReplacesIt(t *testing.T) {
	i := aws(t, serve(t, cloud.New(cloud.Options{})), "us-east-1")
	for now, replaces := range map[string]bool{"us-east-1": false, "eu-west-1": true} {
		old := i.marshal(object(map[string]any{"region": "us-east-1", "version": "6"}))
		diff, err := i.DiffConfig(t.Context(), &pulumirpc.DiffRequest{
			Urn: urn("pulumi:providers:aws", "x"), OldInputs: old, Olds: old, News: i.marshal(object(map[string]any{"region": now, "version": "7"})),
		})
		if err != nil || slices.Contains(diff.Replaces, "region") != replaces || diff.Changes != pulumirpc.DiffResponse_DIFF_SOME {
			t.Errorf("%s: got %v, %v", now, diff, err)
		}
	}
}
