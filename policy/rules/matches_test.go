package rules

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMatchesIsWhatARegularExpressionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab*.")), 0, 8, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab.\n")), 0, 8, -1).Draw(t, "text")
		expression := "^(?s:" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + ")$"
		if want := regexp.MustCompile(expression).MatchString(text); matches(pattern, text) != want {
			t.Errorf("%q and %q: %v", pattern, text, !want)
		}
	})
}

func TestMatches(t *testing.T) {
	for name, c := range map[string]struct {
		pattern, text string
		want          bool
	}{
		"a pattern without a star is the text":      {"eu-west-1", "eu-west-1", true},
		"and no part of it":                         {"eu-west", "eu-west-1", false},
		"a star stands for any end":                 {"eu-*", "eu-west-1", true},
		"a star stands for nothing as well":         {"eu-*", "eu-", true},
		"the beginning has to be there":             {"eu-*", "us-east-1", false},
		"the end has to be there":                   {"*::orders", "urn:pulumi:dev::shop::orders-2", false},
		"what is between two stars has to be there": {"a*b*c", "axxc", false},
		"in its order":                              {"*b*a", "ab", false},
		"and any number of times":                   {"*ab*c", "ababxc", true},
		"beginning and end don't overlap":           {"aba*aba", "ababa", false},
	} {
		t.Run(name, func(t *testing.T) {
			if matches(c.pattern, c.text) != c.want {
				t.Errorf("%q and %q: %v", c.pattern, c.text, !c.want)
			}
		})
	}
}
