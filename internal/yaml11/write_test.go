package yaml11

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value"
)

// hostile are texts that mean something to some reader of YAML, or to a screen.
var hostile = []string{
	"", " ", "a ", " a", "\n", "a\n", "a\nb", "a\nb\n", "a\n\nb\n\n", "\na\nb", "  a\nb", "a\n  b", "\ta\nb", "a\n\tb\nc", "a\tb\nc", "a \nb", "a\nb ", "a\n \nb", "# a\n# b\n", "---\n...\n", "a\r\nb", "a\x00b", "a\x07\x1b[31m\nb", "a\u0085b\u2028c\u2029\nd", "\ufeffa",
	"yes", "No", "on", "y", "N", "true", "TRUE", "null", "~", "Null", "nan", ".nan", ".inf", "-.Inf", "0", "1", "-1", "+1", "0644", "0o17", "0x1F", "0b1", "1_000", "1.0", "1.", ".5", "-.5", "1e3", "1E3", "1.5e+3", "12:30", "52:54:00:12:34:56", "10.20.0.11", "1.2.3",
	"2024-01-02", "2024-01-02T10:00:00Z", "2024-01-02 10:00:00", "=", "<<", "a: b", "a:", ":a", "a #b", "#a", "- a", "-a", "-", "? a", "?a", "?", "[a]", "{a}", "{{ x }}", "{% x %}", "{# x #}", "&a", "*a", "!a", "!unsafe x", "!!str 5", "|", ">-", "'a'", `"a"`, `\a`, `a"b'c\d`, "%a", "@a", "`a`", "a,b", "$x", "/a/b", "_a",
	"é", "ünï", "世界", "🚀", "🚀\nx\ny", "\u200b", "a\u202eb", "\u00a0", "\ufffd", "\ufffe", "\U0010ffff", "❤️", "١٢", "a\u00adb", strings.Repeat("x", 3000), strings.Repeat("☃ ", 700), strings.Repeat("\u202e", 300), "--- a", "...", "a\n...\nb\n", "<", ">", "%YAML 1.1", "a\n%b\n",
}

func someJSON() *rapid.Generator[string] {
	text := rapid.OneOf(rapid.SampledFrom(hostile), rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune(" \n\ta#:-'\"\\{}[]|>&*!%@`?,0e+.\u0085\u2028é")), 0, 9, -1))
	quoted := func(s string) string {
		raw, _ := value.Encode(s)
		return string(raw)
	}
	scalar := rapid.Custom(func(t *rapid.T) string {
		return rapid.OneOf(rapid.Map(text, quoted), rapid.SampledFrom([]string{"null", "true", "false", "0", "-0", "-0.0", "12", "9007199254740993", "-123456789012345678901234567890",
			"1e3", "1E-3", "1.5e10", "0.10", "3.14159265358979323846264338327950288", "1e-7", "12e4", "[]", "{}"})).Draw(t, "scalar")
	})
	var nested func(depth int) *rapid.Generator[string]
	nested = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return scalar
		}
		return rapid.Custom(func(t *rapid.T) string {
			switch rapid.IntRange(0, 3).Draw(t, "shape") {
			case 0:
				return "[" + strings.Join(rapid.SliceOfN(nested(depth-1), 0, 3).Draw(t, "items"), ", ") + "]"
			case 1:
				var members []string
				for _, key := range rapid.SliceOfNDistinct(text, 0, 3, rapid.ID).Draw(t, "keys") {
					members = append(members, quoted(key)+" : "+nested(depth-1).Draw(t, "value"))
				}
				return "{" + strings.Join(members, ",") + "}"
			}
			return scalar.Draw(t, "scalar")
		})
	}
	return nested(4)
}

