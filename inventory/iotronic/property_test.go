package iotronic

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
	api "github.com/craton-fleet/craton/iotronic"
)

// drawObjects draws nodes or boards: names that clash or are missing, words that are the same but for what groups
// allow, and data that look like templates and marks.
func drawObjects(t *rapid.T, dialect api.Dialect) []object {
	word := rapid.SampledFrom([]any{nil, "", "a", "a b", "a-b", "power on", "{{ x }}", "ünï"})
	truth := rapid.SampledFrom([]any{nil, true, false})
	value := rapid.Custom(func(t *rapid.T) any { return ansibletest.DrawJSON(t, 2) })
	var objects []object
	for n := range rapid.IntRange(0, 6).Draw(t, "machines") {
		o := object{
			"uuid":  fmt.Sprintf("%08x-0000-4000-8000-%012x", rapid.SampledFrom([]int{n, 7}).Draw(t, "begin"), n),
			"name":  rapid.SampledFrom([]any{nil, "", "web", "db", fmt.Sprintf("host-%d", n)}).Draw(t, "name"),
			"links": []any{object{"href": "http://x", "rel": "self"}},
			"owner": word.Draw(t, "owner"),
			"extra": rapid.MapOf(rapid.SampledFrom([]string{"rack", "a-b", "ansible_user", "not", "mac"}), value).Draw(t, "extra"),
			"more":  value.Draw(t, "more"),
		}
		if dialect == api.DialectIronic {
			o["driver"], o["power_state"], o["provision_state"] = word.Draw(t, "driver"), word.Draw(t, "power"), word.Draw(t, "provision")
			o["resource_class"], o["conductor_group"] = word.Draw(t, "class"), word.Draw(t, "group")
			o["traits"], o["maintenance"] = rapid.SliceOfDistinct(word, func(v any) string { return fmt.Sprint(v) }).Draw(t, "traits"), truth.Draw(t, "maintenance")
			o["ports"] = []any{object{"href": "http://x/ports", "rel": "self"}, object{"href": "http://y"}}
		} else {
			o["status"], o["type"], o["project"] = word.Draw(t, "status"), word.Draw(t, "type"), word.Draw(t, "project")
			o["mobile"], o["fleet"] = truth.Draw(t, "mobile"), rapid.SampledFrom([]any{nil, "f1", "f2"}).Draw(t, "fleet")
		}
		objects = append(objects, o)
	}
	return objects
}

var fleets = map[string]string{"f1": "roofs", "f2": "{{ cellars }}"}

// expectedGroups are the groups by the words of docs/iotronic.md, made without the package's help: raw names, prefix
// first.
func expectedGroups(objects []object, name func(object) string) map[string][]string {
	groups := map[string][]string{}
	put := func(o object, prefix string, v any) {
		if s, ok := v.(string); ok && s != "" {
			groups[prefix+"\x00"+s] = append(groups[prefix+"\x00"+s], name(o))
		}
	}
	for _, o := range objects {
		for prefix, field := range map[string]string{"driver": "driver", "provision": "provision_state", "resource_class": "resource_class",
			"conductor_group": "conductor_group", "owner": "owner", "status": "status", "type": "type", "project": "project"} {
			put(o, prefix, o[field])
		}
		if s, ok := o["power_state"].(string); ok {
			put(o, "power", strings.TrimPrefix(s, "power "))
		}
		if id, ok := o["fleet"].(string); ok {
			put(o, "fleet", fleets[id])
		}
		traits, _ := o["traits"].([]any)
		for _, trait := range traits {
			put(o, "trait", trait)
		}
		for _, flag := range []string{"maintenance", "mobile"} {
			if o[flag] == true {
				groups[flag] = append(groups[flag], name(o))
			}
		}
	}
	for _, hosts := range groups {
		slices.Sort(hosts)
	}
	return groups
}

// rawName reads an exact group name back, as prefix and word.
func rawName(t *rapid.T, group string, prefixes []string) string {
	for _, p := range prefixes {
		rest, ok := strings.CutPrefix(group, p+"_")
		if !ok {
			continue
		}
		var b []byte
		for i := 0; i < len(rest); i++ {
			if rest[i] != '_' {
				b = append(b, rest[i])
				continue
			}
			var c byte
			if _, err := fmt.Sscanf(rest[i+1:i+3], "%02x", &c); err != nil {
				t.Fatalf("%s: %v", group, err)
			}
			b, i = append(b, c), i+2
		}
		return p + "\x00" + string(b)
	}
	return group
}

