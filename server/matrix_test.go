package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/api"
)

// The roles, as short as in a table.
const (
	asReader = schema.Reader
	asMember = schema.Member
	asAdmin  = schema.Admin
	asRoot   = schema.Root
)

// rule is one line of the matrix: what a request comes to, by the role of who sends it. In paths and bodies {host} is
// the id of a host, {n} another number each time, and {new host} a host that is made for the request.
type rule struct {
	method, route string // as the server has them
	need          schema.Role
	status        int    // for who has that role
	path          string // beyond the route's own, such as a query; a path of its own begins with /
	body          string

	abroad int         // status for who comes from Keystone and has the role; 0: the same
	gives  schema.Role // what it gives away: 403 for who has less
}

// on makes a rule; more are its path and its body.
func on(method, route string, need schema.Role, status int, more ...string) rule {
	more = append(more, "", "")
	return rule{method: method, route: route, need: need, status: status, path: more[0], body: more[1]}
}

func (r rule) external(status int) rule     { r.abroad = status; return r }
func (r rule) giving(role schema.Role) rule { r.gives = role; return r }

// refusal is what somebody hears who lacks the role: readers 403 where they want to change what is not their own,
// others 401.
func (r *rule) refusal(role schema.Role) (status int, refused bool) {
	switch {
	case role >= r.need && role < r.gives:
		return 403, true
	case role >= r.need:
		return 0, false
	case role == asReader && r.method != "GET":
		return 403, true
	}
	return 401, true
}

