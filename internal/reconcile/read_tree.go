package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/walk"
)

// WholeFleet is the API's fleet as a tree of wanted objects.
type WholeFleet struct {
	Tree
	// Unread is set if the caller may not read the project, so that the tree lacks its variables.
	Unread bool
}

// treeKinds are the kinds of a tree, containers first.
var treeKinds = []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Network, schema.Host, schema.NetworkDevice, schema.NetworkInterface}

// ReadTree reads the fleet of the caller's project: from one response, which is one snapshot, if the server supports
// that, or else page by page. Objects contain only what is set, so that applying the tree to an empty fleet creates the
// same fleet. Ids are returned in addition. Objects are sorted by kind and name.
//
// It returns an *Error for objects that a tree cannot contain, such as a device in a cell of another region, which the
// original server allows.
func (fl *Fleet) ReadTree(ctx context.Context, parallel int) (*WholeFleet, error) {
	read := func(ctx context.Context) (*WholeFleet, error) { return fl.readPages(ctx, parallel) }
	if fl.supports(ctx, "fleet") {
		read = fl.readStream
	}
	var f *WholeFleet
	moved := func(err error) bool { return errors.Is(err, errMoved) || craton.IsMarkerGone(err) }
	err := walk.Retry(moved, func() (err error) {
		f, err = read(ctx)
		return err
	})
	return f, err
}

// errMoved means that the fleet changed while it was read.
var errMoved = errors.New("the fleet changed while it was being read; try again")

// readStream reads the fleet from one response.
func (fl *Fleet) readStream(ctx context.Context) (*WholeFleet, error) {
	s, err := fl.Client.Fleet(ctx, craton.FleetOptions{Networks: true})
	if err != nil {
		return nil, err
	}
	t := newTreeReader(fl)
	t.f.Unread = true
	err = eachStreamed(s, nil, func(line *craton.FleetLine, r *Found) {
		if line.Protected {
			r.Object[KeyProtected] = true
		}
		t.f.Unread = t.f.Unread && r.Kind != schema.Project
		t.add(r.Kind, r.Object)
	})
	if err != nil {
		return nil, err
	}
	return t.tree()
}

