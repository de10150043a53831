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

// Search finds objects that contain a text, ignoring case, in their fields, their labels, or the keys and values of
// their own variables. Case is folded like in Go. The JSON form of values that are not strings is searched.
//
// Databases cannot fold case like Go, or decode JSON in a comparison. So their conditions select all objects that may
// contain the text, which includes some that do not. Nearly every text has pieces of plain ASCII, which appear
// unescaped in a row that contains the text, in upper or lower case, even within JSON.
type Search struct {
	pieces       []string // a matching row contains all of these, in lower case
	plain, coded []string // or one of these: plain in a text, or coded, escaped, in the JSON of a value
	nothing      bool     // there is no condition: any row may match
}

// nonASCIIUpper maps ASCII letters to the non-ASCII characters whose lower case is that letter.
var nonASCIIUpper = map[rune]rune{'k': '\u212a', 'i': '\u0130'}

// NewSearch returns the search for a text.
func NewSearch(text string) *Search {
	want := strings.ToLower(text)
	s := &Search{pieces: strings.FieldsFunc(want, func(r rune) bool { return !isPlain(r) })}
	if len(s.pieces) > 0 {
		for _, r := range want {
			if other := nonASCIIUpper[r]; other != 0 && !slices.Contains(s.plain, string(other)) {
				s.addAlternative(other)
			}
		}
		return s
	}
	for _, r := range want { // without pieces, require any form of the first usable character
		switch {
		case r == utf8.RuneError: // it matches any invalid UTF-8
			continue
		case r < ' ' || r == '\\':
			s.plain, s.coded = []string{string(r)}, []string{`\`}
		case r == '"':
			s.plain, s.coded = []string{`"`}, []string{`"`}
		default:
			for _, same := range upper(r) {
				s.addAlternative(same)
			}
		}
		return s
	}
	s.nothing = true
	return s
}

// addAlternative adds a character that a matching row may contain instead of the pieces.
func (s *Search) addAlternative(r rune) {
	s.plain = append(s.plain, string(r))
	s.coded = append(s.coded, strings.Trim(string(jsontext.AppendString(nil, string(r))), `"`))
}

// isPlain reports whether canonical JSON contains a character unescaped.
func isPlain(r rune) bool { return r >= ' ' && r <= '~' && r != '"' && r != '\\' }

// upper returns the characters whose lower case is r, possibly including r itself, for an r that is not ASCII.
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

// in returns the condition that a text in the database may contain the searched text, and its arguments. others has the
// alternatives to the pieces.
func (s *Search) in(d *engine.Dialect, text string, others []string) (string, []any) {
	var parts, ways []string
	var args []any
	for _, piece := range s.pieces {
		// Folding case is more expensive than comparing, so compare a part without letters first.
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

// variables returns the condition that a variable v of an entity may contain the searched text.
func (s *Search) variables(d *engine.Dialect, e *Entity) (string, []any) {
	text, args := s.in(d, "v.key || ' ' || v.value", slices.Concat(s.plain, s.coded))
	return fmt.Sprintf("v.owner_kind = %d AND %s", e.owner, text), args
}

// holds returns the condition that a row may contain the searched text, in its columns or in its own variables.
func (s *Search) holds(d *engine.Dialect, e *Entity) condition {
	own, args := s.in(d, e.texts("t"), s.plain)
	variables, more := s.variables(d, e)
	return condition{"(" + own + " OR EXISTS (SELECT 1 FROM variables v WHERE v.owner_id = t." + e.ownerID + " AND " + variables + "))", append(args, more...)}
}

// minCaseless is the minimum length of a part without letters that is compared first.
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

// Limits of a search. If it finds too large a part of a fleet, the entire fleet is read in order instead, which costs
// less than reading most of it twice.
const (
	maxChosen  = 1 << 17 // ids of one entity
	minChosen  = 1000    // up to this number, objects are chosen in a fleet of any size
	chosenPart = 4       // otherwise, at most one in chosenPart objects is chosen
	rowsPerHit = 4       // maximum number of matching rows per object that may be chosen; if there are more, too many objects count as found
)

// Find chooses the objects in the scope that may contain a text, and the places that contain these objects. The objects
// are devices, cells, regions and clouds. If networks is set, they include networks, and a device is also chosen if one
// of its network interfaces may contain the text.
//
// It returns the ids of each entity, in the order of creation. An entity is missing from the result if too many of its
// objects may contain the text; all of its objects count as found then. filters returns additional filters for the
// objects of an entity.
//
// Find reads all texts of these objects, so the caller should limit the number of concurrent calls.
func (v *View) Find(ctx context.Context, sc Scope, s *Search, networks bool, filters func(*Entity) []Filter) (map[*Entity][]int64, error) {
	if s.nothing {
		return nil, nil
	}
	f := searchRun{q: v.q, sc: sc, s: s, networks: networks, found: map[*Entity][]int64{}, all: map[*Entity]bool{},
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

// containers has the columns with the ids of the places that contain an object.
var containers = []struct {
	column string
	to     *Entity
}{{"cell_id", Cells}, {"region_id", Regions}, {"cloud_id", Clouds}}

// searchRun is the state of one call of Find.
type searchRun struct {
	q        *session
	sc       Scope
	s        *Search
	networks bool

	found  map[*Entity][]int64
	around map[*Entity]map[int64]bool // places that contain a found object
	all    map[*Entity]bool           // any of the entity's objects may contain a found one
}

// choose finds the objects of an entity. The places that contain them are recorded, and chosen later.
func (f *searchRun) choose(ctx context.Context, e *Entity, filters []Filter) error {
	c := f.q.conditions()
	f.sc.where(e, &c, true)
	for _, one := range filters {
		c.equal("t."+one.Column, one.Value, true)
	}
	most, err := f.maxChosen(ctx, e, c)
	if err != nil {
		return err
	}
	ids := slices.Collect(maps.Keys(f.around[e]))
	many := f.all[e] || len(ids) > most
	for _, query := range f.queries(e, c) {
		if many {
			break
		}
		if ids, many, err = f.collect(ctx, ids, most, query); err != nil {
			return err
		}
	}
	if many {
		for _, at := range containers {
			if e.column(at.column) != nil {
				f.all[at.to] = true
			}
		}
		return nil
	}
	f.found[e], err = f.inOrder(ctx, e, c, ids)
	return err
}

// maxChosen returns the maximum number of objects of an entity that are chosen.
func (f *searchRun) maxChosen(ctx context.Context, e *Entity, c conditions) (int, error) {
	var n int
	err := f.q.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+e.Table+" t"+c.String()+" LIMIT ?) seen", append(slices.Clip(c.args), maxChosen*chosenPart), &n)
	return max(f.q.store.few, n/chosenPart), err
}

// queries returns the queries for the ids of objects that may contain the text, the cheapest first. Their results may
// contain an id more than once.
func (f *searchRun) queries(e *Entity, c conditions) []condition {
	var all []condition
	// For a row of another table, join the object that it belongs to only if there are conditions on the object.
	add := func(id, table, on, text string, args []any) {
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
		add(id, table, id, text, args)
	}
	text, args := in(e.texts("t"), f.s.plain)
	add("t."+e.key, "", "", text, args)
	if e.IsDevice() {
		text, args = in("l.label", f.s.plain)
		add("l.device_id", "labels l", "l.device_id", text, args)
	}
	variables(e, "v.owner_id", "variables v")
	if e.IsDevice() && f.networks {
		text, args = in(NetworkInterfaces.texts("i"), f.s.plain)
		add("i.device_id", "network_interfaces i", "i.device_id", text, args)
		variables(NetworkInterfaces, "i.device_id", "variables v JOIN network_interfaces i ON i.id = v.owner_id")
	}
	return all
}

// collect adds the results of a query to ids. many reports whether there are too many.
func (f *searchRun) collect(ctx context.Context, ids []int64, most int, by condition) (all []int64, many bool, err error) {
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

// idsAtOnce is the maximum number of ids in a statement.
const idsAtOnce = 4096

// inOrder returns those ids whose objects match the conditions, in the order of creation, and records the places that
// contain these objects.
func (f *searchRun) inOrder(ctx context.Context, e *Entity, c conditions, ids []int64) ([]int64, error) {
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

// texts returns an expression that concatenates all texts of a row. alias is the alias of its table.
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
