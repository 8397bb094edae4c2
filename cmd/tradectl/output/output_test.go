package output_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/terminal"
)

type row struct {
	ID   string `json:"id"`
	Note string `json:"note"`
}

func cells(r row) []output.Cell {
	return []output.Cell{{Name: "tradeId", Text: r.ID, Whole: true}, {Name: "note", Text: r.Note, Colour: terminal.Style.Red}}
}

// printed returns what rows look like on a terminal that is so wide, or in a pipe.
func printed(t *testing.T, form output.Form, width int, rows ...row) (out, said string) {
	t.Helper()
	var shown, beside bytes.Buffer
	term := &terminal.Terminal{Out: &shown, Err: &beside, OutIsTerminal: width > 0, Columns: width, Getenv: func(string) string { return "" }}
	printer := output.NewRows(term, form, cells)
	if err := printer.All(rows, "no rows"); err != nil {
		t.Fatal(err)
	}
	return shown.String(), beside.String()
}

// What a trade may hold, with what a terminal or a spreadsheet would make of it.
var hostile = []string{
	"\x1b]0;title\x07", "\x1b[2J", "\u009b31m", "\u202e321", "a\rb", "\x00", "del\x7f", "\U000e0041tag", "=1+1", "+1+1", "-1+1", "@SUM(A1)",
	"\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", `say "=1"`, "a,b", "line\nline", "<script>", "\xff\xfe", "-12.50", "1e3",
}

func TestNothingFromATradeActsOnATerminal(t *testing.T) {
	var rows []row
	for i, note := range hostile {
		rows = append(rows, row{fmt.Sprint(i), note}, row{note, "x"})
	}
	for _, form := range []output.Form{output.Table, output.JSON, output.CSV} {
		for _, width := range []int{0, 15, 40, 80} {
			out, _ := printed(t, form, width, rows...)
			for _, r := range out {
				if !unicode.IsPrint(r) && r != '\n' && !(form == output.CSV && (r == '\t' || r == '\r')) {
					t.Errorf("%s, %d columns: %q in\n%q", form, width, r, out)
					break
				}
			}
		}
	}
}

func TestJSONIsOneDocumentThatLosesNothing(t *testing.T) {
	var rows []row
	for _, note := range hostile {
		rows = append(rows, row{"id", strings.ToValidUTF8(note, "")})
	}
	for _, want := range [][]row{rows, {}, rows[:1], slices.Repeat(rows, 200)} {
		out, said := printed(t, output.JSON, 0, want...)
		var got []row
		if err := json.Unmarshal([]byte(out), &got); err != nil || !slices.Equal(got, want) || said != "" {
			t.Errorf("%v, %q: got %q of\n%s", err, said, got, out)
		}
	}
}

// Nothing in a cell is a formula to a spreadsheet, and a plain number stays one.
func TestCSVIsReadAsText(t *testing.T) {
	var rows []row
	for _, note := range hostile {
		rows = append(rows, row{"id", note})
	}
	out, _ := printed(t, output.CSV, 80, rows...)
	if !strings.HasPrefix(out, "tradeId,note\r\n") || !strings.HasSuffix(out, "\r\n") {
		t.Errorf("lines don't end as RFC 4180 says: %q", out)
	}
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(records) != len(rows)+1 {
		t.Fatalf("%d records: %v", len(records), err)
	}
	for i, record := range records[1:] {
		want := terminal.Safe(hostile[i])
		if strings.ContainsAny(want[:1], "=+-@\t\n") && want != "-12.50" || strings.ContainsAny(want, "＝＋－＠") {
			want = "'" + want
		}
		if record[1] != want {
			t.Errorf("%q is %q, want %q", hostile[i], record[1], want)
		}
	}
	if out, _ := printed(t, output.CSV, 0); out != "tradeId,note\r\n" {
		t.Errorf("without rows it is %q", out)
	}
}

func TestATableFitsItsTerminal(t *testing.T) {
	long := row{"system1-1-20251031-1", strings.Repeat("生命 long text ", 12)}
	for _, width := range []int{20, 40, 80, 120} {
		out, _ := printed(t, output.Table, width, long, row{"short", ""})
		if !strings.Contains(out, long.ID) {
			t.Errorf("%d columns: an id is cut:\n%s", width, out)
		}
		for line := range strings.Lines(out) {
			if w := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); w > max(width, len("TRADE ID  ")+len(long.ID)) {
				t.Errorf("%d columns: a line has %d: %q", width, w, line)
			}
		}
	}
	out, _ := printed(t, output.Table, 0, long)
	if want := "TRADE ID              NOTE\nsystem1-1-20251031-1  " + strings.TrimRight(long.Note, " ") + "\n"; out != want {
		t.Errorf("a pipe gets\n%q, want\n%q", out, want)
	}
	if out, said := printed(t, output.Table, 80); out != "" || said != "! no rows\n" {
		t.Errorf("without rows it prints %q and says %q", out, said)
	}
	for width, want := range map[int]string{30: "TRADE ID  system1-1-20251031-1\nNOTE      生命 long", 28: "TRADE ID\nsystem1-1-20251031-1\nNOTE      生命 long"} {
		if out, _ := printed(t, output.Table, width, long); !strings.Contains(out, want) || strings.Count(out, "text") != 12 {
			t.Errorf("on %d columns it is\n%s", width, out)
		}
	}
}

// After an error, nobody takes what was printed for everything.
func TestJSONThatIsNotWholeIsNotADocument(t *testing.T) {
	var shown bytes.Buffer
	printer := output.NewRows(&terminal.Terminal{Out: &shown, Getenv: func(string) string { return "" }}, output.JSON, cells)
	for range 3000 {
		if err := printer.Add(row{"id", "note"}); err != nil {
			t.Fatal(err)
		}
	}
	if shown.Len() == 0 || json.Valid(shown.Bytes()) {
		t.Errorf("%d bytes of 3,000 rows are printed before the end", shown.Len())
	}
}

func TestTheFormsThatThereAre(t *testing.T) {
	var form output.Form
	for _, name := range []string{"table", "json", "csv"} {
		if err := form.Set(name); err != nil || form.String() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := form.Set("yaml"); err == nil || err.Error() != "it is one of table, json, csv" {
		t.Errorf("yaml: %v", err)
	}
}
