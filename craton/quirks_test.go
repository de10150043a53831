package craton_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// The quirks of the original server that section 10 of the v1 contract numbers, in its order. Those without a test
// here, and why:
//
//	Q8   in pages_test.go (smaller pages) and transport_test.go (retries)
//	Q10  /v1/ansible-inventory always fails: the client does not offer it
//	Q17  every body's content type is looked at in services_test.go
//	Q20  what project admins see and may do is the server's affair; that keys are not printed is in TestSecrets
//	Q21  in pages_test.go
//	Q27  outdated documentation
//	Q28  the old command line
//	Q30  in pages_test.go
//	Q32  updated_at stays when variables or labels change: nothing here relies on it
//
// Of Q24, that variables of deleted objects leak concerns the server only.

// Q1: a create's times have microseconds, a later read's whole seconds; neither has a zone.
func TestQ1Timestamps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		`"2017-03-30T08:15:42.318274"`: time.Date(2017, 3, 30, 8, 15, 42, 318274000, time.UTC),
		`"2017-03-30T08:15:42.000000"`: time.Date(2017, 3, 30, 8, 15, 42, 0, time.UTC),
		`null`:                         {},
	} {
		var got craton.Timestamp
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Error(err)
		}
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s is %v", text, got)
		}
		if again := jsonOf(t, got); again != text {
			t.Errorf("%s becomes %s", text, again)
		}
	}
	for _, text := range []string{`"2017-03-30T08:15:42"`, `"2017-03-30T10:15:42+02:00"`, `"2017-03-30T08:15:42Z"`} {
		var got craton.Timestamp
		if err := json.Unmarshal([]byte(text), &got); err != nil || jsonOf(t, got) != `"2017-03-30T08:15:42.000000"` {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`""`, `"yesterday"`, `5`, `{}`, `"2017-03-30"`} {
		if err := json.Unmarshal([]byte(text), new(craton.Timestamp)); err == nil {
			t.Errorf("%s is taken for a time", text)
		}
	}
}

// Q2: a create's project_id is the caller's own spelling, so ids of projects are compared as UUIDs.
func TestQ2ProjectSpelling(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("POST /v1/users", always(500, bodyUnknown))
	mux.HandleFunc("GET /v1/users", listing(`{"users": `, `{"id": 1, "username": "ci", "project_id": "`+projectID+`"}`, ""))
	for spelling, conflict := range map[string]bool{
		projectID:                              true,
		strings.ReplaceAll(projectID, "-", ""): true,
		"{" + strings.ToUpper(projectID) + "}": true,
		"urn:uuid:" + projectID:                true,
		"0b9e0000-0000-4000-8000-000000000000": false,
	} {
		_, err := c.Users.Create(t.Context(), craton.UserCreate{Username: "ci", ProjectID: spelling})
		if craton.IsConflict(err) != conflict {
			t.Errorf("%s: %v", spelling, err)
		}
	}
}

// Q3: a create answers with the address as sent, and the filter compares with that text: neither is touched.
func TestQ3Addresses(t *testing.T) {
	t.Parallel()
	const raw = "2001:DB8:0:0::1"
	mux, c := newServer(t)
	mux.HandleFunc("POST /v1/hosts", always(201, `{"id": 7, "ip_address": "`+raw+`"}`))
	var rec recorder
	mux.HandleFunc("GET /v1/hosts", rec.wrap(listing(`{"hosts": `, ``, "")))
	h, err := c.Hosts.Create(t.Context(), craton.HostCreate{IPAddress: raw})
	if err != nil || h.IPAddress != raw {
		t.Errorf("%v, %v", h, err)
	}
	if _, err := c.Hosts.List(t.Context(), craton.HostListOptions{IPAddress: raw}); err != nil || rec.all()[0].Query != "ip_address="+raw {
		t.Errorf("%v, %v", rec.all(), err)
	}
}

// Q4: an interface's speed is a number in answers to writes and text in answers to reads.
func TestQ4Speed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]craton.Speed{`1000`: 1000, `"1000"`: 1000, `null`: 0, `""`: 0} {
		var got craton.NetworkInterface
		if err := json.Unmarshal([]byte(`{"speed": `+text+`}`), &got); err != nil || got.Speed != want {
			t.Errorf("%s is %d, %v", text, got.Speed, err)
		}
	}
	for _, text := range []string{`"fast"`, `1.5`, `{}`, `99999999999999999999`} {
		if err := json.Unmarshal([]byte(`{"speed": `+text+`}`), new(craton.NetworkInterface)); err == nil {
			t.Errorf("%s is taken for a speed", text)
		}
	}
}

