package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhere: lists of every kind take terms, page through what they find with links that have them in one form, and are
// refused what they do not know. What terms mean is shown in package store.
func TestWhere(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	in := func(path, body string) string { return f.must(a.member, 201, "POST", "/v1/"+path, body).id(t) }
	place := `"cloud_id":` + a.cloud + `,"region_id":` + a.region
	for i := range 25 {
		in("hosts", fmt.Sprintf(`{"name":"web-%02d","ip_address":"10.20.0.%d","device_type":"server","note":"n%d",%s,"labels":["web","w%d"],"variables":{"n":%d,"own":"text"}}`, i, i, i, place, i%2, i%3))
	}
	sw := in("network-devices", `{"name":"sw","ip_address":"10.0.0.3","device_type":"x","model_name":"X 1",`+place+`}`)
	in("hosts", `{"name":"blade","ip_address":"10.0.0.9","device_type":"x","parent_id":`+sw+`,`+place+`,"cell_id":`+a.cell+`}`)
	names := func(who caller, path, where string, more ...string) string {
		t.Helper()
		key := strings.ReplaceAll(path, "-", "_")
		var found []string
		for next := f.url + "/v1/" + path + "?limit=10&where=" + url.QueryEscape(where) + strings.Join(more, ""); next != ""; {
			r := f.must(who, 200, "GET", strings.TrimPrefix(next, f.url), "")
			next = ""
			lists := map[string]any{key: r.JSON[key]}
			if path == "devices" {
				lists = r.JSON["devices"].(map[string]any)
			}
			for _, of := range []string{key, "hosts", "network-devices"} {
				list, _ := lists[of].([]any)
				for _, o := range list {
					found = append(found, o.(map[string]any)["name"].(string))
				}
				delete(lists, of)
			}
			for _, link := range r.JSON["links"].([]any) {
				if l := link.(map[string]any); l["rel"] == "next" && len(found)%10 == 0 {
					next = l["href"].(string)
				}
			}
		}
		return strings.Join(found, " ")
	}
	for _, path := range []string{"network-devices/" + sw, "cells/" + a.cell} {
		f.must(a.member, 200, "PUT", "/v1/"+path+"/protected", `{"protected":true}`)
	}
	for _, tc := range []struct{ path, where, want string }{
		{"network-devices", `protected=true`, "sw"}, {"devices", `protected=true`, "sw"}, {"devices", `type=x protected=false`, "h blade"}, {"cells", `protected=true`, "l"}, {"hosts", `protected=true`, ""},
		{"regions", `protected!=true`, "r"}, {"clouds", `protected=true,false`, "c"},
		{"hosts", `name=web-0*,web-1? label=w1`, "web-01 web-03 web-05 web-07 web-09 web-11 web-13 web-15 web-17 web-19"},
		{"hosts", `n=2 name=web-*`, "web-02 web-05 web-08 web-11 web-14 web-17 web-20 web-23"},
		{"hosts", `n!=0,1 label=web ip=10.20.0.0/28`, "web-02 web-05 web-08 web-11 web-14"},
		{"hosts", `secret=a own:own`, "h web-00 web-01 web-02 web-03 web-04 web-05 web-06 web-07 web-08 web-09 web-10 web-11 web-12 web-13 web-14 web-15 web-16 web-17 web-18 web-19 web-20 web-21 web-22 web-23 web-24"},
		{"hosts", `secret=b`, ""}, {"hosts", `own:secret`, ""}, {"hosts", `!own`, "blade"}, {"hosts", `parent=sw cell=c/r/l active=true`, "blade"}, {"hosts", `cloud=other`, ""},
		{"network-devices", `model_name="X 1" type=x region=c/r`, "sw"}, {"devices", `type=x !label`, "blade sw"},
		{"clouds", `name=c`, "c"}, {"clouds", `secret`, ""}, {"regions", `cloud=c secret=a`, "r"}, {"regions", `region=c/r`, "r"}, {"cells", `region=r`, "l"}, {"networks", `cidr=c cell!=l`, "n"},
	} {
		if got := names(a.member, tc.path, tc.where); got != tc.want {
			t.Errorf("%s where %s: %q, want %q", tc.path, tc.where, got, tc.want)
		}
	}
	if got := names(f.b.member, "hosts", "name=*"); got != "h" {
		t.Errorf("another project sees %q", got)
	}
	if got := names(f.root, "hosts", "name=h"); got != "h h" {
		t.Errorf("root sees %q", got)
	}
	// It stands beside the other parameters, also where these look one object up.
	if got := names(a.member, "hosts", "label=web", "&device_type=server&name=web-03&sort_keys=name&vars=n:0"); got != "web-03" {
		t.Errorf("with other parameters: %q", got)
	}
	if got := names(a.member, "clouds", "name=c*", "&name=c"); got != "c" {
		t.Errorf("with a name: %q", got)
	}
	// Links have the terms in their one form, and a page has one before it.
	r := f.must(a.member, 200, "GET", "/v1/hosts?limit=10&where="+url.QueryEscape(` label="web"  !n=7  name=web-**`), "")
	if want := "where=" + url.QueryEscape(`label=web n!=7 name=web-*`); strings.Count(r.Text, want) != 4 && strings.Count(r.Text, want) != 3 {
		t.Errorf("links without %s: %s", want, r.Text)
	}
	// The tag is of the question and of all that the answer depends on.
	ask := func(tag, where string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/v1/hosts?where="+url.QueryEscape(where), nil)
		if err != nil {
			t.Fatal(err)
		}
		a.member.sign(req)
		req.Header.Set("If-None-Match", tag)
		resp, _ := do(t, req)
		return resp
	}
	tag := ask("", "region=r n=1").Header.Get("Etag")
	if got := ask(tag, "region=r n=1").StatusCode; got != 304 {
		t.Errorf("asked again: %d", got)
	}
	if got := ask(tag, "region=r n=2").StatusCode; got != 200 {
		t.Errorf("asked for others: %d", got)
	}
	f.must(a.member, 200, "PUT", "/v1/regions/"+a.region, `{"name":"r2"}`)
	if got := ask(tag, "region=r n=1").StatusCode; got != 200 {
		t.Errorf("asked after the region has another name: %d", got)
	}
	// The past is asked in the same way.
	now := f.must(a.member, 200, "GET", "/v1/capabilities", "").JSON["revision"].(string)
	f.must(a.member, 200, "PUT", "/v1/hosts/"+a.host+"/variables", `{"n":2}`)
	for at, want := range map[string]string{"": "h", "&at=" + now: ""} {
		if got := names(a.member, "hosts", "n=2 ip=10.0.0.0/16", at); got != want {
			t.Errorf("at %q: %q, want %q", at, got, want)
		}
	}
	// Refusals name the term.
	for where, want := range map[string]string{
		``:           `where: a term is missing, such as name=web-* or label=web`,
		`lable=web`:  `where: "lable=web" (column 1): a host has no field "lable"; for a variable of that name, write vars.lable; did you mean "label"?`,
		`a=1 ip=x`:   `where: "ip=x" (column 5): "x" is not a valid value of the field ip: it must be an address such as 10.20.0.11, or a range such as 10.20.0.0/16`,
		"name=a\x00": `where: it contains a NUL character, which databases cannot store; remove it`,
	} {
		if d := cmp.Diff(want, f.call(a.member, "GET", "/v1/hosts?where="+url.QueryEscape(where), "").message()); d != "" {
			t.Error(d)
		}
		f.status(a.member, 400, "GET", "/v1/hosts?where="+url.QueryEscape(where), "")
	}
	f.status(a.member, 400, "GET", "/v1/regions?where=label%3Dweb", "")
	for _, path := range []string{"network-interfaces", "fleet", "changes"} {
		f.status(a.member, 400, "GET", "/v1/"+path+"?where=name%3Da", "")
	}
}

