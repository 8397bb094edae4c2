package functiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a function's program that runs, with a server of its own. Make it with Start.
type Process struct {
	*server

	command *exec.Cmd
	began   time.Time
	output  buffer
	ended   chan struct{} // closed when command.ProcessState tells how
	stop    sync.Once
}

// Start starts a command. It gets AWS_LAMBDA_RUNTIME_API beside the variables in its Env, and no others where Env is
// empty. Stop it in the end.
func Start(command *exec.Cmd) (*Process, error) {
	p := &Process{server: newServer(), command: command, began: time.Now(), ended: make(chan struct{})}
	command.Env = append(command.Env, "AWS_LAMBDA_RUNTIME_API="+p.http.Listener.Addr().String())
	command.Stdout, command.Stderr = &p.output, &p.output
	if err := command.Start(); err != nil {
		p.end()
		return nil, fmt.Errorf("starting %s: %w", command.Path, err)
	}
	go func() {
		_ = command.Wait() // which sets the state
		close(p.ended)
	}()
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Output is what the program has written so far, to standard output and error.
func (p *Process) Output() string { return p.output.String() }

// ReadyAfter is the time from Start to the function's first request for an invocation, once it is Ready.
func (p *Process) ReadyAfter() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.readyAt.Sub(p.began)
}

// ErrEnded is a program that ended by itself, while an invocation ran or none.
var ErrEnded = errors.New("the program ended")

// Invoke calls the function. The error is ErrTimedOut, ErrEnded, or the reason why ctx ended; an error that the function
// reports is part of the answer.
func (p *Process) Invoke(ctx context.Context, invocation Invocation) (Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.ended:
			cancel(fmt.Errorf("%w: %v", ErrEnded, p.State()))
		case <-ctx.Done():
		}
	}()
	return p.invoke(ctx, invocation)
}

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// State tells how the program ended. It is nil until Ended is closed.
func (p *Process) State() *os.ProcessState {
	select {
	case <-p.ended:
		return p.command.ProcessState
	default:
		return nil
	}
}

// ErrKilled is a program that had not ended when its time for that was over.
var ErrKilled = errors.New("the program did not end in time and was killed")

// Stop ends the program as Lambda ends an environment that has extensions: with SIGTERM, and with SIGKILL when it hasn't
// ended after grace, which is the error ErrKilled. It is no error when the program had ended.
func (p *Process) Stop(grace time.Duration) error {
	defer p.stop.Do(p.end)
	if p.State() != nil {
		return nil
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails only where it ends at this moment
	select {
	case <-p.ended:
		return nil
	case <-time.After(grace):
	}
	_ = p.command.Process.Kill()
	<-p.ended
	return fmt.Errorf("%w: %v after SIGTERM", ErrKilled, grace)
}

// buffer takes what a program writes while others read it.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
