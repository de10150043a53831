package value_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value"
)

// TestStringEnd: a string ends at its own quote, whatever stands in it and behind it.
func TestStringEnd(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{`"`: 1, `"a`: 2, `"a\"`: 4, `""`: 2, `"\\"x"`: 4} {
		if got := value.StringEnd(text, 0); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune(`a\"{é`))).Draw(t, "s")
		literal, err := value.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		behind := rapid.SampledFrom([]string{"", `"`, `\"`, `,"x"]`}).Draw(t, "behind")
		if got := value.StringEnd("[ "+string(literal)+behind, 2); got != 2+len(literal) {
			t.Fatalf("%s, and behind it %s: %d", literal, behind, got)
		}
	})
}

func TestEncodeAndDecode(t *testing.T) {
	t.Parallel()
	const text = `{"a":"<b>&","big":123456789012345678901234567890,"f":1.0,"l":[null,true]}`
	v, err := value.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": "<b>&", "big": json.Number("123456789012345678901234567890"), "f": json.Number("1.0"), "l": []any{nil, true}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
	if raw, err := value.Encode(v); err != nil || string(raw) != text {
		t.Errorf("%s, %v", raw, err)
	}
	if _, err := value.Encode(func() {}); err == nil {
		t.Error("a function is JSON")
	}
}
