package iotronic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
)

// Reader reads single objects: T is the object.
type Reader[T any] struct{ reading }

// reading is the part of a Reader that does not depend on the type of objects.
type reading struct {
	client   *Client
	resource string // the collection, such as nodes
	one      string // one of it, in messages
	// named is nil, or finds the UUIDs of the objects with a name by reading the list. It is called if the server does
	// not find names, or finds several objects.
	named func(ctx context.Context, name string) ([]string, error)
	// alias is nil, or converts another identifier of an object to one by which the server finds it; only for Ironic.
	alias func(ctx context.Context, word string) (string, error)
}

// Get reads one object by UUID, or by name if the resource has names; the error is IsNotFound if there is none. fields
// select what to read; all fields are read without them, and if Ironic's version does not support a selection (1.8).
//
// Names of boards and of Iotronic's nodes need not be unique; for a name of several objects, the error is a
// [*NoUniqueMatchError].
func (r *Reader[T]) Get(ctx context.Context, id string, fields ...string) (*T, error) {
	var q url.Values
	if len(fields) > 0 {
		if !slices.Contains(fields, "uuid") {
			fields = append([]string{"uuid"}, fields...)
		}
		q = url.Values{"fields": {strings.Join(fields, ",")}}
	}
	out := new(T)
	c := &call{Request: rest.Request{Method: http.MethodGet, Query: q}, needs: attributes(r.resource, fields)}
	err := r.call(ctx, "read a "+r.one, id, c, "", out, "uuid")
	if err != nil {
		return nil, err
	}
	return out, nil
}

// call sends a request about one object; below is the path below it. The response is decoded into out, if that is not
// nil, and must have the member need.
func (r *reading) call(ctx context.Context, operation, id string, c *call, below string, out any, need string) error {
	s, err := r.client.session(ctx)
	if err != nil {
		return err
	}
	if err := s.dialect.need(r.resource, operation); err != nil {
		return err
	}
	if c.Query.Has("fields") && !s.dialect.traits().fields {
		return &InvalidAttributeError{Attribute: "fields", Reason: s.dialect.traits().title + " does not have it"}
	}
	if c.Query.Has("fields") && s.dialect == DialectIronic {
		c.adapt = func(r *rest.Request, v Version) {
			if v.Compare(chosenSince) < 0 {
				r.Query.Del("fields")
			}
		}
	}
	if r.alias != nil && s.dialect == DialectIronic {
		if id, err = r.alias(ctx, id); err != nil {
			return err
		}
	}
	if id != "" && !s.dialect.traits().byName && !value.IsUUID(id) {
		if id, err = r.only(ctx, id); err != nil {
			return err
		}
	}
	if s.dialect == DialectIronic && !value.IsUUID(id) && id != "" {
		if v := s.now(); v.Compare(namedSince) < 0 {
			return &UnsupportedVersionError{Requested: v, Err: advice.With(fmt.Errorf("nodes have names from %s on", namedSince), fmt.Sprintf("use the UUID of %q, or a later version", id))}
		}
		if r.resource == "nodes" && (slices.Contains(routes, id) || strings.HasSuffix(id, suffix)) {
			return invalid("cannot %s: Ironic does not find %q by its name, which means something else to it; use the UUID, or another name", operation, id)
		}
	}
	el, err := element(operation, anyID, id)
	if err != nil {
		return err
	}
	if c.needs == nil {
		c.needs = sinceVersion(r.resource)
	}
	c.Path = "/" + r.resource + "/" + el + below
	resp, err := s.send(ctx, c)
	if err != nil {
		return r.explain(ctx, id, err)
	}
	if out == nil {
		return nil
	}
	return into(resp, c.Method, out, need)
}

// chosenSince is the version since which Ironic supports a selection of an object's fields: before, it returns all of
// them.
var chosenSince = Version{1, 8}

// namedSince is the version since which Ironic's nodes have names: before, they appear to have none, and cannot be
// found by name.
var namedSince = Version{1, 5}

// routes are routes of Ironic below its nodes: a node with such a name can be found only by its UUID.
var routes = []string{
	"allocation", "bios", "detail", "history", "inventory", "maintenance", "management", "portgroups", "ports", "states",
	"traits", "validate", "vendor_passthru", "vifs", "volume",
}

// suffix is an ending that Ironic removes from a name: it would find, and change, the node with the rest as its name.
const suffix = ".json"

// anyID describes how objects are identified.
const anyID = "UUID or name"

