package cloud

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Properties are a resource's properties as plain Go values: string, bool, float64, []any and map[string]any.
type Properties map[string]any

// Resource is one resource of a deployment.
type Resource struct {
	Type    string // the Pulumi type token, such as "aws:sqs/queue:Queue"
	Name    string // the logical name, which messages use
	Region  string // the region of the provider that owns it
	ID      string // the provider's id, unique within type and region
	Inputs  Properties
	Outputs Properties // inputs and what AWS would compute
	Created time.Time

	order    int       // position in the order of creation
	outlived *outlived // by a replica whose table was deleted
}

// text reads a string property; a missing one is "".
func (p Properties) text(name string) string {
	s, _ := p[name].(string)
	return s
}

// A kind is what the local cloud knows about one resource type. The names in its lists are separated by spaces.
type kind struct {
	// uses names the input properties that matter here, records those that are only kept on record. No others are
	// accepted. Members of an object, or of each object in a list, are named by path, such as rules.lifecycle.deleteAfter;
	// a * after the dot matches any name.
	uses, records string
	// requires names those that creation needs.
	requires string
	// replaces names those whose change needs a new resource in AWS.
	replaces string
	// deletesFirst says that the AWS provider deletes the resource before it replaces it, even if it has no name.
	deletesFirst bool
	// puts says that AWS's creation overwrites what is there, as its Put operations do.
	puts bool
	// computes names the outputs that exist only after creation.
	computes string
	// renews names those of them that an update renews, such as a version, unless only the inputs in unversioned change.
	renews, unversioned string
	// check refuses what AWS would refuse. Values unknown at preview are absent.
	check func(Properties) error
	// identify fills in the id and the computed outputs of a new resource, whose outputs already have its inputs, and
	// those that an update renews.
	identify func(*Cloud, *Resource) error
	// start makes the resource live, when it is created and when a kept cloud is reopened. Nil if a resource is only on
	// record.
	start func(*Cloud, *Resource) error
	// update changes the live resource in place. Nil if start does, with the new definition instead of the old one.
	update func(*Cloud, *Resource) error
	// stop ends the live resource.
	stop func(*Cloud, *Resource) error
}

// accepts names the input properties, with the paths to what is inside them.
func (k kind) accepts() []string { return strings.Fields(k.uses + " " + k.records) }

// strange lists the properties that aren't accepted.
func (k kind) strange(inputs Properties, unknown []string) []string {
	paths := k.accepts()
	strange := inside(paths, "", map[string]any(inputs))
	for _, name := range unknown {
		if !known(paths, name) {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	return slices.Compact(strange)
}

// inside lists what a value has beyond paths.
func inside(paths []string, at string, value any) (strange []string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			path := strings.TrimPrefix(at+"."+name, ".")
			if known(paths, path) {
				strange = append(strange, inside(paths, path, inner)...)
			} else {
				strange = append(strange, path)
			}
		}
	case []any:
		for _, element := range value {
			strange = append(strange, inside(paths, at, element)...)
		}
	}
	return strange
}

// known reports whether a path is a known one, or leads to one. Tags have any name.
func known(paths []string, path string) bool {
	parent := path[:max(0, strings.LastIndex(path, "."))]
	return parent == "tags" || slices.ContainsFunc(paths, func(known string) bool {
		return known == path || known == parent+".*" || strings.HasPrefix(known, path+".")
	})
}

// ResourceError says which resource was refused and why.
type ResourceError struct {
	Type, Name string
	Reason     string
}

func (e *ResourceError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("%s: %s", e.Type, e.Reason)
	}
	return fmt.Sprintf("%s %q: %s", e.Type, e.Name, e.Reason)
}

func refuse(typ, name, format string, args ...any) error {
	return &ResourceError{Type: typ, Name: name, Reason: fmt.Sprintf(format, args...)}
}

// lookup finds the kind of a type, or refuses the type by name.
func lookup(typ, name string) (kind, error) {
	k, known := kinds[typ]
	if !known {
		return kind{}, refuse(typ, name, "the local cloud does not know this resource type; "+
			"add it in local/cloud, so that nothing is silently left out")
	}
	return k, nil
}

