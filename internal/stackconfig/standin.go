package stackconfig

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"gopkg.in/yaml.v3"
)

// Placeholder replaces a secret about which nothing is known. It is a URL, so it is valid where one is required.
const Placeholder = "https://secret-not-available-offline.invalid"

// StandIns are values, by key without the project (aws:region is one with it), for what isn't known offline: secrets,
// which only the stack's owner can decrypt, and keys that an environment of Pulumi ESC provides. Values are spelled as
// Spell does. A key without one gets the project's default, unless that is empty, or else the Placeholder. A member *
// of an object stands for any name.
type StandIns map[string]string

// standingIn begins the ciphertext of a stand-in.
const standingIn = "stand-in:"

// Masked decrypts every secret to its stand-in.
var Masked config.Decrypter = masked{}

type masked struct{}

func (masked) DecryptValue(_ context.Context, ciphertext string) (string, error) {
	if value, found := strings.CutPrefix(ciphertext, standingIn); found {
		return value, nil
	}
	return Placeholder, nil
}

func (m masked) BatchDecrypt(ctx context.Context, texts []string) ([]string, error) {
	return config.DefaultBatchDecrypt(ctx, m, texts)
}

// of returns the stand-in for a whole key.
func (s StandIns) of(project *workspace.Project, key config.Key) string {
	text := s.model(project, key)
	var object map[string]any
	if decode([]byte(text), &object) != nil || object[anyName] == nil {
		return text
	}
	delete(object, anyName)
	if rest, err := json.Marshal(object); err == nil {
		text = string(rest)
	}
	return text
}

const anyName = "*"

// model returns the stand-in for a key, for what is inside it.
func (s StandIns) model(project *workspace.Project, key config.Key) string {
	name := key.String()
	if key.Namespace() == project.Name.String() {
		name = key.Name()
	}
	if value, known := s[name]; known {
		return value
	}
	if declared, ok := project.Config[name]; ok && declared.Default != nil {
		if text, err := Spell(declared.Default); err == nil && text != "" && text != "[]" && text != "{}" {
			return text
		}
	}
	return Placeholder
}

// replace gives every secret its stand-in, which stays a secret.
func (s StandIns) replace(project *workspace.Project, values config.Map) error {
	for key, value := range values {
		if !value.Secure() {
			continue
		}
		if !value.Object() {
			values[key] = config.NewSecureValue(standingIn + s.of(project, key))
			continue
		}
		var tree, model any
		if text, err := json.Marshal(value); err != nil {
			return fmt.Errorf("reading %s: %w", key, err)
		} else if err := decode(text, &tree); err != nil {
			return fmt.Errorf("reading %s: %w", key, err)
		}
		if decode([]byte(s.model(project, key)), &model) != nil {
			model = nil // it is one text
		}
		text, err := json.Marshal(filled(tree, model))
		if err != nil {
			return fmt.Errorf("reading %s: %w", key, err)
		}
		values[key] = config.NewSecureObjectValue(string(text))
	}
	return nil
}

func decode(text []byte, into any) error {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// filled replaces the secrets in a value by what stands at the same place in the model, or the Placeholder.
func filled(value, model any) any {
	switch value := value.(type) {
	case []any:
		elements, _ := model.([]any)
		for i := range value {
			var element any
			if len(elements) > 0 {
				element = elements[i%len(elements)]
			}
			value[i] = filled(value[i], element)
		}
	case map[string]any:
		if _, secret := value["secure"].(string); secret && len(value) == 1 {
			text, isText := model.(string)
			if !isText {
				text = Placeholder
			}
			return map[string]any{"secure": standingIn + text}
		}
		members, _ := model.(map[string]any)
		for name := range value {
			member, named := members[name]
			if !named {
				member = members[anyName]
			}
			value[name] = filled(value[name], member)
		}
	}
	return value
}

// fromEnvironment sets what the stack gets from environments of Pulumi ESC: literal values of the stack's own
// definition, and stand-ins for required keys. What the stack's file sets takes precedence.
func (s StandIns) fromEnvironment(project *workspace.Project, stack *workspace.ProjectStack, required []string) error {
	if stack.Environment == nil {
		return nil
	}
	var defined struct {
		Values struct {
			PulumiConfig map[string]any `yaml:"pulumiConfig"`
		}
	}
	if err := yaml.Unmarshal(stack.Environment.Definition(), &defined); err != nil {
		return nil //nolint:nilerr // a list of names
	}
	given := map[config.Key]any{}
	for name, value := range defined.Values.PulumiConfig {
		given[keyOf(project, name)] = value
	}
	for _, name := range required {
		if key := keyOf(project, name); given[key] == nil {
			var value any
			if decode([]byte(s.of(project, key)), &value) != nil {
				value = s.of(project, key)
			}
			given[key] = value
		}
	}
	for key, value := range given {
		text, err := Spell(value)
		if err != nil {
			return fmt.Errorf("reading %s of the environment: %w", key, err)
		}
		if strings.Contains(text, "${") || strings.Contains(text, `"fn::`) {
			text = s.of(project, key)
		}
		own, set := stack.Config[key]
		switch {
		case !set && strings.HasPrefix(text, "{"), !set && strings.HasPrefix(text, "["):
			stack.Config[key] = config.NewObjectValue(text)
		case !set:
			stack.Config[key] = config.NewValue(text)
		case own.Object() && !own.Secure():
			stack.Config[key] = merged(own, text)
		}
	}
	return nil
}

// merged adds the members of an object that another lacks, as ESC does.
func merged(own config.Value, text string) config.Value {
	var mine, theirs map[string]any
	written, err := json.Marshal(own)
	if err != nil || decode(written, &mine) != nil || decode([]byte(text), &theirs) != nil {
		return own
	}
	all := maps.Clone(theirs)
	maps.Copy(all, mine)
	together, err := json.Marshal(all)
	if err != nil {
		return own
	}
	return config.NewObjectValue(string(together))
}

func keyOf(project *workspace.Project, name string) config.Key {
	if namespace, rest, found := strings.Cut(name, ":"); found {
		return config.MustMakeKey(namespace, rest)
	}
	return config.MustMakeKey(project.Name.String(), name)
}

// required returns the keys that a stack must set: those with a stand-in but without a usable default, except those
// that may be empty.
func (s StandIns) required(project *workspace.Project) []string {
	var names []string
	for name := range s {
		declared, ok := project.Config[name]
		if text, err := Spell(declared.Default); !ok || err == nil && text == "{}" && s[name] != "{}" {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}
