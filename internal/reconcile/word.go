package reconcile

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// maxDigits is the maximum length of an id.
const maxDigits = 18

// ID returns a text as an id of a kind, in canonical form; "" if it cannot be one.
func ID(k *schema.Kind, text string) string {
	if k.UUID {
		id, _ := value.ParseUUID(text)
		return id
	}
	n, err := strconv.Atoi(text)
	if err != nil || len(text) > maxDigits || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return strconv.Itoa(n) // 007 is 7, as in Python
}

// idValue returns an id with the type that it has in objects.
func idValue(id string) any {
	if n, err := strconv.Atoi(id); err == nil {
		return n
	}
	return id
}

// container returns the kind within which names of a kind are unique, for CONTAINER/NAME, and the key of its id; nil if
// that is the project.
func container(k *schema.Kind) (kinds []*schema.Kind, key string) {
	f := k.Container()
	if f == nil || f.Key == KeyProject {
		return nil, ""
	}
	return kindsOf(f), f.Key
}

// at returns the filters for a place that objects of a kind have.
func (f Filters) at(k *schema.Kind) Filters {
	known := Filters{}
	for key, id := range f {
		if k.Field(key) != nil {
			known[key] = id
		}
	}
	return known
}

// paths resolves CONTAINER/NAME within a place, as far as objects have the places; the container may itself be a path
// or an id. Names may contain slashes, so each reading is tried.
type paths struct {
	*Fleet
	place Filters
	held  map[mention][]any // the ids of containers that are known
}

// mention is a text for an object of a kind.
type mention struct {
	kind *schema.Kind
	text string
}

// longestPath is the maximum length, in characters, of a path of names: a cloud's, a region's, a device's and an
// interface's.
const longestPath = 4*(schema.MaxText+1) - 1

// within returns the objects that CONTAINER/NAME names.
func (fl *Fleet) within(ctx context.Context, k *schema.Kind, text string, place Filters) ([]Object, error) {
	if utf8.RuneCountInString(text) > longestPath {
		return nil, nil
	}
	return (&paths{fl, place, map[mention][]any{}}).within(ctx, k, text)
}

func (p *paths) within(ctx context.Context, k *schema.Kind, text string) (found []Object, err error) {
	outer, key := container(k)
	if outer == nil {
		return nil, nil
	}
	if found, err = p.in(ctx, k, outer, key, text); err != nil || found != nil || !isDevice(k) {
		return found, err
	}
	cell := PlaceField(schema.Cell.Name) // as plans and lists show the places of devices
	return p.in(ctx, k, kindsOf(cell), cell.Key, text)
}

// in is within for one kind of container or several, by the key of its id.
func (p *paths) in(ctx context.Context, k *schema.Kind, outer []*schema.Kind, key, text string) (found []Object, err error) {
	for i := len(text) - 1; i > 0; i-- {
		if text[i] != '/' {
			continue
		}
		for _, of := range outer {
			holders, err := p.holders(ctx, of, text[:i])
			if err != nil {
				return nil, err
			}
			for _, id := range holders {
				at := p.place.at(k)
				if asked := at[key]; asked != nil && asked != id {
					continue
				}
				for _, name := range readings(text[i+1:]) {
					objects, err := p.Search(ctx, k, at.with(Filters{key: id, k.Title: name}))
					if err != nil {
						return nil, err
					}
					found = append(found, objects...)
				}
			}
		}
	}
	return found, nil
}

// readings returns the names that a text can mean: itself and, if it is in quotes as in a path, the text within the
// quotes.
func readings(text string) []string {
	if name, ok := value.Unquoted(text); ok {
		return []string{text, name}
	}
	return []string{text}
}

// holders returns the ids of the objects that the CONTAINER of CONTAINER/NAME names.
func (p *paths) holders(ctx context.Context, k *schema.Kind, text string) (ids []any, err error) {
	id := ID(k, text)
	if id != "" && p.IDsFirst {
		return []any{idValue(id)}, nil
	}
	if ids, known := p.held[mention{k, text}]; known {
		return ids, nil
	}
	objects, err := p.matching(ctx, k, text, p.place)
	if err != nil {
		return nil, err
	}
	deeper, err := p.within(ctx, k, text)
	for _, o := range append(objects, deeper...) {
		ids = append(ids, o[KeyID])
	}
	if id != "" && ids == nil {
		ids = []any{idValue(id)}
	}
	p.held[mention{k, text}] = ids
	return ids, err
}

// Found is an existing object and its kind.
type Found struct {
	Object
	Kind *schema.Kind
}

func (f *Found) name() string { return f.Text(f.Kind.Title) }

