package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reading is one request that a client keeps the answer of.
type reading struct {
	who          caller
	path, accept string
	tag, body    string
	known        int
}

func (r *reading) String() string { return r.who.user + " " + r.path + " " + r.accept }

// ask sends the request, with the tag if the client has one.
func (f *fixture) ask(r *reading, conditional bool) (status int, tag, body string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.url+r.path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.who.sign(req)
	if r.accept != "" {
		req.Header.Set("Accept-Encoding", r.accept)
	}
	if conditional && r.tag != "" {
		req.Header.Set("If-None-Match", r.tag)
	}
	resp, data := do(f.t, req)
	if resp.StatusCode == 304 && len(data) > 0 {
		f.t.Errorf("%s: 304 with a body", r)
	}
	return resp.StatusCode, resp.Header.Get("Etag"), string(data)
}

// look asks with the tag, and checks what comes against what comes without: a
// 304 for an answer that is another one now is the lie that must not be.
func (f *fixture) look(r *reading, after string) {
	f.t.Helper()
	status, tag, body := f.ask(r, true)
	whole, now, want := f.ask(r, false)
	switch {
	case status == 304 && (whole != 200 || want != r.body || now != r.tag || tag != r.tag):
		f.t.Fatalf("%s, after %s: a 304 for %s, but it is %d with %s\n%s\nwas\n%s", r, after, r.tag, whole, now, want, r.body)
	case status == 304:
		r.known++
		return
	case status != whole || tag != now || body != want:
		f.t.Fatalf("%s, after %s: %d %s with a tag, %d %s without", r, after, status, tag, whole, now)
	case (status == 200) != (tag != ""):
		f.t.Fatalf("%s: %d with the tag %q", r, status, tag)
	}
	r.tag, r.body = tag, body
}

// readings are requests of all sorts, by everybody.
func (r *random) readings(t *tenants) (all []*reading) {
	paths := []string{
		"clouds", "clouds?name=c", "clouds?details=true", "regions", "regions?details=true", "regions?details=true&resolved-values=false", "regions?vars=a:1", "cells?details=true",
		"hosts", "hosts?details=true", "hosts?details=true&resolved-values=false", "hosts?vars=a:1", "hosts?vars=a:1&resolved-values=false", "hosts?label=l1&details=true",
		"network-devices", "network-devices?details=true", "networks?details=true", "network-interfaces", "devices", "devices?details=true", "devices?parent_id=1&descendants=true",
		"projects", "projects?details=true", "users", "fleet", "fleet?networks=true", "fleet?region_id=1", "ansible-inventory?region_id=1",
		"projects/" + t.a.project, "projects/" + t.a.project + "/variables", "projects/" + t.b.project,
	}
	for id := 1; id < 6; id++ {
		for _, path := range []string{"clouds/%d", "regions/%d", "regions/%d?resolved-values=false", "regions/%d/variables", "cells/%d", "hosts/%d", "hosts/%d?resolved-values=false", "hosts/%d/variables",
			"hosts/%d/labels", "network-devices/%d", "network-devices/%d/labels", "networks/%d", "network-interfaces/%d", "users/%d"} {
			paths = append(paths, fmt.Sprintf(path, id))
		}
	}
	for i, who := range []caller{t.root, t.a.admin, t.a.member, t.b.member} {
		for j, path := range paths {
			all = append(all, &reading{who: who, path: "/v1/" + path, accept: []string{"", "gzip", "zstd"}[(i+j)%3]})
		}
	}
	return all
}

