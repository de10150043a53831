// Package advice lets errors carry advice on what to do next as a value. Most callers print it after a semicolon; those
// that show it separately, such as `craton doctor`, get it with [Split] and never search a text for it.
package advice

import (
	"errors"
	"strings"
)

// Advised is an error with advice. Its Error ends with the advice.
type Advised interface {
	error
	Summary() string // what is wrong, without advice
	Advice() string  // what to do next; "" for none
}

// Error adds advice to any error.
type Error struct {
	Err  error
	Next string // what to do next
}

// With adds advice to an error. nil stays nil, and without advice the error is returned unchanged.
func With(err error, next string) error {
	if err == nil || next == "" {
		return err
	}
	return &Error{err, next}
}

// Error says what is wrong and, after a semicolon, what to do.
func (e *Error) Error() string { return Join(e.Summary(), e.Next) }

// Summary says what is wrong.
func (e *Error) Summary() string { return e.Err.Error() }

// Advice says what to do next.
func (e *Error) Advice() string { return e.Next }

// Unwrap returns the error without advice.
func (e *Error) Unwrap() error { return e.Err }

// Join appends advice to a text, or to other advice: as a sentence of its own after a complete one.
func Join(text, next string) string {
	switch {
	case text == "" || next == "":
		return text + next
	case strings.HasSuffix(text, "."):
		return text + " " + strings.ToUpper(next[:1]) + next[1:]
	}
	return text + "; " + next
}

// Split returns the summary and the advice of an error, which may come from an error that it wraps. Without advice, or
// if the advice is not at the end, everything is summary.
func Split(err error) (summary, next string) {
	text := err.Error()
	if a, ok := errors.AsType[Advised](err); ok && a.Advice() != "" {
		if before, ok := strings.CutSuffix(text, a.Error()); ok {
			return before + a.Summary(), a.Advice()
		}
	}
	return text, ""
}