// rules are what the server has: every method of every route, and of those beside v1 what their parameters ask for.
var rules = []rule{
	on("GET", "clouds", asReader, 200),
	on("POST", "clouds", asMember, 201, "", `{"name":"{n}"}`),
	on("GET", "clouds/<id>", asReader, 200),
	on("PUT", "clouds/<id>", asMember, 200, "", `{"note":"{n}"}`),
	on("DELETE", "clouds/<id>", asMember, 204, "/clouds/{new cloud}"),
	on("GET", "clouds/<id>/variables", asReader, 200),
	on("PUT", "clouds/<id>/variables", asMember, 200, "", `{"k":{n}}`),
	on("DELETE", "clouds/<id>/variables", asMember, 204, "", `["k"]`),

	on("GET", "regions", asReader, 200, "?details=true"),
	on("POST", "regions", asMember, 201, "", `{"name":"{n}","cloud_id":{cloud}}`),
	on("GET", "regions/<id>", asReader, 200),
	on("PUT", "regions/<id>", asMember, 200, "", `{"note":"{n}"}`),
	on("DELETE", "regions/<id>", asMember, 204, "/regions/{new region}"),
	on("GET", "regions/<id>/variables", asReader, 200),
	on("PUT", "regions/<id>/variables", asMember, 200, "", `{"k":{n}}`),
	on("DELETE", "regions/<id>/variables", asMember, 204, "", `["k"]`),

	on("GET", "cells", asReader, 200),
	on("POST", "cells", asMember, 201, "", `{"name":"{n}",{place}}`),
	on("GET", "cells/<id>", asReader, 200),
	on("PUT", "cells/<id>", asMember, 200, "", `{"note":"{n}"}`),
	on("DELETE", "cells/<id>", asMember, 204, "/cells/{new cell}"),
	on("GET", "cells/<id>/variables", asReader, 200),
	on("PUT", "cells/<id>/variables", asMember, 200, "", `{"k":{n}}`),
	on("DELETE", "cells/<id>/variables", asMember, 204, "", `["k"]`),
	on("POST", "cells/<id>/move", asMember, 200, "", `{"region_id":{region}}`),

	on("GET", "hosts", asReader, 200, "?details=true&resolved-values=true"),
	on("POST", "hosts", asMember, 201, "", `{"name":"{n}","ip_address":"{ip}","device_type":"x",{place}}`),
	on("GET", "hosts/<id>", asReader, 200),
	on("PUT", "hosts/<id>", asMember, 200, "", `{"note":"{n}"}`),
	on("DELETE", "hosts/<id>", asMember, 204, "/hosts/{new host}"),
	on("GET", "hosts/<id>/variables", asReader, 200),
	on("PUT", "hosts/<id>/variables", asMember, 200, "", `{"k":{n}}`),
	on("DELETE", "hosts/<id>/variables", asMember, 204, "", `["k"]`),
	on("GET", "hosts/<id>/labels", asReader, 200),
	on("PUT", "hosts/<id>/labels", asMember, 200, "", `{"labels":["l{n}"]}`),
	on("DELETE", "hosts/<id>/labels", asMember, 204, "", `{"labels":["none"]}`),
	on("POST", "hosts/<id>/move", asMember, 200, "", `{"region_id":{region}}`),

	on("GET", "network-devices", asReader, 200),
	on("POST", "network-devices", asMember, 201, "", `{"name":"{n}","ip_address":"{ip}","device_type":"x",{place}}`),
	on("GET", "network-devices/<id>", asReader, 200),
	on("PUT", "network-devices/<id>", asMember, 200, "", `{"vlans":"{n}"}`),
	on("DELETE", "network-devices/<id>", asMember, 204, "/network-devices/{new network-device}"),
	on("GET", "network-devices/<id>/variables", asReader, 200),
	on("PUT", "network-devices/<id>/variables", asMember, 200, "", `{"k":{n}}`),
	on("DELETE", "network-devices/<id>/variables", asMember, 204, "", `["k"]`),
	on("GET", "network-devices/<id>/labels", asReader, 200),
	on("PUT", "network-devices/<id>/labels", asMember, 200, "", `{"labels":["l{n}"]}`),
	on("DELETE", "network-devices/<id>/labels", asMember, 204, "", `{"labels":["none"]}`),
	on("POST", "network-devices/<id>/move", asMember, 200, "", `{"region_id":{region}}`),

	on("GET", "devices", asReader, 200, "?details=true"),

	on("GET", "networks", asReader, 200, "?details=true"),
	on("POST", "networks", asMember, 201, "", `{"name":"{n}","cidr":"c","gateway":"g","netmask":"m",{place}}`),
	on("GET", "networks/<id>", asReader, 200),
	on("PUT", "networks/<id>", asMember, 200, "", `{"nss":"{n}"}`),
	on("DELETE", "networks/<id>", asMember, 204, "/networks/{new network}"),
	on("GET", "networks/<id>/variables", asReader, 200),
	on("PUT", "networks/<id>/variables", asMember, 200, "", `{"k":{n}}`),
	on("DELETE", "networks/<id>/variables", asMember, 204, "", `["k"]`),

	on("GET", "network-interfaces", asReader, 200),
	on("POST", "network-interfaces", asMember, 201, "", `{"name":"{n}","device_id":{host},"interface_type":"x","ip_address":"10.0.0.1"}`),
	on("GET", "network-interfaces/<id>", asReader, 200),
	on("PUT", "network-interfaces/<id>", asMember, 200, "", `{"vlan":"{n}"}`),
	on("DELETE", "network-interfaces/<id>", asMember, 204, "/network-interfaces/{new network-interface}"),

	on("GET", "projects", asRoot, 200),
	on("POST", "projects", asRoot, 201, "", `{"name":"{n}"}`),
	on("GET", "projects/<id>", asAdmin, 200),
	on("DELETE", "projects/<id>", asRoot, 204, "/projects/{new project}"),
	on("GET", "projects/<id>/variables", asAdmin, 200),
	on("PUT", "projects/<id>/variables", asAdmin, 200, "", `{"k":{n}}`),
	on("DELETE", "projects/<id>/variables", asAdmin, 204, "", `["k"]`),

	on("GET", "users", asAdmin, 200),
	on("GET", "users", asAdmin, 200, "?name=subject"),
	on("POST", "users", asAdmin, 201, "", `{"username":"{n}","project_id":"{project}"}`).external(403),
	on("POST", "users", asAdmin, 201, "", `{"username":"{n}","project_id":"{project}","role":"admin"}`).external(403),
	on("POST", "users", asAdmin, 201, "", `{"username":"{n}","project_id":"{project}","role":"reader"}`).external(403),
	on("POST", "users", asAdmin, 201, "", `{"username":"{n}","project_id":"{project}","role":"root"}`).external(403).giving(asRoot),
	on("GET", "users/<id>", asAdmin, 200),
	on("DELETE", "users/<id>", asAdmin, 204, "/users/{new user}"),
	on("GET", "users/<id>/role", asAdmin, 200),
	on("GET", "users/<id>/role", asReader, 200, "/users/self/role").external(404),
	on("PUT", "users/<id>/role", asAdmin, 200, "", `{"role":"member"}`).external(403),
	on("PUT", "users/<id>/role", asAdmin, 200, "/users/{new user}/role", `{"role":"admin"}`).external(403),
	on("PUT", "users/<id>/role", asAdmin, 200, "/users/{new user}/role", `{"role":"root"}`).external(403).giving(asRoot),
	on("GET", "users/<id>/keys", asAdmin, 200),
	on("GET", "users/<id>/keys", asReader, 200, "/users/self/keys").external(404),
	on("POST", "users/<id>/keys", asAdmin, 201, "", `{"name":"{n}","expires_at":"1m"}`).external(403),
	on("POST", "users/<id>/keys", asReader, 201, "/users/self/keys", `{"name":"{n}","role":"reader","expires_at":"1m"}`).external(404),
	on("POST", "users/<id>/keys", asReader, 201, "/users/self/keys", `{"name":"{n}","role":"member","expires_at":"1m"}`).external(404).giving(asMember),
	on("POST", "users/<id>/keys", asReader, 201, "/users/self/keys", `{"name":"{n}","role":"admin","expires_at":"1m"}`).external(404).giving(asAdmin),
	on("GET", "users/<id>/keys/<id>", asAdmin, 200),
	on("DELETE", "users/<id>/keys/<id>", asAdmin, 204, "/users/{subject}/keys/{new key}"),
	on("DELETE", "users/<id>/keys/<id>", asReader, 404, "/users/self/keys/{key}"), // it is another user's

	on("GET", "clouds/<id>/protected", asReader, 200),
	on("PUT", "clouds/<id>/protected", asMember, 200, "", `{"protected":false}`),
	on("GET", "regions/<id>/protected", asReader, 200),
	on("PUT", "regions/<id>/protected", asMember, 200, "", `{"protected":false}`),
	on("GET", "cells/<id>/protected", asReader, 200),
	on("PUT", "cells/<id>/protected", asMember, 200, "", `{"protected":false}`),
	on("GET", "hosts/<id>/protected", asReader, 200),
	on("PUT", "hosts/<id>/protected", asMember, 200, "", `{"protected":false}`),
	on("GET", "network-devices/<id>/protected", asReader, 200),
	on("PUT", "network-devices/<id>/protected", asMember, 200, "", `{"protected":false}`),
	on("GET", "networks/<id>/protected", asReader, 200),
	on("PUT", "networks/<id>/protected", asMember, 200, "", `{"protected":false}`),
	on("GET", "network-interfaces/<id>/protected", asReader, 200),
	on("PUT", "network-interfaces/<id>/protected", asMember, 200, "", `{"protected":false}`),
	on("GET", "projects/<id>/protected", asAdmin, 200),
	on("PUT", "projects/<id>/protected", asAdmin, 200, "", `{"protected":false}`),

	on("GET", "protected", asReader, 200),

	on("GET", "sets", asReader, 200),
	on("GET", "sets/<id>", asReader, 200, "/sets/one"),
	on("PUT", "sets/<id>", asMember, 204, "/sets/one", `{"members":{}}`),
	on("POST", "sets/<id>", asMember, 204, "/sets/one", `{"add":{},"adopt":true}`),
	on("DELETE", "sets/<id>", asMember, 204, "/sets/one"),

	on("GET", "capabilities", asReader, 200),
	on("GET", "ansible-inventory", asReader, 200),
	on("GET", "changes", asReader, 200),
	on("GET", "changes", asReader, 200, "?kind=host&id={host}"),
	on("GET", "changes", asAdmin, 200, "?kind=user"),
	on("GET", "changes", asAdmin, 200, "?kind=project&id={project}"),
	on("GET", "history", asReader, 200),
	on("GET", "history", asReader, 200, "?kind=host&id={host}"),
	on("GET", "history", asAdmin, 200, "?kind=user&id={subject}"),
	on("GET", "history", asAdmin, 200, "?kind=project&id={project}"),
	on("GET", "diff", asReader, 200, "?from={revision}"),
	on("GET", "diff", asReader, 200, "?from={revision}&kind=host&id={host}"),
	on("GET", "diff", asAdmin, 200, "?from={revision}&kind=user&id={subject}"),
	on("GET", "diff", asAdmin, 200, "?from={revision}&kind=project"),
	on("GET", "fleet", asReader, 200),
	on("GET", "fleet", asReader, 200, "?networks=true&region_id={region}"),
	on("POST", "undo", asMember, 200, "", `{"revision":{revision},"check":true}`),
	on("POST", "undo", asAdmin, 200, "", `{"revision":{user revision},"check":true}`),
	on("POST", "bulk", asMember, 200, "", `{"kind":"host","where":"name=*","variables":{"x":1},"check":true}`),
	on("POST", "bulk", asMember, 200, "", `{"kind":"network","where":"name=none","delete":true,"check":true}`),

	on("GET", "hosts", asReader, 200, "?at={revision}&details=true"),
	on("GET", "hosts/<id>", asReader, 200, "/hosts/{host}?at={revision}"),
	on("GET", "fleet", asReader, 200, "?at={revision}"),
	on("GET", "ansible-inventory", asReader, 200, "?at={revision}"),
	on("GET", "prometheus", asReader, 200),
	on("GET", "prometheus", asReader, 200, "?at={revision}"),
	on("GET", "projects/<id>", asAdmin, 200, "/projects/{project}?at={revision}"),
}

