package modules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names of a list in a result, in its order.
func names(t tester, o output, plural string) []string {
	list, ok := o[plural].([]any)
	if !ok {
		t.Fatalf("no list %s in %v", plural, o)
	}
	found := []string{}
	for _, item := range list {
		o := item.(map[string]any)
		name, ok := o["name"]
		if !ok {
			name = o["username"]
		}
		found = append(found, fmt.Sprint(name))
	}
	return found
}

func TestInfo(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	a.OK(t, true, "craton_cloud", args{"name": "east", "variables": map[string]any{"v": "cloud", "w": 1}})
	a.OK(t, true, "craton_host", args{"name": "web1", "cell": "row-a", "ip_address": "2001:db8::1", "device_type": "server", "labels": "web", "parent": "sw1", "variables": map[string]any{"v": "own"}})
	a.OK(t, true, "craton_host", args{"name": "web2", "region": "dfw", "ip_address": "10.0.0.8", "device_type": "vm", "parent": "web1", "active": false})
	a.OK(t, true, "craton_network_interface", args{"name": "eth0", "device": "web1", "interface_type": "e", "ip_address": "10.0.0.9", "variables": vars})
	a.OK(t, true, "craton_user", args{"name": "deploy"})
	for _, c := range []struct {
		of   string
		in   args
		want []string
	}{
		{"project", args{}, []string{"bootstrap"}},
		{"project", args{"name": "boot%"}, []string{}},
		{"user", args{}, []string{"bootstrap", "deploy"}},
		{"user", args{"name": "deploy"}, []string{"deploy"}},
		{"cloud", args{}, []string{"east"}},
		{"cloud", args{"names": []string{"east", "west", "east"}}, []string{"east"}},
		{"cloud", args{"vars": `v:"cloud"`}, []string{"east"}},
		{"region", args{"cloud": "east"}, []string{"dfw"}},
		{"region", args{"cloud": "nowhere"}, []string{}},
		{"region", args{"id": 99}, []string{}},
		{"cell", args{"region": "dfw"}, []string{"row-a", "row-b"}},
		{"cell", args{"name": []string{"row-b", "row-a"}}, []string{"row-b", "row-a"}},
		{"host", args{}, []string{"web1", "web2"}},
		{"host", args{"label": "web"}, []string{"web1"}},
		{"host", args{"label": "none"}, []string{}},
		{"host", args{"cell": "row-a"}, []string{"web1"}},
		{"host", args{"device_type": "vm"}, []string{"web2"}},
		{"host", args{"ip_address": "2001:DB8::0:1"}, []string{"web1"}},
		{"host", args{"vars": `w:1`}, []string{"web1", "web2"}},
		{"host", args{"vars": `w:1`, "resolved": false}, []string{}},
		{"host", args{"id": 2}, []string{"web1"}},
		{"network_device", args{"region": "1"}, []string{"sw1"}},
		{"network", args{"cloud": "east"}, []string{"front"}},
		{"network_interface", args{"device": "web1"}, []string{"eth0"}},
		{"network_interface", args{"device": "sw1"}, []string{}},
		{"device", args{}, []string{"web1", "web2", "sw1"}},
		{"device", args{"parent": "sw1"}, []string{"web1"}},
		{"device", args{"parent": "sw1", "descendants": true}, []string{"web1", "web2"}},
		{"device", args{"active": false}, []string{"web2"}},
	} {
		r := resourceOf(c.of)
		got := a.OK(t, false, r.infoName(), c.in)
		have := names(t, got, r.List)
		if d := cmp.Diff(c.want, have); d != "" {
			t.Errorf("%s %v: %s", r.infoName(), c.in, d)
		}
		if strings.Contains(fmt.Sprint(got), "api_key") {
			t.Errorf("%s shows keys", r.infoName())
		}
	}
	first := func(of string, in args) map[string]any {
		r := resourceOf(of)
		return a.OK(t, false, r.infoName(), in)[r.List].([]any)[0].(map[string]any)
	}
	if d := cmp.Diff(map[string]any{"v": "own", "w": 1.0}, first("host", args{"name": "web1"})["variables"]); d != "" {
		t.Error(d)
	}
	shown := a.OK(t, false, "craton_host", args{"name": "web1"})["host"].(map[string]any)
	shown["protected"] = false
	if d := cmp.Diff(shown, first("host", args{"name": "web1", "resolved": false})); d != "" {
		t.Errorf("info shows another object than the module:\n%s", d)
	}
	if v := first("network_interface", args{"device": "web1"})["variables"]; v != nil {
		t.Errorf("variables of an interface unasked: %v", v)
	}
	if v := first("network_interface", args{"device": "web1", "with_variables": true})["variables"]; v == nil {
		t.Error("no variables of an interface")
	}
}

func TestInfoPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	var hosts []any
	for i := range 205 {
		hosts = append(hosts, map[string]any{"name": fmt.Sprintf("h%03d", i), "ip_address": "10.0.0.1", "device_type": "x"})
	}
	a.OK(t, true, "craton_fleet", args{"fleet": map[string]any{"clouds": []any{map[string]any{"name": "east", "regions": []any{map[string]any{"name": "dfw", "hosts": hosts}}}}}})
	before := a.Requests.Load()
	if n := len(names(t, a.OK(t, false, "craton_host_info", args{"region": "dfw"}), "hosts")); n != 205 {
		t.Errorf("%d hosts", n)
	}
	if n := a.Requests.Load() - before; n > 6 {
		t.Errorf("%d requests for 205 hosts", n)
	}
}
