package value_test

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	const text, word, name = 1, 2, 3 // the first check that refuses it; 0 is none
	for s, first := range map[string]int{
		"web-01": 0, "Zürich ☁ 東京": 0, " a b ": 0, "नमस्ते": 0, "a\u0600b": 0, "\U0001f468": 0,
		"":     name,
		"a\tb": word, "a\n": word, "\x1b[31m": word, "a\x7f": word, "\u0085": word,
		"\u200b": word, "a\ufeff": word, "\u00ad": word, "\u202e": word, "\u2066a": word, "\u2028": word, "\u061c": word, "\u180e": word,
		"\u3164": word, "\u115f": word, "\u2800": word, "\ufe0f": word, "\U000e0041": word, "\u034f": word, "\u2060": word, "\u200d": word,
		"\x00": text, "a\x00": text, "é\x00": text, "\xff": text, "a\xc3": text, "\xed\xa0\x80": text,
	} {
		for i, check := range []func(string) error{value.CheckText, value.CheckWord, value.CheckName} {
			if err := check(s); (err != nil) != (first > 0 && i+1 >= first) {
				t.Errorf("%q, check %d: %v", s, i, err)
			}
		}
	}
	for s, ok := range map[string]bool{"a": true, "...": true, "a b": true, "%2e": true, "": false, ".": false, "..": false, "a/b": false, "/": false, "a\n": false} {
		if err := value.CheckSegment(s); (err == nil) != ok {
			t.Errorf("part of a path %q: %v", s, err)
		}
	}
	if err := value.CheckName("a\u200bb"); err == nil || !strings.Contains(err.Error(), "U+200B") {
		t.Errorf("%v", err)
	}
}

// TestHidden: everything that Unicode says need not be shown is hidden, and nothing that has a width.
func TestHidden(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		want := unicode.In(r, unicode.Bidi_Control, unicode.Join_Control, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
		if want && !value.Hidden(r) {
			t.Errorf("%U can be seen", r)
		}
		if (unicode.In(r, unicode.Prepended_Concatenation_Mark, unicode.N, unicode.P, unicode.Zs)) && value.Hidden(r) {
			t.Errorf("%U is hidden", r)
		}
	}
}

// TestCheckNumber: exactly the numbers pass that a double holds, as strconv and big numbers know it, and all integers
// that Python reads.
func TestCheckNumber(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"0": true, "-1": true, "1e308": true, "1.7976931348623157e308": true, "1.7976931348623159e308": false, "1e309": false, "-1E400": false, "1e+400": false,
		"5e-324": true, "2e-324": false, "1e-400": false, "0e-400": true, "0.0E999": true, "-0.000e-999": true, "0.1": true,
		"0.12345678901234567890123456789": true, "123456789012345678901234567890": true, "1" + zeros(400): true, "-1" + zeros(4299): true, "1" + zeros(4300): false, "1" + zeros(400) + ".5": false, "0." + zeros(400) + "1": false, "0." + zeros(400): true,
		"1" + zeros(400) + "e-400": true, "0." + zeros(400) + "1e400": true, "1e99999999999999999999999": false, "1e-99999999999999999999999": false, "0e99999999999999999999": true,
	} {
		if err := value.CheckNumber(text); (err == nil) != ok {
			t.Errorf("%.40s: %v", text, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?`).Draw(t, "number")
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s", text)
		}
		f, err := strconv.ParseFloat(text, 64)
		isInteger := !strings.ContainsAny(text, ".eE")
		mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
		lost := math.IsInf(f, 0) || f == 0 && strings.Trim(mantissa, "-0.") != ""
		if got := value.CheckNumber(text); (got == nil) != (isInteger || !lost) {
			t.Fatalf("%s: %v, double %v %v", text, got, f, err)
		}
	})
}

func zeros(n int) string { return strings.Repeat("0", n) }

func TestQuoteNumbers(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"a":[1,1e400,-1E-400,"1e400"],"1e400":0.5}`: `{"a":[1,"1e400","-1E-400","1e400"],"1e400":0.5}`,
		`1e400`: `"1e400"`, `"\\",1e400`: `"\\","1e400"`, `"\"1e400"`: `"\"1e400"`, `[123456789012345678901234567890]`: `[123456789012345678901234567890]`, ``: ``,
	} {
		if got := string(value.QuoteNumbers([]byte(raw))); got != want {
			t.Errorf("%s became %s, want %s", raw, got, want)
		}
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	err := value.In("a", value.At(2, value.In("b.c", value.At(0, value.At(1, value.ErrNUL)))))
	if want := `a[2]."b.c"[0][1] ` + value.ErrNUL.Error(); err.Error() != want || !errors.Is(err, value.ErrNUL) {
		t.Errorf("%s, want %s", err, want)
	}
	if value.In("a", nil) != nil || value.At(1, nil) != nil {
		t.Error("a fault of nothing")
	}
	for key, want := range map[string]string{"a": "x.a", "": `x.""`, "a b": `x."a b"`, "a.b": `x."a.b"`, "\xff": `x."\xff"`, "\u202e": `x."\u202e"`, "é": "x.é"} {
		if got := value.Join("x", key); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
}

// TestEscape: what is shown has nothing that a terminal obeys, and JSON stays the same JSON.
func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a": "a", "é": "é", "a\x1b[2J": `a\u001b[2J`, "\u202eb": `\u202eb`, "\xffx": `\xffx`, "\U000e0041": `\udb40\udc41`, "a\nb": `a\u000ab`, "\u200b": `\u200b`, "\ufffd": "\ufffd"} {
		if got := value.Escape(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if got := value.EscapeLines("a\n\tb\x1b"); got != "a\n\tb\\u001b" {
		t.Errorf("%q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a\u200b\u202e\x1b\u0085\U000e0041\ufeff☁")))).Draw(t, "s")
		shown := value.Escape(s)
		if !utf8.ValidString(shown) || value.CheckWord(shown) != nil {
			t.Fatalf("%q is shown as %q", s, shown)
		}
		literal, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal([]byte(value.Escape(string(literal))), &back); err != nil || back != s {
			t.Fatalf("%s became %q: %v", literal, back, err)
		}
	})
}

