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

// moment is the past state that a request asks for.
type moment struct {
	cursor store.Cursor
	omit   bool         // what is not known
	part   *store.Part  // that is needed; nil for the whole fleet
	fleet  *store.Store // once it is read
}

// query is what links have of it: the same moment, however it was asked for.
func (m *moment) query() string {
	text := "&at=" + m.name()
	if m.omit {
		text += "&concealed=omit"
	}
	return text
}

// name is the cursor, and also has one for when there was nothing.
func (m *moment) name() string { return cmp.Or(m.cursor.String(), "0") }

// timed is a handler of a GET that also knows the past: at=MOMENT shows
// everything as it was, and concealed=omit leaves out what is not known of that.
func timed(h handler) handler {
	return func(c *call) error {
		names, values := splitQuery(c.r.URL.RawQuery)
		at, asked := values["at"]
		concealed, said := values["concealed"]
		switch {
		case !asked && !said:
			return h(c)
		case !asked:
			return fail(http.StatusBadRequest, "concealed: only a past state has values that are not known, so it goes with at")
		case said && concealed != "omit":
			return fail(http.StatusBadRequest, "concealed: it can only be \"omit\", to leave out the values that the change log does not have")
		}
		if times := occurrences(c.r.URL.RawQuery, "at"); times > 1 {
			return fail(http.StatusBadRequest, "at: it is there %d times, and a state is of one moment", times)
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
			return gone(err)
		}
		c.at = m
		return h(c)
	}
}

// asksForPast tells a query about a past state.
func asksForPast(query string) bool {
	_, values := splitQuery(query)
	_, at := values["at"]
	_, concealed := values["concealed"]
	return at || concealed
}

// without is a query without some of its parameters.
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

// parseMoment reads what names a state of the fleet: a revision, a cursor, or a
// time.
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
		return nil, fail(http.StatusBadRequest, "%s: %q is no time such as 2026-11-20T09:30:00Z, and no revision", name, text)
	}
	return func(ctx context.Context, v *store.View) (store.Cursor, error) { return v.AtTime(ctx, at) }, nil
}

// gone is the answer to who names a place that this log does not have.
func gone(err error) error {
	var unknown *store.UnknownCursorError
	if errors.As(err, &unknown) {
		return fail(http.StatusGone, "%s", unknown.Error())
	}
	return err
}

// source is what the request reads: the fleet as it is, or as it was.
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
			return nil, gone(err)
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

// about says that an answer needs the path's object only, and what that inherits
// from.
func (c *call) about(r *resource) {
	if c.at != nil {
		c.at.part = &store.Part{Object: store.Object{Kind: r.Name, ID: c.pathID(r)}}
	}
}

// aboutListed says that a listing needs only the object with an id, or those with a
// name, if that is so. Where a page behind another one begins is none of those.
func (c *call) aboutListed(r *resource, l store.List) {
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
