package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/validator"
	"trade-processing/local/cloud"
)

// putParameters creates the program's parameters as the program declares them, and returns their path.
func putParameters(t testing.TB, here *cloud.Cloud, client *ssm.Client) string {
	t.Helper()
	var folder string
	for _, declared := range all(t, here, cloud.ParameterType) {
		put := &ssm.PutParameterInput{}
		for name, value := range declared.Inputs {
			switch name {
			case "name":
				put.Name = aws.String(value.(string))
				folder = path.Dir(value.(string))
			case "value":
				put.Value = aws.String(value.(string))
			case "type":
				put.Type = types.ParameterType(value.(string))
			case "description":
				put.Description = aws.String(value.(string))
			case "allowedPattern":
				put.AllowedPattern = aws.String(value.(string))
			case "tags", "tagsAll": // irrelevant to what is read
			default:
				t.Fatalf("the parameter's input %s is new: say here what becomes of it", name)
			}
		}
		if _, err := client.PutParameter(t.Context(), put); err != nil {
			t.Fatalf("moto refuses parameter %s: %v", declared.Name, err)
		}
	}
	return folder
}

// reviewing is a validator whose threshold for a review comes from moto's SSM.
type reviewing struct {
	t       *testing.T
	front   *front
	client  *ssm.Client // goes to moto past the front
	prefix  string
	handler lambda.Handler

	mu     sync.Mutex
	now    time.Time
	output bytes.Buffer
}

