package iotronic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/modules/module"
)

func TestMain(m *testing.M) {
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		for _, prefix := range []string{"CRATON_", "OS_", "IRONIC_", "IOTRONIC_"} {
			if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, "CRATON_TEST_") {
				_ = os.Unsetenv(name)
			}
		}
	}
	_ = os.Setenv("XDG_CONFIG_HOME", filepath.Join(os.TempDir(), "craton-no-such-folder"))
	os.Exit(m.Run())
}

// world is a server, and what modules are told to reach it.
type world struct {
	connection args
	requests   atomic.Int64
	writes     atomic.Int64 // requests that are not GET
	unordered  bool         // lists come in any order
	// answer is nil, or is asked first: true says that it has answered.
	answer func(w http.ResponseWriter, r *http.Request) bool
}

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// before counts what is asked of a server.
func before(t testing.TB, address string, connection args) *world {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	a := &world{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests.Add(1)
		if r.Method != http.MethodGet {
			a.writes.Add(1)
		}
		if a.answer == nil || !a.answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	a.connection = args{"url": server.URL, "max_retries": 50, "retry_interval": "0.05"}.with(connection)
	return a
}

// newIotronic is an Iotronic of a time, with its admin at the modules.
func newIotronic(t testing.TB, era iotronictest.Era, options ...iotronictest.Option) (*iotronictest.Server, *world) {
	t.Helper()
	s := iotronictest.Start(t, era, options...)
	return s, before(t, s.URL, args{"token": iotronictest.Admin.Token, "max_retries": 0})
}

// newIronic is the real Ironic of this package's tests.
func newIronic(t testing.TB) (*openstacktest.Ironic, *world) {
	t.Helper()
	i := openstacktest.StartIronic(t)
	return i, before(t, i.URL, nil)
}

// args is a task's arguments.
type args map[string]any

func (a args) with(more args) args {
	out := args{}
	for _, m := range []args{a, more} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

var (
	checking = args{"_ansible_check_mode": true, "_ansible_diff": true}
	diffing  = args{"_ansible_diff": true}
)

// output is what a module writes.
type output map[string]any

func (o output) dict(key string) map[string]any { d, _ := o[key].(map[string]any); return d }
func (o output) msg() string                    { s, _ := o["msg"].(string); return s }

// names of a list in a result, in its order.
func (o output) names(t tester, plural string) []string {
	t.Helper()
	list, ok := o[plural].([]any)
	if !ok {
		t.Fatalf("no list %s in %v", plural, o)
	}
	names := []string{}
	for _, item := range list {
		names = append(names, fmt.Sprint(item.(map[string]any)["name"]))
	}
	return names
}

// task runs a module as Ansible does: JSON in, JSON out.
func (a *world) task(t tester, name string, in args) output {
	t.Helper()
	out, _ := run(t, name, a.connection.with(in), nil)
	return out
}

// run runs a module in an environment.
func run(t tester, name string, in args, env map[string]string) (output, string) {
	t.Helper()
	text, err := json.Marshal(in.with(nil))
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	p := &module.Process{Args: []string{"AnsiballZ_" + name, "-"}, Stdin: bytes.NewReader(text), Stdout: &stdout, Lookup: lookup,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Signals: make(chan os.Signal)}
	p.Run(context.Background())
	var out output
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatalf("%s wrote %q: %v", name, stdout.String(), err)
	}
	return out, stdout.String()
}

func lookup(name string) (*module.Module, bool) {
	for _, m := range Modules() {
		if m.Name == name {
			return &module.Module{Spec: m.Spec(), Run: m.Run}, true
		}
	}
	return nil, false
}

// ok demands success and whether something changed; only then is something written.
func (a *world) ok(t tester, changed bool, name string, in args) output {
	t.Helper()
	before := a.writes.Load()
	out := a.task(t, name, in)
	if out["failed"] != nil {
		t.Fatalf("%s %v failed: %s", name, in, out.msg())
	}
	if out["changed"] != changed {
		t.Fatalf("%s %v: changed is %v", name, in, out["changed"])
	}
	if wrote := a.writes.Load() != before; wrote != (changed && in["_ansible_check_mode"] == nil) {
		t.Fatalf("%s %v: requests that write: %v, changed: %v", name, in, wrote, changed)
	}
	return out
}

// fails demands an error that holds all the words, before anything is written, in check mode too.
func (a *world) fails(t tester, name string, in args, words ...string) {
	t.Helper()
	for _, check := range []args{checking, {}} {
		before := a.writes.Load()
		out := a.task(t, name, in.with(check))
		if out["failed"] != true {
			t.Fatalf("%s %v did not fail: %v", name, in.with(check), out)
		}
		for _, word := range words {
			if !strings.Contains(out.msg(), word) {
				t.Fatalf("%s: the error %q lacks %q", name, out.msg(), word)
			}
		}
		if a.writes.Load() != before || out["changed"] != false {
			t.Fatalf("%s %v wrote something", name, in)
		}
	}
}

// does runs a task that changes something: in check mode, which has to predict the rest, for real, and again.
func (a *world) does(t tester, in args) map[string]any {
	t.Helper()
	predicted := a.ok(t, true, nodeName, in.with(checking))
	real := a.ok(t, true, nodeName, in.with(diffing))
	asPredicted(t, predicted, real)
	again := a.ok(t, false, nodeName, in)
	if in["state"] == absent {
		return real.dict("node")
	}
	if d := cmp.Diff(timeless(real.dict("node")), timeless(again.dict("node"))); d != "" {
		t.Fatalf("%v: the second run returns another node:\n%s", in, d)
	}
	return again.dict("node")
}

// timeless leaves out when things happened, and what Ironic notes for itself.
func timeless(o map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range o {
		if strings.HasSuffix(key, "_at") || key == "driver_internal_info" || key == "reservation" {
			continue
		}
		if places, ok := value.([]any); ok && key == "location" && len(places) > 0 {
			place := args(places[0].(map[string]any)).with(nil)
			delete(place, "updated_at")
			value = map[string]any(place)
		}
		out[key] = value
	}
	return out
}

// asPredicted compares a run with what check mode said. What is null there nobody could know.
func asPredicted(t tester, predicted, real output) {
	t.Helper()
	p, r := timeless(predicted.dict("node")), timeless(real.dict("node"))
	known := map[string]any{}
	for key, value := range p {
		if value == nil {
			delete(p, key)
			continue
		}
		known[key] = r[key]
	}
	if d := cmp.Diff(p, known); d != "" {
		t.Fatalf("check mode predicted another node (-check +real):\n%s", d)
	}
	if d := cmp.Diff(predicted["diff"], real["diff"]); d != "" {
		t.Fatalf("check mode showed another diff (-check +real):\n%s", d)
	}
}
