package enricher

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trade-processing/lambdas/function/functiontest"
	"trade-processing/lambdas/market"
	"trade-processing/lambdas/trade"
)

func parsed(t testing.TB, detail string) *trade.Trade {
	t.Helper()
	tr, err := trade.Parse([]byte(detail))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func address(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// askServer asks a server with that handler once.
func askServer(t *testing.T, serve http.HandlerFunc, maxRetries int) (json.RawMessage, error) {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return newAPI(server.Client()).ask(t.Context(), query{endpoint: address(t, server.URL), trade: parsed(t, apple)}, maxRetries)
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestAnswersOfTheAPI(t *testing.T) {
	big := func(n int) string { return `{"k":"` + strings.Repeat("x", n-len(`{"k":""}`)) + `"}` }
	tests := []struct {
		name   string
		status int
		body   string
		want   string // the answer, or the reason
	}{
		{"an object", 200, `{"sector":"Technology"}`, `{"sector":"Technology"}`},
		{"numbers stay the literals that were sent", 200, `{"a": 1.10, "b": 1e400, "c": 12345678901234567890123456789012345678901}`,
			`{"a":1.10,"b":1e400,"c":12345678901234567890123456789012345678901}`},
		{"white space goes, also around", 200, " {\n \"a\" : [ ] }\n", `{"a":[]}`},
		{"brackets and quotes in a text don't nest", 200, `{"a":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}`,
			`{"a":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}`},
		{"the largest that is taken", 200, big(maxResponse), big(maxResponse)},
		{"a byte more", 200, big(maxResponse + 1), "API_RESPONSE_TOO_LARGE"},
		{"megabytes", 200, big(5 << 20), "API_RESPONSE_TOO_LARGE"},
		{"what grows when it is escaped", 200, `{"a":"` + strings.Repeat("<", maxResponse/2) + `"}`, "API_RESPONSE_TOO_LARGE"},
		{"nothing", 200, "", "API_RESPONSE_INVALID"},
		{"an array", 200, `[{"a":1}]`, "API_RESPONSE_INVALID"},
		{"null", 200, `null`, "API_RESPONSE_INVALID"},
		{"a web page", 200, `<html>sign in</html>`, "API_RESPONSE_INVALID"},
		{"two objects", 200, `{}{}`, "API_RESPONSE_INVALID"},
		{"half an object", 200, `{"a":`, "API_RESPONSE_INVALID"},
		{"bytes that are no UTF-8", 200, "{\"a\":\"\xff\"}", "API_RESPONSE_INVALID"},
		{"the deepest that is taken", 200, `{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`,
			`{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`},
		{"a level more", 200, `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "API_RESPONSE_INVALID"},
		{"ten thousand levels", 200, `{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "API_RESPONSE_INVALID"},
		{"success without an answer", 204, "", "API_RESPONSE_INVALID"},
		{"not modified", 304, "", "API_RESPONSE_INVALID"},
		{"nothing on this trade", 404, `{"message":"no"}`, "API_NOT_FOUND"},
		{"not allowed", 403, "", "API_REFUSED"},
		{"a bad request", 400, "", "API_REFUSED"},
		{"a server error", 500, "", "API_UNAVAILABLE"},
		{"too many requests", 429, "", "API_UNAVAILABLE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, err := askServer(t, answering(test.status, test.body), 0)
			if err != nil {
				answer = json.RawMessage(reasonOf(err))
			}
			if string(answer) != test.want {
				t.Errorf("got %.200s (%v), want %.200s", answer, err, test.want)
			}
		})
	}
}

func TestACompressedBombIsCutOff(t *testing.T) {
	_, err := askServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, `{"a":"`+strings.Repeat("a", 1<<20))
		_ = zip.Close()
	}, 0)
	if reasonOf(err) != market.APIResponseTooLarge {
		t.Errorf("got %v", err)
	}
}

