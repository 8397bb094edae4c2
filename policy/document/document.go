// Package document reads IAM policy documents in any form that AWS accepts.
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

// Principals are whom a statement of a trust or resource policy is about.
type Principals struct {
	Everyone  bool     // "*", {"AWS": "*"}, or everyone but some with NotPrincipal
	Services  []string // such as lambda.amazonaws.com
	AWS       []string // accounts, roles and users
	Federated []string
}

// Condition is a condition's operator, key and values, all in lower case: keys are case-insensitive in AWS.
type Condition struct {
	Operator, Key string
	Values        []string
}

// Document is what is known about a policy document.
type Document struct {
	Statements []Statement // the fully known ones
	Complete   bool        // whether these are all of them
}

// Read reads a document, a string or an object. It leaves out statements in which anything is still unknown.
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

// Allowing returns the statements that allow something.
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

// callers are the condition keys that say on whose behalf, or by whom, a call is made
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html). KMS's and Lambda's name what they act for.
var callers = []string{
	"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths",
	"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
	"aws:sourcevpc", "aws:sourcevpce", "kms:calleraccount", "lambda:sourcefunctionarn", "sts:externalid",
}

// NamesCaller reports whether a condition says for whom, or by whom, a call may be made. A bare * doesn't, and neither
// does a condition that applies only if the key is present.
func (s Statement) NamesCaller() bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		known := slices.Contains(callers, c.Key) || strings.HasPrefix(c.Key, "kms:encryptioncontext:")
		return known && c.holds() && !slices.Contains(c.Values, "*")
	})
}

// NamesSubject reports whether a condition says which identities of a federated provider a statement is about. A
// pattern that begins with * doesn't, and neither does GitHub's pattern for every repository.
func (s Statement) NamesSubject() bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		open := slices.ContainsFunc(c.Values, func(v string) bool { return strings.HasPrefix(v, "*") || strings.HasPrefix(v, "repo:*") })
		return strings.HasSuffix(c.Key, ":sub") && c.holds() && !open
	})
}

// holds reports whether the condition requires what it names, rather than excluding it.
func (c Condition) holds() bool {
	return !strings.Contains(c.Operator, "not") && !strings.HasSuffix(c.Operator, "ifexists") && c.Operator != "null"
}

// DeniesWithoutTLS reports whether the statement denies every principal requests without TLS.
func (s Statement) DeniesWithoutTLS() bool {
	return !s.Allow && s.Principals.Everyone && slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		return c.Operator == "bool" && c.Key == "aws:securetransport" && slices.Contains(c.Values, "false")
	})
}

// Name returns how messages refer to the statement: its Sid, or that it has none.
func (s Statement) Name() string {
	if s.Sid == "" {
		return "a statement without Sid"
	}
	return "statement " + s.Show(s.Sid)
}

// Show formats a part of the statement for messages.
func (s Statement) Show(part string) string {
	if s.secret {
		return "[secret]"
	}
	return part
}
