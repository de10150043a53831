package api

import (
	"cmp"
	"context"
	"maps"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

var inventoryParams = []param{pRegionText, pCellText}

// inventoryPage is the number of objects that are read at once. All pages are of one snapshot.
const inventoryPage = 100

// lightInventory is the number of hosts that a light view reads.
const lightInventory = 2000

// ansibleInventory serves GET /v1/ansible-inventory, which never worked in the original server, as it was meant
// (contract §7.2): hosts by their address with their resolved variables; a group for each label, one for each cell with
// a host in it (named region-cell), and one for each region of such a host, whose children are all its cells. Hosts
// without a cell are in their region's group itself.
//
// Names: if the name of a region's or cell's group is taken (by a label, by a region of the same name in another cloud,
// or by "all" or "_meta"), the cloud's name is prepended. Names that still collide, and two hosts with one address, are
// refused with 409: nothing is ever overwritten silently.
func ansibleInventory(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, inventoryParams, false)
	if err != nil {
		return err
	}
	l, err := q.listing(schema.Host)
	if err != nil {
		return err
	}
	l.Limit, l.Labels = inventoryPage, true
	most := lightInventory
	return c.read(func(ctx context.Context, v *store.View) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: hosts.kinds(true)}); known || err != nil {
			return err
		}
		inv := inventory{
			call: c, ctx: ctx, view: v,
			regions: map[int64]bool{}, cells: map[int64][]int32{}, loose: map[int64][]int32{}, labels: map[string][]int32{},
		}
		if err := inv.readHosts(l, most); err != nil {
			most = math.MaxInt32 // the next attempt is a full view
			return err
		}
		if err := inv.readPlaces(); err != nil {
			return err
		}
		if err := inv.nameGroups(); err != nil {
			return err
		}
		dst, err := inv.append(c.buf)
		c.buf = append(dst, '\n')
		return err
	})
}

// inventory is a document under construction. For each host it holds what its name and groups need; variables are read
// while they are written.
type inventory struct {
	*call
	ctx     context.Context //nolint:containedctx // that of the view
	view    *store.View
	hosts   []inventoryHost    // in the order read: groups refer to them by index
	regions map[int64]bool     // of the hosts
	cells   map[int64][]int32  // hosts of each cell
	loose   map[int64][]int32  // hosts of each region without a cell
	labels  map[string][]int32 //
	places  []place
	groups  map[string]group
}

type inventoryHost struct {
	address netip.Addr
	id      int64
}

// place is a region or a cell.
type place struct {
	what   string // for messages
	entity *store.Entity
	id     int64
	region int64 // of a cell; 0 for a region
	cloud  string
	name   string // of the group, without the cloud
	group  string // the group's name
}

// group is one group of the document.
type group struct {
	what      string
	hosts     []int32
	withHosts bool
	children  []string
	isRegion  bool
	place     *place // the place whose variables it has; nil for a label
}

