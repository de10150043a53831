package iotronic

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/command"
)

// Command returns the command iotronic-inventory. On success it writes nothing to standard error, because Ansible shows
// that as an error; on failure it writes nothing to standard output and returns an error of one line.
func Command(s output.Streams) *cobra.Command {
	return command.New(&command.Face{
		Use:   "iotronic-inventory (--list | --host NAME | --graph)",
		Short: "Print the nodes of Ironic or the boards of Iotronic as a dynamic inventory for Ansible",
		Long: `Print the nodes of Ironic, or the nodes or boards of Iotronic, as a dynamic inventory for Ansible: hosts with all their
fields, in groups for drivers, states, types, fleets and projects. Apart from the first few, every flag is a setting,
with an environment variable and a key in the configuration file. Settings of the connection are keys under "iotronic:",
settings of the inventory are keys under "iotronic_inventory:". Lists are separated by commas.`,
		Example: `  iotronic-inventory --graph
  iotronic-inventory --list --filters provision_state=active,maintenance=false --pretty
  iotronic-inventory --host node-17 --pretty
  ansible-playbook -i "$(command -v iotronic-inventory)" site.yml    use a path: Ansible does not search PATH`,
		Sections: []settings.Section{settings.Iotronic, settings.IotronicInventory, settings.SignIn},
		Open:     open,
	}, s)
}

func open(_ context.Context, v *settings.Values, asked command.Request) (*command.Source, error) {
	o, err := FromSettings(v)
	if err != nil {
		return nil, err
	}
	o.KeepMappings = asked.KeepMappings
	client, err := connect.Iotronic(v)
	if err != nil {
		return nil, err
	}
	return &command.Source{
		Document: func(ctx context.Context) (*Document, error) {
			l, err := Load(ctx, client, o)
			if err != nil {
				return nil, err
			}
			return Build(l, o)
		},
		Host:  func(ctx context.Context, name string) ([]byte, error) { return Host(ctx, client, o, name) },
		Close: func() error { return nil },
	}, nil
}
