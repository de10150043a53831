package inventory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
)

// TestMain keeps the configuration files and the environment of whoever runs the tests out of them.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "inventory")
	if err != nil {
		panic(err)
	}
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "CRATON_") || strings.HasPrefix(name, "OS_") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("XDG_CONFIG_HOME", dir)
	_ = os.Setenv("XDG_CACHE_HOME", dir)
	_ = os.Setenv("CRATON_CONFIG", "")
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// object is an object of the API: its columns, as they stand in bodies.
type object map[string]any

func (o object) id() int { return o["id"].(int) }

func (o object) ref(name string) int {
	id, _ := o[name].(int)
	return id
}

// vars is an object's own variables: name to JSON text.
type vars map[string]string

// fake is a v1 API in memory that answers as the original server does, or with labels as craton server does. It holds
// whatever it is given, however inconsistent.
type fake struct {
	lists    map[string][]object // clouds, regions, cells, hosts, network_devices, projects
	vars     map[string]map[string]vars
	labels   map[int][]string
	tells    bool           // labels in listings with details
	streams  bool           // it has /v1/fleet, and tells labels
	member   bool           // the caller may not read projects
	spelled  map[int]string // addresses as they were once written, which the filter compares with (Q3)
	mu       sync.Mutex
	requests []string
	// intercept answers in the fake's place when it returns true.
	intercept func(w http.ResponseWriter, r *http.Request, nth int) bool
}

func newFake() *fake {
	return &fake{lists: map[string][]object{}, vars: map[string]map[string]vars{}, labels: map[int][]string{}}
}

const project1 = "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"

func (f *fake) add(list string, o object, v vars) object {
	if o["id"] == nil {
		o["id"] = len(f.lists[list]) + 1
	}
	if _, has := o["project_id"]; !has && list != "projects" {
		o["project_id"] = project1
	}
	o["created_at"], o["updated_at"] = "2017-03-30T08:15:42.000000", nil
	f.lists[list] = append(f.lists[list], o)
	if f.vars[list] == nil {
		f.vars[list] = map[string]vars{}
	}
	if v == nil {
		v = vars{}
	}
	f.vars[list][fmt.Sprint(o["id"])] = v
	return o
}

func (f *fake) project(id string, v vars) { f.add("projects", object{"id": id, "name": "p"}, v) }

func (f *fake) cloud(name string, v vars) object {
	return f.add("clouds", object{"name": name, "note": nil}, v)
}

func (f *fake) region(cloud object, name string, v vars) object {
	return f.add("regions", object{"name": name, "note": nil, "cloud_id": cloud.id()}, v)
}

func (f *fake) cell(region object, name string, v vars) object {
	return f.add("cells", object{"name": name, "note": nil, "cloud_id": region["cloud_id"], "region_id": region.id()}, v)
}

// device adds a device; its place is a cell or a region. Ids of both kinds are one sequence.
func (f *fake) device(list string, place object, name string, v vars, more object) object {
	n := len(f.lists["hosts"]) + len(f.lists["network_devices"]) + 1
	o := object{"id": n, "name": name, "ip_address": fmt.Sprintf("10.0.%d.%d", n/256, n%256), "device_type": "server",
		"active": true, "parent_id": nil, "cloud_id": place["cloud_id"], "cell_id": nil, "region_id": place["id"]}
	if place["region_id"] != nil {
		o["region_id"], o["cell_id"] = place["region_id"], place["id"]
	}
	if list == "hosts" {
		o["note"] = nil
	} else {
		o["model_name"], o["os_version"], o["vlans"] = nil, nil, nil
	}
	maps.Copy(o, more)
	if labels, ok := o["labels"].([]string); ok {
		f.labels[n] = labels
	}
	delete(o, "labels")
	return f.add(list, o, v)
}

func (f *fake) host(place object, name string, v vars, more object) object {
	return f.device("hosts", place, name, v, more)
}

func (f *fake) netdev(place object, name string, v vars, more object) object {
	return f.device("network_devices", place, name, v, more)
}

// all returns the objects of a list.
func (f *fake) all(list string) []object {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lists[list]
}

// asked returns the requests so far.
func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

func (f *fake) get(list string, id int) object {
	for _, o := range f.all(list) {
		if o["id"] == id {
			return o
		}
	}
	return nil
}

func (f *fake) anyDevice(id int) (string, object) {
	for _, list := range []string{"hosts", "network_devices"} {
		if o := f.get(list, id); o != nil {
			return list, o
		}
	}
	return "", nil
}

