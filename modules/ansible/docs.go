package ansible

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/value/python"
)

// Sidecar returns the documentation of the module as the YAML file for a binary module, plugins/modules/NAME.yml, with
// the keys DOCUMENTATION, EXAMPLES and RETURN of ansible-doc. Options are sorted, with the requirements of rules in the
// text of each option, and options of fragments are referenced. The same Spec gives the same bytes. It is an error if a
// text that ansible-doc needs is missing.
func (s *Spec) Sidecar() ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	w := &docWriter{where: s.Name}
	doc := w.module(s)
	root := mapping()
	put(root, "DOCUMENTATION", doc)
	examples := text(strings.TrimSpace(s.Examples) + "\n")
	var tasks []map[string]any
	if err := yaml.Unmarshal([]byte(s.Examples), &tasks); err != nil || len(tasks) == 0 {
		w.missing("examples that are a list of tasks")
	}
	put(root, "EXAMPLES", examples)
	put(root, "RETURN", w.returns(s.Returns))
	if err := errors.Join(w.errs...); err != nil {
		return nil, err
	}
	sidecar, err := encodeYAML(root)
	if err != nil {
		return nil, err
	}
	return sidecar, s.checkMarkup(sidecar)
}

// checkMarkup refuses names of unknown options in markup, as ansible-test does.
func (s *Spec) checkMarkup(doc []byte) error {
	for _, found := range regexp.MustCompile(`\bO\(([^)]*)\)`).FindAllSubmatch(doc, -1) { // compiled here, so that no task pays for it
		name, _, _ := strings.Cut(string(found[1]), "=")
		if strings.Contains(name, "#") { // of another plugin
			continue
		}
		if i := strings.IndexAny(name, ".["); i >= 0 { // one within it
			name = name[:i]
		}
		if !slices.ContainsFunc(s.AllOptions(), func(o Option) bool { return o.Name == name }) {
			return fmt.Errorf("spec of %s: %s names an option of the module that is none: write C(%s)", s.Name, found[0], name)
		}
	}
	return nil
}

// PythonFile returns the fragment in the form that Ansible loads: the Python file plugins/doc_fragments/FRAGMENT.py.
func (f *Fragment) PythonFile() ([]byte, error) {
	w := &docWriter{where: f.Name}
	root := mapping()
	put(root, "options", w.options(f.Options, &f.Rules))
	w.list(root, "notes", f.Notes)
	w.list(root, "requirements", f.Requirements)
	if err := errors.Join(w.errs...); err != nil {
		return nil, err
	}
	doc, err := encodeYAML(root)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(doc, []byte(`'''`)) {
		return nil, fmt.Errorf("fragment %s: ''' cannot stand in a documentation text", f.Name)
	}
	var b bytes.Buffer
	b.WriteString("# -*- coding: utf-8 -*-\n# Generated from the modules' specs. Do not edit.\n")
	b.WriteString("from __future__ import absolute_import, division, print_function\n\n__metaclass__ = type\n\n\n")
	b.WriteString("class ModuleDocFragment(object):\n    DOCUMENTATION = r'''\n---\n")
	b.Write(doc)
	b.WriteString("'''\n")
	return b.Bytes(), nil
}

// Runtime is the part of a collection's meta/runtime.yml about modules.
type Runtime struct {
	RequiresAnsible string // ">=2.14.0"
	// ActionGroups allow a play to set module_defaults for group/NAMESPACE.COLLECTION.GROUP. Ansible passes the
	// defaults to every module of the group, so all of them should have these options.
	ActionGroups []ActionGroup
	// ActionPlugin is the full name of the action plugin that runs the modules; optional.
	ActionPlugin string
}

// ActionGroup is a set of modules with common options.
type ActionGroup struct {
	Name    string
	Modules []string // without the collection's name
	Extends []string // groups whose modules belong to it too
}

// YAML returns the file for modules with these specs.
func (r Runtime) YAML(specs ...*Spec) ([]byte, error) {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	sort.Strings(names)
	root := mapping()
	put(root, "requires_ansible", text(r.RequiresAnsible))
	if len(r.ActionGroups) > 0 {
		groups := mapping()
		for _, g := range slices.SortedFunc(slices.Values(r.ActionGroups), func(a, b ActionGroup) int { return strings.Compare(a.Name, b.Name) }) {
			put(groups, g.Name, g.members())
		}
		put(root, "action_groups", groups)
	}
	if r.ActionPlugin != "" {
		modules := mapping()
		for _, name := range names {
			m := mapping()
			put(m, "action_plugin", text(r.ActionPlugin))
			put(modules, name, m)
		}
		routing := mapping()
		put(routing, "modules", modules)
		put(root, "plugin_routing", routing)
	}
	return encodeYAML(root)
}

