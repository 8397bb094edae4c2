package functiontest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

// AddFiles seeds a fuzz target with the contents of files.
func AddFiles(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
}

// maxMessage is how many bytes an error's message may have: a dead letter has to hold it beside the event.
const maxMessage = 4 << 10

// Invoke sends a handler any payload at all, and checks what each function promises: an answer in JSON, or an error of
// one of these types with a message of bounded length; no panic; and lines of JSON in the output, one of which has the
// metrics. It returns the answer; nil for an error.
func Invoke(t *testing.T, handler lambda.Handler, output *bytes.Buffer, payload []byte, errorTypes ...string) []byte {
	t.Helper()
	output.Reset()
	answer, err := handler.Invoke(t.Context(), payload)
	if err != nil {
		response, typed := errors.AsType[messages.InvokeResponse_Error](err)
		if !typed || !slices.Contains(errorTypes, response.Type) {
			t.Fatalf("it fails with %T: %.2000v\n%.4000s", err, err, output)
		}
		if len(response.Message) > maxMessage || !utf8.ValidString(response.Message) {
			t.Errorf("the message has %d bytes: %.2000q", len(response.Message), response.Message)
		}
		answer = nil
	} else if !json.Valid(answer) {
		t.Fatalf("it answers %q", answer)
	}
	failed := 0
	for line := range bytes.Lines(output.Bytes()) {
		var fields struct{ Msg string }
		if err := json.Unmarshal(line, &fields); err != nil || !utf8.Valid(line) {
			t.Errorf("the line %q: %v", line, err)
		}
		if fields.Msg == "failed" {
			failed++
		}
	}
	if (failed == 1) != (err != nil) || failed > 1 {
		t.Errorf("the error is %v, and %d lines tell of one: %s", err, failed, output)
	}
	return answer
}
