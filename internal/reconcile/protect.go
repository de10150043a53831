package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// FeatureProtected is the capability of servers that can protect objects from deletion.
const FeatureProtected = "protected"

// ErrCannotProtect is the error if the server cannot protect objects.
var ErrCannotProtect = errors.New("this server cannot protect objects; craton server and CRATON_URL=sqlite:PATH can")

// CheckProtect returns [ErrCannotProtect] if the server cannot protect objects.
func (fl *Fleet) CheckProtect(ctx context.Context) error {
	has, err := fl.has(ctx, FeatureProtected)
	if err == nil && !has {
		err = ErrCannotProtect
	}
	return err
}

// fillProtected reads whether an object is protected, which is not part of the object's response.
func (fl *Fleet) fillProtected(ctx context.Context, k *schema.Kind, o Object) (err error) {
	if o[KeyProtected], err = fl.collection(k).Protected(ctx, o.ID()); err != nil {
		err = fmt.Errorf("whether it is protected cannot be read: %w", err)
	}
	return err
}

// Protected returns which objects of a kind, among those with the ids, are protected, by the texts of their ids; none
// if the server cannot protect objects.
func (fl *Fleet) Protected(ctx context.Context, k *schema.Kind, ids []string) (map[string]bool, error) {
	on := map[string]bool{}
	if len(ids) == 0 {
		return on, nil
	}
	if k == schema.Project { // each reports itself
		for _, id := range ids {
			is, err := fl.collection(k).Protected(ctx, id)
			if err != nil && !craton.IsNotFound(err) {
				return nil, err
			}
			on[id] = is
		}
		return on, nil
	}
	all, err := fl.Client.Protected(ctx, craton.ProtectedOptions{})
	if craton.IsNotFound(err) { // reading the capabilities would be one more request
		err = nil
	}
	kinds := []*schema.Kind{k}
	if k.View {
		kinds = []*schema.Kind{schema.Host, schema.NetworkDevice}
	}
	for _, kind := range kinds {
		for _, id := range all[craton.Kind(kind.Name)] {
			on[strconv.Itoa(id)] = true
		}
	}
	return on, err
}

// protected reads the protection of the objects of a tree, if the tree sets any.
func (l *loader) protected(ctx context.Context) error {
	var asked []*Wanted
	for _, w := range l.tree.Objects {
		if w.Protected != nil {
			asked = append(asked, w)
		}
	}
	if asked == nil {
		return nil
	}
	if err := l.CheckProtect(ctx); errors.Is(err, ErrCannotProtect) {
		return nil // each object reports it: see planner.refuse
	} else if err != nil {
		return err
	}
	l.state.protects = true
	all, err := l.Client.Protected(ctx, craton.ProtectedOptions{})
	if err != nil {
		return fmt.Errorf("what is protected cannot be read: %w", err)
	}
	known := map[needKey]bool{}
	for kind, ids := range all {
		if k := schema.ByName(string(kind)); k != nil {
			for _, id := range ids {
				known[needKey{Space(k), id}] = true
			}
		}
	}
	records := finder{state: l.state}
	for _, w := range asked {
		switch r := records.find(w); {
		case r == nil:
		case r.Kind == schema.Project:
			if r.Object[KeyID] == nil {
				if r.Object[KeyID], err = l.ownID(ctx); err != nil {
					return err
				}
			}
			if err := l.fillProtected(ctx, r.Kind, r.Object); err != nil {
				return fmt.Errorf("the project: %w", err)
			}
		default:
			r.Object[KeyProtected] = known[needKey{Space(r.Kind), r.Object[KeyID]}]
		}
	}
	return nil
}

// protect protects the object, or unprotects it.
func (fl *Fleet) protect(ctx context.Context, st *Step, done *Done) error {
	if err := fl.collection(st.Kind).Protect(ctx, done.Object.ID(), *st.Protect); err != nil {
		return fmt.Errorf("%s was not set: %w", KeyProtected, err)
	}
	done.Object[KeyProtected], done.Wrote = *st.Protect, true
	return nil
}

// Keepers are the protected objects that prevent the deletion of an object: itself, or something in it that would be
// deleted too.
type Keepers struct {
	Self bool
	In   []Found // the first ones of Count
	N    int
}

// maxKeepers is the maximum number of them that are named.
const maxKeepers = 3

// Keepers finds them. If the server cannot protect objects, there are none.
func (fl *Fleet) Keepers(ctx context.Context, k *schema.Kind, id string) (*Keepers, error) {
	out := &Keepers{}
	if err := fl.CheckProtect(ctx); errors.Is(err, ErrCannotProtect) || !k.Protects() {
		return out, nil
	} else if err != nil {
		return nil, err
	}
	var err error
	if out.Self, err = fl.collection(k).Protected(ctx, id); err != nil || k.Contents() == nil {
		return out, err
	}
	in := craton.ProtectedOptions{}
	switch at := map[string]*int{"cloud_id": &in.CloudID, "region_id": &in.RegionID, "cell_id": &in.CellID, deviceField.Key: &in.DeviceID}[k.ContentKey()]; {
	case k == schema.Project:
		in.ProjectID = id
	case at == nil: // it has no contents
		return out, nil
	default:
		if _, err := fmt.Sscan(id, at); err != nil {
			return nil, err
		}
	}
	all, err := fl.Client.Protected(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, held := range schema.All() {
		for _, id := range all[craton.Kind(held.Name)] {
			if out.N++; len(out.In) == maxKeepers {
				continue
			}
			o, err := fl.read(ctx, held, fmt.Sprint(id))
			if err != nil && !craton.IsNotFound(err) {
				return nil, err
			}
			if err == nil {
				out.In = append(out.In, Found{o, held})
			}
		}
	}
	return out, nil
}

// String says what is protected, and what to do: "it is protected; ...". It is "" if nothing is.
func (kp *Keepers) String() string {
	if !kp.Self && kp.N == 0 {
		return ""
	}
	if kp.Self {
		return "it is protected"
	}
	var names []string
	for _, f := range kp.In {
		names = append(names, Called(f.Kind, f.Object))
	}
	what, are := strings.Join(names, ", "), "is"
	if more := kp.N - len(names); more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	if kp.N > 1 {
		are = "are"
	}
	return what + " in it " + are + " protected"
}

// Unprotect returns the commands that unprotect the objects named by String.
func (kp *Keepers) Unprotect(k *schema.Kind, id string) string {
	if kp.Self {
		return "craton unprotect " + k.Name + " " + id
	}
	var commands []string
	for _, f := range kp.In {
		commands = append(commands, "craton unprotect "+f.Kind.Name+" "+f.Object.ID())
	}
	return strings.Join(commands, ", ")
}

// Advice returns what to do about the objects named by String.
func (kp *Keepers) Advice(k *schema.Kind, id string) string {
	return unprotectFirst(kp.Unprotect(k, id))
}

// unprotectFirst returns what to do about protected objects, with the commands for it.
func unprotectFirst(commands string) string {
	return fmt.Sprintf("unprotect it first (%s, in a task protected: false)", commands)
}
