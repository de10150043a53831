package ansible

import (
	"strings"

	"github.com/tidwall/gjson"
)

// Exposure counts the parts of an inventory's untrusted data that Ansible must not interpret.
type Exposure struct {
	// Templates are strings that Ansible would execute: templates, and strings that begin one if a play joins them.
	Templates int
	// Texts are objects that are written as the text of their JSON.
	Texts int
	// First is the position of the first template.
	First string
}

// AddText counts a string. where is its position, for people.
func (e *Exposure) AddText(where, s string) {
	if IsTemplate(s) || strings.HasSuffix(s, "{") || holdsHeader(s) {
		if e.Templates++; e.First == "" {
			e.First = where
		}
	}
}

// Add counts an object's variables except for excluded ones.
func (e *Exposure) Add(where string, v Variables, exclude *Excluder) {
	for _, one := range v {
		if !exclude.Excludes(one.Name) {
			e.add(where+", variable "+one.Name, gjson.Parse(one.Value))
		}
	}
}

func (e *Exposure) add(where string, v gjson.Result) {
	switch {
	case v.IsObject() && isText(v, Untrusted):
		e.Texts++ // nothing in it is executed
	case v.IsObject(), v.IsArray():
		v.ForEach(func(_, value gjson.Result) bool {
			e.add(where, value)
			return true
		})
	case v.Type == gjson.String:
		e.AddText(where, v.Str)
	}
}
