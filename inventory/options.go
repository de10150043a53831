package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Form determines where variables are written.
type Form string

// Merged writes every variable into every host that has it. Layered puts those of clouds, regions and cells on nested
// groups, and the project's on the group above them; every host gets the same variables. Lazy is written like Merged:
// the collection's plugin loads the variables of a host from the document when they are first needed.
const (
	Lazy    Form = "lazy"
	Merged  Form = "merged"
	Layered Form = "layered"
)

// Hostname determines the names of hosts in the inventory.
type Hostname string

// The forms of host names: the device's name, its address, or CLOUD/REGION/NAME.
const (
	ByName      Hostname = "name"
	ByIPAddress Hostname = "ip_address"
	Qualified   Hostname = "qualified"
)

// GroupKind is a kind of groups. Cloud, region and cell groups are nested and may have variables; the others are plain
// and never do.
type GroupKind string

// The kinds of groups, with their names.
const (
	CloudGroups  GroupKind = "cloud"  // cloud_C
	RegionGroups GroupKind = "region" // region_C_R, in cloud_C
	CellGroups   GroupKind = "cell"   // cell_C_R_L, in region_C_R
	LabelGroups  GroupKind = "label"  // label_X
	TypeGroups   GroupKind = "type"   // type_X, of device types
	ActiveGroups GroupKind = "active" // active and inactive
	KindGroups   GroupKind = "kind"   // kind_host and kind_network_device
	ParentGroups GroupKind = "parent" // parent_C_R_NAME, of the direct children of a device
)

// GroupNames determines how names of the API become group names that Ansible allows.
type GroupNames = ansible.GroupNames

// Readable replaces every other character by an underscore, so that two names may become equal, which is an error. With
// Exact, different names stay different, but are less pleasant to read.
const (
	Readable = ansible.Readable
	Exact    = ansible.Exact
)

// Limit determines whether an inventory contains only what Ansible's --limit selects.
type Limit string

// LimitOff writes all hosts, and LimitOnly the selected ones, with their groups. LimitAuto is for the collection's
// plugin, which loads the variables of the other hosts when they are first needed: the document is the same as with
// LimitOff.
const (
	LimitOff  Limit = "off"
	LimitAuto Limit = "auto"
	LimitOnly Limit = "only"
)

// Options determine the contents of an inventory and how it is written. Start from DefaultOptions.
type Options struct {
	Vars       Form
	Hostname   Hostname
	Groups     []GroupKind
	GroupNames GroupNames
	// ProjectGroup is the group of all hosts above those of clouds, regions and cells; in layered form, it has the
	// project's variables. "" leaves it out, as does an empty Groups.
	ProjectGroup string
	// Facts is the variable with Craton's own fields of a host; "" leaves it out.
	Facts string
	// NetworkDevices lists network devices as hosts too.
	NetworkDevices bool

	// The filters. A host must match all that are set, and any word of each. A word that does not exist is an error.
	// Places are given by name, by a qualified name (CLOUD/REGION, REGION/CELL, CLOUD/REGION/CELL), or by id.
	Clouds, Regions, Cells []string
	Labels                 []string
	DeviceTypes            []string
	ActiveOnly             bool
	VarsFilter             string // a vars expression (the v1 contract §5.5), matched against resolved variables

	// ExcludeVariables are patterns, as in path.Match, of variables to leave out at every place.
	ExcludeVariables []string
	// TrustTemplates allows Ansible to execute templates and decrypt vaults in variables.
	TrustTemplates bool
	// KeepMappings writes dictionaries as dictionaries whatever their keys, for a reader that does not execute keys.
	// ansible-core before 2.19 does execute them, so without this setting dictionaries with such keys are written as
	// text.
	KeepMappings bool
	// Limit determines whether Subset, which is Ansible's --limit, is applied. SubsetWithAddresses is set if there are
	// other inventories besides this one, or groups that Ansible creates: then a group may have hosts that this
	// inventory does not know.
	Limit               Limit
	Subset              string
	SubsetWithAddresses bool
	// At is the state of the inventory. OmitHashed leaves out variables of which the change log has only a hash;
	// otherwise they are an error.
	At         when.At
	OmitHashed bool
	// ExpectAtLeast is the minimum number of hosts; fewer are an error. It protects against faults that no rule of the
	// API detects, such as an empty page before the last one.
	ExpectAtLeast int
	// Streams is the number of concurrent requests, at least 1.
	Streams int
}

// DefaultOptions returns the defaults of the settings.
func DefaultOptions() Options {
	return Options{
		Vars:         Lazy,
		Hostname:     ByName,
		Groups:       []GroupKind{CloudGroups, RegionGroups, CellGroups, LabelGroups, TypeGroups},
		GroupNames:   Readable,
		ProjectGroup: "craton",
		Facts:        "craton",
		Limit:        LimitOff,
		Streams:      16,
	}
}

