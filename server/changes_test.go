package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/user"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// described is each change of an answer in a few words.
func described(t *testing.T, r reply) (lines []string) {
	t.Helper()
	for _, c := range r.objects(t, "changes") {
		after, err := json.Marshal(c["after"])
		if err != nil {
			t.Fatal(err)
		}
		if len(after) > 60 {
			after = []byte("...")
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", c["user"], c["action"], c["kind"], c["path"])+" "+string(after))
	}
	return lines
}

func (f *fixture) cursor(who caller) string {
	f.t.Helper()
	return f.must(who, 200, "GET", "/v1/changes", "").JSON["newest"].(string)
}

// TestChanges follows a few requests in the log.
func TestChanges(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	begin := f.cursor(f.root)
	f.must(f.a.member, 200, "PUT", "/v1/hosts/"+f.a.host, `{"note":"new"}`)
	f.must(f.a.member, 200, "PUT", "/v1/hosts/"+f.a.host, `{"note":"new"}`) // changes nothing
	f.must(f.a.member, 200, "PUT", "/v1/hosts/"+f.a.host+"/variables", `{"own":2,"more":[1.0]}`)
	f.must(f.a.member, 200, "PUT", "/v1/hosts/"+f.a.host+"/variables", `{"own":2}`)
	f.must(f.a.member, 200, "PUT", "/v1/hosts/"+f.a.host+"/labels", `{"labels":["web","db"]}`)
	f.must(f.a.member, 204, "DELETE", "/v1/hosts/"+f.a.host+"/labels", `{"labels":["none"]}`)
	f.must(f.a.member, 204, "DELETE", "/v1/hosts/"+f.a.host+"/variables", `["own","none"]`)
	f.status(f.a.member, 409, "POST", "/v1/clouds", `{"name":"c"}`) // leaves nothing
	f.must(f.a.admin, 200, "PUT", "/v1/projects/"+f.a.project+"/variables", `{"secret":"b"}`)
	f.must(f.b.member, 204, "DELETE", "/v1/regions/"+f.b.region, "")

	all := f.must(f.root, 200, "GET", "/v1/changes?after="+begin, "")
	want := []string{
		`member update host c/r/h {"note":"new","updated_at":"*"}`,
		`member update host c/r/h {"variables":{"more":[1.0],"own":2}}`,
		`member update host c/r/h {"labels":["db","web"]}`,
		`member update host c/r/h {}`,
		`admin update project a {"variables":{"secret":"b"}}`,
		`member delete network-interface c/r/h/i null`,
		`member delete network c/r/n null`, `member delete host c/r/h null`, `member delete cell c/r/l null`, `member delete region c/r null`,
	}
	got := described(t, all)
	got[0] = got[0][:strings.Index(got[0], `"20`)+1] + "*" + `"}`
	slices.Sort(got[5:]) // innermost first, which TestLogIsTheState checks
	slices.Sort(want[5:])
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	changes := all.objects(t, "changes")
	if c := changes[1]; c["before"].(map[string]any)["variables"].(map[string]any)["own"] != json.Number("1") || c["address"] != "127.0.0.1" ||
		!strings.HasPrefix(c["request_id"].(string), "req-") || c["user_project_id"] != f.a.project || c["project_id"] != f.a.project || c["message"] != nil {
		t.Errorf("%v", c)
	}
	if n := len(f.must(f.root, 200, "GET", "/v1/changes?request_id="+changes[9]["request_id"].(string), "").objects(t, "changes")); n != 5 {
		t.Errorf("the delete of a region is %d changes in one request, want 5", n)
	}

	// Pages of any size give the same, also within one write.
	for _, limit := range []int{1, 2, 7} {
		var pages []map[string]any
		next, more := begin, true
		for more {
			r := f.must(f.root, 200, "GET", fmt.Sprintf("/v1/changes?limit=%d&after=%s", limit, next), "")
			pages = append(pages, r.objects(t, "changes")...)
			next, more = r.JSON["next"].(string), r.JSON["more"].(bool)
		}
		if d := cmp.Diff(changes, pages); d != "" || next != f.cursor(f.root) {
			t.Errorf("limit %d ends at %s:\n%s", limit, next, d)
		}
	}
}

// TestChangesAreLimitedToTheCaller: members see neither users nor projects, nobody but root another project.
func TestChangesAreLimitedToTheCaller(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	kinds := func(who caller) (seen []string) {
		for _, c := range f.must(who, 200, "GET", "/v1/changes?limit=1000", "").objects(t, "changes") {
			if c["project_id"] != who.project {
				t.Errorf("%s sees %v", who.user, c)
			}
			if (c["address"] != nil) != (who.user != "member") {
				t.Errorf("%s sees the address %v", who.user, c["address"])
			}
			if c["user_project_id"] != nil && who.user == "member" && c["user_project_id"] != who.project {
				t.Errorf("%s sees another project: %v", who.user, c)
			}
			if !slices.Contains(seen, c["kind"].(string)) {
				seen = append(seen, c["kind"].(string))
			}
		}
		slices.Sort(seen)
		return seen
	}
	inside := []string{"cell", "cloud", "host", "network", "network-interface", "region"}
	if d := cmp.Diff(inside, kinds(f.a.member)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"cell", "cloud", "host", "network", "network-interface", "project", "region", "user"}, kinds(f.b.admin)); d != "" {
		t.Error(d)
	}
	text := f.must(f.root, 200, "GET", "/v1/changes?limit=1000", "").Text
	if strings.Contains(text, "key_hash") || strings.Contains(text, f.root.key) || !strings.Contains(text, `"secret"`) {
		t.Error(text)
	}
	f.status(f.a.member, 401, "GET", "/v1/changes?kind=user", "")
	if n := len(f.must(f.a.member, 200, "GET", "/v1/changes?kind=host&id="+f.b.host, "").objects(t, "changes")); n != 0 {
		t.Errorf("another project's host has %d changes", n)
	}
}

