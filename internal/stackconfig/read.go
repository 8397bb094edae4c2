// Package stackconfig reads a stack's config from the project's files as the Pulumi engine does, to run the program
// without the engine.
package stackconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// ProjectFile is the name of the file that makes a folder a project.
const ProjectFile = "Pulumi.yaml"

// FileOf returns the name of a stack's file.
func FileOf(stack string) string { return "Pulumi." + stack + ".yaml" }

// File returns the text of a stack's file. root is the project's folder.
func File(root, stack string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, FileOf(stack)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("stack %q has no config: %s does not exist in %s", stack, FileOf(stack), root)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config of stack %s: %w", stack, err)
	}
	return text, nil
}

// Read returns a stack's config as Pulumi passes it to the program: by key with its namespace, the stack's file over
// the project's defaults. Strings are unchanged, everything else is JSON, and a secret is the Placeholder.
func Read(root, stack string) (map[string]string, error) {
	var project struct {
		Name   string `yaml:"name"`
		Config map[string]struct {
			Default any `yaml:"default"`
		} `yaml:"config"`
	}
	text, err := os.ReadFile(filepath.Join(root, ProjectFile))
	if err != nil {
		return nil, fmt.Errorf("reading the project file: %w", err)
	}
	if err := yaml.Unmarshal(text, &project); err != nil {
		return nil, fmt.Errorf("%s: reading YAML: %w", ProjectFile, err)
	}
	if text, err = File(root, stack); err != nil {
		return nil, err
	}
	if text, err = WithoutSecrets(text); err != nil {
		return nil, fmt.Errorf("%s: %w", FileOf(stack), err)
	}
	stackValues, err := Values(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", FileOf(stack), err)
	}

	config := map[string]string{}
	for key, declared := range project.Config {
		if declared.Default == nil {
			continue
		}
		if config[project.Name+":"+key], err = Spell(declared.Default); err != nil {
			return nil, fmt.Errorf("%s: the default of %s: %w", ProjectFile, key, err)
		}
	}
	maps.Copy(config, stackValues)
	return config, nil
}

// Values reads the text of a stack's file: each key it sets, as Pulumi passes it to the program.
func Values(text []byte) (map[string]string, error) {
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("reading YAML: %w", err)
	}
	config := map[string]string{}
	for key, value := range file.Config {
		spelled, err := Spell(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		config[key] = spelled
	}
	return config, nil
}

// Spell returns a value as Pulumi passes it to the program: a string unchanged, everything else as JSON.
func Spell(value any) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}
