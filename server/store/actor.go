package store

import (
	"context"
	"os/user"
	"sync"
)

// Actor is who makes a change, as the change log records it.
type Actor struct {
	User    string // name; "" for the system user of this process
	Project string // canonical UUID of the user's own project; "" for the system user
	Address string // of the client; "" when the store is used without a server
	Request string // id of the request
	Message string // the reason that the client gave
}

type actorKey struct{}

// Outcome is the result of a request's writes.
type Outcome struct {
	Revision int64  // of the last one that changed anything; 0 if none did
	Change   string // its id
}

// Cursor returns the position in the change log after the last write.
func (o Outcome) Cursor() Cursor { return Cursor{Revision: o.Revision, Change: o.Change} }

type outcomeKey struct{}

// WithOutcome returns a context whose writes, one after the other, store their result in o once they are durable.
func WithOutcome(ctx context.Context, o *Outcome) context.Context {
	return context.WithValue(ctx, outcomeKey{}, o)
}

// WithActor returns a context whose writes are recorded as made by a.
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

// systemUser is the name of the user that runs this process, or the user's number if there is no name.
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
