package connect

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
)

// UnknownPast returns the reason of a server that cannot tell of the past what it was asked for, in the words of who asked:
// omit is what they say to leave out values that are not known. Statuses may mean that beside those that always do. ok
// is false for other errors.
func UnknownPast(err error, omit string, also ...int) (reason string, ok bool) {
	e, ok := errors.AsType[*craton.Error](err)
	if !ok || !slices.Contains(append(also, http.StatusConflict, http.StatusGone), e.Status) {
		return "", false
	}
	// "Read all again" is for who follows the log.
	return strings.NewReplacer("concealed=omit", omit, ": read all again", "").Replace(e.Message), true
}
