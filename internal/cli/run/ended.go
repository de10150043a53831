package run

import "fmt"

// ExitError is the error of a command that has nothing to complain of, but whose status says something. It is not
// printed.
type ExitError struct{ Status int }

// Error names the status.
func (e *ExitError) Error() string { return fmt.Sprintf("status %d", e.Status) }
