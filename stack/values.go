package stack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"trade-processing/components"
)

// values reads a stack's config key by key and collects the problems. Pulumi.yaml has a default for every key, which
// Pulumi provides if the stack's file sets none. A malformed value is a problem and reads as zero; don't use any value
// until err returns nil.
type values struct {
	project string
	stack   string
	get     func(key string) (string, bool) // by key, with its namespace
	secrets func(key string) bool
	written []string          // the keys that the stack's file sets, to find those that nobody reads
	outside []string          // the keys beside config in that file
	recipe  map[string]string // the defaults of the images' build arguments

	asked    map[string]bool
	problems []Problem
}

// Problem is one problem in a stack's config.
type Problem struct {
	Key    string // with its namespace
	Reason string
	Fix    string // a line for the stack's file; empty if only removing the key helps
}

// ConfigError lists every problem in a stack's config.
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

// valuesOf returns the values of the running program's stack.
func valuesOf(ctx *pulumi.Context) (*values, error) {
	written, outside, err := writtenKeys(ctx)
	if err != nil {
		return nil, err
	}
	return &values{
		project: ctx.Project(), stack: ctx.Stack(), get: ctx.GetConfig, secrets: ctx.IsConfigSecret,
		written: written, outside: outside, asked: map[string]bool{},
	}, nil
}

// pulumis are the keys of a stack's file that Pulumi reads, besides config: see ProjectStack in its SDK's package
// workspace.
var pulumis = []string{"encryptedkey", "encryptionsalt", "environment", "secretsprovider"}