// Q5: PUT of an object that does not exist answers 500, DELETE 204, the descendants of nothing 500.
func TestQ5Missing(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(1))
	mux.HandleFunc("PUT /v1/hosts/999", always(500, bodyUnknown))
	mux.HandleFunc("GET /v1/hosts/999", always(404, bodyNotFound))
	mux.HandleFunc("GET /v1/network-devices/999", always(404, bodyNotFound))
	mux.HandleFunc("GET /v1/network-devices/31", always(200, plain))
	mux.HandleFunc("GET /v1/hosts/31", always(404, bodyNotFound))
	mux.HandleFunc("DELETE /v1/hosts/999", always(204, ""))
	mux.HandleFunc("DELETE /v1/cells/999", always(404, bodyNotFound))
	mux.HandleFunc("GET /v1/devices", always(500, bodyUnknown))
	_, err := c.Hosts.Update(t.Context(), 999, craton.HostUpdate{Note: new("x")})
	if !craton.IsNotFound(err) || !strings.HasPrefix(err.Error(), "PUT ") {
		t.Errorf("update: %v", err)
	}
	if err := c.Hosts.Delete(t.Context(), 999); err != nil {
		t.Errorf("delete: %v", err)
	}
	if err := c.Cells.Delete(t.Context(), 999); err != nil {
		t.Errorf("delete on a stricter server: %v", err)
	}
	_, err = c.Devices.List(t.Context(), craton.DeviceListOptions{ParentID: 999, Descendants: true})
	if !craton.IsNotFound(err) {
		t.Errorf("descendants of nothing: %v", err)
	}
	for _, err := range c.Devices.All(t.Context(), craton.DeviceListOptions{ParentID: 999, Descendants: true}) {
		if !craton.IsNotFound(err) {
			t.Errorf("descendants of nothing: %v", err)
		}
	}
	for _, o := range []craton.DeviceListOptions{{ParentID: 31, Descendants: true}, {ParentID: 999}} { // it is there; no 500 that is known of
		if _, err := c.Devices.List(t.Context(), o); craton.StatusOf(err) != 500 {
			t.Errorf("%v: %v", o, err)
		}
	}
}

// Q6: a name that is taken answers 500 on every PUT, and on POST of network devices, interfaces and users.
// Q25: names that differ in case only are taken too, on most databases.
func TestQ6Duplicates(t *testing.T) {
	t.Parallel()
	// What exists: in every collection object 1, and object 2 with name "Taken" where names must be unique.
	mux, c := newServer(t, craton.WithRetries(0))
	for _, r := range []struct{ path, key string }{
		{"clouds", "clouds"}, {"regions", "regions"}, {"cells", "cells"}, {"hosts", "hosts"},
		{"network-devices", "network_devices"}, {"networks", "networks"}, {"network-interfaces", "network_interfaces"}, {"users", "users"},
	} {
		second := `{"id": 2, "name": "Taken", "username": "Taken", "cloud_id": 1, "region_id": 1, "device_id": 1, "project_id": "p"}`
		mux.HandleFunc("GET /v1/"+r.path, func(w http.ResponseWriter, q *http.Request) {
			items := `{"id": 1, "name": "old"}, ` + second
			if name := q.URL.Query().Get("name"); name != "" && !strings.EqualFold(name, "taken") {
				items = ""
			}
			listing(`{"`+r.key+`": `, items, "")(w, q)
		})
		mux.HandleFunc("GET /v1/"+r.path+"/1", always(200, `{"id": 1, "name": "old", "cloud_id": 1, "region_id": 1, "device_id": 1, "project_id": "p"}`))
		mux.HandleFunc("PUT /v1/"+r.path+"/1", always(500, bodyUnknown))
		mux.HandleFunc("POST /v1/"+r.path, always(500, bodyUnknown))
	}
	ctx := t.Context()
	for kind, do := range map[string]func(name string) error{
		"update cloud":  func(n string) error { return second(c.Clouds.Update(ctx, 1, craton.CloudUpdate{Name: &n})) },
		"update region": func(n string) error { return second(c.Regions.Update(ctx, 1, craton.RegionUpdate{Name: &n})) },
		"update cell":   func(n string) error { return second(c.Cells.Update(ctx, 1, craton.CellUpdate{Name: &n})) },
		"update host":   func(n string) error { return second(c.Hosts.Update(ctx, 1, craton.HostUpdate{Name: &n})) },
		"update network device": func(n string) error {
			return second(c.NetworkDevices.Update(ctx, 1, craton.NetworkDeviceUpdate{Name: &n}))
		},
		"update network": func(n string) error { return second(c.Networks.Update(ctx, 1, craton.NetworkUpdate{Name: &n})) },
		"update network interface": func(n string) error {
			return second(c.NetworkInterfaces.Update(ctx, 1, craton.NetworkInterfaceUpdate{Name: &n}))
		},
		"create network device": func(n string) error {
			return second(c.NetworkDevices.Create(ctx, craton.NetworkDeviceCreate{Name: n, RegionID: 1}))
		},
		"create network interface": func(n string) error {
			return second(c.NetworkInterfaces.Create(ctx, craton.NetworkInterfaceCreate{Name: n, DeviceID: 1}))
		},
		"create user": func(n string) error {
			return second(c.Users.Create(ctx, craton.UserCreate{Username: n, ProjectID: "p"}))
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"Taken", "taken"} {
				err := do(name)
				if !craton.IsConflict(err) || !strings.Contains(err.Error(), "already exists") {
					t.Errorf("%s: %v", name, err)
				}
			}
			// Another reason, which the original does not tell either.
			err := do("free")
			if craton.StatusOf(err) != 500 || !strings.Contains(err.Error(), "does not exist") {
				t.Errorf("free: %v", err)
			}
		})
	}
}

