package api

import (
	"context"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// The parameters of the change log.
var changeParams = []param{
	{name: "after", kind: str}, {name: "limit", kind: integer, min: 1, max: 1000}, {name: "wait", kind: integer, max: 60},
	{name: "kind", kind: str}, {name: "id", kind: str}, {name: "user", kind: str}, {name: "request_id", kind: str},
	{name: "since", kind: str}, {name: "until", kind: str},
}

// setterParams are the parameters with setters=true.
var setterParams = []param{{name: "setters", kind: boolean}, {name: "kind", kind: str}, {name: "id", kind: str}, {name: "at", kind: str}}

// defaultChanges is the number of changes in an answer without a limit.
const defaultChanges = 100

// listChanges serves GET /v1/changes, which the original server does not have: the changes to objects that the caller
// may see, in order. With wait, an answer without changes is delayed until there is one, or the time is over.
func listChanges(c *call) error {
	if _, values := splitQuery(c.r.URL.RawQuery); values["setters"] != "" {
		return listSetters(c)
	}
	q, err := parseQuery(c.r.URL.RawQuery, changeParams, false)
	if err != nil {
		return err
	}
	l, err := c.changeList(q)
	if err != nil {
		return err
	}
	seconds, _ := q.get("wait")
	ctx, cancel := context.WithTimeout(c.r.Context(), time.Duration(seconds.number)*time.Second)
	defer cancel()
	for waited := false; ; {
		began, rings := time.Now(), c.store.Rings()
		newest, found, err := c.showChanges(&l)
		if err != nil || found || ctx.Err() != nil {
			return err
		}
		if !waited {
			done, err := c.waiters.enter(c.caller.Project)
			if err != nil {
				return err
			}
			defer done()
			waited = true
		}
		// The log may grow fast, with changes that the caller does not want.
		back := c.waiting()
		over := c.store.Wait(ctx, rings, newest) != nil || !pause(ctx, time.Until(began.Add(pollInterval)))
		back()
		if over {
			return nil
		}
		// The caller's access may have been revoked or reduced since.
		if err := c.admit(); err != nil {
			return err
		}
		if l, err = c.changeList(q); err != nil {
			return err
		}
	}
}

// listSetters serves GET /v1/changes with setters=true: for each variable that an object has, or had at a time, the
// last change that set it. There are at most as many as variables, and there is no next page.
func listSetters(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, setterParams, false)
	if err != nil {
		return err
	}
	if !q.flag("setters") {
		return fail(http.StatusBadRequest, "setters: must be true; leave it out to read all changes")
	}
	o, err := c.object(q)
	if err != nil {
		return err
	}
	if o.ID == "" {
		return fail(http.StatusBadRequest, "setters: give the kind and id of the object")
	}
	find := func(ctx context.Context, v *store.View) (store.Cursor, error) {
		return store.Cursor{Revision: math.MaxInt64}, nil
	}
	if text := q.text("at"); text != "" {
		if find, err = parseMoment("at", text); err != nil {
			return err
		}
	}
	return cursorError(c.readLog(func(ctx context.Context, v *store.View) error {
		at, err := find(ctx, v)
		if err != nil {
			return err
		}
		log, err := v.Log(ctx)
		if err != nil {
			return err
		}
		return c.writeChanges(log, func(fn func(*store.Change) error) (store.Cursor, bool, error) {
			return log.Newest, false, v.Setters(ctx, c.caller.scope(), o, at.Revision, fn)
		})
	}))
}

// pollInterval is the time between two reads of the log for a waiting client. The first change after a pause is sent at
// once.
const pollInterval = time.Second

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// changeList converts the query to the store's parameters.
func (c *call) changeList(q query) (l store.ChangesParams, err error) {
	l = store.ChangesParams{After: store.ParseCursor(q.text("after")), Object: q.text("id"), User: q.text("user"), Request: q.text("request_id"), Limit: defaultChanges}
	if a, ok := q.get("limit"); ok {
		l.Limit = int(a.number)
	}
	l.Kinds = c.kinds()
	if kind, given := q.get("kind"); given {
		l.Kinds = []string{kind.text}
		if err := c.mayRead(kind.text); err != nil {
			return l, err
		}
	}
	return l, q.span(&l.Since, &l.Until)
}

// kinds returns the kinds whose changes the caller may see.
func (c *call) kinds() (names []string) {
	for _, r := range resources {
		if c.caller.require(r.itemRole) == nil {
			names = append(names, r.Name)
		}
	}
	return names
}

// mayRead returns an error for a kind whose changes the caller may not see.
func (c *call) mayRead(kind string) error {
	var names []string
	for _, r := range resources {
		if r.Name == kind {
			return c.caller.require(r.itemRole)
		}
		names = append(names, r.Name)
	}
	return fail(http.StatusBadRequest, "kind: there is no %q in the change log, only %s", kind, strings.Join(names, ", "))
}

