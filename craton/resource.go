package craton

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ID is an object's id: an integer for all kinds except projects, whose id is a UUID.
type ID interface{ int | string }

// idText returns the id as a path element. Integers are always canonical: the original on MySQL accepts "2abc" for 2
// (Q26).
func idText[K ID](id K) string {
	switch id := any(id).(type) {
	case int:
		return strconv.Itoa(id)
	case string:
		return url.PathEscape(id)
	}
	panic("unreachable")
}

// Reader reads single objects: T is the object, K its id.
type Reader[T any, K ID] struct {
	client   *Client
	path     string
	resolves bool // it supports resolved-values (v1 contract §2.3)
}

// Get reads one object; the error is [IsNotFound] if there is none. It has only its own variables; GetResolved includes
// those that it inherits.
func (r *Reader[T, K]) Get(ctx context.Context, id K) (*T, error) {
	var q url.Values
	if r.resolves {
		q = url.Values{"resolved-values": {"false"}}
	}
	return r.get(ctx, id, q)
}

// GetResolved reads one object with its resolved variables: its own over those of its parents, cell, region, cloud and
// project (v1 contract §5.2). For resources that inherit nothing it is the same as Get.
func (r *Reader[T, K]) GetResolved(ctx context.Context, id K) (*T, error) {
	return r.get(ctx, id, nil)
}

func (r *Reader[T, K]) get(ctx context.Context, id K, q url.Values) (*T, error) {
	out := new(T)
	if err := r.client.call(ctx, http.MethodGet, r.path+"/"+idText(id), q, nil, out, "id"); err != nil {
		return nil, err
	}
	return out, nil
}

// Writer creates and deletes objects: T is the object, K its id, C the body of a create.
//
// If the original server responds to a write with a bare 500, the client determines the reason afterwards: a taken name
// and an object in use become IsConflict, with every server.
type Writer[T any, K ID, C any] struct {
	client  *Client
	path    string
	taken   takenFunc[T]                                        // finds the object with the same name (Q6)
	inUse   func(ctx context.Context, id K) (by string)         // nil, or finds why a delete is refused (§6.3)
	partial func(ctx context.Context, body *C) (warning string) // nil, or finds that a create with 404 was executed (Q12)
	clash   func(body *C) (warning string)                      // nil, or finds another reason for a create's 409 (Q15)
}

// takenFunc reports whether another object has the name of want, where that must be unique. The result only explains an
// error, so if it fails, it returns false.
type takenFunc[T any] func(ctx context.Context, want *T) bool

// Create creates an object and returns it as in the API's response: times with microseconds, some values as sent rather
// than as a later read shows them (Q1, Q2, Q3).
//
// A taken name is IsConflict, even if the original returns 500 (Q6). A create is never sent twice: after a
// *ConnectionError it may have been executed, so check before trying again.
func (w *Writer[T, K, C]) Create(ctx context.Context, body C) (*T, error) {
	out := new(T)
	err := w.client.call(ctx, http.MethodPost, w.path, nil, body, out, "id")
	if err != nil {
		return nil, w.explainCreate(ctx, &body, err)
	}
	return out, nil
}

func (w *Writer[T, K, C]) explainCreate(ctx context.Context, body *C, err error) error {
	switch status := StatusOf(err); {
	case status == http.StatusNotFound:
		if w.partial != nil {
			if warning := w.partial(ctx, body); warning != "" {
				return WithHint(err, warning)
			}
		}
	case status == http.StatusConflict:
		if w.clash != nil {
			if warning := w.clash(body); warning != "" {
				return WithHint(err, warning)
			}
		}
	case IsUnexplained(err):
		want := new(T)
		if w.taken != nil && overlay(want, body) == nil && w.taken(ctx, want) {
			return asConflict(err, "An object with the given name already exists.")
		}
		return WithHint(err, hintWrite)
	}
	return err
}

// Delete deletes an object. An id that does not exist is not an error: the original returns 204 for it (Q5).
//
// The contents of the object are deleted too: a cell's hosts, a region's cells, a cloud's regions (v1 contract §6.3).
// The error is IsConflict while a device has this one as its parent or an interface is on this network, even if the
// original returns 500.
func (w *Writer[T, K, C]) Delete(ctx context.Context, id K) error {
	err := w.client.call(ctx, http.MethodDelete, w.path+"/"+idText(id), nil, nil, nil, "")
	switch {
	case StatusOf(err) == http.StatusNotFound:
		if e, ok := err.(*Error); ok && !e.Foreign { //nolint:errorlint // call returns it bare
			return nil // a stricter server than the original; the object is gone nevertheless
		}
	case IsUnexplained(err):
		if w.inUse != nil {
			if by := w.inUse(ctx, id); by != "" {
				return asConflict(err, "The object is in use: "+by+".")
			}
		}
		return WithHint(err, hintDelete)
	}
	return err
}

// Updater changes objects: T is the object, K its id, U the body of an update.
type Updater[T any, K ID, U any] struct {
	client *Client
	path   string
	taken  takenFunc[T]
}

// Update changes the fields that are set in body, and no others. The response has no variables.
//
// The original returns 500 both for an object that does not exist and for a taken name (Q5, Q6); here they are
// IsNotFound and IsConflict.
func (u *Updater[T, K, U]) Update(ctx context.Context, id K, body U) (*T, error) {
	out := new(T)
	path := u.path + "/" + idText(id)
	err := u.client.call(ctx, http.MethodPut, path, nil, body, out, "id")
	if err == nil {
		return out, nil
	}
	if !IsUnexplained(err) {
		return nil, err
	}
	want := new(T)
	if lookErr := u.client.call(ctx, http.MethodGet, path, nil, nil, want, "id"); lookErr != nil {
		if e, ok := lookErr.(*Error); ok && IsNotFound(e) { //nolint:errorlint // call returns it bare
			e.Method = http.MethodPut
			return nil, e
		}
		return nil, err
	}
	if u.taken != nil && overlay(want, body) == nil && u.taken(ctx, want) {
		return nil, asConflict(err, "An object with the given name already exists.")
	}
	return nil, WithHint(err, hintWrite)
}

// overlay sets the fields of an object that are in the body of a create or update: both use the object's own JSON
// names.
func overlay(object, change any) error {
	raw, err := json.Marshal(change)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, object)
}

const (
	hintWrite  = "the original server returns this when an object that the request names by its id does not exist, and when a text is longer than 255 characters"
	hintDelete = "the original server returns this when something outside still refers to the object or its contents; delete children before their parents, interfaces before networks, then cells, regions, clouds"
)

// WithHint adds what to do next to an error response of the API that has no Hint yet. Other errors are returned
// unchanged.
func WithHint(err error, text string) error {
	if e, ok := err.(*Error); ok && e.Hint == "" { //nolint:errorlint // calls return it bare
		with := *e
		with.Hint = text
		return &with
	}
	return err
}

// asConflict converts the original's 500 to the appropriate 409.
func asConflict(err error, message string) error {
	e := *err.(*Error) //nolint:errorlint,forcetypeassert // callers looked at its status
	e.Hint = fmt.Sprintf("the server itself returned %d", e.Status)
	e.Status, e.Message = http.StatusConflict, message
	return &e
}

// sameName compares names like the databases of the original do: case-insensitively (Q25). It is only used to explain
// errors; otherwise names are compared exactly.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// anyOther reports whether a listing contains another object for which is returns true; false if it fails.
func anyOther[T any](walk func(func(*T, error) bool), is func(*T) bool) bool {
	for o, err := range walk {
		if err != nil {
			return false
		}
		if is(o) {
			return true
		}
	}
	return false
}
