package modules

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/walk"
	"github.com/craton-fleet/craton/modules/ansible"
)

// fleet is the API as a task sees it.
type fleet struct {
	client *craton.Client
	// project is the caller's, "" where there is only one. Who sees several, an admin of the original or root, gets
	// by name only what is in it.
	project string
}

// missing is an object that a task names and that is not there.
type missing struct{ what string }

func (m *missing) Error() string { return m.what }

// search lists the objects of one kind that match the filters. Those that the API does not know, or does not
// compare exactly, are compared here, as far as objects have such a key.
func (fl *fleet) search(ctx context.Context, r *resource, f filters) ([]object, error) {
	sent := maps.Clone(f)
	delete(sent, "username")
	if name, ok := f["username"]; ok { // the API calls the parameter name
		sent["name"] = name
	}
	return walk.All(craton.IsMarkerGone, func() iter.Seq2[object, error] { return r.service.list(ctx, fl.client, sent) }, func(o object) bool {
		for key, want := range f {
			have, ok := o[key]
			fd := r.fieldOfKey(key)
			switch {
			case !ok && !strings.HasSuffix(key, "_id") && key != r.key: // label, vars, details
			case r.name == nameDevice && key == "parent_id": // descendants have other parents
			case fd != nil && fd.equal(have, want):
			case have != want:
				return false
			}
		}
		return r.name == nameProject || r.name == nameUser || fl.mine(o)
	})
}

func (r *resource) fieldOfKey(key string) *field {
	i := slices.IndexFunc(r.fields, func(f field) bool { return f.api() == key })
	if i < 0 {
		return nil
	}
	return &r.fields[i]
}

// mine tells objects of the caller's project.
func (fl *fleet) mine(o object) bool {
	return fl.project == "" || value.SameUUID(o.text(keyProject), fl.project)
}

var isID = regexp.MustCompile(`^[0-9]{1,18}$`)

// isID tells texts that can be an id of this kind.
func (r *resource) isID(text string) bool {
	if r.name == nameProject {
		return value.IsUUID(text)
	}
	return isID.MatchString(text)
}

// reference finds what an option names: an object with exactly that name, or whose place and name the text is, else the
// one with that id, among the kinds and within the place. An object outside of the place does not count.
func (fl *fleet) reference(ctx context.Context, f *field, text string, place filters) (object, error) {
	return fl.other(ctx, f, text, place, nil)
}

// other is reference for an option of the object with the id self: where several have the name, it is not meant itself.
func (fl *fleet) other(ctx context.Context, f *field, text string, place filters, self any) (object, error) {
	var found []object
	var of []*resource
	for _, r := range kinds(f.kinds...) {
		list, err := fl.mentioned(ctx, r, text, place)
		if err != nil && !(r.name == nameProject && craton.IsForbidden(err)) { // who may not list projects may name one by its id
			return nil, err
		}
		for _, o := range list {
			found, of = append(found, o), append(of, r)
		}
	}
	if i := slices.IndexFunc(found, equals(keyID, self)); i >= 0 && len(found) > 1 {
		found, of = slices.Delete(found, i, i+1), slices.Delete(of, i, i+1)
	}
	switch len(found) {
	case 0:
		return fl.byID(ctx, f, text, place)
	case 1:
		return found[0], nil
	}
	return nil, fl.ambiguous(ctx, f.option, text, found, of)
}

// mentioned lists what a text can mean: name, region/name or cloud/region/name, as in a fleet file. Names may hold slashes
// themselves, so every reading counts.
func (fl *fleet) mentioned(ctx context.Context, r *resource, text string, place filters) (found []object, err error) {
	within := filters{}
	maps.Copy(within, place)
	within[r.key] = text
	if found, err = fl.search(ctx, r, within); err != nil || len(r.holders()) == 0 {
		return found, err
	}
	for i, c := range text {
		if c != '/' {
			continue
		}
		within[r.key] = text[i+1:]
		list, err := fl.search(ctx, r, within)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			is, err := fl.standsIn(ctx, r, o, text[:i])
			if err != nil {
				return nil, err
			}
			if is {
				found = append(found, o)
			}
		}
	}
	return found, nil
}

// standsIn tells whether a path of names, of the innermost holder or of several, is where an object stands.
func (fl *fleet) standsIn(ctx context.Context, r *resource, o object, path string) (bool, error) {
	at := ""
	for _, holder := range slices.Backward(r.holders()) {
		id, ok := o[holder+"_id"]
		if !ok || id == nil {
			return false, nil
		}
		of := kinds(holder)[0]
		in, err := of.service.get(ctx, fl.client, fmt.Sprint(id))
		if err != nil {
			return false, err
		}
		if at = "/" + in.text(of.key) + at; at == "/"+path {
			return true, nil
		}
	}
	return false, nil
}

func (fl *fleet) byID(ctx context.Context, f *field, text string, place filters) (object, error) {
	var nouns []string
	for _, r := range kinds(f.kinds...) {
		nouns = append(nouns, r.noun)
		if !r.isID(text) {
			continue
		}
		o, err := r.service.get(ctx, fl.client, text)
		if craton.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, key := range places {
			want, asked := place[key]
			if have := o[key]; asked && have != want {
				kind := strings.TrimSuffix(key, "_id")
				return nil, &missing{fmt.Sprintf("%s: the %s is in the %s %s, and the task asks for %s", f.option, r.called(o), kind,
					shown(fl.nameOf(ctx, have, kind)), shown(fl.nameOf(ctx, want, kind)))}
			}
		}
		return o, nil
	}
	return nil, &missing{fmt.Sprintf("%s: there is no %s %q%s; create it first, or correct the name or id", f.option, strings.Join(nouns, " or "), text, fl.where(ctx, object(place)))}
}

