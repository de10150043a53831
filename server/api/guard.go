package api

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/internal/guard"
)

// msgGuessing is the message for a client that is refused without checking its credentials. It does not reveal whether
// the user exists. The python client cannot handle 429, which would fit (see [statusOf]).
const msgGuessing = "Too many wrong logins. Try again in %d seconds; see that the user, project and key are right before."

// Guarded returns an authenticator that delays and then refuses clients that guess credentials. byToken means that
// X-Auth-Token alone decides, as with Keystone. What is refused from now on, and for how long, is logged.
func Guarded(authenticate Authenticator, g *guard.Guard, byToken bool, log *slog.Logger) Authenticator {
	return func(r *http.Request) (Caller, error) {
		user, token := r.Header.Get("X-Auth-User"), r.Header.Get("X-Auth-Token")
		a := guard.Attempt{Address: traceOf(r.Context()).Client, Credential: []string{token}}
		if byToken {
			user = ""
		} else {
			project := triedProject(r)
			a.Credential = append(a.Credential, project)
			if user != "" {
				a.User = user + "\x00" + project // a header cannot contain NUL
			}
		}
		if user == "" && token == "" { // a request without credentials is not a guess
			return authenticate(r)
		}
		var caller Caller
		var answer error
		began, err := g.Do(r.Context(), a, func() guard.Outcome {
			caller, answer = authenticate(r)
			return outcome(answer)
		})
		if began > 0 {
			log.WarnContext(r.Context(), "refusing logins after too many wrong ones", slog.String("client", a.Address.String()),
				slog.String("tried_user", shorten(user)), slog.String("for", began.String()))
		}
		if refused := (*guard.RefusedError)(nil); errors.As(err, &refused) {
			traceOf(r.Context()).Guessing = true
			seconds := int(math.Ceil(refused.Wait.Seconds()))
			return Caller{}, &httpError{
				status: http.StatusUnauthorized, again: strconv.Itoa(seconds), message: fmt.Sprintf(msgGuessing, seconds),
			}
		} else if err != nil {
			return Caller{}, err
		}
		return caller, answer
	}
}

// triedProject returns the project in canonical form. A user of another project is another user, whose own key forgives
// no wrong one, and different spellings of a project do not count as different credentials.
func triedProject(r *http.Request) string {
	given := r.Header.Get("X-Auth-Project")
	if project, ok := value.ParseUUID(given); ok {
		return project
	}
	return given
}

// outcome distinguishes wrong credentials from those that could not be checked. Valid credentials without permission
// are not a guess.
func outcome(err error) guard.Outcome {
	var refused *httpError
	switch {
	case err == nil:
		return guard.Right
	case !errors.As(err, &refused):
		return guard.Unknown
	case refused.status == http.StatusUnauthorized:
		return guard.Wrong
	case refused.status == http.StatusForbidden:
		return guard.Right
	}
	return guard.Unknown
}
