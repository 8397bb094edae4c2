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

// Process is a running function program with its own server. Create it with Start.
type Process struct {
	*server

	command *exec.Cmd
	began   time.Time
	output  buffer
	ended   chan struct{} // closed when command.ProcessState is set
	stop    sync.Once
}

// Start starts a command. It gets AWS_LAMBDA_RUNTIME_API besides the variables in its Env, and no others if Env is
// empty. Stop it when done.
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

// PID returns the process's id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Output returns what the program has written so far to standard output and error.
func (p *Process) Output() string { return p.output.String() }

// ReadyAfter returns the time from Start to the function's first request for an invocation, once it is Ready.
func (p *Process) ReadyAfter() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.readyAt.Sub(p.began)
}

// ErrEnded means that the program ended by itself, during an invocation or not.
var ErrEnded = errors.New("the program ended")

// Invoke calls the function. The error is ErrTimedOut, ErrEnded, or ctx's error; an error that the function reports is
// part of the answer.
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

// Ended returns a channel that is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// State says how the program ended. It is nil until Ended is closed.
func (p *Process) State() *os.ProcessState {
	select {
	case <-p.ended:
		return p.command.ProcessState
	default:
		return nil
	}
}

// ErrKilled means that the program had not ended in time.
var ErrKilled = errors.New("the program did not end in time and was killed")

// Stop ends the program as Lambda ends an environment with extensions: with SIGTERM, then with SIGKILL if it hasn't
// ended after grace, which is the error ErrKilled. It is not an error if the program had already ended.
func (p *Process) Stop(grace time.Duration) error {
	defer p.stop.Do(p.end)
	if p.State() != nil {
		return nil
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails only if it ends at this very moment
	select {
	case <-p.ended:
		return nil
	case <-time.After(grace):
	}
	_ = p.command.Process.Kill()
	<-p.ended
	return fmt.Errorf("%w: %v after SIGTERM", ErrKilled, grace)
}

// buffer holds what a program writes while others read it.
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
