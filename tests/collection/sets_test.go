package collection_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// setsPlay takes fleets through what a set can go through. Each case is a task in check mode, the same task for real,
// and again; all with differences. cases is a list of names with the arguments of craton_fleet.
const setsPlay = `
- hosts: localhost
  gather_facts: false
  module_defaults: {group/craton.fleet.craton: {url: "{{ fleet }}"}}
  tasks:
    - ansible.builtin.include_tasks: case.yml
      loop: "{{ lookup('ansible.builtin.file', playbook_dir ~ '/cases.json') | from_json }}"
      loop_control: {loop_var: one, label: "{{ one.name }}"}
`

const setsCase = `
- ansible.builtin.command: {argv: "{{ [program] + one.protect }}"}
  environment: {CRATON_URL: "{{ fleet }}"}
  when: one.protect is defined
- craton.fleet.craton_fleet: "{{ one.args }}"
  check_mode: true
  diff: true
  ignore_errors: true
  register: predicted
- craton.fleet.craton_fleet: "{{ one.args }}"
  diff: true
  ignore_errors: true
  register: done
- craton.fleet.craton_fleet: "{{ one.args }}"
  diff: true
  ignore_errors: true
  register: again
- ansible.builtin.debug:
    msg: "seen {{ one.name }} {{ {'predicted': predicted, 'done': done, 'again': again} | to_json }}"
`

type (
	dict = map[string]any
	list = []any
)

