package craton

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Kind is a kind of object, as in [Client.Collection] and [AnyDevice].
type Kind string

// The kinds. Ids of hosts and network devices share one sequence.
const (
	KindProject          Kind = "project"
	KindUser             Kind = "user"
	KindCloud            Kind = "cloud"
	KindRegion           Kind = "region"
	KindCell             Kind = "cell"
	KindHost             Kind = "host"
	KindNetworkDevice    Kind = "network-device"
	KindNetwork          Kind = "network"
	KindNetworkInterface Kind = "network-interface"
	KindDevice           Kind = "device" // hosts and network devices together, which can only be listed
)

// Object is an object with the API's own keys, and the JSON of each value as received. In a listing of devices it also
// has the member "kind". A user that was just created has its API key.
type Object map[string]json.RawMessage

// ID returns the object's id: digits, or a UUID for a project. It is "" if the API returned none.
func (o Object) ID() string { return strings.Trim(string(o["id"]), `"`) }

// Text returns the text of a member: a string as it is, anything else as JSON, such as the digits of an id. It is ""
// for null and for a missing member.
func (o Object) Text(key string) string {
	switch v := gjson.Parse(jsontext.Text(o[key])); v.Type {
	case gjson.Null:
		return ""
	case gjson.String:
		return strings.Clone(v.Str)
	default:
		return strings.Clone(v.Raw)
	}
}

// UnmarshalJSON decodes an object into an existing or a new one; of duplicate keys the last value counts. All values
// share one allocation.
func (o *Object) UnmarshalJSON(data []byte) error {
	data = bytes.Clone(data)
	members := gjson.Parse(jsontext.Text(data))
	if !members.IsObject() {
		return fmt.Errorf("craton: an object must be a JSON object, not %s", rest.KindOf(members))
	}
	if *o == nil {
		*o = make(Object, 20)
	}
	members.ForEach(func(key, value gjson.Result) bool {
		end := value.Index + len(value.Raw)
		(*o)[key.Str] = data[value.Index:end:end]
		return true
	})
	return nil
}

// objects decodes a list of objects from valid JSON.
func objects(list []byte) (items []*Object, err error) {
	gjson.ParseBytes(list).ForEach(func(_, row gjson.Result) bool {
		o := new(Object)
		err = o.UnmarshalJSON(list[row.Index : row.Index+len(row.Raw)])
		items = append(items, o)
		return err == nil
	})
	return items, err
}

// Collection is one kind of object without Go types, for programs that treat all kinds alike: with the same requests as
// the typed services, and the same errors.
//
// Ids are texts as returned by [Object.ID]. List options are the API's own parameters ([Collection.Takes]); sort keys
// should end with id. Bodies are sent unchanged, and the API refuses what a collection does not support, such as labels
// of clouds.
type Collection struct {
	Lister[Object, url.Values]
	Reader[Object, string]
	Writer[Object, string, map[string]any]
	Updater[Object, string, map[string]any]
	Mover[Object, string, map[string]any]
	VariableStore[string]
	LabelStore[string]

	path   string
	params reflect.Type // the typed list options
}

// Path returns the collection's, below /v1: "/hosts".
func (c *Collection) Path() string { return c.path }

// Takes reports whether a listing of the collection supports a parameter. Others must not be sent: the original ignores
// them or fails.
func (c *Collection) Takes(param string) bool {
	_, ok := rest.FieldOf(c.params, param)
	return ok
}

