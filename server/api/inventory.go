package api

import (
	"cmp"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/server/internal/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

var inventoryParams = []param{pRegionText, pCellText}

// inventoryPage is how many hosts are read at once. All pages are of one
// moment, however many there are.
const inventoryPage = 500

// ansibleInventory serves GET /v1/ansible-inventory, which never worked in
// the original, as it was meant (contract §7.2): hosts by their address with
// their resolved variables; a group for each label, one for each cell with a
// host in it (named region-cell), and one for each region of such a host,
// whose children are all its cells. Hosts without a cell stand in their
// region's group itself.
//
// Names: a region's or cell's group whose name is taken (by a label, by a
// region of the same name in another cloud, or by "all" or "_meta") has its
// cloud's name in front. What still collides, and two hosts with one address,
// is refused with 409: nothing is ever overwritten in silence.
func ansibleInventory(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, inventoryParams, false)
	if err != nil {
		return err
	}
	l, err := q.listing()
	if err != nil {
		return err
	}
	inv := inventory{regions: map[int64]bool{}, cells: map[int64][]netip.Addr{}, loose: map[int64][]netip.Addr{}, labels: map[string][]netip.Addr{}}
	if err := inv.readHosts(c, l); err != nil {
		return err
	}
	if err := inv.readPlaces(c); err != nil {
		return err
	}
	if err := inv.nameGroups(); err != nil {
		return err
	}
	c.buf = append(inv.append(c.buf), '\n')
	return nil
}

type inventory struct {
	hosts   []inventoryHost
	regions map[int64]bool         // of the hosts
	cells   map[int64][]netip.Addr // hosts of each cell
	loose   map[int64][]netip.Addr // hosts of each region that have no cell
	labels  map[string][]netip.Addr
	places  []place
	groups  map[string]group
}

type inventoryHost struct {
	address   netip.Addr
	name      string
	id        any
	variables []store.Variable
}

// place is a region or a cell of one.
type place struct {
	what      string // for messages
	id        int64
	region    int64 // of a cell; 0 for a region
	cloud     string
	name      string // of the group, without the cloud
	variables []store.Variable
	group     string // the name it gets
}

// group is one group of the document.
type group struct {
	what      string
	hosts     []netip.Addr
	withHosts bool
	children  []string
	isRegion  bool
	variables []store.Variable
}

func (inv *inventory) readHosts(c *call, l store.List) error {
	e := store.Hosts
	id, name, address := e.Index("id"), e.Index("name"), e.Index("ip_address")
	region, cell := e.Index("region_id"), e.Index("cell_id")
	l.Limit, l.Variables, l.Labels = inventoryPage, store.Resolved, true
	err := c.store.Walk(c.r.Context(), e, c.caller.scope(), l, func(page *store.Page) {
		for i, row := range page.Rows {
			ip, _ := netip.ParseAddr(row[address].(string))
			inv.hosts = append(inv.hosts, inventoryHost{ip, row[name].(string), row[id], page.Variables[i]})
			for _, label := range page.Labels[i] {
				inv.labels[label] = append(inv.labels[label], ip)
			}
			r := row[region].(int64)
			inv.regions[r] = true
			if row[cell] == nil {
				inv.loose[r] = append(inv.loose[r], ip)
			} else {
				inv.cells[row[cell].(int64)] = append(inv.cells[row[cell].(int64)], ip)
			}
		}
	})
	if err != nil {
		return err
	}
	slices.SortFunc(inv.hosts, func(a, b inventoryHost) int { return a.address.Compare(b.address) })
	for i := 1; i < len(inv.hosts); i++ {
		if a, b := inv.hosts[i-1], inv.hosts[i]; a.address == b.address {
			return fail(http.StatusConflict, "Hosts %q (id %v) and %q (id %v) have the same address %s, which is a host's name in this inventory. Ask for one region_id or cell_id, or use craton-inventory, which can go by names.",
				a.name, a.id, b.name, b.id, a.address)
		}
	}
	return nil
}

// readPlaces reads the regions of the hosts and their cells.
func (inv *inventory) readPlaces(c *call) error {
	if len(inv.regions) == 0 {
		return nil
	}
	l := store.List{Sort: []string{"id"}, Limit: inventoryPage, Variables: store.Own}
	clouds := map[int64]string{}
	names := map[int64]string{}
	walk := func(e *store.Entity, fn func(id int64, name string, row store.Row, set []store.Variable)) error {
		return c.store.Walk(c.r.Context(), e, c.caller.scope(), l, func(page *store.Page) {
			for i, row := range page.Rows {
				fn(row[e.Index("id")].(int64), row[e.Index("name")].(string), row, page.Variables[i])
			}
		})
	}
	if err := walk(store.Clouds, func(id int64, name string, _ store.Row, _ []store.Variable) { clouds[id] = name }); err != nil {
		return err
	}
	if err := walk(store.Regions, func(id int64, name string, row store.Row, set []store.Variable) {
		if inv.regions[id] {
			names[id] = name
			inv.places = append(inv.places, place{what: "region", id: id, cloud: clouds[row[store.Regions.Index("cloud_id")].(int64)], name: name, variables: set})
		}
	}); err != nil {
		return err
	}
	return walk(store.Cells, func(id int64, name string, row store.Row, set []store.Variable) {
		region := row[store.Cells.Index("region_id")].(int64)
		if inv.regions[region] {
			inv.places = append(inv.places, place{what: "cell", id: id, region: region, cloud: clouds[row[store.Cells.Index("cloud_id")].(int64)], name: names[region] + "-" + name, variables: set})
		}
	})
}

