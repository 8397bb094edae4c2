package policy_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/policy/pack"
)

// queueWithoutKey is a program that breaks sqs-customer-key, and declares something afterwards.
func queueWithoutKey(ctx *pulumi.Context) error {
	tags := pulumi.Map{"Project": pulumi.String("p"), "Environment": pulumi.String("e"), "Owner": pulumi.String("o"), "CostCenter": pulumi.String("c")}
	provider := &provided{}
	if err := declareProvider(ctx, "pulumi:providers:aws", "aws", pulumi.Map{"region": pulumi.String("us-east-1")}, provider); err != nil {
		return err
	}
	return ctx.RegisterResource("aws:sqs/queue:Queue", "orders", pulumi.Map{
		"name": pulumi.String("orders"), "tags": tags, "redrivePolicy": pulumi.String(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead"}`),
		"policy": pulumi.String(`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`),
	}, &made{}, pulumi.Provider(provider))
}

const ordersURN = "urn:pulumi:dev::cases::aws:sqs/queue:Queue::orders"

func TestAMandatoryRuleStopsTheUpdate(t *testing.T) {
	d := open(t, program{run: queueWithoutKey, stack: "dev"})
	for when, v := range map[string]verdict{"preview": d.preview(), "update": d.up()} {
		if v.err == nil {
			t.Errorf("%s: it went through", when)
		}
		if said := v.messages("sqs-customer-key", ordersURN); len(v.Violations) != 1 || len(said) != 1 || !strings.HasPrefix(said[0], "kmsMasterKeyId has no key.") {
			t.Errorf("%s: %v", when, v.Violations)
		}
		for _, violation := range v.Violations {
			if violation.Level != "mandatory" || violation.Pack != pack.Name || violation.Version != pack.Version {
				t.Errorf("%s: %+v", when, violation)
			}
		}
	}
	if state := string(d.stack.Export()); strings.Contains(state, "aws:sqs/queue:Queue") || !strings.Contains(state, "pulumi:providers:aws") {
		t.Errorf("the queue was made, or its provider wasn't: %s", state)
	}
}

// A rule on the stack judges once everything is created: the update fails, and so does the next preview.
func TestAMandatoryRuleOnTheStackFailsTheUpdate(t *testing.T) {
	config := map[string]any{"all": "disabled", "vpc-flow-logs": "mandatory"}
	d := open(t, program{stack: "dev", config: config, run: func(ctx *pulumi.Context) error {
		provider := &provided{}
		if err := declareProvider(ctx, "pulumi:providers:aws", "aws", pulumi.Map{"region": pulumi.String("us-east-1")}, provider); err != nil {
			return err
		}
		return ctx.RegisterResource("aws:ec2/vpc:Vpc", "network", pulumi.Map{}, &made{}, pulumi.Provider(provider))
	}})
	for _, v := range []verdict{d.preview(), d.up(), d.preview()} {
		said := v.messages("vpc-flow-logs", "urn:pulumi:dev::cases::aws:ec2/vpc:Vpc::network")
		if v.err == nil || len(v.Violations) != 1 || len(said) != 1 || !strings.HasPrefix(said[0], "id has no flow logs.") {
			t.Errorf("%v: %v", v.err, v.Violations)
		}
	}
}

func TestALevelIsConfigured(t *testing.T) {
	for name, c := range map[string]struct {
		config     any
		violations int
		stops      bool
	}{
		"an advisory rule warns and goes on":      {map[string]any{"enforcementLevel": "advisory"}, 1, false},
		"a rule that is off says nothing":         {"disabled", 0, false},
		"options alone leave the level as it is":  {map[string]any{"exempt": []any{map[string]any{"urn": "*::invoices", "reason": "another queue", "until": "2999-12-31"}}}, 1, true},
		"an exempt resource may break the rule":   {map[string]any{"exempt": []any{map[string]any{"urn": "*::orders", "reason": "moves to the key in July", "until": "2999-12-31"}}}, 0, false},
		"an exemption that ended exempts nothing": {map[string]any{"exempt": []any{map[string]any{"urn": "*::orders", "reason": "moved to the key", "until": "2020-01-01"}}}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, program{run: queueWithoutKey, stack: "dev", config: map[string]any{"sqs-customer-key": c.config}})
			v := d.up()
			if len(v.Violations) != c.violations || (v.err != nil) != c.stops {
				t.Errorf("%d violations, and the error %v", len(v.Violations), v.err)
			}
		})
	}
}

