package server_test

import (
	"fmt"
	"strings"
	"testing"
)

// tenants are two projects, each with an admin, a member, and a fleet of one of everything. Ids are as text.
type tenants struct {
	*fixture
	a, b tenant
}

type tenant struct {
	project                                  string
	admin, member                            caller
	memberID                                 string
	cloud, region, cell, host, network, port string
}

func newTenants(t *testing.T) *tenants {
	t.Helper()
	return tenantsOf(newFixture(t))
}

func tenantsOf(f *fixture) *tenants { return &tenants{f, f.tenant("a"), f.tenant("b")} }

func (f *fixture) tenant(name string) tenant {
	f.t.Helper()
	var n tenant
	n.project = f.must(f.root, 201, "POST", "/v1/projects", `{"name":"`+name+`","variables":{"secret":"`+name+`"}}`).id(f.t)
	user := func(username, more string) (caller, string) {
		r := f.must(f.root, 201, "POST", "/v1/users", `{"username":"`+username+`","project_id":"`+n.project+`"`+more+`}`)
		return caller{n.project, username, r.JSON["api_key"].(string)}, r.id(f.t)
	}
	n.admin, _ = user("admin", `,"is_admin":true`)
	n.member, n.memberID = user("member", "")
	in := func(path, body string) string { return f.must(n.member, 201, "POST", "/v1/"+path, body).id(f.t) }
	n.cloud = in("clouds", `{"name":"c"}`)
	n.region = in("regions", `{"name":"r","cloud_id":`+n.cloud+`}`)
	n.cell = in("cells", `{"name":"l","cloud_id":`+n.cloud+`,"region_id":`+n.region+`}`)
	place := `"cloud_id":` + n.cloud + `,"region_id":` + n.region
	n.host = in("hosts", `{"name":"h","ip_address":"10.0.0.1","device_type":"x",`+place+`,"labels":["web"],"variables":{"own":1}}`)
	n.network = in("networks", `{"name":"n","cidr":"c","gateway":"g","netmask":"m",`+place+`}`)
	n.port = in("network-interfaces", `{"name":"i","device_id":`+n.host+`,"interface_type":"x","ip_address":"10.0.0.1"}`)
	return n
}

// status checks a request's status.
func (f *fixture) status(who caller, want int, method, path, body string) {
	f.t.Helper()
	if r := f.call(who, method, path, body); r.Status != want {
		f.t.Errorf("%s %s %s as %s: %d %s, want %d", method, path, body, who.user, r.Status, r.Text, want)
	}
}