// Q6, contract §6.3: deletes that the database refuses answer 500.
func TestRefusedDeletes(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	for _, path := range []string{"hosts/1", "hosts/2", "network-devices/1", "networks/1", "networks/2", "cells/1"} {
		mux.HandleFunc("DELETE /v1/"+path, always(500, bodyUnknown))
	}
	mux.HandleFunc("GET /v1/devices", func(w http.ResponseWriter, r *http.Request) {
		children := ""
		if r.URL.Query().Get("parent_id") == "1" {
			children = `{"id": 5, "name": "guest"}, {"id": 6}`
		}
		listing(`{"devices": {"hosts": `, children, `, "network-devices": []}`)(w, r)
	})
	mux.HandleFunc("GET /v1/network-interfaces", listing(`{"network_interfaces": `, `{"id": 8, "name": "eth0", "network_id": 1}`, ""))
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		err  error
		is   bool
		want string
	}{
		{"host", c.Hosts.Delete(ctx, 1), true, "it is the parent of host 5 (guest) and of others"},
		{"network device", c.NetworkDevices.Delete(ctx, 1), true, "it is the parent of host 5 (guest)"},
		{"network", c.Networks.Delete(ctx, 1), true, "network interface 8 (eth0) is on this network"},
		{"host without children", c.Hosts.Delete(ctx, 2), false, "delete children before their parents"},
		{"network without interfaces", c.Networks.Delete(ctx, 2), false, "interfaces before networks"},
		{"cell", c.Cells.Delete(ctx, 1), false, "delete children before their parents"},
	} {
		if craton.IsConflict(tt.err) != tt.is || tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, tt.err)
		}
	}
}

