package table

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

// A decoder reads what an encoder wrote. The bytes come from our own encoder or were checked on import, so that it
// needs no errors.
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

// text shares the memory of the record that it is part of.
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

func (d *decoder) texts() []string {
	texts := make([]string, d.count())
	for i := range texts {
		texts[i] = d.text()
	}
	return texts
}

func (d *decoder) attributes() map[string]types.AttributeValue {
	count := d.count()
	members := make(map[string]types.AttributeValue, count)
	for range count {
		name := d.text()
		members[name] = d.value()
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
	case kindMap:
		return &types.AttributeValueMemberM{Value: d.attributes()}
	case kindStringSet:
		return &types.AttributeValueMemberSS{Value: d.texts()}
	case kindNumberSet:
		return &types.AttributeValueMemberNS{Value: d.texts()}
	default:
		members := d.texts()
		set := make([][]byte, len(members))
		for i, member := range members {
			set[i] = []byte(member)
		}
		return &types.AttributeValueMemberBS{Value: set}
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
	case kindStringSet, kindNumberSet, kindBinarySet:
		for range d.count() {
			d.text()
		}
	}
}

// decodeItem builds an item from its encoding, or those of its attributes that are named in keep, where keep isn't nil.
func decodeItem(body string, keep map[string]bool) map[string]types.AttributeValue {
	d := decoder{rest: body}
	if keep == nil {
		return d.attributes()
	}
	item := make(map[string]types.AttributeValue, len(keep))
	for range d.count() {
		if name := d.text(); keep[name] {
			item[name] = d.value()
		} else {
			d.skip()
		}
	}
	return item
}

// raw reads one value without building it.
func (d *decoder) raw() raw {
	before := d.rest
	d.skip()
	return raw(before[:len(before)-len(d.rest)])
}

// member finds a member of a map, or an attribute of an item.
func (d *decoder) member(name string) raw {
	for range d.count() {
		if d.text() == name {
			return d.raw()
		}
		d.skip()
	}
	return ""
}

func (d *decoder) element(index int) raw {
	for i := range d.count() {
		if i == index {
			return d.raw()
		}
		d.skip()
	}
	return ""
}
