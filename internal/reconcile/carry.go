package reconcile

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// A recreated device keeps its interfaces and the devices that have it as their parent, which would otherwise be
// deleted, or prevent the deletion. Nothing is deleted before everything is in its new place: the new device is created
// next to the old one, under a temporary name; it gets copies of the interfaces, and the children; then the old device
// is deleted, which the API refuses while it still has children, and the new one gets the name. Each step can fail, and
// the next run continues from there: what has been created is recognised by its name.

// recreateSuffix is the suffix of the temporary name. The inventory accepts it.
const recreateSuffix = ".recreate"

// carried is what a recreated device keeps.
type carried struct {
	name       string   // of the new device, temporarily
	half       Object   // the new device, if an interrupted run has created it
	interfaces []Object // of the old device, with all fields
	children   []Found
}

// planCarried returns what a recreated device keeps; nil for nothing.
func (fl *Fleet) planCarried(ctx context.Context, st *Step, c *contents) (*carried, error) {
	if !isDevice(st.Kind) {
		return nil, nil //nolint:nilnil // nothing goes along
	}
	out := &carried{name: st.After.Text(st.Kind.Title) + recreateSuffix}
	var err error
	if out.half, err = fl.Named(ctx, st.Kind, out.name, Filters{"region_id": st.After["region_id"]}); err != nil {
		return nil, err
	}
	if out.half == nil && len(c.interfaces)+len(c.children) == 0 {
		return nil, nil //nolint:nilnil // nothing goes along
	}
	if err := CheckLength(out.name); err != nil {
		return nil, fmt.Errorf("the %s cannot be recreated with its interfaces and children: until the old one is deleted, the new one would be called %s, which %w", Called(st.Kind, st.Before), out.name, err)
	}
	for _, i := range c.interfaces {
		if i, err = fl.Fill(ctx, schema.NetworkInterface, i); err != nil {
			return nil, err
		}
		out.interfaces = append(out.interfaces, i)
	}
	for _, child := range c.children {
		out.children = append(out.children, Found{child, kindOf(schema.Device, child)})
	}
	return out, nil
}

// Carried lists what a recreated device keeps, for people.
func (st *Step) Carried() (names []string) {
	if st.carry == nil {
		return nil
	}
	for _, i := range st.carry.interfaces {
		names = append(names, Called(schema.NetworkInterface, i))
	}
	for _, child := range st.carry.children {
		names = append(names, Called(child.Kind, child.Object))
	}
	return names
}

// replace recreates a device with what it keeps.
func (fl *Fleet) replace(ctx context.Context, st *Step, done *Done) error {
	c, k := st.carry, st.Kind
	old := Called(k, st.Before)
	var so []string // what is done
	stopped := func(err error) error {
		if len(so) == 0 {
			return fmt.Errorf("%w; the %s is unchanged", err, old)
		}
		return fmt.Errorf("%w; so far, %s. The %s still exists; run the same again to continue from there", err, strings.Join(so, ", "), old)
	}
	if err := fl.createUnderTemporaryName(ctx, st, done); err != nil {
		if done.Wrote {
			so = append(so, "its replacement, the "+Called(k, done.Object)+", was created")
		}
		return stopped(err)
	}
	half := done.Object
	so = append(so, fmt.Sprintf("its replacement, the %s, exists", Called(k, half)))
	some := func(n int, all int, what string) {
		if n > 0 {
			so = append(so, fmt.Sprintf("%d of %d %s", n, all, what))
		}
	}
	n, err := fl.copyInterfaces(ctx, c.interfaces, half[KeyID])
	some(n, len(c.interfaces), "network interfaces are on it")
	if err != nil {
		return stopped(err)
	}
	n, err = fl.adoptChildren(ctx, c.children, half[KeyID])
	some(n, len(c.children), "devices have it as their parent")
	if err != nil {
		return stopped(err)
	}
	now, err := fl.contents(ctx, k, st.Before)
	if err != nil {
		return stopped(err)
	}
	if len(now.children) > 0 || len(now.interfaces) != len(c.interfaces) {
		return stopped(fmt.Errorf("the interfaces or children of the %s changed in the meantime", old))
	}
	if err := fl.remove(ctx, st, done); err != nil && !craton.IsNotFound(err) {
		return stopped(err)
	}
	raw, err := fl.collection(k).Update(ctx, half.ID(), map[string]any{k.Title: st.After[k.Title]})
	if err == nil {
		err = (&Step{Kind: k}).take(done, raw, http.MethodPut, fl.collection(k).Path()+"/"+half.ID())
	}
	if err != nil {
		return fmt.Errorf("%w; the old %[2]s is deleted and the new one has everything that it had, but is still called %[3]q; rename it with craton %[4]s-update %[5]s --name %[6]s, or with a task that has that name and recreate: true",
			err, k.Noun(), c.name, k.Name, half.ID(), st.After.Text(k.Title))
	}
	return nil
}

