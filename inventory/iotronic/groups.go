package iotronic

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// simpleGroups are the kinds of groups that consist of a prefix and a field's text.
var simpleGroups = map[GroupKind]struct{ field, what string }{
	DriverGroups:         {"driver", "driver"},
	ProvisionGroups:      {"provision_state", "provision state"},
	ResourceClassGroups:  {"resource_class", "resource class"},
	ConductorGroupGroups: {"conductor_group", "conductor group"},
	OwnerGroups:          {"owner", "owner"},
	TraitGroups:          {"traits", "trait"},
	StatusGroups:         {"status", "status"},
	TypeGroups:           {"type", "type"},
	ProjectGroups:        {"project", "project"},
}

// flagGroups are the kinds of groups for a field that is true.
var flagGroups = map[GroupKind]string{MaintenanceGroups: "maintenance", MobileGroups: "mobile"}

// grouper creates the groups of the hosts.
type grouper struct {
	*ansible.Grouper
	b      *builder
	fleets map[string]string // UUIDs of the fleets with groups, by name
}

// groups creates the groups of all hosts.
func (b *builder) groups() ([]*ansible.Group, error) {
	g := &grouper{Grouper: ansible.NewGrouper(b.o.GroupNames), b: b, fleets: map[string]string{}}
	for i := range b.hosts {
		for _, kind := range b.o.Groups {
			if err := g.add(int32(i), kind, b.hosts[i].machine); err != nil {
				return nil, err
			}
		}
	}
	return g.Groups(b, func(i int) string { return b.hosts[i].machine.String() })
}

// add adds a host to its groups of a kind.
func (g *grouper) add(i int32, kind GroupKind, m *Machine) error {
	if field, is := flagGroups[kind]; is {
		if m.lookup(field).Type != gjson.True {
			return nil
		}
		return g.Join(i, string(kind), "", func() (string, string) { return field, field })
	}
	switch kind {
	case PowerGroups:
		// "power on" becomes power_on, and not power_power_on.
		return g.word(i, kind, "power state", strings.TrimPrefix(m.text("power_state"), "power "))
	case FleetGroups:
		return g.fleet(i, m)
	}
	simple := simpleGroups[kind]
	for _, word := range m.words(simple.field) {
		if err := g.word(i, kind, simple.what, word); err != nil {
			return err
		}
	}
	return nil
}

// word adds a host to the group of a word.
func (g *grouper) word(i int32, kind GroupKind, what, word string) error {
	if word == "" {
		return nil
	}
	return g.Join(i, string(kind), word, func() (string, string) {
		return ansible.GroupName(g.b.o.GroupNames, string(kind), word), fmt.Sprintf("%s %q", what, word)
	})
}

// fleet adds a board to the group of its fleet. Names of fleets need not be unique.
func (g *grouper) fleet(i int32, m *Machine) error {
	id := m.text(fieldFleet)
	name := g.b.l.Fleets[id]
	if id == "" || name == "" {
		return nil
	}
	if other := g.fleets[name]; other != "" && other != id {
		return advice.With(fmt.Errorf("two fleets are called %q: %s and %s", name, other, id), "rename one of them, or leave fleet out of groups")
	}
	g.fleets[name] = id
	return g.word(i, FleetGroups, "fleet", name)
}
