package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzValid compares with encoding/json.
func FuzzValid(f *testing.F) {
	for _, text := range []string{
		``, ` `, `{}`, `[]`, ` { } `, `[ ]`, `{"a":1}`, ` { "a" : [ 1 , -2.5e+3 , "x\"]}" ] , "b\u00e9" : { "c" : null } , "" : true } `, `[[],[[]],{},"",0]`,
		`{`, `[`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{1:1}`, `[1`, `[1,`, `[1,]`, `[1 2]`, `[,1]`, `{,}`, `]`, `}`, `[}`, `{]`,
		`nul`, `null`, `nullx`, `tru`, `true`, `falsey`, `-`, `-0`, `00`, `01`, `-01`, `1.`, `.1`, `1.5`, `1e`, `1e+`, `1E-7`, `1.e1`, `+1`, `0x1`, `1 1`,
		`"`, `"a`, `"\`, `"\x"`, `"\u12`, `"\u12g4"`, `"\ud83d"`, "\"\n\"", "\"\x7f\xff\"", "\x00", "\ufeff{}", `"a" "b"`, `"a",`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		strings.Repeat("[", maxDepth) + "0" + strings.Repeat("]", maxDepth), strings.Repeat(`{"":`, maxDepth+1) + "0" + strings.Repeat("}", maxDepth+1),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := Valid(text), json.Valid(text); got != want {
			t.Errorf("Valid(%.80q) is %v, and json.Valid says %v", text, got, want)
		}
	})
}
