package iotronic

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
)

// since has the minor version of Ironic's API that each attribute came with, by the resource, and under no name the resource
// itself; those that are not here came with the first, or are not known.
var since = map[string]map[string]int{
	"nodes": {
		"driver_internal_info": 3, "name": 5, "inspection_finished_at": 6, "inspection_started_at": 6, "clean_step": 7,
		"raid_config": 12, "target_raid_config": 12, "network_interface": 20, "resource_class": 21,
		"boot_interface": 31, "console_interface": 31, "deploy_interface": 31, "inspect_interface": 31, "management_interface": 31,
		"power_interface": 31, "raid_interface": 31, "vendor_interface": 31, "storage_interface": 33, "traits": 37, "rescue_interface": 38,
		"bios_interface": 40, "fault": 42, "deploy_step": 44, "conductor_group": 46, "automated_clean": 47, "protected": 48,
		"protected_reason": 48, "conductor": 49, "owner": 50, "description": 51, "allocation_uuid": 52, "retired": 61, "retired_reason": 61,
		"lessee": 65, "network_data": 66, "boot_mode": 75, "secure_boot": 75, "shard": 82, "parent_node": 83, "firmware_interface": 86,
		"service_step": 87, "disable_power_off": 95, "description_contains": 51, "include_children": 83, "instance_name": 104, "health": 109,
	},
	"ports": {
		"internal_info": 18, "local_link_connection": 19, "pxe_enabled": 19, "portgroup_uuid": 24, "physical_network": 34, "is_smartnic": 53,
		"name": 88, "description": 97, "vendor": 100, "category": 101,
	},
	"portgroups":        {"": 23, "mode": 26, "properties": 26},
	"volume/connectors": {"": 32},
	"volume/targets":    {"": 32},
	"deploy_templates":  {"": 55},
	"runbooks":          {"": 92},
	"allocations":       {"": 52, "node": 58, "owner": 60},
}

// targets has the minor version that each target of provisioning came with, and each of its parameters that came later.
var targets = map[string]struct {
	since int
	with  map[string]int
}{
	ProvisionManage:   {since: 4},
	ProvisionProvide:  {since: 4},
	ProvisionActive:   {with: map[string]int{"deploy_steps": 69, "runbook": 92}},
	ProvisionDeploy:   {since: 73, with: map[string]int{"runbook": 92}},
	ProvisionUndeploy: {since: 73},
	ProvisionRebuild:  {with: map[string]int{"configdrive": 35, "deploy_steps": 69}},
	ProvisionInspect:  {since: 6},
	ProvisionAbort:    {since: 13},
	ProvisionClean:    {since: 15, with: map[string]int{"disable_ramdisk": 70, "runbook": 92}},
	ProvisionAdopt:    {since: 17},
	ProvisionRescue:   {since: 38},
	ProvisionUnrescue: {since: 38},
	ProvisionUnhold:   {since: 85},
	ProvisionService:  {since: 87, with: map[string]int{"disable_ramdisk": 108, "runbook": 92}},
}

// Since is the version of Ironic's API that an attribute of a resource, such as nodes, came with: the first for what always was,
// or is not known.
func Since(resource, attribute string) Version {
	return Version{1, cmp.Or(since[resource][attribute], since[resource][""], 1)}
}

// ProvisionSince is the version of Ironic's API that a target of provisioning came with.
func ProvisionSince(target string) Version { return Version{1, cmp.Or(targets[target].since, 1)} }

// ProvisionTakes is the version of Ironic's API in which a target of provisioning takes a parameter first, such as runbook.
func ProvisionTakes(target, parameter string) Version {
	return Version{1, max(targets[target].with[parameter], 1)}
}

// filters are those of lists of nodes that Ironic refuses, in versions before those that have them, as words that it has never heard of.
var filters = []string{"description_contains", "include_children", "instance_name", "parent_node", "retired"}

// lacks refuses what a version of Ironic's API does not have: each attribute, with the version that has it first.
func lacks(d Dialect, spoken Version, needs map[string]Version) error {
	if d != DialectIronic {
		return nil
	}
	var missing []string
	for _, what := range slices.Sorted(maps.Keys(needs)) {
		if spoken.Compare(needs[what]) < 0 {
			missing = append(missing, fmt.Sprintf("%s (since %s)", what, needs[what]))
		}
	}
	if missing == nil {
		return nil
	}
	return &UnsupportedVersionError{Requested: spoken, Err: advice.With(
		fmt.Errorf("it does not have %s", strings.Join(missing, ", ")), "leave that out, or ask for a later version")}
}

// attributes are what attributes of a resource need.
func attributes(resource string, names []string) map[string]Version {
	needs := whole(resource)
	for _, name := range names {
		if name != "" {
			needs[name] = Since(resource, name)
		}
	}
	return needs
}

// whole is what a resource needs at all.
func whole(resource string) map[string]Version {
	needs := map[string]Version{}
	if minor := since[resource][""]; minor > 0 {
		needs[resource] = Version{1, minor}
	}
	return needs
}

// Versions of Ironic's API that have something first.
var (
	softPower  = Version{1, 27} // power off and reboot by the operating system's own doing
	builtDrive = Version{1, 56} // a config drive as an object
)

// isObject tells JSON that is an object.
func isObject(raw []byte) bool { return gjson.ParseBytes(raw).IsObject() }
