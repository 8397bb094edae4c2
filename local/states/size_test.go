package states

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// This one looks inside: what a size is shows from outside only at the limit.
func TestSizeIsWhatIsWritten(t *testing.T) {
	var draw func(t *rapid.T, depth int) Data
	texts := rapid.Custom(func(t *rapid.T) string { // broken UTF-8 and control characters too
		return string(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "bytes"))
	})
	draw = func(t *rapid.T, depth int) Data {
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]Data{nil, true, false, json.Number("-1.50")}).Draw(t, "word")
		case 1:
			return Written([]byte(` {"a" : 1} `))
		case 2, 3:
			if depth == 0 {
				return nil
			}
			list := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "elements") {
				list = append(list, draw(t, depth-1))
			}
			return list
		case 4, 5:
			if depth == 0 {
				return nil
			}
			object := map[string]any{}
			for range rapid.IntRange(0, 3).Draw(t, "members") {
				object[texts.Draw(t, "name")] = draw(t, depth-1)
			}
			return object
		default:
			return texts.Draw(t, "text")
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		data := draw(t, 4)
		written := AppendJSON(nil, data)
		if n, err := size(data); err != nil || n != len(written) {
			t.Errorf("%q has %d bytes, and its size is %d, %v", written, len(written), n, err)
		}
	})
}

func TestSizeRefusesWhatIsNoData(t *testing.T) {
	for _, data := range []Data{1, []any{1.5}, map[string]any{"a": []any{struct{}{}}}} {
		if n, err := size(data); err == nil || !strings.HasSuffix(err.Error(), "is no JSON data") {
			t.Errorf("%v has size %d, %v", data, n, err)
		}
	}
}
