package access

import (
	"strings"
	"testing"
)

const (
	account = "111122223333"
	machine = "arn:aws:states:us-east-1:111122223333:stateMachine:orders"
	rule    = "arn:aws:events:us-east-1:111122223333:rule/orders/all"
	role    = "arn:aws:iam::111122223333:role/router"
)

func TestEachRowSaysWhoSaysSo(t *testing.T) {
	for _, f := range facts {
		if !strings.Contains(f.source, "https://") || f.caller == "" || len(f.actions) == 0 || (f.on == "") == (f.assumes == "") {
			t.Errorf("the row of %q on %s lacks a page, a caller, an action or what it is about", f.call, f.actions)
		}
	}
}

func TestACallWithoutARowIsRefusedByName(t *testing.T) {
	err := New(account, nil).Check("stop an execution", rule, machine, "")
	if err == nil || !strings.Contains(err.Error(), "stop an execution") {
		t.Errorf("got %v", err)
	}
}

// routing is a rule, its target and the target's role, whose policies are these.
func routing(trust string, policies ...string) []Resource {
	all := []Resource{
		{roleType, "us-east-1", "router", map[string]any{"arn": role, "assumeRolePolicy": trust}},
		{"aws:cloudwatch/eventTarget:EventTarget", "us-east-1", "all", map[string]any{
			"rule": "all", "eventBusName": "orders", "arn": machine + ":live", "roleArn": role,
		}},
	}
	for i, policy := range policies {
		all = append(all, Resource{"aws:iam/rolePolicy:RolePolicy", "us-east-1", string(rune('a' + i)), map[string]any{"role": "router", "policy": policy}})
	}
	return all
}

func TestARoleHasWhatItsPoliciesSayTogether(t *testing.T) {
	const (
		trust = `{"Statement": {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"ArnLike": {"aws:SourceArn": "` + rule + `"}}}}`
		start = `{"Statement": {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "` + machine + `"}}`
		other = `{"Statement": {"Effect": "Allow", "Action": "states:StopExecution", "Resource": "*"}}`
		never = `{"Statement": {"Effect": "Deny", "Action": "states:*", "Resource": "*"}}`
	)
	attached := Resource{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", "us-east-1", "x", map[string]any{"role": "router", "policyArn": "arn:aws:iam::aws:policy/AWSStepFunctionsFullAccess"}}
	for name, tc := range map[string]struct {
		resources []Resource
		want      string // part of the error; empty: allowed
	}{
		"one of two policies allows": {routing(trust, other, start), ""},
		"none does":                  {routing(trust, other), "no identity-based policy allows the states:StartExecution action"},
		"one denies":                 {routing(trust, start, never), "explicit deny"},
		"the trust names nobody":     {routing("", start), "no resource-based policy allows the sts:AssumeRole action"},
		"nobody deployed the role":   {routing(trust, start)[1:], "does not exist"},
		"a managed policy may allow it, but isn't known":  {append(routing(trust, other), attached), "AWSStepFunctionsFullAccess allow is not known here"},
		"a managed policy isn't asked where another does": {append(routing(trust, start), attached), ""},
		"a policy that can't be read":                     {routing(trust, `{"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}`), "NotAction"},
	} {
		t.Run(name, func(t *testing.T) {
			d := New(account, tc.resources)
			for range 2 { // decided, and known
				err := d.Check(StartExecution, rule, machine+":live", "")
				if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %q", err, tc.want)
				}
			}
		})
	}
}

func TestAKeyWithoutAPolicyIsTheAccounts(t *testing.T) {
	const (
		key   = "arn:aws:kms:us-east-1:111122223333:key/1"
		queue = "arn:aws:sqs:us-east-1:111122223333:orders"
	)
	d := New(account, []Resource{
		{"aws:kms/key:Key", "us-east-1", "1", map[string]any{"arn": key}},
		{queueType, "us-east-1", "orders", map[string]any{"arn": queue, "kmsMasterKeyId": key}},
	})
	if err := d.Check(UseKey, "arn:aws:iam::111122223333:user/operator", key, ""); err != nil {
		t.Error(err)
	}
	all, err := d.Authorizations(KeepUndelivered, rule, queue, "")
	if err != nil || len(all) != 3 {
		t.Fatalf("%d decisions, %v", len(all), err)
	}
	for _, a := range all {
		if err := a.Decide(); err == nil {
			t.Errorf("EventBridge may %s", a.Action)
		}
	}
}

func TestADisabledKeyIsUsedByNobody(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111122223333:key/1"
	for property, typ := range map[string]string{"isEnabled": "aws:kms/key:Key", "enabled": "aws:kms/replicaKey:ReplicaKey"} {
		for _, enabled := range []bool{true, false} {
			d := New(account, []Resource{{typ, "us-east-1", "1", map[string]any{"arn": key, property: enabled}}})
			used, administered := d.Check(UseKey, "arn:aws:iam::111122223333:user/operator", key, ""), d.Check(ManageKey, "arn:aws:iam::111122223333:user/operator", key, "")
			if (used == nil) != enabled || administered != nil {
				t.Errorf("%s: %v: %v, %v", property, enabled, used, administered)
			}
		}
	}
}

// BenchmarkCheck decides a call once more, and for the first time after a deployment.
func BenchmarkCheck(b *testing.B) {
	const (
		trust = `{"Statement": {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"ArnLike": {"aws:SourceArn": "` + rule + `"}}}}`
		start = `{"Statement": {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "` + machine + `"}}`
	)
	resources := routing(trust, start)
	check := func(b *testing.B, d *Deployment) {
		if err := d.Check(StartExecution, rule, machine+":live", ""); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("decided", func(b *testing.B) {
		d := New(account, resources)
		b.ReportAllocs()
		for b.Loop() {
			check(b, d)
		}
	})
	b.Run("deployed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			check(b, New(account, resources))
		}
	})
}
