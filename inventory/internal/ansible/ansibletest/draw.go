package ansibletest

import (
	"strings"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// DrawJSON draws a value in which marks and templates are likely.
func DrawJSON(t *rapid.T, depth int) any {
	text := rapid.SampledFrom([]string{"", "a", "{", "{{", "{%x", "#jinja2:a\n", "#", "#jin", "JA2:", "_", "jinja2", ":", " ", ansible.MarkUnsafe, ansible.MarkVault, ansible.MarkType, `"`, `\`, "é", "𝄞", "\u2028"})
	switch rapid.IntRange(0, 3+min(depth, 2)).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Int64().Draw(t, "number")
	case 2, 3:
		return strings.Join(rapid.SliceOfN(text, 0, 4).Draw(t, "text"), "")
	case 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			list = append(list, DrawJSON(t, depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		object[text.Draw(t, "key")] = DrawJSON(t, depth-1)
	}
	return object
}
