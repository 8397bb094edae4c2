package emulators

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// startTimeout is how long an emulator may take to answer its first request.
const startTimeout = time.Minute

// Emulator is a running process on the loopback interface.
type Emulator struct {
	Endpoint string // such as http://127.0.0.1:34567

	process *exec.Cmd
	ended   chan struct{}
	output  bytes.Buffer // complete once ended is closed
}

// DynamoDB starts DynamoDB Local, empty and in memory. It keeps the tables of each access key and region apart. folder is
// where it may write: it keeps a file of its own there.
func (i Installation) DynamoDB(ctx context.Context, folder string) (*Emulator, error) {
	return start(ctx, func(port string) *exec.Cmd {
		java := exec.Command("java", "-Djava.library.path="+i.java(), "-Xmx512m", "-cp", i.java()+"/*",
			"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-disableTelemetry", "-port", port)
		java.Dir = folder
		return java
	})
}

// MotoOptions are what moto is started with.
type MotoOptions struct {
	Account string // the account that it stands for

	// Front is the port at which its own Step Functions finds the other services. 0: moto's own. In front of moto, a test
	// sees what state machines call, and answers for what moto can't run.
	Front int
}

// Moto starts moto, empty.
func (i Installation) Moto(ctx context.Context, options MotoOptions) (*Emulator, error) {
	return start(ctx, func(port string) *exec.Cmd {
		front := port
		if options.Front != 0 {
			front = strconv.Itoa(options.Front)
		}
		moto := exec.Command(i.Tool("python"), "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
		moto.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+options.Account, "MOTO_PORT="+front, "PYTHONUNBUFFERED=1")
		return moto
	})
}

// start starts a server on a free port and waits until it answers.
func start(ctx context.Context, command func(port string) *exec.Cmd) (*Emulator, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := listener.Close(); err != nil {
		return nil, err
	}
	e := &Emulator{Endpoint: "http://127.0.0.1:" + port, process: command(port), ended: make(chan struct{})}
	e.process.Stdout, e.process.Stderr = &e.output, &e.output
	if err := e.process.Start(); err != nil {
		return nil, fmt.Errorf("starting an emulator: %w", err)
	}
	go func() {
		defer close(e.ended)
		_ = e.process.Wait() // how it ended shows in its output
	}()
	if err := e.await(ctx); err != nil {
		e.Close()
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(e.process.Args, " "), err, e.output.Bytes())
	}
	return e, nil
}

// await waits until it answers anything at all.
func (e *Emulator) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Endpoint, nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			return answer.Body.Close()
		}
		select {
		case <-e.ended:
			return fmt.Errorf("it ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("it didn't answer: %w", context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close ends the process and returns what it put out.
func (e *Emulator) Close() string {
	_ = e.process.Process.Kill() // it holds nothing that outlives it; the error is that it has ended already
	<-e.ended
	return e.output.String()
}
