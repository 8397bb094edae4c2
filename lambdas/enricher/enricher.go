// Package enricher is the function that puts a trade in the context of its market.
package enricher

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/market"
	"trade-processing/lambdas/parameters"
)

// Name is the function's name in logs and metrics.
const Name = "enricher"

// The metrics. Trades off exchange don't count as partial: nobody could add what they lack. CalendarDaysLeft is sent
// only for trades at a venue whose data ends in less than market.EndsSoonDays.
const (
	PartialContext   = "PartialContext"
	APIFailures      = "MarketDataFailures"
	APILatency       = "MarketDataLatency"
	CalendarDaysLeft = "CalendarDaysLeft"
)

// New returns the handler: it takes a function.Request and answers with a Context. It never fails because context is
// missing, not even if the event isn't a trade: whatever is missing is left out, with the reason.
//
// Besides what function.ReadSettings reads, it reads PARAMETER_PREFIX. The client calls the market data API if the
// parameter api-endpoint names one; it must not be nil, and needs no Timeout, because every call has a deadline.
func New(environment function.Environment, ssm parameters.API, client *http.Client) (lambda.Handler, error) {
	settings := function.ReadSettings(environment, Name)
	prefix := settings.Required("PARAMETER_PREFIX", "the SSM path of the stack's parameters, such as /trade-processing/dev/")
	if err := settings.Err(); err != nil {
		return nil, err
	}
	reference, err := market.Load()
	if err != nil {
		return nil, err
	}
	e := &enricher{
		reference:  reference,
		parameters: parameters.New(ssm, prefix, environment.Now, parameters.EndpointName, parameters.MaxRetriesName),
		api:        newAPI(client),
	}
	return function.Handle(settings, e.enrich), nil
}

type enricher struct {
	reference  *market.Reference
	parameters *parameters.Store
	api        *api
}

func (e *enricher) enrich(ctx context.Context, call *function.Call, in function.Request) (*Context, error) {
	c := e.contextOf(ctx, call, in)
	c.Status = Complete
	if len(c.Reasons) > 0 {
		c.Status = Partial
		if !slices.Equal(c.Reasons, offExchange) {
			call.Count(PartialContext, 1)
			call.Property("reasons", join(c.Reasons))
		}
	}
	if c.knownUntil != nil {
		if left := int(*c.knownUntil - market.DateOf(call.Now().UTC().Date())); left < market.EndsSoonDays {
			call.Count(CalendarDaysLeft, max(left, 0))
			call.Property("knownUntil", *c.knownUntil)
		}
	}
	return c, nil
}

// offExchange are the reasons of a trade that only lacks what no trade off exchange has.
var offExchange = []market.Reason{market.VenueWithoutHours}

func (e *enricher) contextOf(ctx context.Context, call *function.Call, in function.Request) *Context {
	t, err := call.Trade()
	if err != nil {
		// Reporting it is the validator's job, whose error ends the execution.
		return &Context{Reasons: []market.Reason{market.TradeMalformed}}
	}
	c := ofTrade(t, in.Event.Time, e.reference)
	values, err := e.parameters.Values(ctx, call)
	switch {
	case err != nil:
		c.lacks(market.ParametersUnavailable)
	case values.Endpoint != nil:
		e.addExternal(ctx, call, c, query{endpoint: values.Endpoint, trade: t, traceHeader: call.TraceHeader}, values.MaxRetries)
	}
	return c
}

func (e *enricher) addExternal(ctx context.Context, call *function.Call, c *Context, q query, maxRetries int) {
	began := call.Now()
	external, err := e.api.ask(ctx, q, maxRetries)
	call.Milliseconds(APILatency, call.Now().Sub(began))
	call.CountIf(APIFailures, err != nil)
	if err == nil {
		c.External = external
		return
	}
	reason := reasonOf(err)
	c.lacks(reason)
	// While the circuit is open every trade runs into it; the call that opened it has logged the reason.
	if reason != market.APICircuitOpen {
		call.Log().Warn("the market data API gave no answer", "reason", string(reason), "error", err.Error())
	}
}

func join(reasons []market.Reason) string {
	texts := make([]string, len(reasons))
	for i, r := range reasons {
		texts[i] = string(r)
	}
	return strings.Join(texts, ",")
}