// who is a caller of the matrix.
type who struct {
	name     string
	role     schema.Role // in the end
	external bool
	handler  http.Handler
	as       caller
}

// matrix is a server with two projects that have the same in them.
type matrix struct {
	*fixture
	own, foreign map[string]string // ids
	maker        caller            // makes what is new, in the own project
	served       http.Handler
	n            int
}

func newMatrix(t *testing.T) *matrix {
	m := &matrix{fixture: newFixture(t)}
	m.served = m.server.Handler()
	m.own, m.foreign = m.project("ours"), m.project("theirs")
	return m
}

// project makes a project, of which everything has a name that others can be told by.
func (m *matrix) project(name string) map[string]string {
	m.t.Helper()
	ids := map[string]string{"project": m.must(m.root, 201, "POST", "/v1/projects", `{"name":"`+name+`","variables":{"secret":"`+name+`"}}`).id(m.t)}
	made := m.must(m.root, 201, "POST", "/v1/users", `{"username":"maker-`+name+`","role":"root","project_id":"`+ids["project"]+`"}`)
	as := caller{ids["project"], "maker-" + name, made.JSON["api_key"].(string)}
	if name == "ours" {
		m.maker = as
	}
	for _, kind := range []string{"cloud", "region", "cell", "host", "network-device", "network", "network-interface"} {
		ids[kind] = m.make(as, ids, kind, kind+"-"+name)
		ids[schema.ByName(kind).Path] = ids[kind]
	}
	m.must(as, 200, "PUT", "/v1/hosts/"+ids["host"], `{"note":"of `+name+`"}`)
	ids["revision"] = m.newest(as)
	ids["subject"] = m.make(as, ids, "user", "subject")
	ids["user revision"] = m.newest(as)
	ids["users"], ids["projects"] = ids["subject"], ids["project"]
	ids["key"] = m.make(as, ids, "key", "of-"+name)
	return ids
}

