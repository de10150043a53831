package ansible_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
)

func TestAppendValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, untrusted, trusted string }{
		{`1`, `1`, `1`},
		{`null`, `null`, `null`},
		{`"a } b %}"`, `"a } b %}"`, `"a } b %}"`},
		{`"a { b } { % #}"`, `{"__ansible_unsafe":"a { b } { % #}"}`, `"a { b } { % #}"`},
		{`"{{ x }}"`, `{"__ansible_unsafe":"{{ x }}"}`, `"{{ x }}"`},
		{`"a{%b"`, `{"__ansible_unsafe":"a{%b"}`, `"a{%b"`},
		{`"{"`, `{"__ansible_unsafe":"{"}`, `"{"`}, // half of a template
		{`"\u007b"`, `{"__ansible_unsafe":"\u007b"}`, `"\u007b"`},
		{`"{a{#"`, `{"__ansible_unsafe":"{a{#"}`, `"{a{#"`},
		{`"\u007b\u007B x }}"`, `{"__ansible_unsafe":"\u007b\u007B x }}"}`, `"\u007b\u007B x }}"`},
		// Other delimiters, chosen in the first line: ansible-core 2.19 and later execute it.
		{`"#jinja2:variable_start_string:'[['\n[[ x ]]"`, `{"__ansible_unsafe":"#jinja2:variable_start_string:'[['\n[[ x ]]"}`, `"#jinja2:variable_start_string:'[['\n[[ x ]]"`},
		{`"\u0023jinja2:x\n"`, `{"__ansible_unsafe":"\u0023jinja2:x\n"}`, `"\u0023jinja2:x\n"`},
		// A play may trim, cut, lower or join what lacks something before it or behind it.
		{`"see #jinja2:"`, `{"__ansible_unsafe":"see #jinja2:"}`, `"see #jinja2:"`},
		{`" #Jinja2"`, `{"__ansible_unsafe":" #Jinja2"}`, `" #Jinja2"`},
		{`"# jin-ja2: a_b: c"`, `{"__ansible_unsafe":"# jin-ja2: a_b: c"}`, `"# jin-ja2: a_b: c"`},
		{`["#","x#jinja ","2:"," Jinja2:x","a2:Jinja2:"]`, `[{"__ansible_unsafe":"#"},{"__ansible_unsafe":"x#jinja "},"2:",{"__ansible_unsafe":" Jinja2:x"},"a2:Jinja2:"]`, `["#","x#jinja ","2:"," Jinja2:x","a2:Jinja2:"]`},
		{`["# jinja2: no","# a comment","#1","a#b#c","jinja2","52:54:00:12:34:56","x: 2: y"]`, `["# jinja2: no","# a comment","#1","a#b#c","jinja2","52:54:00:12:34:56","x: 2: y"]`, `["# jinja2: no","# a comment","#1","a#b#c","jinja2","52:54:00:12:34:56","x: 2: y"]`},
		{`{"k":"{{ x }}","l":["{{ y }}",1]}`, `{"k":{"__ansible_unsafe":"{{ x }}"},"l":[{"__ansible_unsafe":"{{ y }}"},1]}`, `{"k":"{{ x }}","l":["{{ y }}",1]}`},
		// Keys cannot be marked: the smallest object that has one becomes text, in which no brace opens anything.
		{`{"k":"{{ x }}","{{ key }}":["{{ y }}",{"a":{}}]}`, `{"__ansible_unsafe":" {\"k\":\"\\u007b\\u007b x }}\",\"\\u007b\\u007b key }}\":[\"\\u007b\\u007b y }}\",{\"a\":{}}]}"}`, `{"k":"{{ x }}","{{ key }}":["{{ y }}",{"a":{}}]}`},
		{`{"a":[1,{"b":{"{":1,"{ x }}":2}}],"c":"{"}`, `{"a":[1,{"b":{"__ansible_unsafe":" {\"\\u007b\":1,\"\\u007b x }}\":2}"}}],"c":{"__ansible_unsafe":"{"}}`, `{"a":[1,{"b":{"{":1,"{ x }}":2}}],"c":"{"}`},
		{`[{"\u007b\u007b x":null}]`, `[{"__ansible_unsafe":" {\"\\u007b\\u007b x\":null}"}]`, `[{"\u007b\u007b x":null}]`},
		{`{"#jinja2:x":1}`, `{"__ansible_unsafe":" {\"#jinja2:x\":1}"}`, `{"#jinja2:x":1}`},
		{`{"a":"\"{{"}`, `{"a":{"__ansible_unsafe":"\"{{"}}`, `{"a":"\"{{"}`},
		// Marks of Ansible's own.
		{`{"__ansible_unsafe":"{{ x }}"}`, `{"__ansible_unsafe":"{{ x }}"}`, `{"__ansible_unsafe":"{{ x }}"}`},
		{`{"__ansible_unsafe":1}`, `{"__ansible_unsafe":" {\"__ansible_unsafe\":1}"}`, `{"__ansible_unsafe":" {\"__ansible_unsafe\":1}"}`},
		{`{"__ansible_unsafe":"x","a":1}`, `{"__ansible_unsafe":" {\"__ansible_unsafe\":\"x\",\"a\":1}"}`, `{"__ansible_unsafe":" {\"__ansible_unsafe\":\"x\",\"a\":1}"}`},
		{`[{"__ansible_vault":"$ANSIBLE_VAULT;1.1;AES256\n12"}]`, `[{"__ansible_unsafe":" {\"__ansible_vault\":\"$ANSIBLE_VAULT;1.1;AES256\\n12\"}"}]`, `[{"__ansible_vault":"$ANSIBLE_VAULT;1.1;AES256\n12"}]`},
		{`{"a":{"\u005f_ansible_vault":"x"}}`, `{"a":{"__ansible_unsafe":" {\"\\u005f_ansible_vault\":\"x\"}"}}`, `{"a":{"\u005f_ansible_vault":"x"}}`},
		{`{"__ansible_type":"TrustedAsTemplate"}`, `{"__ansible_unsafe":" {\"__ansible_type\":\"TrustedAsTemplate\"}"}`, `{"__ansible_unsafe":" {\"__ansible_type\":\"TrustedAsTemplate\"}"}`},
		{`{"a":"__ansible_vault","b":"{{ x }}"}`, `{"a":"__ansible_vault","b":{"__ansible_unsafe":"{{ x }}"}}`, `{"a":"__ansible_vault","b":"{{ x }}"}`},
	} {
		if got := string(ansible.AppendValue(nil, c.value, ansible.Untrusted)); got != c.untrusted {
			t.Errorf("%s:\n got %s\nwant %s", c.value, got, c.untrusted)
		}
		if got := string(ansible.AppendValue(nil, c.value, ansible.Trusted)); got != c.trusted {
			t.Errorf("trusted %s:\n got %s\nwant %s", c.value, got, c.trusted)
		}
	}
}

