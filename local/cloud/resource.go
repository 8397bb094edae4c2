package cloud

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
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
	order   int        // position in the order of creation
}

// text reads a string property; a missing one is "".
func (p Properties) text(name string) string {
	s, _ := p[name].(string)
	return s
}

// kind is what the local cloud knows of one resource type.
type kind struct {
	// accepts names every input property that the type may carry here.
	accepts []string
	// requires names those that creation can't do without.
	requires []string
	// replaces names the inputs whose change AWS answers with a new resource.
	replaces []string
	// computes names the outputs that exist only after creation.
	computes []string
	// renews names those of them that an update makes anew, such as a version, unless all that changes are the inputs in
	// unversioned.
	renews, unversioned []string
	// check decodes known inputs strictly, so that an unknown nested property is refused too. Nil where nothing is nested.
	check func(Properties) error
	// identify fills in the id and the computed outputs of a new resource, whose outputs already hold its inputs.
	identify func(*Cloud, *Resource) error
	// start makes the resource live, when it is created and when a kept cloud is opened again. Nil where a resource is
	// only on record.
	start func(*Cloud, *Resource) error
	// renew computes the outputs in renews. Nil where there are none.
	renew func(*Cloud, *Resource) error
	// update changes the live resource in place.
	update func(*Cloud, *Resource) error
	// stop ends the live resource.
	stop func(*Cloud, *Resource) error
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
			"teach it in local/cloud, so that nothing is left out in silence")
	}
	return k, nil
}

// Check refuses a type or a property that the local cloud does not know, and merges the provider's default tags into a
// taggable resource, as the AWS provider does at the same step. Values that a preview can't know yet are named in
// unknown and absent from inputs.
func Check(typ, name string, inputs Properties, unknown []string, defaultTags map[string]string) (Properties, error) {
	k, err := lookup(typ, name)
	if err != nil {
		return nil, err
	}
	var strange []string
	for property := range inputs {
		if !slices.Contains(k.accepts, property) {
			strange = append(strange, property)
		}
	}
	for _, property := range unknown {
		if !slices.Contains(k.accepts, property) {
			strange = append(strange, property)
		}
	}
	if len(strange) > 0 {
		slices.Sort(strange)
		return nil, refuse(typ, name, "the local cloud does not know the %s %s",
			plural(len(strange), "property", "properties"), strings.Join(strange, ", "))
	}
	for _, property := range k.requires {
		if _, there := inputs[property]; !there && !slices.Contains(unknown, property) {
			return nil, refuse(typ, name, "missing required property %s", property)
		}
	}
	if k.check != nil {
		if err := k.check(inputs); err != nil {
			return nil, refuse(typ, name, "%v", err)
		}
	}
	if !slices.Contains(k.accepts, "tags") || len(defaultTags) == 0 || slices.Contains(unknown, "tags") {
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
	return k.computes, err
}

// Replaces names the inputs of a type whose change makes a new resource.
func Replaces(typ string) ([]string, error) {
	k, err := lookup(typ, "")
	return k.replaces, err
}

// Renewed names the outputs that an update makes anew. Inputs that a preview can't know yet are named in unknown, and
// count as changed.
func Renewed(typ string, old, now Properties, unknown []string) ([]string, error) {
	k, err := lookup(typ, "")
	if err != nil || !k.renewedBy(old, now, unknown) {
		return nil, err
	}
	return k.renews, nil
}

func (k kind) renewedBy(old, now Properties, unknown []string) bool {
	return slices.ContainsFunc(k.accepts, func(name string) bool {
		changed := slices.Contains(unknown, name) || !reflect.DeepEqual(old[name], now[name])
		return changed && !slices.Contains(k.unversioned, name)
	})
}

// Create makes a resource live and returns it with its id and outputs.
func (c *Cloud) Create(typ, name, region string, inputs Properties) (*Resource, error) {
	k, err := lookup(typ, name)
	if err != nil {
		return nil, err
	}
	r := &Resource{Type: typ, Name: name, Region: region, Inputs: inputs, Outputs: maps.Clone(inputs)}
	if r.Outputs == nil {
		r.Outputs = Properties{}
	}
	if _, taggable := inputs["tags"]; taggable {
		r.Outputs["tagsAll"] = inputs["tags"]
	}
	if err := k.identify(c, r); err != nil {
		return nil, refuse(typ, name, "%v", err)
	}
	if err := c.admit(k, r); err != nil {
		return nil, err
	}
	return r, nil
}

// admit makes an identified resource live and puts it on record.
func (c *Cloud) admit(k kind, r *Resource) error {
	c.mu.Lock()
	_, taken := c.resources[r.key()]
	if !taken {
		c.created++
		r.order = c.created
		c.resources[r.key()] = r
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
		delete(c.resources, r.key())
		c.mu.Unlock()
		return refuse(r.Type, r.Name, "%v", err)
	}
	return nil
}

// Read returns a resource as it is, or false when it is not there.
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
	r := &Resource{Type: typ, Name: old.Name, Region: region, ID: id, Inputs: inputs, Outputs: maps.Clone(inputs), order: old.order}
	for _, name := range k.computes {
		if value, there := old.Outputs[name]; there {
			r.Outputs[name] = value
		}
	}
	if k.renew != nil && k.renewedBy(old.Inputs, inputs, nil) {
		if err := k.renew(c, r); err != nil {
			return nil, refuse(typ, old.Name, "%v", err)
		}
	}
	if _, taggable := inputs["tags"]; taggable {
		r.Outputs["tagsAll"] = inputs["tags"]
	}
	if k.update != nil {
		if err := k.update(c, r); err != nil {
			return nil, refuse(typ, old.Name, "%v", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resources[r.key()] = r
	return r, nil
}

// Delete ends a resource. Deleting what is not there is no error, as with the AWS provider.
func (c *Cloud) Delete(typ, region, id string) error {
	k, err := lookup(typ, id)
	if err != nil {
		return err
	}
	r, found := c.Read(typ, region, id)
	if !found {
		return nil
	}
	if k.stop != nil {
		if err := k.stop(c, r); err != nil {
			return refuse(typ, r.Name, "%v", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.resources, r.key())
	return nil
}

// Resources lists what exists, in the order of creation.
func (c *Cloud) Resources() []*Resource {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := slices.Collect(maps.Values(c.resources))
	slices.SortFunc(all, func(a, b *Resource) int { return a.order - b.order })
	return all
}

type key struct{ typ, region, id string }

func (r *Resource) key() key { return key{r.Type, r.Region, r.ID} }

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
