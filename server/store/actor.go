package store

import (
	"context"
	"os/user"
	"sync"
)

// Actor is who changes something, as the change log keeps it.
type Actor struct {
	User    string // name; "" is the system user of this process
	Project string // canonical UUID of the user's own project; "" for the system user
	Address string // of the client; "" in one process
	Request string // id of the request
	Message string // why, in the words of who sent it
}

type actorKey struct{}

// Outcome is what came of a request's writes.
type Outcome struct {
	Revision int64  // of the last one that changed anything; 0 if none did
	Change   string // its id
}

// Cursor is the place in the change log behind the last write.
func (o Outcome) Cursor() Cursor { return Cursor{Revision: o.Revision, Change: o.Change} }

type outcomeKey struct{}

// WithOutcome returns a context whose writes, one after the other, fill o when they are durable.
func WithOutcome(ctx context.Context, o *Outcome) context.Context {
	return context.WithValue(ctx, outcomeKey{}, o)
}

// WithActor returns a context whose writes are done by a.
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

// systemUser is the name of whose process this is; its number where there is
// no name.
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