func TestHole1AdminsSeeTheirProjectOnly(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	for _, who := range []caller{f.a.admin, f.a.member} {
		for path, id := range map[string]string{
			"clouds": f.b.cloud, "regions": f.b.region, "cells": f.b.cell, "hosts": f.b.host, "networks": f.b.network, "network-interfaces": f.b.port,
		} {
			key := strings.ReplaceAll(path, "-", "_")
			if n := len(f.must(who, 200, "GET", "/v1/"+path, "").objects(t, key)); n != 1 {
				t.Errorf("%s lists %d %s, want 1", who.user, n, path)
			}
			f.status(who, 404, "GET", "/v1/"+path+"/"+id, "")
			f.status(who, 404, "PUT", "/v1/"+path+"/"+id, `{"name":"mine"}`)
			f.status(who, 204, "DELETE", "/v1/"+path+"/"+id, "")
			f.status(f.root, 200, "GET", "/v1/"+path+"/"+id, "") // still there
			if path != "network-interfaces" {
				f.status(who, 404, "GET", "/v1/"+path+"/"+id+"/variables", "")
				f.status(who, 404, "PUT", "/v1/"+path+"/"+id+"/variables", `{"k":1}`)
				f.status(who, 404, "DELETE", "/v1/"+path+"/"+id+"/variables", `["k"]`)
			}
		}
		f.status(who, 404, "GET", "/v1/hosts/"+f.b.host+"/labels", "")
		f.status(who, 404, "PUT", "/v1/hosts/"+f.b.host+"/labels", `{"labels":["x"]}`)
		f.status(who, 404, "DELETE", "/v1/hosts/"+f.b.host+"/labels", `{"labels":["web"]}`)
		for _, query := range []string{"", "?region_id=" + f.b.region, "?parent_id=" + f.b.host} {
			r := f.must(who, 200, "GET", "/v1/devices"+query, "")
			if want := map[bool]int{true: 1, false: 0}[query == ""]; len(r.JSON["devices"].(map[string]any)["hosts"].([]any)) != want {
				t.Errorf("devices%s as %s: %s", query, who.user, r.Text)
			}
		}
		f.status(who, 404, "GET", "/v1/devices?descendants=true&parent_id="+f.b.host, "")
		for _, query := range []string{"label=web", "region_id=" + f.b.region, "vars=own:1", "name=h", "ip_address=10.0.0.1"} {
			for _, h := range f.must(who, 200, "GET", "/v1/hosts?"+query, "").objects(t, "hosts") {
				if fmt.Sprint(h["id"]) != f.a.host {
					t.Errorf("hosts?%s as %s shows host %v", query, who.user, h["id"])
				}
			}
		}
		if r := f.must(who, 200, "GET", "/v1/ansible-inventory", ""); strings.Count(r.Text, `"secret": "a"`) != 1 || strings.Contains(r.Text, `"secret": "b"`) {
			t.Errorf("inventory as %s: %s", who.user, r.Text)
		}
	}
	if n := len(f.must(f.root, 200, "GET", "/v1/hosts", "").objects(t, "hosts")); n != 2 {
		t.Errorf("root lists %d hosts, want 2", n)
	}
}

func TestHole2ForeignProjects(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	own, foreign := "/v1/projects/"+f.a.project, "/v1/projects/"+f.b.project
	f.status(f.a.admin, 200, "GET", own, "")
	f.status(f.a.admin, 200, "PUT", own+"/variables", `{"k":1}`)
	f.status(f.a.admin, 404, "GET", foreign, "")
	f.status(f.a.admin, 404, "GET", foreign+"/variables", "")
	f.status(f.a.admin, 404, "PUT", foreign+"/variables", `{"k":1}`)
	f.status(f.a.admin, 404, "DELETE", foreign+"/variables", `["secret"]`)
	f.status(f.a.admin, 401, "DELETE", foreign, "")
	f.status(f.a.admin, 401, "DELETE", own, "")
	f.status(f.a.admin, 401, "GET", "/v1/projects", "")
	f.status(f.a.admin, 401, "POST", "/v1/projects", `{"name":"x"}`)
	f.status(f.a.member, 401, "GET", own, "")
	f.status(f.a.member, 401, "GET", own+"/variables", "")
	f.status(f.a.member, 401, "PUT", own+"/variables", `{"k":1}`)
}

func TestHole3Keys(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	for _, path := range []string{"/v1/users", "/v1/users?name=member", "/v1/users/" + f.a.memberID} {
		r := f.must(f.a.admin, 200, "GET", path, "")
		if !strings.Contains(r.Text, `"api_key": null`) || strings.Contains(r.Text, f.a.member.key) {
			t.Errorf("%s shows a key: %s", path, r.Text)
		}
	}
	f.status(f.a.admin, 404, "GET", "/v1/users/"+f.b.memberID, "")
	f.status(f.a.admin, 404, "GET", "/v1/users/1", "") // root, of another project
	f.status(f.a.admin, 404, "GET", "/v1/users?id="+f.b.memberID, "")
	if n := len(f.must(f.a.admin, 200, "GET", "/v1/users?name=member", "").objects(t, "users")); n != 1 {
		t.Errorf("an admin finds %d members, want its own", n)
	}
	if n := len(f.must(f.root, 200, "GET", "/v1/users?name=member", "").objects(t, "users")); n != 2 {
		t.Errorf("root finds %d members, want 2", n)
	}
	f.status(f.a.member, 401, "GET", "/v1/users", "")
}

