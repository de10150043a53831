package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// If a database cannot call Go functions, the values that predicates need are read and matched here. Candidates, the
// rows that may match, are read in pieces of growing size, so that the cost of a page depends on the number of its
// candidates and not on the size of the fleet. Memory holds the ids of the page, and one piece without its values.
//
// The first pieces contain all rows in order, which suffices if matches are frequent. Later pieces contain only rows
// that may match: those whose own value has the signs of a match (see [where.Term.Signs]), and those below a place
// whose value matches. An index finds the values that begin like a match ([where.Term.Starts]). A search within values,
// or for their ends, may read all values of a variable, but only once per listing. Inherited values are not read with
// each row, but once for all rows below the same place.
const (
	maxNarrowing = 4       // number of predicates that narrow the rows; further predicates are only matched
	maxKnown     = 1 << 16 // number of cached findings on places and on parents, for each predicate
	idsPerQuery  = 512
)

// pieces has the sizes of pieces and the limits for narrowing.
type pieces struct {
	first  int // rows of the first piece; each further piece is twice as large
	narrow int // size from which pieces exclude rows that cannot match
	max    int // rows of the largest piece
	owners int // maximum number of rows that are selected by their ids
	cheap  int // values that can be read at negligible cost; a condition that reads more is only used for the largest pieces
}

var usualPieces = pieces{first: 256, narrow: 2 << 10, max: 16 << 10, owners: 1000, cheap: 1 << 16}

// ErrExpensive is the error of [View.List] for a listing with [List.Cheap] that would have to read very many values.
var ErrExpensive = errors.New("the listing has to read very many values")

// finding is the result of matching a value.
type finding uint8

const (
	unknown finding = iota // not read yet
	absent                 // the value does not exist
	missed                 // the value does not match
	hit                    // the value matches
)

// finder finds the rows of one listing that match all predicates.
type finder struct {
	e         *Entity
	each      []predicate
	narrowing []narrowing
	narrowed  bool // narrowing is complete

	places  []map[placeID]finding // for each predicate
	parents []map[any]parent
}

// narrowing is a condition that holds for all rows that match a predicate.
type narrowing struct {
	condition
	expensive bool // the database may read all values of a variable for it
}

// placeID identifies a place from which rows of an entity inherit, by the number of its level and its id.
type placeID struct {
	level int
	id    any
}

// parent is a device that has child devices.
type parent struct {
	finding
	above any // id of its own parent; nil for none
}

// candidate is a row that may match.
type candidate struct {
	id   any   // set to nil if the row does not match
	open []int // predicates that depend on inherited values
	from []any // ids of the objects it inherits from: first its parent, nil unless it is a child device, then its places
}

// matching returns the ids of at most want rows from the marker on that match all predicates, in the order of the
// listing or in reverse.
func (b *listStatement) matching(ctx context.Context, q *session, descending, inclusive bool, want int) ([]any, error) {
	if b.finder == nil {
		b.finder = newFinder(b.e, b.match.each)
	}
	from, f := *b, b.finder
	s := f.scan()
	var ids []any
	sizes := q.store.pieces
	for size := sizes.first; ; size = min(2*size, sizes.max) {
		if size >= sizes.narrow && !f.narrowed {
			if err := f.narrow(ctx, q, b.l.Cheap); err != nil {
				return nil, err
			}
		}
		if size == sizes.max && len(f.narrowing) == 0 && b.l.Cheap {
			return nil, ErrExpensive
		}
		c := q.conditions()
		tables := from.filter(&c)
		for _, n := range f.narrowing {
			if !n.expensive || size == sizes.max {
				c.add(n.text, n.args...)
			}
		}
		if from.marker != nil {
			from.after(&c, descending, inclusive)
		}
		text := "SELECT " + s.columns + " FROM " + tables + c.String() + from.orderBy(descending) + " LIMIT ?"
		var piece []candidate
		seen, sure := 0, 0
		err := q.eachUntil(ctx, text, append(append(slices.Clone(s.args), c.args...), size), s.dest, func() error {
			seen++
			one, ok := s.candidate()
			if !ok {
				return nil
			}
			if piece = append(piece, one); len(one.open) == 0 {
				sure++
			}
			if len(ids)+sure == want {
				return errEnough
			}
			return nil
		})
		enough := errors.Is(err, errEnough)
		if err != nil && !enough {
			return nil, err
		}
		if err := f.settle(ctx, q, piece); err != nil {
			return nil, err
		}
		for _, one := range piece {
			if one.id == nil {
				continue
			}
			if ids = append(ids, one.id); len(ids) == want {
				return ids, nil
			}
		}
		if enough || seen < size {
			return ids, nil
		}
		from.l.Marker, inclusive = idText(s.id), false
		if err := from.mark(ctx, q); err != nil {
			return nil, err
		}
	}
}

