package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/lambdas/jsontext"
)

// maxMarketBytes bounds the market context. With a trade of at most 64 KiB, an item stays well below DynamoDB's 400 KB.
const maxMarketBytes = 64 << 10

// externalField is the answer of an external API. Its shape is unknown, so it is stored as JSON text: DynamoDB refuses
// more than 32 levels of nesting and numbers of more than 38 digits, and a trade must not be lost because of its
// context.
const externalField = "external"

// readMarket reads the market context, without empty lists. If the context is too large, the reason replaces it.
func readMarket(payload json.RawMessage) (attributes, error) {
	switch {
	case len(payload) == 0:
		return nil, nil
	case len(payload) > maxMarketBytes:
		reason := fmt.Sprintf("the market context of %d bytes is larger than %d and was left out", len(payload), maxMarketBytes)
		return attributes{
			"status":  &types.AttributeValueMemberS{Value: "PARTIAL"},
			"reasons": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: reason}}},
		}, nil
	}
	switch context := attributeOf(payload).(type) {
	case *types.AttributeValueMemberNULL:
		return nil, nil
	case *types.AttributeValueMemberM:
		market := attributes(context.Value)
		maps.DeleteFunc(market, func(_ string, value types.AttributeValue) bool {
			list, ok := value.(*types.AttributeValueMemberL)
			return ok && len(list.Value) == 0
		})
		return market, market.external(payload)
	}
	return nil, errors.New("reading the market context: it is not a JSON object")
}

// external makes the answer of an external API a text.
func (a attributes) external(payload json.RawMessage) error {
	if _, none := a[externalField].(*types.AttributeValueMemberNULL); none || a[externalField] == nil {
		return nil
	}
	var market map[string]any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&market); err != nil {
		return fmt.Errorf("reading the market context: %w", err)
	}
	text, err := json.Marshal(market[externalField])
	if err != nil {
		return fmt.Errorf("writing the external market context: %w", err)
	}
	a[externalField] = &types.AttributeValueMemberS{Value: string(text)}
	return nil
}

// attributeOf returns a JSON value as an attribute. A number keeps its digits.
func attributeOf(value []byte) types.AttributeValue {
	switch value = bytes.TrimSpace(value); value[0] {
	case '{':
		members := map[string]types.AttributeValue{}
		for name, member := range jsontext.Members(value) {
			members[string(name)] = attributeOf(member)
		}
		return &types.AttributeValueMemberM{Value: members}
	case '[':
		elements := []types.AttributeValue{}
		for element := range jsontext.Elements(value) {
			elements = append(elements, attributeOf(element))
		}
		return &types.AttributeValueMemberL{Value: elements}
	case '"':
		text, _ := jsontext.Text(value) // any string can be read
		return &types.AttributeValueMemberS{Value: text}
	case 't', 'f':
		return &types.AttributeValueMemberBOOL{Value: value[0] == 't'}
	case 'n':
		return &types.AttributeValueMemberNULL{Value: true}
	}
	return &types.AttributeValueMemberN{Value: string(value)}
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