// Check refuses an unknown type or property, and merges the provider's default tags into a taggable resource, as the
// AWS provider does at this step. Values unknown at preview are named in unknown and absent from inputs.
func Check(typ, name string, inputs Properties, unknown []string, defaultTags map[string]string) (Properties, error) {
	k, err := lookup(typ, name)
	if err != nil {
		return nil, err
	}
	if strange := k.strange(inputs, unknown); len(strange) > 0 {
		properties := "property"
		if len(strange) > 1 {
			properties = "properties"
		}
		return nil, refuse(typ, name, "the local cloud does not know the %s %s", properties, strings.Join(strange, ", "))
	}
	for _, property := range strings.Fields(k.requires) {
		if _, there := inputs[property]; !there && !slices.Contains(unknown, property) {
			return nil, refuse(typ, name, "missing required property %s", property)
		}
	}
	if k.check != nil {
		if err := k.check(inputs); err != nil {
			return nil, refuse(typ, name, "%v", err)
		}
	}
	if !slices.Contains(k.accepts(), "tags") || len(defaultTags) == 0 || slices.Contains(unknown, "tags") {
		return inputs, nil
	}
	tags := make(map[string]any, len(defaultTags))
	for key, value := range defaultTags {
		tags[key] = value
	}
	if own, ok := inputs["tags"].(map[string]any); ok {
		maps.Copy(tags, own)
	}
	checked := maps.Clone(inputs)
	checked["tags"] = tags
	return checked, nil
}

// Computed names the outputs of a type that exist only once it is created.
func Computed(typ string) ([]string, error) {
	k, err := lookup(typ, "")
	return strings.Fields(k.computes), err
}

// Replaces names the inputs of a type whose change needs a new resource.
func Replaces(typ string) ([]string, error) {
	k, err := lookup(typ, "")
	return strings.Fields(k.replaces), err
}

// DeletesFirst says whether a resource is deleted before it is replaced. The AWS provider does so if the program names
// it, whether or not the name changes.
// https://github.com/pulumi/pulumi-terraform-bridge/blob/main/pkg/tfbridge/schema.go (nameRequiresDeleteBeforeReplace)
func DeletesFirst(typ string, named bool) (bool, error) {
	k, err := lookup(typ, "")
	return named || k.deletesFirst, err
}

// Renewed names the outputs that an update renews. Inputs unknown at preview are named in unknown, and count as
// changed.
func Renewed(typ string, old, now Properties, unknown []string) ([]string, error) {
	k, err := lookup(typ, "")
	if err != nil || !k.renewedBy(old, now, unknown) {
		return nil, err
	}
	return strings.Fields(k.renews), nil
}

func (k kind) renewedBy(old, now Properties, unknown []string) bool {
	names := append(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(now))...)
	return slices.ContainsFunc(append(names, unknown...), func(name string) bool {
		changed := slices.Contains(unknown, name) || !reflect.DeepEqual(old[name], now[name])
		return changed && !slices.Contains(strings.Fields(k.unversioned), name)
	})
}

// Create makes a resource live and returns it with its id and outputs.
func (c *Cloud) Create(typ, name, region string, inputs Properties) (*Resource, error) {
	k, err := lookup(typ, name)
	if err != nil {
		return nil, err
	}
	r := &Resource{Type: typ, Name: name, Region: region, Inputs: inputs, Outputs: outputs(inputs)}
	if err := k.identify(c, r); err != nil {
		return nil, refuse(typ, name, "%v", err)
	}
	if taken, err := c.takeOver(k, r); taken != nil || err != nil {
		return taken, err
	}
	if err := c.authorise(r); err != nil {
		return nil, refuse(typ, name, "%v", err)
	}
	if err := c.admit(k, r); err != nil {
		return nil, err
	}
	c.Sync()
	return r, nil
}

