package server_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBulk: all objects that satisfy terms are edited as one, shown before, all or nothing, and taken back as one.
func TestBulk(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	in := func(path, body string) string { return f.must(a.member, 201, "POST", "/v1/"+path, body).id(t) }
	place := `"cloud_id":` + a.cloud + `,"region_id":` + a.region
	for i := range 150 {
		in("hosts", fmt.Sprintf(`{"name":"web-%03d","ip_address":"10.20.0.%d","device_type":"server",%s,"labels":["web"],"variables":{"ntp":"old-%d","keep":1}}`, i, i, place, i%2))
	}
	bulk := func(body string) reply {
		t.Helper()
		return f.must(a.member, 200, "POST", "/v1/bulk", body)
	}
	count := func(where string) int {
		t.Helper()
		r := f.must(a.member, 200, "POST", "/v1/bulk", `{"kind":"host","where":`+quoted(where)+`,"variables":{"never":1},"check":true}`)
		n, _ := r.JSON["count"].(json.Number).Int64()
		return int(n)
	}

	const edit = `{"kind":"host","where":"label=web name=web-*","variables":{"ntp":"new","keep":1},"remove_variables":["none"],"update":{"note":"edited","active":false},"add_labels":["web","done"]`
	shown := bulk(edit + `,"check":true}`)
	if d := cmp.Diff(`[map[after:new before:old-0 count:75 name:ntp what:variable] map[after:new before:old-1 count:75 name:ntp what:variable]]`, fmt.Sprint(shown.JSON["effects"].([]any)[3:])); d != "" {
		t.Errorf("effects: %v\n%s", shown.JSON["effects"], d)
	}
	if d := cmp.Diff(`[map[after:edited before:<nil> count:150 name:note what:field] map[after:true count:150 name:done what:label]]`, fmt.Sprint(shown.JSON["effects"].([]any)[1:3])); d != "" {
		t.Error(d)
	}
	if got := fmt.Sprintln(shown.JSON["count"], shown.JSON["changed"], shown.JSON["revision"], len(shown.objects(t, "objects")), shown.objects(t, "objects")[0]["path"]); got != "150 150 <nil> 100 c/r/web-000\n" {
		t.Errorf("shown: %s", got)
	}
	if n := count("ntp=new"); n != 0 {
		t.Fatalf("what was only shown is done to %d", n)
	}
	matched := shown.JSON["matched"].(string)
	id := in("hosts", `{"name":"web-new","ip_address":"10.20.0.9","device_type":"server",`+place+`,"labels":["web"]}`)
	if got := f.call(a.member, "POST", "/v1/bulk", edit+`,"expect":"`+matched+`"}`); got.Status != 409 || got.message() != "Other objects match than in the preview: 151 hosts now. Check again." {
		t.Errorf("others than those shown: %d %s", got.Status, got.message())
	}
	f.must(a.member, 204, "DELETE", "/v1/hosts/"+id, "")
	preview := shown.JSON["preview"].(string)
	f.must(a.member, 200, "PUT", "/v1/hosts/"+fmt.Sprint(shown.objects(t, "objects")[0]["id"])+"/variables", `{"ntp":"of somebody else"}`)
	if got := f.call(a.member, "POST", "/v1/bulk", edit+`,"expect":"`+preview+`"}`); got.Status != 409 || got.message() != "The hosts, or their values, have changed since the preview. Check again." {
		t.Errorf("something else than what was shown: %d %s", got.Status, got.message())
	}
	f.must(a.member, 200, "PUT", "/v1/hosts/"+fmt.Sprint(shown.objects(t, "objects")[0]["id"])+"/variables", `{"ntp":"old-0"}`)
	if again := bulk(edit + `,"check":true}`).JSON["preview"]; again != preview {
		t.Errorf("the same would be done, and has another name: %s, %s", again, preview)
	}
	done := bulk(edit + `,"expect":"` + preview + `"}`)
	if done.JSON["revision"] == nil || count("ntp=new note=edited active=false label=done keep=1") != 150 {
		t.Fatalf("not done: %.500s", done.Text)
	}
	again := bulk(edit + `,"expect":150}`)
	if got := fmt.Sprintln(again.JSON["count"], again.JSON["changed"], again.JSON["revision"]); got != "150 0 <nil>\n" {
		t.Errorf("twice: %s", got)
	}
	// One revision, one request, and one undo.
	revision, _, _ := strings.Cut(done.JSON["revision"].(string), "-")
	changes := f.must(f.root, 200, "GET", "/v1/history?limit=5", "")
	request := changes.objects(t, "events")[0]["request_id"].(string)
	for _, e := range changes.objects(t, "events") {
		if e["request_id"] != request || fmt.Sprint(e["revision"]) != revision {
			t.Errorf("an event of another request: %v", e)
		}
	}
	f.must(a.member, 200, "POST", "/v1/undo", `{"request_id":"`+request+`"}`)
	if count("ntp=new") != 0 || count("ntp=old-*") != 150 || count("label=done") != 0 || count("note=edited") != 0 {
		t.Error("the undo of the request does not bring everything back")
	}
	// Exact labels, removal, and a delete with what goes along.
	bulk(`{"kind":"host","where":"name=web-00*","labels":["x","y"]}`)
	bulk(`{"kind":"host","where":"label=x","remove_labels":["y","z"],"remove_variables":["ntp"]}`)
	if count("label=x") != 10 || count("label=y") != 0 || count("label=web") != 141 || count("!ntp label=x") != 10 {
		t.Error("labels and removal")
	}
	child := in("hosts", `{"name":"child","ip_address":"10.20.0.9","device_type":"server",`+place+`,"parent_id":`+f.hostID(a, "web-000")+`}`)
	in("network-interfaces", `{"name":"eth0","device_id":`+child+`,"interface_type":"x","ip_address":"10.0.0.1"}`)
	if got := f.call(a.member, "POST", "/v1/bulk", `{"kind":"host","where":"label=x","delete":true}`); got.Status != 409 || !strings.Contains(got.message(), `host "child"`) || count("label=x") != 10 {
		t.Errorf("what others need: %d %s", got.Status, got.message())
	}
	one := f.hostID(a, "web-005")
	f.must(a.member, 200, "PUT", "/v1/hosts/"+one+"/protected", `{"protected":true}`)
	if got := f.call(a.member, "POST", "/v1/bulk", `{"kind":"host","where":"name=web-00*,child","delete":true}`); got.Status != 409 || !strings.Contains(got.message(), `"web-005"`) || count("name=web-00*,child") != 11 {
		t.Errorf("what is protected: %d %s", got.Status, got.message())
	}
	bulk(`{"kind":"host","where":"name=web-00*","protected":false}`)
	gone := bulk(`{"kind":"host","where":"name=web-00*,child","delete":true,"expect":11}`)
	if got := fmt.Sprintln(gone.JSON["count"], gone.JSON["with"]); got != "11 map[network-interface:1]\n" || count("name=web-00*,child") != 0 {
		t.Errorf("deleted: %s", got)
	}
	bulk(`{"kind":"region","where":"name=r","variables":{"at":"region"},"update":{"note":"n"}}`)
	if count("at=region") != 141 {
		t.Errorf("%d hosts inherit of the region", count("at=region"))
	}
	// Nothing of others.
	if got := f.must(f.b.member, 200, "POST", "/v1/bulk", `{"kind":"host","where":"name=*","variables":{"x":1}}`); fmt.Sprint(got.JSON["count"]) != "1" {
		t.Errorf("another project: %s", got.Text)
	}
	for body, want := range map[string]string{
		`{"kind":"host","where":"name=*"}`:                                                 "there is nothing to do",
		`{"kind":"host","variables":{"a":1}}`:                                              "'where' is a required property: for all objects it is name=*",
		`{"kind":"user","where":"name=*","delete":true}`:                                   "kind: must be one of cloud, region, cell, host, network-device, network",
		`{"where":"name=*","delete":true}`:                                                 "kind: must be one of",
		`{"kind":"host","where":"lable=x","delete":true}`:                                  `where: "lable=x" (column 1)`,
		`{"kind":"host","where":"name=*","delete":true,"variables":{}}`:                    "what is deleted is not edited",
		`{"kind":"host","where":"name=*","update":{"name":"x"}}`:                           "the name of many objects is not changed at once",
		`{"kind":"host","where":"name=*","update":{"region_id":1,"x":1}}`:                  "were unexpected",
		`{"kind":"host","where":"name=*","update":{"ip_address":"x"}}`:                     "is not an IPv4 or IPv6 address",
		`{"kind":"region","where":"name=*","add_labels":["x"]}`:                            "a region has no labels",
		`{"kind":"host","where":"name=*","labels":["x"],"add_labels":["y"]}`:               "give it without 'add_labels'",
		`{"kind":"host","where":"name=*","x":1,"delete":true}`:                             "('x' was unexpected)",
		`{"kind":"host","where":"name=web-1*","update":{"parent_id":` + a.network + `99}}`: "there is no such device",
		`[]`: "is not of type 'object'",
	} {
		if got := f.call(a.member, "POST", "/v1/bulk", body); got.Status != 400 || !strings.Contains(got.message(), want) {
			t.Errorf("%s: %d %s, want %s", body, got.Status, got.message(), want)
		}
	}
	f.status(a.member, 405, "GET", "/v1/bulk", "")
	f.status(a.member, 404, "GET", "/v1/bulk/1", "")
}

