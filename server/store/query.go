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

// equal adds column = value. If indexed is false, the planner of a database without statistics cannot use an index for
// this condition: the caller has chosen another one to begin with.
func (c *conditions) equal(column string, value any, indexed bool) {
	if !indexed {
		column = c.dialect.Unindexed(column)
	}
	c.add(column+" = ?", value)
}

// among adds the condition that a column has one of several values.
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

// in returns "(?, ?, ...)" for the ids, and appends the ids to args. The list is padded to a power of two with its last
// id, so that there are few different statements to prepare.
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

// minRange is the minimum number of ids for a range condition; a page usually has 30. Fewer ids are looked up one by
// one, so that a write reads no other objects than its own.
const minRange = 16

// among returns the condition that a column has one of the ids, and appends its arguments. If most ids are adjacent,
// like those of a page, the condition is a range, which is faster. A range can contain as many other rows as wanted
// ones; wanted has the ids then, and is nil otherwise.
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

// span returns the range of the ids. dense reports whether at least half of the numbers in it are ids.
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
	return first, last, uint64(last)-uint64(first) < 2*uint64(len(ids)) //nolint:gosec // the unsigned difference of any two int64 is correct
}

// selectList returns the list of all columns of e, whose table has the alias t.
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

// selectRows is selectList for queries that return many rows: see packedScanner.
func (e *Entity) selectRows(d *engine.Dialect) string {
	if d.PackRow == nil {
		return e.selectList()
	}
	return d.PackRow(e.selectList())
}

// scanner reads rows of one entity. To save allocations, rows are parts of few large slices.
type scanner struct {
	e      *Entity
	vals   []any
	dest   []any
	packed string // used instead of vals if a row is packed into one column
}

// packedScanner returns a scanner for the columns of selectRows.
func packedScanner(e *Entity, d *engine.Dialect) *scanner {
	s := newScanner(e)
	if d.PackRow != nil {
		s.dest = []any{&s.packed}
	}
	return s
}

// unpack parses the values of a row. Values that are equal to those of the previous row share their memory, because
// adjacent rows have many equal values.
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

// row returns a copy of the scanned row, whose values have the types of their columns.
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