// resolved returns the slow resolver that everything is tested against: from the farthest level to the nearest, each
// overwrites what was there (the v1 contract §5.2). It shares nothing with the package.
func (f *fake) resolved(list string, o object) vars {
	all := vars{}
	put := func(list string, id any) { maps.Copy(all, f.vars[list][fmt.Sprint(id)]) }
	put("projects", o["project_id"])
	switch list {
	case "regions":
		put("clouds", o["cloud_id"])
	case "cells":
		put("clouds", o["cloud_id"])
		put("regions", o["region_id"])
	case "hosts", "network_devices":
		put("clouds", o["cloud_id"])
		put("regions", o["region_id"])
		put("cells", o["cell_id"])
		var ancestors []func()
		for l, at := f.anyDevice(o.ref("parent_id")); at != nil && len(ancestors) < 1000; l, at = f.anyDevice(at.ref("parent_id")) {
			ancestors = append(ancestors, func() { put(l, at["id"]) })
		}
		for _, a := range slices.Backward(ancestors) {
			a()
		}
	}
	put(list, o["id"])
	return all
}

func (v vars) json() json.RawMessage {
	b := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(v)) {
		if i > 0 {
			b = append(b, ',')
		}
		quoted, _ := json.Marshal(name)
		b = append(append(append(b, quoted...), ':'), v[name]...)
	}
	return append(b, '}')
}

// client connects to the fake without a network, and without retries, so that a test's failures come through.
func (f *fake) client(options ...craton.Option) *craton.Client {
	c, err := craton.New("http://fake:7780", append([]craton.Option{craton.WithTransport(direct{f}), craton.WithRetries(0)}, options...)...)
	if err != nil {
		panic(err)
	}
	return c
}

type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/fleet" && !f.streams { // as the original
		fail(w, 404, "The requested URL was not found on the server.")
		return
	}
	f.mu.Lock()
	f.requests = append(f.requests, r.URL.RequestURI())
	nth := len(f.requests)
	f.mu.Unlock()
	if f.intercept != nil && f.intercept(w, r, nth) {
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	list := strings.ReplaceAll(parts[0], "-", "_")
	q := r.URL.Query()
	if list == "projects" && f.member {
		fail(w, 401, "This action requires the 'admin' role")
		return
	}
	switch {
	case list == "fleet":
		f.fleet(w, r, q)
	case len(parts) == 1:
		f.list(w, r, list, q)
	case len(parts) == 2:
		f.one(w, list, parts[1], q)
	case parts[2] == "labels":
		id, _ := strconv.Atoi(parts[1])
		answer(w, map[string]any{"labels": append([]string{}, f.labels[id]...)})
	default:
		f.one(w, list, parts[1], url.Values{"only": {"variables"}, "resolved-values": {cmp.Or(q.Get("resolved-values"), strconv.FormatBool(list == "hosts"))}})
	}
}

func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "message": message})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(body)
}

// body returns an object as it is shown.
func (f *fake) body(list string, o object, details bool, q url.Values) object {
	shown := maps.Clone(o)
	if list == "hosts" || list == "network_devices" {
		up := fmt.Sprintf("/v1/regions/%v", o["region_id"])
		if l, p := f.anyDevice(o.ref("parent_id")); p != nil {
			up = fmt.Sprintf("/v1/%s/%v", strings.ReplaceAll(l, "_", "-"), p["id"])
		}
		shown["links"] = []any{map[string]any{"rel": "up", "href": "http://fake:7780" + up}}
		if details && (f.tells || f.streams) {
			shown["labels"] = append([]string{}, f.labels[o.id()]...)
		}
	}
	if details {
		v := f.vars[list][fmt.Sprint(o["id"])]
		if r := q.Get("resolved-values"); list != "clouds" && list != "projects" && !strings.EqualFold(r, "false") {
			v = f.resolved(list, o)
		}
		shown["variables"] = v.json()
	}
	return shown
}

func (f *fake) one(w http.ResponseWriter, list, id string, q url.Values) {
	for _, o := range f.all(list) {
		if fmt.Sprint(o["id"]) != id {
			continue
		}
		shown := f.body(list, o, true, q)
		if q.Get("only") != "" {
			shown = object{"variables": shown["variables"]}
		}
		answer(w, shown)
		return
	}
	fail(w, 404, "Not Found")
}

func (f *fake) list(w http.ResponseWriter, r *http.Request, list string, q url.Values) {
	limit := 30
	if q.Has("limit") {
		limit, _ = strconv.Atoi(q.Get("limit"))
	}
	if limit < 10 || limit > 100 {
		fail(w, 400, "bad limit")
		return
	}
	rest := f.all(list)
	if m := q.Get("marker"); m != "" {
		at := slices.IndexFunc(rest, func(o object) bool { return fmt.Sprint(o["id"]) == m })
		if at < 0 {
			fail(w, 400, fmt.Sprintf("Marker %q does not exist", m))
			return
		}
		rest = rest[at+1:]
	}
	shown := []object{}
	details := strings.EqualFold(q.Get("details"), "true")
	for _, o := range rest {
		if len(shown) < limit && f.selects(list, o, q) {
			shown = append(shown, f.body(list, o, details, q))
		}
	}
	links := []any{}
	link := func(rel, marker string) {
		to := maps.Clone(q)
		to.Set("limit", strconv.Itoa(limit))
		to.Del("marker")
		if marker != "" {
			to.Set("marker", marker)
		}
		links = append(links, map[string]any{"rel": rel, "href": "http://elsewhere" + r.URL.Path + "?" + to.Encode()})
	}
	link("first", "")
	link("self", q.Get("marker"))
	if len(shown) > 0 {
		link("next", fmt.Sprint(shown[len(shown)-1]["id"]))
	}
	answer(w, map[string]any{list: shown, "links": links})
}

