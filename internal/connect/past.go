package connect

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
)

// UnknownPast returns the reason why a server cannot show a past state, in the words of the caller: omit is the option
// that leaves out unknown values. also are further statuses that mean this. ok is false for other errors.
func UnknownPast(err error, omit string, also ...int) (reason string, ok bool) {
	e, ok := errors.AsType[*craton.Error](err)
	if !ok || !slices.Contains(append(also, http.StatusConflict, http.StatusGone), e.Status) {
		return "", false
	}
	// "Read all again" is for clients that follow the log.
	return strings.NewReplacer("concealed=omit", omit, ": read all again", "").Replace(e.Message), true
}