// asJSON returns what the YAML library of Go reads, as JSON, with plain scalars as YAML 1.1 has them.
func asJSON(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Style == 0 && Read(k.Value).Kind != Text {
				return nil, fmt.Errorf("the key %q is none", k.Value)
			}
			if _, twice := m[k.Value]; twice {
				return nil, fmt.Errorf("the key %q comes twice", k.Value)
			}
			v, err := asJSON(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[k.Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			v, err := asJSON(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	if n.Style != 0 {
		return n.Value, nil
	}
	var s Scalar
	if s = Read(n.Value); s.Kind == Text {
		if n.ShortTag() != "!!str" { // YAML 1.2's view
			return nil, fmt.Errorf("%q is %s to YAML 1.2", n.Value, n.ShortTag())
		}
		return n.Value, nil
	}
	return json.RawMessage(s.Text), nil
}

// checkWritten writes a value in each of the places where one can stand, and reads it back.
func checkWritten(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, raw string) {
	t.Helper()
	type doc = map[string]any
	for _, place := range []struct {
		text string
		find func(doc) any
	}{
		{string(Style{}.AppendMember(nil, 0, "k", raw)) + "next: 1\n", func(d doc) any { return d["k"] }},
		{string(Style{}.AppendItem([]byte("k:\n"), 2, raw)) + "  - 1\n", func(d doc) any { return d["k"].([]any)[0] }},
		{"k:\n  - a: 1\n" + string(Style{}.AppendMember(nil, 4, raw, raw)) + "    next: 1\n", func(d doc) any { return d["k"].([]any)[0].(doc)[raw] }},
	} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(place.text), &n); err != nil {
			t.Fatalf("%s\n%v\n%s", raw, err, place.text)
		}
		read, err := asJSON(n.Content[0])
		if err != nil {
			t.Fatalf("%s\n%v\n%s", raw, err, place.text)
		}
		got, err := value.Encode(place.find(read.(doc)))
		if err != nil || !value.EqualJSON(got, []byte(raw)) {
			t.Fatalf("%s\nbecame %s (%v) by\n%s", raw, got, err, place.text)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		raw, _ := value.Encode(s)
		checkWritten(t, string(raw))
		checkWritten(t, fmt.Sprintf(`{%s: [%s, {%s: %s}]}`, raw, raw, raw, raw))
	}
	rapid.Check(t, func(t *rapid.T) { checkWritten(t, someJSON().Draw(t, "value")) })
}

// TestWriteLooks shows how it looks.
func TestWriteLooks(t *testing.T) {
	t.Parallel()
	const raw = `{"name":"web-01","on":"no","port":8080,"ratio":1e3,"address":"10.20.0.11","mac":"52:54:00:12:34:56","empty":{},"none":[],"nothing":null,"script":"#!/bin/sh\necho \"$1\"\n",
		"windows":"C:\\x","hosts":[{"a":1,"b":[[1,2],["x"]]},"{{ x }}","it's",true],"esc":"a\u001bb\u202ec","keep":"a\nb\n\n","strip":"a\nb"}`
	const want = `v:
  name: web-01
  "on": "no"
  port: 8080
  ratio: 1.0e+3
  address: 10.20.0.11
  mac: "52:54:00:12:34:56"
  empty: {}
  none: []
  nothing: null
  script: |
    #!/bin/sh
    echo "$1"
  windows: C:\x
  hosts:
    - a: 1
      b:
        - - 1
          - 2
        - - x
    - "{{ x }}"
    - it's
    - true
  esc: "a\x1bb\u202ec"
  keep: |+
    a
    b

  strip: |-
    a
    b
`
	if got := string(Style{}.AppendMember(nil, 0, "v", raw)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	tagged := Style{Tagged: func(object string) (string, string, bool) {
		return "!unsafe", "{{ x }}", strings.HasPrefix(object, `{"mark"`)
	}}
	if got, want := string(tagged.AppendMember(nil, 0, "v", `{"a":{"mark":1},"b":[{"mark":[]},2]}`)), "v:\n  a: !unsafe \"{{ x }}\"\n  b:\n    - !unsafe \"{{ x }}\"\n    - 2\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzWrite(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, "1.5e3")
	}
	f.Fuzz(func(t *testing.T, text, number string) {
		if !utf8.ValidString(text) {
			t.Skip()
		}
		raw, _ := value.Encode(text)
		checkWritten(t, string(raw))
		if _, ok := new(big.Float).SetString(number); ok && json.Valid([]byte(number)) && value.CheckNumber(number) == nil && len(number) < 300 {
			checkWritten(t, fmt.Sprintf(`[%s,{%s:%s}]`, number, raw, number))
		}
	})
}
