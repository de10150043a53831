package ansible

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// num returns a number with this very text.
func num(text string) json.Number { return json.Number(text) }

type (
	obj  = map[string]any
	list = []any
)

// hardValues are values that any type has trouble with.
var hardValues = []any{
	nil, true, false, "", " ", "a", "A B", "a,b", ",", "a, b ,c", ",a,", "é€😀", "tab\there", "quote'", `double"`, `both'"`, `back\slash`, "line\nbreak", "\x7f\u0080\u00a0\u200b\u2028",
	"yes", "Yes", "YES", "no", "on", "off", "On", "oFF", "true", "True", "TRUE", "false", "y", "n", "t", "f", "T", "0", "1", " yes ", "\tno\n", "2", "-1", "yep", "None", "null",
	num("0"), num("1"), num("-1"), num("2"), num("8080"), num("-0"), num("1.0"), num("0.0"), num("-0.0"), num("8080.0"), num("1.5"), num("1.50"), num("1e3"), num("1E2"), num("1e16"), num("1e15"), num("123456789012345680.0"), num("1e-5"), num("0.0001"), num("1.7976931348623157e308"), num("5e-324"), num("0.1"), num("3.0e0"),
	num("9007199254740993"), num("9223372036854775807"), num("9223372036854775808"), num("-9223372036854775809"), num("123456789012345678901234567890"), num("1e22"), num("1e23"),
	"8080", "+8080", "-8080", " 8080 ", "8080.0", "8080.5", "8_080", "_8080", "8__080", "8080_", "8e3", "8E3", "80e-1", "85e-1", "1e400", "0x1f", "0o17", "0b1", "017", "00", "1.", ".5", ".", "-", "+", "e", "1e", "1e+", "1e+2", "1_0.0_1", "1e1_0",
	"nan", "NaN", "inf", "-inf", "Infinity", "-Infinity", "+inf", "1,000", "1 000", "12345678901234567890123456789", "0.1e1", "-0", "-0.0", "+0",
	list{}, list{"a"}, list{"a", "b"}, list{num("1"), num("2")}, list{true, false}, list{nil}, list{""}, list{list{"a"}, list{"b"}}, list{obj{"a": num("1")}}, list{"1", "x", "2"}, list{num("1.5"), "2.5"}, list{obj{}}, list{"a=1", "b=2"},
	obj{}, obj{"a": num("1")}, obj{"a": "x'y"}, obj{"a": list{num("1"), nil, true, num("1.0"), "é\n"}}, obj{"a": obj{"b": obj{"c": "d"}}}, obj{"a b": nil},
	"a=1", "a=1,b=2", "a=1 b=2", "a=1, b=2", "a=", "=a", "=", "a==b", "a=1,b", "a=1,,b=2", "a='1 2',b=3", `a="x,y" b='p q'`, `a=x\,y`, `a=x\ y`, `a='it\'s'`, "a='open", `a=1\`, " a=1 ", "a=1\tb=2", "a=1\nb=2", "é=ü", "a=b=c,d=e=f", `a=x"y"z`, "a=1,a=2",
	"{}", `{"a": 1}`, `{"a": 1.50, "b": null, "c": [true, false]}`, `{"a": 123456789012345678901234567890}`, `{"a": "é\u00e9\n"}`, `{"a": 1, "a": 2}`, `{"a": 1} `, ` {"a": 1}`, `{"a": 1`, `{"a": 1}}`, "{", "{}x", `{"a": 1e400}`, `{"a": NaN}`,
	"{'a': 1}", "{'a': 'it''s', \"b\": \"x\"}", "{'a': True, 'b': None, 'c': False}", "{'a': [1, 2.5, -3, +4], 'b': (1, 2), 'c': (1,), 'd': (1), 'e': ()}", "{1: 2, 1.5: 3, True: 4, None: 5}", `{'a': '\x41\u00e9\n\t\\ \' \101 \q'}`, "{'a': r'\\n', 'b': u'x'}", "{'a': '''x\ny''', 'b': \"\"\"z\"\"\"}", "{'a': 'b' 'c'}",
	"{'a': 1,}", "{'a' : 1 , 'b' :2 }", "{'a': 0x1F, 'b': 0o17, 'c': 0b101, 'd': 1_000, 'e': 1e3, 'f': .5, 'g': 5.}", "{'a': 017}", "{'a': 00}", "{'a': x}", "{'a': f()}", "{'a': 1 + 2}", "{'a': --1}", "{'a': -'x'}", "{'a'}", "{'a': b'x'}", "{'a': 1j}", "{'a', 'b'}", "{'a': {1, 2}}", "{'a': 1} # note", "{'a': 1, # note\n 'b': 2}", "{'a':\n 1}", "{'a': 1}\n", "{a: 1}", "{'a': 1 'b': 2}", "{,}", "{'a': }", "{'a': os.system('x')}", "{'a': 'os.system(1)'}", "{'a': [1, 2}", "{'a': []}", "{'a': {}}", "{['a']: 1}", "{'a': 1}{'b': 2}", "{'unclosed: 1}", "{'a': 'x\ny'}", "{True: 1, 'true': 2}", "{'a': 'é\\xe9', 'ü': 1}", "{'a': -0, 'b': -0.0, 'c': 1e22}",
	"~", "~/x", "~/", "~nosuchuser/x", "~root/x", "~root", "x~", "/~", "$HOME", "$HOME/x", "${HOME}x", "$NOSUCH/x", "${NOSUCH}", "$", "$$", "a$", "${", "${}", "$HOME$HOME", "${A B}", "$é", "$1", "~/$VAR", "$TILDE/x", "/a/../b//c", ".",
	"10", "10B", "10b", "10K", "10k", "10KB", "10Kb", "10kb", "10 KB", "10  M", "1.5M", "1.5 GB", ".5K", "5.K", "10MB", "10Mb", "10mb", "10megabyte", "10 Megabyte", "10megabytes", "10MEGABIT", "10megabit", "1T", "1P", "1E", "1Z", "1Y", "1YB", "10X", "10Mfoo", "M", "10M ", " 10M", "10byte", "10bit", "10bits", "-10M", "1e3", "10M 10", "0.5", "1.5", "2.5", "0.5B", "1,5M", "10KiB", "10Bb",
	` {"a": [1, 2]} `, `[1, 2]`,
}

// parityEnv is the environment of every generated case.
var parityEnv = map[string]string{"VAR": "value", "TILDE": "~", "A B": "spaced"}

func parityCases() []parityCase {
	var cases []parityCase
	add := func(name string, spec Spec, args obj, env map[string]string) {
		spec.Name = "mod"
		if env == nil {
			env = parityEnv
		}
		cases = append(cases, parityCase{name: name, spec: &spec, args: args, env: env})
	}
	one := func(o Option) Spec { o.Name = "x"; return Spec{Options: []Option{o}} }
	types := []Type{Str, Int, Bool, Float, List, Dict, Path, Raw, JSONArg, Bytes, Bits}

	for _, typ := range types {
		for i, v := range hardValues {
			add(fmt.Sprintf("%s %d", typ, i), one(Option{Type: typ}), obj{"x": v}, nil)
			add(fmt.Sprintf("list of %s %d", typ, i), one(Option{Type: List, Elements: typ}), obj{"x": list{v}}, nil)
		}
		add("default "+string(typ), one(Option{Type: typ, Default: defaults[typ]}), obj{}, nil)
		add("no value "+string(typ), one(Option{Type: typ}), obj{}, nil)
		add("required "+string(typ), one(Option{Type: typ, Required: true}), obj{}, nil)
		add("required null "+string(typ), one(Option{Type: typ, Required: true}), obj{"x": nil}, nil)
	}
	for i, v := range hardValues {
		add(fmt.Sprintf("list of str, as is %d", i), one(Option{Type: List, Elements: Str}), obj{"x": v}, nil)
		add(fmt.Sprintf("list of int, as is %d", i), one(Option{Type: List, Elements: Int}), obj{"x": v}, nil)
		add(fmt.Sprintf("required int %d", i), one(Option{Type: Int, Required: true}), obj{"x": v}, nil)
	}

	for _, choices := range [][]any{
		{"present", "absent"}, {"yes", "no"}, {"on", "off", "auto"}, {"yes", "on", "no"}, {"true", "false"}, {"1", "0"}, {"", "a"}, {"None"},
	} {
		for i, v := range []any{"present", "yes", "no", true, false, "True", "False", "auto", "", num("1"), num("0"), "None", nil, "Present", list{"a"}} {
			add(fmt.Sprintf("choices %v %d", choices, i), one(Option{Choices: choices}), obj{"x": v}, nil)
			add(fmt.Sprintf("list choices %v %d", choices, i), one(Option{Type: List, Elements: Str, Choices: choices}), obj{"x": list{v, choices[0]}}, nil)
		}
	}
	for i, v := range []any{"1", num("2"), "2.0", num("3"), true, "x"} {
		add(fmt.Sprintf("int choices %d", i), one(Option{Type: Int, Choices: list{1, 2}}), obj{"x": v}, nil)
		add(fmt.Sprintf("raw choices %d", i), one(Option{Type: Raw, Choices: list{1, 2, "x"}}), obj{"x": v}, nil)
		add(fmt.Sprintf("float choices %d", i), one(Option{Type: Float, Choices: list{1, 2.5}}), obj{"x": v}, nil)
	}

	aliased := Spec{Options: []Option{{Name: "name", Aliases: []string{"hostname", "host"}, Env: []string{"NAME1", "NAME2"}}, {Name: "id", Type: Int}}}
	for i, args := range []obj{{"name": "a"}, {"hostname": "b"}, {"name": "a", "hostname": "b"}, {"host": "c", "hostname": "b"}, {}, {"name": nil, "host": "c"}, {"nmae": "x"}, {"hostnme": "x", "id": num("1")}, {"zzz": num("1"), "aaa": num("2")}} {
		add(fmt.Sprintf("aliases %d", i), aliased, args, nil)
		add(fmt.Sprintf("aliases env %d", i), aliased, args, map[string]string{"NAME2": "second"})
		add(fmt.Sprintf("aliases env first %d", i), aliased, args, map[string]string{"NAME2": "second", "NAME1": "first"})
		add(fmt.Sprintf("aliases empty env %d", i), aliased, args, map[string]string{"NAME1": "", "NAME2": "second"})
	}
	for _, typ := range types {
		for _, value := range []string{"1", "x", "a=1", ""} {
			add("env "+string(typ), one(Option{Type: typ, Env: []string{"X_ENV"}, Default: defaults[typ]}), obj{}, map[string]string{"X_ENV": value})
		}
	}

	ruled := Spec{
		Options: []Option{{Name: "a"}, {Name: "b"}, {Name: "c", Type: Bool}, {Name: "d", Type: Int}, {Name: "state", Default: "present", Choices: list{"present", "absent"}}},
		Rules: Rules{
			MutuallyExclusive: [][]string{{"a", "b"}, {"c", "d"}},
			RequiredTogether:  [][]string{{"b", "d"}},
			RequiredOneOf:     [][]string{{"a", "b", "c"}},
			RequiredIf:        []RequiredIf{{Option: "state", Value: "absent", Requires: []string{"a", "d"}}, {Option: "c", Value: true, Requires: []string{"a", "b"}, Any: true}, {Option: "d", Value: 5, Requires: []string{"a"}}},
			RequiredBy:        map[string][]string{"d": {"a"}},
		},
	}
	values := obj{"a": "1", "b": "2", "c": true, "d": num("5"), "state": "absent"}
	names := []string{"a", "b", "c", "d", "state"}
	for mask := range 1 << len(names) {
		args := obj{}
		for i, n := range names {
			if mask>>i&1 == 1 {
				args[n] = values[n]
			}
		}
		add(fmt.Sprintf("rules %b", mask), ruled, args, nil)
		add(fmt.Sprintf("nested rules %b", mask), Spec{Options: []Option{{Name: "outer", Type: Dict, Options: []Option{{Name: "inner", Type: List, Elements: Dict, Options: ruled.Options, Rules: ruled.Rules}}}}},
			obj{"outer": obj{"inner": list{args}}}, nil)
	}

	nested := Spec{Options: []Option{
		{Name: "one", Type: Dict, Options: []Option{
			{Name: "name", Required: true, Aliases: []string{"n"}},
			{Name: "port", Type: Int, Default: 80},
			{Name: "kind", Choices: list{"x", "y"}},
			{Name: "deep", Type: Dict, ApplyDefaults: true, Options: []Option{{Name: "flag", Type: Bool, Default: true}, {Name: "size", Type: Bytes}}},
			{Name: "env", Env: []string{"NESTED"}},
		}},
		{Name: "many", Type: List, Elements: Dict, Options: []Option{{Name: "id", Type: Int, Required: true}, {Name: "tags", Type: List, Elements: Str}}},
		{Name: "plain", Type: Dict},
	}}
	for i, args := range []obj{
		{}, {"one": obj{"name": "a"}}, {"one": obj{}}, {"one": obj{"n": "a"}}, {"one": obj{"n": "a", "name": "b"}}, {"one": obj{"name": "a", "port": "x"}}, {"one": obj{"name": "a", "kind": "z"}},
		{"one": obj{"name": "a", "deep": obj{"flag": "no", "size": "1K"}}}, {"one": obj{"name": "a", "deep": obj{"flag": "nope"}}}, {"one": obj{"name": "a", "deep": obj{"x": num("1")}}}, {"one": "name=a,port=81"}, {"one": `{"name": "a"}`}, {"one": "{'name': 'a', 'deep': {'flag': 'off'}}"},
		{"one": "x"}, {"one": num("5")}, {"one": list{"a"}}, {"one": "port=x"}, {"one": nil},
		{"many": list{obj{"id": "1"}, obj{"id": num("2"), "tags": "a,b"}}}, {"many": list{obj{"id": "1"}, obj{}}}, {"many": list{obj{"id": "x"}, obj{"id": "y"}}}, {"many": list{"id=3"}}, {"many": obj{"id": num("1")}}, {"many": "id=4"}, {"many": list{}}, {"many": list{num("1")}}, {"many": list{nil}}, {"many": list{obj{"id": num("1"), "idd": num("2")}}}, {"many": list{obj{"id": num("1"), "x": num("1")}, obj{"id": num("1"), "y": num("1")}}},
		{"one": obj{"name": "a", "extra": num("1")}}, {"plain": obj{"any": obj{"thing": list{nil}}}}, {"plain": "a=1"}, {"one": obj{"name": true, "port": num("81.0")}}, {"many": list{obj{"id": num("1"), "tags": list{num("1"), true}}}},
	} {
		add(fmt.Sprintf("nested %d", i), nested, args, nil)
		add(fmt.Sprintf("nested env %d", i), nested, args, map[string]string{"NESTED": "from env"})
	}

	cases = append(cases, randomCases(300)...)
	return cases
}

// defaults are values that each type can have for default.
var defaults = map[Type]any{
	Str: "d", Int: 7, Bool: true, Float: 1.5, List: list{"a"}, Dict: obj{"k": "v"}, Path: "~/d", Raw: "r", JSONArg: "{}", Bytes: 10, Bits: "1K",
}

// randomCases throws random text at the types that parse it; always the same.
func randomCases(n int) []parityCase {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := strings.Split(`a|b|=|=|,| |'|"|\|1|0|2.5|-|_|e|E|.|{|}|[|]|:|: |, |None|True|K|Mb|B|~|$HOME|/|é|#|(|)`, "|")
	var cases []parityCase
	for i := range n {
		var b strings.Builder
		for range 1 + r.IntN(9) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		for _, typ := range []Type{Dict, Int, Float, Path, Bytes, Bits} {
			text := b.String()
			if typ == Dict && r.IntN(2) == 0 {
				text = "{'" + text + "}"
			}
			cases = append(cases, parityCase{
				name: fmt.Sprintf("random %s %d", typ, i),
				spec: &Spec{Name: "mod", Options: []Option{{Name: "x", Type: typ}}},
				args: obj{"x": text},
				env:  parityEnv,
			})
		}
	}
	return cases
}
