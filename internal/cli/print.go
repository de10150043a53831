package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/table"
	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
)

// wrapWidth is where the original wraps the values of a single object.
const wrapWidth = 72

// printer writes what commands show, in the form that was asked for.
type printer struct {
	output.Streams
	format string                    // formatTable, formatJSON, formatYAML or formatCSV
	title  func(field string) string // nil is heading
}

// printObject prints one object with all its members.
func (s *printer) printObject(o gjson.Result) error { return s.printMembers("Property", o) }

// printVariables prints variables.
func (s *printer) printVariables(vars gjson.Result) error { return s.printMembers("Variable", vars) }

// member is a key of an object with its value.
type member struct {
	key   string
	value gjson.Result
}

// members are an object's members, sorted.
func members(o gjson.Result) []member {
	var all []member
	o.ForEach(func(key, value gjson.Result) bool {
		all = append(all, member{key.Str, value})
		return true
	})
	slices.SortStableFunc(all, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	return all
}

func (s *printer) printMembers(title string, o gjson.Result) error {
	switch s.format {
	case formatJSON:
		return s.write(append(python.Dumps(o), '\n'))
	case formatYAML:
		return s.writeYAML(o)
	case formatCSV:
		if title == "Property" { // as a list of one
			var fields, cells []string
			for _, m := range members(o) {
				fields, cells = append(fields, m.key), append(cells, csvCell(m.value))
			}
			return writeCSV(s.Out, [][]string{fields, cells})
		}
		rows := [][]string{{strings.ToLower(title), "value"}}
		for _, m := range members(o) {
			rows = append(rows, []string{m.key, csvCell(m.value)})
		}
		return writeCSV(s.Out, rows)
	}
	look := appearanceOf(s.Out)
	t := table.Table{Header: []string{title, "Value"}}
	var faint []int
	for _, m := range members(o) {
		key, value := m.key, python.Str(m.value)
		if look != (appearance{}) {
			key, value = clean(key), clean(value)
		}
		if m.value.Type == gjson.Null {
			faint = append(faint, len(t.Rows))
		}
		for i, line := range strings.Split(python.Fill(value, wrapWidth), "\n") {
			if i > 0 {
				key = ""
			}
			t.Rows = append(t.Rows, []string{key, line})
		}
	}
	return s.writeTable(t, look, func(row, column int) bool {
		_, is := slices.BinarySearch(faint, row)
		return is && column == 1
	})
}

// view is how a table of objects is shown to people at a terminal.
type view struct {
	// names are what is shown instead of ids, by the column's field and the id.
	names map[string]map[string]string
	// narrow: columns may be left out where the terminal has no room for all.
	narrow bool
}

// title is a column's field without what names make wrong.
func (v view) title(field string) string {
	if v.names[field] == nil {
		return field
	}
	return strings.TrimSuffix(field, "_id")
}

// text is an object's value of a field.
func (v view) text(field string, o gjson.Result) string {
	value := o.Get(field)
	if name, is := v.names[field][value.String()]; is && value.Type != gjson.Null {
		return name
	}
	return python.Str(value)
}

// Columns that give way on a narrow terminal, the first first: when something was made; what is the same in all rows; what
// is looked at least. Ids, names, addresses and cells never do.
var (
	givesWay     = []string{"created_at", "updated_at"}
	givesWaySame = []string{"active", "device_type", "interface_type", "netmask", "cloud_id", "region_id"}
	givesWayLast = []string{"netmask", "interface_type", "device_type", "active"}
)

// fitting are the columns of a table that a terminal has room for, and those that gave way.
func fitting(t table.Table, fields []string, width int) (columns []int, gone []string) {
	for i := range fields {
		columns = append(columns, i)
	}
	leave := func(names []string, may func(column int) bool) {
		for _, name := range names {
			i := slices.Index(fields, name)
			if at := slices.Index(columns, i); at >= 0 && !t.Columns(columns...).Fits(width) && may(i) {
				columns = slices.Delete(columns, at, at+1)
				gone = append(gone, name)
			}
		}
	}
	always := func(int) bool { return true }
	same := func(i int) bool {
		return !slices.ContainsFunc(t.Rows, func(row []string) bool { return row[i] != t.Rows[0][i] })
	}
	leave(givesWay, always)
	leave(givesWaySame, same)
	leave(givesWayLast, always)
	return columns, gone
}

// printList prints objects: a table or CSV of the fields, or the whole objects.
func (s *printer) printList(objects []gjson.Result, fields []string) error {
	return s.printView(objects, fields, view{})
}

// printView prints objects as printList does, on a terminal in a view.
func (s *printer) printView(objects []gjson.Result, fields []string, v view) error {
	switch s.format {
	case formatJSON:
		var b bytes.Buffer
		b.WriteByte('[')
		for i, o := range objects {
			if i > 0 {
				b.WriteString(", ")
			}
			b.Write(python.Dumps(o))
		}
		b.WriteString("]\n")
		return s.write(b.Bytes())
	case formatYAML:
		texts := make([]string, len(objects))
		for i, o := range objects {
			texts[i] = o.Raw
		}
		return s.writeYAML(gjson.Parse("[" + strings.Join(texts, ",") + "]"))
	case formatCSV:
		rows := [][]string{fields}
		for _, o := range objects {
			cells := make([]string, len(fields))
			for i, f := range fields {
				cells[i] = csvCell(o.Get(f))
			}
			rows = append(rows, cells)
		}
		return writeCSV(s.Out, rows)
	}
	look := appearanceOf(s.Out)
	t := table.Table{}
	title := heading
	if s.title != nil {
		title = s.title
	}
	for _, f := range fields {
		t.Header = append(t.Header, title(v.title(f)))
	}
	for _, o := range objects {
		cells := make([]string, len(fields))
		for i, f := range fields {
			cells[i] = v.text(f, o)
			if look != (appearance{}) {
				cells[i] = clean(cells[i])
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	var gone []string
	if v.narrow && look.width > 0 {
		var columns []int
		columns, gone = fitting(t, fields, look.width)
		t = t.Columns(columns...)
		fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return slices.Contains(gone, f) })
	}
	if err := s.writeTable(t, look, func(row, column int) bool { return objects[row].Get(fields[column]).Type == gjson.Null }, fields...); err != nil {
		return err
	}
	if gone != nil {
		_, _ = fmt.Fprintf(s.Err, "no room for %s: --detail shows all columns, --fields those that you name\n", strings.Join(gone, ", "))
	}
	return nil
}

// unbroken reports whether a field's values are what people copy: names, addresses and ids, which are never broken over lines.
func unbroken(field string) bool {
	for _, part := range []string{"name", "address", "cidr", "gateway", "netmask", "uuid", "MAC_add", "ip", "id"} {
		if field == part || strings.HasSuffix(field, "_"+part) {
			return true
		}
	}
	return false
}

// printLabels prints labels.
func (s *printer) printLabels(labels []string) error {
	text, err := json.Marshal(append([]string{}, labels...))
	if err != nil {
		return err
	}
	doc := gjson.ParseBytes(text)
	switch s.format {
	case formatJSON:
		return s.write(append(python.Dumps(doc), '\n'))
	case formatYAML:
		return s.writeYAML(doc)
	}
	var rows [][]string
	for _, l := range labels {
		rows = append(rows, []string{l})
	}
	if s.format == formatCSV {
		return writeCSV(s.Out, slices.Insert(rows, 0, []string{"label"}))
	}
	look := appearanceOf(s.Out)
	return s.writeTable(table.Table{Header: []string{"Label"}, Rows: rows}, look, func(int, int) bool { return false })
}

// heading is a field's name above its column: Ip Address.
func heading(field string) string {
	words := strings.Split(field, "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// csvCell is a value for CSV: null is empty, and what is nested is JSON.
func csvCell(v gjson.Result) string {
	switch v.Type {
	case gjson.Null:
		return ""
	case gjson.String:
		return v.Str
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(v.Raw)); err != nil {
		return v.Raw
	}
	return b.String()
}

// writeTable writes a table as its stream wants it; faint tells the cells that say little.
func (s *printer) writeTable(t table.Table, look appearance, faint func(row, column int) bool, whole ...string) error {
	isWhole := func(column int) bool { return column < len(whole) && unbroken(whole[column]) }
	if output.IsTerminal(s.Out) { // which must not obey what the API says
		for _, cells := range t.Rows {
			for i := range cells {
				cells[i] = clean(cells[i])
			}
		}
	}
	return s.write([]byte(t.Text(table.Look{Width: look.width, Whole: isWhole, Paint: func(row, column int, line string) string {
		switch {
		case row < 0:
			return look.bold(line)
		case faint(row, column):
			return look.dim(line)
		}
		return line
	}})))
}

// writeYAML writes a document with its keys sorted; numbers keep their text.
func (s *printer) writeYAML(doc gjson.Result) error {
	d := json.NewDecoder(bytes.NewReader(python.Dumps(doc)))
	d.UseNumber()
	node, err := yamlNode(d)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	if output.IsTerminal(s.Out) {
		text = []byte(rules.EscapeLines(string(text)))
	}
	return s.write(text)
}

func (s *printer) write(text []byte) error {
	_, err := s.Out.Write(text)
	return err
}

// say says what was done: on standard output beside a table, but never where a program expects JSON, YAML or CSV.
func (s *printer) say(format string, args ...any) {
	var w io.Writer = s.Out
	if s.format != formatTable {
		w = s.Err
	}
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

// sayRest says on standard error, whatever the format, that a list does not show all.
func (s *printer) sayRest(shown int, what string) {
	_, _ = fmt.Fprintf(s.Err, "%d shown, %s: --all\n", shown, what)
}
