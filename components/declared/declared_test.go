package declared_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
)

// group is an otherwise empty component.
type group struct{ pulumi.ResourceState }

func newGroup(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*group, error) {
	g := &group{}
	return g, ctx.RegisterComponentResource("test:index:Group", name, g, opts...)
}

func TestWhatAProgramDeclaresIsRecorded(t *testing.T) {
	stack, err := declared.Declare(declared.Program{Run: func(ctx *pulumi.Context) error {
		ireland, err := aws.NewProvider(ctx, "eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		parent, err := newGroup(ctx, "group", pulumi.Providers(ireland))
		if err != nil {
			return err
		}
		first, err := sqs.NewQueue(ctx, "first", &sqs.QueueArgs{
			Name: pulumi.String("orders"), Policy: pulumi.ToSecret(pulumi.String("hidden")).(pulumi.StringOutput),
		}, pulumi.Parent(parent), pulumi.Protect(true), pulumi.IgnoreChanges([]string{"tags"}))
		if err != nil {
			return err
		}
		_, err = sqs.NewQueue(ctx, "second", &sqs.QueueArgs{
			Name: pulumi.String("returns"), Tags: pulumi.StringMap{"First": first.Arn},
		}, pulumi.DependsOn([]pulumi.Resource{first}))
		ctx.Export("url", first.Url)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stack.Find("aws:sqs/queue:Queue", "first")
	if err != nil {
		t.Fatal(err)
	}
	want := &declared.Resource{
		URN:  "urn:pulumi:test::trade-processing::test:index:Group$aws:sqs/queue:Queue::first",
		Type: "aws:sqs/queue:Queue", Name: "first", Parent: "urn:pulumi:test::trade-processing::test:index:Group::group", Custom: true,
		Inputs: map[string]any{"name": "orders", "policy": "hidden"}, Secrets: []string{"policy"},
		Provider: "eu-west-1", IgnoreChanges: []string{"tags"}, Protect: true,
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	second, err := stack.Find("aws:sqs/queue:Queue", "second")
	if err != nil {
		t.Fatal(err)
	}
	if second.Parent != stack.URN || second.Provider != "" || !cmp.Equal(second.DependsOn, []string{first.URN}) {
		t.Errorf("parent %q, provider %q, depends on %v", second.Parent, second.Provider, second.DependsOn)
	}
	if got, want := second.Text("tags.First"), "arn:aws:sqs:eu-west-1:111122223333:orders"; got != want {
		t.Errorf("the first queue's ARN reached the second as %q, want %q", got, want)
	}
	if got := stack.Outputs["url"]; got != "https://sqs.eu-west-1.amazonaws.com/111122223333/orders" {
		t.Errorf("the output is %v", got)
	}
}

// Pulumi's own mocks silently accept the second resource, and the stack would fail on its first real deployment.
func TestAURNThatIsDeclaredTwiceIsRefused(t *testing.T) {
	_, err := declared.Declare(declared.Program{Run: func(ctx *pulumi.Context) error {
		for _, parent := range []string{"a", "b"} {
			g, err := newGroup(ctx, parent)
			if err != nil {
				return err
			}
			// The URN has the parent's type but not its name.
			if _, err := sqs.NewQueue(ctx, "fixed", &sqs.QueueArgs{}, pulumi.Parent(g)); err != nil {
				return err
			}
		}
		return nil
	}})
	if err == nil || !strings.Contains(err.Error(), "fixed is declared twice") {
		t.Errorf("got %v", err)
	}
}

func TestFindingNothingOrTooMuchIsAnError(t *testing.T) {
	stack := &declared.Stack{Resources: []*declared.Resource{{Type: "a", Name: "one-x"}, {Type: "a", Name: "two-x"}}}
	for _, end := range []string{"x", "y"} {
		if found, err := stack.Find("a", end); err == nil {
			t.Errorf("%s: found %v", end, found)
		}
	}
	if found, err := stack.Find("a", "two-x"); err != nil || found.Name != "two-x" {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestPathsLeadIntoInputs(t *testing.T) {
	r := &declared.Resource{Inputs: map[string]any{"list": []any{map[string]any{"name": "first"}}, "number": 7.0}}
	for path, want := range map[string]any{
		"list.0.name": "first", "number": 7.0, "list.1.name": nil, "list.x": nil, "number.x": nil, "nothing": nil,
	} {
		if got := r.At(path); !cmp.Equal(got, want) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func TestWhatAProgramComputesReplacesWhatIsMadeUp(t *testing.T) {
	stack, err := declared.Declare(declared.Program{
		Run: func(ctx *pulumi.Context) error {
			queue, err := sqs.NewQueue(ctx, "orders", nil)
			if err != nil {
				return err
			}
			ctx.Export("id", queue.ID())
			ctx.Export("arn", queue.Arn)
			return nil
		},
		Computed: func(*declared.Resource) map[string]any { return map[string]any{"id": "an id", "arn": "an ARN"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"id": pulumi.ID("an id"), "arn": "an ARN"}, stack.Outputs); diff != "" {
		t.Error(diff)
	}
}
