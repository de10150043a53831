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

// Keys of objects beside their fields.
const (
	KeyID        = "id"
	KeyProject   = "project_id"
	KeyCreated   = "created_at"
	KeyUpdated   = "updated_at"
	KeyVariables = "variables"
	KeyLabels    = "labels"
	KeyProtected = "protected" // beside v1: missing where nobody asked
	KeyKind      = "kind"      // of devices: "host", "network_device"
	KeyAPIKey    = "api_key"
)

// Object is an object of the API by the API's own keys, in the one form in which objects are compared: string, int,
// bool, or nil for what is not set; its own variables as craton.Variables, labels as []string. Variables and labels are
// missing where the API did not show them. It has all fields of its kind and nothing else, no secret and no links.
//
// "" and 0 are what is not set: the original shows null for a text that never was given and "" for one that was
// taken away, and the API cannot take a number away but by setting it to 0.
type Object map[string]any

// ID returns the id as a text.
func (o Object) ID() string { return fmt.Sprint(o[KeyID]) }

// Text returns a text; "" where there is none.
func (o Object) Text(key string) string {
	s, _ := o[key].(string)
	return s
}

// Variables returns its own variables; nil where they are not known.
func (o Object) Variables() craton.Variables {
	v, _ := o[KeyVariables].(craton.Variables)
	return v
}

// Labels returns its labels; nil where they are not known.
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

// Called names an object for people: host "web1" (id 7).
func Called(k *schema.Kind, o Object) string {
	s := fmt.Sprintf("%s %q", k.Noun(), o.Text(k.Title))
	if o[KeyID] != nil {
		s += fmt.Sprintf(" (id %s)", o.ID())
	}
	return s
}

// kindOf returns the kind of an object of a collection: each device has its own.
func kindOf(k *schema.Kind, o Object) *schema.Kind {
	switch o.Text(KeyKind) {
	case schema.Host.Ident():
		return schema.Host
	case schema.NetworkDevice.Ident():
		return schema.NetworkDevice
	}
	return k
}

// decode reads an object of the API. Members that the schema does not know are left out, as are links, which hold the
// address of the server, and secrets.
func decode(k *schema.Kind, raw craton.Object) (Object, error) { return decodeInto(blank(k), k, raw) }

// decodeTimeless returns decode without the times, for objects of which there are many.
func decodeTimeless(k *schema.Kind, raw craton.Object) (Object, error) {
	return decodeInto(timeless(k), k, raw)
}

// decodeInto reads what raw has of the keys of a blank object.
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

// readMembers reads the members of an object into raw, which is good as long as the text.
func readMembers(raw craton.Object, text []byte) {
	clear(raw)
	gjson.Parse(jsontext.Text(text)).ForEach(func(key, value gjson.Result) bool {
		raw[key.Str] = text[value.Index : value.Index+len(value.Raw)]
		return true
	})
}

// blank returns an object of which nothing is known.
func blank(k *schema.Kind) Object {
	o := make(Object, len(k.Fields)+8) // with what else there is of some
	o[KeyCreated], o[KeyUpdated] = nil, nil
	return fill(o, k)
}

// timeless returns blank without the times.
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
	return Canonical(strings.Clone(v.Str)), nil // what it was read from may be read into again
}

// readInteger reads texts too: an interface's speed is one when it is read (Q4).
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

// readTime leaves the microseconds out: the answer to a write has them, a later read does not (Q1).
func readTime(v gjson.Result) (any, error) {
	var t craton.Timestamp
	if err := t.UnmarshalJSON([]byte(v.Raw)); err != nil || t.IsZero() {
		return nil, err
	}
	return t.UTC().Format("2006-01-02T15:04:05") + ".000000", nil
}

// Canonical makes nil of what is not set.
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
