// Package pipeline_test sends trades through the whole stack: the program's own
// resources, deployed without the engine onto the local cloud, and the
// functions' own code behind them.
package pipeline_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"trade-processing/internal/feed"
	"trade-processing/internal/pipeline"
	"trade-processing/internal/report"
	"trade-processing/internal/sample"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/local/states"
	"trade-processing/stack"
)

const root = "../.."

// bench is a deployed stack local with what watches it.
type bench struct {
	pipeline.Pipeline
	watching sync.Mutex
	observe  func(states.Visit)
}

// deploy deploys stack local, with options of the test's own.
func deploy(t testing.TB, options cloud.Options) *bench {
	t.Helper()
	b := &bench{}
	options.Images = pipeline.Images()
	options.Observe = func(visit states.Visit) {
		b.watching.Lock()
		observe := b.observe
		b.watching.Unlock()
		observe(visit)
	}
	here := cloud.New(options)
	monitor := provider.NewMonitor(here)
	config := configOf(t, "local")
	err := pulumi.RunErr(stack.DeployFrom(root),
		pulumi.WithMocks("trade-processing", "local", monitor),
		func(info *pulumi.RunInfo) { info.Config = config })
	if err != nil {
		t.Fatalf("deploying: %v", err)
	}
	b.Pipeline = pipeline.Pipeline{Cloud: here, Region: "us-east-1", Bus: "trade-processing-local", Table: "trade-processing-local-trades"}
	return b
}

// configOf reads a stack's config as Pulumi hands it to the program.
func configOf(t testing.TB, name string) map[string]string {
	t.Helper()
	config := map[string]string{}
	var project struct {
		Config map[string]struct {
			Default any `yaml:"default"`
		} `yaml:"config"`
	}
	read(t, "Pulumi.yaml", &project)
	for key, declared := range project.Config {
		if declared.Default != nil {
			config["trade-processing:"+key] = spelled(t, declared.Default)
		}
	}
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	read(t, "Pulumi."+name+".yaml", &file)
	for key, value := range file.Config {
		config[key] = spelled(t, value)
	}
	return config
}

func read(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func spelled(t testing.TB, value any) string {
	t.Helper()
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run sends a feed through the stack and reports on it. Faults may make it
// wait, but never for long.
func (b *bench) run(t testing.TB, f *feed.Feed, concurrency int) *report.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	collector := report.NewCollector()
	b.watching.Lock()
	b.observe = pipeline.Observe(collector)
	b.watching.Unlock()
	p := b.Pipeline
	p.Concurrency = concurrency
	before, err := p.Take()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Process(ctx, f, collector); err != nil {
		t.Fatal(err)
	}
	told, err := p.Report(ctx, collector, before, report.Run{Lines: f.Lines()})
	if err != nil {
		t.Fatal(err)
	}
	if !told.Reconciles {
		t.Errorf("the run does not reconcile: %+v", told)
	}
	return told
}

// generate makes a sample, as lines and as a feed over them.
func generate(t testing.TB, seed uint64, count int) (*sample.Generator, [][]byte) {
	t.Helper()
	generator, err := sample.New(seed, count)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	for line := range generator.Lines() {
		lines = append(lines, append([]byte(nil), line...))
	}
	return generator, lines
}

func feedOf(lines [][]byte) *feed.Feed {
	r, w := io.Pipe()
	go func() {
		for _, line := range lines {
			if len(line) == 0 || line[len(line)-1] != '\n' {
				line = append(line, '\n')
			}
			if _, err := w.Write(line); err != nil {
				return
			}
		}
		w.Close() //nolint:errcheck // a pipe's close does not fail
	}()
	return feed.FromReader("lines", r)
}