// Word returns the one object, of several kinds, whose name is a word, or that the word names as CONTAINER/NAME.
// Otherwise the error is a *NotFoundError or *AmbiguousError.
func (fl *Fleet) Word(ctx context.Context, word string, place Filters, kinds ...*schema.Kind) (Found, error) {
	var found []Found
	for _, k := range kinds {
		objects, err := fl.readings(ctx, k, word, place)
		if err != nil {
			return Found{}, err
		}
		for _, o := range objects {
			found = append(found, Found{o, k})
		}
	}
	switch len(found) {
	case 0:
		return Found{}, fl.notFound(ctx, word, place, kinds)
	case 1:
		return found[0], nil
	}
	e := &AmbiguousError{Word: value.Brief(word), Found: found}
	for _, c := range found {
		if len(e.Paths) == MaxCandidates {
			break
		}
		e.Paths = append(e.Paths, fl.path(ctx, c))
	}
	return Found{}, e
}

// matching returns the objects of a kind that a text names, whether in quotes or not.
func (fl *Fleet) matching(ctx context.Context, k *schema.Kind, text string, place Filters) (found []Object, err error) {
	for _, name := range readings(text) {
		objects, err := fl.Called(ctx, k, name, place)
		if err != nil {
			return nil, err
		}
		found = append(found, objects...)
	}
	return found, nil
}

// Called returns the objects of a kind with exactly that name, within a place as far as objects have it.
func (fl *Fleet) Called(ctx context.Context, k *schema.Kind, name string, place Filters) ([]Object, error) {
	return fl.Search(ctx, k, place.at(k).with(Filters{k.Title: name}))
}

// NotFoundError is the error for a word that names no object.
type NotFoundError struct {
	Word  string
	Where string // where it was searched for: ", in cloud "east""; "" for everywhere
	Near  string // what was probably meant; often ""
}

// Error says so.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no object has the name or id %q%s", e.Word, e.Where)
}

// notFound searches for what was probably meant among the first objects of each kind: it is not worth reading the
// complete fleet. An object with that name in another place is described by its place.
func (fl *Fleet) notFound(ctx context.Context, word string, place Filters, kinds []*schema.Kind) *NotFoundError {
	var known []string
	found := map[string]Found{}
	for _, k := range kinds {
		page, err := fl.collection(k).List(ctx, url.Values{"limit": {strconv.Itoa(craton.MaxLimit)}})
		if err != nil {
			break // it is only a hint
		}
		for _, raw := range page.Items {
			if o, err := decode(k, *raw); err == nil && fl.isOwn(o) {
				name := o.Text(k.Title)
				known, found[name] = append(known, name), Found{o, k}
			}
		}
	}
	name := word[strings.LastIndexByte(word, '/')+1:]
	near := nearest.Word(name, known)
	if near == name && near != "" {
		near = fl.path(ctx, found[near])
	}
	return &NotFoundError{value.Brief(word), fl.where(ctx, Object(place)), near}
}

// MaxCandidates is the maximum number of candidates that an error shows.
const MaxCandidates = 10

// AmbiguousError is the error for a word that names several objects.
type AmbiguousError struct {
	Word  string
	Found []Found
	Paths []string // of the first MaxCandidates, by names: east/dfw/web-01
}

// Error says so.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q is the name of %d objects", e.Word, len(e.Found))
}

// PathOf returns the path of the object with an id that a field refers to: east/dfw; "" if it cannot be read.
func (fl *Fleet) PathOf(ctx context.Context, f *schema.Field, id string) string {
	for _, k := range kindsOf(f) {
		if o, err := fl.read(ctx, k, id); err == nil {
			return fl.names(ctx, Found{o, k})
		}
	}
	return ""
}

// path returns the path of a candidate: east/dfw/web-01.
func (fl *Fleet) path(ctx context.Context, c Found) string {
	path := value.ShownPath(fl.names(ctx, c))
	if outer, _ := container(c.Kind); outer == nil {
		path += fmt.Sprintf(" of project %v", c.Object[KeyProject])
	}
	return path
}

// names returns the names of a candidate's places, and its own.
func (fl *Fleet) names(ctx context.Context, c Found) string {
	names := []string{c.Object.Text(c.Kind.Title)}
	for at := c; ; {
		outer, key := container(at.Kind)
		if outer == nil {
			break
		}
		id, known := at.Object[key], false
		for _, k := range outer {
			if o, err := fl.read(ctx, k, fmt.Sprint(id)); err == nil {
				at, known = Found{o, k}, true
				break
			}
		}
		if !known {
			names = append(names, fmt.Sprint(id))
			break
		}
		names = append(names, at.Object.Text(at.Kind.Title))
	}
	slices.Reverse(names)
	return value.Path(names...)
}
