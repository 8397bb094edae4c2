package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"trade-processing/internal/exitcode"
)

// A local cloud from its first start to its removal: one runs, it says so, what it has acknowledged outlives a kill, and
// nothing is removed that nobody asked to be.
func TestTheLifeOfALocalCloud(t *testing.T) {
	state := t.TempDir()
	run := func(typed string, want exitcode.Code, says string) string {
		t.Helper()
		command := bare(t, "tradectl local "+typed)
		command.Args = append(command.Args, "--project", project(t)) // whose path may have blanks
		command.Env = append(command.Env, "XDG_STATE_HOME="+state)
		var out, problems bytes.Buffer
		command.Stdout, command.Stderr = &out, &problems
		err := command.Run()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Fatal(err)
		}
		all := out.String() + problems.String()
		if code := command.ProcessState.ExitCode(); code != int(want) || !strings.Contains(all, says) || strings.Contains(all, "\x1b") {
			t.Fatalf("tradectl local %s ends with %d, want %d, and prints\n%s\nwant %q", typed, code, want, all, says)
		}
		return out.String()
	}
	t.Cleanup(func() { // if the test fails midway
		down := exec.Command("tradectl", "local", "down", "--wipe", "--project", project(t))
		down.Env = append(os.Environ(), "XDG_STATE_HOME="+state)
		if output, err := down.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, output)
		}
	})
	run("status", exitcode.NotFound, "the local cloud is down\nstart it with `tradectl local up`")
	if left, err := os.ReadDir(state); err != nil || len(left) > 0 {
		t.Errorf("asked how it is, it made %v (%v)", left, err)
	}
	run("down", exitcode.OK, "no local cloud is up")
	run("up --port 70000", exitcode.Usage, "--port 70000: use 1 to 65535")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // nobody dials
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	run("up --port "+port, exitcode.Usage, "port "+port+" is taken; choose another with --port")
	run("up --detach --port "+port, exitcode.Usage, "port "+port+" is taken; choose another with --port")
	// Where nothing can be written, the detached process can't say why.
	full := exec.Command("sh", "-c", `ulimit -f 0; exec tradectl local up --detach --port 0 --project "$0"`, project(t))
	full.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	if said, err := full.CombinedOutput(); err == nil || !strings.Contains(string(said), "the local cloud has ended:\nwrite ") || !strings.Contains(string(said), "log: file too large") {
		t.Errorf("on a full disk, it says %s (%v)", said, err)
	}

	const exports = `^export AWS_ENDPOINT_URL=(\S+)\nexport AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1\n` +
		`export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\nexport PULUMI_DEBUG_PROVIDERS=aws:\d+,docker:\d+\n$`
	started := func() string {
		t.Helper()
		printed := run("up --detach --port 0", exitcode.OK, "the local cloud is up at http://127.0.0.1:")
		found := regexp.MustCompile(exports).FindStringSubmatch(printed)
		if found == nil {
			t.Fatalf("it prints more, or less, than a shell can take: %q", printed)
		}
		return found[1]
	}
	queues := func(endpoint string) *sqs.Client {
		return sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	}
	endpoint := started()
	for _, second := range []string{"up", "up --detach", "up --empty"} {
		run(second, exitcode.Usage, "this project's local cloud is already up at "+endpoint+", in process ")
	}
	run("status", exitcode.OK, "the local cloud is up at "+endpoint+", in process ")
	var told struct {
		State string
		PID   int
	}
	if err := json.Unmarshal([]byte(run("status --json", exitcode.OK, "")), &told); err != nil || told.State != "up" {
		t.Fatalf("it tells %+v (%v)", told, err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "attacker.example"
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a request by another host's name gets %v (%v)", answer, err)
	}
	answer.Body.Close() //nolint:errcheck // not read

	// The letter is acknowledged, and then the process killed.
	url := aws.String("https://sqs.us-east-1.amazonaws.com/000000000000/trade-processing-local-recorder-dead-letters")
	if _, err := queues(endpoint).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("a letter")}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(told.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < 10*time.Second && syscall.Kill(told.PID, 0) == nil; {
		time.Sleep(10 * time.Millisecond)
	}
	run("status", exitcode.NotFound, "the last one was killed; what it acknowledged is kept")
	endpoint = started()
	received, err := queues(endpoint).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
	if err != nil || len(received.Messages) != 1 || *received.Messages[0].Body != "a letter" {
		t.Errorf("after the kill there is %+v (%v)", received, err)
	}
	run("down", exitcode.OK, fmt.Sprintf("stopped the local cloud at %s", endpoint))
	run("status", exitcode.NotFound, "the local cloud is down")
	run("up --empty --port 0", exitcode.Usage, "stack local is deployed on this cloud; `tradectl local down --wipe` removes it")
	run("down --wipe", exitcode.OK, "removed "+state)
	if left, err := filepath.Glob(filepath.Join(state, "trade-processing", "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}
