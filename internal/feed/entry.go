package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"trade-processing/lambdas/trade"
)

// Entry is one entry of a PutEvents request, as the bus would accept it.
type Entry struct {
	Source     string
	DetailType string

	// Detail is the JSON object exactly as received, including white space, key order and every literal. It belongs to
	// the entry; the feed never touches it again.
	Detail json.RawMessage

	// Time is the zero time if the entry has none. The bus then uses the time of arrival.
	Time time.Time

	Resources    []string
	EventBusName string // a name or an ARN; empty means the default bus
	TraceHeader  string

	File string // as named on the command line; "standard input" for "-"
	Line int    // from 1
}

// The members of a PutEventsRequestEntry. Their names are case-sensitive, as in AWS.
var members = []string{"Source", "DetailType", "Detail", "Time", "Resources", "EventBusName", "TraceHeader"}

// maxDetailType is the length of DetailType in characters that EventBridge documents.
const maxDetailType = 128

// parse fills the entry from one non-blank line. The error says why the bus would refuse the entry, and how to fix it.
//
// encoding/json checks the syntax; the members are then cut out of the line verbatim. Unmarshalling into a struct would
// take a second pass, accept "source" for "Source" and silently keep the last of two members with one name.
func parse(line []byte, entry *Entry) error {
	if err := checkText(line); err != nil {
		return err
	}
	c := cursor{text: line}
	if kind := c.peek(); kind != '{' {
		return notAnEntry(kind)
	}
	seen := make([]string, 0, len(members))
	for raw := range c.members() {
		name, err := unquote(raw)
		if err != nil {
			return err
		}
		if slices.Contains(seen, name) {
			return fmt.Errorf("%s is given twice; keep one of them", name)
		}
		if err := entry.set(name, &c); err != nil {
			return err
		}
		seen = append(seen, name)
	}
	return entry.complete()
}

// set reads the value at the cursor into the member of that name.
func (e *Entry) set(name string, c *cursor) error {
	if !slices.Contains(members, name) {
		return unknownMember(name)
	}
	value := c.value()
	if string(value) == "null" {
		return nil // several SDKs write an absent member this way
	}
	var err error
	switch name {
	case "Source":
		e.Source, err = text(name, value)
	case "DetailType":
		e.DetailType, err = text(name, value)
	case "Detail":
		e.Detail, err = detail(value)
	case "Time":
		e.Time, err = eventTime(value)
	case "Resources":
		e.Resources, err = texts(name, value)
	case "EventBusName":
		e.EventBusName, err = text(name, value)
	case "TraceHeader":
		e.TraceHeader, err = text(name, value)
	}
	return err
}

// complete checks what EventBridge requires of an entry as a whole.
func (e *Entry) complete() error {
	missing := make([]string, 0, 3)
	if e.Source == "" {
		missing = append(missing, "Source")
	}
	if e.DetailType == "" {
		missing = append(missing, "DetailType")
	}
	if e.Detail == nil {
		missing = append(missing, "Detail")
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("%s missing or empty; PutEvents needs Source, DetailType and Detail", strings.Join(missing, ", "))
	case strings.HasPrefix(e.Source, "aws."):
		return fmt.Errorf("the Source %q is AWS's own: names that start with \"aws.\" are refused (NotAuthorizedForSource)", e.Source)
	case utf8.RuneCountInString(e.DetailType) > maxDetailType:
		return fmt.Errorf("DetailType has %d characters; the bus takes at most %d", utf8.RuneCountInString(e.DetailType), maxDetailType)
	}
	return nil
}

// What a text may be besides one entry.
var (
	errUnfinished = errors.New("the line ends inside a JSON value, and the next doesn't continue it")
	errSeveral    = errors.New("unexpected text after the JSON value")
	errRequest    = errors.New("this is a PutEvents request that has more than Entries; give its entries alone")
)

// checkText checks that the text is UTF-8, not too deeply nested for the bus, and JSON.
func checkText(line []byte) error {
	if at := invalidUTF8(line); at >= 0 {
		return fmt.Errorf("invalid UTF-8 at byte %d (0x%02x); JSON is UTF-8, convert it from what it is, such as Latin-1: iconv -f LATIN1 -t UTF-8", at+1, line[at])
	}
	// The entry itself is one level above the detail's.
	if depth := nesting(line); depth > MaxDepth+1 {
		return fmt.Errorf("nested %d levels deep; PutEvents takes at most %d", depth, MaxDepth)
	}
	if json.Valid(line) {
		return nil
	}
	switch syntax := syntaxError(line); {
	case syntax.Error() == "unexpected end of JSON input":
		return errUnfinished
	case strings.HasSuffix(syntax.Error(), "after top-level value"):
		return fmt.Errorf("%w, at byte %d", errSeveral, syntax.Offset)
	default:
		return fmt.Errorf("not JSON at byte %d: %w", syntax.Offset, syntax)
	}
}