func (f *fake) selects(list string, o object, q url.Values) bool {
	for param, values := range q {
		want := values[0]
		switch param {
		case "id", "name", "cloud_id", "region_id", "cell_id", "device_type", "ip_address":
			have := fmt.Sprint(o[param])
			if text, other := f.spelled[o.ref("id")]; other && param == "ip_address" {
				have = text
			}
			if have != want {
				return false
			}
		case "label":
			if !slices.Contains(f.labels[o.id()], want) {
				return false
			}
		case "vars":
			name, value, _ := strings.Cut(want, ":")
			if f.resolved(list, o)[name] != value {
				return false
			}
		}
	}
	return true
}

// tag is that of all streams: what is in the fake does not change.
const tag = `"fake"`

// fleet answers /v1/fleet (docs/reference/beside-v1.md), from what walks of all lists give.
func (f *fake) fleet(w http.ResponseWriter, r *http.Request, q url.Values) {
	w.Header().Set("Etag", tag)
	w.Header().Set("X-Craton-Revision", "7-fake")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	n, in := 0, map[int]bool{}
	line := func(o object) {
		n++
		_ = e.Encode(o)
	}
	inside := func(o object, params ...string) bool {
		for _, param := range params {
			key := param
			if _, has := o[param]; !has {
				key = "id" // the place itself
			}
			if want := q.Get(param); want != "" && fmt.Sprint(o[key]) != want {
				return false
			}
		}
		return true
	}
	body := func(list string, o object) object {
		o = f.body(list, o, true, url.Values{"resolved-values": {"false"}})
		delete(o, "links")
		return o
	}
	_ = e.Encode(object{"fleet": object{"format": 1}})
	if !f.member {
		for _, o := range f.all("projects") {
			line(object{"project": body("projects", o)})
		}
	}
	part := q.Get("cell_id") + q.Get("region_id") + q.Get("cloud_id")
	for _, inner := range [][2]string{{"cells", "cell_id"}, {"regions", "region_id"}} { // what holds the place that is asked for
		id, _ := strconv.Atoi(q.Get(inner[1]))
		if o := f.get(inner[0], id); o != nil {
			for _, outer := range []string{"cloud_id", "region_id"} {
				if o[outer] != nil {
					q.Set(outer, fmt.Sprint(o[outer]))
				}
			}
		}
	}
	for _, o := range f.all("clouds") {
		if inside(o, "cloud_id") {
			line(object{"cloud": body("clouds", o)})
		}
	}
	for _, o := range f.all("regions") {
		if !inside(o, "cloud_id", "region_id") {
			continue
		}
		l := object{"region": body("regions", o)}
		if f.member {
			l["resolved"] = f.resolved("regions", o).json()
		}
		line(l)
	}
	for _, o := range f.all("cells") {
		if inside(o, "cloud_id", "region_id", "cell_id") {
			line(object{"cell": body("cells", o)})
		}
	}
	for _, list := range []string{"network_devices", "hosts"} {
		for _, o := range f.all(list) {
			if part == "" || inside(o, "cloud_id", "region_id") && (q.Get("cell_id") == "" || fmt.Sprint(o["cell_id"]) == q.Get("cell_id")) {
				line(object{strings.ReplaceAll(list[:len(list)-1], "_", "-"): body(list, o)})
				in[o.id()] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(in)) {
		_, o := f.anyDevice(id)
		for list, p := f.anyDevice(o.ref("parent_id")); p != nil && !in[p.id()]; list, p = f.anyDevice(p.ref("parent_id")) {
			in[p.id()] = true
			line(object{"outside": object{strings.ReplaceAll(list[:len(list)-1], "_", "-"): body(list, p)}})
		}
	}
	_ = e.Encode(object{"end": object{"count": n}})
}

// load, build and render are the whole way, for tests where nothing fails.
func (f *fake) load(t ansibletest.Failer, o Options) *Fleet {
	t.Helper()
	fleet, err := Load(context.Background(), f.client(), o)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return fleet
}

func (f *fake) document(t ansibletest.Failer, o Options) string {
	t.Helper()
	return render(t, f.load(t, o), o, false)
}

func render(t ansibletest.Failer, fleet *Fleet, o Options, pretty bool) string {
	t.Helper()
	doc, err := Build(fleet, o)
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return ansibletest.Text(t, doc, pretty)
}
