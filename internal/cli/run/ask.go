package run

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
)

// Confirm prints why, and asks a yes-or-no question. If nobody can answer, the error is why followed by what else to
// do; no is the error if the answer is no.
func Confirm(s output.Streams, why, question, unasked, no string) error {
	if !output.IsTerminal(s.In) || !output.IsTerminal(s.Err) {
		return errors.New(strings.TrimSpace(why + " " + unasked))
	}
	if why != "" {
		why = show.Clean(why) + "\n"
	}
	if _, err := fmt.Fprint(s.Err, why+question+" [y/N] "); err != nil {
		return err
	}
	answer, err := bufio.NewReader(s.In).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); err == nil && (answer == "y" || answer == "yes") {
		return nil
	}
	return errors.New(no)
}
