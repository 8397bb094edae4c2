package cloud

import (
	"fmt"
	"strings"

	"github.com/go-viper/mapstructure/v2"
)

// set sets an output and returns the resource, so calls can be chained.
func (r *Resource) set(output string, value any) *Resource {
	r.Outputs[output] = value
	return r
}

// arn writes an ARN in the resource's own region, as format and args name it. IAM has no regions.
func (r *Resource) arn(service, format string, args ...any) string {
	region := r.Region
	if service == "iam" {
		region = ""
	}
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, Account, fmt.Sprintf(format, args...))
}

// itsARN returns the resource's ARN, once it is identified.
func (r *Resource) itsARN() string { return r.Outputs.text("arn") }

// afterLast returns the part of an ARN or a URL behind the last separator.
func afterLast(text, separator string) string {
	return text[strings.LastIndex(text, separator)+1:]
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

// byARN identifies a resource that has a name by its ARN.
func byARN(service, prefix string) func(*Cloud, *Resource) error {
	return then(named(service, prefix), func(_ *Cloud, r *Resource) {
		r.ID = r.itsARN()
	})
}

// numbered identifies a resource by an id that AWS makes up, such as vpc-0a1b…, with its ARN.
func numbered(prefix, service, path string) func(*Cloud, *Resource) error {
	return func(c *Cloud, r *Resource) error {
		r.ID = prefix + c.hex(17)
		r.set("arn", r.arn(service, "%s%s", path, r.ID))
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

// then adds a step to identifying a resource.
func then(first func(*Cloud, *Resource) error, second func(*Cloud, *Resource)) func(*Cloud, *Resource) error {
	return func(c *Cloud, r *Resource) error {
		if err := first(c, r); err != nil {
			return err
		}
		second(c, r)
		return nil
	}
}

// with reads a resource's inputs into a struct for a function that acts on them. Its `property` tags name the relevant
// ones.
func with[T any](act func(*Cloud, *Resource, T) error) func(*Cloud, *Resource) error {
	return func(c *Cloud, r *Resource) error {
		in, err := decode[T](r.Inputs)
		if err != nil {
			return err
		}
		return act(c, r, in)
	}
}

func decode[T any](properties Properties) (T, error) {
	var read T
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: &read, TagName: "property", MatchName: func(key, field string) bool { return key == field },
	})
	if err == nil {
		err = decoder.Decode(map[string]any(properties))
	}
	if err != nil {
		return read, fmt.Errorf("reading properties: %w", err)
	}
	return read, nil
}