// change writes something somewhere, which may be refused, and says what.
func (r *random) change(t *tenants) string {
	who := []caller{t.root, t.a.admin, t.a.member, t.b.member, t.a.member}[r.IntN(5)]
	id := strconv.Itoa(1 + r.IntN(8))
	method, path, body := "PUT", "", ""
	device := []string{"hosts", "network-devices"}[r.IntN(2)]
	switch r.IntN(16) {
	case 0, 1, 2:
		path = []string{"clouds", "regions", "cells", "networks"}[r.IntN(4)] + "/" + id + "/variables"
		body = fmt.Sprintf(`{"a":%d}`, r.IntN(3))
	case 3:
		path, body = device+"/"+id+"/variables", fmt.Sprintf(`{"a":%d}`, r.IntN(3))
	case 4:
		method, path, body = "DELETE", device+"/"+id+"/variables", `["a"]`
	case 5:
		path, body = "projects/"+[]string{t.a.project, t.b.project}[r.IntN(2)]+"/variables", fmt.Sprintf(`{"a":%d}`, r.IntN(3))
	case 6:
		path, body = device+"/"+id+"/labels", fmt.Sprintf(`{"labels":["l%d"]}`, r.IntN(3))
	case 7:
		method, path, body = "DELETE", device+"/"+id+"/labels", fmt.Sprintf(`{"labels":["l%d"]}`, r.IntN(3))
	case 8:
		path, body = device+"/"+id, fmt.Sprintf(`{"device_type":"t%d"}`, r.IntN(3))
	case 9:
		path, body = device+"/"+id, fmt.Sprintf(`{"parent_id":%s}`, []string{"null", strconv.Itoa(1 + r.IntN(8))}[r.IntN(2)])
	case 10:
		method, path, body = "POST", device+"/"+id+"/move", fmt.Sprintf(`{"region_id":%d}`, 1+r.IntN(5))
	case 11:
		method, path, body = "POST", "cells/"+id+"/move", fmt.Sprintf(`{"region_id":%d}`, 1+r.IntN(5))
	case 12:
		method, path = "DELETE", []string{"hosts", "network-devices", "network-interfaces", "networks", "cells"}[r.IntN(5)]+"/"+id
	case 13:
		r.names++
		method, path, body = "POST", "hosts", fmt.Sprintf(`{"name":"new%d","ip_address":"10.1.0.%d","device_type":"x","cloud_id":%d,"region_id":%d}`, r.names, r.IntN(250), 1+r.IntN(2), 1+r.IntN(4))
	case 14:
		path, body = []string{"clouds", "regions", "cells"}[r.IntN(3)]+"/"+id, fmt.Sprintf(`{"note":"n%d"}`, r.IntN(3))
	case 15:
		r.names++
		method, path, body = "POST", "users", fmt.Sprintf(`{"username":"u%d","project_id":"%s"}`, r.names, who.project)
	}
	status := r.call(who, method, "/v1/"+path, body).Status
	if status >= 500 {
		r.t.Fatalf("%s %s %s: %d", method, path, body, status)
	}
	return fmt.Sprintf("%s %s %s (%d)", method, path, body, status)
}

// TestTagsNeverLie: after any write, a read with an old tag gets a 304 only if the answer is what it was.
func TestTagsNeverLie(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			tenants := newTenants(t)
			r := &random{tenants.fixture, rand.New(rand.NewPCG(seed, 2)), 0}
			r.fill(tenants.a.member)
			r.fill(tenants.b.member)
			all := r.readings(tenants)
			asked := 0
			for range 150 {
				after := r.change(tenants)
				for range 30 {
					r.look(all[r.IntN(len(all))], after)
					asked++
				}
			}
			known, answers := 0, 0
			for _, one := range all {
				r.look(one, "all of it")
				known += one.known
				if one.tag != "" {
					answers++
				}
			}
			if known < asked/10 || answers < len(all)/2 {
				t.Errorf("%d of %d were known, %d of %d have answers: the test shows less than it should", known, asked, answers, len(all))
			}
		})
	}
}

