package ansible

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/value/python"
)

// validation checks a task's arguments against a Spec. The order of steps, and therefore the error that is reported
// first, is that of ansible-core's module_utils/common/arg_spec.py.
type validation struct {
	env          func(string) (string, bool)
	errs         []string
	unsupported  []unsupported
	warnings     []string
	deprecations []Deprecation
	secrets      *secrets
}

// unsupported are the unknown keys of one level of options.
type unsupported struct {
	context []string
	names   []string
	options []Option
}

// ArgumentError is the error for refused arguments. Messages are those of AnsibleModule if it has one. They may contain
// the values of NoLog options: [Run] masks them.
type ArgumentError struct {
	// Messages has at least one element. The first is shown to the user; all of them are in the result's
	// validation_errors.
	Messages []string
}

func (e *ArgumentError) Error() string { return e.Messages[0] }

// validate checks args in place: afterwards they have exactly the options, nil for those without a value.
func (v *validation) validate(moduleName string, options []Option, rules *Rules, args *dict, ignoreUnknown bool) error {
	v.level(options, rules, args, nil, "", "")
	if len(v.unsupported) > 0 && !ignoreUnknown {
		v.errs = append(v.errs, fmt.Sprintf("Unsupported parameters for (%s) module: %s", moduleName, v.unsupportedText()))
	}
	if len(v.errs) > 0 {
		return &ArgumentError{Messages: v.errs}
	}
	return nil
}

func (v *validation) errorf(context []string, format string, args ...any) {
	v.errs = append(v.errs, fmt.Sprintf(format, args...)+foundIn(context, " found in %s"))
}

// foundIn describes the position of nested options.
func foundIn(context []string, format string) string {
	if len(context) == 0 {
		return ""
	}
	return fmt.Sprintf(format, strings.Join(context, " -> "))
}

// level checks one level of options: those of the module, or of one dict. prefix and param name it in warnings:
// "outer[0]." and "outer".
func (v *validation) level(options []Option, rules *Rules, d *dict, context []string, prefix, param string) {
	d.source = make(map[string]Source, len(options))
	v.given(options, d, prefix)
	v.unknown(options, d, context)
	for i := range options {
		if o := &options[i]; d.has(o.Name) {
			v.deprecated(o, param)
			v.hide(o, d.values[o.Name], d)
		}
	}

	v.mutuallyExclusive(rules, d, context)
	v.defaults(options, d)
	v.required(options, d, context)
	failed := make(map[string]bool)
	for i := range options {
		o := &options[i]
		if !d.has(o.Name) {
			continue
		}
		failed[o.Name] = !v.convert(o, d, context)
		v.hide(o, d.values[o.Name], d)
	}
	for i := range options {
		if o := &options[i]; len(o.Choices) > 0 && d.has(o.Name) && !failed[o.Name] {
			v.choices(o, d, context)
		}
	}
	v.requiredTogether(rules, d, context)
	v.requiredOneOf(rules, d, context)
	v.requiredIf(rules, d, context)
	v.requiredBy(rules, d, context)
	for i := range options {
		if o := &options[i]; !d.has(o.Name) {
			d.set(o.Name, nil)
		}
	}
	for i := range options {
		if o := &options[i]; o.nested() && !failed[o.Name] {
			v.nested(o, d, context, prefix, param)
		}
	}
}

// hide registers the secrets in an option's value. d has the other options.
func (v *validation) hide(o *Option, value any, d *dict) {
	switch {
	case o.NoLog && o.NoLogTexts != nil:
		text := func(option string) string {
			if n, ok := d.values[option].(json.Number); ok {
				return n.String()
			}
			s, _ := d.values[option].(string)
			return s
		}
		for _, secret := range o.NoLogTexts(appendJSON(nil, value), text) {
			v.secrets.add(secret)
		}
	case o.NoLog:
		v.secrets.addValue(value)
	}
	v.secrets.addKeys(value, o.NoLogKeys)
}