func (m *matrix) newest(as caller) string {
	m.t.Helper()
	revision, _, _ := strings.Cut(m.must(as, 200, "GET", "/v1/capabilities", "").JSON["revision"].(string), "-")
	return revision
}

// make makes an object, with a name, where ids say.
func (m *matrix) make(as caller, ids map[string]string, kind, name string) string {
	m.t.Helper()
	switch kind {
	case "key":
		return m.must(as, 201, "POST", "/v1/users/"+ids["subject"]+"/keys", `{"name":"`+name+`","expires_at":"1m"}`).id(m.t)
	case "user":
		return m.must(as, 201, "POST", "/v1/users", `{"username":"`+name+`","project_id":"`+ids["project"]+`"}`).id(m.t)
	}
	path := schema.ByName(kind).Path
	i := slices.IndexFunc(rules, func(r rule) bool { return r.method == "POST" && r.route == path })
	return m.must(as, 201, "POST", "/v1/"+path, strings.Replace(m.fill(rules[i].body, ids), `"name":"`, `"name":"`+name, 1)).id(m.t)
}

// fill puts ids in the place of words.
func (m *matrix) fill(text string, ids map[string]string) string {
	m.n++
	for kind := range map[string]bool{"cloud": true, "region": true, "cell": true, "host": true, "network-device": true, "network": true, "network-interface": true, "user": true, "project": true, "key": true} {
		if word := "{new " + kind + "}"; strings.Contains(text, word) {
			text = strings.ReplaceAll(text, word, m.make(m.maker, m.own, kind, fmt.Sprint("new-", m.n)))
		}
	}
	text = strings.ReplaceAll(text, "{place}", `"cloud_id":{cloud},"region_id":{region}`)
	text = strings.ReplaceAll(text, "{n}", fmt.Sprint(m.n))
	text = strings.ReplaceAll(text, "{ip}", fmt.Sprintf("10.0.%d.%d", m.n/200, m.n%200+1))
	for word, id := range ids {
		text = strings.ReplaceAll(text, "{"+word+"}", id)
	}
	return text
}

