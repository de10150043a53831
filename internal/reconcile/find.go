package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// MissingError is the error for a name of an object that does not exist.
type MissingError struct{ what string }

// Error says what does not exist, and where it was searched for.
func (m *MissingError) Error() string { return m.what }

// IsMissing reports whether err means that no object has the name.
func IsMissing(err error) bool {
	_, ok := errors.AsType[*MissingError](err)
	return ok
}

// kindsOf returns the kinds that a reference may name.
func kindsOf(f *schema.Field) (list []*schema.Kind) {
	for _, name := range f.To {
		list = append(list, schema.ByName(name))
	}
	return list
}

// placeFields are the fields for the places of an object, outermost first; places are their keys, and the key of an
// interface's device.
var (
	placeFields = []*schema.Field{schema.Region.Field("cloud_id"), schema.Cell.Field("region_id"), schema.Host.Field("cell_id")}
	places      = []string{"cloud_id", "region_id", "cell_id", "device_id"}
	deviceField = schema.NetworkInterface.Field("device_id")
)

// PlaceField returns the field of an option for a place: cloud, region or cell; nil for others.
func PlaceField(option string) *schema.Field {
	if i := slices.IndexFunc(placeFields, func(f *schema.Field) bool { return f.Option() == option }); i >= 0 {
		return placeFields[i]
	}
	return nil
}

// holders returns the places within which names of a kind are unique and that may precede one in a reference, outermost
// first.
func holders(k *schema.Kind) (list []*schema.Field) {
	for _, f := range placeFields {
		if k.Field(f.Key) != nil && slices.ContainsFunc(k.Scope, func(level []string) bool { return slices.Equal(level, f.To) }) {
			list = append(list, f)
		}
	}
	return list
}

// Paths returns the forms of a reference with places: region/name, cloud/region/name.
func Paths(k *schema.Kind) (list []string) {
	path := "name"
	for _, f := range slices.Backward(holders(k)) {
		path = f.Option() + "/" + path
		list = append(list, path)
	}
	return list
}

// Reference finds the object that an option names, among the kinds and within the place: an object with exactly that
// name, or whose place and name are the text, or else the one with that id. Objects outside the place do not count.
func (fl *Fleet) Reference(ctx context.Context, f *schema.Field, text string, place Filters) (Found, error) {
	return fl.referenceExcept(ctx, f, text, place, nil)
}

// referenceExcept is like Reference, for an option of the object with the id self: if several objects have the name,
// self is not a candidate.
func (fl *Fleet) referenceExcept(ctx context.Context, f *schema.Field, text string, place Filters, self any) (Found, error) {
	var found []Found
	for _, k := range kindsOf(f) {
		list, err := fl.readings(ctx, k, text, place)
		if err != nil && !(k == schema.Project && craton.IsForbidden(err)) { // callers that may not list projects can name one by its id
			return Found{}, err
		}
		for _, o := range list {
			found = append(found, Found{o, k})
		}
	}
	if len(found) > 1 && self != nil {
		found = slices.DeleteFunc(found, func(c Found) bool { return c.Object[KeyID] == self })
	}
	switch len(found) {
	case 0:
		return fl.byID(ctx, f, text, place)
	case 1:
		return found[0], nil
	}
	return Found{}, fl.ambiguous(ctx, f.Option(), text, found)
}

// readings lists the possible meanings of a text: name, region/name or cloud/region/name. Names may contain slashes, so
// every reading is tried.
func (fl *Fleet) readings(ctx context.Context, k *schema.Kind, text string, place Filters) ([]Object, error) {
	found, err := fl.matching(ctx, k, text, place)
	if err != nil {
		return nil, err
	}
	more, err := fl.within(ctx, k, text, place)
	return append(found, more...), err
}

func (fl *Fleet) byID(ctx context.Context, f *schema.Field, text string, place Filters) (Found, error) {
	var nouns []string
	for _, k := range kindsOf(f) {
		nouns = append(nouns, k.Noun())
		if ID(k, text) == "" {
			continue
		}
		o, err := fl.read(ctx, k, text)
		if craton.IsNotFound(err) {
			continue
		}
		if err != nil {
			return Found{}, err
		}
		for _, key := range places {
			want, asked := place[key]
			if have := o[key]; asked && have != want {
				option := strings.TrimSuffix(key, "_id")
				return Found{}, &MissingError{fmt.Sprintf("%s: the %s is in the %s %s, but the task asks for %s", f.Option(), Called(k, o), option,
					shown(fl.nameAt(ctx, key, have)), shown(fl.nameAt(ctx, key, want)))}
			}
		}
		return Found{o, k}, nil
	}
	return Found{}, &MissingError{fmt.Sprintf("%s: there is no %s %q%s; create it first, or correct the name or id", f.Option(), strings.Join(nouns, " or "), value.Brief(text), fl.where(ctx, Object(place)))}
}