// writtenKeys returns the config keys in the stack's file, and what is outside its config. Pulumi gives a program each
// key it asks for, but doesn't list the others: a mistyped key would be silently ignored.
func writtenKeys(ctx *pulumi.Context) (written, outside []string, err error) {
	name := filepath.Join(ctx.RootDirectory(), "Pulumi."+ctx.Stack()+".yaml")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil // the config comes from elsewhere, such as an environment of Pulumi ESC
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the stack's file: %w", err)
	}
	var file struct {
		Config map[string]any `yaml:"config"`
		Others map[string]any `yaml:",inline"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return slices.Sorted(maps.Keys(file.Config)), slices.Sorted(maps.Keys(file.Others)), nil
}

// problem records what is wrong with a key; example is a valid value.
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

// lookup returns a key's text, which comes from the default in Pulumi.yaml if the stack's file doesn't set it.
func (v *values) lookup(key string) (text string, set bool) {
	full := v.full(key)
	v.asked[full] = true
	if text, set = v.get(full); !set && strings.HasPrefix(full, v.project+":") {
		v.problem(key, examples[key], "has no value, and no default in Pulumi.yaml")
	}
	return strings.TrimSpace(text), set
}

// unknown records what the stack's file sets in vain: keys of the project that nobody read, and keys outside the
// config. Call it last.
func (v *values) unknown() {
	for _, key := range v.written {
		key = v.full(key)
		near := v.nearest(key)
		switch {
		case v.asked[key]:
		case near != "":
			v.problem(key, "", "is not a key of this project; did you mean %s?", near)
		case strings.HasPrefix(key, v.project+":"):
			v.problem(key, "", "is not a key of this project")
		default: // another project's, or a provider's
		}
	}
	for _, key := range v.outside {
		if !slices.Contains(pulumis, key) {
			v.problems = append(v.problems, Problem{Key: key, Reason: "is outside config, where Pulumi ignores it", Fix: "indent it by two spaces, below config:"})
		}
	}
}

// nearest returns a key that differs from a mistyped one by case or by one letter.
func (v *values) nearest(mistyped string) string {
	for _, known := range slices.Sorted(maps.Keys(v.asked)) {
		if strings.EqualFold(known, mistyped) || isOneEditAway(known, mistyped) {
			return known
		}
	}
	return ""
}

// isOneEditAway reports whether adding, removing or changing one letter turns b into a.
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

// text reads a string.
func (v *values) text(key string) string {
	text, _ := v.lookup(key)
	return text
}

func (v *values) secret(key string) bool { return v.secrets(v.full(key)) }

func (v *values) integer(key string, low, high int) int {
	text, set := v.lookup(key)
	n, err := strconv.Atoi(text)
	switch {
	case !set:
	case err != nil:
		v.problem(key, cmp.Or(examples[key], strconv.Itoa(max(low, 0))), "%q is not a whole number", text)
	case n < low || n > high:
		v.problem(key, strconv.Itoa(max(low, 0)), "%d is not from %d to %d", n, low, high)
	default:
		return n
	}
	return 0
}

func (v *values) boolean(key string) bool {
	text, set := v.lookup(key)
	if set && text != "true" && text != "false" {
		v.problem(key, cmp.Or(examples[key], "true"), "%q is neither true nor false", text)
	}
	return text == "true"
}

func (v *values) duration(key string) time.Duration {
	text, set := v.lookup(key)
	d, err := time.ParseDuration(text)
	if set && (err != nil || d <= 0) {
		v.problem(key, "5m", "%q is not a duration above 0", text)
		return 0
	}
	return d
}

func (v *values) list(key string) []string {
	text, set := v.lookup(key)
	var items []string
	if err := json.Unmarshal([]byte(text), &items); set && err != nil {
		v.problem(key, cmp.Or(examples[key], "[]"), "%s is not a list of strings", text)
	}
	return items
}

// table reads a map of strings.
func (v *values) table(key string) map[string]string {
	text, set := v.lookup(key)
	var items map[string]string
	if err := json.Unmarshal([]byte(text), &items); set && err != nil {
		v.problem(key, examples[key], "%s is not a map of strings", text)
	}
	return items
}

// lists reads a map of lists of strings.
func (v *values) lists(key string) map[string][]string {
	text, set := v.lookup(key)
	var items map[string][]string
	if err := json.Unmarshal([]byte(text), &items); set && err != nil {
		v.problem(key, examples[key], "%s is not a map of lists of strings", text)
	}
	return items
}

// into reads keys into the fields of a component's arguments that have these tags.
func (v *values) into(args any, keys ...string) {
	fields := reflect.ValueOf(args).Elem()
	for key, i := range tagged(fields.Type()) {
		if !slices.Contains(keys, key) {
			continue
		}
		switch field := fields.Field(i); field.Interface().(type) {
		case int:
			field.SetInt(int64(v.integer(key, math.MinInt, math.MaxInt)))
		case bool:
			field.SetBool(v.boolean(key))
		case []string:
			field.Set(reflect.ValueOf(v.list(key)))
		case map[string]string:
			field.Set(reflect.ValueOf(v.table(key)))
		case map[string][]string:
			field.Set(reflect.ValueOf(v.lists(key)))
		case nil: // an input
			if text := v.text(key); text != "" {
				field.Set(reflect.ValueOf(pulumi.String(text)))
			}
		default:
			field.SetString(v.text(key))
		}
	}
}

// tagged returns the fields of a component's arguments, by the names in their tags.
func tagged(args reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range args.NumField() {
		if name, _, _ := strings.Cut(args.Field(i).Tag.Get("pulumi"), ","); name != "" {
			fields[name] = i
		}
	}
	return fields
}

// refused blames the config keys that a component's refused arguments come from, by tag or by the argument's path.
// Arguments that aren't config keys are left for the component to report, and so is a second problem with a key.
func (v *values) refused(args any, err error, keys []string, others map[string]string) {
	blamed := map[string]bool{}
	for _, p := range v.problems {
		blamed[p.Key] = true
	}
	typ := reflect.TypeOf(args).Elem()
	for _, err := range joined(err) {
		refused, ok := errors.AsType[*components.ArgumentError](err)
		if !ok {
			continue
		}
		key := others[refused.Argument]
		for name, i := range tagged(typ) {
			if root, _, _ := strings.Cut(refused.Argument, "["); typ.Field(i).Name == root && slices.Contains(keys, name) {
				key = name
			}
		}
		if key != "" && !blamed[v.full(key)] {
			v.problem(key, cmp.Or(examples[key], "256"), "%s", refused.Reason) // a function's memory or concurrency
		}
	}
}

func joined(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	return nil
}

// examples are valid values of keys that several rules are about, or the components'.
var examples = map[string]string{
	"sources": "[system1, system2]", "eventBusName": "default", "producerAccounts": `{system1: ["444455556666"]}`, "archiveDays": "90",
	"workflowType": "STANDARD", "workflowLogLevel": "ERROR", "tracePercent": "1", "functionLogLevel": "INFO", "maxRetries": "3",
	"apiEndpointCidrs": "[203.0.113.0/24]", "maxWriteUnits": "0", "maxReadUnits": "0", "silenceAlarmMinutes": "0",
	"logRetentionDays": "365", "imageArguments": "{INSIGHTS: without}", "manageRegistryReplication": "false",
	"vpcEndpoints": "[logs, ssm]",
	"tags":         "{" + strings.Join(mandatoryTags, ": …, ") + ": …}",
}

// unique records what is listed twice, unless the list has another problem: a line without the second wouldn't mend
// that.
func (v *values) unique(key string, items []string) {
	if slices.ContainsFunc(v.problems, func(p Problem) bool { return p.Key == v.full(key) }) {
		return
	}
	seen := map[string]bool{}
	for _, item := range items {
		if seen[item] {
			v.problem(key, "["+strings.Join(slices.Compact(slices.Sorted(slices.Values(items))), ", ")+"]", "%q is listed twice", item)
			return
		}
		seen[item] = true
	}
}

// region reads the region from the AWS provider's own config.
func (v *values) region() string {
	region := v.text("aws:region")
	switch {
	case region == "":
		v.problem("aws:region", "us-east-1", "is not set")
	case !slices.Contains(regions, region):
		v.problem("aws:region", "us-east-1", "%q is not an AWS region", region)
	}
	return region
}