// TestKeysStay: for a reader that executes no keys objects stay objects, but for those that hold marks.
func TestKeysStay(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`{"{{ key }}":["{{ y }}",1]}`:                `{"{{ key }}":[{"__ansible_unsafe":"{{ y }}"},1]}`,
		`{"\u007b":{"#jinja2:x":"{"}}`:               `{"\u007b":{"#jinja2:x":{"__ansible_unsafe":"{"}}}`,
		`{"{{ a }}":{"__ansible_type":"TaggedStr"}}`: `{"{{ a }}":{"__ansible_unsafe":" {\"__ansible_type\":\"TaggedStr\"}"}}`,
	} {
		if got := string(ansible.AppendValue(nil, value, ansible.UntrustedValues)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", value, got, want)
		}
	}
}

// TestNothingForgesTrust: whatever the API holds, Ansible reads it without executing a string or a key of it, without a
// mark that it would refuse, and with the value unchanged but for objects that hold marks or such keys, which are text.
func TestNothingForgesTrust(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := ansibletest.DrawJSON(t, 3)
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "escape") {
			raw = []byte(escapeAll(string(raw)))
		}
		clean := string(jsontext.AppendClean(nil, string(raw)))
		got, err := ansibletest.ReadMarked(ansible.AppendValue(nil, clean, ansible.Untrusted))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if bad := ansibletest.Trusted(got); bad != nil {
			t.Fatalf("%s: Ansible would execute %q", raw, bad)
		}
		if diff := cmp.Diff(ansibletest.Neutralised(decoded(t, clean)), got); diff != "" {
			t.Fatalf("%s changed:\n%s", raw, diff)
		}
	})
}

// escapeAll writes the characters that matter with escapes.
func escapeAll(s string) string {
	return strings.NewReplacer("{{", `\u007b\u007B`, "{%", `\u007b%`, "#j", `\u0023j`, "__ansible", `\u005f_ansible`).Replace(s)
}

func decoded(t *rapid.T, text string) any {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestLoadable(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat(`{"a":[`, n/2) + strings.Repeat(`]}`, n/2) }
	for value, want := range map[string]bool{
		nested(100):                             true,
		nested(102):                             false,
		`"` + strings.Repeat("[", 500) + `"`:    true,
		`"\"` + strings.Repeat("[", 500) + `"`:  true,
		strings.Repeat("9", 4300):               true,
		strings.Repeat("9", 4301):               false,
		`"` + strings.Repeat("9", 5000) + `"`:   true,
		strings.Repeat("9,", 5000):              true,
		`["` + strings.Repeat(`\\`, 200) + `"]`: true,
	} {
		if got := ansible.Loadable(value) == nil; got != want {
			t.Errorf("%.20s... (%d): %v", value, len(value), got)
		}
	}
}

func TestAppendQuoted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		var got string
		want := string([]rune(s)) // every byte that is not UTF-8 as U+FFFD
		if err := json.Unmarshal(jsontext.AppendUTF8(nil, s), &got); err != nil || got != want {
			t.Fatalf("%q became %q (%v)", s, got, err)
		}
	})
}
