package outfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Output is a file that a command is asked to write.
type Output struct {
	Flag string // that names it, such as --out
	Path string // empty: it isn't wanted
}

// Open creates a command's outputs, all or none, before its work begins; one that isn't wanted is nil. It refuses what
// would destroy data: an output that is also an input, a stream of this process, or another output.
func Open(ctx context.Context, outputs []Output, inputs ...string) ([]*File, error) {
	var taken []place
	for _, input := range inputs {
		taken = append(taken, placeOf(input, "the input "+input))
	}
	for name, file := range map[string]*os.File{"standard input": os.Stdin, "standard output": os.Stdout, "standard error": os.Stderr} {
		if info, err := file.Stat(); err == nil {
			taken = append(taken, place{what: name, info: info})
		}
	}
	for _, output := range outputs {
		if output.Path == "" {
			continue
		}
		if output.Path == "-" {
			return nil, fmt.Errorf("%s -: name a file; only a command that prints nothing else writes this to standard output (./- is a file of that name)", output.Flag)
		}
		here := placeOf(output.Path, output.Flag+" "+output.Path)
		for _, other := range taken {
			if here.is(other) {
				return nil, fmt.Errorf("%s %s: this is %s, which would be lost; name another file", output.Flag, output.Path, other.what)
			}
		}
		taken = append(taken, here)
	}
	files := make([]*File, len(outputs))
	for i, output := range outputs {
		if output.Path == "" {
			continue
		}
		file, err := Create(ctx, output.Path)
		if err != nil {
			Discard(files...)
			return nil, fmt.Errorf("%s: %w", output.Flag, err)
		}
		files[i] = file
	}
	return files, nil
}

// Discard discards files, some of which may be nil.
func Discard(files ...*File) {
	for _, file := range files {
		if file != nil {
			file.Discard()
		}
	}
}

// place is where a file is, or would be.
type place struct {
	what string
	path string      // with symbolic links resolved
	info os.FileInfo // nil if there is no file yet
}

func placeOf(path, what string) place {
	p := place{what: what, path: path}
	if target, err := resolve(path); err == nil {
		p.path = target
	}
	if absolute, err := filepath.Abs(p.path); err == nil {
		p.path = absolute
	}
	p.info, _ = os.Stat(path) // what can't be read can't be lost, or isn't there yet
	return p
}

// is reports whether two places are one regular file. Devices and pipes may be written to by several.
func (p place) is(other place) bool {
	if p.info == nil || other.info == nil {
		return p.info == nil && other.info == nil && p.path == other.path
	}
	return p.info.Mode().IsRegular() && os.SameFile(p.info, other.info)
}
