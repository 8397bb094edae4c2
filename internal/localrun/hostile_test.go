package localrun_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/localrun"
	"trade-processing/lambdas/function/functiontest"
)

// A line of --out is one JSON object with the item's texts, whatever they are.
func TestHostileTextsStayInTheirMembers(t *testing.T) {
	for _, text := range functiontest.Hostile() {
		line, err := localrun.ItemJSON(map[string]types.AttributeValue{text: &types.AttributeValueMemberS{Value: text}})
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]string
		if err := json.Unmarshal(line, &read); err != nil || len(read) != 1 || read[text] != text || strings.Contains(string(line), "\n") {
			t.Errorf("%q is written as %s: %v", text, line, err)
		}
	}
}
