package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
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

// words are options for fields in the words of the original's usage lines, by key, or by kind and key where one kind says it
// otherwise. What is not said here comes from the schema (optionFor).
var words = map[string]option{
	"name":           {short: "n", meta: "<name>", help: "name"},
	"username":       {long: "name", short: "n", meta: "<name>", help: "name"},
	"note":           {meta: "NOTE", help: "text for people"},
	"ip_address":     {long: "ip_address", short: "i", meta: "<ipaddress>", help: "IPv4 or IPv6 address"},
	"device_type":    {long: "type", short: "t", meta: "<type>", help: "what sort of device it is; a free text"},
	"interface_type": {long: "type", short: "t", meta: "<type>", help: "what sort of interface it is; a free text"},
	"active":         {short: "a", meta: "ACTIVE", help: "whether it is in use: true or false"},
	"is_admin":       {long: "admin", kind: switchOption, help: "an admin of the project"},
	"labels":         {long: "labels", short: "l", meta: "LABELS", kind: repeatedOption, help: "label; may be given several times"},
	"variables":      {long: "vars", meta: "<key=value>", kind: wordsOption, help: "variables to begin with; values as in vars-set"},
	keyRegion:        {short: "r"},
	keyCell:          {short: "c"},
	keyDevice:        {short: "d"},
	"model_name":     {help: "model"},
	"os_version":     {help: "version of its operating system"},
	"vlans":          {help: "VLANs, as a text"},
	"cidr":           {help: "range of addresses, such as 10.20.0.0/24"},
	"gateway":        {help: "address of the gateway"},
	"netmask":        {help: "netmask, such as 255.255.255.0"},
	"ip_block_type":  {help: "type of the address block"},
	"nss":            {help: "name servers, as a text"},
	"vlan_id":        {help: "number of the VLAN"},
	"vlan":           {help: "name of the VLAN"},
	"port":           {help: "number of the port"},
	"speed":          {help: "speed, in the unit of your choice"},
	"duplex":         {help: "duplex mode"},
	"link":           {help: "state of the link"},
	"cdp":            {help: "what CDP tells"},
	"security":       {help: "security settings"},
}

// Options of lists.
var (
	fieldsOption  = option{long: "fields", meta: "<fields>", kind: wordsOption, help: "columns to show, separated by spaces"}
	detailOption  = option{long: "detail", kind: switchOption, help: "show all columns"}
	allOption     = option{long: "all", kind: switchOption, help: "show all there are, not the first page only"}
	limitOption   = option{long: "limit", meta: "<limit>", kind: integerOption, help: "how many to show, 10 to 100"}
	markerOption  = option{long: "marker", meta: "<marker>", help: "id of the last one already seen: show those after it"}
	sortKeyOption = option{long: "sort-key", meta: "<field>", help: "column to sort by"}
	sortDirOption = option{long: "sort-dir", meta: "<direction>", choices: []string{"asc", "desc"}, help: "direction to sort in: asc or desc"}

	descendantsOption = option{long: "descendants", kind: switchOption, help: "with --parent: all below it, not its children only"}

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
	return option{long: long, short: short, meta: "<" + long + ">", kind: referenceOption, key: key, of: kindsOf(of),
		help: strings.Join(nouns, " or ") + ", by id or name"}
}

// textual is an option that is a text to the API, called as there.
func textual(key, help string) option {
	return option{long: strings.ReplaceAll(key, "_", "-"), meta: "<" + key + ">", key: key, help: help}
}