func TestTheRequestIdentifiesTheTradeAndPassesTheTraceOn(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{}`)
	}))
	defer server.Close()
	detail := `{"tradeId":"a:1","symbol":"A&B=C","venue":"XNAS","isin":"` + strings.Repeat("X", maxQueryValue+1) + `"}`
	q := query{
		endpoint:    address(t, server.URL+"/v1/context?key=k"),
		trade:       parsed(t, detail),
		traceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
	}
	if _, err := newAPI(server.Client()).ask(t.Context(), q, 0); err != nil {
		t.Fatal(err)
	}
	if want := "/v1/context?key=k&symbol=A%26B%3DC&tradeId=a%3A1&venue=XNAS"; got.URL.String() != want || got.Method != http.MethodGet {
		t.Errorf("%s %s, want GET %s", got.Method, got.URL, want)
	}
	for name, want := range map[string]string{
		"X-Amzn-Trace-Id": q.traceHeader,
		"Traceparent":     "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
		"Accept":          "application/json",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
}

// No text of a trade or a trace can ask for something else, or go elsewhere.
func TestHostileTextsStayInTheirFieldsOfTheQuery(t *testing.T) {
	for _, text := range functiontest.Hostile() {
		detail, err := json.Marshal(map[string]string{"tradeId": "t", "symbol": text, "venue": text, "isin": text})
		if err != nil {
			t.Fatal(err)
		}
		var asked url.Values
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.Query()
			_, _ = io.WriteString(w, "{}")
		}))
		defer server.Close()
		_, err = newAPI(server.Client()).ask(t.Context(), query{endpoint: address(t, server.URL+"/v1?key=k"), trade: parsed(t, string(detail)), traceHeader: text}, 0)
		want := url.Values{"tradeId": {"t"}, "key": {"k"}}
		if len(text) <= maxQueryValue {
			want["symbol"], want["venue"], want["isin"] = []string{text}, []string{text}, []string{text}
		}
		if err != nil || !reflect.DeepEqual(asked, want) {
			t.Errorf("%q became %v: %v", text, asked, err)
		}
	}
}

func TestTraceparent(t *testing.T) {
	tests := []struct {
		name, xray, want string
	}{
		{"sampled", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"},
		{"not sampled, in another order, with a lineage", "Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a:0;Root=1-5759e988-bd862e3fe1be46a994272793", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00"},
		{"no parent", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", ""},
		{"a root too short", "Root=1-5759e988-bd;Parent=53995c3f42cd8ad8", ""},
		{"a line break", "Root=1-5759e988-bd862e3fe1be46a994272793\r\n;Parent=53995c3f42cd8ad8", ""},
		{"nonsense", ";;=;", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, _ := traceparent(test.xray); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRedirectsStayAtTheHost(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request went elsewhere")
	}))
	defer elsewhere.Close()
	tests := []struct {
		name, to string
		want     market.Reason
	}{
		{"another path", "/other", ""},
		{"another host", elsewhere.URL, market.APIRedirected},
		{"another scheme", "https://{host}/", market.APIRedirected},
		{"the host in circles", "/circle", market.APIRedirected},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, err := askServer(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/other" {
					_, _ = io.WriteString(w, `{"moved":true}`)
					return
				}
				http.Redirect(w, r, strings.ReplaceAll(test.to, "{host}", r.Host), http.StatusFound)
			}, 3)
			if test.want == "" {
				if err != nil || string(answer) != `{"moved":true}` {
					t.Errorf("got %s, %v", answer, err)
				}
			} else if err == nil || reasonOf(err) != test.want {
				t.Errorf("got %s, %v; want %s", answer, err, test.want)
			}
		})
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(nil)
	gone := address(t, server.URL)
	server.Close()
	_, err := newAPI(&http.Client{}).ask(t.Context(), query{endpoint: gone, trade: parsed(t, apple)}, 1)
	if err == nil || reasonOf(err) != market.APIUnavailable {
		t.Errorf("got %v", err)
	}
}

// scripted answers requests by a script, without a network, so that a test can run on a fake clock.
type scripted struct {
	mu    sync.Mutex
	calls int
	at    []time.Time
	serve func(call int, r *http.Request) (*http.Response, error)
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.calls++
	call := s.calls
	s.at = append(s.at, time.Now())
	s.mu.Unlock()
	return s.serve(call, r)
}

func reply(status int, body string, header ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (s *scripted) query(t *testing.T) (*api, query) {
	t.Helper()
	return newAPI(&http.Client{Transport: s}), query{endpoint: address(t, "https://market.example.com/v1"), trade: parsed(t, apple)}
}

func TestRetries(t *testing.T) {
	connectionReset := errors.New("connection reset by peer")
	tests := []struct {
		name       string
		maxRetries int
		serve      func(call int, r *http.Request) (*http.Response, error)
		calls      int
		want       market.Reason
	}{
		{"the third attempt succeeds", 2, func(call int, _ *http.Request) (*http.Response, error) {
			if call < 3 {
				return reply(503, "")
			}
			return reply(200, `{}`)
		}, 3, ""},
		{"max-retries is the limit", 2, func(int, *http.Request) (*http.Response, error) { return reply(502, "") }, 3, market.APIUnavailable},
		{"none are made where it is 0", 0, func(int, *http.Request) (*http.Response, error) { return reply(502, "") }, 1, market.APIUnavailable},
		{"a lost connection is tried again", 1, func(int, *http.Request) (*http.Response, error) { return nil, connectionReset }, 2, market.APIUnavailable},
		{"what is not found is not looked for again", 3, func(int, *http.Request) (*http.Response, error) { return reply(404, "") }, 1, market.APINotFound},
		{"nor what is refused", 3, func(int, *http.Request) (*http.Response, error) { return reply(401, "") }, 1, market.APIRefused},
		{"nor what can't be read", 3, func(int, *http.Request) (*http.Response, error) { return reply(200, "nonsense") }, 1, market.APIResponseInvalid},
		{"the circuit opens before ten retries are made", 10, func(int, *http.Request) (*http.Response, error) { return reply(500, "") }, failuresToOpen, market.APICircuitOpen},
		{"a Retry-After beyond the time that there is ends it", 3, func(int, *http.Request) (*http.Response, error) {
			return reply(429, "", "Retry-After", "60")
		}, 1, market.APIUnavailable},
		{"one that isn't a number of seconds is ignored", 1, func(int, *http.Request) (*http.Response, error) {
			return reply(429, "", "Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")
		}, 2, market.APIUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{serve: test.serve}
				api, q := s.query(t)
				_, err := api.ask(t.Context(), q, test.maxRetries)
				if (err != nil) != (test.want != "") || err != nil && reasonOf(err) != test.want {
					t.Errorf("got %v, want %q", err, test.want)
				}
				if s.calls != test.calls {
					t.Errorf("%d requests, want %d", s.calls, test.calls)
				}
			})
		})
	}
}

func TestWaitsGrowAndAreJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{serve: func(int, *http.Request) (*http.Response, error) { return reply(500, "") }}
		api, q := s.query(t)
		_, _ = api.ask(t.Context(), q, 4)
		for i := 1; i < len(s.at); i++ {
			wait, middle := s.at[i].Sub(s.at[i-1]), firstWait<<(i-1)
			if wait < middle/2 || wait > middle*3/2 {
				t.Errorf("wait %d is %v, want between %v and %v", i, wait, middle/2, middle*3/2)
			}
		}
	})
}

func TestRetryAfterIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{serve: func(call int, _ *http.Request) (*http.Response, error) {
			if call == 1 {
				return reply(503, "", "Retry-After", "2")
			}
			return reply(200, `{}`)
		}}
		api, q := s.query(t)
		if _, err := api.ask(t.Context(), q, 3); err != nil {
			t.Fatal(err)
		}
		if wait := s.at[1].Sub(s.at[0]); wait != 2*time.Second {
			t.Errorf("waited %v", wait)
		}
	})
}

func hanging(_ int, r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestASlowAPICostsATradeItsContextAndNoMore(t *testing.T) {
	tests := []struct {
		name     string
		deadline time.Duration // until Lambda's deadline; 0 for none
		want     time.Duration
	}{
		{"without a deadline all attempts together have their own limit", 0, totalTimeout},
		{"with a far deadline too", time.Minute, totalTimeout},
		{"with a near one half of the time is left", 3 * time.Second, 1500 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{serve: hanging}
				api, q := s.query(t)
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				began := time.Now()
				_, err := api.ask(ctx, q, 10)
				if err == nil || reasonOf(err) != market.APITimeout {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took > test.want {
					t.Errorf("took %v, more than %v", took, test.want)
				}
				if ctx.Err() != nil {
					t.Error("nothing is left of the deadline")
				}
			})
		})
	}
}

func TestABodyThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{serve: func(_ int, r *http.Request) (*http.Response, error) {
			reader, writer := io.Pipe()
			context.AfterFunc(r.Context(), func() { _ = writer.CloseWithError(r.Context().Err()) })
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: reader}, nil
		}}
		api, q := s.query(t)
		if _, err := api.ask(t.Context(), q, 0); err == nil || reasonOf(err) != market.APITimeout {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheCircuitOpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ill atomic.Bool
		ill.Store(true)
		s := &scripted{serve: func(int, *http.Request) (*http.Response, error) {
			if ill.Load() {
				return reply(500, "")
			}
			return reply(200, `{}`)
		}}
		api, q := s.query(t)
		reason := func() market.Reason {
			if _, err := api.ask(t.Context(), q, 0); err != nil {
				return reasonOf(err)
			}
			return ""
		}
		for i := range failuresToOpen {
			if got := reason(); got != market.APIUnavailable {
				t.Fatalf("request %d: %q", i+1, got)
			}
		}
		if got := reason(); got != market.APICircuitOpen || s.calls != failuresToOpen {
			t.Fatalf("%q after %d requests, want an open circuit after %d", got, s.calls, failuresToOpen)
		}
		time.Sleep(coolDown + time.Second)
		if got := reason(); got != market.APIUnavailable {
			t.Fatalf("%q, want a trial that fails", got)
		}
		if got := reason(); got != market.APICircuitOpen {
			t.Fatalf("%q, want a circuit that is open again", got)
		}
		ill.Store(false)
		time.Sleep(coolDown + time.Second)
		for range 3 {
			if got := reason(); got != "" {
				t.Fatalf("%q, want a closed circuit", got)
			}
		}
	})
}

func TestAnotherEndpointHasACircuitOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{serve: func(_ int, r *http.Request) (*http.Response, error) {
			if r.URL.Host == "healthy.example.com" {
				return reply(200, `{}`)
			}
			return reply(500, "")
		}}
		api, q := s.query(t)
		_, _ = api.ask(t.Context(), q, failuresToOpen)
		q.endpoint = address(t, "https://healthy.example.com/")
		if _, err := api.ask(t.Context(), q, 0); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheAPIThroughTheHandler(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("symbol") == "AAPL" {
			_, _ = io.WriteString(w, `{"lot": 100.0}`)
			return
		}
		http.Error(w, "on fire", http.StatusInternalServerError)
	}))
	defer server.Close()
	out := &output{}
	h := handler(t, withEndpoint(server.URL, "1"), out)
	if answer := invoke(t, h, payload(apple)); !strings.Contains(answer, `"external":{"lot":100.0}`) || !strings.Contains(answer, `"COMPLETE"`) {
		t.Errorf("got %s", answer)
	}
	answer := invoke(t, h, payload(strings.ReplaceAll(apple, "AAPL", "IBM")))
	if !strings.Contains(answer, `"reasons":["API_UNAVAILABLE"]`) || !strings.Contains(answer, `"settlementDate":"2025-06-03"`) || strings.Contains(answer, "external") {
		t.Errorf("got %s", answer)
	}
	for _, want := range []string{`"MarketDataFailures":1`, `"MarketDataLatency":`, "500 Internal Server Error", `"tradeId":"t-1"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %s:\n%s", want, out)
		}
	}
}

