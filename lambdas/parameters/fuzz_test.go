package parameters_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"trade-processing/lambdas/parameters"
)

// Whatever an operator writes, it is read as what the functions can use, or the error names the parameter.
func FuzzValues(f *testing.F) {
	for _, endpoint := range []string{
		"none", "https://user:pass@market.example.com:443/v1?key=x#y", "http://[::1%25eth0]", "HTTP://é", "https://:443", "https://h:99999", "https://h/%zz", "//h",
		"https://h\x7f", "https://a b",
	} {
		f.Add(endpoint, "1", "0")
	}
	for _, number := range []string{"1e3", "-0", "+1", "0x1", "1_0", "NaN", " 1", "", "1e999999999", "١"} {
		f.Add("none", number, "0")
		f.Add("none", "0", number)
	}
	f.Fuzz(func(t *testing.T, endpoint, threshold, maxRetries string) {
		store, _, report := newStore(newSSM(endpoint, threshold, maxRetries))
		v, err := store.Values(t.Context(), report)
		if err != nil {
			if !strings.Contains(err.Error(), "parameter "+parameters.EndpointName) && !strings.Contains(err.Error(), "parameter "+parameters.ThresholdName) &&
				!strings.Contains(err.Error(), "parameter "+parameters.MaxRetriesName) {
				t.Errorf("the error names no parameter: %v", err)
			}
			return
		}
		if v.Threshold.Sign() < 0 || v.MaxRetries < 0 || v.MaxRetries > parameters.MaxRetriesLimit {
			t.Errorf("%q and %q are read as %s and %d", threshold, maxRetries, v.Threshold, v.MaxRetries)
		}
		if v.Endpoint == nil {
			if endpoint != parameters.Unset {
				t.Errorf("%q is read as no endpoint", endpoint)
			}
			return
		}
		if again, err := url.Parse(v.Endpoint.String()); err != nil || again.String() != v.Endpoint.String() {
			t.Errorf("%q is read as %s, which is read as %s (%v)", endpoint, v.Endpoint, again, err)
		}
		if _, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.Endpoint.String(), nil); err != nil || v.Endpoint.Hostname() == "" {
			t.Errorf("%q is taken, and no request can go to %s: %v", endpoint, v.Endpoint, err)
		}
	})
}