// given moves values from aliases and from the environment to the options' names. A null counts as not given; so does
// "" if it is not a valid value of the option, because an empty template results in it with ansible-core 2.14.
func (v *validation) given(options []Option, d *dict, prefix string) {
	for i := range options {
		o := &options[i]
		for _, name := range o.names() {
			if value, ok := d.values[name]; ok && (value == nil || !o.Required && o.blank(value)) {
				d.delete(name)
			}
		}
		for _, alias := range o.DeprecatedAliases {
			if d.has(alias.Name) {
				v.deprecations = append(v.deprecations, Deprecation{
					Msg:        fmt.Sprintf("Alias '%s%s' is deprecated. See the module docs for more information", prefix, alias.Name),
					Version:    alias.Version,
					Date:       alias.Date,
					Collection: alias.Collection,
				})
			}
		}
		for _, alias := range o.Aliases {
			if !d.has(alias) {
				continue
			}
			if d.has(o.Name) {
				v.warnings = append(v.warnings, fmt.Sprintf("Both option %s%s and its alias %s%s are set.", prefix, o.Name, prefix, alias))
				v.hide(o, d.values[o.Name], d) // the overridden value is a secret too
			}
			d.set(o.Name, d.values[alias])
			d.delete(alias)
		}
		if d.has(o.Name) {
			d.source[o.Name] = FromTask
			continue
		}
		for _, name := range o.Env {
			if value, ok := v.env(name); ok {
				if !o.blank(value) {
					d.set(o.Name, value)
					d.source[o.Name] = FromEnv
				}
				break
			}
		}
	}
}

// names returns the names of the option in tasks.
func (o *Option) names() []string { return append([]string{o.Name}, o.Aliases...) }

// blank reports whether a value is "" and that is not a valid value of the option.
func (o *Option) blank(value any) bool {
	if value != "" {
		return false
	}
	switch o.kind() {
	case Str, Path, Raw, JSONArg:
		return len(o.Choices) > 0 && !slices.Contains(o.Choices, any(""))
	}
	return true
}

// unknown removes unknown keys from d and records them.
func (v *validation) unknown(options []Option, d *dict, context []string) {
	u := unsupported{context: slices.Clone(context), options: options}
	known := make(map[string]bool, len(options))
	for i := range options {
		known[options[i].Name] = true // aliases have been resolved
	}
	keys := make([]string, 0, len(d.keys))
	for _, key := range d.keys {
		if known[key] {
			keys = append(keys, key)
			continue
		}
		u.names = append(u.names, key)
		delete(d.values, key)
	}
	d.keys = keys
	if len(u.names) > 0 {
		v.unsupported = append(v.unsupported, u)
	}
}

// unsupportedText lists unknown keys, then the known names at each of their levels, and the most similar name for each.
func (v *validation) unsupportedText() string {
	var unknown, supported, hints []string
	levels := make(map[string]bool)
	for _, u := range v.unsupported {
		levels[strings.Join(u.context, ".")] = true
	}
	for _, u := range v.unsupported {
		at := strings.Join(u.context, ".")
		for _, name := range u.names {
			full := strings.Join(append(slices.Clone(u.context), name), ".")
			unknown = append(unknown, full)
			var known []string
			for i := range u.options {
				known = append(known, u.options[i].names()...)
			}
			if near := nearest.Word(name, known); near != "" {
				hints = append(hints, fmt.Sprintf(" Did you mean %s instead of %s?", near, full))
			}
		}
		var names, aliases []string
		for i := range u.options {
			names = append(names, u.options[i].Name)
			aliases = append(aliases, u.options[i].Aliases...)
		}
		sort.Strings(names)
		sort.Strings(aliases)
		text := strings.Join(names, ", ")
		if len(aliases) > 0 {
			text += " (" + strings.Join(aliases, ", ") + ")"
		}
		sentence := "Supported parameters include: " + text + "."
		if len(levels) > 1 && at != "" {
			sentence = "Supported parameters of " + at + " include: " + text + "."
		}
		if !slices.Contains(supported, sentence) { // several elements of one list
			supported = append(supported, sentence)
		}
	}
	sort.Strings(unknown)
	sort.Strings(hints)
	return strings.Join(slices.Compact(unknown), ", ") + ". " + strings.Join(supported, " ") + strings.Join(slices.Compact(hints), "")
}

func (v *validation) deprecated(o *Option, param string) {
	if o.Deprecated == nil {
		return
	}
	name := o.Name
	if param != "" {
		name = param + `["` + name + `"]`
	}
	v.deprecations = append(v.deprecations, Deprecation{
		Msg:        fmt.Sprintf("Param '%s' is deprecated. See the module docs for more information", name),
		Version:    o.Deprecated.Version,
		Date:       o.Deprecated.Date,
		Collection: o.Deprecated.Collection,
	})
}

func (v *validation) defaults(options []Option, d *dict) {
	for i := range options {
		o := &options[i]
		if d.has(o.Name) || o.Default == nil {
			continue
		}
		value, err := fromGo(o.Default)
		if err != nil {
			v.errorf(nil, "internal error: default of %s: %v", o.Name, err)
			continue
		}
		v.hide(o, value, d)
		d.set(o.Name, value)
		d.source[o.Name] = FromDefault
	}
}

func (v *validation) required(options []Option, d *dict, context []string) {
	var missing []string
	for i := range options {
		if o := &options[i]; o.Required && !d.has(o.Name) {
			missing = append(missing, o.Name)
		}
	}
	if len(missing) > 0 {
		sort.Strings(missing)
		v.errorf(context, "missing required arguments: %s", strings.Join(missing, ", "))
	}
}

