package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

func TestProtected(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	objects := map[string]string{
		"clouds": a.cloud, "regions": a.region, "cells": a.cell, "hosts": a.host, "networks": a.network, "network-interfaces": a.port,
	}
	for path, id := range objects {
		one := "/v1/" + path + "/" + id
		before := f.must(a.member, 200, "GET", one, "")
		if r := f.must(a.member, 200, "GET", one+"/protected", ""); r.Text != "{\n  \"protected\": false\n}\n" {
			t.Errorf("%s: %s", path, r.Text)
		}
		for range 2 {
			if r := f.must(a.member, 200, "PUT", one+"/protected", `{"protected":true}`); r.Text != "{\n  \"protected\": true\n}\n" {
				t.Errorf("%s: %s", path, r.Text)
			}
		}
		after := f.must(a.member, 200, "GET", one, "")
		if before.Text != after.Text {
			t.Errorf("%s shows what v1 does not have: %s", path, after.Text)
		}
		if before.Header.Get("ETag") == after.Header.Get("ETag") {
			t.Errorf("%s has the same tag", path)
		}
		r := f.must(a.member, 409, "DELETE", one, "")
		if !strings.Contains(r.message(), "it is protected; unprotect it first (craton unprotect ") {
			t.Errorf("%s: %s", path, r.message())
		}
		f.must(f.b.member, 404, "PUT", one+"/protected", `{"protected":false}`)
		f.must(f.b.member, 404, "GET", one+"/protected", "")
		for _, bad := range []string{`{}`, `{"protected":1}`, `{"protected":"true"}`, `{"protected":null}`, `{"protected":true,"more":1}`, `[]`, ``} {
			f.must(a.member, 400, "PUT", one+"/protected", bad)
		}
		f.must(a.member, 200, "PUT", one+"/protected", `{"protected":false}`)
	}
	f.status(f.root, 404, "PUT", "/v1/users/"+a.memberID+"/protected", `{"protected":true}`)

	// What is protected keeps what holds it.
	holders := map[string][]string{
		"cells/" + a.cell:              {},
		"hosts/" + a.host:              {"clouds/" + a.cloud, "regions/" + a.region, "projects/" + a.project},
		"networks/" + a.network:        {"clouds/" + a.cloud, "regions/" + a.region, "projects/" + a.project},
		"network-interfaces/" + a.port: {"hosts/" + a.host, "clouds/" + a.cloud, "regions/" + a.region, "projects/" + a.project},
		"projects/" + a.project:        {"projects/" + a.project},
	}
	holders["cells/"+a.cell] = holders["hosts/"+a.host]
	for inner, outer := range holders {
		f.must(f.root, 200, "PUT", "/v1/"+inner+"/protected", `{"protected":true}`)
		for _, path := range outer {
			r := f.must(f.root, 409, "DELETE", "/v1/"+path, "")
			if path != inner && !strings.Contains(r.message(), "(id "+strings.Split(inner, "/")[1]+") in it is protected") {
				t.Errorf("%s in %s: %s", inner, path, r.message())
			}
		}
		f.must(f.root, 200, "PUT", "/v1/"+inner+"/protected", `{"protected":false}`)
	}
	f.must(f.root, 204, "DELETE", "/v1/projects/"+a.project, "")
}

