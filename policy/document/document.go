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
	Everyone  bool     // a * of any kind, or everyone but some with NotPrincipal
	Except    bool     // with NotPrincipal
	Services  []string // such as lambda.amazonaws.com
	AWS       []string // accounts, roles and users
	Federated []string
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
	for _, raw := range member(body, "Statement").Each() {
		if raw.HoldsUnknown() {
			continue
		}
		read.Statements = append(read.Statements, Statement{
			Sid:          member(raw, "Sid").Text(),
			Allow:        strings.EqualFold(member(raw, "Effect").Text(), "Allow"),
			Actions:      texts(member(raw, "Action")),
			NotActions:   texts(member(raw, "NotAction")),
			Resources:    texts(member(raw, "Resource")),
			NotResources: texts(member(raw, "NotResource")),
			Principals:   principals(raw),
			Conditions:   conditions(member(raw, "Condition")),
			secret:       raw.HoldsSecret(),
		})
	}
	return read
}

// member returns an element of a document in any case: some services take principal for Principal.
func member(object value.Value, name string) value.Value {
	for _, given := range object.Keys() {
		if strings.EqualFold(given, name) {
			return object.Get(given)
		}
	}
	return value.Value{}
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
	given := member(statement, "Principal")
	read := Principals{
		Services:  texts(member(given, "Service")),
		AWS:       texts(member(given, "AWS")),
		Federated: texts(member(given, "Federated")),
		Except:    !member(statement, "NotPrincipal").Unset(),
	}
	everyone := texts(given)
	for _, kind := range given.Keys() {
		everyone = append(everyone, texts(given.Get(kind))...)
	}
	read.Everyone = read.Except || slices.ContainsFunc(everyone, func(name string) bool { return wild(name) && !ParseARN(name).NamesOwner() })
	return read
}

// Does reports whether the statement is about an action.
func (s Statement) Does(action string) bool {
	is := func(pattern string) bool { return Like(strings.ToLower(pattern), strings.ToLower(action)) }
	return slices.ContainsFunc(s.Actions, is) || len(s.NotActions) > 0 && !slices.ContainsFunc(s.NotActions, is)
}

// On reports whether the statement is about resources: if is holds for one that it names. A statement on all resources
// but some is about all that matter, and so is one that names none, as in trust policies.
func (s Statement) On(is func(pattern string) bool) bool {
	return len(s.Resources) == 0 || slices.ContainsFunc(s.Resources, is)
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
