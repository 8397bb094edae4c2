package parameters_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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
		if err := s.Put(p); err != nil {
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
		if err := s.Put(text(fmt.Sprintf("/app/%02d", i), "x")); err != nil {
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
	for name, test := range map[string]struct {
		parameter parameters.Parameter
		code      string
	}{
		"an empty value":                        {text("/app/a", ""), "ValidationException"},
		"a value over four kibibytes":           {text("/app/a", strings.Repeat("x", 4097)), "ValidationException"},
		"a value with another parameter in it":  {text("/app/a", "x{{ssm:/app/b}}"), "ValidationException"},
		"a name with a space":                   {text("/app/a b", "x"), "ValidationException"},
		"a name that ends with a slash":         {text("/app/", "x"), "ValidationException"},
		"a name of SSM's own":                   {text("/SSM/a", "x"), "ValidationException"},
		"a name of AWS's own":                   {text("/aws/a", "x"), "ValidationException"},
		"a hierarchy that doesn't begin with /": {text("app/a", "x"), "ValidationException"},
		"sixteen levels":                        {text(strings.Repeat("/a", 16), "x"), "ValidationException"},
		"a name of 1,012 characters":            {text("/"+strings.Repeat("a", 1011), "x"), "ValidationException"},
		"an unknown type":                       {parameters.Parameter{Name: "/app/a", Type: "Text", Value: "x"}, "ValidationException"},
		"a list":                                {parameters.Parameter{Name: "/app/a", Type: types.ParameterTypeStringList, Value: "x,y"}, "ValidationException"},
		"a value that the pattern doesn't take": {parameters.Parameter{Name: "/app/a", Type: types.ParameterTypeString, Value: "1x", AllowedPattern: "[0-9]+"}, "ParameterPatternMismatchException"},
		"a pattern that is none":                {parameters.Parameter{Name: "/app/a", Type: types.ParameterTypeString, Value: "1", AllowedPattern: "["}, "InvalidAllowedPatternException"},
	} {
		t.Run(name, func(t *testing.T) {
			err := newStore(t).Put(test.parameter)
			if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != test.code {
				t.Errorf("got %v, want a %s", err, test.code)
			}
		})
	}
	for _, p := range []parameters.Parameter{
		text("plain", "x"), text("/"+strings.Repeat("a", 1010), "x"), text(strings.Repeat("/a", 15), "x"), text("/app/aws", "x"),
		{Name: "/app/a", Type: types.ParameterTypeString, Value: "12", AllowedPattern: "[0-9]+"},
	} {
		if err := newStore(t).Put(p); err != nil {
			t.Errorf("%.20s: %v", p.Name, err)
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	request := func(change func(*ssm.GetParametersByPathInput)) *ssm.GetParametersByPathInput {
		in := &ssm.GetParametersByPathInput{Path: aws.String("/app")}
		change(in)
		return in
	}
	for name, test := range map[string]struct {
		ctx     context.Context
		in      *ssm.GetParametersByPathInput
		problem string
	}{
		"no path":                {context.Background(), &ssm.GetParametersByPathInput{}, "ValidationException"},
		"a path without a slash": {context.Background(), request(func(in *ssm.GetParametersByPathInput) { in.Path = aws.String("app") }), "ValidationException"},
		"a path with a blank":    {context.Background(), request(func(in *ssm.GetParametersByPathInput) { in.Path = aws.String("/a b") }), "ValidationException"},
		"no results":             {context.Background(), request(func(in *ssm.GetParametersByPathInput) { in.MaxResults = aws.Int32(0) }), "ValidationException"},
		"eleven results":         {context.Background(), request(func(in *ssm.GetParametersByPathInput) { in.MaxResults = aws.Int32(11) }), "ValidationException"},
		"a token of one's own":   {context.Background(), request(func(in *ssm.GetParametersByPathInput) { in.NextToken = aws.String("2") }), "InvalidNextToken"},
		"a token of another path": {context.Background(), request(func(in *ssm.GetParametersByPathInput) {
			in.NextToken = aws.String("L290aGVyL2E")
		}), "InvalidNextToken"},
		"a filter": {context.Background(), request(func(in *ssm.GetParametersByPathInput) {
			in.ParameterFilters = []types.ParameterStringFilter{{}}
		}), "does not support ParameterFilters"},
		"a context that has ended": {canceled, request(func(*ssm.GetParametersByPathInput) {}), "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newStore(t, text("/app/a", "x")).GetParametersByPath(test.ctx, test.in)
			var operation *smithy.OperationError
			if !errors.As(err, &operation) || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("got %v, want it to say %q", err, test.problem)
			}
		})
	}
}

func TestParametersThatComeAndGoBetweenPagesMoveNoOthers(t *testing.T) {
	s := newStore(t)
	for i := range 20 {
		if err := s.Put(text(fmt.Sprintf("/app/%02d", i), "x")); err != nil {
			t.Fatal(err)
		}
	}
	in := &ssm.GetParametersByPathInput{Path: aws.String("/app")}
	first, err := s.GetParametersByPath(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	s.Delete("/app/00")
	s.Delete("/app/09")
	in.NextToken = first.NextToken
	second, err := s.GetParametersByPath(context.Background(), in)
	if err != nil || len(second.Parameters) != 10 || *second.Parameters[0].Name != "/app/10" || second.NextToken != nil {
		t.Errorf("the second page is %+v: %v", second, err)
	}
}

// The functions read with the SDK's own paginator.
func TestThePaginatorOfTheSDKWorks(t *testing.T) {
	s := newStore(t, text("/app/a", "1"), text("/app/b", "2"), text("/app/c", "3"))
	pages := ssm.NewGetParametersByPathPaginator(s, &ssm.GetParametersByPathInput{Path: aws.String("/app/")},
		func(o *ssm.GetParametersByPathPaginatorOptions) { o.Limit = 2 })
	var values []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Parameters {
			values = append(values, *p.Value)
		}
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, values); diff != "" {
		t.Error(diff)
	}
}

func TestSixtyFourWritersAndReadersAgree(t *testing.T) {
	s := newStore(t)
	var group sync.WaitGroup
	for w := range 64 {
		group.Go(func() {
			for range 50 {
				if err := s.Put(text(fmt.Sprint("/app/", w%8), "x")); err != nil {
					t.Error(err)
				}
				if _, err := s.GetParametersByPath(context.Background(), &ssm.GetParametersByPathInput{Path: aws.String("/app")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	out, err := s.GetParametersByPath(context.Background(), &ssm.GetParametersByPathInput{Path: aws.String("/app")})
	if err != nil || len(out.Parameters) != 8 {
		t.Errorf("%d parameters: %v", len(out.Parameters), err)
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
