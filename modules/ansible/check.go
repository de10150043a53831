package ansible

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value/python"
)

// Check reports every mistake in the Spec: duplicate options, rules about options that do not exist, defaults that are
// not valid values of their option, return values with names that Ansible reserves. [Run] refuses a Spec with a
// mistake; a test that calls Check finds it earlier.
func (s *Spec) Check() error {
	c := &checker{}
	if !isName(s.Name) || s.Name != strings.ToLower(s.Name) || strings.Contains(s.Name, "-") {
		c.errorf("the name is not one that Ansible can call")
	}
	for _, f := range s.Fragments {
		if strings.Count(f.Name, ".") != 2 {
			c.errorf("fragment %q: the name must be namespace.collection.fragment", f.Name)
		}
	}
	c.options("", s.AllOptions(), s.allRules())
	for _, r := range s.Returns {
		if err := checkField(r.Name); err != nil {
			c.errorf("%w", err)
		}
	}
	if len(c.errs) == 0 {
		return nil
	}
	return fmt.Errorf("spec of %s: %w", s.Name, errors.Join(c.errs...))
}

// isName reports whether a text is a letter or _, followed by letters, digits, _ and -. Every task checks its module's
// names, and compiling a regular expression would take too long.
func isName(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '-'):
		default:
			return false
		}
	}
	return s != ""
}

type checker struct{ errs []error }

func (c *checker) errorf(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *checker) options(at string, options []Option, rules *Rules) {
	names := make(map[string]bool)
	for i := range options {
		o := &options[i]
		full := at + o.Name
		for _, name := range o.names() {
			if !isName(name) || strings.HasPrefix(name, "_ansible_") {
				c.errorf("option %s: %q is not a name", full, name)
			}
			if names[name] {
				c.errorf("option %s: the name %q is used twice", full, name)
			}
			names[name] = true
		}
		c.option(full, o)
	}
	known := func(what string, group ...string) {
		for _, name := range group {
			if !slices.ContainsFunc(options, func(o Option) bool { return o.Name == name }) {
				c.errorf("%s%s: there is no option %q", at, what, name)
			}
		}
	}
	for _, g := range rules.MutuallyExclusive {
		known("MutuallyExclusive", g...)
	}
	for _, g := range rules.RequiredTogether {
		known("RequiredTogether", g...)
	}
	for _, g := range rules.RequiredOneOf {
		known("RequiredOneOf", g...)
	}
	for _, r := range rules.RequiredIf {
		known("RequiredIf", r.Option)
		known("RequiredIf", r.Requires...)
		if _, err := fromGo(r.Value); err != nil {
			c.errorf("%sRequiredIf %s: %w", at, r.Option, err)
		}
	}
	for name, g := range rules.RequiredBy {
		known("RequiredBy", name)
		known("RequiredBy", g...)
	}
}

func (c *checker) option(full string, o *Option) {
	types := []Type{Str, Int, Bool, Float, List, Dict, Path, Raw, JSONArg, Bytes, Bits}
	if !slices.Contains(types, o.kind()) {
		c.errorf("option %s: unknown type %q", full, o.Type)
		return
	}
	if o.Elements != "" && (o.kind() != List || !slices.Contains(types, o.Elements)) {
		c.errorf("option %s: elements of type %q in a %s", full, o.Elements, o.kind())
		return
	}
	if len(o.Options) > 0 && !o.nested() {
		c.errorf("option %s: options are for a dict or a list of dicts", full)
	}
	if len(o.NoLogKeys) > 0 && (o.kind() != Dict || len(o.Options) > 0) {
		c.errorf("option %s: NoLogKeys are for a dict of any keys", full)
	}
	if o.NoLogTexts != nil && !o.NoLog {
		c.errorf("option %s: NoLogTexts are of an option with NoLog", full)
	}
	if o.ApplyDefaults && (o.kind() != Dict || len(o.Options) == 0) {
		c.errorf("option %s: ApplyDefaults is for a dict with options", full)
	}
	if o.Required && o.Default != nil {
		c.errorf("option %s: required and default are mutually exclusive", full)
	}
	for _, d := range o.DeprecatedAliases {
		if !slices.Contains(o.Aliases, d.Name) {
			c.errorf("option %s: the deprecated alias %q is no alias", full, d.Name)
		}
		c.deprecation(full+" alias "+d.Name, d.Version, d.Date, d.Collection)
	}
	if d := o.Deprecated; d != nil {
		c.deprecation(full, d.Version, d.Date, d.Collection)
	}
	c.values(full, o)
	c.options(full+".", o.Options, &o.Rules)
}

// values checks that choices and default are valid values of the option.
func (c *checker) values(full string, o *Option) {
	v := &validation{env: func(string) (string, bool) { return "", false }, secrets: &secrets{}}
	element := o.kind()
	if element == List {
		element = o.Elements
	}
	for _, choice := range o.Choices {
		value, err := fromGo(choice)
		if value == nil && err == nil {
			err = errors.New("null is no value")
		}
		if err == nil && element != "" {
			var same any
			if same, err = v.coerce(element, value); err == nil && !equal(same, value) {
				err = fmt.Errorf("it would be read as %s", python.Repr(same))
			}
		}
		if err != nil {
			c.errorf("option %s: choice %v: %w", full, choice, err)
			return
		}
	}
	if o.Default == nil {
		return
	}
	d := newDict()
	value, err := fromGo(o.Default)
	if err != nil {
		c.errorf("option %s: default: %w", full, err)
		return
	}
	d.set(o.Name, value)
	if v.convert(o, d, nil) && len(o.Choices) > 0 {
		v.choices(o, d, nil)
	}
	for _, e := range v.errs {
		c.errorf("option %s: default: %s", full, e)
	}
}

func (c *checker) deprecation(full, version, date, collection string) {
	if (version == "") == (date == "") {
		c.errorf("option %s: a deprecation needs either a version or a date", full)
	}
	if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
		c.errorf("option %s: deprecation date %q is not YYYY-MM-DD", full, date)
	}
	if strings.Count(collection, ".") != 1 {
		c.errorf("option %s: a deprecation needs its collection, namespace.name", full)
	}
}