func TestHole4UsersOfForeignProjects(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	f.status(f.a.admin, 404, "POST", "/v1/users", `{"username":"x","project_id":"`+f.b.project+`"}`)
	f.status(f.a.admin, 404, "POST", "/v1/users", `{"username":"x","project_id":"`+f.root.project+`","is_admin":true}`)
	f.status(f.a.admin, 201, "POST", "/v1/users", `{"username":"x","project_id":"`+strings.ToUpper(f.a.project)+`","is_admin":true}`)
	f.status(f.a.admin, 400, "POST", "/v1/users", `{"username":"y","project_id":"`+f.a.project+`","is_root":true}`)
	f.status(f.a.member, 401, "POST", "/v1/users", `{"username":"z","project_id":"`+f.a.project+`"}`)
}

func TestHole5DeletingUsers(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	f.status(f.a.admin, 204, "DELETE", "/v1/users/"+f.b.memberID, "")
	f.status(f.b.member, 200, "GET", "/v1/hosts", "")
	f.status(f.a.admin, 204, "DELETE", "/v1/users/1", "")
	f.status(f.root, 200, "GET", "/v1/users", "")
	f.status(f.a.admin, 204, "DELETE", "/v1/users/"+f.a.memberID, "")
	f.status(f.a.member, 401, "GET", "/v1/hosts", "")
	// An admin of root's own project may not touch root either.
	r := f.must(f.root, 201, "POST", "/v1/users", `{"username":"near","project_id":"`+f.root.project+`","is_admin":true}`)
	near := caller{f.root.project, "near", r.JSON["api_key"].(string)}
	f.status(near, 401, "DELETE", "/v1/users/1", "")
	f.status(f.root, 200, "GET", "/v1/users/1", "")
}

func TestHole6ForeignCell(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	f.status(f.a.member, 404, "GET", "/v1/cells/"+f.b.cell, "")
	f.status(f.a.member, 200, "GET", "/v1/cells/"+f.a.cell, "")
}

func TestHole7ForeignKeys(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	own := `"cloud_id":` + f.a.cloud + `,"region_id":` + f.a.region
	host := `{"name":"x","ip_address":"10.0.0.1","device_type":"x",`
	for _, who := range []caller{f.a.member, f.a.admin, f.root} {
		for _, tc := range []struct{ method, path, body, field string }{
			{"POST", "regions", `{"name":"x","cloud_id":` + f.b.cloud + `}`, "cloud_id " + f.b.cloud},
			{"POST", "cells", `{"name":"x","cloud_id":` + f.a.cloud + `,"region_id":` + f.b.region + `}`, "_id "},
			{"POST", "hosts", host + `"cloud_id":` + f.b.cloud + `,"region_id":` + f.b.region + `}`, "cloud_id " + f.b.cloud},
			{"POST", "hosts", host + own + `,"cell_id":` + f.b.cell + `}`, "_id "},
			{"POST", "hosts", host + own + `,"parent_id":` + f.b.host + `}`, "_id "},
			{"POST", "networks", `{"name":"x","cidr":"c","gateway":"g","netmask":"m","cloud_id":` + f.b.cloud + `,"region_id":` + f.b.region + `}`, "cloud_id " + f.b.cloud},
			{"POST", "network-interfaces", `{"name":"x","interface_type":"x","ip_address":"10.0.0.1","device_id":` + f.b.host + `}`, "device_id " + f.b.host},
			{"PUT", "hosts/" + f.a.host, `{"parent_id":` + f.b.host + `}`, "parent_id " + f.b.host},
		} {
			r := f.call(who, tc.method, "/v1/"+tc.path, tc.body)
			if r.Status != 400 || !strings.Contains(r.message(), tc.field) {
				t.Errorf("%s %s %s as %s: %d %s, want 400 naming %s", tc.method, tc.path, tc.body, who.user, r.Status, r.Text, tc.field)
			}
		}
	}
	f.status(f.a.member, 400, "POST", "/v1/network-interfaces", `{"name":"x","interface_type":"x","ip_address":"10.0.0.1","device_id":`+f.a.host+`,"network_id":`+f.b.network+`}`)
}

