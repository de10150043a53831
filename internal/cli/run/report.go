package run

import (
	"errors"
	"io"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
)

// Report prints the error of a command, and returns the exit status: 2 for a mistake in the arguments, 128 plus its
// number for a signal, else 1.
func Report(w io.Writer, err error) int {
	if e, ok := err.(*ExitError); ok { //nolint:errorlint // joined with another error it is to be printed
		return e.Status
	}
	if e, ok := errors.AsType[*argparse.UsageError](err); ok {
		_, _ = io.WriteString(w, e.Usage+e.Error()+"\n")
		return 2
	}
	lines := strings.Split(message(err), "\n")
	if output.IsTerminal(w) { // which must ignore control sequences from the API
		for i := range lines {
			lines[i] = show.Clean(lines[i])
		}
	}
	_, _ = io.WriteString(w, "ERROR: "+strings.Join(lines, "\n")+"\n")
	if i, ok := errors.AsType[*InterruptionError](err); ok {
		return i.status()
	}
	return 1
}
