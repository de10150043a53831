package iotronic

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	api "github.com/craton-fleet/craton/iotronic"
)

// Machine is a node or a board.
type Machine struct {
	Kind   string // node, board
	UUID   string
	Name   string // "" if it has none
	Fields Fields // all except links to other parts of the API
}

// Listing is everything that an inventory is made from.
type Listing struct {
	Dialect  api.Dialect
	Machines []*Machine        // those that the filters select, sorted by UUID
	Fleets   map[string]string // their names, by UUID; nil if they are not needed
}

// newMachine converts an object of the API.
func newMachine(d *decoder, kind string, object api.RawItem) *Machine {
	m := &Machine{Kind: kind, UUID: object.UUID, Fields: d.fields(object.JSON)}
	m.Name = m.text("name")
	return m
}

// String describes the machine in errors.
func (m *Machine) String() string {
	if m.Name == "" {
		return m.Kind + " " + m.UUID
	}
	return fmt.Sprintf("%s %q (%s)", m.Kind, m.Name, m.UUID)
}

// lookup returns the value at a path: a field, and within its value what gjson finds for the rest.
func (m *Machine) lookup(path string) gjson.Result {
	field, below, deep := strings.Cut(path, ".")
	value, ok := m.Fields.Find(field)
	if !ok && field == "type" { // the name in the nodes of 2016
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

// text returns a field that is text, "" for anything else.
func (m *Machine) text(field string) string {
	if v := m.lookup(field); v.Type == gjson.String {
		return v.Str
	}
	return ""
}

// words returns what a filter compares with: the text of a scalar, or of the elements of a list; true and false for a
// boolean.
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