// TestTagsStay: what a write has nothing to do with keeps its tag.
func TestTagsStay(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	in := func(path, body string) string { return f.must(a.member, 201, "POST", "/v1/"+path, body).id(t) }
	place := `"cloud_id":` + a.cloud + `,"region_id":` + a.region
	other := in("hosts", `{"name":"other","ip_address":"10.0.0.9","device_type":"x",`+place+`}`)
	child := in("hosts", `{"name":"child","ip_address":"10.0.0.8","device_type":"x","parent_id":`+a.host+`,`+place+`}`)
	host, region := "/v1/hosts/"+a.host, "/v1/regions/"+a.region
	tag := func(path string) string {
		t.Helper()
		r := f.must(a.member, 200, "GET", path, "")
		return r.Header.Get("Etag")
	}
	paths := []string{
		host, host + "?resolved-values=false", host + "/labels", "/v1/hosts/" + other, "/v1/hosts/" + child, "/v1/hosts/" + child + "?resolved-values=false", region, region + "?resolved-values=false",
		"/v1/clouds", "/v1/regions", "/v1/regions?details=true", "/v1/hosts", "/v1/hosts?details=true", "/v1/hosts?details=true&resolved-values=false", "/v1/networks", "/v1/network-devices?details=true",
		"/v1/network-interfaces", "/v1/fleet", "/v1/fleet?networks=true", "/v1/hosts?vars=a:1", "/v1/hosts?vars=a:1&resolved-values=false",
	}
	for _, step := range []struct {
		who                caller
		method, path, body string
		changes            []string
	}{
		{f.b.member, "PUT", "/v1/hosts/" + f.b.host + "/variables", `{"a":1}`, nil}, // another project
		{f.b.admin, "POST", "/v1/users", `{"username":"x","project_id":"` + f.b.project + `"}`, nil},
		{a.admin, "POST", "/v1/users", `{"username":"y","project_id":"` + a.project + `"}`, nil}, // nothing of the fleet
		{a.member, "PUT", host, `{"device_type":"x"}`, nil},                                      // what it is already
		{a.member, "PUT", host + "/labels", `{"labels":["web"]}`, nil},
		{a.member, "POST", "/v1/hosts", `{"name":"h","ip_address":"10.0.0.1","device_type":"x",` + place + `}`, nil}, // refused
		{a.member, "PUT", "/v1/networks/" + a.network, `{"netmask":"n"}`, []string{"/v1/networks", "/v1/fleet?networks=true"}},
		{a.member, "PUT", "/v1/hosts/" + other + "/variables", `{"a":1}`, []string{
			"/v1/hosts/" + other, "/v1/hosts", "/v1/hosts?details=true", "/v1/hosts?details=true&resolved-values=false", "/v1/network-devices?details=true", "/v1/fleet", "/v1/fleet?networks=true",
			"/v1/hosts?vars=a:1", "/v1/hosts?vars=a:1&resolved-values=false"}},
		{a.member, "PUT", host + "/variables", `{"a":1}`, []string{
			host, host + "?resolved-values=false", host + "/labels", "/v1/hosts/" + child, "/v1/hosts", "/v1/hosts?details=true", "/v1/hosts?details=true&resolved-values=false",
			"/v1/network-devices?details=true", "/v1/fleet", "/v1/fleet?networks=true", "/v1/hosts?vars=a:1", "/v1/hosts?vars=a:1&resolved-values=false"}},
		{a.member, "PUT", region + "/variables", `{"a":1}`, []string{
			region, region + "?resolved-values=false", host, "/v1/hosts/" + other, "/v1/hosts/" + child, "/v1/regions", "/v1/regions?details=true", "/v1/hosts?details=true",
			"/v1/network-devices?details=true", "/v1/fleet", "/v1/fleet?networks=true", "/v1/hosts?vars=a:1"}},
		{a.admin, "PUT", "/v1/projects/" + a.project + "/variables", `{"a":1}`, []string{
			region, host, "/v1/hosts/" + other, "/v1/hosts/" + child, "/v1/regions?details=true", "/v1/hosts?details=true", "/v1/network-devices?details=true", "/v1/fleet", "/v1/fleet?networks=true",
			"/v1/hosts?vars=a:1"}},
	} {
		before := map[string]string{}
		for _, path := range paths {
			before[path] = tag(path)
		}
		f.call(step.who, step.method, step.path, step.body)
		var changed []string
		for _, path := range paths {
			if tag(path) != before[path] {
				changed = append(changed, path)
			}
		}
		slices.Sort(changed)
		slices.Sort(step.changes)
		if !slices.Equal(changed, step.changes) {
			t.Errorf("%s %s %s changes the tags of\n%s\nwant\n%s", step.method, step.path, step.body, strings.Join(changed, "\n"), strings.Join(step.changes, "\n"))
		}
	}
}

