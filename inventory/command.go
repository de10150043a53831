package inventory

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/command"
)

// Command makes the command `craton inventory`, which is also what runs as craton-inventory. On success it writes
// nothing to standard error, because Ansible shows that as an error; on failure it writes nothing to standard output
// and returns an error of one line.
func Command(s output.Streams) *cobra.Command {
	return command.New(&command.Face{
		Use:   "inventory (--list | --host NAME | --graph)",
		Short: "Give the fleet to Ansible as a dynamic inventory",
		Long: `Give the fleet to Ansible as a dynamic inventory: hosts with their merged variables, in groups of clouds, regions,
cells, labels and device types. Every flag but the first ones is a setting, with an environment variable and a place
in the configuration file under "inventory:". Lists are separated by commas.`,
		Example: `  craton inventory --graph
  craton inventory --list --regions dfw --labels web,db --pretty
  craton inventory --host web-01 --pretty
  ansible-playbook -i "$(command -v craton-inventory)" site.yml    a path: Ansible does not search PATH`,
		Sections: []settings.Section{settings.Connection, settings.Inventory},
		Subset:   true,
		Open:     open,
	}, s)
}

func open(ctx context.Context, v *settings.Values, asked command.Asked) (*command.Source, error) {
	o, err := FromSettings(v)
	if err != nil {
		return nil, err
	}
	o.KeepMappings, o.Subset, o.SubsetBeside = asked.KeepMappings, asked.Subset, asked.SubsetBeside
	client, done, err := connect.Client(ctx, v, connect.ReadOnly)
	if err != nil {
		return nil, err
	}
	note := ""
	return &command.Source{
		Document: func(ctx context.Context) (*Document, error) {
			doc, why, err := Read(ctx, client, o)
			if why != "" {
				note = "--limit: " + why + ", so all hosts are read"
			}
			return doc, err
		},
		Note:  func() string { return note },
		Host:  func(ctx context.Context, name string) ([]byte, error) { return Host(ctx, client, o, name) },
		Close: done,
	}, nil
}
