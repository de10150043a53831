package reconcile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Keys of objects that are not fields.
const (
	KeyID        = "id"
	KeyProject   = "project_id"
	KeyCreated   = "created_at"
	KeyUpdated   = "updated_at"
	KeyVariables = "variables"
	KeyLabels    = "labels"
	KeyProtected = "protected" // not in v1: missing unless requested
	KeyKind      = "kind"      // of devices: "host", "network_device"
	KeyAPIKey    = "api_key"
)

// Object is an object of the API under the API's keys, in the canonical form for comparisons: string, int, bool, or nil
// if unset; own variables as craton.Variables, labels as []string. Variables and labels are missing if the API did not
// return them. It has all fields of its kind and nothing else: no secrets and no links.
//
// "" and 0 count as unset: the original server returns null for a text that was never set and "" for a deleted one, and
// the only way to delete a number is to set it to 0.
type Object map[string]any

// ID returns the id as a text.
func (o Object) ID() string { return fmt.Sprint(o[KeyID]) }

// Text returns a text; "" if it is not set.
func (o Object) Text(key string) string {
	s, _ := o[key].(string)
	return s
}

// Variables returns the own variables; nil if they are not known.
func (o Object) Variables() craton.Variables {
	v, _ := o[KeyVariables].(craton.Variables)
	return v
}

// Labels returns the labels; nil if they are not known.
func (o Object) Labels() []string {
	l, _ := o[KeyLabels].([]string)
	return l
}

// Clone copies the object so that its variables and labels can be changed.
func (o Object) Clone() Object {
	c := maps.Clone(o)
	if v, ok := o[KeyVariables].(craton.Variables); ok {
		c[KeyVariables] = maps.Clone(v)
	}
	if l, ok := o[KeyLabels].([]string); ok {
		c[KeyLabels] = slices.Clone(l)
	}
	return c
}

// Called returns a name of an object for people: host "web1" (id 7).
func Called(k *schema.Kind, o Object) string {
	s := fmt.Sprintf("%s %q", k.Noun(), o.Text(k.Title))
	if o[KeyID] != nil {
		s += fmt.Sprintf(" (id %s)", o.ID())
	}
	return s
}

// kindOf returns the kind of an object in a collection: devices have different kinds.
func kindOf(k *schema.Kind, o Object) *schema.Kind {
	switch o.Text(KeyKind) {
	case schema.Host.Ident():
		return schema.Host
	case schema.NetworkDevice.Ident():
		return schema.NetworkDevice
	}
	return k
}

// decode decodes an object from the API. Members that are not in the schema are left out, such as links, which contain
// the server's address, and secrets.
func decode(k *schema.Kind, raw craton.Object) (Object, error) { return decodeInto(blank(k), k, raw) }

// decodeTimeless is like decode, without the times, for large numbers of objects.
func decodeTimeless(k *schema.Kind, raw craton.Object) (Object, error) {
	return decodeInto(timeless(k), k, raw)
}

// decodeInto reads the values of the keys of a blank object from raw.
func decodeInto(o Object, k *schema.Kind, raw craton.Object) (Object, error) {
	fields := k.Fields
	if k.View {
		kind := schema.ByName(gjson.ParseBytes(raw[KeyKind]).Str)
		if kind == nil {
			return nil, fmt.Errorf("its %s is unknown: %q", KeyKind, raw[KeyKind])
		}
		o[KeyKind] = kind.Ident()
		for _, f := range kind.Fields {
			if k.Field(f.Key) == nil && raw[f.Key] != nil {
				fields = append(slices.Clip(fields), f)
			}
		}
	}
	var err error
	set := func(key string, read func(gjson.Result) (any, error)) {
		if text, ok := raw[key]; ok && err == nil {
			if o[key], err = read(gjson.Parse(jsontext.Text(text))); err != nil {
				err = fmt.Errorf("its %s is %.40s, %w", key, text, err)
			}
		}
	}
	set(KeyID, readID)
	set(k.Title, readText)
	if k != schema.Project {
		set(KeyProject, readText)
	}
	for _, key := range []string{KeyCreated, KeyUpdated} {
		if _, has := o[key]; has {
			set(key, readTime)
		}
	}
	for _, f := range fields {
		set(f.Key, readers[f.Type])
		if o[f.Key] == nil && k.Field(f.Key) == nil {
			delete(o, f.Key)
		}
	}
	if err != nil {
		return nil, err
	}
	var variables craton.Variables
	if text, ok := raw[KeyVariables]; ok && string(text) != "null" {
		if err := variables.UnmarshalJSON(text); err != nil {
			return nil, fmt.Errorf("its %s: %w", KeyVariables, err)
		}
		o[KeyVariables] = variables
	}
	var labels []string
	if text, ok := raw[KeyLabels]; ok && string(text) != "null" {
		if err := json.Unmarshal(text, &labels); err != nil {
			return nil, fmt.Errorf("its %s: %w", KeyLabels, err)
		}
		o[KeyLabels] = labels
	}
	return o, nil
}

