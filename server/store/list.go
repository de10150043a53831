package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/server/internal/varquery"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Filter selects the rows with the given value in a column, or with one of several values.
type Filter struct {
	Column string
	Value  any
	Values []any // used instead of Value if not empty
}

// Impossible is a filter value that matches no row, such as for a region id that is not a number.
var Impossible any = impossible{}

type impossible struct{}

// Variables selects the variables that a read returns.
type Variables uint8

// The selections of [View.Sets].
const (
	NoVariables Variables = iota
	Own
	Resolved
)

// List describes a listing.
type List struct {
	Filters    []Filter        // all must match
	NameLike   string          // a LIKE pattern for the name; "" for none
	Label      string          // with HasLabel: only devices with this label
	HasLabel   bool            // filter by Label
	Under      int64           // only descendants of the device with this id; 0 for all
	Vars       []varquery.Term // all must match
	VarsOfAll  bool            // match Vars against resolved instead of own variables
	Where      *where.Where    // all of its terms must match; nil for none
	Sort       []string        // sort keys
	Descending bool            // applies to every sort key
	Limit      int             // maximum number of rows
	Marker     string          // id of the row after which the page begins; "" for the first page
	Labels     bool            // also return the labels of devices
	Cheap      bool            // return [ErrExpensive] instead of reading very many values of variables

	walked bool // the marker of the previous page is not needed
}

// Page is one page of a listing.
type Page struct {
	Rows   []Row
	Labels [][]string // of each row, sorted; nil if not requested
	Prev   string     // marker of the previous page; "" if that is the first page
}

// InvalidSortKeyError is the error of [View.List] for a sort key that the entity does not have.
type InvalidSortKeyError struct{ Key string }

func (e *InvalidSortKeyError) Error() string { return `"` + e.Key + `" is an invalid sort key` }

// MarkerNotFoundError is the error of [View.List] for a marker that is not the id of a row in the scope.
type MarkerNotFoundError struct{ Marker string }

func (e *MarkerNotFoundError) Error() string { return `Marker "` + e.Marker + `" does not exist` }

// List reads one page. The number of statements does not depend on the number of rows. In the default order, the cost
// does not depend on the position of the page either.
//
// Rows are ordered by the sort keys, with nulls lowest, and then by id. This makes the order total, so that each row is
// on exactly one page.
func (v *View) List(ctx context.Context, e *Entity, sc Scope, l List) (*Page, error) {
	var page *Page
	err := v.walk(ctx, e, sc, l, func(p *Page) error {
		page = p
		return errEnough
	})
	return page, err
}

// errEnough stops the reading of rows or pages without an error.
var errEnough = errors.New("enough pages")

// List is [View.List] in its own view.
func (s *Store) List(ctx context.Context, e *Entity, sc Scope, l List) (*Page, error) {
	var page *Page
	err := s.View(ctx, false, func(ctx context.Context, v *View) (err error) {
		page, err = v.List(ctx, e, sc, l)
		return err
	})
	return page, err
}

// Walk reads all pages of a listing, and calls fn with each page that is not empty, until fn returns an error. l.Limit
// is the size of a page.
func (v *View) Walk(ctx context.Context, e *Entity, sc Scope, l List, fn func(*Page) error) error {
	l.walked = true
	return v.walk(ctx, e, sc, l, func(p *Page) error {
		if len(p.Rows) > 0 {
			if err := fn(p); err != nil {
				return err
			}
		}
		if len(p.Rows) < l.Limit {
			return errEnough
		}
		return nil
	})
}

