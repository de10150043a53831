package api

import (
	"context"
	"math"
	"strings"

	"github.com/craton-fleet/craton/internal/prometheus"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server/store"
)

var targetParams = []param{
	pRegionID, pCloudID, pCellID, pDeviceType, {name: "label", kind: str}, {name: "active", kind: boolean, column: "active"}, pVars, pWhere,
	{name: "port", kind: str}, {name: "port_variable", kind: str}, {name: "path_variable", kind: str}, {name: "scheme_variable", kind: str},
	{name: "address_variable", kind: str}, {name: "labels", kind: str},
}

// targetsPage is the number of hosts that are read at once, lightTargets the number that a light view reads.
const (
	targetsPage  = 500
	lightTargets = 2000
)

// serveTargets serves GET /v1/prometheus, which the original server does not have: the hosts as targets for
// Prometheus's http_sd_configs, in one response from one snapshot, [] if there are none. The contents of targets are
// defined in package prometheus, which the command line uses too.
func serveTargets(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, targetParams, false)
	if err != nil {
		return err
	}
	l, err := q.listing(schema.Host)
	if err != nil {
		return err
	}
	l.Limit, l.Labels, l.VarsOfAll = targetsPage, true, true
	o, err := targetOptions(q)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, name := range o.Variables() {
		wanted[name] = true
	}
	most := lightTargets
	return c.read(func(ctx context.Context, v *store.View) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: hosts.scopeKinds()}); known || err != nil {
			return err
		}
		t := targets{call: c, ctx: ctx, view: v, options: o, wanted: wanted, places: map[*store.Entity]map[int64]string{}}
		err := t.write(l, most)
		if err != nil {
			most = math.MaxInt // the next attempt is a full view
		}
		return err
	})
}

// targetOptions parses the query. A variable without a name is ignored.
func targetOptions(q query) (prometheus.Options, error) {
	o := prometheus.DefaultOptions()
	for name, into := range map[string]*string{
		"port": &o.Port, "port_variable": &o.PortVariable, "path_variable": &o.PathVariable, "scheme_variable": &o.SchemeVariable, "address_variable": &o.AddressVariable,
	} {
		if a, given := q.get(name); given {
			*into = a.text
		}
	}
	if words := q.text("labels"); words != "" {
		o.Labels = prometheus.ParseLabels(strings.Split(words, ","))
	}
	if err := o.Check(); err != nil {
		return o, fail(400, "%s", err)
	}
	return o, nil
}

// targets is a response under construction.
type targets struct {
	*call
	ctx     context.Context //nolint:containedctx // that of the view
	view    *store.View
	options prometheus.Options
	wanted  map[string]bool // names of variables
	places  map[*store.Entity]map[int64]string
	any     bool // a target was written already
	one     []byte
}

func (t *targets) write(l store.List, most int) error {
	for _, e := range []*store.Entity{store.Clouds, store.Regions, store.Cells} {
		if err := t.readNames(e); err != nil {
			return err
		}
	}
	n := 0
	t.buf = append(t.buf, '[')
	err := t.view.Walk(t.ctx, store.Hosts, t.caller.scope(), l, func(page *store.Page) error {
		if n += len(page.Rows); n > most {
			return store.ErrViewTooLarge
		}
		return t.view.Sets(t.ctx, store.Hosts, page.Rows, store.Resolved, func(i int, set store.Set) error {
			return t.target(page.Rows[i], page.Labels[i], set)
		})
	})
	if t.any {
		t.buf = append(t.buf, '\n')
	}
	t.buf = append(t.buf, "]\n"...)
	return err
}

// target appends the target of a host.
func (t *targets) target(row store.Row, labels []string, set store.Set) error {
	variables := map[string]string{}
	if len(t.wanted) > 0 {
		for v, err := range set.All() {
			if err != nil {
				return err
			}
			if t.wanted[v.Name] {
				variables[v.Name] = v.Value
			}
		}
	}
	e := store.Hosts
	text := func(column string) string {
		s, _ := row[e.Index(column)].(string)
		return s
	}
	in := func(place *store.Entity, column string) string {
		id, _ := row[e.Index(column)].(int64)
		return t.places[place][id]
	}
	active, _ := row[e.Index("active")].(bool)
	target, _ := t.options.Append(t.one[:0], &prometheus.Host{
		Name: text("name"), Address: text("ip_address"), Type: text("device_type"), Active: active, Labels: labels,
		Cloud: in(store.Clouds, "cloud_id"), Region: in(store.Regions, "region_id"), Cell: in(store.Cells, "cell_id"),
		Variable: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	})
	if t.one = target; len(target) == 0 { // not a valid address
		return nil
	}
	sep := ",\n"
	if !t.any {
		sep, t.any = "\n", true
	}
	t.buf = t.out.room(append(append(t.buf, sep...), target...))
	return t.out.err
}

// readNames reads the names of all places of a kind.
func (t *targets) readNames(e *store.Entity) error {
	names := map[int64]string{}
	t.places[e] = names
	id, name := e.Index("id"), e.Index("name")
	return t.view.Walk(t.ctx, e, t.caller.scope(), store.List{Sort: []string{"id"}, Limit: targetsPage}, func(page *store.Page) error {
		for _, row := range page.Rows {
			names[row[id].(int64)] = row[name].(string) //nolint:forcetypeassert // neither can be null
		}
		return nil
	})
}
