// Package advice lets errors carry what to do next as a value. Most callers print it after a semicolon; those that show
// it elsewhere, such as `craton doctor`, get it with [Split] and never search a text for it.
package advice

import (
	"errors"
	"strings"
)

// Advised is an error with advice. Its Error ends with the advice.
type Advised interface {
	error
	Summary() string // what is wrong, without advice
	Advice() string  // what to do next; "" if there is nothing to say
}

// Error adds advice to any error.
type Error struct {
	Err  error
	Next string // what to do next
}

// With adds to an error what to do next. nil stays nil, and without advice the error is the same.
func With(err error, next string) error {
	if err == nil || next == "" {
		return err
	}
	return &Error{err, next}
}

// Error says what is wrong, and behind a semicolon what to do.
func (e *Error) Error() string { return Join(e.Summary(), e.Next) }

// Summary says what is wrong.
func (e *Error) Summary() string { return e.Err.Error() }

// Advice says what to do next.
func (e *Error) Advice() string { return e.Next }

// Unwrap returns the error without advice.
func (e *Error) Unwrap() error { return e.Err }

// Join puts advice behind a text, or behind other advice: a sentence of its own behind one that has ended.
func Join(text, next string) string {
	switch {
	case text == "" || next == "":
		return text + next
	case strings.HasSuffix(text, "."):
		return text + " " + strings.ToUpper(next[:1]) + next[1:]
	}
	return text + "; " + next
}

// Split returns what an error says, and its advice, which may be that of an error it wraps. It is all summary where
// none has advice, or where more is said behind it.
func Split(err error) (summary, next string) {
	text := err.Error()
	if a, ok := errors.AsType[Advised](err); ok && a.Advice() != "" {
		if before, ok := strings.CutSuffix(text, a.Error()); ok {
			return before + a.Summary(), a.Advice()
		}
	}
	return text, ""
}
