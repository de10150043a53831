package run

import "fmt"

// Ended is the error of a command that has nothing to complain of, but whose status says something. It is not printed.
type Ended struct{ Status int }

// Error names the status.
func (e *Ended) Error() string { return fmt.Sprintf("status %d", e.Status) }
