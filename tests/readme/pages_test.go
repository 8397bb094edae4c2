// Package readme checks the documentation against the code: commands that can run are run, and everything pages name
// exists.
package readme

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the project's folder, relative to this package.
const root = "../.."

// page is a page of the documentation.
type page struct {
	name   string // its path in the project
	text   string
	blocks []block
	spans  []string // `code` in the text
}

// block is a fenced block of code.
type block struct {
	page     string
	line     int    // of the fence, from 1
	language string // after the fence
	marker   string // the comment before it, without its brackets; empty if there is none
	text     string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// pages returns all pages that people write and read.
func pages(t *testing.T) []page {
	t.Helper()
	names := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".md") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []page
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parse(name, string(text)))
	}
	return all
}

func pageNamed(t *testing.T, name string) page {
	t.Helper()
	for _, p := range pages(t) {
		if p.name == name {
			return p
		}
	}
	t.Fatalf("there is no page %s", name)
	return page{}
}

var (
	markerLine = regexp.MustCompile(`^<!-- (.+) -->$`)
	codeSpan   = regexp.MustCompile("`([^`]+)`")
)

func parse(name, text string) page {
	p := page{name: name, text: text}
	var inside *block
	marker := ""
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case inside != nil && isFence:
			p.blocks = append(p.blocks, *inside)
			inside, marker = nil, ""
		case inside != nil:
			inside.text += line + "\n"
		case isFence:
			inside = &block{page: name, line: i + 1, language: fence, marker: marker}
		default:
			if found := markerLine.FindStringSubmatch(line); found != nil {
				marker = found[1]
			} else if line != "" {
				marker = ""
			}
			for _, span := range codeSpan.FindAllStringSubmatch(line, -1) {
				p.spans = append(p.spans, span[1])
			}
		}
	}
	return p
}

// code returns everything on the page that a reader might type or look for.
func (p page) code() []string {
	code := p.spans
	for _, b := range p.blocks {
		if b.language == "sh" || b.language == "yaml" {
			code = append(code, strings.Split(b.text, "\n")...)
		}
	}
	return code
}