// readMembers reads the members of an object into raw, which refers to the text.
func readMembers(raw craton.Object, text []byte) {
	clear(raw)
	gjson.Parse(jsontext.Text(text)).ForEach(func(key, value gjson.Result) bool {
		raw[key.Str] = text[value.Index : value.Index+len(value.Raw)]
		return true
	})
}

// blank returns an object with all keys and no values.
func blank(k *schema.Kind) Object {
	o := make(Object, len(k.Fields)+8) // with the additional keys of some
	o[KeyCreated], o[KeyUpdated] = nil, nil
	return fill(o, k)
}

// timeless returns a blank object without the times.
func timeless(k *schema.Kind) Object { return fill(make(Object, len(k.Fields)+5), k) }

func fill(o Object, k *schema.Kind) Object {
	o[KeyID], o[k.Title] = nil, nil
	if k != schema.Project {
		o[KeyProject] = nil
	}
	for _, f := range k.Fields {
		o[f.Key] = nil
		if f.Type == schema.Flag {
			o[f.Key] = false
		}
	}
	return o
}

var readers = [...]func(gjson.Result) (any, error){
	schema.Text: readText, schema.LongText: readText, schema.Address: readText, schema.Prefix: readText,
	schema.Integer: readInteger, schema.Flag: readFlag, schema.Reference: readID,
}

func readText(v gjson.Result) (any, error) {
	if v.Type != gjson.String && v.Type != gjson.Null {
		return nil, fmt.Errorf("which is not text")
	}
	return Canonical(strings.Clone(v.Str)), nil // its buffer may be reused
}

// readInteger accepts texts too: the API returns an interface's speed as one (Q4).
func readInteger(v gjson.Result) (any, error) {
	text := v.Raw
	switch {
	case v.Type == gjson.Null || v.Type == gjson.String && v.Str == "":
		return nil, nil
	case v.Type == gjson.String:
		text = v.Str
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("which is not a whole number")
	}
	return Canonical(n), nil
}

func readID(v gjson.Result) (any, error) {
	if v.Type == gjson.String { // of a project
		return readText(v)
	}
	return readInteger(v)
}

func readFlag(v gjson.Result) (any, error) {
	if !v.IsBool() && v.Type != gjson.Null {
		return nil, fmt.Errorf("which is neither true nor false")
	}
	return v.Bool(), nil
}

// readTime drops the microseconds: the response to a write has them, a later read does not (Q1).
func readTime(v gjson.Result) (any, error) {
	var t craton.Timestamp
	if err := t.UnmarshalJSON([]byte(v.Raw)); err != nil || t.IsZero() {
		return nil, err
	}
	return t.UTC().Format("2006-01-02T15:04:05") + ".000000", nil
}

// Canonical converts unset values to nil.
func Canonical(v any) any {
	if v == "" || v == 0 {
		return nil
	}
	return v
}

// Equal compares canonical values of a field.
func Equal(f *schema.Field, a, b any) bool {
	x, okX := a.(string)
	y, okY := b.(string)
	if okX && okY {
		switch f.Type {
		case schema.Reference:
			return x == y || value.SameUUID(x, y)
		case schema.Address:
			return value.EqualAddress(x, y)
		case schema.Prefix:
			return value.EqualPrefix(x, y)
		}
	}
	return a == b
}
