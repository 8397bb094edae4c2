// Command benchmarks writes docs/benchmarks.md and its plots from what `make benchmarks` measured, and what the simulation takes from it.
//
//	go run ./tools/benchmarks dist/bench.txt dist/compare.txt dist/growth.txt
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	page  = "docs/benchmarks.md"
	plots = "docs/images/growth-%s.svg"

	handlersFile = "internal/simulate/handlers.json"
)

// handlerBenchmarks call the handler of each function, by the name of its code.
var handlerBenchmarks = map[string]string{"validator": "Invoke", "enricher": "Enricher", "recorder": "Invoke"}

// result is a benchmark with what it measured, in each of its runs.
type result struct {
	folder, name string
	metrics      map[string][]float64 // by unit
}

// read reads what `go test -bench` writes, and the processor's name in it
// (https://go.dev/design/14313-benchmark-format).
func read(text, module string) (results []*result, processor string) {
	folder, known := "", map[string]*result{}
	procs := regexp.MustCompile(fmt.Sprintf("-%d$", runtime.GOMAXPROCS(0))) // if there is more than one
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, "pkg: "); found {
			folder = strings.TrimPrefix(strings.TrimSpace(rest), module+"/")
		}
		if rest, found := strings.CutPrefix(line, "cpu: "); found {
			processor = strings.TrimSpace(rest)
		}
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := procs.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		r := known[folder+name]
		if r == nil {
			r = &result{folder, name, map[string][]float64{}}
			known[folder+name] = r
			results = append(results, r)
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				r.metrics[fields[i+1]] = append(r.metrics[fields[i+1]], value)
			}
		}
	}
	return results, processor
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// number writes three significant digits.
func number(value float64) string {
	text := strconv.FormatFloat(value, 'g', 3, 64)
	if short, err := strconv.ParseFloat(text, 64); err == nil {
		text = strconv.FormatFloat(short, 'f', -1, 64)
	}
	return text
}

// unit is what a larger value is told in.
type unit struct {
	name string
	of   float64
}