// syntaxError returns what is wrong with text that json.Valid rejected.
func syntaxError(text []byte) *json.SyntaxError {
	var whole json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, &whole); !errors.As(err, &syntax) {
		return new(json.SyntaxError)
	}
	return syntax
}

// notAnEntry describes a line that is JSON but not an object.
func notAnEntry(first byte) error {
	if first == '[' {
		return errors.New("a JSON array, not an object; an entry is an object with Source, DetailType and Detail")
	}
	return errors.New("not a JSON object; an entry is an object with Source, DetailType and Detail")
}

// unknownMember names a member that PutEvents doesn't have, and the most likely mistake behind it.
func unknownMember(name string) error {
	switch name {
	case "version", "id", "detail-type", "account", "region":
		return fmt.Errorf("unknown field %q: this is an event as EventBridge delivers it, not an entry to put; "+
			"name its source, detail-type, detail, time and resources Source, DetailType, Detail, Time and Resources, and leave out the rest", name)
	case "Entries":
		return errRequest
	case "tradeId", "sourceSystem", "amount", "currency":
		return fmt.Errorf("unknown field %q: this is a trade without its entry; wrap it: "+
			`{"Source":"trading.system1","DetailType":"Trade Event","Detail":{…}}, with its own source system`, name)
	}
	for _, known := range members {
		if strings.EqualFold(known, name) {
			return fmt.Errorf("unknown field %q; write it %q", name, known)
		}
	}
	return fmt.Errorf("unknown field %q; an entry has %s", name, strings.Join(members, ", "))
}

// text reads a member that is a string.
func text(name string, value []byte) (string, error) {
	if value[0] != '"' {
		return "", fmt.Errorf("%s is %s, not a string", name, kindOf(value))
	}
	s, err := unquote(value)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// texts reads a member that is an array of strings.
func texts(name string, value []byte) ([]string, error) {
	if value[0] != '[' {
		return nil, fmt.Errorf("%s is %s, not an array of strings", name, kindOf(value))
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(value, &elements); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	list := make([]string, len(elements))
	for i, element := range elements {
		var err error
		if list[i], err = text(fmt.Sprintf("%s[%d]", name, i), element); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// detail reads the trade: an object, as people write it, or a string containing the object, as PutEvents itself
// requires. What EventBridge answers with MalformedDetail is refused here too; it also refuses JSON that isn't an
// object (localstack/localstack#11990 recorded it from AWS).
func detail(value []byte) (json.RawMessage, error) {
	switch value[0] {
	case '{':
		return bytes.Clone(value), nil
	case '"':
		inner, err := unquote(value)
		if err != nil {
			return nil, fmt.Errorf("Detail: %w", err)
		}
		held := bytes.TrimSpace([]byte(inner))
		if len(held) == 0 {
			return nil, nil // complete reports it as missing, as AWS does
		}
		if depth := nesting(held); depth > MaxDepth {
			return nil, fmt.Errorf("Detail is nested %d levels deep; PutEvents takes at most %d", depth, MaxDepth)
		}
		if !json.Valid(held) {
			syntax := syntaxError(held)
			return nil, fmt.Errorf("Detail is malformed (MalformedDetail): the string is not JSON, at byte %d of it: %w", syntax.Offset, syntax)
		}
		if held[0] == '{' {
			return held, nil
		}
		return nil, fmt.Errorf("Detail is malformed (MalformedDetail): the string holds %s, not a JSON object", kindOf(held))
	}
	return nil, fmt.Errorf("Detail is malformed (MalformedDetail): it is %s, not a JSON object", kindOf(value))
}

// eventTime reads RFC 3339 text, or seconds since 1970 with an optional fraction, as the AWS command line and SDKs
// write them.
func eventTime(value []byte) (time.Time, error) {
	if value[0] == '"' {
		s, err := unquote(value)
		if err != nil {
			return time.Time{}, fmt.Errorf("Time: %w", err)
		}
		t, err := trade.ParseTime(s)
		if err != nil {
			return time.Time{}, fmt.Errorf("Time %.80q %w", s, err)
		}
		return t, nil
	}
	whole, fraction, _ := strings.Cut(string(value), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(fraction) > 9 || seconds < 0 || seconds > lastSecond {
		return time.Time{}, fmt.Errorf("Time %.40s is not a time; write RFC 3339 text or seconds since 1970, such as 1772000000 or 1772000000.25", value)
	}
	nanoseconds, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("Time %.40s has an exponent; write the seconds out, such as 1772000000.25", value)
	}
	return time.Unix(seconds, nanoseconds).UTC(), nil
}

// lastSecond is the end of the year 9999, the last that RFC 3339 can write.
const lastSecond = 253402300799

// kindOf names the kind of a JSON value for a message.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "a JSON object"
	case '[':
		return "a JSON array"
	case '"':
		return "a JSON string"
	case 't', 'f':
		return "a JSON boolean"
	case 'n':
		return "null"
	}
	return "a JSON number"
}
