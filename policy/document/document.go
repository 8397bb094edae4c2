// Package document reads IAM policy documents in any spelling that AWS takes.
package document

import (
	"slices"
	"strings"

	"trade-processing/policy/value"
)

// Statement is one rule of a policy document.
type Statement struct {
	Sid          string
	Allow        bool // false: a denial
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	Principals   Principals
	Conditions   []Condition
	secret       bool // whether any of it is
}

// Principals are who a statement of a trust or resource policy speaks of.
type Principals struct {
	Everyone  bool     // "*", {"AWS": "*"}, or everyone but some, by NotPrincipal
	Services  []string // such as lambda.amazonaws.com
	AWS       []string // accounts, roles and users
	Federated []string
}

// Condition is a condition's operator, key and values, all in lower case: AWS doesn't tell keys apart by case.
type Condition struct {
	Operator, Key string
	Values        []string
}

// Document is what is known of a policy document.
type Document struct {
	Statements []Statement // those that are known as a whole
	Complete   bool        // whether these are all
}

// Read reads a document, which is a text or an object. Nothing is said of a statement in which anything isn't known
// yet.
func Read(property value.Value) Document {
	body := property.Document()
	read := Document{Complete: !body.HoldsUnknown()}
	for _, raw := range body.Get("Statement").Each() {
		if raw.HoldsUnknown() {
			continue
		}
		read.Statements = append(read.Statements, Statement{
			Sid:          raw.Get("Sid").Text(),
			Allow:        strings.EqualFold(raw.Get("Effect").Text(), "Allow"),
			Actions:      texts(raw.Get("Action")),
			NotActions:   texts(raw.Get("NotAction")),
			Resources:    texts(raw.Get("Resource")),
			NotResources: texts(raw.Get("NotResource")),
			Principals:   principals(raw),
			Conditions:   conditions(raw.Get("Condition")),
			secret:       raw.HoldsSecret(),
		})
	}
	return read
}

// Allowing are the statements that allow something.
func (d Document) Allowing() []Statement {
	return slices.DeleteFunc(slices.Clone(d.Statements), func(s Statement) bool { return !s.Allow })
}

func texts(list value.Value) []string {
	var all []string
	for _, element := range list.Each() {
		if text := element.Text(); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func principals(statement value.Value) Principals {
	given := statement.Get("Principal")
	read := Principals{
		Services:  texts(given.Get("Service")),
		AWS:       texts(given.Get("AWS")),
		Federated: texts(given.Get("Federated")),
	}
	excluding := !statement.Get("NotPrincipal").Unset()
	read.Everyone = excluding || given.Is("*") || slices.Contains(read.AWS, "*")
	return read
}

func conditions(given value.Value) []Condition {
	var all []Condition
	for _, operator := range given.Keys() {
		keys := given.Get(operator)
		for _, key := range keys.Keys() {
			condition := Condition{Operator: strings.ToLower(operator), Key: strings.ToLower(key)}
			for _, text := range texts(keys.Get(key)) {
				condition.Values = append(condition.Values, strings.ToLower(text))
			}
			all = append(all, condition)
		}
	}
	return all
}

// callers are the condition keys that say on whose behalf a call is made, or who makes it
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html). Those of KMS and Lambda name what they act
// for.
var callers = []string{
	"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths",
	"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
	"aws:sourcevpc", "aws:sourcevpce", "kms:calleraccount", "lambda:sourcefunctionarn", "sts:externalid",
}

// NamesCaller tells whether a condition says for whom, or by whom, a call may be made. A condition with a bare * says
// nothing, and neither does one that only holds where the key is present.
func (s Statement) NamesCaller() bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		known := slices.Contains(callers, c.Key) || strings.HasPrefix(c.Key, "kms:encryptioncontext:")
		return known && c.holds() && !slices.Contains(c.Values, "*")
	})
}

// NamesSubject tells whether a condition says which identities of a federated provider a statement speaks of. A pattern
// that begins with * names none, and neither does GitHub's for every repository.
func (s Statement) NamesSubject() bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		open := slices.ContainsFunc(c.Values, func(v string) bool { return strings.HasPrefix(v, "*") || strings.HasPrefix(v, "repo:*") })
		return strings.HasSuffix(c.Key, ":sub") && c.holds() && !open
	})
}

// holds tells whether the condition asks for what it names, rather than for anything else.
func (c Condition) holds() bool {
	return !strings.Contains(c.Operator, "not") && !strings.HasSuffix(c.Operator, "ifexists") && c.Operator != "null"
}

// DeniesWithoutTLS tells whether the statement denies every principal what isn't sent over TLS.
func (s Statement) DeniesWithoutTLS() bool {
	return !s.Allow && s.Principals.Everyone && slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		return c.Operator == "bool" && c.Key == "aws:securetransport" && slices.Contains(c.Values, "false")
	})
}

// Name is how messages call the statement: its Sid, or that it has none.
func (s Statement) Name() string {
	if s.Sid == "" {
		return "a statement without Sid"
	}
	return "statement " + s.Show(s.Sid)
}

// Show is how messages show a part of the statement.
func (s Statement) Show(part string) string {
	if s.secret {
		return "[secret]"
	}
	return part
}
