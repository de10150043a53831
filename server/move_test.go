package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMove: what moves keeps everything but its place; a cell takes its devices and networks along.
func TestMove(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	in := func(path, body string) string { return f.must(a.member, 201, "POST", "/v1/"+path, body).id(t) }
	cloud2 := in("clouds", `{"name":"c2"}`)
	r2 := in("regions", `{"name":"r2","cloud_id":`+cloud2+`}`)
	l2 := in("cells", `{"name":"l2","cloud_id":`+cloud2+`,"region_id":`+r2+`}`)
	child := in("hosts", `{"name":"child","ip_address":"10.0.0.2","device_type":"x","cloud_id":`+a.cloud+`,"region_id":`+a.region+`,"cell_id":`+a.cell+`,"parent_id":`+a.host+`}`)
	sw := in("network-devices", `{"name":"sw","ip_address":"10.0.0.3","device_type":"x","cloud_id":`+a.cloud+`,"region_id":`+a.region+`,"cell_id":`+a.cell+`}`)
	net := in("networks", `{"name":"inside","cidr":"c","gateway":"g","netmask":"m","cloud_id":`+a.cloud+`,"region_id":`+a.region+`,"cell_id":`+a.cell+`}`)
	in("network-interfaces", `{"name":"eth0","device_id":`+a.host+`,"network_id":`+net+`,"interface_type":"x","ip_address":"10.0.0.1"}`)

	// place is where an object stands now; the rest of it is as before.
	place := func(path, id string) string {
		o := f.must(a.member, 200, "GET", "/v1/"+path+"/"+id, "").JSON
		return fmt.Sprint(o["cloud_id"], "/", o["region_id"], "/", o["cell_id"])
	}
	type whole struct{ Object, Labels, Ports, Children string }
	look := func(id string) whole {
		o := f.must(a.member, 200, "GET", "/v1/hosts/"+id+"?resolved-values=false", "").JSON
		for _, key := range []string{"cloud_id", "region_id", "cell_id", "updated_at", "links"} {
			delete(o, key)
		}
		return whole{
			fmt.Sprint(o), f.must(a.member, 200, "GET", "/v1/hosts/"+id+"/labels", "").Text,
			f.must(a.member, 200, "GET", "/v1/network-interfaces?device_id="+id, "").Text,
			fmt.Sprint(f.must(a.member, 200, "GET", "/v1/devices?parent_id="+id, "").JSON["devices"].(map[string]any)["hosts"].([]any)[0].(map[string]any)["id"]),
		}
	}
	before := look(a.host)

	r := f.must(a.member, 200, "POST", "/v1/hosts/"+a.host+"/move", `{"region_id":`+r2+`}`)
	if got, want := fmt.Sprint(r.JSON["cloud_id"], "/", r.JSON["region_id"], "/", r.JSON["cell_id"]), cloud2+"/"+r2+"/<nil>"; got != want {
		t.Errorf("moved to %s, want %s", got, want)
	}
	if r.JSON["updated_at"] == nil || !strings.Contains(r.Text, "/v1/regions/"+r2) {
		t.Errorf("the answer is not that of the new place: %s", r.Text)
	}
	for _, step := range []struct{ body, want string }{
		{`{"cell_id":` + l2 + `}`, cloud2 + "/" + r2 + "/" + l2},                               // the region is the cell's
		{`{"region_id":` + r2 + `}`, cloud2 + "/" + r2 + "/" + l2},                             // nothing new
		{`{"cell_id":null}`, cloud2 + "/" + r2 + "/<nil>"},                                     //
		{`{"cell_id":` + a.cell + `}`, a.cloud + "/" + a.region + "/" + a.cell},                // another cloud
		{`{"region_id":` + r2 + `,"cell_id":` + l2 + `}`, cloud2 + "/" + r2 + "/" + l2},        //
		{`{"region_id":` + a.region + `}`, a.cloud + "/" + a.region + "/<nil>"},                // the cell is left behind
		{`{"region_id":` + a.region + `,"cell_id":null}`, a.cloud + "/" + a.region + "/<nil>"}, //
	} {
		f.must(a.member, 200, "POST", "/v1/hosts/"+a.host+"/move", step.body)
		if got := place("hosts", a.host); got != step.want {
			t.Errorf("move %s: at %s, want %s", step.body, got, step.want)
		}
	}
	if diff := cmp.Diff(before, look(a.host)); diff != "" {
		t.Errorf("a host that moved is not the same (-before +after):\n%s", diff)
	}
	f.must(a.member, 200, "PUT", "/v1/regions/"+r2+"/variables", `{"from":"r2"}`)
	f.must(a.member, 200, "POST", "/v1/cells/"+a.cell+"/move", `{"region_id":`+r2+`}`)
	for path, id := range map[string]string{"hosts": child, "network-devices": sw, "networks": net} {
		if got, want := place(path, id), cloud2+"/"+r2+"/"+a.cell; got != want {
			t.Errorf("%s in a cell that moved: at %s, want %s", path, got, want)
		}
	}
	if r := f.must(a.member, 200, "GET", "/v1/network-devices/"+sw, ""); !strings.Contains(r.Text, `"from": "r2"`) || r.JSON["updated_at"] == nil {
		t.Errorf("what moved along does not have the new region's variables: %s", r.Text)
	}
	stays := f.must(a.member, 200, "GET", "/v1/network-devices/"+sw, "").Text
	f.must(a.member, 200, "POST", "/v1/cells/"+a.cell+"/move", `{"region_id":`+r2+`}`)
	if now := f.must(a.member, 200, "GET", "/v1/network-devices/"+sw, "").Text; now != stays {
		t.Errorf("a move to where it is changed something:\n%s\n%s", stays, now)
	}
	if now := place("hosts", a.host); now != a.cloud+"/"+a.region+"/<nil>" {
		t.Errorf("a host outside the cell moved too: %s", now)
	}
}

