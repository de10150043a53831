package fleetfile

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/wording"
)

// inRegion puts YAML lines into a region; they begin on line 4.
func inRegion(lines string) string {
	return "clouds:\n- name: east\n  regions: [{name: ord}, {name: dfw,\n" + lines + "\n  }]\n"
}

const host = `name: web1, ip_address: 10.0.0.1, device_type: server`

func TestParseErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 256)
	tests := []struct{ name, file, want string }{
		{"unknown key at the top", "cluods: []\n", `f.yml:1: cluods: ... known ... "clouds"`},
		{"unknown key far from any", "hello: 1\n", `f.yml:1: hello: ... known ... project, clouds`},
		{"unknown key of a host", inRegion(`hosts: [{` + host + `, ip_adress: 1}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_adress: ... known ... "ip_address"`},
		{"hint", inRegion(`network_devices: [{` + host + `, note: x}]`),
			`f.yml:4: clouds[east].regions[dfw].network_devices[web1].note: ... no note ... network device ... variable`},
		{"not a mapping", "- a\n", `f.yml:1: ... mapping ... "project" ... "clouds" ... list`},
		{"a list as a mapping", "clouds: {name: east}\n", `f.yml:1: clouds: ... list of clouds ... mapping`},
		{"object as text", "clouds: [east]\n", `f.yml:1: clouds[0]: ... mapping ... name ... text "east"`},
		{"empty object", "clouds:\n-\n", `f.yml:2: clouds[0]: ... empty ... mapping ... name`},
		{"missing name", "clouds:\n- note: x\n", `f.yml:2: clouds[0]: name ... missing ... cloud`},
		{"empty name", "clouds:\n- name: ''\n", `f.yml:2: clouds[0].name: ... empty`},
		{"null name", "clouds:\n- name:\n", `f.yml:2: clouds[0].name: ... empty`},
		{"number as name", "clouds:\n- name: 7\n", `f.yml:2: clouds[0].name: ... text ... number 7 ... quotes`},
		{"control character in a name", "clouds:\n- name: \"a\\nb\"\n", `f.yml:2: clouds[0].name: ... control character`},
		{"long name", "clouds:\n- name: " + long + "\n", `f.yml:2: clouds[0].name: ... 256 characters ... 255`},
		{"missing fields", inRegion(`hosts: [{name: web1}]`), "f.yml:4: clouds[east].regions[dfw].hosts[web1]: ip_address ... missing ... host\n" +
			"f.yml:4: clouds[east].regions[dfw].hosts[web1]: device_type ... missing ... host"},
		{"missing fields of a network", inRegion(`networks: [{name: n, cidr: 10.0.0.0/8}]`), "f.yml:4: clouds[east].regions[dfw].networks[n]: gateway ... missing ... network\n" +
			"f.yml:4: clouds[east].regions[dfw].networks[n]: netmask ... missing ... network"},
		{"bad address", inRegion(`hosts: [{name: web1, device_type: x, ip_address: 10.0.0.300}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_address: ... "10.0.0.300" ... IP address ... 10.20.0.11 ... 2001:db8::11`},
		{"address with length", inRegion(`hosts: [{name: web1, device_type: x, ip_address: 10.0.0.3/24}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_address: ... "10.0.0.3/24" ... IP address ... /length`},
		{"address with zone", inRegion(`hosts: [{name: web1, device_type: x, ip_address: "fe80::1%eth0"}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_address: ... "fe80::1%eth0" ... zone ... %eth0`},
		{"bad cidr", inRegion(`networks: [{name: n, cidr: 10.0.0.0, gateway: 10.0.0.1, netmask: 255.0.0.0}]`),
			`f.yml:4: clouds[east].regions[dfw].networks[n].cidr: ... "10.0.0.0" ... range ... 10.20.0.0/24 ... 2001:db8::/64`},
		{"active", inRegion(`hosts: [{` + host + `, active: 1}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].active: ... true or false ... the number 1`},
		{"quoted active", inRegion(`hosts: [{` + host + `, active: "yes"}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].active: ... true or false ... the text "yes"`},
		{"speed", inRegion(`hosts: [{` + host + `, interfaces: [{name: eth0, interface_type: x, ip_address: 10.0.0.1, speed: 1.5, port: , vlan_id: 9999999999}]}]`),
			"f.yml:4: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].speed: ... whole number ... 100 ... 1.5\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].port: ... whole number ... omit ... key ... cannot unset\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].vlan_id: ... 9999999999 ... too large ... 32 bits"},
		{"labels", inRegion(`hosts: [{` + host + `, labels: [a, 1, "", ]}]`),
			"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[1]: ... text ... number 1 ... quotes\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[2]: ... empty"},
		{"labels as text", inRegion(`hosts: [{` + host + `, labels: a}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].labels: ... list of labels ... the text "a"`},
		{"variables as a list", "project:\n  variables: [a]\n", `f.yml:2: project.variables: ... mapping ... list`},
		{"project as text", "project: x\n", `f.yml:1: project: ... mapping ... variables ... text "x"`},
		{"name of the project", "project:\n  name: x\n", `f.yml:2: project.name: ... known ... own project ... URL`},
		{"texts that are none to YAML", "clouds:\n- name: no\n- name: 0x1F\n- name: 12:30\n- name: '0819'\n- name: 0819\n- name: ~\n- name: =\n- {name: a, note: 1_0}\n- {name: b, note: .5}\n",
			"f.yml:2: clouds[0].name: ... text ... no ... false ... quotes\n" +
				"f.yml:3: clouds[1].name: ... text ... 0x1F ... the number 31 ... quotes\n" +
				"f.yml:4: clouds[2].name: ... Ansible ... 12:30 ... number 750 ... base-60 ... quotes ... number\n" +
				"f.yml:6: clouds[0819].name: ... 0819 ... twice ... on line 5 ... rename ... merge\n" +
				"f.yml:7: clouds[5].name: ... empty\n" +
				"f.yml:8: clouds[6].name: = ... special ... YAML ... quotes\n" +
				"f.yml:9: clouds[a].note: ... text ... 1_0 ... the number 10 ... quotes\n" +
				"f.yml:10: clouds[b].note: ... text ... .5 ... the number 0.5 ... quotes"},
		{"labels that are none to YAML", inRegion(`hosts: [{` + host + `, labels: [on, 22, "22", y]}]`),
			"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[0]: ... text ... on ... true ... quotes\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[1]: ... text ... number 22 ... quotes"},
		{"values that no reader agrees on", "project:\n  variables:\n    mac: 52:54:00:12:34:56\n    at: [1:30.5]\n    day: 2024-02-30\n    bits: 0b_\n    v: =\n    m: <<\n    s: [a:]\n    t: ! '12'\n",
			"f.yml:3: project.variables.mac: ... Ansible ... 52:54:00:12:34:56 ... number 41135085296 ... base-60 ... quotes ... number\n" +
				"f.yml:4: project.variables.at[0]: ... Ansible ... 1:30.5 ... number 90.5 ... base-60 ... quotes ... number\n" +
				"f.yml:5: project.variables.day: 2024-02-30 ... date ... quotes ... another\n" +
				"f.yml:6: project.variables.bits: 0b_ ... number ... Python ... quotes ... another\n" +
				"f.yml:7: project.variables.v: = ... special ... YAML ... quotes\n" +
				"f.yml:8: project.variables.m: << ... special ... YAML ... quotes\n" +
				"f.yml:9: project.variables.s[0]: a: ... colon ... keys ... quotes\n" +
				"f.yml:10: project.variables.t: ... tag ! ... remove"},
		{"JSON", "{\n\"project\": {\"variables\": {\n\t\"a\": \"\\ud83d\",\n\t\"b\": NaN, \"c\": [-Infinity],\n\n\"d\": 1, \"d\": 2, \"\\ude00\": 1, \"e\": \"\\ude00\\ud83d\"}}}",
			"f.yml:3: project.variables.a: ... \\ud83d ... surrogate ... remove\n" +
				"f.yml:4: project.variables.b: NaN ... number ... JSON ... quotes ... another\n" +
				"f.yml:4: project.variables.c[0]: -Infinity ... number ... JSON ... quotes ... another\n" +
				"f.yml:6: project.variables.d: ... twice ... line 6 ... one\n" +
				"f.yml:6: project.variables.\ufffd: ... \\ude00 ... surrogate ... remove\n" +
				"f.yml:6: project.variables.e: ... \\ude00 ... surrogate ... remove"},
		{"pair in YAML", "project:\n  variables:\n    a: \"\\ud83d\\ude00\"\n", "f.yml:3: ... not YAML ... escape ... \\U ... eight digits ... " +
			"\\ud83d\\ude00 ... only in JSON"},
		{"tab", "project:\n  variables:\n\ta: b\n", "f.yml:3: ... not YAML ... tab ... spaces"},
		{"control character", "project:\n  variables: {a: x\ay}\n", "f.yml:2: ... U+0007 ... YAML ... remove ... escape ... double quotes"},
		{"anchor twice", "project:\n  variables: {a: &x 1,\n b: &x 2}\n", "f.yml:3: ... anchor &x ... line 2 ... rename"},
		{"broken UTF-16", "\xff\xfea\x00\x3d\xd8", "f.yml:1: ... UTF-16 ... UTF-8"},
		{"half a character of UTF-16", "\xff\xfea", "f.yml:1: ... UTF-16 ... UTF-8"},
		{"keys that are not text", "project:\n  variables:\n    443: a\n    true: b\n    null: c\n    2024-01-01: d\n    n: {1.5: x, 12:30: y}\n    [a]: y\n    on: z\n    !!int 5: z\n",
			"f.yml:3: project.variables.443: ... key ... a number ... text ... quotes\n" +
				"f.yml:4: project.variables.true: ... key ... true or false ... text ... quotes\n" +
				"f.yml:5: project.variables.null: ... key ... nothing ... text ... quotes\n" +
				"f.yml:6: project.variables.2024-01-01: ... key ... a date ... text ... quotes\n" +
				"f.yml:7: project.variables.n.1.5: ... key ... a number ... text ... quotes\n" +
				"f.yml:7: project.variables.n.12:30: ... key ... a number ... text ... quotes\n" +
				"f.yml:8: project.variables.?: ... key ... text\n" +
				"f.yml:9: project.variables.on: ... key ... true or false ... text ... quotes\n" +
				"f.yml:10: project.variables.5: ... key ... !!int ... text ... remove"},
		{"bad variable names", "project:\n  variables:\n    '': a\n    \"\\nx\": b\n    ? " + long + "\n    : c\n",
			"f.yml:3: project.variables.\"\": ... name ... variable ... line break\n" +
				"f.yml:4: project.variables.\"\\nx\": ... name ... variable ... line break\n" +
				"f.yml:5: project.variables." + strings.Repeat("é", 40) + "...: ... 256 characters ... 255"},
		{"values that JSON lacks", "project:\n  variables:\n    a: .inf\n    b: [.nan]\n    c: !!binary aGk=\n    d: !vault x\n    e: {f: !unsafe '{{ x }}'}\n    g: !custom {}\n    h: !!int abc\n",
			"f.yml:3: project.variables.a: .inf ... number ... JSON ... quotes ... another\n" +
				"f.yml:4: project.variables.b[0]: .nan ... number ... JSON ... quotes ... another\n" +
				"f.yml:5: project.variables.c: ... binary ... JSON ... text\n" +
				"f.yml:6: project.variables.d: ... Ansible Vault ... keep ... group_vars ... host_vars\n" +
				"f.yml:7: project.variables.e.f: ... tag !unsafe ... remove ... inventory ... unsafe\n" +
				"f.yml:8: project.variables.g: ... tag !custom ... remove\n" +
				"f.yml:9: project.variables.h: \"abc\" ... tag !!int"},
		{"NUL", "clouds:\n- name: a\n  note: \"\\0\"\n  variables:\n    \"\\0\": x\n    b: [{\"\\0\": 1}, \"\\0\"]\n",
			"f.yml:3: clouds[a].note: ... NUL ... databases\n" +
				"f.yml:5: clouds[a].variables.\"\\x00\": ... NUL ... databases\n" +
				"f.yml:6: clouds[a].variables.b[0].\"\\x00\": ... NUL ... databases\n" +
				"f.yml:6: clouds[a].variables.b[1]: ... NUL ... databases"},
		{"characters that are not shown", "clouds:\n- name: \"a\\u200b\"\n  note: \"fine\\u200b\"\n  variables: {\"k\\ufeff\": x, ok: \"\\u202e\"}\n  regions:\n  - name: b\n    hosts:\n    - {name: c, ip_address: '::1', device_type: \"\\u202ed\", labels: [\"\\u2066\", \"\"]}\n    networks:\n    - {name: n, cidr: \"10.0.0.0/8\", gateway: 10.0.0.1, netmask: \"\\u00ad\"}\n",
			"f.yml:2: clouds[0].name: ... U+200B ... invisible ... direction\n" +
				"f.yml:4: clouds[0].variables.\"k\\ufeff\": ... U+FEFF ... invisible ... direction\n" +
				"f.yml:8: clouds[0].regions[b].hosts[c].device_type: ... U+202E ... invisible ... direction\n" +
				"f.yml:8: clouds[0].regions[b].hosts[c].labels[0]: ... U+2066 ... invisible ... direction\n" +
				"f.yml:8: clouds[0].regions[b].hosts[c].labels[1]: ... empty\n" +
				"f.yml:10: clouds[0].regions[b].networks[n].netmask: ... U+00AD ... invisible ... direction"},
		{"numbers that no double holds", "project:\n  variables:\n    a: 1.0e+400\n    b: [{c: -1.0e-400}]\n    d: \"1.0e+400\"\n",
			"f.yml:3: project.variables.a: ... 1.0e+400 ... too large ... Infinity ... quotes\n" +
				"f.yml:4: project.variables.b[0].c: ... -1.0e-400 ... zero ... read 0 ... quotes"},
		{"duplicate keys", "clouds:\n- name: a\n  name: b\n  variables: {x: 1, x: 2}\n",
			"f.yml:3: clouds[a].name: ... twice ... line 2 ... one\n" +
				"f.yml:4: clouds[a].variables.x: ... twice ... line 4 ... one"},
		{"duplicate clouds", "clouds:\n- name: a\n- name: b\n- name: a\n", `f.yml:4: clouds[a].name: ... a ... twice ... on line 2 ... rename ... merge`},
		{"duplicate devices across cells and kinds", inRegion("hosts: [{" + host + "}],\n  cells: [{name: c1, network_devices: [{" + host + "}]}]"),
			`f.yml:5: clouds[east].regions[dfw].cells[c1].network_devices[web1].name: ... web1 ... twice ... dfw ... line 4 ... rename ... merge`},
		{"unknown merge", "project:\n  variables:\n    <<: 5\n", `f.yml:3: project.variables.<<: ... merges ... number ... mapping ... list of mappings`},
		{"alias within its anchor", "project:\n  variables: &v\n    a: *v\n", `f.yml:3: project.variables.a: ... itself ... alias (*) ... outside ... anchor (&)`},
		{"two documents", "clouds: []\n---\nclouds: []\n", `f.yml:2: ... second document ... file for each`},
		{"no YAML", "clouds:\n  - name: [\n", `f.yml:2: ... not YAML ... indentation ... quotes`},
		{"no UTF-8", "clouds:\n- name: \xff\n", `f.yml:2: is not UTF-8; save the file as UTF-8`},
		{"parent in a circle", inRegion("hosts: [{" + host + ", parent: web2},\n {name: web2, ip_address: 10.0.0.2, device_type: x, parent: web3},\n {name: web3, ip_address: 10.0.0.2, device_type: x, parent: web2}]"),
			`f.yml:6: clouds[east].regions[dfw].hosts[web3].parent: ... loop (web2 -> web3 -> web2) ... change`},
		{"own parent", inRegion("hosts: [{" + host + ", parent: dfw/web1}]"), `f.yml:4: clouds[east].regions[dfw].hosts[web1].parent: ... web1 ... own parent`},
		{"ambiguous parent", "clouds:\n- name: e\n  regions:\n  - {name: a, hosts: [{" + host + "}]}\n  - {name: b, hosts: [{" + host + "}]}\n  - {name: c, hosts: [{name: vm, ip_address: '::1', device_type: vm, parent: web1}]}\n",
			`f.yml:6: clouds[e].regions[c].hosts[vm].parent: ... web1 ... more than one ... e/a/web1, e/b/web1`},
		{"number as parent", inRegion("hosts: [{" + host + ", parent: 5}]"), `f.yml:4: clouds[east].regions[dfw].hosts[web1].parent: ... text ... number 5 ... quotes`},
		{"empty parent", inRegion("hosts: [{" + host + ", parent: ''}]"), `f.yml:4: clouds[east].regions[dfw].hosts[web1].parent: ... empty ... host or network device ... null`},
		{"deep nesting", "project: {variables: {a: " + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}}", `f.yml:1: project.variables.a` + strings.Repeat("[0]", 99) + `: ... nested ... 200 levels`},
		{"alias bomb", "project:\n  variables:\n    a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + bomb(8), `f.yml:1: ... too large ... aliases ... fewer`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := Parse("f.yml", strings.NewReader(tt.file))
			if f != nil || err == nil {
				t.Fatalf("Parse gave a file and %v", err)
			}
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("the error is a %T", err)
			}
			wording.Want(t, err, tt.want)
		})
	}
}

func bomb(levels int) string {
	var b strings.Builder
	for i := 1; i <= levels; i++ {
		prev, next := string(rune('0'+i-1)), string(rune('0'+i))
		b.WriteString("    a" + next + ": &a" + next + " [" + strings.Repeat("*a"+prev+",", 10) + "]\n")
	}
	return b.String()
}

func TestParseListsAtMostTwenty(t *testing.T) {
	t.Parallel()
	_, err := Parse("f.yml", strings.NewReader("clouds:\n"+strings.Repeat("- {}\n", 33)))
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Problems) != 20 || e.More != 13 {
		t.Fatalf("%v", err)
	}
	if !strings.HasSuffix(err.Error(), "\n... and 13 more") {
		t.Errorf("%v", err)
	}
}

func TestParseEmpty(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"", "# nothing\n", "---\n", "{}", "clouds:\nproject:\n", "clouds: []\n"} {
		f, err := Parse("f.yml", strings.NewReader(file))
		if err != nil || f.Len() != 0 {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func TestParseReadError(t *testing.T) {
	t.Parallel()
	_, err := Parse("f.yml", failing{})
	if err == nil || err.Error() != "f.yml: the disk is gone" {
		t.Errorf("%v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// summary is what a test sees of an object.
type summary struct {
	Kind, Path, In, Name string
	Values               map[string]any
	Refs                 map[string]string
	Labels               []string
	Variables            map[string]string
}

func summaries(f *File) []summary {
	var out []summary
	for _, o := range f.objects {
		s := summary{Kind: o.Kind.Name, Path: o.Path, Name: o.Name, Values: o.Values, Labels: o.Labels}
		if o.In != nil {
			s.In = o.In.Qualified()
		}
		for key, v := range o.Values {
			if v == nil {
				o.Values[key] = "" // none, as null and "" say it
			}
		}
		for key, ref := range o.Refs {
			if s.Refs == nil {
				s.Refs = map[string]string{}
			}
			switch {
			case ref.Text == "":
				s.Refs[key] = "none"
			case ref.Target == nil:
				s.Refs[key] = "outside: " + ref.Text
			default:
				s.Refs[key] = ref.Target.Qualified()
			}
		}
		for key, v := range o.Variables {
			if s.Variables == nil {
				s.Variables = map[string]string{}
			}
			s.Variables[key] = string(v)
		}
		out = append(out, s)
	}
	return out
}

func TestParseGood(t *testing.T) {
	t.Parallel()
	file := `---
project:
  variables: {ntp: ntp1.example.net}
clouds:
- name: east
  note:
  variables:
    defaults: &d {mtu: 1500, dns: [10.0.0.53]}
    big: 123456789012345678901234567890
    tiny: 0.1000000000000000055511151231257827
    exp: 1.5E+2
    octal: 0644
    hex: 0x1F
    octal12: 0o17
    under: 1_000
    point: .5
    plus: +7
    date: 2024-01-02
    time: 2001-12-14t21:59:43.10-05:00
    yes11: yes
    part: 0819
    rev: 12e4567
    tag: 1e3
    y: y
    text: "007"
    tagged: !!str 5
    nothing: ~
    truth: TRUE
    clock: 08:30
    html: <a & b>
    snow: "\u2603 ☃"
    block: |
      two
      lines
  regions:
  - name: dfw
    network_devices:
    - &sw {name: sw1, ip_address: "2001:DB8:0::1", device_type: switch, active: off, vlans: "1,2", labels: [b, a, b]}
    networks:
    - {name: mgmt, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0, cell: c1}
    cells:
    - name: c1
      hosts:
      - name: web.1/a
        ip_address: 10.0.0.2
        device_type: server
        parent: dfw/sw1
        variables: {<<: *d, mtu: 9000}
        interfaces:
        - {name: eth0, interface_type: ethernet, ip_address: 10.0.0.2, network: mgmt, speed: 10000}
      - {name: web2, ip_address: 10.0.0.3, device_type: server, parent: web.1/a, active: false}
  - name: ord
    hosts:
    - {<<: *sw, name: h1, vlans: 5}
`
	// vlans is not a host's key, so the merge of a switch into a host is refused; see below.
	_, err := Parse("f.yml", strings.NewReader(file))
	if err == nil || !strings.Contains(err.Error(), "hosts[h1].vlans: is not a known key") {
		t.Fatalf("%v", err)
	}
	file = strings.Replace(file, "hosts:\n    - {<<: *sw, name: h1, vlans: 5}", "network_devices:\n    - {<<: *sw, name: h1, parent: null}\n    hosts:\n    - {name: sw1, ip_address: 10.0.0.9, device_type: x, parent: elsewhere/kvm}", 1)
	f, err := Parse("f.yml", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []summary{
		{Kind: "project", Path: "project", Variables: map[string]string{"ntp": `"ntp1.example.net"`}},
		{Kind: "cloud", Path: "clouds[east]", Name: "east", Values: map[string]any{"note": ""}, Variables: map[string]string{
			"defaults": `{"mtu":1500,"dns":["10.0.0.53"]}`, "big": "123456789012345678901234567890",
			"tiny": "0.1000000000000000055511151231257827", "exp": "1.5E+2", "octal": "420", "hex": "31", "octal12": `"0o17"`, "under": "1000",
			"point": "0.5", "plus": "7", "date": `"2024-01-02"`, "time": `"2001-12-14t21:59:43.10-05:00"`, "yes11": "true",
			"part": `"0819"`, "rev": `"12e4567"`, "tag": `"1e3"`, "y": `"y"`,
			"text": `"007"`, "tagged": `"5"`, "nothing": "null", "truth": "true", "clock": `"08:30"`, "html": `"<a & b>"`,
			"snow": `"☃ ☃"`, "block": `"two\nlines\n"`,
		}},
		{Kind: "region", Path: "clouds[east].regions[dfw]", In: "east", Name: "dfw"},
		{Kind: "network-device", Path: "clouds[east].regions[dfw].network_devices[sw1]", In: "east/dfw", Name: "sw1",
			Values: map[string]any{"ip_address": "2001:db8::1", "device_type": "switch", "active": false, "vlans": "1,2"}, Labels: []string{"a", "b"}},
		{Kind: "network", Path: "clouds[east].regions[dfw].networks[mgmt]", In: "east/dfw", Name: "mgmt",
			Values: map[string]any{"cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "netmask": "255.255.255.0"}, Refs: map[string]string{"cell": "east/dfw/c1"}},
		{Kind: "cell", Path: "clouds[east].regions[dfw].cells[c1]", In: "east/dfw", Name: "c1"},
		{Kind: "host", Path: "clouds[east].regions[dfw].cells[c1].hosts[web.1/a]", In: "east/dfw/c1", Name: "web.1/a",
			Values: map[string]any{"ip_address": "10.0.0.2", "device_type": "server"}, Refs: map[string]string{"parent": "east/dfw/sw1"},
			Variables: map[string]string{"mtu": "9000", "dns": `["10.0.0.53"]`}},
		{Kind: "network-interface", Path: "clouds[east].regions[dfw].cells[c1].hosts[web.1/a].interfaces[eth0]", In: `east/dfw/c1/"web.1/a"`, Name: "eth0",
			Values: map[string]any{"interface_type": "ethernet", "ip_address": "10.0.0.2", "speed": 10000}, Refs: map[string]string{"network": "east/dfw/mgmt"}},
		{Kind: "host", Path: "clouds[east].regions[dfw].cells[c1].hosts[web2]", In: "east/dfw/c1", Name: "web2",
			Values: map[string]any{"ip_address": "10.0.0.3", "device_type": "server", "active": false}, Refs: map[string]string{"parent": `east/dfw/c1/"web.1/a"`}},
		{Kind: "region", Path: "clouds[east].regions[ord]", In: "east", Name: "ord"},
		{Kind: "network-device", Path: "clouds[east].regions[ord].network_devices[h1]", In: "east/ord", Name: "h1",
			Values: map[string]any{"ip_address": "2001:db8::1", "device_type": "switch", "active": false, "vlans": "1,2"}, Labels: []string{"a", "b"},
			Refs: map[string]string{"parent": "none"}},
		{Kind: "host", Path: "clouds[east].regions[ord].hosts[sw1]", In: "east/ord", Name: "sw1",
			Values: map[string]any{"ip_address": "10.0.0.9", "device_type": "x"}, Refs: map[string]string{"parent": "outside: elsewhere/kvm"}},
	}
	if diff := cmp.Diff(want, summaries(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestParseEncodings: a file may be JSON or YAML, begin with a byte order mark, be UTF-16, and have the line ends of
// any system.
func TestParseEncodings(t *testing.T) {
	t.Parallel()
	utf16 := func(s string, order binary.AppendByteOrder) string {
		var b []byte
		for _, unit := range utf16.Encode([]rune("\ufeff" + s)) {
			b = order.AppendUint16(b, unit)
		}
		return string(b)
	}
	yes := "project:\n  variables:\n    a: yes\n    emoji: \"\U0001F600\"\n    b: |\n      x\n      y\n"
	ofYAML := map[string]string{"a": "true", "emoji": `"😀"`, "b": `"x\ny\n"`}
	dumped := `{"project": {"variables": {"a": "yes", "emoji": "\ud83d\ude00", "b": 1e3, "big": 123456789012345678901234567890, "f": 0.10, "<<": {"=": "x"}}}}`
	ofJSON := map[string]string{"a": `"yes"`, "emoji": `"😀"`, "b": "1e3", "big": "123456789012345678901234567890", "f": "0.10", "<<": `{"=":"x"}`}
	for name, tt := range map[string]struct {
		file string
		want map[string]string
	}{
		"YAML": {yes, ofYAML}, "byte order mark": {"\ufeff" + yes, ofYAML}, "CRLF": {strings.ReplaceAll(yes, "\n", "\r\n"), ofYAML}, "CR": {strings.ReplaceAll(yes, "\n", "\r"), ofYAML},
		"UTF-16LE": {utf16(yes, binary.LittleEndian), ofYAML}, "UTF-16BE": {utf16(yes, binary.BigEndian), ofYAML}, "YAML 1.2": {"# x\n%YAML 1.2\n---\n" + yes, ofYAML},
		"JSON": {dumped, ofJSON}, "JSON with tabs": {strings.ReplaceAll(dumped, ", ", ",\r\n\t"), ofJSON}, "JSON with a mark": {"\ufeff\n" + dumped, ofJSON}, "JSON in UTF-16": {utf16(dumped, binary.LittleEndian), ofJSON},
	} {
		f, err := Parse("f", strings.NewReader(tt.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := summaries(f)
		if diff := cmp.Diff([]summary{{Kind: "project", Path: "project", Variables: tt.want}}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	f, err := Parse("f.yml", strings.NewReader(`clouds:
- name: "{{ a name }}"
  note: 2024-01-02 10:00:00
  variables:
    one: &one {mtu: 1500, ntp: x}
    two: &two {mtu: 9000, ntp: x}
    both: {<<: [*one, *two]}
    mine: {<<: [*one, *two], mtu: 1}
    date: 2024-01-02
    time: 2024-01-02 10:00:00
    zone: "2024-01-02 10:00:00"
    text: "{{ lookup('pipe', 'x') }}"
    "{% if %}": {a: ["#jinja2: x", "{# x #}", "{ {", "x #jinja2:"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"f.yml:5: clouds[\"{{ a name }}\"].variables.both.mtu: ... two ... line 7 ... first ... Ansible ... YAML library ... set",
		"f.yml:10: clouds[\"{{ a name }}\"].variables.time: ... date with a time ... text ... Ansible ... 2024-01-02T10:00:00 ... quotes",
		"f.yml:12: 4 texts ... templates ... {{ }} ... stay text ... unless ... (trust_templates, CRATON_INVENTORY_TRUST_TEMPLATES)",
	}
	if got := strings.Join(f.Warnings(), "\n"); !wording.Lines(got, strings.Join(want, "\n")) {
		t.Errorf("got\n%s\nwant lines like\n%s", got, strings.Join(want, "\n"))
	}
	for _, s := range summaries(f) {
		if s.Values["note"] != "2024-01-02 10:00:00" || s.Variables["time"] != `"2024-01-02 10:00:00"` || s.Variables["both"] != `{"mtu":1500,"ntp":"x"}` || s.Variables["mine"] != `{"mtu":1,"ntp":"x"}` {
			t.Errorf("%+v", s)
		}
	}
	f, err = FromValue(map[string]any{"project": map[string]any{"variables": map[string]any{"a": "{{ x }}"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Warnings(); len(got) != 1 || !wording.Has(got[0], "1 text ... a template ... {{ }} ... stays text ... unless ... (trust_templates, CRATON_INVENTORY_TRUST_TEMPLATES)") {
		t.Errorf("%q", got)
	}
	var b strings.Builder
	for i := range 25 {
		fmt.Fprintf(&b, "    x%d: 2024-01-02 10:00:00\n", i)
	}
	if f, err = Parse("f.yml", strings.NewReader("project:\n  variables:\n"+b.String())); err != nil {
		t.Fatal(err)
	}
	if got := f.Warnings(); len(got) != 21 || got[20] != "... and 5 more" {
		t.Errorf("%q", got)
	}
}

func TestFromValue(t *testing.T) {
	t.Parallel()
	f, err := FromValue(map[string]any{"clouds": []any{map[string]any{
		"name": "east", "variables": map[string]any{"big": json.Number("12345678901234567890"), "f": 1.5, "n": nil, "s": "<&>"},
		"regions": []map[string]string{{"name": "dfw"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []summary{
		{Kind: "cloud", Path: "clouds[east]", Name: "east", Variables: map[string]string{"big": "12345678901234567890", "f": "1.5", "n": "null", "s": `"<&>"`}},
		{Kind: "region", Path: "clouds[east].regions[dfw]", In: "east", Name: "dfw"},
	}
	if diff := cmp.Diff(want, summaries(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		value any
		want  string
	}{
		{map[string]any{"clouds": []any{map[string]any{"nme": "x"}}}, "clouds[0].nme: ... known ... \"name\"\nclouds[0]: name ... missing ... cloud"},
		{json.RawMessage(`{"clouds": [{"name": "a"}, {"name": "a"}, {"name": "b", "note": "", "note": ""}]}`),
			"clouds[a].name: ... a ... twice ... clouds[a] ... rename ... merge\nclouds[b].note: ... twice ... one"},
		{[]int{1}, `mapping ... "project" ... "clouds" ... list`},
	} {
		_, err := FromValue(tt.value)
		wording.Want(t, err, tt.want)
	}
	if _, err := FromValue(map[string]any{"clouds": make(chan int)}); err == nil {
		t.Error("a channel is no fleet")
	}
	if f, err := FromValue(nil); err != nil || f.Len() != 0 {
		t.Errorf("%v", err)
	}
}

// FuzzParse looks for crashes, and for files that a fleet is read from although it cannot be written as JSON.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", inRegion("hosts: [{" + host + "}]"), "a: &a [*a]", "? [x]\n: y", "<<: {}", "!!set {a}",
		"project: {variables: {a: 0x1F, b: 1e400, c: !!float 1, d: 2024-01-01, e: !!timestamp x}}", "a: &b {<<: *b}", "project: {variables: {a: !!int 1.0}}",
		"- <<: [{a: 1}, {a: 2}]\n  <<: 1\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		fleet, err := Parse("f", strings.NewReader(file))
		if err != nil {
			if fleet != nil || err.Error() == "" {
				t.Fatal("an error without words, or with a file")
			}
			return
		}
		for _, o := range fleet.objects {
			for key, v := range o.Variables {
				if !json.Valid(v) {
					t.Fatalf("%s: %s = %q is not JSON", o.Path, key, v)
				}
			}
		}
	})
}
