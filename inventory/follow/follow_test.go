package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/server"
)

// small has each level, with variables that nearer levels have too.
const small = `
project: {variables: {ntp: project, only: project}}
clouds:
- name: east
  variables: {ntp: east, cloud: 1}
  regions:
  - name: dfw
    variables: {ntp: dfw, masked: here}
    cells:
    - name: c1
      variables: {rack: a1}
      network_devices:
      - {name: tor, ip_address: 10.0.0.1, device_type: switch, variables: {uplink: et-0, masked: switch}}
      hosts:
      - {name: kvm, ip_address: 10.0.0.2, device_type: server, parent: tor, variables: {memory: 512}}
      - {name: web, ip_address: 10.0.0.3, device_type: virtual, parent: kvm, variables: {ntp: null}}
    - name: c2
      hosts:
      - {name: plain, ip_address: 10.0.0.4, device_type: server}
    hosts:
    - {name: bastion, ip_address: "2001:DB8::1", device_type: server, variables: {rack: own}}
  - name: iad
    hosts:
    - {name: far, ip_address: 10.2.0.1, device_type: server}
- name: west
  regions:
  - {name: ord, hosts: [{name: db, ip_address: 10.1.0.1, device_type: server, parent: east/dfw/kvm}]}
`

// world is a real server, and who may do what on it.
type world struct {
	server       *server.Server
	root, member *craton.Client
	project      string
	key          string // of member
}