func (inv *inventory) readHosts(l store.List, most int) error {
	e := store.Hosts
	id, address := e.Index("id"), e.Index("ip_address")
	region, cell := e.Index("region_id"), e.Index("cell_id")
	err := inv.view.Walk(inv.ctx, e, inv.caller.scope(), l, func(page *store.Page) error {
		for i, row := range page.Rows {
			ip, _ := netip.ParseAddr(row[address].(string))
			n := int32(len(inv.hosts)) //nolint:gosec // hosts fit memory
			inv.hosts = append(inv.hosts, inventoryHost{ip, row[id].(int64)})
			for _, label := range page.Labels[i] {
				inv.labels[label] = append(inv.labels[label], n)
			}
			r := row[region].(int64)
			inv.regions[r] = true
			if row[cell] == nil {
				inv.loose[r] = append(inv.loose[r], n)
			} else {
				inv.cells[row[cell].(int64)] = append(inv.cells[row[cell].(int64)], n)
			}
		}
		if len(inv.hosts) > most {
			return store.ErrViewTooLarge
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := inv.all()
	for i := 1; i < len(all); i++ {
		if a, b := inv.hosts[all[i-1]], inv.hosts[all[i]]; a.address == b.address {
			return inv.sameAddress(a, b)
		}
	}
	return nil
}

// all returns all hosts in the order of their addresses.
func (inv *inventory) all() []int32 {
	all := make([]int32, len(inv.hosts))
	for i := range all {
		all[i] = int32(i) //nolint:gosec // hosts fit memory
	}
	slices.SortFunc(all, inv.byAddress)
	return all
}

func (inv *inventory) byAddress(a, b int32) int {
	return cmp.Or(inv.hosts[a].address.Compare(inv.hosts[b].address), cmp.Compare(inv.hosts[a].id, inv.hosts[b].id))
}

func (inv *inventory) sameAddress(a, b inventoryHost) error {
	rows, err := inv.view.Rows(inv.ctx, store.Hosts, []int64{a.id, b.id})
	if err != nil {
		return err
	}
	names := map[any]any{}
	for _, row := range rows {
		names[row[store.Hosts.Index("id")]] = row[store.Hosts.Index("name")]
	}
	return fail(http.StatusConflict, "Hosts %q (id %v) and %q (id %v) have the same address %s, which is a host's name in this inventory. Ask for one region_id or cell_id, or use craton-inventory, which can go by names.",
		names[a.id], a.id, names[b.id], b.id, a.address)
}

// readPlaces reads the regions of the hosts and their cells.
func (inv *inventory) readPlaces() error {
	if len(inv.regions) == 0 {
		return nil
	}
	l := store.List{Sort: []string{"id"}, Limit: inventoryPage}
	clouds := map[int64]string{}
	names := map[int64]string{}
	walk := func(e *store.Entity, fn func(id int64, name string, row store.Row)) error {
		return inv.view.Walk(inv.ctx, e, inv.caller.scope(), l, func(page *store.Page) error {
			for _, row := range page.Rows {
				fn(row[e.Index("id")].(int64), row[e.Index("name")].(string), row)
			}
			return nil
		})
	}
	if err := walk(store.Clouds, func(id int64, name string, _ store.Row) { clouds[id] = name }); err != nil {
		return err
	}
	if err := walk(store.Regions, func(id int64, name string, row store.Row) {
		if inv.regions[id] {
			names[id] = name
			inv.places = append(inv.places, place{what: "region", entity: store.Regions, id: id, cloud: clouds[row[store.Regions.Index("cloud_id")].(int64)], name: name})
		}
	}); err != nil {
		return err
	}
	return walk(store.Cells, func(id int64, name string, row store.Row) {
		region := row[store.Cells.Index("region_id")].(int64)
		if inv.regions[region] {
			inv.places = append(inv.places, place{what: "cell", entity: store.Cells, id: id, region: region, cloud: clouds[row[store.Cells.Index("cloud_id")].(int64)], name: names[region] + "-" + name})
		}
	})
}

// nameGroups creates the groups, each with a unique name.
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
			continue // it would have only some of the hosts in "all"
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
	for i := range inv.places {
		p := &inv.places[i]
		g := group{what: p.what + " " + p.group, place: p}
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
func (inv *inventory) append(dst []byte) ([]byte, error) {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(mergeKeys(inv.groups, "_meta", "all"))) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, 1), name), ": {"...)
		var err error
		switch name {
		case "_meta":
			dst, err = inv.appendHostvars(dst)
		case "all":
			dst = inv.appendAddresses(append(jsontext.AppendNewline(dst, 2), `"hosts": `...), inv.all())
		default:
			dst, err = inv.appendGroup(dst, inv.groups[name])
		}
		if err = cmp.Or(err, inv.out.err); err != nil {
			return dst, err
		}
		dst = inv.out.room(append(jsontext.AppendNewline(dst, 1), '}'))
	}
	return append(jsontext.AppendNewline(dst, 0), '}'), nil
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

func (inv *inventory) appendHostvars(dst []byte) ([]byte, error) {
	dst = append(jsontext.AppendNewline(dst, 2), `"hostvars": {`...)
	hosts := slices.Clone(inv.hosts)
	slices.SortFunc(hosts, func(a, b inventoryHost) int { return cmp.Compare(a.address.String(), b.address.String()) })
	first := true
	for some := range slices.Chunk(hosts, inventoryPage) {
		rows, err := inv.rows(store.Hosts, some)
		if err != nil {
			return dst, err
		}
		err = inv.view.Sets(inv.ctx, store.Hosts, rows, store.Resolved, func(i int, set store.Set) error {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, 3), some[i].address.String()), ": "...)
			dst = inv.out.room(inv.out.appendVariables(dst, set, 3))
			return inv.out.err
		})
		if err != nil {
			return dst, err
		}
	}
	if len(hosts) > 0 {
		dst = jsontext.AppendNewline(dst, 2)
	}
	return append(dst, '}'), nil
}

// rows reads the rows of some hosts, in their order.
func (inv *inventory) rows(e *store.Entity, some []inventoryHost) ([]store.Row, error) {
	at := make(map[int64]int, len(some))
	ids := make([]int64, len(some))
	for i, h := range some {
		at[h.id], ids[i] = i, h.id
	}
	found, err := inv.view.Rows(inv.ctx, e, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]store.Row, len(some))
	for _, row := range found {
		rows[at[row[e.Index("id")].(int64)]] = row
	}
	return rows, nil
}

func (inv *inventory) appendGroup(dst []byte, g group) ([]byte, error) {
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
		slices.SortFunc(g.hosts, inv.byAddress)
		dst = inv.appendAddresses(append(dst, `"hosts": `...), g.hosts)
	}
	comma()
	dst = append(dst, `"vars": `...)
	if g.place == nil {
		return append(dst, "{}"...), nil
	}
	rows, err := inv.view.Rows(inv.ctx, g.place.entity, []int64{g.place.id})
	if err != nil {
		return dst, err
	}
	err = inv.view.Sets(inv.ctx, g.place.entity, rows, store.Own, func(_ int, set store.Set) error {
		dst = inv.out.appendVariables(dst, set, 2)
		return inv.out.err
	})
	return dst, err
}

func (inv *inventory) appendAddresses(dst []byte, set []int32) []byte {
	if len(set) == 0 {
		return append(dst, "[]"...)
	}
	sep := byte('[')
	for _, n := range set {
		dst = jsontext.AppendNewline(append(dst, sep), 3)
		dst = inv.out.room(jsontext.AppendString(dst, inv.hosts[n].address.String()))
		sep = ','
	}
	return append(jsontext.AppendNewline(dst, 2), ']')
}
