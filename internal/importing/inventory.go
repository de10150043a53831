package importing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// The groups that Ansible always has.
const (
	groupAll       = "all"
	groupUngrouped = "ungrouped"
)

// groupPriority is shown among the variables of a group, but is not one.
const groupPriority = "ansible_group_priority"

// Inventory is what Ansible makes of its sources.
type Inventory struct {
	Hosts    []string          // sorted
	Groups   map[string]*Group // including all and ungrouped
	Resolved map[string]Vars   // by host: the variables that it gets
	Own      map[string]Vars   // by host: its own, including host_vars
	// Encrypted are the files with encrypted variables.
	Encrypted []EncryptedFile
	// Lines are the lines of a table, by host.
	Lines map[string]int
	// Typed is set if there may be dates, and keys that are not texts, which JSON does not distinguish.
	Typed bool

	values *valueReader
	member map[string][]*Group // by host: its groups except all, in the order of precedence, the winning one last
	ranked []*Group            // all groups, in the order of precedence, the winning one last
}

// Group is a group of an inventory.
type Group struct {
	Name     string
	Hosts    []string // hosts directly in it
	Children []string
	Vars     Vars // its own, including group_vars
	Priority int

	title   string // the name of the place or label that is made from it; "" is its own name
	depth   int
	members []string // all hosts, including those of its children, sorted
}

// EncryptedFile is a file with encrypted variables: encrypted completely by ansible-vault, or value by value by SOPS.
type EncryptedFile struct {
	Path  string // where it is
	Group string // the owner of the variables
	Host  string
	Keys  []string // the names of the encrypted variables
	Text  []byte   // the contents, encrypted
	SOPS  string   // the ending by which the SOPS vars plugin recognises it; "" for a vault
}

// document is the output of ansible-inventory --list.
type document struct {
	hostvars map[string]map[string]json.RawMessage
	groups   map[string]*documentGroup
}

type documentGroup struct {
	Hosts    []string                   `json:"hosts"`
	Children []string                   `json:"children"`
	Vars     map[string]json.RawMessage `json:"vars"`
}

// parseDocument parses the output of ansible-inventory --list.
func parseDocument(text []byte) (*document, error) {
	d := &document{hostvars: map[string]map[string]json.RawMessage{}, groups: map[string]*documentGroup{}}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(finite(text), &top); err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	for name, raw := range top {
		if name == "_meta" {
			var meta struct {
				Hostvars map[string]map[string]json.RawMessage `json:"hostvars"`
			}
			if err := json.Unmarshal(raw, &meta); err != nil {
				return nil, fmt.Errorf("_meta: %w", err)
			}
			if meta.Hostvars != nil {
				d.hostvars = meta.Hostvars
			}
			continue
		}
		g := &documentGroup{}
		if err := json.Unmarshal(raw, g); err != nil {
			return nil, fmt.Errorf("group %s: %w", name, err)
		}
		d.groups[name] = g
	}
	for _, g := range slices.Collect(maps.Values(d.groups)) { // empty ones only have a name
		for _, child := range g.Children {
			if d.groups[child] == nil {
				d.groups[child] = &documentGroup{}
			}
		}
	}
	return d, nil
}