// element returns an object's id as an element of a path; what describes the id in errors. An empty id would lead to
// something else, and so would one with a slash: servers split it, however it is escaped.
func element(operation, what, id string) (string, error) {
	switch {
	case id == "":
		return "", invalid("cannot %s: its %s is empty", operation, what)
	case strings.Contains(id, "/"):
		return "", invalid("cannot %s: %q is no %s, for it has a slash in it", operation, id, what)
	}
	return url.PathEscape(id), nil
}

// only returns the UUID of the only object with a name.
func (r *reading) only(ctx context.Context, name string) (string, error) {
	found, err := r.named(ctx, name)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", &NotFoundError{HTTPError{
			Status: http.StatusNotFound, Method: http.MethodGet, Path: "/v1/" + r.resource,
			Message: "no " + r.one + " has the name " + name,
		}}
	case len(found) > 1:
		return "", &NoUniqueMatchError{Name: name, Candidates: found}
	}
	return found[0], nil
}

// explain finds the objects with a name if a server finds several and responds with 500 (reference §6, 8).
func (r *reading) explain(ctx context.Context, id string, err error) error {
	if StatusOf(err) != http.StatusInternalServerError || !strings.Contains(httpErrorIn(err).Message, "Multiple rows were found") {
		return err
	}
	several := &NoUniqueMatchError{Name: id, Err: err}
	if r.named != nil {
		several.Candidates, _ = r.named(ctx, id) // they only help
	}
	return several
}

// byName finds objects by reading a list of their names.
func byName[T any, O any](l *Lister[T, O], options func(d Dialect) O) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, wanted string) ([]string, error) {
		s, err := l.client.session(ctx)
		if err != nil {
			return nil, err
		}
		var found []string
		for item, err := range l.All(ctx, options(s.dialect)) {
			if err != nil {
				return nil, err
			}
			if any(item).(interface{ name() string }).name() == wanted { //nolint:forcetypeassert // true of all that is looked for
				found = append(found, idOf(item))
			}
		}
		slices.Sort(found)
		return found, nil
	}
}

// Writer creates, changes and deletes objects: T is the object, C what a create sends.
type Writer[T any, C any] struct {
	writing
	more func(object *C) Object // attributes that the struct does not have
}

// writing is the part of a Writer that does not depend on the type of objects.
type writing struct {
	reader  *reading
	metal   bool                         // only Ironic's can be written
	prepare func(d Dialect, body Object) // nil, or adapts a new object to the dialect
}

// Create creates an object and returns it as in the server's response. Attributes that the dialect does not have are an
// [*InvalidAttributeError].
//
// A taken name or code is IsConflict. A create is never repeated once it may have been executed, except after a 503,
// which says that it was not: after a [*ConnectionError] check before you try again.
func (w *Writer[T, C]) Create(ctx context.Context, object C) (*T, error) {
	out := new(T)
	if err := w.create(ctx, object, w.more(&object), out); err != nil {
		return nil, err
	}
	return out, nil
}

func (w *writing) create(ctx context.Context, object any, more Object, out any) error {
	r := w.reader
	s, err := r.client.session(ctx)
	if err != nil {
		return err
	}
	if err := w.may(s.dialect, "create a "+r.one); err != nil {
		return err
	}
	if err := s.dialect.check(object); err != nil {
		return err
	}
	body, err := objectOf(object)
	if err != nil {
		return &ValidationError{err}
	}
	for key, value := range more {
		body[key] = value
	}
	if w.prepare != nil {
		w.prepare(s.dialect, body)
	}
	if err := r.checkAll(s.dialect, body); err != nil {
		return err
	}
	needs := attributes(r.resource, slices.Collect(maps.Keys(body)))
	named(needs, r.resource, body["name"])
	resp, err := s.send(ctx, &call{Request: rest.Request{Method: http.MethodPost, Path: "/" + r.resource, Body: body}, needs: needs})
	if err != nil {
		return err
	}
	return into(resp, http.MethodPost, out, "uuid")
}

// may refuses what the dialect does not have, or cannot write.
func (w *writing) may(d Dialect, operation string) error {
	if w.metal && d != DialectIronic {
		return &DialectError{Dialect: d, Operation: operation}
	}
	return d.need(w.reader.resource, operation)
}

// into decodes a response; it must have the member need, if that is not "".
func into(resp *rest.Response, method string, out any, need string) error {
	if need != "" && gjson.ValidBytes(resp.Body) {
		if err := rest.Need(resp.Body, need); err != nil {
			return unusable(resp, method, err)
		}
	}
	if err := decode(resp.Body, out); err != nil {
		return unusable(resp, method, err)
	}
	return nil
}

// objectOf converts a struct to an Object.
func objectOf(v any) (Object, error) {
	raw, err := value.Encode(v)
	if err != nil {
		return nil, err
	}
	o := Object{}
	return o, json.Unmarshal(raw, &o)
}

