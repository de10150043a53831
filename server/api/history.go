package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// The parameters of histories and differences.
var (
	historyParams = []param{
		{name: "kind", kind: str}, {name: "id", kind: str}, {name: "key", kind: str}, {name: "user", kind: str}, {name: "request_id", kind: str}, {name: "since", kind: str}, {name: "until", kind: str},
		{name: "name", kind: str}, {name: "action", kind: str}, {name: "before", kind: str}, {name: "limit", kind: integer, min: 1, max: 1000},
	}
	diffParams = []param{{name: "from", kind: str}, {name: "to", kind: str}, {name: "kind", kind: str}, {name: "id", kind: str}}
)

// showHistory serves GET /v1/history, which the original server does not have: the changes of an object and of its
// resolved variables, newest first; without an object, the change log itself.
func showHistory(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, historyParams, false)
	if err != nil {
		return err
	}
	l, err := c.historyList(q)
	if err != nil {
		return err
	}
	release, err := c.budget.past.take(c.r.Context(), 1)
	if err != nil {
		return err
	}
	c.hold(release)
	err = c.readLog(func(ctx context.Context, v *store.View) error {
		log, err := v.Log(ctx)
		if err != nil {
			return err
		}
		begins, err := v.LogBegin(ctx)
		if err != nil {
			return err
		}
		s := &shape{seconds: -1}
		dst := members{{"begins", orNull(begins)}}.append(append(c.buf, '{'), s, 1)
		dst = append(append(dst, ','), "\n  \"events\": ["...)
		found := false
		var text []byte
		end, err := v.History(ctx, c.caller.scope(), l, func(e *store.Event) error {
			if found {
				dst = append(dst, ',')
			}
			found = true
			text = c.appendEvent(text[:0], s, e, true)
			dst = c.out.room(c.out.appendIndented(jsontext.AppendNewline(dst, 2), jsontext.Text(text), 2))
			return c.out.err
		})
		if err != nil {
			return err
		}
		if found {
			dst = jsontext.AppendNewline(dst, 1)
		}
		next := any(nil)
		if end.More {
			next = end.Next.String()
		}
		tail := members{{"horizon", log.Horizon}, {"more", end.More}, {"newest", log.Newest.String()}, {"next", next}, {"whole", end.Complete}}
		c.buf = append(tail.append(append(dst, "],"...), s, 1), "\n}\n"...)
		return nil
	})
	return cursorError(err)
}

// orNull returns nil for a zero time.
func orNull(at store.Micros) any {
	if at == 0 {
		return nil
	}
	return at
}

// historyList converts the query to the store's parameters.
func (c *call) historyList(q query) (l store.HistoryParams, err error) {
	l = store.HistoryParams{
		Kinds: c.kinds(), Before: store.ParseCursor(q.text("before")),
		Key: q.text("key"), User: q.text("user"), Request: q.text("request_id"), Name: q.text("name"), Action: q.text("action"), Limit: defaultChanges,
	}
	if a, ok := q.get("limit"); ok {
		l.Limit = int(a.number)
	}
	if l.Object, err = c.object(q); err != nil {
		return l, err
	}
	if l.Object.ID != "" && l.Name+l.Action != "" {
		return l, fail(http.StatusBadRequest, "name and action search the whole change log: leave id out")
	}
	return l, q.span(&l.Since, &l.Until)
}

// object returns the object, or only the kind, that a query is about.
func (c *call) object(q query) (store.Object, error) {
	o := store.Object{Kind: q.text("kind"), ID: q.text("id")}
	if o.ID != "" && o.Kind == "" {
		return o, fail(http.StatusBadRequest, "id: give the kind too, since each kind has its own ids")
	}
	if o.Kind != "" {
		if err := c.mayRead(o.Kind); err != nil {
			return o, err
		}
		if id, ok := value.ParseUUID(o.ID); ok && schema.ByName(o.Kind).UUID {
			o.ID = id
		}
	}
	return o, nil
}

