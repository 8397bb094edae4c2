// Package shell finds the commands in a shell script, so tests can check those in pages and workflows against the
// programs they name.
package shell

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Command is a call of a program: a line of words, as the shell splits them.
type Command struct {
	Line  int      // from 1
	Words []string // the program first. What only a run would show, such as "$(…)" or "$x", is Unknown
}

// Unknown replaces an expansion in a word.
const Unknown = "…"

// Commands returns all commands in a script, including those in substitutions, pipes and loops, in line order. The
// error says where the script isn't valid shell.
func Commands(script string) ([]Command, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, fmt.Errorf("reading a script: %w", err)
	}
	var all []Command
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			c := Command{Line: int(call.Pos().Line())}
			for _, word := range call.Args {
				c.Words = append(c.Words, textOf(word.Parts))
			}
			all = append(all, c)
		}
		return true
	})
	return all, nil
}

// textOf returns the known text of a word.
func textOf(parts []syntax.WordPart) string {
	var text strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			text.WriteString(strings.ReplaceAll(part.Value, "\\", ""))
		case *syntax.SglQuoted:
			text.WriteString(part.Value)
		case *syntax.DblQuoted:
			text.WriteString(textOf(part.Parts))
		default:
			text.WriteString(Unknown)
		}
	}
	return text.String()
}

// Options returns the names of a command's long options: stack for --stack=dev and --stack dev. Words after -- don't
// count.
func (c Command) Options() []string {
	var options []string
	for _, word := range c.Words {
		option, is := strings.CutPrefix(word, "--")
		if is && option == "" {
			break
		}
		if is {
			option, _, _ = strings.Cut(option, "=")
			options = append(options, option)
		}
	}
	return options
}

func (c Command) String() string { return strings.Join(c.Words, " ") }