// Q7: lists without details carry no variables, which is not the same as none.
func TestQ7Variables(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/cells", listing(`{"cells": `, `{"id": 1}, {"id": 2, "variables": {}}, {"id": 3, "variables": {"a": null}}`, ""))
	p, err := c.Cells.List(t.Context(), craton.CellListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []craton.Variables{nil, {}, {"a": []byte("null")}}
	for i, cell := range p.Items {
		if diff := cmp.Diff(want[i], cell.Variables); diff != "" {
			t.Errorf("cell %d (-want +got):\n%s", cell.ID, diff)
		}
		if has := strings.Contains(jsonOf(t, cell), "variables"); has != (i > 0) {
			t.Errorf("cell %d encodes to %s", cell.ID, jsonOf(t, cell))
		}
	}
}

// Q9: one device whose address is none makes whole lists fail: the error says where to look.
func TestQ9BadAddress(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	serve := fleet(1000, "http://h")
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.Atoi(r.URL.Query().Get("marker"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		if after < 105 && 105 <= after+limit { // host 105 cannot be read
			reply(w, 500, bodyUnknown)
			return
		}
		serve(w, r)
	})
	ids, err := hostIDs(t.Context(), c, craton.HostListOptions{Details: true})
	if len(ids) != 100 || err == nil || !strings.Contains(err.Error(), "among the 10 after id 100") || !strings.Contains(err.Error(), "ip_address is not an IP address") {
		t.Errorf("%d hosts, %v", len(ids), err)
	}
}

// A vars filter that is not path:value answers 500, too (contract §5.5).
func TestVarsHint(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	mux.HandleFunc("GET /v1/hosts", always(500, bodyUnknown))
	mux.HandleFunc("GET /v1/cells", always(500, bodyUnknown))
	for _, err := range []error{
		second(c.Hosts.List(t.Context(), craton.HostListOptions{Vars: "role"})),
		second(c.Cells.List(t.Context(), craton.CellListOptions{Vars: "role"})),
	} {
		if err == nil || !strings.Contains(err.Error(), "not path:value") {
			t.Error(err)
		}
	}
}

// Q11: the API refuses page sizes outside 10 to 100; its words reach the caller.
// Q18: they do not name the field, and are passed on whole.
func TestQ11Limit(t *testing.T) {
	t.Parallel()
	const words = "The request included the following errors:\n- 5 is less than the minimum of 10\n- 'x' is a required property"
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("limit") != "5" {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		body, _ := json.Marshal(map[string]any{"message": words, "status": 400})
		reply(w, 400, string(body))
	})
	_, err := c.Hosts.List(t.Context(), craton.HostListOptions{Paging: craton.Paging{Limit: 5}})
	var e *craton.Error
	if !errors.As(err, &e) || e.Message != words || !craton.IsBadRequest(err) {
		t.Error(err)
	}
}

// Q12: a device whose parent belongs to another project is made although the response is 404, and from then on
// the caller's listings are 404 as a whole.
func TestQ12ForeignParent(t *testing.T) {
	t.Parallel()
	for made, devices := range map[bool]http.HandlerFunc{
		true:  always(404, bodyNotFound),
		false: listing(`{"devices": {"hosts": `, "", `, "network-devices": []}`),
	} {
		t.Run(strconv.FormatBool(made), func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t)
			var rec recorder
			mux.HandleFunc("POST /v1/hosts", always(404, bodyNotFound))
			mux.HandleFunc("POST /v1/network-devices", always(404, bodyNotFound))
			mux.HandleFunc("GET /v1/devices", rec.wrap(devices))
			mux.HandleFunc("GET /v1/hosts", always(404, bodyNotFound))
			for _, err := range []error{
				second(c.Hosts.Create(t.Context(), craton.HostCreate{Name: "x", ParentID: 31})),
				second(c.NetworkDevices.Create(t.Context(), craton.NetworkDeviceCreate{Name: "x", ParentID: 31})),
			} {
				if got := err != nil && strings.Contains(err.Error(), "was created nevertheless: its parent 31"); got != made || !craton.IsNotFound(err) {
					t.Error(err)
				}
			}
			// It is the newest that shows.
			if got := rec.all()[0].Query; got != "limit=10&sort_dir=desc&sort_keys=id" {
				t.Errorf("looked with %s", got)
			}
			if _, err := c.Hosts.Create(t.Context(), craton.HostCreate{Name: "x"}); strings.Contains(err.Error(), "nevertheless") {
				t.Errorf("without a parent: %v", err)
			}
			_, err := c.Hosts.List(t.Context(), craton.HostListOptions{})
			if !craton.IsNotFound(err) || !strings.Contains(err.Error(), "parent belongs to another project") {
				t.Errorf("list: %v", err)
			}
		})
	}
}

// Q13: objects that are equal in all sort keys are lost at page borders, so id is added.
func TestQ13SortKeys(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{"name": "name,id", "cloud_id,name": "cloud_id,name,id", "id": "id", "name,id": "name,id", "id,name": "id,name"} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t)
			var rec recorder
			mux.HandleFunc("GET /v1/regions", rec.wrap(listing(`{"regions": `, ``, "")))
			o := craton.RegionListOptions{Paging: craton.Paging{SortKeys: strings.Split(keys, ",")}}
			if _, err := c.Regions.List(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if got := rec.all()[0].Query; got != "sort_keys="+want {
				t.Errorf("%s", got)
			}
		})
	}
}

