package enricher

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"trade-processing/lambdas/market"
)

// breaking answers requests as a test likes.
type breaking func(*http.Request) (*http.Response, error)

func (b breaking) RoundTrip(r *http.Request) (*http.Response, error) { return b(r) }

// broken reads an error that quotes an address.
type broken struct{ address string }

func (b broken) Read([]byte) (int, error) {
	return 0, &url.Error{Op: "Get", URL: b.address, Err: io.ErrClosedPipe}
}
func (broken) Close() error { return nil }

// The address may hold a token wherever an address can. Whatever the API or the client does, only scheme and host are
// told: the error is logged, and stands in dead letters.
func TestTheAddressOfTheAPIStaysSecret(t *testing.T) {
	const secret = "s3cr3t"
	answer := func(status int, text string, header http.Header, body io.ReadCloser) breaking {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Status: text, Header: header, Body: body, Request: r}, nil
		}
	}
	none := func() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }
	for name, transport := range map[string]breaking{
		"a client that quotes the address": func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("GET %s failed", r.URL) },
		"an error of url.Parse": func(r *http.Request) (*http.Response, error) {
			_, err := url.Parse("http://[" + r.URL.String())
			return nil, err
		},
		"an answer that echoes the request": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", fmt.Errorf("malformed HTTP response %q", "GET "+r.URL.RequestURI()))
		},
		"a network that is down": func(r *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}
		},
		"a body that breaks":                       answer(200, "200 OK", nil, broken{"https://api.example.com/" + secret}),
		"a status that echoes the request":         answer(500, "500 no "+secret, nil, none()),
		"a refusal that echoes the request":        answer(403, "403 no "+secret, nil, none()),
		"nothing that echoes the request":          answer(404, "404 no "+secret, nil, none()),
		"a redirect to elsewhere with the address": answer(302, "302", http.Header{"Location": {"https://other.example.com/" + secret}}, none()),
		"a redirect that is no address":            answer(302, "302", http.Header{"Location": {"https://[" + secret}}, none()),
		"a redirect without an address":            answer(302, "302", nil, none()),
		"no page, with the address in it":          answer(200, "200 OK", nil, io.NopCloser(strings.NewReader(secret))),
	} {
		for _, endpoint := range []string{
			"https://" + secret + ":" + secret + "@api.example.com/v1", "https://api.example.com/" + secret + "/v1", "https://api.example.com/v1?token=" + secret,
			"https://api.example.com/v1#" + secret, "https://api.example.com/v1?" + secret,
		} {
			_, err := newAPI(&http.Client{Transport: transport}).ask(t.Context(), query{endpoint: address(t, endpoint), trade: parsed(t, apple)}, 0)
			if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(fmt.Sprintf("%+v", err), secret) {
				t.Errorf("%s at %s: %v", name, endpoint, err)
			}
			for at := err; at != nil; at = errors.Unwrap(at) {
				if strings.Contains(at.Error(), secret) {
					t.Errorf("%s at %s wraps %v", name, endpoint, at)
				}
			}
			if reason := reasonOf(err); reason == market.APIUnavailable && !strings.Contains(err.Error(), "https://api.example.com") {
				t.Errorf("%s: %v doesn't say where", name, err)
			}
		}
	}
}
