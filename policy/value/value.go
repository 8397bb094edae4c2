// Package value reads the properties of any program's resources. A preview may not know a property yet, and a program
// may have marked it secret, left it null or given it a different type from the provider's: reading it never panics,
// and no question about an unknown value is answered with yes.
package value

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Value is a property, present or absent. The zero Value is absent.
//
// Its questions have three answers: yes, no, and not known yet. Is… is true if the answer is known to be yes, Lacks…
// and Unset if it is known to be no, and both are false for an unknown value. So !Unset is not the same as IsSet.
type Value struct {
	raw     property.Value
	secret  bool
	unknown bool
}

// Of reads a property value. A secret is read as its content; IsSecret reports that it was one.
func Of(raw property.Value) Value {
	return Value{raw: raw, secret: raw.Secret(), unknown: raw.IsComputed()}
}

// OfMap reads the properties of a resource.
func OfMap(properties property.Map) Value { return Of(property.New(properties)) }

// Any turns decoded JSON, such as a policy document's, into a value.
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
// Terraform's schemas, from which many of Pulumi's come, have no other way to say "an object or none". Anything inside
// an unknown value is unknown.
func (v Value) At(path string) Value {
	for name := range strings.SplitSeq(path, ".") {
		v = v.Get(name)
	}
	return v
}

// Get returns the member of exactly that name, which may contain dots.
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

// within returns a value inside v, which shares its secrecy.
func (v Value) within(raw property.Value) Value {
	inner := Of(raw)
	inner.secret = inner.secret || v.secret
	return inner
}

// IsUnknown reports whether a preview doesn't know the value itself. Something inside a known value may still be
// unknown.
func (v Value) IsUnknown() bool { return v.unknown }

// HoldsUnknown reports whether the value, or something inside it, is unknown.
func (v Value) HoldsUnknown() bool { return v.unknown || v.raw.HasComputed() }

// IsSecret reports whether the program keeps the value secret. Messages then never show it.
func (v Value) IsSecret() bool { return v.secret }

// HoldsSecret reports whether the value, or something inside it, is secret.
func (v Value) HoldsSecret() bool { return v.secret || v.raw.HasSecrets() }

// Unset reports whether the property is known to be empty: absent, null, or an empty string, list or object.
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

// IsSet reports whether the property is known not to be empty.
func (v Value) IsSet() bool { return !v.unknown && !v.Unset() }

// Text returns the value as a string; empty if it isn't one or is unknown. Numbers and booleans count as strings,
// because the engine converts between them.
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

// Is reports whether the value is known to be one of the strings.
func (v Value) Is(texts ...string) bool {
	return v.IsSet() && slices.Contains(texts, v.Text())
}

// LacksText reports whether the value is known to be none of the strings, or absent.
func (v Value) LacksText(texts ...string) bool { return !v.unknown && !v.Is(texts...) }

// IsTrue reports whether the value is known to be true.
func (v Value) IsTrue() bool { return v.Is("true") }

// LacksTruth reports whether the value is known to be false, or absent.
func (v Value) LacksTruth() bool { return v.LacksText("true") }

// Number returns the value as a number, and whether it is known to be one.
func (v Value) Number() (float64, bool) {
	if v.raw.IsNumber() {
		return v.raw.AsNumber(), true
	}
	number, err := strconv.ParseFloat(v.Text(), 64)
	return number, err == nil
}

// LacksNumber reports whether the value is known to be less than least, or not a number at all.
func (v Value) LacksNumber(least float64) bool {
	number, isNumber := v.Number()
	return !v.unknown && (!isNumber || number < least)
}

// Each returns the elements of a list. A single value is a list of itself, and an absent one is an empty list. An
// unknown list has one unknown element.
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

// Keys returns the names of an object's members, sorted.
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

// Document returns a JSON document: a string containing one, or an object that is one. It is unset if the string isn't
// JSON, which AWS refuses anyway.
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