// span parses the time range of changes.
func (q query) span(since, until *store.Micros) (err error) {
	for name, into := range map[string]*store.Micros{"since": since, "until": until} {
		if text := q.text(name); text != "" {
			if *into, err = parseTime(name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseTime parses a time in RFC 3339, or as the API shows it.
func parseTime(name, text string) (store.Micros, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil && t.UnixMicro() > 0 {
			return store.Micros(t.UnixMicro()), nil
		}
	}
	return 0, fail(http.StatusBadRequest, "%s: %q is not a time such as 2026-11-20T09:30:00Z", name, text)
}

// showChanges writes the changes that are in the log now, and sets l to continue at its end if there was none. newest
// is the log's newest revision.
func (c *call) showChanges(l *store.ChangesParams) (newest int64, found bool, err error) {
	if l.User+l.Request != "" && l.Object == "" { // the whole log is searched
		release, err := c.budget.scans.take(c.r.Context(), 1)
		if err != nil {
			return 0, false, err
		}
		defer release()
	}
	next := l.After
	err = c.readLog(func(ctx context.Context, v *store.View) error {
		log, err := v.Log(ctx)
		if err != nil {
			return err
		}
		newest = log.Newest.Revision
		return c.writeChanges(log, func(fn func(*store.Change) error) (_ store.Cursor, more bool, err error) {
			found = false
			next, more, err = v.Changes(ctx, c.caller.scope(), *l, func(change *store.Change) error {
				found = true
				return fn(change)
			})
			return next, more, err
		})
	})
	if err = cursorError(err); err != nil {
		return 0, false, err
	}
	if !found {
		l.After = next
	}
	return newest, found, err
}

// writeChanges writes the changes with which read calls its function. read returns where to continue, and whether there
// may be more.
func (c *call) writeChanges(log store.LogState, read func(fn func(*store.Change) error) (next store.Cursor, more bool, err error)) error {
	found := false
	dst := append(c.buf[:0], "{\n  \"changes\": ["...)
	s := &shape{seconds: -1}
	next, more, err := read(func(change *store.Change) error {
		if found {
			dst = append(dst, ',')
		}
		found = true
		dst = c.appendChange(jsontext.AppendNewline(dst, 2), s, change)
		return c.out.err
	})
	if err != nil {
		return err
	}
	if found {
		dst = jsontext.AppendNewline(dst, 1)
	}
	tail := members{{"horizon", log.Horizon}, {"more", more}, {"newest", log.Newest.String()}, {"next", next.String()}}
	c.buf = append(tail.append(append(dst, "],"...), s, 1), "\n}\n"...)
	return nil
}

// members are the members of a JSON object, sorted by name.
type members []struct {
	name  string
	value any // nil, string, bool, int64 or [store.Micros]
}

func (m members) append(dst []byte, s *shape, depth int) []byte {
	for i, one := range m {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, depth), one.name), ": "...)
		dst = s.appendValue(dst, one.value)
	}
	return dst
}

// textOrNull returns nil for an empty text, and for one that is not shown.
func textOrNull(text string, shown bool) any {
	if text == "" || !shown {
		return nil
	}
	return text
}

// appendChange appends one change. The address of a request, and the project of a user of another project, are shown
// only to callers who manage users.
func (c *call) appendChange(dst []byte, s *shape, x *store.Change) []byte {
	manages := c.caller.require(schema.Admin) == nil
	var id any = x.Object
	if n, err := parseInt64(x.Object); err == nil && !schema.ByName(x.Kind).UUID {
		id = n
	}
	dst = append(dst, '{')
	dst = members{{"action", x.Action}, {"address", textOrNull(x.Address, manages)}}.append(dst, s, 3)
	for _, side := range []struct{ name, text string }{{"after", x.After}, {"before", x.Before}} {
		dst = append(jsontext.AppendNewline(append(dst, ','), 3), `"`+side.name+`": `...)
		if side.text == "" {
			side.text = "null"
		}
		dst = c.out.appendIndented(dst, side.text, 3)
	}
	dst = members{
		{"change", x.ID}, {"id", id}, {"kind", x.Kind}, {"message", textOrNull(x.Message, true)}, {"path", x.Path}, {"project_id", x.Project},
		{"request_id", textOrNull(x.Request, true)}, {"revision", x.Revision}, {"time", x.At}, {"user", x.User},
		{"user_project_id", textOrNull(x.UserProject, manages || x.UserProject == c.caller.Project)},
	}.append(append(dst, ','), s, 3)
	return c.out.room(append(jsontext.AppendNewline(dst, 2), '}'))
}

// How many requests may wait for changes: each needs a connection, a little memory, and a read of the log whenever it
// grows.
const (
	maxWaiters        = 512
	maxProjectWaiters = 128
)

// waiters counts the requests that wait for changes.
type waiters struct {
	mu  sync.Mutex
	all int
	of  map[string]int // by project
}

func newWaiters() *waiters { return &waiters{of: map[string]int{}} }

// enter takes a place for a waiting request, and returns the function that releases it.
func (w *waiters) enter(project string) (done func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= maxWaiters || w.of[project] >= maxProjectWaiters {
		return nil, &httpError{
			status: http.StatusInternalServerError, again: retryAfter,
			message: "As many requests wait for changes as there is room for. Ask again in some seconds, or without wait.",
		}
	}
	w.all++
	w.of[project]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all--
		if w.of[project]--; w.of[project] == 0 {
			delete(w.of, project)
		}
	}, nil
}