// TestTagsDependOnTheRequest: a tag is of one answer only, whoever asked and however.
func TestTagsDependOnTheRequest(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	seen := map[string]string{}
	var tags []string
	for _, r := range []*reading{
		{who: f.a.member, path: "/v1/hosts/" + f.a.host}, {who: f.a.member, path: "/v1/hosts/" + f.a.host + "?resolved-values=false"}, {who: f.a.admin, path: "/v1/hosts/" + f.a.host},
		{who: f.root, path: "/v1/hosts/" + f.a.host}, {who: f.a.member, path: "/v1/hosts/" + f.a.host, accept: "gzip"}, {who: f.a.member, path: "/v1/hosts/" + f.a.host, accept: "zstd"},
		{who: f.a.member, path: "/v1/hosts/" + f.a.host + "/labels"}, {who: f.a.member, path: "/v1/hosts"}, {who: f.a.member, path: "/v1/hosts?limit=10"}, {who: f.b.member, path: "/v1/hosts"},
	} {
		status, tag, _ := f.ask(r, false)
		if status != 200 || seen[tag] != "" {
			t.Errorf("%s: %d, and the tag %s is that of %s", r, status, tag, seen[tag])
		}
		seen[tag] = r.String()
		tags = append(tags, tag)
		r.tag = `"x.y.z", W/` + tag + `, "other"`
		if status, again, _ := f.ask(r, true); status != 304 || again != tag {
			t.Errorf("%s: %d %s among others", r, status, again)
		}
		r.tag = "*"
		if status, _, _ := f.ask(r, true); status != 304 {
			t.Errorf("%s: %d with *", r, status)
		}
		r.tag = strings.Join(tags[:len(tags)-1], ",")
		if status, _, _ := f.ask(r, true); status != 200 {
			t.Errorf("%s: %d with the tags of others", r, status)
		}
	}
	base := &reading{who: f.a.member, path: "/v1/hosts/" + f.a.host}
	req, err := http.NewRequestWithContext(t.Context(), "HEAD", f.url+base.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	base.who.sign(req)
	req.Host = "elsewhere.example"
	resp, _ := do(t, req)
	if tag := resp.Header.Get("Etag"); tag == "" || seen[tag] != "" || resp.Header.Get("X-Craton-Revision") == "" || resp.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("by another name: %v", resp.Header)
	}
	for _, path := range []string{"/v1/hosts/99", "/v1/hosts?marker=99"} {
		if r := f.call(f.root, "GET", path, ""); r.Header.Get("Etag") != "" || r.Header.Get("X-Craton-Revision") != "" {
			t.Errorf("%s: an error with a tag: %v", path, r.Header)
		}
	}
}

