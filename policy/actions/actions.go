// Package actions knows the actions of AWS's services.
package actions

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed unscoped.txt
var text string

// unscoped are the actions that AWS ties to no resource, in lower case. Most programs that link this never ask.
var unscoped = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(text) {
		service, names, _ := strings.Cut(strings.ToLower(line), ":")
		for _, name := range strings.Fields(names) {
			all[service+":"+name] = true
		}
	}
	return all
})

// Unscoped reports whether AWS ties an action to no resource, so that it can only be allowed on all of them. AWS
// doesn't compare the case of actions.
func Unscoped(action string) bool { return unscoped()[strings.ToLower(action)] }