// chosen returns the statement that reads the rows with the given ids, in the order of the listing.
func (b *listStatement) chosen(ids []any) (string, []any) {
	where, args := "1 = 0", []any(nil)
	if len(ids) > 0 {
		list, all := in(nil, ids)
		where, args = "t."+b.e.key+" IN "+list, all
	}
	b.order = slices.Clone(b.keys)
	return "SELECT " + b.e.selectRows(b.dialect) + " FROM " + b.e.Table + " t WHERE " + where + b.orderBy(b.l.Descending), args
}

func newFinder(e *Entity, each []predicate) *finder {
	f := &finder{e: e, each: each, places: make([]map[placeID]finding, len(each)), parents: make([]map[any]parent, len(each))}
	for i := range each {
		f.places[i], f.parents[i] = map[placeID]finding{}, map[any]parent{}
	}
	return f
}

// narrow determines the conditions for rows that may match. It only uses predicates that have to read very many values
// if no other predicate narrows the rows.
func (f *finder) narrow(ctx context.Context, q *session, cheap bool) error {
	f.narrowed = true
	// PostgreSQL's generic plan assumes that few rows have a value, and compares each row with each of these.
	if text := q.dialect().Replan; text != "" {
		var mode string
		if err := q.each(ctx, text, nil, []any{&mode}, func() {}); err != nil {
			return err
		}
	}
	var expensive []*predicate
	use := func(p *predicate, expensive bool) error {
		n, ok, err := q.narrowing(ctx, f.e, p, expensive)
		if ok {
			f.narrowing = append(f.narrowing, n)
		}
		return err
	}
	for i := range f.each {
		p := &f.each[i]
		if p.column != "" || p.not {
			continue
		}
		if len(f.narrowing) == maxNarrowing {
			return nil
		}
		many, err := q.isExpensive(ctx, f.e, p)
		if err == nil && many {
			expensive = append(expensive, p)
		} else if err == nil {
			err = use(p, false)
		}
		if err != nil {
			return err
		}
	}
	if len(f.narrowing) > 0 || len(expensive) == 0 {
		return nil
	}
	if cheap {
		return ErrExpensive
	}
	for _, p := range expensive[:min(len(expensive), maxNarrowing)] {
		if err := use(p, true); err != nil {
			return err
		}
	}
	return nil
}

