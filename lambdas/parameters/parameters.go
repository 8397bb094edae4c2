// Package parameters reads what an operator can change without a deployment: the stack's SSM parameters.
package parameters

import (
	"errors"
	"fmt"
	"net/url"
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

// Values are the parameters as one consistent reading of SSM.
type Values struct {
	// Endpoint is the absolute http or https URL of the API for market context; nil if there is none.
	Endpoint *url.URL

	// Threshold is the amount above which a trade is flagged for review.
	Threshold trade.Decimal

	// MaxRetries is how often a call to that API is retried.
	MaxRetries int
}

// parse turns the parameters' texts, by name, into Values. The error lists every problem. Unknown names are ignored: a
// newer deployment may have more.
func parse(texts map[string]string) (Values, error) {
	var v Values
	var problems []error
	read := func(name string, set func(text string) error) {
		text, present := texts[name]
		if !present {
			problems = append(problems, fmt.Errorf("parameter %s is missing", name))
		} else if err := set(text); err != nil {
			problems = append(problems, fmt.Errorf("parameter %s: %w", name, err))
		}
	}
	read(EndpointName, func(text string) (err error) {
		v.Endpoint, err = parseEndpoint(text)
		return err
	})
	read(ThresholdName, func(text string) (err error) {
		if v.Threshold, err = trade.ParseDecimal(text); err != nil {
			return fmt.Errorf("%q %w", text, err)
		}
		if v.Threshold.Sign() < 0 {
			return fmt.Errorf("%q is negative", text)
		}
		return nil
	})
	read(MaxRetriesName, func(text string) (err error) {
		if v.MaxRetries, err = strconv.Atoi(text); err != nil || v.MaxRetries < 0 || v.MaxRetries > MaxRetriesLimit {
			return fmt.Errorf("%q is not a whole number from 0 to %d", text, MaxRetriesLimit)
		}
		return nil
	})
	return v, errors.Join(problems...)
}

func parseEndpoint(text string) (*url.URL, error) {
	if text == Unset {
		return nil, nil
	}
	endpoint, err := url.Parse(text)
	if err != nil || endpoint.Scheme != "https" && endpoint.Scheme != "http" || endpoint.Hostname() == "" {
		return nil, fmt.Errorf("%q is neither %s nor an address like https://market.example.com/v1", text, Unset)
	}
	return endpoint, nil
}
