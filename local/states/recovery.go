package states

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// retrier says for which errors, how often and after which delays a state is tried again.
type retrier struct {
	errors   []string
	interval time.Duration
	rate     float64 // by which each further delay grows
	attempts int     // retries, not calls
	longest  time.Duration
	jitter   bool
}

// catcher says where to go on after errors that no retry mended.
type catcher struct {
	errors     []string
	resultPath *path
	next       string
}

type retryFields struct {
	Comment         *string
	ErrorEquals     []string
	IntervalSeconds *int
	BackoffRate     *float64
	MaxAttempts     *int
	MaxDelaySeconds *int
	JitterStrategy  string
}

type catchFields struct {
	Comment     *string
	ErrorEquals []string
	ResultPath  json.RawMessage
	Next        string
}

// maxDelay is the first number of seconds that MaxDelaySeconds may not be, a leap year.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const maxDelay = 31622400

func (c *compiler) retriers(at string, s *state, texts []json.RawMessage) {
	for i, text := range texts {
		at := fmt.Sprintf("%s: Retry[%d]", at, i)
		members := c.members(at, text)
		if members == nil {
			continue
		}
		var read retryFields
		c.read(at, members, &read)
		c.errorNames(at, read.ErrorEquals, i == len(texts)-1)
		r := retrier{errors: read.ErrorEquals, interval: time.Second, rate: 2, attempts: 3, longest: maxSeconds * time.Second}
		if read.IntervalSeconds != nil {
			r.interval = c.seconds(at, "IntervalSeconds", read.IntervalSeconds, 1)
		}
		if n := read.MaxAttempts; n != nil {
			if *n < 0 || *n > maxSeconds { // the same bound, of a number of times
				c.problem(at, "MaxAttempts is %d; it is from 0 to %d", *n, maxSeconds)
			}
			r.attempts = *n
		}
		if read.BackoffRate != nil {
			if r.rate = *read.BackoffRate; r.rate < 1 {
				c.problem(at, "BackoffRate is %v; it is 1.0 or more", r.rate)
			}
		}
		if n := read.MaxDelaySeconds; n != nil {
			if r.longest = time.Duration(*n) * time.Second; *n >= maxDelay || r.longest <= r.interval {
				c.problem(at, "MaxDelaySeconds is %d; it is more than IntervalSeconds and less than %d", *n, maxDelay)
			}
		}
		switch read.JitterStrategy {
		case "FULL":
			r.jitter = true
		case "", "NONE":
		default:
			c.problem(at, "JitterStrategy %s is not known here", read.JitterStrategy)
		}
		s.retriers = append(s.retriers, r)
	}
}

func (c *compiler) catchers(at string, s *state, texts []json.RawMessage) {
	for i, text := range texts {
		at := fmt.Sprintf("%s: Catch[%d]", at, i)
		members := c.members(at, text)
		if members == nil {
			continue
		}
		var read catchFields
		c.read(at, members, &read)
		c.errorNames(at, read.ErrorEquals, i == len(texts)-1)
		if read.Next == "" {
			c.problem(at, "has no Next")
			continue
		}
		s.catchers = append(s.catchers, catcher{
			errors: read.ErrorEquals, next: read.Next,
			resultPath: c.path(at, "ResultPath", read.ResultPath, compileResultPath),
		})
	}
}

// errorNames checks a list of errors: States.ALL stands alone and last, and another name that begins with States. is
// one that Step Functions raises.
func (c *compiler) errorNames(at string, names []string, last bool) {
	if len(names) == 0 {
		c.problem(at, "has no ErrorEquals")
	}
	if slices.Contains(names, AllErrors) && (len(names) > 1 || !last) {
		c.problem(at, "States.ALL stands alone, in the last of the list")
	}
	for _, name := range names {
		if strings.HasPrefix(name, "States.") && !slices.Contains(reserved, name) {
			c.problem(at, "%s is no error that Step Functions raises", name)
		}
	}
}

// delay is how long to wait before retry n, counted from 0.
func (r retrier) delay(n int, random func() float64) time.Duration {
	delay := min(float64(r.interval)*math.Pow(r.rate, float64(n)), float64(r.longest))
	if r.jitter {
		delay *= random()
	}
	return time.Duration(delay)
}
