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

// Form says where variables are written.
type Form string

// Merged writes every variable into every host that has it. Layered leaves those of clouds, regions and cells on nested
// groups, and the project's on the group above them; every host gets the same variables. Lazy is written like Merged:
// the collection's plugin takes the variables of a host out of it when somebody first looks.
const (
	Lazy    Form = "lazy"
	Merged  Form = "merged"
	Layered Form = "layered"
)

// Hostname says what a host is called in the inventory.
type Hostname string

// The forms of host names: the device's name, its address, or CLOUD/REGION/NAME.
const (
	ByName      Hostname = "name"
	ByIPAddress Hostname = "ip_address"
	Qualified   Hostname = "qualified"
)

// GroupKind is a kind of groups. Cloud, region and cell groups are nested and may carry variables; the others are
// plain and never do.
type GroupKind string

// The kinds of groups, and what they are called.
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

// GroupNames says how names of the API become names that Ansible allows in groups.
type GroupNames = ansible.GroupNames

// Readable writes an underscore for every other character, so that two names may become one, which is an error.
// Exact never makes one of two, and is less pleasant to read.
const (
	Readable = ansible.Readable
	Exact    = ansible.Exact
)

// Limit says whether an inventory holds more than what Ansible's --limit selects.
type Limit string

// LimitOff holds all, and LimitOnly what is selected, with its groups. LimitAuto is for the collection's plugin, which
// loads the variables of the other hosts when they are looked at: the document is the same as with LimitOff.
const (
	LimitOff  Limit = "off"
	LimitAuto Limit = "auto"
	LimitOnly Limit = "only"
)

// Options say what an inventory holds and how it is written. DefaultOptions are the place to start.
type Options struct {
	Vars       Form
	Hostname   Hostname
	Groups     []GroupKind
	GroupNames GroupNames
	// ProjectGroup is the group above those of clouds, regions and cells, of all hosts; it carries the project's
	// variables in layered form. "" leaves it out, as no Groups at all do.
	ProjectGroup string
	// Facts is the variable that holds what Craton knows of a host itself; "" leaves it out.
	Facts string
	// NetworkDevices lists network devices as hosts too.
	NetworkDevices bool

	// The filters. All that are set must match; of the words of one, any. A word that is no name of anything is an
	// error. Places are named by name, by a qualified name (CLOUD/REGION, REGION/CELL, CLOUD/REGION/CELL), or by id.
	Clouds, Regions, Cells []string
	Labels                 []string
	DeviceTypes            []string
	ActiveOnly             bool
	VarsFilter             string // a vars expression (the v1 contract §5.5), matched against resolved variables

	// ExcludeVariables are patterns, as of path.Match, of variables to leave out wherever they are set.
	ExcludeVariables []string
	// TrustTemplates lets Ansible execute templates, and decrypt vaults, that variables hold.
	TrustTemplates bool
	// KeepMappings writes dictionaries as what they are whatever their keys, for a reader that executes no keys.
	// ansible-core before 2.19 does, and without it is given such a dictionary as text.
	KeepMappings bool
	// Limit says whether Subset, what Ansible's --limit says, counts. SubsetWithAddresses is set if there are other
	// inventories beside this one, or groups that Ansible makes: then a name of a group may mean hosts that this
	// inventory does not have in it.
	Limit               Limit
	Subset              string
	SubsetWithAddresses bool
	// At is the state that the inventory is of. OmitHashed leaves out variables of which the change log has only a hash
	// of then; otherwise they are an error.
	At         when.At
	OmitHashed bool
	// ExpectAtLeast is how many hosts there must be; fewer are an error. It guards against what no rule of the API
	// tells, such as an empty page in the place of the last one.
	ExpectAtLeast int
	// Streams is how many requests may be in progress at once, at least 1.
	Streams int
}

// DefaultOptions returns the settings' defaults.
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

// none is the word that leaves something out where nothing cannot be said, as in the environment.
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

// trust returns what Ansible may execute of the data.
func (o *Options) trust() ansible.Trust { return ansible.TrustOf(o.TrustTemplates, o.KeepMappings) }

// check finds options that cannot work.
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

// filtersPlaces reports whether only some clouds, regions or cells are asked for.
func (o *Options) filtersPlaces() bool {
	return len(o.Clouds)+len(o.Regions)+len(o.Cells) > 0
}

// needsLabels reports whether labels must be known even where they cost a request a host.
func (o *Options) needsLabels(kind Kind) bool {
	// The API itself filters hosts by label, but not network devices (the v1 contract §2.4.5).
	return o.has(LabelGroups) || len(o.Labels) > 0 && kind == NetworkDeviceKind
}

// Excludes reports whether ExcludeVariables leaves a variable out.
func (o *Options) Excludes(name string) bool {
	return ansible.NewExcluder(o.ExcludeVariables).Excludes(name)
}
