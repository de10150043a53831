package importing

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
)

// node is a place of the fleet: a cloud, a region or a cell.
type node struct {
	level    Level
	name     string
	up       *node
	children []*node
	group    *Group // the group that it is made from; nil for an additional place
	hosts    []int  // all hosts in it and in inner places, by index
	leaves   []int  // hosts directly in it
	vars     map[string]*Value
}

// qualified returns the names of a place and its outer places.
func (n *node) qualified() []string {
	if n.up == nil || n.up.up == nil { // the root is the project
		return []string{n.name}
	}
	return append(n.up.qualified(), n.name)
}

// places determines the place of each host.
func (p *planner) places() error {
	chosen, err := p.mapped()
	if err != nil {
		return err
	}
	if p.o.Infer {
		chosen = p.infer()
	}
	p.placeOf = map[*Group]Level{}
	var of [levels]map[string]*Group // by host
	for level := range levels {
		of[level] = map[string]*Group{}
		for _, g := range chosen[level] {
			if other, twice := p.placeOf[g]; twice {
				return fmt.Errorf("the group %s is mapped to a %s and to a %s; choose one", g.Name, other, level)
			}
			p.placeOf[g] = level
			for _, h := range g.members {
				if p.static[h] != "" {
					continue
				}
				if first := of[level][h]; first != nil {
					return fmt.Errorf("the host %s is in the groups %s and %s, which are both mapped to a %s; a host can be in only one: map only one of the groups", h, first.Name, g.Name, level)
				}
				of[level][h] = g
			}
		}
	}
	p.root = &node{level: -1, vars: map[string]*Value{}}
	for i, h := range p.hosts {
		cloud := p.root.child(Cloud, of[Cloud][h], p.o.Cloud)
		region := cloud.child(Region, of[Region][h], p.o.Region)
		at := region
		if g := of[Cell][h]; g != nil {
			at = region.child(Cell, g, "")
		}
		at.leaves = append(at.leaves, i)
		for n := at; n != nil; n = n.up {
			n.hosts = append(n.hosts, i)
		}
		if of[Cloud][h] == nil {
			p.report.DefaultCloud++
		}
		if of[Region][h] == nil {
			p.report.DefaultRegion++
		}
	}
	p.nodesOf = map[*Group][]*node{}
	p.root.each(func(n *node) {
		if n.group != nil {
			p.nodesOf[n.group] = append(p.nodesOf[n.group], n)
		}
	})
	for level := range levels {
		for _, g := range chosen[level] {
			if len(p.nodesOf[g]) == 0 { // without hosts, its place is unknown
				delete(p.placeOf, g)
			}
		}
	}
	p.ofPlaces = map[*Group][]*node{}
	for again := true; again; {
		again = false
		for _, g := range p.v.sorted() {
			if p.ofPlaces[g] != nil || !p.consists(g) {
				continue
			}
			for _, name := range g.Children { // except the groups that these are made from: each level would have precedence over the next
				c := p.v.Groups[name]
				p.ofPlaces[g] = append(append(p.ofPlaces[g], p.nodesOf[c]...), p.ofPlaces[c]...)
			}
			again = true
		}
	}
	return nil
}

// consists reports whether a group consists of places only, so that it needs no label.
func (p *planner) consists(g *Group) bool {
	if len(g.Hosts) > 0 || len(g.members) == 0 || p.placed(g) || g.Name == groupAll || g.Name == groupUngrouped {
		return false
	}
	return !slices.ContainsFunc(g.Children, func(name string) bool {
		c := p.v.Groups[name]
		return !p.placed(c) && p.ofPlaces[c] == nil && len(c.members) > 0
	})
}

// child returns the place of a group within another, created if necessary.
func (n *node) child(level Level, g *Group, name string) *node {
	if g != nil {
		name = cmp.Or(g.title, g.Name)
	}
	for _, c := range n.children {
		if c.group == g && c.name == name {
			return c
		}
	}
	c := &node{level: level, name: name, up: n, group: g, vars: map[string]*Value{}}
	n.children = append(n.children, c)
	return c
}