// hosts returns all hosts in a group.
func (d *document) hosts() []string {
	all := map[string]bool{}
	for _, g := range d.groups {
		for _, h := range g.Hosts {
			all[h] = true
		}
	}
	for h := range d.hostvars {
		all[h] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// NewInventory returns an inventory from the output of ansible-inventory --list, and with --export. inert reports
// whether no part of a text can become a part of a template.
func NewInventory(list, export []byte, inert func(string) bool) (*Inventory, error) {
	return newInventory(list, export, inert, nil)
}

// newInventory calls types for the output of ansible-inventory --list --yaml, and with --export, if JSON does not show
// everything.
func newInventory(list, export []byte, inert func(string) bool, types func() (list, export []byte, err error)) (*Inventory, error) {
	resolved, err := parseDocument(list)
	if err != nil {
		return nil, fmt.Errorf("the output of ansible-inventory --list %w", err)
	}
	own, err := parseDocument(export)
	if err != nil {
		return nil, fmt.Errorf("the output of ansible-inventory --list --export %w", err)
	}
	v, err := inventoryOf(resolved, own, inert)
	if err != nil || types == nil || !v.values.odd {
		return v, err
	}
	list, export, err = types()
	if err == nil {
		err = resolved.typesOf(list, v.values)
	}
	if err == nil {
		err = own.typesOf(export, v.values)
	}
	if err != nil {
		return nil, err
	}
	v, err = inventoryOf(resolved, own, inert)
	if err == nil {
		v.Typed = true
	}
	return v, err
}

// inventoryOf combines the documents of an inventory.
func inventoryOf(resolved, own *document, inert func(string) bool) (_ *Inventory, err error) {
	v := &Inventory{
		Groups: map[string]*Group{}, Resolved: map[string]Vars{}, Own: map[string]Vars{},
		values: &valueReader{inert: inert, known: map[string]*Value{}},
	}
	v.Hosts = resolved.hosts()
	if !slices.Equal(v.Hosts, own.hosts()) {
		return nil, fmt.Errorf("the inventory changed while it was read: it had %d hosts, and then %d", len(v.Hosts), len(own.hosts()))
	}
	for _, h := range v.Hosts {
		if v.Resolved[h], err = v.vars(resolved.hostvars[h]); err != nil {
			return nil, fmt.Errorf("host %s: %w", h, err)
		}
		if v.Own[h], err = v.vars(own.hostvars[h]); err != nil {
			return nil, fmt.Errorf("host %s: %w", h, err)
		}
	}
	for name, g := range own.groups {
		vars, err := v.vars(g.Vars)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", name, err)
		}
		group := &Group{Name: name, Hosts: g.Hosts, Children: g.Children, Vars: vars, Priority: 1}
		if p := vars[groupPriority]; p != nil {
			if n, err := strconv.Atoi(p.JSON); err == nil {
				group.Priority = n
			}
			delete(vars, groupPriority)
		}
		v.Groups[name] = group
	}
	for _, name := range []string{groupAll, groupUngrouped} {
		if v.Groups[name] == nil {
			v.Groups[name] = &Group{Name: name, Vars: Vars{}, Priority: 1}
		}
	}
	v.order()
	return v, nil
}

func (v *Inventory) vars(raw map[string]json.RawMessage) (Vars, error) {
	vars := make(Vars, len(raw))
	for name, text := range raw {
		one, err := v.values.read(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		vars[name] = one
	}
	return vars, nil
}

// order determines the groups of each host, and the precedence of groups: by depth, priority and name, as in Ansible.
func (v *Inventory) order() {
	v.Groups[groupAll].depth = 0
	for range len(v.Groups) + 1 { // the longest path from all; Ansible refuses cycles
		changed := false
		for _, g := range v.Groups {
			for _, child := range g.Children {
				if c := v.Groups[child]; c.depth < g.depth+1 && g.depth < len(v.Groups) {
					c.depth, changed = g.depth+1, true
				}
			}
		}
		if !changed {
			break
		}
	}
	v.ranked = slices.Collect(maps.Values(v.Groups))
	slices.SortFunc(v.ranked, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
	v.member = map[string][]*Group{}
	for _, g := range v.sorted() {
		if g.Name == groupAll {
			g.members = v.Hosts
			continue
		}
		in := map[string]bool{}
		v.collect(g, in, map[string]bool{})
		g.members = slices.Sorted(maps.Keys(in))
		for _, h := range g.members {
			v.member[h] = append(v.member[h], g)
		}
	}
}

func (v *Inventory) collect(g *Group, in, seen map[string]bool) {
	if seen[g.Name] {
		return
	}
	seen[g.Name] = true
	for _, h := range g.Hosts {
		in[h] = true
	}
	for _, child := range g.Children {
		v.collect(v.Groups[child], in, seen)
	}
}

// sorted returns the groups in the order of precedence, the winning one last.
func (v *Inventory) sorted() []*Group { return v.ranked }

// has reports whether a host is in a group.
func (g *Group) has(host string) bool {
	_, found := slices.BinarySearch(g.members, host)
	return found
}
