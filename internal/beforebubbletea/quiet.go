// Package beforebubbletea keeps bubbletea, which Pulumi's SDK imports, from asking the terminal for its background: a
// terminal that doesn't answer costs every program five seconds before main. Go initialises packages in the order of
// their import paths as far as dependencies allow, so this package has a module of its own, whose name comes before
// github.com.
// https://go.dev/ref/spec#Program_initialization
package beforebubbletea

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) } // a setting isn't asked for; nothing here is drawn with it
