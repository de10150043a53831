package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
)

// believable returns a fleet with a bit of everything: two clouds, a switch and a hypervisor as parents, names that
// need care, values that get lost easily.
func believable() *fake {
	f := newFake()
	f.tells = true
	f.project(project1, vars{"ansible_user": `"deploy"`, "ntp": `["ntp.example.net"]`, "tls": `{"min": "1.2", "ciphers": []}`})
	east := f.cloud("east", vars{"ntp": `["ntp.east.example.net"]`, "mtu": `9000`})
	west := f.cloud("west-2", vars{"mtu": `null`, "motd": `"{{ lookup('pipe', 'id') }}"`})
	dfw := f.region(east, "dfw", vars{"tls": `{"min": "1.3"}`, "dns": `["10.20.0.53"]`})
	f.region(east, "iad", nil) // no hosts yet
	ord := f.region(west, "ord", vars{"ansible_group_priority": `5`})
	c1 := f.cell(dfw, "c1", vars{"rack": `"a1"`})
	f.cell(dfw, "c 2", vars{"rack": `"a2"`})
	c3 := f.cell(ord, "c1", nil)
	sw := f.netdev(c1, "tor-a1", vars{"uplink": `"et-0/0/1"`, "rack": `"tor"`}, object{"device_type": "switch", "model_name": "qfx5120", "vlans": "10,20"})
	hyper := f.host(c1, "kvm-01.example.net", vars{"memory": `549755813888`}, object{"parent_id": sw["id"], "labels": []string{"hypervisor"}, "note": "replaced PSU"})
	f.host(c1, "web-01.example.net", vars{"serial": `12345678901234567890123`, "dns": `null`}, object{"parent_id": hyper["id"], "labels": []string{"canary", "web"}})
	f.host(c1, "web-02.example.net", vars{"ansible_host": `"web-02.mgmt.example.net"`}, object{"parent_id": hyper["id"], "labels": []string{"web"}, "active": false})
	f.host(dfw, "bastion.example.net", vars{"motd": `"Grüße ☃"`}, object{"device_type": "bastion", "ip_address": "2001:db8::1"})
	f.host(c3, "db-01.example.net", vars{"tuning": `{"hugepages": 64, "note": "{{ x }}"}`}, object{"labels": []string{"db", "on-call"}})
	return f
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"merged":          func(*Options) {},
		"layered":         func(o *Options) { o.Vars = Layered },
		"ip_address":      func(o *Options) { o.Hostname = ByIPAddress },
		"qualified":       func(o *Options) { o.Hostname = Qualified },
		"exact":           func(o *Options) { o.GroupNames = Exact },
		"network_devices": func(o *Options) { o.NetworkDevices = true },
		"all_groups": func(o *Options) {
			o.Groups = []GroupKind{CloudGroups, RegionGroups, CellGroups, LabelGroups, TypeGroups, ActiveGroups, KindGroups, ParentGroups}
			o.NetworkDevices = true
		},
		"no_groups":        func(o *Options) { o.Groups = nil },
		"layered_cells":    func(o *Options) { o.Vars, o.Groups = Layered, []GroupKind{CellGroups} },
		"trusted":          func(o *Options) { o.TrustTemplates = true },
		"excluded":         func(o *Options) { o.ExcludeVariables = []string{"ansible_*", "m*"} },
		"no_facts":         func(o *Options) { o.Facts = "" },
		"filter_cloud":     func(o *Options) { o.Clouds = []string{"east"} },
		"filter_region":    func(o *Options) { o.Regions = []string{"west-2/ord"} },
		"filter_cell":      func(o *Options) { o.Cells = []string{"c1"} },
		"filter_cell_path": func(o *Options) { o.Cells = []string{"east/dfw/c1"} },
		"filter_cell_id":   func(o *Options) { o.Cells, o.Vars = []string{"3"}, Layered },
		"filter_label":     func(o *Options) { o.Labels = []string{"web", "db"} },
		"filter_type":      func(o *Options) { o.DeviceTypes = []string{"bastion"} },
		"filter_active":    func(o *Options) { o.ActiveOnly = true },
		"filter_vars":      func(o *Options) { o.VarsFilter = `mtu:9000` },
		"filter_many":      func(o *Options) { o.Clouds, o.Labels, o.ActiveOnly = []string{"east"}, []string{"web"}, true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := DefaultOptions()
			change(&o)
			fleet := believable().load(t, o)
			pretty := render(t, fleet, o, true)
			ansibletest.Golden(t, name+".json", pretty)
			if !o.TrustTemplates {
				ansibletest.MustRead(t, pretty) // Ansible takes it
			}
			compact := render(t, fleet, o, false)
			var want bytes.Buffer
			if err := json.Indent(&want, []byte(compact), "", "  "); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), pretty); diff != "" {
				t.Errorf("pretty is not the indented compact document (-indented +pretty):\n%s", diff)
			}
		})
	}
}