// narrowing returns a condition that holds for every row with a matching value. ok is false if there is no condition
// that excludes other rows.
func (q *session) narrowing(ctx context.Context, e *Entity, p *predicate, expensive bool) (c narrowing, ok bool, err error) {
	var ways []string
	if p.resolved {
		for _, from := range e.inherits {
			ids, few, err := q.placesMatching(ctx, from.to, p)
			if err != nil || !few {
				return c, false, err
			}
			if len(ids) > 0 {
				var list string
				list, c.args = in(c.args, ids)
				ways = append(ways, "t."+from.column+" IN "+list)
			}
		}
		if e.IsDevice() {
			ways = append(ways, "t.parent_id IS NOT NULL")
		}
	}
	own, args := p.values(q, e, "v.owner_id")
	c.expensive = expensive
	var id any
	var ids []any
	err = q.each(ctx, fmt.Sprintf("SELECT owner_id FROM (%s) own LIMIT %d", own, q.store.pieces.owners+1), args, []any{&id}, func() { ids = append(ids, id) })
	if err != nil {
		return c, false, err
	}
	switch {
	case len(ids) <= q.store.pieces.owners:
		if len(ids) > 0 {
			var list string
			list, c.args = in(c.args, ids)
			ways = append(ways, "t."+e.ownerID+" IN "+list)
		} else if len(ways) == 0 {
			ways = []string{"1 = 0"}
		}
	case c.expensive: // testing each row is cheaper
		has, args := p.has(q, e)
		ways = append(ways, "EXISTS (SELECT 1 FROM variables v WHERE "+has+" AND v.owner_id = t."+e.ownerID+")")
		c.args = append(c.args, args...)
	default: // allows the database to begin with these owners
		for i, way := range ways {
			ways[i] = "SELECT t." + e.ownerID + " FROM " + e.Table + " t WHERE " + way
		}
		c.text, c.args = "t."+e.ownerID+" IN ("+strings.Join(append(ways, own), " UNION ALL ")+")", append(c.args, args...)
		return c, true, nil
	}
	c.text = "(" + strings.Join(ways, " OR ") + ")"
	return c, true, nil
}

// isExpensive reports whether a predicate requires reading very many values.
func (q *session) isExpensive(ctx context.Context, e *Entity, p *predicate) (bool, error) {
	all := predicate{key: p.key, starts: p.starts}
	own, args := all.values(q, e, "v.owner_id")
	var n int
	most := q.store.pieces.cheap
	err := q.row(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM (%s) own LIMIT %d) seen", own, most+1), args, &n)
	return n > most, err
}

// placesMatching returns the ids of places whose own value matches. few is false if there are too many to read all of
// them.
func (q *session) placesMatching(ctx context.Context, e *Entity, p *predicate) (ids []any, few bool, err error) {
	own, args := p.values(q, e, "v.owner_id, "+p.sent()+" AS value")
	var id any
	var value string
	n := 0
	err = q.eachUntil(ctx, fmt.Sprintf("SELECT o.%s, v.value FROM (%s) v JOIN %s o ON o.%s = v.owner_id LIMIT %d", e.key, own, e.Table, e.ownerID, maxPlaces+1),
		args, []any{&id, &value}, func() error {
			if p.matches(value) {
				ids = append(ids, id)
			}
			n++
			return nil
		})
	return ids, n <= maxPlaces, err
}

// has returns the condition that a variable v of an entity has the predicate's key, and a value with the signs of a
// match.
func (p *predicate) has(q *session, e *Entity) (string, []any) {
	text, args := fmt.Sprintf("v.owner_kind = %d AND v.key = ?", e.owner), []any{p.key}
	if p.signs == nil {
		return text, args
	}
	glob := q.dialect().Glob
	var ways []string
	for _, pieces := range p.signs {
		var pattern strings.Builder
		for _, piece := range pieces {
			pattern.WriteString(glob.Many)
			pattern.WriteString(glob.Literal(piece))
		}
		pattern.WriteString(glob.Many)
		ways, args = append(ways, "v.value"+glob.Operator), append(args, pattern.String())
	}
	return text + " AND (" + strings.Join(ways, " OR ") + ")", args
}

