package ironic

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/iotronic"
)

// parameters are what a command sends, by their names in the API: filters, fields and paging of a list, attributes of a
// new object. Values are string, int, bool, []string, iotronic.Object or []iotronic.Location.
type parameters map[string]any

// with returns parameters and one more.
func (p parameters) with(key string, value any) parameters {
	more := parameters{key: value}
	for k, v := range p {
		if k != key {
			more[k] = v
		}
	}
	return more
}

// service is the client's access to one kind of objects; unsupported functions are nil.
type service struct {
	// page reads one page; the marker leads to the next and is "" if there is none.
	page func(context.Context, *iotronic.Client, parameters) (objects []gjson.Result, marker string, err error)
	// all reads every page; nil for lists without pages.
	all func(context.Context, *iotronic.Client, parameters) iter.Seq2[gjson.Result, error]
	// takes reports whether lists support a parameter in a dialect.
	takes  func(key string, d iotronic.Dialect) bool
	get    func(ctx context.Context, c *iotronic.Client, id string, fields ...string) (gjson.Result, error)
	create func(context.Context, *iotronic.Client, parameters) (gjson.Result, error)
	update func(context.Context, *iotronic.Client, string, iotronic.Changes) (gjson.Result, error)
	remove func(context.Context, *iotronic.Client, string) error
}

// lister is a paged collection of the client.
type lister[T, O any] interface {
	List(ctx context.Context, options O) (*iotronic.Page[T], error)
	All(ctx context.Context, options O) iter.Seq2[*T, error]
}

// reader is a collection with single objects.
type reader[T any] interface {
	Get(ctx context.Context, id string, fields ...string) (*T, error)
}

// writer is a collection that can be changed.
type writer[T, C any] interface {
	Create(ctx context.Context, object C) (*T, error)
	Update(ctx context.Context, id string, changes iotronic.Changes) (*T, error)
	Delete(ctx context.Context, id string) error
}

// reading returns the part of a service that reads. of is the client's collection, whole returns an object's fields.
func reading[T, O any, S interface {
	lister[T, O]
	reader[T]
}](of func(*iotronic.Client) S, whole func(*T) iotronic.Object) service {
	options := func(p parameters) (o O) {
		rest.Fill(&o, p)
		return o
	}
	return service{
		page: func(ctx context.Context, c *iotronic.Client, p parameters) ([]gjson.Result, string, error) {
			page, err := of(c).List(ctx, options(p))
			if err != nil {
				return nil, "", err
			}
			return results(page.Items, whole), page.Marker, nil
		},
		all: func(ctx context.Context, c *iotronic.Client, p parameters) iter.Seq2[gjson.Result, error] {
			return func(yield func(gjson.Result, error) bool) {
				for item, err := range of(c).All(ctx, options(p)) {
					var o gjson.Result
					if err == nil {
						o = result(whole(item))
					}
					if !yield(o, err) {
						return
					}
				}
			}
		},
		takes: func(key string, d iotronic.Dialect) bool { return takes(reflect.TypeFor[O](), key, d) },
		get: func(ctx context.Context, c *iotronic.Client, id string, fields ...string) (gjson.Result, error) {
			o, err := of(c).Get(ctx, id, fields...)
			return resultOr(o, whole, err)
		},
	}
}

// writing adds the part that writes to a service. more returns where a new object keeps attributes without a field of
// their own.
func writing[T, C any, S writer[T, C]](s service, of func(*iotronic.Client) S, whole func(*T) iotronic.Object, more func(*C) *iotronic.Object) service {
	s.create = func(ctx context.Context, c *iotronic.Client, p parameters) (gjson.Result, error) {
		var object C
		others := iotronic.Object{}
		for _, key := range rest.Fill(&object, p) {
			value := iotronic.Values(map[string]any{key: p[key]})
			others[key] = value[key]
		}
		*more(&object) = others
		made, err := of(c).Create(ctx, object)
		return resultOr(made, whole, err)
	}
	s.update = func(ctx context.Context, c *iotronic.Client, id string, changes iotronic.Changes) (gjson.Result, error) {
		changed, err := of(c).Update(ctx, id, changes)
		return resultOr(changed, whole, err)
	}
	s.remove = func(ctx context.Context, c *iotronic.Client, id string) error { return of(c).Delete(ctx, id) }
	return s
}

// once returns a service for a list without pages.
func once[T any](list func(context.Context, *iotronic.Client, parameters) ([]*T, error), whole func(*T) iotronic.Object) service {
	return service{
		page: func(ctx context.Context, c *iotronic.Client, p parameters) ([]gjson.Result, string, error) {
			items, err := list(ctx, c, p)
			return results(items, whole), "", err
		},
		takes: func(string, iotronic.Dialect) bool { return false },
	}
}

// takes reports whether the options of a list have a parameter in a dialect.
func takes(options reflect.Type, key string, d iotronic.Dialect) bool {
	f, ok := rest.FieldOf(options, key)
	in := f.Tag.Get("dialect")
	return ok && (in == "" || slices.Contains(strings.Split(in, ","), d.String()))
}

// result returns an object as JSON, for printing.
func result(o iotronic.Object) gjson.Result {
	text, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Errorf("an object that was read as JSON cannot be written as JSON: %w", err))
	}
	return gjson.ParseBytes(text)
}

func results[T any](items []*T, whole func(*T) iotronic.Object) []gjson.Result {
	objects := make([]gjson.Result, len(items))
	for i, item := range items {
		objects[i] = result(whole(item))
	}
	return objects
}

func resultOr[T any](o *T, whole func(*T) iotronic.Object, err error) (gjson.Result, error) {
	if err != nil {
		return gjson.Result{}, err
	}
	return result(whole(o)), nil
}
