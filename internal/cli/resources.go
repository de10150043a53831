package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
)

// Keys of the API that commands know.
const (
	keyID        = "id"
	keyProject   = "project_id"
	keyCloud     = "cloud_id"
	keyRegion    = "region_id"
	keyCell      = "cell_id"
	keyParent    = "parent_id"
	keyDevice    = "device_id"
	keyNetwork   = "network_id"
	keyCreated   = "created_at"
	keyUpdated   = "updated_at"
	keyVariables = "variables"
	keyLabels    = "labels"
)

// Options that mean the same everywhere, in the words of the original's usage lines.
var (
	nameOption   = option{long: "name", short: "n", meta: "<name>", key: "name", required: true, help: "name"}
	noteOption   = option{long: "note", meta: "NOTE", key: "note", help: "text for people"}
	ipOption     = option{long: "ip_address", short: "i", meta: "<ipaddress>", key: "ip_address", required: true, help: "IPv4 or IPv6 address"}
	typeOption   = option{long: "type", short: "t", meta: "<type>", key: "device_type", required: true, help: "what sort of device it is; a free text"}
	activeOption = option{long: "active", short: "a", meta: "ACTIVE", kind: truthOption, key: "active", help: "whether it is in use: true or false"}
	labelsOption = option{long: "labels", short: "l", meta: "LABELS", kind: repeatedOption, help: "label; may be given several times"}
	varsOption   = option{long: "vars", meta: "<key=value>", kind: wordsOption, help: "variables to begin with; values as in vars-set"}
)

// Options of lists.
var (
	fieldsOption  = option{long: "fields", meta: "<fields>", kind: wordsOption, help: "columns to show, separated by spaces"}
	detailOption  = option{long: "detail", kind: switchOption, help: "show all columns"}
	allOption     = option{long: "all", kind: switchOption, help: "show all there are, not the first page only"}
	limitOption   = option{long: "limit", meta: "<limit>", kind: integerOption, help: "how many to show, 10 to 100"}
	markerOption  = option{long: "marker", meta: "<marker>", help: "id of the last one already seen: show those after it"}
	sortKeyOption = option{long: "sort-key", meta: "<field>", help: "column to sort by"}
	sortDirOption = option{long: "sort-dir", meta: "<direction>", choices: []string{"asc", "desc"}, help: "direction to sort in: asc or desc"}

	nameFilter   = option{long: "name", short: "n", meta: "<name>", key: "name", help: "only those with this name"}
	varsFilter   = option{long: "vars", meta: "<vars>", kind: wordsOption, help: `only those whose variables match, such as role:"db"; all must match`}
	typeFilter   = option{long: "device-type", meta: "<device_type>", key: "device_type", help: "only devices of this type"}
	ipFilter     = option{long: "ip", meta: "<ip_address>", key: "ip_address", help: "only those with this address"}
	activeFilter = option{long: "active", meta: "<active>", choices: []string{"true", "false"}, key: "active",
		help: "only those that are in use (true), or only those that are not (false)"}
)

func required(o option) option { o.required = true; return o }
func optional(o option) option { o.required = false; return o }

// reference is an option that names an object by its id or name.
func reference(long, short, key string, of ...*resource) option {
	nouns := make([]string, len(of))
	for i, r := range of {
		nouns[i] = r.noun()
	}
	return option{long: long, short: short, meta: "<" + long + ">", kind: referenceOption, key: key, of: of,
		help: strings.Join(nouns, " or ") + ", by id or name"}
}

// textual is an option that is a text to the API, called as there.
func textual(key, help string) option {
	return option{long: strings.ReplaceAll(key, "_", "-"), meta: "<" + key + ">", key: key, help: help}
}

// numeric is an option that is an integer to the API.
func numeric(key, help string) option {
	o := textual(key, help)
	o.kind = integerOption
	return o
}

