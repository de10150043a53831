package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// moment is the past state that a request reads.
type moment struct {
	cursor store.Cursor
	omit   bool         // leave out what is not known
	part   *store.Part  // the part that is needed; nil for the whole fleet
	fleet  *store.Store // once it is open
}

// query returns the parameters for links to the same state, however it was requested.
func (m *moment) query() string {
	text := "&at=" + m.name()
	if m.omit {
		text += "&concealed=omit"
	}
	return text
}

// name returns the cursor, or "0" for the time before the first change.
func (m *moment) name() string { return cmp.Or(m.cursor.String(), "0") }

// timed wraps the handler of a GET that can show the past: at=MOMENT shows the state at that time, and concealed=omit
// leaves out values that are not known.
func timed(h handler) handler {
	return func(c *call) error {
		names, values := splitQuery(c.r.URL.RawQuery)
		at, asked := values["at"]
		concealed, said := values["concealed"]
		switch {
		case !asked && !said:
			return h(c)
		case !asked:
			return fail(http.StatusBadRequest, "concealed: requires at, since only past states have unknown values")
		case said && concealed != "omit":
			return fail(http.StatusBadRequest, "concealed: must be \"omit\", which leaves out values that the change log does not have")
		}
		if times := occurrences(c.r.URL.RawQuery, "at"); times > 1 {
			return fail(http.StatusBadRequest, "at: given %d times; a request reads one state", times)
		}
		find, err := parseMoment("at", at)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			u := *c.r.URL
			u.RawQuery = without(u.RawQuery, "at", "concealed")
			r := *c.r
			r.URL = &u
			c.r = &r
		}
		m := &moment{omit: said}
		err = c.store.View(c.r.Context(), false, func(ctx context.Context, v *store.View) (err error) {
			m.cursor, err = find(ctx, v)
			return err
		})
		if err != nil {
			return cursorError(err)
		}
		c.at = m
		return h(c)
	}
}

// asksForPast reports whether a query asks for a past state.
func asksForPast(query string) bool {
	_, values := splitQuery(query)
	_, at := values["at"]
	_, concealed := values["concealed"]
	return at || concealed
}

// without returns a query without some of its parameters.
func without(raw string, names ...string) string {
	var rest []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(pair, "=")
		known := false
		for _, n := range names {
			known = known || unescape(name) == n
		}
		if !known {
			rest = append(rest, pair)
		}
	}
	return strings.Join(rest, "&")
}

var (
	aRevision = value.LazyPattern(`^[0-9]{1,18}$`)
	aCursor   = value.LazyPattern(`^[0-9]{1,18}-[0-9a-f]{16,32}$`)
)

// parseMoment parses a revision, a cursor, or a time.
func parseMoment(name, text string) (find func(ctx context.Context, v *store.View) (store.Cursor, error), err error) {
	switch {
	case aRevision().MatchString(text):
		revision, err := parseInt64(text)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, v *store.View) (store.Cursor, error) { return v.AtRevision(ctx, revision) }, nil
	case aCursor().MatchString(text):
		return func(ctx context.Context, v *store.View) (store.Cursor, error) {
			return v.AtCursor(ctx, store.ParseCursor(text))
		}, nil
	}
	at, err := parseTime(name, text)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "%s: %q is neither a time such as 2026-11-20T09:30:00Z nor a revision", name, text)
	}
	return func(ctx context.Context, v *store.View) (store.Cursor, error) { return v.AtTime(ctx, at) }, nil
}

// cursorError converts the error for a cursor that this log does not have.
func cursorError(err error) error {
	var unknown *store.UnknownCursorError
	if errors.As(err, &unknown) {
		return fail(http.StatusGone, "%s", unknown.Error())
	}
	return err
}

// source returns the store that the request reads: the current fleet, or a past one.
func (c *call) source() (*store.Store, error) {
	m := c.at
	if m == nil {
		return c.store, nil
	}
	if m.fleet == nil {
		fleet, release, err := m.open(c)
		if errors.Is(err, store.ErrTooManyPasts) {
			return nil, &httpError{
				status: http.StatusInternalServerError, again: retryAfter,
				message: "As many past states of the fleet are read as there is room for. Ask again in some seconds.",
			}
		}
		if err != nil {
			return nil, cursorError(err)
		}
		c.hold(release)
		m.fleet = fleet
	}
	return m.fleet, nil
}

func (m *moment) open(c *call) (*store.Store, func(), error) {
	if m.part != nil {
		return c.store.AtPart(c.r.Context(), m.cursor, *m.part)
	}
	return c.store.At(c.r.Context(), m.cursor)
}

// scopeToObject declares that an answer needs only the path's object, and what it inherits from.
func (c *call) scopeToObject(r *resource) {
	if c.at != nil {
		c.at.part = &store.Part{Object: store.Object{Kind: r.Name, ID: c.pathID(r)}}
	}
}

// scopeToListed declares that a listing needs only the object with an id, or those with a name, if that is so. That
// does not hold for a page after a marker.
func (c *call) scopeToListed(r *resource, l store.List) {
	if c.at == nil || l.Marker != "" || l.Under != 0 || l.NameLike != "" {
		return
	}
	for _, f := range l.Filters {
		switch value := f.Value.(type) {
		case int64:
			if f.Column == "id" {
				c.at.part = &store.Part{Object: store.Object{Kind: r.Name, ID: strconv.FormatInt(value, 10)}}
			}
		case string:
			if f.Column == r.Title {
				c.at.part = &store.Part{Object: store.Object{Kind: r.Name}, Name: value}
			}
		}
	}
}
