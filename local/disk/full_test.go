package disk

import (
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A full disk loses nothing, so nobody is told to remove the store.
func TestAFullDiskIsNoDamage(t *testing.T) {
	var full atomic.Bool
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
	told := make(chan error, 10)
	s, err := open("folder", func(err error) {
		told <- err
		runtime.Goexit()
	}, &pebble.Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	go func() {
		s.Write(Change{Key: "key", Value: "value"})
		s.Sync()
		told <- nil
	}()
	if err := <-told; err == nil || !strings.Contains(err.Error(), "make room on its disk, and start again") {
		t.Errorf("it tells %v", err)
	}
}
