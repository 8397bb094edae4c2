package rules

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"trade-processing/policy/value"
)

const secretFamily = "Secrets"

// A name is words, in lower case and joined by _. passwords and secrets are those that say that the value is one; the
// second may also be counted, such as an LLM's tokens. PGPASSWORD and GITHUBTOKEN are one word each. about are the words
// that, anywhere after it, say that the value is something about a secret: where it is, how long it lives, its form.
var (
	passwords = regexp.MustCompile(`(^|_)([a-z]*(passwords?|passwd|passphrases?|pwd)|pass|pw)(_|$)`)
	secrets   = regexp.MustCompile(`(^|_)([a-z]*(secrets?|tokens?|credentials?)|connection_?string|` +
		`[a-z]*(access|account|aes|api|app|auth|client|cookie|decryption|encryption|hmac|jwt|license|master|private|rsa|secret|` +
		`service|session|shared|signature|signing|ssh|storage|webhook)_?keys?)(_|$)`)
	about = regexp.MustCompile(`(^|_)(address|addresses|algo|algorithm|alg|arn|arns|attempts|audience|backend|bucket|cache|chars|checker` +
		`|claim|class|column|config|cookie|count|days|decimals|decoder|disabled|domain|duration|enabled` +
		`|encoder|encoding|endpoint|enforcement|engine|env|event|expiration|expires|expiry|extension|field` +
		`|file|filename|folder|format|generator|group|header|hint|host|hours|id|ids|interval|issuer|kind` +
		`|label|length|level|lifetime|limit|location|lookup|manager|max|method|min|minutes|mode|ms|name|names` +
		`|namespace|param|parameter|params|path|policy|port|prefix|provider|query|rate|ref|reference|refresh` +
		`|region|regex|required|rotation|rule|rules|schema|scope|seconds|service|size|source|stage|status` +
		`|store|strategy|strength|suffix|symbol|table|template|through|timeout|topic|ttl|type|uri|uris|url` +
		`|urls|usage|validation|validator|validity|vault|version|window)(_|$)`)
)

// harmless are values that aren't secrets whatever their name: switches, addresses, and, unless a password is promised,
// numbers and durations.
var (
	harmless = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|none|null|enabled|disabled|https?://[^@]*)$`)
	counted  = regexp.MustCompile(`(?i)^[0-9.]+ ?(ms|s|m|h|d|kb|mb|%)?$`)
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
				if promisesSecret(name, variables.Get(name)) && !anyMatches(r.Setting("allowedNames"), name) {
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
			promised := promisesSecret(lastPart(name), r.At("value")) || promisesSecret(lastPart(name), r.At("insecureValue"))
			if r.At("type").Is("String", "StringList") && promised && !anyMatches(r.Setting("allowedNames"), name) {
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

// promisesSecret reports whether a name says that its value is a secret, rather than something about one, and the value
// may be.
func promisesSecret(name string, given value.Value) bool {
	words := strings.ToLower(other.ReplaceAllString(acronym.ReplaceAllString(camel.ReplaceAllString(name, "${1}_${2}"), "${1}_${2}"), "_"))
	password, secret := passwords.FindStringIndex(words), secrets.FindStringIndex(words)
	at := password
	if at == nil {
		at = secret
	}
	if at == nil || !isPlain(given) || harmless.MatchString(given.Text()) || password == nil && counted.MatchString(given.Text()) {
		return false
	}
	return !about.MatchString(words[at[1]:])
}

var (
	camel   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	acronym = regexp.MustCompile(`([A-Z])([A-Z][a-z])`)
	other   = regexp.MustCompile(`[^A-Za-z]+`)
)

func lastPart(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// isPlain reports whether a value is known to be present and isn't the address of another: an ARN, a dynamic reference or
// a path, such as a secret's name.
func isPlain(v value.Value) bool { return v.Text() != "" && !address.MatchString(v.Text()) }

var address = regexp.MustCompile(`^(arn:|\{\{resolve:|ssm:|secretsmanager:|/|[a-z][a-z0-9_-]*(/[a-z][a-z0-9_-]*)+$)`)

// secretIn returns the kind of secret a value looks like, or "".
func secretIn(v, leastEntropy value.Value) string {
	text := v.Text()
	for _, format := range secretFormats {
		if format.form.MatchString(text) {
			return format.what
		}
	}
	least, _ := leastEntropy.Number()
	if random.MatchString(text) && !physicalName.MatchString(text) && mixed(text) && !spelt(text) && entropy(text) >= least {
		return "a random text"
	}
	return ""
}

// random are the characters of base64, and enough of them for a key. Paths have slashes too, so slashes count only if
// the length is that of AWS's secret access keys, or if base64 is padded.
var random = regexp.MustCompile(`^([A-Za-z0-9+_=-]{20,}|[A-Za-z0-9+/]{40}|[A-Za-z0-9+/]{22,}={1,2})$`)

// physicalName is what CloudFormation calls a resource: stack, logical id and a random end
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html).
var physicalName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*-[A-Za-z][A-Za-z0-9]*-[A-Za-z0-9]{12,13}$`)

// mixed reports whether a string has upper-case letters, lower-case letters and digits, which names, ids and digests
// rarely do.
func mixed(text string) bool {
	return strings.ContainsAny(text, "0123456789") && strings.ToLower(text) != text && strings.ToUpper(text) != text
}

// spelt reports whether a string is made of words and numbers, which are longer than what chance puts side by side.
func spelt(text string) bool { return len(text) >= 4*len(word.FindAllString(text, -1)) }

var word = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)

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
