package marks_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/marks"
)

// TestObjectText: the text of an object is that object to who reads it as JSON, begins no template, and nothing that
// ansible-core before 2.19 makes an object of.
func TestObjectText(t *testing.T) {
	t.Parallel()
	word := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"{", "}", "%", "#", `"`, `\`, "a", ":", ",", "é", "\n"}), 0, 6), func(parts []string) string {
		return strings.Join(parts, "")
	})
	rapid.Check(t, func(t *rapid.T) {
		object := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			inner := any(word.Draw(t, "value"))
			if rapid.Bool().Draw(t, "nested") {
				inner = []any{map[string]any{word.Draw(t, "key"): inner}, map[string]any{}}
			}
			object[word.Draw(t, "key")] = inner
		}
		raw, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		text := string(marks.AppendObjectText(nil, string(raw)))
		var back map[string]any
		if err := json.Unmarshal([]byte(text), &back); err != nil || !reflect.DeepEqual(back, object) {
			t.Fatalf("%s is the text of %s: %v", text, raw, err)
		}
		for _, opening := range []string{"{{", "{%", "{#"} {
			if strings.Contains(text, opening) || text[0] == '{' {
				t.Fatalf("%s begins a template", text)
			}
		}
	})
}
