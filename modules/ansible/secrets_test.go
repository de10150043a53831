package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/value/python"
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
			for _, text := range []string{s, "a" + s + s + "b", "1234567", "x99123456x", "el-one,el-two", "nested-key", string(quoted), "user:p%C3%A4$$%20%22w%27rd%5C1@host", "default-secret", "ab1cd", "101", "ab 1 cd"} {
				task.Warn(text)
			}
			return nil, Fail("failed for "+s+", issued-token", nil)
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
	want := []any{"warned with ********", noLogValue, "a********b", "********7", "x99********x", noLogValue, noLogValue, `"********"`, "user:********@host", noLogValue, "ab1cd", "101", "ab ******** cd"}
	if diff := cmp.Diff(want, r.m["warnings"]); diff != "" {
		t.Error(diff)
	}
	if want := "failed for ********, ********"; r.m["msg"] != want {
		t.Error(r.m["msg"])
	}
	wantArgs := map[string]any{"module_args": map[string]any{
		"token": noLogValue, "pin": noLogValue, "many": noLogValue, "fallback": noLogValue,
		"outer": map[string]any{"inner": []any{map[string]any{"key": noLogValue, "id": json.Number("5")}, map[string]any{"key": noLogValue, "id": noLogValue}}},
	}}
	if diff := cmp.Diff(wantArgs, r.m["invocation"]); diff != "" {
		t.Error(diff)
	}
}

// TestReturnedIsNotMasked: what a module returns comes as it is, also where it is, or holds, what somebody has for a
// password. Only what the module says is masked.
func TestReturnedIsNotMasked(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"a", "1", "true", "null", "hunter2hunter2", "********"} {
		object := map[string]any{
			"note": secret, "inside": "x " + secret + " y", secret: []any{secret, "1", json.Number("1"), true, map[string]any{secret + "2": secret}},
		}
		result := &Result{
			Fields: Fields{"thing": object}, Facts: Fields{"fact": object},
			Diff: []Diff{{Before: object, After: object, BeforeHeader: "thing " + secret, AfterHeader: "thing " + secret}},
		}
		echo := func(_ context.Context, task *Task) (*Result, error) {
			task.Warn("seen " + secret)
			return result, Fail("failed for "+secret, Fields{"more": object})
		}
		given, _ := json.Marshal(map[string]any{"token": secret, "_ansible_diff": true})
		r := start(t, modul(echo, Option{Name: "token", NoLog: true}), string(given))
		diff, _ := r.m["diff"].(map[string]any)
		facts, _ := r.m["ansible_facts"].(map[string]any)
		for at, got := range map[string]any{"field": r.m["thing"], "fact": facts["fact"], "before": diff["before"], "after": diff["after"], "field of a failure": r.m["more"]} {
			if d := cmp.Diff(object, got); d != "" {
				t.Errorf("%q: %s: %s", secret, at, d)
			}
		}
		said := []any{r.m["msg"], r.m["warnings"], diff["before_header"], diff["after_header"], r.m["invocation"]}
		want := []any{"failed for ********", []any{"seen ********"}, "thing ********", "thing ********", map[string]any{"module_args": map[string]any{"token": noLogValue}}}
		if d := cmp.Diff(want, said); d != "" {
			t.Errorf("%q: said: %s", secret, d)
		}
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

// TestMaskAgainstAnsibleModule: where a secret is long enough to be one, texts and numbers are masked as
// AnsibleModule's remove_values does. Intended differences: overlapping secrets are masked as one, runs of a secret
// too, and keys are masked. Ours masks only what a module says, and so whole texts.
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
		v, given := jsonValue(t, result["v"]), jsonValue(t, args)
		known := &secrets{}
		known.addValue(given)
		var ours any
		dec = json.NewDecoder(bytes.NewReader(appendJSON(nil, known.masker(nil).value(v))))
		dec.UseNumber()
		if err := dec.Decode(&ours); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(theirs.Output["v"], ours); diff != "" {
			t.Errorf("%s: %s", release(t, bin), diff)
		}
	}
}

// jsonValue returns a Go value as the runtime has it.
func jsonValue(t *testing.T, v any) any {
	t.Helper()
	got, err := fromGo(v)
	if err != nil {
		t.Fatal(err)
	}
	return got
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
			again, err := parseLiteral(python.Repr(d))
			if err == nil && !equal(d, again) {
				t.Errorf("%q: %s became %s", s, out, appendJSON(nil, again))
			}
		}
	})
}

// TestNoLogTexts: of a value that is mostly no secret only the chosen texts are masked in messages, by what other
// options say, and the invocation has none of it.
func TestNoLogTexts(t *testing.T) {
	t.Parallel()
	m := &Module{
		Spec: &Spec{Name: "demo", Options: []Option{{Name: "name"}, {Name: "drive", Type: Dict, Aliases: []string{"d"}, NoLog: true, NoLogTexts: func(value json.RawMessage, other func(string) string) []string {
			var texts map[string]string
			_ = json.Unmarshal(value, &texts)
			if texts["secret"] == other("name") || other("drive") != "" {
				return nil
			}
			return []string{texts["secret"]}
		}}}},
		Run: func(context.Context, *Task) (*Result, error) { return nil, Fail("the disk of web-01: hush-hush", nil) },
	}
	for in, want := range map[string]string{
		`{"name": "web-01", "d": {"secret": "hush-hush", "word": "disk", "host": "web-01"}}`: "the disk of web-01: ********",
		`{"name": "web-01", "drive": {"secret": "web-01"}}`:                                  "the disk of web-01: hush-hush",
	} {
		r := start(t, m, in)
		args := r.m["invocation"].(map[string]any)["module_args"].(map[string]any)
		if r.m["msg"] != want || args["drive"] != noLogValue || args["name"] != "web-01" {
			t.Errorf("%s: %s", in, r.raw)
		}
	}
}
