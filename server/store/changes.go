package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Cursor is a position in the change log: after a revision, or within one. The zero cursor is before all changes.
type Cursor struct {
	Revision int64
	Change   string // id of the revision's change; detects a cursor of another database
	N        int64  // number of the revision's rows before the position; 0 for all
	Early    bool   // a reader that began with the zero cursor is still before the horizon
}

// String returns the cursor as clients see it: "12-0b5e...", "12.500-0b5e..." or "12.500-0b5e...~". It is empty for the
// zero cursor.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	text := strconv.FormatInt(c.Revision, 10)
	if c.N > 0 {
		text += "." + strconv.FormatInt(c.N, 10)
	}
	text += "-" + c.Change
	if c.Early {
		text += "~"
	}
	return text
}

// ParseCursor parses the result of [Cursor.String]. For a malformed text it returns a cursor that is in no log.
func ParseCursor(text string) Cursor {
	if text == "" {
		return Cursor{}
	}
	rest, early := strings.CutSuffix(text, "~")
	place, change, _ := strings.Cut(rest, "-")
	revision, n, within := strings.Cut(place, ".")
	c := Cursor{Change: change, Early: early}
	var err, errN error
	c.Revision, err = strconv.ParseInt(revision, 10, 64)
	if within {
		c.N, errN = strconv.ParseInt(n, 10, 64)
	}
	if err != nil || errN != nil || c.String() != text {
		return Cursor{Revision: -1, Change: text}
	}
	return c
}

// UnknownCursorError is the error for a cursor after which this log does not have all changes: the cursor belongs to
// another database, or to a state from before a restore, or is before the horizon. The client has to read the fleet
// again.
type UnknownCursorError struct {
	Cursor  Cursor
	Horizon int64
}

func (e *UnknownCursorError) Error() string {
	if e.removed() {
		return fmt.Sprintf("Changes up to revision %d have been removed from the change log (keep_changes), so that those after %q are not all there: read all again.", e.Horizon, e.Cursor)
	}
	return "This change log does not know the place that was named, because the database was replaced or brought back from a copy: read all again."
}

// removed reports whether the change at the cursor has been removed from the log, regardless of the database that the
// cursor belongs to. The end of the horizon's revision is still known.
func (e *UnknownCursorError) removed() bool {
	c := e.Cursor
	return c.Revision >= 0 && (c.Revision < e.Horizon || c.Revision == e.Horizon && (c.N > 0 || c.Early))
}

// Refusal marks the error as a refusal, not a failure of the database.
func (e *UnknownCursorError) Refusal() {}

// Change is a row of the change log: what one write did to one object.
type Change struct {
	Revision    int64
	N           int64 // number of the object within the write, from 1
	ID          string
	At          Micros
	Project     string // project of the object
	User        string
	UserProject string
	Address     string
	Request     string
	Message     string
	Kind        string // a name from internal/schema
	Object      string // id
	Path        string // cloud/region/cell/name, at the time of the change
	Action      string
	Before      string // JSON; "" for none
	After       string // JSON; "" for none
}

// Cursor returns the position after the change.
func (c *Change) Cursor() Cursor { return Cursor{Revision: c.Revision, Change: c.ID, N: c.N} }

// LogState is the state of the change log.
type LogState struct {
	Newest  Cursor // the view shows the objects as they are at this cursor
	Horizon int64  // the log has every change after this revision
	At      Micros // time of the newest change; 0 if there is none
}

// Log returns the state of the change log.
func (v *View) Log(ctx context.Context) (l LogState, err error) {
	var at int64
	err = v.q.row(ctx, "SELECT revision, change, horizon, changed_at FROM log", nil, &l.Newest.Revision, &l.Newest.Change, &l.Horizon, &at)
	l.At = Micros(at)
	return l, err
}

