package ironic

import (
	"strings"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/iotronic"
)

// plainKind returns a kind of Ironic whose objects have no Go type of their own.
func plainKind(name string, of func(*iotronic.Client) *iotronic.PlainService, at columns, list []argparse.Option, create ...argparse.Option) *kind {
	at.in = onIronic
	fields := func(o *iotronic.PlainObject) iotronic.Object { return o.Fields }
	create = append(create, short("u", object.Textual(keyUUID, "UUID; by default a new one")), extraOption())
	return &kind{
		Resource: object.Resource{Name: name, Create: create, List: listOptions(list...)},
		columns:  []columns{at},
		required: []string{},
		api:      writing(reading(of, fields), of, fields, func(o *iotronic.PlainCreate) *iotronic.Object { return &o.More }),
	}
}

// plainKinds returns them: parts of a node other than ports, and Ironic's collections of steps.
func plainKinds(node *kind) []*kind {
	of := func(key string) argparse.Option {
		return argparse.Option{Long: "node", Short: "n", Meta: "<node>", Kind: argparse.ReferenceOption, Key: key, Of: []argparse.Kind{&node.Resource}, Help: "node that it belongs to, by name or UUID"}
	}
	ofNode := argparse.Option{Long: "node", Meta: "<node>", Kind: argparse.ReferenceOption, Key: "node", Of: []argparse.Kind{&node.Resource}, Help: "only those of this node, by name or UUID"}
	steps := argparse.Option{Long: "steps", Meta: "<steps>", Key: keySteps, Help: "steps as a JSON list, a file that contains one, or - for standard input"}
	return []*kind{
		plainKind("portgroup", func(c *iotronic.Client) *iotronic.PlainService { return c.Portgroups }, columns{
			short: strings.Fields("uuid address name"),
			more:  strings.Fields("node_uuid mode properties standalone_ports_supported physical_network category internal_info extra created_at updated_at"),
		}, []argparse.Option{ofNode, object.Textual("address", "only the one with this MAC address")},
			of(keyNode), short("a", object.Textual("address", "MAC address")), object.Textual("name", "name"), object.Textual("mode", "bonding mode, such as 802.3ad; Ironic's default if not given"),
			pairs("properties", "p", "properties", "options of the mode, such as miimon=100"),
			truth("standalone_ports_supported", "whether its ports can also be used individually; true by default")),
		plainKind("volume-connector", func(c *iotronic.Client) *iotronic.PlainService { return c.VolumeConnectors }, columns{
			short: strings.Fields("uuid node_uuid type connector_id"), more: strings.Fields("extra created_at updated_at"),
		}, []argparse.Option{ofNode},
			of(keyNode), object.Textual("type", "type: iqn, ip, mac, wwnn, wwpn, port or portgroup"), object.Textual("connector_id", "identifier, such as iqn.2017-07.org.example:01:metal-01")),
		plainKind("volume-target", func(c *iotronic.Client) *iotronic.PlainService { return c.VolumeTargets }, columns{
			short: strings.Fields("uuid node_uuid volume_type boot_index volume_id"), more: strings.Fields("properties extra created_at updated_at"),
		}, []argparse.Option{ofNode},
			of(keyNode), object.Textual("volume_type", "type, such as iscsi"), object.Textual("volume_id", "identifier of the volume"),
			argparse.Option{Long: "boot-index", Meta: "<index>", Kind: argparse.IntegerOption, Key: "boot_index", Help: "boot index; 0 for the volume that the node boots from"},
			pairs("properties", "p", "properties", "properties, such as target_iqn=iqn.2010-10.org.example:v1")),
		plainKind("deploy-template", func(c *iotronic.Client) *iotronic.PlainService { return c.DeployTemplates }, columns{
			short: strings.Fields("uuid name"), more: strings.Fields("steps extra created_at updated_at"),
		}, nil, object.Textual("name", "name, which is the trait that requests it: CUSTOM_..."), steps),
		runbookKind(steps),
	}
}

// runbookKind also has the traits of a runbook.
func runbookKind(steps argparse.Option) *kind {
	runbook := plainKind("runbook", func(c *iotronic.Client) *iotronic.PlainService { return c.Runbooks.PlainService }, columns{
		short: strings.Fields("uuid name"), more: strings.Fields("description traits disable_ramdisk owner public steps extra created_at updated_at"),
	}, nil, object.Textual("name", "name; before API version 1.112 that of a trait of the nodes that it applies to: CUSTOM_..."), steps, object.Textual("owner", "project that owns it"),
		truth("public", "whether every project may use it"), object.Textual("description", "description"), truth("disable_ramdisk", "whether its steps run without booting a ramdisk"))
	runbook.extra = func(k *kind) []*verb {
		return k.traitVerbs(func(c *iotronic.Client) traitService { return c.Runbooks })
	}
	return runbook
}

// keySteps is a list of steps.
const keySteps = "steps"
