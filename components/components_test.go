package components

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

// here is the scope of the tests; its account is that of the recorder's made-up ARNs.
var here = Scope{Partition: "aws", Account: declared.Account, Region: "us-east-1"}

// part lacks an account.
var part = Scope{Partition: "aws", Region: "us-east-1"}

const (
	keyARN   = pulumi.String("arn:aws:kms:us-east-1:111122223333:key/mrk-1")
	topicARN = pulumi.String("arn:aws:sns:us-east-1:111122223333:alarms")
)

// run declares what a test creates, and fails the test if that fails.
func run(t *testing.T, program pulumi.RunFunc) *declared.Stack {
	t.Helper()
	stack, err := declared.Declare(declared.Program{Run: program, Folder: sources(t)})
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// refusal returns the error of a program that must fail early.
func refusal(t *testing.T, program pulumi.RunFunc) string {
	t.Helper()
	stack, err := declared.Declare(declared.Program{Run: program, Folder: sources(t)})
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, r := range stack.Resources {
		if r.Custom && !strings.HasPrefix(r.Type, "pulumi:providers:") {
			t.Errorf("%s was declared before the arguments were checked", r.URN)
		}
	}
	return err.Error()
}

// sources returns a project with a folder "src" that a function's image can be built from.
func sources(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "src", "Dockerfile"), "FROM scratch\n")
	write(t, filepath.Join(folder, "src", "main.go"), "package main\n")
	return folder
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, stack *declared.Stack, typ, end string) *declared.Resource {
	t.Helper()
	r, err := stack.Find(typ, end)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func policy(t *testing.T, r *declared.Resource, property string) iam.Document {
	t.Helper()
	document, err := iam.Parse(r.Text(property))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// decide evaluates a document, and expects a decision.
func decide(t *testing.T, document iam.Document, request iam.Request, want iam.Decision) {
	t.Helper()
	got, err := document.Decide(request)
	if err != nil || got != want {
		t.Errorf("%s by %s with %v is %s (%v), want %s", request.Action, request.Principal, request.Context, got, err, want)
	}
}

func ireland(ctx *pulumi.Context) *aws.Provider {
	provider, err := aws.NewProvider(ctx, "eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
	if err != nil {
		return nil // the component says that it is missing
	}
	return provider
}

func TestEveryComponentNamesAllThatIsWrong(t *testing.T) {
	cases := map[string]struct {
		run  pulumi.RunFunc
		want []string
	}{
		"a queue": {
			func(ctx *pulumi.Context) error {
				_, err := NewMonitoredQueue(ctx, "q", &MonitoredQueueArgs{Scope: part, OldestMessageSeconds: int(queueRetention.Seconds()), Senders: []QueueSender{{}}})
				return err
			},
			[]string{"Scope", "QueueName", "Holds", "KeyARN", "AlarmTopicARN", "Senders[0].Service", "Senders[0].ResourceARN", "OldestMessageSeconds"},
		},
		"a topic": {
			func(ctx *pulumi.Context) error {
				_, err := NewAlarmTopic(ctx, "t", &AlarmTopicArgs{Scope: part})
				return err
			},
			[]string{"Scope", "TopicName", "AlarmNamePrefix", "KeyARN"},
		},
		"a key": {
			func(ctx *pulumi.Context) error {
				_, err := NewEncryptionKey(ctx, "k", &EncryptionKeyArgs{Scope: here, DeletionWindowDays: 5, Replicas: []KeyReplica{{Region: "us-east-1"}, {Region: "eu-west-1"}, {Region: "eu-west-1"}, {}}})
				return err
			},
			[]string{"Alias", "DeletionWindowDays", "Replicas[0].Region", "Replicas[2].Region", "Replicas[3].Region"},
		},
		"a repository": {
			func(ctx *pulumi.Context) error {
				_, err := NewImageRepository(ctx, "r", &ImageRepositoryArgs{Scope: part, RepositoryName: pulumi.String("Upper/Case"), KeptImages: 1})
				return err
			},
			[]string{"Scope", "RepositoryName", "FunctionName", "KeyARN", "KeptImages"},
		},
		"a function": {
			func(ctx *pulumi.Context) error {
				_, err := NewContainerFunction(ctx, "f", &ContainerFunctionArgs{
					Scope: part, MemoryMB: 64, TimeoutSeconds: -1, ReservedConcurrency: -1, LogRetentionDays: 2, SubnetIDs: pulumi.StringArray{},
					Permissions: []Permission{{}},
				})
				return err
			},
			[]string{
				"Scope", "FunctionName", "RepositoryName", "Description", "Image.Context", "Image.Dockerfile", "KeyARN", "AlarmTopicARN",
				"MemoryMB", "TimeoutSeconds", "ReservedConcurrency", "LogRetentionDays", "SubnetIDs", "Permissions[0].Sid", "Permissions[0].Actions",
				"Permissions[0].Resources",
			},
		},
		"a table": {
			func(ctx *pulumi.Context) error {
				_, err := NewGlobalTradeTable(ctx, "t", &GlobalTradeTableArgs{
					Scope: here, MaxWriteUnits: -1, MaxReadUnits: -1, ReplicationLatencySeconds: -1, Replicas: []TableReplica{{Region: "us-east-1"}},
					HashKey: &KeyAttribute{Type: "X"}, Indexes: []TableIndex{
						{Name: "a", HashKey: KeyAttribute{Name: "k"}, RangeKey: &KeyAttribute{"k", NumberKey}, Attributes: make([]string, 21)}, {Name: "a"},
					},
				})
				return err
			},
			[]string{
				"TableName", "KeyARN", "AlarmTopicARN", "MaxWriteUnits", "MaxReadUnits", "ReplicationLatencySeconds", "Replicas[0].Region",
				"Replicas[0].KeyARN", "HashKey.Name", "HashKey.Type", "Indexes[0].RangeKey.Type", "Indexes[0].RangeKey.Name",
				"Indexes[0].Attributes", "Indexes[1].Name", "Indexes[1].HashKey.Name",
			},
		},
		"a table with half a key": {
			func(ctx *pulumi.Context) error {
				_, err := NewGlobalTradeTable(ctx, "t", &GlobalTradeTableArgs{RangeKey: &KeyAttribute{Name: "at"}})
				return err
			},
			[]string{"HashKey"},
		},
		"a bus": {
			func(ctx *pulumi.Context) error {
				_, err := NewEventBus(ctx, "b", &EventBusArgs{Scope: part, ArchiveDays: -1})
				return err
			},
			[]string{"Scope", "BusName", "ArchiveName", "DeadLetterQueueName", "EventSources", "ArchiveDays", "KeyARN", "AlarmTopicARN"},
		},
		"a route": {
			func(ctx *pulumi.Context) error {
				_, err := NewSourceRoute(ctx, "r", &SourceRouteArgs{Scope: part})
				return err
			},
			[]string{"Scope", "RuleName", "EventSource", "Bus", "StateMachineARN", "KeyARN", "AlarmTopicARN"},
		},
		"a workflow": {
			func(ctx *pulumi.Context) error {
				_, err := NewWorkflow(ctx, "w", &WorkflowArgs{Scope: part, Type: "FAST", Logging: "SOME", LogRetentionDays: 2, TracePercent: 101})
				return err
			},
			[]string{"Scope", "WorkflowName", "Type", "Logging", "LogRetentionDays", "TracePercent", "KeyARN", "AlarmTopicARN", "Definition", "Functions"},
		},
		"a network": {
			func(ctx *pulumi.Context) error {
				_, err := NewPrivateNetwork(ctx, "n", &PrivateNetworkArgs{
					Scope: part, Adopted: &AdoptedNetwork{}, CIDR: "10.0.0.0/30", Endpoints: []string{"s3", "ssm", "ssm"}, LogRetentionDays: 2,
				})
				return err
			},
			[]string{"Scope", "NetworkName", "Adopted.VPCID", "Adopted.SubnetIDs", "CIDR", `Endpoints: "s3"`, `Endpoints: "ssm" is listed twice`, "LogRetentionDays", "KeyARN"},
		},
		"a dashboard": {
			func(ctx *pulumi.Context) error {
				_, err := NewDashboard(ctx, "d", &DashboardArgs{Scope: part, Questions: []Question{{Graphs: make([]Graph, 5)}}})
				return err
			},
			[]string{"Scope", "DashboardName", "Questions[0].Graphs"},
		},
		"a backup plan": {
			func(ctx *pulumi.Context) error {
				_, err := NewBackupPlan(ctx, "b", &BackupPlanArgs{Scope: part, RetentionDays: -1})
				return err
			},
			[]string{"Scope", "PlanName", "RoleName", "KeyARN", "ResourceARN", "RetentionDays"},
		},
		"a replication": {
			func(ctx *pulumi.Context) error {
				_, err := NewRegistryReplication(ctx, "r", &RegistryReplicationArgs{
					Scope: here, RepositoryPrefix: strings.Repeat("x", 31), Destinations: []RegistryDestination{{Region: "us-east-1"}},
				})
				return err
			},
			[]string{"RepositoryPrefix", "FunctionPrefix", "RoleName", "Destinations[0].Region", "Destinations[0].KeyARN"},
		},
		"a pipeline": {
			func(ctx *pulumi.Context) error {
				_, err := NewTradePipeline(ctx, "p", &TradePipelineArgs{
					Scope: part, Prefix: strings.Repeat("x", 42), Sources: []string{"a b", "c", "c"}, Network: &FunctionNetwork{}, ProducerAccounts: map[string][]string{"a b": {"1"}, "z": nil},
					Stages: []Stage{{CallsAPI: true}}, Parameters: []Parameter{{}}, APIEndpointPort: 70000, MaxRetries: -1, ArchiveDays: -1,
					FunctionLogLevel: "LOUD", WorkflowType: "FAST", WorkflowLogLevel: "SOME", TracePercent: -1, LogRetentionDays: 2, MaxWriteUnits: -1, MaxReadUnits: -1,
					SilenceAlarmMinutes: 1441, EventBusName: "a b",
				})
				return err
			},
			[]string{
				"Scope", "Prefix", "Environment", "LambdaSources", "ParameterPrefix", "Sources[0]", "Sources[2]", "EventSourcePrefix", "MetricsNamespace",
				"ProducerAccounts[a b][0]", "ProducerAccounts[z]", "Stages[0].Function", "Stages[0].State", "Stages[0].Description", "Parameters[0].Name", "Parameters[0].Value",
				"APIEndpointCIDRs", "APIEndpointPort", "MaxRetries", "ArchiveDays", "FunctionLogLevel", "WorkflowType", "WorkflowLogLevel", "TracePercent",
				"LogRetentionDays", "MaxWriteUnits", "MaxReadUnits", "SilenceAlarmMinutes", "EventBusName", "KeyARN", "AlarmTopicARN",
			},
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			text := refusal(t, test.run)
			for _, want := range test.want {
				if !strings.Contains(text, ": "+want) {
					t.Errorf("%s isn't named in\n%s", want, text)
				}
			}
		})
	}
}

// Two of a kind under one parent must not collide: a URN has the parent's type but not its name.
func TestEveryComponentCanBeMadeTwice(t *testing.T) {
	run(t, func(ctx *pulumi.Context) error {
		for _, name := range []string{"first", "second"} {
			queue, err := NewMonitoredQueue(ctx, name+"-queue", &MonitoredQueueArgs{Scope: here, QueueName: name, Holds: "x", KeyARN: keyARN, AlarmTopicARN: topicARN})
			if err != nil {
				return err
			}
			if _, err := NewAlarmTopic(ctx, name+"-topic", &AlarmTopicArgs{Scope: here, TopicName: pulumi.String(name), AlarmNamePrefix: name, KeyARN: keyARN, Email: pulumi.String("a@example.com")}); err != nil {
				return err
			}
			if _, err := NewEncryptionKey(ctx, name+"-key", &EncryptionKeyArgs{Scope: here, Alias: name}); err != nil {
				return err
			}
			table, err := NewGlobalTradeTable(ctx, name+"-table", &GlobalTradeTableArgs{Scope: here, TableName: name, KeyARN: keyARN, AlarmTopicARN: topicARN})
			if err != nil {
				return err
			}
			if _, err := NewBackupPlan(ctx, name+"-backup", &BackupPlanArgs{Scope: here, PlanName: name, RoleName: pulumi.String(name), KeyARN: keyARN, AlarmTopicARN: topicARN, ResourceARN: table.ARN}); err != nil {
				return err
			}
			bus, err := NewEventBus(ctx, name+"-bus", &EventBusArgs{
				Scope: here, BusName: name, ArchiveName: pulumi.String(name), DeadLetterQueueName: name + "-bus", EventSources: []string{"a"}, KeyARN: keyARN, AlarmTopicARN: topicARN,
			})
			if err != nil {
				return err
			}
			if _, err := NewSourceRoute(ctx, name+"-route", &SourceRouteArgs{
				Scope: here, RuleName: name, EventSource: "a", Bus: bus, StateMachineARN: keyARN, DeadLetters: queue, AlarmTopicARN: topicARN,
			}); err != nil {
				return err
			}
			if _, err := NewPrivateNetwork(ctx, name+"-network", &PrivateNetworkArgs{Scope: here, NetworkName: name, Endpoints: []string{"ssm"}, KeyARN: keyARN}); err != nil {
				return err
			}
			if _, err := newFunction(ctx, name, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// newFunction creates a function with the minimum it needs, plus what change adds.
func newFunction(ctx *pulumi.Context, name string, change func(*ContainerFunctionArgs)) (*ContainerFunction, error) {
	args := &ContainerFunctionArgs{
		Scope: here, FunctionName: name, RepositoryName: pulumi.String("images/" + name), Description: "Does something",
		Image:  ImageSource{Context: "src", Dockerfile: "src/Dockerfile", Args: map[string]string{"FUNCTION": name}},
		KeyARN: keyARN, AlarmTopicARN: topicARN,
	}
	if change != nil {
		change(args)
	}
	return NewContainerFunction(ctx, name, args)
}
