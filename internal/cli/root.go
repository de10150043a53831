package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/serve"
	"github.com/craton-fleet/craton/internal/cli/show"
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

// newProgram makes the craton command. Other faces of the program, such as the inventory, are given as extra.
func newProgram(s output.Streams, v Version, extra []*cobra.Command) *program {
	var version bool
	root := &cobra.Command{
		Use:   "craton",
		Short: "Fleet inventory for people who run Ansible",
		Long: `craton keeps a fleet of clouds, regions, cells and hosts, with variables at every level, and gives it to Ansible.

Where the fleet lives is said by CRATON_URL: sqlite:PATH for a file that this program reads itself, or the URL of a
Craton API, with OS_USERNAME, OS_PASSWORD (the API key) and OS_PROJECT_ID.`,
		Example: `  export CRATON_URL=sqlite:fleet.db
  craton apply fleet.yml                        load a fleet
  craton host-list --region dfw                 look at it; objects go by id or name
  craton host-vars-set web-01 ntp=10.0.0.1      change it
  craton --format json host-show web-01         for programs; also yaml and csv
  ansible-playbook -i "$(command -v craton-inventory)" site.yml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				_, err := io.WriteString(s.Out, v.Release+"\n")
				return err
			}
			return argparse.Mistake(cmd, "the following arguments are required: <subcommand>")
		},
		Annotations: map[string]string{argparse.UsageAnnotation: "[--version]\n[--format {default,json,yaml,csv}]\n[--craton-url CRATON_URL]\n" +
			"[--craton-version CRATON_VERSION]\n[--os-project-id OS_PROJECT_ID]\n[--os-username OS_USERNAME]\n[--os-password OS_PASSWORD]\n" +
			"[<option> ...]\n\n<subcommand>\n..."},
	}
	// Not cobra's own: with its template, text/template would be in the binary, and then every exported method of all
	// packages too, for reflection might call them. That is a tenth of its size.
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.Flags().SortFlags = false
	addFleetFlags(root)
	p := &program{
		root: root, streams: s, version: v, commands: map[string]*cobra.Command{}, lazy: map[string]lazyCommand{},
		shared: []settings.Section{settings.CLI, settings.Connection}, talksTo: "a fleet", about: "where the fleet lives",
		// Those that the original had as options.
		usual: []string{"format", "url", "craton_version", "project_id", "username", "password"},
	}
	for _, r := range resources() {
		var group []*cobra.Command
		for _, c := range r.commands() {
			p.lazy[c.name] = c
			group = append(group, c.cobra())
		}
		p.add(group)
	}
	things := newIotronic(s, v)
	p.inner = map[string]*program{things.root.Name(): things}
	more := slices.Concat([]*cobra.Command{newApply(s), newConfig(s), serve.New(s), things.root}, extra, []*cobra.Command{newCompletion(s), newVersion(s, v.Whole)})
	sayMistakes(more)
	help := newHelp(p)
	p.add(more, []*cobra.Command{help})
	root.SetHelpCommand(help)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { p.help(cmd) })
	root.CompletionOptions.DisableDefaultCmd = true
	prepare(root, s)
	root.SetFlagErrorFunc(p.flagError)
	return p
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

// Run runs the craton command line, and returns the status that the process ends with: 0 for success, 1 for a failure,
// 2 for a mistake in the arguments. Errors are printed. Other faces of the program are given as extra.
func Run(ctx context.Context, args []string, s output.Streams, v Version, extra ...*cobra.Command) int {
	if slices.Equal(args, []string{"--version"}) { // without making a hundred commands first
		_, _ = io.WriteString(s.Out, v.Release+"\n")
		return 0
	}
	p := newProgram(s, v, extra)
	if err := p.run(ctx, args); err != nil {
		return report(s.Err, err)
	}
	return 0
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

// RunAlone runs one face of the program under a name of its own, as programs call it: an error is one line.
func RunAlone(ctx context.Context, cmd *cobra.Command, args []string, s output.Streams) int {
	prepare(cmd, s)
	cmd.SetArgs(args)
	status := 1
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		status = 2
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	if err := cmd.ExecuteContext(ctx); err != nil {
		_, _ = io.WriteString(s.Err, cmd.Name()+": "+show.Clean(output.OneLine(err))+"\n")
		return status
	}
	return 0
}

func newVersion(s output.Streams, whole string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, with its commit and the version of Go",
		Args:  argparse.ExactArgs(),
		// Global options may stand before it, and do not matter.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(s.Out, "craton "+whole+"\n")
			return err
		},
	}
}
