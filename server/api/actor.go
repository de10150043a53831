package api

import (
	"net/http"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// messageHeader says why a write is done, for the change log.
const messageHeader = "X-Craton-Message"

// maxMessage is how many bytes of it are possible.
const maxMessage = 1024

// actor is the user of a request, as the change log has who did something.
func actor(r *http.Request, user, project string) store.Actor {
	t := traceOf(r.Context())
	who := store.Actor{User: user, Project: project, Request: t.RequestID}
	if t.Client.IsValid() {
		who.Address = t.Client.String()
	}
	return who
}

// identify has the change log know who writes, and why. In one process that is
// the system user: nobody signs in.
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
