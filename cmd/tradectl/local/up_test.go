package local

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/adrg/xdg"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// While a cloud starts, `local down` must not find the process of one that was killed: it may be somebody else's by now.
func TestAStartForgetsTheCloudThatWasKilled(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	xdg.Reload()
	t.Cleanup(xdg.Reload)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // nobody uses it
	root := t.TempDir()
	if err := operate.SaveLocal(root, operate.Local{Endpoint: "http://127.0.0.1:1", PID: os.Getpid(), Outputs: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	term := &terminal.Terminal{Out: new(bytes.Buffer), Err: t.Output(), Getenv: func(string) string { return "" }}
	err = up(t.Context(), term, root, upOptions{port: taken.Addr().(*net.TCPAddr).Port})
	if code, _ := exitcode.Of(err); code != exitcode.Usage {
		t.Fatal(err)
	}
	if _, err := operate.ReadLocal(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still known: %v", err)
	}
}