var (
	times = []unit{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}, {"ns", 0}}
	sizes = []unit{{"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 0}}
)

func in(units []unit, value float64) string {
	of := units[slices.IndexFunc(units, func(u unit) bool { return value >= u.of })]
	return number(value/max(of.of, 1)) + " " + of.name
}

// steps tells the benchmarks of single steps.
func steps(results []*result) string {
	var b strings.Builder
	b.WriteString("| in | benchmark | time | ± | memory | allocations | |\n|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		of := func(unit string) (float64, bool) {
			values := r.metrics[unit]
			if values == nil {
				return 0, false
			}
			return median(values), true
		}
		which := "ns/op"
		if _, other := of("ns-start"); other {
			which = "ns-start"
		}
		took, _ := of(which)
		spread := 0.0
		for _, value := range r.metrics[which] {
			spread = max(spread, math.Abs(value/took-1))
		}
		memory, allocations, others := "", "", []string{}
		if value, measured := of("B/op"); measured {
			memory = in(sizes, value)
		}
		if value, measured := of("allocs/op"); measured {
			allocations = number(value)
		}
		for _, unit := range slices.Sorted(maps.Keys(r.metrics)) {
			if unit != which && unit != "B/op" && unit != "allocs/op" {
				others = append(others, number(median(r.metrics[unit]))+" "+unit)
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", r.folder, r.name, in(times, took), number(math.Round(100*spread))+" %", memory, allocations, strings.Join(others, ", "))
	}
	return b.String()
}

// handlers returns how long a call of each function's handler takes, for the simulation.
func handlers(results []*result, machine string) ([]byte, error) {
	took := map[string]float64{}
	for _, r := range results {
		if name := path.Base(r.folder); handlerBenchmarks[name] == r.name {
			took[name] = math.Round(median(r.metrics["ns/op"])/100) / 10
		}
	}
	if len(took) != len(handlerBenchmarks) {
		return nil, fmt.Errorf("only the handlers of %v were measured", slices.Sorted(maps.Keys(took)))
	}
	text, err := json.MarshalIndent(map[string]any{"date": today(), "machine": machine, "microseconds": took}, "", "  ")
	return append(text, '\n'), err
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

// comparisons tells what was measured in pairs, whose metrics are what:side:unit and what:ratio…
func comparisons(results []*result) string {
	var b strings.Builder
	b.WriteString("| comparison | of | | | times as much | of ten pairs, eight are between |\n|---|---|---|---|---|---|\n")
	for _, r := range results {
		sides := map[string][]string{}
		for _, unit := range slices.Sorted(maps.Keys(r.metrics)) {
			if parts := strings.Split(unit, ":"); len(parts) == 3 {
				sides[parts[0]] = append(sides[parts[0]], parts[1]+" "+number(median(r.metrics[unit]))+" "+parts[2])
			}
		}
		for _, what := range slices.Sorted(maps.Keys(sides)) {
			of := func(unit string) string { return number(median(r.metrics[what+":"+unit])) }
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s and %s |\n", strings.TrimPrefix(r.name, "Compare"), strings.ReplaceAll(what, "-", " "),
				sides[what][0], sides[what][1], of("ratio"), of("ratio-p10"), of("ratio-p90"))
		}
	}
	return b.String()
}

// growths returns how things grow, one table for each benchmark.
func growths(results []*result) []*table {
	var tables []*table
	for _, r := range results {
		name, rest, _ := strings.Cut(strings.TrimPrefix(r.name, "Growth"), "/")
		by, n, _ := strings.Cut(rest, "=")
		delete(r.metrics, "ns/op")
		if len(tables) == 0 || tables[len(tables)-1].name != name {
			tables = append(tables, &table{name: name, columns: append([]string{by}, slices.Sorted(maps.Keys(r.metrics))...)})
		}
		t := tables[len(tables)-1]
		row := []string{n}
		for _, unit := range t.columns[1:] {
			row = append(row, number(median(r.metrics[unit])))
		}
		t.rows = append(t.rows, row)
	}
	return tables
}

// replace puts text between the page's marks of a part.
func replace(page, part, text string) (string, error) {
	begin, end := "<!-- begin "+part+" -->\n", "<!-- end "+part+" -->"
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("there is no part %s", part)
	}
	return before + begin + text + end + after, nil
}

// commands are what measures the parts.
var commands = map[string]string{
	"bench":   "make bench COUNT=5 BENCHTIME=200ms",
	"compare": "make compare PAIRS=15",
	"growth":  "make growth",
}

func run(files []string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	info, _ := debug.ReadBuildInfo()
	written := string(text)
	for _, file := range files {
		measured, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		results, processor := read(string(measured), info.Main.Path)
		part := strings.TrimSuffix(path.Base(file), ".txt")
		if len(results) == 0 || commands[part] == "" {
			return fmt.Errorf("%s holds no results of %s", file, part)
		}
		machine := fmt.Sprintf("%d cores of an %s, %s", runtime.NumCPU(), cmp.Or(processor, runtime.GOARCH), runtime.Version())
		out := fmt.Sprintf("`%s`, %s, %s\n\n", commands[part], today(), machine)
		switch part {
		case "bench":
			out += steps(results)
			text, err := handlers(results, machine)
			if err == nil {
				err = os.WriteFile(handlersFile, text, 0o644)
			}
			if err != nil {
				return err
			}
		case "compare":
			out += comparisons(results)
		case "growth":
			for _, t := range growths(results) {
				out += t.String() + "\n"
				if err := os.WriteFile(fmt.Sprintf(plots, strings.ToLower(t.name)), []byte(t.plot()), 0o644); err != nil {
					return err
				}
			}
		}
		if written, err = replace(written, part, out); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
	}
	return os.WriteFile(page, []byte(written), 0o644)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}