// request is that of a rule, with ids of a project.
func (m *matrix) request(r *rule, ids map[string]string) (method, path, body string) {
	path, _, _ = strings.Cut(r.route, "/")
	path = "/v1/" + strings.Replace(strings.Replace(r.route, "<id>", "{"+path+"}", 1), "<id>", "{key}", 1)
	if strings.HasPrefix(r.path, "/") {
		path = "/v1" + r.path
	} else {
		path += r.path
	}
	return r.method, m.fill(path, ids), m.fill(r.body, ids)
}

// send sends a request as somebody, in this process.
func (w *who) send(t testing.TB, method, path, body string) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if w.role != 0 && !w.external {
		w.as.sign(r)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return reply{Status: rec.Code, Header: rec.Header(), Text: rec.Body.String()}
}

// callers are all kinds of them: users of each role, each role's keys of each narrower role, and Keystone's. They are
// of the own project.
func (m *matrix) callers() (all []*who) {
	m.t.Helper()
	all = append(all, &who{name: "nobody", handler: m.served})
	for role := asReader; role <= asRoot; role++ {
		name := role.String()
		made := m.must(m.maker, 201, "POST", "/v1/users", `{"username":"`+name+`","role":"root","project_id":"`+m.own["project"]+`"}`)
		as := caller{m.own["project"], name, made.JSON["api_key"].(string)}
		all = append(all, &who{name: name, role: role, handler: m.served, as: as})
		user := "/v1/users/" + made.id(m.t)
		for most := asReader; most <= asRoot; most++ {
			if most >= role && role+2 > most { // it may be narrower, and much wider: that a user was raised once
				continue
			}
			key := m.must(m.maker, 201, "POST", user+"/keys", `{"name":"for `+most.String()+`","role":"`+most.String()+`","expires_at":"1h"}`)
			as.key = key.JSON["key"].(string)
			all = append(all, &who{name: fmt.Sprintf("%s with a key for %s", role, most), role: min(role, most), handler: m.served, as: as})
		}
		m.must(m.maker, 200, "PUT", user+"/role", `{"role":"`+name+`"}`)
		all = append(all, &who{name: "Keystone's " + name, role: role, external: true,
			handler: m.server.HandlerAs(api.Caller{User: name, Project: m.own["project"], Role: role, External: true})})
	}
	return all
}

