package collection_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// limits reads inventories as ansible-playbook does, once for each of some ways and patterns, and says which hosts
// --limit then selects, with their groups and variables, and how many hosts there are at all.
const limits = `
import json, os, sys
from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from ansible.utils.path import unfrackpath
from ansible.vars.manager import VariableManager
try:
    from ansible.plugins.loader import init_plugin_loader
    init_plugin_loader()
except ImportError:
    pass
said = []
Display.v = lambda self, text, *more: said.append(text)
answers, read = [], {}
for asked in json.load(sys.stdin):
    sources = tuple(unfrackpath(source, follow=False) for source in asked['sources'])
    context.CLIARGS = ImmutableDict(dict(asked['more'], subset=asked['pattern'], inventory=sources))
    os.environ.update(asked['env'])
    del said[:]
    same = json.dumps([sources, asked['env']], sort_keys=True)
    if same not in read or asked['env']['CRATON_INVENTORY_LIMIT'] == 'only':
        loader = DataLoader()
        inventory = InventoryManager(loader=loader, sources=list(sources))
        read[same] = inventory, VariableManager(loader=loader, inventory=inventory)
    inventory, variables = read[same]
    answer = {'listed': len(inventory.hosts), 'said': [line for line in said if line.startswith('craton')]}
    try:
        inventory.subset(asked['pattern'])
        answer['hosts'] = dict((host.name, dict(
            groups=sorted(group.name for group in host.get_groups()),
            variables=dict((k, repr(v)) for k, v in variables.get_vars(host=host, include_hostvars=False).items() if k not in ('groups', 'omit', 'ansible_limit')),
        )) for host in inventory.get_hosts('all'))
    except Exception as err:
        answer['hosts'] = {'error': {'groups': [str(err)]}}
    answers.append(answer)
with open(sys.argv[1], 'w') as f:
    json.dump(answers, f)
`

type limitAnswer struct {
	Listed int
	Said   []string
	Hosts  map[string]struct {
		Groups    []string
		Variables map[string]string
	}
}

