package document

import (
	"regexp"
	"slices"
	"strings"

	"trade-processing/policy/cidr"
	"trade-processing/policy/value"
)

// Condition is a condition's operator and key, both in lower case as AWS compares neither's case, and its values.
type Condition struct {
	Operator, Key string
	Values        []string
}

func conditions(given value.Value) []Condition {
	var all []Condition
	for _, operator := range given.Keys() {
		keys := given.Get(operator)
		for _, key := range keys.Keys() {
			all = append(all, Condition{strings.ToLower(operator), strings.ToLower(key), texts(keys.Get(key))})
		}
	}
	return all
}

// A kind of condition key says when a value of it stands for somebody in particular. pattern is the value with its
// wildcards; fixed is the part before the first one.
type kind func(pattern, fixed string) bool

var (
	whole   kind = func(pattern, fixed string) bool { return pattern == fixed }
	first   kind = func(pattern, fixed string) bool { return pattern == fixed || strings.IndexAny(fixed, "/:") > 0 } // o-1/*
	ofOwner kind = func(pattern, _ string) bool { return ParseARN(pattern).NamesOwner() }
)

// callers are the keys that say by whom, or on whose behalf, a call is made
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
var callers = map[string]kind{
	"aws:sourceaccount": whole, "aws:sourceowner": whole, "aws:principalaccount": whole, "aws:vpceaccount": whole,
	"kms:calleraccount": whole, "s3:dataaccesspointaccount": whole,
	"aws:sourceorgid": whole, "aws:principalorgid": whole, "aws:vpceorgid": whole,
	"aws:sourceorgpaths": first, "aws:principalorgpaths": first, "aws:vpceorgpaths": first,
	"aws:sourcearn": ofOwner, "aws:principalarn": ofOwner, "lambda:sourcefunctionarn": ofOwner, "aws:sourcevpcarn": ofOwner,
	"ec2:sourceinstancearn": ofOwner, "ssm:sourceinstancearn": ofOwner, "s3:dataaccesspointarn": ofOwner,
	"aws:sourcevpc": whole, "aws:sourcevpce": whole, "sts:externalid": whole, "aws:userid": first,
}

// targets are the keys that say whose resource a call is about.
var targets = map[string]kind{
	"aws:resourceaccount": whole, "s3:resourceaccount": whole, "aws:resourceorgid": whole, "aws:resourceorgpaths": first,
}

// NamesCaller reports whether a condition says for whom, by whom or from where a call may be made.
func (s Statement) NamesCaller() bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		switch {
		case c.Key == "aws:sourceip": // not aws:VpcSourceIp: every VPC may have any private range
			return c.Operator == "ipaddress" && !cidr.Public(c.Values)
		case c.Key == "elasticfilesystem:accessedviamounttarget": // https://docs.aws.amazon.com/efs/latest/ug/access-control-block-public-access.html
			return c.Operator == "bool" && slices.Contains(c.Values, "true")
		case strings.HasPrefix(c.Key, "kms:encryptioncontext:"):
			return s.requires(c, func(pattern, fixed string) bool { return pattern == fixed || ofOwner(pattern, fixed) })
		default:
			return callers[c.Key] != nil && s.requires(c, callers[c.Key])
		}
	})
}

// NamesTarget reports whether the statement says whose resources may be reached: by a condition or by their names.
func (s Statement) NamesTarget() bool {
	byName := len(s.Resources) > 0 && !slices.ContainsFunc(s.Resources, func(pattern string) bool {
		arn := ParseARN(pattern)
		return !arn.NamesOwner() && !arn.NamesBucket()
	})
	return byName || slices.ContainsFunc(s.Conditions, func(c Condition) bool { return targets[c.Key] != nil && s.requires(c, targets[c.Key]) })
}

// NamesMember reports whether a condition says who of an account is meant.
func (s Statement) NamesMember() bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		switch {
		case c.Key == "aws:multifactorauthpresent":
			return c.Operator == "bool" && slices.Contains(c.Values, "true")
		case c.Key == "aws:principalarn":
			return s.requires(c, func(pattern, _ string) bool { return !ParseARN(pattern).AnyName() })
		default:
			return (strings.HasPrefix(c.Key, "aws:principaltag/") || c.Key == "sts:externalid" || c.Key == "aws:userid") && s.requires(c, first)
		}
	})
}

// NamesResource reports whether a condition says by tag or alias which resources are meant.
func (s Statement) NamesResource() bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		every := slices.ContainsFunc(c.Values, func(given string) bool { return anything(strings.TrimPrefix(given, "alias")) })
		return (strings.Contains(c.Key, ":resourcetag/") || c.Key == "kms:resourcealiases") && !every &&
			s.requires(c, func(_, _ string) bool { return true })
	})
}

// operators are those that require a value, with whether they know wildcards. ArnEquals is ArnLike
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
var operators = map[string]bool{
	"stringequals": false, "stringequalsignorecase": false, "stringlike": true, "arnequals": true, "arnlike": true,
}

// requires reports whether a condition lets nothing through but values of its kind that stand for somebody. One that
// also holds if the request doesn't have the key, as …IfExists and ForAllValues do
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html),
// needs another on Null.
func (s Statement) requires(c Condition, names kind) bool {
	operator, all := strings.CutPrefix(c.Operator, "forallvalues:")
	operator, optional := strings.CutSuffix(strings.TrimPrefix(operator, "foranyvalue:"), "ifexists")
	wild, known := operators[operator]
	if !known || len(c.Values) == 0 || (all || optional) && !s.demands(c.Key) {
		return false
	}
	return !slices.ContainsFunc(c.Values, func(given string) bool {
		if !wild { // without wildcard support, * and ? are literal
			given = plain.Replace(given)
		}
		pattern := variable.ReplaceAllString(owner.ReplaceAllString(given, "owner"), "*")
		fixed, _, _ := strings.Cut(strings.ReplaceAll(pattern, "?", "*"), "*")
		return !names(pattern, fixed)
	})
}

var plain = strings.NewReplacer("*", "-", "?", "-")

// A variable may be anything, except those of the resource's owner, which are as good as written out.
var (
	owner    = regexp.MustCompile(`(?i)\$\{aws:Resource(Account|OrgID)\}`)
	variable = regexp.MustCompile(`\$\{[^}]*\}`)
)

// demands reports whether the request must have the key.
func (s Statement) demands(key string) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		return c.Operator == "null" && c.Key == key && slices.Equal(c.Values, []string{"false"})
	})
}

// DeniesWithoutTLS reports whether the statement denies everyone requests without TLS. A further condition would let
// some of them through.
func (s Statement) DeniesWithoutTLS() bool {
	return !s.Allow && s.Principals.Everyone && !s.Principals.Except && len(s.Conditions) == 1 &&
		strings.TrimSuffix(s.Conditions[0].Operator, "ifexists") == "bool" && s.Conditions[0].Key == "aws:securetransport" &&
		slices.ContainsFunc(s.Conditions[0].Values, func(v string) bool { return strings.EqualFold(v, "false") })
}
