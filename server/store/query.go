package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store/engine"
)

// conditions collects the WHERE clause of a statement and its arguments.
type conditions struct {
	dialect *engine.Dialect
	terms   []string
	args    []any
}

func (q *session) conditions() conditions { return conditions{dialect: q.dialect()} }

func (c *conditions) add(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

// equal adds column = value. Without indexed, the planner is kept from using an index for it: where the database has no
// statistics, the condition that drives a statement is chosen here.
func (c *conditions) equal(column string, value any, indexed bool) {
	if !indexed {
		column = c.dialect.Unindexed(column)
	}
	c.add(column+" = ?", value)
}

// among adds a condition that a column has one of several values.
func (c *conditions) among(column string, values []any, indexed bool) {
	if !indexed {
		column = c.dialect.Unindexed(column)
	}
	list, args := in(nil, values)
	c.add(column+" IN "+list, args...)
}

func (c *conditions) String() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// in returns "(?, ?, ...)" for the ids and appends these to args. The list is
// padded to a power of two with its last id, so that few different statements
// exist.
func in[T any](args []any, ids []T) (string, []any) {
	n := 1
	for n < len(ids) {
		n *= 2
	}
	for i := range n {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	return "(" + strings.Repeat("?, ", n-1) + "?)", args
}

// minRange is the number of ids from which on a range is searched, as for a page of the usual 30. Fewer are searched
// one by one, so that a write reads nothing but its own objects.
const minRange = 16

// among returns a condition that column has one of the ids, and appends its arguments. Adjacent numbers, such as those
// of a page, become a range, which the database reads at once; it has at most as many other rows. wanted distinguishes
// them, and is nil if there are none.
func among(column string, args, ids []any) (condition string, all []any, wanted map[any]bool) {
	first, last, dense := span(ids)
	if !dense {
		list, args := in(args, ids)
		return column + " IN " + list, args, nil
	}
	if last-first >= int64(len(ids)) {
		wanted = make(map[any]bool, len(ids))
		for _, id := range ids {
			wanted[id] = true
		}
	}
	return column + " BETWEEN ? AND ?", append(args, first, last), wanted
}

// span returns the range of ids; dense reports whether at least every second number in it is one of them.
func span(ids []any) (first, last int64, dense bool) {
	if len(ids) < minRange {
		return 0, 0, false
	}
	for i, id := range ids {
		n, ok := id.(int64)
		if !ok {
			return 0, 0, false
		}
		if i == 0 {
			first, last = n, n
		}
		first, last = min(first, n), max(last, n)
	}
	return first, last, uint64(last)-uint64(first) < 2*uint64(len(ids)) //nolint:gosec // the difference, however large, is none below 0
}

// selectList names all columns of e, whose table is aliased t.
func (e *Entity) selectList() string {
	if e.selected != "" {
		return e.selected
	}
	var b strings.Builder
	for i, c := range e.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		switch {
		case c.expr != "":
			b.WriteString(c.expr)
		default:
			b.WriteString("t." + c.Name)
		}
	}
	return b.String()
}

// selectRows is selectList for reads of many rows: see packedScanner.
func (e *Entity) selectRows(d *engine.Dialect) string {
	if d.PackRow == nil {
		return e.selectList()
	}
	return d.PackRow(e.selectList())
}

// scanner reads rows of one entity. All rows share few large slices.
type scanner struct {
	e      *Entity
	vals   []any
	dest   []any
	packed string // instead of vals: a row is one column
}

// packedScanner reads what selectRows selects.
func packedScanner(e *Entity, d *engine.Dialect) *scanner {
	s := newScanner(e)
	if d.PackRow != nil {
		s.dest = []any{&s.packed}
	}
	return s
}

// unpack parses the values of a row. Values equal to those of the previous row are shared: neighbouring rows have much
// in common.
func (s *scanner) unpack() error {
	x := jsontext.NewSkimmer(s.packed)
	i, bad := 0, false
	x.Elements(func() {
		if i >= len(s.vals) {
			x.Skip()
			bad = true
			return
		}
		was := s.vals[i]
		switch c := x.Peek(); c {
		case '"':
			if text := x.Str(); was == nil || was != any(text) {
				s.vals[i] = text
			}
		case 'n':
			x.Skip()
			s.vals[i] = nil
		default:
			n, err := strconv.ParseInt(x.Skip(), 10, 64)
			if bad = bad || err != nil; was == nil || was != any(n) {
				s.vals[i] = n
			}
		}
		i++
	})
	if bad || i != len(s.vals) {
		return fmt.Errorf("a %s is not what was stored: %.200q", s.e.Name, s.packed)
	}
	return nil
}

func newScanner(e *Entity) *scanner {
	s := &scanner{e: e, vals: make([]any, len(e.Columns)), dest: make([]any, len(e.Columns))}
	for i := range s.vals {
		s.dest[i] = &s.vals[i]
	}
	return s
}

// row returns a copy of the scanned row, with values of the documented types.
func (s *scanner) row() Row {
	row := Row(slices.Clone(s.vals))
	for i, c := range s.e.Columns {
		switch v := row[i].(type) {
		case int64:
			switch c.Type {
			case Time:
				row[i] = Micros(v * 1e6)
			case Bool:
				row[i] = v != 0
			}
		case []byte:
			row[i] = string(v)
		}
	}
	return row
}
