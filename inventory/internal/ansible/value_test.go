package ansible_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
	"github.com/craton-fleet/craton/inventory/internal/jsonscan"
)

func TestAppendValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, untrusted, trusted string }{
		{`1`, `1`, `1`},
		{`null`, `null`, `null`},
		{`"a { b } { % #}"`, `"a { b } { % #}"`, `"a { b } { % #}"`},
		{`"{{ x }}"`, `{"__ansible_unsafe":"{{ x }}"}`, `"{{ x }}"`},
		{`"a{%b"`, `{"__ansible_unsafe":"a{%b"}`, `"a{%b"`},
		{`"{"`, `"{"`, `"{"`},
		{`"{a{#"`, `{"__ansible_unsafe":"{a{#"}`, `"{a{#"`},
		{`"\u007b\u007B x }}"`, `{"__ansible_unsafe":"\u007b\u007B x }}"}`, `"\u007b\u007B x }}"`},
		// Other delimiters, chosen in the first line: ansible-core 2.19 and later execute it.
		{`"#jinja2:variable_start_string:'[['\n[[ x ]]"`, `{"__ansible_unsafe":"#jinja2:variable_start_string:'[['\n[[ x ]]"}`, `"#jinja2:variable_start_string:'[['\n[[ x ]]"`},
		{`"\u0023jinja2:x\n"`, `{"__ansible_unsafe":"\u0023jinja2:x\n"}`, `"\u0023jinja2:x\n"`},
		{`"see #jinja2:"`, `"see #jinja2:"`, `"see #jinja2:"`},
		{`{"k":"{{ x }}","{{ key }}":["{{ y }}",1]}`, `{"k":{"__ansible_unsafe":"{{ x }}"},"{{ key }}":[{"__ansible_unsafe":"{{ y }}"},1]}`, `{"k":"{{ x }}","{{ key }}":["{{ y }}",1]}`},
		{`{"a":"\"{{"}`, `{"a":{"__ansible_unsafe":"\"{{"}}`, `{"a":"\"{{"}`},
		// Marks of Ansible's own.
		{`{"__ansible_unsafe":"{{ x }}"}`, `{"__ansible_unsafe":"{{ x }}"}`, `{"__ansible_unsafe":"{{ x }}"}`},
		{`{"__ansible_unsafe":1}`, `{"__ansible_unsafe":"{\"__ansible_unsafe\":1}"}`, `{"__ansible_unsafe":"{\"__ansible_unsafe\":1}"}`},
		{`{"__ansible_unsafe":"x","a":1}`, `{"__ansible_unsafe":"{\"__ansible_unsafe\":\"x\",\"a\":1}"}`, `{"__ansible_unsafe":"{\"__ansible_unsafe\":\"x\",\"a\":1}"}`},
		{`[{"__ansible_vault":"$ANSIBLE_VAULT;1.1;AES256\n12"}]`, `[{"__ansible_unsafe":"{\"__ansible_vault\":\"$ANSIBLE_VAULT;1.1;AES256\\n12\"}"}]`, `[{"__ansible_vault":"$ANSIBLE_VAULT;1.1;AES256\n12"}]`},
		{`{"a":{"\u005f_ansible_vault":"x"}}`, `{"a":{"__ansible_unsafe":"{\"\\u005f_ansible_vault\":\"x\"}"}}`, `{"a":{"\u005f_ansible_vault":"x"}}`},
		{`{"__ansible_type":"TrustedAsTemplate"}`, `{"__ansible_unsafe":"{\"__ansible_type\":\"TrustedAsTemplate\"}"}`, `{"__ansible_unsafe":"{\"__ansible_type\":\"TrustedAsTemplate\"}"}`},
		{`{"a":"__ansible_vault","b":"{{ x }}"}`, `{"a":"__ansible_vault","b":{"__ansible_unsafe":"{{ x }}"}}`, `{"a":"__ansible_vault","b":"{{ x }}"}`},
	} {
		if got := string(ansible.AppendValue(nil, c.value, false)); got != c.untrusted {
			t.Errorf("%s:\n got %s\nwant %s", c.value, got, c.untrusted)
		}
		if got := string(ansible.AppendValue(nil, c.value, true)); got != c.trusted {
			t.Errorf("trusted %s:\n got %s\nwant %s", c.value, got, c.trusted)
		}
	}
}

// TestNothingForgesTrust: whatever the API holds, Ansible reads it without executing a string of it, without a mark
// that it would refuse, and with the value unchanged but for objects that hold marks, which are text.
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
		clean := string(jsonscan.AppendClean(nil, string(raw)))
		got, err := ansibletest.ReadMarked(ansible.AppendValue(nil, clean, false))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if bad := ansibletest.Trusted(got); bad != nil {
			t.Fatalf("%s: Ansible would execute %q", raw, bad)
		}
		if diff := cmp.Diff(withTextOfMarks(t, []byte(clean)), ansibletest.Plain(got)); diff != "" {
			t.Fatalf("%s changed:\n%s", raw, diff)
		}
	})
}

// escapeAll writes the characters that matter with escapes.
func escapeAll(s string) string {
	return strings.NewReplacer("{{", `\u007b\u007B`, "{%", `\u007b%`, "#j", `\u0023j`, "__ansible", `\u005f_ansible`).Replace(s)
}

// withTextOfMarks is the value that Ansible's users should see.
func withTextOfMarks(t *rapid.T, raw []byte) any {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	switch v := v.(type) {
	case map[string]any:
		var members map[string]json.RawMessage
		_ = json.Unmarshal(raw, &members)
		if s, ok := v[ansible.MarkUnsafe].(string); ok && len(v) == 1 {
			return s
		}
		for k := range v {
			if ansible.IsMark(k) {
				return string(raw)
			}
		}
		for k, m := range members {
			v[k] = withTextOfMarks(t, m)
		}
	case []any:
		var elements []json.RawMessage
		_ = json.Unmarshal(raw, &elements)
		for i, e := range elements {
			v[i] = withTextOfMarks(t, e)
		}
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
		if err := json.Unmarshal(ansible.AppendQuoted(nil, s), &got); err != nil || got != want {
			t.Fatalf("%q became %q (%v)", s, got, err)
		}
	})
}
