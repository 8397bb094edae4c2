package validator_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"trade-processing/lambdas/function/functiontest"
	"trade-processing/lambdas/trade"
)

// Whatever the payload, the validator answers with a verdict, or says that it can't tell whose trade it is.
func FuzzPayload(f *testing.F) {
	functiontest.AddFiles(f, "testdata/*.json")
	output := new(bytes.Buffer)
	handler := mustHandler(f, &fakeSSM{}, output)
	f.Fuzz(func(t *testing.T, payload []byte) {
		answer := functiontest.Invoke(t, handler, output, payload, "MalformedTrade")
		if answer == nil {
			return
		}
		var verdict trade.Verdict
		if err := json.Unmarshal(answer, &verdict); err != nil {
			t.Fatal(err)
		}
		if verdict.Valid != (len(verdict.Violations) == 0) || verdict.ReviewRequired && !verdict.Valid || verdict.RulesVersion == "" {
			t.Errorf("the verdict %s", answer)
		}
	})
}
