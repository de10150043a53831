package modules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
)

// resource is what the modules need to know about one kind of object in addition to the schema: texts, and the filters
// of an info module.
type resource struct {
	*schema.Kind

	fields   []fieldDoc // the texts of the kind's fields, in its order; see text for those without one
	filters  []filter   // of the info module, in addition to name, id and the references among fields
	rootOnly string
	doc      docs
}

// docs are the texts of a resource that appear only in documentation.
type docs struct {
	is       string // what it is: a sentence
	key      string // what makes its name unique: "within its region"
	notes    []string
	examples string // of the module
	info     string // of the info module
}

// fieldDoc is the documentation of a field.
type fieldDoc struct {
	option string
	sample any
	doc    []string
}

// name returns the resource's name in options and results: "network_device".
func (r *resource) name() string { return r.Ident() }

// nouns returns the plural noun for errors.
func (r *resource) nouns() string { return r.Noun() + "s" }

func (r *resource) hasLabels() bool    { return r.Labels != schema.Unlabelled }
func (r *resource) hasVariables() bool { return r.Variables != schema.None }

// resourceOf returns the resource with the name of a kind, as written in options or by the API.
func resourceOf(name string) *resource {
	all := resources()
	return all[slices.IndexFunc(all, func(r *resource) bool { return r.name() == name || r.Kind.Name == name })]
}

// text returns the documentation of the field with an option: a generic one if no literal has any.
func (r *resource) text(option string) fieldDoc {
	if i := slices.IndexFunc(r.fields, func(d fieldDoc) bool { return d.option == option }); i >= 0 {
		return r.fields[i]
	}
	doc := fieldDoc{option, nil, []string{fmt.Sprintf("The %s of the %s.", strings.ReplaceAll(option, "_", " "), r.Noun())}}
	switch f := r.ByOption(option); {
	case f.Type == schema.Integer:
		doc.sample = 1
	case f.Type == schema.Flag:
		doc.sample = true
	case f.Type != schema.Reference && !f.Required && !f.Fixed:
		doc.doc = append(doc.doc, "An empty string removes it.")
	}
	return doc
}
