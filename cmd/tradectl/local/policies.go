package local

import (
	"fmt"

	"trade-processing/internal/engine"
	"trade-processing/internal/terminal"
)

// judgement summarises the policies' verdict, and lists the advice that wasn't followed.
func judgement(style terminal.Style, verdict engine.Verdict) string {
	text := fmt.Sprintf("policies: %s", verdict.Summary())
	if len(verdict.Violations) > 0 {
		text += "\n" + style.Yellow(engine.Tell(verdict.Violations))
	}
	return text
}
