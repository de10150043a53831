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

// groupPriority is shown among a group's variables, and is none.
const groupPriority = "ansible_group_priority"

// Inventory holds what Ansible makes of its sources.
type Inventory struct {
	Hosts    []string          // sorted
	Groups   map[string]*Group // all and ungrouped too
	Resolved map[string]Vars   // by host: every variable that it has in the end
	Own      map[string]Vars   // by host: those of its own, host_vars included
	// Encrypted are the files of variables that are encrypted.
	Encrypted []EncryptedFile
	// Lines are those of a table, by host.
	Lines map[string]int
	// Typed says that there may be keys that are no texts, and dates, which JSON does not tell.
	Typed bool

	values *valueReader
	member map[string][]*Group // by host: the groups that it is in, all left out, the last that counts last
	ranked []*Group            // all groups, the last that counts last
}

// Group is a group of an inventory.
type Group struct {
	Name     string
	Hosts    []string // those that stand in it
	Children []string
	Vars     Vars // its own, group_vars included
	Priority int

	title   string // what a place or label is called that is made of it; "" is its name
	depth   int
	members []string // hosts, those of its children too, sorted
}

// EncryptedFile is a file of variables that is encrypted: as a whole by ansible-vault, or value by value by SOPS.
type EncryptedFile struct {
	Path  string // where it is
	Group string // whose variables are in it
	Host  string
	Keys  []string // the variables that are encrypted
	Text  []byte   // as it is, encrypted
	SOPS  string   // the end of its name, by which the vars plugin of SOPS knows it; "" of a vault
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

// parseDocument reads what ansible-inventory --list prints.
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
	for _, g := range slices.Collect(maps.Values(d.groups)) { // those without anything are only named
		for _, child := range g.Children {
			if d.groups[child] == nil {
				d.groups[child] = &documentGroup{}
			}
		}
	}
	return d, nil
}

// hosts returns all that are in a group.
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

// NewInventory returns an inventory of what ansible-inventory --list prints, and with --export. inert reports whether
// nothing in a text can become a part of a template.
func NewInventory(list, export []byte, inert func(string) bool) (*Inventory, error) {
	return newInventory(list, export, inert, nil)
}

// newInventory asks types for what ansible-inventory --list --yaml prints, and with --export, where JSON does not show
// everything.
func newInventory(list, export []byte, inert func(string) bool, types func() (list, export []byte, err error)) (*Inventory, error) {
	resolved, err := parseDocument(list)
	if err != nil {
		return nil, fmt.Errorf("what ansible-inventory --list printed %w", err)
	}
	own, err := parseDocument(export)
	if err != nil {
		return nil, fmt.Errorf("what ansible-inventory --list --export printed %w", err)
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

// inventoryOf makes an inventory of its documents.
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

// order finds out who is in which group, and in which order groups count: by depth, priority and name, as in Ansible.
func (v *Inventory) order() {
	v.Groups[groupAll].depth = 0
	for range len(v.Groups) + 1 { // the longest way from all; a circle is Ansible's error
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

// sorted returns the groups, the last that counts last.
func (v *Inventory) sorted() []*Group { return v.ranked }

// has reports whether a host is in a group.
func (g *Group) has(host string) bool {
	_, found := slices.BinarySearch(g.members, host)
	return found
}
