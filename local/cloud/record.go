package cloud

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A record is a kind that the local cloud only keeps on record: it has an id, ARN and outputs like the real one, but
// nothing here depends on what it does. Encryption keys, roles, security groups and dashboards are such.
type record struct {
	// accepts names the input properties, separated by spaces. What is inside an object, or inside each object of a list,
	// is named with the path to it, such as rules.lifecycle.deleteAfter; a * behind the dot takes any name.
	accepts  string
	replaces string
	requires string
	computes string
	identify func(*Cloud, *Resource) error
}

func (r record) kind() kind {
	paths := strings.Fields(r.accepts)
	var top []string
	for _, path := range paths {
		if name, _, _ := strings.Cut(path, "."); !slices.Contains(top, name) {
			top = append(top, name)
		}
	}
	return kind{
		accepts:  top,
		check:    func(p Properties) error { return checkInside(paths, "", map[string]any(p)) },
		replaces: strings.Fields(r.replaces),
		requires: strings.Fields(r.requires),
		computes: strings.Fields(r.computes),
		identify: r.identify,
	}
}

// checkInside refuses what the objects inside a property hold beyond paths.
func checkInside(paths []string, at string, value any) error {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inside := strings.TrimPrefix(at+"."+name, ".")
			if !known(paths, inside) {
				return fmt.Errorf("the local cloud does not know the property %s", inside)
			}
			if err := checkInside(paths, inside, value[name]); err != nil {
				return err
			}
		}
	case []any:
		for _, element := range value {
			if err := checkInside(paths, at, element); err != nil {
				return err
			}
		}
	}
	return nil
}

// known tells whether a path is one of those that are known, or leads to one. Tags are named by whoever sets them.
func known(paths []string, path string) bool {
	parent := path[:max(0, strings.LastIndex(path, "."))]
	return parent == "tags" || slices.ContainsFunc(paths, func(known string) bool {
		return known == path || known == parent+".*" || strings.HasPrefix(known, path+".")
	})
}

// arn writes an ARN in the resource's own region, as format and args name it.
func (r *Resource) arn(service, format string, args ...any) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, r.Region, Account, fmt.Sprintf(format, args...))
}

// set gives an output and returns the resource, so that sets can be chained.
func (r *Resource) set(output string, value any) *Resource {
	r.Outputs[output] = value
	return r
}

// named identifies a resource by its own name, with an ARN of the service and a prefix such as "role/".
func named(service, prefix string) func(*Cloud, *Resource) error {
	return func(_ *Cloud, r *Resource) error {
		r.ID = r.Inputs.text("name")
		if r.ID == "" {
			return fmt.Errorf("the name is empty")
		}
		r.set("arn", r.arn(service, "%s%s", prefix, r.ID))
		return nil
	}
}

// global is named for a service without regions.
func global(service, prefix string) func(*Cloud, *Resource) error {
	return func(_ *Cloud, r *Resource) error {
		r.ID = r.Inputs.text("name")
		if r.ID == "" {
			return fmt.Errorf("the name is empty")
		}
		r.set("arn", fmt.Sprintf("arn:aws:%s::%s:%s%s", service, Account, prefix, r.ID))
		return nil
	}
}

// numbered identifies a resource by an id that AWS makes up, such as vpc-0a1b…, with the ARN where there is one.
func numbered(prefix, service, path string) func(*Cloud, *Resource) error {
	return func(c *Cloud, r *Resource) error {
		r.ID = prefix + c.hex(17)
		if service != "" {
			r.set("arn", r.arn(service, "%s%s", path, r.ID))
		}
		return nil
	}
}

// joined identifies a resource by its inputs, such as a role and its policy.
func joined(separator string, inputs ...string) func(*Cloud, *Resource) error {
	return func(_ *Cloud, r *Resource) error {
		parts := make([]string, len(inputs))
		for i, input := range inputs {
			if parts[i] = r.Inputs.text(input); parts[i] == "" {
				return fmt.Errorf("%s is empty", input)
			}
		}
		r.ID = strings.Join(parts, separator)
		return nil
	}
}

// then runs several identifying steps in turn.
func then(steps ...func(*Cloud, *Resource) error) func(*Cloud, *Resource) error {
	return func(c *Cloud, r *Resource) error {
		for _, step := range steps {
			if err := step(c, r); err != nil {
				return err
			}
		}
		return nil
	}
}

// Types lists the resource types that the local cloud knows.
func Types() []string {
	types := make([]string, 0, len(kinds))
	for typ := range kinds {
		types = append(types, typ)
	}
	slices.Sort(types)
	return types
}
