package enricher

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"

	"trade-processing/lambdas/market"
	"trade-processing/lambdas/trade"
)

const (
	// attemptTimeout bounds one request, including its body.
	attemptTimeout = 2 * time.Second

	// totalTimeout bounds all attempts and the waits between them. Near Lambda's deadline it is less: at most half of
	// the time left, so a slow API costs a trade its context but never its record.
	totalTimeout = 5 * time.Second

	// firstWait and longestWait bound the wait between two attempts, which doubles each time and is randomised to
	// between half and one and a half times its length.
	firstWait   = 50 * time.Millisecond
	longestWait = time.Second

	// failuresToOpen is how many attempts in a row must fail for the circuit to open, and coolDown how long it then
	// stays open.
	failuresToOpen = 5
	coolDown       = 30 * time.Second

	// maxQueryValue bounds how much of a field is sent. A symbol of a kilobyte finds nothing, and many servers refuse
	// URLs of more than 8 KiB.
	maxQueryValue = 128

	// maxRedirects is how many redirects within the endpoint's host are followed.
	maxRedirects = 3
)

// api is the client of the market data API:
//
//	GET <api-endpoint>?tradeId=…&symbol=…&venue=…&isin=…
//
// plus any query of the endpoint's own, and only those of the trade's fields that are strings. It answers 200 with a
// JSON object, or 404 if it has nothing. Server errors, 408, 429 and network failures are retried, honouring
// Retry-After; five failures in a row open the circuit for half a minute.
//
// It is safe for use by several goroutines.
type api struct {
	client *http.Client

	mu       sync.Mutex
	endpoint string // which circuit belongs to
	circuit  *circuit
}

type circuit = gobreaker.CircuitBreaker[json.RawMessage]

func newAPI(client *http.Client) *api {
	own := *client
	own.CheckRedirect = staysAtHost
	return &api{client: &own}
}

// query is one question to the API.
type query struct {
	endpoint    *url.URL
	trade       *trade.Trade
	traceHeader string // X-Ray's; empty if there is none
}

// failure is why the API gave no answer.
type failure struct {
	reason market.Reason
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(reason market.Reason, format string, args ...any) *failure {
	return &failure{reason: reason, err: fmt.Errorf(format, args...)}
}

// reasonOf returns the reason that an answer lists for an error from ask.
func reasonOf(err error) market.Reason {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f.reason
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return market.APICircuitOpen
	}
	return market.APITimeout // the only remaining cause is the end of the context
}

// ask asks until there is an answer, at most 1 + maxRetries times and within the time available.
func (a *api) ask(ctx context.Context, q query, maxRetries int) (json.RawMessage, error) {
	budget := totalTimeout
	if deadline, ok := ctx.Deadline(); ok {
		budget = min(budget, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()

	circuit := a.circuitOf(q.endpoint)
	attempt := func() (json.RawMessage, error) {
		answer, err := circuit.Execute(func() (json.RawMessage, error) { return a.attempt(ctx, q) })
		if err != nil && !isOutage(err) { // an open circuit too: the wait would be longer than the time available
			return nil, backoff.Permanent(err)
		}
		return answer, err
	}
	waits := &backoff.ExponentialBackOff{
		InitialInterval: firstWait, MaxInterval: longestWait, Multiplier: 2, RandomizationFactor: 0.5,
	}
	return backoff.Retry(ctx, attempt,
		backoff.WithBackOff(waits), backoff.WithMaxTries(uint(maxRetries)+1), backoff.WithMaxElapsedTime(budget))
}

// circuitOf returns the circuit breaker of an endpoint. If an operator points the parameter elsewhere, it starts
// closed.
func (a *api) circuitOf(endpoint *url.URL) *circuit {
	address := endpoint.String()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.circuit == nil || a.endpoint != address {
		a.endpoint = address
		a.circuit = gobreaker.NewCircuitBreaker[json.RawMessage](gobreaker.Settings{
			Timeout:      coolDown,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresToOpen },
			IsSuccessful: func(err error) bool { return err == nil || !isOutage(err) },
		})
	}
	return a.circuit
}

// isOutage reports whether an error means that the API is down. A 404, or an unusable answer, doesn't.
func isOutage(err error) bool {
	reason := reasonOf(err)
	return reason == market.APIUnavailable || reason == market.APITimeout
}

// attempt makes one request and reads its answer.
func (a *api) attempt(ctx context.Context, q query) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	request, err := q.request(ctx)
	if err != nil {
		return nil, fail(market.APIRefused, "making a request for %s: %s", host(q.endpoint), told(err))
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, failureOf(ctx, q.endpoint, err)
	}
	defer func() { _ = response.Body.Close() }()
	answered := func(reason market.Reason) *failure {
		return fail(reason, "GET %s: %d %s", host(q.endpoint), response.StatusCode, http.StatusText(response.StatusCode))
	}
	switch {
	case response.StatusCode == http.StatusOK:
		return readObject(ctx, q.endpoint, response.Body)
	case response.StatusCode == http.StatusNotFound:
		return nil, answered(market.APINotFound)
	case response.StatusCode >= 500, response.StatusCode == http.StatusTooManyRequests, response.StatusCode == http.StatusRequestTimeout:
		f := answered(market.APIUnavailable)
		if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16); err == nil {
			return nil, errors.Join(f, backoff.RetryAfter(int(seconds)))
		}
		return nil, f
	case response.StatusCode >= 400:
		return nil, answered(market.APIRefused)
	}
	return nil, answered(market.APIResponseInvalid)
}

func (q query) request(ctx context.Context) (*http.Request, error) {
	address := *q.endpoint
	values := address.Query()
	values.Set("tradeId", q.trade.ID)
	for _, field := range []string{"symbol", "venue", "isin"} {
		if text, present := q.trade.Text(field); present && text != "" && len(text) <= maxQueryValue {
			values.Set(field, text)
		}
	}
	address.RawQuery = values.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "trade-processing-enricher")
	passOn(q.traceHeader, request.Header)
	return request, nil
}

// errRedirected is a redirect that isn't followed.
var errRedirected = errors.New("redirect to another host or scheme, or too many of them")

// staysAtHost allows redirects only within the endpoint's own scheme and host: an answer from elsewhere is not what the
// operator configured, and the query would reveal our trades.
func staysAtHost(next *http.Request, before []*http.Request) error {
	if first := before[0].URL; len(before) > maxRedirects || next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return errRedirected
	}
	return nil
}

// failureOf maps an error of the HTTP client, or of reading a body, to its reason.
func failureOf(ctx context.Context, endpoint *url.URL, err error) *failure {
	reason := market.APIUnavailable
	switch {
	case errors.Is(err, errRedirected):
		reason = market.APIRedirected
	case ctx.Err() != nil:
		reason = market.APITimeout
	}
	return fail(reason, "GET %s: %s", host(endpoint), told(err))
}

// host is what may be told of an address: its path, its query and its user may be the key to it.
func host(endpoint *url.URL) string { return endpoint.Scheme + "://" + endpoint.Host }

// told is what may be told of an error of the HTTP client: what the network or TLS say. All else may quote the address,
// or what the API answered, which may quote it too.
func told(err error) string {
	for _, safe := range []error{errRedirected, context.DeadlineExceeded, context.Canceled, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, safe) {
			return safe.Error()
		}
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return network.Error()
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted.Error()
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return fmt.Sprintf("the client failed with a %T", err)
}
