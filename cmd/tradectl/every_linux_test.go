package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

// everyCommand returns the commands that do something, groups and what cobra adds included, by what one types.
func everyCommand() map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	var visit func(*cobra.Command)
	visit = func(command *cobra.Command) {
		all[command.CommandPath()] = command
		for _, child := range command.Commands() {
			visit(child)
		}
	}
	root := newRoot(&terminal.Terminal{})
	visit(root)
	return all
}

// bare runs a command as somebody does who has set up nothing: no project, no stack, no credentials, no other programs.
func bare(t *testing.T, typed string) *exec.Cmd {
	t.Helper()
	words := strings.Fields(typed)
	command := exec.CommandContext(t.Context(), words[0], words[1:]...)
	command.Dir = t.TempDir()
	command.Env = []string{"HOME=" + command.Dir, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/nowhere", "AWS_SHARED_CREDENTIALS_FILE=/nowhere"}
	command.WaitDelay = time.Minute
	return command
}

// noStack is what commands say that need one.
const noStack = "name a stack with --stack, --local or --outputs"

// alone is what each command does where there is nothing: its exit code, and what it says. A command that works on a stack also has
// the arguments with which it does.
var alone = map[string]struct {
	code exitcode.Code
	says string
	with string
}{
	"tradectl":                       {exitcode.OK, "Before a deployment:", ""},
	"tradectl chaos":                 {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl completion":            {exitcode.OK, "Available Commands:", ""},
	"tradectl completion bash":       {exitcode.OK, "bash completion", ""},
	"tradectl completion fish":       {exitcode.OK, "fish completion", ""},
	"tradectl completion powershell": {exitcode.OK, "powershell completion", ""},
	"tradectl completion zsh":        {exitcode.OK, "zsh completion", ""},
	"tradectl doctor":                {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl execution":             {exitcode.Usage, "EXECUTION is missing", "00000000-0000-0000-0000-000000000000"},
	"tradectl executions":            {exitcode.Usage, noStack, ""},
	"tradectl executions redrive":    {exitcode.Usage, noStack, ""},
	"tradectl params":                {exitcode.OK, "Available Commands:", ""},
	"tradectl params list":           {exitcode.Usage, noStack, ""},
	"tradectl params set":            {exitcode.Usage, "NAME is missing", "max-retries 3"},
	"tradectl console":               {exitcode.Usage, noStack, ""},
	"tradectl status":                {exitcode.Usage, noStack, ""},
	"tradectl tail":                  {exitcode.Usage, noStack, ""},
	"tradectl get":                   {exitcode.Usage, "TRADE is missing", "x"},
	"tradectl dlq":                   {exitcode.OK, "Available Commands:", ""},
	"tradectl dlq list":              {exitcode.Usage, noStack, ""},
	"tradectl dlq peek":              {exitcode.Usage, noStack, ""},
	"tradectl dlq purge":             {exitcode.Usage, "QUEUE is missing", "recorder"},
	"tradectl dlq redrive":           {exitcode.Usage, noStack, ""},
	"tradectl cost":                  {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl images":                {exitcode.Usage, "there is no Pulumi.yaml here or in any folder above; run this inside the project, or name its folder with --project", ""},
	"tradectl list":                  {exitcode.Usage, noStack, "--source system1"},
	"tradectl local":                 {exitcode.OK, "Available Commands:", ""},
	"tradectl local preview":         {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl local run":             {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl local down":            {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl local status":          {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl local up":              {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl replay":                {exitcode.Usage, noStack, "--since 90m"},
	"tradectl send":                  {exitcode.Usage, noStack, ""},
	"tradectl simulate":              {exitcode.Usage, "there is no Pulumi.yaml here", ""},
	"tradectl sample":                {exitcode.OK, `{"Source":"trading.system`, ""},
	"tradectl verify":                {exitcode.Usage, noStack, ""},
	"tradectl version":               {exitcode.OK, "tradectl ", ""},
}

func TestEveryCommandSaysWhatToDo(t *testing.T) {
	for typed, command := range everyCommand() {
		if command.Hidden {
			continue
		}
		t.Run(strings.ReplaceAll(typed, " ", "-"), func(t *testing.T) {
			want, listed := alone[typed]
			if !listed {
				t.Fatal("say what it does alone")
			}
			t.Run("alone", func(t *testing.T) {
				run := bare(t, typed)
				if want.code == exitcode.Interrupted {
					ctx, end := context.WithTimeout(t.Context(), time.Second)
					defer end()
					context.AfterFunc(ctx, func() { run.Process.Signal(os.Interrupt) }) //nolint:errcheck // it may have ended
				}
				said, err := run.CombinedOutput()
				check(t, run, err, want.code, said, want.says)
			})
			t.Run("with a wrong flag", func(t *testing.T) {
				run := bare(t, typed+" --nonsense")
				said, err := run.CombinedOutput()
				check(t, run, err, exitcode.Usage, said, "unknown flag: --nonsense\n"+typed+" --help shows the usage.")
			})
			t.Run("with a wrong argument", func(t *testing.T) {
				run := bare(t, typed+" nonsense")
				said, err := run.CombinedOutput()
				check(t, run, err, exitcode.Usage, said, "✗ ")
			})
			t.Run("with an empty flag", func(t *testing.T) {
				command.InheritedFlags() // which adds them
				flag := firstText(command)
				if flag == "" {
					t.Skip("it has no flag with a text")
				}
				_, arguments, _ := strings.Cut(strings.Split(command.Use, "[")[0], " ")
				run := bare(t, typed+" --"+flag+"= "+arguments)
				said, err := run.CombinedOutput()
				check(t, run, err, exitcode.Usage, said, "--"+flag+" is empty")
			})
			t.Run("in a pipe that closes", func(t *testing.T) {
				run := bare(t, typed+" --help")
				reader, writer, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := reader.Close(); err != nil {
					t.Fatal(err)
				}
				defer writer.Close() //nolint:errcheck // nothing is written here
				var said bytes.Buffer
				run.Stdout, run.Stderr = writer, &said
				err = run.Run()
				check(t, run, err, exitcode.OutputClosed, said.Bytes(), "standard output was closed before everything was written")
			})
			t.Run("on a small terminal that answers nothing", func(t *testing.T) {
				run := bare(t, typed+" --help")
				run.Env = append(run.Env, "TERM=xterm-256color")
				shown, err := onTerminal(t, run, 40)
				check(t, run, err, exitcode.OK, shown, "Usage:")
				if escape := bytes.IndexByte(shown, '\x1b'); escape >= 0 {
					t.Errorf("it writes %q", shown[escape:min(escape+20, len(shown))])
				}
			})
			t.Run("its own exit codes", func(t *testing.T) {
				if strings.HasPrefix(typed, "tradectl completion") || !command.Runnable() {
					return
				}
				help := command.Long
				if !strings.Contains(help, "Exit codes:\n    0  ") || strings.Contains(help, "verify:") != (typed == "tradectl verify" || typed == "tradectl") {
					t.Errorf("the codes in its help are not its own:\n%s", help)
				}
			})
		})
	}
}

func firstText(command *cobra.Command) string {
	names := []string{}
	for _, name := range []string{"stack", "out", "project"} {
		if flag := command.Flags().Lookup(name); flag != nil && flag.Value.Type() == "string" {
			names = append(names, name)
		}
	}
	return strings.Join(names[:min(len(names), 1)], "")
}

func check(t *testing.T, run *exec.Cmd, err error, code exitcode.Code, said []byte, says string) {
	t.Helper()
	if run.ProcessState == nil {
		t.Fatal(err)
	}
	if got := run.ProcessState.ExitCode(); got != int(code) {
		t.Errorf("exit code %d, want %d (%v):\n%.2000s", got, code, err, said)
	}
	if !strings.Contains(string(said), says) {
		t.Errorf("it doesn't say %q:\n%.2000s", says, said)
	}
	if strings.Contains(string(said), "goroutine ") {
		t.Errorf("it panics:\n%.2000s", said)
	}
}

// onTerminal runs a command on a terminal of its own, and returns what is shown there. Nobody answers.
func onTerminal(t *testing.T, command *exec.Cmd, columns uint16) ([]byte, error) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer screen.Close() //nolint:errcheck // nothing is written to it
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	command.Stdin, command.Stdout, command.Stderr = terminal, terminal, terminal
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	shown, _ := io.ReadAll(screen) // it ends with an error, as nobody has the terminal open any more
	return shown, command.Wait()
}

// A dependency of Pulumi's SDK asks the terminal for its background before main, and waits five seconds for an answer.
func TestATerminalIsAskedNothing(t *testing.T) {
	run := bare(t, "tradectl local run --sample 10")
	run.Args = append(run.Args, "--project", project(t))
	run.Env = append(run.Env, "TERM=xterm-256color", "NO_COLOR=1")
	shown, err := onTerminal(t, run, 40)
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	if asks := regexp.MustCompile(`\x1b(\]|\[[0-9;?]*[nc]|P)`).Find(shown); asks != nil {
		t.Errorf("it asks the terminal %q", asks)
	}
}

// no-color.org: an empty NO_COLOR is none.
func TestMakeHelpIsColouredOnlyOnATerminal(t *testing.T) {
	help := func(noColour string) *exec.Cmd {
		run := exec.CommandContext(t.Context(), "make", "-C", project(t), "help")
		run.Env = append(os.Environ(), "NO_COLOR="+noColour)
		return run
	}
	piped, err := help("").Output()
	if err != nil || !strings.Contains(string(piped), "\n  help               List the targets\n") || strings.Contains(string(piped), "\x1b") {
		t.Errorf("in a pipe, it prints %q (%v)", piped, err)
	}
	for noColour, want := range map[string]bool{"": true, "1": false} {
		if shown, err := onTerminal(t, help(noColour), 80); err != nil || strings.Contains(string(shown), "\x1b[1mhelp ") != want || strings.Contains(string(shown), "\x1b") != want {
			t.Errorf("on a terminal with NO_COLOR=%s, it prints %q (%v)", noColour, shown, err)
		}
	}
}

func project(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return folder + "/../.."
}

// Whatever the moment and the signal, an interrupt is exit code 130 and leaves nothing behind.
func TestAnInterruptIsAnExitCodeAtEveryMoment(t *testing.T) {
	for _, typed := range []string{"sample --count 100000000 --out sample.ndjson --expect expected.json", "local run --sample 1000000 --logs log --out items", "local up --port 0"} {
		for _, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
			if signal.Ignored(sent) {
				continue // as under nohup, and then the command ignores it too
			}
			for _, after := range []time.Duration{0, 10 * time.Millisecond, 200 * time.Millisecond, 700 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s, %v after %s", strings.Join(strings.Fields(typed)[:2], " "), sent, after), func(t *testing.T) {
					run := bare(t, "tradectl "+typed)
					if strings.HasPrefix(typed, "local") {
						run.Args = append(run.Args, "--project", project(t))
					}
					run.Env = append(run.Env, "TMPDIR="+run.Dir, "XDG_STATE_HOME="+t.TempDir(), "GODEBUG=inittrace=1")
					said, err := run.StderrPipe()
					if err != nil {
						t.Fatal(err)
					}
					if err := run.Start(); err != nil {
						t.Fatal(err)
					}
					lines := bufio.NewReader(said)
					for line := ""; !strings.HasPrefix(line, "init before-bubbletea/early "); { // about 20 ms after its start
						if line, err = lines.ReadString('\n'); err != nil {
							t.Fatal(err)
						}
					}
					go io.Copy(io.Discard, lines) //nolint:errcheck // until it ends
					time.Sleep(after)
					if err := run.Process.Signal(sent); err != nil {
						t.Fatal(err)
					}
					run.Process.Signal(sent) //nolint:errcheck // as timeout(1) sends it: twice; it may have ended
					err = run.Wait()
					if run.ProcessState.ExitCode() != int(exitcode.Interrupted) {
						t.Errorf("it ends with %v", err)
					}
					left, err := os.ReadDir(run.Dir)
					if err != nil {
						t.Fatal(err)
					}
					left = slices.DeleteFunc(left, func(entry os.DirEntry) bool { return entry.Name() == "log" }) // which is whole
					if len(left) > 0 {
						t.Errorf("left behind: %v", left)
					}
				})
			}
		}
	}
}

// A reader that has gone ends a command, which then removes what it has begun.
func TestAClosedPipeLeavesNothingBehind(t *testing.T) {
	run := bare(t, "tradectl sample --count 100000000 --expect expected.json")
	output, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	run.Stderr = &said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, output, 1000); err != nil {
		t.Fatal(err)
	}
	if err := output.Close(); err != nil {
		t.Fatal(err)
	}
	err = run.Wait()
	check(t, run, err, exitcode.OutputClosed, said.Bytes(), "✗ standard output was closed")
	if left, err := os.ReadDir(run.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// A reader that takes nothing doesn't keep an interrupted command.
func TestAPipeThatNobodyReadsCanBeInterrupted(t *testing.T) {
	run := bare(t, "tradectl sample --count 100000000")
	if _, err := run.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := run.Wait(); !errors.As(err, &exit) || exit.ExitCode() != int(exitcode.Interrupted) {
		t.Errorf("it ends with %v", err)
	}
}
