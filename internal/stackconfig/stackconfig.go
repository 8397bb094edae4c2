// Package stackconfig reads the config of the project's stacks with Pulumi's own code, without decrypting their
// secrets.
package stackconfig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	pulumiworkspace "github.com/pulumi/pulumi/pkg/v3/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"
	"github.com/pulumi/pulumi/sdk/v3/go/common/esc"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// ProjectFile is the name of the file that makes a folder a project.
const ProjectFile = "Pulumi.yaml"

// FileOf returns the name of a stack's file.
func FileOf(stack string) string { return "Pulumi." + stack + ".yaml" }

// Name splits the name of a stack as Pulumi's CLI takes it: stack, organization/stack or organization/project/stack.
func Name(full string) (organization, project, stack string, err error) {
	parts := strings.Split(full, "/")
	switch len(parts) {
	case 1:
		return "", "", full, nil
	case 2:
		return parts[0], "", parts[1], nil
	case 3:
		return parts[0], parts[1], parts[2], nil
	}
	return "", "", "", fmt.Errorf("%q is not a stack's name, such as dev or organization/project/dev", full)
}

// Load reads the project in folder root and the config of a stack: its file over the project's defaults, and the
// settings over both, by key without the project. Secrets stay encrypted: see Masked.
func Load(ctx context.Context, root, full string, settings map[string]string, unknown StandIns) (*workspace.Project, config.Map, error) {
	_, wanted, stack, err := Name(full)
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, ProjectFile))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the project file: %w", err)
	}
	project, err := workspace.LoadProjectBytes(text, ProjectFile, encoding.YAML)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the project file: %w", err)
	}
	if wanted != "" && wanted != project.Name.String() {
		return nil, nil, fmt.Errorf("stack %s is of project %s, and this is %s", full, wanted, project.Name)
	}
	file := FileOf(stack)
	text, err = os.ReadFile(filepath.Join(root, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("stack %q has no config: %s does not exist in %s", stack, file, root)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the config of stack %s: %w", stack, err)
	}
	loaded, err := workspace.LoadProjectStackBytes(nil, project, text, file, encoding.YAML)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if loaded.Config == nil {
		loaded.Config = config.Map{}
	}
	if err := unknown.fromEnvironment(project, loaded, unknown.required(project)); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := unknown.replace(project, loaded.Config); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	for key, value := range settings {
		if _, known := project.Config[key]; !known {
			return nil, nil, fmt.Errorf("%s is not a config key of %s", key, ProjectFile)
		}
		loaded.Config[config.MustMakeKey(project.Name.String(), key)] = config.NewValue(value)
	}
	err = pulumiworkspace.ValidateStackConfigAndApplyProjectConfig(ctx, stack, project, esc.Value{}, loaded.Config, config.NopEncrypter, Masked)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return project, loaded.Config, nil
}

// Read returns a stack's config as Pulumi passes it to the program: by key with its namespace. Strings are unchanged,
// everything else is JSON, and a secret is the Placeholder.
func Read(root, stack string) (map[string]string, error) {
	_, values, err := Load(context.Background(), root, stack, nil, nil)
	if err != nil {
		return nil, err
	}
	decrypted, err := values.Decrypt(Masked)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", FileOf(stack), err)
	}
	all := map[string]string{}
	for key, value := range decrypted {
		all[key.String()] = value
	}
	return all, nil
}

// Spell returns a value as Pulumi passes it to the program: a string unchanged, everything else as JSON.
func Spell(value any) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}
