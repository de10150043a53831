package store

import (
	"context"
	"os/user"
	"sync"
)

// Actor is the author of a change, as recorded in the change log.
type Actor struct {
	User    string // name; "" for the system user of this process
	Project string // canonical UUID of the user's own project; "" for the system user
	Address string // address of the client; "" if the store is used without a server
	Request string // id of the request
	Message string // reason for the change, from the client
}

type actorKey struct{}

// Outcome is the result of a request's writes.
type Outcome struct {
	Revision int64  // revision of the last write that changed anything; 0 if none did
	Change   string // id of its change
}

// Cursor returns the position in the change log after the last write.
func (o Outcome) Cursor() Cursor { return Cursor{Revision: o.Revision, Change: o.Change} }

type outcomeKey struct{}

// WithOutcome returns a context whose writes store their results in o when they are durable. They must not run
// concurrently.
func WithOutcome(ctx context.Context, o *Outcome) context.Context {
	return context.WithValue(ctx, outcomeKey{}, o)
}

// WithActor returns a context whose writes are recorded with the author a.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

func actorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	if a.User == "" {
		a.User = systemUser()
	}
	return a
}

// systemUser returns the name of the user that runs this process, or the user's id if there is no name.
var systemUser = sync.OnceValue(func() string {
	u, err := user.Current()
	switch {
	case err != nil:
		return "unknown"
	case u.Username == "":
		return u.Uid
	}
	return u.Username
})
