package console

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"testing"
)

// The libraries are what tools/console/update checked against npm's digests.
func TestTheLibrariesAreWhatTheyWere(t *testing.T) {
	want := map[string]string{}
	for line := range strings.Lines(asset("vendor/SHA256SUMS")) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[strings.TrimPrefix(name, "./")] = sum
	}
	files, err := fs.ReadDir(assets, "assets/vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.Name() == "SHA256SUMS" {
			continue
		}
		sum := sha256.Sum256([]byte(asset(path.Join("vendor", file.Name()))))
		if got := hex.EncodeToString(sum[:]); got != want[file.Name()] {
			t.Errorf("%s has the digest %s, want %s", file.Name(), got, want[file.Name()])
		}
		delete(want, file.Name())
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}