// Update changes an object, by UUID or name, and returns it as in the server's response.
//
// Ironic gets a JSON patch, Iotronic a plain object with the changed attributes. If a change is inside an attribute,
// Iotronic's object is read first and the complete attribute is sent, so that somebody else's change of the same
// attribute in between is lost; on Ironic, this applies only to keys that are not [PlainKey], and is a
// [*ValidationError] if the attribute contains secrets. Iotronic of 2016 cannot change objects, which is a
// [*DialectError]; the updated_at in Iotronic's response is the previous one (reference §2.5).
func (w *Writer[T, C]) Update(ctx context.Context, id string, changes Changes) (*T, error) {
	out := new(T)
	if err := w.update(ctx, id, changes, out); err != nil {
		return nil, err
	}
	return out, nil
}

func (w *writing) update(ctx context.Context, id string, changes Changes, out any) error {
	r := w.reader
	s, err := r.client.session(ctx)
	if err != nil {
		return err
	}
	if err := w.may(s.dialect, "change a "+r.one); err != nil {
		return err
	}
	steps, err := changes.steps()
	if err != nil {
		return err
	}
	var body any
	needs := sinceVersion(r.resource)
	if r.resource == "allocations" {
		needs["changes of allocations"] = AllocationChanges
	}
	for _, step := range steps {
		needs[step.path[0]] = Since(r.resource, step.path[0])
		if !step.remove {
			if err := r.checkAll(s.dialect, Object{strings.Join(step.path, "/"): step.value}); err != nil {
				return err
			}
		}
		if len(step.path) == 1 && step.path[0] == "name" {
			named(needs, r.resource, step.value)
		}
	}
	switch s.dialect.traits().update {
	case immutable:
		return &DialectError{Dialect: s.dialect, Operation: "change a " + r.one}
	case jsonPatch:
		body, err = w.patch(ctx, id, steps)
	case plainObject:
		body, err = w.merged(ctx, id, steps)
	}
	if err != nil {
		return err
	}
	return r.call(ctx, "change a "+r.one, id, &call{Request: rest.Request{Method: http.MethodPatch, Body: body}, needs: needs}, "", out, "uuid")
}

// patch returns the JSON patch for steps. If a key is not plain, the complete attribute is sent.
func (w *writing) patch(ctx context.Context, id string, steps []step) ([]patchStep, error) {
	var plain, odd []step
	for _, s := range steps {
		if slices.ContainsFunc(steps, func(other step) bool { return other.path[0] == s.path[0] && other.odd() }) {
			odd = append(odd, s)
		} else {
			plain = append(plain, s)
		}
	}
	if odd == nil {
		return patchOf(plain), nil
	}
	whole, err := w.merged(ctx, id, odd)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		if HidesSecrets(name) && bytes.Contains(whole[name], []byte(Hidden)) {
			return nil, invalid("%s can only be written whole, and holds secrets that Ironic does not show; give all of it as one value", name)
		}
		plain = append(plain, step{path: []string{name}, value: whole[name]})
	}
	return patchOf(plain), nil
}

// merged returns the complete attributes that change.
func (w *writing) merged(ctx context.Context, id string, steps []step) (Object, error) {
	now := Object{}
	if slices.ContainsFunc(steps, func(s step) bool { return len(s.path) > 1 }) {
		var whole struct{ Raw }
		c := &call{Request: rest.Request{Method: http.MethodGet}}
		if err := w.reader.call(ctx, "read a "+w.reader.one, id, c, "", &whole, "uuid"); err != nil {
			return nil, err
		}
		now = whole.Fields
	}
	return applied(now, steps)
}

// Delete deletes an object, by UUID or name; the error is IsNotFound if there is none. If the response was lost, and
// the repeated delete finds no object, the first one has worked. It has also worked if Ironic complains about the lock
// of another node, which happens on SQLite if that was created at the same moment, and the node is gone.
func (w *writing) Delete(ctx context.Context, id string) error {
	r := w.reader
	err := r.call(ctx, "delete a "+r.one, id, &call{Request: rest.Request{Method: http.MethodDelete}}, "", nil, "")
	switch {
	case IsNotFound(err) && httpErrorIn(err).lost:
		return nil
	case isNotLocked(err):
		c := &call{Request: rest.Request{Method: http.MethodGet, Query: url.Values{"fields": {"uuid"}}}}
		if readErr := r.call(ctx, "read a "+r.one, id, c, "", nil, ""); IsNotFound(readErr) {
			return nil
		}
	}
	return err
}