func TestHole8ContradictingPlaces(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	cloud := f.must(f.a.member, 201, "POST", "/v1/clouds", `{"name":"c2"}`).id(t)
	region := f.must(f.a.member, 201, "POST", "/v1/regions", `{"name":"r2","cloud_id":`+f.a.cloud+`}`).id(t)
	host := `{"name":"x","ip_address":"10.0.0.1","device_type":"x",`
	for body, want := range map[string]string{
		host + `"cloud_id":` + cloud + `,"region_id":` + f.a.region + `}`:                            "cloud_id " + cloud + " contradicts region_id " + f.a.region,
		host + `"cloud_id":` + f.a.cloud + `,"region_id":` + region + `,"cell_id":` + f.a.cell + `}`: "region_id " + region + " contradicts cell_id " + f.a.cell,
		host + `"cloud_id":` + f.a.cloud + `,"region_id":` + f.a.region + `,"cell_id":99}`:           "cell_id 99: there is no such cell",
		host + `"cloud_id":` + f.a.cloud + `,"region_id":99999999999999999999}`:                      "region_id: 99999999999999999999 does not fit 64 bits",
	} {
		if r := f.call(f.a.member, "POST", "/v1/hosts", body); r.Status != 400 || !strings.Contains(r.message(), want) {
			t.Errorf("%s: %d %s, want 400 with %q", body, r.Status, r.Text, want)
		}
	}
}

func TestHole9ForeignMarker(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	for path, id := range map[string]string{"hosts": f.b.host, "devices": f.b.host, "clouds": f.b.cloud, "networks": f.b.network} {
		r := f.call(f.a.member, "GET", "/v1/"+path+"?marker="+id, "")
		if want := `Marker "` + id + `" does not exist`; r.Status != 400 || r.message() != want {
			t.Errorf("%s: %d %s, want 400 %s", path, r.Status, r.Text, want)
		}
	}
}

// TestHole10ForeignParent checks that a host whose parent was refused does
// not exist, and that lists go on working (contract §10 Q12).
func TestHole10ForeignParent(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	f.status(f.a.member, 400, "POST", "/v1/hosts", `{"name":"poison","ip_address":"10.0.0.1","device_type":"x","cloud_id":`+f.a.cloud+`,"region_id":`+f.a.region+`,"parent_id":`+f.b.host+`}`)
	if n := len(f.must(f.a.member, 200, "GET", "/v1/hosts", "").objects(t, "hosts")); n != 1 {
		t.Errorf("%d hosts, want 1", n)
	}
	f.status(f.a.member, 200, "GET", "/v1/devices", "")
}

// TestLastRootStays: nobody can delete the last root user, alone or with its project; another root user can go.
func TestLastRootStays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.must(f.root, 200, "GET", "/v1/users?name=bootstrap", "").objects(t, "users")[0]["id"]
	for _, path := range []string{fmt.Sprintf("/v1/users/%v", id), "/v1/projects/" + f.root.project} {
		if r := f.call(f.root, "DELETE", path, ""); r.Status != 409 || !strings.Contains(r.Text, "last root user") || !strings.Contains(r.Text, "bootstrap") {
			t.Errorf("%s: %d %s", path, r.Status, r.Text)
		}
	}
	f.must(f.root, 200, "GET", fmt.Sprintf("/v1/users/%v", id), "")
}
