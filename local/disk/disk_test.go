package disk_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/adrg/xdg"
	"pgregory.net/rapid"

	"trade-processing/local/disk"
)

// Whatever is written, deleted and cleared, a store has what a map has, in order of keys, also after it was opened again.
func TestAStoreBehavesAsAMap(t *testing.T) {
	parent := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp(parent, "")
		if err != nil {
			t.Fatal(err)
		}
		open := func() *disk.Store {
			s, err := disk.Open(folder, nil)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s, m := open(), map[string]string{}
		defer func() { _ = s.Close() }()
		keys := rapid.StringMatching(`[a-c\x00]{1,3}`)
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				set, gone := keys.Draw(t, "set"), keys.Draw(t, "gone")
				m[set] = rapid.String().Draw(t, "value")
				delete(m, gone)
				s.Write(disk.Change{Key: set, Value: m[set]}, disk.Change{Key: gone, Delete: true})
			},
			"clear": func(t *rapid.T) {
				low, high := keys.Draw(t, "low"), keys.Draw(t, "high")
				if low < high {
					s.Clear(low, high)
					maps.DeleteFunc(m, func(key, _ string) bool { return low <= key && key < high })
				}
			},
			"open": func(t *rapid.T) {
				s.Sync()
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open()
			},
			"": func(t *rapid.T) {
				low, high, backwards := keys.Draw(t, "low"), keys.Draw(t, "high"), rapid.Bool().Draw(t, "backwards")
				var want, got []string
				for _, key := range slices.Sorted(maps.Keys(m)) {
					if low <= key && key < high {
						want = append(want, fmt.Sprintf("%q=%q", key, m[key]))
					}
				}
				if backwards {
					slices.Reverse(want)
				}
				for key, value := range s.Scan(low, max(low, high), backwards) {
					got = append(got, fmt.Sprintf("%q=%q", key, value))
				}
				if !slices.Equal(got, want) {
					t.Fatalf("from %q to %q it has %q, want %q", low, high, got, want)
				}
				if value, there := s.Get(low); value != m[low] {
					t.Fatalf("%q is %q (%v), want %q", low, value, there, m[low])
				}
			},
		})
	})
}

const childVariable = "TEST_DISK_CACHE"

// A temporary store is gone when it is closed, and when its process was killed, with the next sweep; one that is in use
// stays.
func TestTemporaryStoresLeaveNothing(t *testing.T) {
	make := func() *disk.Store {
		s, err := disk.Temporary(nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Write(disk.Change{Key: "a", Value: strings.Repeat("b", 1000)})
		return s
	}
	if folder := os.Getenv(childVariable); folder != "" {
		xdg.CacheHome = folder
		make()
		if err := os.Stdout.Close(); err != nil {
			t.Fatal(err)
		}
		select {} // until it is killed
	}
	xdg.CacheHome = t.TempDir()
	stores := func() int {
		found, _ := filepath.Glob(filepath.Join(xdg.CacheHome, "trade-processing", "tables-*"))
		return len(found)
	}
	disk.Sweep() // of nothing
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childVariable+"="+xdg.CacheHome)
	said, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := said.Read([]byte{0}); err == nil {
		t.Error("the child said something")
	}
	mine := make()
	disk.Sweep()
	if n := stores(); n != 2 {
		t.Errorf("of two stores in use, %d are there", n)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if disk.Sweep(); stores() != 1 {
		t.Errorf("%d stores are there, and one is in use", stores())
	}
	if err := mine.Close(); err != nil || stores() != 0 {
		t.Errorf("%d stores are left: %v", stores(), err)
	}
}

// Nor does one that can't go on, whose disk may be full.
func TestATemporaryStoreThatFailsLeavesNothing(t *testing.T) {
	xdg.CacheHome = t.TempDir()
	var told error
	s, err := disk.Temporary(func(err error) { told = err })
	if err != nil {
		t.Fatal(err)
	}
	s.Damaged(errors.New("broken"))
	if left, _ := filepath.Glob(filepath.Join(xdg.CacheHome, "trade-processing", "tables-*")); told == nil || len(left) > 0 {
		t.Errorf("told %v, left %v", told, left)
	}
	if err := s.Close(); err != nil {
		t.Log(err) // its files are gone
	}
}
