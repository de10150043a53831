package craton_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/craton-fleet/craton/craton"
)

const projectID = "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"

// call is one call of a service: what it must send, what the API answers, what it must give as JSON.
type call struct {
	name   string
	do     func(ctx context.Context, c *craton.Client) (any, error)
	want   request
	status int
	answer string
	give   string // JSON of the result
}

// give makes a call's result of any typed one.
func give[T any](v T, err error) (any, error) { return v, err }

// none returns the result of calls that only fail or not.
func none(err error) (any, error) { return nil, err }

// objects has for each resource an object as the API gives it, with the fields that a test looks at.
const (
	cloud1   = `{"id": 1, "name": "east", "note": null, "created_at": "2017-03-30T08:15:42.318274", "updated_at": null, "project_id": "` + projectID + `"}`
	cloud1as = `{"id":1,"name":"east","note":"","project_id":"` + projectID + `","created_at":"2017-03-30T08:15:42.318274","updated_at":null}`
	plain    = `{"id": 7, "name": "x"}`
)

// TestServices sends every request that the services know, and no other.
func TestServices(t *testing.T) {
	t.Parallel()
	var calls []call
	// Every resource has List and Get.
	for _, r := range []struct {
		path, key string
		list      func(context.Context, *craton.Client) (int, string, error)
		get       func(context.Context, *craton.Client) (any, error)
		resolved  func(context.Context, *craton.Client) (any, error)
		ownQuery  string
	}{
		{"clouds", "clouds",
			lister(func(c *craton.Client) *craton.Lister[craton.Cloud, craton.CloudListOptions] { return &c.Clouds.Lister }),
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Clouds.Get(ctx, 7)) },
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Clouds.GetResolved(ctx, 7)) }, ""},
		{"regions", "regions",
			lister(func(c *craton.Client) *craton.Lister[craton.Region, craton.RegionListOptions] {
				return &c.Regions.Lister
			}),
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Regions.Get(ctx, 7)) },
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Regions.GetResolved(ctx, 7)) }, "resolved-values=false"},
		{"cells", "cells",
			lister(func(c *craton.Client) *craton.Lister[craton.Cell, craton.CellListOptions] { return &c.Cells.Lister }),
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Cells.Get(ctx, 7)) },
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Cells.GetResolved(ctx, 7)) }, "resolved-values=false"},
		{"hosts", "hosts",
			lister(func(c *craton.Client) *craton.Lister[craton.Host, craton.HostListOptions] { return &c.Hosts.Lister }),
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Hosts.Get(ctx, 7)) },
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Hosts.GetResolved(ctx, 7)) }, "resolved-values=false"},
		{"network-devices", "network_devices",
			lister(func(c *craton.Client) *craton.Lister[craton.NetworkDevice, craton.NetworkDeviceListOptions] {
				return &c.NetworkDevices.Lister
			}),
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.NetworkDevices.Get(ctx, 7)) },
			func(ctx context.Context, c *craton.Client) (any, error) {
				return give(c.NetworkDevices.GetResolved(ctx, 7))
			}, "resolved-values=false"},
		{"networks", "networks",
			lister(func(c *craton.Client) *craton.Lister[craton.Network, craton.NetworkListOptions] {
				return &c.Networks.Lister
			}),
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Networks.Get(ctx, 7)) },
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Networks.GetResolved(ctx, 7)) }, ""},
		{"network-interfaces", "network_interfaces",
			lister(func(c *craton.Client) *craton.Lister[craton.NetworkInterface, craton.NetworkInterfaceListOptions] {
				return &c.NetworkInterfaces.Lister
			}),
			func(ctx context.Context, c *craton.Client) (any, error) {
				return give(c.NetworkInterfaces.Get(ctx, 7))
			},
			func(ctx context.Context, c *craton.Client) (any, error) {
				return give(c.NetworkInterfaces.GetResolved(ctx, 7))
			}, ""},
		{"users", "users",
			lister(func(c *craton.Client) *craton.Lister[craton.User, craton.UserListOptions] { return &c.Users.Lister }),
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Users.Get(ctx, 7)) },
			func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Users.GetResolved(ctx, 7)) }, ""},
	} {
		calls = append(calls,
			call{name: r.path + " list", want: request{"GET", "/v1/" + r.path, "", ""}, status: 200,
				answer: `{"` + r.key + `": [` + plain + `, {"id": 9}], "links": [{"rel": "first", "href": "http://h/v1/` + r.path + `"}, {"rel": "self", "href": "http://h/v1/` + r.path + `?limit=30"}, {"rel": "next", "href": "http://h/v1/` + r.path + `?limit=30&marker=9"}]}`,
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					n, marker, err := r.list(ctx, c)
					return map[string]any{"n": n, "marker": marker}, err
				}, give: `{"marker":"9","n":2}`},
			call{name: r.path + " get", want: request{"GET", "/v1/" + r.path + "/7", r.ownQuery, ""}, status: 200, answer: plain,
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return 0, second(r.get(ctx, c))
				}, give: "0"},
			call{name: r.path + " get resolved", want: request{"GET", "/v1/" + r.path + "/7", "", ""}, status: 200, answer: plain,
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return 0, second(r.resolved(ctx, c))
				}, give: "0"},
		)
	}
	// Variables: every resource but interfaces, users and devices.
	for path, r := range map[string]struct {
		store    func(c *craton.Client) *craton.VariableStore[int]
		ownQuery string // of /variables
		resolved string // path that gives resolved ones
	}{
		"clouds":          {func(c *craton.Client) *craton.VariableStore[int] { return &c.Clouds.VariableStore }, "", "/v1/clouds/7/variables"},
		"regions":         {func(c *craton.Client) *craton.VariableStore[int] { return &c.Regions.VariableStore }, "", "/v1/regions/7"},
		"cells":           {func(c *craton.Client) *craton.VariableStore[int] { return &c.Cells.VariableStore }, "", "/v1/cells/7"},
		"hosts":           {func(c *craton.Client) *craton.VariableStore[int] { return &c.Hosts.VariableStore }, "resolved-values=false", "/v1/hosts/7/variables"},
		"network-devices": {func(c *craton.Client) *craton.VariableStore[int] { return &c.NetworkDevices.VariableStore }, "", "/v1/network-devices/7"},
		"networks":        {func(c *craton.Client) *craton.VariableStore[int] { return &c.Networks.VariableStore }, "", "/v1/networks/7/variables"},
	} {
		route := "/v1/" + path + "/7/variables"
		const answer = `{"id": 7, "variables": {"b": null, "a": {"x": 1.0}}}`
		calls = append(calls,
			call{name: path + " variables", want: request{"GET", route, r.ownQuery, ""}, status: 200, answer: answer, give: `{"a":{"x":1.0},"b":null}`,
				do: func(ctx context.Context, c *craton.Client) (any, error) { return give(r.store(c).Variables(ctx, 7)) }},
			call{name: path + " resolved variables", want: request{"GET", r.resolved, "", ""}, status: 200, answer: answer, give: `{"a":{"x":1.0},"b":null}`,
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return give(r.store(c).ResolvedVariables(ctx, 7))
				}},
			call{name: path + " set variables", want: request{"PUT", route, "", `{"html":"<&>","n":12345678901234567890}`}, status: 200, answer: answer, give: `{"a":{"x":1.0},"b":null}`,
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return give(r.store(c).SetVariables(ctx, 7, craton.Variables{"n": []byte("12345678901234567890"), "html": []byte(`"<&>"`)}))
				}},
			call{name: path + " set no variables", want: request{"PUT", route, "", `{}`}, status: 200, answer: answer, give: `{"a":{"x":1.0},"b":null}`,
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return give(r.store(c).SetVariables(ctx, 7, nil))
				}},
			call{name: path + " delete variables", want: request{"DELETE", route, "", `["a","b"]`}, status: 204, give: "null",
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return none(r.store(c).DeleteVariables(ctx, 7, "a", "b"))
				}},
			call{name: path + " delete no variables", want: request{"DELETE", route, "", `[]`}, status: 204, give: "null",
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return none(r.store(c).DeleteVariables(ctx, 7))
				}},
		)
	}
	// Labels.
	for path, labels := range map[string]func(c *craton.Client) *craton.LabelStore[int]{
		"hosts":           func(c *craton.Client) *craton.LabelStore[int] { return &c.Hosts.LabelStore },
		"network-devices": func(c *craton.Client) *craton.LabelStore[int] { return &c.NetworkDevices.LabelStore },
	} {
		route := "/v1/" + path + "/7/labels"
		calls = append(calls,
			call{name: path + " labels", want: request{"GET", route, "", ""}, status: 200, answer: `{"labels": ["web", "db"]}`, give: `["db","web"]`,
				do: func(ctx context.Context, c *craton.Client) (any, error) { return give(labels(c).Labels(ctx, 7)) }},
			call{name: path + " add labels", want: request{"PUT", route, "", `{"labels":["web"]}`}, status: 200, answer: `{"labels": ["web", "db"]}`, give: `["db","web"]`,
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return give(labels(c).AddLabels(ctx, 7, "web"))
				}},
			call{name: path + " remove labels", want: request{"DELETE", route, "", `{"labels":["web"]}`}, status: 204, give: "null",
				do: func(ctx context.Context, c *craton.Client) (any, error) {
					return none(labels(c).RemoveLabels(ctx, 7, "web"))
				}},
			call{name: path + " remove no labels", want: request{"DELETE", route, "", `{"labels":[]}`}, status: 204, give: "null",
				do: func(ctx context.Context, c *craton.Client) (any, error) { return none(labels(c).RemoveLabels(ctx, 7)) }},
		)
	}
	vars := craton.Vars(map[string]any{"mtu": 9000})
	yes, no := true, false
	calls = append(calls,
		// Fields of responses, once in full.
		call{name: "cloud in full", want: request{"GET", "/v1/clouds/1", "", ""}, status: 200, answer: cloud1, give: cloud1as,
			do: func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Clouds.Get(ctx, 1)) }},
		// Devices: a list only.
		call{name: "devices list", want: request{"GET", "/v1/devices", "descendants=true&parent_id=31", ""}, status: 200,
			answer: `{"devices": {"hosts": [{"id": 32, "note": "n"}], "network-devices": [{"id": 31, "model_name": "m"}]}, "links": [{"rel": "first", "href": "/v1/devices"}, {"rel": "self", "href": "/v1/devices"}, {"rel": "next", "href": "/v1/devices?marker=32"}]}`,
			do: func(ctx context.Context, c *craton.Client) (any, error) {
				p, err := c.Devices.List(ctx, craton.DeviceListOptions{ParentID: 31, Descendants: true})
				if err != nil {
					return nil, err
				}
				var kinds []any
				for _, d := range p.Items {
					kinds = append(kinds, d.Kind, d.ID, d.Note, d.ModelName)
				}
				return kinds, nil
			}, give: `["host",32,"n","","network-device",31,"","m"]`},
		// Projects: their ids are text, and are escaped.
		call{name: "project get", want: request{"GET", "/v1/projects/" + projectID, "", ""}, status: 200, answer: `{"id": "p"}`,
			do:   func(ctx context.Context, c *craton.Client) (any, error) { return give(c.Projects.Get(ctx, projectID)) },
			give: `{"id":"p","name":"","created_at":null,"updated_at":null}`},
		call{name: "project id escaped", want: request{"GET", "/v1/projects/a/b", "", ""}, status: 404, answer: bodyNotFound,
			do: func(ctx context.Context, c *craton.Client) (any, error) {
				_, err := c.Projects.Get(ctx, "a/b")
				if !craton.IsNotFound(err) {
					return nil, err
				}
				return err.Error(), nil
			}, give: `"GET /craton/v1/projects/a/b: 404 Not Found: Not Found"`},
		call{name: "project variables", want: request{"PUT", "/v1/projects/" + projectID + "/variables", "", `{"mtu":9000}`}, status: 200, answer: `{"variables": {}}`,
			do: func(ctx context.Context, c *craton.Client) (any, error) {
				return give(c.Projects.SetVariables(ctx, projectID, vars))
			}, give: `{}`},
		call{name: "project delete", want: request{"DELETE", "/v1/projects/" + projectID, "", ""}, status: 204, give: "null",
			do: func(ctx context.Context, c *craton.Client) (any, error) {
				return none(c.Projects.Delete(ctx, projectID))
			}},
		// Creates: least and most.
		create("clouds", `{"name":"east"}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Clouds.Create(ctx, craton.CloudCreate{Name: "east"}))
		}),
		create("clouds", `{"name":"east","note":"n","variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Clouds.Create(ctx, craton.CloudCreate{Name: "east", Note: "n", Variables: vars}))
		}),
		create("regions", `{"name":"dfw","cloud_id":1,"note":"n","variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Regions.Create(ctx, craton.RegionCreate{Name: "dfw", CloudID: 1, Note: "n", Variables: vars}))
		}),
		create("cells", `{"name":"c1","cloud_id":1,"region_id":2,"note":"n","variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Cells.Create(ctx, craton.CellCreate{Name: "c1", CloudID: 1, RegionID: 2, Note: "n", Variables: vars}))
		}),
		create("hosts", `{"name":"web","ip_address":"10.0.0.1","device_type":"server","cloud_id":1,"region_id":2}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Hosts.Create(ctx, craton.HostCreate{Name: "web", IPAddress: "10.0.0.1", DeviceType: "server", CloudID: 1, RegionID: 2}))
		}),
		create("hosts", `{"name":"web","ip_address":"10.0.0.1","device_type":"server","cloud_id":1,"region_id":2,"cell_id":3,"parent_id":31,"active":false,"note":"n","labels":["a"],"variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Hosts.Create(ctx, craton.HostCreate{Name: "web", IPAddress: "10.0.0.1", DeviceType: "server", CloudID: 1, RegionID: 2,
				CellID: 3, ParentID: 31, Active: &no, Note: "n", Labels: []string{"a"}, Variables: vars}))
		}),
		create("network-devices", `{"name":"sw","ip_address":"10.0.0.1","device_type":"switch","cloud_id":1,"region_id":2,"cell_id":3,"parent_id":30,"active":true,"model_name":"m","os_version":"o","vlans":"1","variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.NetworkDevices.Create(ctx, craton.NetworkDeviceCreate{Name: "sw", IPAddress: "10.0.0.1", DeviceType: "switch", CloudID: 1, RegionID: 2,
				CellID: 3, ParentID: 30, Active: &yes, ModelName: "m", OSVersion: "o", VLANs: "1", Variables: vars}))
		}),
		create("networks", `{"name":"mgmt","cidr":"10.0.0.0/24","gateway":"10.0.0.1","netmask":"255.255.255.0","cloud_id":1,"region_id":2,"cell_id":3,"ip_block_type":"t","nss":"s","variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Networks.Create(ctx, craton.NetworkCreate{Name: "mgmt", CIDR: "10.0.0.0/24", Gateway: "10.0.0.1", Netmask: "255.255.255.0",
				CloudID: 1, RegionID: 2, CellID: 3, IPBlockType: "t", NSS: "s", Variables: vars}))
		}),
		create("network-interfaces", `{"name":"eth0","device_id":32,"interface_type":"ethernet","ip_address":"10.0.0.1","network_id":5,"vlan_id":6,"vlan":"v","duplex":"full","link":"up","cdp":"c","security":"s","port":8,"speed":10000,"variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.NetworkInterfaces.Create(ctx, craton.NetworkInterfaceCreate{Name: "eth0", DeviceID: 32, InterfaceType: "ethernet", IPAddress: "10.0.0.1",
				NetworkID: 5, VLANID: 6, VLAN: "v", Duplex: "full", Link: "up", CDP: "c", Security: "s", Port: 8, Speed: 10000, Variables: vars}))
		}),
		create("projects", `{"name":"team","variables":{"mtu":9000}}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Projects.Create(ctx, craton.ProjectCreate{Name: "team", Variables: vars}))
		}),
		create("users", `{"username":"ci","project_id":"p","is_admin":true}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Users.Create(ctx, craton.UserCreate{Username: "ci", ProjectID: "p", IsAdmin: true}))
		}),
		// Updates: everything that can be changed; nil fields are left out; an empty text is sent.
		update("clouds", `{"name":"n","note":""}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Clouds.Update(ctx, 7, craton.CloudUpdate{Name: new("n"), Note: new("")}))
		}),
		update("clouds", `{}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Clouds.Update(ctx, 7, craton.CloudUpdate{}))
		}),
		update("regions", `{"name":"n","note":"x"}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Regions.Update(ctx, 7, craton.RegionUpdate{Name: new("n"), Note: new("x")}))
		}),
		update("cells", `{"name":"n","note":"x"}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Cells.Update(ctx, 7, craton.CellUpdate{Name: new("n"), Note: new("x")}))
		}),
		update("hosts", `{"name":"n","ip_address":"i","device_type":"d","active":false,"note":"x","parent_id":31}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Hosts.Update(ctx, 7, craton.HostUpdate{Name: new("n"), IPAddress: new("i"), DeviceType: new("d"), Active: &no, Note: new("x"), ParentID: new(craton.Ref(31))}))
		}),
		update("hosts", `{"parent_id":null}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Hosts.Update(ctx, 7, craton.HostUpdate{ParentID: new(craton.NoParent)}))
		}),
		update("network-devices", `{"name":"n","ip_address":"i","device_type":"d","model_name":"m","os_version":"o","vlans":"v","parent_id":null}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.NetworkDevices.Update(ctx, 7, craton.NetworkDeviceUpdate{Name: new("n"), IPAddress: new("i"), DeviceType: new("d"),
				ModelName: new("m"), OSVersion: new("o"), VLANs: new("v"), ParentID: new(craton.NoParent)}))
		}),
		update("networks", `{"name":"n","cidr":"c","gateway":"g","netmask":"m","ip_block_type":"t","nss":"s"}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Networks.Update(ctx, 7, craton.NetworkUpdate{Name: new("n"), CIDR: new("c"), Gateway: new("g"), Netmask: new("m"), IPBlockType: new("t"), NSS: new("s")}))
		}),
		update("network-interfaces", `{"name":"n","interface_type":"t","vlan":"v","duplex":"d","link":"l","cdp":"c","security":"s","port":0,"speed":1000}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.NetworkInterfaces.Update(ctx, 7, craton.NetworkInterfaceUpdate{Name: new("n"), InterfaceType: new("t"), VLAN: new("v"), Duplex: new("d"),
				Link: new("l"), CDP: new("c"), Security: new("s"), Port: new(0), Speed: new(craton.Speed(1000))}))
		}),
	)
	for _, m := range []struct {
		path, body string
		do         func(context.Context, *craton.Client) error
	}{
		{"hosts", `{"region_id":2}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Hosts.Move(ctx, 7, craton.DeviceMove{RegionID: 2}))
		}},
		{"hosts", `{"cell_id":null}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Hosts.Move(ctx, 7, craton.DeviceMove{CellID: new(craton.NoCell)}))
		}},
		{"network-devices", `{"region_id":2,"cell_id":3}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.NetworkDevices.Move(ctx, 7, craton.DeviceMove{RegionID: 2, CellID: new(craton.Ref(3))}))
		}},
		{"cells", `{"region_id":2}`, func(ctx context.Context, c *craton.Client) error {
			return second(c.Cells.Move(ctx, 7, craton.CellMove{RegionID: 2}))
		}},
	} {
		calls = append(calls, call{name: m.path + " move", want: request{"POST", "/v1/" + m.path + "/7/move", "", m.body}, status: 200, answer: plain, give: "null",
			do: func(ctx context.Context, c *craton.Client) (any, error) { return none(m.do(ctx, c)) }})
	}
	for path, remove := range map[string]func(context.Context, *craton.Client) error{
		"clouds":             func(ctx context.Context, c *craton.Client) error { return c.Clouds.Delete(ctx, 7) },
		"regions":            func(ctx context.Context, c *craton.Client) error { return c.Regions.Delete(ctx, 7) },
		"cells":              func(ctx context.Context, c *craton.Client) error { return c.Cells.Delete(ctx, 7) },
		"hosts":              func(ctx context.Context, c *craton.Client) error { return c.Hosts.Delete(ctx, 7) },
		"network-devices":    func(ctx context.Context, c *craton.Client) error { return c.NetworkDevices.Delete(ctx, 7) },
		"networks":           func(ctx context.Context, c *craton.Client) error { return c.Networks.Delete(ctx, 7) },
		"network-interfaces": func(ctx context.Context, c *craton.Client) error { return c.NetworkInterfaces.Delete(ctx, 7) },
		"users":              func(ctx context.Context, c *craton.Client) error { return c.Users.Delete(ctx, 7) },
	} {
		calls = append(calls, call{name: path + " delete", want: request{"DELETE", "/v1/" + path + "/7", "", ""}, status: 204, give: "null",
			do: func(ctx context.Context, c *craton.Client) (any, error) { return none(remove(ctx, c)) }})
	}
	for _, tt := range calls {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var seen []request
			mock := httpmock.NewMockTransport()
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				body := ""
				if r.Body != nil {
					raw, err := io.ReadAll(r.Body)
					if err != nil {
						return nil, err
					}
					body = string(raw)
					if n := len(body); n > 0 {
						if got := r.Header.Get("Content-Type"); got != "application/json" {
							t.Errorf("a body with content type %q", got)
						}
						if body[n-1] == '\n' {
							body = body[:n-1]
						}
					}
				}
				seen = append(seen, request{r.Method, r.URL.Path[len(prefix):], plainQuery(r.URL.Query()), body})
				resp := httpmock.NewStringResponse(tt.status, tt.answer)
				resp.Header.Set("Content-Type", "application/json")
				return resp, nil
			})
			c := newClient(t, "http://craton.example"+prefix, craton.WithTransport(mock))
			got, err := tt.do(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]request{tt.want}, seen); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.give, jsonOf(t, got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func create(path, body string, do func(context.Context, *craton.Client) error) call {
	answer := plain
	if path == "projects" {
		answer = `{"id": "p"}`
	}
	return call{name: path + " create", want: request{"POST", "/v1/" + path, "", body}, status: 201, answer: answer, give: "null",
		do: func(ctx context.Context, c *craton.Client) (any, error) { return none(do(ctx, c)) }}
}

func update(path, body string, do func(context.Context, *craton.Client) error) call {
	return call{name: path + " update", want: request{"PUT", "/v1/" + path + "/7", "", body}, status: 200, answer: plain, give: "null",
		do: func(ctx context.Context, c *craton.Client) (any, error) { return none(do(ctx, c)) }}
}

func lister[T, O any](of func(*craton.Client) *craton.Lister[T, O]) func(context.Context, *craton.Client) (int, string, error) {
	return func(ctx context.Context, c *craton.Client) (int, string, error) {
		var o O
		p, err := of(c).List(ctx, o)
		if err != nil {
			return 0, "", err
		}
		return len(p.Items), p.Marker, nil
	}
}

// TestSetLabels makes a device have exactly the given labels, with no more requests than needed.
func TestSetLabels(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, have string
		set        []string
		want       []request
		labels     []string
	}{
		{"equal", `["b", "a"]`, []string{"a", "b"}, nil, []string{"a", "b"}},
		{"only more", `["a"]`, []string{"a", "b"}, []request{{"PUT", "/v1/hosts/7/labels", "", `{"labels":["b"]}`}}, []string{"all", "of them"}},
		{"only fewer", `["b", "a"]`, []string{"a"}, []request{{"DELETE", "/v1/hosts/7/labels", "", `{"labels":["b"]}`}}, []string{"a"}},
		{"both", `["b"]`, []string{"a", "a"}, []request{
			{"DELETE", "/v1/hosts/7/labels", "", `{"labels":["b"]}`},
			{"PUT", "/v1/hosts/7/labels", "", `{"labels":["a"]}`}}, []string{"all", "of them"}},
		{"none", `["b"]`, nil, []request{{"DELETE", "/v1/hosts/7/labels", "", `{"labels":["b"]}`}}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t)
			var rec recorder
			mux.HandleFunc("GET /v1/hosts/7/labels", always(200, `{"labels": `+tt.have+`}`))
			mux.HandleFunc("PUT /v1/hosts/7/labels", rec.wrap(always(200, `{"labels": ["of them", "all"]}`)))
			mux.HandleFunc("DELETE /v1/hosts/7/labels", rec.wrap(always(204, "")))
			got, err := c.Hosts.SetLabels(t.Context(), 7, tt.set...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]request{}, tt.want...), rec.all()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.labels, got); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCapabilitiesOfTheOriginal: the original server has none.
func TestCapabilitiesOfTheOriginal(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/capabilities", always(404, `{"message": "The requested URL was not found on the server.", "status": 404}`))
	if caps, err := c.Capabilities(t.Context()); err != nil || caps.Has("fleet") || caps.Revision != "" {
		t.Errorf("%+v, %v", caps, err)
	}
	mux, c = newServer(t)
	mux.HandleFunc("GET /v1/capabilities", always(401, `{"message": "The request could not be authenticated.", "status": 401}`))
	if caps, err := c.Capabilities(t.Context()); caps != nil || !craton.IsUnauthenticated(err) {
		t.Errorf("refused: %+v, %v", caps, err)
	}
}

// TestMoveForbidden tells an object that is not there from a server that cannot move.
func TestMoveForbidden(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/hosts/7", always(200, plain))
	mux.HandleFunc("GET /v1/hosts/8", always(404, bodyNotFound))
	mux.HandleFunc("/", always(404, `{"message": "The requested URL was not found on the server.", "status": 404}`))
	_, err := c.Hosts.Move(t.Context(), 7, craton.DeviceMove{RegionID: 2})
	if e, ok := errors.AsType[*craton.Error](err); !ok || craton.IsNotFound(err) || !strings.Contains(e.Hint, "this server cannot move objects") {
		t.Errorf("a server that cannot move: %v", err)
	}
	if _, err := c.Hosts.Move(t.Context(), 8, craton.DeviceMove{RegionID: 2}); !craton.IsNotFound(err) {
		t.Errorf("nothing to move: %v", err)
	}
}