func (g *ActionGroup) members() *yaml.Node {
	list := texted(slices.Sorted(slices.Values(g.Modules)))
	if len(g.Extends) > 0 {
		groups, metadata := mapping(), mapping()
		put(groups, "extend_group", texted(g.Extends))
		put(metadata, "metadata", groups)
		list.Content = append([]*yaml.Node{metadata}, list.Content...)
	}
	return list
}

// docWriter writes documentation and collects what is missing.
type docWriter struct {
	where string
	errs  []error
}

func (w *docWriter) missing(what string) {
	w.errs = append(w.errs, fmt.Errorf("documentation of %s: missing %s", w.where, what))
}

func (w *docWriter) module(s *Spec) *yaml.Node {
	doc := mapping()
	put(doc, "module", text(s.Name))
	if s.Short == "" {
		w.missing("a short description")
	}
	put(doc, "short_description", text(s.Short))
	if len(s.Description) == 0 {
		w.missing("a description")
	}
	w.list(doc, "description", s.Description)
	if s.VersionAdded != "" {
		put(doc, "version_added", text(s.VersionAdded))
	}
	w.list(doc, "author", s.Author)
	w.list(doc, "requirements", s.Requirements)
	if len(s.Fragments) > 0 {
		var names []string
		for _, f := range s.Fragments {
			names = append(names, f.Name)
		}
		w.list(doc, "extends_documentation_fragment", names)
	}
	attributes := mapping()
	put(attributes, "check_mode", attribute(s.SupportsCheckMode, "Can run in check mode and return what would change without changing it."))
	put(attributes, "diff_mode", attribute(s.SupportsDiff, "Returns what has changed, or would in check mode, when in diff mode."))
	put(doc, "attributes", attributes)
	// Rules may name options of fragments, and those of fragments may name options here.
	put(doc, "options", w.options(s.Options, s.allRules()))
	w.list(doc, "notes", s.Notes)
	if len(s.SeeAlso) > 0 {
		put(doc, "seealso", w.seeAlso(s.SeeAlso))
	}
	return doc
}

func attribute(full bool, description string) *yaml.Node {
	m := mapping()
	support := "none"
	if full {
		support = "full"
	}
	put(m, "support", text(support))
	put(m, "description", text(description))
	return m
}

func (w *docWriter) seeAlso(refs []SeeAlso) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, ref := range refs {
		m := mapping()
		if ref.Module != "" {
			put(m, "module", text(ref.Module))
		} else {
			if ref.Name == "" || ref.Link == "" || ref.Description == "" {
				w.missing("name, link or description of a see-also")
			}
			put(m, "name", text(ref.Name))
			put(m, "link", text(ref.Link))
		}
		if ref.Description != "" {
			put(m, "description", text(ref.Description))
		}
		list.Content = append(list.Content, m)
	}
	return list
}

func (w *docWriter) options(options []Option, rules *Rules) *yaml.Node {
	sorted := slices.SortedFunc(slices.Values(options), func(a, b Option) int { return strings.Compare(a.Name, b.Name) })
	m := mapping()
	for i := range sorted {
		put(m, sorted[i].Name, w.option(&sorted[i], rules))
	}
	return m
}

func (w *docWriter) option(o *Option, rules *Rules) *yaml.Node {
	m := mapping()
	if len(o.Description) == 0 {
		w.missing("the description of option " + o.Name)
	}
	w.list(m, "description", slices.Concat(o.Description, ruleTexts(o, rules), w.deprecated(o)))
	put(m, "type", text(string(o.kind())))
	if o.Elements != "" {
		put(m, "elements", text(string(o.Elements)))
	}
	if o.Required {
		put(m, "required", jsonNode(true))
	}
	if o.Default != nil && !o.NoLog {
		put(m, "default", jsonNode(o.Default))
	}
	if len(o.Choices) > 0 {
		put(m, "choices", jsonNode(o.Choices))
	}
	w.list(m, "aliases", o.Aliases)
	if o.VersionAdded != "" {
		put(m, "version_added", text(o.VersionAdded))
	}
	if len(o.Options) > 0 {
		put(m, "suboptions", w.options(o.Options, &o.Rules))
	}
	return m
}

// deprecated describes the removal of an option in sentences: Ansible's schema of module documentation has no key for
// it.
func (w *docWriter) deprecated(o *Option) []string {
	d := o.Deprecated
	if d == nil {
		return nil
	}
	if d.Why == "" || d.Alternatives == "" {
		w.missing("why " + o.Name + " is deprecated, or what to use instead")
	}
	when := "in version " + d.Version + " of C(" + d.Collection + ")"
	if d.Date != "" {
		when = "after " + d.Date
	}
	return []string{fmt.Sprintf("Deprecated, will be removed %s. %s Use %s instead.", when, d.Why, d.Alternatives)}
}

