package api

import (
	"net/http"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// messageHeader has the reason for a write, for the change log.
const messageHeader = "X-Craton-Message"

// maxMessage is the largest length of the reason in bytes.
const maxMessage = 1024

// actor returns the author of a request's changes.
func actor(r *http.Request, user, project string) store.Actor {
	t := traceOf(r.Context())
	who := store.Actor{User: user, Project: project, Request: t.RequestID}
	if t.Client.IsValid() {
		who.Address = t.Client.String()
	}
	return who
}

// identify records the author of a write and the reason in the context. An embedded server has no login, so there it is
// the system user.
func (c *call) identify() error {
	who := actor(c.r, c.caller.User, c.caller.Project)
	if c.embedded {
		who.User, who.Project = "", ""
	}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		who.Message = c.r.Header.Get(messageHeader)
		if len(who.Message) > maxMessage {
			return fail(http.StatusBadRequest, "%s has %d bytes, at most %d are possible.", messageHeader, len(who.Message), maxMessage)
		}
		if err := value.CheckWord(who.Message); err != nil {
			return fail(http.StatusBadRequest, "%s %s", messageHeader, err)
		}
	}
	c.r = c.r.WithContext(store.WithOutcome(store.WithActor(c.r.Context(), who), &c.trace().Written))
	return nil
}
