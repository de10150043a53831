package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/walk"
)

// Fleet is the API from the engine's perspective.
type Fleet struct {
	Client *craton.Client
	// Project is the caller's project, "" if there is only one. For callers that see several projects (an admin of the
	// original server, or root), names are searched for only in this one.
	Project string
	// IDsFirst: the CONTAINER of CONTAINER/NAME is an id if it can be one, as on the command line. Otherwise it is an
	// id only if no object has exactly that name.
	IDsFirst bool
}

// has reports whether the server has a feature, by its name in the capabilities.
func (fl *Fleet) has(ctx context.Context, feature string) (bool, error) {
	can, err := fl.Client.Capabilities(ctx)
	return err == nil && can.Has(feature), err
}

// supports is like has, for optional features: if the server does not respond, the feature counts as missing, and the
// next request reports the error.
func (fl *Fleet) supports(ctx context.Context, feature string) bool {
	has, err := fl.has(ctx, feature)
	return err == nil && has
}

// Filters are the parameters of a listing, under the API's names, which are also the keys of objects.
type Filters map[string]any

func (fl *Fleet) collection(k *schema.Kind) *craton.Collection {
	return fl.Client.Collection(craton.Kind(k.Name))
}

// object decodes an object from the API; method and path are for errors.
func object(k *schema.Kind, raw *craton.Object, method, path string) (Object, error) {
	o, err := decode(k, *raw)
	if err != nil {
		return nil, &craton.ResponseError{Method: method, Path: path, Err: err}
	}
	return o, nil
}

// list yields the objects that match. Filters that the API does not support are left out, so callers must compare.
// Texts that are too long for a name match nothing, without a request.
//
// A name should match less than a page. A page that is not full is the last one, so the request for an empty next page
// can be saved: a task sends few others.
func (fl *Fleet) list(ctx context.Context, k *schema.Kind, f Filters) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		c, q := fl.collection(k), url.Values{}
		if name, ok := f[k.Title].(string); ok && (name == "" || CheckLength(name) != nil) {
			return
		}
		for key, v := range f {
			if key == k.Title {
				key = "name" // the API's name of the parameter, for users too
			}
			if v != nil && c.Takes(key) {
				q.Set(key, fmt.Sprint(v))
			}
		}
		all := c.All(ctx, q)
		if q.Has("name") {
			q.Set("limit", strconv.Itoa(craton.MaxLimit))
			page, err := c.List(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			if page.Marker == "" || len(page.Items) < page.Limit {
				all = func(yield func(*craton.Object, error) bool) {
					for _, item := range page.Items {
						if !yield(item, nil) {
							return
						}
					}
				}
			}
		}
		for raw, err := range all {
			var o Object
			if err == nil {
				o, err = object(k, raw, http.MethodGet, c.Path())
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// listAll lists objects of all projects.
func (fl *Fleet) listAll(ctx context.Context, k *schema.Kind, f Filters, keep func(Object) bool) ([]Object, error) {
	return walk.All(craton.IsMarkerGone, func() iter.Seq2[Object, error] { return fl.list(ctx, k, f) }, keep)
}

// Search lists the objects of one kind that match the filters. Filters that the API does not support, or does not
// compare exactly, are applied here, as far as objects have the key.
func (fl *Fleet) Search(ctx context.Context, k *schema.Kind, f Filters) ([]Object, error) {
	return fl.listAll(ctx, k, f, func(o Object) bool {
		for key, want := range f {
			have, ok := o[key]
			field := k.Field(key)
			switch {
			case !ok && !strings.HasSuffix(key, "_id"): // label, vars, details
			case k.View && key == "parent_id": // descendants have other parents
			case field != nil && Equal(field, have, want):
			case have != want:
				return false
			}
		}
		return k == schema.Project || k == schema.User || fl.isOwn(o)
	})
}

// isOwn reports whether an object belongs to the caller's project.
func (fl *Fleet) isOwn(o Object) bool {
	return fl.Project == "" || o[KeyProject] == nil || value.SameUUID(o.Text(KeyProject), fl.Project)
}

// read reads an object by its id; the error is craton.IsNotFound if there is none.
func (fl *Fleet) read(ctx context.Context, k *schema.Kind, id string) (Object, error) {
	c := fl.collection(k)
	raw, err := c.Get(ctx, cmp.Or(ID(k, id), id))
	if err != nil {
		return nil, err
	}
	return object(k, raw, http.MethodGet, c.Path()+"/"+id)
}

// Get reads an object by its id; nil if it does not exist.
func (fl *Fleet) Get(ctx context.Context, k *schema.Kind, id string) (Object, error) {
	if ID(k, id) == "" {
		return nil, fmt.Errorf("id: %q is not an id of a %s", id, k.Noun())
	}
	o, err := fl.read(ctx, k, id)
	if craton.IsNotFound(err) {
		return nil, nil
	}
	return o, err
}

// device reads a host or network device by its id.
func (fl *Fleet) device(ctx context.Context, id any) (Object, error) {
	o, err := fl.read(ctx, schema.Host, fmt.Sprint(id))
	if craton.IsNotFound(err) {
		return fl.read(ctx, schema.NetworkDevice, fmt.Sprint(id))
	}
	return o, err
}

// Fill reads what a listing leaves out: own variables and labels.
func (fl *Fleet) Fill(ctx context.Context, k *schema.Kind, o Object) (_ Object, err error) {
	o = o.Clone()
	if _, ok := o[KeyVariables]; !ok {
		if o[KeyVariables], err = fl.variables(ctx, k, o); err != nil {
			return nil, err
		}
	}
	if k.Variables == schema.None {
		delete(o, KeyVariables)
	} else if o.Variables() == nil {
		o[KeyVariables] = craton.Variables{}
	}
	if k.Labels != schema.Unlabelled && o.Labels() == nil {
		labels, err := fl.collection(kindOf(k, o)).Labels(ctx, o.ID())
		if err != nil {
			return nil, err
		}
		o[KeyLabels] = append([]string{}, labels...)
	}
	return o, nil
}

// variables reads the own variables of an object.
func (fl *Fleet) variables(ctx context.Context, k *schema.Kind, o Object) (craton.Variables, error) {
	switch k.Variables {
	case schema.Route:
		return fl.collection(kindOf(k, o)).Variables(ctx, o.ID())
	case schema.AtCreate: // only the object itself has them (v1 contract §2.3)
		whole, err := fl.read(ctx, k, o.ID())
		return whole.Variables(), err
	}
	return nil, nil
}

// OwnProject returns the caller's project. Without a project_id, there must be only one.
func (fl *Fleet) OwnProject(ctx context.Context) (Object, error) {
	if fl.Project != "" {
		return fl.read(ctx, schema.Project, fl.Project)
	}
	all, err := fl.Search(ctx, schema.Project, Filters{})
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("there are %d projects; set project_id to one of them", len(all))
	}
	return all[0], nil
}

// with returns a copy with additional filters.
func (f Filters) with(more Filters) Filters {
	all := Filters{}
	maps.Copy(all, f)
	maps.Copy(all, more)
	return all
}
