package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/craton-fleet/craton/server/store"
)

// Trace is the log entry of one request: its id, and what becomes known while it is served.
type Trace struct {
	RequestID string
	Client    netip.Addr // the client, behind any proxies

	User, Project           string // the authenticated user
	TriedUser, TriedProject string // the claimed user, if refused
	Guessing                bool   // refused without checking the key, after too many wrong ones

	Route string // the route, as [Routes] names it, below /v1/; "" for none

	Created string        // id of the created object
	Changed []string      // names of the fields, labels and variables that it wrote; never values
	Written store.Outcome // outcome of its writes

	// Waiting is called when the request begins to wait for something other than the server's own work, and the
	// function that it returns when that is over. It may be nil.
	Waiting func() (back func())
}

type traceKey struct{}

// WithTrace returns a context whose request belongs to t and fills it.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf returns the trace of a request, or an unused one.
func traceOf(ctx context.Context) *Trace {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return t
	}
	return &Trace{}
}

func (c *call) trace() *Trace { return traceOf(c.r.Context()) }

// waiting records that the request only waits, until the returned function is called.
func (c *call) waiting() (back func()) {
	if t := c.trace(); t.Waiting != nil {
		return t.Waiting()
	}
	return func() {}
}

// Bounds on what a log line contains of a request.
const (
	maxTracedText  = 64 // characters of a name
	maxTracedNames = 20
)

// setClaimed records who a request claimed to be.
func (t *Trace) setClaimed(h http.Header) {
	t.TriedUser, t.TriedProject = shorten(h.Get("X-Auth-User")), shorten(h.Get("X-Auth-Project"))
}

// addNames records the names of what a request changed.
func (t *Trace) addNames(names ...string) {
	for i, name := range names {
		if len(t.Changed) == maxTracedNames {
			t.Changed = append(t.Changed, fmt.Sprintf("and %d more", len(names)-i))
			return
		}
		t.Changed = append(t.Changed, shorten(name))
	}
}

// addInputNames records the names of what a body set.
func (t *Trace) addInputNames(r *resource, in *input) {
	var names []string
	for _, f := range r.fields {
		if _, ok := in.Values[f.name]; ok {
			names = append(names, f.name)
		}
	}
	t.addNames(append(append(names, prefixed("labels.", in.Labels)...), prefixed("variables.", keys(in.Variables))...)...)
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
