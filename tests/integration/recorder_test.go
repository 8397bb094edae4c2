package integration_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
)

// writers is how many executions write at a time.
const writers = 64

// recording is a recorder on the declared table in DynamoDB Local.
type recording struct {
	t       *testing.T
	front   *front // between the recorder and the table
	client  *dynamodb.Client
	table   string
	handler lambda.Handler
}

func newRecording(t *testing.T) *recording {
	t.Helper()
	endpoint := startDynamoDB(t)
	r := &recording{t: t, front: newFront(t).before(t, endpoint), client: dynamodb.NewFromConfig(clients(t, endpoint))}
	here := deploy(t, cloud.Options{})
	r.table = createTable(t, here, r.client)
	var err error
	r.handler, err = recorder.New(environmentOf(t, here, "recorder-function"), dynamodb.NewFromConfig(clients(t, r.front.Endpoint)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// environmentOf returns the environment that the program gives a function.
func environmentOf(t testing.TB, here *cloud.Cloud, end string) function.Environment {
	t.Helper()
	environment, _ := one(t, here, "aws:lambda/function:Function", end).Inputs["environment"].(map[string]any)
	variables, _ := environment["variables"].(map[string]any)
	return function.Environment{
		Getenv: func(name string) string { return text(variables, name) },
		Output: t.Output(),
		Now:    time.Now,
	}
}

// sent is what the recorder is called with for a trade.
type sent struct {
	ID        string
	Source    string
	At        time.Time // executedAt
	Note      string    // makes another trade under the same key
	Rejected  bool
	Execution string
}

func (s sent) payload() []byte {
	verdict := `{"valid": true, "violations": [], "rulesVersion": "1.0.0", "reviewRequired": false}`
	if s.Rejected {
		verdict = `{"valid": false, "violations": [{"code": "AMOUNT_ZERO", "field": "amount", "message": "is zero"}], "rulesVersion": "1.0.0", "reviewRequired": false}`
	}
	return fmt.Appendf(nil, `{
		"event": {"version": "0", "id": "e-%s", "detail-type": "Trade Event", "source": "trading.%s", "account": "%s", "time": "2026-03-02T14:30:05Z",
			"region": "us-east-1", "resources": [],
			"detail": {"tradeId": "%s", "amount": "1250.50", "currency": "USD", "sourceSystem": "%s", "executedAt": "%s", "note": "%s"}},
		"validation": %s, "market": {"status": "PARTIAL", "reasons": []}, "executionArn": "arn:aws:states:us-east-1:%s:execution:workflow:%s"}`,
		s.Execution, s.Source, cloud.Account, s.ID, s.Source, s.At.UTC().Format("2006-01-02T15:04:05.000Z"), s.Note, verdict, cloud.Account, s.Execution)
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// answer is the result of a call of the recorder: an outcome, or the error's name as Step Functions sees it.
type answer struct {
	Outcome string
	Digest  string
	Error   string
}

func (r *recording) call(s sent) answer {
	output, err := r.handler.Invoke(r.t.Context(), s.payload())
	if err != nil {
		named, ok := err.(messages.InvokeResponse_Error) //nolint:errorlint // the runtime, too, asks for this very type
		if !ok {
			return answer{Error: fmt.Sprintf("%T: %v", err, err)}
		}
		return answer{Error: named.Type}
	}
	var response recorder.Response
	if err := json.Unmarshal(output, &response); err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Outcome: response.Outcome, Digest: response.Digest}
}

// atOnce calls the recorder from one goroutine each, all starting together.
func (r *recording) atOnce(all []sent, call func(sent) answer) []answer {
	answers := make([]answer, len(all))
	begin := make(chan struct{})
	var working sync.WaitGroup
	for i, s := range all {
		working.Go(func() {
			<-begin
			answers[i] = call(s)
		})
	}
	close(begin)
	working.Wait()
	return answers
}

// counts returns how often each outcome or error occurred.
func counts(answers []answer) map[string]int {
	counted := map[string]int{}
	for _, a := range answers {
		counted[a.Outcome+a.Error]++
	}
	return counted
}

// items returns all items of the table by their trade's id.
func (r *recording) items() map[string]recorder.Item {
	r.t.Helper()
	items := map[string]recorder.Item{}
	pages := dynamodb.NewScanPaginator(r.client, &dynamodb.ScanInput{TableName: aws.String(r.table), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		for _, attributes := range page.Items {
			var item recorder.Item
			if err := attributevalue.UnmarshalMap(attributes, &item); err != nil {
				r.t.Fatal(err)
			}
			if _, twice := items[item.TradeID]; twice {
				r.t.Errorf("trade %s is in the table twice", item.TradeID)
			}
			items[item.TradeID] = item
		}
	}
	return items
}

func TestOneOfManyConcurrentWritersRecordsATrade(t *testing.T) {
	r := newRecording(t)
	const rounds = 20
	for round := range rounds {
		id := fmt.Sprintf("same-%02d", round)
		var all []sent
		for w := range writers {
			all = append(all, sent{ID: id, Source: "system1", At: noon, Execution: fmt.Sprintf("%s-%d", id, w)})
		}
		answers := r.atOnce(all, r.call)
		if got := counts(answers); got["RECORDED"] != 1 || got["DUPLICATE"] != writers-1 {
			t.Errorf("%s: %v", id, got)
		}
		digest := r.items()[id].Digest
		for _, a := range answers {
			if a.Digest != digest {
				t.Errorf("%s: a writer was told digest %s, and the table holds %s", id, a.Digest, digest)
			}
		}
	}
	if items := r.items(); len(items) != rounds {
		t.Errorf("the table holds %d items, want %d", len(items), rounds)
	}
}

func TestOfTwoTradesUnderOneKeyTheFirstStaysAndTheOtherIsAConflict(t *testing.T) {
	r := newRecording(t)
	won := map[string]int{}
	for round := range 20 {
		id := fmt.Sprintf("altered-%02d", round)
		var all []sent
		for w := range writers {
			all = append(all, sent{ID: id, Source: "system1", At: noon, Note: []string{"as sent", "altered"}[w%2], Execution: fmt.Sprintf("%s-%d", id, w)})
		}
		answers := r.atOnce(all, r.call)
		if got := counts(answers); got["RECORDED"] != 1 || got["DUPLICATE"] != writers/2-1 || got["TradeConflict"] != writers/2 {
			t.Errorf("%s: %v", id, got)
		}
		item := r.items()[id]
		for i, a := range answers {
			if a.Outcome == recorder.OutcomeRecorded {
				won[all[i].Note]++
				if a.Digest != item.Digest || !strings.Contains(item.Trade, `"note":"`+all[i].Note+`"`) {
					t.Errorf("%s: the trade %q was recorded, and the table holds %s", id, all[i].Note, item.Trade)
				}
			}
		}
	}
	t.Logf("who was first: %v", won)
}

// throttled is how DynamoDB refuses a write beyond its throughput; broken is what its own failures look like.
var (
	throttled = fault{Status: http.StatusBadRequest, Code: "ProvisionedThroughputExceededException"}
	broken    = fault{Status: http.StatusInternalServerError, Code: "InternalServerError"}
)

// first makes the first n calls of an operation fail.
func first(n int, operation string, wrong fault) func(request) fault {
	return func(r request) fault {
		if r.Operation != operation || n == 0 {
			return fault{}
		}
		n--
		return wrong
	}
}

func TestWhatTheRecorderMakesOfADatabaseThatFails(t *testing.T) {
	t.Parallel() // it waits most of the time
	lost := broken
	lost.Applied = true
	r := newRecording(t)
	for i, test := range []struct {
		name     string
		wrong    fault
		times    int
		want     string
		requests int
		recorded bool // whether the table holds the trade
	}{
		{"a write that is throttled twice is tried a third time", throttled, 2, "RECORDED", 3, true},
		{"a write that is throttled thrice is left to the state machine", throttled, 3, "ProvisionedThroughputExceededException", 3, false},
		{"a failure within DynamoDB is tried again", broken, 2, "RECORDED", 3, true},
		{"a failure within DynamoDB that lasts is left to the state machine", broken, 3, "InternalServerError", 3, false},
		{"a broken connection is tried again", fault{Broken: true}, 1, "RECORDED", 2, true},
		{"a connection that breaks after the write was done", fault{Broken: true, Applied: true}, 1, "RECORDED", 2, true},
		{"a write whose answer is lost is not a duplicate of itself", lost, 2, "RECORDED", 3, true},
		{"a refusal that no retry can mend is not tried again", fault{Status: 400, Code: "AccessDeniedException"}, 1, "AccessDeniedException", 1, false},
		{"a table that isn't there is not asked for again", fault{Status: 400, Code: "ResourceNotFoundException"}, 1, "ResourceNotFoundException", 1, false},
		{"answers that are lost until the end leave the trade to be found out", lost, 3, "InternalServerError", 3, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := sent{ID: fmt.Sprintf("failing-%d", i), Source: "system1", At: noon, Execution: fmt.Sprintf("failing-%d", i)}
			before := len(r.front.calls("PutItem"))
			r.front.failing(first(test.times, "PutItem", test.wrong))
			got := r.call(s)
			if got.Outcome+got.Error != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
			if n := len(r.front.calls("PutItem")) - before; n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			if _, there := r.items()[s.ID]; there != test.recorded {
				t.Errorf("it is in the table: %v, want %v", there, test.recorded)
			}
			// The state machine calls again, in the same execution; what it recorded counts as recorded, not as a duplicate.
			if again := r.call(s); again.Outcome != recorder.OutcomeRecorded {
				t.Errorf("the next call of the same execution got %+v", again)
			}
			s.Execution += "-other"
			if other := r.call(s); other.Outcome != recorder.OutcomeDuplicate {
				t.Errorf("another execution got %+v", other)
			}
		})
	}
}

// passing are the errors after which the state machine retries.
var passing = []string{"ProvisionedThroughputExceededException", "InternalServerError", "ServiceUnreachable"}

func TestConcurrentWritersToADatabaseThatFailsAtRandom(t *testing.T) {
	r := newRecording(t)
	const seed = 20260302
	chance := rand.New(rand.NewPCG(seed, seed))
	r.front.failing(func(call request) fault { // one call at a time: the front holds its lock
		if call.Operation != "PutItem" || chance.IntN(100) >= 40 {
			return fault{}
		}
		wrong := []fault{throttled, broken, {Broken: true}}[chance.IntN(3)]
		wrong.Applied = wrong.Code != throttled.Code && chance.IntN(2) == 0
		return wrong
	})
	const trades = 8
	var all []sent
	for w := range writers {
		id := fmt.Sprintf("random-%d", w%trades)
		all = append(all, sent{ID: id, Source: "system1", At: noon, Note: []string{"as sent", "altered"}[w/trades%2], Execution: fmt.Sprintf("%s-%d", id, w)})
	}
	answers := r.atOnce(all, func(s sent) answer {
		for {
			if a := r.call(s); !slices.Contains(passing, a.Error) {
				return a
			}
		}
	})
	byTrade := map[string][]answer{}
	for i, a := range answers {
		byTrade[all[i].ID] = append(byTrade[all[i].ID], a)
	}
	const each = writers / trades
	for _, id := range slices.Sorted(maps.Keys(byTrade)) {
		if got := counts(byTrade[id]); got["RECORDED"] != 1 || got["DUPLICATE"] != each/2-1 || got["TradeConflict"] != each/2 {
			t.Errorf("%s: %v", id, got)
		}
	}
	if items := r.items(); len(items) != trades {
		t.Errorf("the table holds %d items, want %d", len(items), trades)
	}
	t.Logf("%d requests for %d calls", len(r.front.calls("PutItem")), writers)
}