// resources makes all kinds, in the order of help. An option may name another resource, so they are made together.
func resources() []*resource {
	project := &resource{
		name: "project", path: "/projects", key: "projects", uuid: true, filter: "name", empties: true, variables: true,
		fields: []string{keyID, "name"}, more: []string{keyCreated, keyUpdated},
		remove: remover(func(c *craton.Client) deleter[string] { return c.Projects }),
		create: []option{nameOption, varsOption},
		list:   []option{nameFilter, detailOption, fieldsOption, allOption, limitOption, markerOption},
	}

	cloud := &resource{
		name: "cloud", path: "/clouds", key: "clouds", empties: true, details: true, variables: true,
		fields: []string{keyID, "name", keyCreated}, more: []string{keyUpdated, "note", keyProject},
		remove: remover(func(c *craton.Client) deleter[int] { return c.Clouds }),
		create: []option{nameOption, noteOption, varsOption},
		list:   []option{fieldsOption, allOption, detailOption, limitOption, markerOption},
		update: []option{optional(nameOption), noteOption}, nothing: "one or more of --name, or --note",
	}
	inCloud := reference("cloud", "", keyCloud, cloud)

	region := &resource{
		name: "region", path: "/regions", key: "regions", places: []string{keyCloud}, container: []*resource{cloud}, inside: keyCloud,
		empties: true, details: true, variables: true,
		fields: []string{keyID, "name", keyCloud}, more: []string{keyProject, "note", keyCreated, keyUpdated},
		remove: remover(func(c *craton.Client) deleter[int] { return c.Regions }),
		create: []option{nameOption, required(inCloud), noteOption, varsOption},
		list:   []option{inCloud, fieldsOption, detailOption, allOption, limitOption, markerOption, varsFilter},
		update: []option{optional(nameOption), inCloud, noteOption}, nothing: "one or more of --name, --cloud, or --note",
		fixed: []string{keyCloud},
	}
	inRegion := reference("region", "r", keyRegion, region)

	cell := &resource{
		name: "cell", path: "/cells", key: "cells", filter: "name", places: []string{keyCloud, keyRegion}, container: []*resource{region}, inside: keyRegion,
		empties: true, details: true, variables: true,
		fields: []string{keyID, "name", keyCloud, keyRegion, keyCreated}, more: []string{keyUpdated, "note", keyVariables, keyProject},
		remove: remover(func(c *craton.Client) deleter[int] { return c.Cells }),
		create: []option{nameOption, required(inRegion), required(inCloud), noteOption, varsOption},
		list: []option{inRegion, inCloud, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption, markerOption,
			varsFilter}, badSort: sortedByText,
		update: []option{optional(nameOption), inRegion, inCloud, noteOption}, nothing: "one of --name, --region, --cloud, or --note",
		fixed: []string{keyRegion, keyCloud},
	}
	inCell := reference("cell", "c", keyCell, cell)

	host := &resource{
		name: "host", path: "/hosts", key: "hosts", filter: "name", places: []string{keyCloud, keyRegion, keyCell}, container: []*resource{region}, inside: keyRegion,
		details: true, variables: true,
		fields: []string{keyID, "name", "active", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyCreated},
		more:   []string{keyUpdated, "note", keyVariables, keyLabels, keyParent, keyProject},
		labels: func(c *craton.Client) labelStore { return c.Hosts }, labelsAtOnce: true,
		remove: remover(func(c *craton.Client) deleter[int] { return c.Hosts }),
		fixed:  []string{keyRegion, keyCloud, keyCell},
	}
	networkDevice := &resource{
		name: "network-device", path: "/network-devices", key: "network_devices", filter: "name",
		places: []string{keyCloud, keyRegion, keyCell}, container: []*resource{region}, inside: keyRegion, details: true, variables: true,
		fields: []string{keyID, "name", "active", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyCreated},
		more:   []string{keyUpdated, "model_name", "os_version", "vlans", keyVariables, keyLabels, keyParent, keyProject},
		labels: func(c *craton.Client) labelStore { return c.NetworkDevices },
		remove: remover(func(c *craton.Client) deleter[int] { return c.NetworkDevices }),
	}
	parent := reference("parent", "", keyParent, host, networkDevice)
	newParent := parent
	newParent.empty = true
	newParent.help += "; an empty text takes it away"

	host.create = []option{nameOption, ipOption, required(inRegion), required(inCloud), inCell, typeOption, activeOption, noteOption, labelsOption,
		parent, varsOption}
	host.list = []option{inRegion, inCloud, inCell, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption, markerOption,
		typeFilter, {long: "vars", meta: "<vars>", key: "vars", help: `only those whose variables match, such as role:"db",rack:"a1"`},
		{long: "label", meta: "<label>", key: "label", help: "only those with this label"}, ipFilter}
	host.badSort = sortedByList
	host.update = []option{optional(nameOption), optional(ipOption), inRegion, inCloud, inCell, activeOption, noteOption, labelsOption,
		optional(typeOption), newParent}
	host.nothing = "one or more of --name, --ip_address, --active, --note, --labels, --type, or --parent"

	device := &resource{
		name: "device", path: "/devices", key: "devices", details: true, zeroIsNone: true,
		fields: []string{keyID, "name", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyParent},
		more:   []string{"note", keyCreated, keyUpdated, keyProject},
		list: []option{fieldsOption, detailOption, allOption, sortKeyOption, sortDirOption, limitOption, markerOption, inCloud, inRegion, inCell, parent,
			{long: "descendants", kind: switchOption, help: "with --parent: all below it, not its children only"}, activeFilter},
		badSort: sortedByList,
	}

	hardware := []option{textual("model_name", "model"), textual("os_version", "version of its operating system"), textual("vlans", "VLANs, as a text")}
	networkDevice.create = slices.Concat([]option{nameOption, ipOption, required(inRegion), required(inCloud), inCell, typeOption, activeOption},
		hardware, []option{labelsOption, parent, varsOption})
	networkDevice.list = []option{nameFilter, inRegion, inCloud, inCell, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption,
		markerOption, typeFilter, varsFilter, ipFilter}
	networkDevice.badSort = sortedByList
	networkDevice.update = slices.Concat([]option{optional(nameOption), optional(ipOption), optional(typeOption)}, hardware, []option{labelsOption, newParent})
	networkDevice.nothing = "one or more of --name, --ip_address, --type, --model-name, --os-version, --vlans, --labels, or --parent"

	addresses := []option{textual("cidr", "range of addresses, such as 10.20.0.0/24"), textual("gateway", "address of the gateway"),
		textual("netmask", "netmask, such as 255.255.255.0")}
	extras := []option{textual("ip_block_type", "type of the address block"), textual("nss", "name servers, as a text")}
	network := &resource{
		name: "network", path: "/networks", key: "networks", filter: "name", places: []string{keyRegion, keyCell}, container: []*resource{region}, inside: keyRegion,
		details: true, variables: true,
		fields: []string{keyID, "name", "cidr", "gateway", "netmask", keyCloud, keyRegion, keyCell},
		more:   []string{"ip_block_type", "nss", keyVariables, keyCreated, keyUpdated, keyProject},
		remove: remover(func(c *craton.Client) deleter[int] { return c.Networks }),
		create: slices.Concat([]option{nameOption, required(addresses[0]), required(addresses[1]), required(addresses[2]),
			required(inRegion), required(inCloud), inCell}, extras, []option{varsOption}),
		list: []option{nameFilter, inRegion, inCell, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption, markerOption,
			varsFilter}, badSort: sortedByList,
		update:  slices.Concat([]option{optional(nameOption)}, addresses, extras),
		nothing: "one or more of --name, --cidr, --gateway, --netmask, --ip-block-type, or --nss",
	}

	onDevice := reference("device", "d", keyDevice, host, networkDevice)
	sort := option{long: "type", short: "t", meta: "<type>", key: "interface_type", help: "what sort of interface it is; a free text"}
	wiring := []option{textual("vlan", "name of the VLAN"), numeric("port", "number of the port"), numeric("speed", "speed, in the unit of your choice"),
		textual("duplex", "duplex mode"), textual("link", "state of the link"), textual("cdp", "what CDP tells"), textual("security", "security settings")}
	networkInterface := &resource{
		name: "network-interface", path: "/network-interfaces", key: "network_interfaces", places: []string{keyDevice},
		container: []*resource{host, networkDevice}, inside: keyDevice,
		fields: []string{keyID, "name", keyDevice, "interface_type", "ip_address", keyNetwork},
		more:   []string{"vlan_id", "vlan", "port", "speed", "duplex", "link", "cdp", "security", keyCreated, keyUpdated, keyProject},
		remove: remover(func(c *craton.Client) deleter[int] { return c.NetworkInterfaces }),
		create: slices.Concat([]option{nameOption, required(onDevice), required(sort), ipOption, reference("network", "", keyNetwork, network),
			numeric("vlan_id", "number of the VLAN")}, wiring, []option{varsOption}),
		list: []option{onDevice, sort, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption, markerOption,
			ipFilter}, badSort: sortedByList,
		update:  slices.Concat([]option{optional(nameOption), sort}, wiring),
		nothing: "one or more of --name, --type, --vlan, --port, --speed, --duplex, --link, --cdp, or --security",
	}

	username := nameOption
	username.key = "username"
	user := &resource{
		name: "user", path: "/users", key: "users", title: "username", filter: "name", secret: "api_key",
		fields: []string{keyID, "username", "is_admin", keyProject}, more: []string{keyCreated, keyUpdated},
		remove: remover(func(c *craton.Client) deleter[int] { return c.Users }),
		create: []option{username, required(reference("project", "", keyProject, project)),
			{long: "admin", kind: switchOption, key: "is_admin", help: "an admin of the project"}},
		list: []option{nameFilter, detailOption, fieldsOption, allOption, limitOption, markerOption},
	}
	all := []*resource{user, cloud, region, cell, host, networkDevice, network, networkInterface}
	project.holds, project.holdKey = all, keyProject
	cloud.holds, cloud.holdKey = all[2:], keyCloud
	region.holds, region.holdKey = all[3:], keyRegion
	cell.holds, cell.holdKey = all[4:], keyCell
	host.holds, host.holdKey = all[7:], keyDevice
	networkDevice.holds, networkDevice.holdKey = all[7:], keyDevice
	devices := referred{device, []*resource{host, networkDevice}}
	refers := map[string]referred{keyParent: devices, keyDevice: devices}
	for key, r := range map[string]*resource{keyProject: project, keyCloud: cloud, keyRegion: region, keyCell: cell, keyNetwork: network} {
		refers[key] = referred{r, []*resource{r}}
	}
	kinds := []*resource{project, cloud, region, device, host, cell, networkDevice, network, networkInterface, user}
	for _, r := range kinds {
		r.refers = refers
	}
	return kinds
}

// deleter is a service of the client that deletes.
type deleter[K craton.ID] interface {
	Delete(ctx context.Context, id K) error
}

// remover deletes by the client's own service, which finds out what the original's bare 500 means.
func remover[K craton.ID](of func(*craton.Client) deleter[K]) func(context.Context, *craton.Client, string) error {
	return func(ctx context.Context, c *craton.Client, text string) error {
		var id K
		switch p := any(&id).(type) {
		case *int:
			n, err := strconv.Atoi(text)
			if err != nil {
				return err
			}
			*p = n
		case *string:
			*p = text
		}
		return of(c).Delete(ctx, id)
	}
}
