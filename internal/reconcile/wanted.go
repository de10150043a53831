package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Wanted holds what is wanted of one object.
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

	Protected *bool // whether it is kept from being deleted; nil: nothing is said

	Recreate, Force bool
	Move            bool // it is moved where it stands elsewhere; otherwise that is something that the API cannot change

	Access *Access // of a user; nil: nothing is said

	// Of an object in a tree.
	In    *Wanted  // what holds it: a host's cell or region, an interface's device; nil of clouds and projects
	Noun  string   // what people call its kind there
	Order []string // its options, in the order in which people know them
	File  string   // the file that it stands in, where a tree is of several
	Line  int      // where it stands in a file; 0 for none
	Path  string   // where it stands, such as clouds[east].regions[dfw]
	// Beyond is where labels and names of variables stand that are not ASCII ("label é", "variable é"), which may be
	// refused for what the API has.
	Beyond map[string]Position

	named []Found // what it stands in and refers to, of the API
}

// Position is a place in a file.
type Position struct {
	File string // "": that of the object
	Line int
	Path string
}

// NoteSpot notes in Beyond where a label or a variable stands. Of most nothing is to be noted, and their path is not
// asked for.
func (w *Wanted) NoteSpot(kind, text string, line int, path func() string) {
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		if w.Beyond == nil {
			w.Beyond = map[string]Position{}
		}
		w.Beyond[kind+" "+text] = Position{Line: line, Path: path()}
	}
}

// Reference names another object.
type Reference struct {
	Text string // its name, its id, or its name behind those of what holds it; "" is none

	// In a tree.
	Target *Wanted // nil: it is none of the tree's
	Line   int
	Path   string
}

// Ref returns the text of a reference, and whether it is given.
func (w *Wanted) Ref(option string) (text string, given bool) {
	if ref := w.Refs[option]; ref != nil {
		return ref.Text, true
	}
	return "", false
}

// Check makes a value canonical that somebody gives for a field. What the API would refuse is refused here already, so
// that check mode does too. The error is what follows the field's name.
func Check(f *schema.Field, v any) (any, error) {
	switch v := v.(type) {
	case int:
		if v < -1<<31 || v > 1<<31-1 {
			return nil, fmt.Errorf("is %d, which is too large; the API stores 32 bits", v)
		}
	case string:
		if v == "" && f.Required {
			return nil, errors.New("is empty; give a value, or leave it out to leave it as it is")
		}
		if f.Type == schema.LongText {
			if len(v) > schema.MaxLongText {
				return nil, fmt.Errorf("is %d bytes long; the API stores %d", len(v), schema.MaxLongText)
			}
			return Canonical(v), value.CheckText(v)
		}
		if err := cmp.Or(CheckLength(v), value.CheckWord(v)); err != nil || v == "" {
			return nil, err
		}
		switch f.Type {
		case schema.Address:
			return address(v)
		case schema.Prefix:
			if _, err := netip.ParsePrefix(v); err != nil {
				return nil, fmt.Errorf("is %q, which is not an address range; write one such as 10.20.0.0/24 or 2001:db8::/64", v)
			}
		}
	}
	return Canonical(v), nil
}

func address(text string) (any, error) {
	if a, ok := value.ParseAddress(text); ok {
		return a, nil
	}
	switch a, err := netip.ParseAddr(text); {
	case err == nil:
		return nil, fmt.Errorf("is %q, with a zone, which the API does not accept; leave out %%%s", text, a.Zone())
	case strings.Contains(text, "/"):
		return nil, fmt.Errorf("is %q, which is not an IP address; leave out the /length", text)
	}
	return nil, fmt.Errorf("is %q, which is not an IP address; write one such as 10.20.0.11 or 2001:db8::11", text)
}

// CheckLength refuses what the API cannot store.
func CheckLength(s string) error {
	if n := utf8.RuneCountInString(s); n > schema.MaxText {
		return fmt.Errorf("is %d characters long; the API stores %d", n, schema.MaxText)
	}
	return nil
}

// CheckName refuses what is no name of an object, and no label.
func CheckName(s string) error { return cmp.Or(CheckLength(s), value.CheckName(s)) }

// CheckKey refuses what is no name of a variable (v1 contract §2.6).
func CheckKey(s string) error {
	if s == "" || s[0] == '\n' {
		return errors.New("is not a name for a variable; it must begin with a character that is not a line break")
	}
	return CheckName(s)
}
