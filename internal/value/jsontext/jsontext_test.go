package jsontext_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/value/jsontext"
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

// TestCostOfBodies checks that text which will be refused costs next to
// nothing, and the costliest that will not a bounded amount.
func TestCostOfBodies(t *testing.T) {
	repeat := func(item string) []byte {
		return []byte("[" + strings.Repeat(item+",", (1<<20)/(len(item)+1)) + "0]")
	}
	const most = 32 << 20
	for name, tc := range map[string]struct {
		body []byte
		most uint64 // bytes allocated
		err  error
	}{
		"numbers":       {repeat("1"), 2 << 20, jsontext.ErrTooMany},
		"arrays":        {repeat("[]"), 2 << 20, jsontext.ErrTooMany},
		"objects":       {repeat(`{"":0}`), 2 << 20, jsontext.ErrTooMany},
		"syntax at end": {append(repeat("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]")[:1<<18], "]]]"...), 1 << 20, nil},
		"one string":    {[]byte(`"` + strings.Repeat(`\u0001`, 1<<18) + `"]`), 4 << 20, nil},
		"deep":          {bytes.Repeat([]byte("["), 1<<20), 1 << 20, jsontext.ErrTooDeep},
		"many objects":  {append(repeat(`{"":0}`)[:1+7*28_000], `0]`...), most, nil},
		"many members":  {[]byte(`{` + manyMembers(49_000) + `"x":0}`), most, nil},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := jsontext.Parse(tc.body)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > tc.most {
			t.Errorf("%s: %d bytes of JSON took %d bytes of memory, want at most %d", name, len(tc.body), got, tc.most)
		}
		if tc.err != nil && !errors.Is(err, tc.err) || tc.most < most && err == nil {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
		if tc.most == most && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d":0,`, i)
	}
	return b.String()
}

// TestObjects checks that the last value of a repeated key wins in small and large objects, where the first stood.
func TestObjects(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 15, 16, 17, 40} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":%d,`, i, i)
		}
		for i := range n {
			fmt.Fprintf(&b, `"k%d":%d,`, i, i+1000)
		}
		v, err := jsontext.Parse([]byte("{" + strings.TrimSuffix(b.String(), ",") + "}"))
		if err != nil || len(v.Members) != n {
			t.Fatalf("%d members: %d, %v", n, len(v.Members), err)
		}
		for i, m := range v.Members {
			if m.Key != fmt.Sprint("k", i) || m.Value.Text != fmt.Sprint(i+1000) {
				t.Errorf("member %d of %d: %s %s", i, n, m.Key, m.Value.Text)
			}
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
		indented := jsontext.AppendIndented(nil, text, 1, 0, nil)
		again, err = jsontext.Parse(indented)
		if n := jsontext.IndentedLen(text, 1); n != len(indented) {
			t.Fatalf("IndentedLen(%q) = %d, want %d", text, n, len(indented))
		}
		if err != nil || again.Compact() != text {
			t.Fatalf("indented %q does not come back: %v", indented, err)
		}
	})
}

// TestAppendUTF8Words: each byte at each place of a word is written as encoding/json writes it.
func TestAppendUTF8Words(t *testing.T) {
	t.Parallel()
	for c := range 0x80 {
		for at := range 17 {
			for _, around := range []string{"a", "~", " ", "\x1f", "!", "#", "[", "]", "\x7f"} {
				s := strings.Repeat(around, at) + string(rune(c)) + strings.Repeat(around, 16-at)
				var got string
				text := jsontext.AppendUTF8(nil, s)
				if err := json.Unmarshal(text, &got); err != nil || got != s {
					t.Fatalf("%q is written as %s: %v", s, text, err)
				}
			}
		}
	}
}