// none is the word that leaves something out where an empty value is impossible, as in the environment.
const none = "none"

// FromSettings reads the options from the settings of the section settings.Inventory.
func FromSettings(v *settings.Values) (Options, error) {
	o := Options{
		Vars:             Form(v.String("inventory.vars")),
		Hostname:         Hostname(v.String("inventory.hostname")),
		GroupNames:       GroupNames(v.String("inventory.group_names")),
		ProjectGroup:     v.String("inventory.project_group"),
		Facts:            v.String("inventory.facts"),
		NetworkDevices:   v.Bool("inventory.network_devices"),
		Clouds:           v.List("inventory.clouds"),
		Regions:          v.List("inventory.regions"),
		Cells:            v.List("inventory.cells"),
		Labels:           v.List("inventory.labels"),
		DeviceTypes:      v.List("inventory.device_types"),
		ActiveOnly:       v.Bool("inventory.active_only"),
		VarsFilter:       v.String("inventory.vars_filter"),
		ExcludeVariables: v.List("inventory.exclude_variables"),
		TrustTemplates:   v.Bool("inventory.trust_templates"),
		Limit:            Limit(v.String("inventory.limit")),
		OmitHashed:       v.Bool("inventory.omit_hashed"),
		ExpectAtLeast:    v.Int("inventory.expect_at_least"),
		Streams:          v.Int("inventory.streams"),
	}
	var err error
	if o.Groups, err = ansible.Kinds[GroupKind](v.List("inventory.groups")); err != nil {
		return o, err
	}
	if at := v.String("inventory.at"); at != "" {
		if o.At, err = when.ParseAt(at, time.Now()); err != nil {
			return o, v.Fault("inventory.at", fmt.Errorf("at (%s): %w", v.Origin("inventory.at"), err))
		}
	}
	if o.Facts == none {
		o.Facts = ""
	}
	if o.ProjectGroup == none {
		o.ProjectGroup = ""
	}
	return o, o.check()
}

// trust returns what Ansible may execute in the data.
func (o *Options) trust() ansible.Trust { return ansible.TrustOf(o.TrustTemplates, o.KeepMappings) }

// check returns an error for invalid options.
func (o *Options) check() error {
	if o.Streams < 1 {
		return fmt.Errorf("streams must be at least 1, not %d", o.Streams)
	}
	if o.ExpectAtLeast < 0 {
		return fmt.Errorf("expect_at_least must be a number of hosts, not %d", o.ExpectAtLeast)
	}
	return cmp.Or(
		ansible.CheckWords("vars", []Form{o.Vars}, Lazy, Merged, Layered),
		ansible.CheckWords("hostname", []Hostname{o.Hostname}, ByName, ByIPAddress, Qualified),
		ansible.CheckWords("groups", o.Groups, CloudGroups, RegionGroups, CellGroups, LabelGroups, TypeGroups, ActiveGroups, KindGroups, ParentGroups),
		ansible.CheckWords("limit", []Limit{o.Limit}, LimitOff, LimitAuto, LimitOnly),
		ansible.CheckWords("group_names", []GroupNames{o.GroupNames}, Readable, Exact),
		ansible.CheckPatterns("exclude_variables", o.ExcludeVariables),
		ansible.CheckFacts(o.Facts),
		o.checkProjectGroup(),
	)
}

func (o *Options) checkProjectGroup() error {
	switch {
	case o.ProjectGroup != "" && !ansible.IsIdentifier(o.ProjectGroup):
		return fmt.Errorf("project_group must be the name of a group (letters, digits, underscores), not %q", o.ProjectGroup)
	case ansible.IsAlways(o.ProjectGroup):
		return fmt.Errorf("project_group cannot be %s, which is a group of Ansible's own: its variables would apply to the machine that Ansible runs on", o.ProjectGroup)
	}
	return nil
}

func (o *Options) has(kind GroupKind) bool { return slices.Contains(o.Groups, kind) }

// filtersPlaces reports whether only some clouds, regions or cells are selected.
func (o *Options) filtersPlaces() bool {
	return len(o.Clouds)+len(o.Regions)+len(o.Cells) > 0
}

// needsLabels reports whether labels must be known even if they cost a request per host.
func (o *Options) needsLabels(kind Kind) bool {
	// The API itself filters hosts by label, but not network devices (the v1 contract §2.4.5).
	return o.has(LabelGroups) || len(o.Labels) > 0 && kind == NetworkDeviceKind
}

// Excludes reports whether ExcludeVariables leaves a variable out.
func (o *Options) Excludes(name string) bool {
	return ansible.NewExcluder(o.ExcludeVariables).Excludes(name)
}
