package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
	"github.com/craton-fleet/craton/server/store/sqlite"
)

// A past state is a database of its own: a copy of the fleet in which every later
// change has been taken back, newest first. Whatever reads the fleet so reads
// the past too. A copy costs what it costs to read everything once; it is a
// temporary file, and is kept for a while, because who asks for one page of a
// moment asks for the next one too.
const (
	maxPasts = 4               // at once; they are files
	pastKept = 1 * time.Minute // after it was last used
)

// ahead is how far a clock of a client's may be ahead of this one.
const ahead = 5 * time.Minute

// AtRevision is the state behind a revision. Like the other two it is refused
// as [BeforeHorizon] if the log cannot tell, and as [Invalid] if it is yet to come.
func (v *View) AtRevision(ctx context.Context, revision int64) (Cursor, error) {
	return v.moment(ctx, revision, "")
}

// AtCursor is the state behind all of a revision, unless the cursor is one of
// another database.
func (v *View) AtCursor(ctx context.Context, c Cursor) (Cursor, error) {
	if c.Change == "" && c.Revision != 0 || c.N != 0 || c.Early {
		return Cursor{}, &UnknownCursorError{Cursor: c}
	}
	return v.moment(ctx, c.Revision, c.Change)
}

// AtTime is the state that counted at a time: everything written until then,
// the time included.
func (v *View) AtTime(ctx context.Context, at Micros) (Cursor, error) {
	if now := v.q.store.now(); at > Micros(now.Add(ahead).UnixMicro()) {
		return Cursor{}, refuse(Invalid, "%s is in the future: it is %s now.", momentText(at), momentText(Micros(now.UnixMicro())))
	}
	revision, err := v.RevisionAt(ctx, at)
	if err != nil {
		return Cursor{}, err
	}
	c, err := v.moment(ctx, revision, "")
	if err != nil {
		return Cursor{}, err
	}
	// When the state of revision 0 or of a database from before the log began
	// nothing says, but it is that of today's program.
	var dated int
	err = v.q.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM changes WHERE revision <= ? LIMIT 1) one", []any{revision}, &dated)
	if err != nil || dated > 0 || at >= v.q.store.opened {
		return c, err
	}
	return Cursor{}, v.unreached(ctx, revision)
}

func momentText(at Micros) string {
	return time.UnixMicro(int64(at)).UTC().Format("2006-01-02T15:04:05.999999Z")
}

// moment makes a cursor of a revision; of a change, if that is given.
func (v *View) moment(ctx context.Context, revision int64, change string) (Cursor, error) {
	l, err := v.reach(ctx)
	if err != nil {
		return Cursor{}, err
	}
	c := Cursor{Revision: revision}
	unknown := &UnknownCursorError{Cursor: Cursor{Revision: -1, Change: change}, Horizon: l.horizon}
	switch {
	case revision > l.newest:
		return c, refuse(Invalid, "There is no revision %d yet: the newest is %d.", revision, l.newest)
	case revision < 0:
		return c, unknown
	case revision < l.horizon:
		return c, v.unreached(ctx, l.horizon)
	case revision > 0: // before, there was nothing
		if c.Change, err = v.changeOf(ctx, l, revision); err != nil {
			return c, err
		}
	}
	if change != "" && change != c.Change {
		return c, unknown
	}
	return c, nil
}

