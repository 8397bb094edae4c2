package jsontext

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func TestTextsAreWrittenAsRFC8785Says(t *testing.T) {
	for text, want := range map[string]string{
		"":                           `""`,
		"plain":                      `"plain"`,
		"<a href='x'>&amp;":          `"<a href='x'>&amp;"`,
		"é🙂\u2028\u2029\x7f":         "\"é🙂\u2028\u2029\x7f\"",
		"\"\\/":                      `"\"\\/"`,
		"\b\f\n\r\t\x00\x1f":         `"\b\f\n\r\t\u0000\u001f"`,
		"broken \xff\xc3 and \ufffd": "\"broken \ufffd\ufffd and \ufffd\"",
	} {
		if got := string(AppendString(nil, text)); got != want {
			t.Errorf("%q became %s, want %s", text, got, want)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		written := AppendString([]byte("["), text)
		var back string
		if err := json.Unmarshal(written[1:], &back); err != nil || back != text {
			t.Fatalf("%q was written as %s and read back as %q, %v", text, written, back, err)
		}
	})
}
