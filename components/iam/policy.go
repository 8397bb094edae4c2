// Package iam has IAM policy documents as typed values: written once in Go, marshalled to the same JSON every time, and
// read back by tests that evaluate them.
package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Document is an IAM policy document: an identity policy, a role's trust policy or a resource's policy.
type Document struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement is one rule of a policy document. Fields without a value are left out of the JSON.
type Statement struct {
	Sid       string     `json:"Sid,omitempty"` // letters and digits only; unique in its document
	Effect    Effect     `json:"Effect"`
	Principal *Principal `json:"Principal,omitempty"` // in trust and resource policies only
	Action    Strings    `json:"Action"`
	Resource  Strings    `json:"Resource,omitempty"` // never in a trust policy
	Condition Conditions `json:"Condition,omitempty"`
}

// Effect says whether a statement allows or denies.
type Effect string

// The two effects. A Deny that matches wins over every Allow.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// version is the current version of the policy language, the only one with policy variables
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html).
const version = "2012-10-17"

// New returns a document with these statements, in order.
func New(statements ...Statement) Document {
	return Document{Version: version, Statement: statements}
}

// JSON renders the document. The same document gives the same text, byte for byte.
func (d Document) JSON() (string, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("rendering a policy document: %w", err)
	}
	return string(text), nil
}

// Parse reads a document, in any of the forms that AWS allows: a single string instead of a list, one statement without
// a list. What Statement has no field for, such as NotAction, is an error: without it the document would say something
// else.
func Parse(text string) (Document, error) {
	var raw struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return Document{}, fmt.Errorf("reading a policy document: %w", err)
	}
	statements := bytes.TrimSpace(raw.Statement)
	if !bytes.HasPrefix(statements, []byte("[")) {
		statements = slices.Concat([]byte("["), statements, []byte("]"))
	}
	d := Document{Version: raw.Version}
	if err := strictly(statements, &d.Statement); err != nil {
		return Document{}, fmt.Errorf("reading the statements of a policy document: %w", err)
	}
	for i, s := range d.Statement {
		switch { // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html
		case s.Effect != Allow && s.Effect != Deny:
			return Document{}, fmt.Errorf("statement %d of a policy document: the effect %q is neither %s nor %s", i, s.Effect, Allow, Deny)
		case len(s.Action) == 0:
			return Document{}, fmt.Errorf("statement %d of a policy document names no action", i)
		}
	}
	return d, nil
}

// strictly reads JSON that has no other fields than the value's, and no null, which would read as if nothing were
// there.
func strictly(text []byte, value any) error {
	for tokens := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := tokens.Token()
		if err != nil {
			break // the end, or what the decoder below says better
		}
		if token == nil {
			return errors.New("null is not a value")
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(value)
}

// Strings is a list of strings that IAM also accepts as a single string.
type Strings []string

// UnmarshalJSON reads a string or a list of strings.
func (s *Strings) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*s = Strings{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(text, &many); err != nil {
		return fmt.Errorf("neither a string nor a list of strings: %w", err)
	}
	*s = many
	return nil
}

// Principal is whom a trust or resource policy is about. The zero value is nobody.
type Principal struct {
	Everyone bool    // the principal "*"
	AWS      Strings // ARNs of accounts, roles and users
	Service  Strings // such as lambda.amazonaws.com
}

// Service returns the principal of one or several AWS services.
func Service(names ...string) *Principal { return &Principal{Service: names} }

// AWS returns the principal of accounts, roles or users by ARN.
func AWS(arns ...string) *Principal { return &Principal{AWS: arns} }

// Everyone returns any principal of any account.
func Everyone() *Principal { return &Principal{Everyone: true} }

type principalJSON struct {
	AWS     Strings `json:"AWS,omitempty"`
	Service Strings `json:"Service,omitempty"`
}

// MarshalJSON writes "*" for everyone and an object otherwise.
func (p Principal) MarshalJSON() ([]byte, error) {
	if p.Everyone {
		return []byte(`"*"`), nil
	}
	return json.Marshal(principalJSON{AWS: p.AWS, Service: p.Service})
}

// UnmarshalJSON reads "*", {"AWS":"*"} (the same to IAM) or an object of lists.
func (p *Principal) UnmarshalJSON(text []byte) error {
	var everyone string
	if err := json.Unmarshal(text, &everyone); err == nil {
		if everyone != "*" {
			return fmt.Errorf("principal %q: only \"*\" may have no kind", everyone)
		}
		*p = Principal{Everyone: true}
		return nil
	}
	var kinds principalJSON
	if err := strictly(text, &kinds); err != nil {
		return fmt.Errorf("reading a principal: %w", err)
	}
	*p = Principal{AWS: kinds.AWS, Service: kinds.Service}
	if slices.Contains(p.AWS, "*") {
		*p = Principal{Everyone: true, Service: kinds.Service}
	}
	return nil
}

// Conditions are a statement's conditions by operator, then by condition key. All of them must hold; of one key's
// values, any.
type Conditions map[Operator]map[string]Strings

// Operator is a condition operator.
type Operator string

// The operators that this project's policies use.
const (
	StringEquals    Operator = "StringEquals"
	StringNotEquals Operator = "StringNotEquals"
	StringLike      Operator = "StringLike"
	ArnEquals       Operator = "ArnEquals"
	ArnLike         Operator = "ArnLike"
	Bool            Operator = "Bool"

	// AnyStringEquals holds if any of the key's values in the request is one of the statement's.
	AnyStringEquals Operator = "ForAnyValue:StringEquals"
)
