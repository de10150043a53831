package ansible

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/craton-fleet/craton/internal/value/python"
)

// Source is where an option's value comes from.
type Source int

// The sources of values.
const (
	Unset       Source = iota // the option has no value
	FromTask                  // the task gives it
	FromEnv                   // from an environment variable
	FromDefault               // the option's default
)

// Params are checked arguments: those of the module, or of one dict among them. The methods panic for an option that
// the Spec does not have, or that has another type: that is a mistake in the module, which its first run shows,
// whatever the arguments.
type Params struct {
	options []Option
	values  *dict
}

// option finds an option by name.
func (p Params) option(name string) *Option {
	for i := range p.options {
		if p.options[i].Name == name {
			return &p.options[i]
		}
	}
	panic(fmt.Sprintf("ansible: there is no option %q", name))
}

// get returns an option's value after checking that it is of one of the types.
func (p Params) get(name, method string, types ...Type) any {
	o := p.option(name)
	for _, t := range types {
		if o.kind() == t {
			return p.values.values[name]
		}
	}
	panic(fmt.Sprintf("ansible: option %q is of type %s: not for %s", name, o.kind(), method))
}

// Names returns the names of all options, in the order of the Spec.
func (p Params) Names() []string {
	names := make([]string, len(p.options))
	for i := range p.options {
		names[i] = p.options[i].Name
	}
	return names
}

// Source returns where the value of an option comes from.
func (p Params) Source(name string) Source {
	p.option(name)
	return p.values.source[name]
}

// Has reports whether an option has a value, from the task, the environment or a default.
func (p Params) Has(name string) bool {
	p.option(name)
	return p.values.values[name] != nil
}

// String returns the value of an option of type str, path or jsonarg, "" if it has none.
func (p Params) String(name string) string {
	switch v := p.get(name, "String", Str, Path, JSONArg).(type) {
	case string:
		return v
	case nil:
		return ""
	default: // choices that are not texts
		return python.Str(v)
	}
}

// Bool returns the value of an option of type bool, false if it has none.
func (p Params) Bool(name string) bool {
	b, _ := p.get(name, "Bool", Bool).(bool)
	return b
}

// Int returns the value of an option of type int, bytes or bits, 0 if it has none. A value that 64 bits cannot hold
// fails the task; a module that takes such values decodes them into a [math/big.Int].
func (p Params) Int(name string) int64 {
	n, ok := p.get(name, "Int", Int, Bytes, Bits).(json.Number)
	if !ok {
		return 0
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil {
		panic(&Failure{Msg: outOfRange(name, string(n), "64-bit integer").Error()})
	}
	return i
}

// Float returns the value of an option of type float, 0 if it has none.
func (p Params) Float(name string) float64 {
	n, ok := p.get(name, "Float", Float).(json.Number)
	if !ok {
		return 0
	}
	f, _ := n.Float64() // checked: finite
	return f
}

// Strings returns the value of a list whose elements are str or path; nil if it has no value, which differs from an
// empty list.
func (p Params) Strings(name string) []string {
	value := p.get(name, "Strings", List)
	if e := p.option(name).Elements; e != Str && e != Path {
		panic(fmt.Sprintf("ansible: the elements of option %q are of type %q: not for Strings", name, e))
	}
	list, ok := value.([]any)
	if !ok {
		return nil
	}
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = python.Str(e)
	}
	return texts
}

// List returns the value of a list: elements as in Value; nil if it has no value.
func (p Params) List(name string) []any {
	list, _ := plain(p.get(name, "List", List)).([]any)
	return list
}

// Dict returns the value of a dict: values as in Value; nil if it has no value.
func (p Params) Dict(name string) map[string]any {
	m, _ := plain(p.get(name, "Dict", Dict)).(map[string]any)
	return m
}

// Value returns the value of an option of any type: nil, bool, string, [json.Number] with its exact text, []any or
// map[string]any. It is the caller's own copy.
func (p Params) Value(name string) any {
	p.option(name)
	return plain(p.values.values[name])
}

// JSON returns the value of an option of any type as JSON on one line: null if it has none; keys in the order, and
// numbers with the text, of the task.
func (p Params) JSON(name string) json.RawMessage {
	p.option(name)
	return appendJSON(nil, p.values.values[name])
}

// Sub returns the options within a dict; ok is false if it has no value.
func (p Params) Sub(name string) (sub Params, ok bool) {
	value := p.get(name, "Sub", Dict)
	o := p.option(name)
	if len(o.Options) == 0 {
		panic(fmt.Sprintf("ansible: option %q has no options inside", name))
	}
	d, ok := value.(*dict)
	return Params{options: o.Options, values: d}, ok
}

// Subs returns the options within each dict of a list.
func (p Params) Subs(name string) []Params {
	value := p.get(name, "Subs", List)
	o := p.option(name)
	if len(o.Options) == 0 || o.Elements != Dict {
		panic(fmt.Sprintf("ansible: option %q is no list of dicts with options inside", name))
	}
	list, ok := value.([]any)
	if !ok {
		return nil
	}
	subs := make([]Params, len(list))
	for i, e := range list {
		subs[i] = Params{options: o.Options, values: e.(*dict)}
	}
	return subs
}

// MarshalJSON encodes the checked arguments, including secrets.
func (p Params) MarshalJSON() ([]byte, error) {
	if p.values == nil {
		return nil, errors.New("ansible: no parameters")
	}
	return appendJSON(nil, p.values), nil
}

func outOfRange(name, value, target string) error {
	return fmt.Errorf("argument '%s': %s does not fit into a %s", name, value, target)
}
