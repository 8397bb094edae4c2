// Package disk keeps keys and values in a folder, in the order of their keys: what a local cloud must not lose, and what
// doesn't fit into its memory. It is Pebble (docs/decisions/0084-store.md).
//
// Like a database, a store that can't be read or written ends its process: what was acknowledged is there after the
// next start, and nobody goes on with half of it.
package disk

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/adrg/xdg"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/gofrs/flock"
)

// A Store is safe for concurrent use.
type Store struct {
	folder  string
	tell    func(error)
	db      *pebble.DB
	written atomic.Uint64 // counts the writes
	synced  atomic.Uint64 // of these, how many are known to be durable
	remove  func() error  // what Close does besides
}

// What a store may take of memory: half of it for two tables that are being written, the rest as a cache for reading.
const (
	memory          = 64 << 20
	temporaryMemory = 32 << 20 // of a run, which has its own data in memory too
)

// What is written once and seldom read is best in large blocks and files, and merged seldom: all that together takes a fifth of the
// CPU off the store. A reader may have to look into a few more files for it.
const (
	blockSize  = 32 << 10
	fileSize   = 8 << 20
	unmerged   = 8  // layers of new files before they are merged
	mostLayers = 24 // before writers wait for that
)

// Open opens the store in a folder, or makes one. Nobody else can open it until Close, or the end of the process. If it
// can't be read or written later, fatal is called, which doesn't return; nil tells standard error and exits with 1.
func Open(folder string, fatal func(error)) (*Store, error) {
	return open(folder, fatal, &pebble.Options{FS: vfs.Default, CacheSize: memory})
}

func quit(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func open(folder string, fatal func(error), options *pebble.Options) (*Store, error) {
	if fatal == nil {
		fatal = quit
	}
	s := &Store{folder: folder, tell: fatal, remove: func() error { return nil }}
	options.Logger, options.FormatMajorVersion = logger{s}, pebble.FormatNewest
	options.MemTableSize = uint64(options.CacheSize) / 4
	options.L0CompactionThreshold, options.L0StopWritesThreshold = unmerged, mostLayers
	for i := range options.Levels {
		options.Levels[i].BlockSize, options.TargetFileSizes[i] = blockSize, fileSize
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // a key is looked for in hardly any table but its own
		options.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	options.EventListener = &pebble.EventListener{
		BackgroundError: s.fatal,
		DataCorruption:  func(info pebble.DataCorruptionInfo) { s.fatal(info.Details) },
	}
	if err := options.FS.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of a store: %w", err)
	}
	lock, err := pebble.LockDirectory(folder, options.FS)
	if err != nil {
		return nil, fmt.Errorf("the store in %s is in use by another process, or can't be locked: %w", folder, err)
	}
	options.Lock = lock
	if s.db, err = pebble.Open(folder, options); err != nil {
		return nil, errors.Join(s.problem(err), lock.Close())
	}
	s.remove = lock.Close
	return s, nil
}

// problem says what is wrong with a store, and what mends it.
func (s *Store) problem(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the store in %s can't be written: %w; make room on its disk, and start again", s.folder, err)
	}
	return fmt.Errorf("the store in %s can't be used, or is damaged: %w; put back a copy of the folder, or remove it to start over", s.folder, err)
}

// Damaged ends the process, because a value can't be what was written.
func (s *Store) Damaged(err error) { s.fatal(err) }

func (s *Store) fatal(err error) { s.tell(s.problem(err)) }

// logger drops what Pebble says about its work.
type logger struct{ of *Store }

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}

// Fatalf is told errors as text, which wouldn't show any more what they are.
func (l logger) Fatalf(format string, args ...any) {
	for _, arg := range args {
		if err, is := arg.(error); is {
			l.of.fatal(err)
		}
	}
	l.of.fatal(fmt.Errorf(format, args...))
}

// Temporary returns an empty store for what doesn't fit into memory. Nothing in it is durable; Close removes it, and if
// the process ends without, Sweep does. It isn't in the system's folder for temporary files, which is in
// memory itself on many systems.
func Temporary(fatal func(error)) (*Store, error) {
	parent := temporaries()
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of temporary stores: %w", err)
	}
	making := flock.New(filepath.Join(parent, "lock"))
	if err := making.Lock(); err != nil {
		return nil, fmt.Errorf("locking the folder of temporary stores: %w", err)
	}
	defer making.Close() //nolint:errcheck // nothing is written
	folder, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return nil, fmt.Errorf("making a temporary store: %w", err)
	}
	if fatal == nil {
		fatal = quit
	}
	s, err := open(folder, func(err error) {
		_ = os.RemoveAll(folder) // its disk may be full
		fatal(err)
	}, &pebble.Options{FS: vfs.Default, DisableWAL: true, CacheSize: temporaryMemory})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	unlock := s.remove
	s.remove = func() error { return errors.Join(unlock(), os.RemoveAll(folder)) }
	return s, nil
}