func TestGoldenGraph(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]Graph{"groups": {}, "hosts": {Hosts: true}, "unicode": {Hosts: true, Unicode: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := DefaultOptions()
			doc, err := Build(believable().load(t, o), o)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := doc.WriteGraph(&b, how); err != nil {
				t.Fatal(err)
			}
			ansibletest.Golden(t, "graph_"+name+".txt", b.String())
		})
	}
}

func TestEmptyFleet(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	for _, o.Vars = range []Form{Merged, Layered} {
		want := `{"_meta":{"hostvars":{}},
"all":{"children":["craton","ungrouped"]},
"craton":{"hosts":[]},
"ungrouped":{"hosts":[]}}
`
		if got := newFake().document(t, o); got != want {
			t.Errorf("got %s", got)
		}
	}
	o.Vars = Merged
	bare := o
	bare.ProjectGroup = ""
	if got := newFake().document(t, bare); got != `{"_meta":{"hostvars":{}},`+"\n"+`"all":{"children":["ungrouped"]},`+"\n"+`"ungrouped":{"hosts":[]}}`+"\n" {
		t.Errorf("got %s", got)
	}
	f := newFake()
	f.cell(f.region(f.cloud("east", vars{"a": `1`}), "dfw", nil), "c1", nil)
	want := `{"_meta":{"hostvars":{}},
"all":{"children":["craton","ungrouped"]},
"cell_east_dfw_c1":{"hosts":[]},
"cloud_east":{"children":["region_east_dfw"]},
"craton":{"children":["cloud_east"]},
"region_east_dfw":{"children":["cell_east_dfw_c1"]},
"ungrouped":{"hosts":[]}}
`
	if diff := cmp.Diff(want, f.document(t, o)); diff != "" {
		t.Error(diff)
	}
	o.Vars = Layered
	if got := f.document(t, o); !strings.Contains(got, `"cloud_east":{"children":["region_east_dfw"],"vars":{"a":1}}`) {
		t.Errorf("got %s", got)
	}
}

