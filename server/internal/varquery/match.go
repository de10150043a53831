package varquery

import (
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Match reports whether a variable's value, as JSON text, matches the term. It ignores the term's key. Text that is not
// JSON does not match.
func (t Term) Match(text string) bool {
	if len(t.steps) == 0 && t.want.Kind == jsontext.String && strings.HasPrefix(text, `"`) && !strings.Contains(text, `\`) {
		return text[1:len(text)-1] == t.want.Text // fast path for the usual case
	}
	value, err := jsontext.Parse([]byte(text))
	if err != nil {
		return false
	}
	target, ok := extract(value, t.steps)
	return ok && target.Contains(t.want)
}

// Signs returns pieces of text, in order, that every matching value contains: see [jsontext.Value.Signs].
func (t Term) Signs() []string { return t.want.Signs() }

// Starts returns the possible beginnings of matching values, or nil if they are not known: see [jsontext.Value.Starts].
func (t Term) Starts() []jsontext.Start {
	if len(t.steps) > 0 {
		return nil
	}
	return t.want.Starts()
}

// extract implements JSON_EXTRACT: it returns the value at the path. If the path has a wildcard, the result is an array
// of all values that it finds, even if there is only one.
func extract(v jsontext.Value, steps []step) (jsontext.Value, bool) {
	found, wild := []jsontext.Value{v}, false
	for _, s := range steps {
		var next []jsontext.Value
		for _, v := range found {
			switch {
			case s.kind == member:
				if m, ok := v.Get(s.name); ok {
					next = append(next, m)
				}
			case s.kind == anyMember:
				for _, m := range v.Members {
					next = append(next, m.Value)
				}
			case s.kind == anyElement:
				next = append(next, v.Items...)
			case v.Kind != jsontext.Array && s.index == 0:
				next = append(next, v) // MySQL treats a value that is not an array as an array with one element
			case s.index < len(v.Items):
				next = append(next, v.Items[s.index])
			}
		}
		found = next
		wild = wild || s.kind == anyMember || s.kind == anyElement
	}
	switch {
	case len(found) == 0:
		return jsontext.Value{}, false
	case wild:
		return jsontext.Value{Kind: jsontext.Array, Items: found}, true
	}
	return found[0], true
}
