package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/localrun"
	"trade-processing/internal/operate"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/provider"
)

// usualPort is where the local cloud serves if nobody says otherwise: beside the 4566 of emulators, so that both can run.
const usualPort = 4577

// What the local cloud remembers of the past.
const (
	keptExecutions = 10_000
	keptLogs       = 64 << 20 // bytes of each log group
)

type upOptions struct {
	project string
	port    int
	detach  bool
	empty   bool
}

// newUpCommand returns `tradectl local up`.
func newUpCommand(t *terminal.Terminal) *cobra.Command {
	var options upOptions
	command := &cobra.Command{
		Use:   "up",
		Short: "Deploy stack local and serve it to AWS clients until it is stopped",
		Long: "Deploys stack local with the real Pulumi engine onto the embedded local cloud, and serves it on this machine\n" +
			"over AWS's own protocols until it is interrupted. It prints the variables that point the AWS CLI, the SDKs and\n" +
			"a pulumi CLI at it; tradectl's commands find it with --local. At most one runs per project.\n\n" +
			"It keeps its state in a folder that `tradectl local status` names, and the next one resumes from there.\n" +
			"`tradectl local down --wipe` removes it.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl local up\n" +
			`  eval "$(tradectl local up --detach)" && aws stepfunctions list-state-machines` + "\n" +
			"  tradectl local up --empty     # and deploy onto it with your own pulumi",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if options.port < 0 || options.port > 65535 {
				return exitcode.Usagef("--port %d: use 1 to 65535, or 0 for a free one", options.port)
			}
			root, err := stackconfig.FindProject(options.project)
			if err != nil {
				return exitcode.With(exitcode.Usage, err)
			}
			if options.detach {
				return detach(command.Context(), t, root, options)
			}
			return up(command.Context(), t, root, options)
		},
	}
	projectFlag(command, &options.project)
	flags := command.Flags()
	flags.IntVar(&options.port, "port", usualPort, "the port on 127.0.0.1; 0 picks a free one")
	flags.BoolVarP(&options.detach, "detach", "d", false, "return as soon as it is up, and leave it running")
	flags.BoolVar(&options.empty, "empty", false, "deploy nothing: the cloud is for your own pulumi")
	return command
}

// hold takes the lock that a local cloud has while it runs. It says whether there was none.
func hold(root string) (lock *flock.Flock, mine bool, err error) {
	if err := os.MkdirAll(operate.LocalFolder(root), 0o700); err != nil {
		return nil, false, fmt.Errorf("creating the folder of the local cloud: %w", err)
	}
	lock = operate.LocalLock(root)
	if mine, err = lock.TryLock(); err == nil && !mine {
		time.Sleep(blink) // somebody may only be looking
		mine, err = lock.TryLock()
	}
	if err != nil {
		return nil, false, fmt.Errorf("locking the local cloud: %w", err)
	}
	return lock, mine, nil
}

// blink is longer than `tradectl local status` holds the lock.
const blink = 20 * time.Millisecond

// running refuses a second local cloud.
func running(root string) error {
	there, err := operate.ReadLocal(root)
	if err != nil {
		return exitcode.Usagef("this project's local cloud is starting or stopping; see `tradectl local status`")
	}
	return exitcode.Usagef("this project's local cloud is already up at %s, in process %d; `tradectl local down` stops it", there.Endpoint, there.PID)
}

func up(ctx context.Context, t *terminal.Terminal, root string, options upOptions) (err error) {
	lock, mine, err := hold(root)
	if err != nil {
		return err
	}
	if !mine {
		return running(root)
	}
	defer lock.Close() //nolint:errcheck // the process ends
	// What one that was killed has left names a process that may be another's by now, which `local down` would end.
	if err := os.Remove(operate.LocalFile(root)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("starting the local cloud: %w", err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", options.port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return exitcode.Usagef("port %d is taken; choose another with --port, or 0 for a free one", options.port)
	}
	if err != nil {
		return exitcode.With(exitcode.Usage, fmt.Errorf("listening: %w", err))
	}
	defer listener.Close() //nolint:errcheck // the server has closed it

	running, stop := context.WithCancel(ctx)
	defer stop()
	useRoom(running)
	logs := &endpoint.Logs{Keep: keptLogs}
	here, err := cloud.Open(filepath.Join(operate.LocalFolder(root), "cloud"), cloud.Options{Images: localrun.Images(), Logs: logs, Executions: keptExecutions})
	if err != nil {
		return err
	}
	defer func() {
		if problem := here.Close(); problem != nil {
			err = errors.Join(err, problem)
		}
	}()
	state, deployedHere := here.State()
	outputs := json.RawMessage("{}")
	switch {
	case options.empty && deployedHere:
		return exitcode.Usagef("stack %s is deployed on this cloud; `tradectl local down --wipe` removes it", stackName)
	case !options.empty:
		d := &deployed{cloud: here}
		here.Deploying()
		err := d.bringUp(ctx, t, root, state)
		if d.deployment != nil {
			here.SetState(d.deployment.Export(), err == nil) // also of half a deployment, which the next one finishes
		}
		if err != nil {
			return err
		}
		if outputs, err = d.outputs.JSON(); err != nil {
			return err
		}
	}
	go here.WatchAlarms(running)
	providers, err := provider.Serve(here)
	if err != nil {
		return err
	}
	defer providers.Close()
	served := endpoint.New(here, logs)
	served.Resume()
	return serve(ctx, t, root, listener, served, providers, outputs)
}

// serve serves until ctx ends.
func serve(ctx context.Context, t *terminal.Terminal, root string, listener net.Listener, served http.Handler, providers *provider.Servers, outputs json.RawMessage) error {
	server := &http.Server{Handler: ownHost(served), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	at := operate.Local{Endpoint: "http://" + listener.Addr().String(), PID: os.Getpid(), Outputs: outputs}
	if err := announce(t, at, providers); err != nil {
		return err
	}
	if err := operate.SaveLocal(root, at); err != nil {
		return err
	}
	defer os.Remove(operate.LocalFile(root)) //nolint:errcheck // what is left is known to be stale: nobody has the lock
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	// Who has been promised an answer gets it, within reason.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	_ = server.Shutdown(ending)
	return exitcode.Silent(exitcode.Interrupted)
}

// ownHost refuses requests by another host's name, with which a page in a browser may reach this machine.
func ownHost(served http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host != "127.0.0.1" && host != "localhost" {
			http.Error(w, "the local cloud serves 127.0.0.1 and localhost, not "+terminal.Safe(host), http.StatusForbidden)
			return
		}
		served.ServeHTTP(w, r)
	})
}