// Collection returns the collection of a kind; nil if there is no such kind.
func (c *Client) Collection(kind Kind) *Collection {
	switch kind {
	case KindProject:
		return newCollection(&c.Projects.Lister, &c.Projects.Reader, &c.Projects.Writer, nil, &c.Projects.VariableStore)
	case KindUser:
		return newCollection(&c.Users.Lister, &c.Users.Reader, &c.Users.Writer, nil, nil)
	case KindCloud:
		return newCollection(&c.Clouds.Lister, &c.Clouds.Reader, &c.Clouds.Writer, c.Clouds.Updater.taken, &c.Clouds.VariableStore)
	case KindRegion:
		return newCollection(&c.Regions.Lister, &c.Regions.Reader, &c.Regions.Writer, c.Regions.Updater.taken, &c.Regions.VariableStore)
	case KindCell:
		return newCollection(&c.Cells.Lister, &c.Cells.Reader, &c.Cells.Writer, c.Cells.Updater.taken, &c.Cells.VariableStore)
	case KindHost:
		return newCollection(&c.Hosts.Lister, &c.Hosts.Reader, &c.Hosts.Writer, c.Hosts.Updater.taken, &c.Hosts.VariableStore)
	case KindNetworkDevice:
		return newCollection(&c.NetworkDevices.Lister, &c.NetworkDevices.Reader, &c.NetworkDevices.Writer, c.NetworkDevices.Updater.taken, &c.NetworkDevices.VariableStore)
	case KindNetwork:
		return newCollection(&c.Networks.Lister, &c.Networks.Reader, &c.Networks.Writer, c.Networks.Updater.taken, &c.Networks.VariableStore)
	case KindNetworkInterface:
		return newCollection(&c.NetworkInterfaces.Lister, &c.NetworkInterfaces.Reader, &c.NetworkInterfaces.Writer, c.NetworkInterfaces.Updater.taken, nil)
	case KindDevice:
		col := newCollection(&c.Devices.Lister, &Reader[AnyDevice, int]{client: c}, &Writer[AnyDevice, int, struct{}]{client: c}, nil, nil)
		col.decode = decodeDevices(objects, func(o *Object, kind Kind) { (*o)["kind"] = json.RawMessage(strconv.Quote(string(kind))) })
		return col
	}
	return nil
}

// newCollection creates a collection from the parts of a service. Typed hooks get objects of their types.
func newCollection[T any, K ID, C, O any](l *Lister[T, O], r *Reader[T, K], w *Writer[T, K, C], changed takenFunc[T], v *VariableStore[K]) *Collection {
	c, path := l.client, l.path
	col := &Collection{
		Lister:     Lister[Object, url.Values]{client: c, path: path, key: l.key, id: func(o *Object) string { return o.ID() }, decode: objects, reason: l.reason},
		Reader:     Reader[Object, string]{client: c, path: path, resolves: r.resolves},
		Writer:     Writer[Object, string, map[string]any]{client: c, path: path, taken: untypedTaken(w.taken)},
		Updater:    Updater[Object, string, map[string]any]{client: c, path: path, taken: untypedTaken(changed)},
		Mover:      Mover[Object, string, map[string]any]{client: c, path: path},
		LabelStore: LabelStore[string]{client: c, path: path},
		path:       path, params: reflect.TypeFor[O](),
	}
	col.VariableStore = VariableStore[string]{client: c, path: path}
	if v != nil {
		col.VariableStore.resolves, col.inherits = v.resolves, v.inherits
	}
	if l.local != nil {
		col.local = func(q url.Values) *localFilter[Object] {
			f := l.local(q)
			if f == nil {
				return nil
			}
			return &localFilter[Object]{params: f.params, lookup: f.lookup, keep: func(o *Object) bool {
				t := new(T)
				return overlay(t, o) != nil || f.keep(t) // the caller gets the error
			}}
		}
	}
	if w.inUse != nil {
		col.inUse = func(ctx context.Context, text string) string {
			var id K
			if err := json.Unmarshal([]byte(text), &id); err != nil {
				return ""
			}
			return w.inUse(ctx, id)
		}
	}
	if w.partial != nil {
		col.partial = func(ctx context.Context, body *map[string]any) string {
			b := new(C)
			if overlay(b, body) != nil {
				return ""
			}
			return w.partial(ctx, b)
		}
	}
	if w.clash != nil {
		col.clash = func(body *map[string]any) string {
			b := new(C)
			if overlay(b, body) != nil {
				return ""
			}
			return w.clash(b)
		}
	}
	return col
}

func untypedTaken[T any](taken takenFunc[T]) takenFunc[Object] {
	if taken == nil {
		return nil
	}
	return func(ctx context.Context, want *Object) bool {
		t := new(T)
		return overlay(t, want) == nil && taken(ctx, t)
	}
}
