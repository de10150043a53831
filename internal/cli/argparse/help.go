package argparse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/value/python"
)

// NewHelp returns the command that shows help.
func NewHelp(p *Program) *cobra.Command {
	return &cobra.Command{
		Use:   "help [<subcommand>]",
		Short: "Show help for a subcommand, or this help",
		Args:  cobra.ArbitraryArgs,
		// Global options are allowed before it, and mostly ignored.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(_ *cobra.Command, args []string) error {
			in, cmd := p, p.Root
			for i := 0; i < len(args); i++ {
				if cmd == in.Root {
					args = in.joined(args, i)
				}
				name := args[i]
				if cmd == in.Root && i == len(args)-1 && name == "options" {
					in.helpOptions()
					return nil
				}
				in.Define(name)
				var inner *cobra.Command
				for _, sub := range cmd.Commands() {
					if sub.Name() == name || sub.HasAlias(name) {
						inner = sub
					}
				}
				if inner == nil {
					text := fmt.Sprintf("'%s' is not a valid subcommand", name)
					if near := Suggest(args[i:], in.Names()); near != "" && cmd == in.Root {
						text += "; did you mean " + near + "?"
					}
					return errors.New(text)
				}
				cmd = inner
				if within := in.Inner[name]; within != nil {
					in = within
				}
			}
			in.Help(cmd)
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			in := p
			for _, name := range args {
				if in.Define(name); in.Inner[name] == nil {
					return nil, cobra.ShellCompDirectiveNoFileComp
				}
				in = in.Inner[name]
			}
			return append(in.Names(), "options"), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// Help shows a command's help on standard output.
func (p *Program) Help(cmd *cobra.Command) {
	p.Define(cmd.Name())
	cmd.InitDefaultHelpFlag()
	flags := cmd.Flags()
	if flags.Lookup("no-pager") == nil { // it does not need the options of the program, which may be given nevertheless
		flags = p.Root.Flags()
	}
	show.Page(context.Background(), p.Streams, flags) //nolint:contextcheck // nothing is asked
	own, shares := p.ownFlags(cmd)
	var b strings.Builder
	section := func(title, text string) {
		if text != "" {
			b.WriteString("\n" + title + ":\n" + strings.TrimRight(text, "\n") + "\n")
		}
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	b.WriteString(UsageOf(cmd) + "\n" + text + "\n")
	section("Examples", cmd.Example)
	if cmd == p.Root {
		groups := make([]string, len(p.groups))
		for i, group := range p.groups {
			groups[i] = summaries(group)
		}
		section("Subcommands", strings.Join(groups, "\n"))
		section("Options, before or after the subcommand; \""+p.Root.CommandPath()+" help options\" lists more", settingUsages(p.Shared, p.Usual)+own.FlagUsages())
		b.WriteString("\nSee \"" + p.Root.CommandPath() + " help COMMAND\" for help on a specific command.\n")
	} else {
		section("Subcommands", summaries(cmd.Commands()))
		section("Options", own.FlagUsagesWrapped(TerminalColumns()))
		if shares {
			format := ", --format"
			if own.Lookup("format") != nil {
				format = ""
			}
			b.WriteString("\nSee \"" + p.Root.CommandPath() + " help options\" for the options of all commands: " + p.About + ", credentials" + format + ".\n")
		}
	}
	_, _ = fmt.Fprint(p.Streams.Out, b.String())
}

// ownFlags returns the flags that only this command has; shares reports whether it has the common ones too.
func (p *Program) ownFlags(cmd *cobra.Command) (own *pflag.FlagSet, shares bool) {
	shared := pflag.NewFlagSet("", pflag.ContinueOnError)
	settings.AddFlags(shared, p.Shared...)
	own = pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if s := shared.Lookup(f.Name); s == nil || settings.IsFlag(s) && !settings.IsFlag(f) { // or one of its own with that name
			own.AddFlag(f)
		} else {
			shares = true
		}
	})
	return own, shares
}

// helpOptions shows all settings that the commands share.
func (p *Program) helpOptions() {
	_, _ = fmt.Fprint(p.Streams.Out, "Options of every subcommand that talks to "+p.TalksTo+". They can be given before or after the name of the subcommand.\n\n"+
		"Each is a setting, which an environment variable or the configuration file can set too. --config or CRATON_CONFIG names the\n"+
		"file. The texts call a setting by its key in the file, such as ca_path. \"craton config\" shows all values and their sources.\n\n"+
		settingUsages(p.Shared, nil))
}

// settingUsages describes the settings of sections with these names, or all: the flag, followed by its description.
func settingUsages(sections []settings.Section, names []string) string {
	var b strings.Builder
	for _, section := range sections {
		for i := range section.Settings {
			s := &section.Settings[i]
			if names != nil && !slices.Contains(names, s.Name) {
				continue
			}
			flag := "--" + s.FlagName()
			if s.Short != "" {
				flag = "-" + s.Short + ", " + flag
			}
			if s.Kind != settings.Bool {
				flag += " " + strings.ToUpper(strings.ReplaceAll(s.FlagName(), "-", "_"))
			}
			text := s.About()
			if s.Default != "" && s.Default != show.FormatTable {
				text += " (default " + s.Default + ")"
			}
			if !strings.HasSuffix(flag, " "+s.Env) {
				text += "; environment " + s.Env
			}
			b.WriteString("  " + flag + "\n")
			for _, line := range python.Wrap(text, TerminalColumns()-8, nil) {
				b.WriteString("      " + line + "\n")
			}
		}
	}
	return b.String()
}

// summaries returns a line for each command.
func summaries(commands []*cobra.Command) string {
	var b strings.Builder
	for _, cmd := range commands {
		if !cmd.Hidden {
			fmt.Fprintf(&b, "  %-29s %s\n", cmd.Name(), cmd.Short)
		}
	}
	return b.String()
}