// ruleTexts describes in sentences what Ansible's documentation has no key for.
func ruleTexts(o *Option, rules *Rules) []string {
	var texts []string
	say := func(format string, args ...any) { texts = append(texts, fmt.Sprintf(format, args...)) }
	if len(o.Env) > 0 {
		say("If the task does not set it, the environment variable %s is used.", marked("C", o.Env, "or"))
	}
	for _, group := range rules.MutuallyExclusive {
		if slices.Contains(group, o.Name) {
			say("Mutually exclusive with %s.", marked("I", others(group, o.Name), "and"))
		}
	}
	for _, group := range rules.RequiredTogether {
		if slices.Contains(group, o.Name) {
			say("Needs %s too.", marked("I", others(group, o.Name), "and"))
		}
	}
	for _, group := range rules.RequiredOneOf {
		if slices.Contains(group, o.Name) {
			say("One of %s is required.", marked("I", group, "and"))
		}
	}
	for _, rule := range rules.RequiredIf {
		if !slices.Contains(rule.Requires, o.Name) {
			continue
		}
		value, _ := fromGo(rule.Value)
		when := fmt.Sprintf("I(%s=%s)", rule.Option, strings.ToLower(python.Str(value)))
		if s, ok := value.(string); ok {
			when = fmt.Sprintf("I(%s=%s)", rule.Option, s)
		}
		if rest := others(rule.Requires, o.Name); rule.Any && len(rest) > 0 {
			say("Required if %s, unless %s is set.", when, marked("I", rest, "or"))
		} else {
			say("Required if %s.", when)
		}
	}
	if needs := rules.RequiredBy[o.Name]; len(needs) > 0 {
		say("Needs %s too.", marked("I", needs, "and"))
	}
	for _, name := range slices.Sorted(maps.Keys(rules.RequiredBy)) {
		if slices.Contains(rules.RequiredBy[name], o.Name) {
			say("Required if I(%s) is set.", name)
		}
	}
	return texts
}

func others(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

// marked lists names in Ansible's markup: I(a), I(b) and I(c).
func marked(markup string, names []string, conjunction string) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = markup + "(" + n + ")"
	}
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " " + conjunction + " " + texts[last]
}

func (w *docWriter) returns(returns []Return) *yaml.Node {
	m := mapping()
	for i := range returns {
		r := &returns[i]
		if len(r.Description) == 0 || r.Returned == "" {
			w.missing("description or returned of the return value " + r.Name)
		}
		n := mapping()
		w.list(n, "description", r.Description)
		put(n, "returned", text(r.Returned))
		kind := r.Type
		if kind == "" {
			kind = Str
		}
		put(n, "type", text(string(kind)))
		if r.Elements != "" {
			put(n, "elements", text(string(r.Elements)))
		}
		if r.Sample != nil {
			put(n, "sample", jsonNode(r.Sample))
		}
		if r.VersionAdded != "" {
			put(n, "version_added", text(r.VersionAdded))
		}
		if len(r.Contains) > 0 {
			put(n, "contains", w.returns(r.Contains))
		}
		put(m, r.Name, n)
	}
	return m
}

// list adds a list of texts, unless it is empty.
func (w *docWriter) list(m *yaml.Node, key string, texts []string) {
	if len(texts) > 0 {
		put(m, key, texted(texts))
	}
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func put(m *yaml.Node, key string, v *yaml.Node) { m.Content = append(m.Content, text(key), v) }

// text returns a YAML string. It is quoted if a YAML 1.1 reader, such as Ansible's, could read it as something else:
// yes, no, on and off as booleans, and texts that begin like a number as one, as a time, or as a base-60 number.
func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	word := strings.ToLower(s)
	if slices.Contains([]string{"y", "n", "yes", "no", "on", "off"}, word) || strings.IndexAny(word, "+-.0123456789") == 0 {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func texted(texts []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, s := range texts {
		list.Content = append(list.Content, text(s))
	}
	return list
}

// jsonNode returns any JSON value; the keys of maps are sorted.
func jsonNode(v any) *yaml.Node {
	json, err := fromGo(v)
	if err != nil {
		return text(err.Error()) // Check refuses such a default; a sample shows it
	}
	return yamlValue(json)
}

func yamlValue(v any) *yaml.Node {
	switch v := v.(type) {
	case *dict:
		m := mapping()
		for _, k := range v.keys {
			put(m, k, yamlValue(v.values[k]))
		}
		if len(v.keys) == 0 {
			m.Style = yaml.FlowStyle
		}
		return m
	case []any:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, e := range v {
			list.Content = append(list.Content, yamlValue(e))
		}
		if len(v) == 0 {
			list.Style = yaml.FlowStyle
		}
		return list
	case string:
		return text(v)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: string(appendJSON(nil, v))}
}

func encodeYAML(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
