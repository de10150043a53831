// Package command implements the command line of an inventory, independent of where its hosts come from: the flags
// --list, --host and --graph, and their options. An inventory supplies its usage, its settings, and a function that
// reads it:
//
//	cmd := command.New(&command.Face{
//		Use:      "inventory (--list | --host NAME | --graph)",
//		Sections: []settings.Section{settings.Connection, settings.Inventory},
//		Open:     func(ctx context.Context, v *settings.Values, asked command.Asked) (*command.Source, error) { ... },
//	}, streams)
//
// On success the command writes nothing to standard error, because Ansible shows that as an error. On failure it writes
// nothing to standard output, and returns an error of one line.
package command
