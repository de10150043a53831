package modules

import (
	"fmt"
	"net/netip"
	"slices"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

// resource is all that the modules know of one kind of object. Everything else is generic.
type resource struct {
	name   string // of the result, and of the module with craton_ before it: network_device
	noun   string // as an error names it
	plural string // of a list in a result: network_devices
	nouns  string // several, as an error names them

	key   string   // of the name: "name", or "username" of users; the option is name everywhere
	scope []string // options whose objects the name is unique in, outermost first
	// rival is the kind that shares the names: hosts and network devices of a region do (v1 contract §6.2).
	rival string

	fields []field // without id, name, variables, labels
	// fixedName: the API cannot change the name.
	fixedName bool
	// variables are there, or are set when the object is made and never again.
	variables, fixedVariables bool
	labels                    bool
	// createLabels: the create takes labels; otherwise they are added afterwards.
	createLabels bool
	inherits     bool // has resolved variables
	detailed     bool // lists take details=true, and carry variables then
	rootOnly     string

	filters []filter // of the info module, beside name, id and the references among fields
	// inside is the key by which what it holds names it: deleting it deletes that too (v1 contract §6.3).
	inside string

	doc     docs
	service service
}

// docs are the texts of a resource that only people read.
type docs struct {
	is       string // what it is: a sentence
	key      string // what makes its name unique: "within its region"
	notes    []string
	examples string // of the module
	info     string // of the info module
}

// field is one value of an object that a task can set.
type field struct {
	option   string // the option; the API's key too, but that references have _id there
	form     form
	kinds    []string // of a reference: the resources that it may name
	required bool     // to make an object
	fixed    bool     // the API cannot change it (v1 contract §2.4)
	unbound  bool     // may be longer than maxText
	doc      []string
	sample   any
}

// form is how a field is written and compared.
type form int

const (
	formText    form = iota // "" is none
	formAddress             // an IP address; any spelling is the same one
	formPrefix              // a range of addresses
	formInteger             // 0 is none
	formFlag
	formReference // an option by name or id, an id in the API; "" is none
)

// maxText is the length of the API's text columns, in characters (v1 contract §2.1.4).
const maxText = 255

// api is the API's key.
func (f field) api() string {
	if f.form == formReference {
		return f.option + "_id"
	}
	return f.option
}

// place tells the references that say where an object stands.
func (f field) place() bool {
	return f.form == formReference && slices.Contains([]string{optCloud, optRegion, optCell}, f.option)
}

// equal compares canonical values.
func (f field) equal(a, b any) bool {
	x, okX := a.(string)
	y, okY := b.(string)
	switch {
	case f.api() == keyProject && okX && okY:
		return value.SameUUID(x, y)
	case okX && okY && f.form == formAddress:
		return value.EqualAddress(x, y)
	case okX && okY && f.form == formPrefix:
		return value.EqualPrefix(x, y)
	}
	return a == b
}

// check makes a task's value canonical, or says what is wrong with it. What the API would refuse is refused
// here already, so that check mode does too.
func (f field) check(v any) (any, error) {
	switch v := v.(type) {
	case int:
		if v < -1<<31 || v > 1<<31-1 {
			return nil, fmt.Errorf("%s: %d is too large; the API stores 32 bits", f.option, v)
		}
	case string:
		if v == "" && f.required {
			return nil, fmt.Errorf("%s is empty; give a value, or leave it out to leave it as it is", f.option)
		}
		check := value.CheckWord
		if f.unbound {
			check = value.CheckText
		} else if err := checkLength(f.option, v); err != nil {
			return nil, err
		}
		if err := check(v); err != nil {
			return nil, fmt.Errorf("%s %w", f.option, err)
		}
		if v == "" {
			break
		}
		switch f.form {
		case formAddress:
			a, ok := value.ParseAddress(v)
			if !ok {
				return nil, fmt.Errorf("%s: %q is not an IP address; write one such as 10.20.0.11 or 2001:db8::11", f.option, v)
			}
			return a, nil
		case formPrefix:
			if _, err := netip.ParsePrefix(v); err != nil {
				return nil, fmt.Errorf("%s: %q is not a range of addresses; write one such as 10.20.0.0/24 or 2001:db8::/64", f.option, v)
			}
		}
	}
	return canonical(v), nil
}

// checkLength refuses what the API cannot store.
func checkLength(option, s string) error {
	if n := utf8.RuneCountInString(s); n > maxText {
		return fmt.Errorf("%s is %d characters long; the API stores %d", option, n, maxText)
	}
	return nil
}

func (r *resource) field(option string) *field {
	for i := range r.fields {
		if r.fields[i].option == option {
			return &r.fields[i]
		}
	}
	return nil
}

// fixed tells that an object may have to be made anew to become what a task says.
func (r *resource) fixed() bool {
	return slices.ContainsFunc(r.fields, func(f field) bool { return f.fixed })
}

// holders are the kinds that the name is unique in and that may stand before it in a reference, outermost first.
func (r *resource) holders() (list []string) {
	for _, option := range r.scope {
		if f := r.field(option); f != nil && f.place() {
			list = append(list, option)
		}
	}
	return list
}

// paths are the forms of a reference that says where the object is: region/name, cloud/region/name.
func (r *resource) paths() (list []string) {
	path := "name"
	for _, holder := range slices.Backward(r.holders()) {
		path = holder + "/" + path
		list = append(list, path)
	}
	return list
}

// complete gives an object all keys of its kind, so that every result has the same ones.
func (r *resource) complete(o object) object {
	for _, key := range []string{keyID, r.key, keyProject, keyCreated, keyUpdated} {
		if _, ok := o[key]; !ok && (key != keyProject || r.name != nameProject) {
			o[key] = nil
		}
	}
	for _, f := range r.fields {
		if _, ok := o[f.api()]; !ok {
			o[f.api()] = nil
		}
	}
	return o
}

// called names an object for people: host "web1" (id 7).
func (r *resource) called(o object) string {
	s := fmt.Sprintf("%s %q", r.noun, o.text(r.key))
	if o[keyID] != nil {
		s += fmt.Sprintf(" (id %s)", o.id())
	}
	return s
}

// kinds finds resources by their names.
func kinds(names ...string) []*resource {
	var found []*resource
	for _, r := range resources() {
		if slices.Contains(names, r.name) {
			found = append(found, r)
		}
	}
	return found
}
