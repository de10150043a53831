package iotronic

import (
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
	"github.com/craton-fleet/craton/modules/internal/moduletest"
)

func TestMain(m *testing.M) { moduletest.Main(m) }

type (
	args   = moduletest.Args
	output = moduletest.Output
	tester = moduletest.T
)

var checking, diffing = moduletest.Checking, moduletest.Diffing

// world is a server, and what modules are told to reach it.
type world struct {
	*moduletest.Front
	unordered bool // lists come in any order
}

// before is a world with a server, and more of what it takes to reach it.
func before(t testing.TB, address string, connection args) *world {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	a := &world{Front: &moduletest.Front{Lookup: lookup}}
	at, done := a.Before(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	t.Cleanup(done)
	a.Connection = args{"url": at, "max_retries": 50, "retry_interval": "0.05"}.With(connection)
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

// clientOf is a client that tests ask themselves.
func clientOf(t testing.TB, i *openstacktest.Ironic, retries int) *api.Client {
	t.Helper()
	c, err := api.New(i.URL, api.WithRetries(retries))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// free waits until Ironic has given back the lock of a node: where it has led one shows a moment before. A test that
// counts requests would count those that it repeats otherwise.
func free(t testing.TB, c *api.Client, name string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		n, err := c.Nodes.Get(t.Context(), name, "reservation")
		if err != nil {
			t.Error(err)
			return
		}
		if isNone(n.Fields["reservation"]) {
			return
		}
		if time.Now().After(end) {
			t.Errorf("the node %s is locked for a minute: %s", name, n.Fields["reservation"])
			return
		}
	}
}

// run runs a module in an environment.
func run(t tester, name string, in args, env map[string]string) (output, string) {
	t.Helper()
	return moduletest.Run(t, lookup, name, in, env)
}

func lookup(name string) (*ansible.Module, bool) {
	for _, m := range Modules() {
		if m.Name == name {
			return &ansible.Module{Spec: m.Spec(), Run: m.Run}, true
		}
	}
	return nil, false
}

// does runs a task that changes something: in check mode, which has to predict the rest, for real, and again.
func (a *world) does(t tester, in args) map[string]any {
	t.Helper()
	return a.doesTo(t, nodes, in).Dict(node.name)
}

// doesTo is does for any resource, and gives the last output.
func (a *world) doesTo(t tester, r *resource, in args) output {
	t.Helper()
	key := r.kind.name
	predicted := a.OK(t, true, r.moduleName(), in.With(checking))
	real := a.OK(t, true, r.moduleName(), in.With(diffing))
	predictedAs(t, key, predicted, real)
	again := a.OK(t, false, r.moduleName(), in)
	if in["state"] == absent {
		return real
	}
	if d := cmp.Diff(timeless(real.Dict(key)), timeless(again.Dict(key))); d != "" {
		t.Fatalf("%v: the second run returns another %s:\n%s", in, key, d)
	}
	if d := cmp.Diff(real[optPorts], again[optPorts]); d != "" && in[optPorts] != nil {
		t.Fatalf("%v: the second run returns other ports:\n%s", in, d)
	}
	return again
}

// timeless leaves out when things happened, and what Ironic notes for itself.
func timeless(o map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range o {
		if strings.HasSuffix(key, "_at") || key == "driver_internal_info" || key == "reservation" {
			continue
		}
		if places, ok := value.([]any); ok && key == "location" && len(places) > 0 {
			place := args(places[0].(map[string]any)).With(nil)
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
	predictedAs(t, node.name, predicted, real)
}

func predictedAs(t tester, key string, predicted, real output) {
	t.Helper()
	p, r := timeless(predicted.Dict(key)), timeless(real.Dict(key))
	known := map[string]any{}
	for key, value := range p {
		if value == nil {
			delete(p, key)
			continue
		}
		known[key] = r[key]
	}
	if d := cmp.Diff(p, known); d != "" {
		t.Fatalf("check mode predicted another %s (-check +real):\n%s", key, d)
	}
	if d := cmp.Diff(predicted["diff"], real["diff"]); d != "" {
		t.Fatalf("check mode showed another diff (-check +real):\n%s", d)
	}
}
