package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"gopkg.in/yaml.v3"

	"trade-processing/internal/engine"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
)

// adopted is a network that somebody else made.
var adopted = map[string]any{
	"vpcId": "vpc-0a0a0a0a", "privateSubnetIds": []string{"subnet-0a0a0a0a", "subnet-0b0b0b0b"}, "privateRouteTableIds": []string{"rtb-0a0a0a0a"},
}

// changed is one config key's other value, on a stack deployed with some settings.
type changed struct {
	key   string
	value any
	with  map[string]any // what must change along with it
	from  map[string]any // the settings before
	gap   string         // why trades can't be recorded for part of the update, only kept; empty: they can all the time
	loses string         // why they can't even be kept
	// protected says that production refuses it, because it would delete what is protected.
	protected bool
}

// changedKeys has every config key. AWS's region isn't one: a stack in another region is another stack.
var changedKeys = []changed{
	{key: "environment", value: "other", loses: "it is another pipeline: every name changes, the queues' too", protected: true},
	{key: "tags", value: map[string]string{"Project": "trade-processing", "Environment": "local", "Owner": "others", "CostCenter": "none"}},
	{key: "replicaRegions", value: []string{"eu-central-1"}, protected: true},
	{key: "deletionProtection", value: nil},
	{key: "sources", value: []string{"system1", "system4", "system3"}},
	{key: "allowedCurrencies", value: []string{"XYZ"}},
	{key: "maxClockSkew", value: "1h"},
	{key: "processingThreshold", value: "2500000"},
	{key: "retentionYears", value: 7},
	{key: "eventBusName", value: "other", loses: "its producers must move to the other bus", protected: true},
	{key: "producerAccounts", value: map[string][]string{"system1": {"444455556666"}}},
	{key: "archiveDays", value: 30},
	{key: "workflowType", value: "EXPRESS", with: map[string]any{"maxRetries": 1}, gap: "a state machine can't have two types, nor two machines one name"},
	{key: "workflowLogLevel", value: nil},
	{key: "tracePercent", value: 50},
	{key: "functionLogLevel", value: "WARN"},
	{key: "maxRetries", value: 2},
	{key: "apiEndpoint", value: "https://api.example.com/v1", with: map[string]any{"apiEndpointCidrs": []string{"203.0.113.0/24"}}},
	{key: "apiEndpointCidrs", value: []string{"198.51.100.0/24"}, from: map[string]any{"apiEndpoint": "https://api.example.com/v1", "apiEndpointCidrs": []string{"203.0.113.0/24"}}},
	{key: "validatorMemory", value: 1024},
	{key: "validatorReservedConcurrency", value: 50},
	{key: "enricherMemory", value: 1024},
	{key: "enricherReservedConcurrency", value: 50},
	{key: "recorderMemory", value: 1024},
	{key: "recorderReservedConcurrency", value: 50},
	{key: "imageArguments", value: map[string]string{"RELEASE": "2"}},
	{key: "maxWriteUnits", value: 4000},
	{key: "maxReadUnits", value: 4000},
	{key: "backup", value: nil, protected: true},
	{key: "backupRetentionDays", value: 90, from: map[string]any{"backup": true}},
	{key: "vpcId", value: adopted["vpcId"], with: adopted},
	{key: "privateSubnetIds", value: []string{"subnet-0c0c0c0c", "subnet-0d0d0d0d"}, from: adopted},
	{key: "privateRouteTableIds", value: []string{"rtb-0b0b0b0b"}, from: adopted},
	{key: "endpointSecurityGroupIds", value: []string{"sg-0b0b0b0b"}, from: adopted},
	{key: "vpcEndpoints", value: []string{"logs", "ssm", "sts"}},
	{key: "vpcCidr", value: "10.43.0.0/24"},
	{key: "alarmEmail", value: "others@example.com"},
	{key: "rejectionAlarmPercent", value: 10},
	{key: "silenceAlarmMinutes", value: 60},
	{key: "logRetentionDays", value: 30},
	{key: "permissionsBoundary", value: "arn:aws:iam::000000000000:policy/boundary"},
	{key: "manageRegistryReplication", value: nil},
	{key: "manageInsightsLogGroup", value: nil},
}

// opposite are the values that dev and prod don't have, where they differ.
var opposite = map[string]map[string]any{
	"dev":  {"deletionProtection": true, "workflowLogLevel": "ERROR", "backup": true, "manageRegistryReplication": true, "manageInsightsLogGroup": true},
	"prod": {"deletionProtection": false, "workflowLogLevel": "ALL", "backup": false, "manageRegistryReplication": false, "manageInsightsLogGroup": false},
}

