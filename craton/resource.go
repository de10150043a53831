package craton

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// ID is an object's id: an integer everywhere but for projects, whose id is a UUID.
type ID interface{ int | string }

// idText is the id as a path element. Integers are always canonical: the original on MySQL
// takes "2abc" for 2 (Q26).
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
	resolves bool // its representation takes resolved-values (contract §2.3)
}

// Get reads one object. Where the resource inherits, its variables are its own only;
// GetResolved gives them with what it inherits.
func (r *Reader[T, K]) Get(ctx context.Context, id K) (*T, error) {
	var q url.Values
	if r.resolves {
		q = url.Values{"resolved-values": {"false"}}
	}
	return r.get(ctx, id, q)
}

// GetResolved reads one object with its variables as it sees them: its own over those of its parents,
// cell, region, cloud and project. The same as Get for resources that inherit nothing.
func (r *Reader[T, K]) GetResolved(ctx context.Context, id K) (*T, error) {
	return r.get(ctx, id, nil)
}

func (r *Reader[T, K]) get(ctx context.Context, id K, q url.Values) (*T, error) {
	out := new(T)
	if err := r.client.call(ctx, http.MethodGet, r.path+"/"+idText(id), q, nil, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Writer creates and deletes objects: C is what a create sends.
type Writer[T any, K ID, C any] struct {
	client *Client
	path   string
	taken  func(ctx context.Context, body *C) (bool, error) // finds a duplicate where the original answers 500 (Q6)
}

// Create makes an object and returns it as the API answered: times with microseconds,
// some values as sent rather than as a later read shows them (Q1, Q2, Q3). A name that is taken is IsConflict.
func (w *Writer[T, K, C]) Create(ctx context.Context, body C) (*T, error) {
	out := new(T)
	err := w.client.call(ctx, http.MethodPost, w.path, nil, body, out)
	if err != nil {
		return nil, w.explain(ctx, &body, err)
	}
	return out, nil
}

// Delete removes an object. An id that does not exist is no error: the API answers 204 for it (Q5).
func (w *Writer[T, K, C]) Delete(ctx context.Context, id K) error {
	return w.client.call(ctx, http.MethodDelete, w.path+"/"+idText(id), nil, nil, nil)
}

// explain turns the original's 500 for a duplicate into the conflict that it is (Q6).
func (w *Writer[T, K, C]) explain(ctx context.Context, body *C, err error) error {
	if StatusOf(err) != http.StatusInternalServerError || w.taken == nil {
		return err
	}
	if found, lookErr := w.taken(ctx, body); lookErr != nil || !found {
		return err
	}
	return &Error{Status: http.StatusConflict, Method: http.MethodPost, Path: w.path,
		Message: "An object with the given name already exists (the server answered 500)."}
}

// Updater changes objects: U is what an update sends.
type Updater[T any, K ID, U any] struct {
	client *Client
	path   string
}

// Update changes the fields that are set in body and leaves all others. The answer has no variables.
// A 500 for an object that does not exist is reported as IsNotFound (Q5).
func (u *Updater[T, K, U]) Update(ctx context.Context, id K, body U) (*T, error) {
	out := new(T)
	path := u.path + "/" + idText(id)
	err := u.client.call(ctx, http.MethodPut, path, nil, body, out)
	if err == nil {
		return out, nil
	}
	if StatusOf(err) == http.StatusInternalServerError {
		if lookErr := u.client.call(ctx, http.MethodGet, path, nil, nil, nil); IsNotFound(lookErr) {
			return nil, lookErr
		}
	}
	return nil, err
}
