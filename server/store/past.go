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

// A past state is a separate database: a copy of the fleet in which all later changes have been reverted, newest first.
// Any code that reads the fleet can therefore read a past state too. Building it requires reading the entire fleet. It
// is a temporary file, and is kept for some time, because a client that reads one page of a past state usually requests
// the next one.
const (
	maxPasts = 4               // maximum number of open states, each of which is a file
	pastKept = 1 * time.Minute // how long a state is kept after its last use
)

// ahead is how far a client's clock may be ahead of the server's.
const ahead = 5 * time.Minute

// AtRevision returns the cursor of the state at a revision. Like AtCursor and AtTime, it fails with [BeforeHorizon] if
// the log does not reach back that far, and with [Invalid] for the future.
func (v *View) AtRevision(ctx context.Context, revision int64) (Cursor, error) {
	return v.moment(ctx, revision, "")
}

// AtCursor returns the cursor of the state after the revision of c. It fails with an [UnknownCursorError] if c belongs
// to another database or is within a revision.
func (v *View) AtCursor(ctx context.Context, c Cursor) (Cursor, error) {
	if c.Change == "" && c.Revision != 0 || c.N != 0 || c.Early {
		return Cursor{}, &UnknownCursorError{Cursor: c}
	}
	return v.moment(ctx, c.Revision, c.Change)
}

// AtTime returns the cursor of the state that was current at a time. Writes at exactly that time are included.
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
	// The log has no time for the state of revision 0, or for that of a database from before the change log. But the
	// state is known if the time is not before this store was opened.
	var dated int
	err = v.q.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM changes WHERE revision <= ? LIMIT 1) one", []any{revision}, &dated)
	if err != nil || dated > 0 || at >= v.q.store.opened {
		return c, err
	}
	return Cursor{}, v.beforeHorizonError(ctx, revision)
}

func momentText(at Micros) string {
	return time.UnixMicro(int64(at)).UTC().Format("2006-01-02T15:04:05.999999Z")
}

// moment returns the cursor of a revision. If change is not empty, it must be the change of that revision.
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
		return c, v.beforeHorizonError(ctx, l.horizon)
	case revision > 0: // revision 0 has no change
		if c.Change, err = v.changeOf(ctx, l, revision); err != nil {
			return c, err
		}
	}
	if change != "" && change != c.Change {
		return c, unknown
	}
	return c, nil
}

// beforeHorizonError returns the error for a state from before the horizon, or from before the first change.
func (v *View) beforeHorizonError(ctx context.Context, horizon int64) error {
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
	return refuse(BeforeHorizon, "The change log begins %s, after revision %d: earlier states of the fleet are not known.", since, horizon)
}

// past describes the past state that a store contains.
type past struct {
	at     Cursor
	unkept map[string][]string // by project: keys whose values are only in the log as hashes
}

// Unkept returns an error with the keys of unknown values in the scope, if this is a view of a past state that has any.
// It is for callers that cannot report an error later. Other reads of the view only fail if they would show such a
// value or filter by it.
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

// OmitUnkept makes the view omit unknown values.
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

// check returns the filter for the variables of a row, or nil if the view is not of a past state.
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

// filter removes unknown values. If they must not be omitted, it yields an error with all their keys at the end.
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

// pasts has the past states that a store keeps open.
type pasts struct {
	mu        sync.Mutex
	open      map[Cursor]*openPast
	parts     map[Cursor]int // number of uses by [Store.AtPart]
	partsOpen int
	building  chan struct{} // held to build a state: one at a time, because each reads the entire fleet
	closed    bool

	hits, misses atomic.Int64 // lookups of At
}

type openPast struct {
	at    Cursor
	store *Store
	users int
	used  time.Time
	timer *time.Timer // closes the state; nil while it is in use
}

// CacheStats counts the lookups in a cache since the start of the program.
type CacheStats struct {
	Hits, Misses int64 // number of lookups that found an entry, and that did not
}

// PastStats returns how often [Store.At] found a state that was already built.
func (s *Store) PastStats() CacheStats {
	return CacheStats{Hits: s.pasts.hits.Load(), Misses: s.pasts.misses.Load()}
}

// ErrTooManyPasts is the error of [Store.At] if too many past states are in use.
var ErrTooManyPasts = errors.New("too many past states are being read")

// At returns the fleet at a cursor from [View.AtRevision], AtCursor or AtTime, as a read-only store without users and
// change log. The caller must call release after use. The first caller for a state waits until it has been built.
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

// take begins another use of a state, or returns nil if it is not open.
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

// releaser returns a function that ends one use of a state.
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

// drop closes a state that is not in use.
func (p *pasts) drop(of *openPast) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if of.users == 0 {
		p.forget(of)
	}
}

// forget is drop for a caller that holds mu.
func (p *pasts) forget(of *openPast) {
	if of.timer != nil {
		of.timer.Stop()
	}
	if p.open[of.at] == of { // it has not been replaced
		delete(p.open, of.at)
		_ = of.store.Close() // no data can be lost: it was only read, and its file is deleted already
	}
}

// makeRoom closes the least recently used state if the maximum is reached.
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

// close closes all states. States in use are closed when their reads end.
func (p *pasts) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.open {
		p.forget(one)
	}
}

// build creates the store of a past state.
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

// timeless has the tables that a past state does not contain. They are dropped, so that in a scratch file's transaction
// their names refer to the tables of the attached database.
var timeless = []string{"user_keys", "users", "log", "changes", "page_keys", "page_ends"}

// pastRows is the number of rows or changes that are processed at once.
const pastRows = 256

// fill copies the fleet, and reverts all later changes. from is the transaction that reads the database. It is the same
// as tx if the database is attached to the scratch file.
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
	if err := q.revertAll(ctx, live, state.at.Revision); err != nil {
		return err
	}
	return q.listUnkept(ctx, state)
}

// names returns the columns of a table, separated by commas.
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

// revertAll reverts every change after a revision, newest first.
func (q *session) revertAll(ctx context.Context, live *View, revision int64) error {
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
				err = q.revert(ctx, e, c, &before, &after)
			}
			if err != nil {
				return err
			}
		}
	}
}

// listUnkept collects the keys of the unknown values.
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
