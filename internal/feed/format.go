package feed

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// formats are what inputs sometimes are instead of text or gzip, by their first bytes (the file(1) database has them
// all), with the command that converts them to text.
var formats = []struct {
	magic string
	at    int
	what  string
	mend  string
}{
	{"\x28\xb5\x2f\xfd", 0, "compressed with zstd", "zstd -dc FILE"},
	{"\xfd7zXZ\x00", 0, "compressed with xz", "xz -dc FILE"},
	{"BZh", 0, "compressed with bzip2", "bzip2 -dc FILE"},
	{"\x04\x22\x4d\x18", 0, "compressed with lz4", "lz4 -dc FILE"},
	{"\x02\x21\x4c\x18", 0, "compressed with lz4", "lz4 -dc FILE"},
	{"LZIP", 0, "compressed with lzip", "lzip -dc FILE"},
	{"\x5d\x00\x00", 0, "compressed with lzma", "xz -dc FILE"},
	{"\x1f\x9d", 0, "compressed with compress", "gzip -dc FILE"},
	{"\xff\x06\x00\x00sNaPpY", 0, "compressed with snappy", "snzip -dc FILE"},
	{"PK\x03\x04", 0, "a zip archive", "unzip -p FILE"},
	{"PK\x05\x06", 0, "an empty zip archive", ""},
	{"7z\xbc\xaf\x27\x1c", 0, "a 7-Zip archive", "7z x -so FILE"},
	{"Rar!\x1a\x07", 0, "a rar archive", "unrar p -inul FILE"},
	{"ustar", 257, "a tar archive", "tar -xOf FILE"},
	{"PAR1", 0, "a Parquet file", ""},
	{"\xff\xfe\x00\x00", 0, "UTF-32 text", "iconv -f UTF-32 -t UTF-8 FILE"},
	{"\x00\x00\xfe\xff", 0, "UTF-32 text", "iconv -f UTF-32 -t UTF-8 FILE"},
	{"\xff\xfe", 0, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 FILE"},
	{"\xfe\xff", 0, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 FILE"},
	{"{\x00", 0, "UTF-16 text", "iconv -f UTF-16LE -t UTF-8 FILE"},
	{"[\x00", 0, "UTF-16 text", "iconv -f UTF-16LE -t UTF-8 FILE"},
	{"\x00{", 0, "UTF-16 text", "iconv -f UTF-16BE -t UTF-8 FILE"},
	{"\x00[", 0, "UTF-16 text", "iconv -f UTF-16BE -t UTF-8 FILE"},
}

// gzipMagic are the first bytes of a gzip stream. https://www.rfc-editor.org/rfc/rfc1952#page-5
var gzipMagic = []byte{0x1f, 0x8b}

// unfit is the error of an input that isn't text.
type unfit string

func (u unfit) Error() string { return string(u) }

// recognise returns an error for an input that can't be text, or nil. It reads no further than it must, because more
// input may take a long time to arrive.
func recognise(text *bufio.Reader, unzipped bool) error {
	first, _ := text.Peek(1)
	if len(first) == 0 || first[0] == ' ' || first[0] == '\n' {
		return nil
	}
	if second, _ := text.Peek(2); unzipped && bytes.Equal(second, gzipMagic) {
		return unfit("compressed with gzip twice; decompress it once: gzip -dc FILE")
	}
	for _, format := range formats {
		if format.at > 0 && (first[0] == '{' || first[0] == '[') {
			continue // it is text
		}
		if format.at == 0 && first[0] != format.magic[0] {
			continue
		}
		start, _ := text.Peek(format.at + len(format.magic))
		if len(start) < format.at || string(start[format.at:]) != format.magic {
			continue
		}
		if format.mend == "" {
			return unfit(format.what + "; trades are read from JSON text, plain or compressed with gzip")
		}
		return unfit(fmt.Sprintf("%s; trades are read from UTF-8 text, plain or compressed with gzip, as this writes: %s", format.what, format.mend))
	}
	return nil
}

// gunzip reads gzip streams, one after the other, and reports what follows them.
type gunzip struct {
	from   *bufio.Reader
	stream *gzip.Reader
	err    error
}

// behind is the error of bytes that follow a gzip stream and aren't another one.
type behind struct {
	padding bool // zero bytes only
	bytes   int64
}

func (b behind) Error() string {
	if b.padding {
		return fmt.Sprintf("zero padding after the gzip data (bytes: %d); everything was read", b.bytes)
	}
	return fmt.Sprintf("extra bytes after the gzip data, which aren't gzip data (bytes: %d); everything before them was read; check how the file was written", b.bytes)
}

func newGunzip(from *bufio.Reader) (*gunzip, error) {
	stream, err := gzip.NewReader(from)
	if err != nil {
		return nil, err
	}
	stream.Multistream(false)
	return &gunzip{from: from, stream: stream}, nil
}

func (g *gunzip) Read(p []byte) (int, error) {
	for g.err == nil {
		n, err := g.stream.Read(p)
		if errors.Is(err, io.EOF) {
			err = g.next()
		}
		g.err = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, g.err
}

// next begins the next stream.
func (g *gunzip) next() error {
	switch start, err := g.from.Peek(2); {
	case len(start) == 0:
		return err
	case bytes.Equal(start, gzipMagic):
		if err := g.stream.Reset(g.from); err != nil {
			return err
		}
		g.stream.Multistream(false)
		return nil
	}
	rest := behind{padding: true}
	block := make([]byte, 32<<10)
	for {
		n, err := g.from.Read(block)
		rest.bytes += int64(n)
		rest.padding = rest.padding && len(bytes.Trim(block[:n], "\x00")) == 0
		if errors.Is(err, io.EOF) {
			return rest
		} else if err != nil {
			return err
		}
	}
}