// TestQueriesAreUTF8: a value that is not UTF-8 is refused where the original server has no such parameter, instead of
// matching nothing; parameters of the original server are read as there.
func TestQueriesAreUTF8(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	original := []string{"hosts?name=%ff%fe", "hosts?vars=%22a%22:%ff", "devices?vars=a:%22%ff%22", "hosts?where=name=%c3%bc", "clouds?where=name=%zz", "hosts?marker=%ff", "fleet?cloud_id=1"}
	refused := map[string]string{
		"hosts?where=name=%ff%fe": "where", "hosts?name=x&where=name=%c3": "where", "devices?where=note~%FF": "where", "clouds?at=%ff": "at",
		"clouds?at=1&concealed=omit%ff": "concealed", "hosts/1?at=%ff": "at", "clouds/1/variables?at=%ff": "at", "ansible-inventory?at=%ff": "at",
		"fleet?cloud_id=%ff": "cloud_id", "fleet?at=%ff": "at", "changes?after=%ff": "after", "changes?user=%ff": "user", "changes?request_id=a%ff": "request_id", "changes?setters=%ff": "setters",
		"history?user=%ff": "user", "history?kind=%ff": "kind", "diff?from=%ff": "from", "protected?project_id=%ff": "project_id", "clouds/1/protected?at=%ff": "at",
		"prometheus?label=%ff": "label", "prometheus?vars=%ff": "vars", "prometheus?port=%ff": "port", "capabilities?at=%ff": "at", "sets?bogus=%ff": "bogus", "users/1/keys?bogus=%ff": "bogus",
	}
	for _, path := range original {
		if r := f.call(f.root, "GET", "/v1/"+path, ""); strings.Contains(r.message(), "UTF-8") {
			t.Errorf("%s: %d %s", path, r.Status, r.message())
		}
	}
	f.must(f.root, 200, "GET", "/v1/hosts?name=%ff%fe", "")
	for path, name := range refused {
		for _, method := range []string{"GET", "HEAD"} {
			r := f.must(f.root, 400, method, "/v1/"+path, "")
			if method == "GET" && !strings.HasPrefix(r.message(), name+": the value is not UTF-8") {
				t.Errorf("%s: %s", path, r.message())
			}
		}
	}
}
