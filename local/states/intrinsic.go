package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// intrinsic is a function that templates may call.
// https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
type intrinsic struct {
	least, most int  // arguments
	text        bool // what it gives is a text
	call        func(scope, []Data) (Data, error)
}

const unlimited = int(^uint(0) >> 1)

// intrinsics are the functions that machines here may call.
var intrinsics = map[string]intrinsic{
	"States.Array":        {0, unlimited, false, func(_ scope, args []Data) (Data, error) { return args, nil }},
	"States.Format":       {1, unlimited, true, format},
	"States.JsonToString": {1, 1, true, func(_ scope, args []Data) (Data, error) { return string(AppendJSON(nil, args[0])), nil }},
	"States.StringToJson": {1, 1, false, stringToJSON},
	"States.UUID":         {0, 0, true, func(s scope, _ []Data) (Data, error) { return uuid(s.run.env.Random), nil }},
}

// maxCalls is how many functions an expression may call.
const maxCalls = 10

// call is a compiled call of an intrinsic function.
type call struct {
	name   string
	pieces []string // of the text that States.Format was given in the definition
	args   []template
}

func (c *call) fill(s scope) (Data, error) {
	args := make([]Data, len(c.args))
	for i, arg := range c.args {
		value, err := arg.fill(s)
		if err != nil {
			return nil, err
		}
		args[i] = value
	}
	if c.pieces != nil {
		return join(c.pieces, args), nil
	}
	value, err := intrinsics[c.name].call(s, args)
	if err != nil {
		return nil, fail(IntrinsicFailure, "%s: %v", c.name, err)
	}
	return value, nil
}

func compileIntrinsic(text string) (*call, error) {
	p := &intrinsicParser{rest: strings.TrimLeft(text, " ")}
	if !strings.HasPrefix(p.rest, "States.") {
		return nil, fmt.Errorf("%q is neither a path nor an intrinsic function", text)
	}
	compiled, err := p.call()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("there is %q behind it", p.rest)
	}
	if err == nil && p.calls > maxCalls {
		err = fmt.Errorf("it calls %d functions; at most %d may be nested", p.calls, maxCalls)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	return compiled, nil
}

// intrinsicParser reads States.Name(arg, …), where an argument is a text in single quotes, a number, true, false, null,
// a path, or another call.
type intrinsicParser struct {
	rest  string
	calls int
}

func (p *intrinsicParser) argument() (template, error) {
	switch {
	case p.rest == "":
		return nil, fmt.Errorf("it is not closed by )")
	case p.rest[0] == '\'':
		pieces, err := p.quoted()
		if len(pieces) > 1 {
			err = errBraces
		}
		return constant{strings.Join(pieces, "")}, err
	case strings.HasPrefix(p.rest, "States."):
		return p.call()
	}
	end := strings.IndexAny(p.rest, ",)")
	if end < 0 {
		end = len(p.rest)
	}
	word := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	if strings.HasPrefix(word, "$") {
		return compilePath(word)
	}
	if word == "true" || word == "false" || word == "null" || isNumber(word) {
		data, err := Decode([]byte(word))
		return constant{data}, err
	}
	return nil, fmt.Errorf("%q is no argument", word)
}

func isNumber(word string) bool {
	_, err := strconv.ParseFloat(word, 64)
	return err == nil && json.Valid([]byte(word))
}

var errBraces = errors.New(`braces stand as \{ and \} in a text`)

// quoted reads a text in single quotes, in which \ takes the meaning from \, ', { and }, and splits it at each {}.
func (p *intrinsicParser) quoted() ([]string, error) {
	var pieces []string
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\'':
			p.rest = p.rest[i+1:]
			return append(pieces, b.String()), nil
		case c == '\\':
			if i++; i == len(p.rest) || !strings.ContainsRune(`\'{}`, rune(p.rest[i])) {
				return nil, fmt.Errorf(`a backslash stands before none of \ ' { }`)
			}
			b.WriteByte(p.rest[i])
		case strings.HasPrefix(p.rest[i:], "{}"):
			i++
			pieces = append(pieces, b.String())
			b.Reset()
		case c == '{' || c == '}':
			return nil, errBraces
		default:
			b.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("a text is not closed by '")
}