// convert coerces an option's value and its elements.
func (v *validation) convert(o *Option, d *dict, context []string) bool {
	value := d.values[o.Name]
	converted, err := v.coerce(o.kind(), value)
	if err != nil {
		v.errorf(nil, "argument '%s' is of type %s%s and we were unable to convert to %s: %v",
			o.Name, python.Type(value), foundIn(context, " found in '%s'."), o.kind(), err)
		return false
	}
	ok := true
	if list, isList := converted.([]any); isList && o.Elements != "" {
		elements := make([]any, 0, len(list))
		for _, element := range list {
			e, err := v.element(o, element)
			if err != nil {
				v.errorf(nil, "Elements value for option '%s'%s is of type %s and we were unable to convert to %s: %v",
					o.Name, foundIn(context, " found in '%s'"), python.Type(element), o.Elements, err)
				ok = false
				continue
			}
			elements = append(elements, e)
		}
		converted = elements
	}
	if ok {
		d.set(o.Name, converted)
	}
	return ok
}

// element coerces an element of a list. A null is valid only for str, path and raw.
func (v *validation) element(o *Option, element any) (any, error) {
	if element == nil {
		switch o.Elements {
		case Str, Path:
			return "", nil
		case Raw:
			return nil, nil
		case Bool, Float, List, Dict, Bytes, Bits, JSONArg:
			target := map[Type]string{Bool: "a bool", Float: "a float", List: "a list", Dict: "a dict",
				Bytes: "a Byte value", Bits: "a Bit value", JSONArg: "a json string"}[o.Elements]
			return nil, fmt.Errorf("%s cannot be converted to %s", pyClass(nil), target)
		}
	}
	return v.coerce(o.Elements, element)
}

// choices checks a value, or each element of a list, against the choices.
func (v *validation) choices(o *Option, d *dict, context []string) {
	choices, err := fromGo(o.Choices)
	if err != nil {
		v.errorf(nil, "internal error: choices of %s: %v", o.Name, err)
		return
	}
	allowed := choices.([]any)
	one := func(value any) bool {
		return slices.ContainsFunc(allowed, func(c any) bool { return equal(value, c) })
	}
	value := d.values[o.Name]
	if list, ok := value.([]any); ok {
		var bad []string
		for _, e := range list {
			if !one(e) {
				bad = append(bad, python.Str(e))
			}
		}
		if len(bad) > 0 {
			v.errorf(context, "value of %s must be one or more of: %s. Got no match for: %s", o.Name, texts(allowed), strings.Join(bad, ", "))
		}
		return
	}
	if !one(value) {
		// YAML reads yes, no, on and off as booleans, which have become text here. If only one choice can have been
		// meant, it is used.
		value = unYAML(value, allowed)
		d.set(o.Name, value)
	}
	if !one(value) {
		v.errorf(context, "value of %s must be one of: %s, got: %s", o.Name, texts(allowed), python.Str(value))
	}
}

func unYAML(value any, allowed []any) any {
	if value != "True" && value != "False" {
		return value
	}
	var meant []any
	for _, c := range allowed {
		truth, ok := c.(bool)
		if s, isText := c.(string); isText {
			truth, ok = boolWords[s]
		} else if n, isNumber := c.(json.Number); isNumber {
			truth, ok = sameNumber(n, "1"), sameNumber(n, "1") || sameNumber(n, "0")
		}
		if ok && truth == (value == "True") {
			meant = append(meant, c)
		}
	}
	if len(meant) == 1 {
		return meant[0]
	}
	return value
}

func texts(values []any) string {
	var s []string
	for _, v := range values {
		s = append(s, python.Str(v))
	}
	return strings.Join(s, ", ")
}

// nested checks the dicts within an option.
func (v *validation) nested(o *Option, d *dict, context []string, prefix, param string) {
	if o.ApplyDefaults && o.kind() == Dict && d.values[o.Name] == nil {
		d.set(o.Name, newDict())
		d.source[o.Name] = FromDefault
	}
	context = append(slices.Clone(context), o.Name)
	if param != "" {
		param += `["` + o.Name + `"]`
	} else {
		param = o.Name
	}
	switch value := d.values[o.Name].(type) {
	case *dict:
		v.level(o.Options, &o.Rules, value, context, prefix+o.Name+".", param)
	case []any:
		for i, element := range value {
			if sub, ok := element.(*dict); ok {
				v.level(o.Options, &o.Rules, sub, context, fmt.Sprintf("%s%s[%d].", prefix, o.Name, i), param)
			}
		}
	}
}
