package iam_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trade-processing/components/iam"
)

func TestDecisionsFollowIAM(t *testing.T) {
	const queue = "arn:aws:sqs:us-east-1:111122223333:orders"
	send := iam.Statement{Effect: iam.Allow, Action: iam.Strings{"sqs:SendMessage"}, Resource: iam.Strings{queue}}
	with := func(s iam.Statement, change func(*iam.Statement)) iam.Statement {
		change(&s)
		return s
	}
	conditioned := with(send, func(s *iam.Statement) {
		s.Condition = iam.Conditions{
			iam.StringEquals: {"aws:SourceAccount": {"111122223333", "444455556666"}},
			iam.ArnLike:      {"aws:SourceArn": {"arn:aws:events:*:111122223333:rule/orders/*"}},
		}
	})
	good := map[string]string{"aws:SourceAccount": "444455556666", "aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/orders/a"}
	request := iam.Request{Action: "sqs:SendMessage", Resource: queue}
	in := func(context map[string]string) iam.Request {
		r := request
		r.Context = context
		return r
	}
	cases := map[string]struct {
		document iam.Document
		request  iam.Request
		want     iam.Decision
	}{
		"what is allowed is allowed":                {iam.New(send), request, iam.Allowed},
		"actions are compared without case":         {iam.New(send), iam.Request{Action: "SQS:sendmessage", Resource: queue}, iam.Allowed},
		"resources are compared with case":          {iam.New(send), iam.Request{Action: "sqs:SendMessage", Resource: strings.ToUpper(queue)}, iam.DeniedImplicitly},
		"another action is not":                     {iam.New(send), iam.Request{Action: "sqs:SendMessageBatch", Resource: queue}, iam.DeniedImplicitly},
		"an empty document says nothing":            {iam.New(), request, iam.DeniedImplicitly},
		"a star in an action covers the rest":       {iam.New(with(send, func(s *iam.Statement) { s.Action = iam.Strings{"sqs:Send*"} })), request, iam.Allowed},
		"a question mark covers one character":      {iam.New(with(send, func(s *iam.Statement) { s.Resource = iam.Strings{strings.Replace(queue, "orders", "order?", 1)} })), request, iam.Allowed},
		"a question mark covers one character only": {iam.New(with(send, func(s *iam.Statement) { s.Resource = iam.Strings{strings.Replace(queue, "orders", "orders?", 1)} })), request, iam.DeniedImplicitly},
		"a denial wins over an allowance": {
			iam.New(send, with(send, func(s *iam.Statement) { s.Effect = iam.Deny })), request, iam.DeniedExplicitly,
		},
		"a denial that comes first wins too": {
			iam.New(with(send, func(s *iam.Statement) { s.Effect = iam.Deny }), send), request, iam.DeniedExplicitly,
		},
		"all operators must hold, and any value of a key": {iam.New(conditioned), in(good), iam.Allowed},
		"one operator that fails is enough": {
			iam.New(conditioned), in(map[string]string{"aws:SourceAccount": "111122223333", "aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/other"}), iam.DeniedImplicitly,
		},
		"a key that is absent fails": {iam.New(conditioned), request, iam.DeniedImplicitly},
		"not equal holds for an absent key": {
			iam.New(with(send, func(s *iam.Statement) {
				s.Condition = iam.Conditions{iam.StringNotEquals: {"aws:SourceAccount": {"444455556666"}}}
			})), request, iam.Allowed,
		},
		"not equal fails for one of its values": {
			iam.New(with(send, func(s *iam.Statement) {
				s.Condition = iam.Conditions{iam.StringNotEquals: {"aws:SourceAccount": {"444455556666"}}}
			})), in(good), iam.DeniedImplicitly,
		},
		"a bool is compared without case": {
			iam.New(with(send, func(s *iam.Statement) {
				s.Condition = iam.Conditions{iam.Bool: {"aws:SecureTransport": {"false"}}}
			})), in(map[string]string{"aws:SecureTransport": "False"}), iam.Allowed,
		},
		"a principal must be named": {
			iam.New(with(send, func(s *iam.Statement) { s.Principal = iam.Service("events.amazonaws.com") })),
			iam.Request{Action: "sqs:SendMessage", Resource: queue, Principal: "sns.amazonaws.com"}, iam.DeniedImplicitly,
		},
		"a named principal is covered": {
			iam.New(with(send, func(s *iam.Statement) { s.Principal = iam.Service("events.amazonaws.com") })),
			iam.Request{Action: "sqs:SendMessage", Resource: queue, Principal: "events.amazonaws.com"}, iam.Allowed,
		},
		"everyone covers anybody": {
			iam.New(with(send, func(s *iam.Statement) { s.Principal = iam.Everyone() })), request, iam.Allowed,
		},
		"the caller's account is allowed, and decides itself": {
			iam.New(with(send, func(s *iam.Statement) { s.Principal = iam.AWS("arn:aws:iam::111122223333:root") })),
			iam.Request{Action: "sqs:SendMessage", Resource: queue, Principal: "arn:aws:iam::111122223333:role/shop"}, iam.Delegated,
		},
		"another account is not": {
			iam.New(with(send, func(s *iam.Statement) { s.Principal = iam.AWS("arn:aws:iam::111122223333:root") })),
			iam.Request{Action: "sqs:SendMessage", Resource: queue, Principal: "arn:aws:iam::444455556666:role/shop"}, iam.DeniedImplicitly,
		},
		"a wildcard in an ARN ends at the colon": {
			iam.New(with(send, func(s *iam.Statement) { s.Resource = iam.Strings{"arn:aws:sqs:*:orders"} })), request, iam.DeniedImplicitly,
		},
		"and reaches past one in the last part": {
			iam.New(with(send, func(s *iam.Statement) { s.Resource = iam.Strings{"arn:aws:sqs:us-east-1:111122223333:*"} })),
			iam.Request{Action: "sqs:SendMessage", Resource: queue + ":old"}, iam.Allowed,
		},
		"a trust policy has no resources": {
			iam.New(iam.Statement{Effect: iam.Allow, Principal: iam.Service("lambda.amazonaws.com"), Action: iam.Strings{"sts:AssumeRole"}}),
			iam.Request{Action: "sts:AssumeRole", Principal: "lambda.amazonaws.com"}, iam.Allowed,
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := test.document.Decide(test.request)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// One key, present with the value "a" or absent, against each operator that IAM documents for strings, ARNs and presence
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
func TestOperatorsHoldAsIAMDocumentsThem(t *testing.T) {
	for operator, want := range map[iam.Operator]struct {
		value                string
		same, other, missing bool
	}{
		"StringEquals":                   {"a", true, false, false},
		"StringNotEquals":                {"a", false, true, true},
		"StringEqualsIgnoreCase":         {"A", true, false, false},
		"StringNotEqualsIgnoreCase":      {"A", false, true, true},
		"StringLike":                     {"?", true, false, false},
		"StringNotLike":                  {"?", false, true, true},
		"StringEqualsIfExists":           {"a", true, false, true},
		"ArnEquals":                      {"a*", true, false, false},
		"ArnNotLike":                     {"a*", false, true, true},
		"ArnLikeIfExists":                {"a", true, false, true},
		"ForAnyValue:StringEquals":       {"a", true, false, false},
		"ForAllValues:StringEquals":      {"a", true, false, true},
		"ForAnyValue:StringLikeIfExists": {"a", true, false, true},
		"ForAllValues:StringNotEquals":   {"a", false, true, true},
		"Null":                           {"false", true, true, false},
	} {
		t.Run(string(operator), func(t *testing.T) {
			document := iam.New(iam.Statement{
				Effect: iam.Allow, Action: iam.Strings{"sqs:SendMessage"}, Condition: iam.Conditions{operator: {"aws:SourceVpc": {want.value}}},
			})
			for name, test := range map[string]struct {
				context map[string]string
				want    bool
			}{
				"the same value": {map[string]string{"aws:SourceVpc": "a"}, want.same},
				"in other case":  {map[string]string{"AWS:sourcevpc": "a"}, want.same},
				"another value":  {map[string]string{"aws:SourceVpc": "other"}, want.other},
				"no value":       {nil, want.missing},
			} {
				got, err := document.Decide(iam.Request{Action: "sqs:SendMessage", Context: test.context})
				if err != nil || (got == iam.Allowed) != test.want {
					t.Errorf("%s: %s, %v", name, got, err)
				}
			}
		})
	}
}

func TestAPolicyVariableIsRefused(t *testing.T) {
	for name, s := range map[string]iam.Statement{
		"in a resource":  {Resource: iam.Strings{"arn:aws:sqs:us-east-1:111122223333:${aws:username}"}},
		"in a condition": {Condition: iam.Conditions{iam.StringEquals: {"aws:SourceAccount": {"${aws:PrincipalAccount}"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			s.Effect, s.Action = iam.Allow, iam.Strings{"sqs:SendMessage"}
			if got, err := iam.New(s).Decide(iam.Request{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:111122223333:orders"}); err == nil {
				t.Errorf("decided: %s", got)
			}
		})
	}
}

func TestAnUnknownOperatorIsRefusedByName(t *testing.T) {
	document := iam.New(iam.Statement{
		Sid: "Odd", Effect: iam.Allow, Action: iam.Strings{"s3:GetObject"},
		Condition: iam.Conditions{"IpAddress": {"aws:SourceIp": {"10.0.0.0/8"}}},
	})
	_, err := document.Decide(iam.Request{Action: "s3:GetObject"})
	if err == nil || !strings.Contains(err.Error(), "IpAddress") || !strings.Contains(err.Error(), "Odd") {
		t.Errorf("got %v, want an error that names statement and operator", err)
	}
}

func TestAPatternWithoutWildcardsMatchesItselfOnly(t *testing.T) {
	word := rapid.StringMatching(`[a-c]{0,4}`)
	rapid.Check(t, func(t *rapid.T) {
		pattern, resource := word.Draw(t, "pattern"), word.Draw(t, "resource")
		document := iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Strings{"a:b"}, Resource: iam.Strings{pattern}})
		got, err := document.Decide(iam.Request{Action: "a:b", Resource: resource})
		if err != nil {
			t.Fatal(err)
		}
		if (got == iam.Allowed) != (pattern == resource) {
			t.Fatalf("%q on %q: %s", pattern, resource, got)
		}
	})
}

func TestAStarMatchesWhateverStandsInItsPlace(t *testing.T) {
	word := rapid.StringMatching(`[a-c*?]{0,4}`)
	rapid.Check(t, func(t *rapid.T) {
		before, middle, after := word.Draw(t, "before"), word.Draw(t, "middle"), word.Draw(t, "after")
		document := iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Strings{"a:b"}, Resource: iam.Strings{before + "*" + after}})
		got, err := document.Decide(iam.Request{Action: "a:b", Resource: before + middle + after})
		if err != nil || got != iam.Allowed {
			t.Fatalf("%q* %q on %q: %s, %v", before, after, before+middle+after, got, err)
		}
	})
}