// TestMatrix: what every role may do with every method of every route, for users, for keys that are narrower than their
// users, and for Keystone's roles; what is another project's is for nobody but root any different from what is not
// there.
func TestMatrix(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	m.hasAll()
	callers := m.callers()
	for i := range rules {
		r := &rules[i]
		seen := map[schema.Role]string{} // what a role reads, whoever has it
		for _, w := range callers {
			method, path, body := r.method, "", ""
			want, refused := r.refusal(w.role)
			switch {
			case w.role == 0:
				want = 401
			case refused && !(w.external && r.abroad == 404): // to it there are none of its own
			case w.external && r.abroad != 0:
				want, refused = r.abroad, true
			default:
				want = r.status
			}
			if w.role == 0 || refused {
				rest := *r
				for kind, word := range map[string]string{"user": "subject", "key": "key"} {
					rest.path = strings.ReplaceAll(rest.path, "{new "+kind+"}", "{"+word+"}")
				}
				rest.path = strings.ReplaceAll(rest.path, "{new ", "{")
				_, path, body = m.request(&rest, m.own)
			} else {
				_, path, body = m.request(r, m.own)
			}
			got := w.send(t, method, path, body)
			if got.Status != want {
				t.Errorf("%s: %s %s %s: %d %s, want %d", w.name, method, path, body, got.Status, got.Text, want)
			}
			if w.role != asRoot && strings.Contains(got.Text, "theirs") {
				t.Errorf("%s: %s %s shows what is another project's: %s", w.name, method, path, got.Text)
			}
			if method != "GET" || want != 200 || strings.Contains(path, "/self/") || r.abroad != 0 {
				continue
			}
			if before, ok := seen[w.role]; ok && before != got.Text {
				t.Errorf("%s: GET %s is not what others with the role %s read:\n%s\n%s", w.name, path, w.role, before, got.Text)
			}
			seen[w.role] = got.Text
			if w.name != w.role.String() {
				continue // once a role will do
			}
			if head := w.send(t, "HEAD", path, ""); head.Status != want || head.Text != "" {
				t.Errorf("%s: HEAD %s: %d %s", w.name, path, head.Status, head.Text)
			}
		}
		if method, path, _ := m.request(r, m.own); method == "GET" && r.need == asReader && r.abroad == 0 && seen[asReader] != seen[asMember] {
			t.Errorf("GET %s: a reader does not read what a member reads:\n%s\n%s", path, seen[asReader], seen[asMember])
		}
	}
	m.tellsNothing(callers)
	m.refusesOthers(callers)
}

// hasAll: the server has no route without a rule, and no rule is about what it does not have.
func (m *matrix) hasAll() {
	m.t.Helper()
	routes := api.Routes()
	if len(routes) < 40 {
		m.t.Fatalf("%d routes", len(routes))
	}
	for i := range rules {
		if r := &rules[i]; !slices.Contains(routes[r.route], r.method) {
			m.t.Errorf("a rule is about %s %s, which the server does not have", r.method, r.route)
		}
	}
	for route, methods := range routes {
		for _, method := range methods {
			if !slices.ContainsFunc(rules, func(r rule) bool { return r.route == route && r.method == method }) {
				m.t.Errorf("no rule says who may %s %s", method, route)
			}
		}
	}
}

