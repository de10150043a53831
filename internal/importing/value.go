package importing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/marks"
	"github.com/craton-fleet/craton/internal/value"
)

// Value is a variable's value. Equal values of one inventory are one Value.
type Value struct {
	// JSON is compact, with sorted keys, and contains Ansible's marks.
	JSON string
	// What it contains, at any depth.
	Template bool   // text that Ansible executes
	Marked   bool   // text that is marked as not to be executed
	Unsafe   bool   // such text that Ansible could otherwise treat as a template
	Vault    bool   // individually encrypted text
	Bad      string // why Craton cannot store it, or would pass it on changed; ""

	odd bool // JSON may hide dates, or keys that are not texts
}

// Vars are variables by name.
type Vars map[string]*Value

// notFinite marks a number that JSON does not have, which ansible-inventory prints as NaN, Infinity or -Infinity.
const notFinite = "__craton_not_finite"

// valueReader converts JSON texts to values.
type valueReader struct {
	inert func(string) bool
	known map[string]*Value
	odd   bool // some value is odd
}

// read returns a value in canonical form.
func (r *valueReader) read(raw json.RawMessage) (*Value, error) {
	if v := r.known[string(raw)]; v != nil {
		return v, nil
	}
	decoded, err := value.Decode(raw)
	if err != nil {
		return nil, err
	}
	text, err := value.Encode(decoded)
	if err != nil {
		return nil, err
	}
	v := r.known[string(text)]
	if v == nil {
		v = &Value{JSON: string(text)}
		r.inspect(v, decoded, 1)
		r.known[v.JSON] = v
	}
	r.known[string(raw)] = v
	return v, nil
}

// of returns the value of a text.
func (r *valueReader) text(s string) *Value {
	raw, _ := value.Encode(s) // encoding a string never fails
	v, _ := r.read(raw)
	return v
}

// inspect determines what a value contains.
func (r *valueReader) inspect(v *Value, decoded any, depth int) {
	bad := func(why string) {
		if v.Bad == "" {
			v.Bad = why
		}
	}
	if depth > marks.MaxDepth {
		bad("is nested too deeply")
		return
	}
	switch d := decoded.(type) {
	case string:
		if isTemplate(d) {
			v.Template = true
		}
		if isOddText(d) {
			v.odd, r.odd = true, true
		}
		if err := value.CheckText(d); err != nil {
			bad("contains a character that Craton does not accept")
		}
	case json.Number:
		if err := value.CheckNumber(d.String()); err != nil {
			bad("is a number that not every program can read")
		}
	case []any:
		for _, one := range d {
			r.inspect(v, one, depth+1)
		}
	case map[string]any:
		if _, ok := d[notFinite]; ok {
			bad("is a number that JSON does not have")
			return
		}
		if s, ok := d[marks.Unsafe].(string); ok && len(d) == 1 {
			v.Marked = true
			v.Unsafe = v.Unsafe || !r.inert(s)
			if err := value.CheckText(s); err != nil {
				bad("contains a character that Craton does not accept")
			}
			return
		}
		if _, ok := d[marks.Vault].(string); ok && len(d) == 1 {
			v.Vault = true
			return
		}
		if _, ok := d[typedValue].(string); ok && len(d) == 1 {
			bad("is a date")
			return
		}
		for key, one := range d {
			if isOddKey(key) {
				v.odd, r.odd = true, true
			}
			switch {
			case strings.HasPrefix(key, typedKey), strings.HasPrefix(key, duplicateKey):
				bad("has keys that are not text")
			case isTemplate(key):
				v.Template = true
			case marks.Is(key), !r.inert(key):
				bad("has a key that Craton passes on as text")
			}
			r.inspect(v, one, depth+1)
		}
	}
}

// isTemplate reports whether Ansible executes a text that it trusts.
func isTemplate(s string) bool {
	return strings.Contains(s, "{{") || strings.Contains(s, "{%") || strings.Contains(s, "{#") || strings.HasPrefix(s, "#jinja2:")
}

// plain returns a value as Craton stores it: without the marks of texts that must not be executed, because that applies
// to all its texts.
func (v *Value) plain() string {
	if !v.Marked {
		return v.JSON
	}
	decoded, err := value.Decode([]byte(v.JSON))
	if err != nil {
		return v.JSON
	}
	text, err := value.Encode(withoutUnsafe(decoded))
	if err != nil {
		return v.JSON
	}
	return string(text)
}

func withoutUnsafe(decoded any) any {
	switch d := decoded.(type) {
	case []any:
		for i := range d {
			d[i] = withoutUnsafe(d[i])
		}
	case map[string]any:
		if s, ok := d[marks.Unsafe].(string); ok && len(d) == 1 {
			return s
		}
		for k := range d {
			d[k] = withoutUnsafe(d[k])
		}
	}
	return decoded
}

// finite converts Python's JSON to valid JSON: NaN, Infinity and -Infinity become marks.
func finite(text []byte) []byte {
	if !bytes.Contains(text, []byte("NaN")) && !bytes.Contains(text, []byte("Infinity")) {
		return text
	}
	var out []byte
	s := string(text)
	for i := 0; i < len(s); {
		if s[i] == '"' {
			end := value.StringEnd(s, i)
			out = append(out, s[i:end]...)
			i = end
			continue
		}
		word := ""
		for _, w := range []string{"NaN", "Infinity", "-Infinity"} {
			if strings.HasPrefix(s[i:], w) {
				word = w
			}
		}
		if word == "" {
			out = append(out, s[i])
			i++
			continue
		}
		out = fmt.Appendf(out, `{%q:%q}`, notFinite, word)
		i += len(word)
	}
	return out
}
