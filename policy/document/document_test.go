package document

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"trade-processing/policy/value"
)

func read(text string) Document { return Read(value.Of(property.New(text))) }

func TestEverySpellingReadsTheSame(t *testing.T) {
	want := Document{Complete: true, Statements: []Statement{{
		Sid: "Send", Allow: true, Actions: []string{"sqs:SendMessage"}, Resources: []string{"arn:q"},
		Principals: Principals{Services: []string{"events.amazonaws.com"}, AWS: []string{"111122223333"}},
		Conditions: []Condition{{Operator: "stringequals", Key: "aws:sourceaccount", Values: []string{"111122223333"}}},
	}}}
	for name, text := range map[string]string{
		"lists": `{"Statement": [{"Sid": "Send", "Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": ["arn:q"],
			"Principal": {"Service": ["events.amazonaws.com"], "AWS": ["111122223333"]}, "Condition": {"StringEquals": {"aws:SourceAccount": ["111122223333"]}}}]}`,
		"single values": `{"Statement": {"Sid": "Send", "Effect": "allow", "Action": "sqs:SendMessage", "Resource": "arn:q",
			"Principal": {"Service": "events.amazonaws.com", "AWS": "111122223333"}, "Condition": {"StringEquals": {"AWS:SourceAccount": "111122223333"}}}}`,
	} {
		if diff := cmp.Diff(want, read(text), cmpopts.IgnoreUnexported(Statement{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestEveryone(t *testing.T) {
	for text, want := range map[string]bool{
		`{"Principal": "*"}`:                               true,
		`{"Principal": {"AWS": "*"}}`:                      true,
		`{"Principal": {"AWS": ["111122223333", "*"]}}`:    true,
		`{"NotPrincipal": {"AWS": "111122223333"}}`:        true,
		`{"Principal": {"AWS": "111122223333"}}`:           false,
		`{"Principal": {"Service": "sns.amazonaws.com"}}`:  false,
		`{"Principal": {"Federated": "arn:aws:iam::1:x"}}`: false,
		`{}`: false,
	} {
		if got := read(`{"Statement": [` + text + `]}`).Statements[0].Principals.Everyone; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestNamesCaller(t *testing.T) {
	for condition, want := range map[string]bool{
		`{"StringEquals": {"aws:SourceAccount": "111122223333"}}`:                         true,
		`{"ArnLike": {"AWS:SourceArn": "arn:aws:sns:*:111122223333:*"}}`:                  true,
		`{"StringEquals": {"kms:EncryptionContext:aws:logs:arn": "arn"}}`:                 true,
		`{"StringEquals": {"sts:ExternalId": "x"}}`:                                       true,
		`{"StringLike": {"aws:SourceAccount": "*"}}`:                                      false,
		`{"StringLike": {"aws:SourceAccount": ["111122223333", "*"]}}`:                    false,
		`{"StringNotEquals": {"aws:SourceAccount": "111122223333"}}`:                      false,
		`{"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}}`:                 false,
		`{"Null": {"aws:SourceAccount": "false"}}`:                                        false,
		`{"Bool": {"aws:SecureTransport": "true"}}`:                                       false,
		`{"StringLike": {"aws:SourceAccount": "*"}, "ArnEquals": {"aws:SourceArn": "a"}}`: true,
	} {
		if got := read(`{"Statement": [{"Condition": ` + condition + `}]}`).Statements[0].NamesCaller(); got != want {
			t.Errorf("%s: %v", condition, got)
		}
	}
}

func TestWhatIsUnknownIsLeftOut(t *testing.T) {
	statement := func(action property.Value) property.Value {
		return property.New(map[string]property.Value{"Effect": property.New("Allow"), "Action": action})
	}
	given := property.New(map[string]property.Value{"Statement": property.New([]property.Value{
		statement(property.New("s3:GetObject")), statement(property.New(property.Computed)), property.New(property.Computed),
	})})
	if got := Read(value.Of(given)); len(got.Statements) != 1 || got.Complete {
		t.Errorf("%+v", got)
	}
	if got := Read(value.Of(property.New(property.Computed))); len(got.Statements) != 0 || got.Complete {
		t.Errorf("a document that isn't known: %+v", got)
	}
	if got := read("no JSON"); len(got.Statements) != 0 || !got.Complete {
		t.Errorf("no document: %+v", got)
	}
}

func TestASecretIsNotShown(t *testing.T) {
	given := property.New(map[string]property.Value{"Statement": property.New([]property.Value{
		property.New(map[string]property.Value{"Sid": property.New("Hidden").WithSecret(true), "Action": property.New("a:b")}),
		property.New(map[string]property.Value{"Sid": property.New("Open")}), property.New(map[string]property.Value{"Effect": property.New("Deny")}),
	})})
	var names []string
	for _, statement := range Read(value.Of(given)).Statements {
		names = append(names, statement.Name())
	}
	if diff := cmp.Diff([]string{"statement [secret]", "statement Open", "a statement without Sid"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestAllowing(t *testing.T) {
	given := read(`{"Statement": [{"Sid": "a", "Effect": "Deny"}, {"Sid": "b", "Effect": "Allow"}]}`)
	if allowing := given.Allowing(); len(allowing) != 1 || allowing[0].Sid != "b" || len(given.Statements) != 2 || given.Statements[0].Sid != "a" {
		t.Errorf("%+v of %+v", allowing, given)
	}
}

func TestNamesSubject(t *testing.T) {
	for condition, want := range map[string]bool{
		`{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:firm/shop:environment:prod"}}`:         true,
		`{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:firm/*"}}`:                               true,
		`{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/1:sub": "system:serviceaccount:shop:orders"}}`:     true,
		`{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}`:                                    false,
		`{"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}`:                                         false,
		`{"StringNotLike": {"token.actions.githubusercontent.com:sub": "repo:firm/*"}}`:                            false,
		`{"StringLikeIfExists": {"token.actions.githubusercontent.com:sub": "repo:firm/*"}}`:                       false,
		`{"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}`:                       false,
		`{"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:firm/shop:ref:refs/heads/main", "*"]}}`: false,
	} {
		if got := read(`{"Statement": [{"Condition": ` + condition + `}]}`).Statements[0].NamesSubject(); got != want {
			t.Errorf("%s: %v", condition, got)
		}
	}
}
