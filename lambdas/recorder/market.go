package recorder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxMarketBytes bounds the market context. With a trade of at most 64 KiB, an item stays well below DynamoDB's 400 KB.
const maxMarketBytes = 64 << 10

// externalField is the answer of an external API. Its shape is unknown, so it is stored as JSON text: DynamoDB refuses
// more than 32 levels of nesting and numbers of more than 38 digits, and a trade must not be lost because of its
// context.
const externalField = "external"

// readMarket parses the market context, without binary floats and empty lists. If the context is too large, the reason replaces it.
func readMarket(payload json.RawMessage) (map[string]any, error) {
	if len(payload) > maxMarketBytes {
		return map[string]any{
			"status":  "PARTIAL",
			"reasons": []any{fmt.Sprintf("the market context of %d bytes is larger than %d and was left out", len(payload), maxMarketBytes)},
		}, nil
	}
	var market map[string]any
	if err := decodeExactly(payload, &market); err != nil {
		return nil, fmt.Errorf("reading the market context: %w", err)
	}
	if external := market[externalField]; external != nil {
		text, err := json.Marshal(external)
		if err != nil {
			return nil, fmt.Errorf("writing the external market context: %w", err)
		}
		market[externalField] = string(text)
	}
	maps.DeleteFunc(market, func(_ string, value any) bool {
		list, ok := value.([]any)
		return ok && len(list) == 0
	})
	return market, nil
}

// addAnswers adds the other stages' answers to an item, as JSON text: their shapes are up to them.
func addAnswers(attributes map[string]types.AttributeValue, answers map[string]json.RawMessage) error {
	for name, answer := range answers {
		if _, taken := attributes[name]; taken {
			return fmt.Errorf("a stage hands on its answer as %q, which is an attribute of every record", name)
		}
		text := string(answer)
		if len(text) > maxMarketBytes {
			text = fmt.Sprintf("the answer of %d bytes is larger than %d and was left out", len(text), maxMarketBytes)
		}
		attributes[name] = &types.AttributeValueMemberS{Value: text}
	}
	return nil
}

// decodeExactly decodes JSON, keeping number literals. Empty input decodes to nothing.
func decodeExactly(data []byte, to any) error {
	if len(data) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(to)
}
