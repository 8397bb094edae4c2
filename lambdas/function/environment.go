// Package function is what the Lambda functions share: how they read their environment, and the middleware that turns a
// typed function into a lambda.Handler with structured logs, metrics, named errors and recovered panics.
package function

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
)

// Environment is what a function takes from the process it runs in. Tests and the local cloud provide their own.
type Environment struct {
	// Getenv returns an environment variable's value, empty if it isn't set.
	Getenv func(string) string

	// Output receives log lines and metrics, one JSON object per line, each in one Write. Two goroutines never write to it
	// at the same time.
	Output io.Writer

	// Now is the clock.
	Now func() time.Time
}

// Process returns the environment of a function that Lambda runs.
func Process() Environment {
	return Environment{Getenv: os.Getenv, Output: os.Stdout, Now: time.Now}
}

// Settings reads a function's environment variables and collects the problems, so a deployment learns of all of them at
// once. Each method returns the zero value if the variable is wrong; don't use anything until Err returns nil.
type Settings struct {
	environment Environment
	function    string
	problems    []string

	stack     string
	namespace string
	level     slog.Level
}

// MetricsNamespace is the CloudWatch namespace of the functions' metrics, unless METRICS_NAMESPACE names another.
const MetricsNamespace = "TradeProcessing"

// ReadSettings starts reading the settings of the named function. It reads the variables common to all functions right
// away: ENVIRONMENT, METRICS_NAMESPACE (default TradeProcessing), LOG_LEVEL (DEBUG, INFO, WARN or ERROR, default INFO).
func ReadSettings(environment Environment, function string) *Settings {
	s := &Settings{environment: environment, function: function}
	s.stack = s.Required("ENVIRONMENT", "the stack's environment, such as dev")
	s.namespace = s.Optional("METRICS_NAMESPACE", MetricsNamespace)
	level := s.Optional("LOG_LEVEL", "INFO")
	if err := s.level.UnmarshalText([]byte(level)); err != nil {
		s.Problem("LOG_LEVEL", "%q is not a log level; use DEBUG, INFO, WARN or ERROR", level)
	}
	return s
}

// Problem records that a variable is wrong.
func (s *Settings) Problem(variable, format string, args ...any) {
	s.problems = append(s.problems, variable+": "+fmt.Sprintf(format, args...))
}

// Required reads a variable that must be set; meaning describes its value.
func (s *Settings) Required(variable, meaning string) string {
	value := strings.TrimSpace(s.environment.Getenv(variable))
	if value == "" {
		s.Problem(variable, "is not set; it should be %s", meaning)
	}
	return value
}

// Optional reads a variable that has a default.
func (s *Settings) Optional(variable, byDefault string) string {
	if value := strings.TrimSpace(s.environment.Getenv(variable)); value != "" {
		return value
	}
	return byDefault
}

// Duration reads a Go duration of 0 or more, such as 5m.
func (s *Settings) Duration(variable string, byDefault time.Duration) time.Duration {
	text := s.Optional(variable, byDefault.String())
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		s.Problem(variable, "%q is not a duration of 0 or more; write it like %s", text, byDefault)
		return 0
	}
	return d
}

// List reads comma-separated values; empty if the variable isn't set. White space around a value is dropped; an empty
// or repeated value is a problem.
func (s *Settings) List(variable string) []string {
	text := s.Optional(variable, "")
	if text == "" {
		return nil
	}
	seen := map[string]bool{}
	var values []string
	for value := range strings.SplitSeq(text, ",") {
		value = strings.TrimSpace(value)
		switch {
		case value == "":
			s.Problem(variable, "%q has an empty value between its commas", text)
			return nil
		case seen[value]:
			s.Problem(variable, "%q lists %s twice", text, value)
			return nil
		}
		seen[value] = true
		values = append(values, value)
	}
	return values
}

// Now returns the time from the environment's clock.
func (s *Settings) Now() time.Time { return s.environment.Now() }

// Err returns nil, or an error that lists every problem found so far.
func (s *Settings) Err() error {
	if len(s.problems) == 0 {
		return nil
	}
	return &SettingsError{Function: s.function, Problems: s.problems}
}

// SettingsError lists the problems with a function's environment variables. Each begins with the variable's name.
type SettingsError struct {
	Function string
	Problems []string
}

func (e *SettingsError) Error() string {
	return fmt.Sprintf("environment of the %s function: %s", e.Function, strings.Join(e.Problems, "; "))
}

// ErrorType returns the error's name as callers see it.
func (*SettingsError) ErrorType() string { return InvalidEnvironment }
