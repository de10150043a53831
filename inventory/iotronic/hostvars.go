package iotronic

import (
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// ours is the prefix of variables that determine how Ansible connects and what it runs.
const ours = "ansible_"

// keywords are identifiers that ansible-core 2.19 and later does not accept as variables.
var keywords = []string{"true", "false", "none", "True", "False", "None", "not"}

// isVariable reports whether a key of extra becomes a variable.
func (o *Options) isVariable(key string) bool {
	if !ansible.IsIdentifier(key) || slices.Contains(keywords, key) {
		return false
	}
	return slices.ContainsFunc(o.ExtraVariables, func(p string) bool {
		match, _ := path.Match(p, key) // checked by check
		return match && (!strings.HasPrefix(key, ours) || strings.HasPrefix(p, ours))
	})
}

// AppendVariables appends the object of a host's variables, sorted by name.
func (b *builder) AppendVariables(dst []byte, i int) []byte {
	h := &b.hosts[i]
	dst = append(dst, '{')
	begin := len(dst)
	facts := b.o.Facts
	member := func(name string) {
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendUTF8(dst, name), ':')
	}
	for _, v := range h.variables {
		if facts != "" && facts < v.Name {
			member(facts)
			dst, facts = b.appendFacts(dst, h.machine), ""
		}
		member(v.Name)
		dst = ansible.AppendValue(dst, v.Value, b.o.trust())
	}
	if facts != "" {
		member(facts)
		dst = b.appendFacts(dst, h.machine)
	}
	return append(dst, '}')
}

// fleetName is a fact that the API does not have: the name of a board's fleet, null if it is in none or if names are
// not needed.
const fleetName = "fleet_name"

// appendFacts appends all fields of a machine.
func (b *builder) appendFacts(dst []byte, m *Machine) []byte {
	return ansible.AppendVariables(dst, b.facts(m), b.o.trust())
}

// facts returns the fields of a machine that are not excluded, and the name of its fleet.
func (b *builder) facts(m *Machine) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		_, inFleets := m.Fields.Find(fieldFleet)
		_, taken := m.Fields.Find(fleetName)
		missing := inFleets && !taken && !b.excludeFields.Excludes(fieldFleet) && !b.excludeFields.Excludes(fleetName)
		for name, value := range m.Fields.All() {
			if missing && fleetName < name {
				missing = false
				if !yield(fleetName, string(ansible.AppendTextOrNull(nil, b.l.Fleets[m.text(fieldFleet)], ansible.Trusted))) {
					return
				}
			}
			if !b.excludeFields.Excludes(name) && !yield(name, value) {
				return
			}
		}
	}
}
