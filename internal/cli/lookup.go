package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/value"
)

// place is where an object is looked for: ids by the keys that objects have them under, such as region_id.
type place map[string]string

// id is a word as an id of the resource; "" if it cannot be one.
func (r *resource) id(word string) string {
	if r.uuid {
		id, _ := value.ParseUUID(word)
		return id
	}
	n, err := strconv.Atoi(word)
	if err != nil || word[0] == '+' || n < 0 {
		return ""
	}
	return strconv.Itoa(n) // 007 is 7, as in Python
}

// references resolves the options that name other objects, the outer ones first: a region is looked for in the cloud
// that is given, a cell in the region.
func (s *session) references(ctx context.Context, options []option, c *call) (place, error) {
	ids := place{}
	order := []string{keyProject, keyCloud, keyRegion, keyCell}
	refs := slices.DeleteFunc(slices.Clone(options), func(o option) bool { return o.kind != referenceOption || !c.given(o.long) })
	slices.SortStableFunc(refs, func(a, b option) int {
		rank := func(o option) int {
			if i := slices.Index(order, o.key); i >= 0 {
				return i
			}
			return len(order)
		}
		return rank(a) - rank(b)
	})
	for i := range refs {
		o := &refs[i]
		text := c.text(o.long)
		if text == "" { // none
			continue
		}
		id, err := s.reference(ctx, o, text, ids, slices.Contains(order, o.key))
		if err != nil {
			return nil, err
		}
		ids[o.key] = id
	}
	return ids, nil
}

// reference resolves one option. A parent need not stand at the same place; of several with its name the one in the
// region that is given is meant.
func (s *session) reference(ctx context.Context, o *option, text string, in place, there bool) (string, error) {
	if there {
		return s.find(ctx, text, in, o.of...)
	}
	id, err := s.find(ctx, text, nil, o.of...)
	if _, ok := errors.AsType[*ambiguous](err); ok && in[keyRegion] != "" {
		if near, nearErr := s.find(ctx, text, place{keyRegion: in[keyRegion]}, o.of...); nearErr == nil {
			return near, nil
		}
	}
	return id, err
}

// find is the id of the object, of one of several kinds, that a word means: a number is an id, of projects a UUID; else
// it is a name, or CONTAINER/NAME.
func (s *session) find(ctx context.Context, word string, in place, kinds ...*resource) (string, error) {
	for _, r := range kinds {
		if id := r.id(word); id != "" {
			return id, nil
		}
	}
	return s.called(ctx, word, in, kinds...)
}

// on does something to the object that a word means. A number that is nobody's id may still be a name.
func (s *session) on(ctx context.Context, r *resource, word string, do func(id string) error) (id string, err error) {
	id, err = s.find(ctx, word, nil, r)
	if err != nil {
		return "", err
	}
	if err = do(id); !craton.IsNotFound(err) || r.id(word) == "" {
		return id, err
	}
	named, lookErr := s.named(ctx, r, word, nil)
	if lookErr != nil || len(named) != 1 {
		return id, err
	}
	id = named[0].Get(keyID).String()
	return id, do(id)
}

// get reads the object that a word means.
func (s *session) get(ctx context.Context, r *resource, word string) (id string, o gjson.Result, err error) {
	id, err = s.on(ctx, r, word, func(id string) (err error) {
		o, err = s.send(ctx, http.MethodGet, r.at(id), nil)
		return err
	})
	return id, o, err
}

// candidate is an object that a word may mean.
type candidate struct {
	of     *resource
	object gjson.Result
}

// called is the id of the one object with a name.
func (s *session) called(ctx context.Context, word string, in place, kinds ...*resource) (string, error) {
	var found []candidate
	for _, r := range kinds {
		objects, err := s.named(ctx, r, word, in)
		if err == nil && len(objects) == 0 {
			objects, err = s.within(ctx, r, word, in)
		}
		if err != nil {
			return "", err
		}
		for _, o := range objects {
			found = append(found, candidate{r, o})
		}
	}
	switch len(found) {
	case 0:
		return "", s.nobody(ctx, word, in, kinds)
	case 1:
		return found[0].object.Get(keyID).String(), nil
	}
	return "", s.several(ctx, word, found)
}