// walk reads pages until fn returns an error, which may be errEnough.
func (v *View) walk(ctx context.Context, e *Entity, sc Scope, l List, fn func(*Page) error) error {
	order, err := sortColumns(e, l)
	if err != nil {
		return err
	}
	chosen, err := v.q.choose(ctx, e, sc, &l)
	if err != nil {
		return err
	}
	err = v.unkept(sc, func(key string) bool {
		return slices.ContainsFunc(chosen.predicates, func(p predicate) bool { return p.column == "" && p.key == key })
	})
	if err != nil {
		return err
	}
	match := v.q.register(chosen.predicates)
	defer match.release()
	if l.Under != 0 {
		if _, err := v.q.get(ctx, anyDevice, sc, l.Under, unlocked); err != nil {
			return err
		}
	}
	b := listStatement{dialect: v.q.dialect(), e: e, sc: sc, l: l, keys: order, more: chosen.conditions, match: match}
	if l.Marker != "" {
		if err := b.mark(ctx, v.q); err != nil {
			return err
		}
	}
	for {
		page, err := b.page(ctx, v.q)
		if err == nil {
			err = fn(page)
		}
		if err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		b.l.Marker = idText(page.Rows[len(page.Rows)-1][e.Index(e.key)])
		if err := b.mark(ctx, v.q); err != nil {
			return err
		}
	}
}

// page reads the page after the marker row, if any.
func (b *listStatement) page(ctx context.Context, q *session) (*Page, error) {
	page := &Page{Rows: make([]Row, 0, b.l.Limit)}
	text, args, err := b.rows(ctx, q)
	if err != nil {
		return nil, err
	}
	scan := packedScanner(b.e, b.dialect)
	err = q.eachUntil(ctx, text, args, scan.dest, func() error {
		if scan.packed != "" {
			if err := scan.unpack(); err != nil {
				return err
			}
		}
		page.Rows = append(page.Rows, scan.row())
		return nil
	})
	if err != nil {
		return nil, err
	}
	if b.marker != nil {
		if page.Prev, err = b.previous(ctx, q); err != nil {
			return nil, err
		}
	}
	if b.l.Labels && b.e.IsDevice() {
		page.Labels, err = q.labels(ctx, b.e, page.Rows)
	}
	return page, err
}

// idText returns an id in the form of the API's markers.
func idText(id any) string {
	if n, ok := id.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return id.(string)
}

// sortColumn is one sort key.
type sortColumn struct {
	expr     string
	nullable bool
}

// sortColumns checks the sort keys, and appends the id, which makes any order total. The original server does not do
// that, and loses rows that are equal in every key (contract §3.3).
func sortColumns(e *Entity, l List) ([]sortColumn, error) {
	var order []sortColumn
	total := false
	for _, key := range l.Sort {
		column := key
		if key == "hostname" && slices.Contains(e.sortable, key) {
			column = "name"
		}
		c := e.column(column)
		if c == nil || c.expr != "" || column == "seq" || slices.Contains(e.quiet, column) {
			return nil, &InvalidSortKeyError{Key: key}
		}
		if total || slices.ContainsFunc(order, func(o sortColumn) bool { return o.expr == "t."+column }) {
			continue // keys after the id and repeated keys have no effect
		}
		order = append(order, sortColumn{expr: "t." + column, nullable: c.Nullable})
		total = column == e.key
	}
	if !total {
		order = append(order, sortColumn{expr: "t." + e.key})
	}
	return order, nil
}

// listStatement builds the statements of one listing.
type listStatement struct {
	dialect *engine.Dialect
	e       *Entity
	sc      Scope
	l       List
	keys    []sortColumn // the sort keys, as columns of the entity
	order   []sortColumn // the sort keys of one statement, which may be columns of labels
	more    []condition  // conditions in addition to the filters
	match   predicates
	marker  []any // the marker row's values for keys
	finder  *finder
}