func (p *intrinsicParser) call() (*call, error) {
	name, rest, found := strings.Cut(p.rest, "(")
	known, ok := intrinsics[name]
	if !found || !ok {
		return nil, fmt.Errorf("intrinsic function %s is not known here", strings.TrimSpace(name))
	}
	p.calls++
	p.rest = strings.TrimLeft(rest, " ")
	compiled := &call{name: name}
	count := 0
	for ; !p.take(")"); count++ {
		if count > 0 && !p.take(",") {
			return nil, fmt.Errorf("%s is not closed by )", name)
		}
		if err := p.argumentOf(compiled, count); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		p.rest = strings.TrimLeft(p.rest, " ")
	}
	if count < known.least || count > known.most {
		return nil, fmt.Errorf("%s has %d arguments; it takes %s", name, count, known.takes())
	}
	if places := len(compiled.pieces) - 1; places >= 0 && places != len(compiled.args) {
		return nil, fmt.Errorf("%s: %w", name, misfit(len(compiled.args), places))
	}
	return compiled, nil
}

// take drops a sign, and the spaces behind it, if it is what comes next.
func (p *intrinsicParser) take(sign string) bool {
	rest, found := strings.CutPrefix(p.rest, sign)
	if found {
		p.rest = strings.TrimLeft(rest, " ")
	}
	return found
}

// argumentOf reads an argument; only the first of States.Format may have places for others.
func (p *intrinsicParser) argumentOf(c *call, place int) (err error) {
	if c.name == "States.Format" && place == 0 && strings.HasPrefix(p.rest, "'") {
		c.pieces, err = p.quoted()
		return err
	}
	arg, err := p.argument()
	c.args = append(c.args, arg)
	return err
}

func (f intrinsic) takes() string {
	if f.least == f.most {
		return strconv.Itoa(f.least)
	}
	return strconv.Itoa(f.least) + " or more"
}

// format puts its arguments in place of the {} of a text that is known only now.
func format(_ scope, args []Data) (Data, error) {
	text, ok := open(args[0]).(string)
	if !ok {
		return nil, fmt.Errorf("the first argument is %s, and must be a text", kindOf(open(args[0])))
	}
	pieces := strings.Split(text, "{}")
	if len(pieces) != len(args) {
		return nil, misfit(len(args)-1, len(pieces)-1)
	}
	return join(pieces, args[1:]), nil
}

func misfit(args, places int) error {
	return fmt.Errorf("there are %d arguments for %d {}", args, places)
}

// join writes the arguments between the pieces, of which there is one more.
func join(pieces []string, args []Data) string {
	b := []byte(pieces[0])
	for i, arg := range args {
		if text, isText := open(arg).(string); isText {
			b = append(b, text...)
		} else {
			b = AppendJSON(b, arg)
		}
		b = append(b, pieces[i+1]...)
	}
	return string(b)
}

func stringToJSON(_ scope, args []Data) (Data, error) {
	text, ok := open(args[0]).(string)
	if !ok {
		return nil, fmt.Errorf("the argument is %s, and must be a text", kindOf(open(args[0])))
	}
	return Decode([]byte(text))
}

// uuid makes up a version 4 UUID.
func uuid(random func() float64) string {
	digit := func(n int) int { return int(random() * float64(n)) }
	const hexadecimal = "0123456789abcdef"
	b := []byte("xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx")
	for i, c := range b {
		switch c {
		case 'x':
			b[i] = hexadecimal[digit(16)]
		case 'y':
			b[i] = "89ab"[digit(4)]
		}
	}
	return string(b)
}