func start(t *testing.T, text string, o server.Options) *world {
	t.Helper()
	ctx := t.Context()
	o.Create = true
	s, err := server.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(s.Handler())
	t.Cleanup(api.Close)
	w := &world{server: s, project: b.ProjectID}
	as := func(user, key string) *craton.Client {
		c, err := craton.New(api.URL, craton.WithLocalAuth(user, key, b.ProjectID))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	w.root = as(b.Username, b.APIKey)
	file, err := fleetfile.Parse("fleet.yml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fleetfile.Apply(ctx, w.root, file, fleetfile.Options{}); err != nil {
		t.Fatal(err)
	}
	user, err := w.root.Users.Create(ctx, craton.UserCreate{Username: "member", ProjectID: b.ProjectID})
	if err != nil {
		t.Fatal(err)
	}
	w.key = string(user.APIKey)
	w.member = as("member", w.key)
	return w
}

func (w *world) newest(t *testing.T) string {
	t.Helper()
	can, err := w.root.Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return can.Revision
}

// followed returns the lines from a place on until one names another.
func followed(t *testing.T, c *craton.Client, o Options, until string) (lines []Line) {
	t.Helper()
	done := errors.New("done")
	o.Wait, o.Log = time.Second, func(text string) { t.Error(text) }
	o.Hostname, o.MaxHosts = inventory.ByName, 1000
	if err := Run(t.Context(), c, o, func(line Line) error {
		lines = append(lines, line)
		if line.Resume == until {
			return done
		}
		return nil
	}); !errors.Is(err, done) {
		t.Fatal(err)
	}
	return lines
}

// story returns one event in a few words.
func story(lines []Line) (all []string) {
	for _, l := range lines {
		if e := l.Event; e != nil {
			all = append(all, fmt.Sprintf("%d %s %s %s %v", e.Revision, e.Action, e.Kind, e.Path, e.Meta.Hosts))
		}
	}
	return all
}

// TestHosts: the hosts of each change of a random history are those whose own history at the server says that variables
// changed with that revision; from whatever place one goes on, and however the log is cut into pages.
func TestHosts(t *testing.T) {
	t.Parallel()
	w := start(t, small, server.Options{})
	ctx := t.Context()
	begin := w.newest(t)
	ids, cloudOf := map[string][]int{}, map[int]int{}
	for _, kind := range []string{"clouds", "regions", "cells", "hosts", "network-devices"} {
		resp, err := w.root.Do(ctx, "GET", "/"+kind, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]json.RawMessage
		if err := json.Unmarshal(resp.Body, &body); err != nil {
			t.Fatal(err)
		}
		var all []struct {
			ID      int
			CloudID int `json:"cloud_id"`
		}
		if err := json.Unmarshal(body[strings.ReplaceAll(kind, "-", "_")], &all); err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			ids[kind] = append(ids[kind], one.ID)
			if kind == "regions" {
				cloudOf[one.ID] = one.CloudID
			}
		}
	}
	random := rand.New(rand.NewPCG(18, 4)) //nolint:gosec // the same each time
	some := func(of []int) int { return of[random.IntN(len(of))] }
	keys, values := []string{"ntp", "rack", "masked", "only", "uplink", "memory"}, []string{`"a"`, `"dfw"`, "null", `{"x": 1}`}
	do := func(method, path string, body any) {
		_, err := w.root.Do(ctx, method, path, nil, body)
		if err != nil && craton.StatusOf(err) >= 500 {
			t.Fatal(err)
		}
	}
	for n := range 160 {
		kind := []string{"projects", "clouds", "regions", "cells", "hosts", "hosts", "network-devices"}[random.IntN(7)]
		path := "/projects/" + w.project
		if kind != "projects" {
			path = fmt.Sprintf("/%s/%d", kind, some(ids[kind]))
		}
		device := kind == "hosts" || kind == "network-devices"
		switch what := random.IntN(12); {
		case what < 6:
			do("PUT", path+"/variables", json.RawMessage(fmt.Sprintf(`{%q: %s}`, keys[random.IntN(6)], values[random.IntN(4)])))
		case what < 9:
			do("DELETE", path+"/variables", []string{keys[random.IntN(6)]})
		case what == 9 && device:
			var parent any
			if random.IntN(3) > 0 {
				parent = some(append(slices.Clone(ids["hosts"]), ids["network-devices"]...))
			}
			do("PUT", path, map[string]any{"parent_id": parent})
		case what == 10 && (device || kind == "cells"):
			do("POST", path+"/move", map[string]any{"region_id": some(ids["regions"])})
		case n%3 == 0:
			region := some(ids["regions"])
			host := map[string]any{"name": fmt.Sprint("new", n), "ip_address": fmt.Sprintf("10.9.0.%d", n), "device_type": "server", "region_id": region, "cloud_id": cloudOf[region], "variables": map[string]any{"ntp": "own"}}
			resp, err := w.root.Do(ctx, "POST", "/hosts", nil, host)
			if err != nil {
				t.Fatal(err)
			}
			var made struct{ ID int }
			if err := json.Unmarshal(resp.Body, &made); err != nil {
				t.Fatal(err)
			}
			ids["hosts"] = append(ids["hosts"], made.ID)
		case kind == "hosts" && len(ids["hosts"]) > 8:
			id := ids["hosts"][len(ids["hosts"])-1]
			do("DELETE", fmt.Sprintf("/hosts/%d", id), nil)
		default:
			do("PUT", path, map[string]any{"note": fmt.Sprint("n", n)})
		}
	}
	end := w.newest(t)

	want := map[int64][]string{}
	known := map[string]bool{}
	for _, id := range ids["hosts"] {
		for before := ""; ; {
			page, err := w.root.History(ctx, craton.HistoryOptions{Kind: "host", ID: fmt.Sprint(id), Limit: 500, Before: before})
			if craton.IsNotFound(err) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				mine := e.Kind == "host" && fmt.Sprint(e.ID) == fmt.Sprint(id)
				if mine && e.Action == "create" || e.Action != "delete" && len(e.Keys) > 0 {
					want[e.Revision] = append(want[e.Revision], fmt.Sprint(id))
				}
			}
			if before = page.Next; before == "" {
				break
			}
		}
	}
	all := followed(t, w.root, Options{After: begin}, end)
	got := map[int64]map[string]bool{}
	names, stays := map[string]string{}, map[string]bool{}
	for _, id := range ids["hosts"] {
		if h, err := w.root.Hosts.Get(ctx, id); err == nil {
			names[h.Name], stays[fmt.Sprint(id)] = fmt.Sprint(id), true
		}
	}
	felt, shadowed := 0, 0
	for _, l := range all {
		if l.Event == nil {
			continue
		}
		if got[l.Event.Revision] == nil {
			got[l.Event.Revision] = map[string]bool{}
		}
		for _, name := range l.Event.Meta.Hosts {
			if id := names[name]; id != "" {
				got[l.Event.Revision][id] = true
				felt++
				known[id] = true
			}
		}
		if l.Event.Affected == 0 && len(l.Event.Variables) > 0 {
			shadowed++
		}
	}
	for revision, hosts := range got {
		expected := map[string]bool{}
		for _, id := range want[revision] {
			if stays[id] {
				expected[id] = true
			}
		}
		if d := cmp.Diff(expected, hosts); d != "" {
			t.Errorf("revision %d (-history +events):\n%s", revision, d)
		}
	}
	if felt < 100 || shadowed < 5 || len(known) < 8 {
		t.Errorf("the history proves little: %d hosts felt something, %d changes nobody", felt, shadowed)
	}

	if d := cmp.Diff(story(all), story(followed(t, w.root, Options{After: begin, Page: 3}, end))); d != "" {
		t.Errorf("in pages of three:\n%s", d)
	}
	for n := 0; n < len(all)-1; n += 11 { // what was told since the place is perhaps told again
		tail, again := story(all[n+1:]), story(followed(t, w.root, Options{After: all[n].Resume}, end))
		if len(again) < len(tail) {
			t.Errorf("from line %d on there are %d events, want %d", n, len(again), len(tail))
		} else if d := cmp.Diff(tail, again[len(again)-len(tail):]); d != "" {
			t.Errorf("from line %d on:\n%s", n, d)
		}
	}
}