func newReviewing(t *testing.T) *reviewing {
	t.Helper()
	endpoint := startMoto(t)
	r := &reviewing{t: t, front: newFront(t).before(t, endpoint), client: ssm.NewFromConfig(clients(t, endpoint)), now: noon}
	here := deploy(t, cloud.Options{})
	r.prefix = putParameters(t, here, r.client)
	environment := environmentOf(t, here, "validator-function")
	if own := strings.TrimSuffix(environment.Getenv("PARAMETER_PREFIX"), "/"); own != r.prefix {
		t.Fatalf("the validator reads %s, and the parameters are in %s", own, r.prefix)
	}
	environment.Output = &r.output
	environment.Now = func() time.Time {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.now
	}
	var err error
	if r.handler, err = validator.New(environment, ssm.NewFromConfig(clients(t, r.front.Endpoint))); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reviewing) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *reviewing) put(name, value string) {
	r.t.Helper()
	_, err := r.client.PutParameter(r.t.Context(), &ssm.PutParameterInput{
		Name: aws.String(r.prefix + "/" + name), Value: aws.String(value), Overwrite: aws.Bool(true),
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// review returns whether a trade of an amount is flagged for review, or the type of the error.
func (r *reviewing) review(amount string) string {
	payload := sent{ID: "t", Source: "system1", At: noon.Add(-time.Hour), Execution: "x"}.payload()
	payload = bytes.Replace(payload, []byte(`"1250.50"`), []byte(`"`+amount+`"`), 1)
	output, err := r.handler.Invoke(r.t.Context(), payload)
	if named, ok := err.(messages.InvokeResponse_Error); ok { //nolint:errorlint // the runtime, too, asks for this very type
		return named.Type
	}
	var answer struct{ ReviewRequired *bool }
	if err := json.Unmarshal(output, &answer); err != nil || answer.ReviewRequired == nil {
		r.t.Fatalf("the validator answered %s (%v)", output, err)
	}
	return map[bool]string{true: "review", false: "no review"}[*answer.ReviewRequired]
}

// repeatedly is how often SSM is asked if it fails: as often as the SDK's pauses allow within a refresh.
const repeatedly = -1

// wants checks the answer for a trade of 2,000.00, and how often SSM is asked.
func (r *reviewing) wants(step, answer string, requests int) {
	r.t.Helper()
	before := len(r.front.calls("GetParametersByPath"))
	if got := r.review("2000.00"); got != answer {
		r.t.Errorf("%s: %s, want %s", step, got, answer)
	}
	if got := len(r.front.calls("GetParametersByPath")) - before; got != requests && !(requests == repeatedly && got > 0) {
		r.t.Errorf("%s: SSM was asked %d times, want %d", step, got, requests)
	}
}

// refreshFailures returns how often the functions' metric said that a refresh failed.
func (r *reviewing) refreshFailures() int {
	return len(regexp.MustCompile(`"`+parameters.RefreshFailures+`":1[,}]`).FindAll(r.output.Bytes(), -1))
}

// unavailable is a service that fails.
var unavailable = fault{Status: http.StatusInternalServerError, Code: "InternalServerError"}

func TestAParameterThatIsChangedIsHeededAMinuteLater(t *testing.T) {
	r := newReviewing(t)
	r.wants("as declared", "no review", 1)
	r.put("processing-threshold", "1999.99")
	r.pass(parameters.Lifetime - time.Second)
	r.wants("within the minute", "no review", 0)
	r.pass(time.Second)
	r.wants("after the minute", "review", 1)
	r.put("processing-threshold", "2000.00")
	r.pass(parameters.Lifetime)
	r.wants("a threshold is the last amount without a review", "no review", 1)
}

func TestAnOutageOfSSMServesTheLastValues(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := newReviewing(t)
	r.put("processing-threshold", "1")
	r.wants("at first", "review", 1)
	r.put("processing-threshold", "5000")
	r.pass(parameters.Lifetime)
	r.front.failing(func(request) fault { return unavailable })
	r.wants("during the outage", "review", repeatedly)
	r.wants("a moment later, SSM is left alone", "review", 0)
	r.pass(5 * time.Second)
	r.wants("then it is asked again", "review", repeatedly)
	if n := r.refreshFailures(); n != 2 {
		t.Errorf("%d failures were counted, want 2", n)
	}
	r.front.failing(nil)
	r.pass(5 * time.Second)
	r.wants("when it is over", "no review", 1)
}

func TestWithoutAnyValuesTheErrorIsOneThatCanPass(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := newReviewing(t)
	r.front.failing(func(request) fault { return unavailable })
	r.wants("from the start", "ParametersUnavailable", repeatedly)
	r.front.failing(nil)
	r.wants("the state machine's retry", "no review", 1)
}

func TestAMalformedValueKeepsTheOldOnes(t *testing.T) {
	r := newReviewing(t)
	r.put("processing-threshold", "1")
	r.wants("at first", "review", 1)
	r.put("processing-threshold", "ten thousand") // the declared pattern forbids it on AWS; moto doesn't check
	r.pass(parameters.Lifetime)
	r.wants("malformed", "review", 1)
	if n := r.refreshFailures(); n != 1 {
		t.Errorf("%d failures were counted, want 1", n)
	}
	if !strings.Contains(r.output.String(), "ten thousand") {
		t.Error("the log doesn't say what is wrong")
	}
}

// A page of SSM holds ten parameters.
func TestParametersBeyondTheFirstPageAreRead(t *testing.T) {
	r := newReviewing(t)
	for i := range 24 {
		_, err := r.client.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: aws.String(fmt.Sprintf("%s/another-%02d", r.prefix, i)), Value: aws.String("x"), Type: types.ParameterTypeString,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r.put("processing-threshold", "1")
	r.wants("27 parameters", "review", 3)
}

func TestAnEncryptedEndpointIsRead(t *testing.T) {
	r := newReviewing(t)
	if _, err := r.client.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String(r.prefix + "/api-endpoint")}); err != nil {
		t.Fatal(err)
	}
	_, err := r.client.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String(r.prefix + "/api-endpoint"), Value: aws.String("https://market.example.com/v1"), Type: types.ParameterTypeSecureString,
	})
	if err != nil {
		t.Fatal(err)
	}
	// Still encrypted, it wouldn't be an address, and the whole reading would fail.
	r.wants("a SecureString", "no review", 1)
}

func TestManyTradesAtOnceAskSSMOnce(t *testing.T) {
	r := newReviewing(t)
	var working sync.WaitGroup
	for range writers {
		working.Go(func() {
			if got := r.review("2000.00"); got != "no review" {
				t.Errorf("got %s", got)
			}
		})
	}
	working.Wait()
	if n := len(r.front.calls("GetParametersByPath")); n != 1 {
		t.Errorf("SSM was asked %d times", n)
	}
}
