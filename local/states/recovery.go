package states

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// retrier says for which errors, how often and after which delays a state is retried.
type retrier struct {
	errors   []string
	interval time.Duration
	rate     float64 // by which each further delay grows
	attempts int     // retries, not calls
	longest  time.Duration
	jitter   bool
}

// catcher says where to continue after errors that retries didn't fix.
type catcher struct {
	errors     []string
	resultPath *path
	next       string
}

type retryFields struct {
	ErrorEquals     []string
	IntervalSeconds int
	BackoffRate     float64
	MaxAttempts     int
	MaxDelaySeconds int // 0: none
	JitterStrategy  string
}

type catchFields struct {
	ErrorEquals []string
	ResultPath  any // a path, or null
	Next        string
}

// maxDelay is the first number of seconds that MaxDelaySeconds may not be, a leap year.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const maxDelay = 31622400

func (c *compiler) retrier(at string, s *state, members map[string]any, last bool) {
	read := retryFields{IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 3, JitterStrategy: "NONE"}
	if !c.read(at, members, &read) {
		return
	}
	c.errorNames(at, read.ErrorEquals, last)
	if n := read.IntervalSeconds; n < 1 || n > maxSeconds {
		c.problem(at, "IntervalSeconds is %d; it is from 1 to %d", n, maxSeconds)
	}
	if n := read.MaxAttempts; n < 0 || n > maxSeconds { // the same bound, of a number of times
		c.problem(at, "MaxAttempts is %d; it is from 0 to %d", n, maxSeconds)
	}
	if read.BackoffRate < 1 {
		c.problem(at, "BackoffRate is %v; it is 1.0 or more", read.BackoffRate)
	}
	if n := read.MaxDelaySeconds; n != 0 && (n <= read.IntervalSeconds || n >= maxDelay) {
		c.problem(at, "MaxDelaySeconds is %d; it is more than IntervalSeconds and less than %d", n, maxDelay)
	}
	if read.JitterStrategy != "NONE" && read.JitterStrategy != "FULL" {
		c.problem(at, "JitterStrategy %s is not supported here", read.JitterStrategy)
	}
	s.retriers = append(s.retriers, retrier{
		errors: read.ErrorEquals, rate: read.BackoffRate, attempts: read.MaxAttempts, jitter: read.JitterStrategy == "FULL",
		interval: time.Duration(read.IntervalSeconds) * time.Second,
		longest:  time.Duration(cmp.Or(read.MaxDelaySeconds, maxSeconds)) * time.Second,
	})
}

func (c *compiler) catcher(at string, s *state, members map[string]any, last bool) {
	read := catchFields{ResultPath: "$"}
	if !c.read(at, members, &read) {
		return
	}
	c.errorNames(at, read.ErrorEquals, last)
	s.catchers = append(s.catchers, catcher{errors: read.ErrorEquals, next: read.Next, resultPath: c.resultPath(at, read.ResultPath)})
}

// errorNames checks a list of errors: States.ALL must be alone and last, and any other name that begins with States.
// must be one that Step Functions raises.
func (c *compiler) errorNames(at string, names []string, last bool) {
	if len(names) == 0 || slices.Contains(names, "") {
		c.problem(at, "ErrorEquals is empty, or has an empty name")
	}
	if slices.Contains(names, AllErrors) && (len(names) > 1 || !last) {
		c.problem(at, "States.ALL must be alone, in the last of the list")
	}
	for _, name := range names {
		if strings.HasPrefix(name, "States.") && !slices.Contains(reserved, name) {
			c.problem(at, "%s is not an error that Step Functions raises", name)
		}
	}
}

// delay returns how long to wait before retry n, counted from 0.
func (r retrier) delay(n int, random func() float64) time.Duration {
	delay := min(float64(r.interval)*math.Pow(r.rate, float64(n)), float64(r.longest))
	if r.jitter {
		delay *= random()
	}
	return time.Duration(delay)
}