// TestOneWrite: a write of many objects is told in order and whole, and who stopped within it gets all of it again.
func TestOneWrite(t *testing.T) {
	t.Parallel()
	w := start(t, small, server.Options{})
	begin := w.newest(t)
	if _, err := w.root.Do(t.Context(), "POST", "/bulk", nil, json.RawMessage(`{"kind": "host", "where": "name=*", "variables": {"bulk": 1}}`)); err != nil {
		t.Fatal(err)
	}
	end := w.newest(t)
	lines := followed(t, w.root, Options{After: begin, Page: 2}, end)
	if n := len(story(lines)); n != 6 {
		t.Fatalf("%d events: %q", n, story(lines))
	}
	for n, l := range lines[:len(lines)-1] {
		if l.Resume != begin {
			t.Errorf("line %d: resume at %s, which is within the write that begins behind %s", n, l.Resume, begin)
		}
	}
}

// TestMember: who may not read the project knows what hides of it, and who lost or gained access goes on.
func TestMember(t *testing.T) {
	t.Parallel()
	w := start(t, small, server.Options{})
	ctx := t.Context()
	begin := w.newest(t)
	regions := map[string]int{}
	for r, err := range w.root.Regions.All(ctx, craton.RegionListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		regions[r.Name] = r.ID
	}
	// What the project says already changes nothing.
	for _, body := range []string{`{"only": "project"}`, `{"only": "other"}`} {
		if _, err := w.root.Do(ctx, "PUT", fmt.Sprintf("/regions/%d/variables", regions["iad"]), nil, json.RawMessage(body)); err != nil {
			t.Fatal(err)
		}
	}
	var got [][]string
	for _, l := range followed(t, w.member, Options{After: begin}, w.newest(t)) {
		if l.Event != nil {
			got = append(got, l.Event.Meta.Hosts)
		}
	}
	if d := cmp.Diff([][]string{noHosts, {"far"}}, got); d != "" {
		t.Error(d)
	}
}

