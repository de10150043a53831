package run

import "fmt"

// ExitError is the error of a command that did not fail, but has a special exit status. It is not printed.
type ExitError struct{ Status int }

// Error names the status.
func (e *ExitError) Error() string { return fmt.Sprintf("status %d", e.Status) }
