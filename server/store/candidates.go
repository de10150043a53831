package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A database that cannot call back sends the texts that predicates ask for, and
// they are matched here. It sends those of rows that may match, in pieces that grow:
// a page costs what its candidates cost, not the fleet, and no more is held than
// one piece without its texts, and the ids of the page.
//
// What matches often is found in the first pieces, of all rows in their order. Then it
// is looked up which rows may match: those whose own value has the signs of one that
// matches (see [where.Term.Signs]), and those below a place whose value matches. An
// index leads to the values that begin as one that matches ([where.Term.Starts]);
// what is asked within values, or of their ends, may read all values of a variable,
// once for a listing. What a row inherits is never sent with it, but asked for once
// for all rows below the same place.
const (
	mostNarrowing = 4       // predicates that choose candidates; the others are only matched
	mostKnown     = 1 << 16 // findings on places and parents that are kept, for each predicate
	askedAtOnce   = 512     // ids
)

// pieces are numbers of rows.
type pieces struct {
	first  int // of the first piece; each is twice the one before
	narrow int // of a piece from which on those are left out that cannot match
	most   int // of the largest
	owners int // that are chosen by their ids
	cheap  int // values that are looked at in no time; what more of them choose is only chosen when pieces do not grow any more
}

var usualPieces = pieces{first: 256, narrow: 2 << 10, most: 16 << 10, owners: 1000, cheap: 1 << 16}

// ErrDear is the error of [View.List] for a listing that is [List.Quick] and is not.
var ErrDear = errors.New("the listing has to look at very many values")

// finding is what is known of a value.
type finding uint8

const (
	unknown finding = iota // nobody has looked at it
	absent                 // there is none
	missed
	hit
)

// finder finds the rows of one listing that match all predicates.
type finder struct {
	e      *Entity
	each   []predicate
	chosen []choosing
	looked bool // chosen is there

	places  []map[placeID]finding // by predicate
	parents []map[any]parent
}

// choosing is a condition of rows that may match.
type choosing struct {
	condition
	dear bool // the database may look at all values for it
}

// placeID is a level from which rows of an entity inherit: by its number, and the place's id.
type placeID struct {
	level int
	id    any
}

// parent is a device that has others below it.
type parent struct {
	finding
	above any // its own parent; nil: none
}

// candidate is a row of which it is not known that it does not match.
type candidate struct {
	id   any
	open []int // predicates that what is above decides
	from []any // what it inherits from: its parent, if it is a device, and then places
}

