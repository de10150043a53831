package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peers compares another inventory plugin and ours on the same work: a play over one of 10,000 hosts.
type peers struct {
	release           string
	peer, ours, floor used
	version           string // of the collection netbox.netbox
}

// peerPackages are the packages that the peer needs from PyPI; the collection netbox.netbox is in the package ansible.
var peerPackages = []string{"ansible", "pynetbox", "pytz", "packaging"}

// measurePeers measures nb_inventory with a server that responds instantly, and our plugin with our server, with one
// Ansible.
func measurePeers(ctx context.Context, binary string, runs int) (*peers, error) {
	bin, err := peerVenv(ctx)
	if err != nil {
		return nil, err
	}
	f, err := serveToAnsible(ctx, binary, targetSize)
	if err != nil {
		return nil, err
	}
	defer f.stop()
	a, err := newAnsible(ctx, bin, f.tarball, filepath.Join(f.dir, "home"))
	if err != nil {
		return nil, err
	}
	p := &peers{release: a.release, version: "?"}
	out, err := a.command(ctx, "ansible-galaxy", "collection", "list", "netbox.netbox", "--format", "json").Output()
	if err != nil {
		return nil, fmt.Errorf("the collection netbox.netbox: %w", err)
	}
	var found map[string]map[string]struct{ Version string }
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, err
	}
	for _, collections := range found {
		p.version = collections["netbox.netbox"].Version
	}
	netbox := httptest.NewServer(fakeNetBox(targetSize))
	defer netbox.Close()
	one, err := namesFile(ctx, f.served, filepath.Join(a.home, "names.yml"))
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"one.yml": playOver(one), "device.yml": playOver("h000500"), "fleet.craton.yml": "plugin: craton.fleet.craton\n",
		"nb.netbox.yml": "plugin: netbox.netbox.nb_inventory\napi_endpoint: " + netbox.URL + "\ntoken: x\nvalidate_certs: false\n" +
			"config_context: true\nflatten_config_context: true\ninterfaces: false\ngroup_by: [sites, region, tags]\n",
	} {
		if err := os.WriteFile(filepath.Join(a.home, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(os.Stderr, "%d hosts: measuring nb_inventory %s, ansible-core %s\n", targetSize, p.version, p.release)
	taken := map[*used][]used{}
	for range runs { // in turn
		for into, run := range map[*used][2]string{&p.peer: {"nb.netbox.yml", "device.yml"}, &p.ours: {"fleet.craton.yml", "one.yml"}, &p.floor: {"names.yml", "one.yml"}} {
			u, err := a.use(ctx, append(f.environment(f.url), "CRATON_INVENTORY_VARS=lazy"), filepath.Join(a.home, run[0]), filepath.Join(a.home, run[1]))
			if err != nil {
				return nil, err
			}
			taken[into] = append(taken[into], u)
		}
	}
	for into, all := range taken {
		*into = medianUse(all)
	}
	return p, nil
}

// peerVenv creates the environment of the peer once, in .cache, and returns its bin directory.
func peerVenv(ctx context.Context) (string, error) {
	bins, err := releases(ctx)
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(filepath.Join(".cache", "peers"))
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bin")
	if _, err := os.Stat(filepath.Join(dir, "ready")); err == nil {
		return bin, nil
	}
	fmt.Fprintf(os.Stderr, "installing %s into %s\n", strings.Join(peerPackages, ", "), dir)
	for _, argv := range [][]string{
		{filepath.Join(bins[len(bins)-1], "python3"), "-m", "venv", dir},
		append([]string{filepath.Join(bin, "pip"), "install", "--quiet", "--disable-pip-version-check"}, peerPackages...),
		{"touch", filepath.Join(dir, "ready")},
	} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
		}
	}
	return bin, nil
}