// places are the keys that say where an object stands, outermost first.
var places = []string{"cloud_id", "region_id", "cell_id", "device_id"}

// where says where an object stands, by the names that people know: , in cloud "east", region "dfw".
func (fl *fleet) where(ctx context.Context, o object) string {
	var in []string
	for _, key := range places {
		if id := o[key]; id != nil {
			kind := strings.TrimSuffix(key, "_id")
			of := []string{kind}
			if kind == optDevice {
				of = devices
			}
			in = append(in, fmt.Sprintf("%s %s", kind, shown(fl.nameOf(ctx, id, of...))))
		}
	}
	if in == nil {
		return ""
	}
	return ", in " + strings.Join(in, ", ")
}

// nameOf is the name of the object of one of some kinds that has an id; where it cannot be read, the id.
func (fl *fleet) nameOf(ctx context.Context, id any, names ...string) any {
	if id == nil {
		return nil
	}
	for _, r := range kinds(names...) {
		if o, err := r.service.get(ctx, fl.client, fmt.Sprint(id)); err == nil && o != nil {
			return o.text(r.key)
		}
	}
	return id
}

// name puts into an error what people know in the place of ids: what the task says as it says it, all else by its name, and
// with the id where it would read the same.
func (fl *fleet) name(ctx context.Context, e *unchangeable, p ansible.Params) {
	for i := range e.fixed {
		d := &e.fixed[i]
		f := e.r.field(d.option)
		if f == nil || f.form != formReference {
			continue
		}
		have, want := d.have, d.want
		d.have, d.want = fl.nameOf(ctx, have, f.kinds...), fl.nameOf(ctx, want, f.kinds...)
		if text := ""; p.Has(d.option) {
			text = p.String(d.option)
			if d.want = text; text == fmt.Sprint(want) && text != "" { // an id: so is the other
				d.have = have
			}
		}
		if d.have == d.want && d.have != nil {
			d.have, d.want = called(d.have, have), called(d.want, want)
		}
	}
}

// called is a name that another object has too.
func called(name, id any) any { return plainText(fmt.Sprintf("%q (id %v)", name, id)) }

// plainText is a text that an error shows without quotes.
type plainText string

// ambiguous says what the candidates are.
func (fl *fleet) ambiguous(ctx context.Context, option, text string, found []object, of []*resource) error {
	var lines []string
	for i, o := range found {
		line := fmt.Sprintf("%s id %s%s", of[i].noun, o.id(), fl.where(ctx, o))
		if of[i].name == nameUser || of[i].name == nameProject {
			line += fmt.Sprintf(", created %v", o[keyCreated])
		}
		lines = append(lines, line)
	}
	where := ""
	if paths := of[0].paths(); paths != nil && option != optName {
		where = ", as " + strings.Join(paths, " or ")
	}
	return fmt.Errorf("%s: %q is the name of %d objects; give the id of one, or say where it is%s: %s", option, text, len(found), where, strings.Join(lines, "; "))
}

// place resolves cloud, region and cell, the outer ones first; each is looked for in those that are known. What
// is inside says what is outside: a region its cloud, a cell its region. An empty text is none.
func (fl *fleet) place(ctx context.Context, given map[string]string) (ids object, project any, err error) {
	ids = object{}
	for _, f := range []*field{&inCloud, &inRegion, &inCell} {
		text, ok := given[f.option]
		if !ok {
			continue
		}
		if text == "" {
			ids[f.api()] = nil
			continue
		}
		within := filters{}
		for key, id := range ids {
			within[key] = id
		}
		o, err := fl.reference(ctx, f, text, within)
		if err != nil {
			return nil, nil, err
		}
		ids[f.api()] = o[keyID]
		for _, outer := range []string{"cloud_id", "region_id"} {
			if id, ok := o[outer]; ok && id != nil {
				ids[outer] = id
			}
		}
		project = o[keyProject]
	}
	return ids, project, nil
}

// fill reads what a listing has left out: own variables and labels.
func (fl *fleet) fill(ctx context.Context, r *resource, o object) (object, error) {
	o = o.clone()
	if _, ok := o[keyVariables]; r.variables && !ok {
		switch {
		case r.service.ownVariables != nil:
			v, err := r.service.ownVariables(ctx, fl.client, o.id())
			if err != nil {
				return nil, err
			}
			o[keyVariables] = v
		default: // only the object itself has them (v1 contract §2.3)
			whole, err := r.service.get(ctx, fl.client, o.id())
			if err != nil {
				return nil, err
			}
			o = whole
		}
	}
	if r.variables && o.variables() == nil {
		o[keyVariables] = craton.Variables{}
	}
	if r.labels && o.labels() == nil {
		labels, err := labelsOf(r, o).service.labels(fl.client).Labels(ctx, o.int(keyID))
		if err != nil {
			return nil, err
		}
		o[keyLabels] = append([]string{}, labels...)
	}
	return r.complete(o), nil
}

// labelsOf is the resource whose labels an object has: a device's kind says it.
func labelsOf(r *resource, o object) *resource {
	if kind := o.text(keyKind); kind != "" {
		return kinds(kind)[0]
	}
	return r
}