// matching returns the ids of the first rows that match all predicates, at most
// want, in the order of the listing or against it, from the marker on.
func (b *listStatement) matching(ctx context.Context, q *session, descending, inclusive bool, want int) ([]any, error) {
	if b.finder == nil {
		b.finder = newFinder(b.e, b.match.each)
	}
	from, f := *b, b.finder
	s := f.scan()
	var ids []any
	sizes := q.store.pieces
	for size := sizes.first; ; size = min(2*size, sizes.most) {
		if size >= sizes.narrow && !f.looked {
			if err := f.narrow(ctx, q, b.l.Quick); err != nil {
				return nil, err
			}
		}
		if size == sizes.most && len(f.chosen) == 0 && b.l.Quick {
			return nil, ErrDear
		}
		c := q.conditions()
		tables := from.filter(&c)
		for _, chosen := range f.chosen {
			if !chosen.dear || size == sizes.most {
				c.add(chosen.text, chosen.args...)
			}
		}
		if from.marker != nil {
			from.beyond(&c, descending, inclusive)
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

// chosen is the statement for the rows with the given ids, in the order of the
// listing.
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

// narrow looks which rows may match. Where few values tell, it is not asked what very
// many values would.
func (f *finder) narrow(ctx context.Context, q *session, quick bool) error {
	f.looked = true
	// A plan for any value takes few to have it, and compares each row with each of them.
	if text := q.dialect().Replan; text != "" {
		var mode string
		if err := q.each(ctx, text, nil, []any{&mode}, func() {}); err != nil {
			return err
		}
	}
	var dear []*predicate
	choose := func(p *predicate, dear bool) error {
		c, narrows, err := q.candidates(ctx, f.e, p, dear)
		if narrows {
			f.chosen = append(f.chosen, c)
		}
		return err
	}
	for i := range f.each {
		p := &f.each[i]
		if p.column != "" || p.not {
			continue
		}
		if len(f.chosen) == mostNarrowing {
			return nil
		}
		many, err := q.dear(ctx, f.e, p)
		if err == nil && many {
			dear = append(dear, p)
		} else if err == nil {
			err = choose(p, false)
		}
		if err != nil {
			return err
		}
	}
	if len(f.chosen) > 0 || len(dear) == 0 {
		return nil
	}
	if quick {
		return ErrDear
	}
	for _, p := range dear[:min(len(dear), mostNarrowing)] {
		if err := choose(p, true); err != nil {
			return err
		}
	}
	return nil
}

// candidates is a condition that holds for every row which has a value that
// matches; narrows tells that it may not hold for others.
func (q *session) candidates(ctx context.Context, e *Entity, p *predicate, dear bool) (c choosing, narrows bool, err error) {
	var ways []string
	if p.resolved {
		for _, from := range e.inherits {
			ids, few, err := q.placesThat(ctx, from.to, p)
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
	c.dear = dear
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
	case c.dear: // rather row by row
		has, args := p.has(q, e)
		ways = append(ways, "EXISTS (SELECT 1 FROM variables v WHERE "+has+" AND v.owner_id = t."+e.ownerID+")")
		c.args = append(c.args, args...)
	default: // the database may begin with these
		for i, way := range ways {
			ways[i] = "SELECT t." + e.ownerID + " FROM " + e.Table + " t WHERE " + way
		}
		c.text, c.args = "t."+e.ownerID+" IN ("+strings.Join(append(ways, own), " UNION ALL ")+")", append(c.args, args...)
		return c, true, nil
	}
	c.text = "(" + strings.Join(ways, " OR ") + ")"
	return c, true, nil
}

// dear reports whether very many values have to be looked at for a predicate.
func (q *session) dear(ctx context.Context, e *Entity, p *predicate) (bool, error) {
	all := predicate{key: p.key, starts: p.starts}
	own, args := all.values(q, e, "v.owner_id")
	var n int
	most := q.store.pieces.cheap
	err := q.row(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM (%s) own LIMIT %d) seen", own, most+1), args, &n)
	return n > most, err
}

// placesThat are the ids of places whose own value matches; few tells that they
// were all looked at.
func (q *session) placesThat(ctx context.Context, e *Entity, p *predicate) (ids []any, few bool, err error) {
	own, args := p.values(q, e, "v.owner_id, "+p.sent()+" AS value")
	var id any
	var value string
	n := 0
	err = q.eachUntil(ctx, fmt.Sprintf("SELECT o.%s, v.value FROM (%s) v JOIN %s o ON o.%s = v.owner_id LIMIT %d", e.key, own, e.Table, e.ownerID, mostPlaces+1),
		args, []any{&id, &value}, func() error {
			if p.hits(value) {
				ids = append(ids, id)
			}
			n++
			return nil
		})
	return ids, n <= mostPlaces, err
}

// has is a condition for a variable v of an entity: it is the predicate's, and its
// value has the signs of one that matches.
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

// values is a query for variables v of an entity's kind that satisfy has: from the indexes
// of values, if there are any. A variable may come twice.
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
		case s.Whole && n <= x.Most:
			add(x.Short+" AND v.value = ?", s.Text)
		case s.Whole:
			add(x.Long+" AND "+x.Beginning+" = ?", s.Text[:x.Letters])
		default: // the end is the text that differs in its last letter, and comes next
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

// sent is what is sent of a value v: nothing, if it only must be there.
func (p *predicate) sent() string {
	if p.match == nil {
		return "''"
	}
	return "v.value"
}

// hits reports whether a value that is there matches.
func (p *predicate) hits(value string) bool { return p.match == nil || p.match(value) }

// of is the finding on a value; nil is none.
func (p *predicate) of(value *string) finding {
	switch {
	case value == nil:
		return absent
	case p.hits(*value):
		return hit
	}
	return missed
}

// holds reports whether a row is meant whose nearest value has a finding.
func (p *predicate) holds(v finding) bool { return (v == hit) != p.not }

// candidateScan reads rows: their id, their own values, and what they inherit from.
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

// candidate is the row that was read, unless it is known not to match.
func (s *candidateScan) candidate() (one candidate, ok bool) {
	for i := range s.each {
		p := &s.each[i]
		v := p.of(s.values[i])
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

// settle decides what is open of candidates. Those that do not match have no id
// then.
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

// byPlaces decides what a level decides of a predicate, and returns what is still open.
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
	for ids := range slices.Chunk(unseen, askedAtOnce) {
		list, args := in([]any{p.key}, ids)
		var id any
		var value string
		err := q.each(ctx, fmt.Sprintf("SELECT o.%s, %s FROM %s o JOIN variables v ON v.owner_kind = %d AND v.owner_id = o.%s WHERE v.key = ? AND o.%[1]s IN %[6]s",
			to.key, p.sent(), to.Table, to.owner, to.ownerID, list), args, []any{&id, &value}, func() { known[placeID{level, id}] = p.of(&value) })
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
	if len(known) > mostKnown {
		clear(known)
	}
	return rest, nil
}

// byParents is byPlaces for what is inherited from parents, the nearest first.
func (f *finder) byParents(ctx context.Context, q *session, i int, open []*candidate, decide func(*candidate, finding)) (rest []*candidate, err error) {
	known, p := f.parents[i], &f.each[i]
	var below []*candidate
	var at []any // where each of them is on its way up
	for _, one := range open {
		if one.from[0] == nil {
			rest = append(rest, one)
		} else {
			below, at = append(below, one), append(at, one.from[0])
		}
	}
	for len(below) > 0 {
		if err := q.lookAtParents(ctx, p, known, at); err != nil {
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
	if len(known) > mostKnown {
		clear(known)
	}
	return rest, nil
}

// lookAtParents adds those of some devices to what is known that are not there yet.
func (q *session) lookAtParents(ctx context.Context, p *predicate, known map[any]parent, some []any) error {
	var unseen []any
	for _, id := range some {
		if known[id].finding == unknown {
			known[id] = parent{finding: absent}
			unseen = append(unseen, id)
		}
	}
	for ids := range slices.Chunk(unseen, askedAtOnce) {
		list, args := in([]any{p.key}, ids)
		var id, above any
		var value *string
		err := q.each(ctx, fmt.Sprintf("SELECT d.id, d.parent_id, (SELECT %s FROM variables v WHERE v.owner_kind = %d AND v.owner_id = d.id AND v.key = ?) FROM devices d WHERE d.id IN %s",
			p.sent(), ownDevice, list), args, []any{&id, &above, &value}, func() { known[id] = parent{p.of(value), above} })
		if err != nil {
			return err
		}
	}
	return nil
}
