package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// document is an inventory as Ansible reads it.
type document struct {
	hostvars map[string]map[string]any
	groups   map[string]readGroup
}

type readGroup struct {
	Children []string
	Hosts    []string
	Vars     map[string]any
}

// unsafeText is a string that Ansible does not execute.
type unsafeText string

// readDocument reads an inventory by the rules of ansible-core 2.19 and later, which are the stricter (contract A3):
// it fails where Ansible would refuse or misread it.
func readDocument(text string) (*document, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(text, "}\n") {
		return nil, fmt.Errorf("no newline at the end")
	}
	d := &document{hostvars: map[string]map[string]any{}, groups: map[string]readGroup{}}
	listed := map[string]bool{}
	for name, raw := range top {
		value, err := readMarked(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		body, ok := value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is no object", name)
		}
		if name == "_meta" {
			hostvars, ok := body["hostvars"].(map[string]any)
			if !ok || len(body) != 1 {
				return nil, fmt.Errorf("_meta is %v", body)
			}
			for h, v := range hostvars {
				if d.hostvars[h], ok = v.(map[string]any); !ok {
					return nil, fmt.Errorf("hostvars of %s are %T", h, v)
				}
			}
			continue
		}
		if len(body) == 0 {
			return nil, fmt.Errorf("group %s is empty: Ansible takes it for a host", name)
		}
		g := readGroup{}
		for k, v := range body {
			switch k {
			case "hosts":
				g.Hosts, err = names(v)
			case "children":
				g.Children, err = names(v)
			case "vars":
				if g.Vars, ok = v.(map[string]any); !ok {
					err = fmt.Errorf("vars are %T", v)
				}
			default:
				err = fmt.Errorf("unknown member %s", k)
			}
			if err != nil {
				return nil, fmt.Errorf("group %s: %w", name, err)
			}
		}
		for _, r := range name {
			if !alphanumeric(r) && r != '_' {
				return nil, fmt.Errorf("group name %q", name)
			}
		}
		for _, h := range g.Hosts {
			listed[h] = true
		}
		d.groups[name] = g
	}
	for h := range d.hostvars {
		if !listed[h] {
			return nil, fmt.Errorf("host %q is in no group: Ansible drops it", h)
		}
	}
	if len(listed) != len(d.hostvars) {
		return nil, fmt.Errorf("%d hosts in groups, %d in hostvars", len(listed), len(d.hostvars))
	}
	for name, g := range d.groups {
		for _, c := range g.Children {
			if _, ok := d.groups[c]; !ok {
				return nil, fmt.Errorf("group %s has a child %s that is not there", name, c)
			}
		}
		if _, ok := d.hostvars[name]; ok {
			return nil, fmt.Errorf("%s is a host and a group", name)
		}
	}
	return d, nil
}

func names(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("a list is %T", v)
	}
	var all []string
	for _, n := range list {
		s, ok := n.(string)
		if !ok {
			return nil, fmt.Errorf("a name is %T", n)
		}
		all = append(all, s)
	}
	if !slices.IsSorted(all) {
		return nil, fmt.Errorf("not sorted: %v", all)
	}
	return all, nil
}

// readMarked decodes JSON and Ansible's marks. Numbers keep their text.
func readMarked(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return unmark(v)
}