// references are requests whose bodies and queries name what belongs to another project.
var references = []rule{
	on("POST", "regions", asMember, 0, "", `{"name":"x","cloud_id":{cloud}}`),
	on("POST", "cells", asMember, 0, "", `{"name":"x",{place}}`),
	on("POST", "hosts", asMember, 0, "", `{"name":"x","ip_address":"{ip}","device_type":"x",{place}}`),
	on("POST", "networks", asMember, 0, "", `{"name":"x","cidr":"c","gateway":"g","netmask":"m",{place}}`),
	on("POST", "network-interfaces", asMember, 0, "", `{"name":"x","device_id":{host},"interface_type":"x","ip_address":"10.0.0.1"}`),
	on("PUT", "hosts/<id>", asMember, 0, "/hosts/{own host}", `{"parent_id":{host}}`),
	on("POST", "hosts/<id>/move", asMember, 0, "/hosts/{own host}/move", `{"region_id":{region}}`),
	on("POST", "hosts/<id>/move", asMember, 0, "/hosts/{own host}/move", `{"cell_id":{cell}}`),
	on("POST", "cells/<id>/move", asMember, 0, "/cells/{own cell}/move", `{"region_id":{region}}`),
	on("PUT", "sets/<id>", asMember, 0, "/sets/one", `{"members":{"host":[{host}]}}`),
	on("POST", "sets/<id>", asMember, 0, "/sets/one", `{"add":{"cell":[{cell}]},"remove":{"host":[{host}]}}`),
	on("POST", "users", asAdmin, 0, "", `{"username":"x","project_id":"{project}"}`),
	on("POST", "users", asAdmin, 0, "", `{"username":"x","project_id":"{project}","role":"reader"}`),
	on("GET", "users", asAdmin, 0, "?id={subject}"),
	on("GET", "users/<id>/keys/<id>", asAdmin, 0, "/users/{own subject}/keys/{key}"),
	on("DELETE", "users/<id>/keys/<id>", asAdmin, 0, "/users/{own subject}/keys/{key}"),
	on("DELETE", "users/<id>/keys/<id>", asReader, 0, "/users/self/keys/{key}"),
	on("GET", "hosts", asReader, 0, "?region_id={region}"),
	on("GET", "hosts", asReader, 0, "?id={host}"),
	on("GET", "hosts", asReader, 0, "?marker={host}"),
	on("GET", "devices", asReader, 0, "?parent_id={host}&descendants=true"),
	on("GET", "clouds", asReader, 0, "?id={cloud}"),
	on("GET", "network-interfaces", asReader, 0, "?device_id={host}"),
	on("GET", "ansible-inventory", asReader, 0, "?region_id={region}"),
	on("GET", "fleet", asReader, 0, "?region_id={region}"),
	on("GET", "prometheus", asReader, 0, "?region_id={region}"),
	on("GET", "changes", asReader, 0, "?kind=host&id={host}"),
	on("GET", "history", asReader, 0, "?kind=host&id={host}"),
	on("GET", "history", asAdmin, 0, "?kind=user&id={subject}"),
	on("GET", "history", asAdmin, 0, "?kind=project&id={project}"),
	on("GET", "diff", asReader, 0, "?from={own revision}&kind=host&id={host}"),
	on("GET", "diff", asAdmin, 0, "?from={own revision}&kind=project&id={project}"),
	on("GET", "hosts/<id>", asReader, 0, "/hosts/{host}?at={own revision}"),
}

