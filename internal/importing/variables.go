package importing

import (
	"maps"
	"slices"
)

// The source of a host's variable in the resulting inventory.
type from uint8

const (
	noValue     from = iota // it does not have the variable
	fromCraton              // from a place, from the project, or its own
	fromAnsible             // from group_vars or host_vars
	omitted                 // it is left out
)

// spread is one variable across all hosts.
type spread struct {
	name   string
	value  []*Value // by index of a host; nil: it does not have the variable
	origin []*Group // the group with the value; nil: the host's own
	from   []from
	secret []bool // it is in an encrypted file
	stays  map[*Group]bool
}

// variables decides where each variable is stored.
func (p *planner) variables() {
	all := map[string]bool{}
	for _, g := range p.v.Groups {
		for k := range g.Vars {
			all[k] = true
		}
	}
	for _, h := range p.hosts {
		for k := range p.v.Resolved[h] {
			all[k] = true
		}
	}
	n := len(p.hosts)
	s := &spread{value: make([]*Value, n), origin: make([]*Group, n), from: make([]from, n), secret: make([]bool, n)}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s.name, s.stays = name, map[*Group]bool{}
		p.trace(s)
		p.part(s)
		p.keepInAnsible(s)
		if name != hostAddress {
			p.hoist(s)
		}
		p.setDifferences(s)
	}
	for _, h := range p.v.Hosts {
		if p.static[h] == "" {
			continue
		}
		for k, v := range p.v.Resolved[h] {
			if p.fateOf(k, v) == leftOut || p.secretOf(h, k, v) {
				continue
			}
			p.keepOn(h, k, v)
		}
	}
}

func (p *planner) keepOn(h, name string, v *Value) {
	if p.hostKept[h] == nil {
		p.hostKept[h] = Vars{}
	}
	p.hostKept[h][name] = v
}

// secretOf reports whether a host's value may be from an encrypted file.
func (p *planner) secretOf(h, name string, v *Value) bool {
	if p.encrypted[hostHolder(h)][name] {
		return true
	}
	if p.encrypted["group all"][name] && p.v.Groups[groupAll].Vars[name] == v {
		return true
	}
	return slices.ContainsFunc(p.v.member[h], func(g *Group) bool { return p.encrypted[g.holder()][name] && g.Vars[name] == v })
}

// trace determines which group each host's value comes from. If several have the same value, places are preferred, so
// that it is stored in Craton.
func (p *planner) trace(s *spread) {
	all := p.v.Groups[groupAll]
	for i, h := range p.hosts {
		v := p.v.Resolved[h][s.name]
		s.value[i], s.origin[i], s.from[i], s.secret[i] = v, nil, noValue, false
		if v == nil {
			continue
		}
		var place, role, secret *Group
		for _, g := range p.v.member[h] { // the last one wins
			if g.Vars[s.name] != v {
				continue
			}
			if p.encrypted[g.holder()][s.name] {
				secret = g
			}
			if p.isPlace(g) {
				place = g
			} else {
				role = g
			}
		}
		isOfAll := all.Vars[s.name] == v
		if isOfAll && p.encrypted[all.holder()][s.name] {
			secret = all
		}
		own := p.v.Own[h][s.name] == v
		switch {
		case own && p.encrypted[hostHolder(h)][s.name]:
			s.secret[i] = true
		case secret != nil && !own:
			s.origin[i], s.secret[i] = secret, true
		case place != nil:
			s.origin[i] = place
		case isOfAll:
			s.origin[i] = all
		case !own && role != nil:
			s.origin[i] = role
		}
	}
}