// TestBuild: whatever an API says, Ansible takes the document, executes nothing of it, has all fields of every machine,
// and the groups that the guide promises; and the order in which the API lists makes no difference.
func TestBuild(t *testing.T) {
	t.Parallel()
	prefixes := []string{"resource_class", "conductor_group", "driver", "power", "provision", "owner", "trait", "status", "type", "fleet", "project"}
	rapid.Check(t, func(t *rapid.T) {
		dialect := rapid.SampledFrom([]api.Dialect{api.DialectIronic, api.DialectBoards}).Draw(t, "dialect")
		objects := drawObjects(t, dialect)
		o := DefaultOptions()
		o.GroupNames, o.Hostname = Exact, rapid.SampledFrom([]Hostname{ByUUID, Unique}).Draw(t, "hostname")
		o.ExtraVariables = rapid.SampledFrom([][]string{nil, {"*"}, {"ansible_*", "r*"}}).Draw(t, "lifted")
		name := func(x object) string {
			if s, _ := x["name"].(string); s != "" && o.Hostname == Unique {
				return s + "_" + x["uuid"].(string)[:8]
			}
			return x["uuid"].(string)
		}
		l := listingOf(t, dialect, objects...)
		l.Fleets = fleets
		doc, err := Build(l, o)
		names := map[string]bool{}
		for _, x := range objects {
			names[name(x)] = true
		}
		if len(names) < len(objects) {
			if err == nil || !strings.Contains(err.Error(), "two hosts are called") {
				t.Fatalf("%d names for %d machines: %v", len(names), len(objects), err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		text := ansibletest.Text(t, doc, false)
		read, got := ansibletest.MustRead(t, text)
		for h, v := range got {
			if bad := ansibletest.Trusted(v); len(bad) > 0 {
				t.Fatalf("%s: Ansible would execute %q", h, bad)
			}
		}
		if diff := cmp.Diff(expectedVariables(t, dialect, objects, o, name), got); diff != "" {
			t.Fatalf("variables (-want +got):\n%s", diff)
		}
		groups := map[string][]string{}
		for g, is := range read.Groups {
			if len(is.Vars) > 0 || (len(is.Children) > 0) != (g == "all") {
				t.Fatalf("group %s has %v and %v", g, is.Vars, is.Children)
			}
			if g != "ungrouped" && g != "all" {
				groups[rawName(t, g, prefixes)] = is.Hosts
			}
		}
		if diff := cmp.Diff(expectedGroups(objects, name), groups); diff != "" {
			t.Fatalf("groups (-want +got):\n%s", diff)
		}
		slices.Reverse(objects)
		again := listingOf(t, dialect, objects...)
		again.Fleets = fleets
		if other := render(t, again, o, false); other != text {
			t.Fatalf("another order gives another document:\n%s\n%s", text, other)
		}
		for h := range got {
			i, _ := slices.BinarySearch(hostNames(t, l, o), h)
			v, err := ansibletest.ReadMarked(doc.Host(i))
			if diff := cmp.Diff(got[h], v.(map[string]any)); err != nil || diff != "" {
				t.Fatalf("%s alone: %v\n%s", h, err, diff)
			}
		}
	})
}

// expectedVariables are the hosts' variables: the fields without links, and what is taken of extra.
func expectedVariables(t *rapid.T, dialect api.Dialect, objects []object, o Options, name func(object) string) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, x := range objects {
		facts := maps.Clone(x)
		delete(facts, "links")
		delete(facts, "ports")
		if dialect == api.DialectBoards {
			facts["fleet_name"] = nil
			if id, ok := x["fleet"].(string); ok {
				facts["fleet_name"] = fleets[id]
			}
		}
		// more may be a list of links by chance, but no drawn object has an href.
		vars := map[string]any{o.Facts: facts}
		for key, v := range x["extra"].(map[string]any) {
			switch key {
			case "rack":
				if o.ExtraVariables != nil {
					vars[key] = v
				}
			case "mac":
				if slices.Equal(o.ExtraVariables, []string{"*"}) {
					vars[key] = v
				}
			case "ansible_user":
				if slices.Contains(o.ExtraVariables, "ansible_*") {
					vars[key] = v
				}
			}
		}
		all[name(x)] = ansibletest.Neutralised(numbered(vars)).(map[string]any)
	}
	return all
}

// numbered is a value with its numbers as a decoder leaves them.
func numbered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, one := range v {
			m[key] = numbered(one)
		}
		return m
	case []any:
		l := []any{}
		for _, one := range v {
			l = append(l, numbered(one))
		}
		return l
	case int64:
		return json.Number(fmt.Sprint(v))
	}
	return v
}
