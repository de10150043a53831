package ironic

import (
	"context"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/iotronic"
)

// partVerbs returns the commands for what Ironic stores about a node separately: virtual interfaces, BIOS settings,
// history and firmware.
func partVerbs(k *kind) []*verb {
	detail := argparse.Option{Long: "detail", Kind: argparse.SwitchOption, Help: "show all fields"}
	vif := []argparse.Positional{{Name: "<vif>"}}
	return []*verb{
		{
			Command: argparse.Command{Name: "vif-list", Paged: true, Short: "List the virtual interfaces that are attached to a node", Target: true},
			does: k.list(func(ctx context.Context, t *session, c *argparse.Call) (rows []iotronic.Object, fields []string, err error) {
				ids, err := t.client.Nodes.VIFs(ctx, c.Target)
				for _, id := range ids {
					rows = append(rows, iotronic.Values(map[string]any{"id": id}))
				}
				return rows, []string{"id"}, err
			}),
		},
		{
			Command: argparse.Command{Name: "vif-attach", Short: "Attach a virtual interface, such as a port of Neutron, to a node", Target: true, More: vif, Options: []argparse.Option{
				{Long: "port-uuid", Meta: "<uuid>", Key: "port_uuid", Help: "port to attach it to; chosen by Ironic if not given"},
				{Long: "portgroup-uuid", Meta: "<uuid>", Key: "portgroup_uuid", Help: "port group to attach it to"},
				pairs("vif-info", "", "", "additional information"),
			}},
			does: k.get("virtual interface attached", func(ctx context.Context, t *session, c *argparse.Call) error {
				more, err := pairsOf(c.All("vif-info"))
				if err != nil {
					return argparse.Misused("argument --vif-info: %s", err)
				}
				for option, key := range map[string]string{"port-uuid": "port_uuid", "portgroup-uuid": "portgroup_uuid"} {
					if c.Given(option) {
						more[key] = object.JSONText(c.Text(option))
					}
				}
				return t.client.Nodes.AttachVIF(ctx, c.Target, c.Words[0], more)
			}),
		},
		{
			Command: argparse.Command{Name: "vif-detach", Short: "Detach a virtual interface from a node", Target: true, More: vif},
			does: k.get("virtual interface detached", func(ctx context.Context, t *session, c *argparse.Call) error {
				return t.client.Nodes.DetachVIF(ctx, c.Target, c.Words[0])
			}),
		},
		{
			Command: argparse.Command{Name: "bios-setting-list", Paged: true, Short: "List the BIOS settings of a node", Target: true, Options: []argparse.Option{detail}},
			does: k.list(func(ctx context.Context, t *session, c *argparse.Call) ([]iotronic.Object, []string, error) {
				fields := "name value"
				if c.Given("detail") {
					fields += " attribute_type allowable_values lower_bound min_length max_length read_only reset_required unique upper_bound"
				}
				rows, err := t.client.Nodes.BIOSSettings(ctx, c.Target, c.Given("detail"))
				return rows, strings.Fields(fields), err
			}),
		},
		{
			Command: argparse.Command{Name: "bios-setting-show", Short: "Show a BIOS setting of a node", Target: true, More: []argparse.Positional{{Name: "<name>"}}},
			does: k.show(func(ctx context.Context, t *session, c *argparse.Call) (iotronic.Object, error) {
				return t.client.Nodes.BIOSSetting(ctx, c.Target, c.Words[0])
			}),
		},
		{
			Command: argparse.Command{Name: "history-list", Paged: true, Short: "List the history of a node", Target: true, Options: []argparse.Option{detail}},
			does: k.list(func(ctx context.Context, t *session, c *argparse.Call) ([]iotronic.Object, []string, error) {
				fields := "uuid created_at severity event"
				if c.Given("detail") {
					fields = "uuid created_at severity event_type event conductor user project state target_provision_state duration_seconds"
				}
				rows, err := t.client.Nodes.History(ctx, c.Target, c.Given("detail"))
				return rows, strings.Fields(fields), err
			}),
		},
		{
			Command: argparse.Command{Name: "history-show", Short: "Show an event of the history of a node", Target: true, More: []argparse.Positional{{Name: "<event>"}}},
			aliases: []string{"node-history-get"},
			does: k.show(func(ctx context.Context, t *session, c *argparse.Call) (iotronic.Object, error) {
				return t.client.Nodes.HistoryEvent(ctx, c.Target, c.Words[0])
			}),
		},
		{
			Command: argparse.Command{Name: "firmware-list", Paged: true, Short: "List the firmware components of a node, with versions", Target: true},
			does: k.list(func(ctx context.Context, t *session, c *argparse.Call) ([]iotronic.Object, []string, error) {
				rows, err := t.client.Nodes.Firmware(ctx, c.Target)
				return rows, strings.Fields("component initial_version current_version last_version_flashed vendor model serial_number created_at updated_at"), err
			}),
		},
	}
}