func TestChangesFilters(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	all := f.must(f.a.admin, 200, "GET", "/v1/changes", "").objects(t, "changes")
	middle := all[len(all)/2]["time"].(string)
	for _, tc := range []struct {
		query string
		keep  func(c map[string]any) bool
	}{
		{"kind=host", func(c map[string]any) bool { return c["kind"] == "host" }},
		{"kind=host&id=" + f.a.host, func(c map[string]any) bool { return c["kind"] == "host" }},
		{"id=999", func(map[string]any) bool { return false }},
		{"user=member", func(c map[string]any) bool { return c["user"] == "member" }},
		{"user=bootstrap", func(c map[string]any) bool { return c["user"] == "bootstrap" }},
		{"since=" + middle, func(c map[string]any) bool { return c["time"].(string) >= middle }},
		{"until=" + middle + "Z", func(c map[string]any) bool { return c["time"].(string) < middle }},
		{"since=" + middle + "%2B01:00", func(map[string]any) bool { return true }}, // an hour before
		{"since=2100-01-01T00:00:00Z", func(map[string]any) bool { return false }},
		{"until=2100-01-01T00:00:00Z", func(map[string]any) bool { return true }},
	} {
		var want []map[string]any
		for _, c := range all {
			if tc.keep(c) {
				want = append(want, c)
			}
		}
		got := f.must(f.a.admin, 200, "GET", "/v1/changes?"+tc.query, "").objects(t, "changes")
		if d := cmp.Diff(want, got, cmp.Transformer("", func(l []map[string]any) string { return fmt.Sprint(l) })); d != "" {
			t.Errorf("%s: %s", tc.query, d)
		}
	}
	for query, want := range map[string]string{
		"kind=hosts": "only cloud, region", "since=yesterday": "is not a time", "limit=0": "minimum", "limit=1001": "maximum", "wait=61": "maximum", "wait=-1": "minimum", "bogus=1": "bogus",
	} {
		if r := f.must(f.a.member, 400, "GET", "/v1/changes?"+query, ""); !strings.Contains(r.message(), want) {
			t.Errorf("%s: %s", query, r.message())
		}
	}
	for _, after := range []string{"1-none", "999999-x", "x", "-1-", f.cursor(f.root) + "0"} {
		if r := f.must(f.a.member, 410, "GET", "/v1/changes?after="+after, ""); !strings.Contains(r.message(), "read all again") {
			t.Errorf("%s: %s", after, r.message())
		}
	}
}

