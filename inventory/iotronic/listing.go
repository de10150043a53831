package iotronic

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
	"github.com/craton-fleet/craton/inventory/internal/jsonscan"
	api "github.com/craton-fleet/craton/iotronic"
)

// Field is a field of a node or board: its name, and the text of its JSON.
type Field = ansible.Variable

// Fields are sorted by name.
type Fields = ansible.Variables

// Machine is a node or a board.
type Machine struct {
	Kind   string // node, board
	UUID   string
	Name   string // "" where it has none
	Fields Fields // all but links to other addresses of the API
}

// Listing is everything that an inventory is made of.
type Listing struct {
	Dialect  api.Dialect
	Machines []*Machine        // those that the filters let through, sorted by UUID
	Fleets   map[string]string // their names, by UUID; nil where they are not needed
}

// String names the machine in errors.
func (m *Machine) String() string {
	if m.Name == "" {
		return m.Kind + " " + m.UUID
	}
	return fmt.Sprintf("%s %q (%s)", m.Kind, m.Name, m.UUID)
}

// lookup gives what stands at a path: a field, and what gjson finds for the rest in its value.
func (m *Machine) lookup(path string) gjson.Result {
	field, below, deep := strings.Cut(path, ".")
	value, ok := m.Fields.Find(field)
	if !ok && field == "type" { // as the nodes of 2016 call it
		value, ok = m.Fields.Find("device")
	}
	switch {
	case !ok:
		return gjson.Result{}
	case deep:
		return gjson.Get(value, below)
	}
	return gjson.Parse(value)
}

// text is a field that is text, "" for everything else.
func (m *Machine) text(field string) string {
	if v := m.lookup(field); v.Type == gjson.String {
		return v.Str
	}
	return ""
}

// words are what a filter compares with: a scalar's text, or those of a list; true and false of a boolean.
func (m *Machine) words(path string) []string {
	v := m.lookup(path)
	switch {
	case !v.Exists() || v.Type == gjson.Null || v.IsObject():
		return nil
	case v.IsArray():
		var words []string
		v.ForEach(func(_, one gjson.Result) bool {
			if !one.IsObject() && !one.IsArray() {
				words = append(words, one.String())
			}
			return true
		})
		return words
	}
	return []string{v.String()}
}

// decoder makes machines of objects. The names of fields, which repeat, are kept once. Not for concurrent use.
type decoder struct {
	names map[string]string
	text  []byte
	ends  []int
}

func newDecoder() *decoder { return &decoder{names: map[string]string{}} }

func (d *decoder) machine(kind, uuid string, object api.Object) *Machine {
	m := &Machine{Kind: kind, UUID: uuid, Fields: make(Fields, 0, len(object))}
	d.text, d.ends = d.text[:0], d.ends[:0]
	for name, value := range object {
		text := jsonscan.Text(value)
		if name == "links" || areLinks(text) {
			continue
		}
		kept, ok := d.names[name]
		if !ok {
			kept = strings.Clone(name)
			d.names[kept] = kept
		}
		m.Fields = append(m.Fields, Field{Name: kept})
		d.text = jsonscan.AppendClean(d.text, text)
		d.ends = append(d.ends, len(d.text))
	}
	kept, from := string(d.text), 0
	for i, end := range d.ends {
		m.Fields[i].Value = kept[from:end]
		from = end
	}
	m.Fields = m.Fields.Tidy()
	m.Name = m.text("name")
	return m
}

// areLinks tells the fields that only lead to other addresses of the API, such as ports.
func areLinks(value string) bool {
	all := gjson.Parse(value)
	if !all.IsArray() {
		return false
	}
	links := 0
	only := true
	all.ForEach(func(_, link gjson.Result) bool {
		links++
		only = link.IsObject() && link.Get("href").Exists()
		link.ForEach(func(key, _ gjson.Result) bool {
			only = only && (key.Str == "href" || key.Str == "rel")
			return only
		})
		return only
	})
	return only && links > 0
}
