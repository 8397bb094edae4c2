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
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsontext.AppendString(b, name), ':')
			b = AppendJSON(b, data[name])
		}
		return append(b, '}')
	default:
		panic(fmt.Sprintf("%T is not JSON data", data))
	}
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
		for name, member := range data {
			bytes += quoted(name, perByte) + len(`:`) + estimate(member, perByte) + len(`,`)
		}
		return bytes
	}
	return len(`false`)
}

func quoted(text string, perByte int) int { return len(`""`) + perByte*len(text) }
