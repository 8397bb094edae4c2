package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"trade-processing/components"
	"trade-processing/components/iam"
	"trade-processing/internal/engine"
	"trade-processing/internal/localrun"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
)

// asPackage is the environment variable that makes the test's binary the package's plugin.
const asPackage = "PACKAGE_TEST_AS_PACKAGE"

func TestMain(m *testing.M) {
	if os.Getenv(asPackage) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// startPackage starts the plugin as a process of its own and returns its port, which it prints first, as the engine
// expects.
func startPackage(t *testing.T) string {
	t.Helper()
	plugin := exec.Command(os.Args[0])
	plugin.Env, plugin.Stderr = append(os.Environ(), asPackage+"=1"), t.Output()
	output, err := plugin.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := plugin.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = plugin.Process.Kill() // it holds nothing that outlives it
		t.Logf("the plugin ended: %v", plugin.Wait())
	})
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(port)
}

// user is a program that uses the package, on the real engine over a local cloud.
type user struct {
	t     *testing.T
	cloud *cloud.Cloud
	stack *engine.Deployment
}

// newUser opens a stack of the program in us-east-1.
func newUser(t *testing.T, program pulumi.RunFunc) *user {
	t.Helper()
	u := &user{t: t, cloud: cloud.New(cloud.Options{Images: localrun.Images()})}
	project := t.TempDir()
	for name, text := range map[string]string{
		"Pulumi.yaml":     "name: user\nruntime: go\n",
		"Pulumi.dev.yaml": "config:\n  aws:region: us-east-1\n",
	} {
		if err := os.WriteFile(filepath.Join(project, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	providers := engine.InProcess(provider.Of(u.cloud))
	port := startPackage(t)
	providers[packageName] = func() (grpc.ClientConnInterface, error) {
		return grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	var err error
	u.stack, err = engine.Open(engine.Options{Root: project, Stack: "dev", Program: program, Providers: providers})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// one returns the resource of a type in a region.
func (u *user) one(typ, region string) *cloud.Resource {
	u.t.Helper()
	var found []*cloud.Resource
	for _, r := range u.cloud.Resources() {
		if r.Type == typ && r.Region == region {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		u.t.Fatalf("there are %d %s in %s, and one was expected", len(found), typ, region)
	}
	return found[0]
}

// remote is a component of the package as a program in Go sees it, with the outputs that the tests look at.
type remote struct {
	pulumi.ResourceState

	ARN                pulumi.StringOutput    `pulumi:"arn"`
	URL                pulumi.StringOutput    `pulumi:"url"`
	TableName          pulumi.StringOutput    `pulumi:"tableName"`
	DeadLetterQueueURL pulumi.StringOutput    `pulumi:"deadLetterQueueUrl"`
	DeadLetterURLs     pulumi.StringMapOutput `pulumi:"deadLetterQueueUrls"`

	VPCID           pulumi.StringOutput      `pulumi:"vpcId"`
	SubnetIDs       pulumi.StringArrayOutput `pulumi:"subnetIds"`
	FunctionGroupID pulumi.StringOutput      `pulumi:"functionGroupId"`
	DefaultGroupID  pulumi.StringOutput      `pulumi:"defaultGroupId"`
}

func construct(ctx *pulumi.Context, component, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) (*remote, error) {
	r := &remote{}
	return r, ctx.RegisterRemoteComponentResource(packageName+":components:"+component, name, inputs, r, opts...)
}

// surroundings returns what the components are given: a key and a topic, which have no ARN before the engine made them.
func surroundings(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (pulumi.Map, error) {
	policy, err := iam.New(
		iam.Statement{Effect: iam.Allow, Principal: iam.AWS("arn:aws:iam::" + cloud.Account + ":root"), Action: iam.Strings{"kms:*"}, Resource: iam.Strings{"*"}},
		iam.Statement{Effect: iam.Allow, Principal: iam.Service("logs.us-east-1.amazonaws.com", "delivery.logs.amazonaws.com", "events.amazonaws.com"), Action: iam.Strings{"kms:*"}, Resource: iam.Strings{"*"}},
	).JSON()
	if err != nil {
		return nil, err
	}
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{Description: pulumi.String(name), Policy: pulumi.String(policy)}, opts...)
	if err != nil {
		return nil, err
	}
	topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{Name: pulumi.String(name)}, opts...)
	if err != nil {
		return nil, err
	}
	return pulumi.Map{"keyArn": key.Arn, "alarmTopicArn": topic.Arn}, nil
}

func with(given pulumi.Map, more pulumi.Map) pulumi.Map {
	for name, value := range given {
		more[name] = value
	}
	return more
}

// stages returns the trades' own, as a program in another language lists them.
func stages() pulumi.Array {
	yes := pulumi.Bool(true)
	return pulumi.Array{
		pulumi.Map{
			"function": pulumi.String("validator"), "state": pulumi.String("ValidateTrade"), "result": pulumi.String("validation"),
			"description": pulumi.String("Says what is wrong with a trade"), "timeoutSeconds": pulumi.Int(5), "readsParameters": yes,
			"environment": pulumi.Map{"MAX_CLOCK_SKEW": pulumi.String("5m"), "SOURCES": pulumi.String("system1,system2")},
		},
		pulumi.Map{
			"function": pulumi.String("enricher"), "state": pulumi.String("EnrichTrade"), "result": pulumi.String("market"),
			"description": pulumi.String("Adds market context to a trade"), "readsParameters": yes,
		},
		pulumi.Map{
			"function": pulumi.String("recorder"), "state": pulumi.String("RecordTrade"), "description": pulumi.String("Writes a trade once"),
			"memoryMB": pulumi.Int(512), "writesTable": yes,
		},
	}
}

// parameters returns what the stages read, one of them a secret.
func parameters() pulumi.Array {
	parameter := func(name string, value pulumi.StringInput) pulumi.Map {
		return pulumi.Map{"name": pulumi.String(name), "value": value, "description": pulumi.String("Read by a stage"), "allowedPattern": pulumi.String(".+")}
	}
	return pulumi.Array{
		parameter("api-endpoint", pulumi.ToSecret(pulumi.String("none")).(pulumi.StringOutput)),
		parameter("processing-threshold", pulumi.String("1000")), parameter("max-retries", pulumi.String("2")),
	}
}

func TestEachComponentIsMadeByAnotherProcess(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	texts := func(all ...string) pulumi.StringArray { return pulumi.ToStringArray(all) }
	u := newUser(t, func(ctx *pulumi.Context) error {
		given, err := surroundings(ctx, "here")
		if err != nil {
			return err
		}
		queue, err := construct(ctx, "MonitoredQueue", "queue", with(given, pulumi.Map{
			"queueName": pulumi.String("orders"), "holds": pulumi.String("orders"), "oldestMessageSeconds": pulumi.Int(600),
			"senders": pulumi.Array{pulumi.Map{"service": pulumi.String("events.amazonaws.com"), "resourceArn": given["alarmTopicArn"]}},
		}))
		if err != nil {
			return err
		}
		table, err := construct(ctx, "GlobalTradeTable", "table", with(given, pulumi.Map{
			"tableName": pulumi.String("orders"),
			"replicas":  pulumi.Array{pulumi.Map{"region": pulumi.String("eu-west-1"), "keyArn": given["keyArn"]}},
		}))
		if err != nil {
			return err
		}
		function, err := construct(ctx, "ContainerFunction", "function", with(given, pulumi.Map{
			"functionName": pulumi.String("orders"), "repositoryName": pulumi.String("orders"), "description": pulumi.String("Records orders"),
			"image": pulumi.Map{
				"project": pulumi.String(root), "context": pulumi.String("lambdas"), "dockerfile": pulumi.String("lambdas/Dockerfile"), "program": pulumi.String("recorder/bootstrap"),
				"args": pulumi.Map{"FUNCTION": pulumi.String("recorder")},
			},
			"environment": pulumi.Map{"ENVIRONMENT": pulumi.String("dev"), "TABLE_NAME": pulumi.String("orders")},
			"permissions": pulumi.Array{pulumi.Map{"sid": pulumi.String("Write"), "actions": texts("dynamodb:PutItem"), "resources": pulumi.Array{table.ARN},
				"conditions": pulumi.Map{"StringEquals": pulumi.Map{"aws:ResourceTag/Kept": texts("yes")}},
			}},
		}))
		if err != nil {
			return err
		}
		network, err := construct(ctx, "PrivateNetwork", "network", pulumi.Map{
			"networkName": pulumi.String("whole"), "endpoints": texts("logs", "ssm"), "keyArn": given["keyArn"],
		})
		if err != nil {
			return err
		}
		whole, err := construct(ctx, "TradePipeline", "pipeline", with(given, pulumi.Map{
			"prefix": pulumi.String("whole"), "environment": pulumi.String("dev"), "repositoryPrefix": pulumi.String("whole/dev"),
			"parameterPrefix": pulumi.String("/whole/dev/"), "sources": texts("system1", "system2"), "eventSourcePrefix": pulumi.String("trading."),
			"project": pulumi.String(root), "lambdaSources": pulumi.String("lambdas"), "metricsNamespace": pulumi.String("Orders"),
			"maxRetries": pulumi.Int(2), "stages": stages(), "parameters": parameters(),
			"network":        pulumi.Map{"vpcId": network.VPCID, "subnetIds": network.SubnetIDs, "functionGroupId": network.FunctionGroupID, "defaultGroupId": network.DefaultGroupID},
			"imageArguments": pulumi.Map{"INSIGHTS": pulumi.String("without")},
		}))
		if err != nil {
			return err
		}
		ctx.Export("queue", queue.URL)
		ctx.Export("table", table.ARN)
		ctx.Export("function", function.DeadLetterQueueURL)
		ctx.Export("pipeline", whole.TableName)
		ctx.Export("letters", whole.DeadLetterURLs)
		return nil
	})
	previewed, err := u.stack.Preview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done, outputs, err := u.stack.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := previewed.Counts["create"], done.Counts["create"]; a != b || b < 150 {
		t.Errorf("the preview said %d, and %d were made", a, b)
	}
	for output, want := range map[string]string{
		"queue":    "https://sqs.us-east-1.amazonaws.com/" + cloud.Account + "/orders",
		"table":    "arn:aws:dynamodb:us-east-1:" + cloud.Account + ":table/orders",
		"function": "https://sqs.us-east-1.amazonaws.com/" + cloud.Account + "/orders-dead-letters",
		"pipeline": "whole-trades",
	} {
		if got := outputs[output].Value; got != want {
			t.Errorf("output %s is %v, want %s", output, got, want)
		}
	}
	if letters, _ := outputs["letters"].Value.(map[string]any); len(letters) != 3 || !strings.HasSuffix(fmt.Sprint(letters["recorder"]), "/whole-recorder-dead-letters") {
		t.Errorf("the dead letters' queues are %v", outputs["letters"].Value)
	}
	if replica := u.one("aws:dynamodb/tableReplica:TableReplica", "eu-west-1"); !strings.HasSuffix(fmt.Sprint(replica.Inputs["globalTableArn"]), ":table/orders") {
		t.Errorf("the replica is of %v", replica.Inputs["globalTableArn"])
	}

	inVPC := map[string]bool{} // by function
	for _, r := range u.cloud.Resources() {
		if r.Type == "aws:lambda/function:Function" {
			inVPC[fmt.Sprint(r.Inputs["name"])] = r.Inputs["vpcConfig"] != nil
		}
	}
	if want := map[string]bool{"orders": false, "whole-validator": true, "whole-enricher": true, "whole-recorder": true}; !maps.Equal(inVPC, want) {
		t.Errorf("in a VPC are %v, want %v", inVPC, want)
	}

	if !slices.ContainsFunc(u.cloud.Resources(), func(r *cloud.Resource) bool {
		policy := fmt.Sprint(r.Inputs["policy"])
		return r.Type == "aws:iam/rolePolicy:RolePolicy" && strings.Contains(policy, ":table/orders") && strings.Contains(policy, `{"StringEquals":{"aws:ResourceTag/Kept":`)
	}) {
		t.Error("no role may write to the table under the condition that was given")
	}

	// What the package made is alive: a trade comes through.
	receipt, err := u.cloud.PutEvent(t.Context(), "us-east-1", "whole", cloud.Entry{
		Source: "trading.system2", DetailType: "Trade Event",
		Detail: json.RawMessage(`{"tradeId": "t1", "amount": "1.50", "currency": "USD", "sourceSystem": "system2"}`),
	})
	if err != nil || len(receipt.Deliveries) != 1 {
		t.Fatalf("got %+v, %v", receipt, err)
	}
	var answer recorder.Response
	if err := json.Unmarshal(receipt.Deliveries[0].Output, &answer); err != nil || answer.Outcome != recorder.OutcomeRecorded || answer.Status != "RECORDED" {
		t.Errorf("the trade ended as %+v (%v)", receipt.Deliveries[0], err)
	}

	if again, _, err := u.stack.Up(t.Context()); err != nil || len(again.Changed()) > 0 {
		t.Errorf("a second deployment changes %d resources (%v)", len(again.Changed()), err)
	}
	if _, err := u.stack.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := u.cloud.Resources(); len(left) > 0 {
		t.Errorf("%d resources are left, the first %s %s", len(left), left[0].Type, left[0].Name)
	}
}

// A component asks the provider that it is given, and not the default one, for region and account.
func TestAComponentIsMadeInTheRegionOfItsProvider(t *testing.T) {
	u := newUser(t, func(ctx *pulumi.Context) error {
		ireland, err := aws.NewProvider(ctx, "ireland", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		given, err := surroundings(ctx, "there", pulumi.Provider(ireland))
		if err != nil {
			return err
		}
		_, err = construct(ctx, "MonitoredQueue", "queue", with(given, pulumi.Map{"queueName": pulumi.String("orders"), "holds": pulumi.String("orders")}), pulumi.Providers(ireland))
		return err
	})
	if _, _, err := u.stack.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	u.one("aws:sqs/queue:Queue", "eu-west-1")
	if policy := fmt.Sprint(u.one("aws:sqs/queuePolicy:QueuePolicy", "eu-west-1").Inputs["policy"]); !strings.Contains(policy, "arn:aws:sqs:eu-west-1:") {
		t.Errorf("the policy is %s", policy)
	}
}

func TestWhatIsWrongIsSaidByTheNameOfTheArgument(t *testing.T) {
	for name, test := range map[string]struct {
		component string
		inputs    pulumi.Map
		want      []string
	}{
		"an argument that AWS refuses": {"MonitoredQueue", pulumi.Map{"queueName": pulumi.String("no spaces"), "holds": pulumi.String("x")}, []string{`QueueName`, "no spaces"}},
		"arguments that are missing":   {"GlobalTradeTable", pulumi.Map{}, []string{"TableName: is missing", "KeyARN"}},
		"a component that there isn't": {"Nothing", pulumi.Map{}, []string{"trade-processing:components:Nothing", "not found"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, func(ctx *pulumi.Context) error {
				_, err := construct(ctx, test.component, "it", test.inputs)
				return err
			})
			_, _, err := u.stack.Up(t.Context())
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to say %q", err, want)
				}
			}
			if made := u.cloud.Resources(); len(made) > 0 {
				t.Errorf("it made %v", slices.Collect(func(yield func(string) bool) {
					for _, r := range made {
						if !yield(r.Type) {
							return
						}
					}
				}))
			}
		})
	}
}

// Before version 0.2.0, a component of the package stood around the one that it was named after. What a stack has of it
// in AWS is taken over.
func TestAStackOfTheFirstVersionKeepsItsResources(t *testing.T) {
	isNew := false
	u := newUser(t, func(ctx *pulumi.Context) error {
		given, err := surroundings(ctx, "here")
		if err != nil {
			return err
		}
		if isNew {
			_, err = construct(ctx, "GlobalTradeTable", "table", with(given, pulumi.Map{
				"tableName": pulumi.String("orders"), "replicas": pulumi.Array{pulumi.Map{"region": pulumi.String("eu-west-1"), "keyArn": given["keyArn"]}},
			}))
			return err
		}
		var around struct{ pulumi.ResourceState }
		if err := ctx.RegisterComponentResource(packageName+":index:GlobalTradeTable", "table", &around); err != nil {
			return err
		}
		ireland, err := aws.NewProvider(ctx, "table-eu-west-1-provider", &aws.ProviderArgs{
			Region: pulumi.String("eu-west-1"), DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{}},
		}, pulumi.Parent(&around))
		if err != nil {
			return err
		}
		key, topic := given["keyArn"].(pulumi.StringOutput), given["alarmTopicArn"].(pulumi.StringOutput)
		_, err = components.NewGlobalTradeTable(ctx, "table", &components.GlobalTradeTableArgs{
			TableName: "orders", KeyARN: key, AlarmTopicARN: topic, Replicas: []components.TableReplica{{Region: "eu-west-1", Provider: ireland, KeyARN: key}},
		}, pulumi.Parent(&around))
		return err
	})
	if _, _, err := u.stack.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	isNew = true
	done, _, err := u.stack.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range done.Changed() {
		if step.Custom && step.Type != "pulumi:providers:aws" {
			t.Errorf("%s %s", step.Op, step.URN)
		}
	}
	if done.Counts["same"] < 10 {
		t.Errorf("it did %s", done.Summary())
	}
}
