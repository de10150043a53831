package ironic

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/iotronic"
)

// kind is one kind of objects of Ironic and Iotronic. Its differences from others are data; its resource has the
// columns and options of all dialects.
type kind struct {
	object.Resource
	api     service
	columns []columns
	written []iotronic.Dialect // dialects in which it can be written; nil: all that have it
	// required are the options that a new object needs, if that does not depend on the dialect; see checkRequired.
	required []string
	// listed: the API shows single objects only to admins, but lists all of them to everybody (reference §3).
	listed bool
	extra  func(*kind) []*verb // nil, or commands that only this kind has
	// awaits is nil, or waits until a new object is ready.
	awaits func(ctx context.Context, c *iotronic.Client, id string) (gjson.Result, error)
}

// columns are the fields of lists in some dialects, as in the Python clients.
type columns struct {
	in    []iotronic.Dialect
	short []string // of lists
	more  []string // added by --detail
}

// dialects returns the dialects that have the kind.
func (k *kind) dialects() (all []iotronic.Dialect) {
	for _, c := range k.columns {
		all = append(all, c.in...)
	}
	return all
}

// at returns the columns in a dialect.
func (k *kind) at(d iotronic.Dialect) columns {
	for _, c := range k.columns {
		if slices.Contains(c.in, d) {
			return c
		}
	}
	return columns{}
}

// Fields that are used in several files: those that identify objects, and the node of a port.
const (
	keyUUID   = "uuid"
	keyNode   = "node_uuid"
	keyParent = "parent_node"
	// lists of words
	keyTraits, keyCandidates = "traits", "candidate_nodes"
)

// listOptions returns the options that every list has, and filters.
func listOptions(filters ...argparse.Option) []argparse.Option {
	return slices.Concat([]argparse.Option{
		object.FieldsOption, object.DetailOption, object.AllOption,
		{Long: "limit", Meta: "<limit>", Kind: argparse.IntegerOption, Help: "number to list; 0 for all"},
		{Long: "marker", Meta: "<uuid>", Key: "marker", Help: "list those after the one with this UUID"},
		{Long: "sort-key", Meta: "<field>", Key: "sort_key", Help: "field to sort by; by default in order of creation"},
		{Long: "sort-dir", Meta: "<direction>", Key: "sort_dir", Choices: []string{"asc", "desc"}, Help: "direction to sort in: asc or desc"},
	}, filters)
}

// truth returns an option for a boolean.
func truth(key, help string) argparse.Option {
	o := object.Textual(key, help)
	o.Kind, o.Meta = argparse.TruthOption, "<boolean>"
	return o
}

// flag returns an option without a value for a boolean that is true.
func flag(key, help string) argparse.Option {
	o := object.Textual(key, help)
	o.Kind = argparse.SwitchOption
	return o
}

// pairs returns an option with words key=value for an object.
func pairs(long, short, key, help string) argparse.Option {
	return argparse.Option{Long: long, Short: short, Meta: "<key=value>", Kind: argparse.RepeatedOption, Key: key, Help: help + "; may be given several times"}
}

// short adds a one-letter form to an option.
func short(letter string, o argparse.Option) argparse.Option { o.Short = letter; return o }

// interfaces are the hardware interfaces of a node of Ironic.
var interfaces = strings.Fields("bios boot console deploy firmware inspect management network power raid rescue storage vendor")

// kinds returns all kinds, in the order of help.
func kinds() []*kind {
	node, fleet := nodeKind(), fleetKind()
	all := []*kind{
		node, driverKind(), boardKind(fleet), fleet, pluginKind(), serviceKind(), portKind(node), chassisKind(), allocationKind(), webserviceKind(), enabledWebserviceKind(),
	}
	all = append(all, plainKinds(node)...)
	for _, k := range all {
		k.join()
	}
	return all
}

// fleetKind also has the boards of a fleet, in the columns of boards.
func fleetKind() *kind {
	return &kind{
		Resource: object.Resource{Name: "fleet", List: listOptions()},
		listed:   true,
		columns:  []columns{{in: onBoards, short: strings.Fields("uuid name project description"), more: strings.Fields("extra created_at updated_at")}},
		extra: func(k *kind) []*verb {
			return []*verb{partVerb(k, "board", boardColumns(), []string{"boards-in-fleet"},
				func(ctx context.Context, c *iotronic.Client, id string) ([]*iotronic.Board, error) {
					return c.Fleets.Boards(ctx, id)
				}, boardFields)}
		},
		api: reading(func(c *iotronic.Client) *iotronic.FleetService { return c.Fleets }, func(f *iotronic.Fleet) iotronic.Object { return f.Fields }),
	}
}

