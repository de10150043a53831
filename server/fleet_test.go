package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// random makes fleets over the API, each of a seed.
type random struct {
	*fixture
	*rand.Rand
	names int
}

func (r *random) pick(ids []string) string { return ids[r.IntN(len(ids))] }

// text is a member of a body.
func member(name string, value any) string {
	text, _ := json.Marshal(value)
	return fmt.Sprintf(`,%q:%s`, name, text)
}

func (r *random) variables() string {
	set := map[string]any{}
	for range r.IntN(4) {
		set[[]string{"a", "b", "ключ", "d"}[r.IntN(4)]] = []any{1, nil, "text", "ü\n", []any{1, map[string]any{"x": 1.5}}, map[string]any{}, true}[r.IntN(7)]
	}
	return member("variables", set)
}

func (r *random) make(who caller, path, members string) string {
	r.names++
	return r.must(who, 201, "POST", "/v1/"+path, fmt.Sprintf(`{"name":"n%d"%s}`, r.names, members)).id(r.t)
}

// fill gives a tenant's project a fleet.
func (r *random) fill(who caller) {
	var devices []string
	nets := []string{""}
	for range 2 {
		cloud := r.make(who, "clouds", r.variables())
		for range 1 + r.IntN(3) {
			region := r.make(who, "regions", `,"cloud_id":`+cloud+r.variables())
			in := `,"cloud_id":` + cloud + `,"region_id":` + region
			places := []string{in}
			for range r.IntN(3) {
				places = append(places, in+`,"cell_id":`+r.make(who, "cells", in+r.variables()))
			}
			for range r.IntN(3) {
				nets = append(nets, `,"network_id":`+r.make(who, "networks", `,"cidr":"c","gateway":"g","netmask":"m"`+r.pick(places)+r.variables()))
			}
			for range 2 + r.IntN(12) {
				body := `,"ip_address":"10.0.0.` + strconv.Itoa(r.IntN(250)) + `","device_type":"x"` + r.pick(places) + r.variables()
				if devices != nil && r.IntN(2) == 0 {
					body += `,"parent_id":` + r.pick(devices)
				}
				kind := []string{"hosts", "network-devices"}[r.IntN(2)]
				id := r.make(who, kind, body)
				devices = append(devices, id)
				if r.IntN(2) == 0 {
					r.must(who, 200, "PUT", "/v1/"+kind+"/"+id+"/labels", fmt.Sprintf(`{"labels":["l%d","é"]}`, r.IntN(3)))
				}
				for range r.IntN(3) {
					r.make(who, "network-interfaces", `,"device_id":`+id+`,"interface_type":"x","ip_address":"::1","speed":7`+r.pick(nets)+r.variables())
				}
			}
		}
	}
}

// all walks all pages of a list.
func (f *fixture) all(who caller, path, key string) (objects []map[string]any) {
	next := "/v1/" + path
	for {
		r := f.must(who, 200, "GET", next, "")
		page := r.objects(f.t, key)
		if len(page) == 0 {
			return objects
		}
		objects = append(objects, page...)
		next = r.link("next")
	}
}

// line is one line of a fleet.
type line struct {
	kind    string
	outside bool
	object  map[string]any
	more    map[string]any // what stands beside the object
}

func (l line) id() string { return l.kind + " " + fmt.Sprint(l.object["id"]) }

// fleetOf reads /v1/fleet.
func (f *fixture) fleetOf(who caller, query, accept string) (lines []line) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.url+"/v1/fleet"+query, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	who.sign(req)
	if accept != "" {
		req.Header.Set("Accept-Encoding", accept)
	}
	resp, body := do(f.t, req)
	text := decoded(f.t, resp, body)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		f.t.Fatalf("GET /v1/fleet%s: %d %v %.200s", query, resp.StatusCode, resp.Header, text)
	}
	all := strings.Split(text, "\n")
	for i, one := range all[:len(all)-1] {
		var v map[string]map[string]any
		d := json.NewDecoder(bytes.NewReader([]byte(one)))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			f.t.Fatalf("line %d: %v: %s", i, err, one)
		}
		l := line{}
		if in, ok := v["outside"]; ok {
			l.outside = true
			for kind, object := range in {
				v = map[string]map[string]any{kind: object.(map[string]any)}
			}
		}
		if resolved, ok := v["resolved"]; ok {
			l.more = resolved
			delete(v, "resolved")
		}
		for kind, object := range v {
			l.kind, l.object = kind, object
		}
		lines = append(lines, l)
	}
	if n := len(lines); all[len(all)-1] != "" || lines[0].kind != "fleet" || lines[n-1].kind != "end" || fmt.Sprint(lines[n-1].object["count"]) != strconv.Itoa(n-2) {
		f.t.Fatalf("a fleet that does not begin and end as one:\n%s", text)
	}
	return lines[1 : len(lines)-1]
}

