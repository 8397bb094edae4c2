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
		`{"Principal": {"Service": "*"}}`:                  true,
		`{"Principal": {"CanonicalUser": "*"}}`:            true,
		`{"principal": {"aws": "*"}}`:                      true,
		`{"Principal": {"Federated": "arn:aws:iam::1:x"}}`: false,
		`{}`: false,
	} {
		if got := read(`{"Statement": [` + text + `]}`).Statements[0].Principals.Everyone; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// of returns a statement with a condition.
func of(condition string) Statement {
	return read(`{"Statement": [{"Condition": ` + condition + `}]}`).Statements[0]
}

func TestNamesCaller(t *testing.T) {
	for condition, want := range map[string]bool{
		`{"StringEquals": {"aws:SourceAccount": "111122223333"}}`:                                                  true,
		`{"ArnLike": {"AWS:SourceArn": "arn:aws:sns:*:111122223333:*"}}`:                                           true,
		`{"StringEquals": {"kms:EncryptionContext:aws:logs:arn": "arn"}}`:                                          true,
		`{"StringEquals": {"sts:ExternalId": "x"}}`:                                                                true,
		`{"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": "o-1"}}`:                                              true,
		`{"StringLikeIfExists": {"aws:SourceVpce": "vpce-1"}, "Null": {"aws:sourcevpce": "false"}}`:                true,
		`{"StringLike": {"aws:userid": "AROA1:*"}}`:                                                                true,
		`{"StringLike": {"aws:SourceAccount": "*"}, "ArnEquals": {"aws:SourceArn": "arn:aws:sns:::111122223333"}}`: false,
		`{"StringLike": {"aws:SourceAccount": "*"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}}`:                   true,
		`{"StringLike": {"aws:SourceAccount": "*"}}`:                                                               false,
		`{"StringLike": {"aws:SourceAccount": ["111122223333", "*"]}}`:                                             false,
		`{"StringLike": {"aws:PrincipalOrgID": "o-*"}}`:                                                            false,
		`{"StringLike": {"sts:ExternalId": "?*"}}`:                                                                 false,
		`{"StringNotEquals": {"aws:SourceAccount": "111122223333"}}`:                                               false,
		`{"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}}`:                                          false,
		`{"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}, "Null": {"aws:SourceVpce": "true"}}`:               false,
		`{"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}, "Null": {"aws:PrincipalArn": "false"}}`:      false,
		`{"Null": {"aws:SourceAccount": "false"}}`:                                                                 false,
		`{"Bool": {"aws:SecureTransport": "true"}}`:                                                                false,
		`{"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}}`:                                                false,
		`{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket"}}`:                                                    false,
		`{"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}`:                                                          false,
		`{"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:${aws:ResourceAccount}:*"}}`:                                 true,
		`{"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:${aws:PrincipalAccount}:*"}}`:                                false,
		`{"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}`:                                         true,
		`{"StringEquals": {"aws:PrincipalTag/team": "shop"}}`:                                                      false,
	} {
		if got := of(condition).NamesCaller(); got != want {
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

func TestNamesIdentity(t *testing.T) {
	const github, cluster = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/1"
	for _, c := range []struct {
		provider, condition string
		want                bool
	}{
		{github, `{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:firm/shop:environment:prod"}}`, true},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:firm/*"}}`, true},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}`, false},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*/*"}}`, false},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:firm*"}}`, false},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:sub": "?epo:firm/shop:*"}}`, false},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}`, false},
		{github, `{"StringEquals": {"token.actions.githubusercontent.com:sub": "environment:prod"}}`, false},
		{github, `{"StringNotLike": {"token.actions.githubusercontent.com:sub": "repo:firm/*"}}`, false},
		{github, `{"StringLikeIfExists": {"token.actions.githubusercontent.com:sub": "repo:firm/*"}}`, false},
		{github, `{"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}`, false},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:firm/shop:ref:refs/heads/main", "*"]}}`, false},
		{github, `{"StringEquals": {"gitlab.com:sub": "project_path:firm/shop:ref_type:branch:ref:main"}}`, false},
		{github, `{"StringEquals": {"token.actions.githubusercontent.com:repository_owner": "firm"}}`, true},
		{github, `{"StringLike": {"token.actions.githubusercontent.com:repository_owner": "fir*"}}`, false},
		{cluster, `{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/1:sub": "system:serviceaccount:shop:orders"}}`, true},
		{cluster, `{"StringLike": {"OIDC.EKS.eu-west-1.amazonaws.com/id/1:sub": "system:serviceaccount:shop:*"}}`, true},
		{cluster, `{"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/1:sub": "system:serviceaccount:*"}}`, false},
		{cluster, `{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/1:aud": "sts.amazonaws.com"}}`, false},
		{"arn:aws:iam::111122223333:oidc-provider/sts.windows.net/1a2b", `{"StringEquals": {"sts.windows.net/1a2b:aud": "api://shop"}}`, true},
		{"accounts.google.com", `{"StringEquals": {"accounts.google.com:aud": "1.apps.googleusercontent.com"}}`, true},
		{"accounts.google.com", `{"StringEquals": {"accounts.google.com:email": "a@example.com"}}`, false},
		{"cognito-identity.amazonaws.com", `{"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:1"}}`, true},
		{"cognito-identity.amazonaws.com", `{"StringLike": {"cognito-identity.amazonaws.com:aud": "us-east-1:*"}}`, false},
		{"www.amazon.com", `{}`, false},
		{"arn:aws:iam::111122223333:saml-provider/firm", `{}`, true},
	} {
		if got := of(c.condition).NamesIdentity(c.provider); got != c.want {
			t.Errorf("%s, %s: %v", c.provider, c.condition, got)
		}
	}
}

