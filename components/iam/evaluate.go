package iam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Request is a call to evaluate.
type Request struct {
	Action   string // such as "sqs:SendMessage"
	Resource string // the ARN; empty for a trust policy
	// Principal is the caller: a service name or the ARN of a role, user or account. It counts only in documents that
	// name principals.
	Principal string
	// Context has the request's condition keys. An absent key fails most conditions on it.
	Context map[string]string
}

// Decision is what a single document says about a request.
type Decision string

// A request that no statement mentions is denied implicitly: another document may still allow it. Delegated is what a
// resource's policy says that allows the caller's account: the account's own policies decide about its roles
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts).
const (
	Allowed          Decision = "allowed"
	Delegated        Decision = "allowed to the account"
	DeniedExplicitly Decision = "denied explicitly"
	DeniedImplicitly Decision = "denied implicitly"
)

// Decide evaluates the document as IAM does: an explicit deny wins, then an allow, and the default is to deny
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). An unknown condition
// operator and a policy variable are errors, because guessing would prove nothing.
func (d Document) Decide(r Request) (Decision, error) {
	decision := DeniedImplicitly
	for i, s := range d.Statement {
		scope, err := s.matches(r)
		if err != nil {
			return "", fmt.Errorf("statement %d (%s): %w", i, s.Sid, err)
		}
		switch {
		case scope == nobody:
		case s.Effect == Deny:
			return DeniedExplicitly, nil
		case scope == itself:
			decision = Allowed
		case decision != Allowed:
			decision = Delegated
		}
	}
	return decision, nil
}

// scope is whom a statement matches: nobody, the caller itself or its account.
type scope int

const (
	nobody scope = iota
	itself
	account
)

func (s Statement) matches(r Request) (scope, error) {
	matched := itself
	if s.Principal != nil {
		matched = s.Principal.covers(r.Principal)
	}
	if matched == nobody || !slices.ContainsFunc(s.Action, func(pattern string) bool {
		return like(strings.ToLower(pattern), strings.ToLower(r.Action)) // IAM compares actions without case
	}) {
		return nobody, nil
	}
	for _, resource := range s.Resource {
		if strings.Contains(resource, "${") {
			return nobody, fmt.Errorf("resource %s: policy variables are not supported", resource)
		}
	}
	if len(s.Resource) > 0 && !slices.ContainsFunc(s.Resource, func(pattern string) bool { return likeARN(pattern, r.Resource) }) {
		return nobody, nil
	}
	for operator, keys := range s.Condition {
		for key, values := range keys {
			holds, err := operator.holds(key, values, r.Context)
			if err != nil || !holds {
				return nobody, err
			}
		}
	}
	return matched, nil
}

func (p Principal) covers(caller string) scope {
	switch {
	case p.Everyone || slices.Contains(p.Service, caller) || slices.Contains(p.AWS, caller):
		return itself
	case slices.Contains(p.AWS, rootOf(caller)):
		return account
	}
	return nobody
}

// rootOf returns the ARN of the account in an ARN, arn:PARTITION:iam::ACCOUNT:root; empty if none is in it.
func rootOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[4] == "" {
		return ""
	}
	return "arn:" + parts[1] + ":iam::" + parts[4] + ":root"
}

// The parts of an operator such as ForAnyValue:StringLikeIfExists. A key of a Request has one value, so that
// ForAnyValue is what the operator is without it, and ForAllValues differs for an absent key only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
const (
	anyValue  = "ForAnyValue:"
	allValues = "ForAllValues:"
	ifExists  = "IfExists"
)

func (o Operator) holds(key string, values Strings, context map[string]string) (bool, error) {
	name, all := strings.CutPrefix(strings.TrimPrefix(string(o), anyValue), allValues)
	name, optional := strings.CutSuffix(name, ifExists)
	value, present := lookup(context, key)
	if name == "Null" {
		return slices.Contains(values, strconv.FormatBool(!present)), nil
	}
	positive := strings.Replace(name, "Not", "", 1)
	var compare func(pattern, value string) bool
	switch positive {
	case "StringEquals":
		compare = func(pattern, value string) bool { return pattern == value }
	case "StringEqualsIgnoreCase", "Bool":
		compare = strings.EqualFold
	case "StringLike":
		compare = like
	case "ArnEquals", "ArnLike": // which behave identically
		compare = likeARN
	default:
		return false, fmt.Errorf("condition operator %s is not supported", o)
	}
	for _, pattern := range values {
		if strings.Contains(pattern, "${") {
			return false, fmt.Errorf("condition on %s: policy variables are not supported", key)
		}
	}
	negated := positive != name
	if !present {
		return negated || optional || all, nil
	}
	return negated != slices.ContainsFunc(values, func(pattern string) bool { return compare(pattern, value) }), nil
}

// lookup finds a condition key, whose name IAM compares without case.
func lookup(context map[string]string, key string) (string, bool) {
	if value, present := context[key]; present {
		return value, true
	}
	for name, value := range context {
		if strings.EqualFold(name, key) {
			return value, true
		}
	}
	return "", false
}

// likeARN compares ARNs part by part: a wildcard doesn't reach past a colon, except in the last part.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func likeARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	return len(patterns) == len(parts) && !slices.ContainsFunc(patterns, func(p string) bool {
		part := parts[0]
		parts = parts[1:]
		return !like(p, part)
	})
}

// like matches IAM's wildcards: * for any text, ? for one character. After a mismatch, only the last * may stand for
// more: trying every * would take a lifetime on a long list of them.
func like(pattern, value string) bool {
	star, from, p := -1, 0, 0
	for v := 0; v < len(value); {
		_, size := utf8.DecodeRuneInString(value[v:])
		switch {
		case strings.HasPrefix(pattern[p:], "*"):
			star, from = p, v
			p++
		case strings.HasPrefix(pattern[p:], "?"):
			p++
			v += size
		case strings.HasPrefix(pattern[p:], value[v:v+size]):
			p += size
			v += size
		case star >= 0:
			_, size = utf8.DecodeRuneInString(value[from:])
			from += size
			p, v = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