// each visits a place and all inner places.
func (n *node) each(visit func(*node)) {
	for _, c := range n.children {
		visit(c)
		c.each(visit)
	}
}

// mapped returns the groups that the options name.
func (p *planner) mapped() (chosen [levels][]*Group, err error) {
	for level := range levels {
		for _, pattern := range p.o.Map[level] {
			found := false
			for _, g := range p.v.sorted() {
				if g.title != "" && g.Name == pattern { // of a table, whose names are not patterns
					chosen[level] = append(chosen[level], g)
					found = true
				} else if g.title != "" {
					continue
				} else if matched, err := path.Match(pattern, g.Name); err != nil {
					return chosen, fmt.Errorf("%q is not a valid pattern: %w", pattern, err)
				} else if matched && g.Name != groupAll && g.Name != groupUngrouped && !slices.Contains(chosen[level], g) {
					chosen[level] = append(chosen[level], g)
					found = true
				}
			}
			if !found {
				return chosen, fmt.Errorf("the group %s, which is mapped to a %s, does not exist; ansible-inventory --graph shows the groups", pattern, level)
			}
		}
	}
	return chosen, nil
}

// The names of kinds of places. The plural is for a group that contains them.
var placeWords = [levels]struct{ name, holder *regexp.Regexp }{
	Cloud: {
		regexp.MustCompile(`(?i)^(cloud|provider)[_-]?.+$`),
		regexp.MustCompile(`(?i)^(clouds|providers)$`),
	},
	Region: {
		regexp.MustCompile(`(?i)^((region|dc|datacenter|data_center|site|location|az|zone)[_-].+|(region|dc|site|az|zone)[0-9]+)$`),
		regexp.MustCompile(`(?i)^(regions|dcs|data_?centers|sites|locations|zones|azs|availability_zones)$`),
	},
	Cell: {
		regexp.MustCompile(`(?i)^((cell|rack|row)[_-].+|(cell|rack|row)[0-9]+)$`),
		regexp.MustCompile(`(?i)^(cells|racks|rows)$`),
	},
}

// roleWords are parts of the names of groups that are never places.
var roleWords = regexp.MustCompile(`(?i)(^|[^a-z])(kube.*|k8s.*|etcd|web|www|db|data_?base|sql|mysql|postgres.*|app|api|mon|mgr|osd|mds|rgw|ceph.*|master|worker|node|control.*|compute|storage|network|server|proxy|haproxy|lb|.*balancer|cache|queue|infra|host|container|client|calico.*|gateway|bastion|agent|prod.*|staging|test|dev)s?([^a-z]|$)`)

// infer finds groups that look like places, and says why.
func (p *planner) infer() (chosen [levels][]*Group) {
	say := func(format string, args ...any) {
		p.report.Inferred = append(p.report.Inferred, fmt.Sprintf(format, args...))
	}
	taken := map[*Group]bool{}
	for level := range levels {
		var found []*Group
		why := ""
		words := placeWords[level]
		for _, g := range p.v.sorted() {
			if words.holder.MatchString(g.Name) && len(found) == 0 {
				for _, name := range g.Children {
					if c := p.v.Groups[name]; len(c.members) > 0 && !taken[c] {
						found = append(found, c)
					}
				}
				why = "they are the children of the group " + g.Name
			}
		}
		if len(found) == 0 {
			for _, g := range p.v.sorted() {
				if words.name.MatchString(g.Name) && len(g.members) > 0 && !taken[g] && g.Name != groupAll && g.Name != groupUngrouped {
					found = append(found, g)
				}
			}
			why = "of their names"
		}
		if len(found) == 0 {
			continue
		}
		if a, b, h := overlap(found); h != "" {
			say("no %[1]ss: %[2]s and %[3]s look like %[1]ss, but the host %[4]s is in both; set the groups with --map %[1]s=GROUP", level, a.Name, b.Name, h)
			continue
		}
		say("%s: %s, because %s, and no host is in two", level.plural(len(found)), names(found), why)
		for _, g := range found {
			taken[g] = true
		}
		chosen[level] = found
	}
	if len(taken) == 0 {
		chosen = p.inferTree(say)
	}
	if p.report.Inferred == nil {
		say("no group looks like a place: every group is a label; set the places with --map cloud=GROUP, region=GROUP and cell=GROUP")
	}
	return chosen
}