// announce prints the variables, for a shell, and notes what to try, for people.
func announce(t *terminal.Terminal, at operate.Local, providers *provider.Servers) error {
	region := "us-east-1"
	if read, err := operate.ReadOutputs(at.Outputs); err == nil {
		region = read.Region
	}
	_, err := fmt.Fprintf(t.Out, "export AWS_ENDPOINT_URL=%s\nexport AWS_REGION=%s AWS_DEFAULT_REGION=%[2]s\n"+
		"export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\nexport PULUMI_DEBUG_PROVIDERS=%s\n",
		at.Endpoint, region, providers.Attach())
	if err != nil {
		return fmt.Errorf("printing the variables: %w", err)
	}
	t.Note("the local cloud is up at %s. With these variables set, the AWS CLI, SDKs and pulumi reach it:", at.Endpoint)
	t.Note("  aws stepfunctions list-state-machines")
	t.Note("  tradectl send --local trades.ndjson    (which needs no variables)")
	t.Note("`tradectl local down`, or Ctrl-C here, stops it")
	return nil
}

// detach starts a local cloud that outlives this command, waits until it serves, and prints what it has printed.
func detach(ctx context.Context, t *terminal.Terminal, root string, options upOptions) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	lock, mine, err := hold(root)
	if err != nil {
		return err
	}
	if !mine {
		return running(root)
	}
	_ = lock.Close() // the other process takes it
	printed, err := os.Create(filepath.Join(operate.LocalFolder(root), "printed"))
	if err != nil {
		return fmt.Errorf("opening what the local cloud prints: %w", err)
	}
	defer printed.Close() //nolint:errcheck // only the other process writes
	noted, err := os.Create(logFile(root))
	if err != nil {
		return fmt.Errorf("opening what the local cloud notes: %w", err)
	}
	defer noted.Close() //nolint:errcheck // likewise
	args := []string{"local", "up", "--project", root, fmt.Sprintf("--port=%d", options.port), fmt.Sprintf("--empty=%t", options.empty)}
	server := exec.Command(program, args...) // not with ctx: it goes on
	server.Stdout, server.Stderr = printed, noted
	server.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal's hang-up reaches it
	progress := t.Step("starting the local cloud")
	defer progress.Stop()
	if err := server.Start(); err != nil {
		return fmt.Errorf("starting the local cloud: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait() // its exit code says it
		close(ended)
	}()
	for {
		select {
		case <-ctx.Done():
			_ = server.Process.Signal(os.Interrupt)
			<-ended
			return exitcode.Silent(exitcode.Interrupted)
		case <-ended:
			told, _ := os.ReadFile(noted.Name())
			// On a disk that is full, it couldn't say why.
			if _, err := noted.WriteString("\n"); err != nil {
				told = fmt.Appendf(told, "\n%v", err)
			}
			return exitcode.With(exitcode.Code(max(1, server.ProcessState.ExitCode())), fmt.Errorf("the local cloud has ended:\n%s", strings.TrimSpace(string(told))))
		case <-time.After(20 * time.Millisecond):
		}
		if at, err := operate.ReadLocal(root); err == nil && at.PID == server.Process.Pid {
			break
		}
	}
	progress.Stop()
	for _, file := range []struct {
		name string
		to   interface{ Write([]byte) (int, error) }
	}{{printed.Name(), t.Out}, {noted.Name(), t.Err}} {
		text, err := os.ReadFile(file.name)
		if err == nil {
			_, err = file.to.Write(text)
		}
		if err != nil {
			return fmt.Errorf("printing what the local cloud has printed: %w", err)
		}
	}
	return nil
}

// logFile is where a detached local cloud writes its notes.
func logFile(root string) string { return filepath.Join(operate.LocalFolder(root), "log") }
