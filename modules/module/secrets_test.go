package module

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecretsNeverShow(t *testing.T) {
	t.Parallel()
	const secret = `pä$$ "w'rd\1`
	m := &Module{
		Spec: &Spec{Name: "demo", Options: []Option{
			{Name: "token", NoLog: true, Env: []string{"TOKEN"}, Aliases: []string{"tok"}},
			{Name: "pin", Type: Int, NoLog: true},
			{Name: "many", Type: List, Elements: Str, NoLog: true},
			{Name: "outer", Type: Dict, Options: []Option{{Name: "inner", Type: List, Elements: Dict, Options: []Option{{Name: "key", NoLog: true}, {Name: "id", Type: Int}}}}},
			{Name: "fallback", NoLog: true, Default: "default-secret"},
		}},
		Run: func(_ context.Context, task *Task) (*Result, error) {
			s := task.Params.String("token")
			task.Secret("issued-token")
			task.Warn("warned with " + s)
			quoted, _ := json.Marshal(s)
			result := &Result{Changed: true, Diff: []Diff{{Before: s, After: map[string]string{"x" + s: "issued-token!"}}}, Fields: Fields{
				"seen":   []any{s, "a" + s + s + "b", map[string]any{s: s}, 1234567, "1234567", "x99123456x", "el-one,el-two", "nested-key", string(quoted), "user:p%C3%A4$$%20%22w%27rd%5C1@host", "default-secret"},
				"params": task.Params,
				"short":  []any{"ab1cd", 101, "ab 1 cd"},
			}}
			return result, Fail("failed for "+s, Fields{"why": s})
		},
	}
	args := map[string]any{"tok": secret, "pin": "123456", "many": "el-one,el-two", "outer": map[string]any{"inner": []any{map[string]any{"key": "nested-key", "id": 5}, map[string]any{"id": 1, "key": "1"}}}, "_ansible_diff": true}
	data, _ := json.Marshal(args)
	r := start(t, m, string(data))
	for _, leak := range []string{"w'rd", "w%27rd", "123456", "el-one", "nested-key", "issued-token", "default-secret"} {
		if bytes.Contains(r.raw, []byte(leak)) {
			t.Errorf("%q shows: %s", leak, r.raw)
		}
	}
	want := []any{noLogValue, "a********b", map[string]any{noLogValue: noLogValue}, noLogValue, "********7", "x99********x", noLogValue, noLogValue, `"********"`, "user:********@host", noLogValue}
	if diff := cmp.Diff(want, r.m["seen"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"ab1cd", json.Number("101"), "ab ******** cd"}, r.m["short"]); diff != "" {
		t.Error(diff)
	}
	wantArgs := map[string]any{"module_args": map[string]any{
		"token": noLogValue, "pin": noLogValue, "many": noLogValue, "fallback": noLogValue,
		"outer": map[string]any{"inner": []any{map[string]any{"key": noLogValue, "id": json.Number("5")}, map[string]any{"key": noLogValue, "id": noLogValue}}},
	}}
	if diff := cmp.Diff(wantArgs, r.m["invocation"]); diff != "" {
		t.Error(diff)
	}
}

// Arguments that are refused are shown in messages, and must be masked there.
func TestSecretsInRefusedArguments(t *testing.T) {
	t.Parallel()
	m := modul(returns(nil, nil),
		Option{Name: "pin", Type: Int, NoLog: true},
		Option{Name: "word", NoLog: true, Choices: []any{"x", "y"}, Aliases: []string{"w"}},
		Option{Name: "outer", Type: Dict, Options: []Option{{Name: "key", NoLog: true}}},
		Option{Name: "list", Type: List, Elements: Dict, Options: []Option{{Name: "key", NoLog: true, Type: Bool}}},
	)
	for _, args := range []string{
		`{"pin": "topsecret"}`, `{"pin": ["topsecret"]}`, `{"pin": {"a": "topsecret"}}`, `{"word": "topsecret"}`, `{"word": ["topsecret"]}`, `{"w": "topsecret", "word": "topsecret2"}`,
		`{"outer": "{'key': 'topsecret'"}`, `{"outer": "key topsecret"}`, `{"outer": ["topsecret"]}`, `{"outer": {"kye": "topsecret"}}`, `{"outer": "kye=topsecret"}`,
		`{"list": [{"key": "topsecret"}]}`, `{"list": ["{'key': topsecret"]}`, `{"list": ["key=topsecret", "x"]}`, `{"list": [["topsecret"]]}`, `{"pni": "topsecret"}`,
	} {
		r := start(t, m, args)
		if r.m["failed"] != true || bytes.Contains(r.raw, []byte("topsecret")) {
			t.Errorf("%s: %s", args, r.raw)
		}
	}
}