// named are the objects of a kind with exactly that name, at a place as far as they know theirs, of the caller's own
// project.
func (s *session) named(ctx context.Context, r *resource, name string, in place) ([]gjson.Result, error) {
	if name == "" {
		return nil, nil
	}
	q := url.Values{"limit": {strconv.Itoa(craton.MaxLimit)}}
	if r.filter != "" {
		q.Set(r.filter, name)
	}
	for key, id := range in {
		if slices.Contains(r.places, key) {
			q.Set(key, id)
		}
	}
	all, _, err := s.list(ctx, r, q, false)
	if err == nil && len(all) >= craton.MaxLimit { // mostly one page is enough, and one request
		all, _, err = s.list(ctx, r, q, true)
	}
	if err != nil {
		return nil, err
	}
	own := ""
	if r.name != "user" { // root makes them for other projects
		if own, err = s.project(ctx); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(o gjson.Result) bool {
		if o.Get(r.nameKey()).Str != name {
			return true
		}
		for key, id := range in {
			if have := o.Get(key); have.Exists() && have.String() != id {
				return true
			}
		}
		project := o.Get(keyProject)
		return own != "" && project.Exists() && !value.SameUUID(project.Str, own)
	}), nil
}

// within are the objects that CONTAINER/NAME means. Names may hold slashes of their own, so each is tried.
func (s *session) within(ctx context.Context, r *resource, word string, in place) ([]gjson.Result, error) {
	var found []gjson.Result
	for i := len(word) - 1; i > 0 && r.container != nil; i-- {
		if word[i] != '/' {
			continue
		}
		for _, outer := range r.container {
			holders, err := s.holders(ctx, outer, word[:i], in)
			if err != nil {
				return nil, err
			}
			for _, id := range holders {
				at := place{r.inside: id}
				for key, id := range in {
					at[key] = id
				}
				objects, err := s.named(ctx, r, word[i+1:], at)
				if err != nil {
					return nil, err
				}
				found = append(found, objects...)
			}
		}
	}
	return found, nil
}

// holders are the ids of the objects that the first part of CONTAINER/NAME means.
func (s *session) holders(ctx context.Context, r *resource, word string, in place) ([]string, error) {
	if id := r.id(word); id != "" {
		return []string{id}, nil
	}
	objects, err := s.named(ctx, r, word, in)
	if err == nil && len(objects) == 0 {
		objects, err = s.within(ctx, r, word, in)
	}
	var ids []string
	for _, o := range objects {
		ids = append(ids, o.Get(keyID).String())
	}
	return ids, err
}

// nouns are the kinds in words.
func nouns(kinds []*resource) string {
	words := make([]string, len(kinds))
	for i, r := range kinds {
		words[i] = r.noun()
	}
	return strings.Join(words, " or ")
}

// nobody is the error for a word that means nothing, with what may have been meant among the first of each kind: the
// whole fleet is not read for it.
func (s *session) nobody(ctx context.Context, word string, in place, kinds []*resource) error {
	var known []string
	for _, r := range kinds {
		first, _, err := s.list(ctx, r, url.Values{"limit": {strconv.Itoa(craton.MaxLimit)}}, false)
		if err != nil {
			break // it only helps
		}
		for _, o := range first {
			known = append(known, o.Get(r.nameKey()).Str)
		}
	}
	text := fmt.Sprintf("No %s has the name or id %q", nouns(kinds), word)
	var where []string
	for _, key := range []string{keyCloud, keyRegion, keyCell} {
		if id := in[key]; id != "" {
			where = append(where, strings.TrimSuffix(key, "_id")+" "+id)
		}
	}
	if where != nil {
		text += " in " + strings.Join(where, ", ")
	}
	if near := nearest.Word(word[strings.LastIndexByte(word, '/')+1:], known); near != "" {
		return notFound(fmt.Sprintf("%s; did you mean %q?", text, near))
	}
	return notFound(text + ".")
}

// ambiguous is the error for a name that several have.
type ambiguous struct{ text string }

func (e *ambiguous) Error() string { return e.text }

// several is the error for a word that means several.
func (s *session) several(ctx context.Context, word string, found []candidate) *ambiguous {
	const most = 10
	var b strings.Builder
	fmt.Fprintf(&b, "%q is the name of %d objects; give the id of one, or say where it is:", word, len(found))
	for i, c := range found {
		if i == most {
			b.WriteString("\n  ...")
			break
		}
		fmt.Fprintf(&b, "\n  %s  %s %s", c.object.Get(keyID).String(), c.of.noun(), s.path(ctx, c))
	}
	return &ambiguous{b.String()}
}

// path is where a candidate is, by names: east/dfw/web-01.
func (s *session) path(ctx context.Context, c candidate) string {
	path := c.object.Get(c.of.nameKey()).Str
	for r, o := c.of, c.object; r.container != nil; {
		id := o.Get(r.inside).String()
		var outer *resource
		var holder gjson.Result
		for _, outer = range r.container {
			var err error
			if holder, err = s.send(ctx, http.MethodGet, outer.at(id), nil); err == nil {
				break
			}
		}
		name := holder.Get(outer.nameKey()).Str
		if name == "" {
			name = id
		}
		path = name + "/" + path
		if holder.Raw == "" {
			break
		}
		r, o = outer, holder
	}
	if c.of.container == nil {
		path += " of project " + c.object.Get(keyProject).String()
	}
	return path
}