// TestMoveRefused: the rules of places hold, and what is refused changed nothing.
func TestMoveRefused(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a, b := f.a, f.b
	in := func(path, body string) string { return f.must(a.member, 201, "POST", "/v1/"+path, body).id(t) }
	r2 := in("regions", `{"name":"r2","cloud_id":`+a.cloud+`}`)
	in("cells", `{"name":"l","cloud_id":`+a.cloud+`,"region_id":`+r2+`}`)
	inCell := func(region, cell, name string) string {
		return `{"name":"` + name + `","ip_address":"10.0.0.1","device_type":"x","cloud_id":` + a.cloud + `,"region_id":` + region + cell + `}`
	}
	taken := in("network-devices", inCell(r2, "", "h"))
	other := in("cells", `{"name":"l3","cloud_id":`+a.cloud+`,"region_id":`+a.region+`}`)
	inside := in("hosts", inCell(a.region, `,"cell_id":`+other, "k"))
	in("network-devices", inCell(r2, "", "k"))
	nets := in("cells", `{"name":"l4","cloud_id":`+a.cloud+`,"region_id":`+a.region+`}`)
	network := func(region, more string) string {
		return `{"name":"net","cidr":"c","gateway":"g","netmask":"m","cloud_id":` + a.cloud + `,"region_id":` + region + more + `}`
	}
	net := in("networks", network(a.region, `,"cell_id":`+nets))
	in("networks", network(r2, ""))

	const invalid = "The request included the following errors:\n- "
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"hosts/" + a.host, `{"region_id":` + r2 + `}`, 409, `The host "h" cannot be moved: the network device "h" (id ` + taken + `) is in the region ` + r2 + ` already. Rename one of them first.`},
		{"cells/" + a.cell, `{"region_id":` + r2 + `}`, 409, `The cell "l" cannot be moved: the cell "l" (id`},
		{"cells/" + other, `{"region_id":` + r2 + `}`, 409, `The cell "l3" cannot be moved with the host "k" (id ` + inside + `) in it: the network device "k" (id`},
		{"cells/" + nets, `{"region_id":` + r2 + `}`, 409, `The cell "l4" cannot be moved with the network "net" (id ` + net + `) in it: the network "net" (id`},
		{"hosts/" + a.host, `{"region_id":` + b.region + `}`, 400, "region_id " + b.region + ": there is no such region in the project."},
		{"hosts/" + a.host, `{"cell_id":` + b.cell + `}`, 400, "cell_id " + b.cell + ": there is no such cell in the project."},
		{"hosts/" + a.host, `{"region_id":` + r2 + `,"cell_id":` + a.cell + `}`, 400, "region_id " + r2 + " contradicts cell_id " + a.cell},
		{"cells/" + a.cell, `{"region_id":` + b.region + `}`, 400, "region_id " + b.region + ": there is no such region in the project."},
		{"hosts/" + a.host, `{}`, 400, invalid + "the new place is missing: give 'region_id' or 'cell_id'"},
		{"hosts/" + a.host, ``, 400, invalid + "None is not of type 'object'"},
		{"hosts/" + a.host, `{"region_id":null}`, 400, invalid + "None is not of type 'integer'"},
		{"hosts/" + a.host, `{"region_id":"1"}`, 400, invalid + "'1' is not of type 'integer'"},
		{"hosts/" + a.host, `{"region_id":1,"cloud_id":1}`, 400, invalid + "Additional properties are not allowed ('cloud_id' was unexpected)"},
		{"hosts/" + a.host, `{"region_id":99999999999999999999}`, 400, invalid + "region_id: 99999999999999999999 does not fit 64 bits"},
		{"cells/" + a.cell, `{"cell_id":1}`, 400, invalid + "Additional properties are not allowed ('cell_id' was unexpected)"},
		{"hosts/" + b.host, `{"region_id":` + r2 + `}`, 404, "Not Found"},
		{"hosts/" + taken, `{"region_id":` + r2 + `}`, 404, "Not Found"}, // a network device
		{"hosts/x", `{"region_id":` + r2 + `}`, 404, "Not Found"},
		{"networks/" + net, `{"region_id":` + r2 + `}`, 404, "The requested URL was not found on the server."},
		{"regions/" + a.region, `{"cloud_id":1}`, 404, "The requested URL was not found on the server."},
	} {
		before := f.must(f.root, 200, "GET", "/v1/devices?details=true", "").Text
		r := f.call(a.member, "POST", "/v1/"+c.path+"/move", c.body)
		if r.Status != c.status || !strings.HasPrefix(r.message(), c.want) {
			t.Errorf("move %s %s: %d %s, want %d %s", c.path, c.body, r.Status, r.message(), c.status, c.want)
		}
		if after := f.must(f.root, 200, "GET", "/v1/devices?details=true", "").Text; after != before {
			t.Errorf("move %s %s was refused, and changed something", c.path, c.body)
		}
	}
	if r := f.must(a.member, 405, "GET", "/v1/hosts/"+a.host+"/move", ""); r.Header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("Allow: %v", r.Header)
	}
}
