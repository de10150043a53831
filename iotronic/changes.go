package iotronic

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	rules "github.com/craton-fleet/craton/internal/value"
)

// Changes describe an update: each key is the path of an attribute or of something inside it, separated by slashes, and
// its value is the new one. [Remove] removes it; nil sets null.
//
//	iotronic.Changes{
//		"name":                    "web-01",
//		"extra/rack":              "b7",
//		"properties/capabilities": "boot_mode:uefi",
//		"extra/old":               iotronic.Remove,
//	}
//
// In a key, a slash is written as ~1, and a tilde as ~0, as in JSON pointers ([Path]). What an attribute contains in
// addition to a path stays as it is. Removing an attribute itself sets its default on Ironic and null on Iotronic;
// removing something that does not exist is an error on Ironic.
type Changes map[string]any

// Path returns the path of an attribute and something inside it, with the necessary escapes.
func Path(elements ...string) string {
	escaped := make([]string, len(elements))
	for i, el := range elements {
		escaped[i] = intoPointer.Replace(el)
	}
	return strings.Join(escaped, "/")
}

var intoPointer = strings.NewReplacer("~", "~0", "/", "~1")

// Remove as a value of Changes removes what is at the path.
var Remove = removal{}

type removal struct{}

// step is one change.
type step struct {
	path   []string // not escaped
	remove bool
	value  json.RawMessage
}

// pathElement matches what Ironic accepts in the path of a JSON patch, except for positions in a list: a number would
// insert a value, and - append one.
var pathElement = rules.LazyPattern(`^[\w-]*[A-Za-z_][\w-]*$`)

// PlainKey reports whether Ironic accepts a key in the path of a change: it consists of letters, digits, - and _ and is
// not a number. For any other key, the complete attribute is sent, see [Writer.Update].
func PlainKey(key string) bool { return pathElement().MatchString(key) }

// odd reports whether Ironic does not accept a path.
func (s *step) odd() bool {
	return slices.ContainsFunc(s.path, func(el string) bool { return !PlainKey(el) })
}

// steps returns the changes in the order of their paths, so that a change of an attribute precedes changes inside it.
func (c Changes) steps() ([]step, error) {
	if len(c) == 0 {
		return nil, invalid("there is nothing to change")
	}
	var steps []step
	for key, value := range c {
		var s step
		for el := range strings.SplitSeq(strings.TrimPrefix(key, "/"), "/") {
			if el == "" {
				return nil, invalid("the path %q of a change has an empty element", key)
			}
			s.path = append(s.path, pointerEscapes.Replace(el))
		}
		if _, s.remove = value.(removal); !s.remove {
			raw, err := rules.Encode(value)
			if err != nil {
				return nil, invalid("the value of %s: %w", key, err)
			}
			s.value = raw
		}
		steps = append(steps, s)
	}
	slices.SortFunc(steps, func(a, b step) int { return slices.Compare(a.path, b.path) })
	for i := range steps[1:] {
		if slices.Equal(steps[i].path, steps[i+1].path) {
			return nil, invalid("%s is to be changed twice", strings.Join(steps[i].path, "/"))
		}
	}
	return steps, nil
}

var pointerEscapes = strings.NewReplacer("~1", "/", "~0", "~")

// patchStep is one operation of a JSON patch. add also replaces existing values.
type patchStep struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
}

// patchOf returns a JSON patch (RFC 6902).
func patchOf(steps []step) []patchStep {
	patch := make([]patchStep, len(steps))
	for i, s := range steps {
		patch[i].Path = "/" + strings.Join(s.path, "/") // nothing in them needs an escape, see odd
		patch[i].Op, patch[i].Value = "add", s.value
		if s.remove {
			patch[i].Op = "remove"
		}
	}
	return patch
}

// applied returns the complete attributes of an object that the steps change.
func applied(object Object, steps []step) (Object, error) {
	changed := Object{}
	for _, s := range steps {
		name := s.path[0]
		now, ok := changed[name]
		if !ok {
			now = object[name]
		}
		next, err := s.apply(now, s.path[1:])
		if err != nil {
			return nil, invalid("%s: %w", strings.Join(s.path, "/"), err)
		}
		changed[name] = next
	}
	return changed, nil
}

// null is JSON's.
var null = json.RawMessage("null")

// apply returns value with the step applied at path.
func (s *step) apply(value json.RawMessage, path []string) (json.RawMessage, error) {
	if len(path) == 0 {
		if s.remove {
			return null, nil
		}
		return s.value, nil
	}
	var o Object
	if len(value) > 0 {
		if err := json.Unmarshal(value, &o); err != nil {
			return nil, errors.New("what holds it is no object")
		}
	}
	if o == nil {
		o = Object{}
	}
	_, there := o[path[0]]
	switch {
	case s.remove && !there:
		return value, nil
	case s.remove && len(path) == 1:
		delete(o, path[0])
	default:
		inner, err := s.apply(o[path[0]], path[1:])
		if err != nil {
			return nil, err
		}
		o[path[0]] = inner
	}
	raw, err := rules.Encode(o)
	if err != nil {
		return nil, fmt.Errorf("cannot be encoded: %w", err)
	}
	return raw, nil
}
