package version

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestWhatABuildSaysOfItself(t *testing.T) {
	setting := func(pairs ...string) (settings []debug.BuildSetting) {
		for i := 0; i < len(pairs); i += 2 {
			settings = append(settings, debug.BuildSetting{Key: pairs[i], Value: pairs[i+1]})
		}
		return settings
	}
	for want, info := range map[string]*debug.BuildInfo{
		"tradectl unknown build (": nil,
		"tradectl v1.2.3 (":        {Main: debug.Module{Version: "v1.2.3"}},
		"tradectl commit 0123456789ab of 2026-03-09T00:00:00Z (":           {Main: debug.Module{Version: "(devel)"}, Settings: setting("vcs.revision", "0123456789abcdef", "vcs.time", "2026-03-09T00:00:00Z")},
		"tradectl commit 0123456789ab of 2026-03-09T00:00:00Z, modified (": {Settings: setting("vcs.revision", "0123456789abcdef", "vcs.time", "2026-03-09T00:00:00Z", "vcs.modified", "true")},
	} {
		if got := describe(info); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q…", got, want)
		}
	}
}
