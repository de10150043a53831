package where

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// Feature is the capability of servers that support terms, and the parameter of lists for them.
const Feature = "where"

// Limits of terms: each term is evaluated for every object.
const (
	MaxTerms  = 64
	MaxValues = 1000 // of all terms together
	maxLength = 16 << 10
)

// Where selects objects of a kind. The zero Where selects all of them.
type Where struct {
	Kind  *schema.Kind
	Terms []Term // all must match
}

// Term is one condition: about a field, or about a variable.
type Term struct {
	Not bool // it is negated

	Field Field // its field; the zero Field for a variable

	Key  string   // of the variable
	Path []string // to a value within its value
	Own  bool     // only the object's own variables count, not inherited ones

	// Values are the alternatives, of which one must match. None: it exists.
	Values []Value

	marked bool // a field has the variable's name
}

// About returns a term about a variable of objects of a kind: that it exists. The caller adds values, and whether only
// own variables count.
func About(k *schema.Kind, key string) Term { return Term{Key: key, marked: isReserved(k, key)} }

// IsVariable reports whether the term is about a variable.
func (t *Term) IsVariable() bool { return t.Field.Type == 0 }

// FieldType is the type of a field's values, which determines how they are compared.
type FieldType uint8

// The types of fields.
const (
	TextField    FieldType = iota + 1 // Value.Pattern; a missing text is ""
	AddressField                      // Value.Range
	FlagField                         // Value.Flag
	IDField                           // Value.ID
	PlaceField                        // Value.Path: the names of a place or parent, with its outer places
	LabelField                        // Value.Pattern of one of the labels
)

// Field is a field for terms; variables are not fields.
type Field struct {
	Word string // the name that people use: "ip", "region"
	Key  string // in the API: "ip_address", "region_id"; "labels" for a label; "" for a place that is the object itself
	Type FieldType
	May  bool // an object may lack it: the name alone matches if it does not
}

// Value is one alternative of a term. The field determines which member is used; for a variable it is JSON, or else
// Pattern.
type Value struct {
	Pattern Pattern
	JSON    *jsontext.Value
	Range   netip.Prefix // an address is a range of one
	ID      int64
	Flag    bool
	Path    []Pattern // innermost last
}

// IsAll reports whether every object is selected.
func (w *Where) IsAll() bool { return w == nil || len(w.Terms) == 0 }

// IsOne reports whether at most one object is selected, by its id.
func (w *Where) IsOne() bool {
	return w != nil && slices.ContainsFunc(w.Terms, func(t Term) bool { return t.Field.Key == keyID && !t.Not && len(t.Values) == 1 })
}

// AsksLabels reports whether a term needs labels.
func (w *Where) AsksLabels() bool {
	return w != nil && slices.ContainsFunc(w.Terms, func(t Term) bool { return t.Field.Type == LabelField })
}

// AsksVariables reports whether a term is about a variable: these are evaluated object by object.
func (w *Where) AsksVariables() bool {
	return w != nil && slices.ContainsFunc(w.Terms, func(t Term) bool { return t.Key != "" })
}

// String returns the canonical form: terms with the same meaning are mostly written the same, and [Parse] parses it.
func (w *Where) String() string {
	if w == nil {
		return ""
	}
	var b strings.Builder
	for i := range w.Terms {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.Terms[i].String())
	}
	return b.String()
}

// String returns the term in the form of [Where.String].
func (t *Term) String() string {
	var b strings.Builder
	if t.Not && len(t.Values) == 0 {
		b.WriteByte('!')
	}
	if t.Own {
		b.WriteString("own:")
	}
	b.WriteString(t.Name())
	for i, v := range t.Values {
		switch {
		case i > 0:
			b.WriteByte(',')
		case t.Not:
			b.WriteString("!=")
		default:
			b.WriteByte('=')
		}
		b.WriteString(v.text(t.Field.Type))
	}
	return b.String()
}

// Name returns the name in the term, as written: "region", "ntp", "disks.size", "vars.name".
func (t *Term) Name() string {
	if !t.IsVariable() {
		return t.Field.Word
	}
	var b strings.Builder
	if t.marked {
		b.WriteString("vars.")
	}
	b.WriteString(quoteKey(t.Key))
	for _, key := range t.Path {
		b.WriteByte('.')
		b.WriteString(quoteKey(key))
	}
	return b.String()
}

// text returns a value as written in a term.
func (v Value) text(of FieldType) string {
	switch of {
	case AddressField:
		if v.Range.IsSingleIP() {
			return v.Range.Addr().String()
		}
		return v.Range.String()
	case FlagField:
		return strconv.FormatBool(v.Flag)
	case IDField:
		return strconv.FormatInt(v.ID, 10)
	case PlaceField:
		parts := make([]string, len(v.Path))
		for i, p := range v.Path {
			parts[i] = p.text(true)
		}
		return strings.Join(parts, "/")
	case TextField, LabelField:
		return v.Pattern.text(false)
	}
	switch {
	case v.JSON == nil: // a text with a wildcard in it cannot be anything else
		return v.Pattern.text(false)
	case v.JSON.Kind == jsontext.String && v.JSON.Text != "" && scalar(v.JSON.Text).Kind == jsontext.String:
		return Literal(v.JSON.Text).text(false)
	case v.JSON.Kind == jsontext.String:
		return quote(v.JSON.Text)
	}
	return v.JSON.Compact()
}

// text returns a pattern as written in a term; that of a place has / between its parts.
func (p Pattern) text(place bool) string {
	if len(p.parts) == 0 {
		return `""`
	}
	plain := func(s string) string {
		odd := func(r rune) bool { return isOdd(r) || strings.ContainsRune("*?,", r) || place && r == '/' }
		if strings.ContainsFunc(s, odd) || strings.IndexByte(valueStarts, s[0]) >= 0 {
			return quote(s)
		}
		return s
	}
	return p.Translate("*", "?", plain)
}

// quote returns a text in double quotes.
func quote(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || value.Hidden(r) }) {
		return string(jsontext.AppendString(nil, s))
	}
	return string(jsontext.AppendUTF8(nil, s))
}

// scalar returns the value of a variable for a text without quotes, as `craton host-vars-set` reads it.
func scalar(text string) jsontext.Value {
	if s := yaml11.Read(text); !s.Base60 && s.Problem == "" {
		switch s.Kind {
		case yaml11.Null, yaml11.Bool, yaml11.Int, yaml11.Float:
			if v, err := jsontext.Parse([]byte(s.Text)); err == nil {
				return v
			}
		}
	}
	return jsontext.Value{Kind: jsontext.String, Text: text}
}

// isOdd reports whether a character must be in quotes, in names and in values.
func isOdd(r rune) bool {
	return r == '"' || unicode.IsSpace(r) || unicode.IsControl(r) || value.Hidden(r)
}

// keyEnds are the characters that end a name, or that are unusual in one.
const keyEnds = `=!,.:*?<>()&|~'\`

// valueStarts are the characters with which no text without quotes begins: they begin JSON, or are a mistake.
const valueStarts = `'=[{`

func quoteKey(key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return isOdd(r) || strings.ContainsRune(keyEnds, r) }) {
		return quote(key)
	}
	return key
}