// TestLimitIsEqual: of every pattern of --limit, a play touches the same hosts, in the same groups and with the same
// variables, with limit auto and only as with limit off; and only reads no others where it can.
func TestLimitIsEqual(t *testing.T) {
	const alone, constructed, first = "lazy/alone/inventory.craton.yml", "lazy/zz.constructed.yml", "lazy/first.yml"
	type limited struct {
		pattern string
		listed  int // with only, of 9; 0: all of the sources, -1: none
		says    string
	}
	type from struct {
		limited
		from string
	}
	sources := map[string][]limited{
		alone: {
			{"web1", 1, ""}, {"web1,db1", 2, ""}, {"web1:db1", 2, ""}, {"web2", 1, ""}, {"edge.example.net", 1, ""}, {"tor1", 1, ""}, {"web1:!web1", 0, "selects no host"},
			{"label_web", 4, ""}, {"label_web:!web2", 3, ""}, {"label_web:&label_odd", 2, ""}, {"label_on_call", 1, ""}, {"&label_odd", 2, ""}, {"!label_web", 5, ""},
			{"type_virtual", 2, ""}, {"cell_east_dfw_c1", 4, ""}, {"region_west_sjc", 2, ""}, {"cloud_east:!cell_*", 1, ""}, {"cloud_west,cell_east_dfw_c2", 4, ""},
			{"web*", 4, ""}, {"web?", 3, ""}, {"*1:&type_server", 3, ""}, {"cell*", 6, ""}, {"active:&web*", 3, ""}, {"inactive", 1, ""}, {"kind_network_device", 1, ""},
			{"parent_east_dfw_web1", 1, ""}, {"a*", 0, ""}, {"all", 0, ""}, {"*", 0, ""}, {"craton", 0, ""}, {"all:!craton", 0, "selects no host"}, {"ungrouped", 0, "selects no host"},
			{"~web[12]$", 0, "regular expression"}, {"web1:!~w.*2", 0, "regular expression"}, {"@some.retry", 0, "is a file"}, {"label_web[0]", 0, "has brackets"}, {"web[12]", 0, "has brackets"},
			{"nobody", 0, "no host or group of Craton"}, {"web1,nobody*", 0, "no host or group of Craton"}, {"web1 , db1,", 2, ""}, {"localhost", -1, ""}, {"web1,localhost", 1, ""},
			{"$(touch pwned);'\"--output=pwned", 0, "contains a space"}, {"`id`;'\"$IFS", 0, "no host or group of Craton"}, {"--output=pwned", 0, "no host or group of Craton"}, {"web1:!--help", 1, ""}, {"web1\x00", 0, "too long"},
			{"%s{{7*7}}", 0, "no host or group of Craton"},
		},
		// Other files, and groups that Ansible makes, may have hosts of ours in groups of any name: names of hosts are
		// certain.
		alone + " " + constructed: {{"web1,edge.example.net", 2, ""}, {"web1:!level_cell", 1, ""}, {"label_web", 0, "no host or group of Craton"}, {"numbers_high", 0, "no host or group of Craton"}, {"level_*", 0, "may match groups"}},
		first + " " + alone:       {{"web1", 1, ""}, {"web*", 0, "may match groups"}, {"localhost", 0, "may come from"}, {"!web1", 0, "may come from"}},
		"lazy/made.craton.yml":    {{"web1", 1, ""}, {"high", 0, "no host or group of Craton"}, {"label_web", 0, "no host or group of Craton"}},
		"lazy/folder":             {{"label_web", 4, ""}, {"web1", 1, ""}},
	}
	withAnsible(t, func(t *testing.T, h *home) {
		h.lazyHome(t)
		text, err := os.ReadFile(filepath.Join(h.dir, "lazy", "inventory.craton.yml"))
		if err != nil {
			t.Fatal(err)
		}
		h.write(t, alone, string(text))
		h.write(t, "lazy/folder/10.craton.yml", string(text))
		h.write(t, "lazy/folder/group_vars/label_web.yml", "of_folder: true\n")
		h.write(t, "lazy/folder/.hidden", "label_web:\n")
		h.write(t, "lazy/made.craton.yml", string(text)+"groups: {high: number > 20, label_web: number == 21}\ncompose: {twice: number * 2}\n")
		h.write(t, "some.retry", "web1\ntor1\n")
		script := h.write(t, "limits.py", limits)
		type ask struct {
			Sources []string          `json:"sources"`
			Pattern string            `json:"pattern"`
			Env     map[string]string `json:"env"`
			More    map[string]bool   `json:"more"`
			from    string
		}
		ways := []map[string]string{
			{"CRATON_INVENTORY_LIMIT": "off", "CRATON_INVENTORY_VARS": "lazy"}, {"CRATON_INVENTORY_LIMIT": "only", "CRATON_INVENTORY_VARS": "lazy"},
			{"CRATON_INVENTORY_LIMIT": "auto", "CRATON_INVENTORY_VARS": "merged"}, {"CRATON_INVENTORY_LIMIT": "only", "CRATON_INVENTORY_VARS": "merged"},
			{"CRATON_INVENTORY_LIMIT": "off", "CRATON_INVENTORY_VARS": "layered"}, {"CRATON_INVENTORY_LIMIT": "only", "CRATON_INVENTORY_VARS": "layered"}, {"CRATON_INVENTORY_LIMIT": "auto", "CRATON_INVENTORY_VARS": "layered"},
		}
		var asks []ask
		var cases []from
		for source, all := range sources {
			for i, c := range all {
				cases = append(cases, from{c, source})
				for n, env := range ways {
					if i%4 > 0 && n >= 3 { // a process each: the same code in another form
						break
					}
					asks = append(asks, ask{strings.Fields(source), c.pattern, env, map[string]bool{}, source})
				}
			}
		}
		// What is not limited, or where the names of all groups matter.
		never := len(asks)
		for _, more := range []map[string]bool{{"flush_cache": true}, {"host": true}} {
			asks = append(asks, ask{[]string{alone}, "web1", ways[1], more, alone})
		}
		input, err := json.Marshal(asks)
		if err != nil {
			t.Fatal(err)
		}
		asked, output := h.write(t, "asked.json", string(input)), filepath.Join(h.dir, "answers.json")
		h.runWith(t, nil, "/bin/sh", "-c", `exec "$0" "$1" "$2" < "$3"`, filepath.Join(h.bin, "python3"), script, output, asked)
		written, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		var answers []limitAnswer
		if err := json.Unmarshal(written, &answers); err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, c := range cases {
			var off limitAnswer
			for ; at < never; at++ {
				a, env := answers[at], asks[at].Env
				if asks[at].Pattern != c.pattern || asks[at].from != c.from {
					break
				}
				if env["CRATON_INVENTORY_LIMIT"] == "off" {
					off = a
					continue
				}
				if diff := cmp.Diff(off.Hosts, a.Hosts); diff != "" {
					t.Errorf("%q %q %v (-off):\n%s", asks[at].Sources, c.pattern, env, diff)
				}
				listed := c.listed
				if listed == 0 || env["CRATON_INVENTORY_LIMIT"] == "auto" {
					listed = off.Listed
				}
				if asks[at].Sources[0] == first && listed == 1 {
					listed = a.Listed // with those of the other file
				}
				if a.Listed != max(listed, 0) {
					t.Errorf("%q %q %v: %d hosts are listed, want %d: %q", asks[at].Sources, c.pattern, env, a.Listed, listed, a.Said)
				}
				if says := strings.Join(a.Said, "\n"); env["CRATON_INVENTORY_LIMIT"] == "only" && (!strings.Contains(says, c.says) || c.says == "" && says != "") {
					t.Errorf("%q %q %v: says %q, want %q", asks[at].Sources, c.pattern, env, says, c.says)
				}
			}
		}
		for _, a := range answers[never:] {
			if a.Listed != 9 || len(a.Said) != 1 {
				t.Errorf("%d hosts are listed: %q", a.Listed, a.Said)
			}
		}
		if _, err := os.Stat(filepath.Join(h.dir, "pwned")); err == nil {
			t.Error("a pattern was executed, or taken for an option")
		}
	})
}