// TestChangesWait: an answer is held back until there is a change, be it of this process or of another one.
func TestChangesWait(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	other, err := server.Open(t.Context(), f.database, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	h := httptest.NewServer(other.Handler())
	defer h.Close()
	write := func(url, name string) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/v1/clouds", strings.NewReader(`{"name":"`+name+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		f.a.member.sign(req)
		req.Header.Set("Content-Type", "application/json")
		if resp, body := do(t, req); resp.StatusCode != 201 {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
	}
	for i, url := range []string{f.url, h.URL} {
		name := fmt.Sprint("late", i)
		after := f.cursor(f.a.member)
		heard := make(chan reply)
		go func() { heard <- f.call(f.a.member, "GET", "/v1/changes?wait=30&after="+after, "") }()
		select {
		case r := <-heard:
			t.Fatalf("answered before there was anything: %s", r.Text)
		case <-time.After(300 * time.Millisecond):
		}
		f.must(f.b.member, 201, "POST", "/v1/clouds", `{"name":"`+name+`"}`) // is not for them
		begin := time.Now()
		write(url, name)
		r := <-heard
		if got := described(t, r); len(got) != 1 || !strings.Contains(got[0], "create cloud "+name) {
			t.Errorf("%v", got)
		}
		if took := time.Since(begin); took > 10*time.Second || i == 0 && took > 2*time.Second {
			t.Errorf("heard after %v", took)
		}
	}
	begin := time.Now()
	r := f.must(f.a.member, 200, "GET", "/v1/changes?wait=1&after="+f.cursor(f.a.member), "")
	if n := len(r.objects(t, "changes")); n != 0 || time.Since(begin) < time.Second || r.JSON["next"] != r.JSON["newest"] {
		t.Errorf("after %v: %s", time.Since(begin), r.Text)
	}

	// A server that ends does not wait for those who wait.
	heard := make(chan reply)
	after := f.cursor(f.a.member)
	go func() { heard <- f.call(f.a.member, "GET", "/v1/changes?wait=60&after="+after, "") }()
	time.Sleep(300 * time.Millisecond)
	f.server.EndWaits()
	select {
	case r := <-heard:
		if r.Status != 200 || r.JSON["next"] != after {
			t.Errorf("%d %s", r.Status, r.Text)
		}
	case <-time.After(10 * time.Second):
		t.Error("still waiting")
	}
}

// TestChangesWaitIsLimitedToTheCaller: who is deleted while they wait hears nothing more.
func TestChangesWaitIsLimitedToTheCaller(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	made := f.must(f.root, 201, "POST", "/v1/users", `{"username":"gone","project_id":"`+f.root.project+`"}`)
	key, _ := made.JSON["api_key"].(string)
	gone := caller{f.root.project, "gone", key}
	after := f.cursor(gone)
	heard := make(chan reply)
	go func() { heard <- f.call(gone, "GET", "/v1/changes?wait=30&after="+after, "") }()
	time.Sleep(300 * time.Millisecond)
	f.must(f.root, 204, "DELETE", "/v1/users/"+made.id(t), "")
	f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"secret"}`)
	if r := <-heard; r.Status != 401 || strings.Contains(r.Text, "secret") {
		t.Errorf("%d %s, want 401", r.Status, r.Text)
	}
}

