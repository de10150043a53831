package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// reply is what a process has written.
type reply struct {
	t    *testing.T
	raw  []byte
	code int
	m    map[string]any
}

// read checks what holds for every output: one JSON object on one line.
func read(t *testing.T, raw []byte, code int) reply {
	t.Helper()
	r := reply{t: t, raw: raw, code: code}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&r.m); err != nil || bytes.Count(raw, []byte("\n")) != 1 || !bytes.HasSuffix(raw, []byte("}\n")) || !utf8.Valid(raw) {
		t.Fatalf("not one JSON object on one line: %v: %q", err, raw)
	}
	if _, ok := r.m["changed"].(bool); !ok {
		t.Errorf("no changed: %s", raw)
	}
	if failed := r.m["failed"] == true; failed != (code == 1) {
		t.Errorf("exit status %d: %s", code, raw)
	}
	return r
}

// failedWith checks that the task failed with a message that has this in it.
func (r reply) failedWith(text string) {
	r.t.Helper()
	if msg, _ := r.m["msg"].(string); r.m["failed"] != true || !strings.Contains(msg, text) {
		r.t.Errorf("want a failure that says %q, got %s", text, r.raw)
	}
}

// start runs a module with the arguments in a file.
func start(t *testing.T, m *Module, args string) reply {
	t.Helper()
	file := filepath.Join(t.TempDir(), "args")
	if err := os.WriteFile(file, []byte(args), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := &Process{
		Args: []string{"/tmp/x/AnsiballZ_" + m.Spec.Name, file}, Stdin: strings.NewReader(""), Stdout: &out,
		Lookup:    func(name string) (*Module, bool) { return m, name == m.Spec.Name },
		LookupEnv: func(string) (string, bool) { return "", false },
		Signals:   make(chan os.Signal),
	}
	code := p.Run(context.Background())
	return read(t, out.Bytes(), code)
}

// modul makes a module of a function.
func modul(run func(context.Context, *Task) (*Result, error), options ...Option) *Module {
	return &Module{Spec: &Spec{Name: "demo", Options: options, SupportsCheckMode: true}, Run: run}
}

func returns(r *Result, err error) func(context.Context, *Task) (*Result, error) {
	return func(context.Context, *Task) (*Result, error) { return r, err }
}

func TestResult(t *testing.T) {
	t.Parallel()
	loop := map[string]any{}
	loop["x"] = loop
	for name, c := range map[string]struct {
		run  func(context.Context, *Task) (*Result, error)
		args string
		want string
	}{
		"nothing": {returns(nil, nil), `{}`, `{"changed":false,"invocation":{"module_args":{"raw":null}}}`},
		"fields":  {returns(&Result{Changed: true, Msg: "m", Fields: Fields{"b": 1, "a": []string{"x<y"}, "f": 1.0}}, nil), `{}`, `{"a":["x<y"],"b":1,"changed":true,"f":1.0,"invocation":{"module_args":{"raw":null}},"msg":"m"}`},
		"no diff": {returns(&Result{Diff: []Diff{{Before: "a", After: "b"}}}, nil), `{}`, `{"changed":false,"invocation":{"module_args":{"raw":null}}}`},
		"diff":    {returns(&Result{Diff: []Diff{{Before: "a", After: map[string]int{"x": 1}, BeforeHeader: "h"}}}, nil), `{"_ansible_diff": true}`, `{"changed":false,"diff":{"before":"a","after":{"x":1},"before_header":"h"},"invocation":{"module_args":{"raw":null}}}`},
		"diffs":   {returns(&Result{Diff: []Diff{{Before: "a"}, {After: "b"}}}, nil), `{"_ansible_diff": true}`, `{"changed":false,"diff":[{"before":"a","after":""},{"before":"","after":"b"}],"invocation":{"module_args":{"raw":null}}}`},
		"facts":   {returns(&Result{Facts: Fields{"x": 1}}, nil), `{"_ansible_inject_invocation": false}`, `{"ansible_facts":{"x":1},"changed":false}`},
		"no_log":  {returns(nil, nil), `{"_ansible_no_log": true}`, `{"changed":false}`},
		"failed":  {returns(&Result{Changed: true, Fields: Fields{"done": 1}}, Fail("no more", Fields{"left": 2})), `{"_ansible_inject_invocation": false}`, `{"changed":true,"done":1,"failed":true,"left":2,"msg":"no more"}`},
		"wrapped": {returns(nil, errors.Join(errors.New("first"), Fail("second", Fields{"x": 1}))), `{"_ansible_inject_invocation": false}`, `{"changed":false,"failed":true,"msg":"first\nsecond","x":1}`},
		"exact": {func(_ context.Context, t *Task) (*Result, error) {
			return &Result{Fields: Fields{"v": t.Params.JSON("raw")}}, nil
		}, `{"raw": {"z": 123456789012345678901234567890, "a": [1.50, 1E400, null, "\u00e9\ud83d\ude00\u2028"]}, "_ansible_inject_invocation": false}`, `{"changed":false,"v":{"z":123456789012345678901234567890,"a":[1.50,"1E400",null,"é😀\u2028"]}}`},
		"python style":  {returns(nil, nil), `{"ANSIBLE_MODULE_ARGS": {"raw": 1}}`, `{"changed":false,"invocation":{"module_args":{"raw":1}}}`},
		"invalid UTF-8": {returns(&Result{Fields: Fields{"v": "a\xffb", "w": map[string]string{"\xfe": "x"}}}, nil), `{"_ansible_inject_invocation": false}`, `{"changed":false,"v":"a\ufffdb","w":{"` + "\ufffd" + `":"x"}}`},
		"nan":           {returns(&Result{Changed: true, Fields: Fields{"v": math.NaN(), "ok": 1}}, nil), `{"_ansible_inject_invocation": false}`, `{"changed":true,"failed":true,"msg":"internal error: the field \"v\" cannot be written as JSON: JSON cannot hold the number NaN","ok":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, modul(c.run, Option{Name: "raw", Type: Raw}), c.args)
			if diff := cmp.Diff(c.want+"\n", string(r.raw)); diff != "" {
				t.Error(diff)
			}
		})
	}
	start(t, modul(returns(&Result{Fields: Fields{"v": loop}}, nil)), `{}`).failedWith(`the field "v" cannot be written as JSON`)
	start(t, modul(returns(&Result{Fields: Fields{"v": badJSON{}}}, nil)), `{}`).failedWith("internal error: the result cannot be written: boom")
}

type badJSON struct{}

func (badJSON) MarshalJSON() ([]byte, error) { panic("boom") }

func TestReservedFields(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"results", "stdout", "rc", "skipped", "attempts", "items", "keys", "pop", "failed", "changed", "msg", "invocation", "ansible_x", "_ansible_y", "ansible_facts", ""} {
		r := start(t, modul(returns(&Result{Changed: true, Fields: Fields{name: 1, "kept": 2}}, nil)), `{}`)
		r.failedWith("a module must not return")
		if r.m["changed"] != true || r.m["kept"] != json.Number("2") {
			t.Errorf("%s: what was done is lost: %s", name, r.raw)
		}
		if err := (&Spec{Name: "x", Returns: []Return{{Name: name}}}).Check(); err == nil {
			t.Errorf("Check allows a return value %q", name)
		}
	}
}

func TestArgumentsFile(t *testing.T) {
	t.Parallel()
	m := modul(returns(nil, nil), Option{Name: "raw", Type: Raw})
	for args, want := range map[string]string{
		"":                                   "is not JSON",
		"{":                                  "is not JSON",
		`{"raw": 1} x`:                       "is not JSON",
		`[1]`:                                "holds a list",
		`null`:                               "holds a NoneType",
		`{"raw": NaN}`:                       "is not JSON: the argument raw is NaN, which JSON does not have; omit it, or write it in quotes",
		`{"raw": [{"a b": [1, -Infinity]}]}`: `is not JSON: the argument raw[0]."a b"[1] is -Infinity`,
		`{"ANSIBLE_MODULE_ARGS": {"raw": {"x": Infinity}, "_ansible_check_mode": false}}`: "is not JSON: the argument raw.x is Infinity",
		`{"raw": {"x": ["\ud800"]}}`:                                 "the argument raw.x[0] is not UTF-8, or contains half a surrogate pair",
		"{\"raw\": \"\xff\"}":                                        "the argument raw is not UTF-8",
		strings.Repeat("[", 1_000_000):                               "is not JSON",
		`{"_ansible_check_mode": "perhaps"}`:                         "_ansible_check_mode",
		`{"_ansible_module_name": "a.b.other", "raw": 1, "raw2": 2}`: "Unsupported parameters for (a.b.other) module: raw2. Supported parameters include: raw. Did you mean raw instead of raw2?",
	} {
		start(t, m, args).failedWith(want)
	}
	big := start(t, m, `{"raw": "`+strings.Repeat("x", 10<<20)+`"}`)
	if len(big.raw) < 10<<20 || big.code != 0 {
		t.Errorf("a big argument: status %d, %d bytes", big.code, len(big.raw))
	}
	for _, args := range [][]string{{"AnsiballZ_demo"}, {"AnsiballZ_demo", "/no/such/file"}, {"AnsiballZ_demo", t.TempDir()}, {}, {"other", "-"}} {
		var out bytes.Buffer
		code := Run(args, strings.NewReader("{}"), &out, func(name string) (*Module, bool) { return m, name == "demo" })
		read(t, out.Bytes(), code).failedWith("")
	}
	for _, file := range []string{"-", "/dev/stdin"} {
		var out bytes.Buffer
		code := Run([]string{"craton", file}, strings.NewReader(`{"raw": 7, "_ansible_module_name": "x.y.demo"}`), &out, func(name string) (*Module, bool) { return m, name == "demo" })
		if r := read(t, out.Bytes(), code); code != 0 || !strings.Contains(string(r.raw), `"raw":7`) {
			t.Errorf("%s", r.raw)
		}
	}
}

func TestDispatch(t *testing.T) {
	t.Parallel()
	known := func(name string) bool { return name == "craton_host" || name == "craton_cell" }
	for _, c := range []struct {
		argv0, module, want string
		ok                  bool
	}{
		{"/tmp/a.b/AnsiballZ_craton_host", "", "craton_host", true},
		{"craton_host", "", "craton_host", true},
		{"AnsiballZ_craton_host.py", "", "craton_host", true},
		{`C:\tmp\AnsiballZ_craton_host.exe`, "", "craton_host", true},
		{"AnsiballZ_craton_host", "craton.fleet.craton_cell", "craton_cell", true},
		{"AnsiballZ_craton_host", "craton_cell", "craton_cell", true},
		{"AnsiballZ_craton_host", "a.b.c", "craton_host", true},
		{"craton", "a.b.c", "c", false},
		{"craton", "", "craton", false},
		{"", "", ".", false},
		{".craton", "", ".craton", false},
	} {
		if name, ok := Dispatch(c.argv0, c.module, known); name != c.want || ok != c.ok {
			t.Errorf("Dispatch(%q, %q) = %q, %v", c.argv0, c.module, name, ok)
		}
	}
}

func TestCheckMode(t *testing.T) {
	t.Parallel()
	m := demoModules["demo_nocheck"]
	r := start(t, m, `{"_ansible_check_mode": true, "_ansible_module_name": "demo.things.demo_nocheck"}`)
	if r.m["skipped"] != true || r.m["changed"] != false || r.m["msg"] != "remote module (demo.things.demo_nocheck) does not support check mode" {
		t.Errorf("%s", r.raw)
	}
	start(t, m, `{"_ansible_check_mode": true, "x": 1}`).failedWith("Unsupported parameters")
	r = start(t, m, `{"_ansible_ignore_unknown_opts": true, "x": 1}`)
	if r.m["changed"] != true {
		t.Errorf("%s", r.raw)
	}
}

func TestTask(t *testing.T) {
	t.Parallel()
	m := modul(func(_ context.Context, task *Task) (*Result, error) {
		task.Warn("w")
		task.Warn("w")
		task.Deprecate(Deprecation{Msg: "d", Version: "2.0.0", Collection: "a.b"})
		task.Deprecate(Deprecation{Msg: "e", Date: "2030-01-01", Collection: "a.b"})
		return &Result{Fields: Fields{"seen": []any{task.Name, task.CheckMode, task.DiffMode, task.Verbosity}}}, nil
	}, Option{Name: "old", Aliases: []string{"older"}, Deprecated: &Deprecated{Version: "3.0.0", Collection: "a.b"}, DeprecatedAliases: []DeprecatedAlias{{Name: "older", Date: "2031-01-01", Collection: "a.b"}}})
	r := start(t, m, `{"older": "x", "_ansible_module_name": "q.r.demo", "_ansible_check_mode": true, "_ansible_diff": true, "_ansible_verbosity": 3, "_ansible_inject_invocation": false}`)
	want := `{"changed":false,"deprecations":[` +
		`{"msg":"Alias 'older' is deprecated. See the module docs for more information","date":"2031-01-01","collection_name":"a.b"},` +
		`{"msg":"Param 'old' is deprecated. See the module docs for more information","version":"3.0.0","collection_name":"a.b"},` +
		`{"msg":"d","version":"2.0.0","collection_name":"a.b"},{"msg":"e","date":"2030-01-01","collection_name":"a.b"}],` +
		`"seen":["q.r.demo",true,true,3],"warnings":["w"]}` + "\n"
	if diff := cmp.Diff(want, string(r.raw)); diff != "" {
		t.Error(diff)
	}
	r = start(t, m, `{"_ansible_no_log": true}`)
	if diff := cmp.Diff([]any{"demo: warnings hidden because of no_log: 3"}, r.m["warnings"]); diff != "" || r.m["deprecations"] != nil {
		t.Errorf("%s", r.raw)
	}
}

func TestAllErrorsAreReported(t *testing.T) {
	t.Parallel()
	m := modul(returns(nil, nil), Option{Name: "name", Required: true}, Option{Name: "n", Type: Int})
	r := start(t, m, `{"nmae": 1, "n": "x"}`)
	want := []any{
		"missing required arguments: name",
		`argument 'n' is of type str and we were unable to convert to int: "'x'" cannot be converted to an int`,
		"Unsupported parameters for (demo) module: nmae. Supported parameters include: n, name. Did you mean name instead of nmae?",
	}
	if diff := cmp.Diff(want, r.m["validation_errors"]); diff != "" || r.m["msg"] != want[0] {
		t.Errorf("%s\n%s", diff, r.raw)
	}
}

func TestCrash(t *testing.T) {
	t.Parallel()
	r := start(t, demoModules["demo_crash"], `{"token": "hunter22"}`)
	r.failedWith("internal error: the module crashed: cannot use ********")
	stack, _ := r.m["exception"].(string)
	if !strings.Contains(stack, "demo_test.go") || bytes.Contains(r.raw, []byte("hunter22")) {
		t.Errorf("%s", r.raw)
	}
	start(t, modul(func(context.Context, *Task) (*Result, error) { runtime.Goexit(); return nil, nil }), `{}`).failedWith("ended without a result")
	start(t, modul(func(_ context.Context, task *Task) (*Result, error) { task.Params.String("nope"); return nil, nil }), `{}`).failedWith(`there is no option "nope"`)
	start(t, &Module{Spec: &Spec{Name: "demo", Options: []Option{{Name: "x", Type: "y"}}}, Run: returns(nil, nil)}, `{}`).failedWith(`internal error: spec of demo: option x: unknown type "y"`)
	start(t, modul(func(_ context.Context, task *Task) (*Result, error) { task.Params.Int("n"); return nil, nil }, Option{Name: "n", Type: Int}), `{"n": 9223372036854775808}`).failedWith("argument 'n': 9223372036854775808 does not fit into a 64-bit integer")
}

func TestStop(t *testing.T) {
	t.Parallel()
	begin := func(run func(context.Context, *Task) (*Result, error)) (chan<- os.Signal, <-chan reply) {
		signals := make(chan os.Signal)
		done := make(chan reply, 1)
		started := make(chan struct{})
		m := modul(func(ctx context.Context, task *Task) (*Result, error) { close(started); return run(ctx, task) })
		go func() {
			var out bytes.Buffer
			p := &Process{Args: []string{"demo", "-"}, Stdin: strings.NewReader(`{"_ansible_inject_invocation":false}`), Stdout: &out, Signals: signals,
				Lookup: func(string) (*Module, bool) { return m, true }}
			code := p.Run(context.Background())
			done <- read(t, out.Bytes(), code)
		}()
		<-started
		return signals, done
	}

	signals, done := begin(func(ctx context.Context, _ *Task) (*Result, error) {
		<-ctx.Done()
		return &Result{Changed: true}, Fail("half done", Fields{"done": 1})
	})
	signals <- syscall.SIGTERM
	if r := <-done; string(r.raw) != `{"changed":true,"done":1,"failed":true,"msg":"stopped by signal terminated: half done"}`+"\n" {
		t.Errorf("%s", r.raw)
	}

	signals, done = begin(func(ctx context.Context, _ *Task) (*Result, error) { <-ctx.Done(); return &Result{Changed: true}, nil })
	signals <- os.Interrupt
	if r := <-done; r.code != 0 || r.m["changed"] != true {
		t.Errorf("a module that has finished all the same: %s", r.raw)
	}

	forever := make(chan struct{})
	defer close(forever)
	signals, done = begin(func(context.Context, *Task) (*Result, error) { <-forever; return nil, nil })
	signals <- os.Interrupt
	signals <- os.Interrupt
	(<-done).failedWith("stopped by signal interrupt before the module had finished")
}

// program starts the test binary as a module's process.
func program(t *testing.T, name string, args string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Args = []string{"/tmp/AnsiballZ_" + name, "/dev/stdin"}
	cmd.Stdin = strings.NewReader(args)
	return cmd
}

func TestProgram(t *testing.T) {
	t.Parallel()
	t.Run("stray output", func(t *testing.T) {
		t.Parallel()
		cmd := program(t, "demo_print", `{}`)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || !strings.Contains(stderr.String(), "noise of a library") {
			t.Errorf("%v, stderr %q", err, stderr.String())
		}
		read(t, out, 0)
	})
	t.Run("SIGTERM", func(t *testing.T) {
		t.Parallel()
		ready := filepath.Join(t.TempDir(), "ready")
		args, _ := json.Marshal(map[string]string{"ready": ready})
		cmd := program(t, "demo_wait", string(args))
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(ready); err == nil {
				break
			}
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%v", err)
		}
		read(t, out.Bytes(), 1).failedWith("stopped by signal terminated: half done")
	})
	t.Run("closed stdout", func(t *testing.T) {
		t.Parallel()
		if code := Run([]string{"demo_dispatch", "-"}, strings.NewReader("{}"), closed{}, demoModule); code != 1 {
			t.Errorf("exit status %d", code)
		}
	})
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

// FuzzRun: whatever the arguments are, there is one JSON object on one line.
func FuzzRun(f *testing.F) {
	for _, s := range []string{`{}`, `{"name": "a", "file": "/nonexistent/x", "token": "secret"}`, `{"parts": [{"id": "x", "key": "k"}], "name": null}`, `{"parts": "{'id': 1}"}`, `[`, `{"name": {"a": 1}, "size": 1e999}`, `{"labels": "a,b", "settings": "a=1 b", "_ansible_diff": "yes"}`, "\xff", `{"name":"\ud800"}`} {
		f.Add([]byte(s))
	}
	m := &Module{Spec: demoSpec, Run: func(_ context.Context, task *Task) (*Result, error) {
		var args demoArgs
		if err := task.Params.Decode(&args); err != nil {
			return nil, err
		}
		return &Result{Fields: Fields{"got": task.Params, "again": args}}, nil
	}}
	f.Fuzz(func(t *testing.T, args []byte) {
		var out bytes.Buffer
		p := &Process{Args: []string{"demo_thing", "-"}, Stdin: bytes.NewReader(args), Stdout: &out, Signals: make(chan os.Signal),
			Lookup: func(string) (*Module, bool) { return m, true }, LookupEnv: func(string) (string, bool) { return "", false }}
		code := p.Run(context.Background())
		read(t, out.Bytes(), code)
	})
}