// part decides for each host whether the variable is in Craton or in Ansible.
func (p *planner) part(s *spread) {
	for i, v := range s.value {
		switch {
		case v == nil:
		case s.secret[i] && p.o.Vaults == Leave:
			s.from[i] = omitted
		case s.secret[i]:
			s.from[i] = fromAnsible
		default:
			switch p.fateOf(s.name, v) {
			case leftOut:
				s.from[i] = omitted
			case toAnsible:
				s.from[i] = fromAnsible
			default:
				s.from[i] = fromCraton
				if g := s.origin[i]; g != nil && !p.isPlace(g) && s.name != hostAddress {
					s.from[i] = fromAnsible
				}
			}
		}
	}
	if s.name == hostAddress {
		return
	}
	for changed := true; changed; { // a place has it in Craton if every host in it does; otherwise it stays where it is
		changed = false
		for _, g := range p.v.sorted() {
			if g.Vars[s.name] == nil || !p.isPlace(g) || s.stays[g] || p.allFromCraton(s, g) {
				continue
			}
			s.stays[g], changed = true, true
			for i := range s.value {
				if s.origin[i] == g && s.from[i] == fromCraton {
					s.from[i] = fromAnsible
				}
			}
		}
	}
}

func (p *planner) allFromCraton(s *spread, g *Group) bool {
	if p.fateOf(s.name, g.Vars[s.name]) != toCraton || p.encrypted[g.holder()][s.name] {
		return false
	}
	for _, h := range g.members {
		if i, ok := p.index[h]; ok && s.from[i] != fromCraton {
			return false
		}
	}
	return true
}

// keepInAnsible keeps variables of roles in Ansible, and those of places that cannot be in Craton.
func (p *planner) keepInAnsible(s *spread) {
	for _, g := range p.v.Groups {
		v := g.Vars[s.name]
		if v == nil || p.isPlace(g) && !s.stays[g] {
			continue
		}
		s.stays[g] = true
		if p.encrypted[g.holder()][s.name] { // its file stays
			if p.o.Vaults == Leave {
				p.report.left(g.holder(), s.name, "it is in an encrypted file (--vault leave)")
			}
			continue
		}
		if p.fateOf(s.name, v) == leftOut {
			p.report.left(g.holder(), s.name, p.reasonLeftOut(v))
			continue
		}
		if p.kept[g] == nil {
			p.kept[g] = Vars{}
		}
		p.kept[g][s.name] = v
	}
	for i, h := range p.hosts {
		if s.from[i] == omitted && s.origin[i] == nil {
			why := "it is in an encrypted file (--vault leave)"
			if !s.secret[i] {
				why = p.reasonLeftOut(s.value[i])
			}
			p.report.left(hostHolder(h), s.name, why)
		}
	}
}

// reasonLeftOut returns why a value is left out.
func (p *planner) reasonLeftOut(v *Value) string {
	switch {
	case v.Vault && p.o.Vaults == Leave:
		return "it is a vault (--vault leave)"
	case v.Template && p.o.Templates == Leave:
		return "it is a template (--templates leave)"
	}
	return "it has the tag !unsafe (--unsafe leave)"
}

// hoist sets the variable at the outermost possible places, and further inside where the value differs.
func (p *planner) hoist(s *spread) {
	some := slices.Contains(s.from, fromCraton)
	if !some {
		return
	}
	agree := len(s.stays) == 0 && !slices.Contains(s.from, fromAnsible)
	var place func(n *node, inherited *Value)
	place = func(n *node, inherited *Value) {
		whole, same := true, true
		for _, i := range n.hosts {
			if s.from[i] != fromCraton {
				whole = false
				break
			}
			same = same && s.value[i] == s.value[n.hosts[0]]
		}
		if whole {
			var v *Value
			switch g := n.group; {
			case same && agree && len(n.hosts) > 1 && n.level >= Cloud:
				v = s.value[n.hosts[0]]
			case n == p.root && !p.o.AllStays && !s.stays[p.v.Groups[groupAll]]:
				v = p.v.Groups[groupAll].Vars[s.name]
			case g != nil && !s.stays[g]:
				v = g.Vars[s.name]
			}
			if v != nil && v != inherited {
				n.vars[s.name], inherited = v, v
				if n.group == nil && n != p.root || n.group != nil && n.group.Vars[s.name] != v {
					p.report.Hoisted++
				}
			}
		}
		for _, c := range n.children {
			place(c, inherited)
		}
		for _, i := range n.leaves {
			if s.from[i] == fromCraton && s.value[i] != inherited {
				p.own[i][s.name] = s.value[i]
			}
		}
	}
	place(p.root, nil)
}

