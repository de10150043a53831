package modules

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/walk"
)

// contents are what a delete of an object would take along, and what forbids it.
type contents struct {
	counts   []string // "2 regions"
	blockers []string // "host "web1" (id 7) has it as its parent"
}

// contents reads them. What the API refuses is found here, so that check mode refuses it too
// (v1 contract §6.3).
func (fl *fleet) contents(ctx context.Context, r *resource, o object) (*contents, error) {
	out := &contents{}
	switch {
	case r.inside != "":
		return out, fl.containerContents(ctx, r, o, out)
	case r.rival != "":
		children, err := fl.all(ctx, device, filters{"parent_id": o[keyID]}, equals("parent_id", o[keyID]))
		if err != nil {
			return nil, err
		}
		for _, c := range children {
			out.blockers = append(out.blockers, kinds(c.text(keyKind))[0].called(c)+" has it as its parent")
		}
		interfaces, err := fl.all(ctx, networkInterface, filters{"device_id": o[keyID]}, equals("device_id", o[keyID]))
		out.count(networkInterface, interfaces)
		return out, err
	case r.name == nameNetwork:
		interfaces, err := fl.all(ctx, networkInterface, nil, equals("network_id", o[keyID]))
		for _, i := range interfaces {
			out.blockers = append(out.blockers, networkInterface.called(i)+" is on it")
		}
		return out, err
	}
	return out, nil
}

// containerContents reads what a project, cloud, region or cell holds, and what outside of it needs
// something inside.
func (fl *fleet) containerContents(ctx context.Context, r *resource, o object, out *contents) error {
	inside := equals(r.inside, o[keyID])
	filter := filters{r.inside: o[keyID]}
	count := func(kind *resource, has bool) ([]object, error) {
		if !has {
			return nil, nil
		}
		found, err := fl.all(ctx, kind, filter, inside)
		out.count(kind, found)
		return found, err
	}
	for _, kind := range []*resource{user, cloud, region, cell} {
		has := r.name == nameProject || kind.fieldOfKey(r.inside) != nil
		if _, err := count(kind, has); err != nil {
			return err
		}
	}
	every, err := fl.all(ctx, device, nil, func(object) bool { return true })
	if err != nil {
		return err
	}
	within := map[any]bool{}
	byKind := map[string][]object{}
	for _, d := range every {
		if inside(d) {
			within[d[keyID]] = true
			byKind[d.text(keyKind)] = append(byKind[d.text(keyKind)], d)
		}
	}
	for _, kind := range []*resource{host, networkDevice} {
		out.count(kind, byKind[kind.name])
	}
	for _, d := range every {
		if !inside(d) && within[d["parent_id"]] {
			out.blockers = append(out.blockers, kinds(d.text(keyKind))[0].called(d)+" has a parent in it")
		}
	}
	networks, err := count(network, true)
	if err != nil || len(networks) == 0 {
		return err
	}
	on := map[any]bool{}
	for _, n := range networks {
		on[n[keyID]] = true
	}
	outside, err := fl.all(ctx, networkInterface, nil, func(i object) bool { return on[i["network_id"]] && !within[i["device_id"]] })
	for _, i := range outside {
		out.blockers = append(out.blockers, networkInterface.called(i)+" is on a network in it")
	}
	return err
}

// all lists objects whatever their project.
func (fl *fleet) all(ctx context.Context, r *resource, f filters, keep func(object) bool) ([]object, error) {
	return walk.All(craton.IsMarkerGone, func() iter.Seq2[object, error] { return r.service.list(ctx, fl.client, f) }, keep)
}

func equals(key string, value any) func(object) bool {
	return func(o object) bool { return o[key] == value }
}

func (c *contents) count(r *resource, found []object) {
	switch n := len(found); n {
	case 0:
	case 1:
		c.counts = append(c.counts, "1 "+r.noun)
	default:
		c.counts = append(c.counts, fmt.Sprintf("%d %s", n, r.nouns))
	}
}

// maxBlockers is how many an error names.
const maxBlockers = 5

// guard refuses a plan that would delete more than the task says.
func (r *resource) guard(p *plan, w *want, c *contents) error {
	if n := len(c.blockers); n > 0 {
		named := c.blockers[:min(n, maxBlockers)]
		more := ""
		if n > maxBlockers {
			more = fmt.Sprintf(", and %d more", n-maxBlockers)
		}
		return fmt.Errorf("the %s cannot be deleted: %s%s; move, detach or delete that first", r.called(p.before), strings.Join(named, ", "), more)
	}
	holds := strings.Join(c.counts, ", ")
	switch {
	case holds == "":
	case p.create:
		return fmt.Errorf("the %s cannot be made anew: that would delete what it holds: %s; move or delete that first", r.called(p.before), holds)
	case r.inside != "" && !w.force:
		return fmt.Errorf("the %s is not empty, and the API would delete what it holds: %s; delete that first, or set force: true", r.called(p.before), holds)
	}
	return nil
}
