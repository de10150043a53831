package ansible

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
)

// Validation works on JSON values: nil, bool, string, json.Number (exact text), []any and *dict. A dict keeps the order
// of its keys, because AnsibleModule shows that order when it converts a dict to text.
type dict struct {
	keys   []string
	values map[string]any
	source map[string]Source // only of a validated level of options
}

func newDict() *dict { return &dict{values: make(map[string]any)} }

// set adds or replaces a key. As in Python, a replaced key keeps its position.
func (d *dict) set(key string, value any) {
	if _, ok := d.values[key]; !ok {
		d.keys = append(d.keys, key)
	}
	d.values[key] = value
}

// Members returns the keys and values in their order, for package python.
func (d *dict) Members() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, k := range d.keys {
			if !yield(k, d.values[k]) {
				return
			}
		}
	}
}

func (d *dict) has(key string) bool {
	_, ok := d.values[key]
	return ok
}

func (d *dict) delete(key string) {
	if !d.has(key) {
		return
	}
	delete(d.values, key)
	for i, k := range d.keys {
		if k == key {
			d.keys = append(d.keys[:i:i], d.keys[i+1:]...)
			return
		}
	}
}

// decodeJSON decodes exactly one JSON value. Numbers keep their text.
func decodeJSON(data []byte) (any, error) {
	// The token reader below is used only for the order of keys; the syntax, and the depth, are checked here.
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%w (at byte %d)", err, syntax.Offset)
		}
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return decodeValue(dec)
}

func decodeValue(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		d := newDict()
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			d.set(key.(string), value)
		}
		_, err := dec.Token()
		return d, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := dec.Token()
		return list, err
	}
	return tok, nil
}

// fromGo converts a Go value, from a Spec or a result, to a JSON value.
func fromGo(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string:
		return v, nil
	case int:
		return json.Number(strconv.Itoa(v)), nil
	case float64:
		// encoding/json writes 1.0 as 1, which Python would read as an int.
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("JSON cannot hold the number %v", v)
		}
		return json.Number(python.Float(v)), nil
	}
	data, err := value.Encode(v)
	if err != nil {
		return nil, err
	}
	return decodeJSON(data)
}

// plain converts a JSON value to what encoding/json decodes if numbers stay json.Number: with maps instead of dicts.
// The caller owns the copy.
func plain(v any) any {
	switch v := v.(type) {
	case *dict:
		m := make(map[string]any, len(v.keys))
		for k, value := range v.values {
			m[k] = plain(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = plain(value)
		}
		return list
	}
	return v
}

// appendJSON writes a JSON value on one line, in valid UTF-8. A json.RawMessage is written as it is.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return appendString(b, v)
	case json.Number:
		return append(b, v...)
	case json.RawMessage:
		return append(b, v...)
	case []any:
		b = append(b, '[')
		for i, value := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, value)
		}
		return append(b, ']')
	case *dict:
		b = append(b, '{')
		for i, k := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, k)
			b = append(b, ':')
			b = appendJSON(b, v.values[k])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("ansible: %T is not a JSON value", v))
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			quoted, err := value.Encode(s)
			if err != nil {
				panic(err) // encoding a string never fails
			}
			// Ansible splits the output of modules into lines, and Python treats this as the end of a line.
			// encoding/json escapes the others.
			return append(b, bytes.ReplaceAll(quoted, []byte("\u0085"), []byte(`\u0085`))...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// isInt reports whether a JSON number is an int to Python: digits and a sign only.
func isInt(n json.Number) bool { return python.IsInt(string(n)) }

// equal compares JSON values as Python does: 1, 1.0 and True are equal, the order of keys does not matter.
func equal(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && sameNumber(x, y)
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		s, ok := b.(string)
		return ok && a == s
	case []any:
		list, ok := b.([]any)
		if !ok || len(a) != len(list) {
			return false
		}
		for i := range a {
			if !equal(a[i], list[i]) {
				return false
			}
		}
		return true
	case *dict:
		d, ok := b.(*dict)
		if !ok || len(a.keys) != len(d.keys) {
			return false
		}
		for k, v := range a.values {
			if other, ok := d.values[k]; !ok || !equal(v, other) {
				return false
			}
		}
		return true
	}
	return false
}

// number returns a number or boolean as a number.
func number(v any) (json.Number, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return "1", true
		}
		return "0", true
	case json.Number:
		return v, true
	}
	return "", false
}

// sameNumber compares ints exactly and everything else as floats.
func sameNumber(a, b json.Number) bool {
	if isInt(a) && isInt(b) {
		return python.Number(string(a)) == python.Number(string(b))
	}
	x, errX := strconv.ParseFloat(string(a), 64)
	y, errY := strconv.ParseFloat(string(b), 64)
	return errX == nil && errY == nil && x == y
}

// readAll reads a module's arguments, up to a maximum size.
func readAll(r io.Reader) ([]byte, error) {
	const limit = 1 << 30
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return data, err
}
