package parameters_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/parameters"
)

func newStore(t *testing.T, all ...parameters.Parameter) *parameters.Store {
	t.Helper()
	s := parameters.New(clock.NewVirtual(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)), nil)
	for _, p := range all {
		if _, err := s.Put(p); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func text(name, value string) parameters.Parameter {
	return parameters.Parameter{Name: name, Type: types.ParameterTypeString, Value: value}
}

func TestAPathListsWhatIsBelowIt(t *testing.T) {
	s := newStore(t, text("/app/dev/a", "1"), text("/app/dev/b", "2"), text("/app/dev/deep/c", "3"), text("/app/development/d", "4"))
	for name, test := range map[string]struct {
		path      string
		recursive bool
		want      []string
	}{
		"one level":                   {"/app/dev", false, []string{"/app/dev/a", "/app/dev/b"}},
		"a slash at the end is taken": {"/app/dev/", false, []string{"/app/dev/a", "/app/dev/b"}},
		"all levels":                  {"/app/dev", true, []string{"/app/dev/a", "/app/dev/b", "/app/dev/deep/c"}},
		"a path that holds nothing":   {"/other", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := s.GetParametersByPath(context.Background(), &ssm.GetParametersByPathInput{Path: &test.path, Recursive: &test.recursive})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range out.Parameters {
				got = append(got, *p.Name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPagesTogetherHoldEveryParameterOnce(t *testing.T) {
	s := newStore(t)
	for i := range 25 {
		if _, err := s.Put(text(fmt.Sprintf("/app/%02d", i), "x")); err != nil {
			t.Fatal(err)
		}
	}
	pages, seen := 0, map[string]bool{}
	pager := ssm.NewGetParametersByPathPaginator(s, &ssm.GetParametersByPathInput{Path: aws.String("/app")})
	for pager.HasMorePages() {
		out, err := pager.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range out.Parameters {
			seen[*p.Name] = true
		}
		pages++
	}
	if pages != 3 || len(seen) != 25 {
		t.Errorf("%d parameters on %d pages, want 25 on 3", len(seen), pages)
	}
}

func TestASecretIsToldOnlyDecrypted(t *testing.T) {
	s := newStore(t, parameters.Parameter{Name: "/app/secret", Type: types.ParameterTypeSecureString, Value: "s3cret"})
	for _, decrypt := range []bool{true, false} {
		out, err := s.GetParametersByPath(context.Background(), &ssm.GetParametersByPathInput{Path: aws.String("/app"), WithDecryption: &decrypt})
		if err != nil {
			t.Fatal(err)
		}
		if told := *out.Parameters[0].Value == "s3cret"; told != decrypt {
			t.Errorf("WithDecryption %v: the value is told: %v", decrypt, told)
		}
	}
}

func TestWhatSSMRefusesIsRefused(t *testing.T) {
	for name, p := range map[string]parameters.Parameter{
		"an empty value":                        text("/app/a", ""),
		"a name with a space":                   text("/app/a b", "x"),
		"an unknown type":                       {Name: "/app/a", Type: "Text", Value: "x"},
		"a value that the pattern doesn't take": {Name: "/app/a", Type: types.ParameterTypeString, Value: "x", AllowedPattern: "[0-9]+"},
		"a value over four kibibytes":           text("/app/a", string(make([]byte, 4097))),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newStore(t).Put(p); err == nil {
				t.Error("taken")
			}
		})
	}
	_, err := newStore(t).GetParametersByPath(context.Background(), &ssm.GetParametersByPathInput{Path: aws.String("app")})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "ValidationException" {
		t.Errorf("a path without a slash: %v, want a ValidationException", err)
	}
}

func TestAFaultIsAnsweredAsTheSDKWould(t *testing.T) {
	throttled := &types.ThrottlingException{Message: aws.String("Rate exceeded")}
	s := parameters.New(clock.Real(), func(fault.Call) fault.Fault { return fault.Fault{Err: throttled} })
	_, err := s.GetParametersByPath(context.Background(), &ssm.GetParametersByPathInput{Path: aws.String("/app")})
	if !errors.Is(err, throttled) {
		t.Errorf("got %v, want the fault's error", err)
	}
}

func TestAnOptionThatWouldBeIgnoredIsRefused(t *testing.T) {
	_, err := newStore(t).GetParametersByPath(context.Background(), &ssm.GetParametersByPathInput{Path: aws.String("/app")},
		func(o *ssm.Options) { o.Region = "eu-west-1" })
	if err == nil {
		t.Error("another region was taken and ignored")
	}
}

func TestEachPutIsAVersion(t *testing.T) {
	s := newStore(t)
	for want := int64(1); want <= 3; want++ {
		if got, err := s.Put(text("/app/a", fmt.Sprint(want))); err != nil || got != want {
			t.Errorf("version %d, %v; want %d", got, err, want)
		}
	}
}
