package terminal_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"trade-processing/internal/terminal"
	"trade-processing/lambdas/function/functiontest"
)

// pretend returns a terminal whose Err can be read. If looked is true, a person is looking at it.
func pretend(looked bool, env map[string]string) (*terminal.Terminal, *bytes.Buffer) {
	screen := new(bytes.Buffer)
	return &terminal.Terminal{
		Out: screen, Err: screen, OutIsTerminal: looked, ErrIsTerminal: looked, Columns: 80,
		Getenv: func(name string) string { return env[name] },
	}, screen
}

func TestWhenThereAreColours(t *testing.T) {
	for name, test := range map[string]struct {
		looked bool
		env    map[string]string
		want   bool
	}{
		"in a terminal":                         {true, map[string]string{"TERM": "xterm-256color"}, true},
		"in a terminal of a build server":       {true, map[string]string{"TERM": "xterm", "CI": "true"}, true},
		"not in a pipe":                         {false, map[string]string{"TERM": "xterm-256color"}, false},
		"not in a terminal that has none":       {true, map[string]string{"TERM": "dumb"}, false},
		"not with NO_COLOR":                     {true, map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		"not with CLICOLOR=0":                   {true, map[string]string{"TERM": "xterm", "CLICOLOR": "0"}, false},
		"in a pipe with CLICOLOR_FORCE":         {false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		"not with NO_COLOR and CLICOLOR_FORCE":  {false, map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false},
		"not in a pipe with CLICOLOR_FORCE=0":   {false, map[string]string{"CLICOLOR_FORCE": "0"}, false},
		"not in a pipe of a full-colour system": {false, map[string]string{"COLORTERM": "truecolor"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			term, _ := pretend(test.looked, test.env)
			want := "ok"
			if test.want {
				want = "\x1b[32mok\x1b[0m"
			}
			if got := term.Style().Green("ok"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := term.ErrStyle().Green("ok"); got != want {
				t.Errorf("on Err: got %q, want %q", got, want)
			}
		})
	}
}

func TestTheZeroStyleIsPlain(t *testing.T) {
	var s terminal.Style
	if got := s.Bold("a") + s.Faint("b") + s.Red("c") + s.Yellow("d") + s.Cyan("e"); got != "abcde" {
		t.Errorf("got %q", got)
	}
}

func TestInAPipeProgressIsALineNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, screen := pretend(false, nil)
		p := term.Progress("Processing trades", 1000, func() terminal.Reading {
			return terminal.Reading{Done: 430, Count: 52_000}
		})
		time.Sleep(11 * time.Second)
		p.Println("trades.ndjson:7: not JSON")
		p.Done("Processed 52,000 trades")
		p.Done("again")
		p.Stop()
		want := "Processing trades …\n" +
			"Processing trades: 52,000, 43 %, 10,400 a second\n" +
			"Processing trades: 52,000, 43 %, 5,200 a second\n" +
			"trades.ndjson:7: not JSON\n" +
			"✓ Processed 52,000 trades (11.0 s)\n"
		if got := screen.String(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestAStepInAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, screen := pretend(false, nil)
		p := term.Step("Building the engine")
		time.Sleep(6 * time.Second)
		p.Stop()
		time.Sleep(time.Minute)
		want := "Building the engine …\nBuilding the engine: 5s\n"
		if got := screen.String(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestInATerminalTheBarMovesAndLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, screen := pretend(true, map[string]string{"NO_COLOR": "1"})
		done := int64(0)
		p := term.Progress("Processing trades", 100, func() terminal.Reading {
			done += 50
			return terminal.Reading{Done: done, Count: done * 10}
		})
		time.Sleep(350 * time.Millisecond) // three readings: 50, 100 and, of a file that grew, 150
		p.Println("a line above the bar")
		p.Stop()
		for _, want := range []string{"49% ", "99% ", "█", "500, 5,000/s", "a line above the bar\n"} {
			if !strings.Contains(screen.String(), want) {
				t.Errorf("no %q on the screen:\n%q", want, screen)
			}
		}
		lines := strings.Split(screen.String(), "\n")
		last := lines[len(lines)-1]
		if visible := strings.TrimSpace(last[strings.LastIndex(last, "\r")+1:]); visible != "" {
			t.Errorf("left on the screen: %q", visible)
		}
	})
}

func TestASpinnerShowsWorkOfUnknownSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, screen := pretend(true, map[string]string{"NO_COLOR": "1"})
		p := term.Step("Building the engine")
		time.Sleep(time.Second)
		p.Done("Built the engine")
		if got := screen.String(); !strings.Contains(got, "Building the engine") || !strings.HasSuffix(got, "\r✓ Built the engine (1.00 s)\n") {
			t.Errorf("on the screen:\n%q", got)
		}
	})
}

func TestALongLabelDoesNotWrapTheBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, screen := pretend(true, map[string]string{"NO_COLOR": "1"})
		p := term.Progress("Writing "+strings.Repeat("é", 300), 100, func() terminal.Reading { return terminal.Reading{Done: 10, Count: 10} })
		time.Sleep(time.Second)
		p.Stop()
		for line := range strings.SplitSeq(screen.String(), "\r") {
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%d characters on a screen of 80: %q", n, line)
			}
		}
	})
}

func TestNote(t *testing.T) {
	term, screen := pretend(false, nil)
	term.Note("%s is empty", "a.ndjson")
	if got := screen.String(); got != "! a.ndjson is empty\n" {
		t.Errorf("got %q", got)
	}
}

func TestFormats(t *testing.T) {
	for got, want := range map[string]string{
		terminal.Count(0):                                   "0",
		terminal.Count(999):                                 "999",
		terminal.Count(1234567):                             "1,234,567",
		terminal.Count(-22303):                              "-22,303",
		terminal.Percent(0, 0):                              "-",
		terminal.Percent(0, 7):                              "0.0 %",
		terminal.Percent(7, 7):                              "100.0 %",
		terminal.Percent(1, 100_000):                        "< 0.1 %",
		terminal.Percent(99_999, 100_000):                   "> 99.9 %",
		terminal.Percent(459, 22_303):                       "2.1 %",
		terminal.Duration(0):                                "0 ns",
		terminal.Duration(999):                              "999 ns",
		terminal.Duration(1500):                             "1.50 µs",
		terminal.Duration(845 * time.Microsecond):           "845 µs",
		terminal.Duration(12_345 * time.Microsecond):        "12.3 ms",
		terminal.Duration(2 * time.Second):                  "2.00 s",
		terminal.Duration(59_940 * time.Millisecond):        "59.9 s",
		terminal.Duration(125*time.Second + 1_000_000):      "2m5s",
		terminal.Duration(time.Hour + 5*time.Minute):        "1h5m0s",
		terminal.Duration(999_400 * time.Nanosecond):        "999 µs",
		terminal.Duration(9_990 * time.Microsecond):         "9.99 ms",
		terminal.Duration(-time.Second + 2*time.Second + 1): "1.00 s",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Whoever prints through a Style or a Note prints nothing that a terminal acts on, besides the style's own colours.
func TestTextFromOutsideIsSafeToPrint(t *testing.T) {
	acts := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
	for _, text := range functiontest.Hostile() {
		looked, out := pretend(true, map[string]string{"TERM": "xterm"})
		looked.Note("%s", text)
		shown := out.String() + looked.ErrStyle().Cyan(text)
		for _, own := range []string{"\x1b[33m", "\x1b[36m", "\x1b[0m"} {
			shown = strings.ReplaceAll(shown, own, "")
		}
		if strings.ContainsFunc(shown, acts) || strings.ContainsFunc(terminal.Safe(text), acts) {
			t.Errorf("%q is printed as %q", text, shown)
		}
		if !strings.ContainsFunc(text, acts) && terminal.Safe(text) != strings.ToValidUTF8(text, "\ufffd") {
			t.Errorf("%q became %q", text, terminal.Safe(text))
		}
	}
}