func TestCheckFinite(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"a":[1,NaN]}`: "a[1] is NaN, which JSON does not have", `{"a":{"b c":[-Infinity]}}`: `a."b c"[0] is -Infinity`, `{"x":"NaN","y": Infinity }`: "y is Infinity",
		`["NaN",{"Infinity":1}]`: "", `{"a":`: "", `NaN`: "is NaN", `{"a":nan,"Infinity"`: "", `"Infinity`: "", `}]NaN{[`: "",
	} {
		if err := value.CheckFinite(raw); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", raw, err, want)
		}
	}
}

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`1e400`:                           "is 1e400, which is too large",
		`{"a":[1,{"b c":-1e-400}]}`:       `a[1]."b c" is -1e-400, which is too close to zero`,
		`[0,"a",true,null,1e5,[1e309]]`:   "[5][0] is 1e309, which is too large",
		`{"a":"x\u0000"}`:                 "a contains a NUL character",
		`{"\u0000":1}`:                    `"\x00" contains a NUL character`,
		`{"a":"\ud800"}`:                  "a is not UTF-8, or contains half",
		`{"a":"\udc00\ud800"}`:            "a is not UTF-8",
		`{"\ud800\u0041":1}`:              "is not UTF-8",
		"\"\xff\"":                        "is not UTF-8",
		"{\"a\":{\"\xff\":1}}":            `a."\xff" is not UTF-8`,
		`"\ud834\udd1e"`:                  "",
		`"\\ud800 \\u0000 1e400 \"1e400"`: "",
		`["\\",1e5,"\\\\u0000"]`:          "",
		`{"1e400":"1e400","b":[]}`:        "",
		`12345678901234567890`:            "",
		`{"a":{},"b":[{}],"c":-0.5e-3}`:   "",
	} {
		err := value.CheckJSON(raw)
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", raw, err, want)
		}
		var f *value.Fault
		if err != nil && !errors.As(err, &f) {
			t.Errorf("%s: %T", raw, err)
		}
	}
}

func TestCheckTwice(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"a":1,"b":{"a":2}}`:         "",
		`[{"a":1},{"a":1}]`:           "",
		`{"a":1,"a":1}`:               "a is given twice; keep one of them",
		`{"a":[0,{"b.c":1,"b.c":2}]}`: `a[1]."b.c" is given twice; keep one of them`,
		`{"é":1,"\u00e9":2}`:          "é is given twice; keep one of them",
		`"a"`:                         "",
	} {
		if err := value.CheckTwice(raw); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
