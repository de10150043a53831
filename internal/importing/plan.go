package importing

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/marks"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// hostAddress is the variable with the address to which Ansible connects.
const hostAddress = "ansible_host"

// planner converts an inventory to a fleet.
type planner struct {
	v *Inventory
	o *Options

	static map[string]string // by host: why it stays in Ansible
	hosts  []string          // the others
	index  map[string]int

	placeOf map[*Group]Level
	nodesOf map[*Group][]*node
	// ofPlaces are the places of groups that consist of places only.
	ofPlaces map[*Group][]*node
	root     *node // the project
	labels   map[*Group]string
	used     map[string]string // names of groups and hosts in the resulting inventory, with what they are

	encrypted map[string]map[string]bool // by holder, then variable
	own       []map[string]*Value        // by index of a host: its own variables in Craton
	address   []string                   // by index of a host
	kept      map[*Group]Vars            // what stays in Ansible
	hostKept  map[string]Vars            // by host

	facts, projectGroup string // the names of the variable and of the group that Craton's inventory adds
	noTypes             bool   // without groups of device types
	failed              error

	report Report
}

// The names in Craton's inventory of the variable with facts and the group of all hosts.
const (
	defaultFacts        = "craton"
	defaultProjectGroup = "craton"
)

// holder describes the owner of a variable, for reports.
func (g *Group) holder() string { return "group " + g.Name }

func hostHolder(h string) string { return "host " + h }

// Plan converts an inventory to a fleet and the files that stay in Ansible. It reads and writes nothing.
func Plan(v *Inventory, o Options) (*Result, error) {
	p := &planner{
		v: v, o: &o, static: map[string]string{}, index: map[string]int{}, used: map[string]string{}, labels: map[*Group]string{},
		encrypted: map[string]map[string]bool{}, kept: map[*Group]Vars{}, hostKept: map[string]Vars{},
	}
	switch {
	case len(v.Hosts) == 0 && o.Table:
		return nil, errors.New("the table has no hosts: no line follows the first one")
	case len(v.Hosts) == 0:
		return nil, advice.With(errors.New("the inventory has no hosts, so there is nothing to import"), "`ansible-inventory -i INVENTORY --graph` shows what Ansible finds in it, and -vvv why it finds nothing")
	}
	for _, f := range v.Encrypted {
		holder := hostHolder(f.Host)
		if f.Group != "" {
			holder = v.Groups[f.Group].holder()
		}
		if p.encrypted[holder] == nil {
			p.encrypted[holder] = map[string]bool{}
		}
		for _, k := range f.Keys {
			p.encrypted[holder][k] = true
		}
	}
	if o.Table {
		p.o.Unsafe = Keep // it is all data
	}
	if err := p.choices(); err != nil {
		return nil, err
	}
	p.factsName()
	p.settle()
	if len(p.hosts) == 0 {
		return nil, fmt.Errorf("no host of the inventory can be stored in Craton: %s %s", p.v.Hosts[0], p.static[p.v.Hosts[0]])
	}
	if err := p.places(); err != nil {
		return nil, err
	}
	p.naming()
	p.addresses()
	p.variables()
	res := p.result()
	return res, p.failed
}

// factsName finds a name for the facts that no variable has.
func (p *planner) factsName() {
	p.facts = defaultFacts
	taken := func(name string) bool {
		for _, vars := range p.v.Resolved {
			if vars[name] != nil {
				return true
			}
		}
		return false
	}
	for taken(p.facts) {
		p.facts += "_facts"
	}
}

// settle divides hosts into those that Craton can have, and those that stay in Ansible.
func (p *planner) settle() {
	for _, h := range p.v.Hosts {
		err := p.o.Rules.CheckHostName(h)
		if err == nil && len(h) > maxFile && !p.o.Table { // hosts of a table have no files
			err = fmt.Errorf("is longer than %d bytes", maxFile)
		}
		if err != nil {
			p.static[h] = err.Error()
			p.report.Static = append(p.report.Static, Note{h, err.Error()})
			continue
		}
		p.index[h] = len(p.hosts)
		p.hosts = append(p.hosts, h)
	}
	p.own = make([]map[string]*Value, len(p.hosts))
	for i := range p.own {
		p.own[i] = map[string]*Value{}
	}
	p.address = make([]string, len(p.hosts))
}

// naming chooses the names of places and labels, so that no two groups of the resulting inventory have the same name,
// and none has that of another previous group.
func (p *planner) naming() {
	for _, h := range p.v.Hosts {
		p.used[h] = hostHolder(h)
	}
	for name := range p.v.Groups {
		p.used[name] = "group " + name
	}
	p.projectGroup = defaultProjectGroup
	for p.used[p.projectGroup] != "" {
		p.projectGroup += "_fleet"
	}
	p.used[p.projectGroup] = "made"
	for _, h := range p.hosts {
		types := p.o.Rules.GroupName("type", p.typeOf(h))
		p.noTypes = p.noTypes || p.used[types] != "" && p.used[types] != "made"
		p.used[types] = cmp.Or(p.used[types], "made")
	}
	free := func(base string, mine *Group, single bool, of func(name string) string) string {
		if p.o.Table { // with the names of the fleet: no playbook uses others
			group, called := of(base), fmt.Sprintf("%q", base)
			if who := p.used[group]; who != "" {
				p.report.Alike = append(p.report.Alike, Note{group, who + " and " + called})
			}
			p.used[group] = called
			return base
		}
		for n := 1; ; n++ {
			name := base
			if n > 1 {
				name = fmt.Sprintf("%s_%d", base, n)
			}
			group := of(name)
			if who := p.used[group]; who == "" || single && mine != nil && group == mine.Name && who == mine.holder() {
				p.used[group] = "made"
				return name
			}
		}
	}
	p.root.each(func(n *node) {
		n.name = free(clean(n.name), n.group, n.group != nil && len(p.nodesOf[n.group]) == 1, func(name string) string {
			n.name = name
			return p.o.Rules.GroupName(n.level.String(), n.qualified()...)
		})
	})
	for _, g := range p.v.sorted() {
		if g.Name == groupAll || p.o.Table && !p.isLabel(g) || g.Name == groupUngrouped && (p.o.Table || len(g.members) == 0 && len(g.Vars) == 0) {
			continue
		}
		name := free(clean(cmp.Or(g.title, g.Name)), nil, false, func(name string) string { return p.o.Rules.GroupName("label", name) })
		p.labels[g] = name
	}
}