// TestChangesMessage: a message is kept as it is, or refused.
func TestChangesMessage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	send := func(method, message string) reply {
		req, err := http.NewRequestWithContext(t.Context(), method, f.url+"/v1/clouds", strings.NewReader(`{"name":"`+fmt.Sprint(len(message))+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		f.root.sign(req)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Craton-Message", message)
		resp, body := do(t, req)
		return reply{Status: resp.StatusCode, Text: string(body)}
	}
	if r := send("POST", "ticket 12: größer"); r.Status != 201 {
		t.Errorf("%d %s", r.Status, r.Text)
	}
	last := f.must(f.root, 200, "GET", "/v1/changes?kind=cloud", "").objects(t, "changes")
	if last[0]["message"] != "ticket 12: größer" {
		t.Errorf("%v", last)
	}
	for _, bad := range []string{"a\tb", "not \xff utf-8", "turned \u202e", strings.Repeat("x", 1025)} {
		if r := send("POST", bad); r.Status != 400 || !strings.Contains(r.Text, "X-Craton-Message") {
			t.Errorf("%q: %d %s", bad, r.Status, r.Text)
		}
	}
	if r := send("GET", "a\tb"); r.Status != 200 {
		t.Errorf("%d %s", r.Status, r.Text)
	}
}

// TestChangesOfTheSystemUser: in one process it is the system that knows who writes.
func TestChangesOfTheSystemUser(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	s, err := server.Open(t.Context(), enginetest.Database(t), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := s.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path, body string) string {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	call("POST", "/v1/clouds", `{"name":"c"}`)
	text := call("GET", "/v1/changes", "")
	if n := strings.Count(text, `"user": "`+me.Username+`"`); n != 2 || strings.Count(text, `"user_project_id": null`) != 2 {
		t.Error(text)
	}
}

// TestRetain: a log that is kept for no time at all is whole only from now on.
func TestRetain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	early := f.cursor(f.root)
	f.must(f.root, 200, "PUT", "/v1/clouds/1", `{"note":"a"}`)
	f.must(f.root, 200, "PUT", "/v1/clouds/1", `{"note":"b"}`)
	ctx, end := context.WithCancel(t.Context())
	wait := f.server.Retain(ctx, time.Nanosecond)
	defer wait()
	defer end()
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		r := f.must(f.root, 200, "GET", "/v1/changes?kind=cloud", "")
		if got := described(t, r); len(got) == 2 && strings.Contains(got[1], `"note":"b"`) {
			if horizon := r.JSON["horizon"].(json.Number).String(); !strings.HasPrefix(r.JSON["newest"].(string), horizon+"-") {
				t.Errorf("%s", r.Text)
			}
			break
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("still there")
		}
	}
	newest := f.cursor(f.root)
	horizon, _, _ := strings.Cut(newest, "-")
	const removed, replaced = "have been removed from the change log (keep_changes)", "the database was replaced or brought back from a copy"
	for after, want := range map[string]string{early: removed, horizon + ".1-none": removed, newest + "0": replaced, "999-none": replaced} {
		r := f.must(f.root, 410, "GET", "/v1/changes?after="+after, "")
		if text := r.message(); !strings.Contains(text, want) || strings.Contains(text, removed) == strings.Contains(text, replaced) || !strings.HasSuffix(text, ": read all again.") {
			t.Errorf("after %s: %s", after, text)
		}
	}
}

// TestSetters: who set the variables that an object has, and had; nobody is told of others' objects.
func TestSetters(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	path := "/v1/hosts/" + a.host + "/variables"
	f.must(a.member, 200, "PUT", path, `{"old":1,"ntp":"a","gone":true}`)
	for i := range 10 {
		f.must(a.admin, 200, "PUT", path, fmt.Sprintf(`{"ntp":%d}`, i))
	}
	f.must(a.admin, 204, "DELETE", path, `["gone"]`)
	ask := func(who caller, more string) (told []string) {
		for _, c := range f.must(who, 200, "GET", "/v1/changes?setters=true&kind=host&id="+a.host+more, "").objects(t, "changes") {
			keys := []string{}
			for key := range c["after"].(map[string]any)["variables"].(map[string]any) {
				keys = append(keys, key)
			}
			slices.Sort(keys)
			told = append(told, fmt.Sprint(c["user"], keys))
		}
		return told
	}
	now := ask(a.member, "")
	if len(now) < 2 || now[len(now)-1] != fmt.Sprintf("%s[ntp]", a.admin.user) || now[len(now)-2] != fmt.Sprintf("%s[gone ntp old]", a.member.user) {
		t.Errorf("%q", now)
	}
	first := f.must(a.admin, 200, "GET", "/v1/changes?setters=true&kind=host&id="+a.host, "").objects(t, "changes")
	at := fmt.Sprint(first[len(first)-2]["revision"])
	if past := ask(a.member, "&at="+at); past[len(past)-1] != fmt.Sprintf("%s[gone ntp old]", a.member.user) {
		t.Errorf("%q", past)
	}
	if others := ask(f.b.admin, ""); others != nil {
		t.Errorf("another tenant hears of %q", others)
	}
	for _, wrong := range []string{"setters=true", "setters=true&kind=host", "setters=false&kind=host&id=1", "setters=true&kind=host&id=1&limit=3", "setters=true&kind=x&id=1", "at=1", "setters=true&kind=host&id=1&at=x"} {
		f.status(a.member, 400, "GET", "/v1/changes?"+wrong, "")
	}
	f.status(a.member, 401, "GET", "/v1/changes?setters=true&kind=project&id="+a.member.project, "")
}
