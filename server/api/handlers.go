package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

func parseInt64(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }

// list serves GET on a collection.
func (r *resource) list(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, r.params, true)
	if err != nil {
		return err
	}
	if err := c.caller.require(r.listRole); err != nil {
		return err
	}
	if r.lookup != nil {
		if handled, err := r.lookup(c, r, q); handled || err != nil {
			return err
		}
	}
	l, err := q.listing(r.Kind)
	if err != nil {
		return err
	}
	which := r.listVariables(q)
	l.Labels = q.flag("details")
	if name, _ := q.get("name"); r == projects && name.text != "" {
		l.NameLike, which = name.text, store.NoVariables // contract §2.4.9
	}
	c.scopeToListed(r, l)
	basis := store.Basis{Kinds: r.kinds(which == store.Resolved || len(l.Vars) > 0 && l.VarsOfAll)}
	if !l.Where.IsAll() {
		basis.Kinds = r.scopeKinds()
	}
	return c.listing(l, func(ctx context.Context, v *store.View, l store.List) error {
		if known, err := c.unchanged(ctx, v, basis); known || err != nil {
			return err
		}
		page, err := v.List(ctx, r.entity, c.caller.scope(), l)
		if err != nil {
			return err
		}
		return c.appendList(ctx, v, r, page, which, func(dst []byte) []byte {
			return c.appendLinks(dst, r.Path, q, l, page.Prev, c.lastID(r.entity, page))
		})
	})
}

// listing writes the response to a listing that may read all rows to find a few. It first runs in the share of the
// budget for cheap listings. If it turns out to read very many values of variables, it starts again in the share for
// expensive ones, and waits only for its like.
func (c *call) listing(l store.List, fn func(ctx context.Context, v *store.View, l store.List) error) error {
	read := func() error {
		return c.read(func(ctx context.Context, v *store.View) error { return fn(ctx, v, l) })
	}
	if len(l.Vars) == 0 && l.Where.IsAll() {
		return read()
	}
	within := func(places *share) error {
		release, err := places.take(c.r.Context(), 1)
		if err != nil {
			return err
		}
		defer release()
		return read()
	}
	l.Cheap = true
	err := within(c.budget.scans)
	if errors.Is(err, store.ErrExpensive) {
		l.Cheap = false
		err = within(c.budget.expensive)
	}
	return err
}

// lastID returns the id of a page's last row, "" if it is empty.
func (c *call) lastID(e *store.Entity, page *store.Page) string {
	if n := len(page.Rows); n > 0 {
		return c.idText(e, page.Rows[n-1])
	}
	return ""
}

// listVariables returns which variables the elements of a list have: only with details=true, and resolved ones if the
// resource inherits.
func (r *resource) listVariables(q query) store.Variables {
	switch {
	case !q.flag("details"):
		return store.NoVariables
	case r.inherits() && q.flag("resolved-values"):
		return store.Resolved
	}
	return store.Own
}

func (c *call) idText(e *store.Entity, row store.Row) string {
	switch id := row[e.Index("id")].(type) {
	case int64:
		return strconv.FormatInt(id, 10)
	default:
		return id.(string)
	}
}

// appendList appends the body of a list: its key and "links", in alphabetical order.
func (c *call) appendList(ctx context.Context, v *store.View, r *resource, page *store.Page, which store.Variables, links func([]byte) []byte) error {
	dst := append(c.buf, "{\n  "...)
	if r.List > "links" {
		dst = append(links(dst), ",\n  "...)
	}
	dst, err := c.appendRows(ctx, v, append(jsontext.AppendString(dst, r.List), ": "...), r, page.Rows, page.Labels, which, 1)
	if r.List < "links" {
		dst = links(append(dst, ",\n  "...))
	}
	c.buf = append(dst, "\n}\n"...)
	return err
}

