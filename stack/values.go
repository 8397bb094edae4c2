package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"trade-processing/components"
)

// values reads a stack's config key by key and gathers what is wrong. A key that isn't set has its default. One that is
// malformed is a problem and reads as its default too, so that one mistake isn't reported twice; nothing that was read may
// be used before err has said that all is well.
type values struct {
	project string
	stack   string
	get     func(key string) (string, bool) // of a key with its namespace
	secrets func(key string) bool
	written []string // the keys of the project that the stack's file sets, to find those that nobody reads

	asked    map[string]bool
	problems []Problem
}

// Problem is one thing that is wrong with a stack's config.
type Problem struct {
	Key    string // with its namespace
	Reason string
	Fix    string // a line for the stack's file; empty where nothing but removal helps
}

// ConfigError lists everything that is wrong with a stack's config.
type ConfigError struct {
	Stack    string
	Problems []Problem
}

func (e *ConfigError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "the config of stack %s has %d problems:", e.Stack, len(e.Problems))
	if len(e.Problems) == 1 {
		text.Reset()
		fmt.Fprintf(&text, "the config of stack %s has a problem:", e.Stack)
	}
	for _, p := range e.Problems {
		fmt.Fprintf(&text, "\n  %s: %s", p.Key, p.Reason)
		if p.Fix != "" {
			fmt.Fprintf(&text, "\n    in Pulumi.%s.yaml: %s", e.Stack, p.Fix)
		}
	}
	return text.String()
}

// valuesOf are the values of the running program's stack.
func valuesOf(ctx *pulumi.Context) (*values, error) {
	written, err := writtenKeys(ctx)
	if err != nil {
		return nil, err
	}
	return &values{
		project: ctx.Project(), stack: ctx.Stack(), get: ctx.GetConfig, secrets: ctx.IsConfigSecret, written: written,
		asked: map[string]bool{},
	}, nil
}

// writtenKeys are the keys in the stack's file. Pulumi hands a program each key that it asks for, and doesn't say which
// others there are: a mistyped key would be ignored in silence.
func writtenKeys(ctx *pulumi.Context) ([]string, error) {
	name := filepath.Join(ctx.RootDirectory(), "Pulumi."+ctx.Stack()+".yaml")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the config comes from elsewhere, such as an environment of Pulumi ESC
	}
	if err != nil {
		return nil, fmt.Errorf("reading the stack's file: %w", err)
	}
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return slices.Sorted(maps.Keys(file.Config)), nil
}

// problem notes what is wrong with a key; example is a value that would be right.
func (v *values) problem(key, example, format string, args ...any) {
	full := v.full(key)
	p := Problem{Key: full, Reason: fmt.Sprintf(format, args...)}
	if example != "" {
		p.Fix = full + ": " + example
	}
	v.problems = append(v.problems, p)
}

func (v *values) err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return &ConfigError{Stack: v.stack, Problems: v.problems}
}

func (v *values) full(key string) string {
	if strings.Contains(key, ":") {
		return key
	}
	return v.project + ":" + key
}

func (v *values) lookup(key string) (string, bool) {
	full := v.full(key)
	v.asked[full] = true
	return v.get(full)
}

// unknown notes the keys of the project's namespace that nobody asked for. It must be called last.
func (v *values) unknown() {
	for _, key := range v.written {
		if !strings.HasPrefix(key, v.project+":") || v.asked[key] {
			continue
		}
		reason := "is no key of this project"
		if near := v.nearest(key); near != "" {
			reason += "; did you mean " + near + "?"
		}
		v.problem(key, "", "%s", reason)
	}
}

// nearest is a key that differs from a mistyped one by case or by a letter.
func (v *values) nearest(mistyped string) string {
	for _, known := range slices.Sorted(maps.Keys(v.asked)) {
		if strings.EqualFold(known, mistyped) || isOneEditAway(known, mistyped) {
			return known
		}
	}
	return ""
}

// isOneEditAway tells whether one letter more, less or other makes a of b.
func isOneEditAway(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i < len(a) && a[i+1:] == b[i+1:]
	}
	return a[i+1:] == b[i:]
}

// text reads a text; an empty one is as good as none.
func (v *values) text(key, byDefault string) string {
	value, _ := v.lookup(key)
	if value = strings.TrimSpace(value); value == "" {
		return byDefault
	}
	return value
}

func (v *values) secret(key string) bool { return v.secrets(v.full(key)) }

func (v *values) integer(key string, byDefault, low, high int) int {
	text, set := v.lookup(key)
	if !set {
		return byDefault
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	switch {
	case err != nil:
		v.problem(key, strconv.Itoa(byDefault), "%q is no whole number", text)
	case n < low || n > high:
		v.problem(key, strconv.Itoa(min(byDefault, high)), "%d is not from %d to %d", n, low, high)
	default:
		return n
	}
	return byDefault
}

func (v *values) boolean(key string, byDefault bool) bool {
	text, set := v.lookup(key)
	if !set {
		return byDefault
	}
	if text != "true" && text != "false" {
		v.problem(key, strconv.FormatBool(byDefault), "%q is neither true nor false", text)
	}
	return text == "true"
}

func (v *values) duration(key string, byDefault time.Duration) time.Duration {
	text, set := v.lookup(key)
	if !set {
		return byDefault
	}
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil || d <= 0 {
		v.problem(key, byDefault.String(), "%q is no duration above 0", text)
		return byDefault
	}
	return d
}

// choice reads one of some values; the first is the default.
func (v *values) choice(key string, choices ...string) string {
	value := v.text(key, choices[0])
	if !slices.Contains(choices, value) {
		v.problem(key, choices[0], "%q is none of %s", value, strings.Join(choices, ", "))
		return choices[0]
	}
	return value
}

// list reads a list of texts. An empty list is a value of its own, and not the default.
func (v *values) list(key string, byDefault []string) []string {
	text, set := v.lookup(key)
	if !set {
		return byDefault
	}
	var items []string
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		v.problem(key, "[first, second]", "%s is no list of texts", text)
		return byDefault
	}
	return items
}

// table reads texts by key.
func (v *values) table(key string) map[string]string {
	text, set := v.lookup(key)
	if !set {
		return nil
	}
	var items map[string]string
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		v.problem(key, "{Owner: payments}", "%s is no table of texts by key", text)
		return nil
	}
	return items
}

// unique notes what stands twice in a list.
func (v *values) unique(key string, items []string) {
	seen := map[string]bool{}
	for _, item := range items {
		if seen[item] {
			v.problem(key, "["+strings.Join(slices.Compact(slices.Sorted(slices.Values(items))), ", ")+"]", "%q stands twice", item)
			return
		}
		seen[item] = true
	}
}

// region reads the region of the AWS provider's own config.
func (v *values) region() string {
	region := v.text("aws:region", "")
	switch {
	case region == "":
		v.problem("aws:region", "us-east-1", "is not set")
	case !slices.Contains(regions, region):
		v.problem("aws:region", "us-east-1", "%q is no AWS region", region)
	}
	return region
}

// Lambda's bounds for memory in MiB, and a bound for concurrency that catches a slip of the finger; AWS has its own.
const (
	minMemory, maxMemory = 128, 10240
	defaultMemory        = 256
	maxConcurrency       = 10_000
)

func (v *values) functionSize(function string) components.FunctionSize {
	return components.FunctionSize{
		MemoryMB:            v.integer(function+"Memory", defaultMemory, minMemory, maxMemory),
		ReservedConcurrency: v.integer(function+"ReservedConcurrency", 0, 0, maxConcurrency),
	}
}
