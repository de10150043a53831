package reconcile

import (
	"cmp"
	"fmt"
	"net/netip"
	"unicode/utf8"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Wanted is what somebody says about one object, and no more.
type Wanted struct {
	Kind   *schema.Kind
	Absent bool
	ID     string // "" if the object is found by its name
	Name   string // "" if none is given

	Values map[string]any        // by the API's keys, canonical; of references only Refs say something
	Refs   map[string]*Reference // by option: what it refers to, and where it stands

	Labels      []string // nil: not given
	ExactLabels bool     // others are taken away
	Variables   craton.Variables
	Replace     bool // variables that are not given are removed

	Recreate, Force bool

	// Of an object in a tree.
	In    *Wanted  // what holds it: a host's cell or region, an interface's device; nil of clouds and projects
	Noun  string   // what people call its kind there
	Order []string // its options, in the order in which people know them
	Line  int      // where it stands in a file; 0 for none
	Path  string   // where it stands, such as clouds[east].regions[dfw]

	project any // of what holds the object, for the prediction of a new one
}

// Reference names another object.
type Reference struct {
	Text string // its name, its id, or its name behind those of what holds it; "" is none

	// In a tree.
	Target *Wanted // nil: it is none of the tree's
	Line   int
	Path   string
}

// Ref is the text of a reference, and whether it is given.
func (w *Wanted) Ref(option string) (text string, given bool) {
	if ref := w.Refs[option]; ref != nil {
		return ref.Text, true
	}
	return "", false
}

// Check makes a value canonical that somebody gives for a field, or says what is wrong with it. What the API would refuse
// is refused here already, so that check mode does too.
func Check(f *schema.Field, v any) (any, error) {
	option := f.Option()
	switch v := v.(type) {
	case int:
		if v < -1<<31 || v > 1<<31-1 {
			return nil, fmt.Errorf("%s: %d is too large; the API stores 32 bits", option, v)
		}
	case string:
		if v == "" && f.Required {
			return nil, fmt.Errorf("%s is empty; give a value, or leave it out to leave it as it is", option)
		}
		check := value.CheckWord
		if f.Type == schema.LongText {
			check = value.CheckText
		} else if err := CheckLength(option, v); err != nil {
			return nil, err
		}
		if err := check(v); err != nil {
			return nil, fmt.Errorf("%s %w", option, err)
		}
		if v == "" {
			break
		}
		switch f.Type {
		case schema.Address:
			a, ok := value.ParseAddress(v)
			if !ok {
				return nil, fmt.Errorf("%s: %q is not an IP address; write one such as 10.20.0.11 or 2001:db8::11", option, v)
			}
			return a, nil
		case schema.Prefix:
			if _, err := netip.ParsePrefix(v); err != nil {
				return nil, fmt.Errorf("%s: %q is not a range of addresses; write one such as 10.20.0.0/24 or 2001:db8::/64", option, v)
			}
		}
	}
	return Canonical(v), nil
}

// CheckLength refuses what the API cannot store.
func CheckLength(option, s string) error {
	if n := utf8.RuneCountInString(s); n > schema.MaxText {
		return fmt.Errorf("%s is %d characters long; the API stores %d", option, n, schema.MaxText)
	}
	return nil
}

// CheckLabel refuses what is no label.
func CheckLabel(l string) error { return cmp.Or(CheckLength(KeyLabels, l), value.CheckName(l)) }
