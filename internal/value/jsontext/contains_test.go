package jsontext_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// TestSigns: what contains a value has its signs, in their order.
func TestSigns(t *testing.T) {
	t.Parallel()
	check := func(t interface{ Errorf(string, ...any) }, text, part string) {
		v, err := jsontext.Parse([]byte(text))
		want, wrong := jsontext.Parse([]byte(part))
		if err != nil || wrong != nil || !v.Contains(want) {
			t.Errorf("%s does not contain %s: %v %v", text, part, err, wrong)
			return
		}
		rest := v.Compact()
		for _, sign := range want.Signs() {
			_, after, found := strings.Cut(rest, sign)
			if !found {
				t.Errorf("%s contains %s, and %q is not in %q", text, part, sign, rest)
			}
			rest = after
		}
	}
	for _, same := range [][2]string{
		{`1`, `1.0`}, {`100`, `1e2`}, {`1.50`, `15e-1`}, {`0`, `-0.0`}, {`0.00`, `0e5`}, {`12345678901234567890123`, `1.2345678901234567890123E22`}, {`-10`, `-1e1`}, {`0.001`, `1e-3`},
		{`"\ud834\udd1e"`, `"𝄞"`}, {`"\/"`, `"/"`}, {`"\u0041"`, `"A"`}, {`"\ud834"`, `"\uD834"`},
	} {
		check(t, same[0], same[1])
		check(t, same[1], same[0])
	}
	check(t, `[["a"],{"b":1}]`, `{"b":1.0}`)
	check(t, `{"b":[],"a":"x"}`, `{"b":[]}`)
	rapid.Check(t, func(t *rapid.T) {
		whole := drawJSON(t, 3)
		part := whole
		for {
			if list, ok := part.([]any); ok && len(list) > 0 && rapid.Bool().Draw(t, "deeper") {
				part = rapid.SampledFrom(list).Draw(t, "element")
				continue
			}
			break
		}
		text, err := json.Marshal(whole)
		inner, wrong := json.Marshal(part)
		if err != nil || wrong != nil {
			t.Fatal(err, wrong)
		}
		if v, _ := jsontext.Parse(text); len(inner) > 0 {
			if want, _ := jsontext.Parse(inner); !v.Contains(want) {
				return
			}
		}
		check(t, string(text), string(inner))
	})
}
