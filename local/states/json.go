package states

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"trade-processing/lambdas/jsontext"
)

// AppendJSON appends data as JSON, documents and numbers as they stand. The members of an object come in order of their
// names. It panics on what is no Data.
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
		var few [8]string // most objects need no more, and no allocation then
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

// scratch keeps the buffers in which data are written to be measured.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// size is how many bytes AppendJSON writes.
func size(data Data) int {
	if d, ok := data.(*Document); ok {
		return len(d.text)
	}
	buffer := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	*buffer = AppendJSON((*buffer)[:0], data)
	return len(*buffer)
}