// appendEvent appends an event on one line. If the caller may not see the change, only its effect is shown; made
// reports whether the event has a change at all.
func (c *call) appendEvent(dst []byte, s *shape, e *store.Event, made bool) []byte {
	told := func(text string) any { return textOrNull(text, e.Seen) }
	dst = append(dst, `{"action":`...)
	dst = s.appendValue(dst, e.Action)
	if made {
		dst = jsontext.AppendString(append(dst, `,"change":`...), e.ID)
	}
	dst = append(dst, `,"fields":{`...)
	for i, f := range e.Fields {
		dst = append(jsontext.AppendString(comma(dst, i), f.Name), `:{"after":`...)
		dst = append(s.appendValue(dst, f.After), `,"before":`...)
		dst = append(s.appendValue(dst, f.Before), '}')
	}
	dst = append(dst, `},"id":`...)
	dst = append(appendID(dst, e.Kind, e.Object), `,"keys":[`...)
	for i, k := range e.Keys {
		dst = c.appendSide(append(comma(dst, i), `{"after":`...), k.After)
		dst = c.appendSide(append(dst, `,"before":`...), k.Before)
		dst = append(jsontext.AppendString(append(dst, `,"key":`...), k.Name), '}')
	}
	dst = jsontext.AppendString(append(dst, `],"kind":`...), e.Kind)
	dst = append(dst, `,"labels":`...)
	if e.Labelled {
		dst = appendList(append(dst, `{"after":`...), e.Labels[1])
		dst = append(appendList(append(dst, `,"before":`...), e.Labels[0]), '}')
	} else {
		dst = append(dst, "null"...)
	}
	more := members{{"path", told(e.Path)}}
	if made {
		more = members{{"message", told(e.Message)}, {"path", told(e.Path)}, {"request_id", told(e.Request)}, {"revision", e.Revision}, {"time", e.At}, {"user", told(e.User)}}
	}
	for _, m := range more {
		dst = append(jsontext.AppendString(append(dst, ','), m.name), ':')
		dst = s.appendValue(dst, m.value)
	}
	return append(dst, '}')
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return dst
}

// appendID appends an id in the form of its kind.
func appendID(dst []byte, kind, id string) []byte {
	if k := schema.ByName(kind); k != nil && !k.UUID {
		return append(dst, id...)
	}
	return jsontext.AppendString(dst, id)
}

// appendSide appends the value of a variable, and where it came from.
func (c *call) appendSide(dst []byte, v *store.Value) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	dst = append(appendID(append(dst, `{"from":{"id":`...), v.From.Kind, v.From.ID), `,"kind":`...)
	dst = append(jsontext.AppendString(dst, v.From.Kind), `,"name":`...)
	if c.mayRead(v.From.Kind) == nil {
		dst = jsontext.AppendString(dst, v.From.Name)
	} else {
		dst = append(dst, "null"...)
	}
	if v.Text == "" {
		return append(dst, `},"kept":false,"value":null}`...)
	}
	return append(append(append(dst, `},"kept":true,"value":`...), v.Text...), '}')
}

// appendList appends an array of strings on the same line.
func appendList(dst []byte, texts []string) []byte {
	dst = append(dst, '[')
	for i, text := range texts {
		dst = jsontext.AppendString(comma(dst, i), text)
	}
	return append(dst, ']')
}

// showDiff serves GET /v1/diff, which the original server does not have: the differences between two times, of one
// object with its resolved variables, or of every object that the caller may see. It is sent as lines while it is read,
// like a fleet.
func showDiff(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, diffParams, false)
	if err != nil {
		return err
	}
	o, err := c.object(q)
	if err != nil {
		return err
	}
	var find [2]func(ctx context.Context, v *store.View) (store.Cursor, error)
	for i, name := range []string{"from", "to"} {
		text := q.text(name)
		switch {
		case text != "":
			if find[i], err = parseMoment(name, text); err != nil {
				return err
			}
		case name == "from":
			return fail(http.StatusBadRequest, "from: a revision, a cursor or a time such as 2026-11-20T09:30:00Z must be given")
		default:
			find[i] = func(ctx context.Context, v *store.View) (store.Cursor, error) {
				log, err := v.Log(ctx)
				return log.Newest, err
			}
		}
	}
	release, err := c.budget.past.take(c.r.Context(), 1)
	if err != nil {
		return err
	}
	c.hold(release)
	c.lines()
	return cursorError(c.readLog(func(ctx context.Context, v *store.View) error {
		from, err := find[0](ctx, v)
		if err != nil {
			return err
		}
		to, err := find[1](ctx, v)
		if err != nil {
			return err
		}
		return c.writeDiff(ctx, v, o, from, to)
	}))
}

func (c *call) writeDiff(ctx context.Context, v *store.View, o store.Object, from, to store.Cursor) error {
	s := &shape{seconds: -1}
	dst := append(c.buf, `{"diff":{"format":1,"from":`...)
	dst = append(jsontext.AppendString(dst, cmp.Or(from.String(), "0")), `,"to":`...)
	dst = append(jsontext.AppendString(dst, cmp.Or(to.String(), "0")), "}}\n"...)
	count := int64(0)
	line := func(e *store.Event) error {
		count++
		dst = c.out.room(append(c.appendEvent(append(dst, `{"change":`...), s, e, false), "}\n"...))
		return c.out.err
	}
	if o.ID != "" {
		e, err := v.DiffObject(ctx, c.caller.scope(), o, from.Revision, to.Revision)
		if err != nil {
			return err
		}
		if e != nil {
			if err := line(e); err != nil {
				return err
			}
		}
	} else {
		kinds := c.kinds()
		if o.Kind != "" {
			kinds = []string{o.Kind}
		}
		if err := v.Diff(ctx, c.caller.scope(), kinds, from.Revision, to.Revision, line); err != nil {
			return err
		}
	}
	c.buf = append(s.appendValue(append(dst, `{"end":{"count":`...), count), "}}\n"...)
	return c.out.err
}
