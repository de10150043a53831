package importing

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/marks"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// The fields that a column of a table can be, with synonyms.
var csvFields = map[string][]string{
	"name":        {"name", "hostname", "host", "inventory_hostname"},
	"ip_address":  {"ip_address", "ip", "address", "ip address", "primary_ip", "ansible_host"},
	"cloud":       {"cloud"},
	"region":      {"region", "site", "datacenter"},
	"cell":        {"cell", "rack"},
	"device_type": {"device_type", "type", "device type"},
	"labels":      {"labels", "label", "tags", "roles"},
}

// CSVFields returns the names of the fields.
func CSVFields() []string { return slices.Sorted(maps.Keys(csvFields)) }

// CSV determines how a table is read.
type CSV struct {
	// Name is the file's name, for errors.
	Name string
	// Map has the columns of fields, by the field's name. Other fields are recognised by the names of columns.
	Map map[string]string
	// Columns are those that become variables; nil means all that are not fields.
	Columns []string
	// Rules are as in Options. Names of groups are not needed.
	Rules Rules
}

// ReadCSV reads a table with a line of column names followed by a line for each host. It returns an inventory in which
// places and labels are groups, and the other columns are variables of hosts, with texts as values. An empty cell is no
// variable. The places are in the options that it returns. Every line that cannot be a host is reported, with its
// number and the name of the host.
func ReadCSV(r io.Reader, c CSV) (*Inventory, *Options, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, fmt.Errorf("%s cannot be read: %w", c.Name, err)
	}
	table := &rows{text: text}
	head, _, err := table.next()
	if errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("%s is empty; its first line has the names of the columns", c.Name)
	}
	if broken, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, nil, fmt.Errorf("%s:%d: %s", c.Name, broken.StartLine, quotes(broken))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s cannot be read: %w", c.Name, err)
	}
	t := &tableReader{CSV: c, head: head, column: map[string]int{}, fields: map[string]int{}, lines: map[string]int{}, options: &Options{Types: map[string]string{}, Table: true}}
	t.inventory = &Inventory{
		Groups:   map[string]*Group{groupAll: {Name: groupAll, Vars: Vars{}, Priority: 1}, groupUngrouped: {Name: groupUngrouped, Vars: Vars{}, Priority: 1}},
		Resolved: map[string]Vars{}, Own: map[string]Vars{}, Lines: t.lines,
		values: &valueReader{inert: c.Rules.Inert, known: map[string]*Value{}},
	}
	if err := t.columns(); err != nil {
		return nil, nil, fmt.Errorf("%s %w", c.Name, err)
	}
	for broken := 0; ; {
		row, line, err := table.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if p, ok := errors.AsType[*csv.ParseError](err); ok && broken <= reconcile.MaxProblems { // no more are shown
			broken++
			t.problems.Add(p.StartLine, "", "%s", quotes(p))
			continue
		}
		if err != nil {
			break
		}
		t.row(row, line)
	}
	if err := t.problems.Err(c.Name); err != nil {
		return nil, nil, err
	}
	v := t.inventory
	v.Hosts = slices.Sorted(maps.Keys(v.Own))
	for key := range v.Groups {
		if key != groupAll {
			v.Groups[groupAll].Children = append(v.Groups[groupAll].Children, key)
		}
	}
	v.order()
	return v, t.options, nil
}

// quotes describes what is wrong with the quotes in a line.
func quotes(p *csv.ParseError) string {
	switch {
	case errors.Is(p.Err, csv.ErrBareQuote):
		return `a cell contains a quote: put the cell in quotes, and double the quote`
	case errors.Is(p.Err, csv.ErrQuote):
		return `a cell begins with a quote but does not end with one, or contains one that is not doubled`
	}
	return p.Err.Error()
}

// rows reads the rows of a table. A line with invalid quotes is an error, and reading continues after it: its intended
// end is unknown.
type rows struct {
	text   []byte // the text since the last error
	before int    // the number of lines before it
	table  *csv.Reader
}

// next returns a row, and its first line. The lines of a *csv.ParseError count from the beginning of the table too.
func (r *rows) next() ([]string, int, error) {
	if r.table == nil {
		r.table = csv.NewReader(bytes.NewReader(r.text))
		r.table.TrimLeadingSpace = true
		r.table.FieldsPerRecord = -1 // rows with another number of cells are reported with the other problems
	}
	row, err := r.table.Read()
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		for range p.StartLine {
			_, r.text, _ = bytes.Cut(r.text, []byte("\n"))
		}
		r.table = nil
		r.before += p.StartLine
		return nil, 0, &csv.ParseError{StartLine: r.before, Line: r.before + p.Line - p.StartLine, Column: p.Column, Err: p.Err}
	}
	if err != nil {
		return nil, 0, err
	}
	line, _ := r.table.FieldPos(0)
	return row, r.before + line, nil
}

// tableReader reads one table.
type tableReader struct {
	CSV
	head      []string
	column    map[string]int // by their names
	fields    map[string]int // columns, by field
	variables []int          // columns
	lines     map[string]int // by host
	problems  reconcile.Problems

	inventory *Inventory
	options   *Options
}