// TestBulkMove moves and protects many objects as one, with what a move of one refuses.
func TestBulkMove(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	f.must(f.root, 201, "POST", "/v1/regions", `{"name":"s","cloud_id":1}`)
	f.must(f.root, 201, "POST", "/v1/cells", `{"name":"m","cloud_id":1,"region_id":2}`)
	host := func(name, region, more string) {
		f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"`+name+`","ip_address":"10.0.0.1","device_type":"x","cloud_id":1,"region_id":`+region+more+`}`)
	}
	for i := range 3 {
		host(fmt.Sprintf("web-%d", i), "1", `,"cell_id":1`)
	}
	host("db-0", "2", "")
	host("db-1", "1", "")
	count := func(where string, want int) {
		t.Helper()
		if got := len(f.must(f.root, 200, "GET", "/v1/hosts?where="+url.QueryEscape(where), "").objects(t, "hosts")); got != want {
			t.Errorf("%s: %d, not %d", where, got, want)
		}
	}
	bulk := func(body, want string) {
		t.Helper()
		r := f.must(f.root, 200, "POST", "/v1/bulk", body)
		var effects []string
		for _, e := range r.JSON["effects"].([]any) {
			e := e.(map[string]any)
			effects = append(effects, fmt.Sprint(e["name"], " ", e["before"], " ", e["after"], " ", e["count"]))
		}
		if got := fmt.Sprint(r.JSON["changed"], " of ", r.JSON["count"], ": ", strings.Join(effects, ", ")); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	const move = `{"kind":"host","where":"name=web-*,db-0","move":{"region_id":2,"cell_id":2},"update":{"note":"n"},"protected":true`
	const done = "4 of 4: note <nil> n 4, protected false true 4, cell_id 1 2 3, region_id 1 2 3, cell_id <nil> 2 1"
	bulk(move+`,"check":true}`, done)
	count("cell=m", 0)
	bulk(move+`}`, done)
	bulk(move+`}`, "0 of 4: ")
	count("cell=m note=n", 4)
	if got := f.must(f.root, 200, "GET", "/v1/protected", "").Text; !strings.Contains(got, `"host": [1, 2, 3, 4]`) {
		t.Errorf("%s", got)
	}
	at, _, _ := strings.Cut(f.must(f.root, 200, "GET", "/v1/capabilities", "").JSON["revision"].(string), "-")
	f.must(f.root, 200, "POST", "/v1/undo", `{"revision":`+at+`}`)
	count("cell=l", 3)
	if got := f.must(f.root, 200, "GET", "/v1/protected", "").Text; got != "{\n  \"protected\": {}\n}\n" {
		t.Errorf("%s", got)
	}
	bulk(`{"kind":"host","where":"cell=l","move":{"cell_id":null}}`, "3 of 3: cell_id 1 <nil> 3")
	bulk(`{"kind":"host","where":"name=web-*","move":{"region_id":1,"cell_id":1}}`, "3 of 3: cell_id <nil> 1 3")
	bulk(`{"kind":"cell","where":"name=l","move":{"region_id":2}}`, "1 of 1: region_id 1 2 1")
	count("cell=l region=s", 3)
	// One object may get another name with it.
	bulk(`{"kind":"host","where":"id=1","move":{"region_id":1,"cell_id":null},"update":{"name":"moved"}}`, "1 of 1: cell_id 1 <nil> 1, name web-0 moved 1, region_id 2 1 1")
	bulk(`{"kind":"host","where":"id=1","move":{"cell_id":1},"update":{"name":"web-0"}}`, "1 of 1: cell_id <nil> 1 1, name moved web-0 1, region_id 1 2 1")
	// All or nothing.
	host("db-1", "2", "")
	for body, want := range map[string]string{
		`{"kind":"host","where":"name=db-1 region=r","move":{"region_id":2}}`:    `is in the region 2 already`,
		`{"kind":"host","where":"name=db-*","move":{"region_id":1}}`:             `already`,
		`{"kind":"host","where":"name=db-*","move":{"region_id":99}}`:            `99`,
		`{"kind":"host","where":"name=db-*","move":{"cell_id":2,"region_id":1}}`: `contradicts`,
		`{"kind":"host","where":"name=db-*","move":{}}`:                          "the new place is missing",
		`{"kind":"cell","where":"name=l","move":{"cell_id":2}}`:                  "unexpected",
		`{"kind":"region","where":"name=r","move":{"region_id":2}}`:              "a region is not moved",
		`{"kind":"host","where":"name=db-*","protected":1}`:                      "is not of type 'boolean'",
	} {
		if got := f.call(f.root, "POST", "/v1/bulk", body); want != "" && (got.Status != 400 && got.Status != 409 || !strings.Contains(got.message(), want)) {
			t.Errorf("%s: %d %s", body, got.Status, got.message())
		}
	}
	count("region=r name=db-1", 1)
	count("region=s name=db-*", 2)
}

func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// hostID is the id of a tenant's host.
func (f *tenants) hostID(of tenant, name string) string {
	f.t.Helper()
	return fmt.Sprint(f.must(of.member, 200, "GET", "/v1/hosts?name="+name, "").objects(f.t, "hosts")[0]["id"])
}