func TestMaskOverlap(t *testing.T) {
	t.Parallel()
	s := &secrets{}
	for _, text := range []string{"abcdef", "defghi", "newline\n", "", " ", "x"} {
		s.add(text)
	}
	m := s.masker(map[string]bool{"abcdef": true})
	for in, want := range map[string]string{
		"--abcdefghi--": "--********--", "abcdefabcdef": "********", "abcdeabcdef": "abcde********",
		"a newline": "a ********", "newline": noLogValue, "x": noLogValue, "xx x": "xx ********", "a b": "a b", "": "", "é x é": "é ******** é",
	} {
		if got := m.text(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	d := newDict()
	for _, k := range []string{"abcdef", "1abcdefghi", "1defghi", "plain"} {
		d.set(k, true)
	}
	got := string(appendJSON(nil, m.value(d)))
	if want := `{"abcdef":true,"1********":true,"1********_2":true,"plain":true}`; got != want {
		t.Errorf("keys: %s", got)
	}
	if (&secrets{}).masker(nil) != nil {
		t.Error("a masker without secrets")
	}
}

// TestMaskAgainstAnsibleModule: where a secret is long enough to be one, texts
// and numbers are masked as AnsibleModule's remove_values does. Intended
// differences: overlapping secrets are masked as one, runs of a secret too, and
// keys are masked.
func TestMaskAgainstAnsibleModule(t *testing.T) {
	t.Parallel()
	options := []Option{{Name: "token", NoLog: true}, {Name: "pin", Type: Int, NoLog: true}, {Name: "d", Type: Dict, NoLog: true}}
	result := map[string]any{"v": []any{"s3cret", "a s3cret b", "s3cre", "s3crets", 4711, 47110, 1.5, 147.11, true, nil, "4711", "x4711x", map[string]any{"k": "in-dict"}, []any{"in-list", "key"}, "", "true", "S3CRET", "é s3cret"}}
	args := map[string]any{"token": "s3cret", "pin": "4711", "d": map[string]any{"key": "in-dict", "l": []any{"in-list", true}}}
	for _, bin := range ansibles(t) {
		in, _ := json.Marshal(map[string]any{"spec": pythonSpec(&Spec{Options: options}), "args": args, "result": result})
		cmd := exec.Command(runPython(bin), "testdata/ansiblemodule.py")
		cmd.Env = cleanEnv()
		cmd.Stdin = strings.NewReader(string(in) + "\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var theirs struct{ Output map[string]any }
		dec := json.NewDecoder(bytes.NewReader(out))
		dec.UseNumber()
		if err := dec.Decode(&theirs); err != nil {
			t.Fatal(err)
		}
		data, _ := json.Marshal(args)
		ours := start(t, modul(returns(&Result{Fields: result}, nil), options...), string(data))
		if diff := cmp.Diff(theirs.Output["v"], ours.m["v"]); diff != "" {
			t.Errorf("%s: %s", release(t, bin), diff)
		}
	}
}

// FuzzSecrets: a secret of four characters or more does not show.
func FuzzSecrets(f *testing.F) {
	f.Add("hunter2", "user ", "@host")
	f.Add(`a"b\c`, `a`, `c`)
	f.Add("aaaa", "a", "aa")
	f.Add("****", "*", "")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		secret = strings.ToValidUTF8(secret, "\ufffd") // as everything that JSON brings
		if len([]rune(secret)) < shortSecret || strings.Trim(secret, "*") == "" || strings.Contains(noLogValue, secret) || strings.ContainsRune(secret, '*') {
			return
		}
		s := &secrets{}
		s.add(secret)
		masked := s.masker(nil).value(before + secret + after).(string)
		if strings.Contains(masked, secret) {
			t.Errorf("%q in %q", secret, masked)
		}
	})
}

// FuzzDict: the parser of dict texts ends, and what it makes is a value.
func FuzzDict(f *testing.F) {
	for _, v := range hardValues {
		if s, ok := v.(string); ok {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDict(s)
		if err != nil {
			return
		}
		out := appendJSON(nil, d)
		if !json.Valid(out) {
			t.Fatalf("%q became %s", s, out)
		}
		if strings.HasPrefix(s, "{") { // what Python would print can be read again
			again, err := parseLiteral(pyRepr(d))
			if err == nil && !equal(d, again) {
				t.Errorf("%q: %s became %s", s, out, appendJSON(nil, again))
			}
		}
	})
}
