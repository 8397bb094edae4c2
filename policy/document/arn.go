package document

import (
	"regexp"
	"strings"
)

// ARN is the parts of an ARN that say what it is and whose, or of a pattern of ARNs.
type ARN struct{ Service, Region, Account, Resource string }

// ParseARN reads an ARN or a pattern. A * at the end stands for all the parts that aren't there; what is neither has no
// parts.
func ParseARN(text string) ARN {
	parts := strings.SplitN(text, ":", 6)
	for strings.HasSuffix(text, "*") && len(parts) < 6 {
		parts = append(parts, "*")
	}
	if len(parts) < 6 || !Like(parts[0], "arn") {
		return ARN{}
	}
	return ARN{parts[2], parts[3], parts[4], parts[5]}
}

// NamesOwner reports whether the ARN is in an account that it names.
func (a ARN) NamesOwner() bool { return a.Account != "" && !wild(a.Account) }

// NamesBucket reports whether the ARN is of a bucket that it names, or in it: no two accounts have buckets of one name.
func (a ARN) NamesBucket() bool {
	name, _, _ := strings.Cut(a.Resource, "/")
	return a.Service == "s3" && name != "" && !wild(name)
}

// Every reports whether the pattern is of every resource, or every one of a type, in every account.
func (a ARN) Every() bool {
	return a.Account == "" && anything(a.Resource) || anything(a.Account) && a.AnyName()
}

// AnyName reports whether the pattern is of every resource, or every one of a type.
func (a ARN) AnyName() bool { return anything(ofType.ReplaceAllString(a.Resource, "")) }

var ofType = regexp.MustCompile(`^[A-Za-z-]+[/:]`)

// anything reports whether a pattern matches any text.
func anything(pattern string) bool {
	return strings.Contains(pattern, "*") && strings.Trim(pattern, "*?/:") == ""
}

func wild(pattern string) bool { return strings.ContainsAny(pattern, "*?") }

// Like matches IAM's wildcards: * is any text, ? any character.
func Like(pattern, text string) bool {
	if !wild(pattern) {
		return pattern == text
	}
	expression, err := regexp.Compile("^(?s:" + wildcards.Replace(regexp.QuoteMeta(pattern)) + ")$")
	return err == nil && expression.MatchString(text)
}

var wildcards = strings.NewReplacer(`\*`, ".*", `\?`, ".")