// lookups serves regions (or clouds) as the original does: name and id make it a look-up of one that ignores the rest.
func lookups(key string, objects []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if !q.Has("name") && !q.Has("id") {
			listing(`{"`+key+`": `, strings.Join(objects, ","), "")(w, r)
			return
		}
		var found []string
		for _, o := range objects {
			if q.Has("id") && strings.Contains(o, `"id": `+q.Get("id")+`,`) || q.Has("name") && strings.Contains(o, `"name": "`+q.Get("name")+`"`) {
				found = append(found, o)
			}
		}
		switch len(found) {
		case 0:
			reply(w, 404, bodyNotFound)
		case 1:
			reply(w, 200, `{"`+key+`": [`+found[0]+`], "links": []}`)
		default:
			reply(w, 500, bodyUnknown)
		}
	}
}

// Q14: clouds?name= answers 404 for none, regions?name= 500 for several and whatever the cloud. Here all that is set
// must match, as with any other resource.
func TestQ14Lookups(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	mux.HandleFunc("GET /v1/clouds", lookups("clouds", []string{`{"id": 1, "name": "east"}`, `{"id": 2, "name": "west"}`}))
	var rec recorder
	mux.HandleFunc("GET /v1/regions", rec.wrap(lookups("regions", []string{
		`{"id": 1, "name": "dfw", "cloud_id": 1}`, `{"id": 2, "name": "ord", "cloud_id": 1}`, `{"id": 3, "name": "ord", "cloud_id": 2}`})))
	for _, tt := range []struct {
		o    craton.CloudListOptions
		want []int
	}{
		{craton.CloudListOptions{Name: "east"}, []int{1}},
		{craton.CloudListOptions{ID: 2}, []int{2}},
		{craton.CloudListOptions{Name: "none"}, nil},
		{craton.CloudListOptions{ID: 9}, nil},
		{craton.CloudListOptions{ID: 1, Name: "west"}, nil}, // there id wins
		{craton.CloudListOptions{ID: 1, Name: "east"}, []int{1}},
		{craton.CloudListOptions{Name: "west", Details: true}, []int{2}},
	} {
		p, err := c.Clouds.List(t.Context(), tt.o)
		if err != nil {
			t.Errorf("%+v: %v", tt.o, err)
			continue
		}
		var listed, walked []int
		for _, o := range p.Items {
			listed = append(listed, o.ID)
		}
		for o, err := range c.Clouds.All(t.Context(), tt.o) {
			if err != nil {
				t.Fatal(err)
			}
			walked = append(walked, o.ID)
		}
		if !slices.Equal(tt.want, listed) || !slices.Equal(tt.want, walked) {
			t.Errorf("%+v: %v and %v, want %v", tt.o, listed, walked, tt.want)
		}
	}
	for _, tt := range []struct {
		o        craton.RegionListOptions
		want     []int
		requests int
	}{
		{craton.RegionListOptions{Name: "dfw"}, []int{1}, 1},
		{craton.RegionListOptions{Name: "ord"}, []int{2, 3}, 4},
		{craton.RegionListOptions{Name: "none"}, nil, 1},
		{craton.RegionListOptions{ID: 3, Name: "ord"}, []int{3}, 3},
	} {
		before := len(rec.all())
		var got []int
		for o, err := range c.Regions.All(t.Context(), tt.o) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, o.ID)
		}
		if n := len(rec.all()) - before; !slices.Equal(tt.want, got) || n != tt.requests {
			t.Errorf("%+v: %v in %d requests, want %v in %d", tt.o, got, n, tt.want, tt.requests)
		}
	}
	// With another filter the name is not sent.
	before := len(rec.all())
	if _, err := c.Regions.List(t.Context(), craton.RegionListOptions{Name: "ord", CloudID: 2}); err != nil {
		t.Fatal(err)
	}
	if got := rec.all()[before].Query; got != "cloud_id=2&limit=100" {
		t.Errorf("asked for %s", got)
	}
	// There is no option for what does not filter: users?id=, networks?network_type=.
	for o, name := range map[reflect.Type]string{reflect.TypeFor[craton.UserListOptions](): "ID", reflect.TypeFor[craton.NetworkListOptions](): "NetworkType"} {
		if _, has := o.FieldByName(name); has {
			t.Errorf("%v has %s", o, name)
		}
	}
}

