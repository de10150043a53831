package object

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
)

// place is where an object is searched for: ids by the keys that objects use for them, such as region_id.
type place map[string]string

// id returns a word as an id of the resource; "" if it cannot be one.
func (r *Resource) id(word string) string { return reconcile.ID(r.kind, word) }

// references resolves the options that name other objects, the outer ones first: a region is searched for in the given
// cloud, a cell in the region.
func (s *Session) references(ctx context.Context, options []argparse.Option, c *argparse.Call) (place, error) {
	ids := place{}
	order := []string{keyProject, keyCloud, keyRegion, keyCell}
	refs := slices.DeleteFunc(slices.Clone(options), func(o argparse.Option) bool { return o.Kind != argparse.ReferenceOption || !c.Given(o.Long) })
	slices.SortStableFunc(refs, func(a, b argparse.Option) int {
		rank := func(o argparse.Option) int {
			if i := slices.Index(order, o.Key); i >= 0 {
				return i
			}
			return len(order)
		}
		return rank(a) - rank(b)
	})
	for i := range refs {
		o := &refs[i]
		text := c.Text(o.Long)
		if text == "" { // none
			continue
		}
		id, err := s.reference(ctx, o, text, ids, slices.Contains(order, o.Key))
		if err != nil {
			return nil, err
		}
		ids[o.Key] = id
	}
	return ids, nil
}

// reference resolves one option. A parent need not be at the same place; of several with its name, the one in the given
// region is meant.
func (s *Session) reference(ctx context.Context, o *argparse.Option, text string, in place, there bool) (string, error) {
	if there {
		return s.find(ctx, text, in, resourcesOf(o.Of)...)
	}
	id, err := s.find(ctx, text, nil, resourcesOf(o.Of)...)
	if _, ok := errors.AsType[*ambiguousError](err); ok && in[keyRegion] != "" {
		if near, nearErr := s.find(ctx, text, place{keyRegion: in[keyRegion]}, resourcesOf(o.Of)...); nearErr == nil {
			return near, nil
		}
	}
	return id, err
}

// find returns the id of the object, of one of several kinds, that a word names: a number is an id, for projects a
// UUID; otherwise it is a name, or CONTAINER/NAME.
func (s *Session) find(ctx context.Context, word string, in place, kinds ...*Resource) (string, error) {
	for _, r := range kinds {
		if id := r.id(word); id != "" {
			return id, nil
		}
	}
	return s.called(ctx, word, in, kinds...)
}

// withObject calls do with the id of the object that a word names. A number that is not an id may be a name.
func (s *Session) withObject(ctx context.Context, r *Resource, word string, do func(id string) error) (id string, err error) {
	id, err = s.find(ctx, word, nil, r)
	if err != nil {
		return "", err
	}
	if err = do(id); !craton.IsNotFound(err) || r.id(word) == "" {
		return id, err
	}
	fl, lookErr := s.fleet(ctx)
	if lookErr != nil {
		return id, err
	}
	named, lookErr := fl.Called(ctx, r.kind, word, nil)
	if lookErr != nil || len(named) != 1 {
		return id, err
	}
	id = named[0].ID()
	return id, do(id)
}

// get reads the object that a word names.
func (s *Session) get(ctx context.Context, r *Resource, word string) (id string, o gjson.Result, err error) {
	id, err = s.withObject(ctx, r, word, func(id string) (err error) {
		o, err = s.send(ctx, http.MethodGet, r.at(id), nil)
		return err
	})
	return id, o, err
}

// fleet returns the fleet in which words are looked up.
func (s *Session) fleet(ctx context.Context) (*reconcile.Fleet, error) {
	own, err := s.Project(ctx)
	return &reconcile.Fleet{Client: s.Client, Project: own, IDsFirst: true}, err
}

// called returns the id of the only object with a name.
func (s *Session) called(ctx context.Context, word string, in place, kinds ...*Resource) (string, error) {
	found, err := s.named(ctx, word, in, kinds...)
	if err != nil {
		return "", err
	}
	return found.Object.ID(), nil
}

// named returns the only object with a name.
func (s *Session) named(ctx context.Context, word string, in place, kinds ...*Resource) (reconcile.Found, error) {
	fl, err := s.fleet(ctx)
	if err != nil {
		return reconcile.Found{}, err
	}
	at := reconcile.Filters{}
	for key, id := range in {
		at[key] = idValue(id)
	}
	of := make([]*schema.Kind, len(kinds))
	for i, r := range kinds {
		of[i] = r.kind
	}
	found, err := fl.Word(ctx, word, at, of...)
	if e, ok := errors.AsType[*reconcile.NotFoundError](err); ok {
		return found, notFoundError(e, kinds)
	}
	if e, ok := errors.AsType[*reconcile.AmbiguousError](err); ok {
		return found, severalError(e)
	}
	return found, err
}

// Found is an object that a word on the command line names.
type Found struct{ Kind, ID, Name string }

// Find finds the only object, of one of several kinds, that a word names. It is read, so it exists.
func (s *Session) Find(ctx context.Context, word string, kinds ...*Resource) (Found, error) {
	for _, r := range kinds {
		id := r.id(word)
		if id == "" {
			continue
		}
		o, err := s.send(ctx, http.MethodGet, r.at(id), nil)
		if err == nil {
			return Found{r.Name, id, o.Get(r.nameKey()).Str}, nil
		}
		if !craton.IsNotFound(err) {
			return Found{}, err
		}
	}
	found, err := s.named(ctx, word, nil, kinds...) // a number that is not an id may be a name
	if err != nil {
		return Found{}, err
	}
	return Found{found.Kind.Name, found.Object.ID(), found.Object.Text(found.Kind.Title)}, nil
}

// ID returns a word as an id of the resource's objects; "" if it cannot be one.
func (r *Resource) ID(word string) string { return r.id(word) }

// joinNouns returns the kinds in words.
func joinNouns(kinds []*Resource) string {
	words := make([]string, len(kinds))
	for i, r := range kinds {
		words[i] = r.Noun()
	}
	return strings.Join(words, " or ")
}

// notFoundError returns the error for a word that names no object.
func notFoundError(e *reconcile.NotFoundError, kinds []*Resource) error {
	text := fmt.Sprintf("No %s has the name or id %q%s", joinNouns(kinds), e.Word, e.Where)
	if e.Near != "" {
		near := e.Near
		if !strings.Contains(near, `"`) { // otherwise a path with quotes around names that need them
			near = strconv.Quote(near)
		}
		return run.NotFound(fmt.Sprintf("%s; did you mean %s?", text, near))
	}
	return run.NotFound(text + ".")
}

// ambiguousError is the error for a name of several objects.
type ambiguousError struct{ text string }

func (e *ambiguousError) Error() string { return e.text }

// severalError returns the error for a word that names several objects.
func severalError(e *reconcile.AmbiguousError) *ambiguousError {
	var b strings.Builder
	fmt.Fprintf(&b, "%q is the name of %d objects; give the id or the path of one:", e.Word, len(e.Found))
	for i, path := range e.Paths {
		fmt.Fprintf(&b, "\n  %s  %s %s", e.Found[i].Object.ID(), e.Found[i].Kind.Noun(), path)
	}
	if len(e.Found) > len(e.Paths) {
		b.WriteString("\n  ...")
	}
	return &ambiguousError{b.String()}
}