// where describes the places of an object by their names: , in cloud "east", region "dfw".
func (fl *Fleet) where(ctx context.Context, o Object) string {
	var in []string
	for _, key := range places {
		if id := o[key]; id != nil {
			in = append(in, fmt.Sprintf("%s %s", strings.TrimSuffix(key, "_id"), shown(fl.nameAt(ctx, key, id))))
		}
	}
	if in == nil {
		return ""
	}
	return ", in " + strings.Join(in, ", ")
}

// nameAt returns the name of a place.
func (fl *Fleet) nameAt(ctx context.Context, key string, id any) any {
	f := deviceField
	if place := PlaceField(strings.TrimSuffix(key, "_id")); place != nil {
		f = place
	}
	return fl.nameOf(ctx, f, id)
}

// nameOf returns the name of the object that a field refers to, or its id if it cannot be read.
func (fl *Fleet) nameOf(ctx context.Context, f *schema.Field, id any) any {
	if id == nil {
		return nil
	}
	for _, k := range kindsOf(f) {
		if o, err := fl.read(ctx, k, fmt.Sprint(id)); err == nil {
			return o.Text(k.Title)
		}
	}
	return id
}

// ambiguous says what the candidates are.
func (fl *Fleet) ambiguous(ctx context.Context, option, text string, found []Found) error {
	var lines []string
	for _, c := range found {
		line := fmt.Sprintf("%s id %s%s", c.Kind.Noun(), c.Object.ID(), fl.where(ctx, c.Object))
		if c.Kind == schema.User || c.Kind == schema.Project {
			line += fmt.Sprintf(", created %v", c.Object[KeyCreated])
		}
		lines = append(lines, line)
	}
	where := ""
	if paths := Paths(found[0].Kind); paths != nil && option != optionName {
		where = ", as " + strings.Join(paths, " or ")
	}
	return fmt.Errorf("%s: %q is the name of %d objects; give the id of one, or its place%s: %s", option, text, len(found), where, strings.Join(lines, "; "))
}

// optionName is what people call an object's name by, whatever the API does.
const optionName = "name"

// shown returns a value in an error.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return strconv.Quote(value.Brief(v))
	}
	return fmt.Sprint(v)
}

// Place resolves cloud, region and cell, outermost first; each is searched for in those already known. An inner place
// determines the outer ones: a region its cloud, a cell its region. An empty text means none.
func (fl *Fleet) Place(ctx context.Context, given map[string]string) (ids Filters, found []Found, err error) {
	ids = Filters{}
	for _, f := range placeFields {
		text, ok := given[f.Option()]
		if !ok {
			continue
		}
		if text == "" {
			ids[f.Key] = nil
			continue
		}
		o, err := fl.Reference(ctx, f, text, maps.Clone(ids))
		if err != nil {
			return nil, nil, err
		}
		ids[f.Key] = o.Object[KeyID]
		for _, outer := range places[:2] {
			if id := o.Object[outer]; id != nil {
				ids[outer] = id
			}
		}
		found = append(found, o)
	}
	return ids, found, nil
}

// Named returns the object of a kind with a name in a place, with its own variables if listings have them; nil if there
// is none.
func (fl *Fleet) Named(ctx context.Context, k *schema.Kind, name string, within Filters) (Object, error) {
	query := within.with(Filters{k.Title: name})
	if k.Details {
		query["details"], query["resolved-values"] = true, false
	}
	found, err := fl.Search(ctx, k, query)
	switch {
	case err != nil || len(found) == 0:
		return nil, err
	case len(found) > 1:
		all := make([]Found, len(found))
		for i, o := range found {
			all[i] = Found{o, k}
		}
		return nil, fl.ambiguous(ctx, optionName, name, all)
	}
	return found[0], nil
}
