package ansible

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value/python"
)

// PythonMain returns the part of a Python module that declares the Spec's arguments for tools that read Python: the
// imports and the function main, which checks arguments as AnsibleModule does and then fails with a text, because the
// program is the module. ansible-lint calls main to check the options of tasks, `ansible-test sanity` compares it with
// the documentation.
func (s *Spec) PythonMain(text string) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	w := &pythonWriter{}
	w.options("        argument_spec=", 8, s.AllOptions())
	w.rules(s.allRules(), func(key, value string) { fmt.Fprintf(&w.b, "        %s=%s,\n", key, value) })
	fmt.Fprintf(&w.b, "        supports_check_mode=%s,\n", python.Repr(s.SupportsCheckMode))
	if err := errors.Join(w.errs...); err != nil {
		return nil, fmt.Errorf("arguments of %s: %w", s.Name, err)
	}
	imports := "AnsibleModule"
	if w.fallback {
		imports += ", env_fallback"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "\nfrom ansible.module_utils.basic import %s\n\n\ndef main():\n    module = AnsibleModule(\n", imports)
	b.Write(w.b.Bytes())
	b.WriteString("    )\n    module.fail_json(msg=(\n")
	for len(text) > 0 {
		line := text
		if end := strings.LastIndexByte(line[:min(len(line), widestLine-20)], ' ') + 1; len(line) > widestLine-20 && end > 0 {
			line = line[:end]
		}
		text = text[len(line):]
		fmt.Fprintf(&b, "        %s\n", python.Repr(line))
	}
	b.WriteString("    ))\n\n\nif __name__ == '__main__':\n    main()\n")
	return b.Bytes(), nil
}

// widestLine is the maximum length of a line of Python, including its line break, if it can be broken.
const widestLine = 140

// pythonWriter writes the arguments of AnsibleModule.
type pythonWriter struct {
	b        bytes.Buffer
	fallback bool // some option has one
	errs     []error
}

// value returns a Go value as Python.
func (w *pythonWriter) value(v any) string {
	value, err := fromGo(v)
	if err != nil {
		w.errs = append(w.errs, err)
	}
	return python.Repr(value)
}

// options writes a dict of options, each on a line of its own, after the beginning of the first line. indent is that of
// the closing brace.
func (w *pythonWriter) options(before string, indent int, options []Option) {
	fmt.Fprintf(&w.b, "%s{\n", before)
	for i := range options {
		w.option(indent+4, &options[i])
	}
	fmt.Fprintf(&w.b, "%*s},\n", indent, "")
}

func (w *pythonWriter) option(indent int, o *Option) {
	var parts []string
	put := func(key, value string) { parts = append(parts, fmt.Sprintf("'%s': %s", key, value)) }
	put("type", w.value(o.kind()))
	if o.Elements != "" {
		put("elements", w.value(o.Elements))
	}
	if o.Required {
		put("required", "True")
	}
	if o.Default != nil {
		put("default", w.value(o.Default))
	}
	if o.Choices != nil {
		put("choices", w.value(o.Choices))
	}
	if o.Aliases != nil {
		put("aliases", w.value(o.Aliases))
	}
	switch {
	case o.NoLog:
		put("no_log", "True")
	case looksSecret(o.Name): // AnsibleModule would otherwise treat it as a secret
		put("no_log", "False")
	}
	if len(o.Env) > 0 {
		w.fallback = true
		put("fallback", fmt.Sprintf("(env_fallback, %s)", w.value(o.Env)))
	}
	if o.ApplyDefaults {
		put("apply_defaults", "True")
	}
	if d := o.Deprecated; d != nil {
		if d.Version != "" {
			put("removed_in_version", w.value(d.Version))
		} else {
			put("removed_at_date", w.value(d.Date))
		}
		put("removed_from_collection", w.value(d.Collection))
	}
	if len(o.DeprecatedAliases) > 0 {
		var all []any
		for _, d := range o.DeprecatedAliases {
			alias := map[string]any{"name": d.Name, "collection_name": d.Collection, "version": d.Version}
			if d.Date != "" {
				alias = map[string]any{"name": d.Name, "collection_name": d.Collection, "date": d.Date}
			}
			all = append(all, alias)
		}
		put("deprecated_aliases", w.value(all))
	}
	if line := fmt.Sprintf("%*s'%s': {%s},\n", indent, "", o.Name, strings.Join(parts, ", ")); len(o.Options) == 0 && len(line) <= widestLine {
		w.b.WriteString(line)
		return
	}
	fmt.Fprintf(&w.b, "%*s'%s': {\n", indent, "", o.Name)
	for _, part := range parts {
		fmt.Fprintf(&w.b, "%*s%s,\n", indent+4, "", part)
	}
	if len(o.Options) > 0 {
		w.options(fmt.Sprintf("%*s'options': ", indent+4, ""), indent+4, o.Options)
		w.rules(&o.Rules, func(key, value string) { fmt.Fprintf(&w.b, "%*s'%s': %s,\n", indent+4, "", key, value) })
	}
	fmt.Fprintf(&w.b, "%*s},\n", indent, "")
}

// rules writes the conditions between options, each by its name.
func (w *pythonWriter) rules(r *Rules, put func(key, value string)) {
	if len(r.MutuallyExclusive) > 0 {
		put("mutually_exclusive", w.value(r.MutuallyExclusive))
	}
	if len(r.RequiredTogether) > 0 {
		put("required_together", w.value(r.RequiredTogether))
	}
	if len(r.RequiredOneOf) > 0 {
		put("required_one_of", w.value(r.RequiredOneOf))
	}
	if len(r.RequiredIf) > 0 {
		var all []any
		for _, i := range r.RequiredIf {
			all = append(all, []any{i.Option, i.Value, i.Requires, i.Any})
		}
		put("required_if", w.value(all))
	}
	if len(r.RequiredBy) > 0 {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(r.RequiredBy)) {
			all = append(all, fmt.Sprintf("%s: %s", w.value(name), w.value(r.RequiredBy[name])))
		}
		put("required_by", "{"+strings.Join(all, ", ")+"}")
	}
}

// looksSecret reports whether AnsibleModule treats a name as that of a secret.
func looksSecret(name string) bool {
	return slices.ContainsFunc([]string{"pass", "secret", "token", "key"}, func(word string) bool { return strings.Contains(name, word) })
}
