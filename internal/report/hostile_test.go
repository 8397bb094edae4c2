package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"trade-processing/internal/report"
	"trade-processing/internal/terminal"
	"trade-processing/lambdas/function/functiontest"
)

// Names of files, fields of trades and what services say come from outside. Wherever a report shows one, it does
// nothing to the terminal.
func TestAReportDoesNothingToATerminal(t *testing.T) {
	for _, text := range functiontest.Hostile() {
		example, err := json.Marshal(map[string]string{"comment": text})
		if err != nil {
			t.Fatal(err)
		}
		r := report.Report{
			Input: report.Input{
				Names: []string{text}, Refused: 1, Problems: []report.Problem{{File: text, Line: 1, Reason: text, Excerpt: text}},
			},
			Received: 1, RejectedByCode: map[string]int64{text: 1}, DeadLetters: []report.DeadLetters{{Queue: text, Error: text, Trades: 1}},
			Denied: []report.Denial{{Says: text, Times: 1}}, Unexpected: []string{text}, Checks: []report.Check{{Claim: text}, {Claim: text, Got: 1}},
			Stages: []report.Stage{{Name: text}}, Alarms: []report.Alarm{{Name: text, At: time.Now(), Reason: text}},
			Replicas: []report.Replica{{Region: text}}, Example: example,
		}
		var out bytes.Buffer
		if err := r.WriteText(&terminal.Terminal{Out: &out, Getenv: func(string) string { return "" }}); err != nil {
			t.Fatal(err)
		}
		if at := strings.IndexFunc(out.String(), func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); at >= 0 {
			t.Errorf("%q is shown with %q", text, out.String()[at:min(at+20, out.Len())])
		}
	}
}
