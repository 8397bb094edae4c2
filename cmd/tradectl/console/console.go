// Package console is the command that serves the console.
package console

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/console"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// slowest is how long a request's headers may take to arrive.
const slowest = 10 * time.Second

// NewCommand returns `tradectl console`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var where operate.Where
	port, every := 0, 10*time.Second
	command := &cobra.Command{
		Use:   "console",
		Short: "Show a deployed stack as a page in the browser",
		Long: "Serves a page on this machine until interrupted: what flows and how fast, the workflow, trades, executions, dead\n" +
			"letters, alarms and replicas. It only reads, except that it redrives letters and sends events once you\n" +
			"confirm. Only someone who has the printed address can open it.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl console --stack dev\n  tradectl console --local --port 8080",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if port < 0 || port > 65535 {
				return exitcode.Usagef("--port %d: use 1 to 65535, or 0 for any that is free", port)
			}
			if every < time.Second {
				return exitcode.Usagef("--every %s: use a second or more", every)
			}
			return serve(command.Context(), t, where, port, every)
		},
	}
	target.Flags(command, &where)
	command.Flags().IntVar(&port, "port", port, "the port on 127.0.0.1; 0 picks a free one")
	command.Flags().DurationVar(&every, "every", every, "how often an open page refreshes from AWS")
	return command
}

// serve serves the console until ctx ends.
func serve(ctx context.Context, t *terminal.Terminal, where operate.Where, port int, every time.Duration) error {
	stack, err := operate.Open(ctx, t.In, where)
	if err == nil {
		err = operate.FindCredentials(ctx, stack.Config)
	}
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return exitcode.With(exitcode.Usage, fmt.Errorf("listening: %w; choose another --port", err))
	}
	_, chosen, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return fmt.Errorf("finding the port: %w", err)
	}
	page := console.New(console.Options{Stack: stack, Title: "trade-processing " + stack.Outputs.Environment, Every: every}, chosen)
	// Requests end with ctx: a page that is open would otherwise keep the server from ending.
	server := &http.Server{Handler: page.Handler(), ReadHeaderTimeout: slowest, BaseContext: func(net.Listener) context.Context { return ctx }}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if _, err := fmt.Fprintln(t.Out, page.Address()); err != nil {
		return fmt.Errorf("printing the address: %w", err)
	}
	t.Note("serving until you interrupt it")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the console: %w", err)
	}
	return exitcode.Silent(exitcode.Interrupted)
}