// unreached is the refusal of a state from before the horizon, or from before
// everything.
func (v *View) unreached(ctx context.Context, horizon int64) error {
	var at int64
	err := v.q.row(ctx, "SELECT at FROM changes WHERE revision <= ? ORDER BY revision DESC LIMIT 1", []any{horizon}, &at)
	if errors.Is(err, sql.ErrNoRows) {
		err = v.q.row(ctx, "SELECT at FROM changes ORDER BY revision LIMIT 1", nil, &at)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if err != nil {
		return err
	}
	since := "just now"
	if at > 0 {
		since = "at " + momentText(Micros(at))
	}
	return refuse(BeforeHorizon, "The change log begins %s, behind revision %d: what the fleet was like before is not known.", since, horizon)
}

// past is what a store knows that holds a past state.
type past struct {
	at     Cursor
	unkept map[string][]string // by project: keys of values of which the log kept only a hash
}

// NotRetained returns a refusal that names the keys whose values in the scope are not
// known, if this is a view of a past state and there are any: for who cannot
// say so any more when the first of them comes up. The other reads of a view
// refuse only what they would show, or filter by.
func (v *View) Unkept(sc Scope) error { return v.unkept(sc, func(string) bool { return true }) }

func (v *View) unkept(sc Scope, asked func(key string) bool) error {
	p := v.q.store.past
	if p == nil || v.omit {
		return nil
	}
	var keys []string
	for project, some := range p.unkept {
		for _, key := range some {
			if (sc.All || project == sc.Project) && asked(key) {
				keys = append(keys, key)
			}
		}
	}
	if keys == nil {
		return nil
	}
	return p.refuse("", sorted(keys))
}

// OmitUnkept has the view leave out the values that are not known.
func (v *View) OmitUnkept() { v.omit = true }

func (p *past) refuse(of string, keys []string) error {
	const most = 10
	more := ""
	if n := len(keys) - most; n > 0 {
		keys, more = keys[:most], fmt.Sprintf(" and %d more", n)
	}
	return refuse(NotRetained, "Of %s%s%s the change log keeps only that they changed: what they were at revision %d is not known. concealed=omit passes over them.",
		strings.Join(keys, ", "), more, of, p.at.Revision)
}

// check is what a set of a past view is read through.
func (v *View) check(e *Entity, row Row) *unkeptCheck {
	if v.q.store.past == nil {
		return nil
	}
	return &unkeptCheck{v.q.store.past, v.omit, e, row}
}

type unkeptCheck struct {
	past *past
	omit bool
	e    *Entity
	row  Row
}

// filter leaves out what is not known, and ends with a refusal that names all of
// it unless it is to be omitted.
func (u *unkeptCheck) filter(all func(yield func(Variable, error) bool), yield func(Variable, error) bool) {
	var missing []string
	for v, err := range all {
		switch {
		case err == nil && v.Value == notRetainedValue:
			missing = append(missing, v.Name)
		case err != nil || missing == nil || u.omit:
			if !yield(v, err) {
				return
			}
		}
	}
	if missing != nil && !u.omit {
		yield(Variable{}, u.past.refuse(" of the "+u.e.describeRow(u.row), missing))
	}
}

// pasts are the past states that a store holds.
type pasts struct {
	mu        sync.Mutex
	open      map[Cursor]*openPast
	parts     map[Cursor]int // how many were asked for; see [Store.AtPart]
	partsOpen int
	building  chan struct{} // one at a time: each reads everything
	closed    bool

	hits, misses atomic.Int64 // of At
}

type openPast struct {
	at    Cursor
	store *Store
	users int
	used  time.Time
	timer *time.Timer // closes it; nil while it is used
}

// CacheStats count how often a cache was asked, since it began.
type CacheStats struct {
	Hits, Misses int64 // it had what was asked for, or not
}

// PastStats tells how often [Store.At] found a state made already.
func (s *Store) PastStats() CacheStats {
	return CacheStats{Hits: s.pasts.hits.Load(), Misses: s.pasts.misses.Load()}
}

// ErrTooManyPasts is the error of [Store.At] when there is no room.
var ErrTooManyPasts = errors.New("as many past states are read as there is room for")

// At returns the fleet as it was behind a cursor that [View.AtRevision] or one of
// its like has given, as a store that is only read: users and the change log are
// not in it. release ends its use. The first to ask for a state waits until it
// is made.
func (s *Store) At(ctx context.Context, at Cursor) (fleet *Store, release func(), err error) {
	p := s.pasts
	if found := p.take(at); found != nil {
		p.hits.Add(1)
		return found.store, p.releaser(found), nil
	}
	p.misses.Add(1)
	select {
	case p.building <- struct{}{}:
		defer func() { <-p.building }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if found := p.take(at); found != nil {
		return found.store, p.releaser(found), nil
	}
	if err := p.makeRoom(); err != nil {
		return nil, nil, err
	}
	fleet, err = s.build(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	found := &openPast{at: at, store: fleet, users: 1}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, errors.Join(engine.ErrClosed, fleet.Close())
	}
	p.open[at] = found
	return fleet, p.releaser(found), nil
}

func newPasts() *pasts {
	return &pasts{open: map[Cursor]*openPast{}, parts: map[Cursor]int{}, building: make(chan struct{}, 1)}
}

// take begins another use of a state that is there.
func (p *pasts) take(at Cursor) *openPast {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.open[at]
	if found == nil {
		return nil
	}
	if found.users++; found.timer != nil {
		found.timer.Stop()
		found.timer = nil
	}
	return found
}

// releaser ends a use of a state.
func (p *pasts) releaser(of *openPast) func() {
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if of.users--; of.users > 0 {
			return
		}
		of.used = time.Now()
		of.timer = time.AfterFunc(pastKept, func() { p.drop(of) })
	})
}

// drop closes a state that nobody uses.
func (p *pasts) drop(of *openPast) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if of.users == 0 {
		p.forget(of)
	}
}

// forget is drop for who holds the lock.
func (p *pasts) forget(of *openPast) {
	if of.timer != nil {
		of.timer.Stop()
	}
	if p.open[of.at] == of { // still
		delete(p.open, of.at)
		_ = of.store.Close() // it was only read, and its file is gone already
	}
}

// makeRoom lets go of the state that was not used for longest, if there are many.
func (p *pasts) makeRoom() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) < maxPasts {
		return nil
	}
	idle := slices.DeleteFunc(slices.Collect(maps.Values(p.open)), func(o *openPast) bool { return o.users > 0 })
	if len(idle) == 0 {
		return ErrTooManyPasts
	}
	p.forget(slices.MinFunc(idle, func(a, b *openPast) int { return a.used.Compare(b.used) }))
	return nil
}

