package shell

import (
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// InWorkflows returns the scripts of the steps in a project's workflows, by file name. There is at least one file.
func InWorkflows(root string) (map[string][]string, error) {
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no workflows in %s", root)
	}
	scripts := map[string][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var workflow struct {
			Jobs map[string]struct{ Steps []struct{ Run string } }
		}
		if err := yaml.Unmarshal(text, &workflow); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, job := range workflow.Jobs {
			for _, step := range job.Steps {
				scripts[filepath.Base(file)] = append(scripts[filepath.Base(file)], step.Run)
			}
		}
	}
	return scripts, nil
}
