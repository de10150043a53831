package object

import (
	"cmp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/schema"
)

// Keys of the API that commands use.
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

// words are the original's texts for options of fields, by key, or by kind and key if one kind differs. Other texts
// come from the schema (optionFor).
var words = map[string]argparse.Option{
	"name":           {Short: "n", Meta: "<name>", Help: "name"},
	"username":       {Long: "name", Short: "n", Meta: "<name>", Help: "name"},
	"note":           {Meta: "NOTE", Help: "free-form note"},
	"ip_address":     {Long: "ip_address", Short: "i", Meta: "<ipaddress>", Help: "IPv4 or IPv6 address"},
	"device_type":    {Long: "type", Short: "t", Meta: "<type>", Help: "type of device, any text"},
	"interface_type": {Long: "type", Short: "t", Meta: "<type>", Help: "type of interface, any text"},
	"active":         {Short: "a", Meta: "ACTIVE", Help: "whether it is active: true or false"},
	"is_admin":       {Long: "admin", Kind: argparse.SwitchOption, Help: "make it an admin of the project"},
	"labels":         {Long: "labels", Short: "l", Meta: "LABELS", Kind: argparse.RepeatedOption, Help: "label; may be repeated"},
	"variables":      {Long: "vars", Meta: "<key=value>", Kind: argparse.WordsOption, Help: "initial variables, with values as in vars-set"},
	keyRegion:        {Short: "r"},
	keyCell:          {Short: "c"},
	keyDevice:        {Short: "d"},
	"model_name":     {Help: "model"},
	"os_version":     {Help: "operating system version"},
	"vlans":          {Help: "VLANs, any text"},
	"cidr":           {Help: "address range, such as 10.20.0.0/24"},
	"gateway":        {Help: "address of the gateway"},
	"netmask":        {Help: "netmask, such as 255.255.255.0"},
	"ip_block_type":  {Help: "type of the address block"},
	"nss":            {Help: "name servers, any text"},
	"vlan_id":        {Help: "VLAN number"},
	"vlan":           {Help: "VLAN name"},
	"port":           {Help: "port number"},
	"speed":          {Help: "speed, in any unit"},
	"duplex":         {Help: "duplex mode"},
	"link":           {Help: "link state"},
	"cdp":            {Help: "CDP information"},
	"security":       {Help: "security settings"},
}

// Options of lists.
var (
	FieldsOption  = argparse.Option{Long: "fields", Meta: "<fields>", Kind: argparse.WordsOption, Help: "columns to show, separated by spaces"}
	DetailOption  = argparse.Option{Long: "detail", Kind: argparse.SwitchOption, Help: "show all columns"}
	AllOption     = argparse.Option{Long: "all", Kind: argparse.SwitchOption, Help: "list all pages, not only the first"}
	limitOption   = argparse.Option{Long: "limit", Meta: "<limit>", Kind: argparse.IntegerOption, Help: "number to list, 10 to 100"}
	markerOption  = argparse.Option{Long: "marker", Meta: "<marker>", Help: "list those after the one with this id"}
	sortKeyOption = argparse.Option{Long: "sort-key", Meta: "<field>", Help: "column to sort by"}
	sortDirOption = argparse.Option{Long: "sort-dir", Meta: "<direction>", Choices: []string{"asc", "desc"}, Help: "sort direction: asc or desc"}

	descendantsOption = argparse.Option{Long: "descendants", Kind: argparse.SwitchOption, Help: "with --parent: all descendants, not only its children"}

	nameFilter   = argparse.Option{Long: "name", Short: "n", Meta: "<name>", Key: "name", Help: "only those with this name"}
	varsFilter   = argparse.Option{Long: "vars", Meta: "<vars>", Kind: argparse.WordsOption, Help: `only those whose variables match, such as role:"db"; all must match`}
	typeFilter   = argparse.Option{Long: "device-type", Meta: "<device_type>", Key: "device_type", Help: "only devices of this type"}
	ipFilter     = argparse.Option{Long: "ip", Meta: "<ip_address>", Key: "ip_address", Help: "only those with this address"}
	activeFilter = argparse.Option{Long: "active", Meta: "<active>", Choices: []string{"true", "false"}, Key: "active",
		Help: "only active ones (true), or only inactive ones (false)"}
)

