package table

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A step of a document path is a name, a #placeholder for one, or an index.
type step struct {
	name  string
	index int // when name is ""
}

// parseProjection parses a list of paths.
func parseProjection(text string) ([]*node, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	var paths []*node
	for {
		path, err := p.documentPath()
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
		if p.peek().kind == tokenEnd {
			return paths, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

// documentPath = name { . name | [ index ] }
func (p *parser) documentPath() (*node, error) {
	name, err := p.pathName()
	if err != nil {
		return nil, err
	}
	n := &node{op: opPath, path: []step{name}}
	for {
		switch {
		case p.accept("."):
			if name, err = p.pathName(); err != nil {
				return nil, err
			}
			n.path = append(n.path, name)
		case p.accept("["):
			if p.peek().kind != tokenIndex {
				return nil, p.unexpected()
			}
			// An index beyond an int points to no element, like any that is too large.
			index, err := strconv.Atoi(p.take().text)
			if err != nil {
				index = math.MaxInt
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			n.path = append(n.path, step{index: index})
		default:
			return n, nil
		}
	}
}

func (p *parser) pathName() (step, error) {
	t := p.peek()
	switch t.kind {
	case tokenName:
	case tokenWord:
		for _, keyword := range []string{"AND", "OR", "NOT", "IN", "BETWEEN"} {
			if t.is(keyword) {
				return step{}, p.unexpected()
			}
		}
		if reserved(t.text) {
			return step{}, complain("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
	default:
		return step{}, p.unexpected()
	}
	p.at++
	return step{name: t.text}, nil
}

// resolve replaces the placeholders of a path by the names they stand for.
func (c *condition) resolve(path []step) []step {
	for i, s := range path {
		if strings.HasPrefix(s.name, "#") {
			resolved := slices.Clone(path)
			for j := i; j < len(resolved); j++ {
				if strings.HasPrefix(resolved[j].name, "#") {
					resolved[j].name = c.names[resolved[j].name]
				}
			}
			return resolved
		}
	}
	return path
}

// pathText writes a path as the service's messages do: [a, b, [0]].
func pathText(path []step) string {
	texts := make([]string, len(path))
	for i, s := range path {
		if texts[i] = s.name; s.name == "" {
			texts[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
