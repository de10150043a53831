package iotronic

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
	api "github.com/craton-fleet/craton/iotronic"
)

// TestMain keeps the configuration files and the environment of whoever runs the tests out of them.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "iotronic-inventory")
	if err != nil {
		panic(err)
	}
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		for _, prefix := range []string{"CRATON_", "OS_", "IOTRONIC_", "IRONIC_"} {
			if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, "CRATON_TEST_") {
				_ = os.Unsetenv(name)
			}
		}
	}
	_ = os.Setenv("XDG_CONFIG_HOME", dir)
	_ = os.Setenv("XDG_CACHE_HOME", dir)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// object is an object of the API.
type object = iotronictest.Object

// clientOf makes a client that does not repeat requests, so that a test's failures come through.
func clientOf(t testing.TB, url string, options ...api.Option) *api.Client {
	t.Helper()
	options = append([]api.Option{api.WithToken(iotronictest.Admin.Token), api.WithRetries(0), api.WithRetryWait(time.Millisecond, time.Millisecond)}, options...)
	c, err := api.New(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func load(t testing.TB, url string, o Options, options ...api.Option) *Listing {
	t.Helper()
	l, err := Load(t.Context(), clientOf(t, url, options...), o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// listingOf is a listing of objects as an API would give them.
func listingOf(t ansibletest.Failer, dialect api.Dialect, objects ...object) *Listing {
	t.Helper()
	l := &Listing{Dialect: dialect, Fleets: map[string]string{}}
	d := newDecoder()
	kind := "node"
	if dialect == api.DialectBoards {
		kind = "board"
	}
	for _, o := range objects {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("%v", err)
		}
		l.Machines = append(l.Machines, newMachine(d, kind, api.RawItem{UUID: o["uuid"].(string), JSON: text}))
	}
	slices.SortFunc(l.Machines, func(a, b *Machine) int { return strings.Compare(a.UUID, b.UUID) })
	return l
}

func render(t ansibletest.Failer, l *Listing, o Options, pretty bool) string {
	t.Helper()
	doc, err := Build(l, o)
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return ansibletest.Text(t, doc, pretty)
}

// hostNames are the hosts of a document.
func hostNames(t ansibletest.Failer, l *Listing, o Options) []string {
	t.Helper()
	b, err := build(l, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var names []string
	for i := range b.hosts {
		names = append(names, b.Name(i))
	}
	return names
}

const (
	uuid1 = "11111111-aaaa-4000-8000-000000000001"
	uuid2 = "22222222-bbbb-4000-8000-000000000002"
	uuid3 = "33333333-cccc-4000-8000-000000000003"
)

// boards is an Iotronic with a bit of everything: fleets, a project, values that need care, boards without a name.
func boards(t testing.TB, options ...iotronictest.Option) *iotronictest.Server {
	t.Helper()
	s := iotronictest.Start(t, iotronictest.Boards2019, options...)
	roofs := s.Add("fleets", object{"name": "roofs of town"})
	s.Add("fleets", object{"name": "empty"})
	s.Add("boards", object{"name": "pi-01", "code": "c1", "type": "raspberry", "fleet": roofs, "status": "online", "session": "4711",
		"extra":        object{"ansible_host": "10.0.0.1", "ansible_user": "pi", "rack": "b7", "motd": "{{ lookup('pipe', 'id') }}", "a-b": 1},
		"location":     []any{object{"longitude": "15.5", "latitude": "38.1", "altitude": "10", "updated_at": nil}},
		"connectivity": object{"iface": "eth0", "local_ip": "192.168.1.5"}})
	s.Add("boards", object{"name": "pi-02", "code": "c2", "type": "raspberry", "fleet": roofs, "status": "offline", "mobile": true,
		"extra": object{"mgmt": object{"ip": "2001:db8::2"}, "rack": "b8"}})
	s.Add("boards", object{"name": "gate.example.net", "code": "c3", "type": "arancino mega", "owner": nil})
	s.Add("boards", object{"name": "elsewhere", "code": "c4", "project": iotronictest.Stranger.Project})
	return s
}

// nodes is an Iotronic of 2017 or 2016.
func nodes(t testing.TB, era iotronictest.Era, options ...iotronictest.Option) *iotronictest.Server {
	t.Helper()
	s := iotronictest.Start(t, era, options...)
	kind := "type"
	if era == iotronictest.Nodes2016 {
		kind = "device"
	}
	s.Add("nodes", object{"name": "yun-01", "code": "c1", kind: "yun", "extra": object{"ansible_host": "10.0.0.1"}})
	s.Add("nodes", object{"name": "yun-02", "code": "c2", kind: "yun", "mobile": true})
	s.Add("nodes", object{"name": nil, "code": "c3"})
	return s
}

// bareMetal are nodes as a real Ironic has them in version 1.82, cut to one of each kind of field.
func bareMetal() []object {
	link := func(path string) []any {
		return []any{object{"href": "http://ironic.example:6385/v1/" + path, "rel": "self"}, object{"href": "http://ironic.example:6385/" + path, "rel": "bookmark"}}
	}
	node := func(uuid string, more object) object {
		o := object{
			"uuid": uuid, "driver": "ipmi", "power_state": "power on", "provision_state": "active", "maintenance": false, "maintenance_reason": nil,
			"resource_class": "baremetal", "conductor_group": "", "owner": nil, "traits": []any{}, "extra": object{}, "properties": object{"cpus": 16},
			"driver_info": object{"ipmi_address": "192.0.2.9", "ipmi_password": "******"}, "instance_uuid": nil, "retired": false,
			"created_at": "2026-11-21T23:28:59+00:00", "links": link("nodes/" + uuid), "ports": link("nodes/" + uuid + "/ports"), "states": link("nodes/" + uuid + "/states"),
		}
		for k, v := range more {
			o[k] = v
		}
		return o
	}
	return []object{
		node(uuid1, object{"name": "metal-01", "extra": object{"ansible_host": "metal-01.example.net", "role": "db", "big": json.Number("12345678901234567890123")},
			"traits": []any{"CUSTOM_GPU", "HW_CPU_X86_AVX2"}, "owner": "team a", "conductor_group": "east"}),
		node(uuid2, object{"name": "metal-02", "power_state": "power off", "provision_state": "clean failed", "maintenance": true,
			"maintenance_reason": "fan {# loud #}", "driver": "redfish", "properties": object{"primary_ip": "198.51.100.2"}}),
		node(uuid3, object{"name": nil, "power_state": nil, "provision_state": "enroll", "resource_class": nil, "driver": "fake-hardware"}),
	}
}
