package iotronic

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidwall/gjson"

	rules "github.com/craton-fleet/craton/internal/value"
)

// Object is a JSON object with arbitrary keys, such as extra. Each value is stored as JSON text: integers of any size,
// null, nested values.
type Object map[string]json.RawMessage

// Values returns an Object from Go values, for literals:
//
//	iotronic.Values(map[string]any{"rack": "b7", "height": 2})
//
// It panics for a value that JSON cannot represent (a channel, NaN).
func Values(values map[string]any) Object {
	o := make(Object, len(values))
	for key, value := range values {
		raw, err := rules.Encode(value)
		if err != nil {
			panic(fmt.Errorf("iotronic: value %q: %w", key, err))
		}
		o[key] = raw
	}
	return o
}

// Get decodes the value of key into out; for a missing key it leaves out unchanged and returns false.
func (o Object) Get(key string, out any) (bool, error) {
	raw, ok := o[key]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return true, invalid("value %q: %w", key, err)
	}
	return true, nil
}

// Text returns the value of key if it is a string, or else "".
func (o Object) Text(key string) string {
	if value := gjson.ParseBytes(o[key]); value.Type == gjson.String {
		return value.Str
	}
	return ""
}

// Timestamp is a time. The zero Timestamp is null.
type Timestamp struct{ time.Time }

// UnmarshalJSON decodes null or a timestamp, with or without fraction and zone. Anything else becomes null: the
// object's Fields have the text.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	t.Time = time.Time{}
	text := gjson.ParseBytes(b).String()
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999"} {
		if parsed, err := time.Parse(layout, text); err == nil {
			t.Time = parsed.UTC()
		}
	}
	return nil
}

// MarshalJSON encodes the time as in RFC 3339, or null.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.Time.MarshalJSON()
}

// Link is a link: rel is self or bookmark. A server builds it from its own idea of its address.
type Link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

// Location is the position of a board or an Iotronic node. Servers store the coordinates as text.
type Location struct {
	Longitude string    `json:"longitude"`
	Latitude  string    `json:"latitude"`
	Altitude  string    `json:"altitude"`
	UpdatedAt Timestamp `json:"updated_at,omitzero"`
}

// Raw is part of every object that was read.
type Raw struct {
	// Fields is the complete object as received: including fields that this package does not know, and values that it
	// could not decode.
	Fields Object `json:"-"`
}

func (r *Raw) keep() *Object { return &r.Fields }

// Record is the fields that most objects have.
type Record struct {
	UUID      string    `json:"uuid"`
	Name      string    `json:"name"` // unique on Ironic only; "" if there is none
	Extra     Object    `json:"extra"`
	Links     []Link    `json:"links"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`
	Raw
}

func (r *Record) id() string   { return r.UUID }
func (r *Record) name() string { return r.Name }

// idOf returns the UUID by which lists of an object are paged.
func idOf[T any](object *T) string {
	return any(object).(interface{ id() string }).id() //nolint:forcetypeassert // true of all that is listed
}

// errNoObject is the error for a response, or a part of one, of another type.
var errNoObject = errors.New("it is no object")

// decode decodes a JSON object. A value of an unexpected type leaves its field empty, and is in Fields nevertheless:
// other releases must not make a complete listing unreadable.
func decode(data []byte, into any) error {
	if !gjson.ParseBytes(data).IsObject() {
		return errNoObject
	}
	if err := json.Unmarshal(data, into); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok {
			return err
		}
	}
	raw, ok := into.(interface{ keep() *Object })
	if !ok {
		return nil
	}
	if err := json.Unmarshal(data, raw.keep()); err != nil {
		return err
	}
	if o, ok := into.(interface{ settle() }); ok {
		o.settle()
	}
	return nil
}
