package stack

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"trade-processing/components/declared"
	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/validator"
)

// find returns the one resource of a type whose logical name ends like this.
func find(t testing.TB, stack *declared.Stack, typ, end string) *declared.Resource {
	t.Helper()
	found, err := stack.Find(typ, end)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestParametersHoldTheConfig(t *testing.T) {
	stack := declare(t, "dev", set{"apiEndpoint": "https://api.example.com", "apiEndpointCidrs": []string{"203.0.113.0/24"}, "processingThreshold": "1000"})
	for name, want := range map[string]string{"api-endpoint": "https://api.example.com", "processing-threshold": "1000", "max-retries": "3"} {
		if got := find(t, stack, "aws:ssm/parameter:Parameter", name).Text("value"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if unset := find(t, declare(t, "dev", nil), "aws:ssm/parameter:Parameter", "api-endpoint").Text("value"); unset != "none" {
		t.Errorf("without an API it is %q; SSM refuses an empty value", unset)
	}
}

// shelf is an SSM that holds these values, by name.
type shelf map[string]string

func (s shelf) GetParametersByPath(_ context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	out := &ssm.GetParametersByPathOutput{}
	for name, value := range s {
		out.Parameters = append(out.Parameters, types.Parameter{Name: aws.String(*in.Path + "/" + name), Value: aws.String(value)})
	}
	return out, nil
}

// nobody takes reports.
type nobody struct{}

func (nobody) Log() *slog.Logger { return slog.New(slog.DiscardHandler) }
func (nobody) Count(string, int) {}

// A function that starts with a value it refuses fails every trade, so SSM must refuse it first.
func TestSSMRefusesTheValuesThatTheFunctionsRefuse(t *testing.T) {
	good := shelf{"api-endpoint": "none", "processing-threshold": "1000", "max-retries": "3"}
	stack := declare(t, "dev", nil)
	for name, values := range map[string]struct{ taken, refused []string }{
		"api-endpoint": {
			[]string{"none", "http://10.0.0.1", "https://api.example.com:8443/v1?a=b", "https://api.example.com/"},
			[]string{"", "None", "api.example.com", "https://", "https:///v1", "ftp://api.example.com", "https://api example.com", " none"},
		},
		"processing-threshold": {[]string{"0", "1000000", "0.5", "12345678901234567890123456789012345678"}, []string{"", "-1", "1,000", "1.", ".5", "1 000", "many", "1000\n"}},
		"max-retries":          {[]string{"0", "9", "10"}, []string{"", "-1", "11", "3.0", "three", "100"}},
	} {
		allowed := regexp.MustCompile(find(t, stack, "aws:ssm/parameter:Parameter", name).Text("allowedPattern"))
		for _, value := range append(slices.Clone(values.taken), values.refused...) {
			changed := maps.Clone(good)
			changed[name] = value
			_, err := parameters.New(changed, "/trades/test/", time.Now, parameters.EndpointName, parameters.ThresholdName, parameters.MaxRetriesName).Values(t.Context(), nobody{})
			if taken := slices.Contains(values.taken, value); allowed.MatchString(value) != taken || taken && err != nil {
				t.Errorf("%s %q: SSM takes it is %v, and the functions say %v", name, value, allowed.MatchString(value), err)
			}
		}
	}
}

func TestFunctionsGetTheirEnvironment(t *testing.T) {
	stack := declare(t, "dev", set{"allowedCurrencies": []string{"USDC", "USDT"}, "retentionYears": 7})
	all := map[string]any{"ENVIRONMENT": "dev", "LOG_LEVEL": "DEBUG", "METRICS_NAMESPACE": "TradeProcessing"}
	for name, more := range map[string]map[string]any{
		"validator": {"MAX_CLOCK_SKEW": "5m0s", "PARAMETER_PREFIX": "/trade-processing/dev/", "SOURCES": "system1,system2,system3", "ALLOWED_CURRENCIES": "USDC,USDT"},
		"enricher":  {"PARAMETER_PREFIX": "/trade-processing/dev/"},
		"recorder":  {"TABLE_NAME": "trade-processing-dev-trades", "RETENTION_YEARS": "7"},
	} {
		want := maps.Clone(all)
		maps.Copy(want, more)
		function := find(t, stack, "aws:lambda/function:Function", name+"-function")
		if diff := cmp.Diff(want, function.At("environment.variables")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A variable that the stack sets but no function reads would have no effect, and neither would one that a function
// reads but the stack never sets.
func TestFunctionsReadWhatTheyGet(t *testing.T) {
	stack := declare(t, "dev", set{"allowedCurrencies": []string{"USDC", "USDT"}, "retentionYears": 7})
	for name, start := range map[string]func(function.Environment) error{
		validator.Name: func(e function.Environment) error { _, err := validator.New(e, nil); return err },
		enricher.Name:  func(e function.Environment) error { _, err := enricher.New(e, nil, http.DefaultClient); return err },
		recorder.Name:  func(e function.Environment) error { _, err := recorder.New(e, nil); return err },
	} {
		set, _ := find(t, stack, "aws:lambda/function:Function", name+"-function").At("environment.variables").(map[string]any)
		read := map[string]bool{}
		if err := start(function.Environment{Output: io.Discard, Now: time.Now, Getenv: func(variable string) string {
			read[variable] = true
			value, _ := set[variable].(string)
			return value
		}}); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(set)), slices.Sorted(maps.Keys(read))); diff != "" {
			t.Errorf("the %s gets (-) and reads (+): %s", name, diff)
		}
	}
}

func TestOnlyTheEnricherReachesTheAPI(t *testing.T) {
	stack := declare(t, "dev", set{"apiEndpoint": "https://api.example.com:8443", "apiEndpointCidrs": []string{"203.0.113.0/24"}})
	rule := find(t, stack, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "api-out-1")
	if rule.Text("cidrIpv4") != "203.0.113.0/24" || rule.At("fromPort") != 8443.0 || rule.At("toPort") != 8443.0 {
		t.Errorf("the way out is %v", rule.Inputs)
	}
	for name, groups := range map[string]int{"validator": 1, "enricher": 2, "recorder": 1} {
		function := find(t, stack, "aws:lambda/function:Function", name+"-function")
		given, _ := function.At("vpcConfig.securityGroupIds").([]any)
		if len(given) != groups || slices.Contains(given, any(rule.Text("securityGroupId"))) != (groups == 2) {
			t.Errorf("%s is in the groups %v", name, given)
		}
	}
}

func TestTheShareOfRejectedTradesRaisesAnAlarm(t *testing.T) {
	alarm := find(t, declare(t, "dev", nil), "aws:cloudwatch/metricAlarm:MetricAlarm", "rejections")
	want := map[string]any{"Environment": "dev", "Function": "recorder"}
	if diff := cmp.Diff(want, alarm.At("dimensions")); diff != "" || alarm.At("threshold") != 0.05 || alarm.Text("statistic") != "Average" {
		t.Errorf("inputs %v", alarm.Inputs)
	}
	// Each period must breach by itself: one bad period of three isn't a bad quarter of an hour.
	said := fmt.Sprintf("in each of %v periods of %v minutes in a row", alarm.At("evaluationPeriods"), alarm.At("period").(float64)/60)
	if !strings.Contains(alarm.Text("alarmDescription"), said) {
		t.Errorf("it says %q, and goes off after %s", alarm.Text("alarmDescription"), said)
	}
}