// TestLimitInPlays: the commands of Ansible give the plugin what they are told, a play reads the inventory again with
// the same limit, and what is not selected is not there with only, and as ever with auto.
func TestLimitInPlays(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.lazyHome(t)
		play := h.write(t, "lazy/play/refreshed.yml", `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: "{{ inventory_hostname }} {{ number }} {{ group_names | to_json }}"}
    - ansible.builtin.meta: refresh_inventory
    - ansible.builtin.debug: {msg: "{{ inventory_hostname }} {{ number }} {{ shared | to_json }}"}
- hosts: label_web
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: "{{ inventory_hostname }} {{ ansible_play_hosts | to_json }}"}
    - ansible.builtin.debug: {msg: "seen others {{ [groups.all | sort, hostvars.db2.number | default('none'), 'db1' in hostvars] | to_json }}"}
      run_once: true
`)
		lines := func(out string) []string {
			lines := slices.DeleteFunc(strings.Split(out, "\n"), func(line string) bool {
				return !strings.Contains(line, `"msg":`) || strings.Contains(line, "seen others")
			})
			slices.Sort(lines)
			return lines
		}
		var want []string
		for _, limit := range []string{"off", "auto", "only"} {
			file := h.write(t, "lazy/alone/"+limit+".craton.yml", "plugin: craton.fleet.craton\nlimit: "+limit+"\nvars: merged\n") // off has no quotes
			out := h.runWith(t, nil, "ansible-playbook", "-i", file, "-l", "label_odd:web2:&web*", play)
			if limit == "off" {
				want = lines(out)
			} else if diff := cmp.Diff(want, lines(out)); diff != "" || len(want) != 9 {
				t.Errorf("%s (-off):\n%s", limit, diff)
			}
			var others, expected []any
			seen(t, out, "others", &others)
			if limit == "only" {
				expected = []any{[]any{"web1", "web2", "web3"}, "none", false}
			} else {
				expected = []any{[]any{"db1", "db2", "edge.example.net", "loose", "web1", "web10", "web2", "web3"}, 22.0, true}
			}
			if diff := cmp.Diff(expected, others); diff != "" {
				t.Errorf("%s, others:\n%s", limit, diff)
			}
		}
		file := "lazy/alone/only.craton.yml"
		if out := h.runWith(t, nil, "ansible", "-i", file, "-l", "db1", "all", "-m", "ansible.builtin.debug", "-a", "msg={{ groups.all }}"); !strings.Contains(oneLine(out), `"db1" ]`) {
			t.Errorf("ad hoc: %s", out)
		}
		if out := h.runWith(t, []string{"ANSIBLE_HOST_PATTERN_MISMATCH=error"}, "ansible", "-v", "-i", file, "-l", "db1", "label_db", "--list-hosts"); !strings.Contains(oneLine(out), "host_pattern_mismatch") {
			t.Errorf("nothing is said of host_pattern_mismatch: %s", out)
		}
		// Releases before 2.18 or so do not know --limit here.
		out, stderr, code := h.try(t, nil, "ansible-inventory", "-i", file, "--graph", "-l", "db1")
		if code != 0 && !strings.Contains(stderr, "unrecognized arguments") || code == 0 && (!strings.Contains(out, "--db1") || strings.Contains(out, "web")) {
			t.Errorf("ansible-inventory --limit: %d\n%s%s", code, out, stderr)
		}
		if h.newest && code != 0 {
			t.Error("the newest release does not know ansible-inventory --limit any more")
		}
	})
}