// Run with the race detector: many invocations share the reference data, the parameters, the client and the circuit.
func TestInvocationsAtTheSameTime(t *testing.T) {
	server := httptest.NewServer(answering(200, `{"a":1}`))
	defer server.Close()
	h := handler(t, withEndpoint(server.URL, "1"), io.Discard)
	want := invoke(t, h, payload(apple))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if got, err := h.Invoke(context.Background(), payload(apple)); err != nil || string(got) != want {
					t.Errorf("got %s, %v; want %s", got, err, want)
				}
			}
		})
	}
	group.Wait()
}

func FuzzReadObject(f *testing.F) {
	f.Add([]byte(`{"a":[1,"]"]}`))
	f.Add([]byte(`{"a":"\\"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := readObject(context.Background(), address(t, "https://api.example.com"), strings.NewReader(string(body)))
		if err != nil {
			return
		}
		// An accepted answer is passed on with its length and meaning unchanged.
		again, err := json.Marshal(object)
		if err != nil || string(again) != string(object) || object[0] != '{' || len(object) > maxResponse {
			t.Errorf("%q became %q, then %q (%v)", body, object, again, err)
		}
		decode := func(text []byte) (value any) {
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			return value
		}
		if sent, kept := decode(body), decode(object); !reflect.DeepEqual(sent, kept) {
			t.Errorf("%q became %q", body, object)
		}
	})
}
