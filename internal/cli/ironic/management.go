package ironic

import (
	"context"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/iotronic"
)

// action is the function of a command.
type action = func(context.Context, *session, *argparse.Call) error

// get returns an action that requests something of the client, and prints a message.
func (k *kind) get(said string, ask action) action {
	return func(ctx context.Context, t *session, c *argparse.Call) error {
		if err := ask(ctx, t, c); err != nil {
			return t.near(ctx, k, c.Target, err)
		}
		t.Say("%s %s: %s.", k.Capital(), c.Target, said)
		return nil
	}
}

// show returns an action that prints an object.
func (k *kind) show(read func(context.Context, *session, *argparse.Call) (iotronic.Object, error)) action {
	return func(ctx context.Context, t *session, c *argparse.Call) error {
		o, err := read(ctx, t, c)
		if err != nil {
			return t.near(ctx, k, c.Target, err)
		}
		return t.printObject(result(o))
	}
}

// list returns an action that prints objects, in the columns that it names.
func (k *kind) list(read func(context.Context, *session, *argparse.Call) ([]iotronic.Object, []string, error)) action {
	return func(ctx context.Context, t *session, c *argparse.Call) error {
		objects, fields, err := read(ctx, t, c)
		if err != nil {
			return t.near(ctx, k, c.Target, err)
		}
		rows := make([]gjson.Result, len(objects))
		for i, o := range objects {
			rows[i] = result(o)
		}
		return t.PrintList(rows, fields)
	}
}

// managementVerbs returns the commands for a node's traits, boot settings, console and hardware.
func managementVerbs(k *kind) []*verb {
	on, shows := k.get, k.show
	console := func(enabled bool) func(context.Context, *session, *argparse.Call) error {
		said := map[bool]string{true: "console enabled", false: "console disabled"}[enabled]
		return func(ctx context.Context, t *session, c *argparse.Call) error {
			nodes := t.client.Nodes
			return k.change(ctx, t, c, said, said, func(ctx context.Context) error { return nodes.SetConsole(ctx, c.Target, enabled) },
				func(ctx context.Context, id, _ string) error { return nodes.WaitConsole(ctx, id, enabled) })
		}
	}
	traits := k.traitVerbs(func(c *iotronic.Client) traitService { return c.Nodes })
	return append(traits, []*verb{
		{
			Command: argparse.Command{Name: "boot-device-show", Short: "Show the boot device of a node", Target: true,
				Options: []argparse.Option{{Long: "supported", Kind: argparse.SwitchOption, Help: "list the supported boot devices instead"}}},
			aliases: []string{"node-get-boot-device"},
			does: shows(func(ctx context.Context, t *session, c *argparse.Call) (iotronic.Object, error) {
				if c.Given("supported") {
					devices, err := t.client.Nodes.BootDevices(ctx, c.Target)
					return iotronic.Values(map[string]any{"supported_boot_devices": devices}), err
				}
				device, err := t.client.Nodes.GetBootDevice(ctx, c.Target)
				if err != nil {
					return nil, err
				}
				return device.Fields, nil
			}),
		},
		{
			Command: argparse.Command{Name: "boot-device-set", Short: "Set the boot device of a node", Target: true, More: []argparse.Positional{{Name: "<device>"}},
				Options: []argparse.Option{{Long: "persistent", Kind: argparse.SwitchOption, Help: "for every boot, not only the next"}}},
			aliases: []string{"node-set-boot-device"},
			does: on("boot device set", func(ctx context.Context, t *session, c *argparse.Call) error {
				return t.client.Nodes.SetBootDevice(ctx, c.Target, c.Words[0], c.Given("persistent"))
			}),
		},
		{
			Command: argparse.Command{Name: "boot-mode-set", Short: "Set the boot mode of a node", Target: true, More: []argparse.Positional{{Name: "<mode>", Choices: []string{"uefi", "bios"}}}},
			does: on("boot mode requested", func(ctx context.Context, t *session, c *argparse.Call) error {
				return t.client.Nodes.SetBootMode(ctx, c.Target, c.Words[0])
			}),
		},
		{
			Command: argparse.Command{Name: "secure-boot", Short: "Turn secure boot of a node on or off", Target: true, More: []argparse.Positional{{Name: "<state>", Choices: []string{"on", "off"}}}},
			does: on("secure boot setting requested", func(ctx context.Context, t *session, c *argparse.Call) error {
				return t.client.Nodes.SetSecureBoot(ctx, c.Target, c.Words[0] == "on")
			}),
		},
		{
			Command: argparse.Command{Name: "console-show", Short: "Show the console of a node", Target: true}, aliases: []string{"node-get-console"},
			does: shows(func(ctx context.Context, t *session, c *argparse.Call) (iotronic.Object, error) {
				console, err := t.client.Nodes.GetConsole(ctx, c.Target)
				if err != nil {
					return nil, err
				}
				return console.Fields, nil
			}),
		},
		{
			Command: argparse.Command{Name: "console-enable", Short: "Enable the console of a node", Target: true, Options: []argparse.Option{waitOption}},
			does:    console(true),
		},
		{
			Command: argparse.Command{Name: "console-disable", Short: "Disable the console of a node", Target: true, Options: []argparse.Option{waitOption}},
			does:    console(false),
		},
		{
			Command: argparse.Command{Name: "inventory", Paged: true, Short: "Show the result of the last inspection of a node", Target: true}, aliases: []string{"node-inventory-save"},
			does: shows(func(ctx context.Context, t *session, c *argparse.Call) (iotronic.Object, error) {
				return t.client.Nodes.Inventory(ctx, c.Target)
			}),
		},
		{
			Command: argparse.Command{Name: "inject-nmi", Short: "Send a non-maskable interrupt to a node", Target: true},
			does: on("non-maskable interrupt sent", func(ctx context.Context, t *session, c *argparse.Call) error {
				return t.client.Nodes.Interrupt(ctx, c.Target)
			}),
		},
	}...)
}
