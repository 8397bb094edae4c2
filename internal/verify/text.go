package verify

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

// nameWidth is how wide the column of the steps' names is.
const nameWidth = 12

// Line returns a step's line in a terminal: its name, what it found, how long it took, and each problem below.
func (r Result) Line(style terminal.Style) string {
	sign := map[Outcome]string{Passed: style.Green("✓"), Failed: style.Red("✗"), Skipped: style.Yellow("-")}[r.Outcome]
	line := fmt.Sprintf("%s %-*s %s", sign, nameWidth, r.Step, terminal.Safe(strings.Join(r.Found, "; ")))
	if r.Elapsed > 0 && r.Outcome != Skipped {
		line = strings.TrimRight(line, " ") + " " + style.Faint("("+terminal.Duration(time.Duration(r.Elapsed))+")")
	}
	for _, problem := range r.Problems {
		line += "\n    " + strings.ReplaceAll(terminal.Safe(problem), "\n", "\n    ")
	}
	return strings.TrimRight(line, " ") + "\n"
}

// WriteSummary writes what remains once all steps have been shown: latencies and, last, the verdict.
func (r *Report) WriteSummary(w io.Writer, style terminal.Style) error {
	var b strings.Builder
	if len(r.Latencies) > 0 {
		fmt.Fprintf(&b, "\n%s\n", style.Bold("Latencies"))
		width := 0
		for _, latency := range r.Latencies {
			width = max(width, len(latency.What))
		}
		for _, latency := range r.Latencies {
			fmt.Fprintf(&b, "  %-*s  %s\n", width, latency.What, terminal.Duration(time.Duration(latency.Elapsed)))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.verdict(style))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (r *Report) verdict(style terminal.Style) string {
	where := terminal.Safe(fmt.Sprintf("stack %s in %s, run %s", r.Environment, r.Region, r.Run))
	switch code := r.ExitCode(); code {
	case exitcode.OK:
		return fmt.Sprintf("%s %s is verified: %s in %s", style.Green("✓"), where, terminal.Plural(r.count(Passed), "step"), terminal.Duration(time.Duration(r.Elapsed)))
	case exitcode.Interrupted:
		return fmt.Sprintf("%s %s: interrupted", style.Red("✗"), where)
	default:
		return fmt.Sprintf("%s %s is not verified: %s failed, the first gives exit code %d", style.Red("✗"), where, terminal.Plural(r.count(Failed), "step"), code)
	}
}

// The elements of the JUnit format that build servers read. https://github.com/testmoapp/junitxml
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Started  string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure,omitempty"`
		Skipped *junitMessage `xml:"skipped,omitempty"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit returns the report as a JUnit file: a suite with one test per step.
func (r *Report) JUnit() ([]byte, error) {
	seconds := func(d Milliseconds) string { return fmt.Sprintf("%.3f", time.Duration(d).Seconds()) }
	suite := junitSuite{
		Name: "verify " + r.Environment, Tests: len(r.Steps), Failures: r.count(Failed), Skipped: r.count(Skipped),
		Time: seconds(r.Elapsed), Started: r.Started.Format("2006-01-02T15:04:05"),
	}
	for _, step := range r.Steps {
		one := junitCase{Class: "verify." + r.Environment, Name: step.Step, Time: seconds(step.Elapsed), Output: strings.Join(step.Found, "\n")}
		switch step.Outcome {
		case Failed:
			one.Failure = &junitMessage{Message: step.Problems[0], Text: strings.Join(step.Problems, "\n")}
		case Skipped:
			one.Skipped = &junitMessage{Message: strings.Join(step.Found, "; ")}
		case Passed:
		}
		suite.Cases = append(suite.Cases, one)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the report as JUnit: %w", err)
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}
