package modules

import (
	"context"
	"iter"
	"strconv"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/rest"
)

// service is one collection of the API in terms of objects. A function that is nil is one that the API does not have.
type service struct {
	// list yields the objects that match. Filters that the API does not know are left out: callers compare.
	list   func(ctx context.Context, c *craton.Client, f filters) iter.Seq2[object, error]
	get    func(ctx context.Context, c *craton.Client, id string) (object, error) // own variables
	create func(ctx context.Context, c *craton.Client, body object) (made object, apiKey string, err error)
	update func(ctx context.Context, c *craton.Client, id string, body object) (object, error)
	remove func(ctx context.Context, c *craton.Client, id string) error

	ownVariables    func(ctx context.Context, c *craton.Client, id string) (craton.Variables, error)
	setVariables    func(ctx context.Context, c *craton.Client, id string, v craton.Variables) (craton.Variables, error)
	deleteVariables func(ctx context.Context, c *craton.Client, id string, keys []string) error

	labels func(c *craton.Client) labelStore
}

type labelStore interface {
	Labels(ctx context.Context, id int) ([]string, error)
	AddLabels(ctx context.Context, id int, labels ...string) ([]string, error)
	RemoveLabels(ctx context.Context, id int, labels ...string) error
}

// filters are a list's parameters by the API's names.
type filters map[string]any

// The parts that the client's services are made of: T is the object, K its id, C, U and O what creates, updates and lists take.
type (
	crud[T any, K craton.ID, C, O any] interface {
		All(ctx context.Context, o O) iter.Seq2[*T, error]
		List(ctx context.Context, o O) (*craton.Page[T], error)
		Get(ctx context.Context, id K) (*T, error)
		Create(ctx context.Context, body C) (*T, error)
		Delete(ctx context.Context, id K) error
	}
	updater[T any, U any] interface {
		Update(ctx context.Context, id int, body U) (*T, error)
	}
	variableStore[K craton.ID] interface {
		Variables(ctx context.Context, id K) (craton.Variables, error)
		SetVariables(ctx context.Context, id K, v craton.Variables) (craton.Variables, error)
		DeleteVariables(ctx context.Context, id K, keys ...string) error
	}
)

// newService adapts what every service of the client has.
func newService[T any, K craton.ID, C, O any](of func(*craton.Client) crud[T, K, C, O]) service {
	return service{
		list: func(ctx context.Context, c *craton.Client, f filters) iter.Seq2[object, error] {
			if _, named := f["name"]; named {
				return objects(few(ctx, of(c), rest.Options[O](f)))
			}
			return objects(of(c).All(ctx, rest.Options[O](f)))
		},
		get: func(ctx context.Context, c *craton.Client, id string) (object, error) {
			o, err := of(c).Get(ctx, idOf[K](id))
			if err != nil {
				return nil, err
			}
			return objectOf(o)
		},
		create: func(ctx context.Context, c *craton.Client, body object) (object, string, error) {
			b, err := typed[C](body)
			if err != nil {
				return nil, "", err
			}
			made, err := of(c).Create(ctx, b)
			if err != nil {
				return nil, "", err
			}
			key := ""
			if u, ok := any(made).(*craton.User); ok {
				key = string(u.APIKey)
			}
			o, err := objectOf(made)
			return o, key, err
		},
		remove: func(ctx context.Context, c *craton.Client, id string) error { return of(c).Delete(ctx, idOf[K](id)) },
	}
}

// few lists what is expected to be less than a page, such as what has one name. A page that is not full is the last one;
// to see that saves the request for an empty one, and a task has few others.
func few[T any, K craton.ID, C, O any](ctx context.Context, from crud[T, K, C, O], o O) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		page, err := from.List(ctx, o)
		if err != nil {
			yield(nil, err)
			return
		}
		if page.Marker != "" && len(page.Items) >= page.Limit {
			from.All(ctx, o)(yield)
			return
		}
		for _, item := range page.Items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// updates adds the update of objects.
func updates[T, U any](s service, of func(*craton.Client) updater[T, U]) service {
	s.update = func(ctx context.Context, c *craton.Client, id string, body object) (object, error) {
		b, err := typed[U](body)
		if err != nil {
			return nil, err
		}
		o, err := of(c).Update(ctx, idOf[int](id), b)
		if err != nil {
			return nil, err
		}
		return objectOf(o)
	}
	return s
}

// stores adds variables of their own route.
func stores[K craton.ID](s service, of func(*craton.Client) variableStore[K]) service {
	s.ownVariables = func(ctx context.Context, c *craton.Client, id string) (craton.Variables, error) {
		return of(c).Variables(ctx, idOf[K](id))
	}
	s.setVariables = func(ctx context.Context, c *craton.Client, id string, v craton.Variables) (craton.Variables, error) {
		return of(c).SetVariables(ctx, idOf[K](id), v)
	}
	s.deleteVariables = func(ctx context.Context, c *craton.Client, id string, keys []string) error {
		return of(c).DeleteVariables(ctx, idOf[K](id), keys...)
	}
	return s
}

// labelled adds labels.
func labelled(s service, of func(*craton.Client) labelStore) service {
	s.labels = of
	return s
}

// objects converts a listing.
func objects[T any](all iter.Seq2[*T, error]) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		for item, err := range all {
			var o object
			if err == nil {
				o, err = objectOf(item)
			}
			if d, ok := any(item).(*craton.AnyDevice); ok && err == nil {
				o[keyKind] = map[craton.Kind]string{craton.KindHost: nameHost, craton.KindNetworkDevice: nameNetworkDevice}[d.Kind]
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// listDevices lists hosts and network devices together.
func listDevices(ctx context.Context, c *craton.Client, f filters) iter.Seq2[object, error] {
	return objects(c.Devices.All(ctx, rest.Options[craton.DeviceListOptions](f)))
}

// idOf is the id that a text names. Texts that are no id have been refused before.
func idOf[K craton.ID](text string) (id K) {
	switch p := any(&id).(type) {
	case *int:
		*p, _ = strconv.Atoi(text)
	case *string:
		*p = text
	}
	return id
}