// CheckCursor returns an [UnknownCursorError] if the log is not complete after the cursor. The zero cursor is always
// valid: the changes after it begin with those that are left from before the horizon.
func (v *View) CheckCursor(ctx context.Context, c Cursor) error {
	if c == (Cursor{}) {
		return nil
	}
	l, err := v.reach(ctx)
	if err != nil {
		return err
	}
	known := ""
	switch {
	case c.Early:
		known, err = v.changeAt(ctx, c.Revision, c.N)
	case c.Revision != l.horizon || c.N == 0: // only the end of the horizon's revision is known
		known, err = v.changeOf(ctx, l, c.Revision)
	}
	if err != nil {
		return err
	}
	if known == "" || known != c.Change {
		return &UnknownCursorError{Cursor: c, Horizon: l.horizon}
	}
	return nil
}

// reach is the range of the log: its newest revision and its horizon, and the ids of the changes at both.
type reach struct {
	newest, horizon int64
	change, begin   string
}

func (v *View) reach(ctx context.Context) (l reach, err error) {
	err = v.q.row(ctx, "SELECT revision, change, horizon, horizon_change FROM log", nil, &l.newest, &l.change, &l.horizon, &l.begin)
	return l, err
}

// changeOf returns the id of the change of a revision in the log, or "" if the log does not have it.
func (v *View) changeOf(ctx context.Context, l reach, revision int64) (string, error) {
	switch {
	case revision == l.horizon:
		return l.begin, nil
	case revision == l.newest && revision > l.horizon:
		return l.change, nil
	case revision > l.horizon && revision < l.newest:
		return v.changeAt(ctx, revision, 1)
	}
	return "", nil
}

// changeAt returns the id of the change in row n of a revision, or "" if there is no such row.
func (v *View) changeAt(ctx context.Context, revision, n int64) (change string, err error) {
	err = v.q.row(ctx, "SELECT change FROM changes WHERE revision = ? AND n = ?", []any{revision, n}, &change)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return change, err
}

// ChangesParams select the changes to read.
type ChangesParams struct {
	After   Cursor   // changes after this cursor
	Kinds   []string // of objects of these kinds only
	Object  string   // of objects with this id
	User    string   // of this user
	Request string   // of this request
	Since   Micros   // at or after this time
	Until   Micros   // before this time; 0 for no end
	Action  string   // this action only
	Limit   int

	back   bool   // newest first
	before Cursor // with back: only changes before this cursor; zero for all
}

// Changes calls fn with the changes of objects in the scope, in order. It returns the cursor to continue from: the one
// after the last change if there may be more, otherwise the end of the log in this view. A change is only valid during
// the call of fn.
func (v *View) Changes(ctx context.Context, sc Scope, l ChangesParams, fn func(c *Change) error) (next Cursor, more bool, err error) {
	if err := v.CheckCursor(ctx, l.After); err != nil {
		return Cursor{}, false, err
	}
	log, err := v.Log(ctx)
	if err != nil {
		return Cursor{}, false, err
	}
	last, found := l.After, 0
	text, args, err := v.changes(ctx, sc, l)
	if err != nil {
		return Cursor{}, false, err
	}
	if text != "" {
		var c Change
		err = c.each(ctx, v.q, text, args, func() error {
			last, found = c.Cursor(), found+1
			last.Early = c.Revision <= log.Horizon && (l.After.Early || l.After == Cursor{})
			return fn(&c)
		})
	}
	if err != nil || found == l.Limit {
		return last, true, err
	}
	return log.Newest, false, nil
}

// each reads the rows of a statement into c, one after the other, and calls fn for each.
func (c *Change) each(ctx context.Context, q *session, text string, args []any, fn func() error) error {
	var before, after *string
	return q.eachUntil(ctx, text, args, []any{&c.Revision, &c.N, &c.ID, &c.At, &c.Project, &c.User, &c.UserProject, &c.Address, &c.Request, &c.Message,
		&c.Kind, &c.Object, &c.Path, &c.Action, &before, &after}, func() error {
		c.Before, c.After = deref(before), deref(after)
		return fn()
	})
}

