// Package beforebubbletea keeps bubbletea, which Pulumi's SDK imports, from asking the terminal for its background: a
// terminal that doesn't answer costs every program five seconds before main. Go initialises packages in import path
// order, as far as dependencies allow, so this package has its own module, whose name sorts before github.com.
// https://go.dev/ref/spec#Program_initialization
//
// It also keeps garbage from being collected before main: what the packages make there stays, 18 MB of it.
package beforebubbletea

import (
	"runtime/debug"

	"github.com/charmbracelet/lipgloss"
)

var percent = debug.SetGCPercent(-1)

func init() { lipgloss.SetHasDarkBackground(true) } // a setting isn't asked for; nothing here is drawn with it

// Collect has garbage collected again, as the environment wants it. The first thing that main does.
func Collect() { debug.SetGCPercent(percent) }