// outputs begins as a copy of the inputs.
func outputs(inputs Properties) Properties {
	copied := Properties{}
	maps.Copy(copied, inputs)
	if tags, taggable := inputs["tags"]; taggable {
		copied["tagsAll"] = tags
	}
	return copied
}

// admit makes an identified resource live and puts it on record.
func (c *Cloud) admit(k kind, r *Resource) error {
	c.mu.Lock()
	former := c.resources[r.key()]
	taken := former != nil && !k.puts
	if !taken {
		c.created++
		r.order = c.created
		if r.Created.IsZero() {
			r.Created = c.clock.Now()
		}
		c.record(r)
	}
	c.mu.Unlock()
	if taken {
		return refuse(r.Type, r.Name, "%s exists already in %s", r.ID, r.Region)
	}
	if k.start == nil {
		return nil
	}
	if err := k.start(c, r); err != nil {
		c.mu.Lock()
		if former != nil {
			c.record(former)
		} else {
			c.forget(r.key())
		}
		c.mu.Unlock()
		return refuse(r.Type, r.Name, "%v", err)
	}
	return nil
}

// Read returns a resource as it is, or false if it doesn't exist.
func (c *Cloud) Read(typ, region, id string) (*Resource, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	r, found := c.resources[key{typ, region, id}]
	return r, found
}

// Update changes a resource in place.
func (c *Cloud) Update(typ, region, id string, inputs Properties) (*Resource, error) {
	k, err := lookup(typ, id)
	if err != nil {
		return nil, err
	}
	old, found := c.Read(typ, region, id)
	if !found {
		return nil, refuse(typ, id, "not found in %s: it was deleted behind the engine's back; refresh the stack", region)
	}
	r := &Resource{Type: typ, Name: old.Name, Region: region, ID: id, Inputs: inputs, Outputs: outputs(inputs), Created: old.Created, order: old.order}
	for _, name := range strings.Fields(k.computes) {
		if value, there := old.Outputs[name]; there {
			r.Outputs[name] = value
		}
	}
	if k.renews != "" && k.renewedBy(old.Inputs, inputs, nil) {
		if err := k.identify(c, r); err != nil {
			return nil, refuse(typ, old.Name, "%v", err)
		}
		r.ID = id // an image keeps the name of its first push
	}
	if err := c.authorise(r); err != nil {
		return nil, refuse(typ, old.Name, "%v", err)
	}
	if k.update == nil {
		k.update = k.start
	}
	if k.update != nil {
		if err := k.update(c, r); err != nil {
			return nil, refuse(typ, old.Name, "%v", err)
		}
	}
	c.mu.Lock()
	if now := c.resources[r.key()]; now != nil {
		r.outlived = now.outlived
	}
	c.record(r)
	c.mu.Unlock()
	c.Sync()
	return r, nil
}

// Delete deletes a resource, with what AWS deletes along with it, or refuses as AWS does. As in the AWS provider, it is
// not an error if it doesn't exist.
func (c *Cloud) Delete(typ, region, id string) error {
	k, err := lookup(typ, id)
	if err != nil {
		return err
	}
	r, found := c.Read(typ, region, id)
	if !found {
		return nil
	}
	if err := c.release(r); err != nil {
		return refuse(typ, r.Name, "%v", err)
	}
	for _, along := range c.referring(r, taken[typ]) {
		if err := c.Delete(along.Type, along.Region, along.ID); err != nil {
			return err
		}
	}
	if k.stop != nil {
		if err := k.stop(c, r); err != nil {
			return refuse(typ, r.Name, "%v", err)
		}
	}
	c.mu.Lock()
	c.forget(r.key())
	c.mu.Unlock()
	c.Sync()
	return nil
}

// Resources lists what exists, in order of creation.
func (c *Cloud) Resources() []*Resource {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := slices.Collect(maps.Values(c.resources))
	slices.SortFunc(all, func(a, b *Resource) int { return a.order - b.order })
	return all
}

type key struct{ typ, region, id string }

func (r *Resource) key() key { return key{r.Type, r.Region, r.ID} }
