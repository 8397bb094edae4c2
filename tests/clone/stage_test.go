package clone

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A stage is a row and a folder: these are all the files a stage needs, as the README says.
const (
	scorer = `// Package scorer is the function that scores a trade.
package scorer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/lambdas/function"
)

// Name is the function's name in logs and metrics.
const Name = "scorer"

// Scored counts the trades that were scored.
const Scored = "TradesScored"

// Score is the answer of the stage.
type Score struct {
	Points int ` + "`json:\"points\"`" + `
}

// New makes the handler: it takes a function.Request and answers a Score.
func New(environment function.Environment) (lambda.Handler, error) {
	settings := function.ReadSettings(environment, Name)
	if err := settings.Err(); err != nil {
		return nil, err
	}
	return function.Handle(settings, func(_ context.Context, call *function.Call, _ function.Request) (Score, error) {
		call.Count(Scored, 1)
		return Score{Points: 42}, nil
	}), nil
}
`
	bootstrap = `// The bootstrap program of the scorer's container image.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/scorer"
)

func main() {
	function.Main(func(_ context.Context, environment function.Environment) (lambda.Handler, error) {
		return scorer.New(environment)
	})
}
`
	row = `		{
			Function: scorer.Name, State: "ScoreTrade", Result: "score",
			Description: "Scores a trade",
			Metrics:     []components.StageMetric{{Graph: components.OutcomesGraph, Name: scorer.Scored, Label: "scored"}},
		},
`
	constructor = `		scorer.Name: func(environment function.Environment, _ cloud.Services) (lambda.Handler, error) {
			return scorer.New(environment)
		},
`
	keys = `  scorerMemory:
    default: 256
    description: Memory of the scorer in MiB, 128 to 10240.
  scorerReservedConcurrency:
    default: 0
    description: Calls of the scorer that may run at a time. 0 - unreserved.
`
	imported = "\t\"trade-processing/lambdas/scorer\"\n"
)

func TestAStageIsARowAndAFolder(t *testing.T) {
	needsClone(t)
	clone := filepath.Join(t.TempDir(), "clone")
	run(t, ".", nil, "git", "clone", "--quiet", "../..", clone)
	for name, text := range map[string]string{"scorer.go": scorer, "bootstrap/main.go": bootstrap} {
		path := filepath.Join(clone, "lambdas", "scorer", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const after = "\t\"trade-processing/lambdas/recorder\"\n"
	insert(t, clone, "stack/stages.go", after, after+imported)
	insert(t, clone, "stack/stages.go", "\t\t{\n\t\t\tFunction: recorder.Name", row+"\t\t{\n\t\t\tFunction: recorder.Name")
	insert(t, clone, "internal/localrun/images.go", after, after+imported)
	insert(t, clone, "internal/localrun/images.go", "\treturn map[string]cloud.Image{\n", "\treturn map[string]cloud.Image{\n"+constructor)
	insert(t, clone, "Pulumi.yaml", "  imageArguments:\n", keys+"  imageArguments:\n")

	run(t, clone, nil, "make", "demo", "COUNT=1000")
	run(t, clone, nil, "bin/tradectl", "local", "run", "--sample", "1000", "--out", "items.ndjson")
	items, err := os.Open(filepath.Join(clone, "items.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer items.Close() //nolint:errcheck // only read
	recorded := 0
	for lines := bufio.NewScanner(items); lines.Scan(); recorded++ {
		var item struct{ Score string }
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil || item.Score != `{"points":42}` {
			t.Fatalf("%v: %s", err, lines.Text())
		}
	}
	if recorded < 900 {
		t.Errorf("%d of 1,000 trades are recorded", recorded)
	}
	if preview := run(t, clone, nil, "bin/tradectl", "local", "preview", "--stack", "dev"); !strings.Contains(preview, "pipeline-scorer-dead-letters") {
		t.Error("a preview of dev doesn't show the stage's queue")
	}
	run(t, clone, nil, "go", "test", "./stack", "-run", "EveryKeyIsDeclared|Environment|ReadWhatTheyGet")
	if changed := strings.Fields(run(t, clone, nil, "git", "diff", "--name-only")); len(changed) > 3 {
		t.Errorf("the stage touches %v", changed)
	}
}

// insert replaces a string that occurs once in a file.
func insert(t *testing.T, clone, name, old, with string) {
	t.Helper()
	path := filepath.Join(clone, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("%s has %q %d times", name, old, n)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
