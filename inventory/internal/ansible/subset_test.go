package ansible_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// named are hosts without variables.
type named []string

func (n named) Len() int                                 { return len(n) }
func (n named) Name(i int) string                        { return n[i] }
func (n named) AppendVariables(dst []byte, _ int) []byte { return dst }

// hosts and groups for patterns to select from: with names that are like one another, and a host in no group.
func toSelectFrom(t *testing.T) (named, []*ansible.Group) {
	t.Helper()
	hosts := named{"0db:22", "alone", "db", "db1", "fd00::2", "tor1", "web.b", "web.example.net", "web1", "web10", "web1:22", "web2", "ü1"}
	g := ansible.NewGrouper(ansible.Readable)
	groups := map[string]*ansible.Group{}
	for _, name := range []string{"craton", "cloud_east", "region_east_dfw", "cell_east_dfw_c1", "label_web", "label_db", "type_server", "db_all", "empty"} {
		groups[name] = &ansible.Group{Name: name, What: name}
		if err := g.Add(groups[name]); err != nil {
			t.Fatal(err)
		}
	}
	g.Nest(groups["craton"], groups["cloud_east"])
	g.Nest(groups["cloud_east"], groups["region_east_dfw"])
	g.Nest(groups["region_east_dfw"], groups["cell_east_dfw_c1"])
	groups["cell_east_dfw_c1"].Hosts = []int32{6, 7, 8, 9}
	groups["region_east_dfw"].Hosts = []int32{2, 3, 4, 5}
	groups["cloud_east"].Hosts = []int32{0, 10, 11, 12}
	groups["label_web"].Hosts = []int32{6, 7, 8, 9, 11}
	groups["label_db"].Hosts = []int32{2, 3}
	groups["type_server"].Hosts = []int32{2, 8, 12}
	groups["db_all"].Hosts = []int32{9}
	all, err := g.Groups(hosts, func(i int) string { return hosts[i] })
	if err != nil {
		t.Fatal(err)
	}
	return hosts, all
}

// selects asks Ansible which of hosts --limit selects, and how it divides the pattern.
const selects = `
import json, os, sys
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader
os.chdir(sys.argv[1])
asked = json.load(sys.stdin)
inventory = InventoryManager(loader=DataLoader(), sources=[], parse=False)
for name in asked['groups']:
    inventory.add_group(name)
for name, group in asked['groups'].items():
    for host in group['hosts']:
        inventory.add_host(host, name)
    for child in group['children']:
        inventory.groups[name].add_child_group(inventory.groups[child])
for name in asked['hosts']:
    inventory.add_host(name, 'all')
inventory.reconcile_inventory()
answers = []
for pattern in asked['patterns']:
    try:
        inventory.subset(pattern)
        selected = sorted(host.name for host in inventory.get_hosts('all') if not host.implicit)
    except Exception as err:
        selected = ['error: %s' % err]
    answers.append({'pattern': pattern, 'split': split_host_pattern(pattern), 'selected': selected})
json.dump(answers, sys.stdout)
`

// TestSubsetIsAnsibles: every release here selects what Select does, of patterns of every kind, or Select leaves it to
// Ansible.
func TestSubsetIsAnsibles(t *testing.T) {
	t.Parallel()
	bins := releases(t)
	hosts, groups := toSelectFrom(t)
	type group struct {
		Hosts    []string `json:"hosts"`
		Children []string `json:"children"`
	}
	all := map[string]group{}
	for _, g := range groups {
		one := group{Hosts: []string{}, Children: append([]string{}, g.Children...)}
		for _, i := range g.Hosts {
			one.Hosts = append(one.Hosts, hosts[i])
		}
		all[g.Name] = one
	}
	patterns := strangePatterns(hosts, groups)
	asked := map[string]any{"hosts": hosts, "groups": all, "patterns": patterns}
	decided := 0
	for _, bin := range bins {
		var answers []struct {
			Pattern         string
			Split, Selected []string
		}
		ask(t, bin, selects, asked, &answers)
		for _, a := range answers {
			s, err := ansible.ParseSubset(a.Pattern)
			if err != nil {
				continue
			}
			selected, err := s.Select(hosts, groups)
			if err != nil {
				continue
			}
			decided++
			got := []string{}
			for i, is := range selected {
				if is {
					got = append(got, hosts[i])
				}
			}
			if diff := cmp.Diff(a.Selected, got); diff != "" {
				t.Errorf("%s: --limit %q, divided %q (-Ansible +here):\n%s", bin, a.Pattern, a.Split, diff)
			}
		}
	}
	t.Logf("%d patterns, of which %d are decided", len(patterns), decided/len(bins))
	if decided/len(bins) < len(patterns)/4 {
		t.Error("too few patterns are decided for this test to say much")
	}
}

