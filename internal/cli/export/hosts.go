package export

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/prometheus"
	"github.com/craton-fleet/craton/inventory"
)

// host is a host of the inventory.
type host struct {
	*inventory.Device
	name                string // in the inventory
	cloud, region, cell string
	parent              string
	variable            func(name string) (json string, ok bool) // resolved, as in hostvars
}

// hosts returns the inventory's hosts, sorted by name.
func (e *exporter) hosts(ctx context.Context) ([]host, error) {
	o := e.inventory
	o.Groups, o.ProjectGroup = []inventory.GroupKind{inventory.LabelGroups}, "" // so that labels are read
	f, err := e.load(ctx, &o)
	if err != nil {
		return nil, err
	}
	all := make([]host, len(f.Hosts))
	for i, d := range f.Hosts {
		h := &all[i]
		h.Device, h.name = d, f.HostName(d, &o)
		h.cloud, h.region, h.cell = f.Places(d)
		if p := f.Devices[d.ParentID]; p != nil {
			h.parent = p.Name
		}
		h.variable = func(name string) (string, bool) {
			if o.Excludes(name) {
				return "", false
			}
			return f.Variable(d, name)
		}
	}
	slices.SortFunc(all, func(a, b host) int { return cmp.Or(strings.Compare(a.name, b.name), a.ID-b.ID) })
	return all, nil
}

// hostList returns a format that consists of hosts.
func hostList(write func(*exporter, io.Writer, []host) error) func(context.Context, *exporter) (func(io.Writer) error, error) {
	return func(ctx context.Context, e *exporter) (func(io.Writer) error, error) {
		hosts, err := e.hosts(ctx)
		if err != nil {
			return nil, err
		}
		return func(w io.Writer) error { return write(e, w, hosts) }, nil
	}
}

// leftOut counts what a format cannot represent, by the reason.
type leftOut struct {
	what  string // such as "omitted"
	count map[string]int
	names map[string][]string
	order []string
}

func (l *leftOut) add(reason, name string) {
	if l.count == nil {
		l.count, l.names = map[string]int{}, map[string][]string{}
	}
	if l.count[reason]++; l.count[reason] == 1 {
		l.order = append(l.order, reason)
	}
	const shown = 5
	if len(l.names[reason]) < shown {
		l.names[reason] = append(l.names[reason], name)
	}
}

// print prints what was left out, a line for each reason.
func (l *leftOut) print(e *exporter) {
	for _, reason := range l.order {
		n, hosts := l.count[reason], "host"
		if n > 1 {
			hosts = "hosts"
		}
		more := ""
		if n > len(l.names[reason]) {
			more = ", ..."
		}
		e.warn("%d %s %s: %s (%s%s)", n, hosts, l.what, reason, strings.Join(l.names[reason], ", "), more)
	}
}

// reasonError is the reason why a host, or a part of it, cannot be in a file.
type reasonError struct{ error }

func reasonf(format string, args ...any) error { return reasonError{fmt.Errorf(format, args...)} }

// unique leaves out hosts with the same name as others: a reader would confuse them.
func unique(hosts []host, out *leftOut) []host {
	var kept []host
	for i := range hosts {
		if i > 0 && hosts[i-1].name == hosts[i].name || i+1 < len(hosts) && hosts[i+1].name == hosts[i].name {
			out.add("another host has the same name (CRATON_INVENTORY_HOSTNAME=qualified makes them distinct)", hosts[i].name)
			continue
		}
		kept = append(kept, hosts[i])
	}
	return kept
}

// plainText returns the first of some variables that a host has, as text if it is one or a number; "" if all are
// missing or null.
func plainText(h *host, names ...string) (text, from string, err error) {
	for _, name := range names {
		raw, ok := h.variable(name)
		if !ok || raw == "null" {
			continue
		}
		switch v := gjson.Parse(raw); v.Type {
		case gjson.String:
			return v.Str, name, nil
		case gjson.Number:
			return raw, name, nil
		default:
			return "", name, reasonf("%s is not text", name)
		}
	}
	return "", "", nil
}

// writeTargets returns the format prometheus.
func writeTargets(e *exporter, w io.Writer, hosts []host) error {
	out, odd := leftOut{what: "omitted"}, leftOut{what: "exported without the value of a variable"}
	sep := "[\n"
	for i := range hosts {
		h := &hosts[i]
		target, problems := e.targets.Append(nil, &prometheus.Host{
			Name: h.Name, Address: h.IPAddress, Cloud: h.cloud, Region: h.region, Cell: h.cell, Type: h.DeviceType,
			Active: h.Active, Labels: h.Labels, Variable: h.variable,
		})
		for _, p := range problems {
			if target == nil {
				out.add(p, h.name)
			} else {
				odd.add(p, h.name)
			}
		}
		if target == nil {
			continue
		}
		if _, err := io.WriteString(w, sep+e.shown(string(target))); err != nil {
			return err
		}
		sep = ",\n"
	}
	end := "\n]\n"
	if sep == "[\n" {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	out.print(e)
	odd.print(e)
	return err
}
