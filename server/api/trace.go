package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/craton-fleet/craton/server/store"
)

// Trace is one request in the logs: its id, and what is learned of it while
// it is served.
type Trace struct {
	RequestID string
	Client    netip.Addr // whom it comes from, proxies passed over

	User, Project           string // who sent it
	TriedUser, TriedProject string // who it claimed to be, if that was refused
	Guessing                bool   // it was refused without a look at the key, because too many were wrong

	Route string // that serves it, as [Routes] names it, below /v1/; "" for none

	Created string        // id of the object that it made
	Changed []string      // names of the fields, labels and variables that it wrote; never values
	Written store.Outcome // what came of that

	// ClientGone is called when the request begins to wait for something that is none of the server's work, and what it
	// returns when that is over. nil: nobody needs to know.
	ClientGone func() (back func())
}

type traceKey struct{}

// WithTrace returns a context whose request belongs to t and fills it.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf returns the trace of a request, or one that nobody reads.
func traceOf(ctx context.Context) *Trace {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return t
	}
	return &Trace{}
}

func (c *call) trace() *Trace { return traceOf(c.r.Context()) }

// clientGone says that the request only waits, until what it returns is called.
func (c *call) clientGone() (back func()) {
	if t := c.trace(); t.ClientGone != nil {
		return t.ClientGone()
	}
	return func() {}
}

// Bounds on what a log line takes over from a request.
const (
	maxTracedText  = 64 // characters of a name
	maxTracedNames = 20
)

// refuse remembers who a request claimed to be.
func (t *Trace) refuse(h http.Header) {
	t.TriedUser, t.TriedProject = shorten(h.Get("X-Auth-User")), shorten(h.Get("X-Auth-Project"))
}

// wrote remembers names of what a request changed.
func (t *Trace) wrote(names ...string) {
	for i, name := range names {
		if len(t.Changed) == maxTracedNames {
			t.Changed = append(t.Changed, fmt.Sprintf("and %d more", len(names)-i))
			return
		}
		t.Changed = append(t.Changed, shorten(name))
	}
}

// wroteInput remembers the names of what a body set.
func (t *Trace) wroteInput(r *resource, in *input) {
	var names []string
	for _, f := range r.fields {
		if _, ok := in.Values[f.name]; ok {
			names = append(names, f.name)
		}
	}
	t.wrote(append(append(names, prefixed("labels.", in.Labels)...), prefixed("variables.", keys(in.Variables))...)...)
}

func keys(set []store.Variable) []string {
	names := make([]string, len(set))
	for i, v := range set {
		names[i] = v.Name
	}
	return names
}

func prefixed(prefix string, names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = prefix + name
	}
	return all
}

func shorten(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if r := []rune(text); len(r) > maxTracedText {
		return string(r[:maxTracedText]) + "..."
	}
	return text
}