// resources makes all kinds, in the order of help. An option may name another resource, so they are made together. Columns
// and options stand in the order of the original's; fields that are not named here come after them.
func resources() []*resource {
	all := []*resource{
		{kind: schema.Project, empties: true,
			fields: []string{keyID, "name"}, more: []string{keyCreated, keyUpdated},
			list: []option{nameFilter, detailOption, fieldsOption, allOption, limitOption, markerOption}},
		{kind: schema.Cloud, empties: true,
			fields: []string{keyID, "name", keyCreated}, more: []string{keyUpdated, "note", keyProject},
			list: []option{fieldsOption, allOption, detailOption, limitOption, markerOption}},
		{kind: schema.Region, empties: true, offersPlaces: true,
			fields: []string{keyID, "name", keyCloud}, more: []string{keyProject, "note", keyCreated, keyUpdated},
			list: []option{{key: keyCloud}, fieldsOption, detailOption, allOption, limitOption, markerOption, varsFilter}},
		{kind: schema.Device, zeroIsNone: true,
			fields: []string{keyID, "name", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyParent},
			more:   []string{"note", keyCreated, keyUpdated, keyProject}, hidden: []string{"active"},
			list: []option{fieldsOption, detailOption, allOption, sortKeyOption, sortDirOption, limitOption, markerOption, {key: keyCloud}, {key: keyRegion},
				{key: keyCell}, {key: keyParent}, descendantsOption, activeFilter}, badSort: sortedByList},
		{kind: schema.Host, offersPlaces: true, unsaid: []string{keyRegion, keyCloud, keyCell},
			fields: []string{keyID, "name", "active", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyCreated},
			more:   []string{keyUpdated, "note", keyVariables, keyLabels, keyParent, keyProject},
			order:  []string{"name", "ip_address", keyRegion, keyCloud, keyCell, "device_type", "active", "note", keyLabels, keyParent, keyVariables},
			again:  []string{"name", "ip_address", keyRegion, keyCloud, keyCell, "active", "note", keyLabels, "device_type", keyParent},
			list: []option{{key: keyRegion}, {key: keyCloud}, {key: keyCell}, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption,
				markerOption, typeFilter,
				{long: "vars", meta: "<vars>", key: "vars", help: `only those whose variables match, such as role:"db",rack:"a1"`},
				{long: "label", meta: "<label>", key: "label", help: "only those with this label"}, ipFilter}, badSort: sortedByList},
		{kind: schema.Cell, empties: true, offersPlaces: true, nothing: "one of",
			fields: []string{keyID, "name", keyCloud, keyRegion, keyCreated}, more: []string{keyUpdated, "note", keyVariables, keyProject},
			order: []string{"name", keyRegion, keyCloud, "note", keyVariables},
			list: []option{{key: keyRegion}, {key: keyCloud}, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption, markerOption,
				varsFilter}, badSort: sortedByText},
		{kind: schema.NetworkDevice,
			fields: []string{keyID, "name", "active", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyCreated},
			more:   []string{keyUpdated, "model_name", "os_version", "vlans", keyVariables, keyLabels, keyParent, keyProject},
			order: []string{"name", "ip_address", keyRegion, keyCloud, keyCell, "device_type", "active", "model_name", "os_version", "vlans",
				keyLabels, keyParent, keyVariables},
			list: []option{nameFilter, {key: keyRegion}, {key: keyCloud}, {key: keyCell}, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption,
				limitOption, markerOption, typeFilter, varsFilter, ipFilter}, badSort: sortedByList},
		{kind: schema.Network,
			fields: []string{keyID, "name", "cidr", "gateway", "netmask", keyCloud, keyRegion, keyCell},
			more:   []string{"ip_block_type", "nss", keyVariables, keyCreated, keyUpdated, keyProject},
			order:  []string{"name", "cidr", "gateway", "netmask", keyRegion, keyCloud, keyCell, "ip_block_type", "nss", keyVariables},
			list: []option{nameFilter, {key: keyRegion}, {key: keyCell}, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption,
				markerOption, varsFilter}, badSort: sortedByList},
		{kind: schema.NetworkInterface,
			fields: []string{keyID, "name", keyDevice, "interface_type", "ip_address", keyNetwork},
			more:   []string{"vlan_id", "vlan", "port", "speed", "duplex", "link", "cdp", "security", keyCreated, keyUpdated, keyProject},
			order: []string{"name", keyDevice, "interface_type", "ip_address", keyNetwork, "vlan_id", "vlan", "port", "speed", "duplex", "link", "cdp",
				"security", keyVariables},
			list: []option{{key: keyDevice}, {key: "interface_type"}, detailOption, sortKeyOption, sortDirOption, fieldsOption, allOption, limitOption,
				markerOption, ipFilter}, badSort: sortedByList},
		{kind: schema.User, secret: "api_key",
			fields: []string{keyID, "username", "is_admin", keyProject}, more: []string{keyCreated, keyUpdated},
			list: []option{nameFilter, detailOption, fieldsOption, allOption, limitOption, markerOption}},
	}
	kinds := byKind{}
	for _, r := range all {
		k := r.kind
		kinds[k.Name] = r
		r.name, r.path, r.key, r.title, r.uuid = k.Name, "/"+k.Path, k.List, k.Title, k.UUID
		r.details, r.variables, r.labels = k.Details, k.Variables == schema.Route && !k.View, k.Labels != schema.Unlabelled && !k.View
	}
	refers := map[string]referred{}
	for _, r := range all {
		kinds.derive(r)
		r.refers = refers
		for _, f := range r.kind.Fields {
			if f.Type != schema.Reference {
				continue
			}
			each := kinds.named(f.To)
			list := each[0]
			if len(each) > 1 { // hosts and network devices
				list = kinds[schema.Device.Name]
			}
			refers[f.Key] = referred{list, each}
		}
	}
	kinds[schema.Project.Name].details = false // no column of project-list needs them
	return all
}

