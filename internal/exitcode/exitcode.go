// Package exitcode is the one place that defines tradectl's exit codes. Scripts branch on them, so a number never
// changes its meaning.
package exitcode

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Code is a process's exit code.
type Code int

const (
	OK           Code = 0   // success; for a run: every trade is accounted for
	Failure      Code = 1   // unexpected failure
	Usage        Code = 2   // a wrong flag, argument or setting; nothing was done
	Unreconciled Code = 3   // trades in and trades out differ, or aren't what they must be
	RefusedInput Code = 4   // some input was refused or couldn't be read; the rest was processed and reconciles
	NotFound     Code = 5   // what was asked for by name isn't there
	Interrupted  Code = 130 // Ctrl-C, SIGTERM or SIGHUP: 128 + SIGINT, as shells count
	OutputClosed Code = 141 // 128 + SIGPIPE
)

// The first problem found by a verification of a deployment.
const (
	NotSent         Code = 10
	NotRecorded     Code = 11
	WrongRecord     Code = 12
	NotRejected     Code = 13
	NotReplicated   Code = 14
	Doubled         Code = 15
	AlarmRaised     Code = 16
	NotDeadLettered Code = 17
	NotLogged       Code = 18
	NotTraced       Code = 19
	LeftBehind      Code = 20
	NotKept         Code = 21
	NotVersioned    Code = 22
)

// meanings is the table that help prints, in order.
var meanings = []struct {
	code    Code
	meaning string
}{
	{OK, "done; a run has accounted for every trade"},
	{Failure, "unexpected failure"},
	{Usage, "wrong usage or configuration; nothing was done"},
	{Unreconciled, "the numbers don't reconcile: trades are missing or counted twice, a call was denied, or a sample had unexpected outcomes"},
	{RefusedInput, "some input was refused or couldn't be read; the rest was processed and reconciles"},
	{NotFound, "what was asked for isn't there"},
	{NotSent, "verify: the bus refused a trade"},
	{NotRecorded, "verify: a trade was not recorded in time"},
	{WrongRecord, "verify: a record differs from its trade"},
	{NotRejected, "verify: the invalid trade was not recorded as rejected"},
	{NotReplicated, "verify: a replica lags or differs"},
	{Doubled, "verify: a trade sent twice was recorded twice, or nothing shows that it wasn't"},
	{AlarmRaised, "verify: an alarm went off"},
	{NotDeadLettered, "verify: the malformed trade is not in its dead-letter queue"},
	{NotLogged, "verify: an execution is missing from the state machine's logs"},
	{NotTraced, "verify: no trace was found"},
	{LeftBehind, "verify: a queue may still hold what the verification sent"},
	{NotKept, "verify: an event that couldn't be delivered is not in its dead-letter queue"},
	{NotVersioned, "verify: a correction or a cancel is not a version of its own, or changed another"},
	{Interrupted, "interrupted"},
	{OutputClosed, "standard output was closed before everything was written"},
}

// every command may end with these.
var every = []Code{OK, Failure, Usage, Interrupted, OutputClosed}

// Help returns the table of all codes.
func Help() string { return help(func(Code) bool { return true }) }

// HelpFor returns the table for the help of a command with the codes that only it has, besides those of every command.
func HelpFor(own ...Code) string {
	return help(func(code Code) bool { return slices.Contains(every, code) || slices.Contains(own, code) })
}

func help(listed func(Code) bool) string {
	var b strings.Builder
	b.WriteString("Exit codes:")
	for _, m := range meanings {
		if listed(m.code) {
			fmt.Fprintf(&b, "\n  %3d  %s", m.code, m.meaning)
		}
	}
	return b.String()
}

// coded is an error with the code to exit with.
type coded struct {
	code Code
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// silent is the error of a command that has already printed everything: the process exits with its code and prints
// nothing more.
type silent struct{ code Code }

func (s silent) Error() string { return fmt.Sprintf("exit code %d", s.code) }

// With adds the exit code to an error. It returns nil for nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &coded{code: code, err: err}
}

// Usagef is a Usage error.
func Usagef(format string, args ...any) error {
	return With(Usage, fmt.Errorf(format, args...))
}

// Silent returns an error that exits with the code and prints nothing, for a command whose output says it all; nil for
// OK.
func Silent(code Code) error {
	if code == OK {
		return nil
	}
	return silent{code: code}
}

// Of returns the exit code for a command's error, and whether the error has already been printed. An error without a
// code is a Failure, or Interrupted if the context's end caused it.
func Of(err error) (code Code, printed bool) {
	var quiet silent
	var known *coded
	switch {
	case err == nil:
		return OK, true
	case errors.As(err, &quiet):
		return quiet.code, true
	case errors.As(err, &known):
		return known.code, false
	case errors.Is(err, context.Canceled):
		return Interrupted, false
	}
	return Failure, false
}
