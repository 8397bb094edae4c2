// Package parameters reads what an operator can change without a deployment: the stack's SSM parameters.
package parameters

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"

	"trade-processing/lambdas/trade"
)

// The names of the parameters, below the stack's prefix. The stack creates all of them, so a missing one is an error: a
// default would hide a mistyped prefix.
const (
	// EndpointName is the address of the HTTP API for market context, or Unset.
	EndpointName = "api-endpoint"

	// ThresholdName is the amount above which a trade is flagged for review: a decimal of 0 or more, in the trade's own
	// currency.
	ThresholdName = "processing-threshold"

	// MaxRetriesName is how often a call to the HTTP API is retried: 0 to MaxRetriesLimit.
	MaxRetriesName = "max-retries"

	// Unset means no value, because an SSM parameter can't be empty.
	Unset = "none"

	// MaxRetriesLimit keeps a function's retries well within its timeout.
	MaxRetriesLimit = 10
)

// Patterns are what SSM takes as values: just what the functions take, so that a typo fails where it is made. A host's
// name is a DNS name or an IPv4 address; what else an address holds has no characters that would have to be escaped.
var Patterns = map[string]string{
	EndpointName: `^(` + Unset + `|https?://(` + plain("!$&-.0-;=A-Z_a-z~") + `@)?[0-9A-Za-z]([-.0-9A-Za-z]*[0-9A-Za-z])?(:[0-9]{1,5})?([/?#]` + plain("!-$&-~") + `)?)$`,
	// A decimal has at most 38 digits (trade.MaxDigits), and a pattern can't count both sides of the point together.
	ThresholdName:  `^((0|[1-9][0-9]{0,37})|(0|[1-9][0-9]{0,18})[.][0-9]{1,19})$`,
	MaxRetriesName: `^([0-9]|10)$`,
}

// plain matches a text of these characters and percent-encoded bytes.
func plain(characters string) string { return `([` + characters + `]|%[0-9A-Fa-f]{2})*` }

// matches reports whether a text has its parameter's pattern. It compiles that each time, because a function reads few
// parameters, once a minute, and starts without them.
func matches(name, text string) bool { return regexp.MustCompile(Patterns[name]).MatchString(text) }

// Values are the parameters that a function uses, as one consistent reading of SSM. The others are zero.
type Values struct {
	// Endpoint is the absolute http or https URL of the API for market context; nil if there is none. It may hold a
	// token: only its scheme and host may be told.
	Endpoint *url.URL

	// Threshold is the amount above which a trade is flagged for review.
	Threshold trade.Decimal

	// MaxRetries is how often a call to that API is retried.
	MaxRetries int
}

// readers read the texts that match their pattern.
var readers = map[string]func(v *Values, text string) error{
	EndpointName: func(v *Values, text string) (err error) {
		v.Endpoint, err = parseEndpoint(text)
		return err
	},
	ThresholdName: func(v *Values, text string) (err error) {
		v.Threshold, err = parseThreshold(text)
		return err
	},
	MaxRetriesName: func(v *Values, text string) (err error) {
		if v.MaxRetries, err = strconv.Atoi(text); err != nil || !matches(MaxRetriesName, text) {
			return fmt.Errorf("%q is not a whole number from 0 to %d", text, MaxRetriesLimit)
		}
		return nil
	},
}

// Check reports why the functions wouldn't take a value.
func Check(name, text string) error { return readers[name](&Values{}, text) }

// parse reads the texts of the parameters with these names. The error lists every problem. Others are ignored: what a
// function doesn't use mustn't stop it, and a newer deployment may have more.
func parse(texts map[string]string, names []string) (Values, error) {
	var v Values
	var problems []error
	for _, name := range names {
		if text, present := texts[name]; !present {
			problems = append(problems, fmt.Errorf("parameter %s is missing", name))
		} else if err := readers[name](&v, text); err != nil {
			problems = append(problems, fmt.Errorf("parameter %s: %w", name, err))
		}
	}
	return v, errors.Join(problems...)
}

func parseThreshold(text string) (trade.Decimal, error) {
	threshold, err := trade.ParseDecimal(text)
	switch {
	case err != nil:
		return threshold, fmt.Errorf("%q %w", text, err)
	case threshold.Sign() < 0:
		return threshold, fmt.Errorf("%q is negative", text)
	case !matches(ThresholdName, text):
		return threshold, fmt.Errorf("%q is not written as digits, at most 38 or 19 on each side of a point", text)
	}
	return threshold, nil
}

// errNoEndpoint doesn't quote the value, which may hold a token. Neither does it wrap url.Parse's error, which does.
var errNoEndpoint = errors.New("the value is neither " + Unset + " nor an address like https://market.example.com/v1")

func parseEndpoint(text string) (*url.URL, error) {
	if text == Unset {
		return nil, nil
	}
	if !matches(EndpointName, text) {
		return nil, errNoEndpoint
	}
	endpoint, err := url.Parse(text)
	if err != nil {
		return nil, errNoEndpoint
	}
	return endpoint, nil
}
