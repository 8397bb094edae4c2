package states

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// intrinsics are the intrinsic functions that machines here may call.
var intrinsics = map[string]struct {
	least, most int // arguments
	call        func(scope, []Data) (Data, error)
}{
	"States.Array":        {0, 64, func(_ scope, args []Data) (Data, error) { return args, nil }},
	"States.Format":       {1, 64, format},
	"States.JsonToString": {1, 1, func(_ scope, args []Data) (Data, error) { return string(AppendJSON(nil, args[0])), nil }},
	"States.MathAdd":      {2, 2, mathAdd},
	"States.StringToJson": {1, 1, stringToJSON},
	"States.UUID":         {0, 0, func(s scope, _ []Data) (Data, error) { return uuid(s.random), nil }},
}

// call is a compiled call of an intrinsic function.
type call struct {
	name string
	args []template
}

func (c call) fill(s scope) (Data, error) {
	args := make([]Data, len(c.args))
	for i, arg := range c.args {
		value, err := arg.fill(s)
		if err != nil {
			return nil, err
		}
		args[i] = value
	}
	value, err := intrinsics[c.name].call(s, args)
	if err != nil {
		return nil, fail(IntrinsicFailure, "%s: %v", c.name, err)
	}
	return value, nil
}

func compileIntrinsic(text string) (template, error) {
	p := &intrinsicParser{rest: text}
	compiled, err := p.expression()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("there is %q behind it", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	if _, isCall := compiled.(call); !isCall {
		return nil, fmt.Errorf("%q is neither a path nor an intrinsic function", text)
	}
	return compiled, nil
}

// intrinsicParser reads States.Name(arg, …), where an argument is a text in
// single quotes, a number, true, false, null, a path, or another call.
type intrinsicParser struct{ rest string }

func (p *intrinsicParser) expression() (template, error) {
	p.rest = strings.TrimLeft(p.rest, " ")
	switch {
	case p.rest == "":
		return nil, fmt.Errorf("an argument is missing")
	case p.rest[0] == '\'':
		return p.quoted()
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

func (p *intrinsicParser) quoted() (template, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		case c == '\'':
			p.rest = p.rest[i+1:]
			return constant{b.String()}, nil
		default:
			b.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("a text is not closed by '")
}

func (p *intrinsicParser) call() (template, error) {
	name, rest, found := strings.Cut(p.rest, "(")
	known, ok := intrinsics[name]
	if !found || !ok {
		return nil, fmt.Errorf("intrinsic function %s is not known here", name)
	}
	p.rest = strings.TrimLeft(rest, " ")
	compiled := call{name: name}
	for !strings.HasPrefix(p.rest, ")") {
		arg, err := p.expression()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		compiled.args = append(compiled.args, arg)
		p.rest = strings.TrimLeft(p.rest, " ")
		after, more := strings.CutPrefix(p.rest, ",")
		switch {
		case more && strings.HasPrefix(strings.TrimLeft(after, " "), ")"):
			return nil, fmt.Errorf("%s: an argument is missing", name)
		case more:
			p.rest = after
		case !strings.HasPrefix(p.rest, ")"):
			return nil, fmt.Errorf("%s is not closed by )", name)
		}
	}
	p.rest = p.rest[1:]
	if n := len(compiled.args); n < known.least || n > known.most {
		return nil, fmt.Errorf("%s has %d arguments; it takes %d to %d", name, n, known.least, known.most)
	}
	return compiled, nil
}

// format puts its arguments in place of the {} of a text.
func format(_ scope, args []Data) (Data, error) {
	text, ok := open(args[0]).(string)
	if !ok {
		return nil, fmt.Errorf("the first argument is no text")
	}
	parts := strings.Split(text, "{}")
	if len(parts) != len(args) {
		return nil, fmt.Errorf("%d arguments for %d {}", len(args)-1, len(parts)-1)
	}
	var b strings.Builder
	b.WriteString(parts[0])
	for i, part := range parts[1:] {
		if s, isText := open(args[i+1]).(string); isText {
			b.WriteString(s)
		} else {
			b.Write(AppendJSON(nil, args[i+1]))
		}
		b.WriteString(part)
	}
	return b.String(), nil
}

func mathAdd(_ scope, args []Data) (Data, error) {
	sum := new(big.Int)
	for _, arg := range args {
		text, _ := open(arg).(json.Number)
		n, ok := new(big.Int).SetString(string(text), 10)
		if !ok || n.BitLen() > 63 {
			return nil, fmt.Errorf("%q is no 64-bit integer", text)
		}
		sum.Add(sum, n)
	}
	return json.Number(sum.String()), nil
}

func stringToJSON(_ scope, args []Data) (Data, error) {
	text, ok := open(args[0]).(string)
	if !ok {
		return nil, fmt.Errorf("the argument is no text")
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
