package feed_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trade-processing/internal/feed"
)

const (
	good      = `{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":"t-1"}}`
	alsoGood  = `{"Source":"trading.system2","DetailType":"Trade Event","Detail":"{\"tradeId\":\"t-2\"}"}`
	firstPart = `{"Source":"s","DetailType":"d","Detail":`
)

// outcome is the result of one line, or one file: the detail of an entry, or a problem.
type outcome struct {
	Line   int
	Detail string
	Kind   feed.Kind
	Reason string
}

func collect(t *testing.T, f *feed.Feed) []outcome {
	t.Helper()
	var all []outcome
	for entry, problem := range f.Entries(t.Context()) {
		if problem != nil {
			all = append(all, outcome{Line: problem.Line, Kind: problem.Kind, Reason: problem.Reason})
			continue
		}
		all = append(all, outcome{Line: entry.Line, Detail: string(entry.Detail)})
	}
	return all
}

func read(t *testing.T, text string) []outcome {
	t.Helper()
	return collect(t, feed.FromReader("input", strings.NewReader(text)))
}

func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnEntryKeepsEverythingThatPutEventsTakes(t *testing.T) {
	line := `{"TraceHeader":"Root=1-2-3","EventBusName":"trades","Resources":["arn:a","arn:\u00e9"],"Time":"2026-03-09T09:30:00.5-04:00",` +
		`"Detail": {"b": 1.50, "a":"x"} ,"DetailType":"Trade Event","Source":"trading.system1"}`
	for entry, problem := range feed.FromReader("input", strings.NewReader("\n"+line)).Entries(t.Context()) {
		if problem != nil {
			t.Fatal(problem)
		}
		want := feed.Entry{
			Source: "trading.system1", DetailType: "Trade Event", Detail: []byte(`{"b": 1.50, "a":"x"}`),
			Time:      time.Date(2026, 3, 9, 13, 30, 0, 500_000_000, time.UTC),
			Resources: []string{"arn:a", "arn:é"}, EventBusName: "trades", TraceHeader: "Root=1-2-3",
			File: "input", Line: 2,
		}
		if diff := cmp.Diff(want, entry); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhatIsAnEntry(t *testing.T) {
	for name, test := range map[string]struct{ text, detail string }{
		"a detail as an object is passed on byte for byte":       {firstPart + `{ "amount" : 1.10e+2 }}`, `{ "amount" : 1.10e+2 }`},
		"a detail as a string is passed on as the text it holds": {firstPart + `"{\"amount\":\"1.10\",\"n\":\"\u00fc \\u00fc\"}"}`, `{"amount":"1.10","n":"ü \u00fc"}`},
		"white space around a string's object is dropped":        {firstPart + `" {} \n"}`, `{}`},
		"a surrogate pair in a string is one character":          {firstPart + `"{\"x\":\"\ud83d\ude00\"}"}`, `{"x":"😀"}`},
		"a lone surrogate inside the detail is the trade's own":  {firstPart + `{"x":"\ud800"}}`, `{"x":"\ud800"}`},
		"members that are null are absent":                       {`{"Source":"s","DetailType":"d","Detail":{},"Time":null,"Resources":null,"EventBusName":null}`, `{}`},
		"names may be escaped":                                   {`{"\u0053ource":"s","DetailType":"d","Detail":{}}`, `{}`},
		"brackets and quotes in strings don't count":             {firstPart + `{"x":"]}\"\\","y":["}",{"z":"{"}]} , "Source2":null}`, ""},
		"a detail of 1,000 levels":                               {firstPart + nested(1000) + "}", nested(1000)},
		"a detail above 64 KiB is left to the validator":         {firstPart + `{"x":"` + strings.Repeat("x", 100_000) + `"}}`, `{"x":"` + strings.Repeat("x", 100_000) + `"}`},
		"a line of exactly 1 MiB":                                {padded(feed.MaxLine) + "\n", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			if test.detail == "" {
				test.text = strings.Replace(test.text, ` , "Source2":null`, "", 1)
				test.detail = strings.TrimSuffix(strings.TrimPrefix(test.text, firstPart), "}")
			}
			if diff := cmp.Diff([]outcome{{Line: 1, Detail: test.detail}}, read(t, test.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// nested returns objects inside one another, depth levels in all.
func nested(depth int) string {
	return strings.Repeat(`{"x":`, depth-1) + "{}" + strings.Repeat("}", depth-1)
}

// padded returns an entry that is length bytes long.
func padded(length int) string {
	const before, after = `{"Source":"s","DetailType":"d","Detail":{}`, "}"
	return before + strings.Repeat(" ", length-len(before)-len(after)) + after
}

func TestWhatIsRefusedAndWhatItSays(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"plain words":                         {"tradeId,amount", "not JSON at byte 3: invalid character 'a' in literal true"},
		"a list of words":                     {"[a log line]", "not JSON at byte 2"},
		"an array of an array":                {"[[" + good + "]]", "a JSON array, not an object"},
		"the start of pretty-printed JSON":    {"{", "the line ends inside a JSON value, and the next doesn't continue it"},
		"half an entry":                       {good[:40], "the line ends inside a JSON value"},
		"an entry and half another":           {good + good[:40], "unexpected text after the JSON value, at byte 83"},
		"an entry and a bracket too many":     {good + "}", "unexpected text after the JSON value, at byte 83"},
		"a number":                            {"42", "not a JSON object"},
		"invalid UTF-8":                       {firstPart + "{\"x\":\"\xff\"}}", "invalid UTF-8 at byte 47 (0xff)"},
		"a NUL byte":                          {"{\x00}", "not JSON at byte 2"},
		"an unknown field":                    {`{"Source":"s","DetailType":"d","Detail":{},"Extra":1}`, `unknown field "Extra"; an entry has Source, DetailType,`},
		"a field in the wrong case":           {`{"source":"s","DetailType":"d","Detail":{}}`, `unknown field "source"; write it "Source"`},
		"an event as EventBridge delivers it": {`{"version":"0","id":"1","detail-type":"Trade Event","source":"s","detail":{}}`, "an event as EventBridge delivers it"},
		"a request with an endpoint":          {`{"Entries":[` + good + `],"EndpointId":"x"}`, "a PutEvents request that has more than Entries; give its entries alone"},
		"a bare trade":                        {`{"tradeId":"t-1","amount":"1"}`, "a trade without its entry; wrap it"},
		"an empty object":                     {"{}", "Source, DetailType, Detail missing or empty"},
		"an empty source":                     {`{"Source":"","DetailType":"d","Detail":{}}`, "Source missing or empty"},
		"a member given twice":                {`{"Source":"s","Source":"t","DetailType":"d","Detail":{}}`, "Source is given twice"},
		"a source that is not a string":       {`{"Source":1,"DetailType":"d","Detail":{}}`, "Source is a JSON number, not a string"},
		"a source of AWS's own":               {`{"Source":"aws.ec2","DetailType":"d","Detail":{}}`, "NotAuthorizedForSource"},
		"a detail type of 129 characters":     {`{"Source":"s","DetailType":"` + strings.Repeat("é", 129) + `","Detail":{}}`, "DetailType has 129 characters"},
		"a detail that is an array":           {firstPart + `[{}]}`, "MalformedDetail): it is a JSON array"},
		"a detail that is a number":           {firstPart + `1}`, "MalformedDetail): it is a JSON number"},
		"a detail that is true":               {firstPart + `true}`, "MalformedDetail): it is a JSON boolean"},
		"a detail whose string is no JSON":    {firstPart + `"hello"}`, "MalformedDetail): the string is not JSON, at byte 1 of it: invalid character 'h'"},
		"a detail whose string is an array":   {firstPart + `"[{}]"}`, "MalformedDetail): the string holds a JSON array"},
		"a detail whose string is null":       {firstPart + `"null"}`, "MalformedDetail): the string holds null"},
		"a detail whose string is cut":        {firstPart + `"{\"x\":1"}`, "MalformedDetail): the string is not JSON, at byte 6 of it: unexpected end"},
		"a detail whose string is empty":      {firstPart + `" "}`, "Detail missing or empty"},
		"a detail with half a surrogate":      {firstPart + `"{\"x\":\"\ud800\"}"}`, "half of a surrogate pair"},
		"surrogates in the wrong order":       {firstPart + `"{\"x\":\"\ude00\ud83d\"}"}`, "half of a surrogate pair"},
		"a detail of 1,001 levels":            {firstPart + nested(1001) + "}", "nested 1002 levels deep; PutEvents takes at most 1000"},
		"a detail of 10,000 levels":           {firstPart + nested(10_000) + "}", "nested 10001 levels deep"},
		"a string of 10,000 levels":           {firstPart + `"` + strings.ReplaceAll(nested(10_000), `"`, `\"`) + `"}`, "Detail is nested 10000 levels deep"},
		"half a million open brackets":        {strings.Repeat("[", 500_000), "nested 500000 levels deep"},
		"a time of another form":              {`{"Source":"s","DetailType":"d","Detail":{},"Time":"9 March 2026"}`, `Time "9 March 2026" is not RFC 3339`},
		"a time without a zone":               {`{"Source":"s","DetailType":"d","Detail":{},"Time":"2026-03-09T14:30:00"}`, "is not RFC 3339"},
		"a one-digit hour":                    {`{"Source":"s","DetailType":"d","Detail":{},"Time":"2026-03-09T4:30:00Z"}`, "is not RFC 3339"},
		"a comma before the fraction":         {`{"Source":"s","DetailType":"d","Detail":{},"Time":"2026-03-09T14:30:00,5Z"}`, "is not RFC 3339"},
		"a zone of 24 hours":                  {`{"Source":"s","DetailType":"d","Detail":{},"Time":"2026-03-09T14:30:00+24:00"}`, "is not RFC 3339"},
		"ten digits after the second":         {`{"Source":"s","DetailType":"d","Detail":{},"Time":"2026-03-09T14:30:00.1234567890Z"}`, "more than 9 digits"},
		"a time with an exponent":             {`{"Source":"s","DetailType":"d","Detail":{},"Time":1.7e9}`, "has an exponent"},
		"a time of a size to choke on":        {`{"Source":"s","DetailType":"d","Detail":{},"Time":1e999999999}`, "is not a time"},
		"a time in milliseconds":              {`{"Source":"s","DetailType":"d","Detail":{},"Time":1772000000000}`, "is not a time"},
		"a time before 1970":                  {`{"Source":"s","DetailType":"d","Detail":{},"Time":-1}`, "is not a time"},
		"resources that are a string":         {`{"Source":"s","DetailType":"d","Detail":{},"Resources":"arn:a"}`, "Resources is a JSON string, not an array of strings"},
		"a resource that is a number":         {`{"Source":"s","DetailType":"d","Detail":{},"Resources":["a", 2]}`, "Resources[1] is a JSON number"},
		"a line of 1 MiB and a byte":          {padded(feed.MaxLine + 1), "1048577 bytes long; PutEvents takes entries of at most 1048576 bytes (1 MB)"},
		"a line of 2 MB":                      {padded(2_000_000), "2000000 bytes long"},
	} {
		t.Run(name, func(t *testing.T) {
			all := read(t, good+"\n"+test.text+"\n"+alsoGood+"\n")
			if len(all) != 3 {
				t.Fatalf("got %d outcomes, want 3: %v", len(all), all)
			}
			if all[0].Detail != `{"tradeId":"t-1"}` || all[2].Detail != `{"tradeId":"t-2"}` || all[2].Line != 3 {
				t.Errorf("the lines around it: %+v, %+v", all[0], all[2])
			}
			if got := all[1]; got.Line != 2 || got.Kind != feed.Refused || !strings.Contains(got.Reason, test.want) {
				t.Errorf("got %+v, want a reason with %q", got, test.want)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Time{
		`"2026-03-09T14:30:00Z"`: time.Date(2026, 3, 9, 14, 30, 0, 0, time.UTC),
		`"2026-03-09t14:30:00z"`: time.Date(2026, 3, 9, 14, 30, 0, 0, time.UTC),
		`"2016-12-31T23:59:60Z"`: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		`1773066600`:             time.Date(2026, 3, 9, 14, 30, 0, 0, time.UTC),
		`1773066600.123456789`:   time.Date(2026, 3, 9, 14, 30, 0, 123456789, time.UTC),
		`1773066600.5`:           time.Date(2026, 3, 9, 14, 30, 0, 500_000_000, time.UTC),
		`0`:                      time.Unix(0, 0),
	} {
		line := `{"Source":"s","DetailType":"d","Detail":{},"Time":` + text + `}`
		for entry, problem := range feed.FromReader("input", strings.NewReader(line)).Entries(t.Context()) {
			if problem != nil || !entry.Time.Equal(want) {
				t.Errorf("%s: got %v (%v), want %v", text, entry.Time, problem, want)
			}
		}
	}
}

func TestLinesAreCountedThroughBlankOnesMarksAndCarriageReturns(t *testing.T) {
	const mark = "\uFEFF"
	got := read(t, mark+good+"\r\n\r\n   \n"+mark+alsoGood+"\n\t\nnonsense\n"+good)
	want := []outcome{
		{Line: 1, Detail: `{"tradeId":"t-1"}`},
		{Line: 4, Detail: `{"tradeId":"t-2"}`},
		{Line: 6, Kind: feed.Refused, Reason: "not JSON at byte 2: invalid character 'o' in literal null (expecting 'u')"},
		{Line: 7, Detail: `{"tradeId":"t-1"}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestInputsAsAWhole(t *testing.T) {
	zipped := compressed(t, good+"\n"+alsoGood+"\n")
	ends := func(text string) []outcome {
		return []outcome{{Line: 1, Detail: `{"tradeId":"t-1"}`}, {Line: 2, Detail: `{"tradeId":"t-2"}`}, {Line: 3, Kind: feed.Unreadable, Reason: text}}
	}
	behind := func(kind feed.Kind, text string) []outcome {
		return []outcome{{Line: 1, Detail: `{"tradeId":"t-1"}`}, {Line: 2, Detail: `{"tradeId":"t-2"}`}, {Kind: kind, Reason: text}}
	}
	for name, test := range map[string]struct {
		content []byte
		want    []outcome
	}{
		"an empty file":                   {nil, []outcome{{Kind: feed.Empty, Reason: "empty: it has no entries"}}},
		"a file of blank lines":           {[]byte("\n \r\n"), []outcome{{Kind: feed.Empty, Reason: "empty: it has no entries"}}},
		"gzip of nothing":                 {compressed(t, ""), []outcome{{Kind: feed.Empty, Reason: "empty: it has no entries"}}},
		"gzip by its bytes, not its name": {compressed(t, good), []outcome{{Line: 1, Detail: `{"tradeId":"t-1"}`}}},
		"two gzip streams, joined":        {append(compressed(t, good+"\n"), compressed(t, alsoGood)...), []outcome{{Line: 1, Detail: `{"tradeId":"t-1"}`}, {Line: 2, Detail: `{"tradeId":"t-2"}`}}},
		"gzip without its checksum":       {zipped[:len(zipped)-8], ends("the gzip data ends early: the file is truncated; everything before that was read; fetch the file again")},
		"gzip with a wrong checksum":      {append(bytes.Clone(zipped[:len(zipped)-8]), 0, 0, 0, 0, 0, 0, 0, 0), ends("reading failed: gzip: invalid checksum")},
		"gzip with something behind it":   {append(bytes.Clone(zipped), "more"...), behind(feed.Unreadable, "extra bytes after the gzip data, which aren't gzip data (bytes: 4); everything before them was read; check how the file was written")},
		"gzip with zeros behind it":       {append(bytes.Clone(zipped), make([]byte, 70_000)...), behind(feed.Padded, "zero padding after the gzip data (bytes: 70000); everything was read")},
		"gzip with one byte behind it":    {append(bytes.Clone(zipped), 0x1f), behind(feed.Unreadable, "extra bytes after the gzip data, which aren't gzip data (bytes: 1); everything before them was read; check how the file was written")},
		"gzip without a last line end":    {append(compressed(t, good), 0), []outcome{{Line: 1, Detail: `{"tradeId":"t-1"}`}, {Kind: feed.Padded, Reason: "zero padding after the gzip data (bytes: 1); everything was read"}}},
		"gzip in gzip":                    {compressed(t, string(zipped)), []outcome{{Kind: feed.Unreadable, Reason: "compressed with gzip twice; decompress it once: gzip -dc FILE"}}},
		"gzip of two bytes":               {zipped[:2], []outcome{{Kind: feed.Unreadable, Reason: "the gzip data ends early: the file is truncated; everything before that was read; fetch the file again"}}},
		"UTF-16":                          {[]byte("\xff\xfe{\x00}\x00"), []outcome{{Kind: feed.Unreadable, Reason: "UTF-16 text; trades are read from UTF-8 text, plain or compressed with gzip, as this writes: iconv -f UTF-16 -t UTF-8 FILE"}}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := feed.Open([]string{write(t, "trades.ndjson", test.content)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, collect(t, f)); diff != "" {
				t.Error(diff)
			}
			if size, known := f.Size(); !known || size != int64(len(test.content)) || f.Read() != size {
				t.Errorf("size %d (known: %v), read %d, of %d bytes", size, known, f.Read(), len(test.content))
			}
		})
	}
}

func TestABrokenStreamLosesOnlyWhatIsBehindTheBreak(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(good+"\n"+alsoGood), iotest.ErrReader(errors.New("connection reset")))
	want := []outcome{
		{Line: 1, Detail: `{"tradeId":"t-1"}`},
		{Line: 2, Kind: feed.Unreadable, Reason: "reading failed: connection reset"},
	}
	if diff := cmp.Diff(want, collect(t, feed.FromReader("input", broken))); diff != "" {
		t.Error(diff)
	}
}

func TestSeveralInputsGoOnAfterABadOne(t *testing.T) {
	cut := compressed(t, good)
	names := []string{
		write(t, "cut.gz", cut[:len(cut)-10]),
		write(t, "empty", nil),
		feed.StandardInput,
		write(t, "plain", []byte(good+"\n")),
	}
	f, err := feed.Open(names, strings.NewReader(alsoGood))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for entry, problem := range f.Entries(t.Context()) {
		if problem != nil {
			files = append(files, problem.Error())
			continue
		}
		files = append(files, entry.File+" "+string(entry.Detail))
	}
	want := []string{
		names[0] + ":1: the gzip data ends early: the file is truncated; everything before that was read; fetch the file again",
		names[1] + ": empty: it has no entries",
		`standard input {"tradeId":"t-2"}`,
		names[3] + ` {"tradeId":"t-1"}`,
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	if f.Lines() != 2 {
		t.Errorf("%d lines, want 2", f.Lines())
	}
}

func TestAllFilesThatCannotBeReadAreNamedBeforeAnythingIsRead(t *testing.T) {
	directory := t.TempDir()
	_, err := feed.Open([]string{"/nowhere/a.ndjson", write(t, "fine", nil), directory, "b.ndjson", "-", "-"}, nil)
	want := "/nowhere/a.ndjson: no such file\n" +
		directory + ": a directory; name its files, such as " + directory + "/*.ndjson\n" +
		"b.ndjson: no such file\n" +
		"-: standard input can be read only once; name it once"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if _, err := feed.Open(nil, nil); err == nil {
		t.Error("no names: want an error")
	}
}

func TestAFileThatVanishesMeanwhileIsReported(t *testing.T) {
	path := write(t, "gone", []byte(good))
	f, err := feed.Open([]string{path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want := []outcome{{Kind: feed.Unreadable, Reason: "reading failed: no such file or directory"}}
	if diff := cmp.Diff(want, collect(t, f)); diff != "" {
		t.Error(diff)
	}
}

func TestAPipeIsNeitherMeasuredNorOpenedTwice(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(w, good+"\n") //nolint:errcheck // the reading side fails the test
		w.Close()                    //nolint:errcheck // as above
	}()
	f, err := feed.Open([]string{"-"}, r)
	if err != nil {
		t.Fatal(err)
	}
	if size, known := f.Size(); known {
		t.Errorf("a pipe has no size, got %d", size)
	}
	if diff := cmp.Diff([]outcome{{Line: 1, Detail: `{"tradeId":"t-1"}`}}, collect(t, f)); diff != "" {
		t.Error(diff)
	}
}

func TestWaitingForAPipeEndsWithTheContext(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // nothing was written
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	done := make(chan int)
	go func() {
		n := 0
		for range feed.FromReader("pipe", r).Entries(ctx) {
			n++
		}
		done <- n
	}()
	select {
	case n := <-done:
		if n != 0 {
			t.Errorf("%d outcomes from a pipe that nobody wrote to", n)
		}
	case <-time.After(5 * time.Second):
		t.Error("still waiting for the pipe 5 s after the context ended")
	}
}

func TestNoLineIsHeldThatIsTooLong(t *testing.T) {
	// 64 MiB without a line end; only a few buffers are allocated.
	endless := io.MultiReader(io.LimitReader(repeat('x'), 64<<20), strings.NewReader("\n"+good))
	f := feed.FromReader("input", endless)
	var got []outcome
	bytes := allocatedBytes(func() { got = collect(t, f) })
	want := []outcome{
		{Line: 1, Kind: feed.Refused, Reason: "67108864 bytes long; PutEvents takes entries of at most 1048576 bytes (1 MB)"},
		{Line: 2, Detail: `{"tradeId":"t-1"}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if bytes > 8<<20 {
		t.Errorf("%d bytes were allocated for a line that is skipped", bytes)
	}
}

func TestAnExcerptIsShortAndSafeToPrint(t *testing.T) {
	for entry, problem := range feed.FromReader("input", strings.NewReader("\x1b[31m é\xff "+strings.Repeat("x", 200))).Entries(t.Context()) {
		if problem == nil {
			t.Fatalf("an entry: %v", entry)
		}
		want := "\uFFFD[31m é\uFFFD " + strings.Repeat("x", 71) + "…"
		if problem.Excerpt != want {
			t.Errorf("got  %q\nwant %q", problem.Excerpt, want)
		}
	}
}