// setsHosts are hosts of one region, by their numbers.
func setsHosts(note string, numbers ...int) list {
	var hosts list
	for _, n := range numbers {
		h := dict{"name": fmt.Sprintf("web%d", n), "ip_address": fmt.Sprintf("10.0.0.%d", n), "device_type": "server", "labels": list{"web"}}
		if note != "" {
			h["note"] = note
		}
		hosts = append(hosts, h)
	}
	return hosts
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// setsFleet is a fleet with a region of hosts.
func setsFleet(variables dict, hosts list, more ...any) dict {
	return dict{"clouds": append(list{dict{"name": "east", "regions": list{dict{"name": "dfw", "variables": variables, "cells": list{dict{"name": "row-a"}}, "hosts": hosts}}}}, more...)}
}

// TestSets: whole fleets with sets, by real tasks. Check mode predicts each of them exactly, a second run changes
// nothing, what guards refuse is told with the number that lets it be done, and what comes is what the documentation
// says.
func TestSets(t *testing.T) {
	ntp, other := dict{"ntp": "a"}, dict{"ntp": "b", "more": "{{ x }}"}
	north := dict{"name": "north", "regions": list{dict{"name": "osl", "hosts": list{dict{"name": "nord", "ip_address": "10.9.0.1", "device_type": "server"}}}}}
	less := setsFleet(other, append(setsHosts("", 1), setsHosts("changed", 2)...))
	cases := []struct {
		Name    string `json:"name"`
		Args    dict   `json:"args"`
		Protect list   `json:"protect,omitempty"`
		refused string // by all three; "" if it is done
		want    dict   // of the run
	}{
		{Name: "create", Args: dict{"fleet": setsFleet(ntp, setsHosts("", upTo(14)...)), "set": "web"}, want: dict{"created": 17., "joined": 0.}},
		{Name: "beside", Args: dict{"fleet": setsFleet(nil, list{dict{"name": "db1", "ip_address": "10.0.1.1", "device_type": "server"}}, north), "set": "db"}, want: dict{"created": 4., "unchanged": 3.}},
		{Name: "variables", Args: dict{"fleet": setsFleet(other, setsHosts("", upTo(14)...)), "set": "web"}, want: dict{"updated": 1., "unchanged": 16.}},
		{Name: "not-pruned", Args: dict{"fleet": setsFleet(other, setsHosts("", upTo(13)...)), "set": "web"}, want: dict{"updated": 0.}},
		{Name: "prune-few", Args: dict{"fleet": setsFleet(other, setsHosts("", upTo(13)...)), "set": "web", "prune": true}, want: dict{"deleted": 1., "unchanged": 16.}},
		{Name: "prune-many", Args: dict{"fleet": less, "set": "web", "prune": true},
			refused: "11 objects of the set web would be deleted, and that is more than a tenth of the 16 objects of the set: if you want that, use --allow-deletes 11 (in a task allow_deletes: 11); nothing was written"},
		{Name: "prune-other-number", Args: dict{"fleet": less, "set": "web", "prune": true, "allow_deletes": 12},
			refused: "11 objects of the set web would be deleted, not 12: if you want that, use --allow-deletes 11 (in a task allow_deletes: 11); nothing was written"},
		{Name: "prune-protected", Args: dict{"fleet": less, "set": "web", "prune": true, "allow_deletes": 11}, Protect: list{"protect", "host", "web9"},
			refused: "the host east/dfw/web9 is protected and is no longer in the file"},
		{Name: "prune-allowed", Args: dict{"fleet": less, "set": "web", "prune": true, "allow_deletes": 11}, Protect: list{"unprotect", "host", "web9"}, want: dict{"deleted": 11., "updated": 1.}},
		{Name: "of-another-set", Args: dict{"fleet": setsFleet(nil, list{dict{"name": "db1", "ip_address": "10.0.1.1", "device_type": "server", "note": "mine"}}), "set": "web"},
			refused: "hosts[db1]: it belongs to the set db and would be updated (note); take it over with --adopt (in a task adopt: true)"},
		{Name: "as-it-is", Args: dict{"fleet": setsFleet(nil, list{dict{"name": "db1", "ip_address": "10.0.1.1", "device_type": "server"}}), "set": "web"}, want: dict{"updated": 0., "joined": 0.}},
		{Name: "adopt", Args: dict{"fleet": setsFleet(nil, list{dict{"name": "db1", "ip_address": "10.0.1.1", "device_type": "server", "note": "mine"}}), "set": "web", "adopt": true},
			want: dict{"updated": 1., "joined": 1.}},
		{Name: "adopt-as-it-is", Args: dict{"fleet": dict{"clouds": list{dict{"name": "north"}}}, "set": "web", "adopt": true}, want: dict{"updated": 0., "joined": 1.}},
		{Name: "move", Args: dict{"fleet": dict{"clouds": list{dict{"name": "east", "regions": list{dict{"name": "dfw", "cells": list{dict{"name": "row-a", "hosts": setsHosts("", 1)}}}}}}}, "set": "web", "move": true},
			want: dict{"moved": 1.}},
		{Name: "holds-others", Args: dict{"fleet": setsFleet(nil, nil), "set": "web", "prune": true, "allow_deletes": 4},
			refused: "the cloud north is no longer in the file, but contains the region north/osl, which belongs to the set db"},
		{Name: "not-there", Args: dict{"fleet": dict{"project": dict{"variables": dict{"a": dict{"b": list{1, nil, "ü"}}}}}}, want: dict{"updated": 1.}},
		{Name: "without-a-set", Args: dict{"fleet": setsFleet(nil, nil), "prune": true}, refused: "name it with --set NAME (in a task set: NAME)"},
	}
	withAnsible(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(cases)
		if err != nil {
			t.Fatal(err)
		}
		h.write(t, "cases.json", string(text))
		h.write(t, "case.yml", setsCase)
		out := h.play(t, setsPlay, "-e", "program="+craton)
		documented := h.returns(t, "craton.fleet.craton_fleet")
		for _, c := range cases {
			var got struct{ Predicted, Done, Again dict }
			seen(t, out, c.Name, &got)
			if c.refused != "" {
				for _, one := range []dict{got.Predicted, got.Done, got.Again} {
					if msg, _ := one["msg"].(string); one["failed"] != true || one["changed"] != false || !strings.Contains(msg, c.refused) {
						t.Errorf("%s: changed %v, and the message is\n%s", c.Name, one["changed"], msg)
					}
				}
				continue
			}
			changes := false
			for name, n := range c.want {
				changes = changes || n != 0. && name != "unchanged"
				if got.Done[name] != n || got.Done["plan"].(dict)[name] != n {
					t.Errorf("%s: %s is %v and was planned to be %v, not %v", c.Name, name, got.Done[name], got.Done["plan"].(dict)[name], n)
				}
			}
			if got.Done["changed"] != changes || got.Again["changed"] != false || len(got.Again["changes"].(list)) > 0 {
				t.Errorf("%s: changed %v, and again %v: %v", c.Name, got.Done["changed"], got.Again["changed"], got.Again)
			}
			if diff := cmp.Diff(got.Predicted, got.Done); diff != "" {
				t.Errorf("%s: check mode predicts otherwise (-predicted +done):\n%s", c.Name, diff)
			}
			if sides, _ := got.Done["diff"].(list); len(got.Done["changes"].(list)) > 1 && len(sides) != len(got.Done["changes"].(list)) {
				t.Errorf("%s: %d differences of %d changes", c.Name, len(sides), len(got.Done["changes"].(list)))
			}
			for _, one := range []dict{got.Done, got.Again} {
				for _, wrong := range undocumented(documented, one, "changed", "diff", "failed", "invocation", "warnings") {
					t.Errorf("%s: %s", c.Name, wrong)
				}
			}
		}
		for _, want := range []string{`\+\+\+ after: host east/dfw/row-a/web1`, `-\s+"ntp": "a"`, `\+\s+"ntp": "b"`, `--- before: host east/dfw/web14`, `-\s+"place": "east/dfw"`, `\+\s+"place": "east/dfw/row-a"`} {
			if !regexp.MustCompile(`(?m)^` + want + `,?$`).MatchString(out) {
				t.Errorf("the differences that Ansible shows have no line %s", want)
			}
		}
		left := h.runWith(t, []string{"CRATON_URL=" + h.fleet}, craton, "host-list", "--fields", "name", "--format", "csv")
		names := strings.Fields(left)
		slices.Sort(names[1:]) // some are made at once
		if !slices.Equal(names[1:], []string{"db1", "nord", "web1", "web2"}) {
			t.Errorf("the fleet has the hosts %v", names)
		}
	})
}

