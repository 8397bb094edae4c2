package parameters_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"pgregory.net/rapid"

	"trade-processing/lambdas/parameters"
)

// fakeSSM holds parameters by full name and serves them in pages of two, in the order they were added.
type fakeSSM struct {
	mu     sync.Mutex
	names  []string
	values map[string]string
	err    error
	delay  time.Duration
	calls  int // first pages asked for
	inputs []*ssm.GetParametersByPathInput
}

var _ parameters.API = (*fakeSSM)(nil)

func newSSM(endpoint, threshold, maxRetries string) *fakeSSM {
	f := &fakeSSM{values: map[string]string{}}
	f.set("api-endpoint", endpoint)
	f.set("processing-threshold", threshold)
	f.set("max-retries", maxRetries)
	return f
}

func (f *fakeSSM) set(name, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = "/trade-processing/dev/" + name
	if _, known := f.values[name]; !known {
		f.names = append(f.names, name)
	}
	f.values[name] = value
}

func (f *fakeSSM) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeSSM) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(f.delay):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inputs = append(f.inputs, in)
	first := 0
	if in.NextToken == nil {
		f.calls++
	} else if _, err := fmt.Sscan(*in.NextToken, &first); err != nil {
		return nil, err
	}
	if f.err != nil {
		return nil, f.err
	}
	out := &ssm.GetParametersByPathOutput{}
	for _, name := range f.names[first:min(first+2, len(f.names))] {
		out.Parameters = append(out.Parameters, types.Parameter{Name: aws.String(name), Value: aws.String(f.values[name])})
	}
	if first+2 < len(f.names) {
		out.NextToken = aws.String(fmt.Sprint(first + 2))
	}
	return out, nil
}

// reports receives a store's reports.
type reports struct {
	mu      sync.Mutex
	log     strings.Builder
	metrics map[string]int
}

func (r *reports) Log() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }

func (r *reports) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

func (r *reports) Count(metric string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.metrics == nil {
		r.metrics = map[string]int{}
	}
	r.metrics[metric] += n
}

// clock is a clock that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newStore(f *fakeSSM) (*parameters.Store, *clock, *reports) {
	c := &clock{at: time.Date(2024, 5, 28, 13, 30, 0, 0, time.UTC)}
	return parameters.New(f, "/trade-processing/dev/", c.now, parameters.EndpointName, parameters.ThresholdName, parameters.MaxRetriesName), c, &reports{}
}