// byKind are the resources by the names of their kinds.
type byKind map[string]*resource

func (all byKind) named(names []string) (of []*resource) {
	for _, name := range names {
		of = append(of, all[name])
	}
	return of
}

// derive fills in what the schema knows of a resource and of others.
func (all byKind) derive(r *resource) {
	k, order := r.kind, r.order
	if order == nil {
		order = []string{k.Title}
	}
	for _, f := range k.Fields {
		if !slices.Contains(order, f.Key) {
			order = append(order, f.Key)
		}
		if !slices.Contains(slices.Concat(r.fields, r.more, r.hidden), f.Key) {
			r.more = append(r.more, f.Key)
		}
	}
	if k.Variables != schema.None && !slices.Contains(order, keyVariables) {
		order = append(order, keyVariables)
	}
	for i, o := range r.list {
		if o.long == "" {
			r.list[i] = optional(all.option(k, o.key))
			if k.Field(o.key).Place() && !k.View {
				r.places = append(r.places, o.key)
			}
		}
	}
	if k.View {
		return
	}
	for _, key := range order {
		r.create = append(r.create, all.option(k, key))
	}
	if k.Updatable() {
		all.deriveUpdate(r, order)
	}
	if f := k.Container(); f != nil && f.Key != keyProject {
		r.inside = f.Key
	}
	for _, held := range k.Contents() {
		r.holds = append(r.holds, all[held.Name])
	}
	if held := schema.NetworkInterface; r.holds != nil && !slices.Contains(r.holds, all[held.Name]) && slices.Contains(r.holds, all[schema.Host.Name]) {
		r.holds = append(r.holds, all[held.Name]) // of the devices within
	}
	r.holdKey = k.ContentKey()
}

// deriveUpdate makes the options of an update, and what it says if there are none.
func (all byKind) deriveUpdate(r *resource, order []string) {
	var said, seen []string
	for _, key := range append(slices.Clone(r.again), order...) {
		f := r.kind.Field(key)
		fixed := f != nil && f.Fixed
		if key == keyVariables || fixed && !(r.offersPlaces && f.Place()) || slices.Contains(seen, key) {
			continue
		}
		seen = append(seen, key)
		o := optional(all.option(r.kind, key))
		if f != nil && f.Nullable {
			o.empty = true
			o.help += "; an empty text takes it away"
		}
		r.update = append(r.update, o)
		if fixed {
			r.fixed = append(r.fixed, key)
		}
		if !slices.Contains(r.unsaid, key) {
			said = append(said, "--"+o.long)
		}
	}
	last := len(said) - 1
	r.nothing = cmp.Or(r.nothing, "one or more of") + " " + strings.Join(said[:last], ", ") + ", or " + said[last]
}

// option is the option for a member of a kind's objects: in the words of the original, or made of the schema.
func (all byKind) option(k *schema.Kind, key string) option {
	o := words[key]
	if o.kind == wordsOption || o.kind == repeatedOption { // not sent as it stands
		return o
	}
	f := cmp.Or(k.Field(key), &schema.Field{Key: key, Required: true}) // the name
	o.key, o.required = key, f.Required
	o.long = cmp.Or(o.long, strings.ReplaceAll(f.Option(), "_", "-"))
	o.meta = cmp.Or(o.meta, "<"+f.Option()+">")
	o.help = cmp.Or(o.help, strings.ReplaceAll(f.Option(), "_", " "))
	switch {
	case o.kind == switchOption:
		o.meta = ""
	case f.Type == schema.Integer:
		o.kind = integerOption
	case f.Type == schema.Flag:
		o.kind = truthOption
	case f.Type == schema.Reference:
		o.kind, o.of = referenceOption, kindsOf(all.named(f.To))
		o.help = nouns(resourcesOf(o.of)) + ", by id or name"
	}
	return o
}
