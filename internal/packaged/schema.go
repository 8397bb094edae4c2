package packaged

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/contract"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The part of the schema's own schema that this package uses
// (https://www.pulumi.com/docs/iac/extending-pulumi/schema/).
type packageSpec struct {
	Name        string                   `json:"name"`
	Version     string                   `json:"version"`
	Description string                   `json:"description"`
	License     string                   `json:"license"`
	Language    map[string]any           `json:"language"`
	Types       map[string]objectSpec    `json:"types"`
	Resources   map[string]componentSpec `json:"resources"`
}

type objectSpec struct {
	Type       string                  `json:"type,omitempty"`
	Properties map[string]propertySpec `json:"properties"`
	Required   []string                `json:"required,omitempty"`
}

type componentSpec struct {
	objectSpec

	Description     string                  `json:"description"`
	IsComponent     bool                    `json:"isComponent"`
	InputProperties map[string]propertySpec `json:"inputProperties"`
	RequiredInputs  []string                `json:"requiredInputs,omitempty"`
}

type propertySpec struct {
	typeSpec

	Description string `json:"description,omitempty"`
}

// typeSpec is a type. A plain one has a value while the program runs: it can be no output of a resource.
type typeSpec struct {
	Type                 string    `json:"type,omitempty"`
	Ref                  string    `json:"$ref,omitempty"`
	Items                *typeSpec `json:"items,omitempty"`
	AdditionalProperties *typeSpec `json:"additionalProperties,omitempty"`
	Plain                bool      `json:"plain,omitempty"`
}

// Schema renders the package's schema from the Go types. The same types give the same text, byte for byte.
func Schema() []byte {
	spec := packageSpec{
		Name: Name, Version: Version, License: "Apache-2.0",
		Description: "The components of the trade processing pipeline: queues, tables, functions and the pipeline as a whole.",
		Language: map[string]any{
			"csharp": map[string]any{"respectSchemaVersion": true},
			"go":     map[string]any{"respectSchemaVersion": true, "generateResourceContainerTypes": true},
			"nodejs": map[string]any{"respectSchemaVersion": true},
			"python": map[string]any{"respectSchemaVersion": true, "pyproject": map[string]any{"enabled": true}},
		},
		Types: map[string]objectSpec{}, Resources: map[string]componentSpec{},
	}
	for token, c := range all {
		inputs, outputs := spec.object(c.inputs), spec.object(c.outputs)
		spec.Resources[token] = componentSpec{
			objectSpec: objectSpec{Properties: outputs.Properties, Required: outputs.Required}, Description: c.description, IsComponent: true,
			InputProperties: inputs.Properties, RequiredInputs: inputs.Required,
		}
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	contract.AssertNoErrorf(err, "texts and maps always marshal")
	return append(text, '\n')
}

// object describes a struct by the tags of its fields, and notes what they refer to.
func (spec *packageSpec) object(of reflect.Type) objectSpec {
	described := objectSpec{Properties: map[string]propertySpec{}}
	for field := range of.Fields() {
		tag := field.Tag.Get("pulumi")
		if tag == "" {
			continue
		}
		name, rest, _ := strings.Cut(tag, ",")
		described.Properties[name] = propertySpec{spec.typeOf(field.Type), field.Tag.Get("doc")}
		if rest != "optional" {
			described.Required = append(described.Required, name)
		}
	}
	slices.Sort(described.Required)
	return described
}

// inputs are the types that may also be outputs of other resources, and outputs themselves.
var inputs = map[reflect.Type]typeSpec{
	reflect.TypeFor[pulumi.StringInput]():      {Type: "string"},
	reflect.TypeFor[pulumi.StringArrayInput](): {Type: "array", Items: &typeSpec{Type: "string"}},
	reflect.TypeFor[pulumi.StringOutput]():     {Type: "string"},
	reflect.TypeFor[pulumi.StringMapOutput]():  {Type: "object", AdditionalProperties: &typeSpec{Type: "string"}},
}

func (spec *packageSpec) typeOf(t reflect.Type) typeSpec {
	if known, found := inputs[t]; found {
		return known
	}
	switch t.Kind() {
	case reflect.String:
		return typeSpec{Type: "string", Plain: true}
	case reflect.Int:
		return typeSpec{Type: "integer", Plain: true}
	case reflect.Bool:
		return typeSpec{Type: "boolean", Plain: true}
	case reflect.Slice:
		items := spec.typeOf(t.Elem())
		return typeSpec{Type: "array", Items: &items, Plain: true}
	case reflect.Map:
		values := spec.typeOf(t.Elem())
		return typeSpec{Type: "object", AdditionalProperties: &values, Plain: true}
	case reflect.Pointer: // to tell a missing object from an empty one
		return spec.typeOf(t.Elem())
	case reflect.Struct:
		described := spec.object(t)
		described.Type = "object"
		spec.Types[token(t.Name())] = described
		return typeSpec{Ref: "#/types/" + token(t.Name()), Plain: true}
	default:
		panic(fmt.Sprintf("%v has no type in a schema", t)) // a field's type, which the tests see
	}
}