// Whatever key changes on a deployed stack, AWS takes the update in the order of the engine, trades are recorded all
// the while, unless the key has a reason, and the state is then what is there.
func TestAChangeOfAnyConfigKey(t *testing.T) {
	text, err := os.ReadFile(root + "/Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var project struct{ Config map[string]any }
	if err := yaml.Unmarshal(text, &project); err != nil {
		t.Fatal(err)
	}
	for _, change := range changedKeys {
		delete(project.Config, change.key)
	}
	if len(project.Config) > 0 {
		t.Errorf("no other value of %v", slices.Sorted(maps.Keys(project.Config)))
	}
	for _, stack := range []string{"dev", "prod"} {
		deployed := map[string]*desk{} // by the settings before
		for _, change := range changedKeys {
			before := fmt.Sprint(change.from)
			if deployed[before] == nil {
				d := newDesk(t, stack)
				boundary := cloud.Properties{"name": "boundary", "policy": `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`}
				if _, err := d.cloud.Create("aws:iam/policy:Policy", "boundary", "us-east-1", boundary); err != nil {
					t.Fatal(err)
				}
				d.set(change.from)
				d.up()
				deployed[before] = d
			}
			if change.value == nil {
				change.value = opposite[stack][change.key]
			}
			t.Run(stack+" "+change.key, func(t *testing.T) {
				t.Parallel() // much of it is waiting for replicas
				deployed[before].copy(t).change(stack == "prod", change)
			})
		}
	}
}

// copy opens a desk on a copy of the stack and of its cloud.
func (d *desk) copy(t *testing.T) *desk {
	t.Helper()
	var saved bytes.Buffer
	if err := d.cloud.Save(t.Context(), &saved); err != nil {
		t.Fatal(err)
	}
	same := openDesk(t, engine.Options{Stack: d.options.Stack, State: d.stack.Export()})
	if err := same.cloud.Load(bytes.NewReader(saved.Bytes()), int64(saved.Len())); err != nil {
		t.Fatal(err)
	}
	maps.Copy(same.options.Settings, d.options.Settings)
	same.outputs = d.outputs
	return same
}

// change makes a change and looks on.
func (d *desk) change(protected bool, change changed) {
	t := d.t
	t.Helper()
	d.set(change.with)
	d.set(map[string]any{change.key: change.value})
	seen := &watch{desk: d, sources: []string{"system1", "system3"}, lossy: change.loses != ""}
	d.options.Providers = engine.InProcess(seen.over(provider.Of(d.cloud)))
	d.reopen()
	if protected && change.protected {
		if _, err := d.stack.Preview(t.Context()); err == nil || !strings.Contains(err.Error(), "protect") {
			t.Errorf("it isn't refused: %v", err)
		}
		return
	}
	plan, outputs, err := d.stack.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.outputs = outputs
	if len(plan.Changed()) == 0 {
		t.Error("nothing changed")
	}
	for _, outcome := range []struct {
		name, why string
		after     []string
	}{{"kept", change.gap, seen.kept}, {"lost", change.loses, seen.lost}} {
		switch {
		case len(outcome.after) > 0 && outcome.why == "" && !seen.lossy:
			t.Errorf("trades were %s after %d of %d steps, first: %s", outcome.name, len(outcome.after), seen.steps, outcome.after[0])
		case len(outcome.after) == 0 && outcome.why != "":
			t.Errorf("no trade was %s, although %s", outcome.name, outcome.why)
		}
	}
	seen.order()
	if plan := d.refresh(); len(plan.Changed()) > 0 {
		t.Errorf("a refresh found %v", resources(plan))
	}
	if plan := d.up(); len(plan.Changed()) > 0 {
		t.Errorf("another update did %v", resources(plan))
	}
	d.trades(change.key, "system1", "system3")
}

// watch looks on while the engine works: after each step it sends a trade from each source, and it remembers who
// referred to what was deleted.
type watch struct {
	desk    *desk
	sources []string
	lossy   bool // a loss is expected, and the first is enough: others only take time

	mu         sync.Mutex // one step at a time
	steps      int
	kept, lost []string // after which steps a trade wasn't recorded, but in a dead-letter queue or nowhere
	deletions  []deletion
}

type deletion struct {
	gone     *cloud.Resource
	referred []*cloud.Resource
}

// over returns the providers with the watch in front of them.
func (w *watch) over(all map[string]func() pulumirpc.ResourceProviderServer) map[string]func() pulumirpc.ResourceProviderServer {
	over := map[string]func() pulumirpc.ResourceProviderServer{}
	for pkg, made := range all {
		over[pkg] = func() pulumirpc.ResourceProviderServer { return &watched{made(), w} }
	}
	return over
}

type watched struct {
	pulumirpc.ResourceProviderServer
	by *watch
}

func (w *watched) Create(ctx context.Context, in *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	defer w.by.step(ctx, "create", in.Urn)()
	return w.ResourceProviderServer.Create(ctx, in)
}

func (w *watched) Update(ctx context.Context, in *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	defer w.by.step(ctx, "update", in.Urn)()
	return w.ResourceProviderServer.Update(ctx, in)
}

func (w *watched) Delete(ctx context.Context, in *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	defer w.by.step(ctx, "delete", in.Urn)()
	return w.ResourceProviderServer.Delete(ctx, in)
}

// step begins a step, and returns what ends it.
func (w *watch) step(ctx context.Context, operation, urn string) func() {
	w.mu.Lock()
	before := w.desk.cloud.Resources()
	return func() {
		defer w.mu.Unlock()
		w.steps++
		after := w.desk.cloud.Resources()
		for _, r := range before {
			if !slices.ContainsFunc(after, func(other *cloud.Resource) bool { return same(r, other) }) {
				referring := slices.DeleteFunc(slices.Clone(after), func(other *cloud.Resource) bool { return !refers(other, r) })
				w.deletions = append(w.deletions, deletion{r, referring})
			}
		}
		if w.lossy && len(w.lost) > 0 {
			return
		}
		for _, source := range w.sources {
			problem, kept := w.send(ctx, source)
			step := fmt.Sprintf("%s %s: %s", operation, urn, problem)
			switch {
			case kept:
				w.kept = append(w.kept, step)
			case problem != "":
				w.lost = append(w.lost, step)
			}
		}
	}
}

func same(a, b *cloud.Resource) bool { return a.Type == b.Type && a.Region == b.Region && a.ID == b.ID }

// refers reports whether a resource has the id of another of its region, or an ARN that begins with the other's. What
// the program itself chose, such as a name, isn't taken for a reference.
func refers(from, to *cloud.Resource) bool {
	arn, _ := to.Outputs["arn"].(string)
	return has(from.Inputs, func(text string) bool {
		byID := text == to.ID && from.Region == to.Region
		byARN := arn != "" && (text == arn || strings.HasPrefix(text, arn+":"))
		return (byID || byARN) && !has(to.Inputs, func(chosen string) bool { return chosen == text })
	})
}

// has reports whether a text within properties is wanted.
func has(properties cloud.Properties, wanted func(string) bool) bool {
	var within func(any) bool
	within = func(value any) bool {
		switch value := value.(type) {
		case map[string]any:
			return slices.ContainsFunc(slices.Collect(maps.Values(value)), within)
		case []any:
			return slices.ContainsFunc(value, within)
		case string:
			return wanted(value)
		}
		return false
	}
	return within(map[string]any(properties))
}

// send sends a trade to each bus that is there. If none records it, it says why, and whether a dead-letter queue kept
// it.
func (w *watch) send(ctx context.Context, source string) (problem string, kept bool) {
	ctx, stop := context.WithTimeout(ctx, time.Second) // which a retry takes longer than
	defer stop()
	problem = "there is no bus"
	for _, r := range w.desk.cloud.Resources() {
		if r.Type != "aws:cloudwatch/eventBus:EventBus" {
			continue
		}
		receipt, err := w.desk.cloud.PutEvent(ctx, r.Region, r.ID, cloud.Entry{
			Source: "trading." + source, DetailType: "Trade Event",
			Detail: fmt.Appendf(nil, `{"tradeId": "%s-%d", "amount": "1", "currency": "USD", "sourceSystem": "%s"}`, source, w.steps, source),
		})
		switch {
		case err != nil:
			problem = err.Error()
		case len(receipt.Deliveries) != 1:
			problem = fmt.Sprintf("%d rules match", len(receipt.Deliveries))
		case receipt.Deliveries[0].Failure != nil:
			problem, kept = receipt.Deliveries[0].Failure.Error(), kept || len(receipt.Deliveries[0].DeadLetters) > 0
		default:
			var answer recorder.Response
			if err := json.Unmarshal(receipt.Deliveries[0].Output, &answer); err == nil && answer.Outcome != "" {
				return "", false
			}
			problem = string(receipt.Deliveries[0].Output)
		}
	}
	return problem, kept
}

// order expects that nothing was deleted that something still referred to which lives on. What is deleted under its own
// name, and made again, is another matter: then the trades tell.
func (w *watch) order() {
	left := w.desk.cloud.Resources()
	for _, d := range w.deletions {
		if slices.ContainsFunc(left, func(r *cloud.Resource) bool { return same(r, d.gone) }) {
			continue
		}
		for _, other := range d.referred {
			if slices.ContainsFunc(left, func(r *cloud.Resource) bool { return same(r, other) }) {
				w.desk.t.Errorf("%s %s went while %s %s referred to it", d.gone.Type, d.gone.Name, other.Type, other.Name)
			}
		}
	}
}
