package integration_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"trade-processing/local/cloud"
	"trade-processing/local/pattern"
)

// matcher is an emulated bus with one rule per pattern, each with its own queue.
type matcher struct {
	t      *testing.T
	events *eventbridge.Client
	queues *sqs.Client
	bus    string
	urls   map[string]string // by pattern
}

func newMatcher(t *testing.T, patterns []string) *matcher {
	t.Helper()
	moto := clients(t, startMoto(t))
	m := &matcher{t: t, events: eventbridge.NewFromConfig(moto), queues: sqs.NewFromConfig(moto), bus: "matching", urls: map[string]string{}}
	if _, err := m.events.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(m.bus)}); err != nil {
		t.Fatal(err)
	}
	for i, text := range patterns {
		name := fmt.Sprintf("rule-%d", i)
		queue, err := m.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		m.urls[text] = *queue.QueueUrl
		if _, err := m.events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(name), EventBusName: aws.String(m.bus), EventPattern: aws.String(text)}); err != nil {
			t.Fatalf("moto refuses %s: %v", text, err)
		}
		arn := "arn:aws:sqs:" + region + ":" + cloud.Account + ":" + name
		_, err = m.events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{
			Rule: aws.String(name), EventBusName: aws.String(m.bus), Targets: []types.Target{{Id: aws.String("queue"), Arn: aws.String(arn)}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// put puts events on the bus, each with its number as its only resource.
func (m *matcher) put(all []types.PutEventsRequestEntry) {
	m.t.Helper()
	for i := range all {
		all[i].EventBusName, all[i].Resources = aws.String(m.bus), []string{fmt.Sprint(i)}
	}
	for batch := range slices.Chunk(all, 10) {
		if done, err := m.events.PutEvents(m.t.Context(), &eventbridge.PutEventsInput{Entries: batch}); err != nil || done.FailedEntryCount > 0 {
			m.t.Fatalf("got %+v, %v", done, err)
		}
	}
}

// matched returns the events that matched a pattern: their envelopes by their number.
func (m *matcher) matched(text string) map[string]map[string]any {
	m.t.Helper()
	found := map[string]map[string]any{}
	for {
		batch, err := m.queues.ReceiveMessage(m.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(m.urls[text]), MaxNumberOfMessages: 10})
		if err != nil {
			m.t.Fatal(err)
		}
		if len(batch.Messages) == 0 {
			return found
		}
		for _, message := range batch.Messages {
			envelope := object(m.t, *message.Body)
			found[envelope["resources"].([]any)[0].(string)] = envelope
		}
	}
}

// compare puts events on the bus and expects the local cloud's matcher to match the same ones. It returns how many each
// pattern matched.
func (m *matcher) compare(entries []types.PutEventsRequestEntry) map[string]int {
	m.t.Helper()
	m.put(entries)
	counted := map[string]int{}
	for text := range m.urls {
		compiled, err := pattern.Compile([]byte(text))
		if err != nil {
			m.t.Fatalf("the local cloud refuses %s: %v", text, err)
		}
		theirs := m.matched(text)
		counted[text] = len(theirs)
		for i, entry := range entries {
			envelope := map[string]any{
				"source": *entry.Source, "detail-type": *entry.DetailType, "detail": any(object(m.t, *entry.Detail)),
				"resources": []any{entry.Resources[0]}, "region": region, "account": cloud.Account, "version": "0",
			}
			_, matches := theirs[fmt.Sprint(i)]
			if ours := compiled.Match(envelope); ours != matches && !takesTrueForOne(text, envelope) {
				m.t.Errorf("%s and %s %s %s: moto says %v, the local cloud %v", text, *entry.Source, *entry.DetailType, *entry.Detail, matches, ours)
			}
		}
	}
	return counted
}

// takesTrueForOne reports whether moto, which is written in Python, compares a boolean as a number.
func takesTrueForOne(text string, envelope map[string]any) bool {
	_, isBool := envelope["detail"].(map[string]any)["a"].(bool)
	return isBool && strings.Contains(text, `"numeric"`)
}

func entry(source, detailType string, detail any) types.PutEventsRequestEntry {
	text, err := json.Marshal(detail)
	if err != nil {
		panic(err) // of values that are written out in this file
	}
	return types.PutEventsRequestEntry{Source: aws.String(source), DetailType: aws.String(detailType), Detail: aws.String(string(text))}
}

// The patterns of the program's rules match the events of their own source, and no others.
func TestTheProgramsRulesTakeTheirOwnSource(t *testing.T) {
	tool(t, "")
	here := deploy(t, cloud.Options{})
	var patterns []string
	for _, rule := range all(t, here, "aws:cloudwatch/eventRule:EventRule") {
		patterns = append(patterns, text(rule.Inputs, "eventPattern"))
	}
	m := newMatcher(t, patterns)
	sources := []string{
		"trading.system1", "trading.system2", "trading.system3", // those of the program
		"trading.system4", "trading.system", "trading.system10", "trading.system1.eu", "trading", "trading.", "system1", "Trading.system1", "trading.System1",
		"trading.system1 ", " trading.system1", "trading_system1", "trading.systém1", "trading.*", "aws.events",
	}
	detailTypes := []string{"Trade Event", "trade event", "trading.system1", "Something else"}
	details := []any{
		map[string]any{}, map[string]any{"tradeId": "1"}, map[string]any{"source": "trading.system1"},
		map[string]any{"detail": map[string]any{"source": []string{"trading.system2"}}}, map[string]any{"tradeId": nil, "sourceSystem": "system3"},
	}
	var entries []types.PutEventsRequestEntry
	for _, source := range sources {
		for _, detailType := range detailTypes {
			for _, detail := range details {
				entries = append(entries, entry(source, detailType, detail))
			}
		}
	}
	counted := m.compare(entries)
	each := len(detailTypes) * len(details)
	want := map[string]int{}
	for _, source := range sources[:3] {
		want[`{"account":["`+cloud.Account+`"],"source":["`+source+`"]}`] = each
	}
	if diff := cmp.Diff(want, counted); diff != "" {
		t.Errorf("want (-) and matched (+): %s", diff)
	}
	t.Logf("%d events, %d for each of %d rules", len(entries), each, len(patterns))
}

// The local cloud's matcher is checked with every operator that moto supports. Where moto differs from AWS's
// documentation, local/pattern has its own tests: anything-but with arrays, empty arrays (which count as absent),
// arrays within arrays, numbers beyond a binary double, and $or.
func TestTheOperatorsOfPatterns(t *testing.T) {
	patterns := []string{
		`{"detail": {"a": ["x", 1, true, null]}}`,
		`{"detail": {"a": ["x", "ab", "abc"], "b": ["y", "ab", "abc", "bc", "zz"]}}`,
		`{"detail": {"c": {"a": ["x", "y"]}}}`,
		`{"detail": {"a": [{"prefix": "ab"}]}}`,
		`{"detail": {"a": [{"prefix": {"equals-ignore-case": "AB"}}]}}`,
		`{"detail": {"a": [{"suffix": "bc"}]}}`,
		`{"detail": {"a": [{"equals-ignore-case": "ABC"}]}}`,
		`{"detail": {"a": [{"wildcard": "a*c"}]}}`,
		`{"detail": {"a": [{"numeric": [">", 0, "<=", 2.5]}]}}`,
		`{"detail": {"a": [{"numeric": ["=", 1]}]}}`,
		`{"detail": {"a": [{"cidr": "10.0.0.0/24"}]}}`,
		`{"detail": {"a": [{"exists": true}]}}`,
		`{"detail": {"a": [{"exists": false}]}}`,
		`{"detail-type": [{"prefix": "Trade"}], "detail": {"a": ["x", {"prefix": "z"}]}}`,
		`{"source": ["trading.system1", "trading.system2"], "region": ["us-east-1"]}`,
	}
	m := newMatcher(t, patterns)
	const seed = 11
	chance := rand.New(rand.NewPCG(seed, seed))
	values := []any{"x", "y", "ab", "abc", "ABC", "abbc", "bc", "zz", "", 1, 1.0, 2.5, 3, -1, true, false, nil, "10.0.0.7", "10.0.1.7", []any{"x", "q"}, []any{"abc", 2}}
	value := func() any { return values[chance.IntN(len(values))] }
	var entries []types.PutEventsRequestEntry
	for range 250 {
		detail := map[string]any{}
		for _, name := range []string{"a", "b"} {
			if chance.IntN(5) > 0 {
				detail[name] = value()
			}
		}
		if chance.IntN(2) == 0 {
			detail["c"] = map[string]any{"a": value()}
		}
		source := fmt.Sprintf("trading.system%d", 1+chance.IntN(4))
		entries = append(entries, entry(source, []string{"Trade Event", "Other"}[chance.IntN(2)], detail))
	}
	counted := m.compare(entries)
	for _, text := range patterns {
		if n := counted[text]; n == 0 || n == len(entries) {
			t.Errorf("%s matched %d of %d events, which proves nothing", text, n, len(entries))
		}
	}
}