// wanted is the fleet as the walk of all pages shows it: by kind and id.
func (f *fixture) wanted(who caller, reads bool, root bool) map[string]line {
	want := map[string]line{}
	add := func(kind string, objects []map[string]any) {
		for _, o := range objects {
			delete(o, "links")
			l := line{kind: kind, object: o}
			if kind == "region" && !reads {
				l.more = f.must(who, 200, "GET", "/v1/regions/"+fmt.Sprint(o["id"]), "").JSON["variables"].(map[string]any)
			}
			want[l.id()] = l
		}
	}
	switch {
	case root:
		add("project", f.all(who, "projects?details=true&limit=10", "projects"))
	case reads:
		add("project", []map[string]any{f.must(who, 200, "GET", "/v1/projects/"+who.project, "").JSON})
	}
	add("cloud", f.all(who, "clouds?details=true&limit=10", "clouds"))
	for path, kind := range map[string]string{"regions": "region", "cells": "cell", "hosts": "host", "network-devices": "network-device"} {
		add(kind, f.all(who, path+"?details=true&resolved-values=false&limit=10", strings.ReplaceAll(path, "-", "_")))
	}
	add("network", f.all(who, "networks?details=true&limit=10", "networks"))
	var ports []map[string]any
	for _, o := range f.all(who, "network-interfaces?limit=10", "network_interfaces") {
		ports = append(ports, f.must(who, 200, "GET", "/v1/network-interfaces/"+fmt.Sprint(o["id"]), "").JSON)
	}
	add("network-interface", ports)
	return want
}

// within is the part of a fleet that a place has, with what is around it and
// the devices outside that those in it have above them.
func within(all map[string]line, networks bool, place map[string]string) map[string]line {
	got := map[string]line{}
	// A container is there if it is, or is around, or is in each place that was asked for.
	names := []string{"cloud_id", "region_id", "cell_id"}
	fits := func(o map[string]any, depth int) bool { // the places that it has at all
		for i, key := range names {
			if want, asked := place[key]; asked && i < depth && fmt.Sprint(o[key]) != want {
				return false
			}
		}
		return true
	}
	around := map[string]bool{}
	projects := map[string]bool{}
	exists := len(place) == 0
	for _, l := range all {
		var o map[string]any
		deepest := 0
		for i, key := range names {
			if _, asked := place[key]; asked {
				deepest = i + 1
			}
		}
		if deepest == 0 {
			break
		}
		kind := []string{"cloud", "region", "cell"}[deepest-1]
		if l.kind != kind || fmt.Sprint(l.object["id"]) != place[names[deepest-1]] {
			continue
		}
		o = map[string]any{kind + "_id": l.object["id"]}
		for _, key := range names {
			if v, ok := l.object[key]; ok {
				o[key] = v
			}
		}
		if !fits(o, 3) {
			continue
		}
		exists = true
		projects[fmt.Sprint(l.object["project_id"])] = true
		for _, key := range names {
			if v, ok := o[key]; ok {
				around[strings.TrimSuffix(key, "_id")+" "+fmt.Sprint(v)] = true
			}
		}
	}
	if !exists {
		return got
	}
	parents := map[string]line{}
	for id, l := range all {
		if l.kind == "host" || l.kind == "network-device" {
			parents[fmt.Sprint(l.object["id"])] = l
		}
		o := l.object
		switch l.kind {
		case "project":
			if len(place) > 0 && !projects[fmt.Sprint(o["id"])] {
				continue
			}
		case "network-interface":
			continue
		case "network":
			if !networks || !fits(o, 3) {
				continue
			}
		case "cloud", "region", "cell":
			self := map[string]any{"cloud_id": o["cloud_id"], "region_id": o["region_id"]}
			self[l.kind+"_id"] = o["id"]
			depth := map[string]int{"cloud": 1, "region": 2, "cell": 3}[l.kind]
			if !around[id] && (!fits(self, depth) || place["cell_id"] != "" && depth < 3 || place["region_id"] != "" && depth < 2) {
				continue
			}
		default:
			if !fits(o, 3) {
				continue
			}
		}
		got[id] = l
	}
	for id, l := range all {
		if _, in := got["host "+fmt.Sprint(l.object["device_id"])]; l.kind == "network-interface" && networks {
			if _, also := got["network-device "+fmt.Sprint(l.object["device_id"])]; in || also {
				got[id] = l
			}
		}
	}
	for _, l := range all {
		if _, in := got[l.id()]; !in || l.outside {
			continue
		}
		for p, ok := parents[fmt.Sprint(l.object["parent_id"])]; ok; p, ok = parents[fmt.Sprint(p.object["parent_id"])] {
			if _, in := got[p.id()]; !in {
				p.outside = true
				got[p.id()] = p
			}
		}
	}
	return got
}

