package ansible

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value/python"
)

// Values become text in Ansible by Python's str() and repr(). What users know,
// compare with and grep for is that text, so it is made here exactly.

// pyStr is str(v) of a JSON value.
func pyStr(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return pyRepr(v)
}

// pyRepr is repr(v) of a JSON value.
func pyRepr(v any) string { return string(appendRepr(nil, v)) }

func appendRepr(b []byte, v any) []byte { return pyNotation.append(b, v) }

// notation is a way to write a value; Python's repr and its json.dumps differ in nothing else.
type notation struct {
	null, yes, no string
	text          func(b []byte, s string) []byte
}

var (
	pyNotation   = notation{"None", "True", "False", python.AppendString}
	jsonNotation = notation{"null", "true", "false", python.AppendASCII}
)

func (n notation) append(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, n.null...)
	case bool:
		if v {
			return append(b, n.yes...)
		}
		return append(b, n.no...)
	case json.Number:
		return append(b, pyNumber(v)...)
	case string:
		return n.text(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = n.append(b, e)
		}
		return append(b, ']')
	case *dict:
		b = append(b, '{')
		for i, k := range v.keys {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = n.text(b, k)
			b = append(b, ": "...)
			b = n.append(b, v.values[k])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("ansible: %T is not a JSON value", v))
}

// pyNumber is the text of a JSON number after Python has read it.
func pyNumber(n json.Number) string {
	if isInt(n) {
		return pyInt(n)
	}
	f, _ := strconv.ParseFloat(string(n), 64) // out of range is infinite, as in Python
	return pyFloat(f)
}

// pyInt is an int's text: JSON's own, but for -0.
func pyInt(n json.Number) string {
	if n == "-0" {
		return "0"
	}
	return string(n)
}

// pyFloat is repr of a float.
func pyFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	return python.Float(f)
}

// pyType is the name of the type that a JSON value has in Python.
func pyType(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case string:
		return "str"
	case json.Number:
		if isInt(v) {
			return "int"
		}
		return "float"
	case []any:
		return "list"
	}
	return "dict"
}

// pyClass is str(type(v)).
func pyClass(v any) string { return "<class '" + pyType(v) + "'>" }

func pyStrip(s string) string { return strings.TrimFunc(s, python.Space) }

// appendPyJSON writes a value as json.dumps does: a space after , and :, and
// everything that is not ASCII escaped.
func appendPyJSON(b []byte, v any) []byte { return jsonNotation.append(b, v) }
