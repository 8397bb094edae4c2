package iam_test

import (
	"strings"
	"testing"

	"trade-processing/components/iam"
)

// The rows of AWS's evaluation logic
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html,
// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html).
func TestACallIsDecidedByAllDocumentsTogether(t *testing.T) {
	const (
		queue = "arn:aws:sqs:us-east-1:111122223333:orders"
		role  = "arn:aws:iam::111122223333:role/shop"
		other = "arn:aws:iam::444455556666:role/shop"
	)
	document := func(effect iam.Effect, principal *iam.Principal) iam.Document {
		return iam.New(iam.Statement{Effect: effect, Principal: principal, Action: iam.Strings{"sqs:SendMessage"}, Resource: iam.Strings{"*"}})
	}
	own, deny := document(iam.Allow, nil), document(iam.Deny, nil)
	silent := iam.New()
	root, itself, service := document(iam.Allow, iam.AWS("arn:aws:iam::111122223333:root")), document(iam.Allow, iam.AWS(role)), document(iam.Allow, iam.Service("events.amazonaws.com"))
	foreign, everyone := document(iam.Allow, iam.AWS("arn:aws:iam::444455556666:root")), document(iam.Allow, iam.Everyone())
	cases := map[string]struct {
		access iam.Access
		caller string
		want   string // part of the reason; empty: allowed
	}{
		"a role's own policy suffices in its account":          {iam.Access{Identity: []iam.Document{silent, own}}, role, ""},
		"without one it is denied":                             {iam.Access{}, role, "no identity-based policy"},
		"the resource may name the role instead":               {iam.Access{Resource: &itself}, role, ""},
		"the resource's leave to the account isn't the role's": {iam.Access{Resource: &root}, role, "no identity-based policy"},
		"both together are":                                    {iam.Access{Identity: []iam.Document{own}, Resource: &root}, role, ""},
		"a denial of the resource wins":                        {iam.Access{Identity: []iam.Document{own}, Resource: &deny}, role, "explicit deny in a resource-based policy"},
		"a denial among a role's own policies wins":            {iam.Access{Identity: []iam.Document{own, deny}}, role, "explicit deny in an identity-based policy"},
		"a boundary must allow too":                            {iam.Access{Identity: []iam.Document{own}, Boundary: &silent}, role, "no permissions boundary"},
		"even what the resource allows the role":               {iam.Access{Resource: &itself, Boundary: &silent}, role, "no permissions boundary"},
		"a boundary allows nothing by itself":                  {iam.Access{Boundary: &own}, role, "no identity-based policy"},
		"an endpoint must allow too":                           {iam.Access{Identity: []iam.Document{own}, Endpoint: &silent}, role, "no VPC endpoint policy"},
		"an endpoint that allows lets through":                 {iam.Access{Identity: []iam.Document{own}, Endpoint: &everyone}, role, ""},
		"a service needs the resource's policy":                {iam.Access{}, "events.amazonaws.com", "no resource-based policy"},
		"and has it":                                           {iam.Access{Resource: &service}, "events.amazonaws.com", ""},
		"a key's policy may leave it to the account":           {iam.Access{Identity: []iam.Document{own}, Resource: &root, ResourceDecides: true}, role, ""},
		"a key whose policy is silent can't be used":           {iam.Access{Identity: []iam.Document{own}, Resource: &silent, ResourceDecides: true}, role, "no resource-based policy"},
		"another account needs the resource's policy":          {iam.Access{Identity: []iam.Document{own}}, other, "no resource-based policy"},
		"and decides about its own roles":                      {iam.Access{Resource: &foreign}, other, ""},
		"one account's leave isn't another's":                  {iam.Access{Resource: &root}, other, "no resource-based policy"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			err := test.access.Decide(iam.Request{Action: "sqs:SendMessage", Resource: queue, Principal: test.caller})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