// fakeNetBox responds like a NetBox with a number of devices in 100 sites of 10 regions, each with a config context
// equal to the resolved variables of a host of seed. All responses are prepared, and each is a single page: the best
// case for nb_inventory.
func fakeNetBox(devices int) http.Handler {
	type object = map[string]any
	named := func(id int, name string) object {
		return object{"id": id, "name": name, "slug": name, "display": name, "url": fmt.Sprintf("http://netbox/api/x/%d/", id)}
	}
	page := func(results []object) []byte {
		text, _ := json.Marshal(object{"count": len(results), "next": nil, "previous": nil, "results": results})
		return text
	}
	var regions, sites, all []object
	for i := range 10 {
		region := named(i+1, fmt.Sprintf("r%d", i))
		region["parent"] = nil
		regions = append(regions, region)
	}
	for i := range 100 {
		site := named(i+1, fmt.Sprintf("site%d", i))
		maps.Copy(site, object{"region": named(i/10+1, fmt.Sprintf("r%d", i/10)), "group": nil, "facility": "", "time_zone": nil, "physical_address": "", "prefix_count": 0})
		sites = append(sites, site)
	}
	for i := range devices {
		name := fmt.Sprintf("h%06d", i)
		address := object{"id": i + 1, "family": 4, "address": fmt.Sprintf("10.%d.%d.%d/32", i>>16, i>>8&255, i&255)}
		kind := named(1, "dt")
		kind["model"], kind["manufacturer"] = "dt", named(1, "m")
		device := named(i+1, name)
		own := object{
			"device_type": kind, "role": named(1, "server"), "device_role": named(1, "server"), "site": named(i%100+1, fmt.Sprintf("site%d", i%100)),
			"status": object{"value": "active", "label": "Active"}, "primary_ip": address, "primary_ip4": address, "serial": "", "comments": "",
			"tags": []object{named(1, "web")}, "custom_fields": object{},
			"config_context": object{
				"ntp": "ntp.p", "dns": []string{"10.0.0.1", "10.0.0.2"}, "a1": "x", "a2": "y", "a3": object{"k": "v", "l": []int{1, 2, 3}}, "c1": "a", "c2": "b",
				"c3": object{"x": 1}, "r1": "a", "r2": "b", "r3": []int{1, 2}, "e1": "a", "e2": "b", "level": "cell",
				"v1": fmt.Sprintf("val%d", i), "v2": i, "v3": fmt.Sprintf("x%d", i), "v4": []int{1, 2}, "v5": object{"a": 1},
			},
		}
		maps.Copy(device, own)
		for _, key := range []string{"tenant", "platform", "asset_tag", "location", "rack", "position", "face", "parent_device", "primary_ip6", "cluster", "virtual_chassis", "vc_position", "vc_priority", "local_context_data"} {
			device[key] = nil
		}
		all = append(all, device)
	}
	parameters := []object{}
	for _, name := range []string{"limit", "offset", "exclude", "site", "region", "status", "role", "brief"} {
		parameters = append(parameters, object{"name": name})
	}
	get := object{"get": object{"parameters": parameters}}
	schema, _ := json.Marshal(object{"info": object{"version": "4.6.8"}, "paths": object{"/api/dcim/devices/": get, "/api/virtualization/virtual-machines/": get}})
	answers := map[string][]byte{
		"/api/status/": []byte(`{"netbox-version": "4.6.8"}`), "/api/schema/": schema,
		"/api/dcim/devices/": page(all), "/api/dcim/sites/": page(sites), "/api/dcim/regions/": page(regions),
	}
	nothing := page([]object{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known := answers[strings.TrimSuffix(r.URL.Path, "/")+"/"]
		switch {
		case known:
		case strings.Contains(r.URL.Path, "status"):
			answer = answers["/api/status/"]
		case strings.Contains(r.URL.Path, "schema"), strings.Contains(r.URL.Path, "docs"):
			answer = schema
		default:
			answer = nothing
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
}

func reportPeers(w io.Writer, p *peers) {
	row, flush := table(w, []used{p.floor, p.ours, p.peer})
	heads := map[used]string{p.floor: "a file of the names", p.ours: "craton.fleet.craton, lazy", p.peer: "nb_inventory " + p.version}
	row(fmt.Sprintf("%d hosts, a play over one, ansible-core %s", targetSize, p.release), func(u used) string { return heads[u] })
	row("user and system", func(u used) string { return fmt.Sprintf("%.2f s", u.cpu.Seconds()) })
	row("peak memory", func(u used) string { return fmt.Sprintf("%.0f MB", float64(u.peak)/1e6) })
	flush()
}

func (p *peers) verdict() verdict {
	return verdict{what: fmt.Sprintf("a play over one of 10,000 hosts, lazy over nb_inventory %s", p.version), got: p.ours.cpu.Seconds() / p.peer.cpu.Seconds(), max: targetPeer}
}
