package inventory

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/command"
)

// Command returns the command `craton inventory`, which is also craton-inventory. On success it writes nothing to
// standard error, because Ansible shows that as an error; on failure it writes nothing to standard output and returns
// an error of one line.
func Command(s output.Streams) *cobra.Command {
	return command.New(&command.Face{
		Use:   "inventory (--list | --host NAME | --graph)",
		Short: "Print the fleet as a dynamic inventory for Ansible",
		Long: `Print the fleet as a dynamic inventory for Ansible: hosts with their resolved variables, in groups for clouds, regions,
cells, labels and device types. Apart from the first few, every flag is a setting, with an environment variable and a key
under "inventory:" in the configuration file. Lists are separated by commas.`,
		Example: `  craton inventory --graph
  craton inventory --list --regions dfw --labels web,db --pretty
  craton inventory --host web-01 --pretty
  ansible-playbook -i "$(command -v craton-inventory)" site.yml    use a path: Ansible does not search PATH`,
		Sections: []settings.Section{settings.Connection, settings.Inventory},
		Subset:   true,
		Open:     open,
	}, s)
}

func open(_ context.Context, v *settings.Values, asked command.Request) (*command.Source, error) {
	o, err := FromSettings(v)
	if err != nil {
		return nil, err
	}
	o.KeepMappings, o.Subset, o.SubsetWithAddresses = asked.KeepMappings, asked.Subset, asked.SubsetBeside
	c := &connection{v: v}
	kept, err := newLister(v, o, c.open)
	if err != nil {
		return nil, err
	}
	note := ""
	source := &command.Source{
		List: kept.list,
		Document: func(ctx context.Context) (*Document, error) {
			client, err := c.open(ctx)
			if err != nil {
				return nil, err
			}
			doc, why, err := Read(ctx, client, o)
			if why != "" {
				note = "--limit: " + why + ", so all hosts are read"
			}
			return doc, err
		},
		Note: func() string { return note },
		Host: func(ctx context.Context, name string) ([]byte, error) {
			client, err := c.open(ctx)
			if err != nil {
				return nil, err
			}
			return Host(ctx, client, o, name)
		},
		Close: c.close,
	}
	if o.Limit == LimitOnly && o.Subset != "" { // of which only a part is read
		source.List = nil
	}
	return source, nil
}

// connection connects when it is first needed: with a cached inventory, that may be never.
type connection struct {
	v    *settings.Values
	done func() error
}

func (c *connection) open(ctx context.Context) (client *craton.Client, err error) {
	client, c.done, err = connect.Client(ctx, c.v, connect.ReadOnly)
	return client, err
}

func (c *connection) close() error {
	if c.done == nil {
		return nil
	}
	return c.done()
}
