package object

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
)

// referred is the collection of objects to which ids in a list, such as cell_id, refer.
type referred struct {
	list *Resource   // the collection of all of them
	each []*Resource // the path of one by its id
}

// Limits of the cost of names. Beyond them, a column keeps its ids.
const (
	namePages   = 3                // pages of a collection, and as many more as the list itself had
	nameReads   = 32               // objects that are read one by one
	fewReads    = 2                // of these, the number that are read without trying the collection
	nameStreams = 8                // concurrent reads
	nameTime    = 10 * time.Second // for a server that is slow, or fails and is retried
)

// names returns, by column, the names of the objects to which ids in a list refer. People at a terminal see them;
// programs get the ids. A column of which not every name can be found is left out.
func (s *Session) names(ctx context.Context, r *Resource, objects []gjson.Result, fields []string) map[string]map[string]string {
	if s.Format != show.FormatTable || !output.IsTerminal(s.Out) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, nameTime)
	defer cancel()
	all := map[string]map[string]string{}
	var mu sync.Mutex
	var g errgroup.Group
	for _, field := range fields {
		of, is := r.refers[field]
		ids := map[string]bool{}
		for _, o := range objects {
			if id := o.Get(field); id.Type != gjson.Null {
				ids[id.String()] = true
			}
		}
		if !is {
			continue
		}
		if len(ids) == 0 { // there is nothing to request
			mu.Lock()
			all[field] = map[string]string{}
			mu.Unlock()
			continue
		}
		g.Go(func() error {
			found, err := s.byID(ctx, of, ids, r, objects)
			if err != nil {
				return nil // names are optional: there are ids
			}
			mu.Lock()
			defer mu.Unlock()
			all[field] = of.texts(found, slices.Contains(fields, of.list.inside))
			return nil
		})
	}
	_ = g.Wait() // nothing fails
	return all
}

// texts returns objects' names by their ids. A name that several objects have, and that nothing else distinguishes, is
// followed by the id, and so is a name that could be an id.
func (of referred) texts(objects map[string]gjson.Result, apart bool) map[string]string {
	holders := map[string]int{}
	for _, o := range objects {
		holders[o.Get(of.list.nameKey()).Str]++
	}
	texts := map[string]string{}
	for id, o := range objects {
		name := o.Get(of.list.nameKey()).Str
		if name == "" || of.list.id(name) != "" || holders[name] > 1 && !apart {
			name = strings.TrimSpace(name + " (" + id + ")")
		}
		texts[id] = name
	}
	return texts
}

// byID reads the objects with these ids; it fails if any is missing. Objects in the list itself, such as parents, are
// not read again.
func (s *Session) byID(ctx context.Context, of referred, ids map[string]bool, r *Resource, shown []gjson.Result) (map[string]gjson.Result, error) {
	found := map[string]gjson.Result{}
	missing := maps.Clone(ids)
	take := func(objects []gjson.Result) {
		for _, o := range objects {
			if id := o.Get(keyID).String(); missing[id] {
				delete(missing, id)
				found[id] = o
			}
		}
	}
	if r == of.list || slices.Contains(of.each, r) {
		take(shown)
	}
	if len(missing) > fewReads {
		pages := namePages + len(shown)/craton.MaxLimit
		for page, err := range s.Client.Pages(ctx, of.list.path, of.where(shown)) {
			if err != nil {
				return nil, err
			}
			items, err := of.list.items(page.Body)
			if err != nil {
				return nil, err
			}
			take(items)
			if pages--; pages == 0 || len(missing) == 0 || len(items) < craton.MaxLimit {
				break
			}
		}
	}
	if len(missing) > nameReads {
		return nil, fmt.Errorf("%d %ss are too many to read", len(missing), of.list.Noun())
	}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(nameStreams)
	for _, id := range slices.Sorted(maps.Keys(missing)) {
		g.Go(func() (err error) {
			for _, kind := range of.each {
				var o gjson.Result
				if o, err = s.send(gctx, http.MethodGet, kind.at(id), nil); err == nil {
					mu.Lock()
					defer mu.Unlock()
					found[id] = o
					return nil
				}
			}
			return err
		})
	}
	return found, g.Wait()
}

// where restricts pages of the collection to the one place of all objects in a list, if there is one.
func (of referred) where(objects []gjson.Result) url.Values {
	q := url.Values{"limit": {strconv.Itoa(craton.MaxLimit)}}
	if of.list.inside == "" {
		return q
	}
	place := objects[0].Get(of.list.inside)
	if place.Type == gjson.Null || slices.ContainsFunc(objects, func(o gjson.Result) bool { return o.Get(of.list.inside).Raw != place.Raw }) {
		return q
	}
	q.Set(of.list.inside, place.String())
	return q
}
