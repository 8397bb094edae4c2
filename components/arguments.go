package components

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// seconds returns a number of seconds as a duration. Arguments are numbers, because other languages can't pass
// durations.
func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// ArgumentError says what is wrong with one argument of a component.
type ArgumentError struct {
	Component string // the component's logical name
	Argument  string // the field of its arguments
	Reason    string
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("component %s: %s: %s", e.Component, e.Argument, e.Reason)
}

// arguments collects the problems with a component's arguments, so one run shows them all.
type arguments struct {
	component string
	errs      []error
}

func (a *arguments) problem(argument, format string, values ...any) {
	a.errs = append(a.errs, &ArgumentError{Component: a.component, Argument: argument, Reason: fmt.Sprintf(format, values...)})
}

func (a *arguments) err() error { return errors.Join(a.errs...) }

// given requires an input. A nil interface would reach the engine as a missing property and be reported by its AWS
// name.
func (a *arguments) given(argument string, input pulumi.Input) {
	if input == nil {
		a.problem(argument, "is missing")
	}
}

// text requires a plain string.
func (a *arguments) text(argument, value string) {
	if value == "" {
		a.problem(argument, "is missing")
	}
}

// scope requires a complete scope or none.
func (a *arguments) scope(s Scope) {
	if s != (Scope{}) && (s.Partition == "" || s.Account == "" || s.Region == "") {
		a.problem("Scope", "needs a partition, an account and a region; by default it is the provider's")
	}
}

// between requires a number between bounds, inclusive.
func (a *arguments) between(argument string, value, low, high int) {
	if value < low || value > high {
		a.problem(argument, "is %d, but must be from %d to %d", value, low, high)
	}
}

// archive requires a valid number of days for EventBridge to keep an archive; 0 is forever.
func (a *arguments) archive(argument string, days int) { a.between(argument, days, 0, 36500) }

// units requires a valid limit for what a table may read or write per second; 0 is none.
func (a *arguments) units(argument string, units int) { a.between(argument, units, 0, 1_000_000) }

// choice requires one of some values.
func (a *arguments) choice(argument, value string, choices ...string) {
	if !slices.Contains(choices, value) {
		a.problem(argument, "is %q, but must be one of %s", value, strings.Join(choices, ", "))
	}
}

// unique requires a value that hasn't been seen before, and remembers it.
func (a *arguments) unique(argument, value string, seen map[string]bool) {
	if seen[value] {
		a.problem(argument, "%q is listed twice", value)
	}
	seen[value] = true
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// accounts requires account ids, each once.
func (a *arguments) accounts(argument string, ids []string) {
	seen := map[string]bool{}
	for i, id := range ids {
		field := fmt.Sprintf("%s[%d]", argument, i)
		if !accountID.MatchString(id) {
			a.problem(field, "%q is not an account id, which has 12 digits", id)
		}
		a.unique(field, id, seen)
	}
}

// retention requires a number of days that CloudWatch Logs offers.
func (a *arguments) retention(argument string, days int) {
	if !slices.Contains(LogRetentionDays, days) {
		a.problem(argument, "is %d days; CloudWatch Logs keeps logs for %s", days, list(LogRetentionDays))
	}
}

// LogRetentionDays are the retentions that CloudWatch Logs offers
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html).
var LogRetentionDays = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

func list(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

// nameRule is AWS's rule for the names of one kind of resource.
type nameRule struct {
	max     int
	pattern *regexp.Regexp
	allowed string // the pattern in words
}

const wordCharacters = "letters, digits, - and _"

var (
	words      = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	dotted     = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	paths      = regexp.MustCompile(`^[A-Za-z0-9/_.-]+$`)
	lowerPaths = regexp.MustCompile(`^[a-z0-9]+([._/-][a-z0-9]+)*$`)
)

// AWS's rules for the names that this package chooses or is given.
var (
	archiveName    = nameRule{48, dotted, wordCharacters + " and ."}
	backupName     = nameRule{50, dotted, wordCharacters + " and ."}
	dashboardName  = nameRule{255, words, wordCharacters}
	eventBusName   = nameRule{256, paths, wordCharacters + ", . and /"}
	functionName   = nameRule{64, words, wordCharacters}
	keyAlias       = nameRule{250, paths, wordCharacters + ", . and /"} // 256 with the prefix alias/
	machineName    = nameRule{80, words, wordCharacters}
	queueName      = nameRule{80, words, wordCharacters}
	repositoryName = nameRule{256, lowerPaths, "lower-case letters and digits, with single . _ / - between them"}
	roleName       = nameRule{64, dotted, wordCharacters + " and ."}
	ruleName       = nameRule{64, dotted, wordCharacters + " and ."}
	tableName      = nameRule{255, dotted, wordCharacters + " and ."}
	topicName      = nameRule{256, words, wordCharacters}
)

// nameInput requires a physical name, as far as it is already known: AWS checks values that come from other resources.
func (a *arguments) nameInput(argument string, value pulumi.StringInput, rule nameRule) {
	a.given(argument, value)
	if plain, known := value.(pulumi.String); known {
		a.name(argument, string(plain), rule)
	}
}

// name requires a physical name within AWS's limits.
func (a *arguments) name(argument, value string, rule nameRule) {
	switch {
	case value == "":
		a.problem(argument, "is missing")
	case len(value) > rule.max:
		a.problem(argument, "%q has %d characters, but AWS allows only %d", value, len(value), rule.max)
	case !rule.pattern.MatchString(value):
		a.problem(argument, "%q may have only %s", value, rule.allowed)
	}
}
