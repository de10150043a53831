package value_test

import (
	"encoding/json"
	"testing"

	"github.com/craton-fleet/craton/internal/value"
)

func TestEqualJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`1`, `1.0`, true}, {`10`, `1e1`, true}, {`-0`, `0.00`, true}, {`0.1`, `1E-1`, true}, {`100`, `1.00e+2`, true},
		{`9007199254740993`, `9007199254740992`, false}, {`1e999999999999999999999`, `10e999999999999999999998`, true},
		{`1e400`, `1e401`, false}, {`1`, `"1"`, false}, {`1`, `true`, false}, {`-1`, `1`, false}, {`null`, `0`, false}, {`null`, `null`, true},
		{`{"a": 1, "b": [2]}`, `{"b":[2.0],"a":1}`, true}, {`{"a":null}`, `{}`, false}, {`{"a":null}`, `{"b":null}`, false},
		{`[1,2]`, `[2,1]`, false}, {`[1]`, `[1,1]`, false}, {`"\u2603"`, `"☃"`, true}, {`"\ud83d\ude00"`, `"😀"`, true}, {`0.05`, `0.5`, false},
		{`"a"`, `"b"`, false}, {`"a"`, `"\u0061"`, true}, {`"a"`, ` "a" `, true}, {`"a\/b"`, `"a/b"`, true}, {`"a`, `"b"`, false}, {`"a" `, `"a"`, true},
		{`12`, `13`, false}, {`0`, `-0`, true}, {`12`, ` 12`, true}, {`-12`, `-1.2e1`, true}, {`-`, `1`, false}, {`01`, `1`, false},
		{`{}`, `[]`, false}, {`true`, `null`, false}, {`true`, `tru`, false}, {``, `1`, false},
	} {
		if got := value.EqualJSON(json.RawMessage(tt.a), json.RawMessage(tt.b)); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
	}
}

func TestEqualAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b    string
		address bool
		prefix  bool
	}{
		{"10.0.0.1", "10.0.0.1", true, true}, {"2001:DB8:0::1", "2001:db8::1", true, false}, {"10.0.0.1", "10.0.0.2", false, false}, {"web", "web", true, true},
		{"web", "Web", false, false}, {"10.0.0.0/8", "10.0.0.0/08", false, false}, {"2001:DB8::/32", "2001:db8:0::/32", false, true}, {"2001:db8::/32", "2001:db8::/33", false, false},
		{"", "", true, true}, {"", "::", false, false},
	} {
		if got := value.EqualAddress(tt.a, tt.b); got != tt.address {
			t.Errorf("addresses %s and %s: %v", tt.a, tt.b, got)
		}
		if got := value.EqualPrefix(tt.a, tt.b); got != tt.prefix {
			t.Errorf("prefixes %s and %s: %v", tt.a, tt.b, got)
		}
	}
	for text, want := range map[string]string{"2001:DB8:0::1": "2001:db8::1", "10.20.0.11": "10.20.0.11", "fe80::1%eth0": "", "10.0.0.0/8": "", "web": "", "": "", "010.0.0.1": ""} {
		if got, ok := value.ParseAddress(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}
