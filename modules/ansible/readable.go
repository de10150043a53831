package ansible

import (
	"encoding/json"
	"strings"

	"github.com/craton-fleet/craton/internal/marks"
)

// maxDepth is the maximum nesting of a result. A value of an object of the fleet is nested some levels deep in it, and
// may itself be as deep as an inventory allows.
const maxDepth = marks.MaxDepth + 10

// readable returns a value that every release of ansible-core reads back as data. Objects that Ansible would treat as
// its own marks become the text of their JSON, as in the inventory, and so does what is nested too deep; an integer
// with too many digits becomes their text. depth is the nesting of the value.
func readable(v any, depth int) any {
	switch v := v.(type) {
	case json.Number:
		if isInt(v) && len(strings.TrimPrefix(string(v), "-")) > marks.MaxDigits {
			return string(v)
		}
	case []any:
		if depth >= maxDepth {
			return string(appendJSON(nil, v))
		}
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = readable(e, depth+1)
		}
		return list
	case *dict:
		if depth >= maxDepth || holdsMark(v) {
			return string(marks.AppendObjectText(nil, string(appendJSON(nil, v))))
		}
		d := newDict()
		for _, k := range v.keys {
			d.set(k, readable(v.values[k], depth+1))
		}
		return d
	}
	return v
}

// holdsMark reports whether Ansible would treat an object as a mark.
func holdsMark(d *dict) bool {
	for _, k := range d.keys {
		if marks.Is(k) {
			return true
		}
	}
	return false
}
