package jsontext_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server/internal/jsontext"
)

func TestCompactKeepsValuesExactly(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{`1.0`, `1.0`},
		{`1e400`, `1e400`},
		{`-0`, `-0`},
		{`123456789012345678901234567890`, `123456789012345678901234567890`},
		{` { "b" : 1 , "a" : [ ] , "c":{} } `, `{"a":[],"b":1,"c":{}}`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{`"é\u00e9\/\b\f\n\r\t\"\\\u0000` + "\x7f" + `"`, `"\u00e9\u00e9/\b\f\n\r\t\"\\\u0000\u007f"`},
		{`"\ud83d\ude00😀"`, `"\ud83d\ude00\ud83d\ude00"`},
		{`"\ud83d \ude00\ud83dx"`, `"\ud83d \ude00\ud83dx"`},
		{`{"\ud800":1,"\uffff":2,"😀":3}`, `{"\ud800":1,"\uffff":2,"\ud83d\ude00":3}`},
		{`[null,[true,[false]]]`, `[null,[true,[false]]]`},
	} {
		v, err := jsontext.Parse([]byte(tc.in))
		if err != nil {
			t.Errorf("Parse(%s): %v", tc.in, err)
			continue
		}
		if diff := cmp.Diff(tc.want, v.Compact()); diff != "" {
			t.Errorf("Parse(%s) (-want +got):\n%s", tc.in, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{``, ` `, `{`, `[1,]`, `{"a":1,}`, `{a:1}`, `01`, `1.`, `.5`, `+1`, `1e`, `'a'`, `"a`, `"\x"`, `"\u12"`, "\"\n\"", `nul`, `1 2`, "\"\xff\"", "\"\\n\xff\"", "\"\\n\xed\xa0\x80\""} {
		if v, err := jsontext.Parse([]byte(in)); err == nil {
			t.Errorf("Parse(%q) = %s, want an error", in, v.Compact())
		}
	}
	for _, in := range []string{`NaN`, `[Infinity]`, `{"a":-Infinity}`} {
		if _, err := jsontext.Parse([]byte(in)); !errors.Is(err, jsontext.ErrNotFinite) {
			t.Errorf("Parse(%s): %v, want ErrNotFinite", in, err)
		}
	}
	if _, err := jsontext.Parse([]byte(strings.Repeat("[", 100000))); !errors.Is(err, jsontext.ErrTooDeep) {
		t.Errorf("deep nesting: %v, want ErrTooDeep", err)
	}
}

func TestPythonRepr(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{`null`, `None`}, {`true`, `True`}, {`false`, `False`}, {`-0`, `0`},
		{`1.0`, `1.0`}, {`1e16`, `1e+16`}, {`1e15`, `1000000000000000.0`}, {`0.0001`, `0.0001`}, {`0.00001`, `1e-05`}, {`1e400`, `inf`}, {`-1e400`, `-inf`}, {`-0.0`, `-0.0`},
		{`"a"`, `'a'`}, {`"it's"`, `"it's"`}, {`"'\""`, `'\'"'`}, {`"\n\u0001é\u2028"`, `'\n\x01é\u2028'`},
		{`{"b":[1,{}],"a":null}`, `{'b': [1, {}], 'a': None}`},
	} {
		v, err := jsontext.Parse([]byte(tc.in))
		if err != nil {
			t.Fatal(err)
		}
		if got := v.PythonRepr(); got != tc.want {
			t.Errorf("PythonRepr(%s) = %s, want %s", tc.in, got, tc.want)
		}
	}
}

// FuzzRoundTrip checks Parse against the standard library: the same texts are
// JSON, canonical text is a fixed point, and indenting only adds white space.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}],"c":{}}`, `"\ud800"`, `1e5`, `[[],{}]`, `{"é":"\\\""}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := jsontext.Parse(in)
		if err != nil {
			return
		}
		text := v.Compact()
		if !json.Valid([]byte(text)) {
			t.Fatalf("Compact(%q) = %q is not JSON", in, text)
		}
		again, err := jsontext.Parse([]byte(text))
		if err != nil || again.Compact() != text {
			t.Fatalf("canonical %q does not come back: %v", text, err)
		}
		indented := jsontext.AppendIndented(nil, text, 1)
		again, err = jsontext.Parse(indented)
		if err != nil || again.Compact() != text {
			t.Fatalf("indented %q does not come back: %v", indented, err)
		}
	})
}