// strangePatterns returns thousands of different patterns, the same each time.
func strangePatterns(hosts named, groups []*ansible.Group) []string {
	r := rand.New(rand.NewPCG(3, 4))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	names := append(slices.Clone(hosts), "all", "ungrouped", "localhost", "nobody", "fd00::", "web", "WEB1")
	for _, g := range groups {
		names = append(names, g.Name)
	}
	patterns := map[string]bool{"web1:22": true, "web1:web2": true, "fd00::2": true, "fd00::2:web1": true, "!web1": true, "&label_db": true, "0:0:0:0:0:0:1.2.3.4x": true}
	for range 4000 {
		var words []string
		for range 1 + r.IntN(4) {
			word := pick(names...)
			for range r.IntN(8) / 3 {
				at := r.IntN(len(word) + 1)
				if r.IntN(3) == 0 {
					word = word[:at] + pick("*", "*", "*", "*", "*", "*", "*", "?", ".", "[ab]", "[0]", " ", "\\", "(", "$") + word[at:]
				} else if at < len(word) && word[at] < 0x80 {
					word = word[:at] + pick("*", "?") + word[at+1:]
				}
			}
			if r.IntN(4) == 0 {
				word = pick("web*", "db*", "*1", "*")
			}
			words = append(words, pick(slices.Concat(slices.Repeat([]string{""}, 12), slices.Repeat([]string{"&", "!"}, 6), []string{"~", "@", "!!"})...)+word)
		}
		patterns[strings.ToValidUTF8(strings.Join(words, pick(",", ",", ":", ":", ", ", " , ", ",,", "::")), "x")+pick("", "", "", "", ",", ":", " ")] = true
	}
	all := make([]string, 0, len(patterns))
	for p := range patterns {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// TestParseSubset: what is left to Ansible, and why.
func TestParseSubset(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"web1":                      "",
		"web1, web2 ,!db*,&label_a": "",
		"web1:web2:!db":             "",
		"web1:22":                   "",
		"fd00::2":                   "",
		"a/b/c":                     "",
		"":                          "it is empty",
		",":                         "it is empty",
		"~web":                      `"~web" is a regular expression`,
		"web1,!~web":                `"!~web" is a regular expression`,
		"@web.retry":                `"@web.retry" is a file`,
		"web[0]":                    `"web[0]" has brackets`,
		"web[0:3]":                  `"web[0" has brackets`,
		"web[ab]*":                  `"web[ab]*" has brackets`,
		"web1 web2":                 `"web1 web2" contains a space`,
		"web1,!":                    `"!" has no name`,
		"!&web1":                    `"!&web1" is not the name of a host`,
		"fd00::2:web1":              "it may be an address, or a list separated by colons",
		"ü:web1":                    "it may be an address, or a list separated by colons",
		"web1\x00":                  "it has a control character",
		"web1\n":                    "it has a control character",
		"web\xff":                   "it is not UTF-8",
	} {
		got := ""
		if _, err := ansible.ParseSubset(text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.100q: %.100q, want %.100q", text, got, want)
		}
	}
}

// TestGroupWord: a word is told from the name of a group only if there is no other that makes it.
func TestGroupWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form ansible.GroupNames
		name string
		want string
		ok   bool
	}{
		{ansible.Readable, "label_web", "web", true}, {ansible.Readable, "label_on_call", "", false}, {ansible.Readable, "label_", "", false},
		{ansible.Readable, "type_web", "", false}, {ansible.Readable, "label_wéb", "", false},
		{ansible.Exact, "label_web", "web", true}, {ansible.Exact, "label_on_2dcall", "on-call", true}, {ansible.Exact, "label_a_5fb", "a_b", true},
		{ansible.Exact, "label_on_call", "", false}, {ansible.Exact, "label_on_2Dcall", "", false}, {ansible.Exact, "label__61", "", false},
		{ansible.Exact, "label_w_c3_a9b", "wéb", true}, {ansible.Exact, "label_w_c3", "", false}, {ansible.Exact, "label__", "", false},
	} {
		got, ok := ansible.GroupWord(c.form, "label", c.name)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s %s: %q, %t", c.form, c.name, got, ok)
		}
	}
}
