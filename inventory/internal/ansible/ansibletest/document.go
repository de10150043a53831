package ansibletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Document is an inventory as Ansible reads it.
type Document struct {
	Hostvars map[string]map[string]any
	Groups   map[string]Group
}

// Group is a group of a Document.
type Group struct {
	Children []string
	Hosts    []string
	Vars     map[string]any
}

// UnsafeText is a string that Ansible does not execute.
type UnsafeText string

// ObjectText is the text of an object's JSON, which Ansible does not execute either.
type ObjectText map[string]any

// Read reads an inventory by the rules of ansible-core 2.19 and later, which are the stricter (contract A3):
// it fails where Ansible would refuse or misread it.
func Read(text string) (*Document, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(text, "}\n") {
		return nil, fmt.Errorf("no newline at the end")
	}
	d := &Document{Hostvars: map[string]map[string]any{}, Groups: map[string]Group{}}
	listed := map[string]bool{}
	for name, raw := range top {
		value, err := ReadMarked(raw)
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
				if d.Hostvars[h], ok = v.(map[string]any); !ok {
					return nil, fmt.Errorf("hostvars of %s are %T", h, v)
				}
			}
			continue
		}
		if len(body) == 0 {
			return nil, fmt.Errorf("group %s is empty: Ansible takes it for a host", name)
		}
		g := Group{}
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
		if strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !ansible.IsIdentifier("_"+string(r)) }) {
			return nil, fmt.Errorf("group name %q", name)
		}
		for _, h := range g.Hosts {
			listed[h] = true
		}
		d.Groups[name] = g
	}
	for h := range d.Hostvars {
		if !listed[h] {
			return nil, fmt.Errorf("host %q is in no group: Ansible drops it", h)
		}
	}
	if len(listed) != len(d.Hostvars) {
		return nil, fmt.Errorf("%d hosts in groups, %d in hostvars", len(listed), len(d.Hostvars))
	}
	for name, g := range d.Groups {
		for _, c := range g.Children {
			if _, ok := d.Groups[c]; !ok {
				return nil, fmt.Errorf("group %s has a child %s that is not there", name, c)
			}
		}
		if _, ok := d.Hostvars[name]; ok {
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

// ReadMarked decodes JSON and Ansible's marks. Numbers keep their text.
func ReadMarked(raw []byte) (any, error) {
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
			if !ansible.IsMark(k) {
				continue
			}
			s, isString := one.(string)
			if k != ansible.MarkUnsafe || !isString || len(v) != 1 {
				return nil, fmt.Errorf("the mark %s: %v", k, v)
			}
			return objectOr(s), nil
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

// objectOr returns the object that a text encodes, in the form in which inventories write it, or else the text.
func objectOr(s string) any {
	if !strings.HasPrefix(s, " {") || executes(s) {
		return UnsafeText(s)
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var object ObjectText
	if dec.Decode(&object) != nil {
		return UnsafeText(s)
	}
	return object
}

// Neutralised returns the value that Ansible should read for an untrusted value: strings that contain a brace or choose
// delimiters are marked, and objects with such keys, or with keys that Ansible reads as marks, become their JSON text.
func Neutralised(v any) any {
	switch v := v.(type) {
	case string:
		if joins(v) {
			return UnsafeText(v)
		}
	case map[string]any:
		if s, ok := v[ansible.MarkUnsafe].(string); ok && len(v) == 1 {
			return objectOr(s)
		}
		for k := range v {
			if joins(k) || ansible.IsMark(k) {
				return ObjectText(v)
			}
		}
		m := map[string]any{}
		for k, one := range v {
			m[k] = Neutralised(one)
		}
		return m
	case []any:
		l := []any{}
		for _, one := range v {
			l = append(l, Neutralised(one))
		}
		return l
	}
	return v
}

// executes reports whether Ansible executes a string.
func executes(s string) bool {
	return strings.Contains(s, "{{") || strings.Contains(s, "{%") || strings.Contains(s, "{#") || strings.HasPrefix(s, "#jinja2:")
}

// joins reports whether a play could make a template from a string, alone or joined with others.
func joins(s string) bool { return joined.MatchString(s) }

var joined = regexp.MustCompile(`(?is)\{|#jinja2|#.*j.*i.*n.*j.*a.*2.*:.*_.*:|^[\s\v\x{85}\pZ]*jinja2:|#(j|ji|jin|jinj|jinja)?[\s\v\x{85}\pZ]*$`)

// Failer has the methods that testing.TB and *rapid.T share.
type Failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// MustRead is like Read, but also returns the hosts' variables, and fails the test if Ansible would reject the text.
func MustRead(t Failer, text string) (*Document, map[string]map[string]any) {
	t.Helper()
	d, err := Read(text)
	if err != nil {
		t.Fatalf("Ansible would not take it: %v\n%s", err, text)
	}
	v, err := d.Variables()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return d, v
}

// Variables returns the variables that Ansible gives each host: those of its groups, ordered by depth and then by name,
// where the last group wins for each key, and its hostvars, which override all groups (contract A5). A group with
// ansible_group_priority is an error, because Ansible removes that variable and changes the order.
func (d *Document) Variables() (map[string]map[string]any, error) {
	parents := map[string][]string{}
	for name, g := range d.Groups {
		for _, c := range g.Children {
			parents[c] = append(parents[c], name)
		}
		if _, has := g.Vars[ansible.GroupPriority]; has {
			return nil, fmt.Errorf("group %s has %s", name, ansible.GroupPriority)
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
	for h := range d.Hostvars {
		member[h] = map[string]bool{"all": true}
	}
	for name, g := range d.Groups {
		for _, h := range g.Hosts {
			ancestors(name, member[h])
		}
	}
	all := map[string]map[string]any{}
	for h, own := range d.Hostvars {
		in := slices.SortedFunc(maps.Keys(member[h]), func(a, b string) int {
			if c := depth(a) - depth(b); c != 0 {
				return c
			}
			return strings.Compare(a, b)
		})
		merged := map[string]any{}
		for _, g := range in {
			maps.Copy(merged, d.Groups[g].Vars)
		}
		maps.Copy(merged, own)
		all[h] = merged
	}
	return all, nil
}

// Membership returns each group's hosts and children, variables aside.
func (d *Document) Membership() map[string]Group {
	m := map[string]Group{}
	for name, g := range d.Groups {
		if name == "all" && len(g.Hosts)+len(g.Children) == 0 {
			continue // has only variables
		}
		m[name] = Group{Children: g.Children, Hosts: g.Hosts}
	}
	return m
}

// Trusted returns the strings and keys of a value that Ansible would execute, or that a play could turn into such
// strings.
func Trusted(v any) []string {
	var found []string
	switch v := v.(type) {
	case string:
		if joins(v) {
			found = append(found, v)
		}
	case map[string]any:
		for k, one := range v {
			found = append(append(found, Trusted(k)...), Trusted(one)...)
		}
	case []any:
		for _, one := range v {
			found = append(found, Trusted(one)...)
		}
	}
	return found
}

// Plain returns a value without the unsafe marks on its strings.
func Plain(v any) any {
	switch v := v.(type) {
	case UnsafeText:
		return string(v)
	case map[string]any:
		m := map[string]any{}
		for k, one := range v {
			m[k] = Plain(one)
		}
		return m
	case []any:
		l := []any{}
		for _, one := range v {
			l = append(l, Plain(one))
		}
		return l
	}
	return v
}

// Stripped returns the variables of hosts without unsafe marks.
func Stripped(all map[string]map[string]any) map[string]map[string]any {
	m := map[string]map[string]any{}
	for h, v := range all {
		m[h] = Plain(v).(map[string]any)
	}
	return m
}
