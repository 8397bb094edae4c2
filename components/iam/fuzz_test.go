package iam

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What Parse takes, JSON writes such that Parse reads the same; and the same requests get the same decisions.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sqs:*","Resource":"arn:aws:sqs:*:1:q","Condition":{"StringLike":{"aws:SourceArn":["arn:*"]}}}]}`,
		`{"Statement":{"Effect":"Deny","Principal":"*","Action":["a:b","c:?"],"Condition":{"Null":{"k":"true"},"ForAllValues:StringNotEqualsIfExists":{"k":["${v}"]}}}}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::1:root","*"]},"Action":null,"Resource":[null]}]}`,
		`{"Statement":[{"Effect":"deny","Action":"*"}]}`, `{"statement":[]}`, `{"Statement":null}`, `{}`, `[]`, `null`, ``,
	} {
		f.Add(seed, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:q", "arn:aws:iam::1:role/r")
	}
	f.Fuzz(func(t *testing.T, text, action, resource, principal string) {
		d, err := Parse(text)
		if err != nil {
			if !strings.Contains(err.Error(), "policy document") {
				t.Errorf("the error doesn't say what it is about: %v", err)
			}
			return
		}
		for _, s := range d.Statement {
			if s.Effect != Allow && s.Effect != Deny || len(s.Action) == 0 {
				t.Errorf("IAM takes no statement like %+v", s)
			}
		}
		written, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("%s, written from %s: %v", written, text, err)
		}
		if rewritten, err := again.JSON(); err != nil || rewritten != written {
			t.Fatalf("%s became %s, %v", written, rewritten, err)
		}
		request := Request{Action: action, Resource: resource, Principal: principal, Context: map[string]string{"k": "v"}}
		decided, err := d.Decide(request)
		same, failed := again.Decide(request)
		if decided != same || (err == nil) != (failed == nil) {
			t.Errorf("%s is %s (%v), and %s is %s (%v)", text, decided, err, written, same, failed)
		}
	})
}

// Wildcards match as a table of all their beginnings says, however many there are.
func FuzzLike(f *testing.F) {
	f.Add("a*c?e", "abbbcde")
	f.Add("*é?*", "xéüy")
	f.Add(strings.Repeat("*a", 12)+"b", strings.Repeat("a", 60))
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern)*len(text) > 1<<20 || !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			t.Skip() // JSON has no other texts
		}
		begun := time.Now()
		got := like(pattern, text)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if want := likeByTable([]rune(pattern), []rune(text)); got != want {
			t.Errorf("like(%q, %q) is %t, want %t", pattern, text, got, want)
		}
	})
}

// likeByTable says for each beginning of the pattern which beginnings of the text it matches.
func likeByTable(pattern, text []rune) bool {
	row := make([]bool, len(text)+1)
	row[0] = true
	for _, p := range pattern {
		next := make([]bool, len(row))
		for i := range row {
			switch {
			case p == '*':
				next[i] = row[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = row[i-1] && (p == '?' || p == text[i-1])
			}
		}
		row = next
	}
	return row[len(text)]
}

// Everybody is everybody, wherever it is listed.
func TestEverybodyIsReadWhereverItIsListed(t *testing.T) {
	for _, principal := range []string{`"*"`, `{"AWS":"*"}`, `{"AWS":["*"]}`, `{"AWS":["arn:aws:iam::1:root","*"]}`} {
		d, err := Parse(`{"Statement":{"Effect":"Allow","Principal":` + principal + `,"Action":"a:b"}}`)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.Decide(Request{Action: "a:b", Principal: "arn:aws:iam::2:role/r"}); err != nil || got != Allowed {
			t.Errorf("%s: %s, %v", principal, got, err)
		}
	}
}

// A statement that IAM refuses must not be taken for one that allows.
func TestStatementsThatIAMRefuses(t *testing.T) {
	for name, statement := range map[string]string{
		"an effect in lower case": `{"Effect":"deny","Action":"a:b"}`,
		"no effect":               `{"Action":"a:b"}`,
		"no action":               `{"Effect":"Allow"}`,
		"an action that is null":  `{"Effect":"Allow","Action":null}`,
		"null in a list":          `{"Effect":"Allow","Action":["a:b",null]}`,
		"null for a principal":    `{"Effect":"Allow","Action":"a:b","Principal":null}`,
		"null for a statement":    `null`,
	} {
		if d, err := Parse(`{"Statement":[` + statement + `]}`); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
