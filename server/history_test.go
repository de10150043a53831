package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// happened is each event of an answer in a line.
func happened(t *testing.T, r reply) (lines []string) {
	t.Helper()
	for _, e := range r.objects(t, "events") {
		lines = append(lines, fmt.Sprint(e["user"], " ", e["action"], " ", e["kind"], " ", e["path"], ":")+what(e))
	}
	return lines
}

// what is all that an event did.
func what(e map[string]any) (text string) {
	value := func(v any) string {
		side, ok := v.(map[string]any)
		if !ok {
			return "-"
		}
		from := side["from"].(map[string]any)
		raw, err := json.Marshal(side["value"])
		if err != nil {
			panic(err)
		}
		if side["kept"] == false {
			raw = []byte("hidden")
		}
		return fmt.Sprintf("%s(%v %v)", raw, from["kind"], from["name"])
	}
	for _, k := range e["keys"].([]any) {
		key := k.(map[string]any)
		text += fmt.Sprintf(" %s %s>%s", key["key"], value(key["before"]), value(key["after"]))
	}
	var fields []string
	for name, f := range e["fields"].(map[string]any) {
		if e["action"] != "create" && e["action"] != "delete" {
			both := f.(map[string]any)
			fields = append(fields, fmt.Sprintf(" %s %v>%v", name, both["before"], both["after"]))
		}
	}
	slices.Sort(fields)
	if l, ok := e["labels"].(map[string]any); ok {
		fields = append(fields, fmt.Sprintf(" labels %v>%v", l["before"], l["after"]))
	}
	return text + strings.Join(fields, "")
}

