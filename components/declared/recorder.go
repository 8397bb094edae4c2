package declared

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const stackType = "pulumi:pulumi:Stack"

// recorder stands in for the engine.
type recorder struct {
	program Program

	mu        sync.Mutex
	resources []*Resource
	byURN     map[string]*Resource
}

func newRecorder(p Program) *recorder { return &recorder{program: p, byURN: map[string]*Resource{}} }

// NewResource records a resource and answers with what AWS would compute.
func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	request := args.RegisterRPC
	if request == nil {
		return "", nil, fmt.Errorf("%s %s: existing resources can't be read here", args.TypeToken, args.Name)
	}
	inputs, secrets := plain(args.Inputs)
	made := &Resource{
		URN:  r.urn(request.GetParent(), args.TypeToken, args.Name),
		Type: args.TypeToken, Name: args.Name, Parent: request.GetParent(), Custom: args.Custom,
		Inputs: inputs, Secrets: secrets,
		DependsOn:     slices.Sorted(slices.Values(request.GetDependencies())),
		IgnoreChanges: request.GetIgnoreChanges(),
		ReplaceWith:   request.GetReplaceWith(),
		Protect:       request.GetProtect(),
		DeleteTimeout: request.GetCustomTimeouts().GetDelete(),
	}

	if request.GetDeleteBeforeReplaceDefined() {
		made.DeleteBeforeReplace = new(request.GetDeleteBeforeReplace())
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if _, twice := r.byURN[made.URN]; twice {
		return "", nil, fmt.Errorf("%s is declared twice", made.URN)
	}
	r.byURN[made.URN] = made
	r.resources = append(r.resources, made)
	provider := r.provider(request.GetProvider())
	if provider != nil {
		made.Provider = provider.Name
	}
	if !made.Custom {
		return "", resource.PropertyMap{}, nil
	}
	id, computed := r.compute(made, r.region(provider))
	outputs := maps.Clone(args.Inputs)
	maps.Copy(outputs, resource.NewPropertyMapFromMap(computed))
	if r.program.Computed != nil {
		own := r.program.Computed(made)
		maps.Copy(outputs, resource.NewPropertyMapFromMap(own))
		if given, ok := own["id"].(string); ok {
			id = given
		}
	}
	return id, outputs, nil
}

// urn returns the name that the engine would give, which has the types of all parents but none of their names.
func (r *recorder) urn(parent, typ, name string) string {
	parentType := tokens.Type("")
	if u := resource.URN(parent); parent != "" && u.QualifiedType() != stackType {
		parentType = u.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(r.program.Stack), tokens.PackageName(r.program.Project), parentType, tokens.Type(typ), name))
}

// provider returns the explicit provider of a reference, "<urn>::<id>", or nil.
func (r *recorder) provider(reference string) *Resource {
	urn := reference
	if i := strings.LastIndex(reference, "::"); i > 0 {
		urn = reference[:i]
	}
	return r.byURN[urn]
}

// region returns where a resource lives, or a function is called: the region of the explicit provider, or of the
// config.
func (r *recorder) region(provider *Resource) string {
	if provider != nil {
		return provider.Text("region")
	}
	return cmp.Or(r.program.Config["aws:region"], defaultRegion)
}

// plain turns properties into plain Go values, and lists the paths of the secret ones.
func plain(properties resource.PropertyMap) (map[string]any, []string) {
	var secrets []string
	var unwrap func(path string, value resource.PropertyValue) any
	unwrapAll := func(path string, all resource.PropertyMap) map[string]any {
		values := map[string]any{}
		for name, value := range all {
			values[string(name)] = unwrap(strings.TrimPrefix(path+"."+string(name), "."), value)
		}
		return values
	}
	unwrap = func(path string, value resource.PropertyValue) any {
		switch {
		case value.IsSecret():
			secrets = append(secrets, path)
			return unwrap(path, value.SecretValue().Element)
		case value.IsObject():
			return unwrapAll(path, value.ObjectValue())
		case value.IsArray():
			var values []any
			for i, element := range value.ArrayValue() {
				values = append(values, unwrap(fmt.Sprintf("%s.%d", path, i), element))
			}
			return values
		default:
			return value.V
		}
	}
	values := unwrapAll("", properties)
	slices.Sort(secrets)
	return values, secrets
}
