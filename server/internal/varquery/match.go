package varquery

import (
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Match reports whether a variable's value, as JSON text, satisfies the term.
// The key is not looked at. Text that is no JSON matches nothing.
func (t Term) Match(text string) bool {
	if len(t.steps) == 0 && t.want.Kind == jsontext.String && strings.HasPrefix(text, `"`) && !strings.Contains(text, `\`) {
		return text[1:len(text)-1] == t.want.Text // the usual case, without a tree
	}
	value, err := jsontext.Parse([]byte(text))
	if err != nil {
		return false
	}
	target, ok := extract(value, t.steps)
	return ok && target.Contains(t.want)
}

// Signs are pieces of text that every value has, in their order, which satisfies the
// term: see [jsontext.Value.Signs].
func (t Term) Signs() []string { return t.want.Signs() }

// Starts are how every value begins that satisfies the term; none says nothing: see
// [jsontext.Value.Starts].
func (t Term) Starts() []jsontext.Start {
	if len(t.steps) > 0 {
		return nil
	}
	return t.want.Starts()
}

// extract is JSON_EXTRACT: what the path finds. With a wildcard in the path
// that is an array of everything found, even of one thing.
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
				next = append(next, v) // MySQL takes what is no array for an array of one
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