func driverKind() *kind {
	driver := &kind{
		Resource: object.Resource{Name: "driver", Title: "name", List: []argparse.Option{object.FieldsOption, object.DetailOption,
			{Long: "type", Short: "t", Meta: "<type>", Key: "type", Choices: []string{"classic", "dynamic"}, Help: "only those of this type: classic or dynamic"}}},
		columns: []columns{{in: onIronic, short: []string{"name", "hosts"}, more: driverFields()}},
		extra:   driverCommands,
	}
	driver.api = once(func(ctx context.Context, c *iotronic.Client, p parameters) ([]*iotronic.Driver, error) {
		var o iotronic.DriverListOptions
		rest.Fill(&o, p)
		return c.Drivers.List(ctx, o)
	}, driverObject)
	driver.api.takes = func(key string, _ iotronic.Dialect) bool { return key == "detail" }
	driver.api.get = func(ctx context.Context, c *iotronic.Client, name string, _ ...string) (o gjson.Result, err error) {
		d, err := c.Drivers.Get(ctx, name)
		return resultOr(d, driverObject, err)
	}
	return driver
}

func pluginKind() *kind {
	return &kind{
		Resource: object.Resource{Name: "plugin", List: listOptions(
			flag("public", "only public plugins, of all projects"), flag("with_public", "include public plugins of others"),
			flag("all_plugins", "those of all projects (admin only)"))},
		columns: []columns{{in: []iotronic.Dialect{iotronic.DialectNodes, iotronic.DialectBoards},
			short: strings.Fields("uuid name owner public callable"), more: strings.Fields("code parameters extra created_at updated_at")}},
		api: reading(func(c *iotronic.Client) *iotronic.PluginService { return c.Plugins }, func(p *iotronic.Plugin) iotronic.Object { return p.Fields }),
	}
}

func serviceKind() *kind {
	return &kind{
		Resource: object.Resource{Name: "service", List: listOptions(flag("all_services", "those of all projects (admin only)"))},
		listed:   true,
		columns:  []columns{{in: onBoards, short: strings.Fields("uuid name port protocol"), more: strings.Fields("project extra created_at updated_at")}},
		api:      reading(func(c *iotronic.Client) *iotronic.ServiceService { return c.Services }, func(s *iotronic.Service) iotronic.Object { return s.Fields }),
	}
}

func portKind(node *kind) *kind {
	return &kind{
		Resource: object.Resource{Name: "port", Create: []argparse.Option{
			short("a", object.Textual("address", "MAC address")),
			{Long: "node", Short: "n", Meta: "<node>", Kind: argparse.ReferenceOption, Key: keyNode, Of: []argparse.Kind{&node.Resource}, Help: "node that it belongs to, by name or UUID"},
			truth("pxe_enabled", "whether the node may boot from it; true by default"),
			pairs("local-link-connection", "l", "local_link_connection", "switch port it is connected to, such as switch_id=0a:1b:2c:3d:4e:5f port_id=Eth3/1"),
			object.Textual("physical_network", "physical network that it is connected to"),
			{Long: "portgroup", Meta: "<portgroup>", Key: "portgroup_uuid", Help: "UUID of its port group"},
			truth("is_smartnic", "whether it is the port of a Smart NIC"),
			object.Textual("name", "name"), object.Textual("description", "description"), object.Textual("vendor", "vendor"), object.Textual("category", "category"),
			short("u", object.Textual(keyUUID, "UUID of the port; by default a new one")), extraOption(),
		}, List: listOptions(
			argparse.Option{Long: "node", Meta: "<node>", Kind: argparse.ReferenceOption, Key: "node", Of: []argparse.Kind{&node.Resource}, Help: "Ironic: only those of this node, by name or UUID"},
			object.Textual("address", "Ironic: only the one with this MAC address"), object.Textual("portgroup", "Ironic: only those of this group, by name or UUID"))},
		columns: []columns{
			{in: onIronic, short: []string{keyUUID, "address"},
				more: strings.Fields("node_uuid name description vendor category local_link_connection portgroup_uuid pxe_enabled physical_network is_smartnic internal_info extra created_at updated_at")},
			{in: onBoards, short: strings.Fields("uuid MAC_add VIF_name network board_uuid ip")},
		},
		written:  onIronic,
		required: []string{"address", "node"},
		api:      portService(),
	}
}

