package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/snapshot"
)

// oddTexts are texts that are written in many ways, and those that fold in odd ways.
var oddTexts = []string{"web", "Web-01", "DISK", "dis\u212a", "\u0130ssue", "k", "Über", "\u00fcber", "ключ", "КЛЮЧ", "a\"b", `c\d`, "e\tf", "10.2", "%", "_", "\U0001f600", "\u2126", "\u03c9", "true", "15", "l1"}

// notNamed are those of their characters that no new name, label or key has.
const notNamed = "\t\u212a\u2126"

// oddFleet gives a tenant's project a fleet of odd texts, in names, fields, labels, keys and values.
func (r *random) oddFleet(who caller) {
	text := func() string { return oddTexts[r.IntN(len(oddTexts))] }
	variables := func() string {
		set := map[string]any{}
		for range r.IntN(3) {
			key := text()
			if strings.ContainsAny(key, notNamed) {
				key = "key"
			}
			set[key] = []any{text() + text(), text(), map[string]any{text(): []any{text(), 1.5}}, 15, true, nil}[r.IntN(6)]
		}
		return member("variables", set)
	}
	one := func(path, members string) string {
		r.names++
		name := fmt.Sprintf("%s-%d", text(), r.names)
		if strings.ContainsAny(name, notNamed) {
			name = fmt.Sprintf("x-%d", r.names)
		}
		return r.must(who, 201, "POST", "/v1/"+path, "{"+member("name", name)[1:]+members+"}").id(r.t)
	}
	for range 2 {
		cloud := one("clouds", member("note", text())+variables())
		for range 2 {
			region := one("regions", `,"cloud_id":`+cloud+variables())
			in := `,"cloud_id":` + cloud + `,"region_id":` + region
			cell := one("cells", in+member("note", text())+variables())
			network := one("networks", in+`,"cidr":"10.2.0.0/16","gateway":"g","netmask":"m"`+variables())
			var devices []string
			for n := range 8 {
				place := in
				if n%2 == 0 {
					place += `,"cell_id":` + cell
				}
				kind, more := "hosts", member("note", text())
				if n%3 == 0 {
					kind, more = "network-devices", member("model_name", strings.TrimLeft(text(), "e\t"))
				}
				id := one(kind, place+fmt.Sprintf(`,"ip_address":"10.2.0.%d","device_type":"x"`, n)+more+variables())
				devices = append(devices, id)
				if label := text(); r.IntN(2) == 0 && !strings.ContainsAny(label, notNamed) {
					r.must(who, 200, "PUT", "/v1/"+kind+"/"+id+"/labels", `{"labels":["plain",`+strings.TrimPrefix(member("", label), `,"":`)+`]}`)
				}
			}
			for range 6 { // not in the order of the devices
				one("network-interfaces", `,"device_id":`+r.pick(devices)+`,"network_id":`+network+`,"interface_type":"x","ip_address":"::1","vlan_id":15,"speed":1500`+variables())
			}
		}
	}
}

