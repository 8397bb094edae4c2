package states

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

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

// scratch keeps the buffers in which data is written to be measured.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// size returns how many bytes AppendJSON writes.
func size(data Data) int {
	if d, ok := data.(*Document); ok {
		return len(d.text)
	}
	buffer := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	*buffer = AppendJSON((*buffer)[:0], data)
	return len(*buffer)
}