// create serves POST on a collection.
func (r *resource) create(c *call) error {
	in, err := c.readInput(r, inCreate)
	if err != nil {
		return err
	}
	if err := c.caller.require(r.createRole); err != nil {
		return err
	}
	if r.entity.IsDevice() {
		if _, ok := in.Values["active"]; !ok {
			in.Values["active"] = true
		}
	}
	x := extras{withVariables: r.routed(), variables: store.NewSet(in.Variables), links: in.links}
	if err := c.joinSet(r, in); err != nil {
		return err
	}
	var row store.Row
	if r.make != nil {
		row, x.key, err = r.make(c, r, in.CreateParams)
	} else {
		row, err = c.store.Create(c.r.Context(), r.entity, c.caller.scope(), in.CreateParams)
	}
	if err != nil {
		return r.reword(err)
	}
	id := c.idText(r.entity, row)
	c.trace().Created = id
	c.trace().addInputNames(r, in)
	r.showAsGiven(row, in.given)
	c.head.Set("Location", c.base()+"/v1/"+r.Path+"/"+id)
	c.status = http.StatusCreated
	return c.produce(func(bool) error {
		c.buf = append(r.shape().echoing(in.echoes).appendObject(c.buf, &c.out, c.base(), row, x, 0), '\n')
		return nil
	})
}

// reword gives a conflict the resource's own message.
func (r *resource) reword(err error) error {
	if store.IsCode(err, store.Conflict) {
		return fail(http.StatusConflict, "%s", r.duplicate)
	}
	return err
}

// showAsGiven restores integers that the table stores as text: an interface's speed (contract §10 Q4).
func (r *resource) showAsGiven(row store.Row, given store.Values) {
	for name, v := range maps.All(given) {
		if i := r.entity.Index(name); i >= 0 {
			row[i] = v
		}
	}
}

// get serves GET by id.
func (r *resource) get(c *call) error {
	which, err := c.whichVariables(r.inherits(), r.inherits())
	if err != nil {
		return err
	}
	if err := c.caller.require(r.itemRole); err != nil {
		return err
	}
	hasVariables := slices.Contains(r.fields, fVariables)
	if !hasVariables {
		which = store.NoVariables
	}
	c.scopeToObject(r)
	return c.read(func(ctx context.Context, v *store.View) error {
		row, err := c.found(ctx, v, r, which)
		if row == nil || err != nil {
			return err
		}
		return v.Sets(ctx, r.entity, []store.Row{row}, which, func(_ int, set store.Set) error {
			c.buf = append(r.shape().appendObject(c.buf, &c.out, c.base(), row, extras{withVariables: hasVariables, variables: set}, 0), '\n')
			return nil
		})
	})
}

// found returns the row of the path's object; nil if the client already has the response.
func (c *call) found(ctx context.Context, v *store.View, r *resource, which store.Variables) (store.Row, error) {
	row, err := v.Get(ctx, r.entity, c.caller.scope(), c.pathID(r))
	if err != nil {
		return nil, err
	}
	basis, err := v.Basis(ctx, r.entity, row, which)
	if err != nil {
		return nil, err
	}
	if known, err := c.unchanged(ctx, v, basis); known || err != nil {
		return nil, err
	}
	return row, nil
}

// whichVariables parses the query of a GET of one object, which accepts resolved-values at most.
func (c *call) whichVariables(known, resolves bool) (store.Variables, error) {
	var params []param
	if known {
		params = []param{pResolved}
	}
	q, err := parseQuery(c.r.URL.RawQuery, params, false)
	if err == nil && resolves && q.flag("resolved-values") {
		return store.Resolved, nil
	}
	return store.Own, err
}

// pathID returns the path's id in the form of the store: a project may be given by any spelling of its UUID.
func (c *call) pathID(r *resource) string {
	if r == projects {
		id, _ := value.ParseUUID(c.id)
		return id
	}
	return c.id
}

// update serves PUT by id.
func (r *resource) update(c *call) error {
	in, err := c.readInput(r, inUpdate)
	if err != nil {
		return err
	}
	row, err := c.store.Update(c.r.Context(), r.entity, c.caller.scope(), c.id, in.Values)
	if err != nil {
		return r.reword(err)
	}
	c.trace().addInputNames(r, in)
	r.showAsGiven(row, in.given)
	c.buf = append(r.shape().appendObject(c.buf, &c.out, c.base(), row, extras{}, 0), '\n')
	return nil
}

// delete serves DELETE by id: a missing object counts as deleted (contract §2.1.7).
func (r *resource) delete(c *call) error {
	if err := c.caller.require(r.deleteRole); err != nil {
		return err
	}
	err := c.store.Delete(c.r.Context(), r.entity, c.caller.scope(), c.pathID(r))
	switch {
	case store.IsCode(err, store.NotFound) && c.expects():
		return errDeletedMeanwhile
	case err != nil && !store.IsCode(err, store.NotFound):
		return err
	}
	c.status = http.StatusNoContent
	return nil
}
