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
		{"unknown key at the top", "cluods: []\n", `f.yml:1: cluods: is not a known key; did you mean "clouds"?`},
		{"unknown key far from any", "hello: 1\n", `f.yml:1: hello: is not a known key; choose from: project, clouds`},
		{"unknown key of a host", inRegion(`hosts: [{` + host + `, ip_adress: 1}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_adress: is not a known key; did you mean "ip_address"?`},
		{"hint", inRegion(`network_devices: [{` + host + `, note: x}]`),
			`f.yml:4: clouds[east].regions[dfw].network_devices[web1].note: is not a known key; the API has no note for a network device; use a variable`},
		{"not a mapping", "- a\n", `f.yml:1: must be a mapping with the keys "project" and "clouds", not a list`},
		{"a list as a mapping", "clouds: {name: east}\n", `f.yml:1: clouds: must be a list of clouds, not a mapping`},
		{"object as text", "clouds: [east]\n", `f.yml:1: clouds[0]: must be a mapping with a name, not the text "east"`},
		{"empty object", "clouds:\n-\n", `f.yml:2: clouds[0]: is empty; a cloud is a mapping with a name`},
		{"missing name", "clouds:\n- note: x\n", `f.yml:2: clouds[0]: name is missing; every cloud needs one`},
		{"empty name", "clouds:\n- name: ''\n", `f.yml:2: clouds[0].name: is empty; it must be given`},
		{"null name", "clouds:\n- name:\n", `f.yml:2: clouds[0].name: is empty; it must be given`},
		{"number as name", "clouds:\n- name: 7\n", `f.yml:2: clouds[0].name: must be text, not the number 7; put it in quotes`},
		{"control character in a name", "clouds:\n- name: \"a\\nb\"\n", `f.yml:2: clouds[0].name: holds a control character; take it out`},
		{"long name", "clouds:\n- name: " + long + "\n", `f.yml:2: clouds[0].name: is 256 characters long; the API stores 255`},
		{"missing fields", inRegion(`hosts: [{name: web1}]`), "f.yml:4: clouds[east].regions[dfw].hosts[web1]: ip_address is missing; every host needs one\n" +
			"f.yml:4: clouds[east].regions[dfw].hosts[web1]: device_type is missing; every host needs one"},
		{"missing fields of a network", inRegion(`networks: [{name: n, cidr: 10.0.0.0/8}]`), "f.yml:4: clouds[east].regions[dfw].networks[n]: gateway is missing; every network needs one\n" +
			"f.yml:4: clouds[east].regions[dfw].networks[n]: netmask is missing; every network needs one"},
		{"bad address", inRegion(`hosts: [{name: web1, device_type: x, ip_address: 10.0.0.300}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_address: is "10.0.0.300", which is not an IP address; write one such as 10.20.0.11 or 2001:db8::11`},
		{"address with length", inRegion(`hosts: [{name: web1, device_type: x, ip_address: 10.0.0.3/24}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_address: is "10.0.0.3/24", which is not an IP address; leave out the /length`},
		{"address with zone", inRegion(`hosts: [{name: web1, device_type: x, ip_address: "fe80::1%eth0"}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].ip_address: is "fe80::1%eth0", with a zone, which the API does not accept; leave out %eth0`},
		{"bad cidr", inRegion(`networks: [{name: n, cidr: 10.0.0.0, gateway: 10.0.0.1, netmask: 255.0.0.0}]`),
			`f.yml:4: clouds[east].regions[dfw].networks[n].cidr: is "10.0.0.0", which is not an address range; write one such as 10.20.0.0/24 or 2001:db8::/64`},
		{"active", inRegion(`hosts: [{` + host + `, active: 1}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].active: must be true or false, not the number 1`},
		{"quoted active", inRegion(`hosts: [{` + host + `, active: "yes"}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].active: must be true or false, not the text "yes"`},
		{"speed", inRegion(`hosts: [{` + host + `, interfaces: [{name: eth0, interface_type: x, ip_address: 10.0.0.1, speed: 1.5, port: , vlan_id: 9999999999}]}]`),
			"f.yml:4: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].speed: must be a whole number such as 100, not the number 1.5\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].port: must be a whole number; leave out the key to keep the field unchanged: the API cannot unset a number\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].vlan_id: is 9999999999, which is too large; the API stores 32 bits"},
		{"labels", inRegion(`hosts: [{` + host + `, labels: [a, 1, "", ]}]`),
			"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[1]: must be text, not the number 1; put it in quotes\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[2]: is empty; it must be given"},
		{"labels as text", inRegion(`hosts: [{` + host + `, labels: a}]`),
			`f.yml:4: clouds[east].regions[dfw].hosts[web1].labels: must be a list of labels, not the text "a"`},
		{"variables as a list", "project:\n  variables: [a]\n", `f.yml:2: project.variables: must be a mapping of names and values, not a list`},
		{"project as text", "project: x\n", `f.yml:1: project: must be a mapping with the key variables, not the text "x"`},
		{"name of the project", "project:\n  name: x\n", `f.yml:2: project.name: is not a known key; the file is for your own project; choose that where you set the API's URL and user`},
		{"texts that are none to YAML", "clouds:\n- name: no\n- name: 0x1F\n- name: 12:30\n- name: '0819'\n- name: 0819\n- name: ~\n- name: =\n- {name: a, note: 1_0}\n- {name: b, note: .5}\n",
			"f.yml:2: clouds[0].name: must be text, not no, which YAML takes for false; put it in quotes\n" +
				"f.yml:3: clouds[1].name: must be text, not 0x1F, which YAML takes for the number 31; put it in quotes\n" +
				"f.yml:4: clouds[2].name: Ansible reads 12:30 as the number 750, because digits separated by colons are a base-60 number in YAML 1.1; put it in quotes if it is text, or write the number\n" +
				"f.yml:6: clouds[0819].name: the name 0819 is used twice, the other is on line 5; rename one or merge them\n" +
				"f.yml:7: clouds[5].name: is empty; it must be given\n" +
				"f.yml:8: clouds[6].name: = has a special meaning in YAML; put it in quotes if it is text\n" +
				"f.yml:9: clouds[a].note: must be text, not 1_0, which YAML takes for the number 10; put it in quotes\n" +
				"f.yml:10: clouds[b].note: must be text, not .5, which YAML takes for the number 0.5; put it in quotes"},
		{"labels that are none to YAML", inRegion(`hosts: [{` + host + `, labels: [on, 22, "22", y]}]`),
			"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[0]: must be text, not on, which YAML takes for true; put it in quotes\n" +
				"f.yml:4: clouds[east].regions[dfw].hosts[web1].labels[1]: must be text, not the number 22; put it in quotes"},
		{"values that no reader agrees on", "project:\n  variables:\n    mac: 52:54:00:12:34:56\n    at: [1:30.5]\n    day: 2024-02-30\n    bits: 0b_\n    v: =\n    m: <<\n    s: [a:]\n    t: ! '12'\n",
			"f.yml:3: project.variables.mac: Ansible reads 52:54:00:12:34:56 as the number 41135085296, because digits separated by colons are a base-60 number in YAML 1.1; put it in quotes if it is text, or write the number\n" +
				"f.yml:4: project.variables.at[0]: Ansible reads 1:30.5 as the number 90.5, because digits separated by colons are a base-60 number in YAML 1.1; put it in quotes if it is text, or write the number\n" +
				"f.yml:5: project.variables.day: 2024-02-30 is a date that does not exist; put it in quotes or choose another value\n" +
				"f.yml:6: project.variables.bits: 0b_ is a number that Python cannot read; put it in quotes or choose another value\n" +
				"f.yml:7: project.variables.v: = has a special meaning in YAML; put it in quotes if it is text\n" +
				"f.yml:8: project.variables.m: << has a special meaning in YAML; put it in quotes if it is text\n" +
				"f.yml:9: project.variables.s[0]: a: ends with a colon, which only keys do; put it in quotes\n" +
				"f.yml:10: project.variables.t: has the tag !, which a fleet file does not support; remove it"},
		{"JSON", "{\n\"project\": {\"variables\": {\n\t\"a\": \"\\ud83d\",\n\t\"b\": NaN, \"c\": [-Infinity],\n\n\"d\": 1, \"d\": 2, \"\\ude00\": 1, \"e\": \"\\ude00\\ud83d\"}}}",
			"f.yml:3: project.variables.a: holds \\ud83d, half of a surrogate pair, which is not a character; remove it\n" +
				"f.yml:4: project.variables.b: NaN is not a number that JSON can hold; put it in quotes or choose another value\n" +
				"f.yml:4: project.variables.c[0]: -Infinity is not a number that JSON can hold; put it in quotes or choose another value\n" +
				"f.yml:6: project.variables.d: is given twice, first on line 6; keep one of them\n" +
				"f.yml:6: project.variables.\ufffd: holds \\ude00, half of a surrogate pair, which is not a character; remove it\n" +
				"f.yml:6: project.variables.e: holds \\ude00, half of a surrogate pair, which is not a character; remove it"},
		{"pair in YAML", "project:\n  variables:\n    a: \"\\ud83d\\ude00\"\n", "f.yml:3: is not YAML: found invalid Unicode character escape code; write the character itself, or \\U and the eight digits of its code: " +
			"pairs such as \\ud83d\\ude00 are allowed only in JSON, and this file is not JSON"},
		{"tab", "project:\n  variables:\n\ta: b\n", "f.yml:3: is not YAML: found character that cannot start any token; this line begins with a tab; YAML requires spaces for indentation"},
		{"control character", "project:\n  variables: {a: x\ay}\n", "f.yml:2: contains the character U+0007, which YAML does not allow; remove it, or write it as an escape in double quotes"},
		{"anchor twice", "project:\n  variables: {a: &x 1,\n b: &x 2}\n", "f.yml:3: the anchor &x is already on line 2; rename one of them"},
		{"broken UTF-16", "\xff\xfea\x00\x3d\xd8", "f.yml:1: is UTF-16 that cannot be read; save the file as UTF-8"},
		{"half a character of UTF-16", "\xff\xfea", "f.yml:1: is UTF-16 that cannot be read; save the file as UTF-8"},
		{"keys that are not text", "project:\n  variables:\n    443: a\n    true: b\n    null: c\n    2024-01-01: d\n    n: {1.5: x, 12:30: y}\n    [a]: y\n    on: z\n    !!int 5: z\n",
			"f.yml:3: project.variables.443: is a key that YAML takes for a number; keys are text, put it in quotes\n" +
				"f.yml:4: project.variables.true: is a key that YAML takes for true or false; keys are text, put it in quotes\n" +
				"f.yml:5: project.variables.null: is a key that YAML takes for nothing; keys are text, put it in quotes\n" +
				"f.yml:6: project.variables.2024-01-01: is a key that YAML takes for a date; keys are text, put it in quotes\n" +
				"f.yml:7: project.variables.n.1.5: is a key that YAML takes for a number; keys are text, put it in quotes\n" +
				"f.yml:7: project.variables.n.12:30: is a key that YAML takes for a number; keys are text, put it in quotes\n" +
				"f.yml:8: project.variables.?: is a key that is not text; keys are text\n" +
				"f.yml:9: project.variables.on: is a key that YAML takes for true or false; keys are text, put it in quotes\n" +
				"f.yml:10: project.variables.5: is a key with the tag !!int; keys are text, remove the tag"},
		{"bad variable names", "project:\n  variables:\n    '': a\n    \"\\nx\": b\n    ? " + long + "\n    : c\n",
			"f.yml:3: project.variables.\"\": is not a name for a variable; it must begin with a character that is not a line break\n" +
				"f.yml:4: project.variables.\"\\nx\": is not a name for a variable; it must begin with a character that is not a line break\n" +
				"f.yml:5: project.variables." + strings.Repeat("é", 40) + "...: is 256 characters long; the API stores 255"},
		{"values that JSON lacks", "project:\n  variables:\n    a: .inf\n    b: [.nan]\n    c: !!binary aGk=\n    d: !vault x\n    e: {f: !unsafe '{{ x }}'}\n    g: !custom {}\n    h: !!int abc\n",
			"f.yml:3: project.variables.a: .inf is not a number that JSON can hold; put it in quotes or choose another value\n" +
				"f.yml:4: project.variables.b[0]: .nan is not a number that JSON can hold; put it in quotes or choose another value\n" +
				"f.yml:5: project.variables.c: is binary, which JSON does not support; write it as text\n" +
				"f.yml:6: project.variables.d: is encrypted with Ansible Vault; a fleet file cannot contain such values, keep them in Ansible's own group_vars and host_vars\n" +
				"f.yml:7: project.variables.e.f: has the tag !unsafe, which a fleet file does not support; remove it: the inventory marks templates as unsafe by itself\n" +
				"f.yml:8: project.variables.g: has the tag !custom, which a fleet file does not support; remove it\n" +
				"f.yml:9: project.variables.h: \"abc\" does not match its tag !!int; correct one of them"},
		{"NUL", "clouds:\n- name: a\n  note: \"\\0\"\n  variables:\n    \"\\0\": x\n    b: [{\"\\0\": 1}, \"\\0\"]\n",
			"f.yml:3: clouds[a].note: holds a NUL character, which databases cannot store; take it out\n" +
				"f.yml:5: clouds[a].variables.\"\\x00\": holds a NUL character, which databases cannot store; take it out\n" +
				"f.yml:6: clouds[a].variables.b[0].\"\\x00\": holds a NUL character, which databases cannot store; take it out\n" +
				"f.yml:6: clouds[a].variables.b[1]: holds a NUL character, which databases cannot store; take it out"},
		{"characters that are not shown", "clouds:\n- name: \"a\\u200b\"\n  note: \"fine\\u200b\"\n  variables: {\"k\\ufeff\": x, ok: \"\\u202e\"}\n  regions:\n  - name: b\n    hosts:\n    - {name: c, ip_address: '::1', device_type: \"\\u202ed\", labels: [\"\\u2066\", \"\"]}\n    networks:\n    - {name: n, cidr: \"10.0.0.0/8\", gateway: 10.0.0.1, netmask: \"\\u00ad\"}\n",
			"f.yml:2: clouds[0].name: holds the character U+200B, which is invisible or changes the direction of text; take it out\n" +
				"f.yml:4: clouds[0].variables.\"k\\ufeff\": holds the character U+FEFF, which is invisible or changes the direction of text; take it out\n" +
				"f.yml:8: clouds[0].regions[b].hosts[c].device_type: holds the character U+202E, which is invisible or changes the direction of text; take it out\n" +
				"f.yml:8: clouds[0].regions[b].hosts[c].labels[0]: holds the character U+2066, which is invisible or changes the direction of text; take it out\n" +
				"f.yml:8: clouds[0].regions[b].hosts[c].labels[1]: is empty; it must be given\n" +
				"f.yml:10: clouds[0].regions[b].networks[n].netmask: holds the character U+00AD, which is invisible or changes the direction of text; take it out"},
		{"numbers that no double holds", "project:\n  variables:\n    a: 1.0e+400\n    b: [{c: -1.0e-400}]\n    d: \"1.0e+400\"\n",
			"f.yml:3: project.variables.a: is 1.0e+400, which is too large: other programs read Infinity; write it in quotes\n" +
				"f.yml:4: project.variables.b[0].c: is -1.0e-400, which is too near to zero: other programs read 0; write it in quotes"},
		{"duplicate keys", "clouds:\n- name: a\n  name: b\n  variables: {x: 1, x: 2}\n",
			"f.yml:3: clouds[a].name: is given twice, first on line 2; keep one of them\n" +
				"f.yml:4: clouds[a].variables.x: is given twice, first on line 4; keep one of them"},
		{"duplicate clouds", "clouds:\n- name: a\n- name: b\n- name: a\n", `f.yml:4: clouds[a].name: the name a is used twice, the other is on line 2; rename one or merge them`},
		{"duplicate devices across cells and kinds", inRegion("hosts: [{" + host + "}],\n  cells: [{name: c1, network_devices: [{" + host + "}]}]"),
			`f.yml:5: clouds[east].regions[dfw].cells[c1].network_devices[web1].name: the name web1 is used twice in the region dfw, the other is on line 4; rename one or merge them`},
		{"unknown merge", "project:\n  variables:\n    <<: 5\n", `f.yml:3: project.variables.<<: merges a number; only a mapping, or a list of mappings, can be merged`},
		{"alias within its anchor", "project:\n  variables: &v\n    a: *v\n", `f.yml:3: project.variables.a: contains itself; an alias (*) must be outside of what its anchor (&) names`},
		{"two documents", "clouds: []\n---\nclouds: []\n", `f.yml:2: a second document begins here; a fleet file is a single document, so use a file for each`},
		{"no YAML", "clouds:\n  - name: [\n", `f.yml:2: is not YAML: did not find expected node content; check the indentation and the quotes around this line`},
		{"no UTF-8", "clouds:\n- name: \xff\n", `f.yml:2: is not UTF-8; save the file as UTF-8`},
		{"parent in a circle", inRegion("hosts: [{" + host + ", parent: web2},\n {name: web2, ip_address: 10.0.0.2, device_type: x, parent: web3},\n {name: web3, ip_address: 10.0.0.2, device_type: x, parent: web2}]"),
			`f.yml:6: clouds[east].regions[dfw].hosts[web3].parent: the parents form a loop (web2 -> web3 -> web2); change one of them`},
		{"own parent", inRegion("hosts: [{" + host + ", parent: dfw/web1}]"), `f.yml:4: clouds[east].regions[dfw].hosts[web1].parent: web1 cannot be its own parent; give another one`},
		{"ambiguous parent", "clouds:\n- name: e\n  regions:\n  - {name: a, hosts: [{" + host + "}]}\n  - {name: b, hosts: [{" + host + "}]}\n  - {name: c, hosts: [{name: vm, ip_address: '::1', device_type: vm, parent: web1}]}\n",
			`f.yml:6: clouds[e].regions[c].hosts[vm].parent: web1 is the name of more than one host or network device; write one of e/a/web1, e/b/web1`},
		{"number as parent", inRegion("hosts: [{" + host + ", parent: 5}]"), `f.yml:4: clouds[east].regions[dfw].hosts[web1].parent: must be text, not the number 5; put it in quotes`},
		{"empty parent", inRegion("hosts: [{" + host + ", parent: ''}]"), `f.yml:4: clouds[east].regions[dfw].hosts[web1].parent: is empty; give the name of a host or network device, or null for none`},
		{"deep nesting", "project: {variables: {a: " + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}}", `f.yml:1: project.variables.a` + strings.Repeat("[0]", 99) + `: is nested deeper than 200 levels; make it flatter`},
		{"alias bomb", "project:\n  variables:\n    a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + bomb(8), `f.yml:1: becomes too large when its aliases are expanded; nest fewer aliases`},
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
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
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
		"f.yml:5: clouds[\"{{ a name }}\"].variables.both.mtu: is in two of the mappings that are merged on line 7; here the first one wins, in Ansible that depends on its YAML library; set the key in the mapping itself",
		"f.yml:10: clouds[\"{{ a name }}\"].variables.time: is a date with a time, which JSON does not have, so it stays text as written here, but Ansible reads it as 2024-01-02T10:00:00; put it in quotes",
		"f.yml:12: 4 texts in the variables contain templates ({{ }} and the like): they stay text in Ansible, unless the inventory trusts templates (trust_templates, CRATON_INVENTORY_TRUST_TEMPLATES)",
	}
	if diff := cmp.Diff(want, f.Warnings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
	if got := f.Warnings(); len(got) != 1 || got[0] != "1 text in the variables contains a template ({{ }} and the like): it stays text in Ansible, unless the inventory trusts templates (trust_templates, CRATON_INVENTORY_TRUST_TEMPLATES)" {
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
		{map[string]any{"clouds": []any{map[string]any{"nme": "x"}}}, "clouds[0].nme: is not a known key; did you mean \"name\"?\nclouds[0]: name is missing; every cloud needs one"},
		{json.RawMessage(`{"clouds": [{"name": "a"}, {"name": "a"}, {"name": "b", "note": "", "note": ""}]}`),
			"clouds[a].name: the name a is used twice, the other is clouds[a]; rename one or merge them\nclouds[b].note: is given twice; keep one of them"},
		{[]int{1}, `must be a mapping with the keys "project" and "clouds", not a list`},
	} {
		if _, err := FromValue(tt.value); err == nil || err.Error() != tt.want {
			t.Errorf("%v:\n got %v\nwant %s", tt.value, err, tt.want)
		}
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
