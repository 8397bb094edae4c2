package states

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// wellFormed tells whether a definition is JSON in which no object has a name twice; a decoder would drop all but the
// last in silence.
func (c *compiler) wellFormed(at string, definition []byte) bool {
	if _, err := Decode(definition); err != nil {
		c.problem(at, "%v", err)
		return false
	}
	repeated := repeatedNames(json.NewDecoder(bytes.NewReader(definition)), "")
	for _, name := range repeated {
		c.problem(at, "%s stands twice", name)
	}
	return len(repeated) == 0
}

// repeatedNames reads one value and gives the paths of the names that stand twice in an object. The text is known to be
// JSON.
func repeatedNames(decoder *json.Decoder, at string) []string {
	token, _ := decoder.Token()
	var repeated []string
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for decoder.More() {
			token, _ := decoder.Token()
			name, _ := token.(string)
			inner := name
			if at != "" {
				inner = at + "." + name
			}
			if seen[name] {
				repeated = append(repeated, inner)
			}
			seen[name] = true
			repeated = append(repeated, repeatedNames(decoder, inner)...)
		}
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			repeated = append(repeated, repeatedNames(decoder, fmt.Sprintf("%s[%d]", at, i))...)
		}
	default:
		return nil
	}
	_, _ = decoder.Token() // the closing bracket
	return repeated
}

// members reads an object; nil when it is none.
func (c *compiler) members(at string, text json.RawMessage) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil || members == nil {
		c.problem(at, "%s is no object", excerpt(text))
		return nil
	}
	return members
}

// read fills the struct that target points to, whose fields are spelled exactly as the members; encoding/json would
// also take startAt for StartAt. Only a json.RawMessage may be null, and only a *string may be empty.
func (c *compiler) read(at string, members map[string]json.RawMessage, target any) {
	into := reflect.ValueOf(target).Elem()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		field := into.FieldByName(name)
		if !field.IsValid() {
			c.problem(at, "field %s is not known here", name)
			continue
		}
		if raw, ok := field.Addr().Interface().(*json.RawMessage); ok {
			*raw = members[name]
			continue
		}
		value := reflect.New(field.Type())
		null := string(members[name]) == "null"
		switch {
		case null || json.Unmarshal(members[name], value.Interface()) != nil:
			c.problem(at, "%s is %s; it is %s", name, excerpt(members[name]), wanted(field.Type()))
		case field.Kind() == reflect.String && value.Elem().Len() == 0:
			c.problem(at, "%s is empty", name)
		default:
			field.Set(value.Elem())
		}
	}
}

// decoded reads a part of a definition, which was found to be JSON.
func decoded(text json.RawMessage) Data {
	data, _ := Decode(text)
	return data
}

// wanted says what JSON a field takes.
func wanted(field reflect.Type) string {
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch field.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "a list"
	}
}

// excerpt is the beginning of JSON, for an error.
func excerpt(text json.RawMessage) string {
	const most = 40
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil || compact.Len() <= most {
		return compact.String()
	}
	return strings.ToValidUTF8(string(compact.Bytes()[:most]), "") + "…"
}

// maxSeconds is the longest time that a definition can give in seconds, a little over three years; a Task without
// TimeoutSeconds has that.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
const maxSeconds = 99999999

// seconds reads an optional number of seconds, and gives 0 where there is none.
func (c *compiler) seconds(at, field string, n *int, least int) time.Duration {
	switch {
	case n == nil:
		return 0
	case *n < least || *n > maxSeconds:
		c.problem(at, "%s is %d; it is from %d to %d", field, *n, least, maxSeconds)
		return 0
	}
	return time.Duration(*n) * time.Second
}
