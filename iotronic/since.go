package iotronic

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value"
)

// since has the minor version of Ironic's API that introduced each attribute, by resource, and under "" the resource
// itself; those that are not here have existed from the first version on, or are unknown.
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
		"name": 88, "description": 97, "vendor": 100, "category": 101, "available_for_dynamic_portgroup": 111,
	},
	"portgroups": {
		"": 23, "mode": 26, "properties": 26, "physical_network": 102, "category": 103, "dynamic_portgroup": 111,
	},
	"volume/connectors": {"": 32},
	"volume/targets":    {"": 32},
	"deploy_templates":  {"": 55},
	"runbooks":          {"": 92, "description": 112, "traits": 112},
	"allocations":       {"": 52, "node": 58, "owner": 60},
}

// targets has the minor version that introduced each provisioning target, and each of its later parameters.
var targets = map[string]struct {
	since int
	with  map[string]int
}{
	ProvisionManage:   {since: 4},
	ProvisionProvide:  {since: 4},
	ProvisionActive:   {with: map[string]int{"deploy_steps": 69}},
	ProvisionDeploy:   {since: 73},
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

// Since returns the version of Ironic's API that introduced an attribute of a resource, such as nodes: the first for
// what has always existed, or is unknown.
func Since(resource, attribute string) Version {
	return Version{1, cmp.Or(since[resource][attribute], since[resource][""], 1)}
}

// ProvisionSince returns the version of Ironic's API that introduced a provisioning target.
func ProvisionSince(target string) Version { return Version{1, cmp.Or(targets[target].since, 1)} }

// ProvisionParameterSince returns the first version of Ironic's API in which a provisioning target supports a
// parameter, such as runbook.
func ProvisionParameterSince(target, parameter string) Version {
	return Version{1, max(targets[target].with[parameter], 1)}
}

// filters has the minor version that introduced each filter of a list, if there is no attribute with that name. Earlier
// versions refuse some filters as unknown words, and others without naming them.
var filters = map[string]map[string]int{
	"nodes": {"provision_state": 9, "driver": 16, "sharded": 82},
	"ports": {"portgroup": 24},
}

// filterSince returns the version that introduced a filter of a list.
func filterSince(resource, name string) Version {
	if minor := filters[resource][name]; minor > 0 {
		return Version{1, minor}
	}
	if resource == "nodes" || name == "owner" {
		return Since(resource, name)
	}
	return Since(resource, "")
}

// missing returns what a version of Ironic's API does not have, each with the version that introduced it, by name.
func missing(spoken Version, needs map[string]Version) (lacking []string) {
	for _, what := range slices.Sorted(maps.Keys(needs)) {
		if spoken.Compare(needs[what]) < 0 {
			lacking = append(lacking, fmt.Sprintf("%s (since %s)", what, needs[what]))
		}
	}
	return lacking
}

// require returns an error that names what the negotiated version of Ironic's API does not have.
func (s *session) require(spoken Version, needs map[string]Version) error {
	if s.dialect != DialectIronic {
		return nil
	}
	lacking := missing(spoken, needs)
	if lacking == nil {
		return nil
	}
	next := "leave that out, or use an Ironic that has it"
	if s.pinned {
		next = "leave that out, or set a later API version"
	}
	return &UnsupportedVersionError{Requested: spoken, Missing: lacking, Err: advice.With(
		fmt.Errorf("API version %s does not have %s", spoken, strings.Join(lacking, ", ")), next)}
}

// Require returns an [*UnsupportedVersionError] that names what the negotiated version does not have. needs has the
// first version of each thing, by its name in the error. Only versions of Ironic differ: for Iotronic nothing is
// missing.
func (c *Client) Require(ctx context.Context, needs map[string]Version) error {
	s, err := c.session(ctx)
	if err != nil {
		return err
	}
	return s.require(s.now(), needs)
}

// attributes returns the versions that attributes of a resource need.
func attributes(resource string, names []string) map[string]Version {
	needs := sinceVersion(resource)
	for _, name := range names {
		if name != "" {
			needs[name] = Since(resource, name)
		}
	}
	return needs
}

// traitName matches the names of traits, custom and standard ones.
var traitName = value.LazyPattern(`^[A-Z][A-Z0-9_]*$`)

// named adds to needs what the name of a new object needs: before 1.112, names of runbooks are traits.
func named(needs map[string]Version, resource string, name json.RawMessage) {
	if word := gjson.ParseBytes(name); resource == "runbooks" && word.Type == gjson.String && !traitName().MatchString(word.Str) {
		needs["runbook names that are no traits"] = Since(resource, "traits")
	}
}

// sinceVersion returns the version that a resource needs.
func sinceVersion(resource string) map[string]Version {
	needs := map[string]Version{}
	if minor := since[resource][""]; minor > 0 {
		needs[resource] = Version{1, minor}
	}
	return needs
}

// Versions of Ironic's API that introduced something.
var (
	softPower  = Version{1, 27} // power off and reboot by the operating system itself
	builtDrive = Version{1, 56} // a config drive as an object
)

// isObject reports whether JSON is an object.
func isObject(raw []byte) bool { return gjson.ParseBytes(raw).IsObject() }