// nameGroups makes the groups, each under a name of its own.
func (inv *inventory) nameGroups() error {
	wanted := map[string]int{"all": 1, "_meta": 1}
	for label := range inv.labels {
		wanted[label]++
	}
	for _, p := range inv.places {
		wanted[p.name]++
	}
	inv.groups = map[string]group{"_meta": {what: "the inventory's own part"}}
	add := func(name string, g group) error {
		if other, taken := inv.groups[name]; taken {
			return fail(http.StatusConflict, "Two groups of this inventory would have the name %q: %s and %s. Rename one of them, or use craton-inventory.", name, other.what, g.what)
		}
		inv.groups[name] = g
		return nil
	}
	for label, hosts := range inv.labels {
		if label == "all" {
			continue // it could only name some of the hosts that "all" names
		}
		if err := add(label, group{what: "label " + label, hosts: hosts, withHosts: true}); err != nil {
			return err
		}
	}
	children := map[int64][]string{}
	for i := range inv.places {
		p := &inv.places[i]
		if p.group = p.name; wanted[p.name] > 1 {
			p.group = p.cloud + "-" + p.name
		}
		if p.region != 0 {
			children[p.region] = append(children[p.region], p.group)
		}
	}
	for _, p := range inv.places {
		g := group{what: p.what + " " + p.group, variables: p.variables}
		if p.region == 0 {
			g.isRegion, g.children, g.hosts = true, children[p.id], inv.loose[p.id]
			g.withHosts = len(g.hosts) > 0
		} else {
			g.hosts, g.withHosts = inv.cells[p.id], true
			if len(g.hosts) == 0 {
				continue // only a child of its region
			}
		}
		if err := add(p.group, g); err != nil {
			return err
		}
	}
	delete(inv.groups, "_meta")
	return nil
}

// append appends the document.
func (inv *inventory) append(dst []byte) []byte {
	all := make([]netip.Addr, len(inv.hosts))
	for i, h := range inv.hosts {
		all[i] = h.address
	}
	slices.SortFunc(inv.hosts, func(a, b inventoryHost) int { return cmp.Compare(a.address.String(), b.address.String()) })
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(mergeKeys(inv.groups, "_meta", "all"))) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, 1), name), ": {"...)
		switch name {
		case "_meta":
			dst = inv.appendHostvars(dst)
		case "all":
			dst = appendAddresses(append(jsontext.AppendNewline(dst, 2), `"hosts": `...), all)
		default:
			dst = inv.groups[name].append(dst)
		}
		dst = append(jsontext.AppendNewline(dst, 1), '}')
	}
	return append(jsontext.AppendNewline(dst, 0), '}')
}

func mergeKeys(groups map[string]group, more ...string) map[string]bool {
	keys := map[string]bool{}
	for k := range groups {
		keys[k] = true
	}
	for _, k := range more {
		keys[k] = true
	}
	return keys
}

func (inv *inventory) appendHostvars(dst []byte) []byte {
	dst = append(jsontext.AppendNewline(dst, 2), `"hostvars": {`...)
	for i, h := range inv.hosts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, 3), h.address.String()), ": "...)
		dst = appendVariables(dst, h.variables, 3)
	}
	if len(inv.hosts) > 0 {
		dst = jsontext.AppendNewline(dst, 2)
	}
	return append(dst, '}')
}

func (g group) append(dst []byte) []byte {
	comma := func() {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendNewline(dst, 2)
	}
	if g.isRegion {
		comma()
		slices.SortFunc(g.children, strings.Compare)
		dst = appendStrings(append(dst, `"children": `...), g.children, 2)
	}
	if g.withHosts {
		comma()
		slices.SortFunc(g.hosts, netip.Addr.Compare)
		dst = appendAddresses(append(dst, `"hosts": `...), g.hosts)
	}
	comma()
	return appendVariables(append(dst, `"vars": `...), g.variables, 2)
}

func appendAddresses(dst []byte, set []netip.Addr) []byte {
	texts := make([]string, len(set))
	for i, ip := range set {
		texts[i] = ip.String()
	}
	return appendStrings(dst, texts, 2)
}
