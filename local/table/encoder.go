package table

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/awsapi"
)

// Limits of an item.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxItemSize = 400 << 10 // bytes, as counted by itemSize
	maxNesting  = 32        // levels; a top-level attribute is the first
	maxName     = 65535     // bytes of an attribute's name
)

// The kinds of a value, as the first byte of its encoding.
const (
	kindString = 'S'
	kindNumber = 'N'
	kindBinary = 'B'
	kindTrue   = 'T'
	kindFalse  = 'F'
	kindNull   = '0'
	kindList   = 'L'
	kindMap    = 'M'
)

// An encoder writes attribute values compactly and canonically: names sorted, numbers in normal form, so equal items
// are equal bytes. Maps of the SDK's values would take three times the memory, and garbage collector time.
//
//	value  = kind payload
//	text   = uvarint length, bytes       (S, N, B)
//	list   = uvarint count, values       (L)
//	map    = uvarint count, text value…  (M, and an item itself)
type encoder struct {
	buf []byte
	// size is what DynamoDB counts towards 400 KB: the length of names and values in UTF-8, 3 bytes per list or map and 1
	// per element.
	size  int
	names []string // scratch: the sorted names of the maps being written
}

// encoders keeps buffers between writes.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

// release returns an encoder to the pool.
func (e *encoder) release() {
	const keep = 64 << 10 // a single large item must not stay in the pool
	if cap(e.buf) > keep {
		return
	}
	clear(e.names)
	e.buf, e.names, e.size = e.buf[:0], e.names[:0], 0
	encoders.Put(e)
}

// attributes writes the members of an item or map.
func (e *encoder) attributes(members map[string]types.AttributeValue, depth int) error {
	start := len(e.names)
	for name := range members {
		e.names = append(e.names, name)
	}
	slices.Sort(e.names[start:])
	end := len(e.names)
	e.buf = binary.AppendUvarint(e.buf, uint64(end-start))
	for i := start; i < end; i++ {
		name := e.names[i]
		if name == "" {
			return awsapi.Validation("One or more parameter values were invalid: attribute names must have at least one character")
		}
		if len(name) > maxName {
			return awsapi.Validation("Attribute name is too large, must be less than 65536 bytes")
		}
		e.text(name)
		e.size += len(name)
		if err := e.value(members[name], depth); err != nil {
			return err
		}
	}
	e.names = e.names[:start]
	return nil
}

func (e *encoder) text(s string) {
	e.buf = binary.AppendUvarint(e.buf, uint64(len(s)))
	e.buf = append(e.buf, s...)
}

// value writes one value; depth is its nesting level, 1 at the top.
func (e *encoder) value(value types.AttributeValue, depth int) error {
	if depth > maxNesting {
		return awsapi.Validation("Nesting Levels have exceeded supported limits: " +
			"Attributes in the item have nested levels beyond supported limit")
	}
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		e.buf = append(e.buf, kindString)
		s := validText(v.Value)
		e.text(s)
		e.size += len(s)
	case *types.AttributeValueMemberN:
		e.buf = append(e.buf, kindNumber)
		return e.number(v.Value)
	case *types.AttributeValueMemberB:
		e.buf = append(e.buf, kindBinary)
		e.text(string(v.Value))
		e.size += len(v.Value)
	case *types.AttributeValueMemberBOOL:
		kind := byte(kindFalse)
		if v.Value {
			kind = kindTrue
		}
		e.buf = append(e.buf, kind)
		e.size++
	case *types.AttributeValueMemberNULL:
		if !v.Value {
			return awsapi.Validation("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		e.buf = append(e.buf, kindNull)
		e.size++
	case *types.AttributeValueMemberL:
		e.buf = append(e.buf, kindList)
		e.buf = binary.AppendUvarint(e.buf, uint64(len(v.Value)))
		e.size += 3 + len(v.Value)
		for _, element := range v.Value {
			if err := e.value(element, depth+1); err != nil {
				return err
			}
		}
	case *types.AttributeValueMemberM:
		e.buf = append(e.buf, kindMap)
		e.size += 3 + len(v.Value)
		return e.attributes(v.Value, depth+1)
	case nil:
		return awsapi.Validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	default: // SS, NS, BS
		return &awsapi.Unsupported{Operation: "PutItem", Feature: "sets"}
	}
	return nil
}

// number writes a number in normal form.
func (e *encoder) number(text string) error {
	if isPlainInteger(text) {
		e.text(text)
		e.size += 1 + (len(strings.TrimRight(text, "0"))+1)/2
		return nil
	}
	n, err := parseNumber(text)
	if err != nil {
		return err
	}
	e.text(n.String())
	e.size += n.size()
	return nil
}

// validText replaces each invalid byte with U+FFFD, as the SDK's JSON encoder does.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
