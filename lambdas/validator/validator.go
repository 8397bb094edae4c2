// Package validator is the function that reports what is wrong with a trade.
package validator

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/trade"
)

// Name is the function's name in logs and metrics.
const Name = "validator"

// defaultClockSkew applies if MAX_CLOCK_SKEW isn't set.
const defaultClockSkew = 5 * time.Minute

// New returns the handler: it takes a function.Request and answers with a trade.Verdict. A trade that breaks rules is
// an answer, not an error. Errors are MalformedTrade, and ParametersUnavailable when the threshold for review has never
// been read.
//
// Besides what function.ReadSettings reads, it reads PARAMETER_PREFIX, SOURCES, ALLOWED_CURRENCIES (none by default)
// and MAX_CLOCK_SKEW (5m by default).
func New(environment function.Environment, ssm parameters.API) (lambda.Handler, error) {
	settings := function.ReadSettings(environment, Name)
	prefix := settings.Required("PARAMETER_PREFIX", "the SSM path of the stack's parameters, such as /trade-processing/dev/")
	rules := readRules(settings)
	if err := settings.Err(); err != nil {
		return nil, err
	}
	v := &validator{rules: rules, parameters: parameters.New(ssm, prefix, environment.Now, parameters.ThresholdName)}
	return function.Handle(settings, v.validate), nil
}

var (
	sourcePattern   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	currencyPattern = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,9}$`)
)

func readRules(settings *function.Settings) *trade.Rules {
	rules := &trade.Rules{
		Sources:           settings.List("SOURCES"),
		AllowedCurrencies: settings.List("ALLOWED_CURRENCIES"),
		MaxClockSkew:      settings.Duration("MAX_CLOCK_SKEW", defaultClockSkew),
	}
	settings.Required("SOURCES", "the source systems, such as system1,system2")
	for _, source := range rules.Sources {
		if !sourcePattern.MatchString(source) || strings.HasPrefix(source, trade.SourcePrefix) {
			settings.Problem("SOURCES", "%q is not a valid source system: use 1 to 64 of A-Z a-z 0-9 . _ - without a leading %q", source, trade.SourcePrefix)
		}
	}
	for _, code := range rules.AllowedCurrencies {
		if !currencyPattern.MatchString(code) {
			settings.Problem("ALLOWED_CURRENCIES", "%q is not a currency code: use 3 to 10 of A-Z 0-9, starting with a letter", code)
		}
	}
	return rules
}

type validator struct {
	rules      *trade.Rules
	parameters *parameters.Store
}

func (v *validator) validate(ctx context.Context, call *function.Call, in function.Request) (trade.Verdict, error) {
	t, err := call.Trade()
	if err != nil {
		return trade.Verdict{}, err
	}
	verdict := v.rules.Check(t, trade.Arrival{Source: in.Event.Source, Time: in.Event.Time, Now: call.Now()})
	if verdict.Valid {
		// Only a valid trade needs the threshold: a rejected one gets its answer even if SSM can't be read.
		values, err := v.parameters.Values(ctx, call)
		if err != nil {
			return trade.Verdict{}, err
		}
		_, amount, _ := t.Amount("amount")
		verdict.ReviewRequired = amount.Abs().Cmp(values.Threshold) > 0 // below zero if the price is
	}
	return verdict, nil
}