// typeOf returns the device type of a host.
func (p *planner) typeOf(host string) string { return cmp.Or(p.o.Types[host], p.o.DeviceType) }

// clean returns a name in the form that Craton accepts.
func clean(name string) string {
	name = value.Composed(name)
	if value.CheckName(name) == nil && len([]rune(name)) <= schema.MaxText-10 {
		return name
	}
	runes := []rune(strings.ToValidUTF8(name, "_"))
	for i, r := range runes {
		if value.CheckName(string(r)) != nil {
			runes[i] = '_'
		}
	}
	return cmp.Or(string(runes[:min(len(runes), schema.MaxText-10)]), "_")
}

// labelGroup returns the name of the group for a label in the resulting inventory.
func (p *planner) labelGroup(g *Group) string {
	if g.Name == groupAll {
		return groupAll
	}
	return p.o.Rules.GroupName("label", p.labels[g])
}

// isPlace reports whether a group's variables can be in Craton.
func (p *planner) isPlace(g *Group) bool {
	_, place := p.placeOf[g]
	return place || g.Name == groupAll && !p.o.AllStays
}

// fate is what becomes of a value.
type fate int

const (
	toCraton  fate = iota
	toAnsible      // it stays in Ansible's files
	leftOut
)

// fateOf decides by the contents of a value.
func (p *planner) fateOf(name string, v *Value) fate {
	f := toCraton
	if v.Bad != "" || p.badName(name) {
		f = toAnsible
	}
	for _, c := range []struct {
		has    bool
		choice Choice
		keep   fate
	}{{v.Template, p.o.Templates, toAnsible}, {v.Vault, p.o.Vaults, toAnsible}, {v.Unsafe, p.o.Unsafe, f}} {
		if c.has && c.choice == Leave {
			return leftOut
		}
		if c.has {
			f = max(f, c.keep)
		}
	}
	return f
}

// badName reports whether Craton cannot have a variable with a name, or would pass it on under another.
func (p *planner) badName(name string) bool {
	return value.CheckName(name) != nil || len([]rune(name)) > schema.MaxText || !p.o.Rules.Inert(name) || marks.Is(name) || name == p.facts
}

// choices counts values that need a decision by the user, and returns an error if it is missing.
func (p *planner) choices() error {
	count := func(holder, name string, v *Value) {
		note := Note{holder, name}
		switch {
		case v.Vault, p.encrypted[holder][name]:
			p.report.Vaults = append(p.report.Vaults, note)
		case v.Template:
			p.report.Templates = append(p.report.Templates, note)
		case v.Unsafe:
			p.report.Unsafe = append(p.report.Unsafe, note)
		case v.Bad != "":
			p.report.Other = append(p.report.Other, Note{holder, name + " " + v.Bad})
		}
		if v.Template && v.Vault {
			p.report.Templates = append(p.report.Templates, note)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.v.Groups)) {
		g := p.v.Groups[name]
		for _, k := range slices.Sorted(maps.Keys(g.Vars)) {
			count(g.holder(), k, g.Vars[k])
		}
	}
	for _, h := range p.v.Hosts {
		for _, k := range slices.Sorted(maps.Keys(p.v.Own[h])) {
			count(hostHolder(h), k, p.v.Own[h][k])
		}
	}
	for _, f := range p.v.Encrypted {
		if f.Keys == nil {
			p.report.Vaults = append(p.report.Vaults, Note{f.Path, ""})
		}
	}
	var wanted []string
	for _, c := range []struct {
		choice Choice
		notes  []Note
		what   string
		option string
		keep   string
	}{
		{p.o.Templates, p.report.Templates, "templates", "--templates", "keep stores them in Ansible's group_vars and host_vars"},
		{p.o.Vaults, p.report.Vaults, "vaults", "--vault", "keep stores them in Ansible's files, still encrypted"},
		{p.o.Unsafe, p.report.Unsafe, "texts with the tag !unsafe", "--unsafe", "keep stores them in the fleet, whose texts are never executed"},
	} {
		if c.choice == Undecided && len(c.notes) > 0 {
			wanted = append(wanted, fmt.Sprintf("%d with %s (%s): set %s to keep or leave; %s, leave omits them", len(c.notes), c.what, fewNotes(c.notes, 3), c.option, c.keep))
		}
	}
	if wanted == nil {
		return nil
	}
	return &UndecidedError{wanted}
}

// UndecidedError is the error for an import that needs decisions.
type UndecidedError struct{ Wanted []string }

// Error lists the decisions.
func (e *UndecidedError) Error() string {
	return "some variables are not plain data; specify what to do with them\n" + strings.Join(e.Wanted, "\n")
}
