package iotronic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Hostname determines the name of a node or board in the inventory.
type Hostname string

// The forms of host names. A machine without a name is called by its UUID in each of them. Unique is NAME_ and the
// first eight digits of the UUID, for every host, so that no name depends on other machines.
const (
	ByName Hostname = "name"
	ByUUID Hostname = "uuid"
	Unique Hostname = "unique"
)

// GroupKind is a kind of groups. Kinds that a dialect does not have create no groups.
type GroupKind string

// The kinds of groups, with their names. Null and the empty text create none.
const (
	DriverGroups         GroupKind = "driver"          // driver_D
	PowerGroups          GroupKind = "power"           // power_on, power_off, power_STATE
	ProvisionGroups      GroupKind = "provision"       // provision_STATE
	MaintenanceGroups    GroupKind = "maintenance"     // maintenance
	ResourceClassGroups  GroupKind = "resource_class"  // resource_class_C
	ConductorGroupGroups GroupKind = "conductor_group" // conductor_group_G
	OwnerGroups          GroupKind = "owner"           // owner_O
	TraitGroups          GroupKind = "trait"           // trait_T
	StatusGroups         GroupKind = "status"          // status_S
	TypeGroups           GroupKind = "type"            // type_T; of a device of 2016 too
	FleetGroups          GroupKind = "fleet"           // fleet_NAME
	ProjectGroups        GroupKind = "project"         // project_P
	MobileGroups         GroupKind = "mobile"          // mobile
)

// allGroups are all kinds.
var allGroups = []GroupKind{
	DriverGroups, PowerGroups, ProvisionGroups, MaintenanceGroups, ResourceClassGroups, ConductorGroupGroups, OwnerGroups,
	TraitGroups, StatusGroups, TypeGroups, FleetGroups, ProjectGroups, MobileGroups,
}

// GroupNames determines how words of the API become group names that Ansible allows.
type GroupNames = ansible.GroupNames

// Readable replaces every other character by an underscore, so that two names may become equal, which is an error. With
// Exact, different names stay different, but are less pleasant to read.
const (
	Readable = ansible.Readable
	Exact    = ansible.Exact
)

// Options determine the contents of an inventory and how it is written. Start from DefaultOptions.
type Options struct {
	Hostname Hostname
	// AddressFrom are the paths of the address to which Ansible connects, such as extra.ansible_host. The first
	// existing one is used; without any, Ansible uses the host's name. Paths are gjson's.
	AddressFrom []string
	Groups      []GroupKind
	GroupNames  GroupNames
	// Facts is the variable with all fields; "" leaves it out.
	Facts string
	// ExcludeFields are patterns, as in path.Match, of fields to leave out of the facts.
	ExcludeFields []string
	// ExtraVariables are patterns of keys of extra that become variables of the host. A key that begins with ansible_
	// needs a pattern that does so too. Keys that are not identifiers never become variables.
	ExtraVariables []string
	// ExcludeVariables are patterns of variables to leave out.
	ExcludeVariables []string
	// Filters select the machines that match all of them.
	Filters []Filter
	// ExpectAtLeast is the minimum number of hosts; fewer are an error.
	ExpectAtLeast int
	// TrustTemplates allows Ansible to execute templates and decrypt vaults in the data.
	TrustTemplates bool
	// KeepMappings writes dictionaries as dictionaries whatever their keys, for a reader that does not execute keys.
	// ansible-core before 2.19 does execute them, so without this setting dictionaries with such keys are written as
	// text.
	KeepMappings bool
}

// DefaultOptions returns the defaults of the settings.
func DefaultOptions() Options {
	return Options{
		Hostname:    ByName,
		AddressFrom: []string{"extra.ansible_host"},
		Groups:      slices.Clone(allGroups),
		GroupNames:  Readable,
		Facts:       "iotronic",
	}
}

// none is the word for nothing where an empty value is impossible, as in the environment.
const none = "none"

// FromSettings reads the options from the settings of the section settings.IotronicInventory.
func FromSettings(v *settings.Values) (Options, error) {
	const section = "iotronic_inventory."
	o := Options{
		Hostname:         Hostname(v.String(section + "hostname")),
		AddressFrom:      v.List(section + "address_from"),
		GroupNames:       GroupNames(v.String(section + "group_names")),
		Facts:            v.String(section + "facts"),
		ExcludeFields:    v.List(section + "exclude_fields"),
		ExtraVariables:   v.List(section + "extra_variables"),
		ExcludeVariables: v.List(section + "exclude_variables"),
		ExpectAtLeast:    v.Int(section + "expect_at_least"),
		TrustTemplates:   v.Bool(section + "trust_templates"),
	}
	var err error
	if o.Groups, err = ansible.Kinds[GroupKind](v.List(section + "groups")); err != nil {
		return o, err
	}
	if o.Facts == none {
		o.Facts = ""
	}
	if slices.Equal(o.AddressFrom, []string{none}) {
		o.AddressFrom = nil
	}
	if o.Filters, err = ParseFilters(v.List(section + "filters")); err != nil {
		return o, err
	}
	return o, o.check()
}

// trust determines what Ansible may execute in the data.
func (o *Options) trust() ansible.Trust { return ansible.TrustOf(o.TrustTemplates, o.KeepMappings) }

// check returns an error for invalid options.
func (o *Options) check() error {
	return cmp.Or(
		ansible.CheckWords("hostname", []Hostname{o.Hostname}, ByName, ByUUID, Unique),
		ansible.CheckWords("groups", o.Groups, allGroups...),
		ansible.CheckWords("group_names", []GroupNames{o.GroupNames}, Readable, Exact),
		ansible.CheckPatterns("exclude_fields", o.ExcludeFields),
		ansible.CheckPatterns("extra_variables", o.ExtraVariables),
		ansible.CheckPatterns("exclude_variables", o.ExcludeVariables),
		ansible.CheckFacts(o.Facts),
	)
}

func (o *Options) has(kind GroupKind) bool { return slices.Contains(o.Groups, kind) }

// filter returns the filter of a field, nil if there is none.
func (o *Options) filter(field string) *Filter {
	for i := range o.Filters {
		if o.Filters[i].Field == field {
			return &o.Filters[i]
		}
	}
	return nil
}

// Filter selects machines that have one of some words in a field.
type Filter struct {
	Field string // of the API, or a path into it, such as extra.rack
	Words []string
}

// ParseFilters parses filters from texts such as "driver=ipmi". Several for one field become one Filter.
func ParseFilters(texts []string) ([]Filter, error) {
	o := Options{}
	for _, text := range texts {
		field, word, ok := strings.Cut(text, "=")
		if field = strings.TrimSpace(field); !ok || field == "" {
			return nil, advice.With(fmt.Errorf("filters has the word %q", text), "write FIELD=VALUE, such as driver=ipmi")
		}
		word = strings.TrimSpace(word)
		if f := o.filter(field); f != nil {
			f.Words = append(f.Words, word)
		} else {
			o.Filters = append(o.Filters, Filter{field, []string{word}})
		}
	}
	return o.Filters, nil
}
