// Package version implements `tradectl version`.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

// NewCommand returns `tradectl version`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Prints the version of this program, or the commit it was built from.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(t.Out, describe(info))
			return err
		},
	}
}

// describe prints what the Go linker records in every binary: the module's version, or the commit.
func describe(info *debug.BuildInfo) string {
	build := "unknown build"
	if info != nil {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			build = v
		} else if commit := commitOf(info); commit != "" {
			build = commit
		}
	}
	return fmt.Sprintf("tradectl %s (%s, %s/%s)", build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func commitOf(info *debug.BuildInfo) string {
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit == "" {
		return ""
	}
	text := fmt.Sprintf("commit %.12s of %s", commit, settings["vcs.time"])
	if settings["vcs.modified"] == "true" {
		text += ", modified"
	}
	return text
}
