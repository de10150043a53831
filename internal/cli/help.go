package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/settings"
)

func newHelp(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "help [<subcommand>]",
		Short: "Show the help of a subcommand, or this",
		Args:  cobra.ArbitraryArgs,
		// Global options may stand before it, and matter little.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(_ *cobra.Command, args []string) error {
			cmd := p.root
			for _, name := range args {
				var inner *cobra.Command
				for _, sub := range cmd.Commands() {
					if sub.Name() == name {
						inner = sub
					}
				}
				if inner == nil {
					return fmt.Errorf("'%s' is not a valid subcommand", name)
				}
				cmd = inner
			}
			p.help(cmd)
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return p.names(), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// help shows a command's help on standard output.
func (p *program) help(cmd *cobra.Command) {
	p.define(cmd.Name())
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	b.WriteString(usageOf(cmd) + "\n")
	text := cmd.Short + "."
	if cmd.Long != "" {
		text = cmd.Long
	}
	b.WriteString(text + "\n")
	section := func(title, text string) {
		if text != "" {
			b.WriteString("\n" + title + ":\n" + strings.TrimRight(text, "\n") + "\n")
		}
	}
	section("Examples", cmd.Example)
	if cmd == p.root {
		b.WriteString("\nSubcommands:\n")
		for i, group := range p.groups {
			if i > 0 {
				b.WriteString("\n")
			}
			b.WriteString(summaries(group))
		}
	} else {
		section("Subcommands", summaries(cmd.Commands()))
	}
	shared := pflag.NewFlagSet("", pflag.ContinueOnError)
	shared.SortFlags = false
	settings.AddFlags(shared, settings.Connection, settings.CLI)
	own, several := pflag.NewFlagSet("", pflag.ContinueOnError), false
	own.SortFlags = false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if shared.Lookup(f.Name) == nil {
			own.AddFlag(f)
		} else {
			several = true
		}
	})
	section("Options", own.FlagUsagesWrapped(terminalColumns()))
	if cmd == p.root {
		section("Options of every subcommand that talks to a fleet; they may stand before or after it", shared.FlagUsagesWrapped(terminalColumns()))
		b.WriteString("\nSee \"craton help COMMAND\" for help on a specific command.\n")
	} else if several {
		b.WriteString("\nIt takes the options that \"craton help\" lists, too: where the fleet lives, credentials, --format.\n")
	}
	_, _ = fmt.Fprint(p.streams.Out, b.String())
}

// summaries is a line for each command.
func summaries(commands []*cobra.Command) string {
	var b strings.Builder
	for _, cmd := range commands {
		if !cmd.Hidden {
			fmt.Fprintf(&b, "  %-29s %s\n", cmd.Name(), cmd.Short)
		}
	}
	return b.String()
}
