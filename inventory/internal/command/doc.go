// Package command is the command of an inventory, whatever its hosts come from: the flags --list, --host, --graph and
// those beside them, and how they are obeyed. An inventory says what it is called, which settings it has, and how it
// is read:
//
//	cmd := command.New(&command.Face{
//		Use:      "inventory (--list | --host NAME | --graph)",
//		Sections: []settings.Section{settings.Connection, settings.Inventory},
//		Open:     func(ctx context.Context, v *settings.Values, asked command.Asked) (*command.Source, error) { ... },
//	}, streams)
//
// On success it writes nothing to standard error, because Ansible shows that as an error; on failure it writes nothing
// to standard output and returns an error of one line.
package command