// TestFleet compares /v1/fleet with the walk of all pages: for everybody, for every place, for random fleets.
func TestFleet(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			tenants := newTenants(t)
			r := &random{tenants.fixture, rand.New(rand.NewPCG(seed, 1)), 0}
			r.fill(tenants.a.member)
			r.fill(tenants.b.member)
			outside := 0
			for _, who := range []struct {
				caller
				reads, root bool
			}{{r.root, true, true}, {tenants.a.admin, true, false}, {tenants.a.member, false, false}, {tenants.b.admin, true, false}} {
				all := r.wanted(who.caller, who.reads, who.root)
				queries := []map[string]string{{}, {"cloud_id": "1"}, {"cloud_id": "99"}, {"region_id": "0"}, {"cell_id": "-1"}, {"region_id": "1", "cloud_id": "2"}}
				for _, l := range all {
					switch l.kind {
					case "cloud", "region":
						queries = append(queries, map[string]string{l.kind + "_id": fmt.Sprint(l.object["id"])})
					case "cell":
						queries = append(queries, map[string]string{"cell_id": fmt.Sprint(l.object["id"])},
							map[string]string{"cell_id": fmt.Sprint(l.object["id"]), "cloud_id": fmt.Sprint(l.object["cloud_id"])})
					}
				}
				for i, place := range queries {
					networks := i%2 == 0
					query := "?networks=" + strconv.FormatBool(networks)
					for key, id := range place {
						query += "&" + key + "=" + id
					}
					accept := []string{"", "gzip", "zstd"}[i%3]
					got := map[string]line{}
					lines := r.fleetOf(who.caller, query, accept)
					rank := []string{"project", "cloud", "region", "cell", "network", "host", "network-device", "network-interface"}
					last := 0
					for _, l := range lines {
						if _, twice := got[l.id()]; twice {
							t.Errorf("%s %s: %s is there twice", who.user, query, l.id())
						}
						got[l.id()] = l
						if l.outside {
							outside++
						}
						if n := min(slices.Index(rank, l.kind), 5); n < last {
							t.Errorf("%s %s: %s comes after what is in it", who.user, query, l.id())
						} else {
							last = n
						}
					}
					if diff := cmp.Diff(within(all, networks, place), got, cmp.AllowUnexported(line{})); diff != "" {
						t.Fatalf("%s %s (-pages +fleet):\n%s", who.user, query, diff)
					}
				}
			}
			if outside == 0 {
				t.Error("no device had a parent outside of its place: the test shows less than it should")
			}
		})
	}
}

