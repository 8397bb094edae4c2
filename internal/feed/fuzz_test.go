package feed_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"trade-processing/internal/feed"
)

// Whatever the input, it doesn't panic; every entry and every problem with one counts as a line; what is passed on is
// what encoding/json finds there; and it doesn't matter how the bytes arrive.
func FuzzFeed(f *testing.F) {
	for _, seed := range []string{
		good, alsoGood, "", "\n", "[" + good + "]", good + good, good + "\r\n\n" + alsoGood,
		"\uFEFF" + good, firstPart + `"\ud83d\ude00\ud800"}`, `{"Source":null,"Time":1772000000.25,"Resources":["a"]}`,
		`{"Source":"s","DetailType":"d","Detail":{"a":[1,{"b":"]}\\\""}]},"Time":"2026-03-09T14:30:00Z"}`,
		"[\n" + good + ",\n" + alsoGood + "]", "{\n" + good[1:], `{"Entries":[` + good + "]}", "{\n{\n" + good, "[" + good + ",\n{\"", "[{},",
		firstPart + nested(1001) + "}", "\xff\xfe{\x00", "\x1f\x8b",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		read := func(from io.Reader) ([]outcome, int64) {
			in := feed.FromReader("input", from)
			return collect(t, in), in.Lines()
		}
		got, lines := read(bytes.NewReader(input))
		if slow, _ := read(iotest.OneByteReader(bytes.NewReader(input))); !cmp.Equal(got, slow) {
			t.Errorf("byte by byte: %s", cmp.Diff(got, slow))
		}
		if bytes.HasPrefix(input, []byte{0x1f, 0x8b}) {
			return // the lines are inside the gzip data
		}
		unread := 0
		text := strings.Split(string(input), "\n")
		for _, o := range got {
			if o.Kind != feed.Refused {
				unread++
				continue
			}
			if o.Detail != "" {
				agrees(t, strings.Join(text[o.Line-1:], "\n"), o.Detail)
			}
		}
		if int64(len(got)-unread) != lines {
			t.Errorf("%d lines came to %d outcomes", lines, len(got)-unread)
		}
	})
}

// agrees looks for a detail in one of the objects that encoding/json finds in the text.
func agrees(t *testing.T, text, detail string) {
	t.Helper()
	if !utf8.ValidString(detail) {
		t.Errorf("invalid UTF-8 passed: %q", detail)
	}
	for at := range len(text) {
		var entry struct{ Detail json.RawMessage }
		if text[at] != '{' || json.NewDecoder(strings.NewReader(text[at:])).Decode(&entry) != nil {
			continue
		}
		want := string(entry.Detail)
		var held string
		if json.Unmarshal(entry.Detail, &held) == nil {
			want = strings.TrimSpace(held)
		}
		if detail == want {
			return
		}
	}
	t.Errorf("detail %q is not in %q", detail, text)
}
