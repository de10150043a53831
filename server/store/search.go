package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Search is a text, upper and lower case alike, wherever it is in an object: in its fields, its labels, and the keys and
// values of its own variables. Go's lower case decides, and the JSON of a value that is not a string is a text too.
//
// No database folds case as Go does, or reads JSON while it compares: they are asked what may hold the text, which is
// more than what does. Nearly every text has pieces of plain ASCII, which are in a row as they are, in upper or lower
// case, whether it is JSON or not.
type Search struct {
	pieces       []string // all of these are there, in lower case, ...
	plain, coded []string // ... or one of these, in a text or, escaped, in the JSON of a value
	nothing      bool     // anything may hold it
}

// foreign are characters beyond ASCII whose lower case is in ASCII.
var foreign = map[rune]rune{'k': '\u212a', 'i': '\u0130'}

// NewSearch returns the search for a text.
func NewSearch(text string) *Search {
	want := strings.ToLower(text)
	s := &Search{pieces: strings.FieldsFunc(want, func(r rune) bool { return !isPlain(r) })}
	if len(s.pieces) > 0 {
		for _, r := range want {
			if other := foreign[r]; other != 0 && !slices.Contains(s.plain, string(other)) {
				s.either(other)
			}
		}
		return s
	}
	for _, r := range want { // any of its characters is there
		switch {
		case r == utf8.RuneError: // it may be anything that is no character
			continue
		case r < ' ' || r == '\\':
			s.plain, s.coded = []string{string(r)}, []string{`\`}
		case r == '"':
			s.plain, s.coded = []string{`"`}, []string{`"`}
		default:
			for _, same := range upper(r) {
				s.either(same)
			}
		}
		return s
	}
	s.nothing = true
	return s
}

// either adds a character that may be there.
func (s *Search) either(r rune) {
	s.plain = append(s.plain, string(r))
	s.coded = append(s.coded, strings.Trim(string(jsontext.AppendString(nil, string(r))), `"`))
}

// isPlain reports whether a character is the same in a text and in canonical JSON.
func isPlain(r rune) bool { return r >= ' ' && r <= '~' && r != '"' && r != '\\' }

// upper returns the characters beyond ASCII whose lower case is r, which may be r itself.
func upper(r rune) (all []rune) {
	for same := r; ; {
		if unicode.ToLower(same) == r {
			all = append(all, same)
		}
		if same = unicode.SimpleFold(same); same == r {
			return all
		}
	}
}

// in returns a condition that a text of the database may hold the search, with its arguments; others are the alternatives
// to its pieces.
func (s *Search) in(d *engine.Dialect, text string, others []string) (string, []any) {
	var parts, ways []string
	var args []any
	for _, piece := range s.pieces {
		// To fold case costs more than to compare: what has none is looked for first.
		if caseless := longestCaseless(piece); caseless != piece && len(caseless) >= minCaseless {
			parts, args = append(parts, d.Contains(text)), append(args, caseless)
		}
		folded := "lower(" + text + ")"
		if !hasLetter(piece) {
			folded = text
		}
		parts, args = append(parts, d.Contains(folded)), append(args, piece)
	}
	switch {
	case s.nothing:
		return "1 = 1", nil
	case parts != nil:
		ways = []string{strings.Join(parts, " AND ")}
	}
	for _, other := range others {
		ways, args = append(ways, d.Contains(text)), append(args, other)
	}
	return "(" + strings.Join(ways, " OR ") + ")", args
}

// variables returns a condition that a variable v of an entity may hold the search.
func (s *Search) variables(d *engine.Dialect, e *Entity) (string, []any) {
	text, args := s.in(d, "v.key || ' ' || v.value", slices.Concat(s.plain, s.coded))
	return fmt.Sprintf("v.owner_kind = %d AND %s", e.owner, text), args
}

// holds returns a condition that a row may hold the search, in its own texts or in its variables.
func (s *Search) holds(d *engine.Dialect, e *Entity) condition {
	own, args := s.in(d, e.texts("t"), s.plain)
	variables, more := s.variables(d, e)
	return condition{"(" + own + " OR EXISTS (SELECT 1 FROM variables v WHERE v.owner_id = t." + e.ownerID + " AND " + variables + "))", append(args, more...)}
}

// minCaseless is the length from which on a part of a piece without letters is looked for first.
const minCaseless = 3

// longestCaseless returns the longest part of a piece without letters.
func longestCaseless(piece string) (longest string) {
	for _, part := range strings.FieldsFunc(piece, isLetter) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

func hasLetter(piece string) bool { return strings.IndexFunc(piece, isLetter) >= 0 }

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }

// Bounds of a search. What finds more than a part of a fleet reads all of it instead, in its order: that costs less than
// to look at nearly all of it twice.
const (
	mostFound  = 1 << 17 // ids of one entity
	fewFound   = 1000    // that are chosen in a fleet of any size
	partFound  = 4       // at most one in so many is chosen
	rowsPerHit = 4       // labels and variables of an object that hold a text, on average, before too many are found
)

// Find chooses, of a fleet or a part of it, the objects that may hold a text, and those that contain them: networks and
// network interfaces if asked for, devices, cells, regions and clouds. A device also comes with an interface that may hold it.
//
// It returns the ids of each entity, in the order of creation. Of an entity that is not in the result, more may hold the
// text than are chosen: all count as found. filters returns what objects of an entity must match beside the scope.
//
// It looks at all of these objects' texts, and its caller bounds how many do that at once.
func (v *View) Find(ctx context.Context, sc Scope, s *Search, networks bool, filters func(*Entity) []Filter) (map[*Entity][]int64, error) {
	if s.nothing {
		return nil, nil
	}
	f := finds{q: v.q, sc: sc, s: s, networks: networks, found: map[*Entity][]int64{}, whole: map[*Entity]bool{},
		around: map[*Entity]map[int64]bool{Cells: {}, Regions: {}, Clouds: {}}}
	for _, e := range []*Entity{Networks, Devices, Cells, Regions, Clouds} {
		if e == Networks && !networks {
			continue
		}
		if err := f.choose(ctx, e, filters(e)); err != nil {
			return nil, err
		}
	}
	return f.found, nil
}

// containers are the columns that name what contains an object.
var containers = []struct {
	column string
	to     *Entity
}{{"cell_id", Cells}, {"region_id", Regions}, {"cloud_id", Clouds}}

// finds is what was found so far.
type finds struct {
	q        *session
	sc       Scope
	s        *Search
	networks bool

	found  map[*Entity][]int64
	around map[*Entity]map[int64]bool // what contains something that was found
	whole  map[*Entity]bool           // all of it may contain what was found
}

// choose finds the objects of an entity. What contains them is chosen later.
func (f *finds) choose(ctx context.Context, e *Entity, filters []Filter) error {
	c := f.q.conditions()
	f.sc.where(e, &c, true)
	for _, one := range filters {
		c.equal("t."+one.Column, one.Value, true)
	}
	most, err := f.most(ctx, e, c)
	if err != nil {
		return err
	}
	ids := slices.Collect(maps.Keys(f.around[e]))
	many := f.whole[e] || len(ids) > most
	for _, look := range f.looks(e, c) {
		if many {
			break
		}
		if ids, many, err = f.look(ctx, ids, most, look); err != nil {
			return err
		}
	}
	if many {
		for _, at := range containers {
			if e.column(at.column) != nil {
				f.whole[at.to] = true
			}
		}
		return nil
	}
	f.found[e], err = f.inOrder(ctx, e, c, ids)
	return err
}

// most returns how many objects of an entity are chosen at most.
func (f *finds) most(ctx context.Context, e *Entity, c conditions) (int, error) {
	var n int
	err := f.q.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+e.Table+" t"+c.String()+" LIMIT ?) seen", append(slices.Clip(c.args), mostFound*partFound), &n)
	return max(f.q.store.few, n/partFound), err
}

// looks returns the queries for the ids of objects that may hold the text, the cheapest first. An id may come twice.
func (f *finds) looks(e *Entity, c conditions) []condition {
	var all []condition
	// Rows of another table: what they belong to is read only where it decides something.
	look := func(id, table, on, text string, args []any) {
		of := c
		switch {
		case table == "":
			table = e.Table + " t"
		case len(c.terms) > 0:
			table += " JOIN " + e.Table + " t ON t." + e.key + " = " + on
		}
		of.terms, of.args = append(slices.Clip(c.terms), text), append(slices.Clip(c.args), args...)
		all = append(all, condition{"SELECT " + id + " FROM " + table + of.String(), of.args})
	}
	in := func(texts string, others []string) (string, []any) { return f.s.in(c.dialect, texts, others) }
	variables := func(e *Entity, id, table string) {
		text, args := f.s.variables(c.dialect, e)
		look(id, table, id, text, args)
	}
	text, args := in(e.texts("t"), f.s.plain)
	look("t."+e.key, "", "", text, args)
	if e.IsDevice() {
		text, args = in("l.label", f.s.plain)
		look("l.device_id", "labels l", "l.device_id", text, args)
	}
	variables(e, "v.owner_id", "variables v")
	if e.IsDevice() && f.networks {
		text, args = in(NetworkInterfaces.texts("i"), f.s.plain)
		look("i.device_id", "network_interfaces i", "i.device_id", text, args)
		variables(NetworkInterfaces, "i.device_id", "variables v JOIN network_interfaces i ON i.id = v.owner_id")
	}
	return all
}

// look adds the ids that a query finds; many reports whether they are too many.
func (f *finds) look(ctx context.Context, ids []int64, most int, by condition) (all []int64, many bool, err error) {
	rows := rowsPerHit * (most + 1)
	seen := 0
	var id, last int64
	err = f.q.each(ctx, by.text+" LIMIT ?", append(slices.Clip(by.args), rows), []any{&id}, func() {
		if seen++; seen == 1 || id != last {
			ids = append(ids, id)
		}
		last = id
	})
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids, seen == rows || len(ids) > most, err
}

// idsAtOnce is how many ids a statement names at most.
const idsAtOnce = 4096

// inOrder returns those of the ids that are of objects that match, in the order of creation, and notes what contains
// them.
func (f *finds) inOrder(ctx context.Context, e *Entity, c conditions, ids []int64) ([]int64, error) {
	type one struct{ at, id int64 }
	all := make([]one, 0, len(ids))
	var o one
	columns, dest := []string{"t." + e.key, "t.created_at"}, []any{&o.id, &o.at}
	var above []*int64
	var to []*Entity
	for _, at := range containers {
		if e.column(at.column) != nil {
			id := new(int64)
			columns, dest = append(columns, "COALESCE(t."+at.column+", 0)"), append(dest, id)
			above, to = append(above, id), append(to, at.to)
		}
	}
	for some := range slices.Chunk(ids, idsAtOnce) {
		of := c
		var list string
		list, of.args = in(slices.Clip(c.args), some)
		of.terms = append(slices.Clip(c.terms), "t."+e.key+" IN "+list)
		err := f.q.each(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+e.Table+" t"+of.String(), of.args, dest, func() {
			all = append(all, o)
			for i, id := range above {
				if *id != 0 {
					f.around[to[i]][*id] = true
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
	ids = make([]int64, len(all))
	for i, o := range all {
		ids[i] = o.id
	}
	return ids, nil
}

// texts returns an expression of all texts of a row, in a table with an alias.
func (e *Entity) texts(alias string) string {
	kinds := []*schema.Kind{e.of}
	if e.of.View {
		kinds = []*schema.Kind{schema.Host, schema.NetworkDevice}
	}
	var all []string
	for _, c := range e.Columns {
		if !slices.ContainsFunc(kinds, func(k *schema.Kind) bool {
			f := k.Field(c.Name)
			return c.Name == k.Title || f != nil && f.IsText()
		}) {
			continue
		}
		text := alias + "." + c.Name
		if c.Type == Int {
			text = "CAST(" + text + " AS TEXT)"
		}
		if c.Nullable {
			text = "COALESCE(" + text + ", '')"
		}
		all = append(all, text)
	}
	return strings.Join(all, " || ' ' || ")
}
