package ansible

import (
	"encoding/json"
	"fmt"
	"testing"
)

// TestCoerce is a short table for where there is no ansible-core; TestAgainstAnsibleModule has the long one.
func TestCoerce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind Type
		in   string // JSON
		want string // JSON, or "" if refused
	}{
		{Str, `8080`, `"8080"`},
		{Str, `true`, `"True"`},
		{Str, `1.50`, `"1.5"`},
		{Str, `1e16`, `"1e+16"`},
		{Str, `{"b": [1, null, "it's"], "a": 1.0}`, `"{'b': [1, None, \"it's\"], 'a': 1.0}"`},
		{Int, `"8080"`, `8080`},
		{Int, `8080.0`, `8080`},
		{Int, `" 8e3 "`, `8000`},
		{Int, `123456789012345678901234567890`, `123456789012345678901234567890`},
		{Int, `"1.5"`, ``},
		{Int, `"1e99999999999"`, ``},
		{Int, `"0x1f"`, ``},
		{Bool, `" YES "`, `true`},
		{Bool, `0.0`, `false`},
		{Bool, `2`, ``},
		{Bool, `[]`, ``},
		{Float, `"1_0.5"`, `10.5`},
		{Float, `3`, `3.0`},
		{Float, `"nan"`, ``},
		{Float, `"0x1p4"`, ``},
		{List, `"a, b,"`, `["a"," b",""]`},
		{List, `1.0`, `["1.0"]`},
		{List, `{}`, ``},
		{Dict, `"{\"z\": 1.50, \"a\": 12345678901234567890}"`, `{"z":1.50,"a":12345678901234567890}`},
		{Dict, `"{'a': (1, True, None, 'x' \"y\"), 2: {}}"`, `{"a":[1,true,null,"xy"],"2":{}}`},
		{Dict, `"a=1, b='x y',c=\\,"`, `{"a":"1","b":"x y","c":","}`},
		{Dict, `"a=1,b"`, ``},
		{Dict, `"a"`, ``},
		{Path, `"~/${X}/$Y"`, `"/home/me/x/$Y"`},
		{Raw, `{"b": 1.50, "a": null}`, `{"b":1.50,"a":null}`},
		{JSONArg, `{"é": [1.50, true]}`, `"{\"\\u00e9\": [1.5, true]}"`},
		{JSONArg, `1`, ``},
		{Bytes, `"1.5 KB"`, `1536`},
		{Bytes, `"1Kb"`, ``},
		{Bits, `"1Kb"`, `1024`},
		{Bytes, `"1YB"`, `1208925819614629174706176`},
	} {
		env := map[string]string{"HOME": "/home/me/", "X": "x"}
		task, err := NewTask(&Spec{Name: "demo", Options: []Option{{Name: "v", Type: c.kind}}}, map[string]any{"v": json.RawMessage(c.in)},
			func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		got := ""
		if err == nil {
			got = string(task.Params.JSON("v"))
		}
		if got != c.want {
			t.Errorf("%s of %s is %s, not %s (%v)", c.kind, c.in, got, c.want, err)
		}
	}
}

// BenchmarkRun is the time of a whole task but for starting the process.
func BenchmarkRun(b *testing.B) {
	spec := &Spec{Name: "demo", Options: []Option{{Name: "token", NoLog: true}, {Name: "v", Type: Dict}}}
	for i := range 30 {
		spec.Options = append(spec.Options, Option{Name: fmt.Sprintf("o%d", i), Type: Int, Default: i})
	}
	args, err := fromGo(map[string]any{"token": "hunter2", "v": map[string]any{"a": 1}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := spec.Check(); err != nil {
			b.Fatal(err)
		}
		d := newDict()
		for _, k := range args.(*dict).keys {
			d.set(k, args.(*dict).values[k])
		}
		task := &Task{Name: "demo", secrets: &secrets{}}
		if err := task.load(spec, d, func(string) (string, bool) { return "", false }); err != nil {
			b.Fatal(err)
		}
		o := &outcome{task: task, spec: spec, args: d, result: &Result{Fields: Fields{"v": task.Params}}}
		o.encode()
	}
}
