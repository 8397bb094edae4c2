package market

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The constants and the table are compared in the source, so a reason without a meaning can't be added.
func TestEveryReasonHasAMeaning(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reasons.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var constants []Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Reason" {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			constants = append(constants, Reason(code))
		}
		return true
	})
	if len(constants) != len(Reasons) {
		t.Fatalf("%d constants, %d in the table", len(constants), len(Reasons))
	}
	for i, code := range constants {
		if Reasons[i].Code != code || Reasons[i].Meaning == "" || !regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`).MatchString(string(code)) {
			t.Errorf("constant %s stands beside %+v", code, Reasons[i])
		}
	}
}

func TestDatesAreWrittenAsTheyAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.Int32Range(-700_000, 2_900_000).Draw(t, "date"))
		read, err := ParseDate(d.String())
		if err != nil || read != d {
			t.Fatalf("%s is read as %s, %v", d, read, err)
		}
		text, _ := d.MarshalText()
		if string(text) != d.String() {
			t.Fatalf("%s is marshalled as %s", d, text)
		}
		if d.Weekday() != d.time().Weekday() || d.Year() != d.time().Year() {
			t.Fatalf("%s is a %s of %d", d, d.Weekday(), d.Year())
		}
	})
}

func TestTimesOfDay(t *testing.T) {
	for text, want := range map[string]clock{
		"00:00": 0, "09:30": 34200, "16:40:30": 60030, "24:00": 86400, "26:30": 95400, "-06:00": -21600, "-00:30": -1800,
	} {
		if got, err := parseClock(text); err != nil || got != want {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "9", "48:01", "09:60", "--06:00", "-24:00", "noon", "09:30:00:00", "09-30", "9:30:0", "0a:30"} {
		if got, err := parseClock(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

func TestLocalTimeAgreesWithTheStandardLibrary(t *testing.T) {
	r := loaded(t)
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(withHours(r)).Draw(t, "venue").calendar.table().zone
		at := time.Unix(rapid.Int64Range(-4e9, 8e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		d, since := localTime(at, zone)
		local := at.In(zone)
		if d != DateOf(local.Date()) || since != clock(local.Hour()*3600+local.Minute()*60+local.Second()) {
			t.Fatalf("%s is %s, %d seconds", local, d, since)
		}
	})
}
