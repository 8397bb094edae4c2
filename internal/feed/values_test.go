package feed_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"trade-processing/internal/feed"
)

// Whatever the layout, the same entries are read, with each number as it is spelled.
func TestEntriesMayBeLaidOutAsTheyLike(t *testing.T) {
	details := []string{`{"amount":1.10,"big":123456789012345678901234567890,"e":1E+2}`, `{"x":"]},{\"Source","y":[{"z":0.10}]}`, `{}`}
	entry := func(detail string) string { return firstPart + detail + "}" }
	pretty := func(text string) string {
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	all := []string{entry(details[0]), entry(details[1]), entry(details[2])}
	array := "[" + strings.Join(all, ",") + "]"
	for name, text := range map[string]string{
		"one per line":                         strings.Join(all, "\n"),
		"all on one line":                      strings.Join(all, ""),
		"all on one line, with blanks":         strings.Join(all, " \t "),
		"each on several lines":                pretty(all[0]) + "\n" + pretty(all[1]) + "\n\n" + pretty(all[2]) + "\n",
		"each behind the end of another":       pretty(all[0]) + pretty(all[1]) + pretty(all[2]),
		"each on several lines, with returns":  strings.ReplaceAll(pretty(all[0])+"\n"+pretty(all[1])+"\n"+pretty(all[2]), "\n", "\r\n"),
		"in an array":                          array,
		"in an array of lines":                 "[\n" + strings.Join(all, ",\n") + "\n]\n",
		"in an array of lines with commas":     "[" + strings.Join(all, "\n,") + "]",
		"in an array on several lines":         pretty(array),
		"in an array behind a mark and blanks": "\uFEFF  " + array,
		"in several arrays":                    "[" + all[0] + "]\n[]\n[" + all[1] + "," + all[2] + "]",
		"in an array and behind it":            "[" + all[0] + "," + all[1] + "]" + all[2],
		"in a request":                         `{"Entries":` + array + "}",
		"in a request on several lines":        pretty(`{"Entries":` + array + "}"),
		"in all ways":                          pretty(all[0]) + "\n[" + all[1] + "]\n" + `{"Entries":[` + all[2] + "]}",
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
				var got []string
				for entry, problem := range feed.FromReader("input", from).Entries(t.Context()) {
					if problem != nil {
						t.Fatal(problem)
					}
					var compact bytes.Buffer
					if err := json.Compact(&compact, entry.Detail); err != nil {
						t.Fatal(err)
					}
					got = append(got, compact.String())
					if line := strings.Split(text, "\n")[entry.Line-1]; !strings.Contains(line, "{") {
						t.Errorf("line %d is %q", entry.Line, line)
					}
				}
				if diff := cmp.Diff(details, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// What is damaged costs itself alone.
func TestDamageInALayoutIsToldWhereItIs(t *testing.T) {
	pretty := func(n int) string {
		return fmt.Sprintf("{\n  \"Source\": \"s\",\n  \"DetailType\": \"d\",\n  \"Detail\": {\n    \"tradeId\": \"t-%d\"\n  }\n}\n", n)
	}
	first, second := `{"tradeId":"t-1"}`, `{"tradeId":"t-2"}`
	for name, test := range map[string]struct {
		text string
		want []string // details, or line: a part of the reason
	}{
		"a value that a line cuts":           {good[:40] + "\n" + alsoGood, []string{"1: ends inside a JSON value", second}},
		"a value that ends behind a colon":   {`{"Detail":` + "\n" + good + "\n" + alsoGood, []string{"1: ends inside a JSON value", first, second}},
		"one that goes on for long":          {strings.Repeat(`{"a":`+"\n", 200) + good, append(repeated("ends inside a JSON value", 200), first)},
		"a broken value of several lines":    {strings.Replace(pretty(1), "\"d\",", "\"d\"", 1) + pretty(2), []string{"1: ends inside a JSON value", second}},
		"a value that the file cuts":         {good + "\n" + pretty(2)[:60], []string{first, "2: ends inside a JSON value"}},
		"an array that the file cuts":        {"[" + good + ",\n" + alsoGood + ",\n" + good[:30], []string{first, second, "3: ends inside a JSON array"}},
		"an array that ends behind a comma":  {"[" + good + ",\n", []string{first, "2: ends inside a JSON array"}},
		"an element that is no entry":        {"[" + good + ",\n7,\n" + alsoGood + "]", []string{first, "2: not a JSON object", second}},
		"a broken element":                   {"[" + good + ",\n{\"a\":},\n" + alsoGood + "]\n" + good, []string{first, "2: not JSON", second, first}},
		"elements without commas":            {"[\n" + good + "\n" + alsoGood + "\n]\n", []string{first, second}},
		"an element above 1 MiB":             {"[\n" + good + ",\n" + padded(2<<20) + ",\n" + alsoGood + "\n]", []string{first, "3: bytes long", second}},
		"a log line":                         {"[2026-03-09 12:00] started\n" + good, []string{"1: not JSON at byte 6", first}},
		"a log line between":                 {good + "\n[2026-03-09 12:00] started\n" + alsoGood, []string{first, "2: not JSON at byte 6", second}},
		"a number that an array holds alone": {"[1,2]", []string{"1: a JSON array, not an object"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			i := 0
			for entry, problem := range feed.FromReader("input", strings.NewReader(test.text)).Entries(t.Context()) {
				said := strings.ReplaceAll(strings.ReplaceAll(string(entry.Detail), "\n", ""), " ", "")
				if problem != nil {
					said = fmt.Sprintf("%d: %s", problem.Line, problem.Reason)
					if line, part, _ := strings.Cut(test.want[min(i, len(test.want)-1)], ": "); strings.HasPrefix(said, line+": ") && strings.Contains(said, part) {
						said = line + ": " + part
					}
				}
				got = append(got, said)
				i++
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func repeated(reason string, times int) []string {
	var all []string
	for i := range times {
		all = append(all, fmt.Sprintf("%d: %s", i+1, reason))
	}
	return all
}

// Compressed by another tool, a file is one problem, which names the tool. The tool's own bytes are the proof.
func TestOtherCompressionsAreOneProblemEach(t *testing.T) {
	text := strings.Repeat(good+"\n", 5_000)
	for _, tool := range []string{"zstd -c", "xz -c", "bzip2 -c", "lz4 -c", "xz -c --format=lzma", "zip -q - -", "compress -c", "iconv -f UTF-8 -t UTF-16", "iconv -f UTF-8 -t UTF-16LE", "iconv -f UTF-8 -t UTF-16BE", "iconv -f UTF-8 -t UTF-32"} {
		words := strings.Fields(tool)
		t.Run(tool, func(t *testing.T) {
			if _, err := exec.LookPath(words[0]); err != nil {
				t.Skip(err)
			}
			command := exec.CommandContext(t.Context(), words[0], words[1:]...)
			command.Stdin = strings.NewReader(text)
			packed, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, string(packed))
			if len(got) != 1 || got[0].Kind != feed.Unreadable {
				t.Fatalf("%.300v", got)
			}
			_, remedy, _ := strings.Cut(got[0].Reason, "as this writes: ")
			if words[0] == "compress" || words[0] == "zip" {
				return // their remedies are gzip's and unzip's
			}
			mend := exec.CommandContext(t.Context(), "sh", "-c", strings.TrimSuffix(remedy, " FILE"))
			mend.Stdin = bytes.NewReader(packed)
			if mended, err := mend.Output(); err != nil || strings.TrimPrefix(string(mended), "\uFEFF") != text {
				t.Errorf("%s gives %v, %.100q", remedy, err, mended)
			}
		})
	}
	for magic, want := range map[string]string{
		"LZIP\x01":           "compressed with lzip",
		"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
		"Rar!\x1a\x07\x00":   "a rar archive",
		"PAR1":               "a Parquet file",
		"trades/" + strings.Repeat("\x00", 250) + "ustar": "a tar archive",
	} {
		if got := read(t, magic+strings.Repeat("x\n", 300)); len(got) != 1 || !strings.HasPrefix(got[0].Reason, want) {
			t.Errorf("%s: %.300v", want, got)
		}
	}
}
