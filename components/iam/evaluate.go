package iam

import (
	"fmt"
	"slices"
	"strings"
)

// Request is a call to evaluate against a policy document.
type Request struct {
	Action   string // such as "sqs:SendMessage"
	Resource string // the ARN; empty for a trust policy
	// Principal is the caller: a service name or an ARN. It counts only in documents that name principals.
	Principal string
	// Context has the request's condition keys. An absent key fails every condition on it.
	Context map[string]string
}

// Decision is what a single document says about a request.
type Decision string

// A request that no statement mentions is denied implicitly: another document may still allow it.
const (
	Allowed          Decision = "allowed"
	DeniedExplicitly Decision = "denied explicitly"
	DeniedImplicitly Decision = "denied implicitly"
)

// Decide evaluates the document as IAM does: an explicit deny wins, then an allow, and the default is to deny
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). An unknown condition
// operator is an error, because guessing would prove nothing.
func (d Document) Decide(r Request) (Decision, error) {
	decision := DeniedImplicitly
	for i, s := range d.Statement {
		matches, err := s.matches(r)
		if err != nil {
			return "", fmt.Errorf("statement %d (%s): %w", i, s.Sid, err)
		}
		if !matches {
			continue
		}
		if s.Effect == Deny {
			return DeniedExplicitly, nil
		}
		decision = Allowed
	}
	return decision, nil
}

func (s Statement) matches(r Request) (bool, error) {
	if s.Principal != nil && !s.Principal.covers(r.Principal) {
		return false, nil
	}
	if !slices.ContainsFunc(s.Action, func(pattern string) bool {
		return like(strings.ToLower(pattern), strings.ToLower(r.Action)) // IAM compares actions without case
	}) {
		return false, nil
	}
	if len(s.Resource) > 0 && !slices.ContainsFunc(s.Resource, func(pattern string) bool { return like(pattern, r.Resource) }) {
		return false, nil
	}
	for operator, keys := range s.Condition {
		for key, values := range keys {
			holds, err := operator.holds(key, values, r.Context)
			if err != nil || !holds {
				return false, err
			}
		}
	}
	return true, nil
}

func (p Principal) covers(caller string) bool {
	return p.Everyone || slices.Contains(p.Service, caller) || slices.Contains(p.AWS, caller)
}

func (o Operator) holds(key string, values Strings, context map[string]string) (bool, error) {
	var compare func(pattern, value string) bool
	switch o {
	case StringEquals, StringNotEquals, AnyStringEquals: // a key of a Request has one value
		compare = func(pattern, value string) bool { return pattern == value }
	case StringLike, ArnEquals, ArnLike: // ArnEquals and ArnLike behave identically
		compare = like
	case Bool:
		compare = strings.EqualFold
	default:
		return false, fmt.Errorf("condition operator %s is not supported", o)
	}
	value, present := context[key]
	if o == StringNotEquals {
		return !present || !slices.Contains(values, value), nil
	}
	return present && slices.ContainsFunc(values, func(pattern string) bool { return compare(pattern, value) }), nil
}

// like matches IAM's wildcards: * for any text, ? for one character.
func like(pattern, value string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := range len(value) + 1 {
				if like(pattern[1:], value[i:]) {
					return true
				}
			}
			return false
		case '?':
			if value == "" {
				return false
			}
		default:
			if value == "" || value[0] != pattern[0] {
				return false
			}
		}
		pattern, value = pattern[1:], value[1:]
	}
	return value == ""
}
