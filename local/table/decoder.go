package table

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A decoder reads what an encoder wrote, so it needs no errors.
type decoder struct{ rest string }

func (d *decoder) count() int {
	var value uint64
	for shift := 0; ; shift += 7 {
		b := d.rest[0]
		d.rest = d.rest[1:]
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int(value)
		}
	}
}

// text shares its record's memory.
func (d *decoder) text() string {
	n := d.count()
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) kind() byte {
	kind := d.rest[0]
	d.rest = d.rest[1:]
	return kind
}

// attributes builds the members of an item or map, or only those named in keep if keep isn't nil.
func (d *decoder) attributes(keep map[string]bool) map[string]types.AttributeValue {
	count := d.count()
	members := make(map[string]types.AttributeValue, count)
	for range count {
		if name := d.text(); keep == nil || keep[name] {
			members[name] = d.value()
		} else {
			d.skip()
		}
	}
	return members
}

func (d *decoder) value() types.AttributeValue {
	switch d.kind() {
	case kindString:
		return &types.AttributeValueMemberS{Value: d.text()}
	case kindNumber:
		return &types.AttributeValueMemberN{Value: d.text()}
	case kindBinary:
		return &types.AttributeValueMemberB{Value: []byte(d.text())}
	case kindTrue:
		return &types.AttributeValueMemberBOOL{Value: true}
	case kindFalse:
		return &types.AttributeValueMemberBOOL{}
	case kindNull:
		return &types.AttributeValueMemberNULL{Value: true}
	case kindList:
		elements := make([]types.AttributeValue, d.count())
		for i := range elements {
			elements[i] = d.value()
		}
		return &types.AttributeValueMemberL{Value: elements}
	default:
		return &types.AttributeValueMemberM{Value: d.attributes(nil)}
	}
}

// skip passes over one value without building it.
func (d *decoder) skip() {
	switch d.kind() {
	case kindString, kindNumber, kindBinary:
		d.text()
	case kindList:
		for range d.count() {
			d.skip()
		}
	case kindMap:
		for range d.count() {
			d.text()
			d.skip()
		}
	}
}

// A raw is one encoded value, as written by an encoder. The empty raw means an absent attribute. Encodings are
// canonical, so two values are equal if and only if their raws are.
type raw string

// attribute finds one attribute of an encoded item.
func attribute(body, name string) raw { return attributes(body, []string{name})[0] }

// attributes finds some attributes of an encoded item, in one go.
func attributes(body string, names []string) []raw {
	found := make([]raw, len(names))
	d := decoder{rest: body}
	for range d.count() {
		name, before := d.text(), d.rest
		d.skip()
		value := raw(before[:len(before)-len(d.rest)])
		for i := range names {
			if names[i] == name {
				found[i] = value
			}
		}
	}
	return found
}

// typeName returns the name that the service gives the value's type.
func (r raw) typeName() string {
	switch r[0] {
	case kindTrue, kindFalse:
		return "BOOL"
	case kindNull:
		return "NULL"
	default:
		return string(r[0])
	}
}

// isScalar reports whether the type has an order.
func (r raw) isScalar() bool { return r != "" && strings.IndexByte("SNB", r[0]) >= 0 }

// text returns the content of a string, number or binary.
func (r raw) text() string {
	d := decoder{rest: string(r[1:])}
	return d.text()
}

// order compares two scalars of one type; ok is false for anything else.
func (r raw) order(other raw) (result int, ok bool) {
	if !r.isScalar() || !other.isScalar() || r[0] != other[0] {
		return 0, false
	}
	if r[0] != kindNumber {
		return strings.Compare(r.text(), other.text()), true
	}
	// Both texts are in normal form already.
	a, _ := parseNumber(r.text())
	b, _ := parseNumber(other.text())
	return a.Cmp(&b.Decimal), true
}
