package cloud

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
)

// decode reads properties into a struct, whose `property` tags name every property that the kind knows. An unknown one,
// at any depth, is an error that names it.
func decode[T any](properties Properties) (T, error) {
	var read T
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: &read, TagName: "property", ErrorUnused: true,
		MatchName: func(key, field string) bool { return key == field },
	})
	if err != nil {
		return read, fmt.Errorf("preparing to read properties: %w", err)
	}
	if err := decoder.Decode(map[string]any(properties)); err != nil {
		return read, fmt.Errorf("reading properties: %s", oneLine(err.Error()))
	}
	return read, nil
}

// oneLine folds mapstructure's list of problems into a line.
func oneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "*"))
	}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), " ")
}

// properties names the top-level properties of a struct that decode reads.
func properties[T any]() []string {
	var names []string
	for i := range reflect.TypeFor[T]().NumField() {
		names = append(names, reflect.TypeFor[T]().Field(i).Tag.Get("property"))
	}
	return names
}

// A living kind reads its inputs into a struct and acts on them.
type living[T any] struct {
	requires    string
	replaces    string
	computes    string
	renews      string
	unversioned string
	// validate refuses a definition that AWS would refuse; unknown values of a preview are zero here, so it judges only
	// what is there.
	validate func(T) error
	identify func(*Cloud, *Resource, T) error
	renew    func(*Cloud, *Resource, T) error
	start    func(*Cloud, *Resource, T) error
	update   func(*Cloud, *Resource, T) error
	stop     func(*Cloud, *Resource) error
}

func (l living[T]) kind() kind {
	k := kind{
		accepts:  properties[T](),
		requires: strings.Fields(l.requires),
		replaces: strings.Fields(l.replaces),
		computes: strings.Fields(l.computes),
		renews:   strings.Fields(l.renews), unversioned: strings.Fields(l.unversioned),
		check: func(p Properties) error {
			read, err := decode[T](p)
			if err != nil || l.validate == nil {
				return err
			}
			return l.validate(read)
		},
		identify: with(l.identify),
		stop:     l.stop,
	}
	if l.renew != nil {
		k.renew = with(l.renew)
	}
	if l.start != nil {
		k.start = with(l.start)
	}
	switch {
	case l.update != nil:
		k.update = with(l.update)
	case l.start != nil:
		k.update = k.start // the definition replaces the old one
	}
	return k
}

// with decodes a resource's inputs for a function that wants them typed.
func with[T any](act func(*Cloud, *Resource, T) error) func(*Cloud, *Resource) error {
	return func(c *Cloud, r *Resource) error {
		read, err := decode[T](r.Inputs)
		if err != nil {
			return err
		}
		return act(c, r, read)
	}
}
