package iam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trade-processing/components/iam"
)

func TestADocumentRendersAsIAMExpectsIt(t *testing.T) {
	document := iam.New(
		iam.Statement{
			Sid: "Send", Effect: iam.Allow, Principal: iam.Service("events.amazonaws.com"),
			Action: iam.Strings{"sqs:SendMessage"}, Resource: iam.Strings{"arn:aws:sqs:us-east-1:111122223333:orders"},
			Condition: iam.Conditions{
				iam.StringEquals: {"aws:SourceAccount": {"111122223333"}},
				iam.ArnLike:      {"aws:SourceArn": {"arn:aws:events:us-east-1:111122223333:rule/orders"}},
			},
		},
		iam.Statement{Effect: iam.Deny, Principal: iam.Everyone(), Action: iam.Strings{"sqs:*"}},
	)
	const want = `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"Send","Effect":"Allow","Principal":{"Service":["events.amazonaws.com"]},"Action":["sqs:SendMessage"],` +
		`"Resource":["arn:aws:sqs:us-east-1:111122223333:orders"],` +
		`"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:events:us-east-1:111122223333:rule/orders"]},"StringEquals":{"aws:SourceAccount":["111122223333"]}}},` +
		`{"Effect":"Deny","Principal":"*","Action":["sqs:*"]}]}`
	for range 20 { // maps would show their order sooner or later
		got, err := document.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestADocumentIsReadInAllSpellings(t *testing.T) {
	want := iam.New(iam.Statement{Effect: iam.Allow, Principal: iam.AWS("arn:aws:iam::111122223333:root"), Action: iam.Strings{"kms:Decrypt"}, Resource: iam.Strings{"*"}})
	everyone := iam.New(iam.Statement{Effect: iam.Deny, Principal: iam.Everyone(), Action: iam.Strings{"s3:GetObject"}})
	cases := map[string]struct {
		text string
		want iam.Document
	}{
		"lists": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root"]},"Action":["kms:Decrypt"],"Resource":["*"]}]}`, want,
		},
		"single texts": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:Decrypt","Resource":"*"}]}`, want,
		},
		"one statement without a list": {
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:Decrypt","Resource":"*"}}`, want,
		},
		"everyone as a star":                  {`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject"}]}`, everyone},
		"everyone as a star among AWS's ARNs": {`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:GetObject"}]}`, everyone},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := iam.Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMalformedDocumentIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":              `{`,
		"statements of text":   `{"Statement":"all"}`,
		"an action of numbers": `{"Statement":[{"Effect":"Allow","Action":7}]}`,
		"what is not known":    `{"Statement":[{"Effect":"Allow","NotAction":"s3:GetObject","Resource":"*"}]}`,
		"a federated identity": `{"Statement":[{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`,
		"a bare principal":     `{"Statement":[{"Effect":"Allow","Principal":"root","Action":"s3:GetObject"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if document, err := iam.Parse(text); err == nil {
				t.Errorf("read as %+v", document)
			}
		})
	}
}

func TestADocumentSurvivesBeingWrittenAndRead(t *testing.T) {
	texts := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,6}:[A-Za-z*?"<>&]{1,6}`), 1, 3)
	statement := rapid.Custom(func(t *rapid.T) iam.Statement {
		s := iam.Statement{
			Sid:      rapid.StringMatching(`[A-Za-z0-9]{1,8}`).Draw(t, "sid"),
			Effect:   rapid.SampledFrom([]iam.Effect{iam.Allow, iam.Deny}).Draw(t, "effect"),
			Action:   texts.Draw(t, "action"),
			Resource: texts.Draw(t, "resource"),
		}
		if rapid.Bool().Draw(t, "has a principal") {
			s.Principal = rapid.SampledFrom([]*iam.Principal{iam.Everyone(), iam.Service("a.amazonaws.com", "b.amazonaws.com"), iam.AWS("arn:aws:iam::111122223333:root")}).Draw(t, "principal")
		}
		if rapid.Bool().Draw(t, "has a condition") {
			s.Condition = iam.Conditions{iam.StringEquals: {"aws:SourceAccount": texts.Draw(t, "values")}}
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		document := iam.New(rapid.SliceOfN(statement, 1, 4).Draw(t, "statements")...)
		text, err := document.JSON()
		if err != nil {
			t.Fatal(err)
		}
		read, err := iam.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(document, read); diff != "" {
			t.Fatal(diff)
		}
	})
}