// TestBuildErrors: each names the objects and what to do.
func TestBuildErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fleet  func(f *fake, dfw, c1 object)
		change func(*Options)
		want   string
	}{
		"same name in two regions": {
			func(f *fake, dfw, c1 object) {
				f.host(c1, "web", nil, nil)
				f.host(f.region(f.cloud("west", nil), "ord", nil), "web", nil, nil)
			}, nil,
			`two hosts are called "web" in the inventory: host "web" (id 1) in cloud east, region dfw, cell c1, and host "web" (id 2) in cloud west, region ord; set hostname to qualified`,
		},
		"same address": {
			func(f *fake, dfw, c1 object) {
				f.host(c1, "a", nil, object{"ip_address": "10.0.0.9"})
				f.host(dfw, "b", nil, object{"ip_address": "10.0.0.9"})
			}, func(o *Options) { o.Hostname = ByIPAddress },
			`two hosts are called "10.0.0.9" in the inventory: host "a" (id 1) in cloud east, region dfw, cell c1, and host "b" (id 2) in cloud east, region dfw; set hostname to qualified`,
		},
		"host and network device": {
			func(f *fake, dfw, c1 object) { f.host(c1, "x", nil, nil); f.netdev(dfw, "x", nil, nil) },
			func(o *Options) { o.NetworkDevices = true },
			`two hosts are called "x" in the inventory: host "x" (id 1) in cloud east, region dfw, cell c1, and network-device "x" (id 2) in cloud east, region dfw; set hostname to qualified`,
		},
		"labels that look alike": {
			func(f *fake, dfw, c1 object) {
				f.host(c1, "a", nil, object{"labels": []string{"on-call"}})
				f.host(c1, "b", nil, object{"labels": []string{"on call"}})
			}, nil,
			`label "on-call" and label "on call" would both be the group "label_on_call"; rename one of them, or set group_names to exact`,
		},
		"places that look alike": {
			func(f *fake, dfw, c1 object) {
				f.region(f.cloud("east_dfw", nil), "c1", nil)
				f.region(f.get("clouds", 1), "dfw_c1", nil)
			}, nil,
			`region "c1" (id 2) and region "dfw_c1" (id 3) would both be the group "region_east_dfw_c1"; rename one of them, or set group_names to exact`,
		},
		"a host called like a group": {
			func(f *fake, dfw, c1 object) { f.host(c1, "cloud_east", nil, nil) }, nil,
			`host "cloud_east" (id 1) has the same name in the inventory as the group of cloud "east" (id 1) (to omit that group, remove cloud from groups); rename it, or set hostname to another form`,
		},
		"a host called all": {
			func(f *fake, dfw, c1 object) { f.host(c1, "all", nil, nil) }, nil,
			`host "all" (id 1) has the same name in the inventory as a group of Ansible's own; rename it, or set hostname to another form`,
		},
		"a host called like the project's group": {
			func(f *fake, dfw, c1 object) { f.host(c1, "craton", nil, nil) }, nil,
			`host "craton" (id 1) has the same name in the inventory as the group of all hosts (project_group); rename it, or set project_group to another name`,
		},
		"the project's group called like another": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", nil, nil) }, func(o *Options) { o.ProjectGroup = "cell_east_dfw_c1" },
			`the group of all hosts (project_group) and cell "c1" (id 1) would both be the group "cell_east_dfw_c1"; set project_group to another name`,
		},
		"the project's group called like a plain one": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", nil, nil) }, func(o *Options) { o.ProjectGroup, o.Groups = "active", []GroupKind{ActiveGroups} },
			`the group of all hosts (project_group) and activity "active" would both be the group "active"; set project_group to another name`,
		},
		"a host's name that could begin a template": {func(f *fake, dfw, c1 object) { f.host(c1, "a{", nil, nil) }, nil, `its name there is "a{", which could begin a template: it contains a {`},
		"a variable's name that is executed": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", vars{"{{ x }}": "1"}, nil) }, nil,
			`host "a" (id 1) has a variable "{{ x }}", and ansible-core before 2.19 may execute a name that contains { or a part of #jinja2; rename it, or add it to exclude_variables`,
		},
		"a name that chooses delimiters": {func(f *fake, dfw, c1 object) {
			f.cell(dfw, "c9", vars{"#jinja2:x": "1"})
			f.host(f.get("cells", 2), "a", nil, nil)
		}, nil, `has a variable "#jinja2:x", and ansible-core before 2.19`},
		"empty name": {
			func(f *fake, dfw, c1 object) { f.host(c1, "", nil, nil) }, nil,
			`host 1 has no name; give it one, or delete it`,
		},
		"no name, called by its address": {
			func(f *fake, dfw, c1 object) { f.host(c1, "", nil, nil) }, func(o *Options) { o.Hostname = ByIPAddress },
			`host 1 has no name; give it one, or delete it`,
		},
		"a cloud without a name": {
			func(f *fake, dfw, c1 object) { f.cloud("", nil); f.host(c1, "a", nil, nil) }, nil, `cloud 2 has no name; give it one, or delete it`,
		},
		"a region without a name": {
			func(f *fake, dfw, c1 object) { f.host(f.region(f.get("clouds", 1), "", nil), "a", nil, nil) }, nil, `region 2 has no name; give it one, or delete it`,
		},
		"a region whose name turns the direction of writing": {
			func(f *fake, dfw, c1 object) { f.host(f.region(f.get("clouds", 1), "a\u202eb", nil), "a", nil, nil) }, nil,
			`the name of region 2 ("a\u202eb") contains the character U+202E, which is invisible or changes the direction of text; rename it`,
		},
		"a cell whose name has a character of no width": {
			func(f *fake, dfw, c1 object) { f.host(f.cell(dfw, "a\u200bb", nil), "a", nil, nil) }, nil,
			`the name of cell 2 ("a\u200bb") contains the character U+200B, which is invisible or changes the direction of text; rename it`,
		},
		"a cloud whose name has a control character": {
			func(f *fake, dfw, c1 object) { f.cloud("a\u001b[2Jb", nil); f.host(c1, "a", nil, nil) }, nil,
			`the name of cloud 2 ("a\x1b[2Jb") contains a control character`,
		},
		"a cell without a name": {
			func(f *fake, dfw, c1 object) { f.host(f.cell(dfw, "", nil), "a", nil, nil) }, nil, `cell 2 has no name; give it one, or delete it`,
		},
		"a parent without a name": {
			func(f *fake, dfw, c1 object) {
				f.netdev(c1, "", nil, nil)
				f.host(c1, "a", nil, object{"parent_id": 1})
			}, nil, `network-device 1 has no name; give it one, or delete it`,
		},
		"a colon": {
			func(f *fake, dfw, c1 object) { f.host(c1, "web.:22", nil, nil) }, nil,
			`its name there is "web.:22", which contains a colon, at which Ansible divides patterns; rename it, or set hostname to ip_address`,
		},
		"a colon in a qualified name": {
			func(f *fake, dfw, c1 object) { f.host(c1, "web:22", nil, nil) }, func(o *Options) { o.Hostname = Qualified },
			`its name there is "east/dfw/web:22", which contains a colon, at which Ansible divides patterns; rename it, or set hostname to name`,
		},
		"an address that Ansible divides": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a:b", nil, object{"ip_address": "64:ff9b::192.0.2.1"}) }, func(o *Options) { o.Hostname = ByIPAddress },
			`its name there is "64:ff9b::192.0.2.1", which contains a colon, at which Ansible divides patterns; write its address as 64:ff9b::c000:201`,
		},
		"an address with a zone": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", nil, object{"ip_address": "fe80::1%eth0"}) }, func(o *Options) { o.Hostname = ByIPAddress },
			`its name there is "fe80::1%eth0", which contains a colon, at which Ansible divides patterns; give it another address, or set hostname to name`,
		},
		"an address that is an option": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", nil, object{"ip_address": "-oProxyCommand=id"}) }, nil,
			`host "a" (id 1) (cloud east, region dfw, cell c1) cannot be in the inventory: Ansible would connect to "-oProxyCommand=id", which is neither a host name nor an address; correct its ip_address`,
		},
		"a name that is an option": {
			func(f *fake, dfw, c1 object) { f.host(c1, "-oProxyCommand=id", nil, nil) }, nil, `begins with -, so that Ansible and ssh would read it as an option; rename it, or set hostname to ip_address`,
		},
		"a character of zero width": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a\u200bb", nil, nil) }, nil, `its name there is "a\u200bb", which contains the character U+200B, which is invisible or changes the direction of text; rename it, or set hostname to ip_address`,
		},
		"a number that no double holds": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", vars{"n": `{"a":[1,1e400]}`}, nil) }, nil,
			`the variable n.a[1] of host "a" (id 1) is 1e400, which is too large: other programs read Infinity; write it in quotes, or add "n" to exclude_variables`,
		},
		"a number of a cloud that no double holds": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", nil, nil); f.vars["clouds"]["1"]["n"] = `-1e-400` }, nil,
			`the variable n of cloud "east" (id 1) is -1e-400, which is too close to zero: other programs read 0; write it in quotes, or add "n" to exclude_variables`,
		},
		"NUL in a value": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", vars{"n": `["\u0000"]`}, nil) }, nil, `the variable n[0] of host "a" (id 1) contains a NUL character`,
		},
		"NUL in a key": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", vars{"n": `{"a\u0000":1}`}, nil) }, nil, `the variable n."a\x00" of host "a" (id 1) contains a NUL character`,
		},
		"half a surrogate pair": {
			func(f *fake, dfw, c1 object) {
				f.host(c1, "a", nil, nil)
				f.vars["projects"][project1]["n"] = `"\ud800"`
			}, nil,
			`the variable n of project ` + project1 + ` is not UTF-8, or contains half a surrogate pair`,
		},
		"comma":    {func(f *fake, dfw, c1 object) { f.host(c1, "a,b", nil, nil) }, nil, `its name there is "a,b", which contains a comma;`},
		"space":    {func(f *fake, dfw, c1 object) { f.host(c1, "a b", nil, nil) }, nil, `contains a space or a control character;`},
		"newline":  {func(f *fake, dfw, c1 object) { f.host(c1, "a\n", nil, nil) }, nil, `contains a space or a control character;`},
		"template": {func(f *fake, dfw, c1 object) { f.host(c1, "{{x}}", nil, nil) }, nil, `looks like a template;`},
		"facts": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", nil, nil); f.vars["cells"]["1"]["craton"] = `1` }, nil,
			`cell "c1" (id 1) has a variable "craton", which is also the name of the facts; set facts to another name, or add the variable to exclude_variables`,
		},
		"facts of an ancestor": {
			func(f *fake, dfw, c1 object) {
				f.netdev(c1, "sw", vars{"craton": `{}`}, nil)
				f.host(c1, "a", nil, object{"parent_id": 1})
			}, nil, `network-device "sw" (id 1) has a variable "craton"`,
		},
		"a mark of Ansible's": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", vars{"__ansible_vault": `"x"`}, nil) }, nil,
			`host "a" (id 1) has a variable "__ansible_vault", which has a special meaning in Ansible; delete it, or add it to exclude_variables`,
		},
		"nested too deep": {
			func(f *fake, dfw, c1 object) {
				f.host(c1, "a", nil, nil)
				f.vars["projects"][project1]["deep"] = strings.Repeat("[", 101) + strings.Repeat("]", 101)
			}, nil,
			`the variable "deep" of project ` + project1 + ` is nested more than 100 deep, which Ansible cannot load; change it, or add it to exclude_variables`,
		},
		"a number too long": {
			func(f *fake, dfw, c1 object) { f.host(c1, "a", vars{"n": `[` + strings.Repeat("9", 4301) + `]`}, nil) }, nil,
			`the variable "n" of host "a" (id 1) contains a number with more than 4300 digits`,
		},
		"a cell of another region": {
			func(f *fake, dfw, c1 object) {
				other := f.cell(f.region(f.get("clouds", 1), "iad", nil), "c1", nil)
				f.host(dfw, "a", nil, object{"cell_id": other["id"]})
			}, nil,
			`cell "c1" (id 1) and cell "c1" (id 2) in region "dfw" of cloud "east", according to host "a" (id 1) would both be the group "cell_east_dfw_c1"; delete that device and create it in a region and a cell that belong together`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.project(project1, nil)
			dfw := f.region(f.cloud("east", nil), "dfw", nil)
			c.fleet(f, dfw, f.cell(dfw, "c1", nil))
			for _, form := range []Form{Merged, Layered} {
				o := DefaultOptions()
				o.Vars = form
				if c.change != nil {
					c.change(&o)
				}
				fleet, err := Load(context.Background(), f.client(), o)
				if err == nil {
					_, err = Build(fleet, o)
				}
				if err == nil || !wording.Has(err.Error(), c.want) {
					t.Errorf("%s: error %v\nwant %s", form, err, c.want)
				}
			}
		})
	}
}

