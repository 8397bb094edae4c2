package table

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Limits of an item.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxItemSize = 400 << 10 // bytes, counted as itemSize says
	maxNesting  = 32        // levels; a top-level attribute is the first
)

// The kinds of a value, as the first byte of its encoding.
const (
	kindString    = 'S'
	kindNumber    = 'N'
	kindBinary    = 'B'
	kindTrue      = 'T'
	kindFalse     = 'F'
	kindNull      = '0'
	kindList      = 'L'
	kindMap       = 'M'
	kindStringSet = 's'
	kindNumberSet = 'n'
	kindBinarySet = 'b'
)

// An encoder writes attribute values compactly and canonically: names and set members sorted, numbers in normal form,
// so that equal items are equal bytes.
//
//	value  = kind payload
//	text   = uvarint length, bytes       (S, N, B)
//	list   = uvarint count, values       (L)
//	map    = uvarint count, text value…  (M, and an item itself)
//	set    = uvarint count, texts        (SS, NS, BS)
type encoder struct {
	buf []byte
	// size is what DynamoDB counts towards 400 KB: the length of names and values in UTF-8, 3 bytes for a list or map and
	// 1 for each of its elements.
	size  int
	names []string // scratch: the sorted names of the maps being written
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
			return validation("One or more parameter values were invalid: attribute names must have at least one character")
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
		return validation("Nesting Levels have exceeded supported limits: " +
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
		e.buf = binary.AppendUvarint(e.buf, uint64(len(v.Value)))
		e.buf = append(e.buf, v.Value...)
		e.size += len(v.Value)
	case *types.AttributeValueMemberBOOL:
		kind := byte(kindFalse)
		if v.Value {
			kind = kindTrue
		}
		e.buf = append(e.buf, kind)
		e.size++
	case *types.AttributeValueMemberNULL:
		// {"NULL": false} is accepted and reads back as true.
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
	case *types.AttributeValueMemberSS:
		return e.set(kindStringSet, "string", v.Value, len(v.Value))
	case *types.AttributeValueMemberNS:
		return e.numberSet(v.Value)
	case *types.AttributeValueMemberBS:
		members := make([]string, len(v.Value))
		for i, member := range v.Value {
			members[i] = string(member)
		}
		return e.set(kindBinarySet, "binary", members, len(members))
	default:
		return validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
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
	var scratch [2 * maxExponent]byte
	normal := n.appendText(scratch[:0])
	e.buf = binary.AppendUvarint(e.buf, uint64(len(normal)))
	e.buf = append(e.buf, normal...)
	e.size += n.size()
	return nil
}

func (e *encoder) numberSet(texts []string) error {
	members := make([]string, len(texts))
	size := 0
	for i, text := range texts {
		n, err := parseNumber(text)
		if err != nil {
			return err
		}
		members[i] = n.String()
		size += n.size()
	}
	before := e.size
	if err := e.set(kindNumberSet, "number", members, len(members)); err != nil {
		return err
	}
	e.size = before + size
	return nil
}

// set writes the members of a set in the order of their bytes.
func (e *encoder) set(kind byte, noun string, members []string, count int) error {
	if count == 0 {
		// Two spaces, as the service says it.
		return validation("One or more parameter values were invalid: An %s set  may not be empty", noun)
	}
	sorted := slices.Clone(members)
	if kind == kindStringSet {
		for i, member := range sorted {
			sorted[i] = validText(member)
		}
	}
	slices.Sort(sorted)
	e.buf = append(e.buf, kind)
	e.buf = binary.AppendUvarint(e.buf, uint64(count))
	for i, member := range sorted {
		if i > 0 && member == sorted[i-1] {
			return duplicates(kind, members)
		}
		e.text(member)
		e.size += len(member)
	}
	return nil
}

func duplicates(kind byte, members []string) error {
	switch kind {
	case kindNumberSet:
		return validation("One or more parameter values were invalid: Input collection contains duplicates.")
	case kindBinarySet:
		encoded := make([]string, len(members))
		for i, member := range members {
			encoded[i] = base64.StdEncoding.EncodeToString([]byte(member))
		}
		return validation("One or more parameter values were invalid: Input collection [%s]of type BS contains duplicates.",
			strings.Join(encoded, ", "))
	default:
		return validation("One or more parameter values were invalid: Input collection [%s] contains duplicates.",
			strings.Join(members, ", "))
	}
}

// validText replaces each invalid byte with U+FFFD, which is what the SDK's JSON encoder sends in its place.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
