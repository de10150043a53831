package show

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/table"
	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
)

// wrapWidth is the width at which the original wraps the values of a single object.
const wrapWidth = 72

// Printer writes the results of commands, in the requested format.
type Printer struct {
	output.Streams
	Format string                    // formatTable, formatJSON, formatYAML or formatCSV
	Title  func(field string) string // nil is heading
}

// PrintObject prints one object with all its members.
func (s *Printer) PrintObject(o gjson.Result) error { return s.PrintMembers("Property", o) }

// PrintVariables prints variables.
func (s *Printer) PrintVariables(vars gjson.Result) error { return s.PrintMembers("Variable", vars) }

// member is a key of an object with its value.
type member struct {
	Key   string
	Value gjson.Result
}

// Members returns an object's members, sorted.
func Members(o gjson.Result) []member {
	var all []member
	o.ForEach(func(key, value gjson.Result) bool {
		all = append(all, member{key.Str, value})
		return true
	})
	slices.SortStableFunc(all, func(a, b member) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// PrintMembers prints the members of an object below a title, such as Property.
func (s *Printer) PrintMembers(title string, o gjson.Result) error {
	switch s.Format {
	case FormatJSON:
		return s.write(append(python.Dumps(o), '\n'))
	case FormatYAML:
		return s.writeYAML(o)
	case FormatCSV:
		if title == "Property" { // as a list with one item
			var fields, cells []string
			for _, m := range Members(o) {
				fields, cells = append(fields, m.Key), append(cells, csvCell(m.Value))
			}
			return WriteCSV(s.Out, [][]string{fields, cells})
		}
		rows := [][]string{{strings.ToLower(title), "value"}}
		for _, m := range Members(o) {
			rows = append(rows, []string{m.Key, csvCell(m.Value)})
		}
		return WriteCSV(s.Out, rows)
	}
	look := AppearanceOf(s.Out)
	t := table.Table{Header: []string{title, "Value"}}
	var faint []int
	for _, m := range Members(o) {
		key, value := m.Key, python.Str(m.Value)
		if look != (Appearance{}) {
			key, value = Clean(key), Clean(value)
		}
		if m.Value.Type == gjson.Null {
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

// View determines how a table of objects is shown to people at a terminal.
type View struct {
	// names are shown instead of ids, by the column's field and the id.
	Names map[string]map[string]string
	// narrow: columns may be left out if the terminal is too narrow for all.
	Narrow bool
}

// title returns the title of a column, without the suffix that is wrong for names.
func (v View) title(field string) string {
	if v.Names[field] == nil {
		return field
	}
	return strings.TrimSuffix(field, "_id")
}

// text returns an object's value of a field.
func (v View) text(field string, o gjson.Result) string {
	value := o.Get(field)
	if name, is := v.Names[field][value.String()]; is && value.Type != gjson.Null {
		return name
	}
	return python.Str(value)
}

// Columns that are left out on a narrow terminal, in this order: creation time; columns with the same value in all
// rows; the least important ones. Ids, names, addresses and cells always stay.
var (
	shrinkable        = []string{"created_at", "updated_at"}
	shrinkableAsGroup = []string{"active", "device_type", "interface_type", "netmask", "cloud_id", "region_id"}
	shrinkableLast    = []string{"netmask", "interface_type", "device_type", "active"}
)

// fitting returns the columns of a table for which the terminal has room, and those that are left out.
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
	leave(shrinkable, always)
	leave(shrinkableAsGroup, same)
	leave(shrinkableLast, always)
	return columns, gone
}

// PrintList prints objects: a table or CSV of the fields, or the complete objects.
func (s *Printer) PrintList(objects []gjson.Result, fields []string) error {
	return s.PrintView(objects, fields, View{})
}

// PrintView prints objects like PrintList, with a view on a terminal.
func (s *Printer) PrintView(objects []gjson.Result, fields []string, v View) error {
	switch s.Format {
	case FormatJSON:
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
	case FormatYAML:
		texts := make([]string, len(objects))
		for i, o := range objects {
			texts[i] = o.Raw
		}
		return s.writeYAML(gjson.Parse("[" + strings.Join(texts, ",") + "]"))
	case FormatCSV:
		rows := [][]string{fields}
		for _, o := range objects {
			cells := make([]string, len(fields))
			for i, f := range fields {
				cells[i] = csvCell(o.Get(f))
			}
			rows = append(rows, cells)
		}
		return WriteCSV(s.Out, rows)
	}
	look := AppearanceOf(s.Out)
	t := table.Table{}
	title := Heading
	if s.Title != nil {
		title = s.Title
	}
	for _, f := range fields {
		t.Header = append(t.Header, title(v.title(f)))
	}
	for _, o := range objects {
		cells := make([]string, len(fields))
		for i, f := range fields {
			cells[i] = v.text(f, o)
			if look != (Appearance{}) {
				cells[i] = Clean(cells[i])
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	var gone []string
	if v.Narrow && look.Width > 0 {
		var columns []int
		columns, gone = fitting(t, fields, look.Width)
		t = t.Columns(columns...)
		fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return slices.Contains(gone, f) })
	}
	if err := s.writeTable(t, look, func(row, column int) bool { return objects[row].Get(fields[column]).Type == gjson.Null }, fields...); err != nil {
		return err
	}
	if gone != nil {
		_, _ = fmt.Fprintf(s.Err, "no room for %s: --detail shows all columns, --fields the ones that you name\n", strings.Join(gone, ", "))
	}
	return nil
}

// unbroken reports whether people copy a field's values: names, addresses and ids, which are never broken over lines.
func unbroken(field string) bool {
	for _, part := range []string{"name", "address", "cidr", "gateway", "netmask", "uuid", "MAC_add", "ip", "id"} {
		if field == part || strings.HasSuffix(field, "_"+part) {
			return true
		}
	}
	return false
}

// PrintLabels prints labels.
func (s *Printer) PrintLabels(labels []string) error {
	text, err := json.Marshal(append([]string{}, labels...))
	if err != nil {
		return err
	}
	doc := gjson.ParseBytes(text)
	switch s.Format {
	case FormatJSON:
		return s.write(append(python.Dumps(doc), '\n'))
	case FormatYAML:
		return s.writeYAML(doc)
	}
	var rows [][]string
	for _, l := range labels {
		rows = append(rows, []string{l})
	}
	if s.Format == FormatCSV {
		return WriteCSV(s.Out, slices.Insert(rows, 0, []string{"label"}))
	}
	look := AppearanceOf(s.Out)
	return s.writeTable(table.Table{Header: []string{"Label"}, Rows: rows}, look, func(int, int) bool { return false })
}

// Heading returns the title of a field's column: Ip Address.
func Heading(field string) string {
	words := strings.Split(field, "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// csvCell returns a value for CSV: null is empty, and nested values are JSON.
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

// writeTable writes a table for its stream; faint reports less important cells.
func (s *Printer) writeTable(t table.Table, look Appearance, faint func(row, column int) bool, whole ...string) error {
	isWhole := func(column int) bool { return column < len(whole) && unbroken(whole[column]) }
	if output.IsTerminal(s.Out) { // which must ignore control sequences from the API
		for _, cells := range t.Rows {
			for i := range cells {
				cells[i] = Clean(cells[i])
			}
		}
	}
	return s.write([]byte(t.Text(table.Look{Width: look.Width, Whole: isWhole, Paint: func(row, column int, line string) string {
		switch {
		case row < 0:
			return look.Bold(line)
		case faint(row, column):
			return look.Dim(line)
		}
		return line
	}})))
}

// writeYAML writes a document with sorted keys; numbers keep their text.
func (s *Printer) writeYAML(doc gjson.Result) error {
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

func (s *Printer) write(text []byte) error {
	_, err := s.Out.Write(text)
	return err
}

// Say says what was done: on standard output with a table, but never if a program expects JSON, YAML or CSV.
func (s *Printer) Say(format string, args ...any) {
	w := s.Out
	if s.Format != FormatTable {
		w = s.Err
	}
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

// SayMore says on standard error, whatever the format, that a list is incomplete.
func (s *Printer) SayMore(shown int, what string) {
	_, _ = fmt.Fprintf(s.Err, "%d shown, %s: --all\n", shown, what)
}