// Required returns an option that must be given.
func Required(o argparse.Option) argparse.Option { o.Required = true; return o }
func optional(o argparse.Option) argparse.Option { o.Required = false; return o }

// Reference returns an option that names an object by its id or name.
func Reference(long, short, key string, of ...*Resource) argparse.Option {
	nouns := make([]string, len(of))
	for i, r := range of {
		nouns[i] = r.Noun()
	}
	return argparse.Option{Long: long, Short: short, Meta: "<" + long + ">", Kind: argparse.ReferenceOption, Key: key, Of: kindsOf(of),
		Help: strings.Join(nouns, " or ") + ", by id or name"}
}

// Textual returns an option for a text of the API, with the API's name.
func Textual(key, help string) argparse.Option {
	return argparse.Option{Long: strings.ReplaceAll(key, "_", "-"), Meta: "<" + key + ">", Key: key, Help: help}
}

// Resources returns all kinds, in the order of help. An option may refer to another resource, so they are created
// together. Columns and options are in the original's order; fields that are not named here follow.
func Resources() []*Resource {
	all := []*Resource{
		{kind: schema.Project, empties: true,
			Fields: []string{keyID, "name"}, more: []string{keyCreated, keyUpdated},
			List: []argparse.Option{nameFilter, DetailOption, FieldsOption, AllOption, limitOption, markerOption}},
		{kind: schema.Cloud, empties: true,
			Fields: []string{keyID, "name", keyCreated}, more: []string{keyUpdated, "note", keyProject},
			List: []argparse.Option{FieldsOption, AllOption, DetailOption, limitOption, markerOption}},
		{kind: schema.Region, empties: true, offersPlaces: true,
			Fields: []string{keyID, "name", keyCloud}, more: []string{keyProject, "note", keyCreated, keyUpdated},
			List: []argparse.Option{{Key: keyCloud}, FieldsOption, DetailOption, AllOption, limitOption, markerOption, varsFilter}},
		{kind: schema.Device, zeroIsNone: true,
			Fields: []string{keyID, "name", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyParent},
			more:   []string{"note", keyCreated, keyUpdated, keyProject}, hidden: []string{"active"},
			List: []argparse.Option{FieldsOption, DetailOption, AllOption, sortKeyOption, sortDirOption, limitOption, markerOption, {Key: keyCloud}, {Key: keyRegion},
				{Key: keyCell}, {Key: keyParent}, descendantsOption, activeFilter}, badSort: sortedByList},
		{kind: schema.Host, offersPlaces: true, unsaid: []string{keyRegion, keyCloud, keyCell},
			Fields: []string{keyID, "name", "active", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyCreated},
			more:   []string{keyUpdated, "note", keyVariables, keyLabels, keyParent, keyProject},
			order:  []string{"name", "ip_address", keyRegion, keyCloud, keyCell, "device_type", "active", "note", keyLabels, keyParent, keyVariables},
			again:  []string{"name", "ip_address", keyRegion, keyCloud, keyCell, "active", "note", keyLabels, "device_type", keyParent},
			List: []argparse.Option{{Key: keyRegion}, {Key: keyCloud}, {Key: keyCell}, DetailOption, sortKeyOption, sortDirOption, FieldsOption, AllOption, limitOption,
				markerOption, typeFilter,
				{Long: "vars", Meta: "<vars>", Key: "vars", Help: `only those whose variables match, such as role:"db",rack:"a1"`},
				{Long: "label", Meta: "<label>", Key: "label", Help: "only those with this label"}, ipFilter}, badSort: sortedByList},
		{kind: schema.Cell, empties: true, offersPlaces: true, nothing: "one of",
			Fields: []string{keyID, "name", keyCloud, keyRegion, keyCreated}, more: []string{keyUpdated, "note", keyVariables, keyProject},
			order: []string{"name", keyRegion, keyCloud, "note", keyVariables},
			List: []argparse.Option{{Key: keyRegion}, {Key: keyCloud}, DetailOption, sortKeyOption, sortDirOption, FieldsOption, AllOption, limitOption, markerOption,
				varsFilter}, badSort: sortedByText},
		{kind: schema.NetworkDevice,
			Fields: []string{keyID, "name", "active", "device_type", "ip_address", keyCloud, keyRegion, keyCell, keyCreated},
			more:   []string{keyUpdated, "model_name", "os_version", "vlans", keyVariables, keyLabels, keyParent, keyProject},
			order: []string{"name", "ip_address", keyRegion, keyCloud, keyCell, "device_type", "active", "model_name", "os_version", "vlans",
				keyLabels, keyParent, keyVariables},
			List: []argparse.Option{nameFilter, {Key: keyRegion}, {Key: keyCloud}, {Key: keyCell}, DetailOption, sortKeyOption, sortDirOption, FieldsOption, AllOption,
				limitOption, markerOption, typeFilter, varsFilter, ipFilter}, badSort: sortedByList},
		{kind: schema.Network,
			Fields: []string{keyID, "name", "cidr", "gateway", "netmask", keyCloud, keyRegion, keyCell},
			more:   []string{"ip_block_type", "nss", keyVariables, keyCreated, keyUpdated, keyProject},
			order:  []string{"name", "cidr", "gateway", "netmask", keyRegion, keyCloud, keyCell, "ip_block_type", "nss", keyVariables},
			List: []argparse.Option{nameFilter, {Key: keyRegion}, {Key: keyCell}, DetailOption, sortKeyOption, sortDirOption, FieldsOption, AllOption, limitOption,
				markerOption, varsFilter}, badSort: sortedByList},
		{kind: schema.NetworkInterface,
			Fields: []string{keyID, "name", keyDevice, "interface_type", "ip_address", keyNetwork},
			more:   []string{"vlan_id", "vlan", "port", "speed", "duplex", "link", "cdp", "security", keyCreated, keyUpdated, keyProject},
			order: []string{"name", keyDevice, "interface_type", "ip_address", keyNetwork, "vlan_id", "vlan", "port", "speed", "duplex", "link", "cdp",
				"security", keyVariables},
			List: []argparse.Option{{Key: keyDevice}, {Key: "interface_type"}, DetailOption, sortKeyOption, sortDirOption, FieldsOption, AllOption, limitOption,
				markerOption, ipFilter}, badSort: sortedByList},
		{kind: schema.User, secret: "api_key",
			Fields: []string{keyID, "username", "is_admin", roleOption, keyProject}, more: []string{keyCreated, keyUpdated},
			List: []argparse.Option{nameFilter, DetailOption, FieldsOption, AllOption, limitOption, markerOption}},
	}
	kinds := byKind{}
	for _, r := range all {
		k := r.kind
		kinds[k.Name] = r
		r.Name, r.path, r.key, r.Title, r.uuid = k.Name, "/"+k.Path, k.List, k.Title, k.UUID
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
	for _, r := range all {
		if r.chosen() {
			r.List = append(r.List, r.whereOption("only those that match all terms"))
		}
	}
	kinds[schema.Project.Name].details = false // no column of project-list needs them
	users := kinds[schema.User.Name]
	users.Create = append(users.Create, argparse.Option{Long: roleOption, Meta: "<role>", Key: "role", Choices: schema.Roles(),
		Help: "role of the user; member if neither this nor --admin is given"})
	return all
}

// byKind are the resources by the names of their kinds.
type byKind map[string]*Resource

func (all byKind) named(names []string) (of []*Resource) {
	for _, name := range names {
		of = append(of, all[name])
	}
	return of
}

// derive fills in what the schema defines for a resource, using the others.
func (all byKind) derive(r *Resource) {
	k, order := r.kind, r.order
	if order == nil {
		order = []string{k.Title}
	}
	for _, f := range k.Fields {
		if !slices.Contains(order, f.Key) {
			order = append(order, f.Key)
		}
		if !slices.Contains(slices.Concat(r.Fields, r.more, r.hidden), f.Key) {
			r.more = append(r.more, f.Key)
		}
	}
	if k.Variables != schema.None && !slices.Contains(order, keyVariables) {
		order = append(order, keyVariables)
	}
	for i, o := range r.List {
		if o.Long == "" {
			r.List[i] = optional(all.option(k, o.Key))
			if k.Field(o.Key).Place() && !k.View {
				r.places = append(r.places, o.Key)
			}
		}
	}
	if k.View {
		return
	}
	for _, key := range order {
		r.Create = append(r.Create, all.option(k, key))
	}
	if k.Updatable() {
		all.deriveUpdate(r, order)
	}
	for _, key := range k.Moves {
		o := all.option(k, key)
		if o.Required = len(k.Moves) == 1; !k.Field(key).Required {
			o.Empty = true
			o.Help += "; an empty value takes it out of its cell"
		}
		r.move = append(r.move, o)
	}
	for _, o := range r.move { // an update of the original offers them for hosts and cells, and refuses them
		if !slices.ContainsFunc(r.update, func(has argparse.Option) bool { return has.Key == o.Key }) {
			r.update, r.fixed = append(r.update, optional(o)), append(r.fixed, o.Key)
		}
		for i := range r.update {
			if r.update[i].Key == o.Key && o.Empty && !r.update[i].Empty {
				r.update[i].Empty = true
				r.update[i].Help += "; an empty value takes it out of its cell"
			}
		}
	}
	if r.move != nil {
		r.update = append(r.update, recreateOption)
	}
	if k.Protects() && r.update != nil {
		r.update = append(r.update, protectedOption, unprotectedOption)
	}
	if k.Protects() {
		r.Create = append(r.Create, protectedOption)
	}
	if f := k.Container(); f != nil && f.Key != keyProject {
		r.inside = f.Key
	}
	for _, held := range k.Contents() {
		r.holds = append(r.holds, all[held.Name])
	}
	if held := schema.NetworkInterface; r.holds != nil && !slices.Contains(r.holds, all[held.Name]) && slices.Contains(r.holds, all[schema.Host.Name]) {
		r.holds = append(r.holds, all[held.Name]) // of the devices in it
	}
	r.holdKey = k.ContentKey()
}

// deriveUpdate creates the options of an update, and its error if there are none.
func (all byKind) deriveUpdate(r *Resource, order []string) {
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
			o.Empty = true
			o.Help += "; an empty value clears it"
		}
		if fixed && key == keyCloud { // offered by the original
			o.Help = "with --region: the cloud of that region, by id or name"
			if r.kind == schema.Region {
				o.Help = "always refused: a region cannot be moved to another cloud"
			}
		}
		r.update = append(r.update, o)
		if fixed {
			r.fixed = append(r.fixed, key)
		}
		if !slices.Contains(r.unsaid, key) {
			said = append(said, "--"+o.Long)
		}
	}
	last := len(said) - 1
	r.nothing = cmp.Or(r.nothing, "one or more of") + " " + strings.Join(said[:last], ", ") + ", or " + said[last]
}

// option returns the option for a member of a kind's objects: in the words of the original, or derived from the schema.
func (all byKind) option(k *schema.Kind, key string) argparse.Option {
	o := words[key]
	if o.Kind == argparse.WordsOption || o.Kind == argparse.RepeatedOption { // not sent as it is
		return o
	}
	f := cmp.Or(k.Field(key), &schema.Field{Key: key, Required: true}) // the name
	o.Key, o.Required = key, f.Required
	o.Long = cmp.Or(o.Long, strings.ReplaceAll(f.Option(), "_", "-"))
	o.Meta = cmp.Or(o.Meta, "<"+f.Option()+">")
	o.Help = cmp.Or(o.Help, strings.ReplaceAll(f.Option(), "_", " "))
	switch {
	case o.Kind == argparse.SwitchOption:
		o.Meta = ""
	case f.Type == schema.Integer:
		o.Kind = argparse.IntegerOption
	case f.Type == schema.Flag:
		o.Kind = argparse.TruthOption
	case f.Type == schema.Reference:
		o.Kind, o.Of = argparse.ReferenceOption, kindsOf(all.named(f.To))
		o.Help = joinNouns(resourcesOf(o.Of)) + ", by id or name"
	}
	return o
}
