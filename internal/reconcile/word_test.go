package reconcile_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server"
)

// counted carries requests to a handler, and counts them.
type counted struct {
	http.Handler
	n *atomic.Int64
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w.Result(), nil
}

// fleetOf returns a fleet on craton server, and how many requests it got.
func fleetOf(t *testing.T, file string) (*reconcile.Fleet, *atomic.Int64) {
	t.Helper()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h, err := s.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	n := new(atomic.Int64)
	c, err := craton.New("http://embedded", craton.WithTransport(counted{h, n}), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	f, err := fleetfile.Parse("f", strings.NewReader(file))
	if err == nil {
		_, err = fleetfile.Apply(t.Context(), c, f, fleetfile.Options{AllowDuplicates: true, Parallel: 1}) // so that ids are in the order of the file
	}
	if err != nil {
		t.Fatal(err)
	}
	n.Store(0)
	return &reconcile.Fleet{Client: c}, n
}

// TestWord: what a word means: a name, or CONTAINER/NAME, where the container may be a path or an id, and names may
// hold slashes.
func TestWord(t *testing.T) {
	t.Parallel()
	const host = "ip_address: 10.0.0.1, device_type: x"
	fl, n := fleetOf(t, `clouds:
- name: east
  regions:
  - {name: dfw, cells: [{name: c1, hosts: [{name: web1, `+host+`, interfaces: [{name: eth0, interface_type: e, ip_address: 10.0.0.1}]}]}], hosts: [{name: a/b, `+host+`}]}
  - {name: "1", hosts: [{name: web1, `+host+`}]}
- name: west
  regions:
  - {name: dfw, network_devices: [{name: web1, `+host+`}], hosts: [{name: only, `+host+`}]}
  - {name: east/dfw}
`)
	devices := []*schema.Kind{schema.Host, schema.NetworkDevice}
	paths := map[string]int{}
	for _, c := range []struct {
		word     string
		kinds    []*schema.Kind
		idsFirst bool
		want     string // the region's id and the name, or the error's text
	}{
		{"only", devices, false, "3 only"},
		{"west/dfw/web1", devices, false, "3 web1"},
		{"west/dfw/only", devices, false, "3 only"},
		{"a/b", devices, false, "1 a/b"},
		{"dfw/a/b", devices, false, "1 a/b"},
		{"east/dfw/a/b", devices, false, "1 a/b"},
		{"1/web1", devices, false, "2 web1"}, // the name counts
		{"1/web1", devices, true, "1 web1"},  // the id counts
		{"3/only", devices, false, "3 only"},
		{"dfw/web1", devices, false, `"dfw/web1" is the name of 2 objects`},
		{"web1", devices, false, `"web1" is the name of 3 objects`},
		{"web1/eth0", []*schema.Kind{schema.NetworkInterface}, false, "<nil> eth0"},
		{"east/dfw/web1/eth0", []*schema.Kind{schema.NetworkInterface}, false, "<nil> eth0"},
		{"dfw", []*schema.Kind{schema.Region}, false, `"dfw" is the name of 2 objects`},
		{"east/dfw", []*schema.Kind{schema.Region}, false, `"east/dfw" is the name of 2 objects`}, // a path and a name: the caller says which
		{"west/east/dfw", []*schema.Kind{schema.Region}, false, "<nil> east/dfw"},
		{"noly", devices, false, `no object has the name or id "noly"`},
		{"east/web1", devices, false, "no object has the name"},
		{"", devices, false, "no object has the name"},
		{"/", devices, false, "no object has the name"},
	} {
		fl.IDsFirst = c.idsFirst
		before := n.Load()
		found, err := fl.Word(t.Context(), c.word, nil, c.kinds...)
		paths[c.word] = int(n.Load() - before)
		got := fmt.Sprint(found.Object["region_id"], " ", found.Object.Text("name"))
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: %s, want %s", c.word, got, c.want)
		}
	}
	if paths["only"] != 2 {
		t.Errorf("a name takes %d requests, one for each kind are enough", paths["only"])
	}
	_, err := fl.Word(t.Context(), "noly", nil, devices...)
	if e := (*reconcile.NotFoundError)(nil); !errors.As(err, &e) || e.Near != "only" {
		t.Errorf("what is near: %v", err)
	}
	for word, near := range map[string]string{"west/1/web1": "west/dfw/web1", "west/only": "west/dfw/only", "west/web": "web1"} {
		_, err = fl.Word(t.Context(), word, nil, devices...)
		if e := (*reconcile.NotFoundError)(nil); !errors.As(err, &e) || e.Near != near {
			t.Errorf("near %s: %v", word, err)
		}
	}
	n.Store(0)
	_, err = fl.Word(t.Context(), strings.Repeat("x", 1<<18), nil, schema.Cloud)
	if e := (*reconcile.NotFoundError)(nil); !errors.As(err, &e) || n.Load() != 1 || len(err.Error()) > 100 { // that looks for what is near
		t.Errorf("what is too long for a name takes %d requests: %v", n.Load(), err)
	}
	n.Store(0)
	if _, err := fl.Word(t.Context(), strings.Repeat("a/", 100)+"b", nil, devices...); err == nil || n.Load() > 700 { // not their square
		t.Errorf("a hundred slashes take %d requests: %v", n.Load(), err)
	}
	_, err = fl.Word(t.Context(), "web1", nil, devices...)
	if e := (*reconcile.AmbiguousError)(nil); !errors.As(err, &e) || strings.Join(e.Paths, " ") != "east/dfw/web1 east/1/web1 west/dfw/web1" {
		t.Errorf("where they are: %v", e.Paths)
	}
	_, err = fl.Word(t.Context(), "east/dfw/web1", reconcile.Filters{"region_id": 3}, devices...)
	if e := (*reconcile.NotFoundError)(nil); !errors.As(err, &e) {
		t.Errorf("a path to another place than the one asked for: %v", err)
	}
}

