package importing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
)

// Difference is a difference between the inventories before and after an import, and the hosts that have it.
type Difference struct {
	// What is "variable", "trust" (the same text, which Ansible executed as a template before and not now, or the other
	// way round), "group" or "host".
	What   string   `json:"what"`
	Key    string   `json:"key"` // the variable, or the group
	Hosts  []string `json:"hosts"`
	Before string   `json:"before,omitempty"` // JSON; "" for none
	After  string   `json:"after,omitempty"`
	Secret bool     `json:"secret,omitempty"` // its values are not shown
	Why    string   `json:"why"`              // "" if it is unexplained
}

// Proof is the result of a comparison.
type Proof struct {
	Hosts       int          `json:"hosts"`
	Groups      int          `json:"groups"`
	Memberships int          `json:"memberships"`
	Variables   int          `json:"variables"`  // of all hosts, before
	Same        int          `json:"same"`       // of these
	Facts       int          `json:"facts"`      // hosts that have Craton's own variable now
	Addresses   int          `json:"addresses"`  // hosts that have ansible_host now, with the value to which Ansible connected before
	Sampled     []string     `json:"sampled"`    // hosts of which ansible-inventory --host was compared too
	Controller  int          `json:"controller"` // variables of all that Ansible's implicit localhost had, and has no more
	Differences []Difference `json:"differences"`
	Unexplained int          `json:"unexplained"` // of the differences
}

// Compare compares what Ansible makes of the original inventory and of the import. Types is the output of
// ansible-inventory --list --yaml for the import, if before is Typed.
func Compare(before *Inventory, after, types []byte, record *Record) (*Proof, error) {
	d, err := parseDocument(after)
	if err != nil {
		return nil, fmt.Errorf("the output of ansible-inventory --list for the import %w", err)
	}
	if types != nil {
		for _, vars := range d.hostvars { // which of them may have types
			if _, err := before.vars(vars); err != nil {
				return nil, err
			}
		}
		if err := d.typesOf(types, before.values); err != nil {
			return nil, err
		}
	}
	c := &comparison{before: before, record: record, proof: &Proof{}, found: map[string]*Difference{}, left: map[string]string{}, secret: map[string]bool{}}
	for _, l := range record.Left {
		c.left[l.Holder+"\x00"+l.Key] = l.Why
	}
	for _, f := range before.Encrypted {
		for _, k := range f.Keys {
			c.secret[k] = true
		}
	}
	now := &Inventory{Groups: map[string]*Group{groupAll: {Name: groupAll}}, Resolved: map[string]Vars{}, values: before.values}
	now.Hosts = d.hosts()
	for name, g := range d.groups {
		now.Groups[name] = &Group{Name: name, Hosts: g.Hosts, Children: g.Children}
	}
	now.order()
	for _, h := range now.Hosts {
		if now.Resolved[h], err = before.vars(d.hostvars[h]); err != nil {
			return nil, fmt.Errorf("host %s of the import: %w", h, err)
		}
	}
	c.hosts(now)
	if record.Source == FromCSV { // whose groups were in no inventory
		c.facts(now)
	} else {
		c.groups(now)
	}
	c.proof.Differences = []Difference{}
	for _, k := range slices.Sorted(maps.Keys(c.found)) {
		diff := c.found[k]
		if diff.Why == "" {
			c.proof.Unexplained++
		}
		c.proof.Differences = append(c.proof.Differences, *diff)
	}
	slices.SortStableFunc(c.proof.Differences, func(a, b Difference) int { // unexplained ones first
		return cmp.Compare(min(len(a.Why), 1), min(len(b.Why), 1))
	})
	return c.proof, nil
}

type comparison struct {
	before *Inventory
	record *Record
	proof  *Proof
	found  map[string]*Difference
	left   map[string]string
	secret map[string]bool
}

func (c *comparison) add(host string, d Difference) {
	key := strings.Join([]string{d.What, d.Key, d.Before, d.After, d.Why}, "\x00")
	if c.found[key] == nil {
		if d.Secret = c.secret[d.Key]; d.Secret {
			d.Before, d.After = "", ""
		}
		c.found[key] = &d
	}
	if host != "" {
		c.found[key].Hosts = append(c.found[key].Hosts, host)
	}
}

