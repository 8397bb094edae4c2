package parameters

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"golang.org/x/sync/singleflight"
)

const (
	// Lifetime is how long values stay fresh.
	Lifetime = 60 * time.Second

	// retryAfter is how long the last good values are served after a failed refresh before asking SSM again, so an SSM
	// outage doesn't add its timeouts to every trade.
	retryAfter = 5 * time.Second

	// refreshTimeout bounds one refresh, including all its pages and the SDK's own retries.
	refreshTimeout = 3 * time.Second

	// RefreshFailures is the metric that counts failed refreshes, whether or not older values could be served.
	RefreshFailures = "ParameterRefreshFailures"
)

// API is what the store needs from SSM.
type API interface {
	GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error)
}

// Reporter is where a failed refresh is reported: the invocation that ran into it (*function.Call).
type Reporter interface {
	Log() *slog.Logger
	Count(metric string, n int)
}

// Store keeps the parameters under one prefix for Lifetime. It serves the last good values if SSM fails or a value is
// malformed, and refreshes once however many callers ask at the same time. It is safe for concurrent use.
type Store struct {
	api    API
	path   string
	names  []string // of the parameters that are read
	now    func() time.Time
	flight singleflight.Group
	last   atomic.Pointer[reading] // the last good one
}

// reading is a set of values, and how long they are served without asking SSM.
type reading struct {
	values Values
	until  time.Time
}

// New returns a store for the parameters with these names under a prefix like /trade-processing/dev/. It asks SSM on
// the first call of Values.
func New(api API, prefix string, now func() time.Time, names ...string) *Store {
	return &Store{api: api, path: "/" + strings.Trim(prefix, "/"), names: names, now: now}
}

// Values returns the parameters, at most Lifetime old as long as SSM answers. The error is an *UnavailableError: SSM
// couldn't be read, and there are no older values to serve.
func (s *Store) Values(ctx context.Context, report Reporter) (Values, error) {
	if r := s.last.Load(); r != nil && s.now().Before(r.until) {
		return r.values, nil
	}
	// The refresh outlives the call that started it, because others may be waiting for it.
	result := s.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
		defer cancel()
		return s.refresh(ctx), nil
	})
	select {
	case <-ctx.Done():
		return s.fallBack(fmt.Errorf("waiting for SSM: %w", ctx.Err()))
	case r := <-result:
		refreshed := r.Val.(*outcome)
		if refreshed.err == nil {
			return refreshed.values, nil
		}
		refreshed.reported.Do(func() {
			report.Count(RefreshFailures, 1)
			report.Log().Warn("the parameters couldn't be refreshed", "path", s.path, "error", refreshed.err.Error())
		})
		return s.fallBack(refreshed.err)
	}
}

// fallBack serves the last good values instead of an error, if there are any.
func (s *Store) fallBack(err error) (Values, error) {
	if r := s.last.Load(); r != nil {
		return r.values, nil
	}
	return Values{}, &UnavailableError{Path: s.path, Err: err}
}

// outcome is the end of one refresh, shared by all who waited for it; one of them reports its error.
type outcome struct {
	values   Values
	err      error
	reported sync.Once
}

func (s *Store) refresh(ctx context.Context) *outcome {
	if r := s.last.Load(); r != nil && s.now().Before(r.until) {
		return &outcome{values: r.values} // another refresh ended between this caller's check and its turn
	}
	values, err := s.load(ctx)
	if err == nil {
		s.last.Store(&reading{values: values, until: s.now().Add(Lifetime)})
	} else if old := s.last.Load(); old != nil {
		s.last.Store(&reading{values: old.values, until: s.now().Add(retryAfter)})
	}
	return &outcome{values: values, err: err}
}

// load reads all pages. The values come from one consistent reading: a single malformed value keeps all the old ones.
func (s *Store) load(ctx context.Context) (Values, error) {
	texts := map[string]string{}
	pages := ssm.NewGetParametersByPathPaginator(s.api, &ssm.GetParametersByPathInput{
		Path:           aws.String(s.path),
		WithDecryption: aws.Bool(true),
	}, func(o *ssm.GetParametersByPathPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Values{}, fmt.Errorf("reading the parameters under %s: %w", s.path, err)
		}
		for _, p := range page.Parameters {
			texts[strings.TrimPrefix(aws.ToString(p.Name), s.path+"/")] = aws.ToString(p.Value)
		}
	}
	return parse(texts, s.names)
}

// UnavailableError means that the parameters have never been read, and can't be now. It is transient.
type UnavailableError struct {
	Path string
	Err  error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the parameters under %s are unavailable: %v", e.Path, e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// ErrorType returns the error's name as Step Functions sees it.
func (*UnavailableError) ErrorType() string { return "ParametersUnavailable" }
