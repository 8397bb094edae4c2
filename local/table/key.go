package table

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Limits of a key's values, in bytes.
const (
	maxHashKey  = 2048
	maxRangeKey = 1024
)

// appendKeyValue writes a key attribute so that the order of bytes is DynamoDB's order of values, and no value's bytes
// are a prefix of another's: strings and binaries escape 0x00 and end with 0x00 0x01.
func appendKeyValue(b []byte, value raw) []byte {
	text := value.text()
	if value[0] == kindNumber {
		n, _ := parseNumber(text) // in normal form already
		return n.appendKey(b)
	}
	return append(appendKeyPrefix(b, text), 0x00, 0x01)
}

// appendKeyPrefix writes the beginning of a string or binary.
func appendKeyPrefix(b []byte, text string) []byte {
	for {
		i := strings.IndexByte(text, 0x00)
		if i < 0 {
			return append(b, text...)
		}
		b = append(b, text[:i]...)
		b = append(b, 0x00, 0xFF)
		text = text[i+1:]
	}
}

// successor is the smallest string above all that start with prefix; "" means that there is none.
func successor(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xFF {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// keyProblem checks a value of the primary key, found in an encoded item.
func (d Definition) keyProblem(name string, value raw) error {
	if value == "" {
		return validation("One or more parameter values were invalid: Missing the key %s in the item", name)
	}
	if want := string(d.Attributes[name]); value.typeName() != want {
		return validation("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s",
			name, want, value.typeName())
	}
	if noun := emptyNoun(value); noun != "" {
		return validation("One or more parameter values are not valid. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", noun, name)
	}
	return d.keySize(name, value, name == d.HashKey)
}

// indexProblem checks a value of an index's key, which may be missing.
func (d Definition) indexProblem(index Index, name string, value raw) error {
	if want := string(d.Attributes[name]); value.typeName() != want {
		return validation("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
			name, want, value.typeName(), index.Name)
	}
	if noun := emptyNoun(value); noun != "" {
		return validation("One or more parameter values are not valid. "+
			"A value specified for a secondary index key is not supported. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s",
			noun, index.Name, name)
	}
	return d.keySize(name, value, name == index.HashKey)
}

func (d Definition) keySize(name string, value raw, hash bool) error {
	if d.Attributes[name] == types.ScalarAttributeTypeN {
		return nil
	}
	size := len(value.text())
	switch {
	case hash && size > maxHashKey:
		return validation("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case !hash && size > maxRangeKey:
		return validation("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

func emptyNoun(value raw) string {
	switch {
	case value[0] == kindString && value.text() == "":
		return "string"
	case value[0] == kindBinary && value.text() == "":
		return "binary"
	}
	return ""
}
