package pipeline_test

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/localrun"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
)

// answering is a recorder that answers as it likes. It may do something with the table beforehand.
type answering func(context.Context, recorder.API, lambda.Handler, []byte) ([]byte, error)

type liar struct {
	answer answering
	table  recorder.API
	honest lambda.Handler
}

func (l liar) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return l.answer(ctx, l.table, l.honest, payload)
}

// lying returns the functions' code with another recorder.
func lying(answer answering) map[string]cloud.Image {
	images := maps.Clone(localrun.Images())
	images[recorder.Name] = func(environment function.Environment, services cloud.Services) (lambda.Handler, error) {
		honest, err := recorder.New(environment, services.DynamoDB)
		return liar{answer, services.DynamoDB, honest}, err
	}
	return images
}

// altering writes items that differ from what the recorder meant to write.
type altering struct {
	recorder.API
	alter func(map[string]types.AttributeValue)
}

func (a altering) PutItem(ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	a.alter(in.Item)
	return a.API.PutItem(ctx, in, options...)
}

// writing returns the functions' code with a recorder whose items are altered.
func writing(alter func(map[string]types.AttributeValue)) map[string]cloud.Image {
	images := maps.Clone(localrun.Images())
	images[recorder.Name] = func(environment function.Environment, services cloud.Services) (lambda.Handler, error) {
		return recorder.New(environment, altering{services.DynamoDB, alter})
	}
	return images
}

// says answers with a text and does nothing.
func says(text string) answering {
	return func(context.Context, recorder.API, lambda.Handler, []byte) ([]byte, error) { return []byte(text), nil }
}

// A report is no better than what it asks. Each of these recorders loses, doubles, alters or misplaces something and
// answers as if nothing was wrong.
func TestARecorderThatLiesIsFoundOut(t *testing.T) {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	var once sync.Once
	var first []byte
	for name, images := range map[string]map[string]cloud.Image{
		"answers with nothing":                lying(says(`{}`)),
		"answers with null":                   lying(says(`null`)),
		"answers with a list":                 lying(says(`[]`)),
		"answers with an outcome of its own":  lying(says(`{"outcome": "KEPT"}`)),
		"answers RECORDED and writes nothing": lying(says(`{"outcome": "RECORDED", "status": "RECORDED"}`)),
		"takes everything for a duplicate":    lying(says(`{"outcome": "DUPLICATE", "status": "RECORDED", "tradeId": "a", "version": "system1#2026-01-05T15:00:00.000Z"}`)),
		"takes everything for a rejection":    lying(says(`{"outcome": "DUPLICATE_REJECTED", "status": "REJECTED"}`)),
		"answers the first trade's answer for every other": lying(func(ctx context.Context, _ recorder.API, honest lambda.Handler, payload []byte) (answer []byte, err error) {
			once.Do(func() { first, err = honest.Invoke(ctx, payload) })
			return first, err
		}),
		"answers that one is a duplicate of another": lying(func(ctx context.Context, _ recorder.API, honest lambda.Handler, payload []byte) ([]byte, error) {
			answer, err := honest.Invoke(ctx, payload)
			if strings.Contains(string(payload), `"tradeId": "a"`) {
				return answer, err
			}
			return []byte(`{"outcome": "DUPLICATE", "status": "RECORDED", "tradeId": "a", "version": "system1#2026-01-05T15:00:00.000Z"}`), nil
		}),
		"calls a valid trade rejected": writing(func(item map[string]types.AttributeValue) { item["status"] = text(recorder.Rejected) }),
		"writes another amount": writing(func(item map[string]types.AttributeValue) {
			item["trade"] = text(strings.Replace(item["trade"].(*types.AttributeValueMemberS).Value, `"10"`, `"11"`, 1))
		}),
		"writes another digest":            writing(func(item map[string]types.AttributeValue) { item["digest"] = text(strings.Repeat("0", 64)) }),
		"writes another event's id":        writing(func(item map[string]types.AttributeValue) { item["eventId"] = text("another") }),
		"writes under another key":         writing(func(item map[string]types.AttributeValue) { item["version"] = text("system1#2020") }),
		"writes without a canonical trade": writing(func(item map[string]types.AttributeValue) { delete(item, "trade") }),
		"changes the first trade later on": lying(func(ctx context.Context, table recorder.API, honest lambda.Handler, payload []byte) ([]byte, error) {
			answer, err := honest.Invoke(ctx, payload)
			if err == nil && strings.Contains(string(payload), `"tradeId": "c"`) {
				var its recorder.Response
				_ = json.Unmarshal(answer, &its)
				_, err = table.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(tableName), Item: map[string]types.AttributeValue{
					"tradeId": text("a"), "version": text(strings.Replace(its.Version, "c", "a", 1)), "timestamp": &types.AttributeValueMemberN{Value: "1"},
					"status": text(recorder.Recorded), "eventId": text("x"),
				}})
			}
			return answer, err
		}),
	} {
		t.Run(name, func(t *testing.T) {
			s := deploy(t, cloud.Options{Images: images})
			s.pipeline.Concurrency = 1
			var lines []string
			for _, id := range []string{"a", "b", "c"} {
				lines = append(lines, aTrade(`{"tradeId": "`+id+`", "amount": "10", "currency": "USD", "sourceSystem": "system1", "executedAt": "2026-01-05T15:00:00Z"}`))
			}
			r, err := s.process(t.Context(), feedOf(lines...))
			if err != nil || r.Received != 3 || r.Reconciles || r.ExitCode() != exitcode.Unreconciled {
				t.Errorf("nobody noticed: %v, exit code %d, %s", err, r.ExitCode(), summary(r))
			}
		})
	}
	t.Run("an honest one", func(t *testing.T) {
		s := deploy(t, cloud.Options{Images: lying(func(ctx context.Context, _ recorder.API, honest lambda.Handler, payload []byte) ([]byte, error) {
			return honest.Invoke(ctx, payload)
		})})
		line := aTrade(`{"tradeId": "a", "amount": "10", "currency": "USD", "sourceSystem": "system1", "executedAt": "2026-01-05T15:00:00Z"}`)
		if r := s.run(line, line, aTrade(`{"tradeId": "b"}`), aTrade(`{"tradeId": "b"}`)); r.Duplicates != 1 || r.DuplicateRejections != 1 || r.ExitCode() != exitcode.OK {
			t.Error(summary(r))
		}
	})
}

// A replica that differs in one item, or lacks one for another, doesn't hold what the table holds.
func TestAReplicaThatDiffersIsFoundOut(t *testing.T) {
	s := deploy(t, cloud.Options{})
	s.run(good("a"), good("b"))
	replica := s.cloud.Replicas(tableName)[0]
	if got := s.table().Differs(replica.Table); got != 0 {
		t.Fatalf("%d items differ", got)
	}
	item := map[string]types.AttributeValue{}
	for found := range replica.Table.Items() {
		item = found
	}
	item["amount"] = &types.AttributeValueMemberS{Value: "11"}
	if _, err := replica.Table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(tableName), Item: item}); err != nil {
		t.Fatal(err)
	}
	if got := s.table().Differs(replica.Table); got != 1 {
		t.Errorf("%d items differ, want one", got)
	}
}