// TestProtectedList are those of the caller's project by kind, root's of all.
func TestProtectedList(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a, b := f.a, f.b
	list := func(who caller, want string) string {
		t.Helper()
		r := f.must(who, 200, "GET", "/v1/protected", "")
		if want != "" && r.Text != want {
			t.Errorf("%s: %s", who.user, r.Text)
		}
		return r.Header.Get("ETag")
	}
	none := "{\n  \"protected\": {}\n}\n"
	tag := list(a.member, none)
	for _, path := range []string{"hosts/" + a.host, "clouds/" + a.cloud, "network-interfaces/" + a.port, "clouds/" + b.cloud, "projects/" + a.project} {
		f.must(f.root, 200, "PUT", "/v1/"+path+"/protected", `{"protected":true}`)
	}
	if list(a.member, fmt.Sprintf("{\n  \"protected\": {\n    \"cloud\": [%s],\n    \"host\": [%s],\n    \"network-interface\": [%s]\n  }\n}\n", a.cloud, a.host, a.port)) == tag {
		t.Error("it has the same tag")
	}
	list(b.member, fmt.Sprintf("{\n  \"protected\": {\n    \"cloud\": [%s]\n  }\n}\n", b.cloud))
	if r := f.must(f.root, 200, "GET", "/v1/protected", ""); !strings.Contains(r.Text, a.cloud+", "+b.cloud) && !strings.Contains(r.Text, b.cloud+", "+a.cloud) {
		t.Errorf("root: %s", r.Text)
	}
	in := func(query string) string { return f.must(a.member, 200, "GET", "/v1/protected?"+query, "").Text }
	inside := fmt.Sprintf("{\n  \"protected\": {\n    \"host\": [%s],\n    \"network-interface\": [%s]\n  }\n}\n", a.host, a.port)
	for _, query := range []string{"cloud_id=" + a.cloud, "region_id=" + a.region, "region_id=" + a.region + "&cloud_id=" + a.cloud} {
		if got := in(query); got != inside {
			t.Errorf("%s: %s", query, got)
		}
	}
	if got := in("device_id=" + a.host); !strings.Contains(got, "network-interface") || strings.Contains(got, `"host"`) {
		t.Errorf("of the host: %s", got)
	}
	if got := in("project_id=" + a.project); !strings.Contains(got, "cloud") || !strings.Contains(got, "interface") {
		t.Errorf("of the project: %s", got)
	}
	for _, query := range []string{"cloud_id=" + b.cloud, "project_id=" + b.project, "region_id=0", "region_id=" + a.region + "&cloud_id=" + b.cloud} {
		if got := in(query); got != none {
			t.Errorf("%s: %s", query, got)
		}
	}
	f.must(a.member, 400, "GET", "/v1/protected?x=1", "")
	f.must(f.root, 200, "PUT", "/v1/clouds/"+b.cloud+"/protected", `{"protected":false}`)
	list(b.member, none)
}

