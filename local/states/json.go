package states

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"trade-processing/lambdas/jsontext"
)

// AppendJSON appends data as JSON, with documents and numbers verbatim and object members in name order. It panics on
// anything that isn't Data.
func AppendJSON(b []byte, data Data) []byte {
	switch data := data.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, data)
	case string:
		return jsontext.AppendString(b, data)
	case json.Number:
		return append(b, data...)
	case *Document:
		return append(b, data.text...)
	case []any:
		b = append(b, '[')
		for i, element := range data {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSON(b, element)
		}
		return append(b, ']')
	case map[string]any:
		var few [8]string // most objects need no more, and so no allocation
		names := few[:0]
		for name := range data {
			names = append(names, name)
		}
		slices.Sort(names)
		b = append(b, '{')
		for i, name := range names {
			b = appendMember(b, i, name, data[name])
		}
		return append(b, '}')
	case Object:
		b = append(b, '{')
		for i, m := range data {
			b = appendMember(b, i, m.Name, m.Value)
		}
		return append(b, '}')
	default:
		panic(fmt.Sprintf("%T is not JSON data", data))
	}
}

func appendMember(b []byte, at int, name string, value Data) []byte {
	if at > 0 {
		b = append(b, ',')
	}
	return AppendJSON(append(jsontext.AppendString(b, name), ':'), value)
}

// Text returns data as AppendJSON writes it. Don't change it: it may be a document's.
func Text(data Data) []byte {
	if d, ok := data.(*Document); ok {
		return d.text
	}
	return AppendJSON(make([]byte, 0, estimate(data, 1)), data)
}

// estimate returns how many bytes AppendJSON writes if each byte of a text takes so many.
func estimate(data Data, perByte int) int {
	switch data := data.(type) {
	case *Document:
		return len(data.text)
	case string:
		return quoted(data, perByte)
	case json.Number:
		return len(data)
	case []any:
		bytes := len(`[]`)
		for _, element := range data {
			bytes += estimate(element, perByte) + len(`,`)
		}
		return bytes
	case map[string]any:
		bytes := len(`{}`)
		for name, value := range data {
			bytes += estimateMember(name, value, perByte)
		}
		return bytes
	case Object:
		bytes := len(`{}`)
		for _, m := range data {
			bytes += estimateMember(m.Name, m.Value, perByte)
		}
		return bytes
	}
	return len(`false`)
}

func estimateMember(name string, value Data, perByte int) int {
	return quoted(name, perByte) + len(`:,`) + estimate(value, perByte)
}

func quoted(text string, perByte int) int { return len(`""`) + perByte*len(text) }