// close closes all states; those in use close when their reads end.
func (p *pasts) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.open {
		p.forget(one)
	}
}

// build makes the store of a past state.
func (s *Store) build(ctx context.Context, at Cursor) (*Store, error) {
	state := &past{at: at}
	var e *sqlite.Engine
	var err error
	if live, ok := s.engine.(*sqlite.Engine); ok {
		e, err = sqlite.Scratch(ctx, migrations, live, func(ctx context.Context, tx engine.Tx) error { return s.fill(ctx, state, tx, tx) })
	} else {
		err = s.engine.Read(ctx, func(ctx context.Context, from engine.Tx) (err error) {
			e, err = sqlite.Scratch(ctx, migrations, nil, func(ctx context.Context, tx engine.Tx) error { return s.fill(ctx, state, tx, from) })
			return err
		})
	}
	if err != nil {
		if e != nil {
			err = errors.Join(err, e.Close())
		}
		return nil, err
	}
	fleet := newStore(e)
	fleet.past = state
	return fleet, nil
}

// The tables that are not in a past state. Without them a scratch file's
// transaction means those of the database beside it.
var timeless = []string{"user_keys", "users", "log", "changes", "page_keys", "page_ends"}

// pastRows is how many rows or changes are copied at once.
const pastRows = 256

// fill copies the fleet and takes back what was done to it since. from is the
// transaction that reads the database: the one of the scratch file, if that has
// the database beside it.
func (s *Store) fill(ctx context.Context, state *past, tx, from engine.Tx) error {
	q := &session{store: new(Store), tx: tx}
	live := &View{q: &session{store: s, tx: from}}
	for _, name := range timeless {
		if err := q.exec(ctx, "DROP TABLE main."+name, nil); err != nil {
			return err
		}
	}
	if _, err := live.AtCursor(ctx, state.at); err != nil {
		return err
	}
	for _, t := range tablesOf(len(migrations)) {
		if slices.Contains(timeless, t.name) {
			continue
		}
		var err error
		if tx == from {
			names := t.names()
			err = q.exec(ctx, "INSERT INTO main."+t.name+" ("+names+") SELECT "+names+" FROM "+sqlite.AttachedPrefix+t.name, nil)
		} else {
			err = q.copy(ctx, live.q, t)
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	if err := q.takeBackAll(ctx, live, state.at.Revision); err != nil {
		return err
	}
	return q.listUnkept(ctx, state)
}

// names are the columns of a table, as a statement lists them.
func (t *table) names() string {
	var names []string
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// copy copies a table from another database.
func (q *session) copy(ctx context.Context, from *session, t *table) error {
	values, dest := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		dest[i] = &values[i]
	}
	var held [][]any
	flush := func() error {
		err := q.insertRows(ctx, "INSERT INTO "+t.name+" ("+t.names()+")", "", len(held), func(i int, args []any) []any { return append(args, held[i]...) })
		held = held[:0]
		return err
	}
	err := from.eachUntil(ctx, "SELECT "+t.names()+" FROM "+t.name+" ORDER BY "+strings.Join(t.key, ", "), nil, dest, func() error {
		if held = append(held, slices.Clone(values)); len(held) < pastRows {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// takeBackAll takes back every change behind a revision, the newest first.
func (q *session) takeBackAll(ctx context.Context, live *View, revision int64) error {
	at := Cursor{Revision: 1 << 62}
	for {
		some, err := live.q.someChanges(ctx, "WHERE (revision, n) < (?, ?) AND revision > ? ORDER BY revision DESC, n DESC", at.Revision, at.N, revision)
		if err != nil || len(some) == 0 {
			return err
		}
		for i := range some {
			c := &some[i]
			at = Cursor{Revision: c.Revision, N: c.N}
			e := entityOf(c.Kind)
			if e == nil || e == Users {
				continue
			}
			before, after, err := c.sides(e)
			if err == nil {
				err = q.takeBack(ctx, e, c, &before, &after)
			}
			if err != nil {
				return err
			}
		}
	}
}

// listUnkept finds the values that are not known.
func (q *session) listUnkept(ctx context.Context, state *past) error {
	for _, e := range known {
		if e.owner == 0 || e == Users || e.Kind != "" {
			continue
		}
		var project, key string
		err := q.each(ctx, fmt.Sprintf("SELECT DISTINCT t.%s, v.key FROM variables v JOIN %s t ON t.%s = v.owner_id WHERE v.owner_kind = ? AND v.value = ?", e.project, e.Table, e.ownerID),
			[]any{e.owner, notRetainedValue}, []any{&project, &key}, func() {
				if state.unkept == nil {
					state.unkept = map[string][]string{}
				}
				state.unkept[project] = append(state.unkept[project], key)
			})
		if err != nil {
			return err
		}
	}
	return nil
}