// TestFleetText: a search finds the same, at the same places and in the same order, whether the server chooses what may
// hold the text or sends everything; and it chooses.
func TestFleetText(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			tenants := newTenants(t)
			r := &random{tenants.fixture, rand.New(rand.NewPCG(seed, 5)), 0}
			r.oddFleet(tenants.a.member)
			r.oddFleet(tenants.b.member)
			texts := slices.Clone(oddTexts)
			for _, text := range oddTexts {
				texts = append(texts, strings.ToUpper(text), text[:1])
			}
			texts = append(texts, "\ufffd", "nobody has this", "10.2.0.3", "vlan", "1500", "-1", "[", `"`, "\n", "b c", "secret", "kiki", "\u212a", "i\u0307", "dis%k", "plain")
			chosen := 0
			for _, who := range []caller{r.root, tenants.a.admin, tenants.b.member} {
				c, err := craton.New(r.url, craton.WithLocalAuth(who.user, who.key, who.project))
				if err != nil {
					t.Fatal(err)
				}
				all, err := snapshot.Read(t.Context(), c, snapshot.Options{Networks: true, Labels: true})
				if err != nil {
					t.Fatal(err)
				}
				lines := map[string]line{}
				for _, l := range r.fleetOf(who, "?networks=true", "") {
					lines[l.id()] = l
				}
				for _, text := range texts {
					some, err := snapshot.Read(t.Context(), c, snapshot.Options{Networks: true, Labels: true, Text: text})
					if err != nil {
						t.Fatalf("%q: %v", text, err)
					}
					hashed := func(key string) bool { return key == "web" }
					want := snapshot.Find(all, text, 0, hashed)
					if diff := cmp.Diff(want, snapshot.Find(some, text, 0, hashed)); diff != "" {
						t.Errorf("%s %q (-in all +in what was chosen):\n%s", who.user, text, diff)
					}
					if !utf8.ValidString(text) { // no server is asked for it: see TestQueriesAreUTF8
						continue
					}
					found := r.fleetOf(who, "?networks=true&text="+url.QueryEscape(text), "")
					for _, l := range found {
						if l.kind == "fleet" || l.kind == "end" {
							continue
						}
						if diff := cmp.Diff(lines[l.id()], l, cmp.AllowUnexported(line{})); diff != "" {
							t.Errorf("%s %q: another %s (-all +chosen):\n%s", who.user, text, l.id(), diff)
						}
					}
					if len(found) < len(lines)/2 {
						chosen++
					}
				}
				one := r.fleetOf(who, "?networks=true&text=nobody+at+all", "")
				if n := slices.IndexFunc(one, func(l line) bool { return l.kind == "host" || l.kind == "cloud" }); n >= 0 {
					t.Errorf("%s: a text that nobody has: %v", who.user, one[n])
				}
			}
			if chosen < 20 {
				t.Errorf("%d searches left half of the fleet out: the test shows less than it should", chosen)
			}
		})
	}
}

// TestFleetTextOfPlace: a search within a place finds what is in it only; a tag is that of the text that was asked for,
// and changes with the fleet.
func TestFleetTextOfPlace(t *testing.T) {
	t.Parallel()
	tenants := newTenants(t)
	r := &random{tenants.fixture, rand.New(rand.NewPCG(3, 5)), 0}
	r.fill(tenants.a.member)
	who := tenants.a.member
	for _, place := range []string{"cloud_id=1", "region_id=1", "cell_id=1", "region_id=99"} {
		in := map[string]bool{}
		for _, l := range r.fleetOf(who, "?networks=true&"+place, "") {
			in[l.id()] = !l.outside
		}
		for _, l := range r.fleetOf(who, "?networks=true&text=n&"+place, "") {
			if l.kind != "fleet" && l.kind != "end" && !in[l.id()] {
				t.Errorf("%s: %s is not in it", place, l.id())
			}
		}
	}
	tag := func(method, query, known string, want int) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, r.url+"/v1/fleet"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		who.sign(req)
		req.Header.Set("If-None-Match", known)
		resp, body := do(t, req)
		if resp.StatusCode != want {
			t.Fatalf("%s %s: %s %s", method, query, resp.Status, body)
		}
		return resp.Header.Get("Etag")
	}
	all, web := tag("GET", "", `"none"`, 200), tag("GET", "?text=web", `"none"`, 200)
	if all == web || web == tag("GET", "?text=h", `"none"`, 200) || web != tag("HEAD", "?text=web", `"none"`, 200) {
		t.Errorf("tags: %s %s", all, web)
	}
	tag("GET", "?text=web", web, 304)
	tag("GET", "?text=web", all, 200)
	r.must(who, 200, "PUT", "/v1/hosts/"+tenants.a.host+"/variables", `{"late":"Cobweb"}`)
	tag("GET", "?text=web", web, 200)
	found := r.fleetOf(who, "?text=cobWEB", "")
	if !slices.ContainsFunc(found, func(l line) bool { return l.kind == "host" && fmt.Sprint(l.object["id"]) == tenants.a.host }) || len(found) != 3 {
		t.Errorf("the host, its cloud and its region: %v", found)
	}
	if then := r.fleetOf(who, "?text=cobWEB&at="+fmt.Sprint(1), ""); len(then) != 0 {
		t.Errorf("before there was anything: %v", then)
	}
}
