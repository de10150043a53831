package api

import (
	"maps"
	"net/http"
	"slices"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// undo serves POST /v1/undo, which the original server does not have: it undoes a write, or all writes of a request.
func undo(c *call) error {
	u, err := c.readUndo()
	if err != nil {
		return err
	}
	u.May = c.mayUndo
	done, err := c.store.Undo(c.r.Context(), c.caller.scope(), u)
	if err != nil {
		if store.IsCode(err, store.PreconditionFailed) { // as a PUT does that nobody made conditional
			return fail(http.StatusConflict, "%s", err)
		}
		return cursorError(err)
	}
	if !u.Check {
		c.trace().addNames("undo")
	}
	return c.produce(func(bool) error {
		c.buf = c.out.appendIndented(c.buf, jsontext.Text(appendUndone(nil, done)), 0)
		c.buf = append(c.buf, '\n')
		return nil
	})
}

// readUndo validates a body {"revision": 12 or "12-0b5e...", "request_id": TEXT, "force": BOOL, "check": BOOL,
// "concealed": "omit"}.
func (c *call) readUndo() (u store.UndoParams, err error) {
	body, err := c.readBody()
	if err != nil {
		return u, err
	}
	k := &checker{}
	if !k.isObject(body) {
		return u, k.err()
	}
	given := 0
	var unknown []string
	for _, m := range body.Members {
		switch m.Key {
		case "revision":
			if !k.isType(m.Value, "string", jsontext.String, jsontext.Integer) {
				break
			}
			given++
			switch text := m.Value.Text; {
			case aRevision().MatchString(text):
				u.At.Revision, err = parseInt64(text)
			case aCursor().MatchString(text):
				u.At = store.ParseCursor(text)
			default:
				k.add("revision: it is a number, or a number with its change, such as 12-0b5e5b1c0f3f3a52")
			}
			if err != nil {
				return u, err
			}
		case "request_id":
			if k.isString(m.Value) {
				if u.Request = m.Value.Text; u.Request == "" {
					k.add("request_id: it is empty")
				}
				given++
			}
		case "force", "check":
			if k.isType(m.Value, "boolean", jsontext.True, jsontext.False) {
				*map[string]*bool{"force": &u.Force, "check": &u.Check}[m.Key] = m.Value.Kind == jsontext.True
			}
		case "concealed":
			if u.Omit = m.Value.Kind == jsontext.String && m.Value.Text == "omit"; !u.Omit {
				k.add("concealed: must be \"omit\", which leaves values as they are that the change log does not have")
			}
		default:
			unknown = append(unknown, m.Key)
		}
	}
	if len(unknown) > 0 {
		k.add("%s", unexpected(unknown))
	}
	if given != 1 && len(k.messages) == 0 {
		k.add("what to undo is either a 'revision' or a 'request_id'")
	}
	return u, k.err()
}

// mayUndo returns an error for an action that the caller may not do to objects of a kind.
func (c *call) mayUndo(kind, action string) error {
	for _, r := range resources {
		if r.Name != kind {
			continue
		}
		switch action {
		case store.Created:
			if r == users && c.caller.External {
				return errNoUsers
			}
			return c.caller.require(r.createRole)
		case store.Deleted:
			return c.caller.require(r.deleteRole)
		}
		return c.caller.require(r.itemRole)
	}
	return errNotFound
}

// appendUndone appends the result of an undo, on one line.
func appendUndone(dst []byte, d *store.UndoResult) []byte {
	dst = append(dst, `{"conflicts":`...)
	dst = appendList(dst, d.Conflicts)
	dst = append(dst, `,"counts":{`...)
	for i, action := range slices.Sorted(maps.Keys(d.Counts)) {
		dst = append(jsontext.AppendString(comma(dst, i), action), ':')
		dst = (&shape{}).appendValue(dst, int64(d.Counts[action]))
	}
	dst = append(dst, `},"left":`...)
	dst = appendList(dst, d.Left)
	dst = append(dst, `,"more_conflicts":`...)
	dst = (&shape{}).appendValue(dst, int64(d.More))
	dst = append(dst, `,"revision":`...)
	if d.At.Revision == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = jsontext.AppendString(dst, d.At.String())
	}
	dst = append(dst, `,"steps":[`...)
	for i, s := range d.Steps {
		dst = append(jsontext.AppendString(append(comma(dst, i), `{"action":`...), s.Action), `,"fields":`...)
		dst = append(appendList(dst, s.Fields), `,"id":`...)
		dst = append(appendID(dst, s.Kind, s.Object), `,"keys":`...)
		dst = append(appendList(dst, s.Keys), `,"kind":`...)
		dst = append(jsontext.AppendString(dst, s.Kind), `,"labels":`...)
		dst = (&shape{}).appendValue(dst, s.Labels)
		dst = append(jsontext.AppendString(append(dst, `,"path":`...), s.Path), '}')
	}
	dst = append(dst, `],"undone":[`...)
	sh := &shape{seconds: -1}
	for i, of := range d.Of {
		of.N = 0 // the cursor of the write, not of one of its objects
		dst = append(comma(dst, i), '{')
		for j, m := range (members{{"message", textOrNull(of.Message, true)}, {"request_id", textOrNull(of.Request, true)}, {"revision", of.Cursor().String()}, {"time", of.At}, {"user", of.User}}) {
			dst = sh.appendValue(append(jsontext.AppendString(comma(dst, j), m.name), ':'), m.value)
		}
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}
