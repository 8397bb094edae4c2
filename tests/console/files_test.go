//go:build browser

package console_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/internal/terminal"
)

// tradectl runs one of its commands.
func tradectl(t *testing.T, arguments ...string) {
	t.Helper()
	var out, problems bytes.Buffer
	root := &cobra.Command{Use: "tradectl", SilenceUsage: true}
	commands.Add(root, &terminal.Terminal{In: strings.NewReader(""), Out: &out, Err: &problems, Columns: 80, Getenv: func(string) string { return "" }})
	root.SetArgs(arguments)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("tradectl %s: %v\n%s", strings.Join(arguments, " "), err, problems.String())
	}
}

// openFile shows what write writes, from a file.
func (b *browser) openFile(write func(*strings.Builder) error) {
	b.t.Helper()
	var text strings.Builder
	must(b.t, write(&text))
	path := filepath.Join(b.t.TempDir(), "page.html")
	must(b.t, os.WriteFile(path, []byte(text.String()), 0o600))
	b.open("file://" + path)
}

// The files that the commands write need nothing else, and can be used by everyone.
func TestFilesNeedNothingElse(t *testing.T) {
	w := newWorld(t, time.Hour)
	w.send(t, 100)
	w.put(t, malformed)
	w.Setenv()
	t.Setenv("AWS_REGION", w.Stack.Outputs.Region)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	folder := t.TempDir()
	run, status := filepath.Join(folder, "run.html"), filepath.Join(folder, "status.html")
	tradectl(t, "local", "run", "--project", "../..", "--sample", "300", "--report", run)
	tradectl(t, "status", "--outputs", w.Outputs, "--html", status)
	for name, file := range map[string]string{"run": run, "status": status} {
		b := newBrowser(t)
		b.open("file://" + file)
		b.everyWay("file-" + name)
		for _, heading := range []string{"Workflow", "Trades", "Executions", "Dead letters", "Alarms", "Resources"} {
			if !eval[bool](b, `[...document.querySelectorAll("main h1")].some(h => h.textContent === `+"`"+heading+"`"+`)`) {
				t.Errorf("%s lacks %s", name, heading)
			}
		}
		if eval[int](b, `document.querySelectorAll(".plot canvas").length`) == 0 {
			t.Errorf("%s draws no chart: its policy doesn't admit its script", name)
		}
		if form := eval[int](b, `document.querySelectorAll("form, button, .button").length`); form > 0 {
			t.Errorf("%s has %d controls that can't do anything", name, form)
		}
		b.reach("nav a[href='#view-trades']")
		b.press(kb.Enter)
		b.wait(`location.hash === "#view-trades" && Math.abs(document.querySelector("#view-trades").getBoundingClientRect().top) < 30`)
		b.clean("file://" + file)
	}
}
