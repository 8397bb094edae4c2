// Package value reads the properties of resources of any program. A preview may not know a property yet, a program may
// have marked it secret, left it null or given it another type than the provider asks for: reading it never panics, and
// no question is answered with yes about what isn't known.
package value

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Value is a property, or that there is none. The zero Value is a property that isn't there.
//
// Its questions have three answers: yes, no, and not known yet. Is… are true where yes is known, Lacks… and Unset where
// no is known, and both are false of an unknown value. So !Unset is not IsSet: it may turn out either way.
type Value struct {
	raw     property.Value
	secret  bool
	unknown bool
}

// Of reads a property value. A secret is read as what it hides; IsSecret tells that it was one.
func Of(raw property.Value) Value {
	return Value{raw: raw, secret: raw.Secret(), unknown: raw.IsComputed()}
}

// OfMap reads the properties of a resource.
func OfMap(properties property.Map) Value { return Of(property.New(properties)) }

// Any makes a value of decoded JSON, such as a policy document's.
func Any(decoded any) Value { return Of(convert(decoded)) }

func convert(decoded any) property.Value {
	switch decoded := decoded.(type) {
	case bool:
		return property.New(decoded)
	case string:
		return property.New(decoded)
	case float64:
		return property.New(decoded)
	case []any:
		list := make([]property.Value, len(decoded))
		for i, element := range decoded {
			list[i] = convert(element)
		}
		return property.New(list)
	case map[string]any:
		object := make(map[string]property.Value, len(decoded))
		for name, element := range decoded {
			object[name] = convert(element)
		}
		return property.New(object)
	default:
		return property.Value{}
	}
}

// At follows a path of names, such as "serverSideEncryption.kmsKeyArn". A list of one element is read as that element:
// Terraform's schemas, from which many of Pulumi's come, know no other way to say "an object or none". What lies behind
// an unknown value is unknown.
func (v Value) At(path string) Value {
	for name := range strings.SplitSeq(path, ".") {
		v = v.Get(name)
	}
	return v
}

// Get is the member of that very name, which may hold dots.
func (v Value) Get(name string) Value {
	if v.raw.IsArray() && v.raw.AsArray().Len() == 1 {
		v = v.within(v.raw.AsArray().Get(0))
	}
	switch {
	case v.unknown:
		return Value{unknown: true, secret: v.secret}
	case v.raw.IsMap():
		return v.within(v.raw.AsMap().Get(name))
	default:
		return Value{}
	}
}

// within is a value inside v, which shares its secrecy.
func (v Value) within(raw property.Value) Value {
	inner := Of(raw)
	inner.secret = inner.secret || v.secret
	return inner
}

// IsUnknown tells that a preview doesn't know the value itself. Something inside of it may be unknown too.
func (v Value) IsUnknown() bool { return v.unknown }

// HoldsUnknown tells that a preview doesn't know the value, or something inside of it.
func (v Value) HoldsUnknown() bool { return v.unknown || v.raw.HasComputed() }

// IsSecret tells whether the program keeps the value secret. Messages never show it then.
func (v Value) IsSecret() bool { return v.secret }

// HoldsSecret tells that the value, or something inside of it, is secret.
func (v Value) HoldsSecret() bool { return v.secret || v.raw.HasSecrets() }

// Unset tells that the property is known to hold nothing: it isn't there, is null, an empty text, list or object.
func (v Value) Unset() bool {
	switch {
	case v.unknown:
		return false
	case v.raw.IsString():
		return strings.TrimSpace(v.raw.AsString()) == ""
	case v.raw.IsArray():
		return v.raw.AsArray().Len() == 0
	case v.raw.IsMap():
		return v.raw.AsMap().Len() == 0
	default:
		return v.raw.IsNull()
	}
}

// IsSet tells that the property is known to hold something.
func (v Value) IsSet() bool { return !v.unknown && !v.Unset() }

// Text is the value as text, empty where it isn't one or isn't known. Numbers and truth values are texts too, as the
// engine converts between them.
func (v Value) Text() string {
	switch {
	case v.raw.IsString():
		return v.raw.AsString()
	case v.raw.IsBool():
		return strconv.FormatBool(v.raw.AsBool())
	case v.raw.IsNumber():
		return strconv.FormatFloat(v.raw.AsNumber(), 'f', -1, 64)
	default:
		return ""
	}
}

// Is tells whether the value is known to be one of the texts.
func (v Value) Is(texts ...string) bool {
	return v.IsSet() && slices.Contains(texts, v.Text())
}

// LacksText tells that the value is known to be none of the texts, or not there.
func (v Value) LacksText(texts ...string) bool { return !v.unknown && !v.Is(texts...) }

// IsTrue tells whether the value is known to be true.
func (v Value) IsTrue() bool { return v.Is("true") }

// LacksTruth tells that the value is known to be false, or not there.
func (v Value) LacksTruth() bool { return v.LacksText("true") }

// Number is the value as a number, and whether it is known to be one.
func (v Value) Number() (float64, bool) {
	if v.raw.IsNumber() {
		return v.raw.AsNumber(), true
	}
	number, err := strconv.ParseFloat(v.Text(), 64)
	return number, err == nil
}

// LacksNumber tells that the value is known to be less than the least, or no number at all.
func (v Value) LacksNumber(least float64) bool {
	number, isNumber := v.Number()
	return !v.unknown && (!isNumber || number < least)
}

// Each is the elements of a list. A single value is a list of itself, and what isn't there an empty one. An unknown
// list has one unknown element.
func (v Value) Each() []Value {
	if v.raw.IsArray() {
		elements := make([]Value, 0, v.raw.AsArray().Len())
		for _, element := range v.raw.AsArray().All {
			elements = append(elements, v.within(element))
		}
		return elements
	}
	if v.Unset() {
		return nil
	}
	return []Value{v}
}

// Keys are the names of an object's members, sorted.
func (v Value) Keys() []string {
	if !v.raw.IsMap() {
		return nil
	}
	names := make([]string, 0, v.raw.AsMap().Len())
	for name := range v.raw.AsMap().AllStable {
		names = append(names, name)
	}
	return names
}

// Document is a JSON document: a text that holds one, or an object that is one. It is unset where the text is no JSON,
// which AWS refuses by itself.
func (v Value) Document() Value {
	if !v.raw.IsString() {
		return v
	}
	var decoded any
	if err := json.Unmarshal([]byte(v.raw.AsString()), &decoded); err != nil {
		return Value{}
	}
	return v.within(convert(decoded))
}
