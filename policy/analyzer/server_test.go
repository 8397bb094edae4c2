package analyzer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// packOf returns a pack with these policies.
func packOf(t *testing.T, policies ...policyx.Policy) policyx.PolicyPack {
	t.Helper()
	pack, err := policyx.NewPolicyPack("test", semver.MustParse("1.2.3"), policyx.EnforcementLevelAdvisory, policies)
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// validating returns a mandatory policy on resources.
func validating(name string, check func(policyx.ResourceValidationArgs) error) policyx.Policy {
	return policyx.NewResourceValidationPolicy(name, policyx.ResourceValidationPolicyArgs{
		Description: "Because.", EnforcementLevel: policyx.EnforcementLevelMandatory,
		ConfigSchema:     &policyx.ConfigSchema{Properties: map[string]map[string]any{"limit": {"type": "number", "default": 3.0}}},
		ValidateResource: func(_ context.Context, args policyx.ResourceValidationArgs) error { return check(args) },
	})
}

func mending(name string, mend func(policyx.ResourceRemediationArgs) (*property.Map, error)) policyx.Policy {
	return policyx.NewResourceRemediationPolicy(name, policyx.ResourceRemediationPolicyArgs{
		RemediateResource: func(_ context.Context, args policyx.ResourceRemediationArgs) (*property.Map, error) {
			return mend(args)
		},
	})
}

// onStacks is a policy on stacks.
type onStacks struct {
	policyx.Policy
	check func(StackArgs) error
}

func (p onStacks) ValidateStack(_ context.Context, args StackArgs) error { return p.check(args) }

func stackwide(name string, check func(StackArgs) error) policyx.Policy {
	return onStacks{validating(name, nil), check}
}

// queuesOnly is a policy on queues.
type queuesOnly struct {
	policyx.ResourceValidationPolicy
}

func (queuesOnly) Concerns(resourceType string) bool { return resourceType == "aws:sqs/queue:Queue" }

func onQueues(name string, check func(policyx.ResourceValidationArgs) error) policyx.Policy {
	policy, _ := validating(name, check).(policyx.ResourceValidationPolicy)
	return queuesOnly{policy}
}

const queueURN = "urn:pulumi:dev::shop::aws:sqs/queue:Queue::orders"

// request returns what the engine sends about a queue.
func request(t *testing.T) *pulumirpc.AnalyzeRequest {
	t.Helper()
	properties := resource.PropertyMap{
		"name": resource.NewProperty("orders"), "kmsMasterKeyId": resource.MakeComputed(resource.NewProperty("")),
		"token": resource.MakeSecret(resource.NewProperty("hidden")),
	}
	return &pulumirpc.AnalyzeRequest{
		Urn: queueURN, Type: "aws:sqs/queue:Queue", Name: "orders", Properties: marshalled(t, properties),
		Options:  &pulumirpc.AnalyzerResourceOptions{Protect: true, Parent: "urn:parent", IgnoreChanges: []string{"tags"}},
		Provider: &pulumirpc.AnalyzerProviderResource{Type: "pulumi:providers:aws", Name: "aws", Properties: marshalled(t, resource.PropertyMap{"region": resource.NewProperty("eu-west-1")})},
	}
}

func marshalled(t *testing.T, properties resource.PropertyMap) *structpb.Struct {
	t.Helper()
	sent, err := marshal(properties)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// configured gives a policy a level and options.
func configured(t *testing.T, server *Server, policy string, level pulumirpc.EnforcementLevel, options map[string]any) {
	t.Helper()
	properties, err := structpb.NewStruct(options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Configure(t.Context(), &pulumirpc.ConfigureAnalyzerRequest{PolicyConfig: map[string]*pulumirpc.PolicyConfig{
		policy: {EnforcementLevel: level, Properties: properties},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPolicyLearnsAllOfAResource(t *testing.T) {
	var seen policyx.ResourceValidationArgs
	server := New(packOf(t, validating("look", func(args policyx.ResourceValidationArgs) error { seen = args; return nil })))
	if _, err := server.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{DryRun: true, Tags: map[string]string{"team": "shop"}}); err != nil {
		t.Fatal(err)
	}
	configured(t, server, "look", pulumirpc.EnforcementLevel_ADVISORY, map[string]any{"limit": 7.0})
	if _, err := server.Analyze(t.Context(), request(t)); err != nil {
		t.Fatal(err)
	}
	r := seen.Resource
	if !r.Properties.Get("kmsMasterKeyId").IsComputed() || !r.Properties.Get("token").Secret() || r.Properties.Get("name").AsString() != "orders" {
		t.Errorf("%#v", r.Properties)
	}
	if r.Provider.Properties.Get("region").AsString() != "eu-west-1" || r.Provider.Name != "aws" {
		t.Errorf("%#v", r.Provider)
	}
	if !r.Options.Protect || r.Parent != "urn:parent" || !slices.Equal(r.Options.IgnoreChanges, []string{"tags"}) {
		t.Errorf("%#v of %s", r.Options, r.Parent)
	}
	if !seen.DryRun || seen.StackTags["team"] != "shop" || seen.Config["limit"] != 7.0 {
		t.Errorf("%v, %v, %v", seen.DryRun, seen.StackTags, seen.Config)
	}
}

func TestAStackPolicyLearnsAllOfAStack(t *testing.T) {
	var seen StackArgs
	server := New(packOf(t, stackwide("look", func(args StackArgs) error {
		seen = args
		args.Manager.ReportViolation("there are queues", queueURN)
		return nil
	})))
	configured(t, server, "look", pulumirpc.EnforcementLevel_MANDATORY, map[string]any{"limit": 7.0})
	response, err := server.AnalyzeStack(t.Context(), &pulumirpc.AnalyzeStackRequest{Resources: []*pulumirpc.AnalyzerResource{{
		Urn: queueURN, Type: "aws:sqs/queue:Queue", Name: "orders", Parent: "urn:parent", Dependencies: []string{"urn:key"},
		Properties:           marshalled(t, resource.PropertyMap{"arn": resource.NewProperty("a")}),
		PropertyDependencies: map[string]*pulumirpc.AnalyzerPropertyDependencies{"kmsMasterKeyId": {Urns: []string{"urn:key"}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Resources) != 1 || seen.Config["limit"] != 7.0 {
		t.Fatalf("%+v", seen)
	}
	r := seen.Resources[0]
	if r.Parent != "urn:parent" || !slices.Equal(r.Dependencies, []string{"urn:key"}) || !slices.Equal(r.PropertyDependencies["kmsMasterKeyId"], []string{"urn:key"}) {
		t.Errorf("%+v", r)
	}
	if len(response.GetDiagnostics()) != 1 || response.GetDiagnostics()[0].GetUrn() != queueURN || response.GetDiagnostics()[0].GetEnforcementLevel() != pulumirpc.EnforcementLevel_MANDATORY {
		t.Errorf("%v", response)
	}
}

func TestAViolationSaysWhereItIsFromAndHasTheConfiguredLevel(t *testing.T) {
	server := New(packOf(t, validating("never", func(args policyx.ResourceValidationArgs) error {
		args.Manager.ReportViolation("name is orders. Change it. [ours]", "")
		return nil
	})))
	for level, want := range map[pulumirpc.EnforcementLevel]int{
		pulumirpc.EnforcementLevel_ADVISORY: 1, pulumirpc.EnforcementLevel_MANDATORY: 1, pulumirpc.EnforcementLevel_DISABLED: 0,
	} {
		configured(t, server, "never", level, nil)
		response, err := server.Analyze(t.Context(), request(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(response.GetDiagnostics()) != want {
			t.Errorf("%s: %v", level, response)
		}
		for _, d := range response.GetDiagnostics() {
			if d.GetEnforcementLevel() != level || d.GetUrn() != queueURN || d.GetPolicyName() != "never" || d.GetPolicyPackName() != "test" ||
				d.GetPolicyPackVersion() != "1.2.3" || d.GetMessage() != "Because.\nname is orders. Change it. [ours]" {
				t.Errorf("%v", d)
			}
		}
	}
}

func TestAPolicyThatCantJudgeIsAnErrorThatNamesItAndTheResource(t *testing.T) {
	broken := errors.New("broken")
	for name, policy := range map[string]policyx.Policy{
		"a panic on a resource":    validating("bad", func(policyx.ResourceValidationArgs) error { panic("broken") }),
		"an error on a resource":   validating("bad", func(policyx.ResourceValidationArgs) error { return broken }),
		"a panic on a stack":       stackwide("bad", func(StackArgs) error { panic("broken") }),
		"an error on a stack":      stackwide("bad", func(StackArgs) error { return broken }),
		"a panic while mending":    mending("bad", func(policyx.ResourceRemediationArgs) (*property.Map, error) { panic("broken") }),
		"an error while mending":   mending("bad", func(policyx.ResourceRemediationArgs) (*property.Map, error) { return nil, broken }),
		"a policy of another kind": struct{ policyx.Policy }{validating("bad", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			server := New(packOf(t, policy))
			_, onResource := server.Analyze(t.Context(), request(t))
			_, onStack := server.AnalyzeStack(t.Context(), &pulumirpc.AnalyzeStackRequest{})
			_, onMending := server.Remediate(t.Context(), request(t))
			err := errors.Join(onResource, onStack, onMending)
			if err == nil || !strings.Contains(err.Error(), "policy bad") {
				t.Fatalf("%v", err)
			}
			if onStack == nil && !strings.Contains(err.Error(), queueURN) {
				t.Errorf("the resource isn't named: %v", err)
			}
		})
	}
}

func TestARemediationHasALevel(t *testing.T) {
	mended := property.NewMap(map[string]property.Value{"name": property.New("invoices"), "token": property.New("hidden").WithSecret(true)})
	server := New(packOf(t, mending("mend", func(policyx.ResourceRemediationArgs) (*property.Map, error) { return &mended, nil })))
	for level, want := range map[pulumirpc.EnforcementLevel]struct{ mends, reports int }{
		pulumirpc.EnforcementLevel_REMEDIATE: {1, 0}, pulumirpc.EnforcementLevel_MANDATORY: {0, 1}, pulumirpc.EnforcementLevel_ADVISORY: {0, 1}, pulumirpc.EnforcementLevel_DISABLED: {0, 0},
	} {
		configured(t, server, "mend", level, nil)
		remedies, err := server.Remediate(t.Context(), request(t))
		if err != nil {
			t.Fatal(err)
		}
		judged, err := server.Analyze(t.Context(), request(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(remedies.GetRemediations()) != want.mends || len(judged.GetDiagnostics()) != want.reports {
			t.Errorf("%s: %v, %v", level, remedies, judged)
		}
		for _, remedy := range remedies.GetRemediations() {
			read, err := unmarshal(remedy.GetProperties())
			if err != nil || !property.New(read).Equals(property.New(mended)) {
				t.Errorf("%#v instead of %#v: %v", read, mended, err)
			}
		}
	}
}

func TestRemediationsFollowEachOther(t *testing.T) {
	add := func(name string) policyx.Policy {
		return mending("add-"+name, func(args policyx.ResourceRemediationArgs) (*property.Map, error) {
			more := args.Resource.Properties.Set(name, property.New(float64(args.Resource.Properties.Len())))
			return &more, nil
		})
	}
	response, err := New(packOf(t, add("a"), add("b"))).Remediate(t.Context(), request(t))
	if err != nil || len(response.GetRemediations()) != 2 {
		t.Fatalf("%v, %v", response, err)
	}
	last, err := unmarshal(response.GetRemediations()[1].GetProperties())
	if err != nil || last.Get("a").AsNumber() != 3 || last.Get("b").AsNumber() != 4 {
		t.Errorf("%#v, %v", last, err)
	}
}

func TestAPolicyIsNotApplicableToWhatItDoesntJudge(t *testing.T) {
	asked := 0
	server := New(packOf(t, onQueues("queues", func(policyx.ResourceValidationArgs) error { asked++; return nil })))
	topic := request(t)
	topic.Type = "aws:sns/topic:Topic"
	for _, c := range []struct {
		given         *pulumirpc.AnalyzeRequest
		notApplicable int
		asked         int
	}{{topic, 1, 0}, {request(t), 0, 1}} {
		response, err := server.Analyze(t.Context(), c.given)
		if err != nil || len(response.GetNotApplicable()) != c.notApplicable || asked != c.asked {
			t.Errorf("%s: asked %d times: %v, %v", c.given.GetType(), asked, response, err)
		}
	}
}

func TestTheInfoIsThereBeforeAnyStack(t *testing.T) {
	server := New(packOf(t, validating("one", nil), stackwide("whole", nil)))
	info, err := server.GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := server.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || plugin.GetVersion() != "1.2.3" || info.GetVersion() != "1.2.3" || info.GetName() != "test" || !info.GetSupportsConfig() {
		t.Errorf("%v, %v, %v", plugin, info, err)
	}
	kinds := map[string]pulumirpc.PolicyType{}
	for _, policy := range info.GetPolicies() {
		kinds[policy.GetName()] = policy.GetPolicyType()
		if policy.GetEnforcementLevel() != pulumirpc.EnforcementLevel_MANDATORY || policy.GetDescription() != "Because." ||
			policy.GetConfigSchema().GetProperties().AsMap()["limit"] == nil {
			t.Errorf("%v", policy)
		}
	}
	want := map[string]pulumirpc.PolicyType{"one": pulumirpc.PolicyType_POLICY_TYPE_RESOURCE, "whole": pulumirpc.PolicyType_POLICY_TYPE_STACK}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestAConfigurationOfAnUnknownPolicyIsRefused(t *testing.T) {
	server := New(packOf(t, validating("one", nil)))
	_, err := server.Configure(t.Context(), &pulumirpc.ConfigureAnalyzerRequest{PolicyConfig: map[string]*pulumirpc.PolicyConfig{"all": {}, "two": {}, "one": {}}})
	if err == nil || !strings.Contains(err.Error(), "two: there is no such policy") || strings.Contains(err.Error(), "all:") {
		t.Errorf("%v", err)
	}
}

// engineOf returns a gRPC server that stands in for the engine.
func engineOf(t *testing.T) (address string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	go server.Serve(listener) //nolint:errcheck // returns when the test stops it
	t.Cleanup(server.Stop)
	return listener.Addr().String(), server.Stop
}

func TestTheServerLivesAsLongAsItsEngine(t *testing.T) {
	address, stop := engineOf(t)
	reader, writer := io.Pipe()
	over := make(chan error, 1)
	go func() {
		over <- serve(t.Context(), packOf(t, validating("one", nil)), []string{address}, writer, 10*time.Millisecond)
	}()
	port, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	info, err := pulumirpc.NewAnalyzerClient(connection).GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || info.GetVersion() != "1.2.3" {
		t.Fatalf("%v, %v", info, err)
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	stop()
	select {
	case err := <-over:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it goes on without an engine")
	}
}
