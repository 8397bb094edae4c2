package table

import "strings"

// A tokenKind says what a token of an expression is.
type tokenKind int

const (
	tokenEnd      tokenKind = iota
	tokenWord               // an attribute or function name, or a keyword
	tokenName               // #name
	tokenValue              // :value
	tokenIndex              // digits, between brackets
	tokenOperator           // = <> < <= > >=
	tokenMark               // ( ) [ ] . ,
)

// A token is one piece of an expression's text.
type token struct {
	kind  tokenKind
	text  string
	start int // byte offset
}

// is compares a keyword without regard to case, and anything else exactly.
func (t token) is(text string) bool {
	if t.kind == tokenWord {
		return strings.EqualFold(t.text, text)
	}
	return t.kind != tokenEnd && t.text == text
}

// tokenize splits an expression. Its error is the service's syntax error without the name of the parameter.
func tokenize(text string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(text); {
		c := text[i]
		start := i
		var kind tokenKind
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case isLetter(c):
			kind = tokenWord
			i = skipWord(text, i)
		case c == '#' || c == ':':
			kind = tokenName
			if c == ':' {
				kind = tokenValue
			}
			i = skipWord(text, i+1)
			if i == start+1 {
				return nil, syntaxError(text, text[start:i], start)
			}
		case c >= '0' && c <= '9':
			kind = tokenIndex
			for i < len(text) && text[i] >= '0' && text[i] <= '9' {
				i++
			}
		case strings.HasPrefix(text[i:], "<>") || strings.HasPrefix(text[i:], "<=") || strings.HasPrefix(text[i:], ">="):
			kind = tokenOperator
			i += 2
		case c == '=' || c == '<' || c == '>':
			kind = tokenOperator
			i++
		case strings.IndexByte("()[].,", c) >= 0:
			kind = tokenMark
			i++
		default:
			return nil, syntaxError(text, text[start:start+1], start)
		}
		tokens = append(tokens, token{kind: kind, text: text[start:i], start: start})
	}
	return append(tokens, token{kind: tokenEnd, text: "<EOF>", start: len(text)}), nil
}

func skipWord(text string, i int) int {
	for i < len(text) && (isLetter(text[i]) || text[i] >= '0' && text[i] <= '9') {
		i++
	}
	return i
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// syntaxError quotes the token and what stands around it.
func syntaxError(text, near string, start int) error {
	const around = 12
	from, to := max(0, start-around), min(len(text), start+len(near)+around)
	return complain("Syntax error; token: %q, near: %q", near, text[from:to])
}
