package function

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
)

// Options are what a function works with.
type Options struct {
	Clock clock.Clock
	// Faults may delay or fail each call; nil for none. The key of a call is its payload.
	Faults fault.Hook
	// Metrics receives what Lambda sends to CloudWatch; nil for none.
	Metrics *metrics.Store
	// RequestID returns a new call's id; it must be safe for concurrent use.
	RequestID func() string
	// Pool is the concurrency that the functions of one account and region share.
	Pool *Pool
}

// Function is safe for concurrent use.
type Function struct {
	options  Options
	measures measures
	share    *share

	// alive ends when the function is closed, and with it the context of every running handler.
	alive context.Context
	end   context.CancelFunc

	mu       sync.RWMutex
	versions map[string]Definition // Latest among them
	aliases  map[string]string     // to a version
}

// New returns a function. Update publishes versions of it.
func New(def Definition, options Options) (*Function, error) {
	if err := def.Validate(); err != nil {
		return nil, err
	}
	f := &Function{
		options: options, measures: newMeasures(options.Metrics, def.Name), share: &share{},
		versions: map[string]Definition{}, aliases: map[string]string{},
	}
	f.alive, f.end = context.WithCancel(context.Background())
	if err := f.Update(def, Latest); err != nil {
		f.end()
		return nil, err
	}
	return f, nil
}

// Update replaces the function's definition and, unless version is Latest, publishes it as that version. Earlier
// versions stay as they are, except for the reserved concurrency, which is the function's.
func (f *Function) Update(def Definition, version string) error {
	if err := def.Validate(); err != nil {
		return err
	}
	if !versionRule.MatchString(version) {
		return fmt.Errorf("function %q: %q is not a version; a version is a number or %s", def.Name, version, Latest)
	}
	if def.Timeout == 0 {
		def.Timeout = defaultTimeout
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, exists := f.versions[Latest]; exists && (old.Name != def.Name || old.ARN != def.ARN) {
		return fmt.Errorf("function %q: its name and ARN can't change; make another function", old.Name)
	}
	if err := f.options.Pool.reserve(f.share, def); err != nil {
		return err
	}
	f.versions[Latest] = def
	f.versions[version] = def
	return nil
}

// SetAlias points an alias at a published version.
func (f *Function) SetAlias(name, version string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.versions[Latest].Name
	if !aliasRule.MatchString(name) || strings.Trim(name, "0123456789") == "" {
		return fmt.Errorf("function %q: %q is not an alias; use 1 to 128 of a-z, A-Z, 0-9, hyphen and underscore, but not a number", own, name)
	}
	if _, found := f.versions[version]; !found {
		return fmt.Errorf("function %q has no version %q; it has %s", own, version, strings.Join(slices.Sorted(maps.Keys(f.versions)), ", "))
	}
	f.aliases[name] = version
	return nil
}

// DeleteAlias removes an alias; it is not an error if it doesn't exist.
func (f *Function) DeleteAlias(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.aliases, name)
}

// Close ends the function: it releases its reserved concurrency, later calls find no function, and the contexts of
// running handlers end.
func (f *Function) Close() {
	f.end()
	f.options.Pool.release(f.share)
}

// resolve finds what a qualifier refers to.
func (f *Function) resolve(qualifier string) (def Definition, version string, err error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	version = qualifier
	if version == "" {
		version = Latest
	}
	if target, isAlias := f.aliases[version]; isAlias {
		version = target
	}
	def, found := f.versions[version]
	if !found || f.alive.Err() != nil {
		return def, "", &Error{
			Type:    "Lambda.ResourceNotFoundException",
			Message: "Function not found: " + qualified(f.versions[Latest].ARN, qualifier),
		}
	}
	return def, version, nil
}

func qualified(arn, qualifier string) string {
	if qualifier == "" {
		return arn
	}
	return arn + ":" + qualifier
}