// TestHistory: what a host inherits is part of its history, what it shadows is not; moves, labels and parents count.
func TestHistory(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	vars := func(path, body string) { f.must(a.admin, 200, "PUT", "/v1/"+path+"/variables", body) }
	host := "hosts/" + a.host
	vars("regions/"+a.region, `{"ntp":"r1","dns":"r1"}`)
	vars("clouds/"+a.cloud, `{"ntp":"shadowed","zone":"c1"}`) // only zone is news
	vars(host, `{"ntp":"mine"}`)
	vars("regions/"+a.region, `{"ntp":"shadowed"}`)            // the host has its own
	vars("clouds/"+a.cloud, `{"other":true,"dns":"shadowed"}`) // other is news
	f.must(a.admin, 204, "DELETE", "/v1/regions/"+a.region+"/variables", `["dns"]`)
	f.must(a.member, 200, "PUT", "/v1/"+host+"/labels", `{"labels":["db"]}`)
	rack := f.must(a.member, 201, "POST", "/v1/hosts", `{"name":"rack","ip_address":"10.0.0.9","device_type":"x","cloud_id":`+a.cloud+`,"region_id":`+a.region+`,"variables":{"zone":"rack"}}`).id(t)
	f.must(a.member, 200, "PUT", "/v1/"+host, `{"parent_id":`+rack+`}`)
	vars("hosts/"+rack, `{"power":1}`)
	f.must(a.member, 200, "PUT", "/v1/regions/"+a.region, `{"name":"r2"}`)
	request := f.must(a.member, 200, "POST", "/v1/"+host+"/move", `{"cell_id":`+a.cell+`}`).Header.Get("X-Openstack-Request-Id")
	vars("cells/"+a.cell, `{"zone":"cell","rack":7}`) // the parent is nearer
	f.must(a.admin, 200, "PUT", "/v1/projects/"+a.project+"/variables", `{"secret":"b"}`)
	f.must(a.member, 204, "DELETE", "/v1/"+host, "")
	want := []string{
		"member delete host c/r2/l/h: " + strings.Join([]string{`dns "shadowed"(cloud c)>-`, `ntp "mine"(host h)>-`, `other true(cloud c)>-`, "own 1(host h)>-", "power 1(host rack)>-",
			`rack 7(cell l)>-`, `secret "b"(project a)>-`, `zone "rack"(host rack)>-`}, " ") + " labels [db web]>[]",
		`admin update project a: secret "a"(project a)>"b"(project a)`,
		`admin update cell c/r2/l: rack ->7(cell l)`,
		"member move host c/r2/l/h: cell_id <nil>>" + a.cell,
		`admin update host c/r/rack: power ->1(host rack)`,
		`member update host c/r/h: zone "c1"(cloud c)>"rack"(host rack) parent_id <nil>>` + rack,
		`member update host c/r/h: labels [web]>[db web]`,
		`admin update region c/r: dns "r1"(region r)>"shadowed"(cloud c)`,
		`admin update cloud c: other ->true(cloud c)`,
		`admin update host c/r/h: ntp "r1"(region r)>"mine"(host h)`,
		`admin update cloud c: zone ->"c1"(cloud c)`,
		`admin update region c/r: dns ->"r1"(region r) ntp ->"r1"(region r)`,
		`member create host c/r/h: own ->1(host h) secret ->"a"(project a) labels []>[web]`,
	}
	path := "/v1/history?kind=host&id=" + a.host
	all := f.must(a.admin, 200, "GET", path, "")
	if d := cmp.Diff(want, happened(t, all)); d != "" {
		t.Error(d)
	}
	if all.JSON["whole"] != true || all.JSON["more"] != false || all.JSON["next"] != nil {
		t.Error(all.Text)
	}
	// A member sees the values of the project, as with every host, and not who set them.
	wantMember := slices.Clone(want)
	for i := range wantMember {
		wantMember[i] = strings.NewReplacer("(project a)", "(project <nil>)", "admin update project a:", "<nil> update project <nil>:").Replace(wantMember[i])
	}
	if d := cmp.Diff(wantMember, happened(t, f.must(a.member, 200, "GET", path, ""))); d != "" {
		t.Error(d)
	}
	for query, want := range map[string][]string{
		"&key=zone":                            {want[0][:strings.Index(want[0], " dns")] + ` zone "rack"(host rack)>-`, strings.TrimSuffix(want[5], " parent_id <nil>>"+rack), want[10]},
		"&key=none":                            nil,
		"&request_id=" + request:               {want[3]},
		"&request_id=none":                     nil,
		"&user=member":                         {want[0], want[3], want[5], want[6], want[12]},
		"&user=admin&limit=1":                  {want[1]},
		"&since=2100-01-01T00:00:00Z":          nil,
		"&until=2100-01-01T00:00:00Z&limit=2":  want[:2],
		"&until=2000-01-01T00:00:00Z":          nil,
		"&since=2000-01-01T00:00:00Z&limit=99": want,
	} {
		if d := cmp.Diff(want, happened(t, f.must(a.admin, 200, "GET", path+query, ""))); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
	if got := happened(t, f.must(a.member, 200, "GET", path+"&user=admin&key=secret", "")); got != nil {
		t.Errorf("a member learns whose changes of the project they are: %q", got)
	}
	for _, limit := range []int{1, 2, 5} {
		var lines []string
		for next, more := "", true; more; {
			r := f.must(a.admin, 200, "GET", fmt.Sprintf("%s&limit=%d&before=%s", path, limit, next), "")
			lines = append(lines, happened(t, r)...)
			if more = r.JSON["more"] == true; more {
				next = r.JSON["next"].(string)
			}
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("limit %d: %s", limit, d)
		}
	}
	if got := happened(t, f.must(a.member, 200, "GET", "/v1/history?request_id="+request, "")); len(got) != 1 || !strings.HasPrefix(got[0], "member move host c/r2/l/h:") {
		t.Errorf("the request moved a host, the log has %q of it", got)
	}
	byAdmin := f.must(a.admin, 200, "GET", path+"&user=admin&limit=1", "").objects(t, "events")[0]["request_id"]
	if got := happened(t, f.must(a.member, 200, "GET", fmt.Sprint(path, "&request_id=", byAdmin), "")); got != nil {
		t.Errorf("a member learns in which request the project was changed: %q", got)
	}
	// The log finds what is deleted by its name, and its history by its id.
	for _, name := range []string{"h", "r2/l/h", "c/r2/l/h"} {
		gone := f.must(a.member, 200, "GET", "/v1/history?action=delete&name="+url.QueryEscape(name), "").objects(t, "events")
		if len(gone) != 1 || gone[0]["kind"] != "host" || fmt.Sprint(gone[0]["id"]) != a.host {
			t.Errorf("%s: %v", name, gone)
		}
	}
	if gone := f.must(a.member, 200, "GET", "/v1/history?action=delete&name=2/l/h", "").objects(t, "events"); len(gone) != 0 {
		t.Errorf("%v", gone)
	}

	for query, status := range map[string]int{
		"kind=host&id=999": 404, "kind=host&id=x": 404, "kind=network-device&id=" + a.host: 404, "kind=hosts": 400, "id=1": 400, "kind=user": 401,
		"kind=host&id=" + f.b.host: 404, "kind=cloud&id=" + f.b.cloud: 404, "kind=project&id=" + a.project: 401, "before=17-none": 410, "since=yesterday": 400, "limit=0": 400,
		"kind=host&name=h&id=" + a.host: 400,
	} {
		f.status(a.member, status, "GET", "/v1/history?"+query, "")
		if strings.HasPrefix(query, "kind=host&id=") && !strings.Contains(query, "name") {
			f.status(a.member, status, "GET", "/v1/diff?from=0&"+query, "")
		}
	}
	f.status(f.root, 200, "GET", "/v1/history?kind=host&id="+f.b.host, "")
	f.status(a.admin, 404, "GET", "/v1/history?kind=project&id="+f.b.project, "")
	f.status(a.admin, 200, "GET", "/v1/history?kind=project&id="+strings.ToUpper(a.project), "")
}

// TestHistoryOfTheLog: without an object it is the change log, newest first, of what the caller may see.
func TestHistoryOfTheLog(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	for _, who := range []caller{f.root, f.a.admin, f.a.member} {
		var want, got []string
		for _, c := range f.must(who, 200, "GET", "/v1/changes?limit=1000", "").objects(t, "changes") {
			want = append(want, fmt.Sprint(c["revision"], c["kind"], c["id"], c["action"], c["path"], c["user"], c["message"]))
		}
		for next, more := "", true; more; {
			r := f.must(who, 200, "GET", "/v1/history?limit=3&before="+next, "")
			for _, e := range r.objects(t, "events") {
				got = append(got, fmt.Sprint(e["revision"], e["kind"], e["id"], e["action"], e["path"], e["user"], e["message"]))
			}
			if more = r.JSON["more"] == true; more {
				next = r.JSON["next"].(string)
			} else if r.JSON["whole"] != true {
				t.Error(r.Text)
			}
		}
		slices.Reverse(want)
		if d := cmp.Diff(want, got); d != "" || len(got) == 0 {
			t.Errorf("%s: %s", who.user, d)
		}
	}
	f.must(f.a.member, 200, "PUT", "/v1/hosts/"+f.a.host+"/variables", `{"own":2}`)
	if got := happened(t, f.must(f.a.member, 200, "GET", "/v1/history?key=own&kind=host", "")); len(got) != 2 ||
		got[0] != "member update host c/r/h: own 1(host h)>2(host h)" {
		t.Errorf("%q", got)
	}
	key := f.must(f.root, 200, "GET", "/v1/history?kind=user&limit=1", "").Text
	if strings.Contains(key, "key_hash") {
		t.Error(key)
	}
}

// lines are those of a difference, each as in [happened].
func (f *fixture) diff(who caller, query string) (lines []string) {
	f.t.Helper()
	text := f.must(who, 200, "GET", "/v1/diff?"+query, "").Text
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	ended := false
	for d.More() {
		var line map[string]map[string]any
		if err := d.Decode(&line); err != nil {
			f.t.Fatalf("%v in %s", err, text)
		}
		if e := line["change"]; e != nil {
			lines = append(lines, fmt.Sprint(e["action"], " ", e["kind"], " ", e["path"], ":")+what(e))
		}
		if end := line["end"]; end != nil {
			ended = fmt.Sprint(end["count"]) == fmt.Sprint(len(lines))
		}
	}
	if !ended {
		f.t.Errorf("it has no end: %s", text)
	}
	return lines
}

// TestDiff: what was changed and changed back is not there; of one object its
// resolved values are compared, of the fleet what each object has of its own.
func TestDiff(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	from := f.cursor(f.root)
	made := len(f.must(f.root, 200, "GET", "/v1/changes?limit=1000", "").objects(t, "changes"))
	f.must(a.member, 200, "PUT", "/v1/clouds/"+a.cloud, `{"note":"x"}`)
	f.must(a.member, 200, "PUT", "/v1/clouds/"+a.cloud+"/variables", `{"ntp":1}`)
	f.must(a.member, 204, "DELETE", "/v1/clouds/"+a.cloud+"/variables", `["ntp"]`)
	middle := f.cursor(f.root)
	f.must(a.member, 200, "PUT", "/v1/regions/"+a.region+"/variables", `{"ntp":2,"own":3}`)
	f.must(a.member, 201, "POST", "/v1/clouds", `{"name":"new"}`)
	gone := f.must(a.member, 201, "POST", "/v1/clouds", `{"name":"gone"}`).id(t)
	f.must(a.member, 204, "DELETE", "/v1/clouds/"+gone, "")
	f.must(a.member, 204, "DELETE", "/v1/network-interfaces/"+a.port, "")
	f.must(a.admin, 200, "PUT", "/v1/projects/"+a.project+"/variables", `{"secret":"b"}`)
	f.must(f.b.member, 200, "PUT", "/v1/hosts/"+f.b.host, `{"note":"x"}`)
	members := []string{
		`update cloud c: note <nil>>x`, `create cloud new:`, `update region c/r: ntp ->2(region r) own ->3(region r)`, `delete network-interface c/r/h/i:`,
	}
	for _, tc := range []struct {
		who   caller
		query string
		want  []string
	}{
		{a.member, "from=" + from, members},
		{a.admin, "from=" + from, append(slices.Clone(members), `update project a: secret "a"(project a)>"b"(project a)`)},
		{a.member, "kind=cloud&from=" + from, members[:2]},
		{a.member, "from=" + from + "&to=" + middle, members[:1]},
		{a.member, "from=" + middle + "&to=" + from, []string{`update cloud c: note x><nil>`}},
		{a.member, "from=" + from + "&to=" + from, nil},
		{a.member, "kind=host&id=" + a.host + "&from=" + from, []string{`update host h: ntp ->2(region r) secret "a"(project <nil>)>"b"(project <nil>)`}},
		{a.member, "kind=host&id=" + a.host + "&from=" + middle + "&to=" + from, nil},
		{a.member, "kind=cloud&id=" + gone + "&from=" + from, nil},
		{a.member, "kind=network-interface&id=" + a.port + "&from=" + from, []string{`delete network-interface i:`}},
		{f.b.member, "from=" + from, []string{`update host c/r/h: note <nil>>x`}},
	} {
		if d := cmp.Diff(tc.want, f.diff(tc.who, tc.query)); d != "" {
			t.Errorf("%s as %s: %s", tc.query, tc.who.user, d)
		}
	}
	if n := len(f.diff(f.root, "from=0&to="+from)); n != made {
		t.Errorf("%d objects were made, not %d", n, made)
	}
	for query, status := range map[string]int{
		"": 400, "from=x": 400, "from=999999": 400, "from=2100-01-01T00:00:00Z": 400, "from=1-aaaaaaaaaaaaaaaa": 410, "from=0&to=999999": 400, "from=0&kind=user": 401, "from=0&id=1": 400,
	} {
		if r := f.must(a.member, status, "GET", "/v1/diff?"+query, ""); r.message() == "" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v %s", query, r.Header, r.Text)
		}
	}
}

