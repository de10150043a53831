package jsontext_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// TestAppendClean: the value stays what it is for a JSON reader, in its own digits, without space.
func TestAppendClean(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		` { "a" : [ 1 , "b c" , { } ] } `: `{"a":[1,"b c",{}]}`,
		"\"tab\\t quote\\\" \\\\\"":       "\"tab\\t quote\\\" \\\\\"",
		`12345678901234567890123.10`:      `12345678901234567890123.10`,
		`"\ud834\udd1e"`:                  `"\ud834\udd1e"`,
		`[ "\udd1e x\uD834" , 1 ]`:        `["\udd1e x\uD834",1]`,
		"\"\xff\xc3\"":                    "\"\xff\xc3\"",
		"\"é ☃ 𝄞\"":                       "\"é ☃ 𝄞\"",
	} {
		if got := string(jsontext.AppendClean(nil, raw)); got != want {
			t.Errorf("%q: %s, want %s", raw, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.MarshalIndent(drawJSON(t, 3), "", " \t")
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		clean := jsontext.AppendClean(nil, string(raw))
		if json.Unmarshal(raw, &want) != nil || json.Unmarshal(clean, &got) != nil || cmp.Diff(want, got) != "" {
			t.Fatalf("%s became %s", raw, clean)
		}
	})
}

// drawJSON draws a value of some levels, with strings that end where careless readers do not expect it.
func drawJSON(t *rapid.T, depth int) any {
	text := rapid.SampledFrom([]string{"", "a", "{", "]", ",", `"`, `\`, `\"`, `\\`, " ", "é", "𝄞", "\u2028"})
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
			list = append(list, drawJSON(t, depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		object[text.Draw(t, "key")] = drawJSON(t, depth-1)
	}
	return object
}