func (c *comparison) hosts(now *Inventory) {
	for _, h := range now.Hosts {
		if c.before.Resolved[h] == nil {
			c.add(h, Difference{What: "host", Key: h, After: "{}"})
		}
	}
	for _, h := range c.before.Hosts {
		c.proof.Hosts++
		vars := now.Resolved[h]
		if vars == nil {
			c.add(h, Difference{What: "host", Key: h, Before: "{}"})
			continue
		}
		for k, old := range c.before.Resolved[h] {
			c.proof.Variables++
			c.variable(h, k, old, vars[k])
		}
		for k, v := range vars {
			if c.before.Resolved[h][k] == nil {
				c.gained(h, k, v)
			}
		}
	}
}

// variable compares a variable that a host had.
func (c *comparison) variable(h, key string, old, now *Value) {
	if old == now {
		c.proof.Same++
		return
	}
	d := Difference{What: "variable", Key: key, Before: old.JSON, Why: c.explained(h, key, old, now)}
	if now != nil {
		d.After = now.JSON
		if c.marksOnly(old, now) {
			c.proof.Same++
			return
		}
		if old.plain() == now.plain() {
			d.What = "trust"
		}
	}
	c.add(h, d)
}

// marksOnly reports whether two values differ only by marks of texts without a template: nothing in them is executed
// anyway.
func (c *comparison) marksOnly(a, b *Value) bool {
	if a.plain() != b.plain() {
		return false
	}
	reduced := func(v *Value) string {
		decoded, err := value.Decode([]byte(v.JSON))
		if err != nil {
			return v.JSON
		}
		text, _ := value.Encode(marked(decoded))
		return string(text)
	}
	return reduced(a) == reduced(b)
}

// marked returns a value with only the marks of texts that contain a template.
func marked(decoded any) any {
	switch d := decoded.(type) {
	case []any:
		for i := range d {
			d[i] = marked(d[i])
		}
	case map[string]any:
		if s, ok := withoutUnsafe(d).(string); ok {
			if isTemplate(s) {
				return []any{"unsafe", s}
			}
			return s
		}
		for k := range d {
			d[k] = marked(d[k])
		}
	}
	return decoded
}

// gained examines a variable that a host did not have.
func (c *comparison) gained(h, key string, v *Value) {
	text, _ := textOf(v)
	_, named := slices.BinarySearch(c.record.Named, h)
	switch {
	case key == c.record.Facts:
		c.proof.Facts++
	case key == hostAddress && (text == h || named && text == h || c.connects(h, text)):
		c.proof.Addresses++
	default:
		c.add(h, Difference{What: "variable", Key: key, After: v.JSON})
	}
}

// connects reports whether Ansible connected to a host at an address.
func (c *comparison) connects(h, address string) bool {
	if old, ok := textOf(c.before.Resolved[h]["ansible_ssh_host"]); ok {
		if _, is := value.ParseAddress(old); is {
			return value.EqualAddress(old, address)
		}
		return old != "" // a name, to which Ansible connects whatever ansible_host is
	}
	return value.EqualAddress(h, address)
}

// explained returns why a host does not have a previous value; "" if nothing explains it. If one value was left out,
// only another value that the inventory had for the host can appear.
func (c *comparison) explained(h, key string, old, now *Value) string {
	if text, _ := textOf(now); now != nil && !c.had(h, key, now) && (key != hostAddress || text != value.PlaceholderAddress(h)) { // the value that Craton has instead
		return ""
	}
	if why := c.left[hostHolder(h)+"\x00"+key]; why != "" {
		return "omitted: " + why
	}
	for _, g := range slices.Concat([]*Group{c.before.Groups[groupAll]}, c.before.member[h]) {
		if why := c.left[g.holder()+"\x00"+key]; why != "" && g.Vars[key] == old {
			return "omitted from " + g.holder() + ": " + why
		}
	}
	return ""
}

// had reports whether the inventory had a value for a host, even if others overrode it.
func (c *comparison) had(h, key string, v *Value) bool {
	same := func(other *Value) bool { return other != nil && (other == v || other.plain() == v.plain()) }
	return same(c.before.Own[h][key]) || same(c.before.Groups[groupAll].Vars[key]) ||
		slices.ContainsFunc(c.before.member[h], func(g *Group) bool { return same(g.Vars[key]) })
}