func portService() service {
	ports := func(c *iotronic.Client) *iotronic.PortService { return c.Ports }
	s := writing(reading(ports, portFields), ports, portFields, func(p *iotronic.PortCreate) *iotronic.Object { return &p.More })
	create, update := s.create, s.update
	s.create = func(ctx context.Context, c *iotronic.Client, p parameters) (gjson.Result, error) {
		if err := checkLinks(p); err != nil {
			return gjson.Result{}, err
		}
		return create(ctx, c, p)
	}
	s.update = func(ctx context.Context, c *iotronic.Client, id string, changes iotronic.Changes) (gjson.Result, error) {
		if err := checkLinks(changes); err != nil {
			return gjson.Result{}, err
		}
		return update(ctx, c, id, changes)
	}
	return s
}

// checkLinks converts the numbers in local_link_connection to texts, whether set as a whole or by path, and refuses
// anything but texts: Ironic would read a word such as port_id=8 as a number, and refuse it for another reason.
func checkLinks(values map[string]any) error {
	const link = "local_link_connection"
	for path, value := range values {
		name, key, inside := strings.Cut(path, "/")
		raw, isRaw := value.(json.RawMessage)
		object, isObject := value.(iotronic.Object)
		if isRaw && !inside {
			object = objectIn(raw)
			isObject = object != nil
		}
		switch {
		case name != link:
		case inside && isRaw:
			text, err := iotronic.LinkValue(key, raw)
			if err != nil {
				return argparse.Misused("%s: %s", link, err)
			}
			values[path] = text
		case isObject:
			for key, raw := range object {
				text, err := iotronic.LinkValue(key, raw)
				if err != nil {
					return argparse.Misused("%s: %s", link, err)
				}
				object[key] = text
			}
			values[path] = object
		}
	}
	return nil
}

func chassisKind() *kind {
	return plainKind("chassis", func(c *iotronic.Client) *iotronic.PlainService { return c.Chassis },
		columns{short: []string{keyUUID, "description"}, more: strings.Fields("created_at updated_at extra")}, nil,
		object.Textual("description", "description"))
}

func allocationKind() *kind {
	allocations := func(c *iotronic.Client) *iotronic.AllocationService { return c.Allocations }
	fields := func(o *iotronic.Allocation) iotronic.Object { return o.Fields }
	return &kind{
		Resource: object.Resource{Name: "allocation",
			Create: []argparse.Option{
				short("n", object.Textual("name", "name")), object.Textual("resource_class", "resource class of the node; required without --node"),
				{Long: "trait", Meta: "<trait>", Kind: argparse.RepeatedOption, Key: keyTraits, Help: "trait that the node must have; may be given several times"},
				{Long: "candidate-node", Meta: "<node>", Kind: argparse.RepeatedOption, Key: keyCandidates, Help: "candidate node, by name or UUID; may be given several times"},
				{Long: "node", Meta: "<node>", Key: "node", Help: "existing node to create the allocation for, by name or UUID"},
				object.Textual("owner", "project that owns it"), short("u", object.Textual(keyUUID, "UUID of the allocation; by default a new one")), extraOption(),
			},
			List: listOptions(
				argparse.Option{Long: "node", Meta: "<node>", Key: "node", Help: "only the one of this node, by name or UUID"},
				object.Textual("resource_class", "only those of this class"), object.Textual("state", "only those in this state: allocating, active or error"),
				object.Textual("owner", "only those of this owner"))},
		columns:  []columns{{in: onIronic, short: strings.Fields("uuid name resource_class state node_uuid"), more: strings.Fields("owner last_error traits candidate_nodes extra created_at updated_at")}},
		required: []string{},
		api:      writing(reading(allocations, fields), allocations, fields, func(o *iotronic.AllocationCreate) *iotronic.Object { return &o.More }),
		awaits: func(ctx context.Context, c *iotronic.Client, id string) (gjson.Result, error) {
			a, err := c.Allocations.Wait(ctx, id)
			return resultOr(a, fields, err)
		},
	}
}

