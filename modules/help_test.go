package modules

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/modules/internal/moduletest"
	"github.com/craton-fleet/craton/server"
)

func TestMain(m *testing.M) { moduletest.Main(m) }

type (
	args   = moduletest.Args
	output = moduletest.Output
	tester = moduletest.T
)

var checking, diffing = moduletest.Checking, moduletest.Diffing

// api is a real server, and what modules are told to reach it.
type api struct{ *moduletest.Front }

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
	a = &api{&moduletest.Front{Lookup: Lookup}}
	url, stop := a.Before(s.Handler())
	a.Connection = args{"url": url, "username": root.Username, "password": root.APIKey, "project_id": root.ProjectID, "retries": 0}
	return a, func() { stop(); _ = s.Close() }
}

// run runs a module in an environment.
func run(t tester, name string, in args, env map[string]string) (output, string) {
	t.Helper()
	return moduletest.Run(t, Lookup, name, in, env)
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
	p, r := timeless(predicted.Dict(key)), timeless(real.Dict(key))
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
	a.OK(t, true, "craton_cloud", args{"name": "east"})
	a.OK(t, true, "craton_region", args{"name": "dfw", "cloud": "east"})
	a.OK(t, true, "craton_cell", args{"name": "row-a", "region": "dfw"})
	a.OK(t, true, "craton_cell", args{"name": "row-b", "region": "dfw"})
	a.OK(t, true, "craton_network_device", args{"name": "sw1", "region": "dfw", "ip_address": "10.0.0.2", "device_type": "switch"})
	a.OK(t, true, "craton_network", args{"name": "front", "region": "dfw", "cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "netmask": "255.255.255.0"})
}