// facts compares places and labels of a table with Craton's fields of each host.
func (c *comparison) facts(now *Inventory) {
	for _, h := range c.before.Hosts {
		v := now.Resolved[h][c.record.Facts]
		if v == nil {
			continue // the missing host is reported already
		}
		var facts struct {
			Cloud, Region, Cell string
			Labels              []string
		}
		if err := json.Unmarshal([]byte(v.JSON), &facts); err != nil {
			c.add(h, Difference{What: "facts", Key: c.record.Facts, After: v.JSON})
			continue
		}
		had, has := map[string]bool{}, map[string]bool{}
		for _, g := range c.before.member[h] {
			kind, _, _ := strings.Cut(g.Name, " ")
			had[kind+" "+clean(g.title)] = true
		}
		for kind, name := range map[string]string{"cloud": facts.Cloud, "region": facts.Region, "cell": facts.Cell} {
			if name != "" && (kind == "cell" || slices.ContainsFunc(c.before.member[h], func(g *Group) bool { return strings.HasPrefix(g.Name, kind+" ") })) { // otherwise it was generated
				has[kind+" "+name] = true
			}
		}
		for _, l := range facts.Labels {
			has["label "+l] = true
		}
		c.proof.Memberships += len(had)
		for name := range had {
			if !has[name] {
				c.add(h, Difference{What: "place or label", Key: name, Before: `"member"`})
			}
		}
		for name := range has {
			if !had[name] {
				c.add(h, Difference{What: "place or label", Key: name, After: `"member"`})
			}
		}
	}
}

func (c *comparison) groups(now *Inventory) {
	for name, g := range c.before.Groups {
		if name == groupAll {
			continue
		}
		c.proof.Groups++
		c.proof.Memberships += len(g.members)
		var members []string
		if n := now.Groups[name]; n != nil {
			members = n.members
		} else if len(g.members) == 0 && name != groupUngrouped {
			c.add("", Difference{What: "group", Key: name, Before: "[]"})
			continue
		}
		why := ""
		if isPath(name) {
			why = "omitted: its name is a path, for which Ansible would read files outside of group_vars"
		}
		for _, h := range g.members {
			if _, found := slices.BinarySearch(members, h); !found {
				c.add(h, Difference{What: "group", Key: name, Before: `"member"`, Why: why})
			}
		}
		for _, h := range members {
			if g.has(h) {
				continue
			}
			why := ""
			if name == groupUngrouped && !slices.ContainsFunc(c.before.member[h], func(g *Group) bool { return !isPath(g.Name) }) {
				why = "omitted: the names of all its groups are paths"
			}
			c.add(h, Difference{What: "group", Key: name, After: `"member"`, Why: why})
		}
	}
}

// CompareHost compares the output of ansible-inventory --host for one host, except for marks, which newer releases do
// not print.
func (p *Proof) CompareHost(record *Record, host string, before, after []byte) error {
	read := func(text []byte) (map[string]any, error) {
		var vars map[string]any
		decoded, err := value.Decode(finite(text))
		if err == nil {
			vars, _ = withoutUnsafe(decoded).(map[string]any)
		}
		return vars, err
	}
	old, err := read(before)
	if err != nil {
		return fmt.Errorf("the output of ansible-inventory --host %s is not JSON: %w", host, err)
	}
	now, err := read(after)
	if err != nil {
		return fmt.Errorf("the output of ansible-inventory --host %s for the import is not JSON: %w", host, err)
	}
	p.Sampled = append(p.Sampled, host)
	known := map[string]bool{record.Facts: true, hostAddress: true}
	for _, d := range p.Differences {
		if slices.Contains(d.Hosts, host) {
			known[d.Key] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(merged(old, now))) {
		a, _ := json.Marshal(old[k])
		b, _ := json.Marshal(now[k])
		if string(a) != string(b) && !known[k] {
			p.Differences = append(p.Differences, Difference{What: "variable", Key: k, Hosts: []string{host}, Before: string(a), After: string(b)})
			p.Unexplained++
		}
	}
	return nil
}

func merged(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return all
}
