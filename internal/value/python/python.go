package python

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Object is a dict in a form of the caller's, in its own order.
type Object interface{ Members() iter.Seq2[string, any] }

// node is one value, whatever it is kept in.
type node struct {
	kind    jsontext.Kind
	text    string                 // of a number or a string
	shown   bool                   // a number that Python cannot hold keeps its text
	members iter.Seq2[string, any] // of an array or an object
}

// inspect finds out what a value is: of encoding/json with json.Number, an Object, a jsontext.Value or a gjson.Result.
func inspect(v any) node {
	switch v := v.(type) {
	case nil:
		return node{kind: jsontext.Null}
	case bool:
		if v {
			return node{kind: jsontext.True}
		}
		return node{kind: jsontext.False}
	case string:
		return node{kind: jsontext.String, text: v}
	case json.Number:
		return node{kind: jsontext.Float, text: string(v)}
	case []any:
		return node{kind: jsontext.Array, members: func(yield func(string, any) bool) {
			for _, item := range v {
				if !yield("", item) {
					return
				}
			}
		}}
	case Object:
		return node{kind: jsontext.Object, members: v.Members()}
	case jsontext.Value:
		return node{kind: v.Kind, text: v.Text, members: func(yield func(string, any) bool) {
			for _, item := range v.Items {
				if !yield("", item) {
					return
				}
			}
			for _, m := range v.Members {
				if !yield(m.Key, m.Value) {
					return
				}
			}
		}}
	case gjson.Result:
		n := node{kind: kindOf(v), text: v.Str, shown: true, members: func(yield func(string, any) bool) {
			v.ForEach(func(key, member gjson.Result) bool { return yield(key.Str, member) })
		}}
		if v.Type == gjson.Number {
			n.text = v.Raw
		}
		return n
	}
	panic(fmt.Sprintf("python: %T is not a JSON value", v))
}

func kindOf(v gjson.Result) jsontext.Kind {
	switch v.Type {
	case gjson.Null:
		return jsontext.Null
	case gjson.False:
		return jsontext.False
	case gjson.True:
		return jsontext.True
	case gjson.Number:
		return jsontext.Float
	case gjson.String:
		return jsontext.String
	}
	if v.IsArray() {
		return jsontext.Array
	}
	return jsontext.Object
}

// notation is a way to write a value; what Python has differ in nothing else.
type notation struct {
	null, yes, no string
	text          func(b []byte, s string) []byte
	number        func(n node) string
	indent        string // with it, each member has a line of its own, and those of objects are sorted; "" for one line
	most          int    // bytes from which on "..." stands for the rest; 0: all of it
}

// most is the length in bytes from which on [Short] stops: who reads the message knows what was sent.
const most = 2000

var (
	repr  = notation{null: "None", yes: "True", no: "False", text: appendString, number: node.number}
	short = notation{null: "None", yes: "True", no: "False", text: appendShort, number: node.shortNumber, most: most}
	dumps = notation{null: "null", yes: "true", no: "false", text: jsontext.AppendString, number: node.number}
	lines = notation{null: "null", yes: "true", no: "false", text: jsontext.AppendString, number: func(n node) string { return n.text }, indent: "    "}
)

// Str returns str(v): a string itself, of everything else its repr. Of a gjson.Result that does not exist it is "".
func Str(v any) string {
	if r, ok := v.(gjson.Result); ok && !r.Exists() {
		return ""
	}
	if n := inspect(v); n.kind == jsontext.String {
		return n.text
	}
	return Repr(v)
}

// Repr returns repr(v). Members of objects stay in their order; numbers in a gjson.Result that Python cannot hold keep
// their text.
func Repr(v any) string { return string(repr.append(nil, v, "")) }

// Short is like Repr, for messages about what someone has sent: what is very long ends in "...".
func Short(v any) string { return string(short.append(nil, v, "")) }

// JSON returns json.dumps(v): a space after , and :, and everything that is not ASCII escaped.
func JSON(v any) string { return string(dumps.append(nil, v, "")) }

// Dumps returns json.dumps(v, indent=4, sort_keys=True), but that numbers keep their text.
func Dumps(v any) []byte { return lines.append(nil, v, "\n") }

