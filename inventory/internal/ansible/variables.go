package ansible

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/value"
)

// Variable is one variable; its value is compact JSON, with the API's text otherwise.
type Variable = hierarchy.Variable

// Variables are the own variables of an object.
type Variables = hierarchy.Variables

// CheckVariables finds variables of an owner that an inventory cannot contain: names that are taken, such as that of
// the facts, names that Ansible may execute, and values that it could not load. Excluded variables are ignored.
func CheckVariables(v Variables, owner fmt.Stringer, facts string, exclude *Excluder, trust Trust) error {
	for i := range v {
		name := v[i].Name
		if exclude.Excludes(name) {
			continue
		}
		if name == facts && name != "" {
			return advice.With(fmt.Errorf("%s has a variable %q, which is also the name of the facts", owner, name), "set facts to another name, or add the variable to exclude_variables")
		}
		if IsMark(name) {
			return advice.With(fmt.Errorf("%s has a variable %q, which has a special meaning in Ansible", owner, name), "delete it, or add it to exclude_variables")
		}
		if trust == Untrusted && !IsInert(name) {
			return advice.With(fmt.Errorf("%s has a variable %q, and ansible-core before 2.19 may execute a name that contains { or a part of #jinja2", owner, name), "rename it, or add it to exclude_variables")
		}
		if err := Loadable(v[i].Value); err != nil {
			return advice.With(fmt.Errorf("the variable %q of %s %w, which Ansible cannot load", name, owner, err), "change it, or add it to exclude_variables")
		}
		if path, err := CheckMember(name, v[i].Value); err != nil {
			return fmt.Errorf("the variable %s of %s %w, or add %q to exclude_variables", path, owner, err, name)
		}
	}
	return nil
}

// CheckMember finds, in a name and its JSON value, what Ansible would misread, or programs would truncate: numbers
// outside the range of a double, NUL, and text that is not UTF-8. path is its position.
func CheckMember(name, raw string) (path string, err error) {
	err = value.In(name, cmp.Or(value.CheckText(name), value.CheckJSON(raw)))
	if fault, ok := errors.AsType[*value.Fault](err); ok {
		return fault.Path, fault.Err
	}
	return "", nil
}

// CheckFacts returns an error if the facts cannot have a name; "" means no facts.
func CheckFacts(name string) error {
	if name != "" && !IsIdentifier(name) {
		return fmt.Errorf("facts must be the name of a variable (letters, digits, underscores), not %q", name)
	}
	if name == HostAddress {
		return fmt.Errorf("facts cannot be called %s, which is the variable with the host's address", HostAddress)
	}
	if slices.Contains(ansibles, name) {
		return fmt.Errorf("facts cannot be called %s, which Ansible sets itself", name)
	}
	return nil
}

// ansibles are variables that Ansible sets itself, over those of an inventory (contract A3).
var ansibles = []string{
	"inventory_hostname", "inventory_hostname_short", "inventory_file", "inventory_dir", "groups", "group_names", "hostvars", "playbook_dir",
	"play_hosts", "ansible_play_hosts", "omit", "role_name", "ansible_version", "vars", "environment",
}

// Excluder decides which names are left out, such as names of variables. It is safe for concurrent use.
type Excluder struct {
	patterns []string
	known    sync.Map // by name: bool
}

// NewExcluder returns an Excluder for patterns as in path.Match, which CheckPatterns has checked.
func NewExcluder(patterns []string) *Excluder { return &Excluder{patterns: patterns} }

// CheckPatterns returns an error for malformed patterns in a setting.
func CheckPatterns(setting string, patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%s: invalid pattern %q: %w", setting, p, err)
		}
	}
	return nil
}

// Excludes reports whether a name is left out.
func (e *Excluder) Excludes(name string) bool {
	if len(e.patterns) == 0 {
		return false
	}
	if out, known := e.known.Load(name); known {
		return out.(bool)
	}
	out := slices.ContainsFunc(e.patterns, func(p string) bool {
		match, _ := path.Match(p, name)
		return match
	})
	e.known.Store(strings.Clone(name), out)
	return out
}

// Keep returns the variables without the excluded ones; the same slice if there are none.
func (e *Excluder) Keep(v Variables) Variables {
	if len(e.patterns) == 0 || !slices.ContainsFunc(v, func(one Variable) bool { return e.Excludes(one.Name) }) {
		return v
	}
	var kept Variables
	for _, one := range v {
		if !e.Excludes(one.Name) {
			kept = append(kept, one)
		}
	}
	return kept
}
