package function_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"trade-processing/lambdas/function"
)

func variables(v map[string]string) function.Environment {
	return function.Environment{Getenv: func(name string) string { return v[name] }, Now: time.Now}
}

func TestSettingsAreRead(t *testing.T) {
	s := function.ReadSettings(variables(map[string]string{
		"ENVIRONMENT": "dev", "NAME": " table ", "SKEW": "90s", "LIST": "a, b ,c",
	}), "recorder")
	if got := s.Required("NAME", "a name"); got != "table" {
		t.Errorf("NAME %q", got)
	}
	if got := s.Optional("OTHER", "default"); got != "default" {
		t.Errorf("OTHER %q", got)
	}
	if got := s.Duration("SKEW", time.Minute); got != 90*time.Second {
		t.Errorf("SKEW %s", got)
	}
	if got := s.Duration("OTHER", time.Minute); got != time.Minute {
		t.Errorf("OTHER %s", got)
	}
	if got := s.List("LIST"); !reflect.DeepEqual(got, []string{"a", "b", "c"}) {
		t.Errorf("LIST %q", got)
	}
	if got := s.List("OTHER"); got != nil {
		t.Errorf("OTHER %q", got)
	}
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}

func TestAllProblemsAreReportedAtOnceByName(t *testing.T) {
	s := function.ReadSettings(variables(map[string]string{
		"LOG_LEVEL": "LOUD", "BLANK": "  ", "SKEW": "5", "NEGATIVE": "-5m", "TWICE": "a,b,a", "GAP": "a,,b",
	}), "validator")
	s.Required("MISSING", "something")
	s.Required("BLANK", "something else")
	s.Duration("SKEW", time.Minute)
	s.Duration("NEGATIVE", time.Minute)
	s.List("TWICE")
	s.List("GAP")
	s.Problem("OWN", "%d is odd", 7)

	problems, ok := errors.AsType[*function.SettingsError](s.Err())
	if !ok {
		t.Fatalf("error %v, want a SettingsError", s.Err())
	}
	var named []string
	for _, p := range problems.Problems {
		name, _, _ := strings.Cut(p, ":")
		named = append(named, name)
		if !strings.Contains(problems.Error(), p) {
			t.Errorf("the message lacks %q", p)
		}
	}
	want := []string{"ENVIRONMENT", "LOG_LEVEL", "MISSING", "BLANK", "SKEW", "NEGATIVE", "TWICE", "GAP", "OWN"}
	if !reflect.DeepEqual(named, want) {
		t.Errorf("problems with %q, want %q", named, want)
	}
	if !strings.HasPrefix(problems.Error(), "environment of the validator function: ") {
		t.Errorf("the message doesn't say whose: %s", problems)
	}
}