// tellsNothing: what belongs to another project is answered as what does not exist, to everybody but root.
func (m *matrix) tellsNothing(callers []*who) {
	m.t.Helper()
	absent := maps.Clone(m.foreign)
	for word, id := range absent {
		switch {
		case word == "project" || word == "projects":
			absent[word] = value.NewUUID()
		case !strings.Contains(word, "revision"):
			absent[word] = "9" + strings.Repeat("0", len(id)+5)
		}
	}
	for _, ids := range []map[string]string{m.foreign, absent} {
		for word, id := range m.own {
			ids["own "+word] = id
		}
	}
	var names, known []string
	for word, id := range m.foreign {
		if kind := strings.TrimPrefix(word, "own "); kind == word && !strings.Contains(word, "revision") {
			names, known = append(names, "{"+word+"}"), append(known, regexp.QuoteMeta(id), regexp.QuoteMeta(absent[word]))
		}
	}
	names = append(names, "{place}", "{users}")
	anyID := regexp.MustCompile(`\b(` + strings.Join(known, "|") + `)\b`)
	const asked = `"newest": "` // what the log has by now is everybody's
	for _, r := range slices.Concat(rules, references) {
		if strings.Contains(r.path, "{new ") || r.route == "undo" {
			continue
		}
		r.gives = 0 // that there is no such thing comes first
		template := r.path + r.body
		if !strings.HasPrefix(r.path, "/") {
			template += strings.Replace(r.route, "<id>", "{users}", 1)
		}
		if !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(template, name) }) {
			continue // it names nothing
		}
		for _, w := range callers {
			if w.role == asRoot {
				continue
			}
			n := m.n
			method, path, body := m.request(&r, m.foreign)
			got := w.send(m.t, method, path, body)
			m.n = n
			_, path, body = m.request(&r, absent)
			want := w.send(m.t, method, path, body)
			if a, b := anyID.ReplaceAllString(got.Text, "ID"), anyID.ReplaceAllString(want.Text, "ID"); got.Status != want.Status || a != b {
				before, _, _ := strings.Cut(a, asked)
				if after, _, _ := strings.Cut(b, asked); got.Status == want.Status && before == after {
					continue
				}
				m.t.Errorf("%s: %s %s %s of another project's: %d %s, of what does not exist: %d %s", w.name, method, path, body, got.Status, got.Text, want.Status, want.Text)
			}
			status, refused := r.refusal(w.role)
			switch {
			case w.role == 0:
				status = 401
			case refused:
			case w.external && r.abroad != 0:
				status = r.abroad
			case r.status == 0:
				continue // it is not about one object
			case method == "DELETE" && !strings.Contains(r.route, "/<id>/"):
				status = 204 // what is not there is deleted
			case strings.HasPrefix(r.path, "?"), r.method == "POST" && !strings.Contains(r.route, "/"):
				continue
			default:
				status = 404
			}
			if got.Status != status {
				m.t.Errorf("%s: %s %s of another project's: %d %s, want %d", w.name, method, path, got.Status, got.Text, status)
			}
		}
	}
	for _, w := range callers {
		if w.role == asRoot || w.role < asMember {
			continue
		}
		if got := w.send(m.t, "POST", "/v1/undo", `{"revision":`+m.foreign["revision"]+`,"check":true}`); got.Status != 404 {
			m.t.Errorf("%s undoes what was done in another project: %d %s", w.name, got.Status, got.Text)
		}
	}
	for word, id := range m.foreign {
		if kind := schema.ByName(word); kind != nil && word != "project" {
			m.must(m.root, 200, "GET", "/v1/"+kind.Path+"/"+id, "") // it is still there
		}
	}
	m.must(m.root, 200, "GET", "/v1/users/"+m.foreign["subject"]+"/keys/"+m.foreign["key"], "")
}

// refusesOthers: whatever a route has no method for is refused, whoever asks.
func (m *matrix) refusesOthers(callers []*who) {
	m.t.Helper()
	routes := api.Routes()
	for route, has := range routes {
		r := rule{route: route}
		_, path, _ := m.request(&r, m.own)
		for _, w := range callers {
			for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
				want := 405
				switch {
				case w.role == 0:
					want = 401
				case slices.Contains(has, method):
					continue
				case method == "OPTIONS":
					want = 200
				}
				if got := w.send(m.t, method, path, ""); got.Status != want {
					m.t.Errorf("%s: %s %s: %d %s, want %d", w.name, method, path, got.Status, got.Text, want)
				}
			}
		}
	}
}
