package store

import (
	"errors"
	"fmt"
)

// Code is the kind of an [Error].
type Code uint8

// The kinds of errors.
const (
	NotFound           Code = iota + 1 // no such object in the caller's scope
	Conflict                           // an object with the name exists already
	InUse                              // another object depends on the one to be deleted
	Invalid                            // a value is not valid
	Forbidden                          // the caller's role is not sufficient
	TimedOut                           // the read took too long
	PreconditionFailed                 // the object is not in the expected state
	BeforeHorizon                      // the state is from before the horizon of the change log
	NotRetained                        // the change log only has a hash of the value
	ExceedsGrant                       // the caller would grant more than its own role permits
)

// Error is an error that the caller can handle. Other errors of this package are failures of the database.
type Error struct {
	Code    Code
	Message string // for the user who sent the request
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

// errNoProject is the error for a project that was deleted after the request was authorized.
func errNoProject(project any) error {
	return refuse(Invalid, "The project %v no longer exists: it was deleted meanwhile, and nothing was stored. Use another project, or have it created again.", project)
}

// errLost is the error for a write that still fails after several retries, because concurrent writes delete objects it
// refers to.
var errLost = &Error{Code: Conflict, Message: "Something that the request refers to was created or deleted meanwhile, and nothing was stored. Look at what there is now, and try again."}

var errNotFound = &Error{Code: NotFound, Message: "Not Found"}