// TestUnknownPlace: a place of another database is told as a reset, and it goes on with what is done from then on.
func TestUnknownPlace(t *testing.T) {
	t.Parallel()
	w := start(t, small, server.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var logged []string
	var events []*Event
	done := errors.New("done")
	err := Run(ctx, w.root, Options{After: "4-0123456789abcdef", Wait: time.Second, Log: func(text string) { logged = append(logged, text) }, MaxHosts: 10}, func(line Line) error {
		if line.Event == nil {
			return nil
		}
		if events = append(events, line.Event); len(events) == 2 {
			return done
		}
		_, err := w.root.Do(ctx, "PUT", "/projects/"+w.project+"/variables", nil, json.RawMessage(`{"a": "{{ x }}", "b{%": "#jinja2:x"}`))
		return err
	})
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
	if e := events[0]; e.Action != "reset" || e.Affected != 6 || !slices.Equal(e.Meta.Hosts, allHosts) {
		t.Errorf("%+v", e)
	}
	if len(logged) != 1 || !strings.Contains(logged[0], `"4-0123456789abcdef"`) || !strings.Contains(logged[0], "brought back from a copy") {
		t.Errorf("%q", logged)
	}
	if e := events[1]; e.Affected != 6 || strings.Contains(fmt.Sprint(e.Variables), "{") || string(e.After) != `{}` {
		t.Errorf("%+v %s", e, e.After)
	}
}

// TestAway: a server that is not there when it begins, and goes away later, is waited for.
func TestAway(t *testing.T) {
	t.Parallel()
	w := start(t, small, server.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var down atomic.Bool
	down.Store(true)
	gate := httptest.NewServer(gateTo(w.server.Handler(), &down))
	defer gate.Close()
	c, err := craton.New(gate.URL, craton.WithLocalAuth("member", "wrong", w.project), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	if err := Run(ctx, c, Options{Wait: time.Second, MaxHosts: 1, Log: func(string) { down.Store(false) }}, func(Line) error { lines++; return nil }); !craton.IsUnauthenticated(err) || lines > 0 {
		t.Errorf("%d lines; %v", lines, err) // what cannot get right by waiting is an error before it begins
	}

	// It goes away while it is followed, and what is done then is told when it is back.
	c, err = craton.New(gate.URL, craton.WithLocalAuth("member", w.key, w.project), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	done := errors.New("done")
	var logged []string
	step := 0
	change := func(value int) {
		if _, err := w.root.Do(ctx, "PUT", "/clouds/1/variables", nil, map[string]any{"ntp": value}); err != nil {
			t.Error(err)
		}
	}
	log := func(text string) {
		switch logged = append(logged, text); len(logged) {
		case 2:
			change(2)
			down.Store(false)
		case 3:
			change(3)
		}
	}
	err = Run(ctx, c, Options{Wait: time.Second, MaxHosts: 10, Log: log}, func(line Line) error {
		switch step++; {
		case step == 1:
			change(1)
		case line.Event != nil && step == 2:
			down.Store(true)
		case line.Event != nil && step == 4:
			return done
		}
		return nil
	})
	if !errors.Is(err, done) || len(logged) != 3 || !strings.Contains(logged[0], "the changes cannot be read: ") || !strings.Contains(logged[0], "retrying in 1s") || logged[2] != "the server is available again" {
		t.Errorf("%v; logged: %q", err, logged)
	}
}

// gateTo returns a handler that breaks every connection off while it is down.
func gateTo(h http.Handler, down *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	})
}

// TestDocs: docs/eda.md tells each member of an event, and each argument of the event source.
func TestDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/eda.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../../extensions/eda/plugins/event_source/changes.py")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(Event{})
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	_, documented, _ := strings.Cut(string(source), "\noptions:\n")
	documented, _, _ = strings.Cut(documented, "'''")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z_]+):$`).FindAllStringSubmatch(documented, -1) {
		members[m[1]] = nil
	}
	if len(members) < 30 {
		t.Errorf("only %d are known: %v", len(members), members)
	}
	for name := range members {
		if !strings.Contains(string(page), "`"+name+"`") && !strings.Contains(string(page), "`"+name+".hosts`") {
			t.Errorf("it does not tell of %s", name)
		}
	}
}

// TestMemory measures what a fleet of 100,000 hosts takes; docs/eda.md has the figure.
func TestMemory(t *testing.T) {
	if os.Getenv("CRATON_TEST_PROOF") == "" {
		t.Skip("takes memory")
	}
	const hosts = 100000
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := used()
	f := newFleet(false)
	for n := range hosts {
		var own strings.Builder
		for v := range 10 {
			fmt.Fprintf(&own, `%s"variable_%d": "%d-%d"`, map[bool]string{true: ", "}[v > 0], v, n, v)
		}
		f.put(schema.Host, gjson.Parse(fmt.Sprintf(`{"id": %d, "name": "web-%06d.example.net", "ip_address": "10.1.2.3", "cell_id": %d, "region_id": %d, "cloud_id": 1, "project_id": "p", "variables": {%s}}`, n, n, n/40, n/1000, &own)))
	}
	each := (used() - before) / hosts
	t.Logf("%d bytes for a host", each)
	if each > 1200 {
		t.Errorf("%d bytes for a host", each)
	}
	runtime.KeepAlive(f)
}
