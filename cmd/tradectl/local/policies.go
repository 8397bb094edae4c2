package local

import (
	"fmt"
	"os"

	"trade-processing/internal/terminal"
	"trade-processing/local/engine"
	"trade-processing/policy/pack"
)

// policies makes the policy pack that is part of this program.
func policies(folder string) (engine.PolicyPack, error) {
	embedded, err := pack.Embed(folder)
	if err != nil {
		return engine.PolicyPack{}, err
	}
	return engine.PolicyPack{Folder: embedded.Folder, Path: embedded.Path(os.Getenv("PATH"))}, nil
}

// judgement says how the policies were kept, and lists the advice that wasn't followed.
func judgement(style terminal.Style, verdict engine.Verdict) string {
	text := fmt.Sprintf("policies: %s", verdict.Summary())
	if len(verdict.Violations) > 0 {
		text += "\n" + style.Yellow(engine.Tell(verdict.Violations))
	}
	return text
}
