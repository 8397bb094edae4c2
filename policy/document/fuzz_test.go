package document

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A document reads the same with every single value in a list, and the questions about it have answers.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"Statement":{"Sid":"S","Effect":"Allow","Principal":{"Service":"events.amazonaws.com","AWS":"*"},"Action":"sqs:*","Resource":"arn:aws:sqs:*:1:q","Condition":{"StringLike":{"aws:SourceArn":"arn:aws:s3:::b*"}}}}`,
		`{"Statement":[{"Effect":"Deny","Principal":"*","NotAction":["a:b"],"NotResource":"arn:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
		`{"statement":[{"effect":"allow","NotPrincipal":{"AWS":["arn:aws:iam::1:root"]},"Action":null}, 1, "x", null, [[]]]}`,
		`{"Statement":{"Condition":{"ForAllValues:StringEqualsIfExists":{"aws:PrincipalOrgPaths":["o-1/*","${aws:ResourceAccount}"]},"Null":{"aws:SourceIp":"true"},"IpAddress":{"aws:SourceIp":["::/0","10.0.0.0/33"]}}}}`,
		`{}`, `[]`, `null`, `"x"`, ``, `{`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := read(text)
		for _, s := range d.Statements {
			s.NamesCaller()
			s.NamesTarget()
			s.NamesMember()
			s.NamesResource()
			s.DeniesWithoutTLS()
			s.Does("sqs:SendMessage")
			if s.Name() == "" {
				t.Error("a statement without a name")
			}
		}
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		lists, err := json.Marshal(listed(value))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, read(string(lists)), cmpopts.IgnoreUnexported(Statement{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s and %s: %s", text, lists, diff)
		}
	})
}

// listed puts the texts of a policy document that may stand in a list into one.
func listed(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	spelled := map[string]any{}
	for name, member := range object {
		text, single := member.(string)
		switch {
		case single && !strings.EqualFold(name, "Sid") && !strings.EqualFold(name, "Effect") && text != "":
			spelled[name] = []any{member}
		default:
			spelled[name] = listed(member)
		}
	}
	return spelled
}

// Wildcards match as a table of all their beginnings says, however many there are.
func FuzzLike(f *testing.F) {
	f.Add("a*c?e", "abbbcde")
	f.Add("*é?*", "x\né.y")
	f.Add(strings.Repeat("*a", 12)+"b", strings.Repeat("a", 60))
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern)*len(text) > 1<<20 || !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			t.Skip() // JSON has no other texts
		}
		begun := time.Now()
		got := Like(pattern, text)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if want := likeByTable([]rune(pattern), []rune(text)); got != want {
			t.Errorf("Like(%q, %q) is %t, want %t", pattern, text, got, want)
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

// A part that is fixed stays the part that it is, and a pattern matches itself.
func FuzzParseARN(f *testing.F) {
	for _, text := range []string{"arn:aws:sqs:eu-west-1:1:q", "arn:*", "*", "arn:aws:s3:::b/*", "", "::::::", "a?n:aws:iam::1:role/*"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		arn := ParseARN(text)
		arn.NamesBucket()
		if arn.Every() && !arn.AnyName() && arn.Account != "" {
			t.Errorf("%q is of every resource, but not of any name", text)
		}
		if parts := strings.SplitN(text, ":", 6); len(parts) == 6 && parts[0] == "arn" && (arn != ARN{parts[2], parts[3], parts[4], parts[5]}) {
			t.Errorf("%q has the parts %+v", text, arn)
		}
		if utf8.ValidString(text) && !Like(text, text) {
			t.Errorf("%q isn't like itself", text)
		}
	})
}