// append appends v; newline is a line break and the indentation that v stands at.
func (n notation) append(b []byte, v any, newline string) []byte {
	if n.cut(b) {
		return b
	}
	x := inspect(v)
	brackets := "[]"
	switch x.kind {
	case jsontext.Null:
		return append(b, n.null...)
	case jsontext.False:
		return append(b, n.no...)
	case jsontext.True:
		return append(b, n.yes...)
	case jsontext.Integer, jsontext.Float:
		return append(b, n.number(x)...)
	case jsontext.String:
		return n.text(b, x.text)
	case jsontext.Object:
		brackets = "{}"
		if n.indent != "" {
			x.members = sorted(x.members)
		}
	}
	b = append(b, brackets[0])
	before, between := "", ", "
	if n.indent != "" {
		before, between = newline+n.indent, ","
	}
	some := false
	for key, member := range x.members {
		if some {
			b = append(b, between...)
		}
		some = true
		if n.cut(b) {
			b = append(b, "..."...)
			break
		}
		b = append(b, before...)
		if x.kind == jsontext.Object {
			b = append(n.text(b, key), ": "...)
		}
		b = n.append(b, member, before)
	}
	if some && n.indent != "" {
		b = append(b, newline...)
	}
	return append(b, brackets[1])
}

func (n notation) cut(b []byte) bool { return n.most > 0 && len(b) > n.most }

// sorted returns members by their keys.
func sorted(members iter.Seq2[string, any]) iter.Seq2[string, any] {
	type member struct {
		key   string
		value any
	}
	var all []member
	for key, v := range members {
		all = append(all, member{key, v})
	}
	slices.SortStableFunc(all, func(x, y member) int { return cmp.Compare(x.key, y.key) })
	return func(yield func(string, any) bool) {
		for _, m := range all {
			if !yield(m.key, m.value) {
				return
			}
		}
	}
}

// appendString appends repr of a string: single quotes unless the text has some and no double ones, and escapes for
// what cannot be printed. Half a surrogate pair is one character, as in Python (see [value.Half]).
func appendString(b []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b = append(b, quote)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if half, ok := value.SurrogateHalf(s); ok {
			r, n = half, 3
		}
		s = s[n:]
		switch {
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r < 0x100:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < 0x10000:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return append(b, quote)
}

// appendShort is like appendString, for a text that may be very long.
func appendShort(b []byte, s string) []byte {
	if len(s) > most {
		n := most
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "..."
	}
	return appendString(b, s)
}

// number returns a number's text after Python has read it.
func (n node) number() string {
	if n.shown && !IsInt(n.text) {
		if _, err := strconv.ParseFloat(n.text, 64); err != nil {
			return n.text
		}
	}
	return Number(n.text)
}

func (n node) shortNumber() string {
	if IsInt(n.text) && len(n.text) > most {
		return n.text[:most] + "..."
	}
	return Number(n.text)
}

// IsInt reports whether a JSON number is an int to Python: digits and a sign only.
func IsInt(number string) bool { return !strings.ContainsAny(number, ".eE") }

// Number returns the text of a JSON number after Python has read it: that of a float, or of an int, which is JSON's own
// but for -0.
func Number(text string) string {
	switch {
	case !IsInt(text):
		f, _ := strconv.ParseFloat(text, 64) // out of range is infinite, as in Python
		return Float(f)
	case text == "-0":
		return "0"
	}
	return text
}

// Float returns repr of a float: the shortest text that reads back the same, with an exponent from 1e16 and below 1e-4,
// and always a point or an exponent.
func Float(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// types are the names of the types that JSON values have in Python.
var types = map[jsontext.Kind]string{
	jsontext.Null: "NoneType", jsontext.False: "bool", jsontext.True: "bool", jsontext.Integer: "int", jsontext.Float: "float",
	jsontext.String: "str", jsontext.Array: "list", jsontext.Object: "dict",
}

// Type returns the name of the type that a value has in Python.
func Type(v any) string {
	n := inspect(v)
	if n.kind == jsontext.Float && IsInt(n.text) {
		n.kind = jsontext.Integer
	}
	return types[n.kind]
}

// Strip returns s.strip().
func Strip(s string) string { return strings.TrimFunc(s, Space) }

// Space reports whether Python's strip removes a character: Unicode's spaces and the four information separators.
func Space(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