// TestProtectedNamesSome names a few of many.
func TestProtectedNamesSome(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	for i := range 5 {
		id := f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"10.0.0.1","device_type":"x","cloud_id":1,"region_id":1}`, i)).id(t)
		f.must(f.root, 200, "PUT", "/v1/hosts/"+id+"/protected", `{"protected":true}`)
	}
	want := `The region "r" (id 1) cannot be deleted: host "h0" (id 1), host "h1" (id 2), host "h2" (id 3) and more in it are protected; unprotect that first (craton unprotect host 1, craton unprotect host 2, craton unprotect host 3).`
	if got := f.must(f.root, 409, "DELETE", "/v1/regions/1", "").message(); got != want {
		t.Errorf("%s", got)
	}
}

// TestProtectedIsLogged is in the log, comes back with an undo, and is known of the past.
func TestProtectedIsLogged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	put := func(on bool) {
		f.must(f.root, 200, "PUT", "/v1/cells/1/protected", fmt.Sprintf(`{"protected":%v}`, on))
	}
	is := func(query string, want bool) {
		t.Helper()
		if got := f.must(f.root, 200, "GET", "/v1/cells/1/protected"+query, "").JSON["protected"]; got != want {
			t.Errorf("protected%s is %v", query, got)
		}
	}
	revision := func() string { return f.must(f.root, 200, "GET", "/v1/capabilities", "").JSON["revision"].(string) }
	undo := func() {
		t.Helper()
		at, _, _ := strings.Cut(revision(), "-")
		f.must(f.root, 200, "POST", "/v1/undo", `{"revision":`+at+`}`)
	}
	before := revision()
	put(true)
	changes := f.must(f.root, 200, "GET", "/v1/changes?kind=cell&after="+before, "").objects(t, "changes")
	want := []any{map[string]any{"protected": nil}, map[string]any{"protected": true}}
	if len(changes) != 1 || cmp.Diff(want, []any{changes[0]["before"], changes[0]["after"]}) != "" {
		t.Errorf("%v", changes)
	}
	is("?at="+before, false)
	undo()
	is("", false)
	undo()
	is("", true)
	at := revision()
	put(false)
	f.must(f.root, 204, "DELETE", "/v1/cells/1", "")
	is("?at="+at, true)
	undo()
	is("", false)
	put(true)
	f.must(f.root, 409, "DELETE", "/v1/regions/1", "")
}

// TestUndoKeepsProtected brings a protected object back protected, and deletes none.
func TestUndoKeepsProtected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	revision := func() string {
		at, _, _ := strings.Cut(f.must(f.root, 200, "GET", "/v1/capabilities", "").JSON["revision"].(string), "-")
		return at
	}
	made := revision()
	f.must(f.root, 200, "PUT", "/v1/cells/1/protected", `{"protected":true}`)
	if r := f.call(f.root, "POST", "/v1/undo", `{"revision":`+made+`,"force":true}`); r.Status != 409 || !strings.Contains(r.message(), "protected") {
		t.Errorf("a protected object is taken away: %d %s", r.Status, r.Text)
	}
}

// members are those of a set, as text.
func (f *fixture) members(who caller, name string) string {
	f.t.Helper()
	r := f.must(who, 200, "GET", "/v1/sets/"+name, "")
	members, _ := r.JSON["members"].(map[string]any)
	var all []string
	for kind, ids := range members {
		all = append(all, fmt.Sprint(kind, ids))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestSets(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a, b := f.a, f.b
	expect := func(who caller, name, want string) {
		t.Helper()
		if got := f.members(who, name); got != want {
			t.Errorf("set %s as %s: %s, want %s", name, who.user, got, want)
		}
	}
	expect(a.member, "web", "")
	before := f.must(a.member, 200, "GET", "/v1/hosts/"+a.host, "").Text
	f.must(a.member, 204, "PUT", "/v1/sets/web", fmt.Sprintf(`{"members":{"cloud":[%s],"host":[%s]}}`, a.cloud, a.host))
	expect(a.member, "web", "cloud["+a.cloud+"] host["+a.host+"]")
	if after := f.must(a.member, 200, "GET", "/v1/hosts/"+a.host, "").Text; before != after {
		t.Errorf("v1 shows a set: %s", after)
	}
	expect(b.member, "web", "") // another project's has nothing to do with it
	f.must(b.member, 204, "POST", "/v1/sets/web", fmt.Sprintf(`{"add":{"cloud":[%s]}}`, b.cloud))
	expect(b.member, "web", "cloud["+b.cloud+"]")
	f.must(b.member, 400, "POST", "/v1/sets/web", fmt.Sprintf(`{"add":{"cloud":[%s]}}`, a.cloud))
	f.must(b.member, 204, "POST", "/v1/sets/web", fmt.Sprintf(`{"remove":{"cloud":[%s]}}`, a.cloud))
	f.must(b.member, 204, "DELETE", "/v1/sets/web", "")
	expect(a.member, "web", "cloud["+a.cloud+"] host["+a.host+"]")

	// One set at most, and nothing is done of what is refused.
	body := fmt.Sprintf(`{"add":{"region":[%s],"host":[%s]}`, a.region, a.host)
	r := f.must(a.member, 409, "POST", "/v1/sets/other", body+`}`)
	if want := `The host "h" belongs to the set "web": set adopt to move it to this set.`; r.message() != want {
		t.Errorf("%s", r.message())
	}
	expect(a.member, "other", "")
	f.must(a.member, 204, "POST", "/v1/sets/other", body+`,"adopt":true}`)
	expect(a.member, "other", "host["+a.host+"] region["+a.region+"]")
	expect(a.member, "web", "cloud["+a.cloud+"]")
	if diff := cmp.Diff([]map[string]any{{"members": json.Number("2"), "name": "other"}, {"members": json.Number("1"), "name": "web"}}, f.must(a.member, 200, "GET", "/v1/sets", "").objects(t, "sets")); diff != "" {
		t.Error(diff)
	}

	// PUT takes out what it does not name; so does a delete of the object.
	f.must(a.member, 204, "PUT", "/v1/sets/other", fmt.Sprintf(`{"members":{"network-interface":[%s],"network":[%s]}}`, a.port, a.network))
	expect(a.member, "other", "network-interface["+a.port+"] network["+a.network+"]")
	f.must(a.member, 204, "DELETE", "/v1/network-interfaces/"+a.port, "")
	expect(a.member, "other", "network["+a.network+"]")
	f.must(a.member, 204, "DELETE", "/v1/sets/other", "")
	f.must(a.member, 200, "GET", "/v1/networks/"+a.network, "") // the object stays

	// What is made may belong to one from the beginning.
	req, err := http.NewRequestWithContext(t.Context(), "POST", f.url+"/v1/cells", strings.NewReader(fmt.Sprintf(`{"name":"new","cloud_id":%s,"region_id":%s}`, a.cloud, a.region)))
	if err != nil {
		t.Fatal(err)
	}
	a.member.sign(req)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Craton-Set", "web")
	if resp, body := do(t, req); resp.StatusCode != 201 || strings.Contains(string(body), "web") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if got := f.members(a.member, "web"); !strings.HasPrefix(got, "cell[") {
		t.Errorf("%s", got)
	}
	lines := f.must(a.member, 200, "GET", "/v1/fleet", "").Text
	if !strings.Contains(lines, `,"set":"web"}`) || strings.Count(lines, `"set"`) != 2 {
		t.Errorf("%s", lines)
	}
	for _, bad := range []string{`{"members":{"user":[1]}}`, `{"members":{"project":[1]}}`, `{"members":{"host":1}}`, `{"members":{"host":["1"]}}`, `{"members":[]}`, `{"more":{}}`, `[]`} {
		f.must(a.member, 400, "PUT", "/v1/sets/web", bad)
	}
	f.must(a.member, 400, "PUT", "/v1/sets/"+strings.Repeat("x", 256), `{"members":{}}`)
	f.must(a.member, 400, "PUT", "/v1/sets/a%0Ab", `{"members":{}}`)
}

// TestSetsComeBack are as they were after an undo.
func TestSetsComeBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	f.must(f.root, 204, "PUT", "/v1/sets/s", `{"members":{"cloud":[1],"region":[1],"cell":[1]}}`)
	f.must(f.root, 204, "DELETE", "/v1/regions/1", "")
	if got := f.members(f.root, "s"); got != "cloud[1]" {
		t.Errorf("%s", got)
	}
	at, _, _ := strings.Cut(f.must(f.root, 200, "GET", "/v1/capabilities", "").JSON["revision"].(string), "-")
	f.must(f.root, 200, "POST", "/v1/undo", `{"revision":`+at+`}`)
	if got := f.members(f.root, "s"); got != "cell[1] cloud[1] region[1]" {
		t.Errorf("%s", got)
	}
}

// TestProtectedOfEveryKind fails where a kind with variables cannot be protected.
func TestProtectedOfEveryKind(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	for _, k := range schema.All() {
		if k.Variables == schema.None || k.View {
			continue
		}
		page := f.must(f.root, 200, "GET", "/v1/"+k.Path, "").objects(t, k.List)
		if len(page) == 0 {
			continue
		}
		f.must(f.root, 200, "GET", fmt.Sprintf("/v1/%s/%v/protected", k.Path, page[0]["id"]), "")
	}
}

// TestProtectAndSetsOfTheLibrary asks for all of it through package craton.
func TestProtectAndSetsOfTheLibrary(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	c, err := craton.New(f.url, craton.WithLocalAuth(f.root.user, f.root.key, f.root.project))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	cells := c.Collection(craton.KindCell)
	if err := cells.Protect(ctx, "1", true); err != nil {
		t.Fatal(err)
	}
	if on, err := cells.Protected(ctx, "1"); !on || err != nil {
		t.Errorf("%v %v", on, err)
	}
	if all, err := c.Protected(ctx, craton.ProtectedOptions{CloudID: 1, RegionID: 1}); err != nil || cmp.Diff(craton.Members{craton.KindCell: {1}}, all) != "" {
		t.Errorf("%v %v", all, err)
	}
	if err := cells.Delete(ctx, "1"); !craton.IsConflict(err) {
		t.Errorf("%v", err)
	}
	if _, err := cells.Protected(ctx, "2"); !craton.IsNotFound(err) {
		t.Errorf("%v", err)
	}
	if err := c.ChangeSet(ctx, "a/b", craton.SetChange{Add: craton.Members{craton.KindCell: {1}}}); err == nil {
		t.Error("a name with a slash is taken")
	}
	made, err := c.Hosts.Create(craton.ContextWithSet(ctx, "a b%2e"), craton.HostCreate{Name: "h", IPAddress: "10.0.0.1", DeviceType: "x", CloudID: 1, RegionID: 1})
	if err == nil {
		err = c.ChangeSet(ctx, "a b%2e", craton.SetChange{Add: craton.Members{craton.KindCell: {1}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	members, err := c.Set(ctx, "a b%2e")
	if diff := cmp.Diff(craton.Members{craton.KindCell: {1}, craton.KindHost: {made.ID}}, members); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	stream, err := c.Fleet(ctx, craton.FleetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for line, err := range stream.All() {
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprint(line.Kind, line.Protected, line.Set))
	}
	if want := "[projectfalse cloudfalse regionfalse celltruea b%2e hostfalsea b%2e]"; fmt.Sprint(told) != want {
		t.Errorf("%v", told)
	}
	if err := c.ChangeSet(ctx, "other", craton.SetChange{Add: members}); !craton.IsConflict(err) {
		t.Errorf("%v", err)
	}
	if err := c.ChangeSet(ctx, "other", craton.SetChange{Add: members, Adopt: true}); err != nil {
		t.Error(err)
	}
	if err := c.ChangeSet(ctx, "other", craton.SetChange{Remove: craton.Members{craton.KindHost: {made.ID}}}); err != nil {
		t.Error(err)
	}
	if all, err := c.Sets(ctx); err != nil || len(all) != 1 || all[0] != (craton.SetSize{Name: "other", Members: 1}) {
		t.Errorf("%v %v", all, err)
	}
	if err := c.DeleteSet(ctx, "other"); err != nil {
		t.Error(err)
	}
	if all, err := c.Sets(ctx); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}