// TestFleetOfTheClient: the client library reads the fleet as it is, compressed on its way.
func TestFleetOfTheClient(t *testing.T) {
	t.Parallel()
	tenants := newTenants(t)
	r := &random{tenants.fixture, rand.New(rand.NewPCG(7, 1)), 0}
	r.fill(tenants.a.member)
	for _, who := range []caller{r.root, tenants.a.member} {
		c, err := craton.New(r.url, craton.WithLocalAuth(who.user, who.key, who.project))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, l := range r.fleetOf(who, "?networks=true&region_id=1", "") {
			want = append(want, fmt.Sprint(l.id(), l.outside, l.object["name"], l.more != nil))
		}
		s, err := c.Fleet(t.Context(), craton.FleetOptions{RegionID: 1, Networks: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for l, err := range s.All() {
			if err != nil {
				t.Fatal(err)
			}
			o := line{kind: string(l.Kind)}
			d := json.NewDecoder(bytes.NewReader(l.Object))
			d.UseNumber()
			if err := d.Decode(&o.object); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(o.id(), l.Outside, o.object["name"], l.Resolved != nil))
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) < 5 {
			t.Errorf("%s (-fleet +client):\n%s", who.user, diff)
		}
		if _, err := c.Fleet(t.Context(), craton.FleetOptions{RegionID: 1, Networks: true, Known: s.Tag}); !craton.IsUnchanged(err) {
			t.Errorf("the fleet that was read: %v", err)
		}
		r.marks(c, s)
		r.must(who, 201, "POST", "/v1/clouds", `{"name":"of `+who.user+`"}`)
		if m, err := c.FleetMark(t.Context(), craton.FleetOptions{RegionID: 1, Networks: true, Known: s.Tag}); err != nil || m.Tag == s.Tag || m.Revision == s.Revision {
			t.Errorf("a fleet that changed: %v %v", m, err)
		}
		if s, err = c.Fleet(t.Context(), craton.FleetOptions{RegionID: 1, Networks: true, Known: s.Tag}); err != nil {
			t.Errorf("a fleet that changed: %v", err)
		} else {
			s.Close()
		}
	}
}

// marks looks at what is asked of a fleet without reading it: it is what the fleet itself says, of the present and of
// the past.
func (r *random) marks(c *craton.Client, s *craton.FleetStream) {
	r.t.Helper()
	o := craton.FleetOptions{RegionID: 1, Networks: true}
	if m, err := c.FleetMark(r.t.Context(), o); err != nil || m != s.FleetMark || m.Tag == "" {
		r.t.Errorf("mark %v of %v: %v", m, s.FleetMark, err)
	}
	o.Known = s.Tag
	if _, err := c.FleetMark(r.t.Context(), o); !craton.IsUnchanged(err) {
		r.t.Errorf("the fleet that was read: %v", err)
	}
	o = craton.FleetOptions{Past: craton.Past{At: "3"}}
	then, err := c.Fleet(r.t.Context(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	then.Close()
	if m, err := c.FleetMark(r.t.Context(), o); err != nil || m != then.FleetMark {
		r.t.Errorf("mark %v of the past %v: %v", m, then.FleetMark, err)
	}
	past, err := c.At(r.t.Context(), o.Past)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := past.FleetMark(r.t.Context(), craton.FleetOptions{Known: then.Tag}); !craton.IsUnchanged(err) {
		r.t.Errorf("the past by another name: %v", err)
	}
}

// bigFleet has n hosts, whose variables take some bytes each, and hold n: 0.
func bigFleet(t *testing.T, l server.Limits, n, size int) *daemon {
	t.Helper()
	f := newFixtureWith(t, l)
	f.place("c", "r", "l")
	for i := range n {
		f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"10.0.0.1","device_type":"s","cloud_id":1,"region_id":1,"variables":{"big":"%s","n":0}}`, i, strings.Repeat("x", size)))
	}
	return &daemon{fixture: f, host: strings.TrimPrefix(f.url, "http://")}
}

// TestFleetDoesNotWait: who reads slowly keeps neither writers nor the
// moment that the answer is of, and still gets all of it.
func TestFleetDoesNotWait(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite, enginetest.Postgres) // long
	t.Parallel()
	const hosts = 600 // more than a page
	d := bigFleet(t, server.Limits{}, hosts, 30_000)
	c, err := d.stalled("/v1/fleet")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 32 { // within the minute that a client may take nothing
		d.must(d.root, 200, "PUT", "/v1/hosts/1/variables", `{"n":1,"big":"`+strings.Repeat("y", 900_000)+`"}`)
	}
	d.must(d.root, 200, "PUT", fmt.Sprintf("/v1/hosts/%d/variables", hosts), `{"n":1}`)
	if size := d.logSize(); size > 24<<20 {
		t.Errorf("the write-ahead log has %d bytes: the reader keeps its moment", size)
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader(statusOK), c)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	n, other := 0, ""
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"host":`)) {
			n++
			if !bytes.Contains(lines.Bytes(), []byte(`"n":0}`)) {
				other = lines.Text()
			}
		}
	}
	if err := lines.Err(); err != nil || n != hosts || other != "" {
		t.Errorf("%d hosts, %v, one of another moment: %.200s", n, err, other)
	}
}

// TestFleetIsCutOff: half a fleet does not look like one, and what it took comes back.
func TestFleetIsCutOff(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite, enginetest.Postgres) // long
	t.Parallel()
	d := bigFleet(t, limitsForOverload, 24, 900_000) // more than there is room for
	req, err := http.NewRequestWithContext(t.Context(), "GET", d.url+"/v1/fleet", nil)
	if err != nil {
		t.Fatal(err)
	}
	d.root.sign(req)
	for range 3 {
		resp, err := plain.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || err == nil || bytes.Contains(body, []byte(`"end"`)) {
			t.Errorf("%d, %d bytes that end with %.100q, %v: want an error", resp.StatusCode, len(body), body[max(0, len(body)-100):], err)
		}
	}
	for range 3 { // in zstd there is room
		if n := len(d.fleetOf(d.root, "", "zstd")); n != 24+4 {
			t.Errorf("%d lines", n)
		}
	}
	// A client that goes away is noticed.
	for range 4 {
		c, err := d.stalled("/v1/hosts?details=true&limit=10") // 9 MB of 12
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		c, err = d.stalled("/v1/fleet")
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Logf("no room yet: %v", err)
		}
		c.Close()
	}
	d.until(func() bool { return d.call(d.root, "GET", "/v1/hosts?details=true&limit=10", "").Status == 200 })
}

// until waits for what must come true within a minute.
func (f *fixture) until(is func() bool) {
	f.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatal("it did not come true")
		}
	}
}
