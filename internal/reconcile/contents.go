package reconcile

import (
	"context"
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
)

// contents is what would be deleted with an object, and what prevents its deletion.
type contents struct {
	counts   []string // "2 regions"
	blockers []string // "host "web1" (id 7) has it as its parent"
	keepers  *Keepers // protected objects

	interfaces, children []Object // of a device
}

// Holds reports whether objects of a kind contain others, which are deleted with them (v1 contract §6.3). The
// interfaces of a device are parts of it, and do not count.
func Holds(k *schema.Kind) bool { return k.Labels == schema.Unlabelled && k.Contents() != nil }

// contents reads the contents of an object. It finds everything for which the API would refuse the deletion, so that
// check mode refuses it too (v1 contract §6.3).
func (fl *Fleet) contents(ctx context.Context, k *schema.Kind, o Object) (out *contents, err error) {
	out = &contents{}
	if out.keepers, err = fl.Keepers(ctx, k, o.ID()); err != nil {
		return nil, err
	}
	switch {
	case Holds(k):
		return out, fl.containerContents(ctx, k, o, out)
	case k.Labels != schema.Unlabelled:
		children, err := fl.listAll(ctx, schema.Device, Filters{"parent_id": o[KeyID]}, equals("parent_id", o[KeyID]))
		if err != nil {
			return nil, err
		}
		for _, c := range children {
			out.block(schema.Device, c, "has it as its parent")
		}
		out.children = children
		interfaces, err := fl.listAll(ctx, schema.NetworkInterface, Filters{deviceField.Key: o[KeyID]}, equals(deviceField.Key, o[KeyID]))
		out.interfaces = interfaces
		out.count(schema.NetworkInterface, interfaces)
		return out, err
	case k == schema.Network:
		interfaces, err := fl.listAll(ctx, schema.NetworkInterface, nil, equals("network_id", o[KeyID]))
		for _, i := range interfaces {
			out.block(schema.NetworkInterface, i, "is on it")
		}
		return out, err
	}
	return out, nil
}

// containerContents reads the contents of a project, cloud, region or cell, and objects outside that depend on
// something inside.
func (fl *Fleet) containerContents(ctx context.Context, k *schema.Kind, o Object, out *contents) error {
	key := k.ContentKey()
	inside := equals(key, o[KeyID])
	filter := Filters{key: o[KeyID]}
	devices, err := fl.listAll(ctx, schema.Device, nil, func(Object) bool { return true })
	if err != nil {
		return err
	}
	within, on := map[any]bool{}, map[any]bool{}
	byKind := map[*schema.Kind][]Object{}
	for _, d := range devices {
		if inside(d) {
			within[d[KeyID]] = true
			byKind[kindOf(schema.Device, d)] = append(byKind[kindOf(schema.Device, d)], d)
		}
	}
	for _, kind := range k.Contents() {
		found := byKind[kind]
		switch {
		case kind == schema.NetworkInterface: // deleted with their devices
			continue
		case kind.Labels == schema.Unlabelled:
			if found, err = fl.listAll(ctx, kind, filter, inside); err != nil {
				return err
			}
		}
		out.count(kind, found)
		if kind == schema.Network {
			for _, n := range found {
				on[n[KeyID]] = true
			}
		}
	}
	for _, d := range devices {
		if !inside(d) && within[d["parent_id"]] {
			out.block(schema.Device, d, "has a parent in it")
		}
	}
	if len(on) == 0 {
		return nil
	}
	outside, err := fl.listAll(ctx, schema.NetworkInterface, nil, func(i Object) bool { return on[i["network_id"]] && !within[i[deviceField.Key]] })
	for _, i := range outside {
		out.block(schema.NetworkInterface, i, "is on a network in it")
	}
	return err
}

// isEmpty returns an error that names an object in a container, if there is one.
func (fl *Fleet) isEmpty(ctx context.Context, k *schema.Kind, o Object) error {
	key := k.ContentKey()
	for _, kind := range k.Contents() {
		if kind == schema.NetworkInterface { // deleted with their devices
			continue
		}
		for held, err := range fl.list(ctx, kind, Filters{key: o[KeyID]}) {
			if err != nil {
				return err
			}
			if held[key] == o[KeyID] {
				return fmt.Errorf("it contains the %s, which was added in the meantime and would be deleted with it", Called(kind, held))
			}
		}
	}
	return nil
}

func equals(key string, value any) func(Object) bool {
	return func(o Object) bool { return o[key] == value }
}

func (c *contents) block(k *schema.Kind, o Object, why string) {
	c.blockers = append(c.blockers, Called(kindOf(k, o), o)+" "+why)
}

func (c *contents) count(k *schema.Kind, found []Object) {
	switch n := len(found); n {
	case 0:
	case 1:
		c.counts = append(c.counts, "1 "+k.Noun())
	default:
		c.counts = append(c.counts, fmt.Sprintf("%d %ss", n, k.Noun()))
	}
}

// maxBlockers is the maximum number of blocking objects that an error names.
const maxBlockers = 5

// guard refuses a step that would delete more than the task allows.
func (st *Step) guard(w *Wanted, c *contents) error {
	called := Called(st.Kind, st.Before)
	if st.carry != nil {
		c = &contents{keepers: c.keepers}
	}
	if why := c.keepers.String(); why != "" {
		return fmt.Errorf("the %s cannot be deleted: %s; %s", called, why, c.keepers.Advice(st.Kind, st.Before.ID()))
	}
	if n := len(c.blockers); n > 0 {
		named := c.blockers[:min(n, maxBlockers)]
		more := ""
		if n > maxBlockers {
			more = fmt.Sprintf(", and %d more", n-maxBlockers)
		}
		return fmt.Errorf("the %s cannot be deleted: %s%s; move, detach or delete that first", called, strings.Join(named, ", "), more)
	}
	holds := strings.Join(c.counts, ", ")
	switch {
	case holds == "":
	case st.Create:
		return fmt.Errorf("the %s cannot be recreated: that would delete what it contains: %s; move or delete that first", called, holds)
	case Holds(st.Kind) && !w.Force:
		return fmt.Errorf("the %s is not empty, and the API would delete what it contains: %s; delete that first, or set force: true", called, holds)
	}
	return nil
}