// readPages reads the fleet from listings, with one more request for each object that listings leave incomplete.
func (fl *Fleet) readPages(ctx context.Context, parallel int) (*WholeFleet, error) {
	t := newTreeReader(fl)
	found, err := fl.listed(ctx)
	if err != nil {
		return nil, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(parallel, 1))
	for _, r := range found {
		if r.Kind.Labels != schema.Unlabelled && r.Object.Labels() == nil || r.Variables() == nil {
			g.Go(func() (err error) {
				r.Object, err = fl.Fill(gctx, r.Kind, r.Object)
				if craton.IsNotFound(err) {
					return fmt.Errorf("%w (%s is gone)", errMoved, Called(r.Kind, r.Object))
				}
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, readError(err)
	}
	for _, r := range found {
		t.add(r.Kind, r.Object)
	}
	id := fl.Project
	for _, r := range found {
		id = cmp.Or(id, r.Text(KeyProject))
	}
	if id == "" { // there are only the project's own fields
		project, err := fl.OwnProject(ctx)
		if craton.IsForbidden(err) {
			t.f.Unread = true
			return t.tree()
		}
		if err != nil {
			return nil, err
		}
		id = project.ID()
	}
	v, err := fl.collection(schema.Project).Variables(ctx, id)
	switch {
	case craton.IsForbidden(err) || craton.IsNotFound(err):
		t.f.Unread = true
	case err != nil:
		return nil, fmt.Errorf("the project's variables cannot be read: %w", err)
	default:
		t.add(schema.Project, Object{KeyID: id, KeyVariables: v})
	}
	return t.tree()
}

// treeReader converts objects of the API to a tree.
type treeReader struct {
	*Fleet
	f       *WholeFleet
	byID    map[*schema.Kind]map[any]*Wanted // by space of names
	objects map[*Wanted]Object
	project string
	several string // another project than the first
}

func newTreeReader(fl *Fleet) *treeReader {
	return &treeReader{Fleet: fl, f: &WholeFleet{Tree: Tree{Name: "the fleet"}}, byID: map[*schema.Kind]map[any]*Wanted{}, objects: map[*Wanted]Object{}, project: fl.Project}
}

// add adds an object, if it belongs to the caller's project.
func (t *treeReader) add(k *schema.Kind, o Object) {
	project := o.Text(KeyProject)
	if k == schema.Project {
		project = o.ID()
	}
	if t.project == "" {
		t.project = project
	}
	if project != "" && !value.SameUUID(project, t.project) {
		if k != schema.Project { // root sees empty projects
			t.several = project
		}
		return
	}
	w := &Wanted{Kind: k, ID: o.ID(), Name: o.Text(k.Title), Variables: o.Variables()}
	if len(w.Variables) == 0 {
		w.Variables = nil
	}
	if o[KeyProtected] == true {
		w.Protected = new(true)
	}
	if labels := o.Labels(); len(labels) > 0 {
		w.Labels = slices.Sorted(slices.Values(labels))
	}
	if k == schema.Project {
		w.Name = ""
		if w.Variables == nil && w.Protected == nil {
			return
		}
	}
	for i := range k.Fields {
		f := &k.Fields[i]
		if v := o[f.Key]; f.Type != schema.Reference && !isDefault(f, v) {
			if w.Values == nil {
				w.Values = map[string]any{}
			}
			w.Values[f.Key] = v
		}
	}
	space := Space(k)
	if t.byID[space] == nil {
		t.byID[space] = map[any]*Wanted{}
	}
	t.byID[space][o[KeyID]] = w
	t.objects[w] = o
	t.f.Objects = append(t.f.Objects, w)
}

// isDefault reports whether a field of an object has its default value.
func isDefault(f *schema.Field, v any) bool {
	if f.Type == schema.Flag {
		return v == (f.Key == "active")
	}
	return v == nil
}

// tree joins the objects to a tree.
func (t *treeReader) tree() (*WholeFleet, error) {
	if t.several != "" && t.Project == "" {
		return nil, fmt.Errorf("the API shows objects of several projects (%s, %s); set OS_PROJECT_ID to the one that you want", t.project, t.several)
	}
	var problems Problems
	for _, w := range t.f.Objects {
		if err := t.join(w, &problems); err != nil {
			return nil, err
		}
	}
	for _, w := range t.f.Objects {
		if cell := w.Refs["cell"]; cell != nil && cell.Target.In != w.In {
			problems.Add(0, Called(w.Kind, t.objects[w]), "is in a cell of another region, %s; delete it and create it again", Called(schema.Cell, t.objects[cell.Target]))
		}
	}
	if err := problems.Err(t.f.Name); err != nil {
		return nil, err
	}
	slices.SortStableFunc(t.f.Objects, func(a, b *Wanted) int {
		if d := slices.Index(treeKinds, a.Kind) - slices.Index(treeKinds, b.Kind); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return t.f, nil
}

// join sets the container and the references of an object.
func (t *treeReader) join(w *Wanted, problems *Problems) error {
	o := t.objects[w]
	places := map[*schema.Kind]*Wanted{}
	for i := range w.Kind.Fields {
		f := &w.Kind.Fields[i]
		if f.Type != schema.Reference || o[f.Key] == nil {
			continue
		}
		space := Space(schema.ByName(f.To[0]))
		to := t.byID[space][o[f.Key]]
		if to == nil {
			return fmt.Errorf("%w (%s has %s %v, which the API does not list)", errMoved, Called(w.Kind, o), f.Key, o[f.Key])
		}
		if f.Place() && !(w.Kind == schema.Network && space == schema.Cell) {
			places[space] = to
			continue
		}
		if w.Refs == nil {
			w.Refs = map[string]*Reference{}
		}
		w.Refs[f.Option()] = &Reference{Target: to}
	}
	for _, k := range []*schema.Kind{schema.Host, schema.Cell, schema.Region, schema.Cloud} { // the innermost one contains it
		at := places[k]
		switch {
		case at == nil:
		case w.In == nil:
			w.In = at
		case t.objects[w.In][containerKey(k)] != nil && t.objects[w.In][containerKey(k)] != t.objects[at][KeyID]:
			problems.Add(0, Called(w.Kind, o), "is in %s, but also in %s, which is elsewhere; delete it and create it again", Called(w.In.Kind, t.objects[w.In]), Called(k, t.objects[at]))
		}
	}
	return nil
}

// containerKey returns the key of the field by which an object names the place of a kind.
func containerKey(k *schema.Kind) string { return k.Name + "_id" }

// Part reduces a tree to the objects that keep selects, with their containers, their parents and all further ancestors,
// and the interfaces of devices.
func (f *WholeFleet) Part(keep func(*Wanted) bool) {
	kept := map[*Wanted]bool{}
	var add func(w *Wanted)
	add = func(w *Wanted) {
		for w != nil && !kept[w] {
			kept[w] = true
			for _, ref := range w.Refs {
				add(ref.Target)
			}
			w = w.In
		}
	}
	for _, w := range f.Objects {
		if keep(w) {
			add(w)
		}
	}
	for _, w := range f.Objects {
		if w.Kind == schema.NetworkInterface && kept[w.In] {
			add(w)
		}
	}
	f.Objects = slices.DeleteFunc(f.Objects, func(w *Wanted) bool { return !kept[w] && w.Kind != schema.Project })
}
