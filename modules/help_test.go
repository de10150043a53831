package modules

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/modules/module"
	"github.com/craton-fleet/craton/server"
)

func TestMain(m *testing.M) {
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "CRATON_") || strings.HasPrefix(name, "OS_") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("CRATON_RETRIES", "0")
	_ = os.Setenv("XDG_CONFIG_HOME", filepath.Join(os.TempDir(), "craton-no-such-folder"))
	os.Exit(m.Run())
}

// api is a real server, and what modules are told to reach it.
type api struct {
	connection map[string]any
	writes     atomic.Int64 // requests that are not GET
	requests   atomic.Int64
}

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func newAPI(t testing.TB) *api {
	t.Helper()
	a, done := openAPI(t, t.TempDir())
	t.Cleanup(done)
	return a
}

func openAPI(t tester, dir string) (a *api, done func()) {
	t.Helper()
	ctx := context.Background()
	s, err := server.Open(ctx, "sqlite:"+filepath.Join(dir, "fleet.db"), server.Options{
		Create: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	root, err := s.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	a = &api{}
	handler := s.Handler()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests.Add(1)
		if r.Method != http.MethodGet {
			a.writes.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	a.connection = map[string]any{"url": web.URL, "username": root.Username, "password": root.APIKey, "project_id": root.ProjectID}
	return a, func() { web.Close(); _ = s.Close() }
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

// task runs a module as Ansible does: JSON in, JSON out.
func (a *api) task(t tester, name string, in args) output {
	t.Helper()
	out, _ := runModule(t, name, in.with(a.connection), nil)
	return out
}

func runModule(t tester, name string, in args, env map[string]string) (output, string) {
	t.Helper()
	raw, err := json.Marshal(in.with(nil))
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	p := &module.Process{Args: []string{"AnsiballZ_" + name, "-"}, Stdin: bytes.NewReader(raw), Stdout: &stdout, Lookup: Lookup,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Signals: make(chan os.Signal)}
	p.Run(context.Background())
	var out output
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatalf("%s wrote %q: %v", name, stdout.String(), err)
	}
	return out, stdout.String()
}

// ok demands success and whether something changed.
func (a *api) ok(t tester, changed bool, name string, in args) output {
	t.Helper()
	before := a.writes.Load()
	out := a.task(t, name, in)
	if out["failed"] != nil {
		t.Fatalf("%s %v failed: %s", name, in, out.msg())
	}
	if out["changed"] != changed {
		t.Fatalf("%s %v: changed is %v", name, in, out["changed"])
	}
	wrote := a.writes.Load() != before
	if wrote != (changed && in["_ansible_check_mode"] == nil) {
		t.Fatalf("%s %v: requests that write: %v, changed: %v", name, in, wrote, changed)
	}
	return out
}

// fails demands an error that holds all the words, before anything is written.
func (a *api) fails(t tester, name string, in args, words ...string) {
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

// timeless leaves out what only the server knows beforehand.
func timeless(o map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range o {
		if k != "created_at" && k != "updated_at" {
			out[k] = v
		}
	}
	return out
}

// asPredicted compares a run with what check mode said.
func asPredicted(t tester, key string, predicted, real output) {
	t.Helper()
	p, r := timeless(predicted.dict(key)), timeless(real.dict(key))
	if p["id"] == nil {
		delete(p, "id")
		delete(r, "id")
	}
	if p["project_id"] == nil {
		delete(p, "project_id")
		delete(r, "project_id")
	}
	delete(r, "api_key")
	if d := cmp.Diff(p, r); d != "" {
		t.Fatalf("check mode predicted another %s (-check +real):\n%s", key, d)
	}
	if d := cmp.Diff(predicted["diff"], real["diff"]); d != "" {
		t.Fatalf("check mode showed another diff (-check +real):\n%s", d)
	}
	if predicted["changed"] != real["changed"] {
		t.Fatalf("check mode predicted changed: %v", predicted["changed"])
	}
}

// place makes what objects stand in.
func (a *api) place(t tester) {
	t.Helper()
	a.ok(t, true, "craton_cloud", args{"name": "east"})
	a.ok(t, true, "craton_region", args{"name": "dfw", "cloud": "east"})
	a.ok(t, true, "craton_cell", args{"name": "row-a", "region": "dfw"})
	a.ok(t, true, "craton_cell", args{"name": "row-b", "region": "dfw"})
	a.ok(t, true, "craton_network_device", args{"name": "sw1", "region": "dfw", "ip_address": "10.0.0.2", "device_type": "switch"})
	a.ok(t, true, "craton_network", args{"name": "front", "region": "dfw", "cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "netmask": "255.255.255.0"})
}