func TestARNs(t *testing.T) {
	for text, want := range map[string]struct{ owner, bucket, every, anyName bool }{
		"*":                                              {every: true, anyName: true},
		"arn:*":                                          {every: true, anyName: true},
		"arn:aws:kms:*":                                  {every: true, anyName: true},
		"arn:aws:*:*:*:*":                                {every: true, anyName: true},
		"arn:aws:s3:::*":                                 {every: true, anyName: true},
		"arn:aws:s3:::*/*":                               {every: true, anyName: true},
		"arn:aws:s3:::shop":                              {bucket: true},
		"arn:aws:s3:::shop/*":                            {bucket: true, anyName: true},
		"arn:aws:s3:::shop-*/*":                          {},
		"arn:aws:dynamodb:*:*:table/*":                   {every: true, anyName: true},
		"arn:aws:lambda:*:*:function:*":                  {every: true, anyName: true},
		"arn:aws:dynamodb:*:*:table/shop-*":              {},
		"arn:aws:iam::111122223333:role/*":               {owner: true, anyName: true},
		"arn:aws:iam::111122223333:role/deploy-*":        {owner: true},
		"arn:aws:sqs:us-east-1:1111????3333:orders":      {},
		"arn:aws:sqs:us-east-1:111122223333:shop-orders": {owner: true},
		"bucket:key/*":                                   {},
		"orders":                                         {},
		"":                                               {},
	} {
		arn := ParseARN(text)
		got := struct{ owner, bucket, every, anyName bool }{arn.NamesOwner(), arn.NamesBucket(), arn.Every(), arn.AnyName()}
		if got != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"s3:Get*", "s3:GetObject", true},
		{"s3:Get*", "s3:Get", true},
		{"s3:Get*", "s3:PutObject", false},
		{"*:key/*", "arn:aws:kms:us-east-1:1:key/2", true},
		{"o?ders", "orders", true},
		{"o?ders", "oders", false},
		{"orders", "orders-2", false},
		{"a.c", "abc", false},
		{"a*c", "a\nc", true},
	} {
		if Like(c.pattern, c.text) != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.text, !c.want)
		}
	}
}

func TestDoes(t *testing.T) {
	for text, want := range map[string]bool{
		`{"Action": "kms:Decrypt"}`:           true,
		`{"Action": ["s3:*", "KMS:DE?RYPT"]}`: true,
		`{"Action": "*:*"}`:                   true,
		`{"Action": "kms:Encrypt"}`:           false,
		`{"NotAction": "iam:*"}`:              true,
		`{"NotAction": ["iam:*", "kms:*"]}`:   false,
		`{}`:                                  false,
	} {
		if got := read(`{"Statement": [` + text + `]}`).Statements[0].Does("kms:Decrypt"); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