// Q14: projects?name=&marker= is 500, so that names could not be looked for past the first page.
func TestQ14ProjectNames(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	mux.HandleFunc("GET /v1/projects", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Has("name") {
			reply(w, 500, bodyUnknown)
			return
		}
		after, _ := strconv.Atoi(q.Get("marker"))
		var items []string
		limit, _ := strconv.Atoi(q.Get("limit"))
		for n := after + 1; n <= 250 && n <= after+limit; n++ {
			items = append(items, fmt.Sprintf(`{"id": "%d", "name": "Team-%d"}`, n, n))
		}
		last := ""
		if len(items) > 0 {
			last = strconv.Itoa(after + len(items))
		}
		reply(w, 200, `{"projects": [`+strings.Join(items, ",")+`], "links": `+links(r, "http://h", last)+`}`)
	})
	for pattern, want := range map[string][]string{
		"team-7": {"7"}, "Team-22_": {"220", "221", "222", "223", "224", "225", "226", "227", "228", "229"},
		"%-250": {"250"}, "Team.1": nil, "eam-1": nil, "Team-": nil,
	} {
		var got []string
		for p, err := range c.Projects.All(t.Context(), craton.ProjectListOptions{Name: pattern}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
	// One page of them, and the next.
	o := craton.ProjectListOptions{Name: "%2%", Paging: craton.Paging{Limit: 10}}
	var got []string
	for {
		p, err := c.Projects.List(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Items) > 10 || p.Limit != 10 {
			t.Errorf("a page of %d, limit %d", len(p.Items), p.Limit)
		}
		for _, o := range p.Items {
			got = append(got, o.ID)
		}
		if o.Marker = p.Marker; o.Marker == "" {
			break
		}
	}
	var want []string
	for n := 1; n <= 250; n++ {
		if id := strconv.Itoa(n); strings.Contains(id, "2") {
			want = append(want, id)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by hand (-want +got):\n%s", diff)
	}
}

// Q15: the original never shows labels in a host; craton server does. nil means that the server did not say. That
// labels come sorted whatever the server's order is in services_test.go.
func TestQ15Labels(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/hosts", listing(`{"hosts": `, `{"id": 1}, {"id": 2, "labels": []}, {"id": 3, "labels": ["a"]}`, ""))
	mux.HandleFunc("POST /v1/hosts", always(409, `{"message": "A device with the given name already exists.", "status": 409}`))
	p, err := c.Hosts.List(t.Context(), craton.HostListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := [][]string{p.Items[0].Labels, p.Items[1].Labels, p.Items[2].Labels}
	if diff := cmp.Diff([][]string{nil, {}, {"a"}}, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	// Labels that differ in case only answer with a misleading 409.
	_, err = c.Hosts.Create(t.Context(), craton.HostCreate{Name: "x", Labels: []string{"web", "Web"}})
	if !craton.IsConflict(err) || !strings.Contains(err.Error(), "labels that differ in case") {
		t.Error(err)
	}
	_, err = c.Hosts.Create(t.Context(), craton.HostCreate{Name: "x", Labels: []string{"web", "db"}})
	if !craton.IsConflict(err) || strings.Contains(err.Error(), "labels that differ in case") {
		t.Error(err)
	}
}

// Q16: the key of a list is not always its path. Only these are read; another is an error, not an empty list.
func TestQ16Keys(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/network-devices", always(200, `{"network-devices": [{"id": 1}], "links": []}`))
	mux.HandleFunc("GET /v1/network-interfaces", listing(`{"network_interfaces": `, `{"id": 1}`, ""))
	mux.HandleFunc("GET /v1/devices", always(200, `{"devices": {"hosts": [], "network_devices": []}, "links": []}`))
	var e *craton.ResponseError
	if _, err := c.NetworkDevices.List(t.Context(), craton.NetworkDeviceListOptions{}); !errors.As(err, &e) {
		t.Error(err)
	}
	if _, err := c.Devices.List(t.Context(), craton.DeviceListOptions{}); !errors.As(err, &e) {
		t.Error(err)
	}
	if p, err := c.NetworkInterfaces.List(t.Context(), craton.NetworkInterfaceListOptions{}); err != nil || len(p.Items) != 1 {
		t.Error(p, err)
	}
}

// Q19: a role that does not suffice answers 401, where fresh credentials would not help.
func TestQ19Forbidden(t *testing.T) {
	t.Parallel()
	for message, forbidden := range map[string]bool{
		"This action requires the 'admin' role":       true,
		"The request could not be authenticated.":     false,
		"Project ID ('None') is not a valid UUID":     false,
		"Project ID ('requires') is not a valid UUID": false,
	} {
		err := error(&craton.Error{Status: 401, Message: message})
		if craton.IsForbidden(err) != forbidden || craton.IsUnauthenticated(err) == forbidden {
			t.Errorf("%s", message)
		}
	}
	if !craton.IsForbidden(&craton.Error{Status: 403}) {
		t.Error("403")
	}
}

// Q22: fields that are echoed once and not stored do not disturb. Q23: regions and cells, which answer 500 when sent
// in a create, cannot be.
func TestQ22Echo(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("POST /v1/clouds", always(201, `{"id": 7, "name": "x", "regions": []}`))
	mux.HandleFunc("POST /v1/network-devices", always(201, `{"id": 7, "name": "x", "access_secret_id": 1, "interface_id": 2, "network_id": 3, "links": [{"href": "a", "rel": "b"}]}`))
	mux.HandleFunc("POST /v1/users", always(201, `{"id": 7, "username": "x", "roles": ["a"]}`))
	ctx := t.Context()
	for _, err := range []error{
		second(c.Clouds.Create(ctx, craton.CloudCreate{Name: "x"})),
		second(c.NetworkDevices.Create(ctx, craton.NetworkDeviceCreate{Name: "x"})),
		second(c.Users.Create(ctx, craton.UserCreate{Username: "x"})),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for o, field := range map[reflect.Type]string{reflect.TypeFor[craton.CloudCreate](): "Regions", reflect.TypeFor[craton.RegionCreate](): "Cells"} {
		if _, has := o.FieldByName(field); has {
			t.Errorf("%v has %s", o, field)
		}
	}
}

// Q24: null is a value like any other: it is sent as null, and taken away only by deleting the key.
func TestQ24Null(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	var rec recorder
	mux.HandleFunc("PUT /v1/cells/7/variables", rec.wrap(always(200, `{"variables": {"a": null}}`)))
	got, err := c.Cells.SetVariables(t.Context(), 7, craton.Vars(map[string]any{"a": nil}))
	if err != nil || rec.all()[0].Body != `{"a":null}` || string(got["a"]) != "null" {
		t.Errorf("%v, %v, %v", rec.all(), got, err)
	}
}

// Q26: ids in paths are canonical decimals, whatever their sign: nothing can trail them.
func TestQ26Ids(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	var rec recorder
	mux.HandleFunc("/", rec.wrap(always(204, "")))
	for _, id := range []int{7, 0, -1} {
		if err := c.Hosts.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	for i, want := range []string{"/v1/hosts/7", "/v1/hosts/0", "/v1/hosts/-1"} {
		if got := rec.all()[i].Path; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Q29: the old client dies of statuses it does not know. Here every one is an *Error.
func TestQ29Statuses(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	for status := 400; status < 600; status++ {
		mux.HandleFunc(fmt.Sprintf("GET /v1/hosts/%d", status), always(status, `{"message": "words", "status": 0}`))
	}
	for status := 400; status < 600; status++ {
		_, err := c.Hosts.Get(t.Context(), status)
		var e *craton.Error
		if !errors.As(err, &e) || e.Status != status || e.Message != "words" || e.Foreign {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// Q31: the original speaks HTTP/1.0 and closes each connection; lengths are announced or not.
func TestQ31HTTP10(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	for id, length := range map[int]string{7: "", 8: "Content-Length: " + strconv.Itoa(len(plain)) + "\r\n"} {
		mux.HandleFunc(fmt.Sprintf("GET /v1/hosts/%d", id), func(w http.ResponseWriter, _ *http.Request) {
			hijack(t, w, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n"+length+"\r\n"+plain)
		})
		for range 3 {
			if h, err := c.Hosts.Get(t.Context(), id); err != nil || h.Name != "x" {
				t.Errorf("%v, %v", h, err)
			}
		}
	}
}

// TestForeignAnswers: what proxies, other servers and mistyped URLs answer is never taken for Craton's word.
func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	html := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "<html>\n  <h1>%d</h1> %s</html>", status, strings.Repeat("é", 300))
		}
	}
	mux.HandleFunc("GET /v1/hosts/404", html(404))
	mux.HandleFunc("DELETE /v1/hosts/404", html(404))
	mux.HandleFunc("GET /v1/hosts/502", html(502))
	mux.HandleFunc("GET /v1/hosts/200", html(200))
	mux.HandleFunc("GET /v1/hosts", html(200))
	mux.HandleFunc("GET /v1/hosts/1", always(200, `{}`))
	mux.HandleFunc("GET /v1/hosts/2", always(200, `{"id": "x"}`))
	mux.HandleFunc("GET /v1/hosts/3", always(404, `{"message": "The requested URL was not found on the server.  If you entered the URL manually please check your spelling and try again.", "status": 404}`))
	mux.HandleFunc("GET /v1/hosts/4/labels", always(200, `{}`))
	mux.HandleFunc("GET /v1/hosts/5", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(500)
		_, _ = w.Write([]byte("A server error occurred.  Please contact the administrator."))
	})
	mux.HandleFunc("GET /v1/hosts/6", always(500, ""))
	get := func(id int) error { return second(c.Hosts.Get(t.Context(), id)) }
	for _, tt := range []struct {
		err      error
		notFound bool
		want     string
	}{
		{get(404), false, "404 Not Found: <html> <h1>404</h1> é"},
		{get(404), false, "check that the configured URL is that of a Craton v1 API"},
		{c.Hosts.Delete(t.Context(), 404), false, "heck that the configured URL"},
		{get(502), false, "502 Bad Gateway: <html>"},
		{get(200), false, `its content type is "text/html; charset=utf-8"`},
		{second(c.Hosts.List(t.Context(), craton.HostListOptions{})), false, `its content type is "text/html; charset=utf-8"`},
		{get(1), false, `it has no member "id"`},
		{get(2), false, `cannot unmarshal`},
		{get(3), false, "heck that the configured URL"},
		{second(c.Hosts.Labels(t.Context(), 4)), false, `it has no member "labels"`},
		{get(5), false, "A server error occurred. Please contact the administrator."},
		{get(6), false, "the server gave no reason (request id req-1)"},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) || craton.IsNotFound(tt.err) != tt.notFound {
			t.Errorf("%v, want %q", tt.err, tt.want)
		}
	}
	if n := len(get(404).Error()); n > 400 {
		t.Errorf("a message of %d bytes", n)
	}
}

// TestErrorTests: the predicates work on wrapped errors and on nil.
func TestErrorTests(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("while at it: %w", &craton.Error{Status: 404, Message: "Not Found"})
	if !craton.IsNotFound(wrapped) || craton.IsConflict(wrapped) || craton.StatusOf(wrapped) != 404 {
		t.Error("wrapped")
	}
	for _, err := range []error{nil, context.Canceled} {
		if craton.IsNotFound(err) || craton.IsConflict(err) || craton.IsBadRequest(err) || craton.IsForbidden(err) ||
			craton.IsUnauthenticated(err) || craton.IsMarkerGone(err) || craton.StatusOf(err) != 0 {
			t.Errorf("%v", err)
		}
	}
}

// TestLookupFails: a look-up that fails for another reason than quirk Q14 fails the call, once.
func TestLookupFails(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"401":        always(401, `{"message": "The request could not be authenticated.", "status": 401}`),
		"500":        always(500, bodyUnknown), // also when the listing is read instead
		"no list":    always(200, `{"links": []}`),
		"not a page": always(200, `{}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t, craton.WithRetries(0))
			mux.HandleFunc("GET /v1/clouds", h)
			n := 0
			for o, err := range c.Clouds.All(t.Context(), craton.CloudListOptions{Name: "east"}) {
				if n++; o != nil || err == nil {
					t.Errorf("%v, %v", o, err)
				}
			}
			if p, err := c.Clouds.List(t.Context(), craton.CloudListOptions{Name: "east"}); p != nil || err == nil {
				t.Errorf("%v, %v", p, err)
			}
			if n != 1 {
				t.Errorf("%d errors", n)
			}
		})
	}
}
