package craton_test

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// paging sets every option of Paging.
var paging = craton.Paging{Limit: 50, Marker: "m1", SortKeys: []string{"name", "id"}, SortDir: "desc"}

const pagingQuery = "limit=50&marker=m1&sort_dir=desc&sort_keys=name,id"

// TestListOptions sets every option of every resource, and looks at the query.
func TestListOptions(t *testing.T) {
	t.Parallel()
	no := false
	sends(t, "/clouds", `{"clouds": [], "links": []}`, "details=true&"+pagingQuery+"&vars=a:1&where=x",
		func(c *craton.Client) *craton.Lister[craton.Cloud, craton.CloudListOptions] { return &c.Clouds.Lister },
		craton.CloudListOptions{Paging: paging, ID: 1, Name: "n", Vars: "a:1", Details: true, Where: "x"}) // id and name: compared by the client (Q14)
	sends(t, "/regions", `{"regions": [], "links": []}`, "cloud_id=2&details=true&"+"limit=50&marker=m1&resolved-values=false&sort_dir=desc&sort_keys=name,id"+"&vars=a:1&where=x",
		func(c *craton.Client) *craton.Lister[craton.Region, craton.RegionListOptions] {
			return &c.Regions.Lister
		},
		craton.RegionListOptions{Paging: paging, ID: 1, Name: "n", CloudID: 2, Vars: "a:1", Details: true, Resolved: &no, Where: "x"}) // likewise
	sends(t, "/cells", `{"cells": [], "links": []}`, "cloud_id=2&details=true&id=1&limit=50&marker=m1&name=n&region_id=3&resolved-values=false&sort_dir=desc&sort_keys=name,id&vars=a:1&where=x",
		func(c *craton.Client) *craton.Lister[craton.Cell, craton.CellListOptions] { return &c.Cells.Lister },
		craton.CellListOptions{Paging: paging, ID: 1, Name: "n", CloudID: 2, RegionID: 3, Vars: "a:1", Details: true, Resolved: &no, Where: "x"})
	sends(t, "/hosts", `{"hosts": [], "links": []}`, "cell_id=4&cloud_id=2&details=true&device_type=t&id=1&ip_address=i&label=l&limit=50&marker=m1&name=n&region_id=3&resolved-values=false&sort_dir=desc&sort_keys=name,id&vars=a:1&where=x",
		func(c *craton.Client) *craton.Lister[craton.Host, craton.HostListOptions] { return &c.Hosts.Lister },
		craton.HostListOptions{Paging: paging, ID: 1, Name: "n", CloudID: 2, RegionID: 3, CellID: 4, DeviceType: "t", Label: "l", IPAddress: "i", Vars: "a:1", Details: true, Resolved: &no, Where: "x"})
	sends(t, "/network-devices", `{"network_devices": [], "links": []}`, "cell_id=4&cloud_id=2&details=true&device_type=t&id=1&ip_address=i&limit=50&marker=m1&name=n&region_id=3&resolved-values=false&sort_dir=desc&sort_keys=name,id&vars=a:1&where=x",
		func(c *craton.Client) *craton.Lister[craton.NetworkDevice, craton.NetworkDeviceListOptions] {
			return &c.NetworkDevices.Lister
		},
		craton.NetworkDeviceListOptions{Paging: paging, ID: 1, Name: "n", CloudID: 2, RegionID: 3, CellID: 4, DeviceType: "t", IPAddress: "i", Vars: "a:1", Details: true, Resolved: &no, Where: "x"})
	sends(t, "/devices", `{"devices": {"hosts": [], "network-devices": []}, "links": []}`, "active=false&cell_id=4&cloud_id=2&descendants=true&details=true&limit=50&marker=m1&parent_id=5&region_id=3&resolved-values=false&sort_dir=desc&sort_keys=name,id&where=x",
		func(c *craton.Client) *craton.Lister[craton.AnyDevice, craton.DeviceListOptions] {
			return &c.Devices.Lister
		},
		craton.DeviceListOptions{Paging: paging, CloudID: 2, RegionID: 3, CellID: 4, ParentID: 5, Descendants: true, Active: &no, Details: true, Resolved: &no, Where: "x"})
	sends(t, "/networks", `{"networks": [], "links": []}`, "cell_id=4&details=true&id=1&limit=50&marker=m1&name=n&region_id=3&sort_dir=desc&sort_keys=name,id&vars=a:1&where=x",
		func(c *craton.Client) *craton.Lister[craton.Network, craton.NetworkListOptions] {
			return &c.Networks.Lister
		},
		craton.NetworkListOptions{Paging: paging, ID: 1, Name: "n", RegionID: 3, CellID: 4, Vars: "a:1", Details: true, Where: "x"})
	sends(t, "/network-interfaces", `{"network_interfaces": [], "links": []}`, "device_id=6&id=1&interface_type=t&ip_address=i&"+pagingQuery,
		func(c *craton.Client) *craton.Lister[craton.NetworkInterface, craton.NetworkInterfaceListOptions] {
			return &c.NetworkInterfaces.Lister
		},
		craton.NetworkInterfaceListOptions{Paging: paging, ID: 1, DeviceID: 6, IPAddress: "i", InterfaceType: "t"})
	sends(t, "/projects", `{"projects": [], "links": []}`, "details=true&"+pagingQuery+"&vars=a:1",
		func(c *craton.Client) *craton.Lister[craton.Project, craton.ProjectListOptions] {
			return &c.Projects.Lister
		},
		craton.ProjectListOptions{Paging: paging, Name: "n", Vars: "a:1", Details: true}) // name: compared by the client (Q14)
	sends(t, "/users", `{"users": [], "links": []}`, "limit=50&marker=m1&name=n&sort_dir=desc&sort_keys=name,id",
		func(c *craton.Client) *craton.Lister[craton.User, craton.UserListOptions] { return &c.Users.Lister },
		craton.UserListOptions{Paging: paging, Name: "n"})
}