// columns determines what each column is.
func (t *tableReader) columns() error {
	t.head[0] = strings.TrimPrefix(t.head[0], "\ufeff")
	if others := strings.IndexAny(t.head[0], ";\t"); len(t.head) == 1 && others >= 0 {
		return fmt.Errorf("has one column, %q: save it with commas as separators", value.Brief(t.head[0]))
	}
	for i, name := range t.head {
		t.head[i] = strings.TrimSpace(name)
		if _, twice := t.column[t.head[i]]; twice {
			return fmt.Errorf("has two columns %q", t.head[i])
		}
		t.column[t.head[i]] = i
	}
	find := func(name string) (int, error) {
		i, ok := t.column[name]
		if !ok {
			return 0, advice.With(fmt.Errorf("has no column %q", name), nearest.Hint(name, t.head))
		}
		return i, nil
	}
	taken := map[int]bool{}
	for _, field := range slices.Sorted(maps.Keys(t.Map)) {
		i, err := find(t.Map[field])
		if err != nil {
			return err
		}
		t.fields[field], taken[i] = i, true
	}
	for field, names := range csvFields {
		if _, given := t.Map[field]; given {
			continue
		}
		for i, name := range t.head {
			if _, found := t.fields[field]; !found && !taken[i] && slices.Contains(names, strings.ToLower(name)) {
				t.fields[field], taken[i] = i, true
			}
		}
	}
	if _, ok := t.fields["name"]; !ok {
		return errors.New("has no column of names; set it with --map name=COLUMN")
	}
	for i := range t.head {
		if t.Columns == nil && !taken[i] && t.head[i] != "" {
			t.variables = append(t.variables, i)
		}
	}
	for _, name := range t.Columns {
		i, err := find(name)
		if err != nil {
			return err
		}
		t.variables = append(t.variables, i)
	}
	named := map[string]string{} // columns, by variable
	for _, i := range t.variables {
		name := variableOf(t.head[i])
		if other, twice := named[name]; twice {
			return fmt.Errorf("has the variable %s in two columns, %q and %q", name, other, t.head[i])
		}
		if err := reconcile.CheckKey(name); err != nil {
			return fmt.Errorf("has a column %q, whose name, for a variable, %w", value.Brief(t.head[i]), err)
		}
		named[name] = t.head[i]
	}
	return nil
}

// row adds a host.
func (t *tableReader) row(row []string, line int) {
	cell := func(field string) string {
		if i, ok := t.fields[field]; ok && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	name := cell("name")
	path := "hosts[" + reconcile.PathName(name) + "]"
	wrong := func(what string, err error) bool {
		if err != nil {
			t.problems.Add(line, path+what, "%v", err)
		}
		return err != nil
	}
	first := t.lines[name]
	if first == 0 {
		t.lines[name] = line
	}
	switch {
	case name == "":
		t.problems.Add(line, "", "the host has no name")
		return
	case len(row) != len(t.head):
		t.problems.Add(line, path, "the line has %d cells, the first line has %d", len(row), len(t.head))
		return
	case first != 0:
		t.problems.Add(line, path, "the host is also on line %d; names must be unique", first)
		return
	case wrong(".name", cmp.Or(reconcile.CheckName(name), t.Rules.CheckHostName(name))):
		return
	}
	v, vars := t.inventory, Vars{}
	for _, i := range t.variables {
		if row[i] != "" && !wrong("."+variableOf(t.head[i]), value.CheckText(row[i])) {
			vars[variableOf(t.head[i])] = v.values.data(row[i])
		}
	}
	for _, field := range []string{"ip_address", "device_type"} {
		text := cell(field)
		if text == "" || wrong("."+field, checkField(field, text)) {
			continue
		}
		if field == "ip_address" {
			vars[hostAddress] = v.values.data(text)
		} else {
			t.options.Types[name] = text
		}
	}
	v.Own[name], v.Resolved[name] = vars, vars
	for _, kind := range []string{"cloud", "region", "cell"} {
		if place := cell(kind); place != "" && !wrong("."+kind, reconcile.CheckName(place)) {
			t.member(int(Levels[kind]), kind, place, name)
		}
	}
	for _, label := range splitLabels(cell("labels")) {
		if !wrong(".labels", reconcile.CheckName(label)) {
			t.member(-1, "label", label, name)
		}
	}
}

// checkField returns what is wrong with the value of a host's field.
func checkField(field, text string) error {
	_, err := reconcile.Check(schema.Host.ByOption(field), text)
	return err
}

// member adds a host to a place, or to those with a label.
func (t *tableReader) member(level int, kind, name, host string) {
	key := kind + " " + name
	g := t.inventory.Groups[key]
	if g == nil {
		g = &Group{Name: key, title: name, Vars: Vars{}, Priority: 1}
		t.inventory.Groups[key] = g
		if level >= 0 {
			t.options.Map[level] = append(t.options.Map[level], key)
		}
	}
	g.Hosts = append(g.Hosts, host)
}

// variableOf returns the variable of a column: its name, or NAME for vars.NAME, as craton export writes it.
func variableOf(column string) string {
	if name := strings.TrimPrefix(column, "vars."); name != "" {
		return name
	}
	return column
}

// splitLabels returns the labels of a cell: separated by commas, semicolons or spaces, or a JSON list.
func splitLabels(cell string) (labels []string) {
	if strings.HasPrefix(cell, "[") && json.Unmarshal([]byte(cell), &labels) == nil {
		return labels
	}
	return strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",; ", r) })
}

// data returns a text that nothing executes.
func (r *valueReader) data(s string) *Value {
	raw := quoted(s)
	if !r.inert(s) {
		raw = `{"` + marks.Unsafe + `":` + raw + `}`
	}
	v, err := r.read([]byte(raw))
	if err != nil { // encoding a text never fails
		return r.text(s)
	}
	return v
}