func webserviceKind() *kind {
	return &kind{
		Resource: object.Resource{Name: "webservice", List: listOptions()},
		listed:   true,
		columns:  []columns{{in: onBoards, short: strings.Fields("uuid name port board_uuid"), more: strings.Fields("secure extra created_at updated_at")}},
		api: reading(func(c *iotronic.Client) *iotronic.WebserviceService { return c.Webservices },
			func(w *iotronic.Webservice) iotronic.Object { return w.Fields }),
	}
}

func enabledWebserviceKind() *kind {
	return &kind{
		Resource: object.Resource{Name: "enabled-webservice", List: []argparse.Option{object.FieldsOption, object.DetailOption}},
		columns: []columns{{in: onBoards, short: strings.Fields("board_uuid http_port https_port dns zone"),
			more: []string{"extra"}}},
		api: once(func(ctx context.Context, c *iotronic.Client, _ parameters) ([]*iotronic.EnabledWebservice, error) {
			return c.EnabledWebservices.List(ctx)
		}, func(w *iotronic.EnabledWebservice) iotronic.Object { return w.Fields }),
	}
}

// join gives the resource the columns of all dialects, each once, for completion.
func (k *kind) join() {
	for _, c := range k.columns {
		for _, f := range slices.Concat(c.short, c.more) {
			if !slices.Contains(k.Fields, f) {
				k.Fields = append(k.Fields, f)
			}
		}
	}
}

// interfaceOptions select the hardware interfaces of a new node.
func interfaceOptions() []argparse.Option {
	options := make([]argparse.Option, len(interfaces))
	for i, name := range interfaces {
		options[i] = object.Textual(name+"_interface", "Ironic: "+name+" interface; the driver's default if not given")
	}
	return options
}

// driverFields returns what --detail shows of a driver.
func driverFields() []string {
	all := []string{"type"}
	for _, name := range interfaces {
		all = append(all, "default_"+name+"_interface", "enabled_"+name+"_interfaces")
	}
	return all
}

func driverObject(d *iotronic.Driver) iotronic.Object { return d.Fields }

func portFields(p *iotronic.Port) iotronic.Object { return p.Fields }

// commands returns the commands of a kind, in alphabetical order, as help shows them.
func (k *kind) commands() []*verb {
	var all []*verb
	if k.api.create != nil {
		all = append(all, iotronicCreate(k), iotronicUpdate(k), iotronicDelete(k))
	}
	all = append(all, iotronicList(k))
	if k.api.get != nil {
		all = append(all, iotronicShow(k))
	}
	if k.extra != nil {
		all = append(all, k.extra(k)...)
	}
	for _, c := range all {
		if k.written != nil && slices.Contains([]string{"create", "update", "delete"}, c.Name) {
			c.only = k.written
		}
		c.kind, c.resource, c.Of, c.Name = k, &k.Resource, &k.Resource, k.Name+"-"+c.Name
		c.Long, c.Example = c.text(), iotronicExample(c.Name)
	}
	slices.SortFunc(all, func(a, b *verb) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// title is fieldTitle, unless a kind uses another word.
func (k *kind) title(field string) string {
	if k.Name == "driver" && field == "name" {
		return "Supported driver(s)"
	}
	return fieldTitle(field)
}

// titlesOf are the fields with special titles in the Python clients.
var titlesOf = map[string]string{
	"provision_state": "Provisioning State", "raid_config": "Current RAID configuration", "target_raid_config": "Target RAID configuration",
	"network_data": "Network Configuration", "hosts": "Active host(s)", "is_smartnic": "Is Smart NIC port", "pxe_enabled": "PXE boot enabled",
	"volume_type": "Driver Volume Type", "event": "Description of the event", "event_type": "Event Origin Type", "duration_seconds": "Duration (seconds)",
	"min_length": "Minimum Length", "max_length": "Maximum Length",
	"MAC_add": "MAC Address", "VIF_name": "VIF", // of boards
}

// fieldTitle returns the title of a field's column, as in the Python clients.
func fieldTitle(field string) string {
	if title, ok := titlesOf[field]; ok {
		return title
	}
	words := strings.Split(show.Heading(field), " ")
	for i, w := range words {
		switch w {
		case "Id", "Uuid", "Lr", "Ip", "Http", "Https", "Dns", "Bios", "Raid":
			words[i] = strings.ToUpper(w)
		}
	}
	return strings.Join(words, " ")
}