// mark reads the marker row. Filters do not apply to it, but the scope does: the original server allows every project
// to probe for any id (contract §1.5, hole 9).
func (b *listStatement) mark(ctx context.Context, q *session) error {
	id, ok := b.e.parseID(b.l.Marker)
	if !ok {
		return &MarkerNotFoundError{Marker: b.l.Marker}
	}
	c := q.conditions()
	c.equal("t."+b.e.key, id, true)
	b.sc.where(b.e, &c, false)
	if b.e.Kind != "" && !b.e.anyRow {
		c.equal("t.type", b.e.Kind, false)
	}
	names := make([]string, len(b.keys))
	b.marker = make([]any, len(b.keys))
	dest := make([]any, len(b.keys))
	for i, o := range b.keys {
		names[i], dest[i] = o.expr, &b.marker[i]
	}
	err := q.row(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+b.e.Table+" t"+c.String(), c.args, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return &MarkerNotFoundError{Marker: b.l.Marker}
	}
	return err
}

// parseID parses an id. Only the canonical form is valid. The original server's database also accepts "2abc" for 2
// (contract §2.1.6).
func (e *Entity) parseID(text string) (any, bool) {
	if e.column(e.key).Type == UUID {
		return text, text != ""
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}

// filter adds all conditions of the listing, and returns the FROM clause.
func (b *listStatement) filter(c *conditions) string {
	b.order = slices.Clone(b.keys)
	from := b.e.Table + " t"
	driver := ""
	for _, column := range b.e.drive {
		if slices.ContainsFunc(b.l.Filters, func(f Filter) bool { return f.Column == column }) {
			driver = column
			break
		}
	}
	unique := driver == "id" || driver == "name" || driver == "ip_address" || driver == "parent_id"
	if b.l.HasLabel && !unique {
		// Begin with the table of labels: its index is already in the default order.
		driver = "label"
		from = "labels l " + b.dialect.Ordered + " " + b.e.Table + " t ON t.id = l.device_id"
		c.equal("l.label", b.l.Label, true)
		for i, o := range b.order {
			switch o.expr {
			case "t.created_at":
				b.order[i].expr = "l.created_at"
			case "t.id":
				b.order[i].expr = "l.device_id"
			}
		}
	}
	for _, f := range b.l.Filters {
		if f.Value == Impossible {
			c.add("1 = 0")
			continue
		}
		if len(f.Values) > 0 {
			c.among("t."+f.Column, f.Values, f.Column == driver)
			continue
		}
		c.equal("t."+f.Column, f.Value, f.Column == driver)
	}
	if b.e.Kind != "" {
		c.equal("t.type", b.e.Kind, driver != "label" && !unique)
	}
	b.sc.where(b.e, c, driver == "")
	if b.l.HasLabel && driver != "label" {
		c.add("EXISTS (SELECT 1 FROM labels l WHERE l.device_id = t.id AND l.label = ?)", b.l.Label)
	}
	if b.l.NameLike != "" {
		c.add(b.dialect.Like("t.name"), pattern(b.l.NameLike))
	}
	if b.l.Under != 0 {
		c.add(`t.id IN (WITH RECURSIVE down (id) AS (SELECT id FROM devices WHERE parent_id = ? UNION SELECT d.id FROM devices d JOIN down ON d.parent_id = down.id) SELECT id FROM down)`, b.l.Under)
	}
	for _, more := range b.more {
		c.add(more.text, more.args...)
	}
	b.match.where(b.e, c)
	return from
}

// pattern returns a LIKE pattern in which a trailing backslash, an incomplete escape, stands for itself, as in MySQL.
func pattern(text string) string {
	if slashes := len(text) - len(strings.TrimRight(text, `\`)); slashes%2 == 1 {
		text += `\`
	}
	return text
}

// rows returns the statement that reads the page.
func (b *listStatement) rows(ctx context.Context, q *session) (string, []any, error) {
	if b.match.inGo() {
		ids, err := b.matching(ctx, q, b.l.Descending, false, b.l.Limit)
		if err != nil {
			return "", nil, err
		}
		text, args := b.chosen(ids)
		return text, args, nil
	}
	text, args := b.pageText()
	return text, args, nil
}

func (b *listStatement) pageText() (string, []any) {
	c := conditions{dialect: b.dialect}
	from := b.filter(&c)
	if b.marker != nil {
		b.after(&c, b.l.Descending, false)
	}
	text := "SELECT " + b.e.selectRows(b.dialect) + " FROM " + from + c.String() + b.orderBy(b.l.Descending) + " LIMIT " + strconv.Itoa(b.l.Limit)
	return text, c.args // a literal limit: with LIMIT ?, SQLite would prepare the statement again each time
}

// previous returns the marker of the previous page. The marker row is the last row of that page, so the previous marker
// is limit rows before it. If there is no such row, the previous page is the first one.
func (b *listStatement) previous(ctx context.Context, q *session) (string, error) {
	if b.match.inGo() {
		ids, err := b.matching(ctx, q, !b.l.Descending, true, b.l.Limit+1)
		if err != nil || len(ids) <= b.l.Limit {
			return "", err
		}
		return idText(ids[b.l.Limit]), nil
	}
	text, args := b.previousText()
	var prev any
	err := q.row(ctx, text, args, &prev)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return idText(prev), nil
}

func (b *listStatement) previousText() (string, []any) {
	c := conditions{dialect: b.dialect}
	from := b.filter(&c)
	b.after(&c, !b.l.Descending, true)
	text := "SELECT t." + b.e.key + " FROM " + from + c.String() + b.orderBy(!b.l.Descending) + " LIMIT 1 OFFSET ?"
	return text, append(c.args, b.l.Limit)
}

func (b *listStatement) orderBy(descending bool) string {
	var t strings.Builder
	for i, o := range b.order {
		if i == 0 {
			t.WriteString(" ORDER BY ")
		} else {
			t.WriteString(", ")
		}
		t.WriteString(o.expr)
		nulls := b.dialect.NullsFirst
		if descending {
			t.WriteString(" DESC")
			nulls = b.dialect.NullsLast
		}
		if o.nullable {
			t.WriteString(nulls)
		}
	}
	return t.String()
}

// after adds the condition that a row comes after the marker row in the given direction, or, if inclusive, is the
// marker row itself. Nulls are lowest.
func (b *listStatement) after(c *conditions, descending, inclusive bool) {
	op := ">"
	if descending {
		op = "<"
	}
	if !slices.ContainsFunc(b.order, func(o sortColumn) bool { return o.nullable }) {
		names := make([]string, len(b.order))
		for i, o := range b.order {
			names[i] = o.expr
		}
		if inclusive {
			op += "="
		}
		c.add("("+strings.Join(names, ", ")+") "+op+" ("+strings.Repeat("?, ", len(names)-1)+"?)", b.marker...)
		return
	}
	// (a > A) OR (a = A AND b > B) OR ..., with nulls handled explicitly.
	var cases []string
	var equal []string
	var equalArgs, args []any
	for i, o := range b.order {
		null := b.marker[i] == nil
		var past string
		var pastArgs []any
		switch {
		case null && descending:
			past = "1 = 0" // nothing is lower than null
		case null:
			past = o.expr + " IS NOT NULL"
		case descending && o.nullable:
			past, pastArgs = "("+o.expr+" < ? OR "+o.expr+" IS NULL)", []any{b.marker[i]}
		default:
			past, pastArgs = o.expr+" "+op+" ?", []any{b.marker[i]}
		}
		cases = append(cases, "("+strings.Join(append(slices.Clone(equal), past), " AND ")+")")
		args = append(append(args, equalArgs...), pastArgs...)
		if null {
			equal = append(equal, o.expr+" IS NULL")
		} else {
			equal = append(equal, o.expr+" = ?")
			equalArgs = append(equalArgs, b.marker[i])
		}
	}
	if inclusive {
		cases = append(cases, "("+strings.Join(equal, " AND ")+")")
		args = append(args, equalArgs...)
	}
	c.add("("+strings.Join(cases, " OR ")+")", args...)
}