// sends looks at what List and All ask for with the options, none of which may be unset.
func sends[T, O any](t *testing.T, path, empty, query string, of func(*craton.Client) *craton.Lister[T, O], options O) {
	t.Helper()
	v := reflect.ValueOf(options)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%T.%s is not tested", options, v.Type().Field(i).Name)
		}
	}
	both := map[string]func(context.Context, *craton.Lister[T, O], O) error{
		"list": func(ctx context.Context, l *craton.Lister[T, O], o O) error { return second(l.List(ctx, o)) },
		"all": func(ctx context.Context, l *craton.Lister[T, O], o O) (err error) {
			for _, err = range l.All(ctx, o) {
			}
			return err
		},
	}
	for verb, do := range both {
		t.Run(path+" "+verb, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t)
			var rec recorder
			mux.HandleFunc("GET /v1"+path, rec.wrap(func(w http.ResponseWriter, r *http.Request) {
				reply(w, http.StatusOK, strings.Replace(empty, `"links": []`, `"links": `+links(r, "http://h", ""), 1))
			}))
			if err := do(t.Context(), of(c), options); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]request{{"GET", "/v1" + path, query, ""}}, rec.all()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoOptions: List leaves the page size to the server, All asks for the largest.
func TestNoOptions(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	var rec recorder
	mux.HandleFunc("GET /v1/hosts", rec.wrap(listing(`{"hosts": `, "", "")))
	if _, err := c.Hosts.List(t.Context(), craton.HostListOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, err := range c.Hosts.All(t.Context(), craton.HostListOptions{}) {
		t.Fatal(err)
	}
	want := []request{{"GET", "/v1/hosts", "", ""}, {"GET", "/v1/hosts", "limit=100", ""}}
	if diff := cmp.Diff(want, rec.all()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestQueryEscapes: values travel as they are.
func TestQueryEscapes(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	var got url.Values
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query()
		listing(`{"hosts": `, "", "")(w, r)
	})
	want := `role:"db & <web> +é%",tuning.hugepages:64`
	if _, err := c.Hosts.List(t.Context(), craton.HostListOptions{Vars: want}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(url.Values{"vars": {want}}, got); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}