// values returns a query for the variables v of an entity that meet the condition of has. It uses the indexes of
// values, if the database has them. The result may contain a variable twice.
func (p *predicate) values(q *session, e *Entity, columns string) (string, []any) {
	has, hasArgs := p.has(q, e)
	text := "SELECT " + columns + " FROM variables v WHERE " + has
	x := q.dialect().Values
	if x == nil {
		return text, hasArgs
	}
	var parts []string
	var args []any
	add := func(condition string, more ...any) {
		parts, args = append(parts, text+" AND "+condition), append(append(args, hasArgs...), more...)
	}
	for _, s := range p.starts {
		switch n := len(s.Text); {
		case s.Whole && n <= x.Max:
			add(x.Short+" AND v.value = ?", s.Text)
		case s.Whole:
			add(x.Long+" AND "+x.Beginning+" = ?", s.Text[:x.Letters])
		default: // the upper bound is the text with its last letter replaced by the next one
			end := s.Text[:n-1] + string(rune(s.Text[n-1]+1))
			add(x.Short+" AND v.value >= ? AND v.value < ?", s.Text, end)
			if n > x.Letters {
				add(x.Long+" AND "+x.Beginning+" = ?", s.Text[:x.Letters])
			} else {
				add(x.Long+" AND "+x.Beginning+" >= ? AND "+x.Beginning+" < ?", s.Text, end)
			}
		}
	}
	if len(p.starts) == 0 {
		add(x.Short)
		add(x.Long)
	}
	return strings.Join(parts, " UNION ALL "), args
}

// sent returns the expression for a value v in a result: an empty text if the value only has to exist.
func (p *predicate) sent() string {
	if p.match == nil {
		return "''"
	}
	return "v.value"
}

// matches reports whether an existing value matches.
func (p *predicate) matches(value string) bool { return p.match == nil || p.match(value) }

// findingOf returns the finding on a value; nil means that it does not exist.
func (p *predicate) findingOf(value *string) finding {
	switch {
	case value == nil:
		return absent
	case p.matches(*value):
		return hit
	}
	return missed
}

// holds reports whether a row matches, given the finding on its nearest value.
func (p *predicate) holds(v finding) bool { return (v == hit) != p.not }

// candidateScan reads rows: their ids, their own values, and the ids of the objects they inherit from.
type candidateScan struct {
	*finder
	columns string
	args    []any
	dest    []any

	id     any
	values []*string
	from   []any
}

func (f *finder) scan() *candidateScan {
	s := &candidateScan{finder: f, values: make([]*string, len(f.each))}
	columns := []string{"t." + f.e.key}
	s.dest = []any{&s.id}
	resolved := false
	for i := range f.each {
		p := &f.each[i]
		text := "t." + p.column
		if p.column == "" {
			text = fmt.Sprintf("(SELECT %s FROM variables v WHERE v.owner_kind = %d AND v.owner_id = t.%s AND v.key = ?)", p.sent(), f.e.owner, f.e.ownerID)
			s.args = append(s.args, p.key)
			resolved = resolved || p.resolved
		}
		columns, s.dest = append(columns, text), append(s.dest, &s.values[i])
	}
	if resolved {
		s.from = make([]any, len(f.e.inherits)+1)
		for i, level := range f.e.inherits {
			columns, s.dest = append(columns, "t."+level.column), append(s.dest, &s.from[i+1])
		}
		if f.e.IsDevice() {
			columns, s.dest = append(columns, "t.parent_id"), append(s.dest, &s.from[0])
		}
	}
	s.columns = strings.Join(columns, ", ")
	return s
}

// candidate returns the current row. ok is false if the row does not match.
func (s *candidateScan) candidate() (one candidate, ok bool) {
	for i := range s.each {
		p := &s.each[i]
		v := p.findingOf(s.values[i])
		if v == absent && p.column == "" && p.resolved {
			one.open = append(one.open, i)
		} else if !p.holds(v) {
			return one, false
		}
	}
	if one.id = s.id; one.open != nil {
		one.from = slices.Clone(s.from)
	}
	return one, true
}