// returned is what a module's documentation says of a result.
type returned struct {
	Type, Returned string
	Elements       string
	Contains       map[string]returned
}

// returns is RETURN as ansible-doc reads it.
func (h *home) returns(t *testing.T, module string) map[string]returned {
	t.Helper()
	var docs map[string]struct{ Return map[string]returned }
	if err := json.Unmarshal([]byte(h.run(t, "ansible-doc", "--json", module)), &docs); err != nil {
		t.Fatal(err)
	}
	return docs[module].Return
}

// undocumented is what a result has otherwise than its documentation: keys that it does not name, keys that it says are
// there, and types. Ansible adds some keys to every result.
func undocumented(documented map[string]returned, result dict, added ...string) (wrong []string) {
	for key, v := range result {
		doc, ok := documented[key]
		if !ok {
			if !slices.Contains(added, key) {
				wrong = append(wrong, fmt.Sprintf("%s is not documented", key))
			}
			continue
		}
		if is := typeOf(v); is != doc.Type {
			wrong = append(wrong, fmt.Sprintf("%s is of type %s, not %s", key, is, doc.Type))
			continue
		}
		inner := list{v}
		if doc.Type == "list" {
			inner = v.(list)
		}
		for _, one := range inner {
			if doc.Type == "list" && typeOf(one) != doc.Elements {
				wrong = append(wrong, fmt.Sprintf("an element of %s is of type %s, not %s", key, typeOf(one), doc.Elements))
			} else if d, ok := one.(dict); ok && doc.Contains != nil {
				for _, text := range undocumented(doc.Contains, d) {
					wrong = append(wrong, key+": "+text)
				}
			}
		}
	}
	for key, doc := range documented {
		if _, ok := result[key]; !ok && (doc.Returned == "always" || strings.HasPrefix(doc.Returned, "success")) {
			wrong = append(wrong, key+" is missing")
		}
	}
	return wrong
}

func typeOf(v any) string {
	switch v := v.(type) {
	case bool:
		return "bool"
	case string:
		return "str"
	case float64:
		if v == float64(int(v)) {
			return "int"
		}
		return "float"
	case list:
		return "list"
	case dict:
		return "dict"
	}
	return fmt.Sprintf("%T", v)
}