func unmark(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		for k, one := range v {
			if !isMark(k) {
				continue
			}
			s, isString := one.(string)
			if k != markUnsafe || !isString || len(v) != 1 {
				return nil, fmt.Errorf("the mark %s: %v", k, v)
			}
			return unsafeText(s), nil
		}
		for k, one := range v {
			var err error
			if v[k], err = unmark(one); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, one := range v {
			var err error
			if v[i], err = unmark(one); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// variables merges what Ansible gives each host: groups by depth and then by name, the later over the earlier, whole
// key by key; hostvars over all (contract A5). ansible_group_priority in a group is consumed, and would change the
// order.
func (d *document) variables() (map[string]map[string]any, error) {
	parents := map[string][]string{}
	for name, g := range d.groups {
		for _, c := range g.Children {
			parents[c] = append(parents[c], name)
		}
		if _, has := g.Vars[groupPriority]; has {
			return nil, fmt.Errorf("group %s has %s", name, groupPriority)
		}
	}
	var depth func(name string) int
	depth = func(name string) int {
		if name == "all" {
			return 0
		}
		deepest := 0
		for _, p := range parents[name] {
			deepest = max(deepest, depth(p))
		}
		return deepest + 1
	}
	var ancestors func(name string, into map[string]bool)
	ancestors = func(name string, into map[string]bool) {
		into[name] = true
		for _, p := range parents[name] {
			ancestors(p, into)
		}
	}
	member := map[string]map[string]bool{}
	for h := range d.hostvars {
		member[h] = map[string]bool{"all": true}
	}
	for name, g := range d.groups {
		for _, h := range g.Hosts {
			ancestors(name, member[h])
		}
	}
	all := map[string]map[string]any{}
	for h, own := range d.hostvars {
		in := slices.SortedFunc(maps.Keys(member[h]), func(a, b string) int {
			if c := depth(a) - depth(b); c != 0 {
				return c
			}
			return strings.Compare(a, b)
		})
		merged := map[string]any{}
		for _, g := range in {
			maps.Copy(merged, d.groups[g].Vars)
		}
		maps.Copy(merged, own)
		all[h] = merged
	}
	return all, nil
}

// membership is each group's hosts and children, variables aside.
func (d *document) membership() map[string]readGroup {
	m := map[string]readGroup{}
	for name, g := range d.groups {
		if name == "all" && len(g.Hosts)+len(g.Children) == 0 {
			continue // only carries variables
		}
		m[name] = readGroup{Children: g.Children, Hosts: g.Hosts}
	}
	return m
}

// trusted are the strings of a value that Ansible would execute.
func trusted(v any) []string {
	var found []string
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{") || strings.Contains(v, "{%") || strings.Contains(v, "{#") || strings.HasPrefix(v, "#jinja2:") {
			found = append(found, v)
		}
	case map[string]any:
		for _, one := range v {
			found = append(found, trusted(one)...)
		}
	case []any:
		for _, one := range v {
			found = append(found, trusted(one)...)
		}
	}
	return found
}

// plain is a value with the unsafe marks of its strings taken off.
func plain(v any) any {
	switch v := v.(type) {
	case unsafeText:
		return string(v)
	case map[string]any:
		m := map[string]any{}
		for k, one := range v {
			m[k] = plain(one)
		}
		return m
	case []any:
		l := []any{}
		for _, one := range v {
			l = append(l, plain(one))
		}
		return l
	}
	return v
}

// TestModel makes sure that the model refuses what Ansible refuses: a test that cannot fail proves nothing.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`[]` + "\n", `{}`, `{"_meta":{"hostvars":null}}` + "\n", `{"_meta":{}}` + "\n",
		`{"_meta":{"hostvars":{}},"g":{}}` + "\n", `{"_meta":{"hostvars":{}},"g":{"hosts":null}}` + "\n",
		`{"_meta":{"hostvars":{"h":{}}}}` + "\n", `{"_meta":{"hostvars":{}},"g-1":{"hosts":[]}}` + "\n",
		`{"_meta":{"hostvars":{}},"g":{"hosts":[],"vars":{"a":{"__ansible_vault":"x"}}}}` + "\n",
		`{"_meta":{"hostvars":{}},"g":{"children":["h"]}}` + "\n",
	} {
		if _, err := readDocument(bad); err == nil {
			t.Errorf("the model takes %s", bad)
		}
	}
	d, err := readDocument(`{"_meta":{"hostvars":{"h":{"a":{"__ansible_unsafe":"{{"}}}},"b":{"children":["c"],"vars":{"x":1,"y":1}},"c":{"hosts":["h"],"vars":{"x":2}},"z":{"hosts":["h"],"vars":{"x":3,"y":3}}}` + "\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.variables()
	want := map[string]map[string]any{"h": {"a": unsafeText("{{"), "x": json.Number("2"), "y": json.Number("3")}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
