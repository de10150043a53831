package jsonscan_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
	"github.com/craton-fleet/craton/inventory/internal/jsonscan"
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
		if got := string(jsonscan.AppendClean(nil, raw)); got != want {
			t.Errorf("%q: %s, want %s", raw, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.MarshalIndent(ansibletest.DrawJSON(t, 3), "", " \t")
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		clean := jsonscan.AppendClean(nil, string(raw))
		if json.Unmarshal(raw, &want) != nil || json.Unmarshal(clean, &got) != nil || cmp.Diff(want, got) != "" {
			t.Fatalf("%s became %s", raw, clean)
		}
	})
}
