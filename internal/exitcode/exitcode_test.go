package exitcode_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"trade-processing/internal/exitcode"
)

func TestCodeOfAnError(t *testing.T) {
	cause := errors.New("cause")
	for name, test := range map[string]struct {
		err     error
		code    exitcode.Code
		printed bool
	}{
		"no error":                         {nil, 0, true},
		"an error without a code":          {cause, 1, false},
		"wrong usage":                      {exitcode.Usagef("no such flag"), 2, false},
		"a code, wrapped further":          {fmt.Errorf("running: %w", exitcode.With(exitcode.Unreconciled, cause)), 3, false},
		"a code that the output explained": {fmt.Errorf("running: %w", exitcode.Silent(exitcode.RefusedInput)), 4, true},
		"an interrupt":                     {fmt.Errorf("reading: %w", context.Canceled), 130, false},
		"an interrupt with its own code":   {exitcode.With(exitcode.Failure, context.Canceled), 1, false},
		"a code for no error":              {exitcode.With(exitcode.Failure, nil), 0, true},
		"a silent success":                 {exitcode.Silent(exitcode.OK), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			code, printed := exitcode.Of(test.err)
			if code != test.code || printed != test.printed {
				t.Errorf("got %d, %v, want %d, %v", code, printed, test.code, test.printed)
			}
		})
	}
}

func TestACodeKeepsItsCause(t *testing.T) {
	cause := errors.New("cause")
	if err := exitcode.With(exitcode.Usage, cause); !errors.Is(err, cause) || err.Error() != "cause" {
		t.Errorf("got %v", err)
	}
}

func TestHelpNamesEveryCode(t *testing.T) {
	help := exitcode.Help()
	for _, code := range []exitcode.Code{exitcode.OK, exitcode.Failure, exitcode.Usage, exitcode.Unreconciled, exitcode.RefusedInput, exitcode.Interrupted} {
		if !strings.Contains(help, fmt.Sprintf("\n  %3d  ", code)) {
			t.Errorf("code %d is not in:\n%s", code, help)
		}
	}
	own := exitcode.HelpFor(exitcode.Unreconciled)
	for code, want := range map[exitcode.Code]bool{exitcode.OK: true, exitcode.Usage: true, exitcode.Unreconciled: true, exitcode.RefusedInput: false, exitcode.NotSent: false, exitcode.OutputClosed: true} {
		if strings.Contains(own, fmt.Sprintf("\n  %3d  ", code)) != want {
			t.Errorf("code %d in a command's help: want %v:\n%s", code, want, own)
		}
	}
}