// TestConditionalWrites: a write with If-Match is carried out only on what the
// client has seen, whatever else was written.
func TestConditionalWrites(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	write := func(who caller, method, path, body, tag string) reply {
		req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		who.sign(req)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("If-Match", tag)
		resp, data := do(t, req)
		return reply{Status: resp.StatusCode, Header: resp.Header, Text: string(data)}
	}
	tag := func(path string) string { return f.must(a.member, 200, "GET", path, "").Header.Get("Etag") }
	host, region := "/v1/hosts/"+a.host, "/v1/regions/"+a.region
	type step struct{ method, path, body string }
	for _, s := range []step{
		{"PUT", host, `{"note":"%d"}`}, {"PUT", host + "/variables", `{"v":%d}`}, {"DELETE", host + "/variables", `["v"]`}, {"PUT", host + "/labels", `{"labels":["l%d"]}`},
		{"DELETE", host + "/labels", `{"labels":["web"]}`}, {"POST", host + "/move", `{"cell_id":` + a.cell + `}`}, {"PUT", region, `{"note":"%d"}`}, {"PUT", "/v1/cells/" + a.cell, `{"note":"%d"}`},
		{"PUT", "/v1/networks/" + a.network, `{"netmask":"%d"}`}, {"PUT", "/v1/network-interfaces/" + a.port, `{"port":%d}`},
		{"DELETE", "/v1/network-interfaces/" + a.port, ""}, {"DELETE", host, ""}, {"DELETE", "/v1/cells/" + a.cell, ""}, {"DELETE", region, ""},
	} {
		object := strings.Join(strings.Split(s.path, "/")[:4], "/")
		body := func(n int) string { return strings.ReplaceAll(s.body, "%d", strconv.Itoa(n)) }
		old := tag(object)
		if strings.HasPrefix(object, "/v1/network-interfaces") {
			f.must(a.member, 200, "PUT", object, `{"duplex":"`+s.method+`"}`)
		} else {
			f.must(a.member, 200, "PUT", object+"/variables", `{"touched":"`+s.method+s.path+`"}`)
		}
		now := tag(object)
		before := f.must(a.member, 200, "GET", object, "").Text
		for _, wrong := range []string{old, "", ",", `"x"`, tag("/v1/hosts"), `W/"nonsense`, `"0-1.0-1.x"`} {
			if r := write(a.member, s.method, s.path, body(1), wrong); r.Status != 412 || !strings.Contains(r.Text, "has changed since it was read") {
				t.Errorf("%s %s with %s: %d %s", s.method, s.path, wrong, r.Status, r.Text)
			}
		}
		if after := f.must(a.member, 200, "GET", object, "").Text; after != before {
			t.Errorf("%s %s was refused, and changed something", s.method, s.path)
		}
		// What others write does not matter, be it to what the object inherits from.
		f.must(a.member, 200, "PUT", "/v1/clouds/"+a.cloud+"/variables", `{"touched":"`+s.method+s.path+`"}`)
		f.must(f.b.member, 200, "PUT", "/v1/clouds/"+f.b.cloud+"/variables", `{"touched":"`+s.method+s.path+`"}`)
		if r := write(a.member, s.method, s.path, body(2), `"other", `+now); r.Status/100 != 2 {
			t.Errorf("%s %s with its tag: %d %s", s.method, s.path, r.Status, r.Text)
		}
	}
	// Where nothing is, nothing is changed.
	for path, want := range map[string]int{"/v1/hosts/99": 404, host: 404} {
		if r := write(a.member, "PUT", path, `{"note":"x"}`, "*"); r.Status != want {
			t.Errorf("PUT %s: %d", path, r.Status)
		}
		if r := write(a.member, "DELETE", path, "", `"1-x.y.z"`); r.Status != 412 {
			t.Errorf("DELETE %s: %d", path, r.Status)
		}
	}
	cloud := "/v1/clouds/" + a.cloud
	if r := write(a.member, "PUT", cloud, `{"note":"x"}`, "*"); r.Status != 200 {
		t.Errorf("PUT with *: %d %s", r.Status, r.Text)
	}
	for _, path := range []string{cloud + "/variables", cloud} { // any answer about it has what it takes
		if r := write(a.member, "PUT", cloud, `{"note":"`+path+`"}`, tag(path)); r.Status != 200 {
			t.Errorf("PUT with the tag of %s: %d %s", path, r.Status, r.Text)
		}
	}
	if r := write(a.member, "DELETE", "/v1/clouds/"+f.b.cloud, "", `"1-x.y.z"`); r.Status != 412 { // another project's, which is not there
		t.Errorf("DELETE of another project's: %d", r.Status)
	}
}
