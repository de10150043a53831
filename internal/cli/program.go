package cli

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// Version is what the program says of itself.
type Version struct {
	Release string // 0.1.0
	Whole   string // with commit and Go version
}

// program is a command that has subcommands of objects, with all of them: craton itself, or craton iotronic.
type program struct {
	root     *cobra.Command
	version  Version
	streams  output.Streams
	shared   []settings.Section        // settings whose flags its commands of objects have
	usual    []string                  // those that help shows first
	talksTo  string                    // what its commands of objects talk to
	about    string                    // what the shared settings say of it
	groups   [][]*cobra.Command        // the subcommands in the order of help
	commands map[string]*cobra.Command // by name
	lazy     map[string]lazyCommand    // those whose flags are not declared yet
	inner    map[string]*program       // the subcommands that are programs of their own
	given    []string                  // the arguments in the order that pflag reads them in
	fill     func()                    // makes the subcommands; nil if they are there
	// completing tells that a shell asks what a command line may go on with.
	completing bool
}

// lazyCommand is a command whose flags are declared when it is known that it is the one that is meant.
type lazyCommand interface {
	define(cmd *cobra.Command, s output.Streams, completing bool)
	anyWords() bool // takes any words behind its positional arguments
}

// programAnnotation marks the root of a program.
const programAnnotation = "program"

// rootOf is the root of the program that a command belongs to.
func rootOf(cmd *cobra.Command) *cobra.Command {
	for cmd.HasParent() && cmd.Annotations[programAnnotation] == "" {
		cmd = cmd.Parent()
	}
	return cmd
}

// add adds subcommands.
func (p *program) add(groups ...[]*cobra.Command) {
	p.groups = append(p.groups, groups...)
	for _, group := range groups {
		p.root.AddCommand(group...)
		for _, cmd := range group {
			for _, name := range append(cmd.Aliases, cmd.Name()) {
				p.commands[name] = cmd
			}
		}
	}
}

// prepare gives a command its streams, and makes it return errors without printing them.
func prepare(cmd *cobra.Command, s output.Streams) {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetIn(s.In)
	cmd.SetOut(s.Out)
	cmd.SetErr(s.Err)
}

// sayMistakes makes the errors of commands' own checks of their arguments errors of usage.
func sayMistakes(commands []*cobra.Command) {
	for _, cmd := range commands {
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				if _, ok := errors.AsType[*argparse.UsageError](err); err == nil || ok {
					return err
				}
				return argparse.Mistake(cmd, "%s", err)
			}
		}
		sayMistakes(cmd.Commands())
	}
}

func (p *program) run(ctx context.Context, args []string) error {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		return p.complete(ctx, args)
	}
	if len(args) > 0 && args[0] == wordsCommand {
		return p.words(ctx, args[1:])
	}
	if len(args) == 0 {
		p.help(p.root)
		return nil
	}
	arranged, err := p.order(args)
	if err != nil {
		return err
	}
	p.root.SetArgs(arranged)
	p.given = arranged
	return p.root.ExecuteContext(ctx)
}

// complete runs cobra's command that answers what a command line may go on with.
func (p *program) complete(ctx context.Context, args []string) error {
	p.completing = true
	p.root.PersistentFlags().AddFlagSet(p.root.Flags()) // behind others cobra completes no subcommands
	completeSettings(p.root, p.shared...)
	in := p
	for _, word := range args {
		in.define(word)
		if inner := in.inner[word]; inner != nil {
			in = inner
		}
	}
	p.root.SetArgs(args)
	return p.root.ExecuteContext(ctx)
}

// order is arrange for a program, and for the one within it that is meant.
func (p *program) order(args []string) ([]string, error) {
	arranged, name, err := p.arrange(args)
	switch {
	case err != nil:
		return nil, err
	case name == "":
		return arranged, nil
	case p.commands[name] == nil:
		return nil, p.unknown(name, args)
	case p.inner[name] == nil:
		return arranged, nil
	}
	within, err := p.inner[name].order(arranged[1:])
	return append([]string{name}, within...), err
}

// names are all subcommands in the order of help.
func (p *program) names() []string {
	var names []string
	for _, cmd := range slices.Concat(p.groups...) {
		if !cmd.Hidden {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// define declares the flags of a subcommand, and makes those behind it, if that is still to be done.
func (p *program) define(name string) lazyCommand {
	if inner := p.inner[name]; inner != nil && inner.fill != nil {
		inner.completing = p.completing
		inner.fill()
		inner.fill = nil
	}
	c := p.lazy[name]
	if c != nil {
		c.define(p.commands[name], p.streams, p.completing)
		maps.DeleteFunc(p.lazy, func(_ string, other lazyCommand) bool { return other == c }) // an alias is the same
	}
	return c
}
