// Package pattern matches events against EventBridge event patterns.
//
// It follows AWS's documentation and, where that is silent, AWS's own open source matcher (github.com/aws/event-ruler).
// An unknown operator or form is refused when the pattern is compiled, so AWS accepts any rule that works here.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
package pattern

import (
	"maps"
	"slices"
)

// Pattern is a compiled event pattern. It is immutable and safe for concurrent use.
type Pattern struct {
	root *object
}

// Match reports whether the pattern selects the event, which is a decoded JSON object: its values are map[string]any,
// []any, string, json.Number, bool and nil. A value of any other type is matched only by exists.
func (p *Pattern) Match(event map[string]any) bool {
	ok, _ := p.root.matchMembers(event, p.root.scope(event))
	return ok
}

// object is the pattern of a JSON object: all fields must match. Arrays on the way to a field are searched, but fields
// in different elements of one array never match together.
type object struct {
	depth  int // how many names lead here
	fields []field
	absent bool // some leaf in it requires absence
}

// field is one name of an object with what its value must match: one of the two.
type field struct {
	name   string
	object *object
	leaf   *leaf
}

// leaf is the list of alternatives at the end of a path.
type leaf struct {
	path     []string
	exact    map[string]bool // strings, the most frequent alternative by far
	matchers []matcher
	absent   bool // one alternative is {"exists": false}
}

// matcher is one alternative of a leaf, asked for each scalar of the event.
type matcher interface{ match(value any) bool }

// scope is where {"exists": false} looks for what must not exist. It is the whole event until some value in an array
// element has matched; from then on the other elements don't count.
type scope struct {
	value any
	depth int            // how many names of a leaf's path lead to value
	seen  map[*leaf]bool // what was found to exist, because each array element asks again
}

// scope returns the scope of the object's members. If nothing in it requires absence, it needs no memory.
func (o *object) scope(members map[string]any) scope {
	s := scope{value: members, depth: o.depth}
	if o.absent {
		s.seen = map[*leaf]bool{}
	}
	return s
}

func (s scope) has(l *leaf) bool {
	found, asked := s.seen[l]
	if !asked {
		found = exists(s.value, l.path[s.depth:])
		s.seen[l] = found
	}
	return found
}

// missing is the value of a field that is not there.
type missing struct{}

// match reports whether the object's pattern matches value, and whether a value made it match, rather than an absence.
func (o *object) match(value any, within scope) (ok, found bool) {
	switch value := value.(type) {
	case map[string]any:
		return o.matchMembers(value, within)
	case []any:
		if tried, ok, found := o.matchElements(value, within); tried {
			return ok, found
		}
	}
	return o.matchMembers(nil, within)
}

// matchElements looks for a matching object in an array, or in arrays in it; tried says whether there was any.
func (o *object) matchElements(elements []any, within scope) (tried, ok, found bool) {
	for _, element := range elements {
		switch element := element.(type) {
		case map[string]any:
			tried = true
			ok, found = o.matchMembers(element, within)
		case []any:
			var inner bool
			inner, ok, found = o.matchElements(element, within)
			tried = tried || inner
		}
		if ok {
			return true, true, found
		}
	}
	return tried, false, false
}

func (o *object) matchMembers(members map[string]any, within scope) (ok, found bool) {
	for i := range o.fields {
		f := &o.fields[i]
		value, present := member(members, f.name, f.leaf == nil)
		if !present {
			value = missing{}
		}
		var here bool
		if f.leaf != nil {
			ok, here = f.leaf.match(value, within)
		} else {
			ok, here = f.object.match(value, within)
		}
		if !ok {
			return false, false
		}
		if here && !found {
			found = true
			within = o.scope(members)
		}
	}
	return true, found
}

// member returns what an object has under a name. AWS's matcher joins the names on the way to a value with dots, so if
// the pattern goes deeper, a member "state.status" is one of "state" too.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html#eb-event-patterns-considerations
func member(members map[string]any, name string, deeper bool) (value any, present bool) {
	value, present = members[name]
	if !deeper {
		return value, present
	}
	for dotted, below := range members {
		if len(dotted) <= len(name) || dotted[len(name)] != '.' || dotted[:len(name)] != name {
			continue
		}
		inner := map[string]any{dotted[len(name)+1:]: below}
		if present {
			value = both(value, inner)
		} else {
			value, present = inner, true
		}
	}
	return value, present
}

// both is a value that has all that two have. The elements of an array have what is beside it.
func both(a, b any) any {
	beside, ok := b.(map[string]any)
	switch a := a.(type) {
	case map[string]any:
		if !ok {
			break
		}
		joined := maps.Clone(a)
		for name, value := range beside {
			if had, has := joined[name]; has {
				value = both(had, value)
			}
			joined[name] = value
		}
		return joined
	case []any:
		elements, found := slices.Clone(a), false
		for i, element := range a {
			if _, isObject := element.(map[string]any); isObject && ok {
				elements[i], found = both(element, b), true
			}
		}
		if !found {
			elements = append(elements, b)
		}
		return elements
	}
	return []any{a, b}
}

func (l *leaf) match(value any, within scope) (ok, found bool) {
	if l.matchValue(value) {
		return true, true
	}
	return l.absent && !within.has(l), false
}

// matchValue looks for a scalar that one of the alternatives matches. Objects aren't leaves, so nothing matches them.
func (l *leaf) matchValue(value any) bool {
	switch value := value.(type) {
	case missing, map[string]any:
		return false
	case []any:
		for _, element := range value {
			if l.matchValue(element) {
				return true
			}
		}
		return false
	case string:
		if l.exact[value] {
			return true
		}
	}
	for _, m := range l.matchers {
		if m.match(value) {
			return true
		}
	}
	return false
}

// exists reports whether a path leads to a scalar anywhere in value.
func exists(value any, path []string) bool {
	switch value := value.(type) {
	case map[string]any:
		if len(path) == 0 {
			return false
		}
		found, ok := member(value, path[0], len(path) > 1)
		return ok && exists(found, path[1:])
	case []any:
		for _, element := range value {
			if exists(element, path) {
				return true
			}
		}
		return false
	}
	return len(path) == 0
}
