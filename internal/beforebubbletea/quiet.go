// Package beforebubbletea keeps bubbletea, which Pulumi's SDK imports, from asking the terminal for its background: a
// terminal that doesn't answer costs every program five seconds before main. Go initialises packages in import path
// order, as far as dependencies allow, so this package has its own module, whose name sorts before github.com.
// https://go.dev/ref/spec#Program_initialization
package beforebubbletea

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) } // a setting isn't asked for; nothing here is drawn with it
