// Package output is the form in which commands print what they have found: a table for people, JSON or CSV for programs.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"trade-processing/internal/terminal"
)

// Form is how results are printed.
type Form string

// The forms.
const (
	Table Form = "table" // fits the terminal; in a pipe, nothing is cut
	JSON  Form = "json"  // one document
	CSV   Form = "csv"   // RFC 4180, with a header
)

var forms = []string{string(Table), string(JSON), string(CSV)}

func (f *Form) String() string { return string(*f) }

// Type is what help calls the flag's value.
func (*Form) Type() string { return "FORMAT" }

// Set takes what somebody has typed.
func (f *Form) Set(text string) error {
	for _, form := range forms {
		if text == form {
			*f = Form(form)
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(forms, ", "))
}

// Flag adds the flag --output.
func Flag(command *cobra.Command, form *Form) {
	*form = Table
	command.Flags().VarP(form, "output", "o", "output format: "+strings.Join(forms, ", "))
	Complete(command, "output", func() []string { return forms })
}

// Complete has the shell offer these values for a flag.
func Complete(command *cobra.Command, flag string, values func() []string) {
	offer := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	}
	if err := command.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // there is no such flag, or it has values already: a mistake in the command
	}
}

// Document prints a value as one JSON document.
func Document(t *terminal.Terminal, value any) error {
	text, err := marshal(value, "")
	if err != nil {
		return err
	}
	_, err = t.Out.Write(append(text, '\n'))
	return err
}

// Line returns a value as one line of JSON that is safe to show.
func Line(value any) ([]byte, error) {
	text, err := marshal(value, "")
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	err = json.Compact(&line, text) // strings stay as they are
	line.WriteByte('\n')
	return line.Bytes(), err
}

// marshal returns indented JSON that is safe to show: what a terminal would act on, or not show, is escaped. Such
// characters are only inside strings, so nothing is lost.
func marshal(value any, prefix string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(prefix, "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	var b strings.Builder
	for _, r := range strings.TrimSuffix(text.String(), "\n") {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			first, second := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, first, second)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String()), nil
}
