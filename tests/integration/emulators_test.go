package integration_test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"trade-processing/local/cloud"
)

// startTimeout is how long an emulator may take to answer its first request.
const startTimeout = time.Minute

// tool returns the path of a file in the emulators' installation, for a test that was requested.
func tool(t testing.TB, path string) string {
	t.Helper()
	installation := os.Getenv("EMULATORS")
	if installation == "" {
		t.Skip("EMULATORS is not set: `make test-integration` installs the emulators and sets it to their folder")
	}
	return filepath.Join(installation, path)
}

// startDynamoDB starts DynamoDB Local for one test, empty and in memory, and returns its endpoint. It keeps tables
// separate by access key and region.
func startDynamoDB(t testing.TB) string {
	t.Helper()
	jars := tool(t, "java")
	return start(t, func(port string) *exec.Cmd {
		java := exec.Command("java", "-Djava.library.path="+jars, "-Xmx512m", "-cp", jars+"/*",
			"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-disableTelemetry", "-port", port)
		java.Dir = t.TempDir() // it keeps a file of its own
		return java
	})
}

// startMoto starts moto for one test, empty, and returns its endpoint.
func startMoto(t *testing.T) string {
	t.Helper()
	return startMotoBehind(t, 0)
}

// startMotoBehind starts moto with the port at which its own Step Functions finds the other services, and 0 stands for
// moto's own. In front of moto, a test sees what state machines call, and answers for what moto can't run.
func startMotoBehind(t testing.TB, front int) string {
	t.Helper()
	python := tool(t, "python/bin/python")
	return start(t, func(port string) *exec.Cmd {
		services := port
		if front != 0 {
			services = strconv.Itoa(front)
		}
		moto := exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
		moto.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+cloud.Account, "MOTO_PORT="+services, "PYTHONUNBUFFERED=1")
		return moto
	})
}

// start starts a server on a free port, waits until it answers, and returns its endpoint. It ends with the test.
func start(t testing.TB, command func(port string) *exec.Cmd) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer // complete once ended is closed
	process, ended := command(port), make(chan struct{})
	process.Stdout, process.Stderr = &output, &output
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(ended)
		_ = process.Wait() // how it ended shows in its output
	}()
	t.Cleanup(func() {
		_ = process.Process.Kill() // it holds nothing that outlives it; the error is that it has ended already
		<-ended
		if t.Failed() {
			t.Logf("the end of what %s put out:\n%s", process, output.Bytes()[max(0, output.Len()-4000):])
		}
	})
	endpoint := "http://127.0.0.1:" + port
	for began := time.Now(); time.Since(began) < startTimeout; time.Sleep(50 * time.Millisecond) {
		if answer, err := http.Get(endpoint); err == nil { // it answers anything at all
			_ = answer.Body.Close()
			return endpoint
		}
		select {
		case <-ended:
			t.Fatalf("%s ended before it answered", process)
		default:
		}
	}
	t.Fatalf("%s doesn't answer", process)
	return ""
}
