package recorder_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/lambdas/function/functiontest"
	"trade-processing/lambdas/recorder"
)

// Whatever the payload, the recorder writes one item whose digest is that of its trade, and answers that it did; or it
// writes nothing, because it can't tell which trade it is, or because an answer is missing or not what DynamoDB takes.
// The same payload again changes nothing.
func FuzzPayload(f *testing.F) {
	functiontest.AddFiles(f, "testdata/*.json")
	f.Add(payload(`{"tradeId":"t"}`, approved, `{"status":"COMPLETE","external":{"a":[1e400,"\ud800"]}}`))
	f.Add(payload(`{"tradeId":"t"}`, `{"valid":false,"violations":null}`, `null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		table, output := &fakeTable{}, new(bytes.Buffer)
		handler, err := newHandler(table, output, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer := functiontest.Invoke(t, handler, output, payload, "MalformedTrade", "InternalError", "ValidationException")
		if recorded := answer != nil; recorded != (table.writes == 1) {
			t.Fatalf("%d writes, and the answer %s", table.writes, answer)
		}
		if answer == nil {
			return
		}
		var response recorder.Response
		if err := json.Unmarshal(answer, &response); err != nil || response.Outcome != recorder.OutcomeRecorded {
			t.Errorf("the answer %s: %v", answer, err)
		}
		for _, item := range table.items {
			text, _ := item["trade"].(*types.AttributeValueMemberS)
			digest, _ := item["digest"].(*types.AttributeValueMemberS)
			if text == nil || digest == nil {
				t.Fatalf("the item %v", item)
			}
			if sum := sha256.Sum256([]byte(text.Value)); hex.EncodeToString(sum[:]) != digest.Value {
				t.Errorf("the digest %s of %s", digest.Value, text.Value)
			}
		}
		if functiontest.Invoke(t, handler, output, payload) == nil || table.writes != 1 {
			t.Errorf("again: %d writes", table.writes)
		}
	})
}