func TestAWrongConfigurationIsRefusedAsAWhole(t *testing.T) {
	d := open(t, program{run: queueWithoutKey, stack: "dev", config: map[string]any{
		"tags-mandatory":   map[string]any{"key": []any{"Owner"}},
		"sqs-customer-key": map[string]any{"exempt": []any{map[string]any{"urn": "a", "reason": "because we can", "until": "2027-02-30"}}},
	}})
	v := d.preview()
	if v.err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{`there is no option "key"; it has exempt, keys`, `ends on "2027-02-30", which is not a date`} {
		if !strings.Contains(v.err.Error(), want) {
			t.Errorf("%q isn't in: %v", want, v.err)
		}
	}
}

func TestASchemaIsCheckedByTheEngine(t *testing.T) {
	d := open(t, program{run: queueWithoutKey, stack: "dev", config: map[string]any{
		"tags-mandatory": map[string]any{"keys": "Owner"},
	}})
	if v := d.preview(); v.err == nil || !strings.Contains(v.err.Error(), "keys: Invalid type. Expected: array, given: string") {
		t.Errorf("%v", v.err)
	}
}

// untagged is a queue that lacks a tag.
func untagged(ctx *pulumi.Context) error {
	provider := &provided{}
	if err := declareProvider(ctx, "pulumi:providers:aws", "aws", pulumi.Map{"region": pulumi.String("us-east-1")}, provider); err != nil {
		return err
	}
	return ctx.RegisterResource("aws:sqs/queue:Queue", "orders", pulumi.Map{
		"tags": pulumi.Map{"Owner": pulumi.String("me"), "Secret": pulumi.ToSecret(pulumi.String("s"))},
	}, &made{}, pulumi.Provider(provider))
}

func TestTheRemediation(t *testing.T) {
	const quiet = "disabled" // all other rules
	for name, c := range map[string]struct {
		level    string
		remedies int
		reports  int
		stops    bool
	}{
		"adds tags where it is switched on":      {"remediate", 1, 0, false},
		"is off by itself":                       {"", 0, 0, false},
		"reports only where it is advisory":      {"advisory", 0, 1, false},
		"stops the update where it is mandatory": {"mandatory", 0, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			config := map[string]any{"all": quiet, "tags-add-defaults": map[string]any{"tags": map[string]any{"Owner": "team", "Project": "shop"}}}
			if c.level != "" {
				config["tags-add-defaults"].(map[string]any)["enforcementLevel"] = c.level
			}
			d := open(t, program{run: untagged, stack: "dev", config: config})
			for when, v := range map[string]verdict{"preview": d.preview(), "update": d.up()} {
				if len(v.Remediated) != c.remedies || len(v.Violations) != c.reports || (v.err != nil) != c.stops {
					t.Errorf("%s: %d remedies, %d violations, and the error %v", when, len(v.Remediated), len(v.Violations), v.err)
				}
			}
			if c.remedies == 0 {
				return
			}
			text := string(d.stack.Export())
			if !strings.Contains(text, `"Project":"shop"`) {
				t.Errorf("the state has no such tag: %s", text)
			}
			if !strings.Contains(text, `"Owner":"me"`) {
				t.Errorf("an own tag was changed: %s", text)
			}
			if !strings.Contains(text, `"Secret":{`) || !strings.Contains(text, `"ciphertext":`) {
				t.Errorf("a secret tag is not a secret any more: %s", text)
			}
		})
	}
}

// A rule with nothing to judge neither passes nor fails.
func TestThePoliciesThatPassAreThoseThatJudged(t *testing.T) {
	d := open(t, program{run: queueWithoutKey, stack: "dev"})
	v := d.preview()
	for name, want := range map[string]bool{
		"tags-mandatory": true, "regions-allowed": true, "sqs-customer-key": false, // broken
		"sns-customer-key": false, "dynamodb-scaling": false, "tags-add-defaults": false,
	} {
		if v.passed(name) != want {
			t.Errorf("%s passed: %v", name, v.passed(name))
		}
	}
}