func values(t *testing.T, s *parameters.Store, r *reports) parameters.Values {
	t.Helper()
	v, err := s.Values(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestValuesAreReadFromAllPagesDecrypted(t *testing.T) {
	f := newSSM("https://market.example.com/v1", "1000000.50", "3")
	f.set("a-parameter-of-a-newer-deployment", "?")
	store, _, report := newStore(f)
	v := values(t, store, report)
	if v.Endpoint == nil || v.Endpoint.String() != "https://market.example.com/v1" || v.Threshold.String() != "1000000.5" || v.MaxRetries != 3 {
		t.Errorf("%+v", v)
	}
	if len(f.inputs) != 2 {
		t.Errorf("%d pages, want 2", len(f.inputs))
	}
	for _, in := range f.inputs {
		if aws.ToString(in.Path) != "/trade-processing/dev" || !aws.ToBool(in.WithDecryption) {
			t.Errorf("asked for %s, decrypted: %v", aws.ToString(in.Path), aws.ToBool(in.WithDecryption))
		}
	}
}

func TestAnEndpointOfNoneIsUnset(t *testing.T) {
	store, _, report := newStore(newSSM("none", "0", "0"))
	if v := values(t, store, report); v.Endpoint != nil || !v.Threshold.IsZero() || v.MaxRetries != 0 {
		t.Errorf("%+v", v)
	}
}

func TestValuesAreKeptFor60Seconds(t *testing.T) {
	f := newSSM("none", "1", "0")
	store, clock, report := newStore(f)
	values(t, store, report)
	f.set("processing-threshold", "2")

	clock.at = clock.at.Add(60*time.Second - time.Nanosecond)
	if v := values(t, store, report); v.Threshold.String() != "1" || f.calls != 1 {
		t.Errorf("before 60 s: threshold %s after %d calls", v.Threshold, f.calls)
	}
	clock.at = clock.at.Add(time.Nanosecond)
	if v := values(t, store, report); v.Threshold.String() != "2" || f.calls != 2 {
		t.Errorf("after 60 s: threshold %s after %d calls", v.Threshold, f.calls)
	}
}

func TestTheLastGoodValuesAreServedWhileSSMFails(t *testing.T) {
	f := newSSM("none", "1", "0")
	store, clock, report := newStore(f)
	values(t, store, report)
	f.fail(errors.New("SSM is away"))

	clock.at = clock.at.Add(time.Minute)
	if v := values(t, store, report); v.Threshold.String() != "1" {
		t.Errorf("threshold %s", v.Threshold)
	}
	if report.metrics[parameters.RefreshFailures] != 1 || !strings.Contains(report.log.String(), "SSM is away") || !strings.Contains(report.log.String(), "level=WARN") {
		t.Errorf("reported %v and %s", report.metrics, report.log.String())
	}

	clock.at = clock.at.Add(5*time.Second - time.Nanosecond)
	values(t, store, report)
	if f.calls != 2 {
		t.Errorf("SSM was asked %d times, want 2: an outage must not slow down every trade", f.calls)
	}

	clock.at = clock.at.Add(time.Nanosecond)
	f.fail(nil)
	f.set("processing-threshold", "2")
	if v := values(t, store, report); v.Threshold.String() != "2" {
		t.Errorf("threshold %s after SSM came back", v.Threshold)
	}
	if report.metrics[parameters.RefreshFailures] != 1 {
		t.Errorf("reported %v", report.metrics)
	}
}

func TestParametersNeverReadAreUnavailable(t *testing.T) {
	f := newSSM("none", "1", "0")
	f.fail(errors.New("SSM is away"))
	store, _, report := newStore(f)
	_, err := store.Values(t.Context(), report)
	unavailable, ok := errors.AsType[*parameters.UnavailableError](err)
	if !ok || unavailable.ErrorType() != "ParametersUnavailable" || !strings.Contains(err.Error(), "SSM is away") || !strings.Contains(err.Error(), "/trade-processing/dev") {
		t.Fatalf("error %v", err)
	}
	f.fail(nil)
	if v := values(t, store, report); v.Threshold.String() != "1" {
		t.Errorf("threshold %s: the failure must not be remembered", v.Threshold)
	}
}

func TestAMalformedValueFailsClearlyAndKeepsTheLastGoodOnes(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"processing-threshold", "lots", `parameter processing-threshold: "lots" is not a decimal`},
		{"processing-threshold", "", `parameter processing-threshold: "" is not a decimal`},
		{"processing-threshold", "-1", `parameter processing-threshold: "-1" is negative`},
		{"processing-threshold", "1e999999999", `parameter processing-threshold: "1e999999999" is outside`},
		{"max-retries", "three", `parameter max-retries: "three" is not a whole number from 0 to 10`},
		{"max-retries", "-1", `parameter max-retries: "-1" is not a whole number`},
		{"max-retries", "11", `parameter max-retries: "11" is not a whole number`},
		{"api-endpoint", "", `parameter api-endpoint: the value is neither none nor an address`},
		{"api-endpoint", "market.example.com", `parameter api-endpoint: the value is neither none nor an address`},
		{"api-endpoint", "ftp://market.example.com", `parameter api-endpoint: the value is neither none nor an address`},
		{"api-endpoint", "https://", `parameter api-endpoint: the value is neither none nor an address`},
		{"api-endpoint", "http://[::1", `parameter api-endpoint: the value is neither none nor an address`},
	} {
		t.Run(test.name+" "+test.value, func(t *testing.T) {
			f := newSSM("none", "1", "2")
			store, clock, report := newStore(f)
			values(t, store, report)
			f.set(test.name, test.value)
			clock.at = clock.at.Add(time.Minute)
			if v := values(t, store, report); v.Threshold.String() != "1" || v.MaxRetries != 2 || v.Endpoint != nil {
				t.Errorf("%+v", v)
			}
			if !strings.Contains(strings.ReplaceAll(report.log.String(), `\"`, `"`), test.want) {
				t.Errorf("log %s, want %s", report.log.String(), test.want)
			}

			fresh, _, _ := newStore(f)
			if _, err := fresh.Values(t.Context(), report); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

// A function reads what it uses: a typo in another's parameter is none of its business.
func TestAFunctionIsNotStoppedByAParameterOfAnother(t *testing.T) {
	f := newSSM("https//typo", "1", "many")
	validator := parameters.New(f, "/trade-processing/dev/", time.Now, parameters.ThresholdName)
	if v, err := validator.Values(t.Context(), &reports{}); err != nil || v.Threshold.String() != "1" {
		t.Errorf("%+v, %v", v, err)
	}
	_, err := parameters.New(f, "/trade-processing/dev/", time.Now, parameters.EndpointName).Values(t.Context(), &reports{})
	if err == nil || strings.Contains(err.Error(), "typo") {
		t.Errorf("%v", err)
	}
}

// A value that SSM takes and a function refuses would fail every trade, and one that SSM refuses and a function takes
// couldn't be set.
func TestSSMTakesWhatTheFunctionsTake(t *testing.T) {
	near := map[string]*rapid.Generator[string]{
		parameters.EndpointName:   rapid.StringMatching(`(none|[hH]ttps?:?/?/?([a-z:%0-9]{0,6}@)?[A-Za-z0-9.\-\[\]:%_ ]{0,12}(:[0-9]{0,6})?([/?#][ -~é%]{0,8})?)\n?`),
		parameters.ThresholdName:  rapid.StringMatching(`[-+]?0?[0-9]{0,40}([.,]?[0-9]{0,40})?(e[0-9])?`),
		parameters.MaxRetriesName: rapid.StringMatching(`[-+]?[0-9]{0,3}`),
	}
	for name, pattern := range parameters.Patterns {
		allowed := regexp.MustCompile(pattern)
		if len(pattern) > 1024 {
			t.Errorf("%s: SSM takes patterns of 1024 characters", name)
		}
		within := rapid.StringMatching(pattern)
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			value := rapid.OneOf(within, near[name], rapid.String()).Draw(t, "value")
			if err := parameters.Check(name, value); (err == nil) != allowed.MatchString(value) {
				t.Errorf("SSM takes %q: %v; the functions: %v", value, allowed.MatchString(value), err)
			}
		}))
	}
}

func TestAllMissingParametersAreNamed(t *testing.T) {
	store, _, report := newStore(&fakeSSM{})
	_, err := store.Values(t.Context(), report)
	for _, name := range []string{"api-endpoint", "processing-threshold", "max-retries"} {
		if err == nil || !strings.Contains(err.Error(), "parameter "+name+" is missing") {
			t.Errorf("error %v doesn't name %s", err, name)
		}
	}
}

func TestABurstMakesOneCall(t *testing.T) {
	for name, failure := range map[string]error{"that succeeds": nil, "that fails": errors.New("SSM is away")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newSSM("none", "1", "0")
				f.delay = 100 * time.Millisecond
				f.fail(failure)
				store, _, report := newStore(f)
				var group sync.WaitGroup
				for range 100 {
					group.Go(func() {
						if v, err := store.Values(t.Context(), report); (err == nil) != (failure == nil) || err == nil && v.Threshold.String() != "1" {
							t.Errorf("%+v, %v", v, err)
						}
					})
				}
				group.Wait()
				if f.calls != 1 {
					t.Errorf("%d calls, want 1", f.calls)
				}
				if failure != nil && report.metrics[parameters.RefreshFailures] != 1 {
					t.Errorf("one failure was reported %d times", report.metrics[parameters.RefreshFailures])
				}
			})
		})
	}
}

// One impatient invocation must not cancel the refresh for the others that wait for it.
func TestACallerWhoLeavesDoesNotEndTheRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSSM("none", "1", "0")
		f.delay = time.Second
		store, _, report := newStore(f)
		impatient, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := store.Values(impatient, report); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the impatient caller got %v", err)
			}
		})
		synctest.Wait()
		group.Go(func() {
			if v, err := store.Values(t.Context(), report); err != nil || v.Threshold.String() != "1" {
				t.Errorf("the patient caller got %+v, %v", v, err)
			}
		})
		group.Wait()
		if f.calls != 1 {
			t.Errorf("%d calls, want 1", f.calls)
		}
	})
}

func TestARefreshThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSSM("none", "1", "0")
		store, clock, report := newStore(f)
		values(t, store, report)
		clock.at = clock.at.Add(time.Minute)
		f.delay = time.Hour
		started := time.Now()
		if v := values(t, store, report); v.Threshold.String() != "1" {
			t.Errorf("threshold %s", v.Threshold)
		}
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("served the last good values after %s", took)
		}
	})
}