const prefix = "tables-"

func temporaries() string { return filepath.Join(xdg.CacheHome, "trade-processing") }

// Sweep removes the temporary stores of processes that are gone: their locks went with them.
func Sweep() {
	making := flock.New(filepath.Join(temporaries(), "lock"))
	if mine, err := making.TryLock(); err != nil || !mine {
		return // there are none, or one is just being made, and not locked yet
	}
	defer making.Close()                                                         //nolint:errcheck // nothing is written
	stores, _ := filepath.Glob(filepath.Join(temporaries(), prefix+"*", "LOCK")) // the pattern is well-formed
	for _, file := range stores {
		folder := filepath.Dir(file)
		if lock, err := pebble.LockDirectory(folder, vfs.Default); err == nil {
			_ = os.RemoveAll(folder) // what can't be removed stays
			_ = lock.Close()
		}
	}
}

// Memory returns a store that is in memory, for a cloud without a folder.
func Memory() *Store {
	s, err := open("memory", nil, &pebble.Options{FS: vfs.NewMem(), DisableWAL: true, CacheSize: temporaryMemory})
	if err != nil {
		panic(err) // a file system in memory has no errors
	}
	return s
}

// Close closes the store.
func (s *Store) Close() error { return errors.Join(s.db.Close(), s.remove()) }

// A Change is one of the changes of a Write: key gets a value, or is deleted.
type Change struct {
	Key, Value string
	Delete     bool
}

// Write makes changes, all or none. They are durable after a later Sync; should the process end before, they may be
// gone, but never without all later ones.
func (s *Store) Write(changes ...Change) {
	s.apply(func(b *pebble.Batch) error {
		for _, change := range changes {
			var to *pebble.DeferredBatchOp // which is filled without another copy
			if change.Delete {
				to = b.DeleteDeferred(len(change.Key))
			} else {
				to = b.SetDeferred(len(change.Key), len(change.Value))
				copy(to.Value, change.Value)
			}
			copy(to.Key, change.Key)
			if err := to.Finish(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Clear deletes all keys from low to high, excluding high.
func (s *Store) Clear(low, high string) {
	s.apply(func(b *pebble.Batch) error { return b.DeleteRange([]byte(low), []byte(high), nil) })
}

func (s *Store) apply(fill func(*pebble.Batch) error) {
	batch := s.db.NewBatch()
	err := fill(batch)
	if err == nil {
		err = batch.Commit(pebble.NoSync)
	}
	if err := errors.Join(err, batch.Close()); err != nil {
		s.fatal(err)
	}
	s.written.Add(1)
}

// Sync returns when every earlier write is durable. Those who call it at once share one fsync.
func (s *Store) Sync() {
	written := s.written.Load()
	if s.synced.Load() >= written {
		return
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		s.fatal(err)
	}
	for known := s.synced.Load(); known < written && !s.synced.CompareAndSwap(known, written); known = s.synced.Load() {
	}
}

// Get returns the value of a key, and whether there is one.
func (s *Store) Get(key string) (string, bool) {
	value, closer, err := s.db.Get([]byte(key))
	if errors.Is(err, pebble.ErrNotFound) {
		return "", false
	}
	if err != nil {
		s.fatal(err)
	}
	text := string(value)
	if err := closer.Close(); err != nil {
		s.fatal(err)
	}
	return text, true
}

// Scan yields the keys from low to high, excluding high, with their values, as of the start of the iteration;
// backwards, from the last one on.
func (s *Store) Scan(low, high string, backwards bool) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		found, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte(low), UpperBound: []byte(high)})
		if err != nil {
			s.fatal(err)
		}
		defer func() {
			if err := found.Close(); err != nil {
				s.fatal(err)
			}
		}()
		first, next := found.First, found.Next
		if backwards {
			first, next = found.Last, found.Prev
		}
		for there := first(); there; there = next() {
			value, err := found.ValueAndErr()
			if err != nil {
				s.fatal(err)
			}
			if !yield(string(found.Key()), string(value)) {
				return
			}
		}
	}
}
