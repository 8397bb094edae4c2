package rules

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"trade-processing/policy/value"
)

const secretFamily = "Secrets"

// secretNames are the words in a name that suggest a secret; references are the words that mean it only says where the
// secret is.
var (
	secretNames = regexp.MustCompile(`(?i)(^|[^a-z])(passwords?|passwd|pwd|passphrase|secrets?|tokens?|api[_-]?keys?|apikey|access[_-]?keys?|private[_-]?keys?|credentials?|connection[_-]?string)($|[^a-z])`)
	references  = regexp.MustCompile(`(?i)(_|-|/|\b)(arn|id|name|path|prefix|url|uri|ttl|expiry|length|enabled|region|file|parameter)$`)
)

// secretFormats are strings whose form shows that they are secrets.
var secretFormats = []struct {
	what string
	form *regexp.Regexp
}{
	{"an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[A-Z2-7]{16}\b`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"a GitHub token", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})`)},
	{"a Slack token", regexp.MustCompile(`\bxox[abposr]-[A-Za-z0-9-]{10,}`)},
	{"a JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.`)},
	{"a URL with a password", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@`)},
}

// allowedNames is the option of rules that judge names.
var allowedNames = Option{
	Name: "allowedNames", About: "Names that suggest a secret but hold none; * matches anything.", Schema: texts(), Default: []any{},
}

// leastEntropy is the option of rules that judge values.
var leastEntropy = Option{
	Name: "leastEntropy", About: "Bits of entropy per character from which a string of letters and digits counts as a secret. Words have about 3, random base64 more than 4.",
	Schema: number(1), Default: 4.0,
}

var secretRules = []Rule{
	{
		Name: "function-environment-secret-names", Family: secretFamily, Level: Mandatory, Controls: []string{"CKV_AWS_45"},
		Types: []string{"aws:lambda/function:Function"}, Options: []Option{allowedNames},
		Why: "Anyone who may describe a function can read its environment, which is also in its versions, in deployment logs and in Pulumi's state.",
		Check: func(r *Resource) {
			variables := r.At("environment.variables")
			for _, name := range variables.Keys() {
				if promisesSecret(name) && !anyMatches(r.Setting("allowedNames"), name) && isPlain(variables.Get(name)) {
					r.Breaks("environment.variables."+name, "holds a secret, by its name",
						"Keep the secret in a SecureString parameter or in Secrets Manager, and give the function its name")
				}
			}
		},
	},
	{
		Name: "function-environment-secret-values", Family: secretFamily, Level: Mandatory, Controls: []string{"CKV_AWS_45"},
		Types: []string{"aws:lambda/function:Function"}, Options: []Option{leastEntropy},
		Why: "A secret in a variable with a harmless name is read by the same people.",
		Check: func(r *Resource) {
			variables := r.At("environment.variables")
			for _, name := range variables.Keys() {
				if what := secretIn(variables.Get(name), r.Setting("leastEntropy")); what != "" {
					r.Breaks("environment.variables."+name, "looks like "+what,
						"Keep the secret in a SecureString parameter or in Secrets Manager, and give the function its name")
				}
			}
		},
	},
	{
		Name: "parameter-secret-names", Family: secretFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:ssm/parameter:Parameter"}, Options: []Option{allowedNames},
		Why: "A plain parameter isn't encrypted with a key, and its history keeps every value it has had.",
		Check: func(r *Resource) {
			name := r.At("name").Text()
			if r.At("type").Is("String", "StringList") && promisesSecret(lastPart(name)) && !anyMatches(r.Setting("allowedNames"), name) && isPlain(r.At("value")) {
				r.Breaks("type", fmt.Sprintf("is %s, but the name %s suggests a secret", r.At("type").Text(), shown(r.At("name"))), "Make it a SecureString")
			}
		},
	},
	{
		Name: "parameter-secret-values", Family: secretFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:ssm/parameter:Parameter"}, Options: []Option{leastEntropy},
		Why: "A plain parameter isn't encrypted with a key, and its history keeps every value it has had.",
		Check: func(r *Resource) {
			if !r.At("type").Is("String", "StringList") {
				return
			}
			for _, property := range []string{"value", "insecureValue"} {
				if what := secretIn(r.At(property), r.Setting("leastEntropy")); what != "" {
					r.Breaks(property, "looks like "+what, "Make the parameter a SecureString")
				}
			}
		},
	},
	{
		Name: "secure-string-is-secret", Family: secretFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:ssm/parameter:Parameter"},
		Why:   "Anything the program doesn't mark as secret is in plain text in Pulumi's state and in every preview.",
		Check: func(r *Resource) {
			if r.At("type").Is("SecureString") && r.At("value").IsSet() && !r.At("value").IsSecret() {
				r.Breaks("value", "is not secret to Pulumi", "Take it from a secret config value, or wrap it in pulumi.ToSecret")
			}
		},
	},
}

// promisesSecret reports whether a name says that its value is a secret, not where one is.
func promisesSecret(name string) bool {
	words := camel.ReplaceAllString(name, "${1}_${2}")
	return secretNames.MatchString(words) && !references.MatchString(words)
}

var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

func lastPart(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// isPlain reports whether a value is known to be present and isn't the address of another.
func isPlain(v value.Value) bool {
	text := v.Text()
	return text != "" && !strings.HasPrefix(text, "arn:") && !strings.HasPrefix(text, "{{resolve:") && !strings.HasPrefix(text, "/")
}

// secretIn returns the kind of secret a value looks like, or "".
func secretIn(v, leastEntropy value.Value) string {
	text := v.Text()
	for _, format := range secretFormats {
		if format.form.MatchString(text) {
			return format.what
		}
	}
	least, _ := leastEntropy.Number()
	if random.MatchString(text) && mixed(text) && entropy(text) >= least {
		return "a random text"
	}
	return ""
}

// random are the characters of base64, and enough of them for a key. Paths have slashes too, so slashes count only if
// the length is that of AWS's secret access keys, or if base64 is padded.
var random = regexp.MustCompile(`^([A-Za-z0-9+_=-]{20,}|[A-Za-z0-9+/]{40}|[A-Za-z0-9+/]{22,}={1,2})$`)

// mixed reports whether a string has upper-case letters, lower-case letters and digits, which names, ids and digests
// rarely do.
func mixed(text string) bool {
	return strings.ContainsAny(text, "0123456789") && strings.ToLower(text) != text && strings.ToUpper(text) != text
}

// entropy returns the Shannon entropy in bits per character.
func entropy(text string) float64 {
	counts := map[rune]float64{}
	for _, character := range text {
		counts[character]++
	}
	bits := 0.0
	for _, count := range counts {
		share := count / float64(len(text))
		bits -= share * math.Log2(share)
	}
	return bits
}
