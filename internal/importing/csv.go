package importing

import (
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
	"github.com/craton-fleet/craton/internal/value"
)

// The fields that a column of a table can be, and what else people call them.
var csvFields = map[string][]string{
	"name":        {"name", "hostname", "host", "inventory_hostname"},
	"ip_address":  {"ip_address", "ip", "address", "ip address", "primary_ip", "ansible_host"},
	"cloud":       {"cloud"},
	"region":      {"region", "site", "datacenter"},
	"cell":        {"cell", "rack"},
	"device_type": {"device_type", "type", "device type"},
	"labels":      {"labels", "label", "tags", "roles"},
}

// CSVFields are the names of the fields.
func CSVFields() []string { return slices.Sorted(maps.Keys(csvFields)) }

// CSV says how a table is read.
type CSV struct {
	// Map has the column of a field, by the field's name. The others are found by what their columns are called.
	Map map[string]string
	// Columns are those that become variables; nil is all that are no field.
	Columns []string
	// Inert is as in Rules.
	Inert func(string) bool
}

// ReadCSV reads a table of hosts, a line each below a line of names: an inventory in which places and labels are groups, and the other columns are
// variables of hosts, which are texts. An empty cell is no variable. The places are in the options that come with it.
func ReadCSV(r io.Reader, c CSV) (*Inventory, *Options, error) {
	table := csv.NewReader(r)
	table.TrimLeadingSpace = true
	head, err := table.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, errors.New("is empty; its first line has the names of the columns")
	}
	if err != nil {
		return nil, nil, err
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	column := map[string]int{}
	for i, name := range head {
		head[i] = strings.TrimSpace(name)
		if _, twice := column[head[i]]; twice {
			return nil, nil, fmt.Errorf("has two columns %q", head[i])
		}
		column[head[i]] = i
	}
	find := func(name string) (int, error) {
		i, ok := column[name]
		if !ok {
			return 0, advice.With(fmt.Errorf("has no column %q", name), nearest.Hint(name, head))
		}
		return i, nil
	}
	fields, taken := map[string]int{}, map[int]bool{}
	for field, name := range c.Map {
		i, err := find(name)
		if err != nil {
			return nil, nil, err
		}
		fields[field], taken[i] = i, true
	}
	for field, names := range csvFields {
		if _, given := c.Map[field]; given {
			continue
		}
		for i, name := range head {
			if _, found := fields[field]; !found && !taken[i] && slices.Contains(names, strings.ToLower(name)) {
				fields[field], taken[i] = i, true
			}
		}
	}
	if _, ok := fields["name"]; !ok {
		return nil, nil, errors.New("has no column of names; --map name=COLUMN says which it is")
	}
	var variables []int
	for i := range head {
		if c.Columns == nil && !taken[i] && head[i] != "" {
			variables = append(variables, i)
		}
	}
	for _, name := range c.Columns {
		i, err := find(name)
		if err != nil {
			return nil, nil, err
		}
		variables = append(variables, i)
	}
	named := map[string]string{} // columns, by variable
	for _, i := range variables {
		name := variableOf(head[i])
		if other, twice := named[name]; twice {
			return nil, nil, fmt.Errorf("has the variable %s in two columns, %q and %q", name, other, head[i])
		}
		named[name] = head[i]
	}
	v := &Inventory{
		Groups:   map[string]*Group{groupAll: {Name: groupAll, Vars: Vars{}, Priority: 1}, groupUngrouped: {Name: groupUngrouped, Vars: Vars{}, Priority: 1}},
		Resolved: map[string]Vars{}, Own: map[string]Vars{},
		values: &valueReader{inert: c.Inert, known: map[string]*Value{}},
	}
	o := &Options{Types: map[string]string{}, Table: true}
	group := func(level int, kind, name, host string) {
		key := kind + " " + name
		g := v.Groups[key]
		if g == nil {
			g = &Group{Name: key, title: name, Vars: Vars{}, Priority: 1}
			v.Groups[key] = g
			if level >= 0 {
				o.Map[level] = append(o.Map[level], key)
			}
		}
		g.Hosts = append(g.Hosts, host)
	}
	lines := map[string]int{}
	for {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := table.FieldPos(0)
		cell := func(field string) string {
			if i, ok := fields[field]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		name := cell("name")
		switch first := lines[name]; {
		case name == "":
			return nil, nil, fmt.Errorf("has a host without a name on line %d", line)
		case first != 0:
			return nil, nil, fmt.Errorf("has the host %q on lines %d and %d", name, first, line)
		}
		lines[name] = line
		vars := Vars{}
		for _, i := range variables {
			if row[i] != "" {
				vars[variableOf(head[i])] = v.values.data(row[i])
			}
		}
		if address := cell("ip_address"); address != "" {
			if _, ok := value.ParseAddress(address); !ok {
				return nil, nil, fmt.Errorf("has %q as the address of %s on line %d, which is none", address, name, line)
			}
			vars[hostAddress] = v.values.data(address)
		}
		v.Own[name], v.Resolved[name] = vars, vars
		for _, kind := range []string{"cloud", "region", "cell"} {
			if place := cell(kind); place != "" {
				group(int(Levels[kind]), kind, place, name)
			}
		}
		for _, label := range splitLabels(cell("labels")) {
			group(-1, "label", label, name)
		}
		if kind := cell("device_type"); kind != "" {
			o.Types[name] = kind
		}
	}
	v.Hosts = slices.Sorted(maps.Keys(v.Own))
	for key := range v.Groups {
		if key != groupAll {
			v.Groups[groupAll].Children = append(v.Groups[groupAll].Children, key)
		}
	}
	v.order()
	return v, o, nil
}

// variableOf is the variable of a column: what it is called, or vars.NAME, as craton export writes it.
func variableOf(column string) string {
	if name := strings.TrimPrefix(column, "vars."); name != "" {
		return name
	}
	return column
}

// splitLabels are the labels of a cell: parted by commas, semicolons or space, or a list of JSON.
func splitLabels(cell string) (labels []string) {
	if strings.HasPrefix(cell, "[") && json.Unmarshal([]byte(cell), &labels) == nil {
		return labels
	}
	return strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",; ", r) })
}

// data is a text that nothing executes.
func (r *valueReader) data(s string) *Value {
	raw := quoted(s)
	if !r.inert(s) {
		raw = `{"` + marks.Unsafe + `":` + raw + `}`
	}
	v, err := r.read([]byte(raw))
	if err != nil { // a text never fails
		return r.text(s)
	}
	return v
}
