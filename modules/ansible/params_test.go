package ansible

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var paramsSpec = &Spec{Name: "demo", Options: []Option{
	{Name: "s", Env: []string{"S"}}, {Name: "i", Type: Int}, {Name: "b", Type: Bool, Default: true}, {Name: "f", Type: Float}, {Name: "l", Type: List, Elements: Str},
	{Name: "d", Type: Dict}, {Name: "p", Type: Path}, {Name: "r", Type: Raw}, {Name: "size", Type: Bytes}, {Name: "addr"},
	{Name: "sub", Type: Dict, Options: []Option{{Name: "x", Type: Int}, {Name: "y", Default: "why"}}},
	{Name: "subs", Type: List, Elements: Dict, Options: []Option{{Name: "x", Type: Int}}},
	{Name: "ints", Type: List, Elements: Int},
}}

func newTask(t *testing.T, args map[string]any) *Task {
	t.Helper()
	task, err := NewTask(paramsSpec, args, func(name string) (string, bool) { return "from env", name == "S" })
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestParams(t *testing.T) {
	t.Parallel()
	p := newTask(t, map[string]any{
		"i": "12", "f": 2, "l": "a,b", "d": json.RawMessage(`{"z": 1.50, "a": 12345678901234567890}`), "p": "/x", "r": []int{1}, "size": "1K",
		"sub": "x=1", "subs": []any{map[string]any{"x": "2"}},
	}).Params
	sub, ok := p.Sub("sub")
	got := []any{
		p.String("s"), p.Int("i"), p.Bool("b"), p.Float("f"), p.Strings("l"), p.List("l"), p.Dict("d"), string(p.JSON("d")), p.String("p"), p.Value("r"), p.Int("size"),
		ok, sub.Int("x"), sub.String("y"), p.Subs("subs")[0].Int("x"), p.Has("addr"), p.Has("b"), p.Source("s"), p.Source("i"), p.Source("b"), p.Source("addr"), sub.Source("y"), p.String("addr"),
		string(p.JSON("addr")), p.Names()[0],
	}
	want := []any{
		"from env", int64(12), true, 2.0, []string{"a", "b"}, []any{"a", "b"}, map[string]any{"z": json.Number("1.50"), "a": json.Number("12345678901234567890")}, `{"z":1.50,"a":12345678901234567890}`, "/x", []any{json.Number("1")}, int64(1024),
		true, int64(1), "why", int64(2), false, true, FromEnv, FromTask, FromDefault, Unset, FromDefault, "", "null", "s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p.Dict("d")["z"] = "changed"
	if string(p.JSON("d")) != `{"z":1.50,"a":12345678901234567890}` {
		t.Error("a caller's copy is not its own")
	}

	for name, use := range map[string]func(Params){
		"no option":   func(p Params) { p.String("nope") },
		"no option 2": func(p Params) { p.Has("nope") },
		"no option 3": func(p Params) { p.Value("nope") },
		"wrong type":  func(p Params) { p.String("i") },
		"wrong list":  func(p Params) { p.Strings("ints") },
		"no options":  func(p Params) { p.Sub("d") },
		"no subs":     func(p Params) { p.Subs("l") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			use(newTask(t, nil).Params)
		}()
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	type inner struct {
		X *int   `arg:"x"`
		Y string `arg:"y"`
	}
	type args struct {
		S    string          `arg:"s"`
		I    int8            `arg:"i"`
		B    *bool           `arg:"b"`
		F    float64         `arg:"f"`
		L    []string        `arg:"l"`
		D    map[string]any  `arg:"d"`
		R    json.RawMessage `arg:"r"`
		Size *big.Int        `arg:"size"`
		Addr netip.Addr      `arg:"addr"`
		Sub  *inner          `arg:"sub"`
		Subs []struct {
			X json.Number `arg:"x"`
		} `arg:"subs"`
		Ints []uint8 `arg:"ints"`
		Free string
	}
	var got args
	err := newTask(t, map[string]any{"i": -128, "l": []string{}, "d": "a=1", "r": nil, "size": "1Y", "addr": "::1", "sub": map[string]any{"x": 3}, "subs": []any{map[string]any{"x": json.Number("99999999999999999999")}}, "ints": "1,255"}).Params.Decode(&got)
	if err != nil {
		t.Fatal(err)
	}
	three, yes := 3, true
	size, _ := new(big.Int).SetString("1208925819614629174706176", 10)
	want := args{S: "from env", I: -128, B: &yes, L: []string{}, D: map[string]any{"a": "1"}, Size: size, Addr: netip.MustParseAddr("::1"), Sub: &inner{X: &three, Y: "why"}, Ints: []uint8{1, 255}}
	want.Subs = append(want.Subs, struct {
		X json.Number `arg:"x"`
	}{"99999999999999999999"})
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for want, args := range map[string]map[string]any{
		"argument 'i': 128 does not fit":                              {"i": 128},
		"argument 'ints[1]': 256 does not fit":                        {"ints": "1,256"},
		"argument 'ints[0]': -1 does not fit into a number without a": {"ints": "-1"},
		"argument 'addr': ParseAddr":                                  {"addr": "x"},
	} {
		var got struct {
			I    int8       `arg:"i"`
			Ints []uint8    `arg:"ints"`
			Addr netip.Addr `arg:"addr"`
		}
		if err := newTask(t, args).Params.Decode(&got); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
	for name, into := range map[string]any{
		"no such option": &struct {
			X string `arg:"nope"`
		}{},
		"wrong type": &struct {
			X string `arg:"i"`
		}{},
		"wrong elements": &struct {
			X []int `arg:"l"`
		}{},
		"twice": &struct {
			X string `arg:"s"`
			Y string `arg:"s"`
		}{},
		"nested": &struct {
			X struct {
				Z int `arg:"z"`
			} `arg:"sub"`
		}{},
		"no pointer": struct{}{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			_ = newTask(t, nil).Params.Decode(into)
		}()
	}
}

func TestCheckSpec(t *testing.T) {
	t.Parallel()
	if err := demoSpec.Check(); err != nil {
		t.Error(err)
	}
	for want, s := range map[string]Spec{
		"is not one that Ansible can call":     {Name: "a-b"},
		"used twice":                           {Options: []Option{{Name: "a", Aliases: []string{"b"}}, {Name: "b"}}},
		`unknown type "text"`:                  {Options: []Option{{Name: "a", Type: "text"}}},
		"elements of type":                     {Options: []Option{{Name: "a", Elements: Str}}},
		"options are for a dict":               {Options: []Option{{Name: "a", Options: []Option{{Name: "b"}}}}},
		"required and default are mutually":    {Options: []Option{{Name: "a", Required: true, Default: "x"}}},
		"we were unable to convert to int":     {Options: []Option{{Name: "a", Type: Int, Default: "x"}}},
		"value of a must be one of: x, got:":   {Options: []Option{{Name: "a", Choices: []any{"x"}, Default: "y"}}},
		"it would be read as '1'":              {Options: []Option{{Name: "a", Choices: []any{1}}}},
		`MutuallyExclusive: there is no`:       {Rules: Rules{MutuallyExclusive: [][]string{{"a"}}}},
		`RequiredTogether: there is no`:        {Rules: Rules{RequiredTogether: [][]string{{"a"}}}},
		`RequiredOneOf: there is no`:           {Rules: Rules{RequiredOneOf: [][]string{{"a"}}}},
		`RequiredIf: there is no`:              {Rules: Rules{RequiredIf: []RequiredIf{{Option: "a"}}}},
		`o.RequiredBy: there is no option "x"`: {Options: []Option{{Name: "o", Type: Dict, Options: []Option{{Name: "a"}}, Rules: Rules{RequiredBy: map[string][]string{"a": {"x"}}}}}},
		"is no alias":                          {Options: []Option{{Name: "a", DeprecatedAliases: []DeprecatedAlias{{Name: "b", Version: "1", Collection: "a.b"}}}}},
		"either a version or a date":           {Options: []Option{{Name: "a", Deprecated: &Deprecated{Collection: "a.b"}}}},
		"must be namespace.collection":         {Fragments: []*Fragment{{Name: "x"}}},
		"ApplyDefaults is for":                 {Options: []Option{{Name: "a", ApplyDefaults: true}}},
	} {
		if s.Name == "" {
			s.Name = "demo"
		}
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
