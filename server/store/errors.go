package store

import (
	"errors"
	"fmt"
)

// Code says what kind of refusal an [Error] is.
type Code uint8

// The kinds of refusals.
const (
	NotFound           Code = iota + 1 // no such object in the caller's scope
	Conflict                           // it exists already
	InUse                              // something outside depends on what is to be deleted
	Invalid                            // a value cannot be accepted
	Forbidden                          // the caller's role does not suffice
	TimedOut                           // it took longer than a read may
	PreconditionFailed                 // the object is not what the caller took it for
	BeforeHorizon                      // the change log does not go back so far
	NotRetained                        // the change log does not have the value
	ExceedsGrant                       // more than the caller may give to others
)

// Error is a refusal that the caller can act on. Every other error of this
// package is a failure of the database.
type Error struct {
	Code    Code
	Message string // for the person who sent the request
}

func (e *Error) Error() string { return e.Message }

// IsCode reports whether err is an [Error] of the given code.
func IsCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

func refuse(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

var errNotFound = &Error{Code: NotFound, Message: "Not Found"}
