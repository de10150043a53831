package where

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Object is an object that terms can be matched against.
type Object interface {
	// Field returns a field's text, by its key in the API: the digits of an id, true or false for a flag, "" for none.
	Field(key string) string
	// Labels returns the labels of a device.
	Labels() []string
	// Path returns the names of a place or of the parent, by the key of the reference, after those of its outer places:
	// a region's cloud, a cell's or a device's cloud and region. "" is the object itself; nil is none.
	Path(key string) []string
	// Variable returns the JSON text of a variable, own or resolved.
	Variable(name string, own bool) (value string, has bool)
}

// Match reports whether an object matches all terms.
func (w *Where) Match(o Object) bool {
	if w == nil {
		return true
	}
	for i := range w.Terms {
		if !w.Terms[i].Match(o) {
			return false
		}
	}
	return true
}

// Match reports whether an object matches the term.
func (t *Term) Match(o Object) bool { return t.holds(o) != t.Not }

// holds is like Match, but ignores Not.
func (t *Term) holds(o Object) bool {
	f := t.Field
	switch f.Type {
	case LabelField:
		labels := o.Labels()
		if len(t.Values) == 0 {
			return len(labels) > 0
		}
		return slices.ContainsFunc(labels, t.MatchText)
	case PlaceField:
		path := o.Path(f.Key)
		return path != nil && t.MatchPath(path)
	case 0:
		v, has := o.Variable(t.Key, t.Own)
		return has && t.MatchValue(v)
	}
	text := o.Field(f.Key)
	if len(t.Values) == 0 {
		return text != ""
	}
	if f.Type == TextField {
		return t.MatchText(text)
	}
	if f.Type == FlagField && text == "" {
		text = "false"
	}
	return slices.ContainsFunc(t.Values, func(v Value) bool {
		switch f.Type {
		case AddressField:
			return v.Contains(text)
		case FlagField:
			return text == strconv.FormatBool(v.Flag)
		default:
			return text == strconv.FormatInt(v.ID, 10)
		}
	})
}

// Contains reports whether a range contains an address.
func (v Value) Contains(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && v.Range.Contains(a)
}

// MatchText reports whether a text matches one of the alternatives.
func (t *Term) MatchText(text string) bool {
	return slices.ContainsFunc(t.Values, func(v Value) bool { return v.Pattern.Match(text) })
}

// MatchPath reports whether a place matches one of the alternatives, which may omit names of outer places.
func (t *Term) MatchPath(path []string) bool {
	return len(t.Values) == 0 || slices.ContainsFunc(t.Values, func(v Value) bool {
		if len(v.Path) > len(path) {
			return false
		}
		inner := path[len(path)-len(v.Path):]
		for i, p := range v.Path {
			if !p.Match(inner[i]) {
				return false
			}
		}
		return true
	})
}

// MatchValue reports whether a variable's value, as JSON text, matches. Invalid JSON never does.
func (t *Term) MatchValue(text string) bool {
	if len(t.Path) == 0 {
		if len(t.Values) == 0 {
			return true
		}
		if known, matches := t.matchPlain(text); known {
			return matches
		}
	}
	v, err := jsontext.Parse([]byte(text))
	if err != nil {
		return false
	}
	found := within(v, t.Path)
	if len(t.Values) == 0 {
		return len(found) > 0
	}
	return slices.ContainsFunc(found, func(v jsontext.Value) bool {
		return slices.ContainsFunc(t.Values, func(want Value) bool { return want.matches(v) })
	})
}

// matchPlain decides the common case, a text, without parsing.
func (t *Term) matchPlain(value string) (known, matches bool) {
	if !strings.HasPrefix(value, `"`) || strings.Contains(value, `\`) {
		return false, false
	}
	text := value[1 : len(value)-1]
	return true, slices.ContainsFunc(t.Values, func(want Value) bool {
		if want.JSON == nil {
			return want.Pattern.Match(text)
		}
		return want.JSON.Kind == jsontext.String && want.JSON.Text == text
	})
}

// within returns the values at a path: in a list, an element by its index, or those of any element.
func within(v jsontext.Value, path []string) []jsontext.Value {
	found := []jsontext.Value{v}
	for _, key := range path {
		var next []jsontext.Value
		for _, v := range found {
			if m, ok := v.Get(key); ok {
				next = append(next, m)
			}
			if n, err := strconv.Atoi(key); err == nil && n >= 0 && n < len(v.Items) {
				next = append(next, v.Items[n])
			}
			for _, item := range v.Items {
				if m, ok := item.Get(key); ok {
					next = append(next, m)
				}
			}
		}
		found = next
	}
	return found
}

// matches compares like the API's filter vars: a list by its elements, an object by some of its members.
func (v Value) matches(found jsontext.Value) bool {
	if v.JSON != nil {
		return found.Contains(*v.JSON)
	}
	switch found.Kind {
	case jsontext.String:
		return v.Pattern.Match(found.Text)
	case jsontext.Array:
		return slices.ContainsFunc(found.Items, v.matches)
	}
	return false
}

// maxSigns is the maximum number of alternatives for which signs are used; more are expensive to search for.
const maxSigns = 32

// Signs are texts that the JSON of a matching variable contains: for each alternative, parts in their order. None means
// unknown. [Term.MatchValue] decides.
func (t *Term) Signs() (alternatives [][]string) {
	if len(t.Values) == 0 || len(t.Values) > maxSigns {
		return nil
	}
	for _, v := range t.Values {
		var pieces []string
		if v.JSON != nil {
			pieces = v.JSON.Signs()
		} else {
			pieces = v.Pattern.signs()
		}
		if len(pieces) == 0 {
			return nil
		}
		alternatives = append(alternatives, pieces)
	}
	return alternatives
}

// maxStarts is the maximum number of beginnings of a term; more are expensive to search for.
const maxStarts = 64

// Starts are the possible beginnings of the JSON of a matching variable. None means unknown. [Term.MatchValue] decides.
func (t *Term) Starts() (all []jsontext.Start) {
	if len(t.Path) > 0 {
		return nil
	}
	for _, v := range t.Values {
		var starts []jsontext.Start
		if v.JSON != nil {
			starts = v.JSON.Starts()
		} else {
			starts = v.Pattern.starts()
		}
		if starts == nil {
			return nil
		}
		for _, s := range starts {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
		if len(all) > maxStarts {
			return nil
		}
	}
	return all
}