func (l Level) plural(n int) string {
	if n == 1 {
		return l.String()
	}
	return l.String() + "s"
}

// inferTree finds groups that partition all hosts, and are themselves partitioned by their children, with other groups
// across them.
func (p *planner) inferTree(say func(string, ...any)) (none [levels][]*Group) {
	var chosen [levels][]*Group
	for _, name := range p.v.Groups[groupAll].Children {
		if g := p.v.Groups[name]; len(g.Children) > 0 && len(g.members) > 0 && name != groupUngrouped {
			if parts := p.parts(g); parts != nil {
				chosen[Cloud] = append(chosen[Cloud], g)
				chosen[Region] = append(chosen[Region], parts...)
			}
		}
	}
	count := 0
	for _, g := range chosen[Cloud] {
		for _, h := range g.members {
			if p.static[h] == "" {
				count++
			}
		}
	}
	for _, h := range p.v.Groups[groupUngrouped].members { // in no group at all
		if p.static[h] == "" && count > 0 {
			count++
		}
	}
	if _, _, h := overlap(chosen[Cloud]); h != "" || count != len(p.hosts) || count == 0 {
		return none
	}
	for _, g := range chosen[Region] {
		chosen[Cell] = append(chosen[Cell], p.parts(g)...)
	}
	inTree := slices.Concat(chosen[Cloud], chosen[Region], chosen[Cell])
	crossing := ""
	for _, g := range p.v.sorted() {
		if slices.Contains(inTree, g) || g.Name == groupAll || g.Name == groupUngrouped {
			continue
		}
		in := 0
		for _, r := range chosen[Region] {
			if slices.ContainsFunc(r.members, g.has) {
				in++
			}
		}
		if in > 1 {
			crossing = g.Name
			break
		}
	}
	if crossing == "" {
		return none
	}
	why := fmt.Sprintf("every host is in exactly one of them, and other groups, such as %s, overlap several of them", crossing)
	for level := range levels {
		if len(chosen[level]) > 0 {
			say("%s: %s, because %s", level.plural(len(chosen[level])), names(chosen[level]), why)
			why = "they divide the groups above"
		}
	}
	return chosen
}

// parts returns a group's children, if each of its hosts is in exactly one of them, and none has the name of a role.
func (p *planner) parts(g *Group) []*Group {
	if len(g.Hosts) > 0 || roleWords.MatchString(g.Name) {
		return nil
	}
	var parts []*Group
	count := 0
	for _, name := range g.Children {
		c := p.v.Groups[name]
		if len(c.members) == 0 {
			continue
		}
		if roleWords.MatchString(name) {
			return nil
		}
		count += len(c.members)
		parts = append(parts, c)
	}
	if _, _, h := overlap(parts); h != "" || count != len(g.members) {
		return nil
	}
	return parts
}

// overlap finds two groups with a common host.
func overlap(groups []*Group) (first, second *Group, host string) {
	of := map[string]*Group{}
	for _, g := range groups {
		for _, h := range g.members {
			if of[h] != nil && of[h] != g {
				return of[h], g, h
			}
			of[h] = g
		}
	}
	return nil, nil, ""
}

// names lists groups for people, up to a maximum.
func names(groups []*Group) string {
	const most = 8
	var all []string
	for _, g := range groups {
		all = append(all, g.Name)
	}
	return advice.Enumerate(all, most)
}

// fewNotes lists variables for people, up to a maximum.
func fewNotes(notes []Note, most int) string {
	var all []string
	for _, n := range notes {
		all = append(all, strings.TrimSuffix(n.Why+" of "+n.What, " of "))
	}
	return advice.Enumerate(all, most)
}