// someChanges returns the first changes of a part of the log, as many as memory permits. clauses follows FROM changes.
func (q *session) someChanges(ctx context.Context, clauses string, args ...any) (some []Change, err error) {
	var c Change
	room := fullViewBytes
	err = c.each(ctx, q, "SELECT "+changeColumns+" FROM changes "+clauses+" LIMIT ?", append(args, pastRows), func() error {
		some = append(some, c)
		if room -= len(c.Before) + len(c.After); room < 0 {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return some, err
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// changes returns the statement that reads a part of the log, or "" if no row can match.
func (v *View) changes(ctx context.Context, sc Scope, l ChangesParams) (string, []any, error) {
	c := v.q.conditions()
	from := l.After
	if from.N == 0 && from.Revision > 0 {
		from = Cursor{Revision: from.Revision + 1}
	}
	if l.Since > 0 {
		first, err := v.firstAt(ctx, l.Since)
		if err != nil || first == 0 {
			return "", nil, err
		}
		if first > from.Revision {
			from = Cursor{Revision: first}
		}
	}
	c.add("(revision, n) > (?, ?)", from.Revision, from.N)
	if l.Until > 0 {
		end, err := v.firstAt(ctx, l.Until)
		if err != nil {
			return "", nil, err
		}
		if end > 0 {
			c.add("revision < ?", end)
		}
	}
	if l.before != (Cursor{}) {
		c.add("(revision, n) < (?, ?)", l.before.Revision, l.before.N)
	}
	if l.User != "" {
		c.add("user_name = ?", l.User)
	}
	if l.Action != "" {
		c.add("action = ?", l.Action)
	}
	if l.Request != "" {
		c.add("request_id = ?", l.Request)
	}
	order := " ORDER BY revision, n LIMIT ?"
	if l.back {
		order = " ORDER BY revision DESC, n DESC LIMIT ?"
	}
	if (sc.All || l.Request != "") && l.Object == "" {
		if !sc.All {
			c.equal("project_id", sc.Project, false)
		}
		list, args := in(c.args, l.Kinds)
		c.terms = append(c.terms, v.q.dialect().Unindexed("kind")+" IN "+list)
		return "SELECT " + changeColumns + " FROM changes" + c.String() + order, append(args, l.Limit), nil
	}
	// An index has the changes of each kind in the order of the log. A search of all kinds is faster in the table
	// itself.
	var parts []string
	var args []any
	for i, kind := range l.Kinds {
		one := c
		one.terms, one.args = slices.Clone(c.terms), slices.Clone(c.args)
		one.equal("kind", kind, true)
		if l.Object != "" {
			one.equal("object_id", l.Object, true)
		}
		if !sc.All {
			one.equal("project_id", sc.Project, l.Object == "")
		}
		parts = append(parts, fmt.Sprintf("SELECT * FROM (SELECT %s FROM changes%s%s) AS k%d", changeColumns, one.String(), order, i))
		args = append(append(args, one.args...), l.Limit)
	}
	if len(parts) == 0 {
		return "", nil, nil
	}
	return strings.Join(parts, " UNION ALL ") + order, append(args, l.Limit), nil
}

// firstAt returns the first revision at or after a time, or 0 if there is none. Times never decrease in the log, so a
// binary search by revision finds it, and an index on the time is not needed.
func (v *View) firstAt(ctx context.Context, at Micros) (first int64, err error) {
	l, err := v.Log(ctx)
	if err != nil || l.At < at {
		return 0, err
	}
	// Invariant: revisions up to low are earlier, and first is the first revision after high.
	for low, high := int64(0), l.Newest.Revision; low < high; {
		middle := low + (high-low)/2
		var next, when int64
		if err := v.q.row(ctx, "SELECT revision, at FROM changes WHERE revision > ? ORDER BY revision LIMIT 1", []any{middle}, &next, &when); err != nil {
			return 0, err
		}
		if Micros(when) < at {
			low = next
		} else {
			first, high = next, middle
		}
	}
	return first, nil
}

// RevisionAt returns the revision that was current at a time: the newest one that is not later. It is 0 before the
// first change.
func (v *View) RevisionAt(ctx context.Context, at Micros) (revision int64, err error) {
	next, err := v.firstAt(ctx, at+1)
	if err != nil {
		return 0, err
	}
	if next == 0 {
		l, err := v.Log(ctx)
		return l.Newest.Revision, err
	}
	return next - 1, nil
}

// LogBegin returns the time of the first change after the horizon, or 0 if there is none. From that time on, the log is
// complete.
func (v *View) LogBegin(ctx context.Context) (Micros, error) {
	var at int64
	err := v.q.row(ctx, "SELECT at FROM changes WHERE revision > (SELECT horizon FROM log) ORDER BY revision LIMIT 1", nil, &at)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return Micros(at), err
}

// Object identifies an object in the change log.
type Object struct{ Kind, ID string }

// NewestOf returns the cursor of the newest change to any of the objects, or the zero cursor if the log has none.
func (v *View) NewestOf(ctx context.Context, objects ...Object) (Cursor, error) {
	parts, args := newestOf(objects)
	return v.newest(ctx, "", parts, args)
}

// newestOf returns queries for the newest revision of each of the objects.
func newestOf(objects []Object) (parts []string, args []any) {
	for _, o := range objects {
		parts = append(parts, "SELECT max(revision) AS r FROM changes WHERE kind = ? AND object_id = ?")
		args = append(args, o.Kind, o.ID)
	}
	return parts, args
}

// Newest returns the cursor of the newest change to any object of the kinds in the scope, including deleted objects, or
// the zero cursor if there is none.
func (v *View) Newest(ctx context.Context, sc Scope, kinds ...string) (Cursor, error) {
	with, parts, args := newestIn(sc, kinds)
	return v.newest(ctx, with, parts, args)
}

// newestIn returns queries for the newest revision of each of the kinds, and the WITH clause that selects the projects.
// The kinds are literals, not arguments: PostgreSQL plans a statement without parameters only once.
func newestIn(sc Scope, kinds []string) (with string, parts []string, args []any) {
	if len(kinds) == 0 {
		return "", nil, nil
	}
	with = `WITH RECURSIVE p (id) AS (SELECT min(project_id) FROM changes
		UNION ALL SELECT (SELECT min(project_id) FROM changes WHERE project_id > p.id) FROM p WHERE p.id IS NOT NULL) `
	if !sc.All {
		with, args = "WITH p (id) AS (SELECT CAST(? AS TEXT)) ", []any{sc.Project}
	}
	for _, kind := range kinds {
		parts = append(parts, "SELECT max(("+newestOfKind(kind)+")) AS r FROM p")
	}
	return with, parts, args
}

// newestOfKind returns a query for the newest revision of a kind in a project of p. This ORDER BY is the order of the
// index, so the first entry is the result. For max(revision), PostgreSQL may scan the log backwards instead: all of it,
// if the kind has no changes.
func newestOfKind(kind string) string {
	kind = "'" + strings.ReplaceAll(kind, "'", "''") + "'"
	return "SELECT CASE WHEN project_id = p.id AND kind = " + kind + " THEN revision END AS r FROM (SELECT project_id, kind, revision FROM changes WHERE (project_id, kind, revision) <= (p.id, " +
		kind + ", 9223372036854775807) ORDER BY project_id DESC, kind DESC, revision DESC LIMIT 1) AS newest"
}

func (v *View) newest(ctx context.Context, with string, parts []string, args []any) (c Cursor, err error) {
	if len(parts) == 0 {
		return Cursor{}, nil
	}
	err = v.q.row(ctx, with+"SELECT revision, change FROM changes WHERE revision = (SELECT max(r) FROM ("+strings.Join(parts, " UNION ALL ")+") AS newest) ORDER BY n LIMIT 1", args,
		&c.Revision, &c.Change)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return c, err
}
