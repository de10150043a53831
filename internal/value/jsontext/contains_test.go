package jsontext_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// TestSigns: what contains a value has its signs, in their order, and begins as one of its starts says.
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
		if starts := want.Starts(); starts != nil && !slices.ContainsFunc(starts, func(s jsontext.Start) bool { return rest == s.Text || !s.Whole && strings.HasPrefix(rest, s.Text) }) {
			t.Errorf("%s contains %s, and does not begin as any of %v", text, part, starts)
		}
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

// TestStartsOfNumbers: however a number is written, it begins as its starts say, and few others do.
func TestStartsOfNumbers(t *testing.T) {
	t.Parallel()
	parse := func(t interface{ Fatalf(string, ...any) }, text string) jsontext.Value {
		v, err := jsontext.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return v
	}
	begins := func(v jsontext.Value, text string) bool {
		return slices.ContainsFunc(v.Starts(), func(s jsontext.Start) bool { return text == s.Text || !s.Whole && strings.HasPrefix(text, s.Text) })
	}
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`0|[1-9][0-9]{0,3}0{0,9}|[1-9][0-9]{10,40}`).Draw(t, "digits")
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		shift := rapid.IntRange(-12, 60).Draw(t, "exponent")
		// The same number in another way: other zeros, the point elsewhere, the exponent so that it fits.
		write := func(label string) string {
			all := cmp.Or(strings.TrimRight(digits, "0"), "0") + strings.Repeat("0", rapid.IntRange(0, 12).Draw(t, label+" zeros"))
			e := shift + len(digits) - len(all) // of an integer
			if all[0] == '0' {
				all, e = strings.TrimSuffix("0."+all[1:], "."), rapid.IntRange(-5, 5).Draw(t, label+" exponent")
			} else if rapid.Bool().Draw(t, label+" as an integer") && e >= 0 && e < 80 {
				return sign + all + strings.Repeat("0", e)
			} else if n := rapid.IntRange(0, len(all)).Draw(t, label+" point"); n == 0 {
				zeros := rapid.IntRange(0, 3).Draw(t, label+" zeros in front")
				e += len(all) + zeros
				all = "0." + strings.Repeat("0", zeros) + all
			} else if n < len(all) {
				e += len(all) - n
				all = all[:n] + "." + all[n:]
			}
			if e == 0 && rapid.Bool().Draw(t, label+" bare") {
				return sign + all
			}
			return sign + all + rapid.SampledFrom([]string{"e", "E", "e+"}[:2+min(1, max(0, e))]).Draw(t, label+" e") + strconv.Itoa(e)
		}
		a, b := write("a"), write("b")
		x, y := parse(t, a), parse(t, b)
		if !x.Contains(y) {
			t.Fatalf("%s and %s differ: the test is wrong", a, b)
		}
		if !begins(x, b) || !begins(y, a) {
			t.Fatalf("%s: %v\n%s: %v", a, x.Starts(), b, y.Starts())
		}
	})
	for number, others := range map[string][]string{"17": {"1", "170", "18", "171", "-17", "7"}, "1": {"10", "11", "2", "12"}, "100": {"1", "10", "1000", "101"}, "1.5": {"15", "1", "150"}, "0": {"1", "-1", "10"}} {
		for _, other := range others {
			if v := parse(t, number); begins(v, other) {
				t.Errorf("%s begins as %s may: %v", other, number, v.Starts())
			}
		}
	}
}