// createUnderTemporaryName creates the new device under its temporary name, or completes what an interrupted run has
// created.
func (fl *Fleet) createUnderTemporaryName(ctx context.Context, st *Step, done *Done) error {
	c := st.carry
	if c.half != nil {
		w := &Wanted{Kind: st.Kind, ID: c.half.ID(), Values: map[string]any{}, Variables: st.After.Variables(), Replace: true, Labels: st.After.Labels(), ExactLabels: true}
		for _, f := range st.Kind.Fields {
			w.Values[f.Key] = st.After[f.Key]
		}
		have, err := fl.Fill(ctx, st.Kind, c.half)
		if err != nil {
			return err
		}
		more := compare(w, have)
		if len(more.Fixed) > 0 {
			return fmt.Errorf("the %s already exists, but differs from what this would create; delete it", Called(st.Kind, c.half))
		}
		*done, err = fl.Apply(ctx, more)
		return err
	}
	first := *st
	first.After, first.carry, first.Protect = maps.Clone(st.After), nil, nil
	first.After[st.Kind.Title] = c.name
	if err := fl.create(ctx, &first, done); err != nil {
		return err
	}
	for _, part := range laterParts {
		if part.has(&first) {
			if err := part.do(fl, ctx, &first, done); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyInterfaces copies interfaces to a device, unless it has them already, and returns how many it has then.
func (fl *Fleet) copyInterfaces(ctx context.Context, like []Object, to any) (n int, err error) {
	k, c := schema.NetworkInterface, fl.collection(schema.NetworkInterface)
	have, err := fl.listAll(ctx, k, Filters{deviceField.Key: to}, equals(deviceField.Key, to))
	if err != nil {
		return 0, err
	}
	for _, i := range like {
		if !slices.ContainsFunc(have, func(h Object) bool { return h[k.Title] == i[k.Title] }) {
			body := map[string]any{k.Title: i[k.Title]}
			for _, f := range k.Fields {
				if v := i[f.Key]; v != nil {
					body[f.Key] = v
				}
			}
			if v := i.Variables(); len(v) > 0 {
				body[KeyVariables] = v
			}
			body[deviceField.Key] = to
			if _, err := c.Create(ctx, body); err != nil {
				return n, fmt.Errorf("the %s could not be created on the new device: %w", Called(k, i), err)
			}
		}
		n++
	}
	return n, nil
}

// adoptChildren makes a device the parent of others, and returns how many there are.
func (fl *Fleet) adoptChildren(ctx context.Context, children []Found, parent any) (n int, err error) {
	for _, child := range children {
		_, err := fl.collection(child.Kind).Update(ctx, child.ID(), map[string]any{"parent_id": parent})
		if err != nil && !craton.IsNotFound(err) {
			return n, fmt.Errorf("the parent of the %s was not changed: %w", Called(child.Kind, child.Object), err)
		}
		n++
	}
	return n, nil
}

// unfinished returns a recreated device that still has its temporary name because the run was interrupted after the old
// device was deleted; nil for none.
func (fl *Fleet) unfinished(ctx context.Context, w *Wanted, within Filters) (Object, error) {
	if !w.Recreate || w.Absent || !isDevice(w.Kind) || CheckLength(w.Name+recreateSuffix) != nil {
		return nil, nil //nolint:nilerr // none can be called so
	}
	half, err := fl.Named(ctx, w.Kind, w.Name+recreateSuffix, within)
	if half == nil || err != nil {
		return nil, err
	}
	old, err := fl.Search(ctx, w.Kind, Filters{w.Kind.Title: w.Name})
	if len(old) > 0 { // it may be one of those for which another is created
		return nil, err
	}
	return half, err
}