// TestExcludedVariablesCannotFail: what is left out is left out of the checks as well.
func TestExcludedVariablesCannotFail(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.project(project1, vars{"craton": `1`})
	dfw := f.region(f.cloud("east", vars{"__ansible_type": `"x"`}), "dfw", nil)
	f.host(dfw, "a", vars{"deep": strings.Repeat("[", 150) + strings.Repeat("]", 150), "bad_number": `1e400`, "bad_text": `"\u0000\ud800"`}, nil)
	o := DefaultOptions()
	o.ExcludeVariables = []string{"craton", "deep", "bad_*", "__ansible_*"}
	_, v := ansibletest.MustRead(t, f.document(t, o))
	if len(v["a"]) != 2 {
		t.Errorf("variables %v", v["a"])
	}
}

func TestOptionErrors(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Options){
		`exclude_variables: ... "["`:                          func(o *Options) { o.ExcludeVariables = []string{"["} },
		`facts must be the name of a variable`:                func(o *Options) { o.Facts = "a-b" },
		`facts cannot be called ansible_host`:                 func(o *Options) { o.Facts = "ansible_host" },
		`vars: "layerd" ... did you mean "layered"?`:          func(o *Options) { o.Vars = "layerd" },
		`hostname: "fqdn" ... name, ip_addr`:                  func(o *Options) { o.Hostname = "fqdn" },
		`groups: "labels" ... did you mean "label"?`:          func(o *Options) { o.Groups = []GroupKind{"labels"} },
		`group_names: "exakt" ... did you mean "exact"`:       func(o *Options) { o.GroupNames = "exakt" },
		`project_group must be the name of a group (letters,`: func(o *Options) { o.ProjectGroup = "a-b" },
		`project_group cannot be all ... Ansible`:             func(o *Options) { o.ProjectGroup = "all" },
		`project_group cannot be ungrouped ... Ansible`:       func(o *Options) { o.ProjectGroup = "ungrouped" },
		`streams must be at least 1, not 0`:                   func(o *Options) { o.Streams = 0 },
	} {
		o := DefaultOptions()
		change(&o)
		f := newFake()
		if _, err := Load(context.Background(), f.client(), o); err == nil || !wording.Has(err.Error(), want) {
			t.Errorf("Load: %v, want %s", err, want)
		}
		if _, err := Host(context.Background(), f.client(), o, "x"); err == nil || !wording.Has(err.Error(), want) {
			t.Errorf("Host: %v, want %s", err, want)
		}
		if len(f.asked()) > 0 {
			t.Errorf("%s: requests %v", want, f.asked())
		}
	}
}
