package engine_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/internal/engine"
)

// The program of 2026-11-23 deployed these stacks, before its stages were a table and its components asked their
// providers: their states are Deployment.Export's, and what they deployed is Cloud.Save's. Only the table's indexes are
// today's: DynamoDB makes an index with another key anew, which the local cloud doesn't.
func TestStacksOfTheFormerProgramKeepTheirResources(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			state := unzipped(t, "testdata/"+name+".state.json.gz")
			d := openDesk(t, engine.Options{Stack: name, State: state})
			saved, err := os.ReadFile("testdata/" + name + ".cloud.zip")
			if err != nil {
				t.Fatal(err)
			}
			if err := d.cloud.Load(bytes.NewReader(saved), int64(len(saved))); err != nil {
				t.Fatal(err)
			}
			done := d.up()
			for _, step := range done.Changed() {
				if step.Op != "create" && step.Op != "update" {
					t.Errorf("%s %s: %v", step.Op, step.URN, step.Replaces)
				}
			}
			if done.Counts["same"] < 100 {
				t.Errorf("it did %s", done.Summary())
			}
			for output, value := range stackOutputs(t, state) {
				if diff := cmp.Diff(value, d.outputs[output].Value); diff != "" {
					t.Errorf("output %s: %s", output, diff)
				}
			}
			d.trades("the update", "system1", "system2", "system3")
			if again := d.up(); len(again.Changed()) > 0 {
				t.Errorf("a second update did %s", again.Summary())
			}
		})
	}
}

func unzipped(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// stackOutputs are the outputs that a state keeps of its stack, which comes first.
func stackOutputs(t *testing.T, state []byte) map[string]any {
	t.Helper()
	var read struct {
		Deployment struct {
			Resources []struct{ Outputs map[string]any }
		}
	}
	if err := json.Unmarshal(state, &read); err != nil {
		t.Fatal(err)
	}
	outputs := read.Deployment.Resources[0].Outputs
	if len(outputs) < 20 {
		t.Fatalf("the stack had the outputs %v", outputs)
	}
	return outputs
}
