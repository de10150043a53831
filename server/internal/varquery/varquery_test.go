package varquery_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/internal/varquery"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		expr, value string
		want        bool
	}{
		// Types must match (contract §5.5, 5).
		{`k:1`, `1`, true}, {`k:1`, `"1"`, false}, {`k:"1"`, `1`, false}, {`k:true`, `1`, false}, {`k:1`, `true`, false},
		{`k:1`, `1.0`, true}, {`k:1.50`, `15e-1`, true}, {`k:0`, `-0.0`, true}, {`k:-1`, `1`, false}, {`k:100`, `1e2`, true}, {`k:10`, `1`, false},
		{`k:9007199254740993`, `9007199254740993`, true}, {`k:9007199254740993`, `9007199254740992`, false},
		{`k:1e400`, `1e400`, true}, {`k:1e401`, `10e400`, true}, {`k:1e99999999999999999999`, `1`, false},
		{`k:"a"`, `"a"`, true}, {`k:"a"`, `"A"`, false}, {`k:"é"`, `"\u00e9"`, true}, {`k:""`, `""`, true},
		{`k:null`, `null`, true}, {`k:null`, `0`, false}, {`k:false`, `false`, true}, {`k:false`, `null`, false},
		{`k:"a:b"`, `"a:b"`, true},
		// Arrays and objects match if they contain the value.
		{`k:1`, `[1,2]`, true}, {`k:3`, `[1,2]`, false}, {`k:1`, `[[1],2]`, true}, {`k:[1]`, `[1,2]`, true}, {`k:[1]`, `1`, false}, {`k:[]`, `[]`, true}, {`k:[]`, `[1]`, true}, {`k:[[1]]`, `[[1,2]]`, true}, {`k:[[1]]`, `[1]`, false},
		{`k:{"a":1}`, `{"a":1,"b":2}`, true}, {`k:{"a":2}`, `{"a":1}`, false}, {`k:{}`, `{"a":1}`, true}, {`k:{}`, `1`, false}, {`k:{"a":1}`, `[{"a":1}]`, true}, {`k:[1]`, `{"a":1}`, false}, {`k:1`, `{"a":1}`, false},
		// Paths (contract §5.5, 4).
		{`k.bar:1`, `{"bar":1}`, true}, {`k.bar:1`, `{"baz":1}`, false}, {`k.bar:1`, `[{"bar":1}]`, false},
		{`k[1]:2`, `[1,2]`, true}, {`k[5]:1`, `[1]`, false}, {`k[0]:1`, `1`, true}, {`k[0]:1`, `{"a":1}`, false}, {`k[1]:1`, `1`, false}, {`k[0].a:1`, `{"a":1}`, true},
		{`k[*]:2`, `[1,2]`, true}, {`k[*]:2`, `2`, false}, {`k[*]:[2]`, `[2]`, true}, {`k[*].a:1`, `[{"a":1},{"b":2}]`, true},
		{`k.bar.*.baz:1`, `{"bar":{"x":{"baz":1},"y":{}}}`, true}, {`k.*:1`, `{"a":1}`, true}, {`k.*:1`, `[1]`, false}, {`k.*:[1]`, `{"a":1}`, true},
		{`k.bar[*].k:"v"`, `{"bar":[{"k":"x"},{"k":"v"}]}`, true},
		{`"v3.0".foo."hy-phen":1`, `{"foo":{"hy-phen":1}}`, true},
		{`k . "a b" [ 0 ] : 1`, `{"a b":[1]}`, true}, {`k.[0]:1`, `[1]`, true}, {`k."q\"q":1`, `{"q\"q":1}`, true},
		{`k:1`, `not json`, false},
	} {
		terms, err := varquery.Parse(tc.expr)
		if err != nil || len(terms) != 1 {
			t.Errorf("Parse(%s) = %d terms, %v", tc.expr, len(terms), err)
			continue
		}
		if got := terms[0].Match(tc.value); got != tc.want {
			t.Errorf("%s on %s: %v, want %v", tc.expr, tc.value, got, tc.want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]error{
		`[*]foo:1`: varquery.ErrPath, `[*]x:1`: varquery.ErrPath, `foo[1:2]:1`: varquery.ErrPath, `a|b:1`: varquery.ErrPath,
		`a..b:1`: varquery.ErrPath, `hy-phen:1`: varquery.ErrPath, `v3.0.x:1`: varquery.ErrPath, `$.foo:1`: varquery.ErrPath, `$:1`: varquery.ErrPath,
		`:1`: varquery.ErrPath, `*:1`: varquery.ErrPath, `a.:1`: varquery.ErrPath, `a[:1`: varquery.ErrPath, `a[-1]:1`: varquery.ErrPath, `a["b"]:1`: varquery.ErrPath,
		`'a':1`: varquery.ErrPath, `"a:1`: varquery.ErrPath, `a b:1`: varquery.ErrPath, `é:1`: varquery.ErrPath, `a.b@:1`: varquery.ErrPath, `where:1`: varquery.ErrPath,
		`a[99999999999999999999]:1`: varquery.ErrPath,
		`k:abc`:                     varquery.ErrValue, `k:`: varquery.ErrValue, `k:'a'`: varquery.ErrValue, `k:NaN`: varquery.ErrValue, `k:01`: varquery.ErrValue,
	} {
		if _, err := varquery.Parse(expr); !errors.Is(err, want) {
			t.Errorf("Parse(%s): %v, want %v", expr, err, want)
		}
	}
	for _, expr := range []string{``, `a`, `a:1,`, `,a:1`} {
		if _, err := varquery.Parse(expr); err == nil || !strings.Contains(err.Error(), "no colon") {
			t.Errorf("Parse(%q): %v, want the missing colon named", expr, err)
		}
	}
	terms, err := varquery.Parse(`a:1,b.c:2,a:3,@x_9:null`)
	if err != nil || len(terms) != 3 || !terms[0].Match(`3`) || terms[0].Match(`1`) || terms[1].Key != "b" || terms[2].Key != "@x_9" {
		t.Errorf("terms %+v, %v: want three, the last a:3 winning", terms, err)
	}
}

// FuzzParse checks that the parser does not panic, and that a parsed value matches itself if the path is only a key.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`a:1`, `"v3.0".foo."hy-phen":{"a":[1]}`, `a[0].*[*]:"x",b:null`, `"\"":-1e-5`, `a:1,`, `[*]x:1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		terms, err := varquery.Parse(expr)
		if err != nil {
			return
		}
		if len(terms) == 0 {
			t.Fatalf("Parse(%q): neither a term nor an error", expr)
		}
		for _, term := range terms {
			term.Match(`{"a":[1,{"b":null}]}`)
		}
		path, value, _ := strings.Cut(expr, ":")
		v, err := jsontext.Parse([]byte(value))
		if len(terms) == 1 && err == nil && path == terms[0].Key && !terms[0].Match(v.Compact()) {
			t.Fatalf("%q does not match its own value %s", expr, v.Compact())
		}
	})
}