// settle decides the open predicates of candidates, and clears the ids of those that do not match.
func (f *finder) settle(ctx context.Context, q *session, piece []candidate) error {
	for i := range f.each {
		var open []*candidate
		for n := range piece {
			if one := &piece[n]; one.id != nil && slices.Contains(one.open, i) {
				open = append(open, one)
			}
		}
		decide := func(one *candidate, v finding) {
			if !f.each[i].holds(v) {
				one.id = nil
			}
		}
		var err error
		if f.e.IsDevice() {
			if open, err = f.byParents(ctx, q, i, open, decide); err != nil {
				return err
			}
		}
		for level := range f.e.inherits {
			if open, err = f.byPlaces(ctx, q, i, level, open, decide); err != nil {
				return err
			}
		}
		for _, one := range open {
			decide(one, absent)
		}
	}
	return nil
}

// byPlaces decides a predicate by the values at one level, and returns the candidates that are still open.
func (f *finder) byPlaces(ctx context.Context, q *session, i, level int, open []*candidate, decide func(*candidate, finding)) (rest []*candidate, err error) {
	known, p, to := f.places[i], &f.each[i], f.e.inherits[level].to
	var unseen []any
	for _, one := range open {
		at := placeID{level, one.from[level+1]}
		if at.id != nil && known[at] == unknown {
			known[at] = absent
			unseen = append(unseen, at.id)
		}
	}
	for ids := range slices.Chunk(unseen, idsPerQuery) {
		list, args := in([]any{p.key}, ids)
		var id any
		var value string
		err := q.each(ctx, fmt.Sprintf("SELECT o.%s, %s FROM %s o JOIN variables v ON v.owner_kind = %d AND v.owner_id = o.%s WHERE v.key = ? AND o.%[1]s IN %[6]s",
			to.key, p.sent(), to.Table, to.owner, to.ownerID, list), args, []any{&id, &value}, func() { known[placeID{level, id}] = p.findingOf(&value) })
		if err != nil {
			return nil, err
		}
	}
	for _, one := range open {
		if v := known[placeID{level, one.from[level+1]}]; v == missed || v == hit {
			decide(one, v)
		} else {
			rest = append(rest, one)
		}
	}
	if len(known) > maxKnown {
		clear(known)
	}
	return rest, nil
}

// byParents is byPlaces for values that are inherited from parent devices, of which the nearest wins.
func (f *finder) byParents(ctx context.Context, q *session, i int, open []*candidate, decide func(*candidate, finding)) (rest []*candidate, err error) {
	known, p := f.parents[i], &f.each[i]
	var below []*candidate
	var at []any // the next parent of each candidate in below
	for _, one := range open {
		if one.from[0] == nil {
			rest = append(rest, one)
		} else {
			below, at = append(below, one), append(at, one.from[0])
		}
	}
	for len(below) > 0 {
		if err := q.readParents(ctx, p, known, at); err != nil {
			return nil, err
		}
		n := 0
		for k, one := range below {
			switch up := known[at[k]]; {
			case up.finding == missed || up.finding == hit:
				decide(one, up.finding)
			case up.above == nil:
				rest = append(rest, one)
			default:
				below[n], at[n] = one, up.above
				n++
			}
		}
		below, at = below[:n], at[:n]
	}
	if len(known) > maxKnown {
		clear(known)
	}
	return rest, nil
}

// readParents reads those of some devices that are not in known yet, and adds them.
func (q *session) readParents(ctx context.Context, p *predicate, known map[any]parent, some []any) error {
	var unseen []any
	for _, id := range some {
		if known[id].finding == unknown {
			known[id] = parent{finding: absent}
			unseen = append(unseen, id)
		}
	}
	for ids := range slices.Chunk(unseen, idsPerQuery) {
		list, args := in([]any{p.key}, ids)
		var id, above any
		var value *string
		err := q.each(ctx, fmt.Sprintf("SELECT d.id, d.parent_id, (SELECT %s FROM variables v WHERE v.owner_kind = %d AND v.owner_id = d.id AND v.key = ?) FROM devices d WHERE d.id IN %s",
			p.sent(), ownDevice, list), args, []any{&id, &above, &value}, func() { known[id] = parent{p.findingOf(value), above} })
		if err != nil {
			return err
		}
	}
	return nil
}
