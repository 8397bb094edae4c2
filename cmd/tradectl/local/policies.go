package local

import (
	"fmt"

	"trade-processing/internal/terminal"
	"trade-processing/local/engine"
)

// judgement says how the policies were kept, and lists the advice that wasn't followed.
func judgement(style terminal.Style, verdict engine.Verdict) string {
	text := fmt.Sprintf("policies: %s", verdict.Summary())
	if len(verdict.Violations) > 0 {
		text += "\n" + style.Yellow(engine.Tell(verdict.Violations))
	}
	return text
}
