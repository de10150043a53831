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

// msgGuessing is the answer to who is refused without a look into the database. It says nothing of
// whether there is such a user. 429, which would fit, is what the python client dies of (see [statusOf]).
const msgGuessing = "Too many wrong logins. Try again in %d seconds; see that the user, project and key are right before."

// Guarded is an authenticator behind a guard: who guesses is held up, and refused after a while.
// byToken tells that X-Auth-Token is all that counts, as with Keystone. What is refused from
// now on, and for how long, goes to log.
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
				a.User = user + "\x00" + project // no header has one
			}
		}
		if user == "" && token == "" { // nobody guesses by saying nothing
			return authenticate(r)
		}
		var caller Caller
		var answer error
		began, err := g.Do(r.Context(), a, func() guard.Outcome {
			caller, answer = authenticate(r)
			return outcome(answer)
		})
		if began > 0 {
			log.WarnContext(r.Context(), "logins are refused: too many were wrong", slog.String("client", a.Address.String()),
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

// triedProject is the project of the user who is tried, in one form: a user of another one is somebody else, whose own key
// forgives nothing, and no number of spellings makes many credentials of one.
func triedProject(r *http.Request) string {
	given := r.Header.Get("X-Auth-Project")
	if project, ok := value.ParseUUID(given); ok {
		return project
	}
	return given
}

// outcome tells a wrong credential from one that could not be looked up. Whoever has a valid one that
// allows nothing has not guessed.
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