// TestSlashesInPlaces: names of all that a path leads through may hold slashes, for a word, for a reference, and for
// one of a file.
func TestSlashesInPlaces(t *testing.T) {
	t.Parallel()
	const host = "ip_address: 10.0.0.1, device_type: x"
	fl, n := fleetOf(t, `clouds:
- {name: p/q, regions: [{name: x/y, hosts: [{name: h/i, `+host+`}]}]}
- {name: p, regions: [{name: q/x/y}, {name: z}]}
`)
	const path = "p/q/x/y/h/i"
	word, err := fl.Word(t.Context(), path, nil, schema.Host)
	if err != nil || word.ID() != "1" {
		t.Errorf("%v, %v", word, err)
	}
	for text, bad := range map[string]bool{path: false, "x/y/h/i": false, "h/i": false, "q/x/y/h/i": true, strings.Repeat("/", 1<<18): true} {
		n.Store(0)
		ref, err := fl.Reference(t.Context(), schema.Host.Field("parent_id"), text, nil)
		if bad != (err != nil) || err == nil && ref.ID() != "1" || n.Load() > 100 {
			t.Errorf("%.40q: %v, %v, by %d requests", text, ref, err, n.Load())
		}
		n.Store(0)
		f, err := fleetfile.FromValue(map[string]any{"clouds": []any{map[string]any{"name": "p", "regions": []any{map[string]any{"name": "z", "hosts": []any{
			map[string]any{"name": "new", "ip_address": "10.0.0.2", "device_type": "x", "parent": text}}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = fleetfile.Apply(t.Context(), fl.Client, f, fleetfile.Options{AllowDuplicates: true, Check: true})
		if bad != (err != nil) || err != nil && len(err.Error()) > 1000 || n.Load() > 100 {
			t.Errorf("%.40q in a file: %.200v, by %d requests", text, err, n.Load())
		}
	}
}

// TestMentions: the ways to write where something stands.
func TestMentions(t *testing.T) {
	t.Parallel()
	if got := strings.Join(reconcile.Mentions([]string{"east", "dfw", "web1"}), " "); got != "web1 dfw/web1 east/dfw/web1" {
		t.Error(got)
	}
}
