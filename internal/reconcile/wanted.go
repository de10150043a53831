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

// Wanted is what is wanted of one object.
type Wanted struct {
	Kind   *schema.Kind
	Absent bool
	ID     string // "" if the object is found by its name
	Name   string // "" if not given

	Values map[string]any        // by the API's keys, canonical; for references, only Refs is used
	Refs   map[string]*Reference // by option: references and places

	Labels      []string // nil: not given
	ExactLabels bool     // other labels are removed
	Variables   craton.Variables
	Replace     bool // other variables are deleted

	Protected *bool // whether it is protected from deletion; nil: not given

	Recreate, Force bool
	Move            bool // it is moved if it is in another place; otherwise that is a difference that the API cannot change

	Access *Access // of a user; nil: not given

	// Fields of objects in a tree.
	In    *Wanted  // its container: a host's cell or region, an interface's device; nil for clouds and projects
	Noun  string   // the name of its kind in the file
	Order []string // its options, in the documented order
	File  string   // the file that it is in, if a tree has several
	Line  int      // its line in the file; 0 for none
	Path  string   // its position, such as clouds[east].regions[dfw]
	// Beyond has the positions of labels and names of variables that are not ASCII ("label é", "variable é"), which may
	// be refused because of similar ones in the API.
	Beyond map[string]Position

	named []Found // its places and references in the API
}

// Position is a position in a file.
type Position struct {
	File string // "": that of the object
	Line int
	Path string
}

// NoteSpot records the position of a label or a variable in Beyond, if necessary. For most it is not, and their path is
// not computed.
func (w *Wanted) NoteSpot(kind, text string, line int, path func() string) {
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		if w.Beyond == nil {
			w.Beyond = map[string]Position{}
		}
		w.Beyond[kind+" "+text] = Position{Line: line, Path: path()}
	}
}

// Reference is a reference to another object.
type Reference struct {
	Text string // its name, its id, or its name after those of its places; "" is none

	// In a tree.
	Target *Wanted // nil: it is not in the tree
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

// Check converts a value for a field to its canonical form. It refuses what the API would refuse, so that check mode
// does too. The error is a text to put after the name of the field.
func Check(f *schema.Field, v any) (any, error) {
	switch v := v.(type) {
	case int:
		if v < -1<<31 || v > 1<<31-1 {
			return nil, fmt.Errorf("is %d, which is too large; the API stores 32 bits", v)
		}
	case string:
		if v == "" && f.Required {
			return nil, errors.New("is empty; give a value, or omit it to keep the current one")
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
		return nil, fmt.Errorf("is %q, with a zone, which the API does not accept; omit %%%s", text, a.Zone())
	case strings.Contains(text, "/"):
		return nil, fmt.Errorf("is %q, which is not an IP address; omit the /length", text)
	}
	return nil, fmt.Errorf("is %q, which is not an IP address; write one such as 10.20.0.11 or 2001:db8::11", text)
}

// CheckLength refuses values that the API cannot store.
func CheckLength(s string) error {
	if n := utf8.RuneCountInString(s); n > schema.MaxText {
		return fmt.Errorf("is %d characters long; the API stores %d", n, schema.MaxText)
	}
	return nil
}

// CheckName refuses texts that cannot be names of objects, or labels.
func CheckName(s string) error { return cmp.Or(CheckLength(s), value.CheckName(s)) }

// CheckKey refuses texts that cannot be names of variables (v1 contract §2.6).
func CheckKey(s string) error {
	if s == "" || s[0] == '\n' {
		return errors.New("is not a name for a variable; it must begin with a character that is not a line break")
	}
	return CheckName(s)
}