// setDifferences computes what each host gets, and sets differing values on the host.
func (p *planner) setDifferences(s *spread) {
	p.dropUnused(s)
	order := p.stayingGroups(s)
	inherited := make([]*Value, len(p.hosts))
	var down func(n *node, v *Value)
	down = func(n *node, v *Value) {
		if own := n.vars[s.name]; own != nil {
			v = own
		}
		for _, i := range n.leaves {
			inherited[i] = v
		}
		for _, c := range n.children {
			down(c, v)
		}
	}
	down(p.root, nil)
	layered := false
	for i, h := range p.hosts {
		v := s.value[i]
		if s.name == hostAddress {
			p.setAddress(s, i)
			continue
		}
		if s.from[i] == noValue || s.from[i] == omitted {
			continue
		}
		got := inherited[i]
		if own := p.own[i][s.name]; own != nil {
			got = own
		}
		var stays *Value // from group_vars
		if g := p.winner(order, h); g != nil {
			stays = g.Vars[s.name]
		}
		if got == nil {
			got = stays
		} else if stays != nil && stays != got && p.own[i][s.name] == nil {
			layered = true
		}
		if p.encrypted[hostHolder(h)][s.name] && p.o.Vaults == Keep {
			got = p.v.Own[h][s.name]
		}
		switch {
		case got == v:
		case s.secret[i]:
			p.report.Hidden = append(p.report.Hidden, Note{hostHolder(h), s.name})
		case s.from[i] == fromCraton || s.origin[i] != nil && p.fateOf(s.name, v) == toCraton:
			p.own[i][s.name] = v
			p.report.Mended++
		default:
			p.keepOn(h, s.name, v)
			if s.origin[i] != nil {
				p.report.Mended++
			}
		}
	}
	if layered {
		p.report.Layered++
	}
}

// stayingGroups returns the groups that have the variable in group_vars, in the order of precedence, the winning one
// last.
func (p *planner) stayingGroups(s *spread) (order []*Group) {
	for _, g := range p.v.sorted() {
		if s.stays[g] && (p.encrypted[g.holder()][s.name] && p.o.Vaults == Keep || p.kept[g][s.name] != nil) {
			order = append(order, g)
		}
	}
	return order
}

// winner returns the group of these from which a host gets the variable; nil for none.
func (p *planner) winner(order []*Group, h string) *Group {
	for i := len(order) - 1; i >= 0; i-- {
		if g := order[i]; g.Name == groupAll || g.has(h) {
			return g
		}
	}
	return nil
}

// dropUnused drops variables of a group that none of its hosts ever got although the group has precedence over the one
// whose value they have: in Ansible, group_vars/all comes before what an inventory file sets in a group.
func (p *planner) dropUnused(s *spread) {
	rank := map[*Group]int{}
	for i, g := range p.v.sorted() {
		rank[g] = i
	}
	for g := range s.stays {
		v := p.kept[g][s.name]
		if v == nil {
			continue
		}
		got, less := false, false
		for _, h := range g.members {
			got = got || p.v.Resolved[h][s.name] == v
			if i, ok := p.index[h]; ok && s.origin[i] != nil && rank[s.origin[i]] < rank[g] {
				less = true
			}
		}
		if got || !less {
			continue
		}
		delete(p.kept[g], s.name)
		p.report.Dead = append(p.report.Dead, Note{g.holder(), s.name})
	}
}

// setAddress sets ansible_host if Ansible connects to something other than the address in Craton.
func (p *planner) setAddress(s *spread, i int) {
	h, v := p.hosts[i], s.value[i]
	switch {
	case s.secret[i]:
		if !p.encrypted[hostHolder(h)][s.name] && s.from[i] == fromAnsible {
			p.report.Hidden = append(p.report.Hidden, Note{hostHolder(h), s.name})
		}
	case s.from[i] == fromAnsible:
		p.keepOn(h, s.name, v)
	case s.from[i] == fromCraton && v.plain() != quoted(p.address[i]):
		p.own[i][s.name] = v
	}
}