// TestHistoryConceals: of values that the log does not keep it is told that they changed.
func TestHistoryConceals(t *testing.T) {
	t.Parallel()
	f := newFixtureAs(t, enginetest.Database(t), server.Options{Create: true, HashedKeys: []string{"*password*"}})
	f.place("c", "r", "l")
	f.must(f.root, 200, "PUT", "/v1/regions/1/variables", `{"password":"first","other":1}`)
	from := f.cursor(f.root)
	host := f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"10.0.0.1","device_type":"x","cloud_id":1,"region_id":1}`).id(t)
	f.must(f.root, 200, "PUT", "/v1/regions/1/variables", `{"password":"second"}`)
	f.must(f.root, 200, "PUT", "/v1/hosts/"+host+"/variables", `{"password":"third"}`)
	f.must(f.root, 200, "PUT", "/v1/regions/1/variables", `{"password":"shadowed","other":2}`)
	want := []string{
		`other 1(region r)>2(region r)`, `password hidden(region r)>hidden(host h)`, `password hidden(region r)>hidden(region r)`, `other ->1(region r) password ->hidden(region r)`,
	}
	r := f.must(f.root, 200, "GET", "/v1/history?kind=host&id="+host, "")
	var got []string
	for _, line := range happened(t, r) {
		_, line, _ = strings.Cut(line, ": ")
		got = append(got, line)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, text := range []string{r.Text, f.must(f.root, 200, "GET", "/v1/diff?from="+from, "").Text, f.must(f.root, 200, "GET", "/v1/history", "").Text,
		f.must(f.root, 200, "GET", "/v1/diff?kind=host&id="+host+"&from="+from, "").Text} {
		for _, secret := range []string{"first", "second", "third", "shadowed"} {
			if strings.Contains(text, secret) || !strings.Contains(text, "password") {
				t.Errorf("%s is in %s", secret, text)
			}
		}
	}
}

// TestHistoryEndsAtTheHorizon, and says so.
func TestHistoryEndsAtTheHorizon(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	f.must(f.root, 200, "PUT", "/v1/clouds/1", `{"note":"a"}`)
	early := f.cursor(f.root)
	f.must(f.root, 200, "PUT", "/v1/clouds/1", `{"note":"b"}`)
	ctx, end := context.WithCancel(t.Context())
	wait := f.server.Retain(ctx, time.Nanosecond)
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if len(f.must(f.root, 200, "GET", "/v1/changes?kind=cloud", "").objects(t, "changes")) == 2 {
			break
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("nothing is removed")
		}
	}
	end()
	wait()
	r := f.must(f.root, 200, "GET", "/v1/history?kind=cloud&id=1", "")
	if got := happened(t, r); got != nil || r.JSON["whole"] != false || r.JSON["more"] != false {
		t.Errorf("%q %s", got, r.Text)
	}
	f.must(f.root, 200, "PUT", "/v1/clouds/1", `{"note":"c"}`)
	f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"new"}`)
	r = f.must(f.root, 200, "GET", "/v1/history?kind=cloud&id=1", "")
	if got := happened(t, r); len(got) != 1 || !strings.HasSuffix(got[0], ": note b>c") || r.JSON["whole"] != false || r.JSON["begins"] == nil {
		t.Errorf("%q %s", got, r.Text)
	}
	if r := f.must(f.root, 200, "GET", "/v1/history?kind=cloud&id=2", ""); r.JSON["whole"] != true {
		t.Errorf("%s", r.Text)
	}
	if r := f.must(f.root, 410, "GET", "/v1/diff?from="+early, ""); !strings.Contains(r.message(), "change log begins") {
		t.Error(r.message())
	}
	f.status(f.root, 410, "GET", "/v1/history?before="+early, "")
}
